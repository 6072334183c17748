/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticelane-private.h"

#include <gst/net/gstnetaddressmeta.h>

#include "core/stun/message.h"
#include "gsticetrafficmeta.h"

/* RFC 8656 12: the numbers of channels. */
#define CHANNEL_FIRST 0x4000
#define CHANNEL_LAST 0x4fff

GstIceLane *
gst_ice_lane_new (IceLane *lane, const IceAddress *from, guint16 channel,
    const IceAddress *peer)
{
  GstIceLane *self = g_new0 (GstIceLane, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->lane = ice_lane_ref (lane);
  self->from = *from;
  self->channel = channel;
  self->peer = *peer;
  self->socket_address = gst_ice_inbox_make_socket_address (peer);
  return self;
}

GstIceLane *
gst_ice_lane_ref (GstIceLane *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
gst_ice_lane_unref (GstIceLane *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  ice_lane_unref (self->lane);
  g_object_unref (self->socket_address);
  g_free (self);
}

gboolean
gst_ice_read_channel_header (
    IceBytes data, guint16 *ret_channel, gsize *ret_size)
{
  if (data.size < GST_ICE_CHANNEL_HEADER)
    return FALSE;
  *ret_channel = (guint16) (data.data[0] << 8 | data.data[1]);
  /* RFC 8656 12.5: over UDP what follows may be padded. */
  *ret_size = (gsize) (data.data[2] << 8 | data.data[3]);
  return *ret_channel >= CHANNEL_FIRST && *ret_channel <= CHANNEL_LAST &&
      *ret_size <= data.size - GST_ICE_CHANNEL_HEADER;
}

GstBuffer *
gst_ice_cut_packet (const IceRxPacket *packet, gsize offset, gsize size)
{
  GstBuffer *buffer = ice_rx_packet_to_buffer (packet, offset, size);
  const guint8 mark = packet->traffic_class;

  if (mark != 0)
    gst_ice_buffer_add_traffic_meta (buffer, mark >> 2, mark & 3);
  return buffer;
}

/* Reading */

/* As the pump decides it for all sockets: what the lane is not meant for is
 * left to it. */
static gboolean
is_media (const GstIceLane *self, const IceRxPacket *packet, gsize *ret_offset,
    gsize *ret_size)
{
  guint16 channel;

  *ret_offset = 0;
  *ret_size = packet->data.size;
  if (!ice_address_equal (&packet->from, &self->from) ||
      ice_stun_looks_like (packet->data))
    return FALSE;
  if (self->channel == 0)
    return TRUE;
  if (!gst_ice_read_channel_header (packet->data, &channel, ret_size) ||
      channel != self->channel)
    return FALSE;
  *ret_offset = GST_ICE_CHANNEL_HEADER;
  return !ice_stun_looks_like (
      ICE_BYTES (packet->data.data + GST_ICE_CHANNEL_HEADER, *ret_size));
}

static GstBuffer *
cut (
    const GstIceLane *self, const IceRxPacket *packet, gsize offset, gsize size)
{
  GstBuffer *buffer = gst_ice_cut_packet (packet, offset, size);

  GST_BUFFER_DTS (buffer) = (GstClockTime) packet->received_at * GST_USECOND;
  gst_buffer_add_net_address_meta (buffer, self->socket_address);
  return buffer;
}

static GstBufferList *
read_list (GstIceLane *self, GstIceArrivals *ret_arrivals)
{
  GstBufferList *list = NULL;
  IceRxPacket *packets;
  const guint n = ice_lane_read (self->lane, &packets);
  gsize offset, size;

  for (guint i = 0; i < n; i++) {
    if (!is_media (self, &packets[i], &offset, &size)) {
      ice_lane_pass_on (self->lane, &packets[i]);
      continue;
    }
    if (!list)
      list = gst_buffer_list_new_sized (n - i);
    gst_buffer_list_add (list, cut (self, &packets[i], offset, size));
    ret_arrivals->n_packets++;
    ret_arrivals->n_bytes += size;
    ret_arrivals->newest = packets[i].received_at;
  }
  if (n > 0)
    ice_lane_done (self->lane);
  return list;
}

gboolean
gst_ice_lane_receive (GstIceLane *self, GstIceInbox *inbox, IceTime timeout,
    IceTime coalesce, GCancellable *cancellable, GstBufferList **ret_list)
{
  GstIceArrivals arrivals = { 0 };

  *ret_list = NULL;
  if (!ice_lane_enter (self->lane))
    return FALSE;
  if (gst_ice_inbox_begin_poll (inbox, self->lane, cancellable)) {
    IceLaneNews news = ice_lane_wait (self->lane, timeout);

    if (coalesce > 0 && news == ICE_LANE_PACKETS)
      ice_lane_nap (self->lane, coalesce);
    if (news & ICE_LANE_PACKETS)
      *ret_list = read_list (self, &arrivals);
    gst_ice_inbox_end_poll (inbox, &arrivals);
  }
  ice_lane_leave (self->lane);
  return TRUE;
}
