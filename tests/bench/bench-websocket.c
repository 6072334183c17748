/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much a signalling server holds: peers that wait, and calls set up beside
 * them.
 *
 *   bench-websocket HOST PORT [IDLE CALLS_PER_SECOND SECONDS] [FINGERPRINT]
 *
 * A call is two connections to a new room, hello and ready, an offer and an
 * answer of 3 kB, five candidates each way, and bye. It is set up when the
 * offerer has the answer and the last candidate. bench-websocket.py starts the
 * server and looks at what it uses. */
#include "ext/websocket/wsconn.h"
#include "ext/websocket/wsdial.h"
#include "ext/websocket/wsdialect.h"

#include <stdlib.h>
#include <string.h>

#define N_CANDIDATES 5
#define SDP_SIZE 3000
#define CANDIDATE "candidate:1 1 UDP 2122252543 192.0.2.1 61764 typ host"

typedef struct
{
  GMainLoop *loop;
  GstIceWsPoller *poller;
  GstIceWsPlace *place; /* (owned) without a room */
  guint n_idle, n_idle_open, rate, seconds;
  guint n_started, n_done, n_failed, n_open;
  GArray *times; /* of calls, in microseconds */
  gchar *sdp;
  gboolean calling;
  gint64 started_at;
} Bench;

typedef struct _Call Call;

typedef struct
{
  Bench *bench;
  Call *call; /* (nullable) it waits */
  GstIceWsDialect *dialect;
  GstIceWsConn *conn;
  guint n_candidates;
  gboolean described, leaving;
} Side;

struct _Call
{
  gint64 started_at;
  guint n_sides; /* still there */
  gboolean done;
};

static void start_calling (Bench *bench);

static void
side_free (Side *side)
{
  Bench *bench = side->bench;

  if (side->call != NULL) {
    bench->n_failed += !side->call->done && side->call->n_sides == 2;
    if (--side->call->n_sides == 0)
      g_free (side->call);
  } else {
    bench->n_failed++;
  }
  bench->n_open--;
  g_clear_pointer (&side->conn, gst_ice_ws_conn_free);
  gst_ice_ws_dialect_free (side->dialect);
  g_free (side);
}

static void
say_candidates (Side *side)
{
  guint i;

  for (i = 0; i < N_CANDIDATES; i++)
    gst_ice_ws_dialect_candidate (side->dialect, "0", 0, CANDIDATE, "EsAw");
}

static void
take_line (Side *side, const GstIceLine *line)
{
  Call *call = side->call;
  gint64 took;

  if (line->kind == GST_ICE_LINE_CANDIDATE) {
    side->n_candidates++;
  } else if (line->kind == GST_ICE_LINE_DESCRIPTION) {
    side->described = TRUE;
    if (g_str_equal (line->type, "offer")) {
      gst_ice_ws_dialect_description (
          side->dialect, "answer", side->bench->sdp);
      say_candidates (side);
      return;
    }
  }
  if (side->n_candidates < N_CANDIDATES || !side->described || call->done)
    return;
  /* The answerer has them first; the offerer's last is the end. */
  if (g_strcmp0 (line->type, "answer") != 0 && !side->leaving)
    return;
  took = g_get_monotonic_time () - call->started_at;
  g_array_append_val (side->bench->times, took);
  side->bench->n_done++;
  call->done = TRUE;
}

static void
pump (Side *side)
{
  GstIceWsNews *news;

  while ((news = gst_ice_ws_dialect_take (side->dialect)) != NULL) {
    if (news->kind == GST_ICE_WS_NEWS_SEND && side->conn != NULL) {
      gst_ice_ws_conn_send (side->conn, news->text);
    } else if (news->kind == GST_ICE_WS_NEWS_READY && news->yes &&
        side->call != NULL) {
      side->leaving = TRUE;
      gst_ice_ws_dialect_description (side->dialect, "offer", side->bench->sdp);
      say_candidates (side);
    } else if (news->kind == GST_ICE_WS_NEWS_LINE && side->call != NULL) {
      take_line (side, news->line);
    }
    gst_ice_ws_news_free (news);
  }
  if (side->call != NULL && side->call->done && side->conn != NULL)
    gst_ice_ws_conn_close (side->conn, GST_ICE_WS_NORMAL, NULL);
}

static void
on_text (GstIceWsConn *conn, const gchar *text, gsize size, gpointer user_data)
{
  Side *side = user_data;

  gst_ice_ws_dialect_receive (side->dialect, text, size);
  pump (side);
}

static void
on_closed (
    GstIceWsConn *conn, guint code, const gchar *reason, gpointer user_data)
{
  side_free (user_data);
}

