/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wshub-private.h"

#include <string.h>

#include "gst/signallers/jsonlines.h"
#include "wsframe.h"

/* Rooms for two that speak our JSON lines (see wsdialect-lines.c). */

/* The process has ended or the way was lost; whoever comes with the same key
 * within this time goes on where it was. */
#define KEPT_FOR (2 * G_TIME_SPAN_SECOND)
/* As long as a client waits before it tries again. */
#define KEPT_FOR_CLAIMED (12 * G_TIME_SPAN_SECOND)
/* 128 bits, however they are written. */
#define MIN_KEY 16
/* Of SHA-256 in hex: nobody finds another key for it. */
#define NAME_DIGITS 32

static GstIceWsSeat *
seat_of (GstIceWsPeer *peer)
{
  gsize i;

  for (i = 0; peer->room != NULL && i < G_N_ELEMENTS (peer->room->seats); i++)
    if (peer->room->seats[i].peer == peer->id)
      return &peer->room->seats[i];
  return NULL;
}

static GstIceWsSeat *
other_seat (GstIceWsRoom *room, GstIceWsSeat *seat)
{
  return seat == &room->seats[0] ? &room->seats[1] : &room->seats[0];
}

static void
complain (GstIceWsPeer *peer, guint code, const gchar *text)
{
  GString *json = gst_ice_json_begin ();

  gst_ice_json_add_string (json, "type", "refused");
  gst_ice_json_add_string (json, "text", text);
  gst_ice_ws_hub_send (peer->hub, peer->id, gst_ice_json_end (json));
  gst_ice_ws_hub_close (peer, code, NULL);
}

static void
tell_left (GstIceWsHub *hub, GstIceWsSeat *seat, const gchar *reason)
{
  GString *json;

  if (seat->claim == NULL || seat->peer == 0)
    return;
  g_clear_pointer (&seat->claim, g_free);
  json = gst_ice_json_begin ();
  gst_ice_json_add_string (json, "type", "left");
  gst_ice_json_add_string (json, "reason", reason);
  gst_ice_ws_hub_send (hub, seat->peer, gst_ice_json_end (json));
}

static void
clear_seat (GstIceWsSeat *seat)
{
  g_free (seat->name);
  g_free (seat->claim);
  memset (seat, 0, sizeof *seat);
}

static void
tell_ready (GstIceWsHub *hub, GstIceWsSeat *seat, const GstIceWsSeat *other,
    gboolean offerer, gboolean resumed)
{
  GString *json = gst_ice_json_begin ();

  gst_ice_json_add_string (json, "type", "ready");
  gst_ice_json_add_string (json, "role", offerer ? "offer" : "answer");
  gst_ice_json_add_string (json, "peer", other->name);
  gst_ice_json_add_uint (json, "resumed", resumed);
  gst_ice_ws_hub_send (hub, seat->peer, gst_ice_json_end (json));
  g_free (seat->claim);
  seat->claim = g_strdup (other->name);
}

/* Who came first offers, unless one of them is told what to do. */
static gboolean
is_offerer (const GstIceWsSeat *seat, const GstIceWsSeat *other)
{
  if (seat->role != other->role)
    return seat->role == GST_ICE_SIGNALLER_ROLE_OFFER ||
        other->role == GST_ICE_SIGNALLER_ROLE_ANSWER;
  return seat->order < other->order;
}

static void
pair (GstIceWsRoom *room, GstIceWsHub *hub)
{
  GstIceWsSeat *a = &room->seats[0], *b = &room->seats[1];
  gboolean resumed, offerer;

  if (a->peer == 0 || b->peer == 0)
    return;
  resumed =
      g_strcmp0 (a->claim, b->name) == 0 && g_strcmp0 (b->claim, a->name) == 0;
  offerer = is_offerer (a, b);
  if (!resumed)
    hub->stats.n_sessions++;
  tell_ready (hub, a, b, offerer, resumed);
  tell_ready (hub, b, a, !offerer, resumed);
}

/* (nullable) its own from before, or one that is free */
static GstIceWsSeat *
find_seat (GstIceWsRoom *room, const gchar *name)
{
  GstIceWsSeat *found = NULL;
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (room->seats); i++) {
    if (g_strcmp0 (room->seats[i].name, name) == 0)
      return &room->seats[i];
    if (room->seats[i].name == NULL)
      found = &room->seats[i];
  }
  return found;
}

