/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credentials.h"

#include "../../base/crypto.h"

#include <string.h>

#include "../purity.h"

/* RFC 8489 14.9, 14.10: the longest REALM and NONCE to decode. */
#define TEXT_MAX 763

/* We send PASSWORD-ALGORITHMS back in each request: a list of more than 64 is
 * no list of algorithms (RFC 8489 18.5 knows two). */
#define ALGORITHMS_MAX 256

/* RFC 8489 9.2: "obMatJos2" and four characters of base64. */
#define COOKIE "obMatJos2"
#define COOKIE_SIZE (sizeof (COOKIE) - 1)
#define FEATURES_SIZE 4

/* RFC 8489 18.1: bit 0 is the most significant of 24. */
#define FEATURE_PASSWORD_ALGORITHMS (1u << 23)
#define FEATURE_USERNAME_ANONYMITY (1u << 22)

/* RFC 8489 18.5 */
#define ALGORITHM_NONE 0x0000
#define ALGORITHM_MD5 0x0001
#define ALGORITHM_SHA256 0x0002

/* Who we are: a user with a password, or the key of a token (RFC 7635). */
typedef struct
{
  gchar *username;     /* (owned) (nullable) with a token its kid */
  gchar *password;     /* (owned) (nullable) secret */
  GBytes *token;       /* (owned) (nullable) as the authorization server gave
                          it */
  IceStunKey *mac_key; /* (owned) (nullable) that came with the token */
  IceStunKey *key;     /* (owned) (nullable) of password, realm, algorithm */
  guint8 userhash[ICE_SHA256_SIZE];
} Identity;

struct _IceStunAuth
{
  Identity now;
  /* What was before it, in case the server knows us by that only. */
  Identity former;
  gboolean has_former;
  gboolean was_restored; /* the former one is in use again */
  gboolean by_former;    /* it had signed what was verified last */
  gchar *authority;      /* (owned) (nullable) who gives tokens */

  /* What the last challenge said; all NULL before the first. */
  GBytes *realm;      /* (owned) (nullable) */
  GBytes *nonce;      /* (owned) (nullable) */
  GBytes *algorithms; /* (owned) (nullable) PASSWORD-ALGORITHMS, as it came */
  guint16 algorithm;  /* ALGORITHM_NONE: the server listed none */
  gboolean anonymous; /* USERHASH instead of USERNAME */
};

/* One challenge, before it is believed. Borrows from the datagram. */
typedef struct
{
  IceBytes realm, nonce, algorithms;
  gboolean lists_algorithms;
  guint16 algorithm;
  guint32 features;
} Challenge;

IceStunAuth *
ice_stun_auth_new (const gchar *username, const gchar *password)
{
  IceStunAuth *self = g_new0 (IceStunAuth, 1);

  self->now.username = g_strdup (username);
  self->now.password = g_strdup (password);
  return self;
}

static void
identity_clear (Identity *self)
{
  g_free (self->username);
  ice_secret_free (self->password);
  g_clear_pointer (&self->token, g_bytes_unref);
  ice_stun_key_free (self->mac_key);
  ice_stun_key_free (self->key);
  memset (self, 0, sizeof (*self));
}

void
ice_stun_auth_free (IceStunAuth *self)
{
  if (!self)
    return;

  identity_clear (&self->now);
  identity_clear (&self->former);
  g_free (self->authority);
  g_clear_pointer (&self->realm, g_bytes_unref);
  g_clear_pointer (&self->nonce, g_bytes_unref);
  g_clear_pointer (&self->algorithms, g_bytes_unref);
  g_free (self);
}

gboolean
ice_stun_auth_has_credentials (const IceStunAuth *self)
{
  return self->now.username && (self->now.password || self->now.token);
}

/* RFC 7635 5: the key that came with the token is the integrity key. */
static IceStunKey *
identity_key (const Identity *self)
{
  return self->token ? self->mac_key : self->key;
}

gboolean
ice_stun_auth_is_ready (const IceStunAuth *self)
{
  return self->nonce && identity_key (&self->now);
}

static IceBytes
borrow (GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  return ICE_BYTES (data, size);
}