static void
on_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  static const GstIceWsConnFuncs funcs = { on_text, on_closed };
  Side *side = user_data;
  Bench *bench = side->bench;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) leftover = NULL;
  g_autoptr (GSocket) socket = NULL;
  gboolean retry;
  g_autoptr (GIOStream) stream =
      gst_ice_ws_dial_finish (result, &socket, &leftover, &retry, &error);

  bench->n_open++;
  if (stream == NULL) {
    g_printerr ("%s\n", error->message);
    side_free (side);
    return;
  }
  side->conn = gst_ice_ws_conn_new (
      bench->poller, stream, socket, TRUE, leftover, &funcs, side);
  gst_ice_ws_dialect_opened (side->dialect);
  pump (side);
  if (side->call == NULL && ++bench->n_idle_open == bench->n_idle)
    start_calling (bench);
}

static void
dial (Bench *bench, Call *call, const gchar *room)
{
  g_autoptr (GstIceWsPlace) place = gst_ice_ws_place_copy (bench->place);
  g_autofree gchar *key = g_uuid_string_random ();
  Side *side = g_new0 (Side, 1);

  g_free (place->path);
  place->path = g_strconcat ("/", room, NULL);
  side->bench = bench;
  side->call = call;
  side->dialect =
      gst_ice_ws_dialect_new (place, GST_ICE_SIGNALLER_ROLE_AUTO, key);
  gst_ice_ws_dial_async (place, 20000, NULL, on_dialled, side);
}

static gboolean
on_call (gpointer user_data)
{
  Bench *bench = user_data;
  const gint64 passed = g_get_monotonic_time () - bench->started_at;
  const guint due = MIN (
      passed * bench->rate / G_TIME_SPAN_SECOND, bench->rate * bench->seconds);

  while (bench->n_started < due) {
    g_autofree gchar *room = g_strdup_printf ("call%u", bench->n_started++);
    Call *call = g_new0 (Call, 1);

    call->started_at = g_get_monotonic_time ();
    call->n_sides = 2;
    dial (bench, call, room);
    dial (bench, call, room);
  }
  /* The last have a few seconds more. */
  if (bench->n_done + bench->n_failed >= bench->rate * bench->seconds ||
      passed > (bench->seconds + 10) * G_TIME_SPAN_SECOND)
    g_main_loop_quit (bench->loop);
  return G_SOURCE_CONTINUE;
}

static void
start_calling (Bench *bench)
{
  if (bench->calling)
    return;
  bench->calling = TRUE;
  g_print ("%u peers wait\n", bench->n_idle);
  bench->started_at = g_get_monotonic_time ();
  g_timeout_add (5, on_call, bench);
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  const gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static gdouble
percentile (GArray *times, guint percent)
{
  const guint at = MIN (times->len * percent / 100, times->len - 1);

  return g_array_index (times, gint64, at) / 1000.0;
}

static void
report (Bench *bench)
{
  const gdouble seconds = (g_get_monotonic_time () - bench->started_at) /
      (gdouble) G_TIME_SPAN_SECOND;

  g_array_sort (bench->times, compare_times);
  g_print ("%u of %u calls set up in %.1f s (%.0f a second), %u failed\n",
      bench->n_done, bench->rate * bench->seconds, seconds,
      bench->n_done / seconds, bench->n_failed);
  if (bench->times->len > 0)
    g_print ("setting up took median %.1f ms, p95 %.1f ms, max %.1f ms\n",
        percentile (bench->times, 50), percentile (bench->times, 95),
        percentile (bench->times, 100));
}

int
main (int argc, char **argv)
{
  Bench bench = { .n_idle = 2000, .rate = 200, .seconds = 10 };
  guint i;

  gst_init (NULL, NULL);
  if (argc < 3) {
    g_printerr ("see the head of bench-websocket.c\n");
    return 2;
  }
  bench.place = gst_ice_ws_place_new ();
  bench.place->host = g_strdup (argv[1]);
  bench.place->port = atoi (argv[2]);
  if (argc > 5) {
    bench.n_idle = atoi (argv[3]);
    bench.rate = atoi (argv[4]);
    bench.seconds = atoi (argv[5]);
  }
  if (argc > 6) {
    bench.place->tls = TRUE;
    bench.place->fingerprint = gst_ice_ws_parse_fingerprint (argv[6]);
  }
  bench.poller = gst_ice_ws_poller_new ();
  bench.loop = g_main_loop_new (NULL, FALSE);
  bench.times = g_array_new (FALSE, FALSE, sizeof (gint64));
  bench.sdp = g_strnfill (SDP_SIZE, 'x');
  for (i = 0; i < bench.n_idle; i++) {
    g_autofree gchar *room = g_strdup_printf ("idle%u", i);

    dial (&bench, NULL, room);
  }
  if (bench.n_idle == 0)
    start_calling (&bench);
  g_main_loop_run (bench.loop);
  report (&bench);
  return bench.n_failed == 0 && bench.n_done == bench.rate * bench.seconds ? 0
                                                                           : 1;
}
