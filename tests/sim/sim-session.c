/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-session.h"

#include "sim-replayer.h"
#include "sim-town.h"

/* I9: after CONNECTED. */
#define COMPLETE_TIME (5 * ICE_SECOND)
/* The last consent may be 6 s old when it begins, and an answer takes its
 * time: an outage that consent survives. */
#define SHORT_OUTAGE 22

typedef struct
{
  SimNet *net;
  SimPlan plan;
  SimTown town;
  SimReplayer *replayers[2]; /* (nullable) */
  IceTime introduced_at;
  SimSessionResult result;
} Session;

/* Looking. */

typedef void (*EachFunc) (
    Session *self, SimHost *host, SimTransport *transport, gpointer user);

static void
each_transport (Session *self, EachFunc func, gpointer user)
{
  const SimPlan *plan = &self->plan;

  for (guint i = 0; i < plan->n_calls; i++)
    for (guint h = 0; h < 2; h++)
      for (guint s = 0; s < plan->n_streams; s++)
        for (guint c = 1; c <= plan->n_components; c++) {
          SimHost *host = self->town.calls[i].hosts[h];

          if (!sim_host_is_closed (host))
            func (self, host, sim_host_transport (host, s, c), user);
        }
}

typedef struct
{
  IceState at_least;
  const gchar *when;
} Demand;

static gboolean
is_lossy (const Session *self)
{
  const SimLink *a = &self->plan.places[0].link;
  const SimLink *b = &self->plan.places[1].link;

  return a->loss || b->loss || a->corrupt || b->corrupt;
}

static void
demand (Session *self, SimHost *host, SimTransport *transport, gpointer user)
{
  const Demand *what = user;

  if (transport->state == ICE_STATE_COMPLETED ||
      transport->state == what->at_least)
    return;
  /* A few probes were lost; it comes back. */
  if (transport->state == ICE_STATE_DISCONNECTED && is_lossy (self) &&
      what->at_least != ICE_STATE_FAILED)
    return;
  sim_net_violate (self->net, "I9: %s/%u is %s %s", sim_host_name (host),
      transport->id, ice_state_to_string (transport->state), what->when);
}

static void
note_incomplete (
    Session *self, SimHost *host, SimTransport *transport, gpointer user)
{
  *(gboolean *) user |= transport->state != ICE_STATE_COMPLETED;
}

/* Another nomination may be under way whenever we look (ice-renomination-01 3):
 * a round trip, and one that is lost gives way after 2 s. */
static void
wait_for_nominations (Session *self)
{
  gboolean waiting = (self->plan.ice_options[0] & self->plan.ice_options[1] &
                         ICE_OPTION_RENOMINATION) != 0;

  for (guint n = 0; n < 6 && waiting; n++) {
    waiting = FALSE;
    each_transport (self, note_incomplete, &waiting);
    if (waiting)
      sim_net_run_for (self->net, 500 * ICE_MSEC);
  }
}

static void
check_all (Session *self, IceState at_least, const gchar *when)
{
  Demand what = { at_least, when };

  if (at_least == ICE_STATE_COMPLETED)
    wait_for_nominations (self);
  each_transport (self, demand, &what);
}

static void
count_good (
    Session *self, SimHost *host, SimTransport *transport, gpointer user)
{
  guint *counts = user;

  counts[transport->state == ICE_STATE_FAILED]++;
}

static void
check_failed_once (
    Session *self, SimHost *host, SimTransport *transport, gpointer user)
{
  if (transport->state == ICE_STATE_FAILED && transport->n_failed != 1)
    sim_net_violate (self->net, "I9: %s/%u failed %u times",
        sim_host_name (host), transport->id, transport->n_failed);
}

static void
note_luck (Session *self, SimHost *host, SimTransport *transport, gpointer user)
{
  *(gboolean *) user |= transport->unlucky;
}

static gboolean
is_unlucky (Session *self)
{
  gboolean unlucky = FALSE;

  each_transport (self, note_luck, &unlucky);
  return unlucky;
}

