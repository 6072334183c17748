/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/gsticetypes.h>

G_BEGIN_DECLS

#define GST_TYPE_ICE_CANDIDATE (gst_ice_candidate_get_type ())

GST_ICE_API
GType gst_ice_candidate_get_type (void);
GST_ICE_API
GstIceCandidate *
gst_ice_candidate_new_from_sdp (const gchar *candidate, GError **error);
GST_ICE_API
GstIceCandidate *gst_ice_candidate_ref (GstIceCandidate *self);
GST_ICE_API
void gst_ice_candidate_unref (GstIceCandidate *self);
GST_ICE_API
gchar *gst_ice_candidate_to_sdp (const GstIceCandidate *self);
GST_ICE_API
GstIceCandidateKind gst_ice_candidate_get_kind (const GstIceCandidate *self);
GST_ICE_API
const gchar *gst_ice_candidate_get_protocol (const GstIceCandidate *self);
GST_ICE_API
const gchar *gst_ice_candidate_get_address (const GstIceCandidate *self);
GST_ICE_API
guint gst_ice_candidate_get_port (const GstIceCandidate *self);
GST_ICE_API
guint gst_ice_candidate_get_component (const GstIceCandidate *self);
GST_ICE_API
guint32 gst_ice_candidate_get_priority (const GstIceCandidate *self);
GST_ICE_API
const gchar *gst_ice_candidate_get_foundation (const GstIceCandidate *self);
GST_ICE_API
const gchar *
gst_ice_candidate_get_related_address (const GstIceCandidate *self);
GST_ICE_API
guint gst_ice_candidate_get_related_port (const GstIceCandidate *self);
GST_ICE_API
const gchar *gst_ice_candidate_get_tcp_type (const GstIceCandidate *self);
GST_ICE_API
const gchar *gst_ice_candidate_get_relay_protocol (const GstIceCandidate *self);
GST_ICE_API
const gchar *gst_ice_candidate_get_url (const GstIceCandidate *self);
GST_ICE_API
const gchar *gst_ice_candidate_get_ufrag (const GstIceCandidate *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceCandidate, gst_ice_candidate_unref)

G_END_DECLS
