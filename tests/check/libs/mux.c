/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many agents on one UDP port. */
#include "call.h"
#include "stranger.h"

#include <string.h>

/* Agents */

#define N_CALLS 100

static Call *
new_call (guint16 port, GstIceIpFamily family)
{
  Call *call = call_new ();

  g_object_set (call->a.agent, "mux-port", (guint) port, "ip-family", family,
      "min-port", 20000, "max-port", 29999, NULL);
  g_object_set (call->b.agent, "ip-family", family, NULL);
  return call;
}

static void
assert_on_port (GstIceStream *stream, guint16 port)
{
  g_autoptr (GPtrArray) candidates =
      gst_ice_stream_get_local_candidates (stream);

  g_assert_cmpuint (candidates->len, >, 0);
  for (guint i = 0; i < candidates->len; i++)
    g_assert_cmpuint (
        gst_ice_candidate_get_port (candidates->pdata[i]), ==, port);
}

static gboolean
all_connected (GPtrArray *calls)
{
  for (guint i = 0; i < calls->len; i++) {
    const Call *call = calls->pdata[i];
    const GstIceState a = call_state (call->a.agent);
    const GstIceState b = call_state (call->b.agent);

    if ((a != GST_ICE_STATE_CONNECTED && a != GST_ICE_STATE_COMPLETED) ||
        (b != GST_ICE_STATE_CONNECTED && b != GST_ICE_STATE_COMPLETED))
      return FALSE;
  }
  return TRUE;
}

static guint64
count_dropped (GstIceAgent *agent, guint port)
{
  g_autoptr (GstStructure) stats = gst_ice_agent_get_stats (agent);
  g_autofree gchar *name = g_strdup_printf ("mux-port-%u", port);
  g_autoptr (GstStructure) mux = NULL;
  guint64 n = 0;

  g_assert_true (
      gst_structure_get (stats, name, GST_TYPE_STRUCTURE, &mux, NULL));
  g_assert_true (gst_structure_get_uint64 (mux, "packets-dropped", &n));
  return n;
}

static void
send_one (GstIceStream *stream)
{
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (stream, 1);
  g_autoptr (GBytes) packet = g_bytes_new_static ("\x80 late", 6);

  gst_ice_transport_send (transport, packet, NULL);
}

static void
test_many_agents (void)
{
  g_autoptr (GPtrArray) calls =
      g_ptr_array_new_with_free_func ((GDestroyNotify) call_free);
  const guint16 port = find_free_port ();
  guint64 dropped;

  g_test_summary ("A hundred agents on one port, IPv4 and IPv6, each with its "
                  "own media; those that go in mid-flow take nothing along");
  for (guint i = 0; i < N_CALLS; i++) {
    Call *call = new_call (
        port, i % 4 == 3 ? GST_ICE_IP_FAMILY_IPV6 : GST_ICE_IP_FAMILY_IPV4);

    g_ptr_array_add (calls, call);
    call_negotiate (call);
  }
  wait_until (all_connected (calls));
  for (guint i = 0; i < N_CALLS; i++) {
    Call *call = calls->pdata[i];

    assert_on_port (call->a.stream, port);
    call_exchange (call->a.stream, call->b.stream, 20, 200);
    call_exchange (call->b.stream, call->a.stream, 20, 200);
  }

  /* Half of them go, whose peers go on sending. */
  for (guint i = 0; i < N_CALLS; i += 2)
    side_clear (&((Call *) calls->pdata[i])->a);
  dropped = count_dropped (((Call *) calls->pdata[1])->a.agent, port);
  wait_until (({
    for (guint i = 0; i < N_CALLS; i += 2)
      send_one (((Call *) calls->pdata[i])->b.stream);
    count_dropped (((Call *) calls->pdata[1])->a.agent, port) >=
        dropped + N_CALLS / 2;
  }));
  for (guint i = 1; i < N_CALLS; i += 2) {
    Call *call = calls->pdata[i];

    call_exchange (call->a.stream, call->b.stream, 20, 200);
    call_exchange (call->b.stream, call->a.stream, 20, 200);
  }
  g_assert_false (is_free (port));
  g_ptr_array_set_size (calls, 0);
  wait_until (is_free (port));
}

static void
test_restart (void)
{
  g_autoptr (Call) call = NULL, other = NULL;
  const guint16 port = find_free_port ();
  g_autofree gchar *before = NULL, *after = NULL;

  g_test_summary (
      "After a restart checks are found by the new credentials, and "
      "the neighbour is not disturbed");
  call = new_call (port, GST_ICE_IP_FAMILY_IPV4);
  other = new_call (port, GST_ICE_IP_FAMILY_IPV4);
  call_connect (call);
  call_connect (other);
  gst_ice_stream_get_local_credentials (call->a.stream, &before, NULL);
  gst_ice_agent_restart (call->a.agent);
  call_connect (call);
  gst_ice_stream_get_local_credentials (call->a.stream, &after, NULL);
  g_assert_cmpstr (before, !=, after);
  call_exchange (call->a.stream, call->b.stream, 10, 100);
  call_exchange (call->b.stream, call->a.stream, 10, 100);
  call_exchange (other->b.stream, other->a.stream, 10, 100);
  assert_on_port (call->a.stream, port);
}

