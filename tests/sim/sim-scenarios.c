/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions with a name: what a user would call by it, start to end. */
#include "sim-attacker.h"
#include "sim-peer.h"

#include <string.h>

typedef struct
{
  SimNet *net;
  SimTurn *server;
  SimNode *nodes[2];
  SimHost *alice, *bob;
} Scene;

static void
set_up (Scene *scene, guint64 seed, SimNatKind alice_nat, SimNatKind bob_nat)
{
  scene->net = sim_net_new (seed);
  if (g_test_verbose ())
    sim_net_set_trace (scene->net, TRUE);
  scene->server = sim_turn_new (scene->net, "server", "192.0.2.1");
  scene->nodes[0] = sim_net_add_node (scene->net, "alice", "10.0.0.2",
      alice_nat, alice_nat ? "198.51.100.1" : NULL);
  scene->nodes[1] = sim_net_add_node (
      scene->net, "bob", "10.1.0.2", bob_nat, bob_nat ? "203.0.113.1" : NULL);
}

static void
add_hosts (Scene *scene, const SimHostOptions *options)
{
  SimHostOptions copy = *options;

  copy.server = scene->server;
  copy.pacing = 5;
  copy.controlling = TRUE;
  scene->alice = sim_host_new (scene->net, "alice", scene->nodes[0], &copy);
  copy.controlling = FALSE;
  scene->bob = sim_host_new (scene->net, "bob", scene->nodes[1], &copy);
}

static void
start (Scene *scene, guint64 seed, SimNatKind alice_nat, SimNatKind bob_nat,
    gboolean turn)
{
  SimHostOptions options = { .turn = turn, .signal_delay = 20 * ICE_MSEC };

  set_up (scene, seed, alice_nat, bob_nat);
  add_hosts (scene, &options);
  sim_connect (scene->alice, scene->bob);
}

static void
tear_down (Scene *scene)
{
  g_assert_cmpstr (sim_net_violation (scene->net), ==, NULL);
  sim_host_free (scene->alice);
  if (scene->bob)
    sim_host_free (scene->bob);
  sim_turn_free (scene->server);
  sim_net_free (scene->net);
  *scene = (Scene){ 0 };
}

static SimTransport *
alice (Scene *scene)
{
  return sim_host_transport (scene->alice, 0, 1);
}

static SimTransport *
bob (Scene *scene)
{
  return sim_host_transport (scene->bob, 0, 1);
}

