/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wsdialect-private.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "gst/signallers/json.h"

/* Signalling v1 of gst-plugins-rs. Who sends is a producer, and offers; who
 * takes is a consumer, listens for producers, and starts the session with the
 * one of peer-id, with the one whose name is our room, or with any. */

static void
add (JsonBuilder *builder, const gchar *name, const gchar *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static JsonBuilder *
begin (const gchar *type)
{
  JsonBuilder *builder = json_builder_new ();

  json_builder_begin_object (builder);
  if (type != NULL)
    add (builder, "type", type);
  return builder;
}

static gchar *
end (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = NULL;

  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  g_object_unref (builder);
  return json_to_string (root, FALSE);
}

static JsonBuilder *
begin_payload (const gchar *session, const gchar *what)
{
  JsonBuilder *builder = begin (session != NULL ? "peer" : NULL);

  if (session != NULL)
    add (builder, "sessionId", session);
  json_builder_set_member_name (builder, what);
  json_builder_begin_object (builder);
  return builder;
}

gchar *
gst_ice_ws_sdp_text (const gchar *session, const gchar *type, const gchar *sdp)
{
  JsonBuilder *builder = begin_payload (session, "sdp");

  add (builder, "type", type);
  add (builder, "sdp", sdp);
  json_builder_end_object (builder);
  return end (builder);
}

/* Servers forward nothing but the candidate and the index: the generation goes
 * into the candidate, as browsers have it. */
gchar *
gst_ice_ws_ice_text (const gchar *session, guint mline_index,
    const gchar *candidate, const gchar *ufrag)
{
  JsonBuilder *builder = begin_payload (session, "ice");
  g_autofree gchar *text =
      *candidate == '\0' || ufrag == NULL || strstr (candidate, " ufrag ")
      ? g_strdup (candidate)
      : g_strdup_printf ("%s ufrag %s", candidate, ufrag);

  add (builder, "candidate", text);
  json_builder_set_member_name (builder, "sdpMLineIndex");
  json_builder_add_int_value (builder, mline_index);
  json_builder_end_object (builder);
  return end (builder);
}

static gboolean
is_consumer (GstIceWsDialect *self)
{
  return self->role == GST_ICE_SIGNALLER_ROLE_ANSWER;
}

static void
send_plain (GstIceWsDialect *self, const gchar *type, const gchar *name,
    const gchar *value)
{
  JsonBuilder *builder = begin (type);

  if (name != NULL)
    add (builder, name, value);
  gst_ice_ws_dialect_send (self, end (builder));
}

static void
send_status (GstIceWsDialect *self)
{
  JsonBuilder *builder = begin ("setPeerStatus");

  json_builder_set_member_name (builder, "roles");
  json_builder_begin_array (builder);
  json_builder_add_string_value (
      builder, is_consumer (self) ? "listener" : "producer");
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "meta");
  json_builder_begin_object (builder);
  if (self->place->room != NULL)
    add (builder, "name", self->place->room);
  json_builder_end_object (builder);
  add (builder, "peerId", self->id);
  gst_ice_ws_dialect_send (self, end (builder));
}

static void
handle_welcome (GstIceWsDialect *self, const gchar *id)
{
  g_free (self->id);
  self->id = g_strdup (id);
  send_status (self);
  if (is_consumer (self))
    send_plain (self, "list", NULL, NULL);
}

/* Is it the producer that we came for? */
static gboolean
is_wanted (GstIceWsDialect *self, const gchar *id, JsonObject *meta)
{
  JsonNode *node = meta != NULL ? json_object_get_member (meta, "name") : NULL;
  const gchar *name = node != NULL && JSON_NODE_HOLDS_VALUE (node) &&
          json_node_get_value_type (node) == G_TYPE_STRING
      ? json_node_get_string (node)
      : NULL;

  if (self->place->peer_id != NULL)
    return g_str_equal (self->place->peer_id, id);
  return self->place->room == NULL || name == NULL ||
      g_str_equal (name, self->place->room);
}

