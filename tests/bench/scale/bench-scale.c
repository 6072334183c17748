/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What N pairs of agents in one process cost, as one line of JSON:
 *
 *   bench-scale ice|nice [--pairs N] [--hold SECONDS] [--pacing MS]
 * [--elements]
 */

#include <gst/gst.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "scale.h"

/* The first seconds after connecting are counted by themselves. */
#define SETTLE_US (5 * G_USEC_PER_SEC)
#define GIVE_UP_US (120 * G_USEC_PER_SEC)

static const ScaleVariant *const variants[] = {
  &scale_ice,
#ifdef HAVE_NICE
  &scale_nice,
#endif
};

typedef struct
{
  gdouble rss_kib, dirty_kib;
  gint threads, fds;
} Footprint;

static gdouble
read_number (const gchar *path, const gchar *name)
{
  g_autofree gchar *text = NULL;
  const gchar *found;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  found = strstr (text, name);
  return found ? g_ascii_strtod (found + strlen (name), NULL) : 0;
}

static Footprint
measure_footprint (void)
{
  GDir *fds = g_dir_open ("/proc/self/fd", 0, NULL);
  Footprint found = {
    .rss_kib = read_number ("/proc/self/smaps_rollup", "\nRss:"),
    .dirty_kib = read_number ("/proc/self/smaps_rollup", "\nPrivate_Dirty:"),
    .threads = (gint) read_number ("/proc/self/status", "\nThreads:"),
    .fds = -1, /* that of the directory itself */
  };

  while (fds && g_dir_read_name (fds))
    found.fds++;
  if (fds)
    g_dir_close (fds);
  return found;
}

/* User and system; getrusage only moves in ticks. */
static gdouble
cpu_us (void)
{
  struct timespec time;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static gboolean
wait_for (const gint *counter, gint wanted)
{
  gint64 end = g_get_monotonic_time () + GIVE_UP_US;

  while (g_atomic_int_get (counter) < wanted) {
    if (g_get_monotonic_time () > end)
      return FALSE;
    g_usleep (500);
  }
  return TRUE;
}

static gboolean
measure (const ScaleVariant *variant, const ScaleSettings *settings)
{
  const gint n = settings->pairs;
  ScaleTally tally = { 0 };
  Footprint before, after;
  gdouble cpu, connect_cpu, settle_cpu, idle_cpu;
  gint64 begin, gathered, joined, connected, settled;

  before = measure_footprint ();
  begin = g_get_monotonic_time ();
  variant->make (settings, &tally);
  if (!wait_for (&tally.gathered, 2 * n)) {
    g_printerr ("bench-scale: %d of %d gathered\n", tally.gathered, 2 * n);
    return FALSE;
  }

  gathered = g_get_monotonic_time ();
  cpu = cpu_us ();
  variant->join (settings);
  joined = g_get_monotonic_time ();
  if (!wait_for (&tally.connected, 2 * n)) {
    g_printerr ("bench-scale: %d of %d connected\n", tally.connected, 2 * n);
    return FALSE;
  }
  connected = g_get_monotonic_time ();
  connect_cpu = cpu_us () - cpu;

  g_usleep (SETTLE_US);
  settle_cpu = cpu_us () - cpu - connect_cpu;
  after = measure_footprint ();
  cpu = cpu_us ();
  settled = g_get_monotonic_time ();
  g_usleep (settings->hold * (gulong) G_USEC_PER_SEC);
  idle_cpu = cpu_us () - cpu;

  g_print ("{\"pairs\":%d,\"gather_ms\":%.2f,\"join_ms\":%.2f,"
           "\"connect_ms\":%.2f,\"pairs_per_s\":%.1f,"
           "\"connect_cpu_us\":%.2f,\"settle_cpu_us\":%.3f,"
           "\"idle_cpu_us\":%.3f,\"rss_kib\":%.2f,\"dirty_kib\":%.2f,"
           "\"threads\":%d,\"fds\":%.3f,\"disconnected\":%d,\"lost\":%d}\n",
      n, (gathered - begin) / 1e3, (joined - gathered) / 1e3,
      (connected - gathered) / 1e3, n * 1e6 / (connected - gathered),
      connect_cpu / n, settle_cpu / n / (SETTLE_US / 1e6),
      idle_cpu / n / (MAX (g_get_monotonic_time () - settled, 1) / 1e6),
      (after.rss_kib - before.rss_kib) / n,
      (after.dirty_kib - before.dirty_kib) / n, after.threads,
      (gdouble) (after.fds - before.fds) / n,
      g_atomic_int_get (&tally.disconnected), g_atomic_int_get (&tally.lost));
  return TRUE;
}

int
main (int argc, char **argv)
{
  ScaleSettings settings = { .pairs = 100, .hold = 10, .pacing = 0 };
  const GOptionEntry entries[] = {
    { "pairs", 0, 0, G_OPTION_ARG_INT, &settings.pairs, "of agents", "N" },
    { "hold", 0, 0, G_OPTION_ARG_INT, &settings.hold, "connected", "SECONDS" },
    { "pacing", 0, 0, G_OPTION_ARG_INT, &settings.pacing, "0: none", "MS" },
    { "elements", 0, 0, G_OPTION_ARG_NONE, &settings.elements,
        "a source on each agent", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) options = g_option_context_new ("VARIANT");
  g_autoptr (GError) error = NULL;
  struct rlimit files;

  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error) || argc != 2) {
    g_printerr ("bench-scale: %s\n", error ? error->message : "which variant?");
    return 2;
  }
  getrlimit (RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit (RLIMIT_NOFILE, &files);
  gst_init (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (variants); i++) {
    if (!g_str_equal (variants[i]->name, argv[1]))
      continue;
    /* Their threads run on until the process ends. */
    _exit (measure (variants[i], &settings) && fflush (stdout) == 0 ? 0 : 1);
  }
  g_printerr ("bench-scale: no variant “%s” here\n", argv[1]);
  return 2;
}
