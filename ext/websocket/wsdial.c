/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wsdial.h"

#include <gst/ice/ice.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "wsframe.h"
#include "wsrandom.h"

/* Status line and headers of the answer. */
#define MAX_ANSWER 8192

typedef struct
{
  GstIceWsPlace *place; /* (owned) */
  gchar *where;         /* (owned) host:port, for people */
  gchar *key;           /* (owned) Sec-WebSocket-Key */
  GIOStream *stream;    /* (owned) (nullable) */
  GSocket *socket;      /* (owned) (nullable) under it */
  GBytes *leftover;     /* (owned) (nullable) */
  GTlsCertificateFlags untrusted;
  gchar *seen;        /* (owned) (nullable) fingerprint of its certificate */
  GString *request;   /* (owned) */
  GByteArray *answer; /* (owned) */
  guint8 chunk[1024];
  gboolean retry;
  GCancellable *inner; /* (owned) what is under way */
  GCancellable *outer; /* (owned) (nullable) */
  gulong outer_id;
  GSource *timeout; /* (owned) (nullable) */
  gboolean timed_out;
} Dial;

static void read_answer (GTask *task);

static void
dial_free (gpointer data)
{
  Dial *self = data;

  if (self->timeout != NULL) {
    g_source_destroy (self->timeout);
    g_source_unref (self->timeout);
  }
  if (self->outer != NULL)
    g_cancellable_disconnect (self->outer, self->outer_id);
  g_clear_object (&self->outer);
  g_object_unref (self->inner);
  gst_ice_ws_place_free (self->place);
  g_free (self->where);
  g_free (self->key);
  g_free (self->seen);
  /* Who got the stream keeps it: TLS 1.2 may shake hands again, and ask whom
   * to trust. Then nobody is here to make an exception. */
  if (self->stream != NULL)
    g_signal_handlers_disconnect_by_data (self->stream, self);
  g_clear_object (&self->stream);
  g_clear_object (&self->socket);
  g_clear_pointer (&self->leftover, g_bytes_unref);
  g_string_free (self->request, TRUE);
  g_byte_array_unref (self->answer);
  g_free (self);
}

gchar *
gst_ice_ws_fingerprint (GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) der = NULL;

  g_object_get (certificate, "certificate", &der, NULL);
  return der != NULL
      ? g_compute_checksum_for_data (G_CHECKSUM_SHA256, der->data, der->len)
      : g_strdup ("");
}

/* How far it came tells what to look at. */
static const gchar *
explain_silence (Dial *self)
{
  if (self->stream == NULL)
    return "is the address right, and does a firewall let it through?";
  if (self->place->tls && self->request->len == 0)
    return "it takes the connection, but speaks no TLS; is it ice+ws: there?";
  return "is it a signalling server, and ice+wss: for one with TLS?";
}

/* @cause: (transfer full) */
static void
give_up (GTask *task, gint code, gboolean retry, const gchar *what,
    GError *cause, const gchar *cure)
{
  Dial *self = g_task_get_task_data (task);

  /* What DNS says is not there will not be there in a second. */
  self->retry = retry &&
      !g_error_matches (cause, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND);
  if (self->timed_out)
    g_task_return_new_error (task, GST_ICE_ERROR, GST_ICE_ERROR_SIGNALLING_LOST,
        "%s does not answer: %s", self->where, explain_silence (self));
  else
    g_task_return_new_error (task, GST_ICE_ERROR, code, "%s %s: %s. %s", what,
        self->where, cause->message, cure);
  if (self->stream != NULL)
    g_io_stream_close_async (
        self->stream, G_PRIORITY_DEFAULT, NULL, NULL, NULL);
  g_error_free (cause);
}

/* RFC 9110: as a hint, the first words of the status line. */
static void
explain_status (
    const gchar *where, guint status, gboolean *ret_retry, GError **error)
{
  *ret_retry = status == 429 || status == 502 || status == 503;
  if (status == 401 || status == 403)
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_SIGNALLING_LOST,
        "%s refused us (HTTP %u): the token is missing or is not the one of "
        "this room; set token=",
        where, status);
  else if (status == 404)
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_SIGNALLING_LOST,
        "%s has no such place (HTTP 404); is the path of the URI right?",
        where);
  else if (*ret_retry)
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_SIGNALLING_LOST,
        "%s takes nobody at the moment (HTTP %u); try again later", where,
        status);
  else
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_SIGNALLING_LOST,
        "%s answers with HTTP %u, not as a WebSocket; is the URI the one of a "
        "signalling server?",
        where, status);
}

