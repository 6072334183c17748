/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

#define GST_TYPE_ICE_SIP_SIGNALLER (gst_ice_sip_signaller_get_type ())
G_DECLARE_FINAL_TYPE (
    GstIceSipSignaller, gst_ice_sip_signaller, GST, ICE_SIP_SIGNALLER, GObject)

G_END_DECLS
