/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "../base/address.h"

G_BEGIN_DECLS

/* Receive memory: large slabs that recvmsg fills (a GRO read is up to 64 KiB)
 * and that are cut into packets without copying. A slab goes back to the pool
 * when the last GstBuffer cut from it is gone. */
typedef struct _IceRxSlab IceRxSlab;

typedef struct
{
  IceRxSlab *slab; /* (unowned) for the time of the call */
  IceBytes data;   /* inside the slab */
  IceAddress from;
  IceTime received_at;  /* g_get_monotonic_time, from the kernel's stamp */
  guint8 traffic_class; /* TOS or traffic class byte */
} IceRxPacket;

/* (transfer full) the packet without its first @offset bytes (4 for a
 * ChannelData header), without a copy; @size bytes long. */
GstBuffer *
ice_rx_packet_to_buffer (const IceRxPacket *packet, gsize offset, gsize size);

typedef struct _IceRxPool IceRxPool;
IceRxPool *ice_rx_pool_new (void);
IceRxPool *ice_rx_pool_ref (IceRxPool *self);
void ice_rx_pool_unref (IceRxPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceRxPool, ice_rx_pool_unref)

/* For the socket backends: a slab with at least @size free bytes; (unowned)
 * until the next call. */
IceRxSlab *ice_rx_pool_prepare (IceRxPool *self, gsize size, guint8 **ret_data);
/* @used bytes from ret_data on now hold packets. */
void ice_rx_pool_commit (IceRxPool *self, gsize used);

G_END_DECLS
