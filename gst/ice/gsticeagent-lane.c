/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticepump-private.h"

#include "gsticelog-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* Sockets connected to selected pairs: opened when one has carried media for a
 * moment, closed when it is selected no more, or carries none any more. */

/* Longer than any pause in a conversation in which something is still sent:
 * comfort noise and RTCP come every few seconds. */
#define IDLE_LIFETIME (15 * ICE_SECOND)

struct _GstIcePumpLane
{
  GstIcePath *path; /* (owned) */
  guint socket;
  guint16 channel;
  IceAddress from;
  IceLane *lane; /* (owned) */
};

/* In the loop: a reader may enter. */
static void
on_handed_over (gpointer user_data)
{
  const GstIcePumpLane *self = user_data;

  gst_ice_link_poke (self->path->link);
}

static void
lane_free (gpointer data)
{
  GstIcePumpLane *self = data;

  gst_ice_link_set_lane (self->path->link, NULL);
  ice_lane_close (self->lane);
  ice_lane_unref (self->lane);
  gst_ice_path_unref (self->path);
  g_free (self);
}

void
gst_ice_pump_init_lanes (GstIcePump *self)
{
  self->lanes = g_hash_table_new_full (NULL, NULL, NULL, lane_free);
}

static void
close_lane (GstIcePump *self, const GstIcePumpLane *lane, const gchar *why)
{
  g_autoptr (GstIcePath) path = gst_ice_path_ref (lane->path);

  GST_DEBUG ("<%s> transport %u loses its connected socket: %s", self->name,
      path->transport, why);
  g_hash_table_remove (self->lanes, GUINT_TO_POINTER (path->transport));
  gst_ice_link_await_busy (path->link);
}

/* Opening */

/* (nullable) The socket of @path, when media by its route is ours alone. */
static GstIcePumpSocket *
find_socket (GstIcePump *self, const GstIcePath *path, IceAddress *ret_peer)
{
  const GstIceAcceptKey key = {
    .socket = path->socket, .channel = path->channel, .from = path->to
  };
  GstIcePumpSocket *socket =
      g_hash_table_lookup (self->sockets, GUINT_TO_POINTER (path->socket));
  const GstIceAccept *accept = g_hash_table_lookup (self->accepts, &key);

  if (!socket || !socket->socket || !accept || accept->path != path)
    return NULL;
  /* Design 9.9: a 5-tuple of one agent is refused to another. */
  if (socket->share && !gst_ice_mux_share_has_proven (socket->share, &path->to))
    return NULL;
  *ret_peer = accept->peer;
  return socket;
}

static void
open_lane (GstIcePump *self, GstIcePath *path)
{
  const gpointer id = GUINT_TO_POINTER (path->transport);
  IceAddress peer;
  const GstIcePumpSocket *socket = find_socket (self, path, &peer);
  GstIcePumpLane *lane;
  g_autoptr (IceLane) opened = NULL;
  g_autoptr (GstIceLane) face = NULL;
  g_autoptr (GError) error = NULL;

  if (!socket || g_hash_table_contains (self->lanes, id))
    return;
  lane = g_new0 (GstIcePumpLane, 1);
  opened =
      ice_lane_open (socket->socket, &path->to, on_handed_over, lane, &error);
  if (!opened) {
    GST_DEBUG ("<%s> no connected socket: %s", self->name, error->message);
    g_free (lane);
    return;
  }
  lane->path = gst_ice_path_ref (path);
  lane->socket = path->socket;
  lane->channel = path->channel;
  lane->from = path->to;
  lane->lane = ice_lane_ref (opened);
  face = gst_ice_lane_new (opened, &path->to, path->channel, &peer);
  g_hash_table_insert (self->lanes, id, lane);
  GST_DEBUG (
      "<%s> transport %u has a connected socket", self->name, path->transport);

  ice_lane_settle (opened);
  if (g_hash_table_lookup (self->lanes, id) == lane)
    gst_ice_link_set_lane (path->link, face);
}

typedef struct
{
  GstIcePump *pump; /* (owned) */
  guint transport;
} Busy;

