/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/sdp/sdp.h>

#include "core/ice/candidate.h"
#include "gsticetypes.h"

G_BEGIN_DECLS

/* Session descriptions as values, both ways, with no agent in sight
 * (RFC 8839, RFC 3264, RFC 8866, RFC 3605, RFC 5761, RFC 8843). */
typedef struct
{
  gchar *mid;        /* (owned) (nullable) */
  guint index;       /* m-line index */
  gboolean rejected; /* port 0 */
  gboolean bundled;  /* in the BUNDLE group, not its first */
  gboolean rtcp_mux;
  gboolean send, receive; /* of the one who wrote it */
  GstCaps *caps;      /* (owned) (nullable) application/x-rtp, first payload;
                         application/x-gst-ice for what is not RTP */
  gchar *ufrag, *pwd; /* (owned) (nullable) session level filled in */
  gboolean ice_lite, trickle, ice2, renomination;
  gboolean mismatch;     /* a=ice-mismatch */
  guint pacing;          /* ms, 0 when absent */
  GPtrArray *candidates; /* (owned) (element-type IceCandidate) */
  gboolean end_of_candidates;
  IceAddress address;         /* default of m= and c= (RTP) */
  IceAddress rtcp_address;    /* of a=rtcp (RFC 3605), else port + 1 */
  gchar *fingerprint, *setup; /* (owned) (nullable) */
} GstIceSection;

typedef struct
{
  guint64 session_id;
  guint64 version;
  gchar *user_name;    /* (owned) of o= */
  GPtrArray *sections; /* (owned) (element-type GstIceSection) */
} GstIceDescription;

GstIceDescription *gst_ice_description_new (void);
void gst_ice_description_free (GstIceDescription *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceDescription, gst_ice_description_free)
/* (transfer none) */
GstIceSection *gst_ice_description_add_section (GstIceDescription *self);

/* At most 64 KiB, 64 sections, 100 candidates per section and component;
 * bad candidate lines are skipped and logged, not fatal. */
GstIceDescription *gst_ice_description_parse (const gchar *sdp, GError **error);
/* (transfer full) */
gchar *gst_ice_description_to_string (const GstIceDescription *self);

/* m-line and rtpmap/fmtp/extmap/b= from application/x-rtp caps, and back. */
gboolean gst_ice_section_set_caps (
    GstIceSection *self, const GstCaps *caps, GError **error);

G_END_DECLS
