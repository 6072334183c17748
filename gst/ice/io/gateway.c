/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gateway.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>

#include "native.h"

/* linux/route.h */
#define ROUTE_UP 0x1
#define ROUTE_GATEWAY 0x2

static gboolean
find_interface (const IceAddress *local, gchar ret_name[IF_NAMESIZE])
{
  struct ifaddrs *list, *each;
  gboolean found = FALSE;

  if (getifaddrs (&list) < 0)
    return FALSE;
  for (each = list; each && !found; each = each->ifa_next) {
    const IceNativeAddress *native = (const IceNativeAddress *) each->ifa_addr;
    IceAddress address;

    if (native && native->any.sa_family == AF_INET &&
        ice_address_from_native (&address, native, sizeof native->ipv4) &&
        ice_address_same_ip (&address, local)) {
      g_strlcpy (ret_name, each->ifa_name, IF_NAMESIZE);
      found = TRUE;
    }
  }
  freeifaddrs (list);
  return found;
}

gboolean
ice_gateway_parse (
    const gchar *table, const gchar *interface, IceAddress *ret_gateway)
{
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);
  guint best = G_MAXUINT;
  gboolean found = FALSE;

  for (guint i = 0; lines[i]; i++) {
    gchar name[IF_NAMESIZE];
    guint destination, gateway, flags, metric, mask;

    if (sscanf (lines[i], "%15s %x %x %x %*d %*d %u %x", name, &destination,
            &gateway, &flags, &metric, &mask) != 6 ||
        !g_str_equal (name, interface) || destination != 0 || mask != 0 ||
        (flags & (ROUTE_UP | ROUTE_GATEWAY)) != (ROUTE_UP | ROUTE_GATEWAY) ||
        (found && metric >= best))
      continue;
    *ret_gateway = ICE_ADDRESS_NONE;
    ret_gateway->family = ICE_FAMILY_IPV4;
    /* The kernel prints the four bytes as an integer of its own order. */
    memcpy (ret_gateway->ip, &(guint32){ gateway }, 4);
    best = metric;
    found = TRUE;
  }
  return found;
}

gboolean
ice_gateway_find (const IceAddress *local, IceAddress *ret_gateway)
{
  g_autofree gchar *table = NULL;
  gchar name[IF_NAMESIZE];

  return find_interface (local, name) &&
      g_file_get_contents ("/proc/net/route", &table, NULL, NULL) &&
      ice_gateway_parse (table, name, ret_gateway);
}
