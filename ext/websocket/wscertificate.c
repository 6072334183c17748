/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wscertificate.h"

#include <gst/ice/ice.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

/* Whose clock is behind takes it, too. */
#define VALID_FROM (-24 * 3600)
#define VALID_FOR (365 * 24 * 3600)

typedef struct
{
  EVP_PKEY *key;
  X509 *x509;
  BIO *pem;
} Making;

static void
making_clear (Making *self)
{
  EVP_PKEY_free (self->key);
  X509_free (self->x509);
  BIO_free (self->pem);
}

/* RFC 9525 6.3: only the subjectAltName counts. */
static gboolean
add_name (X509 *x509, const gchar *host)
{
  const gboolean is_address = g_hostname_is_ip_address (host);
  g_autofree gchar *value =
      g_strdup_printf ("%s:%s", is_address ? "IP" : "DNS", host);
  X509_EXTENSION *extension =
      X509V3_EXT_conf_nid (NULL, NULL, NID_subject_alt_name, value);
  gboolean ok = extension != NULL && X509_add_ext (x509, extension, -1) == 1;

  X509_EXTENSION_free (extension);
  return ok;
}

static gboolean
fill_in (X509 *x509, EVP_PKEY *key, const gchar *host)
{
  X509_NAME *name = X509_get_subject_name (x509);
  guint64 serial;

  return RAND_bytes ((guchar *) &serial, sizeof serial) == 1 &&
      X509_set_version (x509, X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set_uint64 (X509_get_serialNumber (x509), serial >> 1) ==
      1 &&
      X509_gmtime_adj (X509_getm_notBefore (x509), VALID_FROM) != NULL &&
      X509_gmtime_adj (X509_getm_notAfter (x509), VALID_FOR) != NULL &&
      X509_set_pubkey (x509, key) == 1 &&
      X509_NAME_add_entry_by_txt (name, "CN", MBSTRING_UTF8,
          (const guchar *) "gst-ice", -1, -1, 0) == 1 &&
      X509_set_issuer_name (x509, name) == 1 && add_name (x509, host) &&
      X509_sign (x509, key, EVP_sha256 ()) > 0;
}

GTlsCertificate *
gst_ice_ws_certificate_self_signed (const gchar *host, GError **error)
{
  Making made = { EVP_EC_gen ("P-256"), X509_new (), BIO_new (BIO_s_mem ()) };
  GTlsCertificate *certificate = NULL;
  char *pem;
  long size;

  if (made.key != NULL && made.x509 != NULL && made.pem != NULL &&
      fill_in (made.x509, made.key, host) &&
      PEM_write_bio_X509 (made.pem, made.x509) == 1 &&
      PEM_write_bio_PrivateKey (
          made.pem, made.key, NULL, NULL, 0, NULL, NULL) == 1) {
    size = BIO_get_mem_data (made.pem, &pem);
    certificate = g_tls_certificate_new_from_pem (pem, size, error);
  } else {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_FAILED,
        "Cannot make a certificate");
  }
  making_clear (&made);
  return certificate;
}

GTlsCertificate *
gst_ice_ws_certificate_load (
    const gchar *certificate, const gchar *key, GError **error)
{
  g_autoptr (GError) cause = NULL;
  GTlsCertificate *loaded = key != NULL
      ? g_tls_certificate_new_from_files (certificate, key, &cause)
      : g_tls_certificate_new_from_file (certificate, &cause);
  g_autofree gchar *private_key = NULL;

  if (loaded != NULL)
    g_object_get (loaded, "private-key-pem", &private_key, NULL);
  if (private_key != NULL)
    return loaded;
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
      "“%s” is no certificate with its key in PEM: %s. The key may be in a "
      "file of its own",
      certificate, cause != NULL ? cause->message : "there is no key");
  g_clear_object (&loaded);
  return NULL;
}

gchar *
gst_ice_ws_own_host (void)
{
  struct ifaddrs *list = NULL, *i;
  gchar *found = NULL;

  if (getifaddrs (&list) != 0)
    return g_strdup ("localhost");
  for (i = list; i != NULL && found == NULL; i = i->ifa_next) {
    const struct sockaddr_in *in = (const struct sockaddr_in *) i->ifa_addr;
    g_autoptr (GInetAddress) address = NULL;

    if (in == NULL || in->sin_family != AF_INET || !(i->ifa_flags & IFF_UP) ||
        (i->ifa_flags & IFF_LOOPBACK))
      continue;
    address = g_inet_address_new_from_bytes (
        (const guint8 *) &in->sin_addr, G_SOCKET_FAMILY_IPV4);
    found = g_inet_address_to_string (address);
  }
  freeifaddrs (list);
  return found != NULL ? found : g_strdup ("localhost");
}
