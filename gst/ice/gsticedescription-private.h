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
  gchar *mid;           /* (owned) (nullable) */
  guint index;          /* m-line index */
  gboolean rejected;    /* port 0 */
  gboolean bundle_tag;  /* the first of the BUNDLE group; when none is marked,
                           the first section that is not bundled */
  gboolean bundled;     /* in the BUNDLE group, not its first */
  gboolean bundle_only; /* port 0, yet not rejected (RFC 8843 6) */
  gboolean rtcp_mux;
  gboolean send, receive; /* of the one who wrote it */

  /* What the m-line said; (owned) (nullable) NULL: made from caps. */
  gchar *media, *proto, *formats; /* "video", "RTP/AVP", "96 97" */
  GstCaps *caps;     /* (owned) (nullable) application/x-rtp, first payload;
                        application/x-gst-ice for what is not RTP */
  GstCaps *all_caps; /* (owned) (nullable) every payload, one structure each,
                        as preferred; read only */

  gchar *ufrag, *pwd; /* (owned) (nullable) session level filled in, and for
                         bundled sections those of the group's first */
  gboolean ice_lite, trickle, ice2, renomination;
  gboolean mismatch;     /* a=ice-mismatch */
  guint pacing;          /* ms, 0 when absent */
  GPtrArray *candidates; /* (owned) (element-type IceCandidate) */
  gboolean end_of_candidates;
  IceAddress address;         /* default of m= and c= (RTP); family NONE for
                                 0.0.0.0, :: and names */
  IceAddress rtcp_address;    /* of a=rtcp (RFC 3605), else port + 1 */
  gchar *fingerprint, *setup; /* (owned) (nullable) session level filled in */
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
/* (transfer none) sends, receives, has rtcp-mux and no m-line yet. */
GstIceSection *gst_ice_description_add_section (GstIceDescription *self);

/* At most 64 KiB, 64 sections, 100 candidates per section and component;
 * bad candidate lines are skipped and logged, not fatal. */
GstIceDescription *gst_ice_description_parse (const gchar *sdp, GError **error);
/* (transfer full) What is no good in a field is left out and logged: no value
 * can add a line. */
gchar *gst_ice_description_to_string (const GstIceDescription *self);

/* m-line and rtpmap/fmtp/extmap/b= from application/x-rtp caps, and back. For
 * anything else the line is "m=application PORT udp x-gst-ice": RFC 8866 5.14
 * has "udp" for what goes bare into datagrams, and the format names the media
 * type, application/x-gst-ice. Several structures are several payloads. */
gboolean gst_ice_section_set_caps (
    GstIceSection *self, const GstCaps *caps, GError **error);
/* RFC 3264 6: an answer has the media, the protocol and, when rejected, the
 * formats of the offer. Copies them, mid, place in the bundle and rtcp-mux. */
void gst_ice_section_answer (GstIceSection *self, const GstIceSection *offered);

/* gsticedescription-rtx.c: retransmission (RFC 4588), in caps a field of the
 * media, x-rtx-payload. Whether it is wanted, whatever number it will have. */
gboolean gst_ice_caps_has_rtx (const GstCaps *caps);
/* -1: none. @media: one of @all, the formats of an m-line. */
gint gst_ice_caps_find_rtx (const GstCaps *all, const GstStructure *media);
/* @caps: of one format. -1: none. */
void gst_ice_caps_set_rtx (GstCaps *caps, gint payload);
/* Where it is wanted under whatever number, it has this one. */
void gst_ice_structure_number_rtx (GstStructure *structure, gint payload);
/* (transfer full) @caps, and for each that has it the format that m-lines have.
 */
GstCaps *gst_ice_caps_with_rtx (const GstCaps *caps);

/* For gsticedescription*.c only: -caps.c reads, -media.c writes. */
void gst_ice_section_read_caps (GstIceSection *self, const GstSDPMedia *media);
void gst_ice_section_write_caps (const GstIceSection *self, GstSDPMedia *media);
/* The lines beside a=rtpmap and a=fmtp that travel in caps. */
extern const gchar *const gst_ice_sdp_attributes[];
extern const gchar *const gst_ice_sdp_bandwidths[];
/* A field of the caps that is a parameter of a=fmtp. */
gboolean gst_ice_sdp_is_parameter (const gchar *name);
/* May stand in an SDP line, whole. */
gboolean gst_ice_sdp_is_text (const gchar *text);
/* RFC 8866 9: token. */
gboolean gst_ice_sdp_is_token (const gchar *text);

G_END_DECLS
