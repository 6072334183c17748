/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 7675, consent freshness, by a whole core. A case is named after the
 * section that it was read from. */
#include "hostile.h"

/* Lets the peer answer everything for a while; what was sent is counted. */
static guint
live_for (Harness *h, IceTime duration, GHashTable *ids)
{
  IceTime until = h->now + duration;
  guint n = 0;

  while (h->now < until) {
    IceStunMessage message;
    Sent *sent;

    harness_run_until (h, MIN (until, h->now + 50 * ICE_MSEC));
    while ((sent = harness_pop (h, ICE_STUN_REQUEST, &message)) != NULL) {
      n++;
      if (ids)
        g_assert_true (g_hash_table_add (
            ids, g_base64_encode (message.id, ICE_STUN_ID_SIZE)));
      harness_answer (h, sent);
      sent_free (sent);
    }
  }
  return n;
}

/* 5.1: every 4 to 6 s, each with an id of its own, and not resent: one that is
 * lost is followed by the next check and by probes that are checks, too (design
 * 9.3), never by itself. */
static void
test_not_retransmitted (void)
{
  g_autoptr (GHashTable) ids =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  IceStunMessage message;
  guint n;
  Harness h;
  Sent *sent;

  harness_complete (&h, TRUE);
  n = live_for (&h, 600 * ICE_SECOND, ids);
  g_assert_cmpuint (n, >=, 100);
  g_assert_cmpuint (n, <=, 150);
  harness_run_for (&h, 29 * ICE_SECOND); /* nobody answers */
  while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
    g_assert_true (
        g_hash_table_add (ids, g_base64_encode (message.id, ICE_STUN_ID_SIZE)));
    sent_free (sent);
  }
  harness_clear (&h);
}

/* What somebody does who wants to be sent media again. */
static void
beg (Harness *h)
{
  IceAddress peer = addr ("192.0.2.2", 1), other = addr ("192.0.2.9", 9);
  Check check = { .use_candidate = TRUE };

  harness_check (h, &peer, &check);
  harness_check (h, &other, &check);
  harness_add_remote (h, ICE_CANDIDATE_HOST, "192.0.2.7", 7, "7");
  ice_core_set_selected_pair (h->core, h->transport, &h->host, &peer, h->now);
  harness_pump (h);
  live_for (h, 10 * ICE_SECOND, NULL);
}

/* 5.1: consent that expired or was revoked is not regained: not by checks,
 * nominations, candidates or the application's own choice; by a restart. */
static void
test_no_return_without_restart (void)
{
  for (guint revoked = 0; revoked < 2; revoked++) {
    IceStunMessage message;
    Harness h;
    Sent *sent;

    harness_complete (&h, FALSE);
    if (revoked) {
      harness_run_until_sent (&h);
      sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
      g_assert_cmpint (
          harness_answer_from (&h, sent, &sent->to, NULL, 403, PEER_PWD), ==,
          ICE_VERDICT_OK);
      sent_free (sent);
    } else {
      harness_run_for (&h, 30 * ICE_SECOND);
    }
    g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
    g_assert_cmpuint (h.n_consent_lost, ==, 1);
    g_assert_cmpuint (h.route_socket, ==, 0);
    harness_forget_sent (&h);
    beg (&h);
    g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
    g_assert_cmpuint (h.route_socket, ==, 0);

    g_assert_true (ice_core_set_remote_credentials (
        h.core, h.stream, PEER_UFRAG "2", PEER_PWD "2", h.now));
    harness_pump (&h);
    g_assert_cmpint (h.state, ==, ICE_STATE_CHECKING);
    harness_clear (&h);
  }
}

/* 5.2: only an authenticated 403 revokes; 5.1: and only an authenticated
 * success from the right place renews. */
static void
test_only_signed_answers_count (void)
{
  IceAddress elsewhere = addr ("192.0.2.9", 9);
  guint n = 0;
  IceTime begin;
  Harness h;

  harness_complete (&h, TRUE);
  begin = h.now;
  while (h.state != ICE_STATE_FAILED) {
    IceStunMessage message;
    Sent *sent;

    harness_run_for (&h, 50 * ICE_MSEC);
    while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
      harness_answer_from (&h, sent, &sent->to, &h.host, 0, NULL);
      harness_answer_from (
          &h, sent, &sent->to, &h.host, 0, "anotherpasswordof24chars");
      harness_answer_from (&h, sent, &elsewhere, &h.host, 0, PEER_PWD);
      harness_answer_from (&h, sent, &sent->to, NULL, 403, NULL);
      sent_free (sent);
      n++;
    }
    g_assert_cmpint (h.now - begin, <=, 30050 * ICE_MSEC);
  }
  g_assert_cmpuint (n, >, 4);
  g_assert_cmpint (h.now - begin, >=, 29 * ICE_SECOND);
  harness_clear (&h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc7675/5.1/not-retransmitted", test_not_retransmitted);
  g_test_add_func (
      "/rfc7675/5.1/no-return-without-restart", test_no_return_without_restart);
  g_test_add_func (
      "/rfc7675/5.2/only-signed-answers-count", test_only_signed_answers_count);
  return g_test_run ();
}
