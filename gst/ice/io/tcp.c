/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening, reading and ending stream sockets; writing is in tcp-write.c. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>

#include "bind.h"
#include "loop-private.h"
#include "native.h"
#include "tcp-private.h"

/* Room for what one wake-up reads. */
#define RX_ROOM (64 * 1024)
/* So many are accepted in one wake-up: others want their turn, too. */
#define ACCEPTS_MAX 16
/* No descriptor is left (EMFILE): the connection still waits, and the loop must
 * not spin for it. */
#define ACCEPT_PAUSE (1 * ICE_SECOND)
#define BACKLOG 32

/* The end */

IceTcp *
ice_tcp_ref (IceTcp *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
ice_tcp_unref (IceTcp *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  ice_deframer_clear (&self->deframer);
  ice_tcp_queue_clear (&self->queue);
  g_clear_pointer (&self->writing, ice_packet_unref);
  g_clear_pointer (&self->stages, ice_stages_free);
  g_clear_object (&self->gsocket);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* The source goes, and senders find nobody to wake. */
static void
detach (IceTcp *self)
{
  g_autoptr (IceLoop) loop = NULL;

  g_atomic_int_set (&self->revoked, TRUE);
  g_clear_pointer (&self->watch, ice_watch_free);
  g_clear_pointer (&self->pause, ice_timer_free);
  g_clear_pointer (&self->deadline, ice_timer_free);
  g_clear_pointer (&self->repeat, ice_timer_free);
  shutdown (self->fd, SHUT_RDWR);

  g_mutex_lock (&self->lock);
  loop = g_steal_pointer (&self->loop);
  g_mutex_unlock (&self->lock);
  ice_tcp_unref (self); /* the watch's */
}

void
ice_tcp_close (IceTcp *self)
{
  if (g_atomic_int_get (&self->revoked))
    return;
  g_return_if_fail (ice_loop_is_current (self->loop));

  /* What the kernel takes at once: goodbyes. */
  if (self->state == ICE_TCP_OPEN && ice_tcp_write (self, NULL) &&
      self->stages) {
    ice_stages_close (self->stages);
    ice_tcp_write (self, NULL);
  }
  detach (self);
}

void
ice_tcp_end (IceTcp *self, const gchar *reason)
{
  if (g_atomic_int_get (&self->revoked))
    return;
  ice_tcp_ref (self);
  detach (self);
  self->events.closed (self, reason, self->user_data);
  ice_tcp_unref (self);
}

/* Reading */

static void
hand_out (IceTcp *self, IceRxPacket *packets, guint *n_packets)
{
  guint n = *n_packets;

  *n_packets = 0;
  if (n > 0 && !g_atomic_int_get (&self->revoked))
    self->events.packets (self, packets, n, self->user_data);
}

/* Frames that lie in the slab go together; the one that was put together from
 * several reads lies in the deframer, until the next. */
void
ice_tcp_deframe (IceTcp *self, IceRxSlab *slab, IceBytes bytes)
{
  IceRxPacket *packets =
      ice_rx_pool_get_packets (ice_loop_get_rx_pool (self->loop));
  IceTime now = ice_loop_now ();
  IceDeframe result;
  IceReader in;
  IceBytes frame;
  guint n = 0;

  ice_reader_init (&in, bytes);
  while (!g_atomic_int_get (&self->revoked) &&
      (result = ice_deframer_next (&self->deframer, &in, &frame)) !=
          ICE_DEFRAME_MORE) {
    gboolean in_slab =
        frame.data >= bytes.data && frame.data < bytes.data + bytes.size;

    if (result == ICE_DEFRAME_RUBBISH) {
      hand_out (self, packets, &n);
      ice_tcp_end (self, "what came is no frame");
      return;
    }
    packets[n++] = (IceRxPacket){ .slab = in_slab ? slab : NULL,
      .data = frame,
      .from = self->remote,
      .received_at = now };
    if (!in_slab || n == ICE_RX_MAX_PACKETS)
      hand_out (self, packets, &n);
  }
  hand_out (self, packets, &n);
}

static void
receive (IceTcp *self)
{
  IceRxPool *pool = ice_loop_get_rx_pool (self->loop);
  g_autoptr (GError) error = NULL;
  IceRxSlab *slab;
  guint8 *data;
  gsize room;
  gssize size;

  slab = ice_rx_pool_prepare (pool, RX_ROOM, &data, &room);
  size = g_socket_receive_with_blocking (
      self->gsocket, (gchar *) data, RX_ROOM, FALSE, NULL, &error);
  if (size > 0 && self->stages)
    ice_tcp_receive_stream (self, ICE_BYTES (data, size));
  else if (size > 0)
    ice_tcp_deframe (self, slab, ICE_BYTES (data, size));
  ice_rx_pool_commit (pool, size > 0 ? (gsize) size : 0);
  if (size == 0)
    ice_tcp_end_stages (self, "the peer closed it");
  else if (size < 0 &&
      !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    ice_tcp_end_stages (self, error->message);
}

/* Accepting */

static void
resume_accepting (gpointer user_data)
{
  IceTcp *self = user_data;

  ice_watch_set_condition (self->watch, G_IO_IN);
}

static gboolean
read_remote (GSocket *gsocket, IceAddress *ret_remote)
{
  g_autoptr (GSocketAddress) address =
      g_socket_get_remote_address (gsocket, NULL);
  IceNativeAddress native;
  gssize size = address ? g_socket_address_get_native_size (address) : -1;

  return size > 0 && (gsize) size <= sizeof native &&
      g_socket_address_to_native (address, &native, sizeof native, NULL) &&
      ice_address_from_native (ret_remote, &native, (socklen_t) size);
}

static void
accept_some (IceTcp *self)
{
  for (guint i = 0; i < ACCEPTS_MAX && self->watch; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GSocket) connection =
        g_socket_accept (self->gsocket, NULL, &error);
    IceAddress remote;

    if (connection && read_remote (connection, &remote))
      self->events.accepted (self, connection, &remote, self->user_data);
    if (connection)
      continue;
    /* Whatever else: that connection is gone already. */
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES)) {
      ice_watch_set_condition (self->watch, 0);
      ice_timer_set (self->pause, ice_loop_now () + ACCEPT_PAUSE);
    }
    return;
  }
}

