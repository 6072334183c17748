/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows from what happened. Nothing here is told "pair X succeeded";
 * each time the selected pair, the route and the state of every component are
 * derived from the checklists, and what differs from what was said last
 * becomes outputs. */
#include "core-private.h"

#include "purity.h"

/* The selected pair. */

/* The selected pair's consent has a clock of its own, or none. */
static gboolean
may_carry (const IceComponent *component, const IcePair *pair, IceTime now)
{
  if (pair == component->selected)
    return pair->state == ICE_PAIR_SUCCEEDED;
  return ice_nominator_is_valid (pair, component, now);
}

/* RFC 8445 8.1.1: of several the highest; but the dead one yields to one that
 * answered after it. Those that did not may be as dead, and the peer is not
 * there. */
static IcePair *
best_nominated (const IceComponent *component, IceTime now)
{
  GPtrArray *pairs = component->stream->pairs;
  IcePair *selected = component->selected;
  IcePair *best = NULL, *dead = NULL;

  if (selected && component->consent.disconnected &&
      selected->nomination == ICE_NOMINATION_DONE &&
      may_carry (component, selected, now))
    best = dead = selected;
  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->nomination != ICE_NOMINATION_DONE || pair == dead ||
        !may_carry (component, pair, now) ||
        (dead && !ice_nominator_outlived (pair)))
      continue;
    if (best == dead || pair->shared_priority > best->shared_priority)
      best = pair;
  }
  return best;
}

IcePair *
ice_core_choose_pair (IceCore *self, IceComponent *component, IceTime now)
{
  GPtrArray *pairs = component->stream->pairs;
  IcePair *selected = component->selected;
  IcePair *pair;

  if (component->state == ICE_STATE_CLOSED ||
      component->state == ICE_STATE_FAILED)
    return NULL;
  if (selected && selected->without_ice)
    return selected;
  if (component->concluded &&
      ice_policy_renominates (&component->stream->set->policy))
    return ice_renominator_choose (component, now);
  pair = best_nominated (component, now);
  if (pair)
    return pair;
  /* RFC 8445 9: the old pair until the new one is nominated. */
  if (selected && selected->generation != component->stream->generation)
    return selected;
  for (guint i = 0; i < pairs->len; i++) {
    pair = g_ptr_array_index (pairs, i);
    if (component->stream->set->controlling && pair->component == component &&
        pair->nomination == ICE_NOMINATION_WANTED &&
        pair->state == ICE_PAIR_SUCCEEDED)
      return pair; /* being nominated: no more changes until it is done */
  }
  pair = ice_nominator_best_valid (component, now);
  if (pair == NULL && selected && may_carry (component, selected, now))
    return selected;
  return pair;
}

static void
update_route (IceCore *self, IceComponent *component)
{
  IcePair *pair = component->selected;
  IceRoute route = { 0 };
  IceOutput *output;

  if (pair && (pair->reopening || !ice_pair_is_connected (pair)))
    pair = NULL; /* RFC 6544 11.1: nothing until there is a connection again */
  if (pair && pair->local->kind == ICE_CANDIDATE_RELAYED) {
    const IceAddress *server =
        ice_gatherer_relay_server (self->gatherer, pair->local);
    guint16 channel = ice_gatherer_channel (
        self->gatherer, pair->local, &pair->remote->address);

    if (channel && server)
      route = (IceRoute){ pair->local->socket, *server, channel,
        pair->remote->address };
  } else if (pair) {
    route = (IceRoute){ pair->local->socket, pair->remote->address, 0,
      pair->remote->address };
  }
  if (route.socket == component->route.socket &&
      route.channel == component->route.channel &&
      ice_address_equal (&route.to, &component->route.to) &&
      ice_address_equal (&route.peer, &component->route.peer))
    return;
  component->route = route;
  output = ice_outputs_add (self->context.out, ICE_OUTPUT_ROUTE);
  output->route.transport = component->id;
  output->route.socket = route.socket;
  output->route.to = route.to;
  output->route.channel = route.channel;
  output->route.peer = route.peer;
}

static void
say_selected (IceCore *self, IceComponent *component)
{
  IcePair *pair = component->selected;
  IceOutput *output =
      ice_outputs_add (self->context.out, ICE_OUTPUT_PAIR_SELECTED);

  output->pair_selected.stream = component->stream->id;
  output->pair_selected.component = component->number;
  output->pair_selected.transport = component->id;
  output->pair_selected.local =
      ice_candidate_ref (pair->mapped ? pair->mapped : pair->local);
  output->pair_selected.remote =
      ice_stream_tell_remote (component->stream, pair->remote);
  output->pair_selected.rtt = pair->rtt;
  output->pair_selected.nominated = component->nominated;
  if (self->context.world.log_level >= ICE_LOG_INFO) {
    g_autofree gchar *text = ice_pair_to_string (pair);

    ice_log (&self->context, ICE_LOG_INFO, ICE_LOG_CHECK, "%s %s",
        component->nominated ? "nominated:" : "selected:", text);
  }
}

