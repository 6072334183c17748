/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticepump-private.h"

#include "base/crypto.h"
#include "core/stun/message.h"
#include "gsticelog-private.h"
#include "gsticepacing-private.h"
#include "io/interfaces.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

GstIcePath *
gst_ice_path_new (guint transport, guint branch)
{
  GstIcePath *self = g_new0 (GstIcePath, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->transport = transport;
  self->branch = branch;
  self->link = gst_ice_link_new ();
  self->dscp = -1;
  return self;
}

GstIcePath *
gst_ice_path_ref (GstIcePath *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
gst_ice_path_unref (GstIcePath *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  gst_ice_link_unref (self->link);
  g_free (self);
}

GstIcePath *
gst_ice_pump_find_path (GstIcePump *self, guint transport)
{
  GstIcePath *path;

  g_mutex_lock (&self->lock);
  path = g_hash_table_lookup (self->paths, GUINT_TO_POINTER (transport));
  if (path)
    gst_ice_path_ref (path);
  g_mutex_unlock (&self->lock);
  return path;
}

GPtrArray *
gst_ice_pump_list_paths (GstIcePump *self)
{
  GPtrArray *paths =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_ice_path_unref);
  GHashTableIter iter;
  gpointer path;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->paths);
  while (g_hash_table_iter_next (&iter, NULL, &path))
    g_ptr_array_add (paths, gst_ice_path_ref (path));
  g_mutex_unlock (&self->lock);
  return paths;
}

/* What the world lends the core */

static void
lend_random (gpointer user, guint8 *ret_bytes, gsize size)
{
  ice_random_bytes (ret_bytes, size);
}

static void
lend_log (
    gpointer user, IceLogLevel level, IceLogArea area, const gchar *message)
{
  static const GstDebugLevel levels[] = { GST_LEVEL_WARNING, GST_LEVEL_INFO,
    GST_LEVEL_DEBUG, GST_LEVEL_LOG };
  const GstIcePump *self = user;
  GstDebugCategory *category = gst_ice_log_category (area);

  GST_CAT_LEVEL_LOG (
      category, levels[level], NULL, "<%s> %s", self->name, message);
}

static IceCore *
make_core (GstIcePump *self)
{
  const IceWorld world = {
    .random = lend_random,
    .log = lend_log,
    .log_level = gst_ice_log_core_level (),
    .reserve = gst_ice_pacing_reserve,
    .user = self,
  };
  IceCoreConfig config;

  ice_core_config_init (&config, &world);
  return ice_core_new (&config, ice_loop_now ());
}

/* Life */

GstIcePump *
gst_ice_pump_new (
    const gchar *name, GstIceNotify *notify, GstIceNotifyFunc handle_output)
{
  GstIcePump *self = g_new0 (GstIcePump, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->name = g_strdup (name);
  self->handle_output = handle_output;
  self->loop = ice_loop_acquire ();

  g_mutex_init (&self->lock);
  self->core = make_core (self);
  self->paths = g_hash_table_new_full (
      NULL, NULL, NULL, (GDestroyNotify) gst_ice_path_unref);
  self->options.batch = ICE_UDP_BATCH_DEFAULT;
  self->options.dscp = -1;

  gst_ice_pump_init_members (self);
  gst_ice_pump_join (self, 0, notify);
  gst_ice_pump_init_tables (self);
  self->touched =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_ice_path_unref);
  self->control = g_array_new (FALSE, FALSE, sizeof (guint));
  return self;
}

