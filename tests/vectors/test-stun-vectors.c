/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sample messages of RFC 5769 and RFC 8489 and some of our own, one file
 * each under stun/: parsed, verified, built again, and spoilt in every
 * mechanical way. A file has lines "# name value" and the message in
 * hexadecimal. */
#include "gst/ice/base/crypto.h"
#include "gst/ice/core/stun/builder.h"
#include "tests/core/hex.h"

#include <string.h>

typedef struct
{
  GHashTable *facts;   /* (owned) name to value */
  GByteArray *message; /* (owned) */
  IceStunKey *key;     /* (owned) */
  IceStunIntegrity integrity;
  gboolean has_fingerprint;
} Vector;

static const gchar *
fact (const Vector *self, const gchar *name)
{
  return g_hash_table_lookup (self->facts, name);
}

static gboolean
fact_is (const Vector *self, const gchar *name, const gchar *value)
{
  return g_strcmp0 (fact (self, name), value) == 0;
}

static IceStunKey *
make_key (const Vector *self)
{
  const gchar *realm = fact (self, "realm");

  if (fact (self, "short-term"))
    return ice_stun_key_new_short_term (fact (self, "short-term"));
  return ice_stun_key_new_long_term (fact (self, "user"),
      ICE_BYTES (realm, strlen (realm)), fact (self, "password"),
      fact_is (self, "key", "sha256"));
}

static gboolean
parse (IceStunMessage *message, const guint8 *data, gsize size)
{
  return ice_stun_message_parse (message, ICE_BYTES (data, size));
}

static void
vector_load (Vector *self, const gchar *path)
{
  g_autofree gchar *text = NULL;
  g_autoptr (GString) hex = g_string_new (NULL);
  g_auto (GStrv) lines = NULL;
  IceStunMessage message;
  guint i;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  self->facts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  lines = g_strsplit (text, "\n", -1);
  for (i = 0; lines[i]; i++) {
    g_auto (GStrv) words = NULL;

    if (lines[i][0] != '#') {
      g_string_append (hex, lines[i]);
      continue;
    }
    words = g_strsplit (lines[i] + 2, " ", 2);
    g_hash_table_insert (self->facts, g_strdup (words[0]), g_strdup (words[1]));
  }
  self->message = hex_parse (hex->str);
  g_assert_true (parse (&message, self->message->data, self->message->len));
  self->has_fingerprint = message.fingerprint != 0;
  self->key = make_key (self);
  self->integrity = fact_is (self, "integrity", "none")
      ? ICE_STUN_INTEGRITY_NONE
      : fact_is (self, "integrity", "sha256") ? ICE_STUN_INTEGRITY_SHA256
                                              : ICE_STUN_INTEGRITY_SHA1;
}

static void
vector_clear (Vector *self)
{
  g_hash_table_unref (self->facts);
  g_byte_array_unref (self->message);
  ice_stun_key_free (self->key);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Vector, vector_clear)

static gboolean
is_authentic (const Vector *self, const IceStunMessage *message)
{
  return self->integrity == ICE_STUN_INTEGRITY_NONE ||
      ice_stun_message_verify (message, self->key, self->integrity);
}

/* Good means what ICE asks of a message: parsed, and its integrity right; and
 * with FINGERPRINT where the vector has one. */
static gboolean
is_good (const Vector *self, const guint8 *data, gsize size)
{
  IceStunMessage message;

  return parse (&message, data, size) &&
      (message.fingerprint != 0) == self->has_fingerprint &&
      is_authentic (self, &message);
}

static void
assert_text (const Vector *self, const IceStunMessage *message,
    const gchar *name, guint16 type)
{
  IceBytes value;

  if (!fact (self, name))
    return;
  g_assert_true (ice_stun_message_find (message, type, &value));
  g_assert_cmpmem (
      value.data, value.size, fact (self, name), strlen (fact (self, name)));
}

