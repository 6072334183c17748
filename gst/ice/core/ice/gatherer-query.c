/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One question to one server from one socket: Binding (RFC 8445 5.1.1.2), or
 * Allocate with all that follows from it. */
#include "gatherer-private.h"

#include "../purity.h"

/* RFC 8445 11: Tr is 15 s; NAT bindings of 30 s are the shortest met. */
#define KEEPALIVE_INTERVAL (15 * ICE_SECOND)
#define QUERIES_MAX ICE_GATHER_SLOTS

static guint
count_pending (const IceGatherer *self)
{
  guint n = 0;

  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; j < socket->queries->len; j++)
      n += ice_gather_query_is_pending (g_ptr_array_index (socket->queries, j));
  }
  return n;
}

/* RFC 8445 14.3: MAX (500 ms, Ta * number of gathering transactions). */
static IceTime
compute_rto (const IceGatherer *self)
{
  return MAX (ICE_STUN_RTO_MIN, self->context->ta * count_pending (self));
}

void
ice_gather_query_free (IceGatherQuery *self)
{
  ice_transaction_clear (&self->binding);
  g_clear_pointer (&self->allocation, ice_allocation_free);
  g_clear_pointer (&self->relayed, ice_candidate_unref);
  g_clear_pointer (&self->additional, ice_candidate_unref);
  g_free (self);
}

gboolean
ice_gather_query_is_pending (const IceGatherQuery *self)
{
  return self->state == ICE_GATHER_QUERY_WAITING ||
      self->state == ICE_GATHER_QUERY_DELAYED ||
      self->state == ICE_GATHER_QUERY_ASKED;
}

/* Two configured servers may be one, and only one of them with the right
 * password (RFC 8656 5: there is one allocation for a 5-tuple). */
static IceGatherQuery *
find_query (const IceGatherSocket *socket, const IceGatherServer *server,
    IceGatherKind kind, const IceAddress *address)
{
  for (guint i = 0; i < socket->queries->len; i++) {
    IceGatherQuery *query = g_ptr_array_index (socket->queries, i);

    if (query->kind == kind && ice_address_equal (&query->address, address) &&
        (query->server == server || !query->was_refused))
      return query;
  }
  return NULL;
}

/* RFC 8656 7.1: without the attribute the server gives an IPv4 address. */
static IceFamily
family_to_ask_for (const IceGatherQuery *self)
{
  return self->socket->address.family == ICE_FAMILY_IPV6 && !self->any_family
      ? ICE_FAMILY_IPV6
      : ICE_FAMILY_NONE;
}

/* RFC 8489 6.2.2; over DTLS messages are lost as over UDP (6.2.3). */
static gboolean
is_reliable (const IceGatherSocket *socket)
{
  return socket->kind == ICE_TRANSPORT_TCP || socket->kind == ICE_TRANSPORT_TLS;
}

void
ice_gather_query_wait (IceGatherer *self, IceGatherQuery *query)
{
  ice_transaction_clear (&query->binding);
  g_clear_pointer (&query->allocation, ice_allocation_free);
  query->mapped = ICE_ADDRESS_NONE;
  query->reported = FALSE;
  query->keepalive_at = ICE_TIME_NEVER;
  query->prepared = query->was_refused = FALSE;
  ice_gather_dial_hang_up (self, query->socket);
  query->state = ICE_GATHER_QUERY_WAITING;
  if (query->kind == ICE_GATHER_ALLOCATE) {
    query->allocation = ice_allocation_new (
        NULL, NULL, family_to_ask_for (query), &self->dice, compute_rto (self));
    query->allocation->link.reliable = is_reliable (query->socket);
    ice_gather_server_lend_credentials (query->server, query->allocation);
  }
  g_queue_push_tail (&self->waiting, query);
}

void
ice_gather_query_ask_again (IceGatherer *self, IceGatherQuery *query)
{
  ice_transaction_clear (&query->binding);
  query->keepalive_at = ICE_TIME_NEVER;
  query->state = ICE_GATHER_QUERY_WAITING;
  g_queue_push_tail (&self->waiting, query);
}

