/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wsserver-private.h"

#include <openssl/crypto.h>
#include <string.h>

#include "ws-page.h"

static void
reply (SoupServerMessage *message, guint status, const gchar *type,
    const gchar *text)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (
      message, type, SOUP_MEMORY_COPY, text, strlen (text));
}

static void
refuse (SoupServerMessage *message, guint status, const gchar *text)
{
  if (status == SOUP_STATUS_UNAUTHORIZED)
    soup_message_headers_replace (
        soup_server_message_get_response_headers (message), "WWW-Authenticate",
        "Bearer");
  reply (message, status, "text/plain; charset=utf-8", text);
}

static void
append_metric (
    GString *text, const gchar *name, const gchar *type, guint64 value)
{
  g_string_append_printf (text,
      "# TYPE gst_ice_%s %s\ngst_ice_%s %" G_GUINT64_FORMAT "\n", name, type,
      name, value);
}

/* Prometheus' text format. */
static void
reply_metrics (GstIceWsServer *self, SoupServerMessage *message)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GstIceWsHubStats stats;

  gst_ice_ws_hub_get_stats (self->hub, &stats);
  append_metric (text, "peers", "gauge", stats.n_peers);
  append_metric (text, "rooms", "gauge", stats.n_rooms);
  append_metric (text, "connections", "gauge", self->counts->n_connections);
  append_metric (text, "peers_joined_total", "counter", stats.n_joined);
  append_metric (text, "peers_refused_total", "counter", stats.n_refused);
  append_metric (text, "sessions_total", "counter", stats.n_sessions);
  append_metric (text, "messages_received_total", "counter", stats.n_messages);
  append_metric (text, "bytes_received_total", "counter", stats.n_bytes);
  append_metric (
      text, "messages_forwarded_total", "counter", stats.n_forwarded);
  append_metric (text, "malformed_total", "counter", stats.n_malformed);
  append_metric (text, "floods_total", "counter", stats.n_flooded);
  reply (message, SOUP_STATUS_OK, "text/plain; version=0.0.4", text->str);
}

static void
reply_page (GstIceWsServer *self, SoupServerMessage *message)
{
  static const gchar page[] =
      "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
      "<title>gst-ice signalling</title>\n<h1>gst-ice signalling</h1>\n"
      "<p>Two peers meet in a room, which is the path of the URI:</p>\n"
      "<pre>gst-launch-1.0 ... ! icesink uri=%s://%s/ROOM\n"
      "gst-play-1.0 %s://%s/ROOM</pre>\n"
      "<p>gst-plugins-rs (webrtcsink) and the demos of gst-examples use %s://%s"
      "</p>\n<p><a href=\"/health\">health</a> <a href=\"/metrics\">metrics</a>"
      "</p>\n</html>\n";
  const gboolean tls = self->config.certificate != NULL;
  const gchar *scheme = tls ? "ice+wss" : "ice+ws";
  const gchar *host = soup_message_headers_get_one (
      soup_server_message_get_request_headers (message), "Host");
  g_autofree gchar *where = g_markup_escape_text (host ? host : "HOST", -1);
  g_autofree gchar *text = g_strdup_printf (
      page, scheme, where, scheme, where, tls ? "wss" : "ws", where);

  soup_message_headers_replace (
      soup_server_message_get_response_headers (message),
      "Content-Security-Policy", "default-src 'none'");
  reply (message, SOUP_STATUS_OK, "text/html; charset=utf-8", text);
}

/* A browser that goes to a room's address is the other peer of it: page.html,
 * with the script that it loads. Nothing else is let in (CSP). */
