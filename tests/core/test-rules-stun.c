/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about messages: what an attacker who has no password can make of a
 * check or of an answer, which is nothing. Tests are named after the rules;
 * each rule stands above its first test. */
#include "hostile.h"

static IceAddress
peer_address (void)
{
  return addr ("192.0.2.2", 1);
}

static IceAddress
attacker_address (void)
{
  return addr (ATTACKER_IP, 4444);
}

/* The check is under way; (transfer full). */
static Sent *
start_check (Harness *h, gboolean controlling)
{
  IceStunMessage message;
  Sent *request;

  harness_start (h, controlling);
  request = harness_pop (h, ICE_STUN_REQUEST, &message);
  g_assert_nonnull (request);
  harness_forget_sent (h);
  return request;
}

/* (transfer full) the next request of a pair that is selected: consent. */
static Sent *
wait_for_consent_request (Harness *h)
{
  IceStunMessage message;
  Sent *request = NULL;

  harness_forget_sent (h);
  for (guint i = 0; i < 65 && request == NULL; i++) {
    harness_run_for (h, 100 * ICE_MSEC);
    request = harness_pop (h, ICE_STUN_REQUEST, &message);
  }
  g_assert_nonnull (request);
  return request;
}

/* Whatever it is, it changes nothing and costs at most one short answer. */
static void
assert_powerless (Harness *h, const GByteArray *raw)
{
  IceAddress from = attacker_address ();
  g_autofree gchar *before = harness_snapshot (h), *after = NULL;

  harness_forget_sent (h);
  g_assert_cmpint (raw_receive (h, &from, raw), !=, ICE_VERDICT_OK);
  after = harness_snapshot (h);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpuint (g_queue_get_length (&h->sent), <=, 1);
  /* RFC 8489 16.1.2: header, ERROR-CODE without a phrase, FINGERPRINT. */
  g_assert_cmpuint (sent_size (h), <=, 36);
  harness_forget_sent (h);
}

/* 1: attributes after MESSAGE-INTEGRITY are invisible. */

static void
test_use_candidate_after_integrity (void)
{
  for (guint i = 0; i < 2; i++) {
    gboolean after = i == 0;
    IceAddress peer = peer_address ();
    g_autoptr (GByteArray) raw = NULL;
    Harness h;

    harness_start (&h, FALSE);
    g_assert_true (harness_answer_next (&h));
    raw = raw_check (&h, (Check){ .use_candidate = !after });
    raw_append_mac (raw, ice_core_get_local_pwd (h.core, h.stream),
        ICE_STUN_INTEGRITY_SHA1, 20);
    if (after)
      raw_append (raw, ICE_STUN_USE_CANDIDATE, NULL, 0);
    g_assert_cmpint (raw_receive (&h, &peer, raw), ==, ICE_VERDICT_OK);
    g_assert_cmpuint (harness_last_code (&h), ==, 0);
    g_assert_cmpint (h.nominated, ==, !after);
    harness_clear (&h);
  }
}

static void
test_priority_after_integrity (void)
{
  static const guint8 priority[4] = { 0x6e, 0xff, 0xff, 0xff };
  IceAddress from = attacker_address ();
  g_autoptr (GByteArray) raw = NULL;
  Harness h;

  harness_start (&h, FALSE);
  raw = raw_check (&h, (Check){ .no_priority = TRUE });
  raw_append_mac (raw, ice_core_get_local_pwd (h.core, h.stream),
      ICE_STUN_INTEGRITY_SHA1, 20);
  raw_append (raw, ICE_STUN_PRIORITY, priority, sizeof priority);
  g_assert_cmpint (raw_receive (&h, &from, raw), ==, ICE_VERDICT_REFUSED);
  g_assert_cmpuint (harness_last_code (&h), ==, 400);
  g_assert_cmpuint (h.n_remote, ==, 0);
  g_assert_cmpuint (h.n_accepts, ==, 0);
  harness_clear (&h);
}

/* A role of the wrong kind and a comprehension-required type nobody knows: both
 * would be answered with an error if they were seen. */