/* RFC 8489 9.2.5: "If the response contains a PASSWORD-ALGORITHMS attribute,
 * all the subsequent requests MUST be authenticated using
 * MESSAGE-INTEGRITY-SHA256 only." */
static IceStunIntegrity
required_integrity (const IceStunAuth *self)
{
  return self->algorithms ? ICE_STUN_INTEGRITY_SHA256 : ICE_STUN_INTEGRITY_SHA1;
}

/* RFC 7635 9: "The TURN client MUST include the ACCESS-TOKEN attribute only in
 * Allocate and Refresh requests." */
static gboolean
wants_token (const IceStunBuilder *builder)
{
  guint16 method = ice_stun_builder_get_method (builder);

  return method == ICE_STUN_ALLOCATE || method == ICE_STUN_REFRESH;
}

void
ice_stun_auth_sign (IceStunAuth *self, IceStunBuilder *builder)
{
  const Identity *now = &self->now;

  if (ice_stun_auth_is_ready (self)) {
    if (self->anonymous)
      ice_stun_builder_add_bytes (builder, ICE_STUN_USERHASH,
          ICE_BYTES (now->userhash, sizeof (now->userhash)));
    else
      ice_stun_builder_add_string (builder, ICE_STUN_USERNAME, now->username);
    if (now->token && wants_token (builder))
      ice_stun_builder_add_bytes (
          builder, ICE_STUN_ACCESS_TOKEN, borrow (now->token));
    ice_stun_builder_add_bytes (builder, ICE_STUN_REALM, borrow (self->realm));
    ice_stun_builder_add_bytes (builder, ICE_STUN_NONCE, borrow (self->nonce));
    if (self->algorithms) {
      ice_stun_builder_add_bytes (
          builder, ICE_STUN_PASSWORD_ALGORITHMS, borrow (self->algorithms));
      /* RFC 8489 14.12: both known algorithms have no parameters. */
      ice_stun_builder_add_u32 (builder, ICE_STUN_PASSWORD_ALGORITHM,
          (guint32) self->algorithm << 16);
    }
    ice_stun_builder_add_integrity (
        builder, identity_key (now), required_integrity (self));
  }
  ice_stun_builder_add_fingerprint (builder);
}

/* RFC 8489 9.2: the 24 security feature bits; 0 without a nonce cookie. */
static guint32
nonce_features (IceBytes nonce)
{
  static const gchar alphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  guint32 features = 0;
  guint i;

  if (nonce.size < COOKIE_SIZE + FEATURES_SIZE ||
      memcmp (nonce.data, COOKIE, COOKIE_SIZE) != 0)
    return 0;

  for (i = 0; i < FEATURES_SIZE; i++) {
    gint c = nonce.data[COOKIE_SIZE + i];
    const gchar *place = c != 0 ? strchr (alphabet, c) : NULL;

    if (!place)
      return 0;
    features = features << 6 | (guint32) (place - alphabet);
  }
  return features;
}

/* RFC 8489 14.11: the first of the server's list that we can do, without
 * parameters as 18.5.1 has them. FALSE when the list is malformed. */
static gboolean
choose_algorithm (IceBytes list, guint16 *ret_algorithm)
{
  IceReader in;
  guint16 algorithm, size;

  *ret_algorithm = ALGORITHM_NONE;
  ice_reader_init (&in, list);
  while (in.left > 0) {
    if (!ice_read_u16 (&in, &algorithm) || !ice_read_u16 (&in, &size) ||
        !ice_skip (&in, size))
      return FALSE;
    /* The padding of the last entry may be left to the attribute's. */
    if (!ice_skip (&in, -size & 3))
      in.left = 0;
    if (*ret_algorithm == ALGORITHM_NONE && size == 0 &&
        (algorithm == ALGORITHM_MD5 || algorithm == ALGORITHM_SHA256))
      *ret_algorithm = algorithm;
  }
  return TRUE;
}

static gboolean
find_text (const IceStunMessage *message, guint16 type, IceBytes *ret_text)
{
  return ice_stun_message_find (message, type, ret_text) &&
      ret_text->size > 0 && ret_text->size <= TEXT_MAX;
}

