/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "checklist.h"

G_BEGIN_DECLS

/* What a lite agent does in place of checks (RFC 8445 2.5): it answers, and
 * believes. */

/* RFC 8445 7.3.2: a full peer nominated @pair. */
void ice_lite_nominate (IceChecklistSet *set, IcePair *pair, IceTime now);
/* A nomination that came before, from somewhere else: whoever saw it could turn
 * our media to himself by sending it again, for we check nothing. */
gboolean ice_lite_is_replay (IceComponent *component,
    const IceStunMessage *request, const IceAddress *from);
/* RFC 8445 8.2: the peer is lite as well. Forms the pair as a nominated one
 * when media may take an unchecked path. */
void ice_lite_form_pair (IceChecklistSet *set, IceComponent *component,
    IceCandidate *local, IceCandidate *remote, IceTime now);

G_END_DECLS
