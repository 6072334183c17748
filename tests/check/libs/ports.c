/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where agents are reached: external-addresses, interfaces, ports. */
#include "call.h"

#include <string.h>

static void
on_error (GstIceAgent *agent, const GError *error, GError **ret_error)
{
  if (!*ret_error)
    *ret_error = g_error_copy (error);
}

static void
test_wrong_addresses (void)
{
  static const struct
  {
    const gchar *text, *name;
  } rows[] = {
    { "1.2.3", "“1.2.3”" },
    { "example.org", "“example.org”" },
    { "1.2.3.4:5000", "“1.2.3.4:5000”" },
    { "1.2.3.4,", "“”" },
    { "=10.0.0.1", "“”" },
    { "1.2.3.4=eth0", "“eth0”" },
    { "1.2.3.4=2001:db8::1", "IP version" },
    { "0.0.0.0", "“0.0.0.0”" },
    { "224.0.0.1=10.0.0.1", "“224.0.0.1”" },
    { "1.2.3.4,5.6.7.8", "second time" },
    { "1.2.3.4=10.0.0.1, 5.6.7.8=10.0.0.1", "second time" },
    { "1.1.1.1=10.0.0.1,1.1.1.1=10.0.0.2,1.1.1.1=10.0.0.3,1.1.1.1=10.0.0.4,"
      "1.1.1.1=10.0.0.5,1.1.1.1=10.0.0.6,1.1.1.1=10.0.0.7,1.1.1.1=10.0.0.8,"
      "1.1.1.1=10.0.1.1,1.1.1.1=10.0.1.2,1.1.1.1=10.0.1.3,1.1.1.1=10.0.1.4,"
      "1.1.1.1=10.0.1.5,1.1.1.1=10.0.1.6,1.1.1.1=10.0.1.7,1.1.1.1=10.0.1.8,"
      "1.1.1.1=10.0.2.1",
        "more than 16" },
  };

  g_test_summary ("Wrong text in external-addresses changes nothing, and an "
                  "error names it and the cure");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstIceAgent) agent = call_new_agent ();
    g_autoptr (GError) error = NULL;
    g_autofree gchar *text = NULL;

    g_object_set (agent, "external-addresses", "1.2.3.4=127.0.0.1", NULL);
    g_signal_connect (agent, "error", G_CALLBACK (on_error), &error);
    g_object_set (agent, "external-addresses", rows[i].text, NULL);
    wait_until (error);
    g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT);
    g_assert_nonnull (strstr (error->message, "external-addresses"));
    g_assert_nonnull (strstr (error->message, rows[i].name));
    g_assert_nonnull (strstr (error->message, "write ADDRESS"));
    g_object_get (agent, "external-addresses", &text, NULL);
    g_assert_cmpstr (text, ==, "1.2.3.4=127.0.0.1");
    g_signal_handlers_disconnect_by_data (agent, &error);
  }
}

static void
test_mapped_replaces (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GPtrArray) candidates = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("Host candidates carry the address that a 1:1 NAT gives them,"
                  " and peers on this side of it connect all the same");
  g_signal_connect (call->a.agent, "error", G_CALLBACK (on_error), &error);
  g_object_set (call->a.agent, "external-addresses",
      " 203.0.113.9 = 127.0.0.1 ,2001:db8::9", NULL);
  call_connect (call);
  g_assert_no_error (error);
  candidates = gst_ice_stream_get_local_candidates (call->a.stream);
  for (guint i = 0; i < candidates->len; i++) {
    const GstIceCandidate *candidate = candidates->pdata[i];
    const gchar *ip = gst_ice_candidate_get_address (candidate);

    g_assert_cmpstr (ip, !=, "127.0.0.1");
    g_assert_true (g_str_equal (ip, "203.0.113.9") || g_str_equal (ip, "::1"));
  }
  g_assert_cmpuint (candidates->len, >, 0);
  call_exchange (call->a.stream, call->b.stream, 10, 100);
  call_exchange (call->b.stream, call->a.stream, 10, 100);
}

static void
test_wrong_filters (void)
{
  static const gchar *const properties[] = { "interfaces",
    "ignore-interfaces" };
  static const gchar *const rows[] = { "eth0 eth1", "10.0.0.0/33", "10.0.0",
    "fe80::/129", "lo,", "300.1.2.3", "an-interface-of-16-", "1.2.3.4:5" };

  g_test_summary ("Wrong items of interfaces and ignore-interfaces are errors "
                  "that name them and the cure, and change nothing");
  for (guint i = 0; i < G_N_ELEMENTS (properties); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (rows); j++) {
      g_autoptr (GstIceAgent) agent = call_new_agent ();
      g_autoptr (GError) error = NULL;
      g_autofree gchar *text = NULL;

      g_object_set (agent, properties[i], "lo", NULL);
      g_signal_connect (agent, "error", G_CALLBACK (on_error), &error);
      g_object_set (agent, properties[i], rows[j], NULL);
      wait_until (error);
      g_assert_nonnull (strstr (error->message, "is not an interface name"));
      g_assert_nonnull (strstr (error->message, "10.0.0.0/8"));
      g_object_get (agent, properties[i], &text, NULL);
      g_assert_cmpstr (text, ==, "lo");
      g_signal_handlers_disconnect_by_data (agent, &error);
    }
  }
}

typedef struct
{
  const gchar *interfaces, *ignore;
  GstIceIpFamily family;
  gboolean ipv4, ipv6;
} Choice;

