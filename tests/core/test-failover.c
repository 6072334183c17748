/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers that send us on, die, and come back. */
#include "gather-lab.h"

static const gchar *const one_ipv4[] = { "10.0.0.2", NULL };

static LabServer *
gather (Lab *lab)
{
  LabServer *server;

  lab_init (lab, TRUE);
  lab_set_addresses (lab, one_ipv4);
  server = lab_add_server (lab, 1, ICE_SERVER_TURN, "192.0.2.1");
  lab_gather (lab, 1, 1);
  return server;
}

static void
send_on (LabServer *server, const gchar *ip)
{
  server->turn.error[ICE_STUN_ALLOCATE] = 300;
  server->turn.alternate = address (ip, 3478);
}

/* One hop is followed, a second is not: four requests in all. */
static void
test_redirects (void)
{
  static const gchar *const ips[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3",
    "192.0.2.4" };

  for (guint hops = 1; hops < G_N_ELEMENTS (ips); hops++) {
    Lab lab;
    LabServer *last;

    send_on (gather (&lab), ips[1]);
    for (guint i = 1; i < hops; i++)
      send_on (lab_add_host (&lab, ips[i]), ips[i + 1]);
    last = lab_add_host (&lab, ips[hops]);
    lab_run_for (&lab, ICE_SECOND);
    g_assert_cmpuint (
        last->turn.n_requests[ICE_STUN_ALLOCATE], ==, hops <= 1 ? 2 : 0);
    g_assert_cmpuint (
        lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, hops <= 1 ? 1 : 0);
    g_assert_cmpuint (lab.error_code, ==, hops <= 1 ? 0 : 300);
    lab_clear (&lab);
  }
}

/* It forgot us, as a server does that was restarted: the allocation is made
 * again, and there when candidates are gathered again. */
static void
test_comes_back (void)
{
  Lab lab;
  LabServer *server = gather (&lab);

  lab_run_for (&lab, ICE_SECOND);
  server->turn.error[ICE_STUN_REFRESH] = 437;
  lab_run_for (&lab, 550 * ICE_SECOND);
  server->turn.error[ICE_STUN_REFRESH] = 0;
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 1);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 4);
  /* Design 9.5: candidates have ended. */
  g_assert_cmpuint (lab.candidates->len, ==, 1);
  lab_gather (&lab, 1, 2);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 4);
  lab_clear (&lab);
}

/* It is away for longer: tried at once and after 1 s, 10 s and 60 s, each for
 * as long as a request lasts. */
static void
test_comes_back_late (void)
{
  Lab lab;
  LabServer *server = gather (&lab);

  lab_run_for (&lab, ICE_SECOND);
  server->dead = TRUE;
  lab_run_for (&lab, 660 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 1);
  server->dead = FALSE;
  server->turn.n_requests[ICE_STUN_ALLOCATE] = 0;
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  lab_clear (&lab);
}

/* A name has another address, and something answers there. */
static void
test_next_address (void)
{
  Lab lab;
  LabServer *first, *second;

  lab_init (&lab, TRUE);
  lab_set_addresses (&lab, one_ipv4);
  first = lab_add_host (&lab, "192.0.2.1");
  second = lab_add_host (&lab, "192.0.2.2");
  lab_configure (&lab, 1, ICE_SERVER_TURN, "turn.example.org", FAKE_PASSWORD);
  lab.resolved[0] = first->address;
  lab.resolved[1] = second->address;
  lab.n_resolved = 2;
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (second->turn.n_requests[ICE_STUN_ALLOCATE], ==, 0);
  first->dead = TRUE;
  lab_run_for (&lab, 660 * ICE_SECOND);
  g_assert_cmpuint (second->turn.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  lab_clear (&lab);
}

/* Granted, denied, granted, denied: four times again, and enough. */
static void
test_bounded (void)
{
  Lab lab;
  LabServer *server = gather (&lab);

  server->turn.error[ICE_STUN_REFRESH] = 437;
  lab_run_for (&lab, 4 * 3600 * ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 2 * 5);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 1);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8489/10/one-hop", test_redirects);
  g_test_add_func ("/failover/comes-back", test_comes_back);
  g_test_add_func ("/failover/comes-back-late", test_comes_back_late);
  g_test_add_func ("/failover/next-address", test_next_address);
  g_test_add_func ("/failover/bounded", test_bounded);
  return g_test_run ();
}
