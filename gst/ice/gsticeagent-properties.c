/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeagent-private.h"

#include <string.h>

#include "gsticeenumtypes.h"
#include "gsticeerror.h"
#include "gsticelog-private.h"
#include "gsticestream-private.h"
#include "io/interfaces.h"
#include "io/loop.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* RFC 2474 3: six bits. */
#define MAX_DSCP 63

enum
{
  PROP_0,
  PROP_CONTROLLING,
  PROP_SERVERS,
  PROP_POLICY,
  PROP_TCP,
  PROP_TURN_OPTIONS,
  PROP_MIN_PORT,
  PROP_MAX_PORT,
  PROP_INTERFACES,
  PROP_IGNORE_INTERFACES,
  PROP_IP_FAMILY,
  PROP_CONSENT,
  PROP_BUNDLE,
  PROP_CONNECT_TIMEOUT,
  PROP_ALLOW_NON_ICE,
  PROP_DSCP,
  PROP_CA_FILE,
  PROP_PROXY,
  PROP_MAIN_CONTEXT,
  PROP_STATE,
  PROP_GATHERING_STATE,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

void
gst_ice_settings_init (GstIceSettings *self)
{
  self->policy = GST_ICE_POLICY_ALL;
  self->ip_family = GST_ICE_IP_FAMILY_ANY;
  self->consent = TRUE;
  self->bundle = GST_ICE_BUNDLE_NONE;
  self->dscp = -1;
  self->mdns = GST_ICE_MDNS_RESOLVE;
}

void
gst_ice_settings_clear (GstIceSettings *self)
{
  g_free (self->interfaces);
  g_free (self->ignore_interfaces);
  g_free (self->external_addresses);
  g_clear_pointer (&self->external, g_bytes_unref);
  g_free (self->ca_file);
}

gint
gst_ice_agent_get_dscp (GstIceAgent *self)
{
  gint dscp;

  GST_OBJECT_LOCK (self);
  dscp = self->settings.dscp;
  GST_OBJECT_UNLOCK (self);
  return dscp;
}

/* The role */

/* Roles stay once checks have begun, until a restart (RFC 8445 6.1.1 and 9). */
static gboolean
checks_have_begun (GstIceAgent *self)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self);
  gboolean begun = FALSE;

  for (guint i = 0; i < streams->len && !begun; i++) {
    GstIceStream *stream = streams->pdata[i];

    GST_OBJECT_LOCK (stream);
    begun = stream->peer_ufrag && !stream->restarted;
    GST_OBJECT_UNLOCK (stream);
  }
  return begun;
}

void
gst_ice_agent_set_role (GstIceAgent *self, gboolean controlling)
{
  ice_core_set_controlling (gst_ice_agent_lock_core (self), controlling);
  gst_ice_pump_unlock (self->pump);
  gst_ice_agent_sync_role (self);
}

void
gst_ice_agent_decide_role (GstIceAgent *self, gboolean controlling)
{
  gboolean decided;

  GST_OBJECT_LOCK (self);
  decided = self->settings.controlling_set;
  GST_OBJECT_UNLOCK (self);
  if (!decided)
    gst_ice_agent_set_role (self, controlling);
}

/* Servers */

static GstIceServer *
find_server (GstIceAgent *self, const gchar *url)
{
  for (guint i = 0; i < self->servers->len; i++) {
    GstIceServer *server = self->servers->pdata[i];

    if (g_str_equal (server->url, url))
      return server;
  }
  return NULL;
}

void
gst_ice_agent_take_server (GstIceAgent *self, GstIceServer *server)
{
  const GstIceServer *known;
  IceServerConfig config;
  IceCore *core;

  core = gst_ice_agent_lock_core (self);
  GST_OBJECT_LOCK (self);
  known = find_server (self, server->url);
  server->id = known ? known->id : gst_ice_pump_new_server_id (self->pump);
  config = gst_ice_server_to_config (server);
  ice_core_add_server (core, &config);
  if (known)
    g_ptr_array_remove (self->servers, (gpointer) known);
  g_ptr_array_add (self->servers, server);
  GST_OBJECT_UNLOCK (self);
  gst_ice_pump_unlock (self->pump);
  gst_ice_agent_queue_notify (self, G_OBJECT (self), "servers");
}

