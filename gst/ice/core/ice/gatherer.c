/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gatherer-private.h"

#include "../purity.h"

static void
event_free (IceGatherEvent *event)
{
  ice_candidate_unref (event->candidate);
  g_free (event);
}

static void
roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  ice_context_random (user, ret_bytes, size);
}

void
ice_gatherer_config_hold (IceGathererConfig *self)
{
  if (self->external)
    g_bytes_ref (self->external);
}

void
ice_gatherer_config_release (IceGathererConfig *self)
{
  g_clear_pointer (&self->external, g_bytes_unref);
}

IceGatherer *
ice_gatherer_new (IceContext *context, const IceGathererConfig *config)
{
  IceGatherer *self = g_new0 (IceGatherer, 1);

  self->context = context;
  self->config = *config;
  ice_gatherer_config_hold (&self->config);
  self->dice = (IceTurnDice){ .roll = roll, .user = context };
  self->servers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_gather_server_free);
  self->streams =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_gather_stream_free);
  self->sockets =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_gather_socket_free);
  self->interfaces = g_array_new (FALSE, FALSE, sizeof (IceInterfaceAddress));
  self->names = g_array_new (FALSE, FALSE, sizeof (IceGatherName));
  self->candidates = g_array_new (FALSE, FALSE, sizeof (IceGatherEntry));
  g_array_set_clear_func (
      self->candidates, (GDestroyNotify) ice_gather_entry_clear);
  self->foundations = g_ptr_array_new_with_free_func (g_free);
  self->connections =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_connection_free);
  g_queue_init (&self->waiting);
  g_queue_init (&self->events);
  return self;
}

void
ice_gatherer_free (IceGatherer *self)
{
  g_queue_clear_full (&self->events, (GDestroyNotify) event_free);
  g_queue_clear (&self->waiting);
  g_ptr_array_unref (self->connections);
  g_array_unref (self->candidates);
  g_ptr_array_unref (self->sockets);
  g_ptr_array_unref (self->streams);
  g_ptr_array_unref (self->servers);
  g_array_unref (self->interfaces);
  g_array_unref (self->names);
  g_ptr_array_unref (self->foundations);
  ice_gatherer_config_release (&self->config);
  g_free (self);
}

void
ice_gatherer_set_config (IceGatherer *self, const IceGathererConfig *config)
{
  ice_gatherer_config_release (&self->config);
  self->config = *config;
  ice_gatherer_config_hold (&self->config);
}

void
ice_gatherer_set_interfaces (
    IceGatherer *self, const IceInterfaceAddress *addresses, guint n_addresses)
{
  g_array_set_size (self->interfaces, 0);
  g_array_append_vals (self->interfaces, addresses, n_addresses);
  ice_gather_forget_names (self);
}

void
ice_gather_push_event (IceGatherer *self, IceGatherEventType type, guint stream,
    IceCandidate *candidate, const IceAddress *peer, guint16 channel)
{
  IceGatherEvent *event = g_new0 (IceGatherEvent, 1);

  event->type = type;
  event->stream = stream;
  event->candidate = candidate ? ice_candidate_ref (candidate) : NULL;
  if (peer)
    event->peer = *peer;
  event->channel = channel;
  g_queue_push_tail (&self->events, event);
}

gboolean
ice_gatherer_next_event (IceGatherer *self, IceGatherEvent *ret_event)
{
  g_autofree IceGatherEvent *event = g_queue_pop_head (&self->events);

  if (!event)
    return FALSE;
  *ret_event = *event;
  return TRUE;
}

IceGatherStream *
ice_gather_find_stream (IceGatherer *self, guint id)
{
  for (guint i = 0; i < self->streams->len; i++) {
    IceGatherStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->id == id)
      return stream;
  }
  return NULL;
}

IceGatherSocket *
ice_gather_find_socket (IceGatherer *self, guint id)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->id == id)
      return socket;
  }
  return NULL;
}

IceCandidate *
ice_gatherer_host_candidate (IceGatherer *self, guint socket)
{
  const IceGatherSocket *found = ice_gather_find_socket (self, socket);

  return found ? found->host : NULL;
}

