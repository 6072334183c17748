/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

#include "icewebrtc.h"

G_BEGIN_DECLS

#define GST_TYPE_ICE_WEBRTC_TRANSPORT (gst_ice_webrtc_transport_get_type ())
G_DECLARE_FINAL_TYPE (GstIceWebRTCTransport, gst_ice_webrtc_transport, GST,
    ICE_WEBRTC_TRANSPORT, GstWebRTCICETransport)

/* (transfer full) with an icesrc and an icesink inside */
GstIceWebRTCTransport *gst_ice_webrtc_transport_new (GstIceWebRTC *ice,
    GstIceStream *stream, guint session_id, GstWebRTCICEComponent component);

G_END_DECLS
