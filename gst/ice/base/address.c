/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "address.h"

#include <arpa/inet.h>
#include <string.h>

/* Where an IPv6 prefix hides an IPv4 address; that one then decides. */
typedef enum
{
  EMBEDS_NOTHING,
  EMBEDS_AT_2,           /* 6to4: 2002:V4V4:V4V4:: */
  EMBEDS_AT_12,          /* NAT64 with a /96 */
  EMBEDS_AT_12_INVERTED, /* Teredo: the client's address, bits flipped */
} Embedding;

typedef struct
{
  guint8 prefix[16];
  guint8 n_bits;
  guint8 klass; /* IceAddressClass */
  guint8 embeds;
} Block;

/* RFC 6890 and the IANA special-purpose registries; the first match counts,
 * so a longer prefix stands before the one it lies in. What is not listed is
 * global: the documentation blocks (RFC 5737, RFC 3849) too, since nothing
 * breaks when a lab uses them. */
static const Block ipv4_blocks[] = {
  { { 0 }, 8, ICE_ADDRESS_UNSPECIFIED },
  { { 10 }, 8, ICE_ADDRESS_PRIVATE },            /* RFC 1918 */
  { { 100, 64 }, 10, ICE_ADDRESS_PRIVATE },      /* RFC 6598 */
  { { 127 }, 8, ICE_ADDRESS_LOOPBACK },          /* RFC 1122 */
  { { 169, 254 }, 16, ICE_ADDRESS_LINK_LOCAL },  /* RFC 3927 */
  { { 172, 16 }, 12, ICE_ADDRESS_PRIVATE },      /* RFC 1918 */
  { { 192, 0, 0, 0 }, 29, ICE_ADDRESS_PRIVATE }, /* RFC 7335: 464XLAT hosts */
  { { 192, 0, 0, 9 }, 32, ICE_ADDRESS_GLOBAL },  /* RFC 7723 */
  { { 192, 0, 0, 10 }, 32, ICE_ADDRESS_GLOBAL }, /* RFC 8155 */
  { { 192, 0, 0 }, 24, ICE_ADDRESS_RESERVED },   /* RFC 6890 */
  { { 192, 88, 99 }, 24, ICE_ADDRESS_TUNNEL },   /* RFC 7526 */
  { { 192, 168 }, 16, ICE_ADDRESS_PRIVATE },     /* RFC 1918 */
  { { 198, 18 }, 15, ICE_ADDRESS_PRIVATE },      /* RFC 2544 */
  { { 224 }, 4, ICE_ADDRESS_MULTICAST },         /* RFC 5771 */
  { { 255, 255, 255, 255 }, 32, ICE_ADDRESS_MULTICAST }, /* RFC 919 */
  { { 240 }, 4, ICE_ADDRESS_RESERVED },                  /* RFC 1112 */
};

