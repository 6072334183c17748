/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

/* ice+mqtt:, ice+mqtts:: peers meet in a room, which is a topic of a broker. */
#define GST_TYPE_ICE_MQTT_SIGNALLER (gst_ice_mqtt_signaller_get_type ())
G_DECLARE_FINAL_TYPE (GstIceMqttSignaller, gst_ice_mqtt_signaller, GST,
    ICE_MQTT_SIGNALLER, GObject)

G_END_DECLS
