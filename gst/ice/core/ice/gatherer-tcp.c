/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Server-reflexive TCP candidates (RFC 6544 5.2): a STUN server tells which
 * address a NAT gives to connections from the port that we listen on. The
 * connection stays until ICE is done, and the mapping with it (11.2). */
#include "gatherer-private.h"

#include "../purity.h"

/* RFC 8489 6.2.2 would wait 39.5 s, and the end of the candidates with it; many
 * servers do not listen on TCP, and their firewalls say nothing. */
#define ASK_TIMEOUT (10 * ICE_SECOND)

void
ice_gather_start_tcp_queries (IceGatherer *self, IceGatherSocket *socket)
{
  /* Nobody connects to an active candidate, what it is mapped to included. */
  if (socket->tcp_type == ICE_TCP_TYPE_ACTIVE)
    return;
  for (guint i = 0; i < self->servers->len; i++) {
    IceGatherServer *server = g_ptr_array_index (self->servers, i);

    if (server->kind != ICE_SERVER_STUN ||
        server->transport == ICE_TRANSPORT_DTLS ||
        !ice_gather_server_is_useful (server, socket->stream))
      continue;
    for (guint j = 0; j < server->n_used; j++) {
      if (server->addresses[j].family == socket->bound.family)
        ice_gather_query_new (self, socket, server, ICE_GATHER_TCP_BINDING,
            &server->addresses[j]);
    }
  }
}

void
ice_gather_tcp_ask (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  IceOutput *output = ice_outputs_add (self->context->out, ICE_OUTPUT_CONNECT);

  query->connection = ice_context_new_id (self->context);
  query->give_up_at = now + ASK_TIMEOUT;
  output->connect.socket = query->connection;
  output->connect.transport = query->socket->transport;
  output->connect.local = query->socket->bound;
  output->connect.remote = query->address;
  /* RFC 8489 6.2.2: messages alone, without the framing of RFC 4571. */
  output->connect.framing = ICE_FRAMING_TURN;
  output->connect.kind = query->server->transport == ICE_TRANSPORT_TLS
      ? ICE_TRANSPORT_TLS
      : ICE_TRANSPORT_TCP;
  output->connect.server = g_strdup (query->server->host);
}

IceGatherQuery *
ice_gather_find_tcp_query (const IceGatherer *self, guint id)
{
  for (guint i = 0; id && i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; j < socket->queries->len; j++) {
      IceGatherQuery *query = g_ptr_array_index (socket->queries, j);

      if (query->connection == id)
        return query;
    }
  }
  return NULL;
}

void
ice_gather_tcp_opened (IceGatherer *self, guint id, IceTime now)
{
  IceGatherQuery *query = ice_gather_find_tcp_query (self, id);
  guint8 transaction[ICE_STUN_ID_SIZE];
  IceStunBuilder builder;
  IcePacket *packet;

  if (query == NULL || ice_transaction_is_active (&query->binding) ||
      query->state != ICE_GATHER_QUERY_ASKED)
    return;
  ice_context_random (self->context, transaction, sizeof transaction);
  ice_stun_builder_init (
      &builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, transaction);
  packet = ice_stun_builder_end (&builder);
  ice_outputs_transmit (self->context->out, id, &query->address, packet);
  ice_transaction_start (&query->binding, packet, ICE_STUN_RTO_MIN, TRUE, now);
}

void
ice_gather_tcp_closed (IceGatherer *self, guint id)
{
  IceGatherQuery *query = ice_gather_find_tcp_query (self, id);

  if (query == NULL)
    return;
  query->connection = 0;
  if (query->state == ICE_GATHER_QUERY_ASKED)
    ice_gather_query_end (self, query, ICE_GATHER_QUERY_FAILED);
}

void
ice_gather_tcp_hang_up (IceGatherer *self, IceGatherQuery *query)
{
  if (query->connection)
    ice_outputs_add (self->context->out, ICE_OUTPUT_CLOSE_SOCKET)
        ->close_socket.socket = query->connection;
  query->connection = 0;
}

void
ice_gather_tcp_timeout (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  if (query->state == ICE_GATHER_QUERY_ASKED && now >= query->give_up_at)
    ice_gather_query_end (self, query, ICE_GATHER_QUERY_FAILED);
}
