/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the core wants done, done in the simulated world. */
#include "sim-host-private.h"
#include "sim-stream.h"

#include <string.h>

/* Requests without an answer that make a lost consent bad luck. */
#define ASKED_ENOUGH 5
#define RESOLVE_TIME (30 * ICE_MSEC)
/* RFC 8863 4: as long as a check lasts (RFC 8489 6.2.1). */
#define PAC (39500 * ICE_MSEC)

static SimTransport *
find_transport (SimHost *self, guint id)
{
  self = sim_host_find_transport_owner (self, id);
  for (guint i = 0; i < self->n_streams * self->n_components; i++)
    if (self->transports[i].id == id)
      return &self->transports[i];
  return NULL;
}

SimSocket *
sim_host_find_socket (SimHost *self, guint id)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    SimSocket *socket = &g_array_index (self->sockets, SimSocket, i);

    if (socket->id == id)
      return socket;
  }
  return NULL;
}

SimNode *
sim_host_find_node (SimHost *self, const IceAddress *address)
{
  for (guint i = 0; i < self->nodes->len; i++) {
    SimNode *node = g_ptr_array_index (self->nodes, i);
    IceAddress ip;

    sim_node_get_ip (node, &ip);
    if (ice_address_same_ip (&ip, address))
      return node;
  }
  return NULL;
}

typedef struct
{
  SimHost *self;
  guint socket;
} Opened;

static void
tell_opened (gpointer user)
{
  Opened *opened = user;
  SimSocket *socket = sim_host_find_socket (opened->self, opened->socket);

  if (socket == NULL)
    return;
  ice_core_socket_opened (opened->self->core, socket->id, &socket->bound,
      sim_net_now (opened->self->net));
  sim_host_pump (opened->self);
}

static void
open_socket (SimHost *self, const IceOutput *output)
{
  SimSocket socket = { .id = output->open_socket.socket,
    .transport = output->open_socket.transport,
    .node = sim_host_find_node (self, &output->open_socket.local) };
  Opened *opened = g_new (Opened, 1);

  sim_node_get_ip (socket.node, &socket.bound);
  socket.port = socket.bound.port = sim_node_take_port (socket.node);
  if (output->open_socket.kind == ICE_SOCKET_TCP_LISTEN) {
    socket.kind = SIM_SOCKET_LISTENER;
    sim_host_listen (self, &socket);
  }
  g_array_append_val (self->sockets, socket);
  *opened = (Opened){ self, socket.id };
  sim_net_at (self->net, sim_net_now (self->net), tell_opened, opened, g_free);
}

typedef struct
{
  SimHost *self;
  guint request;
  IceAddress addresses[2];
  guint n_addresses;
} Resolution;

static void
tell_resolved (gpointer user)
{
  const Resolution *result = user;

  ice_core_resolved (result->self->core, result->request, result->addresses,
      result->n_addresses, sim_net_now (result->self->net));
  sim_host_pump (result->self);
}

static void
resolve (SimHost *self, const IceOutput *output)
{
  static const IceFamily families[] = { ICE_FAMILY_IPV6, ICE_FAMILY_IPV4 };
  const SimHostOptions *options = &self->options;
  Resolution *result = g_new0 (Resolution, 1);
  SimTurn *server = g_str_equal (output->resolve.host, "one.sim")
      ? options->server
      : options->second_server;

  result->self = self;
  result->request = output->resolve.request;
  for (guint i = 0; i < 2; i++) {
    IceAddress *address = &result->addresses[result->n_addresses];

    result->n_addresses += sim_turn_get_address (server, families[i], address);
    address->port = output->resolve.port;
  }
  sim_net_at (self->net, sim_net_now (self->net) + RESOLVE_TIME, tell_resolved,
      result, g_free);
}

static void
close_socket (SimHost *self, guint id)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    if (g_array_index (self->sockets, SimSocket, i).id != id)
      continue;
    sim_stream_close (self->net, self, id);
    g_array_remove_index (self->sockets, i);
    return;
  }
  sim_net_violate (self->net, "%s: closed no socket", self->name);
}

guint
sim_host_socket_transport (SimHost *self, guint id)
{
  const SimSocket *socket = sim_host_find_socket (self, id);

  return socket ? socket->transport : 0;
}

gboolean
sim_host_is_connection (SimHost *self, guint id)
{
  const SimSocket *socket = sim_host_find_socket (self, id);

  return socket && socket->kind == SIM_SOCKET_CONNECTION;
}

void
sim_host_send_raw (SimHost *self, guint id, const IceAddress *to, IceBytes data)
{
  SimSocket *socket = sim_host_find_socket (self, id);

  if (socket && socket->kind == SIM_SOCKET_CONNECTION)
    sim_stream_send (self->net, self, id, data);
  else if (socket)
    sim_node_send (socket->node, socket->port, to, data);
}

