/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bounded queue of whole frames between any thread and the loop, which
 * alone writes (design 9.10). */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <string.h>

#include "tcp-private.h"

/* RFC 8656 12.4. */
#define CHANNEL_DATA_HEADER 4

typedef struct
{
  IcePacket *packet; /* (owned) with its header */
  gboolean media;
} Frame;

static void
frame_free (Frame *self)
{
  ice_packet_unref (self->packet);
  g_free (self);
}

void
ice_tcp_queue_clear (IceTcpQueue *self)
{
  g_queue_clear_full (&self->frames, (GDestroyNotify) frame_free);
  self->size = 0;
}

/* Any thread, under the lock. */
static void
drop_oldest_media (IceTcpQueue *self)
{
  for (GList *l = self->frames.head; l; l = l->next) {
    Frame *frame = l->data;

    if (!frame->media)
      continue;
    self->size -= frame->packet->size;
    frame_free (frame);
    g_queue_delete_link (&self->frames, l);
    return;
  }
}

/* How many frames it cost. */
static guint
push (IceTcpQueue *self, IcePacket *packet, gboolean media)
{
  Frame *frame = g_new (Frame, 1);
  guint n_dropped = 0;

  *frame = (Frame){ packet, media };
  g_queue_push_tail (&self->frames, frame);
  if (media)
    self->size += packet->size;
  for (; self->size > ICE_TCP_QUEUE_MAX; n_dropped++)
    drop_oldest_media (self);
  return n_dropped;
}

IcePacket *
ice_tcp_pop (IceTcp *self)
{
  IcePacket *packet = NULL;
  Frame *frame;

  g_mutex_lock (&self->lock);
  frame = g_queue_pop_head (&self->queue.frames);
  if (frame) {
    packet = ice_packet_ref (frame->packet);
    if (frame->media)
      self->queue.size -= packet->size;
    frame_free (frame);
  } else {
    self->queue.woken = FALSE;
  }
  g_mutex_unlock (&self->lock);
  return packet;
}

gboolean
ice_tcp_write (IceTcp *self, GError **error)
{
  gboolean room = TRUE;

  if (self->stages)
    return ice_tcp_write_below (self, error);
  while (room && (self->writing || (self->writing = ice_tcp_pop (self)))) {
    gssize n = g_socket_send_with_blocking (self->gsocket,
        (const gchar *) self->writing->data + self->written,
        self->writing->size - self->written, FALSE, NULL, error);

    room = n >= 0;
    self->written += room ? (gsize) n : 0;
    if (self->written < self->writing->size)
      continue;
    g_clear_pointer (&self->writing, ice_packet_unref);
    self->written = 0;
  }
  return room;
}

void
ice_tcp_flush (IceTcp *self)
{
  g_autoptr (GError) error = NULL;

  if (self->watch == NULL || self->state < ICE_TCP_HANDSHAKING)
    return;
  if (ice_tcp_write (self, &error))
    ice_watch_set_condition (self->watch, G_IO_IN);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    ice_watch_set_condition (self->watch, G_IO_IN | G_IO_OUT);
  else
    ice_tcp_end (self, error->message);
}

static void
flush (gpointer user_data)
{
  ice_tcp_flush (user_data);
}

static void
drop (gpointer user_data)
{
  ice_tcp_unref (user_data);
}

/* Any thread: takes @packet. */
static guint
enqueue (IceTcp *self, IcePacket *packet, gboolean media)
{
  g_autoptr (IceLoop) loop = NULL;
  guint n_dropped;

  g_mutex_lock (&self->lock);
  n_dropped = push (&self->queue, packet, media);
  if (!self->queue.woken && self->loop) {
    self->queue.woken = TRUE;
    loop = ice_loop_ref (self->loop);
  }
  g_mutex_unlock (&self->lock);
  if (loop)
    ice_loop_invoke (loop, flush, ice_tcp_ref (self), drop);
  return n_dropped;
}

gboolean
ice_tcp_send (IceTcp *self, IceBytes packet)
{
  IcePacket *frame;

  if (g_atomic_int_get (&self->revoked))
    return FALSE;
  frame = ice_frame_new (self->framing, packet);
  if (frame == NULL)
    return FALSE;
  enqueue (self, frame, FALSE);
  return TRUE;
}

/* (transfer full) (nullable) */
static IcePacket *
frame_of (IceTcp *self, GstBuffer *buffer, guint16 channel)
{
  gsize size = gst_buffer_get_size (buffer);
  gsize header = channel ? CHANNEL_DATA_HEADER : 0;
  g_autoptr (IcePacket) packet = NULL;

  if (size > G_MAXUINT16)
    return NULL;
  packet = ice_packet_new (header + size);
  if (channel) {
    packet->data[0] = (guint8) (channel >> 8);
    packet->data[1] = (guint8) channel;
    packet->data[2] = (guint8) (size >> 8);
    packet->data[3] = (guint8) size;
  }
  gst_buffer_extract (buffer, 0, packet->data + header, size);
  return ice_frame_new (self->framing, ICE_BYTES (packet->data, packet->size));
}

guint
ice_tcp_send_batch (IceTcp *self, const IceSendBatch *batch,
    guint *ret_n_discarded, GError **error)
{
  GstBuffer **buffers = batch->buffers;

  *ret_n_discarded = 0;
  for (guint i = 0; i < batch->n_buffers; i++) {
    IcePacket *frame;

    if (g_atomic_int_get (&self->revoked)) {
      g_set_error_literal (
          error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The connection is closed");
      return i;
    }
    frame = frame_of (self, buffers[i], batch->channel);
    *ret_n_discarded += frame ? enqueue (self, frame, TRUE) : 1;
  }
  return batch->n_buffers;
}
