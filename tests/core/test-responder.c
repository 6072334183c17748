/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

/* The order of checks (security.md 3), as a table: what comes, what goes. */
static void
test_order (void)
{
  static const struct
  {
    const gchar *name;
    Check check;
    IceVerdict verdict;
    guint code; /* 1000: silence */
  } table[] = {
    { "good", { 0 }, ICE_VERDICT_OK, 0 },
    { "sha256", { .sha256 = TRUE }, ICE_VERDICT_OK, 0 },
    { "no username", { .no_username = TRUE }, ICE_VERDICT_UNAUTHENTICATED,
        400 },
    { "no integrity", { .no_integrity = TRUE }, ICE_VERDICT_UNAUTHENTICATED,
        400 },
    { "wrong password", { .password = "wrongwrongwrongwrongwrong" },
        ICE_VERDICT_UNAUTHENTICATED, 401 },
    { "wrong password, sha256",
        { .password = "wrongwrongwrongwrongwrong", .sha256 = TRUE },
        ICE_VERDICT_UNAUTHENTICATED, 401 },
    { "stranger", { .username = "strange:peer" }, ICE_VERDICT_UNAUTHENTICATED,
        401 },
    { "unknown attribute", { .unknown = 0x7777 }, ICE_VERDICT_REFUSED, 420 },
    { "unknown attribute of a stranger",
        { .unknown = 0x7777, .password = "wrongwrongwrongwrongwrong" },
        ICE_VERDICT_UNAUTHENTICATED, 401 },
    { "optional attribute", { .unknown = 0xc057 }, ICE_VERDICT_OK, 0 },
    { "no priority", { .no_priority = TRUE }, ICE_VERDICT_REFUSED, 400 },
    { "no fingerprint", { .no_fingerprint = TRUE }, ICE_VERDICT_OK, 0 },
  };
  IceAddress peer = addr ("192.0.2.9", 9);
  IceCoreCounters counters;
  Harness h;

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    harness_init (&h, FALSE);
    harness_gather (&h);
    harness_credentials (&h);
    g_test_message ("%s", table[i].name);
    g_assert_cmpint (
        harness_check (&h, &peer, &table[i].check), ==, table[i].verdict);
    g_assert_cmpuint (harness_last_code (&h), ==, table[i].code);
    ice_core_get_counters (h.core, &counters);
    g_assert_cmpuint (counters.verdicts[table[i].verdict], ==, 1);
    /* Nothing but a good check changes anything. */
    g_assert_cmpuint (h.n_remote, ==, table[i].code == 0);
    g_assert_cmpuint (h.n_accepts, ==, table[i].code == 0);
    g_assert_cmpuint (h.n_first_check, ==, table[i].code == 0);
    harness_clear (&h);
  }
}

/* The USERNAME counts whole. */
static void
test_username (void)
{
  IceAddress peer = addr ("192.0.2.9", 9);
  const gchar *ufrag;
  Harness h;

  harness_init (&h, FALSE);
  harness_gather (&h);
  harness_credentials (&h);
  ufrag = ice_core_get_local_ufrag (h.core, h.stream);
  for (guint i = 0; i < 7; i++) {
    g_autofree gchar *username = NULL;
    Check check = { 0 };

    switch (i) {
      case 0:
        username = g_strdup_printf ("%s:", ufrag);
        break;
      case 1:
        username = g_strdup (ufrag);
        break;
      case 2:
        username = g_strdup_printf ("%sx:%s", ufrag, PEER_UFRAG);
        break;
      case 3:
        username = g_strdup_printf ("%.7s:%s", ufrag, PEER_UFRAG);
        break;
      case 4:
        username = g_strdup_printf ("%s:%sx", ufrag, PEER_UFRAG);
        break;
      case 5:
        username = g_strdup_printf ("%s:%s", PEER_UFRAG, ufrag);
        break;
      default:
        username = g_strdup_printf ("%s:pee", ufrag);
        break;
    }
    check.username = username;
    g_assert_cmpint (
        harness_check (&h, &peer, &check), ==, ICE_VERDICT_UNAUTHENTICATED);
    g_assert_cmpuint (harness_last_code (&h), ==, 401);
  }
  g_assert_cmpuint (h.n_remote, ==, 0);
  harness_clear (&h);
}

/* Answers are signed and reflect the source (RFC 8445 7.3), and no error is
 * larger than the request (security.md 3.11). */
