/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stream's gathering from command to end: which sockets it has, when it is
 * done, and what a restart tells again. */
#include "gatherer-private.h"

#include "../purity.h"

/* Design 9.5: gathering is done half a second after the last useful answer, as
 * seen by the application, so a little earlier here; a dead server does not
 * hold it up. */
#define DONE_TIMEOUT (450 * ICE_MSEC)

void
ice_gather_stream_free (IceGatherStream *self)
{
  g_array_unref (self->transports);
  g_array_unref (self->ranks);
  g_free (self);
}

void
ice_gather_socket_free (IceGatherSocket *self)
{
  g_clear_pointer (&self->host, ice_candidate_unref);
  g_free (self->domain);
  g_ptr_array_unref (self->queries);
  g_free (self);
}

/* Sockets. */

IceGatherSocket *
ice_gather_new_socket (IceGatherer *self, IceGatherStream *stream,
    guint component, const IceGatherAddress *address)
{
  IceGatherSocket *socket = g_new0 (IceGatherSocket, 1);

  socket->id = ice_context_new_id (self->context);
  socket->stream = stream;
  socket->component = component;
  socket->transport = g_array_index (stream->transports, guint, component - 1);
  socket->address = address->address;
  socket->rank = address->rank;
  socket->detour = address->detour;
  socket->wanted = TRUE;
  socket->queries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_gather_query_free);
  g_ptr_array_add (self->sockets, socket);
  return socket;
}

static void
say_open (IceGatherer *self, const IceGatherSocket *socket, IceSocketKind kind)
{
  IceOutput *output =
      ice_outputs_add (self->context->out, ICE_OUTPUT_OPEN_SOCKET);

  output->open_socket.socket = socket->id;
  output->open_socket.transport = socket->transport;
  output->open_socket.kind = kind;
  output->open_socket.local = socket->address;
  output->open_socket.shared = socket->shared;
}

IceGatherSocket *
ice_gather_open_socket (IceGatherer *self, IceGatherStream *stream,
    guint component, const IceGatherAddress *address, gboolean spare)
{
  IceGatherSocket *socket =
      ice_gather_new_socket (self, stream, component, address);

  socket->spare = spare;
  /* Components have their credentials in common: by a USERNAME only one of them
   * can be found. */
  socket->shared = self->config.shared_port && component == 1 && !spare &&
      !stream->relay_only;
  say_open (self, socket, ICE_SOCKET_UDP);
  return socket;
}

void
ice_gatherer_open_beside (IceGatherer *self, guint id)
{
  IceGatherSocket *socket = ice_gather_find_socket (self, id);
  IceGatherAddress place;

  if (!socket || !socket->shared || socket->has_beside || self->closed)
    return;
  socket->has_beside = TRUE;
  place = (IceGatherAddress){
    .address = socket->address, .rank = socket->rank, .detour = socket->detour
  };
  ice_gather_open_socket (self, socket->stream, socket->component, &place, TRUE)
      ->beside = TRUE;
}

void
ice_gather_open_tcp (IceGatherer *self, IceGatherStream *stream,
    guint component, const IceGatherAddress *address, IceTcpType tcp_type)
{
  IceGatherSocket *socket =
      ice_gather_new_socket (self, stream, component, address);

  socket->tcp_type = tcp_type;
  if (tcp_type != ICE_TCP_TYPE_ACTIVE) {
    say_open (self, socket, ICE_SOCKET_TCP_LISTEN);
    return;
  }
  /* RFC 6544 4.5: "the port number of active candidates ... MUST be 9". */
  socket->bound = socket->address;
  socket->bound.port = 9;
}

/* Its queries are forgotten; allocations get a Refresh with lifetime 0, for
 * whose answer nobody waits. */
void
ice_gather_drop_socket (
    IceGatherer *self, IceGatherSocket *socket, gboolean goodbye, IceTime now)
{
  for (guint i = 0; i < socket->queries->len; i++) {
    IceGatherQuery *query = g_ptr_array_index (socket->queries, i);

    if (query->allocation && goodbye) {
      ice_allocation_release (query->allocation, now);
      ice_gather_query_drain (self, query, now);
    }
    ice_gather_query_end (self, query, ICE_GATHER_QUERY_FAILED);
  }
  g_ptr_array_remove (self->sockets, socket);
}

