/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture for a browser, and words that come back from it.
 *
 *   browser [URI]
 *
 * Open what is printed. Without URI only browsers of this host get in.
 * icewebrtcbin is used as any element is: nothing of webrtcbin's unstable API
 * is compiled in. */
#include <gst/gst.h>
#include <string.h>

#define URI "ice+ws://127.0.0.1:8443/cam?listen=1"

static void
on_open (GObject *channel, gpointer unused)
{
  g_signal_emit_by_name (channel, "send-string", "hello page");
}

static void
on_words (GObject *channel, const gchar *text, gpointer unused)
{
  g_print ("The page says: %s\n", text);
}

/* What the page sends, its camera say: counted, not shown. */
static void
on_pad_added (GstElement *bin, GstPad *pad, GstBin *pipeline)
{
  GstElement *sink;
  GstPad *sink_pad;

  if (!GST_PAD_IS_SRC (pad))
    return;
  sink = gst_element_factory_make ("fakesink", NULL);
  sink_pad = gst_element_get_static_pad (sink, "sink");
  g_object_set (sink, "async", FALSE, NULL);
  gst_bin_add (pipeline, sink);
  gst_pad_link (pad, sink_pad);
  gst_element_sync_state_with_parent (sink);
  gst_object_unref (sink_pad);
  g_print ("The page sends something\n");
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer loop)
{
  GError *error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s\n", error->message);
    g_error_free (error);
    g_main_loop_quit (loop);
  }
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  const gchar *uri;
  GMainLoop *loop;
  GstElement *pipeline, *bin;
  GObject *channel = NULL;
  GError *error = NULL;
  GstBus *bus;

  gst_init (&argc, &argv);
  uri = argc > 1 ? argv[1] : URI;
  loop = g_main_loop_new (NULL, FALSE);
  pipeline =
      gst_parse_launch ("videotestsrc is-live=true ! vp8enc deadline=1 ! "
                        "rtpvp8pay ! icewebrtcbin name=w",
          &error);
  if (error) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  bin = gst_bin_get_by_name (GST_BIN (pipeline), "w");
  gst_util_set_object_arg (G_OBJECT (bin), "bundle-policy", "max-bundle");
  g_object_set (bin, "uri", uri, NULL);
  g_signal_connect (bin, "pad-added", G_CALLBACK (on_pad_added), pipeline);

  /* Before the offer, or it is not in there. */
  gst_element_set_state (pipeline, GST_STATE_READY);
  g_signal_emit_by_name (bin, "create-data-channel", "words", NULL, &channel);
  if (channel) {
    g_signal_connect (channel, "on-open", G_CALLBACK (on_open), NULL);
    g_signal_connect (
        channel, "on-message-string", G_CALLBACK (on_words), NULL);
  }

  bus = gst_element_get_bus (pipeline);
  gst_bus_add_watch (bus, on_message, loop);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_print ("http%.*s\n", (int) strcspn (uri + strlen ("ice+ws"), "?"),
      uri + strlen ("ice+ws"));
  g_main_loop_run (loop);

  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_clear_object (&channel);
  gst_object_unref (bus);
  gst_object_unref (bin);
  gst_object_unref (pipeline);
  g_main_loop_unref (loop);
  return 1;
}
