/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/udp.h>
#include <sys/uio.h>

#include "io-log.h"
#include "udp-batch.h"

G_STATIC_ASSERT (sizeof (GOutputVector) == sizeof (struct iovec));
G_STATIC_ASSERT (G_STRUCT_OFFSET (GOutputVector, buffer) ==
    G_STRUCT_OFFSET (struct iovec, iov_base));

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* UDP_MAX_SEGMENTS of Linux before 6.9; later kernels take 128. */
#define MAX_SEGMENTS 64

/* Every packet below this passes any path ICE itself works on (RFC 8445 14.1
 * keeps checks under 1,280 with headers): a device that refuses such segments
 * refuses them all. */
#define SMALL_SEGMENT 1200

#define MAX_TX_MESSAGES 64

/* A datagram, or what UDP_GRO made of many. */
#define RX_ROOM (64 * 1024)
#define MAX_RX_MESSAGES 4
/* UDP_MAX_SEGMENTS: what one read on loopback can consist of. */
#define MAX_RX_SEGMENTS 128
/* A socket's share of a round; what is left makes the next one. */
#define RX_BUDGET 64

#define ERROR_BUDGET 64

/* A pending error is taken by the call that fails, and draining the queue can
 * raise the next one at any time. */
#define MAX_RETRIES 4

/* A clock that was set shows as an age beyond reason. */
#define MAX_AGE (10 * ICE_SECOND)

/* Unless it is wanted, a path with a small MTU fragments our packets rather
 * than losing the first of them to discovery. PROBE goes by the interface
 * alone: what routers were heard to say may be forged, or have changed (RFC
 * 8899 4.6). */
static void
udp_linux_set_dont_fragment (IceSocket *socket, gboolean dont_fragment)
{
  GSocket *gsocket = ice_socket_get_gsocket (socket);

  if (g_socket_get_family (gsocket) == G_SOCKET_FAMILY_IPV4)
    g_socket_set_option (gsocket, IPPROTO_IP, IP_MTU_DISCOVER,
        dont_fragment ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT, NULL);
  else
    g_socket_set_option (gsocket, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
        dont_fragment ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT, NULL);
}

static void
udp_linux_set_up (IceSocket *socket)
{
  GSocket *gsocket = ice_socket_get_gsocket (socket);
  gint value;

  /* What a kernel does not know is done without. */
  g_socket_set_option (gsocket, IPPROTO_UDP, UDP_GRO, 1, NULL);
  g_socket_set_option (gsocket, SOL_SOCKET, SO_TIMESTAMPNS, 1, NULL);
  if (g_socket_get_family (gsocket) == G_SOCKET_FAMILY_IPV4) {
    g_socket_set_option (gsocket, IPPROTO_IP, IP_RECVTOS, 1, NULL);
    g_socket_set_option (gsocket, IPPROTO_IP, IP_RECVERR, 1, NULL);
  } else {
    g_socket_set_option (gsocket, IPPROTO_IPV6, IPV6_RECVTCLASS, 1, NULL);
    g_socket_set_option (gsocket, IPPROTO_IPV6, IPV6_RECVERR, 1, NULL);
  }
  udp_linux_set_dont_fragment (socket, FALSE);
  if (g_socket_get_option (gsocket, IPPROTO_UDP, UDP_SEGMENT, &value, NULL))
    ice_socket_set_segment_limit (socket, ICE_UDP_MAX_PAYLOAD);
}

/* Sending */

/* UDP_SEGMENT, and IP_TOS or IPV6_TCLASS. */
typedef union
{
  struct cmsghdr header;
  guint8 bytes[CMSG_SPACE (sizeof (guint16)) + CMSG_SPACE (sizeof (gint))];
} TxControl;

static void
control_add (struct msghdr *message, TxControl *control, gint level, gint type,
    gconstpointer value, gsize size)
{
  struct cmsghdr *header =
      (struct cmsghdr *) (control->bytes + message->msg_controllen);

  message->msg_control = control;
  message->msg_controllen += CMSG_SPACE (size);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN (size);
  memcpy (CMSG_DATA (header), value, size);
}

static void
control_add_traffic_class (struct msghdr *message, TxControl *control,
    const IceNativeAddress *to, gint traffic_class)
{
  if (to->any.sa_family == AF_INET6)
    control_add (message, control, IPPROTO_IPV6, IPV6_TCLASS, &traffic_class,
        sizeof traffic_class);
  else
    control_add (message, control, IPPROTO_IP, IP_TOS, &traffic_class,
        sizeof traffic_class);
}

