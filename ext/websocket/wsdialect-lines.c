/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wsdialect-private.h"

#include "gst/signallers/json.h"

/* Our JSON lines, one in a frame, and what a room adds to them:
 *
 *   we      {"type":"hello","key":SECRET,"role":"auto|offer|answer","peer":ID}
 *   server  {"type":"welcome","id":ID,"room":NAME}
 *   server  {"type":"ready","role":"offer|answer","peer":ID,"resumed":0|1}
 *   both    descriptions, candidates, bye: as in a file
 *   server  {"type":"left","reason":WORD}
 *   server  {"type":"refused","text":SENTENCE}, then it closes
 *
 * A server derives ID from SECRET, so that a peer that comes back after the
 * connection or the server was lost is the same, and nobody else can be. */

static const gchar *
role_nick (GstIceSignallerRole role)
{
  switch (role) {
    case GST_ICE_SIGNALLER_ROLE_OFFER:
      return "offer";
    case GST_ICE_SIGNALLER_ROLE_ANSWER:
      return "answer";
    default:
      return "auto";
  }
}

static void
lines_opened (GstIceWsDialect *self)
{
  GString *json = gst_ice_json_begin ();

  gst_ice_json_add_string (json, "type", "hello");
  gst_ice_json_add_string (json, "key", self->key);
  gst_ice_json_add_string (json, "role", role_nick (self->role));
  gst_ice_json_add_string (json, "peer", self->peer);
  gst_ice_ws_dialect_send (self, gst_ice_json_end (json));
}

static void
handle_ready (GstIceWsDialect *self, GstIceJson *json)
{
  const gchar *peer = gst_ice_json_get_string (json, "peer");
  const gchar *role = gst_ice_json_get_string (json, "role");
  guint64 resumed = 0;

  if (peer == NULL || role == NULL) {
    gst_ice_ws_dialect_reject (self);
    return;
  }
  gst_ice_json_get_uint (json, "resumed", &resumed);
  gst_ice_ws_dialect_meet (
      self, peer, g_str_equal (role, "offer"), resumed != 0);
}

/* FALSE: it is for the session. */
static gboolean
handle_room (GstIceWsDialect *self, GstIceJson *json)
{
  const gchar *type = gst_ice_json_get_string (json, "type");

  if (g_strcmp0 (type, "ready") == 0) {
    handle_ready (self, json);
  } else if (g_strcmp0 (type, "left") == 0) {
    gst_ice_ws_dialect_part (self, gst_ice_json_get_string (json, "reason"));
  } else if (g_strcmp0 (type, "refused") == 0) {
    const gchar *text = gst_ice_json_get_string (json, "text");

    gst_ice_ws_dialect_fail (
        self, "The signalling server says: %s", text != NULL ? text : "no");
  } else {
    return g_strcmp0 (type, "welcome") == 0;
  }
  return TRUE;
}

static void
lines_receive (GstIceWsDialect *self, const gchar *text, gsize size)
{
  g_autoptr (GstIceJson) json = gst_ice_json_parse (text, size);
  g_autoptr (GstIceLine) line = NULL;

  if (json != NULL && handle_room (self, json))
    return;
  line = gst_ice_line_parse (text, size);
  if (line != NULL)
    gst_ice_ws_dialect_tell (self, g_steal_pointer (&line));
  else
    gst_ice_ws_dialect_reject (self);
}

static void
lines_description (GstIceWsDialect *self, const gchar *type, const gchar *sdp)
{
  gst_ice_ws_dialect_say (self, gst_ice_line_description (type, sdp, NULL));
}

static void
lines_candidate (GstIceWsDialect *self, const gchar *mid, guint mline_index,
    const gchar *candidate, const gchar *ufrag)
{
  gst_ice_ws_dialect_say (
      self, gst_ice_line_candidate (mid, mline_index, candidate, ufrag));
}

static void
lines_bye (GstIceWsDialect *self, const gchar *reason)
{
  gst_ice_ws_dialect_say (self, gst_ice_line_bye (reason));
}

static void
lines_decline (GstIceWsDialect *self, const gchar *reason, const gchar *text)
{
  gst_ice_ws_dialect_say (self, gst_ice_line_reject (reason, text, NULL));
}

static void
lines_complain (GstIceWsDialect *self, const gchar *text)
{
  gst_ice_ws_dialect_say (self, gst_ice_line_error (text));
}

const GstIceWsDialectFuncs gst_ice_ws_dialect_lines = {
  .opened = lines_opened,
  .receive = lines_receive,
  .description = lines_description,
  .candidate = lines_candidate,
  .bye = lines_bye,
  .decline = lines_decline,
  .complain = lines_complain,
};