/* (transfer full) (nullable) */
static gchar *
find_header (gchar **lines, const gchar *name)
{
  const gsize length = strlen (name);
  guint i;

  for (i = 1; lines[0] != NULL && lines[i] != NULL; i++)
    if (g_ascii_strncasecmp (lines[i], name, length) == 0 &&
        lines[i][length] == ':')
      return g_strstrip (g_strdup (lines[i] + length + 1));
  return NULL;
}

gboolean
gst_ice_ws_check_answer (const gchar *answer, const gchar *key,
    const gchar *where, gboolean *ret_retry, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (answer, "\r\n", -1);
  g_autofree gchar *expected = gst_ice_ws_accept_key (key);
  g_autofree gchar *accept = find_header (lines, "Sec-WebSocket-Accept");
  g_autofree gchar *extensions =
      find_header (lines, "Sec-WebSocket-Extensions");
  guint status;

  *ret_retry = FALSE;
  if (lines[0] == NULL || !g_str_has_prefix (lines[0], "HTTP/1.") ||
      strlen (lines[0]) < 12) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_SIGNALLING_LOST,
        "%s speaks no HTTP; is the URI the one of a signalling server, and is "
        "it ice+wss: for one with TLS?",
        where);
    return FALSE;
  }
  status = g_ascii_strtoull (lines[0] + 9, NULL, 10);
  if (status != 101) {
    explain_status (where, status, ret_retry, error);
    return FALSE;
  }
  if (g_strcmp0 (accept, expected) == 0 && extensions == NULL)
    return TRUE;
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_SIGNALLING_LOST,
      "%s answers wrongly to the upgrade; a proxy between may be the cause",
      where);
  return FALSE;
}

static void
take_answer (GTask *task)
{
  Dial *self = g_task_get_task_data (task);
  g_autofree gchar *text =
      g_strndup ((const gchar *) self->answer->data, self->answer->len);
  const gchar *end = strstr (text, "\r\n\r\n");
  GError *error = NULL;
  gsize size;

  if (end == NULL && self->answer->len < MAX_ANSWER) {
    read_answer (task);
    return;
  }
  size = end != NULL ? (gsize) (end - text) + 4 : self->answer->len;
  text[end != NULL ? size - 4 : 0] = '\0';
  if (!gst_ice_ws_check_answer (
          text, self->key, self->where, &self->retry, &error)) {
    g_io_stream_close_async (
        self->stream, G_PRIORITY_DEFAULT, NULL, NULL, NULL);
    g_task_return_error (task, error);
  } else {
    self->leftover =
        g_bytes_new (self->answer->data + size, self->answer->len - size);
    g_task_return_pointer (task, g_object_ref (self->stream), g_object_unref);
  }
  g_object_unref (task);
}

static void
on_answer (GObject *object, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Dial *self = g_task_get_task_data (task);
  GError *error = NULL;
  const gssize n =
      g_input_stream_read_finish (G_INPUT_STREAM (object), result, &error);

  if (n == 0)
    error = g_error_new_literal (
        G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "it hung up");
  if (error != NULL) {
    give_up (task, GST_ICE_ERROR_SIGNALLING_LOST, FALSE, "No answer from",
        error, "Is it a signalling server, and ice+wss: for one with TLS?");
    g_object_unref (task);
    return;
  }
  g_byte_array_append (self->answer, self->chunk, n);
  take_answer (task);
}

static void
read_answer (GTask *task)
{
  Dial *self = g_task_get_task_data (task);

  g_input_stream_read_async (g_io_stream_get_input_stream (self->stream),
      self->chunk, sizeof self->chunk, G_PRIORITY_DEFAULT, self->inner,
      on_answer, task);
}

static void
on_asked (GObject *object, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  GError *error = NULL;

  if (g_output_stream_write_all_finish (
          G_OUTPUT_STREAM (object), result, NULL, &error)) {
    read_answer (task);
    return;
  }
  give_up (task, GST_ICE_ERROR_SIGNALLING_LOST, TRUE, "Lost", error,
      "Is it a signalling server?");
  g_object_unref (task);
}

