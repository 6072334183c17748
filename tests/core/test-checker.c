/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static Sent *
first_check (Harness *h, IceStunMessage *ret_message)
{
  Sent *sent = harness_pop (h, ICE_STUN_REQUEST, ret_message);

  g_assert_nonnull (sent);
  return sent;
}

static const gchar *
pair_state (Harness *h)
{
  g_autoptr (GArray) stats = g_array_new (FALSE, FALSE, sizeof (IcePairStats));

  ice_core_get_pair_stats (h->core, stats);
  g_assert_cmpuint (stats->len, ==, 1);
  return g_array_index (stats, IcePairStats, 0).state;
}

/* RFC 8445 7.1, 7.2.2: what a check carries. */
static void
test_request (void)
{
  Harness h;
  IceStunMessage message;
  IceBytes username;
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PEER_PWD);
  g_autofree gchar *expected = NULL;
  guint32 priority;
  guint64 tie_breaker;
  Sent *sent;

  for (guint controlling = 0; controlling < 2; controlling++) {
    harness_start (&h, controlling);
    sent = first_check (&h, &message);
    g_free (expected);
    expected = g_strdup_printf (
        "%s:%s", PEER_UFRAG, ice_core_get_local_ufrag (h.core, h.stream));
    g_assert_true (
        ice_stun_message_find (&message, ICE_STUN_USERNAME, &username));
    g_assert_cmpmem (username.data, username.size, expected, strlen (expected));
    /* RFC 8445 7.1.1: type preference 110. */
    g_assert_true (
        ice_stun_message_get_u32 (&message, ICE_STUN_PRIORITY, &priority));
    g_assert_cmpuint (priority >> 24, ==, 110);
    g_assert_cmpint (ice_stun_message_get_u64 (
                         &message, ICE_STUN_ICE_CONTROLLING, &tie_breaker),
        ==, controlling);
    g_assert_cmpint (ice_stun_message_get_u64 (
                         &message, ICE_STUN_ICE_CONTROLLED, &tie_breaker),
        ==, !controlling);
    g_assert_false (ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE));
    g_assert_true (
        ice_stun_message_verify (&message, key, ICE_STUN_INTEGRITY_SHA1));
    g_assert_cmpuint (message.fingerprint, >, 0);
    sent_free (sent);
    harness_clear (&h);
  }
}

/* RFC 8489 6.2.1 with 500 ms: 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, given up at
 * 39.5 s. */
static void
test_retransmission (void)
{
  static const guint at[] = { 0, 500, 1500, 3500, 7500, 15500, 31500 };
  Harness h;
  IceTime begin;

  harness_start (&h, TRUE);
  begin = h.now;
  for (guint i = 1; i < G_N_ELEMENTS (at); i++) {
    harness_run_until (&h, begin + at[i] * ICE_MSEC - 1);
    g_assert_cmpuint (g_queue_get_length (&h.sent), ==, i);
    harness_run_until (&h, begin + at[i] * ICE_MSEC);
    g_assert_cmpuint (g_queue_get_length (&h.sent), ==, i + 1);
  }
  g_assert_cmpstr (pair_state (&h), ==, "in-progress");
  harness_run_until (&h, begin + 39400 * ICE_MSEC);
  g_assert_cmpstr (pair_state (&h), ==, "in-progress");
  g_assert_true (harness_answer_next (&h)); /* 39.4 s late, and good */
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  harness_clear (&h);
}

/* RFC 8863: 39.5 s and then failed, once, with a reason. */
static void
test_failure (void)
{
  Harness h;
  IceTime begin;

  harness_start (&h, TRUE);
  begin = h.now;
  harness_run_until (&h, begin + 10 * ICE_SECOND);
  g_assert_nonnull (h.error);
  g_assert_false (h.fatal);
  g_assert_nonnull (strstr (h.error, "of 1 pairs 0 were answered"));
  g_assert_nonnull (strstr (h.error, "TURN server"));
  harness_run_until (&h, begin + 39400 * ICE_MSEC);
  g_assert_cmpint (h.state, ==, ICE_STATE_CHECKING);
  harness_run_until (&h, begin + 39500 * ICE_MSEC);
  g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (h.cause, ==, ICE_CAUSE_ALL_CHECKS_FAILED);
  g_assert_true (h.fatal);
  g_assert_cmpint (h.deadline, ==, ICE_TIME_NEVER);
  harness_clear (&h);
}

