/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

/* ice+stdio: the peer is at the other end of standard input and output: a
 * pipe (socat, ssh), or a person who pastes. */
#define GST_TYPE_ICE_STDIO_SIGNALLER (gst_ice_stdio_signaller_get_type ())
G_DECLARE_FINAL_TYPE (GstIceStdioSignaller, gst_ice_stdio_signaller, GST,
    ICE_STDIO_SIGNALLER, GObject)

G_END_DECLS
