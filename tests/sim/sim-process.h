/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the agents of one process share: the dice, the log, and the one budget
 * of new transactions (RFC 8445 14.2), which is I8's to watch. */
#pragma once

#include "sim-secrets.h"

G_BEGIN_DECLS

typedef struct _SimProcess SimProcess;

/* @secrets (nullable): looked for in all that is logged. */
SimProcess *sim_process_new (SimNet *net, SimSecrets *secrets);
void sim_process_free (SimProcess *self);
IceWorld sim_process_world (SimProcess *self);
/* @name begins a transaction that pacing counts. */
void sim_process_began (SimProcess *self, const gchar *name);

G_END_DECLS
