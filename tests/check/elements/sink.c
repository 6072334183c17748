/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* icesink by itself, with an agent of the application. */
#include <gst/base/gstbasesink.h>
#include <gst/check/gstharness.h>

#include "wire.h"

#include "tests/check/wait.h"

#define RTP_CAPS                                                               \
  "application/"                                                               \
  "x-rtp,media=video,clock-rate=90000,encoding-name=VP8,payload=96"
#define DTLS_BYTE 22
#define RTP_BYTE 0x80
#define TIMEOUT (10 * G_TIME_SPAN_SECOND)

#define wait_until(condition)                                                  \
  wait_with (condition, #condition, TIMEOUT, g_usleep (1000))

static GstHarness *
new_harness (Wire *wire, const gchar *properties, GstElement **ret_sink)
{
  g_autofree gchar *line = g_strdup_printf ("icesink name=sink %s", properties);
  GstElement *sink = gst_parse_launch (line, NULL);
  GstHarness *harness;

  g_assert_nonnull (sink);
  g_object_set (sink, "agent", wire->ours, NULL);
  harness = gst_harness_new_with_element (sink, "sink", NULL);
  gst_harness_set_src_caps_str (harness, RTP_CAPS);
  if (ret_sink != NULL)
    *ret_sink = sink;
  gst_object_unref (sink);
  return harness;
}

static GstBuffer *
packet (guint8 first, gsize size)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  gst_buffer_memset (buffer, 0, first, size);
  GST_BUFFER_PTS (buffer) = 0;
  return buffer;
}

static guint64
get_stat (GstElement *sink, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (sink, "stats", &stats, NULL);
  g_assert_true (gst_structure_has_field (stats, name));
  gst_structure_get_uint64 (stats, name, &value);
  return value;
}

static void
push (GstHarness *harness, guint8 first, gsize size)
{
  g_assert_cmpint (
      gst_harness_push (harness, packet (first, size)), ==, GST_FLOW_OK);
}

static void
test_send (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstHarness *harness = new_harness (wire, "", NULL);
  GstBufferList *list = gst_buffer_list_new ();
  guint i;

  wire_connect (wire);
  push (harness, RTP_BYTE, 100);
  g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE);
  for (i = 0; i < 70; i++)
    gst_buffer_list_add (list, packet (128 + i % 60, i == 69 ? 600 : 1200));
  g_assert_cmpint (gst_pad_push_list (harness->srcpad, list), ==, GST_FLOW_OK);
  for (i = 0; i < 70; i++)
    g_assert_cmpuint (wire_expect (wire), ==, 128 + i % 60);
  gst_harness_teardown (harness);
}

static void
test_early_drop (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *sink;
  GstHarness *harness = new_harness (wire, "", &sink);

  g_test_summary ("Before there is a path media is dropped and counted, but a "
                  "DTLS handshake is kept and goes out at once");
  push (harness, RTP_BYTE, 100);
  push (harness, DTLS_BYTE, 200);
  push (harness, RTP_BYTE, 100);
  push (harness, DTLS_BYTE + 1, 300);
  g_assert_cmpuint (get_stat (sink, "early-data-dropped"), ==, 2);
  wire_connect (wire);
  g_assert_cmpuint (wire_expect (wire), ==, DTLS_BYTE);
  g_assert_cmpuint (wire_expect (wire), ==, DTLS_BYTE + 1);
  push (harness, RTP_BYTE + 1, 100);
  g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE + 1);
  wire_expect_nothing (wire, 50 * G_TIME_SPAN_MILLISECOND);
  gst_harness_teardown (harness);
}

