/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidates of ports that the router maps (RFC 6887, RFC 6886, UPnP IGD). */
#include "gather-lab.h"

static const gchar *const one_ipv4[] = { "10.0.0.2", NULL };
static const gchar *const one_ipv6[] = { "2001:db8::2", NULL };
static const gchar *const loopback[] = { "127.0.0.1", NULL };

static void
mapping_lab_init (Lab *lab, const gchar *const *ips)
{
  const IceGathererConfig config = { .port_mapping = TRUE };

  lab_init (lab, FALSE);
  ice_gatherer_set_config (lab->gatherer, &config);
  lab_set_addresses (lab, ips);
}

static void
map (Lab *lab, const gchar *ip, guint16 port)
{
  IceAddress external = address (ip, port);

  ice_gatherer_port_mapped (
      lab->gatherer, lab->map_socket, &external, lab->now);
  lab_settle (lab);
}

static void
test_mapped (void)
{
  const IceCandidate *mapped;
  Lab lab;

  mapping_lab_init (&lab, one_ipv4);
  lab_gather (&lab, 1, 1);
  g_assert_cmpuint (lab.n_maps, ==, 1);
  g_assert_false (lab.map_tcp);
  g_assert_cmpuint (lab.map_local.port, ==, 50000);
  g_assert_cmpint (lab.done_at, ==, -1);
  lab_run_until (&lab, lab.now + 20 * ICE_MSEC);
  map (&lab, "203.0.113.9", 41000);
  g_assert_cmpint (lab.done_at, ==, 20 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, ==, 20 * ICE_MSEC);

  mapped = lab_find (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE);
  g_assert_nonnull (mapped);
  g_assert_cmpuint (mapped->address.port, ==, 41000);
  g_assert_true (ice_address_equal (&mapped->base, &lab.map_local));
  g_assert_true (ice_address_equal (&mapped->related, &lab.map_local));
  g_assert_cmpuint (mapped->server, ==, 0);
  lab_clear (&lab);
}

/* A STUN server finds the same: one candidate, and it is the server's. */
static void
test_same_as_of_a_server (void)
{
  Lab lab;

  mapping_lab_init (&lab, one_ipv4);
  lab.nat = TRUE;
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_until (&lab, lab.now + 100 * ICE_MSEC);
  map (&lab, "203.0.113.5", 40000);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  g_assert_cmpuint (
      lab_find (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE)->server, ==, 1);
  /* Another port is another candidate, with a priority of its own. */
  map (&lab, "203.0.113.5", 40001);
  g_assert_cmpuint (lab.candidates->len, ==, 3);
  g_assert_cmpuint (
      ((IceCandidate *) g_ptr_array_index (lab.candidates, 1))->priority, >,
      ((IceCandidate *) g_ptr_array_index (lab.candidates, 2))->priority);
  lab_clear (&lab);
}

/* Design 9.5: the end waits, what is of use does not. */
static void
test_no_router (void)
{
  Lab lab;

  mapping_lab_init (&lab, one_ipv4);
  lab_gather (&lab, 1, 1);
  lab_run_until (&lab, lab.now + 10 * ICE_SECOND);
  g_assert_cmpint (lab.done_at, <=, 500 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, ==, 5 * ICE_SECOND);
  g_assert_cmpint (ice_gatherer_deadline (lab.gatherer), ==, ICE_TIME_NEVER);
  map (&lab, "203.0.113.9", 41000);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  lab_clear (&lab);
}

static void
test_refused (void)
{
  Lab lab;

  mapping_lab_init (&lab, one_ipv4);
  lab_gather (&lab, 1, 1);
  ice_gatherer_port_mapped (lab.gatherer, lab.map_socket, NULL, lab.now);
  lab_settle (&lab);
  g_assert_cmpint (lab.ended_at, ==, 0);
  /* An address that is none. */
  map (&lab, "0.0.0.0", 41000);
  map (&lab, "224.0.0.1", 41000);
  g_assert_cmpuint (lab.candidates->len, ==, 1);
  lab_clear (&lab);
}

static void
test_restart (void)
{
  const guint transports[] = { 1 };
  Lab lab;

  mapping_lab_init (&lab, one_ipv4);
  lab_gather (&lab, 1, 1);
  map (&lab, "203.0.113.9", 41000);
  g_ptr_array_set_size (lab.candidates, 0);
  ice_gatherer_gather (lab.gatherer, LAB_STREAM, transports, 1, 2, lab.now);
  lab_settle (&lab);
  g_assert_cmpuint (lab.n_maps, ==, 1);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  g_assert_nonnull (lab_find (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE));
  lab_clear (&lab);
}

static void
test_not_asked (void)
{
  const IceGathererConfig relay = { .port_mapping = TRUE, .relay_only = TRUE };
  const IceGathererConfig lite = { .port_mapping = TRUE, .lite = TRUE };
  const IceGathererConfig off = { 0 };
  const struct
  {
    const IceGathererConfig *config;
    const gchar *const *ips;
  } cases[] = { { &off, one_ipv4 }, { &relay, one_ipv4 }, { &lite, one_ipv4 },
    { NULL, one_ipv6 }, { NULL, loopback } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Lab lab;

    mapping_lab_init (&lab, cases[i].ips);
    if (cases[i].config)
      ice_gatherer_set_config (lab.gatherer, cases[i].config);
    lab_gather (&lab, 1, 1);
    lab_run_until (&lab, lab.now + ICE_SECOND);
    g_assert_cmpuint (lab.n_maps, ==, 0);
    g_assert_cmpint (lab.ended_at, ==, 0);
    lab_clear (&lab);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gatherer/mapping/mapped", test_mapped);
  g_test_add_func (
      "/gatherer/mapping/same-as-of-a-server", test_same_as_of_a_server);
  g_test_add_func ("/gatherer/mapping/no-router", test_no_router);
  g_test_add_func ("/gatherer/mapping/refused", test_refused);
  g_test_add_func ("/gatherer/mapping/restart", test_restart);
  g_test_add_func ("/gatherer/mapping/not-asked", test_not_asked);
  return g_test_run ();
}
