/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wssignaller-private.h"

#include <string.h>

#include "gst/signallers/secrets.h"
#include "wsrandom.h"

GST_DEBUG_CATEGORY (gst_ice_websocket_debug);
#define GST_CAT_DEFAULT gst_ice_websocket_debug

/**
 * GstIceWebsocketSignaller:
 *
 * Meets the peer over a WebSocket: at a signalling server, or by being one.
 */

struct _GstIceWebsocketSignaller
{
  GObject parent;

  GMutex lock;
  gchar *uri;              /* (owned) (nullable) */
  GstIceWsPlace *defaults; /* (owned) what the uri does not say */
  gboolean bad_dialect;
  gchar *bad_header; /* (owned) (nullable) */
  gchar *peer_uri;   /* (owned) (nullable) */
  gchar key[33];     /* who we are, for the server alone */
  gboolean started;

  GstIceWsMeeting *meeting; /* (owned) (nullable) service thread only */
};

typedef struct
{
  GObjectClass parent;
} GstIceWebsocketSignallerClass;

typedef GstIceWebsocketSignaller GstIceWebrtcSignaller;
typedef GstIceWebsocketSignallerClass GstIceWebrtcSignallerClass;

enum
{
  PROP_0,
  PROP_URI,
  PROP_DIALECT,
  PROP_TOKEN,
  PROP_HEADERS,
  PROP_CA_FILE,
  PROP_FINGERPRINT,
  PROP_INSECURE,
  PROP_ROOM,
  PROP_ID,
  PROP_PEER_ID,
  PROP_PEER_URI,
};

static void gst_ice_websocket_signaller_iface_init (
    GstIceSignallerInterface *iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE (GstIceWebsocketSignaller, gst_ice_websocket_signaller,
    G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_ICE_SIGNALLER, gst_ice_websocket_signaller_iface_init)
        GST_DEBUG_CATEGORY_INIT (
            gst_ice_websocket_debug, "ice-signal", 0, "ICE signalling"))
G_DEFINE_TYPE (GstIceWebrtcSignaller, gst_ice_webrtc_signaller,
    GST_TYPE_ICE_WEBSOCKET_SIGNALLER)

#define SELF(object) ((GstIceWebsocketSignaller *) (object))

/* A call on its way to the service thread, in order with the others. */
typedef struct _Call Call;
typedef void (*Tell) (GstIceWsMeeting *meeting, const Call *call);

struct _Call
{
  GstIceWebsocketSignaller *self; /* (owned) */
  Tell tell;                      /* (nullable) what a meeting is told */
  GstIceWsPlace *place;           /* (owned) (nullable) */
  GstIceSignallerRole role;
  gchar *type, *text, *mid, *ufrag; /* (owned) (nullable) */
  guint mline_index;
};

static void
call_free (gpointer data)
{
  Call *call = data;

  g_clear_pointer (&call->place, gst_ice_ws_place_free);
  g_free (call->type);
  g_free (call->text);
  g_free (call->mid);
  g_free (call->ufrag);
  g_object_unref (call->self);
  g_free (call);
}

static Call *
call_new (GstIceSignaller *signaller)
{
  Call *call = g_new0 (Call, 1);

  call->self = g_object_ref (SELF (signaller));
  return call;
}

static void
invoke (Call *call, GSourceFunc func)
{
  g_main_context_invoke_full (gst_ice_signaller_get_main_context (),
      G_PRIORITY_DEFAULT, func, call, call_free);
}

/* Properties of the object, then what the URI says. (nullable) */
static GstIceWsPlace *
find_place (GstIceWebsocketSignaller *self, GError **error)
{
  g_autoptr (GstIceWsPlace) place = NULL;
  g_autofree gchar *uri = NULL, *bad_header = NULL;
  gboolean bad_dialect;

  g_mutex_lock (&self->lock);
  place = gst_ice_ws_place_copy (self->defaults);
  uri = g_strdup (self->uri);
  bad_header = g_strdup (self->bad_header);
  bad_dialect = self->bad_dialect;
  g_mutex_unlock (&self->lock);

  if (bad_dialect || bad_header != NULL) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        bad_dialect ? "“dialect” is lines, simple or gst-webrtc%s%s"
                    : "“headers” has “%s%s”, which is not “Name: value”; a "
                      "comma in a value is %%2C",
        bad_dialect ? "" : bad_header, "");
    return NULL;
  }
  if (place->fingerprint != NULL) {
    g_autofree gchar *text = g_steal_pointer (&place->fingerprint);

    place->fingerprint = gst_ice_ws_parse_fingerprint (text);
    if (place->fingerprint == NULL) {
      g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
          "“fingerprint” is not sha-256: and 64 hexadecimal digits");
      return NULL;
    }
  }
  if (!gst_ice_ws_place_parse (place, uri, error))
    return NULL;
  return g_steal_pointer (&place);
}

