/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <netinet/ip.h>

#include "bind.h"
#include "io-log.h"
#include "loop-private.h"
#include "socket-private.h"
#include "udp-batch.h"

/* A keyframe of a few hundred packets arrives at once; the kernel's default
 * of 208 KiB counts its own overhead and holds 90 of them. Linux cuts this
 * down to net.core.rmem_max. */
#define RECEIVE_BUFFER (1024 * 1024)

/* Room for one datagram, or for what UDP_GRO made of many. */
#define RX_ROOM (64 * 1024)

static void
ice_socket_ready (gint fd, GIOCondition condition, gpointer user_data);

IceUdpBatch
ice_udp_batch_resolve (IceUdpBatch batch)
{
#ifdef HAVE_UDP_BATCH_LINUX
  if (batch == ICE_UDP_BATCH_DEFAULT &&
      g_strcmp0 (g_getenv ("GST_ICE_UDP_BATCH"), "generic") == 0)
    return ICE_UDP_BATCH_GENERIC;
  return batch == ICE_UDP_BATCH_GENERIC ? batch : ICE_UDP_BATCH_LINUX;
#else
  return ICE_UDP_BATCH_GENERIC;
#endif
}

static const IceUdp *
udp_for_batch (IceUdpBatch batch)
{
#ifdef HAVE_UDP_BATCH_LINUX
  if (ice_udp_batch_resolve (batch) == ICE_UDP_BATCH_LINUX)
    return &ice_udp_linux;
#endif
  return &ice_udp_generic;
}

/* Opening */

IceSocket *
ice_socket_alloc (IceUdpBatch batch)
{
  IceSocket *self = g_new0 (IceSocket, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->udp = udp_for_batch (batch);
  return self;
}

gboolean
ice_socket_create (IceSocket *self, const IceAddress *local, GError **error)
{
  gboolean ipv6 = local->family == ICE_FAMILY_IPV6;

  self->gsocket =
      g_socket_new (ipv6 ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4,
          G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error);
  if (self->gsocket == NULL)
    return FALSE;
  self->fd = g_socket_get_fd (self->gsocket);
  g_socket_set_blocking (self->gsocket, FALSE);
  if (ipv6 &&
      !g_socket_set_option (self->gsocket, IPPROTO_IPV6, IPV6_V6ONLY, 1, error))
    return FALSE;
  g_socket_set_option (
      self->gsocket, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER, NULL);
  self->udp->set_up (self);
  return TRUE;
}

gboolean
ice_socket_start (IceSocket *self, IceLoop *loop, GError **error)
{
  self->watch = ice_watch_new (loop, self->fd, G_IO_IN, ice_socket_ready, self);
  if (self->watch == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "the kernel cannot watch one more descriptor");
    return FALSE;
  }
  self->loop = ice_loop_ref (loop);
  ice_socket_ref (self); /* the watch's */
  return TRUE;
}

static void
socket_explain (GError **error, const IceAddress *local)
{
  gchar ip[ICE_ADDRESS_STRLEN];

  g_prefix_error (error, "Could not open a UDP socket on %s: ",
      ice_address_ip_to_string (local, ip));
}

IceSocket *
ice_socket_open_udp (IceLoop *loop, const IceAddress *local,
    const IceSocketOptions *options, const IceSocketEvents *events,
    gpointer user_data, GError **error)
{
  g_autoptr (IceSocket) self = NULL;

  g_return_val_if_fail (ice_loop_is_current (loop), NULL);
  g_return_val_if_fail (local->family != ICE_FAMILY_NONE, NULL);

  self = ice_socket_alloc (options->batch);
  self->events = *events;
  self->user_data = user_data;

  if (!ice_socket_create (self, local, error) ||
      !ice_bind (self->gsocket, local, options, FALSE, error) ||
      !ice_bind_get_local (self->gsocket, local, &self->local, error)) {
    socket_explain (error, local);
    return NULL;
  }
  ice_socket_set_dscp (self, options->dscp);
  self->dont_fragment =
      options->dont_fragment && self->udp->set_dont_fragment != NULL;
  if (self->dont_fragment)
    self->udp->set_dont_fragment (self, TRUE);
  if (!ice_socket_start (self, loop, error)) {
    socket_explain (error, local);
    return NULL;
  }
  return g_steal_pointer (&self);
}

