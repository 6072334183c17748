/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wssignaller-private.h"

#include "wscertificate.h"
#include "wsdial.h"

#include "gst/signallers/loopback.h"

#define GST_CAT_DEFAULT gst_ice_websocket_debug

/* What is wrong is told within two seconds: so long a server may be about to
 * start, or to answer. */
#define FIRST_DIAL_MS 1000
#define FIRST_RETRY_MS 100
/* Later the media goes on without, and there is time. */
#define DIAL_MS 10000
#define RETRY_MS 250
#define MAX_RETRY_MS 10000
#define GIVE_UP_AFTER (10 * 60 * G_TIME_SPAN_SECOND)
/* A server that takes us and sends us away at once is tried ever later, as if
 * it were not there. */
#define LASTED_AFTER (10 * G_TIME_SPAN_SECOND)

struct _GstIceWsMeeting
{
  guint refs;
  GstIceSignaller *signaller; /* (owned) (nullable) NULL: it has ended */
  GstIceWsPlace *place;       /* (owned) */
  GstIceWsDialect *dialect;   /* (owned) */
  gboolean telling;

  GCancellable *dialling; /* (owned) (nullable) */
  GstIceWsConn *conn;     /* (owned) (nullable) */
  GSource *retry;         /* (owned) (nullable) */
  guint retry_ms;
  gboolean was_open; /* once */
  gboolean was_lost; /* likewise, after that */
  gint64 opened_at;
  gint64 give_up_at;

  GstIceWsServer *server; /* (owned) (nullable) listen=1 */
  guint local;
};

static void dial (GstIceWsMeeting *self);

static GstIceWsMeeting *
meeting_ref (GstIceWsMeeting *self)
{
  self->refs++;
  return self;
}

static void
meeting_unref (gpointer data)
{
  GstIceWsMeeting *self = data;

  if (--self->refs > 0)
    return;
  gst_ice_ws_dialect_free (self->dialect);
  gst_ice_ws_place_free (self->place);
  g_free (self);
}

static void
clear_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
fail (GstIceWsMeeting *self, gint code, const gchar *text)
{
  g_autoptr (GError) error = g_error_new_literal (GST_ICE_ERROR, code, text);

  if (self->signaller != NULL)
    gst_ice_signaller_emit_error (self->signaller, error);
}

/* What is not true any more is not tried again. */
static void
hang_up (GstIceWsMeeting *self)
{
  clear_source (&self->retry);
  if (self->conn != NULL) {
    gst_ice_ws_conn_release (self->conn, GST_ICE_WS_NORMAL, NULL);
    self->conn = NULL;
  }
}

static void
handle (GstIceWsMeeting *self, const GstIceWsNews *news)
{
  GstIceSignaller *signaller = self->signaller;

  switch (news->kind) {
    case GST_ICE_WS_NEWS_SEND:
      if (self->conn != NULL)
        gst_ice_ws_conn_send (self->conn, news->text);
      else if (self->server != NULL)
        gst_ice_ws_server_receive_local (self->server, self->local, news->text);
      break;
    case GST_ICE_WS_NEWS_READY:
      gst_ice_signaller_emit_ready (signaller, news->yes);
      break;
    case GST_ICE_WS_NEWS_PEER:
      gst_ice_signaller_emit_peer (signaller, news->yes);
      break;
    case GST_ICE_WS_NEWS_LINE:
      gst_ice_line_deliver (news->line, signaller, "offer");
      break;
    case GST_ICE_WS_NEWS_BYE:
      gst_ice_signaller_emit_bye (signaller, news->text);
      break;
    case GST_ICE_WS_NEWS_FAILED:
      hang_up (self);
      fail (self, GST_ICE_ERROR_SIGNALLING_LOST, news->text);
      break;
  }
}

/* In order, also when a handler says something itself, or ends us. */
static void
pump (GstIceWsMeeting *self)
{
  GstIceWsNews *news;

  if (self->telling)
    return;
  meeting_ref (self);
  self->telling = TRUE;
  while (self->signaller != NULL &&
      (news = gst_ice_ws_dialect_take (self->dialect)) != NULL) {
    handle (self, news);
    gst_ice_ws_news_free (news);
  }
  self->telling = FALSE;
  meeting_unref (self);
}

static gboolean
on_retry (gpointer user_data)
{
  GstIceWsMeeting *self = user_data;

  clear_source (&self->retry);
  dial (self);
  return G_SOURCE_REMOVE;
}

/* With jitter, so that not all come back at once to a server that was away. */
static void
retry_later (GstIceWsMeeting *self)
{
  const guint ms =
      self->retry_ms + g_random_int_range (0, self->retry_ms / 2 + 1);

  if (self->was_open)
    self->retry_ms = MIN (self->retry_ms * 2, MAX_RETRY_MS);
  clear_source (&self->retry);
  self->retry = g_timeout_source_new (ms);
  g_source_set_callback (
      self->retry, on_retry, meeting_ref (self), meeting_unref);
  g_source_attach (self->retry, gst_ice_signaller_get_main_context ());
}

