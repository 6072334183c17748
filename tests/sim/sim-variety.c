/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What came to the plan later: TCP, both address families of which one may be
 * broken, forks. The dice are others, so that a seed without these is what it
 * was before. */
#include "sim-plan.h"

/* splitmix64 gives streams that have nothing in common. */
#define OTHER_DICE G_GUINT64_CONSTANT (0x5851f42d4c957f2d)

/* Both ends have IPv4 and IPv6; at each end one of them may lead nowhere. */
static void
draw_families (SimPlan *self, SimNet *dice)
{
  static const IceFamily broken[] = { ICE_FAMILY_NONE, ICE_FAMILY_IPV4,
    ICE_FAMILY_IPV6 };

  self->families = TRUE;
  self->names = sim_net_one_in (dice, 2);
  for (guint i = 0; i < 2; i++) {
    self->places[i].ipv6 = TRUE;
    self->broken[i] = broken[sim_net_pick (dice, G_N_ELEMENTS (broken))];
  }
  self->roam = FALSE;
  for (guint i = 0; i < 2; i++)
    self->places[i].link.rate = 0;
}

static void
draw_tcp (SimPlan *self, SimNet *dice)
{
  for (guint i = 0; i < 2; i++) {
    self->tcp[i] = sim_net_one_in (dice, 2)
        ? ICE_TCP_ALL
        : (IceTcpPolicy) sim_net_pick (dice, ICE_TCP_ALL + 1);
    if (sim_net_one_in (dice, 4))
      self->tcp_fault[i] = sim_net_pick (dice, SIM_STREAM_N_FAULTS);
  }
  self->udp_blocked = sim_net_one_in (dice, 2);
  self->stun_tcp = sim_net_one_in (dice, 2);
  self->tcp_resets = sim_net_pick (dice, 3);
  self->roam = FALSE;
  /* Three times as many checks are more than a modem carries. */
  for (guint i = 0; i < 2; i++)
    self->places[i].link.rate = 0;
  if (!self->udp_blocked)
    return;
  /* Mostly there is a way. */
  self->relay_only = self->bob_relay_only = FALSE;
  if (!sim_net_one_in (dice, 3) && self->neighbours == SIM_APART) {
    SimPlace *place = &self->places[sim_net_pick (dice, 2)];

    place->nat = place->double_nat = FALSE;
  }
}

/* One offer, and so many answers. */
static void
draw_forks (SimPlan *self, SimNet *dice)
{
  self->forks = TRUE;
  self->n_calls = 2 + sim_net_pick (dice, 2);
  self->same_role = self->glare = self->roam = self->silent = FALSE;
  self->attack = self->flood = self->replay = FALSE;
  /* Nobody hears that the nonce of the last Refresh was stale. */
  self->hangs_up = sim_net_one_in (dice, 3) && self->nonce_life == 0;
}

void
sim_plan_vary (SimPlan *self, guint64 seed)
{
  g_autoptr (SimNet) dice = sim_net_new (seed ^ OTHER_DICE);
  gboolean families = sim_net_one_in (dice, 8);
  gboolean tcp = sim_net_one_in (dice, 8), forks = sim_net_one_in (dice, 10);
  gboolean lite = self->lite[0] || self->lite[1];

  if (families && !lite && self->neighbours == SIM_APART)
    draw_families (self, dice);
  if (tcp && !lite)
    draw_tcp (self, dice);
  if (forks && !lite && !self->aggressive[0] && !self->aggressive[1] &&
      !self->places[0].link.rate && !self->places[1].link.rate)
    draw_forks (self, dice);
}

void
sim_plan_print_variety (const SimPlan *self, SimNet *net)
{
  static const gchar *const policies[] = { "no", "active", "passive", "all" };

  if (self->families)
    sim_net_trace (net,
        "both families, broken: IPv%u and IPv%u (0: none), servers by name %d",
        self->broken[0], self->broken[1], self->names);
  if (self->tcp[0] || self->tcp[1] || self->udp_blocked)
    sim_net_trace (net,
        "tcp %s and %s, connecting to them: %s and %s; UDP blocked %d, STUN "
        "by TCP %d, %u resets",
        policies[self->tcp[0]], policies[self->tcp[1]],
        sim_stream_fault_to_string (self->tcp_fault[0]),
        sim_stream_fault_to_string (self->tcp_fault[1]), self->udp_blocked,
        self->stun_tcp, self->tcp_resets);
  if (self->forks)
    sim_net_trace (net, "one offer, %u answers, the first hangs up %d",
        self->n_calls, self->hangs_up);
}