GstIcePump *
gst_ice_pump_ref (GstIcePump *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/* By now it was closed: nothing is left that would need the loop's thread. */
void
gst_ice_pump_unref (GstIcePump *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  gst_ice_pump_clear_tables (self);
  g_ptr_array_unref (self->touched);
  g_array_unref (self->control);
  g_hash_table_unref (self->paths);
  g_clear_pointer (&self->interfaces, g_array_unref);
  ice_core_free (self->core);
  g_mutex_clear (&self->lock);
  g_clear_pointer (&self->mux, gst_ice_mux_unref);
  g_clear_pointer (&self->loop, ice_loop_unref);
  gst_ice_pump_clear_members (self);
  g_free (self->ca_file);
  ice_secret_free (self->proxy);
  g_free (self->name);
  g_free (self);
}

/* Commands: any thread */

IceLoop *
gst_ice_pump_dup_loop (GstIcePump *self)
{
  IceLoop *loop;

  g_mutex_lock (&self->lock);
  loop = self->loop ? ice_loop_ref (self->loop) : NULL;
  g_mutex_unlock (&self->lock);
  return loop;
}

void
gst_ice_pump_invoke (GstIcePump *self, IceLoopFunc func)
{
  g_autoptr (IceLoop) loop = gst_ice_pump_dup_loop (self);

  if (loop)
    ice_loop_invoke (loop, func, gst_ice_pump_ref (self),
        (GDestroyNotify) gst_ice_pump_unref);
}

gboolean
gst_ice_pump_is_elsewhere (GstIcePump *self)
{
  g_autoptr (IceLoop) loop = gst_ice_pump_dup_loop (self);

  return loop && !ice_loop_is_current (loop);
}

static void
kick (gpointer user_data)
{
  GstIcePump *self = user_data;

  if (gst_ice_pump_is_elsewhere (self)) {
    gst_ice_pump_invoke (self, kick);
    return;
  }
  /* Before the look: what is fed from now on asks for another one. */
  g_atomic_int_set (&self->kicked, FALSE);
  gst_ice_pump_run (self);
}

IceCore *
gst_ice_pump_lock_branch (GstIcePump *self, guint branch)
{
  g_mutex_lock (&self->lock);
  ice_core_use_branch (self->core, branch);
  return self->core;
}

IceCore *
gst_ice_pump_lock (GstIcePump *self)
{
  return gst_ice_pump_lock_branch (self, 0);
}

void
gst_ice_pump_unlock (GstIcePump *self)
{
  g_mutex_unlock (&self->lock);
  if (g_atomic_int_compare_and_exchange (&self->kicked, FALSE, TRUE))
    gst_ice_pump_invoke (self, kick);
}

GstIceLink *
gst_ice_pump_add_component (
    GstIcePump *self, guint stream, guint component, guint *ret_transport)
{
  IceCore *core = gst_ice_pump_lock (self);
  guint transport = ice_core_add_component (core, stream, component);
  GstIcePath *path =
      g_hash_table_lookup (self->paths, GUINT_TO_POINTER (transport));
  guint branch = 0;
  const GstIceMember *member = gst_ice_pump_find_owner (self, stream, &branch)
      ? gst_ice_pump_find_member (self, branch)
      : NULL;
  gboolean open = member && !member->leaving;
  GstIceLink *link;

  if (!path && open && transport != 0) {
    path = gst_ice_path_new (transport, branch);
    g_hash_table_insert (self->paths, GUINT_TO_POINTER (transport), path);
    g_hash_table_insert (
        self->owners, GUINT_TO_POINTER (transport), GUINT_TO_POINTER (branch));
  }
  link = path ? gst_ice_link_ref (path->link) : gst_ice_link_new ();
  gst_ice_pump_unlock (self);

  if (!path || !open)
    gst_ice_link_close (link);
  *ret_transport = transport;
  return link;
}

void
gst_ice_pump_remove_component (
    GstIcePump *self, guint stream, guint component, guint transport)
{
  g_autoptr (GstIcePath) path = gst_ice_pump_find_path (self, transport);
  IceCore *core = gst_ice_pump_lock (self);

  ice_core_remove_component (core, stream, component, ice_loop_now ());
  g_hash_table_remove (self->paths, GUINT_TO_POINTER (transport));
  g_hash_table_remove (self->owners, GUINT_TO_POINTER (transport));
  gst_ice_pump_unlock (self);
  if (path)
    gst_ice_link_close (path->link);
}

void
gst_ice_pump_update_interfaces (
    GstIcePump *self, const gchar *allow, const gchar *ignore)
{
  /* The core knows which displaces which, and on what it is gathered. */
  const IceInterfaceFilter filter = {
    .allow = allow, .ignore = ignore, .displaced = TRUE
  };
  GArray *interfaces = ice_interfaces_list (&filter);
  g_autofree IceInterfaceAddress *addresses =
      g_new0 (IceInterfaceAddress, interfaces->len);

  for (guint i = 0; i < interfaces->len; i++) {
    const IceInterface *interface =
        &g_array_index (interfaces, IceInterface, i);

    addresses[i] = (IceInterfaceAddress){
      .address = interface->address,
      .interface_index = interface->index,
      .loopback = interface->loopback,
      .tunnel = interface->tunnel,
      .temporary = interface->temporary,
      .deprecated = interface->deprecated,
    };
  }
  ice_core_set_interfaces (
      gst_ice_pump_lock (self), addresses, interfaces->len, ice_loop_now ());
  g_clear_pointer (&self->interfaces, g_array_unref);
  self->interfaces = interfaces;
  gst_ice_pump_unlock (self);
}

gboolean
gst_ice_pump_has_interfaces (GstIcePump *self)
{
  gboolean has;

  g_mutex_lock (&self->lock);
  has = self->interfaces != NULL;
  g_mutex_unlock (&self->lock);
  return has;
}

void
gst_ice_pump_set_port_range (
    GstIcePump *self, guint16 min_port, guint16 max_port)
{
  g_mutex_lock (&self->lock);
  self->options.min_port = min_port;
  self->options.max_port = max_port;
  g_mutex_unlock (&self->lock);
}

void
gst_ice_pump_set_dont_fragment (GstIcePump *self, gboolean dont_fragment)
{
  g_mutex_lock (&self->lock);
  self->options.dont_fragment = dont_fragment;
  g_mutex_unlock (&self->lock);
}

static void
apply_dscp (gpointer user_data)
{
  GstIcePump *self = user_data;
  GHashTableIter iter;
  gpointer value;

  if (gst_ice_pump_is_elsewhere (self)) {
    gst_ice_pump_invoke (self, apply_dscp);
    return;
  }
  g_hash_table_iter_init (&iter, self->sockets);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    GstIcePumpSocket *socket = value;

    if (socket->path && socket->tcp)
      ice_tcp_set_dscp (socket->tcp, g_atomic_int_get (&socket->path->dscp));
    else if (socket->path && socket->share)
      gst_ice_link_set_dscp (
          socket->path->link, g_atomic_int_get (&socket->path->dscp));
    else if (socket->path && socket->socket)
      ice_socket_set_dscp (
          socket->socket, g_atomic_int_get (&socket->path->dscp));
  }
}

