/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several servers of each kind: what is wrong with one costs that one (design
 * 9.5), and what DNS says about them (RFC 8489 8, RFC 5928). */
#include "gather-lab.h"

#define RTT (60 * ICE_MSEC)
#define DONE_LIMIT (500 * ICE_MSEC)

static const gchar *const one_ipv4[] = { "10.0.0.1", NULL };

static LabServer *
add_live (Lab *lab, guint id, IceServerKind kind, const gchar *ip)
{
  LabServer *server = lab_add_server (lab, id, kind, ip);

  server->delay = RTT / 2;
  return server;
}

/* One of everything that can be wrong, and one of each kind that is not; ids 1
 * and 2 are those. */
static void
lab_init_with_faults (Lab *lab)
{
  lab_init (lab, FALSE);
  lab->nat = TRUE;
  lab_set_addresses (lab, one_ipv4);
  lab->names[0] = (LabName){ .host = "none.test", .delay = 30 * ICE_MSEC };
  lab->names[1] = (LabName){ .host = "slow.test", .delay = ICE_TIME_NEVER };
  lab_add_server (lab, 3, ICE_SERVER_STUN, "192.0.2.3")->dead = TRUE;
  lab_add_server (lab, 4, ICE_SERVER_TURN, "192.0.2.4")->dead = TRUE;
  lab_configure (lab, 5, ICE_SERVER_STUN, "none.test", NULL);
  lab_configure (lab, 6, ICE_SERVER_TURN, "slow.test", FAKE_PASSWORD);
  lab_configure (lab, 7, ICE_SERVER_TURN, "192.0.2.7", "wrong");
  lab_add_host (lab, "192.0.2.7")->delay = RTT / 2;
  add_live (lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  add_live (lab, 2, ICE_SERVER_TURN, "192.0.2.2");
}

/* Candidates of both live servers; done within half a second of the last useful
 * answer, which is that of the TURN server without a right password: it tells
 * our address all the same, after three round trips. Each of the five faults is
 * told of, within two seconds, and only once. */
static void
test_one_of_each (void)
{
  Lab lab;
  IceTime last = 0;

  lab_init_with_faults (&lab);
  lab_gather (&lab, 1, 1);
  for (guint n = 0; lab.now < lab.start + 30 * ICE_SECOND;
       n = lab.candidates->len) {
    lab_run_for (&lab, ICE_MSEC);
    if (lab.candidates->len > n)
      last = lab.now - lab.start;
    if (lab.now == lab.start + 2 * ICE_SECOND)
      g_assert_cmpuint (lab.n_errors, ==, 5);
  }
  g_assert_cmpuint (lab.n_errors, ==, 5);
  g_test_message ("last candidate %" G_GINT64_FORMAT
                  " ms, done %" G_GINT64_FORMAT " ms",
      last / ICE_MSEC, lab.done_at / ICE_MSEC);
  g_assert_cmpint (lab_count (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), ==, 1);
  g_assert_cmpint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
  g_assert_cmpint (last, <=, 2 * RTT + 50 * ICE_MSEC);
  g_assert_cmpint (lab.done_at, >=, last);
  g_assert_cmpint (lab.done_at, <, 3 * RTT + 10 * ICE_MSEC + DONE_LIMIT);
  g_assert_cmpuint (lab.n_ok, ==, 2);
  lab_clear (&lab);
}

/* One server, configured twice: the wrong password costs the one that has it.
 */
static void
test_same_address (void)
{
  for (IceTransportKind kind = ICE_TRANSPORT_UDP; kind <= ICE_TRANSPORT_TCP;
       kind++) {
    Lab lab;

    lab_init (&lab, FALSE);
    lab.nat = TRUE;
    lab_set_addresses (&lab, one_ipv4);
    for (guint id = 1; id <= 3; id++) {
      IceServerConfig config = { .id = id,
        .kind = ICE_SERVER_TURN,
        .transport = kind,
        .host = "192.0.2.1",
        .port = 3478,
        .username = FAKE_USER,
        .password = id == 2 ? FAKE_PASSWORD : "wrong",
        .url = "turn:192.0.2.1" };

      ice_gatherer_add_server (lab.gatherer, &config);
    }
    lab_add_host (&lab, "192.0.2.1");
    lab_gather (&lab, 1, 1);
    lab_run_for (&lab, 30 * ICE_SECOND);
    g_assert_cmpint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
    g_assert_cmpuint (lab.n_errors, ==, 1);
    g_assert_cmpuint (lab.error_code, ==, 401);
    g_assert_cmpuint (lab.n_ok, ==, 1);
    lab_clear (&lab);
  }
}

/* A restart asks the dead again, and is done when the others have answered:
 * the end of candidates alone may wait for them. */
static void
test_restart (void)
{
  IceTime begin;
  Lab lab;

  lab_init_with_faults (&lab);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 20 * ICE_SECOND);
  for (guint generation = 2; generation < 5; generation++) {
    begin = lab.now - lab.start;
    lab_gather (&lab, 1, generation);
    lab_run_for (&lab, 45 * ICE_SECOND);
    g_test_message ("restart: done after %" G_GINT64_FORMAT
                    " ms, ended after %" G_GINT64_FORMAT " ms",
        (lab.done_at - begin) / ICE_MSEC, (lab.ended_at - begin) / ICE_MSEC);
    g_assert_cmpint (lab.done_at, >, begin);
    g_assert_cmpint (lab.done_at - begin, <=, RTT + DONE_LIMIT);
  }
  lab_clear (&lab);
}

