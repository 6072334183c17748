/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icertpbin-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define GST_CAT_DEFAULT gst_ice_rtp_bin_debug

/* DTLS-SRTP (RFC 5763, RFC 5764) by the elements that exist. They take any
 * certificate; that it is the one of the description is seen here, and until it
 * is seen nothing is sent. */

/* RFC 8122 5: SHA-256 must be there; MD5 and SHA-1 must not be relied upon. */
static const struct
{
  const gchar *name;
  GChecksumType type;
} hashes[] = {
  { "sha-256", G_CHECKSUM_SHA256 },
  { "sha-384", G_CHECKSUM_SHA384 },
  { "sha-512", G_CHECKSUM_SHA512 },
};

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"

/* (nullable) the DER of the first certificate in @pem */
static guint8 *
decode_pem (const gchar *pem, gsize *ret_size)
{
  const gchar *begin = strstr (pem, PEM_BEGIN);
  const gchar *end = begin != NULL ? strstr (begin, PEM_END) : NULL;
  g_autofree gchar *text = NULL;

  if (end == NULL)
    return NULL;
  begin += strlen (PEM_BEGIN);
  text = g_strndup (begin, (gsize) (end - begin));
  return g_base64_decode (text, ret_size);
}

/* "AB:CD:..." */
static gchar *
hash_pem (const gchar *pem, GChecksumType type)
{
  g_autofree gchar *hex = NULL;
  g_autofree guint8 *der = NULL;
  GString *text;
  gsize size, i;

  der = decode_pem (pem, &size);
  if (der == NULL)
    return NULL;
  hex = g_compute_checksum_for_data (type, der, size);
  text = g_string_new (NULL);
  for (i = 0; hex[i] != '\0' && hex[i + 1] != '\0'; i += 2)
    g_string_append_printf (text, "%s%c%c", i > 0 ? ":" : "",
        g_ascii_toupper (hex[i]), g_ascii_toupper (hex[i + 1]));
  return g_string_free (text, FALSE);
}

/* Whether @pem is the certificate that "sha-256 AB:CD:..." is of. */
static gboolean
is_certificate_of (const gchar *pem, const gchar *fingerprint)
{
  g_auto (GStrv) words = g_strsplit (fingerprint, " ", 2);
  guint i;

  for (i = 0; words[0] != NULL && words[1] != NULL && i < G_N_ELEMENTS (hashes);
       i++) {
    g_autofree gchar *hash = NULL;

    if (g_ascii_strcasecmp (words[0], hashes[i].name) != 0)
      continue;
    hash = hash_pem (pem, hashes[i].type);
    return hash != NULL &&
        g_ascii_strcasecmp (g_strstrip (words[1]), hash) == 0;
  }
  return FALSE;
}

/* The elements make one certificate for the process. Its text has the private
 * key, so it stays in here. */
gchar *
gst_ice_rtp_bin_make_fingerprint (GstIceRtpBin *self)
{
  GstElement *decoder = gst_ice_rtp_bin_make (self, "dtlssrtpdec");
  g_autofree gchar *pem = NULL, *hash = NULL;

  if (decoder == NULL)
    return NULL;
  g_object_get (decoder, "pem", &pem, NULL);
  gst_bin_remove (GST_BIN (self), decoder);
  hash = pem != NULL ? hash_pem (pem, hashes[0].type) : NULL;
  return hash != NULL ? g_strdup_printf ("%s %s", hashes[0].name, hash) : NULL;
}

/* The handshake */

static GstPadProbeReturn
drop_untrusted (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstIceRtpLeg *self = user_data;

  return g_atomic_int_get (&self->untrusted) ? GST_PAD_PROBE_DROP
                                             : GST_PAD_PROBE_OK;
}

void
gst_ice_rtp_leg_verify (GstIceRtpLeg *self)
{
  g_autofree gchar *pem = NULL, *fingerprint = NULL;

  g_object_get (self->decoder, "peer-pem", &pem, NULL);
  g_object_get (self->stream, "remote-fingerprint", &fingerprint, NULL);
  if (pem == NULL || fingerprint == NULL)
    return;
  if (is_certificate_of (pem, fingerprint)) {
    g_atomic_int_set (&self->verified, TRUE);
    gst_ice_rtp_bin_update_gates (self->bin);
    return;
  }
  g_atomic_int_set (&self->verified, FALSE);
  if (!g_atomic_int_exchange (&self->untrusted, TRUE))
    gst_ice_rtp_bin_fail (self->bin, GST_ICE_ERROR_TLS_UNTRUSTED,
        _ ("The certificate of the DTLS handshake is not the one of the peer's "
           "description: somebody is between. Nothing was sent."));
}

static void
on_peer_pem (GstElement *decoder, GParamSpec *pspec, GstIceRtpLeg *self)
{
  gst_ice_rtp_leg_verify (self);
}

static void
on_key_set (GstElement *encoder, GstIceRtpLeg *self)
{
  g_atomic_int_set (&self->keyed, TRUE);
  gst_ice_rtp_bin_update_gates (self->bin);
}

gboolean
gst_ice_rtp_leg_add_dtls (GstIceRtpLeg *self)
{
  /* The table of connections is one for the process. */
  static gint n_connections;
  g_autofree gchar *id =
      g_strdup_printf ("gst-ice-%d", g_atomic_int_add (&n_connections, 1));
  g_autoptr (GstPad) pad = gst_element_get_static_pad (self->src, "src");
  gboolean client;

  self->decoder = gst_ice_rtp_bin_make (self->bin, "dtlssrtpdec");
  self->encoder = gst_ice_rtp_bin_make (self->bin, "dtlssrtpenc");
  if (self->decoder == NULL || self->encoder == NULL)
    return FALSE;
  g_object_get (self->stream, "dtls-client", &client, NULL);
  /* The decoder makes the connection that the encoder finds. */
  g_object_set (self->decoder, "connection-id", id, NULL);
  g_object_set (self->encoder, "connection-id", id, "is-client", client, NULL);
  g_object_set (self->sink, "sync", FALSE, NULL);
  g_signal_connect (
      self->decoder, "notify::peer-pem", G_CALLBACK (on_peer_pem), self);
  g_signal_connect (self->encoder, "on-key-set", G_CALLBACK (on_key_set), self);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      drop_untrusted, self, NULL);
  return TRUE;
}
