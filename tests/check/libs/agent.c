/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <string.h>

static gboolean
is_up (GstIceAgent *agent)
{
  GstIceState state = call_state (agent);

  return state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED;
}

static GstIceState
transport_state (GstIceStream *stream, guint component)
{
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (stream, component);
  GstIceState state;

  g_object_get (transport, "state", &state, NULL);
  return state;
}

static void
test_connect (void)
{
  g_autoptr (Call) call = call_new ();

  g_test_summary ("Two agents connect over loopback by offer, answer and "
                  "trickled candidates, and packets pass both ways");
  call_connect (call);
  call_exchange (call->a.stream, call->b.stream, 100, 1000);
  call_exchange (call->b.stream, call->a.stream, 100, 1000);
}

static void
test_look_alikes (void)
{
  /* MPEG-TS; ChannelData with a fitting length; DTLS; a lone byte. */
  static const guint8 packets[][8] = {
    { 0x47, 0x40, 0x11, 0x10, 0, 1, 2, 3 },
    { 0x40, 0x00, 0x00, 0x04, 1, 2, 3, 4 },
    { 0x16, 0xfe, 0xff, 0, 0, 0, 0, 0 },
    { 0x01 },
  };
  static const gsize sizes[] = { 8, 8, 8, 1 };
  g_autoptr (Call) call = call_new ();
  g_autoptr (GstIceTransport) out = NULL, in = NULL;
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
  g_autoptr (GError) error = NULL;

  g_test_summary ("What only looks like ChannelData is media from where media "
                  "is expected (design 4a)");
  call_connect (call);
  out = gst_ice_stream_get_transport (call->a.stream, 1);
  in = gst_ice_stream_get_transport (call->b.stream, 1);
  for (guint i = 0; i < G_N_ELEMENTS (packets); i++) {
    g_autoptr (GBytes) packet = g_bytes_new_static (packets[i], sizes[i]);
    g_autoptr (GstBufferList) list = NULL;

    gst_ice_transport_send (out, packet, &error);
    g_assert_no_error (error);
    list = gst_ice_transport_receive (in, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (gst_buffer_list_length (list), ==, 1);
    g_assert_cmpint (gst_buffer_memcmp (gst_buffer_list_get (list, 0), 0,
                         packets[i], sizes[i]),
        ==, 0);
  }
  gst_ice_transport_send (out, empty, &error);
  g_assert_no_error (error);
}

static guint
index_of (const Side *side, const gchar *event)
{
  guint index = G_MAXUINT;

  g_assert_true (g_ptr_array_find_with_equal_func (
      side->events, event, g_str_equal, &index));
  return index;
}

static void
test_events (void)
{
  g_autoptr (Call) call = call_new ();

  g_test_summary ("Signals come in the order of what happened");
  call_connect (call);
  wait_until (call_state (call->a.agent) == GST_ICE_STATE_COMPLETED &&
      call_state (call->b.agent) == GST_ICE_STATE_COMPLETED);
  wait_until (side_saw (&call->a, "end-of-candidates") &&
      side_saw (&call->b, "end-of-candidates"));

  for (Side *side = &call->a; side <= &call->b; side++) {
    g_assert_cmpuint (
        index_of (side, "new-candidate"), <, index_of (side, "gathering-done"));
    g_assert_cmpuint (index_of (side, "gathering-done"), <,
        index_of (side, "end-of-candidates"));
    g_assert_cmpuint (
        index_of (side, "checking"), <, index_of (side, "connected"));
    g_assert_cmpuint (
        index_of (side, "connected"), <, index_of (side, "completed"));
    g_assert_true (side_saw (side, "selected-pair"));
    g_assert_false (side_saw (side, "error"));
  }
  g_assert_true (side_saw (&call->a, "first-check"));
  g_assert_true (side_saw (&call->b, "first-check"));
}

static void
test_roles (void)
{
  g_autoptr (Call) call = call_new ();
  gboolean a, b;

  g_test_summary ("Who offers controls (RFC 8445 6.1.1)");
  call_connect (call);
  g_object_get (call->a.agent, "controlling", &a, NULL);
  g_object_get (call->b.agent, "controlling", &b, NULL);
  g_assert_true (a);
  g_assert_false (b);

  /* No effect any more. */
  g_object_set (call->a.agent, "controlling", FALSE, NULL);
  g_object_get (call->a.agent, "controlling", &a, NULL);
  g_assert_true (a);
}

static void
test_role_conflict (void)
{
  g_autoptr (Call) call = call_new ();
  gboolean a, b;

  g_test_summary ("Both want to control: one of them gives in (7.3.1.1)");
  g_object_set (call->a.agent, "controlling", TRUE, NULL);
  g_object_set (call->b.agent, "controlling", TRUE, NULL);
  call_connect (call);
  wait_until (call_state (call->a.agent) == GST_ICE_STATE_COMPLETED &&
      call_state (call->b.agent) == GST_ICE_STATE_COMPLETED);
  g_object_get (call->a.agent, "controlling", &a, NULL);
  g_object_get (call->b.agent, "controlling", &b, NULL);
  g_assert_true (a != b);
}

/* By credentials and candidates alone, as applications with signalling of their
 * own do. */
static void
pass_lines (GstIceStream *from, GstIceStream *to)
{
  g_autofree gchar *ufrag = NULL, *pwd = NULL, *line = NULL;
  g_autoptr (GError) error = NULL;

  gst_ice_stream_get_local_credentials (from, &ufrag, &pwd);
  line = g_strdup_printf ("a=ice-pwd:%s\r\n", pwd);
  g_assert_true (gst_ice_stream_add_remote_sdp (to, line, &error));
  g_free (line);
  line = g_strdup_printf ("ice-ufrag:%s", ufrag);
  g_assert_true (gst_ice_stream_add_remote_sdp (to, line, &error));
  g_assert_true (
      gst_ice_stream_add_remote_sdp (to, "a=ice-options:ice2", &error));
  g_assert_true (gst_ice_stream_add_remote_sdp (to, "a=ice-pacing:5", &error));
  g_assert_no_error (error);
}

static void
test_by_hand (void)
{
  g_autoptr (Call) call = call_new ();

  g_test_summary ("Without descriptions: credentials line by line, candidates "
                  "before them");
  gst_ice_agent_gather (call->a.agent);
  wait_until (side_saw (&call->a, "end-of-candidates"));
  gst_ice_agent_gather (call->b.agent);
  pass_lines (call->a.stream, call->b.stream);
  pass_lines (call->b.stream, call->a.stream);
  wait_until (is_up (call->a.agent) && is_up (call->b.agent));
  call_exchange (call->a.stream, call->b.stream, 10, 100);
}

static void
test_bad_lines (void)
{
  g_autoptr (Call) call = call_new ();
  GstIceStream *stream = call->a.stream;
  g_autoptr (GError) error = NULL;

  g_test_summary ("Lines that are none are refused and do no harm");
  g_assert_false (gst_ice_stream_add_remote_sdp (stream, "a=mid:0", &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_assert_false (
      gst_ice_stream_add_remote_sdp (stream, "a=candidate:nonsense", &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_CANDIDATE);
  g_clear_error (&error);
  g_assert_false (
      gst_ice_stream_add_remote_sdp (stream, "a=ice-pacing:soon", &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP);
  g_clear_error (&error);
  g_assert_true (
      gst_ice_stream_add_remote_sdp (stream, "a=ice-ufrag:a b", &error));
  g_assert_false (
      gst_ice_stream_add_remote_sdp (stream, "a=ice-pwd:short", &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP);

  /* Without a GError it is the signal that tells. */
  gst_ice_stream_set_remote_credentials (stream, "abcd", "short");
  wait_until (side_saw (&call->a, "error"));
}

static void
test_half_restart (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GError) error = NULL;

  g_test_summary ("New credentials come in pairs (RFC 8839 5.4)");
  gst_ice_stream_set_remote_credentials (
      call->a.stream, "abcd", "abcdefghijklmnopqrstuv");
  g_assert_true (
      gst_ice_stream_add_remote_sdp (call->a.stream, "ice-ufrag:efgh", &error));
  g_assert_false (gst_ice_stream_add_remote_sdp (
      call->a.stream, "ice-pwd:abcdefghijklmnopqrstuv", &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP);
}

#define NEW_UFRAG "signalled"
#define NEW_PWD "abcdefghijklmnopqrstuv"

static void
on_restarted_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gint *n_wrong)
{
  if (g_strcmp0 (gst_ice_candidate_get_ufrag (candidate), NEW_UFRAG) != 0)
    g_atomic_int_inc (n_wrong);
}

static void
test_restart_with_credentials (void)
{
  g_autoptr (Call) call = call_new ();
  g_autofree gchar *ufrag = NULL, *pwd = NULL;
  gint n_wrong = 0;

  g_test_summary ("A restart may be told its credentials, which all of its "
                  "candidates name");
  call_connect (call);
  wait_until (call_state (call->a.agent) == GST_ICE_STATE_COMPLETED);
  wait_until (side_saw (&call->a, "gathering-done"));
  g_ptr_array_set_size (call->a.events, 0);
  g_signal_connect (call->a.agent, "new-candidate",
      G_CALLBACK (on_restarted_candidate), &n_wrong);
  gst_ice_stream_restart_with_credentials (call->a.stream, NEW_UFRAG, NEW_PWD);
  gst_ice_stream_get_local_credentials (call->a.stream, &ufrag, &pwd);
  g_assert_cmpstr (ufrag, ==, NEW_UFRAG);
  g_assert_cmpstr (pwd, ==, NEW_PWD);
  wait_until (side_saw (&call->a, "gathering-done"));
  g_assert_true (side_saw (&call->a, "new-candidate"));
  g_assert_cmpint (g_atomic_int_get (&n_wrong), ==, 0);
  g_signal_handlers_disconnect_by_data (call->a.agent, &n_wrong);

  call_negotiate (call);
  wait_until (side_saw (&call->a, "selected-pair"));
  wait_until (is_up (call->a.agent) && is_up (call->b.agent));
  call_exchange (call->a.stream, call->b.stream, 10, 100);
}

static void
test_restart (void)
{
  g_autoptr (Call) call = call_new ();
  g_autofree gchar *before = NULL, *after = NULL, *peer_before = NULL,
                   *peer_after = NULL;

  g_test_summary ("A restart makes new credentials on both sides, and media "
                  "passes all the time (RFC 8445 9)");
  call_connect (call);
  wait_until (call_state (call->a.agent) == GST_ICE_STATE_COMPLETED);
  gst_ice_stream_get_local_credentials (call->a.stream, &before, NULL);
  gst_ice_stream_get_local_credentials (call->b.stream, &peer_before, NULL);
  gst_ice_agent_restart (call->a.agent);
  gst_ice_stream_get_local_credentials (call->a.stream, &after, NULL);
  g_assert_cmpstr (before, !=, after);
  call_exchange (call->a.stream, call->b.stream, 10, 100);

  g_ptr_array_set_size (call->a.events, 0);
  g_ptr_array_set_size (call->b.events, 0);
  call_negotiate (call);
  gst_ice_stream_get_local_credentials (call->b.stream, &peer_after, NULL);
  g_assert_cmpstr (peer_before, !=, peer_after);
  call_exchange (call->b.stream, call->a.stream, 10, 100);
  wait_until (side_saw (&call->a, "selected-pair") &&
      side_saw (&call->b, "selected-pair"));
  wait_until (side_saw (&call->a, "gathering-done"));
  wait_until (is_up (call->a.agent) && is_up (call->b.agent));
  call_exchange (call->a.stream, call->b.stream, 10, 100);
  call_exchange (call->b.stream, call->a.stream, 10, 100);
}

static void
test_renegotiate (void)
{
  g_autoptr (Call) call = call_new ();

  g_test_summary ("Another offer with the same credentials changes nothing");
  call_connect (call);
  wait_until (call_state (call->a.agent) == GST_ICE_STATE_COMPLETED &&
      call_state (call->b.agent) == GST_ICE_STATE_COMPLETED);
  g_ptr_array_set_size (call->a.events, 0);
  call_negotiate (call);
  call_run_for (200);
  g_assert_false (side_saw (&call->a, "checking"));
  g_assert_false (side_saw (&call->a, "selected-pair"));
  call_exchange (call->a.stream, call->b.stream, 10, 100);
}

static void
test_two_components (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GstIceTransport) a =
      gst_ice_stream_get_transport (call->a.stream, 2);
  g_autoptr (GstIceTransport) b =
      gst_ice_stream_get_transport (call->b.stream, 2);
  g_autoptr (GstIceTransport) again =
      gst_ice_stream_get_transport (call->a.stream, 2);

  g_test_summary ("RTP and RTCP on components of their own");
  g_assert_true (a == again);
  call_connect (call);
  wait_until (transport_state (call->a.stream, 2) == GST_ICE_STATE_COMPLETED &&
      transport_state (call->b.stream, 2) == GST_ICE_STATE_COMPLETED);
}

static void
test_no_mux (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GstIceTransport) rtcp =
      gst_ice_stream_get_transport (call->b.stream, 2);

  g_test_summary ("The answer has no rtcp-mux: the offerer gets a component "
                  "for RTCP too (RFC 5761 5.1.1)");
  gst_ice_agent_gather (call->a.agent);
  wait_until (side_saw (&call->a, "end-of-candidates"));
  call_connect (call);
  wait_until (transport_state (call->a.stream, 2) == GST_ICE_STATE_COMPLETED &&
      transport_state (call->b.stream, 2) == GST_ICE_STATE_COMPLETED);
}

static void
test_late_component (void)
{
  g_autoptr (Call) call = call_new ();

  g_test_summary ("A component that is asked for in mid-call takes part from "
                  "the next restart on");
  call_connect (call);
  wait_until (side_saw (&call->a, "end-of-candidates"));
  gst_object_unref (gst_ice_stream_get_transport (call->a.stream, 2));
  gst_object_unref (gst_ice_stream_get_transport (call->b.stream, 2));
  gst_ice_agent_restart (call->a.agent);
  call_negotiate (call);
  wait_until (transport_state (call->a.stream, 2) == GST_ICE_STATE_COMPLETED &&
      transport_state (call->b.stream, 2) == GST_ICE_STATE_COMPLETED);
  call_exchange (call->a.stream, call->b.stream, 10, 100);
}

static void
on_gathered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  gst_ice_stream_gather_finish (GST_ICE_STREAM (source), result, &error);
  *(gint *) user_data = error ? error->code : -1;
}

static void
test_gather (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "x");
  g_autoptr (GPtrArray) candidates = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GstIceGatheringState state;
  gint result = 0;

  g_test_summary ("Gathering one stream, and waiting for it");
  gst_ice_stream_gather_async (stream, NULL, on_gathered, &result);
  wait_until (result != 0);
  g_assert_cmpint (result, ==, -1);
  candidates = gst_ice_stream_get_local_candidates (stream);
  g_assert_cmpuint (candidates->len, >=, 1);
  g_object_get (agent, "gathering-state", &state, NULL);
  g_assert_cmpint (state, ==, GST_ICE_GATHERING_STATE_COMPLETE);

  result = 0;
  gst_ice_stream_gather_async (stream, NULL, on_gathered, &result);
  wait_until (result == -1);

  result = 0;
  g_cancellable_cancel (cancellable);
  gst_ice_stream_restart (stream);
  gst_ice_stream_gather_async (stream, cancellable, on_gathered, &result);
  wait_until (result != 0);
  g_assert_cmpint (result, ==, G_IO_ERROR_CANCELLED);
}

static void
test_port_range (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "x");
  g_autoptr (GPtrArray) candidates = NULL;
  gint result = 0;

  g_test_summary ("Ports are taken from the range that was set");
  g_object_set (agent, "min-port", 41000, "max-port", 41099, "ip-family",
      GST_ICE_IP_FAMILY_IPV4, NULL);
  gst_ice_stream_gather_async (stream, NULL, on_gathered, &result);
  wait_until (result != 0);
  candidates = gst_ice_stream_get_local_candidates (stream);
  g_assert_cmpuint (candidates->len, ==, 1);
  for (guint i = 0; i < candidates->len; i++) {
    guint port = gst_ice_candidate_get_port (candidates->pdata[i]);

    g_assert_cmpuint (port, >=, 41000);
    g_assert_cmpuint (port, <=, 41099);
    g_assert_null (
        strchr (gst_ice_candidate_get_address (candidates->pdata[i]), ':'));
  }
}

