/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gsticeinbox-private.h"
#include "io/lane.h"

G_BEGIN_DECLS

/* A lane of the socket layer, and what is media in it: the selected pair's, by
 * the address and channel that were accepted when it was opened. Immutable; the
 * pump closes it when the pair or what is accepted changes. */
typedef struct
{
  gatomicrefcount ref_count;
  IceLane *lane; /* (owned) */
  IceAddress from;
  guint16 channel; /* 0: none */
  IceAddress peer; /* behind the channel; equals from otherwise */
  GSocketAddress *socket_address; /* (owned) the peer's */
} GstIceLane;

GstIceLane *gst_ice_lane_new (IceLane *lane, const IceAddress *from,
    guint16 channel, const IceAddress *peer);
GstIceLane *gst_ice_lane_ref (GstIceLane *self);
void gst_ice_lane_unref (GstIceLane *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceLane, gst_ice_lane_unref)

/* The reader's thread. FALSE: the loop reads the lane, so wait at @inbox. TRUE:
 * we waited at both, @timeout at most. @ret_list: (transfer full) (nullable)
 * what came by the lane; NULL when nothing did, @inbox has something, or
 * @cancellable was cancelled. @coalesce: how long more is waited for after the
 * first. */
gboolean
gst_ice_lane_receive (GstIceLane *self, GstIceInbox *inbox, IceTime timeout,
    IceTime coalesce, GCancellable *cancellable, GstBufferList **ret_list);

/* ChannelData of RFC 8656 12.4, as far as these bytes may be some. */
#define GST_ICE_CHANNEL_HEADER 4
gboolean gst_ice_read_channel_header (
    IceBytes data, guint16 *ret_channel, gsize *ret_size);
/* (transfer full) a packet of media, cut from what was received. */
GstBuffer *
gst_ice_cut_packet (const IceRxPacket *packet, gsize offset, gsize size);

G_END_DECLS
