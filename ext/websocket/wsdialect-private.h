/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wsdialect.h"

G_BEGIN_DECLS

/* What a dialect adds to the common part. */
typedef struct
{
  void (*opened) (GstIceWsDialect *self);
  void (*closed) (GstIceWsDialect *self, gboolean clean);
  void (*receive) (GstIceWsDialect *self, const gchar *text, gsize size);
  void (*description) (
      GstIceWsDialect *self, const gchar *type, const gchar *sdp);
  void (*candidate) (GstIceWsDialect *self, const gchar *mid, guint mline_index,
      const gchar *candidate, const gchar *ufrag);
  void (*bye) (GstIceWsDialect *self, const gchar *reason);
  void (*decline) (
      GstIceWsDialect *self, const gchar *reason, const gchar *text);
  void (*complain) (GstIceWsDialect *self, const gchar *text);
} GstIceWsDialectFuncs;

struct _GstIceWsDialect
{
  const GstIceWsDialectFuncs *funcs;
  GstIceWsPlace *place; /* (owned) */
  GstIceSignallerRole role;
  gchar *key; /* (owned) */

  GQueue news;     /* (owned) GstIceWsNews */
  gchar *peer;     /* (owned) (nullable) whom we are in a session with */
  gboolean linked; /* what is said reaches it */
  GQueue waiting;  /* (owned) frames said while it does not */
  gsize waiting_size;
  guint n_rejected;

  gchar *id; /* (owned) (nullable) gst-webrtc: who the server says we are */
  gchar *session; /* (owned) (nullable) gst-webrtc */
  gchar *calling; /* (owned) (nullable) whom we asked for a session */
  gboolean heard; /* a description came in this session */
};

extern const GstIceWsDialectFuncs gst_ice_ws_dialect_lines;
extern const GstIceWsDialectFuncs gst_ice_ws_dialect_simple;
extern const GstIceWsDialectFuncs gst_ice_ws_dialect_webrtc;

void gst_ice_ws_dialect_reject (GstIceWsDialect *self);
/* @text: (transfer full) */
void gst_ice_ws_dialect_send (GstIceWsDialect *self, gchar *text);
/* (transfer full) To the peer: waits while there is no way to it. */
void gst_ice_ws_dialect_say (GstIceWsDialect *self, gchar *text);
/* @peer is who we talk to from now on. @resumed: we did before, too. */
void gst_ice_ws_dialect_meet (GstIceWsDialect *self, const gchar *peer,
    gboolean offerer, gboolean resumed);
void gst_ice_ws_dialect_part (GstIceWsDialect *self, const gchar *reason);
void gst_ice_ws_dialect_fail (GstIceWsDialect *self, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);
/* @line: (transfer full) of the peer, but a hello. */
void gst_ice_ws_dialect_tell (GstIceWsDialect *self, GstIceLine *line);

/* (transfer full) {"sdp":{...}} and {"ice":{...}}, inside a "peer" message of
 * @session or, without one, by themselves. */
gchar *
gst_ice_ws_sdp_text (const gchar *session, const gchar *type, const gchar *sdp);
gchar *gst_ice_ws_ice_text (const gchar *session, guint mline_index,
    const gchar *candidate, const gchar *ufrag);

G_END_DECLS