static gboolean
may_wait (GstIceWsRoom *room)
{
  return room->seats[0].peer == 0 || room->seats[1].peer == 0;
}

/* FALSE: both wait for the other, or both insist. */
static gboolean
fits (GstIceWsPeer *peer, const GstIceWsSeat *other)
{
  if (other->peer == 0 || peer->role == GST_ICE_SIGNALLER_ROLE_AUTO ||
      peer->role != other->role)
    return TRUE;
  complain (peer, GST_ICE_WS_POLICY,
      peer->role == GST_ICE_SIGNALLER_ROLE_ANSWER
          ? "who is in the room waits for an offer, too: one of both has to "
            "send something"
          : "who is in the room has role=offer, too");
  return FALSE;
}

/* Its own from before may still be open without being alive. */
static void
replace (GstIceWsHub *hub, GstIceWsSeat *seat)
{
  GstIceWsPeer *old = gst_ice_ws_hub_find (hub, seat->peer);

  seat->peer = 0;
  if (old != NULL)
    gst_ice_ws_hub_close (old, GST_ICE_WS_NORMAL, "it came again");
}

static void
keep_for (GstIceWsPeer *peer, GstIceWsSeat *seat, gint64 until)
{
  GPtrArray *lost = peer->hub->lost;

  seat->peer = 0;
  seat->kept_until = until;
  if (!g_ptr_array_find (lost, peer->room, NULL))
    g_ptr_array_add (lost, peer->room);
}

/* After the server was away its rooms are empty: who comes back first keeps
 * the other place for whom it was talking to. */
static void
keep_for_claimed (GstIceWsPeer *peer, GstIceWsSeat *other, gint64 now)
{
  if (peer->claim == NULL || other->name != NULL)
    return;
  other->name = g_strdup (peer->claim);
  keep_for (peer, other, now + KEPT_FOR_CLAIMED);
}

static void
welcome (GstIceWsPeer *peer)
{
  GString *json = gst_ice_json_begin ();

  gst_ice_json_add_string (json, "type", "welcome");
  gst_ice_json_add_string (json, "id", peer->name);
  gst_ice_json_add_string (json, "room", peer->path);
  gst_ice_ws_hub_send (peer->hub, peer->id, gst_ice_json_end (json));
}

static void seat_others (GstIceWsRoom *room, gint64 now);

static void
sit (GstIceWsPeer *peer, gint64 now)
{
  GstIceWsHub *hub = peer->hub;
  GstIceWsRoom *room = peer->room;
  GstIceWsSeat *seat = find_seat (room, peer->name);

  if (seat == NULL && may_wait (room))
    return;
  if (seat == NULL) {
    hub->stats.n_refused++;
    complain (peer, GST_ICE_WS_TRY_AGAIN,
        "the room has its two peers; choose another one");
    return;
  }
  if (!fits (peer, other_seat (room, seat)))
    return;
  replace (hub, seat);
  clear_seat (seat);
  seat->name = g_strdup (peer->name);
  seat->peer = peer->id;
  seat->role = peer->role;
  seat->claim = g_strdup (peer->claim);
  seat->order = ++hub->last_order;
  keep_for_claimed (peer, other_seat (room, seat), now);
  welcome (peer);
  pair (room, hub);
  seat_others (room, now);
}

/* A place became free, or is taken for good: for those that wait. */
static void
seat_others (GstIceWsRoom *room, gint64 now)
{
  guint i;

  for (i = 0; i < room->peers->len; i++) {
    GstIceWsPeer *peer = room->peers->pdata[i];

    if (!peer->closing && seat_of (peer) == NULL)
      sit (peer, now);
  }
}

static GstIceSignallerRole
parse_role (const gchar *role)
{
  if (g_strcmp0 (role, "offer") == 0)
    return GST_ICE_SIGNALLER_ROLE_OFFER;
  if (g_strcmp0 (role, "answer") == 0)
    return GST_ICE_SIGNALLER_ROLE_ANSWER;
  return GST_ICE_SIGNALLER_ROLE_AUTO;
}

