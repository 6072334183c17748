/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wshub-private.h"

#include <string.h>

#include "wsframe.h"

/* Signalling v1 of gst-plugins-rs: producers, consumers and listeners. */

#define MAX_SESSIONS 4096
/* What a producer tells of itself. */
#define MAX_META 1024

typedef struct
{
  guint producer, consumer;
} Session;

/* @text: (transfer none) */
static void
tell (GstIceWsPeer *peer, JsonBuilder *builder)
{
  JsonNode *root;

  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  gst_ice_ws_hub_send (peer->hub, peer->id, json_to_string (root, FALSE));
  json_node_unref (root);
  g_object_unref (builder);
}

static void
add (JsonBuilder *builder, const gchar *name, const gchar *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static JsonBuilder *
begin (const gchar *type)
{
  JsonBuilder *builder = json_builder_new ();

  json_builder_begin_object (builder);
  add (builder, "type", type);
  return builder;
}

static void
add_meta (JsonBuilder *builder, const gchar *meta)
{
  JsonNode *node = meta != NULL ? json_from_string (meta, NULL) : NULL;

  json_builder_set_member_name (builder, "meta");
  json_builder_add_value (
      builder, node != NULL ? node : json_node_new (JSON_NODE_NULL));
}

static void
complain (GstIceWsPeer *peer, const gchar *details)
{
  JsonBuilder *builder = begin ("error");

  add (builder, "details", details);
  tell (peer, builder);
}

static void
malformed (GstIceWsPeer *peer, const gchar *details)
{
  if (gst_ice_ws_hub_malformed (peer))
    complain (peer, details);
}

static GstIceWsPeer *
find_by_name (GstIceWsRoom *room, const gchar *name)
{
  guint i;

  for (i = 0; i < room->peers->len; i++) {
    GstIceWsPeer *peer = room->peers->pdata[i];

    if (!peer->closing && g_strcmp0 (peer->name, name) == 0)
      return peer;
  }
  return NULL;
}

static void
webrtc_join (GstIceWsPeer *peer, gint64 now)
{
  JsonBuilder *builder;

  peer->room = gst_ice_ws_hub_enter (peer, "webrtc", "");
  gst_ice_ws_hub_greet (peer);
  if (peer->room == NULL) {
    peer->hub->stats.n_refused++;
    gst_ice_ws_hub_close (peer, GST_ICE_WS_TRY_AGAIN, "the room is full");
    return;
  }
  if (peer->room->sessions == NULL)
    peer->room->sessions =
        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  peer->name = g_uuid_string_random ();
  builder = begin ("welcome");
  add (builder, "peerId", peer->name);
  tell (peer, builder);
}

/* To the listeners. */
static void
tell_status (GstIceWsPeer *peer)
{
  guint i;

  for (i = 0; i < peer->room->peers->len; i++) {
    GstIceWsPeer *other = peer->room->peers->pdata[i];
    JsonBuilder *builder;

    if (!other->listener || other->closing || other == peer)
      continue;
    builder = begin ("peerStatusChanged");
    json_builder_set_member_name (builder, "roles");
    json_builder_begin_array (builder);
    if (peer->producer && !peer->closing)
      json_builder_add_string_value (builder, "producer");
    json_builder_end_array (builder);
    add_meta (builder, peer->meta);
    add (builder, "peerId", peer->name);
    tell (other, builder);
  }
}

static gboolean
parse_roles (GstIceWsPeer *peer, JsonArray *roles)
{
  guint i;

  peer->producer = peer->consumer = peer->listener = FALSE;
  for (i = 0; i < json_array_get_length (roles); i++) {
    JsonNode *node = json_array_get_element (roles, i);
    const gchar *role = JSON_NODE_HOLDS_VALUE (node) &&
            json_node_get_value_type (node) == G_TYPE_STRING
        ? json_node_get_string (node)
        : "";

    if (g_str_equal (role, "producer"))
      peer->producer = TRUE;
    else if (g_str_equal (role, "consumer"))
      peer->consumer = TRUE;
    else if (g_str_equal (role, "listener"))
      peer->listener = TRUE;
    else
      return FALSE;
  }
  return !(peer->producer && peer->consumer);
}

static void
handle_status (GstIceWsPeer *peer, JsonObject *object, GstIceJson *json)
{
  const gboolean was_producer = peer->producer;
  const gchar *id = gst_ice_json_get_string (json, "peerId");
  JsonNode *roles = json_object_get_member (object, "roles");
  JsonNode *meta = json_object_get_member (object, "meta");

  if (id != NULL && !g_str_equal (id, peer->name)) {
    complain (peer, "peerId is another one's");
    return;
  }
  if (roles == NULL || !JSON_NODE_HOLDS_ARRAY (roles) ||
      !parse_roles (peer, json_node_get_array (roles))) {
    malformed (peer, "roles are producer or consumer, and listener");
    return;
  }
  g_clear_pointer (&peer->meta, g_free);
  if (meta != NULL && JSON_NODE_HOLDS_OBJECT (meta))
    peer->meta = json_to_string (meta, FALSE);
  if (peer->meta != NULL && strlen (peer->meta) > MAX_META) {
    g_clear_pointer (&peer->meta, g_free);
    complain (peer, "meta is too long");
  }
  if (peer->producer || was_producer)
    tell_status (peer);
}

static void
handle_list (GstIceWsPeer *peer, gboolean producers)
{
  JsonBuilder *builder = begin (producers ? "list" : "listConsumers");
  guint i;

  json_builder_set_member_name (builder, producers ? "producers" : "consumers");
  json_builder_begin_array (builder);
  for (i = 0; i < peer->room->peers->len; i++) {
    GstIceWsPeer *other = peer->room->peers->pdata[i];

    if (other->closing || !(producers ? other->producer : other->consumer))
      continue;
    json_builder_begin_object (builder);
    add (builder, "id", other->name);
    add_meta (builder, other->meta);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  tell (peer, builder);
}

static void
handle_start (GstIceWsPeer *peer, GstIceJson *json)
{
  const gchar *id = gst_ice_json_get_string (json, "peerId");
  GstIceWsPeer *producer = find_by_name (peer->room, id);
  g_autofree gchar *session_id = g_uuid_string_random ();
  JsonBuilder *builder;
  Session *session;

  if (producer == NULL || !producer->producer || producer == peer) {
    complain (peer, "there is no such producer");
    return;
  }
  if (g_hash_table_size (peer->room->sessions) >= MAX_SESSIONS) {
    complain (peer, "there are too many sessions");
    return;
  }
  session = g_new0 (Session, 1);
  session->producer = producer->id;
  session->consumer = peer->id;
  g_hash_table_insert (peer->room->sessions, g_strdup (session_id), session);
  peer->hub->stats.n_sessions++;

  builder = begin ("sessionStarted");
  add (builder, "peerId", producer->name);
  add (builder, "sessionId", session_id);
  tell (peer, builder);
  builder = begin ("startSession");
  add (builder, "peerId", peer->name);
  add (builder, "sessionId", session_id);
  add (builder, "offer", gst_ice_json_get_string (json, "offer"));
  tell (producer, builder);
}

/* (nullable) the other side of a session that @peer is in */
static GstIceWsPeer *
find_other (GstIceWsPeer *peer, const gchar *session_id, Session **ret_session)
{
  Session *session = session_id != NULL
      ? g_hash_table_lookup (peer->room->sessions, session_id)
      : NULL;

  if (session == NULL ||
      (session->producer != peer->id && session->consumer != peer->id)) {
    complain (peer, "there is no such session of yours");
    return NULL;
  }
  *ret_session = session;
  return gst_ice_ws_hub_find (peer->hub,
      session->producer == peer->id ? session->consumer : session->producer);
}

static JsonBuilder *
begin_peer (const gchar *session_id, const gchar *what)
{
  JsonBuilder *builder = begin ("peer");

  add (builder, "sessionId", session_id);
  json_builder_set_member_name (builder, what);
  json_builder_begin_object (builder);
  return builder;
}

/* Told again in our own words: what else was in it goes no further. */
static void
handle_peer (GstIceWsPeer *peer, GstIceJson *json)
{
  const gchar *session_id = gst_ice_json_get_string (json, "sessionId");
  const gchar *type = gst_ice_json_get_string (json, "sdp.type");
  const gchar *sdp = gst_ice_json_get_string (json, "sdp.sdp");
  const gchar *candidate = gst_ice_json_get_string (json, "ice.candidate");
  Session *session;
  GstIceWsPeer *other = find_other (peer, session_id, &session);
  JsonBuilder *builder;
  guint64 index = 0;

  if (other == NULL)
    return;
  if (sdp != NULL && g_strcmp0 (type, "offer") == 0 &&
      session->consumer == peer->id) {
    complain (peer, "a consumer offers in startSession only");
    return;
  }
  if (sdp != NULL && type != NULL) {
    builder = begin_peer (session_id, "sdp");
    add (builder, "type", type);
    add (builder, "sdp", sdp);
  } else if (candidate != NULL &&
      gst_ice_json_get_uint (json, "ice.sdpMLineIndex", &index)) {
    builder = begin_peer (session_id, "ice");
    add (builder, "candidate", candidate);
    json_builder_set_member_name (builder, "sdpMLineIndex");
    json_builder_add_int_value (builder, index);
  } else {
    malformed (peer, "peer has neither sdp nor ice");
    return;
  }
  json_builder_end_object (builder);
  peer->hub->stats.n_forwarded++;
  tell (other, builder);
}

static void
tell_end (GstIceWsPeer *other, const gchar *session_id, const gchar *error)
{
  JsonBuilder *builder = begin (other->v1_1 ? "endSessionV1_1" : "endSession");

  add (builder, "sessionId", session_id);
  if (other->v1_1)
    add (builder, "error", error);
  tell (other, builder);
}

static void
handle_end (GstIceWsPeer *peer, GstIceJson *json)
{
  const gchar *session_id = gst_ice_json_get_string (json, "sessionId");
  Session *session;
  GstIceWsPeer *other = find_other (peer, session_id, &session);

  if (other == NULL)
    return;
  tell_end (other, session_id, gst_ice_json_get_string (json, "error"));
  g_hash_table_remove (peer->room->sessions, session_id);
}

static void
handle (
    GstIceWsPeer *peer, const gchar *type, JsonObject *object, GstIceJson *json)
{
  if (g_str_equal (type, "setProtocolVersion"))
    peer->v1_1 =
        g_strcmp0 (gst_ice_json_get_string (json, "version"), "v1_1") == 0;
  else if (g_str_equal (type, "setPeerStatus"))
    handle_status (peer, object, json);
  else if (g_str_equal (type, "list"))
    handle_list (peer, TRUE);
  else if (g_str_equal (type, "listConsumers"))
    handle_list (peer, FALSE);
  else if (g_str_equal (type, "startSession"))
    handle_start (peer, json);
  else if (g_str_equal (type, "peer"))
    handle_peer (peer, json);
  else if (g_str_equal (type, "endSession") ||
      g_str_equal (type, "endSessionV1_1"))
    handle_end (peer, json);
  else
    malformed (peer, "unknown type");
}

/* The strict reader looks first: it bounds depth and size, and has no name
 * twice; the other one knows arrays. */
static void
webrtc_receive (GstIceWsPeer *peer, const gchar *text, gsize size, gint64 now)
{
  g_autoptr (GstIceJson) json = gst_ice_json_parse (text, size);
  g_autoptr (JsonNode) root =
      json != NULL ? json_from_string (text, NULL) : NULL;
  const gchar *type =
      json != NULL ? gst_ice_json_get_string (json, "type") : NULL;

  if (peer->room == NULL)
    return;
  if (type == NULL || root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    malformed (peer, "that is no object with a type");
  else
    handle (peer, type, json_node_get_object (root), json);
}

static void
webrtc_leave (GstIceWsPeer *peer, gboolean clean, gint64 now)
{
  GHashTableIter iter;
  gpointer id, value;

  if (peer->room == NULL)
    return;
  g_hash_table_iter_init (&iter, peer->room->sessions);
  while (g_hash_table_iter_next (&iter, &id, &value)) {
    const Session *session = value;
    GstIceWsPeer *other;

    if (session->producer != peer->id && session->consumer != peer->id)
      continue;
    other = gst_ice_ws_hub_find (peer->hub,
        session->producer == peer->id ? session->consumer : session->producer);
    if (other != NULL)
      tell_end (other, id, NULL);
    g_hash_table_iter_remove (&iter);
  }
  if (peer->producer)
    tell_status (peer);
  gst_ice_ws_hub_quit (peer, peer->room);
}

const GstIceWsHubFuncs gst_ice_ws_hub_webrtc = {
  .join = webrtc_join,
  .receive = webrtc_receive,
  .leave = webrtc_leave,
};
