/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an agent is reached: properties for those who have set up their router
 * or firewall by hand. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeagent-private.h"

#include <string.h>

#include "gsticeenumtypes.h"

enum
{
  PROP_EXTERNAL_ADDRESSES,
  PROP_PORT_MAPPING,
};

/* A list with a bad item is not half obeyed. */
static void
set_external_addresses (GstIceAgent *self, const gchar *text)
{
  IceExternalAddress external[ICE_EXTERNAL_MAX];
  g_autoptr (GError) error = NULL;
  guint n_external;

  if (!gst_ice_parse_external_addresses (text, external, &n_external, &error)) {
    gst_ice_agent_queue_error (self, error);
    return;
  }
  GST_OBJECT_LOCK (self);
  g_free (self->settings.external_addresses);
  self->settings.external_addresses = g_strdup (text);
  memcpy (self->settings.external, external, n_external * sizeof external[0]);
  self->settings.n_external = n_external;
  GST_OBJECT_UNLOCK (self);
  gst_ice_agent_apply_gather_config (self);
}

void
gst_ice_agent_fill_port_config (GstIceAgent *self, IceGathererConfig *config)
{
  const GstIceSettings *settings = &self->settings;

  memcpy (config->external, settings->external, sizeof config->external);
  config->n_external = settings->n_external;
  config->port_mapping = settings->port_mapping == GST_ICE_PORT_MAPPING_ON;
}

gboolean
gst_ice_agent_set_port_property (
    GstIceAgent *self, guint which, const GValue *value)
{
  switch (which) {
    case PROP_EXTERNAL_ADDRESSES:
      set_external_addresses (self, g_value_get_string (value));
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
    case PROP_EXTERNAL_ADDRESSES:
      g_value_set_string (value, self->settings.external_addresses);
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
