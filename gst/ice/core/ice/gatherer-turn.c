/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Allocations: what their answers mean for the candidates, and how packets of
 * relayed candidates come and go. */
#include "gatherer-private.h"

#include "../purity.h"

/* RFC 8489 6.3.4: the server may work again a moment later after a 500. */
#define RETRY_DELAY ICE_SECOND
/* RFC 8656 7.4: after 486 and 508 the client SHOULD wait at least a minute,
 * after a 437 from every socket two. */
#define BARRED_DELAY (60 * ICE_SECOND)
#define MISMATCH_DELAY (120 * ICE_SECOND)

/* Why Allocate failed, and what else to try. */

/* RFC 8445 5.1.1.2: a TURN server that gives no relay still tells the mapped
 * address. */
static void
fall_back (IceGatherer *self, IceGatherQuery *query)
{
  if (!query->socket->stream->relay_only && !query->socket->spare)
    ice_gather_query_new (self, query->socket, query->server,
        ICE_GATHER_BINDING, &query->address);
}

/* For one more allocation. */
void
ice_gather_open_spare (IceGatherer *self, IceGatherQuery *query)
{
  IceGatherSocket *socket = query->socket, *spare;
  IceGatherAddress address = {
    .address = socket->address, .rank = socket->rank, .detour = socket->detour
  };

  spare = ice_gather_open_socket (
      self, socket->stream, socket->component, &address, TRUE);
  query->spare = spare->id;
}

/* RFC 8656 7.4: "pick another client transport address". The mapped address of
 * this one is wanted all the same. */
static gboolean
try_another_socket (IceGatherer *self, IceGatherQuery *query)
{
  if (query->socket->spare)
    return FALSE;
  ice_gather_open_spare (self, query);
  fall_back (self, query);
  return TRUE;
}

/* RFC 8656 5: one 5-tuple, one allocation, and the port of this socket is that
 * of other agents as well. */
void
ice_gather_allocate_apart (IceGatherer *self, IceGatherQuery *query)
{
  ice_gather_query_end (self, query, ICE_GATHER_QUERY_FAILED);
  try_another_socket (self, query);
}

/* RFC 7635 6.1: whom to ask for a token, for what is told. */
static void
note_authority (IceGatherQuery *query)
{
  g_free (query->server->authority);
  query->server->authority =
      g_strdup (ice_stun_auth_get_authority (query->allocation->link.auth));
}

static gboolean
has_ipv4_socket (const IceGatherer *self, const IceGatherStream *stream)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream == stream && socket->wanted &&
        socket->address.family == ICE_FAMILY_IPV4)
      return TRUE;
  }
  return FALSE;
}

/* RFC 8656 7.4: 440, and 420 of a server older than RFC 6156: no IPv6 relay. An
 * IPv4 one is better than none when nothing else will get one. */
static gboolean
try_any_family (IceGatherer *self, IceGatherQuery *query)
{
  if (query->any_family || query->socket->bound.family != ICE_FAMILY_IPV6 ||
      has_ipv4_socket (self, query->socket->stream))
    return FALSE;
  query->any_family = TRUE;
  ice_gather_query_wait (self, query);
  return TRUE;
}

static gboolean
try_later (IceGatherQuery *query, IceTime now)
{
  if (query->retried)
    return FALSE;
  query->retried = TRUE;
  query->state = ICE_GATHER_QUERY_DELAYED;
  query->retry_at = now + RETRY_DELAY;
  return TRUE;
}

/* TRUE when something else is tried. */
static gboolean
recover (IceGatherer *self, IceGatherQuery *query, guint code, IceTime now)
{
  switch (ice_turn_error_remedy (ICE_STUN_ALLOCATE, code)) {
    case ICE_TURN_REDIRECT:
      return ice_gather_follow_redirection (self, query);
    case ICE_TURN_STRIP:
      /* It refuses still, with all options taken out. */
      if (code == 508)
        query->server->barred_till = now + BARRED_DELAY;
      return (code == 420 || code == 440) && try_any_family (self, query);
    case ICE_TURN_ANOTHER_SOCKET:
      if (try_another_socket (self, query))
        return TRUE;
      query->server->barred_till = now + MISMATCH_DELAY;
      return FALSE;
    case ICE_TURN_TRY_LATER:
      return try_later (query, now);
    case ICE_TURN_BAR:
      query->server->barred_till = now + BARRED_DELAY;
      return FALSE;
    default:
      return FALSE;
  }
}