static void
test_answers (void)
{
  static const Check checks[] = { { 0 }, { .sha256 = TRUE },
    { .no_integrity = TRUE }, { .unknown = 0x7777 }, { .no_priority = TRUE } };
  IceAddress peer = addr ("192.0.2.9", 9), mapped;
  IceStunMessage message;
  Harness h;

  for (guint i = 0; i < G_N_ELEMENTS (checks); i++) {
    IceStunIntegrity integrity =
        checks[i].sha256 ? ICE_STUN_INTEGRITY_SHA256 : ICE_STUN_INTEGRITY_SHA1;
    g_autoptr (IceStunKey) key = NULL;
    g_autoptr (IcePacket) request = NULL;
    Sent *answer;

    harness_init (&h, FALSE);
    harness_gather (&h);
    harness_credentials (&h);
    key =
        ice_stun_key_new_short_term (ice_core_get_local_pwd (h.core, h.stream));
    request = harness_build_check (&h, &checks[i]);
    harness_receive (&h, &peer, request);
    answer =
        harness_pop (&h, i < 2 ? ICE_STUN_SUCCESS : ICE_STUN_ERROR, &message);
    g_assert_nonnull (answer);
    g_assert_true (ice_address_equal (&answer->to, &peer));
    g_assert_cmpuint (message.fingerprint, >, 0);
    g_assert_true (ice_stun_id_equal (message.id, request->data + 8));
    g_assert_cmpint (
        ice_stun_message_verify (&message, key, integrity), ==, i != 2);
    g_assert_false (ice_stun_message_has (&message, ICE_STUN_SOFTWARE));
    g_assert_cmpuint (answer->packet->size, <=, request->size);
    if (i < 2) {
      g_assert_true (ice_stun_message_get_xor_address (
          &message, ICE_STUN_XOR_MAPPED_ADDRESS, &mapped));
      g_assert_true (ice_address_equal (&mapped, &peer));
    }
    sent_free (answer);
    harness_clear (&h);
  }
}

/* RFC 8445 7.3.1.1: all roles, and equal tie-breakers. */
static void
test_role_conflict (void)
{
  static const struct
  {
    gboolean controlling, peer_controlled;
    guint64 peer_tie_breaker;
    guint code;
    gboolean controlling_after;
  } table[] = {
    { TRUE, TRUE, 0, 0, TRUE },               /* no conflict */
    { FALSE, FALSE, 0, 0, FALSE },            /* no conflict */
    { TRUE, FALSE, 0, 487, TRUE },            /* ours is larger */
    { TRUE, FALSE, G_MAXUINT64, 0, FALSE },   /* theirs is */
    { FALSE, TRUE, 0, 0, TRUE },              /* ours is larger */
    { FALSE, TRUE, G_MAXUINT64, 487, FALSE }, /* theirs is */
  };
  IceAddress peer = addr ("192.0.2.9", 9);
  Harness h;

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    Check check = { .controlled = table[i].peer_controlled,
      .tie_breaker = table[i].peer_tie_breaker };

    harness_init (&h, table[i].controlling);
    harness_gather (&h);
    harness_credentials (&h);
    harness_check (&h, &peer, &check);
    g_assert_cmpuint (harness_last_code (&h), ==, table[i].code);
    g_assert_cmpint (
        ice_core_get_controlling (h.core), ==, table[i].controlling_after);
    g_assert_cmpuint (
        h.n_roles, ==, table[i].controlling != table[i].controlling_after);
    g_assert_cmpuint (h.n_remote, ==, table[i].code == 0);
    harness_clear (&h);
  }
}

/* Equal tie-breakers: the controlling side stays, the controlled one turns. */
static void
test_equal_tie_breakers (void)
{
  IceAddress peer = addr ("192.0.2.9", 9);
  IceStunMessage message;
  Harness h;

  for (guint controlling = 0; controlling < 2; controlling++) {
    Check check = { .controlled = !controlling };
    Sent *sent;

    harness_start (&h, controlling);
    sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
    g_assert_true (ice_stun_message_get_u64 (&message,
        controlling ? ICE_STUN_ICE_CONTROLLING : ICE_STUN_ICE_CONTROLLED,
        &check.tie_breaker));
    harness_check (&h, &peer, &check);
    g_assert_cmpuint (harness_last_code (&h), ==, controlling ? 487 : 0);
    g_assert_true (ice_core_get_controlling (h.core));
    sent_free (sent);
    harness_clear (&h);
  }
}

