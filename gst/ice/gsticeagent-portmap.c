/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the pump has mapped at the router. The loop's thread. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticepump-private.h"

static void
on_mapped (guint socket, const IceAddress *external, gpointer user_data)
{
  GstIcePump *self = user_data;

  g_mutex_lock (&self->lock);
  ice_core_port_mapped (self->core, socket, external, ice_loop_now ());
  g_mutex_unlock (&self->lock);
  gst_ice_pump_run (self);
}

void
gst_ice_pump_map_port (GstIcePump *self, const IceOutput *output)
{
  if (!self->ports)
    self->ports = gst_ice_ports_new (self->loop, self->name, on_mapped, self);
  gst_ice_ports_map (self->ports, output->map_port.socket, output->map_port.tcp,
      &output->map_port.local);
}

void
gst_ice_pump_unmap_port (GstIcePump *self, guint socket)
{
  if (self->ports)
    gst_ice_ports_unmap (self->ports, socket);
}
