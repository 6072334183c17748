/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/decisions/005: what icesrc answers, and what a video sink makes of it.
 */
#include "half.h"

/* What GstVideoSink sets. */
#define PROCESSING_DEADLINE (20 * GST_MSECOND)

static void
ask_latency (GstElement *element, gboolean *ret_live, GstClockTime *ret_min,
    GstClockTime *ret_max)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();

  g_assert_true (gst_element_query (element, query));
  gst_query_parse_latency (query, ret_live, ret_min, ret_max);
}

static void
test_answer (void)
{
  g_autoptr (GstElement) src = gst_element_factory_make ("icesrc", NULL);
  GstClockTime min, max;
  gboolean live;

  gst_object_ref_sink (src);
  ask_latency (src, &live, &min, &max);
  g_assert_true (live);
  g_assert_cmpuint (min, ==, 0);
  g_assert_cmpuint (max, ==, GST_CLOCK_TIME_NONE);
}

static void
test_video_sink (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) sender = NULL;
  g_autoptr (Half) receiver = NULL;
  GstClockTime min, max;
  gboolean live;

  g_test_summary ("Between icesrc and a sink that takes its time there is no "
                  "queue, and nobody asks for one");
  if (!half_have ("vp8enc", "vp8dec", "rtpvp8pay", NULL))
    return;
  sender = half_new ("videotestsrc is-live=true ! vp8enc deadline=1 ! "
                     "rtpvp8pay ! icesink uri=ice+file://%s",
      place);
  receiver =
      half_new ("icesrc uri=ice+file://%s ! decodebin ! fakesink "
                "name=out sync=true processing-deadline=%" G_GUINT64_FORMAT,
          place, PROCESSING_DEADLINE);
  half_connect (receiver, sender);
  half_wait (sender, receiver, half_n_buffers (receiver) >= 5);

  ask_latency (receiver->pipeline, &live, &min, &max);
  g_assert_true (live);
  g_assert_cmpuint (min, >=, PROCESSING_DEADLINE);
  g_assert_cmpuint (max, ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (half_count (receiver, GST_MESSAGE_WARNING), ==, 0);
}

int
main (int argc, char **argv)
{
  half_init (&argc, &argv);
  g_test_add_func ("/latency/answer", test_answer);
  g_test_add_func ("/latency/video-sink", test_video_sink);
  return half_run ();
}
