/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls between two pipelines, from the encoder to the decoded frame. */
#include <gst/check/gstharness.h>

#include "half.h"

#include <string.h>

#define SINK "icesink uri=ice+file://%s"
/* decodebin in a launch line is linked once only. */
#define DEPAY "rtpvp8depay ! vp8dec ! fakesink name=out"
#define BOTH                                                                   \
  "%s ! icesink agent=%s uri=ice+file://%s "                                   \
  "icesrc agent=%s ! decodebin ! fakesink name=out"
#define SRC "icesrc uri=ice+file://%s ! decodebin ! fakesink name=out"

typedef struct
{
  const gchar *sender; /* up to icesink */
  const gchar *needs[3];
} Codec;

static const Codec codecs[] = {
  { "videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay",
      { "vp8enc", "vp8dec", "rtpvp8pay" } },
  { "videotestsrc is-live=true ! x264enc tune=zerolatency ! rtph264pay",
      { "x264enc", "rtph264pay" } },
  { "audiotestsrc is-live=true ! opusenc ! rtpopuspay",
      { "opusenc", "opusdec", "rtpopuspay" } },
  { "audiotestsrc is-live=true ! alawenc ! rtppcmapay",
      { "alawenc", "alawdec", "rtppcmapay" } },
};

static gboolean
have_codec (const Codec *codec)
{
  return half_have (codec->needs[0], codec->needs[1], codec->needs[2], NULL);
}

static void
test_codec (gconstpointer data)
{
  const Codec *codec = data;
  const gchar *place = half_place ();
  g_autoptr (Half) sender = NULL;
  g_autoptr (Half) receiver = NULL;

  g_test_summary (
      "A live encoder has no caps before PLAYING; the offer has its "
      "m-line all the same, and the far side decodes");
  if (!have_codec (codec))
    return;
  sender = half_new ("%s ! " SINK, codec->sender, place);
  receiver = half_new (SRC, place);
  half_connect (receiver, sender);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 5);
  g_assert_cmpuint (
      half_count_progress (sender, GST_PROGRESS_TYPE_START), ==, 1);
  g_assert_cmpuint (
      half_count_progress (sender, GST_PROGRESS_TYPE_COMPLETE), ==, 1);
}

static void
test_codec_at_once (gconstpointer data)
{
  const Codec *codec = data;
  const gchar *place = half_place ();
  g_autoptr (Half) sender = NULL;
  g_autoptr (Half) receiver = NULL;

  g_test_summary (
      "An application that goes to PLAYING and hears of no progress "
      "has the same call");
  if (!have_codec (codec))
    return;
  sender = half_new ("%s ! " SINK, codec->sender, place);
  receiver = half_new (SRC, place);
  half_set_state (sender, GST_STATE_PLAYING);
  half_set_state (receiver, GST_STATE_PLAYING);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 5);
}

/* It has said all it had to say alone. */
static gboolean
waits_for_peer (Half *half)
{
  return half_count_progress (half, GST_PROGRESS_TYPE_CONTINUE) > 0;
}

static void
test_order (gconstpointer data)
{
  const gboolean sender_first = GPOINTER_TO_INT (data);
  const gchar *place = half_place ();
  g_autoptr (Half) sender = half_new ("%s ! " SINK, codecs[0].sender, place);
  g_autoptr (Half) receiver = half_new (SRC, place);
  Half *first = sender_first ? sender : receiver;
  Half *second = sender_first ? receiver : sender;

  half_begin (first);
  half_wait (first, first, waits_for_peer (first));
  /* Nothing may come: nobody else is there, and the second is late. Alone it
   * has nothing more to say that could be waited for. */
  g_usleep (300 * 1000);
  g_assert_cmpuint (
      half_count_progress (first, GST_PROGRESS_TYPE_START), ==, 1);
  g_assert_cmpuint (
      half_count_progress (first, GST_PROGRESS_TYPE_COMPLETE), ==, 0);
  half_connect (first, second);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 5);
}

