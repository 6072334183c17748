/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What users set: agents by name and by context, children, URIs; and what they
 * are told when it is wrong. */
#include "half.h"

#include <string.h>

static void
test_names (void)
{
  g_autoptr (GstElement) src =
      gst_parse_launch ("icesrc agent=alice stream=v component=2", NULL);
  g_autoptr (GstIceAgent) agent = NULL;
  g_autoptr (GstIceAgent) same = gst_ice_agent_get_by_name ("alice");
  g_autofree gchar *stream = NULL;
  guint component;

  g_object_get (
      src, "agent", &agent, "stream", &stream, "component", &component, NULL);
  g_assert_true (agent == same);
  g_assert_cmpstr (stream, ==, "v");
  g_assert_cmpuint (component, ==, 2);
}

static GstIceAgent *
agent_of (GstElement *bin, const gchar *name)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (bin), name);
  GstIceAgent *agent;

  g_object_get (element, "agent", &agent, NULL);
  return agent;
}

static void
test_context (void)
{
  g_autoptr (Half) half =
      half_new ("icesrc name=a ! fakesink icesrc name=b stream=1 ! fakesink "
                "bin.( icesink name=c stream=2 )");
  g_autoptr (Half) other = half_new ("icesrc name=a ! fakesink");
  g_autoptr (GstIceAgent) a = NULL;
  g_autoptr (GstIceAgent) b = NULL;
  g_autoptr (GstIceAgent) c = NULL;
  g_autoptr (GstIceAgent) d = NULL;
  g_autoptr (GstIceAgent) again = NULL;

  g_test_summary ("Elements of one pipeline share an agent, those of two do "
                  "not, and after NULL there is another");
  half_set_state (half, GST_STATE_READY);
  half_set_state (other, GST_STATE_READY);
  a = agent_of (half->pipeline, "a");
  b = agent_of (half->pipeline, "b");
  c = agent_of (half->pipeline, "c");
  d = agent_of (other->pipeline, "a");
  g_assert_nonnull (a);
  g_assert_true (a == b && b == c);
  g_assert_true (a != d);
  half_set_state (half, GST_STATE_NULL);
  half_set_state (half, GST_STATE_READY);
  again = agent_of (half->pipeline, "a");
  g_assert_true (again != a);
}

static void
test_application_context (void)
{
  g_autoptr (Half) half = half_new ("icesrc name=a ! fakesink");
  g_autoptr (GstIceAgent) agent = gst_ice_agent_new ();
  g_autoptr (GstContext) context =
      gst_context_new (GST_ICE_AGENT_CONTEXT_TYPE, TRUE);
  GstIceState state;

  gst_structure_set (gst_context_writable_structure (context), "agent",
      GST_TYPE_ICE_AGENT, agent, NULL);
  gst_element_set_context (half->pipeline, context);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstIceAgent) used = NULL;

    half_set_state (half, GST_STATE_READY);
    used = agent_of (half->pipeline, "a");
    g_assert_true (used == agent);
    half_set_state (half, GST_STATE_NULL);
  }
  g_object_get (agent, "state", &state, NULL);
  g_assert_cmpint (state, !=, GST_ICE_STATE_CLOSED);
}

