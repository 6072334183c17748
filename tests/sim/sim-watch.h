/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of the witness, an invariant each (security.md 6.2). */
#pragma once

#include "sim-host.h"

G_BEGIN_DECLS

/* sim-nominations.c, I2: a controlling agent nominates one pair per component
 * and generation, and only a valid one; a controlled agent none. */
typedef struct _SimNominations SimNominations;

SimNominations *sim_nominations_new (SimNet *net, SimHost *host);
void sim_nominations_free (SimNominations *self);
/* From now on there may be several, as both ends said (ice-renomination-01);
 * @aggressive: and of any pair, for the peer is of RFC 5245's time. */
void sim_nominations_allow (SimNominations *self, gboolean aggressive);
/* A Binding request leaves; @valid: the pair had a signed success. */
void sim_nominations_sent (SimNominations *self, guint socket,
    const IceAddress *peer, const IceAddress *relay, gboolean valid,
    const IceStunMessage *message);

/* A signed success came. */
void sim_nominations_answered (SimNominations *self, guint socket,
    const IceAddress *peer, const IceAddress *relay,
    const IceStunMessage *message);

/* sim-leases.c, I12 seen from the client: how often it asks. What runs out is
 * seen by SimTurn. */
typedef struct _SimLeases SimLeases;

SimLeases *sim_leases_new (SimNet *net, SimHost *host);
void sim_leases_free (SimLeases *self);
void sim_leases_sent (SimLeases *self, guint socket, const IceAddress *to,
    const IceStunMessage *message);
void sim_leases_received (
    SimLeases *self, guint socket, const IceStunMessage *message);
/* A restart asks anew. */
void sim_leases_restart (SimLeases *self);
/* After close, when every answer came that will come. */
void sim_leases_end (SimLeases *self);

G_END_DECLS
