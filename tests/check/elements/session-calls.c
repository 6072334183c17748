/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What calling needs beside an offer and an answer: to decline, to hold, to
 * change, and to hear what went wrong over there. */
#include "pair.h"

#include <string.h>

#define VP8                                                                    \
  "application/x-rtp, media=video, encoding-name=VP8, clock-rate=90000, "      \
  "payload=(int)97"

static void
set_caps (Side *self, const gchar *send, const gchar *receive)
{
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_request_stream (self->agent, "0");
  g_autoptr (GstCaps) a = send != NULL ? gst_caps_from_string (send) : NULL;
  g_autoptr (GstCaps) b =
      receive != NULL ? gst_caps_from_string (receive) : NULL;

  gst_ice_stream_set_caps (stream, a, b);
}

static GstIceDirection
direction (Side *self, const gchar *mid)
{
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_request_stream (self->agent, mid);
  GstIceDirection current;

  g_object_get (stream, "current-direction", &current, NULL);
  return current;
}

static gboolean
is_flag (Side *self, const gchar *name)
{
  gboolean value;

  g_object_get (self->session, name, &value, NULL);
  return value;
}

static void
assert_reason (Side *self, const gchar *expected)
{
  g_autofree gchar *reason = NULL;

  g_object_get (self->session, "reason", &reason, NULL);
  g_assert_cmpstr (reason, ==, expected);
}

static void
wait_negotiated (Side *self, gint n)
{
  wait_until (g_atomic_int_get (&self->n_negotiated) >= n);
}

/* a calls, b rings. */
static void
ring (Side *a, Side *b)
{
  wire (a, b);
  g_object_set (b->session, "auto-accept", FALSE, NULL);
  ready (a, TRUE);
  ready (b, FALSE);
  gst_ice_session_set_ready (a->session);
  gst_ice_session_set_ready (b->session);
  expect_heard (b, "incoming first");
}

static void
test_accept (void)
{
  Side a, b;

  g_test_summary ("An offer waits for the application, candidates with it");
  ring (&a, &b);
  wait_until (g_atomic_int_get (&a.signaller->n_candidates) > 0);
  drain ();
  g_assert_cmpint (session_state (&b), ==, GST_ICE_SESSION_STATE_NEGOTIATING);
  g_assert_cmpint (g_async_queue_length (b.signaller->sent), ==, 0);
  gst_ice_session_accept (b.session);
  wait_until (is_connected (&a) && is_connected (&b));
  g_assert_cmpint (session_state (&b), ==, GST_ICE_SESSION_STATE_ESTABLISHED);
  /* Too late, and no harm. */
  gst_ice_session_accept (b.session);
  gst_ice_session_reject (b.session, "busy", NULL);
  drain ();
  g_assert_cmpint (a.n_errors + b.n_errors, ==, 0);
  unwire (&a, &b);
}

static void
test_offer_before_ready (void)
{
  Side a, b;

  g_test_summary ("An offer that comes before the news of its peer rings on");
  wire (&a, &b);
  g_object_set (b.session, "auto-accept", FALSE, NULL);
  gst_ice_session_set_ready (b.session);
  ready (&a, TRUE);
  gst_ice_session_set_ready (a.session);
  expect_heard (&b, "incoming first");
  ready (&b, FALSE);
  drain ();
  g_assert_cmpint (session_state (&b), ==, GST_ICE_SESSION_STATE_NEGOTIATING);
  gst_ice_session_accept (b.session);
  wait_until (is_connected (&a) && is_connected (&b));
  unwire (&a, &b);
}

static void
test_reject (void)
{
  g_autofree gchar *first = NULL, *second = NULL;
  g_autofree gchar *u1 = NULL, *u2 = NULL;
  Side a, b;

  g_test_summary ("Who declines is no peer; the next call is another one");
  ring (&a, &b);
  gst_ice_session_reject (b.session, "busy", "in another call");
  expect_heard (&a, "rejected busy: in another call");
  expect_heard (&a, "error 18 The peer declines the session: in another call");
  drain ();
  g_assert_cmpint (session_state (&a), ==, GST_ICE_SESSION_STATE_MEETING);
  g_assert_cmpint (session_state (&b), ==, GST_ICE_SESSION_STATE_MEETING);
  assert_reason (&a, "busy");
  assert_reason (&b, "busy");
  first = next_sent (&a, "offer");

  ready (&a, TRUE);
  expect_heard (&b, "incoming first");
  second = next_sent (&a, "offer");
  u1 = ufrag_of (first);
  u2 = ufrag_of (second);
  g_assert_cmpstr (u1, !=, u2);
  gst_ice_session_accept (b.session);
  wait_until (is_connected (&a) && is_connected (&b));
  unwire (&a, &b);
}

