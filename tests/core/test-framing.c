/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/base/framing.h"

#include <string.h>

#define STREAM_MAX 64

typedef struct
{
  const gchar *name;
  IceFraming framing;
  gsize size;
  guint8 bytes[STREAM_MAX];
  const gchar *frames; /* sizes of the packets, then ! for rubbish */
} Row;

#define STUN_0                                                                 \
  0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9,   \
      10, 11, 12
#define STUN_4                                                                 \
  0x01, 0x01, 0x00, 0x04, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9,   \
      10, 11, 12, 0x80, 0x22, 0, 0

static const Row rows[] = {
  { "4571: one", ICE_FRAMING_RFC4571, 5, { 0, 3, 'a', 'b', 'c' }, "3" },
  { "4571: three", ICE_FRAMING_RFC4571, 10,
      { 0, 1, 'a', 0, 2, 'b', 'b', 0, 1, 'c' }, "1 2 1" },
  { "4571: null packets are passed over", ICE_FRAMING_RFC4571, 9,
      { 0, 0, 0, 0, 0, 1, 'x', 0, 0 }, "1" },
  { "4571: nothing is rubbish to it", ICE_FRAMING_RFC4571, 6,
      { 'G', 'E', 'T', ' ', '/', ' ' }, "" },
  { "TURN: a request", ICE_FRAMING_TURN, 20, { STUN_0 }, "20" },
  { "TURN: two messages", ICE_FRAMING_TURN, 44, { STUN_4, STUN_0 }, "24 20" },
  { "TURN: padded ChannelData between messages", ICE_FRAMING_TURN, 52,
      { STUN_0, 0x40, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0, STUN_0 },
      "20 9 20" },
  { "TURN: every padding", ICE_FRAMING_TURN, 28,
      { 0x4f, 0xff, 0, 1, 'a', 0, 0, 0, 0x40, 0, 0, 2, 'a', 'b', 0, 0, 0x40, 0,
          0, 3, 'a', 'b', 'c', 0, 0x40, 0, 0, 0 },
      "5 6 7 4" },
  { "TURN: HTTP reads as the start of a long ChannelData", ICE_FRAMING_TURN, 8,
      { 'H', 'T', 'T', 'P', '/', '1', '.', '1' }, "" },
  { "TURN: RTP", ICE_FRAMING_TURN, 4, { 0x80, 96, 0, 1 }, "!" },
  { "TURN: a TLS alert", ICE_FRAMING_TURN, 7, { 21, 3, 3, 0, 2, 2, 40 }, "!" },
  { "TURN: reserved first byte", ICE_FRAMING_TURN, 4, { 80, 0, 0, 0 }, "!" },
  { "TURN: first byte 4", ICE_FRAMING_TURN, 4, { 4, 0, 0, 0 }, "!" },
  { "TURN: odd STUN length", ICE_FRAMING_TURN, 4, { 0, 1, 0, 2 }, "!" },
  { "TURN: giant STUN length", ICE_FRAMING_TURN, 4, { 0, 1, 0xff, 0xfc }, "!" },
  { "TURN: rubbish behind a message", ICE_FRAMING_TURN, 28,
      { STUN_4, 0xff, 0xff, 0xff, 0xff }, "24!" },
};

static void
drain (IceDeframer *deframer, IceBytes bytes, GString *frames)
{
  IceReader in;
  IceBytes frame;
  IceDeframe result;

  ice_reader_init (&in, bytes);
  while ((result = ice_deframer_next (deframer, &in, &frame)) ==
      ICE_DEFRAME_FRAME) {
    guint sum = 0;

    for (gsize i = 0; i < frame.size; i++)
      sum += frame.data[i]; /* every byte is readable */
    g_string_append_printf (
        frames, "%s%" G_GSIZE_FORMAT, frames->len > 0 ? " " : "", frame.size);
    g_assert_cmpuint (sum, <=, 255 * frame.size);
  }
  if (result == ICE_DEFRAME_RUBBISH &&
      (frames->len == 0 || frames->str[frames->len - 1] != '!'))
    g_string_append_c (frames, '!');
  else if (result == ICE_DEFRAME_MORE)
    g_assert_cmpuint (in.left, ==, 0);
}

/* Hands @bytes over in exact pieces, so that nothing is read behind one. */
static void
feed (IceDeframer *deframer, const guint8 *bytes, gsize size, GString *frames)
{
  g_autofree guint8 *piece = g_memdup2 (bytes, size);

  drain (deframer, ICE_BYTES (piece, size), frames);
}

