/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wsplace.h"

#include <string.h>

#include "gst/signallers/loopback.h"

/* Of gst-ice-1.0 serve, and of the server of gst-plugins-rs. */
#define DEFAULT_PORT 8443
#define FINGERPRINT_DIGITS 64

static const struct
{
  const gchar *nick;
  GstIceWsDialectKind dialect;
} dialects[] = {
  { "lines", GST_ICE_WS_DIALECT_LINES },
  { "simple", GST_ICE_WS_DIALECT_SIMPLE },
  { "gst-webrtc", GST_ICE_WS_DIALECT_WEBRTC },
};

/* RFC 6455 11.1: ws and wss have the ports of http and https. */
static const struct
{
  const gchar *scheme;
  gboolean tls;
  guint port;
} schemes[] = {
  { "ice+ws", FALSE, DEFAULT_PORT },
  { "ice+wss", TRUE, DEFAULT_PORT },
  { "ws", FALSE, 80 },
  { "wss", TRUE, 443 },
};

GstIceWsPlace *
gst_ice_ws_place_new (void)
{
  GstIceWsPlace *self = g_new0 (GstIceWsPlace, 1);

  self->role = GST_ICE_SIGNALLER_ROLE_AUTO;
  return self;
}

GstIceWsPlace *
gst_ice_ws_place_copy (const GstIceWsPlace *self)
{
  GstIceWsPlace *copy = g_new (GstIceWsPlace, 1);
  gchar **strings[] = { &copy->host, &copy->path, &copy->room,
    &copy->certificate, &copy->key, &copy->ca_file, &copy->fingerprint,
    &copy->token, &copy->headers, &copy->id, &copy->peer_id };
  gsize i;

  *copy = *self;
  for (i = 0; i < G_N_ELEMENTS (strings); i++)
    *strings[i] = g_strdup (*strings[i]);
  return copy;
}

void
gst_ice_ws_place_free (GstIceWsPlace *self)
{
  gchar *strings[] = { self->host, self->path, self->room, self->certificate,
    self->key, self->ca_file, self->fingerprint, self->token, self->headers,
    self->id, self->peer_id };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (strings); i++)
    g_free (strings[i]);
  g_free (self);
}

gboolean
gst_ice_ws_dialect_from_nick (
    const gchar *nick, GstIceWsDialectKind *ret_dialect)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (dialects); i++)
    if (g_str_equal (dialects[i].nick, nick)) {
      *ret_dialect = dialects[i].dialect;
      return TRUE;
    }
  return FALSE;
}

gchar *
gst_ice_ws_parse_fingerprint (const gchar *text)
{
  GString *digits = g_string_new (NULL);

  if (g_ascii_strncasecmp (text, "sha-256:", 8) == 0)
    text += 8;
  for (; g_ascii_isxdigit (*text) || *text == ':'; text++)
    if (*text != ':')
      g_string_append_c (digits, g_ascii_tolower (*text));
  if (*text == '\0' && digits->len == FINGERPRINT_DIGITS)
    return g_string_free (digits, FALSE);
  g_string_free (digits, TRUE);
  return NULL;
}

gchar *
gst_ice_ws_place_authority (const GstIceWsPlace *self)
{
  const gboolean is_ipv6 = self->host != NULL && strchr (self->host, ':');

  return g_strdup_printf ("%s%s%s:%u", is_ipv6 ? "[" : "",
      self->host != NULL ? self->host : "", is_ipv6 ? "]" : "", self->port);
}

static gboolean
parse_boolean (
    const gchar *name, const gchar *value, gboolean *ret_value, GError **error)
{
  if (g_str_equal (value, "1") || g_str_equal (value, "true")) {
    *ret_value = TRUE;
  } else if (g_str_equal (value, "0") || g_str_equal (value, "false")) {
    *ret_value = FALSE;
  } else {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "“%s=%s” is not %s=true or %s=false", name, value, name, name);
    return FALSE;
  }
  return TRUE;
}

static gboolean
parse_role (const gchar *value, GstIceSignallerRole *role, GError **error)
{
  if (g_str_equal (value, "offer")) {
    *role = GST_ICE_SIGNALLER_ROLE_OFFER;
  } else if (g_str_equal (value, "answer")) {
    *role = GST_ICE_SIGNALLER_ROLE_ANSWER;
  } else if (!g_str_equal (value, "auto")) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "“role=%s” is not role=offer, role=answer or role=auto", value);
    return FALSE;
  }
  return TRUE;
}