/* Events */

static void
finish_connect (IceTcp *self)
{
  g_autoptr (GError) error = NULL;

  if (!g_socket_check_connect_result (self->gsocket, &error) ||
      !ice_bind_get_local (self->gsocket, &self->local, &self->local, &error)) {
    ice_tcp_end (self, error->message);
    return;
  }
  ice_watch_set_condition (self->watch, G_IO_IN);
  if (self->stages) {
    ice_tcp_begin_handshake (self);
    return;
  }
  self->state = ICE_TCP_OPEN;
  self->events.opened (self, self->user_data);
}

static void
ready_connection (IceTcp *self, GIOCondition condition)
{
  /* With G_IO_IN the reason is at the end of what is there to read; of
   * datagrams an error is no end. */
  if (self->datagrams && (condition & (G_IO_IN | G_IO_ERR)))
    ice_tcp_receive_datagrams (self);
  else if (condition & G_IO_IN)
    receive (self);
  else if (condition & (G_IO_ERR | G_IO_HUP))
    ice_tcp_end_stages (self, "the connection was lost");
  if ((condition & G_IO_OUT) && !g_atomic_int_get (&self->revoked))
    ice_tcp_flush (self);
}

static void
ready (gint fd, GIOCondition condition, gpointer user_data)
{
  g_autoptr (IceTcp) self = ice_tcp_ref (user_data);

  switch (self->state) {
    case ICE_TCP_LISTENING:
      accept_some (self);
      break;
    case ICE_TCP_CONNECTING:
      finish_connect (self);
      break;
    case ICE_TCP_HANDSHAKING:
    case ICE_TCP_OPEN:
      ready_connection (self, condition);
      break;
  }
}

