/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <string.h>

#define VP8                                                                    \
  "application/x-rtp, media=video, encoding-name=VP8, clock-rate=90000"
#define OPUS                                                                   \
  "application/x-rtp, media=audio, encoding-name=OPUS, clock-rate=48000"

static void
set_caps (GstIceStream *stream, const gchar *send, const gchar *receive)
{
  g_autoptr (GstCaps) send_caps = send ? gst_caps_from_string (send) : NULL;
  g_autoptr (GstCaps) receive_caps =
      receive ? gst_caps_from_string (receive) : NULL;

  gst_ice_stream_set_caps (stream, send_caps, receive_caps);
}

static gchar *
offer (GstIceAgent *agent)
{
  g_autoptr (GError) error = NULL;
  gchar *sdp = gst_ice_agent_create_offer (agent, &error);

  g_assert_no_error (error);
  return sdp;
}

static gchar *
answer_to (GstIceAgent *agent, const gchar *sdp)
{
  g_autoptr (GError) error = NULL;
  gchar *answer;

  gst_ice_agent_set_remote_description (agent, "offer", sdp, &error);
  g_assert_no_error (error);
  answer = gst_ice_agent_create_answer (agent, &error);
  g_assert_no_error (error);
  return answer;
}

static void
assert_has (const gchar *sdp, const gchar *text)
{
  if (!strstr (sdp, text))
    g_error ("no “%s” in\n%s", text, sdp);
}

static void
assert_has_not (const gchar *sdp, const gchar *text)
{
  if (strstr (sdp, text))
    g_error ("“%s” in\n%s", text, sdp);
}

static gint
payload_of (GstCaps *caps)
{
  gint payload = -1;

  if (caps)
    gst_structure_get_int (
        gst_caps_get_structure (caps, 0), "payload", &payload);
  return payload;
}

static void
test_offer (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) video = gst_ice_agent_request_stream (agent, "v");
  g_autoptr (GstIceStream) audio = gst_ice_agent_request_stream (agent, "a");
  g_autoptr (GstCaps) local = NULL;
  g_autofree gchar *sdp = NULL;

  g_test_summary ("What an offer says at once (RFC 8839, 8840)");
  set_caps (video, VP8 ", payload=[96,127]", NULL);
  set_caps (audio, OPUS ", payload=[96,127]", "ANY");
  sdp = offer (agent);
  assert_has (sdp, "m=video 9 RTP/AVP 96\r\n");
  assert_has (sdp, "m=audio 9 RTP/AVP 97\r\n");
  assert_has (sdp, "c=IN IP4 0.0.0.0\r\n");
  assert_has (sdp, "a=mid:v\r\n");
  assert_has (sdp, "a=sendonly\r\n");
  assert_has (sdp, "a=sendrecv\r\n");
  assert_has (sdp, "a=rtcp-mux\r\n");
  assert_has (sdp, "a=ice-options:ice2 trickle renomination\r\n");
  assert_has (sdp, "a=ice-pacing:5\r\n");
  assert_has (sdp, "a=ice-ufrag:");
  assert_has (sdp, "a=ice-pwd:");
  assert_has (sdp, "a=rtpmap:96 VP8/90000\r\n");
  assert_has_not (sdp, "BUNDLE");
  local = gst_ice_stream_get_local_caps (video);
  g_assert_cmpint (payload_of (local), ==, 96);
}

