/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <gio/gio.h>
#include <net/if.h>
#include <netinet/in.h>

#include "io-log.h"
#include "mdns-port.h"
#include "native.h"
#include "on-link.h"

/* RFC 6762 17: "MUST NOT exceed 9000 bytes". */
#define MAX_MESSAGE 9000
/* What one wake-up reads, so that nobody else waits for a flood. */
#define MAX_BATCH 16
/* RFC 6762 11: "SHOULD be sent with IP TTL set to 255". */
#define HOP_LIMIT 255

struct _IceMdnsPort
{
  guint index;
  IceAddress address;
  IceMdnsPortFunc func;
  gpointer user_data;
  GSocket *asking, *group;              /* (owned) (nullable) */
  IceWatch *asking_watch, *group_watch; /* (owned) (nullable) */
};

static IceAddress
group_address (const IceInterface *interface)
{
  const gboolean is_ipv6 = interface->address.family == ICE_FAMILY_IPV6;
  IceAddress group;

  ice_address_parse (
      &group, is_ipv6 ? "ff02::fb" : "224.0.0.251", ICE_MDNS_PORT);
  group.scope = is_ipv6 ? interface->index : 0;
  return group;
}

/* GSocketAddress leaves the zone out where it is not that of a link-local
 * unicast address, so the kernel is asked by its own. */
static gboolean
bind_to (GSocket *socket, const IceAddress *address, gboolean shared)
{
  const gint fd = g_socket_get_fd (socket);
  IceNativeAddress native;
  socklen_t size = ice_address_to_native (address, &native);

  if (shared) {
    g_socket_set_option (socket, SOL_SOCKET, SO_REUSEADDR, 1, NULL);
#ifdef SO_REUSEPORT
    /* Others on this machine that hear the group, avahi for one, set both. */
    g_socket_set_option (socket, SOL_SOCKET, SO_REUSEPORT, 1, NULL);
#endif
  }
  return bind (fd, &native.any, size) == 0;
}

static void
send_by_interface (GSocket *socket, const IceInterface *interface)
{
  gint32 ipv4;

  g_socket_set_multicast_ttl (socket, HOP_LIMIT);
  g_socket_set_ttl (socket, HOP_LIMIT);
  g_socket_set_multicast_loopback (socket, TRUE);
  if (interface->address.family == ICE_FAMILY_IPV6) {
    g_socket_set_option (
        socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, (gint) interface->index, NULL);
    return;
  }
  /* Not only the struct of BSD but its first member alone is understood. */
  memcpy (&ipv4, interface->address.ip, sizeof ipv4);
  g_socket_set_option (socket, IPPROTO_IP, IP_MULTICAST_IF, ipv4, NULL);
}

static gboolean
join (GSocket *socket, const IceInterface *interface, const IceAddress *group)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_bytes (group->ip,
      group->family == ICE_FAMILY_IPV6 ? G_SOCKET_FAMILY_IPV6
                                       : G_SOCKET_FAMILY_IPV4);
  gchar name[IF_NAMESIZE];

#ifdef IP_MULTICAST_ALL
  /* Else it would hear what comes by interfaces that others have joined on. */
  if (group->family == ICE_FAMILY_IPV4)
    g_socket_set_option (socket, IPPROTO_IP, IP_MULTICAST_ALL, 0, NULL);
#endif
  return if_indextoname (interface->index, name) &&
      g_socket_join_multicast_group (socket, address, FALSE, name, NULL);
}