static void
test_children (void)
{
  g_autoptr (Half) half = half_new (
      "icesrc name=a uri=ice+file:///tmp/x agent::min-port=5000 "
      "agent::max-port=6000 agent::interfaces=lo connect-timeout=7000 "
      "ice-transport-policy=relay stun-server=stun:192.0.2.1 "
      "turn-servers=turn:u:secret@192.0.2.2:3478,turn:v:w@192.0.2.3 ! fakesink "
      "icesrc name=b stream=1 agent::min-port=5000 ! fakesink");
  g_autoptr (GstElement) a =
      gst_bin_get_by_name (GST_BIN (half->pipeline), "a");
  g_autoptr (GstIceAgent) agent = NULL;
  g_autofree gchar *interfaces = NULL, *servers = NULL, *uri = NULL;
  guint min_port, max_port, timeout;
  GstIcePolicy policy;

  g_test_summary (
      "What is set on the child \"agent\" arrives at the agent that "
      "is joined later, and so do the shorthands");
  gst_child_proxy_get (GST_CHILD_PROXY (a), "agent::min-port", &min_port, NULL);
  g_assert_cmpuint (min_port, ==, 5000);
  gst_child_proxy_get (GST_CHILD_PROXY (a), "signaller::uri", &uri, NULL);
  g_assert_cmpstr (uri, ==, "ice+file:///tmp/x");
  g_assert_cmpuint (
      gst_child_proxy_get_children_count (GST_CHILD_PROXY (a)), ==, 2);

  for (guint i = 0; i < 2; i++) {
    g_clear_object (&agent);
    g_clear_pointer (&interfaces, g_free);
    g_clear_pointer (&servers, g_free);
    half_set_state (half, GST_STATE_READY);
    agent = agent_of (half->pipeline, "a");
    g_object_get (agent, "min-port", &min_port, "max-port", &max_port,
        "interfaces", &interfaces, "connect-timeout", &timeout, "policy",
        &policy, "servers", &servers, NULL);
    g_assert_cmpuint (min_port, ==, 5000);
    g_assert_cmpuint (max_port, ==, 6000);
    g_assert_cmpstr (interfaces, ==, "lo");
    g_assert_cmpuint (timeout, ==, 7000);
    g_assert_cmpint (policy, ==, GST_ICE_POLICY_RELAY);
    g_assert_nonnull (strstr (servers, "192.0.2.1"));
    g_assert_nonnull (strstr (servers, "192.0.2.2"));
    g_assert_nonnull (strstr (servers, "192.0.2.3"));
    g_assert_null (strstr (servers, "secret"));
    half_set_state (half, GST_STATE_NULL);
  }
}

static void
test_unknown_children (void)
{
  static const gchar *const lines[] = { "icesrc agent::nothing=1",
    "icesrc signaller::nothing=1", "icesrc signaller=file signaller::nothing=1",
    "icesrc signaller=nobody", "icesrc agent::state=failed" };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) element = gst_parse_launch (lines[i], &error);

    g_test_message ("%s: %s", lines[i], error ? error->message : "taken");
    g_assert_nonnull (error);
  }
}

static void
test_signaller (void)
{
  g_autoptr (GstElement) sink = gst_parse_launch (
      "icesink signaller=file signaller::uri=ice+file:///tmp/y", NULL);
  g_autoptr (GstIceSignaller) signaller = NULL;
  g_autofree gchar *uri = NULL;

  g_object_get (sink, "signaller", &signaller, NULL);
  g_assert_nonnull (signaller);
  g_object_get (signaller, "uri", &uri, NULL);
  g_assert_cmpstr (uri, ==, "ice+file:///tmp/y");
}

typedef struct
{
  const gchar *line;
  GstState state; /* where it fails */
  gint code;      /* GstResourceError */
  const gchar *says;
} Mistake;

