/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-town.h"

#define N_SHOTS 100
#define SHOT_GAP (300 * ICE_MSEC)
#define N_FLOOD 2000
#define FLOOD_GAP (2 * ICE_MSEC)

static SimNode *
add_node (SimTown *self, guint end, const gchar *ip, SimNat *realm)
{
  static const gchar *const names[2] = { "alice", "bob" };
  guint n = self->n_nodes[end]++;
  g_autofree gchar *name =
      n ? g_strdup_printf ("%s-%u", names[end], n + 1) : g_strdup (names[end]);
  SimNode *node = sim_net_add_node_behind (self->net, name, ip, realm);

  sim_node_set_link (node, &self->plan->places[end].link);
  self->nodes[end][n] = node;
  return node;
}

/* The realm of each end: its own NAT, that of the neighbour, or none. */
static void
add_realms (SimTown *self, SimNat *ret_realms[2])
{
  static const gchar *const outside[2] = { "198.51.100.1", "203.0.113.1" };
  static const gchar *const carrier[2] = { "100.64.0.1", "100.65.0.1" };
  const SimPlan *plan = self->plan;
  SimNat *shared = NULL;

  for (guint i = 0; i < 2; i++) {
    const SimPlace *place = &plan->places[i];
    SimNat *outer = shared;

    if (place->double_nat && outer == NULL)
      outer =
          sim_net_add_nat (self->net, outside[i], &place->outer_rules, NULL);
    if (plan->neighbours == SIM_ONE_CARRIER)
      shared = outer;
    ret_realms[i] = place->nat
        ? sim_net_add_nat (
              self->net, outer ? carrier[i] : outside[i], &place->rules, outer)
        : NULL;
  }
  if (plan->neighbours == SIM_ONE_LAN)
    ret_realms[1] = ret_realms[0];
}

static void
add_nodes (SimTown *self)
{
  static const gchar *const inside[2] = { "10.0.0.2", "10.1.0.2" };
  static const gchar *const open[2] = { "198.51.100.2", "203.0.113.2" };
  static const gchar *const ipv6[2] = { "2a00:1::2", "2a00:2::2" };
  static const gchar *const ula[2] = { "fd00:1::2", "fd00:2::2" };
  static const gchar *const local[2] = { "fe80::1%1", "fe80::2%1" };
  static const gchar *const vpn[2] = { "10.8.0.2", "10.8.0.3" };
  static const gchar *const dead[2] = { "172.17.0.1", "172.18.0.1" };
  const SimNatRules tunnel = { .sealed = TRUE };
  SimNat *tunnels = sim_net_add_nat (self->net, "198.18.0.1", &tunnel, NULL);
  SimNat *realms[2];

  add_realms (self, realms);
  for (guint i = 0; i < 2; i++) {
    const SimPlace *place = &self->plan->places[i];

    add_node (self, i, realms[i] ? inside[i] : open[i], realms[i]);
    if (place->ipv6)
      sim_node_set_firewall (add_node (self, i, ipv6[i], NULL),
          sim_net_add_nat (self->net, NULL, &place->firewall, NULL));
    if (place->ula)
      sim_node_set_dead (add_node (self, i, ula[i], NULL), TRUE);
    if (place->link_local)
      sim_node_set_dead (add_node (self, i, local[i], NULL), TRUE);
    if (place->vpn)
      add_node (self, i, vpn[i], tunnels);
    if (place->dead_interface)
      sim_node_set_dead (add_node (self, i, dead[i], NULL), TRUE);
  }
}

static void
add_servers (SimTown *self)
{
  const SimPlan *plan = self->plan;

  self->servers[0] = sim_turn_new (self->net, "server", "192.0.2.1");
  if (plan->n_servers > 1)
    self->servers[1] = sim_turn_new (self->net, "server-2", "192.0.2.2");
  for (guint i = 0; i < plan->n_servers; i++) {
    sim_turn_set_strict (self->servers[i], sim_plan_is_clean (plan));
    sim_turn_set_nonce_life (self->servers[i], plan->nonce_life * ICE_SECOND);
  }
  for (guint i = 0; i < plan->n_servers; i++) {
    if (plan->families)
      sim_turn_add_ipv6 (self->servers[i], i ? "2a00:3::2" : "2a00:3::1");
    if (plan->stun_tcp)
      sim_turn_listen (self->servers[i]);
  }
  sim_turn_set_fault (self->servers[0], plan->fault, plan->fault_code);
}