void
ice_gather_close_socket (
    IceGatherer *self, IceGatherSocket *socket, IceTime now)
{
  guint id = socket->id;
  /* What was dialled was hung up with its query. */
  gboolean open = socket->tcp_type != ICE_TCP_TYPE_ACTIVE &&
      socket->kind == ICE_TRANSPORT_UDP;

  ice_gather_close_connections (self, socket);
  ice_gather_drop_socket (self, socket, TRUE, now);
  if (!open)
    return;
  ice_outputs_add (self->context->out, ICE_OUTPUT_CLOSE_SOCKET)
      ->close_socket.socket = id;
}

/* DONE and END. */

static gboolean
is_opening (const IceGatherer *self, const IceGatherStream *stream)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream == stream && socket->wanted && !socket->spare &&
        socket->bound.family == ICE_FAMILY_NONE)
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_asking (const IceGatherSocket *socket)
{
  if ((socket->bound.family == ICE_FAMILY_NONE &&
          socket->kind == ICE_TRANSPORT_UDP) ||
      ice_gather_is_mapping (socket))
    return TRUE;
  for (guint i = 0; i < socket->queries->len; i++) {
    const IceGatherQuery *query = g_ptr_array_index (socket->queries, i);

    if (ice_gather_query_is_pending (query) ||
        (query->allocation && ice_allocation_is_refreshing (query->allocation)))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_resolving (const IceGatherer *self, const IceGatherStream *stream)
{
  if (ice_gather_nat64_is_asked (self))
    return TRUE;
  for (guint i = 0; i < self->servers->len; i++) {
    const IceGatherServer *server = g_ptr_array_index (self->servers, i);

    if (server->resolution == ICE_GATHER_RESOLVE_ASKED &&
        ice_gather_server_is_useful (server, stream))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_busy (const IceGatherer *self, const IceGatherStream *stream)
{
  gboolean any = FALSE;

  for (guint i = 0; i < self->sockets->len; i++) {
    const IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream != stream || !socket->wanted)
      continue;
    if (is_asking (socket))
      return TRUE;
    any = TRUE;
  }
  return any && is_resolving (self, stream);
}

static void
advance (IceGatherer *self, IceGatherStream *stream, IceTime now)
{
  gboolean busy;

  if (stream->state == ICE_GATHER_STATE_ENDED || is_opening (self, stream))
    return;
  busy = is_busy (self, stream);
  if (stream->state == ICE_GATHER_STATE_GATHERING &&
      (!busy || now >= stream->progress_at + DONE_TIMEOUT)) {
    stream->state = ICE_GATHER_STATE_DONE;
    ice_gather_push_event (self, ICE_GATHER_DONE, stream->id, NULL, NULL, 0);
  }
  if (stream->state == ICE_GATHER_STATE_DONE && !busy) {
    stream->state = ICE_GATHER_STATE_ENDED;
    ice_gather_push_event (self, ICE_GATHER_END, stream->id, NULL, NULL, 0);
  }
}

IceTime
ice_gather_stream_deadline (
    const IceGatherer *self, const IceGatherStream *stream)
{
  if (stream->state != ICE_GATHER_STATE_GATHERING || is_opening (self, stream))
    return ICE_TIME_NEVER;
  return stream->progress_at + DONE_TIMEOUT;
}

void
ice_gather_settle (IceGatherer *self, IceTime now)
{
  ice_gather_pump (self, now);
  for (guint i = 0; i < self->streams->len; i++)
    advance (self, g_ptr_array_index (self->streams, i), now);
}

/* Gathering. */

static IceGatherStream *
ensure_stream (IceGatherer *self, guint id, guint generation)
{
  IceGatherStream *stream = ice_gather_find_stream (self, id);

  if (!stream) {
    stream = g_new0 (IceGatherStream, 1);
    stream->id = id;
    stream->generation = generation;
    stream->transports = g_array_new (FALSE, FALSE, sizeof (guint));
    stream->ranks = g_array_new (FALSE, FALSE, sizeof (IceGatherAddress));
    g_ptr_array_add (self->streams, stream);
  } else if (stream->generation != generation) {
    /* What of the generation before the last is still here was replaced. */
    ice_gather_forget_older (self, stream);
    stream->generation = generation;
    g_array_set_size (stream->ranks, 0);
  }
  return stream;
}

static guint
transport_of (const IceGatherStream *stream, guint component)
{
  if (component > stream->transports->len)
    return 0;
  return g_array_index (stream->transports, guint, component - 1);
}

/* A component that is no longer named takes its sockets along. */
static void
close_unwanted (IceGatherer *self, IceGatherStream *stream, IceTime now)
{
  for (guint i = self->sockets->len; i-- > 0;) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream != stream)
      continue;
    socket->transport = transport_of (stream, socket->component);
    if (socket->transport == 0) {
      ice_gather_lose (self, socket, NULL);
      ice_gather_close_socket (self, socket, now);
    }
  }
}

static gboolean
adopt_socket (IceGatherer *self, IceGatherStream *stream, guint component,
    const IceGatherAddress *address, IceTcpType tcp_type)
{
  gboolean found = FALSE;

  for (guint i = 0; i < self->sockets->len; i++) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream != stream || socket->component != component ||
        socket->tcp_type != tcp_type ||
        !ice_address_equal (&socket->address, &address->address))
      continue;
    socket->wanted = TRUE;
    socket->rank = address->rank;
    socket->detour = address->detour;
    found |= !socket->spare;
  }
  return found;
}