static const Mistake mistakes[] = {
  { "icesrc uri=/tmp/call ! fakesink", GST_STATE_READY,
      GST_RESOURCE_ERROR_SETTINGS, "ice+file:///tmp/call" },
  { "icesrc uri=ice+file:// ! fakesink", GST_STATE_READY,
      GST_RESOURCE_ERROR_SETTINGS, "ice+file:///tmp/call" },
  { "icesrc uri=ice+file://tmp/call ! fakesink", GST_STATE_READY,
      GST_RESOURCE_ERROR_SETTINGS, "three slashes" },
  { "icesrc uri=ice+pigeon:coo ! fakesink", GST_STATE_READY,
      GST_RESOURCE_ERROR_SETTINGS, "ice+pigeon" },
  { "icesrc uri=ice+ws://h/r ! fakesink", GST_STATE_READY,
      GST_RESOURCE_ERROR_SETTINGS, "ice+ws" },
  { "icesrc uri=ice+file:///tmp/a stun-server=what ! fakesink", GST_STATE_READY,
      GST_RESOURCE_ERROR_SETTINGS, "stun:" },
  { "icesink uri=ice+file:///tmp/a turn-servers=turn:u:p@h:99999",
      GST_STATE_READY, GST_RESOURCE_ERROR_SETTINGS, "turn:" },
  { "icesrc uri=ice+file:///tmp/a ! fakesink icesink stream=1 "
    "uri=ice+file:///tmp/b",
      GST_STATE_READY, GST_RESOURCE_ERROR_SETTINGS, "one place" },
  { "icesrc agent::min-port=1000 uri=ice+file:///tmp/a ! fakesink icesink "
    "stream=1 agent::min-port=2000",
      GST_STATE_READY, GST_RESOURCE_ERROR_SETTINGS, "min-port" },
  { "icesrc stream=\"\" uri=ice+file:///tmp/a ! fakesink", GST_STATE_READY,
      GST_RESOURCE_ERROR_SETTINGS, "stream" },
  { "icesrc ! fakesink", GST_STATE_PAUSED, GST_RESOURCE_ERROR_SETTINGS, "uri" },
  { "icesrc uri=ice+file:///nowhere/call ! fakesink", GST_STATE_PAUSED, -1,
      "/nowhere/call" },
};

static void
test_mistake (gconstpointer data)
{
  const Mistake *mistake = data;
  g_autoptr (Half) half = half_new ("%s", mistake->line);
  const gint64 start = g_get_monotonic_time ();
  g_autofree gchar *text = NULL, *cause = NULL;

  half->errors_are_expected = TRUE;
  if (mistake->state == GST_STATE_PAUSED)
    half_set_state (half, GST_STATE_READY);
  g_assert_cmpint (gst_element_set_state (half->pipeline, mistake->state), ==,
      GST_STATE_CHANGE_FAILURE);
  half_look (half);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 2 * G_TIME_SPAN_SECOND);
  text = half_complaint (half, GST_MESSAGE_ERROR, &cause);
  g_assert_nonnull (text);
  g_test_message ("%s: %s", mistake->line, text);
  g_assert_nonnull (strstr (text, mistake->says));
  g_assert_nonnull (cause);
}

static void
test_busy (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) a =
      half_new ("fakesrc is-live=true ! icesink uri=ice+file://%s", place);
  g_autoptr (Half) b =
      half_new ("fakesrc is-live=true ! icesink uri=ice+file://%s", place);
  g_autoptr (Half) c =
      half_new ("fakesrc is-live=true ! icesink uri=ice+file://%s", place);
  g_autofree gchar *text = NULL;

  g_test_summary ("Two have a meeting place to themselves");
  half_set_state (a, GST_STATE_PAUSED);
  half_set_state (b, GST_STATE_PAUSED);
  c->errors_are_expected = TRUE;
  g_assert_cmpint (gst_element_set_state (c->pipeline, GST_STATE_PAUSED), ==,
      GST_STATE_CHANGE_FAILURE);
  half_look (c);
  text = half_complaint (c, GST_MESSAGE_ERROR, NULL);
  g_assert_nonnull (strstr (text, "another path"));
}