IceSocket *
ice_socket_ref (IceSocket *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
ice_socket_unref (IceSocket *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_object (&self->gsocket);
  g_clear_pointer (&self->base, ice_socket_unref);
  g_clear_pointer (&self->lanes, g_ptr_array_unref);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Senders that passed the check already meet a socket that is shut down; the
 * descriptor's number stays taken as long as any of them may use it. */
void
ice_socket_close (IceSocket *self)
{
  g_autoptr (IceLoop) loop = NULL;

  if (ice_socket_is_closed (self))
    return;
  g_return_if_fail (ice_loop_is_current (self->loop));

  g_atomic_int_set (&self->revoked, TRUE);
  g_clear_pointer (&self->watch, ice_watch_free);
  if (self->base != NULL)
    g_ptr_array_remove_fast (self->base->lanes, self);
  shutdown (self->fd, SHUT_RDWR);

  g_mutex_lock (&self->lock);
  loop = g_steal_pointer (&self->loop);
  g_mutex_unlock (&self->lock);

  ice_socket_unref (self);
}

gboolean
ice_socket_is_closed (IceSocket *self)
{
  return g_atomic_int_get (&self->revoked);
}

void
ice_socket_get_local (IceSocket *self, IceAddress *ret_address)
{
  *ret_address = self->local;
}

/* RFC 2474 3: the DSCP is the upper six bits; the lower two belong to ECN. */
void
ice_socket_set_dscp (IceSocket *self, gint dscp)
{
  guint i;

  if (dscp < 0 || dscp > 63 || ice_socket_is_closed (self))
    return;
  g_atomic_int_set (&self->dscp, dscp);
  for (i = 0; self->lanes != NULL && i < self->lanes->len; i++)
    ice_socket_set_dscp (g_ptr_array_index (self->lanes, i), dscp);
  if (self->local.family == ICE_FAMILY_IPV6)
    g_socket_set_option (
        self->gsocket, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2, NULL);
  else
    g_socket_set_option (self->gsocket, IPPROTO_IP, IP_TOS, dscp << 2, NULL);
}

/* Events. Those of a lane are its base's. */

static IceSocket *
ice_socket_get_teller (IceSocket *self)
{
  return self->base != NULL ? self->base : self;
}

void
ice_socket_receive (IceSocket *self)
{
  IceSocket *teller = ice_socket_get_teller (self);
  IceRxPool *pool = ice_loop_get_rx_pool (self->loop);
  IceUdpRx rx = { .packets = ice_rx_pool_get_packets (pool) };

  rx.slab = ice_rx_pool_prepare (pool, RX_ROOM, &rx.data, &rx.size);
  self->udp->receive (self, &rx);
  if (rx.n_packets > 0 && !ice_socket_is_closed (teller))
    teller->events.packets (
        teller, rx.packets, rx.n_packets, teller->user_data);
  ice_rx_pool_commit (pool, rx.used);
}

static void
ice_socket_report_unreachable (const IceAddress *to, IceBytes quoted,
    gint error_number, gpointer user_data)
{
  IceSocket *self = user_data;

  /* The one before may have closed it. */
  if (ice_socket_is_closed (self))
    return;
  if (error_number == EMSGSIZE) {
    if (self->events.too_big != NULL)
      self->events.too_big (self, to, self->user_data);
  } else if (self->events.unreachable != NULL) {
    self->events.unreachable (self, to, quoted, error_number, self->user_data);
  }
}

void
ice_socket_take_errors (IceSocket *self)
{
  gint ignored;

  self->udp->take_errors (
      self, ice_socket_report_unreachable, ice_socket_get_teller (self));
  /* Whatever has no entry in the queue would be reported for ever. */
  g_socket_get_option (self->gsocket, SOL_SOCKET, SO_ERROR, &ignored, NULL);
}

void
ice_socket_update_watch (IceSocket *self)
{
  GIOCondition condition = self->paused ? 0 : G_IO_IN;

  if (ice_socket_is_closed (self))
    return;
  if (g_atomic_int_get (&self->full))
    condition |= G_IO_OUT;
  /* A watch for nothing still takes part in each wake-up of the reader. */
  if (condition == 0)
    g_clear_pointer (&self->watch, ice_watch_free);
  else if (self->watch != NULL)
    ice_watch_set_condition (self->watch, condition);
  else
    self->watch =
        ice_watch_new (self->loop, self->fd, condition, ice_socket_ready, self);
}

static void
ice_socket_become_writable (IceSocket *self)
{
  IceSocket *teller = ice_socket_get_teller (self);

  /* Before the call: who is told "full" from here on is told again. */
  g_atomic_int_set (&self->full, FALSE);
  ice_socket_update_watch (self);
  if (teller->events.writable != NULL && !ice_socket_is_closed (teller))
    teller->events.writable (teller, teller->user_data);
}

static void
ice_socket_ready (gint fd, GIOCondition condition, gpointer user_data)
{
  g_autoptr (IceSocket) self = ice_socket_ref (user_data);

  if (condition & G_IO_ERR)
    ice_socket_take_errors (self);
  if ((condition & G_IO_IN) && !ice_socket_is_closed (self) &&
      (self->may_read == NULL || self->may_read (self->may_read_data)))
    ice_socket_receive (self);
  if ((condition & G_IO_OUT) && !ice_socket_is_closed (self))
    ice_socket_become_writable (self);
}

static void
ice_socket_await_room (gpointer user_data)
{
  ice_socket_update_watch (user_data);
}

static void
ice_socket_drop (gpointer user_data)
{
  ice_socket_unref (user_data);
}

IceLoop *
ice_socket_dup_loop (IceSocket *self)
{
  IceLoop *loop;

  g_mutex_lock (&self->lock);
  loop = self->loop != NULL ? ice_loop_ref (self->loop) : NULL;
  g_mutex_unlock (&self->lock);
  return loop;
}

/* Any thread. */
static void
ice_socket_note_full (IceSocket *self)
{
  g_autoptr (IceLoop) loop = NULL;

  if (!g_atomic_int_compare_and_exchange (&self->full, FALSE, TRUE))
    return;
  loop = ice_socket_dup_loop (self);
  if (loop != NULL)
    ice_loop_invoke (
        loop, ice_socket_await_room, ice_socket_ref (self), ice_socket_drop);
}

/* Sending */

static gboolean
ice_socket_can_reach (IceSocket *self, const IceAddress *to)
{
  return to->family == self->local.family && to->port != 0;
}

gboolean
ice_socket_send (IceSocket *self, const IceAddress *to, IceBytes packet)
{
  return ice_socket_send_marked (self, to, packet, -1);
}

gboolean
ice_socket_send_marked (
    IceSocket *self, const IceAddress *to, IceBytes packet, gint dscp)
{
  if (ice_socket_is_closed (self) || !ice_socket_can_reach (self, to))
    return FALSE;
  return self->udp->send (self, to, packet, dscp < 0 ? -1 : dscp << 2);
}

gboolean
ice_socket_can_dont_fragment (IceUdpBatch batch)
{
  return udp_for_batch (batch)->set_dont_fragment != NULL;
}

/* What other threads send meanwhile is not fragmented either, which takes a few
 * microseconds and harms only what no path takes whole. */
gboolean
ice_socket_send_whole (IceSocket *self, const IceAddress *to, IceBytes packet)
{
  gboolean sent;

  if (ice_socket_is_closed (self) || self->udp->set_dont_fragment == NULL)
    return FALSE;
  if (!self->dont_fragment)
    self->udp->set_dont_fragment (self, TRUE);
  sent = ice_socket_send (self, to, packet);
  if (!self->dont_fragment)
    self->udp->set_dont_fragment (self, FALSE);
  return sent;
}

static void
ice_socket_set_send_error (IceSocket *self, gint code,
    const IceSendBatch *batch, guint next, GError **error)
{
  switch (code) {
    case G_IO_ERROR_WOULD_BLOCK:
      g_set_error_literal (error, G_IO_ERROR, code, "The socket is full");
      break;
    case G_IO_ERROR_MESSAGE_TOO_LARGE:
      g_set_error (error, G_IO_ERROR, code,
          "A packet of %" G_GSIZE_FORMAT " bytes exceeds what UDP carries",
          gst_buffer_get_size (((GstBuffer **) batch->buffers)[next]));
      break;
    default:
      g_set_error_literal (
          error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The socket is closed");
      break;
  }
}

guint
ice_socket_send_batch (IceSocket *self, const IceAddress *to,
    const IceSendBatch *batch, guint *ret_n_discarded, GError **error)
{
  IceUdpTx tx = { .error = -1 };

  if (!ice_socket_can_reach (self, to))
    tx.n_taken = tx.n_discarded = batch->n_buffers;
  else if (ice_socket_is_closed (self))
    tx.error = G_IO_ERROR_CLOSED;
  else
    self->udp->send_batch (self, to, batch, &tx);

  if (tx.error == G_IO_ERROR_WOULD_BLOCK)
    ice_socket_note_full (self);
  if (tx.error >= 0)
    ice_socket_set_send_error (self, tx.error, batch, tx.n_taken, error);
  if (ret_n_discarded != NULL)
    *ret_n_discarded = tx.n_discarded;
  return tx.n_taken;
}

/* For the backends */

gint
ice_socket_get_fd (IceSocket *self)
{
  return self->fd;
}

GSocket *
ice_socket_get_gsocket (IceSocket *self)
{
  return self->gsocket;
}

gint
ice_socket_get_traffic_class (
    IceSocket *self, const IceSendBatch *batch, GstBuffer *buffer)
{
  const guint8 dscp =
      batch->has_dscp ? batch->dscp : (guint8) g_atomic_int_get (&self->dscp);
  const gint wanted = batch->mark != NULL ? batch->mark (buffer, dscp) : -1;

  if (wanted >= 0)
    return wanted & 0xff;
  return batch->has_dscp ? dscp << 2 : -1;
}

gboolean
ice_socket_is_connected (IceSocket *self)
{
  return self->base != NULL;
}

gint
ice_socket_get_segment_limit (IceSocket *self)
{
  return g_atomic_int_get (&self->segment_limit);
}

void
ice_socket_set_segment_limit (IceSocket *self, gint limit)
{
  g_atomic_int_set (&self->segment_limit, limit);
}