static void
test_parse (gconstpointer path)
{
  g_auto (Vector) self = { 0 };
  gchar buffer[ICE_ADDRESS_STRLEN];
  IceStunMessage message;
  IceAddress address;
  IceBytes value;
  guint32 priority;

  vector_load (&self, path);
  g_assert_true (parse (&message, self.message->data, self.message->len));
  g_assert_true (is_authentic (&self, &message));
  g_assert_cmpuint (ice_stun_message_unknown (&message, NULL, 0), ==, 0);
  assert_text (&self, &message, "username", ICE_STUN_USERNAME);
  assert_text (&self, &message, "software", ICE_STUN_SOFTWARE);
  assert_text (&self, &message, "realm", ICE_STUN_REALM);
  assert_text (&self, &message, "nonce", ICE_STUN_NONCE);

  if (fact (&self, "priority")) {
    g_assert_true (
        ice_stun_message_get_u32 (&message, ICE_STUN_PRIORITY, &priority));
    g_assert_cmphex (
        priority, ==, g_ascii_strtoull (fact (&self, "priority"), NULL, 16));
  }
  if (fact (&self, "mapped")) {
    g_assert_true (ice_stun_message_get_xor_address (
        &message, ICE_STUN_XOR_MAPPED_ADDRESS, &address));
    g_assert_cmpstr (
        ice_address_to_string (&address, buffer), ==, fact (&self, "mapped"));
  }
  if (fact (&self, "userhash")) {
    g_assert_true (ice_stun_message_find (&message, ICE_STUN_USERHASH, &value));
    assert_hex (value, fact (&self, "userhash"));
  }
}

/* RFC 5769 pads with blanks and with zeros; we write zeros. */
static gboolean
padding_is_zero (const IceStunMessage *message)
{
  gsize offset = 0;
  guint16 type;
  IceBytes value;

  while (ice_stun_message_next (message, &offset, &type, &value)) {
    const guint8 *pad = value.data + value.size;

    while (pad < message->raw.data + offset)
      if (*pad++ != 0)
        return FALSE;
  }
  return TRUE;
}

/* The same attributes, added one after the other, are the same message. */
static void
test_build (gconstpointer path)
{
  g_auto (Vector) self = { 0 };
  g_autoptr (IcePacket) packet = NULL;
  IceStunMessage message, again;
  IceStunBuilder builder;
  gsize offset = 0;
  guint16 type;
  IceBytes value;

  vector_load (&self, path);
  g_assert_true (parse (&message, self.message->data, self.message->len));
  ice_stun_builder_init (&builder, message.klass, message.method, message.id);
  while (ice_stun_message_next (&message, &offset, &type, &value))
    ice_stun_builder_add_bytes (&builder, type, value);
  if (self.integrity != ICE_STUN_INTEGRITY_NONE)
    ice_stun_builder_add_integrity (&builder, self.key, self.integrity);
  if (message.fingerprint)
    ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);

  if (padding_is_zero (&message))
    g_assert_cmpmem (
        packet->data, packet->size, self.message->data, self.message->len);
  g_assert_cmpuint (packet->size, ==, self.message->len);
  g_assert_true (parse (&again, packet->data, packet->size));
  g_assert_true (is_authentic (&self, &again));
}

static void
test_truncated (gconstpointer path)
{
  g_auto (Vector) self = { 0 };
  gsize size;

  vector_load (&self, path);
  for (size = 0; size < self.message->len; size++) {
    g_autofree guint8 *data = g_memdup2 (self.message->data, size);
    IceStunMessage message;

    g_assert_false (parse (&message, data, size));
    /* Nor with a length that fits. */
    if (size < ICE_STUN_HEADER_SIZE)
      continue;
    data[2] = 0;
    data[3] = (guint8) (size - ICE_STUN_HEADER_SIZE);
    g_assert_false (is_good (&self, data, size));
  }
}

static void
test_flipped (gconstpointer path)
{
  g_auto (Vector) self = { 0 };
  guint bit;

  vector_load (&self, path);
  g_assert_true (is_good (&self, self.message->data, self.message->len));
  for (bit = 0; bit < 8 * self.message->len; bit++) {
    self.message->data[bit / 8] ^= 1 << bit % 8;
    g_test_message ("bit %u", bit);
    g_assert_false (is_good (&self, self.message->data, self.message->len));
    self.message->data[bit / 8] ^= 1 << bit % 8;
  }
}

static void
test_length (gconstpointer path)
{
  static const gint deltas[] = { -4, -1, 1, 4 };
  g_auto (Vector) self = { 0 };
  guint length, i;

  vector_load (&self, path);
  length = self.message->len - ICE_STUN_HEADER_SIZE;
  for (i = 0; i < G_N_ELEMENTS (deltas) + 2; i++) {
    guint wrong = i < G_N_ELEMENTS (deltas) ? length + deltas[i]
        : i == G_N_ELEMENTS (deltas)        ? 0
                                            : 0xfffc;

    self.message->data[2] = (guint8) (wrong >> 8);
    self.message->data[3] = (guint8) wrong;
    g_assert_false (is_good (&self, self.message->data, self.message->len));
  }
  /* Bytes behind the message. */
  self.message->data[2] = (guint8) (length >> 8);
  self.message->data[3] = (guint8) length;
  g_byte_array_append (self.message, (const guint8 *) "\0\0\0\0", 4);
  g_assert_false (is_good (&self, self.message->data, self.message->len));
}