static void
test_role_and_unknown_after_integrity (void)
{
  static const guint8 tie_breaker[8] = { 0xff, 0xff, 0xff, 0xff, 0xff };
  IceAddress peer = peer_address ();
  g_autoptr (GByteArray) raw = NULL;
  Harness h;

  harness_start (&h, TRUE);
  raw = raw_check (&h, (Check){ .controlled = TRUE });
  raw_append_mac (raw, ice_core_get_local_pwd (h.core, h.stream),
      ICE_STUN_INTEGRITY_SHA1, 20);
  raw_append (raw, ICE_STUN_ICE_CONTROLLING, tie_breaker, sizeof tie_breaker);
  raw_append (raw, 0x7abc, tie_breaker, 4);
  g_assert_cmpint (raw_receive (&h, &peer, raw), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (harness_last_code (&h), ==, 0);
  g_assert_true (h.controlling);
  g_assert_cmpuint (h.n_roles, ==, 0);
  harness_clear (&h);
}

/* (transfer full) an answer whose attribute @type stands behind the MAC. */
static GByteArray *
answer_with_late (const Sent *request, IceStunClass klass, guint16 type)
{
  static const guint8 revoked[4] = { 0, 0, 4, 3 };
  static const guint8 mapped[8] = { 0, 1, 0x32, 0x9a, 0xe1, 0x12, 0xa6, 0x43 };
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;
  GByteArray *raw;

  ice_stun_builder_init (
      &builder, klass, ICE_STUN_BINDING, request->packet->data + 8);
  if (klass == ICE_STUN_SUCCESS && type == ICE_STUN_ERROR_CODE)
    ice_stun_builder_add_xor_address (
        &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &request->to);
  packet = ice_stun_builder_end (&builder);
  raw = raw_from_packet (packet);
  raw_append_mac (raw, PEER_PWD, ICE_STUN_INTEGRITY_SHA1, 20);
  if (type == ICE_STUN_ERROR_CODE)
    raw_append (raw, type, revoked, sizeof revoked);
  else
    raw_append (raw, type, mapped, sizeof mapped);
  return raw;
}

static void
test_answer_after_integrity (void)
{
  static const struct
  {
    IceStunClass klass;
    guint16 type;
    IceVerdict verdict;
  } rows[] = {
    { ICE_STUN_SUCCESS, ICE_STUN_XOR_MAPPED_ADDRESS, ICE_VERDICT_MALFORMED },
    { ICE_STUN_ERROR, ICE_STUN_ERROR_CODE, ICE_VERDICT_MALFORMED },
    { ICE_STUN_SUCCESS, ICE_STUN_ERROR_CODE, ICE_VERDICT_OK },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IceAddress peer = peer_address ();
    g_autoptr (GByteArray) raw = NULL;
    Sent *request;
    Harness h;

    request = start_check (&h, TRUE);
    raw = answer_with_late (request, rows[i].klass, rows[i].type);
    g_assert_cmpint (raw_receive (&h, &peer, raw), ==, rows[i].verdict);
    g_assert_cmpint (h.state, ==,
        rows[i].verdict == ICE_VERDICT_OK ? ICE_STATE_CONNECTED
                                          : ICE_STATE_CHECKING);
    sent_free (request);
    harness_clear (&h);
  }
}

/* 2: a response is nothing until its integrity was verified. */

static const guint answer_codes[] = { 0, 300, 400, 401, 403, 420, 438, 487,
  500 };

static void
test_unsigned_answers (void)
{
  static const gchar *const passwords[] = { NULL, "",
    "peerspasswordof24lettera", PEER_PWD "x" };
  IceAddress peer = peer_address ();
  Sent *request;
  Harness h;

  request = start_check (&h, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (answer_codes); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (passwords); j++) {
      g_autofree gchar *before = harness_snapshot (&h), *after = NULL;

      g_assert_cmpint (harness_answer_from (&h, request, &peer, &h.host,
                           answer_codes[i], passwords[j]),
          ==, ICE_VERDICT_UNAUTHENTICATED);
      after = harness_snapshot (&h);
      g_assert_cmpstr (before, ==, after);
    }
  }
  g_assert_true (g_queue_is_empty (&h.sent));
  /* And it keeps being resent, until the real answer comes. */
  harness_run_for (&h, 2 * ICE_SECOND);
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 2);
  g_assert_cmpint (harness_answer (&h, request), ==, ICE_VERDICT_OK);
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  sent_free (request);
  harness_clear (&h);
}