/* on-disconnect and the peer's bye */
static void
test_bye (gconstpointer data)
{
  const gchar *what = data;
  const gchar *place = half_place ();
  g_autoptr (Half) sender = half_new (
      "videotestsrc is-live=true ! video/x-raw,width=64,height=64 ! vp8enc "
      "deadline=1 ! rtpvp8pay ! icesink on-disconnect=%s uri=ice+file://%s",
      what, place);
  g_autoptr (Half) receiver = half_new (
      "icesrc uri=ice+file://%s ! rtpvp8depay ! vp8dec ! fakesink name=out",
      place);

  half_connect (sender, receiver);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 3);
  sender->errors_are_expected = TRUE;
  half_set_state (receiver, GST_STATE_NULL);
  half_wait (sender, receiver, half_find (sender, "GstIcePeer") != NULL);
  if (g_str_equal (what, "eos"))
    half_wait (sender, receiver, half_count (sender, GST_MESSAGE_EOS) > 0);
  else if (g_str_equal (what, "error"))
    half_wait (sender, receiver, half_count (sender, GST_MESSAGE_ERROR) > 0);
  else { /* Neither an end nor an error: it is there for the next one. */
    const gint n = half_n_buffers (receiver);

    half_set_state (receiver, GST_STATE_PLAYING);
    half_wait (sender, receiver, half_n_buffers (receiver) >= n + 3);
  }
  half_look (sender);
  g_assert_cmpint (
      half_count (sender, GST_MESSAGE_EOS) > 0, ==, g_str_equal (what, "eos"));
  g_assert_cmpint (half_count (sender, GST_MESSAGE_ERROR) > 0, ==,
      g_str_equal (what, "error"));
}

static void
test_stats (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) sender =
      half_new ("videotestsrc is-live=true ! video/x-raw,width=64,height=64 ! "
                "vp8enc deadline=1 ! rtpvp8pay ! icesink name=sink "
                "uri=ice+file://%s",
          place);
  g_autoptr (Half) receiver = half_new (
      "icesrc name=src uri=ice+file://%s ! rtpvp8depay ! vp8dec ! fakesink "
      "name=out",
      place);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (sender->pipeline), "sink");
  g_autoptr (GstElement) src =
      gst_bin_get_by_name (GST_BIN (receiver->pipeline), "src");
  g_autoptr (GstStructure) sent = NULL;
  g_autoptr (GstStructure) received = NULL;
  GstIceState state;

  half_connect (sender, receiver);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 3);
  g_object_get (sink, "stats", &sent, "state", &state, NULL);
  g_object_get (src, "stats", &received, NULL);
  g_assert_true (gst_structure_has_name (sent, "application/x-gst-ice-stats"));
  g_assert_true (gst_structure_has_field (sent, "rendered"));
  g_assert_true (gst_structure_has_field (sent, "dropped"));
  g_assert_true (gst_structure_has_field (sent, "early-data-dropped"));
  g_assert_cmpint (gst_structure_n_fields (received), >, 0);
  g_assert_true (
      state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED);
  g_assert_nonnull (half_find (sender, "GstIceState"));
  g_assert_nonnull (half_find (sender, "GstIceSelectedPair"));
}

static void
test_secret_uri (void)
{
  g_autoptr (GstElement) src =
      gst_object_ref_sink (gst_element_factory_make ("icesrc", NULL));
  g_autoptr (GstPlugin) plugin = gst_plugin_load_by_name ("icemqtt");
  g_autoptr (GstIceSignaller) signaller = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *ca_file = NULL, *uri = NULL;

  g_test_summary (
      "What was set on a signaller stays, though its URI reads back "
      "without password, and without what a misspelled parameter says");
  if (plugin == NULL) {
    g_test_skip ("the plugin icemqtt was not built");
    return;
  }
  g_object_set (src, "uri", "ice+mqtts://alice:s3cret@h/room", NULL);
  gst_child_proxy_set (
      GST_CHILD_PROXY (src), "signaller::ca-file", "/some/file", NULL);
  gst_child_proxy_get (
      GST_CHILD_PROXY (src), "signaller::ca-file", &ca_file, NULL);
  g_assert_cmpstr (ca_file, ==, "/some/file");
  signaller = gst_ice_signaller_new_from_uri (
      "ice+mqtts://alice:s3cret@h:1/a/b?role=offer&secret=s3cret", &error);
  g_assert_no_error (error);
  g_object_set (signaller, "uri",
      "ice+mqtts://alice:s3cret@h:1/a/b?role=offer&%73ecret=s3cret&Secret=s3",
      NULL);
  g_object_get (signaller, "uri", &uri, NULL);
  g_assert_cmpstr (
      uri, ==, "ice+mqtts://alice@h:1/a/b?role=offer&%73ecret&Secret");
}

