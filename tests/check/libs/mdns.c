/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agents with names in place of addresses, on loopback. */
#include "call.h"

#include <string.h>

static const gchar LOOPBACK[] = "127.0.0.1";

/* Everything that an application can see of the agent's candidates. */
static gchar *
describe (GstIceAgent *agent)
{
  g_autoptr (GstStructure) stats = gst_ice_agent_get_stats (agent);
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (agent);
  g_autofree gchar *sdp = gst_ice_agent_create_offer (agent, NULL);
  g_autofree gchar *text = gst_structure_to_string (stats);
  /* The o= line says 127.0.0.1 of everybody (RFC 8829 5.2.1). */
  GString *all = g_string_new (strstr (sdp, "\r\nt=0 0"));

  g_string_append (all, text);
  for (guint i = 0; i < streams->len; i++) {
    g_autoptr (GPtrArray) candidates =
        gst_ice_stream_get_local_candidates (streams->pdata[i]);

    for (guint j = 0; j < candidates->len; j++) {
      g_autofree gchar *line = gst_ice_candidate_to_sdp (candidates->pdata[j]);

      g_string_append (all, line);
      g_string_append (
          all, gst_ice_candidate_get_address (candidates->pdata[j]));
      g_assert_null (
          gst_ice_candidate_get_related_address (candidates->pdata[j]));
    }
  }
  return g_string_free (all, FALSE);
}

static void
test_hidden (void)
{
  g_autoptr (Call) call = call_new ();
  g_autofree gchar *sdp = NULL, *all = NULL;

  g_object_set (call->a.agent, "mdns", GST_ICE_MDNS_PUBLISH, NULL);
  gst_ice_agent_gather (call->a.agent);
  wait_until (side_saw (&call->a, "gathering-done"));
  sdp = gst_ice_agent_create_offer (call->a.agent, NULL);
  g_test_message ("%s", sdp);
  g_assert_nonnull (strstr (sdp, ".local "));
  /* The mDNS draft, 3.1.2.4: neither the name nor the address. */
  g_assert_nonnull (strstr (sdp, "c=IN IP4 0.0.0.0\r\n"));
  g_assert_nonnull (strstr (sdp, "\r\nm=application 9 "));
  all = describe (call->a.agent);
  g_assert_null (strstr (all, LOOPBACK));
}

static gboolean
is_connected (GstIceAgent *agent)
{
  const GstIceState state = call_state (agent);

  return state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED;
}

/* One hides, and connects to one that does not. */
static void
test_connects (void)
{
  g_autoptr (Call) call = call_new ();
  g_autofree gchar *hider = NULL;

  g_object_set (call->a.agent, "mdns", GST_ICE_MDNS_PUBLISH, NULL);
  call_negotiate (call);
  wait_until (is_connected (call->a.agent) && is_connected (call->b.agent));
  call_exchange (call->a.stream, call->b.stream, 20, 100);
  hider = describe (call->b.agent);
  g_assert_nonnull (strstr (hider, LOOPBACK)); /* b's own */
}

/* Off: the name is not looked up, and not an error. */
static void
test_off (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "0");
  g_autoptr (GPtrArray) remotes = NULL;
  g_autoptr (GError) error = NULL;
  GstIceMdns mdns;

  g_object_get (agent, "mdns", &mdns, NULL);
  g_assert_cmpint (mdns, ==, GST_ICE_MDNS_RESOLVE);
  g_object_set (agent, "mdns", GST_ICE_MDNS_OFF, NULL);
  gst_ice_stream_set_remote_credentials (
      stream, "abcd", "abcdefghijklmnopqrstuv");
  gst_ice_stream_add_remote_sdp (
      stream, "a=candidate:1 1 udp 2122262783 a.local 54596 typ host", &error);
  g_assert_no_error (error);
  remotes = gst_ice_stream_get_remote_candidates (stream);
  g_assert_cmpuint (remotes->len, ==, 0);
}

/* From text, as gst-launch and child proxies set it. */
static void
test_from_text (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  GstIceMdns mdns;

  gst_util_set_object_arg (G_OBJECT (agent), "mdns", "publish");
  g_object_get (agent, "mdns", &mdns, NULL);
  g_assert_cmpint (mdns, ==, GST_ICE_MDNS_PUBLISH);
}

/* The agent goes while a name is asked for and its own is announced. */
static void
test_lifetime (void)
{
  for (guint i = 0; i < 20; i++) {
    g_autoptr (GstIceAgent) agent = call_new_agent ();
    g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "0");

    g_object_set (agent, "mdns", GST_ICE_MDNS_PUBLISH, NULL);
    gst_ice_agent_gather (agent);
    gst_ice_stream_add_remote_sdp (
        stream, "candidate:1 1 udp 2122262783 a.local 54596 typ host", NULL);
    call_run_for (i);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mdns-ice-candidates/3.1.2.4/hidden", test_hidden);
  g_test_add_func ("/mdns/connects", test_connects);
  g_test_add_func ("/mdns/off", test_off);
  g_test_add_func ("/mdns/from-text", test_from_text);
  g_test_add_func ("/mdns/lifetime", test_lifetime);
  return call_run_tests ();
}
