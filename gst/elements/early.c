/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "early.h"

/* A second of video at 8 Mbit/s. */
#define MAX_PACKETS 1024
#define MAX_SIZE (1024 * 1024)
/* RFC 6347 4.2.4.1: a flight is sent again after a second, some stacks are
 * faster. What follows sooner belongs to the same flight. */
#define SAME_FLIGHT (50 * GST_MSECOND)

GType
gst_ice_early_data_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_ICE_EARLY_DATA_BLOCK, "Wait for a path", "block" },
    { GST_ICE_EARLY_DATA_DROP, "Drop media, keep a DTLS handshake", "drop" },
    { GST_ICE_EARLY_DATA_QUEUE, "Send it when there is a path", "queue" },
    { 0, NULL, NULL },
  };
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstIceEarlyData", values));
  return type;
}

void
gst_ice_early_init (GstIceEarly *self)
{
  g_queue_init (&self->packets);
  self->size = 0;
  self->last_dtls = GST_CLOCK_TIME_NONE;
  self->n_dropped = 0;
}

static void
drop_first (GstIceEarly *self)
{
  GstBuffer *packet = g_queue_pop_head (&self->packets);

  self->size -= gst_buffer_get_size (packet);
  self->n_dropped++;
  gst_buffer_unref (packet);
}

void
gst_ice_early_clear (GstIceEarly *self)
{
  g_queue_clear_full (&self->packets, (GDestroyNotify) gst_buffer_unref);
  self->size = 0;
}

/* A flight that is sent again takes the place of the first try. */
static void
note_dtls (GstIceEarly *self, GstClockTime now)
{
  if (GST_CLOCK_TIME_IS_VALID (self->last_dtls) &&
      now - self->last_dtls > SAME_FLIGHT)
    gst_ice_early_clear (self);
  self->last_dtls = now;
}

void
gst_ice_early_push (GstIceEarly *self, GstBuffer *packet, GstIceEarlyData mode,
    GstClockTime now)
{
  if (mode == GST_ICE_EARLY_DATA_DROP) {
    if (!gst_ice_packet_is_dtls (packet)) {
      self->n_dropped++;
      return;
    }
    note_dtls (self, now);
  }
  g_queue_push_tail (&self->packets, gst_buffer_ref (packet));
  self->size += gst_buffer_get_size (packet);
  while (self->packets.length > MAX_PACKETS || self->size > MAX_SIZE)
    drop_first (self);
}

GstBufferList *
gst_ice_early_take (GstIceEarly *self)
{
  GstBufferList *list;
  GstBuffer *packet;

  if (g_queue_is_empty (&self->packets))
    return NULL;
  list = gst_buffer_list_new_sized (self->packets.length);
  while ((packet = g_queue_pop_head (&self->packets)) != NULL)
    gst_buffer_list_add (list, packet);
  self->size = 0;
  self->last_dtls = GST_CLOCK_TIME_NONE;
  return list;
}

gboolean
gst_ice_packet_is_dtls (GstBuffer *packet)
{
  guint8 first;

  return gst_buffer_extract (packet, 0, &first, 1) == 1 && first >= 20 &&
      first <= 63;
}

gboolean
gst_ice_packet_is_rtcp (GstBuffer *packet)
{
  guint8 head[2];

  /* Version 2, and a packet type that no RTP marker and payload type makes. */
  return gst_buffer_extract (packet, 0, head, 2) == 2 && head[0] >> 6 == 2 &&
      head[1] >= 192 && head[1] <= 223;
}
