/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "allocation.h"
#include "error.h"

G_BEGIN_DECLS

/* allocation-options.c */
void
ice_allocation_add_options (const IceAllocation *self, IceStunBuilder *builder);
/* FALSE when the answer holds no relayed address of the family wanted. */
gboolean
ice_allocation_take_options (IceAllocation *self, const IceStunMessage *answer);
void
ice_allocation_take_ticket (IceAllocation *self, const IceStunMessage *answer);
/* Takes out of the options what an error says is refused, and the rest too
 * when only one more request may be sent. FALSE when there is nothing. */
gboolean ice_allocation_strip (IceAllocation *self, guint code,
    const IceStunMessage *answer, gboolean last_try);

/* allocation-mobility.c */
IceTurnVerdict ice_allocation_receive_move_answer (
    IceAllocation *self, const IceStunMessage *answer, IceTime now);
void ice_allocation_move_timeout (IceAllocation *self, IceTime now);
/* An answer to one of our requests that nobody signed. TRUE: it led to
 * something that does no harm. */
gboolean ice_allocation_hear_rumour (
    IceAllocation *self, const IceStunMessage *answer, IceTime now);
/* The server does not know our address any more, by a 437. */
void ice_allocation_lose (IceAllocation *self, guint code, IceTime now);

/* allocation.c: what a Refresh was granted; FALSE when that is nothing. */
gboolean ice_allocation_take_refreshed (
    IceAllocation *self, const IceStunMessage *answer, IceTime now);

/* Between allocation.c and allocation-peers.c. */

/* @peer is NULL for events of the allocation itself. */
void ice_allocation_emit (IceAllocation *self, IceTurnEventType type,
    const IceAddress *peer, guint16 channel, guint code);
/* The allocation is gone, and what was inside it. */
void
ice_allocation_end (IceAllocation *self, IceTurnEventType type, guint code);

IceTurnVerdict ice_allocation_judge (IceTurnAnswer answer);
IceTurnVerdict ice_allocation_receive_peer_answer (
    IceAllocation *self, const IceStunMessage *answer, IceTime now);
IceTurnVerdict
ice_allocation_receive_channel_data (IceAllocation *self, IceBytes datagram,
    IceTime now, IceAddress *ret_peer, IceBytes *ret_payload);
IceTurnVerdict
ice_allocation_receive_data (IceAllocation *self, const IceStunMessage *message,
    IceTime now, IceAddress *ret_peer, IceBytes *ret_payload);
/* What is held and was refused to be renewed. */
void ice_allocation_peers_ask_again (IceAllocation *self, IceTime now);
void ice_allocation_peers_timeout (IceAllocation *self, IceTime now);
IceTime ice_allocation_peers_deadline (const IceAllocation *self);

G_END_DECLS
