/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls between two icertpbin, and between one and others. */
#include "half.h"

#include <string.h>

#define VIDEO "videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay ! c."
#define AUDIO "audiotestsrc is-live=true ! opusenc ! rtpopuspay ! c."
#define SEE                                                                    \
  "c. ! application/x-rtp,media=video ! rtpvp8depay ! vp8dec ! "               \
  "fakesink name=video"
#define HEAR                                                                   \
  "c. ! application/x-rtp,media=audio ! rtpopusdepay ! opusdec ! "             \
  "fakesink name=audio"
#define BIN "icertpbin name=c uri=ice+file://%s agent::interfaces=lo %s "

static gboolean
have_elements (void)
{
  return half_have ("rtpbin", "rtpfunnel", "vp8enc", "vp8dec", "rtpvp8pay",
      "opusenc", "opusdec", NULL);
}

static gboolean
have_dtls (void)
{
  return have_elements () && half_have ("dtlssrtpenc", "srtpenc", NULL);
}

static void
count_buffer (GstElement *sink, GstBuffer *buffer, GstPad *pad, gint *n)
{
  g_atomic_int_inc (n);
}

/* What arrives at the fakesink called @name. */
static void
count_at (Half *half, const gchar *name, gint *n)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (half->pipeline), name);

  g_object_set (sink, "signal-handoffs", TRUE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (count_buffer), n);
}

static GstElement *
bin_of (Half *half)
{
  return gst_bin_get_by_name (GST_BIN (half->pipeline), "c");
}

static GstIceAgent *
agent_of (Half *half)
{
  g_autoptr (GstElement) bin = bin_of (half);
  GstIceAgent *agent;

  g_object_get (bin, "agent", &agent, NULL);
  return agent;
}

static guint
count_transports (Half *half)
{
  g_autoptr (GstIceAgent) agent = agent_of (half);
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (agent);
  g_autoptr (GHashTable) transports =
      g_hash_table_new_full (NULL, NULL, gst_object_unref, NULL);
  guint i;

  for (i = 0; i < streams->len; i++)
    g_hash_table_add (transports,
        gst_ice_stream_get_transport (g_ptr_array_index (streams, i), 1));
  return g_hash_table_size (transports);
}

/* Whole calls */

typedef struct
{
  const gchar *properties;
  guint n_transports;
  gboolean dtls;
} Way;

static const Way ways[] = {
  { "latency=50", 1, FALSE },
  { "latency=50 agent::bundle=none", 2, FALSE },
  { "latency=50 dtls-srtp=true", 1, TRUE },
  { "latency=50 dtls-srtp=true agent::bundle=none", 2, TRUE },
};

static void
test_both_ways (gconstpointer data)
{
  const Way *way = data;
  const gchar *place = half_place ();
  gint n[4] = { 0 };
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;

  g_test_summary ("Sound and picture both ways, whoever has them first");
  if (way->dtls ? !have_dtls () : !have_elements ())
    return;
  a = half_new (BIN VIDEO " " AUDIO " " SEE " " HEAR, place, way->properties);
  b = half_new (BIN AUDIO " " VIDEO " " SEE " " HEAR, place, way->properties);
  count_at (a, "video", &n[0]);
  count_at (a, "audio", &n[1]);
  count_at (b, "video", &n[2]);
  count_at (b, "audio", &n[3]);
  half_connect (a, b);
  half_wait (a, b,
      g_atomic_int_get (&n[0]) >= 5 && g_atomic_int_get (&n[1]) >= 5 &&
          g_atomic_int_get (&n[2]) >= 5 && g_atomic_int_get (&n[3]) >= 5);
  g_assert_cmpuint (count_transports (a), ==, way->n_transports);
  g_assert_cmpuint (count_transports (b), ==, way->n_transports);
  g_assert_cmpuint (half_count_progress (a, GST_PROGRESS_TYPE_START), ==, 1);
  g_assert_cmpuint (half_count_progress (a, GST_PROGRESS_TYPE_COMPLETE), ==, 1);
}