static IceConsentMode
consent_mode (const IceComponent *component)
{
  const IceChecklistSet *set = component->stream->set;

  if (!set->consent || ice_policy_is_unchecked (&set->policy))
    return ICE_CONSENT_KEEPALIVE;
  return set->policy.lite ? ICE_CONSENT_LITE : ICE_CONSENT_CHECKS;
}

static void
start_consent (IceCore *self, IceComponent *component, IceTime now)
{
  IcePair *pair = component->selected;
  IceConsentMode mode = ICE_CONSENT_OFF;
  const IceConsent before = component->consent;

  if (pair && !pair->without_ice)
    mode = consent_mode (component);
  ice_consent_start (&component->consent, &self->context, mode,
      pair ? pair->granted_at : now, pair ? pair->rtt : 0, now);
  component->consent.media_at = component->consent.looked_at_media =
      before.media_at;
  component->consent.sent_at = MAX (component->consent.sent_at, before.sent_at);
  /* How regularly it comes does not depend on the way. */
  component->consent.gap = before.gap;
  component->consent.gap_before = before.gap_before;
  component->consent.gap_until = before.gap_until;
}

/* The pair was selected and is not any more. One that is on no list either goes
 * with the last reference, so nothing may come back to it. */
static void
leave_pair (IceStream *stream, IcePair *pair)
{
  if (!g_ptr_array_find (stream->pairs, pair, NULL))
    g_queue_remove (&stream->triggered, pair);
  ice_pair_drop_checks (pair);
  ice_checklist_forget_peer (stream->set, pair);
}

static void
select_pair (IceCore *self, IceComponent *component, IcePair *pair, IceTime now)
{
  g_autoptr (IcePair) old = component->selected;
  IceStream *stream = component->stream;

  component->selected = pair ? ice_pair_ref (pair) : NULL;
  if (pair) {
    component->lost_at = 0;
    component->rebound = FALSE;
    component->selected_changes++;
    /* RFC 8445 8.3.1's three seconds, for media that is still on its way. */
    if (old && old->generation != stream->generation)
      component->unaccept_at = now + ICE_RELEASE_TIME;
  }
  if (old && !g_ptr_array_find (stream->pairs, old, NULL))
    leave_pair (stream, old);
  start_consent (self, component, now);
}

/* Its socket or allocation is gone, and so are the other pairs. */
static void
fail_for_resource (IceCore *self, IceComponent *component, IceTime now)
{
  IceStream *stream = component->stream;
  IceOutput *output;

  ice_core_set_state (
      self, component, ICE_STATE_FAILED, ICE_CAUSE_RESOURCE, now);
  if (stream->failed)
    return; /* said for another component */
  stream->failed = TRUE;
  output = ice_outputs_add (self->context.out, ICE_OUTPUT_ERROR);
  output->error.stream = stream->id;
  output->error.cause = ICE_CAUSE_RESOURCE;
  output->error.fatal = TRUE;
  output->error.text =
      g_strdup ("The network interface or relay that the media went by is "
                "gone, and there is no other path. An ICE restart may find "
                "one.");
}

/* By a new address, or a relay that takes the place of the lost one. */
static gboolean
may_come_back (IceCore *self, const IceComponent *component)
{
  const IceStream *stream = component->stream;

  return ice_policy_is_continual (&stream->set->policy) ||
      ice_gatherer_awaits_successor (
          self->gatherer, stream->gather, component->number);
}

static void
update_selected (IceCore *self, IceComponent *component, IceTime now)
{
  IcePair *pair = ice_core_choose_pair (self, component, now);
  gboolean nominated = pair && pair->nomination == ICE_NOMINATION_DONE;
  gboolean changed = pair != component->selected;
  gboolean lost = changed && pair == NULL && component->concluded;

  if (changed)
    select_pair (self, component, pair, now);
  update_route (self, component);
  if (pair && (changed || nominated != component->nominated)) {
    component->nominated = nominated;
    say_selected (self, component);
  }
  /* Once only: pairs that come later are better nominations of a peer that
   * uses RFC 5245's aggressive mode. */
  if (nominated && pair->generation == component->stream->generation &&
      (changed || !component->concluded)) {
    component->concluded = TRUE;
    ice_nominator_conclude (component->stream->set, component, pair);
  }
  if (lost && may_come_back (self, component))
    component->lost_at = now;
  else if (lost)
    fail_for_resource (self, component, now);
}

/* States. */

void
ice_core_set_state (IceCore *self, IceComponent *component, IceState state,
    IceCause cause, IceTime now)
{
  IceOutput *output;

  if (component->state == state)
    return;
  component->state = state;
  if ((state == ICE_STATE_CONNECTED || state == ICE_STATE_COMPLETED) &&
      component->connected_at == 0)
    component->connected_at = now;
  output = ice_outputs_add (self->context.out, ICE_OUTPUT_STATE);
  output->state.transport = component->id;
  output->state.state = state;
  output->state.cause = cause;
  ice_log (&self->context, ICE_LOG_INFO, ICE_LOG_CHECK, "transport %u: %s",
      component->id, ice_state_to_string (state));
}