/* FINGERPRINT twice, or before the integrity. */
static void
test_fingerprint_moved (gconstpointer path)
{
  g_auto (Vector) self = { 0 };
  IceStunMessage message;
  IceStunBuilder builder;
  guint i;

  vector_load (&self, path);
  g_assert_true (parse (&message, self.message->data, self.message->len));
  for (i = 0; i < 2; i++) {
    g_autoptr (IcePacket) packet = NULL;

    ice_stun_builder_init (&builder, message.klass, message.method, message.id);
    ice_stun_builder_add_fingerprint (&builder);
    if (i == 0)
      ice_stun_builder_add_integrity (
          &builder, self.key, ICE_STUN_INTEGRITY_SHA1);
    else
      ice_stun_builder_add_fingerprint (&builder);
    packet = ice_stun_builder_end (&builder);
    g_assert_false (parse (&message, packet->data, packet->size));
    parse (&message, self.message->data, self.message->len);
  }
}

/* What somebody appends to a signed message is not there. */
static void
test_appended (gconstpointer path)
{
  g_auto (Vector) self = { 0 };
  g_autoptr (IcePacket) packet = NULL;
  IceStunMessage message, longer;
  IceStunBuilder builder;
  gsize end;

  vector_load (&self, path);
  if (self.integrity == ICE_STUN_INTEGRITY_NONE)
    return; /* who forges a FINGERPRINT may append what he likes */
  g_assert_true (parse (&message, self.message->data, self.message->len));
  end = message.fingerprint ? message.fingerprint : self.message->len;
  ice_stun_builder_init (&builder, message.klass, message.method, message.id);
  builder.writer.size = 0;
  ice_write_bytes (&builder.writer, ICE_BYTES (self.message->data, end));
  ice_stun_builder_add_flag (&builder, ICE_STUN_USE_CANDIDATE);
  ice_stun_builder_add_flag (&builder, 0x7abc);
  ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);

  g_assert_true (parse (&longer, packet->data, packet->size));
  g_assert_true (ice_stun_message_verify (&longer, self.key, self.integrity));
  g_assert_false (ice_stun_message_has (&longer, ICE_STUN_USE_CANDIDATE));
  g_assert_cmpuint (
      ice_stun_message_unknown (&longer, (guint16[1]){ 0 }, 1), ==, 0);
}

/* The length in the header, and FINGERPRINT if it is there, are right again:
 * what a forger without the password can do. */
static void
reseal (const Vector *self, GByteArray *message)
{
  guint length = message->len - ICE_STUN_HEADER_SIZE;
  IceBytes part = ICE_BYTES (message->data, message->len - 8);
  guint32 crc;

  message->data[2] = (guint8) (length >> 8);
  message->data[3] = (guint8) length;
  if (!self->has_fingerprint)
    return;
  crc = GUINT32_TO_BE (ice_crc32 (&part, 1) ^ 0x5354554e); /* RFC 8489 14.7 */
  memcpy (message->data + message->len - 4, &crc, 4);
}

static gsize
integrity_offset (const Vector *self)
{
  IceStunMessage message;

  g_assert_true (parse (&message, self->message->data, self->message->len));
  return message.integrity ? message.integrity : message.integrity_sha256;
}

/* Each bit up to the end of the MAC, FINGERPRINT made right again. */
static void
test_resealed (gconstpointer path)
{
  g_auto (Vector) self = { 0 };
  gsize end;

  vector_load (&self, path);
  if (self.integrity == ICE_STUN_INTEGRITY_NONE)
    return;
  end = self.message->len - (self.has_fingerprint ? 8 : 0);
  for (gsize bit = 0; bit < 8 * end; bit++) {
    if (bit / 8 == 2 || bit / 8 == 3)
      continue; /* the length: reseal undoes it */
    self.message->data[bit / 8] ^= 1 << bit % 8;
    reseal (&self, self.message);
    g_test_message ("bit %" G_GSIZE_FORMAT, bit);
    g_assert_false (is_good (&self, self.message->data, self.message->len));
    self.message->data[bit / 8] ^= 1 << bit % 8;
  }
  reseal (&self, self.message);
  g_assert_true (is_good (&self, self.message->data, self.message->len));
}

