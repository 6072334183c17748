/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wsserver-private.h"

#include <gst/ice/ice.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/* For TLS and a request: each read, and all of it. */
#define PATIENCE_S 10
#define DEADLINE_S 20
/* Of each peer that has not got a WebSocket yet, besides those that have. */
#define MAX_CONNECTIONS(max_peers) ((max_peers) + 1024)
#define END_WITHIN_MS 1000

/* A peer of the hub, by a connection or in this process. */
typedef struct
{
  GstIceWsServer *server; /* (unowned) */
  guint id;
  GstIceWsConn *conn; /* (owned) (nullable) */
  GstIceWsLocalFunc func;
  gpointer user_data;
} Member;

static void accept_next (GstIceWsServer *self);

void
gst_ice_ws_server_config_init (GstIceWsServerConfig *self)
{
  memset (self, 0, sizeof *self);
  self->dialect = GST_ICE_WS_DIALECT_ANY;
  self->limits = gst_ice_ws_default_limits;
}

void
gst_ice_ws_server_config_clear (GstIceWsServerConfig *self)
{
  g_free (self->address);
  g_clear_object (&self->certificate);
  g_free (self->only_room);
  g_clear_pointer (&self->tokens, g_ptr_array_unref);
  g_clear_pointer (&self->origins, g_ptr_array_unref);
  memset (self, 0, sizeof *self);
}

static void
member_free (gpointer data)
{
  Member *member = data;

  g_clear_pointer (&member->conn, gst_ice_ws_conn_free);
  g_free (member);
}

static void
deliver (GstIceWsServer *self, const GstIceWsHubOutput *output)
{
  Member *member =
      g_hash_table_lookup (self->members, GUINT_TO_POINTER (output->peer));

  if (member == NULL)
    return;
  if (member->conn == NULL)
    member->func (output->text, member->user_data);
  else if (output->text != NULL)
    gst_ice_ws_conn_send (member->conn, output->text);
  else
    gst_ice_ws_conn_close (member->conn, output->close_code, output->reason);
}

static void
set_timer (GstIceWsServer *self)
{
  const gint64 deadline = gst_ice_ws_hub_get_deadline (self->hub);

  g_source_set_ready_time (self->timer, deadline);
}

/* What a peer does with it may bring more. */
static void
pump (GstIceWsServer *self)
{
  GstIceWsHubOutput *output;

  if (self->pumping)
    return;
  self->pumping = TRUE;
  while ((output = gst_ice_ws_hub_take (self->hub)) != NULL) {
    deliver (self, output);
    gst_ice_ws_hub_output_free (output);
  }
  self->pumping = FALSE;
  set_timer (self);
}

