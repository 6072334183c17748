/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/base/crypto.h"
#include "gst/ice/core/stun/builder.h"

#include "hex.h"

#include <string.h>

#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"

static const guint8 id[ICE_STUN_ID_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  12 };

static IcePacket *
sign (IceStunKey *key, IceStunIntegrity first, IceStunIntegrity second)
{
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, "evtj:h6vY");
  ice_stun_builder_add_integrity (&builder, key, first);
  ice_stun_builder_add_integrity (&builder, key, second);
  ice_stun_builder_add_fingerprint (&builder);
  return ice_stun_builder_end (&builder);
}

static gboolean
verifies (IcePacket *packet, IceStunKey *key, IceStunIntegrity integrity)
{
  IceStunMessage message;

  g_assert_true (ice_stun_message_parse (
      &message, ICE_BYTES (packet->data, packet->size)));
  return ice_stun_message_verify (&message, key, integrity);
}

/* Each algorithm stands for itself alone. */
static void
test_algorithms (void)
{
  static const IceStunIntegrity signed_by[][2] = {
    { ICE_STUN_INTEGRITY_NONE, ICE_STUN_INTEGRITY_NONE },
    { ICE_STUN_INTEGRITY_SHA1, ICE_STUN_INTEGRITY_NONE },
    { ICE_STUN_INTEGRITY_SHA256, ICE_STUN_INTEGRITY_NONE },
    { ICE_STUN_INTEGRITY_SHA1, ICE_STUN_INTEGRITY_SHA256 },
  };
  static const gboolean sha1[] = { FALSE, TRUE, FALSE, TRUE };
  static const gboolean sha256[] = { FALSE, FALSE, TRUE, TRUE };
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PASSWORD);
  g_autoptr (IceStunKey) wrong = ice_stun_key_new_short_term (PASSWORD "x");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (signed_by); i++) {
    g_autoptr (IcePacket) packet = sign (key, signed_by[i][0], signed_by[i][1]);

    g_assert_false (verifies (packet, key, ICE_STUN_INTEGRITY_NONE));
    g_assert_cmpint (
        verifies (packet, key, ICE_STUN_INTEGRITY_SHA1), ==, sha1[i]);
    g_assert_cmpint (
        verifies (packet, key, ICE_STUN_INTEGRITY_SHA256), ==, sha256[i]);
    g_assert_false (verifies (packet, wrong, ICE_STUN_INTEGRITY_SHA1));
    g_assert_false (verifies (packet, wrong, ICE_STUN_INTEGRITY_SHA256));
  }
}

/* Behind MESSAGE-INTEGRITY-SHA256 a MESSAGE-INTEGRITY means nothing, even a
 * right one. */
static void
test_order (void)
{
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PASSWORD);
  g_autoptr (IcePacket) packet =
      sign (key, ICE_STUN_INTEGRITY_SHA256, ICE_STUN_INTEGRITY_SHA1);

  g_assert_true (verifies (packet, key, ICE_STUN_INTEGRITY_SHA256));
  g_assert_false (verifies (packet, key, ICE_STUN_INTEGRITY_SHA1));
}

/* Every byte of the MAC counts, first and last alike, and a truncated
 * MESSAGE-INTEGRITY-SHA256 is none. */
static void
test_whole_mac (void)
{
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PASSWORD);
  IceStunIntegrity integrity;
  gsize i;

  for (integrity = ICE_STUN_INTEGRITY_SHA1;
       integrity <= ICE_STUN_INTEGRITY_SHA256; integrity++) {
    gsize size = integrity == ICE_STUN_INTEGRITY_SHA1 ? 20 : 32;

    for (i = 0; i < size; i++) {
      IceStunBuilder builder;
      g_autoptr (IcePacket) packet = NULL;

      ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
      ice_stun_builder_add_integrity (&builder, key, integrity);
      packet = ice_stun_builder_end (&builder);
      g_assert_true (verifies (packet, key, integrity));
      packet->data[packet->size - size + i] ^= 0x80;
      g_assert_false (verifies (packet, key, integrity));
    }
  }
}

static void
test_truncated_sha256 (void)
{
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PASSWORD);
  gsize size;

  for (size = 16; size < 32; size += 4) {
    g_autoptr (IcePacket) packet = NULL;
    IceStunBuilder builder;
    guint8 mac[ICE_SHA256_SIZE];
    IceBytes covered;

    ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
    ice_writer_patch_u16 (&builder.writer, 2, (guint16) (4 + size));
    covered = ICE_BYTES (builder.writer.data, builder.writer.size);
    ice_stun_key_sign (key, ICE_STUN_INTEGRITY_SHA256, &covered, 1, mac);
    ice_stun_builder_add_bytes (
        &builder, ICE_STUN_MESSAGE_INTEGRITY_SHA256, ICE_BYTES (mac, size));
    packet = ice_stun_builder_end (&builder);
    g_assert_false (verifies (packet, key, ICE_STUN_INTEGRITY_SHA256));
  }
}