static void
transmit (SimHost *self, const IceOutput *output)
{
  IcePacket *packet = output->transmit.packet;
  IceBytes data = ICE_BYTES (packet->data, packet->size);

  if (sim_host_find_socket (self, output->transmit.socket) == NULL)
    sim_net_violate (
        self->net, "%s: packet for a socket that is not open", self->name);
  sim_witness_transmit (
      self->witness, output->transmit.socket, &output->transmit.to, data);
  if (self->attacker)
    sim_attacker_saw_sent (
        self->attacker, output->transmit.socket, &output->transmit.to, data);
  sim_host_send_raw (self, output->transmit.socket, &output->transmit.to, data);
}

static void
update_accepts (SimHost *self, const IceOutput *output)
{
  SimAccept accept = {
    .transport = output->accept_from.transport,
    .socket = output->accept_from.socket,
    .from = output->accept_from.from,
    .channel = output->accept_from.channel,
  };

  if (sim_net_is_traced (self->net)) {
    gchar from[ICE_ADDRESS_STRLEN], peer[ICE_ADDRESS_STRLEN];

    sim_net_trace (self->net,
        "        %s/%u: %s media from %s (%s, 0x%x) at %u", self->name,
        accept.transport, output->accept_from.add ? "takes" : "drops",
        ice_address_to_string (&output->accept_from.peer, peer),
        ice_address_to_string (&accept.from, from), accept.channel,
        accept.socket);
  }
  for (guint i = 0; i < self->accepts->len; i++) {
    SimAccept *other = &g_array_index (self->accepts, SimAccept, i);

    if (other->socket != accept.socket || other->channel != accept.channel ||
        !ice_address_equal (&other->from, &accept.from))
      continue;
    if (output->accept_from.add)
      sim_net_violate (self->net, "%s: accepted twice", self->name);
    g_array_remove_index (self->accepts, i);
    return;
  }
  if (!output->accept_from.add)
    sim_net_violate (self->net, "%s: was not accepted", self->name);
  g_array_append_val (self->accepts, accept);
}

static void
set_state (SimHost *self, SimTransport *transport, const IceOutput *output)
{
  IceState state = output->state.state;
  IceTime now = sim_net_now (self->net);

  sim_net_trace (self->net, "        %s/%u: %s (%s)", self->name, transport->id,
      ice_state_to_string (state), ice_cause_to_string (output->state.cause));
  sim_witness_state (self->witness, transport->state, state);
  if (state == ICE_STATE_CHECKING)
    transport->checking_at = now;
  if (transport->state == ICE_STATE_DISCONNECTED)
    transport->recovered_at = now;
  if ((state == ICE_STATE_CONNECTED || state == ICE_STATE_COMPLETED) &&
      transport->connected_at == 0)
    transport->connected_at = now;
  if (state == ICE_STATE_COMPLETED && transport->completed_at == 0)
    transport->completed_at = now;
  if (state == ICE_STATE_DISCONNECTED)
    transport->disconnected_at = now;
  /* RFC 8863 4: "MUST NOT" before the PAC timer ends. */
  if (state == ICE_STATE_FAILED && transport->state == ICE_STATE_CHECKING &&
      transport->connected_at == 0 && self->options.connect_timeout == 0 &&
      now < transport->checking_at + PAC)
    sim_net_violate (self->net, "I9: %s/%u gave up after %d ms", self->name,
        transport->id, (gint) ((now - transport->checking_at) / ICE_MSEC));
  if (state == ICE_STATE_FAILED) {
    transport->failed_at = now;
    transport->n_failed++;
  }
  transport->state = state;
  transport->cause = output->state.cause;
}

static void
set_selected (SimHost *self, SimTransport *transport, const IceOutput *output)
{
  gchar local[ICE_ADDRESS_STRLEN], remote[ICE_ADDRESS_STRLEN];

  transport->n_selected++;
  g_clear_pointer (&transport->local, ice_candidate_unref);
  g_clear_pointer (&transport->remote, ice_candidate_unref);
  transport->local = ice_candidate_ref (output->pair_selected.local);
  transport->remote = ice_candidate_ref (output->pair_selected.remote);
  transport->nominated = output->pair_selected.nominated;
  sim_net_trace (self->net, "        %s/%u: pair %s %s <-> %s %s%s", self->name,
      transport->id, ice_candidate_kind_to_string (transport->local->kind),
      ice_address_to_string (&transport->local->address, local),
      ice_candidate_kind_to_string (transport->remote->kind),
      ice_address_to_string (&transport->remote->address, remote),
      transport->nominated ? ", nominated" : "");
}