static void
note_latest (
    Session *self, SimHost *host, SimTransport *transport, gpointer user)
{
  IceTime *latest = user;

  if (transport->connected_at == 0)
    *latest = ICE_TIME_NEVER;
  else if (*latest != ICE_TIME_NEVER && transport->checking_at)
    *latest = MAX (*latest, transport->connected_at - transport->checking_at);
}

/* Doing. */

typedef void (*HostFunc) (SimHost *host);

static void
each_host (Session *self, HostFunc func)
{
  for (guint i = 0; i < self->plan.n_calls; i++)
    for (guint h = 0; h < 2; h++)
      func (self->town.calls[i].hosts[h]);
}

static void
start_media (Session *self, IceTime period)
{
  for (guint i = 0; i < self->plan.n_calls; i++) {
    sim_host_start_media (self->town.calls[i].hosts[0], period);
    sim_host_start_media (self->town.calls[i].hosts[1], period * 4 / 3);
  }
}

static void
run_for (Session *self, IceTime duration)
{
  sim_net_run_for (self->net, duration);
}

/* So long, or until all is well: time that is not waited for is another
 * session's. Some wait anyway, and are at rest for a while. */
static void
wait_for_all (Session *self, IceTime patience)
{
  IceTime until = sim_net_now (self->net) + patience;
  gboolean waiting = TRUE;

  run_for (self, 2 * ICE_SECOND + self->plan.signal_jitter);
  while (waiting && sim_net_now (self->net) < until) {
    run_for (self, 500 * ICE_MSEC);
    waiting = self->plan.is_patient;
    each_transport (self, note_incomplete, &waiting);
  }
}

/* A new offer by one, or by both at once. */
static void
renegotiate (Session *self, const gchar *when)
{
  guint first = sim_net_pick (self->net, 2);

  for (guint i = 0; i < self->plan.n_calls; i++) {
    SimHost **hosts = self->town.calls[i].hosts;

    if (sim_host_is_closed (hosts[0]))
      continue;
    sim_restart (hosts[first]);
    if (self->plan.glare)
      sim_restart (hosts[!first]);
  }
  wait_for_all (self, sim_plan_patience (&self->plan) + COMPLETE_TIME);
  check_all (self, ICE_STATE_COMPLETED, when);
}

static void
pass_outage (Session *self)
{
  sim_town_set_dead (&self->town, 1, TRUE);
  run_for (self, self->plan.outage * ICE_SECOND);
  sim_town_set_dead (&self->town, 1, FALSE);
  each_host (self, sim_host_path_is_back);
  run_for (self, 10 * ICE_SECOND);
  if (self->plan.outage >= SHORT_OUTAGE || is_unlucky (self))
    renegotiate (self, "after the long outage");
  else
    check_all (self, ICE_STATE_COMPLETED, "after the outage");
}

/* Hours pass; whatever is leased is renewed, or the server complains. */
static void
stay (Session *self)
{
  start_media (self, 2 * ICE_SECOND);
  run_for (self, self->plan.stay);
  if (is_unlucky (self))
    renegotiate (self, "after a long time of bad luck");
  else
    check_all (self, ICE_STATE_COMPLETED, "after a long time");
  start_media (self, self->plan.media_period);
}

/* New mappings are found by a restart (RFC 8445 9), and so is a relay that
 * forgot all, or was lost with the mapping it was made through. */
static void
reboot (Session *self)
{
  for (guint i = 0; self->plan.reboot && i < 1; i++)
    sim_node_reboot_nat (self->town.nodes[0][0]);
  if (self->plan.server_restarts)
    sim_turn_restart (self->town.servers[0]);
  run_for (self, 5 * ICE_SECOND);
  renegotiate (self, "after the reboot");
}

/* One answerer of several goes, and the others hear nothing of it. */
static void
hang_up (Session *self)
{
  SimCall *call =
      &self->town.calls[sim_net_pick (self->net, self->plan.n_calls)];

  sim_host_close (call->hosts[0]);
  sim_host_close (call->hosts[1]);
  run_for (self, 15 * ICE_SECOND);
  check_all (self, ICE_STATE_COMPLETED, "after one hung up");
}