/* RFC 6455 4.1 */
static void
ask (GTask *task)
{
  Dial *self = g_task_get_task_data (task);
  const GstIceWsPlace *place = self->place;
  /* Only servers of ours know it, and need not guess what is spoken. */
  const gchar *said =
      place->dialect == GST_ICE_WS_DIALECT_LINES ? "?dialect=lines" : "";
  guint8 nonce[16];
  GError *error = NULL;

  if (!gst_ice_ws_random (nonce, sizeof nonce, &error)) {
    g_io_stream_close_async (
        self->stream, G_PRIORITY_DEFAULT, NULL, NULL, NULL);
    g_task_return_error (task, error);
    g_object_unref (task);
    return;
  }
  self->key = g_base64_encode (nonce, sizeof nonce);
  g_string_printf (self->request,
      "GET %s%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
      "Sec-WebSocket-Version: 13\r\nUser-Agent: gst-ice/" PACKAGE_VERSION
      "\r\n",
      place->path, said, self->where, self->key);
  if (place->token != NULL)
    g_string_append_printf (
        self->request, "Authorization: Bearer %s\r\n", place->token);
  if (place->headers != NULL)
    g_string_append (self->request, place->headers);
  g_string_append (self->request, "\r\n");
  g_output_stream_write_all_async (g_io_stream_get_output_stream (self->stream),
      self->request->str, self->request->len, G_PRIORITY_DEFAULT, self->inner,
      on_asked, task);
}

static gboolean
is_pinned (Dial *self, GTlsCertificate *certificate)
{
  g_free (self->seen);
  self->seen = gst_ice_ws_fingerprint (certificate);
  return g_strcmp0 (self->seen, self->place->fingerprint) == 0;
}

static gboolean
on_accept_certificate (GTlsConnection *connection, GTlsCertificate *certificate,
    GTlsCertificateFlags flags, Dial *self)
{
  self->untrusted = flags;
  return is_pinned (self, certificate);
}

static void
explain_untrusted (GTask *task, GError *cause)
{
  Dial *self = g_task_get_task_data (task);
  const GTlsCertificateFlags flags = self->untrusted;
  const gchar *what = flags & G_TLS_CERTIFICATE_EXPIRED
      ? "has expired, or the clock here is wrong"
      : flags & G_TLS_CERTIFICATE_NOT_ACTIVATED
      ? "is not valid yet; most often the clock here is wrong"
      : flags & G_TLS_CERTIFICATE_REVOKED      ? "was revoked"
      : flags & G_TLS_CERTIFICATE_UNKNOWN_CA   ? "was signed by nobody we know"
      : flags & G_TLS_CERTIFICATE_BAD_IDENTITY ? "is for another host"
                                               : "cannot be trusted";

  if (self->place->fingerprint != NULL && self->seen != NULL)
    g_task_return_new_error (task, GST_ICE_ERROR, GST_ICE_ERROR_TLS_UNTRUSTED,
        "The certificate of %s is not the one of the URI: its fingerprint is "
        "sha-256:%s. If the server has a new one, take the URI that it prints",
        self->where, self->seen);
  else if (flags != 0)
    g_task_return_new_error (task, GST_ICE_ERROR, GST_ICE_ERROR_TLS_UNTRUSTED,
        "The certificate of %s %s; set ca-file= to who signed it, or, if the "
        "other side prints the same, fingerprint=sha-256:%s",
        self->where, what, self->seen != NULL ? self->seen : "");
  else
    give_up (task, GST_ICE_ERROR_SIGNALLING_LOST, FALSE, "No TLS with",
        g_steal_pointer (&cause), "Is it ice+ws: there?");
  g_clear_error (&cause);
  if (self->stream != NULL)
    g_io_stream_close_async (
        self->stream, G_PRIORITY_DEFAULT, NULL, NULL, NULL);
}

static void
on_handshake (GObject *object, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Dial *self = g_task_get_task_data (task);
  GTlsConnection *tls = G_TLS_CONNECTION (object);
  GError *error = NULL;

  /* Also when whom the system trusts vouches for it. */
  if (!g_tls_connection_handshake_finish (tls, result, &error) ||
      (self->place->fingerprint != NULL &&
          !is_pinned (self, g_tls_connection_get_peer_certificate (tls)))) {
    explain_untrusted (task, error);
    g_object_unref (task);
    return;
  }
  ask (task);
}

/* (transfer full) (nullable) Who knows the certificate needs no authorities:
 * without them none is trusted but that one, and reading the system's is saved.
 */
