/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agents whose UDP candidates nobody is told: media goes over TCP. */
#include "call.h"

#include <string.h>

/* Of the candidate lines those with @kept, such as " TCP ". */
static gchar *
strip (const gchar *sdp, const gchar *kept)
{
  g_auto (GStrv) lines = g_strsplit (sdp, "\r\n", -1);
  GString *text = g_string_new (NULL);

  for (guint i = 0; lines[i] && *lines[i]; i++) {
    if (!g_str_has_prefix (lines[i], "a=candidate:") || strstr (lines[i], kept))
      g_string_append_printf (text, "%s\r\n", lines[i]);
  }
  return g_string_free (text, FALSE);
}

static void
forward_tcp (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer peer)
{
  g_autofree gchar *mid = gst_object_get_name (GST_OBJECT (stream));
  g_autofree gchar *line = gst_ice_candidate_to_sdp (candidate);
  g_autoptr (GError) error = NULL;

  if (strcmp (gst_ice_candidate_get_protocol (candidate), "tcp") != 0)
    return;
  gst_ice_agent_add_remote_candidate (peer, mid, line, &error);
  g_assert_no_error (error);
}

static void
forward_end (GstIceAgent *agent, GstIceStream *stream, gpointer peer)
{
  g_autofree gchar *mid = gst_object_get_name (GST_OBJECT (stream));

  gst_ice_agent_add_remote_candidate (peer, mid, "", NULL);
}

static void
wire (Side *side, GstIceAgent *peer, GstIceTcpPolicy policy)
{
  side->peer = NULL;
  g_object_set (side->agent, "tcp", policy, NULL);
  g_signal_connect_object (
      side->agent, "new-candidate", G_CALLBACK (forward_tcp), peer, 0);
  g_signal_connect_object (
      side->agent, "end-of-candidates", G_CALLBACK (forward_end), peer, 0);
}

static gboolean
is_completed (const Call *call)
{
  return call_state (call->a.agent) == GST_ICE_STATE_COMPLETED &&
      call_state (call->b.agent) == GST_ICE_STATE_COMPLETED;
}

static void
negotiate (Call *call, const gchar *kept)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *offer = NULL, *answer = NULL, *stripped = NULL;

  offer = gst_ice_agent_create_offer (call->a.agent, &error);
  g_assert_no_error (error);
  stripped = strip (offer, kept);
  gst_ice_agent_set_remote_description (
      call->b.agent, "offer", stripped, &error);
  g_assert_no_error (error);
  answer = gst_ice_agent_create_answer (call->b.agent, &error);
  g_assert_no_error (error);
  g_free (stripped);
  stripped = strip (answer, kept);
  gst_ice_agent_set_remote_description (
      call->a.agent, "answer", stripped, &error);
  g_assert_no_error (error);
}

static Call *
connect_by_tcp (GstIceTcpPolicy a, GstIceTcpPolicy b)
{
  Call *call = call_new ();

  wire (&call->a, call->b.agent, a);
  wire (&call->b, call->a.agent, b);
  negotiate (call, " TCP ");
  wait_until (is_completed (call));
  return call;
}

static void
assert_selected (GstIceStream *stream, const gchar *type)
{
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (stream, 1);
  g_autoptr (GstIceCandidate) local = NULL;

  g_object_get (transport, "selected-local", &local, NULL);
  g_assert_cmpstr (gst_ice_candidate_get_protocol (local), ==, "tcp");
  if (type)
    g_assert_cmpstr (gst_ice_candidate_get_tcp_type (local), ==, type);
}

static void
test_active_passive (void)
{
  static const GstIceTcpPolicy rows[][2] = {
    { GST_ICE_TCP_POLICY_ACTIVE, GST_ICE_TCP_POLICY_PASSIVE },
    { GST_ICE_TCP_POLICY_PASSIVE, GST_ICE_TCP_POLICY_ACTIVE },
    { GST_ICE_TCP_POLICY_ALL, GST_ICE_TCP_POLICY_ALL },
  };

  g_test_summary ("Media flows both ways over TCP, whoever connects; large "
                  "packets and small ones keep their bounds (RFC 4571)");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Call) call = connect_by_tcp (rows[i][0], rows[i][1]);

    if (i < 2) {
      assert_selected (call->a.stream, i == 0 ? "active" : "passive");
      assert_selected (call->b.stream, i == 0 ? "passive" : "active");
    }
    call_exchange (call->a.stream, call->b.stream, 100, 1000);
    call_exchange (call->b.stream, call->a.stream, 100, 1000);
    call_exchange (call->a.stream, call->b.stream, 50, 2);
    call_exchange (call->b.stream, call->a.stream, 3, 60000);
  }
}

/* Only the lines of simultaneous-open candidates are told. */
static void
forward_so (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer peer)
{
  if (g_strcmp0 (gst_ice_candidate_get_tcp_type (candidate), "so") == 0)
    forward_tcp (agent, stream, candidate, peer);
}

static void
test_simultaneous_open (void)
{
  g_autoptr (Call) call = call_new ();

  g_test_summary ("Two simultaneous-open candidates connect, from the ports "
                  "that listen (RFC 6544 7.1)");
  for (Side *side = &call->a; side <= &call->b; side++) {
    GstIceAgent *peer = side == &call->a ? call->b.agent : call->a.agent;

    side->peer = NULL;
    g_object_set (side->agent, "tcp", GST_ICE_TCP_POLICY_ALL, NULL);
    g_signal_connect_object (
        side->agent, "new-candidate", G_CALLBACK (forward_so), peer, 0);
    g_signal_connect_object (
        side->agent, "end-of-candidates", G_CALLBACK (forward_end), peer, 0);
  }
  negotiate (call, "tcptype so");
  wait_until (is_completed (call));
  assert_selected (call->a.stream, "so");
  call_exchange (call->a.stream, call->b.stream, 100, 1000);
  call_exchange (call->b.stream, call->a.stream, 100, 1000);
}

static void
test_peer_closes (void)
{
  g_autoptr (Call) call =
      connect_by_tcp (GST_ICE_TCP_POLICY_ACTIVE, GST_ICE_TCP_POLICY_PASSIVE);

  g_test_summary ("The peer's end ends the connection, and refuses another: "
                  "failed at once, not when consent ends");
  gst_ice_agent_close_async (call->b.agent, NULL, NULL, NULL);
  wait_until (call_state (call->a.agent) == GST_ICE_STATE_FAILED);
}

static void
test_property (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  GstIceTcpPolicy policy;

  g_object_get (agent, "tcp", &policy, NULL);
  g_assert_cmpint (policy, ==, GST_ICE_TCP_POLICY_NONE);
  gst_util_set_object_arg (G_OBJECT (agent), "tcp", "passive");
  g_object_get (agent, "tcp", &policy, NULL);
  g_assert_cmpint (policy, ==, GST_ICE_TCP_POLICY_PASSIVE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/tcp/property", test_property);
  g_test_add_func ("/tcp/active-passive", test_active_passive);
  g_test_add_func ("/tcp/simultaneous-open", test_simultaneous_open);
  g_test_add_func ("/tcp/peer-closes", test_peer_closes);
  return call_run_tests ();
}