/* The words a user sees in gst-launch. */
static void
test_progress (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) sender =
      half_new ("%s ! icesink name=a uri=ice+file://%s videotestsrc "
                "is-live=true ! vp8enc "
                "deadline=1 ! rtpvp8pay ! icesink name=b stream=1",
          codecs[0].sender, place);
  g_autoptr (Half) receiver =
      half_new ("icesrc uri=ice+file://%s ! decodebin ! fakesink name=out "
                "icesrc stream=1 ! fakesink",
          place);
  gchar *code = NULL, *text = NULL;
  guint i;

  half_connect (sender, receiver);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 5);
  /* One session, two elements. */
  g_assert_cmpuint (
      half_count_progress (sender, GST_PROGRESS_TYPE_START), ==, 1);
  g_assert_cmpuint (
      half_count_progress (sender, GST_PROGRESS_TYPE_COMPLETE), ==, 1);
  for (i = 0; i < sender->messages->len; i++) {
    GstMessage *message = g_ptr_array_index (sender->messages, i);
    GstProgressType type;

    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_PROGRESS)
      continue;
    g_clear_pointer (&code, g_free);
    g_clear_pointer (&text, g_free);
    gst_message_parse_progress (message, &type, &code, &text);
    g_test_message ("(%s) %s", code, text);
  }
  g_assert_cmpstr (code, ==, "connect");
  g_assert_true (g_str_has_prefix (text, "Connected in 0."));
  g_assert_nonnull (strstr (text, " <-> "));
  g_assert_nonnull (strstr (text, "host/udp"));
  g_free (code);
  g_free (text);
}

static void
test_no_wait (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) sender = half_new (
      "%s ! " SINK " wait-for-connection=false", codecs[0].sender, place);
  g_autoptr (Half) receiver = half_new (
      "icesrc wait-for-connection=false uri=ice+file://%s ! decodebin ! "
      "fakesink name=out",
      place);

  half_connect (sender, receiver);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 5);
  g_assert_cmpuint (half_count (sender, GST_MESSAGE_PROGRESS), ==, 0);
  g_assert_cmpuint (half_count (receiver, GST_MESSAGE_PROGRESS), ==, 0);
}

static guint64
n_rendered (GstElement *sink)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 rendered = 0;

  g_object_get (sink, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "rendered", &rendered);
  return rendered;
}

static void
test_two_streams (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) sender = half_new (
      "%s ! icesink stream=video uri=ice+file://%s "
      "audiotestsrc is-live=true ! alawenc ! rtppcmapay ! icesink stream=audio",
      codecs[0].sender, place);
  g_autoptr (Half) receiver = half_new (
      "icesrc stream=video uri=ice+file://%s ! decodebin ! fakesink name=out "
      "icesrc stream=audio ! decodebin ! fakesink name=audio",
      place);
  g_autoptr (GstElement) audio =
      gst_bin_get_by_name (GST_BIN (receiver->pipeline), "audio");

  g_test_summary ("Two streams on one agent, which the elements of a pipeline "
                  "share by themselves");
  half_connect (sender, receiver);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 5);
  half_wait (sender, receiver, n_rendered (audio) >= 2);
}

static void
test_both_ways (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) a = half_new (BOTH, codecs[0].sender, "here", place, "here");
  g_autoptr (Half) b =
      half_new (BOTH, codecs[0].sender, "there", place, "there");
  g_autoptr (GstIceAgent) here = gst_ice_agent_get_by_name ("here");
  GstIceState state;

  g_test_summary ("agent=NAME: both directions over one path");
  half_connect (a, b);
  half_wait (a, b, half_n_buffers (a) >= 5 && half_n_buffers (b) >= 5);
  g_object_get (here, "state", &state, NULL);
  g_assert_true (
      state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED);
}

static void
test_eos (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) sender = half_new (
      "videotestsrc is-live=true num-buffers=20 ! vp8enc deadline=1 ! "
      "rtpvp8pay ! " SINK,
      place);
  g_autoptr (Half) receiver = half_new (SRC, place);

  g_test_summary ("The end of the sender is the end of the receiver, after the "
                  "last frame");
  half_connect (sender, receiver);
  half_wait (sender, receiver,
      half_count (sender, GST_MESSAGE_EOS) > 0 &&
          half_count (receiver, GST_MESSAGE_EOS) > 0);
  g_assert_cmpint (half_n_buffers (receiver), ==, 20);
  g_assert_nonnull (half_find (receiver, "GstIcePeer"));
}

