/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NATs that the user told us of. RFC 8445 5.1.1.1 has host candidates of the
 * addresses of interfaces; behind a NAT that maps one address to one address
 * and keeps the ports, the outer one is as good as an interface's, and the
 * inner one of no use to those outside. */
#include "gatherer-private.h"

#include "../purity.h"

/* Nobody is outside for these. */
static gboolean
stays_inside (const IceAddress *address)
{
  const IceAddressClass what = ice_address_classify (address);

  return what == ICE_ADDRESS_LOOPBACK || what == ICE_ADDRESS_LINK_LOCAL;
}

void
ice_gather_map_external (const IceGatherer *self, IceAddress *address)
{
  const IceExternalAddress *found = NULL;
  const guint16 port = address->port;
  const IceExternalAddress *mapping = NULL;
  gsize size = 0;

  if (self->config.external)
    mapping = g_bytes_get_data (self->config.external, &size);
  for (gsize i = 0; i < size / sizeof *mapping; i++, mapping++) {
    if (ice_address_same_ip (&mapping->local, address)) {
      found = mapping;
      break;
    }
    if (mapping->local.family == ICE_FAMILY_NONE &&
        mapping->external.family == address->family && !stays_inside (address))
      found = mapping;
  }
  if (!found)
    return;
  *address = found->external;
  address->port = port;
}