/* RFC 8489 9.1.4: an answer that is not signed with their password is none,
 * and the check goes on. */
static void
test_unsigned_answers (void)
{
  static const guint codes[] = { 0, 400, 401, 403, 487, 500 };
  static const gchar *const passwords[] = { NULL,
    "someotherpasswordof24chars" };
  Harness h;
  IceStunMessage message;
  Sent *sent;

  harness_start (&h, TRUE);
  sent = first_check (&h, &message);
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    for (guint j = 0; j < 2; j++)
      g_assert_cmpint (harness_answer_from (&h, sent, &sent->to, &h.host,
                           codes[i], passwords[j]),
          ==, ICE_VERDICT_UNAUTHENTICATED);
  g_assert_cmpstr (pair_state (&h), ==, "in-progress");
  g_assert_cmpuint (h.n_roles, ==, 0);
  g_assert_cmpint (harness_answer (&h, sent), ==, ICE_VERDICT_OK);
  g_assert_cmpstr (pair_state (&h), ==, "succeeded");
  sent_free (sent);
  harness_clear (&h);
}

/* An answer to nothing, and the same answer again. */
static void
test_unexpected_answers (void)
{
  Harness h;
  IceStunMessage message;
  Sent *sent;

  harness_start (&h, TRUE);
  sent = first_check (&h, &message);
  sent->packet->data[19] ^= 1;
  g_assert_cmpint (harness_answer (&h, sent), ==, ICE_VERDICT_UNEXPECTED);
  sent->packet->data[19] ^= 1;
  g_assert_cmpint (harness_answer (&h, sent), ==, ICE_VERDICT_OK);
  g_assert_cmpint (harness_answer (&h, sent), ==, ICE_VERDICT_UNEXPECTED);
  sent_free (sent);
  harness_clear (&h);
}

/* RFC 8445 7.2.5.2.1: from another address than it was sent to. */
static void
test_asymmetric (void)
{
  IceAddress other = addr ("192.0.2.3", 1);
  Harness h;
  IceStunMessage message;
  Sent *sent;

  harness_start (&h, TRUE);
  sent = first_check (&h, &message);
  /* Unsigned it proves nothing. */
  g_assert_cmpint (harness_answer_from (&h, sent, &other, &h.host, 0, NULL), ==,
      ICE_VERDICT_UNAUTHENTICATED);
  g_assert_cmpstr (pair_state (&h), ==, "in-progress");
  g_assert_cmpint (harness_answer_from (&h, sent, &other, &h.host, 0, PEER_PWD),
      ==, ICE_VERDICT_UNEXPECTED);
  g_assert_cmpstr (pair_state (&h), ==, "failed");
  sent_free (sent);
  harness_clear (&h);
}

/* RFC 8445 7.2.5.2.4. */
static void
test_error (void)
{
  Harness h;
  IceStunMessage message;
  Sent *sent;

  harness_start (&h, TRUE);
  sent = first_check (&h, &message);
  g_assert_cmpint (
      harness_answer_from (&h, sent, &sent->to, &h.host, 500, PEER_PWD), ==,
      ICE_VERDICT_OK);
  g_assert_cmpstr (pair_state (&h), ==, "failed");
  sent_free (sent);
  harness_clear (&h);
}

/* RFC 8445 7.2.5.1: switch, change the tie-breaker, check again; a 487 to a
 * check of the former role changes nothing. */
