/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In mid-call: local addresses that go, and mappings that a NAT between us and
 * a server may have forgotten. */
#include "gatherer-private.h"

#include "../purity.h"

gboolean
ice_gather_has_address (const IceGatherer *self, const IceAddress *address)
{
  for (guint i = 0; i < self->interfaces->len; i++) {
    const IceInterfaceAddress *interface =
        &g_array_index (self->interfaces, IceInterfaceAddress, i);

    if (ice_address_same_ip (&interface->address, address))
      return TRUE;
  }
  return FALSE;
}

/* Nothing was said of any: the caller binds to what there is. */
gboolean
ice_gatherer_is_local (const IceGatherer *self, const IceCandidate *local)
{
  const IceGatherSocket *socket =
      ice_gather_find_socket ((IceGatherer *) self, local->socket);

  return socket == NULL || self->interfaces->len == 0 ||
      ice_gather_has_address (self, &socket->address);
}

gboolean
ice_gatherer_has_addresses (const IceGatherer *self)
{
  return self->interfaces->len > 0;
}

gboolean
ice_gatherer_has_news (IceGatherer *self, guint id)
{
  const IceGatherStream *stream = ice_gather_find_stream (self, id);

  return stream && ice_gather_has_new_address (self, stream);
}

void
ice_gather_leave_address (
    IceGatherer *self, IceGatherSocket *socket, IceTime now)
{
  if (ice_gather_is_mobile (socket)) {
    ice_gather_lose (self, socket, &socket->bound);
    return;
  }
  ice_gather_lose (self, socket, NULL);
  ice_gather_close_socket (self, socket, now);
}

/* (nullable) where what @socket holds may move to: the best of its family. */
static const IceAddress *
find_refuge (const GArray *addresses, const IceGatherSocket *socket)
{
  for (guint i = 0; i < addresses->len; i++) {
    const IceAddress *address =
        &g_array_index (addresses, IceGatherAddress, i).address;

    if (address->family == socket->address.family)
      return address;
  }
  return NULL;
}

void
ice_gatherer_follow_addresses (IceGatherer *self, IceTime now)
{
  g_autoptr (GArray) left = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (!ice_gather_has_address (self, &socket->address) &&
        ice_gather_is_mobile (socket))
      g_array_append_val (left, socket->id);
  }
  for (guint i = 0; i < left->len; i++) {
    const guint id = g_array_index (left, guint, i);
    const IceGatherSocket *socket = ice_gather_find_socket (self, id);
    g_autoptr (GArray) addresses =
        ice_gather_choose_addresses (self, socket->stream);
    const IceAddress *refuge = find_refuge (addresses, socket);

    if (refuge)
      ice_gatherer_move (self, id, refuge, now);
  }
}

static void
ask_server (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  if (query->state != ICE_GATHER_QUERY_ANSWERED)
    return;
  if (query->kind == ICE_GATHER_BINDING) {
    query->keepalive_at = now;
  } else if (query->allocation) {
    query->retried = FALSE;
    ice_allocation_verify (query->allocation, now);
    ice_gather_query_drain (self, query, now);
  }
}

void
ice_gatherer_doubt (IceGatherer *self, guint id, IceTime now)
{
  const IceGatherStream *stream = ice_gather_find_stream (self, id);

  for (guint i = 0; stream && i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; socket->stream == stream && j < socket->queries->len; j++)
      ask_server (self, g_ptr_array_index (socket->queries, j), now);
  }
  ice_gather_settle (self, now);
}
