/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a proxy is between us and a server, and which. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeproxy-private.h"

#include <string.h>

#include "base/crypto.h"
#include "gsticeagent-private.h"
#include "gsticeerror.h"
#include "gsticelog-private.h"
#include "gsticeserver-private.h"
#include "io/proxy-lookup.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

#define DIRECT "direct://"
/* A script, or a network that is asked for one: as long as for a name. */
#define LOOKUP_TIMEOUT (5 * ICE_SECOND)
/* What the system says may depend on the server; more are forgotten, and with
 * them only what they asked for. */
#define MAX_PROXIES 16

struct _GstIceWay
{
  GstIcePump *pump; /* (unowned) cancels it before it goes */
  GstIceWayFunc func;
  gpointer user_data;
  IceProxyLookup *lookup; /* (nullable) while it is under way */
  IceResolve *resolve;    /* (nullable) likewise */
  IceTimer *soon;         /* (owned) (nullable) to say what is wrong */
  IceProxy *proxy;        /* (owned) (nullable) */
  GError *error;          /* (owned) (nullable) */
};

/* The property */

/* (transfer full) (nullable) secret */
static gchar *
dup_proxy (GstIcePump *pump)
{
  gchar *proxy;

  g_mutex_lock (&pump->lock);
  proxy = g_strdup (pump->proxy);
  g_mutex_unlock (&pump->lock);
  return proxy;
}

static gboolean
is_direct (const gchar *uri)
{
  return g_ascii_strncasecmp (uri, DIRECT, strlen (DIRECT)) == 0;
}

void
gst_ice_agent_set_proxy (GstIceAgent *self, const gchar *uri)
{
  g_autoptr (GError) wrong = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (IceProxy) proxy = NULL;

  if (uri && *uri == '\0')
    uri = NULL;
  g_mutex_lock (&self->pump->lock);
  ice_secret_free (self->pump->proxy);
  self->pump->proxy = g_strdup (uri);
  g_mutex_unlock (&self->pump->lock);
  if (!uri || is_direct (uri))
    return;
  proxy = ice_proxy_new (uri, &wrong);
  if (proxy)
    return;
  /* It is kept: nothing goes straight that was not meant to. */
  error = g_error_new_literal (
      GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI, wrong->message);
  gst_ice_agent_queue_error (self, error);
}

gchar *
gst_ice_agent_dup_proxy (GstIceAgent *self)
{
  gchar *uri = dup_proxy (self->pump);
  g_autoptr (IceProxy) proxy =
      uri && !is_direct (uri) ? ice_proxy_new (uri, NULL) : NULL;
  gchar *shown;

  if (proxy)
    shown = g_strdup (ice_proxy_get_url (proxy));
  else
    shown = uri ? gst_ice_server_redact (uri) : NULL;
  ice_secret_free (uri);
  return shown;
}

/**
 * GstIceAgent:proxy:
 *
 * What TURN servers over TCP and TLS (`turn:...?transport=tcp`, `turns:`), and
 * STUN servers over them, are reached through:
 * `http://[USER:PASSWORD@]HOST[:PORT]` (CONNECT of RFC 9110, with Basic or
 * Digest of RFC 7617 and 7616) or `socks5://[USER:PASSWORD@]HOST[:PORT]` (RFC
 * 1928, 1929), special characters percent-encoded; `direct://` for no proxy;
 * unset or empty: as the system says (#GProxyResolver). Names of servers go to
 * the proxy as they are. It reads back without the password.
 *
 * UDP, DTLS and TCP connections to peers do not pass a proxy: it would have to
 * allow any port of any host, and the peer would see its address and not ours.
 * With #GstIceAgent:policy `relay` and servers over TCP or TLS nothing goes
 * elsewhere.
 *
 * A proxy that is dead or refuses costs the servers behind it, and
 * #GstIceAgent::candidate-error names it. One that cannot be read is told by
 * #GstIceAgent::error; until it is set right those servers are not reached. For
 * connections that are made from then on; forks have it in common.
 */
GParamSpec *
gst_ice_agent_make_proxy_property (GParamFlags flags)
{
  return g_param_spec_string ("proxy", "Proxy",
      "http:// or socks5:// URI for servers over TCP and TLS, direct:// for "
      "none, empty: as the system says",
      NULL, flags);
}

/* The way */