/* RFC 8445 7.3: before the answer: answered at once, checked when the
 * credentials come. */
static void
test_early (void)
{
  Harness h;
  Check check = { .use_candidate = TRUE };
  IceStunMessage message;
  guint n = 0;
  Sent *sent;

  harness_init (&h, FALSE);
  harness_gather (&h);
  for (guint i = 0; i < 100; i++) {
    IceAddress peer = addr ("192.0.2.9", 1000 + i);

    g_assert_cmpint (harness_check (&h, &peer, &check), ==, ICE_VERDICT_OK);
    g_assert_cmpuint (harness_last_code (&h), ==, 0);
  }
  g_assert_cmpuint (h.n_remote, ==, 0);
  g_assert_cmpuint (h.n_first_check, ==, 1);
  harness_forget_sent (&h);
  harness_credentials (&h);
  harness_run_for (&h, 400 * ICE_MSEC);
  while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
    g_assert_cmpuint (sent->to.port, >=, 1000 + 100 - 32);
    n++;
    if (n == 1)
      g_assert_cmpint (harness_answer (&h, sent), ==, ICE_VERDICT_OK);
    sent_free (sent);
  }
  g_assert_cmpuint (n, ==, 32);
  /* It was nominated before we knew the password. */
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  harness_clear (&h);
}

/* RFC 8445 7.3.1.3, 7.3.1.4: learnt, checked, and only from there. */
static void
test_learn_remote (void)
{
  IceAddress peer = addr ("192.0.2.9", 9);
  g_autoptr (GPtrArray) remotes = NULL;
  Check check = { .priority = 12345 };
  IceStunMessage message;
  IceCandidate *learnt;
  Harness h;
  Sent *sent;

  harness_init (&h, FALSE);
  harness_gather (&h);
  harness_credentials (&h);
  harness_check (&h, &peer, &check);
  remotes = ice_core_get_remote_candidates (h.core, h.stream);
  g_assert_cmpuint (remotes->len, ==, 1);
  learnt = g_ptr_array_index (remotes, 0);
  g_assert_cmpint (learnt->kind, ==, ICE_CANDIDATE_PEER_REFLEXIVE);
  g_assert_cmpuint (learnt->priority, ==, 12345);
  g_assert_cmpuint (h.n_remote, ==, 1);
  sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
  g_assert_true (ice_address_equal (&sent->to, &peer));
  sent_free (sent);
  harness_clear (&h);
}

/* security.md 0.7: what an authenticated peer can make us do ends at the cap;
 * answers do not. */
static void
test_flood (void)
{
  g_autoptr (GArray) stats = g_array_new (FALSE, FALSE, sizeof (IcePairStats));
  Check check = { 0 };
  Harness h;

  harness_init (&h, FALSE);
  harness_gather (&h);
  harness_credentials (&h);
  for (guint i = 0; i < 2000; i++) {
    IceAddress peer = addr ("192.0.2.9", 1000 + i);

    peer.ip[2] = i % 250;
    harness_forget_sent (&h);
    g_assert_cmpint (harness_check (&h, &peer, &check), ==, ICE_VERDICT_OK);
    g_assert_cmpuint (harness_last_code (&h), ==, 0);
  }
  ice_core_get_pair_stats (h.core, stats);
  g_assert_cmpuint (stats->len, ==, 100);
  g_assert_cmpuint (h.n_remote, ==, 100);
  g_assert_cmpuint (h.n_accepts, <=, 64);
  harness_clear (&h);
}

/* Two NATs that map by address and port and let everybody in: each check is
 * seen to come from a new port, and the check of that port from another one.
 * The chase ends, and there is room for whoever comes another way. */
