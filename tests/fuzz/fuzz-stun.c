/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A datagram from a stranger: what is read of it is inside of it, and what we
 * write of it reads the same. */
#include "gst/ice/core/stun/builder.h"

#include "mend.h"
#include "target.h"

static IceStunKey *key;

/* Everything that can be asked of one attribute. */
static void
ask_attribute (const IceStunMessage *message, guint16 type, IceBytes value)
{
  IceAddress address;
  guint32 u32;
  guint64 u64;

  g_assert_true (value.data >= message->raw.data + ICE_STUN_HEADER_SIZE + 4);
  g_assert_true (
      value.data + value.size <= message->raw.data + message->visible_end);
  g_assert_nonnull (ice_stun_attribute_name (type));
  if (value.size == 4)
    ice_stun_message_get_u32 (message, type, &u32);
  else if (value.size == 8)
    ice_stun_message_get_u64 (message, type, &u64);
  if (ice_stun_message_value_to_xor_address (message, value, &address)) {
    IceAddress first, once = address;

    g_assert_true (ice_stun_message_get_address (message, type, &first) ||
        ice_stun_message_has (message, type));
    ice_address_classify (&address);
    /* RFC 8489 14.2: applied twice it is the address again. */
    ice_stun_address_xor (&once, message->id);
    ice_stun_address_xor (&once, message->id);
    g_assert_true (ice_address_equal (&address, &once));
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
  if (ice_stun_message_get_error (message, &code, &value)) {
    g_assert_cmpuint (code, >=, 300);
    g_assert_cmpuint (code, <=, 699);
  }
  ice_stun_message_unknown (message, unknown, G_N_ELEMENTS (unknown));
  /* Nobody guesses a MAC: corpora are not made with this password. */
  g_assert_false (
      ice_stun_message_verify (message, key, ICE_STUN_INTEGRITY_SHA1));
  g_assert_false (
      ice_stun_message_verify (message, key, ICE_STUN_INTEGRITY_SHA256));
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

/* Padding is the only thing that may differ. */
static void
check_fixpoint (const IceStunMessage *message)
{
  g_autoptr (IcePacket) once = write_again (message);
  IceStunMessage again;
  gsize offset = 0, offset_again = 0;
  guint16 type, type_again;
  IceBytes value, value_again;

  g_assert_true (
      ice_stun_message_parse (&again, ICE_BYTES (once->data, once->size)));
  g_assert_cmpuint (once->size, ==, message->visible_end);
  g_assert_cmpint (again.klass, ==, message->klass);
  g_assert_cmpint (again.method, ==, message->method);
  while (ice_stun_message_next (message, &offset, &type, &value)) {
    g_assert_true (ice_stun_message_next (
        &again, &offset_again, &type_again, &value_again));
    g_assert_cmpint (type, ==, type_again);
    g_assert_cmpmem (
        value.data, value.size, value_again.data, value_again.size);
  }
  g_assert_false (
      ice_stun_message_next (&again, &offset_again, &type_again, &value_again));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  IceBytes bytes = ICE_BYTES (data, size);
  IceStunMessage message;

  if (!key)
    key = ice_stun_key_new_short_term ("VOkJxbRl1RmTxUk/WvJxBt+");
  if (ice_stun_message_parse (&message, bytes)) {
    g_assert_true (ice_stun_looks_like (bytes));
    ask_message (&message);
    check_fixpoint (&message);
  }
  return 0;
}

size_t
LLVMFuzzerCustomMutator (
    uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
  size = LLVMFuzzerMutate (data, size, max_size);
  /* One in four stays spoilt. */
  if (seed & 3)
    size = mend_header (data, size);
  if (seed & 0x30)
    mend_attributes (data, size);
  if ((seed & 0x300) == 0)
    size = mend_fingerprint (data, size, max_size);
  return size;
}
