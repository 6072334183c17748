/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A script builds a message; what is read of it is what was put in. Then one
 * byte changes, as on the way, and the checksum with it, as an attacker would:
 * what is signed is accepted byte for byte or not at all. */
#include "gst/ice/core/stun/builder.h"

#include "mend.h"
#include "script.h"
#include "target.h"

#define MAX_ATTRIBUTES 24

typedef enum
{
  PUT_FLAG,
  PUT_BYTES,
  PUT_U32,
  PUT_U64,
  PUT_ADDRESS,
  PUT_XOR_ADDRESS,
  PUT_ERROR,
  PUT_UNKNOWN,
  N_PUTS,
} Put;

/* What was put in. */
typedef struct
{
  Put put;
  guint16 type;
  IceBytes bytes;
  guint64 number;
  IceAddress address;
  guint8 unknown[2 * 8]; /* in network order */
  gboolean is_first;     /* of its type: the one that counts */
} Attribute;

typedef struct
{
  IceStunClass klass;
  guint16 method;
  guint8 id[ICE_STUN_ID_SIZE];
  guint n;
  Attribute attributes[MAX_ATTRIBUTES];
  gboolean sha1, sha256, fingerprint;
} Model;

static IceStunKey *key;

/* The three that others are judged by have their own calls. */
static gboolean
is_plain (guint16 type)
{
  return type != ICE_STUN_MESSAGE_INTEGRITY &&
      type != ICE_STUN_MESSAGE_INTEGRITY_SHA256 && type != ICE_STUN_FINGERPRINT;
}

static void
read_script (Model *self, Script *in)
{
  guint head = script_u8 (in), i, j;
  IceBytes id;

  self->klass = (IceStunClass) (head & 3);
  self->sha1 = (head & 4) != 0;
  self->sha256 = (head & 8) != 0;
  self->fingerprint = (head & 16) != 0;
  self->method = script_u16 (in) & 0xfff;
  id = script_bytes (in, ICE_STUN_ID_SIZE);
  if (id.size > 0)
    memcpy (self->id, id.data, id.size);

  while (in->left > 3 && self->n < MAX_ATTRIBUTES) {
    Attribute *a = &self->attributes[self->n];

    *a = (Attribute){ .put = script_u8 (in) % N_PUTS, .is_first = TRUE };
    a->type = script_u16 (in);
    if (a->put == PUT_ERROR)
      a->type = ICE_STUN_ERROR_CODE;
    else if (a->put == PUT_UNKNOWN)
      a->type = ICE_STUN_UNKNOWN_ATTRIBUTES;
    else if (!is_plain (a->type))
      continue;
    if (a->put == PUT_BYTES || a->put == PUT_ERROR)
      a->bytes = script_bytes (in, script_u8 (in));
    if (a->put == PUT_UNKNOWN)
      for (a->number = script_u8 (in) % 9, j = 0; j < 2 * a->number; j++)
        a->unknown[j] = script_u8 (in);
    else if (a->put == PUT_ADDRESS || a->put == PUT_XOR_ADDRESS)
      a->address = script_address (in);
    else
      a->number = (guint64) script_u32 (in) << 32 | script_u32 (in);
    for (i = 0; i < self->n; i++)
      a->is_first &= self->attributes[i].type != a->type;
    self->n++;
  }
}

static guint
code_of (const Attribute *a)
{
  return 300 + (guint) (a->number % 400);
}

static void
add_unknown (IceStunBuilder *builder, const Attribute *a)
{
  guint16 types[8];
  guint i;

  for (i = 0; i < a->number; i++)
    types[i] = mend_get_u16 (a->unknown + 2 * i);
  ice_stun_builder_add_unknown (builder, types, (guint) a->number);
}

static void
add_error (IceStunBuilder *builder, const Attribute *a)
{
  /* A reason is a string for the builder. */
  g_autofree gchar *reason = a->bytes.size
      ? g_strndup ((const gchar *) a->bytes.data, a->bytes.size)
      : NULL;

  ice_stun_builder_add_error (builder, code_of (a), reason);
}

static void
add (IceStunBuilder *builder, const Attribute *a)
{
  switch (a->put) {
    case PUT_FLAG:
      ice_stun_builder_add_flag (builder, a->type);
      break;
    case PUT_BYTES:
      ice_stun_builder_add_bytes (builder, a->type, a->bytes);
      break;
    case PUT_U32:
      ice_stun_builder_add_u32 (builder, a->type, (guint32) a->number);
      break;
    case PUT_U64:
      ice_stun_builder_add_u64 (builder, a->type, a->number);
      break;
    case PUT_ADDRESS:
      ice_stun_builder_add_address (builder, a->type, &a->address);
      break;
    case PUT_XOR_ADDRESS:
      ice_stun_builder_add_xor_address (builder, a->type, &a->address);
      break;
    case PUT_ERROR:
      add_error (builder, a);
      break;
    case PUT_UNKNOWN:
    default:
      add_unknown (builder, a);
      break;
  }
}

static IcePacket *
build (const Model *self)
{
  IceStunBuilder builder;
  guint i;

  ice_stun_builder_init (&builder, self->klass, self->method, self->id);
  for (i = 0; i < self->n; i++)
    add (&builder, &self->attributes[i]);
  if (self->sha1)
    ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  if (self->sha256)
    ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA256);
  if (self->fingerprint)
    ice_stun_builder_add_fingerprint (&builder);
  return ice_stun_builder_end (&builder);
}