static gboolean
is_beside (const IceGatherSocket *a, const IceGatherSocket *b)
{
  return a->stream == b->stream && a->component == b->component &&
      ice_address_equal (&a->address, &b->address) &&
      is_reliable (a) == is_reliable (b);
}

/* RFC 8445 5.1.2.1: local preferences are unique among candidates of one type,
 * and the only one of its type has 65535, whatever other servers there are. */
static guint
count_allocations (const IceGatherer *self, const IceGatherSocket *beside)
{
  guint n = 0;

  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    for (guint j = 0; is_beside (socket, beside) && j < socket->queries->len;
         j++) {
      const IceGatherQuery *query = g_ptr_array_index (socket->queries, j);

      n += query->kind == ICE_GATHER_ALLOCATE;
    }
  }
  return n;
}

IceGatherQuery *
ice_gather_query_new (IceGatherer *self, IceGatherSocket *socket,
    IceGatherServer *server, IceGatherKind kind, const IceAddress *address)
{
  IceGatherQuery *query;

  if (socket->queries->len >= QUERIES_MAX ||
      find_query (socket, server, kind, address))
    return NULL;
  query = g_new0 (IceGatherQuery, 1);
  query->kind = kind;
  query->socket = socket;
  query->server = server;
  query->address = *address;
  query->slot = socket->queries->len;
  query->relay_slot = count_allocations (self, socket);
  g_ptr_array_add (socket->queries, query);
  ice_gather_query_wait (self, query);
  return query;
}

/* It is being remade, and is wanted now. */
static gboolean
is_put_off (const IceGatherQuery *query)
{
  return query->state == ICE_GATHER_QUERY_DELAYED && query->n_remade > 0;
}

/* RFC 8656 7.4 says what not to ask again. */
static gboolean
may_ask_again (IceGatherer *self, const IceGatherQuery *query, IceTime now)
{
  /* One that was to be made again later is needed now. */
  if ((query->state != ICE_GATHER_QUERY_FAILED &&
          (query->state != ICE_GATHER_QUERY_DELAYED || query->n_remade == 0)) ||
      !ice_gather_server_is_useful (query->server, query->socket->stream))
    return FALSE;
  return query->kind == ICE_GATHER_BINDING ||
      (!query->server->refused && now >= query->server->barred_till &&
          !ice_gather_has_successor (self, query));
}

void
ice_gather_repeat_queries (
    IceGatherer *self, IceGatherSocket *socket, IceTime now)
{
  for (guint i = 0; i < socket->queries->len; i++) {
    IceGatherQuery *query = g_ptr_array_index (socket->queries, i);

    if (!may_ask_again (self, query, now) && !is_put_off (query))
      continue;
    query->retried = query->asked_for_token = FALSE;
    query->n_remade = 0;
    query->patience_till = 0;
    ice_gather_query_wait (self, query);
  }
}

/* RFC 4291 2.5.6, RFC 3927 2.6.2: what comes from a link-local address does not
 * leave the link. */
static gboolean
is_reachable (const IceGatherSocket *socket, const IceAddress *server)
{
  return server->family == socket->bound.family &&
      (ice_address_classify (&socket->bound) != ICE_ADDRESS_LINK_LOCAL ||
          ice_address_classify (server) == ICE_ADDRESS_LINK_LOCAL);
}

static gboolean
has_family (const IceGatherServer *server, IceFamily family)
{
  for (guint i = 0; i < server->n_addresses; i++) {
    if (server->addresses[i].family == family)
      return TRUE;
  }
  return FALSE;
}

/* Where @socket finds the server; FALSE when nowhere, or not yet. */
static gboolean
find_way (IceGatherer *self, const IceGatherSocket *socket,
    const IceGatherServer *server, const IceAddress *address, IceTime now,
    IceAddress *ret_address)
{
  *ret_address = *address;
  if (is_reachable (socket, address))
    return TRUE;
  return socket->bound.family == ICE_FAMILY_IPV6 &&
      ice_address_classify (&socket->bound) != ICE_ADDRESS_LINK_LOCAL &&
      !has_family (server, ICE_FAMILY_IPV6) &&
      ice_gatherer_translate (self, address, now, ret_address);
}

