/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wshub-private.h"

#include <string.h>

#include "wsframe.h"

/* "Simple signalling" of gst-examples: words separated by blanks. */

static gboolean
is_word (const gchar *text)
{
  const gsize size = strlen (text);

  return size > 0 && size <= GST_ICE_WS_MAX_NAME &&
      strpbrk (text, " \t\r\n") == NULL;
}

static void
    G_GNUC_PRINTF (2, 3) answer (GstIceWsPeer *peer, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  gst_ice_ws_hub_send (peer->hub, peer->id, g_strdup_vprintf (format, args));
  va_end (args);
}

static GstIceWsPeer *
find_by_name (GstIceWsRoom *room, const gchar *name)
{
  guint i;

  for (i = 0; room != NULL && i < room->peers->len; i++) {
    GstIceWsPeer *peer = room->peers->pdata[i];

    if (!peer->closing && g_strcmp0 (peer->name, name) == 0)
      return peer;
  }
  return NULL;
}

static void
handle_hello (GstIceWsPeer *peer, const gchar *name)
{
  peer->room = gst_ice_ws_hub_enter (peer, "simple", "");
  if (!is_word (name) || peer->room == NULL ||
      find_by_name (peer->room, name) != NULL) {
    peer->hub->stats.n_refused++;
    gst_ice_ws_hub_close (peer, GST_ICE_WS_PROTOCOL_ERROR, "invalid peer uid");
    return;
  }
  peer->name = g_strdup (name);
  gst_ice_ws_hub_greet (peer);
  answer (peer, "HELLO");
}

static gboolean
is_busy (const GstIceWsPeer *peer)
{
  return peer->partner != 0 || peer->hall != NULL;
}

static void
handle_session (GstIceWsPeer *peer, const gchar *name)
{
  GstIceWsPeer *other = find_by_name (peer->room, name);

  if (other == NULL || other == peer) {
    answer (peer, "ERROR peer '%s' not found", name);
  } else if (is_busy (other)) {
    answer (peer, "ERROR peer '%s' busy", name);
  } else {
    peer->partner = other->id;
    other->partner = peer->id;
    peer->hub->stats.n_sessions++;
    answer (peer, "SESSION_OK");
  }
}

/* To everybody else in the ROOM. */
static void
tell_hall (GstIceWsPeer *peer, const gchar *what)
{
  guint i;

  for (i = 0; i < peer->hall->peers->len; i++) {
    GstIceWsPeer *other = peer->hall->peers->pdata[i];

    if (other != peer && !other->closing)
      answer (other, "%s %s", what, peer->name);
  }
}

static gchar *
list_hall (GstIceWsPeer *peer)
{
  GString *list = g_string_new (NULL);
  guint i;

  for (i = 0; i < peer->hall->peers->len; i++) {
    GstIceWsPeer *other = peer->hall->peers->pdata[i];

    if (other != peer && !other->closing)
      g_string_append_printf (list, " %s", other->name);
  }
  return g_string_free (list, FALSE);
}

static void
handle_room (GstIceWsPeer *peer, const gchar *name)
{
  g_autofree gchar *others = NULL;

  if (!is_word (name) || g_str_equal (name, "session")) {
    answer (peer, "ERROR invalid room id");
    return;
  }
  peer->hall = gst_ice_ws_hub_enter (peer, "simple-room", name);
  if (peer->hall == NULL) {
    answer (peer, "ERROR room is full");
    return;
  }
  others = list_hall (peer);
  answer (peer, "ROOM_OK%s", others);
  tell_hall (peer, "ROOM_PEER_JOINED");
  peer->hub->stats.n_sessions += peer->hall->peers->len > 1;
}

static void
forward_in_room (GstIceWsPeer *peer, const gchar *text)
{
  g_autofree gchar *name = NULL;
  const gchar *message = strchr (text, ' ');
  GstIceWsPeer *other;

  name = message != NULL ? g_strndup (text, message - text) : g_strdup (text);
  other = find_by_name (peer->hall, name);
  if (other == NULL || message == NULL) {
    answer (peer, "ERROR peer '%s' not found", name);
    return;
  }
  peer->hub->stats.n_forwarded++;
  answer (other, "ROOM_PEER_MSG %s %s", peer->name, message + 1);
}

static void
handle_in_room (GstIceWsPeer *peer, const gchar *text)
{
  if (g_str_has_prefix (text, "ROOM_PEER_MSG ")) {
    forward_in_room (peer, text + strlen ("ROOM_PEER_MSG "));
  } else if (g_str_equal (text, "ROOM_PEER_LIST")) {
    g_autofree gchar *others = list_hall (peer);

    answer (peer, "ROOM_PEER_LIST%s", others);
  } else if (gst_ice_ws_hub_malformed (peer)) {
    answer (peer, "ERROR invalid msg, already in room");
  }
}

static void
handle (GstIceWsPeer *peer, const gchar *text)
{
  if (peer->partner != 0) {
    peer->hub->stats.n_forwarded++;
    gst_ice_ws_hub_send (peer->hub, peer->partner, g_strdup (text));
  } else if (peer->hall != NULL) {
    handle_in_room (peer, text);
  } else if (g_str_has_prefix (text, "SESSION ")) {
    handle_session (peer, text + strlen ("SESSION "));
  } else if (g_str_has_prefix (text, "ROOM ")) {
    handle_room (peer, text + strlen ("ROOM "));
  } else if (gst_ice_ws_hub_malformed (peer)) {
    answer (peer, "ERROR invalid msg");
  }
}

static void
simple_receive (GstIceWsPeer *peer, const gchar *text, gsize size, gint64 now)
{
  if (peer->greeted) {
    handle (peer, text);
  } else if (g_str_has_prefix (text, "HELLO ")) {
    handle_hello (peer, text + strlen ("HELLO "));
  } else {
    peer->hub->stats.n_malformed++;
    gst_ice_ws_hub_close (peer, GST_ICE_WS_PROTOCOL_ERROR, "invalid protocol");
  }
}

static void
simple_join (GstIceWsPeer *peer, gint64 now)
{
}

/* The end of a connection is the end of its session, and of the connection of
 * the other one. */
static void
simple_leave (GstIceWsPeer *peer, gboolean clean, gint64 now)
{
  GstIceWsPeer *other = gst_ice_ws_hub_find (peer->hub, peer->partner);

  if (other != NULL) {
    other->partner = 0;
    gst_ice_ws_hub_close (other, GST_ICE_WS_NORMAL, "the peer left");
  }
  if (peer->hall != NULL) {
    tell_hall (peer, "ROOM_PEER_LEFT");
    gst_ice_ws_hub_quit (peer, peer->hall);
  }
  if (peer->room != NULL)
    gst_ice_ws_hub_quit (peer, peer->room);
}

const GstIceWsHubFuncs gst_ice_ws_hub_simple = {
  .join = simple_join,
  .receive = simple_receive,
  .leave = simple_leave,
};
