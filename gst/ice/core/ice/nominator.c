/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nomination policy.
 *
 * Media flows on the best valid pair from its first success on, so waiting
 * costs little and nominating early gains little, but for peers that send
 * nothing before they are nominated. Hence: when no better pair can succeed any
 * more, nominate at once; else give the better ones two round trips, as many as
 * a check and its triggered check need. A relayed path costs somebody money
 * and everybody latency for the whole call: while a direct pair is still in
 * its first tries (the first packet through two NATs is lost by design, the
 * second goes through), wait for it, but never more than a second. The same for
 * TCP, where one lost packet holds up all that come after it.
 *
 * Where both sides renominate (ice-renomination-01) a direct path is nominated
 * at once: a better one that is answered meanwhile takes over just the same,
 * and a dead one costs nothing.
 *
 * Of several relayed paths the nearest is best, whatever the order in which
 * their servers were named: priorities say nothing about distance, the round
 * trip does. */
#include "nominator.h"

#include "renominator.h"

#include "../purity.h"

/* Two RTTs, within these bounds: a dead better pair costs that much. */
#define SETTLE_MIN (30 * ICE_MSEC)
#define SETTLE_MAX (200 * ICE_MSEC)
/* And this at most where the alternative is a relay or TCP. */
#define RELAY_SETTLE_MAX (1 * ICE_SECOND)

/* RFC 7675 5.1. */
#define CONSENT_LIFETIME (30 * ICE_SECOND)

/* Relayed paths whose round trips differ by less are equal. */
#define RTT_STEP (20 * ICE_MSEC)

gboolean
ice_nominator_is_valid (
    const IcePair *pair, const IceComponent *component, IceTime now)
{
  return pair->component == component && pair->state == ICE_PAIR_SUCCEEDED &&
      now - pair->granted_at < CONSENT_LIFETIME;
}

gboolean
ice_nominator_outlived (const IcePair *pair)
{
  const IceComponent *component = pair->component;
  IceTime since = component->selected->granted_at;

  if (!component->stream->set->controlling)
    since = MAX (since, component->consent.doubt_at);
  return pair->granted_at > since;
}

static gboolean
is_better (const IcePair *self, const IcePair *other)
{
  IceTime step = self->rtt / RTT_STEP, other_step = other->rtt / RTT_STEP;

  if (step != other_step && ice_pair_is_relayed (self) &&
      ice_pair_is_relayed (other))
    return step < other_step;
  return self->valid_priority > other->valid_priority;
}

IcePair *
ice_nominator_best_valid (const IceComponent *component, IceTime now)
{
  GPtrArray *pairs = component->stream->pairs;
  IcePair *best = NULL;

  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (ice_nominator_is_valid (pair, component, now) &&
        (best == NULL || is_better (pair, best)))
      best = pair;
  }
  return best;
}

static gboolean
is_open (const IcePair *pair)
{
  return pair->state == ICE_PAIR_FROZEN || pair->state == ICE_PAIR_WAITING ||
      pair->state == ICE_PAIR_IN_PROGRESS;
}

/* Until when an unfinished direct pair deserves patience: a while after its
 * second packet. */
static IceTime
hope_until (IcePair *pair, IceTime patience, IceTime at_most)
{
  IceCheck *check = ice_pair_live_check (pair);

  if (pair->state != ICE_PAIR_IN_PROGRESS || check == NULL)
    return at_most;
  if (check->transaction.n_sent < 2)
    return MIN (at_most, check->transaction.next_at + patience);
  return MIN (at_most, check->transaction.sent_at + patience);
}

/* A direct pair may still be made of candidates that are on their way. */
static gboolean
may_trickle_direct (const IceStream *stream)
{
  if (stream->remote_ended && stream->local_ended)
    return FALSE;
  for (guint i = 0; i < stream->locals->len; i++) {
    IceCandidate *local = g_ptr_array_index (stream->locals, i);

    if (local->kind != ICE_CANDIDATE_RELAYED)
      return TRUE;
  }
  return FALSE;
}

/* A relay, or media that waits for what was lost before it. */
static gboolean
is_costly (const IcePair *pair)
{
  return ice_pair_is_relayed (pair) ||
      pair->local->protocol == ICE_PROTOCOL_TCP;
}

static gboolean
is_renominated (const IceChecklistSet *set)
{
  return ice_policy_renominates (&set->policy) && set->consent &&
      !set->policy.lite;
}

IceTime
ice_nominator_patience (const IcePair *best)
{
  return CLAMP (2 * best->rtt, SETTLE_MIN, SETTLE_MAX);
}

/* When @best has waited long enough. */
static IceTime
settled_at (
    const IceComponent *component, IcePair *best, IceTime first_valid_at)
{
  GPtrArray *pairs = component->stream->pairs;
  IceTime patience = ice_nominator_patience (best);
  IceTime at_most = first_valid_at + RELAY_SETTLE_MAX;
  IceTime at = first_valid_at;
  gboolean costly = is_costly (best), relayed = ice_pair_is_relayed (best);

  if (!costly && is_renominated (component->stream->set))
    return at;
  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component != component || !is_open (pair) ||
        (pair->priority <= best->priority &&
            !(relayed && ice_pair_is_relayed (pair))))
      continue;
    at = MAX (at, first_valid_at + patience);
    if (costly && !is_costly (pair))
      at = MAX (at, hope_until (pair, patience, at_most));
  }
  if (costly && may_trickle_direct (component->stream))
    at = at_most;
  return at;
}

IcePair *
ice_nominator_pick (const IceChecklistSet *set, const IceComponent *component,
    IceTime now, IceTime *ret_deadline)
{
  GPtrArray *pairs = component->stream->pairs;
  IcePair *best = ice_nominator_best_valid (component, now);
  IceTime first_valid_at = now, at;

  *ret_deadline = ICE_TIME_NEVER;
  if (!set->controlling || set->policy.lite)
    return NULL;
  if (component->concluded)
    return ice_renominator_pick (set, component, now, ret_deadline);
  if (best == NULL)
    return NULL;
  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component != component)
      continue;
    if (pair->nomination != ICE_NOMINATION_NONE)
      return NULL; /* one and only one */
    if (ice_nominator_is_valid (pair, component, now))
      first_valid_at = MIN (first_valid_at, pair->succeeded_at);
  }
  at = settled_at (component, best, first_valid_at);
  if (now >= at)
    return best;
  *ret_deadline = at;
  return NULL;
}

void
ice_nominator_begin (IceChecklistSet *set, IcePair *pair, IceTime now)
{
  if (set->controlling && ice_policy_renominates (&set->policy))
    ice_renominator_begin (set, pair, now);
  if (pair->nomination != ICE_NOMINATION_DONE)
    pair->nomination = ICE_NOMINATION_WANTED;
  ice_checklist_trigger (pair);
}

/* RFC 5245 8.1.2: where every check nominates, a better pair whose nomination
 * is under way goes on, on both sides; all others go. Better than the valid
 * pair, with the address that the peer saw: that is the one both sides know.
 * RFC 8445 8.1.2, where one check nominates, is the same with no such pair. */
void
ice_nominator_conclude (
    IceChecklistSet *set, IceComponent *component, IcePair *nominated)
{
  GPtrArray *pairs = component->stream->pairs;

  if (is_renominated (set)) {
    ice_renominator_conclude (set, component, nominated);
    return;
  }
  for (guint i = pairs->len; i-- > 0;) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component == component && pair != nominated &&
        (pair->nomination != ICE_NOMINATION_WANTED ||
            pair->priority <= nominated->shared_priority))
      ice_checklist_remove_pair (set, pair);
  }
}
