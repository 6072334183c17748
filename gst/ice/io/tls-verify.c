/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a server is who it should be (RFC 8489 6.2.3, RFC 9525), and in which
 * way it is not. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "tls-private.h"

/* What a stranger writes into a certificate is shown in part. */
#define NAME_SHOWN_MAX 80
#define NAMES_SHOWN_MAX 4

void
ice_tls_peer_init (IceTlsPeer *self, const IceTlsConfig *config)
{
  gsize size = strlen (config->host);

  *self = (IceTlsPeer){ .failure = X509_V_OK };
  self->literal = g_hostname_is_ip_address (config->host);
  if (!self->literal)
    self->host = g_hostname_to_ascii (config->host);
  if (self->host == NULL)
    self->host = g_strdup (config->host);
  /* RFC 6066 3: SNI is without the dot at the end; so are certificates. */
  size = strlen (self->host);
  if (size > 1 && self->host[size - 1] == '.')
    self->host[size - 1] = '\0';
  self->ca_file = g_strdup (config->ca_file);
  self->trusted = self->ca_file ? self->ca_file : "what this system trusts";
  self->where = g_strdup_printf (
      strchr (self->host, ':') ? "[%s]:%u" : "%s:%u", self->host, config->port);
}

void
ice_tls_peer_clear (IceTlsPeer *self)
{
  g_free (self->host);
  g_free (self->where);
  g_free (self->ca_file);
  X509_free (self->culprit);
}

/* The first failure ends the handshake; OpenSSL tells the server. */
static int
on_verify (int ok, X509_STORE_CTX *store)
{
  const SSL *ssl =
      X509_STORE_CTX_get_ex_data (store, SSL_get_ex_data_X509_STORE_CTX_idx ());
  IceTlsPeer *self = ice_tls_stage_get_peer (ssl);

  if (!ok && self->failure == X509_V_OK) {
    self->failure = X509_STORE_CTX_get_error (store);
    self->culprit = X509_STORE_CTX_get_current_cert (store);
    if (self->culprit)
      X509_up_ref (self->culprit);
  }
  return ok;
}

