/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "peer.h"

#include <gst/sdp/sdp.h>
#include <string.h>

static void
on_handoff (GstElement *sink, GstBuffer *buffer, GstPad *pad, Peer *self)
{
  g_atomic_int_inc (&self->n_buffers);
}

static void
on_pad_added (GstElement *bin, GstPad *pad, Peer *self)
{
  GstElement *sink;
  g_autoptr (GstPad) far = NULL;

  if (!GST_PAD_IS_SRC (pad))
    return;
  sink = gst_element_factory_make_full (
      "fakesink", "signal-handoffs", TRUE, "async", FALSE, "sync", FALSE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_handoff), self);
  gst_bin_add (GST_BIN (self->pipeline), sink);
  far = gst_element_get_static_pad (sink, "sink");
  g_assert_cmpint (gst_pad_link (pad, far), ==, GST_PAD_LINK_OK);
  gst_element_sync_state_with_parent (sink);
}

static void
on_candidate (GstElement *bin, guint mline, const gchar *candidate, Peer *self)
{
  g_atomic_int_inc (&self->n_candidates);
  if (!strstr (candidate, " typ relay"))
    g_atomic_int_inc (&self->n_not_relayed);
  if (self->other)
    g_signal_emit_by_name (
        self->other->bin, "add-ice-candidate", mline, candidate);
}

static void
on_negotiation_needed (GstElement *bin, Peer *self)
{
  g_atomic_int_inc (&self->n_negotiations);
}

static void
on_text (GstWebRTCDataChannel *channel, const gchar *text, Peer *self)
{
  g_atomic_int_inc (&self->n_messages);
}

static void
take_channel (Peer *self, GstWebRTCDataChannel *channel)
{
  g_signal_connect (channel, "on-message-string", G_CALLBACK (on_text), self);
  g_mutex_lock (&self->lock);
  g_set_object (&self->channel, channel);
  g_mutex_unlock (&self->lock);
}

static void
on_data_channel (GstElement *bin, GstWebRTCDataChannel *channel, Peer *self)
{
  take_channel (self, channel);
}

Peer *
peer_new (const gchar *factory, const gchar *source)
{
  Peer *self = g_new0 (Peer, 1);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *line =
      g_strdup_printf ("%s name=w bundle-policy=max-bundle "
                       "%s%s",
          factory, source ? source : "", source ? " ! w." : "");

  g_mutex_init (&self->lock);
  self->pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  if (!GST_IS_PIPELINE (self->pipeline)) {
    GstElement *pipeline = gst_pipeline_new (NULL);

    gst_bin_add (GST_BIN (pipeline), self->pipeline);
    self->pipeline = pipeline;
  }
  self->bin = gst_bin_get_by_name (GST_BIN (self->pipeline), "w");
  g_assert_nonnull (self->bin);
  g_signal_connect (self->bin, "pad-added", G_CALLBACK (on_pad_added), self);
  g_signal_connect (
      self->bin, "on-ice-candidate", G_CALLBACK (on_candidate), self);
  g_signal_connect (
      self->bin, "on-data-channel", G_CALLBACK (on_data_channel), self);
  g_signal_connect (self->bin, "on-negotiation-needed",
      G_CALLBACK (on_negotiation_needed), self);
  return self;
}

void
peer_free (Peer *self)
{
  peer_stop (self);
  g_clear_object (&self->channel);
  gst_object_unref (self->bin);
  gst_object_unref (self->pipeline);
  g_mutex_clear (&self->lock);
  g_free (self);
}

GstIceAgent *
peer_ref_agent (Peer *self)
{
  g_autoptr (GObject) ice = NULL;
  GstIceAgent *agent = NULL;

  g_object_get (self->bin, "ice-agent", &ice, NULL);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (ice), "ice-tcp") &&
      g_str_equal (G_OBJECT_TYPE_NAME (ice), "GstIceWebRTC"))
    g_object_get (ice, "agent", &agent, NULL);
  return agent;
}

void
peer_wire (Peer *a, Peer *b)
{
  a->other = b;
  b->other = a;
}