static void
expect (const Row *row, const GString *frames, gsize cut1, gsize cut2)
{
  if (g_strcmp0 (row->frames, frames->str) != 0)
    g_error ("%s, cut at %" G_GSIZE_FORMAT " and %" G_GSIZE_FORMAT
             ": frames \"%s\", not \"%s\"",
        row->name, cut1, cut2, frames->str, row->frames);
}

static void
check_cuts (const Row *row, gsize cut1, gsize cut2)
{
  g_autoptr (GString) frames = g_string_new (NULL);
  IceDeframer deframer;

  ice_deframer_init (&deframer, row->framing);
  feed (&deframer, row->bytes, cut1, frames);
  feed (&deframer, row->bytes + cut1, cut2 - cut1, frames);
  feed (&deframer, row->bytes + cut2, row->size - cut2, frames);
  expect (row, frames, cut1, cut2);
  ice_deframer_clear (&deframer);
}

/* Whatever two places the stream is cut at, the same frames come out. */
static void
test_every_split (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (gsize cut1 = 0; cut1 <= rows[i].size; cut1++) {
      for (gsize cut2 = cut1; cut2 <= rows[i].size; cut2++)
        check_cuts (&rows[i], cut1, cut2);
    }
  }
}

static void
test_byte_by_byte (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GString) frames = g_string_new (NULL);
    IceDeframer deframer;

    ice_deframer_init (&deframer, rows[i].framing);
    for (gsize j = 0; j < rows[i].size; j++)
      feed (&deframer, rows[i].bytes + j, 1, frames);
    expect (&rows[i], frames, 1, 1);
    ice_deframer_clear (&deframer);
  }
}

static void
test_rubbish_is_for_ever (void)
{
  static const guint8 rubbish[] = { 0xff, 0, 0, 0 };
  static const guint8 request[] = { STUN_0 };
  IceDeframer deframer;
  IceReader in;
  IceBytes frame;

  ice_deframer_init (&deframer, ICE_FRAMING_TURN);
  ice_reader_init (&in, ICE_BYTES (rubbish, sizeof (rubbish)));
  g_assert_cmpint (
      ice_deframer_next (&deframer, &in, &frame), ==, ICE_DEFRAME_RUBBISH);
  ice_reader_init (&in, ICE_BYTES (request, sizeof (request)));
  g_assert_cmpint (
      ice_deframer_next (&deframer, &in, &frame), ==, ICE_DEFRAME_RUBBISH);
  ice_deframer_clear (&deframer);
}

/* Rule 5 of security: who claims 64 KiB and sends three bytes gets memory for
 * three bytes, and who sends them all gets no more than twice that. */
static void
check_memory (IceFraming framing, const guint8 *header, gsize size)
{
  static const guint8 filler[1000];
  IceDeframer deframer;
  IceReader in;
  IceBytes frame;
  gsize sent = size;

  ice_deframer_init (&deframer, framing);
  ice_reader_init (&in, ICE_BYTES (header, size));
  g_assert_cmpint (
      ice_deframer_next (&deframer, &in, &frame), ==, ICE_DEFRAME_MORE);
  g_assert_cmpuint (deframer.begun.allocated, <=, 64);
  do {
    ice_reader_init (&in, ICE_BYTES (filler, sizeof (filler)));
    sent += sizeof (filler);
    g_assert_cmpuint (deframer.begun.allocated, <=, 2 * ICE_FRAME_MAX);
    g_assert_cmpuint (sent, <, 2 * ICE_FRAME_MAX);
  } while (ice_deframer_next (&deframer, &in, &frame) == ICE_DEFRAME_MORE);
  g_assert_cmpuint (frame.size, >=, 65535);
  g_assert_cmpuint (frame.size, <=, ICE_FRAME_MAX);
  /* What was collected goes with the next call, not with the last frame. */
  ice_reader_init (&in, ICE_BYTES_NONE);
  g_assert_cmpint (
      ice_deframer_next (&deframer, &in, &frame), ==, ICE_DEFRAME_MORE);
  g_assert_cmpuint (deframer.begun.allocated, ==, 0);
  ice_deframer_clear (&deframer);
}

static void
test_giant_frames (void)
{
  static const guint8 rfc4571[] = { 0xff, 0xff, 1 };
  static const guint8 channel[] = { 0x40, 0, 0xff, 0xff, 1 };
  static const guint8 stun[] = { 0, 1, 0xff, 0xf0 };

  check_memory (ICE_FRAMING_RFC4571, rfc4571, sizeof (rfc4571));
  check_memory (ICE_FRAMING_TURN, channel, sizeof (channel));
  check_memory (ICE_FRAMING_TURN, stun, sizeof (stun));
}

