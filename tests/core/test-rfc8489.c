/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8489 and 8656 where the tests of their parts leave something open. A case
 * is named after the section that it was read from. */
#include "gather-lab.h"
#include "harness.h"

static guint
count_state (Harness *h, const gchar *state)
{
  g_autoptr (GArray) stats = g_array_new (FALSE, FALSE, sizeof (IcePairStats));
  guint n = 0;

  ice_core_get_pair_stats (h->core, stats);
  for (guint i = 0; i < stats->len; i++)
    n += g_str_equal (g_array_index (stats, IcePairStats, i).state, state);
  return n;
}

/* RFC 8489 6.3.3, 6.3.4: an answer with an attribute that had to be understood
 * is processed as failed; one that may be ignored is ignored. */
static void
test_unknown_in_answer (void)
{
  static const guint16 types[] = { 0x7abc, 0xfabc };

  for (guint i = 0; i < 4; i++) {
    g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PEER_PWD);
    g_autoptr (IcePacket) packet = NULL;
    gboolean error = i >= 2, required = i % 2 == 0;
    IceStunBuilder builder;
    IceStunMessage message;
    Harness h;
    Sent *sent;

    harness_start (&h, TRUE);
    sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
    ice_stun_builder_init (&builder, error ? ICE_STUN_ERROR : ICE_STUN_SUCCESS,
        ICE_STUN_BINDING, message.id);
    if (error)
      ice_stun_builder_add_error (&builder, 487, NULL);
    else
      ice_stun_builder_add_xor_address (
          &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &h.host);
    ice_stun_builder_add_u32 (&builder, types[i % 2], 1);
    ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
    ice_stun_builder_add_fingerprint (&builder);
    packet = ice_stun_builder_end (&builder);
    harness_receive (&h, &sent->to, packet);
    g_assert_cmpuint (count_state (&h, "failed"), ==, required);
    g_assert_cmpuint (h.n_roles, ==, error && !required);
    g_assert_cmpuint (count_state (&h, "succeeded"), ==, !error && !required);
    sent_free (sent);
    harness_clear (&h);
  }
}

/* RFC 7983 7 and RFC 8489 5: by the first byte, and then by length and cookie:
 * what is STUN and what is left to media. */
static void
test_first_byte (void)
{
  for (guint first = 0; first < 256; first++) {
    guint8 bytes[20] = { (guint8) first, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42 };

    g_assert_cmpint (
        ice_stun_looks_like (ICE_BYTES (bytes, 20)), ==, first < 64);
    bytes[4] ^= 1;
    g_assert_false (ice_stun_looks_like (ICE_BYTES (bytes, 20)));
    bytes[4] ^= 1;
    bytes[3] = 2; /* not a multiple of four */
    g_assert_false (ice_stun_looks_like (ICE_BYTES (bytes, 20)));
  }
}

/* RFC 8489 10: "the client MUST ... the same transport", our family, another
 * server than those that were asked; a redirection of the redirected one is
 * not followed. The name in a certificate is of no concern here: TLS is not
 * spoken by the core. */
static void
test_redirected_once (void)
{
  static const gchar *const ips[] = { "10.0.0.2", NULL };
  static const gchar *const hops[] = { "192.0.2.11", "192.0.2.12",
    "192.0.2.13" };
  LabServer *server;
  Lab lab;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, ips);
  server = lab_add_server (&lab, 1, ICE_SERVER_TURN, "192.0.2.10");
  for (guint i = 0; i < G_N_ELEMENTS (hops); i++) {
    server->turn.error[ICE_STUN_ALLOCATE] = 300;
    server->turn.alternate = address (hops[i], 3478);
    server = lab_add_host (&lab, hops[i]);
  }
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (lab.servers[1].turn.n_requests[ICE_STUN_ALLOCATE], >, 0);
  g_assert_cmpuint (lab.servers[2].turn.n_requests[ICE_STUN_ALLOCATE], ==, 0);
  g_assert_cmpuint (lab.servers[3].turn.n_requests[ICE_STUN_ALLOCATE], ==, 0);
  lab_clear (&lab);
}

/* RFC 8656 8: the farewell, LIFETIME 0, is resent when it is lost, and then
 * given up. */
static void
test_farewell_is_resent (void)
{
  static const gchar *const ips[] = { "10.0.0.2", NULL };
  IceCandidate *relayed;
  LabServer *server;
  Lab lab;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, ips);
  server = lab_add_server (&lab, 1, ICE_SERVER_TURN, "192.0.2.10");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  relayed = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  g_assert_nonnull (relayed);
  server->dead = TRUE;
  ice_gatherer_release_candidate (lab.gatherer, relayed, lab.now);
  lab_run_for (&lab, 600 * ICE_MSEC);
  server->dead = FALSE;
  lab_run_for (&lab, 2 * ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_REFRESH], ==, 1);
  g_assert_cmpuint (server->turn.last_lifetime, ==, 0);
  lab_clear (&lab);
}

/* RFC 8656 11.4: a Data indication without DATA, as one with ICMP is, brings
 * nothing to the application (11.6 is for the pair that it is about). */
static void
test_icmp_is_no_data (void)
{
  static const gchar *const ips[] = { "10.0.0.2", NULL };
  static const guint8 id[ICE_STUN_ID_SIZE] = { 0xda, 0x7a };
  IceAddress peer = address ("192.0.2.77", 7);
  g_autoptr (IcePacket) packet = NULL;
  IceRelayedDatagram relayed = { 0 };
  IceCandidate *local;
  IceStunBuilder builder;
  LabServer *server;
  Lab lab;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, ips);
  server = lab_add_server (&lab, 1, ICE_SERVER_TURN, "192.0.2.10");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  local = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  ice_gatherer_permit (lab.gatherer, local, &peer, lab.now);
  lab_run_for (&lab, ICE_SECOND);
  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_DATA, id);
  ice_stun_builder_add_xor_address (&builder, ICE_STUN_XOR_PEER_ADDRESS, &peer);
  /* Reserved, type 3, code 3: port unreachable (RFC 8656 18.13). */
  ice_stun_builder_add_u64 (&builder, ICE_STUN_ICMP, (guint64) 0x0303 << 32);
  packet = ice_stun_builder_end (&builder);
  g_assert_cmpint (
      lab_receive (&lab, local->socket, &server->address, packet, &relayed), !=,
      ICE_GATHER_RELAYED);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc7983/7/first-byte", test_first_byte);
  g_test_add_func ("/rfc8489/6.3.3/unknown-in-answer", test_unknown_in_answer);
  g_test_add_func ("/rfc8489/10/redirected-once", test_redirected_once);
  g_test_add_func ("/rfc8656/8/farewell-is-resent", test_farewell_is_resent);
  g_test_add_func ("/rfc8656/11.4/icmp-is-no-data", test_icmp_is_no_data);
  return g_test_run ();
}
