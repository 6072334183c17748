/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GstIceAgents. */

#include <gst/ice/ice.h>

#include "scale.h"

typedef struct
{
  ScaleTally *tally;
  GstIceAgent *agent;         /* (owned) */
  GstIceStream *stream;       /* (owned) */
  GstIceTransport *transport; /* (owned) */
  GstElement *pipeline;       /* (owned) (nullable) */
  gboolean connected;         /* as it was told last */
} End;

static End *ends;

static void
on_gathering_state (GstIceAgent *agent, GParamSpec *pspec, End *self)
{
  GstIceGatheringState state;

  g_object_get (agent, "gathering-state", &state, NULL);
  if (state == GST_ICE_GATHERING_STATE_COMPLETE)
    g_atomic_int_inc (&self->tally->gathered);
}

static void
on_state (GstIceTransport *transport, GParamSpec *pspec, End *self)
{
  gboolean connected;
  GstIceState state;

  g_object_get (transport, "state", &state, NULL);
  connected =
      state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED;
  if (connected && !self->connected)
    g_atomic_int_inc (&self->tally->connected);
  if (!connected && self->connected)
    g_atomic_int_inc (&self->tally->disconnected);
  self->connected = connected;
}

static void
on_consent_lost (
    GstIceAgent *agent, GstIceStream *stream, guint component, End *self)
{
  g_atomic_int_inc (&self->tally->lost);
}

static void
add_pipeline (End *self)
{
  GstElement *source = gst_element_factory_make ("icesrc", NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);

  if (!source || !sink)
    g_error ("no icesrc: set GST_PLUGIN_PATH");
  g_object_set (source, "agent", self->agent, "wait-for-connection", FALSE,
      "auto-restart", FALSE, NULL);
  g_object_set (sink, "sync", FALSE, "async", FALSE, NULL);
  self->pipeline = gst_pipeline_new (NULL);
  gst_bin_add_many (GST_BIN (self->pipeline), source, sink, NULL);
  gst_element_link (source, sink);
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
}

static void
ice_make (const ScaleSettings *settings, ScaleTally *tally)
{
  gst_ice_set_process_pacing (settings->pacing);
  ends = g_new0 (End, 2 * settings->pairs);
  for (gint i = 0; i < 2 * settings->pairs; i++) {
    End *self = &ends[i];

    self->tally = tally;
    self->agent = g_object_new (GST_TYPE_ICE_AGENT, "interfaces", "lo",
        "ip-family", GST_ICE_IP_FAMILY_IPV4, "controlling", i % 2 == 0, NULL);
    self->stream = gst_ice_agent_request_stream (self->agent, "0");
    self->transport = gst_ice_stream_get_transport (self->stream, 1);
    g_signal_connect (self->agent, "notify::gathering-state",
        G_CALLBACK (on_gathering_state), self);
    g_signal_connect (
        self->transport, "notify::state", G_CALLBACK (on_state), self);
    g_signal_connect (
        self->agent, "consent-lost", G_CALLBACK (on_consent_lost), self);
    if (settings->elements)
      add_pipeline (self);
    gst_ice_agent_gather (self->agent);
  }
}

static void
introduce (End *self, End *other)
{
  g_autoptr (GPtrArray) candidates =
      gst_ice_stream_get_local_candidates (other->stream);
  g_autofree gchar *ufrag = NULL, *pwd = NULL;
  g_autoptr (GError) error = NULL;

  gst_ice_stream_get_local_credentials (other->stream, &ufrag, &pwd);
  gst_ice_stream_set_remote_credentials (self->stream, ufrag, pwd);
  if (!gst_ice_stream_add_remote_sdp (
          self->stream, "a=ice-options:ice2 trickle renomination", &error))
    g_error ("%s", error->message);
  for (guint i = 0; i < candidates->len; i++)
    gst_ice_stream_add_remote_candidate (self->stream, candidates->pdata[i]);
  gst_ice_stream_end_remote_candidates (self->stream);
}

static void
ice_join (const ScaleSettings *settings)
{
  for (gint i = 0; i < 2 * settings->pairs; i++)
    introduce (&ends[i], &ends[i ^ 1]);
}

const ScaleVariant scale_ice = { .name = "ice",
  .make = ice_make,
  .join = ice_join };
