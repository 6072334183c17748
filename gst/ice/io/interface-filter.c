/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gio/gio.h>
#include <string.h>

#include "interface-filter.h"

typedef enum
{
  ITEM_BAD,
  ITEM_GLOB,   /* names are globs without wildcards */
  ITEM_PREFIX, /* addresses are prefixes of full length */
} ItemKind;

typedef struct
{
  ItemKind kind;
  const gchar *glob; /* (unowned) the text itself */
  IceAddress address;
  guint n_bits;
} Item;

static guint
address_n_bits (const IceAddress *address)
{
  return address->family == ICE_FAMILY_IPV6 ? 128 : 32;
}

/* "192.168.0.0/16"; bits behind the length do not matter. */
static gboolean
item_parse_prefix (Item *self, const gchar *text)
{
  const gchar *slash = strchr (text, '/');
  g_autofree gchar *ip = NULL;
  guint64 n_bits;

  if (slash == NULL)
    return FALSE;
  ip = g_strndup (text, (gsize) (slash - text));
  if (!ice_address_parse (&self->address, ip, 0) ||
      !g_ascii_string_to_unsigned (
          slash + 1, 10, 0, address_n_bits (&self->address), &n_bits, NULL))
    return FALSE;
  self->n_bits = (guint) n_bits;
  return TRUE;
}

/* IFNAMSIZ is 16 with the NUL. A colon or a row of digits and dots would be
 * an address with a typing error in it. */
static gboolean
text_is_glob (const gchar *text)
{
  gsize size = strlen (text);

  return size > 0 && size < 16 && strspn (text, "0123456789.") < size &&
      strpbrk (text, " \t/:[]%") == NULL && g_str_is_ascii (text);
}

static void
item_parse (Item *self, const gchar *text)
{
  self->kind = ITEM_BAD;
  if (item_parse_prefix (self, text)) {
    self->kind = ITEM_PREFIX;
  } else if (ice_address_parse (&self->address, text, 0)) {
    self->kind = ITEM_PREFIX;
    self->n_bits = address_n_bits (&self->address);
  } else if (text_is_glob (text)) {
    self->kind = ITEM_GLOB;
    self->glob = text;
  }
}

static gboolean
item_covers (const Item *self, const IceAddress *address)
{
  guint n_bytes = self->n_bits / 8;
  guint8 mask = (guint8) (0xff00 >> self->n_bits % 8);

  if (self->address.family != address->family ||
      memcmp (self->address.ip, address->ip, n_bytes) != 0)
    return FALSE;
  return self->n_bits % 8 == 0 ||
      ((self->address.ip[n_bytes] ^ address->ip[n_bytes]) & mask) == 0;
}

static IceFilterMatch
item_match (const Item *self, const IceInterface *interface)
{
  switch (self->kind) {
    case ITEM_GLOB:
      if (strcmp (self->glob, "*") == 0)
        return ICE_FILTER_ANY;
      return g_pattern_match_simple (self->glob, interface->name)
          ? ICE_FILTER_NAME
          : ICE_FILTER_NO_MATCH;
    case ITEM_PREFIX:
      return item_covers (self, &interface->address) ? ICE_FILTER_ADDRESS
                                                     : ICE_FILTER_NO_MATCH;
    default:
      return ICE_FILTER_NO_MATCH;
  }
}

IceFilterMatch
ice_interface_filter_match (const gchar *text, const IceInterface *interface)
{
  g_auto (GStrv) items = g_strsplit (text, ",", -1);
  IceFilterMatch best = ICE_FILTER_NO_MATCH;
  guint i;

  for (i = 0; items[i] != NULL; i++) {
    Item item;
    IceFilterMatch match;

    item_parse (&item, g_strstrip (items[i]));
    match = item_match (&item, interface);
    best = MAX (best, match);
  }
  return best;
}

gboolean
ice_interface_filter_check (const gchar *text, GError **error)
{
  g_auto (GStrv) items = NULL;
  guint i;

  if (text == NULL || *text == '\0')
    return TRUE;
  items = g_strsplit (text, ",", -1);
  for (i = 0; items[i] != NULL; i++) {
    Item item;

    item_parse (&item, g_strstrip (items[i]));
    if (item.kind == ITEM_BAD) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
          "“%s” is not an interface name or glob (eth0, wl*), an address or a "
          "prefix (10.0.0.0/8)",
          items[i]);
      return FALSE;
    }
  }
  return TRUE;
}
