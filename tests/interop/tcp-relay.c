/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An allocation of TCP (RFC 6062) at a real server: a peer is connected to,
 * and a peer connects, each through a data connection of its own.
 *
 *   tcp-relay ADDRESS PORT USER PASSWORD */
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "gst/ice/base/crypto.h"
#include "gst/ice/core/turn/tcp-allocation.h"

#define PATIENCE (10 * G_TIME_SPAN_SECOND)
#define GREETING "from the peer"
#define ANSWER "from the client"

typedef struct
{
  guint id;        /* of the machine; 0: control */
  GSocket *socket; /* (owned) */
  gboolean bound;
  GString *heard; /* (owned) */
} Channel;

typedef struct
{
  const gchar *ip;
  guint16 port;
  IceTcpAllocation *allocation; /* (owned) */
  IceDeframer deframer;         /* of the control connection */
  GPtrArray *channels;          /* (element-type Channel) (owned) */
  gboolean allocated, lost;
  guint n_bound, n_incoming, n_ended;
} Client;

static void
roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  ice_random_bytes (ret_bytes, size);
}

static void
fail (const gchar *what, const GError *error)
{
  g_printerr ("tcp-relay: %s%s%s\n", what, error ? ": " : "",
      error ? error->message : "");
  exit (1);
}

static GSocket *
connect_to (const gchar *ip, guint16 port)
{
  g_autoptr (GSocketAddress) to =
      g_inet_socket_address_new_from_string (ip, port);
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, &error);

  if (!socket || !g_socket_connect (socket, to, NULL, &error))
    fail (ip, error);
  return socket;
}

static void
send_all (GSocket *socket, gconstpointer data, gsize size)
{
  g_autoptr (GError) error = NULL;

  if (g_socket_send (socket, data, size, NULL, &error) != (gssize) size)
    fail ("send", error);
}

static void
channel_free (gpointer data)
{
  Channel *channel = data;

  g_object_unref (channel->socket);
  g_string_free (channel->heard, TRUE);
  g_free (channel);
}

static Channel *
open_channel (Client *self, guint id)
{
  Channel *channel = g_new0 (Channel, 1);

  channel->id = id;
  channel->socket = connect_to (self->ip, self->port);
  channel->heard = g_string_new (NULL);
  g_ptr_array_add (self->channels, channel);
  return channel;
}

static Channel *
find_channel (Client *self, guint id)
{
  for (guint i = 0; i < self->channels->len; i++) {
    Channel *channel = g_ptr_array_index (self->channels, i);

    if (channel->id == id)
      return channel;
  }
  return NULL;
}

static void
take_allocation_event (Client *self, const IceTurnEvent *event)
{
  switch (event->type) {
    case ICE_TURN_CHALLENGED:
      ice_tcp_allocation_request (self->allocation, g_get_monotonic_time ());
      break;
    case ICE_TURN_ALLOCATED:
      self->allocated = TRUE;
      break;
    case ICE_TURN_FAILED:
    case ICE_TURN_LOST:
      self->lost = TRUE;
      break;
    default:
      break;
  }
}

/* What the machine has decided. */
static void
perform (Client *self)
{
  IceTcpTurnEvent event;
  IcePacket *packet;
  guint id;

  while (ice_tcp_allocation_next_event (self->allocation, &event)) {
    if (event.type == ICE_TCP_TURN_ALLOCATION) {
      take_allocation_event (self, &event.allocation);
    } else if (event.type == ICE_TCP_TURN_OPEN) {
      open_channel (self, event.connection);
      ice_tcp_allocation_opened (
          self->allocation, event.connection, g_get_monotonic_time ());
    } else if (event.type == ICE_TCP_TURN_BOUND) {
      find_channel (self, event.connection)->bound = TRUE;
      self->n_bound++;
      self->n_incoming += event.incoming;
    } else {
      self->n_ended++;
    }
  }
  while ((packet = ice_tcp_allocation_take_packet (self->allocation, &id))) {
    send_all (find_channel (self, id)->socket, packet->data, packet->size);
    ice_packet_unref (packet);
  }
}

static void
read_control (Client *self, IceReader *in)
{
  IceBytes frame;

  while (ice_deframer_next (&self->deframer, in, &frame) == ICE_DEFRAME_FRAME) {
    IceStunMessage message;

    if (ice_stun_message_parse (&message, frame))
      ice_tcp_allocation_receive (
          self->allocation, &message, g_get_monotonic_time ());
  }
}

static void
read_channel (Client *self, Channel *channel)
{
  gchar buffer[4096];
  gssize size =
      g_socket_receive (channel->socket, buffer, sizeof buffer, NULL, NULL);
  IceReader in;

  if (size <= 0) {
    ice_tcp_allocation_closed (self->allocation, channel->id);
    g_ptr_array_remove (self->channels, channel);
    return;
  }
  ice_reader_init (&in, ICE_BYTES (buffer, (gsize) size));
  if (channel->id == 0)
    read_control (self, &in);
  else if (ice_tcp_allocation_receive_stream (self->allocation, channel->id,
               &in, g_get_monotonic_time ()) == ICE_TCP_STREAM_PEER)
    g_string_append_len (channel->heard, (const gchar *) in.data, in.left);
}

