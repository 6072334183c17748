/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* webrtcbin on our ICE, against itself and against webrtcbin on libnice. */
#include "peer.h"

#include <glib/gstdio.h>

#include <gst/sdp/sdp.h>
#include <string.h>

#define VIDEO                                                                  \
  "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=30/" \
  "1 ! vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay pt=96"

static gboolean
is_connected (Peer *peer)
{
  const GstWebRTCICEConnectionState state = peer_ice_state (peer);

  return state == GST_WEBRTC_ICE_CONNECTION_STATE_CONNECTED ||
      state == GST_WEBRTC_ICE_CONNECTION_STATE_COMPLETED;
}

static void
connect_peers (Peer *a, Peer *b)
{
  peer_wire (a, b);
  peer_play (a);
  peer_play (b);
  peer_wait (g_atomic_int_get (&a->n_negotiations) > 0);
  peer_negotiate (a, b, FALSE);
  peer_wait (is_connected (a) && is_connected (b));
}

static void
expect_more (Peer *peer, guint n)
{
  const gint before = g_atomic_int_get (&peer->n_buffers);

  peer_wait (g_atomic_int_get (&peer->n_buffers) >= before + (gint) n);
}

static void
exchange_text (Peer *a, Peer *b)
{
  const gint a_before = g_atomic_int_get (&a->n_messages);
  const gint b_before = g_atomic_int_get (&b->n_messages);

  peer_wait (peer_channel_is_open (a) && peer_channel_is_open (b));
  peer_send_text (a, "hello");
  peer_send_text (b, "hello yourself");
  peer_wait (g_atomic_int_get (&a->n_messages) > a_before &&
      g_atomic_int_get (&b->n_messages) > b_before);
}

static void
test_both_ways (void)
{
  g_autoptr (Peer) a = peer_new ("icewebrtcbin", VIDEO);
  g_autoptr (Peer) b = peer_new ("icewebrtcbin", VIDEO);

  g_test_summary ("Two icewebrtcbin: video and a data channel, both ways");
  peer_add_channel (a);
  connect_peers (a, b);
  expect_more (a, 30);
  expect_more (b, 30);
  exchange_text (a, b);
  peer_wait (peer_state (a) == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED);
}

static guint
count_changes (Peer *peer)
{
  g_autoptr (GstIceAgent) agent = peer_ref_agent (peer);
  g_autoptr (GstStructure) stats = gst_ice_agent_get_stats (agent);
  guint64 changes = 0;

  for (gint i = 0; i < gst_structure_n_fields (stats); i++) {
    const gchar *name = gst_structure_nth_field_name (stats, i);
    const GValue *value = gst_structure_get_value (stats, name);

    if (g_str_has_prefix (name, "transport"))
      gst_structure_get_uint64 (gst_value_get_structure (value),
          "selected-candidate-pair-changes", &changes);
  }
  return (guint) changes;
}

static gchar *
dup_ufrag (Peer *peer, const gchar *which)
{
  g_autoptr (GstWebRTCSessionDescription) description = NULL;

  g_object_get (peer->bin, which, &description, NULL);
  return g_strdup (gst_sdp_media_get_attribute_val (
      gst_sdp_message_get_media (description->sdp, 0), "ice-ufrag"));
}

static void
test_restart (gconstpointer who)
{
  g_autoptr (Peer) a = peer_new ("icewebrtcbin", VIDEO);
  g_autoptr (Peer) b = peer_new ("icewebrtcbin", VIDEO);
  const gboolean answerer = GPOINTER_TO_INT (who);
  g_autofree gchar *before_a = NULL, *before_b = NULL, *after_a = NULL,
                   *after_b = NULL, *later = NULL;
  guint changes;

  g_test_summary ("create-offer's option ice-restart: new credentials on both "
                  "sides (RFC 8839 4.4.1.1.1), and pictures go on");
  peer_add_channel (a);
  connect_peers (a, b);
  expect_more (a, 5);
  before_a = dup_ufrag (a, "current-local-description");
  before_b = dup_ufrag (b, "current-local-description");
  changes = count_changes (a);
  if (answerer)
    peer_negotiate (b, a, TRUE);
  else
    peer_negotiate (a, b, TRUE);
  after_a = dup_ufrag (a, "current-local-description");
  after_b = dup_ufrag (b, "current-local-description");
  g_assert_cmpstr (before_a, !=, after_a);
  g_assert_cmpstr (before_b, !=, after_b);
  peer_wait (count_changes (a) > changes);
  expect_more (a, 15);
  expect_more (b, 15);
  exchange_text (a, b);

  /* What is negotiated next is no restart. */
  changes = count_changes (a);
  peer_negotiate (a, b, FALSE);
  later = dup_ufrag (a, "current-local-description");
  g_assert_cmpstr (later, ==, after_a);
  expect_more (b, 15);
  g_assert_cmpuint (count_changes (a), ==, changes);
}

