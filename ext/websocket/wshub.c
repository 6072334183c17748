/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wshub-private.h"

#include <string.h>

#include "wsframe.h"

/* Clients of simple signalling speak first, those of gst-plugins-rs wait to be
 * welcomed: silence for longer than a long way takes means those. */
#define SPEAKS_FIRST_WITHIN (500 * G_TIME_SPAN_MILLISECOND)
/* Who has not said by then who it is does not want to. */
#define GREETS_WITHIN (10 * G_TIME_SPAN_SECOND)
#define MAX_MALFORMED 8
/* An offer, an answer and a hundred candidates come in one go. */
#define BURST_S 20

const GstIceWsLimits gst_ice_ws_default_limits = {
  .max_peers = 8192,
  .max_room_peers = 1024,
  .messages_per_second = 50,
  .bytes_per_second = 64 * 1024,
};

static const GstIceWsHubFuncs *
funcs_of (GstIceWsDialectKind dialect)
{
  switch (dialect) {
    case GST_ICE_WS_DIALECT_LINES:
      return &gst_ice_ws_hub_lines;
    case GST_ICE_WS_DIALECT_SIMPLE:
      return &gst_ice_ws_hub_simple;
    case GST_ICE_WS_DIALECT_WEBRTC:
      return &gst_ice_ws_hub_webrtc;
    default:
      return NULL;
  }
}

void
gst_ice_ws_hub_output_free (GstIceWsHubOutput *self)
{
  g_free (self->text);
  g_free (self->reason);
  g_free (self);
}

static void
peer_free (gpointer data)
{
  GstIceWsPeer *peer = data;

  g_free (peer->path);
  g_free (peer->name);
  g_free (peer->meta);
  g_free (peer->claim);
  g_free (peer);
}

static void
room_free (gpointer data)
{
  GstIceWsRoom *room = data;
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (room->seats); i++) {
    g_free (room->seats[i].name);
    g_free (room->seats[i].claim);
  }
  g_clear_pointer (&room->sessions, g_hash_table_unref);
  g_ptr_array_unref (room->peers);
  g_free (room->key);
  g_free (room);
}

GstIceWsHub *
gst_ice_ws_hub_new (const GstIceWsLimits *limits)
{
  GstIceWsHub *self = g_new0 (GstIceWsHub, 1);

  self->limits = *limits;
  self->peers = g_hash_table_new_full (NULL, NULL, NULL, peer_free);
  self->rooms =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, room_free);
  self->strangers = g_ptr_array_new ();
  self->lost = g_ptr_array_new ();
  return self;
}

void
gst_ice_ws_hub_free (GstIceWsHub *self)
{
  g_queue_clear_full (
      &self->outputs, (GDestroyNotify) gst_ice_ws_hub_output_free);
  g_ptr_array_unref (self->strangers);
  g_ptr_array_unref (self->lost);
  g_hash_table_unref (self->peers);
  g_hash_table_unref (self->rooms);
  g_free (self);
}

GstIceWsPeer *
gst_ice_ws_hub_find (GstIceWsHub *self, guint id)
{
  return g_hash_table_lookup (self->peers, GUINT_TO_POINTER (id));
}

void
gst_ice_ws_hub_send (GstIceWsHub *self, guint id, gchar *text)
{
  GstIceWsHubOutput *output = g_new0 (GstIceWsHubOutput, 1);

  output->peer = id;
  output->text = text;
  g_queue_push_tail (&self->outputs, output);
}

void
gst_ice_ws_hub_close (GstIceWsPeer *peer, guint code, const gchar *reason)
{
  GstIceWsHubOutput *output;

  if (peer->closing)
    return;
  peer->closing = TRUE;
  output = g_new0 (GstIceWsHubOutput, 1);
  output->peer = peer->id;
  output->close_code = code;
  output->reason = g_strdup (reason);
  g_queue_push_tail (&peer->hub->outputs, output);
}

GstIceWsHubOutput *
gst_ice_ws_hub_take (GstIceWsHub *self)
{
  return g_queue_pop_head (&self->outputs);
}

static gchar *
room_key (const gchar *kind, const gchar *path, const gchar *name)
{
  /* No path has a line feed in it: requests have none. */
  return g_strdup_printf ("%s\n%s\n%s", kind, path, name);
}

