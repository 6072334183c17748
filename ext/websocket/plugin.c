/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signalling over WebSocket: the signaller, and the server for the tool. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "serverobject.h"
#include "wssignaller.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  static const gchar *const schemes[] = { "ice+ws", "ice+wss", NULL };
  static const gchar *const none[] = { NULL };

  gst_ice_signaller_register (
      "websocket", schemes, GST_TYPE_ICE_WEBSOCKET_SIGNALLER);
  gst_ice_signaller_register (
      "gst-webrtc", none, GST_TYPE_ICE_WEBRTC_SIGNALLER);
  /* Found by its name. */
  g_type_ensure (GST_TYPE_ICE_SIGNALLING_SERVER);
  return TRUE;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, icewebsocket,
    "Signalling over WebSocket for ICE", plugin_init, VERSION, GST_LICENSE,
    GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
