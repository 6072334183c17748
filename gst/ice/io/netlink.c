/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "netlink.h"

#ifdef __linux__
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUP(number) (1u << ((number) -1))

gint
ice_netlink_open (void)
{
  const struct sockaddr_nl address = { .nl_family = AF_NETLINK,
    .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
        RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | GROUP (RTNLGRP_IPV4_RULE) |
        GROUP (RTNLGRP_IPV6_RULE) };
  gint fd = socket (
      AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

  if (fd >= 0 &&
      bind (fd, (const struct sockaddr *) &address, sizeof address) < 0) {
    close (fd);
    fd = -1;
  }
  return fd;
}

gboolean
ice_netlink_drain (gint fd)
{
  gboolean found = FALSE;
  guint8 buffer[4096];

  for (;;) {
    gssize size = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);

    if (size <= 0 && (size == 0 || errno == EAGAIN))
      return found;
    if (size < 0 && errno != EINTR && errno != ENOBUFS)
      return TRUE;
    found = TRUE;
  }
}
#else
gint
ice_netlink_open (void)
{
  return -1;
}

gboolean
ice_netlink_drain (gint fd)
{
  return TRUE;
}
#endif