static void
start_query (IceGatherer *self, IceGatherSocket *socket,
    IceGatherServer *server, const IceAddress *address)
{
  if (server->transport != ICE_TRANSPORT_UDP)
    ice_gather_dial_server (self, socket, server, address, NULL);
  else
    ice_gather_query_new (self, socket, server,
        server->kind == ICE_SERVER_TURN ? ICE_GATHER_ALLOCATE
                                        : ICE_GATHER_BINDING,
        address);
}

void
ice_gather_start_queries (
    IceGatherer *self, IceGatherSocket *socket, IceTime now)
{
  if (!socket->wanted || socket->spare ||
      socket->bound.family == ICE_FAMILY_NONE)
    return;
  if (socket->tcp_type != ICE_TCP_TYPE_NONE) {
    ice_gather_start_tcp_queries (self, socket);
    return;
  }
  for (guint i = 0; i < self->servers->len; i++) {
    IceGatherServer *server = g_ptr_array_index (self->servers, i);

    if (!ice_gather_server_is_useful (server, socket->stream))
      continue;
    for (guint j = 0; j < server->n_used; j++) {
      IceAddress way;

      if (find_way (self, socket, server, &server->addresses[j], now, &way))
        start_query (self, socket, server, &way);
    }
  }
}

static void
send_binding (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  IceStunBuilder builder;
  IcePacket *packet;
  guint8 id[ICE_STUN_ID_SIZE];

  ice_context_random (self->context, id, sizeof id);
  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  packet = ice_stun_builder_end (&builder);
  ice_outputs_transmit (
      self->context->out, query->socket->id, &query->address, packet);
  /* A keepalive is not repeated: the next one comes soon enough. */
  if (query->state == ICE_GATHER_QUERY_ANSWERED)
    ice_transaction_start_once (
        &query->binding, packet, KEEPALIVE_INTERVAL, now);
  else
    ice_transaction_start (&query->binding, packet, compute_rto (self),
        is_reliable (query->socket), now);
}

void
ice_gather_query_send (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  if (query->kind == ICE_GATHER_BINDING) {
    send_binding (self, query, now);
  } else {
    ice_allocation_request (query->allocation, now);
    ice_gather_query_drain (self, query, now);
  }
}

static void
start (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  if (query->kind == ICE_GATHER_ALLOCATE && query->socket->shared) {
    ice_gather_allocate_apart (self, query);
    return;
  }
  /* RFC 8656 7.4: after a 401 no further requests. */
  if (query->kind == ICE_GATHER_ALLOCATE && query->server->refused) {
    ice_gather_allocate_failed (self, query, 401, now);
    return;
  }
  if (query->kind == ICE_GATHER_ALLOCATE && !query->prepared) {
    if (ice_gather_query_awaits_token (self, query, now)) {
      query->state = ICE_GATHER_QUERY_DELAYED;
      return;
    }
    query->prepared = TRUE;
    ice_gather_query_set_options (self, query, now);
  }
  query->state = ICE_GATHER_QUERY_ASKED;
  query->socket->stream->progress_at = now;
  if (query->kind == ICE_GATHER_TCP_BINDING) {
    ice_gather_tcp_ask (self, query, now);
    return;
  }
  ice_gather_server_asked (query->server, now);
  if (!ice_gather_dial (self, query, now))
    ice_gather_query_send (self, query, now);
}

/* RFC 8445 5.1.1.2, 14.2: a new transaction, or one repeated with credentials,
 * every Ta; the first leaves at once. */
void
ice_gather_pump (IceGatherer *self, IceTime now)
{
  while (!g_queue_is_empty (&self->waiting) &&
      ice_context_take_slot (self->context, now))
    start (self, g_queue_pop_head (&self->waiting), now);
}

void
ice_gather_query_end (
    IceGatherer *self, IceGatherQuery *query, IceGatherQueryState state)
{
  g_queue_remove (&self->waiting, query);
  ice_transaction_clear (&query->binding);
  if (state == ICE_GATHER_QUERY_FAILED) {
    ice_gather_tcp_hang_up (self, query);
    ice_gather_dial_hang_up (self, query->socket);
  }
  query->state = state;
}