static void
test_role_conflict (void)
{
  Harness h;
  IceStunMessage message;
  guint64 before, after;
  Sent *first, *second;

  harness_start (&h, TRUE);
  first = first_check (&h, &message);
  ice_stun_message_get_u64 (&message, ICE_STUN_ICE_CONTROLLING, &before);
  harness_answer_from (&h, first, &first->to, &h.host, 487, PEER_PWD);
  g_assert_cmpuint (h.n_roles, ==, 1);
  g_assert_false (ice_core_get_controlling (h.core));
  harness_run_for (&h, 10 * ICE_MSEC);
  second = first_check (&h, &message);
  g_assert_true (
      ice_stun_message_get_u64 (&message, ICE_STUN_ICE_CONTROLLED, &after));
  g_assert_true (before != after);

  harness_answer_from (&h, first, &first->to, &h.host, 487, PEER_PWD);
  g_assert_cmpuint (h.n_roles, ==, 1);
  g_assert_cmpint (harness_answer (&h, second), ==, ICE_VERDICT_OK);
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  sent_free (first);
  sent_free (second);
  harness_clear (&h);
}

/* A peer that always says 487 gets four switches, then a failed pair. */
static void
test_role_ping_pong (void)
{
  Harness h;
  IceStunMessage message;
  Sent *sent;
  guint n = 0;

  harness_start (&h, TRUE);
  while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
    harness_answer_from (&h, sent, &sent->to, &h.host, 487, PEER_PWD);
    sent_free (sent);
    harness_run_for (&h, 10 * ICE_MSEC);
    g_assert_cmpuint (++n, <, 10);
  }
  g_assert_cmpuint (h.n_roles, ==, 4);
  g_assert_cmpstr (pair_state (&h), ==, "failed");
  harness_clear (&h);
}

/* RFC 8445 7.2.5.3.1: the peer sees us elsewhere. */
static void
test_learn_local (void)
{
  IceAddress mapped = addr ("198.51.100.7", 4711);
  g_autoptr (GPtrArray) locals = NULL;
  IceCandidate *learnt;
  Harness h;
  IceStunMessage message;
  Sent *sent;

  harness_start (&h, FALSE);
  sent = first_check (&h, &message);
  g_assert_cmpint (
      harness_answer_from (&h, sent, &sent->to, &mapped, 0, PEER_PWD), ==,
      ICE_VERDICT_OK);
  locals = ice_core_get_local_candidates (h.core, h.stream);
  g_assert_cmpuint (locals->len, ==, 2);
  learnt = g_ptr_array_index (locals, 1);
  g_assert_cmpint (learnt->kind, ==, ICE_CANDIDATE_PEER_REFLEXIVE);
  g_assert_true (ice_address_equal (&learnt->address, &mapped));
  g_assert_true (ice_address_equal (&learnt->base, &h.host));
  g_assert_cmpuint (learnt->priority >> 24, ==, 110);
  g_assert_cmpuint (h.n_local, ==, 1); /* it is not signalled */
  g_assert_cmpuint (h.route_socket, ==, h.socket);
  sent_free (sent);
  harness_clear (&h);
}

/* Design 9.8: the second ICMP error, or the first for a request sent twice;
 * and only with our transaction id in it. */
static void
test_unreachable (void)
{
  Harness h;
  IceStunMessage message;
  IceCoreCounters counters;
  IceBytes quote;
  Sent *sent;

  for (guint resent = 0; resent < 2; resent++) {
    harness_start (&h, TRUE);
    sent = first_check (&h, &message);
    quote = ICE_BYTES (sent->packet->data, sent->packet->size);
    if (resent)
      harness_run_for (&h, 600 * ICE_MSEC);
    sent->packet->data[10] ^= 1;
    for (guint i = 0; i < 5; i++)
      ice_core_unreachable (h.core, h.socket, &sent->to, quote, h.now);
    sent->packet->data[10] ^= 1;
    ice_core_unreachable (
        h.core, h.socket, &sent->to, ICE_BYTES (quote.data, 8), h.now);
    g_assert_cmpstr (pair_state (&h), ==, "in-progress");
    ice_core_unreachable (h.core, h.socket, &sent->to, quote, h.now);
    if (!resent) {
      g_assert_cmpstr (pair_state (&h), ==, "in-progress");
      ice_core_unreachable (h.core, h.socket, &sent->to, quote, h.now);
    }
    g_assert_cmpstr (pair_state (&h), ==, "failed");
    ice_core_get_counters (h.core, &counters);
    g_assert_cmpuint (counters.unreachable, ==, resent ? 7 : 8);
    sent_free (sent);
    harness_clear (&h);
  }
}