static gboolean
ends (const Way *way)
{
  const gint64 limit = g_get_monotonic_time () + 10 * G_TIME_SPAN_SECOND;
  const gchar *place = half_place ();
  g_autoptr (Half) a =
      half_new (BIN "videotestsrc is-live=true num-buffers=30 ! "
                    "vp8enc deadline=1 ! rtpvp8pay ! c. " HEAR,
          place, way->properties);
  g_autoptr (Half) b =
      half_new (BIN "audiotestsrc is-live=true num-buffers=20 ! opusenc ! "
                    "rtpopuspay ! c. " SEE,
          place, way->properties);
  gboolean ended = FALSE;

  half_connect (a, b);
  while (!ended && g_get_monotonic_time () < limit) {
    half_look (a);
    half_look (b);
    ended = half_count (a, GST_MESSAGE_EOS) == 1 &&
        half_count (b, GST_MESSAGE_EOS) == 1;
    g_usleep (2000);
  }
  return ended;
}

/* The RTCP BYE of rtpsession 1.22 sometimes stays away on a busy machine. */
static void
test_end (gconstpointer data)
{
  const Way *way = data;
  gboolean ended = FALSE;

  g_test_summary ("A call ends when neither side has more to send");
  if (way->dtls ? !have_dtls () : !have_elements ())
    return;
  for (guint i = 0; i < 3 && !ended; i++)
    ended = ends (way);
  g_assert_true (ended);
}

static void
test_receive_only (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;

  g_test_summary ("Who has no pads to send by takes all that is offered; when "
                  "the sender is done both are");
  if (!have_elements ())
    return;
  a = half_new (BIN "videotestsrc is-live=true num-buffers=40 ! "
                    "vp8enc deadline=1 ! rtpvp8pay ! c.",
      place, "");
  b = half_new (BIN "latency=50 c. ! decodebin ! fakesink name=out", place, "");
  half_connect (b, a);
  half_wait (a, b, half_n_buffers (b) >= 5);
  half_wait (a, b,
      half_count (a, GST_MESSAGE_EOS) == 1 &&
          half_count (b, GST_MESSAGE_EOS) == 1);
}

/* Each name is one that the other side has thought of. */
static void
test_with_icesink (void)
{
  const gchar *place = half_place ();
  gint n[2] = { 0 };
  g_autofree gchar *offerer = NULL;
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;

  g_test_summary ("Two icesinks with names of their own, no bundle");
  if (!have_elements ())
    return;
  offerer = g_strdup_printf (
      "videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay ! "
      "icesink stream=picture uri=ice+file://%s agent::interfaces=lo "
      "audiotestsrc is-live=true ! opusenc ! rtpopuspay ! "
      "icesink stream=sound",
      place);
  a = half_new ("%s", offerer);
  b = half_new (BIN SEE " " HEAR, place, "latency=50");
  count_at (b, "video", &n[0]);
  count_at (b, "audio", &n[1]);
  half_connect (a, b);
  half_wait (
      a, b, g_atomic_int_get (&n[0]) >= 5 && g_atomic_int_get (&n[1]) >= 5);
  g_assert_cmpuint (count_transports (b), ==, 2);
}

static void
send_as (GstIceTransport *transport, guint32 ssrc, guint16 number, gint payload)
{
  guint8 packet[32] = { 0x80, (guint8) payload };
  g_autoptr (GBytes) bytes = NULL;

  GST_WRITE_UINT16_BE (packet + 2, number);
  GST_WRITE_UINT32_BE (packet + 8, ssrc);
  bytes = g_bytes_new (packet, sizeof packet);
  gst_ice_transport_send (transport, bytes, NULL);
}

static void
test_many_senders (void)
{
  const gchar *place = half_place ();
  gint n = 0, payload;
  guint32 ssrc;
  guint16 i;
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;
  g_autoptr (GstElement) bin = NULL;
  g_autoptr (GstIceAgent) agent = NULL;
  g_autoptr (GstIceStream) stream = NULL;
  g_autoptr (GstIceTransport) transport = NULL;
  g_autoptr (GstCaps) caps = NULL;

  g_test_summary ("A peer that has a new SSRC every few packets does not get a "
                  "jitterbuffer for each");
  if (!have_elements ())
    return;
  a = half_new (BIN VIDEO, place, "");
  b = half_new (BIN SEE, place, "latency=50");
  count_at (b, "video", &n);
  half_connect (a, b);
  half_wait (a, b, g_atomic_int_get (&n) >= 5);
  bin = bin_of (b);
  agent = agent_of (a);
  stream = gst_ice_agent_request_stream (agent, "0");
  transport = gst_ice_stream_get_transport (stream, 1);
  caps = gst_ice_stream_get_local_caps (stream);
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "payload", &payload);
  for (ssrc = 1; ssrc <= 100; ssrc++) {
    for (i = 0; i < 4; i++)
      send_as (transport, ssrc, i, payload);
    half_look (b);
  }
  half_wait (a, b, bin->numsrcpads >= 64);
  /* What is played now was sent later. */
  g_atomic_int_set (&n, 0);
  half_wait (a, b, g_atomic_int_get (&n) >= 10);
  g_assert_cmpuint (bin->numsrcpads, ==, 64);
}