static void
give_back (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  ice_log (self->context, ICE_LOG_WARNING, ICE_LOG_TURN,
      "%s relays by an address that is taken already", query->server->url);
  ice_allocation_release (query->allocation, now);
  ice_gather_query_drain (self, query, now);
  query->state = ICE_GATHER_QUERY_FAILED;
}

void
ice_gather_query_report (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  guint generation = query->socket->stream->generation;

  if (query->state != ICE_GATHER_QUERY_ANSWERED ||
      !ice_gather_is_told (query) ||
      (query->reported && query->generation == generation))
    return;
  if (query->generation != generation)
    query->n_mappings = 0;
  query->reported = TRUE;
  query->generation = generation;
  if (query->mapped.family != ICE_FAMILY_NONE)
    ice_gather_report_mapped (self, query);
  if (query->kind == ICE_GATHER_ALLOCATE &&
      !ice_gather_report_relayed (self, query))
    give_back (self, query, now);
}

/* Binding. */

static void
take_mapped (IceGatherer *self, IceGatherQuery *query, const IceAddress *mapped,
    IceTime now)
{
  gboolean is_new = query->state == ICE_GATHER_QUERY_ASKED ||
      query->socket->stream->continual;
  gchar text[ICE_ADDRESS_STRLEN];

  if (query->mapped.family != ICE_FAMILY_NONE &&
      !ice_address_equal (mapped, &query->mapped)) {
    ice_log (self->context, ICE_LOG_INFO, ICE_LOG_GATHER,
        "the NAT gave socket %u a new mapping: %s", query->socket->id,
        ice_address_to_string (mapped, text));
    query->reported = query->reported && !is_new;
  }
  query->mapped = *mapped;
  ice_gather_query_end (self, query, ICE_GATHER_QUERY_ANSWERED);
  query->keepalive_at = now + KEEPALIVE_INTERVAL;
  /* A TURN server that only tells addresses does not serve its purpose. */
  if (query->server->kind == ICE_SERVER_STUN)
    ice_gather_server_succeeded (self, query->server);
  if (query->kind == ICE_GATHER_BINDING &&
      query->socket->kind != ICE_TRANSPORT_UDP) {
    query->keepalive_at = ICE_TIME_NEVER;
    ice_gather_dial_hang_up (self, query->socket);
  }
  if (is_new)
    ice_gather_query_report (self, query, now);
}

static gboolean
get_mapped (const IceStunMessage *answer, IceAddress *ret_mapped)
{
  guint16 unknown;

  /* RFC 8489 6.3.3: unknown but required means failed. MAPPED-ADDRESS is what
   * servers of RFC 3489 send (RFC 8489 11). */
  return ice_stun_message_unknown (answer, &unknown, 1) == 0 &&
      (ice_stun_message_get_xor_address (
           answer, ICE_STUN_XOR_MAPPED_ADDRESS, ret_mapped) ||
          ice_stun_message_get_address (
              answer, ICE_STUN_MAPPED_ADDRESS, ret_mapped)) &&
      ice_address_is_usable (ret_mapped);
}

static void
binding_failed (IceGatherer *self, IceGatherQuery *query, guint code)
{
  /* What a keepalive is told does not change what we know. */
  if (query->state != ICE_GATHER_QUERY_ASKED)
    return;
  ice_gather_query_end (self, query, ICE_GATHER_QUERY_FAILED);
  /* Of a TURN server the failed Allocate has been told. */
  if (query->server->kind == ICE_SERVER_STUN &&
      query->kind == ICE_GATHER_BINDING)
    ice_gather_server_failed (self, query->server, code);
}