static GIOStream *
make_tls (Dial *self, GSocketConnection *connection,
    GSocketConnectable *identity, GTlsDatabase *database, GError **error)
{
  GTlsBackend *backend = g_tls_backend_get_default ();
  const GType type = g_tls_backend_get_client_connection_type (backend);

  if (database == NULL && self->place->fingerprint == NULL)
    return g_tls_client_connection_new (
        G_IO_STREAM (connection), identity, error);
  return g_initable_new (type, NULL, error, "base-io-stream", connection,
      "server-identity", identity, "database", database, NULL);
}

static void
start_tls (GTask *task, GSocketConnection *connection)
{
  Dial *self = g_task_get_task_data (task);
  g_autoptr (GSocketConnectable) identity =
      g_network_address_new (self->place->host, self->place->port);
  g_autoptr (GTlsDatabase) database = NULL;
  GError *error = NULL;
  GIOStream *tls;

  if (self->place->ca_file != NULL) {
    database = g_tls_file_database_new (self->place->ca_file, &error);
    if (database == NULL) {
      g_task_return_new_error (task, GST_ICE_ERROR, GST_ICE_ERROR_TLS_UNTRUSTED,
          "“ca-file” %s cannot be read as certificates in PEM: %s",
          self->place->ca_file, error->message);
      g_error_free (error);
      g_object_unref (task);
      return;
    }
  }
  tls = make_tls (self, connection, identity, database, &error);
  if (tls == NULL) {
    give_up (task, GST_ICE_ERROR_NOT_SUPPORTED, FALSE, "No TLS with", error,
        "Install glib-networking");
    g_object_unref (task);
    return;
  }
  g_set_object (&self->stream, tls);
  g_object_unref (tls);
  g_signal_connect (
      tls, "accept-certificate", G_CALLBACK (on_accept_certificate), self);
  g_tls_connection_handshake_async (G_TLS_CONNECTION (tls), G_PRIORITY_DEFAULT,
      self->inner, on_handshake, task);
}

static void
on_connected (GObject *object, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Dial *self = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GSocketConnection) connection =
      g_socket_client_connect_finish (G_SOCKET_CLIENT (object), result, &error);

  if (connection == NULL) {
    give_up (task, GST_ICE_ERROR_SIGNALLING_LOST, TRUE, "Cannot reach", error,
        "Is the server running there, and are host and port right?");
    g_object_unref (task);
    return;
  }
  if (G_IS_TCP_CONNECTION (connection))
    g_socket_set_option (g_socket_connection_get_socket (connection),
        IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  self->socket = g_object_ref (g_socket_connection_get_socket (connection));
  self->stream = g_object_ref (G_IO_STREAM (connection));
  if (self->place->tls)
    start_tls (task, connection);
  else
    ask (task);
}

static gboolean
on_timeout (gpointer user_data)
{
  Dial *self = user_data;

  self->timed_out = TRUE;
  g_cancellable_cancel (self->inner);
  return G_SOURCE_REMOVE;
}

static void
on_outer_cancelled (GCancellable *outer, GCancellable *inner)
{
  g_cancellable_cancel (inner);
}

void
gst_ice_ws_dial_async (const GstIceWsPlace *place, guint timeout_ms,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  Dial *self = g_new0 (Dial, 1);

  g_task_set_task_data (task, self, dial_free);
  self->place = gst_ice_ws_place_copy (place);
  self->where = gst_ice_ws_place_authority (place);
  self->request = g_string_new (NULL);
  self->answer = g_byte_array_new ();
  self->inner = g_cancellable_new ();
  if (cancellable != NULL) {
    self->outer = g_object_ref (cancellable);
    self->outer_id =
        g_cancellable_connect (cancellable, G_CALLBACK (on_outer_cancelled),
            g_object_ref (self->inner), g_object_unref);
  }
  self->timeout = g_timeout_source_new (timeout_ms);
  g_source_set_callback (self->timeout, on_timeout, self, NULL);
  g_source_attach (self->timeout, g_main_context_get_thread_default ());
  g_socket_client_connect_to_host_async (
      client, place->host, place->port, self->inner, on_connected, task);
}

GIOStream *
gst_ice_ws_dial_finish (GAsyncResult *result, GSocket **ret_socket,
    GBytes **ret_leftover, gboolean *ret_retry, GError **error)
{
  GTask *task = G_TASK (result);
  Dial *self = g_task_get_task_data (task);

  *ret_retry = self->retry || self->timed_out;
  *ret_leftover = g_steal_pointer (&self->leftover);
  *ret_socket = g_steal_pointer (&self->socket);
  return g_task_propagate_pointer (task, error);
}