static void
test_early_flight (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstHarness *harness = new_harness (wire, "", NULL);

  g_test_summary ("Of a handshake that is tried again only the last flight");
  push (harness, DTLS_BYTE, 200);
  /* Not waiting: what comes 50 ms later is another flight. */
  g_usleep (80 * G_TIME_SPAN_MILLISECOND);
  push (harness, DTLS_BYTE + 1, 200);
  push (harness, DTLS_BYTE + 2, 200);
  wire_connect (wire);
  g_assert_cmpuint (wire_expect (wire), ==, DTLS_BYTE + 1);
  g_assert_cmpuint (wire_expect (wire), ==, DTLS_BYTE + 2);
  wire_expect_nothing (wire, 50 * G_TIME_SPAN_MILLISECOND);
  gst_harness_teardown (harness);
}

static void
test_early_queue (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *sink;
  GstHarness *harness = new_harness (wire, "early-data=queue", &sink);
  guint i;

  for (i = 0; i < 20; i++)
    push (harness, RTP_BYTE + i, 100);
  wire_connect (wire);
  for (i = 0; i < 20; i++)
    g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE + i);
  g_assert_cmpuint (get_stat (sink, "early-data-dropped"), ==, 0);
  gst_harness_teardown (harness);
}

static void
test_early_bound (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *sink;
  GstHarness *harness = new_harness (wire, "early-data=queue", &sink);
  guint i;

  for (i = 0; i < 1100; i++)
    push (harness, i < 76 ? RTP_BYTE : RTP_BYTE + 1, 10);
  g_assert_cmpuint (get_stat (sink, "early-data-dropped"), ==, 76);
  gst_harness_teardown (harness);
}

static gpointer
push_one (gpointer harness)
{
  return GINT_TO_POINTER (
      gst_harness_push (harness, packet (RTP_BYTE, 100)) == GST_FLOW_OK);
}

/* What it renders has this lock, and has it not while it waits in PAUSED. */
static gboolean
is_rendering (GstElement *sink)
{
  GMutex *lock = GST_BASE_SINK_GET_PREROLL_LOCK (sink);

  if (!g_mutex_trylock (lock))
    return TRUE;
  g_mutex_unlock (lock);
  return FALSE;
}

static gboolean
waits_in_paused (GstElement *sink)
{
  gboolean waits;

  GST_BASE_SINK_PREROLL_LOCK (sink);
  waits = GST_BASE_SINK_CAST (sink)->have_preroll;
  GST_BASE_SINK_PREROLL_UNLOCK (sink);
  return waits;
}

static void
test_early_block (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *sink;
  GstHarness *harness = new_harness (wire, "early-data=block", &sink);
  GThread *thread = g_thread_new ("push", push_one, harness);

  /* The packet is there before the path. */
  wait_until (is_rendering (sink));
  wire_connect (wire);
  g_assert_true (g_thread_join (thread));
  g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE);
  gst_harness_teardown (harness);
}

static void
test_early_block_unlocked (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *sink;
  GstHarness *harness = new_harness (wire, "early-data=block", &sink);
  GThread *thread = g_thread_new ("push", push_one, harness);

  g_test_summary ("PAUSED leaves the packet waiting, a flush takes it away");
  wait_until (is_rendering (sink));
  gst_element_set_state (sink, GST_STATE_PAUSED);
  wait_until (waits_in_paused (sink));
  gst_element_set_state (sink, GST_STATE_PLAYING);
  wait_until (is_rendering (sink));
  gst_harness_push_event (harness, gst_event_new_flush_start ());
  g_assert_false (g_thread_join (thread));
  gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE));
  gst_harness_teardown (harness);
}

/* How many there were upstream. */
static guint
count_keyframe_requests (GstHarness *harness)
{
  guint n = 0;
  GstEvent *event;

  while ((event = gst_harness_try_pull_upstream_event (harness)) != NULL) {
    if (gst_event_has_name (event, "GstForceKeyUnit")) {
      gboolean all_headers = FALSE;

      gst_structure_get_boolean (
          gst_event_get_structure (event), "all-headers", &all_headers);
      g_assert_true (all_headers);
      n++;
    }
    gst_event_unref (event);
  }
  return n;
}