static void
reject_in_handler (
    GstIceSession *session, const gchar *sdp, gboolean first, gpointer unused)
{
  if (!first)
    gst_ice_session_reject (session, "declined", NULL);
}

static void
test_reject_modify (void)
{
  Side a, b;

  g_test_summary (
      "RFC 3264 8: a change that is declined leaves the session as it was");
  wire (&a, &b);
  connect_sides (&a, &b);
  g_free (g_async_queue_timeout_pop (b.heard, TIMEOUT));
  g_signal_connect (
      b.session, "incoming", G_CALLBACK (reject_in_handler), NULL);
  gst_ice_session_hold (a.session);
  expect_heard (&b, "incoming");
  expect_heard (&a, "rejected declined");
  drain ();
  g_assert_false (is_flag (&a, "holding"));
  g_assert_cmpint (session_state (&a), ==, GST_ICE_SESSION_STATE_ESTABLISHED);
  g_assert_cmpint (session_state (&b), ==, GST_ICE_SESSION_STATE_ESTABLISHED);
  g_assert_cmpint (direction (&b, "0"), ==, GST_ICE_DIRECTION_SENDRECV);
  g_assert_cmpint (a.n_errors + b.n_errors, ==, 0);
  g_assert_true (is_connected (&a) && is_connected (&b));
  /* The way back is open, also for the other. */
  gst_ice_session_renegotiate (b.session);
  wait_negotiated (&a, 2);
  unwire (&a, &b);
}

/* While the offer is out its maker learns that the network has changed. */
static void
decline_once (
    GstIceSession *session, const gchar *sdp, gboolean first, gpointer offerer)
{
  gst_ice_session_restart (offerer);
  gst_ice_session_reject (session, "declined", NULL);
  g_signal_handlers_disconnect_by_func (session, decline_once, offerer);
}

static void
test_reject_keeps_wishes (void)
{
  g_autofree gchar *declined = NULL, *next = NULL;
  g_autofree gchar *u1 = NULL, *u2 = NULL;
  Side a, b;

  g_test_summary ("A restart that was asked for after the declined offer was "
                  "made is offered then");
  wire (&a, &b);
  connect_sides (&a, &b);
  g_free (next_sent (&a, "offer"));
  g_signal_connect (
      b.session, "incoming", G_CALLBACK (decline_once), a.session);
  gst_ice_session_renegotiate (a.session);
  declined = next_sent (&a, "offer");
  next = next_sent (&a, "offer");
  u1 = ufrag_of (declined);
  u2 = ufrag_of (next);
  g_assert_cmpstr (u1, !=, u2);
  wait_negotiated (&a, 2);
  g_assert_cmpint (a.n_errors + b.n_errors, ==, 0);
  unwire (&a, &b);
}

static void
say_bye (GstIceSession *session, const gchar *offer, gpointer unused)
{
  gst_ice_session_bye (session, "changed my mind");
}

static void
test_bye_in_prepare (gconstpointer is_answerer)
{
  Side a, b;
  Side *ender = is_answerer ? &b : &a;

  g_test_summary ("A handler of prepare may end the session: it stays ended");
  wire (&a, &b);
  g_signal_connect (ender->session, "prepare", G_CALLBACK (say_bye), NULL);
  ready (&a, TRUE);
  ready (&b, FALSE);
  gst_ice_session_set_ready (b.session);
  gst_ice_session_set_ready (a.session);
  wait_until (session_state (ender) == GST_ICE_SESSION_STATE_ENDED);
  drain ();
  g_assert_cmpint (session_state (ender), ==, GST_ICE_SESSION_STATE_ENDED);
  g_assert_cmpint (g_async_queue_length (ender->signaller->sent), ==, 0);
  g_assert_cmpint (ender->n_errors, ==, 0);
  unwire (&a, &b);
}