void
gst_ice_pump_set_dscp (GstIcePump *self, guint transport, gint dscp)
{
  g_autoptr (GstIcePath) path = gst_ice_pump_find_path (self, transport);

  if (!path || g_atomic_int_get (&path->dscp) == dscp)
    return;
  g_atomic_int_set (&path->dscp, dscp);
  gst_ice_pump_invoke (self, apply_dscp);
}

/* Taking and performing: from here on the loop's thread */

static void
perform_list (GstIcePump *self, IceOutput *outputs)
{
  while (outputs) {
    IceOutput *output = outputs;

    outputs = g_steal_pointer (&output->next);
    gst_ice_pump_perform (self, output);
    if (output->type >= ICE_OUTPUT_LOCAL_CANDIDATE)
      gst_ice_pump_tell (self, output);
    else
      ice_output_free (output);
  }
}

/* Media does not pass the core: before it decides about keepalives and
 * liveness it is told when some last came and went (design 9.3). */
static void
on_deadline (gpointer user_data)
{
  GstIcePump *self = user_data;
  g_autoptr (GPtrArray) paths = gst_ice_pump_list_paths (self);
  g_autofree GstIceLinkCounters *counters =
      g_new (GstIceLinkCounters, paths->len);
  g_autofree IceTime *gaps = g_new (IceTime, paths->len);
  IceTime now;

  for (guint i = 0; i < paths->len; i++) {
    GstIcePath *path = paths->pdata[i];
    gst_ice_link_get_counters (path->link, &counters[i]);
    gaps[i] = gst_ice_link_take_gap (path->link);
  }
  now = ice_loop_now ();
  gst_ice_pump_close_idle_lanes (self, now);
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < paths->len; i++) {
    GstIcePath *path = paths->pdata[i];
    ice_core_media_seen (self->core, path->transport, counters[i].last_received,
        counters[i].last_sent);
    ice_core_media_gap (self->core, path->transport, gaps[i], now);
  }
  ice_core_timeout (self->core, now);
  g_mutex_unlock (&self->lock);
  gst_ice_pump_run (self);
}

void
gst_ice_pump_run (GstIcePump *self)
{
  IceTime deadline;
  IceOutput *outputs;

  if (self->closed || gst_ice_pump_move (self))
    return;
  do {
    g_mutex_lock (&self->lock);
    outputs = ice_core_take_outputs (self->core, &deadline);
    g_mutex_unlock (&self->lock);
    perform_list (self, outputs);
  } while (outputs);
  gst_ice_pump_update_shares (self);

  if (!self->timer)
    self->timer = ice_timer_new (self->loop, on_deadline, self);
  ice_timer_set (self->timer, deadline);
}

/* Packets */

/* @last remembers what the packet before was: batches come from one peer. */
static const GstIceAccept *
find_accept (
    GstIcePump *self, const GstIceAcceptKey *key, const GstIceAccept **last)
{
  const GstIceAccept *hit = *last;

  if (hit && hit->key.socket == key->socket &&
      hit->key.channel == key->channel &&
      ice_address_equal (&hit->key.from, &key->from))
    return hit;
  hit = g_hash_table_lookup (self->accepts, key);
  if (hit)
    *last = hit;
  return hit;
}

static void
push_media (GstIcePump *self, const GstIceAccept *accept,
    const IceRxPacket *packet, gsize offset, gsize size)
{
  GstIcePath *path = accept->path;

  gst_ice_link_push (path->link, packet, &accept->peer, offset, size);
  if (path->touched)
    return;
  path->touched = TRUE;
  g_ptr_array_add (self->touched, gst_ice_path_ref (path));
}