gboolean
gst_ice_agent_put_server (GstIceAgent *self, const gchar *uri,
    const gchar *username, const gchar *password, GError **error)
{
  GstIceServer *server = gst_ice_server_new (uri, username, password, error);

  if (server)
    gst_ice_agent_take_server (self, server);
  return server != NULL;
}

gchar *
gst_ice_agent_dup_server_url (GstIceAgent *self, guint id)
{
  gchar *url = NULL;

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->servers->len && !url; i++) {
    const GstIceServer *server = self->servers->pdata[i];

    if (server->id == id)
      url = g_strdup (server->url);
  }
  GST_OBJECT_UNLOCK (self);
  return url;
}

static void
set_servers (GstIceAgent *self, const gchar *list)
{
  g_auto (GStrv) uris = g_strsplit (list ? list : "", ",", -1);

  ice_core_remove_servers (gst_ice_agent_lock_core (self));
  gst_ice_pump_unlock (self->pump);
  GST_OBJECT_LOCK (self);
  g_ptr_array_set_size (self->servers, 0);
  GST_OBJECT_UNLOCK (self);
  gst_ice_agent_queue_notify (self, G_OBJECT (self), "servers");

  for (guint i = 0; uris[i]; i++) {
    g_autoptr (GError) error = NULL;

    if (*g_strstrip (uris[i]) != '\0' &&
        !gst_ice_agent_put_server (self, uris[i], NULL, NULL, &error))
      gst_ice_agent_queue_error (self, error);
  }
}

/* Object lock. */
static gchar *
dup_servers (GstIceAgent *self)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < self->servers->len; i++) {
    g_autofree gchar *uri = gst_ice_server_to_string (self->servers->pdata[i]);

    if (i > 0)
      g_string_append_c (list, ',');
    g_string_append (list, uri);
  }
  return g_string_free (list, FALSE);
}

/* What goes straight to the core or the sockets */

void
gst_ice_agent_apply_gather_config (GstIceAgent *self)
{
  static const IceFamily families[] = { ICE_FAMILY_NONE, ICE_FAMILY_IPV4,
    ICE_FAMILY_IPV6 };
  IceGathererConfig config;

  GST_OBJECT_LOCK (self);
  config = (IceGathererConfig){
    .relay_only = self->settings.policy == GST_ICE_POLICY_RELAY,
    .only_family = families[self->settings.ip_family],
    .tcp = (IceTcpPolicy) self->settings.tcp,
    .both_families = TRUE,
    .even_port = (self->settings.turn_options & GST_ICE_TURN_EVEN_PORT) != 0,
    .dont_fragment =
        (self->settings.turn_options & GST_ICE_TURN_DONT_FRAGMENT) != 0,
    .mobility = (self->settings.turn_options & GST_ICE_TURN_MOBILITY) != 0,
    .hide_hosts = self->settings.mdns == GST_ICE_MDNS_PUBLISH,
  };
  gst_ice_agent_fill_port_config (self, &config);
  ice_gatherer_config_hold (&config);
  GST_OBJECT_UNLOCK (self);
  ice_core_set_gather_config (gst_ice_agent_lock_core (self), &config);
  gst_ice_pump_unlock (self->pump);
  ice_gatherer_config_release (&config);
}

