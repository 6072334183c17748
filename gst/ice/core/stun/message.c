/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message.h"

#include "../../base/bytes.h"
#include "../../base/crypto.h"

#include <string.h>

#include "../purity.h"

/* RFC 8489 14.1 */
#define FAMILY_IPV4 0x01
#define FAMILY_IPV6 0x02

/* RFC 8489 14.8: the longest reason phrase to decode. */
#define REASON_MAX 763

/* RFC 8489 14.6: at least 16 bytes and a multiple of four. */
#define INTEGRITY_SHA256_MIN 16

gboolean
ice_stun_looks_like (IceBytes datagram)
{
  const guint8 *p = datagram.data;

  /* RFC 8489 5: two zero bits, the cookie, and a length that excludes the
   * header and is a multiple of four. */
  return datagram.size >= ICE_STUN_HEADER_SIZE && (p[0] & 0xc0) == 0 &&
      p[4] == 0x21 && p[5] == 0x12 && p[6] == 0xa4 && p[7] == 0x42 &&
      (p[3] & 3) == 0 &&
      ((gsize) p[2] << 8 | p[3]) == datagram.size - ICE_STUN_HEADER_SIZE;
}

/* RFC 8489 5, figure 3: M11..M7 C1 M6..M4 C0 M3..M0. */
static void
parse_type (IceStunMessage *self, guint16 type)
{
  self->klass = (IceStunClass) ((type >> 7 & 2) | (type >> 4 & 1));
  self->method =
      (guint16) ((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
}

static gboolean
read_attribute (IceReader *in, guint16 *ret_type, IceBytes *ret_value)
{
  guint16 size;

  /* Values are padded to four bytes; the padding is not part of them. */
  return ice_read_u16 (in, ret_type) && ice_read_u16 (in, &size) &&
      ice_read_bytes (in, size, ret_value) && ice_skip (in, -size & 3);
}

static gboolean
fingerprint_is_right (IceBytes covered, IceBytes value)
{
  const guint8 *p = value.data;
  guint32 wanted = ice_crc32 (&covered, 1) ^ ICE_STUN_FINGERPRINT_XOR;

  return ((guint32) p[0] << 24 | (guint32) p[1] << 16 | (guint32) p[2] << 8 |
             p[3]) == wanted;
}

/* Remembers the attributes that others are judged by. FALSE when one has a
 * size that it cannot have, or FINGERPRINT is wrong or not the last. */
static gboolean
note_attribute (IceStunMessage *self, gsize offset, gboolean is_last,
    guint16 type, IceBytes value)
{
  switch (type) {
    case ICE_STUN_MESSAGE_INTEGRITY:
      if (value.size != ICE_SHA1_SIZE)
        return FALSE;
      /* RFC 8489 14.6: behind the SHA-256 one it is ignored. */
      if (self->integrity == 0 && self->integrity_sha256 == 0)
        self->integrity = offset;
      break;
    case ICE_STUN_MESSAGE_INTEGRITY_SHA256:
      if (value.size < INTEGRITY_SHA256_MIN || value.size > ICE_SHA256_SIZE ||
          value.size % 4 != 0)
        return FALSE;
      if (self->integrity_sha256 == 0)
        self->integrity_sha256 = offset;
      break;
    case ICE_STUN_FINGERPRINT:
      if (value.size != 4 || !is_last ||
          !fingerprint_is_right (ICE_BYTES (self->raw.data, offset), value))
        return FALSE;
      self->fingerprint = offset;
      break;
    default:
      return TRUE;
  }

  self->visible_end = MIN (self->visible_end, offset);
  return TRUE;
}

gboolean
ice_stun_message_parse (IceStunMessage *self, IceBytes datagram)
{
  IceReader in;
  guint16 type;
  IceBytes value;

  memset (self, 0, sizeof (*self));
  if (!ice_stun_looks_like (datagram))
    return FALSE;

  self->raw = datagram;
  self->visible_end = datagram.size;
  self->id = datagram.data + ICE_STUN_HEADER_SIZE - ICE_STUN_ID_SIZE;
  parse_type (self, (guint16) (datagram.data[0] << 8 | datagram.data[1]));

  ice_reader_init (&in, datagram);
  ice_skip (&in, ICE_STUN_HEADER_SIZE);
  while (in.left > 0) {
    gsize offset = datagram.size - in.left;

    if (!read_attribute (&in, &type, &value) ||
        !note_attribute (self, offset, in.left == 0, type, value))
      return FALSE;
  }
  return TRUE;
}

static gboolean
attribute_at (const IceStunMessage *self, gsize offset, guint16 *ret_type,
    IceBytes *ret_value, gsize *ret_next)
{
  IceReader in;

  ice_reader_init (&in, self->raw);
  if (!ice_skip (&in, offset) || !read_attribute (&in, ret_type, ret_value))
    return FALSE;
  *ret_next = self->raw.size - in.left;
  return TRUE;
}

gboolean
ice_stun_message_next (const IceStunMessage *self, gsize *offset,
    guint16 *ret_type, IceBytes *ret_value)
{
  gsize at = *offset == 0 ? ICE_STUN_HEADER_SIZE : *offset;

  return at < self->visible_end &&
      attribute_at (self, at, ret_type, ret_value, offset);
}

/* The integrity attributes and FINGERPRINT are known by their offsets; all
 * others are only looked for where they are visible. */
static gsize
special_offset (const IceStunMessage *self, guint16 type)
{
  switch (type) {
    case ICE_STUN_MESSAGE_INTEGRITY:
      return self->integrity;
    case ICE_STUN_MESSAGE_INTEGRITY_SHA256:
      return self->integrity_sha256;
    case ICE_STUN_FINGERPRINT:
      return self->fingerprint;
    default:
      return 0;
  }
}

gboolean
ice_stun_message_find (
    const IceStunMessage *self, guint16 type, IceBytes *ret_value)
{
  gsize offset = special_offset (self, type), next;
  guint16 found;

  if (offset != 0)
    return attribute_at (self, offset, &found, ret_value, &next);

  while (ice_stun_message_next (self, &offset, &found, ret_value))
    if (found == type)
      return TRUE;
  return FALSE;
}

gboolean
ice_stun_message_has (const IceStunMessage *self, guint16 type)
{
  IceBytes value;

  return ice_stun_message_find (self, type, &value);
}

gboolean
ice_stun_message_get_u32 (
    const IceStunMessage *self, guint16 type, guint32 *ret_value)
{
  IceBytes value;
  IceReader in;

  if (!ice_stun_message_find (self, type, &value) || value.size != 4)
    return FALSE;
  ice_reader_init (&in, value);
  return ice_read_u32 (&in, ret_value);
}

gboolean
ice_stun_message_get_u64 (
    const IceStunMessage *self, guint16 type, guint64 *ret_value)
{
  IceBytes value;
  IceReader in;

  if (!ice_stun_message_find (self, type, &value) || value.size != 8)
    return FALSE;
  ice_reader_init (&in, value);
  return ice_read_u64 (&in, ret_value);
}

/* RFC 8489 14.1: a byte to ignore, the family, the port, the address. */
static gboolean
read_address (IceBytes value, IceAddress *ret_address)
{
  IceReader in;
  guint8 ignored, family;
  guint16 port;
  IceBytes ip;

  ice_reader_init (&in, value);
  if (!ice_read_u8 (&in, &ignored) || !ice_read_u8 (&in, &family) ||
      !ice_read_u16 (&in, &port) || !ice_read_bytes (&in, in.left, &ip))
    return FALSE;

  *ret_address = ICE_ADDRESS_NONE;
  ret_address->port = port;
  if (family == FAMILY_IPV4 && ip.size == 4)
    ret_address->family = ICE_FAMILY_IPV4;
  else if (family == FAMILY_IPV6 && ip.size == 16)
    ret_address->family = ICE_FAMILY_IPV6;
  else
    return FALSE;
  memcpy (ret_address->ip, ip.data, ip.size);
  return TRUE;
}

gboolean
ice_stun_message_get_address (
    const IceStunMessage *self, guint16 type, IceAddress *ret_address)
{
  IceBytes value;

  return ice_stun_message_find (self, type, &value) &&
      read_address (value, ret_address);
}

void
ice_stun_address_xor (IceAddress *address, const guint8 *id)
{
  /* RFC 8489 14.2: the cookie, then the transaction id. */
  guint8 mask[sizeof (address->ip)] = { 0x21, 0x12, 0xa4, 0x42 };
  guint i, size = address->family == ICE_FAMILY_IPV6 ? 16 : 4;

  memcpy (mask + 4, id, ICE_STUN_ID_SIZE);
  address->port ^= ICE_STUN_COOKIE >> 16;
  for (i = 0; i < size; i++)
    address->ip[i] ^= mask[i];
}

gboolean
ice_stun_message_value_to_xor_address (
    const IceStunMessage *self, IceBytes value, IceAddress *ret_address)
{
  if (!read_address (value, ret_address))
    return FALSE;
  ice_stun_address_xor (ret_address, self->id);
  return TRUE;
}

gboolean
ice_stun_message_get_xor_address (
    const IceStunMessage *self, guint16 type, IceAddress *ret_address)
{
  IceBytes value;

  return ice_stun_message_find (self, type, &value) &&
      ice_stun_message_value_to_xor_address (self, value, ret_address);
}

gboolean
ice_stun_message_get_error (
    const IceStunMessage *self, guint *ret_code, IceBytes *ret_reason)
{
  IceBytes value;
  IceReader in;
  guint16 reserved;
  guint8 klass, number;

  if (!ice_stun_message_find (self, ICE_STUN_ERROR_CODE, &value))
    return FALSE;

  ice_reader_init (&in, value);
  if (!ice_read_u16 (&in, &reserved) || !ice_read_u8 (&in, &klass) ||
      !ice_read_u8 (&in, &number) || in.left > REASON_MAX)
    return FALSE;

  /* RFC 8489 14.8: the class is 3 to 6, the number below 100; the other bits
   * of the word are ignored. */
  klass &= 7;
  if (klass < 3 || klass > 6 || number > 99)
    return FALSE;

  *ret_code = klass * 100u + number;
  return ice_read_bytes (&in, in.left, ret_reason);
}

guint
ice_stun_message_unknown (
    const IceStunMessage *self, guint16 *ret_types, guint max)
{
  gsize offset = 0;
  guint16 type;
  IceBytes value;
  guint n = 0;

  /* RFC 8489 14: below 0x8000 comprehension is required. */
  while (n < max && ice_stun_message_next (self, &offset, &type, &value))
    if (type < 0x8000 && !ice_stun_attribute_is_known (type))
      ret_types[n++] = type;
  return n;
}

gboolean
ice_stun_id_equal (const guint8 *a, const guint8 *b)
{
  return memcmp (a, b, ICE_STUN_ID_SIZE) == 0;
}