static void
on_warning (GstIceAgent *agent, const GError *error, GError **ret_error)
{
  if (!*ret_error)
    *ret_error = g_error_copy (error);
}

static void
test_no_ports (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "x");
  g_autoptr (GError) error = NULL;

  g_test_summary ("Where no socket can be opened the reason is told, and not "
                  "looked for in the network");
  g_signal_connect (agent, "warning", G_CALLBACK (on_warning), &error);
  g_object_set (agent, "min-port", 41099, "max-port", 41000, NULL);
  gst_ice_agent_gather (agent);
  wait_until (error != NULL);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE);
  g_assert_nonnull (strstr (error->message, "min-port 41099"));
}

static void
test_selected_pair (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GPtrArray) locals = NULL, remotes = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("The application picks a pair; one that is none is an error");
  call_connect (call);
  locals = gst_ice_stream_get_local_candidates (call->a.stream);
  remotes = gst_ice_stream_get_remote_candidates (call->a.stream);
  g_assert_cmpuint (remotes->len, >=, 1);
  g_assert_false (gst_ice_stream_set_selected_pair (
      call->a.stream, 7, locals->pdata[0], remotes->pdata[0], &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  for (guint i = 0; i < remotes->len; i++) {
    if (gst_ice_stream_set_selected_pair (
            call->a.stream, 1, locals->pdata[0], remotes->pdata[i], NULL))
      return;
  }
  g_test_fail_printf ("no remote candidate pairs with the local one");
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent/connect", test_connect);
  g_test_add_func ("/agent/look-alikes", test_look_alikes);
  g_test_add_func ("/agent/events", test_events);
  g_test_add_func ("/agent/roles", test_roles);
  g_test_add_func ("/agent/role-conflict", test_role_conflict);
  g_test_add_func ("/agent/by-hand", test_by_hand);
  g_test_add_func ("/agent/bad-lines", test_bad_lines);
  g_test_add_func ("/agent/half-restart", test_half_restart);
  g_test_add_func ("/agent/restart", test_restart);
  g_test_add_func (
      "/agent/restart-with-credentials", test_restart_with_credentials);
  g_test_add_func ("/agent/renegotiate", test_renegotiate);
  g_test_add_func ("/agent/two-components", test_two_components);
  g_test_add_func ("/agent/no-mux", test_no_mux);
  g_test_add_func ("/agent/late-component", test_late_component);
  g_test_add_func ("/agent/gather", test_gather);
  g_test_add_func ("/agent/port-range", test_port_range);
  g_test_add_func ("/agent/no-ports", test_no_ports);
  g_test_add_func ("/agent/selected-pair", test_selected_pair);
  return call_run_tests ();
}
