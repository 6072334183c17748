/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection over TLS waits until it is known whom it trusts. The loop's
 * thread. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticepump-private.h"

#include "io/tls-prepare.h"

struct _GstIceTrust
{
  GstIcePumpSocket *socket;       /* (unowned) owns it */
  IceOutput output;               /* CONNECT; its server is ours */
  IceTlsPreparation *preparation; /* (nullable) while it is read */
};

void
gst_ice_trust_free (GstIceTrust *self)
{
  ice_tls_preparation_cancel (self->preparation);
  g_free (self->output.connect.server);
  g_free (self);
}

static void
on_prepared (gpointer user_data)
{
  GstIceTrust *self = user_data;
  GstIcePumpSocket *socket = self->socket;
  GstIcePump *pump = socket->pump;

  self->preparation = NULL;
  socket->trust = NULL;
  gst_ice_pump_connect_socket (socket, &self->output);
  gst_ice_trust_free (self);
  gst_ice_pump_run (pump);
}

GstIceTrust *
gst_ice_trust_await (GstIcePumpSocket *socket, const IceOutput *output)
{
  GstIcePump *pump = socket->pump;
  const IceTransportKind kind = output->connect.kind;
  g_autofree gchar *ca_file = NULL;
  GstIceTrust *self;

  if (kind == ICE_TRANSPORT_TCP)
    return NULL;
  g_mutex_lock (&pump->lock);
  ca_file = g_strdup (pump->ca_file);
  g_mutex_unlock (&pump->lock);
  self = g_new0 (GstIceTrust, 1);
  self->socket = socket;
  self->preparation = ice_tls_prepare (
      pump->loop, ca_file, kind == ICE_TRANSPORT_DTLS, on_prepared, self);
  if (self->preparation == NULL) {
    gst_ice_trust_free (self);
    return NULL;
  }
  self->output = *output;
  self->output.connect.server = g_strdup (output->connect.server);
  return self;
}
