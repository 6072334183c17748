/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers over TCP, TLS and DTLS (RFC 8489 6.2.2, RFC 8656 3.1, RFC 7350).
 *
 * Each allocation has a connection of its own, for a server tells allocations
 * apart by their 5-tuples; and a connection is a socket, so that candidates,
 * routes and what comes in find it as they find any other. It is opened for
 * one local address, component and server, has no host candidate, and what
 * the server says of its mapping is no way in for checks. When it comes to its
 * end so does the allocation (RFC 8656 3.1), and it is dialled again. */
#include "gatherer-private.h"

#include "../purity.h"

/* From CONNECT to an answer that ends the asking. RFC 8489 6.2.2 would wait
 * 39.5 s for each request, and the end of the candidates with it; a SYN is
 * repeated after 1, 3 and 7 s (RFC 6298 2.1, 5.5). */
#define DIAL_TIMEOUT (10 * ICE_SECOND)
/* A NAT that forgot a connection says nothing, as does a server that forgot a
 * DTLS session, and TCP repeats for minutes what nobody hears: no media, and no
 * answer to a Refresh for so long. */
#define SILENCE_MAX (2 * ICE_SECOND)

static gboolean
is_dialled_from (const IceGatherSocket *self, const IceGatherSocket *base,
    IceTransportKind kind)
{
  return self->kind == kind && self->stream == base->stream &&
      self->component == base->component && self->queries->len > 0 &&
      ice_address_equal (&self->address, &base->address);
}

/* TRUE when there is a place for one more, and that server was not asked. */
static gboolean
may_dial (const IceGatherer *self, const IceGatherSocket *base,
    const IceGatherServer *server, const IceAddress *address)
{
  const IceTransportKind kind = server->transport;
  guint n = 0;

  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);
    const IceGatherQuery *query;

    if (!is_dialled_from (socket, base, kind))
      continue;
    query = g_ptr_array_index (socket->queries, 0);
    /* Behind one proxy several servers have its address (design 5). */
    if (ice_address_equal (&query->address, address) &&
        (query->server == server ||
            (!query->was_refused &&
                (g_strcmp0 (query->server->host, server->host) == 0 ||
                    server->resolution == ICE_GATHER_RESOLVE_LITERAL))))
      return FALSE;
    n++;
  }
  return n < ICE_GATHER_SLOTS;
}

/* (unowned) to one server, from where @base is. */
static IceGatherSocket *
new_connection (IceGatherer *self, const IceGatherSocket *base,
    IceTransportKind kind, const gchar *domain)
{
  IceGatherAddress place = {
    .address = base->address, .rank = base->rank, .detour = base->detour
  };
  IceGatherSocket *socket =
      ice_gather_new_socket (self, base->stream, base->component, &place);

  socket->kind = kind;
  socket->spare = TRUE;
  socket->domain = g_strdup (domain);
  return socket;
}

IceGatherQuery *
ice_gather_dial_server (IceGatherer *self, const IceGatherSocket *base,
    IceGatherServer *server, const IceAddress *address, const gchar *domain)
{
  gboolean turn = server->kind == ICE_SERVER_TURN;
  IceGatherSocket *socket;

  /* That a STUN server works needs to be seen once: the mapping of such a
   * connection is no candidate. Those of TCP candidates are asked for from
   * their own ports (gatherer-tcp.c). */
  if ((!turn && base->component != 1) ||
      !may_dial (self, base, server, address))
    return NULL;
  socket = new_connection (self, base, server->transport, domain);
  return ice_gather_query_new (self, socket, server,
      turn ? ICE_GATHER_ALLOCATE : ICE_GATHER_BINDING, address);
}

void
ice_gather_dial_beside (IceGatherer *self, const IceGatherQuery *query)
{
  const IceGatherSocket *base = query->socket;
  IceGatherSocket *socket =
      new_connection (self, base, base->kind, base->domain);
  IceGatherQuery *next = ice_gather_query_new (
      self, socket, query->server, ICE_GATHER_ALLOCATE, &query->address);

  next->relay_slot = query->relay_slot;
  next->replaces = query->replaces;
}

gboolean
ice_gather_was_dialled_beside (
    const IceGatherer *self, const IceGatherQuery *query)
{
  gboolean later = FALSE;

  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);
    const IceGatherQuery *other;

    if (!is_dialled_from (socket, query->socket, query->socket->kind))
      continue;
    other = g_ptr_array_index (socket->queries, 0);
    if (later && other->server == query->server &&
        ice_address_equal (&other->address, &query->address))
      return TRUE;
    later |= socket == query->socket;
  }
  return FALSE;
}

