/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines that lose: until both sides have come to one pair they ask again, each
 * half second, by the pairs that matter.
 *
 * A check is resent after 0.5, 1.5, 3.5, 7.5 s (RFC 8489 6.2.1). Over two
 * access lines that lose 30 % each way one exchange in four succeeds, and then
 * those gaps are what a call waits for: the two sides find a pair in 11 s or
 * more once in ten calls, and agree on it 7 s after that. The gaps grow for
 * the sake of a path that is congested or leads nowhere; these do not:
 *
 *  - while there is none, any that is being checked, if they are few and the
 *    peer was heard: it is there, and what it sends gets through. It is checked
 *    anew, as if the peer's check had come again (RFC 8445 7.3.1.4);
 *  - the one being nominated. Its nomination leaves once more, and a peer whose
 *    own check of it is under way starts that anew;
 *  - the selected one, until one is nominated: a peer that has no pair yet
 *    hears of it, as above.
 *
 * Never sooner than the RTO of a check (RFC 8445 14.3), two round trips, and so
 * many times. Where nothing is lost answers come first, and none is sent. */
#include "insistence.h"

#include "../purity.h"

#define GAP ICE_STUN_RTO_MIN
#define MAX_TIMES 12
/* Many pairs are as good as many tries by one, and share the slots of Ta. */
#define MAX_OPEN 12

static gboolean
is_being_nominated (const IcePair *pair)
{
  return pair->renomination.pending ||
      pair->nomination == ICE_NOMINATION_WANTED;
}

static gboolean
matters (const IceChecklistSet *set, const IceComponent *component,
    const IcePair *pair)
{
  if (pair->component != component || pair->n_insisted >= MAX_TIMES ||
      pair->local->protocol != ICE_PROTOCOL_UDP || pair->without_ice)
    return FALSE;
  switch (pair->state) {
    case ICE_PAIR_IN_PROGRESS:
      return (is_being_nominated (pair) &&
                 (!component->concluded ||
                     ice_policy_renominates (&set->policy))) ||
          (component->selected == NULL && component->stream->n_requests > 0 &&
              (pair->triggered_at ||
                  ice_checklist_set_count_open (set) <= MAX_OPEN));
    case ICE_PAIR_SUCCEEDED:
      return (pair == component->selected && !component->concluded) ||
          (set->controlling && is_being_nominated (pair));
    default:
      return FALSE;
  }
}

static IceTime
due_at (const IcePair *pair)
{
  return pair->sent_at + MAX (GAP, 2 * pair->rtt);
}

static gboolean
is_running (const IceChecklistSet *set, const IceComponent *component)
{
  /* Who nominates by each check (RFC 5245 8.1.1.2) has no one pair. */
  return ice_stream_is_active (component->stream) && !set->policy.lite &&
      !ice_policy_is_aggressive (&set->policy) &&
      component->state != ICE_STATE_CLOSED &&
      component->state != ICE_STATE_FAILED;
}

static void
insist (IcePair *pair, IceTime now)
{
  pair->n_insisted++;
  pair->sent_at = now;
  /* A valid pair is asked once more, and nothing fails if it does not answer.
   * Another is checked anew, and the answers to the old check still count. */
  if (pair->state == ICE_PAIR_SUCCEEDED)
    pair->insisting = TRUE;
  else
    ice_pair_cancel_checks (pair);
  ice_checklist_trigger (pair);
}

void
ice_insistence_run (IceChecklistSet *set, IceComponent *component, IceTime now)
{
  GPtrArray *pairs = component->stream->pairs;

  if (!is_running (set, component))
    return;
  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (matters (set, component, pair) && now >= due_at (pair))
      insist (pair, now);
  }
}

IceTime
ice_insistence_deadline (
    const IceChecklistSet *set, const IceComponent *component)
{
  GPtrArray *pairs = component->stream->pairs;
  IceTime deadline = ICE_TIME_NEVER;

  if (!is_running (set, component))
    return deadline;
  for (guint i = 0; i < pairs->len; i++) {
    const IcePair *pair = g_ptr_array_index (pairs, i);

    if (matters (set, component, pair))
      deadline = MIN (deadline, due_at (pair));
  }
  return deadline;
}