static gboolean
parse_choice (
    GstIceWsPlace *self, const gchar *name, const gchar *value, GError **error)
{
  if (g_str_equal (name, "role"))
    return parse_role (value, &self->role, error);
  if (g_str_equal (name, "dialect")) {
    if (gst_ice_ws_dialect_from_nick (value, &self->dialect))
      return TRUE;
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "“dialect=%s” is not dialect=lines, dialect=simple or "
        "dialect=gst-webrtc",
        value);
    return FALSE;
  }
  if (g_str_equal (name, "tls")) {
    self->self_signed = g_str_equal (value, "self-signed");
    if (self->self_signed)
      return TRUE;
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "“tls=%s” is not tls=self-signed; a certificate of your own goes into "
        "cert=FILE and key=FILE",
        value);
    return FALSE;
  }
  g_free (self->fingerprint);
  self->fingerprint = gst_ice_ws_parse_fingerprint (value);
  if (self->fingerprint == NULL)
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "“fingerprint” is not sha-256: and 64 hexadecimal digits, as the "
        "other side prints it");
  return self->fingerprint != NULL;
}

static gboolean
parse_parameter (
    GstIceWsPlace *self, const gchar *name, const gchar *value, GError **error)
{
  const struct
  {
    const gchar *name;
    gchar **field;
  } strings[] = { { "cert", &self->certificate }, { "key", &self->key },
    { "ca-file", &self->ca_file }, { "token", &self->token },
    { "id", &self->id }, { "peer-id", &self->peer_id },
    { "room", &self->room } };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (strings); i++)
    if (g_str_equal (strings[i].name, name)) {
      g_free (*strings[i].field);
      *strings[i].field = g_strdup (value);
      return TRUE;
    }
  if (g_str_equal (name, "listen"))
    return parse_boolean (name, value, &self->listen, error);
  if (g_str_equal (name, "insecure"))
    return parse_boolean (name, value, &self->insecure, error);
  if (g_str_equal (name, "role") || g_str_equal (name, "dialect") ||
      g_str_equal (name, "tls") || g_str_equal (name, "fingerprint"))
    return parse_choice (self, name, value, error);
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
      "The URI has an unknown parameter “%s”; there are listen, tls, cert, "
      "key, ca-file, fingerprint, token, insecure, dialect, role, room, id and "
      "peer-id",
      name);
  return FALSE;
}

static gboolean
parse_query (GstIceWsPlace *self, const gchar *query, GError **error)
{
  g_autoptr (GError) odd = NULL;
  g_autoptr (GHashTable) params =
      g_uri_parse_params (query, -1, "&", G_URI_PARAMS_NONE, &odd);
  GHashTableIter iter;
  gpointer name, value;

  if (params == NULL) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "What follows “?” in the URI is not NAME=VALUE&NAME=VALUE: %s",
        odd->message);
    return FALSE;
  }
  g_hash_table_iter_init (&iter, params);
  while (g_hash_table_iter_next (&iter, &name, &value))
    if (!parse_parameter (self, name, value, error))
      return FALSE;
  return TRUE;
}

/* It is shown, and put into requests and lines of others. */
static gboolean
check_name (const gchar *what, const gchar *name, GError **error)
{
  const gchar *p;

  if (name == NULL)
    return TRUE;
  for (p = name; *p != '\0' && !g_ascii_iscntrl (*p); p++)
    ;
  if (*p == '\0' && p != name && p - name <= GST_ICE_WS_MAX_NAME)
    return TRUE;
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
      "“%s” is a name of 1 to %d bytes without control characters", what,
      GST_ICE_WS_MAX_NAME);
  return FALSE;
}

/* simple signalling separates its words by blanks. */
static gboolean
check_words (GstIceWsPlace *self, GError **error)
{
  const gchar *const names[] = { self->room, self->id, self->peer_id };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    if (self->dialect == GST_ICE_WS_DIALECT_SIMPLE && names[i] != NULL &&
        strchr (names[i], ' ') != NULL) {
      g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
          "In simple signalling “%s” cannot be a name: it has a blank",
          names[i]);
      return FALSE;
    }
  return check_name ("room", self->room, error) &&
      check_name ("id", self->id, error) &&
      check_name ("peer-id", self->peer_id, error);
}

