/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/base/crypto.h"
#include "gst/ice/core/stun/credentials.h"

#include "hex.h"

#include <string.h>

static const guint8 id[ICE_STUN_ID_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  12 };

#define USERNAME "user"
#define PASSWORD "pass"

/* RFC 8489 18.1: neither bit, password algorithms, anonymity, both. */
#define COOKIE_PLAIN "obMatJos2AAAA"
#define COOKIE_ALGORITHMS "obMatJos2gAAA"
#define COOKIE_ANONYMOUS "obMatJos2QAAA"
#define COOKIE_BOTH "obMatJos2wAAA"

#define MD5 "00010000"
#define SHA256 "00020000"

/* What a server says in a 401 or 438. */
typedef struct
{
  const gchar *realm, *nonce; /* NULL: absent */
  const gchar *algorithms;    /* hexadecimal; NULL: absent */
} Challenge;

static IcePacket *
build_challenge (guint code, const Challenge *challenge)
{
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_ERROR, ICE_STUN_ALLOCATE, id);
  ice_stun_builder_add_error (&builder, code, NULL);
  if (challenge->realm)
    ice_stun_builder_add_string (&builder, ICE_STUN_REALM, challenge->realm);
  if (challenge->nonce)
    ice_stun_builder_add_string (&builder, ICE_STUN_NONCE, challenge->nonce);
  if (challenge->algorithms) {
    g_autoptr (GByteArray) list = hex_parse (challenge->algorithms);

    ice_stun_builder_add_bytes (&builder, ICE_STUN_PASSWORD_ALGORITHMS,
        ICE_BYTES (list->data, list->len));
  }
  return ice_stun_builder_end (&builder);
}

static void
parse (IceStunMessage *message, IcePacket *packet)
{
  g_assert_true (
      ice_stun_message_parse (message, ICE_BYTES (packet->data, packet->size)));
}

static IceStunAuthVerdict
challenge_with (
    IceStunAuth *auth, guint code, const Challenge *challenge, guint *rounds)
{
  g_autoptr (IcePacket) packet = build_challenge (code, challenge);
  IceStunMessage message;

  parse (&message, packet);
  return ice_stun_auth_challenge (auth, &message, code, rounds);
}

static IceStunAuthVerdict
challenge_once (IceStunAuth *auth, guint code, const gchar *realm,
    const gchar *nonce, const gchar *algorithms)
{
  guint rounds = 0;

  return challenge_with (
      auth, code, &(Challenge){ realm, nonce, algorithms }, &rounds);
}

static IcePacket *
build_request (IceStunAuth *auth)
{
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_ALLOCATE, id);
  ice_stun_auth_sign (auth, &builder);
  return ice_stun_builder_end (&builder);
}

static gboolean
has_text (const IceStunMessage *message, guint16 type, const gchar *text)
{
  IceBytes value;

  return ice_stun_message_find (message, type, &value) &&
      ice_bytes_equal (value, ICE_BYTES (text, strlen (text)));
}

static IceStunKey *
make_key (const gchar *realm, const gchar *password, gboolean sha256)
{
  return ice_stun_key_new_long_term (
      USERNAME, ICE_BYTES (realm, strlen (realm)), password, sha256);
}

static void
test_first_request (void)
{
  g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
  g_autoptr (IcePacket) packet = build_request (auth);
  IceStunMessage message;

  /* RFC 8489 9.2.3.1: as if there were no authentication. */
  g_assert_true (ice_stun_auth_has_credentials (auth));
  g_assert_false (ice_stun_auth_is_ready (auth));
  parse (&message, packet);
  g_assert_cmpuint (packet->size, ==, ICE_STUN_HEADER_SIZE + 8);
  g_assert_cmpuint (message.fingerprint, !=, 0);
}