GstIceWsRoom *
gst_ice_ws_hub_enter (GstIceWsPeer *peer, const gchar *kind, const gchar *name)
{
  GstIceWsHub *self = peer->hub;
  g_autofree gchar *key = room_key (kind, peer->path, name);
  GstIceWsRoom *room = g_hash_table_lookup (self->rooms, key);

  if (room != NULL && room->peers->len >= self->limits.max_room_peers)
    return NULL;
  if (room == NULL) {
    room = g_new0 (GstIceWsRoom, 1);
    room->key = g_steal_pointer (&key);
    room->peers = g_ptr_array_new ();
    g_hash_table_insert (self->rooms, room->key, room);
  }
  g_ptr_array_add (room->peers, peer);
  return room;
}

/* A room that nobody is in, nor will come back to, is none. */
static void
drop_room (GstIceWsHub *self, GstIceWsRoom *room)
{
  if (room->peers->len == 0 && room->seats[0].name == NULL &&
      room->seats[1].name == NULL) {
    g_ptr_array_remove_fast (self->lost, room);
    g_hash_table_remove (self->rooms, room->key);
  }
}

void
gst_ice_ws_hub_quit (GstIceWsPeer *peer, GstIceWsRoom *room)
{
  g_ptr_array_remove_fast (room->peers, peer);
  drop_room (peer->hub, room);
}

void
gst_ice_ws_hub_greet (GstIceWsPeer *peer)
{
  peer->greeted = TRUE;
  g_ptr_array_remove_fast (peer->hub->strangers, peer);
}

gboolean
gst_ice_ws_hub_malformed (GstIceWsPeer *peer)
{
  peer->hub->stats.n_malformed++;
  if (++peer->n_malformed < MAX_MALFORMED)
    return TRUE;
  gst_ice_ws_hub_close (
      peer, GST_ICE_WS_POLICY, "too much that is not understood");
  return FALSE;
}

guint
gst_ice_ws_hub_join (GstIceWsHub *self, const gchar *room,
    GstIceWsDialectKind dialect, gint64 now)
{
  GstIceWsPeer *peer;

  if (g_hash_table_size (self->peers) >= self->limits.max_peers) {
    self->stats.n_refused++;
    return 0;
  }
  peer = g_new0 (GstIceWsPeer, 1);
  peer->hub = self;
  peer->id = ++self->last_id;
  peer->dialect = dialect;
  peer->path = g_strdup (room);
  peer->joined_at = now;
  peer->bucket.messages = BURST_S * self->limits.messages_per_second;
  peer->bucket.bytes = BURST_S * (gdouble) self->limits.bytes_per_second;
  peer->bucket.at = now;
  g_hash_table_insert (self->peers, GUINT_TO_POINTER (peer->id), peer);
  g_ptr_array_add (self->strangers, peer);
  self->stats.n_joined++;
  if (dialect != GST_ICE_WS_DIALECT_ANY)
    funcs_of (dialect)->join (peer, now);
  return peer->id;
}

/* FALSE: it says more than it may. */
static gboolean
pay (GstIceWsPeer *peer, gsize size, gint64 now)
{
  const GstIceWsLimits *limits = &peer->hub->limits;
  GstIceWsBucket *bucket = &peer->bucket;
  const gdouble passed = (now - bucket->at) / (gdouble) G_TIME_SPAN_SECOND;

  bucket->at = now;
  bucket->messages =
      MIN (bucket->messages + passed * limits->messages_per_second,
          BURST_S * (gdouble) limits->messages_per_second) -
      1;
  bucket->bytes = MIN (bucket->bytes + passed * limits->bytes_per_second,
                      BURST_S * (gdouble) limits->bytes_per_second) -
      size;
  return bucket->messages >= 0 && bucket->bytes >= 0;
}

static GstIceWsDialectKind
guess_dialect (const gchar *text)
{
  if (g_str_has_prefix (text, "HELLO"))
    return GST_ICE_WS_DIALECT_SIMPLE;
  if (strstr (text, "\"hello\"") != NULL)
    return GST_ICE_WS_DIALECT_LINES;
  return GST_ICE_WS_DIALECT_WEBRTC;
}