static gboolean
is_nominated (const IceComponent *component)
{
  const IcePair *pair = component->selected;

  return pair && pair->nomination == ICE_NOMINATION_DONE &&
      pair->generation == component->stream->generation;
}

/* RFC 8445 8.1.2: a checklist is Completed when each component has a nominated
 * pair. */
static gboolean
is_completed (const IceStream *stream)
{
  if (stream->components->len == 0)
    return FALSE;
  for (guint i = 0; i < stream->components->len; i++) {
    IceComponent *component = g_ptr_array_index (stream->components, i);

    if (component->state != ICE_STATE_CLOSED && !is_nominated (component))
      return FALSE;
  }
  return TRUE;
}

static void
update_state (
    IceCore *self, IceComponent *component, gboolean completed, IceTime now)
{
  IceState state = ICE_STATE_NEW;

  if (component->state == ICE_STATE_CLOSED ||
      component->state == ICE_STATE_FAILED)
    return;
  if (component->selected &&
      (component->consent.disconnected || component->selected->reopening))
    state = ICE_STATE_DISCONNECTED;
  else if (component->selected)
    state = completed ? ICE_STATE_COMPLETED : ICE_STATE_CONNECTED;
  else if (component->lost_at)
    state = ICE_STATE_DISCONNECTED;
  else if (ice_stream_is_active (component->stream))
    state = ICE_STATE_CHECKING;
  ice_core_set_state (self, component, state, ICE_CAUSE_NONE, now);
}

static void
update_stream (IceCore *self, IceStream *stream, IceTime now)
{
  gboolean completed;

  for (guint i = 0; i < stream->components->len; i++) {
    IceComponent *component = g_ptr_array_index (stream->components, i);
    IceTime ignored;
    IcePair *pair = ice_nominator_pick (stream->set, component, now, &ignored);

    if (pair)
      ice_nominator_begin (stream->set, pair, now);
    update_selected (self, component, now);
  }
  completed = is_completed (stream);
  if (!completed)
    stream->completed_at = 0;
  else if (stream->completed_at == 0)
    stream->completed_at = now;
  for (guint i = 0; i < stream->components->len; i++)
    update_state (
        self, g_ptr_array_index (stream->components, i), completed, now);
}

void
ice_core_stop_component (IceCore *self, IceComponent *component)
{
  g_autoptr (IcePair) pair = g_steal_pointer (&component->selected);

  ice_consent_stop (&component->consent);
  update_route (self, component);
  if (pair)
    leave_pair (component->stream, pair);
}

/* A turn among all agents that nobody here waits for any more must not be used
 * later, when it may be somebody else's. */
static void
leave_slot (IceCore *self)
{
  gboolean waiting = ice_gatherer_is_waiting (self->gatherer);

  if (!self->context.reserved)
    return;
  for (guint i = 0; i < self->sets->len && !waiting; i++)
    waiting =
        ice_checklist_set_peek (g_ptr_array_index (self->sets, i)) != NULL;
  if (!waiting)
    ice_context_leave_slot (&self->context);
}

/* TRUE when a check left: the next one's turn is the next set's. */
static gboolean
run_set (IceCore *self, guint index, IceTime now)
{
  IceTime before = self->context.own_slot;

  ice_checker_run (g_ptr_array_index (self->sets, index), now);
  if (self->context.own_slot == before)
    return FALSE;
  self->turn = index + 1;
  return TRUE;
}

/* The slots of Ta are the agent's (RFC 8445 14.2): branches take turns, and as
 * among streams triggered checks go first. */
static void
run_checks (IceCore *self, IceTime now)
{
  guint n = self->sets->len, turn = self->turn;

  for (guint i = 0; n > 1 && i < n; i++) {
    guint index = (turn + i) % n;

    if (ice_checklist_set_has_triggered (
            g_ptr_array_index (self->sets, index)) &&
        run_set (self, index, now))
      return;
  }
  for (guint i = 0; i < n; i++)
    if (run_set (self, (turn + i) % n, now))
      return;
}

void
ice_core_settle (IceCore *self, IceTime now)
{
  self->settled_at = now;
  ice_core_drain_events (self, now);
  for (guint i = 0; i < self->sets->len; i++)
    ice_checker_timeout (g_ptr_array_index (self->sets, i), now);
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    update_stream (self, stream, now);
    for (guint j = 0; j < stream->components->len; j++) {
      IceComponent *component = g_ptr_array_index (stream->components, j);

      ice_core_run_consent (self, component, now);
      ice_renominator_run (stream->set, component, now);
      ice_insistence_run (stream->set, component, now);
    }
    update_stream (self, stream, now);
    for (guint j = 0; j < stream->components->len; j++) {
      IceComponent *component = g_ptr_array_index (stream->components, j);

      /* What a new selection made superfluous goes now, not by whoever comes
       * next. */
      ice_renominator_trim (stream->set, component);
      ice_core_run_mtu (self, component, now);
    }
  }
  ice_core_run_failures (self, now);
  for (guint i = 0; i < self->streams->len; i++)
    ice_core_run_roaming (self, g_ptr_array_index (self->streams, i), now);
  ice_core_run_connections (self, now);
  run_checks (self, now);
  leave_slot (self);
}
