/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lite implementation (RFC 8445 2.5). Its candidates are the gatherer's
 * (5.2), its answers the responder's (7.3), its clock is in consent.c. */
#include "lite.h"

#include "../purity.h"

static void
make_valid (IceChecklistSet *set, IcePair *pair, IceTime now)
{
  if (pair->mapped == NULL) {
    pair->mapped = ice_candidate_ref (pair->local);
    ice_pair_update_priority (pair, set->controlling);
  }
  pair->state = ICE_PAIR_SUCCEEDED;
  pair->nomination = ICE_NOMINATION_DONE;
  pair->granted_at = now;
}

void
ice_lite_nominate (IceChecklistSet *set, IcePair *pair, IceTime now)
{
  make_valid (set, pair, now);
  /* The request that nominates is signed: its source is proven. */
  if (pair->learnt && pair->succeeded_at == 0 && set->n_unproven > 0)
    set->n_unproven--;
  if (pair->succeeded_at == 0)
    pair->succeeded_at = now;
}

/* Both sides have the same candidates and the same formula (RFC 8445 6.1.2.3),
 * so both choose the same pair. */
void
ice_lite_form_pair (IceChecklistSet *set, IceComponent *component,
    IceCandidate *local, IceCandidate *remote, IceTime now)
{
  const IcePair *selected = component->selected;
  guint64 priority = set->controlling
      ? ice_pair_priority (local->priority, remote->priority)
      : ice_pair_priority (remote->priority, local->priority);
  IcePair *pair;

  if (!ice_policy_is_unchecked (&set->policy) || !set->allow_non_ice ||
      (selected && selected->valid_priority >= priority &&
          selected->generation == component->stream->generation))
    return;
  pair = ice_checklist_add_pair (set, component, local, remote, now);
  if (pair == NULL)
    return;
  make_valid (set, pair, now);
  ice_component_accept (component, set->context, set->gatherer, local,
      &remote->address, pair->generation->number, FALSE);
}
