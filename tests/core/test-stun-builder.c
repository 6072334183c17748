/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/core/stun/builder.h"

#include "hex.h"

#include <string.h>

static const guint8 id[ICE_STUN_ID_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  12 };

#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"
#define USERNAME "evtj:h6vY"

static void
assert_packet (IceStunBuilder *builder, const gchar *wanted)
{
  g_autoptr (IcePacket) packet = ice_stun_builder_end (builder);

  assert_hex (ICE_BYTES (packet->data, packet->size), wanted);
}

/* These five were computed by an independent encoder. */
static void
test_fingerprint_only (void)
{
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_fingerprint (&builder);
  assert_packet (
      &builder, "000100082112a4420102030405060708090a0b0c802800045b20f9cc");
}

static void
test_sha1 (void)
{
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PASSWORD);
  IceStunBuilder builder;
  guint i;

  /* The key is used twice: a context that was not reset would show. */
  for (i = 0; i < 2; i++) {
    ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
    ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, USERNAME);
    ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
    ice_stun_builder_add_fingerprint (&builder);
    assert_packet (&builder,
        "000100302112a4420102030405060708090a0b0c000600096576746a3a683676590000"
        "0000080014b1e85653e98da7c5aa99c501cc0f682297c36e2380280004d96306ef");
  }
}

static void
test_sha256 (void)
{
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PASSWORD);
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, USERNAME);
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA256);
  ice_stun_builder_add_fingerprint (&builder);
  assert_packet (&builder,
      "0001003c2112a4420102030405060708090a0b0c000600096576746a3a68367659000000"
      "001c0020eac2aee5e5ca72a9c0e39895ecd3a73c87ab3dcdb0e9c8e1e82bbc5a5a5a32"
      "7c802800046671a448");
}

static void
test_role_conflict (void)
{
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PASSWORD);
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_ERROR, ICE_STUN_BINDING, id);
  ice_stun_builder_add_error (&builder, 487, "Role Conflict");
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  assert_packet (&builder,
      "011100382112a4420102030405060708090a0b0c0009001100000457526f6c6520436f6e"
      "666c69637400000000080014c25187e19f94847486d0a8acde13077f88f4bb9380280004"
      "2aee99e9");
}

static void
test_unknown_attributes (void)
{
  static const guint16 types[] = { 0x7abc, 0x7abd, 0x7abe };
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PASSWORD);
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_ERROR, ICE_STUN_BINDING, id);
  ice_stun_builder_add_error (&builder, 420, NULL);
  ice_stun_builder_add_unknown (&builder, types, G_N_ELEMENTS (types));
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  assert_packet (&builder,
      "011100342112a4420102030405060708090a0b0c0009000400000414000a00067abc7abd"
      "7abe000000080014e53a915643f80a2221b8d0187ee241ad0e340ac880280004277455"
      "33");
}

static void
test_types (void)
{
  static const struct
  {
    IceStunClass klass;
    guint16 method;
    const gchar *type;
  } rows[] = {
    { ICE_STUN_REQUEST, ICE_STUN_BINDING, "0001" },
    { ICE_STUN_INDICATION, ICE_STUN_SEND, "0016" },
    { ICE_STUN_SUCCESS, ICE_STUN_ALLOCATE, "0103" },
    { ICE_STUN_ERROR, ICE_STUN_CHANNEL_BIND, "0119" },
    { ICE_STUN_ERROR, 0xfff, "3fff" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *wanted = g_strconcat (
        rows[i].type, "00002112a4420102030405060708090a0b0c", NULL);
    IceStunBuilder builder;

    ice_stun_builder_init (&builder, rows[i].klass, rows[i].method, id);
    assert_packet (&builder, wanted);
  }
}

static void
test_values (void)
{
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_flag (&builder, ICE_STUN_USE_CANDIDATE);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY, 0x6e0001ff);
  ice_stun_builder_add_u64 (&builder, ICE_STUN_ICE_CONTROLLED,
      G_GUINT64_CONSTANT (0x932ff9b151263b36));
  assert_packet (&builder,
      "000100182112a4420102030405060708090a0b0c00250000002400046e0001ff802900"
      "08932ff9b151263b36");
}

