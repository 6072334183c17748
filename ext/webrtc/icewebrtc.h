/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

#include "compat.h"

G_BEGIN_DECLS

/* webrtcbin's view of our agent: what it sets as "ice-agent". */
#define GST_TYPE_ICE_WEBRTC (gst_ice_webrtc_get_type ())
G_DECLARE_FINAL_TYPE (
    GstIceWebRTC, gst_ice_webrtc, GST, ICE_WEBRTC, GstWebRTCICE)

/* (transfer full) @agent (nullable): one of its own */
GstIceWebRTC *gst_ice_webrtc_new (GstIceAgent *agent);
/* (transfer full) */
GstIceAgent *gst_ice_webrtc_ref_agent (GstIceWebRTC *self);
/* What webrtcbin was told of servers. */
void gst_ice_webrtc_copy_servers (GstIceWebRTC *from, GstIceWebRTC *to);
/* Before a webrtcbin goes to READY: it wants libnice's elements to be known,
 * though it never makes one of them. */
void gst_ice_webrtc_fill_registry (void);
/* Text to an agent and back: "webrtcbin ice-agent=NAME". */
void gst_ice_webrtc_register_value_type (void);

G_END_DECLS