static void
test_secrets (void)
{
  static const struct
  {
    const gchar *set, *shown;
  } uris[] = {
    { "ice+mqtts://alice:s3cret@h:8883/a/b?secret=s3cret&role=offer",
        "ice+mqtts://alice@h:8883/a/b?secret&role=offer" },
    { "ice+wss://h:8443/room?TOKEN=s3cret", "ice+wss://h:8443/room?TOKEN" },
    { "ice+wss://h/room?s3=s3cret#s3cret", "ice+wss://h/room?s3" },
    { "ice+wss://:s3cret@h/room", "ice+wss://@h/room" },
    { "sips:alice:s3cret@example.org?register=1&password=s3cret",
        "sips:alice@example.org?register=1&password" },
    { "sip:alice@example.org", "sip:alice@example.org" },
    { "ice+wss://a:s3:cr@et@h/", "ice+wss://a@h/" },
    { "ice+wss://a:s3?cret@h/room", "ice+wss://a" },
    { "ice+wss://a:s3#cret@h/room", "ice+wss://a" },
    { "sip:a:s3?cret@h", "sip:a" },
    { "ice+wss://[::1]:8443/room?id=a@b", "ice+wss://[::1]:8443/room?id=a@b" },
    { "ice+ws://:8443/room?listen=1", "ice+ws://:8443/room?listen=1" },
    { "sip:127.0.0.1:5062?listen=1", "sip:127.0.0.1:5062?listen=1" },
    { "sip:h:5061;transport=tls?user=a", "sip:h:5061;transport=tls?user=a" },
    { "ice+file:///tmp/a:b@c?role=answer",
        "ice+file:///tmp/a:b@c?role=answer" },
    { "ice+stdio:", "ice+stdio:" },
    { "nonsense", "nonsense" },
    { NULL, NULL },
  };
  g_autoptr (GstElement) src =
      gst_object_ref_sink (gst_element_factory_make ("icesrc", NULL));
  g_autofree gchar *proxy = NULL;

  g_test_summary (
      "What can be seen of an element, in a drawing of its pipeline "
      "as well, has no password and no token");
  for (gsize i = 0; i < G_N_ELEMENTS (uris); i++) {
    g_autofree gchar *shown = NULL;

    g_object_set (src, "uri", uris[i].set, NULL);
    g_object_get (src, "uri", &shown, NULL);
    g_assert_cmpstr (shown, ==, uris[i].shown);
  }
  gst_child_proxy_set (GST_CHILD_PROXY (src), "agent::proxy",
      "http://carol:s3cret@proxy:3128", NULL);
  gst_child_proxy_get (GST_CHILD_PROXY (src), "agent::proxy", &proxy, NULL);
  g_assert_cmpstr (proxy, ==, "http://carol@proxy:3128");
}

int
main (int argc, char **argv)
{
  half_init (&argc, &argv);
  g_test_add_func ("/settings/names", test_names);
  g_test_add_func ("/settings/context", test_context);
  g_test_add_func ("/settings/context/application", test_application_context);
  g_test_add_func ("/settings/children", test_children);
  g_test_add_func ("/settings/children/unknown", test_unknown_children);
  g_test_add_func ("/settings/signaller", test_signaller);
  for (gsize i = 0; i < G_N_ELEMENTS (mistakes); i++) {
    g_autofree gchar *name =
        g_strdup_printf ("/settings/mistakes/%" G_GSIZE_FORMAT, i);

    g_test_add_data_func (name, &mistakes[i], test_mistake);
  }
  g_test_add_func ("/settings/busy", test_busy);
  g_test_add_data_func ("/settings/bye/wait", "wait", test_bye);
  g_test_add_data_func ("/settings/bye/eos", "eos", test_bye);
  g_test_add_data_func ("/settings/bye/error", "error", test_bye);
  g_test_add_func ("/settings/secrets", test_secrets);
  g_test_add_func ("/settings/secrets/signaller", test_secret_uri);
  g_test_add_func ("/settings/stats", test_stats);
  return half_run ();
}
