/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Made, negotiated, connected, away with it: memory, file descriptors, threads
 * and objects come back.
 *
 *   GST_ICE_CYCLES=1000 meson test -C build ext_webrtc_cycles -t 10 --verbose
 */
#include "peer.h"

#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
/* Debian's gcc comes without <sanitizer/allocator_interface.h>. */
size_t __sanitizer_get_current_allocated_bytes (void);
#endif

#define N_CYCLES 12
/* Types, thread pools, the certificate that webrtcbin makes: once. */
#define N_WARM 8
/* webrtcbin 1.22 and the DTLS under it lose some in each cycle; a candidate, a
 * task or a stream of ours that stays would be more than this. */
#define MAX_GROWTH_EACH (3 * 1000)

#define VIDEO                                                                  \
  "videotestsrc is-live=true ! video/x-raw,width=64,height=48 ! vp8enc "       \
  "deadline=1 ! rtpvp8pay pt=96"

typedef struct
{
  gsize n_bytes;
  guint n_fds, n_threads;
} Usage;

static gint n_alive; /* atomic: agents of ours */

static void
on_gone (gpointer unused, GObject *agent)
{
  g_atomic_int_add (&n_alive, -1);
}

static guint
count_entries (const gchar *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static Usage
get_usage (void)
{
  Usage usage = { 0, count_entries ("/proc/self/fd"),
    count_entries ("/proc/self/task") };

  /* glibc would count what its arenas keep for the next time. */
#ifdef __SANITIZE_ADDRESS__
  usage.n_bytes = __sanitizer_get_current_allocated_bytes ();
#endif
  return usage;
}

/* Threads and sockets end a little after they were told to. */
static Usage
get_usage_at_rest (void)
{
  const gint64 end = g_get_monotonic_time () + PEER_TIMEOUT;
  Usage last = get_usage ();
  guint n_same = 0;

  while (n_same < 10 && g_get_monotonic_time () < end) {
    Usage now;

    g_usleep (50 * 1000);
    g_thread_pool_stop_unused_threads ();
    now = get_usage ();
    n_same = now.n_fds == last.n_fds && now.n_threads == last.n_threads
        ? n_same + 1
        : 0;
    last = now;
  }
  return last;
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
  before = get_usage_at_rest ();
  started = g_get_monotonic_time ();
  for (guint i = 0; i < n_cycles; i++)
    cycle (factory);
  started = g_get_monotonic_time () - started;
  after = get_usage_at_rest ();

  g_test_message ("%u cycles of %.0f ms: heap %" G_GSIZE_FORMAT
                  " -> %" G_GSIZE_FORMAT
                  " bytes, %u -> %u file descriptors, %u -> %u threads",
      n_cycles, started / 1000.0 / n_cycles, before.n_bytes, after.n_bytes,
      before.n_fds, after.n_fds, before.n_threads, after.n_threads);
  peer_wait (g_atomic_int_get (&n_alive) == 0);
  g_assert_cmpuint (after.n_fds, <=, before.n_fds);
  g_assert_cmpuint (after.n_threads, <=, before.n_threads);
  g_assert_cmpuint (
      after.n_bytes, <=, before.n_bytes + n_cycles * MAX_GROWTH_EACH);
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
