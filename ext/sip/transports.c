/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "private.h"

#include <glib/gstdio.h>
#include <openssl/x509.h>
#include <sofia-sip/su_glib.h>
#include <sofia-sip/su_log.h>
#include <string.h>

#include "outcome.h"

#define GST_CAT_DEFAULT gst_ice_sip_debug

/* Sofia's log of transports, which no header of it declares; and the level at
 * which it tells of connections that close. Others tell hashes of passwords
 * there. */
extern su_log_t tport_log[];
#define TRANSPORT_LOG_LEVEL 5

/* Where systems keep the authorities that they trust; after what OpenSSL was
 * built with. */
static const gchar *const bundles[] = {
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
};

/* Sofia's loop, in the service thread's context, for all user agents. */
static su_root_t *root;
/* What sofia said last of a certificate: it has no other way to tell. */
static gchar *tls_complaint; /* (owned) (nullable) */

su_root_t *
gst_ice_sip_get_root (void)
{
  return root;
}

const gchar *
gst_ice_sip_get_tls_complaint (void)
{
  return tls_complaint;
}

static void
complain (const gchar *text)
{
  g_free (tls_complaint);
  tls_complaint = g_strdup (text);
}

static void
on_log (void *stream, const char *format, va_list args) G_GNUC_PRINTF (2, 0);

/* Sofia's log is ours; and it is the only place where sofia tells why a
 * certificate was refused, and that a connection is closed. */
static void
    G_GNUC_PRINTF (2, 0) on_log (void *stream, const char *format, va_list args)
{
  gchar line[512];
  const gchar *found;

  g_vsnprintf (line, sizeof line, format, args);
  g_strchomp (line);
  /* Messages have passwords, and steps of digests are as good as one: with
   * SOFIA_DEBUG or TPORT_LOG in the environment they come here. */
  if (*line == '\0' || g_str_has_prefix (line, "   ") ||
      strstr (line, "MD5(") != NULL)
    return;
  GST_LOG ("sofia: %s", line);
  /* "  err 20:unable to get local issuer certificate" */
  found = g_str_has_prefix (line, "  err ") ? strchr (line, ':') : NULL;
  if (found != NULL) {
    g_autofree gchar *clean = gst_ice_sip_clean (found + 1);

    complain (clean);
  } else if (strstr (line, "Subject Mismatch") != NULL) {
    complain ("it is for another host");
  } else if (g_str_has_prefix (line, "tport_close(") &&
      strstr (line, ": udp/") == NULL) {
    gst_ice_sip_ua_connection_closed ();
  }
}

/* Transports */

gboolean
gst_ice_sip_make_root (GError **error)
{
  GSource *source;

  g_clear_pointer (&tls_complaint, g_free);
  if (root != NULL)
    return TRUE;
  su_init ();
  su_log_redirect (NULL, on_log, NULL);
  su_log_set_level (tport_log, TRANSPORT_LOG_LEVEL);
  root = su_glib_root_create (NULL);
  if (root == NULL) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE,
        "The SIP stack could not be started");
    return FALSE;
  }
  su_root_threading (root, FALSE);
  source = su_glib_root_gsource (root);
  g_source_attach (source, gst_ice_signaller_get_main_context ());
  g_source_unref (source);
  return TRUE;
}

static gboolean
link_file (
    GstIceSipUa *self, const gchar *path, const gchar *name, GError **error)
{
  g_autofree gchar *from = g_canonicalize_filename (path, NULL);
  g_autofree gchar *to = g_build_filename (self->certificates, name, NULL);
  g_autoptr (GFile) file = g_file_new_for_path (to);

  if (g_access (from, R_OK) != 0) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        "“%s” cannot be read; “ca-file” and “certificate-file” are PEM files",
        path);
    return FALSE;
  }
  return g_file_make_symbolic_link (file, from, NULL, error);
}

void
gst_ice_sip_remove_certificates (GstIceSipUa *self)
{
  static const gchar *const names[] = { "agent.pem", "cafile.pem" };
  gsize i;

  for (i = 0; self->certificates != NULL && i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path =
        g_build_filename (self->certificates, names[i], NULL);

    g_unlink (path);
  }
  if (self->certificates != NULL)
    g_rmdir (self->certificates);
  g_clear_pointer (&self->certificates, g_free);
}

static const gchar *
find_system_bundle (void)
{
  const gchar *path = g_getenv (X509_get_default_cert_file_env ());
  gsize i;

  if (path == NULL)
    path = X509_get_default_cert_file ();
  for (i = 0; g_access (path, R_OK) != 0 && i < G_N_ELEMENTS (bundles); i++)
    path = bundles[i];
  return path;
}

/* Sofia takes a folder with an agent.pem and a cafile.pem. */
gboolean
gst_ice_sip_make_certificates (GstIceSipUa *self, GError **error)
{
  const GstIceSipSettings *settings = self->settings;

  self->certificates = g_dir_make_tmp ("gst-ice-sip-XXXXXX", error);
  if (self->certificates == NULL)
    return FALSE;
  if (settings->place->listen && settings->certificate_file == NULL) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        "Who waits for calls by TLS needs a certificate: set "
        "“certificate-file” to a PEM file with it and its key");
    return FALSE;
  }
  return link_file (self,
             settings->ca_file != NULL ? settings->ca_file
                                       : find_system_bundle (),
             "cafile.pem", error) &&
      (settings->certificate_file == NULL ||
          link_file (self, settings->certificate_file, "agent.pem", error));
}

/* (transfer full) from which address @host is reached; nothing is sent. */
static gchar *
find_local_address (const gchar *host, guint port)
{
  g_autofree gchar *bare = NULL;
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocket) probe = NULL;
  GInetAddress *inet;
  g_autofree gchar *text = NULL;

  bare = *host == '[' ? g_strndup (host + 1, strlen (host) - 2)
      : g_str_equal (host, "localhost") ? g_strdup ("127.0.0.1")
                                        : g_strdup (host);
  address = g_inet_socket_address_new_from_string (bare, port);
  if (address == NULL)
    return g_strdup ("*");
  probe = g_socket_new (g_socket_address_get_family (address),
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  if (probe == NULL || !g_socket_connect (probe, address, NULL, NULL))
    return g_strdup ("*");
  local = g_socket_get_local_address (probe, NULL);
  if (local == NULL)
    return g_strdup ("*");
  inet = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local));
  text = g_inet_address_to_string (inet);
  if (g_inet_address_get_family (inet) == G_SOCKET_FAMILY_IPV6)
    return g_strdup_printf ("[%s]", text);
  return g_steal_pointer (&text);
}

/* (transfer full) what to bind to. */
gchar *
gst_ice_sip_make_local_url (GstIceSipUa *self)
{
  const GstIceSipPlace *place = self->settings->place;
  g_autofree gchar *address = NULL;
  g_autofree gchar *port = NULL;

  if (place->listen) {
    port = place->port != 0 ? g_strdup_printf ("%u", place->port)
                            : g_strdup (place->secure ? "5061" : "5060");
    address = g_strdup (place->host);
  } else {
    port = g_strdup ("*");
    address = self->settings->local_address != NULL
        ? g_strdup (self->settings->local_address)
        : find_local_address (place->host, 9);
  }
  return g_strdup_printf ("%s:%s:%s%s%s", place->secure ? "sips" : "sip",
      address, port,
      place->listen && place->transport != NULL && !place->secure
          ? ";transport="
          : "",
      place->listen && place->transport != NULL && !place->secure
          ? place->transport
          : "");
}
