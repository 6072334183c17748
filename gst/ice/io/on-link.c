/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ifaddrs.h>
#include <net/if.h>

#include "native.h"
#include "on-link.h"

static gboolean
same_prefix (const IceAddress *a, const IceAddress *b, const IceAddress *mask)
{
  const guint size = a->family == ICE_FAMILY_IPV6 ? 16 : 4;

  for (guint i = 0; i < size; i++)
    if ((a->ip[i] ^ b->ip[i]) & mask->ip[i])
      return FALSE;
  return TRUE;
}

static gboolean
read_native (const struct sockaddr *from, IceFamily family, IceAddress *ret)
{
  IceNativeAddress native;

  if (from == NULL ||
      from->sa_family != (family == ICE_FAMILY_IPV6 ? AF_INET6 : AF_INET))
    return FALSE;
  memcpy (&native, from,
      family == ICE_FAMILY_IPV6 ? sizeof native.ipv6 : sizeof native.ipv4);
  return ice_address_from_native (ret, &native, sizeof native);
}

gboolean
ice_is_on_link (guint index, const IceAddress *address)
{
  struct ifaddrs *all, *item;
  gboolean found = FALSE;

  if (ice_address_classify (address) == ICE_ADDRESS_LINK_LOCAL)
    return address->family == ICE_FAMILY_IPV4 || address->scope == index;
  if (getifaddrs (&all) != 0)
    return FALSE;
  for (item = all; item != NULL && !found; item = item->ifa_next) {
    IceAddress own, mask;

    found = read_native (item->ifa_addr, address->family, &own) &&
        read_native (item->ifa_netmask, address->family, &mask) &&
        same_prefix (&own, address, &mask) &&
        if_nametoindex (item->ifa_name) == index;
  }
  freeifaddrs (all);
  return found;
}