gboolean
gst_ice_pump_may_have_proxy (GstIcePump *self)
{
  gchar *uri = dup_proxy (self);
  gboolean may = !uri || !is_direct (uri);

  ice_secret_free (uri);
  return may;
}

static void
way_free (GstIceWay *self)
{
  g_clear_pointer (&self->soon, ice_timer_free);
  g_clear_pointer (&self->proxy, ice_proxy_unref);
  g_clear_error (&self->error);
  g_free (self);
}

void
gst_ice_way_cancel (GstIceWay *self)
{
  if (!self)
    return;
  ice_proxy_lookup_cancel (self->lookup);
  ice_resolve_cancel (self->resolve);
  way_free (self);
}

static void
way_found (GstIceWay *self, const IceAddress *addresses, guint n_addresses,
    const GError *error)
{
  self->func (self->proxy, addresses, n_addresses, error, self->user_data);
  way_free (self);
}

static void
on_resolved (const IceAddress *addresses, guint n_addresses,
    const GError *error, gpointer user_data)
{
  GstIceWay *self = user_data;
  g_autoptr (GError) named = NULL;

  self->resolve = NULL;
  if (error)
    named = g_error_new (error->domain, error->code,
        "The proxy %s has no address: %s", ice_proxy_get_url (self->proxy),
        error->message);
  way_found (self, addresses, n_addresses, named);
}

static void
on_soon (gpointer user_data)
{
  GstIceWay *self = user_data;

  way_found (self, NULL, 0, self->error);
}

/* (transfer none) (nullable) what @uri says was known, or is now. */
static IceProxy *
ensure_proxy (GstIcePump *pump, const gchar *uri, GError **error)
{
  IceProxy *proxy;

  if (!pump->proxies)
    pump->proxies = g_hash_table_new_full (g_str_hash, g_str_equal,
        (GDestroyNotify) ice_secret_free, (GDestroyNotify) ice_proxy_unref);
  proxy = g_hash_table_lookup (pump->proxies, uri);
  if (proxy)
    return proxy;
  proxy = ice_proxy_new (uri, error);
  if (!proxy)
    return NULL;
  if (g_hash_table_size (pump->proxies) >= MAX_PROXIES)
    g_hash_table_remove_all (pump->proxies);
  g_hash_table_insert (pump->proxies, g_strdup (uri), proxy);
  return proxy;
}

static void
go_by (GstIceWay *self, IceProxy *proxy)
{
  self->proxy = ice_proxy_ref (proxy);
  self->resolve =
      ice_resolve_start (self->pump->loop, ice_proxy_get_host (proxy),
          ice_proxy_get_port (proxy), LOOKUP_TIMEOUT, on_resolved, self);
}

/* Best first: the first that we can do. */
static void
on_looked_up (const gchar *const *uris, const GError *error, gpointer user_data)
{
  GstIceWay *self = user_data;
  g_autoptr (GError) last = error ? g_error_copy (error) : NULL;
  IceProxy *proxy = NULL;

  self->lookup = NULL;
  for (guint i = 0; uris && uris[i] && !proxy; i++) {
    if (is_direct (uris[i])) {
      way_found (self, NULL, 0, NULL);
      return;
    }
    g_clear_error (&last);
    proxy = ensure_proxy (self->pump, uris[i], &last);
  }
  if (proxy) {
    GST_INFO ("<%s> the system names the proxy %s", self->pump->name,
        ice_proxy_get_url (proxy));
    go_by (self, proxy);
  } else {
    way_found (self, NULL, 0, last);
  }
}

GstIceWay *
gst_ice_way_find (GstIcePump *pump, const gchar *host, guint16 port,
    GstIceWayFunc func, gpointer user_data)
{
  GstIceWay *self = g_new0 (GstIceWay, 1);
  gchar *uri = dup_proxy (pump);
  IceProxy *proxy = NULL;

  self->pump = pump;
  self->func = func;
  self->user_data = user_data;
  if (uri)
    proxy = ensure_proxy (pump, uri, &self->error);
  if (proxy) {
    go_by (self, proxy);
  } else if (uri) {
    self->soon = ice_timer_new (pump->loop, on_soon, self);
    ice_timer_set (self->soon, ice_loop_now ());
  } else {
    self->lookup = ice_proxy_lookup_start (
        pump->loop, host, port, LOOKUP_TIMEOUT, on_looked_up, self);
  }
  ice_secret_free (uri);
  return self;
}