static SimHost *
add_host (SimTown *self, guint call, guint end)
{
  const SimPlan *plan = self->plan;
  SimHostOptions options = {
    .controlling = end == 0 || plan->same_role,
    .n_streams = plan->n_streams,
    .n_components = plan->n_components,
    .turn = plan->turn,
    .relay_only = end == 0 ? plan->relay_only : plan->bob_relay_only,
    .tcp = plan->tcp[end],
    .names = plan->names,
    .lite = plan->lite[end],
    .aggressive = plan->aggressive[end],
    .continual = plan->roam,
    .ice_options = plan->ice_options[end],
    .pacing = plan->pacing,
    .signal_delay = plan->signal_delay,
    .signal_jitter = plan->signal_jitter,
    .signal_repeats = plan->signal_repeats,
    .late = plan->late,
    .never_ends = plan->never_ends,
    .vanilla = plan->vanilla,
    .server = self->servers[0],
    .second_server = self->servers[1],
    .secrets = plan->listen ? self->secrets : NULL,
    .process = self->processes[end],
  };
  g_autofree gchar *name = call == 0
      ? g_strdup (end ? "bob" : "alice")
      : g_strdup_printf ("%s#%u", end ? "bob" : "alice", call + 1);
  SimHost *host;

  if (plan->forks && call > 0 && end == 0)
    return sim_host_new_fork (self->calls[0].hosts[0], name);
  host = sim_host_new (self->net, name, self->nodes[end][0], &options);

  for (guint i = 1; i < self->n_nodes[end]; i++)
    sim_host_add_node (host, self->nodes[end][i]);
  return host;
}

void
sim_town_build (SimTown *self, SimNet *net, const SimPlan *plan)
{
  *self = (SimTown){ .net = net, .plan = plan };
  sim_net_set_icmp (net, plan->icmp);
  add_servers (self);
  self->secrets = sim_secrets_new (net);
  sim_secrets_add (self->secrets, SIM_TURN_PASSWORD);
  for (guint i = 0; i < 2; i++)
    self->processes[i] =
        sim_process_new (net, plan->listen ? self->secrets : NULL);
  add_nodes (self);
  for (guint i = 0; i < plan->n_calls; i++) {
    SimCall *call = &self->calls[i];

    for (guint j = 0; j < 2; j++) {
      call->hosts[j] = add_host (self, i, j);
      sim_host_set_tag (call->hosts[j], 1 + 2 * i + j);
      if (plan->attack && i == 0)
        call->attackers[j] = sim_attacker_new (net, call->hosts[j],
            plan->flood ? N_FLOOD : N_SHOTS,
            plan->flood ? FLOOD_GAP : SHOT_GAP);
    }
  }
  for (guint i = 0; i < 2; i++) {
    sim_town_set_dead (self, i, plan->places[i].blocked);
    for (guint j = 0; j < self->n_nodes[i]; j++) {
      sim_node_set_udp (self->nodes[i][j], !plan->udp_blocked);
      sim_node_set_stream_fault (self->nodes[i][j], plan->tcp_fault[i]);
    }
  }
}

void
sim_town_clear (SimTown *self)
{
  for (guint i = 0; i < SIM_MAX_CALLS; i++) {
    for (guint j = 0; j < 2; j++) {
      g_clear_pointer (&self->calls[i].attackers[j], sim_attacker_free);
      g_clear_pointer (&self->calls[i].hosts[j], sim_host_free);
    }
  }
  for (guint i = 0; i < 2; i++) {
    g_clear_pointer (&self->servers[i], sim_turn_free);
    sim_process_free (self->processes[i]);
  }
  sim_secrets_free (self->secrets);
}

void
sim_town_set_dead (SimTown *self, guint end, gboolean dead)
{
  const SimPlace *place = &self->plan->places[end];
  /* What is dead for ever comes after the others, but for the tunnel. */
  guint n_alive = 1 + place->ipv6;

  for (guint i = 0; i < n_alive; i++) {
    IceFamily family = i ? ICE_FAMILY_IPV6 : ICE_FAMILY_IPV4;

    sim_node_set_dead (self->nodes[end][i],
        dead || !sim_plan_has_family (self->plan, end, family));
  }
  if (place->vpn)
    sim_node_set_dead (
        self->nodes[end][n_alive + place->ula + place->link_local], dead);
}

void
sim_town_set_link (SimTown *self, guint end, const SimLink *link)
{
  for (guint i = 0; i < self->n_nodes[end]; i++)
    sim_node_set_link (self->nodes[end][i], link);
}
