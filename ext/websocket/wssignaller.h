/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

#define GST_TYPE_ICE_WEBSOCKET_SIGNALLER                                       \
  (gst_ice_websocket_signaller_get_type ())
GType gst_ice_websocket_signaller_get_type (void);
typedef struct _GstIceWebsocketSignaller GstIceWebsocketSignaller;

/* The same with dialect=gst-webrtc. */
#define GST_TYPE_ICE_WEBRTC_SIGNALLER (gst_ice_webrtc_signaller_get_type ())
GType gst_ice_webrtc_signaller_get_type (void);

G_END_DECLS