static void
test_chase (void)
{
  IceAddress relay = addr ("192.0.2.77", 3000);
  Check check = { 0 }, nominating = { .use_candidate = TRUE };
  Harness h;

  harness_init (&h, FALSE);
  harness_gather (&h);
  harness_credentials (&h);
  for (guint i = 0; i < 200; i++) {
    IceAddress peer = addr ("192.0.2.9", 1000 + i);

    g_assert_cmpint (harness_check (&h, &peer, &check), ==, ICE_VERDICT_OK);
    harness_run_for (&h, 60 * ICE_MSEC);
  }
  g_assert_cmpuint (h.n_remote, ==, 8);
  g_assert_cmpint (harness_check (&h, &relay, &check), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (h.n_remote, ==, 9);
  /* What is nominated the peer has seen to work. */
  relay = addr ("192.0.2.9", 2000);
  g_assert_cmpint (harness_check (&h, &relay, &nominating), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (h.n_remote, ==, 10);
  harness_clear (&h);
}

/* A flood of unsigned rubbish is answered at most 1000 times a second. */
static void
test_unsigned_flood (void)
{
  IceAddress peer = addr ("192.0.2.9", 9);
  Check check = { .no_integrity = TRUE };
  Harness h;

  harness_init (&h, FALSE);
  harness_gather (&h);
  for (guint i = 0; i < 3000; i++)
    harness_check (&h, &peer, &check);
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 1000);
  h.now += 1 * ICE_SECOND;
  harness_check (&h, &peer, &check);
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 1001);
  harness_clear (&h);
}

/* An eager peer does not make us send a check for each of its own. */
static void
test_trigger_rate (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  IceStunMessage message;
  Check check = { 0 };
  guint n = 0;
  Harness h;
  Sent *sent;

  harness_start (&h, FALSE);
  for (guint i = 0; i < 100; i++) {
    harness_check (&h, &peer, &check);
    harness_run_for (&h, 10 * ICE_MSEC);
  }
  while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
    sent_free (sent);
    n++;
  }
  g_assert_cmpuint (n, <=, 5);
  harness_clear (&h);
}

/* RFC 8445 7.3.1.5: nominated only when our own check succeeded. */
static void
test_nomination (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  Check check = { .use_candidate = TRUE };
  Harness h;

  harness_start (&h, FALSE);
  harness_check (&h, &peer, &check);
  g_assert_cmpint (h.state, ==, ICE_STATE_CHECKING);
  g_assert_cmpuint (h.route_socket, ==, 0);
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_true (h.nominated);
  harness_clear (&h);
}

/* USE-CANDIDATE of a controlled peer means nothing. */
static void
test_nomination_by_controlled (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  Check check = { .use_candidate = TRUE, .controlled = TRUE };
  IceStunMessage message;
  Harness h;
  Sent *sent;

  harness_start (&h, TRUE);
  sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
  harness_check (&h, &peer, &check);
  harness_answer (&h, sent);
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  g_assert_false (h.nominated);
  sent_free (sent);
  harness_clear (&h);
}

/* Unauthenticated input changes nothing: not even the deadline (I6). */
static void
test_garbage (void)
{
  IceAddress peer = addr ("192.0.2.9", 9);
  IceTime deadline;
  Harness h;

  harness_start (&h, FALSE);
  deadline = h.deadline;
  for (guint i = 0; i < 2000; i++) {
    guint8 bytes[64];
    IceDatagram in = {
      .socket = h.socket, .from = peer, .data = ICE_BYTES (bytes, i % 65)
    };

    harness_random (&h, bytes, sizeof bytes);
    bytes[0] &= 3;
    if (i % 2)
      memcpy (bytes + 4, "\x21\x12\xa4\x42", 4);
    ice_core_receive (h.core, &in, h.now);
  }
  harness_pump (&h);
  g_assert_cmpuint (h.n_remote + h.n_accepts + h.n_roles, ==, 0);
  g_assert_cmpint (h.deadline, ==, deadline);
  g_assert_cmpint (h.state, ==, ICE_STATE_CHECKING);
  harness_clear (&h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/responder/order", test_order);
  g_test_add_func ("/responder/username", test_username);
  g_test_add_func ("/responder/answers", test_answers);
  g_test_add_func ("/responder/role-conflict", test_role_conflict);
  g_test_add_func ("/responder/equal-tie-breakers", test_equal_tie_breakers);
  g_test_add_func ("/responder/early", test_early);
  g_test_add_func ("/responder/learn-remote", test_learn_remote);
  g_test_add_func ("/responder/flood", test_flood);
  g_test_add_func ("/responder/chase", test_chase);
  g_test_add_func ("/responder/unsigned-flood", test_unsigned_flood);
  g_test_add_func ("/responder/trigger-rate", test_trigger_rate);
  g_test_add_func ("/responder/nomination", test_nomination);
  g_test_add_func (
      "/responder/nomination-by-controlled", test_nomination_by_controlled);
  g_test_add_func ("/responder/garbage", test_garbage);
  return g_test_run ();
}
