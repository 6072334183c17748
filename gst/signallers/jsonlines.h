/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

/* What two gst-ice tell each other, one JSON object a line: W3C dictionaries,
 * so that code of browsers can paste them, and the spellings of neighbours. */
typedef enum
{
  GST_ICE_LINE_HELLO,
  GST_ICE_LINE_DESCRIPTION,
  GST_ICE_LINE_CANDIDATE,
  GST_ICE_LINE_BYE,
  GST_ICE_LINE_REJECT,
  GST_ICE_LINE_ERROR,
} GstIceLineKind;

typedef struct
{
  GstIceLineKind kind;
  gchar *type;       /* (owned) (nullable) offer, answer...; NULL: raw SDP */
  gchar *text;       /* (owned) (nullable) SDP, candidate, reason of bye or
                        reject, what an error says */
  gchar *detail;     /* (owned) (nullable) reject: what it says */
  gchar *mid;        /* (owned) (nullable) */
  guint mline_index; /* G_MAXUINT: unknown */
  gchar *ufrag;      /* (owned) (nullable) */
  gchar *id;   /* (owned) (nullable) hello: who writes; else: who is answered */
  gchar *host; /* (owned) (nullable) hello */
  guint64 pid; /* hello */
} GstIceLine;

void gst_ice_line_free (GstIceLine *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceLine, gst_ice_line_free)

/* (nullable) one object, or base64 of one, maybe after "gst-ice1:". */
GstIceLine *gst_ice_line_parse (const gchar *line, gsize size);

/* (transfer full) with the end of line. */
gchar *gst_ice_line_hello (const gchar *id, guint64 pid, const gchar *host);
/* @to (nullable): the hello that is answered */
gchar *
gst_ice_line_description (const gchar *type, const gchar *sdp, const gchar *to);
gchar *gst_ice_line_candidate (const gchar *mid, guint mline_index,
    const gchar *candidate, const gchar *ufrag);
gchar *gst_ice_line_bye (const gchar *reason);
gchar *
gst_ice_line_reject (const gchar *reason, const gchar *text, const gchar *to);
gchar *gst_ice_line_error (const gchar *text);

/* @line: (transfer full) one line that survives mail and chat: "gst-ice1:" and
 * base64. */
gchar *gst_ice_line_wrap (gchar *line);

/* What the line says, as signals of @signaller; nothing for a hello.
 * @raw_type: what raw SDP is taken for. */
void gst_ice_line_deliver (
    const GstIceLine *self, GstIceSignaller *signaller, const gchar *raw_type);

/* Bytes in, lines out. Raw SDP is collected up to its empty line. Longer lines
 * than GST_ICE_JSON_MAX_SIZE, and what is no message, are counted and skipped.
 */
typedef struct
{
  GString *bytes; /* (owned) not yet taken */
  GString *sdp;   /* (owned) (nullable) raw SDP so far */
  gboolean skipping;
  guint n_rejected;
} GstIceLineReader;

void gst_ice_line_reader_init (GstIceLineReader *self);
void gst_ice_line_reader_clear (GstIceLineReader *self);
void gst_ice_line_reader_push (
    GstIceLineReader *self, const gchar *bytes, gsize size);
/* (transfer full) (nullable) */
GstIceLine *gst_ice_line_reader_pop (GstIceLineReader *self);

G_END_DECLS
