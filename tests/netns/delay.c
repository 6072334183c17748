/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line that takes time: packets between two TUN devices, in two network
 * namespaces, are held back. For kernels without netem.
 *
 *   delay MS NAMESPACE,DEVICE,NAMESPACE,DEVICE...
 *
 * It makes the devices, says "ready", and goes on until its standard input
 * ends. A number that comes there is the delay from then on. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINES 4
#define MAX_PACKET 2048
/* As much as 60 ms of 100 Mbit/s; more is lost, as in any queue. */
#define QUEUE_SIZE 1024

typedef struct
{
  int64_t due; /* ns */
  int size;
  uint8_t data[MAX_PACKET];
} Packet;

/* One way of a line. All packets take as long, so they leave as they came. */
typedef struct
{
  int from, to;
  unsigned first, n;
  Packet packets[QUEUE_SIZE];
} Way;

static Way *ways[2 * MAX_LINES];
static unsigned n_ways;
static int64_t delay;

static void
fail (const char *what, const char *name)
{
  fprintf (stderr, "delay: %s %s: %s\n", what, name, strerror (errno));
  exit (EXIT_FAILURE);
}

static int64_t
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C (1000000000) + time.tv_nsec;
}

/* A TUN device belongs to the namespace its maker was in. */
static int
open_device (const char *space, const char *name)
{
  struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
  char path[128];
  int space_fd, fd;

  snprintf (path, sizeof path, "/run/netns/%s", space);
  space_fd = open (path, O_RDONLY | O_CLOEXEC);
  if (space_fd < 0 || setns (space_fd, CLONE_NEWNET) < 0)
    fail ("namespace", space);
  close (space_fd);
  fd = open ("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    fail ("open", "/dev/net/tun");
  snprintf (request.ifr_name, IFNAMSIZ, "%s", name);
  if (ioctl (fd, TUNSETIFF, &request) < 0)
    fail ("device", name);
  return fd;
}

static void
add_way (int from, int to)
{
  Way *way = calloc (1, sizeof *way);

  if (!way)
    fail ("memory", "");
  way->from = from;
  way->to = to;
  ways[n_ways++] = way;
}

static void
add_line (char *text)
{
  const char *parts[4];
  int fds[2];

  for (int i = 0; i < 4; i++) {
    parts[i] = strtok (i == 0 ? text : NULL, ",");
    if (!parts[i] || n_ways == 2 * MAX_LINES) {
      errno = EINVAL;
      fail ("line", text);
    }
  }
  fds[0] = open_device (parts[0], parts[1]);
  fds[1] = open_device (parts[2], parts[3]);
  add_way (fds[0], fds[1]);
  add_way (fds[1], fds[0]);
}

static void
take (Way *way)
{
  for (;;) {
    Packet *packet = &way->packets[(way->first + way->n) % QUEUE_SIZE];
    uint8_t lost[MAX_PACKET];
    const int full = way->n == QUEUE_SIZE;
    /* A device that is not up yet gives EIO. */
    const ssize_t size =
        read (way->from, full ? lost : packet->data, MAX_PACKET);

    if (size <= 0)
      return;
    if (full)
      continue;
    packet->size = size;
    packet->due = now () + delay;
    way->n++;
  }
}

/* Returns when the next one is due. */
static int64_t
give (Way *way)
{
  for (; way->n > 0; way->n--) {
    Packet *packet = &way->packets[way->first];

    if (packet->due > now ())
      return packet->due;
    /* What the device does not take is lost. */
    if (write (way->to, packet->data, packet->size) < 0 && errno != EAGAIN &&
        errno != EIO && errno != EINVAL)
      fail ("write", "");
    way->first = (way->first + 1) % QUEUE_SIZE;
  }
  return INT64_MAX;
}

static void
set_delay (const char *text)
{
  delay = strtod (text, NULL) * 1e6;
}

int
main (int argc, char **argv)
{
  struct pollfd polls[2 * MAX_LINES + 1] = { { STDIN_FILENO, POLLIN, 0 } };

  if (argc < 3) {
    fprintf (stderr, "delay MS NAMESPACE,DEVICE,NAMESPACE,DEVICE...\n");
    return EXIT_FAILURE;
  }
  set_delay (argv[1]);
  for (int i = 2; i < argc; i++)
    add_line (argv[i]);
  for (unsigned i = 0; i < n_ways; i++)
    polls[i + 1] = (struct pollfd){ ways[i]->from, POLLIN, 0 };
  puts ("ready");
  fflush (stdout);

  for (;;) {
    int64_t due = INT64_MAX;
    struct timespec wait, *timeout = NULL;

    for (unsigned i = 0; i < n_ways; i++) {
      const int64_t next = give (ways[i]);

      due = next < due ? next : due;
    }
    if (due != INT64_MAX) {
      const int64_t rest = due - now ();

      wait.tv_sec = rest > 0 ? rest / 1000000000 : 0;
      wait.tv_nsec = rest > 0 ? rest % 1000000000 : 0;
      timeout = &wait;
    }
    if (ppoll (polls, n_ways + 1, timeout, NULL) < 0 && errno != EINTR)
      fail ("poll", "");
    if (polls[0].revents) {
      char text[32];
      const ssize_t size = read (STDIN_FILENO, text, sizeof text - 1);

      if (size <= 0)
        return EXIT_SUCCESS;
      text[size] = 0;
      set_delay (text);
    }
    for (unsigned i = 0; i < n_ways; i++)
      if (polls[i + 1].revents & POLLIN)
        take (ways[i]);
  }
}
