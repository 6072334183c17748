/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "loopback.h"

#include <gio/gio.h>

gboolean
gst_ice_is_loopback (const gchar *host)
{
  g_autoptr (GInetAddress) address =
      host != NULL ? g_inet_address_new_from_string (host) : NULL;

  if (address != NULL)
    return g_inet_address_get_is_loopback (address);
  /* RFC 6761 6.3: resolvers answer these names with loopback addresses. */
  return host != NULL &&
      (g_ascii_strcasecmp (host, "localhost") == 0 ||
          g_str_has_suffix (host, ".localhost"));
}
