/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stream sockets of the pump: what the core wants opened, and what it has
 * to hear of them (RFC 6544). The loop's thread. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeproxy-private.h"

#include "gsticelog-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

static GstIcePumpSocket *
new_socket (GstIcePump *self, guint id, GstIcePath *path)
{
  GstIcePumpSocket *socket = g_new0 (GstIcePumpSocket, 1);

  socket->id = id;
  socket->pump = self;
  socket->path = path ? gst_ice_path_ref (path) : NULL;
  return socket;
}

static void
drop_socket (GstIcePumpSocket *socket)
{
  g_clear_pointer (&socket->path, gst_ice_path_unref);
  g_free (socket);
}

static IceSocketOptions
options_for (GstIcePump *self, GstIcePath *path)
{
  IceSocketOptions options;

  g_mutex_lock (&self->lock);
  options = self->options;
  g_mutex_unlock (&self->lock);
  options.dscp = path ? g_atomic_int_get (&path->dscp) : -1;
  return options;
}

static void
say_opened (GstIcePump *self, const GstIcePumpSocket *socket)
{
  IceAddress bound;

  ice_tcp_get_local (socket->tcp, &bound);
  g_mutex_lock (&self->lock);
  ice_core_socket_opened (self->core, socket->id, &bound, ice_loop_now ());
  g_mutex_unlock (&self->lock);
}

/* Whom we could not trust: who has not shown a certificate that will do, and
 * everybody while ours cannot be read. */
static gboolean
is_about_trust (const GError *error)
{
  return g_error_matches (error, ICE_STAGE_ERROR, ICE_STAGE_ERROR_UNTRUSTED) ||
      g_error_matches (error, ICE_STAGE_ERROR, ICE_STAGE_ERROR_SETTINGS);
}

static void
say_failed (
    GstIcePump *self, guint id, const GError *error, const gchar *reason)
{
  const IceTime now = ice_loop_now ();

  g_mutex_lock (&self->lock);
  if (is_about_trust (error))
    ice_core_socket_untrusted (self->core, id, reason, now);
  else
    ice_core_socket_failed (self->core, id, reason, now);
  g_mutex_unlock (&self->lock);
}

/* Events */

static void
on_opened (IceTcp *tcp, gpointer user_data)
{
  GstIcePumpSocket *socket = user_data;
  GstIcePump *self = socket->pump;

  socket->opened = TRUE;
  g_clear_pointer (&socket->detour, gst_ice_detour_free);
  say_opened (self, socket);
  gst_ice_pump_run (self);
}

static void
on_packets (
    IceTcp *tcp, IceRxPacket *packets, guint n_packets, gpointer user_data)
{
  gst_ice_pump_take_packets (user_data, packets, n_packets);
}

static void
on_closed (IceTcp *tcp, const gchar *reason, gpointer user_data)
{
  const GstIcePumpSocket *socket = user_data;
  GstIcePump *self = socket->pump;
  const guint id = socket->id;
  const GError *error = tcp ? ice_tcp_get_error (tcp) : NULL;
  g_autofree gchar *detailed = NULL;

  if (socket->detour) {
    if (gst_ice_detour_closed (socket->detour, reason, &detailed, &error))
      return;
    reason = detailed;
  }
  if (socket->opened) {
    g_mutex_lock (&self->lock);
    ice_core_socket_closed (self->core, id, reason, ice_loop_now ());
    g_mutex_unlock (&self->lock);
  } else {
    say_failed (self, id, error, reason);
  }
  g_hash_table_remove (self->sockets, GUINT_TO_POINTER (id));
  gst_ice_pump_run (self);
}

/* What is between us and a server does not stand between us and a peer; and a
 * port of ours that is to be reached is not what a proxy would show. */
static gboolean
may_have_detour (GstIcePump *self, const IceOutput *output)
{
  return output->connect.server && output->connect.local.port == 0 &&
      output->connect.kind != ICE_TRANSPORT_DTLS &&
      gst_ice_pump_may_have_proxy (self);
}

