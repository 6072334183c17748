/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections whose frames pass through stages (TLS, a proxy's tunnel), over
 * TCP or over UDP. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "loop-private.h"
#include "tcp-private.h"

/* All handshakes together; who sends byte after byte gets no more either. Who
 * asked for the connection waits for ten, and should hear why. */
#define HANDSHAKE_TIMEOUT (9 * ICE_SECOND)
/* The first byte of an answer comes a round trip after ours, and how long that
 * is connecting has shown, be it over a satellite. Who says nothing in four of
 * them waits for something else than TLS: that is to be on the bus before two
 * seconds are over where round trips are short. */
#define FIRST_ANSWER_TIMEOUT (1500 * ICE_MSEC)
#define FIRST_ANSWER_ROUND_TRIPS 4

/* What stages write of their own accord (answers to KeyUpdate, alerts) while
 * nobody reads it: then it is over. */
#define BELOW_MAX (128 * 1024)

/* Datagrams of one wake-up. */
#define DATAGRAMS_MAX 64
#define DATAGRAM_HEADER 2
#define DATAGRAM_ROOM (DATAGRAM_HEADER + 64 * 1024)

/* RFC 9293 3.1 with the timestamps of RFC 7323; RFC 768. */
#define TCP_HEADER (20 + 12)
#define UDP_HEADER 8

/* The handshake */

static void
on_deadline (gpointer user_data)
{
  g_autoptr (IceTcp) self = ice_tcp_ref (user_data);

  ice_stages_expire (self->stages);
  ice_tcp_settle_stages (self);
}

static void
on_repeat (gpointer user_data)
{
  g_autoptr (IceTcp) self = ice_tcp_ref (user_data);

  ice_stages_timeout (self->stages);
  ice_tcp_settle_stages (self);
}

static void
set_repeat (IceTcp *self)
{
  IceTime left = ice_stages_get_timeout (self->stages);

  if (self->repeat == NULL && left == ICE_TIME_NEVER)
    return;
  if (self->repeat == NULL)
    self->repeat = ice_timer_new (self->loop, on_repeat, self);
  ice_timer_set (
      self->repeat, left == ICE_TIME_NEVER ? left : ice_loop_now () + left);
}

void
ice_tcp_begin_handshake (IceTcp *self)
{
  const IceTime now = ice_loop_now ();
  IceTime patience = FIRST_ANSWER_ROUND_TRIPS * (now - self->begun_at);

  if (self->datagrams || patience > HANDSHAKE_TIMEOUT)
    patience = HANDSHAKE_TIMEOUT;
  self->state = ICE_TCP_HANDSHAKING;
  self->begun_at = now;
  self->deadline = ice_timer_new (self->loop, on_deadline, self);
  ice_timer_set (self->deadline, now + MAX (patience, FIRST_ANSWER_TIMEOUT));
  ice_stages_start (self->stages);
  ice_tcp_settle_stages (self);
}

static void
handshake_is_over (IceTcp *self)
{
  g_clear_pointer (&self->deadline, ice_timer_free);
  self->state = ICE_TCP_OPEN;
  self->events.opened (self, self->user_data);
}

static gboolean
is_over (const IceTcp *self)
{
  return g_atomic_int_get (&self->revoked);
}

/* The end is told after what came before it. Last words go if they can. */
static void
finish (IceTcp *self, IceStageState state)
{
  ice_tcp_write (self, NULL);
  ice_tcp_end (self,
      state == ICE_STAGE_FAILED ? ice_stages_get_error (self->stages)->message
                                : "the peer closed it");
}

void
ice_tcp_settle_stages (IceTcp *self)
{
  const IceStageState state = ice_stages_get_state (self->stages);
  IceBytes above = ice_stages_take_above (self->stages);

  if (self->state == ICE_TCP_HANDSHAKING && state == ICE_STAGE_OPEN)
    handshake_is_over (self);
  if (!is_over (self) && above.size > 0)
    ice_tcp_deframe (self, NULL, above);
  if (is_over (self))
    return;
  if (state > ICE_STAGE_OPEN) {
    finish (self, state);
    return;
  }
  ice_tcp_flush (self);
  if (is_over (self))
    return;
  if (ice_stages_get_below (self->stages).size > BELOW_MAX)
    ice_tcp_end (self, "the peer asks for more than it reads");
  else
    set_repeat (self);
}

/* Reading */

/* @bytes are the first ones: there is something that answers. */
static void
be_patient (IceTcp *self)
{
  if (self->state == ICE_TCP_HANDSHAKING)
    ice_timer_set (self->deadline, self->begun_at + HANDSHAKE_TIMEOUT);
}

void
ice_tcp_receive_stream (IceTcp *self, IceBytes bytes)
{
  be_patient (self);
  ice_stages_receive (self->stages, bytes);
  ice_tcp_settle_stages (self);
}

/* FALSE: no more now. */
static gboolean
receive_datagram (IceTcp *self, guint8 *room)
{
  g_autoptr (GError) error = NULL;
  gssize size = g_socket_receive_with_blocking (self->gsocket,
      (gchar *) room + DATAGRAM_HEADER, DATAGRAM_ROOM - DATAGRAM_HEADER, FALSE,
      NULL, &error);

  if (size >= 0 && size <= G_MAXUINT16) {
    room[0] = (guint8) (size >> 8);
    room[1] = (guint8) size;
    ice_stages_receive (
        self->stages, ICE_BYTES (room, DATAGRAM_HEADER + (gsize) size));
    return TRUE;
  }
  /* ICMP ends nothing that was agreed on (design 9.8): anybody can send it. */
  if (self->state == ICE_TCP_HANDSHAKING &&
      !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    ice_tcp_end (self, error->message);
  return FALSE;
}

void
ice_tcp_receive_datagrams (IceTcp *self)
{
  IceRxPool *pool = ice_loop_get_rx_pool (self->loop);
  guint8 *data;
  gsize room;

  ice_rx_pool_prepare (pool, DATAGRAM_ROOM, &data, &room);
  for (guint i = 0; i < DATAGRAMS_MAX; i++) {
    if (!receive_datagram (self, data))
      break;
  }
  ice_rx_pool_commit (pool, 0);
  if (!is_over (self))
    ice_tcp_settle_stages (self);
}

/* The end */

void
ice_tcp_end_stages (IceTcp *self, const gchar *reason)
{
  if (is_over (self))
    return;
  if (self->stages) {
    ice_stages_end (self->stages);
    ice_tcp_settle_stages (self);
  }
  ice_tcp_end (self, reason);
}

const GError *
ice_tcp_get_error (IceTcp *self)
{
  return self->stages ? ice_stages_get_error (self->stages) : NULL;
}

/* Writing */

/* (nullable) what goes out in one call. */
static IceBytes
next_datagram (IceBytes below)
{
  IceReader in;
  guint16 size;
  IceBytes datagram;

  ice_reader_init (&in, below);
  if (ice_read_u16 (&in, &size) && ice_read_bytes (&in, size, &datagram))
    return datagram;
  return ICE_BYTES_NONE;
}

static gssize
send_bytes (IceTcp *self, IceBytes bytes, GError **error)
{
  return g_socket_send_with_blocking (self->gsocket, (const gchar *) bytes.data,
      bytes.size, FALSE, NULL, error);
}

/* An error that waits is not this datagram's, and what is this datagram's
 * own is loss: DTLS repeats what matters. */
static gboolean
write_datagram (IceTcp *self, IceBytes below, GError **error)
{
  const IceBytes datagram = next_datagram (below);
  g_autoptr (GError) first = NULL;

  if (send_bytes (self, datagram, &first) < 0) {
    if (g_error_matches (first, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
      g_propagate_error (error, g_steal_pointer (&first));
      return FALSE;
    }
    send_bytes (self, datagram, NULL);
  }
  ice_stages_skip_below (self->stages, DATAGRAM_HEADER + datagram.size);
  return TRUE;
}

static gboolean
write_some (IceTcp *self, IceBytes below, GError **error)
{
  gssize n;

  if (self->datagrams)
    return write_datagram (self, below, error);
  n = send_bytes (self, below, error);
  if (n > 0)
    ice_stages_skip_below (self->stages, (gsize) n);
  return n >= 0;
}

/* FALSE: no frame waits, or none may go yet. */
static gboolean
send_next_frame (IceTcp *self)
{
  g_autoptr (IcePacket) frame = NULL;

  if (ice_stages_get_state (self->stages) != ICE_STAGE_OPEN)
    return FALSE;
  frame = ice_tcp_pop (self);
  if (frame == NULL)
    return FALSE;
  ice_stages_send (self->stages, ICE_BYTES (frame->data, frame->size));
  return TRUE;
}

gboolean
ice_tcp_write_below (IceTcp *self, GError **error)
{
  do {
    IceBytes below = ice_stages_get_below (self->stages);

    while (below.size > 0) {
      if (!write_some (self, below, error))
        return FALSE;
      below = ice_stages_get_below (self->stages);
    }
  } while (send_next_frame (self));
  if (error && ice_stages_get_error (self->stages))
    *error = g_error_copy (ice_stages_get_error (self->stages));
  return ice_stages_get_error (self->stages) == NULL;
}

/* Any thread */

guint
ice_tcp_get_overhead (IceTcp *self)
{
  return self->datagrams ? UDP_HEADER + ice_stages_get_overhead (self->stages)
                         : TCP_HEADER +
          (self->stages ? ice_stages_get_overhead (self->stages) : 0);
}
