/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-session.h"

#include "sim-attacker.h"

/* Two hours (security.md 1.6: media that stops after some minutes): twelve
 * lives of an allocation. */
#define STAY (7200 * ICE_SECOND)
/* Where all is relayed: two lives. */
#define RELAYED_STAY (1300 * ICE_SECOND)
/* The first is enough for any path, the second is often needed with loss: a
 * check is resent after 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s. */
#define PATIENCE (10 * ICE_SECOND)
#define LOSSY_PATIENCE (32 * ICE_SECOND)
#define N_SHOTS 100
#define SHOT_GAP (300 * ICE_MSEC)

typedef struct
{
  SimNet *net;
  SimTurn *server;
  SimSecrets *secrets;
  SimAttacker *attackers[2]; /* (nullable) */
  SimHost *alice, *bob;
  SimNode *alice_node, *bob_node;
  SimNatKind alice_nat, bob_nat;
  SimLink link;
  gboolean turn, same_role, restart, relay_only, reboot, attack, listen;
  IceTime stay;
  guint outage;     /* seconds */
  guint nonce_life; /* seconds, 0: for ever */
  guint n_streams, n_components;
} Session;

static SimNatKind
draw_nat (SimNet *net)
{
  return sim_net_pick (net, SIM_NAT_SYMMETRIC + 1);
}

static void
draw_link (SimNet *net, SimLink *link)
{
  static const guint losses[] = { 0, 0, 0, 10, 50 };

  *link = (SimLink){
    .delay = (1 + sim_net_pick (net, 60)) * ICE_MSEC,
    .jitter = sim_net_pick (net, 2) ? sim_net_pick (net, 20 * ICE_MSEC) : 0,
    .loss = losses[sim_net_pick (net, G_N_ELEMENTS (losses))],
    .duplicate = sim_net_pick (net, 4) ? 0 : 100,
    .reorder = sim_net_pick (net, 4) ? 0 : 100,
    .corrupt = sim_net_pick (net, 4) ? 0 : 20,
  };
}

/* Whether theory says that packets get through without a relay. */
static gboolean
is_direct_possible (const Session *self)
{
  SimNatKind easy = MIN (self->alice_nat, self->bob_nat);
  SimNatKind hard = MAX (self->alice_nat, self->bob_nat);

  if (self->relay_only)
    return FALSE;
  return hard != SIM_NAT_SYMMETRIC || easy < SIM_NAT_PORT_RESTRICTED;
}

/* Nothing gets lost but by our own fault. */
static gboolean
is_clean (const Session *self)
{
  return self->link.loss == 0 && self->link.corrupt == 0 && self->outage == 0 &&
      !self->reboot;
}

static void
draw_extras (Session *self, gboolean is_long)
{
  SimNet *net = self->net;
  gboolean relayed = self->turn && !is_direct_possible (self);

  if (sim_net_pick (net, is_long ? 40 : 100) == 0)
    self->stay = STAY;
  else if (relayed && is_clean (self) && sim_net_pick (net, 3) == 0)
    self->stay = RELAYED_STAY;
  self->attack = sim_net_pick (net, 3) == 0;
  self->listen = sim_net_pick (net, 8) == 0;
  self->nonce_life = sim_net_pick (net, 2) ? 0 : 10 + sim_net_pick (net, 600);
  sim_net_trace (net, "stay %d s, attack %d, listen %d, nonce %u s",
      (gint) (self->stay / ICE_SECOND), self->attack, self->listen,
      self->nonce_life);
}

/* Whether it connects in time is a matter of luck: the peer of a symmetric NAT
 * does not open its own for a component whose pairs are frozen behind others
 * (RFC 8445 6.1.4.2), and with loss those may take until they fail. */
static gboolean
is_up_to_luck (const Session *self)
{
  return self->link.loss && !self->turn &&
      MAX (self->alice_nat, self->bob_nat) == SIM_NAT_SYMMETRIC &&
      is_direct_possible (self);
}