static void
test_pacing (gconstpointer data)
{
  const gboolean user_says_no = GPOINTER_TO_INT (data);
  const gchar *place = half_place ();
  /* 30 frames of a file take a second. */
  g_autoptr (Half) sender =
      half_new ("videotestsrc num-buffers=30 ! vp8enc deadline=1 ! rtpvp8pay ! "
                "icesink %s uri=ice+file://%s",
          user_says_no ? "sync=false" : "", place);
  g_autoptr (Half) receiver = half_new (SRC, place);
  gint64 start;

  half_connect (receiver, sender);
  start = g_get_monotonic_time ();
  half_wait (sender, receiver, half_count (sender, GST_MESSAGE_EOS) > 0);
  if (user_says_no)
    g_assert_cmpint (
        g_get_monotonic_time () - start, <, 900 * G_TIME_SPAN_MILLISECOND);
  else
    g_assert_cmpint (
        g_get_monotonic_time () - start, >, 900 * G_TIME_SPAN_MILLISECOND);
  half_wait (sender, receiver, half_count (receiver, GST_MESSAGE_EOS) > 0);
}

static void
test_raw (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) sender = half_new (
      "fakesrc is-live=true num-buffers=50 sizetype=fixed sizemax=500 "
      "filltype=pattern do-timestamp=true datarate=100000 ! " SINK,
      place);
  g_autoptr (Half) receiver =
      half_new ("icesrc name=src uri=ice+file://%s ! fakesink name=out", place);
  g_autoptr (GstElement) src =
      gst_bin_get_by_name (GST_BIN (receiver->pipeline), "src");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (src, "src");
  g_autoptr (GstCaps) caps = NULL;

  g_test_summary ("What is not RTP goes as application/x-gst-ice");
  half_connect (sender, receiver);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 50);
  caps = gst_pad_get_current_caps (pad);
  g_assert_nonnull (caps);
  g_assert_true (gst_structure_has_name (
      gst_caps_get_structure (caps, 0), "application/x-gst-ice"));
  g_assert_true (GST_CLOCK_TIME_IS_VALID (receiver->first_pts));
  g_assert_cmpuint (receiver->first_pts, <, 5 * GST_SECOND);
}

static void
test_capsfilter (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) sender = half_new ("%s ! " SINK, codecs[0].sender, place);
  g_autoptr (Half) receiver = half_new (
      "icesrc uri=ice+file://%s ! application/x-rtp,media=video,"
      "encoding-name=VP8,clock-rate=90000,payload=101 ! rtpvp8depay ! vp8dec ! "
      "fakesink name=out",
      place);

  g_test_summary ("A receiver that names what it takes may make the offer, and "
                  "the sender takes its payload type");
  half_begin (receiver);
  /* It knows its m-line before the sender comes. */
  half_wait (receiver, receiver, waits_for_peer (receiver));
  half_connect (receiver, sender);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 5);
}

static void
test_cycles (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) sender =
      half_new ("videotestsrc is-live=true ! video/x-raw,width=64,height=64 ! "
                "vp8enc deadline=1 ! rtpvp8pay ! " SINK,
          place);
  g_autoptr (Half) receiver =
      half_new ("icesrc uri=ice+file://%s ! " DEPAY, place);
  guint i;

  g_test_summary ("A pair of pipelines goes up and down 20 times");
  for (i = 0; i < 20; i++) {
    Half *first = i % 2 ? sender : receiver;
    Half *second = i % 2 ? receiver : sender;
    const gint before = half_n_buffers (receiver);

    g_ptr_array_set_size (sender->messages, 0);
    g_ptr_array_set_size (receiver->messages, 0);
    half_connect (first, second);
    half_wait (sender, receiver, half_n_buffers (receiver) > before);
    half_set_state (first, GST_STATE_NULL);
    half_set_state (second, GST_STATE_NULL);
    half_look (sender);
    half_look (receiver);
  }
}

static void
test_cycles_named (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) sender =
      half_new ("videotestsrc is-live=true ! video/x-raw,width=64,height=64 ! "
                "vp8enc deadline=1 ! rtpvp8pay ! " SINK " agent=cycle",
          place);
  g_autoptr (Half) receiver =
      half_new ("icesrc agent=elcyc uri=ice+file://%s ! " DEPAY, place);
  guint i;

  for (i = 0; i < 5; i++) {
    const gint before = half_n_buffers (receiver);

    g_ptr_array_set_size (sender->messages, 0);
    g_ptr_array_set_size (receiver->messages, 0);
    half_connect (sender, receiver);
    half_wait (sender, receiver, half_n_buffers (receiver) > before);
    half_set_state (receiver, GST_STATE_NULL);
    half_set_state (sender, GST_STATE_NULL);
  }
}

