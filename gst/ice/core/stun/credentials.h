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

gboolean ice_stun_auth_has_credentials (const IceStunAuth *self);
/* TRUE once a challenge was taken: requests are signed from then on. */
gboolean ice_stun_auth_is_ready (const IceStunAuth *self);
/* Adds USERNAME, REALM, NONCE, and integrity when ready, then FINGERPRINT. */
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