static void
apply_port_range (GstIceAgent *self)
{
  guint16 min_port, max_port;

  GST_OBJECT_LOCK (self);
  min_port = self->settings.min_port;
  max_port = self->settings.max_port;
  GST_OBJECT_UNLOCK (self);
  /* One bound alone leaves the other side open. */
  if (min_port != 0 && max_port == 0)
    max_port = G_MAXUINT16;
  if (max_port != 0 && min_port == 0)
    min_port = 1;
  if (min_port > max_port)
    GST_WARNING_OBJECT (
        self, "min-port %u is above max-port %u", min_port, max_port);
  gst_ice_pump_set_port_range (self->pump, min_port, max_port);
}

static void
apply_dscp (GstIceAgent *self)
{
  gint dscp = gst_ice_agent_get_dscp (self);
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self);

  for (guint i = 0; i < streams->len; i++)
    gst_ice_stream_apply_dscp (streams->pdata[i], dscp);
}

static void
apply_session (GstIceAgent *self)
{
  GstIceSettings settings;
  IceCore *core;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  core = gst_ice_agent_lock_core (self);
  ice_core_set_consent (core, settings.consent);
  ice_core_set_allow_non_ice (core, settings.allow_non_ice);
  ice_core_set_connect_timeout (core, settings.connect_timeout * ICE_MSEC);
  gst_ice_pump_unlock (self->pump);
}

/* A list with a bad item is not half obeyed. */
static void
set_filter (GstIceAgent *self, gchar **where, const gchar *text)
{
  g_autoptr (GError) error = NULL;

  if (!ice_interface_filter_check (text, &error)) {
    gst_ice_agent_queue_error (self, error);
    return;
  }
  GST_OBJECT_LOCK (self);
  g_free (*where);
  *where = g_strdup (text);
  GST_OBJECT_UNLOCK (self);
}

#define SET(field, value)                                                      \
  G_STMT_START                                                                 \
  {                                                                            \
    GST_OBJECT_LOCK (self);                                                    \
    self->settings.field = (value);                                            \
    GST_OBJECT_UNLOCK (self);                                                  \
  }                                                                            \
  G_STMT_END

