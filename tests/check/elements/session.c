/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pair.h"

#include <string.h>

static void
test_call (void)
{
  Side a, b;

  wire (&a, &b);
  g_assert_cmpint (session_state (&a), ==, GST_ICE_SESSION_STATE_MEETING);
  connect_sides (&a, &b);
  g_assert_cmpint (session_state (&a), ==, GST_ICE_SESSION_STATE_ESTABLISHED);
  g_assert_cmpint (session_state (&b), ==, GST_ICE_SESSION_STATE_ESTABLISHED);
  g_assert_cmpint (a.n_negotiated, ==, 1);
  g_assert_cmpint (b.n_negotiated, ==, 1);
  unwire (&a, &b);
  g_assert_cmpint (a.n_byes + b.n_byes, ==, 1);
  g_assert_cmpint (a.n_errors + b.n_errors, ==, 0);
}

static void
note_description (
    GstIceSignaller *signaller, const gchar *type, const gchar *sdp, gint *n)
{
  g_atomic_int_inc (n);
}

static void
test_early_messages (void)
{
  gint n_heard = 0;
  Side a, b;

  g_test_summary ("What comes before this side has its caps is kept");
  wire (&a, &b);
  /* After the session, which was there first, has heard it. */
  g_signal_connect_after (
      b.signaller, "description", G_CALLBACK (note_description), &n_heard);
  ready (&a, TRUE);
  ready (&b, FALSE);
  gst_ice_session_set_ready (a.session);
  g_free (next_sent (&a, "offer"));
  /* The offer has come. Nothing may go: an answer needs the caps of b. */
  wait_until (g_atomic_int_get (&n_heard) == 1);
  drain ();
  g_assert_cmpint (g_async_queue_length (b.signaller->sent), ==, 0);
  gst_ice_session_set_ready (b.session);
  wait_until (is_connected (&a) && is_connected (&b));
  unwire (&a, &b);
}

static gboolean
both_ready (gpointer user_data)
{
  Side **sides = user_data;

  ready (sides[0], TRUE);
  ready (sides[1], TRUE);
  return G_SOURCE_REMOVE;
}

static void
test_glare (void)
{
  Side a, b;
  Side *sides[] = { &a, &b };

  g_test_summary ("Both offer; one offer stays");
  for (guint i = 0; i < 10; i++) {
    wire (&a, &b);
    gst_ice_session_set_ready (a.session);
    gst_ice_session_set_ready (b.session);
    drain ();
    g_main_context_invoke (
        gst_ice_signaller_get_main_context (), both_ready, sides);
    wait_until (is_connected (&a) && is_connected (&b));
    drain ();
    g_assert_cmpint (a.n_negotiated, ==, 1);
    g_assert_cmpint (b.n_negotiated, ==, 1);
    g_assert_cmpint (a.n_errors + b.n_errors, ==, 0);
    unwire (&a, &b);
  }
}

static void
test_glare_later (void)
{
  Side a, b;

  g_test_summary ("Both have something new to say at once: both say it");
  wire (&a, &b);
  connect_sides (&a, &b);
  for (gint i = 1; i <= 10; i++) {
    gst_ice_session_renegotiate (a.session);
    gst_ice_session_renegotiate (b.session);
    wait_until (g_atomic_int_get (&a.n_negotiated) >= 1 + 2 * i &&
        g_atomic_int_get (&b.n_negotiated) >= 1 + 2 * i);
  }
  g_assert_cmpint (a.n_errors + b.n_errors, ==, 0);
  unwire (&a, &b);
}

static void
test_renegotiate (void)
{
  Side a, b;
  g_autofree gchar *first = NULL, *second = NULL, *third = NULL;
  g_autofree gchar *u1 = NULL, *u2 = NULL, *u3 = NULL;

  g_test_summary ("Another offer has the same credentials, one for a restart "
                  "new ones, and the path stays");
  wire (&a, &b);
  connect_sides (&a, &b);
  first = next_sent (&a, "offer");
  gst_ice_session_renegotiate (a.session);
  second = next_sent (&a, "offer");
  wait_until (g_atomic_int_get (&a.n_negotiated) == 2);
  gst_ice_session_restart (a.session);
  third = next_sent (&a, "offer");
  wait_until (g_atomic_int_get (&a.n_negotiated) == 3);
  u1 = ufrag_of (first);
  u2 = ufrag_of (second);
  u3 = ufrag_of (third);
  g_assert_cmpstr (u1, ==, u2);
  g_assert_cmpstr (u1, !=, u3);
  wait_until (is_connected (&a) && is_connected (&b));
  unwire (&a, &b);
}

