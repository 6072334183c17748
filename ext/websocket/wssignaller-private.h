/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wssignaller.h"

#include "wsconn.h"
#include "wsdialect.h"
#include "wsplace.h"
#include "wsserver.h"

G_BEGIN_DECLS

/* One meeting, from start to stop; belongs to the service thread. */
typedef struct _GstIceWsMeeting GstIceWsMeeting;

/* @place: (transfer full). Begins at once. @signaller is who emits. */
GstIceWsMeeting *gst_ice_ws_meeting_new (GstIceSignaller *signaller,
    GstIceWsPlace *place, GstIceSignallerRole role, const gchar *key);
/* Says goodbye in its own time, and emits nothing any more. */
void gst_ice_ws_meeting_end (GstIceWsMeeting *self);

void gst_ice_ws_meeting_description (
    GstIceWsMeeting *self, const gchar *type, const gchar *sdp);
void gst_ice_ws_meeting_candidate (GstIceWsMeeting *self, const gchar *mid,
    guint mline_index, const gchar *candidate, const gchar *ufrag);
void gst_ice_ws_meeting_bye (GstIceWsMeeting *self, const gchar *reason);
void gst_ice_ws_meeting_decline (
    GstIceWsMeeting *self, const gchar *reason, const gchar *text);
void gst_ice_ws_meeting_complain (GstIceWsMeeting *self, const gchar *text);

/* wssignaller.c: (transfer full) what to give to the peer, or NULL. */
void gst_ice_websocket_signaller_take_peer_uri (
    GstIceSignaller *signaller, gchar *uri);

GST_DEBUG_CATEGORY_EXTERN (gst_ice_websocket_debug);

G_END_DECLS