gboolean
ice_gather_dial (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  IceGatherSocket *socket = query->socket;
  IceOutput *output;

  if (socket->kind == ICE_TRANSPORT_UDP || socket->dialled)
    return FALSE;
  socket->id = ice_context_new_id (self->context);
  socket->dialled = TRUE;
  query->give_up_at = now + DIAL_TIMEOUT;
  output = ice_outputs_add (self->context->out, ICE_OUTPUT_CONNECT);
  output->connect.socket = socket->id;
  output->connect.transport = socket->transport;
  output->connect.local = socket->address;
  output->connect.remote = query->address;
  output->connect.framing = ICE_FRAMING_TURN;
  output->connect.kind = socket->kind;
  output->connect.relay = query->server->kind == ICE_SERVER_TURN;
  output->connect.server =
      g_strdup (socket->domain ? socket->domain : query->server->host);
  return TRUE;
}

void
ice_gather_dial_opened (IceGatherer *self, IceGatherSocket *socket,
    const IceAddress *bound, IceTime now)
{
  if (!socket->dialled)
    return;
  socket->bound = *bound;
  socket->stream->progress_at = now;
  ice_gather_query_send (self, g_ptr_array_index (socket->queries, 0), now);
}

static void
end_connection (IceGatherSocket *socket)
{
  socket->dialled = FALSE;
  socket->bound = ICE_ADDRESS_NONE;
}

void
ice_gather_dial_hang_up (IceGatherer *self, IceGatherSocket *socket)
{
  if (!socket->dialled)
    return;
  end_connection (socket);
  ice_outputs_add (self->context->out, ICE_OUTPUT_CLOSE_SOCKET)
      ->close_socket.socket = socket->id;
}

/* The way that worked, or the server that does, is worth more patience than one
 * that nobody has seen alive. */
static gboolean
try_again (
    IceGatherer *self, IceGatherQuery *query, gboolean served, IceTime now)
{
  if (served || query->n_remade > 0 || query->server->ok)
    return ice_gather_remake (self, query, now);
  return FALSE;
}

void
ice_gather_dial_failed (IceGatherer *self, IceGatherSocket *socket,
    const gchar *reason, IceTime now)
{
  IceGatherQuery *query = g_ptr_array_index (socket->queries, 0);
  gboolean served = query->state == ICE_GATHER_QUERY_ANSWERED;

  if (!socket->dialled)
    return;
  ice_log (self->context, served ? ICE_LOG_WARNING : ICE_LOG_DEBUG,
      ICE_LOG_TURN, "the connection to %s %s: %s", query->server->url,
      socket->bound.family != ICE_FAMILY_NONE ? "is lost" : "failed", reason);
  end_connection (socket);
  socket->stream->progress_at = now;
  ice_gather_query_end (self, query, ICE_GATHER_QUERY_FAILED);
  query->replaces |= served;
  ice_gather_forget_relay (self, query);
  g_clear_pointer (&query->allocation, ice_allocation_free);
  ice_gather_wake_second_component (self, query);
  query->server->untrusted = socket->untrusted;
  socket->untrusted = FALSE;
  if (!served) {
    if (ice_gather_try_next_address (self, query))
      return;
    ice_gather_server_unconnected (self, query->server, reason);
  }
  try_again (self, query, served, now);
}

void
ice_gatherer_socket_untrusted (IceGatherer *self, guint id)
{
  IceGatherSocket *socket = ice_gather_find_socket (self, id);

  if (socket && socket->dialled)
    socket->untrusted = TRUE;
}

IceTime
ice_gather_dial_deadline (const IceGatherQuery *query)
{
  return query->socket->dialled && query->state == ICE_GATHER_QUERY_ASKED
      ? query->give_up_at
      : ICE_TIME_NEVER;
}

static void
give_up (
    IceGatherer *self, IceGatherQuery *query, const gchar *reason, IceTime now)
{
  ice_outputs_add (self->context->out, ICE_OUTPUT_CLOSE_SOCKET)
      ->close_socket.socket = query->socket->id;
  ice_gather_dial_failed (self, query->socket, reason, now);
}

void
ice_gather_dial_timeout (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  give_up (self, query, "no answer in ten seconds", now);
}

gboolean
ice_gather_dial_is_dead (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  gboolean in_vain = ice_allocation_is_refreshing (query->allocation) &&
      now - query->looked_at <= SILENCE_MAX;

  if (query->socket->kind == ICE_TRANSPORT_UDP)
    return FALSE;
  if (!in_vain)
    query->looked_since = now;
  query->looked_at = now;
  if (now < query->looked_since + MAX (SILENCE_MAX, 4 * query->allocation->rtt))
    return FALSE;
  give_up (self, query, "it is silent", now);
  return TRUE;
}
