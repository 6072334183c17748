/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A STUN and TURN server for the simulated network: Binding, Allocate with
 * 401, Refresh, CreatePermission, ChannelBind, Send, Data and ChannelData. */
#pragma once

#include "sim-net.h"
#include "sim-turn-faults.h"

G_BEGIN_DECLS

#define SIM_TURN_PORT 3478
#define SIM_TURN_USER "user"
/* Like nothing else that is ever logged. */
#define SIM_TURN_PASSWORD "xyzzy-of-the-relay"

typedef struct _SimTurn SimTurn;

SimTurn *sim_turn_new (SimNet *net, const gchar *name, const gchar *ip);
void sim_turn_free (SimTurn *self);
/* It relays this family too, and listens there. */
void sim_turn_add_ipv6 (SimTurn *self, const gchar *ip);
/* The address of @family; FALSE: it has none. */
gboolean
sim_turn_get_address (SimTurn *self, IceFamily family, IceAddress *ret_address);
/* It answers Binding requests over TCP, too. */
void sim_turn_listen (SimTurn *self);
SimNode *sim_turn_node (SimTurn *self);
/* I12: whatever runs out instead of being renewed or given back is a
 * violation; for runs in which no packet is lost. */
void sim_turn_set_strict (SimTurn *self, gboolean strict);
/* A nonce is stale (438) after so long. */
void sim_turn_set_nonce_life (SimTurn *self, IceTime life);
/* @code: of SIM_TURN_REFUSES. */
void sim_turn_set_fault (SimTurn *self, SimTurnFault fault, guint code);
/* It forgets every allocation. */
void sim_turn_restart (SimTurn *self);
guint sim_turn_n_allocations (SimTurn *self);
guint64 sim_turn_n_relayed (const SimTurn *self);

G_END_DECLS
