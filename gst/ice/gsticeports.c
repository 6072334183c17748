/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports that routers map: who is asked, and in what order. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeports-private.h"

#include "gsticelog-private.h"
#include "io/port-mapper.h"
#include "io/service.h"

#define GST_CAT_DEFAULT (gst_ice_log_category (ICE_LOG_GATHER))

/* What a killed program leaves behind is gone after that. */
#define LIFETIME 600

/* The module's object lives on the service thread, its answers are for the
 * loop: both have the link, and neither waits for the other. */
typedef struct
{
  gatomicrefcount ref_count;
  IceLoop *loop; /* (owned) */
  GstIcePorts
      *ports; /* (unowned) (nullable) the loop's: NULL when it is gone */
  GstIcePortMapper *mapper; /* (owned) (nullable) the service thread's */
} Link;

typedef struct
{
  guint socket;
  gboolean tcp;
  IceAddress local;
  gboolean by_module;
} Port;

struct _GstIcePorts
{
  gchar *name;   /* (owned) */
  IceLoop *loop; /* (owned) */
  GstIcePortsFunc func;
  gpointer user_data;
  IcePortMapper *mapper; /* (owned) */
  GHashTable *ports;     /* (owned) socket -> Port */
  Link *link;            /* (owned) (nullable) made when it is needed */
};

/* From one thread to the other. */
typedef struct
{
  Link *link; /* (owned) */
  gboolean tcp;
  IceAddress local;
  IceAddress external; /* family NONE: not mapped */
} Message;

static void
link_unref (Link *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  ice_loop_unref (self->loop);
  g_free (self);
}

static Link *
link_ref (Link *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
message_free (gpointer user_data)
{
  Message *self = user_data;

  link_unref (self->link);
  g_free (self);
}

static Message *
message_new (Link *link, gboolean tcp, const IceAddress *local)
{
  Message *self = g_new0 (Message, 1);

  self->link = link_ref (link);
  self->tcp = tcp;
  if (local)
    self->local = *local;
  return self;
}

static const gchar *
protocol_of (gboolean tcp)
{
  return tcp ? "tcp" : "udp";
}

/* Loop thread */

static Port *
find_port (GstIcePorts *self, gboolean tcp, const IceAddress *local)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->ports);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Port *port = value;

    if (port->tcp == tcp && ice_address_equal (&port->local, local))
      return port;
  }
  return NULL;
}

static void
tell (GstIcePorts *self, const Port *port, const IceAddress *external,
    const gchar *text)
{
  gchar inside[ICE_ADDRESS_STRLEN], outside[ICE_ADDRESS_STRLEN];

  if (external)
    GST_INFO ("<%s> the router maps %s %s to %s by %s", self->name,
        protocol_of (port->tcp), ice_address_to_string (&port->local, inside),
        ice_address_to_string (external, outside), text);
  else
    GST_INFO ("<%s> the router does not map %s %s: %s", self->name,
        protocol_of (port->tcp), ice_address_to_string (&port->local, inside),
        text);
  self->func (port->socket, external, self->user_data);
}

static void
take_module_answer (gpointer user_data)
{
  const Message *message = user_data;
  GstIcePorts *self = message->link->ports;
  const Port *port =
      self ? find_port (self, message->tcp, &message->local) : NULL;

  if (!port || !port->by_module)
    return;
  if (message->external.family != ICE_FAMILY_NONE)
    tell (self, port, &message->external, "UPnP IGD");
  else
    tell (self, port, NULL, "it speaks neither PCP, NAT-PMP nor UPnP IGD");
}

/* Service thread */

static void
say (Link *link, gboolean tcp, const IceAddress *local,
    const IceAddress *external)
{
  Message *message = message_new (link, tcp, local);

  if (external)
    message->external = *external;
  ice_loop_invoke (link->loop, take_module_answer, message, message_free);
}

static void
on_mapped (GstIcePortMapper *mapper, const gchar *protocol,
    const gchar *local_address, guint local_port, const gchar *external_address,
    guint external_port, gpointer user_data)
{
  IceAddress local, external;

  if (!protocol || !local_address || local_port > G_MAXUINT16 ||
      external_port > G_MAXUINT16 ||
      !ice_address_parse (&local, local_address, local_port))
    return;
  say (user_data, g_str_equal (protocol, "tcp"), &local,
      external_address &&
              ice_address_parse (&external, external_address, external_port)
          ? &external
          : NULL);
}

