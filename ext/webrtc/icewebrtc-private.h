/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "icewebrtc-stream.h"
#include "icewebrtc.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_ice_webrtc_debug);

struct _GstIceWebRTC
{
  GstWebRTCICE parent;

  GstIceAgent *agent; /* (owned) */
  gboolean own_agent; /* nobody else's: ours to close */
  gulong handlers[2];

  /* Under the object lock. */
  GPtrArray *streams;  /* (owned) (element-type GstIceWebRTCStream) */
  gchar *stun, *turn;  /* (owned) (nullable) as they were set */
  GPtrArray *turns;    /* (owned) (element-type utf8) that were added */
  gchar *http_proxy;   /* (owned) (nullable) */
  gboolean controller; /* as webrtcbin set it last */
  gboolean ice_tcp;
  GWeakRef bin; /* whose agent we are: the callback's data */
  gboolean has_bin;
  GstWebRTCICEOnCandidateFunc on_candidate;
  gpointer on_candidate_data;
  GDestroyNotify on_candidate_notify;
};

/* Around whatever webrtcbin hears from us. Its handlers have no references of
 * what they use, so it has to live while they run. FALSE: it is gone. */
gboolean gst_ice_webrtc_enter (GstIceWebRTC *self, GObject **ret_bin);
/* @bin: (transfer full) (nullable) */
void gst_ice_webrtc_leave (GObject *bin);

/* icewebrtc-servers.c: vfuncs of servers and proxy */
void gst_ice_webrtc_servers_class_init (GstWebRTCICEClass *klass);
/* Wrong input of the application: on the bus, as a warning of webrtcbin. */
void gst_ice_webrtc_warn (GstIceWebRTC *self, const GError *error);

/* icewebrtc-stats.c: what is known of candidates */
void gst_ice_webrtc_stats_class_init (GstWebRTCICEClass *klass);
/* (transfer full) */
GstWebRTCICECandidateStats *gst_ice_webrtc_make_candidate_stats (
    const GstIceCandidate *candidate, guint session_id);

G_END_DECLS