static void
test_with_libnice (gconstpointer who)
{
  const gboolean we_offer = GPOINTER_TO_INT (who);
  g_autoptr (GstElementFactory) nice = gst_element_factory_find ("nicesrc");
  g_autoptr (Peer) a = NULL;
  g_autoptr (Peer) b = NULL;

  g_test_summary ("webrtcbin on our ICE and webrtcbin on libnice's");
  /* Names without elements are stand-ins of ours. */
  if (!nice ||
      !gst_plugin_feature_get_plugin_name (GST_PLUGIN_FEATURE (nice))) {
    g_test_skip ("there is no libnice here");
    return;
  }
  a = peer_new (we_offer ? "icewebrtcbin" : "webrtcbin", VIDEO);
  b = peer_new (we_offer ? "webrtcbin" : "icewebrtcbin", VIDEO);
  peer_add_channel (a);
  connect_peers (a, b);
  expect_more (a, 30);
  expect_more (b, 30);
  exchange_text (a, b);
}

/* (nullable) a field of the first object of @type that has it */
static const GValue *
find_field (
    const GstStructure *stats, GstWebRTCStatsType type, const gchar *field)
{
  for (gint i = 0; i < gst_structure_n_fields (stats); i++) {
    const GValue *value = gst_structure_get_value (
        stats, gst_structure_nth_field_name (stats, i));
    const GstStructure *object = GST_VALUE_HOLDS_STRUCTURE (value)
        ? gst_value_get_structure (value)
        : NULL;
    GstWebRTCStatsType its;

    if (object &&
        gst_structure_get (
            object, "type", GST_TYPE_WEBRTC_STATS_TYPE, &its, NULL) &&
        its == type && gst_structure_has_field (object, field))
      return gst_structure_get_value (object, field);
  }
  return NULL;
}

/* W3C webrtc-stats 8.16, 8.17, 8.18, with dashes. */
static const struct
{
  GstWebRTCStatsType type;
  const gchar *field;
} fields[] = {
  { GST_WEBRTC_STATS_CANDIDATE_PAIR, "local-candidate-id" },
  { GST_WEBRTC_STATS_CANDIDATE_PAIR, "state" },
  { GST_WEBRTC_STATS_CANDIDATE_PAIR, "nominated" },
  { GST_WEBRTC_STATS_CANDIDATE_PAIR, "priority" },
  { GST_WEBRTC_STATS_CANDIDATE_PAIR, "current-round-trip-time" },
  { GST_WEBRTC_STATS_CANDIDATE_PAIR, "total-round-trip-time" },
  { GST_WEBRTC_STATS_CANDIDATE_PAIR, "requests-sent" },
  { GST_WEBRTC_STATS_CANDIDATE_PAIR, "responses-received" },
  { GST_WEBRTC_STATS_CANDIDATE_PAIR, "last-packet-sent-timestamp" },
  { GST_WEBRTC_STATS_LOCAL_CANDIDATE, "foundation" },
  { GST_WEBRTC_STATS_LOCAL_CANDIDATE, "priority" },
  { GST_WEBRTC_STATS_LOCAL_CANDIDATE, "username-fragment" },
  { GST_WEBRTC_STATS_REMOTE_CANDIDATE, "foundation" },
  { GST_WEBRTC_STATS_REMOTE_CANDIDATE, "address" },
  { GST_WEBRTC_STATS_TRANSPORT, "ice-role" },
  { GST_WEBRTC_STATS_TRANSPORT, "selected-candidate-pair-id" },
  { GST_WEBRTC_STATS_TRANSPORT, "packets-sent" },
};

static void
test_stats (void)
{
  g_autoptr (Peer) a = peer_new ("icewebrtcbin", VIDEO);
  g_autoptr (Peer) b = peer_new ("icewebrtcbin", VIDEO);
  g_autoptr (GstStructure) stats = NULL;
  const gchar *selected;

  g_test_summary ("get-stats has what webrtcbin leaves out, and it fits");
  connect_peers (a, b);
  expect_more (b, 10);
  stats = peer_get_stats (a);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    if (!find_field (stats, fields[i].type, fields[i].field))
      g_error ("no %s: %s", fields[i].field, gst_structure_to_string (stats));
  }
  selected = g_value_get_string (find_field (
      stats, GST_WEBRTC_STATS_TRANSPORT, "selected-candidate-pair-id"));
  g_assert_true (gst_structure_has_field (stats, selected));
}

