/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which local addresses are gathered on, and which of them is preferred. */
#include "gatherer-private.h"

#include <string.h>

#include "../purity.h"

/* More would not fit the pair limit (RFC 8445 6.1.2.5) anyway. */
#define ADDRESSES_MAX 64

/* Order of classes: what costs a detour, or reaches no further than the link,
 * comes after what does not. The precedence of RFC 6724 2.1 is 40 for IPv6, 35
 * for IPv4, and for the rest as noted. */
typedef enum
{
  PLACE_ORDINARY,
  PLACE_6TO4,   /* 30 */
  PLACE_TEREDO, /* 5 */
  PLACE_ULA,    /* 3 */
  PLACE_TUNNEL,
  PLACE_LINK_LOCAL,
  PLACE_LOOPBACK,
  N_PLACES,
} Place;

static gboolean
is_loopback (const IceInterfaceAddress *address)
{
  return address->loopback ||
      ice_address_classify (&address->address) == ICE_ADDRESS_LOOPBACK;
}

static gboolean
is_link_local (const IceInterfaceAddress *address)
{
  return ice_address_classify (&address->address) == ICE_ADDRESS_LINK_LOCAL;
}

/* RFC 3056 2, and the anycast address of its relays: 192.88.99.0/24. */
static gboolean
is_6to4 (const IceAddress *address)
{
  return address->family == ICE_FAMILY_IPV4 ||
      (address->ip[0] == 0x20 && address->ip[1] == 0x02);
}

static Place
place_of (const IceInterfaceAddress *address)
{
  IceAddressClass klass = ice_address_classify (&address->address);

  if (is_loopback (address))
    return PLACE_LOOPBACK;
  if (klass == ICE_ADDRESS_LINK_LOCAL)
    return PLACE_LINK_LOCAL;
  if (address->tunnel)
    return PLACE_TUNNEL;
  if (klass == ICE_ADDRESS_TUNNEL)
    return is_6to4 (&address->address) ? PLACE_6TO4 : PLACE_TEREDO;
  if (klass == ICE_ADDRESS_PRIVATE &&
      address->address.family == ICE_FAMILY_IPV6)
    return PLACE_ULA;
  return PLACE_ORDINARY;
}

static gboolean
is_candidate (const IceGatherer *self, const IceInterfaceAddress *address)
{
  switch (ice_address_classify (&address->address)) {
    case ICE_ADDRESS_UNSPECIFIED:
    case ICE_ADDRESS_MULTICAST:
    /* RFC 8445 5.1.1.1: site-local, v4-compatible and v4-mapped are not. */
    case ICE_ADDRESS_RESERVED:
      return FALSE;
    default:
      return self->config.only_family == ICE_FAMILY_NONE ||
          self->config.only_family == address->address.family;
  }
}

/* RFC 8445 5.1.1.1: an address that lets its host be tracked MUST NOT be
 * gathered beside one of the same interface and prefix that prevents it. */
static gboolean
is_displaced (
    const IceInterfaceAddress *stable, const IceInterfaceAddress *temporary)
{
  return temporary->temporary && !temporary->deprecated && !stable->temporary &&
      stable->address.family == ICE_FAMILY_IPV6 &&
      temporary->address.family == ICE_FAMILY_IPV6 &&
      stable->interface_index == temporary->interface_index &&
      memcmp (stable->address.ip, temporary->address.ip, 8) == 0;
}

/* TRUE when @other is the reason not to gather on @address. */
static gboolean
is_surpassed (
    const IceInterfaceAddress *address, const IceInterfaceAddress *other)
{
  /* RFC 8445 5.1.1.1: loopback MUST NOT be included; when there is nothing
   * else, both peers are on this host. */
  if (is_loopback (address) && !is_loopback (other))
    return TRUE;
  if (address->address.family != other->address.family || is_loopback (other))
    return FALSE;
  return (is_link_local (address) && !is_link_local (other)) ||
      (address->deprecated && !other->deprecated && !is_link_local (other)) ||
      is_displaced (address, other);
}

static gboolean
is_wanted (const IceGatherer *self, guint index)
{
  const IceInterfaceAddress *address =
      &g_array_index (self->interfaces, IceInterfaceAddress, index);

  if (!is_candidate (self, address))
    return FALSE;
  for (guint i = 0; i < self->interfaces->len; i++) {
    const IceInterfaceAddress *other =
        &g_array_index (self->interfaces, IceInterfaceAddress, i);

    if (i < index && ice_address_same_ip (&other->address, &address->address) &&
        other->address.scope == address->address.scope)
      return FALSE;
    if (is_candidate (self, other) && is_surpassed (address, other))
      return FALSE;
  }
  return TRUE;
}