/* RFC 6544 11.1: connections are opened again. One that leads to a middle box
 * which says nothing is silent, and that is told; a restart finds another. */
static void
reset (Session *self)
{
  sim_stream_reset_all (self->net);
  run_for (self, 15 * ICE_SECOND);
  if (is_unlucky (self) || sim_plan_may_reopen_mute (&self->plan))
    renegotiate (self, "after the connections were reset");
  else
    check_all (self, ICE_STATE_COMPLETED, "after the connections were reset");
}

/* From one network to another, without a word but the new candidate: both
 * gather continually and renominate. */
static void
roam (Session *self)
{
  SimNode *node =
      sim_net_add_node_behind (self->net, "alice-moved", "198.51.100.66", NULL);

  sim_node_set_link (node, &self->plan.places[0].link);
  sim_town_set_dead (&self->town, 0, TRUE);
  for (guint i = 0; i < self->plan.n_calls; i++)
    sim_host_move (self->town.calls[i].hosts[0], node);
  each_host (self, sim_host_path_is_back);
  wait_for_all (self, sim_plan_patience (&self->plan));
  check_all (self, ICE_STATE_COMPLETED, "after it moved");
}

static void
demand_silence (
    Session *self, SimHost *host, SimTransport *transport, gpointer user)
{
  IceState state = *(IceState *) user;

  if (host == self->town.calls[0].hosts[0] && transport->state != state &&
      transport->state != ICE_STATE_FAILED)
    sim_net_violate (self->net, "I9: %s/%u is %s, and the peer is gone",
        sim_host_name (host), transport->id,
        ice_state_to_string (transport->state));
}

/* The peer is gone without a word (design 9.3, RFC 7675 5.1). */
static void
fall_silent (Session *self)
{
  IceState state = ICE_STATE_DISCONNECTED;

  sim_town_set_dead (&self->town, 1, TRUE);
  run_for (self, 9 * ICE_SECOND);
  /* Who has spare pairs tries those first. */
  if (!(self->plan.ice_options[0] & self->plan.ice_options[1] &
          ICE_OPTION_RENOMINATION))
    each_transport (self, demand_silence, &state);
  run_for (self, 22 * ICE_SECOND);
  state = ICE_STATE_FAILED;
  each_transport (self, demand_silence, &state);
}

/* A nomination takes a round trip, and a later one may be under way whenever we
 * look (ice-renomination-01 3): one that is lost gives way after 2 s. */
static void
wait_for_agreement (Session *self)
{
  for (guint n = 0; n < 6; n++) {
    gboolean agree = TRUE;

    for (guint i = 0; i < self->plan.n_calls; i++)
      agree &= sim_is_agreement (
          self->town.calls[i].hosts[0], self->town.calls[i].hosts[1]);
    if (agree)
      return;
    run_for (self, 500 * ICE_MSEC);
  }
}

static void
play_calls (Session *self)
{
  const SimPlan *plan = &self->plan;

  if (plan->hangs_up)
    hang_up (self);
  if (plan->restart)
    renegotiate (self, "after the restart");
  if (plan->outage)
    pass_outage (self);
  if (plan->reboot || plan->server_restarts)
    reboot (self);
  if (plan->stay)
    stay (self);
  for (guint i = 0; i < plan->tcp_resets; i++)
    reset (self);
  if (plan->roam)
    roam (self);
  run_for (self, 5 * ICE_SECOND);
  wait_for_agreement (self);
  for (guint i = 0; i < plan->n_calls; i++)
    sim_check_agreement (
        self->net, self->town.calls[i].hosts[0], self->town.calls[i].hosts[1]);
  if (plan->silent)
    fall_silent (self);
}

static void
connect_all (Session *self)
{
  self->introduced_at = sim_net_now (self->net);
  /* The offer of forks leaves last. */
  for (guint i = self->plan.n_calls; i-- > 0;)
    sim_connect (self->town.calls[i].hosts[0], self->town.calls[i].hosts[1]);
  start_media (self, self->plan.media_period);
}

