/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the gatherer asks TURN servers for beside an address, and what it makes
 * of credentials that change. */
#include "gather-lab.h"

static const gchar *const one_ipv4[] = { "10.0.0.2", NULL };
static const gchar *const one_ipv6[] = { "2001:db8::2", NULL };
static const gchar *const dual_stack[] = { "10.0.0.2", "2001:db8::2", NULL };

static LabServer *
prepare (Lab *lab, const gchar *const *addresses, IceGathererConfig config)
{
  lab_init (lab, config.relay_only);
  ice_gatherer_set_config (lab->gatherer, &config);
  lab_set_addresses (lab, addresses);
  return lab_add_server (lab, 1, ICE_SERVER_TURN,
      addresses == one_ipv6 ? "2001:db8::53" : "192.0.2.1");
}

static IceCandidate *
find_relayed (const Lab *lab, IceFamily family, guint component)
{
  for (guint i = 0; i < lab->candidates->len; i++) {
    IceCandidate *candidate = g_ptr_array_index (lab->candidates, i);

    if (candidate->kind == ICE_CANDIDATE_RELAYED &&
        candidate->address.family == family &&
        candidate->component == component)
      return candidate;
  }
  return NULL;
}

/* One allocation, two candidates: different addresses, priorities and
 * foundations; packets of both go through it. */
static void
test_both_families (void)
{
  Lab lab;
  LabServer *server =
      prepare (&lab, one_ipv4, (IceGathererConfig){ .both_families = TRUE });
  IceAddress peer = address ("2001:db8:9::9", 5000);
  g_autoptr (IcePacket) check = ice_packet_new_from (ICE_BYTES ("check", 5));
  g_autoptr (IcePacket) data = NULL;
  IceRelayedDatagram relayed;
  IceCandidate *ipv4, *ipv6;

  server->turn.additional = address ("2001:db8:1::1", 49153);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 2);
  ipv4 = find_relayed (&lab, ICE_FAMILY_IPV4, 1);
  ipv6 = find_relayed (&lab, ICE_FAMILY_IPV6, 1);
  g_assert_cmpuint (ipv4->priority, >, ipv6->priority);
  g_assert_cmpstr (ipv4->foundation, !=, ipv6->foundation);

  ice_gatherer_transmit (lab.gatherer, ipv6, &peer, check, lab.now);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.n_indications[ICE_STUN_SEND], ==, 1);
  g_assert_true (ice_address_same_ip (&server->turn.last_peer, &peer));
  data = fake_turn_data (&server->turn, &peer, "hello");
  g_assert_cmpint (
      lab_receive (&lab, ipv6->socket, &server->address, data, &relayed), ==,
      ICE_GATHER_RELAYED);
  g_assert_true (relayed.local == ipv6);

  /* The allocation goes with the last of them. */
  ice_gatherer_release_candidate (lab.gatherer, ipv4, lab.now);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_REFRESH], ==, 0);
  ice_gatherer_release_candidate (lab.gatherer, ipv6, lab.now);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_REFRESH], ==, 1);
  g_assert_cmpuint (server->turn.last_lifetime, ==, 0);
  lab_clear (&lab);
}

/* A lost allocation takes both along. */
static void
test_both_lost (void)
{
  Lab lab;
  LabServer *server =
      prepare (&lab, one_ipv4, (IceGathererConfig){ .both_families = TRUE });

  server->turn.additional = address ("2001:db8:1::1", 49153);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  server->turn.error[ICE_STUN_REFRESH] = 437;
  lab_run_for (&lab, 600 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 2);
  lab_clear (&lab);
}

/* RFC 8656 7.1: what was released stays while the other one is used, and is
 * lost with it: a check of the peer's may have come that way since. */
static void
test_released_is_lost (void)
{
  Lab lab;
  LabServer *server =
      prepare (&lab, one_ipv4, (IceGathererConfig){ .both_families = TRUE });

  server->turn.additional = address ("2001:db8:1::1", 49153);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  ice_gatherer_release_candidate (
      lab.gatherer, find_relayed (&lab, ICE_FAMILY_IPV6, 1), lab.now);
  server->turn.error[ICE_STUN_REFRESH] = 437;
  lab_run_for (&lab, 600 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 2);
  lab_clear (&lab);
}

/* Where both families reach the server, each asks for its own only; where one
 * family is wanted, nothing else is asked for. */