static void
draw (Session *self)
{
  SimNet *net = self->net;

  self->alice_nat = draw_nat (net);
  self->bob_nat = draw_nat (net);
  draw_link (net, &self->link);
  self->turn = sim_net_pick (net, 4) != 0;
  self->relay_only = self->turn && sim_net_pick (net, 10) == 0;
  self->same_role = sim_net_pick (net, 5) == 0;
  self->restart = sim_net_pick (net, 4) == 0;
  self->outage = sim_net_pick (net, 4) ? 0 : 1 + sim_net_pick (net, 45);
  self->reboot =
      sim_net_pick (net, 6) == 0 && (is_direct_possible (self) || self->turn);
  self->n_streams = 1 + sim_net_pick (net, 2);
  self->n_components = 1 + sim_net_pick (net, 2);
  sim_net_trace (net,
      "alice %s, bob %s, turn %d, relay-only %d, same role %d, restart %d, "
      "outage %u s, reboot %d, %u streams of %u, delay %d ms, jitter %d us, "
      "loss %u, duplicate %u, reorder %u, corrupt %u",
      sim_nat_to_string (self->alice_nat), sim_nat_to_string (self->bob_nat),
      self->turn, self->relay_only, self->same_role, self->restart,
      self->outage, self->reboot, self->n_streams, self->n_components,
      (gint) (self->link.delay / ICE_MSEC), (gint) self->link.jitter,
      self->link.loss, self->link.duplicate, self->link.reorder,
      self->link.corrupt);
}

static void
build (Session *self)
{
  SimNet *net = self->net;
  SimHostOptions options = {
    .controlling = TRUE,
    .n_streams = self->n_streams,
    .n_components = self->n_components,
    .turn = self->turn,
    .relay_only = self->relay_only,
    .pacing = sim_net_pick (net, 2) ? 5 : 0,
    .signal_delay = sim_net_pick (net, 300) * ICE_MSEC,
    .never_ends = sim_net_pick (net, 3) == 0,
  };

  self->server = sim_turn_new (net, "server", "192.0.2.1");
  sim_turn_set_strict (self->server, is_clean (self));
  sim_turn_set_nonce_life (self->server, self->nonce_life * ICE_SECOND);
  self->secrets = sim_secrets_new (net);
  sim_secrets_add (self->secrets, SIM_TURN_PASSWORD);
  self->alice_node = sim_net_add_node (net, "alice", "10.0.0.2",
      self->alice_nat, self->alice_nat ? "198.51.100.1" : NULL);
  self->bob_node = sim_net_add_node (net, "bob", "10.1.0.2", self->bob_nat,
      self->bob_nat ? "203.0.113.1" : NULL);
  sim_node_set_link (self->alice_node, &self->link);
  sim_node_set_link (self->bob_node, &self->link);
  options.server = self->server;
  options.secrets = self->listen ? self->secrets : NULL;
  self->alice = sim_host_new (net, "alice", self->alice_node, &options);
  options.controlling = self->same_role;
  options.relay_only = self->relay_only && sim_net_pick (net, 2);
  self->bob = sim_host_new (net, "bob", self->bob_node, &options);
  /* An interface that leads nowhere: a dead pair of high priority. */
  if (sim_net_pick (net, 3) == 0)
    sim_host_add_node (self->alice,
        sim_net_add_node (
            net, "alice-2", "172.17.0.1", SIM_NAT_FULL_CONE, "172.17.0.254"));
  if (self->attack) {
    self->attackers[0] = sim_attacker_new (net, self->alice, N_SHOTS, SHOT_GAP);
    self->attackers[1] = sim_attacker_new (net, self->bob, N_SHOTS, SHOT_GAP);
  }
}

static void
check_all (Session *self, IceState at_least, const gchar *when)
{
  SimHost *hosts[] = { self->alice, self->bob };

  for (guint h = 0; h < 2; h++) {
    for (guint i = 0; i < self->n_streams; i++) {
      for (guint j = 1; j <= self->n_components; j++) {
        SimTransport *transport = sim_host_transport (hosts[h], i, j);
        gboolean good = transport->state == ICE_STATE_COMPLETED ||
            transport->state == at_least;

        /* Bad luck with a few probes; it comes back. */
        if (transport->state == ICE_STATE_DISCONNECTED && self->link.loss > 0 &&
            at_least != ICE_STATE_FAILED)
          continue;

        if (!good)
          sim_net_violate (self->net, "I9: %s/%u is %s %s",
              sim_host_name (hosts[h]), transport->id,
              ice_state_to_string (transport->state), when);
      }
    }
  }
}

