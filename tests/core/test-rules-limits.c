/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about sizes: of names, of credentials, of padding and of what we answer
 * to whom. */
#include "hostile.h"

static IceAddress
peer_address (void)
{
  return addr ("192.0.2.2", 1);
}

/* 10: no fixed buffers for names. */
static void
test_longest_names (void)
{
  g_autofree gchar *ours = g_strnfill (256, 'o');
  g_autofree gchar *theirs = g_strnfill (256, 't');
  g_autofree gchar *pwd = g_strnfill (256, 'p');
  g_autofree gchar *username = g_strdup_printf ("%s:%s", ours, theirs);
  Check check = { .username = username };
  IceAddress peer = peer_address ();
  IceStunMessage message;
  Sent *request;
  Harness h;

  harness_init (&h, FALSE);
  g_assert_true (ice_core_set_local_credentials (h.core, h.stream, ours, pwd));
  harness_gather (&h);
  g_assert_true (
      ice_core_set_remote_credentials (h.core, h.stream, theirs, pwd, h.now));
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  request = harness_pop (&h, ICE_STUN_REQUEST, &message);
  g_assert_nonnull (request);
  g_assert_cmpint (
      harness_answer_from (&h, request, &peer, &h.host, 0, pwd), ==, 0);
  g_assert_cmpint (harness_check (&h, &peer, &check), ==, ICE_VERDICT_OK);
  sent_free (request);
  harness_clear (&h);

  harness_init (&h, FALSE);
  g_assert_false (
      ice_core_set_local_credentials (h.core, h.stream, "abc", pwd));
  g_assert_false (
      ice_core_set_remote_credentials (h.core, h.stream, "abc", pwd, h.now));
  g_assert_false (ice_core_set_remote_credentials (
      h.core, h.stream, theirs, "twentyonecharacterss!", h.now));
  g_assert_false (
      ice_core_set_remote_credentials (h.core, h.stream, username, pwd, h.now));
  harness_clear (&h);
}

/* 3.4: 24 bits of ufrag and 128 of password at least, of our dice, and both new
 * at a restart (RFC 8445 5.3). */
static void
test_own_credentials (void)
{
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Harness h;

  harness_init (&h, TRUE);
  for (guint i = 0; i < 500; i++) {
    guint stream = i % 2 ? ice_core_add_stream (h.core) : h.stream;
    const gchar *ufrag, *pwd;

    if (stream == h.stream)
      ice_core_restart (h.core, stream, h.now);
    ufrag = ice_core_get_local_ufrag (h.core, stream);
    pwd = ice_core_get_local_pwd (h.core, stream);
    g_assert_cmpuint (strlen (ufrag), >=, 4);
    g_assert_cmpuint (strlen (pwd), >=, 22);
    for (const gchar *c = pwd; *c; c++)
      g_assert_true (g_ascii_isalnum (*c) || *c == '+' || *c == '/');
    g_assert_true (g_hash_table_add (seen, g_strdup (ufrag)));
    g_assert_true (g_hash_table_add (seen, g_strdup (pwd)));
  }
  harness_clear (&h);
}

/* 3.23: nothing but ice-char in credentials. */
static void
test_credentials_injection (void)
{
  static const gchar *const bad[] = { "\r\n", "\n", "\r", " ", "\t", ":", "\"",
    "%", "=", "\xc3\xa4", "\x7f", "\x01", "a b", ";" };
  Harness h;

  harness_init (&h, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree gchar *ufrag = g_strdup_printf ("abcd%sef", bad[i]);
    g_autofree gchar *pwd = g_strdup_printf ("%s%s", PEER_PWD, bad[i]);

    g_assert_false (ice_core_set_remote_credentials (
        h.core, h.stream, ufrag, PEER_PWD, h.now));
    g_assert_false (ice_core_set_remote_credentials (
        h.core, h.stream, PEER_UFRAG, pwd, h.now));
    g_assert_false (
        ice_core_set_local_credentials (h.core, h.stream, ufrag, PEER_PWD));
    g_assert_false (
        ice_core_set_local_credentials (h.core, h.stream, PEER_UFRAG, pwd));
  }
  g_assert_null (ice_core_get_remote_ufrag (h.core, h.stream));
  harness_clear (&h);
}