static void
on_done (GstIceAgent *agent, GstIceStream *stream, gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

static void
test_vanilla (void)
{
  g_autoptr (GstIceAgent) a = call_new_agent ();
  g_autoptr (GstIceAgent) b = call_new_agent ();
  g_autoptr (GstIceStream) sa = gst_ice_agent_request_stream (a, "0");
  g_autoptr (GstIceStream) sb = gst_ice_agent_request_stream (b, "0");
  gboolean a_done = FALSE, b_done = FALSE;
  g_autofree gchar *sdp = NULL, *reply = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("Everything in the descriptions, the default in m= and c=");
  g_signal_connect (a, "end-of-candidates", G_CALLBACK (on_done), &a_done);
  g_signal_connect (b, "end-of-candidates", G_CALLBACK (on_done), &b_done);
  gst_ice_agent_gather (a);
  gst_ice_agent_gather (b);
  wait_until (a_done && b_done);
  sdp = offer (a);
  assert_has (sdp, "c=IN IP4 127.0.0.1\r\n");
  assert_has (sdp, "a=candidate:");
  assert_has (sdp, "a=end-of-candidates\r\n");
  assert_has_not (sdp, " 9 udp");
  reply = answer_to (b, sdp);
  assert_has (reply, "a=end-of-candidates\r\n");
  g_free (reply);
  /* It may be said again. */
  reply = gst_ice_agent_create_answer (b, &error);
  g_assert_no_error (error);
  gst_ice_agent_set_remote_description (a, "answer", reply, &error);
  g_assert_no_error (error);
  wait_until (call_state (a) == GST_ICE_STATE_COMPLETED &&
      call_state (b) == GST_ICE_STATE_COMPLETED);
}

static void
test_answer_payload (void)
{
  g_autoptr (GstIceAgent) a = call_new_agent ();
  g_autoptr (GstIceAgent) b = call_new_agent ();
  g_autoptr (GstIceStream) sa = gst_ice_agent_request_stream (a, "0");
  g_autoptr (GstIceStream) sb = gst_ice_agent_request_stream (b, "0");
  g_autofree gchar *sdp = NULL, *reply = NULL;
  g_autoptr (GstCaps) sent = NULL, received = NULL, peer = NULL;

  g_test_summary ("The answerer sends under the numbers of the offer "
                  "(RFC 3264 6.1)");
  set_caps (sa, VP8 ", payload=101", "ANY");
  set_caps (sb, VP8 ", payload=[96,127]", "ANY");
  sdp = offer (a);
  reply = answer_to (b, sdp);
  assert_has (reply, "m=video 9 RTP/AVP 101\r\n");
  gst_ice_agent_set_remote_description (a, "answer", reply, NULL);
  sent = gst_ice_stream_get_local_caps (sb);
  g_assert_cmpint (payload_of (sent), ==, 101);
  received = gst_ice_stream_get_remote_caps (sb);
  g_assert_cmpint (payload_of (received), ==, 101);
  peer = gst_ice_stream_get_remote_caps (sa);
  g_assert_cmpint (payload_of (peer), ==, 101);
}

static void
test_one_way (void)
{
  g_autoptr (GstIceAgent) a = call_new_agent ();
  g_autoptr (GstIceAgent) b = call_new_agent ();
  g_autoptr (GstIceStream) sa = gst_ice_agent_request_stream (a, "0");
  g_autoptr (GstIceStream) sb = gst_ice_agent_request_stream (b, "0");
  g_autofree gchar *sdp = NULL, *reply = NULL;
  g_autoptr (GstCaps) received = NULL, sent = NULL, nothing = NULL;

  g_test_summary ("One sends, the other receives whatever comes");
  set_caps (sa, VP8 ", payload=[96,127]", NULL);
  set_caps (sb, NULL, "ANY");
  sdp = offer (a);
  assert_has (sdp, "a=sendonly\r\n");
  reply = answer_to (b, sdp);
  assert_has (reply, "a=recvonly\r\n");
  assert_has (reply, "m=video 9 RTP/AVP 96\r\n");
  gst_ice_agent_set_remote_description (a, "answer", reply, NULL);
  received = gst_ice_stream_get_remote_caps (sb);
  g_assert_cmpint (payload_of (received), ==, 96);
  sent = gst_ice_stream_get_local_caps (sa);
  g_assert_cmpint (payload_of (sent), ==, 96);
  nothing = gst_ice_stream_get_remote_caps (sa);
  g_assert_null (nothing);
}

static void
test_rejection (void)
{
  g_autoptr (GstIceAgent) a = call_new_agent ();
  g_autoptr (GstIceAgent) b = call_new_agent ();
  g_autoptr (GstIceStream) video = gst_ice_agent_request_stream (a, "v");
  g_autoptr (GstIceStream) audio = gst_ice_agent_request_stream (a, "a");
  g_autoptr (GstIceStream) sb = gst_ice_agent_request_stream (b, "a");
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (video, 1);
  g_autofree gchar *sdp = NULL, *reply = NULL, *again = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("What fits no stream is rejected with port 0, for good "
                  "(RFC 3264 6 and 8)");
  set_caps (video, VP8 ", payload=96", NULL);
  set_caps (audio, OPUS ", payload=97", NULL);
  set_caps (sb, NULL, OPUS);
  sdp = offer (a);
  reply = answer_to (b, sdp);
  assert_has (reply, "m=video 0 RTP/AVP 96\r\n");
  assert_has (reply, "m=audio 9 RTP/AVP 97\r\n");
  gst_ice_agent_set_remote_description (a, "answer", reply, &error);
  g_assert_no_error (error);
  g_assert_null (gst_ice_transport_receive (transport, NULL, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);

  again = offer (b);
  assert_has (again, "m=video 0 RTP/AVP 96\r\n");
  g_assert_true (strstr (again, "m=video") < strstr (again, "m=audio"));
}

static void
test_wrong_caps (void)
{
  g_autoptr (GstIceAgent) a = call_new_agent ();
  g_autoptr (GstIceAgent) b = call_new_agent ();
  g_autoptr (GstIceStream) sa = gst_ice_agent_request_stream (a, "0");
  g_autoptr (GstIceStream) sb = gst_ice_agent_request_stream (b, "0");
  g_autofree gchar *sdp = NULL, *reply = NULL;

  g_test_summary ("Nothing in common: rejected");
  set_caps (sa, VP8 ", payload=96", NULL);
  set_caps (sb, NULL, OPUS);
  sdp = offer (a);
  reply = answer_to (b, sdp);
  assert_has (reply, "m=video 0 RTP/AVP 96\r\n");
}

static void
test_choice (void)
{
  g_autoptr (GstIceAgent) b = call_new_agent ();
  g_autoptr (GstIceStream) sb = gst_ice_agent_request_stream (b, "0");
  g_autofree gchar *reply = NULL;

  g_test_summary ("Of several payloads the first that we take");
  set_caps (sb, NULL, VP8);
  reply = answer_to (b,
      "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
      "m=video 9 RTP/AVP 100 98 99\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\n"
      "a=rtpmap:100 H264/90000\r\na=rtpmap:98 VP8/90000\r\n"
      "a=rtpmap:99 VP8/90000\r\na=ice-ufrag:abcd\r\n"
      "a=ice-pwd:abcdefghijklmnopqrstuv\r\n");
  assert_has (reply, "m=video 9 RTP/AVP 98\r\n");
  /* The offer had no mid, so the answer has none. */
  assert_has_not (reply, "a=mid");
}

#define HEAD "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define CREDENTIALS "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"
#define OPAQUE "m=application 9 udp x-gst-ice\r\nc=IN IP4 0.0.0.0\r\n"

static void
test_by_index (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) x = gst_ice_agent_request_stream (agent, "x");
  g_autoptr (GstIceStream) y = gst_ice_agent_request_stream (agent, "y");
  g_autoptr (GPtrArray) candidates = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("Sections without mid belong to streams by position, and so "
                  "do candidates");
  gst_ice_agent_add_remote_candidate_at (
      agent, 1, "candidate:1 1 udp 1 127.0.0.1 4000 typ host", &error);
  g_assert_no_error (error);
  gst_ice_agent_set_remote_description (agent, "offer",
      HEAD OPAQUE CREDENTIALS
      "a=rtcp-mux\r\n" OPAQUE
      "a=ice-ufrag:efgh\r\na=ice-pwd:vutsrqponmlkjihgfedcba\r\na=rtcp-mux\r\n",
      &error);
  g_assert_no_error (error);
  candidates = gst_ice_stream_get_remote_candidates (y);
  g_assert_cmpuint (candidates->len, ==, 1);
  g_clear_pointer (&candidates, g_ptr_array_unref);
  candidates = gst_ice_stream_get_remote_candidates (x);
  g_assert_cmpuint (candidates->len, ==, 0);
}

static void
test_order (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) x = gst_ice_agent_request_stream (agent, "x");
  g_autoptr (GstIceStream) y = gst_ice_agent_request_stream (agent, "y");
  g_autofree gchar *reply = NULL;
  guint index_x, index_y;

  g_test_summary ("An answer has the order of the offer");
  reply = answer_to (agent,
      HEAD OPAQUE CREDENTIALS "a=mid:y\r\na=rtcp-mux\r\n" OPAQUE CREDENTIALS
                              "a=mid:x\r\na=rtcp-mux\r\n");
  g_assert_true (strstr (reply, "a=mid:y") < strstr (reply, "a=mid:x"));
  g_object_get (x, "mline-index", &index_x, NULL);
  g_object_get (y, "mline-index", &index_y, NULL);
  g_assert_cmpuint (index_y, ==, 0);
  g_assert_cmpuint (index_x, ==, 1);
}