typedef struct
{
  const gchar *username, *realm, *password;
  gsize realm_size; /* 0: strlen */
  const gchar *md5; /* NULL: no key */
} KeyRow;

#define MATRIX                                                                 \
  "\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9"
#define USER_REALM_PASS "8493fbc53ba582fb4c044c456bdc40eb"

static const KeyRow key_rows[] = {
  { "user", "realm", "pass", 0, USER_REALM_PASS },
  { MATRIX, "example.org", "TheMatrIX", 0, "e8ca7ad59d5eb0518e312911d2dab2a9" },
  /* RFC 8489 9.2.2: without quotes and trailing nulls */
  { "user", "\"realm\"", "pass", 0, USER_REALM_PASS },
  { "\"user\"", "realm", "pass", 0, USER_REALM_PASS },
  { "user", "realm\0\0", "pass", 7, USER_REALM_PASS },
  { "user", "\"realm\"\0", "pass", 8, USER_REALM_PASS },
  /* not a pair of quotes */
  { "user", "\"", "pass", 0, "21ba6ab6b62854a1dec3074166d7b85a" },
  /* not UTF-8, a NUL inside, a control character */
  { "user", "rea\xfflm", "pass", 0, NULL },
  { "user", "rea\0lm", "pass", 6, NULL },
  { "us\xc3", "realm", "pass", 0, NULL },
  { "user", "realm", "pa\xffss", 0, NULL },
  { "user", "realm", "pa\nss", 0, NULL },
};

static void
test_long_term_keys (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (key_rows); i++) {
    const KeyRow *row = &key_rows[i];
    g_autoptr (IceStunKey) key = ice_stun_key_new_long_term (row->username,
        ICE_BYTES (row->realm,
            row->realm_size ? row->realm_size : strlen (row->realm)),
        row->password, FALSE);
    g_autoptr (GByteArray) wanted = NULL;
    g_autoptr (IceHmac) hmac = NULL;
    const IceBytes part = ICE_BYTES ("x", 1);
    guint8 mac[ICE_SHA1_SIZE], wanted_mac[ICE_SHA1_SIZE];

    g_assert_cmpint (key != NULL, ==, row->md5 != NULL);
    if (!key)
      continue;
    wanted = hex_parse (row->md5);
    hmac = ice_hmac_new (ICE_HASH_SHA1, ICE_BYTES (wanted->data, wanted->len));
    ice_hmac_sign (hmac, &part, 1, wanted_mac);
    ice_stun_key_sign (key, ICE_STUN_INTEGRITY_SHA1, &part, 1, mac);
    g_assert_cmpmem (mac, sizeof (mac), wanted_mac, sizeof (wanted_mac));
  }
}

static void
test_userhash (void)
{
  guint8 hash[ICE_SHA256_SIZE];

  g_assert_true (
      ice_stun_compute_userhash (MATRIX, ICE_BYTES ("example.org", 11), hash));
  assert_hex (ICE_BYTES (hash, sizeof (hash)),
      "4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704");
  g_assert_false (
      ice_stun_compute_userhash ("a\xff", ICE_BYTES ("realm", 5), hash));
  g_assert_false (ice_stun_compute_userhash ("a", ICE_BYTES ("\xff", 1), hash));
}

/* RFC 8265 4.2 */
static void
test_opaque_string (void)
{
  static const struct
  {
    const gchar *text, *wanted;
  } rows[] = {
    { "", "" },
    { "correct horse", "correct horse" },
    /* no-break space, ideographic space */
    { "a\xc2\xa0"
      "b\xe3\x80\x80"
      "c",
        "a b c" },
    /* e and a combining acute become one; half width stays */
    { "e\xcc\x81", "\xc3\xa9" },
    { "\xef\xbd\xb1", "\xef\xbd\xb1" },
    { "CaSe", "CaSe" },
    { "tab\there", NULL },
    { "\x7f", NULL },
    { "\xc2\x85", NULL },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *text = ice_stun_opaque_string (
        ICE_BYTES (rows[i].text, strlen (rows[i].text)));

    g_assert_cmpstr (text, ==, rows[i].wanted);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stun/integrity/algorithms", test_algorithms);
  g_test_add_func ("/stun/integrity/order", test_order);
  g_test_add_func ("/stun/integrity/whole-mac", test_whole_mac);
  g_test_add_func ("/stun/integrity/truncated-sha256", test_truncated_sha256);
  g_test_add_func ("/stun/integrity/long-term-keys", test_long_term_keys);
  g_test_add_func ("/stun/integrity/userhash", test_userhash);
  g_test_add_func ("/stun/integrity/opaque-string", test_opaque_string);
  return g_test_run ();
}
