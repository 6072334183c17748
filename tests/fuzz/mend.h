/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a mutator mends of a STUN message, so that what it changed is read at
 * all: chance alone finds neither a length nor a checksum. */
#pragma once

#include "gst/ice/base/crypto.h"
#include "gst/ice/core/stun/integrity.h"

#include <string.h>

static inline guint16
mend_get_u16 (const guint8 *p)
{
  return (guint16) (p[0] << 8 | p[1]);
}

static inline void
mend_put_u16 (guint8 *p, gsize value)
{
  p[0] = (guint8) (value >> 8);
  p[1] = (guint8) value;
}

/* First bits, cookie and length field. Returns the size, a multiple of four;
 * less than a header is left alone. */
static inline gsize
mend_header (guint8 *data, gsize size)
{
  static const guint8 cookie[4] = { 0x21, 0x12, 0xa4, 0x42 };

  if (size < ICE_STUN_HEADER_SIZE)
    return size;
  size &= ~(gsize) 3;
  data[0] &= 0x3f;
  memcpy (data + 4, cookie, sizeof cookie);
  mend_put_u16 (data + 2, size - ICE_STUN_HEADER_SIZE);
  return size;
}

/* An attribute that claims more than there is claims what there is. */
static inline void
mend_attributes (guint8 *data, gsize size)
{
  gsize at = ICE_STUN_HEADER_SIZE;

  while (at + 4 <= size) {
    gsize value = mend_get_u16 (data + at + 2);

    if (value > size - at - 4) {
      value = size - at - 4;
      mend_put_u16 (data + at + 2, value);
    }
    at += 4 + ((value + 3) & ~(gsize) 3);
  }
}

/* Where the first attribute of @type begins, 0: nowhere. */
static inline gsize
mend_find (const guint8 *data, gsize size, guint16 type)
{
  gsize at = ICE_STUN_HEADER_SIZE;

  while (at + 4 <= size) {
    gsize value = mend_get_u16 (data + at + 2);

    if (mend_get_u16 (data + at) == type)
      return at + 4 + value <= size ? at : 0;
    at += 4 + ((value + 3) & ~(gsize) 3);
  }
  return 0;
}

/* A right FINGERPRINT at the end, in place of what is there when it is one. */
static inline gsize
mend_fingerprint (guint8 *data, gsize size, gsize max_size)
{
  gsize at = mend_find (data, size, ICE_STUN_FINGERPRINT);
  IceBytes covered;
  guint32 crc;

  if (size < ICE_STUN_HEADER_SIZE)
    return size;
  if (at == 0 || at + 8 != size)
    at = size;
  if (at + 8 > max_size)
    return size;
  mend_put_u16 (data + 2, at + 8 - ICE_STUN_HEADER_SIZE);
  covered = ICE_BYTES (data, at);
  crc = ice_crc32 (&covered, 1) ^ ICE_STUN_FINGERPRINT_XOR;
  mend_put_u16 (data + at, ICE_STUN_FINGERPRINT);
  mend_put_u16 (data + at + 2, 4);
  mend_put_u16 (data + at + 4, crc >> 16);
  mend_put_u16 (data + at + 6, crc & 0xffff);
  return at + 8;
}

/* A right MAC in the integrity attribute that is there, or in a new one at the
 * end, behind which nothing stays. */
static inline gsize
mend_integrity (guint8 *data, gsize size, gsize max_size, IceStunKey *key,
    IceStunIntegrity integrity)
{
  gboolean sha256 = integrity == ICE_STUN_INTEGRITY_SHA256;
  gsize mac_size = sha256 ? ICE_SHA256_SIZE : ICE_SHA1_SIZE;
  guint16 type =
      sha256 ? ICE_STUN_MESSAGE_INTEGRITY_SHA256 : ICE_STUN_MESSAGE_INTEGRITY;
  gsize at = mend_find (data, size, type);
  IceBytes covered;

  if (size < ICE_STUN_HEADER_SIZE)
    return size;
  if (at == 0)
    at = mend_find (data, size, ICE_STUN_FINGERPRINT);
  if (at == 0)
    at = size;
  if (at + 4 + mac_size > max_size)
    return size;
  mend_put_u16 (data + 2, at + 4 + mac_size - ICE_STUN_HEADER_SIZE);
  mend_put_u16 (data + at, type);
  mend_put_u16 (data + at + 2, mac_size);
  covered = ICE_BYTES (data, at);
  ice_stun_key_sign (key, integrity, &covered, 1, data + at + 4);
  return at + 4 + mac_size;
}