static void
on_text (GstIceWsConn *conn, const gchar *text, gsize size, gpointer user_data)
{
  GstIceWsMeeting *self = user_data;

  gst_ice_ws_dialect_receive (self->dialect, text, size);
  pump (self);
}

/* The connection is lost. FALSE: for good. */
static gboolean
may_retry (GstIceWsMeeting *self, gint64 now)
{
  if (!self->was_lost || now - self->opened_at >= LASTED_AFTER) {
    self->retry_ms = RETRY_MS;
    self->give_up_at = now + GIVE_UP_AFTER;
  }
  self->was_lost = TRUE;
  return now < self->give_up_at;
}

static void
on_closed (
    GstIceWsConn *conn, guint code, const gchar *reason, gpointer user_data)
{
  GstIceWsMeeting *self = user_data;

  GST_INFO_OBJECT (self->signaller, "the server's connection ended: %u %s",
      code, reason != NULL ? reason : "");
  self->conn = NULL;
  gst_ice_ws_conn_free (conn);
  gst_ice_ws_dialect_closed (self->dialect, code == GST_ICE_WS_NORMAL);
  if (may_retry (self, g_get_monotonic_time ()))
    retry_later (self);
  else
    fail (self, GST_ICE_ERROR_SIGNALLING_LOST,
        "The signalling server ends each connection soon after it took it; "
        "try again later, or choose another room or id");
  pump (self);
}

static void
open_up (
    GstIceWsMeeting *self, GIOStream *stream, GSocket *socket, GBytes *leftover)
{
  static const GstIceWsConnFuncs funcs = { on_text, on_closed };
  GstIceWsPoller *poller = gst_ice_ws_poller_new ();

  GST_INFO_OBJECT (self->signaller, "connected to the server");
  self->was_open = TRUE;
  self->conn = gst_ice_ws_conn_new (
      poller, stream, socket, TRUE, leftover, &funcs, self);
  gst_ice_ws_poller_unref (poller);
  self->opened_at = g_get_monotonic_time ();
  gst_ice_ws_dialect_opened (self->dialect);
  pump (self);
}

static void
on_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GstIceWsMeeting *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) leftover = NULL;
  g_autoptr (GSocket) socket = NULL;
  gboolean retry;
  g_autoptr (GIOStream) stream =
      gst_ice_ws_dial_finish (result, &socket, &leftover, &retry, &error);

  g_clear_object (&self->dialling);
  if (self->signaller == NULL) {
    /* It ended meanwhile. */
  } else if (stream != NULL) {
    open_up (self, stream, socket, leftover);
  } else if (retry && g_get_monotonic_time () < self->give_up_at) {
    GST_INFO_OBJECT (self->signaller, "%s", error->message);
    retry_later (self);
  } else {
    gst_ice_signaller_emit_error (self->signaller, error);
  }
  meeting_unref (self);
}

static void
dial (GstIceWsMeeting *self)
{
  const gint64 left = self->give_up_at - g_get_monotonic_time ();

  self->dialling = g_cancellable_new ();
  gst_ice_ws_dial_async (self->place,
      self->was_open ? DIAL_MS : MAX (left / G_TIME_SPAN_MILLISECOND, 100),
      self->dialling, on_dialled, meeting_ref (self));
}

/* listen=1 */

static void
on_local (const gchar *text, gpointer user_data)
{
  GstIceWsMeeting *self = user_data;

  if (text == NULL) {
    fail (self, GST_ICE_ERROR_SIGNALLING_LOST,
        "The signalling server here sent its own peer away");
    return;
  }
  gst_ice_ws_dialect_receive (self->dialect, text, strlen (text));
  pump (self);
}

static GTlsCertificate *
find_certificate (GstIceWsMeeting *self, const gchar *host, GError **error)
{
  if (self->place->self_signed)
    return gst_ice_ws_certificate_self_signed (host, error);
  return gst_ice_ws_certificate_load (
      self->place->certificate, self->place->key, error);
}

/* What the other side has to say, but for a token. */
static gchar *
describe (
    GstIceWsMeeting *self, const gchar *host, GTlsCertificate *certificate)
{
  g_autofree gchar *fingerprint = NULL;
  g_autofree gchar *bracketed =
      strchr (host, ':') ? g_strdup_printf ("[%s]", host) : g_strdup (host);
  GString *uri = g_string_new (NULL);
  gchar separator = '?';

  g_string_printf (uri, "%s://%s:%u%s", certificate ? "ice+wss" : "ice+ws",
      bracketed, gst_ice_ws_server_get_port (self->server), self->place->path);
  if (certificate != NULL && self->place->self_signed) {
    fingerprint = gst_ice_ws_fingerprint (certificate);
    g_string_append_printf (uri, "?fingerprint=sha-256:%s", fingerprint);
    separator = '&';
  } else if (certificate == NULL && !gst_ice_is_loopback (host)) {
    g_string_append (uri, "?insecure=true");
    separator = '&';
  }
  if (self->place->dialect == GST_ICE_WS_DIALECT_WEBRTC)
    g_string_append_printf (uri, "%cdialect=gst-webrtc", separator);
  return g_string_free (uri, FALSE);
}

