/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtc-transport.h"

#include "icewebrtc-private.h"

#define GST_CAT_DEFAULT gst_ice_webrtc_debug

/* webrtcbin takes "src" and "sink" into bins of its own and listens to state
 * and gathering-state. States come from the notification thread of the agent,
 * in order and with no lock held: handlers start DTLS from in there. */

struct _GstIceWebRTCTransport
{
  GstWebRTCICETransport parent;

  GWeakRef ice;               /* GstIceWebRTC: it has us */
  GstIceTransport *transport; /* (owned) (nullable) */
  guint session_id;
  gulong handlers[2];
};

G_DEFINE_FINAL_TYPE (GstIceWebRTCTransport, gst_ice_webrtc_transport,
    GST_TYPE_WEBRTC_ICE_TRANSPORT)

static GstWebRTCICEConnectionState
connection_state_of (GstIceState state)
{
  switch (state) {
    case GST_ICE_STATE_NEW:
      return GST_WEBRTC_ICE_CONNECTION_STATE_NEW;
    case GST_ICE_STATE_CHECKING:
      return GST_WEBRTC_ICE_CONNECTION_STATE_CHECKING;
    case GST_ICE_STATE_CONNECTED:
      return GST_WEBRTC_ICE_CONNECTION_STATE_CONNECTED;
    case GST_ICE_STATE_COMPLETED:
      return GST_WEBRTC_ICE_CONNECTION_STATE_COMPLETED;
    case GST_ICE_STATE_DISCONNECTED:
      return GST_WEBRTC_ICE_CONNECTION_STATE_DISCONNECTED;
    case GST_ICE_STATE_FAILED:
      return GST_WEBRTC_ICE_CONNECTION_STATE_FAILED;
    case GST_ICE_STATE_CLOSED:
      break;
  }
  return GST_WEBRTC_ICE_CONNECTION_STATE_CLOSED;
}

/* What the agent tells. Its closures hold us weakly: an agent that has a name
 * may outlive us. */

/* (transfer full) (nullable): whoever would listen is gone */
static GstIceWebRTCTransport *
enter (GWeakRef *weak, GObject **ret_bin)
{
  g_autoptr (GstIceWebRTCTransport) self = g_weak_ref_get (weak);
  g_autoptr (GstIceWebRTC) ice = self ? g_weak_ref_get (&self->ice) : NULL;

  return ice && gst_ice_webrtc_enter (ice, ret_bin) ? g_steal_pointer (&self)
                                                    : NULL;
}

static void
on_state (GstIceTransport *transport, GParamSpec *pspec, GWeakRef *weak)
{
  GObject *bin;
  g_autoptr (GstIceWebRTCTransport) self = enter (weak, &bin);
  GstIceState state;

  if (!self)
    return;
  g_object_get (transport, "state", &state, NULL);
  /* webrtcbin closes us as the last thing it does, and its bins, which would
   * hear of it, are taken apart by then. It calls itself closed without us. */
  if (state == GST_ICE_STATE_CLOSED)
    return;
  gst_webrtc_ice_transport_connection_state_change (
      GST_WEBRTC_ICE_TRANSPORT (self), connection_state_of (state));
  gst_ice_webrtc_leave (bin);
}

static void
on_selected (GstIceTransport *transport, GParamSpec *pspec, GWeakRef *weak)
{
  GObject *bin;
  g_autoptr (GstIceWebRTCTransport) self = enter (weak, &bin);

  if (!self)
    return;
  gst_webrtc_ice_transport_selected_pair_change (
      GST_WEBRTC_ICE_TRANSPORT (self));
  gst_ice_webrtc_leave (bin);
}

static void
free_weak_ref (gpointer data, GClosure *closure)
{
  g_weak_ref_clear (data);
  g_free (data);
}

static gulong
listen (GstIceWebRTCTransport *self, const gchar *signal, GCallback callback)
{
  GWeakRef *weak = g_new0 (GWeakRef, 1);

  g_weak_ref_init (weak, self);
  return g_signal_connect_data (
      self->transport, signal, callback, weak, free_weak_ref, 0);
}

/* (transfer full) (nullable) */
static GstElement *
make_element (const gchar *factory, GstIceAgent *agent, const gchar *stream,
    guint component)
{
  GstElement *element = gst_element_factory_make_full (factory, "agent", agent,
      "stream", stream, "component", component, "wait-for-connection", FALSE,
      "auto-restart", FALSE, "report-failure", FALSE, NULL);

  if (!element)
    GST_ERROR ("There is no element “%s”; is the plugin “ice” of gst-ice where "
               "GStreamer looks?",
        factory);
  return element ? gst_object_ref_sink (element) : NULL;
}

