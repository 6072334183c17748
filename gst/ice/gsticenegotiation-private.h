/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Inside offer and answer: for gsticeagent-negotiate.c, gsticeagent-section.c
 * and gsticeagent-trickle.c. Everything here wants the negotiation lock. */

#include "gsticeagent-private.h"

G_BEGIN_DECLS

/* gsticeagent-section.c */

/* What the m-line of @stream says in an offer; GST_ICE_ERROR_INVALID_ARGUMENT
 * when its caps make no m-line. @known: (nullable) what it said before. */
gboolean gst_ice_section_offer (GstIceSection *self, GstIceAgent *agent,
    GstIceStream *stream, const GstCaps *known, GError **error);
/* What it says to @offered; rejected when the caps have nothing in common. */
void gst_ice_section_reply (GstIceSection *self, GstIceAgent *agent,
    GstIceStream *stream, const GstIceSection *offered);
/* FALSE for a section without ICE where that is not allowed. */
gboolean gst_ice_section_check (
    const GstIceSection *self, GstIceAgent *agent, GError **error);
/* Takes what the peer says of @stream; @is_answer as opposed to an offer. */
gboolean gst_ice_section_apply (const GstIceSection *self, GstIceAgent *agent,
    GstIceStream *stream, gboolean is_answer, GError **error);

/* gsticeagent-trickle.c */

/* What waited for a description or a stream that is there now. */
void gst_ice_negotiation_flush_early (GstIceAgent *agent);
void gst_ice_early_candidate_free (GstIceEarlyCandidate *self);

G_END_DECLS