static gboolean
module_map (gpointer user_data)
{
  const Message *message = user_data;
  Link *link = message->link;
  gchar ip[ICE_ADDRESS_STRLEN];

  if (!link->mapper) {
    link->mapper = gst_ice_port_mapper_new ();
    if (link->mapper)
      g_signal_connect (link->mapper, "mapped", G_CALLBACK (on_mapped), link);
  }
  if (!link->mapper) {
    say (link, message->tcp, &message->local, NULL);
    return G_SOURCE_REMOVE;
  }
  gst_ice_port_mapper_map (link->mapper, protocol_of (message->tcp),
      ice_address_ip_to_string (&message->local, ip), message->local.port,
      LIFETIME);
  return G_SOURCE_REMOVE;
}

static gboolean
module_unmap (gpointer user_data)
{
  const Message *message = user_data;
  gchar ip[ICE_ADDRESS_STRLEN];

  if (message->link->mapper)
    gst_ice_port_mapper_unmap (message->link->mapper,
        protocol_of (message->tcp),
        ice_address_ip_to_string (&message->local, ip), message->local.port);
  return G_SOURCE_REMOVE;
}

static gboolean
module_end (gpointer user_data)
{
  const Message *message = user_data;

  if (message->link->mapper)
    g_signal_handlers_disconnect_by_func (
        message->link->mapper, on_mapped, message->link);
  g_clear_object (&message->link->mapper);
  return G_SOURCE_REMOVE;
}

/* Loop thread again */

static void
ask_module (GstIcePorts *self, Port *port)
{
  if (!self->link) {
    self->link = g_new0 (Link, 1);
    g_atomic_ref_count_init (&self->link->ref_count);
    self->link->loop = ice_loop_ref (self->loop);
    self->link->ports = self;
  }
  port->by_module = TRUE;
  ice_service_invoke (module_map,
      message_new (self->link, port->tcp, &port->local), message_free);
}

static void
on_event (const IcePortmapEvent *event, gpointer user_data)
{
  GstIcePorts *self = user_data;
  Port *port = g_hash_table_lookup (self->ports, GUINT_TO_POINTER (event->id));

  if (!port)
    return;
  if (event->mapped) {
    tell (self, port, &event->external, event->by);
    return;
  }
  GST_DEBUG ("<%s> PCP, NAT-PMP: %s", self->name, event->cause);
  ask_module (self, port);
}

GstIcePorts *
gst_ice_ports_new (
    IceLoop *loop, const gchar *name, GstIcePortsFunc func, gpointer user_data)
{
  GstIcePorts *self = g_new0 (GstIcePorts, 1);

  self->name = g_strdup (name);
  self->loop = ice_loop_ref (loop);
  self->func = func;
  self->user_data = user_data;
  self->mapper = ice_port_mapper_new (loop, on_event, self);
  self->ports = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

static void
unmap_port (GstIcePorts *self, const Port *port)
{
  ice_port_mapper_remove (self->mapper, port->socket);
  if (port->by_module)
    ice_service_invoke (module_unmap,
        message_new (self->link, port->tcp, &port->local), message_free);
}

void
gst_ice_ports_free (GstIcePorts *self)
{
  GHashTableIter iter;
  gpointer port;

  g_hash_table_iter_init (&iter, self->ports);
  while (g_hash_table_iter_next (&iter, NULL, &port))
    unmap_port (self, port);
  g_hash_table_unref (self->ports);
  ice_port_mapper_free (self->mapper);
  if (self->link) {
    self->link->ports = NULL;
    ice_service_invoke (
        module_end, message_new (self->link, FALSE, NULL), message_free);
    link_unref (self->link);
  }
  ice_loop_unref (self->loop);
  g_free (self->name);
  g_free (self);
}

void
gst_ice_ports_map (
    GstIcePorts *self, guint socket, gboolean tcp, const IceAddress *local)
{
  Port *port = g_new0 (Port, 1);

  port->socket = socket;
  port->tcp = tcp;
  port->local = *local;
  g_hash_table_replace (self->ports, GUINT_TO_POINTER (socket), port);
  ice_port_mapper_add (self->mapper, socket,
      tcp ? ICE_PORTMAP_TCP : ICE_PORTMAP_UDP, local, NULL);
}

void
gst_ice_ports_unmap (GstIcePorts *self, guint socket)
{
  const Port *port =
      g_hash_table_lookup (self->ports, GUINT_TO_POINTER (socket));

  if (!port)
    return;
  unmap_port (self, port);
  g_hash_table_remove (self->ports, GUINT_TO_POINTER (socket));
}
