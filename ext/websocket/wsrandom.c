/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wsrandom.h"

#include <openssl/rand.h>

gboolean
gst_ice_ws_random (guint8 *ret_bytes, gsize size, GError **error)
{
  if (RAND_bytes (ret_bytes, (int) size) == 1)
    return TRUE;
  g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE,
      "OpenSSL has no random numbers; is a source of them missing, as "
      "/dev/urandom in a container?");
  return FALSE;
}
