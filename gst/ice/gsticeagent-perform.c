/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeproxy-private.h"

#include "gsticelog-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* A name that takes longer is as good as none: the server it belongs to is
 * given up, and nothing else has waited for it. */
#define RESOLVE_TIMEOUT (5 * ICE_SECOND)

typedef struct
{
  GstIcePump *pump; /* (unowned) cancels it before it goes */
  /* Of either of these one, until it called back. */
  IceResolve *resolve;   /* (nullable) */
  IceMdnsLookup *lookup; /* (nullable) */
  GstIceWay *way;        /* (nullable) */
  guint request;
  gchar *host; /* (owned) what is asked for when that goes straight */
  guint16 port;
  const gchar *service, *protocol; /* (nullable) static */
} Resolve;

static void
socket_free (GstIcePumpSocket *self)
{
  gst_ice_pump_close_lanes_of (self->pump, self->id);
  gst_ice_pump_unmap_port (self->pump, self->id);
  if (self->share) {
    self->pump->n_shares--;
    gst_ice_mux_share_close (self->share);
  } else if (self->socket) {
    ice_socket_close (self->socket);
  }
  g_clear_pointer (&self->socket, ice_socket_unref);
  g_clear_pointer (&self->detour, gst_ice_detour_free);
  g_clear_pointer (&self->trust, gst_ice_trust_free);
  if (self->tcp)
    ice_tcp_close (self->tcp);
  g_clear_pointer (&self->tcp, ice_tcp_unref);
  g_clear_pointer (&self->path, gst_ice_path_unref);
  g_free (self);
}

static guint
accept_key_hash (gconstpointer key)
{
  const GstIceAcceptKey *self = key;

  return ice_address_hash (&self->from) ^ (self->socket * 31) ^
      ((guint) self->channel << 16);
}

static gboolean
accept_key_equal (gconstpointer a, gconstpointer b)
{
  const GstIceAcceptKey *x = a, *y = b;

  return x->socket == y->socket && x->channel == y->channel &&
      ice_address_equal (&x->from, &y->from);
}

static void
accept_free (GstIceAccept *self)
{
  gst_ice_path_unref (self->path);
  g_free (self);
}

static void
resolve_free (Resolve *self)
{
  gst_ice_way_cancel (self->way);
  g_free (self->host);
  if (self->resolve)
    ice_resolve_cancel (self->resolve);
  if (self->lookup)
    ice_mdns_lookup_cancel (self->lookup);
  g_free (self);
}

void
gst_ice_pump_init_tables (GstIcePump *self)
{
  self->sockets =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) socket_free);
  self->accepts = g_hash_table_new_full (
      accept_key_hash, accept_key_equal, NULL, (GDestroyNotify) accept_free);
  gst_ice_pump_init_lanes (self);
}

void
gst_ice_pump_clear_tables (GstIcePump *self)
{
  g_hash_table_remove_all (self->lanes);
  g_clear_pointer (&self->accepts, g_hash_table_unref);
  g_clear_pointer (&self->resolves, g_hash_table_unref);
  g_clear_pointer (&self->names, g_hash_table_unref);
  g_clear_pointer (&self->sockets, g_hash_table_unref);
  g_clear_pointer (&self->lanes, g_hash_table_unref);
  g_clear_pointer (&self->proxies, g_hash_table_unref);
  g_clear_pointer (&self->ports, gst_ice_ports_free);
}

static void
perform_open_socket (GstIcePump *self, const IceOutput *output)
{
  const guint id = output->open_socket.socket;
  g_autoptr (GError) error = NULL;
  g_autoptr (GstIcePath) path =
      gst_ice_pump_find_path (self, output->open_socket.transport);
  IceSocketOptions options;
  IceAddress bound;
  GstIcePumpSocket *socket = g_new0 (GstIcePumpSocket, 1);

  g_mutex_lock (&self->lock);
  options = self->options;
  g_mutex_unlock (&self->lock);
  options.dscp = path ? g_atomic_int_get (&path->dscp) : -1;

  socket->id = id;
  socket->pump = self;
  if (!gst_ice_pump_open_shared (self, socket, output, &options, &error))
    socket->socket =
        ice_socket_open_udp (self->loop, &output->open_socket.local, &options,
            &gst_ice_pump_socket_events, socket, &error);
  if (!socket->socket) {
    g_free (socket);
    g_mutex_lock (&self->lock);
    ice_core_socket_failed (self->core, id, error->message, ice_loop_now ());
    g_mutex_unlock (&self->lock);
    return;
  }
  socket->path = g_steal_pointer (&path);
  g_hash_table_insert (self->sockets, GUINT_TO_POINTER (id), socket);
  ice_socket_get_local (socket->socket, &bound);
  g_mutex_lock (&self->lock);
  ice_core_socket_opened (self->core, id, &bound, ice_loop_now ());
  g_mutex_unlock (&self->lock);
}

