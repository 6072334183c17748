/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* icesrc by itself, with an agent of the application. */
#include <gst/check/gstharness.h>
#include <gst/net/gstnetaddressmeta.h>

#include "wire.h"

#define RTP_BYTE 0x80

static GstHarness *
new_harness (Wire *wire, const gchar *properties, GstElement **ret_src)
{
  g_autofree gchar *line = g_strdup_printf ("icesrc name=src %s", properties);
  GstElement *src = gst_parse_launch (line, NULL);
  GstHarness *harness;

  g_assert_nonnull (src);
  g_object_set (src, "agent", wire->ours, NULL);
  harness = gst_harness_new_with_element (src, NULL, "src");
  gst_harness_use_systemclock (harness);
  gst_harness_play (harness);
  if (ret_src != NULL)
    *ret_src = src;
  gst_object_unref (src);
  return harness;
}

static guint8
first_byte (GstBuffer *buffer)
{
  guint8 first;

  g_assert_cmpuint (gst_buffer_extract (buffer, 0, &first, 1), ==, 1);
  return first;
}

static void
expect (GstHarness *harness, guint8 first)
{
  g_autoptr (GstBuffer) buffer = gst_harness_pull (harness);

  g_assert_nonnull (buffer);
  g_assert_cmpuint (first_byte (buffer), ==, first);
}

static void
test_receive (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *src;
  GstHarness *harness =
      new_harness (wire, "retrieve-sender-address=true", &src);
  GstClockTime before, now;
  guint i;

  g_test_summary ("Packets come with the time of their arrival and the address "
                  "they came from, single or in lists");
  wire_connect (wire);
  before = gst_element_get_current_running_time (src);
  for (i = 0; i < 100; i++)
    wire_send (wire, RTP_BYTE + i % 50, 1000);
  for (i = 0; i < 100; i++) {
    g_autoptr (GstBuffer) buffer = gst_harness_pull (harness);

    g_assert_nonnull (buffer);
    now = gst_element_get_current_running_time (src);
    g_assert_cmpuint (first_byte (buffer), ==, RTP_BYTE + i % 50);
    g_assert_cmpuint (gst_buffer_get_size (buffer), ==, 1000);
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, GST_BUFFER_DTS (buffer));
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), <=, now);
    /* Some clocks count from another start than others. */
    g_assert_cmpuint (GST_BUFFER_PTS (buffer) + 5 * GST_MSECOND, >=, before);
    g_assert_nonnull (gst_buffer_get_net_address_meta (buffer));
    before = GST_BUFFER_PTS (buffer);
  }
  gst_harness_teardown (harness);
}

static void
test_no_address (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstHarness *harness = new_harness (wire, "", NULL);
  g_autoptr (GstBuffer) buffer = NULL;

  g_test_summary ("Buffers do not say where they come from: rtpbin would take "
                  "another path for another sender");
  wire_connect (wire);
  wire_send (wire, RTP_BYTE, 100);
  buffer = gst_harness_pull (harness);
  g_assert_null (gst_buffer_get_net_address_meta (buffer));
  gst_harness_teardown (harness);
}

static void
test_coalesce (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *src;
  GstHarness *harness = new_harness (wire, "receive-coalesce=2000", &src);
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_request_stream (wire->ours, "0");
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (stream, 1);
  guint us = 0;

  g_test_summary ("What icesrc is to wait for more packets its transport does, "
                  "also when it is changed while it runs");
  wire_connect (wire);
  g_object_get (transport, "receive-coalesce", &us, NULL);
  g_assert_cmpuint (us, ==, 2000);
  wire_send (wire, RTP_BYTE, 100);
  expect (harness, RTP_BYTE);
  g_object_set (src, "receive-coalesce", 0, NULL);
  g_object_get (transport, "receive-coalesce", &us, NULL);
  g_assert_cmpuint (us, ==, 0);
  g_object_get (src, "receive-coalesce", &us, NULL);
  g_assert_cmpuint (us, ==, 0);
  wire_send (wire, RTP_BYTE + 1, 100);
  expect (harness, RTP_BYTE + 1);
  gst_harness_teardown (harness);
}

static void
test_paused (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *src;
  GstHarness *harness = new_harness (wire, "", &src);
  guint i;

  g_test_summary ("What comes in PAUSED is there in PLAYING, none lost");
  wire_connect (wire);
  wire_send (wire, RTP_BYTE, 100);
  expect (harness, RTP_BYTE);
  for (guint round = 0; round < 5; round++) {
    gst_element_set_state (src, GST_STATE_PAUSED);
    for (i = 1; i <= 20; i++)
      wire_send (wire, RTP_BYTE + i, 100);
    g_usleep (20 * G_TIME_SPAN_MILLISECOND);
    g_assert_null (gst_harness_try_pull (harness));
    gst_element_set_state (src, GST_STATE_PLAYING);
    for (i = 1; i <= 20; i++)
      expect (harness, RTP_BYTE + i);
  }
  gst_harness_teardown (harness);
}

/* While packets come the state goes up and down: a critical would be one from
 * the base class, which unrefs the buffer that a list does not have. */
static gpointer
keep_sending (gpointer user_data)
{
  Wire *wire = user_data;

  while (!g_object_get_data (G_OBJECT (wire->ours), "enough")) {
    for (guint i = 0; i < 10; i++)
      wire_send (wire, RTP_BYTE, 500);
    g_usleep (200);
  }
  return NULL;
}