static void
test_sha1 (void)
{
  g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
  g_autoptr (IceStunKey) key = make_key ("realm", PASSWORD, FALSE);
  g_autoptr (IcePacket) packet = NULL;
  IceStunMessage message;

  g_assert_cmpint (challenge_once (auth, 401, "realm", "nonce", NULL), ==,
      ICE_STUN_AUTH_RETRY);
  g_assert_true (ice_stun_auth_is_ready (auth));
  packet = build_request (auth);
  parse (&message, packet);
  g_assert_true (has_text (&message, ICE_STUN_USERNAME, USERNAME));
  g_assert_true (has_text (&message, ICE_STUN_REALM, "realm"));
  g_assert_true (has_text (&message, ICE_STUN_NONCE, "nonce"));
  g_assert_false (ice_stun_message_has (&message, ICE_STUN_USERHASH));
  g_assert_false (ice_stun_message_has (&message, ICE_STUN_PASSWORD_ALGORITHM));
  g_assert_false (
      ice_stun_message_has (&message, ICE_STUN_PASSWORD_ALGORITHMS));
  g_assert_true (
      ice_stun_message_verify (&message, key, ICE_STUN_INTEGRITY_SHA1));
  g_assert_cmpuint (message.integrity_sha256, ==, 0);
  g_assert_cmpuint (message.fingerprint, !=, 0);
}

/* RFC 8489 9.2.5: with PASSWORD-ALGORITHMS every request carries
 * MESSAGE-INTEGRITY-SHA256, whatever the key is made by. */
static void
test_algorithm (const gchar *list, guint32 wanted, gboolean sha256_key)
{
  g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
  g_autoptr (IceStunKey) key = make_key ("realm", PASSWORD, sha256_key);
  g_autoptr (GByteArray) sent = hex_parse (list);
  g_autoptr (IcePacket) packet = NULL;
  IceStunMessage message;
  IceBytes value;
  guint32 chosen;

  g_assert_cmpint (
      challenge_once (auth, 401, "realm", COOKIE_ALGORITHMS "x", list), ==,
      ICE_STUN_AUTH_RETRY);
  packet = build_request (auth);
  parse (&message, packet);
  g_assert_true (has_text (&message, ICE_STUN_USERNAME, USERNAME));
  g_assert_true (ice_stun_message_get_u32 (
      &message, ICE_STUN_PASSWORD_ALGORITHM, &chosen));
  g_assert_cmphex (chosen, ==, wanted);
  g_assert_true (
      ice_stun_message_find (&message, ICE_STUN_PASSWORD_ALGORITHMS, &value));
  g_assert_cmpmem (value.data, value.size, sent->data, sent->len);
  g_assert_true (
      ice_stun_message_verify (&message, key, ICE_STUN_INTEGRITY_SHA256));
  g_assert_cmpuint (message.integrity, ==, 0);
}

static void
test_algorithms (void)
{
  test_algorithm (SHA256, 0x00020000, TRUE);
  test_algorithm (SHA256 MD5, 0x00020000, TRUE);
  test_algorithm (MD5 SHA256, 0x00010000, FALSE);
  test_algorithm (MD5, 0x00010000, FALSE);
  /* unknown ones are passed over, with parameters and their padding */
  test_algorithm ("0003000161000000" SHA256, 0x00020000, TRUE);
  /* so is a known one with parameters nobody defined */
  test_algorithm ("0002000461626364" MD5, 0x00010000, FALSE);
  test_algorithm (MD5 "0003000161", 0x00010000, FALSE);
}

/* It comes back in each request: a server that lists 60 KB of algorithms would
 * have us send messages too large for UDP. */
static void
test_endless_algorithms (void)
{
  g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
  g_autoptr (GString) list = g_string_new (SHA256);
  guint i;

  for (i = 0; i < 15000; i++)
    g_string_append (list, "00030000");
  g_assert_cmpint (
      challenge_once (auth, 401, "example.org", "nonce", list->str), ==,
      ICE_STUN_AUTH_GIVE_UP);
  g_assert_false (ice_stun_auth_is_ready (auth));
}

