/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "checklist.h"
#include "connection.h"

G_BEGIN_DECLS

/* Connections for pairs of TCP candidates (RFC 6544 7 and 11). The pair of an
 * active or simultaneous-open candidate has that one for its local candidate
 * until a connection is open, and then the connection's. */

/* TRUE: the check may leave now. FALSE: it leaves when the connection opens,
 * or there will be none, and the pair failed. */
gboolean ice_checker_connect (IceChecklistSet *set, IcePair *pair, IceTime now);
/* The pair it was opened for, which has it now; (nullable) none any more. */
IcePair *ice_checker_connected (
    IceChecklistSet *set, IceConnection *connection, IceTime now);
/* @connection could not be opened, or closed. */
void ice_checker_disconnected (
    IceChecklistSet *set, const IceConnection *connection, IceTime now);
/* It takes long: the pairs behind it need not wait for its end. */
void ice_checker_overdue (IceChecklistSet *set, IceConnection *connection);
/* A pair needs it, or is about to. */
gboolean
ice_checker_uses (IceChecklistSet *set, const IceConnection *connection);

/* Simultaneous open: the connection that came first is that of the pair that
 * waits for one; (nullable). */
IcePair *ice_checker_adopt (IceChecklistSet *set, IceComponent *component,
    IceCandidate *local, const IceAddress *remote);
/* The selected pair, when it waits for the peer to open another connection to
 * the candidate that @local is a connection of; (nullable). */
IcePair *
ice_checker_find_lost (IceComponent *component, const IceCandidate *local);
void
ice_checker_resume (IceChecklistSet *set, IcePair *pair, IceCandidate *local);

G_END_DECLS
