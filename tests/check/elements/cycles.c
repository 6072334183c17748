/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a call takes it gives back: memory, file descriptors, threads. A
 * connected pair of pipelines goes up and down, GST_ICE_CYCLES times:
 *
 *   GST_ICE_CYCLES=1000 meson test -C build elements_cycles -t 10 --verbose
 */
#include "half.h"

#ifdef __SANITIZE_ADDRESS__
/* Debian's gcc comes without <sanitizer/allocator_interface.h>. */
size_t __sanitizer_get_current_allocated_bytes (void);
#endif

#define N_CYCLES 20
/* Thread pools, the pad templates of the first use, types: made once. */
#define N_WARM 10
/* What queues and tables keep for the next time; a leak of eight bytes in each
 * of a thousand cycles is more. */
#define MAX_GROWTH 8000

typedef struct
{
  gsize n_bytes; /* on the heap and in use */
  guint n_fds, n_threads;
} Usage;

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

  /* glibc would count what its threads keep for the next time. */
#ifdef __SANITIZE_ADDRESS__
  usage.n_bytes = __sanitizer_get_current_allocated_bytes ();
#endif
  return usage;
}

/* Threads and sockets end a little after they were told to. */
static Usage
get_usage_at_rest (void)
{
  const gint64 end = g_get_monotonic_time () + HALF_TIMEOUT;
  Usage last = get_usage ();
  guint n_same = 0;

  while (n_same < 10 && g_get_monotonic_time () < end) {
    Usage now;

    g_usleep (50 * 1000);
    /* GLib keeps some of its own for 15 s. */
    g_thread_pool_stop_unused_threads ();
    now = get_usage ();
    n_same = now.n_bytes == last.n_bytes && now.n_fds == last.n_fds &&
            now.n_threads == last.n_threads
        ? n_same + 1
        : 0;
    last = now;
  }
  return last;
}

static void
cycle (Half *first, Half *second, Half *receiver)
{
  const gint before = half_n_buffers (receiver);

  half_connect (first, second);
  half_wait (first, second, half_n_buffers (receiver) > before);
  half_set_state (first, GST_STATE_NULL);
  half_set_state (second, GST_STATE_NULL);
  half_look (first);
  half_look (second);
  g_ptr_array_set_size (first->messages, 0);
  g_ptr_array_set_size (second->messages, 0);
}

static void
run_cycles (Half *sender, Half *receiver, guint n)
{
  guint i;

  for (i = 0; i < n; i++)
    if (i % 2)
      cycle (sender, receiver, receiver);
    else
      cycle (receiver, sender, receiver);
}

static void
test_cycles (gconstpointer properties)
{
  const gchar *wanted = g_getenv ("GST_ICE_CYCLES");
  const guint n_cycles = wanted != NULL ? atoi (wanted) : N_CYCLES;
  const gchar *place = half_place ();
  g_autoptr (Half) sender = half_new (
      "audiotestsrc is-live=true samplesperbuffer=80 ! alawenc ! rtppcmapay ! "
      "icesink uri=ice+file://%s %s",
      place, (const gchar *) properties);
  g_autoptr (Half) receiver =
      half_new ("icesrc uri=ice+file://%s ! fakesink name=out", place);
  Usage before, after;
  gint64 started;

  run_cycles (sender, receiver, N_WARM);
  before = get_usage_at_rest ();
  started = g_get_monotonic_time ();
  run_cycles (sender, receiver, n_cycles);
  started = g_get_monotonic_time () - started;
  after = get_usage_at_rest ();

  g_test_message ("%u cycles of %.0f ms: heap %" G_GSIZE_FORMAT
                  " -> %" G_GSIZE_FORMAT
                  " bytes, %u -> %u file descriptors, %u -> %u threads",
      n_cycles, started / 1000.0 / n_cycles, before.n_bytes, after.n_bytes,
      before.n_fds, after.n_fds, before.n_threads, after.n_threads);
  g_assert_cmpuint (after.n_fds, <=, before.n_fds);
  g_assert_cmpuint (after.n_threads, <=, before.n_threads);
  g_assert_cmpuint (after.n_bytes, <=, before.n_bytes + MAX_GROWTH);
}

int
main (int argc, char **argv)
{
  half_init (&argc, &argv);
  g_test_add_data_func ("/cycles/plain", "", test_cycles);
  /* A server that is asked in vain. */
  g_test_add_data_func (
      "/cycles/servers", "stun-server=stun:127.0.0.1:9", test_cycles);
  return half_run ();
}