static void
send_datagram (const GstIcePumpSocket *socket, const IceAddress *to,
    IceBytes packet, gboolean dont_fragment)
{
  if (socket->share)
    gst_ice_mux_share_note_packet (socket->share, packet);
  if (dont_fragment) {
    ice_socket_send_whole (socket->socket, to, packet);
    return;
  }
  ice_socket_send_marked (socket->socket, to, packet,
      socket->share && socket->path ? g_atomic_int_get (&socket->path->dscp)
                                    : -1);
}

static void
perform_transmit (GstIcePump *self, const IceOutput *output)
{
  const IcePacket *packet = output->transmit.packet;
  GstIcePumpSocket *socket = g_hash_table_lookup (
      self->sockets, GUINT_TO_POINTER (output->transmit.socket));

  if (socket && socket->tcp)
    ice_tcp_send (socket->tcp, ICE_BYTES (packet->data, packet->size));
  else if (socket && socket->socket)
    send_datagram (socket, &output->transmit.to,
        ICE_BYTES (packet->data, packet->size), output->transmit.dont_fragment);
}

static void
on_resolved (const IceAddress *addresses, guint n_addresses,
    const GError *error, gpointer user_data)
{
  Resolve *resolve = user_data;
  GstIcePump *self = resolve->pump;
  const guint request = resolve->request;

  if (error)
    GST_INFO ("<%s> %s", self->name, error->message);
  resolve->resolve = NULL;
  resolve->lookup = NULL;
  g_hash_table_remove (self->resolves, resolve);

  g_mutex_lock (&self->lock);
  if (error)
    ice_core_resolve_failed (
        self->core, request, error->message, ice_loop_now ());
  else
    ice_core_resolved (
        self->core, request, addresses, n_addresses, ice_loop_now ());
  g_mutex_unlock (&self->lock);
  gst_ice_pump_run (self);
}

static void
resolve_straight (Resolve *self)
{
  self->resolve = ice_resolve_start_service (self->pump->loop, self->service,
      self->protocol, self->host, self->port, RESOLVE_TIMEOUT, on_resolved,
      self);
}

/* Behind a proxy nobody here may know the name, and the proxy will: then the
 * server is where the proxy is, for all that the core has to decide. */
static void
on_way_found (IceProxy *proxy, const IceAddress *addresses, guint n_addresses,
    const GError *error, gpointer user_data)
{
  Resolve *resolve = user_data;
  IceAddress *servers;

  resolve->way = NULL;
  if (!proxy && !error) {
    resolve_straight (resolve);
    return;
  }
  servers = g_memdup2 (addresses, n_addresses * sizeof *addresses);
  for (guint i = 0; i < n_addresses; i++)
    servers[i].port = resolve->port;
  on_resolved (servers, n_addresses, error, resolve);
  g_free (servers);
}

static void
perform_resolve (GstIcePump *self, const IceOutput *output)
{
  Resolve *resolve = g_new0 (Resolve, 1);

  resolve->pump = self;
  resolve->request = output->resolve.request;
  if (!self->resolves)
    self->resolves =
        g_hash_table_new_full (NULL, NULL, (GDestroyNotify) resolve_free, NULL);
  g_hash_table_add (self->resolves, resolve);
  if (output->resolve.mdns) {
    resolve->lookup = gst_ice_pump_look_up (
        self, output, RESOLVE_TIMEOUT, on_resolved, resolve);
    return;
  }
  resolve->host = g_strdup (output->resolve.host);
  resolve->port = output->resolve.port;
  resolve->service = output->resolve.service;
  resolve->protocol = output->resolve.protocol;
  if ((output->resolve.kind == ICE_TRANSPORT_TCP ||
          output->resolve.kind == ICE_TRANSPORT_TLS) &&
      gst_ice_pump_may_have_proxy (self))
    resolve->way = gst_ice_way_find (
        self, resolve->host, resolve->port, on_way_found, resolve);
  else
    resolve_straight (resolve);
}

