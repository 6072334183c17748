/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random sessions, one a seed.
 *
 *   sim --runs 500            seeds 1 to 500
 *   sim --runs 500 --jobs 2   in two processes
 *   sim --runs 500 --long     more of them last two hours
 *   sim --seed 42 [--long]    that one, with its trace
 */
#include "sim-session.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_JOBS 64

static gint64 seed;
static gint n_runs = 500;
static gint n_jobs = 1;
static gboolean is_long;

static gboolean
run (guint64 number, gboolean trace)
{
  SimSessionOptions options = { number, trace, is_long };
  SimSessionResult result;
  g_autofree gchar *violation = NULL;

  sim_session_run (&options, &result);
  violation = result.violation;
  if (violation)
    printf ("# seed %" G_GUINT64_FORMAT "%s: %s\n", number,
        is_long ? " --long" : "", violation);
  return violation == NULL;
}

/* Every n_jobs-th seed from @first on. */
static guint
run_share (gint first)
{
  guint n_bad = 0;

  for (gint i = first; i <= n_runs; i += n_jobs)
    n_bad += !run (i, FALSE);
  return n_bad;
}

/* A process writes how many of its sessions were bad; one that dies writes
 * nothing. */
static gint
start_job (gint first)
{
  guint n_bad;
  gint ends[2];

  fflush (stdout);
  if (pipe (ends) < 0)
    g_error ("no pipe for job %d", first);
  switch (fork ()) {
    case -1:
      g_error ("job %d could not start", first);
    case 0:
      n_bad = run_share (first);
      fflush (stdout);
      _exit (write (ends[1], &n_bad, sizeof n_bad) != sizeof n_bad);
    default:
      close (ends[1]);
      return ends[0];
  }
}

static guint
run_jobs (void)
{
  gint ends[MAX_JOBS];
  guint n_bad = 0, share;

  if (n_jobs == 1)
    return run_share (1);
  for (gint i = 0; i < n_jobs; i++)
    ends[i] = start_job (i + 1);
  for (gint i = 0; i < n_jobs; i++) {
    if (read (ends[i], &share, sizeof share) != sizeof share) {
      printf ("# job %d of %d died\n", i + 1, n_jobs);
      share = 1;
    }
    n_bad += share;
    close (ends[i]);
    wait (NULL);
  }
  return n_bad;
}

int
main (int argc, char **argv)
{
  guint n_bad;
  gint64 started_at = g_get_monotonic_time ();
  gdouble seconds;
  GOptionEntry entries[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Run this seed, with a trace",
        "N" },
    { "runs", 0, 0, G_OPTION_ARG_INT, &n_runs, "Run seeds 1 to N", "N" },
    { "jobs", 0, 0, G_OPTION_ARG_INT, &n_jobs, "In so many processes", "N" },
    { "long", 0, 0, G_OPTION_ARG_NONE, &is_long, "More sessions last hours",
        NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  n_jobs = CLAMP (n_jobs, 1, MAX_JOBS);
  if (seed)
    return run (seed, TRUE) ? 0 : 1;
  n_bad = run_jobs ();
  seconds = (g_get_monotonic_time () - started_at) / (gdouble) G_USEC_PER_SEC;
  printf ("%d sessions, %u bad, %.0f s, %.0f sessions/s\n", n_runs, n_bad,
      seconds, n_runs / MAX (seconds, 0.001));
  return n_bad > 0;
}
