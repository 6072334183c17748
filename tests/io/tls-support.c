/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tls-support.h"

#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#define DAY (24 * 60 * 60)

static void
add_extension (X509 *certificate, X509 *issuer, gint nid, const gchar *value)
{
  X509V3_CTX context;
  X509_EXTENSION *extension;

  X509V3_set_ctx (&context, issuer, certificate, NULL, NULL, 0);
  extension = X509V3_EXT_conf_nid (NULL, &context, nid, value);
  g_assert_nonnull (extension);
  X509_add_ext (certificate, extension, -1);
  X509_EXTENSION_free (extension);
}

void
io_identity_init (IoIdentity *self, const IoIdentity *issuer, const gchar *name,
    const gchar *alternative, gint from, gint until)
{
  static glong serial = 1;
  X509 *certificate = X509_new ();
  X509 *above = issuer ? issuer->certificate : certificate;

  self->key = EVP_EC_gen ("P-256");
  self->certificate = certificate;
  X509_set_version (certificate, X509_VERSION_3);
  ASN1_INTEGER_set (X509_get_serialNumber (certificate), serial++);
  X509_gmtime_adj (X509_getm_notBefore (certificate), from * DAY);
  X509_gmtime_adj (X509_getm_notAfter (certificate), until * DAY);
  X509_set_pubkey (certificate, self->key);
  X509_NAME_add_entry_by_txt (X509_get_subject_name (certificate), "CN",
      MBSTRING_UTF8, (const guint8 *) name, -1, -1, 0);
  X509_set_issuer_name (certificate, X509_get_subject_name (above));
  if (issuer == NULL)
    add_extension (certificate, above, NID_basic_constraints, "CA:TRUE");
  add_extension (certificate, above, NID_subject_key_identifier, "hash");
  if (alternative)
    add_extension (certificate, above, NID_subject_alt_name, alternative);
  g_assert_true (X509_sign (certificate, issuer ? issuer->key : self->key,
                     EVP_sha256 ()) > 0);
}

void
io_identity_clear (IoIdentity *self)
{
  EVP_PKEY_free (self->key);
  X509_free (self->certificate);
}

gchar *
io_identity_save (const IoIdentity *self)
{
  g_autoptr (GError) error = NULL;
  gchar *path = NULL;
  gint fd = g_file_open_tmp ("gst-ice-ca-XXXXXX.pem", &path, &error);
  FILE *file;

  g_assert_no_error (error);
  file = fdopen (fd, "w");
  g_assert_true (PEM_write_X509 (file, self->certificate));
  fclose (file);
  return path;
}

static int
choose_alpn (SSL *ssl, const guint8 **ret, guint8 *ret_size,
    const guint8 *offered, guint size, void *user_data)
{
  static const guint8 ours[] = "\11stun.turn";

  return SSL_select_next_proto ((guint8 **) ret, ret_size, ours,
             sizeof ours - 1, offered, size) == OPENSSL_NPN_NEGOTIATED
      ? SSL_TLSEXT_ERR_OK
      : SSL_TLSEXT_ERR_NOACK;
}

SSL_CTX *
io_tls_context (const IoIdentity *identity, gboolean datagrams)
{
  SSL_CTX *context =
      SSL_CTX_new (datagrams ? DTLS_server_method () : TLS_server_method ());

  g_assert_true (SSL_CTX_use_certificate (context, identity->certificate));
  g_assert_true (SSL_CTX_use_PrivateKey (context, identity->key));
  SSL_CTX_set_alpn_select_cb (context, choose_alpn, NULL);
  /* What a client may be made to think is its own decision, not ours. */
  SSL_CTX_set_security_level (context, 0);
  return context;
}
