/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usage.h"

#ifdef __SANITIZE_ADDRESS__
/* Debian's gcc comes without <sanitizer/allocator_interface.h>. */
size_t __sanitizer_get_current_allocated_bytes (void);
#endif

#define REST_WITHIN (20 * G_TIME_SPAN_SECOND)

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

static gboolean
is_same (const Usage *a, const Usage *b, gboolean heap_too)
{
  return a->n_fds == b->n_fds && a->n_threads == b->n_threads &&
      (!heap_too || a->n_bytes == b->n_bytes);
}

Usage
usage_at_rest (gboolean heap_rests)
{
  const gint64 end = g_get_monotonic_time () + REST_WITHIN;
  Usage last = get_usage ();
  guint n_same = 0;

  while (n_same < 10 && g_get_monotonic_time () < end) {
    Usage now;

    g_usleep (50 * 1000);
    /* GLib keeps some of its own for 15 s. */
    g_thread_pool_stop_unused_threads ();
    now = get_usage ();
    n_same = is_same (&now, &last, heap_rests) ? n_same + 1 : 0;
    last = now;
  }
  return last;
}

void
usage_check (const Usage *before, const Usage *after, guint n_cycles,
    gint64 elapsed, gsize max_growth)
{
  g_test_message ("%u cycles of %.0f ms: heap %" G_GSIZE_FORMAT
                  " -> %" G_GSIZE_FORMAT
                  " bytes, %u -> %u file descriptors, %u -> %u threads",
      n_cycles, elapsed / 1000.0 / n_cycles, before->n_bytes, after->n_bytes,
      before->n_fds, after->n_fds, before->n_threads, after->n_threads);
  g_assert_cmpuint (after->n_fds, <=, before->n_fds);
  g_assert_cmpuint (after->n_threads, <=, before->n_threads);
  g_assert_cmpuint (after->n_bytes, <=, before->n_bytes + max_growth);
}
