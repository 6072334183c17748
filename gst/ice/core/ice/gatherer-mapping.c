/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports that the router maps because it was asked to (RFC 6887, RFC 6886, UPnP
 * IGD): server-reflexive candidates that need no STUN server, and that peers
 * reach whom we did not send anything. Who asks is the world's business. */
#include "gatherer-private.h"

#include "../purity.h"

/* The slowest protocol is looked for with multicasts; afterwards the end of the
 * candidates waits no longer. What comes later is still a candidate. */
#define MAP_TIMEOUT (5 * ICE_SECOND)

void
ice_gather_start_mapping (
    IceGatherer *self, IceGatherSocket *socket, IceTime now)
{
  IceOutput *output;

  /* IPv6 is not translated, and firewalls open for checks. */
  if (!self->config.port_mapping || socket->mapping != ICE_GATHER_UNMAPPED ||
      socket->stream->relay_only || socket->stream->lite || socket->spare ||
      socket->tcp_type == ICE_TCP_TYPE_ACTIVE ||
      socket->bound.family != ICE_FAMILY_IPV4 ||
      ice_address_classify (&socket->bound) == ICE_ADDRESS_LOOPBACK)
    return;
  socket->mapping = ICE_GATHER_MAPPING_ASKED;
  socket->mapping_till = now + MAP_TIMEOUT;
  output = ice_outputs_add (self->context->out, ICE_OUTPUT_MAP_PORT);
  output->map_port.socket = socket->id;
  output->map_port.tcp = socket->tcp_type != ICE_TCP_TYPE_NONE;
  output->map_port.local = socket->bound;
}

void
ice_gatherer_port_mapped (
    IceGatherer *self, guint id, const IceAddress *external, IceTime now)
{
  IceGatherSocket *socket = ice_gather_find_socket (self, id);

  if (!socket || socket->mapping == ICE_GATHER_UNMAPPED)
    return;
  if (socket->mapping == ICE_GATHER_MAPPING_ASKED)
    socket->stream->progress_at = now;
  socket->mapping = ICE_GATHER_MAPPING_ANSWERED;
  socket->mapped = external && ice_address_is_usable (external)
      ? *external
      : ICE_ADDRESS_NONE;
  ice_gather_report_mapping (self, socket);
  ice_gather_settle (self, now);
}

gboolean
ice_gather_is_mapping (const IceGatherSocket *socket)
{
  return socket->mapping == ICE_GATHER_MAPPING_ASKED;
}

void
ice_gather_mapping_timeout (
    IceGatherer *self, IceGatherSocket *socket, IceTime now)
{
  if (ice_gather_is_mapping (socket) && now >= socket->mapping_till)
    socket->mapping = ICE_GATHER_MAPPING_ANSWERED;
}

IceTime
ice_gather_mapping_deadline (const IceGatherSocket *socket)
{
  return ice_gather_is_mapping (socket) ? socket->mapping_till : ICE_TIME_NEVER;
}