static void
test_next_peer (void)
{
  Side a;
  g_autofree gchar *first = NULL, *second = NULL;
  g_autofree gchar *u1 = NULL, *u2 = NULL;

  g_test_summary ("The next peer gets other credentials than the last one");
  side_init (&a);
  gst_ice_session_set_ready (a.session);
  ready (&a, TRUE);
  first = next_sent (&a, "offer");
  gst_ice_signaller_emit_bye (GST_ICE_SIGNALLER (a.signaller), "seen");
  ready (&a, TRUE);
  second = next_sent (&a, "offer");
  u1 = ufrag_of (first);
  u2 = ufrag_of (second);
  g_assert_cmpstr (u1, !=, u2);
  g_assert_cmpint (a.n_byes, ==, 1);
  side_clear (&a);
}

/* (transfer full) what an agent that does not trickle offers */
static gchar *
offer_without_trickle (void)
{
  g_autoptr (GstIceAgent) agent = gst_ice_agent_new ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "0");
  g_autofree gchar *offer = gst_ice_agent_create_offer (agent, NULL);
  g_autoptr (GString) text = g_string_new (offer);

  g_string_replace (text, "ice2 trickle", "ice2", 0);
  g_assert_null (strstr (text->str, "trickle"));
  gst_ice_agent_close_async (agent, NULL, NULL, NULL);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_no_trickle (void)
{
  Side a;
  g_autofree gchar *offer = offer_without_trickle ();
  g_autofree gchar *answer = NULL;
  GstIceGatheringState state;

  g_test_summary ("Who does not trickle gets an answer with candidates");
  side_init (&a);
  gst_ice_session_set_ready (a.session);
  ready (&a, FALSE);
  gst_ice_signaller_emit_description (
      GST_ICE_SIGNALLER (a.signaller), "offer", offer);
  answer = next_sent (&a, "answer");
  g_assert_nonnull (strstr (answer, "a=candidate:"));
  g_object_get (a.agent, "gathering-state", &state, NULL);
  g_assert_cmpint (state, ==, GST_ICE_GATHERING_STATE_COMPLETE);
  side_clear (&a);
}

static gboolean
note_due (gpointer due)
{
  g_atomic_int_set ((gint *) due, TRUE);
  return G_SOURCE_REMOVE;
}

/* As a timer of that thread: those that were set before for as long are over.
 */
static void
wait_on_service_thread (guint ms)
{
  g_autoptr (GSource) timer = g_timeout_source_new (ms);
  gint due = FALSE;

  g_source_set_callback (timer, note_due, &due, NULL);
  g_source_attach (timer, gst_ice_signaller_get_main_context ());
  wait_until (g_atomic_int_get (&due));
  drain ();
}

static void
test_no_trickle_dead_server (void)
{
  Side a;
  g_autofree gchar *offer = offer_without_trickle ();
  g_autofree gchar *answer = NULL;
  const gint64 start = g_get_monotonic_time ();

  g_test_summary ("A dead server holds that answer up for two seconds at most, "
                  "and a session that goes meanwhile is gone");
  side_init (&a);
  gst_ice_agent_add_server (a.agent, "stun:192.0.2.255", NULL);
  gst_ice_session_set_ready (a.session);
  ready (&a, FALSE);
  gst_ice_signaller_emit_description (
      GST_ICE_SIGNALLER (a.signaller), "offer", offer);
  answer = next_sent (&a, "answer");
  g_assert_cmpint (g_get_monotonic_time () - start, <, 4 * G_TIME_SPAN_SECOND);
  g_assert_nonnull (strstr (answer, "a=candidate:"));
  side_clear (&a);

  side_init (&a);
  gst_ice_agent_add_server (a.agent, "stun:192.0.2.255", NULL);
  gst_ice_session_set_ready (a.session);
  ready (&a, FALSE);
  gst_ice_signaller_emit_description (
      GST_ICE_SIGNALLER (a.signaller), "offer", offer);
  drain ();
  side_clear (&a);
  /* Nothing may come: after the two seconds nobody is called. */
  wait_on_service_thread (2000);
}

/* (transfer full) what @peer answers to the next offer of @self, the end of its
 * candidates left open */