static void
busy_free (gpointer data)
{
  Busy *self = data;

  gst_ice_pump_unref (self->pump);
  g_free (self);
}

static Busy *
busy_new (GstIcePump *pump, guint transport)
{
  Busy *self = g_new (Busy, 1);

  self->pump = gst_ice_pump_ref (pump);
  self->transport = transport;
  return self;
}

static void
open_when_busy (gpointer user_data)
{
  const Busy *busy = user_data;
  g_autoptr (GstIcePath) path =
      gst_ice_pump_find_path (busy->pump, busy->transport);

  /* With a socket open it does not move: then this is late. */
  if (path && !gst_ice_pump_is_elsewhere (busy->pump))
    open_lane (busy->pump, path);
}

/* Any thread. */
static void
on_busy (gpointer user_data)
{
  const Busy *busy = user_data;
  g_autoptr (IceLoop) loop = gst_ice_pump_dup_loop (busy->pump);

  if (loop)
    ice_loop_invoke (loop, open_when_busy,
        busy_new (busy->pump, busy->transport), busy_free);
}

/* Closing */

void
gst_ice_pump_route_changed (GstIcePump *self, GstIcePath *path)
{
  const GstIcePumpLane *lane =
      g_hash_table_lookup (self->lanes, GUINT_TO_POINTER (path->transport));

  if (lane &&
      (lane->socket != path->socket || lane->channel != path->channel ||
          !ice_address_equal (&lane->from, &path->to)))
    close_lane (self, lane, "another route");
  if (path->socket == 0)
    return;
  gst_ice_link_set_busy (
      path->link, on_busy, busy_new (self, path->transport), busy_free);
  if (!g_hash_table_contains (self->lanes, GUINT_TO_POINTER (path->transport)))
    gst_ice_link_await_busy (path->link);
}

/* (nullable) Any of those that @matches. */
static const GstIcePumpLane *
find_lane (GstIcePump *self,
    gboolean (*matches) (const GstIcePumpLane *lane, gconstpointer data),
    gconstpointer data)
{
  GHashTableIter iter;
  gpointer lane;

  g_hash_table_iter_init (&iter, self->lanes);
  while (g_hash_table_iter_next (&iter, NULL, &lane)) {
    if (matches (lane, data))
      return lane;
  }
  return NULL;
}

static gboolean
is_of_key (const GstIcePumpLane *lane, gconstpointer data)
{
  const GstIceAcceptKey *key = data;

  return lane->socket == key->socket && lane->channel == key->channel &&
      ice_address_equal (&lane->from, &key->from);
}

void
gst_ice_pump_accept_changed (GstIcePump *self, const GstIceAcceptKey *key)
{
  const GstIcePumpLane *lane = find_lane (self, is_of_key, key);
  const GstIceAccept *accept;

  if (!lane)
    return;
  accept = g_hash_table_lookup (self->accepts, key);
  if (!accept || accept->path != lane->path)
    close_lane (self, lane, "nothing is accepted from there");
}

static gboolean
is_of_socket (const GstIcePumpLane *lane, gconstpointer socket)
{
  return lane->socket == GPOINTER_TO_UINT (socket);
}

void
gst_ice_pump_close_lanes_of (GstIcePump *self, guint socket)
{
  const GstIcePumpLane *lane;

  while ((lane = find_lane (self, is_of_socket, GUINT_TO_POINTER (socket))))
    close_lane (self, lane, "the socket is closed");
}

static gboolean
is_idle (const GstIcePumpLane *lane, gconstpointer now)
{
  GstIceLinkCounters counters;

  gst_ice_link_get_counters (lane->path->link, &counters);
  return MAX (counters.last_sent, counters.last_received) + IDLE_LIFETIME <
      *(const IceTime *) now;
}

void
gst_ice_pump_close_idle_lanes (GstIcePump *self, IceTime now)
{
  const GstIcePumpLane *lane;

  while ((lane = find_lane (self, is_idle, &now)))
    close_lane (self, lane, "no media");
}