void
ice_gatherer_socket_opened (
    IceGatherer *self, guint id, const IceAddress *bound, IceTime now)
{
  IceGatherSocket *socket = ice_gather_find_socket (self, id);

  if (!socket)
    ice_gather_tcp_opened (self, id, now);
  if (!socket || socket->bound.family != ICE_FAMILY_NONE)
    return;
  if (socket->kind != ICE_TRANSPORT_UDP) {
    ice_gather_dial_opened (self, socket, bound, now);
    ice_gather_settle (self, now);
    return;
  }
  socket->bound = *bound;
  socket->stream->progress_at = now;
  ice_gather_make_host (self, socket);
  ice_gather_report_host (self, socket);
  if (socket->moves_from != 0)
    ice_gather_start_moving (self, socket, now);
  else if (socket->spare)
    ice_gather_start_spare (self, socket);
  else
    ice_gather_start_queries (self, socket, now);
  ice_gather_start_mapping (self, socket, now);
  ice_gather_settle (self, now);
}

gboolean
ice_gatherer_socket_failed (
    IceGatherer *self, guint id, const gchar *reason, IceTime now)
{
  IceGatherSocket *socket = ice_gather_find_socket (self, id);
  gchar text[ICE_ADDRESS_STRLEN];

  if (!socket) {
    ice_gather_tcp_closed (self, id);
    ice_gather_settle (self, now);
    return FALSE;
  }
  if (socket->kind != ICE_TRANSPORT_UDP) {
    ice_gather_dial_failed (self, socket, reason, now);
    ice_gather_settle (self, now);
    return FALSE;
  }
  ice_log (self->context, ICE_LOG_WARNING, ICE_LOG_GATHER,
      "socket %u on %s failed: %s", id,
      ice_address_ip_to_string (&socket->address, text), reason);
  ice_gather_move_at_once (self, socket);
  ice_gather_move_failed (self, socket);
  ice_gather_lose (self, socket, NULL);
  ice_gather_drop_socket (self, socket, FALSE, now);
  ice_gather_settle (self, now);
  return TRUE;
}

void
ice_gatherer_resolved (IceGatherer *self, guint request,
    const IceAddress *addresses, guint n_addresses, IceTime now)
{
  if (self->closed)
    return;
  for (guint i = 0; n_addresses > 0 && i < self->streams->len; i++) {
    IceGatherStream *stream = g_ptr_array_index (self->streams, i);

    stream->progress_at = now;
  }
  if (ice_gather_nat64_resolved (self, request, addresses, n_addresses, now))
    ice_gather_start_queries_everywhere (self, now);
  else
    ice_gather_server_addresses_came (
        self, request, addresses, n_addresses, now);
  ice_gather_settle (self, now);
}

void
ice_gatherer_resolve_failed (
    IceGatherer *self, guint request, const gchar *reason, IceTime now)
{
  ice_gather_server_no_address (self, request, reason);
  ice_gatherer_resolved (self, request, NULL, 0, now);
}

void
ice_gatherer_close (IceGatherer *self, IceTime now)
{
  ice_gather_close_sockets (self, NULL, now);
  g_array_set_size (self->candidates, 0);
  g_queue_clear_full (&self->events, (GDestroyNotify) event_free);
  g_ptr_array_set_size (self->streams, 0);
  self->closed = TRUE;
}

/* Bytes and time. */

static IceGatherVerdict
query_receive (IceGatherer *self, IceGatherQuery *query, IceBytes data,
    const IceStunMessage *message, IceTime now, IceRelayedDatagram *ret_relayed)
{
  IceTurnVerdict verdict;

  if (message && ice_gather_binding_receive (self, query, message, now))
    return ICE_GATHER_HANDLED;
  if (!query->allocation)
    return ICE_GATHER_NOT_MINE;
  verdict = ice_allocation_receive (query->allocation, data, message, now,
      &ret_relayed->from, &ret_relayed->data);
  if (verdict == ICE_TURN_DATA) {
    ret_relayed->local =
        ice_gather_query_candidate (query, ret_relayed->from.family);
    return ret_relayed->local ? ICE_GATHER_RELAYED : ICE_GATHER_DROPPED;
  }
  if (verdict == ICE_TURN_NOT_MINE)
    return ICE_GATHER_NOT_MINE;
  if (verdict == ICE_TURN_DROPPED)
    return ICE_GATHER_DROPPED;
  ice_gather_query_drain (self, query, now);
  return ICE_GATHER_HANDLED;
}

