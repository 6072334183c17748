/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>
#include <gst/webrtc/webrtc.h>

#include "tests/check/wait.h"

/* One end of a WebRTC call: a pipeline with an icewebrtcbin or a webrtcbin, and
 * what it said. Signals count from other threads, so a test looks on. */
typedef struct _Peer Peer;
struct _Peer
{
  GstElement *pipeline; /* (owned) */
  GstElement *bin;      /* (owned) */
  Peer *other;          /* (unowned) (nullable) who gets what it signals */
  gint n_buffers;       /* atomic: media that came out of it */
  gint n_messages;      /* atomic: of the data channel */
  gint n_candidates;    /* atomic: of its own */
  gint n_not_relayed;   /* atomic: of these */
  gint n_negotiations;  /* atomic: times that one was needed */
  GMutex lock;
  GstWebRTCDataChannel *channel; /* (owned) (nullable) */
};

#define PEER_TIMEOUT (20 * G_TIME_SPAN_SECOND)

/* @factory: "icewebrtcbin", or "webrtcbin" which libnice serves. @source
 * (nullable): launch line of what it sends, RTP in the end. */
Peer *peer_new (const gchar *factory, const gchar *source);
void peer_free (Peer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Peer, peer_free)
/* Our agent, inside. (transfer full) (nullable) */
GstIceAgent *peer_ref_agent (Peer *self);

/* Who signals to whom; then READY, and a data channel where @offerer wants one
 * (before the offer, or it is not in it). */
void peer_wire (Peer *a, Peer *b);
void peer_add_channel (Peer *self);
void peer_play (Peer *self);
void peer_stop (Peer *self);
/* Offer and answer, both set on both sides. */
void peer_negotiate (Peer *offerer, Peer *answerer, gboolean restart);
/* (transfer full) */
GstStructure *peer_get_stats (Peer *self);
GstWebRTCICEConnectionState peer_ice_state (Peer *self);
GstWebRTCPeerConnectionState peer_state (Peer *self);
gboolean peer_channel_is_open (Peer *self);
void peer_send_text (Peer *self, const gchar *text);

#define peer_wait(condition)                                                   \
  wait_with (condition, #condition, PEER_TIMEOUT, g_usleep (2000))