/* RFC 8489 9.2.5: each bit of the cookie against each attribute. */
static void
test_bid_down (void)
{
  static const struct
  {
    const gchar *nonce, *algorithms;
    IceStunAuthVerdict verdict;
  } rows[] = {
    { "nonce", NULL, ICE_STUN_AUTH_RETRY },
    { COOKIE_PLAIN, NULL, ICE_STUN_AUTH_RETRY },
    { COOKIE_ANONYMOUS, NULL, ICE_STUN_AUTH_RETRY },
    { COOKIE_ALGORITHMS, NULL, ICE_STUN_AUTH_GIVE_UP },
    { COOKIE_BOTH, NULL, ICE_STUN_AUTH_GIVE_UP },
    { COOKIE_ALGORITHMS, SHA256, ICE_STUN_AUTH_RETRY },
    { COOKIE_BOTH, SHA256, ICE_STUN_AUTH_RETRY },
    { COOKIE_PLAIN, SHA256, ICE_STUN_AUTH_RETRY },
    { "nonce", SHA256, ICE_STUN_AUTH_RETRY },
    /* nothing in the list that we can do */
    { COOKIE_ALGORITHMS, "", ICE_STUN_AUTH_GIVE_UP },
    { COOKIE_ALGORITHMS, "00030000", ICE_STUN_AUTH_GIVE_UP },
    { COOKIE_ALGORITHMS, "00000000", ICE_STUN_AUTH_GIVE_UP },
    /* malformed */
    { COOKIE_ALGORITHMS, "0002", ICE_STUN_AUTH_GIVE_UP },
    { COOKIE_ALGORITHMS, SHA256 "000300", ICE_STUN_AUTH_GIVE_UP },
    { COOKIE_ALGORITHMS, SHA256 "0003000561", ICE_STUN_AUTH_GIVE_UP },
    /* not quite a cookie */
    { "obMatJos2gAA", NULL, ICE_STUN_AUTH_RETRY },
    { "obMatJos2g=AA", NULL, ICE_STUN_AUTH_RETRY },
    { "obMatJos3gAAA", NULL, ICE_STUN_AUTH_RETRY },
    { "xobMatJos2gAAA", NULL, ICE_STUN_AUTH_RETRY },
  };
  guint i, code;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    for (code = 401; code <= 438; code += 37) {
      g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);

      g_assert_cmpint (challenge_once (auth, code, "realm", rows[i].nonce,
                           rows[i].algorithms),
          ==, rows[i].verdict);
      g_assert_cmpint (ice_stun_auth_is_ready (auth), ==,
          rows[i].verdict == ICE_STUN_AUTH_RETRY);
    }
}

/* Once SHA-256 was spoken, a later challenge does not undo it. */
static void
test_no_way_back (void)
{
  g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
  g_autoptr (IcePacket) packet = NULL;
  IceStunMessage message;

  g_assert_cmpint (
      challenge_once (auth, 401, "realm", COOKIE_ALGORITHMS, SHA256), ==,
      ICE_STUN_AUTH_RETRY);
  g_assert_cmpint (challenge_once (auth, 438, "realm", "nonce", NULL), ==,
      ICE_STUN_AUTH_GIVE_UP);
  g_assert_cmpint (challenge_once (auth, 401, "other", "nonce", NULL), ==,
      ICE_STUN_AUTH_GIVE_UP);
  packet = build_request (auth);
  parse (&message, packet);
  g_assert_cmpuint (message.integrity_sha256, !=, 0);
  g_assert_true (has_text (&message, ICE_STUN_NONCE, COOKIE_ALGORITHMS));
}