static void
test_state_storm (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *src;
  GstHarness *harness = new_harness (wire, "", &src);
  GThread *thread;

  wire_connect (wire);
  gst_harness_set_drop_buffers (harness, TRUE);
  thread = g_thread_new ("send", keep_sending, wire);
  for (guint i = 0; i < 100; i++) {
    gst_element_set_state (src, i % 3 ? GST_STATE_PAUSED : GST_STATE_READY);
    gst_element_set_state (src, GST_STATE_PLAYING);
    g_usleep (i % 4 * 500);
  }
  g_object_set_data (G_OBJECT (wire->ours), "enough", wire);
  g_thread_join (thread);
  gst_harness_teardown (harness);
}

static void
test_flush (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *src;
  GstHarness *harness = new_harness (wire, "", &src);

  wire_connect (wire);
  wire_send (wire, RTP_BYTE, 100);
  expect (harness, RTP_BYTE);
  gst_element_send_event (src, gst_event_new_flush_start ());
  gst_element_send_event (src, gst_event_new_flush_stop (FALSE));
  wire_send (wire, RTP_BYTE + 1, 100);
  expect (harness, RTP_BYTE + 1);
  gst_harness_teardown (harness);
}

static void
test_eos_event (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstElement *src;
  GstHarness *harness = new_harness (wire, "", &src);
  GstEvent *event;
  gboolean eos = FALSE;

  g_test_summary ("EOS sent to the element ends it while it waits");
  wire_connect (wire);
  wire_send (wire, RTP_BYTE, 100);
  expect (harness, RTP_BYTE);
  gst_element_send_event (src, gst_event_new_eos ());
  while (!eos && (event = gst_harness_pull_event (harness)) != NULL) {
    eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
  }
  g_assert_true (eos);
  gst_harness_teardown (harness);
}

static void
test_caps (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstHarness *harness = new_harness (wire, "", NULL);
  g_autoptr (GstCaps) vp8 = gst_caps_from_string (
      "application/x-rtp,media=video,clock-rate=90000,encoding-name=VP8,"
      "payload=96");
  g_autoptr (GstCaps) caps = NULL;
  const GstStructure *structure;
  gint payload;

  g_test_summary ("Caps are the peer's, before the first packet");
  gst_ice_stream_set_caps (wire->their_stream, vp8, NULL);
  {
    g_autofree gchar *offer = gst_ice_agent_create_offer (wire->theirs, NULL);
    g_autofree gchar *answer = NULL;

    gst_ice_agent_set_remote_description (wire->ours, "offer", offer, NULL);
    answer = gst_ice_agent_create_answer (wire->ours, NULL);
    gst_ice_agent_set_remote_description (wire->theirs, "answer", answer, NULL);
  }
  for (guint i = 0; caps == NULL && i < 1000; i++) {
    caps = gst_pad_get_current_caps (harness->sinkpad);
    g_usleep (1000);
  }
  g_assert_nonnull (caps);
  structure = gst_caps_get_structure (caps, 0);
  g_assert_cmpstr (
      gst_structure_get_string (structure, "encoding-name"), ==, "VP8");
  g_assert_cmpstr (gst_structure_get_string (structure, "media"), ==, "video");
  g_assert_true (gst_structure_get_int (structure, "payload", &payload));
  g_assert_cmpint (payload, ==, 96);
  gst_harness_teardown (harness);
}

static void
test_agent_closed (void)
{
  g_autoptr (Wire) wire = wire_new ();
  GstHarness *harness = new_harness (wire, "", NULL);
  GstEvent *event;
  gboolean eos = FALSE;

  wire_connect (wire);
  wire_send (wire, RTP_BYTE, 100);
  expect (harness, RTP_BYTE);
  gst_ice_agent_close_async (wire->ours, NULL, NULL, NULL);
  while (!eos && (event = gst_harness_pull_event (harness)) != NULL) {
    eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
  }
  g_assert_true (eos);
  gst_harness_teardown (harness);
}

static void
test_second_reader (void)
{
  g_autoptr (Wire) wire = wire_new ();
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "icesrc name=a ! fakesink async=false icesrc name=b ! fakesink "
      "async=false",
      NULL);
  g_autoptr (GstElement) a = gst_bin_get_by_name (GST_BIN (pipeline), "a");
  g_autoptr (GstElement) b = gst_bin_get_by_name (GST_BIN (pipeline), "b");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("Two icesrc on one component: one of them says that it is "
                  "one too many");
  g_object_set (a, "agent", wire->ours, NULL);
  g_object_set (b, "agent", wire->ours, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wire_connect (wire);
  message = gst_bus_timed_pop_filtered (bus, 5 * GST_SECOND, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/src/receive", test_receive);
  g_test_add_func ("/src/no-address", test_no_address);
  g_test_add_func ("/src/coalesce", test_coalesce);
  g_test_add_func ("/src/paused", test_paused);
  g_test_add_func ("/src/state-storm", test_state_storm);
  g_test_add_func ("/src/flush", test_flush);
  g_test_add_func ("/src/eos-event", test_eos_event);
  g_test_add_func ("/src/caps", test_caps);
  g_test_add_func ("/src/agent-closed", test_agent_closed);
  g_test_add_func ("/src/second-reader", test_second_reader);
  return g_test_run ();
}
