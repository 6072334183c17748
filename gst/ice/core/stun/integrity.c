/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "integrity.h"

#include "../../base/bytes.h"
#include "../../base/crypto.h"

#include <string.h>

#include "../purity.h"

struct _IceStunKey
{
  guint8 *key; /* (owned) secret */
  gsize size;
  IceHmac *sha1;   /* (owned) (nullable) keyed when first needed */
  IceHmac *sha256; /* (owned) (nullable) likewise */
};

IceStunKey *
ice_stun_key_new_raw (IceBytes bytes)
{
  IceStunKey *self = g_new0 (IceStunKey, 1);

  self->key = g_memdup2 (bytes.data, bytes.size);
  self->size = bytes.size;
  return self;
}

IceStunKey *
ice_stun_key_new_short_term (const gchar *password)
{
  return ice_stun_key_new_raw (ICE_BYTES (password, strlen (password)));
}

gchar *
ice_stun_opaque_string (IceBytes text)
{
  g_autofree gchar *utf8 = ice_bytes_dup_utf8 (text);
  g_autoptr (GString) spaced = NULL;
  gchar *composed;
  const gchar *p;

  if (!utf8)
    return NULL;

  /* RFC 8265 4.2.2: spaces beyond ASCII become U+0020, then NFC. Control
   * characters are disallowed (RFC 8264 4.3). */
  spaced = g_string_sized_new (text.size + 1);
  for (p = utf8; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (g_unichar_iscntrl (c)) {
      ice_secret_clear ((guint8 *) spaced->str, spaced->len);
      ice_secret_free (g_steal_pointer (&utf8));
      return NULL;
    }
    if (g_unichar_type (c) == G_UNICODE_SPACE_SEPARATOR)
      c = ' ';
    g_string_append_unichar (spaced, c);
  }

  composed = g_utf8_normalize (spaced->str, spaced->len, G_NORMALIZE_NFC);
  ice_secret_clear ((guint8 *) spaced->str, spaced->len);
  ice_secret_free (g_steal_pointer (&utf8));
  return composed;
}

/* RFC 8489 9.2.2: "with any quotes and trailing nulls removed". */
static IceBytes
trim (IceBytes text)
{
  while (text.size > 0 && text.data[text.size - 1] == '\0')
    text.size--;
  if (text.size >= 2 && text.data[0] == '"' &&
      text.data[text.size - 1] == '"') {
    text.data++;
    text.size -= 2;
  }
  return text;
}

IceStunKey *
ice_stun_key_new_long_term (const gchar *username, IceBytes realm,
    const gchar *password, gboolean sha256)
{
  IceHash hash = sha256 ? ICE_HASH_SHA256 : ICE_HASH_MD5;
  g_autofree gchar *user =
      ice_stun_opaque_string (trim (ICE_BYTES (username, strlen (username))));
  g_autofree gchar *place = ice_stun_opaque_string (trim (realm));
  gchar *secret =
      ice_stun_opaque_string (ICE_BYTES (password, strlen (password)));
  guint8 key[ICE_SHA256_SIZE];
  IceStunKey *self = NULL;

  if (user && place && secret) {
    gchar *text = g_strconcat (user, ":", place, ":", secret, NULL);

    if (ice_hash (hash, ICE_BYTES (text, strlen (text)), key))
      self = ice_stun_key_new_raw (ICE_BYTES (key, ice_hash_size (hash)));
    ice_secret_free (text);
    ice_secret_clear (key, sizeof (key));
  }
  ice_secret_free (secret);
  return self;
}

gboolean
ice_stun_compute_userhash (
    const gchar *username, IceBytes realm, guint8 *ret_hash)
{
  g_autofree gchar *user =
      ice_stun_opaque_string (trim (ICE_BYTES (username, strlen (username))));
  g_autofree gchar *place = ice_stun_opaque_string (trim (realm));
  g_autofree gchar *text = NULL;

  if (!user || !place)
    return FALSE;

  /* RFC 8489 14.4 */
  text = g_strconcat (user, ":", place, NULL);
  return ice_hash (ICE_HASH_SHA256, ICE_BYTES (text, strlen (text)), ret_hash);
}

void
ice_stun_key_free (IceStunKey *self)
{
  if (!self)
    return;

  ice_hmac_free (self->sha1);
  ice_hmac_free (self->sha256);
  ice_secret_clear (self->key, self->size);
  g_free (self->key);
  g_free (self);
}

void
ice_stun_key_sign (IceStunKey *self, IceStunIntegrity integrity,
    const IceBytes *parts, guint n_parts, guint8 *ret_mac)
{
  gboolean sha256 = integrity == ICE_STUN_INTEGRITY_SHA256;
  IceHmac **hmac = sha256 ? &self->sha256 : &self->sha1;

  if (!*hmac)
    *hmac = ice_hmac_new (sha256 ? ICE_HASH_SHA256 : ICE_HASH_SHA1,
        ICE_BYTES (self->key, self->size));
  ice_hmac_sign (*hmac, parts, n_parts, ret_mac);
}

gboolean
ice_stun_message_verify (
    const IceStunMessage *message, IceStunKey *key, IceStunIntegrity integrity)
{
  gboolean sha256 = integrity == ICE_STUN_INTEGRITY_SHA256;
  gsize size = sha256 ? ICE_SHA256_SIZE : ICE_SHA1_SIZE;
  gsize offset = sha256 ? message->integrity_sha256 : message->integrity;
  guint8 mac[ICE_SHA256_SIZE], start[4];
  IceBytes parts[2], value;
  gsize length;

  /* RFC 8489 14.6: no usage of ours allows a truncated MAC. */
  if (integrity == ICE_STUN_INTEGRITY_NONE || offset == 0 ||
      !ice_stun_message_find (message,
          sha256 ? ICE_STUN_MESSAGE_INTEGRITY_SHA256
                 : ICE_STUN_MESSAGE_INTEGRITY,
          &value) ||
      value.size != size)
    return FALSE;

  /* RFC 8489 14.5: the length field as if the message ended here. */
  length = offset + 4 + size - ICE_STUN_HEADER_SIZE;
  start[0] = message->raw.data[0];
  start[1] = message->raw.data[1];
  start[2] = (guint8) (length >> 8);
  start[3] = (guint8) length;
  parts[0] = ICE_BYTES (start, 4);
  parts[1] = ICE_BYTES (message->raw.data + 4, offset - 4);
  ice_stun_key_sign (key, integrity, parts, 2, mac);
  return ice_secret_equal (ICE_BYTES (mac, size), value);
}
