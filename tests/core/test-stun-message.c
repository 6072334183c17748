/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/base/crypto.h"
#include "gst/ice/core/stun/message.h"

#include "hex.h"

#include <string.h>

#define ID "0102030405060708090a0b0c"

/* (transfer full) a message of the attributes in @hex, with the right length;
 * "FP" at the end stands for a FINGERPRINT. */
static GByteArray *
make_message (const gchar *type, const gchar *hex)
{
  gboolean fingerprint = g_str_has_suffix (hex, "FP");
  g_autofree gchar *body =
      g_strndup (hex, strlen (hex) - (fingerprint ? 2 : 0));
  g_autofree gchar *text =
      g_strconcat (type, "0000", "2112a442", ID, body, NULL);
  GByteArray *bytes = hex_parse (text);
  guint length = bytes->len - ICE_STUN_HEADER_SIZE + (fingerprint ? 8 : 0);

  bytes->data[2] = (guint8) (length >> 8);
  bytes->data[3] = (guint8) length;
  if (fingerprint) {
    IceBytes covered = ICE_BYTES (bytes->data, bytes->len);
    guint32 wire[2] = { GUINT32_TO_BE (0x80280004),
      GUINT32_TO_BE (ice_crc32 (&covered, 1) ^ ICE_STUN_FINGERPRINT_XOR) };

    g_byte_array_append (bytes, (const guint8 *) wire, sizeof (wire));
  }
  return bytes;
}

static gboolean
parse (IceStunMessage *message, const GByteArray *bytes)
{
  return ice_stun_message_parse (message, ICE_BYTES (bytes->data, bytes->len));
}

/* What parsing makes of the attributes in @hex, from a heap block that ends
 * where the message ends. */
static gboolean
parses (const gchar *hex)
{
  g_autoptr (GByteArray) bytes = make_message ("0001", hex);
  g_autofree guint8 *exact = g_memdup2 (bytes->data, bytes->len);
  IceStunMessage message;

  return ice_stun_message_parse (&message, ICE_BYTES (exact, bytes->len));
}

typedef struct
{
  const gchar *type;
  IceStunClass klass;
  guint16 method;
} TypeRow;

static const TypeRow type_rows[] = {
  { "0001", ICE_STUN_REQUEST, ICE_STUN_BINDING },
  { "0011", ICE_STUN_INDICATION, ICE_STUN_BINDING },
  { "0101", ICE_STUN_SUCCESS, ICE_STUN_BINDING },
  { "0111", ICE_STUN_ERROR, ICE_STUN_BINDING },
  { "0003", ICE_STUN_REQUEST, ICE_STUN_ALLOCATE },
  { "0113", ICE_STUN_ERROR, ICE_STUN_ALLOCATE },
  { "0104", ICE_STUN_SUCCESS, ICE_STUN_REFRESH },
  { "0016", ICE_STUN_INDICATION, ICE_STUN_SEND },
  { "0017", ICE_STUN_INDICATION, ICE_STUN_DATA },
  { "0108", ICE_STUN_SUCCESS, ICE_STUN_CREATE_PERMISSION },
  { "0009", ICE_STUN_REQUEST, ICE_STUN_CHANNEL_BIND },
  { "3eef", ICE_STUN_REQUEST, 0xfff },
  { "3eff", ICE_STUN_INDICATION, 0xfff },
  { "3fef", ICE_STUN_SUCCESS, 0xfff },
  { "3fff", ICE_STUN_ERROR, 0xfff },
};

static void
test_types (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (type_rows); i++) {
    g_autoptr (GByteArray) bytes = make_message (type_rows[i].type, "");
    IceStunMessage message;

    g_assert_true (parse (&message, bytes));
    g_assert_cmpint (message.klass, ==, type_rows[i].klass);
    g_assert_cmphex (message.method, ==, type_rows[i].method);
    assert_hex (ICE_BYTES (message.id, ICE_STUN_ID_SIZE), ID);
  }
}

