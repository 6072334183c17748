/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ice/candidate.h"
#include "gsticecandidate.h"

G_BEGIN_DECLS

/* (transfer full) refers to @core, which nobody writes any more. */
GstIceCandidate *gst_ice_candidate_new_from_core (IceCandidate *core);
/* (transfer none) */
IceCandidate *gst_ice_candidate_peek_core (const GstIceCandidate *self);
/* Those that do not say their generation get @ufrag (nullable); (transfer full)
 * (element-type IceCandidate) both ways. */
GPtrArray *
gst_ice_candidates_set_ufrag (GPtrArray *candidates, const gchar *ufrag);
/* (transfer full) (element-type GstIceCandidate) from (element-type
 * IceCandidate) */
GPtrArray *gst_ice_candidates_from_core (const GPtrArray *candidates);

G_END_DECLS
