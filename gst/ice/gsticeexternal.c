/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What users say about a NAT that maps address to address. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeagent-private.h"

#include <string.h>

#include "gsticeerror.h"

#define CURE                                                                   \
  "write ADDRESS, or ADDRESS=LOCAL-ADDRESS for one of several, separated by "  \
  "commas"

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const gchar *format, ...)
{
  va_list arguments;
  g_autofree gchar *what = NULL;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
      "external-addresses: %s; " CURE, what);
  return FALSE;
}

static gboolean
parse_one (const gchar *item, IceExternalAddress *ret, GError **error)
{
  const gchar *equals = strchr (item, '=');
  g_autofree gchar *outer =
      equals ? g_strndup (item, (gsize) (equals - item)) : g_strdup (item);
  IceAddress with_port;

  ret->local = ICE_ADDRESS_NONE;
  if (!ice_address_parse (&ret->external, g_strstrip (outer), 0))
    return refuse (error, "“%s” is no IP address", outer);
  with_port = ret->external;
  with_port.port = 9; /* without one nothing is of use */
  if (!ice_address_is_usable (&with_port))
    return refuse (error, "nobody reaches us at “%s”", outer);
  if (equals) {
    g_autofree gchar *inner = g_strdup (equals + 1);

    if (!ice_address_parse (&ret->local, g_strstrip (inner), 0))
      return refuse (error, "“%s” is no IP address", inner);
    if (ret->local.family != ret->external.family)
      return refuse (error, "“%s” are not of one IP version", item);
  }
  return TRUE;
}

static gboolean
speaks_of_the_same (const IceExternalAddress *a, const IceExternalAddress *b)
{
  if (a->local.family == ICE_FAMILY_NONE && b->local.family == ICE_FAMILY_NONE)
    return a->external.family == b->external.family;
  return ice_address_same_ip (&a->local, &b->local);
}

gboolean
gst_ice_parse_external_addresses (
    const gchar *text, GBytes **ret_addresses, GError **error)
{
  IceExternalAddress addresses[ICE_EXTERNAL_MAX];
  g_auto (GStrv) items = NULL;
  guint n = 0;

  *ret_addresses = NULL;
  if (!text || *text == '\0')
    return TRUE;
  items = g_strsplit (text, ",", -1);
  if (g_strv_length (items) > ICE_EXTERNAL_MAX)
    return refuse (error, "more than %d addresses", ICE_EXTERNAL_MAX);
  for (; items[n]; n++) {
    IceExternalAddress *address = &addresses[n];

    if (!parse_one (g_strstrip (items[n]), address, error))
      return FALSE;
    for (guint i = 0; i < n; i++) {
      if (speaks_of_the_same (address, &addresses[i]))
        return refuse (
            error, "“%s” speaks of a local address a second time", items[n]);
    }
  }
  *ret_addresses = g_bytes_new (addresses, n * sizeof addresses[0]);
  return TRUE;
}
