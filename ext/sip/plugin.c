/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls by SIP (RFC 3261) with ICE (RFC 8839, RFC 8840), on sofia-sip. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <gst/ice/ice.h>

#include "signaller.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  static const gchar *const schemes[] = { "sip", "sips", NULL };

  gst_ice_signaller_register ("sip", schemes, GST_TYPE_ICE_SIP_SIGNALLER);
  return TRUE;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, icesip,
    "Calls by SIP for ICE", plugin_init, VERSION, GST_LICENSE, GST_PACKAGE_NAME,
    GST_PACKAGE_ORIGIN)