static void
test_userhash (void)
{
  g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
  g_autoptr (IcePacket) packet = NULL, plain = NULL;
  guint8 hash[ICE_SHA256_SIZE];
  IceStunMessage message;
  IceBytes value;

  g_assert_cmpint (challenge_once (auth, 401, "realm", COOKIE_BOTH "x", SHA256),
      ==, ICE_STUN_AUTH_RETRY);
  packet = build_request (auth);
  parse (&message, packet);
  g_assert_false (ice_stun_message_has (&message, ICE_STUN_USERNAME));
  g_assert_true (ice_stun_message_find (&message, ICE_STUN_USERHASH, &value));
  g_assert_true (
      ice_hash (ICE_HASH_SHA256, ICE_BYTES ("user:realm", 10), hash));
  g_assert_cmpmem (value.data, value.size, hash, sizeof (hash));

  /* A server that turns anonymity off gets the name again. */
  g_assert_cmpint (
      challenge_once (auth, 438, "realm", COOKIE_ALGORITHMS, SHA256), ==,
      ICE_STUN_AUTH_RETRY);
  plain = build_request (auth);
  parse (&message, plain);
  g_assert_true (has_text (&message, ICE_STUN_USERNAME, USERNAME));
  g_assert_false (ice_stun_message_has (&message, ICE_STUN_USERHASH));
}

static void
test_wrong_password (void)
{
  static const gchar *const nonces[] = { "nonce", "another" };
  guint i;

  /* Refused at the second 401, whether or not the server changes its nonce:
   * two requests, not four. */
  for (i = 0; i < G_N_ELEMENTS (nonces); i++) {
    g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
    guint rounds = 0;

    g_assert_cmpint (challenge_with (auth, 401,
                         &(Challenge){ "realm", "nonce", NULL }, &rounds),
        ==, ICE_STUN_AUTH_RETRY);
    g_assert_cmpint (challenge_with (auth, 401,
                         &(Challenge){ "realm", nonces[i], NULL }, &rounds),
        ==, ICE_STUN_AUTH_REFUSED);
  }
}

static void
test_no_credentials (void)
{
  g_autoptr (IceStunAuth) nobody = ice_stun_auth_new (NULL, NULL);
  g_autoptr (IceStunAuth) half = ice_stun_auth_new (USERNAME, NULL);

  g_assert_false (ice_stun_auth_has_credentials (nobody));
  g_assert_cmpint (challenge_once (nobody, 401, "realm", "nonce", NULL), ==,
      ICE_STUN_AUTH_REFUSED);
  g_assert_false (ice_stun_auth_has_credentials (half));
  g_assert_cmpint (challenge_once (half, 401, "realm", "nonce", NULL), ==,
      ICE_STUN_AUTH_REFUSED);
  ice_stun_auth_free (NULL);
}

/* A server that never tires gets four requests: the first and three more. */
static void
test_bounded (void)
{
  static const struct
  {
    guint code;
    const gchar *realms[4];
    const gchar *nonces[4];
  } rows[] = {
    { 438, { "r", "r", "r", "r" }, { "1", "2", "3", "4" } },
    { 438, { "r", "r", "r", "r" }, { "1", "1", "1", "1" } },
    { 401, { "1", "2", "3", "4" }, { "1", "2", "3", "4" } },
    { 401, { "1", "2", "1", "2" }, { "1", "1", "1", "1" } },
  };
  guint i, j;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
    guint rounds = 0;

    for (j = 0; j < 4; j++)
      g_assert_cmpint (
          challenge_with (auth, rows[i].code,
              &(Challenge){ rows[i].realms[j], rows[i].nonces[j], NULL },
              &rounds),
          ==, j < 3 ? ICE_STUN_AUTH_RETRY : ICE_STUN_AUTH_GIVE_UP);
    g_assert_cmpuint (rounds, ==, 3);
  }
}

/* Two requests were out when the nonce went stale: the second challenge
 * brings the nonce that the first one brought, and both are sent again. */