/* In mid-call */

static void
test_late_pad (void)
{
  const gchar *place = half_place ();
  gint n = 0;
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;
  g_autoptr (GstElement) bin = NULL;
  g_autoptr (GstElement) more = NULL;
  g_autoptr (GstPad) from = NULL;
  g_autoptr (GstPad) to = NULL;

  g_test_summary ("A pad that is requested in mid-call is another m-line");
  if (!have_elements ())
    return;
  a = half_new (BIN VIDEO, place, "");
  b = half_new (BIN SEE " " HEAR, place, "latency=50");
  count_at (b, "audio", &n);
  half_connect (a, b);

  bin = bin_of (a);
  more = gst_object_ref_sink (gst_parse_bin_from_description (
      "audiotestsrc is-live=true ! opusenc ! rtpopuspay", TRUE, NULL));
  gst_bin_add (GST_BIN (a->pipeline), more);
  from = gst_element_get_static_pad (more, "src");
  to = gst_element_request_pad_simple (bin, "sink_%u");
  g_assert_cmpstr (GST_PAD_NAME (to), ==, "sink_1");
  g_assert_cmpint (gst_pad_link (from, to), ==, GST_PAD_LINK_OK);
  gst_element_sync_state_with_parent (more);
  half_wait (a, b, g_atomic_int_get (&n) >= 5);
  g_assert_cmpuint (count_transports (b), ==, 1);
}

static void
test_released_pad (void)
{
  const gchar *place = half_place ();
  gint n = 0;
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;
  g_autoptr (GstElement) bin = NULL;
  g_autoptr (GstPad) unused = NULL;
  g_autoptr (GstPad) again = NULL;

  g_test_summary (
      "A pad that was given back, before or in the call, leaves the "
      "others as they are");
  if (!have_elements ())
    return;
  a = half_new (BIN VIDEO, place, "");
  b = half_new (BIN SEE, place, "latency=50");
  count_at (b, "video", &n);
  bin = bin_of (a);
  unused = gst_element_request_pad_simple (bin, "sink_%u");
  g_assert_cmpstr (GST_PAD_NAME (unused), ==, "sink_1");
  gst_element_release_request_pad (bin, unused);
  half_connect (a, b);
  half_wait (a, b, g_atomic_int_get (&n) >= 5);
  again = gst_element_request_pad_simple (bin, "sink_%u");
  g_assert_cmpstr (GST_PAD_NAME (again), ==, "sink_1");
  gst_element_release_request_pad (bin, again);
  g_atomic_int_set (&n, 0);
  half_wait (a, b, g_atomic_int_get (&n) >= 5);
}

/* Feedback */