static gboolean
check_token (GstIceWsPlace *self, GError **error)
{
  const gchar *p;

  /* RFC 6750 2.1: what a bearer token may have. */
  for (p = self->token; p != NULL && *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("-._~+/=", *p) == NULL) {
      g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
          "The token has characters that a bearer token cannot have; letters, "
          "digits and -._~+/= can");
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_clear (GstIceWsPlace *self, GError **error)
{
  if (self->tls || self->insecure || self->host == NULL ||
      gst_ice_is_loopback (self->host))
    return TRUE;
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
      "“ice+ws:” to %s would carry credentials in the clear; use ice+wss:, or "
      "add insecure=true where nobody else can listen",
      self->host);
  return FALSE;
}

static gboolean
check_listen (GstIceWsPlace *self, GError **error)
{
  if (!self->listen) {
    if (self->host != NULL && !self->self_signed && self->certificate == NULL)
      return TRUE;
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        self->host == NULL
            ? "The URI has no host, as ice+wss://host:8443/room; or is "
              "listen=1 missing?"
            : "“tls” and “cert” are for who listens; add listen=1, or use "
              "ca-file or fingerprint to say whom to trust");
    return FALSE;
  }
  if (self->dialect == GST_ICE_WS_DIALECT_SIMPLE) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "listen=1 speaks dialect=lines and dialect=gst-webrtc; for simple "
        "signalling run gst-ice-1.0 serve");
    return FALSE;
  }
  if (self->tls && !self->self_signed && self->certificate == NULL) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "To listen ice+wss: needs a certificate: add tls=self-signed, or "
        "cert=FILE and key=FILE");
    return FALSE;
  }
  return TRUE;
}

static gboolean
check (GstIceWsPlace *self, GError **error)
{
  if (self->dialect == GST_ICE_WS_DIALECT_LINES && self->room == NULL) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "The URI names no room, as ice+wss://host:8443/room");
    return FALSE;
  }
  return check_words (self, error) && check_token (self, error) &&
      check_listen (self, error) && check_clear (self, error);
}

static gboolean
parse_scheme (GstIceWsPlace *self, const gchar *scheme)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_str_equal (schemes[i].scheme, scheme)) {
      self->tls = schemes[i].tls;
      self->port = schemes[i].port;
      return TRUE;
    }
  return FALSE;
}

/* Both go into the lines of a request. */
static gboolean
is_one_word (const gchar *text)
{
  for (; text != NULL && *text != '\0'; text++)
    if (!g_ascii_isgraph (*text))
      return FALSE;
  return TRUE;
}

gboolean
gst_ice_ws_place_parse (GstIceWsPlace *self, const gchar *uri, GError **error)
{
  g_autoptr (GUri) parsed = NULL;
  const gchar *host, *path;

  if (uri == NULL) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "No meeting place: set “uri”, as ice+wss://host:8443/room");
    return FALSE;
  }
  /* Not quoted back: it may hold a token. */
  parsed = g_uri_parse (
      uri, G_URI_FLAGS_ENCODED_PATH | G_URI_FLAGS_ENCODED_QUERY, NULL);
  if (parsed == NULL || !parse_scheme (self, g_uri_get_scheme (parsed)) ||
      g_uri_get_userinfo (parsed) != NULL ||
      !is_one_word (g_uri_get_host (parsed)) ||
      !is_one_word (g_uri_get_path (parsed))) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "The URI is not ice+ws://HOST[:PORT]/ROOM or ice+wss://HOST[:PORT]"
        "/ROOM; a token goes into ?token=");
    return FALSE;
  }
  host = g_uri_get_host (parsed);
  self->host = host != NULL && *host != '\0' ? g_strdup (host) : NULL;
  /* 0, to listen: any that is free. */
  if (g_uri_get_port (parsed) >= 0)
    self->port = g_uri_get_port (parsed);
  path = g_uri_get_path (parsed);
  self->path = g_strdup (*path != '\0' ? path : "/");
  if (g_uri_get_query (parsed) != NULL &&
      !parse_query (self, g_uri_get_query (parsed), error))
    return FALSE;
  if (self->room == NULL && self->path[1] != '\0') {
    self->room = g_uri_unescape_string (self->path + 1, NULL);
    if (self->room == NULL) {
      g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
          "The path of the URI is not percent-encoded rightly");
      return FALSE;
    }
  }
  return check (self, error);
}