static void
test_one_family_each (void)
{
  Lab lab;
  LabServer *server =
      prepare (&lab, dual_stack, (IceGathererConfig){ .both_families = TRUE });
  LabServer *other = lab_add_host (&lab, "2001:db8::53");

  /* The same server by name, with both of its addresses. */
  ice_gatherer_remove_servers (lab.gatherer);
  lab_configure (&lab, 2, ICE_SERVER_TURN, "turn.example.org", FAKE_PASSWORD);
  lab.resolved[0] = server->address;
  lab.resolved[1] = other->address;
  lab.n_resolved = 2;
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.last_additional, ==, 0);
  g_assert_cmpuint (server->turn.last_family, ==, 0);
  g_assert_cmpuint (other->turn.last_additional, ==, 0);
  g_assert_cmpuint (other->turn.last_family, ==, 2);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 2);
  lab_clear (&lab);

  server = prepare (&lab, one_ipv4,
      (IceGathererConfig){
          .both_families = TRUE, .only_family = ICE_FAMILY_IPV4 });
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.last_additional, ==, 0);
  lab_clear (&lab);

  /* On an IPv6 network alone the second family is the IPv4 one. */
  server =
      prepare (&lab, one_ipv6, (IceGathererConfig){ .both_families = TRUE });
  server->turn.additional = address ("198.51.100.9", 49153);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.last_additional, ==, 2);
  g_assert_nonnull (find_relayed (&lab, ICE_FAMILY_IPV4, 1));
  g_assert_nonnull (find_relayed (&lab, ICE_FAMILY_IPV6, 1));
  lab_clear (&lab);
}

/* RFC 8656 7.3: 440 for a family is for good, 508 for a minute; both cost no
 * relay. */
static void
test_missing_family (void)
{
  static const struct
  {
    guint code;
    IceTime wait;
    gboolean is_asked_again;
  } rows[] = { { 440, 3600 * ICE_SECOND, FALSE },
    { 508, 30 * ICE_SECOND, FALSE }, { 508, 90 * ICE_SECOND, TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Lab lab;
    LabServer *server =
        prepare (&lab, one_ipv4, (IceGathererConfig){ .both_families = TRUE });
    g_autoptr (GArray) stats =
        g_array_new (FALSE, FALSE, sizeof (IceServerStats));

    server->turn.address_error = rows[i].code;
    lab_gather (&lab, 1, 1);
    lab_run_for (&lab, rows[i].wait);
    g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
    g_assert_cmpuint (lab.n_errors, ==, 0);
    ice_gatherer_get_server_stats (lab.gatherer, stats);
    g_assert_cmpuint (g_array_index (stats, IceServerStats, 0).errors, ==, 1);

    /* The second component comes later. */
    lab_gather (&lab, 2, 2);
    lab_run_for (&lab, ICE_SECOND);
    g_assert_cmpuint (
        server->turn.last_additional, ==, rows[i].is_asked_again ? 2 : 0);
    g_assert_nonnull (find_relayed (&lab, ICE_FAMILY_IPV4, 2));
    lab_clear (&lab);
  }
}

/* RFC 8656 7.1: component 1 has an even port reserve the next one, which
 * component 2 gets by the token. */
static void
test_even_port (void)
{
  Lab lab;
  LabServer *server = prepare (&lab, one_ipv4,
      (IceGathererConfig){ .even_port = TRUE, .both_families = TRUE });

  server->turn.reserves = TRUE;
  lab_gather (&lab, 2, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_true (server->turn.has_token);
  g_assert_cmpmem (server->turn.last_token.data, server->turn.last_token.size,
      "12345678", 8);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 2);
  /* One more round trip for component 2, and no more. */
  g_assert_cmpint (lab.done_at, <=, 120 * ICE_MSEC);
  lab_clear (&lab);

  /* One component has nothing to reserve for. */
  server = prepare (&lab, one_ipv4, (IceGathererConfig){ .even_port = TRUE });
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_false (server->turn.has_even_port);
  lab_clear (&lab);
}

/* Whatever component 1 is told, component 2 gets its relay. */
static void
test_no_even_port (void)
{
  static const guint codes[] = { 0, 508, 420, 400, 486 };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    Lab lab;
    LabServer *server =
        prepare (&lab, one_ipv4, (IceGathererConfig){ .even_port = TRUE });

    server->turn.dislikes[0].attribute = ICE_STUN_EVEN_PORT;
    server->turn.dislikes[0].code = codes[i];
    lab_gather (&lab, 2, 1);
    lab_run_for (&lab, 5 * ICE_SECOND);
    g_assert_false (server->turn.has_token);
    g_assert_nonnull (find_relayed (&lab, ICE_FAMILY_IPV4, 2));
    g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], <=, 6);
    lab_clear (&lab);
  }
}