/* RFC 8445 7.1: the algorithm of the request, MESSAGE-INTEGRITY. */
static void
test_answer_of_other_algorithm (void)
{
  IceAddress peer = peer_address ();
  g_autoptr (IcePacket) packet = NULL;
  g_autoptr (GByteArray) raw = NULL;
  IceStunBuilder builder;
  Sent *request;
  Harness h;

  request = start_check (&h, TRUE);
  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, request->packet->data + 8);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &h.host);
  packet = ice_stun_builder_end (&builder);
  raw = raw_from_packet (packet);
  raw_append_mac (raw, PEER_PWD, ICE_STUN_INTEGRITY_SHA256, 32);
  g_assert_cmpint (
      raw_receive (&h, &peer, raw), ==, ICE_VERDICT_UNAUTHENTICATED);
  g_assert_cmpint (h.state, ==, ICE_STATE_CHECKING);
  sent_free (request);
  harness_clear (&h);
}

/* Nobody revokes consent (RFC 7675 5.2) or fails the selected pair without the
 * password. */
static void
test_unsigned_answer_to_consent (void)
{
  IceAddress peer = peer_address ();
  Sent *request;
  Harness h;

  harness_complete (&h, TRUE);
  request = wait_for_consent_request (&h);
  for (guint i = 0; i < G_N_ELEMENTS (answer_codes); i++)
    g_assert_cmpint (harness_answer_from (
                         &h, request, &peer, &h.host, answer_codes[i], NULL),
        ==, ICE_VERDICT_UNAUTHENTICATED);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpint (harness_answer (&h, request), ==, ICE_VERDICT_OK);
  sent_free (request);
  harness_clear (&h);
}

/* 3.2: a signed answer from elsewhere proves nothing about the path. RFC 8445
 * 7.2.5.2.1 fails the pair; a pair that is valid already stays, and the true
 * answer still counts. */
static void
test_answer_from_elsewhere (void)
{
  IceAddress elsewhere = attacker_address ();
  IceStunMessage message;
  Sent *request;
  Harness h;

  request = start_check (&h, TRUE);
  g_assert_cmpint (
      harness_answer_from (&h, request, &elsewhere, &h.host, 0, PEER_PWD), ==,
      ICE_VERDICT_UNEXPECTED);
  g_assert_cmpuint (h.route_socket, ==, 0);
  g_assert_cmpuint (h.n_accepts, ==, 0);
  sent_free (request);
  harness_clear (&h);

  /* The nominating check. */
  harness_start (&h, TRUE);
  g_assert_true (harness_answer_next (&h));
  harness_run_for (&h, 10 * ICE_MSEC); /* Ta */
  request = harness_pop (&h, ICE_STUN_REQUEST, &message);
  g_assert_nonnull (request);
  g_assert_true (ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE));
  g_assert_cmpint (
      harness_answer_from (&h, request, &elsewhere, &h.host, 0, PEER_PWD), ==,
      ICE_VERDICT_UNEXPECTED);
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  g_assert_cmpint (harness_answer (&h, request), ==, ICE_VERDICT_OK);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  sent_free (request);

  /* Consent. */
  request = wait_for_consent_request (&h);
  g_assert_cmpint (
      harness_answer_from (&h, request, &elsewhere, &h.host, 0, PEER_PWD), ==,
      ICE_VERDICT_UNEXPECTED);
  g_assert_cmpint (harness_answer (&h, request), ==, ICE_VERDICT_OK);
  sent_free (request);
  harness_clear (&h);
}

/* 6: the whole USERNAME. */

static void
test_whole_username (void)
{
  static const gchar *const patterns[] = { "", ":", "%s", "%s:", ":" PEER_UFRAG,
    "%s:" PEER_UFRAG "x", "%s:pee", "%s:peeR", "%s:x" PEER_UFRAG,
    "x%s:" PEER_UFRAG, "%s:" PEER_UFRAG ":", "%s::" PEER_UFRAG,
    "%sx:" PEER_UFRAG, "%s" PEER_UFRAG, PEER_UFRAG ":%s",
    "%s:" PEER_UFRAG ":" PEER_UFRAG, " %s:" PEER_UFRAG, "%s:" PEER_UFRAG " " };
  Harness h;

  harness_start (&h, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (patterns); i++) {
    g_auto (GStrv) halves = g_strsplit (patterns[i], "%s", -1);
    g_autofree gchar *username =
        g_strjoinv (ice_core_get_local_ufrag (h.core, h.stream), halves);
    g_autoptr (GByteArray) raw =
        raw_check (&h, (Check){ .username = username });

    raw_append_mac (raw, ice_core_get_local_pwd (h.core, h.stream),
        ICE_STUN_INTEGRITY_SHA1, 20);
    assert_powerless (&h, raw);
  }
  harness_clear (&h);
}