static gchar *
answer_next (Side *self, GstIceAgent *peer)
{
  g_autofree gchar *offer = next_sent (self, "offer");
  g_autoptr (GError) error = NULL;
  g_autofree gchar *answer = NULL;
  GString *text;

  gst_ice_agent_set_remote_description (
      peer, "offer", offer + strlen ("offer "), &error);
  g_assert_no_error (error);
  answer = gst_ice_agent_create_answer (peer, &error);
  g_assert_no_error (error);
  text = g_string_new (answer);
  g_string_replace (text, "a=end-of-candidates\r\n", "", 0);
  return g_string_free (text, FALSE);
}

static guint
count_remote (Side *self)
{
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_request_stream (self->agent, "0");
  g_autoptr (GPtrArray) candidates = NULL;

  drain ();
  candidates = gst_ice_stream_get_remote_candidates (stream);
  return candidates->len;
}

static void
test_late_end (void)
{
  static const gchar line[] = "candidate:77 1 udp 1 192.0.2.77 4000 typ host";
  g_autoptr (GstIceAgent) peer = gst_ice_agent_new ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (peer, "0");
  g_autofree gchar *first = NULL, *second = NULL, *former = NULL;
  g_autofree gchar *present = NULL;
  GstIceSignaller *signaller;
  guint n;
  Side a;

  g_test_summary ("An end of candidates of before our restart, heard while it "
                  "waits for the answer or after, ends nothing (RFC 8838 13)");
  g_object_set (peer, "interfaces", "none", NULL);
  side_init (&a);
  signaller = GST_ICE_SIGNALLER (a.signaller);
  gst_ice_session_set_ready (a.session);
  ready (&a, TRUE);
  first = answer_next (&a, peer);
  former = ufrag_of (first);
  gst_ice_signaller_emit_description (signaller, "answer", first);

  gst_ice_session_restart (a.session);
  second = answer_next (&a, peer);
  present = ufrag_of (second);
  g_assert_cmpstr (former, !=, present);
  gst_ice_signaller_emit_candidate (signaller, "0", 0, "", former);
  gst_ice_signaller_emit_description (signaller, "answer", second);
  gst_ice_signaller_emit_candidate (signaller, NULL, 0, "", former);
  n = count_remote (&a);
  gst_ice_signaller_emit_candidate (signaller, "0", 0, line, present);
  g_assert_cmpuint (count_remote (&a), ==, n + 1);
  gst_ice_signaller_emit_candidate (signaller, "0", 0, "", present);
  gst_ice_signaller_emit_candidate (signaller, "0", 0,
      "candidate:78 1 udp 1 192.0.2.78 4000 typ host", present);
  g_assert_cmpuint (count_remote (&a), ==, n + 1);
  side_clear (&a);
  gst_ice_agent_close_async (peer, NULL, NULL, NULL);
}

static void
test_nonsense (void)
{
  static const gchar *const nonsense[] = { "", "v=0", "m=", "v=0\r\nm=audio",
    "\xc3\xa4", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nm=audio 9 x 1\r\n" };
  Side a, b;
  GstIceSignaller *signaller;

  g_test_summary ("A peer that talks nonsense is told to the application, and "
                  "one that talks sense afterwards is heard");
  wire (&a, &b);
  signaller = GST_ICE_SIGNALLER (b.signaller);
  gst_ice_session_set_ready (b.session);
  ready (&b, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (nonsense); i++) {
    gst_ice_signaller_emit_description (signaller, "offer", nonsense[i]);
    gst_ice_signaller_emit_description (signaller, "answer", nonsense[i]);
    gst_ice_signaller_emit_description (signaller, "what", nonsense[i]);
    gst_ice_signaller_emit_candidate (
        signaller, i % 2 ? "0" : NULL, i, nonsense[i], "u");
  }
  drain ();
  g_assert_cmpint (b.n_errors, >, 0);
  /* The answers to what was taken are not for a. */
  drain ();
  ready (&a, TRUE);
  gst_ice_session_set_ready (a.session);
  wait_until (is_connected (&a) && is_connected (&b));
  unwire (&a, &b);
}

/* (transfer full) an offer of @n sections, or one that is @size long */
static gchar *
large_offer (guint n, gsize size)
{
  GString *sdp = g_string_new ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
                               "t=0 0\r\na=ice-ufrag:abcd\r\n"
                               "a=ice-pwd:0123456789012345678901\r\n");

  for (guint i = 0; i < n; i++)
    g_string_append_printf (
        sdp, "m=audio 9 RTP/AVP 0\r\na=mid:%u\r\na=rtcp-mux\r\n", i);
  while (sdp->len < size)
    g_string_append (sdp, "a=x-padding:0123456789\r\n");
  return g_string_free (sdp, FALSE);
}

