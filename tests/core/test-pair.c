/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/core/ice/pair.h"
#include "gst/ice/core/ice/stream.h"
#include "harness.h"

static IceCandidate *
make (IceCandidateKind kind, const gchar *ip, guint component)
{
  IceCandidate *candidate = ice_candidate_new (kind, component);

  candidate->address = candidate->base = addr (ip, 1000);
  candidate->priority = ice_candidate_compute_priority (kind, 1, component);
  return candidate;
}

/* RFC 8445 6.1.2.3, worked by hand. */
static void
test_priority (void)
{
  g_assert_cmpuint (
      ice_pair_priority (5, 3), ==, (G_GUINT64_CONSTANT (3) << 32) + 10 + 1);
  g_assert_cmpuint (
      ice_pair_priority (3, 5), ==, (G_GUINT64_CONSTANT (3) << 32) + 10);
  g_assert_cmpuint (
      ice_pair_priority (4, 4), ==, (G_GUINT64_CONSTANT (4) << 32) + 8);
  /* As in RFC 8445 15: hosts of 2130706431 on both sides. */
  g_assert_cmpuint (ice_pair_priority (2130706431, 2130706431), ==,
      G_GUINT64_CONSTANT (9151314442783293438));
}

/* RFC 8445 6.1.2.2. */
static void
test_possible (void)
{
  static const struct
  {
    const gchar *local, *remote;
    gboolean possible;
  } table[] = {
    { "192.0.2.1", "192.0.2.2", TRUE },
    { "192.0.2.1", "2001:db8::1", FALSE },
    { "2001:db8::2", "2001:db8::1", TRUE },
    { "fe80::1", "fe80::2", TRUE },
    { "fe80::1", "2001:db8::1", FALSE },
    { "2001:db8::1", "fe80::1", FALSE },
    { "169.254.1.1", "192.0.2.1", FALSE },
    { "192.0.2.1", "127.0.0.1", FALSE },
    { "127.0.0.1", "127.0.0.1", TRUE },
    { "127.0.0.1", "192.0.2.1", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (IceCandidate) local =
        make (ICE_CANDIDATE_HOST, table[i].local, 1);
    g_autoptr (IceCandidate) remote =
        make (ICE_CANDIDATE_HOST, table[i].remote, 1);
    g_autoptr (IceCandidate) second =
        make (ICE_CANDIDATE_HOST, table[i].remote, 2);

    g_test_message ("%s -> %s", table[i].local, table[i].remote);
    g_assert_cmpint (
        ice_pair_is_possible (local, remote), ==, table[i].possible);
    g_assert_false (ice_pair_is_possible (local, second));
    remote->protocol = ICE_PROTOCOL_TCP;
    g_assert_false (ice_pair_is_possible (local, remote));
  }
}

/* RFC 8445 6.1.2.4: what is sent leaves from the base, which is of another
 * family behind a NAT64. */
static void
test_base_counts (void)
{
  g_autoptr (IceCandidate) local =
      make (ICE_CANDIDATE_SERVER_REFLEXIVE, "203.0.113.5", 1);
  g_autoptr (IceCandidate) remote = make (ICE_CANDIDATE_HOST, "192.0.2.1", 1);
  g_autoptr (IceCandidate) translated =
      make (ICE_CANDIDATE_HOST, "64:ff9b::192.0.2.1", 1);

  local->base = addr ("2001:db8::2", 1000);
  g_assert_false (ice_pair_is_possible (local, remote));
  g_assert_true (ice_pair_is_possible (local, translated));
}

/* Both priorities follow role, mapped and remote candidate. */
static void
test_update_priority (void)
{
  g_autoptr (IceCandidate) local = make (ICE_CANDIDATE_HOST, "192.0.2.1", 1);
  g_autoptr (IceCandidate) remote = make (ICE_CANDIDATE_HOST, "192.0.2.2", 1);
  IceGeneration *generation = ice_generation_new (
      1, g_strdup ("abcd"), g_strdup ("abcdefghijklmnopqrstuv"));
  IcePair *pair = ice_pair_new (1, NULL, generation, local, remote);
  guint64 before;

  remote->priority = local->priority - 1;
  ice_pair_update_priority (pair, TRUE);
  before = pair->priority;
  g_assert_cmpuint (pair->valid_priority, ==, before);
  ice_pair_update_priority (pair, FALSE);
  g_assert_cmpuint (pair->priority, ==, before - 1);
  pair->mapped = make (ICE_CANDIDATE_SERVER_REFLEXIVE, "198.51.100.1", 1);
  ice_pair_update_priority (pair, FALSE);
  g_assert_cmpuint (pair->priority, ==, before - 1);
  g_assert_cmpuint (pair->valid_priority, <, before);
  ice_pair_unref (pair);
  ice_generation_unref (generation);
}

/* Checks: the live one is told from those cancelled, and their number is
 * bounded. */
static void
test_checks (void)
{
  g_autoptr (IceCandidate) local = make (ICE_CANDIDATE_HOST, "192.0.2.1", 1);
  IceGeneration *generation = ice_generation_new (
      1, g_strdup ("abcd"), g_strdup ("abcdefghijklmnopqrstuv"));
  IcePair *pair = ice_pair_new (1, NULL, generation, local, local);
  guint8 id[ICE_STUN_ID_SIZE] = { 0 };

  g_assert_null (ice_pair_live_check (pair));
  for (guint i = 0; i < 40; i++) {
    IceCheck *check = ice_pair_add_check (pair, ICE_CHECK_ORDINARY);
    IcePacket *packet = ice_packet_new (20);

    memset (packet->data, 0, 20);
    packet->data[8] = i;
    ice_pair_cancel_checks (pair);
    ice_transaction_start (
        &check->transaction, packet, ICE_STUN_RTO_MIN, FALSE, 0);
    check->live = TRUE;
    g_assert_true (ice_pair_live_check (pair) == check);
  }
  g_assert_cmpuint (pair->checks->len, <=, 16);
  id[0] = 39;
  g_assert_true (ice_pair_find_check (pair, id) == ice_pair_live_check (pair));
  id[0] = 0;
  g_assert_null (ice_pair_find_check (pair, id));
  ice_pair_cancel_checks (pair);
  g_assert_null (ice_pair_live_check (pair));
  ice_pair_drop_checks (pair);
  g_assert_cmpuint (pair->checks->len, ==, 0);
  ice_pair_unref (pair);
  ice_generation_unref (generation);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pair/priority", test_priority);
  g_test_add_func ("/pair/possible", test_possible);
  g_test_add_func ("/rfc8445/6.1.2.4/base-counts", test_base_counts);
  g_test_add_func ("/pair/update-priority", test_update_priority);
  g_test_add_func ("/pair/checks", test_checks);
  return g_test_run ();
}
