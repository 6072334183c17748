/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "checklist.h"

G_BEGIN_DECLS

/* The client side of connectivity checks (RFC 8445 7.2): sends Binding
 * requests for the pairs of the set and draws the conclusions from what comes
 * back, or does not. */

/* Retransmissions, and what was not answered. */
void ice_checker_timeout (IceChecklistSet *set, IceTime now);
/* New checks, while pacing allows (RFC 8445 6.1.4.2). */
void ice_checker_run (IceChecklistSet *set, IceTime now);
IceTime ice_checker_deadline (IceChecklistSet *set);

/* One check, now; pacing was minded. */
void ice_checker_send_check (IceChecklistSet *set, IcePair *pair, IceTime now);
/* Sent once and not paced: RFC 7675 5.1, RFC 8445 11. */
void ice_checker_send_consent (
    IceChecklistSet *set, IcePair *pair, IceCheckKind kind, IceTime now);
/* One that makes an IP packet of @size bytes, which is not to be fragmented. */
void ice_checker_send_sized (
    IceChecklistSet *set, IcePair *pair, guint size, IceTime now);
void
ice_checker_send_keepalive (IceChecklistSet *set, IcePair *pair, IceTime now);

/* The transaction is one of its own. */
gboolean ice_checker_has_sent (IceChecklistSet *set, const guint8 *id);
/* A Binding response that came to @local, from @from. */
IceVerdict ice_checker_receive (IceChecklistSet *set, IceCandidate *local,
    const IceAddress *from, const IceStunMessage *message, IceTime now);
/* A hard ICMP error that quotes @packet (design 9.8). TRUE when a pair
 * failed. */
gboolean ice_checker_unreachable (
    IceChecklistSet *set, guint socket, const IceAddress *to, IceBytes packet);
/* The same as a TURN server tells it (RFC 8656 11.6), without what was sent:
 * checks from @local to @peer; all ports of it when that is 0. */
void ice_checker_peer_unreachable (IceChecklistSet *set, IceStream *stream,
    const IceCandidate *local, const IceAddress *peer);

G_END_DECLS
