/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "types.h"

G_BEGIN_DECLS

#define ICE_SHA1_SIZE 20
#define ICE_SHA256_SIZE 32
#define ICE_MD5_SIZE 16

typedef enum
{
  ICE_HASH_MD5,
  ICE_HASH_SHA1,
  ICE_HASH_SHA256,
} IceHash;

gsize ice_hash_size (IceHash hash);
/* FALSE, and zeros, when libcrypto refuses the algorithm (MD5 under FIPS). */
gboolean ice_hash (IceHash hash, IceBytes data, guint8 *ret_digest);

/* An HMAC (RFC 2104) keyed once and reused: a sixth of the cost of keying a
 * new one for each message. Not for two threads at once. */
typedef struct _IceHmac IceHmac;

IceHmac *ice_hmac_new (IceHash hash, IceBytes key);
void ice_hmac_free (IceHmac *self);
/* The MAC over the concatenation of @parts. */
void ice_hmac_sign (
    IceHmac *self, const IceBytes *parts, guint n_parts, guint8 *ret_mac);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceHmac, ice_hmac_free)

/* Constant time for equal sizes. */
gboolean ice_secret_equal (IceBytes a, IceBytes b);
/* Overwrites and frees a string that held a secret; NULL is fine. */
void ice_secret_free (gchar *secret);
/* Overwrites in a way that the compiler does not remove. */
void ice_secret_clear (guint8 *bytes, gsize size);

/* CRC-32 of ISO 3309, as FINGERPRINT wants it (RFC 8489 14.7). */
guint32 ice_crc32 (const IceBytes *parts, guint n_parts);

/* Fills with bytes from the system's generator (RAND_bytes). */
void ice_random_bytes (guint8 *ret_bytes, gsize size);

G_END_DECLS
