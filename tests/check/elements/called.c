/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pipeline, and an application at the other end that declines and holds. */
#include "half.h"

#include <string.h>

#define LINE                                                                   \
  "videotestsrc is-live=true ! video/x-raw,width=64,height=64 ! vp8enc "       \
  "deadline=1 ! rtpvp8pay name=pay ! icesink name=sink uri=ice+file://%s"

typedef struct
{
  GstIceAgent *agent;
  GstIceTransport *transport;
  GstIceSignaller *signaller;
  GstIceSession *session;
  gint n_media; /* atomic: RTP packets */
} Callee;

static void
on_packet (GstIceTransport *transport, GBytes *packet, Callee *self)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (packet, &size);

  /* RFC 5761 4: what RTCP has there is no payload type. */
  if (size >= 2 && (data[1] < 192 || data[1] > 223))
    g_atomic_int_inc (&self->n_media);
}

static void
callee_init (Callee *self, const gchar *place)
{
  g_autofree gchar *uri = g_strconcat ("ice+file://", place, NULL);
  g_autoptr (GstIceStream) stream = NULL;
  g_autoptr (GstCaps) any = gst_caps_new_any ();
  g_autoptr (GError) error = NULL;

  memset (self, 0, sizeof *self);
  self->agent = gst_ice_agent_new ();
  stream = gst_ice_agent_request_stream (self->agent, "0");
  gst_ice_stream_set_caps (stream, NULL, any);
  self->transport = gst_ice_stream_get_transport (stream, 1);
  g_signal_connect (self->transport, "packet", G_CALLBACK (on_packet), self);
  self->signaller = gst_ice_signaller_new_from_uri (uri, &error);
  g_assert_no_error (error);
  self->session = gst_ice_session_new (self->agent, self->signaller);
}

static void
callee_start (Callee *self)
{
  g_autoptr (GError) error = NULL;

  gst_ice_session_set_ready (self->session);
  gst_ice_session_start (self->session, GST_ICE_SIGNALLER_ROLE_ANSWER, &error);
  g_assert_no_error (error);
}

static void
callee_clear (Callee *self)
{
  gst_ice_session_bye (self->session, "done");
  g_signal_handlers_disconnect_by_data (self->transport, self);
  gst_object_unref (self->session);
  g_object_unref (self->signaller);
  gst_object_unref (self->transport);
  gst_ice_agent_close_async (self->agent, NULL, NULL, NULL);
  gst_object_unref (self->agent);
}

static void
say_busy (
    GstIceSession *session, const gchar *sdp, gboolean first, gpointer unused)
{
  gst_ice_session_reject (session, "busy", "in another\ncall");
}

/* The last that was told of the peer is @event. */
static gboolean
peer_is (Half *self, const gchar *event)
{
  const GstStructure *peer = half_find (self, "GstIcePeer");

  return peer != NULL &&
      g_strcmp0 (gst_structure_get_string (peer, "event"), event) == 0;
}

static void
test_rejected (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) caller = half_new (LINE, place);
  g_autofree gchar *text = NULL, *cause = NULL;
  Callee callee;

  g_test_summary ("Who is declined has the peer's reason on the bus");
  callee_init (&callee, place);
  g_signal_connect (callee.session, "incoming", G_CALLBACK (say_busy), NULL);
  caller->errors_are_expected = TRUE;
  half_begin (caller);
  callee_start (&callee);
  half_wait (caller, caller, half_count (caller, GST_MESSAGE_ERROR) > 0);
  text = half_complaint (caller, GST_MESSAGE_ERROR, &cause);
  g_assert_cmpstr (text, ==, "The peer declines the session: in another call");
  g_assert_cmpstr (cause, ==, "signalling-lost");
  g_assert_true (peer_is (caller, "rejected"));
  g_assert_cmpstr (
      gst_structure_get_string (half_find (caller, "GstIcePeer"), "reason"), ==,
      "busy");
  callee_clear (&callee);
}

static GstPadProbeReturn
count_picture (GstPad *pad, GstPadProbeInfo *info, gpointer n)
{
  g_atomic_int_inc ((gint *) n);
  return GST_PAD_PROBE_OK;
}

/* While thirty pictures of the caller, counted in @n_made, come to its sink. */
static gboolean
no_media_of_thirty (Callee *self, Half *caller, gint *n_made)
{
  const gint n = g_atomic_int_get (&self->n_media);
  const gint made = g_atomic_int_get (n_made);

  half_wait (caller, caller, g_atomic_int_get (n_made) >= made + 30);
  return g_atomic_int_get (&self->n_media) == n;
}

static void
test_hold (void)
{
  const gchar *place = half_place ();
  g_autoptr (Half) caller = half_new (LINE, place);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (caller->pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  gint n, n_made = 0;
  Callee callee;

  g_test_summary ("RFC 3264 8.4: who is put on hold sends no media until it "
                  "is taken off, and the bus tells both");
  callee_init (&callee, place);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, count_picture,
      &n_made, NULL);
  half_begin (caller);
  callee_start (&callee);
  half_wait (caller, caller, half_is_settled (caller));
  half_set_state (caller, GST_STATE_PLAYING);
  half_wait (caller, caller, g_atomic_int_get (&callee.n_media) > 3);

  gst_ice_session_hold (callee.session);
  half_wait (caller, caller, peer_is (caller, "hold"));
  /* What was under way arrives; then nothing may, of thirty pictures. */
  half_wait (caller, caller, no_media_of_thirty (&callee, caller, &n_made));
  n = g_atomic_int_get (&callee.n_media);

  gst_ice_session_resume (callee.session);
  half_wait (caller, caller, peer_is (caller, "resume"));
  half_wait (caller, caller, g_atomic_int_get (&callee.n_media) > n + 3);
  callee_clear (&callee);
}

int
main (int argc, char **argv)
{
  half_init (&argc, &argv);
  g_test_add_func ("/called/rejected", test_rejected);
  g_test_add_func ("/rfc3264/8.4/no-media", test_hold);
  return half_run ();
}