static void
on_error (GstIceAgent *agent, const GError *error, GError **ret_error)
{
  if (!*ret_error)
    *ret_error = g_error_copy (error);
}

static void
test_hostile_ufrag (void)
{
  const guint16 port = find_free_port ();
  g_autoptr (Call) call = new_call (port, GST_ICE_IP_FAMILY_IPV4);
  g_autoptr (Call) other = new_call (port, GST_ICE_IP_FAMILY_IPV4);
  g_autofree gchar *ufrag = NULL, *username = NULL;
  guint64 dropped;
  Stranger evil;

  g_test_summary (
      "Who knows a user fragment and no password gets an error, and "
      "its media goes nowhere");
  call_connect (call);
  call_connect (other);
  gst_ice_stream_get_local_credentials (call->a.stream, &ufrag, NULL);
  username = g_strdup_printf ("%s:evil", ufrag);
  stranger_init (&evil);
  dropped = count_dropped (call->a.agent, port);
  for (guint i = 0; i < 50; i++) {
    stranger_send_stun (&evil, port, ICE_STUN_REQUEST, (guint8) i, username);
    stranger_send (&evil, port, "\x80 evil", 6);
  }
  wait_until (count_dropped (call->a.agent, port) >= dropped + 50);
  g_assert_cmpuint (count_dropped (call->a.agent, port), ==, dropped + 50);
  /* 400: there was no MESSAGE-INTEGRITY (RFC 8489 9.1.3). */
  wait_until (g_socket_condition_check (evil.socket, G_IO_IN) != 0);
  call_exchange (call->b.stream, call->a.stream, 10, 100);
  call_exchange (other->b.stream, other->a.stream, 10, 100);
  stranger_clear (&evil);
}

static void
test_same_ufrag (void)
{
  const guint16 port = find_free_port ();
  g_autoptr (Call) call = new_call (port, GST_ICE_IP_FAMILY_IPV4);
  g_autoptr (Call) other = new_call (port, GST_ICE_IP_FAMILY_IPV4);
  g_autoptr (GError) error = NULL;

  g_test_summary ("Two agents of one user fragment are told so, and the first "
                  "one keeps it");
  gst_ice_stream_set_local_credentials (
      call->a.stream, "same", "aaaaaaaaaaaaaaaaaaaaaa");
  gst_ice_stream_set_local_credentials (
      other->a.stream, "same", "bbbbbbbbbbbbbbbbbbbbbb");
  g_signal_connect (other->a.agent, "warning", G_CALLBACK (on_error), &error);
  call_connect (call);
  gst_ice_agent_gather (other->a.agent);
  wait_until (error);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE);
  g_assert_nonnull (strstr (error->message, "ice-ufrag"));
  g_assert_null (strstr (error->message, "same ice-ufrag same"));
  call_exchange (call->b.stream, call->a.stream, 10, 100);
  g_signal_handlers_disconnect_by_data (other->a.agent, &error);
}

static void
test_taken (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "x");
  g_autoptr (GError) error = NULL;
  g_autofree gchar *name = NULL;
  Stranger stranger;

  g_test_summary ("A port that is another process's, and one that is named too "
                  "late, are errors that say so");
  g_assert_nonnull (stream);
  stranger_init (&stranger);
  name = g_strdup_printf ("mux-port %u", stranger.address.port);
  g_signal_connect (agent, "warning", G_CALLBACK (on_error), &error);
  g_signal_connect (agent, "error", G_CALLBACK (on_error), &error);
  g_object_set (agent, "mux-port", (guint) stranger.address.port, "ip-family",
      GST_ICE_IP_FAMILY_IPV4, NULL);
  gst_ice_agent_gather (agent);
  wait_until (error);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE);
  g_assert_nonnull (strstr (error->message, name));

  g_clear_error (&error);
  g_object_set (agent, "mux-port", 5, NULL);
  wait_until (error);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE);
  g_assert_nonnull (strstr (error->message, "mux-port 5"));
  g_signal_handlers_disconnect_by_data (agent, &error);
  stranger_clear (&stranger);
}

