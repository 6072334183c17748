/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What time alone brings: consent, the PAC timer, hints, releases; and the one
 * deadline of the core, computed from its parts. */
#include "core-private.h"

#include "purity.h"

/* RFC 8863 4: the PAC timer equals the longest life of a check: RTO times
 * (2^6 - 1) + 16 (RFC 8489 6.2.1). */
#define PAC_TIME (39500 * ICE_MSEC)
/* Without a pair after there was one: as long as consent would have lasted (RFC
 * 7675 5.1), and the peer's does. */
#define LOST_TIME (30 * ICE_SECOND)
/* Design 9.2. */
#define HINT_TIME (10 * ICE_SECOND)

/* While a relayed pair is in doubt, which consent ends after 30 s. A server
 * that is restarted is often there within the first of them. */
#define VERIFY_AFTER (750 * ICE_MSEC)
#define VERIFY_GAP (1 * ICE_SECOND)
#define VERIFY_GAP_LATER (2 * ICE_SECOND)
#define VERIFY_LATER (8 * ICE_SECOND)

/* Pairs that have not answered since @doubt_at were asked since, and are no
 * better than the selected one: their consent ends with its. */
static void
fail_silent (IceComponent *component, IceTime doubt_at)
{
  GPtrArray *pairs = component->stream->pairs;

  for (guint i = pairs->len; i-- > 0;) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component == component && pair->state == ICE_PAIR_SUCCEEDED &&
        pair->granted_at <= doubt_at)
      ice_checklist_fail (component->stream->set, pair);
  }
}

static void
consent_expired (
    IceCore *self, IceComponent *component, IceTime doubt_at, IceTime now)
{
  g_autoptr (IcePair) pair = ice_pair_ref (component->selected);
  gboolean current = pair->generation == component->stream->generation;

  /* RFC 7675 5.1: stop first, tell then. */
  ice_core_stop_component (self, component);
  ice_outputs_add (self->context.out, ICE_OUTPUT_CONSENT_LOST)
      ->consent_lost.transport = component->id;
  if (!current)
    return; /* a restart is under way: it may still succeed */
  ice_checklist_fail (component->stream->set, pair);
  fail_silent (component, doubt_at);
  if (ice_core_choose_pair (self, component, now))
    return;
  ice_checklist_conclude (component->stream->set, component, NULL);
  ice_core_set_state (
      self, component, ICE_STATE_FAILED, ICE_CAUSE_CONSENT_EXPIRED, now);
}

/* When the way that the selected pair is relayed by is to be looked at. A doubt
 * begins with each consent request and with a few packets of media that are
 * lost: a probe has been sent, and was not answered, before it counts. */
static IceTime
verify_at (const IceComponent *component)
{
  const IceConsent *consent = &component->consent;
  const IcePair *pair = component->selected;

  if (pair == NULL || pair->local->kind != ICE_CANDIDATE_RELAYED ||
      consent->doubt == ICE_DOUBT_NONE || consent->n_probes == 0)
    return ICE_TIME_NEVER;
  return MAX (consent->doubt_at + VERIFY_AFTER,
      component->verified_at +
          (component->verified_at < consent->doubt_at + VERIFY_LATER
                  ? VERIFY_GAP
                  : VERIFY_GAP_LATER));
}

/* A server that was restarted drops what comes for an allocation it does not
 * know, without a word; a Refresh it answers. */
static void
verify_relay (IceCore *self, IceComponent *component, IceTime now)
{
  if (now < verify_at (component))
    return;
  component->verified_at = now;
  ice_gatherer_verify (self->gatherer, component->selected->local, now);
}

void
ice_core_run_consent (IceCore *self, IceComponent *component, IceTime now)
{
  IceChecklistSet *set = component->stream->set;

  while (component->selected) {
    const IceConsent *consent = &component->consent;
    IceTime doubt_at =
        consent->doubt == ICE_DOUBT_NONE ? G_MININT64 : consent->doubt_at;

    component->consent.lossy = ice_policy_renominates (&set->policy) &&
        ice_component_is_lossy (component);

    switch (ice_consent_timeout (&component->consent, &self->context, now)) {
      case ICE_CONSENT_IDLE:
        verify_relay (self, component, now);
        return;
      case ICE_CONSENT_SEND_CHECK:
        ice_checker_send_consent (
            set, component->selected, ICE_CHECK_CONSENT, now);
        break;
      case ICE_CONSENT_SEND_PROBE:
        ice_checker_send_consent (
            set, component->selected, ICE_CHECK_PROBE, now);
        break;
      case ICE_CONSENT_SEND_KEEPALIVE:
        ice_checker_send_keepalive (set, component->selected, now);
        break;
      case ICE_CONSENT_EXPIRED:
        consent_expired (self, component, doubt_at, now);
        return;
    }
  }
}

