/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* icesink to icesrc, on a pair of host candidates. */

#include <gst/ice/ice.h>

#include "media.h"

static void
say (Wire *wire, GstIceStream *stream)
{
  g_autoptr (GPtrArray) candidates =
      gst_ice_stream_get_local_candidates (stream);
  g_autofree gchar *ufrag = NULL, *pwd = NULL;

  gst_ice_stream_get_local_credentials (stream, &ufrag, &pwd);
  wire_send (wire, "ice-ufrag:%s", ufrag);
  wire_send (wire, "ice-pwd:%s", pwd);
  wire_send (wire, "ice-options:ice2 trickle renomination");
  for (guint i = 0; i < candidates->len; i++) {
    g_autofree gchar *line = gst_ice_candidate_to_sdp (candidates->pdata[i]);

    wire_send (wire, "%s", line);
  }
  wire_send (wire, "end-of-candidates");
}

static void
hear (Wire *wire, GstIceStream *stream)
{
  for (;;) {
    g_autofree gchar *line = wire_receive (wire);
    g_autoptr (GError) error = NULL;

    if (!gst_ice_stream_add_remote_sdp (stream, line, &error))
      g_error ("%s: %s", line, error->message);
    if (g_str_equal (line, "end-of-candidates"))
      return;
  }
}

static gint
first_port (GstIceStream *stream)
{
  g_autoptr (GPtrArray) candidates =
      gst_ice_stream_get_local_candidates (stream);

  return candidates->len > 0
      ? (gint) gst_ice_candidate_get_port (candidates->pdata[0])
      : 0;
}

static GstElement *
ice_connect (Wire *wire, gboolean sender)
{
  g_autoptr (GstIceAgent) agent =
      g_object_new (GST_TYPE_ICE_AGENT, "interfaces", "lo", "ip-family",
          GST_ICE_IP_FAMILY_IPV4, "controlling", sender, NULL);
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "0");
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (stream, 1);
  GstElement *element =
      gst_element_factory_make (sender ? "icesink" : "icesrc", NULL);
  GstIceGatheringState gathering = GST_ICE_GATHERING_STATE_NEW;
  GstIceState state = GST_ICE_STATE_NEW;

  if (!element)
    g_error ("no icesink: set GST_PLUGIN_PATH");
  g_object_set (element, "agent", agent, "wait-for-connection", FALSE, NULL);
  if (!sender)
    g_object_set (element, "receive-coalesce", wire->coalesce, NULL);
  if (wire->relay) {
    g_autofree gchar *uri = g_strdup_printf ("turn:%s", wire->relay);

    gst_ice_agent_add_server_with_credentials (
        agent, uri, "alice", "wonderland", NULL);
    g_object_set (agent, "policy", GST_ICE_POLICY_RELAY, NULL);
  }
  gst_ice_agent_gather (agent);
  while (gathering != GST_ICE_GATHERING_STATE_COMPLETE) {
    g_usleep (1000);
    g_object_get (agent, "gathering-state", &gathering, NULL);
  }
  wire->port = first_port (stream);
  say (wire, stream);
  hear (wire, stream);
  for (gint i = 0; state != GST_ICE_STATE_COMPLETED; i++) {
    g_usleep (1000);
    g_object_get (transport, "state", &state, NULL);
    if (state == GST_ICE_STATE_FAILED || i > 10 * 1000)
      g_error ("no path: state %d", (gint) state);
  }
  if (sender)
    gst_element_set_state (element, GST_STATE_PLAYING);
  return element;
}

const Variant variant_ice = { .name = "ice", .connect = ice_connect };