static IceTime
patience (const Session *self)
{
  return self->link.loss ? LOSSY_PATIENCE : PATIENCE;
}

static void
renegotiate (Session *self, const gchar *when)
{
  sim_restart (sim_net_pick (self->net, 2) ? self->alice : self->bob);
  sim_net_run_for (self->net, patience (self) + 5 * ICE_SECOND);
  check_all (self, ICE_STATE_COMPLETED, when);
}

/* Hours pass; whatever is leased is renewed, or the server complains. */
static void
stay (Session *self)
{
  sim_host_start_media (self->alice, 2 * ICE_SECOND);
  sim_host_start_media (self->bob, 2 * ICE_SECOND);
  sim_net_run_for (self->net, self->stay);
  check_all (self, ICE_STATE_COMPLETED, "after a long time");
}

/* The NAT forgets: new mappings are found by a restart (RFC 8445 9). What was
 * relayed is lost with the mapping that the allocation was made through. */
static void
reboot (Session *self)
{
  sim_node_reboot_nat (self->alice_node);
  sim_net_run_for (self->net, 5 * ICE_SECOND);
  renegotiate (self, "after the NAT's reboot");
}

static void
play_calls (Session *self)
{
  if (self->restart)
    renegotiate (self, "after the restart");
  if (self->outage) {
    sim_node_set_dead (self->bob_node, TRUE);
    sim_net_run_for (self->net, self->outage * ICE_SECOND);
    sim_node_set_dead (self->bob_node, FALSE);
    sim_net_run_for (self->net, 10 * ICE_SECOND);
    /* The last consent may be 6 s old when it begins. */
    if (self->outage < 22)
      check_all (self, ICE_STATE_COMPLETED, "after the outage");
    else
      renegotiate (self, "after the long outage");
  }
  if (self->reboot)
    reboot (self);
  if (self->stay)
    stay (self);
}

static void
play (Session *self)
{
  gboolean possible = is_direct_possible (self) || self->turn;

  sim_connect (self->alice, self->bob);
  sim_host_start_media (self->alice, 50 * ICE_MSEC);
  sim_host_start_media (self->bob, 100 * ICE_MSEC);
  sim_net_run_for (self->net, patience (self));
  if (is_up_to_luck (self)) {
    sim_net_run_for (self->net, 60 * ICE_SECOND);
  } else if (possible) {
    check_all (self, ICE_STATE_CONNECTED, "in time");
    sim_net_run_for (self->net, 5 * ICE_SECOND);
    check_all (self, ICE_STATE_COMPLETED, "5 s later");
    play_calls (self);
    sim_net_run_for (self->net, 10 * ICE_SECOND);
    sim_check_agreement (self->net, self->alice, self->bob);
  } else {
    sim_net_run_for (self->net, 60 * ICE_SECOND);
    check_all (self, ICE_STATE_FAILED, "without a path");
  }
  sim_host_close (self->alice);
  sim_host_close (self->bob);
  sim_net_run_for (self->net, 45 * ICE_SECOND);
  /* Nobody waits for the answer to the last Refresh, nor hears of a stale
   * nonce in it. */
  if (is_clean (self) && self->nonce_life == 0 &&
      sim_turn_n_allocations (self->server) > 0)
    sim_net_violate (self->net, "I12: an allocation outlived its session");
  sim_host_check_end (self->alice);
  sim_host_check_end (self->bob);
}

static void
session_clear (Session *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->attackers); i++)
    g_clear_pointer (&self->attackers[i], sim_attacker_free);
  sim_host_free (self->alice);
  sim_host_free (self->bob);
  sim_turn_free (self->server);
  sim_secrets_free (self->secrets);
  sim_net_free (self->net);
}

gchar *
sim_session_run (const SimSessionOptions *options)
{
  Session session = { .net = sim_net_new (options->seed) };
  gchar *violation;

  sim_net_set_trace (session.net, options->trace);
  draw (&session);
  draw_extras (&session, options->is_long);
  build (&session);
  play (&session);
  violation = g_strdup (sim_net_violation (session.net));
  session_clear (&session);
  return violation;
}
