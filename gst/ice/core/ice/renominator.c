/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Renomination (ice-renomination-01), and the rule that uses it.
 *
 * The controlling side moves the media to another valid pair when
 *
 *  1. the selected pair is forsaken, and the other pair was answered since the
 *     doubt began: by the verdict of design 9.3, 950 ms after a request that
 *     was not answered or after half a second without media; or 200 ms after a
 *     request that was sent because regular media stopped or the peer knocked.
 *     Media moves in the same instant, the nomination follows;
 *  2. the selected pair is gone, or its address as the peer sees it has changed
 *     (a NAT forgot it): the same pair is nominated again, from there;
 *  3. the other pair is of a better class (direct before through a NAT before
 *     relayed) and its round trip is not clearly worse; or of the same class
 *     and its round trip is clearly better.
 *
 *  4. the other pair became valid so soon after the first one that it would
 * have been nominated, had that been waited for (nominator.c).
 *
 * The application may choose a pair itself: then 1, 3 and 4 are its business.
 *
 * Nothing flaps: a move by 3 needs a pair that has answered all it was asked
 * for SETTLED, comes MOVE_GAP after the last move, and cannot be undone by 3,
 * for "clearly" is a factor of two and "better" never gives up a class. A pair
 * that was in doubt or missed a request is settled BAD_GAP later. A move by 4
 * is one within the first RIVAL_FOR, to a pair of higher rank.
 *
 * The controlled side follows: the nomination with the largest value holds
 * (ice-renomination-01 4), and of those without a value the last one.
 *
 * A controlled side whose selected pair is gone or forsaken knocks: it asks by
 * its other pairs KNOCKS times, KNOCK_GAP apart, where requests come 4 s apart
 * otherwise (RFC 7675 5.1) and are resent after half a second (RFC 8445 14.3).
 * By that the controlling one knows that there is a doubt, and asks by the
 * selected pair at once.
 *
 * Both sides keep MAX_SPARES valid pairs besides the selected one, those that
 * share least with it, by consent requests at the rate of RFC 7675. */
#include "renominator.h"

#include "checker.h"
#include "nominator.h"

#include "../purity.h"

#define SETTLED (1 * ICE_SECOND)
#define MOVE_GAP (5 * ICE_SECOND)
#define BAD_GAP (10 * ICE_SECOND)
/* A round trip is measured by so many answers, and clearly better by a half and
 * this much. */
#define MIN_SAMPLES 3
#define CLEARLY (10 * ICE_MSEC)

/* Pairs that become valid so soon after the selected one are its rivals, and do
 * not make it suspect. */
#define SUSPECT_AFTER (2 * ICE_SECOND)
#define RIVAL_FOR SUSPECT_AFTER

/* A nomination that is not answered for so long gives way to another. */
#define PATIENCE (2 * ICE_SECOND)

#define MAX_SPARES 3
/* RFC 7675 5.1. */
#define CONSENT_LIFETIME (30 * ICE_SECOND)
/* Design 9.3, as for the selected pair: 500 ms apart, seven at most. */
#define PROBE_GAP (500 * ICE_MSEC)
#define MAX_PROBES 7
#define KNOCKS 3
#define KNOCKS_LOSSY 10 /* where most are lost */
#define KNOCK_GAP (100 * ICE_MSEC)
/* Two requests on a spare pair that are closer than this are knocks; and no
 * consent requests, whatever the network does to them, when they are closer
 * than that. */
#define KNOCKING (300 * ICE_MSEC)
#define NOT_CONSENT (3500 * ICE_MSEC)

/* ice-renomination-01 4: "a 24-bit integer". */
#define MAX_VALUE 0xffffffu

/* Nominations. */

void
ice_renominator_begin (IceChecklistSet *set, IcePair *pair, IceTime now)
{
  IceComponent *component = pair->component;
  IcePair *selected = component->selected;

  /* In doubt, and left: it is nominated anew if it is to come back. */
  if (selected && selected != pair && component->consent.forsaken) {
    selected->nomination = ICE_NOMINATION_NONE;
    selected->renomination.bad_at = now;
  }
  if (component->nomination_value < MAX_VALUE)
    component->nomination_value++;
  if (component->concluded && pair != selected)
    component->moved_at = now;
  pair->renomination.value = component->nomination_value;
  pair->renomination.pending_since = now;
  pair->renomination.pending = TRUE;
}

