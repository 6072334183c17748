/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What strangers may say to a signalling server, and a server to us. The first
 * byte says who is spoken to:
 *
 *   f, F  frames from a server, from a client
 *   h     a script for the rooms of a server, a line each:
 *         jDROOM (a peer of dialect D, 0 to 3, joins), l0 to l7 (it leaves),
 *         L0 (it is lost), t (time passes), and 0TEXT (it says so)
 *   d     dialect, then a script for a client: o, c (open, closed), s, i, b
 *         (we describe, have a candidate, say bye), and >TEXT of the server
 *   a     the answer to an upgrade
 *   u     a URI */
#include "ext/websocket/wsdial.h"
#include "ext/websocket/wsdialect.h"
#include "ext/websocket/wsframe.h"
#include "ext/websocket/wshub.h"
#include "ext/websocket/wsplace.h"
#include "target.h"

#include <string.h>

#define N_PEERS 8

static guint
count_messages (const guint8 *data, gsize size, gsize step, gboolean masked)
{
  GstIceWsReader reader;
  GstIceWsMessage message;
  GstIceWsReadStatus status = GST_ICE_WS_READ_MORE;
  guint n = 0;
  gsize at;

  gst_ice_ws_reader_init (&reader, masked);
  for (at = 0; at < size && status != GST_ICE_WS_READ_FAILED; at += step) {
    gst_ice_ws_reader_push (&reader, data + at, MIN (step, size - at));
    while ((status = gst_ice_ws_reader_pop (&reader, &message)) ==
        GST_ICE_WS_READ_MESSAGE) {
      g_assert_cmpuint (message.size, <=, GST_ICE_WS_MAX_MESSAGE);
      g_assert_cmpint (message.text[message.size], ==, '\0');
      if (message.opcode == GST_ICE_WS_TEXT)
        g_assert_true (g_utf8_validate (message.text, message.size, NULL));
      n++;
    }
  }
  gst_ice_ws_reader_clear (&reader);
  return n;
}

/* In which pieces they come makes no difference. */
static void
run_frames (const guint8 *data, gsize size, gboolean masked)
{
  if (size > 0)
    g_assert_cmpuint (count_messages (data, size, size, masked), ==,
        count_messages (data, size, 3, masked));
}

typedef struct
{
  guint id; /* 0: nobody */
  gchar *room;
} Peer;

/* Nothing is said in a room that nobody of it, or of its server, said. */
static void
take_outputs (GstIceWsHub *hub, Peer *peers, const Peer *speaker)
{
  GstIceWsHubOutput *output;
  guint i;

  while ((output = gst_ice_ws_hub_take (hub)) != NULL) {
    if (output->text != NULL)
      g_assert_true (g_utf8_validate (output->text, -1, NULL));
    for (i = 0; i < N_PEERS && speaker != NULL; i++)
      if (peers[i].id == output->peer)
        g_assert_cmpstr (peers[i].room, ==, speaker->room);
    gst_ice_ws_hub_output_free (output);
  }
}

static void
leave (GstIceWsHub *hub, Peer *peer, gboolean clean, gint64 now)
{
  if (peer->id == 0)
    return;
  gst_ice_ws_hub_leave (hub, peer->id, clean, now);
  peer->id = 0;
}

static void
join (GstIceWsHub *hub, Peer *peers, const gchar *line, gint64 now)
{
  guint i;

  for (i = 0; i < N_PEERS && peers[i].id != 0; i++)
    ;
  if (i == N_PEERS || *line < '0' || *line > '3')
    return;
  g_free (peers[i].room);
  peers[i].room = g_strdup (line + 1);
  peers[i].id = gst_ice_ws_hub_join (hub, line + 1, *line - '0', now);
}

static void
run_hub_line (GstIceWsHub *hub, Peer *peers, const gchar *line, gint64 *now)
{
  const guint index =
      line[0] != '\0' && line[1] >= '0' && line[1] <= '7' ? line[1] - '0' : 0;
  Peer *speaker = NULL;

  if (*line == 'j') {
    join (hub, peers, line + 1, *now);
  } else if (*line == 'l' || *line == 'L') {
    speaker = &peers[index];
    leave (hub, speaker, *line == 'l', *now);
  } else if (*line == 't') {
    *now += 500 * G_TIME_SPAN_MILLISECOND;
    gst_ice_ws_hub_timeout (hub, *now);
  } else if (*line >= '0' && *line <= '7') {
    speaker = &peers[*line - '0'];
    if (speaker->id != 0)
      gst_ice_ws_hub_receive (
          hub, speaker->id, line + 1, strlen (line + 1), *now);
  }
  take_outputs (hub, peers, speaker);
  g_assert_cmpint (gst_ice_ws_hub_get_deadline (hub), >=, -1);
}

