/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/gsticetransport.h>
#include <gst/ice/gsticecandidate.h>

G_BEGIN_DECLS

#define GST_TYPE_ICE_STREAM (gst_ice_stream_get_type ())
GST_ICE_API
G_DECLARE_FINAL_TYPE (GstIceStream, gst_ice_stream, GST, ICE_STREAM, GstObject)

GST_ICE_API
void gst_ice_stream_get_local_credentials (
    GstIceStream *self, gchar **ufrag, gchar **pwd);
GST_ICE_API
void gst_ice_stream_set_local_credentials (
    GstIceStream *self, const gchar *ufrag, const gchar *pwd);
GST_ICE_API
void gst_ice_stream_set_remote_credentials (
    GstIceStream *self, const gchar *ufrag, const gchar *pwd);
GST_ICE_API
gboolean gst_ice_stream_add_remote_sdp (
    GstIceStream *self, const gchar *attribute, GError **error);
GST_ICE_API
void gst_ice_stream_add_remote_candidate (
    GstIceStream *self, GstIceCandidate *candidate);
GST_ICE_API
void gst_ice_stream_end_remote_candidates (GstIceStream *self);
GST_ICE_API
void gst_ice_stream_gather_async (GstIceStream *self, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
GST_ICE_API
gboolean gst_ice_stream_gather_finish (
    GstIceStream *self, GAsyncResult *result, GError **error);
GST_ICE_API
void gst_ice_stream_restart (GstIceStream *self);
GST_ICE_API
void gst_ice_stream_restart_with_credentials (
    GstIceStream *self, const gchar *ufrag, const gchar *pwd);
GST_ICE_API
GPtrArray *gst_ice_stream_get_local_candidates (GstIceStream *self);
GST_ICE_API
GPtrArray *gst_ice_stream_get_remote_candidates (GstIceStream *self);
GST_ICE_API
gboolean gst_ice_stream_set_selected_pair (GstIceStream *self, guint component,
    const GstIceCandidate *local, const GstIceCandidate *remote,
    GError **error);
GST_ICE_API
void gst_ice_stream_set_caps (
    GstIceStream *self, const GstCaps *send, const GstCaps *receive);
/* What the peer will send, from its description; NULL before, and for what is
 * not RTP "application/x-gst-ice". Notifies "remote-caps". */
GST_ICE_API
GstCaps *gst_ice_stream_get_remote_caps (GstIceStream *self);
/* What we told the peer we send: payload type included. "local-caps". */
GST_ICE_API
GstCaps *gst_ice_stream_get_local_caps (GstIceStream *self);
GST_ICE_API
GstIceTransport *
gst_ice_stream_get_transport (GstIceStream *self, guint component);

G_END_DECLS
