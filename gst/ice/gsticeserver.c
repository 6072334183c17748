/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeserver-private.h"

#include <string.h>

#include "base/crypto.h"
#include "gsticeerror.h"

/* RFC 8489 18.6: stun and turn, and their variants over TLS and DTLS. */
#define DEFAULT_PORT 3478
#define DEFAULT_SECURE_PORT 5349

/* RFC 1035 2.3.4. */
#define MAX_HOST 255

/* draft-uberti-rtcweb-turn-rest 2.2: a user name may say when it expires, as
 * Unix time; so many digits are the years 2001 to 2286. */
#define EXPIRY_DIGITS 10

/* RFC 8489 14.3: USERNAME has fewer than 509 bytes. */
#define MAX_USERNAME 508
/* RFC 7635 6.2 leaves the length of a token to its server; it has to fit a
 * datagram. HMAC takes any key, but nobody makes longer ones. */
#define MAX_TOKEN 1024
#define MAX_MAC_KEY 256

typedef struct
{
  const gchar *name;
  IceServerKind kind;
  gboolean secure;
} Scheme;

static const Scheme schemes[] = {
  { "stun", ICE_SERVER_STUN, FALSE },
  { "stuns", ICE_SERVER_STUN, TRUE },
  { "turn", ICE_SERVER_TURN, FALSE },
  { "turns", ICE_SERVER_TURN, TRUE },
};

/* Behind "scheme:" and "//". */
static const gchar *
skip_scheme (const gchar *uri)
{
  const gchar *rest = strchr (uri, ':');

  if (!rest)
    return uri;
  rest++;
  return g_str_has_prefix (rest, "//") ? rest + 2 : rest;
}

static const Scheme *
find_scheme (const gchar *uri)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++) {
    gsize size = strlen (schemes[i].name);

    if (!g_ascii_strncasecmp (uri, schemes[i].name, size) && uri[size] == ':')
      return &schemes[i];
  }
  return NULL;
}

gchar *
gst_ice_server_redact (const gchar *uri)
{
  /* What stands for a scheme and is none may be a user. */
  const gchar *rest = find_scheme (uri) ? skip_scheme (uri) : uri;
  const gchar *at = strrchr (rest, '@');
  const gchar *host = at ? at + 1 : rest;
  gsize host_size = strcspn (host, "?");
  const gchar *colon = g_strrstr_len (host, host_size, ":");

  /* What stands where the port should may be a password whose "@" is
   * missing. */
  if (colon) {
    gsize n_digits = strspn (colon + 1, "0123456789");
    if (host[0] != '[' && colon[1 + n_digits] != '\0' &&
        colon[1 + n_digits] != '?' && colon[1 + n_digits] != '/')
      return g_strdup_printf (
          "%.*s%.*s:…", (gint) (rest - uri), uri, (gint) (colon - host), host);
  }
  return g_strdup_printf ("%.*s%s", (gint) (rest - uri), uri, host);
}

static gboolean
fail (GError **error, GstIceError code, const gchar *uri, const gchar *what)
{
  g_autofree gchar *shown = gst_ice_server_redact (uri);

  g_set_error (error, GST_ICE_ERROR, code, "“%s” %s", shown, what);
  return FALSE;
}

/* "user:pass", percent-encoded each. TURN REST user names hold colons
 * themselves ("1719999999:alice"), hence the last one. */
static gboolean
parse_user (GstIceServer *self, const gchar *uri, const gchar *user, gsize size,
    GError **error)
{
  const gchar *colon = g_strrstr_len (user, size, ":");
  const gchar *end = user + size;

  if (self->kind == ICE_SERVER_STUN)
    return fail (error, GST_ICE_ERROR_INVALID_URI, uri,
        "names a user: STUN servers want none (RFC 7064); for TURN write "
        "turn:");
  self->username = g_uri_unescape_segment (user, colon ? colon : end, NULL);
  if (colon)
    self->password = g_uri_unescape_segment (colon + 1, end, NULL);
  if (!self->username || (colon && !self->password))
    return fail (error, GST_ICE_ERROR_INVALID_URI, uri,
        "has a bad percent-encoding in its user or password");
  return TRUE;
}

static gboolean
is_host_char (gchar c)
{
  return g_ascii_isalnum (c) || c == '.' || c == '-' || c == '_' ||
      (guchar) c >= 0x80;
}

static gboolean
parse_port (const gchar *text, gsize size, guint16 *ret_port)
{
  guint port = 0;

  for (gsize i = 0; i < size; i++) {
    if (!g_ascii_isdigit (text[i]))
      return FALSE;
    port = port * 10 + (guint) (text[i] - '0');
    if (port > G_MAXUINT16)
      return FALSE;
  }
  *ret_port = (guint16) port;
  return port != 0;
}