static void
listen (GstIceWsMeeting *self)
{
  const GstIceWsPlace *place = self->place;
  const gboolean everywhere = place->host == NULL ||
      g_str_equal (place->host, "0.0.0.0") || g_str_equal (place->host, "::");
  const gboolean hidden =
      place->host == NULL && !place->tls && !place->insecure;
  g_autofree gchar *host = hidden ? g_strdup ("127.0.0.1")
      : everywhere                ? gst_ice_ws_own_host ()
                                  : g_strdup (place->host);
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *room = g_uri_unescape_string (place->path + 1, NULL);
  GstIceWsServerConfig config;

  gst_ice_ws_server_config_init (&config);
  config.address = hidden ? g_strdup (host) : g_strdup (place->host);
  config.port = place->port;
  config.dialect = place->dialect;
  config.only_room = g_strdup (room);
  if (place->token != NULL) {
    config.tokens = g_ptr_array_new_with_free_func (g_free);
    g_ptr_array_add (config.tokens, g_strdup (place->token));
  }
  /* One room for a few: more are not expected. */
  config.limits.max_peers = 64;
  if (place->tls) {
    certificate = find_certificate (self, host, &error);
    config.certificate =
        certificate != NULL ? g_object_ref (certificate) : NULL;
  }
  if (error == NULL)
    self->server = gst_ice_ws_server_new (&config, &error);
  gst_ice_ws_server_config_clear (&config);
  if (error != NULL) {
    gst_ice_signaller_emit_error (self->signaller, error);
    return;
  }
  gst_ice_websocket_signaller_take_peer_uri (
      self->signaller, describe (self, host, certificate));
  gst_ice_ws_dialect_opened (self->dialect);
  gst_ice_ws_server_join_local (
      self->server, room, place->dialect, on_local, self, &self->local);
  pump (self);
}

GstIceWsMeeting *
gst_ice_ws_meeting_new (GstIceSignaller *signaller, GstIceWsPlace *place,
    GstIceSignallerRole role, const gchar *key)
{
  GstIceWsMeeting *self = g_new0 (GstIceWsMeeting, 1);

  self->refs = 1;
  self->signaller = g_object_ref (signaller);
  self->place = place;
  self->dialect = gst_ice_ws_dialect_new (place, role, key);
  self->retry_ms = FIRST_RETRY_MS;
  self->give_up_at =
      g_get_monotonic_time () + FIRST_DIAL_MS * G_TIME_SPAN_MILLISECOND;
  if (place->listen)
    listen (self);
  else
    dial (self);
  return self;
}

static gboolean
on_server_done (gpointer user_data)
{
  gst_ice_ws_server_free (user_data);
  return G_SOURCE_REMOVE;
}

void
gst_ice_ws_meeting_end (GstIceWsMeeting *self)
{
  if (self->dialling != NULL)
    g_cancellable_cancel (self->dialling);
  hang_up (self);
  if (self->server != NULL) {
    if (self->local != 0)
      gst_ice_ws_server_leave_local (self->server, self->local);
    gst_ice_ws_server_end (self->server, on_server_done, self->server);
    self->server = NULL;
  }
  g_clear_object (&self->signaller);
  meeting_unref (self);
}

void
gst_ice_ws_meeting_description (
    GstIceWsMeeting *self, const gchar *type, const gchar *sdp)
{
  gst_ice_ws_dialect_description (self->dialect, type, sdp);
  pump (self);
}

void
gst_ice_ws_meeting_candidate (GstIceWsMeeting *self, const gchar *mid,
    guint mline_index, const gchar *candidate, const gchar *ufrag)
{
  gst_ice_ws_dialect_candidate (
      self->dialect, mid, mline_index, candidate, ufrag);
  pump (self);
}

void
gst_ice_ws_meeting_bye (GstIceWsMeeting *self, const gchar *reason)
{
  gst_ice_ws_dialect_bye (self->dialect, reason);
  pump (self);
}

void
gst_ice_ws_meeting_decline (
    GstIceWsMeeting *self, const gchar *reason, const gchar *text)
{
  gst_ice_ws_dialect_decline (self->dialect, reason, text);
  pump (self);
}

void
gst_ice_ws_meeting_complain (GstIceWsMeeting *self, const gchar *text)
{
  gst_ice_ws_dialect_complain (self->dialect, text);
  pump (self);
}
