/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "message.h"

G_BEGIN_DECLS

typedef enum
{
  ICE_STUN_INTEGRITY_NONE,
  ICE_STUN_INTEGRITY_SHA1,   /* MESSAGE-INTEGRITY */
  ICE_STUN_INTEGRITY_SHA256, /* MESSAGE-INTEGRITY-SHA256 */
} IceStunIntegrity;

/* A key with its OpenSSL contexts, made once and used for every message. */
typedef struct _IceStunKey IceStunKey;

/* RFC 8489 9.1.1: the password itself (OpaqueString of ice-chars is itself). */
IceStunKey *ice_stun_key_new_short_term (const gchar *password);
/* RFC 7635 5: bytes that came with a token. */
IceStunKey *ice_stun_key_new_raw (IceBytes bytes);
/* RFC 8489 9.2.2: MD5 or SHA-256 of username ":" realm ":" password. NULL when
 * a string is not valid UTF-8 for OpaqueString. */
IceStunKey *ice_stun_key_new_long_term (const gchar *username, IceBytes realm,
    const gchar *password, gboolean sha256);
void ice_stun_key_free (IceStunKey *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceStunKey, ice_stun_key_free)

/* RFC 8489 14.4: SHA-256 of username ":" realm, ICE_SHA256_SIZE bytes. */
gboolean ice_stun_compute_userhash (
    const gchar *username, IceBytes realm, guint8 *ret_hash);
/* (transfer full) (nullable) RFC 8265 4.2: the OpaqueString profile. */
gchar *ice_stun_opaque_string (IceBytes text);

void ice_stun_key_sign (IceStunKey *self, IceStunIntegrity integrity,
    const IceBytes *parts, guint n_parts, guint8 *ret_mac);
/* Whole MAC, constant time; FALSE when the attribute is absent. */
gboolean ice_stun_message_verify (
    const IceStunMessage *message, IceStunKey *key, IceStunIntegrity integrity);

G_END_DECLS
