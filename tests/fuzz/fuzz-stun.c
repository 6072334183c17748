/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A datagram from a stranger; and the same bytes as attributes of a message
 * that is signed and fingerprinted, which reach what a flipped bit does not. */
#include "gst/ice/core/stun/credentials.h"

#include "target.h"

/* More would only be slower. */
#define BODY_MAX 2048

static IceStunKey *key;

/* Everything that can be asked of one attribute. */
static void
ask_attribute (const IceStunMessage *message, guint16 type, IceBytes value)
{
  g_autofree gchar *text = ice_bytes_dup_utf8 (value);
  g_autofree gchar *opaque = ice_stun_opaque_string (value);
  gchar buffer[ICE_ADDRESS_STRLEN];
  IceAddress address;
  guint32 u32;
  guint64 u64;

  /* What is no UTF-8 is no password either. */
  g_assert_true (text || !opaque);
  g_assert_nonnull (ice_stun_attribute_name (type));
  ice_stun_message_get_u32 (message, type, &u32);
  ice_stun_message_get_u64 (message, type, &u64);
  ice_stun_message_get_address (message, type, &address);
  if (ice_stun_message_value_to_xor_address (message, value, &address)) {
    IceAddress again;

    ice_address_to_string (&address, buffer);
    ice_address_classify (&address);
    g_assert_true (ice_address_parse (
        &again, ice_address_ip_to_string (&address, buffer), address.port));
    g_assert_true (ice_address_equal (&address, &again));
  }
}

static void
ask_message (const IceStunMessage *message)
{
  guint16 unknown[4], type;
  IceBytes value;
  gsize offset = 0;
  guint code;

  while (ice_stun_message_next (message, &offset, &type, &value))
    ask_attribute (message, type, value);
  ice_stun_message_get_error (message, &code, &value);
  ice_stun_message_unknown (message, unknown, G_N_ELEMENTS (unknown));
  ice_stun_message_verify (message, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_message_verify (message, key, ICE_STUN_INTEGRITY_SHA256);
}

/* (transfer full) what is visible of @message, written by us. */
static IcePacket *
write_again (const IceStunMessage *message)
{
  IceStunBuilder builder;
  IceBytes value;
  guint16 type;
  gsize offset = 0;

  ice_stun_builder_init (
      &builder, message->klass, message->method, message->id);
  while (ice_stun_message_next (message, &offset, &type, &value))
    ice_stun_builder_add_bytes (&builder, type, value);
  return ice_stun_builder_end (&builder);
}

static void
check_fixpoint (const IceStunMessage *message)
{
  g_autoptr (IcePacket) once = write_again (message);
  g_autoptr (IcePacket) twice = NULL;
  IceStunMessage again;

  g_assert_true (
      ice_stun_message_parse (&again, ICE_BYTES (once->data, once->size)));
  twice = write_again (&again);
  g_assert_cmpmem (once->data, once->size, twice->data, twice->size);
}

/* A server's answers, over and over: bounded, and what we send then parses. */
static void
challenge (const IceStunMessage *message)
{
  g_autoptr (IceStunAuth) auth = ice_stun_auth_new ("user", "pass");
  guint rounds = 0, n = 0;

  ice_stun_auth_verify (auth, message);
  while (ice_stun_auth_challenge (auth, message, n % 2 ? 401 : 438, &rounds) ==
      ICE_STUN_AUTH_RETRY) {
    g_autoptr (IcePacket) packet = NULL;
    IceStunBuilder builder;
    IceStunMessage request;

    ice_stun_builder_init (
        &builder, ICE_STUN_REQUEST, ICE_STUN_ALLOCATE, message->id);
    ice_stun_auth_sign (auth, &builder);
    packet = ice_stun_builder_end (&builder);
    g_assert_true (ice_stun_message_parse (
        &request, ICE_BYTES (packet->data, packet->size)));
    ice_stun_auth_verify (auth, message);
    n++;
  }
  g_assert_cmpuint (n, <=, 3);
}

static void
try_signed (IceBytes body, IceStunIntegrity integrity)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 0 };
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;
  IceStunMessage message;

  body.size = MIN (body.size, BODY_MAX) & ~(gsize) 3;
  ice_stun_builder_init (&builder, ICE_STUN_ERROR, ICE_STUN_ALLOCATE, id);
  ice_write_bytes (&builder.writer, body);
  ice_stun_builder_add_integrity (&builder, key, integrity);
  ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);
  if (!ice_stun_message_parse (
          &message, ICE_BYTES (packet->data, packet->size)))
    return;

  /* Ours is the one that counts, unless the body brought its own. */
  if (message.visible_end == ICE_STUN_HEADER_SIZE + body.size)
    g_assert_true (ice_stun_message_verify (&message, key, integrity));
  ask_message (&message);
  challenge (&message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  IceBytes bytes = ICE_BYTES (data, size);
  IceStunMessage message;

  if (!key)
    key = ice_stun_key_new_short_term ("VOkJxbRl1RmTxUk/WvJxBt");

  if (ice_stun_message_parse (&message, bytes)) {
    g_assert_true (ice_stun_looks_like (bytes));
    ask_message (&message);
    check_fixpoint (&message);
    challenge (&message);
  }
  try_signed (bytes, ICE_STUN_INTEGRITY_SHA1);
  try_signed (bytes, ICE_STUN_INTEGRITY_SHA256);
  return 0;
}