static void on_accepted (IceTcp *listener, GSocket *gsocket,
    const IceAddress *remote, gpointer user_data);

static const IceTcpEvents tcp_events = {
  .opened = on_opened,
  .accepted = on_accepted,
  .packets = on_packets,
  .closed = on_closed,
};

static void
adopt (GstIcePump *self, const GstIcePumpSocket *listener, guint id,
    GSocket *gsocket, const IceAddress *remote)
{
  const IceSocketOptions options = options_for (self, listener->path);
  g_autoptr (GError) error = NULL;
  GstIcePumpSocket *socket = new_socket (self, id, listener->path);
  IceAddress local;

  socket->opened = TRUE;
  ice_tcp_get_local (listener->tcp, &local);
  socket->tcp = ice_tcp_adopt (self->loop, gsocket, &local, remote,
      ICE_FRAMING_RFC4571, &options, &tcp_events, socket, &error);
  if (socket->tcp) {
    g_hash_table_insert (self->sockets, GUINT_TO_POINTER (id), socket);
    return;
  }
  drop_socket (socket);
  say_failed (self, id, error, error->message);
}

static void
on_accepted (IceTcp *listener, GSocket *gsocket, const IceAddress *remote,
    gpointer user_data)
{
  const GstIcePumpSocket *socket = user_data;
  GstIcePump *self = socket->pump;
  guint id;

  g_mutex_lock (&self->lock);
  id = ice_core_socket_accepted (
      self->core, socket->id, remote, ice_loop_now ());
  g_mutex_unlock (&self->lock);
  if (id)
    adopt (self, socket, id, gsocket, remote);
  else
    GST_DEBUG ("<%s> a TCP connection was refused", self->name);
  gst_ice_pump_run (self); /* others may have had to make room */
}

/* Outputs */

void
gst_ice_pump_listen (GstIcePump *self, const IceOutput *output)
{
  const guint id = output->open_socket.socket;
  g_autoptr (GError) error = NULL;
  g_autoptr (GstIcePath) path =
      gst_ice_pump_find_path (self, output->open_socket.transport);
  const IceSocketOptions options = options_for (self, path);
  GstIcePumpSocket *socket = new_socket (self, id, path);

  socket->tcp = ice_tcp_listen (self->loop, &output->open_socket.local,
      &options, &tcp_events, socket, &error);
  if (!socket->tcp) {
    drop_socket (socket);
    say_failed (self, id, error, error->message);
    return;
  }
  g_hash_table_insert (self->sockets, GUINT_TO_POINTER (id), socket);
  say_opened (self, socket);
}

void
gst_ice_pump_connect (GstIcePump *self, const IceOutput *output)
{
  const guint id = output->connect.socket;
  g_autoptr (GstIcePath) path =
      gst_ice_pump_find_path (self, output->connect.transport);
  GstIcePumpSocket *socket = new_socket (self, id, path);

  g_hash_table_insert (self->sockets, GUINT_TO_POINTER (id), socket);
  socket->trust = gst_ice_trust_await (socket, output);
  if (!socket->trust)
    gst_ice_pump_connect_socket (socket, output);
}

void
gst_ice_pump_connect_socket (GstIcePumpSocket *socket, const IceOutput *output)
{
  GstIcePump *self = socket->pump;
  const guint id = socket->id;
  const IceSocketOptions options = options_for (self, socket->path);
  g_autoptr (GError) error = NULL;

  if (may_have_detour (self, output)) {
    socket->detour =
        gst_ice_detour_begin (socket, output, &options, &tcp_events);
    return;
  }
  socket->tcp = gst_ice_pump_dial (
      self, output, NULL, NULL, &options, &tcp_events, socket, &error);
  if (socket->tcp)
    return;
  g_hash_table_remove (self->sockets, GUINT_TO_POINTER (id));
  say_failed (self, id, error, error->message);
}