static void
gst_ice_agent_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceAgent *self = GST_ICE_AGENT (object);

  switch (id) {
    case PROP_CONTROLLING:
      SET (controlling_set, TRUE);
      if (!checks_have_begun (self))
        gst_ice_agent_set_role (self, g_value_get_boolean (value));
      break;
    case PROP_SERVERS:
      set_servers (self, g_value_get_string (value));
      break;
    case PROP_POLICY:
      SET (policy, g_value_get_enum (value));
      gst_ice_agent_apply_gather_config (self);
      break;
    case PROP_TURN_OPTIONS:
      SET (turn_options, g_value_get_flags (value));
      gst_ice_agent_apply_gather_config (self);
      break;
    case PROP_TCP:
      SET (tcp, g_value_get_enum (value));
      gst_ice_agent_apply_gather_config (self);
      break;
    case PROP_MIN_PORT:
      SET (min_port, (guint16) g_value_get_uint (value));
      apply_port_range (self);
      break;
    case PROP_MAX_PORT:
      SET (max_port, (guint16) g_value_get_uint (value));
      apply_port_range (self);
      break;
    case PROP_INTERFACES:
      set_filter (self, &self->settings.interfaces, g_value_get_string (value));
      break;
    case PROP_IGNORE_INTERFACES:
      set_filter (
          self, &self->settings.ignore_interfaces, g_value_get_string (value));
      break;
    case PROP_IP_FAMILY:
      SET (ip_family, g_value_get_enum (value));
      gst_ice_agent_apply_gather_config (self);
      break;
    case PROP_CONSENT:
      SET (consent, g_value_get_boolean (value));
      apply_session (self);
      break;
    case PROP_BUNDLE:
      SET (bundle, g_value_get_enum (value));
      break;
    case PROP_CONNECT_TIMEOUT:
      SET (connect_timeout, g_value_get_uint (value));
      apply_session (self);
      break;
    case PROP_ALLOW_NON_ICE:
      SET (allow_non_ice, g_value_get_boolean (value));
      apply_session (self);
      break;
    case PROP_DSCP:
      SET (dscp, g_value_get_int (value));
      apply_dscp (self);
      break;
    case PROP_PROXY:
      gst_ice_agent_set_proxy (self, g_value_get_string (value));
      break;
    case PROP_CA_FILE:
      gst_ice_agent_set_ca_file (self, g_value_get_string (value));
      break;
    case PROP_MAIN_CONTEXT:
      self->main_context = g_value_dup_boxed (value);
      break;
    default:
      if (!gst_ice_agent_set_policy_property (self, id - N_PROPERTIES, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
gst_ice_agent_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceAgent *self = GST_ICE_AGENT (object);
  const GstIceSettings *settings = &self->settings;

  if (id == PROP_PROXY) {
    g_value_take_string (value, gst_ice_agent_dup_proxy (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_CONTROLLING:
      g_value_set_boolean (value, settings->controlling);
      break;
    case PROP_SERVERS:
      g_value_take_string (value, dup_servers (self));
      break;
    case PROP_POLICY:
      g_value_set_enum (value, settings->policy);
      break;
    case PROP_TURN_OPTIONS:
      g_value_set_flags (value, settings->turn_options);
      break;
    case PROP_TCP:
      g_value_set_enum (value, settings->tcp);
      break;
    case PROP_MIN_PORT:
      g_value_set_uint (value, settings->min_port);
      break;
    case PROP_MAX_PORT:
      g_value_set_uint (value, settings->max_port);
      break;
    case PROP_INTERFACES:
      g_value_set_string (value, settings->interfaces);
      break;
    case PROP_IGNORE_INTERFACES:
      g_value_set_string (value, settings->ignore_interfaces);
      break;
    case PROP_IP_FAMILY:
      g_value_set_enum (value, settings->ip_family);
      break;
    case PROP_CONSENT:
      g_value_set_boolean (value, settings->consent);
      break;
    case PROP_BUNDLE:
      g_value_set_enum (value, settings->bundle);
      break;
    case PROP_CONNECT_TIMEOUT:
      g_value_set_uint (value, settings->connect_timeout);
      break;
    case PROP_ALLOW_NON_ICE:
      g_value_set_boolean (value, settings->allow_non_ice);
      break;
    case PROP_DSCP:
      g_value_set_int (value, settings->dscp);
      break;
    case PROP_CA_FILE:
      g_value_set_string (value, settings->ca_file);
      break;
    case PROP_MAIN_CONTEXT:
      g_value_set_boxed (value, self->main_context);
      break;
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_GATHERING_STATE:
      g_value_set_enum (value, self->gathering_state);
      break;
    default:
      if (!gst_ice_agent_get_policy_property (self, id - N_PROPERTIES, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
install_network_properties (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * GstIceAgent:servers:
   *
   * STUN and TURN servers as a comma separated list of URIs (RFC 7064,
   * RFC 7065): `stun:HOST[:PORT]`, `turn:USER:PASSWORD@HOST[:PORT]`, also with
   * `//` behind the colon. Special characters of user and password, commas
   * among them, are percent-encoded. It reads back without passwords. Takes
   * effect when candidates are gathered next. An item that is wrong is left out
   * and told by #GstIceAgent::error.
   */
  properties[PROP_SERVERS] = g_param_spec_string ("servers", "Servers",
      "STUN and TURN servers, comma separated, read back without passwords",
      NULL, flags | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * GstIceAgent:policy:
   *
   * What candidates are used: all, or only relayed ones, so that the peer
   * learns no address of this host (RFC 8445 19.1). Before gathering, or for
   * the next restart.
   */
  properties[PROP_POLICY] =
      g_param_spec_enum ("policy", "Policy", "Which candidates are used",
          GST_TYPE_ICE_POLICY, GST_ICE_POLICY_ALL, flags);
  /**
   * GstIceAgent:tcp:
   *
   * Which TCP candidates are gathered beside those of UDP (RFC 6544): ones that
   * open connections (active), ones that accept them (passive), or these and
   * simultaneous-open. A path over UDP is preferred; media over TCP waits for
   * what was lost. Before gathering, or for the next restart.
   */
  properties[PROP_TCP] =
      g_param_spec_enum ("tcp", "TCP", "Which TCP candidates are gathered",
          GST_TYPE_ICE_TCP_POLICY, GST_ICE_TCP_POLICY_NONE, flags);
  /**
   * GstIceAgent:turn-options:
   *
   * What to ask TURN servers for beside an allocation (RFC 8656 7.1, RFC 8016).
   * Before gathering, or for the next restart.
   */
  properties[PROP_TURN_OPTIONS] = g_param_spec_flags ("turn-options",
      "TURN options", "What TURN servers are asked for beside an allocation",
      GST_TYPE_ICE_TURN_OPTIONS, GST_ICE_TURN_NONE, flags);
  /**
   * GstIceAgent:min-port:
   *
   * The lowest local port; 0 leaves it to the system. For sockets opened from
   * now on.
   */
  properties[PROP_MIN_PORT] = g_param_spec_uint ("min-port", "Lowest port",
      "Lowest local port, 0: any", 0, G_MAXUINT16, 0, flags);
  /**
   * GstIceAgent:max-port:
   *
   * The highest local port; 0 leaves it to the system.
   */
  properties[PROP_MAX_PORT] = g_param_spec_uint ("max-port", "Highest port",
      "Highest local port, 0: any", 0, G_MAXUINT16, 0, flags);
  /**
   * GstIceAgent:interfaces:
   *
   * Comma separated interface names, globs, addresses or prefixes that alone
   * are used; empty for all. `lo` here allows loopback next to others.
   */
  properties[PROP_INTERFACES] = g_param_spec_string ("interfaces", "Interfaces",
      "Names, globs, addresses or prefixes to use, comma separated", NULL,
      flags);
  /**
   * GstIceAgent:ignore-interfaces:
   *
   * Comma separated interface names, globs, addresses or prefixes that are not
   * used. Unset: the bridges of containers and virtual machines (docker*, br-*,
   * veth*, virbr*, lxc*, lxd*). An interface that #GstIceAgent:interfaces names
   * is used whatever is said here; addresses and prefixes there are not.
   */
  properties[PROP_IGNORE_INTERFACES] =
      g_param_spec_string ("ignore-interfaces", "Ignored interfaces",
          "Names, globs, addresses or prefixes not to use, comma separated",
          NULL, flags);
  /**
   * GstIceAgent:ip-family:
   *
   * Which IP versions are used.
   */
  properties[PROP_IP_FAMILY] =
      g_param_spec_enum ("ip-family", "IP family", "Which IP versions are used",
          GST_TYPE_ICE_IP_FAMILY, GST_ICE_IP_FAMILY_ANY, flags);
  /**
   * GstIceAgent:dscp:
   *
   * The differentiated services code point (RFC 2474) of all packets; -1 leaves
   * it alone. Streams may say otherwise.
   */
  properties[PROP_DSCP] = g_param_spec_int ("dscp", "DSCP",
      "Differentiated services code point, -1: leave alone", -1, MAX_DSCP, -1,
      flags);
}

static void
install_session_properties (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * GstIceAgent:controlling:
   *
   * Whether this side nominates (RFC 8445 6.1.1). Unless it is set, the one who
   * offers does, or the full one where the other is lite. Once checks have
   * begun it follows what a role conflict decides, and setting it has no
   * effect before the next restart.
   */
  properties[PROP_CONTROLLING] = g_param_spec_boolean ("controlling",
      "Controlling", "Whether this side nominates", FALSE,
      flags | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * GstIceAgent:consent:
   *
   * Whether consent is asked for every 4 to 6 s, without which nothing is sent
   * after 30 s (RFC 7675). Only keepalives otherwise.
   */
  properties[PROP_CONSENT] = g_param_spec_boolean (
      "consent", "Consent", "Consent freshness (RFC 7675)", TRUE, flags);
  /**
   * GstIceAgent:bundle:
   *
   * With max, all streams share the transports of the first (RFC 8843); for
   * streams that are requested from now on. Telling their packets apart is the
   * application's business.
   */
  properties[PROP_BUNDLE] =
      g_param_spec_enum ("bundle", "Bundle", "Whether streams share transports",
          GST_TYPE_ICE_BUNDLE, GST_ICE_BUNDLE_NONE, flags);
  /**
   * GstIceAgent:connect-timeout:
   *
   * Milliseconds after which connecting is given up, a local decision; 0 waits
   * until ICE itself fails, 39.5 s at the earliest (RFC 8863).
   */
  properties[PROP_CONNECT_TIMEOUT] = g_param_spec_uint ("connect-timeout",
      "Connect timeout", "Milliseconds to connect in, 0: what RFC 8863 says", 0,
      G_MAXUINT, 0, flags);
  /**
   * GstIceAgent:allow-non-ice:
   *
   * Whether media may be sent to the default address of a description without
   * ICE (RFC 3264), unchecked: whoever can alter the description can then point
   * us at a victim.
   */
  properties[PROP_ALLOW_NON_ICE] = g_param_spec_boolean ("allow-non-ice",
      "Allow peers without ICE", "Send to peers that do no ICE", FALSE, flags);
  /**
   * GstIceAgent:ca-file:
   *
   * Whom `stuns:` and `turns:` servers have to be certified by: a file of
   * certificates in PEM, of authorities or of the servers themselves. Unset:
   * whom the system trusts. There is no way to trust everybody. A server that
   * shows another certificate, one that has expired or is for another name, is
   * given up before anything was sent to it, and #GstIceAgent::candidate-error
   * says what is wrong with it, with the detail `tls-untrusted`. A file that
   * cannot be read is told by #GstIceAgent::error, and then nobody is trusted.
   * For connections that are made from then on; forks have it in common.
   */
  properties[PROP_CA_FILE] = g_param_spec_string ("ca-file", "CA file",
      "PEM file with certificates that TLS servers are trusted by", NULL,
      flags);
  properties[PROP_PROXY] = gst_ice_agent_make_proxy_property (flags);
  /**
   * GstIceAgent:main-context:
   *
   * Where signals are emitted and notifications made. Unset: in a thread of
   * their own that all agents of the process share.
   */
  properties[PROP_MAIN_CONTEXT] = g_param_spec_boxed ("main-context",
      "Main context", "Where signals are emitted", G_TYPE_MAIN_CONTEXT,
      flags | G_PARAM_CONSTRUCT_ONLY);
  /**
   * GstIceAgent:state:
   *
   * The states of all transports in one word, as W3C's iceConnectionState has
   * it.
   */
  properties[PROP_STATE] = g_param_spec_enum ("state", "State",
      "All transports in one word", GST_TYPE_ICE_STATE, GST_ICE_STATE_NEW,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * GstIceAgent:gathering-state:
   *
   * Likewise for gathering.
   */
  properties[PROP_GATHERING_STATE] = g_param_spec_enum ("gathering-state",
      "Gathering state", "Gathering of all streams in one word",
      GST_TYPE_ICE_GATHERING_STATE, GST_ICE_GATHERING_STATE_NEW,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
}

void
gst_ice_agent_install_properties (GObjectClass *klass)
{
  klass->set_property = gst_ice_agent_set_property;
  klass->get_property = gst_ice_agent_get_property;
  install_network_properties ();
  install_session_properties ();
  g_object_class_install_properties (klass, N_PROPERTIES, properties);
  gst_ice_agent_install_policy_properties (klass, N_PROPERTIES);
}