static void
test_early_candidates (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GPtrArray) candidates = NULL;
  g_autofree gchar *sdp = NULL, *reply = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("Candidates that come before the description are used");
  g_object_set (call->a.agent, "ip-family", GST_ICE_IP_FAMILY_IPV4, NULL);
  sdp = offer (call->a.agent);
  wait_until (side_saw (&call->a, "new-candidate"));
  reply = answer_to (call->b.agent, sdp);
  candidates = gst_ice_stream_get_remote_candidates (call->b.stream);
  g_assert_cmpuint (candidates->len, ==, 1);
  gst_ice_agent_set_remote_description (call->a.agent, "answer", reply, &error);
  g_assert_no_error (error);
  wait_until (call_state (call->a.agent) == GST_ICE_STATE_COMPLETED);
}

static void
carry_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer user_data)
{
  g_autofree gchar *line = gst_ice_candidate_to_sdp (candidate);
  g_autoptr (GError) error = NULL;

  gst_ice_agent_add_remote_candidate (user_data, "0", line, &error);
  g_assert_no_error (error);
}

static void
test_half_trickle (void)
{
  g_autoptr (GstIceAgent) a = call_new_agent ();
  g_autoptr (GstIceAgent) b = call_new_agent ();
  g_autoptr (GstIceStream) sa = gst_ice_agent_request_stream (a, "0");
  g_autoptr (GstIceStream) sb = gst_ice_agent_request_stream (b, "0");
  gboolean done = FALSE;
  g_autofree gchar *sdp = NULL, *reply = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("RFC 8838 16: the first offer whole, for who knows whether "
                  "the peer trickles; the answer at once, and then in pieces");
  g_signal_connect (a, "end-of-candidates", G_CALLBACK (on_done), &done);
  g_signal_connect (b, "new-candidate", G_CALLBACK (carry_candidate), a);
  gst_ice_agent_gather (a);
  wait_until (done);
  sdp = offer (a);
  assert_has (sdp, "a=end-of-candidates\r\n");
  assert_has (sdp, " trickle");
  reply = answer_to (b, sdp);
  assert_has (reply, " trickle");
  assert_has_not (reply, "a=end-of-candidates\r\n");
  gst_ice_agent_set_remote_description (a, "answer", reply, &error);
  g_assert_no_error (error);
  wait_until (call_state (a) == GST_ICE_STATE_COMPLETED &&
      call_state (b) == GST_ICE_STATE_COMPLETED);
}