static void
weather_storm (Session *self)
{
  const SimPlan *plan = &self->plan;

  sim_town_set_link (&self->town, 0, &plan->storm);
  sim_town_set_link (&self->town, 1, &plan->storm);
  run_for (self, plan->storm_time);
  sim_town_set_link (&self->town, 0, &plan->places[0].link);
  sim_town_set_link (&self->town, 1, &plan->places[1].link);
}

/* Both get through, or neither. */
static void
play_maybe (Session *self)
{
  guint counts[2] = { 0, 0 };

  run_for (self, 60 * ICE_SECOND);
  each_transport (self, count_good, counts);
  if (counts[TRUE] == 0)
    check_all (self, ICE_STATE_CONNECTED, "where others are not");
  each_transport (self, check_failed_once, NULL);
}

static void
measure (Session *self)
{
  const SimPlan *plan = &self->plan;

  if (plan->storm_time || plan->late || plan->udp_blocked ||
      plan->pacing == 0 || plan->n_calls > 1 ||
      plan->fault != SIM_TURN_HEALTHY || plan->places[0].link.rate ||
      plan->places[1].link.rate || sim_plan_path (plan) != SIM_PATH_SURE)
    return;
  self->result.loss = plan->places[0].link.loss + plan->places[1].link.loss;
  each_transport (self, note_latest, &self->result.connect_time);
}

static void
play (Session *self)
{
  const SimPlan *plan = &self->plan;

  connect_all (self);
  if (plan->storm_time)
    weather_storm (self);
  sim_net_run_until (self->net, self->introduced_at + sim_plan_patience (plan));
  measure (self);
  switch (sim_plan_path (plan)) {
    case SIM_PATH_SURE:
      check_all (self, ICE_STATE_CONNECTED, "in time");
      wait_for_all (self, COMPLETE_TIME);
      check_all (self, ICE_STATE_COMPLETED, "5 s later");
      play_calls (self);
      break;
    case SIM_PATH_MAYBE:
      play_maybe (self);
      break;
    case SIM_PATH_NONE:
      run_for (self, 60 * ICE_SECOND);
      check_all (self, ICE_STATE_FAILED, "without a path");
      each_transport (self, check_failed_once, NULL);
      break;
  }
  each_host (self, sim_host_close);
  run_for (self, 45 * ICE_SECOND);
  /* Nobody waits for the answer to the last Refresh, nor hears of a stale
   * nonce in it. */
  if (sim_plan_is_clean (plan) && plan->nonce_life == 0 &&
      sim_turn_n_allocations (self->town.servers[0]) > 0)
    sim_net_violate (self->net, "I12: an allocation outlived its session");
  /* An allocation that was granted by a lie is none. */
  if (!plan->silent && plan->fault == SIM_TURN_HEALTHY)
    each_host (self, sim_host_check_end);
}

void
sim_session_run (const SimSessionOptions *options, SimSessionResult *ret_result)
{
  Session self = { .net = sim_net_new (options->seed) };

  self.result.loss = -1;
  sim_net_set_trace (self.net, options->trace);
  sim_plan_draw (&self.plan, self.net, options->is_long);
  sim_plan_vary (&self.plan, options->seed);
  sim_net_set_start (self.net, self.plan.clock);
  sim_plan_print (&self.plan, self.net);
  sim_town_build (&self.town, self.net, &self.plan);
  for (guint i = 0; self.plan.replay && i < 2; i++)
    self.replayers[i] =
        sim_replayer_new (self.net, self.town.calls[0].hosts[i]);
  play (&self);
  self.result.violation = g_strdup (sim_net_violation (self.net));
  *ret_result = self.result;
  for (guint i = 0; i < 2; i++)
    g_clear_pointer (&self.replayers[i], sim_replayer_free);
  sim_town_clear (&self.town);
  sim_net_free (self.net);
}
