/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random sessions, one a seed.
 *
 *   sim --runs 500            seeds 1 to 500
 *   sim --runs 500 --jobs 2   in two processes
 *   sim --runs 500 --long     more of them last two hours
 *   sim --runs 500 --from 1000
 *   sim --seed 42 [--long]    that one, with its trace
 *
 * docs/simulation.md says how to read a trace. */
#include "sim-memory.h"
#include "sim-stats.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_JOBS 64

static gint64 seed;
static gint64 first_seed = 1;
static gint n_runs = 500;
static gint n_jobs = 1;
static gboolean is_long, stops;

static void
run_session (guint64 number, gboolean trace, SimSessionResult *ret_result)
{
  SimSessionOptions options = { number, trace, is_long };

  sim_session_run (&options, ret_result);
}

/* I15: what a session took it gives back. The first sessions also fill what
 * GLib and OpenSSL keep for ever, but no session does so twice. */
static void
check_memory (guint64 number, gint64 before, SimSessionResult *result)
{
  SimSessionResult again;

  if (sim_memory_live () == before)
    return;
  for (guint i = 0; i < 2; i++) {
    before = sim_memory_live ();
    run_session (number, FALSE, &again);
    g_free (again.violation);
    if (sim_memory_live () <= before)
      return;
  }
  result->violation = g_strdup_printf (
      "I15: %" G_GINT64_FORMAT " bytes are left", sim_memory_live () - before);
}

static void
run (guint64 number, gboolean trace, SimStats *stats)
{
  gint64 before = sim_memory_live ();
  SimSessionResult result;

  run_session (number, trace, &result);
  if (result.violation == NULL && sim_memory_is_counted () && !trace)
    check_memory (number, before, &result);
  if (result.violation)
    printf ("# seed %" G_GUINT64_FORMAT "%s: %s\n", number,
        is_long ? " --long" : "", result.violation);
  if (sim_stats_add (stats, &result) && result.violation == NULL)
    printf ("# seed %" G_GUINT64_FORMAT " is late: %.1f s\n", number,
        result.connect_time / 1e6);
  g_free (result.violation);
}

/* Every n_jobs-th seed from @first on. */
static void
run_share (gint first, SimStats *stats)
{
  for (gint i = first; i < n_runs && !(stops && stats->n_bad); i += n_jobs)
    run (first_seed + i, FALSE, stats);
}

/* A process writes what came of its sessions; one that dies writes nothing. */
static gint
start_job (gint first)
{
  SimStats stats = { 0 };
  gint ends[2];

  fflush (stdout);
  if (pipe (ends) < 0)
    g_error ("no pipe for job %d", first);
  switch (fork ()) {
    case -1:
      g_error ("job %d could not start", first);
    case 0:
      run_share (first, &stats);
      fflush (stdout);
      _exit (write (ends[1], &stats, sizeof stats) != sizeof stats);
    default:
      close (ends[1]);
      return ends[0];
  }
}

static void
run_jobs (SimStats *stats)
{
  gint ends[MAX_JOBS];
  SimStats share;

  if (n_jobs == 1) {
    run_share (0, stats);
    return;
  }
  for (gint i = 0; i < n_jobs; i++)
    ends[i] = start_job (i);
  for (gint i = 0; i < n_jobs; i++) {
    if (read (ends[i], &share, sizeof share) != sizeof share) {
      printf ("# job %d of %d died\n", i + 1, n_jobs);
      share = (SimStats){ .n_bad = 1 };
    }
    sim_stats_merge (stats, &share);
    close (ends[i]);
    wait (NULL);
  }
}

/* For I15: GSlice reads its setting before main. */
static void
become_countable (char **argv)
{
  if (g_getenv ("G_SLICE"))
    return;
  g_setenv ("G_SLICE", "always-malloc", TRUE);
  execv ("/proc/self/exe", argv);
}

int
main (int argc, char **argv)
{
  SimStats stats = { 0 };
  gint64 started_at = g_get_monotonic_time ();
  gdouble seconds;
  GOptionEntry entries[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Run this seed, with a trace",
        "N" },
    { "runs", 0, 0, G_OPTION_ARG_INT, &n_runs, "Run N seeds", "N" },
    { "from", 0, 0, G_OPTION_ARG_INT64, &first_seed, "The first of them", "N" },
    { "jobs", 0, 0, G_OPTION_ARG_INT, &n_jobs, "In so many processes", "N" },
    { "stop", 0, 0, G_OPTION_ARG_NONE, &stops, "At the first bad one", NULL },
    { "long", 0, 0, G_OPTION_ARG_NONE, &is_long, "More sessions last hours",
        NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  become_countable (argv);
  setvbuf (stdout, NULL, _IOLBF, 0); /* what is bad is told at once */
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  n_jobs = CLAMP (n_jobs, 1, MAX_JOBS);
  if (seed) {
    run (seed, TRUE, &stats);
    return stats.n_bad > 0;
  }
  run_jobs (&stats);
  stats.n_bad += sim_stats_judge (&stats);
  seconds = (g_get_monotonic_time () - started_at) / (gdouble) G_USEC_PER_SEC;
  printf ("%d sessions, %u bad, %.0f s, %.0f sessions/s\n", n_runs, stats.n_bad,
      seconds, n_runs / MAX (seconds, 0.001));
  return stats.n_bad > 0;
}
