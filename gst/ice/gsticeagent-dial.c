/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies between a connection to a server and its frames, and whom TLS
 * trusts. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticepump-private.h"

#include "gsticeagent-private.h"
#include "gsticeerror.h"
#include "io/tls.h"

/* Any thread. */
void
gst_ice_pump_set_ca_file (GstIcePump *self, const gchar *ca_file)
{
  g_mutex_lock (&self->lock);
  g_free (self->ca_file);
  self->ca_file = g_strdup (ca_file);
  g_mutex_unlock (&self->lock);
}

/* It is kept even if it is wrong: then nobody is trusted, and not those whom
 * the user did not mean. */
void
gst_ice_agent_set_ca_file (GstIceAgent *self, const gchar *ca_file)
{
  g_autoptr (GError) wrong = NULL;
  g_autoptr (GError) error = NULL;

  if (ca_file && *ca_file == '\0')
    ca_file = NULL;
  GST_OBJECT_LOCK (self);
  g_free (self->settings.ca_file);
  self->settings.ca_file = g_strdup (ca_file);
  GST_OBJECT_UNLOCK (self);
  gst_ice_pump_set_ca_file (self->pump, ca_file);
  /* The system's store takes 100 ms to read, and most agents have no use for
   * it: the first connection over TLS waits for it (gsticeagent-trust.c). */
  if (ca_file == NULL || ice_tls_check_ca_file (ca_file, &wrong))
    return;
  error = g_error_new_literal (
      GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT, wrong->message);
  gst_ice_agent_queue_error (self, error);
}

static IceStage *
make_tls (GstIcePump *self, const IceOutput *output, GError **error)
{
  const gchar *const host = output->connect.server;
  g_autofree gchar *ca_file = NULL;
  IceTlsConfig config = {
    .host = host,
    .port = output->connect.remote.port,
    .alpn = output->connect.relay ? ICE_TLS_ALPN_TURN : ICE_TLS_ALPN_STUN,
    .datagrams = output->connect.kind == ICE_TRANSPORT_DTLS,
  };

  g_mutex_lock (&self->lock);
  ca_file = g_strdup (self->ca_file);
  g_mutex_unlock (&self->lock);
  config.ca_file = ca_file;
  return ice_tls_stage_new (&config, error);
}

/* From the same address as straight, if it can reach the proxy. */
static IceAddress
choose_local (const IceOutput *output, const IceAddress *via)
{
  IceAddress local = output->connect.local;

  if (local.family == via->family &&
      ice_address_classify (via) != ICE_ADDRESS_LOOPBACK)
    return local;
  local = ICE_ADDRESS_NONE;
  local.family = via->family;
  return local;
}

/* What is to be secret does not leave in the clear: without the stage there is
 * no connection. */
IceTcp *
gst_ice_pump_dial (GstIcePump *self, const IceOutput *output, IceStage *tunnel,
    const IceAddress *via, const IceSocketOptions *options,
    const IceTcpEvents *events, gpointer user_data, GError **error)
{
  const IceTransportKind kind = output->connect.kind;
  const IceAddress *const remote = via ? via : &output->connect.remote;
  const IceAddress local =
      via ? choose_local (output, via) : output->connect.local;
  g_autoptr (IceStages) stages = ice_stages_new ();
  IceStage *tls = NULL;
  IceTcp *tcp;

  if (tunnel)
    ice_stages_push (stages, tunnel);
  if (kind != ICE_TRANSPORT_TCP) {
    tls = make_tls (self, output, error);
    if (!tls)
      return NULL;
    ice_stages_push (stages, tls);
  }
  if (kind == ICE_TRANSPORT_DTLS)
    return ice_tcp_connect_datagrams (self->loop, &local, remote,
        g_steal_pointer (&stages), options, events, user_data, error);
  tcp = ice_tcp_connect_through (self->loop, &local, remote,
      output->connect.framing, tunnel || tls ? g_steal_pointer (&stages) : NULL,
      options, events, user_data, error);
  if (tcp && via)
    ice_tcp_set_remote (tcp, &output->connect.remote);
  return tcp;
}