/* Asked by type, which the first of its type answers. */
static void
check_typed (const IceStunMessage *message, const Attribute *a)
{
  guint32 u32;
  guint64 u64;
  guint code;
  IceAddress address;
  IceBytes value;

  switch (a->put) {
    case PUT_U32:
      g_assert_true (ice_stun_message_get_u32 (message, a->type, &u32));
      g_assert_cmpuint (u32, ==, (guint32) a->number);
      break;
    case PUT_U64:
      g_assert_true (ice_stun_message_get_u64 (message, a->type, &u64));
      g_assert_cmpuint (u64, ==, a->number);
      break;
    case PUT_ADDRESS:
      g_assert_true (ice_stun_message_get_address (message, a->type, &address));
      g_assert_true (ice_address_equal (&address, &a->address));
      break;
    case PUT_XOR_ADDRESS:
      g_assert_true (
          ice_stun_message_get_xor_address (message, a->type, &address));
      g_assert_true (ice_address_equal (&address, &a->address));
      break;
    case PUT_ERROR:
      g_assert_true (ice_stun_message_get_error (message, &code, &value));
      g_assert_cmpuint (code, ==, code_of (a));
      g_assert_cmpuint (value.size, <=, a->bytes.size);
      if (value.size > 0)
        g_assert_cmpmem (value.data, value.size, a->bytes.data, value.size);
      break;
    case PUT_UNKNOWN:
      g_assert_true (ice_stun_message_find (message, a->type, &value));
      g_assert_cmpmem (value.data, value.size, a->unknown, 2 * a->number);
      break;
    case PUT_FLAG:
    case PUT_BYTES:
    default:
      g_assert_true (ice_stun_message_find (message, a->type, &value));
      g_assert_true (ice_bytes_equal (value, a->bytes));
      break;
  }
}

static void
check_same (const Model *self, const IceStunMessage *message)
{
  gsize offset = 0;
  guint16 type;
  IceBytes value;
  guint i;

  g_assert_cmpint (message->klass, ==, self->klass);
  g_assert_cmpint (message->method, ==, self->method);
  g_assert_true (ice_stun_id_equal (message->id, self->id));
  for (i = 0; i < self->n; i++) {
    g_assert_true (ice_stun_message_next (message, &offset, &type, &value));
    g_assert_cmpint (type, ==, self->attributes[i].type);
    if (self->attributes[i].is_first)
      check_typed (message, &self->attributes[i]);
  }
  g_assert_false (ice_stun_message_next (message, &offset, &type, &value));
  g_assert_cmpint (message->fingerprint != 0, ==, self->fingerprint);
  g_assert_cmpint (
      ice_stun_message_verify (message, key, ICE_STUN_INTEGRITY_SHA1), ==,
      self->sha1);
  g_assert_cmpint (
      ice_stun_message_verify (message, key, ICE_STUN_INTEGRITY_SHA256), ==,
      self->sha256);
}

/* The signed part: up to the MAC, without the length, which is checked as if
 * the message ended with the MAC. */
static gboolean
same_signed (const IcePacket *a, const guint8 *b, gsize offset)
{
  return memcmp (a->data, b, 2) == 0 &&
      memcmp (a->data + 4, b + 4, offset - 4) == 0;
}

static void
check_changed (const IcePacket *packet, const guint8 *changed)
{
  IceStunMessage message;

  if (!ice_stun_message_parse (&message, ICE_BYTES (changed, packet->size)))
    return;
  if (ice_stun_message_verify (&message, key, ICE_STUN_INTEGRITY_SHA1))
    g_assert_true (same_signed (packet, changed, message.integrity));
  if (ice_stun_message_verify (&message, key, ICE_STUN_INTEGRITY_SHA256))
    g_assert_true (same_signed (packet, changed, message.integrity_sha256));
}

static void
change (const Model *self, const IcePacket *packet, gsize at, guint8 by)
{
  g_autofree guint8 *changed = g_memdup2 (packet->data, packet->size);
  IceStunMessage message;

  changed[at % packet->size] ^= by;
  if (self->fingerprint) {
    /* RFC 8489 7.3: a burst of up to 32 bits is always found. */
    g_assert_true (by == 0 ||
        !ice_stun_message_parse (&message, ICE_BYTES (changed, packet->size)) ||
        message.fingerprint == 0);
    mend_fingerprint (changed, packet->size, packet->size);
  }
  check_changed (packet, changed);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Script in = { data, size };
  Model model = { 0 };
  g_autoptr (IcePacket) packet = NULL;
  IceStunMessage message;
  gsize at;

  if (!key)
    key = ice_stun_key_new_short_term ("VOkJxbRl1RmTxUk/WvJxBt");

  at = script_u16 (&in);
  read_script (&model, &in);
  packet = build (&model);
  g_assert_cmpuint (packet->size % 4, ==, 0);
  g_assert_true (ice_stun_message_parse (
      &message, ICE_BYTES (packet->data, packet->size)));
  check_same (&model, &message);
  change (&model, packet, at, (guint8) (1 + at % 255));
  return 0;
}