static void
test_hostile (void)
{
  static const gchar *const lines[] = {
    "candidate:1 1 udp 1 192.0.2.1 5 typ host\r\na=evil:1",
    "candidate:1 1 udp 1 192.0.2.1 5 typ host evil a\nb",
    "candidate:1\r\na=evil 1 udp 1 192.0.2.1 5 typ host",
    "candidate:1 1 udp 1 evil\r\n.local 5 typ host",
    "a=evil:1",
    "evil",
  };
  g_autofree gchar *sections = large_offer (65, 0);
  g_autofree gchar *size = large_offer (1, 64 * 1024 + 1);
  g_autofree gchar *good = large_offer (64, 0);
  g_autofree gchar *answer = NULL;
  g_auto (GStrv) said = NULL;
  GstIceSignaller *signaller;
  Side a;

  g_test_summary (
      "3.23, 3.26: what is said is bounded, and nothing that a peer "
      "says makes a line of ours");
  side_init (&a);
  signaller = GST_ICE_SIGNALLER (a.signaller);
  gst_ice_session_set_ready (a.session);
  ready (&a, FALSE);
  gst_ice_signaller_emit_description (signaller, "offer", sections);
  expect_heard (&a,
      "error 3 The session description has 65 m-lines, more than "
      "64");
  gst_ice_signaller_emit_description (signaller, "offer", size);
  expect_heard (
      &a, "error 3 The session description is larger than 65536 bytes");
  for (guint i = 0; i < 10000; i++) {
    const gchar *line = lines[i % G_N_ELEMENTS (lines)];

    gst_ice_signaller_emit_candidate (
        signaller, i % 2 ? line : "0", i, line, i % 3 ? line : NULL);
  }
  gst_ice_signaller_emit_description (signaller, "offer", good);
  answer = next_sent (&a, "answer");
  g_assert_null (strstr (answer, "evil"));
  said = g_strsplit (answer + strlen ("answer "), "\r\n", -1);
  for (guint i = 0; said[i] != NULL && *said[i] != '\0'; i++)
    g_assert_true (g_ascii_isalpha (said[i][0]) && said[i][1] == '=');
  g_assert_cmpuint (count_remote (&a), ==, 0);
  side_clear (&a);
}

static void
test_dropped (void)
{
  Side a;
  TestSignaller *signaller;

  g_test_summary (
      "A session that is dropped without a bye stops its signaller");
  side_init (&a);
  gst_ice_session_set_ready (a.session);
  ready (&a, TRUE);
  g_free (next_sent (&a, "offer"));
  drain ();
  signaller = g_object_ref (a.signaller);
  gst_object_unref (a.session);
  drain ();
  wait_until (g_atomic_int_get (&signaller->stopped));
  gst_ice_signaller_emit_bye (GST_ICE_SIGNALLER (signaller), "late");
  drain ();
  g_object_unref (signaller);
  g_object_unref (a.signaller);
  gst_object_unref (a.agent);
  g_async_queue_unref (a.heard);
}

static void
test_start_twice (void)
{
  Side a;
  g_autoptr (GError) error = NULL;

  side_init (&a);
  g_assert_false (
      gst_ice_session_start (a.session, GST_ICE_SIGNALLER_ROLE_AUTO, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE);
  side_clear (&a);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/call", test_call);
  g_test_add_func ("/session/early-messages", test_early_messages);
  g_test_add_func ("/session/glare", test_glare);
  g_test_add_func ("/session/glare/later", test_glare_later);
  g_test_add_func ("/session/renegotiate", test_renegotiate);
  g_test_add_func ("/session/next-peer", test_next_peer);
  g_test_add_func ("/session/no-trickle", test_no_trickle);
  g_test_add_func (
      "/session/no-trickle/dead-server", test_no_trickle_dead_server);
  g_test_add_func ("/session/late-end", test_late_end);
  g_test_add_func ("/session/nonsense", test_nonsense);
  g_test_add_func ("/session/hostile", test_hostile);
  g_test_add_func ("/session/dropped", test_dropped);
  g_test_add_func ("/session/start-twice", test_start_twice);
  return g_test_run ();
}