/* HOST, HOST:PORT, [IPv6], [IPv6]:PORT */
static gboolean
parse_host (GstIceServer *self, const gchar *uri, const gchar *text, gsize size,
    GError **error)
{
  const gchar *end = text + size;
  const gchar *after;
  IceAddress address;

  if (size > 0 && text[0] == '[') {
    after = memchr (text, ']', size);
    if (after)
      self->host = g_strndup (text + 1, after - text - 1);
    if (!after || !ice_address_parse (&address, self->host, 0) ||
        address.family != ICE_FAMILY_IPV6)
      return fail (error, GST_ICE_ERROR_INVALID_URI, uri,
          "has no IPv6 address between its brackets");
    after++;
  } else {
    for (after = text; after < end && is_host_char (*after); after++)
      ;
    self->host = g_strndup (text, after - text);
    if (after == text || after - text > MAX_HOST)
      return fail (error, GST_ICE_ERROR_INVALID_URI, uri,
          "names no host; write stun:HOST[:PORT] or "
          "turn:USER:PASSWORD@HOST[:PORT]");
  }

  self->srv = after == end && !ice_address_parse (&address, self->host, 0);
  if (after < end && *after == ':') {
    if (!parse_port (after + 1, end - after - 1, &self->port))
      return fail (error, GST_ICE_ERROR_INVALID_URI, uri,
          "has no port from 1 to 65535 after the host; a user and password "
          "go before the host and an “@”, special characters "
          "percent-encoded");
    after = end;
  }
  if (after != end)
    return fail (error, GST_ICE_ERROR_INVALID_URI, uri,
        "has something behind the host that is no port; write "
        "stun:HOST[:PORT] or turn:USER:PASSWORD@HOST[:PORT]");
  return TRUE;
}

/* RFC 7065 3.1: "transport" is "udp", "tcp" or another; RFC 7350 3: with
 * "turns" and "udp" that is DTLS. Without it (RFC 5928 3) UDP, or TCP with TLS.
 * For stun RFC 7064 has no such parameter; ours means the same. */
static gboolean
parse_transport (GstIceServer *self, const Scheme *scheme, const gchar *uri,
    const gchar *query, GError **error)
{
  gboolean tcp = scheme->secure;

  if (query) {
    if (g_ascii_strncasecmp (query, "transport=", strlen ("transport=")))
      return fail (error, GST_ICE_ERROR_INVALID_URI, uri,
          "has an unknown parameter; servers take ?transport=udp or tcp");
    query += strlen ("transport=");
    tcp = g_ascii_strcasecmp (query, "tcp") == 0;
    if (!tcp && g_ascii_strcasecmp (query, "udp"))
      return fail (error, GST_ICE_ERROR_INVALID_URI, uri,
          "has an unknown transport; servers take ?transport=udp or tcp");
  }
  if (scheme->secure)
    self->transport = tcp ? ICE_TRANSPORT_TLS : ICE_TRANSPORT_DTLS;
  else
    self->transport = tcp ? ICE_TRANSPORT_TCP : ICE_TRANSPORT_UDP;
  self->port = scheme->secure ? DEFAULT_SECURE_PORT : DEFAULT_PORT;
  return TRUE;
}

/* RFC 7064: stun: is UDP, stuns: TLS, and nothing else has to be said. */
static const gchar *
transport_parameter (const GstIceServer *self)
{
  gboolean tcp = self->transport == ICE_TRANSPORT_TCP ||
      self->transport == ICE_TRANSPORT_TLS;

  if (self->kind == ICE_SERVER_STUN &&
      (self->transport == ICE_TRANSPORT_UDP ||
          self->transport == ICE_TRANSPORT_TLS))
    return "";
  return tcp ? "?transport=tcp" : "?transport=udp";
}

static gchar *
make_url (const GstIceServer *self, const gchar *username, gboolean with_port)
{
  g_autofree gchar *port =
      with_port ? g_strdup_printf (":%u", self->port) : NULL;
  gboolean literal = strchr (self->host, ':') != NULL;
  gboolean secure = self->transport == ICE_TRANSPORT_TLS ||
      self->transport == ICE_TRANSPORT_DTLS;
  g_autofree gchar *user =
      username ? g_uri_escape_string (username, NULL, FALSE) : NULL;

  return g_strdup_printf ("%s%s:%s%s%s%s%s%s%s",
      self->kind == ICE_SERVER_TURN ? "turn" : "stun", secure ? "s" : "",
      user ? user : "", user ? "@" : "", literal ? "[" : "", self->host,
      literal ? "]" : "", port ? port : "", transport_parameter (self));
}