static gboolean
gst_ice_websocket_signaller_check (GstIceSignaller *signaller, GError **error)
{
  g_autoptr (GstIceWsPlace) place = find_place (SELF (signaller), error);

  return place != NULL;
}

static gboolean
start_run (gpointer data)
{
  Call *call = data;

  if (call->self->meeting == NULL)
    call->self->meeting =
        gst_ice_ws_meeting_new (GST_ICE_SIGNALLER (call->self),
            g_steal_pointer (&call->place), call->role, call->self->key);
  return G_SOURCE_REMOVE;
}

/* With the lock: the same as long as we live, so that the server knows who
 * comes back. */
static gboolean
have_key (GstIceWebsocketSignaller *self, GError **error)
{
  guint8 random[(sizeof self->key - 1) / 2];
  gsize i;

  if (self->key[0] != '\0')
    return TRUE;
  if (!gst_ice_ws_random (random, sizeof random, error))
    return FALSE;
  for (i = 0; i < sizeof random; i++)
    g_snprintf (self->key + 2 * i, 3, "%02x", random[i]);
  return TRUE;
}

/* For one session at a time. */
static gboolean
claim (GstIceWebsocketSignaller *self, GError **error)
{
  gboolean ours;

  g_mutex_lock (&self->lock);
  ours = !self->started && have_key (self, error);
  if (self->started)
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY,
        "This signaller serves another session");
  self->started = self->started || ours;
  g_mutex_unlock (&self->lock);
  return ours;
}

static gboolean
gst_ice_websocket_signaller_start (
    GstIceSignaller *signaller, GstIceSignallerRole role, GError **error)
{
  GstIceWebsocketSignaller *self = SELF (signaller);
  g_autoptr (GstIceWsPlace) place = find_place (self, error);
  Call *call;

  if (place == NULL || !claim (self, error))
    return FALSE;
  call = call_new (signaller);
  call->place = g_steal_pointer (&place);
  call->role = role;
  invoke (call, start_run);
  return TRUE;
}

static gboolean
tell_run (gpointer data)
{
  const Call *call = data;

  if (call->self->meeting != NULL)
    call->tell (call->self->meeting, call);
  return G_SOURCE_REMOVE;
}

static void
tell (
    GstIceSignaller *signaller, Tell func, const gchar *type, const gchar *text)
{
  Call *call = call_new (signaller);

  call->tell = func;
  call->type = g_strdup (type);
  call->text = g_strdup (text);
  invoke (call, tell_run);
}

static void
tell_description (GstIceWsMeeting *meeting, const Call *call)
{
  gst_ice_ws_meeting_description (meeting, call->type, call->text);
}

static void
gst_ice_websocket_signaller_send_description (
    GstIceSignaller *signaller, const gchar *type, const gchar *sdp)
{
  tell (signaller, tell_description, type, sdp);
}

static void
tell_candidate (GstIceWsMeeting *meeting, const Call *call)
{
  gst_ice_ws_meeting_candidate (
      meeting, call->mid, call->mline_index, call->text, call->ufrag);
}

static void
gst_ice_websocket_signaller_send_candidate (GstIceSignaller *signaller,
    const gchar *mid, guint mline_index, const gchar *candidate,
    const gchar *ufrag)
{
  Call *call = call_new (signaller);

  call->tell = tell_candidate;
  call->mid = g_strdup (mid);
  call->mline_index = mline_index;
  call->text = g_strdup (candidate);
  call->ufrag = g_strdup (ufrag);
  invoke (call, tell_run);
}

static void
tell_bye (GstIceWsMeeting *meeting, const Call *call)
{
  gst_ice_ws_meeting_bye (meeting, call->text);
}

static void
gst_ice_websocket_signaller_send_bye (
    GstIceSignaller *signaller, const gchar *reason)
{
  tell (signaller, tell_bye, NULL, reason);
}

static void
tell_reject (GstIceWsMeeting *meeting, const Call *call)
{
  gst_ice_ws_meeting_decline (meeting, call->type, call->text);
}

