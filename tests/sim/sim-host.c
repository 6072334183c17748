/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-host-private.h"

#include <string.h>

#define ASKED_ENOUGH 5

static gboolean host_receive (gpointer user, SimNode *node, guint16 port,
    const IceAddress *from, IceBytes data);
static void host_unreachable (gpointer user, SimNode *node, guint16 port,
    const IceAddress *to, IceBytes data);

static SimTransport *
find_transport (SimHost *self, guint id)
{
  for (guint i = 0; i < self->n_streams * self->n_components; i++)
    if (self->transports[i].id == id)
      return &self->transports[i];
  return NULL;
}

static void
add_server (SimHost *self, SimTurn *turn, guint id)
{
  const SimHostOptions *options = &self->options;
  IceAddress ip;
  gchar text[ICE_ADDRESS_STRLEN];
  IceServerConfig server = {
    .id = id,
    .kind = ICE_SERVER_STUN,
    .port = SIM_TURN_PORT,
    .url = "stun:sim",
  };

  sim_node_get_ip (sim_turn_node (turn), &ip);
  server.host = ice_address_ip_to_string (&ip, text);
  ice_core_add_server (self->core, &server);
  if (!options->turn)
    return;
  server.id++;
  server.kind = ICE_SERVER_TURN;
  server.username = SIM_TURN_USER;
  server.password = options->password ? options->password : SIM_TURN_PASSWORD;
  server.url = "turn:sim";
  ice_core_add_server (self->core, &server);
}

static void
add_servers (SimHost *self)
{
  if (self->options.server)
    add_server (self, self->options.server, 1000);
  if (self->options.second_server)
    add_server (self, self->options.second_server, 1010);
}

SimHost *
sim_host_new (SimNet *net, const gchar *name, SimNode *node,
    const SimHostOptions *options)
{
  SimHost *self = g_new0 (SimHost, 1);
  IceWorld world;
  IceCoreConfig config;

  self->net = net;
  self->name = g_strdup (name);
  self->options = *options;
  self->n_streams = MAX (options->n_streams, 1);
  self->n_components = MAX (options->n_components, 1);
  self->nodes = g_ptr_array_new ();
  self->sockets = g_array_new (FALSE, FALSE, sizeof (SimSocket));
  self->accepts = g_array_new (FALSE, FALSE, sizeof (SimAccept));
  self->wake_at = ICE_TIME_NEVER;
  self->waiting = -1;
  if (options->process == NULL)
    self->own_process = sim_process_new (net, options->secrets);
  self->process = options->process ? options->process : self->own_process;
  world = sim_process_world (self->process);
  ice_core_config_init (&config, &world);
  config.controlling = options->controlling;
  config.consent = !options->no_consent;
  /* RFC 8445 8.2: between two lite agents nothing is checked. */
  config.allow_non_ice = options->allow_non_ice || options->lite;
  config.connect_timeout = options->connect_timeout;
  config.gather.relay_only = options->relay_only;
  self->core = ice_core_new (&config, sim_net_now (net));
  ice_core_set_lite (self->core, options->lite);
  ice_core_set_aggressive (self->core, options->aggressive);
  self->witness = sim_witness_new (net, self);
  sim_witness_consent (self->witness, config.consent);
  sim_host_add_node (self, node);
  add_servers (self);
  for (guint i = 0; i < self->n_streams; i++) {
    self->streams[i] = ice_core_add_stream (self->core);
    for (guint j = 0; j < self->n_components; j++)
      self->transports[i * self->n_components + j].id =
          ice_core_add_component (self->core, self->streams[i], j + 1);
  }
  return self;
}

void
sim_host_free (SimHost *self)
{
  for (guint i = 0; i < MAX_TRANSPORTS; i++) {
    g_clear_pointer (&self->transports[i].local, ice_candidate_unref);
    g_clear_pointer (&self->transports[i].remote, ice_candidate_unref);
  }
  sim_host_signal_clear (self);
  sim_witness_free (self->witness);
  ice_core_free (self->core);
  g_clear_pointer (&self->own_process, sim_process_free);
  g_ptr_array_unref (self->nodes);
  g_array_unref (self->sockets);
  g_array_unref (self->accepts);
  g_free (self->error);
  g_free (self->name);
  g_free (self);
}

void
sim_host_add_node (SimHost *self, SimNode *node)
{
  g_ptr_array_add (self->nodes, node);
  sim_node_add_receiver (node, host_receive, host_unreachable, self);
}

IceCore *
sim_host_core (SimHost *self)
{
  return self->core;
}

const gchar *
sim_host_name (const SimHost *self)
{
  return self->name;
}

SimProcess *
sim_host_process (SimHost *self)
{
  return self->process;
}

guint
sim_host_stream (SimHost *self, guint index)
{
  return self->streams[index];
}

