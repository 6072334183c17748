/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "io-log.h"
#include "mdns-private.h"

/* Interfaces that anybody could have, twice for the two IP versions. */
#define MAX_PORTS 64

/* The draft, 6.1: a limit for the whole process "MUST be provided for all mDNS
 * queries and responses". A call asks for a name or two and announces as many;
 * this lets a hundred calls begin at once, and nobody flood a network. */
#define MESSAGES_PER_SECOND 100
#define MESSAGES_AT_ONCE 200

static GMutex lock;
static IceMdns *shared; /* (unowned) (nullable) lives by its users */

static void
take_message (IceMdnsPort *port, const IceMdnsMessage *message,
    const IceAddress *from, gpointer user_data)
{
  IceMdns *self = user_data;

  if (!message->is_response) {
    ice_mdns_names_take_query (self, port, message, from);
    return;
  }
  ice_mdns_names_take_response (self, port, message, from);
  /* From the end: those that get their answer leave. */
  for (guint i = self->lookups->len; i-- > 0;)
    ice_mdns_lookup_take (self->lookups->pdata[i], port, message, from);
}

IceMdns *
ice_mdns_acquire (void)
{
  IceMdns *self;

  g_mutex_lock (&lock);
  if (!shared) {
    IceLoop *loop = ice_loop_acquire ();

    if (loop) {
      shared = g_new0 (IceMdns, 1);
      shared->loop = loop;
      shared->ports =
          g_ptr_array_new_with_free_func ((GDestroyNotify) ice_mdns_port_free);
      shared->lookups = g_ptr_array_new ();
      shared->names = g_hash_table_new (g_str_hash, g_str_equal);
      shared->allowance = MESSAGES_AT_ONCE;
      shared->allowance_at = ice_loop_now ();
    }
  }
  self = shared;
  if (self)
    self->n_users++;
  g_mutex_unlock (&lock);
  return self;
}

/* The loop's thread, which alone may close what it watches. */
static void
close_down (gpointer user_data)
{
  IceMdns *self = user_data;

  g_ptr_array_unref (self->ports);
  g_ptr_array_unref (self->lookups);
  g_hash_table_unref (self->names);
  ice_loop_unref (self->loop);
  g_free (self);
}

void
ice_mdns_release (IceMdns *self)
{
  gboolean last;

  g_mutex_lock (&lock);
  last = --self->n_users == 0;
  if (last)
    shared = NULL;
  g_mutex_unlock (&lock);
  if (last)
    ice_loop_invoke (self->loop, close_down, self, NULL);
}

IceMdnsPort *
ice_mdns_find_port (IceMdns *self, const IceInterface *interface)
{
  IceMdnsPort *port;

  for (guint i = 0; i < self->ports->len; i++) {
    port = self->ports->pdata[i];
    if (ice_mdns_port_is_of (port, interface))
      return port;
  }
  if (self->ports->len == MAX_PORTS)
    return NULL;
  port = ice_mdns_port_new (self->loop, interface, take_message, self);
  if (port)
    g_ptr_array_add (self->ports, port);
  return port;
}

gboolean
ice_mdns_may_send (IceMdns *self)
{
  const IceTime now = ice_loop_now ();

  self->allowance +=
      (gdouble) (now - self->allowance_at) * MESSAGES_PER_SECOND / ICE_SECOND;
  self->allowance = MIN (self->allowance, MESSAGES_AT_ONCE);
  self->allowance_at = now;
  if (self->allowance < 1) {
    GST_DEBUG ("too many mDNS messages: one is not sent");
    return FALSE;
  }
  self->allowance -= 1;
  return TRUE;
}
