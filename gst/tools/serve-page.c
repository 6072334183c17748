/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "serve-page.h"

#include <gst/ice/ice.h>
#include <string.h>

/* A pipeline in a room of a signalling server: the server's own page shows it.
 */

#define TEST_LINE                                                              \
  "videotestsrc is-live=true ! video/x-raw,width=640,height=480 ! vp8enc "     \
  "deadline=1 cpu-used=8 keyframe-max-dist=60 ! rtpvp8pay picture-id-mode=2 "  \
  "! page. audiotestsrc is-live=true wave=ticks ! opusenc ! rtpopuspay pt=97 " \
  "! page."

/* To the port of @server, over the loopback interface where that will do; its
 * certificate is known by its fingerprint. */
static gchar *
make_uri (GObject *server, const gchar *address, const gchar *token)
{
  g_autofree gchar *uri = NULL, *fingerprint = NULL, *escaped = NULL;
  const gchar *port;

  g_object_get (server, "uri", &uri, "fingerprint", &fingerprint, NULL);
  port = strrchr (uri, ':');
  escaped = token ? g_uri_escape_string (token, NULL, FALSE) : NULL;
  return g_strconcat (fingerprint ? "ice+wss://" : "ice+ws://",
      address ? address : "127.0.0.1", port, "/" GST_ICE_TOOL_PAGE_ROOM,
      fingerprint ? "?fingerprint=sha-256:" : "",
      fingerprint ? fingerprint : "",
      escaped ? fingerprint ? "&token=" : "?token=" : "",
      escaped ? escaped : "", NULL);
}

static void
on_pad_added (GstElement *bin, GstPad *pad, gpointer play)
{
  g_autoptr (GstObject) pipeline = gst_object_get_parent (GST_OBJECT (bin));
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autoptr (GstPad) sink_pad = NULL;
  GstElement *sink;
  const gchar *media = NULL;
  const gchar *line = "fakesink sync=false async=false";

  if (caps && gst_caps_get_size (caps) > 0)
    media =
        gst_structure_get_string (gst_caps_get_structure (caps, 0), "media");
  if (play)
    line = g_strcmp0 (media, "audio") == 0
        ? "queue ! decodebin ! audioconvert ! audioresample ! autoaudiosink"
        : "queue ! decodebin ! videoconvert ! autovideosink";
  sink = gst_parse_bin_from_description (line, TRUE, NULL);
  if (!sink || !pipeline)
    return;
  gst_bin_add (GST_BIN (pipeline), sink);
  sink_pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_link (pad, sink_pad);
  gst_element_sync_state_with_parent (sink);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer unused)
{
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, NULL);
  if (error)
    g_printerr ("serve: %s\n", error->message);
  return G_SOURCE_CONTINUE;
}

GstElement *
gst_ice_tool_page_new (GObject *server, const gchar *address,
    const gchar *token, const gchar *line, gboolean play, GError **error)
{
  g_autofree gchar *text = g_strconcat (line ? line : TEST_LINE,
      " icewebrtcbin name=page "
      "bundle-policy=max-bundle",
      NULL);
  g_autofree gchar *uri = make_uri (server, address, token);
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, error);
  g_autoptr (GstElement) bin = NULL;
  g_autoptr (GstBus) bus = NULL;

  if (!pipeline)
    return NULL;
  bin = GST_IS_BIN (pipeline) ? gst_bin_get_by_name (GST_BIN (pipeline), "page")
                              : NULL;
  if (!bin) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        "The pipeline has nothing that ends in “! page.”");
    return NULL;
  }
  g_object_set (bin, "uri", uri, NULL);
  g_signal_connect (
      bin, "pad-added", G_CALLBACK (on_pad_added), GINT_TO_POINTER (play));
  bus = gst_element_get_bus (pipeline);
  gst_bus_add_watch (bus, on_message, NULL);
  return g_steal_pointer (&pipeline);
}