SimTransport *
sim_host_transport (SimHost *self, guint index, guint component)
{
  return &self->transports[index * self->n_components + component - 1];
}

IceState
sim_host_state (SimHost *self)
{
  return self->transports[0].state;
}

guint
sim_host_n_roles (const SimHost *self)
{
  return self->n_roles;
}

const gchar *
sim_host_error (const SimHost *self, gboolean *ret_fatal)
{
  if (ret_fatal)
    *ret_fatal = self->fatal;
  return self->error;
}

gboolean
sim_host_is_controlling (SimHost *self)
{
  return ice_core_get_controlling (self->core);
}

/* Outputs. */

static SimSocket *
find_socket (SimHost *self, guint id)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    SimSocket *socket = &g_array_index (self->sockets, SimSocket, i);

    if (socket->id == id)
      return socket;
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
  SimSocket *socket = find_socket (opened->self, opened->socket);

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
    .transport = output->open_socket.transport };
  Opened *opened = g_new (Opened, 1);

  for (guint i = 0; i < self->nodes->len; i++) {
    SimNode *node = g_ptr_array_index (self->nodes, i);

    sim_node_get_ip (node, &socket.bound);
    if (ice_address_same_ip (&socket.bound, &output->open_socket.local))
      socket.node = node;
  }
  sim_node_get_ip (socket.node, &socket.bound);
  socket.port = socket.bound.port = sim_node_take_port (socket.node);
  g_array_append_val (self->sockets, socket);
  *opened = (Opened){ self, socket.id };
  sim_net_at (self->net, sim_net_now (self->net), tell_opened, opened, g_free);
}

static void
close_socket (SimHost *self, guint id)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    if (g_array_index (self->sockets, SimSocket, i).id != id)
      continue;
    g_array_remove_index (self->sockets, i);
    return;
  }
  sim_net_violate (self->net, "%s: closed no socket", self->name);
}

guint
sim_host_socket_transport (SimHost *self, guint id)
{
  const SimSocket *socket = find_socket (self, id);

  return socket ? socket->transport : 0;
}

void
sim_host_send_raw (SimHost *self, guint id, const IceAddress *to, IceBytes data)
{
  SimSocket *socket = find_socket (self, id);

  if (socket)
    sim_node_send (socket->node, socket->port, to, data);
}

