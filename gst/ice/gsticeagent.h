/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/gsticestream.h>

G_BEGIN_DECLS

#define GST_TYPE_ICE_AGENT (gst_ice_agent_get_type ())
GST_ICE_API
G_DECLARE_FINAL_TYPE (GstIceAgent, gst_ice_agent, GST, ICE_AGENT, GstObject)

/* The GstContext by which elements of one pipeline share an agent; its
 * structure has a field "agent". */
#define GST_ICE_AGENT_CONTEXT_TYPE "gst.ice.agent"

GST_ICE_API
GstIceAgent *gst_ice_agent_new (void);
GST_ICE_API
void gst_ice_agent_register_value_type (void);
GST_ICE_API
GstIceAgent *gst_ice_agent_get_by_name (const gchar *name);
GST_ICE_API
gboolean
gst_ice_agent_add_server (GstIceAgent *self, const gchar *uri, GError **error);
GST_ICE_API
gboolean
gst_ice_agent_add_server_with_credentials (GstIceAgent *self, const gchar *uri,
    const gchar *username, const gchar *password, GError **error);
GST_ICE_API
gboolean gst_ice_agent_add_server_with_token (GstIceAgent *self,
    const gchar *uri, const gchar *key_id, GBytes *token, GBytes *mac_key,
    guint lifetime, GError **error);
GST_ICE_API
GstIceStream *
gst_ice_agent_request_stream (GstIceAgent *self, const gchar *name);
GST_ICE_API
void gst_ice_agent_remove_stream (GstIceAgent *self, GstIceStream *stream);
GST_ICE_API
GPtrArray *gst_ice_agent_get_streams (GstIceAgent *self);
GST_ICE_API
void gst_ice_agent_gather (GstIceAgent *self);
GST_ICE_API
gchar *gst_ice_agent_create_offer (GstIceAgent *self, GError **error);
GST_ICE_API
gchar *gst_ice_agent_create_answer (GstIceAgent *self, GError **error);
GST_ICE_API
gboolean gst_ice_agent_set_remote_description (
    GstIceAgent *self, const gchar *type, const gchar *sdp, GError **error);
GST_ICE_API
gboolean gst_ice_agent_add_remote_candidate (GstIceAgent *self,
    const gchar *mid, const gchar *candidate, GError **error);
GST_ICE_API
gboolean gst_ice_agent_add_remote_candidate_at (GstIceAgent *self,
    guint mline_index, const gchar *candidate, GError **error);
GST_ICE_API
GstIceAgent *gst_ice_agent_fork (GstIceAgent *self, GError **error);
GST_ICE_API
void gst_ice_agent_restart (GstIceAgent *self);
GST_ICE_API
GstStructure *gst_ice_agent_get_stats (GstIceAgent *self);
GST_ICE_API
void gst_ice_agent_close_async (GstIceAgent *self, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
GST_ICE_API
gboolean gst_ice_agent_close_finish (
    GstIceAgent *self, GAsyncResult *result, GError **error);

G_END_DECLS