/* A call that goes on without the server is not begun anew. */
static void
consider (GstIceWsDialect *self, JsonObject *producer, const gchar *id_name)
{
  JsonNode *id = json_object_get_member (producer, id_name);
  JsonNode *meta = json_object_get_member (producer, "meta");

  if (!is_consumer (self) || self->calling != NULL || self->peer != NULL ||
      id == NULL || !JSON_NODE_HOLDS_VALUE (id) ||
      json_node_get_value_type (id) != G_TYPE_STRING ||
      !is_wanted (self, json_node_get_string (id),
          meta != NULL && JSON_NODE_HOLDS_OBJECT (meta)
              ? json_node_get_object (meta)
              : NULL))
    return;
  self->calling = g_strdup (json_node_get_string (id));
  send_plain (self, "startSession", "peerId", self->calling);
}

static void
handle_list (GstIceWsDialect *self, JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, "producers");
  JsonArray *producers = node != NULL && JSON_NODE_HOLDS_ARRAY (node)
      ? json_node_get_array (node)
      : NULL;
  guint i;

  for (i = 0; producers != NULL && i < json_array_get_length (producers); i++) {
    JsonNode *producer = json_array_get_element (producers, i);

    if (JSON_NODE_HOLDS_OBJECT (producer))
      consider (self, json_node_get_object (producer), "id");
  }
}

static void
handle_status (GstIceWsDialect *self, JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, "roles");
  JsonArray *roles = node != NULL && JSON_NODE_HOLDS_ARRAY (node)
      ? json_node_get_array (node)
      : NULL;
  guint i;

  for (i = 0; roles != NULL && i < json_array_get_length (roles); i++) {
    JsonNode *role = json_array_get_element (roles, i);

    if (JSON_NODE_HOLDS_VALUE (role) &&
        json_node_get_value_type (role) == G_TYPE_STRING &&
        g_str_equal (json_node_get_string (role), "producer"))
      consider (self, object, "peerId");
  }
}

static void
send_end (GstIceWsDialect *self, const gchar *session)
{
  send_plain (self, "endSession", "sessionId", session);
}

static void
meet (GstIceWsDialect *self, const gchar *peer, const gchar *session,
    gboolean offerer)
{
  gst_ice_ws_dialect_meet (self, peer, offerer, FALSE);
  self->session = g_strdup (session);
}

/* One session at a time: whoever comes besides is told so. */
static void
handle_start (GstIceWsDialect *self, GstIceJson *json)
{
  const gchar *peer = gst_ice_json_get_string (json, "peerId");
  const gchar *session = gst_ice_json_get_string (json, "sessionId");
  const gchar *offer = gst_ice_json_get_string (json, "offer");
  GstIceLine *line;

  if (peer == NULL || session == NULL) {
    gst_ice_ws_dialect_reject (self);
    return;
  }
  if (is_consumer (self) || (self->peer != NULL && self->linked)) {
    send_end (self, session);
    return;
  }
  meet (self, peer, session, offer == NULL);
  if (offer == NULL)
    return;
  line = g_new0 (GstIceLine, 1);
  line->kind = GST_ICE_LINE_DESCRIPTION;
  line->type = g_strdup ("offer");
  line->text = g_strdup (offer);
  gst_ice_ws_dialect_tell (self, line);
}

static void
handle_started (GstIceWsDialect *self, GstIceJson *json)
{
  const gchar *peer = gst_ice_json_get_string (json, "peerId");
  const gchar *session = gst_ice_json_get_string (json, "sessionId");

  if (peer == NULL || session == NULL || self->calling == NULL) {
    gst_ice_ws_dialect_reject (self);
    return;
  }
  g_clear_pointer (&self->calling, g_free);
  meet (self, peer, session, FALSE);
}

static gboolean
is_ours (GstIceWsDialect *self, GstIceJson *json)
{
  const gchar *session = gst_ice_json_get_string (json, "sessionId");

  return session != NULL && g_strcmp0 (session, self->session) == 0;
}