static void
test_filters (void)
{
  static const Choice rows[] = {
    { "lo", NULL, GST_ICE_IP_FAMILY_ANY, TRUE, TRUE },
    { "lo", NULL, GST_ICE_IP_FAMILY_IPV4, TRUE, FALSE },
    { "lo", NULL, GST_ICE_IP_FAMILY_IPV6, FALSE, TRUE },
    { "127.0.0.1", NULL, GST_ICE_IP_FAMILY_ANY, TRUE, FALSE },
    { "::1", NULL, GST_ICE_IP_FAMILY_ANY, FALSE, TRUE },
    { "127.0.0.0/8,::1", "127.0.0.1", GST_ICE_IP_FAMILY_ANY, FALSE, TRUE },
    { "127.0.0.0/8,::1", "::1/128", GST_ICE_IP_FAMILY_ANY, TRUE, FALSE },
    { "127.0.0.0/8,::1", "lo", GST_ICE_IP_FAMILY_ANY, FALSE, FALSE },
    { "127.0.0.0/8,::1", "::1", GST_ICE_IP_FAMILY_IPV6, FALSE, FALSE },
    /* A name is meant, whatever else is said. */
    { "l*", "127.0.0.0/8,lo", GST_ICE_IP_FAMILY_ANY, TRUE, TRUE },
  };

  g_test_summary ("interfaces, ignore-interfaces and ip-family, together");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Side side = { 0 };
    g_autoptr (GPtrArray) candidates = NULL;
    gboolean ipv4 = FALSE, ipv6 = FALSE;

    side_init (&side, call_new_agent ());
    g_object_set (side.agent, "interfaces", rows[i].interfaces,
        "ignore-interfaces", rows[i].ignore, "ip-family", rows[i].family,
        "min-port", 20000, "max-port", 29999, NULL);
    gst_ice_agent_gather (side.agent);
    wait_until (side_saw (&side, "gathering-done"));
    candidates = gst_ice_stream_get_local_candidates (side.stream);
    for (guint j = 0; j < candidates->len; j++) {
      const GstIceCandidate *candidate = candidates->pdata[j];
      const guint port = gst_ice_candidate_get_port (candidate);

      g_assert_true (port >= 20000 && port <= 29999);
      if (strchr (gst_ice_candidate_get_address (candidate), ':'))
        ipv6 = TRUE;
      else
        ipv4 = TRUE;
    }
    g_assert_cmpint (ipv4, ==, rows[i].ipv4);
    g_assert_cmpint (ipv6, ==, rows[i].ipv6);
    side_clear (&side);
  }
}

static void
test_range_is_full (void)
{
  g_autoptr (GstIceAgent) first = call_new_agent ();
  g_autoptr (GstIceAgent) second = call_new_agent ();
  g_autoptr (GstIceStream) a = gst_ice_agent_request_stream (first, "x");
  g_autoptr (GstIceStream) b = gst_ice_agent_request_stream (second, "x");
  g_autoptr (GPtrArray) candidates = NULL;
  g_autoptr (GError) error = NULL;
  guint port;

  g_test_summary ("Where the range is used up the cure is told");
  g_object_set (first, "ip-family", GST_ICE_IP_FAMILY_IPV4, NULL);
  gst_ice_agent_gather (first);
  wait_until (({
    g_clear_pointer (&candidates, g_ptr_array_unref);
    candidates = gst_ice_stream_get_local_candidates (a);
    candidates->len == 1;
  }));
  port = gst_ice_candidate_get_port (candidates->pdata[0]);
  g_assert_nonnull (b);
  g_object_set (second, "ip-family", GST_ICE_IP_FAMILY_IPV4, "min-port", port,
      "max-port", port, NULL);
  g_signal_connect (second, "warning", G_CALLBACK (on_error), &error);
  gst_ice_agent_gather (second);
  wait_until (error);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE);
  g_assert_nonnull (strstr (error->message, "widen min-port and max-port"));
  g_signal_handlers_disconnect_by_data (second, &error);
}

static void
test_not_supported (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autofree gchar *before = g_strdup (g_getenv ("GST_ICE_UDP_BATCH"));
  g_autoptr (GError) error = NULL;
  gboolean dont_fragment;

  g_test_summary (
      "Where sockets cannot refuse to fragment the property says so");
  g_setenv ("GST_ICE_UDP_BATCH", "generic", TRUE);
  g_signal_connect (agent, "error", G_CALLBACK (on_error), &error);
  g_object_set (agent, "dont-fragment", TRUE, NULL);
  if (before)
    g_setenv ("GST_ICE_UDP_BATCH", before, TRUE);
  else
    g_unsetenv ("GST_ICE_UDP_BATCH");
  wait_until (error);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "max-payload"));
  g_object_get (agent, "dont-fragment", &dont_fragment, NULL);
  g_assert_false (dont_fragment);
  g_signal_handlers_disconnect_by_data (agent, &error);
}

int
main (int argc, char *argv[])
{
  g_setenv ("GST_DEBUG_NO_COLOR", "1", FALSE);
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/agent/external-addresses/wrong-text", test_wrong_addresses);
  g_test_add_func (
      "/agent/external-addresses/mapped-replaces", test_mapped_replaces);
  g_test_add_func ("/agent/interfaces/wrong-text", test_wrong_filters);
  g_test_add_func ("/agent/interfaces/choice", test_filters);
  g_test_add_func ("/agent/min-port/range-is-full", test_range_is_full);
  g_test_add_func ("/agent/dont-fragment/not-supported", test_not_supported);
  return call_run_tests ();
}
