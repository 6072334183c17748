/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

#include "icewebrtc.h"

G_BEGIN_DECLS

#define GST_TYPE_ICE_WEBRTC_STREAM (gst_ice_webrtc_stream_get_type ())
G_DECLARE_FINAL_TYPE (GstIceWebRTCStream, gst_ice_webrtc_stream, GST,
    ICE_WEBRTC_STREAM, GstWebRTCICEStream)

/* (transfer full) @session_id: webrtcbin's, the index of an m-line */
GstIceWebRTCStream *
gst_ice_webrtc_stream_new (GstIceWebRTC *ice, guint session_id);
/* (transfer none) */
GstIceStream *gst_ice_webrtc_stream_get_stream (GstIceWebRTCStream *self);
/* (transfer full) made on first use */
GstWebRTCICETransport *gst_ice_webrtc_stream_ref_transport (
    GstIceWebRTCStream *self, GstWebRTCICEComponent component);

/* Whenever a description is set, the same ones again or others: ICE restart.
 * FALSE: not what RFC 8839 allows. */
gboolean gst_ice_webrtc_stream_set_local (
    GstIceWebRTCStream *self, const gchar *ufrag, const gchar *pwd);
gboolean gst_ice_webrtc_stream_set_remote (
    GstIceWebRTCStream *self, const gchar *ufrag, const gchar *pwd);
/* @candidate (nullable): with "a=", NULL ends them */
gboolean gst_ice_webrtc_stream_add_candidate (
    GstIceWebRTCStream *self, const gchar *candidate, GError **error);
void gst_ice_webrtc_stream_gather (GstIceWebRTCStream *self);
/* All that there will be has been gathered. */
void gst_ice_webrtc_stream_set_gathered (GstIceWebRTCStream *self);

G_END_DECLS