static void
handle_hello (GstIceWsPeer *peer, GstIceJson *json, gint64 now)
{
  const gchar *key = gst_ice_json_get_string (json, "key");

  if (key == NULL || strlen (key) < MIN_KEY ||
      strlen (key) > GST_ICE_WS_MAX_NAME || *peer->path == '\0') {
    complain (peer, GST_ICE_WS_POLICY,
        "hello needs a room in the path, and a key of 16 to 128 characters");
    return;
  }
  peer->name = g_compute_checksum_for_string (G_CHECKSUM_SHA256, key, -1);
  peer->name[NAME_DIGITS] = '\0';
  peer->room = gst_ice_ws_hub_enter (peer, "lines", "");
  if (peer->room == NULL) {
    complain (peer, GST_ICE_WS_TRY_AGAIN, "the room is full");
    return;
  }
  peer->role = parse_role (gst_ice_json_get_string (json, "role"));
  peer->claim = g_strdup (gst_ice_json_get_string (json, "peer"));
  gst_ice_ws_hub_greet (peer);
  sit (peer, now);
}

/* Only what a session is made of goes on. */
static void
forward (GstIceWsPeer *peer, const gchar *text, gsize size)
{
  g_autoptr (GstIceLine) line = gst_ice_line_parse (text, size);
  GstIceWsSeat *seat = seat_of (peer), *other;

  if (line == NULL || line->kind == GST_ICE_LINE_HELLO) {
    peer->hub->stats.n_malformed++;
    complain (peer, GST_ICE_WS_BAD_DATA, "that is no line of a session");
    return;
  }
  other = seat != NULL ? other_seat (peer->room, seat) : NULL;
  if (other == NULL || seat->claim == NULL || other->peer == 0 ||
      g_strcmp0 (seat->claim, other->name) != 0)
    return;
  peer->hub->stats.n_forwarded++;
  gst_ice_ws_hub_send (peer->hub, other->peer, g_strndup (text, size));
  if (line->kind != GST_ICE_LINE_BYE)
    return;
  g_clear_pointer (&seat->claim, g_free);
  g_clear_pointer (&other->claim, g_free);
}

static void
lines_receive (GstIceWsPeer *peer, const gchar *text, gsize size, gint64 now)
{
  g_autoptr (GstIceJson) json = NULL;

  if (peer->greeted) {
    forward (peer, text, size);
    return;
  }
  json = gst_ice_json_parse (text, size);
  if (json == NULL ||
      g_strcmp0 (gst_ice_json_get_string (json, "type"), "hello") != 0) {
    peer->hub->stats.n_malformed++;
    complain (peer, GST_ICE_WS_BAD_DATA, "the first line is a hello");
    return;
  }
  handle_hello (peer, json, now);
}

static void
lines_join (GstIceWsPeer *peer, gint64 now)
{
}

static void
lines_leave (GstIceWsPeer *peer, gboolean clean, gint64 now)
{
  GstIceWsSeat *seat = seat_of (peer);

  if (seat != NULL && !clean) {
    keep_for (peer, seat, now + KEPT_FOR);
  } else if (seat != NULL) {
    tell_left (peer->hub, other_seat (peer->room, seat), "left");
    clear_seat (seat);
    seat_others (peer->room, now);
  }
  if (peer->room != NULL)
    gst_ice_ws_hub_quit (peer, peer->room);
}

void
gst_ice_ws_hub_lines_timeout (
    GstIceWsRoom *room, GstIceWsHub *hub, gint64 now, gint64 *deadline)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (room->seats); i++) {
    GstIceWsSeat *seat = &room->seats[i];
    if (seat->name == NULL || seat->peer != 0)
      continue;
    if (now >= seat->kept_until) {
      tell_left (hub, other_seat (room, seat), "gone");
      clear_seat (seat);
      seat_others (room, now);
    } else if (*deadline < 0 || seat->kept_until < *deadline) {
      *deadline = seat->kept_until;
    }
  }
}

const GstIceWsHubFuncs gst_ice_ws_hub_lines = {
  .join = lines_join,
  .receive = lines_receive,
  .leave = lines_leave,
};
