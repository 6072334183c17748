/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long it took to connect, by loss: what of I9 is a matter of luck in one
 * session is none in thousands (security.md 4.1, N1). */
#pragma once

#include "sim-session.h"

G_BEGIN_DECLS

#define SIM_STATS_N_CLASSES 4

typedef struct
{
  guint n, n_late;
  gint64 total, worst; /* us */
} SimStatsClass;

typedef struct
{
  guint n_sessions, n_bad;
  SimStatsClass classes[SIM_STATS_N_CLASSES];
} SimStats;

/* TRUE: it was late for its class. */
gboolean sim_stats_add (SimStats *self, const SimSessionResult *result);
void sim_stats_merge (SimStats *self, const SimStats *other);
/* Prints a line for each class; how many of them were late too often. */
guint sim_stats_judge (const SimStats *self);

G_END_DECLS