/* ... and never a selected pair. */
static void
test_unreachable_selected (void)
{
  Harness h;
  IceStunMessage message;
  Sent *sent;

  harness_complete (&h, TRUE);
  harness_run_until_sent (&h);
  sent = first_check (&h, &message); /* a consent request */
  for (guint i = 0; i < 5; i++)
    ice_core_unreachable (h.core, h.socket, &sent->to,
        ICE_BYTES (sent->packet->data, sent->packet->size), h.now);
  harness_pump (&h);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (h.route_socket, ==, h.socket);
  sent_free (sent);
  harness_clear (&h);
}

/* RFC 8445 14.2: Ta is the higher of both offers, and nothing said is 50. */
static void
test_pacing (void)
{
  static const guint offers[][2] = { { 0, 50 }, { 5, 5 }, { 1, 5 },
    { 20, 20 } };
  Harness h;

  for (guint i = 0; i < G_N_ELEMENTS (offers); i++) {
    IceTime begin;

    harness_init (&h, TRUE);
    ice_core_set_remote_pacing (h.core, offers[i][0]);
    harness_gather (&h);
    harness_credentials (&h);
    begin = h.now;
    for (guint j = 0; j < 5; j++) {
      gchar foundation[] = { 'a' + j, 0 };

      harness_add_remote (
          &h, ICE_CANDIDATE_HOST, "192.0.2.2", 1 + j, foundation);
    }
    g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 1);
    for (guint j = 1; j < 5; j++) {
      harness_run_until (&h, begin + j * offers[i][1] * ICE_MSEC - 1);
      g_assert_cmpuint (g_queue_get_length (&h.sent), ==, j);
      harness_run_until (&h, begin + j * offers[i][1] * ICE_MSEC);
      g_assert_cmpuint (g_queue_get_length (&h.sent), ==, j + 1);
    }
    harness_clear (&h);
  }
}

/* A peer whose a=ice-pacing comes behind its first candidate: what was waiting
 * for 50 ms goes on at the pace agreed. */
static void
test_pacing_told_late (void)
{
  Harness h;
  IceTime begin;

  harness_init (&h, TRUE);
  harness_gather (&h);
  harness_credentials (&h);
  begin = h.now;
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "a");
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 2, "b");
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 1);
  harness_run_until (&h, begin + 2 * ICE_MSEC);
  ice_core_set_remote_pacing (h.core, 5);
  harness_run_until (&h, begin + 5 * ICE_MSEC - 1);
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 1);
  harness_run_until (&h, begin + 5 * ICE_MSEC);
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 2);
  harness_clear (&h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/checker/request", test_request);
  g_test_add_func ("/checker/retransmission", test_retransmission);
  g_test_add_func ("/checker/failure", test_failure);
  g_test_add_func ("/checker/unsigned-answers", test_unsigned_answers);
  g_test_add_func ("/checker/unexpected-answers", test_unexpected_answers);
  g_test_add_func ("/checker/asymmetric", test_asymmetric);
  g_test_add_func ("/checker/error", test_error);
  g_test_add_func ("/checker/role-conflict", test_role_conflict);
  g_test_add_func ("/checker/role-ping-pong", test_role_ping_pong);
  g_test_add_func ("/checker/learn-local", test_learn_local);
  g_test_add_func ("/checker/unreachable", test_unreachable);
  g_test_add_func ("/checker/unreachable-selected", test_unreachable_selected);
  g_test_add_func ("/checker/pacing", test_pacing);
  g_test_add_func ("/checker/pacing-told-late", test_pacing_told_late);
  return g_test_run ();
}