typedef struct
{
  guint n_messages;
  struct mmsghdr messages[MAX_TX_MESSAGES];
  guint n_packets[MAX_TX_MESSAGES]; /* in each message */
  TxControl controls[MAX_TX_MESSAGES];
} TxMessages;

/* How many packets from @first on one message can carry: of one mark and equal
 * sizes, of which only the last may be smaller. */
static guint
window_run_length (const IceUdpWindow *window, guint first, gsize limit)
{
  const IceUdpWindowPacket *packets = window->packets;
  gsize segment = packets[first].size, total = segment;
  guint i;

  if (segment == 0 || segment > limit)
    return 1;
  for (i = first + 1; i < window->n_packets; i++) {
    total += packets[i].size;
    if (packets[i].size > segment || packets[i].size == 0 ||
        packets[i].traffic_class != packets[first].traffic_class ||
        total > ICE_UDP_MAX_PAYLOAD || i - first == MAX_SEGMENTS)
      break;
    if (packets[i].size < segment)
      return i + 1 - first;
  }
  return i - first;
}

static void
tx_messages_add (TxMessages *self, IceUdpWindow *window, guint first,
    guint n_packets, IceNativeAddress *to, socklen_t to_size)
{
  const IceUdpWindowPacket *head = &window->packets[first];
  const IceUdpWindowPacket *tail = &window->packets[first + n_packets - 1];
  guint at = self->n_messages++;
  struct msghdr *message = &self->messages[at].msg_hdr;

  self->n_packets[at] = n_packets;
  message->msg_name = to;
  message->msg_namelen = to_size;
  message->msg_iov = (struct iovec *) &window->vectors[head->first_vector];
  message->msg_iovlen =
      tail->first_vector + tail->n_vectors - head->first_vector;
  message->msg_control = NULL;
  message->msg_controllen = 0;
  message->msg_flags = 0;
  if (n_packets > 1) {
    guint16 segment = (guint16) head->size;

    control_add (message, &self->controls[at], IPPROTO_UDP, UDP_SEGMENT,
        &segment, sizeof segment);
  }
  if (head->traffic_class >= 0)
    control_add_traffic_class (
        message, &self->controls[at], to, head->traffic_class);
}

static void
tx_messages_fill (TxMessages *self, IceUdpWindow *window, guint first,
    gsize limit, IceNativeAddress *to, socklen_t to_size)
{
  self->n_messages = 0;
  while (first < window->n_packets && self->n_messages < MAX_TX_MESSAGES) {
    guint n_packets = window_run_length (window, first, limit);

    tx_messages_add (self, window, first, n_packets, to, to_size);
    first += n_packets;
  }
}

typedef enum
{
  FAILURE_RETRY,
  FAILURE_DISCARD,
  FAILURE_STOP,
} Failure;

/* TRUE for what an earlier packet's ICMP answer leaves on the socket; the
 * call that hears it sent nothing. */
static gboolean
errno_is_pending_error (gint error_number)
{
  switch (error_number) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPROTO:
    case EACCES:
    case EMSGSIZE:
      return TRUE;
    default:
      return FALSE;
  }
}

static Failure
udp_linux_judge (gint error_number, guint *n_retries, gint *ret_error)
{
  if (error_number == EINTR)
    return FAILURE_RETRY;
  if (errno_is_pending_error (error_number) && (*n_retries)++ < MAX_RETRIES)
    return FAILURE_RETRY;
  switch (error_number) {
    case EAGAIN:
      *ret_error = G_IO_ERROR_WOULD_BLOCK;
      return FAILURE_STOP;
    case EMSGSIZE:
      *ret_error = G_IO_ERROR_MESSAGE_TOO_LARGE;
      return FAILURE_STOP;
    case EPIPE:
      *ret_error = G_IO_ERROR_CLOSED;
      return FAILURE_STOP;
    default:
      return FAILURE_DISCARD;
  }
}

/* A run was refused as a run: EIO where the device cannot checksum, EINVAL
 * (or EMSGSIZE, lately) where a segment exceeds the path. Its packets go one
 * by one, now and from here on. */