static void
count_call (GstElement *sink, gpointer n)
{
  g_atomic_int_inc ((gint *) n);
}

/* A request goes its way from another thread: nor is one behind a call of ours
 * that went the same way after it. */
static void
expect_no_keyframe_request (GstHarness *harness, GstElement *sink)
{
  gint n_calls = 0;

  wire_drain ();
  gst_element_call_async (sink, count_call, &n_calls, NULL);
  wait_until (g_atomic_int_get (&n_calls) == 1);
  g_assert_cmpuint (count_keyframe_requests (harness), ==, 0);
}

static void
test_keyframe (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *sink;
  GstHarness *harness = new_harness (wire, "", &sink);

  expect_no_keyframe_request (harness, sink);
  wire_connect (wire);
  wait_until (count_keyframe_requests (harness) >= 1);
  gst_harness_teardown (harness);
}

static void
test_no_keyframe (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *sink;
  GstHarness *harness = new_harness (wire, "keyframe-on-connect=false", &sink);
  GstHarness *other = new_harness (wire, "", NULL);

  g_test_summary ("Of two on one path it is the other that asks");
  wire_connect (wire);
  wait_until (count_keyframe_requests (other) >= 1);
  expect_no_keyframe_request (harness, sink);
  gst_harness_teardown (other);
  gst_harness_teardown (harness);
}

static void
test_flush (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstHarness *harness = new_harness (wire, "", NULL);
  GstSegment segment;

  g_test_summary ("A flush leaves the session alone");
  wire_connect (wire);
  push (harness, RTP_BYTE, 100);
  g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE);
  gst_harness_push_event (harness, gst_event_new_flush_start ());
  gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (harness, gst_event_new_segment (&segment));
  push (harness, RTP_BYTE + 1, 100);
  g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE + 1);
  gst_harness_teardown (harness);
}

/* sync=true with a clock that stands still: what is timed would wait. */
static void
test_rtcp_is_not_timed (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstHarness *harness = new_harness (wire, "sync=true", NULL);
  GstBuffer *rtcp = packet (RTP_BYTE, 100);

  gst_harness_use_testclock (harness);
  wire_connect (wire);
  gst_buffer_memset (rtcp, 1, 200, 1);
  GST_BUFFER_PTS (rtcp) = 10 * GST_SECOND;
  g_assert_cmpint (gst_harness_push (harness, rtcp), ==, GST_FLOW_OK);
  g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE);
  gst_harness_teardown (harness);
}

static gboolean
asks_for_rtp (GstPad *pad)
{
  g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, NULL);

  return !gst_caps_is_any (caps) &&
      gst_structure_has_name (
          gst_caps_get_structure (caps, 0), "application/x-rtp");
}

static void
test_caps (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *sink;
  GstHarness *harness = new_harness (wire, "", &sink);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstCaps) before = gst_pad_query_caps (pad, NULL);
  g_autoptr (GstCaps) after = NULL;
  g_autoptr (GstCaps) strange = gst_caps_from_string ("video/x-raw");
  const GstStructure *rtp;
  gint payload = 0;

  g_test_summary ("Everything is accepted; once there is an offer, payloaders "
                  "are asked for the payload type in it");
  g_assert_true (gst_caps_is_any (before));
  wire_connect (wire);
  wait_until (asks_for_rtp (pad));
  after = gst_pad_query_caps (pad, NULL);
  rtp = gst_caps_get_structure (after, 0);
  g_assert_true (gst_structure_has_name (rtp, "application/x-rtp"));
  g_assert_true (gst_structure_get_int (rtp, "payload", &payload));
  g_assert_cmpint (payload, ==, 96);
  g_assert_false (gst_structure_has_field (rtp, "encoding-name"));
  g_assert_true (gst_pad_query_accept_caps (pad, strange));
  gst_harness_teardown (harness);
}