/* What does not resolve is no answer of use: it does not put off the end. */
static void
test_late_failure (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, one_ipv4);
  lab.names[0] = (LabName){ .host = "none.test", .delay = 450 * ICE_MSEC };
  lab.names[1] = (LabName){ .host = "slow.test", .delay = ICE_TIME_NEVER };
  lab_configure (&lab, 5, ICE_SERVER_STUN, "none.test", NULL);
  lab_configure (&lab, 6, ICE_SERVER_STUN, "slow.test", NULL);
  add_live (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 10 * ICE_SECOND);
  g_assert_cmpint (lab.done_at, <=, RTT + DONE_LIMIT);
  g_assert_nonnull (strstr (lab.error_text, "slow.test"));
  lab_clear (&lab);
}

/* The reason is told, and a name that takes its time is told of before two
 * seconds are over, once; it is still used when it comes. */
static void
test_names_are_told (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab.names[0] = (LabName){ .host = "none.test", .delay = 30 * ICE_MSEC };
  lab_configure (&lab, 1, ICE_SERVER_STUN, "none.test", NULL);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.error_code, ==, 701);
  g_assert_nonnull (strstr (lab.error_text, "no such name"));
  g_assert_nonnull (strstr (lab.error_text, "stun:none.test:3478"));
  lab_clear (&lab);

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab.names[0] = (LabName){
    .host = "slow.test", .delay = 4 * ICE_SECOND, .ip = "192.0.2.1"
  };
  lab_configure (&lab, 1, ICE_SERVER_STUN, "slow.test", NULL);
  lab_add_host (&lab, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 10 * ICE_SECOND);
  g_assert_cmpuint (lab.n_errors, ==, 1);
  g_assert_cmpint (lab.error_at, <=, 2 * ICE_SECOND);
  g_assert_nonnull (strstr (lab.error_text, "slow.test"));
  g_assert_cmpint (lab_count (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), ==, 1);
  lab_clear (&lab);
}

/* RFC 8489 8, RFC 5928 3: without a port in the URI SRV is asked for, and its
 * port is used; with one it is not. */
static void
test_service (void)
{
  for (guint srv = 0; srv < 2; srv++) {
    IceServerConfig config = { .id = 1,
      .kind = ICE_SERVER_STUN,
      .host = "example.test",
      .port = 3478,
      .srv = srv,
      .url = "stun:example.test" };
    Lab lab;

    lab_init (&lab, FALSE);
    lab.nat = TRUE;
    lab_set_addresses (&lab, one_ipv4);
    lab.names[0] =
        (LabName){ .host = "example.test", .ip = "192.0.2.1", .port = 19302 };
    ice_gatherer_add_server (lab.gatherer, &config);
    lab_add_host (&lab, "192.0.2.1");
    if (srv)
      lab.servers[0].address.port = 19302;
    lab_gather (&lab, 1, 1);
    lab_run_for (&lab, ICE_SECOND);
    g_assert_cmpuint (lab.names[0].n_questions, ==, 1);
    g_assert_cmpint (lab.names[0].asked_for_service, ==, srv);
    g_assert_cmpint (lab_count (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), ==, 1);
    lab_clear (&lab);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/servers/one-of-each", test_one_of_each);
  g_test_add_func ("/servers/restart", test_restart);
  g_test_add_func ("/servers/same-address", test_same_address);
  g_test_add_func ("/servers/late-failure", test_late_failure);
  g_test_add_func ("/servers/names-are-told", test_names_are_told);
  g_test_add_func ("/rfc5928/3/service", test_service);
  return g_test_run ();
}
