/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "io-log.h"
#include "udp-batch.h"

/* Moving this much costs less than the rest of a slab's 64 KiB. */
#define MOVE_BELOW 4096

/* RFC 8656 12.4: channel number and length, both big endian; over UDP nothing
 * follows the data. */
static void
udp_window_add_header (IceUdpWindow *self, guint16 channel, gsize size)
{
  guint8 *header = self->headers[self->n_packets];
  GOutputVector *vector = &self->vectors[self->n_vectors++];

  GST_WRITE_UINT16_BE (header, channel);
  GST_WRITE_UINT16_BE (header + 2, (guint16) size);
  vector->buffer = header;
  vector->size = 4;
}

static void
udp_window_add_memory (IceUdpWindow *self, GstMemory *memory)
{
  GstMapInfo *map = &self->maps[self->n_maps];
  GOutputVector *vector;

  if (!gst_memory_map (memory, map, GST_MAP_READ)) {
    GST_WARNING ("a memory of %s cannot be read and is left out",
        memory->allocator->mem_type);
    return;
  }
  self->n_maps++;
  vector = &self->vectors[self->n_vectors++];
  vector->buffer = map->data;
  vector->size = map->size;
}

void
ice_udp_window_map (IceUdpWindow *self, IceSocket *socket,
    const IceSendBatch *batch, guint first)
{
  GstBuffer **buffers = batch->buffers;
  guint i, j;

  self->n_packets = self->n_vectors = self->n_maps = 0;
  for (i = first; i < batch->n_buffers; i++) {
    IceUdpWindowPacket *packet = &self->packets[self->n_packets];
    guint n_memories = gst_buffer_n_memory (buffers[i]);

    if (self->n_packets == ICE_UDP_WINDOW_PACKETS ||
        self->n_vectors + 1 + n_memories > ICE_UDP_WINDOW_VECTORS)
      break;

    packet->first_vector = self->n_vectors;
    packet->traffic_class =
        ice_socket_get_traffic_class (socket, batch, buffers[i]);
    if (batch->channel != 0)
      udp_window_add_header (
          self, batch->channel, gst_buffer_get_size (buffers[i]));
    for (j = 0; j < n_memories; j++)
      udp_window_add_memory (self, gst_buffer_peek_memory (buffers[i], j));

    packet->n_vectors = self->n_vectors - packet->first_vector;
    packet->size = 0;
    for (j = packet->first_vector; j < self->n_vectors; j++)
      packet->size += self->vectors[j].size;
    self->n_packets++;
  }
}

void
ice_udp_window_unmap (IceUdpWindow *self)
{
  guint i;

  for (i = 0; i < self->n_maps; i++)
    gst_memory_unmap (self->maps[i].memory, &self->maps[i]);
}

const guint8 *
ice_udp_rx_settle (IceUdpRx *self, guint8 *data, gsize size)
{
  guint8 *end = self->data + self->used;

  if (data != end && size <= MOVE_BELOW) {
    memmove (end, data, size);
    data = end;
  }
  /* The next one begins aligned. */
  self->used = ((gsize) (data - self->data) + size + 7) & ~(gsize) 7;
  return data;
}

void
ice_udp_rx_add (
    IceUdpRx *self, const IceRxPacket *model, gsize size, gsize segment)
{
  gsize offset;

  if (segment == 0)
    segment = size;
  for (offset = 0; offset < size; offset += segment) {
    IceRxPacket *packet = &self->packets[self->n_packets];

    if (self->n_packets == ICE_RX_MAX_PACKETS) {
      GST_LOG ("more than %u packets in a wake-up", self->n_packets);
      return;
    }
    *packet = *model;
    packet->data.data = model->data.data + offset;
    packet->data.size = MIN (segment, size - offset);
    self->n_packets++;
  }
}
