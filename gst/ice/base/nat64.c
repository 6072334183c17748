/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nat64.h"

#include <string.h>

static const guint lengths[] = { 32, 40, 48, 56, 64, 96 };

/* RFC 6052 2.1: 64:ff9b::/96. */
static const guint8 well_known_prefix[] = { 0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0,
  0, 0, 0, 0 };

/* RFC 7050 8.2: 192.0.0.170 and 192.0.0.171. */
static const guint8 well_known_ipv4[][4] = { { 192, 0, 0, 170 },
  { 192, 0, 0, 171 } };

/* RFC 6052 2.2: "bits 64 to 71 of the address are reserved ... and MUST be set
 * to zero": octet 8, which the IPv4 address steps over. */
#define RESERVED_OCTET 8

/* Where in the address octet @i of the IPv4 address stands. */
static guint
place (guint length, guint i)
{
  const guint at = length / 8 + i;

  return length < 96 && at >= RESERVED_OCTET ? at + 1 : at;
}

static gboolean
is_well_known (const IceNat64Prefix *self)
{
  return self->length == 96 &&
      memcmp (self->ip, well_known_prefix, sizeof well_known_prefix) == 0;
}

gboolean
ice_nat64_embed (
    const IceNat64Prefix *self, const IceAddress *ipv4, IceAddress *ret_address)
{
  if (ipv4->family != ICE_FAMILY_IPV4)
    return FALSE;
  /* RFC 6052 3.1: "The Well-Known Prefix MUST NOT be used to represent
   * non-global IPv4 addresses". */
  if (is_well_known (self) && ice_address_classify (ipv4) != ICE_ADDRESS_GLOBAL)
    return FALSE;
  *ret_address = ICE_ADDRESS_NONE;
  ret_address->family = ICE_FAMILY_IPV6;
  ret_address->port = ipv4->port;
  memcpy (ret_address->ip, self->ip, self->length / 8);
  for (guint i = 0; i < 4; i++)
    ret_address->ip[place (self->length, i)] = ipv4->ip[i];
  return TRUE;
}

gboolean
ice_nat64_extract (
    const IceNat64Prefix *self, const IceAddress *ipv6, IceAddress *ret_ipv4)
{
  if (ipv6->family != ICE_FAMILY_IPV6 ||
      memcmp (self->ip, ipv6->ip, self->length / 8) != 0)
    return FALSE;
  *ret_ipv4 = ICE_ADDRESS_NONE;
  ret_ipv4->family = ICE_FAMILY_IPV4;
  ret_ipv4->port = ipv6->port;
  for (guint i = 0; i < 4; i++)
    ret_ipv4->ip[i] = ipv6->ip[place (self->length, i)];
  return TRUE;
}

static gboolean
stands_at (const IceAddress *answer, guint length, const guint8 *ipv4)
{
  for (guint i = 0; i < 4; i++) {
    if (answer->ip[place (length, i)] != ipv4[i])
      return FALSE;
  }
  return TRUE;
}

/* RFC 7050 3: an address that stands there twice does not tell which one is
 * meant; the other well-known one may. */
gboolean
ice_nat64_find_prefix (const IceAddress *answer, IceNat64Prefix *ret_prefix)
{
  if (answer->family != ICE_FAMILY_IPV6 || answer->ip[RESERVED_OCTET] != 0)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (well_known_ipv4); i++) {
    guint n_found = 0, length = 0;

    for (guint j = 0; j < G_N_ELEMENTS (lengths); j++) {
      if (!stands_at (answer, lengths[j], well_known_ipv4[i]))
        continue;
      length = lengths[j];
      n_found++;
    }
    if (n_found != 1)
      continue;
    memset (ret_prefix, 0, sizeof *ret_prefix);
    memcpy (ret_prefix->ip, answer->ip, length / 8);
    ret_prefix->length = length;
    return TRUE;
  }
  return FALSE;
}
