/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_ICE_WEBRTC_BIN (gst_ice_webrtc_bin_get_type ())
G_DECLARE_FINAL_TYPE (
    GstIceWebRTCBin, gst_ice_webrtc_bin, GST, ICE_WEBRTC_BIN, GstBin)
GST_ELEMENT_REGISTER_DECLARE (icewebrtcbin)

G_END_DECLS