void
ice_renominator_acked (IceChecklistSet *set, IcePair *pair, guint32 value)
{
  if (!pair->renomination.pending || value != pair->renomination.value)
    return;
  pair->nomination = ICE_NOMINATION_DONE;
  pair->renomination.pending = pair->renomination.rebound = FALSE;
  pair->renomination.order = ++pair->component->n_nominations;
  ice_pair_cancel_checks (pair);
  g_queue_remove (&pair->component->stream->triggered, pair);
}

gboolean
ice_renominator_is_news (const IceComponent *component, guint32 value)
{
  return value == 0 ? component->nomination_value == 0
                    : value > component->nomination_value;
}

void
ice_renominator_take (IceComponent *component, IcePair *pair, guint32 value)
{
  component->nomination_value = pair->renomination.value = value;
  pair->renomination.order = ++component->n_nominations;
}

/* Which pair. */

static gboolean
is_valid (const IcePair *pair, const IceComponent *component, IceTime now)
{
  return pair->component == component && pair->state == ICE_PAIR_SUCCEEDED &&
      (pair == component->selected ||
          now - pair->granted_at < CONSENT_LIFETIME);
}

/* What a packet has to go through: 2 nothing, 1 a NAT, 0 a relay. */
static guint
class_of (const IcePair *pair)
{
  const IceCandidate *local = pair->mapped ? pair->mapped : pair->local;

  if (ice_pair_is_relayed (pair))
    return 0;
  return local->kind == ICE_CANDIDATE_HOST &&
          pair->remote->kind == ICE_CANDIDATE_HOST
      ? 2
      : 1;
}

static gboolean
is_preferred (const IcePair *a, const IcePair *b)
{
  guint x = class_of (a), y = class_of (b);

  return x != y ? x > y : a->valid_priority > b->valid_priority;
}

/* Whatever is valid, when nothing is nominated: the last that answered. */
static IcePair *
freshest (const IceComponent *component, IceTime now)
{
  GPtrArray *pairs = component->stream->pairs;
  IcePair *best = NULL;

  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (is_valid (pair, component, now) &&
        (best == NULL || pair->granted_at > best->granted_at))
      best = pair;
  }
  return best;
}

IcePair *
ice_renominator_choose (const IceComponent *component, IceTime now)
{
  GPtrArray *pairs = component->stream->pairs;
  const IcePair *selected = component->selected;
  gboolean doubted = selected == NULL ||
      selected->state != ICE_PAIR_SUCCEEDED || component->consent.forsaken;
  IcePair *best = NULL;

  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (!is_valid (pair, component, now))
      continue;
    if (pair->renomination.pending && (pair == selected) != doubted)
      return pair;
    if (pair->nomination == ICE_NOMINATION_DONE &&
        (best == NULL || pair->renomination.order > best->renomination.order))
      best = pair;
  }
  if (best == NULL)
    best = freshest (component, now);
  /* The application has chosen another, which has to be checked first. */
  if (best == NULL && selected && selected->state == ICE_PAIR_SUCCEEDED)
    best = component->selected;
  return best;
}

/* Rule 1. */
static IcePair *
best_survivor (const IceComponent *component, IceTime now)
{
  GPtrArray *pairs = component->stream->pairs;
  IcePair *best = NULL;

  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair != component->selected && is_valid (pair, component, now) &&
        pair->granted_at > component->consent.doubt_at &&
        (best == NULL || is_preferred (pair, best)))
      best = pair;
  }
  return best;
}

/* Rule 3. */
static gboolean
is_better (const IcePair *pair, const IcePair *selected)
{
  const IceRenomination *a = &pair->renomination;
  const IceRenomination *b = &selected->renomination;
  guint x = class_of (pair), y = class_of (selected);

  if (a->n_rtt == 0 || pair->granted_at < a->asked_at)
    return FALSE;
  if (x != y)
    return x > y && a->rtt <= 2 * b->rtt + CLEARLY;
  return a->n_rtt >= MIN_SAMPLES && b->n_rtt >= MIN_SAMPLES &&
      2 * a->rtt + CLEARLY <= b->rtt;
}

static IceTime
settled_at (const IceComponent *component, const IcePair *pair)
{
  IceTime at = pair->succeeded_at + SETTLED;

  if (pair->renomination.bad_at)
    at = MAX (at, pair->renomination.bad_at + BAD_GAP);
  if (component->moved_at)
    at = MAX (at, component->moved_at + MOVE_GAP);
  return at;
}