static void
test_next_viewer (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) camera = half_new ("%s ! " SINK, codecs[0].sender, place);
  guint i;

  g_test_summary ("A sender waits for the next receiver when one has left");
  for (i = 0; i < 3; i++) {
    g_autoptr (Half) viewer = half_new (SRC, place);

    if (i == 0)
      half_connect (camera, viewer);
    half_set_state (viewer, GST_STATE_PLAYING);
    half_wait (camera, viewer, half_n_buffers (viewer) >= 5);
  }
  half_look (camera);
  g_assert_nonnull (half_find (camera, "GstIcePeer"));
}

static void
test_pause (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) sender = half_new ("%s ! " SINK, codecs[0].sender, place);
  g_autoptr (Half) receiver =
      half_new ("icesrc uri=ice+file://%s ! " DEPAY, place);
  gint n;

  g_test_summary ("PAUSED and READY keep the session");
  half_connect (sender, receiver);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 5);
  half_set_state (receiver, GST_STATE_PAUSED);
  half_set_state (sender, GST_STATE_PAUSED);
  /* Nothing may come: no end, no second START, which is seen below. Nothing
   * else happens in PAUSED, either, that could be waited for. */
  g_usleep (200 * 1000);
  half_set_state (sender, GST_STATE_PLAYING);
  half_set_state (receiver, GST_STATE_PLAYING);
  n = half_n_buffers (receiver);
  half_wait (sender, receiver, half_n_buffers (receiver) >= n + 5);
  half_set_state (sender, GST_STATE_READY);
  half_set_state (sender, GST_STATE_PLAYING);
  n = half_n_buffers (receiver);
  half_wait (sender, receiver, half_n_buffers (receiver) >= n + 5);
  g_assert_cmpuint (half_count (receiver, GST_MESSAGE_EOS), ==, 0);
  g_assert_cmpuint (
      half_count_progress (sender, GST_PROGRESS_TYPE_START), ==, 1);
}

static guint
count_keyframe_requests (GstHarness *harness)
{
  GstEvent *event;
  guint n = 0;

  while ((event = gst_harness_try_pull_upstream_event (harness)) != NULL) {
    n += gst_event_has_name (event, "GstForceKeyUnit");
    gst_event_unref (event);
  }
  return n;
}

#define H264                                                                   \
  "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,"         \
  "payload=96"

static void
test_news (void)
{
  const gchar *place = half_place ();
  g_autofree gchar *line =
      g_strdup_printf ("icesink name=sink uri=ice+file://%s", place);
  GstElement *sink = gst_parse_launch (line, NULL);
  GstHarness *harness = gst_harness_new_with_element (sink, "sink", NULL);
  g_autoptr (Half) receiver =
      half_new ("icesrc name=src uri=ice+file://%s ! fakesink", place);
  g_autoptr (GstElement) src =
      gst_bin_get_by_name (GST_BIN (receiver->pipeline), "src");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (src, "src");
  gboolean known = FALSE;

  g_test_summary ("Caps that change in mid-call are told to the peer, and a "
                  "keyframe follows; what only numbers packets is not told");
  gst_harness_set_src_caps_str (harness, H264 ",ssrc=(uint)1");
  half_set_state (receiver, GST_STATE_PLAYING);
  half_wait (receiver, receiver, half_find (receiver, "GstIceSelectedPair"));
  half_wait (receiver, receiver, count_keyframe_requests (harness) >= 1);
  /* Order only: the requests of a path that changes again are before this. No
   * event says that it will not change any more. */
  g_usleep (200 * 1000);
  count_keyframe_requests (harness);

  gst_harness_set_src_caps_str (harness, H264 ",ssrc=(uint)2");
  /* Nothing may come: another SSRC is no news. What is news would hide in its
   * own request that there was one before. */
  g_usleep (200 * 1000);
  g_assert_cmpuint (count_keyframe_requests (harness), ==, 0);

  gst_harness_set_src_caps_str (
      harness, H264 ",ssrc=(uint)2,sprop-parameter-sets=(string)\"Z0LA,aM4\"");
  for (guint i = 0; !known && i < 3000; i++) {
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);

    known = caps != NULL &&
        gst_structure_has_field (
            gst_caps_get_structure (caps, 0), "sprop-parameter-sets");
    g_usleep (1000);
  }
  g_assert_true (known);
  half_wait (receiver, receiver, count_keyframe_requests (harness) >= 1);
  gst_object_unref (sink);
  gst_harness_teardown (harness);
}