gboolean
ice_tls_peer_prepare (IceTlsPeer *self, SSL *ssl)
{
  X509_VERIFY_PARAM *param = SSL_get0_param (ssl);

  SSL_set_verify (ssl, SSL_VERIFY_PEER, on_verify);
  if (self->literal)
    return X509_VERIFY_PARAM_set1_ip_asc (param, self->host);
  /* RFC 9525 6.3: names in the subject do not count, and "*" stands for one
   * whole label, the first. */
  X509_VERIFY_PARAM_set_hostflags (param,
      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
          X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host (param, self->host, 0) &&
      SSL_set_tlsext_host_name (ssl, self->host);
}

/* What a certificate says */

/* (transfer full) as much of it as a terminal and a log can bear. */
static gchar *
tame (const void *data, gint size)
{
  gchar *text = g_utf8_make_valid (data, MIN (MAX (size, 0), NAME_SHOWN_MAX));

  for (gchar *p = text; *p; p++) {
    if (g_ascii_iscntrl (*p))
      *p = '?';
  }
  return text;
}

/* (transfer full) */
static gchar *
dup_name (const X509_NAME *name)
{
  gint at = X509_NAME_get_index_by_NID (name, NID_commonName, -1);
  const ASN1_STRING *value;

  if (at < 0)
    at = X509_NAME_get_index_by_NID (name, NID_organizationName, -1);
  if (at < 0)
    return g_strdup ("somebody without a name");
  value = X509_NAME_ENTRY_get_data (X509_NAME_get_entry (name, at));
  return tame (ASN1_STRING_get0_data (value), ASN1_STRING_length (value));
}

/* (transfer full) (nullable) */
static gchar *
dup_alternative (const GENERAL_NAME *name)
{
  const ASN1_STRING *value;
  gint type;

  value = GENERAL_NAME_get0_value (name, &type);
  if (type == GEN_DNS)
    return tame (ASN1_STRING_get0_data (value), ASN1_STRING_length (value));
  if (type == GEN_IPADD &&
      (ASN1_STRING_length (value) == 4 || ASN1_STRING_length (value) == 16)) {
    g_autoptr (GInetAddress) address =
        g_inet_address_new_from_bytes (ASN1_STRING_get0_data (value),
            ASN1_STRING_length (value) == 4 ? G_SOCKET_FAMILY_IPV4
                                            : G_SOCKET_FAMILY_IPV6);

    return g_inet_address_to_string (address);
  }
  return NULL;
}

/* (transfer full) "a, b and others" */
static gchar *
dup_names (const X509 *certificate)
{
  GENERAL_NAMES *names =
      X509_get_ext_d2i (certificate, NID_subject_alt_name, NULL, NULL);
  GString *text = g_string_new (NULL);
  guint n_shown = 0;

  for (int i = 0; i < sk_GENERAL_NAME_num (names); i++) {
    g_autofree gchar *name = dup_alternative (sk_GENERAL_NAME_value (names, i));

    if (name == NULL)
      continue;
    if (n_shown++ == NAMES_SHOWN_MAX) {
      g_string_append (text, " and others");
      break;
    }
    g_string_append_printf (text, "%s“%s”", n_shown > 1 ? ", " : "", name);
  }
  GENERAL_NAMES_free (names);
  return g_string_free (text, FALSE);
}

/* (transfer full) */
static gchar *
dup_time (const ASN1_TIME *time)
{
  struct tm parts;

  if (time == NULL || !ASN1_TIME_to_tm (time, &parts))
    return g_strdup ("a time that cannot be read");
  return g_strdup_printf ("%04d-%02d-%02d %02d:%02d UTC", parts.tm_year + 1900,
      parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min);
}

/* What is wrong with it */

static gchar *
explain_time (const IceTlsPeer *self, gboolean expired)
{
  g_autofree gchar *when =
      dup_time (expired ? X509_get0_notAfter (self->culprit)
                        : X509_get0_notBefore (self->culprit));
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree gchar *today = g_date_time_format (now, "%Y-%m-%d %H:%M UTC");
  g_autofree gchar *name = dup_name (X509_get_subject_name (self->culprit));

  return g_strdup_printf ("The certificate “%s” of %s %s %s, and the clock of "
                          "this machine says %s: %s",
      name, self->where, expired ? "expired on" : "is not valid before", when,
      today, expired ? "the server needs a new one" : "check the clock");
}

static gchar *
explain_name (const IceTlsPeer *self)
{
  g_autofree gchar *names = dup_names (self->culprit);

  if (*names == '\0')
    return g_strdup_printf (
        "The certificate of %s names no host in its subjectAltName, where "
        "“%s” has to be (the common name does not count, RFC 9525): the "
        "server needs another one",
        self->where, self->host);
  return g_strdup_printf (
      "The certificate of %s is for %s and not for “%s”: write one of those "
      "into the URI if that is the server, or give it a certificate for this "
      "name",
      self->where, names, self->host);
}

static gchar *
explain_issuer (const IceTlsPeer *self)
{
  g_autofree gchar *issuer = dup_name (X509_get_issuer_name (self->culprit));

  return g_strdup_printf (
      "The certificate of %s was issued by “%s”, which is unknown to %s: set "
      "ca-file to a PEM file with the certificate of that authority, or have "
      "the server send its intermediate certificates",
      self->where, issuer, self->trusted);
}

gchar *
ice_tls_peer_explain (const IceTlsPeer *self)
{
  switch (self->culprit ? self->failure : X509_V_ERR_UNSPECIFIED) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return explain_time (self, TRUE);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return explain_time (self, FALSE);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return explain_name (self);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return g_strdup_printf (
          "The certificate of %s is self-signed, and not among those of %s: "
          "if it is the right one, set ca-file to a PEM file with it",
          self->where, self->trusted);
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return explain_issuer (self);
    default:
      return g_strdup_printf ("The certificate of %s is not accepted: %s",
          self->where, X509_verify_cert_error_string (self->failure));
  }
}