static void
test_candidate_flood (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = NULL;
  g_autoptr (GPtrArray) candidates = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("Ten thousand early candidates cost no memory");
  for (guint i = 0; i < 10000; i++)
    gst_ice_agent_add_remote_candidate (agent, "0",
        "candidate:1 1 udp 1 127.0.0.1 4000 typ host ufrag none", NULL);
  stream = gst_ice_agent_request_stream (agent, "0");
  gst_ice_agent_set_remote_description (agent, "offer",
      HEAD OPAQUE CREDENTIALS "a=mid:0\r\na=rtcp-mux\r\n", &error);
  g_assert_no_error (error);
  candidates = gst_ice_stream_get_remote_candidates (stream);
  g_assert_cmpuint (candidates->len, ==, 0);
}

static void
test_bundle (void)
{
  g_autoptr (GstIceAgent) a = call_new_agent ();
  g_autoptr (GstIceAgent) b = call_new_agent ();
  g_autoptr (GstIceStream) a0 = NULL, a1 = NULL, b0 = NULL, b1 = NULL;
  g_autoptr (GstIceTransport) t0 = NULL, t1 = NULL;
  g_autofree gchar *sdp = NULL, *reply = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("With bundle=max one transport carries all (RFC 8843)");
  g_object_set (a, "bundle", GST_ICE_BUNDLE_MAX, NULL);
  g_object_set (b, "bundle", GST_ICE_BUNDLE_MAX, NULL);
  a0 = gst_ice_agent_request_stream (a, "0");
  a1 = gst_ice_agent_request_stream (a, "1");
  b0 = gst_ice_agent_request_stream (b, "0");
  b1 = gst_ice_agent_request_stream (b, "1");
  t0 = gst_ice_stream_get_transport (a0, 1);
  t1 = gst_ice_stream_get_transport (a1, 1);
  g_assert_true (t0 == t1);
  sdp = offer (a);
  assert_has (sdp, "a=group:BUNDLE 0 1\r\n");
  assert_has (sdp, "a=bundle-only\r\n");
  reply = answer_to (b, sdp);
  assert_has (reply, "a=group:BUNDLE 0 1\r\n");
  assert_has_not (reply, "m=application 0 ");
  gst_ice_agent_set_remote_description (a, "answer", reply, &error);
  g_assert_no_error (error);
}

