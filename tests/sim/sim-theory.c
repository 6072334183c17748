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

gboolean
sim_plan_has_family (const SimPlan *self, guint end, IceFamily family)
{
  return (family == ICE_FAMILY_IPV4 || self->places[end].ipv6) &&
      self->broken[end] != family;
}

static gboolean
have_both (const SimPlan *self, IceFamily family)
{
  return sim_plan_has_family (self, 0, family) &&
      sim_plan_has_family (self, 1, family);
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

/* RFC 6544: @end takes connections that the other one makes. */
static SimPath
path_by_tcp_to (const SimPlan *self, guint end)
{
  static const guint accepts = 1 << ICE_TCP_PASSIVE | 1 << ICE_TCP_ALL;
  static const guint connects = 1 << ICE_TCP_ACTIVE | 1 << ICE_TCP_ALL;

  if (!(accepts & 1 << self->tcp[end]) || !(connects & 1 << self->tcp[!end]))
    return SIM_PATH_NONE;
  if (self->tcp_fault[end] == SIM_STREAM_WORKS &&
      have_both (self, ICE_FAMILY_IPV4) &&
      (!self->places[end].nat || self->neighbours == SIM_ONE_LAN))
    return SIM_PATH_SURE;
  return SIM_PATH_MAYBE;
}

/* Where only that passes. */
static SimPath
path_by_tcp (const SimPlan *self)
{
  return MAX (path_by_tcp_to (self, 0), path_by_tcp_to (self, 1));
}

SimPath
sim_plan_direct (const SimPlan *self)
{
  const SimPlace *a = &self->places[0], *b = &self->places[1];

  if (self->relay_only || a->blocked || b->blocked)
    return SIM_PATH_NONE;
  if (self->udp_blocked)
    return path_by_tcp (self);
  if ((a->ipv6 && b->ipv6 && have_both (self, ICE_FAMILY_IPV6)) ||
      (a->vpn && b->vpn) || self->neighbours == SIM_ONE_LAN)
    return SIM_PATH_SURE;
  if (!have_both (self, ICE_FAMILY_IPV4))
    return SIM_PATH_NONE;
  if (self->neighbours == SIM_ONE_CARRIER && !a->outer_rules.hairpins)
    return SIM_PATH_NONE;
  return path_by_nats (self);
}

#define IPV4 1
#define IPV6 2

static guint
alive_families (const SimPlan *self, guint end)
{
  return (sim_plan_has_family (self, end, ICE_FAMILY_IPV4) ? IPV4 : 0) |
      (sim_plan_has_family (self, end, ICE_FAMILY_IPV6) ? IPV6 : 0);
}

/* Of its relayed addresses: a server that is asked over one family relays both,
 * and over both each its own (RFC 8656 7.1). */
static guint
relayed_families (const SimPlan *self, guint end)
{
  guint alive = alive_families (self, end);

  if (self->names)
    return alive;
  return alive & IPV4 ? IPV4 | IPV6 : 0;
}

/* A relayed address of @end that the other end, or a relay of its, reaches. */
static gboolean
can_relay (const SimPlan *self, guint end)
{
  gboolean relay_only = end == 0 ? self->bob_relay_only : self->relay_only;
  guint reached = relayed_families (self, !end);

  if (!relay_only)
    reached |= alive_families (self, !end);
  return !self->families || (relayed_families (self, end) & reached);
}

static guint
count_addresses (const SimPlace *self)
{
  return 1 + self->ipv6 + self->ula + self->link_local + self->vpn +
      self->dead_interface;
}

/* RFC 8445 6.1.2.5: of more than a hundred pairs those of the lowest priority
 * go, and those are the relayed ones. Hosts with TCP have so many. */
static gboolean
is_crowded (const SimPlan *self)
{
  guint n_relays = self->n_servers * (self->families ? 2 : 1);
  guint a = count_addresses (&self->places[0]);
  guint b = count_addresses (&self->places[1]);
  guint n_udp = (a + n_relays) * (2 * b + n_relays), n_tcp = 6 * a * b;

  return self->tcp[0] && self->tcp[1] &&
      self->n_streams * self->n_components * (n_udp + n_tcp) > 100;
}

static gboolean
is_lossy (const SimPlan *self)
{
  const SimLink *a = &self->places[0].link, *b = &self->places[1].link;

  return a->loss || b->loss || a->corrupt || b->corrupt;
}

/* After a storm of seven seconds a server is asked twice more (RFC 8489 6.2.1:
 * after 15.5 and 31.5 s), and a SYN is sent once more: where packets are lost
 * after it, too, those may be as well. Between hosts there are checks both ways
 * and triggered ones, unless one is lite (RFC 8445 2.5). */
static gboolean
is_drowned (const SimPlan *self)
{
  return self->storm_time >= 7 * ICE_SECOND && is_lossy (self);
}

SimPath
sim_plan_path (const SimPlan *self)
{
  SimPath direct = sim_plan_direct (self);

  if (self->places[0].blocked || self->places[1].blocked)
    return SIM_PATH_NONE;
  if ((self->udp_blocked || self->lite[0] || self->lite[1]) &&
      direct == SIM_PATH_SURE && is_drowned (self))
    return SIM_PATH_MAYBE;
  if (self->udp_blocked || (!can_relay (self, 0) && !can_relay (self, 1)))
    return direct;
  if (!self->turn || direct == SIM_PATH_SURE)
    return direct;
  if ((self->fault == SIM_TURN_HEALTHY || self->n_servers > 1) &&
      !is_crowded (self) && !is_drowned (self))
    return SIM_PATH_SURE;
  return SIM_PATH_MAYBE;
}

/* RFC 6544 11.1: of a simultaneous-open pair both ends open the connection
 * again, and between two ports there can be but one. When a middle box answers
 * in the place of one end, the other has that connection with the box, and
 * takes no SYN by the same ports (RFC 9293 3.10.7.4). */
gboolean
sim_plan_may_reopen_mute (const SimPlan *self)
{
  return self->tcp[0] == ICE_TCP_ALL && self->tcp[1] == ICE_TCP_ALL &&
      (self->tcp_fault[0] == SIM_STREAM_MUTE ||
          self->tcp_fault[1] == SIM_STREAM_MUTE);
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
      self->fault == SIM_TURN_HEALTHY && !self->udp_blocked;
}

IceTime
sim_plan_patience (const SimPlan *self)
{
  const SimPlace *a = &self->places[0], *b = &self->places[1];
  IceTime ta = (self->pacing ? self->pacing : 50) * ICE_MSEC * self->n_calls;
  guint n_components = self->n_streams * self->n_components;
  guint n_gather = n_components * self->n_servers * 2 *
      MAX (count_addresses (a), count_addresses (b));
  /* Each address has three more candidates with TCP. */
  guint n_tcp = self->tcp[0] && self->tcp[1] ? 3 : 0;
  guint n_pairs = MIN (100,
      n_components * (count_addresses (a) + 2 + n_tcp) *
          (count_addresses (b) + 2 + n_tcp));
  gboolean is_healthy = self->fault == SIM_TURN_HEALTHY && !self->udp_blocked &&
      !self->broken[0] && !self->broken[1];
  IceTime patience = PATIENCE;

  if (a->link.loss || b->link.loss || a->link.rate || b->link.rate)
    patience = LOSSY_PATIENCE;
  /* A SYN that is lost is repeated after 1, 3, 7 and 15 s. */
  if (self->udp_blocked)
    patience = LOSSY_PATIENCE;
  /* The next try comes when as much time again has gone. Where packets are lost
   * or corrupted after the storm, too, it may be the last, and others wait for
   * what it brings: a relay, its permission, a check. */
  if (self->storm_time)
    patience = MAX (patience, 2 * self->storm_time + 12 * ICE_SECOND);
  if (self->storm_time && is_lossy (self))
    patience = LOSSY_PATIENCE + 8 * ICE_SECOND;
  /* Gathering and checks take their turns, and a lost packet is resent when
   * all had theirs (RFC 8445 14.3). */
  /* A dead server ends gathering after 39.5 s at the latest, on both sides. */
  if (self->vanilla)
    patience += is_healthy ? 4 * ICE_SECOND : 80 * ICE_SECOND;
  return patience + self->late + self->signal_jitter +
      ta * (n_gather + 3 * n_pairs);
}