GstIceWebRTCTransport *
gst_ice_webrtc_transport_new (GstIceWebRTC *ice, GstIceStream *stream,
    guint session_id, GstWebRTCICEComponent component)
{
  g_autoptr (GstIceAgent) agent = gst_ice_webrtc_ref_agent (ice);
  GstIceWebRTCTransport *self = g_object_new (
      GST_TYPE_ICE_WEBRTC_TRANSPORT, "component", component, NULL);
  GstWebRTCICETransport *base = GST_WEBRTC_ICE_TRANSPORT (self);
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (stream));
  /* W3C counts from 0, RFC 8445 from 1. */
  const guint number = component + 1;

  gst_object_ref_sink (self);
  g_weak_ref_set (&self->ice, ice);
  self->session_id = session_id;
  self->transport = gst_ice_stream_get_transport (stream, number);
  base->src = make_element ("icesrc", agent, name, number);
  base->sink = make_element ("icesink", agent, name, number);
  /* Its DTLS and RTP come in time; what is late has no use later. A keyframe is
   * asked for by the peer, once DTLS lets one through. */
  if (base->sink)
    g_object_set (base->sink, "sync", FALSE, "async", FALSE,
        "keyframe-on-connect", FALSE, NULL);
  self->handlers[0] = listen (self, "notify::state", G_CALLBACK (on_state));
  self->handlers[1] =
      listen (self, "notify::selected-remote", G_CALLBACK (on_selected));
  return self;
}

#if ICE_WEBRTC_HAVE_CLOSE
static GstWebRTCICECandidate *
make_candidate (const GstIceCandidate *candidate, guint session_id)
{
  GstWebRTCICECandidate *made = g_new0 (GstWebRTCICECandidate, 1);

  made->candidate = gst_ice_candidate_to_sdp (candidate);
  made->component = (gint) gst_ice_candidate_get_component (candidate) - 1;
  made->sdp_mline_index = (gint) session_id;
  made->stats = gst_ice_webrtc_make_candidate_stats (candidate, session_id);
  return made;
}

static GstWebRTCICECandidatePair *
gst_ice_webrtc_transport_get_selected_candidate_pair (
    GstWebRTCICETransport *base)
{
  GstIceWebRTCTransport *self = GST_ICE_WEBRTC_TRANSPORT (base);
  g_autoptr (GstIceCandidate) local = NULL;
  g_autoptr (GstIceCandidate) remote = NULL;
  GstWebRTCICECandidatePair *pair;

  g_object_get (self->transport, "selected-local", &local, "selected-remote",
      &remote, NULL);
  if (!local || !remote)
    return NULL;
  pair = g_new0 (GstWebRTCICECandidatePair, 1);
  pair->local = make_candidate (local, self->session_id);
  pair->remote = make_candidate (remote, self->session_id);
  return pair;
}
#endif

/* Gathering is of the stream. */
static gboolean
gst_ice_webrtc_transport_gather (GstWebRTCICETransport *transport)
{
  return TRUE;
}

static void
gst_ice_webrtc_transport_dispose (GObject *object)
{
  GstIceWebRTCTransport *self = GST_ICE_WEBRTC_TRANSPORT (object);
  GstWebRTCICETransport *base = GST_WEBRTC_ICE_TRANSPORT (object);

  for (guint i = 0; i < G_N_ELEMENTS (self->handlers) && self->transport; i++)
    g_clear_signal_handler (&self->handlers[i], self->transport);
  gst_clear_object (&self->transport);
  gst_clear_object (&base->src);
  gst_clear_object (&base->sink);
  G_OBJECT_CLASS (gst_ice_webrtc_transport_parent_class)->dispose (object);
}

static void
gst_ice_webrtc_transport_finalize (GObject *object)
{
  g_weak_ref_clear (&GST_ICE_WEBRTC_TRANSPORT (object)->ice);
  G_OBJECT_CLASS (gst_ice_webrtc_transport_parent_class)->finalize (object);
}

static void
gst_ice_webrtc_transport_class_init (GstIceWebRTCTransportClass *klass)
{
  GstWebRTCICETransportClass *transport_class =
      GST_WEBRTC_ICE_TRANSPORT_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gst_ice_webrtc_transport_dispose;
  G_OBJECT_CLASS (klass)->finalize = gst_ice_webrtc_transport_finalize;
  transport_class->gather_candidates = gst_ice_webrtc_transport_gather;
#if ICE_WEBRTC_HAVE_CLOSE
  transport_class->get_selected_candidate_pair =
      gst_ice_webrtc_transport_get_selected_candidate_pair;
#endif
}

static void
gst_ice_webrtc_transport_init (GstIceWebRTCTransport *self)
{
  g_weak_ref_init (&self->ice, NULL);
}
