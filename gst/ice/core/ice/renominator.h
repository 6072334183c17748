/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "checklist.h"

G_BEGIN_DECLS

/* Nominations after the first (ice-renomination-01), when both sides said that
 * they know them: ice_policy_renominates. The controlling side moves the media
 * to another pair by one more nomination; the rule is on the first page of
 * renominator.c. Both sides keep a few spare pairs fit for it. */

/* The controlling side is about to nominate @pair: gives it a value. */
void ice_renominator_begin (IceChecklistSet *set, IcePair *pair, IceTime now);
/* A check that carried @value (0: none) was answered. */
void ice_renominator_acked (IceChecklistSet *set, IcePair *pair, guint32 value);
/* The peer nominates by @value (0: without one). FALSE: that was overtaken. */
gboolean ice_renominator_is_news (const IceComponent *component, guint32 value);
/* It did so with @pair, which may have to be checked first. */
void
ice_renominator_take (IceComponent *component, IcePair *pair, guint32 value);

/* The pair that media should take, once one was nominated; (unowned)
 * (nullable). */
IcePair *ice_renominator_choose (const IceComponent *component, IceTime now);
/* The pair to nominate now; (unowned) (nullable). Otherwise @ret_deadline says
 * when to ask again, if nothing happens before. */
IcePair *ice_renominator_pick (const IceChecklistSet *set,
    const IceComponent *component, IceTime now, IceTime *ret_deadline);
/* @nominated was: which pairs are kept. */
void ice_renominator_conclude (
    IceChecklistSet *set, IceComponent *component, const IcePair *nominated);

/* The spare pairs. */
void ice_renominator_run (
    IceChecklistSet *set, IceComponent *component, IceTime now);
/* The selected pair has changed: spare pairs may be too many now. */
void ice_renominator_trim (IceChecklistSet *set, IceComponent *component);
IceTime ice_renominator_deadline (const IceComponent *component);
/* The selected pair may have failed just now. */
void ice_renominator_lost (IceComponent *component);
/* A signed request of the peer's came by @pair. */
void ice_renominator_heard (IcePair *pair, IceTime now);
/* Fewer are kept than may be. */
gboolean ice_renominator_has_room (const IceComponent *component);
/* @pair is valid, and new: does it replace the selected one, whose NAT forgot
 * it or whose address the peer has lost? */
void ice_renominator_suspect (IcePair *pair, IceTime now);

G_END_DECLS