static void
ensure_socket (IceGatherer *self, IceGatherStream *stream, guint component,
    const IceGatherAddress *address, IceTcpType tcp_type)
{
  if (adopt_socket (self, stream, component, address, tcp_type))
    return;
  if (tcp_type == ICE_TCP_TYPE_NONE)
    ice_gather_open_socket (self, stream, component, address, FALSE);
  else
    ice_gather_open_tcp (self, stream, component, address, tcp_type);
}

static gboolean
is_gathered (
    const IceGatherer *self, const IceGatherStream *stream, IceTcpType tcp_type)
{
  IceTcpPolicy policy = self->config.tcp;

  /* A lite agent has one candidate per family, and no checks to open one by. */
  if (stream->relay_only || stream->lite)
    policy = ICE_TCP_NONE;
  switch (tcp_type) {
    case ICE_TCP_TYPE_NONE:
      return TRUE;
    case ICE_TCP_TYPE_ACTIVE:
      return policy == ICE_TCP_ACTIVE || policy == ICE_TCP_ALL;
    case ICE_TCP_TYPE_PASSIVE:
      return policy == ICE_TCP_PASSIVE || policy == ICE_TCP_ALL;
    case ICE_TCP_TYPE_SO:
    default:
      return policy == ICE_TCP_ALL;
  }
}

static void
ensure_sockets_of_type (IceGatherer *self, IceGatherStream *stream,
    const GArray *addresses, IceTcpType tcp_type)
{
  if (!is_gathered (self, stream, tcp_type))
    return;
  for (guint i = 0; i < addresses->len; i++) {
    for (guint j = 1; j <= stream->transports->len; j++) {
      if (transport_of (stream, j) != 0)
        ensure_socket (self, stream, j,
            &g_array_index (addresses, IceGatherAddress, i), tcp_type);
    }
  }
}

static void
ensure_sockets (IceGatherer *self, IceGatherStream *stream)
{
  g_autoptr (GArray) addresses = ice_gather_choose_addresses (self, stream);

  for (guint i = 0; i < self->sockets->len; i++) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream == stream)
      socket->wanted = FALSE;
  }
  for (IceTcpType type = ICE_TCP_TYPE_NONE; type <= ICE_TCP_TYPE_SO; type++)
    ensure_sockets_of_type (self, stream, addresses, type);
}

/* An allocation or a mapping may be gone without our knowing, and a restart is
 * often made because it is: ask, and be done only when the server has answered.
 */
static void
report_query_again (IceGatherer *self, IceGatherQuery *query, IceTime now)
{
  guint before = query->generation;

  ice_gather_query_report (self, query, now);
  if (query->state != ICE_GATHER_QUERY_ANSWERED)
    return;
  /* What a connection tells is no mapping of ours, and it was hung up. */
  if (query->kind == ICE_GATHER_BINDING &&
      query->socket->kind == ICE_TRANSPORT_UDP && query->generation != before)
    ice_gather_query_ask_again (self, query);
  if (!query->allocation)
    return;
  query->retried = FALSE;
  query->n_remade = 0;
  ice_allocation_verify (query->allocation, now);
  ice_gather_query_drain (self, query, now);
}

/* RFC 8445 9: sockets and allocations outlive a restart; the peer is told the
 * same addresses again, as candidates of the new generation. */
static void
report_again (IceGatherer *self, IceGatherStream *stream, IceTime now)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream != stream || !socket->wanted ||
        socket->kind != ICE_TRANSPORT_UDP ||
        socket->bound.family == ICE_FAMILY_NONE)
      continue;
    ice_gather_make_host (self, socket);
    ice_gather_report_host (self, socket);
  }
  for (guint i = 0; i < self->sockets->len; i++) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream != stream || !socket->wanted ||
        (socket->bound.family == ICE_FAMILY_NONE &&
            socket->kind == ICE_TRANSPORT_UDP))
      continue;
    for (guint j = 0; j < socket->queries->len; j++)
      report_query_again (self, g_ptr_array_index (socket->queries, j), now);
    ice_gather_repeat_queries (self, socket, now);
    ice_gather_start_queries (self, socket, now);
    ice_gather_report_mapping (self, socket);
    ice_gather_start_mapping (self, socket, now);
  }
}

