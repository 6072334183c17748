/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an agent is reached: properties for those who have set up their router
 * or firewall by hand. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeagent-private.h"

#include "gsticeenumtypes.h"
#include "gsticeerror.h"
#include "gsticestream-private.h"

enum
{
  PROP_MUX_PORT,
  PROP_EXTERNAL_ADDRESSES,
  PROP_DONT_FRAGMENT,
  PROP_MTU_PROBING,
  PROP_PORT_MAPPING,
};

/* mux-port */

static gboolean
has_gathered (GstIceAgent *self)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self);
  gboolean started = FALSE, done, ended;

  for (guint i = 0; i < streams->len && !started; i++) {
    const GstIceStream *stream = streams->pdata[i];

    ice_core_get_gathering (
        gst_ice_agent_lock_core (self), stream->id, &started, &done, &ended);
    gst_ice_pump_unlock (self->pump);
  }
  return started;
}

static void
set_mux_port (GstIceAgent *self, guint16 port)
{
  g_autoptr (GError) error = NULL;
  gboolean same;

  GST_OBJECT_LOCK (self);
  same = self->settings.mux_port == port;
  GST_OBJECT_UNLOCK (self);
  if (same)
    return;
  if (has_gathered (self)) {
    error = g_error_new (GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE,
        "mux-port %u comes too late, ports are open already: set it before "
        "candidates are gathered",
        port);
    gst_ice_agent_queue_error (self, error);
    return;
  }
  if (!gst_ice_pump_set_mux_port (self->pump, port)) {
    error = g_error_new (GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE,
        "No thread is left for mux-port %u: raise the limits of the process",
        port);
    gst_ice_agent_queue_error (self, error);
    return;
  }
  GST_OBJECT_LOCK (self);
  self->settings.mux_port = port;
  GST_OBJECT_UNLOCK (self);
  gst_ice_agent_apply_gather_config (self);
}

/* dont-fragment, mtu-probing */

static void
set_dont_fragment (GstIceAgent *self, gboolean dont_fragment)
{
  g_autoptr (GError) error = NULL;

  if (dont_fragment && !ice_socket_can_dont_fragment (ICE_UDP_BATCH_DEFAULT)) {
    error = g_error_new_literal (GST_ICE_ERROR, GST_ICE_ERROR_NOT_SUPPORTED,
        "dont-fragment needs sockets that this system or build does not have: "
        "keep packets within max-payload instead");
    gst_ice_agent_queue_error (self, error);
    return;
  }
  GST_OBJECT_LOCK (self);
  self->settings.dont_fragment = dont_fragment;
  GST_OBJECT_UNLOCK (self);
  gst_ice_pump_set_dont_fragment (self->pump, dont_fragment);
}

static void
set_mtu_probing (GstIceAgent *self, gboolean probing)
{
  GST_OBJECT_LOCK (self);
  self->settings.mtu_probing = probing;
  GST_OBJECT_UNLOCK (self);
  ice_core_set_mtu_probing (gst_ice_agent_lock_core (self), probing);
  gst_ice_pump_unlock (self->pump);
}

/* external-addresses */

/* A list with a bad item is not half obeyed. */
static void
set_external_addresses (GstIceAgent *self, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  GBytes *external, *old;

  if (!gst_ice_parse_external_addresses (text, &external, &error)) {
    gst_ice_agent_queue_error (self, error);
    return;
  }
  GST_OBJECT_LOCK (self);
  g_free (self->settings.external_addresses);
  self->settings.external_addresses = g_strdup (text);
  old = self->settings.external;
  self->settings.external = external;
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&old, g_bytes_unref);
  gst_ice_agent_apply_gather_config (self);
}

void
gst_ice_agent_fill_port_config (GstIceAgent *self, IceGathererConfig *config)
{
  const GstIceSettings *settings = &self->settings;

  config->external = settings->external;
  config->port_mapping = settings->port_mapping == GST_ICE_PORT_MAPPING_ON;
  config->shared_port = settings->mux_port != 0;
}

gboolean
gst_ice_agent_set_port_property (
    GstIceAgent *self, guint which, const GValue *value)
{
  switch (which) {
    case PROP_MUX_PORT:
      set_mux_port (self, (guint16) g_value_get_uint (value));
      return TRUE;
    case PROP_EXTERNAL_ADDRESSES:
      set_external_addresses (self, g_value_get_string (value));
      return TRUE;
    case PROP_DONT_FRAGMENT:
      set_dont_fragment (self, g_value_get_boolean (value));
      return TRUE;
    case PROP_MTU_PROBING:
      set_mtu_probing (self, g_value_get_boolean (value));
      return TRUE;
    case PROP_PORT_MAPPING:
      GST_OBJECT_LOCK (self);
      self->settings.port_mapping = g_value_get_enum (value);
      GST_OBJECT_UNLOCK (self);
      gst_ice_agent_apply_gather_config (self);
      return TRUE;
    default:
      return FALSE;
  }
}