static const Block ipv6_blocks[] = {
  { { 0 }, 128, ICE_ADDRESS_UNSPECIFIED },
  { { [15] = 1 }, 128, ICE_ADDRESS_LOOPBACK },
  /* RFC 6052 3.1: the well-known prefix stands for global IPv4 addresses
   * only; what stands for another is judged as that one. */
  { { 0, 0x64, 0xff, 0x9b }, 96, ICE_ADDRESS_GLOBAL, EMBEDS_AT_12 },
  /* RFC 8215: where the IPv4 address lies is the network's own affair. */
  { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48, ICE_ADDRESS_PRIVATE },
  /* RFC 4291 2.5.5: v4-compatible and v4-mapped; RFC 2765: v4-translated.
   * None belongs on the wire, and an operating system takes ::ffff:127.0.0.1
   * for 127.0.0.1. The rest of 0000::/8 is reserved as well. */
  { { 0 }, 8, ICE_ADDRESS_RESERVED },
  { { 0x01 }, 64, ICE_ADDRESS_RESERVED }, /* RFC 6666: discard-only */
  { { 0x20, 0x01 }, 32, ICE_ADDRESS_TUNNEL, EMBEDS_AT_12_INVERTED },
  { { 0x20, 0x01, 0, 0x02 }, 48, ICE_ADDRESS_PRIVATE },    /* RFC 5180 */
  { { 0x20, 0x01, 0, 0x10 }, 28, ICE_ADDRESS_RESERVED },   /* RFC 4843 */
  { { 0x20, 0x01, 0, 0x20 }, 28, ICE_ADDRESS_RESERVED },   /* RFC 7343 */
  { { 0x20, 0x02 }, 16, ICE_ADDRESS_TUNNEL, EMBEDS_AT_2 }, /* RFC 3056 */
  { { 0x5f, 0x00 }, 16, ICE_ADDRESS_RESERVED },            /* RFC 9602 */
  { { 0xfc }, 7, ICE_ADDRESS_PRIVATE },                    /* RFC 4193 */
  { { 0xfe, 0x80 }, 10, ICE_ADDRESS_LINK_LOCAL },          /* RFC 4291 */
  { { 0xfe, 0xc0 }, 10, ICE_ADDRESS_RESERVED },            /* RFC 3879 */
  { { 0xff }, 8, ICE_ADDRESS_MULTICAST },                  /* RFC 4291 */
};

static gboolean
starts_with (const guint8 *ip, const guint8 *prefix, guint n_bits)
{
  guint n_bytes = n_bits / 8, rest = n_bits % 8;

  return memcmp (ip, prefix, n_bytes) == 0 &&
      (rest == 0 || (ip[n_bytes] ^ prefix[n_bytes]) >> (8 - rest) == 0);
}

static const Block *
find_block (const Block *blocks, guint n_blocks, const guint8 *ip)
{
  guint i;

  for (i = 0; i < n_blocks; i++)
    if (starts_with (ip, blocks[i].prefix, blocks[i].n_bits))
      return &blocks[i];
  return NULL;
}

static IceAddressClass
classify_ipv4 (const guint8 *ip)
{
  const Block *block = find_block (ipv4_blocks, G_N_ELEMENTS (ipv4_blocks), ip);

  return block ? (IceAddressClass) block->klass : ICE_ADDRESS_GLOBAL;
}

static IceAddressClass
classify_ipv6 (const guint8 *ip)
{
  const Block *block = find_block (ipv6_blocks, G_N_ELEMENTS (ipv6_blocks), ip);
  IceAddressClass inside;
  guint8 ipv4[4];
  guint i;

  if (!block)
    return ICE_ADDRESS_GLOBAL;
  if (block->embeds == EMBEDS_NOTHING)
    return (IceAddressClass) block->klass;

  memcpy (ipv4, ip + (block->embeds == EMBEDS_AT_2 ? 2 : 12), 4);
  if (block->embeds == EMBEDS_AT_12_INVERTED)
    for (i = 0; i < 4; i++)
      ipv4[i] = ~ipv4[i];
  inside = classify_ipv4 (ipv4);
  return inside == ICE_ADDRESS_GLOBAL ? (IceAddressClass) block->klass : inside;
}

IceAddressClass
ice_address_classify (const IceAddress *self)
{
  switch (self->family) {
    case ICE_FAMILY_IPV4:
      return classify_ipv4 (self->ip);
    case ICE_FAMILY_IPV6:
      return classify_ipv6 (self->ip);
    default:
      return ICE_ADDRESS_UNSPECIFIED;
  }
}

gboolean
ice_address_is_usable (const IceAddress *self)
{
  if (self->port == 0)
    return FALSE;

  switch (ice_address_classify (self)) {
    case ICE_ADDRESS_LOOPBACK:
    case ICE_ADDRESS_LINK_LOCAL:
    case ICE_ADDRESS_PRIVATE:
    case ICE_ADDRESS_TUNNEL:
    case ICE_ADDRESS_GLOBAL:
      return TRUE;
    case ICE_ADDRESS_UNSPECIFIED:
    case ICE_ADDRESS_MULTICAST:
    case ICE_ADDRESS_RESERVED:
    default:
      return FALSE;
  }
}

