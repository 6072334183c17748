/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random sessions: each seed draws a topology, faults and calls; the
 * invariants hold all the while, and where a path exists both ends find it.
 *
 *   sim --runs 500            seeds 1 to 500
 *   sim --seed 42             that one, with its trace
 */
#include "sim-host.h"

#include <stdio.h>

typedef struct
{
  SimNet *net;
  SimTurn *server;
  SimHost *alice, *bob;
  SimNode *alice_node, *bob_node;
  SimNatKind alice_nat, bob_nat;
  SimLink link;
  gboolean turn, same_role, restart, relay_only, reboot;
  guint outage; /* seconds */
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
  /* Allocations die with the mapping: only direct paths come back at once. */
  self->reboot = sim_net_pick (net, 6) == 0 && is_direct_possible (self);
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
  self->alice_node = sim_net_add_node (net, "alice", "10.0.0.2",
      self->alice_nat, self->alice_nat ? "198.51.100.1" : NULL);
  self->bob_node = sim_net_add_node (net, "bob", "10.1.0.2", self->bob_nat,
      self->bob_nat ? "203.0.113.1" : NULL);
  sim_node_set_link (self->alice_node, &self->link);
  sim_node_set_link (self->bob_node, &self->link);
  options.server = self->server;
  self->alice = sim_host_new (net, "alice", self->alice_node, &options);
  options.controlling = self->same_role;
  options.relay_only = self->relay_only && sim_net_pick (net, 2);
  self->bob = sim_host_new (net, "bob", self->bob_node, &options);
  /* An interface that leads nowhere: a dead pair of high priority. */
  if (sim_net_pick (net, 3) == 0)
    sim_host_add_node (self->alice,
        sim_net_add_node (
            net, "alice-2", "172.17.0.1", SIM_NAT_FULL_CONE, "172.17.0.254"));
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

static void
renegotiate (Session *self, const gchar *when)
{
  sim_restart (sim_net_pick (self->net, 2) ? self->alice : self->bob);
  sim_net_run_for (self->net, 15 * ICE_SECOND);
  check_all (self, ICE_STATE_COMPLETED, when);
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
  /* The NAT forgets: new mappings are found by a restart (RFC 8445 9). */
  if (self->reboot) {
    sim_node_reboot_nat (self->alice_node);
    sim_net_run_for (self->net, 5 * ICE_SECOND);
    renegotiate (self, "after the NAT's reboot");
  }
}

static void
play (Session *self)
{
  gboolean possible = is_direct_possible (self) || self->turn;

  sim_connect (self->alice, self->bob);
  sim_host_start_media (self->alice, 20 * ICE_MSEC);
  sim_host_start_media (self->bob, 100 * ICE_MSEC);
  sim_net_run_for (self->net, 10 * ICE_SECOND);
  if (possible) {
    check_all (self, ICE_STATE_CONNECTED, "after 10 s");
    sim_net_run_for (self->net, 5 * ICE_SECOND);
    check_all (self, ICE_STATE_COMPLETED, "after 15 s");
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
  if (sim_turn_n_allocations (self->server) > 0 && self->link.loss == 0 &&
      self->link.corrupt == 0 && !self->reboot)
    sim_net_violate (self->net, "I12: an allocation outlived its session");
}

static gboolean
run (guint64 seed, gboolean trace)
{
  Session session = { .net = sim_net_new (seed) };
  gboolean good;

  sim_net_set_trace (session.net, trace);
  draw (&session);
  build (&session);
  play (&session);
  good = sim_net_violation (session.net) == NULL;
  if (!good)
    printf ("# seed %" G_GUINT64_FORMAT ": %s\n", seed,
        sim_net_violation (session.net));
  sim_host_free (session.alice);
  sim_host_free (session.bob);
  sim_turn_free (session.server);
  sim_net_free (session.net);
  return good;
}

int
main (int argc, char **argv)
{
  gint64 seed = 0;
  gint runs = 500;
  guint n_bad = 0;
  GOptionEntry entries[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Run this seed, with a trace",
        "N" },
    { "runs", 0, 0, G_OPTION_ARG_INT, &runs, "Run seeds 1 to N", "N" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  if (seed)
    return run (seed, TRUE) ? 0 : 1;
  for (gint i = 1; i <= runs; i++)
    n_bad += !run (i, FALSE);
  printf ("%d sessions, %u bad\n", runs, n_bad);
  return n_bad > 0;
}
