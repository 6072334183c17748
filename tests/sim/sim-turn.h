/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A STUN and TURN server for the simulated network: Binding, Allocate with
 * 401, Refresh, CreatePermission, ChannelBind, Send, Data and ChannelData. */
#pragma once

#include "sim-net.h"

G_BEGIN_DECLS

#define SIM_TURN_PORT 3478
#define SIM_TURN_USER "user"
#define SIM_TURN_PASSWORD "secret"

typedef struct _SimTurn SimTurn;

SimTurn *sim_turn_new (SimNet *net, const gchar *name, const gchar *ip);
void sim_turn_free (SimTurn *self);
SimNode *sim_turn_node (SimTurn *self);
/* What came that the protocol does not allow, as a count. */
guint sim_turn_n_allocations (const SimTurn *self);
guint64 sim_turn_n_relayed (const SimTurn *self);

G_END_DECLS