static void
test_second_component (void)
{
  const guint16 port = find_free_port ();
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "x");
  g_autoptr (GstIceTransport) rtcp = gst_ice_stream_get_transport (stream, 2);
  g_autoptr (GPtrArray) candidates = NULL;

  g_test_summary ("Components share a user fragment, so the second one has a "
                  "port of its own, in the range that was set");
  g_object_set (agent, "mux-port", (guint) port, "ip-family",
      GST_ICE_IP_FAMILY_IPV4, "min-port", 20000, "max-port", 29999, NULL);
  gst_ice_agent_gather (agent);
  wait_until (({
    g_clear_pointer (&candidates, g_ptr_array_unref);
    candidates = gst_ice_stream_get_local_candidates (stream);
    candidates->len == 2;
  }));
  for (guint i = 0; i < 2; i++) {
    const GstIceCandidate *candidate = candidates->pdata[i];
    const guint at = gst_ice_candidate_get_port (candidate);

    if (gst_ice_candidate_get_component (candidate) == 1)
      g_assert_cmpuint (at, ==, port);
    else
      g_assert_true (at >= 20000 && at <= 29999);
  }
}

static gboolean
is_up (GstIceAgent *agent)
{
  const GstIceState state = call_state (agent);

  return state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED;
}

static void
answer_offer (GstIceAgent *peer, GstIceAgent *agent, const gchar *offer)
{
  g_autofree gchar *answer = NULL;
  g_autoptr (GError) error = NULL;

  gst_ice_agent_set_remote_description (peer, "offer", offer, &error);
  g_assert_no_error (error);
  answer = gst_ice_agent_create_answer (peer, &error);
  g_assert_no_error (error);
  gst_ice_agent_set_remote_description (agent, "answer", answer, &error);
  g_assert_no_error (error);
}

static void
test_forks (void)
{
  const guint16 port = find_free_port ();
  g_autoptr (Call) other = new_call (port, GST_ICE_IP_FAMILY_IPV4);
  g_autofree gchar *first = NULL, *offer = NULL;
  g_autoptr (GError) error = NULL;
  Side agents[2] = { { 0 } }, peers[2] = { { 0 } };

  g_test_summary ("Two answers to one offer and another agent, on one port "
                  "(RFC 8839 7)");
  call_connect (other);
  side_init (&agents[0], call_new_agent ());
  g_object_set (agents[0].agent, "mux-port", (guint) port, "ip-family",
      GST_ICE_IP_FAMILY_IPV4, NULL);
  first = gst_ice_agent_create_offer (agents[0].agent, &error);
  wait_until (side_saw (&agents[0], "gathering-done"));
  offer = gst_ice_agent_create_offer (agents[0].agent, &error);
  side_init (&agents[1], gst_ice_agent_fork (agents[0].agent, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < 2; i++) {
    side_init (&peers[i], call_new_agent ());
    answer_offer (peers[i].agent, agents[i].agent, offer);
  }
  for (guint i = 0; i < 2; i++) {
    wait_until (is_up (agents[i].agent) && is_up (peers[i].agent));
    assert_on_port (agents[i].stream, port);
  }
  for (guint i = 0; i < 2; i++) {
    call_exchange (agents[i].stream, peers[i].stream, 20, 100 + i);
    call_exchange (peers[i].stream, agents[i].stream, 20, 200 + i);
  }
  call_exchange (other->b.stream, other->a.stream, 20, 300);
  side_clear (&agents[0]);
  call_exchange (peers[1].stream, agents[1].stream, 20, 200);
  side_clear (&agents[1]);
  for (guint i = 0; i < 2; i++)
    side_clear (&peers[i]);
}

/* To its peer each of them is at the address that it is at itself. */
static void
test_each_other (void)
{
  g_autoptr (GPtrArray) calls =
      g_ptr_array_new_with_free_func ((GDestroyNotify) call_free);
  const guint16 port = find_free_port ();

  for (guint i = 0; i < 5; i++) {
    Call *call = new_call (port, GST_ICE_IP_FAMILY_IPV4);

    g_object_set (call->b.agent, "mux-port", (guint) port, "min-port", 20000,
        "max-port", 29999, NULL);
    g_ptr_array_add (calls, call);
    call_negotiate (call);
  }
  wait_until (all_connected (calls));
  for (guint i = 0; i < calls->len; i++) {
    Call *call = calls->pdata[i];

    call_exchange (call->a.stream, call->b.stream, 20, 200);
    call_exchange (call->b.stream, call->a.stream, 20, 200);
  }
}

int
main (int argc, char *argv[])
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent/mux-port/many-agents", test_many_agents);
  g_test_add_func ("/agent/mux-port/restart", test_restart);
  g_test_add_func ("/agent/mux-port/hostile-ufrag", test_hostile_ufrag);
  g_test_add_func ("/agent/mux-port/same-ufrag", test_same_ufrag);
  g_test_add_func ("/agent/mux-port/taken", test_taken);
  g_test_add_func ("/agent/mux-port/second-component", test_second_component);
  g_test_add_func ("/agent/mux-port/forks", test_forks);
  g_test_add_func ("/agent/mux-port/each-other", test_each_other);
  return call_run_tests ();
}
