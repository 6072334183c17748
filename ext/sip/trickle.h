/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Trickle ICE for SIP (RFC 8840), both ways, without a SIP stack: what the next
 * INFO says, and what is new in one that came. */

#define GST_ICE_SIP_TRICKLE_PACKAGE "trickle-ice"
#define GST_ICE_SIP_TRICKLE_TYPE "application/trickle-ice-sdpfrag"

typedef struct _GstIceSipTrickle GstIceSipTrickle;

/* @candidate: "" is the end of candidates. @mid: (nullable) */
typedef void (*GstIceSipTrickleFunc) (const gchar *mid, guint mline_index,
    const gchar *candidate, const gchar *ufrag, gpointer user_data);

GstIceSipTrickle *gst_ice_sip_trickle_new (void);
void gst_ice_sip_trickle_free (GstIceSipTrickle *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceSipTrickle, gst_ice_sip_trickle_free)

/* What was said in a description of ours: credentials, sections, candidates. */
void gst_ice_sip_trickle_describe (GstIceSipTrickle *self, const gchar *sdp);
/* One that is to follow. */
void gst_ice_sip_trickle_add (GstIceSipTrickle *self, const gchar *mid,
    const gchar *candidate, const gchar *ufrag);
/* (transfer full) (nullable) the body of an INFO, when there is something new
 * since the last one and that is answered. */
gchar *gst_ice_sip_trickle_next (GstIceSipTrickle *self);
/* The INFO was answered. */
void gst_ice_sip_trickle_done (GstIceSipTrickle *self);

/* Calls @func for each candidate that was not seen before. (nullable) why the
 * body is none. */
const gchar *
gst_ice_sip_trickle_take (GstIceSipTrickle *self, const gchar *body, gsize size,
    GstIceSipTrickleFunc func, gpointer user_data);

G_END_DECLS