/* RFC 4007 11.2: "address%zone"; of zones only the numeric form, since a name
 * would need a question to the system. */
static gboolean
parse_zone (const gchar *zone, guint32 *ret_scope)
{
  guint64 scope;

  if (!g_ascii_string_to_unsigned (zone, 10, 0, G_MAXUINT32, &scope, NULL))
    return FALSE;
  *ret_scope = (guint32) scope;
  return TRUE;
}

gboolean
ice_address_parse (IceAddress *self, const gchar *ip, guint16 port)
{
  gchar text[INET6_ADDRSTRLEN];
  const gchar *zone = strchr (ip, '%');
  gsize size = zone ? (gsize) (zone - ip) : strlen (ip);

  *self = ICE_ADDRESS_NONE;
  if (size >= sizeof (text))
    return FALSE;
  memcpy (text, ip, size);
  text[size] = '\0';

  if (inet_pton (AF_INET6, text, self->ip) == 1 &&
      (!zone || parse_zone (zone + 1, &self->scope)))
    self->family = ICE_FAMILY_IPV6;
  else if (!zone && inet_pton (AF_INET, text, self->ip) == 1)
    self->family = ICE_FAMILY_IPV4;
  else {
    *self = ICE_ADDRESS_NONE;
    return FALSE;
  }
  self->port = port;
  return TRUE;
}

const gchar *
ice_address_ip_to_string (const IceAddress *self, gchar *buffer)
{
  gsize size;

  switch (self->family) {
    case ICE_FAMILY_IPV4:
      inet_ntop (AF_INET, self->ip, buffer, ICE_ADDRESS_STRLEN);
      break;
    case ICE_FAMILY_IPV6:
      inet_ntop (AF_INET6, self->ip, buffer, ICE_ADDRESS_STRLEN);
      if (self->scope != 0) {
        size = strlen (buffer);
        g_snprintf (
            buffer + size, ICE_ADDRESS_STRLEN - size, "%%%u", self->scope);
      }
      break;
    default:
      g_strlcpy (buffer, "none", ICE_ADDRESS_STRLEN);
      break;
  }
  return buffer;
}

const gchar *
ice_address_to_string (const IceAddress *self, gchar *buffer)
{
  gchar ip[ICE_ADDRESS_STRLEN];

  ice_address_ip_to_string (self, ip);
  g_snprintf (buffer, ICE_ADDRESS_STRLEN,
      self->family == ICE_FAMILY_IPV6 ? "[%s]:%u" : "%s:%u", ip, self->port);
  return buffer;
}

gboolean
ice_address_equal (const IceAddress *a, const IceAddress *b)
{
  return a->port == b->port && ice_address_same_ip (a, b);
}

gboolean
ice_address_same_ip (const IceAddress *a, const IceAddress *b)
{
  return a->family == b->family && a->scope == b->scope &&
      memcmp (a->ip, b->ip, sizeof (a->ip)) == 0;
}

/* FNV-1a */
guint
ice_address_hash (const IceAddress *self)
{
  guint32 hash = 2166136261u;
  guint i;

  for (i = 0; i < sizeof (self->ip); i++)
    hash = (hash ^ self->ip[i]) * 16777619u;
  hash = (hash ^ (self->port & 0xff)) * 16777619u;
  hash = (hash ^ (self->port >> 8)) * 16777619u;
  hash = (hash ^ self->scope) * 16777619u;
  return (hash ^ self->family) * 16777619u;
}

gint
ice_address_compare (const IceAddress *a, const IceAddress *b)
{
  gint order = memcmp (a->ip, b->ip, sizeof (a->ip));

  if (a->family != b->family)
    return a->family < b->family ? -1 : 1;
  if (order != 0)
    return order;
  if (a->scope != b->scope)
    return a->scope < b->scope ? -1 : 1;
  return (gint) a->port - (gint) b->port;
}
