/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Allocations that move to another local address (RFC 8016): a Refresh with the
 * ticket leaves from a socket there, and everything stays with the old one
 * until the server has answered. */
#include "gatherer-private.h"

#include "../purity.h"

static gboolean
has_ticket (const IceGatherSocket *socket)
{
  for (guint i = 0; i < socket->queries->len; i++) {
    const IceGatherQuery *query = g_ptr_array_index (socket->queries, i);

    if (query->allocation && ice_allocation_can_move (query->allocation))
      return TRUE;
  }
  return FALSE;
}

gboolean
ice_gather_is_mobile (const IceGatherSocket *socket)
{
  for (guint i = 0; i < socket->queries->len; i++) {
    const IceGatherQuery *query = g_ptr_array_index (socket->queries, i);

    if (query->moving_to != 0)
      return TRUE;
  }
  return socket->moving || has_ticket (socket);
}

gboolean
ice_gatherer_move (
    IceGatherer *self, guint id, const IceAddress *address, IceTime now)
{
  IceGatherSocket *socket = ice_gather_find_socket (self, id);
  IceGatherAddress place = { .address = *address };

  if (!socket || socket->moving || !has_ticket (socket))
    return FALSE;
  place.address.port = 0;
  place.rank = socket->rank;
  place.detour = socket->detour;
  socket->moving = TRUE;
  ice_gather_open_socket (self, socket->stream, socket->component, &place, TRUE)
      ->moves_from = id;
  ice_gather_settle (self, now);
  return TRUE;
}

static gboolean
is_used_by_move (const IceGatherer *self, guint id)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; j < socket->queries->len; j++) {
      const IceGatherQuery *query = g_ptr_array_index (socket->queries, j);

      if (query->moving_to == id)
        return TRUE;
    }
  }
  return FALSE;
}

/* Nothing moves any more: what nothing moved to may go, and so may what nothing
 * stayed on. */
static void
close_if_idle (IceGatherer *self, guint id, IceTime now)
{
  IceGatherSocket *socket = ice_gather_find_socket (self, id);

  if (socket && socket->queries->len == 0 && !is_used_by_move (self, id) &&
      !ice_gather_is_in_use (self, socket))
    ice_gather_close_socket (self, socket, now);
}

static void
close_if_gone (IceGatherer *self, guint id, IceTime now)
{
  const IceGatherSocket *socket = ice_gather_find_socket (self, id);

  if (socket && !ice_gather_has_address (self, &socket->address))
    close_if_idle (self, id, now);
}

void
ice_gather_start_moving (
    IceGatherer *self, IceGatherSocket *target, IceTime now)
{
  IceGatherSocket *socket = ice_gather_find_socket (self, target->moves_from);
  guint id = target->id;

  if (socket) {
    socket->moving = FALSE;
    for (guint i = 0; i < socket->queries->len; i++) {
      IceGatherQuery *query = g_ptr_array_index (socket->queries, i);

      if (!query->allocation || query->moving_to != 0 ||
          query->address.family != target->bound.family ||
          !ice_allocation_move (query->allocation, now))
        continue;
      query->moving_to = id;
      ice_gather_query_drain (self, query, now);
    }
  }
  close_if_idle (self, id, now);
}

/* From here on its packets come and go by the other socket. */
static void
adopt (IceGatherer *self, IceGatherQuery *query, IceGatherSocket *target)
{
  IceGatherSocket *socket = query->socket;
  guint index;

  if (g_ptr_array_find (socket->queries, query, &index))
    g_ptr_array_add (
        target->queries, g_ptr_array_steal_index (socket->queries, index));
  query->socket = target;
  query->moving_to = 0;
  for (guint i = 0; i < self->candidates->len; i++) {
    IceCandidate *candidate =
        g_array_index (self->candidates, IceGatherEntry, i).candidate;
    const IceCandidate *own =
        ice_gather_query_candidate (query, candidate->address.family);
    IceGatherEvent *event;

    if (!own || candidate->kind != ICE_CANDIDATE_RELAYED ||
        !ice_address_equal (&own->base, &candidate->base))
      continue;
    candidate->socket = target->id;
    ice_gather_push_event (self, ICE_GATHER_CANDIDATE_MOVED, target->stream->id,
        candidate, NULL, 0);
    event = g_queue_peek_tail (&self->events);
    event->former_socket = socket->id;
  }
  if (query->relayed)
    query->relayed->socket = target->id;
  if (query->additional)
    query->additional->socket = target->id;
}

void
ice_gather_query_moved (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  IceGatherSocket *target = ice_gather_find_socket (self, query->moving_to);
  guint former = query->socket->id;

  if (!target)
    return;
  ice_log (self->context, ICE_LOG_INFO, ICE_LOG_TURN,
      "%s: the allocation moved from socket %u to socket %u",
      query->server->url, former, target->id);
  adopt (self, query, target);
  close_if_gone (self, former, now);
}

/* RFC 8016 3.2.4. The old path is as good as it was; if the query has left it
 * already, because it broke, or its address is gone, nothing remains. FALSE
 * then. */
gboolean
ice_gather_query_not_moved (
    IceGatherer *self, IceGatherQuery *query, guint code, IceTime now)
{
  guint target = query->moving_to;

  ice_log (self->context, ICE_LOG_INFO, ICE_LOG_TURN,
      "%s: the allocation does not move, code %u", query->server->url, code);
  if (code == 405)
    query->server->refuses.mobility = TRUE;
  if (target == 0)
    return FALSE;
  query->moving_to = 0;
  close_if_idle (self, target, now);
  return ice_gather_has_address (self, &query->socket->address);
}

/* The old socket failed while its allocations were on their way. */
void
ice_gather_move_at_once (IceGatherer *self, IceGatherSocket *socket)
{
  for (guint i = socket->queries->len; i-- > 0;) {
    IceGatherQuery *query = g_ptr_array_index (socket->queries, i);
    IceGatherSocket *target = query->moving_to != 0
        ? ice_gather_find_socket (self, query->moving_to)
        : NULL;

    if (target)
      adopt (self, query, target);
  }
}

/* The new one did: they stay. */
void
ice_gather_move_failed (IceGatherer *self, const IceGatherSocket *target)
{
  IceGatherSocket *former = ice_gather_find_socket (self, target->moves_from);

  if (former)
    former->moving = FALSE;
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; j < socket->queries->len; j++) {
      IceGatherQuery *query = g_ptr_array_index (socket->queries, j);

      if (query->moving_to != target->id)
        continue;
      query->moving_to = 0;
      ice_allocation_stop_moving (query->allocation);
    }
  }
}

IceGatherQuery *
ice_gather_find_moving (
    IceGatherer *self, guint id, const IceAddress *server, guint *index)
{
  guint n = 0;

  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; j < socket->queries->len; j++) {
      IceGatherQuery *query = g_ptr_array_index (socket->queries, j);

      if (query->moving_to == id &&
          ice_address_equal (&query->address, server) && n++ == *index) {
        (*index)++;
        return query;
      }
    }
  }
  return NULL;
}