static void
perform_accept_from (GstIcePump *self, const IceOutput *output)
{
  const GstIceAcceptKey key = {
    .socket = output->accept_from.socket,
    .channel = output->accept_from.channel,
    .from = output->accept_from.from,
  };
  g_autoptr (GstIcePath) path = NULL;
  GstIceAccept *accept;
  const GstIcePumpSocket *socket =
      g_hash_table_lookup (self->sockets, GUINT_TO_POINTER (key.socket));

  if (socket && socket->share)
    gst_ice_mux_share_accept (
        socket->share, &key.from, output->accept_from.add);
  if (!output->accept_from.add) {
    accept = g_hash_table_lookup (self->accepts, &key);
    if (accept && accept->path->transport == output->accept_from.transport)
      g_hash_table_remove (self->accepts, &key);
    gst_ice_pump_accept_changed (self, &key);
    return;
  }
  path = gst_ice_pump_find_path (self, output->accept_from.transport);
  if (!path)
    return;
  accept = g_new0 (GstIceAccept, 1);
  accept->key = key;
  accept->path = g_steal_pointer (&path);
  accept->peer = output->accept_from.peer;
  g_hash_table_replace (self->accepts, &accept->key, accept);
  gst_ice_pump_accept_changed (self, &key);
}

/* Of the first hop at least, and of what routers told before. */
static void
set_kernel_mtu (GstIceRoute *route, IceSocket *socket, const IceAddress *to)
{
  IceAddress local;
  guint mtu;

  ice_socket_get_local (socket, &local);
  mtu = ice_path_mtu (&local, to);
  if (mtu > 0)
    gst_ice_route_set_mtu (route, mtu);
}

static void
perform_path_mtu (GstIcePump *self, const IceOutput *output)
{
  g_autoptr (GstIcePath) path =
      gst_ice_pump_find_path (self, output->path_mtu.transport);

  if (path)
    gst_ice_link_set_mtu (path->link, output->path_mtu.mtu);
}

void
gst_ice_pump_too_big (
    GstIcePump *self, const GstIcePumpSocket *socket, const IceAddress *to)
{
  g_autoptr (GPtrArray) paths = gst_ice_pump_list_paths (self);
  IceAddress local;
  guint mtu;

  ice_socket_get_local (socket->socket, &local);
  mtu = ice_path_mtu (&local, to);
  for (guint i = 0; i < paths->len && mtu > 0; i++) {
    const GstIcePath *path = paths->pdata[i];
    IceOutputs outputs;
    IceOutput *output;

    if (path->socket != socket->id || !ice_address_same_ip (&path->to, to))
      continue;
    gst_ice_link_set_mtu (path->link, mtu);
    ice_outputs_init (&outputs);
    output = ice_outputs_add (&outputs, ICE_OUTPUT_PATH_MTU);
    output->path_mtu.transport = path->transport;
    output->path_mtu.mtu = mtu;
    gst_ice_pump_tell (self, ice_outputs_steal (&outputs));
  }
}

static void
perform_route (GstIcePump *self, const IceOutput *output)
{
  g_autoptr (GstIcePath) path =
      gst_ice_pump_find_path (self, output->route.transport);
  GstIcePumpSocket *socket = g_hash_table_lookup (
      self->sockets, GUINT_TO_POINTER (output->route.socket));
  g_autoptr (GstIceRoute) route = NULL;

  if (!path)
    return;
  if (socket && socket->tcp)
    route = gst_ice_route_new_tcp (
        socket->tcp, &output->route.to, output->route.channel);
  else if (socket)
    route = gst_ice_route_new (
        socket->socket, &output->route.to, output->route.channel);
  if (socket && socket->share)
    gst_ice_route_set_dscp (route, g_atomic_int_get (&path->dscp));
  if (socket && socket->socket)
    set_kernel_mtu (route, socket->socket, &output->route.to);
  path->socket = socket ? socket->id : 0;
  path->to = output->route.to;
  path->channel = output->route.channel;
  gst_ice_link_set_route (path->link, route);
  gst_ice_pump_route_changed (self, path);
}

