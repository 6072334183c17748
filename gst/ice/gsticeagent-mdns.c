/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names in place of addresses: the peer's are asked for, and ours answered for,
 * on the networks that the agent uses. The loop's thread. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticepump-private.h"

IceMdnsLookup *
gst_ice_pump_look_up (GstIcePump *self, const IceOutput *output,
    IceTime timeout, IceResolveFunc func, gpointer user_data)
{
  g_autoptr (GArray) interfaces = NULL;

  g_mutex_lock (&self->lock);
  if (self->interfaces)
    interfaces = g_array_ref (self->interfaces);
  g_mutex_unlock (&self->lock);
  return ice_mdns_lookup_start (self->loop, output->resolve.host,
      output->resolve.port,
      interfaces ? (const IceInterface *) interfaces->data : NULL,
      interfaces ? interfaces->len : 0, timeout, func, user_data);
}

void
gst_ice_pump_publish (GstIcePump *self, const IceOutput *output)
{
  const IceInterface interface = {
    .address = output->publish.address,
    .index = output->publish.interface_index,
  };
  IceMdnsName *name = ice_mdns_publish (output->publish.name, &interface);

  if (!name)
    return;
  if (!self->names)
    self->names = g_hash_table_new_full (
        g_str_hash, g_str_equal, g_free, (GDestroyNotify) ice_mdns_withdraw);
  g_hash_table_insert (self->names, g_strdup (output->publish.name), name);
}

void
gst_ice_pump_withdraw (GstIcePump *self, const IceOutput *output)
{
  if (self->names)
    g_hash_table_remove (self->names, output->withdraw.name);
}
