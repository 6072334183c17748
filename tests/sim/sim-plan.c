/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-plan.h"

/* Two hours (security.md 1.6: media that stops after some minutes): twelve
 * lives of an allocation. */
#define STAY (7200 * ICE_SECOND)
/* Where all is relayed: two lives. */
#define RELAYED_STAY (1300 * ICE_SECOND)

/* Drawing. */

static void
draw_rules (SimNatRules *rules, SimNet *net)
{
  static const guint timeouts[] = { 0, 30, 60, 120, 300 };

  *rules = (SimNatRules){
    .mapping = sim_net_one_in (net, 3) ? sim_net_pick (net, 3) : 0,
    .filtering = sim_net_pick (net, 3),
    .preserves_ports = sim_net_one_in (net, 2),
    .hairpins = sim_net_one_in (net, 2),
    .timeout =
        timeouts[sim_net_pick (net, G_N_ELEMENTS (timeouts))] * ICE_SECOND,
  };
}

static void
draw_link (SimLink *link, SimNet *net)
{
  static const guint losses[] = { 0, 0, 0, 10, 50 };

  *link = (SimLink){
    .delay = (1 + sim_net_pick (net, 60)) * ICE_MSEC,
    .jitter = sim_net_one_in (net, 2) ? sim_net_pick (net, 20 * ICE_MSEC) : 0,
    .loss = losses[sim_net_pick (net, G_N_ELEMENTS (losses))],
    .duplicate = sim_net_one_in (net, 4) ? 100 : 0,
    .reorder = sim_net_one_in (net, 4) ? 250 : 0,
    .corrupt = sim_net_one_in (net, 4) ? 20 : 0,
  };
  if (sim_net_one_in (net, 8))
    link->mtu = 576;
  if (sim_net_one_in (net, 12)) {
    link->rate = 64000;
    link->queue = 500 * ICE_MSEC;
  }
}

/* One way at most is nearly closed; what passes may be late or wrong. */
static void
draw_storm (SimPlan *self, SimNet *net)
{
  static const IceTime spikes[] = { 100, 1000, 5000, 15000 };

  self->storm_time = (1 + sim_net_pick (net, 8)) * ICE_SECOND;
  self->storm = (SimLink){
    .delay = 20 * ICE_MSEC,
    .jitter = 50 * ICE_MSEC,
    .loss = 100 * sim_net_pick (net, 6),
    .duplicate = 100 * sim_net_pick (net, 10),
    .reorder = 500,
    .corrupt = 100 * sim_net_pick (net, 5),
    .bursts_per_minute = sim_net_pick (net, 30),
    .burst_length = (200 + sim_net_pick (net, 2000)) * ICE_MSEC,
    .spikes_per_minute = sim_net_pick (net, 30),
    .spike = spikes[sim_net_pick (net, G_N_ELEMENTS (spikes))] * ICE_MSEC,
  };
  if (sim_net_one_in (net, 3))
    self->storm.loss_up = 1000;
  else if (sim_net_one_in (net, 3))
    self->storm.loss_down = 1000;
}

static void
draw_place (SimPlace *self, SimNet *net)
{
  self->nat = !sim_net_one_in (net, 5);
  self->double_nat = self->nat && sim_net_one_in (net, 6);
  draw_rules (&self->rules, net);
  draw_rules (&self->outer_rules, net);
  self->ipv6 = sim_net_one_in (net, 8);
  draw_rules (&self->firewall, net);
  self->firewall.firewall = TRUE;
  self->firewall.mapping = SIM_DEPEND_NOTHING;
  self->ula = sim_net_one_in (net, 16);
  self->link_local = sim_net_one_in (net, 16);
  self->vpn = sim_net_one_in (net, 12);
  self->dead_interface = sim_net_one_in (net, 6);
  self->blocked = sim_net_one_in (net, 100);
  draw_link (&self->link, net);
}

static void
draw_servers (SimPlan *self, SimNet *net)
{
  static const guint codes[] = { 300, 400, 403, 420, 437, 440, 441, 442, 443,
    486, 500, 508, 699 };

  self->turn = !sim_net_one_in (net, 4);
  self->n_servers = sim_net_one_in (net, 6) ? 2 : 1;
  if (sim_net_one_in (net, 6))
    self->fault = 1 + sim_net_pick (net, SIM_TURN_N_FAULTS - 1);
  self->fault_code = codes[sim_net_pick (net, G_N_ELEMENTS (codes))];
  self->nonce_life = sim_net_one_in (net, 2) ? 10 + sim_net_pick (net, 600) : 0;
}