static void
append_next (GArray *order, GArray *family, guint *index)
{
  IceGatherAddress next = { .address = ICE_ADDRESS_NONE };

  if (*index >= family->len || order->len >= ADDRESSES_MAX)
    return;
  next.address = g_array_index (family, IceAddress, (*index)++);
  next.address.port = 0;
  g_array_append_val (order, next);
}

/* RFC 8421 4: IPv6 first, then one of each in turn, so that a broken family
 * delays the other by little. Within a family the caller's order counts. */
static void
append_place (const IceGatherer *self, GArray *order, Place place)
{
  g_autoptr (GArray) ipv6 = g_array_new (FALSE, FALSE, sizeof (IceAddress));
  g_autoptr (GArray) ipv4 = g_array_new (FALSE, FALSE, sizeof (IceAddress));
  guint n_ipv6 = 0, n_ipv4 = 0;

  for (guint i = 0; i < self->interfaces->len; i++) {
    const IceInterfaceAddress *address =
        &g_array_index (self->interfaces, IceInterfaceAddress, i);

    if (place_of (address) != place || !is_wanted (self, i))
      continue;
    if (address->address.family == ICE_FAMILY_IPV6)
      g_array_append_val (ipv6, address->address);
    else
      g_array_append_val (ipv4, address->address);
  }
  while (order->len < ADDRESSES_MAX &&
      (n_ipv6 < ipv6->len || n_ipv4 < ipv4->len)) {
    append_next (order, ipv6, &n_ipv6);
    append_next (order, ipv4, &n_ipv4);
  }
}

/* An address keeps its rank within a generation, and a new one comes after
 * all: RFC 8445 5.1.2.1 wants preferences to be unique. */
static guint
rank_of (IceGatherStream *stream, const IceAddress *address)
{
  IceGatherAddress entry = { .address = *address, .rank = stream->ranks->len };

  for (guint i = 0; i < stream->ranks->len; i++) {
    const IceGatherAddress *known =
        &g_array_index (stream->ranks, IceGatherAddress, i);

    if (ice_address_equal (&known->address, address))
      return known->rank;
  }
  g_array_append_val (stream->ranks, entry);
  return entry.rank;
}

gboolean
ice_gather_has_new_address (
    const IceGatherer *self, const IceGatherStream *stream)
{
  for (guint i = 0; i < self->interfaces->len; i++) {
    const IceInterfaceAddress *address =
        &g_array_index (self->interfaces, IceInterfaceAddress, i);
    gboolean known = place_of (address) != PLACE_ORDINARY;

    for (guint j = 0; j < stream->ranks->len && !known; j++)
      known = ice_address_same_ip (&address->address,
          &g_array_index (stream->ranks, IceGatherAddress, j).address);
    if (!known && is_wanted (self, i))
      return TRUE;
  }
  return FALSE;
}

/* RFC 8445 5.2: "only a connectivity check can truly determine whether to use
 * one address or the other", and a lite agent makes none. */
static void
keep_one_per_family (GArray *order)
{
  guint seen = 0, n = 0;

  for (guint i = 0; i < order->len; i++) {
    IceGatherAddress address = g_array_index (order, IceGatherAddress, i);

    if (seen & (1u << address.address.family))
      continue;
    seen |= 1u << address.address.family;
    g_array_index (order, IceGatherAddress, n++) = address;
  }
  g_array_set_size (order, n);
}

GArray *
ice_gather_choose_addresses (const IceGatherer *self, IceGatherStream *stream)
{
  GArray *order = g_array_new (FALSE, FALSE, sizeof (IceGatherAddress));

  for (Place place = PLACE_ORDINARY; place < N_PLACES; place++) {
    guint n_better = order->len;

    append_place (self, order, place);
    /* A tunnel that is the only way out is not a detour. */
    for (guint i = n_better;
         place == PLACE_TUNNEL && n_better && i < order->len; i++)
      g_array_index (order, IceGatherAddress, i).detour = TRUE;
  }
  if (stream->lite)
    keep_one_per_family (order);
  for (guint i = 0; i < order->len; i++) {
    IceGatherAddress *address = &g_array_index (order, IceGatherAddress, i);

    address->rank = rank_of (stream, &address->address);
  }
  return order;
}

guint
ice_gather_other_preference (guint rank, guint slot)
{
  guint below = rank * ICE_GATHER_SLOTS + MIN (slot, ICE_GATHER_SLOTS - 1);

  return 8191 - MIN (below, 8191);
}

/* RFC 8445 5.1.2.1: 65535 when there is a single address. */
guint16
ice_gather_local_preference (guint rank, guint slot)
{
  guint below = rank * ICE_GATHER_SLOTS + MIN (slot, ICE_GATHER_SLOTS - 1);

  return (guint16) (65535 - MIN (below, 65535));
}
