/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bytes.h"

G_BEGIN_DECLS

/* How packets lie in a stream connection. */
typedef enum
{
  ICE_FRAMING_RFC4571, /* RFC 4571 2: two bytes of length before each */
  ICE_FRAMING_TURN,    /* RFC 8656 12.5, RFC 8489 6.2.2: STUN messages and
                          ChannelData one behind the other, by their own
                          lengths, the latter padded to four bytes */
} IceFraming;

/* The largest frame: ChannelData of 65535 bytes, its header and padding
 * (RFC 8656 12.5). What claims to be longer is rubbish. */
#define ICE_FRAME_MAX (65536 + 4)

typedef enum
{
  ICE_DEFRAME_FRAME,   /* one whole packet */
  ICE_DEFRAME_MORE,    /* every byte was taken, the next frame is not whole */
  ICE_DEFRAME_RUBBISH, /* not this framing: close the connection */
} IceDeframe;

/* Puts the frames of one connection together again. The state belongs to the
 * connection, never to what it is used for: half a frame of a stranger's must
 * stop nobody else. Memory grows with the bytes that came, not with the length
 * that was claimed.
 *
 *  1. ice_deframer_init for each new connection;
 *  2. what was read goes into an IceReader; ice_deframer_next until it does not
 *     say FRAME; never in between may other bytes come;
 *  3. ice_deframer_clear. */
typedef struct
{
  IceFraming framing;
  gboolean rubbish;
  IceWriter begun; /* the first part of a frame; without memory when empty */
  gboolean whole;  /* it was handed out, and goes at the next call */
} IceDeframer;

void ice_deframer_init (IceDeframer *self, IceFraming framing);
void ice_deframer_clear (IceDeframer *self);
/* @ret_frame is the packet without header and padding; it borrows from @in or
 * from the deframer until the next call. Empty RFC 4571 frames ("null packets",
 * RFC 4571 2) are passed over. After RUBBISH it is RUBBISH for ever. */
IceDeframe
ice_deframer_next (IceDeframer *self, IceReader *in, IceBytes *ret_frame);

/* (transfer full) (nullable) @packet as it goes on the stream; NULL when the
 * framing cannot carry it: larger than 65535 bytes, empty, or under TURN
 * neither STUN nor ChannelData. */
IcePacket *ice_frame_new (IceFraming framing, IceBytes packet);

G_END_DECLS
