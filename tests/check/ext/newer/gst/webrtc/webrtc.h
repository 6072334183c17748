/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What GStreamer 1.28 declares of webrtcbin's ICE and 1.22 does not, for
 * compiling ext/webrtc against it where there is no newer installation (design
 * 9.21). Names and order of members are the API's; nothing is linked. */
#pragma once

#include <gst/gst.h>

#undef GST_VERSION_MINOR
#define GST_VERSION_MINOR 28
#undef GST_VERSION_MICRO
#define GST_VERSION_MICRO 0

/* The old names of what is declared anew below. */
#define _GstWebRTCICEClass _Gst122ICEClass
#define GstWebRTCICEClass Gst122ICEClass
#define _GstWebRTCICETransportClass _Gst122ICETransportClass
#define GstWebRTCICETransportClass Gst122ICETransportClass
#define _GstWebRTCICECandidateStats _Gst122ICECandidateStats
#define GstWebRTCICECandidateStats Gst122ICECandidateStats
#include_next <gst/webrtc/webrtc.h>
#undef _GstWebRTCICEClass
#undef GstWebRTCICEClass
#undef _GstWebRTCICETransportClass
#undef GstWebRTCICETransportClass
#undef _GstWebRTCICECandidateStats
#undef GstWebRTCICECandidateStats

typedef enum
{
  GST_WEBRTC_ICE_TCP_CANDIDATE_TYPE_ACTIVE,
  GST_WEBRTC_ICE_TCP_CANDIDATE_TYPE_PASSIVE,
  GST_WEBRTC_ICE_TCP_CANDIDATE_TYPE_SO,
  GST_WEBRTC_ICE_TCP_CANDIDATE_TYPE_NONE,
} GstWebRTCICETcpCandidateType;

typedef struct
{
  gchar *ipaddr;
  guint port, stream_id;
  const gchar *type, *proto, *relay_proto;
  guint prio;
  gchar *url;
  union
  {
    struct
    {
      gchar *foundation, *related_address;
      guint related_port;
      gchar *username_fragment;
      GstWebRTCICETcpCandidateType tcp_type;
    } abi;
    gpointer _gst_reserved[GST_PADDING_LARGE];
  } ABI;
} GstWebRTCICECandidateStats;

typedef struct
{
  gchar *candidate;
  gint component;
  gchar *sdp_mid;
  gint sdp_mline_index;
  GstWebRTCICECandidateStats *stats;
  gpointer _gst_reserved[GST_PADDING_LARGE];
} GstWebRTCICECandidate;

typedef struct
{
  GstWebRTCICECandidate *local, *remote;
} GstWebRTCICECandidatePair;

typedef struct
{
  GstObjectClass parent_class;
  gboolean (*gather_candidates) (GstWebRTCICETransport *);
  GstWebRTCICECandidatePair *(*get_selected_candidate_pair) (
      GstWebRTCICETransport *);
  gpointer _padding[GST_PADDING - 1];
} GstWebRTCICETransportClass;

typedef struct
{
  GstObjectClass parent_class;
  GstWebRTCICEStream *(*add_stream) (GstWebRTCICE *, guint);
  GstWebRTCICETransport *(*find_transport) (
      GstWebRTCICE *, GstWebRTCICEStream *, GstWebRTCICEComponent);
  gboolean (*gather_candidates) (GstWebRTCICE *, GstWebRTCICEStream *);
  void (*add_candidate) (
      GstWebRTCICE *, GstWebRTCICEStream *, const gchar *, GstPromise *);
  gboolean (*set_local_credentials) (
      GstWebRTCICE *, GstWebRTCICEStream *, const gchar *, const gchar *);
  gboolean (*set_remote_credentials) (
      GstWebRTCICE *, GstWebRTCICEStream *, const gchar *, const gchar *);
  gboolean (*add_turn_server) (GstWebRTCICE *, const gchar *);
  void (*set_is_controller) (GstWebRTCICE *, gboolean);
  gboolean (*get_is_controller) (GstWebRTCICE *);
  void (*set_force_relay) (GstWebRTCICE *, gboolean);
  void (*set_stun_server) (GstWebRTCICE *, const gchar *);
  gchar *(*get_stun_server) (GstWebRTCICE *);
  void (*set_turn_server) (GstWebRTCICE *, const gchar *);
  gchar *(*get_turn_server) (GstWebRTCICE *);
  void (*set_http_proxy) (GstWebRTCICE *, const gchar *);
  gchar *(*get_http_proxy) (GstWebRTCICE *);
  void (*set_tos) (GstWebRTCICE *, GstWebRTCICEStream *, guint);
  void (*set_on_ice_candidate) (
      GstWebRTCICE *, GstWebRTCICEOnCandidateFunc, gpointer, GDestroyNotify);
  GstWebRTCICECandidateStats **(*get_local_candidates) (
      GstWebRTCICE *, GstWebRTCICEStream *);
  GstWebRTCICECandidateStats **(*get_remote_candidates) (
      GstWebRTCICE *, GstWebRTCICEStream *);
  gboolean (*get_selected_pair) (GstWebRTCICE *, GstWebRTCICEStream *,
      GstWebRTCICECandidateStats **, GstWebRTCICECandidateStats **);
  void (*close) (GstWebRTCICE *, GstPromise *);
  gpointer _gst_reserved[GST_PADDING - 1];
} GstWebRTCICEClass;

#undef GST_WEBRTC_ICE_CLASS
#define GST_WEBRTC_ICE_CLASS(klass) ((GstWebRTCICEClass *) (klass))
#undef GST_WEBRTC_ICE_TRANSPORT_CLASS
#define GST_WEBRTC_ICE_TRANSPORT_CLASS(klass)                                  \
  ((GstWebRTCICETransportClass *) (klass))