static gboolean
udp_linux_give_up_segments (
    IceSocket *socket, gint error_number, guint n_retries, gsize segment)
{
  if (error_number != EIO && error_number != EINVAL &&
      (error_number != EMSGSIZE || n_retries < MAX_RETRIES))
    return FALSE;

  GST_INFO ("no UDP_SEGMENT for packets of %" G_GSIZE_FORMAT " bytes: %s",
      segment, g_strerror (error_number));
  if (error_number == EIO || segment <= SMALL_SEGMENT)
    ice_socket_set_segment_limit (socket, 0);
  else
    ice_socket_set_segment_limit (socket, (gint) segment - 1);
  return TRUE;
}

/* Each of the calls has its price; as sendmmsg, how many left, or -1. */
static gint
tx_messages_send (TxMessages *self, gint fd)
{
  const gint flags = MSG_DONTWAIT | MSG_NOSIGNAL;

  if (self->n_messages > 1)
    return sendmmsg (fd, self->messages, self->n_messages, flags);
  return sendmsg (fd, &self->messages[0].msg_hdr, flags) < 0 ? -1 : 1;
}

/* Returns FALSE when the rest must wait; @tx->error says why. */
static gboolean
udp_linux_send_window (IceSocket *socket, IceUdpWindow *window,
    IceNativeAddress *to, socklen_t to_size, IceUdpTx *tx)
{
  TxMessages tx_messages;
  guint next = 0, n_retries = 0;

  while (next < window->n_packets) {
    gint i, n_sent;

    if (ice_socket_is_closed (socket)) {
      tx->error = G_IO_ERROR_CLOSED;
      return FALSE;
    }
    tx_messages_fill (&tx_messages, window, next,
        (gsize) ice_socket_get_segment_limit (socket), to, to_size);
    n_sent = tx_messages_send (&tx_messages, ice_socket_get_fd (socket));
    if (n_sent >= 0) {
      for (i = 0; i < n_sent; i++) {
        next += tx_messages.n_packets[i];
        tx->n_taken += tx_messages.n_packets[i];
      }
      n_retries = 0;
      continue;
    }
    /* What failed is the first message. */
    if (tx_messages.n_packets[0] > 1 &&
        udp_linux_give_up_segments (
            socket, errno, n_retries, window->packets[next].size))
      continue;
    switch (udp_linux_judge (errno, &n_retries, &tx->error)) {
      case FAILURE_RETRY:
        break;
      case FAILURE_STOP:
        return FALSE;
      case FAILURE_DISCARD:
        GST_LOG ("%u packets discarded: %s", tx_messages.n_packets[0],
            g_strerror (errno));
        next += tx_messages.n_packets[0];
        tx->n_taken += tx_messages.n_packets[0];
        tx->n_discarded += tx_messages.n_packets[0];
        n_retries = 0;
        break;
    }
  }
  return TRUE;
}

static void
udp_linux_send_batch (IceSocket *socket, const IceAddress *to,
    const IceSendBatch *batch, IceUdpTx *tx)
{
  IceNativeAddress native;
  socklen_t native_size = ice_address_to_native (to, &native);
  IceUdpWindow window;
  gboolean go_on = TRUE;

  /* With an address the kernel would look for the way again. */
  if (ice_socket_is_connected (socket))
    native_size = 0;
  while (go_on && tx->n_taken < batch->n_buffers) {
    ice_udp_window_map (&window, socket, batch, tx->n_taken);
    go_on = udp_linux_send_window (socket, &window, &native, native_size, tx);
    ice_udp_window_unmap (&window);
  }
}

