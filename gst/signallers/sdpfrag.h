/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* application/trickle-ice-sdpfrag (RFC 8840 9): what SIP's INFO and WHIP's
 * PATCH carry. A piece of a session description: ICE attributes, and for each
 * section an m-line that stands for it, its mid and candidates. */
typedef struct
{
  gchar *media;          /* (owned) "audio 9 RTP/AVP 0" */
  gchar *mid;            /* (owned) (nullable) */
  gchar *ufrag, *pwd;    /* (owned) (nullable) session level filled in */
  GPtrArray *candidates; /* (owned) (element-type utf8) "candidate:..." */
  gboolean end;          /* a=end-of-candidates */
} GstIceSdpfragSection;

typedef struct
{
  GPtrArray *sections; /* (owned) (element-type GstIceSdpfragSection) */
} GstIceSdpfrag;

GstIceSdpfrag *gst_ice_sdpfrag_new (void);
void gst_ice_sdpfrag_free (GstIceSdpfrag *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceSdpfrag, gst_ice_sdpfrag_free)

/* (transfer none) what is no text for one line is not taken: NULL. */
GstIceSdpfragSection *gst_ice_sdpfrag_add_section (
    GstIceSdpfrag *self, const gchar *media, const gchar *mid);

/* (nullable) From the network: at most GST_ICE_SDPFRAG_MAX_SIZE bytes, 64
 * sections, 200 candidates each. @ret_reason: (out) why it is none. */
#define GST_ICE_SDPFRAG_MAX_SIZE (64 * 1024)
GstIceSdpfrag *
gst_ice_sdpfrag_parse (const gchar *text, gsize size, const gchar **ret_reason);
/* (transfer full) What is no good in a field is left out: no value can add a
 * line. Credentials that all sections share are said once, above. */
gchar *gst_ice_sdpfrag_to_string (const GstIceSdpfrag *self);

G_END_DECLS