static void
draw_agents (SimPlan *self, SimNet *net)
{
  self->n_calls = sim_net_one_in (net, 15) ? 2 + sim_net_pick (net, 2) : 1;
  self->n_streams = 1 + sim_net_pick (net, 2);
  self->n_components = 1 + sim_net_pick (net, 2);
  self->same_role = sim_net_one_in (net, 5);
  self->relay_only = self->turn && sim_net_one_in (net, 10);
  self->bob_relay_only = self->relay_only && sim_net_one_in (net, 2);
  self->never_ends = sim_net_one_in (net, 3);
  self->pacing = sim_net_one_in (net, 2) ? 5 : 0;
  self->signal_delay = sim_net_pick (net, 300) * ICE_MSEC;
  self->signal_jitter =
      sim_net_one_in (net, 4) ? sim_net_pick (net, 1000) * ICE_MSEC : 0;
  self->signal_repeats = sim_net_one_in (net, 5);
  if (sim_net_one_in (net, 12))
    self->late = (1 + sim_net_pick (net, 20)) * ICE_SECOND;
  self->media_period =
      sim_net_one_in (net, 10) ? 50 * ICE_MSEC : 350 * ICE_MSEC;
}

/* An address that all the world can reach, and no other: what a lite agent is
 * made for (RFC 8445 2.5). */
static gboolean
may_be_lite (const SimPlan *self, guint end)
{
  const SimPlace *place = &self->places[end];

  return !place->nat && !place->ipv6 && !place->ula && !place->link_local &&
      !place->vpn && !place->dead_interface && self->neighbours == SIM_APART &&
      !(end ? self->bob_relay_only : self->relay_only);
}

static void
draw_variants (SimPlan *self, SimNet *net)
{
  gboolean renomination = sim_net_one_in (net, 3);

  for (guint i = 0; i < 2; i++) {
    self->ice_options[i] = ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE;
    if (renomination)
      self->ice_options[i] |= ICE_OPTION_RENOMINATION;
    self->lite[i] = sim_net_one_in (net, 4) && may_be_lite (self, i);
  }
  /* Who checks nothing finds no conflict. */
  if (self->lite[0] && self->lite[1])
    self->same_role = FALSE;
  if (sim_net_one_in (net, 12)) {
    guint end = sim_net_pick (net, 2);

    self->aggressive[end] = TRUE;
    self->ice_options[!end] = 0;
  }
  /* A peer of RFC 5245's time knows no trickle either. */
  self->vanilla =
      sim_net_one_in (net, 10) || self->aggressive[0] || self->aggressive[1];
  if (self->vanilla)
    self->late = self->signal_jitter = 0;
}

static void
draw_events (SimPlan *self, SimNet *net, gboolean is_long)
{
  gboolean relayed = sim_plan_direct (self) == SIM_PATH_NONE;

  self->restart = sim_net_one_in (net, 5);
  /* Two offers at once that wait for candidates are an application's affair. */
  self->glare = self->restart && !self->vanilla && sim_net_one_in (net, 3);
  self->outage = sim_net_one_in (net, 4) ? 1 + sim_net_pick (net, 45) : 0;
  self->reboot = sim_net_one_in (net, 8);
  self->server_restarts = sim_net_one_in (net, 12);
  self->silent = sim_net_one_in (net, 12) && !self->lite[0];
  self->attack = sim_net_one_in (net, 4);
  self->flood = self->attack && sim_net_one_in (net, 30);
  self->replay = sim_net_one_in (net, 6);
  self->listen = sim_net_one_in (net, 8);
  self->is_patient = sim_net_one_in (net, 8);
  self->roam = sim_net_one_in (net, 4) && self->neighbours == SIM_APART &&
      !self->vanilla && !self->relay_only && !self->lite[0] && !self->lite[1] &&
      (self->ice_options[0] & self->ice_options[1] & ICE_OPTION_RENOMINATION);
  /* Media of many calls is more than a modem carries. */
  if (self->places[0].link.rate || self->places[1].link.rate) {
    self->media_period = 350 * ICE_MSEC;
    self->n_calls = 1;
  }
  if (sim_net_one_in (net, 8))
    draw_storm (self, net);
  if (sim_net_one_in (net, is_long ? 60 : 150))
    self->stay = STAY;
  else if (relayed && self->turn && sim_plan_is_clean (self) &&
      sim_net_one_in (net, 3))
    self->stay = RELAYED_STAY;
}

static IceTime
draw_clock (SimNet *net)
{
  /* Milliseconds near 2^31 and 2^32, microseconds near 2^62. */
  static const gint64 starts[] = { G_GINT64_CONSTANT (0x7fffffff) * ICE_MSEC,
    G_GINT64_CONSTANT (0xffffffff) * ICE_MSEC, G_GINT64_CONSTANT (1) << 62,
    30 * ICE_SECOND };

  if (!sim_net_one_in (net, 8))
    return 1000 * ICE_SECOND;
  return starts[sim_net_pick (net, G_N_ELEMENTS (starts))] -
      sim_net_pick (net, 20) * ICE_SECOND;
}

