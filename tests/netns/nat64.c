/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stateless translator between IPv6 and IPv4 (RFC 7915) for one host without
 * IPv4, on a TUN device whose namespace forwards both families to it.
 *
 *   nat64 NAMESPACE DEVICE PREFIX IPV6 IPV4
 *
 * PREFIX has 96 bits; IPV6 is the host, IPV4 what it is to the IPv4 side. It
 * makes the device, says "ready", and goes on until its standard input ends.
 * UDP and TCP pass; fragments and ICMP do not. The kernel, which forwards to
 * and from here, counts the hops. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_PACKET 2048
/* RFC 6052 2.2: the IPv4 address follows the 96 bits. */
#define PREFIX_SIZE 12
/* RFC 7915 5.1: what is larger must not be fragmented. */
#define MAX_FRAGMENTED 1260
#define UDP_CHECKSUM 6
#define TCP_CHECKSUM 16

static struct in6_addr prefix, host_6;
static struct in_addr host_4;

static void
fail (const char *what, const char *name)
{
  fprintf (stderr, "nat64: %s %s: %s\n", what, name, strerror (errno));
  exit (EXIT_FAILURE);
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

/* RFC 1071, not yet inverted. */
static uint16_t
add_up (uint32_t sum, const void *data, size_t size)
{
  const uint8_t *bytes = data;

  for (size_t i = 0; i < size; i++)
    sum += i % 2 ? bytes[i] : bytes[i] << 8;
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

/* Where the transport's checksum stands; 0 for what does not pass. */
static size_t
checksum_place (uint8_t protocol, size_t size)
{
  const size_t at = protocol == IPPROTO_UDP ? UDP_CHECKSUM
      : protocol == IPPROTO_TCP             ? TCP_CHECKSUM
                                            : 0;

  return at + 2 <= size ? at : 0;
}

static void
set_checksum (uint8_t *at, uint8_t protocol, uint16_t sum)
{
  uint16_t checksum = ~sum;

  /* RFC 768: zero stands for none. */
  if (checksum == 0 && protocol == IPPROTO_UDP)
    checksum = 0xffff;
  checksum = htons (checksum);
  memcpy (at, &checksum, sizeof checksum);
}

/* RFC 7915 4.5, 5.5. Of the pseudo-headers nothing differs but the addresses,
 * so their difference is that of the checksums (RFC 1624 3). */
static void
change_checksum (uint8_t *at, uint8_t protocol, uint16_t was, uint16_t is)
{
  uint16_t checksum;

  memcpy (&checksum, at, sizeof checksum);
  checksum = ~ntohs (checksum);
  set_checksum (at, protocol,
      add_up ((uint32_t) checksum + (uint16_t) ~was + is, NULL, 0));
}

/* RFC 7915 5.1. Returns the size, or 0 for what is dropped. */
static size_t
translate_to_ipv4 (const uint8_t *packet, size_t size, uint8_t *ret_packet)
{
  static uint16_t identification;
  struct ip6_hdr from;
  struct ip to = { 0 };
  uint8_t *payload = ret_packet + sizeof to;
  size_t payload_size, at;

  if (size < sizeof from)
    return 0;
  memcpy (&from, packet, sizeof from);
  payload_size = ntohs (from.ip6_plen);
  if (payload_size > size - sizeof from)
    return 0;
  at = checksum_place (from.ip6_nxt, payload_size);
  if (at == 0 || memcmp (&from.ip6_dst, &prefix, PREFIX_SIZE) != 0 ||
      memcmp (&from.ip6_src, &host_6, sizeof host_6) != 0)
    return 0;

  to.ip_v = 4;
  to.ip_hl = sizeof to / 4;
  to.ip_tos = ntohl (from.ip6_flow) >> 20;
  to.ip_len = htons (sizeof to + payload_size);
  to.ip_id = htons (identification++);
  to.ip_off = htons (sizeof to + payload_size > MAX_FRAGMENTED ? IP_DF : 0);
  to.ip_ttl = from.ip6_hlim;
  to.ip_p = from.ip6_nxt;
  to.ip_src = host_4;
  memcpy (&to.ip_dst, from.ip6_dst.s6_addr + PREFIX_SIZE, sizeof to.ip_dst);
  to.ip_sum = htons (~add_up (0, &to, sizeof to));
  memcpy (ret_packet, &to, sizeof to);
  memcpy (payload, packet + sizeof from, payload_size);
  change_checksum (payload + at, to.ip_p,
      add_up (0, &from.ip6_src, 2 * sizeof from.ip6_src),
      add_up (0, &to.ip_src, 2 * sizeof to.ip_src));
  return sizeof to + payload_size;
}

/* RFC 7915 4.5: IPv6 has no UDP without a checksum (RFC 8200 8.1). */
static void
make_checksum (const struct ip6_hdr *header, uint8_t *payload, size_t size)
{
  uint32_t sum = header->ip6_nxt + size;

  sum += add_up (0, &header->ip6_src, 2 * sizeof header->ip6_src);
  set_checksum (
      payload + UDP_CHECKSUM, IPPROTO_UDP, add_up (sum, payload, size));
}

/* RFC 7915 4.1. Options are left out. Returns the size, or 0 for what is
 * dropped. */
static size_t
translate_to_ipv6 (const uint8_t *packet, size_t size, uint8_t *ret_packet)
{
  static const uint8_t none[2];
  struct ip from;
  struct ip6_hdr to = { 0 };
  uint8_t *payload = ret_packet + sizeof to;
  size_t header_size, payload_size, at;

  if (size < sizeof from)
    return 0;
  memcpy (&from, packet, sizeof from);
  header_size = 4 * from.ip_hl;
  if (header_size < sizeof from || ntohs (from.ip_len) > size ||
      ntohs (from.ip_len) < header_size)
    return 0;
  payload_size = ntohs (from.ip_len) - header_size;
  at = checksum_place (from.ip_p, payload_size);
  if (at == 0 || ntohs (from.ip_off) & (IP_MF | IP_OFFMASK) ||
      from.ip_dst.s_addr != host_4.s_addr)
    return 0;

  to.ip6_flow = htonl (6u << 28 | (uint32_t) from.ip_tos << 20);
  to.ip6_plen = htons (payload_size);
  to.ip6_nxt = from.ip_p;
  to.ip6_hlim = from.ip_ttl;
  to.ip6_src = prefix;
  memcpy (to.ip6_src.s6_addr + PREFIX_SIZE, &from.ip_src, sizeof from.ip_src);
  to.ip6_dst = host_6;
  memcpy (ret_packet, &to, sizeof to);
  memcpy (payload, packet + header_size, payload_size);
  if (to.ip6_nxt == IPPROTO_UDP && memcmp (payload + at, none, 2) == 0)
    make_checksum (&to, payload, payload_size);
  else
    change_checksum (payload + at, to.ip6_nxt,
        add_up (0, &from.ip_src, 2 * sizeof from.ip_src),
        add_up (0, &to.ip6_src, 2 * sizeof to.ip6_src));
  return sizeof to + payload_size;
}

static void
translate_all (int fd)
{
  /* A header of IPv6 has 20 bytes more than one of IPv4. */
  uint8_t packet[MAX_PACKET], translated[MAX_PACKET + 20];

  for (;;) {
    /* A device that is not up yet gives EIO. */
    const ssize_t size = read (fd, packet, sizeof packet);
    size_t new_size;

    if (size <= 0)
      return;
    new_size = packet[0] >> 4 == 6
        ? translate_to_ipv4 (packet, size, translated)
        : translate_to_ipv6 (packet, size, translated);
    /* What the device does not take is lost. */
    if (new_size > 0 && write (fd, translated, new_size) < 0 &&
        errno != EAGAIN && errno != EIO && errno != EINVAL)
      fail ("write", "");
  }
}

int
main (int argc, char **argv)
{
  struct pollfd polls[2] = { { STDIN_FILENO, POLLIN, 0 }, { -1, POLLIN, 0 } };

  if (argc != 6) {
    fprintf (stderr, "nat64 NAMESPACE DEVICE PREFIX IPV6 IPV4\n");
    return EXIT_FAILURE;
  }
  errno = EINVAL;
  if (inet_pton (AF_INET6, argv[3], &prefix) != 1)
    fail ("prefix", argv[3]);
  if (inet_pton (AF_INET6, argv[4], &host_6) != 1)
    fail ("IPv6 address", argv[4]);
  if (inet_pton (AF_INET, argv[5], &host_4) != 1)
    fail ("IPv4 address", argv[5]);
  polls[1].fd = open_device (argv[1], argv[2]);
  puts ("ready");
  fflush (stdout);

  for (;;) {
    if (poll (polls, 2, -1) < 0 && errno != EINTR)
      fail ("poll", "");
    if (polls[0].revents)
      return EXIT_SUCCESS;
    if (polls[1].revents & POLLIN)
      translate_all (polls[1].fd);
  }
}