static void
test_looks_like (void)
{
  static const gchar *const strangers[] = { "", "00",
    "474000100000b00d0001c100000001f0",
    /* one byte short; a wrong cookie; a length of 4 without attribute; a
     * length that is no multiple of four */
    "000100002112a4420102030405060708090a0b",
    "000100002112a4430102030405060708090a0b0c",
    "000100042112a4420102030405060708090a0b0c",
    "000100012112a4420102030405060708090a0b0c00",
    /* the two first bits: ChannelData, RTP, DTLS is below 64 but no cookie */
    "400100002112a4420102030405060708090a0b0c",
    "800100002112a4420102030405060708090a0b0c",
    "16fefd000000000000000000300100000c000000000000000c",
    /* bytes behind the message */
    "000100002112a4420102030405060708090a0b0c00000000" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (strangers); i++) {
    g_autoptr (GByteArray) bytes = hex_parse (strangers[i]);
    IceStunMessage message;

    g_assert_false (ice_stun_looks_like (ICE_BYTES (bytes->data, bytes->len)));
    g_assert_false (parse (&message, bytes));
  }
  g_assert_false (ice_stun_looks_like (ICE_BYTES_NONE));
}

/* Every attribute type, every length from 0 to 40, followed by too little,
 * just enough, or more: the getters read no further than the value. */
static void
test_lengths (void)
{
  guint type, size, delta;

  for (type = 0; type < 0x30; type++)
    for (size = 0; size <= 40; size++)
      for (delta = 0; delta < 9; delta++) {
        guint padded = (size + 3) & ~3u, claimed = size + delta;
        g_autofree guint8 *data = g_malloc0 (24 + padded);
        guint16 unknown[4];
        IceStunMessage message;
        IceAddress address;
        IceBytes value;
        guint32 u32;
        guint64 u64;
        guint code;

        memcpy (data, "\x01\x01\0\0\x21\x12\xa4\x42", 8);
        data[3] = (guint8) (padded + 4);
        data[21] = (guint8) type;
        data[23] = (guint8) claimed;
        if (!ice_stun_message_parse (&message, ICE_BYTES (data, 24 + padded)))
          continue;
        g_assert_cmpuint (claimed, <=, padded);
        if (ice_stun_message_get_u32 (&message, (guint16) type, &u32))
          g_assert_cmpuint (claimed, ==, 4);
        if (ice_stun_message_get_u64 (&message, (guint16) type, &u64))
          g_assert_cmpuint (claimed, ==, 8);
        /* Family 0 is none. */
        g_assert_false (
            ice_stun_message_get_address (&message, (guint16) type, &address));
        g_assert_false (ice_stun_message_get_xor_address (
            &message, (guint16) type, &address));
        g_assert_false (ice_stun_message_get_error (&message, &code, &value));
        g_assert_cmpuint (ice_stun_message_unknown (&message, unknown, 4), ==,
            ice_stun_attribute_is_known ((guint16) type) ? 0 : 1);
      }
}

static void
test_sizes (void)
{
  /* integrity of a wrong size, FINGERPRINT of a wrong size */
  g_assert_false (parses ("00080010 000102030405060708090a0b0c0d0e0f"));
  g_assert_false (parses ("00080000"));
  g_assert_false (
      parses ("00080018 000102030405060708090a0b0c0d0e0f1011121314151617"));
  g_assert_false (parses ("001c000c 000102030405060708090a0b"));
  g_assert_false (
      parses ("001c0012 000102030405060708090a0b0c0d0e0f0001 0000"));
  g_assert_true (parses ("001c0010 000102030405060708090a0b0c0d0e0f"));
  g_assert_false (parses ("80280000"));
  g_assert_false (parses ("80280003 00000000"));
  g_assert_false (parses ("80280004 00000000"));
  /* a length in a cut header, a value beyond the end, padding beyond it */
  g_assert_false (parses ("00060008 61626364"));
  g_assert_false (parses ("0006ffff 61626364"));
  g_assert_true (parses ("00060001 61626364"));
  g_assert_true (parses ("FP"));
}

/* A FINGERPRINT that is right for the whole length, but not the last. */
static void
test_fingerprint_is_last (void)
{
  static const gchar *const behind[] = { "", "00250000", "8028000400000000",
    "00080014 0000000000000000000000000000000000000000" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (behind); i++) {
    g_autofree gchar *hex =
        g_strconcat ("00250000 8028000400000000", behind[i], NULL);
    g_autoptr (GByteArray) bytes = make_message ("0001", hex);
    IceBytes covered = ICE_BYTES (bytes->data, ICE_STUN_HEADER_SIZE + 4);
    guint32 crc =
        GUINT32_TO_BE (ice_crc32 (&covered, 1) ^ ICE_STUN_FINGERPRINT_XOR);
    IceStunMessage message;

    memcpy (bytes->data + covered.size + 4, &crc, sizeof (crc));
    g_assert_cmpint (parse (&message, bytes), ==, i == 0);
  }
  g_assert_true (parses ("00250000FP"));
}

