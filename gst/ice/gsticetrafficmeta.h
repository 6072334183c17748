/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#if !defined(__GST_ICE_H_INSIDE__) && !defined(BUILDING_GST_ICE)
#error "Only <gst/ice/ice.h> can be included directly."
#endif

#include <gst/ice/gsticetypes.h>

G_BEGIN_DECLS

#define GST_ICE_TRAFFIC_META_API_TYPE (gst_ice_traffic_meta_api_get_type ())
#define GST_ICE_TRAFFIC_META_INFO (gst_ice_traffic_meta_get_info ())

/**
 * GST_ICE_DSCP_DEFAULT:
 *
 * As a DSCP: what the stream or the agent was set to.
 */
#define GST_ICE_DSCP_DEFAULT (-1)

typedef struct _GstIceTrafficMeta GstIceTrafficMeta;

/**
 * GstIceTrafficMeta:
 * @meta: the parent
 * @dscp: the differentiated services code point (RFC 2474), 0 to 63, or
 *   %GST_ICE_DSCP_DEFAULT
 * @ecn: the explicit congestion notification field (RFC 3168)
 *
 * How a packet is marked in its IP header. Buffers that are received carry one
 * when the mark was anything but zero; buffers that are sent may be given one.
 * It stays with the buffer through elements that change its memory.
 */
struct _GstIceTrafficMeta
{
  GstMeta meta;

  gint dscp;
  GstIceEcn ecn;
};

GST_ICE_API
GType gst_ice_traffic_meta_api_get_type (void);
GST_ICE_API
const GstMetaInfo *gst_ice_traffic_meta_get_info (void);
GST_ICE_API
GstIceTrafficMeta *
gst_ice_buffer_add_traffic_meta (GstBuffer *buffer, gint dscp, GstIceEcn ecn);
GST_ICE_API
GstIceTrafficMeta *gst_ice_buffer_get_traffic_meta (GstBuffer *buffer);

G_END_DECLS
