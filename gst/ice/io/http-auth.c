/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "http-auth.h"

#include <string.h>

#include "../base/crypto.h"

/* RFC 7616 3.3 sets no bounds; nobody needs longer ones. */
#define MAX_VALUE 1024
#define MAX_PARAMETERS 32

/* By strength. RFC 7616 3.2 has SHA-512-256 too, which no server asks for
 * alone: MD5 is to be there for compatibility, SHA-256 for strength. */
typedef enum
{
  BASIC,
  DIGEST_MD5,
  DIGEST_SHA256,
} Method;

struct _IceHttpChallenge
{
  Method method;
  gchar *realm, *nonce, *opaque; /* (owned) (nullable) */
  gchar *algorithm;              /* (owned) (nullable) as it was said */
  gboolean session, qop, userhash, stale;
  guint n_answers; /* RFC 7616 3.4: nc */
};

void
ice_http_challenge_free (IceHttpChallenge *self)
{
  g_free (self->realm);
  g_free (self->nonce);
  g_free (self->opaque);
  g_free (self->algorithm);
  g_free (self);
}

/* RFC 9110 11.6.1: scheme SP name=value, name=value, scheme ... where a value
 * is a token or a quoted string. */

static void
skip_space (const gchar **at)
{
  *at += strspn (*at, " \t");
}

static void
skip_commas (const gchar **at)
{
  *at += strspn (*at, " \t,");
}

/* RFC 9110 5.6.2. (transfer full) (nullable) */
static gchar *
take_token (const gchar **at)
{
  const gchar *begin = *at;

  while (g_ascii_isalnum (**at) || (**at && strchr ("!#$%&'*+-.^_`|~", **at)))
    (*at)++;
  return *at > begin ? g_strndup (begin, *at - begin) : NULL;
}

/* RFC 9110 5.6.4, without its quotes. (transfer full) (nullable) */
static gchar *
take_quoted (const gchar **at)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for ((*at)++; **at && **at != '"'; (*at)++) {
    if (**at == '\\' && (*at)[1])
      (*at)++;
    if (g_ascii_iscntrl (**at))
      return NULL;
    g_string_append_c (text, **at);
  }
  if (**at != '"' || text->len > MAX_VALUE)
    return NULL;
  (*at)++;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* FALSE at the end, and before the next scheme. */
static gboolean
take_parameter (const gchar **at, gchar **ret_name, gchar **ret_value)
{
  const gchar *begin = *at;
  g_autofree gchar *name = NULL;

  skip_commas (at);
  name = take_token (at);
  skip_space (at);
  if (!name || **at != '=') {
    *at = begin;
    return FALSE;
  }
  (*at)++;
  skip_space (at);
  *ret_value = **at == '"' ? take_quoted (at) : take_token (at);
  if (!*ret_value)
    return FALSE;
  *ret_name = g_steal_pointer (&name);
  return TRUE;
}

