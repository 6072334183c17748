/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* webrtcbin on our ICE, against itself and against webrtcbin on libnice. */
#include "peer.h"

#include <string.h>

#define VIDEO                                                                  \
  "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=30/" \
  "1 ! vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay pt=96"
#define AUDIO                                                                  \
  "audiotestsrc is-live=true samplesperbuffer=160 ! "                          \
  "audio/x-raw,rate=8000 ! alawenc ! rtppcmapay pt=8"

static gboolean
is_connected (Peer *peer)
{
  const GstWebRTCICEConnectionState state = peer_ice_state (peer);

  return state == GST_WEBRTC_ICE_CONNECTION_STATE_CONNECTED ||
      state == GST_WEBRTC_ICE_CONNECTION_STATE_COMPLETED;
}

static void
connect_peers (Peer *a, Peer *b)
{
  peer_wire (a, b);
  peer_play (a);
  peer_play (b);
  peer_wait (g_atomic_int_get (&a->n_negotiations) > 0);
  peer_negotiate (a, b, FALSE);
  peer_wait (is_connected (a) && is_connected (b));
}

static void
expect_more (Peer *peer, guint n)
{
  const gint before = g_atomic_int_get (&peer->n_buffers);

  peer_wait (g_atomic_int_get (&peer->n_buffers) >= before + (gint) n);
}

static void
exchange_text (Peer *a, Peer *b)
{
  const gint a_before = g_atomic_int_get (&a->n_messages);
  const gint b_before = g_atomic_int_get (&b->n_messages);

  peer_wait (peer_channel_is_open (a) && peer_channel_is_open (b));
  peer_send_text (a, "hello");
  peer_send_text (b, "hello yourself");
  peer_wait (g_atomic_int_get (&a->n_messages) > a_before &&
      g_atomic_int_get (&b->n_messages) > b_before);
}

static void
test_both_ways (void)
{
  g_autoptr (Peer) a = peer_new ("icewebrtcbin", VIDEO);
  g_autoptr (Peer) b = peer_new ("icewebrtcbin", VIDEO);

  g_test_summary ("Two icewebrtcbin: video and a data channel, both ways");
  peer_add_channel (a);
  connect_peers (a, b);
  expect_more (a, 30);
  expect_more (b, 30);
  exchange_text (a, b);
  peer_wait (peer_state (a) == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/webrtc/both-ways", test_both_ways);
  return g_test_run ();
}