static void
perform_deliver (GstIcePump *self, const IceOutput *output)
{
  const IcePacket *payload = output->deliver.payload;
  g_autoptr (GstIcePath) path =
      gst_ice_pump_find_path (self, output->deliver.transport);

  if (!path)
    return;
  gst_ice_link_push_bytes (path->link, &output->deliver.from,
      ICE_BYTES (payload->data, payload->size), ice_loop_now ());
  gst_ice_link_wake (path->link);
}

typedef struct
{
  GstIcePump *pump; /* (owned) */
  guint transport;
} Fallback;

static void
fallback_free (Fallback *self)
{
  gst_ice_pump_unref (self->pump);
  g_free (self);
}

/* Any sender's thread. */
static gboolean
send_without_route (GstBuffer *buffer, gpointer user_data)
{
  Fallback *fallback = user_data;
  GstMapInfo map;
  gboolean sent;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return FALSE;
  sent = ice_core_send (gst_ice_pump_lock (fallback->pump), fallback->transport,
      ICE_BYTES (map.data, map.size), ice_loop_now ());
  gst_ice_pump_unlock (fallback->pump);
  gst_buffer_unmap (buffer, &map);
  return sent;
}

/* RFC 8656 11: while a channel is being bound, a relayed pair carries media in
 * Send indications, which only the core can make. */
static void
perform_pair_selected (GstIcePump *self, const IceOutput *output)
{
  g_autoptr (GstIcePath) path =
      gst_ice_pump_find_path (self, output->pair_selected.transport);
  Fallback *fallback;

  if (!path)
    return;
  if (output->pair_selected.local->kind != ICE_CANDIDATE_RELAYED) {
    gst_ice_link_set_fallback (path->link, NULL, NULL);
    return;
  }
  fallback = g_new0 (Fallback, 1);
  fallback->pump = gst_ice_pump_ref (self);
  fallback->transport = path->transport;
  gst_ice_link_set_fallback_full (
      path->link, send_without_route, fallback, (GDestroyNotify) fallback_free);
}

static void
perform_state (GstIcePump *self, const IceOutput *output)
{
  g_autoptr (GstIcePath) path =
      gst_ice_pump_find_path (self, output->state.transport);

  if (path)
    gst_ice_link_set_state (path->link, (GstIceState) output->state.state);
}

static void
perform_consent_lost (GstIcePump *self, const IceOutput *output)
{
  g_autoptr (GstIcePath) path =
      gst_ice_pump_find_path (self, output->consent_lost.transport);

  if (path)
    gst_ice_link_set_fallback (path->link, NULL, NULL);
}

void
gst_ice_pump_perform (GstIcePump *self, const IceOutput *output)
{
  switch (output->type) {
    case ICE_OUTPUT_TRANSMIT:
      perform_transmit (self, output);
      break;
    case ICE_OUTPUT_OPEN_SOCKET:
      if (output->open_socket.kind == ICE_SOCKET_UDP)
        perform_open_socket (self, output);
      else
        gst_ice_pump_listen (self, output);
      break;
    case ICE_OUTPUT_CLOSE_SOCKET:
      g_hash_table_remove (
          self->sockets, GUINT_TO_POINTER (output->close_socket.socket));
      break;
    case ICE_OUTPUT_CONNECT:
      gst_ice_pump_connect (self, output);
      break;
    case ICE_OUTPUT_RESOLVE:
      perform_resolve (self, output);
      break;
    case ICE_OUTPUT_MAP_PORT:
      gst_ice_pump_map_port (self, output);
      break;
    case ICE_OUTPUT_PUBLISH:
      gst_ice_pump_publish (self, output);
      break;
    case ICE_OUTPUT_WITHDRAW:
      gst_ice_pump_withdraw (self, output);
      break;
    case ICE_OUTPUT_ACCEPT_FROM:
      perform_accept_from (self, output);
      break;
    case ICE_OUTPUT_ROUTE:
      perform_route (self, output);
      break;
    case ICE_OUTPUT_DELIVER:
      perform_deliver (self, output);
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      perform_pair_selected (self, output);
      break;
    case ICE_OUTPUT_STATE:
      perform_state (self, output);
      break;
    case ICE_OUTPUT_PATH_MTU:
      perform_path_mtu (self, output);
      break;
    case ICE_OUTPUT_CONSENT_LOST:
      perform_consent_lost (self, output);
      break;
    default:
      break;
  }
}