void
sim_plan_draw (SimPlan *self, SimNet *net, gboolean is_long)
{
  *self = (SimPlan){ .clock = draw_clock (net) };
  draw_place (&self->places[0], net);
  draw_place (&self->places[1], net);
  if (sim_net_one_in (net, 12))
    self->neighbours = 1 + sim_net_pick (net, 2);
  /* Who shares a NAT shares its rules. */
  if (self->neighbours == SIM_ONE_LAN)
    self->places[1].nat = self->places[0].nat = TRUE;
  if (self->neighbours == SIM_ONE_CARRIER)
    for (guint i = 0; i < 2; i++) {
      self->places[i].nat = self->places[i].double_nat = TRUE;
      self->places[i].outer_rules = self->places[0].outer_rules;
    }
  self->icmp = sim_net_one_in (net, 4);
  draw_servers (self, net);
  draw_agents (self, net);
  draw_variants (self, net);
  draw_events (self, net, is_long);
}

/* Printing. */

static void
print_place (const SimPlace *self, SimNet *net, const gchar *name)
{
  const SimLink *link = &self->link;

  sim_net_trace (net,
      "%s: nat %s (timeout %d s, keeps ports %d, hairpins %d), outer nat %s "
      "(timeout %d s, hairpins %d), ipv6 %d, ula %d, link-local %d, vpn %d, "
      "dead interface %d, blocked %d",
      name, self->nat ? sim_nat_rules_to_string (&self->rules) : "none",
      (gint) (self->rules.timeout / ICE_SECOND), self->rules.preserves_ports,
      self->rules.hairpins,
      self->double_nat ? sim_nat_rules_to_string (&self->outer_rules) : "none",
      (gint) (self->outer_rules.timeout / ICE_SECOND),
      self->outer_rules.hairpins, self->ipv6, self->ula, self->link_local,
      self->vpn, self->dead_interface, self->blocked);
  sim_net_trace (net,
      "%s: delay %d ms, jitter %d us; of 1000 lost %u, doubled %u, reordered "
      "%u, corrupted %u; mtu %u, %u bit/s",
      name, (gint) (link->delay / ICE_MSEC), (gint) link->jitter, link->loss,
      link->duplicate, link->reorder, link->corrupt, link->mtu, link->rate);
}

void
sim_plan_print (const SimPlan *self, SimNet *net)
{
  static const gchar *const neighbours[] = { "apart", "in one LAN",
    "behind one carrier" };
  static const gchar *const paths[] = { "impossible", "possible", "sure" };
  const SimLink *storm = &self->storm;

  if (!sim_net_is_traced (net))
    return;
  print_place (&self->places[0], net, "alice");
  print_place (&self->places[1], net, "bob");
  sim_net_trace (net, "%s, icmp %d, clock %" G_GINT64_FORMAT " us",
      neighbours[self->neighbours], self->icmp, self->clock);
  if (self->storm_time)
    sim_net_trace (net,
        "storm of %d s: of 1000 lost %u (up %u, down %u), doubled %u, "
        "corrupted "
        "%u, %u bursts of %d ms and %u spikes of %d ms a minute",
        (gint) (self->storm_time / ICE_SECOND), storm->loss, storm->loss_up,
        storm->loss_down, storm->duplicate, storm->corrupt,
        storm->bursts_per_minute, (gint) (storm->burst_length / ICE_MSEC),
        storm->spikes_per_minute, (gint) (storm->spike / ICE_MSEC));
  sim_net_trace (net, "turn %d, %u servers, the first %s (%u), nonce %u s",
      self->turn, self->n_servers, sim_turn_fault_to_string (self->fault),
      self->fault_code, self->nonce_life);
  sim_net_trace (net,
      "%u calls of %u streams of %u, same role %d, relay-only %d and %d, "
      "never ends %d, pacing %u ms, signals %d ms + %d ms, repeated %d, "
      "candidates late by %d s, media every %d ms",
      self->n_calls, self->n_streams, self->n_components, self->same_role,
      self->relay_only, self->bob_relay_only, self->never_ends, self->pacing,
      (gint) (self->signal_delay / ICE_MSEC),
      (gint) (self->signal_jitter / ICE_MSEC), self->signal_repeats,
      (gint) (self->late / ICE_SECOND), (gint) (self->media_period / ICE_MSEC));
  sim_net_trace (net,
      "lite %d and %d, vanilla %d, aggressive %d and %d, options 0x%x "
      "and 0x%x",
      self->lite[0], self->lite[1], self->vanilla, self->aggressive[0],
      self->aggressive[1], self->ice_options[0], self->ice_options[1]);
  sim_net_trace (net,
      "restart %d, glare %d, outage %u s, reboot %d, server restarts %d, "
      "silent %d, stay %d s, attack %d, flood %d, replay %d, listen %d, "
      "patient %d, roam %d",
      self->restart, self->glare, self->outage, self->reboot,
      self->server_restarts, self->silent, (gint) (self->stay / ICE_SECOND),
      self->attack, self->flood, self->replay, self->listen, self->is_patient,
      self->roam);
  sim_plan_print_variety (self, net);
  sim_net_trace (net, "direct path %s, any path %s",
      paths[sim_plan_direct (self)], paths[sim_plan_path (self)]);
}
