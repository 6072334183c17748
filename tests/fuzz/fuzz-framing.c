/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes of a stream in pieces: in which pieces they come makes no difference,
 * memory follows what came and not what was claimed, and a frame that was read
 * reads the same again (RFC 4571 2, RFC 8656 12.5). */
#include "gst/ice/base/framing.h"

#include "script.h"
#include "target.h"

#define MAX_FRAMES 64

typedef struct
{
  guint n;
  IceDeframe result;
  guint64 digest; /* of the frames, their sizes and their order */
} Reading;

static void
digest (Reading *self, IceBytes frame)
{
  gsize i;

  /* FNV-1a */
  self->digest = (self->digest ^ frame.size) * 1099511628211u;
  for (i = 0; i < frame.size; i++)
    self->digest = (self->digest ^ frame.data[i]) * 1099511628211u;
  self->n++;
}

static void
check_again (IceFraming framing, IceBytes frame)
{
  g_autoptr (IcePacket) packet = ice_frame_new (framing, frame);
  IceDeframer self;
  IceReader in;
  IceBytes again;

  g_assert_nonnull (packet);
  ice_deframer_init (&self, framing);
  ice_reader_init (&in, ICE_BYTES (packet->data, packet->size));
  g_assert_cmpint (
      ice_deframer_next (&self, &in, &again), ==, ICE_DEFRAME_FRAME);
  g_assert_cmpmem (again.data, again.size, frame.data, frame.size);
  g_assert_cmpint (
      ice_deframer_next (&self, &in, &again), ==, ICE_DEFRAME_MORE);
  ice_deframer_clear (&self);
}

/* @steps says how many bytes come at a time, over and over; without any they
 * come all at once. */
static Reading
read_stream (
    IceFraming framing, IceBytes stream, IceBytes steps, gboolean again)
{
  Reading reading = { .result = ICE_DEFRAME_MORE };
  IceDeframer self;
  gsize at = 0, turn = 0;

  ice_deframer_init (&self, framing);
  while (at < stream.size && reading.result == ICE_DEFRAME_MORE) {
    gsize step =
        steps.size ? 1u + steps.data[turn++ % steps.size] % 64 : stream.size;
    gsize size = MIN (step, stream.size - at);
    IceReader in;
    IceBytes frame;

    ice_reader_init (&in, ICE_BYTES (stream.data + at, size));
    while ((reading.result = ice_deframer_next (&self, &in, &frame)) ==
        ICE_DEFRAME_FRAME) {
      g_assert_cmpuint (frame.size, >, 0);
      g_assert_cmpuint (frame.size, <=, stream.size);
      digest (&reading, frame);
      if (again && reading.n < MAX_FRAMES)
        check_again (framing, frame);
    }
    if (reading.result == ICE_DEFRAME_MORE)
      g_assert_cmpuint (in.left, ==, 0);
    at += size;
    g_assert_cmpuint (self.begun.allocated, <=, 2 * at + 64);
  }
  ice_deframer_clear (&self);
  return reading;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Script in = { data, size };
  guint head = script_u8 (&in);
  IceFraming framing = head & 1 ? ICE_FRAMING_TURN : ICE_FRAMING_RFC4571;
  IceBytes steps = script_bytes (&in, 1 + (head >> 1) % 8);
  IceBytes stream = script_bytes (&in, in.left);
  Reading whole = read_stream (framing, stream, ICE_BYTES_NONE, TRUE);
  Reading pieces = read_stream (framing, stream, steps, FALSE);

  g_assert_cmpuint (whole.n, ==, pieces.n);
  g_assert_cmpuint (whole.digest, ==, pieces.digest);
  g_assert_cmpint (whole.result, ==, pieces.result);
  return 0;
}