static gboolean
offers_auth (const gchar *qop)
{
  g_auto (GStrv) list = g_strsplit_set (qop, ", ", MAX_PARAMETERS);

  for (guint i = 0; list[i]; i++) {
    if (g_ascii_strcasecmp (list[i], "auth") == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
set_algorithm (IceHttpChallenge *self, const gchar *name)
{
  self->session =
      g_str_has_suffix (name, "-sess") || g_str_has_suffix (name, "-SESS");
  if (g_ascii_strcasecmp (name, "SHA-256") == 0 ||
      g_ascii_strcasecmp (name, "SHA-256-sess") == 0)
    self->method = DIGEST_SHA256;
  else if (g_ascii_strcasecmp (name, "MD5") == 0 ||
      g_ascii_strcasecmp (name, "MD5-sess") == 0)
    self->method = DIGEST_MD5;
  else
    return FALSE;
  g_free (self->algorithm);
  self->algorithm = g_strdup (name);
  return TRUE;
}

/* FALSE: what it asks for is not known here. @value is taken. */
static gboolean
set_parameter (IceHttpChallenge *self, const gchar *name, gchar *value)
{
  g_autofree gchar *text = value;
  gboolean known = TRUE;

  if (g_ascii_strcasecmp (name, "realm") == 0 && !self->realm)
    self->realm = g_steal_pointer (&text);
  else if (g_ascii_strcasecmp (name, "nonce") == 0 && !self->nonce)
    self->nonce = g_steal_pointer (&text);
  else if (g_ascii_strcasecmp (name, "opaque") == 0 && !self->opaque)
    self->opaque = g_steal_pointer (&text);
  else if (g_ascii_strcasecmp (name, "algorithm") == 0)
    known = set_algorithm (self, text);
  else if (g_ascii_strcasecmp (name, "qop") == 0)
    known = self->qop = offers_auth (text);
  else if (g_ascii_strcasecmp (name, "stale") == 0)
    self->stale = g_ascii_strcasecmp (text, "true") == 0;
  else if (g_ascii_strcasecmp (name, "userhash") == 0)
    self->userhash = g_ascii_strcasecmp (text, "true") == 0;
  return known;
}

/* (transfer full) (nullable) one of the line's; *at stands behind it. */
static IceHttpChallenge *
parse_one (const gchar **at)
{
  g_autoptr (IceHttpChallenge) self = g_new0 (IceHttpChallenge, 1);
  g_autofree gchar *scheme = take_token (at);
  gboolean digest = scheme && g_ascii_strcasecmp (scheme, "Digest") == 0;
  gboolean known =
      digest || (scheme && g_ascii_strcasecmp (scheme, "Basic") == 0);
  gchar *name, *value;

  if (!scheme) {
    *at += strlen (*at);
    return NULL;
  }
  skip_space (at);
  /* RFC 7616 3.3: without "algorithm" it is MD5. */
  self->method = digest ? DIGEST_MD5 : BASIC;
  for (guint i = 0; i < MAX_PARAMETERS && take_parameter (at, &name, &value);
       i++) {
    if (digest)
      known &= set_parameter (self, name, value);
    else
      g_free (value);
    g_free (name);
  }
  if (!known || (digest && (!self->realm || !self->nonce)))
    return NULL;
  return g_steal_pointer (&self);
}

void
ice_http_challenge_merge (IceHttpChallenge **self, IceHttpChallenge *other)
{
  if (other && (!*self || other->method > (*self)->method)) {
    g_clear_pointer (self, ice_http_challenge_free);
    *self = other;
  } else if (other) {
    ice_http_challenge_free (other);
  }
}

IceHttpChallenge *
ice_http_challenge_parse (const gchar *value)
{
  IceHttpChallenge *best = NULL;

  for (guint i = 0; i < MAX_PARAMETERS && *value; i++) {
    const gchar *begin;

    skip_commas (&value);
    begin = value;
    ice_http_challenge_merge (&best, parse_one (&value));
    /* Something that is neither: what follows cannot be told apart. */
    if (value == begin)
      break;
  }
  return best;
}

gboolean
ice_http_challenge_is_stale (const IceHttpChallenge *self)
{
  return self->stale;
}

gboolean
ice_http_challenge_is_used (const IceHttpChallenge *self)
{
  return self->n_answers > 0;
}

/* The answer */

/* RFC 7616 3.3: unq(X) ":" unq(Y) ..., hashed, in lower-case hexadecimal.
 * (transfer full) (nullable) */
static gchar *
hash_of (const IceHttpChallenge *self, const gchar *const *parts)
{
  g_autofree gchar *text = g_strjoinv (":", (gchar **) parts);
  IceHash hash = self->method == DIGEST_MD5 ? ICE_HASH_MD5 : ICE_HASH_SHA256;
  guint8 digest[ICE_SHA256_SIZE];
  GString *hex;
  gboolean ok = ice_hash (hash, ICE_BYTES (text, strlen (text)), digest);

  ice_secret_clear ((guint8 *) text, strlen (text));
  if (!ok)
    return NULL;
  hex = g_string_sized_new (2 * sizeof digest);
  for (gsize i = 0; i < ice_hash_size (hash); i++)
    g_string_append_printf (hex, "%02x", digest[i]);
  return g_string_free (hex, FALSE);
}

#define HASH(self, ...)                                                        \
  hash_of ((self), (const gchar *const[]){ __VA_ARGS__, NULL })

static void
append_quoted (GString *out, const gchar *name, const gchar *value)
{
  g_string_append_printf (out, "%s%s=\"", out->len > 7 ? ", " : "", name);
  for (; *value; value++) {
    if (*value == '"' || *value == '\\')
      g_string_append_c (out, '\\');
    g_string_append_c (out, *value);
  }
  g_string_append_c (out, '"');
}

static gchar *
answer_basic (const gchar *username, const gchar *password)
{
  g_autofree gchar *pair = g_strconcat (username, ":", password, NULL);
  g_autofree gchar *encoded =
      g_base64_encode ((const guchar *) pair, strlen (pair));
  gchar *value = g_strconcat ("Basic ", encoded, NULL);

  ice_secret_clear ((guint8 *) pair, strlen (pair));
  ice_secret_clear ((guint8 *) encoded, strlen (encoded));
  return value;
}

/* RFC 7616 3.4.2: A1. (transfer full) (nullable) hashed; secret */
static gchar *
hash_user (const IceHttpChallenge *self, const gchar *username,
    const gchar *password, const gchar *cnonce)
{
  gchar *plain = HASH (self, username, self->realm, password);
  gchar *session;

  if (!self->session || !plain)
    return plain;
  session = HASH (self, plain, self->nonce, cnonce);
  ice_secret_free (plain);
  return session;
}

/* RFC 7616 3.4.1; without qop as RFC 2069 had it. (transfer full) (nullable) */
static gchar *
make_response (const IceHttpChallenge *self, const gchar *a1, const gchar *a2,
    const gchar *nc, const gchar *cnonce)
{
  if (!a1 || !a2)
    return NULL;
  return self->qop ? HASH (self, a1, self->nonce, nc, cnonce, "auth", a2)
                   : HASH (self, a1, self->nonce, a2);
}

gchar *
ice_http_challenge_answer (IceHttpChallenge *self, const gchar *method,
    const gchar *uri, const gchar *username, const gchar *password,
    const gchar *given_cnonce)
{
  g_autoptr (GString) out = g_string_new ("Digest ");
  g_autofree gchar *cnonce = NULL, *nc = NULL, *a2 = NULL, *user = NULL;
  g_autofree gchar *response = NULL;
  gchar *a1;
  guint8 dice[16];

  self->n_answers++;
  if (self->method == BASIC)
    return answer_basic (username, password);
  ice_random_bytes (dice, sizeof dice);
  cnonce = given_cnonce ? g_strdup (given_cnonce)
                        : g_base64_encode (dice, sizeof dice);
  nc = g_strdup_printf ("%08x", self->n_answers);
  a1 = hash_user (self, username, password, cnonce);
  a2 = HASH (self, method, uri);
  response = make_response (self, a1, a2, nc, cnonce);
  ice_secret_free (a1);
  user =
      self->userhash ? HASH (self, username, self->realm) : g_strdup (username);
  if (!response || !user)
    return NULL;
  append_quoted (out, "username", user);
  append_quoted (out, "realm", self->realm);
  append_quoted (out, "nonce", self->nonce);
  append_quoted (out, "uri", uri);
  append_quoted (out, "response", response);
  if (self->algorithm)
    g_string_append_printf (out, ", algorithm=%s", self->algorithm);
  if (self->opaque)
    append_quoted (out, "opaque", self->opaque);
  if (self->qop)
    g_string_append_printf (out, ", qop=auth, nc=%s", nc);
  if (self->qop || self->session)
    append_quoted (out, "cnonce", cnonce);
  if (self->userhash)
    g_string_append (out, ", userhash=true");
  return g_string_free (g_steal_pointer (&out), FALSE);
}