/* Design 4a: what is not STUN and comes from where media is expected goes to
 * its reader without the lock. A channel is looked for first; what only looks
 * like one (an MPEG-TS packet starts with 0x47) has no entry. */
static gboolean
take_media (GstIcePump *self, guint socket, const IceRxPacket *packet,
    const GstIceAccept **last)
{
  const IceBytes data = packet->data;
  GstIceAcceptKey key = { .socket = socket, .from = packet->from };
  const GstIceAccept *accept;
  guint16 channel;
  gsize size;

  if (ice_stun_looks_like (data))
    return FALSE;

  if (gst_ice_read_channel_header (data, &channel, &size)) {
    key.channel = channel;
    accept = find_accept (self, &key, last);
    if (accept) {
      if (ice_stun_looks_like (
              ICE_BYTES (data.data + GST_ICE_CHANNEL_HEADER, size)))
        return FALSE;
      push_media (self, accept, packet, GST_ICE_CHANNEL_HEADER, size);
      return TRUE;
    }
    key.channel = 0;
  }

  accept = find_accept (self, &key, last);
  if (!accept)
    return FALSE;
  push_media (self, accept, packet, 0, data.size);
  return TRUE;
}

static void
wake_touched (GstIcePump *self)
{
  for (guint i = 0; i < self->touched->len; i++) {
    GstIcePath *path = self->touched->pdata[i];

    path->touched = FALSE;
    gst_ice_link_wake (path->link);
  }
  g_ptr_array_set_size (self->touched, 0);
}

/* Design 4b: lock once for all of them. Returns how many were neither STUN nor
 * expected: media that comes before its check did (design 9.17). */
static guint
feed_control (
    GstIcePump *self, const GstIcePumpSocket *from, const IceRxPacket *packets)
{
  const IceTime now = ice_loop_now ();
  guint n_strangers = 0;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->control->len; i++) {
    const IceRxPacket *packet =
        &packets[g_array_index (self->control, guint, i)];
    const IceDatagram datagram = {
      .socket = from->id,
      .from = packet->from,
      .data = packet->data,
    };

    const IceVerdict verdict = ice_core_receive (self->core, &datagram, now);

    if (verdict == ICE_VERDICT_NOT_STUN)
      n_strangers++;
    else if (verdict == ICE_VERDICT_OK && from->share)
      gst_ice_mux_share_note_taken (from->share, &packet->from, packet->data);
  }
  g_mutex_unlock (&self->lock);
  return n_strangers;
}

void
gst_ice_pump_take_packets (
    const GstIcePumpSocket *from, IceRxPacket *packets, guint n_packets)
{
  GstIcePump *self = from->pump;
  const GstIceAccept *last = NULL;
  guint n_strangers;

  g_array_set_size (self->control, 0);
  for (guint i = 0; i < n_packets; i++) {
    if (!take_media (self, from->id, &packets[i], &last))
      g_array_append_val (self->control, i);
  }
  wake_touched (self);
  if (self->control->len == 0)
    return;

  n_strangers = feed_control (self, from, packets);
  for (guint i = 0; i < n_strangers && from->path; i++)
    gst_ice_link_count_early_data (from->path->link);
  gst_ice_pump_run (self); /* may close the socket: @from is gone */
}

static void
on_packets (IceSocket *socket, IceRxPacket *packets, guint n_packets,
    gpointer user_data)
{
  gst_ice_pump_take_packets (user_data, packets, n_packets);
}

static void
on_unreachable (IceSocket *socket, const IceAddress *to, IceBytes quoted,
    gint error_number, gpointer user_data)
{
  const GstIcePumpSocket *from = user_data;
  GstIcePump *self = from->pump;

  g_mutex_lock (&self->lock);
  ice_core_unreachable (self->core, from->id, to, quoted, ice_loop_now ());
  g_mutex_unlock (&self->lock);
  gst_ice_pump_run (self);
}

static void
on_too_big (IceSocket *socket, const IceAddress *to, gpointer user_data)
{
  const GstIcePumpSocket *from = user_data;

  gst_ice_pump_too_big (from->pump, from, to);
}

static void
on_writable (IceSocket *socket, gpointer user_data)
{
  const GstIcePumpSocket *from = user_data;
  g_autoptr (GPtrArray) paths = gst_ice_pump_list_paths (from->pump);

  for (guint i = 0; i < paths->len; i++) {
    GstIcePath *path = paths->pdata[i];

    if (path->socket == from->id)
      gst_ice_link_writable (path->link);
  }
}

const IceSocketEvents gst_ice_pump_socket_events = {
  .packets = on_packets,
  .unreachable = on_unreachable,
  .too_big = on_too_big,
  .writable = on_writable,
};