/* Opening */

void
ice_tcp_set_dscp (IceTcp *self, gint dscp)
{
  if (dscp < 0 || dscp > 63 || g_atomic_int_get (&self->revoked))
    return;
  if (self->local.family == ICE_FAMILY_IPV6)
    g_socket_set_option (
        self->gsocket, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2, NULL);
  else
    g_socket_set_option (self->gsocket, IPPROTO_IP, IP_TOS, dscp << 2, NULL);
}

void
ice_tcp_set_remote (IceTcp *self, const IceAddress *remote)
{
  self->remote = *remote;
}

gboolean
ice_tcp_is_connected (IceTcp *self)
{
  return self->state != ICE_TCP_CONNECTING;
}

void
ice_tcp_get_local (IceTcp *self, IceAddress *ret_address)
{
  *ret_address = self->local;
}

static IceTcp *
new_tcp (IceTcpState state, const IceAddress *local, IceFraming framing,
    const IceTcpEvents *events, gpointer user_data)
{
  IceTcp *self = g_new0 (IceTcp, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  g_queue_init (&self->queue.frames);
  ice_deframer_init (&self->deframer, framing);
  self->state = state;
  self->framing = framing;
  self->local = *local;
  self->events = *events;
  self->user_data = user_data;
  return self;
}

/* Simultaneous open (RFC 6544 7.1): connections leave from the port that
 * listens. Linux wants both to say so; the listener says it once the port is
 * its own, or two agents would share one and get each other's connections. */
static void
share_port (IceTcp *self)
{
#ifdef SO_REUSEPORT
  g_socket_set_option (self->gsocket, SOL_SOCKET, SO_REUSEPORT, 1, NULL);
#endif
}

static gboolean
create (IceTcp *self, GError **error)
{
  gboolean ipv6 = self->local.family == ICE_FAMILY_IPV6;

  self->gsocket = g_socket_new (
      ipv6 ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4,
      self->datagrams ? G_SOCKET_TYPE_DATAGRAM : G_SOCKET_TYPE_STREAM,
      self->datagrams ? G_SOCKET_PROTOCOL_UDP : G_SOCKET_PROTOCOL_TCP, error);
  if (self->gsocket == NULL)
    return FALSE;
  return !ipv6 ||
      g_socket_set_option (self->gsocket, IPPROTO_IPV6, IPV6_V6ONLY, 1, error);
}

/* What all three have in common at the end: from here on events come. */
static gboolean
attach (IceTcp *self, IceLoop *loop, const IceSocketOptions *options,
    GError **error)
{
  self->fd = g_socket_get_fd (self->gsocket);
  g_socket_set_blocking (self->gsocket, FALSE);
  ice_tcp_set_dscp (self, options->dscp);
  /* Frames are small and urgent: RFC 896 would hold them back. */
  if (self->state != ICE_TCP_LISTENING && !self->datagrams)
    g_socket_set_option (self->gsocket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  self->watch = ice_watch_new (loop, self->fd,
      self->state == ICE_TCP_CONNECTING ? G_IO_OUT : G_IO_IN, ready, self);
  if (self->watch == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "the kernel cannot watch one more descriptor");
    return FALSE;
  }
  if (self->state == ICE_TCP_LISTENING)
    self->pause = ice_timer_new (loop, resume_accepting, self);
  self->loop = ice_loop_ref (loop);
  ice_tcp_ref (self); /* the watch's */
  return TRUE;
}

static void
explain (GError **error, const gchar *what, const IceAddress *address)
{
  gchar text[ICE_ADDRESS_STRLEN];

  g_prefix_error (error, "Could not open a socket %s %s: ", what,
      ice_address_to_string (address, text));
}

IceTcp *
ice_tcp_listen (IceLoop *loop, const IceAddress *local,
    const IceSocketOptions *options, const IceTcpEvents *events,
    gpointer user_data, GError **error)
{
  g_autoptr (IceTcp) self = new_tcp (
      ICE_TCP_LISTENING, local, ICE_FRAMING_RFC4571, events, user_data);

  g_return_val_if_fail (ice_loop_is_current (loop), NULL);
  if (create (self, error) &&
      ice_bind (self->gsocket, local, options, FALSE, error) &&
      ice_bind_get_local (self->gsocket, local, &self->local, error)) {
    g_socket_set_listen_backlog (self->gsocket, BACKLOG);
    if (g_socket_listen (self->gsocket, error) &&
        attach (self, loop, options, error)) {
      share_port (self);
      return g_steal_pointer (&self);
    }
  }
  explain (error, "that listens on", local);
  return NULL;
}

static gboolean
begin_connect (IceTcp *self, const IceAddress *remote, GError **error)
{
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) pending = NULL;
  IceNativeAddress native;
  socklen_t size = ice_address_to_native (remote, &native);

  g_socket_set_blocking (self->gsocket, FALSE);
  address = g_socket_address_new_from_native (&native, size);
  if (g_socket_connect (self->gsocket, address, NULL, &pending) ||
      g_error_matches (pending, G_IO_ERROR, G_IO_ERROR_PENDING))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&pending));
  return FALSE;
}