static IceTime
first_valid_at (const IceComponent *component)
{
  GPtrArray *pairs = component->stream->pairs;
  IceTime first = ICE_TIME_NEVER;

  for (guint i = 0; i < pairs->len; i++) {
    const IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component == component && pair->succeeded_at)
      first = MIN (first, pair->succeeded_at);
  }
  return first;
}

/* Rule 4. */
static IcePair *
best_rival (const IceComponent *component, IceTime now)
{
  GPtrArray *pairs = component->stream->pairs;
  IcePair *best = component->selected;
  IceTime first = first_valid_at (component);
  IceTime patience = ice_nominator_patience (best);

  if (first == ICE_TIME_NEVER || now >= first + RIVAL_FOR)
    return NULL;
  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (is_valid (pair, component, now) && pair->renomination.bad_at == 0 &&
        pair->succeeded_at <= first + patience && is_preferred (pair, best))
      best = pair;
  }
  return best != component->selected ? best : NULL;
}

static IcePair *
pick_better (const IceComponent *component, IceTime now, IceTime *ret_deadline)
{
  GPtrArray *pairs = component->stream->pairs;
  IcePair *best = NULL;

  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair == component->selected || !is_valid (pair, component, now) ||
        !is_better (pair, component->selected))
      continue;
    if (now < settled_at (component, pair))
      *ret_deadline = MIN (*ret_deadline, settled_at (component, pair));
    else if (best == NULL || is_preferred (pair, best))
      best = pair;
  }
  return best;
}

IcePair *
ice_renominator_pick (const IceChecklistSet *set, const IceComponent *component,
    IceTime now, IceTime *ret_deadline)
{
  GPtrArray *pairs = component->stream->pairs;
  IcePair *selected = component->selected, *rival;

  if (!set->controlling || !ice_policy_renominates (&set->policy) ||
      (selected && selected->generation != component->stream->generation))
    return NULL;
  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component == component && pair->renomination.pending)
      return NULL; /* one at a time */
  }
  if (selected == NULL || selected->state != ICE_PAIR_SUCCEEDED)
    return freshest (component, now);
  if (component->consent.forsaken && !component->pinned)
    return best_survivor (component, now);
  /* Not the one that the application has just given up. */
  if ((selected->nomination != ICE_NOMINATION_DONE ||
          selected->renomination.rebound) &&
      g_ptr_array_find (pairs, (gpointer) selected, NULL))
    return selected;
  if (component->pinned)
    return NULL;
  rival = best_rival (component, now);
  return rival ? rival : pick_better (component, now, ret_deadline);
}

/* The spare pairs. */

static gboolean
is_spare (const IceComponent *component, const IcePair *pair)
{
  return pair->component == component && pair != component->selected &&
      pair->state == ICE_PAIR_SUCCEEDED;
}

/* 2: the pairs have neither end in common; 0: both. */
static guint
distance (const IcePair *a, const IcePair *b)
{
  return !ice_address_same_ip (&a->local->base, &b->local->base) +
      !ice_address_same_ip (&a->remote->address, &b->remote->address);
}

static guint
distance_to_chosen (const IcePair *pair, IcePair **chosen, guint n)
{
  guint least = 2;

  for (guint i = 0; i < n; i++)
    least = MIN (least, distance (pair, chosen[i]));
  return least;
}

/* Of those that are left, the one that shares least with what is kept; both
 * sides see the same, and so keep the same. */
static IcePair *
next_spare (const IceComponent *component, IcePair **chosen, guint n)
{
  GPtrArray *pairs = component->stream->pairs;
  IcePair *best = NULL;
  guint best_distance = 0;

  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);
    gboolean taken = !is_spare (component, pair);
    guint apart;

    for (guint j = 0; j < n; j++)
      taken |= chosen[j] == pair;
    if (taken)
      continue;
    apart = distance_to_chosen (pair, chosen, n);
    if ((best && apart < best_distance) ||
        (best && apart == best_distance && !is_preferred (pair, best)))
      continue;
    best = pair;
    best_distance = apart;
  }
  return best;
}

static guint
count_spares (const IceComponent *component)
{
  GPtrArray *pairs = component->stream->pairs;
  guint n = 0;

  for (guint i = 0; i < pairs->len; i++)
    n += is_spare (component, g_ptr_array_index (pairs, i));
  return n;
}

/* It answered since the selected pair came in doubt: it may be that one's heir,
 * the same peer at another port, though it has everything in common with it. */
static gboolean
may_inherit (const IceComponent *component, const IcePair *pair)
{
  return component->consent.doubt != ICE_DOUBT_NONE &&
      pair->granted_at >= component->consent.doubt_at;
}