static void
test_bad_server (void)
{
  g_autoptr (Peer) a = peer_new ("icewebrtcbin", VIDEO);
  g_autoptr (GstBus) bus = gst_element_get_bus (a->pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  gboolean added = TRUE;

  g_test_summary ("A server that is none is said on the bus, without secrets");
  g_signal_emit_by_name (
      a->bin, "add-turn-server", "trun://alice:wonderland@127.0.0.1", &added);
  g_assert_false (added);
  message = gst_bus_timed_pop_filtered (
      bus, 2 * GST_SECOND, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_warning (message, &error, NULL);
  g_assert_nonnull (error);
  g_assert_null (strstr (error->message, "wonderland"));
  g_test_message ("%s", error->message);
}

static void
test_port_range (void)
{
  g_autoptr (Peer) a = peer_new ("icewebrtcbin", VIDEO);
  g_autoptr (Peer) b = peer_new ("icewebrtcbin", VIDEO);
  g_autoptr (GObject) ice = NULL;
  g_autoptr (GstIceAgent) agent = NULL;
  g_autoptr (GstIceStream) stream = NULL;
  g_autoptr (GPtrArray) candidates = NULL;

  g_test_summary ("min-rtp-port and max-rtp-port of the agent are obeyed");
  g_object_get (a->bin, "ice-agent", &ice, NULL);
  g_object_set (ice, "min-rtp-port", 47100, "max-rtp-port", 47199, "ice-tcp",
      FALSE, NULL);
  connect_peers (a, b);
  agent = peer_ref_agent (a);
  stream = gst_ice_agent_request_stream (agent, "0");
  candidates = gst_ice_stream_get_local_candidates (stream);
  g_assert_cmpuint (candidates->len, >, 0);
  for (guint i = 0; i < candidates->len; i++) {
    const guint port = gst_ice_candidate_get_port (candidates->pdata[i]);

    g_assert_cmpuint (port, >=, 47100);
    g_assert_cmpuint (port, <=, 47199);
  }
}

static void
test_uri_hides_token (void)
{
  g_autoptr (Peer) a = peer_new ("icewebrtcbin", VIDEO);
  g_autofree gchar *uri = NULL;

  g_test_summary ("What a drawing of the pipeline shows has no secret");
  g_object_set (a->bin, "uri",
      "ice+wss://sig.example.org:8443/cam?token=wonderland&role=offer", NULL);
  g_object_get (a->bin, "uri", &uri, NULL);
  g_assert_cmpstr (
      uri, ==, "ice+wss://sig.example.org:8443/cam?token&role=offer");
}

static void
test_leaves_signaller (void)
{
  g_autoptr (Peer) a = peer_new ("icewebrtcbin", VIDEO);
  g_autofree gchar *folder = g_dir_make_tmp ("gst-ice-XXXXXX", NULL);
  g_autofree gchar *uri = g_strdup_printf ("ice+file://%s/call", folder);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstIceSignaller) signaller =
      gst_ice_signaller_new_from_uri (uri, &error);
  const guint id = g_signal_lookup ("description", GST_TYPE_ICE_SIGNALLER);

  g_test_summary ("A signaller hears of no meeting that is over");
  g_assert_no_error (error);
  g_object_set (a->bin, "signaller", signaller, NULL);
  gst_element_set_state (a->pipeline, GST_STATE_PAUSED);
  g_assert_true (g_signal_has_handler_pending (signaller, id, 0, FALSE));
  gst_element_set_state (a->pipeline, GST_STATE_NULL);
  g_assert_false (g_signal_has_handler_pending (signaller, id, 0, FALSE));
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
test_by_name (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPluginFeature) ours =
      gst_registry_lookup_feature (gst_registry_get (), "icewebrtcbin");
  g_autoptr (GstPluginFeature) loaded = gst_plugin_feature_load (ours);
  g_autoptr (GstElement) bin =
      gst_parse_launch ("webrtcbin ice-agent=parlour", &error);
  g_autoptr (GstIceAgent) agent = gst_ice_agent_get_by_name ("parlour");
  g_autoptr (GstIceAgent) its = NULL;
  g_autoptr (GObject) ice = NULL;

  g_test_summary ("webrtcbin ice-agent=NAME is the agent that agent=NAME is");
  g_assert_no_error (error);
  g_object_get (bin, "ice-agent", &ice, NULL);
  g_object_get (ice, "agent", &its, NULL);
  g_assert_true (its == agent);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/webrtc/both-ways", test_both_ways);
  g_test_add_data_func (
      "/rfc8839/4.4.1.1.1/offerer-restarts", GINT_TO_POINTER (0), test_restart);
  g_test_add_data_func ("/rfc8839/4.4.1.1.1/answerer-restarts",
      GINT_TO_POINTER (1), test_restart);
  g_test_add_data_func (
      "/webrtc/libnice/we-answer", GINT_TO_POINTER (0), test_with_libnice);
  g_test_add_data_func (
      "/webrtc/libnice/we-offer", GINT_TO_POINTER (1), test_with_libnice);
  g_test_add_func ("/webrtc/stats", test_stats);
  g_test_add_func ("/webrtc/bad-server", test_bad_server);
  g_test_add_func ("/webrtc/port-range", test_port_range);
  g_test_add_func ("/webrtc/uri-hides-token", test_uri_hides_token);
  g_test_add_func ("/webrtc/leaves-signaller", test_leaves_signaller);
  g_test_add_func ("/webrtc/by-name", test_by_name);
  return g_test_run ();
}