static void
test_not_acceptable (void)
{
  g_autofree gchar *heard = NULL;
  Side a, b;

  g_test_summary ("An offer that fits nothing is rejected with the reason");
  wire (&a, &b);
  {
    g_autoptr (GstIceStream) stream =
        gst_ice_agent_request_stream (b.agent, "0");

    gst_ice_agent_remove_stream (b.agent, stream);
    gst_object_unref (gst_ice_agent_request_stream (b.agent, "video"));
  }
  ready (&a, TRUE);
  ready (&b, FALSE);
  gst_ice_session_set_ready (a.session);
  gst_ice_session_set_ready (b.session);
  heard = g_async_queue_timeout_pop (a.heard, TIMEOUT);
  g_assert_true (g_str_has_prefix (
      heard, "rejected not-acceptable: No stream here has the name"));
  drain ();
  g_assert_cmpint (b.n_errors, ==, 1);
  g_assert_cmpint (a.n_errors, ==, 1);
  g_assert_cmpint (session_state (&b), ==, GST_ICE_SESSION_STATE_MEETING);
  unwire (&a, &b);
}

static void
test_peer_error (void)
{
  Side a, b;
  GstIceSignaller *signaller;

  g_test_summary ("An answer that is none is reported to who made it, and what "
                  "a stranger reports is one line");
  wire (&a, &b);
  signaller = GST_ICE_SIGNALLER (a.signaller);
  ready (&a, TRUE);
  gst_ice_session_set_ready (a.session);
  g_free (next_sent (&a, "offer"));
  gst_ice_signaller_emit_description (signaller, "answer", "nonsense");
  expect_heard (&b,
      "error 19 The peer reports an error: A session description "
      "begins with \"v=0\"");
  g_free (g_async_queue_timeout_pop (a.heard, TIMEOUT));
  gst_ice_signaller_emit_peer_error (signaller,
      "\033[31mred\r\nline\302\233 \342\200\256turned \377"
      "\342\200\250next");
  expect_heard (&a,
      "error 19 The peer reports an error:  [31mred  line   "
      "turned \357\277\275 next");
  gst_ice_signaller_emit_rejected (signaller, "", "x\ny");
  expect_heard (&a, "rejected declined: x y");
  unwire (&a, &b);
}

static void
test_long_text (void)
{
  Side a;
  g_autofree gchar *text = g_strnfill (100000, 'a');
  g_autofree gchar *heard = NULL;

  g_test_summary ("What a stranger says is cut");
  side_init (&a);
  gst_ice_session_set_ready (a.session);
  ready (&a, TRUE);
  g_free (next_sent (&a, "offer"));
  gst_ice_signaller_emit_bye (GST_ICE_SIGNALLER (a.signaller), text);
  heard = g_async_queue_timeout_pop (a.heard, TIMEOUT);
  g_assert_cmpuint (strlen (heard), ==, 4 + GST_ICE_SIGNALLER_MAX_TEXT);
  side_clear (&a);
}

static void
test_reason (void)
{
  Side a, b;

  g_test_summary ("Both know why it is over");
  wire (&a, &b);
  connect_sides (&a, &b);
  gst_ice_session_bye (a.session, "lunch");
  drain ();
  g_assert_cmpint (session_state (&a), ==, GST_ICE_SESSION_STATE_ENDED);
  assert_reason (&a, "lunch");
  assert_reason (&b, "lunch");
  g_assert_cmpint (b.n_byes, ==, 1);
  unwire (&a, &b);
}

static void
assert_line (const gchar *sdp, const gchar *line)
{
  g_autofree gchar *whole = g_strconcat (line, "\r\n", NULL);

  if (strstr (sdp, whole) == NULL)
    g_error ("%s is not in %s", line, sdp);
}