void
peer_add_channel (Peer *self)
{
  g_autoptr (GstWebRTCDataChannel) channel = NULL;

  gst_element_set_state (self->bin, GST_STATE_READY);
  g_signal_emit_by_name (
      self->bin, "create-data-channel", "talk", NULL, &channel);
  g_assert_nonnull (channel);
  take_channel (self, channel);
}

void
peer_play (Peer *self)
{
  g_assert_cmpint (gst_element_set_state (self->pipeline, GST_STATE_PLAYING),
      !=, GST_STATE_CHANGE_FAILURE);
}

void
peer_stop (Peer *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
}

/* (transfer full) */
static GstWebRTCSessionDescription *
create (Peer *self, const gchar *type, gboolean restart)
{
  g_autofree gchar *action = g_strdup_printf ("create-%s", type);
  g_autoptr (GstStructure) options = restart
      ? gst_structure_new ("options", "ice-restart", G_TYPE_BOOLEAN, TRUE, NULL)
      : NULL;
  g_autoptr (GstPromise) promise = gst_promise_new ();
  GstWebRTCSessionDescription *description = NULL;

  g_signal_emit_by_name (self->bin, action, options, promise);
  g_assert_cmpint (gst_promise_wait (promise), ==, GST_PROMISE_RESULT_REPLIED);
  gst_structure_get (gst_promise_get_reply (promise), type,
      GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &description, NULL);
  if (!description)
    g_error ("no %s: %s", type,
        gst_structure_to_string (gst_promise_get_reply (promise)));
  return description;
}

static void
set (Peer *self, const gchar *action, GstWebRTCSessionDescription *description)
{
  g_autoptr (GstPromise) promise = gst_promise_new ();
  const GstStructure *reply;

  g_signal_emit_by_name (self->bin, action, description, promise);
  g_assert_cmpint (gst_promise_wait (promise), ==, GST_PROMISE_RESULT_REPLIED);
  reply = gst_promise_get_reply (promise);
  if (reply && gst_structure_has_field (reply, "error"))
    g_error ("%s: %s", action, gst_structure_to_string (reply));
}

void
peer_negotiate (Peer *offerer, Peer *answerer, gboolean restart)
{
  g_autoptr (GstWebRTCSessionDescription) offer =
      create (offerer, "offer", restart);
  g_autoptr (GstWebRTCSessionDescription) answer = NULL;

  set (offerer, "set-local-description", offer);
  set (answerer, "set-remote-description", offer);
  answer = create (answerer, "answer", FALSE);
  set (answerer, "set-local-description", answer);
  set (offerer, "set-remote-description", answer);
}

GstStructure *
peer_get_stats (Peer *self)
{
  g_autoptr (GstPromise) promise = gst_promise_new ();

  g_signal_emit_by_name (self->bin, "get-stats", NULL, promise);
  g_assert_cmpint (gst_promise_wait (promise), ==, GST_PROMISE_RESULT_REPLIED);
  return gst_structure_copy (gst_promise_get_reply (promise));
}

GstWebRTCICEConnectionState
peer_ice_state (Peer *self)
{
  GstWebRTCICEConnectionState state;

  g_object_get (self->bin, "ice-connection-state", &state, NULL);
  return state;
}

GstWebRTCPeerConnectionState
peer_state (Peer *self)
{
  GstWebRTCPeerConnectionState state;

  g_object_get (self->bin, "connection-state", &state, NULL);
  return state;
}

gboolean
peer_channel_is_open (Peer *self)
{
  GstWebRTCDataChannelState state = GST_WEBRTC_DATA_CHANNEL_STATE_CONNECTING;

  g_mutex_lock (&self->lock);
  if (self->channel)
    g_object_get (self->channel, "ready-state", &state, NULL);
  g_mutex_unlock (&self->lock);
  return state == GST_WEBRTC_DATA_CHANNEL_STATE_OPEN;
}

void
peer_send_text (Peer *self, const gchar *text)
{
  g_signal_emit_by_name (self->channel, "send-string", text);
}
