/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "framing.h"

#include <string.h>

/* RFC 4571 2: LENGTH. */
#define RFC4571_HEADER_SIZE 2
/* Both kinds of TURN frames have their length in the bytes 2 and 3. */
#define TURN_HEADER_SIZE 4
/* RFC 8489 5: the length of a STUN message does not count its header. */
#define STUN_HEADER_SIZE 20

/* What the first bytes of a frame say about it. */
typedef struct
{
  gsize header;  /* bytes to pass over before the packet */
  gsize packet;  /* its size */
  gsize padding; /* bytes to pass over behind it */
} Shape;

static gsize
header_size (IceFraming framing)
{
  return framing == ICE_FRAMING_TURN ? TURN_HEADER_SIZE : RFC4571_HEADER_SIZE;
}

static gsize
padding_of (gsize size)
{
  return -size & 3;
}

/* RFC 7983 7: a STUN message starts with 0 to 3, ChannelData with 64 to 79;
 * on a connection to a TURN server there is nothing else. RFC 8489 5: the
 * length of a message is a multiple of four. */
static gboolean
read_turn_shape (const guint8 *bytes, Shape *ret_shape)
{
  gsize length = (gsize) bytes[2] << 8 | bytes[3];

  *ret_shape = (Shape){ 0 };
  if (bytes[0] <= 3) {
    ret_shape->packet = STUN_HEADER_SIZE + length;
    return length % 4 == 0 && ret_shape->packet <= ICE_FRAME_MAX;
  }
  ret_shape->packet = TURN_HEADER_SIZE + length;
  ret_shape->padding = padding_of (length);
  return bytes[0] >= 64 && bytes[0] <= 79;
}

/* FALSE: no frame starts like this. */
static gboolean
read_shape (IceFraming framing, const guint8 *bytes, Shape *ret_shape)
{
  if (framing == ICE_FRAMING_TURN)
    return read_turn_shape (bytes, ret_shape);
  *ret_shape = (Shape){ .header = RFC4571_HEADER_SIZE,
    .packet = (gsize) bytes[0] << 8 | bytes[1] };
  return TRUE;
}

void
ice_deframer_init (IceDeframer *self, IceFraming framing)
{
  *self = (IceDeframer){ .framing = framing };
}

void
ice_deframer_clear (IceDeframer *self)
{
  ice_writer_clear (&self->begun);
  self->whole = FALSE;
}

/* Moves bytes from @in until @size of the frame are here. */
static gboolean
collect (IceDeframer *self, IceReader *in, gsize size)
{
  IceBytes bytes;
  gsize missing = size > self->begun.size ? size - self->begun.size : 0;

  if (ice_read_bytes (in, MIN (missing, in->left), &bytes))
    ice_write_bytes (&self->begun, bytes);
  return self->begun.size >= size;
}

static IceBytes
packet_in (const guint8 *frame, const Shape *shape)
{
  return ICE_BYTES (frame + shape->header, shape->packet);
}

/* The usual case: the frame is whole in what was read, and stays there. */
static IceDeframe
next_in_place (IceDeframer *self, IceReader *in, IceBytes *ret_frame)
{
  const guint8 *frame = in->data;
  Shape shape;

  if (in->left < header_size (self->framing))
    return ICE_DEFRAME_MORE;
  if (!read_shape (self->framing, frame, &shape))
    return ICE_DEFRAME_RUBBISH;
  if (!ice_skip (in, shape.header + shape.packet + shape.padding))
    return ICE_DEFRAME_MORE;
  *ret_frame = packet_in (frame, &shape);
  return ICE_DEFRAME_FRAME;
}

static IceDeframe
next_collected (IceDeframer *self, IceReader *in, IceBytes *ret_frame)
{
  Shape shape;

  if (!collect (self, in, header_size (self->framing)))
    return ICE_DEFRAME_MORE;
  if (!read_shape (self->framing, self->begun.data, &shape))
    return ICE_DEFRAME_RUBBISH;
  if (!collect (self, in, shape.header + shape.packet + shape.padding))
    return ICE_DEFRAME_MORE;
  self->whole = TRUE;
  *ret_frame = packet_in (self->begun.data, &shape);
  return ICE_DEFRAME_FRAME;
}

static IceDeframe
next_frame (IceDeframer *self, IceReader *in, IceBytes *ret_frame)
{
  IceDeframe result = ICE_DEFRAME_MORE;

  if (self->whole)
    ice_deframer_clear (self);
  if (self->begun.size == 0)
    result = next_in_place (self, in, ret_frame);
  if (result == ICE_DEFRAME_MORE && (self->begun.size > 0 || in->left > 0))
    result = next_collected (self, in, ret_frame);
  return result;
}

IceDeframe
ice_deframer_next (IceDeframer *self, IceReader *in, IceBytes *ret_frame)
{
  IceDeframe result = ICE_DEFRAME_RUBBISH;

  if (self->rubbish)
    return result;
  do
    result = next_frame (self, in, ret_frame);
  while (result == ICE_DEFRAME_FRAME && ret_frame->size == 0);
  if (result == ICE_DEFRAME_RUBBISH) {
    ice_deframer_clear (self);
    self->rubbish = TRUE;
  }
  return result;
}

/* The padding is written as zeros: nothing of ours leaks (security.md). */
static gsize
padding_for (IceFraming framing, IceBytes packet)
{
  return framing == ICE_FRAMING_TURN ? padding_of (packet.size) : 0;
}

static gboolean
may_carry (IceFraming framing, IceBytes packet)
{
  Shape shape;

  if (framing == ICE_FRAMING_RFC4571)
    return packet.size > 0 && packet.size <= G_MAXUINT16;
  return packet.size >= TURN_HEADER_SIZE &&
      read_turn_shape (packet.data, &shape) && shape.packet == packet.size;
}

IcePacket *
ice_frame_new (IceFraming framing, IceBytes packet)
{
  gsize header = framing == ICE_FRAMING_RFC4571 ? RFC4571_HEADER_SIZE : 0;
  gsize padding = padding_for (framing, packet);
  IcePacket *frame;

  if (!may_carry (framing, packet))
    return NULL;
  frame = ice_packet_new (header + packet.size + padding);
  if (header > 0) {
    frame->data[0] = (guint8) (packet.size >> 8);
    frame->data[1] = (guint8) packet.size;
  }
  memcpy (frame->data + header, packet.data, packet.size);
  memset (frame->data + header + packet.size, 0, padding);
  return frame;
}