/* An attribute of four bytes put in before each of those that are signed. */
static void
test_inserted (gconstpointer path)
{
  static const guint8 attribute[] = { 0x00, 0x25, 0x00, 0x00 };
  g_auto (Vector) self = { 0 };
  IceStunMessage message;
  gsize offset = 0, at = ICE_STUN_HEADER_SIZE;
  guint16 type;
  IceBytes value;
  gboolean more;

  vector_load (&self, path);
  if (self.integrity == ICE_STUN_INTEGRITY_NONE)
    return;
  g_assert_true (parse (&message, self.message->data, self.message->len));
  do {
    g_autoptr (GByteArray) longer = g_byte_array_new ();

    more = ice_stun_message_next (&message, &offset, &type, &value);
    g_byte_array_append (longer, self.message->data, at);
    g_byte_array_append (longer, attribute, sizeof attribute);
    g_byte_array_append (
        longer, self.message->data + at, self.message->len - at);
    reseal (&self, longer);
    g_assert_false (is_good (&self, longer->data, longer->len));
    at = offset;
  } while (more);
}

/* The MAC moved to the front: what was signed is invisible now, and the MAC is
 * one of something else. */
static void
test_integrity_moved (gconstpointer path)
{
  g_auto (Vector) self = { 0 };
  g_autoptr (GByteArray) moved = g_byte_array_new ();
  gsize at, size;

  vector_load (&self, path);
  if (self.integrity == ICE_STUN_INTEGRITY_NONE)
    return;
  at = integrity_offset (&self);
  g_assert_cmpuint (at, >, ICE_STUN_HEADER_SIZE);
  size = self.integrity == ICE_STUN_INTEGRITY_SHA256 ? 36 : 24;
  g_byte_array_append (moved, self.message->data, ICE_STUN_HEADER_SIZE);
  g_byte_array_append (moved, self.message->data + at, size);
  g_byte_array_append (moved, self.message->data + ICE_STUN_HEADER_SIZE,
      at - ICE_STUN_HEADER_SIZE);
  g_byte_array_append (
      moved, self.message->data + at + size, self.message->len - at - size);
  reseal (&self, moved);
  g_assert_cmpuint (moved->len, ==, self.message->len);
  g_assert_false (is_good (&self, moved->data, moved->len));
}

/* Any alignment, and the last byte at the end of its page for the sanitizer. */
static void
test_alignment (gconstpointer path)
{
  g_auto (Vector) self = { 0 };

  vector_load (&self, path);
  for (guint shift = 0; shift < 8; shift++) {
    g_autofree guint8 *data = g_malloc (self.message->len + shift);

    memcpy (data + shift, self.message->data, self.message->len);
    g_assert_true (is_good (&self, data + shift, self.message->len));
  }
}

typedef struct
{
  const gchar *name;
  void (*run) (gconstpointer path);
} Treatment;

static const Treatment treatments[] = {
  { "parse", test_parse },
  { "build", test_build },
  { "truncated", test_truncated },
  { "flipped", test_flipped },
  { "length", test_length },
  { "fingerprint-moved", test_fingerprint_moved },
  { "appended", test_appended },
  { "resealed", test_resealed },
  { "inserted", test_inserted },
  { "integrity-moved", test_integrity_moved },
  { "alignment", test_alignment },
};

int
main (int argc, char **argv)
{
  g_autofree gchar *folder = NULL;
  g_autoptr (GDir) dir = NULL;
  const gchar *name;
  guint i, n = 0;

  g_test_init (&argc, &argv, NULL);
  folder = g_test_build_filename (G_TEST_DIST, "stun", NULL);
  dir = g_dir_open (folder, 0, NULL);
  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir))) {
    for (i = 0; i < G_N_ELEMENTS (treatments); i++) {
      g_autofree gchar *path =
          g_strdup_printf ("/vectors/%s/%s", name, treatments[i].name);

      g_test_add_data_func_full (path, g_build_filename (folder, name, NULL),
          (GTestDataFunc) treatments[i].run, g_free);
    }
    n++;
  }
  g_assert_cmpuint (n, ==, 10);
  return g_test_run ();
}
