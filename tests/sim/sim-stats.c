/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-stats.h"

#include <stdio.h>

typedef struct
{
  gint loss;      /* of 1000 packets, each way: this and less */
  gint64 in_time; /* us */
  gdouble late;   /* this share may take longer */
} Class;

/* N1: 1 %: 99.99 % in 5 s; 5 %: 99.9 % in 5 s; 20 %: 99.5 % in 10 s. */
static const Class classes[SIM_STATS_N_CLASSES] = {
  { 0, 5 * G_USEC_PER_SEC, 0.0001 },
  { 20, 5 * G_USEC_PER_SEC, 0.0005 },
  { 60, 5 * G_USEC_PER_SEC, 0.001 },
  { 200, 10 * G_USEC_PER_SEC, 0.005 },
};

gboolean
sim_stats_add (SimStats *self, const SimSessionResult *result)
{
  SimStatsClass *class = self->classes;

  self->n_sessions++;
  self->n_bad += result->violation != NULL;
  if (result->loss < 0)
    return FALSE;
  while (result->loss > classes[class - self->classes].loss)
    class ++;
  class->n++;
  class->n_late +=
      result->connect_time > classes[class - self->classes].in_time;
  if (result->connect_time != G_MAXINT64) {
    class->total += result->connect_time;
    class->worst = MAX (class->worst, result->connect_time);
  }
  return result->connect_time > classes[class - self->classes].in_time;
}

void
sim_stats_merge (SimStats *self, const SimStats *other)
{
  self->n_sessions += other->n_sessions;
  self->n_bad += other->n_bad;
  for (guint i = 0; i < SIM_STATS_N_CLASSES; i++) {
    self->classes[i].n += other->classes[i].n;
    self->classes[i].n_late += other->classes[i].n_late;
    self->classes[i].total += other->classes[i].total;
    self->classes[i].worst =
        MAX (self->classes[i].worst, other->classes[i].worst);
  }
}

guint
sim_stats_judge (const SimStats *self)
{
  guint n_bad = 0;

  for (guint i = 0; i < SIM_STATS_N_CLASSES; i++) {
    const SimStatsClass *class = &self->classes[i];
    gdouble allowed = class->n * classes[i].late;
    /* Twice the share and a few more are beyond what chance explains. */
    gboolean bad = class->n_late > 2 * allowed + 3;

    if (class->n == 0)
      continue;
    n_bad += bad;
    printf ("%sloss up to %4.1f %%: %u connected in %.0f ms on average, %.2f s "
            "at worst, %u later than %d s%s\n",
        bad ? "# I9: " : "", classes[i].loss / 10.0, class->n,
        class->total / 1e3 / class->n, class->worst / 1e6, class->n_late,
        (gint) (classes[i].in_time / G_USEC_PER_SEC), bad ? ": too many" : "");
  }
  return n_bad;
}
