/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel-data.h"

#include <string.h>

#include "../../base/bytes.h"
#include "../purity.h"

gboolean
ice_channel_data_parse (
    IceBytes datagram, guint16 *ret_channel, IceBytes *ret_payload)
{
  IceReader reader;
  guint16 channel, size;
  IceBytes payload;

  ice_reader_init (&reader, datagram);
  if (!ice_read_u16 (&reader, &channel) || channel < ICE_CHANNEL_MIN ||
      channel > ICE_CHANNEL_MAX)
    return FALSE;
  if (!ice_read_u16 (&reader, &size) ||
      !ice_read_bytes (&reader, size, &payload) || reader.left > 3)
    return FALSE;
  *ret_channel = channel;
  *ret_payload = payload;
  return TRUE;
}

IcePacket *
ice_channel_data_new (guint16 channel, IceBytes payload)
{
  IcePacket *packet;

  if (payload.size > G_MAXUINT16)
    return NULL;
  packet = ice_packet_new (ICE_CHANNEL_DATA_HEADER_SIZE + payload.size);
  packet->data[0] = channel >> 8;
  packet->data[1] = channel & 0xff;
  packet->data[2] = payload.size >> 8;
  packet->data[3] = payload.size & 0xff;
  if (payload.size > 0)
    memcpy (packet->data + ICE_CHANNEL_DATA_HEADER_SIZE, payload.data,
        payload.size);
  return packet;
}
