/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtc-private.h"

#define GST_CAT_DEFAULT gst_ice_webrtc_debug

/* What webrtcbin's get-stats says of candidates. */

/* webrtcbin keeps these three as they are: they have to be static. */
static const gchar *
type_of (const GstIceCandidate *candidate)
{
  static const gchar *const types[] = { "host", "srflx", "prflx", "relay" };

  return types[gst_ice_candidate_get_kind (candidate)];
}

#if ICE_WEBRTC_HAVE_CLOSE
static GstWebRTCICETcpCandidateType
tcp_type_of (const GstIceCandidate *candidate)
{
  const gchar *type = gst_ice_candidate_get_tcp_type (candidate);

  if (g_strcmp0 (type, "active") == 0)
    return GST_WEBRTC_ICE_TCP_CANDIDATE_TYPE_ACTIVE;
  if (g_strcmp0 (type, "passive") == 0)
    return GST_WEBRTC_ICE_TCP_CANDIDATE_TYPE_PASSIVE;
  if (g_strcmp0 (type, "so") == 0)
    return GST_WEBRTC_ICE_TCP_CANDIDATE_TYPE_SO;
  return GST_WEBRTC_ICE_TCP_CANDIDATE_TYPE_NONE;
}
#endif

GstWebRTCICECandidateStats *
gst_ice_webrtc_make_candidate_stats (
    const GstIceCandidate *candidate, guint session_id)
{
  GstWebRTCICECandidateStats *stats = g_new0 (GstWebRTCICECandidateStats, 1);

  stats->ipaddr = g_strdup (gst_ice_candidate_get_address (candidate));
  stats->port = gst_ice_candidate_get_port (candidate);
  stats->stream_id = session_id;
  stats->type = type_of (candidate);
  stats->proto = g_intern_string (gst_ice_candidate_get_protocol (candidate));
  stats->relay_proto =
      g_intern_string (gst_ice_candidate_get_relay_protocol (candidate));
  stats->prio = gst_ice_candidate_get_priority (candidate);
  stats->url = g_strdup (gst_ice_candidate_get_url (candidate));
#if ICE_WEBRTC_HAVE_CLOSE
  stats->ABI.abi.foundation =
      g_strdup (gst_ice_candidate_get_foundation (candidate));
  stats->ABI.abi.related_address =
      g_strdup (gst_ice_candidate_get_related_address (candidate));
  /* webrtcbin leaves out what is -1. */
  stats->ABI.abi.related_port = stats->ABI.abi.related_address
      ? gst_ice_candidate_get_related_port (candidate)
      : (guint) -1;
  stats->ABI.abi.username_fragment =
      g_strdup (gst_ice_candidate_get_ufrag (candidate));
  stats->ABI.abi.tcp_type = tcp_type_of (candidate);
#endif
  return stats;
}

/* (transfer full) NULL-terminated */
static GstWebRTCICECandidateStats **
make_all (GPtrArray *candidates, guint session_id)
{
  GstWebRTCICECandidateStats **all =
      g_new0 (GstWebRTCICECandidateStats *, candidates->len + 1);

  for (guint i = 0; i < candidates->len; i++)
    all[i] =
        gst_ice_webrtc_make_candidate_stats (candidates->pdata[i], session_id);
  g_ptr_array_unref (candidates);
  return all;
}

static GstWebRTCICECandidateStats **
gst_ice_webrtc_get_local_candidates (
    GstWebRTCICE *ice, GstWebRTCICEStream *stream)
{
  return make_all (
      gst_ice_stream_get_local_candidates (
          gst_ice_webrtc_stream_get_stream (GST_ICE_WEBRTC_STREAM (stream))),
      stream->stream_id);
}

static GstWebRTCICECandidateStats **
gst_ice_webrtc_get_remote_candidates (
    GstWebRTCICE *ice, GstWebRTCICEStream *stream)
{
  return make_all (
      gst_ice_stream_get_remote_candidates (
          gst_ice_webrtc_stream_get_stream (GST_ICE_WEBRTC_STREAM (stream))),
      stream->stream_id);
}

static gboolean
gst_ice_webrtc_get_selected_pair (GstWebRTCICE *ice, GstWebRTCICEStream *stream,
    GstWebRTCICECandidateStats **ret_local,
    GstWebRTCICECandidateStats **ret_remote)
{
  g_autoptr (GstIceTransport) transport = gst_ice_stream_get_transport (
      gst_ice_webrtc_stream_get_stream (GST_ICE_WEBRTC_STREAM (stream)), 1);
  g_autoptr (GstIceCandidate) local = NULL;
  g_autoptr (GstIceCandidate) remote = NULL;

  g_object_get (
      transport, "selected-local", &local, "selected-remote", &remote, NULL);
  if (!local || !remote)
    return FALSE;
  *ret_local = gst_ice_webrtc_make_candidate_stats (local, stream->stream_id);
  *ret_remote = gst_ice_webrtc_make_candidate_stats (remote, stream->stream_id);
  return TRUE;
}

void
gst_ice_webrtc_stats_class_init (GstWebRTCICEClass *klass)
{
  klass->get_local_candidates = gst_ice_webrtc_get_local_candidates;
  klass->get_remote_candidates = gst_ice_webrtc_get_remote_candidates;
  klass->get_selected_pair = gst_ice_webrtc_get_selected_pair;
}