static void
test_two_in_flight (void)
{
  g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
  guint code;

  g_assert_cmpint (
      challenge_once (auth, 401, "realm", "1", NULL), ==, ICE_STUN_AUTH_RETRY);
  for (code = 401; code <= 438; code += 37) {
    g_assert_cmpint (challenge_once (auth, code, "realm", "2", NULL), ==,
        ICE_STUN_AUTH_RETRY);
    g_assert_cmpint (challenge_once (auth, code, "realm", "2", NULL), ==,
        ICE_STUN_AUTH_RETRY);
  }
}

static void
test_stale_nonce (void)
{
  g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
  g_autoptr (IceStunKey) key = make_key ("realm", PASSWORD, FALSE);
  g_autoptr (IcePacket) packet = NULL;
  IceStunMessage message;

  g_assert_cmpint (
      challenge_once (auth, 401, "realm", "1", NULL), ==, ICE_STUN_AUTH_RETRY);
  /* without REALM: it stays */
  g_assert_cmpint (
      challenge_once (auth, 438, NULL, "2", NULL), ==, ICE_STUN_AUTH_RETRY);
  packet = build_request (auth);
  parse (&message, packet);
  g_assert_true (has_text (&message, ICE_STUN_REALM, "realm"));
  g_assert_true (has_text (&message, ICE_STUN_NONCE, "2"));
  g_assert_true (
      ice_stun_message_verify (&message, key, ICE_STUN_INTEGRITY_SHA1));
}

static void
test_malformed (void)
{
  g_autofree gchar *longest = g_strnfill (763, 'x');
  g_autofree gchar *too_long = g_strnfill (764, 'x');
  const struct
  {
    const gchar *realm, *nonce;
    IceStunAuthVerdict verdict;
  } rows[] = {
    { NULL, "nonce", ICE_STUN_AUTH_GIVE_UP },
    { "realm", NULL, ICE_STUN_AUTH_GIVE_UP },
    { "", "nonce", ICE_STUN_AUTH_GIVE_UP },
    { "realm", "", ICE_STUN_AUTH_GIVE_UP },
    { "rea\xfflm", "nonce", ICE_STUN_AUTH_GIVE_UP },
    { "rea\nlm", "nonce", ICE_STUN_AUTH_GIVE_UP },
    { "realm", "non\xff\x80\n", ICE_STUN_AUTH_RETRY },
    { longest, longest, ICE_STUN_AUTH_RETRY },
    { too_long, "nonce", ICE_STUN_AUTH_GIVE_UP },
    { "realm", too_long, ICE_STUN_AUTH_GIVE_UP },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
    g_autoptr (IcePacket) packet = NULL;
    IceStunMessage message;

    g_assert_cmpint (
        challenge_once (auth, 401, rows[i].realm, rows[i].nonce, NULL), ==,
        rows[i].verdict);
    packet = build_request (auth);
    parse (&message, packet);
    if (rows[i].verdict == ICE_STUN_AUTH_RETRY)
      g_assert_true (has_text (&message, ICE_STUN_NONCE, rows[i].nonce));
    else
      g_assert_false (ice_stun_message_has (&message, ICE_STUN_NONCE));
  }
}

/* A NUL in the nonce is a byte like any other. */
static void
test_binary_nonce (void)
{
  static const guint8 nonce[] = { 0, 'a', 0, 0xff, 0 };
  g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
  g_autoptr (IcePacket) error = NULL, request = NULL;
  IceStunBuilder builder;
  IceStunMessage message;
  IceBytes value;
  guint rounds = 0;

  ice_stun_builder_init (&builder, ICE_STUN_ERROR, ICE_STUN_ALLOCATE, id);
  ice_stun_builder_add_string (&builder, ICE_STUN_REALM, "realm");
  ice_stun_builder_add_bytes (
      &builder, ICE_STUN_NONCE, ICE_BYTES (nonce, sizeof (nonce)));
  error = ice_stun_builder_end (&builder);
  parse (&message, error);
  g_assert_cmpint (ice_stun_auth_challenge (auth, &message, 401, &rounds), ==,
      ICE_STUN_AUTH_RETRY);
  request = build_request (auth);
  parse (&message, request);
  g_assert_true (ice_stun_message_find (&message, ICE_STUN_NONCE, &value));
  g_assert_cmpmem (value.data, value.size, nonce, sizeof (nonce));
}