static gboolean
on_timer (gpointer user_data)
{
  GstIceWsServer *self = user_data;

  gst_ice_ws_hub_timeout (self->hub, g_get_monotonic_time ());
  pump (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_timer (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch_timer };

static void
on_text (GstIceWsConn *conn, const gchar *text, gsize size, gpointer user_data)
{
  Member *member = user_data;

  gst_ice_ws_hub_receive (
      member->server->hub, member->id, text, size, g_get_monotonic_time ());
  pump (member->server);
}

static void
check_done (GstIceWsServer *self)
{
  GSourceFunc done = self->done;

  if (done == NULL || g_hash_table_size (self->members) > 0)
    return;
  self->done = NULL;
  done (self->done_data);
}

static void
on_closed (
    GstIceWsConn *conn, guint code, const gchar *reason, gpointer user_data)
{
  Member *member = user_data;
  GstIceWsServer *self = member->server;

  gst_ice_ws_hub_leave (self->hub, member->id, code != GST_ICE_WS_ABNORMAL,
      g_get_monotonic_time ());
  g_hash_table_remove (self->members, GUINT_TO_POINTER (member->id));
  pump (self);
  check_done (self);
}

static Member *
add_member (
    GstIceWsServer *self, const gchar *room, GstIceWsDialectKind dialect)
{
  const guint id =
      gst_ice_ws_hub_join (self->hub, room, dialect, g_get_monotonic_time ());
  Member *member;

  if (id == 0)
    return NULL;
  member = g_new0 (Member, 1);
  member->server = self;
  member->id = id;
  g_hash_table_insert (self->members, GUINT_TO_POINTER (id), member);
  return member;
}

void
gst_ice_ws_server_adopt (GstIceWsServer *self, GIOStream *stream,
    GSocket *socket, const gchar *room, GstIceWsDialectKind dialect)
{
  static const GstIceWsConnFuncs funcs = { on_text, on_closed };
  Member *member = add_member (self, room, dialect);

  if (member == NULL) {
    /* There was room when it asked. */
    g_io_stream_close_async (stream, G_PRIORITY_DEFAULT, NULL, NULL, NULL);
    return;
  }
  member->conn = gst_ice_ws_conn_new (
      self->poller, stream, socket, FALSE, NULL, &funcs, member);
  pump (self);
}

void
gst_ice_ws_server_join_local (GstIceWsServer *self, const gchar *room,
    GstIceWsDialectKind dialect, GstIceWsLocalFunc func, gpointer user_data,
    guint *ret_id)
{
  Member *member = add_member (self, room, dialect);

  *ret_id = member != NULL ? member->id : 0;
  if (member == NULL)
    return;
  member->func = func;
  member->user_data = user_data;
  pump (self);
}

void
gst_ice_ws_server_receive_local (
    GstIceWsServer *self, guint id, const gchar *text)
{
  gst_ice_ws_hub_receive (
      self->hub, id, text, strlen (text), g_get_monotonic_time ());
  pump (self);
}

void
gst_ice_ws_server_leave_local (GstIceWsServer *self, guint id)
{
  gst_ice_ws_hub_leave (self->hub, id, TRUE, g_get_monotonic_time ());
  g_hash_table_remove (self->members, GUINT_TO_POINTER (id));
  pump (self);
}

/* Connections */

typedef struct
{
  GstIceWsServer *server;         /* (unowned) (nullable) it is gone */
  GSocketAddress *local, *remote; /* (owned) */
  gchar *host;                    /* (owned) */
} Arrival;

static gchar *
host_of (GSocketAddress *address)
{
  return G_IS_INET_SOCKET_ADDRESS (address)
      ? g_inet_address_to_string (
            g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)))
      : g_strdup ("");
}

/* FALSE: there are too many, of everybody or of this host. */
static gboolean
count_in (GstIceWsServer *self, const gchar *host)
{
  GstIceWsCounts *counts = self->counts;
  const guint n =
      GPOINTER_TO_UINT (g_hash_table_lookup (counts->addresses, host));

  if (counts->n_connections >=
          MAX_CONNECTIONS (self->config.limits.max_peers) ||
      (self->config.max_per_address > 0 && n >= self->config.max_per_address))
    return FALSE;
  counts->n_connections++;
  g_hash_table_insert (
      counts->addresses, g_strdup (host), GUINT_TO_POINTER (n + 1));
  return TRUE;
}

typedef struct
{
  GstIceWsCounts *counts; /* (owned) */
  gchar *host;            /* (owned) */
  GSource *deadline;      /* (owned) (nullable) until it has its WebSocket */
} Count;

static void
counts_clear (gpointer data)
{
  GstIceWsCounts *self = data;

  g_hash_table_unref (self->addresses);
}

static void
clear_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* The last that is heard of a connection, whoever had it. */
static void
count_out (gpointer data, GObject *socket)
{
  Count *count = data;
  GHashTable *addresses = count->counts->addresses;
  const guint n =
      GPOINTER_TO_UINT (g_hash_table_lookup (addresses, count->host));

  count->counts->n_connections--;
  if (n > 1)
    g_hash_table_insert (
        addresses, g_strdup (count->host), GUINT_TO_POINTER (n - 1));
  else
    g_hash_table_remove (addresses, count->host);
  clear_source (&count->deadline);
  g_rc_box_release_full (count->counts, counts_clear);
  g_free (count->host);
  g_free (count);
}

/* Slowloris: a byte now and then. */
static gboolean
on_deadline (gpointer user_data)
{
  g_socket_shutdown (user_data, TRUE, TRUE, NULL);
  return G_SOURCE_REMOVE;
}

