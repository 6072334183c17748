/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connections of a host (RFC 6544). */
#include "sim-host-private.h"

#include "sim-stream.h"

static void
forget (SimHost *self, guint id)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    if (g_array_index (self->sockets, SimSocket, i).id != id)
      continue;
    g_array_remove_index (self->sockets, i);
    return;
  }
}

static guint
host_accept (gpointer user, guint listener, const IceAddress *from)
{
  SimHost *self = user;
  SimSocket *socket = sim_host_find_socket (self, listener);
  SimSocket connection = *socket;

  connection.kind = SIM_SOCKET_CONNECTION;
  connection.id = ice_core_socket_accepted (
      self->core, listener, from, sim_net_now (self->net));
  if (connection.id)
    g_array_append_val (self->sockets, connection);
  return connection.id;
}

static void
host_accepted (gpointer user)
{
  sim_host_pump (user);
}

static void
host_opened (gpointer user, guint id, const IceAddress *bound)
{
  SimHost *self = user;

  ice_core_socket_opened (self->core, id, bound, sim_net_now (self->net));
  sim_host_pump (self);
}

static void
host_failed (gpointer user, guint id, const gchar *reason)
{
  SimHost *self = user;

  forget (self, id);
  ice_core_socket_failed (self->core, id, reason, sim_net_now (self->net));
  sim_host_pump (self);
}

static void
host_frame (gpointer user, guint id, const IceAddress *from, IceBytes data)
{
  sim_host_receive (user, id, from, data);
}

static void
host_ended (gpointer user, guint id)
{
  SimHost *self = user;

  forget (self, id);
  ice_core_socket_closed (
      self->core, id, "Connection reset by peer", sim_net_now (self->net));
  sim_host_pump (self);
}

static const SimStreamOwner owner = { host_accept, host_accepted, host_opened,
  host_failed, host_frame, host_ended };

void
sim_host_listen (SimHost *self, const SimSocket *socket)
{
  sim_stream_listen (socket->node, socket->port, &owner, self, socket->id);
}

void
sim_host_connect (SimHost *self, const IceOutput *output)
{
  SimSocket socket = { .id = output->connect.socket,
    .transport = output->connect.transport,
    .kind = SIM_SOCKET_CONNECTION,
    .node = sim_host_find_node (self, &output->connect.local),
    .bound = output->connect.local };

  if (socket.bound.port == 0)
    socket.bound.port = sim_node_take_port (socket.node);
  socket.port = socket.bound.port;
  g_array_append_val (self->sockets, socket);
  sim_witness_connect (self->witness);
  sim_stream_connect (socket.node, &socket.bound, &output->connect.remote,
      &owner, self, socket.id);
}
