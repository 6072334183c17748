/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/core/turn/channel-data.h"

#include <string.h>

typedef struct
{
  const gchar *name;
  gsize size;
  guint8 bytes[12];
  gboolean good;
  guint16 channel;
  gsize payload;
} Row;

/* RFC 8656 12.4 to 12.6. */
static const Row rows[] = {
  { "lowest channel", 6, { 0x40, 0, 0, 2, 'h', 'i' }, TRUE, 0x4000, 2 },
  { "highest channel", 5, { 0x4f, 0xff, 0, 1, 'x' }, TRUE, 0x4fff, 1 },
  { "empty payload", 4, { 0x40, 1, 0, 0 }, TRUE, 0x4001, 0 },
  { "padded", 8, { 0x40, 1, 0, 1, 'x' }, TRUE, 0x4001, 1 },
  { "nothing", 0, { 0 }, FALSE },
  { "one byte", 1, { 0x40 }, FALSE },
  { "half a header", 3, { 0x40, 0, 0 }, FALSE },
  { "too short by one", 5, { 0x40, 0, 0, 2, 'h' }, FALSE },
  { "giant length", 6, { 0x40, 0, 0xff, 0xff, 'h', 'i' }, FALSE },
  { "more than padding", 9, { 0x40, 1, 0, 1, 'x' }, FALSE },
  { "below the range", 4, { 0x3f, 0xff, 0, 0 }, FALSE },
  { "reserved range", 4, { 0x50, 0, 0, 0 }, FALSE },
  { "RTP", 12, { 0x80, 96, 0, 1 }, FALSE },
  { "a transport stream packet", 12, { 0x47, 0, 0x10, 0 }, FALSE },
};

static void
test_parse (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const Row *row = &rows[i];
    IceBytes payload = ICE_BYTES_NONE;
    guint16 channel = 0;

    g_test_message ("%s", row->name);
    g_assert_cmpint (ice_channel_data_parse (
                         ICE_BYTES (row->bytes, row->size), &channel, &payload),
        ==, row->good);
    g_assert_cmpuint (channel, ==, row->channel);
    g_assert_cmpuint (payload.size, ==, row->payload);
  }
}

/* Every cut of a whole message is refused, and nothing is read behind it. */
static void
test_truncation (void)
{
  g_autoptr (IcePacket) packet =
      ice_channel_data_new (0x4123, ICE_BYTES ("payload", 7));

  for (gsize size = 0; size < packet->size; size++) {
    g_autofree guint8 *cut = g_memdup2 (packet->data, size);
    IceBytes payload;
    guint16 channel;

    g_assert_false (
        ice_channel_data_parse (ICE_BYTES (cut, size), &channel, &payload));
  }
}

static void
test_round_trip (void)
{
  static const gsize sizes[] = { 0, 1, 3, 4, 1200, 65535 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree guint8 *bytes = g_malloc0 (sizes[i] + 1);
    g_autoptr (IcePacket) packet = NULL;
    IceBytes payload;
    guint16 channel;

    memset (bytes, 0xa5, sizes[i]);
    packet = ice_channel_data_new (0x4abc, ICE_BYTES (bytes, sizes[i]));
    g_assert_true (ice_channel_data_parse (
        ICE_BYTES (packet->data, packet->size), &channel, &payload));
    g_assert_cmpuint (channel, ==, 0x4abc);
    g_assert_cmpmem (payload.data, payload.size, bytes, sizes[i]);
  }
}

/* The length field has 16 bits. */
static void
test_too_long (void)
{
  g_autofree guint8 *bytes = g_malloc0 (65536);

  g_assert_null (ice_channel_data_new (0x4000, ICE_BYTES (bytes, 65536)));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/channel-data/parse", test_parse);
  g_test_add_func ("/channel-data/truncation", test_truncation);
  g_test_add_func ("/channel-data/round-trip", test_round_trip);
  g_test_add_func ("/channel-data/too-long", test_too_long);
  return g_test_run ();
}
