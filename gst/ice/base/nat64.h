/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "address.h"

G_BEGIN_DECLS

/* IPv4 addresses inside IPv6 ones, for hosts that reach IPv4 through a
 * translator (RFC 6052, RFC 7050). */
typedef struct
{
  guint8 ip[16];
  guint length; /* bits: 32, 40, 48, 56, 64 or 96 */
} IceNat64Prefix;

/* The name of RFC 7050 that has these two addresses, and where DNS64 is at
 * work others as well. */
#define ICE_NAT64_NAME "ipv4only.arpa"

/* RFC 6052 2.2; the port is kept. FALSE when @ipv4 is no such address, or one
 * that this prefix must not represent. */
gboolean ice_nat64_embed (const IceNat64Prefix *self, const IceAddress *ipv4,
    IceAddress *ret_address);
/* The other way; FALSE when @ipv6 is outside of the prefix. */
gboolean ice_nat64_extract (
    const IceNat64Prefix *self, const IceAddress *ipv6, IceAddress *ret_ipv4);
/* RFC 7050 3: from an address that ICE_NAT64_NAME was resolved to. FALSE when
 * it tells no prefix, or more than one. */
gboolean
ice_nat64_find_prefix (const IceAddress *answer, IceNat64Prefix *ret_prefix);

G_END_DECLS