/* RFC 8489 9.2.1: whoever takes PASSWORD-ALGORITHMS away cannot take it out
 * of the nonce, which the server will recognise. */
static gboolean
algorithms_were_removed (const IceStunMessage *message)
{
  IceBytes nonce;

  return ice_stun_message_find (message, ICE_STUN_NONCE, &nonce) &&
      nonce_features (nonce) & FEATURE_PASSWORD_ALGORITHMS &&
      !ice_stun_message_has (message, ICE_STUN_PASSWORD_ALGORITHMS);
}

static gboolean
parse_challenge (
    const IceStunAuth *self, const IceStunMessage *error, Challenge *challenge)
{
  memset (challenge, 0, sizeof (*challenge));
  if (!find_text (error, ICE_STUN_NONCE, &challenge->nonce) ||
      algorithms_were_removed (error))
    return FALSE;

  /* A 438 of an RFC 5389 server may leave out what did not change. */
  if (!ice_stun_message_has (error, ICE_STUN_REALM) && self->realm)
    challenge->realm = borrow (self->realm);
  else if (!find_text (error, ICE_STUN_REALM, &challenge->realm))
    return FALSE;

  challenge->features = nonce_features (challenge->nonce);
  challenge->lists_algorithms = ice_stun_message_find (
      error, ICE_STUN_PASSWORD_ALGORITHMS, &challenge->algorithms);
  if (challenge->lists_algorithms)
    return challenge->algorithms.size <= ALGORITHMS_MAX &&
        choose_algorithm (challenge->algorithms, &challenge->algorithm) &&
        challenge->algorithm != ALGORITHM_NONE;

  /* Once SHA-256 was agreed, nobody talks us back into SHA-1. */
  return self->algorithms == NULL;
}

static GBytes *
copy (IceBytes bytes)
{
  return g_bytes_new (bytes.data, bytes.size);
}

static void
replace (GBytes **place, GBytes *value)
{
  if (*place)
    g_bytes_unref (*place);
  *place = value;
}

/* FALSE when no key can be made of it. */
static gboolean
make_key (Identity *self, IceBytes realm, guint16 algorithm, gboolean anonymous)
{
  IceStunKey *key;

  if (anonymous &&
      !ice_stun_compute_userhash (self->username, realm, self->userhash))
    return FALSE;
  if (self->token)
    return TRUE;
  key = ice_stun_key_new_long_term (
      self->username, realm, self->password, algorithm == ALGORITHM_SHA256);
  if (!key)
    return FALSE;
  ice_stun_key_free (self->key);
  self->key = key;
  return TRUE;
}

/* FALSE when no key can be made of it. The values borrowed may be our own:
 * copy before the old ones go. */
static gboolean
take_challenge (IceStunAuth *self, const Challenge *challenge)
{
  gboolean anonymous = (challenge->features & FEATURE_USERNAME_ANONYMITY) != 0;
  gboolean same_key = self->now.key &&
      self->algorithm == challenge->algorithm && self->anonymous == anonymous &&
      ice_bytes_equal (borrow (self->realm), challenge->realm);

  if (!same_key &&
      !make_key (&self->now, challenge->realm, challenge->algorithm, anonymous))
    return FALSE;

  self->anonymous = anonymous;
  self->algorithm = challenge->algorithm;
  replace (&self->realm, copy (challenge->realm));
  replace (&self->nonce, copy (challenge->nonce));
  replace (&self->algorithms,
      challenge->lists_algorithms ? copy (challenge->algorithms) : NULL);
  return TRUE;
}

/* Other credentials. */

static void
set_identity (IceStunAuth *self, Identity *identity)
{
  /* The allocation was made by the oldest that is known. */
  if (!self->has_former && ice_stun_auth_is_ready (self)) {
    self->former = self->now;
    self->has_former = TRUE;
  } else {
    identity_clear (&self->now);
  }
  self->now = *identity;
  self->was_restored = FALSE;
  if (self->realm && ice_stun_auth_has_credentials (self))
    make_key (
        &self->now, borrow (self->realm), self->algorithm, self->anonymous);
}

