/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "../base/address.h"

G_BEGIN_DECLS

/* Receive memory: slabs of 256 KiB that recvmsg fills (a GRO read is up to
 * 64 KiB) and that are cut into packets without copying.
 *
 * A slab goes back to the pool when the last GstBuffer cut from it is gone,
 * from whichever thread. One long-lived packet therefore holds 256 KiB, and
 * two things bound that: small packets, the usual long-lived ones (audio
 * behind a jitterbuffer), are copied, which costs little more than wrapping;
 * and once 16 MiB of slabs are out, every packet is copied until some come
 * back. What a consumer that never lets go can pin is 16 MiB a loop. */
typedef struct _IceRxSlab IceRxSlab;

typedef struct
{
  IceRxSlab
      *slab;     /* (unowned) for the time of the call; (nullable) elsewhere */
  IceBytes data; /* inside the slab */
  IceAddress from;
  IceTime received_at;  /* g_get_monotonic_time, from the kernel's stamp */
  guint8 traffic_class; /* TOS or traffic class byte */
} IceRxPacket;

/* (transfer full) the packet without its first @offset bytes (4 for a
 * ChannelData header), without a copy; @size bytes long. The memory is
 * writable: decryption in place spoils no neighbour. Loop thread, inside
 * IceSocketEvents.packets. */
GstBuffer *
ice_rx_packet_to_buffer (const IceRxPacket *packet, gsize offset, gsize size);

/* The pool of one loop thread. Outstanding buffers survive it. */
typedef struct _IceRxPool IceRxPool;
IceRxPool *ice_rx_pool_new (void);
void ice_rx_pool_free (IceRxPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceRxPool, ice_rx_pool_free)

/* For the socket backends, one wake-up at a time:
 *
 *  1. prepare: a slab with at least @size free bytes, (unowned) until the
 *     commit; @ret_size says how many there are;
 *  2. fill, hand the packets out;
 *  3. commit: @used bytes from ret_data on hold packets. When no buffer was
 *     cut from them they are free again at once: STUN costs no memory. */
IceRxSlab *ice_rx_pool_prepare (
    IceRxPool *self, gsize size, guint8 **ret_data, gsize *ret_size);
void ice_rx_pool_commit (IceRxPool *self, gsize used);

/* Room for the packets of one wake-up, beside the slabs for their bytes. */
#define ICE_RX_MAX_PACKETS 512
IceRxPacket *ice_rx_pool_get_packets (IceRxPool *self);

/* How many slabs are out of the pool's hands: for tests and stats. */
guint ice_rx_pool_n_pinned (IceRxPool *self);

G_END_DECLS
