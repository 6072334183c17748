/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stranger who sends to the port that media comes to. */

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "media.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define SIZE 200
/* By UDP_SEGMENT, or this side would be slower than those it disturbs. */
#define BURST 32

static void
sleep_until (gint64 due_ns)
{
  const struct timespec at = { due_ns / 1000000000, due_ns % 1000000000 };

  clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

void
flood_run (const Settings *settings, Shared *shared)
{
  static guint8 data[SIZE * BURST];
  struct sockaddr_in address = { .sin_family = AF_INET,
    .sin_addr.s_addr = g_htonl (INADDR_LOOPBACK) };
  const gint segment = SIZE;
  const gint fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gint64 start, n = 0;

  /* Not before media flows: it is to be measured, not connecting. */
  while (g_atomic_int_get (&shared->port) == 0 ||
      g_atomic_int_get (&shared->received) < settings->rate / 4)
    g_usleep (1000);
  address.sin_port = g_htons ((guint16) g_atomic_int_get (&shared->port));
  if (setsockopt (fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) < 0)
    g_error ("no UDP_SEGMENT");
  start = flow_now_ns ();
  while (!g_atomic_int_get (&shared->done)) {
    sleep_until (start + n * G_GINT64_CONSTANT (1000000000) / settings->flood);
    if (sendto (fd, data, sizeof data, 0, (struct sockaddr *) &address,
            sizeof address) > 0)
      g_atomic_int_add (&shared->n_flood, BURST);
    n += BURST;
  }
  shared->flood_us = (flow_now_ns () - start) / 1000;
  close (fd);
}