/* (transfer full) (nullable) */
static GSocket *
open_socket (const IceInterface *interface, gboolean is_group)
{
  const IceAddress group = group_address (interface);
  IceAddress local = interface->address;
  g_autoptr (GSocket) socket =
      g_socket_new (local.family == ICE_FAMILY_IPV6 ? G_SOCKET_FAMILY_IPV6
                                                    : G_SOCKET_FAMILY_IPV4,
          G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  if (!socket)
    return NULL;
  g_socket_set_blocking (socket, FALSE);
  local.port = 0;
  if (!bind_to (socket, is_group ? &group : &local, is_group) ||
      (is_group && !join (socket, interface, &group))) {
    GST_DEBUG ("no mDNS %s socket on interface %u: %s",
        is_group ? "group" : "asking", interface->index, g_strerror (errno));
    return NULL;
  }
  send_by_interface (socket, interface);
  return g_steal_pointer (&socket);
}

static void
take_message (IceMdnsPort *self, IceBytes data, const IceAddress *from)
{
  IceMdnsMessage message;

  if (!ice_mdns_parse (&message, data)) {
    GST_LOG ("malformed mDNS message of %" G_GSIZE_FORMAT " bytes", data.size);
    return;
  }
  if (message.n_questions + message.n_records == 0)
    return;
  self->func (self, &message, from, self->user_data);
}

static void
on_readable (gint fd, GIOCondition condition, gpointer user_data)
{
  IceMdnsPort *self = user_data;
  guint8 buffer[MAX_MESSAGE];

  for (guint i = 0; i < MAX_BATCH; i++) {
    IceNativeAddress native;
    socklen_t native_size = sizeof native;
    IceAddress from;
    ssize_t size = recvfrom (
        fd, buffer, sizeof buffer, MSG_DONTWAIT, &native.any, &native_size);

    if (size < 0)
      return;
    if (ice_address_from_native (&from, &native, native_size))
      take_message (self, ICE_BYTES (buffer, (gsize) size), &from);
  }
}

static IceWatch *
watch (IceMdnsPort *self, IceLoop *loop, GSocket *socket)
{
  return socket ? ice_watch_new (loop, g_socket_get_fd (socket), G_IO_IN,
                      on_readable, self)
                : NULL;
}

IceMdnsPort *
ice_mdns_port_new (IceLoop *loop, const IceInterface *interface,
    IceMdnsPortFunc func, gpointer user_data)
{
  IceMdnsPort *self = g_new0 (IceMdnsPort, 1);

  self->index = interface->index;
  self->address = interface->address;
  self->func = func;
  self->user_data = user_data;
  self->group = open_socket (interface, TRUE);
  self->asking = open_socket (interface, FALSE);
  if (!self->group && !self->asking) {
    g_free (self);
    return NULL;
  }
  self->group_watch = watch (self, loop, self->group);
  self->asking_watch = watch (self, loop, self->asking);
  return self;
}

void
ice_mdns_port_free (IceMdnsPort *self)
{
  g_clear_pointer (&self->group_watch, ice_watch_free);
  g_clear_pointer (&self->asking_watch, ice_watch_free);
  g_clear_object (&self->group);
  g_clear_object (&self->asking);
  g_free (self);
}

gboolean
ice_mdns_port_is_of (const IceMdnsPort *self, const IceInterface *interface)
{
  return self->index == interface->index &&
      ice_address_same_ip (&self->address, &interface->address);
}

guint
ice_mdns_port_get_index (const IceMdnsPort *self)
{
  return self->index;
}

gboolean
ice_mdns_port_is_near (const IceMdnsPort *self, const IceAddress *from)
{
  return ice_is_on_link (self->index, from);
}

static void
send_packet (GSocket *socket, const IceAddress *to, IcePacket *packet)
{
  IceNativeAddress native;
  socklen_t size = ice_address_to_native (to, &native);

  /* Lost or refused: who asks does so again. */
  if (sendto (g_socket_get_fd (socket), packet->data, packet->size,
          MSG_DONTWAIT | MSG_NOSIGNAL, &native.any, size) < 0)
    GST_LOG ("mDNS message not sent: %s", g_strerror (errno));
}

static IceAddress
own_group (const IceMdnsPort *self)
{
  const IceInterface interface = { .address = self->address,
    .index = self->index };

  return group_address (&interface);
}

void
ice_mdns_port_ask (IceMdnsPort *self, IcePacket *query)
{
  const IceAddress group = own_group (self);

  if (self->asking)
    send_packet (self->asking, &group, query);
}

void
ice_mdns_port_answer (
    IceMdnsPort *self, const IceAddress *to, IcePacket *response)
{
  const IceAddress group = own_group (self);

  if (self->group)
    send_packet (self->group, to ? to : &group, response);
}