static void
test_bundle_refused (void)
{
  g_autoptr (GstIceAgent) a = call_new_agent ();
  g_autoptr (GstIceAgent) b = call_new_agent ();
  g_autoptr (GstIceStream) a0 = NULL, a1 = NULL, b0 = NULL, b1 = NULL;
  g_autofree gchar *sdp = NULL, *reply = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("Who does not bundle rejects what is bundle-only");
  g_object_set (a, "bundle", GST_ICE_BUNDLE_MAX, NULL);
  a0 = gst_ice_agent_request_stream (a, "0");
  a1 = gst_ice_agent_request_stream (a, "1");
  b0 = gst_ice_agent_request_stream (b, "0");
  b1 = gst_ice_agent_request_stream (b, "1");
  sdp = offer (a);
  reply = answer_to (b, sdp);
  assert_has_not (reply, "BUNDLE");
  assert_has (reply, "m=application 0 ");
  gst_ice_agent_set_remote_description (a, "answer", reply, &error);
  g_assert_no_error (error);
}

static void
test_no_ice (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "0");
  g_autofree gchar *reply = NULL;
  g_autoptr (GError) error = NULL;
  const gchar *sdp =
      HEAD "m=audio 4000 RTP/AVP 8\r\nc=IN IP4 127.0.0.1\r\na=rtcp-mux\r\n";

  g_test_summary ("A peer without ICE: only where that is allowed");
  g_assert_false (
      gst_ice_agent_set_remote_description (agent, "offer", sdp, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP);
  assert_has (error->message, "allow-non-ice");
  g_clear_error (&error);

  g_object_set (agent, "allow-non-ice", TRUE, NULL);
  reply = answer_to (agent, sdp);
  assert_has_not (reply, "ice-ufrag");
  wait_until (call_state (agent) == GST_ICE_STATE_CONNECTED ||
      call_state (agent) == GST_ICE_STATE_COMPLETED);
}

