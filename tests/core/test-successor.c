/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidates have ended, nothing is signalled any more, and the allocation that
 * a call goes by is lost or not prolonged: another one takes its place. */
#include "hostile-turn.h"

#define OPTIONS (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)

static void
connect_by_relay (Lab *lab)
{
  lab_init (lab);
  ice_core_set_remote_options (lab->h.core, OPTIONS, lab->h.now);
  harness_pump (&lab->h);
  lab_connect (lab);
  lab_run_for (lab, 20 * ICE_SECOND);
  g_assert_cmpint (lab->h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (lab->h.n_local, ==, 1);
}

static void
configure (Lab *lab, const gchar *username, const gchar *password)
{
  IceServerConfig server = { .id = 1,
    .kind = ICE_SERVER_TURN,
    .host = LAB_SERVER_IP,
    .port = LAB_PORT,
    .username = username,
    .password = password,
    .url = "turn:" LAB_SERVER_IP };

  ice_core_add_server (lab->h.core, &server);
  harness_pump (&lab->h);
}

/* Nothing was said of it but the state: no candidate, no fatal error. */
static void
assert_used_in_silence (Lab *lab)
{
  g_assert_cmpint (lab->h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (lab->h.n_local, ==, 1);
  g_assert_cmpuint (lab->h.n_consent_lost, ==, 0);
  g_assert_false (lab->h.fatal);
}

/* The server was restarted: idle, the first consent request without an answer
 * finds it (RFC 7675 5.1), and media has a way again within a second more. */
static void
test_restarted (void)
{
  Lab lab;
  guint n_selected;

  connect_by_relay (&lab);
  n_selected = lab.h.n_selected;
  lab.peer_is_silent = TRUE;
  lab.turn.nonce = "nonce-2";
  lab.turn.error[ICE_STUN_REFRESH] = 437;
  lab.turn.relayed.port++;
  while (lab.turn.n_requests[ICE_STUN_ALLOCATE] < 4)
    lab_run_for (&lab, 10 * ICE_MSEC);
  lab.peer_is_silent = FALSE;
  lab.turn.error[ICE_STUN_REFRESH] = 0;
  lab_run_for (&lab, ICE_SECOND);
  assert_used_in_silence (&lab);
  g_assert_cmpuint (lab.h.n_selected, >, n_selected);
  lab_run_for (&lab, 3600 * ICE_SECOND);
  assert_used_in_silence (&lab);
  lab_clear (&lab);
}

/* It does not come back: as long as consent would have lasted (RFC 7675 5.1) it
 * may, and then the call has failed. */
static void
test_never_comes_back (void)
{
  Lab lab;

  connect_by_relay (&lab);
  lab.peer_is_silent = TRUE;
  lab.turn.error[ICE_STUN_REFRESH] = 437;
  lab.turn.error[ICE_STUN_ALLOCATE] = 508;
  lab_run_for (&lab, 8 * ICE_SECOND);
  g_assert_cmpint (lab.h.state, !=, ICE_STATE_COMPLETED);
  lab_run_for (&lab, 35 * ICE_SECOND);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_FAILED);
  lab_clear (&lab);
}

/* Another user is configured, and what was the old one's goes on until that one
 * is known no more. Then there is an allocation beside it, by which the call
 * goes on when the permission of the old one ends, without a gap in consent. */
static void
test_other_user (gconstpointer data)
{
  Lab lab;
  guint n_allocate;

  connect_by_relay (&lab);
  lab_tell_sockets_apart (&lab);
  n_allocate = lab.turn.n_requests[ICE_STUN_ALLOCATE];
  lab.turn.unsigned_441 = GPOINTER_TO_INT (data);
  lab.turn.second_user = "1719999999:alice";
  lab.turn.second_password = "fresh";
  configure (&lab, "1719999999:alice", "fresh");
  lab_run_for (&lab, 260 * ICE_SECOND);
  assert_used_in_silence (&lab);
  g_assert_cmpuint (lab.turn.n_requests[ICE_STUN_ALLOCATE], ==, n_allocate);

  lab.turn.password = "nobody's";
  for (guint i = 0; i < 3600; i++) {
    lab_run_for (&lab, ICE_SECOND);
    assert_used_in_silence (&lab);
  }
  g_assert_cmpuint (lab.turn.n_requests[ICE_STUN_ALLOCATE], ==, n_allocate + 2);
  g_assert_cmpuint (lab.h.route_socket, !=, lab.socket);
  lab_clear (&lab);
}

/* The password expires before another one is configured, and what was allocated
 * by it with it: the call has failed, and a restart finds a relay as soon as
 * there are credentials. */
static void
test_too_late (void)
{
  Lab lab;

  connect_by_relay (&lab);
  lab.turn.password = "changed";
  lab_run_for (&lab, 3600 * ICE_SECOND);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_FAILED);
  g_assert_cmpuint (lab.n_errors, ==, 1);
  g_assert_cmpuint (lab.error_code, ==, 401);
  configure (&lab, FAKE_USER, "changed");
  ice_core_restart (lab.h.core, 0, lab.h.now);
  harness_pump (&lab.h);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.h.n_local, ==, 2);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/successor/restarted", test_restarted);
  g_test_add_func ("/successor/never-comes-back", test_never_comes_back);
  g_test_add_data_func (
      "/rfc8656/5/other-user", GINT_TO_POINTER (FALSE), test_other_user);
  g_test_add_data_func ("/rfc8656/5/other-user-unsigned",
      GINT_TO_POINTER (TRUE), test_other_user);
  g_test_add_func ("/successor/too-late", test_too_late);
  return g_test_run ();
}
