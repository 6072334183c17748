/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The server as an object, so that gst-ice-1.0 serve can have one by the name
 * of its type without linking what it is made of. Listens when it is
 * initialised (GInitable), in the thread-default context of that thread. The
 * action "end" says goodbye to everybody; "ended" follows. */
#define GST_TYPE_ICE_SIGNALLING_SERVER (gst_ice_signalling_server_get_type ())
G_DECLARE_FINAL_TYPE (GstIceSignallingServer, gst_ice_signalling_server, GST,
    ICE_SIGNALLING_SERVER, GObject)

G_END_DECLS