static gboolean
is_running (const IceComponent *component)
{
  const IceChecklistSet *set = component->stream->set;

  return component->concluded && set->consent && !set->policy.lite &&
      ice_policy_renominates (&set->policy);
}

void
ice_renominator_trim (IceChecklistSet *set, IceComponent *component)
{
  GPtrArray *pairs = component->stream->pairs;
  IcePair *chosen[1 + MAX_SPARES], *pair;
  guint n = 0;

  if (!is_running (component))
    return;
  if (component->selected)
    chosen[n++] = component->selected;
  /* As mostly: all of them are kept. */
  if (n + count_spares (component) <= G_N_ELEMENTS (chosen))
    return;
  while (n < G_N_ELEMENTS (chosen) &&
      (pair = next_spare (component, chosen, n)) != NULL)
    chosen[n++] = pair;
  for (guint i = pairs->len; i-- > 0;) {
    gboolean keep;

    pair = g_ptr_array_index (pairs, i);
    keep = may_inherit (component, pair);
    for (guint j = 0; j < n; j++)
      keep |= chosen[j] == pair;
    if (!keep && is_spare (component, pair) && !pair->renomination.pending &&
        pair->nomination != ICE_NOMINATION_WANTED) {
      component->stream->released = FALSE; /* its relay may go, too */
      ice_checklist_remove_pair (set, pair);
    }
  }
}

gboolean
ice_renominator_has_room (const IceComponent *component)
{
  return count_spares (component) < MAX_SPARES;
}

void
ice_renominator_conclude (
    IceChecklistSet *set, IceComponent *component, const IcePair *nominated)
{
  GPtrArray *pairs = component->stream->pairs;

  for (guint i = pairs->len; i-- > 0;) {
    IcePair *pair = g_ptr_array_index (pairs, i);
    gboolean waits =
        pair->state == ICE_PAIR_FROZEN || pair->state == ICE_PAIR_WAITING;

    /* What shares both ends with the nominated one is no spare for it. */
    if (pair->component == component && pair != nominated && waits &&
        pair->nomination == ICE_NOMINATION_NONE &&
        distance (pair, nominated) == 0)
      ice_checklist_remove_pair (set, pair);
  }
}

/* The controlled side has nothing to decide, and would only seem to knock. */
static gboolean
is_in_doubt (const IceComponent *component)
{
  const IceConsent *consent = &component->consent;

  return component->stream->set->controlling &&
      consent->doubt != ICE_DOUBT_NONE &&
      (consent->n_probes > 0 || consent->forsake_at != ICE_TIME_NEVER);
}

/* The selected pair has consent.c for that, unless it knocks. */
static gboolean
is_asked (const IceComponent *component, const IcePair *pair)
{
  return is_spare (component, pair) ||
      (pair == component->selected && pair->renomination.n_knocks > 0);
}

/* When it is asked next: in doubt about the selected pair at once. */
static IceTime
ask_at (const IceComponent *component, const IcePair *pair)
{
  const IceRenomination *self = &pair->renomination;
  IceTime since = component->consent.doubt_at;

  if (self->n_knocks > 0)
    return self->asked_at + KNOCK_GAP;
  if (is_in_doubt (component) && pair->granted_at <= since) {
    if (self->asked_at < since)
      return since;
    if (self->n_probes < MAX_PROBES)
      return self->asked_at + PROBE_GAP;
  }
  return self->ask_at ? self->ask_at : pair->granted_at + 4 * ICE_SECOND;
}

static void
ask (IceChecklistSet *set, IceComponent *component, IcePair *pair, IceTime now)
{
  IceRenomination *self = &pair->renomination;
  gboolean probe = is_in_doubt (component) || self->n_knocks > 0;

  if (self->n_knocks > 0)
    self->n_knocks--;
  if (self->asked_at > pair->granted_at)
    self->bad_at = now;
  if (!probe || self->asked_at <= component->consent.doubt_at)
    self->n_probes = 0;
  self->n_probes += probe;
  self->asked_at = now;
  self->ask_at = now + ice_consent_period (set->context);
  ice_checker_send_consent (
      set, pair, probe ? ICE_CHECK_PROBE : ICE_CHECK_CONSENT, now);
}

