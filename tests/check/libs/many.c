/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many agents in one process: what each of them takes of what a system has few
 * of. Counted, not timed. */
#include "call.h"

#include "gst/ice/io/loop.h"

#define N_CALLS 20
/* A thread waits by an epoll and an eventfd, or by a pipe; the service thread
 * has an eventfd; the network is watched by one socket and asked by another. */
#define FDS_OF_A_THREAD 3
#define FDS_OF_THE_PROCESS 8

static guint
count_descriptors (void)
{
  GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (dir && g_dir_read_name (dir))
    n++;
  if (dir)
    g_dir_close (dir);
  return n;
}

/* Those of ours: GLib has some of its own, which come and go. */
static guint
count_threads (void)
{
  GDir *dir = g_dir_open ("/proc/self/task", 0, NULL);
  const gchar *id;
  guint n = 0;

  while (dir && (id = g_dir_read_name (dir))) {
    g_autofree gchar *path =
        g_build_filename ("/proc/self/task", id, "comm", NULL);
    g_autofree gchar *name = NULL;

    if (g_file_get_contents (path, &name, NULL, NULL))
      n += g_str_has_prefix (name, "ice-");
  }
  if (dir)
    g_dir_close (dir);
  return n;
}

/* Issue 5: as many threads as cores, at most four, and the service thread;
 * a descriptor for each agent. */
static void
test_threads_and_descriptors (void)
{
  const guint threads = MIN (g_get_num_processors (), 4);
  const guint before = count_descriptors ();
  Call *calls[N_CALLS];

  if (before == 0) {
    g_test_skip ("no /proc to count by");
    return;
  }
  for (guint i = 0; i < N_CALLS; i++) {
    calls[i] = call_new ();
    g_object_set (calls[i]->a.agent, "ip-family", GST_ICE_IP_FAMILY_IPV4, NULL);
    g_object_set (calls[i]->b.agent, "ip-family", GST_ICE_IP_FAMILY_IPV4, NULL);
    call_connect (calls[i]);
  }

  g_assert_cmpuint (ice_loop_pool_n_threads (), ==, threads);
  g_assert_cmpuint (count_threads (), <=, threads + 1);
  g_assert_cmpuint (count_descriptors (), <=,
      before + 2 * N_CALLS + threads * FDS_OF_A_THREAD + FDS_OF_THE_PROCESS);

  for (guint i = 0; i < N_CALLS; i++)
    call_free (calls[i]);
  wait_until (ice_loop_pool_n_threads () == 0);
  g_assert_cmpuint (count_descriptors (), <=, before + FDS_OF_THE_PROCESS);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/many/threads-and-descriptors", test_threads_and_descriptors);
  return call_run_tests ();
}