/* Before the answer only our half is known; the other is bounded all the same,
 * since it is kept (RFC 8839 5.4: 256 characters). */
static void
test_whole_username_early (void)
{
  g_autofree gchar *endless = g_strnfill (60000, 'x');
  g_autofree gchar *username = NULL;
  g_autoptr (GByteArray) raw = NULL;
  Harness h;

  harness_init (&h, FALSE);
  harness_gather (&h);
  username = g_strdup_printf (
      "%s:%s", ice_core_get_local_ufrag (h.core, h.stream), endless);
  raw = raw_check (&h, (Check){ .username = username });
  raw_append_mac (raw, ice_core_get_local_pwd (h.core, h.stream),
      ICE_STUN_INTEGRITY_SHA1, 20);
  assert_powerless (&h, raw);
  harness_clear (&h);
}

/* 6: the whole MAC, and not one byte more or less. */
static void
test_whole_integrity (void)
{
  static const guint16 sizes[] = { 0, 1, 4, 8, 12, 16, 19, 20, 21, 24, 28, 31,
    32, 33 };
  IceAddress peer = peer_address ();
  Harness h;

  harness_start (&h, FALSE);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (sizes); i++) {
    gboolean sha256 = i % 2 == 1;
    guint16 size = sizes[i / 2], whole = sha256 ? 32 : 20;
    g_autoptr (GByteArray) raw = raw_check (&h, (Check){ 0 });

    if (size > 32 || (!sha256 && size > 20)) {
      static const guint8 zeros[33] = { 0 };

      raw_append (raw,
          sha256 ? ICE_STUN_MESSAGE_INTEGRITY_SHA256
                 : ICE_STUN_MESSAGE_INTEGRITY,
          zeros, size);
    } else {
      raw_append_mac (raw, ice_core_get_local_pwd (h.core, h.stream),
          sha256 ? ICE_STUN_INTEGRITY_SHA256 : ICE_STUN_INTEGRITY_SHA1, size);
    }
    if (size == whole)
      g_assert_cmpint (raw_receive (&h, &peer, raw), ==, ICE_VERDICT_OK);
    else
      assert_powerless (&h, raw);
  }
  harness_clear (&h);
}

/* 11: each condition alone, both ways. */
static void
test_credentials_truth_table (void)
{
  for (guint i = 0; i < 16; i++) {
    gboolean no_name = i & 1, no_mac = i & 2;
    gboolean bad_name = i & 4, bad_mac = i & 8;
    Check check = { .no_username = no_name,
      .no_integrity = no_mac,
      .username = bad_name ? "some:body" : NULL,
      .password = bad_mac ? "notthepasswordof24letters" : NULL };
    IceAddress peer = peer_address ();
    guint wanted = 0;
    Harness h;

    if (no_name || no_mac)
      wanted = 400;
    else if (bad_name || bad_mac)
      wanted = 401;
    harness_start (&h, FALSE);
    harness_check (&h, &peer, &check);
    g_assert_cmpuint (harness_last_code (&h), ==, wanted);
    g_assert_cmpuint (h.n_accepts, ==, wanted == 0);
    g_assert_cmpuint (h.n_first_check, ==, wanted == 0);
    harness_clear (&h);
  }
}

/* 9, 3.1: every bit flipped, every truncation, some bytes more, at every
 * alignment. Padding is covered by the MAC as well. */
static void
test_mangled_checks (void)
{
  IceAddress from = attacker_address ();
  g_autoptr (IcePacket) packet = NULL;
  g_autoptr (GByteArray) raw = NULL;
  g_autofree gchar *before = NULL, *after = NULL;
  Check check = { .use_candidate = TRUE };
  Harness h;

  harness_start (&h, FALSE);
  before = harness_snapshot (&h);
  packet = harness_build_check (&h, &check);
  raw = raw_from_packet (packet);
  for (guint i = 0; i < raw->len * 8; i++) {
    /* Not FINGERPRINT's type: with another it is one more attribute behind the
     * MAC, which nobody looks at. */
    if (i / 8 == raw->len - 8 || i / 8 == raw->len - 7)
      continue;
    raw->data[i / 8] ^= (guint8) (1 << i % 8);
    g_assert_cmpint (raw_receive (&h, &from, raw), !=, ICE_VERDICT_OK);
    raw->data[i / 8] ^= (guint8) (1 << i % 8);
  }
  for (guint size = 0; size < raw->len; size++)
    g_assert_cmpint (
        harness_receive_bytes (&h, &from, raw->data, size), !=, ICE_VERDICT_OK);
  /* The same, with lengths that agree and FINGERPRINT gone. */
  for (guint size = raw->len - 12; size >= 20; size -= 4) {
    g_autoptr (GByteArray) shorter = g_byte_array_new ();

    g_byte_array_append (shorter, raw->data, size);
    raw_set_length (shorter, size - 20);
    g_assert_cmpint (raw_receive (&h, &from, shorter), !=, ICE_VERDICT_OK);
  }
  after = harness_snapshot (&h);
  g_assert_cmpstr (before, ==, after);
  /* And unharmed it is taken at every alignment. */
  for (guint i = 0; i < 8; i++)
    g_assert_cmpint (raw_receive (&h, &from, raw), ==, ICE_VERDICT_OK);
  harness_clear (&h);
}

