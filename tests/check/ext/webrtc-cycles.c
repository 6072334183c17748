/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Made, negotiated, connected, away with it: memory, file descriptors, threads
 * and objects come back.
 *
 *   GST_ICE_CYCLES=1000 meson test -C build ext_webrtc_cycles -t 10 --verbose
 */
#include "peer.h"
#include "tests/check/usage.h"

#include <stdlib.h>

#define N_CYCLES 12
/* Types, thread pools, the certificate that webrtcbin makes: once. */
#define N_WARM 8
/* webrtcbin 1.22 and the DTLS under it lose some in each cycle; a candidate, a
 * task or a stream of ours that stays would be more than this. */
#define MAX_GROWTH_EACH (3 * 1000)

#define VIDEO                                                                  \
  "videotestsrc is-live=true ! video/x-raw,width=64,height=48 ! vp8enc "       \
  "deadline=1 ! rtpvp8pay pt=96"

static gint n_alive; /* atomic: agents of ours */

static void
on_gone (gpointer unused, GObject *agent)
{
  g_atomic_int_add (&n_alive, -1);
}

static gboolean
is_connected (Peer *peer)
{
  const GstWebRTCICEConnectionState state = peer_ice_state (peer);

  return state == GST_WEBRTC_ICE_CONNECTION_STATE_CONNECTED ||
      state == GST_WEBRTC_ICE_CONNECTION_STATE_COMPLETED;
}

static void
watch (Peer *peer)
{
  g_autoptr (GstIceAgent) agent = peer_ref_agent (peer);

  if (!agent)
    return;
  g_atomic_int_inc (&n_alive);
  g_object_weak_ref (G_OBJECT (agent), on_gone, NULL);
}

static void
cycle (const gchar *factory)
{
  g_autoptr (Peer) a = peer_new (factory, VIDEO);
  g_autoptr (Peer) b = peer_new (factory, VIDEO);

  watch (a);
  watch (b);
  peer_wire (a, b);
  peer_play (a);
  peer_play (b);
  peer_wait (g_atomic_int_get (&a->n_negotiations) > 0);
  peer_negotiate (a, b, FALSE);
  peer_wait (is_connected (a) && is_connected (b));
  peer_wait (g_atomic_int_get (&b->n_buffers) > 0);
}

static void
test_cycles (gconstpointer factory)
{
  const gchar *wanted = g_getenv ("GST_ICE_CYCLES");
  const guint n_cycles = wanted ? (guint) atoi (wanted) : N_CYCLES;
  Usage before, after;
  gint64 started;

  for (guint i = 0; i < N_WARM; i++)
    cycle (factory);
  before = usage_at_rest (FALSE);
  started = g_get_monotonic_time ();
  for (guint i = 0; i < n_cycles; i++)
    cycle (factory);
  started = g_get_monotonic_time () - started;
  after = usage_at_rest (FALSE);

  peer_wait (g_atomic_int_get (&n_alive) == 0);
  usage_check (&before, &after, n_cycles, started, n_cycles * MAX_GROWTH_EACH);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/webrtc/cycles", "icewebrtcbin", test_cycles);
  /* To compare: what webrtcbin itself loses. */
  if (g_getenv ("GST_ICE_CYCLES_OF_NICE"))
    g_test_add_data_func ("/webrtc/cycles-nice", "webrtcbin", test_cycles);
  return g_test_run ();
}