static gboolean
udp_linux_send (IceSocket *socket, const IceAddress *to, IceBytes packet,
    gint traffic_class)
{
  IceNativeAddress native;
  struct iovec vector = { (gpointer) packet.data, packet.size };
  struct msghdr message = { .msg_name = &native,
    .msg_namelen = ice_address_to_native (to, &native),
    .msg_iov = &vector,
    .msg_iovlen = 1 };
  TxControl control = { 0 };
  guint n_retries = 0;
  gint error;

  if (traffic_class >= 0)
    control_add_traffic_class (&message, &control, &native, traffic_class);
  do {
    if (sendmsg (ice_socket_get_fd (socket), &message,
            MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
      return TRUE;
  } while (udp_linux_judge (errno, &n_retries, &error) == FAILURE_RETRY);

  GST_LOG ("a control packet was refused: %s", g_strerror (errno));
  return FALSE;
}

/* Receiving */

typedef union
{
  struct cmsghdr header;
  guint8 bytes[CMSG_SPACE (sizeof (gint)) + CMSG_SPACE (sizeof (gint)) +
      CMSG_SPACE (sizeof (struct timespec))];
} RxControl;

typedef struct
{
  struct mmsghdr messages[MAX_RX_MESSAGES];
  struct iovec vectors[MAX_RX_MESSAGES];
  IceNativeAddress from[MAX_RX_MESSAGES];
  RxControl controls[MAX_RX_MESSAGES];
} RxMessages;

/* The two clocks, read together once for a wake-up. */
typedef struct
{
  IceTime monotonic, real;
} Clocks;

static IceTime
clocks_to_monotonic (const Clocks *self, const struct timespec *stamp)
{
  IceTime age =
      self->real - (stamp->tv_sec * ICE_SECOND + stamp->tv_nsec / 1000);

  return age >= 0 && age <= MAX_AGE ? self->monotonic - age : self->monotonic;
}

static guint
rx_messages_prepare (RxMessages *self, const IceUdpRx *rx)
{
  guint n = MIN (MAX_RX_MESSAGES,
      MIN ((rx->size - rx->used) / RX_ROOM,
          (ICE_RX_MAX_PACKETS - rx->n_packets) / MAX_RX_SEGMENTS));
  guint i;

  for (i = 0; i < n; i++) {
    struct msghdr *message = &self->messages[i].msg_hdr;

    self->vectors[i].iov_base = rx->data + rx->used + i * RX_ROOM;
    self->vectors[i].iov_len = RX_ROOM;
    message->msg_name = &self->from[i];
    message->msg_namelen = sizeof self->from[i];
    message->msg_iov = &self->vectors[i];
    message->msg_iovlen = 1;
    message->msg_control = &self->controls[i];
    message->msg_controllen = sizeof self->controls[i];
    message->msg_flags = 0;
  }
  return n;
}

/* Returns the segment size, 0 when the datagram is a single one. */
static gsize
rx_message_read_control (
    struct msghdr *message, const Clocks *clocks, IceRxPacket *ret_packet)
{
  gsize segment = 0;
  struct cmsghdr *control;

  for (control = CMSG_FIRSTHDR (message); control != NULL;
       control = CMSG_NXTHDR (message, control)) {
    gint level = control->cmsg_level, type = control->cmsg_type;
    gint value = 0;
    struct timespec stamp;

    memcpy (&value, CMSG_DATA (control),
        MIN (sizeof value, control->cmsg_len - CMSG_LEN (0)));
    if (level == IPPROTO_UDP && type == UDP_GRO) {
      segment = (gsize) MAX (value, 0);
    } else if (level == SOL_SOCKET && type == SO_TIMESTAMPNS) {
      memcpy (&stamp, CMSG_DATA (control), sizeof stamp);
      ret_packet->received_at = clocks_to_monotonic (clocks, &stamp);
    } else if (level == IPPROTO_IP && type == IP_TOS) {
      /* One byte, unlike IPV6_TCLASS. */
      ret_packet->traffic_class = *CMSG_DATA (control);
    } else if (level == IPPROTO_IPV6 && type == IPV6_TCLASS) {
      ret_packet->traffic_class = (guint8) value;
    }
  }
  return segment;
}

static void
rx_messages_take (RxMessages *self, guint i, const Clocks *clocks, IceUdpRx *rx)
{
  struct msghdr *message = &self->messages[i].msg_hdr;
  gsize size = self->messages[i].msg_len;
  IceRxPacket model = { .slab = rx->slab, .received_at = clocks->monotonic };
  gsize segment;

  if (size == 0 || (message->msg_flags & MSG_TRUNC) ||
      !ice_address_from_native (
          &model.from, &self->from[i], message->msg_namelen))
    return;
  segment = rx_message_read_control (message, clocks, &model);
  model.data.data = ice_udp_rx_settle (rx, self->vectors[i].iov_base, size);
  ice_udp_rx_add (rx, &model, size, segment);
}

static void
udp_linux_receive (IceSocket *socket, IceUdpRx *rx)
{
  RxMessages messages;
  Clocks clocks = { .monotonic = 0 };
  guint n_wanted, n_datagrams = 0, n_retries = 0;
  gint i, n;

  while (n_datagrams < RX_BUDGET &&
      (n_wanted = rx_messages_prepare (&messages, rx)) > 0) {
    n = recvmmsg (ice_socket_get_fd (socket), messages.messages, n_wanted,
        MSG_DONTWAIT, NULL);
    if (n < 0) {
      /* An ICMP error; the datagrams behind it are still there. */
      if (errno != EAGAIN && n_retries++ < MAX_RETRIES)
        continue;
      break;
    }
    clocks.monotonic = g_get_monotonic_time ();
    clocks.real = g_get_real_time ();
    for (i = 0; i < n; i++)
      rx_messages_take (&messages, (guint) i, &clocks, rx);
    n_datagrams += (guint) n;
    if ((guint) n < n_wanted)
      break;
  }
}

/* Errors */

/* RFC 1122 3.2.2.1: network or host unreachable (0, 1, 5, 11, 12) is only a
 * hint, and "fragmentation needed" (4) is about size. */
static gboolean
icmp_is_hard (const struct sock_extended_err *error)
{
  if (error->ee_origin == SO_EE_ORIGIN_ICMP)
    return error->ee_type == ICMP_DEST_UNREACH &&
        (error->ee_code == ICMP_PROT_UNREACH ||
            error->ee_code == ICMP_PORT_UNREACH ||
            error->ee_code == ICMP_NET_ANO || error->ee_code == ICMP_HOST_ANO ||
            error->ee_code == ICMP_PKT_FILTERED);
  /* RFC 4443 3.1: no route (0) and address unreachable (3) may pass. */
  if (error->ee_origin == SO_EE_ORIGIN_ICMP6)
    return error->ee_type == ICMPV6_DEST_UNREACH &&
        (error->ee_code == ICMPV6_ADM_PROHIBITED ||
            error->ee_code == ICMPV6_PORT_UNREACH ||
            error->ee_code == ICMPV6_POLICY_FAIL ||
            error->ee_code == ICMPV6_REJECT_ROUTE);
  return FALSE;
}

/* RFC 792 "fragmentation needed", RFC 4443 3.2. What the kernel itself says to
 * the caller needs no repeating. */
static gboolean
icmp_is_about_size (const struct sock_extended_err *error)
{
  return error->ee_errno == EMSGSIZE &&
      (error->ee_origin == SO_EE_ORIGIN_ICMP ||
          error->ee_origin == SO_EE_ORIGIN_ICMP6);
}

static gboolean
message_find_error (struct msghdr *message, struct sock_extended_err *ret_error)
{
  struct cmsghdr *control;

  for (control = CMSG_FIRSTHDR (message); control != NULL;
       control = CMSG_NXTHDR (message, control)) {
    if ((control->cmsg_level == IPPROTO_IP &&
            control->cmsg_type == IP_RECVERR) ||
        (control->cmsg_level == IPPROTO_IPV6 &&
            control->cmsg_type == IPV6_RECVERR)) {
      memcpy (ret_error, CMSG_DATA (control), sizeof *ret_error);
      return TRUE;
    }
  }
  return FALSE;
}

static void
udp_linux_take_errors (
    IceSocket *socket, IceUdpErrorFunc func, gpointer user_data)
{
  guint n;

  for (n = 0; n < ERROR_BUDGET; n++) {
    guint8 quoted[1500];
    union
    {
      struct cmsghdr header;
      guint8 bytes[512];
    } control;
    IceNativeAddress native;
    struct iovec vector = { .iov_base = quoted, .iov_len = sizeof quoted };
    struct msghdr message = { .msg_name = &native,
      .msg_namelen = sizeof native,
      .msg_iov = &vector,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control };
    struct sock_extended_err error;
    IceAddress to;
    gssize size;

    size = recvmsg (
        ice_socket_get_fd (socket), &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size < 0)
      break;
    if (!message_find_error (&message, &error) ||
        !(icmp_is_hard (&error) || icmp_is_about_size (&error)) ||
        !ice_address_from_native (&to, &native, message.msg_namelen))
      continue;
    func (&to, ICE_BYTES (quoted, size), (gint) error.ee_errno, user_data);
    if (ice_socket_is_closed (socket))
      break;
  }
}

const IceUdp ice_udp_linux = {
  .name = "linux",
  .connects = TRUE,
  .set_up = udp_linux_set_up,
  .set_dont_fragment = udp_linux_set_dont_fragment,
  .receive = udp_linux_receive,
  .take_errors = udp_linux_take_errors,
  .send = udp_linux_send,
  .send_batch = udp_linux_send_batch,
};