void
ice_gather_allocate_failed (
    IceGatherer *self, IceGatherQuery *query, guint code, IceTime now)
{
  gboolean no_ipv6 = (code == 420 || code == 440) &&
      query->socket->bound.family == ICE_FAMILY_IPV6 && !query->any_family;

  ice_log (self->context, ICE_LOG_DEBUG, ICE_LOG_TURN,
      "%s: allocation from socket %u failed, code %u", query->server->url,
      query->socket->id, code);
  ice_gather_query_end (self, query, ICE_GATHER_QUERY_FAILED);
  ice_gather_wake_second_component (self, query);
  if (code == ICE_TURN_NO_ANSWER) {
    if (!ice_gather_remake_failed (self, query, now))
      ice_gather_server_given_up (self, query->server);
    return;
  }
  if (recover (self, query, code, now))
    return;
  query->was_refused = code == 401 ||
      ice_turn_error_remedy (ICE_STUN_ALLOCATE, code) == ICE_TURN_REFUSED;
  note_authority (query);
  /* That a server has no IPv6 is no fault of it. */
  if (!no_ipv6)
    ice_gather_server_failed (self, query->server,
        code == ICE_TURN_NONSENSE ? ICE_GATHER_USELESS : code);
  fall_back (self, query);
  if (query->was_refused)
    ice_gather_start_queries_everywhere (self, now);
}

/* A spare socket opened: ask from there what was refused elsewhere. */
void
ice_gather_start_spare (IceGatherer *self, IceGatherSocket *spare)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; j < socket->queries->len; j++) {
      const IceGatherQuery *query = g_ptr_array_index (socket->queries, j);
      IceGatherQuery *copy;

      if (query->spare != spare->id)
        continue;
      copy = ice_gather_query_new (
          self, spare, query->server, ICE_GATHER_ALLOCATE, &query->address);
      copy->slot = query->slot;
      copy->relay_slot = query->relay_slot;
      copy->n_redirects = query->n_redirects;
      copy->replaces = query->replaces;
      return;
    }
  }
}

/* Events of the allocation. */

void
ice_gather_query_refused (IceGatherer *self, IceGatherQuery *query, guint code)
{
  /* RFC 8656 5: it belongs to credentials that we do not have any more, or to
   * somebody who had our address before. It is used till its end, and another
   * one is made beside it with those we have. */
  if (code == 441 ||
      ice_stun_auth_was_restored (query->allocation->link.auth)) {
    ice_log (self->context, ICE_LOG_INFO, ICE_LOG_TURN,
        "%s does not prolong an allocation of other credentials, code %u",
        query->server->url, code);
    ice_gather_succeed (self, query);
    return;
  }
  note_authority (query);
  ice_gather_server_failed (self, query->server, code);
}

static void
allocated (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  query->mapped = query->allocation->mapped;
  query->state = ICE_GATHER_QUERY_ANSWERED;
  ice_gather_query_note_options (self, query, now);
  ice_gather_wake_second_component (self, query);
  ice_gather_server_succeeded (self, query->server);
  ice_gather_query_report (self, query, now);
}

/* One of two was released, and stayed as long as the other was used: the peer
 * may have gone on to check it, and be heard there. */
static void
lose_relayed (
    IceGatherer *self, const IceGatherQuery *query, IceCandidate *relayed)
{
  if (relayed && !ice_gather_lose (self, query->socket, &relayed->base))
    ice_gather_push_event (
        self, ICE_GATHER_CANDIDATE_LOST, relayed->stream, relayed, NULL, 0);
}

void
ice_gather_forget_relay (IceGatherer *self, IceGatherQuery *query)
{
  lose_relayed (self, query, query->relayed);
  lose_relayed (self, query, query->additional);
  g_clear_pointer (&query->relayed, ice_candidate_unref);
  g_clear_pointer (&query->additional, ice_candidate_unref);
  /* It lived: what follows is another story. */
  if (query->allocation && query->allocation->n_refreshed > 0)
    query->n_remade = 0;
}

/* RFC 8656 5: after a 437 nothing is left of it at the server. Usually the NAT
 * between has forgotten our mapping: a new one may be had, once a restart. */
static void
lost (IceGatherer *self, IceGatherQuery *query, guint code, IceTime now)
{
  ice_log (self->context, ICE_LOG_WARNING, ICE_LOG_TURN,
      "%s: the allocation is lost, code %u", query->server->url, code);
  query->state = ICE_GATHER_QUERY_FAILED;
  query->server->errors++;
  query->replaces = TRUE;
  ice_gather_forget_relay (self, query);
  if (code == 437 && !query->retried && ice_gather_is_told (query) &&
      !ice_gather_has_successor (self, query)) {
    query->retried = TRUE;
    ice_gather_query_wait (self, query);
    return;
  }
  if (!ice_gather_remake (self, query, now))
    ice_gather_dial_hang_up (self, query->socket);
}

