/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel knows of a path: a connected socket tells, without sending
 * anything. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <netinet/ip.h>

#include "native.h"
#include "socket.h"

#if defined(IP_MTU) && defined(IPV6_MTU)

static gboolean
connect_to (GSocket *socket, const IceAddress *from, const IceAddress *to)
{
  IceNativeAddress native;
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocketAddress) remote = NULL;
  IceAddress any_port = *from;

  any_port.port = 0;
  local = g_socket_address_new_from_native (
      &native, ice_address_to_native (&any_port, &native));
  remote = g_socket_address_new_from_native (
      &native, ice_address_to_native (to, &native));
  return g_socket_bind (socket, local, FALSE, NULL) &&
      g_socket_connect (socket, remote, NULL, NULL);
}

guint
ice_path_mtu (const IceAddress *from, const IceAddress *to)
{
  const gboolean ipv6 = to->family == ICE_FAMILY_IPV6;
  g_autoptr (GSocket) socket =
      g_socket_new (ipv6 ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4,
          G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  gint mtu;

  if (socket == NULL || from->family != to->family ||
      !connect_to (socket, from, to) ||
      !g_socket_get_option (socket, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
          ipv6 ? IPV6_MTU : IP_MTU, &mtu, NULL))
    return 0;
  return (guint) MAX (mtu, 0);
}

#else

guint
ice_path_mtu (const IceAddress *from, const IceAddress *to)
{
  return 0;
}

#endif