/* What ice_frame_new wrote comes out again, cut at random places. */
static void
check_round_trip (IceFraming framing, IceBytes packet, guint n)
{
  g_autoptr (IcePacket) framed = ice_frame_new (framing, packet);
  IceDeframer deframer;
  guint found = 0;

  g_assert_nonnull (framed);
  ice_deframer_init (&deframer, framing);
  for (guint i = 0; i < n; i++) {
    gsize at = 0;

    while (at < framed->size) {
      gsize size = g_test_rand_int_range (1, (gint) (framed->size - at) + 1);
      IceReader in;
      IceBytes frame;

      ice_reader_init (&in, ICE_BYTES (framed->data + at, size));
      at += size;
      while (ice_deframer_next (&deframer, &in, &frame) == ICE_DEFRAME_FRAME) {
        g_assert_true (ice_bytes_equal (frame, packet));
        found++;
      }
    }
  }
  g_assert_cmpuint (found, ==, n);
  ice_deframer_clear (&deframer);
}

static void
test_round_trip (void)
{
  static const guint8 stun[] = { STUN_4 };
  g_autofree guint8 *bytes = g_malloc (65539);

  for (gsize i = 0; i < 65539; i++)
    bytes[i] = (guint8) (i * 31);
  for (gsize size = 1; size < 300; size++)
    check_round_trip (ICE_FRAMING_RFC4571, ICE_BYTES (bytes, size), 5);
  check_round_trip (ICE_FRAMING_RFC4571, ICE_BYTES (bytes, 65535), 3);
  check_round_trip (ICE_FRAMING_TURN, ICE_BYTES (stun, sizeof (stun)), 9);
  bytes[0] = 0x41;
  for (guint size = 0; size <= 65535; size = size < 9 ? size + 1 : 5 * size) {
    bytes[2] = (guint8) (size >> 8);
    bytes[3] = (guint8) size;
    check_round_trip (ICE_FRAMING_TURN, ICE_BYTES (bytes, 4 + size), 3);
  }
  bytes[2] = bytes[3] = 0xff;
  check_round_trip (ICE_FRAMING_TURN, ICE_BYTES (bytes, 65539), 3);
}

/* RFC 8656 12.5: zeros, not what lay in the memory before. */
static void
test_padding_is_zero (void)
{
  static const guint8 data[] = { 0x40, 0, 0, 1, 0xaa };
  g_autoptr (IcePacket) frame =
      ice_frame_new (ICE_FRAMING_TURN, ICE_BYTES (data, sizeof (data)));

  g_assert_cmpuint (frame->size, ==, 8);
  g_assert_cmpuint (frame->data[4], ==, 0xaa);
  for (guint i = 5; i < 8; i++)
    g_assert_cmpuint (frame->data[i], ==, 0);
}

static void
test_what_cannot_be_framed (void)
{
  static const guint8 rtp[] = { 0x80, 96, 0, 1 };
  static const guint8 cut[] = { 0x40, 0, 0, 9, 'x' };
  static const guint8 padded[] = { 0x40, 0, 0, 1, 'x', 0, 0, 0 };
  g_autofree guint8 *big = g_malloc0 (65536);

  g_assert_null (ice_frame_new (ICE_FRAMING_RFC4571, ICE_BYTES (big, 65536)));
  g_assert_null (ice_frame_new (ICE_FRAMING_RFC4571, ICE_BYTES_NONE));
  g_assert_null (ice_frame_new (ICE_FRAMING_TURN, ICE_BYTES_NONE));
  g_assert_null (
      ice_frame_new (ICE_FRAMING_TURN, ICE_BYTES (rtp, sizeof (rtp))));
  g_assert_null (
      ice_frame_new (ICE_FRAMING_TURN, ICE_BYTES (cut, sizeof (cut))));
  g_assert_null (
      ice_frame_new (ICE_FRAMING_TURN, ICE_BYTES (padded, sizeof (padded))));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/framing/every-split", test_every_split);
  g_test_add_func ("/framing/byte-by-byte", test_byte_by_byte);
  g_test_add_func ("/framing/rubbish-is-for-ever", test_rubbish_is_for_ever);
  g_test_add_func ("/framing/giant-frames", test_giant_frames);
  g_test_add_func ("/rfc4571/2/round-trip", test_round_trip);
  g_test_add_func ("/rfc8656/12.5/padding-is-zero", test_padding_is_zero);
  g_test_add_func (
      "/framing/what-cannot-be-framed", test_what_cannot_be_framed);
  return g_test_run ();
}