static void
handle_end (GstIceWsDialect *self, GstIceJson *json)
{
  const gchar *error = gst_ice_json_get_string (json, "error");
  const gboolean refused = is_consumer (self) && !self->heard;

  if (!is_ours (self, json))
    return;
  gst_ice_ws_dialect_part (self, error != NULL ? error : "left");
  if (refused)
    gst_ice_ws_dialect_fail (self,
        "The producer ended the session before it began; is it in a call?");
}

static void
handle (GstIceWsDialect *self, const gchar *type, GstIceJson *json,
    JsonObject *object, const gchar *text)
{
  if (g_str_equal (type, "welcome")) {
    const gchar *id = gst_ice_json_get_string (json, "peerId");

    if (id != NULL)
      handle_welcome (self, id);
  } else if (g_str_equal (type, "list")) {
    handle_list (self, object);
  } else if (g_str_equal (type, "peerStatusChanged")) {
    handle_status (self, object);
  } else if (g_str_equal (type, "startSession")) {
    handle_start (self, json);
  } else if (g_str_equal (type, "sessionStarted")) {
    handle_started (self, json);
  } else if (g_str_equal (type, "endSession") ||
      g_str_equal (type, "endSessionV1_1")) {
    handle_end (self, json);
  } else if (g_str_equal (type, "error")) {
    const gchar *details = gst_ice_json_get_string (json, "details");

    if (self->peer == NULL)
      gst_ice_ws_dialect_fail (self, "The signalling server says: %.200s",
          details != NULL ? details : "error");
  } else {
    gst_ice_ws_dialect_reject (self);
  }
}

/* As in the server: the strict reader bounds what the other one gets. */
static void
webrtc_receive (GstIceWsDialect *self, const gchar *text, gsize size)
{
  g_autoptr (GstIceJson) json = gst_ice_json_parse (text, size);
  g_autoptr (JsonNode) root =
      json != NULL ? json_from_string (text, NULL) : NULL;
  const gchar *type =
      json != NULL ? gst_ice_json_get_string (json, "type") : NULL;
  g_autoptr (GstIceLine) line = NULL;

  if (type == NULL || root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    gst_ice_ws_dialect_reject (self);
    return;
  }
  if (!g_str_equal (type, "peer")) {
    handle (self, type, json, json_node_get_object (root), text);
    return;
  }
  line = gst_ice_line_parse (text, size);
  if (line != NULL && is_ours (self, json))
    gst_ice_ws_dialect_tell (self, g_steal_pointer (&line));
  else
    gst_ice_ws_dialect_reject (self);
}

static void
webrtc_opened (GstIceWsDialect *self)
{
  /* The server speaks first. */
}

/* A consumer's offer is refused by servers: it ends the session and starts the
 * next one, in which the producer offers anew. */
static void
webrtc_description (GstIceWsDialect *self, const gchar *type, const gchar *sdp)
{
  if (self->session == NULL)
    return;
  if (!is_consumer (self) || !g_str_equal (type, "offer")) {
    gst_ice_ws_dialect_say (
        self, gst_ice_ws_sdp_text (self->session, type, sdp));
    return;
  }
  if (!self->linked || self->calling != NULL)
    return;
  send_end (self, self->session);
  self->calling = g_strdup (self->peer);
  send_plain (self, "startSession", "peerId", self->calling);
}

static void
webrtc_candidate (GstIceWsDialect *self, const gchar *mid, guint mline_index,
    const gchar *candidate, const gchar *ufrag)
{
  if (self->session != NULL)
    gst_ice_ws_dialect_say (self,
        gst_ice_ws_ice_text (self->session, mline_index, candidate, ufrag));
}

static void
webrtc_bye (GstIceWsDialect *self, const gchar *reason)
{
  if (self->session != NULL && self->linked)
    send_end (self, self->session);
}

const GstIceWsDialectFuncs gst_ice_ws_dialect_webrtc = {
  .opened = webrtc_opened,
  .receive = webrtc_receive,
  .description = webrtc_description,
  .candidate = webrtc_candidate,
  .bye = webrtc_bye,
};
