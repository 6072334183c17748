/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* external-addresses: a NAT that we were told of. And sockets whose port is
 * that of other agents, too. */
#include "gather-lab.h"

static void
configure (Lab *lab, const IceExternalAddress *external, guint n_external)
{
  g_autoptr (GBytes) mappings =
      g_bytes_new (external, n_external * sizeof *external);
  const IceGathererConfig config = { .external = mappings };

  ice_gatherer_set_config (lab->gatherer, &config);
}

static const IceCandidate *
find_at (const Lab *lab, const gchar *base)
{
  for (guint i = 0; i < lab->candidates->len; i++) {
    const IceCandidate *candidate = g_ptr_array_index (lab->candidates, i);
    const IceAddress wanted = address (base, candidate->base.port);

    if (ice_address_equal (&candidate->base, &wanted))
      return candidate;
  }
  return NULL;
}

static void
assert_told_as (const Lab *lab, const gchar *base, const gchar *ip)
{
  const IceCandidate *candidate = find_at (lab, base);
  IceAddress wanted;

  g_assert_nonnull (candidate);
  wanted = address (ip, candidate->base.port);
  g_assert_true (ice_address_equal (&candidate->address, &wanted));
  g_assert_cmpint (candidate->kind, ==, ICE_CANDIDATE_HOST);
}

static void
test_mapped_replaces (void)
{
  static const gchar *const ips[] = { "10.0.0.2", "192.168.7.2",
    "2001:db8:1::2", NULL };
  const IceExternalAddress external[] = {
    { .external = address ("203.0.113.9", 0) },
    { .external = address ("203.0.113.10", 0),
        .local = address ("192.168.7.2", 0) },
  };
  Lab lab;

  lab_init (&lab, FALSE);
  configure (&lab, external, 2);
  lab_set_addresses (&lab, ips);
  lab_gather (&lab, 1, 1);
  g_assert_cmpuint (lab.candidates->len, ==, 3);
  assert_told_as (&lab, "10.0.0.2", "203.0.113.9");
  assert_told_as (&lab, "192.168.7.2", "203.0.113.10");
  assert_told_as (&lab, "2001:db8:1::2", "2001:db8:1::2");
  lab_clear (&lab);
}

/* Without a local address it is not for those that nobody outside knows. */
static void
test_loopback_stays (void)
{
  static const gchar *const ips[] = { "127.0.0.1", NULL };
  IceExternalAddress external = { .external = address ("203.0.113.9", 0) };
  Lab lab;

  lab_init (&lab, FALSE);
  configure (&lab, &external, 1);
  lab_set_addresses (&lab, ips);
  lab_gather (&lab, 1, 1);
  assert_told_as (&lab, "127.0.0.1", "127.0.0.1");
  lab_clear (&lab);

  external.local = address ("127.0.0.1", 0);
  lab_init (&lab, FALSE);
  configure (&lab, &external, 1);
  lab_set_addresses (&lab, ips);
  lab_gather (&lab, 1, 1);
  assert_told_as (&lab, "127.0.0.1", "203.0.113.9");
  lab_clear (&lab);
}

/* RFC 8445 5.1.3: what a server tells about that NAT is known already. */
static void
test_reflexive_is_redundant (void)
{
  static const gchar *const ips[] = { "10.0.0.2", NULL };
  const IceExternalAddress external = { .external =
                                            address ("203.0.113.5", 0) };
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab.nat_shift = 10000; /* ports as they are */
  configure (&lab, &external, 1);
  lab_set_addresses (&lab, ips);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.servers[0].turn.n_requests[ICE_STUN_BINDING], ==, 1);
  g_assert_cmpuint (lab.candidates->len, ==, 1);
  lab_clear (&lab);
}

/* RFC 8656 5: the server tells allocations apart by 5-tuple, so they are made
 * from another port; RFC 8445 5.1.1.2: the mapping of the shared one is asked
 * for all the same. */
static void
test_allocation_apart (void)
{
  static const gchar *const ips[] = { "10.0.0.2", NULL };
  const IceGathererConfig config = { .shared_port = TRUE };
  const IceCandidate *host, *srflx, *relayed;
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  ice_gatherer_set_config (lab.gatherer, &config);
  lab_set_addresses (&lab, ips);
  lab_add_server (&lab, 1, ICE_SERVER_TURN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 2 * ICE_SECOND);
  host = lab_find (&lab, ICE_CANDIDATE_HOST);
  srflx = lab_find (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE);
  relayed = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  g_assert_cmpuint (lab.candidates->len, ==, 3);
  g_assert_cmpuint (srflx->socket, ==, host->socket);
  g_assert_cmpuint (relayed->socket, !=, host->socket);
  lab_clear (&lab);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/external/mapped-replaces", test_mapped_replaces);
  g_test_add_func ("/external/loopback-stays", test_loopback_stays);
  g_test_add_func (
      "/rfc8445/5.1.3/reflexive-is-redundant", test_reflexive_is_redundant);
  g_test_add_func ("/rfc8656/5/allocation-apart", test_allocation_apart);
  return g_test_run ();
}
