/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/signallers/jsonlines.h"
#include "wsplace.h"

G_BEGIN_DECLS

/* One side of a meeting, as a client of a signalling server: frames come in,
 * news go out. It owns no connection, clock or thread, so the signaller and
 * the fuzzer use it alike. */
typedef struct _GstIceWsDialect GstIceWsDialect;

typedef enum
{
  GST_ICE_WS_NEWS_SEND,   /* text: a frame for the server */
  GST_ICE_WS_NEWS_READY,  /* yes: we are the offerer */
  GST_ICE_WS_NEWS_PEER,   /* yes: it joined */
  GST_ICE_WS_NEWS_LINE,   /* line: what the peer says, but for a bye */
  GST_ICE_WS_NEWS_BYE,    /* text: why, or NULL */
  GST_ICE_WS_NEWS_FAILED, /* text: nothing more will come of it */
} GstIceWsNewsKind;

typedef struct
{
  GstIceWsNewsKind kind;
  gboolean yes;
  gchar *text;      /* (owned) (nullable) */
  GstIceLine *line; /* (owned) (nullable) */
} GstIceWsNews;

void gst_ice_ws_news_free (GstIceWsNews *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceWsNews, gst_ice_ws_news_free)

/* @key: what the server knows us by when we come back. */
GstIceWsDialect *gst_ice_ws_dialect_new (
    const GstIceWsPlace *place, GstIceSignallerRole role, const gchar *key);
void gst_ice_ws_dialect_free (GstIceWsDialect *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceWsDialect, gst_ice_ws_dialect_free)

/* After any of these: take the news, in order. */

void gst_ice_ws_dialect_opened (GstIceWsDialect *self);
/* A connection that was lost may come again: what is said meanwhile waits.
 * @clean: the server closed it, and meant it. */
void gst_ice_ws_dialect_closed (GstIceWsDialect *self, gboolean clean);
/* @text is valid UTF-8 with a NUL behind it. */
void gst_ice_ws_dialect_receive (
    GstIceWsDialect *self, const gchar *text, gsize size);
void gst_ice_ws_dialect_description (
    GstIceWsDialect *self, const gchar *type, const gchar *sdp);
void gst_ice_ws_dialect_candidate (GstIceWsDialect *self, const gchar *mid,
    guint mline_index, const gchar *candidate, const gchar *ufrag);
void gst_ice_ws_dialect_bye (GstIceWsDialect *self, const gchar *reason);
/* A dialect that has no word for it says bye. */
void gst_ice_ws_dialect_decline (
    GstIceWsDialect *self, const gchar *reason, const gchar *text);
/* A dialect that has no word for it says nothing. */
void gst_ice_ws_dialect_complain (GstIceWsDialect *self, const gchar *text);

/* (transfer full) (nullable) */
GstIceWsNews *gst_ice_ws_dialect_take (GstIceWsDialect *self);
/* How many messages were none of this dialect. */
guint gst_ice_ws_dialect_get_n_rejected (GstIceWsDialect *self);

G_END_DECLS
