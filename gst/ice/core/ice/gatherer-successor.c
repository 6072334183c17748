/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In place of an allocation that is lost, or that its server does not prolong,
 * another one of the same server is made. When candidates have ended the peer
 * is not told (RFC 8838 13); it learns the relayed address by a check (RFC 8445
 * 7.3.1.3), and who renominates moves there without a restart. */
#include "gatherer-private.h"

#include "../purity.h"

gboolean
ice_gather_has_successor (IceGatherer *self, const IceGatherQuery *query)
{
  return query->socket->kind == ICE_TRANSPORT_UDP
      ? ice_gather_find_socket (self, query->spare) != NULL
      : ice_gather_was_dialled_beside (self, query);
}

gboolean
ice_gather_is_told (const IceGatherQuery *query)
{
  const IceGatherStream *stream = query->socket->stream;

  /* Design 9.5: what comes after the end of candidates waits for a restart. */
  return stream->state != ICE_GATHER_STATE_ENDED || stream->continual ||
      (stream->successors && query->replaces);
}

void
ice_gather_succeed (IceGatherer *self, IceGatherQuery *query)
{
  if (ice_gather_has_successor (self, query) || query->server->refused ||
      !ice_gather_server_is_useful (query->server, query->socket->stream))
    return;
  query->replaces = TRUE;
  if (query->socket->kind == ICE_TRANSPORT_UDP)
    ice_gather_open_spare (self, query);
  else
    ice_gather_dial_beside (self, query);
}

void
ice_gatherer_allow_successors (IceGatherer *self, guint id, gboolean allow)
{
  IceGatherStream *stream = ice_gather_find_stream (self, id);

  if (stream)
    stream->successors = allow;
}

gboolean
ice_gatherer_awaits_successor (IceGatherer *self, guint id, guint component)
{
  const IceGatherStream *stream = ice_gather_find_stream (self, id);

  if (!stream || !(stream->successors || stream->continual))
    return FALSE;
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; socket->stream == stream &&
         socket->component == component && j < socket->queries->len;
         j++) {
      const IceGatherQuery *query = g_ptr_array_index (socket->queries, j);

      if (query->replaces && ice_gather_query_is_pending (query))
        return TRUE;
    }
  }
  return FALSE;
}