/* A pair that was checked so late was frozen behind others of its foundation,
 * which failed: a hundred pairs take 5 s at the default Ta. */
#define THAW_TIME (20 * ICE_SECOND)

/* Until when a check may still be answered. Each gets the life that a check has
 * with the least RTO; with many pairs the RTO grows to seconds, and the user
 * would wait for minutes. Pairs that have seen all others of their foundation
 * die do not prolong it, unless the peer triggers them. */
static IceTime
open_until (const IceComponent *component)
{
  GPtrArray *pairs = component->stream->pairs;
  IceTime until = 0;

  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component != component)
      continue;
    if (pair->state == ICE_PAIR_WAITING)
      return ICE_TIME_NEVER;
    if (pair->state == ICE_PAIR_IN_PROGRESS &&
        (pair->triggered_at || pair->checked_at < pair->formed_at + THAW_TIME))
      until = MAX (until, pair->checked_at + PAC_TIME);
  }
  return until;
}

/* RFC 8863 4: not before the PAC timer ends, and while a check may still be
 * answered not even then; a connect timeout is a decision of ours. */
static IceTime
fail_at (const IceComponent *component)
{
  IceTime started_at = component->stream->started_at;
  IceTime timeout = component->stream->set->connect_timeout;

  if (component->lost_at)
    return component->lost_at + LOST_TIME;
  if (timeout)
    return started_at + timeout;
  return MAX (started_at + PAC_TIME, open_until (component));
}

static gboolean
is_waiting (const IceComponent *component)
{
  return component->selected == NULL && component->state != ICE_STATE_FAILED &&
      component->state != ICE_STATE_CLOSED;
}

static void
check_failure (IceCore *self, IceComponent *component, IceTime now)
{
  IceStream *stream = component->stream;
  IceOutput *output;
  IceCause cause;
  g_autofree gchar *text = NULL;

  if (!is_waiting (component) || now < fail_at (component))
    return;
  text = ice_core_explain (self, stream, now, &cause);
  ice_checklist_conclude (stream->set, component, NULL);
  ice_core_set_state (self, component, ICE_STATE_FAILED, cause, now);
  if (stream->failed)
    return; /* said for another component */
  stream->failed = TRUE;
  output = ice_outputs_add (self->context.out, ICE_OUTPUT_ERROR);
  output->error.stream = stream->id;
  output->error.cause = cause;
  output->error.fatal = TRUE;
  output->error.text = g_steal_pointer (&text);
}

static gboolean
any_waiting (const IceStream *stream)
{
  for (guint i = 0; i < stream->components->len; i++)
    if (is_waiting (g_ptr_array_index (stream->components, i)))
      return TRUE;
  return FALSE;
}

/* Counted from when there was a path, if there was. ICE_TIME_NEVER: not now, or
 * done already. */
static IceTime
hint_at (const IceStream *stream)
{
  IceTime since = stream->started_at;

  if (stream->started_at == 0 || stream->hinted || !any_waiting (stream))
    return ICE_TIME_NEVER;
  for (guint i = 0; i < stream->components->len; i++) {
    const IceComponent *component = g_ptr_array_index (stream->components, i);

    since = MAX (since, component->lost_at);
  }
  return since + HINT_TIME;
}

static void
check_hint (IceCore *self, IceStream *stream, IceTime now)
{
  IceOutput *output;
  IceCause cause;

  if (now < hint_at (stream))
    return;
  stream->hinted = TRUE;
  output = ice_outputs_add (self->context.out, ICE_OUTPUT_ERROR);
  output->error.stream = stream->id;
  output->error.text = ice_core_explain (self, stream, now, &cause);
  output->error.cause = cause;
}

/* By the selected pair, or by one that is still checked or kept as a spare. */
static gboolean
is_in_use (const IceComponent *component, const IceCandidate *local)
{
  GPtrArray *pairs = component->stream->pairs;

  for (guint i = 0; i < pairs->len; i++) {
    const IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component == component && pair->state != ICE_PAIR_FAILED &&
        ice_pair_same_local (pair->local, local))
      return TRUE;
  }
  return component->selected &&
      ice_pair_same_local (component->selected->local, local);
}

