/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/gsticetypes.h>

G_BEGIN_DECLS

#define GST_TYPE_ICE_PORT_MAPPER (gst_ice_port_mapper_get_type ())
GST_ICE_API
G_DECLARE_INTERFACE (
    GstIcePortMapper, gst_ice_port_mapper, GST, ICE_PORT_MAPPER, GObject)

/* How a module asks routers in a way that the library itself does not know:
 * UPnP IGD. Everything runs on the service thread
 * (gst_ice_signaller_get_main_context). */
struct _GstIcePortMapperInterface
{
  GTypeInterface parent;

  /* @protocol: "udp" or "tcp"; @lifetime in seconds, renewed as long as the
   * object lives. Answered by gst_ice_port_mapper_emit_mapped. */
  void (*map) (GstIcePortMapper *self, const gchar *protocol,
      const gchar *local_address, guint16 local_port, guint lifetime);
  void (*unmap) (GstIcePortMapper *self, const gchar *protocol,
      const gchar *local_address, guint16 local_port);

  /*< private >*/
  gpointer padding[4];
};

/* For modules. The last one counts. */
GST_ICE_API
void gst_ice_port_mapper_register (GType type);

GST_ICE_API
void gst_ice_port_mapper_map (GstIcePortMapper *self, const gchar *protocol,
    const gchar *local_address, guint16 local_port, guint lifetime);
GST_ICE_API
void gst_ice_port_mapper_unmap (GstIcePortMapper *self, const gchar *protocol,
    const gchar *local_address, guint16 local_port);
GST_ICE_API
void gst_ice_port_mapper_emit_mapped (GstIcePortMapper *self,
    const gchar *protocol, const gchar *local_address, guint16 local_port,
    const gchar *external_address, guint16 external_port);

G_END_DECLS