static void
test_hold (void)
{
  g_autofree gchar *offer = NULL, *answer = NULL;
  Side a, b;

  g_test_summary ("sendrecv is put on hold by sendonly, and comes back under "
                  "the same payload type");
  wire (&a, &b);
  set_caps (&a, VP8, "ANY");
  set_caps (&b, VP8, "ANY");
  connect_sides (&a, &b);
  wait_negotiated (&a, 1);
  g_free (next_sent (&a, "offer"));
  g_free (next_sent (&b, "answer"));
  expect_heard (&b, "incoming first");

  gst_ice_session_hold (a.session);
  offer = next_sent (&a, "offer");
  assert_line (offer, "a=sendonly");
  assert_line (offer, "a=rtpmap:97 VP8/90000");
  answer = next_sent (&b, "answer");
  assert_line (answer, "a=recvonly");
  wait_negotiated (&a, 2);
  expect_heard (&b, "incoming");
  expect_heard (&b, "held");
  g_assert_true (is_flag (&a, "holding") && !is_flag (&a, "held"));
  g_assert_cmpint (direction (&a, "0"), ==, GST_ICE_DIRECTION_SENDONLY);
  g_assert_cmpint (direction (&b, "0"), ==, GST_ICE_DIRECTION_RECVONLY);

  gst_ice_session_resume (a.session);
  wait_negotiated (&a, 3);
  expect_heard (&b, "incoming");
  expect_heard (&b, "resumed");
  g_assert_false (is_flag (&a, "holding"));
  g_assert_cmpint (direction (&a, "0"), ==, GST_ICE_DIRECTION_SENDRECV);
  g_clear_pointer (&offer, g_free);
  offer = next_sent (&a, "offer");
  assert_line (offer, "a=sendrecv");
  assert_line (offer, "a=rtpmap:97 VP8/90000");
  g_assert_cmpint (a.n_errors + b.n_errors, ==, 0);
  unwire (&a, &b);
}

static void
test_hold_receiver (void)
{
  g_autofree gchar *offer = NULL, *answer = NULL;
  g_autoptr (GstIceStream) stream = NULL;
  g_autoptr (GstCaps) caps = NULL;
  gint payload = 0;
  Side a, b;

  g_test_summary ("recvonly is put on hold by inactive; what the sender has "
                  "told of its media stays true");
  wire (&a, &b);
  set_caps (&a, VP8, NULL);
  set_caps (&b, NULL, "ANY");
  connect_sides (&a, &b);
  wait_negotiated (&b, 1);
  gst_ice_session_hold (b.session);
  offer = next_sent (&b, "answer");
  g_clear_pointer (&offer, g_free);
  offer = next_sent (&b, "offer");
  assert_line (offer, "a=inactive");
  g_free (next_sent (&a, "offer"));
  answer = next_sent (&a, "answer");
  assert_line (answer, "a=inactive");
  wait_negotiated (&b, 2);
  wait_until (is_flag (&a, "held"));
  stream = gst_ice_agent_request_stream (a.agent, "0");
  caps = gst_ice_stream_get_local_caps (stream);
  g_assert_nonnull (caps);
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "payload", &payload);
  g_assert_cmpint (payload, ==, 97);
  gst_ice_session_resume (b.session);
  wait_until (!is_flag (&a, "held"));
  wait_negotiated (&b, 3);
  g_assert_cmpint (direction (&a, "0"), ==, GST_ICE_DIRECTION_SENDONLY);
  unwire (&a, &b);
}

static void
test_hold_both (void)
{
  Side a, b;

  g_test_summary ("RFC 3264 8.4: each direction is held for itself");
  wire (&a, &b);
  connect_sides (&a, &b);
  wait_negotiated (&a, 1);
  gst_ice_session_hold (a.session);
  wait_until (is_flag (&b, "held"));
  gst_ice_session_hold (b.session);
  wait_until (is_flag (&a, "held"));
  g_assert_cmpint (direction (&a, "0"), ==, GST_ICE_DIRECTION_INACTIVE);
  gst_ice_session_resume (a.session);
  wait_until (!is_flag (&b, "held"));
  wait_negotiated (&a, 4);
  g_assert_true (is_flag (&a, "held"));
  g_assert_cmpint (direction (&a, "0"), ==, GST_ICE_DIRECTION_RECVONLY);
  g_assert_cmpint (direction (&b, "0"), ==, GST_ICE_DIRECTION_SENDONLY);
  gst_ice_session_resume (b.session);
  wait_until (!is_flag (&a, "held"));
  g_assert_true (is_connected (&a) && is_connected (&b));
  unwire (&a, &b);
}