static void
test_shared (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstHarness *rtp = new_harness (wire, "", NULL);
  GstHarness *rtcp = new_harness (wire, "", NULL);

  g_test_summary ("Two sinks on one component, as with rtcp-mux");
  gst_harness_set_src_caps_str (rtcp, "application/x-rtcp");
  wire_connect (wire);
  push (rtp, RTP_BYTE, 100);
  g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE);
  push (rtcp, RTP_BYTE + 1, 100);
  g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE + 1);
  gst_harness_teardown (rtcp);
  push (rtp, RTP_BYTE + 2, 100);
  g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE + 2);
  gst_harness_teardown (rtp);
}

static void
test_too_large (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *sink;
  GstHarness *harness = new_harness (wire, "", &sink);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) warning = NULL;
  g_autoptr (GstMessage) again = NULL;

  g_test_summary ("A packet that is no datagram is dropped with one warning, "
                  "and the rest goes on");
  gst_element_set_bus (sink, bus);
  wire_connect (wire);
  push (harness, RTP_BYTE, 70000);
  push (harness, RTP_BYTE, 70000);
  push (harness, RTP_BYTE + 1, 100);
  g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE + 1);
  g_assert_cmpuint (get_stat (sink, "packets-discarded"), ==, 2);
  warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  again = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (warning);
  g_assert_null (again);
  gst_element_set_bus (sink, NULL);
  gst_harness_teardown (harness);
}

static void
test_agent_closed (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstHarness *harness = new_harness (wire, "", NULL);

  g_test_summary ("When the application closes its agent the stream ends");
  wire_connect (wire);
  push (harness, RTP_BYTE, 100);
  gst_ice_agent_close_async (wire->ours, NULL, NULL, NULL);
  for (guint i = 0; i < 100; i++) {
    const GstFlowReturn ret =
        gst_harness_push (harness, packet (RTP_BYTE, 100));

    if (ret == GST_FLOW_EOS)
      break;
    g_assert_cmpint (ret, ==, GST_FLOW_OK);
    g_assert_cmpuint (i, <, 99);
    g_usleep (5000);
  }
  gst_harness_teardown (harness);
}

static void
test_agent_stays (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstHarness *harness = new_harness (wire, "", NULL);
  GstIceState state;

  g_test_summary ("An agent of the application outlives the element");
  wire_connect (wire);
  gst_harness_teardown (harness);
  /* The element does not close what is not its own. */
  wire_drain ();
  g_object_get (wire->ours, "state", &state, NULL);
  g_assert_true (
      state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED);
  harness = new_harness (wire, "", NULL);
  push (harness, RTP_BYTE, 100);
  g_assert_cmpuint (wire_expect (wire), ==, RTP_BYTE);
  gst_harness_teardown (harness);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sink/send", test_send);
  g_test_add_func ("/sink/early/drop", test_early_drop);
  g_test_add_func ("/sink/early/flight", test_early_flight);
  g_test_add_func ("/sink/early/queue", test_early_queue);
  g_test_add_func ("/sink/early/bound", test_early_bound);
  g_test_add_func ("/sink/early/block", test_early_block);
  g_test_add_func ("/sink/early/block-unlocked", test_early_block_unlocked);
  g_test_add_func ("/sink/keyframe/connect", test_keyframe);
  g_test_add_func ("/sink/keyframe/off", test_no_keyframe);
  g_test_add_func ("/sink/flush", test_flush);
  g_test_add_func ("/sink/rtcp-is-not-timed", test_rtcp_is_not_timed);
  g_test_add_func ("/sink/caps", test_caps);
  g_test_add_func ("/sink/shared", test_shared);
  g_test_add_func ("/sink/too-large", test_too_large);
  g_test_add_func ("/sink/agent/closed", test_agent_closed);
  g_test_add_func ("/sink/agent/stays", test_agent_stays);
  return g_test_run ();
}
