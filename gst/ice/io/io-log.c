/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "io-log.h"

GstDebugCategory *
ice_io_category (void)
{
  static gsize category = 0;

  if (g_once_init_enter (&category)) {
    GstDebugCategory *made = NULL;

    GST_DEBUG_CATEGORY_INIT (made, "ice-io", 0, "ICE sockets and loops");
    g_once_init_leave (&category, (gsize) made);
  }
  return (GstDebugCategory *) category;
}