static GstPadProbeReturn
count_request (GstPad *pad, GstPadProbeInfo *info, gpointer n)
{
  const GstStructure *structure =
      gst_event_get_structure (GST_PAD_PROBE_INFO_EVENT (info));

  if (structure != NULL &&
      gst_structure_has_name (structure, "GstForceKeyUnit") &&
      gst_structure_has_field (structure, "ssrc"))
    g_atomic_int_inc ((gint *) n);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
count_keyframe (GstPad *pad, GstPadProbeInfo *info, gpointer n)
{
  if (!GST_BUFFER_FLAG_IS_SET (
          GST_PAD_PROBE_INFO_BUFFER (info), GST_BUFFER_FLAG_DELTA_UNIT))
    g_atomic_int_inc ((gint *) n);
  return GST_PAD_PROBE_OK;
}

static void
test_pli (gconstpointer data)
{
  const Way *way = data;
  const gchar *place = half_place ();
  gint n_frames = 0, n_requests = 0, n_keyframes = 0, before;
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;
  g_autoptr (GstElement) encoder = NULL;
  g_autoptr (GstElement) decoder = NULL;
  g_autoptr (GstPad) src = NULL;
  g_autoptr (GstPad) sink = NULL;

  g_test_summary ("A decoder that wants a keyframe gets one, long before the "
                  "encoder would make the next");
  if (way->dtls ? !have_dtls () : !have_elements ())
    return;
  a = half_new (BIN "videotestsrc is-live=true ! vp8enc name=encoder "
                    "deadline=1 keyframe-max-dist=10000 ! rtpvp8pay ! c.",
      place, way->properties);
  b = half_new (BIN "c. ! rtpvp8depay ! vp8dec name=decoder ! "
                    "fakesink name=video",
      place, way->properties);
  count_at (b, "video", &n_frames);
  encoder = gst_bin_get_by_name (GST_BIN (a->pipeline), "encoder");
  src = gst_element_get_static_pad (encoder, "src");
  gst_pad_add_probe (
      src, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, count_request, &n_requests, NULL);
  gst_pad_add_probe (
      src, GST_PAD_PROBE_TYPE_BUFFER, count_keyframe, &n_keyframes, NULL);
  half_connect (a, b);
  half_wait (a, b, g_atomic_int_get (&n_frames) >= 10);

  before = g_atomic_int_get (&n_keyframes);
  decoder = gst_bin_get_by_name (GST_BIN (b->pipeline), "decoder");
  sink = gst_element_get_static_pad (decoder, "sink");
  gst_pad_push_event (sink,
      gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
          gst_structure_new ("GstForceKeyUnit", "all-headers", G_TYPE_BOOLEAN,
              FALSE, "count", G_TYPE_UINT, 0, NULL)));
  half_wait (a, b, g_atomic_int_get (&n_requests) > 0);
  half_wait (a, b, g_atomic_int_get (&n_keyframes) > before);
}

/* Mistakes */

static void
test_one_encrypts (gconstpointer data)
{
  const gboolean sender_encrypts = GPOINTER_TO_INT (data);
  const gchar *place = half_place ();
  const gchar *on = "dtls-srtp=true", *off = "dtls-srtp=false";
  g_autofree gchar *text = NULL, *cause = NULL;
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;

  g_test_summary ("One side encrypts, the other does not: who knows of it says "
                  "so, and nothing is taken that came in the clear");
  if (!have_dtls ())
    return;
  a = half_new (BIN VIDEO, place, sender_encrypts ? on : off);
  b = half_new (
      BIN "c. ! fakesink name=out", place, sender_encrypts ? off : on);
  a->errors_are_expected = b->errors_are_expected = TRUE;
  half_set_state (a, GST_STATE_PLAYING);
  half_set_state (b, GST_STATE_PLAYING);
  half_wait (a, b,
      half_count (b, GST_MESSAGE_ERROR) > 0 &&
          (half_count (a, GST_MESSAGE_ERROR) > 0 || !sender_encrypts));
  text = half_complaint (b, GST_MESSAGE_ERROR, &cause);
  g_assert_cmpstr (cause, ==, "tls-untrusted");
  g_assert_nonnull (strstr (text, "dtls-srtp"));
  g_assert_cmpint (half_n_buffers (b), ==, 0);
}

/* Playback */

static GstElement *
fake_sink (const gchar *factory, gint *n)
{
  GstElement *sink = gst_element_factory_make (factory, NULL);
  g_autoptr (GstElement) inner = gst_bin_get_by_name (GST_BIN (sink), "sink");

  g_object_set (inner, "signal-handoffs", TRUE, NULL);
  g_signal_connect (inner, "handoff", G_CALLBACK (count_buffer), n);
  return sink;
}

