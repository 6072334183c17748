/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/ice/ice.h>

static void
tell_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer other)
{
  gst_ice_stream_add_remote_candidate (other, candidate);
}

/* What signalling carries: user fragment, password, candidates. */
static void
tell (GstIceAgent *agent, GstIceStream *stream, GstIceStream *other)
{
  g_autofree gchar *ufrag = NULL, *pwd = NULL;

  gst_ice_stream_get_local_credentials (stream, &ufrag, &pwd);
  gst_ice_stream_set_remote_credentials (other, ufrag, pwd);
  g_signal_connect (agent, "new-candidate", G_CALLBACK (tell_candidate), other);
  gst_ice_agent_gather (agent);
}

static void
on_connected (GObject *out, GAsyncResult *result, gpointer loop)
{
  g_autoptr (GBytes) hello = g_bytes_new_static ("hello", 5);

  gst_ice_transport_send (GST_ICE_TRANSPORT (out), hello, NULL);
}

static void
on_packet (GstIceTransport *in, GBytes *packet, gpointer loop)
{
  g_print ("bob got %" G_GSIZE_FORMAT " bytes\n", g_bytes_get_size (packet));
  g_main_loop_quit (loop);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GstIceAgent) alice = gst_ice_agent_new ();
  g_autoptr (GstIceAgent) bob = gst_ice_agent_new ();
  g_autoptr (GstIceStream) hers = gst_ice_agent_request_stream (alice, "data");
  g_autoptr (GstIceStream) his = gst_ice_agent_request_stream (bob, "data");
  g_autoptr (GstIceTransport) out = gst_ice_stream_get_transport (hers, 1);
  g_autoptr (GstIceTransport) in = gst_ice_stream_get_transport (his, 1);

  g_object_set (alice, "controlling", TRUE, NULL);
  g_signal_connect (in, "packet", G_CALLBACK (on_packet), loop);
  gst_ice_transport_connect_async (out, NULL, on_connected, NULL);
  tell (alice, hers, his);
  tell (bob, his, hers);
  g_main_loop_run (loop);
  return 0;
}
