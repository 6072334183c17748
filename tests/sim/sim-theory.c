/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What theory says about a plan: whether there is a path, and by when it must
 * be found. */
#include "sim-plan.h"

/* I9. */
#define PATIENCE (10 * ICE_SECOND)
/* A check is sent after 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s (RFC 8489
 * 6.2.1): with loss only the last one may get through. */
#define LOSSY_PATIENCE (32 * ICE_SECOND)

/* Several NATs in a row are as hard as the hardest of them. */
static SimNatRules
total_rules (const SimPlace *self)
{
  SimNatRules rules = { 0 };

  if (self->nat)
    rules = self->rules;
  if (self->double_nat) {
    rules.mapping = MAX (rules.mapping, self->outer_rules.mapping);
    rules.filtering = MAX (rules.filtering, self->outer_rules.filtering);
  }
  return rules;
}

/* A server that tells a client its mapped address. */
static gboolean
has_stun (const SimPlan *self)
{
  return self->fault != SIM_TURN_DEAD || self->n_servers > 1;
}

static SimPath
path_by_nats (const SimPlan *self)
{
  SimNatRules a = total_rules (&self->places[0]);
  SimNatRules b = total_rules (&self->places[1]);
  const SimNatRules *hard = a.mapping ? &a : &b, *easy = a.mapping ? &b : &a;

  if (!self->places[0].nat || !self->places[1].nat) {
    /* An open end answers whoever comes, from wherever. */
    return SIM_PATH_SURE;
  }
  if (!has_stun (self))
    return SIM_PATH_MAYBE;
  if (!a.mapping && !b.mapping)
    return SIM_PATH_SURE; /* both punch */
  if (a.mapping && b.mapping)
    return a.filtering == SIM_DEPEND_PORT && b.filtering == SIM_DEPEND_PORT
        ? SIM_PATH_NONE
        : SIM_PATH_MAYBE;
  /* The hard one comes from a port that the easy one has not sent to. */
  if (hard->preserves_ports)
    return SIM_PATH_MAYBE;
  return easy->filtering == SIM_DEPEND_PORT ? SIM_PATH_NONE : SIM_PATH_SURE;
}

SimPath
sim_plan_direct (const SimPlan *self)
{
  const SimPlace *a = &self->places[0], *b = &self->places[1];

  if (self->relay_only || a->blocked || b->blocked)
    return SIM_PATH_NONE;
  if ((a->ipv6 && b->ipv6) || (a->vpn && b->vpn) ||
      self->neighbours == SIM_ONE_LAN)
    return SIM_PATH_SURE;
  if (self->neighbours == SIM_ONE_CARRIER && !a->outer_rules.hairpins)
    return SIM_PATH_NONE;
  return path_by_nats (self);
}

SimPath
sim_plan_path (const SimPlan *self)
{
  SimPath direct = sim_plan_direct (self);

  if (self->places[0].blocked || self->places[1].blocked)
    return SIM_PATH_NONE;
  if (!self->turn || direct == SIM_PATH_SURE)
    return direct;
  if (self->fault == SIM_TURN_HEALTHY || self->n_servers > 1)
    return SIM_PATH_SURE;
  return SIM_PATH_MAYBE;
}

gboolean
sim_plan_is_clean (const SimPlan *self)
{
  for (guint i = 0; i < 2; i++) {
    const SimLink *link = &self->places[i].link;

    if (link->loss || link->corrupt || link->rate)
      return FALSE;
  }
  return self->outage == 0 && !self->reboot && !self->server_restarts &&
      self->storm_time == 0 && !self->silent && !self->roam &&
      self->fault == SIM_TURN_HEALTHY;
}

static guint
count_addresses (const SimPlace *self)
{
  return 1 + self->ipv6 + self->ula + self->link_local + self->vpn +
      self->dead_interface;
}

IceTime
sim_plan_patience (const SimPlan *self)
{
  const SimPlace *a = &self->places[0], *b = &self->places[1];
  IceTime ta = (self->pacing ? self->pacing : 50) * ICE_MSEC * self->n_calls;
  guint n_components = self->n_streams * self->n_components;
  guint n_gather = n_components * self->n_servers * 2 *
      MAX (count_addresses (a), count_addresses (b));
  guint n_pairs = MIN (100,
      n_components * (count_addresses (a) + 2) * (count_addresses (b) + 2));
  IceTime patience = PATIENCE;

  if (a->link.loss || b->link.loss || a->link.rate || b->link.rate)
    patience = LOSSY_PATIENCE;
  /* The next try comes when as much time again has gone; one that is corrupted
   * is lost, and few are left. */
  if (self->storm_time)
    patience = MAX (patience,
        a->link.corrupt || b->link.corrupt
            ? LOSSY_PATIENCE
            : 2 * self->storm_time + 12 * ICE_SECOND);
  /* Gathering and checks take their turns, and a lost packet is resent when
   * all had theirs (RFC 8445 14.3). */
  /* A dead server ends gathering after 39.5 s at the latest, on both sides. */
  if (self->vanilla)
    patience +=
        self->fault == SIM_TURN_HEALTHY ? 4 * ICE_SECOND : 80 * ICE_SECOND;
  return patience + self->late + self->signal_jitter +
      ta * (n_gather + 3 * n_pairs);
}