gboolean
ice_gather_binding_receive (IceGatherer *self, IceGatherQuery *query,
    const IceStunMessage *message, IceTime now)
{
  IceAddress mapped;
  IceBytes reason;
  guint code;

  if (message->method != ICE_STUN_BINDING ||
      !ice_transaction_matches (&query->binding, message->id))
    return FALSE;
  ice_gather_server_answered (query->server, now - query->binding.sent_at);
  if (message->klass == ICE_STUN_SUCCESS) {
    query->socket->stream->progress_at = now;
    if (get_mapped (message, &mapped))
      take_mapped (self, query, &mapped, now);
    else
      binding_failed (self, query, ICE_GATHER_USELESS);
  } else if (message->klass == ICE_STUN_ERROR) {
    if (!ice_stun_message_get_error (message, &code, &reason))
      code = ICE_GATHER_USELESS;
    binding_failed (self, query, code);
  }
  return TRUE;
}

static void
binding_timeout (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  IceTransactionStep step;

  while ((step = ice_transaction_timeout (&query->binding, now)) ==
      ICE_TRANSACTION_SEND)
    ice_outputs_transmit (self->context->out, query->socket->id,
        &query->address, query->binding.request);
  if (step == ICE_TRANSACTION_TIMED_OUT &&
      query->state == ICE_GATHER_QUERY_ASKED) {
    ice_gather_query_end (self, query, ICE_GATHER_QUERY_FAILED);
    ice_gather_server_given_up (self, query->server);
  }
  /* RFC 8445 5.1.1.4: kept alive as long as its candidate is. */
  if (query->state == ICE_GATHER_QUERY_ANSWERED && now >= query->keepalive_at) {
    query->keepalive_at = now + KEEPALIVE_INTERVAL;
    if (ice_gather_has_mapped (self, query))
      send_binding (self, query, now);
  }
}

/* Both. */

static gboolean
stands_for (const IceGatherQuery *query, const IceCandidate *candidate)
{
  const IceCandidate *own =
      ice_gather_query_candidate (query, candidate->address.family);

  return own && ice_address_equal (&own->address, &candidate->address);
}

void
ice_gather_query_release (IceGatherer *self, IceGatherQuery *query,
    const IceCandidate *released, IceTime now)
{
  if (query->kind != ICE_GATHER_ALLOCATE &&
      query->state == ICE_GATHER_QUERY_ANSWERED &&
      ice_address_equal (&released->address, &query->mapped)) {
    ice_gather_query_end (self, query, ICE_GATHER_QUERY_FAILED);
  } else if (query->kind == ICE_GATHER_ALLOCATE &&
      stands_for (query, released) && !ice_gather_has_relayed (self, query)) {
    ice_allocation_release (query->allocation, now);
    ice_gather_query_drain (self, query, now);
    ice_gather_query_end (self, query, ICE_GATHER_QUERY_FAILED);
  }
}

void
ice_gather_query_timeout (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  if (query->state == ICE_GATHER_QUERY_DELAYED) {
    if (now >= query->retry_at)
      ice_gather_query_wait (self, query);
  } else if (now >= ice_gather_dial_deadline (query)) {
    ice_gather_dial_timeout (self, query, now);
  } else if (query->kind == ICE_GATHER_BINDING) {
    binding_timeout (self, query, now);
  } else if (query->kind == ICE_GATHER_TCP_BINDING) {
    ice_gather_tcp_timeout (self, query, now);
  } else if (query->allocation) {
    ice_allocation_timeout (query->allocation, now);
    ice_gather_query_drain (self, query, now);
  }
}

IceTime
ice_gather_query_deadline (const IceGatherQuery *self)
{
  IceTime deadline;

  if (self->state == ICE_GATHER_QUERY_DELAYED)
    return self->retry_at;
  if (self->kind == ICE_GATHER_TCP_BINDING)
    return self->state == ICE_GATHER_QUERY_ASKED ? self->give_up_at
                                                 : ICE_TIME_NEVER;
  deadline = ice_gather_dial_deadline (self);
  if (self->allocation)
    return MIN (deadline, ice_allocation_deadline (self->allocation));
  deadline = MIN (deadline, ice_transaction_deadline (&self->binding));
  if (self->state == ICE_GATHER_QUERY_ANSWERED)
    deadline = MIN (deadline, self->keepalive_at);
  return deadline;
}