#define MI "00080014 0000000000000000000000000000000000000000"
#define MI256                                                                  \
  "001c0020 0000000000000000000000000000000000000000000000000000000000000000"

/* RFC 8489 14.5, 14.6: who is seen, and whose MAC counts. */
static void
test_visibility (void)
{
  static const struct
  {
    const gchar *hex;
    gboolean sees_priority, integrity, integrity_sha256;
  } rows[] = {
    { "00240004 6e0001ff", TRUE, FALSE, FALSE },
    { "00240004 6e0001ff" MI "FP", TRUE, TRUE, FALSE },
    { MI "00240004 6e0001ffFP", FALSE, TRUE, FALSE },
    { MI256 "00240004 6e0001ffFP", FALSE, FALSE, TRUE },
    { MI MI256 "00240004 6e0001ffFP", FALSE, TRUE, TRUE },
    { MI "00240004 6e0001ff" MI256, FALSE, TRUE, TRUE },
    { MI256 "00240004 6e0001ff" MI, FALSE, FALSE, TRUE },
    { "00240004 6e0001ff" MI256 MI MI256, TRUE, FALSE, TRUE },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GByteArray) bytes = make_message ("0001", rows[i].hex);
    IceStunMessage message;
    guint32 priority;
    guint16 type;
    IceBytes value;
    gsize offset = 0;
    guint n = 0;

    g_assert_true (parse (&message, bytes));
    g_assert_cmpint (
        ice_stun_message_get_u32 (&message, ICE_STUN_PRIORITY, &priority), ==,
        rows[i].sees_priority);
    while (ice_stun_message_next (&message, &offset, &type, &value)) {
      g_assert_cmphex (type, ==, ICE_STUN_PRIORITY);
      n++;
    }
    g_assert_cmpuint (n, ==, rows[i].sees_priority ? 1 : 0);
    g_assert_cmpint (message.integrity != 0, ==, rows[i].integrity);
    g_assert_cmpint (
        ice_stun_message_has (&message, ICE_STUN_MESSAGE_INTEGRITY), ==,
        rows[i].integrity);
    g_assert_cmpint (
        message.integrity_sha256 != 0, ==, rows[i].integrity_sha256);
    g_assert_cmpint (
        ice_stun_message_has (&message, ICE_STUN_MESSAGE_INTEGRITY_SHA256), ==,
        rows[i].integrity_sha256);
    g_assert_cmpint (ice_stun_message_has (&message, ICE_STUN_FINGERPRINT), ==,
        message.fingerprint != 0);
  }
}

/* Of a repeated attribute the first counts (RFC 8489 14). */
static void
test_repeated (void)
{
  g_autoptr (GByteArray) bytes =
      make_message ("0001", "00240004 00000001 00240004 00000002");
  IceStunMessage message;
  guint32 priority;

  g_assert_true (parse (&message, bytes));
  g_assert_true (
      ice_stun_message_get_u32 (&message, ICE_STUN_PRIORITY, &priority));
  g_assert_cmpuint (priority, ==, 1);
}

/* No table of attributes to overflow. */
static void
test_many (void)
{
  static const guint counts[] = { 0, 1, 15, 16, 17, 255, 256, 4000, 16383 };
  guint i, j;

  for (i = 0; i < G_N_ELEMENTS (counts); i++) {
    g_autoptr (GByteArray) bytes = make_message ("0001", "");
    guint16 unknown[8], type;
    IceStunMessage message;
    IceBytes value;
    gsize offset = 0;
    guint n = 0;

    for (j = 0; j < counts[i]; j++)
      g_byte_array_append (bytes, (const guint8 *) "\x7a\xbc\0\0", 4);
    bytes->data[2] = (guint8) (4 * counts[i] >> 8);
    bytes->data[3] = (guint8) (4 * counts[i]);
    g_assert_true (parse (&message, bytes));
    while (ice_stun_message_next (&message, &offset, &type, &value))
      n++;
    g_assert_cmpuint (n, ==, counts[i]);
    g_assert_cmpuint (
        ice_stun_message_unknown (&message, unknown, G_N_ELEMENTS (unknown)),
        ==, MIN (counts[i], G_N_ELEMENTS (unknown)));
  }
}