static void
transmit (SimHost *self, const IceOutput *output)
{
  IcePacket *packet = output->transmit.packet;
  IceBytes data = ICE_BYTES (packet->data, packet->size);

  if (find_socket (self, output->transmit.socket) == NULL)
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

static void
count_media (SimHost *self, guint id, IceBytes payload)
{
  SimTransport *transport = find_transport (self, id);
  IceTime now = sim_net_now (self->net);
  guint64 number;

  if (payload.size != 9 || payload.data[0] != MEDIA_MAGIC) {
    sim_net_violate (self->net, "%s: media is not what was sent", self->name);
    return;
  }
  memcpy (&number, payload.data + 1, 8);
  transport->n_expected = MAX (transport->n_expected, number + 1);
  transport->n_received++;
  if (transport->received_at)
    transport->longest_gap =
        MAX (transport->longest_gap, now - transport->received_at);
  transport->received_at = now;
}

static void
check_text (SimHost *self, const gchar *text)
{
  if (self->options.secrets)
    sim_secrets_check (self->options.secrets, text, "an error");
}

static void
perform (SimHost *self, const IceOutput *output)
{
  SimTransport *transport;

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
    case ICE_OUTPUT_ACCEPT_FROM:
      update_accepts (self, output);
      break;
    case ICE_OUTPUT_ROUTE:
      set_route (self, output);
      break;
    case ICE_OUTPUT_DELIVER:
      count_media (self, output->deliver.transport,
          ICE_BYTES (
              output->deliver.payload->data, output->deliver.payload->size));
      break;
    case ICE_OUTPUT_LOCAL_CANDIDATE:
      sim_host_signal_candidate (self, output);
      break;
    case ICE_OUTPUT_END_OF_CANDIDATES:
      sim_host_signal_end (self, output);
      break;
    case ICE_OUTPUT_GATHERED:
      sim_host_signal_gathered (self);
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      transport = find_transport (self, output->pair_selected.transport);
      set_selected (self, transport, output);
      break;
    case ICE_OUTPUT_STATE:
      set_state (self, find_transport (self, output->state.transport), output);
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

/* Time. */

static void schedule (SimHost *self);

static void
wake (gpointer user)
{
  SimHost *self = user;
  IceTime now = sim_net_now (self->net);

  if (now != self->wake_at)
    return; /* there was an earlier one */
  self->wake_at = ICE_TIME_NEVER;
  if (now < self->deadline) {
    schedule (self);
    return;
  }
  for (guint i = 0; i < self->n_streams * self->n_components; i++) {
    SimTransport *transport = &self->transports[i];

    ice_core_media_seen (
        self->core, transport->id, transport->received_at, transport->sent_at);
  }
  ice_core_timeout (self->core, now);
  sim_witness_deadline (self->witness, 0, TRUE);
  sim_host_pump (self);
}

/* An event that comes before the deadline looks again: most deadlines move on
 * with each packet. */
static void
schedule (SimHost *self)
{
  IceTime at = MAX (self->deadline, sim_net_now (self->net));

  if (self->deadline == ICE_TIME_NEVER || self->wake_at <= at)
    return;
  self->wake_at = at;
  sim_net_at (self->net, at, wake, self, NULL);
}

/* I14: what `new` says is that there is nobody to check with yet. */
static void
check_new (SimHost *self)
{
  for (guint i = 0; i < self->n_streams * self->n_components; i++)
    if (self->transports[i].state == ICE_STATE_NEW &&
        ice_core_get_remote_ufrag (
            self->core, self->streams[i / self->n_components]))
      sim_net_violate (
          self->net, "I14: %s is new, and knows the peer", self->name);
}

void
sim_host_perform (SimHost *self, IceOutput *outputs, IceTime deadline)
{
  gboolean changed = FALSE;

  for (IceOutput *output = outputs; output; output = output->next) {
    perform (self, output);
    changed |= output->type == ICE_OUTPUT_STATE;
  }
  if (changed)
    check_new (self);
  sim_witness_deadline (self->witness, deadline, FALSE);
  self->deadline = deadline;
  schedule (self);
}

void
sim_host_pump (SimHost *self)
{
  IceTime deadline;
  g_autoptr (IceOutput) outputs = ice_core_take_outputs (self->core, &deadline);

  sim_host_perform (self, outputs, deadline);
}

/* Packets in. */

static const SimAccept *
find_accept (
    SimHost *self, guint socket, const IceAddress *from, guint16 channel)
{
  for (guint i = 0; i < self->accepts->len; i++) {
    const SimAccept *accept = &g_array_index (self->accepts, SimAccept, i);

    if (accept->socket == socket && accept->channel == channel &&
        ice_address_equal (&accept->from, from))
      return accept;
  }
  return NULL;
}

static gboolean
take_media (SimHost *self, guint socket, const IceAddress *from, IceBytes data)
{
  const SimAccept *accept;
  guint16 channel = 0;

  if (ice_stun_looks_like (data))
    return FALSE;
  if (data.size >= 4 && data.data[0] >= 0x40 && data.data[0] <= 0x4f) {
    channel = data.data[0] << 8 | data.data[1];
    data = ICE_BYTES (data.data + 4, data.data[2] << 8 | data.data[3]);
    if (ice_stun_looks_like (data))
      return FALSE;
  }
  accept = find_accept (self, socket, from, channel);
  if (accept == NULL)
    return FALSE;
  count_media (self, accept->transport, data);
  return TRUE;
}

static SimSocket *
find_bound (SimHost *self, const SimNode *node, guint16 port)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    SimSocket *socket = &g_array_index (self->sockets, SimSocket, i);

    if (socket->node == node && socket->port == port)
      return socket;
  }
  return NULL;
}

static gboolean
host_receive (gpointer user, SimNode *node, guint16 port,
    const IceAddress *from, IceBytes data)
{
  SimHost *self = user;
  SimSocket *socket = find_bound (self, node, port);
  IceDatagram in = { .from = *from, .data = data };

  if (socket == NULL)
    return FALSE;
  in.socket = socket->id;
  sim_witness_receive (self->witness, in.socket, from, data);
  if (take_media (self, in.socket, from, data))
    return TRUE;
  if (self->replayer)
    sim_replayer_saw (self->replayer, in.socket, data);
  ice_core_receive (self->core, &in, sim_net_now (self->net));
  sim_host_pump (self);
  if (self->attacker)
    sim_attacker_saw_received (self->attacker, in.socket, from, data);
  return TRUE;
}

static void
host_unreachable (gpointer user, SimNode *node, guint16 port,
    const IceAddress *to, IceBytes data)
{
  SimHost *self = user;
  SimSocket *socket = find_bound (self, node, port);

  if (socket == NULL)
    return;
  sim_net_trace (self->net, "        %s: ICMP", self->name);
  ice_core_unreachable (
      self->core, socket->id, to, data, sim_net_now (self->net));
  sim_host_pump (self);
}

void
sim_host_close (SimHost *self)
{
  ice_core_close (self->core, sim_net_now (self->net));
  self->closed = TRUE;
  sim_host_pump (self);
}

void
sim_host_check_end (SimHost *self)
{
  sim_witness_end (self->witness);
}

void
sim_host_path_is_back (SimHost *self)
{
  sim_witness_path_is_back (self->witness);
  for (guint i = 0; i < MAX_TRANSPORTS; i++)
    self->transports[i].unlucky = FALSE;
}
