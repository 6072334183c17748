/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* What icesink is given before there is a path. */
typedef enum
{
  GST_ICE_EARLY_DATA_BLOCK,
  GST_ICE_EARLY_DATA_DROP,
  GST_ICE_EARLY_DATA_QUEUE,
} GstIceEarlyData;

GType gst_ice_early_data_get_type (void);

/* Packets that wait for the path. DTLS is kept even where media is dropped: a
 * handshake that loses its first flight waits a second before it sends it again
 * (RFC 6347 4.2.4.1), and media with it. */
typedef struct
{
  GQueue packets; /* (owned) (element-type GstBuffer) */
  gsize size;
  GstClockTime last_dtls;
  guint64 n_dropped;
} GstIceEarly;

void gst_ice_early_init (GstIceEarly *self);
void gst_ice_early_clear (GstIceEarly *self);
/* @mode: DROP or QUEUE. @now: of any clock that goes on. */
void gst_ice_early_push (GstIceEarly *self, GstBuffer *packet,
    GstIceEarlyData mode, GstClockTime now);
/* (transfer full) (nullable) all that waited */
GstBufferList *gst_ice_early_take (GstIceEarly *self);

/* By the first byte (RFC 7983 7). */
gboolean gst_ice_packet_is_dtls (GstBuffer *packet);
/* By the second (RFC 5761 4). */
gboolean gst_ice_packet_is_rtcp (GstBuffer *packet);

G_END_DECLS