static void
test_hold_one (void)
{
  g_autoptr (GstIceStream) stream = NULL;
  Side a, b;

  g_test_summary ("A stream has a direction of its own");
  wire (&a, &b);
  gst_object_unref (gst_ice_agent_request_stream (a.agent, "1"));
  gst_object_unref (gst_ice_agent_request_stream (b.agent, "1"));
  connect_sides (&a, &b);
  wait_negotiated (&a, 1);
  stream = gst_ice_agent_request_stream (a.agent, "1");
  g_object_set (stream, "direction", GST_ICE_DIRECTION_RECVONLY, NULL);
  gst_ice_session_renegotiate (a.session);
  wait_negotiated (&a, 2);
  wait_negotiated (&b, 2);
  g_assert_cmpint (direction (&a, "1"), ==, GST_ICE_DIRECTION_RECVONLY);
  g_assert_cmpint (direction (&b, "1"), ==, GST_ICE_DIRECTION_SENDONLY);
  g_assert_cmpint (direction (&b, "0"), ==, GST_ICE_DIRECTION_SENDRECV);
  g_assert_false (is_flag (&a, "held") || is_flag (&b, "held"));
  unwire (&a, &b);
}

/* Streams that the peer offers are welcome. */
static void
request_offered (
    GstIceSession *session, const gchar *sdp, gboolean first, gpointer agent)
{
  static const gchar *const mids[] = { "1", "2" };

  for (guint i = 0; i < G_N_ELEMENTS (mids); i++) {
    g_autofree gchar *line = g_strdup_printf ("a=mid:%s\r\n", mids[i]);

    if (strstr (sdp, line) != NULL)
      gst_object_unref (gst_ice_agent_request_stream (agent, mids[i]));
  }
}

static void
test_stream_added (void)
{
  Side a, b;

  g_test_summary ("A stream is added in mid-call, by either side");
  wire (&a, &b);
  g_signal_connect (
      a.session, "incoming", G_CALLBACK (request_offered), a.agent);
  g_signal_connect (
      b.session, "incoming", G_CALLBACK (request_offered), b.agent);
  connect_sides (&a, &b);
  gst_object_unref (gst_ice_agent_request_stream (b.agent, "1"));
  gst_ice_session_renegotiate (b.session);
  wait_negotiated (&a, 2);
  gst_object_unref (gst_ice_agent_request_stream (a.agent, "2"));
  gst_ice_session_renegotiate (a.session);
  wait_negotiated (&b, 3);
  wait_until (is_connected (&a) && is_connected (&b));
  g_assert_cmpint (a.n_errors + b.n_errors, ==, 0);
  unwire (&a, &b);
}

static void
test_glare_streams (void)
{
  Side a, b;

  g_test_summary ("Both add another stream at once: the offer that yields is "
                  "taken back whole (RFC 8829 4.1.10.2), and said again");
  for (guint i = 0; i < 5; i++) {
    wire (&a, &b);
    g_signal_connect (
        a.session, "incoming", G_CALLBACK (request_offered), a.agent);
    g_signal_connect (
        b.session, "incoming", G_CALLBACK (request_offered), b.agent);
    connect_sides (&a, &b);
    wait_negotiated (&a, 1);
    gst_object_unref (gst_ice_agent_request_stream (a.agent, "1"));
    gst_object_unref (gst_ice_agent_request_stream (b.agent, "2"));
    gst_ice_session_renegotiate (a.session);
    gst_ice_session_renegotiate (b.session);
    wait_negotiated (&a, 3);
    wait_negotiated (&b, 3);
    wait_until (is_connected (&a) && is_connected (&b));
    drain ();
    g_assert_cmpint (a.n_errors + b.n_errors, ==, 0);
    g_assert_cmpint (direction (&a, "2"), ==, GST_ICE_DIRECTION_SENDRECV);
    g_assert_cmpint (direction (&b, "1"), ==, GST_ICE_DIRECTION_SENDRECV);
    unwire (&a, &b);
  }
}

static void
test_glare_restart (void)
{
  Side a, b;

  g_test_summary ("A restart that meets another offer is done nevertheless");
  for (guint i = 0; i < 5; i++) {
    g_autofree gchar *before = NULL, *after = NULL;
    g_autoptr (GstIceStream) stream = NULL;

    wire (&a, &b);
    connect_sides (&a, &b);
    wait_negotiated (&a, 1);
    stream = gst_ice_agent_request_stream (a.agent, "0");
    gst_ice_stream_get_local_credentials (stream, &before, NULL);
    gst_ice_session_restart (a.session);
    gst_ice_session_renegotiate (b.session);
    wait_negotiated (&a, 3);
    wait_negotiated (&b, 3);
    gst_ice_stream_get_local_credentials (stream, &after, NULL);
    g_assert_cmpstr (before, !=, after);
    wait_until (is_connected (&a) && is_connected (&b));
    g_assert_cmpint (a.n_errors + b.n_errors, ==, 0);
    unwire (&a, &b);
  }
}