static void
test_lite (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "0");
  g_autofree gchar *reply = NULL;
  gboolean controlling;

  g_test_summary ("Against a lite peer we control, whoever offers "
                  "(RFC 8445 6.1.1)");
  reply = answer_to (agent,
      HEAD "a=ice-lite\r\n" OPAQUE CREDENTIALS "a=mid:0\r\na=rtcp-mux\r\n");
  g_object_get (agent, "controlling", &controlling, NULL);
  g_assert_true (controlling);
}

static void
test_states (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = NULL;
  g_autofree gchar *sdp = NULL, *other = NULL;
  g_autoptr (GError) error = NULL;
  const gchar *theirs = HEAD OPAQUE CREDENTIALS "a=mid:0\r\na=rtcp-mux\r\n";

  g_test_summary ("Offers and answers out of turn, roll-back, glare");
#define assert_error(call, code)                                               \
  G_STMT_START                                                                 \
  {                                                                            \
    g_assert_false (call);                                                     \
    g_assert_error (error, GST_ICE_ERROR, code);                               \
    g_clear_error (&error);                                                    \
  }                                                                            \
  G_STMT_END
#define set(type, text)                                                        \
  gst_ice_agent_set_remote_description (agent, type, text, &error)

  assert_error (
      gst_ice_agent_create_offer (agent, &error), GST_ICE_ERROR_INVALID_STATE);
  stream = gst_ice_agent_request_stream (agent, "0");
  assert_error (
      gst_ice_agent_create_answer (agent, &error), GST_ICE_ERROR_INVALID_STATE);
  assert_error (set ("answer", theirs), GST_ICE_ERROR_INVALID_STATE);
  assert_error (set ("rollback", ""), GST_ICE_ERROR_INVALID_STATE);
  assert_error (set ("question", theirs), GST_ICE_ERROR_INVALID_ARGUMENT);
  assert_error (set ("offer", "nonsense"), GST_ICE_ERROR_INVALID_SDP);
  assert_error (
      set ("offer", HEAD OPAQUE CREDENTIALS "a=mid:other\r\na=rtcp-mux\r\n"),
      GST_ICE_ERROR_NOT_FOUND);

  sdp = offer (agent);
  assert_error (set ("offer", theirs), GST_ICE_ERROR_INVALID_STATE);
  assert_error (set ("answer", HEAD), GST_ICE_ERROR_INVALID_SDP);
  g_assert_true (set ("rollback", ""));
  g_assert_true (set ("offer", theirs));
  assert_error (
      gst_ice_agent_create_offer (agent, &error), GST_ICE_ERROR_INVALID_STATE);
  other = gst_ice_agent_create_answer (agent, &error);
  g_assert_no_error (error);
  assert_error (set ("offer", HEAD), GST_ICE_ERROR_INVALID_SDP);
}

static void
test_removed_stream (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GstIceStream) second =
      gst_ice_agent_request_stream (call->a.agent, "1");
  g_autoptr (GstIceStream) peer =
      gst_ice_agent_request_stream (call->b.agent, "1");
  g_autofree gchar *sdp = NULL, *reply = NULL;

  g_test_summary ("A stream that goes leaves its m-line with port 0");
  call_connect (call);
  gst_ice_agent_remove_stream (call->a.agent, second);
  sdp = offer (call->a.agent);
  assert_has (sdp, "m=application 0 ");
  reply = answer_to (call->b.agent, sdp);
  assert_has (reply, "m=application 0 ");
}

#define AGREED                                                                 \
  HEAD OPAQUE CREDENTIALS "a=mid:1\r\na=rtcp-mux\r\n" OPAQUE CREDENTIALS       \
                          "a=mid:0\r\na=rtcp-mux\r\n"

