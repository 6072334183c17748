/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan that was built: nodes, NATs, servers, hosts. */
#pragma once

#include "sim-attacker.h"
#include "sim-plan.h"

G_BEGIN_DECLS

#define SIM_MAX_CALLS 3
#define SIM_MAX_NODES 8

typedef struct
{
  SimHost *hosts[2];
  SimAttacker *attackers[2]; /* (nullable) */
} SimCall;

typedef struct
{
  SimNet *net;         /* (unowned) */
  const SimPlan *plan; /* (unowned) */
  SimTurn *servers[2]; /* (nullable) */
  SimSecrets *secrets;
  SimProcess *processes[2];         /* of each end */
  SimNode *nodes[2][SIM_MAX_NODES]; /* (nullable), the first always */
  guint n_nodes[2];
  SimCall calls[SIM_MAX_CALLS];
} SimTown;

void sim_town_build (SimTown *self, SimNet *net, const SimPlan *plan);
void sim_town_clear (SimTown *self);
/* All that one end is reached by. */
void sim_town_set_dead (SimTown *self, guint end, gboolean dead);
void sim_town_set_link (SimTown *self, guint end, const SimLink *link);

G_END_DECLS