void
gst_ice_ws_hub_receive (
    GstIceWsHub *self, guint id, const gchar *text, gsize size, gint64 now)
{
  GstIceWsPeer *peer = gst_ice_ws_hub_find (self, id);

  if (peer == NULL || peer->closing)
    return;
  self->stats.n_messages++;
  self->stats.n_bytes += size;
  if (!pay (peer, size, now)) {
    self->stats.n_flooded++;
    gst_ice_ws_hub_close (peer, GST_ICE_WS_POLICY, "too many messages");
    return;
  }
  if (peer->guessed && guess_dialect (text) != peer->dialect) {
    /* It was not silent, only slow. */
    funcs_of (peer->dialect)->leave (peer, TRUE, now);
    g_clear_pointer (&peer->name, g_free);
    peer->room = NULL;
    peer->greeted = FALSE;
    peer->dialect = GST_ICE_WS_DIALECT_ANY;
  }
  peer->guessed = FALSE;
  if (peer->dialect == GST_ICE_WS_DIALECT_ANY) {
    peer->dialect = guess_dialect (text);
    funcs_of (peer->dialect)->join (peer, now);
  }
  funcs_of (peer->dialect)->receive (peer, text, size, now);
}

void
gst_ice_ws_hub_leave (GstIceWsHub *self, guint id, gboolean clean, gint64 now)
{
  GstIceWsPeer *peer = gst_ice_ws_hub_find (self, id);

  if (peer == NULL)
    return;
  /* Nor does one come back that was sent away. */
  clean = clean || peer->closing;
  peer->closing = TRUE;
  g_ptr_array_remove_fast (self->strangers, peer);
  if (peer->dialect != GST_ICE_WS_DIALECT_ANY)
    funcs_of (peer->dialect)->leave (peer, clean, now);
  g_hash_table_remove (self->peers, GUINT_TO_POINTER (id));
}

static gint64
earlier (gint64 a, gint64 b)
{
  return a < 0 || b < a ? b : a;
}

/* @hurry: those whose time has come do what is due. */
static gint64
look_at_strangers (GstIceWsHub *self, gint64 now, gboolean hurry)
{
  gint64 deadline = -1;
  guint i;

  for (i = self->strangers->len; i-- > 0;) {
    GstIceWsPeer *peer = self->strangers->pdata[i];
    const gboolean any = peer->dialect == GST_ICE_WS_DIALECT_ANY;
    const gint64 due =
        peer->joined_at + (any ? SPEAKS_FIRST_WITHIN : GREETS_WITHIN);

    if (peer->closing)
      continue;
    if (!hurry || now < due) {
      deadline = earlier (deadline, due);
    } else if (any) {
      peer->dialect = GST_ICE_WS_DIALECT_WEBRTC;
      peer->guessed = TRUE;
      funcs_of (peer->dialect)->join (peer, now);
    } else {
      gst_ice_ws_hub_close (
          peer, GST_ICE_WS_POLICY, "it does not say who it is");
    }
  }
  return deadline;
}

static gint64
look_at_lost (GstIceWsHub *self, gint64 now)
{
  gint64 deadline = -1;
  guint i;

  for (i = self->lost->len; i-- > 0;) {
    GstIceWsRoom *room = self->lost->pdata[i];
    gint64 due = -1;

    gst_ice_ws_hub_lines_timeout (room, self, now, &due);
    if (due >= 0)
      deadline = earlier (deadline, due);
    else
      g_ptr_array_remove_index_fast (self->lost, i);
    drop_room (self, room);
  }
  return deadline;
}

void
gst_ice_ws_hub_timeout (GstIceWsHub *self, gint64 now)
{
  look_at_strangers (self, now, TRUE);
  look_at_lost (self, now);
}

gint64
gst_ice_ws_hub_get_deadline (GstIceWsHub *self)
{
  const gint64 strangers = look_at_strangers (self, 0, FALSE);
  const gint64 lost = look_at_lost (self, G_MININT64);

  return lost < 0 ? strangers : earlier (strangers, lost);
}

void
gst_ice_ws_hub_get_stats (GstIceWsHub *self, GstIceWsHubStats *stats)
{
  *stats = self->stats;
  stats->n_peers = g_hash_table_size (self->peers);
  stats->n_rooms = g_hash_table_size (self->rooms);
}