static void
test_refused_offer (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) first = gst_ice_agent_request_stream (agent, "0");
  g_autoptr (GstIceStream) second = gst_ice_agent_request_stream (agent, "1");
  g_autoptr (GstIceStream) third = NULL;
  g_autofree gchar *reply = NULL, *again = NULL;
  g_autoptr (GError) error = NULL;
  guint index;

  g_test_summary ("An offer that cannot be taken leaves the one before to be "
                  "answered as it was");
  g_assert_true (set ("offer", AGREED));
  assert_error (set ("offer", HEAD OPAQUE "a=mid:0\r\na=rtcp-mux\r\n"),
      GST_ICE_ERROR_INVALID_SDP);
  g_object_get (second, "mline-index", &index, NULL);
  g_assert_cmpuint (index, ==, 0);
  reply = gst_ice_agent_create_answer (agent, &error);
  g_assert_no_error (error);
  assert_has (reply, "a=mid:1");
  g_assert_true (strstr (reply, "a=mid:1") < strstr (reply, "a=mid:0"));

  /* Likewise when the m-lines are agreed: what is new in it is not. */
  third = gst_ice_agent_request_stream (agent, "2");
  assert_error (set ("offer", AGREED OPAQUE "a=mid:2\r\na=rtcp-mux\r\n"),
      GST_ICE_ERROR_INVALID_SDP);
  g_assert_true (
      set ("offer", AGREED OPAQUE CREDENTIALS "a=mid:2\r\na=rtcp-mux\r\n"));
  again = gst_ice_agent_create_answer (agent, &error);
  g_assert_no_error (error);
  assert_has_not (again, "m=application 0 ");
}

static void
test_reopened (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GRegex) port = g_regex_new ("m=application \\d+", 0, 0, NULL);
  g_autoptr (GstIceTransport) a = NULL;
  g_autoptr (GstIceTransport) b = NULL;
  g_autofree gchar *sdp = NULL, *closing = NULL, *reply = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("An m-line that had port 0 may come back (RFC 3264 8.2)");
  call_connect (call);
  sdp = offer (call->a.agent);
  closing =
      g_regex_replace_literal (port, sdp, -1, 0, "m=application 0", 0, &error);
  g_assert_no_error (error);
  reply = answer_to (call->b.agent, closing);
  assert_has (reply, "m=application 0 ");
  gst_ice_agent_set_remote_description (call->a.agent, "answer", reply, &error);
  g_assert_no_error (error);

  a = gst_ice_stream_get_transport (call->a.stream, 1);
  b = gst_ice_stream_get_transport (call->b.stream, 1);
  gst_ice_agent_restart (call->a.agent);
  call_negotiate (call);
  wait_until (call_state (call->a.agent) == GST_ICE_STATE_COMPLETED &&
      call_state (call->b.agent) == GST_ICE_STATE_COMPLETED);
  call_exchange (call->a.stream, call->b.stream, 10, 100);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/negotiate/offer", test_offer);
  g_test_add_func ("/negotiate/vanilla", test_vanilla);
  g_test_add_func ("/negotiate/answer-payload", test_answer_payload);
  g_test_add_func ("/negotiate/one-way", test_one_way);
  g_test_add_func ("/negotiate/rejection", test_rejection);
  g_test_add_func ("/negotiate/wrong-caps", test_wrong_caps);
  g_test_add_func ("/negotiate/choice", test_choice);
  g_test_add_func ("/negotiate/by-index", test_by_index);
  g_test_add_func ("/negotiate/order", test_order);
  g_test_add_func ("/negotiate/early-candidates", test_early_candidates);
  g_test_add_func ("/rfc8838/16/half-trickle", test_half_trickle);
  g_test_add_func ("/negotiate/candidate-flood", test_candidate_flood);
  g_test_add_func ("/negotiate/bundle", test_bundle);
  g_test_add_func ("/negotiate/bundle-refused", test_bundle_refused);
  g_test_add_func ("/negotiate/no-ice", test_no_ice);
  g_test_add_func ("/negotiate/lite", test_lite);
  g_test_add_func ("/negotiate/states", test_states);
  g_test_add_func ("/negotiate/removed-stream", test_removed_stream);
  g_test_add_func ("/negotiate/refused-offer", test_refused_offer);
  g_test_add_func ("/negotiate/reopened", test_reopened);
  return call_run_tests ();
}