static void
assert_candidates_of (const gchar *sdp)
{
  g_autofree gchar *ufrag = ufrag_of (sdp);
  g_autofree gchar *suffix = g_strconcat (" ufrag ", ufrag, NULL);
  const gchar *line = strstr (sdp, "a=candidate:");

  g_assert_nonnull (line);
  g_assert_nonnull (g_strstr_len (line, strcspn (line, "\r"), suffix));
}

static void
test_half_trickle (void)
{
  g_autofree gchar *offer = NULL, *answer = NULL, *again = NULL;
  Side a, b;

  g_test_summary ("Where candidates cannot follow, they are in the "
                  "descriptions, those of a restart too (RFC 8838 4.1.1)");
  wire (&a, &b);
  a.signaller->no_trickle = b.signaller->no_trickle = TRUE;
  connect_sides (&a, &b);
  offer = next_sent (&a, "offer");
  answer = next_sent (&b, "answer");
  assert_candidates_of (offer);
  assert_candidates_of (answer);
  wait_negotiated (&a, 1);
  gst_ice_session_restart (a.session);
  again = next_sent (&a, "offer");
  assert_candidates_of (again);
  wait_negotiated (&a, 2);
  wait_until (is_connected (&a) && is_connected (&b));
  g_assert_cmpint (a.signaller->n_candidates, ==, 0);
  g_assert_cmpint (b.signaller->n_candidates, ==, 0);
  unwire (&a, &b);
}

static void
test_metadata (void)
{
  static const gchar caps[] =
      "application/x-rtp, media=video, encoding-name=H264, clock-rate=90000, "
      "payload=(int)98, packetization-mode=(string)1, "
      "profile-level-id=(string)42e01f, b-AS=(uint)2000, b-TIAS=(uint)1900000, "
      "extmap-3=(string)\"urn:ietf:params:rtp-hdrext:sdes:mid\", "
      "rtcp-fb-nack=(boolean)true, rtcp-fb-nack-pli=(boolean)true, "
      "a-framerate=(string)30";
  static const gchar *const fields[] = { "packetization-mode",
    "profile-level-id", "b-AS", "b-TIAS", "extmap-3", "rtcp-fb-nack",
    "rtcp-fb-nack-pli", "a-framerate" };
  g_autoptr (GstCaps) sent = gst_caps_from_string (caps);
  g_autoptr (GstCaps) received = NULL;
  g_autoptr (GstIceStream) stream = NULL;
  Side a, b;

  g_test_summary ("Bandwidth, format parameters, header extensions and "
                  "feedback travel from caps to caps");
  wire (&a, &b);
  set_caps (&a, caps, NULL);
  set_caps (&b, NULL, "ANY");
  connect_sides (&a, &b);
  stream = gst_ice_agent_request_stream (b.agent, "0");
  received = gst_ice_stream_get_remote_caps (stream);
  g_assert_nonnull (received);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    const GValue *was =
        gst_structure_get_value (gst_caps_get_structure (sent, 0), fields[i]);
    const GValue *is = gst_structure_get_value (
        gst_caps_get_structure (received, 0), fields[i]);

    if (is == NULL || gst_value_compare (was, is) != GST_VALUE_EQUAL)
      g_error ("%s is not what it was in %s", fields[i],
          gst_caps_to_string (received));
  }
  unwire (&a, &b);
}

static GSocket *
bind_loopback (guint16 *ret_port)
{
  g_autoptr (GInetAddress) any =
      g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (any, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
      G_SOCKET_PROTOCOL_DEFAULT, NULL);

  g_assert_true (g_socket_bind (socket, address, FALSE, NULL));
  g_socket_set_timeout (socket, 10);
  bound = g_socket_get_local_address (socket, NULL);
  *ret_port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  return socket;
}