/* Object lock. */
gboolean
gst_ice_agent_get_port_property (GstIceAgent *self, guint which, GValue *value)
{
  switch (which) {
    case PROP_MUX_PORT:
      g_value_set_uint (value, self->settings.mux_port);
      return TRUE;
    case PROP_EXTERNAL_ADDRESSES:
      g_value_set_string (value, self->settings.external_addresses);
      return TRUE;
    case PROP_DONT_FRAGMENT:
      g_value_set_boolean (value, self->settings.dont_fragment);
      return TRUE;
    case PROP_MTU_PROBING:
      g_value_set_boolean (value, self->settings.mtu_probing);
      return TRUE;
    case PROP_PORT_MAPPING:
      g_value_set_enum (value, self->settings.port_mapping);
      return TRUE;
    default:
      return FALSE;
  }
}

void
gst_ice_agent_install_port_properties (GObjectClass *klass, guint first)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * GstIceAgent:mux-port:
   *
   * A UDP port that this agent shares with all others of the process which name
   * it, so that a firewall has to be opened for one port only; 0 gives each
   * socket a port of its own. Packets are told apart by the user fragment of
   * checks (RFC 8445 7.3), then by where they come from: two agents on one port
   * cannot have the same peer address. First components of streams are there;
   * a second one (RTCP without rtcp-mux) has the same user fragment, and like
   * TCP and TURN allocations (RFC 8656 5) a port of its own, between
   * #GstIceAgent:min-port and #GstIceAgent:max-port. A port that is taken is
   * told by #GstIceAgent::warning. Before anything is gathered.
   */
  g_object_class_install_property (klass, first + PROP_MUX_PORT,
      g_param_spec_uint ("mux-port", "Shared port",
          "UDP port in common with other agents, 0: none", 0, G_MAXUINT16, 0,
          flags));
  /**
   * GstIceAgent:external-addresses:
   *
   * Addresses that a NAT in front of this host maps to its own one by one,
   * ports as they are (a cloud's elastic address, a router's exposed host):
   * `1.2.3.4` for all addresses of that IP version but loopback and link-local
   * ones, `1.2.3.4=10.0.0.1` for one of them, separated by commas. Host
   * candidates carry the mapped address in place of their own, so that no STUN
   * server is needed. Peers on this side of the NAT then depend on its
   * hairpinning. Text that is wrong changes nothing and is told by
   * #GstIceAgent::error. Before gathering, or for the next restart.
   */
  g_object_class_install_property (klass, first + PROP_EXTERNAL_ADDRESSES,
      g_param_spec_string ("external-addresses", "External addresses",
          "Addresses that a 1:1 NAT maps to ours, comma separated", NULL,
          flags));
  /**
   * GstIceAgent:dont-fragment:
   *
   * Whether packets over UDP may be lost, but not fragmented (RFC 791 2.3: DF).
   * What is larger than the interface takes is refused with
   * %G_IO_ERROR_MESSAGE_TOO_LARGE, what is larger than the path is lost there,
   * and #GstIceTransport:max-payload follows when a router tells. For sockets
   * opened from now on; those of a #GstIceAgent:mux-port are as the first agent
   * wanted them.
   */
  g_object_class_install_property (klass, first + PROP_DONT_FRAGMENT,
      g_param_spec_boolean ("dont-fragment", "Do not fragment",
          "Lose packets rather than fragment them", FALSE, flags));
  /**
   * GstIceAgent:mtu-probing:
   *
   * Whether #GstIceTransport:max-payload is measured, by checks that are padded
   * and not fragmented (RFC 8899), which finds out about paths whose routers
   * tell nothing as well: one to fifteen packets when a direct pair over UDP is
   * nominated, and every ten minutes.
   */
  g_object_class_install_property (klass, first + PROP_MTU_PROBING,
      g_param_spec_boolean ("mtu-probing", "Probe the MTU",
          "Measure what the path takes", FALSE, flags));
  /**
   * GstIceAgent:port-mapping:
   *
   * Whether the router of this network is asked to map the ports of candidates:
   * by PCP (RFC 6887), else by NAT-PMP (RFC 6886), else by UPnP IGD if the
   * plugin `iceigd` is there. What it maps becomes a server-reflexive candidate
   * that needs no STUN server and that anybody reaches; mappings are renewed
   * every five minutes and removed at the end. Off by default: it changes
   * the router, for the whole of ten minutes if the program is killed. IPv4
   * only. The end of the candidates waits 5 s for a router that does not
   * answer, their use does not. Before gathering, or for the next restart.
   */
  g_object_class_install_property (klass, first + PROP_PORT_MAPPING,
      g_param_spec_enum ("port-mapping", "Port mapping",
          "Ask the router for ports", GST_TYPE_ICE_PORT_MAPPING,
          GST_ICE_PORT_MAPPING_OFF, flags));
}