static void
reply_file (SoupServerMessage *message, const gchar *name, const gchar *type)
{
  g_autofree gchar *path = g_strconcat ("/org/gst-ice/", name, NULL);
  g_autoptr (GBytes) text = g_resource_lookup_data (
      gst_ice_ws_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

  soup_message_headers_replace (
      soup_server_message_get_response_headers (message),
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; "
      "connect-src 'self' ws: wss:; media-src 'self' blob: mediastream:");
  reply (message, SOUP_STATUS_OK, type, g_bytes_get_data (text, NULL));
}

/* (transfer full) (nullable): no room can be called so */
static gchar *
parse_room (const gchar *path)
{
  g_autofree gchar *room =
      g_uri_unescape_string (*path == '/' ? path + 1 : path, NULL);
  const gchar *p;

  if (room == NULL || strlen (room) > GST_ICE_WS_MAX_NAME ||
      !g_utf8_validate (room, -1, NULL))
    return NULL;
  for (p = room; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      return NULL;
  return g_steal_pointer (&room);
}

/* Of "Authorization: Bearer", or what a browser can do: "?token=". */
static gchar *
find_token (SoupServerMessage *message, GHashTable *query)
{
  const gchar *authorization = soup_message_headers_get_one (
      soup_server_message_get_request_headers (message), "Authorization");

  if (authorization != NULL &&
      g_ascii_strncasecmp (authorization, "Bearer ", 7) == 0)
    return g_strstrip (g_strdup (authorization + 7));
  return query != NULL ? g_strdup (g_hash_table_lookup (query, "token")) : NULL;
}

/* In the same time wherever the first difference is. */
static gboolean
is_same (const gchar *a, const gchar *b)
{
  g_autofree gchar *digest_a =
      g_compute_checksum_for_string (G_CHECKSUM_SHA256, a, -1);
  g_autofree gchar *digest_b =
      g_compute_checksum_for_string (G_CHECKSUM_SHA256, b, -1);

  return CRYPTO_memcmp (digest_a, digest_b, strlen (digest_a)) == 0;
}

/* A line of tokens is for all rooms, or names one. */
static gboolean
may_enter (GstIceWsServer *self, const gchar *token, const gchar *room)
{
  GPtrArray *tokens = self->config.tokens;
  gboolean found = tokens == NULL;
  guint i;

  for (i = 0; tokens != NULL && token != NULL && i < tokens->len; i++) {
    g_auto (GStrv) words = g_strsplit (tokens->pdata[i], " ", 2);

    if (is_same (words[0], token) &&
        (words[1] == NULL || g_str_equal (words[1], room)))
      found = TRUE;
  }
  return found;
}

/* RFC 6455 10.2: a page of somewhere else uses its reader's browser. */
static gboolean
is_welcome_origin (GstIceWsServer *self, SoupServerMessage *message)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (message);
  const gchar *origin = soup_message_headers_get_one (headers, "Origin");
  const gchar *host = soup_message_headers_get_one (headers, "Host");
  const gchar *authority = origin != NULL ? strstr (origin, "://") : NULL;
  guint i;

  if (origin == NULL ||
      (authority != NULL && host != NULL &&
          g_ascii_strcasecmp (authority + 3, host) == 0))
    return TRUE;
  for (i = 0; self->config.origins != NULL && i < self->config.origins->len;
       i++)
    if (g_ascii_strcasecmp (self->config.origins->pdata[i], origin) == 0)
      return TRUE;
  return FALSE;
}

/* What waits for the answer to be written. */
typedef struct
{
  GstIceWsServer *server; /* (unowned) while its SoupServer has messages */
  gchar *room;            /* (owned) */
  GstIceWsDialectKind dialect;
} Upgrade;

static void
upgrade_free (gpointer data, GClosure *closure)
{
  Upgrade *upgrade = data;

  g_free (upgrade->room);
  g_free (upgrade);
}

static void
on_upgraded (SoupServerMessage *message, gpointer user_data)
{
  Upgrade *upgrade = user_data;
  g_autoptr (GIOStream) stream = NULL;
  GSocket *socket;

  socket = gst_ice_ws_server_release (
      soup_server_message_get_remote_address (message));
  stream = soup_server_message_steal_connection (message);
  gst_ice_ws_server_adopt (
      upgrade->server, stream, socket, upgrade->room, upgrade->dialect);
}

static void
upgrade (GstIceWsServer *self, SoupServerMessage *message, const gchar *room,
    GHashTable *query)
{
  GstIceWsDialectKind dialect = self->config.dialect;
  const gchar *wanted =
      query != NULL ? g_hash_table_lookup (query, "dialect") : NULL;
  Upgrade *later;

  if (wanted != NULL && dialect == GST_ICE_WS_DIALECT_ANY &&
      !gst_ice_ws_dialect_from_nick (wanted, &dialect)) {
    refuse (message, SOUP_STATUS_NOT_FOUND, "There is no such dialect.\n");
    return;
  }
  if (!soup_websocket_server_process_handshake (
          message, NULL, NULL, NULL, NULL))
    return;
  later = g_new0 (Upgrade, 1);
  later->server = self;
  later->room = g_strdup (room);
  later->dialect = dialect;
  g_signal_connect_data (message, "wrote-informational",
      G_CALLBACK (on_upgraded), later, upgrade_free, 0);
}

static gboolean
is_upgrade (SoupServerMessage *message)
{
  return soup_message_headers_header_contains (
      soup_server_message_get_request_headers (message), "Upgrade",
      "websocket");
}

static void
handle_upgrade (GstIceWsServer *self, SoupServerMessage *message,
    const gchar *path, GHashTable *query)
{
  g_autofree gchar *room = parse_room (path);
  g_autofree gchar *token = find_token (message, query);
  GstIceWsHubStats stats;

  gst_ice_ws_hub_get_stats (self->hub, &stats);
  if (!is_welcome_origin (self, message))
    refuse (message, SOUP_STATUS_FORBIDDEN,
        "Pages of this origin may not connect.\n");
  else if (room == NULL ||
      (self->config.only_room != NULL &&
          !g_str_equal (room, self->config.only_room)))
    refuse (message, SOUP_STATUS_NOT_FOUND, "There is no such room.\n");
  else if (!may_enter (self, token, room))
    refuse (message, SOUP_STATUS_UNAUTHORIZED, "A token is needed.\n");
  else if (stats.n_peers >= self->config.limits.max_peers)
    refuse (message, SOUP_STATUS_SERVICE_UNAVAILABLE, "It is full here.\n");
  else
    upgrade (self, message, room, query);
}

/* The token is asked for by the WebSocket: the page tells no secret. */
static gboolean
is_room (GstIceWsServer *self, const gchar *path)
{
  g_autofree gchar *room = parse_room (path);

  return room != NULL && *room != '\0' &&
      (self->config.only_room == NULL ||
          g_str_equal (room, self->config.only_room));
}

static void
handle_plain (
    GstIceWsServer *self, SoupServerMessage *message, const gchar *path)
{
  if (g_str_equal (path, "/health"))
    reply (
        message, SOUP_STATUS_OK, "application/json", "{\"status\":\"ok\"}\n");
  else if (g_str_equal (path, "/metrics"))
    reply_metrics (self, message);
  else if (g_str_equal (path, "/"))
    reply_page (self, message);
  else if (g_str_equal (path, "/page.js"))
    reply_file (message, "page.js", "text/javascript; charset=utf-8");
  else if (is_room (self, path))
    reply_file (message, "page.html", "text/html; charset=utf-8");
  else
    refuse (message, SOUP_STATUS_NOT_FOUND, "There is no such room.\n");
}

/* Before its body is read, which nobody wants. */
static void
on_early (SoupServer *soup, SoupServerMessage *message, const gchar *path,
    GHashTable *query, gpointer user_data)
{
  const gchar *method = soup_server_message_get_method (message);

  soup_message_body_set_accumulate (
      soup_server_message_get_request_body (message), FALSE);
  if (method == SOUP_METHOD_GET || method == SOUP_METHOD_HEAD)
    return;
  soup_message_headers_replace (
      soup_server_message_get_response_headers (message), "Allow", "GET, HEAD");
  refuse (message, SOUP_STATUS_METHOD_NOT_ALLOWED, "GET is meant.\n");
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const gchar *path,
    GHashTable *query, gpointer user_data)
{
  GstIceWsServer *self = user_data;

  if (is_upgrade (message))
    handle_upgrade (self, message, path, query);
  else
    handle_plain (self, message, path);
}

void
gst_ice_ws_server_serve_http (GstIceWsServer *self)
{
  soup_server_add_early_handler (self->soup, NULL, on_early, self, NULL);
  soup_server_add_handler (self->soup, NULL, on_request, self, NULL);
}