static void
set_route (SimHost *self, const IceOutput *output)
{
  SimTransport *transport = find_transport (self, output->route.transport);

  transport->route.socket = output->route.socket;
  transport->route.to = output->route.to;
  transport->route.peer = output->route.peer;
  transport->route.channel = output->route.channel;
}

/* RFC 8839 7: each answer is a session of its own. Until all are connected,
 * media of a peer that is not known yet may be taken for the first one's. */
static void
check_sender (SimHost *self, guint tag)
{
  SimHost *origin = self->origin ? self->origin : self;
  const SimTransport *transport;

  for (guint i = 0; (transport = sim_host_any_transport (origin, i)); i++)
    if (transport->state != ICE_STATE_COMPLETED)
      return;
  if (self->peer && self->peer->tag && tag != self->peer->tag)
    sim_net_violate (self->net, "I3: %s took media that is not of %s",
        self->name, self->peer->name);
}

void
sim_host_count_media (SimHost *self, guint id, IceBytes payload)
{
  SimTransport *transport = find_transport (self, id);
  IceTime now = sim_net_now (self->net);
  guint64 number;

  if (payload.size != 9 || payload.data[0] != MEDIA_MAGIC) {
    sim_net_violate (self->net, "%s: media is not what was sent", self->name);
    return;
  }
  memcpy (&number, payload.data + 1, 8);
  check_sender (sim_host_find_transport_owner (self, id), number >> TAG_SHIFT);
  number &= (G_GUINT64_CONSTANT (1) << TAG_SHIFT) - 1;
  transport->n_expected = MAX (transport->n_expected, number + 1);
  transport->n_received++;
  if (transport->received_at)
    transport->longest_gap =
        MAX (transport->longest_gap, now - transport->received_at);
  if (transport->received_at)
    transport->gap = MAX (transport->gap, now - transport->received_at);
  transport->received_at = now;
}

static void
check_text (SimHost *self, const gchar *text)
{
  if (self->options.secrets)
    sim_secrets_check (self->options.secrets, text, "an error");
}

void
sim_host_output (SimHost *self, const IceOutput *output)
{
  SimTransport *transport;
  SimHost *owner;

  switch (output->type) {
    case ICE_OUTPUT_TRANSMIT:
      transmit (self, output);
      break;
    case ICE_OUTPUT_OPEN_SOCKET:
      open_socket (self, output);
      break;
    case ICE_OUTPUT_CLOSE_SOCKET:
      close_socket (self, output->close_socket.socket);
      break;
    case ICE_OUTPUT_RESOLVE:
      resolve (self, output);
      break;
    case ICE_OUTPUT_CONNECT:
      sim_host_connect (self, output);
      break;
    case ICE_OUTPUT_ACCEPT_FROM:
      update_accepts (self, output);
      break;
    case ICE_OUTPUT_ROUTE:
      set_route (self, output);
      break;
    case ICE_OUTPUT_DELIVER:
      sim_host_count_media (self, output->deliver.transport,
          ICE_BYTES (
              output->deliver.payload->data, output->deliver.payload->size));
      break;
    case ICE_OUTPUT_LOCAL_CANDIDATE:
      owner = sim_host_find_stream_owner (self, output->candidate.stream);
      sim_host_signal_candidate (owner, output);
      break;
    case ICE_OUTPUT_END_OF_CANDIDATES:
      owner = sim_host_find_stream_owner (self, output->stream.stream);
      sim_host_signal_end (owner, output);
      break;
    case ICE_OUTPUT_GATHERED:
      sim_host_signal_gathered (
          sim_host_find_stream_owner (self, output->stream.stream));
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      transport = find_transport (self, output->pair_selected.transport);
      owner =
          sim_host_find_transport_owner (self, output->pair_selected.transport);
      set_selected (owner, transport, output);
      break;
    case ICE_OUTPUT_STATE:
      owner = sim_host_find_transport_owner (self, output->state.transport);
      set_state (owner, find_transport (self, output->state.transport), output);
      break;
    case ICE_OUTPUT_ROLE:
      self->n_roles++;
      break;
    case ICE_OUTPUT_CONSENT_LOST:
      transport = find_transport (self, output->consent_lost.transport);
      transport->n_consent_lost++;
      /* RFC 7675 5.1: whoever asks often enough and hears nothing has to
       * stop, whatever the reason. */
      transport->unlucky |=
          sim_witness_n_asked (self->witness, transport) >= ASKED_ENOUGH;
      break;
    case ICE_OUTPUT_SERVER_ERROR:
      check_text (self, output->server.text);
      break;
    case ICE_OUTPUT_ERROR:
      check_text (self, output->error.text);
      sim_net_trace (
          self->net, "        %s: %s", self->name, output->error.text);
      g_free (self->error);
      self->error = g_strdup (output->error.text);
      self->fatal = output->error.fatal;
      break;
    default:
      break;
  }
}
