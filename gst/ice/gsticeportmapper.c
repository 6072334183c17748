/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeportmapper.h"

#include "gsticeports-private.h"

/**
 * GstIcePortMapper:
 *
 * A way to ask the router for a port that the library does not know itself. It
 * knows PCP (RFC 6887) and NAT-PMP (RFC 6886); the plugin `iceigd` brings UPnP
 * IGD. An agent whose #GstIceAgent:port-mapping is on makes an object of the
 * registered type when the router speaks neither of its own.
 *
 * All methods are called on the thread whose context
 * gst_ice_signaller_get_main_context() returns.
 */

G_DEFINE_INTERFACE (GstIcePortMapper, gst_ice_port_mapper, G_TYPE_OBJECT)

static guint signal_mapped;
static gsize registered; /* (atomic) GType */

static void
gst_ice_port_mapper_default_init (GstIcePortMapperInterface *iface)
{
  /**
   * GstIcePortMapper::mapped:
   * @self: the mapper
   * @protocol: "udp" or "tcp"
   * @local_address: the address that was to be mapped
   * @local_port: its port
   * @external_address: (nullable): where the router takes packets for it, or
   *   %NULL when it does not, or not any more
   * @external_port: its port
   *
   * The router answered, or something changed.
   */
  signal_mapped = g_signal_new ("mapped", GST_TYPE_ICE_PORT_MAPPER,
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 5, G_TYPE_STRING,
      G_TYPE_STRING, G_TYPE_UINT, G_TYPE_STRING, G_TYPE_UINT);
}

/**
 * gst_ice_port_mapper_register: (skip)
 * @type: a type that implements #GstIcePortMapper
 */
void
gst_ice_port_mapper_register (GType type)
{
  g_return_if_fail (g_type_is_a (type, GST_TYPE_ICE_PORT_MAPPER));

  g_atomic_pointer_set (&registered, type);
}

/* (transfer full) (nullable) NULL: there is no module. Service thread. */
GstIcePortMapper *
gst_ice_port_mapper_new (void)
{
  GstPlugin *plugin;
  GType type;

  if (g_atomic_pointer_get (&registered) == 0) {
    plugin = gst_plugin_load_by_name ("iceigd");
    g_clear_pointer (&plugin, gst_object_unref);
  }
  type = (GType) g_atomic_pointer_get (&registered);
  return type != 0 ? g_object_new (type, NULL) : NULL;
}

/**
 * gst_ice_port_mapper_map:
 * @self: the mapper
 * @protocol: "udp" or "tcp"
 * @local_address: the address that is bound, IPv4
 * @local_port: its port
 * @lifetime: seconds, after which the router may forget it; it is renewed as
 *   long as @self lives
 *
 * Asks the router to send on what comes for a port of its own.
 * #GstIcePortMapper::mapped tells which. Returns at once; only on the thread of
 * gst_ice_signaller_get_main_context().
 */
void
gst_ice_port_mapper_map (GstIcePortMapper *self, const gchar *protocol,
    const gchar *local_address, guint16 local_port, guint lifetime)
{
  g_return_if_fail (GST_IS_ICE_PORT_MAPPER (self));

  GST_ICE_PORT_MAPPER_GET_IFACE (self)->map (
      self, protocol, local_address, local_port, lifetime);
}

/**
 * gst_ice_port_mapper_unmap:
 * @self: the mapper
 * @protocol: "udp" or "tcp"
 * @local_address: the address that was given to gst_ice_port_mapper_map()
 * @local_port: its port
 *
 * Tells the router to forget it. Nothing is emitted. Thread as for
 * gst_ice_port_mapper_map().
 */
void
gst_ice_port_mapper_unmap (GstIcePortMapper *self, const gchar *protocol,
    const gchar *local_address, guint16 local_port)
{
  g_return_if_fail (GST_IS_ICE_PORT_MAPPER (self));

  GST_ICE_PORT_MAPPER_GET_IFACE (self)->unmap (
      self, protocol, local_address, local_port);
}

/**
 * gst_ice_port_mapper_emit_mapped:
 * @self: the mapper
 * @protocol: "udp" or "tcp"
 * @local_address: what was to be mapped
 * @local_port: its port
 * @external_address: (nullable): where the router takes packets for it
 * @external_port: its port
 *
 * For implementations: emits #GstIcePortMapper::mapped. Thread as for
 * gst_ice_port_mapper_map().
 */
void
gst_ice_port_mapper_emit_mapped (GstIcePortMapper *self, const gchar *protocol,
    const gchar *local_address, guint16 local_port,
    const gchar *external_address, guint16 external_port)
{
  g_return_if_fail (GST_IS_ICE_PORT_MAPPER (self));

  g_signal_emit (self, signal_mapped, 0, protocol, local_address,
      (guint) local_port, external_address, (guint) external_port);
}