static void
test_unknown (void)
{
  g_autoptr (GByteArray) bytes = make_message ("0001",
      "7abc0000 00240004 6e0001ff 802a0008 0000000000000001 7abd0001 ff000000"
      "c0570004 00010064 002b0004 00000000" MI "7abf0000FP");
  IceStunMessage message;
  guint16 unknown[8];

  g_assert_true (parse (&message, bytes));
  g_assert_cmpuint (ice_stun_message_unknown (&message, unknown, 8), ==, 3);
  g_assert_cmphex (unknown[0], ==, 0x7abc);
  g_assert_cmphex (unknown[1], ==, 0x7abd);
  g_assert_cmphex (unknown[2], ==, 0x002b);
  g_assert_cmpuint (ice_stun_message_unknown (&message, unknown, 2), ==, 2);
}

typedef struct
{
  const gchar *value;
  const gchar *plain, *xored; /* NULL when it is no address */
} AddressRow;

static const AddressRow address_rows[] = {
  { "0001a147e112a643", "225.18.166.67:41287", "192.0.2.1:32853" },
  { "ff01a147e112a643", "225.18.166.67:41287", "192.0.2.1:32853" },
  { "00022112 2112a442 0102030405060708090a0b0b",
      "[2112:a442:102:304:506:708:90a:b0b]:8466", "[::7]:0" },
  { "00010000", NULL, NULL },
  { "0001a147e112a6", NULL, NULL },
  { "0001a147e112a64300", NULL, NULL },
  { "0002a147e112a643", NULL, NULL },
  { "0001a147 2112a442 0102030405060708090a0b0c", NULL, NULL },
  { "0003a147e112a643", NULL, NULL },
  { "", NULL, NULL },
};

static void
test_addresses (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (address_rows); i++) {
    const AddressRow *row = &address_rows[i];
    g_autoptr (GByteArray) value = hex_parse (row->value);
    g_autofree gchar *hex = g_strdup_printf ("0020%04x%s%.*s", value->len,
        row->value, (gint) (-value->len & 3) * 2, "000000");
    g_autoptr (GByteArray) bytes = make_message ("0101", hex);
    gchar buffer[ICE_ADDRESS_STRLEN];
    IceStunMessage message;
    IceAddress address;
    guint16 type;
    IceBytes found;
    gsize offset = 0;

    g_assert_true (parse (&message, bytes));
    g_assert_cmpint (ice_stun_message_get_address (
                         &message, ICE_STUN_XOR_MAPPED_ADDRESS, &address),
        ==, row->plain != NULL);
    if (row->plain)
      g_assert_cmpstr (
          ice_address_to_string (&address, buffer), ==, row->plain);
    g_assert_cmpint (ice_stun_message_get_xor_address (
                         &message, ICE_STUN_XOR_MAPPED_ADDRESS, &address),
        ==, row->xored != NULL);
    if (row->xored)
      g_assert_cmpstr (
          ice_address_to_string (&address, buffer), ==, row->xored);
    g_assert_true (ice_stun_message_next (&message, &offset, &type, &found));
    g_assert_cmpint (
        ice_stun_message_value_to_xor_address (&message, found, &address), ==,
        row->xored != NULL);
    g_assert_false (ice_stun_message_get_xor_address (
        &message, ICE_STUN_XOR_PEER_ADDRESS, &address));
  }
}

static void
test_errors (void)
{
  static const struct
  {
    const gchar *hex;
    guint code; /* 0: none */
    const gchar *reason;
  } rows[] = {
    { "00090004 00000401", 401, "" },
    { "00090007 00000457 526f6c00", 487, "Rol" },
    { "00090004 ffffff01", 0, NULL }, /* class 7 */
    { "00090004 fffffc01", 401, "" }, /* reserved bits are ignored */
    { "00090004 0000062b", 643, "" },
    { "00090004 00000364", 0, NULL },
    { "00090004 00000200", 0, NULL },
    { "00090004 00000300", 300, "" },
    { "00090004 00000663", 699, "" },
    { "00090003 00000400", 0, NULL },
    { "00090000", 0, NULL },
    { "00250000", 0, NULL },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GByteArray) bytes = make_message ("0111", rows[i].hex);
    IceStunMessage message;
    IceBytes reason;
    guint code;

    g_assert_true (parse (&message, bytes));
    g_assert_cmpint (ice_stun_message_get_error (&message, &code, &reason), ==,
        rows[i].code != 0);
    if (rows[i].code == 0)
      continue;
    g_assert_cmpuint (code, ==, rows[i].code);
    g_assert_cmpmem (
        reason.data, reason.size, rows[i].reason, strlen (rows[i].reason));
  }
}

