/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <glib/gi18n-lib.h>

#include "icewebrtc.h"
#include "icewebrtcbin.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
#ifdef ENABLE_NLS
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
#endif
  gst_ice_webrtc_register_value_type ();
  gst_type_mark_as_plugin_api (GST_TYPE_ICE_WEBRTC, 0);
  return GST_ELEMENT_REGISTER (icewebrtcbin, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, icewebrtc,
    "WebRTC over gst-ice", plugin_init, PACKAGE_VERSION, GST_LICENSE,
    GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
