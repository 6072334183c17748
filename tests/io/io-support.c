/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "io-support.h"

static GMutex lock;
static GCond changed;

void
io_lock (void)
{
  g_mutex_lock (&lock);
}

void
io_unlock (void)
{
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

/* Some conditions (a thread that ended) tell nobody, so look again soon. */
gboolean
io_wait_a_moment (gint64 deadline)
{
  gint64 now = g_get_monotonic_time ();

  if (now >= deadline)
    return FALSE;
  g_cond_wait_until (&changed, &lock, MIN (deadline, now + 2000));
  return TRUE;
}

typedef struct
{
  IceLoopFunc func;
  gpointer user_data;
  gboolean done;
} Run;

static void
run_on_loop (gpointer user_data)
{
  Run *run = user_data;

  run->func (run->user_data);
  io_lock ();
  run->done = TRUE;
  io_unlock ();
}

void
io_run (IceLoop *loop, IceLoopFunc func, gpointer user_data)
{
  Run run = { func, user_data, FALSE };

  ice_loop_invoke (loop, run_on_loop, &run, NULL);
  io_lock ();
  io_wait_for (run.done);
  io_unlock ();
}

guint
io_count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  if (dir == NULL)
    return 0;
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

void
io_wait_for_no_threads (void)
{
  io_lock ();
  io_wait_for (ice_loop_pool_n_threads () == 0);
  io_unlock ();
}
