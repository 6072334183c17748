/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ChannelData of a server: the payload is inside of the datagram, and what we
 * write of it reads the same (RFC 8656 12.4). */
#include "gst/ice/core/turn/channel-data.h"

#include "target.h"

#include <glib.h>
#include <string.h>

static void
check_read (IceBytes datagram)
{
  g_autoptr (IcePacket) packet = NULL;
  guint16 channel;
  IceBytes payload;

  if (!ice_channel_data_parse (datagram, &channel, &payload))
    return;
  g_assert_cmpint (channel, >=, ICE_CHANNEL_MIN);
  g_assert_cmpint (channel, <=, ICE_CHANNEL_MAX);
  g_assert_true (payload.data == datagram.data + ICE_CHANNEL_DATA_HEADER_SIZE);
  g_assert_cmpuint (
      payload.size + ICE_CHANNEL_DATA_HEADER_SIZE, <=, datagram.size);
  g_assert_cmpuint (
      payload.size + ICE_CHANNEL_DATA_HEADER_SIZE + 3, >=, datagram.size);

  packet = ice_channel_data_new (channel, payload);
  g_assert_cmpmem (packet->data, packet->size, datagram.data,
      ICE_CHANNEL_DATA_HEADER_SIZE + payload.size);
}

/* The bytes themselves as a payload, to the first channel they name. */
static void
check_written (IceBytes payload)
{
  guint16 channel = ICE_CHANNEL_MIN, read;
  g_autoptr (IcePacket) packet = NULL;
  IceBytes again;

  if (payload.size >= 2)
    channel |= (guint16) ((payload.data[0] & 0xf) << 8 | payload.data[1]);
  packet = ice_channel_data_new (channel, payload);
  g_assert_true (ice_channel_data_parse (
      ICE_BYTES (packet->data, packet->size), &read, &again));
  g_assert_cmpint (read, ==, channel);
  g_assert_cmpuint (again.size, ==, payload.size);
  if (again.size > 0)
    g_assert_cmpint (memcmp (again.data, payload.data, again.size), ==, 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  IceBytes bytes = ICE_BYTES (data, size);

  check_read (bytes);
  if (size <= G_MAXUINT16)
    check_written (bytes);
  return 0;
}