static void
gst_ice_websocket_signaller_send_reject (
    GstIceSignaller *signaller, const gchar *reason, const gchar *text)
{
  tell (signaller, tell_reject, reason, text);
}

static void
tell_error (GstIceWsMeeting *meeting, const Call *call)
{
  gst_ice_ws_meeting_complain (meeting, call->text);
}

static void
gst_ice_websocket_signaller_send_error (
    GstIceSignaller *signaller, const gchar *text)
{
  tell (signaller, tell_error, NULL, text);
}

static gboolean
stop_run (gpointer data)
{
  Call *call = data;

  g_clear_pointer (&call->self->meeting, gst_ice_ws_meeting_end);
  return G_SOURCE_REMOVE;
}

static void
gst_ice_websocket_signaller_stop (GstIceSignaller *signaller)
{
  GstIceWebsocketSignaller *self = SELF (signaller);

  g_mutex_lock (&self->lock);
  self->started = FALSE;
  g_mutex_unlock (&self->lock);
  invoke (call_new (signaller), stop_run);
}

static void
gst_ice_websocket_signaller_iface_init (
    GstIceSignallerInterface *iface, gpointer data)
{
  iface->check = gst_ice_websocket_signaller_check;
  iface->start = gst_ice_websocket_signaller_start;
  iface->send_description = gst_ice_websocket_signaller_send_description;
  iface->send_candidate = gst_ice_websocket_signaller_send_candidate;
  iface->send_bye = gst_ice_websocket_signaller_send_bye;
  iface->send_reject = gst_ice_websocket_signaller_send_reject;
  iface->send_error = gst_ice_websocket_signaller_send_error;
  iface->stop = gst_ice_websocket_signaller_stop;
}

void
gst_ice_websocket_signaller_take_peer_uri (
    GstIceSignaller *signaller, gchar *uri)
{
  GstIceWebsocketSignaller *self = SELF (signaller);

  g_mutex_lock (&self->lock);
  g_free (self->peer_uri);
  self->peer_uri = uri;
  g_mutex_unlock (&self->lock);
  GST_INFO_OBJECT (self, "the peer uses %s", uri);
  g_object_notify (G_OBJECT (self), "peer-uri");
}

/* "Name: value,Name: value" to lines of a request. (nullable): @ret_bad is
 * none of them */
static gchar *
parse_headers (const gchar *text, gchar **ret_bad)
{
  g_auto (GStrv) items = g_strsplit (text != NULL ? text : "", ",", -1);
  GString *lines = g_string_new (NULL);
  gchar **item;

  for (item = items; *item != NULL; item++) {
    g_autofree gchar *line = g_uri_unescape_string (g_strstrip (*item), NULL);
    const gchar *p = line != NULL ? strchr (line, ':') : NULL;

    if (**item == '\0')
      continue;
    for (p = p == line ? NULL : p; p != NULL && *p != '\0'; p++)
      if (g_ascii_iscntrl (*p))
        break;
    if (p == NULL || *p != '\0') {
      *ret_bad = g_strndup (*item, strcspn (*item, ":"));
      g_string_free (lines, TRUE);
      return NULL;
    }
    g_string_append_printf (lines, "%s\r\n", line);
  }
  return g_string_free (lines, FALSE);
}

/* With the lock. (nullable) */
static gchar **
find_string (GstIceWebsocketSignaller *self, guint id)
{
  switch (id) {
    case PROP_URI:
      return &self->uri;
    case PROP_TOKEN:
      return &self->defaults->token;
    case PROP_CA_FILE:
      return &self->defaults->ca_file;
    case PROP_FINGERPRINT:
      return &self->defaults->fingerprint;
    case PROP_ROOM:
      return &self->defaults->room;
    case PROP_ID:
      return &self->defaults->id;
    case PROP_PEER_ID:
      return &self->defaults->peer_id;
    case PROP_PEER_URI:
      return &self->peer_uri;
    default:
      return NULL;
  }
}

static void
gst_ice_websocket_signaller_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  static const gchar *const dialects[] = { "lines", "simple", "gst-webrtc" };
  GstIceWebsocketSignaller *self = SELF (object);
  gchar **string;

  g_mutex_lock (&self->lock);
  string = find_string (self, id);
  if (id == PROP_URI)
    g_value_take_string (value, gst_ice_hide_uri_secrets (self->uri));
  else if (string != NULL)
    g_value_set_string (value, *string);
  else if (id == PROP_DIALECT)
    g_value_set_string (value, dialects[self->defaults->dialect]);
  else if (id == PROP_INSECURE)
    g_value_set_boolean (value, self->defaults->insecure);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  g_mutex_unlock (&self->lock);
}

