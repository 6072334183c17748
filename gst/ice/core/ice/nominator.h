/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "checklist.h"

G_BEGIN_DECLS

/* When the controlling agent stops looking for a better pair, and which one it
 * nominates (RFC 8445 8.1.1: "a matter of local optimization"). */

/* It succeeded, and consent is not too old to send (RFC 7675 5.1). */
gboolean ice_nominator_is_valid (
    const IcePair *pair, const IceComponent *component, IceTime now);
/* @pair answered after the selected one, which is silent. On the controlled
 * side after the silence began: an answer of before says nothing about what is
 * alive, and who nominates asks by what it uses. */
gboolean ice_nominator_outlived (const IcePair *pair);
/* How long a better pair may take longer than @best to become valid. */
IceTime ice_nominator_patience (const IcePair *best);
/* The best pair that media may take now; (unowned) (nullable). */
IcePair *ice_nominator_best_valid (const IceComponent *component, IceTime now);
/* The pair to nominate now; (unowned) (nullable). Otherwise @ret_deadline says
 * when to ask again, if nothing happens before. */
IcePair *ice_nominator_pick (const IceChecklistSet *set,
    const IceComponent *component, IceTime now, IceTime *ret_deadline);
/* Nominates @pair: by the next check. */
void ice_nominator_begin (IceChecklistSet *set, IcePair *pair, IceTime now);
/* @nominated was; what becomes of the component's other pairs. */
void ice_nominator_conclude (
    IceChecklistSet *set, IceComponent *component, IcePair *nominated);

G_END_DECLS