/* Takes @self. */
static IceTcp *
connect_to (IceTcp *self, IceLoop *loop, const IceAddress *remote,
    const IceSocketOptions *options, GError **error)
{
  /* The range is for what others must reach. */
  static const IceSocketOptions any_port = { .dscp = -1 };
  g_autoptr (IceTcp) made = self;

  g_return_val_if_fail (ice_loop_is_current (loop), NULL);
  self->remote = *remote;
  self->begun_at = ice_loop_now ();
  if (create (self, error) &&
      ice_bind (self->gsocket, &self->local, &any_port, self->local.port != 0,
          error) &&
      begin_connect (self, remote, error) &&
      attach (self, loop, options, error))
    return g_steal_pointer (&made);
  explain (error, "to", remote);
  return NULL;
}

IceTcp *
ice_tcp_connect (IceLoop *loop, const IceAddress *local,
    const IceAddress *remote, IceFraming framing,
    const IceSocketOptions *options, const IceTcpEvents *events,
    gpointer user_data, GError **error)
{
  return ice_tcp_connect_through (
      loop, local, remote, framing, NULL, options, events, user_data, error);
}

IceTcp *
ice_tcp_connect_through (IceLoop *loop, const IceAddress *local,
    const IceAddress *remote, IceFraming framing, IceStages *stages,
    const IceSocketOptions *options, const IceTcpEvents *events,
    gpointer user_data, GError **error)
{
  IceTcp *self =
      new_tcp (ICE_TCP_CONNECTING, local, framing, events, user_data);

  self->stages = stages;
  return connect_to (self, loop, remote, options, error);
}

IceTcp *
ice_tcp_connect_datagrams (IceLoop *loop, const IceAddress *local,
    const IceAddress *remote, IceStages *stages,
    const IceSocketOptions *options, const IceTcpEvents *events,
    gpointer user_data, GError **error)
{
  IceTcp *self = new_tcp (
      ICE_TCP_CONNECTING, local, ICE_FRAMING_RFC4571, events, user_data);

  self->datagrams = TRUE;
  self->stages = stages;
  return connect_to (self, loop, remote, options, error);
}

IceTcp *
ice_tcp_adopt (IceLoop *loop, GSocket *connection, const IceAddress *local,
    const IceAddress *remote, IceFraming framing,
    const IceSocketOptions *options, const IceTcpEvents *events,
    gpointer user_data, GError **error)
{
  g_autoptr (IceTcp) self =
      new_tcp (ICE_TCP_OPEN, local, framing, events, user_data);

  g_return_val_if_fail (ice_loop_is_current (loop), NULL);
  self->gsocket = g_object_ref (connection);
  self->remote = *remote;
  if (attach (self, loop, options, error))
    return g_steal_pointer (&self);
  explain (error, "from", remote);
  return NULL;
}
