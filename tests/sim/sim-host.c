/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-host-private.h"

static gboolean host_receive (gpointer user, SimNode *node, guint16 port,
    const IceAddress *from, IceBytes data);
static void host_unreachable (gpointer user, SimNode *node, guint16 port,
    const IceAddress *to, IceBytes data);

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
  server.host = options->names ? (id == 1000 ? "one.sim" : "two.sim")
                               : ice_address_ip_to_string (&ip, text);
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
  self->forks = g_ptr_array_new ();
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
  config.gather.tcp = options->tcp;
  self->core = ice_core_new (&config, sim_net_now (net));
  ice_core_set_lite (self->core, options->lite);
  ice_core_set_aggressive (self->core, options->aggressive);
  ice_core_set_continual (self->core, options->continual);
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
  if (self->origin == NULL) {
    sim_witness_free (self->witness);
    ice_core_free (self->core);
  }
  g_ptr_array_unref (self->forks);
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
sim_host_is_closed (const SimHost *self)
{
  return self->closed;
}

/* The first has hung up: another branch, all of them began with one role. */
gboolean
sim_host_is_controlling (SimHost *self)
{
  for (guint i = 0; i < self->forks->len && self->closed; i++)
    self = g_ptr_array_index (self->forks, i);
  sim_host_use_branch (self);
  return ice_core_get_controlling (self->core);
}

/* Time. */

static void schedule (SimHost *self);

static void
wake (gpointer user)
{
  SimHost *self = user;
  IceTime now = sim_net_now (self->net);
  SimTransport *transport;

  if (now != self->wake_at)
    return; /* there was an earlier one */
  self->wake_at = ICE_TIME_NEVER;
  if (now < self->deadline) {
    schedule (self);
    return;
  }
  for (guint i = 0; (transport = sim_host_any_transport (self, i)); i++) {
    ice_core_media_seen (
        self->core, transport->id, transport->received_at, transport->sent_at);
    ice_core_media_gap (self->core, transport->id, transport->gap, now);
    transport->gap = 0;
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
    if (self->transports[i].state == ICE_STATE_NEW && !self->closed &&
        self->transports[i].id &&
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
    sim_host_output (self, output);
    changed |= output->type == ICE_OUTPUT_STATE;
  }
  if (changed) {
    check_new (self);
    for (guint i = 0; i < self->forks->len; i++)
      check_new (g_ptr_array_index (self->forks, i));
  }
  sim_witness_deadline (self->witness, deadline, FALSE);
  self->deadline = deadline;
  schedule (self);
}

void
sim_host_pump (SimHost *self)
{
  IceTime deadline;
  g_autoptr (IceOutput) outputs = NULL;

  if (self->origin)
    self = self->origin;
  outputs = ice_core_take_outputs (self->core, &deadline);

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
  sim_host_count_media (self, accept->transport, data);
  return TRUE;
}

static SimSocket *
find_bound (SimHost *self, const SimNode *node, guint16 port)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    SimSocket *socket = &g_array_index (self->sockets, SimSocket, i);

    if (socket->node == node && socket->port == port &&
        socket->kind == SIM_SOCKET_UDP)
      return socket;
  }
  return NULL;
}

void
sim_host_receive (
    SimHost *self, guint socket, const IceAddress *from, IceBytes data)
{
  IceDatagram in = { socket, *from, data };

  sim_witness_receive (self->witness, socket, from, data);
  if (take_media (self, socket, from, data))
    return;
  if (self->replayer)
    sim_replayer_saw (self->replayer, socket, data);
  ice_core_receive (self->core, &in, sim_net_now (self->net));
  sim_host_pump (self);
  if (self->attacker)
    sim_attacker_saw_received (self->attacker, socket, from, data);
}

static gboolean
host_receive (gpointer user, SimNode *node, guint16 port,
    const IceAddress *from, IceBytes data)
{
  SimHost *self = user;
  SimSocket *socket = find_bound (self, node, port);

  if (socket == NULL)
    return FALSE;
  sim_host_receive (self, socket->id, from, data);
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
  if (self->closed)
    return;
  if (self->origin == NULL || self->branch) {
    sim_host_use_branch (self);
    ice_core_close (self->core, sim_net_now (self->net));
  }
  self->closed = TRUE;
  sim_host_pump (self);
}

void
sim_host_check_end (SimHost *self)
{
  if (self->origin == NULL)
    sim_witness_end (self->witness);
}

void
sim_host_path_is_back (SimHost *self)
{
  sim_witness_path_is_back (self->witness);
  for (guint i = 0; i < MAX_TRANSPORTS; i++)
    self->transports[i].unlucky = FALSE;
}