/* 3.6: a flood without the password is answered a thousand times a second at
 * most, keeps nothing, and the valid peer is served during it. */
static void
test_unsigned_flood (void)
{
  Check forged = { .password = "notthepasswordof24letters" }, valid = { 0 };
  IceAddress peer = peer_address ();
  g_autofree gchar *before = NULL, *after = NULL;
  g_autoptr (IcePacket) packet = NULL;
  Harness h;

  harness_start (&h, FALSE);
  harness_forget_sent (&h);
  before = harness_snapshot (&h);
  packet = harness_build_check (&h, &forged);
  for (guint i = 0; i < 20000; i++) {
    IceAddress from = addr (ATTACKER_IP, (guint16) (i % 60000 + 1));

    g_assert_cmpint (
        harness_receive (&h, &from, packet), ==, ICE_VERDICT_UNAUTHENTICATED);
  }
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 1000);
  after = harness_snapshot (&h);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpuint (
      harness_count_verdicts (&h, ICE_VERDICT_UNAUTHENTICATED), ==, 20000);
  harness_forget_sent (&h);
  g_assert_cmpint (harness_check (&h, &peer, &valid), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (harness_last_code (&h), ==, 0);
  harness_clear (&h);
}

/* 3.29: another session's credentials, and those of before a restart. */
static void
test_other_session (void)
{
  Check valid = { 0 };
  IceAddress peer = peer_address ();
  g_autoptr (IcePacket) packet = NULL;
  g_autoptr (GByteArray) raw = NULL;
  Harness a, b;

  harness_start (&a, FALSE);
  harness_init (&b, FALSE);
  ice_core_restart (b.core, b.stream, b.now); /* other dice */
  harness_gather (&b);
  harness_credentials (&b);
  packet = harness_build_check (&a, &valid);
  raw = raw_from_packet (packet);
  assert_powerless (&b, raw);
  g_assert_cmpint (raw_receive (&a, &peer, raw), ==, ICE_VERDICT_OK);
  ice_core_restart (a.core, a.stream, a.now);
  harness_pump (&a);
  assert_powerless (&a, raw);
  harness_clear (&a);
  harness_clear (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rules/1/use-candidate-after-integrity",
      test_use_candidate_after_integrity);
  g_test_add_func (
      "/rules/1/priority-after-integrity", test_priority_after_integrity);
  g_test_add_func ("/rules/1/role-and-unknown-after-integrity",
      test_role_and_unknown_after_integrity);
  g_test_add_func (
      "/rules/1/answer-after-integrity", test_answer_after_integrity);
  g_test_add_func ("/rules/2/unsigned-answers", test_unsigned_answers);
  g_test_add_func (
      "/rules/2/answer-of-other-algorithm", test_answer_of_other_algorithm);
  g_test_add_func (
      "/rules/2/unsigned-answer-to-consent", test_unsigned_answer_to_consent);
  g_test_add_func (
      "/rules/3.2/answer-from-elsewhere", test_answer_from_elsewhere);
  g_test_add_func ("/rules/6/whole-username", test_whole_username);
  g_test_add_func ("/rules/6/whole-username-early", test_whole_username_early);
  g_test_add_func ("/rules/6/whole-integrity", test_whole_integrity);
  g_test_add_func (
      "/rules/11/credentials-truth-table", test_credentials_truth_table);
  g_test_add_func ("/rules/9/mangled-checks", test_mangled_checks);
  g_test_add_func ("/rules/3.6/unsigned-flood", test_unsigned_flood);
  g_test_add_func ("/rules/3.29/other-session", test_other_session);
  return g_test_run ();
}