static void
set_headers (GstIceWebsocketSignaller *self, const gchar *text)
{
  g_clear_pointer (&self->bad_header, g_free);
  g_free (self->defaults->headers);
  self->defaults->headers = parse_headers (text, &self->bad_header);
}

static void
gst_ice_websocket_signaller_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceWebsocketSignaller *self = SELF (object);
  gchar **string;

  g_mutex_lock (&self->lock);
  string = find_string (self, id);
  if (string != NULL) {
    g_free (*string);
    *string = g_value_dup_string (value);
  } else if (id == PROP_DIALECT) {
    const gchar *nick = g_value_get_string (value);

    self->bad_dialect = nick == NULL ||
        !gst_ice_ws_dialect_from_nick (nick, &self->defaults->dialect);
  } else if (id == PROP_HEADERS) {
    set_headers (self, g_value_get_string (value));
  } else if (id == PROP_INSECURE) {
    self->defaults->insecure = g_value_get_boolean (value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  g_mutex_unlock (&self->lock);
}

/* No meeting: that holds a reference. */
static void
gst_ice_websocket_signaller_finalize (GObject *object)
{
  GstIceWebsocketSignaller *self = SELF (object);

  gst_ice_ws_place_free (self->defaults);
  g_free (self->uri);
  g_free (self->bad_header);
  g_free (self->peer_uri);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_ice_websocket_signaller_parent_class)->finalize (object);
}

static void
gst_ice_websocket_signaller_init (GstIceWebsocketSignaller *self)
{
  g_mutex_init (&self->lock);
  self->defaults = gst_ice_ws_place_new ();
}

static void
gst_ice_webrtc_signaller_init (GstIceWebrtcSignaller *self)
{
  self->defaults->dialect = GST_ICE_WS_DIALECT_WEBRTC;
}

static void
gst_ice_webrtc_signaller_class_init (GstIceWebrtcSignallerClass *klass)
{
}

static void
install_string (GObjectClass *klass, guint id, const gchar *name,
    const gchar *nick, const gchar *blurb, GParamFlags flags)
{
  g_object_class_install_property (klass, id,
      g_param_spec_string (
          name, nick, blurb, NULL, flags | G_PARAM_STATIC_STRINGS));
}

static void
gst_ice_websocket_signaller_class_init (GstIceWebsocketSignallerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = gst_ice_websocket_signaller_get_property;
  object_class->set_property = gst_ice_websocket_signaller_set_property;
  object_class->finalize = gst_ice_websocket_signaller_finalize;
  g_object_class_override_property (object_class, PROP_URI, "uri");
  g_object_class_install_property (object_class, PROP_DIALECT,
      g_param_spec_string ("dialect", "Dialect",
          "What is spoken: lines, simple or gst-webrtc", "lines",
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  /* Secrets can be set, not read: pipelines are dumped and shown. */
  install_string (object_class, PROP_TOKEN, "token", "Token",
      "Bearer token for the server", G_PARAM_WRITABLE);
  install_string (object_class, PROP_HEADERS, "headers", "Headers",
      "More headers of the request, as “Name: value,Name: value”, a comma in a "
      "value as %2C",
      G_PARAM_WRITABLE);
  install_string (object_class, PROP_CA_FILE, "ca-file", "CA file",
      "Authorities to trust in place of the system's, PEM", G_PARAM_READWRITE);
  install_string (object_class, PROP_FINGERPRINT, "fingerprint", "Fingerprint",
      "sha-256:HEX of the only certificate to trust", G_PARAM_READWRITE);
  g_object_class_install_property (object_class, PROP_INSECURE,
      g_param_spec_boolean ("insecure", "Insecure",
          "Allow a WebSocket without TLS to another host", FALSE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  install_string (object_class, PROP_ROOM, "room", "Room",
      "Where to meet, when the path of the URI does not say",
      G_PARAM_READWRITE);
  install_string (object_class, PROP_ID, "id", "Id",
      "Who we are, in dialects where one says it", G_PARAM_READWRITE);
  install_string (object_class, PROP_PEER_ID, "peer-id", "Peer id",
      "Whom to call", G_PARAM_READWRITE);
  install_string (object_class, PROP_PEER_URI, "peer-uri", "Peer URI",
      "With listen=1: the URI for the other side, without a token",
      G_PARAM_READABLE);
}
