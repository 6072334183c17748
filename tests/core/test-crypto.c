/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/base/crypto.h"

#include "hex.h"

#include <string.h>

static void
test_hash (void)
{
  /* FIPS 180-4 and RFC 1321: "abc" */
  static const gchar *const wanted[] = {
    "900150983cd24fb0d6963f7d28e17f72",
    "a9993e364706816aba3e25717850c26c9cd0d89d",
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  };
  guint8 digest[ICE_SHA256_SIZE];
  IceHash hash;

  for (hash = ICE_HASH_MD5; hash <= ICE_HASH_SHA256; hash++) {
    g_assert_true (ice_hash (hash, ICE_BYTES ("abc", 3), digest));
    assert_hex (ICE_BYTES (digest, ice_hash_size (hash)), wanted[hash]);
  }
  g_assert_true (ice_hash (ICE_HASH_MD5, ICE_BYTES_NONE, digest));
  assert_hex (
      ICE_BYTES (digest, ICE_MD5_SIZE), "d41d8cd98f00b204e9800998ecf8427e");
}

typedef struct
{
  IceHash hash;
  const gchar *key, *data, *mac; /* hexadecimal */
} HmacRow;

/* RFC 2202 3 and RFC 4231 4; the last of each has a key beyond the block. */
static const HmacRow hmac_rows[] = {
  { ICE_HASH_SHA1, "4a656665",
      "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
      "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
  { ICE_HASH_SHA1,
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaaaaaaaaa",
      "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b65"
      "79202d2048617368204b6579204669727374",
      "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
  { ICE_HASH_SHA256, "4a656665",
      "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
  { ICE_HASH_SHA256,
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b65"
      "79202d2048617368204b6579204669727374",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
};

/* One context signs again and again, whole and in two parts. */
static void
test_hmac (void)
{
  guint i;
  gsize cut;

  for (i = 0; i < G_N_ELEMENTS (hmac_rows); i++) {
    const HmacRow *row = &hmac_rows[i];
    g_autoptr (GByteArray) key = hex_parse (row->key);
    g_autoptr (GByteArray) data = hex_parse (row->data);
    g_autoptr (IceHmac) hmac =
        ice_hmac_new (row->hash, ICE_BYTES (key->data, key->len));
    guint8 mac[ICE_SHA256_SIZE];

    for (cut = 0; cut <= data->len; cut++) {
      const IceBytes parts[] = {
        ICE_BYTES (data->data, cut),
        ICE_BYTES (data->data + cut, data->len - cut),
      };

      ice_hmac_sign (hmac, parts, G_N_ELEMENTS (parts), mac);
      assert_hex (ICE_BYTES (mac, ice_hash_size (row->hash)), row->mac);
    }
  }
  ice_hmac_free (NULL);
}

static void
test_hmac_empty (void)
{
  g_autoptr (IceHmac) hmac = ice_hmac_new (ICE_HASH_SHA1, ICE_BYTES_NONE);
  guint8 mac[ICE_SHA1_SIZE];

  ice_hmac_sign (hmac, NULL, 0, mac);
  assert_hex (ICE_BYTES (mac, sizeof (mac)),
      "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

/* A key of just one block is not hashed. */
static void
test_hmac_block (void)
{
  g_autofree gchar *key = g_strnfill (64, 'k');
  g_autoptr (IceHmac) hmac = ice_hmac_new (ICE_HASH_SHA1, ICE_BYTES (key, 64));
  const IceBytes part = ICE_BYTES ("x", 1);
  guint8 mac[ICE_SHA1_SIZE];

  ice_hmac_sign (hmac, &part, 1, mac);
  assert_hex (ICE_BYTES (mac, sizeof (mac)),
      "2c31eadf68d9ba971ad29339d28ce725b03c11f6");
}

static void
test_crc32 (void)
{
  const gchar *check = "123456789";
  gsize cut;

  for (cut = 0; cut <= 9; cut++) {
    const IceBytes parts[] = {
      ICE_BYTES (check, cut),
      ICE_BYTES (check + cut, 9 - cut),
    };

    g_assert_cmphex (ice_crc32 (parts, 2), ==, 0xcbf43926);
  }
  g_assert_cmphex (ice_crc32 (NULL, 0), ==, 0);
}

static void
test_secrets (void)
{
  guint8 bytes[4] = { 1, 2, 3, 4 };

  g_assert_true (ice_secret_equal (ICE_BYTES ("abc", 3), ICE_BYTES ("abc", 3)));
  g_assert_false (
      ice_secret_equal (ICE_BYTES ("abc", 3), ICE_BYTES ("abd", 3)));
  g_assert_false (
      ice_secret_equal (ICE_BYTES ("abc", 3), ICE_BYTES ("abcd", 4)));
  g_assert_true (ice_secret_equal (ICE_BYTES_NONE, ICE_BYTES ("", 0)));

  ice_secret_clear (bytes, sizeof (bytes));
  assert_hex (ICE_BYTES (bytes, sizeof (bytes)), "00000000");
  ice_secret_clear (NULL, 0);
  ice_secret_free (NULL);
  ice_secret_free (g_strdup ("secret"));
}

/* Transaction ids do not repeat (birthday odds here: 10^-19). */
static void
test_random (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (
      g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  guint i;

  for (i = 0; i < 100000; i++) {
    guint8 id[12];

    ice_random_bytes (id, sizeof (id));
    g_assert_true (g_hash_table_add (seen, g_bytes_new (id, sizeof (id))));
  }
  ice_random_bytes (NULL, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crypto/hash", test_hash);
  g_test_add_func ("/crypto/hmac", test_hmac);
  g_test_add_func ("/crypto/hmac-empty", test_hmac_empty);
  g_test_add_func ("/crypto/hmac-block", test_hmac_block);
  g_test_add_func ("/crypto/crc32", test_crc32);
  g_test_add_func ("/crypto/secrets", test_secrets);
  g_test_add_func ("/crypto/random", test_random);
  return g_test_run ();
}
