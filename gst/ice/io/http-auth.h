/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../base/types.h"

G_BEGIN_DECLS

/* What a server or proxy wants to be told: Basic (RFC 7617) or Digest (RFC
 * 7616) with SHA-256 or MD5. */
typedef struct _IceHttpChallenge IceHttpChallenge;

/* The strongest that we know of all that one WWW-Authenticate or
 * Proxy-Authenticate line offers; @value is what stands behind the colon.
 * (transfer full) (nullable) */
IceHttpChallenge *ice_http_challenge_parse (const gchar *value);
void ice_http_challenge_free (IceHttpChallenge *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceHttpChallenge, ice_http_challenge_free)

/* Takes @other (transfer full) (nullable) if it is stronger. */
void
ice_http_challenge_merge (IceHttpChallenge **self, IceHttpChallenge *other);
/* RFC 7616 3.3: the nonce was too old, the password may well be right. */
gboolean ice_http_challenge_is_stale (const IceHttpChallenge *self);
/* An answer was made to it. */
gboolean ice_http_challenge_is_used (const IceHttpChallenge *self);

/* The value of Authorization or Proxy-Authorization. @uri is the request's
 * target; @cnonce is NULL but in tests. (transfer full) (nullable) NULL when
 * libcrypto has no such hash. It is as secret as the password. */
gchar *ice_http_challenge_answer (IceHttpChallenge *self, const gchar *method,
    const gchar *uri, const gchar *username, const gchar *password,
    const gchar *cnonce);

G_END_DECLS
