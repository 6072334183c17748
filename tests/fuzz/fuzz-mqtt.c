/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a broker may bring: messages "TOPIC\nPAYLOAD", 0xff between them, to one
 * who waits in a room. An empty topic lets a second pass. */
#include "ext/mqtt/mqttroom.h"

#include <string.h>

#include "target.h"

GST_DEBUG_CATEGORY (ice_mqtt_debug);

typedef struct
{
  GstIceMqttRoom *room;
  gint64 now;
  gboolean met;
} State;

static void
on_publish (
    gpointer state, const gchar *topic, const gchar *payload, gboolean retain)
{
  g_assert_true (
      g_str_has_prefix (topic, "at/") || g_str_has_prefix (topic, "to/"));
  g_assert_true (gst_ice_mqtt_is_id (topic + 3));
  g_assert_true (g_utf8_validate (payload, -1, NULL));
}

static void
on_met (gpointer data, gboolean offerer)
{
  State *state = data;

  g_assert_false (state->met || offerer);
  state->met = TRUE;
  gst_ice_mqtt_room_say (
      state->room, g_strdup ("{\"type\":\"bye\"}"), state->now);
}

static void
on_line (gpointer data, const GstIceLine *line)
{
  g_assert_true (((State *) data)->met);
  g_assert_cmpint (line->kind, !=, GST_ICE_LINE_BYE);
}

static void
on_parted (gpointer data, const gchar *reason)
{
  State *state = data;

  g_assert_true (state->met);
  state->met = FALSE;
}

static void
take (State *state, const gchar *message, gsize size)
{
  const gchar *end = memchr (message, '\n', size);
  g_autofree gchar *topic = NULL;

  if (end == NULL || end == message) {
    state->now += G_TIME_SPAN_SECOND;
    gst_ice_mqtt_room_tick (state->room, state->now);
    return;
  }
  topic = g_strndup (message, (gsize) (end - message));
  gst_ice_mqtt_room_take (state->room, topic, end + 1,
      size - (gsize) (end + 1 - message), state->now);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const GstIceMqttRoomFuncs funcs = { on_publish, on_met, on_line,
    on_parted };
  gchar base[] = "b", id[] = "bob";
  const GstIceMqttRoomConfig config = {
    .base = base,
    .id = id,
    .role = GST_ICE_SIGNALLER_ROLE_ANSWER,
  };
  State state = { .now = G_TIME_SPAN_HOUR };
  const gchar *at = (const gchar *) data;
  gsize left = size;

  if (ice_mqtt_debug == NULL)
    GST_DEBUG_CATEGORY_INIT (ice_mqtt_debug, "ice-mqtt", 0, "Meeting by MQTT");
  state.room = gst_ice_mqtt_room_new (&config, &funcs, &state);
  gst_ice_mqtt_room_connected (state.room, state.now);
  while (left > 0) {
    const gchar *end = memchr (at, 0xff, left);
    const gsize n = end != NULL ? (gsize) (end - at) : left;

    take (&state, at, n);
    at += MIN (n + 1, left);
    left -= MIN (n + 1, left);
  }
  gst_ice_mqtt_room_leave (state.room);
  gst_ice_mqtt_room_free (state.room);
  return 0;
}
