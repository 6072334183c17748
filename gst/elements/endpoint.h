/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "member.h"

G_BEGIN_DECLS

/* On an agent that was closed when its last member left; its "state" says so a
 * little later. */
#define GST_ICE_AGENT_WAS_LEFT "gst-ice-was-left"

/* One for each agent that elements use: who they are, the session by which
 * they meet the peer, and what is told about it on the bus. Its methods may be
 * called from any thread. */
#define GST_TYPE_ICE_ENDPOINT (gst_ice_endpoint_get_type ())
G_DECLARE_FINAL_TYPE (
    GstIceEndpoint, gst_ice_endpoint, GST, ICE_ENDPOINT, GObject)

/* (transfer full). @element_made: closed when the last member leaves. */
GstIceEndpoint *gst_ice_endpoint_join (GstIceAgent *agent,
    gboolean element_made, GstIceMember *member, GError **error);
/* The last to leave ends the session. */
void gst_ice_endpoint_leave (GstIceEndpoint *self, GstIceMember *member);
/* READY to PAUSED: gathers, goes to the meeting place. */
gboolean gst_ice_endpoint_activate (
    GstIceEndpoint *self, GstIceMember *member, GError **error);
/* To PAUSED and to PLAYING: FALSE if the session failed meanwhile. That was
 * posted already, but gst-launch-1.0 does not hear what comes while it goes to
 * PAUSED.
 */
gboolean gst_ice_endpoint_check (GstIceEndpoint *self, GError **error);
/* What @member will send, as its CAPS event says. */
void gst_ice_endpoint_set_caps (
    GstIceEndpoint *self, GstIceMember *member, GstCaps *caps);
/* (transfer full) (nullable) what the m-line of @member says. */
GstCaps *gst_ice_endpoint_dup_caps (GstIceEndpoint *self, GstIceMember *member);
/* An m-line is to be told that was not told yet. */
void gst_ice_endpoint_renegotiate (GstIceEndpoint *self);
/* EOS of @member; after that of the last sender the peer hears bye. */
void gst_ice_endpoint_end (GstIceEndpoint *self, GstIceMember *member);
/* Of a bin: when nothing comes, the end of what it sends is the end. */
void gst_ice_endpoint_set_receiving (
    GstIceEndpoint *self, GstIceMember *member, gboolean receiving);
/* (transfer full) */
GstStructure *gst_ice_endpoint_get_stats (GstIceEndpoint *self);

/* g_signal_connect_object() is not for objects that end in one thread while a
 * signal is emitted in another: this holds @object until disconnected. */
void gst_ice_connect (gpointer instance, const gchar *signal,
    GCallback callback, gpointer object);

/* An element cannot go on: ERROR with a details structure that has "cause". */
void gst_ice_post_error (GstElement *element, const GError *error);

G_END_DECLS
