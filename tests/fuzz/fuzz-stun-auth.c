/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as the attributes of a message that is signed and fingerprinted,
 * which reach what a flipped bit does not; and a server that says so. */
#include "gst/ice/core/stun/credentials.h"

#include "target.h"

/* More would only be slower. */
#define BODY_MAX 2048

static IceStunKey *key;

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

/* What is no UTF-8 is no password either. */
static void
ask_texts (const IceStunMessage *message)
{
  gsize offset = 0;
  guint16 type;
  IceBytes value;

  while (ice_stun_message_next (message, &offset, &type, &value)) {
    g_autofree gchar *text = ice_bytes_dup_utf8 (value);
    g_autofree gchar *opaque = ice_stun_opaque_string (value);

    g_assert_true (text || !opaque);
    g_assert_true (!opaque || g_utf8_validate (opaque, -1, NULL));
  }
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
  ask_texts (&message);
  challenge (&message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  IceBytes bytes = ICE_BYTES (data, size);
  IceStunMessage message;

  if (!key)
    key = ice_stun_key_new_short_term ("VOkJxbRl1RmTxUk/WvJxBt");

  if (ice_stun_message_parse (&message, bytes))
    challenge (&message);
  try_signed (bytes, ICE_STUN_INTEGRITY_SHA1);
  try_signed (bytes, ICE_STUN_INTEGRITY_SHA256);
  return 0;
}