static void
assert_completed (Scene *scene)
{
  g_assert_cmpstr (sim_net_violation (scene->net), ==, NULL);
  g_assert_cmpint (alice (scene)->state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpint (bob (scene)->state, ==, ICE_STATE_COMPLETED);
  sim_check_agreement (scene->net, scene->alice, scene->bob);
}

/* RTT is 20 ms: each link's delay is 5 ms, passed out and in. */
static void
test_direct (void)
{
  Scene scene = { 0 };

  start (&scene, 1, SIM_NAT_NONE, SIM_NAT_NONE, FALSE);
  sim_net_run_for (scene.net, 1 * ICE_SECOND);
  assert_completed (&scene);
  g_assert_cmpint (alice (&scene)->local->kind, ==, ICE_CANDIDATE_HOST);
  g_assert_cmpint (alice (&scene)->remote->kind, ==, ICE_CANDIDATE_HOST);
  /* From the first check one round trip. */
  g_assert_cmpint (alice (&scene)->connected_at - alice (&scene)->checking_at,
      <=, 21 * ICE_MSEC);
  g_assert_cmpint (alice (&scene)->completed_at - alice (&scene)->checking_at,
      <=, 45 * ICE_MSEC);
  tear_down (&scene);
}

static void
test_port_restricted (void)
{
  Scene scene = { 0 };

  start (&scene, 2, SIM_NAT_PORT_RESTRICTED, SIM_NAT_PORT_RESTRICTED, TRUE);
  sim_net_run_for (scene.net, 2 * ICE_SECOND);
  assert_completed (&scene);
  g_assert_cmpint (alice (&scene)->local->kind, !=, ICE_CANDIDATE_RELAYED);
  g_assert_cmpint (alice (&scene)->remote->kind, !=, ICE_CANDIDATE_RELAYED);
  g_assert_cmpint (bob (&scene)->local->kind, !=, ICE_CANDIDATE_RELAYED);
  /* RFC 8445 8.3.1: three seconds later the allocations are given back. */
  g_assert_cmpuint (sim_turn_n_allocations (scene.server), ==, 2);
  sim_net_run_for (scene.net, 4 * ICE_SECOND);
  g_assert_cmpuint (sim_turn_n_allocations (scene.server), ==, 0);
  tear_down (&scene);
}

static void
test_symmetric (void)
{
  Scene scene = { 0 };

  start (&scene, 3, SIM_NAT_SYMMETRIC, SIM_NAT_SYMMETRIC, TRUE);
  sim_host_start_media (scene.alice, 20 * ICE_MSEC);
  sim_host_start_media (scene.bob, 20 * ICE_MSEC);
  sim_net_run_for (scene.net, 20 * ICE_SECOND);
  assert_completed (&scene);
  g_assert_true (alice (&scene)->local->kind == ICE_CANDIDATE_RELAYED ||
      alice (&scene)->remote->kind == ICE_CANDIDATE_RELAYED);
  g_assert_cmpuint (bob (&scene)->n_received, >, 900);
  g_assert_cmpuint (alice (&scene)->n_received, >, 900);
  tear_down (&scene);
}

/* Two hours through a relay: permissions, channels and the allocation are
 * renewed, and no packet is lost. */
static void
test_long_relayed_call (void)
{
  Scene scene = { 0 };

  start (&scene, 4, SIM_NAT_SYMMETRIC, SIM_NAT_SYMMETRIC, TRUE);
  sim_net_run_for (scene.net, 3 * ICE_SECOND);
  sim_host_start_media (scene.alice, 1 * ICE_SECOND);
  sim_net_run_for (scene.net, 7200 * ICE_SECOND);
  sim_host_stop_media (scene.alice);
  sim_net_run_for (scene.net, 1 * ICE_SECOND);
  assert_completed (&scene);
  g_assert_cmpuint (bob (&scene)->n_received, ==, alice (&scene)->n_sent);
  tear_down (&scene);
}

static void
test_relay_only (void)
{
  Scene scene = { 0 };
  SimHostOptions options = { .turn = TRUE, .relay_only = TRUE };

  set_up (&scene, 5, SIM_NAT_NONE, SIM_NAT_NONE);
  add_hosts (&scene, &options);
  sim_connect (scene.alice, scene.bob);
  sim_net_run_for (scene.net, 3 * ICE_SECOND);
  assert_completed (&scene);
  g_assert_cmpint (alice (&scene)->local->kind, ==, ICE_CANDIDATE_RELAYED);
  g_assert_cmpint (bob (&scene)->local->kind, ==, ICE_CANDIDATE_RELAYED);
  tear_down (&scene);
}

static void
test_role_conflict (void)
{
  for (guint64 seed = 1; seed <= 40; seed++) {
    Scene scene = { 0 };
    SimHostOptions options = { .turn = FALSE };

    set_up (&scene, seed, SIM_NAT_NONE, SIM_NAT_NONE);
    add_hosts (&scene, &options);
    ice_core_set_controlling (sim_host_core (scene.alice), seed % 2);
    ice_core_set_controlling (sim_host_core (scene.bob), seed % 2);
    sim_connect (scene.alice, scene.bob);
    sim_net_run_for (scene.net, 2 * ICE_SECOND);
    assert_completed (&scene);
    g_assert_cmpint (sim_host_is_controlling (scene.alice), !=,
        sim_host_is_controlling (scene.bob));
    tear_down (&scene);
  }
}

static void
test_loss (void)
{
  for (guint64 seed = 1; seed <= 40; seed++) {
    Scene scene = { 0 };
    SimHostOptions options = { .turn = TRUE };
    /* 20 % each way: two links of 10.6 %. */
    SimLink link = { .delay = 20 * ICE_MSEC, .loss = 106 };

    set_up (&scene, seed, SIM_NAT_PORT_RESTRICTED, SIM_NAT_ADDRESS_RESTRICTED);
    add_hosts (&scene, &options);
    sim_node_set_link (scene.nodes[0], &link);
    sim_node_set_link (scene.nodes[1], &link);
    sim_connect (scene.alice, scene.bob);
    sim_net_run_for (scene.net, 10 * ICE_SECOND);
    g_assert_cmpint (alice (&scene)->connected_at, >, 0);
    g_assert_cmpint (bob (&scene)->connected_at, >, 0);
    /* And it stays: consent survives an hour (security.md N1). */
    sim_net_run_for (scene.net, 600 * ICE_SECOND);
    g_assert_cmpuint (
        alice (&scene)->n_consent_lost + bob (&scene)->n_consent_lost, ==, 0);
    tear_down (&scene);
  }
}

/* Not a packet is lost by a restart, and nobody is told of a failure. */
static void
test_restart (void)
{
  for (guint turn = 0; turn < 2; turn++) {
    SimNatKind nat = turn ? SIM_NAT_SYMMETRIC : SIM_NAT_PORT_RESTRICTED;
    Scene scene = { 0 };

    start (&scene, 6, nat, nat, turn);
    sim_net_run_for (scene.net, 5 * ICE_SECOND);
    sim_host_start_media (scene.alice, 10 * ICE_MSEC);
    sim_host_start_media (scene.bob, 10 * ICE_MSEC);
    sim_net_run_for (scene.net, 1 * ICE_SECOND);
    for (guint i = 0; i < 4; i++) {
      sim_restart (i % 2 ? scene.alice : scene.bob);
      sim_net_run_for (scene.net, 5 * ICE_SECOND);
      assert_completed (&scene);
    }
    sim_host_stop_media (scene.alice);
    sim_host_stop_media (scene.bob);
    sim_net_run_for (scene.net, 1 * ICE_SECOND);
    g_assert_cmpuint (bob (&scene)->n_received, ==, alice (&scene)->n_sent);
    g_assert_cmpuint (alice (&scene)->n_received, ==, bob (&scene)->n_sent);
    g_assert_cmpuint (alice (&scene)->n_dropped, ==, 0);
    g_assert_cmpint (bob (&scene)->longest_gap, <=, 30 * ICE_MSEC);
    tear_down (&scene);
  }
}

/* Both restart at once. */
static void
test_glare (void)
{
  Scene scene = { 0 };

  start (&scene, 7, SIM_NAT_NONE, SIM_NAT_PORT_RESTRICTED, FALSE);
  sim_net_run_for (scene.net, 5 * ICE_SECOND);
  sim_restart (scene.alice);
  sim_net_run_for (scene.net, 100 * ICE_MSEC);
  sim_restart (scene.bob);
  sim_net_run_for (scene.net, 10 * ICE_SECOND);
  assert_completed (&scene);
  tear_down (&scene);
}

static void
test_lite_peer (void)
{
  Scene scene = { 0 };
  SimHostOptions options = { 0 };
  SimPeer *peer;

  set_up (&scene, 8, SIM_NAT_PORT_RESTRICTED, SIM_NAT_NONE);
  scene.alice = sim_host_new (scene.net, "alice", scene.nodes[0], &options);
  peer = sim_peer_new (scene.net, SIM_PEER_LITE, scene.nodes[1]);
  sim_peer_connect (peer, scene.alice);
  sim_net_run_for (scene.net, 1 * ICE_SECOND);
  g_assert_cmpint (alice (&scene)->state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (sim_peer_n_nominated (peer), ==, 1);
  sim_host_start_media (scene.alice, 20 * ICE_MSEC);
  sim_peer_send_media (peer);
  sim_net_run_for (scene.net, 60 * ICE_SECOND);
  g_assert_cmpint (alice (&scene)->state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (alice (&scene)->n_received, ==, 1);
  g_assert_cmpuint (sim_peer_n_received (peer), >, 2900);
  sim_peer_free (peer);
  tear_down (&scene);
}

/* It nominates three pairs, the worst first; the best one carries media, and
 * the state does not flap once it is reached. */
static void
test_aggressive_peer (void)
{
  Scene scene = { 0 };
  SimHostOptions options = { 0 };
  SimPeer *peer;
  guint n_selected;

  set_up (&scene, 9, SIM_NAT_NONE, SIM_NAT_NONE);
  scene.alice = sim_host_new (scene.net, "alice", scene.nodes[0], &options);
  peer = sim_peer_new (scene.net, SIM_PEER_AGGRESSIVE, scene.nodes[1]);
  sim_peer_add_port (peer);
  sim_peer_add_port (peer);
  sim_peer_connect (peer, scene.alice);
  sim_net_run_for (scene.net, 3 * ICE_SECOND);
  g_assert_cmpint (alice (&scene)->state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (alice (&scene)->route.to.port, ==, sim_peer_port (peer, 0));
  n_selected = alice (&scene)->n_selected;
  sim_net_run_for (scene.net, 60 * ICE_SECOND);
  g_assert_cmpuint (alice (&scene)->n_selected, ==, n_selected);
  sim_peer_free (peer);
  tear_down (&scene);
}

/* The peer's checks overtake its answer by a second. */
static void
test_early_checks (void)
{
  Scene scene = { 0 };
  SimHostOptions options = { 0 };

  set_up (&scene, 10, SIM_NAT_NONE, SIM_NAT_NONE);
  options.server = scene.server;
  options.controlling = TRUE;
  options.pacing = 5;
  scene.alice = sim_host_new (scene.net, "alice", scene.nodes[0], &options);
  options.controlling = FALSE;
  options.signal_delay = 1 * ICE_SECOND;
  scene.bob = sim_host_new (scene.net, "bob", scene.nodes[1], &options);
  sim_connect (scene.alice, scene.bob);
  sim_net_run_for (scene.net, 500 * ICE_MSEC);
  g_assert_cmpint (alice (&scene)->state, ==, ICE_STATE_NEW);
  g_assert_cmpint (bob (&scene)->state, ==, ICE_STATE_CONNECTED);
  sim_net_run_for (scene.net, 600 * ICE_MSEC);
  assert_completed (&scene);
  /* Straight from the queue: a round trip after the answer. */
  g_assert_cmpint (alice (&scene)->connected_at - alice (&scene)->checking_at,
      <=, 21 * ICE_MSEC);
  tear_down (&scene);
}

/* RFC 7675 5.1, design 9.3. */
static void
test_consent_expiry (void)
{
  for (guint64 seed = 1; seed <= 20; seed++) {
    Scene scene = { 0 };
    IceTime died_at;
    guint64 n_sent;

    start (&scene, seed, SIM_NAT_NONE, SIM_NAT_NONE, FALSE);
    sim_net_run_for (scene.net, 20 * ICE_SECOND + seed * 313 * ICE_MSEC);
    died_at = sim_net_now (scene.net);
    sim_node_set_dead (scene.nodes[1], TRUE);
    sim_host_start_media (scene.alice, 100 * ICE_MSEC);
    sim_net_run_for (scene.net, 45 * ICE_SECOND);
    g_assert_cmpint (alice (&scene)->state, ==, ICE_STATE_FAILED);
    g_assert_cmpint (alice (&scene)->cause, ==, ICE_CAUSE_CONSENT_EXPIRED);
    g_assert_cmpuint (alice (&scene)->n_consent_lost, ==, 1);
    g_assert_cmpuint (alice (&scene)->n_failed, ==, 1);
    g_assert_cmpint (
        alice (&scene)->disconnected_at - died_at, <=, 7 * ICE_SECOND);
    g_assert_cmpint (alice (&scene)->failed_at - died_at, <=, 30 * ICE_SECOND);
    g_assert_cmpint (alice (&scene)->failed_at - died_at, >=, 23 * ICE_SECOND);
    n_sent = alice (&scene)->n_sent;
    sim_net_run_for (scene.net, 5 * ICE_SECOND);
    g_assert_cmpuint (alice (&scene)->n_sent, ==, n_sent);
    tear_down (&scene);
  }
}

static void
test_media_stops (void)
{
  for (guint64 seed = 1; seed <= 20; seed++) {
    Scene scene = { 0 };
    IceTime died_at;

    start (&scene, seed, SIM_NAT_NONE, SIM_NAT_NONE, FALSE);
    sim_host_start_media (scene.bob, 20 * ICE_MSEC);
    sim_net_run_for (scene.net, 20 * ICE_SECOND + seed * 313 * ICE_MSEC);
    died_at = sim_net_now (scene.net);
    sim_node_set_dead (scene.nodes[1], TRUE);
    sim_net_run_for (scene.net, 5 * ICE_SECOND);
    g_assert_cmpint (alice (&scene)->state, ==, ICE_STATE_DISCONNECTED);
    g_assert_cmpint (
        alice (&scene)->disconnected_at - died_at, <=, 1500 * ICE_MSEC);
    /* Back within a second of the link. */
    sim_node_set_dead (scene.nodes[1], FALSE);
    sim_net_run_for (scene.net, 1 * ICE_SECOND);
    g_assert_cmpint (alice (&scene)->state, ==, ICE_STATE_COMPLETED);
    tear_down (&scene);
  }
}

/* A dead interface of high priority costs little. */
static void
test_dead_pair (void)
{
  Scene scene = { 0 };
  SimHostOptions options = { .signal_delay = 20 * ICE_MSEC };

  set_up (&scene, 11, SIM_NAT_NONE, SIM_NAT_NONE);
  add_hosts (&scene, &options);
  for (guint i = 0; i < 3; i++) {
    g_autofree gchar *ip = g_strdup_printf ("172.17.%u.1", i);

    sim_host_add_node (scene.bob,
        sim_net_add_node (
            scene.net, "dead", ip, SIM_NAT_FULL_CONE, "172.16.0.1"));
  }
  sim_connect (scene.alice, scene.bob);
  sim_net_run_for (scene.net, 2 * ICE_SECOND);
  assert_completed (&scene);
  g_assert_cmpint (alice (&scene)->connected_at - alice (&scene)->checking_at,
      <=, 60 * ICE_MSEC);
  g_assert_cmpint (alice (&scene)->completed_at - alice (&scene)->connected_at,
      <=, 80 * ICE_MSEC);
  tear_down (&scene);
}

/* G8: answers stop, media does not. */
static void
test_no_path (void)
{
  Scene scene = { 0 };
  gboolean fatal;

  start (&scene, 12, SIM_NAT_SYMMETRIC, SIM_NAT_SYMMETRIC, FALSE);
  sim_net_run_for (scene.net, 11 * ICE_SECOND);
  g_assert_nonnull (sim_host_error (scene.alice, &fatal));
  g_assert_false (fatal);
  g_assert_nonnull (
      strstr (sim_host_error (scene.alice, NULL), "configure a TURN server"));
  sim_net_run_for (scene.net, 50 * ICE_SECOND);
  g_assert_cmpint (alice (&scene)->state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (bob (&scene)->state, ==, ICE_STATE_FAILED);
  g_assert_cmpuint (alice (&scene)->n_failed, ==, 1);
  sim_host_error (scene.alice, &fatal);
  g_assert_true (fatal);
  tear_down (&scene);
}

static void
test_one_way (void)
{
  Scene scene = { 0 };

  start (&scene, 13, SIM_NAT_NONE, SIM_NAT_NONE, FALSE);
  sim_node_set_mute (scene.nodes[1], TRUE);
  sim_host_start_media (scene.alice, 20 * ICE_MSEC);
  sim_net_run_for (scene.net, 60 * ICE_SECOND);
  g_assert_cmpint (alice (&scene)->state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (bob (&scene)->state, ==, ICE_STATE_FAILED);
  g_assert_cmpuint (alice (&scene)->n_sent, ==, 0);
  tear_down (&scene);
}

static void
test_wrong_turn_password (void)
{
  Scene scene = { 0 };
  SimHostOptions options = {
    .turn = TRUE, .relay_only = TRUE, .password = "wrong"
  };

  set_up (&scene, 14, SIM_NAT_NONE, SIM_NAT_NONE);
  add_hosts (&scene, &options);
  sim_connect (scene.alice, scene.bob);
  sim_net_run_for (scene.net, 2 * ICE_SECOND);
  g_assert_nonnull (sim_host_error (scene.alice, NULL));
  g_assert_nonnull (
      strstr (sim_host_error (scene.alice, NULL), "refused the username"));
  sim_net_run_for (scene.net, 40 * ICE_SECOND);
  g_assert_cmpint (alice (&scene)->cause, ==, ICE_CAUSE_TURN_AUTH);
  tear_down (&scene);
}

/* The NAT between client and relay forgets its mapping, and the allocation
 * with it: one restart is enough to have another. */
static void
test_reboot_behind_relay (void)
{
  Scene scene = { 0 };
  SimHostOptions options = { .turn = TRUE, .relay_only = TRUE };
  guint64 n_received;

  set_up (&scene, 15, SIM_NAT_PORT_RESTRICTED, SIM_NAT_PORT_RESTRICTED);
  add_hosts (&scene, &options);
  sim_connect (scene.alice, scene.bob);
  sim_host_start_media (scene.alice, 20 * ICE_MSEC);
  sim_net_run_for (scene.net, 10 * ICE_SECOND);
  assert_completed (&scene);
  sim_node_reboot_nat (scene.nodes[0]);
  sim_net_run_for (scene.net, 5 * ICE_SECOND);
  n_received = bob (&scene)->n_received;
  sim_restart (scene.alice);
  sim_net_run_for (scene.net, 5 * ICE_SECOND);
  assert_completed (&scene);
  g_assert_cmpuint (bob (&scene)->n_received, >, n_received + 100);
  tear_down (&scene);
}

/* Nothing that is forged is noticed by anybody: the witness says so. */
static void
test_forger (void)
{
  Scene scene = { 0 };
  SimAttacker *attackers[2];

  start (&scene, 16, SIM_NAT_NONE, SIM_NAT_PORT_RESTRICTED, TRUE);
  attackers[0] = sim_attacker_new (scene.net, scene.alice, 2000, 5 * ICE_MSEC);
  attackers[1] = sim_attacker_new (scene.net, scene.bob, 2000, 5 * ICE_MSEC);
  sim_net_run_for (scene.net, 20 * ICE_SECOND);
  assert_completed (&scene);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (sim_attacker_n_fired (attackers[i]), >, 1900);
    sim_attacker_free (attackers[i]);
  }
  tear_down (&scene);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim/direct", test_direct);
  g_test_add_func ("/sim/port-restricted", test_port_restricted);
  g_test_add_func ("/sim/symmetric", test_symmetric);
  g_test_add_func ("/sim/long-relayed-call", test_long_relayed_call);
  g_test_add_func ("/sim/relay-only", test_relay_only);
  g_test_add_func ("/sim/role-conflict", test_role_conflict);
  g_test_add_func ("/sim/loss", test_loss);
  g_test_add_func ("/sim/restart", test_restart);
  g_test_add_func ("/sim/glare", test_glare);
  g_test_add_func ("/sim/lite-peer", test_lite_peer);
  g_test_add_func ("/sim/aggressive-peer", test_aggressive_peer);
  g_test_add_func ("/sim/early-checks", test_early_checks);
  g_test_add_func ("/sim/consent-expiry", test_consent_expiry);
  g_test_add_func ("/sim/media-stops", test_media_stops);
  g_test_add_func ("/sim/dead-pair", test_dead_pair);
  g_test_add_func ("/sim/no-path", test_no_path);
  g_test_add_func ("/sim/one-way", test_one_way);
  g_test_add_func ("/sim/wrong-turn-password", test_wrong_turn_password);
  g_test_add_func ("/sim/reboot-behind-relay", test_reboot_behind_relay);
  g_test_add_func ("/sim/forger", test_forger);
  return g_test_run ();
}
