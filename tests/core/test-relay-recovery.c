/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A TURN server goes in mid-call: it is restarted, dies, or another one is
 * configured. */
#include "hostile-turn.h"

#define OPTIONS (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)

static void
connect_by_relay_to (Lab *lab, gboolean continual, guint options)
{
  lab_init (lab);
  ice_core_set_continual (lab->h.core, continual);
  ice_core_set_remote_options (lab->h.core, options, lab->h.now);
  harness_pump (&lab->h);
  lab_connect (lab);
  lab_run_for (lab, 20 * ICE_SECOND);
  g_assert_cmpint (lab->h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (lab->h.n_local, ==, 1);
}

static void
connect_by_relay (Lab *lab, gboolean continual)
{
  connect_by_relay_to (lab, continual, OPTIONS);
}

/* It knows nobody any more: what is relayed is dropped in silence. */
static void
restart_server (Lab *lab)
{
  lab->peer_is_silent = TRUE;
  lab->turn.nonce = "nonce-2";
  lab->turn.error[ICE_STUN_REFRESH] = 437;
  lab->turn.relayed.port++;
}

/* Until it is told a candidate again: it was allocated, and is relayed by. */
static IceTime
run_until_told (Lab *lab, guint n_local, IceTime most)
{
  IceTime start = lab->h.now;

  while (lab->h.n_local < n_local && lab->h.now < start + most)
    lab_run_for (lab, 10 * ICE_MSEC);
  g_assert_cmpuint (lab->h.n_local, ==, n_local);
  lab->peer_is_silent = FALSE;
  lab->turn.error[ICE_STUN_REFRESH] = 0;
  return lab->h.now - start;
}

/* Idle, it is found by the first consent request that is not answered, at most
 * six seconds later (RFC 7675 5.1), and its first probe. */
static void
test_restarted_while_idle (void)
{
  Lab lab;

  connect_by_relay (&lab, TRUE);
  restart_server (&lab);
  run_until_told (&lab, 2, 7 * ICE_SECOND);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (lab.h.n_consent_lost, ==, 0);
  g_assert_cmpuint (lab.n_errors, ==, 0);
  lab_run_for (&lab, 600 * ICE_SECOND);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
  lab_clear (&lab);
}

/* Media that flowed is missed after half a second. */
static void
test_restarted_in_call (void)
{
  Lab lab;
  IceTime silent_since;

  connect_by_relay (&lab, TRUE);
  for (guint i = 0; i < 500; i++) {
    ice_core_media_seen (lab.h.core, lab.h.transport, lab.h.now, lab.h.now);
    lab_run_for (&lab, 20 * ICE_MSEC);
  }
  silent_since = lab.h.now;
  restart_server (&lab);
  run_until_told (&lab, 2, 3 * ICE_SECOND);
  while (lab.h.state != ICE_STATE_COMPLETED &&
      lab.h.now < silent_since + 3 * ICE_SECOND)
    lab_run_for (&lab, 10 * ICE_MSEC);
  g_assert_cmpint (lab.h.now - silent_since, <, 1500 * ICE_MSEC);
  lab_clear (&lab);
}

/* It is away: a Refresh a second, then every other, until consent ends it. */
static IcePacket *
be_silent (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  ice_packet_unref (honest);
  return NULL;
}

static void
test_dead (void)
{
  Lab lab;
  guint n;

  connect_by_relay (&lab, TRUE);
  lab.peer_is_silent = TRUE;
  lab.spoil = be_silent;
  lab.method = ICE_STUN_REFRESH;
  n = lab_count_requests (&lab, ICE_STUN_REFRESH);
  lab_run_for (&lab, 3600 * ICE_SECOND);
  n = lab_count_requests (&lab, ICE_STUN_REFRESH) - n;
  g_assert_cmpuint (n, >, 15);
  g_assert_cmpuint (n, <, 30);
  g_assert_cmpuint (lab_peak (&lab, ICE_STUN_REFRESH, ICE_SECOND), <=, 2);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_FAILED);
  lab_clear (&lab);
}

/* Away for less: the answer to one of them. */
static void
test_away_for_a_while (void)
{
  Lab lab;

  connect_by_relay (&lab, TRUE);
  restart_server (&lab);
  lab.spoil = be_silent;
  lab.method = ICE_STUN_REFRESH;
  lab_run_for (&lab, 15 * ICE_SECOND);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_DISCONNECTED);
  lab.spoil = NULL;
  g_assert_cmpint (
      run_until_told (&lab, 2, 3 * ICE_SECOND), <=, 2200 * ICE_MSEC);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
  lab_clear (&lab);
}

/* A peer that is lost, and a server that is not: asked in vain, nothing else.
 */
static void
test_peer_is_lost (void)
{
  Lab lab;

  connect_by_relay (&lab, TRUE);
  lab.peer_is_silent = TRUE;
  lab_run_for (&lab, 20 * ICE_SECOND);
  g_assert_cmpuint (lab.h.n_local, ==, 1);
  g_assert_cmpuint (lab.turn.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  lab.peer_is_silent = FALSE;
  lab_run_for (&lab, 8 * ICE_SECOND);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
  lab_clear (&lab);
}

/* With a peer that does not renominate it takes a restart, for which the
 * candidate is there already. */
static void
test_restart_finds_it (void)
{
  Lab lab;

  connect_by_relay_to (&lab, FALSE, ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE);
  restart_server (&lab);
  lab_run_for (&lab, 7 * ICE_SECOND);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (lab.h.cause, ==, ICE_CAUSE_RESOURCE);
  g_assert_cmpuint (lab.h.n_local, ==, 1);
  lab.turn.error[ICE_STUN_REFRESH] = 0;
  ice_core_restart (lab.h.core, 0, lab.h.now);
  harness_pump (&lab.h);
  g_assert_cmpuint (lab.h.n_local, ==, 2);
  lab_clear (&lab);
}

/* Under continual gathering another server is asked when it is configured. */
static void
test_another_server (void)
{
  for (guint continual = 0; continual < 2; continual++) {
    Lab lab;
    IceServerConfig server = { .id = 2,
      .kind = ICE_SERVER_TURN,
      .host = "203.0.113.2",
      .port = LAB_PORT,
      .username = FAKE_USER,
      .password = FAKE_PASSWORD,
      .url = "turn:203.0.113.2" };

    connect_by_relay (&lab, continual);
    lab.turn.relayed.port++;
    ice_core_add_server (lab.h.core, &server);
    harness_pump (&lab.h);
    lab_run_for (&lab, 200 * ICE_MSEC);
    g_assert_cmpuint (lab.h.n_local, ==, 1 + continual);
    lab_run_for (&lab, 20 * ICE_SECOND);
    g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
    lab_clear (&lab);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/relay-recovery/idle", test_restarted_while_idle);
  g_test_add_func ("/relay-recovery/in-call", test_restarted_in_call);
  g_test_add_func ("/relay-recovery/dead", test_dead);
  g_test_add_func ("/relay-recovery/away-for-a-while", test_away_for_a_while);
  g_test_add_func ("/relay-recovery/peer-is-lost", test_peer_is_lost);
  g_test_add_func ("/relay-recovery/restart-finds-it", test_restart_finds_it);
  g_test_add_func ("/relay-recovery/another-server", test_another_server);
  return g_test_run ();
}