static void
push_peer_event (IceGatherer *self, const IceGatherQuery *query,
    IceGatherEventType type, const IceTurnEvent *event)
{
  IceCandidate *local = ice_gather_query_candidate (query, event->peer.family);
  gchar text[ICE_ADDRESS_STRLEN];

  ice_log (self->context, ICE_LOG_DEBUG, ICE_LOG_TURN, "%s: %s %s, code %u",
      query->server->url,
      type == ICE_GATHER_CHANNEL_BOUND      ? "channel to"
          : type == ICE_GATHER_CHANNEL_LOST ? "no more channel to"
                                            : "no permission for",
      ice_address_to_string (&event->peer, text), event->code);
  if (local)
    ice_gather_push_event (self, type, query->socket->stream->id, local,
        &event->peer, event->channel);
}

/* RFC 8656 11.6: "the client signals the application of the error". */
static void
peer_unreachable (
    IceGatherer *self, const IceGatherQuery *query, const IceTurnEvent *event)
{
  IceCandidate *local = ice_gather_query_candidate (query, event->peer.family);
  IceGatherEvent *told;
  gchar text[ICE_ADDRESS_STRLEN];

  ice_log (self->context, ICE_LOG_DEBUG, ICE_LOG_TURN,
      "%s: ICMP type %u, code %u, data %u for packets to %s",
      query->server->url, event->icmp.type, event->icmp.code, event->icmp.data,
      ice_address_to_string (&event->peer, text));
  if (!local)
    return;
  ice_gather_push_event (self, ICE_GATHER_PEER_UNREACHABLE,
      query->socket->stream->id, local, &event->peer, 0);
  told = g_queue_peek_tail (&self->events);
  told->icmp = event->icmp;
}

static gboolean
is_answer (const IceTurnEvent *event)
{
  return event->type == ICE_TURN_CHALLENGED ||
      event->type == ICE_TURN_ALLOCATED ||
      (event->type == ICE_TURN_FAILED && event->code != ICE_TURN_NO_ANSWER);
}

static void
handle_event (IceGatherer *self, IceGatherQuery *query,
    const IceTurnEvent *event, IceTime now)
{
  if (is_answer (event)) {
    /* Design 9.5: a refusal is of no use. */
    if (event->type != ICE_TURN_FAILED)
      query->socket->stream->progress_at = now;
    ice_gather_server_answered (query->server, query->allocation->rtt);
  }
  switch (event->type) {
    case ICE_TURN_CHALLENGED:
      query->state = ICE_GATHER_QUERY_WAITING;
      g_queue_push_head (&self->waiting, query);
      break;
    case ICE_TURN_ALLOCATED:
      allocated (self, query, now);
      break;
    case ICE_TURN_FAILED:
      ice_gather_allocate_failed (self, query, event->code, now);
      break;
    case ICE_TURN_LOST:
      lost (self, query, event->code, now);
      break;
    case ICE_TURN_MOVED:
      ice_gather_query_moved (self, query, now);
      break;
    case ICE_TURN_NOT_MOVED:
      if (!ice_gather_query_not_moved (self, query, event->code, now))
        lost (self, query, event->code, now);
      break;
    case ICE_TURN_REFUSED_US:
      ice_gather_query_refused (self, query, event->code);
      break;
    case ICE_TURN_PEER_UNREACHABLE:
      peer_unreachable (self, query, event);
      break;
    case ICE_TURN_PERMISSION_REFUSED:
      push_peer_event (self, query, ICE_GATHER_PERMISSION_REFUSED, event);
      break;
    case ICE_TURN_CHANNEL_BOUND:
      push_peer_event (self, query, ICE_GATHER_CHANNEL_BOUND, event);
      break;
    case ICE_TURN_CHANNEL_LOST:
      push_peer_event (self, query, ICE_GATHER_CHANNEL_LOST, event);
      break;
  }
}

void
ice_gather_query_drain (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  IceTurnEvent event;
  IcePacket *packet;

  /* An event may start the query anew, with another allocation. */
  while (query->allocation &&
      ice_allocation_next_event (query->allocation, &event))
    handle_event (self, query, &event, now);
  while (query->allocation &&
      (packet = ice_allocation_take_packet (query->allocation))) {
    /* The goodbye of one that was hung up: its server knows. */
    if (query->socket->kind == ICE_TRANSPORT_UDP || query->socket->dialled)
      ice_outputs_transmit (
          self->context->out, query->socket->id, &query->address, packet);
    ice_packet_unref (packet);
  }
  while (query->allocation &&
      (packet = ice_allocation_take_packet_elsewhere (query->allocation))) {
    /* The old socket may have failed meanwhile, and the query have moved. */
    ice_outputs_transmit (self->context->out,
        query->moving_to != 0 ? query->moving_to : query->socket->id,
        &query->address, packet);
    ice_packet_unref (packet);
  }
}