/* For people to read: nothing is done because of it, and whatever is no letter
 * stays out of their terminals. */
static void
note_software (IceGatherServer *server, const IceStunMessage *message)
{
  IceBytes software;
  gsize size;

  if (!ice_stun_message_find (message, ICE_STUN_SOFTWARE, &software))
    return;
  size = MIN (software.size, sizeof server->software - 1);
  for (gsize i = 0; i < size; i++)
    server->software[i] =
        g_ascii_isprint (software.data[i]) ? (gchar) software.data[i] : '?';
  server->software[size] = '\0';
}

IceGatherVerdict
ice_gatherer_receive (IceGatherer *self, guint id, const IceAddress *from,
    IceBytes data, const IceStunMessage *message, IceTime now,
    IceRelayedDatagram *ret_relayed)
{
  const IceGatherSocket *socket = ice_gather_find_socket (self, id);
  IceGatherVerdict verdict = ICE_GATHER_NOT_MINE;
  IceGatherQuery *moving, *tcp = ice_gather_find_tcp_query (self, id);
  guint index = 0;

  if (tcp)
    verdict = message && ice_gather_binding_receive (self, tcp, message, now)
        ? ICE_GATHER_HANDLED
        : ICE_GATHER_DROPPED;

  for (guint i = 0; socket && i < socket->queries->len; i++) {
    IceGatherQuery *query = g_ptr_array_index (socket->queries, i);
    IceGatherServer *server = query->server; /* outlives it */

    if (!ice_address_equal (&query->address, from))
      continue;
    verdict = query_receive (self, query, data, message, now, ret_relayed);
    if (verdict == ICE_GATHER_HANDLED && message)
      note_software (server, message);
    if (verdict != ICE_GATHER_NOT_MINE)
      break;
  }
  while (verdict == ICE_GATHER_NOT_MINE &&
      (moving = ice_gather_find_moving (self, id, from, &index)))
    verdict = query_receive (self, moving, data, message, now, ret_relayed);
  if (verdict == ICE_GATHER_HANDLED)
    ice_gather_settle (self, now);
  return verdict;
}

void
ice_gatherer_timeout (IceGatherer *self, IceTime now)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    ice_gather_mapping_timeout (self, socket, now);
    for (guint j = 0; j < socket->queries->len; j++)
      ice_gather_query_timeout (
          self, g_ptr_array_index (socket->queries, j), now);
  }
  ice_gather_servers_timeout (self, now);
  ice_gather_settle (self, now);
}

static IceTime
socket_deadline (const IceGatherSocket *socket)
{
  IceTime deadline = ice_gather_mapping_deadline (socket);

  for (guint i = 0; i < socket->queries->len; i++) {
    IceTime next =
        ice_gather_query_deadline (g_ptr_array_index (socket->queries, i));

    deadline = MIN (deadline, next);
  }
  return deadline;
}

gboolean
ice_gatherer_is_waiting (const IceGatherer *self)
{
  return !self->closed && self->waiting.length > 0;
}

IceTime
ice_gatherer_deadline (IceGatherer *self)
{
  IceTime deadline = ice_gather_servers_deadline (self), next;

  if (self->closed)
    return ICE_TIME_NEVER;
  if (ice_gatherer_is_waiting (self))
    deadline = MIN (deadline, self->context->next_slot);
  for (guint i = 0; i < self->sockets->len; i++) {
    next = socket_deadline (g_ptr_array_index (self->sockets, i));
    deadline = MIN (deadline, next);
  }
  for (guint i = 0; i < self->streams->len; i++) {
    next =
        ice_gather_stream_deadline (self, g_ptr_array_index (self->streams, i));
    deadline = MIN (deadline, next);
  }
  return deadline;
}