GSocket *
gst_ice_ws_server_release (GSocketAddress *remote)
{
  GSocket *socket = g_object_get_data (G_OBJECT (remote), "ice-socket");
  Count *count = g_object_get_data (G_OBJECT (socket), "ice-count");

  g_socket_set_timeout (socket, 0);
  clear_source (&count->deadline);
  return socket;
}

static void
on_handshake (GObject *object, GAsyncResult *result, gpointer user_data)
{
  Arrival *arrival = user_data;

  if (g_tls_connection_handshake_finish (
          G_TLS_CONNECTION (object), result, NULL))
    soup_server_accept_iostream (arrival->server->soup, G_IO_STREAM (object),
        arrival->local, arrival->remote, NULL);
  g_clear_object (&arrival->local);
  g_clear_object (&arrival->remote);
  g_free (arrival);
}

static void
shake_hands (GstIceWsServer *self, GSocketConnection *connection,
    GSocketAddress *local, GSocketAddress *remote)
{
  /* Without "database" glib-networking reads the system's authorities anew for
   * each connection: 3.7 MB and 20 ms of no use here. */
  g_autoptr (GIOStream) tls = g_initable_new (
      g_tls_backend_get_server_connection_type (g_tls_backend_get_default ()),
      NULL, NULL, "base-io-stream", connection, "certificate",
      self->config.certificate, "database", NULL, NULL);
  Arrival *arrival;

  if (tls == NULL)
    return;
  arrival = g_new0 (Arrival, 1);
  arrival->server = self;
  arrival->local = g_object_ref (local);
  arrival->remote = g_object_ref (remote);
  g_tls_connection_handshake_async (G_TLS_CONNECTION (tls), G_PRIORITY_DEFAULT,
      self->cancellable, on_handshake, arrival);
}

static void
arrive (GstIceWsServer *self, GSocketConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection);
  g_autoptr (GSocketAddress) local =
      g_socket_connection_get_local_address (connection, NULL);
  g_autoptr (GSocketAddress) remote =
      g_socket_connection_get_remote_address (connection, NULL);
  g_autofree gchar *host = remote != NULL ? host_of (remote) : NULL;
  Count *count;

  if (local == NULL || remote == NULL || !count_in (self, host))
    return;
  count = g_new0 (Count, 1);
  count->counts = g_rc_box_acquire (self->counts);
  count->host = g_steal_pointer (&host);
  count->deadline = g_timeout_source_new_seconds (DEADLINE_S);
  g_source_set_callback (count->deadline, on_deadline, socket, NULL);
  g_source_attach (count->deadline, self->context);
  g_object_weak_ref (G_OBJECT (socket), count_out, count);
  g_object_set_data (G_OBJECT (socket), "ice-count", count);

  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  /* Until it has its WebSocket, which looks after itself. */
  g_socket_set_timeout (socket, PATIENCE_S);
  g_object_set_data_full (
      G_OBJECT (remote), "ice-socket", g_object_ref (socket), g_object_unref);
  if (self->config.certificate != NULL)
    shake_hands (self, connection, local, remote);
  else
    soup_server_accept_iostream (
        self->soup, G_IO_STREAM (connection), local, remote, NULL);
}

static void
wait_for (GstIceWsServer *self, guint ms, GSourceFunc func)
{
  clear_source (&self->wait);
  self->wait = g_timeout_source_new (ms);
  g_source_set_callback (self->wait, func, self, NULL);
  g_source_attach (self->wait, self->context);
}

static gboolean
on_accept_again (gpointer user_data)
{
  accept_next (user_data);
  return G_SOURCE_REMOVE;
}

static void
on_accepted (GObject *object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) connection = g_socket_listener_accept_finish (
      G_SOCKET_LISTENER (object), result, NULL, &error);
  GstIceWsServer *self = user_data;

  /* Otherwise it may be gone. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (connection != NULL) {
    arrive (self, connection);
    accept_next (self);
  } else {
    /* Out of file descriptors: the next may find some. */
    wait_for (self, 100, on_accept_again);
  }
}

static void
accept_next (GstIceWsServer *self)
{
  if (!g_cancellable_is_cancelled (self->cancellable))
    g_socket_listener_accept_async (
        self->listener, self->cancellable, on_accepted, self);
}