GstIceServer *
gst_ice_server_new (const gchar *uri, const gchar *username,
    const gchar *password, GError **error)
{
  g_autoptr (GstIceServer) self = g_new0 (GstIceServer, 1);
  const Scheme *scheme = find_scheme (uri);
  const gchar *rest, *at, *query;
  gsize size;

  if (!scheme) {
    fail (error, GST_ICE_ERROR_INVALID_URI, uri,
        "is no STUN or TURN server; write stun:HOST[:PORT] or "
        "turn:USER:PASSWORD@HOST[:PORT]");
    return NULL;
  }
  self->kind = scheme->kind;
  rest = skip_scheme (uri);
  at = strrchr (rest, '@');
  if (at) {
    if (!parse_user (self, uri, rest, at - rest, error))
      return NULL;
    rest = at + 1;
  }
  query = strchr (rest, '?');
  size = query ? (gsize) (query - rest) : strlen (rest);
  if (size > 0 && rest[size - 1] == '/')
    size--;
  if (!parse_transport (self, scheme, uri, query ? query + 1 : NULL, error) ||
      !parse_host (self, uri, rest, size, error))
    return NULL;

  if (username) {
    g_free (self->username);
    self->username = g_strdup (username);
  }
  if (password) {
    ice_secret_free (self->password);
    self->password = g_strdup (password);
  }
  if (self->username && strlen (self->username) > MAX_USERNAME) {
    fail (error, GST_ICE_ERROR_INVALID_URI, uri,
        "has a user name of more than 508 bytes (RFC 8489 14.3)");
    return NULL;
  }
  self->url = make_url (self, NULL, TRUE);
  return g_steal_pointer (&self);
}

static guint8 *
dup_bytes (GBytes *bytes, gsize *ret_size)
{
  gconstpointer data = g_bytes_get_data (bytes, ret_size);

  return g_memdup2 (data, *ret_size);
}

gboolean
gst_ice_server_set_token (GstIceServer *self, GBytes *token, GBytes *mac_key,
    guint lifetime, GError **error)
{
  if (g_bytes_get_size (token) == 0 || g_bytes_get_size (token) > MAX_TOKEN ||
      g_bytes_get_size (mac_key) == 0 ||
      g_bytes_get_size (mac_key) > MAX_MAC_KEY) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        "A token has 1 to %d bytes and its key 1 to %d: pass on what the "
        "authorization server gave, decoded from base64",
        MAX_TOKEN, MAX_MAC_KEY);
    return FALSE;
  }
  self->token = dup_bytes (token, &self->token_size);
  self->mac_key = dup_bytes (mac_key, &self->mac_key_size);
  if (lifetime > 0)
    self->expires_at =
        g_get_monotonic_time () + (gint64) lifetime * G_USEC_PER_SEC;
  return TRUE;
}

GstIceServer *
gst_ice_server_copy (const GstIceServer *self)
{
  GstIceServer *copy = g_new0 (GstIceServer, 1);

  copy->id = self->id;
  copy->kind = self->kind;
  copy->transport = self->transport;
  copy->host = g_strdup (self->host);
  copy->port = self->port;
  copy->srv = self->srv;
  copy->username = g_strdup (self->username);
  copy->url = g_strdup (self->url);
  return copy;
}

void
gst_ice_server_free (GstIceServer *self)
{
  g_free (self->host);
  g_free (self->username);
  ice_secret_free (self->password);
  g_free (self->token);
  if (self->mac_key)
    ice_secret_clear (self->mac_key, self->mac_key_size);
  g_free (self->mac_key);
  g_free (self->url);
  g_free (self);
}

gchar *
gst_ice_server_to_string (const GstIceServer *self)
{
  return make_url (self, self->username, !self->srv);
}

/* Of "1719999999:alice" or "1719999999"; 0 when it does not say, or is over:
 * the server decides then. */
static IceTime
compute_expiry (const gchar *username)
{
  gsize n_digits = username ? strspn (username, "0123456789") : 0;
  gint64 left;

  if (n_digits != EXPIRY_DIGITS ||
      (username[n_digits] != ':' && username[n_digits] != '\0'))
    return 0;
  left = g_ascii_strtoll (username, NULL, 10) * G_USEC_PER_SEC -
      g_get_real_time ();
  return left > 0 ? g_get_monotonic_time () + left : 0;
}

IceServerConfig
gst_ice_server_to_config (const GstIceServer *self)
{
  return (IceServerConfig){
    .id = self->id,
    .kind = self->kind,
    .transport = self->transport,
    .host = self->host,
    .port = self->port,
    .srv = self->srv,
    .username = self->username,
    .password = self->password,
    .token = ICE_BYTES (self->token, self->token_size),
    .mac_key = ICE_BYTES (self->mac_key, self->mac_key_size),
    .expires_at =
        self->expires_at ? self->expires_at : compute_expiry (self->username),
    .url = self->url,
  };
}