/* A dead server does not make component 2 wait for ever. */
static void
test_even_port_patience (void)
{
  Lab lab;
  LabServer *server =
      prepare (&lab, one_ipv4, (IceGathererConfig){ .even_port = TRUE });

  server->dead = TRUE;
  lab_gather (&lab, 2, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpint (lab.ended_at, >, 0);
  g_assert_cmpint (lab.ended_at, <, 45 * ICE_SECOND);
  lab_clear (&lab);
}

/* What a server refused once it is not asked again. */
static void
test_refusals_are_remembered (void)
{
  Lab lab;
  LabServer *server = prepare (&lab, one_ipv4,
      (IceGathererConfig){ .mobility = TRUE, .dont_fragment = TRUE });

  server->turn.dislikes[0].attribute = ICE_STUN_MOBILITY_TICKET;
  server->turn.dislikes[0].code = 405;
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 3);
  g_assert_true (server->turn.has_dont_fragment);
  lab_gather (&lab, 2, 2);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 5);
  g_assert_true (server->turn.has_dont_fragment);
  lab_clear (&lab);
}

static void
configure_until (
    Lab *lab, const gchar *user, const gchar *password, IceTime expires_at)
{
  IceServerConfig config = { .id = 1,
    .kind = ICE_SERVER_TURN,
    .host = "192.0.2.1",
    .port = 3478,
    .username = user,
    .password = password,
    .url = "turn:192.0.2.1:3478",
    .expires_at = expires_at };

  ice_gatherer_add_server (lab->gatherer, &config);
}

/* Credentials that end are asked for a minute before, once each. */
static void
test_expiry (void)
{
  Lab lab;

  prepare (&lab, one_ipv4, (IceGathererConfig){ .relay_only = TRUE });
  configure_until (&lab, FAKE_USER, FAKE_PASSWORD, lab.now + 300 * ICE_SECOND);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 239 * ICE_SECOND);
  g_assert_cmpuint (lab.n_credentials_needed, ==, 0);
  lab_run_for (&lab, 2 * ICE_SECOND);
  g_assert_cmpuint (lab.n_credentials_needed, ==, 1);
  lab_run_for (&lab, 300 * ICE_SECOND);
  g_assert_cmpuint (lab.n_credentials_needed, ==, 1);
  configure_until (&lab, FAKE_USER, FAKE_PASSWORD, lab.now + 100 * ICE_SECOND);
  lab_run_for (&lab, 50 * ICE_SECOND);
  g_assert_cmpuint (lab.n_credentials_needed, ==, 2);
  g_assert_cmpuint (lab.n_errors, ==, 0);
  lab_clear (&lab);
}

/* The server does not take the old ones any more: told at once, and the new
 * ones save the relay. */
static void
test_roll_over (void)
{
  Lab lab;
  LabServer *server =
      prepare (&lab, one_ipv4, (IceGathererConfig){ .relay_only = TRUE });

  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  server->turn.password = "changed";
  lab_run_for (&lab, 545 * ICE_SECOND);
  g_assert_cmpuint (lab.n_errors, ==, 1);
  g_assert_cmpuint (lab.error_code, ==, 401);
  configure_until (&lab, FAKE_USER, "changed", 0);
  lab_run_for (&lab, 1200 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 0);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  g_assert_cmpuint (lab.n_errors, ==, 1);
  lab_clear (&lab);
}

/* RFC 8656 5: the allocation is the former user's, and that one may not prolong
 * it. It is used till its end; another one is made in time, and told at the
 * next gathering, for candidates have ended. */
static void
test_replacement (void)
{
  Lab lab;
  LabServer *server =
      prepare (&lab, one_ipv4, (IceGathererConfig){ .relay_only = TRUE });

  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  server->turn.password = "no more";
  server->turn.second_user = "1719999999:alice";
  server->turn.second_password = "fresh";
  configure_until (&lab, "1719999999:alice", "fresh", 0);
  lab_run_for (&lab, 550 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 0);
  g_assert_cmpuint (lab.n_errors, ==, 0);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 4);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 1);
  lab_gather (&lab, 1, 2);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), >=, 2);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gatherer-allocate/both-families", test_both_families);
  g_test_add_func ("/gatherer-allocate/both-lost", test_both_lost);
  g_test_add_func ("/gatherer-allocate/one-family-each", test_one_family_each);
  g_test_add_func ("/rfc8656/7.3/missing-family", test_missing_family);
  g_test_add_func ("/gatherer-allocate/even-port", test_even_port);
  g_test_add_func ("/gatherer-allocate/no-even-port", test_no_even_port);
  g_test_add_func (
      "/gatherer-allocate/even-port-patience", test_even_port_patience);
  g_test_add_func ("/gatherer-allocate/refusals-are-remembered",
      test_refusals_are_remembered);
  g_test_add_func ("/gatherer-allocate/expiry", test_expiry);
  g_test_add_func ("/gatherer-allocate/roll-over", test_roll_over);
  g_test_add_func ("/gatherer-allocate/replacement", test_replacement);
  g_test_add_func ("/rfc8656/7.1/released-is-lost", test_released_is_lost);
  return g_test_run ();
}