static gboolean
start_listening (GstIceWsServer *self, GError **error)
{
  const GstIceWsServerConfig *config = &self->config;
  g_autoptr (GSocketAddress) address = NULL, bound = NULL;
  g_autoptr (GError) cause = NULL;
  gboolean ok;

  g_socket_listener_set_backlog (self->listener, 1024);
  if (config->address == NULL && config->port != 0) {
    self->port = config->port;
    ok = g_socket_listener_add_inet_port (
        self->listener, config->port, NULL, &cause);
  } else if (config->address == NULL) {
    self->port =
        g_socket_listener_add_any_inet_port (self->listener, NULL, &cause);
    ok = self->port != 0;
  } else {
    address = g_inet_socket_address_new_from_string (
        g_ascii_strcasecmp (config->address, "localhost") == 0
            ? "127.0.0.1"
            : config->address,
        config->port);
    ok = address != NULL &&
        g_socket_listener_add_address (self->listener, address,
            G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &bound, &cause);
    if (ok)
      self->port =
          g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  }
  if (!ok)
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE,
        "Cannot listen at %s port %u: %s",
        config->address != NULL ? config->address : "all addresses",
        config->port,
        cause != NULL
            ? cause->message
            : "that is no address of this host; leave it out for all");
  return ok;
}

GstIceWsServer *
gst_ice_ws_server_new (GstIceWsServerConfig *config, GError **error)
{
  GstIceWsServer *self = g_new0 (GstIceWsServer, 1);

  self->config = *config;
  memset (config, 0, sizeof *config);
  self->context = g_main_context_ref_thread_default ();
  self->hub = gst_ice_ws_hub_new (&self->config.limits);
  self->soup = soup_server_new ("server-header", "gst-ice", NULL);
  self->listener = g_socket_listener_new ();
  self->cancellable = g_cancellable_new ();
  self->poller = gst_ice_ws_poller_new ();
  self->members = g_hash_table_new_full (NULL, NULL, NULL, member_free);
  self->counts = g_rc_box_new0 (GstIceWsCounts);
  self->counts->addresses =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->started_at = g_get_monotonic_time ();
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, self->context);
  gst_ice_ws_server_serve_http (self);
  if (!start_listening (self, error)) {
    gst_ice_ws_server_free (self);
    return NULL;
  }
  accept_next (self);
  return self;
}

void
gst_ice_ws_server_free (GstIceWsServer *self)
{
  g_cancellable_cancel (self->cancellable);
  g_socket_listener_close (self->listener);
  self->pumping = TRUE;
  g_hash_table_unref (self->members);
  soup_server_disconnect (self->soup);
  g_object_unref (self->soup);
  g_object_unref (self->listener);
  g_object_unref (self->cancellable);
  clear_source (&self->timer);
  clear_source (&self->wait);
  gst_ice_ws_hub_free (self->hub);
  g_rc_box_release_full (self->counts, counts_clear);
  gst_ice_ws_poller_unref (self->poller);
  g_main_context_unref (self->context);
  gst_ice_ws_server_config_clear (&self->config);
  g_free (self);
}

guint
gst_ice_ws_server_get_port (GstIceWsServer *self)
{
  return self->port;
}

guint
gst_ice_ws_server_get_n_connections (GstIceWsServer *self)
{
  return self->counts->n_connections;
}

static gboolean
on_end_timeout (gpointer user_data)
{
  GstIceWsServer *self = user_data;
  GSourceFunc done = self->done;

  self->done = NULL;
  if (done != NULL)
    done (self->done_data);
  return G_SOURCE_REMOVE;
}

void
gst_ice_ws_server_end (
    GstIceWsServer *self, GSourceFunc done, gpointer user_data)
{
  g_autoptr (GList) members = g_hash_table_get_values (self->members);
  GList *l;

  g_cancellable_cancel (self->cancellable);
  g_socket_listener_close (self->listener);
  self->done = done;
  self->done_data = user_data;
  wait_for (self, END_WITHIN_MS, on_end_timeout);
  for (l = members; l != NULL; l = l->next) {
    Member *member = l->data;

    if (member->conn != NULL)
      gst_ice_ws_conn_close (
          member->conn, GST_ICE_WS_GOING_AWAY, "the server ends");
  }
  check_done (self);
}