/* RFC 3261 13.2.2.4: "the INVITE transaction [is] completed 64*T1 seconds after
 * the reception of the first 2xx response": until then another answerer may
 * turn up, and want the candidates that it was told. */
#define FORK_TIME (32 * ICE_SECOND)

/* ICE_TIME_NEVER: not now, or done already. */
static IceTime
release_at (const IceStream *stream)
{
  if (stream->released || stream->completed_at == 0)
    return ICE_TIME_NEVER;
  if (stream->set->forking)
    return MAX (stream->started_at + FORK_TIME,
        stream->completed_at + ICE_RELEASE_TIME);
  return stream->completed_at + ICE_RELEASE_TIME;
}

/* RFC 8445 8.3.1: allocations that no selected pair uses are given back, and
 * the mappings of reflexive candidates are no longer kept alive: the selected
 * pair keeps its own. */
static void
check_release (IceCore *self, IceStream *stream, IceTime now)
{
  if (now < release_at (stream))
    return;
  stream->released = TRUE;
  for (guint i = stream->locals->len; i-- > 0;) {
    IceCandidate *local = g_ptr_array_index (stream->locals, i);
    IceComponent *component =
        ice_stream_find_component (stream, local->component);

    if (local->kind == ICE_CANDIDATE_SERVER_REFLEXIVE &&
        !ice_policy_is_continual (&stream->set->policy))
      ice_core_release_local (self, stream, local, now);
    if (local->kind != ICE_CANDIDATE_RELAYED ||
        (component && is_in_use (component, local)))
      continue;
    if (component)
      ice_component_unaccept_local (
          component, &self->context, self->gatherer, local);
    ice_core_release_local (self, stream, local, now);
    g_ptr_array_remove_index (stream->locals, i);
  }
}

void
ice_core_run_timers (IceCore *self, IceTime now)
{
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    check_hint (self, stream, now);
    check_release (self, stream, now);
    for (guint j = 0; j < stream->components->len; j++) {
      IceComponent *component = g_ptr_array_index (stream->components, j);

      if (component->unaccept_at && now >= component->unaccept_at) {
        component->unaccept_at = 0;
        ice_component_unaccept (component, &self->context, self->gatherer,
            stream->generation->number);
      }
    }
  }
}

void
ice_core_run_failures (IceCore *self, IceTime now)
{
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->started_at == 0)
      continue;
    for (guint j = 0; j < stream->components->len; j++)
      check_failure (self, g_ptr_array_index (stream->components, j), now);
  }
}

static IceTime
component_deadline (IceCore *self, IceComponent *component)
{
  IceStream *stream = component->stream;
  IceTime deadline = ice_consent_deadline (&component->consent);
  IceTime at;

  deadline = MIN (deadline, verify_at (component));
  if (component->unaccept_at)
    deadline = MIN (deadline, component->unaccept_at);
  if (stream->started_at && is_waiting (component))
    deadline = MIN (deadline, fail_at (component));
  ice_nominator_pick (stream->set, component, self->settled_at, &at);
  deadline = MIN (deadline, ice_renominator_deadline (component));
  deadline = MIN (deadline, ice_mtu_deadline (&component->mtu));
  deadline = MIN (deadline, ice_insistence_deadline (stream->set, component));
  return MIN (deadline, at);
}

IceTime
ice_core_deadline (IceCore *self)
{
  IceTime deadline = ice_gatherer_deadline (self->gatherer);

  /* It came without a time. */
  if (self->has_new_server && self->streams->len > 0)
    return self->settled_at;
  for (guint i = 0; i < self->sets->len; i++)
    deadline = MIN (
        deadline, ice_checker_deadline (g_ptr_array_index (self->sets, i)));
  deadline = MIN (deadline, ice_core_connections_deadline (self));
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    deadline = MIN (deadline, hint_at (stream));
    deadline = MIN (deadline, release_at (stream));
    deadline = MIN (deadline, ice_core_roaming_deadline (self, stream));
    for (guint j = 0; j < stream->components->len; j++)
      deadline = MIN (deadline,
          component_deadline (self, g_ptr_array_index (stream->components, j)));
  }
  return deadline;
}