static void
give_up_nomination (IcePair *pair, IceTime now)
{
  IcePair *selected = pair->component->selected;

  pair->renomination.pending = FALSE;
  pair->renomination.bad_at = now;
  /* An older one is not in force, either: there was a later one. Which the peer
   * may have taken and only its answer was lost: it has to hear that media
   * stays where it is. */
  pair->nomination = ICE_NOMINATION_NONE;
  if (selected && selected->nomination == ICE_NOMINATION_DONE)
    selected->nomination = ICE_NOMINATION_NONE;
  ice_pair_cancel_checks (pair);
  g_queue_remove (&pair->component->stream->triggered, pair);
}

static void
knock (IceComponent *component)
{
  GPtrArray *pairs = component->stream->pairs;

  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (is_spare (component, pair) && !component->stream->set->controlling)
      pair->renomination.n_knocks =
          ice_component_is_lossy (component) ? KNOCKS_LOSSY : KNOCKS;
  }
}

void
ice_renominator_run (IceChecklistSet *set, IceComponent *component, IceTime now)
{
  GPtrArray *pairs = component->stream->pairs;

  if (!is_running (component))
    return;
  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component != component)
      continue;
    if (pair->renomination.pending && set->controlling &&
        now >= pair->renomination.pending_since + PATIENCE)
      give_up_nomination (pair, now);
    if (is_spare (component, pair) &&
        now >= pair->granted_at + CONSENT_LIFETIME)
      ice_checklist_fail (set, pair);
  }
  ice_renominator_trim (set, component);
  if (component->consent.forsaken &&
      component->knocked_at != component->consent.doubt_at) {
    component->knocked_at = component->consent.doubt_at;
    knock (component);
  }
  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (is_asked (component, pair) && now >= ask_at (component, pair))
      ask (set, component, pair, now);
  }
}

IceTime
ice_renominator_deadline (const IceComponent *component)
{
  GPtrArray *pairs = component->stream->pairs;
  IceTime deadline = ICE_TIME_NEVER;

  if (!is_running (component))
    return ICE_TIME_NEVER;
  for (guint i = 0; i < pairs->len; i++) {
    const IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component != component)
      continue;
    if (pair->renomination.pending && component->stream->set->controlling)
      deadline = MIN (deadline, pair->renomination.pending_since + PATIENCE);
    if (is_spare (component, pair))
      deadline = MIN (deadline, pair->granted_at + CONSENT_LIFETIME);
    if (is_asked (component, pair))
      deadline = MIN (deadline, ask_at (component, pair));
  }
  return deadline;
}

/* The peer is seen elsewhere. Where media has just stopped that says enough. */
void
ice_renominator_suspect (IcePair *pair, IceTime now)
{
  IceComponent *component = pair->component;
  const IcePair *selected = component->selected;
  IceConsent *consent = &component->consent;

  if (!is_running (component))
    return;
  /* The other one does not know yet that what it chose is gone. */
  if (!component->stream->set->controlling &&
      (selected == NULL || consent->forsaken))
    pair->renomination.n_knocks = KNOCKS;
  if (selected == NULL || selected == pair ||
      now < selected->succeeded_at + SUSPECT_AFTER)
    return;
  if (!pair->learnt) {
    ice_consent_suspect (consent, now);
    return;
  }
  ice_consent_alarm (consent, now);
  if (consent->stopped)
    consent->forsake_at = MIN (consent->forsake_at, now);
}

void
ice_renominator_lost (IceComponent *component)
{
  const IcePair *selected = component->selected;

  if (is_running (component) && selected &&
      selected->state != ICE_PAIR_SUCCEEDED)
    knock (component);
}

/* Where much is lost the peer may not have had an answer by the pair yet: it
 * checks it, repeats that, and checks it once more for each request of ours
 * (RFC 8445 7.3.1.4). Two may come soon after each other then, not three. */
void
ice_renominator_heard (IcePair *pair, IceTime now)
{
  IceComponent *component = pair->component;
  IceRenomination *self = &pair->renomination;
  const gboolean lossy = ice_component_is_lossy (component);
  IceTime before = self->heard_at;

  /* Checks of a pair that is only becoming valid are no knocks. */
  if (pair->state == ICE_PAIR_SUCCEEDED)
    self->heard_at = now;
  self->n_heard = before && now - before < KNOCKING ? self->n_heard + 1 : 1;
  if (!is_running (component) || !is_spare (component, pair) ||
      !component->stream->set->controlling || component->selected == NULL ||
      before == 0)
    return;
  if (self->n_heard > (lossy ? 2u : 1u))
    ice_consent_alarm (&component->consent, now);
  else if (!lossy && now - before < NOT_CONSENT)
    ice_consent_suspect (&component->consent, now);
}