static IcePacket *
build_answer (IceStunKey *key, IceStunIntegrity integrity, const gchar *nonce)
{
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_SUCCESS, ICE_STUN_ALLOCATE, id);
  if (nonce)
    ice_stun_builder_add_string (&builder, ICE_STUN_NONCE, nonce);
  if (key)
    ice_stun_builder_add_integrity (&builder, key, integrity);
  return ice_stun_builder_end (&builder);
}

static gboolean
accepts (IceStunAuth *auth, IceStunKey *key, IceStunIntegrity integrity,
    const gchar *nonce)
{
  g_autoptr (IcePacket) packet = build_answer (key, integrity, nonce);
  IceStunMessage message;

  parse (&message, packet);
  return ice_stun_auth_verify (auth, &message);
}

static void
test_verify (void)
{
  g_autoptr (IceStunAuth) auth = ice_stun_auth_new (USERNAME, PASSWORD);
  g_autoptr (IceStunKey) md5 = make_key ("realm", PASSWORD, FALSE);
  g_autoptr (IceStunKey) sha256 = make_key ("realm", PASSWORD, TRUE);
  g_autoptr (IceStunKey) wrong = make_key ("realm", "other", FALSE);
  const IceStunIntegrity old = ICE_STUN_INTEGRITY_SHA1;
  const IceStunIntegrity new = ICE_STUN_INTEGRITY_SHA256;

  /* What was asked without credentials may be answered without. */
  g_assert_true (accepts (auth, NULL, old, NULL));
  g_assert_false (accepts (auth, NULL, old, COOKIE_ALGORITHMS));

  challenge_once (auth, 401, "realm", "nonce", NULL);
  g_assert_false (accepts (auth, NULL, old, NULL));
  g_assert_true (accepts (auth, md5, old, NULL));
  g_assert_false (accepts (auth, md5, new, NULL));
  g_assert_false (accepts (auth, wrong, old, NULL));
  g_assert_false (accepts (auth, sha256, old, NULL));

  challenge_once (auth, 438, "realm", COOKIE_ALGORITHMS, SHA256);
  g_assert_false (accepts (auth, NULL, old, NULL));
  g_assert_false (accepts (auth, md5, old, NULL));
  g_assert_false (accepts (auth, sha256, old, NULL));
  g_assert_true (accepts (auth, sha256, new, NULL));
  g_assert_false (accepts (auth, md5, new, NULL));
  /* RFC 8489 9.2.5: the list was taken out of this one. */
  g_assert_false (accepts (auth, sha256, new, COOKIE_ALGORITHMS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/credentials/first-request", test_first_request);
  g_test_add_func ("/credentials/sha1", test_sha1);
  g_test_add_func ("/credentials/algorithms", test_algorithms);
  g_test_add_func ("/credentials/endless-algorithms", test_endless_algorithms);
  g_test_add_func ("/credentials/bid-down", test_bid_down);
  g_test_add_func ("/credentials/no-way-back", test_no_way_back);
  g_test_add_func ("/credentials/userhash", test_userhash);
  g_test_add_func ("/credentials/wrong-password", test_wrong_password);
  g_test_add_func ("/credentials/no-credentials", test_no_credentials);
  g_test_add_func ("/credentials/bounded", test_bounded);
  g_test_add_func ("/credentials/two-in-flight", test_two_in_flight);
  g_test_add_func ("/credentials/stale-nonce", test_stale_nonce);
  g_test_add_func ("/credentials/malformed", test_malformed);
  g_test_add_func ("/credentials/binary-nonce", test_binary_nonce);
  g_test_add_func ("/credentials/verify", test_verify);
  return g_test_run ();
}
