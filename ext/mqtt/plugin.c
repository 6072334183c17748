/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <mosquitto.h>

#include "mqttsignaller.h"

GST_DEBUG_CATEGORY (ice_mqtt_debug);

static gboolean
plugin_init (GstPlugin *plugin)
{
  static const gchar *const schemes[] = { "ice+mqtt", "ice+mqtts", NULL };

  GST_DEBUG_CATEGORY_INIT (ice_mqtt_debug, "ice-mqtt", 0, "Meeting by MQTT");
  if (mosquitto_lib_init () != MOSQ_ERR_SUCCESS)
    return FALSE;
  gst_ice_signaller_register ("mqtt", schemes, GST_TYPE_ICE_MQTT_SIGNALLER);
  return TRUE;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, icemqtt,
    "Meeting by MQTT for ICE", plugin_init, VERSION, GST_LICENSE,
    GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
