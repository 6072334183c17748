/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wsdialect-private.h"

#include <string.h>

/* "Simple signalling" of gst-examples. With a room, the newcomer offers; with
 * a peer-id, we call; otherwise we wait to be called. There is no bye: who
 * closes the connection has left. OFFER_REQUEST asks the other side to offer,
 * in rooms as well, where only ours understand it. */

static gboolean
in_room (GstIceWsDialect *self)
{
  return self->place->room != NULL && self->place->peer_id == NULL;
}

/* @text: (transfer full) */
static void
say (GstIceWsDialect *self, gchar *text)
{
  if (!in_room (self)) {
    gst_ice_ws_dialect_say (self, text);
    return;
  }
  if (self->peer != NULL)
    gst_ice_ws_dialect_say (
        self, g_strdup_printf ("ROOM_PEER_MSG %s %s", self->peer, text));
  g_free (text);
}

static void
simple_opened (GstIceWsDialect *self)
{
  gst_ice_ws_dialect_send (self,
      g_strdup_printf (
          "HELLO %s", self->place->id != NULL ? self->place->id : self->key));
}

static void
simple_closed (GstIceWsDialect *self, gboolean clean)
{
  if (clean)
    gst_ice_ws_dialect_part (self, "left");
}

static void
meet (GstIceWsDialect *self, const gchar *peer, gboolean offerer)
{
  gst_ice_ws_dialect_meet (self, peer, offerer, FALSE);
}

/* We called, or came later: the offer is ours to make, or to ask for. */
static void
begin (GstIceWsDialect *self, const gchar *peer)
{
  const gboolean offerer = self->role != GST_ICE_SIGNALLER_ROLE_ANSWER;

  meet (self, peer, offerer);
  if (!offerer)
    say (self, g_strdup ("OFFER_REQUEST"));
}

/* Registered. A call that goes on without the server is not begun anew. */
static void
handle_hello (GstIceWsDialect *self)
{
  if (in_room (self))
    gst_ice_ws_dialect_send (
        self, g_strdup_printf ("ROOM %s", self->place->room));
  else if (self->place->peer_id != NULL && self->peer == NULL)
    gst_ice_ws_dialect_send (
        self, g_strdup_printf ("SESSION %s", self->place->peer_id));
}

static void
handle_room_ok (GstIceWsDialect *self, const gchar *list)
{
  g_auto (GStrv) peers = g_strsplit (list, " ", -1);
  gchar **peer;

  for (peer = peers; *peer != NULL; peer++) {
    if (**peer == '\0' || (self->peer && !g_str_equal (*peer, self->peer)))
      continue;
    if (self->peer != NULL)
      gst_ice_ws_dialect_meet (self, *peer, FALSE, TRUE);
    else
      begin (self, *peer);
    return;
  }
}

/* What the peer says, by whatever way it came. */
static void
handle_message (GstIceWsDialect *self, const gchar *peer, const gchar *text)
{
  g_autoptr (GstIceLine) line = NULL;

  if (g_str_equal (text, "OFFER_REQUEST")) {
    if (self->peer == NULL || g_str_equal (self->peer, peer))
      meet (self, peer, TRUE);
    return;
  }
  line = gst_ice_line_parse (text, strlen (text));
  if (line == NULL) {
    gst_ice_ws_dialect_reject (self);
    return;
  }
  if (self->peer == NULL && line->kind == GST_ICE_LINE_DESCRIPTION &&
      g_strcmp0 (line->type, "offer") == 0)
    meet (self, peer, FALSE);
  if (self->peer != NULL && g_str_equal (self->peer, peer))
    gst_ice_ws_dialect_tell (self, g_steal_pointer (&line));
  else
    gst_ice_ws_dialect_reject (self);
}

static void
handle_room_message (GstIceWsDialect *self, const gchar *text)
{
  const gchar *blank = strchr (text, ' ');
  g_autofree gchar *peer = NULL;

  if (blank == NULL) {
    gst_ice_ws_dialect_reject (self);
    return;
  }
  peer = g_strndup (text, blank - text);
  handle_message (self, peer, blank + 1);
}

static const gchar *
after (const gchar *text, const gchar *word)
{
  const gsize size = strlen (word);

  if (strncmp (text, word, size) != 0 ||
      (text[size] != '\0' && text[size] != ' '))
    return NULL;
  return text[size] == ' ' ? text + size + 1 : text + size;
}

static void
simple_receive (GstIceWsDialect *self, const gchar *text, gsize size)
{
  const gchar *rest;

  if (after (text, "HELLO") != NULL)
    handle_hello (self);
  else if (after (text, "SESSION_OK") != NULL && self->place->peer_id != NULL)
    begin (self, self->place->peer_id);
  else if ((rest = after (text, "ROOM_OK")) != NULL)
    handle_room_ok (self, rest);
  else if ((rest = after (text, "ROOM_PEER_MSG")) != NULL)
    handle_room_message (self, rest);
  else if ((rest = after (text, "ROOM_PEER_LEFT")) != NULL) {
    if (g_strcmp0 (rest, self->peer) == 0)
      gst_ice_ws_dialect_part (self, "left");
  } else if ((rest = after (text, "ERROR")) != NULL) {
    if (self->peer == NULL)
      gst_ice_ws_dialect_fail (
          self, "The signalling server says: %.200s", rest);
  } else if (after (text, "ROOM_PEER_JOINED") == NULL &&
      after (text, "ROOM_PEER_LIST") == NULL && !in_room (self)) {
    handle_message (self, self->peer != NULL ? self->peer : "caller", text);
  }
}

static void
simple_description (GstIceWsDialect *self, const gchar *type, const gchar *sdp)
{
  say (self, gst_ice_ws_sdp_text (NULL, type, sdp));
}

static void
simple_candidate (GstIceWsDialect *self, const gchar *mid, guint mline_index,
    const gchar *candidate, const gchar *ufrag)
{
  say (self, gst_ice_ws_ice_text (NULL, mline_index, candidate, ufrag));
}

static void
simple_bye (GstIceWsDialect *self, const gchar *reason)
{
}

const GstIceWsDialectFuncs gst_ice_ws_dialect_simple = {
  .opened = simple_opened,
  .closed = simple_closed,
  .receive = simple_receive,
  .description = simple_description,
  .candidate = simple_candidate,
  .bye = simple_bye,
};
