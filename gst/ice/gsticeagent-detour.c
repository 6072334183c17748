/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to a server that passes a proxy, or may have to. The loop's
 * thread. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeproxy-private.h"

#include "gsticelog-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* A proxy is near; a SYN is repeated after one second (RFC 6298 2.1). What is
 * said now is on the bus before two are over. */
#define CONNECT_TIMEOUT (1500 * ICE_MSEC)
/* By a new connection each: for the password, and for a nonce that was too old
 * (RFC 7616 3.3). */
#define MAX_RETRIES 2

struct _GstIceDetour
{
  GstIcePumpSocket *socket; /* (unowned) owns it */
  GstIceWay *way;           /* (nullable) while it is being found */
  IceOutput output;         /* CONNECT; its server is ours */
  IceSocketOptions options;
  IceTcpEvents events;
  IceProxy *proxy;  /* (owned) (nullable) */
  IceAddress via;   /* the proxy's */
  gboolean by_name; /* it has to look the server up */
  guint n_retries;
  GError *error;   /* (owned) (nullable) why there is no connection at all */
  IceTimer *timer; /* (owned) */
};

void
gst_ice_detour_free (GstIceDetour *self)
{
  gst_ice_way_cancel (self->way);
  g_clear_pointer (&self->proxy, ice_proxy_unref);
  g_clear_pointer (&self->timer, ice_timer_free);
  g_clear_error (&self->error);
  g_free (self->output.connect.server);
  g_free (self);
}

/* As if the connection had been closed, which there was none of. */
static void
give_up (GstIceDetour *self, const gchar *reason)
{
  GstIcePumpSocket *socket = self->socket;
  g_autoptr (IceTcp) tcp = g_steal_pointer (&socket->tcp);

  if (tcp)
    ice_tcp_close (tcp);
  self->events.closed (tcp, reason, socket);
}

/* What the tunnel leads to: the server by its name, unless the core knows an
 * address that is not the proxy's (a literal, RFC 8489 10). */
static IceStage *
make_tunnel (const GstIceDetour *self)
{
  const IceAddress *remote = &self->output.connect.remote;
  gchar ip[ICE_ADDRESS_STRLEN];

  return ice_proxy_new_stage (self->proxy,
      self->by_name ? self->output.connect.server
                    : ice_address_ip_to_string (remote, ip),
      remote->port);
}

static gboolean
dial (GstIceDetour *self, GError **error)
{
  GstIcePumpSocket *socket = self->socket;

  socket->tcp = gst_ice_pump_dial (socket->pump, &self->output,
      self->proxy ? make_tunnel (self) : NULL, self->proxy ? &self->via : NULL,
      &self->options, &self->events, socket, error);
  return socket->tcp != NULL;
}

static void
on_timer (gpointer user_data)
{
  GstIceDetour *self = user_data;
  const IceTcp *tcp = self->socket->tcp;
  g_autofree gchar *reason = NULL;

  /* From here on the stages are waited for. */
  if (tcp && ice_tcp_is_connected (self->socket->tcp))
    return;
  if (self->proxy)
    reason = g_strdup_printf (
        "The proxy %s does not answer: check its host and port",
        ice_proxy_get_url (self->proxy));
  else
    reason =
        g_strdup ("The proxy is not known in time, by the system or by its "
                  "name: set proxy=direct:// or a URI with its address");
  give_up (self, reason);
}

static void
take_way (GstIceDetour *self, IceProxy *proxy, const IceAddress *addresses,
    guint n_addresses)
{
  const IceAddress *remote = &self->output.connect.remote;

  self->proxy = ice_proxy_ref (proxy);
  self->via = addresses[0];
  for (guint i = n_addresses; i-- > 0;) {
    if (addresses[i].family == self->output.connect.local.family)
      self->via = addresses[i];
  }
  for (guint i = 0; i < n_addresses; i++)
    self->by_name |= ice_address_same_ip (&addresses[i], remote);
}

static void
on_way_found (IceProxy *proxy, const IceAddress *addresses, guint n_addresses,
    const GError *error, gpointer user_data)
{
  GstIceDetour *self = user_data;

  self->way = NULL;
  self->error = error ? g_error_copy (error) : NULL;
  if (proxy && n_addresses > 0)
    take_way (self, proxy, addresses, n_addresses);
  else
    ice_timer_set (self->timer, ICE_TIME_NEVER);
  if (self->error || !dial (self, &self->error))
    give_up (self, self->error->message);
}

GstIceDetour *
gst_ice_detour_begin (GstIcePumpSocket *socket, const IceOutput *output,
    const IceSocketOptions *options, const IceTcpEvents *events)
{
  GstIceDetour *self = g_new0 (GstIceDetour, 1);

  self->socket = socket;
  self->output = *output;
  self->output.connect.server = g_strdup (output->connect.server);
  self->options = *options;
  self->events = *events;
  self->timer = ice_timer_new (socket->pump->loop, on_timer, self);
  ice_timer_set (self->timer, ice_loop_now () + CONNECT_TIMEOUT);
  self->way = gst_ice_way_find (socket->pump, output->connect.server,
      output->connect.remote.port, on_way_found, self);
  return self;
}

static gchar *
explain (const GstIceDetour *self, const GError *error, const gchar *text)
{
  /* What a stage says names it. */
  if (!self->proxy || error || g_str_has_prefix (text, "The proxy "))
    return g_strdup (text);
  return g_strdup_printf ("The proxy %s cannot be reached (%s): check its host "
                          "and port",
      ice_proxy_get_url (self->proxy), text);
}

gboolean
gst_ice_detour_closed (GstIceDetour *self, const gchar *text,
    gchar **ret_reason, const GError **ret_error)
{
  IceTcp *tcp = self->socket->tcp;
  const GError *error = tcp ? ice_tcp_get_error (tcp) : self->error;

  *ret_reason = explain (self, error, text);
  *ret_error = error;
  if (!g_error_matches (error, ICE_STAGE_ERROR, ICE_STAGE_ERROR_AGAIN) ||
      self->n_retries == MAX_RETRIES)
    return FALSE;
  self->n_retries++;
  g_clear_pointer (&self->socket->tcp, ice_tcp_unref);
  return dial (self, NULL);
}