/* 12: padding is zero in all that leaves. */
static void
assert_clean_padding (const IcePacket *packet)
{
  for (gsize at = ICE_STUN_HEADER_SIZE; at + 4 <= packet->size;) {
    gsize size = (gsize) packet->data[at + 2] << 8 | packet->data[at + 3];

    at += 4 + size;
    for (; at % 4 != 0; at++)
      g_assert_cmpuint (packet->data[at], ==, 0);
  }
}

static void
test_padding (void)
{
  for (guint length = 4; length < 12; length++) {
    g_autofree gchar *ufrag = g_strnfill (length, 'p');
    g_autofree gchar *username = NULL;
    IceAddress peer = peer_address ();
    Check check = { .unknown = 0x7abc };
    Harness h;

    harness_init (&h, FALSE);
    harness_gather (&h);
    g_assert_true (ice_core_set_remote_credentials (
        h.core, h.stream, ufrag, PEER_PWD, h.now));
    harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
    username = g_strdup_printf (
        "%s:%s", ice_core_get_local_ufrag (h.core, h.stream), ufrag);
    check.username = username;
    g_assert_cmpint (
        harness_check (&h, &peer, &check), ==, ICE_VERDICT_REFUSED);
    g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 2);
    for (GList *l = h.sent.head; l; l = l->next)
      assert_clean_padding (((Sent *) l->data)->packet);
    harness_clear (&h);
  }
}

/* 12, 3.11: no answer is longer than the request from 72 bytes on, none three
 * times as long below; before authentication it has neither SOFTWARE nor a
 * reason phrase. */
static void
assert_no_amplification (Harness *h, const IceAddress *from, gsize size)
{
  g_assert_cmpuint (g_queue_get_length (&h->sent), <=, 1);
  if (size >= 72)
    g_assert_cmpuint (sent_size (h), <=, size);
  else
    g_assert_cmpuint (sent_size (h), <=, 3 * size);
  harness_forget_sent (h);
}

static void
test_amplification (void)
{
  static const Check checks[] = { { .no_integrity = TRUE },
    { .no_username = TRUE }, { .password = "anotherpasswordof24letters" },
    { .username = "a:b" }, { .unknown = 0x7abc }, { .sha256 = TRUE },
    { .controlled = TRUE, .tie_breaker = 0 }, { .use_candidate = TRUE },
    { .no_priority = TRUE }, { 0 } };
  static const gchar *const sources[] = { ATTACKER_IP, "2001:db8::66" };
  static const guint8 empty[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (checks); i++) {
    IceAddress from = addr (sources[i % 2], 1);
    g_autoptr (IcePacket) packet = NULL;
    Harness h;

    harness_init (&h, FALSE);
    harness_gather (&h);
    harness_credentials (&h);
    packet = harness_build_check (&h, &checks[i / 2]);
    harness_receive (&h, &from, packet);
    /* The answer alone, without the check that an honest request triggers. */
    while (g_queue_get_length (&h.sent) > 1)
      sent_free (g_queue_pop_tail (&h.sent));
    assert_no_amplification (&h, &from, packet->size);
    harness_receive_bytes (&h, &from, empty, sizeof empty);
    assert_no_amplification (&h, &from, sizeof empty);
    harness_clear (&h);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rules/10/longest-names", test_longest_names);
  g_test_add_func ("/rules/3.4/own-credentials", test_own_credentials);
  g_test_add_func (
      "/rules/3.23/credentials-injection", test_credentials_injection);
  g_test_add_func ("/rules/12/padding", test_padding);
  g_test_add_func ("/rules/12/amplification", test_amplification);
  return g_test_run ();
}