/* Packets. */

IceGatherQuery *
ice_gather_find_relay (const IceGatherSocket *socket, const IceAddress *relayed)
{
  for (guint i = 0; i < socket->queries->len; i++) {
    IceGatherQuery *query = g_ptr_array_index (socket->queries, i);

    if (query->relayed && query->allocation &&
        query->allocation->state == ICE_ALLOCATION_ACTIVE &&
        (ice_address_equal (&query->allocation->relayed, relayed) ||
            ice_address_equal (&query->allocation->additional, relayed)))
      return query;
  }
  return NULL;
}

IceCandidate *
ice_gather_query_candidate (const IceGatherQuery *self, guint8 family)
{
  if (self->relayed && self->relayed->address.family == family)
    return self->relayed;
  if (self->additional && self->additional->address.family == family)
    return self->additional;
  return NULL;
}

/* After a restart candidates are new objects for the same relayed address. */
static IceGatherQuery *
find_relay_of (IceGatherer *self, const IceCandidate *local)
{
  IceGatherSocket *socket = ice_gather_find_socket (self, local->socket);

  return socket ? ice_gather_find_relay (socket, &local->base) : NULL;
}

static void
transmit_direct (IceGatherer *self, const IceCandidate *local,
    const IceAddress *to, IcePacket *packet)
{
  const IceGatherSocket *socket = ice_gather_find_socket (self, local->socket);
  const IceConnection *connection =
      ice_gatherer_find_connection (self, local->socket);

  if (connection && connection->opened) {
    ice_outputs_transmit (self->context->out, connection->id, to, packet);
    return;
  }
  /* With policy=relay not one packet goes anywhere but to a TURN server, and
   * what a lost allocation carried must not leave beside it. */
  if (!socket || !socket->direct || socket->tcp_type != ICE_TCP_TYPE_NONE ||
      !ice_address_equal (&local->base, &socket->bound)) {
    ice_log (self->context, ICE_LOG_DEBUG, ICE_LOG_GATHER,
        "no way out for a packet of candidate %u", local->id);
    return;
  }
  ice_outputs_transmit (self->context->out, socket->id, to, packet);
}

void
ice_gatherer_transmit (IceGatherer *self, const IceCandidate *local,
    const IceAddress *to, IcePacket *packet, IceTime now)
{
  IceGatherQuery *query = find_relay_of (self, local);

  if (!query) {
    transmit_direct (self, local, to, packet);
    return;
  }
  /* A check goes right behind the request that opens the way for it, which
   * saves a round trip. */
  if (!ice_allocation_is_permitted (query->allocation, to, now))
    ice_allocation_permit (query->allocation, to, now);
  if (!ice_allocation_send (
          query->allocation, to, ICE_BYTES (packet->data, packet->size), now))
    ice_log (self->context, ICE_LOG_DEBUG, ICE_LOG_TURN,
        "no permission for a packet of candidate %u", local->id);
  ice_gather_query_drain (self, query, now);
}

void
ice_gatherer_permit (IceGatherer *self, const IceCandidate *local,
    const IceAddress *peer, IceTime now)
{
  IceGatherQuery *query = find_relay_of (self, local);

  if (!query)
    return;
  ice_allocation_permit (query->allocation, peer, now);
  ice_gather_query_drain (self, query, now);
}

void
ice_gatherer_bind_channel (IceGatherer *self, const IceCandidate *local,
    const IceAddress *peer, IceTime now)
{
  IceGatherQuery *query = find_relay_of (self, local);

  if (!query)
    return;
  ice_allocation_bind (query->allocation, peer, now);
  ice_gather_query_drain (self, query, now);
}

void
ice_gatherer_verify (IceGatherer *self, const IceCandidate *local, IceTime now)
{
  IceGatherQuery *query = find_relay_of (self, local);

  if (!query || ice_gather_dial_is_dead (self, query, now))
    return;
  ice_allocation_verify (query->allocation, now);
  ice_gather_query_drain (self, query, now);
}

void
ice_gatherer_forget_peer (
    IceGatherer *self, const IceCandidate *local, const IceAddress *peer)
{
  IceGatherQuery *query = find_relay_of (self, local);

  if (query)
    ice_allocation_forget (query->allocation, peer);
}

guint16
ice_gatherer_channel (
    IceGatherer *self, const IceCandidate *local, const IceAddress *peer)
{
  IceGatherQuery *query = find_relay_of (self, local);

  return query ? ice_allocation_channel (query->allocation, peer) : 0;
}

const IceAddress *
ice_gatherer_relay_server (IceGatherer *self, const IceCandidate *local)
{
  const IceGatherQuery *query = find_relay_of (self, local);

  return query ? &query->address : NULL;
}
