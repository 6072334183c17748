/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <string.h>

/* (transfer full) (nullable) the object of that type; the selected one of
 * candidate pairs. */
static GstStructure *
find_object (const GstStructure *stats, const gchar *type)
{
  for (gint i = 0; i < gst_structure_n_fields (stats); i++) {
    const gchar *id = gst_structure_nth_field_name (stats, i);
    GstStructure *object = NULL;
    gboolean selected = TRUE;

    if (!gst_structure_get (stats, id, GST_TYPE_STRUCTURE, &object, NULL))
      continue;
    g_assert_cmpstr (gst_structure_get_string (object, "id"), ==, id);
    gst_structure_get_boolean (object, "selected", &selected);
    if (selected &&
        g_str_equal (gst_structure_get_string (object, "type"), type))
      return object;
    gst_structure_free (object);
  }
  return NULL;
}

static void
assert_fields (
    const GstStructure *object, const gchar *const *fields, GType type)
{
  for (guint i = 0; fields[i]; i++) {
    if (gst_structure_get_field_type (object, fields[i]) != type) {
      g_autofree gchar *text = gst_structure_to_string (object);
      g_error ("no %s “%s” in %s", g_type_name (type), fields[i], text);
    }
  }
}

#define FIELDS(...) ((const gchar *const[]){ __VA_ARGS__, NULL })

static GstStructure *
connected_stats (Call *call)
{
  call_connect (call);
  wait_until (call_state (call->a.agent) == GST_ICE_STATE_COMPLETED &&
      side_saw (&call->a, "gathering-done"));
  call_exchange (call->a.stream, call->b.stream, 3, 100);
  call_exchange (call->b.stream, call->a.stream, 5, 200);
  return gst_ice_agent_get_stats (call->a.agent);
}

static void
test_transport (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GstStructure) stats = connected_stats (call);
  g_autoptr (GstStructure) object = find_object (stats, "transport");
  guint64 value;

  g_assert_true (gst_structure_has_name (stats, "application/x-gst-ice-stats"));
  g_assert_nonnull (object);
  assert_fields (object,
      FIELDS ("ice-role", "ice-state", "selected-candidate-pair-id"),
      G_TYPE_STRING);
  assert_fields (object,
      FIELDS ("selected-candidate-pair-changes", "packets-sent", "bytes-sent",
          "packets-received", "bytes-received", "packets-discarded-on-send",
          "early-data-dropped", "gather-ns", "first-check-ns", "connected-ns",
          "first-packet-ns"),
      G_TYPE_UINT64);
  g_assert_cmpstr (
      gst_structure_get_string (object, "ice-role"), ==, "controlling");
  g_assert_cmpstr (
      gst_structure_get_string (object, "ice-state"), ==, "completed");
  gst_structure_get_uint64 (object, "packets-sent", &value);
  g_assert_cmpuint (value, ==, 3);
  gst_structure_get_uint64 (object, "bytes-sent", &value);
  g_assert_cmpuint (value, ==, 300);
  gst_structure_get_uint64 (object, "packets-received", &value);
  g_assert_cmpuint (value, ==, 5);
  gst_structure_get_uint64 (object, "bytes-received", &value);
  g_assert_cmpuint (value, ==, 1000);
  gst_structure_get_uint64 (object, "connected-ns", &value);
  g_assert_cmpuint (value, <, 5 * GST_SECOND);
}

static void
test_pair (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GstStructure) stats = connected_stats (call);
  g_autoptr (GstStructure) transport = find_object (stats, "transport");
  g_autoptr (GstStructure) pair = find_object (stats, "candidate-pair");
  g_autoptr (GstStructure) local = NULL, remote = NULL;

  g_assert_nonnull (pair);
  g_assert_cmpstr (gst_structure_get_string (pair, "id"), ==,
      gst_structure_get_string (transport, "selected-candidate-pair-id"));
  g_assert_cmpstr (gst_structure_get_string (pair, "transport-id"), ==,
      gst_structure_get_string (transport, "id"));
  assert_fields (pair,
      FIELDS ("state", "local-candidate-id", "remote-candidate-id"),
      G_TYPE_STRING);
  assert_fields (pair,
      FIELDS ("requests-sent", "requests-received", "responses-sent",
          "responses-received", "retransmissions-sent",
          "consent-requests-sent"),
      G_TYPE_UINT64);
  assert_fields (pair,
      FIELDS ("current-round-trip-time", "total-round-trip-time",
          "last-packet-sent-timestamp", "last-packet-received-timestamp"),
      G_TYPE_DOUBLE);
  assert_fields (pair, FIELDS ("nominated"), G_TYPE_BOOLEAN);

  /* What a pair refers to is there. */
  g_assert_true (gst_structure_get (stats,
      gst_structure_get_string (pair, "local-candidate-id"), GST_TYPE_STRUCTURE,
      &local, NULL));
  g_assert_true (gst_structure_get (stats,
      gst_structure_get_string (pair, "remote-candidate-id"),
      GST_TYPE_STRUCTURE, &remote, NULL));
  g_assert_cmpstr (
      gst_structure_get_string (local, "type"), ==, "local-candidate");
  g_assert_cmpstr (
      gst_structure_get_string (remote, "type"), ==, "remote-candidate");
}

static void
test_candidate (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GstStructure) stats = connected_stats (call);
  g_autoptr (GstStructure) object = find_object (stats, "local-candidate");

  g_assert_nonnull (object);
  assert_fields (object,
      FIELDS ("address", "protocol", "candidate-type", "foundation"),
      G_TYPE_STRING);
  assert_fields (object, FIELDS ("port", "priority"), G_TYPE_UINT);
  g_assert_cmpstr (
      gst_structure_get_string (object, "candidate-type"), ==, "host");
  assert_fields (object, FIELDS ("username-fragment"), G_TYPE_STRING);
}

static void
test_server (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "0");
  g_autoptr (GstStructure) stats = NULL, object = NULL;
  g_autofree gchar *text = NULL;

  gst_ice_agent_add_server (agent, "turn:alice:secret@127.0.0.1:9", NULL);
  gst_ice_agent_gather (agent);
  call_run_for (50);
  stats = gst_ice_agent_get_stats (agent);
  object = find_object (stats, "ice-server");
  g_assert_nonnull (object);
  g_assert_cmpstr (gst_structure_get_string (object, "url"), ==,
      "turn:127.0.0.1:9?transport=udp");
  assert_fields (object, FIELDS ("errors"), G_TYPE_UINT64);
  assert_fields (object, FIELDS ("allocation-lifetime"), G_TYPE_UINT);
  text = gst_structure_to_string (stats);
  g_assert_null (strstr (text, "secret"));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stats/transport", test_transport);
  g_test_add_func ("/stats/pair", test_pair);
  g_test_add_func ("/stats/candidate", test_candidate);
  g_test_add_func ("/stats/server", test_server);
  return call_run_tests ();
}