static void
test_playbin (gconstpointer data)
{
  const Way *way = data;
  const gchar *place = half_place ();
  gint n_frames = 0, n_samples = 0;
  g_autofree gchar *uri = g_strconcat ("ice+file://", place, NULL);
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;

  g_test_summary ("playbin on the URI: picture, sound and an end");
  if (!have_elements () ||
      !half_have ("playbin", "fakevideosink", "fakeaudiosink", NULL))
    return;
  a = half_new (BIN VIDEO " " AUDIO, place, way->properties);
  b = half_new ("%s", "playbin");
  g_object_set (b->pipeline, "uri", uri, "video-sink",
      fake_sink ("fakevideosink", &n_frames), "audio-sink",
      fake_sink ("fakeaudiosink", &n_samples), NULL);
  half_connect (a, b);
  half_wait (a, b,
      g_atomic_int_get (&n_frames) >= 20 &&
          g_atomic_int_get (&n_samples) >= 20);
  gst_element_send_event (a->pipeline, gst_event_new_eos ());
  half_wait (a, b,
      half_count (a, GST_MESSAGE_EOS) == 1 &&
          half_count (b, GST_MESSAGE_EOS) == 1);
}

static void
test_uri (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_make_from_uri (
          GST_URI_SRC, "ice+file:///tmp/x", "x", &error));
  g_autofree gchar *uri = NULL;

  g_test_summary ("Who handles URIs, and that icesrc does not (design 9.19)");
  g_assert_no_error (error);
  g_assert_cmpstr (G_OBJECT_TYPE_NAME (element), ==, "GstIceUriBin");
  uri = gst_uri_handler_get_uri (GST_URI_HANDLER (element));
  g_assert_cmpstr (uri, ==, "ice+file:///tmp/x");
  g_assert_false (gst_uri_protocol_is_supported (GST_URI_SINK, "ice+file"));
}

/* Again and again: nothing of the call before is left. */
static void
test_cycles (gconstpointer data)
{
  const Way *way = data;
  const gchar *place = half_place ();
  g_autoptr (Half) a = NULL;
  g_autoptr (Half) b = NULL;
  gint i, n = 0;

  g_test_summary ("The same pipelines call each other three times");
  if (way->dtls ? !have_dtls () : !have_elements ())
    return;
  a = half_new (BIN VIDEO, place, way->properties);
  b = half_new (
      BIN "c. ! rtpvp8depay ! fakesink name=out", place, way->properties);
  for (i = 0; i < 3; i++) {
    n = half_n_buffers (b);
    half_set_state (a, GST_STATE_PLAYING);
    half_set_state (b, GST_STATE_PLAYING);
    if (i == 0)
      half_wait (a, b, half_n_buffers (b) >= n + 5);
    half_wait (a, b, half_find (a, "GstIceSelectedPair") != NULL);
    half_set_state (a, GST_STATE_NULL);
    half_set_state (b, GST_STATE_NULL);
    g_ptr_array_set_size (a->messages, 0);
  }
}

int
main (int argc, char **argv)
{
  half_init (&argc, &argv);

  g_test_add_func ("/icertpbin/uri", test_uri);
  g_test_add_data_func ("/rfc8843/9/bundled", &ways[0], test_both_ways);
  g_test_add_data_func ("/icertpbin/not-bundled", &ways[1], test_both_ways);
  g_test_add_data_func ("/rfc5764/4/bundled", &ways[2], test_both_ways);
  g_test_add_data_func ("/rfc5764/4/not-bundled", &ways[3], test_both_ways);
  g_test_add_data_func ("/icertpbin/end/plain", &ways[0], test_end);
  g_test_add_data_func ("/icertpbin/end/dtls", &ways[2], test_end);
  g_test_add_func ("/icertpbin/receive-only", test_receive_only);
  g_test_add_func ("/icertpbin/with-icesink", test_with_icesink);
  g_test_add_func ("/icertpbin/many-senders", test_many_senders);
  g_test_add_func ("/icertpbin/late-pad", test_late_pad);
  g_test_add_func ("/icertpbin/released-pad", test_released_pad);
  g_test_add_data_func ("/rfc4585/6.3.1/plain", &ways[0], test_pli);
  g_test_add_data_func ("/rfc4585/6.3.1/dtls", &ways[2], test_pli);
  g_test_add_data_func (
      "/icertpbin/one-encrypts/sender", GINT_TO_POINTER (1), test_one_encrypts);
  g_test_add_data_func ("/icertpbin/one-encrypts/receiver", GINT_TO_POINTER (0),
      test_one_encrypts);
  g_test_add_data_func ("/icertpbin/playbin", &ways[0], test_playbin);
  g_test_add_data_func ("/icertpbin/cycles", &ways[0], test_cycles);
  return half_run ();
}
