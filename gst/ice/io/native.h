/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "../base/address.h"

G_BEGIN_DECLS

/* Addresses as the kernel wants them. */
typedef union
{
  struct sockaddr any;
  struct sockaddr_in ipv4;
  struct sockaddr_in6 ipv6;
} IceNativeAddress;

/* Returns the size of what was written, 0 without a family. */
static inline socklen_t
ice_address_to_native (const IceAddress *self, IceNativeAddress *ret_native)
{
  memset (ret_native, 0, sizeof *ret_native);
  switch (self->family) {
    case ICE_FAMILY_IPV4:
      ret_native->ipv4.sin_family = AF_INET;
      ret_native->ipv4.sin_port = g_htons (self->port);
      memcpy (&ret_native->ipv4.sin_addr, self->ip, 4);
      return sizeof ret_native->ipv4;
    case ICE_FAMILY_IPV6:
      ret_native->ipv6.sin6_family = AF_INET6;
      ret_native->ipv6.sin6_port = g_htons (self->port);
      ret_native->ipv6.sin6_scope_id = self->scope;
      memcpy (&ret_native->ipv6.sin6_addr, self->ip, 16);
      return sizeof ret_native->ipv6;
    default:
      return 0;
  }
}

static inline gboolean
ice_address_from_native (
    IceAddress *self, const IceNativeAddress *native, socklen_t size)
{
  *self = ICE_ADDRESS_NONE;
  if (size >= sizeof native->ipv4 && native->any.sa_family == AF_INET) {
    self->family = ICE_FAMILY_IPV4;
    self->port = g_ntohs (native->ipv4.sin_port);
    memcpy (self->ip, &native->ipv4.sin_addr, 4);
    return TRUE;
  }
  if (size >= sizeof native->ipv6 && native->any.sa_family == AF_INET6) {
    self->family = ICE_FAMILY_IPV6;
    self->port = g_ntohs (native->ipv6.sin6_port);
    self->scope = native->ipv6.sin6_scope_id;
    memcpy (self->ip, &native->ipv6.sin6_addr, 16);
    return TRUE;
  }
  return FALSE;
}

G_END_DECLS
