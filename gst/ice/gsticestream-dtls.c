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

/* RFC 8842 5.3: with the choice, the answerer is active, so that the handshake
 * does not wait for the answer to arrive. */
void
gst_ice_stream_answer_dtls (
    GstIceStream *self, GstIceSection *section, const GstIceSection *offered)
{
  const gboolean client = !is_setup (offered, "active");

  section->fingerprint = offered->fingerprint ? dup_fingerprint (self) : NULL;
  if (!section->fingerprint)
    return;
  section->setup = g_strdup (client ? "active" : "passive");
  GST_OBJECT_LOCK (self);
  self->dtls_client = client;
  GST_OBJECT_UNLOCK (self);
}

/* Without a=setup an answer is active (RFC 4145 4.1). */
void
gst_ice_stream_take_dtls (
    GstIceStream *self, const GstIceSection *section, gboolean is_answer)
{
  GST_OBJECT_LOCK (self);
  g_free (self->remote_fingerprint);
  self->remote_fingerprint = g_strdup (section->fingerprint);
  if (is_answer)
    self->dtls_client = is_setup (section, "passive");
  GST_OBJECT_UNLOCK (self);
}