void
ice_stun_auth_set_password (
    IceStunAuth *self, const gchar *username, const gchar *password)
{
  Identity identity = { .username = g_strdup (username),
    .password = g_strdup (password) };

  set_identity (self, &identity);
}

void
ice_stun_auth_set_token (
    IceStunAuth *self, const gchar *kid, IceBytes token, IceBytes mac_key)
{
  Identity identity = { .username = g_strdup (kid),
    .token = copy (token),
    .mac_key = ice_stun_key_new_raw (mac_key) };

  set_identity (self, &identity);
}

gboolean
ice_stun_auth_restore (IceStunAuth *self)
{
  if (!self->has_former)
    return FALSE;
  identity_clear (&self->now);
  self->now = self->former;
  memset (&self->former, 0, sizeof (self->former));
  self->has_former = FALSE;
  self->was_restored = TRUE;
  return make_key (
      &self->now, borrow (self->realm), self->algorithm, self->anonymous);
}

gboolean
ice_stun_auth_was_restored (const IceStunAuth *self)
{
  return self->was_restored;
}

void
ice_stun_auth_accepted (IceStunAuth *self)
{
  if (!self->has_former || self->by_former)
    return;
  identity_clear (&self->former);
  self->has_former = FALSE;
}

const gchar *
ice_stun_auth_get_authority (const IceStunAuth *self)
{
  return self->authority;
}

/* RFC 7635 6.1: the name under which the authorization server knows the
 * server. */
static void
note_authority (IceStunAuth *self, const IceStunMessage *error)
{
  IceBytes name;

  g_clear_pointer (&self->authority, g_free);
  if (find_text (error, ICE_STUN_THIRD_PARTY_AUTHORIZATION, &name))
    self->authority = ice_stun_opaque_string (name);
}

/* RFC 8489 9.2.5: a 401 is not answered with the same credentials; with those
 * that the server took before it is. */
static IceStunAuthVerdict
refused (IceStunAuth *self, const Challenge *challenge)
{
  return ice_stun_auth_restore (self) && take_challenge (self, challenge)
      ? ICE_STUN_AUTH_RETRY
      : ICE_STUN_AUTH_REFUSED;
}

IceStunAuthVerdict
ice_stun_auth_challenge (
    IceStunAuth *self, const IceStunMessage *error, guint code, guint *rounds)
{
  gboolean was_retried = *rounds > 0;
  Challenge challenge;

  note_authority (self, error);
  if (!ice_stun_auth_has_credentials (self))
    return ICE_STUN_AUTH_REFUSED;
  if (*rounds >= ICE_STUN_AUTH_ROUNDS ||
      !parse_challenge (self, error, &challenge))
    return ICE_STUN_AUTH_GIVE_UP;
  (*rounds)++;

  /* The first 401 of a request is answered with the same credentials all the
   * same: it may have left before another request's challenge was taken, or
   * with a nonce that some servers call unauthenticated when it is only
   * stale. */
  if (code == 401 && was_retried && ice_stun_auth_is_ready (self) &&
      ice_bytes_equal (borrow (self->realm), challenge.realm))
    return refused (self, &challenge);

  return take_challenge (self, &challenge) ? ICE_STUN_AUTH_RETRY
                                           : ICE_STUN_AUTH_GIVE_UP;
}

static gboolean
verify_by (
    IceStunAuth *self, const Identity *identity, const IceStunMessage *answer)
{
  IceStunKey *key = identity_key (identity);

  return key &&
      ice_stun_message_verify (answer, key, required_integrity (self));
}

gboolean
ice_stun_auth_verify (IceStunAuth *self, const IceStunMessage *answer)
{
  /* RFC 8489 9.2.5: "the response MUST be ignored". */
  if (algorithms_were_removed (answer))
    return FALSE;

  self->by_former = FALSE;
  if (!ice_stun_auth_is_ready (self) || verify_by (self, &self->now, answer))
    return TRUE;
  /* It answers a request that left before the credentials changed. */
  self->by_former = self->has_former && verify_by (self, &self->former, answer);
  return self->by_former;
}