static void
run_hub (const gchar *script)
{
  g_autoptr (GstIceWsHub) hub = gst_ice_ws_hub_new (&gst_ice_ws_default_limits);
  g_auto (GStrv) lines = g_strsplit (script, "\n", 400);
  Peer peers[N_PEERS] = { 0 };
  GstIceWsHubStats stats;
  gint64 now = G_TIME_SPAN_SECOND;
  guint i;

  for (i = 0; lines[i] != NULL; i++)
    run_hub_line (hub, peers, lines[i], &now);

  /* When all have left, and time has passed, nothing is left of them. */
  for (i = 0; i < N_PEERS; i++) {
    leave (hub, &peers[i], i % 2 == 0, now);
    g_free (peers[i].room);
  }
  for (i = 0; i < 30; i++)
    gst_ice_ws_hub_timeout (hub, now += G_TIME_SPAN_SECOND);
  gst_ice_ws_hub_get_stats (hub, &stats);
  g_assert_cmpuint (stats.n_peers, ==, 0);
  g_assert_cmpuint (stats.n_rooms, ==, 0);
  g_assert_cmpint (gst_ice_ws_hub_get_deadline (hub), ==, -1);
}

static void
take_news (GstIceWsDialect *dialect, gboolean *there)
{
  GstIceWsNews *news;

  while ((news = gst_ice_ws_dialect_take (dialect)) != NULL) {
    if (news->text != NULL)
      g_assert_true (g_utf8_validate (news->text, -1, NULL));
    /* Who is there says something, and who came leaves before it comes. */
    if (news->kind == GST_ICE_WS_NEWS_PEER) {
      g_assert_cmpint (*there, !=, news->yes);
      *there = news->yes;
    }
    if (news->kind == GST_ICE_WS_NEWS_LINE ||
        news->kind == GST_ICE_WS_NEWS_READY)
      g_assert_true (*there);
    gst_ice_ws_news_free (news);
  }
}

static void
run_dialect_line (GstIceWsDialect *dialect, const gchar *line, gboolean *there)
{
  switch (*line) {
    case 'o':
      gst_ice_ws_dialect_opened (dialect);
      break;
    case 'c':
      gst_ice_ws_dialect_closed (dialect, line[1] == '1');
      break;
    case 's':
      gst_ice_ws_dialect_description (
          dialect, line[1] == 'o' ? "offer" : "answer", "v=0\r\n");
      break;
    case 'i':
      gst_ice_ws_dialect_candidate (dialect, "0", 0, line + 1, "EsAw");
      break;
    case 'b':
      gst_ice_ws_dialect_bye (dialect, "eos");
      *there = FALSE;
      break;
    case '>':
      gst_ice_ws_dialect_receive (dialect, line + 1, strlen (line + 1));
      break;
    default:
      break;
  }
  take_news (dialect, there);
}

static void
run_dialect (const gchar *script)
{
  g_autoptr (GstIceWsPlace) place = gst_ice_ws_place_new ();
  g_auto (GStrv) lines = g_strsplit (script, "\n", 400);
  g_autoptr (GstIceWsDialect) dialect = NULL;
  gboolean there = FALSE;
  guint i;

  place->dialect = *script % 3;
  place->room = g_strdup ("cam");
  place->peer_id = *script & 0x10 ? g_strdup ("peer") : NULL;
  dialect = gst_ice_ws_dialect_new (place,
      *script & 0x20 ? GST_ICE_SIGNALLER_ROLE_ANSWER
                     : GST_ICE_SIGNALLER_ROLE_AUTO,
      "0123456789abcdef");
  for (i = 1; lines[0] != NULL && lines[i] != NULL; i++)
    run_dialect_line (dialect, lines[i], &there);
}

static void
run_answer (const gchar *text)
{
  g_autoptr (GError) error = NULL;
  gboolean retry;

  if (!gst_ice_ws_check_answer (
          text, "dGhlIHNhbXBsZSBub25jZQ==", "host:1", &retry, &error))
    g_assert_nonnull (error);
}

static void
run_uri (const gchar *text)
{
  g_autoptr (GstIceWsPlace) place = gst_ice_ws_place_new ();
  g_autoptr (GError) error = NULL;

  if (gst_ice_ws_place_parse (place, text, &error)) {
    g_autofree gchar *authority = gst_ice_ws_place_authority (place);

    g_assert_null (strpbrk (place->path, " \r\n"));
    g_assert_null (strpbrk (authority, " \r\n"));
  } else {
    g_assert_nonnull (error);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree gchar *text = NULL;

  if (size < 2)
    return 0;
  if (*data == 'f' || *data == 'F') {
    run_frames (data + 1, size - 1, *data == 'F');
    return 0;
  }
  text = g_strndup ((const gchar *) data + 1, size - 1);
  if (!g_utf8_validate (text, -1, NULL))
    return 0;
  if (*data == 'h')
    run_hub (text);
  else if (*data == 'd')
    run_dialect (text);
  else if (*data == 'a')
    run_answer (text);
  else if (*data == 'u')
    run_uri (text);
  return 0;
}
