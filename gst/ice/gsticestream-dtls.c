/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticestream-private.h"

/* a=fingerprint and a=setup of DTLS-SRTP (RFC 5763 5, RFC 8842 5). The
 * handshake is done by others; here is what it is told. */

void
gst_ice_stream_set_fingerprint (GstIceStream *self, const gchar *fingerprint)
{
  GST_OBJECT_LOCK (self);
  g_free (self->fingerprint);
  self->fingerprint = g_strdup (fingerprint);
  GST_OBJECT_UNLOCK (self);
}

static gchar *
dup_fingerprint (GstIceStream *self)
{
  gchar *fingerprint;

  GST_OBJECT_LOCK (self);
  fingerprint = g_strdup (self->fingerprint);
  GST_OBJECT_UNLOCK (self);
  return fingerprint;
}

static gboolean
is_setup (const GstIceSection *section, const gchar *role)
{
  return section->setup && g_ascii_strcasecmp (section->setup, role) == 0;
}

/* RFC 8842 5.2: an offerer leaves the choice. */
void
gst_ice_stream_offer_dtls (GstIceStream *self, GstIceSection *section)
{
  section->fingerprint = dup_fingerprint (self);
  if (section->fingerprint)
    section->setup = g_strdup ("actpass");
}

/* RFC 8842 5.3, 5.5: an association that goes on keeps its roles; in a bundle
 * (RFC 8843 7.1.3) it is that of the tagged section. */
static gboolean
was_decided (GstIceStream *self, gboolean *ret_client)
{
  g_autoptr (GstIceStream) tagged = gst_ice_stream_ref_tagged (self);
  gboolean decided;

  GST_OBJECT_LOCK (tagged);
  decided = tagged->dtls_decided;
  *ret_client = tagged->dtls_client;
  GST_OBJECT_UNLOCK (tagged);
  return decided;
}

static void
decide (GstIceStream *self, gboolean client)
{
  GST_OBJECT_LOCK (self);
  self->dtls_client = client;
  self->dtls_decided = TRUE;
  GST_OBJECT_UNLOCK (self);
}

/* RFC 8842 5.3: with the choice, the answerer is active, so that the handshake
 * does not wait for the answer to arrive. */
void
gst_ice_stream_answer_dtls (
    GstIceStream *self, GstIceSection *section, const GstIceSection *offered)
{
  gboolean client;

  section->fingerprint = offered->fingerprint ? dup_fingerprint (self) : NULL;
  if (!section->fingerprint)
    return;
  if (!was_decided (self, &client) || is_setup (offered, "active") ||
      is_setup (offered, "passive"))
    client = !is_setup (offered, "active");
  section->setup = g_strdup (client ? "active" : "passive");
  decide (self, client);
}

/* Without a=setup an answer is active (RFC 4145 4.1). */
void
gst_ice_stream_take_dtls (
    GstIceStream *self, const GstIceSection *section, gboolean is_answer)
{
  GST_OBJECT_LOCK (self);
  if (g_strcmp0 (self->remote_fingerprint, section->fingerprint) != 0)
    self->dtls_decided = FALSE;
  g_free (self->remote_fingerprint);
  self->remote_fingerprint = g_strdup (section->fingerprint);
  GST_OBJECT_UNLOCK (self);
  if (is_answer && section->fingerprint)
    decide (self, is_setup (section, "passive"));
}
