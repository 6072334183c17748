/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/gsticeagent.h>
#include <gst/ice/gsticesignaller.h>

G_BEGIN_DECLS

#define GST_TYPE_ICE_SESSION (gst_ice_session_get_type ())
GST_ICE_API
G_DECLARE_FINAL_TYPE (
    GstIceSession, gst_ice_session, GST, ICE_SESSION, GstObject)

/* Joins an agent and a signaller: meets, offers or answers, trickles, ends.
 * Properties agent, signaller (construct only), state, reason, auto-restart,
 * auto-accept, holding, held. Signals "incoming" (sdp, first), "prepare"
 * (sdp), "negotiated", "rejected" (reason, text), "bye" (reason, from the
 * peer), "restarting" (reason), "error" (GError). */
GST_ICE_API
GstIceSession *
gst_ice_session_new (GstIceAgent *agent, GstIceSignaller *signaller);
/* Goes to the meeting place. */
GST_ICE_API
gboolean gst_ice_session_start (
    GstIceSession *self, GstIceSignallerRole role, GError **error);
/* Every stream on the agent has its caps: the offer or answer may be made. */
GST_ICE_API
void gst_ice_session_set_ready (GstIceSession *self);
/* Caps changed, or a stream came: another offer with the same credentials. */
GST_ICE_API
void gst_ice_session_renegotiate (GstIceSession *self);
/* New credentials and a new offer (RFC 8445 9). */
GST_ICE_API
void gst_ice_session_restart (GstIceSession *self);
/* Answers, or declines, the offer that "incoming" told of. */
GST_ICE_API
void gst_ice_session_accept (GstIceSession *self);
GST_ICE_API
void gst_ice_session_reject (
    GstIceSession *self, const gchar *reason, const gchar *text);
/* RFC 3264 8.4. */
GST_ICE_API
void gst_ice_session_hold (GstIceSession *self);
GST_ICE_API
void gst_ice_session_resume (GstIceSession *self);
/* Tells the peer and stops the signaller. */
GST_ICE_API
void gst_ice_session_bye (GstIceSession *self, const gchar *reason);

G_END_DECLS