/* CVE-2020-4067: what pads is zero, whatever the memory held before. */
static void
test_padding (void)
{
  gsize size;

  for (size = 0; size < 300; size++) {
    g_autofree gchar *text = g_strnfill (size, 'x');
    g_autoptr (IcePacket) packet = NULL;
    IceStunBuilder builder;
    gsize i;

    ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
    memset (builder.writer.data + builder.writer.size, 0xaa,
        builder.writer.allocated - builder.writer.size);
    ice_stun_builder_add_string (&builder, ICE_STUN_SOFTWARE, text);
    packet = ice_stun_builder_end (&builder);
    g_assert_cmpuint (packet->size, ==, 24 + ((size + 3) & ~(gsize) 3));
    for (i = 24 + size; i < packet->size; i++)
      g_assert_cmpuint (packet->data[i], ==, 0);
  }
}

static void
test_addresses (void)
{
  static const gchar *const ips[] = { "0.0.0.0", "192.0.2.1", "255.255.255.255",
    "::", "2001:db8:1234:5678:11:2233:4455:6677",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
  static const guint16 ports[] = { 0, 1, 0x2112, 32853, 65535 };
  guint i, j;

  for (i = 0; i < G_N_ELEMENTS (ips); i++)
    for (j = 0; j < G_N_ELEMENTS (ports); j++) {
      g_autoptr (IcePacket) packet = NULL;
      IceAddress address, found;
      IceStunBuilder builder;
      IceStunMessage message;

      g_assert_true (ice_address_parse (&address, ips[i], ports[j]));
      ice_stun_builder_init (&builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, id);
      ice_stun_builder_add_address (
          &builder, ICE_STUN_MAPPED_ADDRESS, &address);
      ice_stun_builder_add_xor_address (
          &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &address);
      packet = ice_stun_builder_end (&builder);
      g_assert_true (ice_stun_message_parse (
          &message, ICE_BYTES (packet->data, packet->size)));
      g_assert_true (ice_stun_message_get_address (
          &message, ICE_STUN_MAPPED_ADDRESS, &found));
      g_assert_true (ice_address_equal (&address, &found));
      g_assert_true (ice_stun_message_get_xor_address (
          &message, ICE_STUN_XOR_MAPPED_ADDRESS, &found));
      g_assert_true (ice_address_equal (&address, &found));
    }
}

/* The length field's own limit; what goes beyond is not added. */
static void
test_largest (void)
{
  gsize most = ICE_STUN_MESSAGE_MAX - ICE_STUN_HEADER_SIZE - 4;
  g_autofree guint8 *data = g_malloc0 (most + 1);
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;
  IceStunMessage message;
  IceBytes value;

  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_SEND, id);
  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "*assertion*");
  ice_stun_builder_add_bytes (
      &builder, ICE_STUN_DATA_ATTRIBUTE, ICE_BYTES (data, most + 1));
  g_test_assert_expected_messages ();
  ice_stun_builder_add_bytes (
      &builder, ICE_STUN_DATA_ATTRIBUTE, ICE_BYTES (data, most));
  packet = ice_stun_builder_end (&builder);
  g_assert_cmpuint (packet->size, ==, ICE_STUN_MESSAGE_MAX);
  g_assert_true (ice_stun_message_parse (
      &message, ICE_BYTES (packet->data, packet->size)));
  g_assert_true (
      ice_stun_message_find (&message, ICE_STUN_DATA_ATTRIBUTE, &value));
  g_assert_cmpuint (value.size, ==, most);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stun/builder/fingerprint-only", test_fingerprint_only);
  g_test_add_func ("/stun/builder/sha1", test_sha1);
  g_test_add_func ("/stun/builder/sha256", test_sha256);
  g_test_add_func ("/stun/builder/role-conflict", test_role_conflict);
  g_test_add_func ("/stun/builder/unknown-attributes", test_unknown_attributes);
  g_test_add_func ("/stun/builder/types", test_types);
  g_test_add_func ("/stun/builder/values", test_values);
  g_test_add_func ("/stun/builder/padding", test_padding);
  g_test_add_func ("/stun/builder/addresses", test_addresses);
  g_test_add_func ("/stun/builder/largest", test_largest);
  return g_test_run ();
}
