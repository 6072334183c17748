/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lite implementation (RFC 8445 2.5). Its candidates are the gatherer's
 * (5.2), its answers the responder's (7.3), its clock is in consent.c. */
#include "lite.h"

#include <string.h>

#include "../purity.h"

/* So many nominations of one component are remembered: a full peer sends one,
 * an aggressive one at most one for each of its pairs. */
#define MAX_NOMINATIONS 128

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

/* RFC 8489 6: an id is of one transaction, which has one source; a NAT that
 * changed it meanwhile is met by the next check. */
gboolean
ice_lite_is_replay (IceComponent *component, const IceStunMessage *request,
    const IceAddress *from)
{
  IceSeenNomination seen = { .from = *from };

  if (!ice_stun_message_has (request, ICE_STUN_USE_CANDIDATE))
    return FALSE;
  for (guint i = 0; i < component->nominations->len; i++) {
    const IceSeenNomination *old =
        &g_array_index (component->nominations, IceSeenNomination, i);

    if (ice_stun_id_equal (old->id, request->id))
      return !ice_address_equal (&old->from, from);
  }
  memcpy (seen.id, request->id, ICE_STUN_ID_SIZE);
  if (component->nominations->len >= MAX_NOMINATIONS)
    g_array_remove_index (component->nominations, 0);
  g_array_append_val (component->nominations, seen);
  return FALSE;
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