/* GstDtlsConnectionState of the plugin */
#define DTLS_CONNECTED 4

static gboolean
is_secured (Half *half)
{
  g_autoptr (GstElement) decoder =
      gst_bin_get_by_name (GST_BIN (half->pipeline), "decoder");
  gint state;

  g_object_get (decoder, "connection-state", &state, NULL);
  return state == DTLS_CONNECTED;
}

/* The decoder of 1.22 has criticals for lists; identity takes them apart. */
#define DTLS                                                                   \
  "icesrc uri=ice+file://%s ! identity ! dtlsdec name=decoder "                \
  "connection-id=%s "                                                          \
  "dtlsenc connection-id=%s is-client=%s ! icesink name=sink"

static GstPadProbeReturn
count (GstPad *pad, GstPadProbeInfo *info, gpointer n)
{
  g_atomic_int_inc ((gint *) n);
  return GST_PAD_PROBE_OK;
}

/* What comes to its icesink, in @n, which outlives it. */
static void
count_sent (Half *half, gint *n)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (half->pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, count, n,
      NULL);
}

static void
test_dtls (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) client = NULL;
  g_autoptr (Half) server = NULL;
  gint n_sent = 0;
  gint64 start;

  g_test_summary ("A DTLS handshake that starts before there is a path is not "
                  "lost: it does not wait a second for its retransmission");
  if (!half_have ("dtlsenc", "dtlsdec", NULL))
    return;
  client = half_new (DTLS, place, "client", "client", "true");
  server = half_new (DTLS, place, "server", "server", "false");
  count_sent (client, &n_sent);
  half_set_state (client, GST_STATE_PLAYING);
  /* The handshake has begun, a second before it is tried again. */
  half_wait (client, client, g_atomic_int_get (&n_sent) > 0);
  start = g_get_monotonic_time ();
  half_set_state (server, GST_STATE_PLAYING);
  half_wait (client, server, is_secured (client) && is_secured (server));
  g_test_message (
      "secured after %.0f ms", (g_get_monotonic_time () - start) / 1000.0);
  /* The first retransmission would be there a second after that, the second,
   * when that is lost as well, 3 s (RFC 6347 4.2.4.1). */
  g_assert_cmpint (
      g_get_monotonic_time () - start, <, 650 * G_TIME_SPAN_MILLISECOND);
}

int
main (int argc, char **argv)
{
  gsize i;

  half_init (&argc, &argv);
  for (i = 0; i < G_N_ELEMENTS (codecs); i++) {
    g_autofree gchar *name =
        g_strdup_printf ("/call/codec/%s", codecs[i].needs[0]);
    g_autofree gchar *at_once =
        g_strdup_printf ("/call/codec/at-once/%s", codecs[i].needs[0]);

    g_test_add_data_func (name, &codecs[i], test_codec);
    g_test_add_data_func (at_once, &codecs[i], test_codec_at_once);
  }
  g_test_add_data_func (
      "/call/order/sender-first", GINT_TO_POINTER (TRUE), test_order);
  g_test_add_data_func (
      "/call/order/receiver-first", GINT_TO_POINTER (FALSE), test_order);
  g_test_add_func ("/call/progress", test_progress);
  g_test_add_func ("/call/no-wait", test_no_wait);
  g_test_add_func ("/call/two-streams", test_two_streams);
  g_test_add_func ("/call/both-ways", test_both_ways);
  g_test_add_func ("/call/eos", test_eos);
  g_test_add_data_func (
      "/call/pacing/file", GINT_TO_POINTER (FALSE), test_pacing);
  g_test_add_data_func (
      "/call/pacing/user", GINT_TO_POINTER (TRUE), test_pacing);
  g_test_add_func ("/call/raw", test_raw);
  g_test_add_func ("/call/capsfilter", test_capsfilter);
  g_test_add_func ("/call/cycles", test_cycles);
  g_test_add_func ("/call/cycles/named", test_cycles_named);
  g_test_add_func ("/call/next-viewer", test_next_viewer);
  g_test_add_func ("/call/pause", test_pause);
  g_test_add_func ("/call/news", test_news);
  g_test_add_func ("/call/dtls", test_dtls);
  return half_run ();
}
