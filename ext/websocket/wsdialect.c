/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wsdialect-private.h"

#include <string.h>

#include "gst/signallers/json.h"

/* What is said while the server is away: the candidates of a restart, not
 * more. */
#define MAX_WAITING 256
#define MAX_WAITING_SIZE (256 * 1024)

void
gst_ice_ws_news_free (GstIceWsNews *self)
{
  g_free (self->text);
  g_clear_pointer (&self->line, gst_ice_line_free);
  g_free (self);
}

static const GstIceWsDialectFuncs *
find_funcs (GstIceWsDialectKind kind)
{
  switch (kind) {
    case GST_ICE_WS_DIALECT_SIMPLE:
      return &gst_ice_ws_dialect_simple;
    case GST_ICE_WS_DIALECT_WEBRTC:
      return &gst_ice_ws_dialect_webrtc;
    default:
      return &gst_ice_ws_dialect_lines;
  }
}

GstIceWsDialect *
gst_ice_ws_dialect_new (
    const GstIceWsPlace *place, GstIceSignallerRole role, const gchar *key)
{
  GstIceWsDialect *self = g_new0 (GstIceWsDialect, 1);

  self->funcs = find_funcs (place->dialect);
  self->place = gst_ice_ws_place_copy (place);
  self->role = place->role != GST_ICE_SIGNALLER_ROLE_AUTO ? place->role : role;
  self->key = g_strdup (key);
  return self;
}

static void
drop_waiting (GstIceWsDialect *self)
{
  g_queue_clear_full (&self->waiting, g_free);
  self->waiting_size = 0;
}

void
gst_ice_ws_dialect_free (GstIceWsDialect *self)
{
  g_queue_clear_full (&self->news, (GDestroyNotify) gst_ice_ws_news_free);
  drop_waiting (self);
  gst_ice_ws_place_free (self->place);
  g_free (self->key);
  g_free (self->peer);
  g_free (self->id);
  g_free (self->session);
  g_free (self->calling);
  g_free (self);
}

static GstIceWsNews *
add_news (GstIceWsDialect *self, GstIceWsNewsKind kind)
{
  GstIceWsNews *news = g_new0 (GstIceWsNews, 1);

  news->kind = kind;
  g_queue_push_tail (&self->news, news);
  return news;
}

GstIceWsNews *
gst_ice_ws_dialect_take (GstIceWsDialect *self)
{
  return g_queue_pop_head (&self->news);
}

guint
gst_ice_ws_dialect_get_n_rejected (GstIceWsDialect *self)
{
  return self->n_rejected;
}

void
gst_ice_ws_dialect_reject (GstIceWsDialect *self)
{
  self->n_rejected++;
}

void
gst_ice_ws_dialect_send (GstIceWsDialect *self, gchar *text)
{
  add_news (self, GST_ICE_WS_NEWS_SEND)->text = text;
}

void
gst_ice_ws_dialect_say (GstIceWsDialect *self, gchar *text)
{
  const gsize size = strlen (text);

  if (self->linked) {
    gst_ice_ws_dialect_send (self, text);
  } else if (self->peer != NULL && self->waiting.length < MAX_WAITING &&
      self->waiting_size + size <= MAX_WAITING_SIZE) {
    g_queue_push_tail (&self->waiting, text);
    self->waiting_size += size;
  } else {
    g_free (text);
  }
}

void
gst_ice_ws_dialect_part (GstIceWsDialect *self, const gchar *reason)
{
  self->linked = FALSE;
  drop_waiting (self);
  g_clear_pointer (&self->session, g_free);
  if (self->peer == NULL)
    return;
  g_clear_pointer (&self->peer, g_free);
  add_news (self, GST_ICE_WS_NEWS_BYE)->text = g_strdup (reason);
  add_news (self, GST_ICE_WS_NEWS_PEER)->yes = FALSE;
}

void
gst_ice_ws_dialect_meet (GstIceWsDialect *self, const gchar *peer,
    gboolean offerer, gboolean resumed)
{
  gchar *text, *name;

  if (resumed && g_strcmp0 (self->peer, peer) == 0) {
    self->linked = TRUE;
    while ((text = g_queue_pop_head (&self->waiting)) != NULL)
      gst_ice_ws_dialect_send (self, text);
    self->waiting_size = 0;
    return;
  }
  /* It may be who we talk to already. */
  name = g_strdup (peer);
  gst_ice_ws_dialect_part (self, "gone");
  self->peer = name;
  self->linked = TRUE;
  self->heard = FALSE;
  add_news (self, GST_ICE_WS_NEWS_PEER)->yes = TRUE;
  add_news (self, GST_ICE_WS_NEWS_READY)->yes = offerer;
}

void
gst_ice_ws_dialect_fail (GstIceWsDialect *self, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  add_news (self, GST_ICE_WS_NEWS_FAILED)->text =
      g_strdup_vprintf (format, args);
  va_end (args);
}

void
gst_ice_ws_dialect_tell (GstIceWsDialect *self, GstIceLine *line)
{
  if (self->peer == NULL || line->kind == GST_ICE_LINE_HELLO) {
    gst_ice_ws_dialect_reject (self);
    gst_ice_line_free (line);
  } else if (line->kind == GST_ICE_LINE_BYE) {
    gst_ice_ws_dialect_part (self, line->text);
    gst_ice_line_free (line);
  } else {
    self->heard = self->heard || line->kind == GST_ICE_LINE_DESCRIPTION;
    add_news (self, GST_ICE_WS_NEWS_LINE)->line = line;
  }
}

void
gst_ice_ws_dialect_opened (GstIceWsDialect *self)
{
  self->linked = FALSE;
  self->funcs->opened (self);
}

void
gst_ice_ws_dialect_closed (GstIceWsDialect *self, gboolean clean)
{
  self->linked = FALSE;
  g_clear_pointer (&self->calling, g_free);
  if (self->funcs->closed != NULL)
    self->funcs->closed (self, clean);
}

void
gst_ice_ws_dialect_receive (
    GstIceWsDialect *self, const gchar *text, gsize size)
{
  self->funcs->receive (self, text, size);
}

void
gst_ice_ws_dialect_description (
    GstIceWsDialect *self, const gchar *type, const gchar *sdp)
{
  self->funcs->description (self, type, sdp);
}

void
gst_ice_ws_dialect_candidate (GstIceWsDialect *self, const gchar *mid,
    guint mline_index, const gchar *candidate, const gchar *ufrag)
{
  self->funcs->candidate (self, mid, mline_index, candidate, ufrag);
}

void
gst_ice_ws_dialect_bye (GstIceWsDialect *self, const gchar *reason)
{
  self->funcs->bye (self, reason);
  self->linked = FALSE;
  g_clear_pointer (&self->peer, g_free);
  g_clear_pointer (&self->session, g_free);
}

void
gst_ice_ws_dialect_decline (
    GstIceWsDialect *self, const gchar *reason, const gchar *text)
{
  if (self->funcs->decline != NULL)
    self->funcs->decline (self, reason, text);
  else
    gst_ice_ws_dialect_bye (self, reason);
}

void
gst_ice_ws_dialect_complain (GstIceWsDialect *self, const gchar *text)
{
  if (self->funcs->complain != NULL)
    self->funcs->complain (self, text);
}