/* RFC 8489 14.8: a reason of 763 bytes, not one more. */
static void
test_long_reason (void)
{
  guint size;

  for (size = 763; size <= 764; size++) {
    g_autoptr (GString) hex = g_string_new (NULL);
    g_autoptr (GByteArray) bytes = NULL;
    IceStunMessage message;
    IceBytes reason;
    guint code, i;

    g_string_printf (hex, "0009%04x00000401", size + 4);
    for (i = 0; i < ((size + 3) & ~3u); i++)
      g_string_append (hex, "61");
    bytes = make_message ("0111", hex->str);
    g_assert_true (parse (&message, bytes));
    g_assert_cmpint (
        ice_stun_message_get_error (&message, &code, &reason), ==, size == 763);
  }
}

/* At any address: no cast of wire bytes (UBSan watches). */
static void
test_alignment (void)
{
  g_autoptr (GByteArray) bytes = make_message ("0001",
      "00240004 6e0001ff 802a0008 932ff9b151263b36 00200008"
      "0001a147e112a643" MI "FP");
  gsize shift;

  for (shift = 0; shift < 8; shift++) {
    g_autofree guint8 *data = g_malloc (bytes->len + shift);
    IceStunMessage message;
    IceAddress address;
    guint32 u32;
    guint64 u64;

    memcpy (data + shift, bytes->data, bytes->len);
    g_assert_true (ice_stun_message_parse (
        &message, ICE_BYTES (data + shift, bytes->len)));
    g_assert_true (
        ice_stun_message_get_u32 (&message, ICE_STUN_PRIORITY, &u32));
    g_assert_cmphex (u32, ==, 0x6e0001ff);
    g_assert_true (
        ice_stun_message_get_u64 (&message, ICE_STUN_ICE_CONTROLLING, &u64));
    g_assert_cmphex (u64, ==, G_GUINT64_CONSTANT (0x932ff9b151263b36));
    g_assert_true (ice_stun_message_get_xor_address (
        &message, ICE_STUN_XOR_MAPPED_ADDRESS, &address));
  }
}

static void
test_names (void)
{
  g_assert_cmpstr (ice_stun_attribute_name (ICE_STUN_SOFTWARE), ==, "SOFTWARE");
  g_assert_cmpstr (ice_stun_attribute_name (0x7abc), ==, "unknown attribute");
  g_assert_true (ice_stun_attribute_is_known (ICE_STUN_USE_CANDIDATE));
  g_assert_false (ice_stun_attribute_is_known (0x0003));
  g_assert_true (ice_stun_id_equal (
      (const guint8 *) "abcdefghijkl1", (const guint8 *) "abcdefghijkl2"));
  g_assert_false (ice_stun_id_equal (
      (const guint8 *) "abcdefghijkl", (const guint8 *) "abcdefghijkm"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stun/message/types", test_types);
  g_test_add_func ("/stun/message/looks-like", test_looks_like);
  g_test_add_func ("/stun/message/lengths", test_lengths);
  g_test_add_func ("/stun/message/sizes", test_sizes);
  g_test_add_func (
      "/stun/message/fingerprint-is-last", test_fingerprint_is_last);
  g_test_add_func ("/stun/message/visibility", test_visibility);
  g_test_add_func ("/stun/message/repeated", test_repeated);
  g_test_add_func ("/stun/message/many", test_many);
  g_test_add_func ("/stun/message/unknown", test_unknown);
  g_test_add_func ("/stun/message/addresses", test_addresses);
  g_test_add_func ("/stun/message/errors", test_errors);
  g_test_add_func ("/stun/message/long-reason", test_long_reason);
  g_test_add_func ("/stun/message/alignment", test_alignment);
  g_test_add_func ("/stun/message/names", test_names);
  return g_test_run ();
}
