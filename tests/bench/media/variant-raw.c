/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel alone: sendto and recvfrom, and with lists UDP_SEGMENT and
 * UDP_GRO. There is nothing faster on these sockets. */

#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "media.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

static gint
raw_socket (struct sockaddr_in *ret_address)
{
  const gint size = 4 << 20;
  socklen_t length = sizeof *ret_address;
  gint fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  *ret_address = (struct sockaddr_in){ .sin_family = AF_INET,
    .sin_addr.s_addr = g_htonl (INADDR_LOOPBACK) };
  if (bind (fd, (struct sockaddr *) ret_address, length) < 0 ||
      getsockname (fd, (struct sockaddr *) ret_address, &length) < 0)
    g_error ("no socket");
  setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  return fd;
}

static void
raw_send (Wire *wire, const Settings *settings, Shared *shared)
{
  g_autofree gchar *line = wire_receive (wire);
  g_autofree guint8 *data = g_malloc0 (settings->size * settings->list);
  struct sockaddr_in address;
  gint fd = raw_socket (&address), segment = settings->size;
  gint64 start;

  address.sin_port = g_htons (atoi (line));
  connect (fd, (struct sockaddr *) &address, sizeof address);
  if (settings->list > 1)
    setsockopt (fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
  wire_send (wire, "go");
  start = flow_now_ns ();
  for (gint i = 0; i < settings->packets; i += settings->list) {
    flow_wait (settings, shared, i + settings->list);
    if (settings->rate > 0)
      flow_pace (settings, i, start);
    flow_stamp (data);
    if (send (fd, data, (gsize) settings->size * settings->list, 0) < 0)
      g_error ("send failed");
  }
}

static void
raw_receive (Wire *wire, const Settings *settings, Shared *shared)
{
  static guint8 data[65536];
  struct sockaddr_in address;
  gint fd = raw_socket (&address), on = 1;

  if (settings->list > 1)
    setsockopt (fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  wire_send (wire, "%d", g_ntohs (address.sin_port));
  g_atomic_int_set (&shared->port, g_ntohs (address.sin_port));
  g_free (wire_receive (wire));
  while (g_atomic_int_get (&shared->received) < settings->packets) {
    gssize n = recv (fd, data, sizeof data, 0);

    if (n <= 0)
      g_error ("recv failed");
    flow_received (settings, shared,
        (gint) ((n + settings->size - 1) / settings->size), data);
  }
}

const Variant variant_raw = {
  .name = "raw",
  .send = raw_send,
  .receive = raw_receive,
};