static void
test_non_ice (void)
{
  static const guint8 rtp[] = { 0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 };
  g_autoptr (GBytes) packet = g_bytes_new_static (rtp, sizeof rtp);
  g_autoptr (GstIceStream) stream = NULL;
  g_autoptr (GstIceTransport) transport = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autofree gchar *offer = NULL, *answer = NULL, *heard = NULL;
  gchar received[64];
  guint16 port;
  Side a;

  g_test_summary ("A peer without ICE is served by its default address where "
                  "that is allowed, and else declined (design 9.7)");
  socket = bind_loopback (&port);
  offer = g_strdup_printf ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
                           "c=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                           "m=audio %u RTP/AVP 0\r\na=mid:0\r\n"
                           "a=rtcp-mux\r\n",
      port);
  side_init (&a);
  set_caps (&a,
      "application/x-rtp, media=audio, encoding-name=PCMU, "
      "clock-rate=8000, payload=(int)0",
      "ANY");
  gst_ice_session_set_ready (a.session);
  ready (&a, FALSE);
  gst_ice_signaller_emit_description (
      GST_ICE_SIGNALLER (a.signaller), "offer", offer);
  expect_heard (&a, "incoming first");
  heard = g_async_queue_timeout_pop (a.heard, TIMEOUT);
  g_assert_nonnull (strstr (heard, "set allow-non-ice on the agent"));

  g_object_set (a.agent, "allow-non-ice", TRUE, NULL);
  gst_ice_signaller_emit_description (
      GST_ICE_SIGNALLER (a.signaller), "offer", offer);
  answer = next_sent (&a, "answer");
  g_assert_null (strstr (answer, "a=ice-ufrag"));
  g_assert_null (strstr (answer, "m=audio 9 "));
  assert_line (answer, "c=IN IP4 127.0.0.1");
  wait_until (is_connected (&a));
  stream = gst_ice_agent_request_stream (a.agent, "0");
  transport = gst_ice_stream_get_transport (stream, 1);
  g_assert_true (gst_ice_transport_send (transport, packet, NULL));
  g_assert_cmpint (
      g_socket_receive (socket, received, sizeof received, NULL, NULL), ==,
      sizeof rtp);
  side_clear (&a);
}

static void
test_relay_policy (void)
{
  g_autofree gchar *offer = NULL;
  Side a;

  g_test_summary ("policy=relay: nothing of this host is in what is sent, "
                  "descriptions and candidates");
  side_init (&a);
  a.signaller->other = a.signaller;
  g_object_set (a.agent, "policy", GST_ICE_POLICY_RELAY, NULL);
  gst_ice_session_set_ready (a.session);
  ready (&a, TRUE);
  offer = next_sent (&a, "offer");
  wait_until (g_atomic_int_get (&a.signaller->n_candidates) > 0);
  g_assert_null (strstr (offer, "a=candidate"));
  assert_line (offer, "c=IN IP4 0.0.0.0");
  /* The end of the candidates, and no other. */
  g_assert_cmpint (g_atomic_int_get (&a.signaller->n_candidates), ==, 1);
  side_clear (&a);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/accept", test_accept);
  g_test_add_func ("/session/offer-before-ready", test_offer_before_ready);
  g_test_add_func ("/session/reject", test_reject);
  g_test_add_func ("/rfc3264/8/rejected-change", test_reject_modify);
  g_test_add_func ("/session/reject/keeps-wishes", test_reject_keeps_wishes);
  g_test_add_data_func ("/session/bye-in-prepare/offerer",
      GINT_TO_POINTER (FALSE), test_bye_in_prepare);
  g_test_add_data_func ("/session/bye-in-prepare/answerer",
      GINT_TO_POINTER (TRUE), test_bye_in_prepare);
  g_test_add_func ("/session/not-acceptable", test_not_acceptable);
  g_test_add_func ("/session/peer-error", test_peer_error);
  g_test_add_func ("/session/long-text", test_long_text);
  g_test_add_func ("/session/reason", test_reason);
  g_test_add_func ("/rfc3264/8.4/hold", test_hold);
  g_test_add_func ("/rfc3264/8.4/hold-receiver", test_hold_receiver);
  g_test_add_func ("/rfc3264/8.4/hold-both", test_hold_both);
  g_test_add_func ("/rfc3264/8.4/hold-one", test_hold_one);
  g_test_add_func ("/rfc3264/8.1/stream-added", test_stream_added);
  g_test_add_func ("/rfc8829/4.1.10.2/streams", test_glare_streams);
  g_test_add_func ("/rfc8829/4.1.10.2/restart", test_glare_restart);
  g_test_add_func ("/rfc8838/4.1.1/half-trickle", test_half_trickle);
  g_test_add_func ("/session/metadata", test_metadata);
  g_test_add_func ("/session/non-ice", test_non_ice);
  g_test_add_func ("/session/relay-policy", test_relay_policy);
  return g_test_run ();
}
