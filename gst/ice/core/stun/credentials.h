/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "builder.h"

G_BEGIN_DECLS

/* Long-term credentials towards one server (RFC 8489 9.2): learns realm and
 * nonce from 401 and 438, signs requests, verifies answers. One retry budget
 * per request keeps a hostile server from making us loop. */
typedef struct _IceStunAuth IceStunAuth;

typedef enum
{
  ICE_STUN_AUTH_RETRY,   /* build the request again and send it */
  ICE_STUN_AUTH_REFUSED, /* the password is wrong, or missing */
  ICE_STUN_AUTH_GIVE_UP, /* malformed challenge or too many rounds */
} IceStunAuthVerdict;

IceStunAuth *ice_stun_auth_new (const gchar *username, const gchar *password);
void ice_stun_auth_free (IceStunAuth *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceStunAuth, ice_stun_auth_free)

/* Other credentials than before, from the next request on; realm and nonce stay
 * known. Those of before are remembered until the server has taken the new
 * ones. */
void ice_stun_auth_set_password (
    IceStunAuth *self, const gchar *username, const gchar *password);
/* RFC 7635: an access token, its key id, and the key that came with it. */
void ice_stun_auth_set_token (
    IceStunAuth *self, const gchar *kid, IceBytes token, IceBytes mac_key);
/* Back to those of before: the server says that what it keeps for us belongs to
 * them (RFC 8656 5, 441). FALSE when none are remembered. */
gboolean ice_stun_auth_restore (IceStunAuth *self);
/* TRUE from then on, until others are set. */
gboolean ice_stun_auth_was_restored (const IceStunAuth *self);
/* The answer verified last was a success. */
void ice_stun_auth_accepted (IceStunAuth *self);
/* (nullable) the name by which an authorization server knows this one, when the
 * last challenge said that it takes tokens (RFC 7635 6.1). */
const gchar *ice_stun_auth_get_authority (const IceStunAuth *self);

gboolean ice_stun_auth_has_credentials (const IceStunAuth *self);
/* TRUE once a challenge was taken: requests are signed from then on. */
gboolean ice_stun_auth_is_ready (const IceStunAuth *self);
/* Adds USERNAME, REALM, NONCE, and integrity when ready, then FINGERPRINT; to
 * Allocate and Refresh also ACCESS-TOKEN. */
void ice_stun_auth_sign (IceStunAuth *self, IceStunBuilder *builder);
/* Requests that one may turn into because of what a server says to it; one that
 * never has enough gets four in all. */
#define ICE_STUN_AUTH_ROUNDS 3
/* A 401 or 438. @rounds counts per request and is raised here; more than
 * ICE_STUN_AUTH_ROUNDS is GIVE_UP. */
IceStunAuthVerdict ice_stun_auth_challenge (
    IceStunAuth *self, const IceStunMessage *error, guint code, guint *rounds);
/* TRUE when the answer may be acted on: signed with the algorithm of the
 * request once requests are signed (RFC 8489 9.2.5). */
gboolean ice_stun_auth_verify (IceStunAuth *self, const IceStunMessage *answer);

G_END_DECLS
