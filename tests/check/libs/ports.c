/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where agents are reached: external-addresses. */
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
  return call_run_tests ();
}