static void
close_abandoned (IceGatherer *self, IceGatherStream *stream, IceTime now)
{
  for (guint i = self->sockets->len; i-- > 0;) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream == stream && !socket->wanted &&
        !ice_gather_is_in_use (self, socket))
      ice_gather_close_socket (self, socket, now);
  }
}

void
ice_gatherer_gather (IceGatherer *self, guint id, const guint *transports,
    guint n_transports, guint generation, IceTime now)
{
  IceGatherStream *stream;

  if (self->closed)
    return;
  stream = ensure_stream (self, id, generation);
  g_array_set_size (stream->transports, 0);
  g_array_append_vals (stream->transports, transports, n_transports);
  stream->relay_only = self->config.relay_only;
  stream->lite = self->config.lite;
  stream->state = ICE_GATHER_STATE_GATHERING;
  stream->progress_at = now;

  close_unwanted (self, stream, now);
  ensure_sockets (self, stream);
  close_abandoned (self, stream, now);
  for (guint i = 0; i < self->servers->len; i++) {
    IceGatherServer *server = g_ptr_array_index (self->servers, i);

    if (!ice_gather_server_is_useful (server, stream))
      continue;
    ice_gather_server_begin (server);
    ice_gather_server_resolve (self, server, now);
  }
  report_again (self, stream, now);
  ice_gather_settle (self, now);
}

/* Addresses that came and went in one generation: each has had a rank of its
 * own (RFC 8445 5.1.2.1), and there are no more. */
#define MAX_RANKS 1000

/* An address that is only less wanted than another works as well as before. */
static void
close_lost (IceGatherer *self, IceGatherStream *stream, IceTime now)
{
  for (guint i = self->sockets->len; i-- > 0;) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream == stream &&
        !ice_gather_has_address (self, &socket->address))
      ice_gather_leave_address (self, socket, now);
  }
}

void
ice_gatherer_update (IceGatherer *self, guint id, IceTime now)
{
  IceGatherStream *stream = ice_gather_find_stream (self, id);
  guint n_before;

  if (!stream || self->closed)
    return;
  stream->continual = TRUE;
  close_lost (self, stream, now);
  n_before = self->sockets->len;
  if (stream->ranks->len < MAX_RANKS)
    ensure_sockets (self, stream);
  if (self->sockets->len > n_before) {
    stream->state = ICE_GATHER_STATE_GATHERING;
    stream->progress_at = now;
  }
  ice_gather_settle (self, now);
}

void
ice_gatherer_ask_servers (IceGatherer *self, guint id, IceTime now)
{
  IceGatherStream *stream = ice_gather_find_stream (self, id);

  if (!stream || self->closed)
    return;
  ice_gatherer_reopen (self, id, now);
  for (guint i = 0; i < self->servers->len; i++) {
    IceGatherServer *server = g_ptr_array_index (self->servers, i);

    if (ice_gather_server_is_useful (server, stream))
      ice_gather_server_resolve (self, server, now);
  }
  for (guint i = 0; i < self->sockets->len; i++) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (socket->stream == stream)
      ice_gather_start_queries (self, socket, now);
  }
  ice_gather_settle (self, now);
}

void
ice_gatherer_reopen (IceGatherer *self, guint id, IceTime now)
{
  IceGatherStream *stream = ice_gather_find_stream (self, id);

  if (!stream || stream->state != ICE_GATHER_STATE_ENDED)
    return;
  stream->state = ICE_GATHER_STATE_GATHERING;
  stream->progress_at = now;
}

void
ice_gather_close_sockets (
    IceGatherer *self, const IceGatherStream *stream, IceTime now)
{
  for (guint i = self->sockets->len; i-- > 0;) {
    IceGatherSocket *socket = g_ptr_array_index (self->sockets, i);

    if (!stream || socket->stream == stream)
      ice_gather_close_socket (self, socket, now);
  }
}

void
ice_gatherer_remove_stream (IceGatherer *self, guint id, IceTime now)
{
  IceGatherStream *stream = ice_gather_find_stream (self, id);

  if (!stream)
    return;
  ice_gather_close_sockets (self, stream, now);
  ice_gather_forget_stream (self, id);
  g_ptr_array_remove (self->streams, stream);
}