/* One turn of whatever is ready. */
static void
turn (Client *self)
{
  perform (self);
  for (guint i = self->channels->len; i-- > 0;) {
    Channel *channel = g_ptr_array_index (self->channels, i);

    if (g_socket_condition_timed_wait (
            channel->socket, G_IO_IN, 10 * G_TIME_SPAN_MILLISECOND, NULL, NULL))
      read_channel (self, channel);
  }
  ice_tcp_allocation_timeout (self->allocation, g_get_monotonic_time ());
  perform (self);
}

static void
run_until (Client *self, const gboolean *flag, const guint *count, guint least,
    const gchar *what)
{
  const gint64 end = g_get_monotonic_time () + PATIENCE;

  while (!(flag ? *flag : *count >= least)) {
    if (self->lost || g_get_monotonic_time () > end)
      fail (what, NULL);
    turn (self);
  }
}

/* Words both ways through the newest data connection. */
static void
converse (Client *self, GSocket *peer)
{
  Channel *channel =
      g_ptr_array_index (self->channels, self->channels->len - 1);
  const gint64 end = g_get_monotonic_time () + PATIENCE;
  gchar buffer[64] = "";

  send_all (peer, GREETING, strlen (GREETING));
  while (channel->heard->len < strlen (GREETING)) {
    if (self->lost || g_get_monotonic_time () > end)
      fail ("the peer is not heard", NULL);
    turn (self);
  }
  send_all (channel->socket, ANSWER, strlen (ANSWER));
  g_socket_set_timeout (peer, 10);
  g_socket_receive (peer, buffer, sizeof buffer - 1, NULL, NULL);
  if (!g_str_equal (buffer, ANSWER) ||
      !g_str_equal (channel->heard->str, GREETING))
    fail ("other words came than were sent", NULL);
}

static GSocket *
listen_on (const gchar *ip, guint16 *ret_port)
{
  g_autoptr (GSocketAddress) any =
      g_inet_socket_address_new_from_string (ip, 0);
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, &error);

  if (!socket || !g_socket_bind (socket, any, TRUE, &error) ||
      !g_socket_listen (socket, &error) ||
      !(local = g_socket_get_local_address (socket, &error)))
    fail ("listen", error);
  *ret_port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local));
  return socket;
}

/* RFC 6062 4.3 */
static void
call_peer (Client *self)
{
  g_autoptr (GSocket) listener = NULL;
  g_autoptr (GSocket) peer = NULL;
  IceAddress address;
  guint16 port;

  listener = listen_on (self->ip, &port);
  ice_address_parse (&address, self->ip, port);
  if (ice_tcp_allocation_connect (
          self->allocation, &address, g_get_monotonic_time ()) == 0)
    fail ("Connect is refused by ourselves", NULL);
  run_until (self, NULL, &self->n_bound, 1, "Connect");
  peer = g_socket_accept (listener, NULL, NULL);
  converse (self, peer);
  g_print ("connected to a peer\n");
  /* RFC 6062 5.5: the peer closes, and so does the server. */
  g_socket_close (peer, NULL);
  run_until (self, NULL, &self->n_ended, 1, "the end of a connection");
}

/* The server has said so. */
static gboolean
is_permitted (const Client *self)
{
  const GPtrArray *permissions = self->allocation->allocation->permissions;
  const IcePermission *permission = g_ptr_array_index (permissions, 0);

  if (self->lost || permission->lease.state == ICE_LEASE_LOST)
    fail ("CreatePermission", NULL);
  return permission->lease.state == ICE_LEASE_HELD;
}

/* RFC 6062 4.4 */
static void
be_called (Client *self)
{
  const IceAddress *relayed = &self->allocation->allocation->relayed;
  g_autoptr (GSocket) peer = NULL;
  gchar ip[ICE_ADDRESS_STRLEN];
  IceAddress address;

  ice_address_parse (&address, self->ip, 1);
  ice_tcp_allocation_permit (
      self->allocation, &address, g_get_monotonic_time ());
  while (!is_permitted (self))
    turn (self);
  peer = connect_to (ice_address_ip_to_string (relayed, ip), relayed->port);
  run_until (self, NULL, &self->n_incoming, 1, "ConnectionAttempt");
  converse (self, peer);
  g_print ("a peer connected\n");
  if (self->n_ended != 1)
    fail ("a connection ended by itself", NULL);
}

int
main (int argc, char **argv)
{
  const IceTurnDice dice = { .roll = roll };
  Client self = { 0 };

  if (argc != 5)
    fail ("ADDRESS PORT USER PASSWORD", NULL);
  self.ip = argv[1];
  self.port = (guint16) g_ascii_strtoull (argv[2], NULL, 10);
  self.channels = g_ptr_array_new_with_free_func (channel_free);
  self.allocation =
      ice_tcp_allocation_new (argv[3], argv[4], ICE_FAMILY_NONE, &dice);
  ice_deframer_init (&self.deframer, ICE_FRAMING_TURN);
  open_channel (&self, 0);
  ice_tcp_allocation_request (self.allocation, g_get_monotonic_time ());
  run_until (&self, &self.allocated, NULL, 0, "Allocate");
  g_print ("allocated\n");
  call_peer (&self);
  be_called (&self);
  ice_tcp_allocation_free (self.allocation);
  g_ptr_array_unref (self.channels);
  ice_deframer_clear (&self.deframer);
  return 0;
}
