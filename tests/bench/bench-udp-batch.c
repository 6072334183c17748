/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CPU per packet over loopback, both sides: a plain socket, a socket with
 * UDP_SEGMENT and UDP_GRO by hand, and ours, in turns within one run, since
 * only ratios taken side by side mean anything on a shared machine.
 *
 *   bench-udp-batch [PACKETS [BYTES [ROUNDS]]]
 */

#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gst/ice/io/udp-batch.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define MAX_LIST 32

/* What fits into a default receive buffer as single packets. */
#define WINDOW 128

static guint n_packets = 400000;
static gsize packet_size = 1200;
static guint n_rounds = 5;

/* Keeps the sender from overrunning the receiver, at the same price for all:
 * it sleeps when WINDOW packets are under way. */
typedef struct
{
  GMutex lock;
  GCond moved;
  guint n_sent; /* the sender's own */
  guint n_received;
  gboolean waiting;
} Flow;

static void
flow_wait (Flow *self)
{
  if (self->n_sent - (guint) g_atomic_int_get (&self->n_received) <= WINDOW)
    return;
  g_mutex_lock (&self->lock);
  self->waiting = TRUE;
  while (self->n_sent - (guint) g_atomic_int_get (&self->n_received) >
      WINDOW / 2) {
    if (!g_cond_wait_until (&self->moved, &self->lock,
            g_get_monotonic_time () + 2 * G_TIME_SPAN_SECOND))
      g_error ("packets were lost");
  }
  self->waiting = FALSE;
  g_mutex_unlock (&self->lock);
}

static void
flow_received (Flow *self, guint n)
{
  g_atomic_int_add (&self->n_received, n);
  g_mutex_lock (&self->lock);
  if (self->waiting)
    g_cond_signal (&self->moved);
  g_mutex_unlock (&self->lock);
}

static gint64
thread_cpu_ns (void)
{
  struct timespec ts;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &ts);
  return ts.tv_sec * G_GINT64_CONSTANT (1000000000) + ts.tv_nsec;
}

typedef struct
{
  gdouble packets_per_second;
  gdouble send_us, receive_us; /* CPU per packet */
} Result;

typedef struct
{
  const gchar *name;
  guint list;
  gboolean offload;
  IceUdpBatch batch; /* of ours */
  void (*run) (guint list, gboolean offload, IceUdpBatch batch, Result *ret);
} Variant;

static void
result_set (Result *self, gint64 start, gint64 send_ns, gint64 receive_ns)
{
  gint64 us = g_get_monotonic_time () - start;

  self->packets_per_second = n_packets * 1e6 / us;
  self->send_us = send_ns / 1e3 / n_packets;
  self->receive_us = receive_ns / 1e3 / n_packets;
}

/* By hand */

typedef struct
{
  Flow flow;
  gint fd;
  gint64 cpu_ns;
} RawReceiver;

static gint
raw_socket (struct sockaddr_in *ret_address, gboolean offload)
{
  struct sockaddr_in any = { .sin_family = AF_INET,
    .sin_addr.s_addr = g_htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof *ret_address;
  gint fd = socket (AF_INET, SOCK_DGRAM, 0), buffer = 1 << 20, on = offload;

  setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  setsockopt (fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  if (fd < 0 || bind (fd, (struct sockaddr *) &any, sizeof any) != 0 ||
      getsockname (fd, (struct sockaddr *) ret_address, &size) != 0)
    g_error ("no socket");
  return fd;
}

static gpointer
raw_receive (gpointer user_data)
{
  RawReceiver *self = user_data;
  g_autofree guint8 *data = g_malloc (65536);
  gint64 start = thread_cpu_ns ();
  guint n = 0;

  while (n < n_packets) {
    gssize got = recv (self->fd, data, 65536, 0);
    guint n_got = (guint) ((got + packet_size - 1) / packet_size);

    n += n_got;
    flow_received (&self->flow, n_got);
  }
  self->cpu_ns = thread_cpu_ns () - start;
  return NULL;
}

static void
raw_send (gint fd, const struct sockaddr_in *to, const guint8 *data, guint n,
    gboolean offload)
{
  guint16 segment = (guint16) packet_size;
  union
  {
    struct cmsghdr header;
    guint8 bytes[CMSG_SPACE (sizeof (guint16))];
  } control;
  struct iovec vector = { (gpointer) data, n * packet_size };
  struct msghdr message = { .msg_name = (gpointer) to,
    .msg_namelen = sizeof *to,
    .msg_iov = &vector,
    .msg_iovlen = 1,
    .msg_control = &control,
    .msg_controllen = sizeof control };

  if (!offload) {
    if (sendto (fd, data, packet_size, 0, (const struct sockaddr *) to,
            sizeof *to) < 0)
      g_error ("sendto failed");
    return;
  }
  control.header.cmsg_level = IPPROTO_UDP;
  control.header.cmsg_type = UDP_SEGMENT;
  control.header.cmsg_len = CMSG_LEN (sizeof segment);
  memcpy (CMSG_DATA (&control.header), &segment, sizeof segment);
  if (sendmsg (fd, &message, 0) < 0)
    g_error ("sendmsg failed");
}

static void
run_raw (guint list, gboolean offload, IceUdpBatch batch, Result *ret)
{
  RawReceiver receiver = { .fd = -1 };
  struct sockaddr_in from, to;
  gint fd = raw_socket (&from, offload);
  g_autofree guint8 *data = g_malloc0 (MAX_LIST * packet_size);
  gint64 start = g_get_monotonic_time (), cpu = thread_cpu_ns ();
  GThread *thread;

  receiver.fd = raw_socket (&to, offload);
  g_mutex_init (&receiver.flow.lock);
  g_cond_init (&receiver.flow.moved);
  thread = g_thread_new ("receiver", raw_receive, &receiver);
  while (receiver.flow.n_sent < n_packets) {
    raw_send (fd, &to, data, list, offload);
    receiver.flow.n_sent += list;
    flow_wait (&receiver.flow);
  }
  cpu = thread_cpu_ns () - cpu;
  g_thread_join (thread);
  result_set (ret, start, cpu, receiver.cpu_ns);
  close (fd);
  close (receiver.fd);
}

/* Ours */

typedef struct
{
  Flow flow;
  IceLoop *loop;
  IceUdpBatch batch;
  IceSocket *socket;
  gint64 cpu_ns;
  gboolean done;
} Receiver;

/* As an inbox does it: one buffer for each packet. */
static void
receiver_packets (
    IceSocket *socket, IceRxPacket *packets, guint n, gpointer user_data)
{
  Receiver *self = user_data;
  GstBuffer *buffers[ICE_RX_MAX_PACKETS];
  guint i;

  for (i = 0; i < n; i++)
    buffers[i] = ice_rx_packet_to_buffer (&packets[i], 0, packets[i].data.size);
  for (i = 0; i < n; i++)
    gst_buffer_unref (buffers[i]);
  flow_received (&self->flow, n);
}

static void
receiver_open (gpointer user_data)
{
  static const IceSocketEvents events = { .packets = receiver_packets };
  Receiver *self = user_data;
  IceSocketOptions options = { .dscp = -1, .batch = self->batch };
  IceAddress local;

  ice_address_parse (&local, "127.0.0.1", 0);
  self->socket =
      ice_socket_open_udp (self->loop, &local, &options, &events, self, NULL);
  g_mutex_lock (&self->flow.lock);
  self->cpu_ns = thread_cpu_ns ();
  self->done = TRUE;
  g_cond_signal (&self->flow.moved);
  g_mutex_unlock (&self->flow.lock);
}

static void
receiver_close (gpointer user_data)
{
  Receiver *self = user_data;

  ice_socket_close (self->socket);
  ice_socket_unref (self->socket);
  g_mutex_lock (&self->flow.lock);
  self->cpu_ns = thread_cpu_ns () - self->cpu_ns;
  self->done = TRUE;
  g_cond_signal (&self->flow.moved);
  g_mutex_unlock (&self->flow.lock);
}

static void
receiver_run (Receiver *self, IceLoopFunc func)
{
  self->done = FALSE;
  ice_loop_invoke (self->loop, func, self, NULL);
  g_mutex_lock (&self->flow.lock);
  while (!self->done)
    g_cond_wait (&self->flow.moved, &self->flow.lock);
  g_mutex_unlock (&self->flow.lock);
}

/* Header and payload apart, as RTP payloaders make them. */
static GstBuffer *
buffer_new (void)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 12, NULL);

  gst_buffer_append_memory (
      buffer, gst_allocator_alloc (NULL, packet_size - 12, NULL));
  gst_buffer_memset (buffer, 0, 0, packet_size);
  return buffer;
}

static void
run_ours (guint list, gboolean offload, IceUdpBatch batch, Result *ret)
{
  Receiver from = { .loop = ice_loop_acquire (), .batch = batch };
  Receiver to = { .loop = ice_loop_acquire (), .batch = batch };
  GstBuffer *buffers[MAX_LIST];
  IceSendBatch send = { buffers, list, 0 };
  IceAddress address;
  gint64 start, cpu;
  guint i;

  g_mutex_init (&from.flow.lock);
  g_cond_init (&from.flow.moved);
  g_mutex_init (&to.flow.lock);
  g_cond_init (&to.flow.moved);
  receiver_run (&from, receiver_open);
  receiver_run (&to, receiver_open);
  ice_socket_get_local (to.socket, &address);
  for (i = 0; i < list; i++)
    buffers[i] = buffer_new ();

  start = g_get_monotonic_time ();
  cpu = thread_cpu_ns ();
  while (to.flow.n_sent < n_packets) {
    if (ice_socket_send_batch (from.socket, &address, &send, NULL, NULL) !=
        list)
      g_error ("the batch was not sent");
    to.flow.n_sent += list;
    flow_wait (&to.flow);
  }
  cpu = thread_cpu_ns () - cpu;
  while ((guint) g_atomic_int_get (&to.flow.n_received) < to.flow.n_sent)
    g_thread_yield ();
  receiver_run (&to, receiver_close);
  result_set (ret, start, cpu, to.cpu_ns);

  receiver_run (&from, receiver_close);
  for (i = 0; i < list; i++)
    gst_buffer_unref (buffers[i]);
  ice_loop_unref (from.loop);
  ice_loop_unref (to.loop);
}

static const Variant variants[] = {
  { "sendto, recv", 1, FALSE, 0, run_raw },
  { "GSO 8 + GRO", 8, TRUE, 0, run_raw },
  { "GSO 32 + GRO", 32, TRUE, 0, run_raw },
  { "ours, 1", 1, TRUE, ICE_UDP_BATCH_LINUX, run_ours },
  { "ours, lists of 8", 8, TRUE, ICE_UDP_BATCH_LINUX, run_ours },
  { "ours, lists of 32", 32, TRUE, ICE_UDP_BATCH_LINUX, run_ours },
  { "generic, 1", 1, TRUE, ICE_UDP_BATCH_GENERIC, run_ours },
  { "generic, lists of 8", 8, TRUE, ICE_UDP_BATCH_GENERIC, run_ours },
  { "generic, lists of 32", 32, TRUE, ICE_UDP_BATCH_GENERIC, run_ours },
};

static gint
compare_doubles (gconstpointer a, gconstpointer b)
{
  gdouble left = *(const gdouble *) a, right = *(const gdouble *) b;

  return left < right ? -1 : left > right;
}

static gdouble
median (gdouble *values, guint n)
{
  qsort (values, n, sizeof (gdouble), compare_doubles);
  return values[n / 2];
}

static gdouble
result_cpu (const Result *self)
{
  return self->send_us + self->receive_us;
}

static void
print_variant (guint which, Result *const *results)
{
  g_autofree gdouble *rate = g_new (gdouble, n_rounds);
  g_autofree gdouble *tx = g_new (gdouble, n_rounds);
  g_autofree gdouble *rx = g_new (gdouble, n_rounds);
  g_autofree gdouble *plain = g_new (gdouble, n_rounds);
  g_autofree gdouble *offload = g_new (gdouble, n_rounds);
  guint i;

  for (i = 0; i < n_rounds; i++) {
    const Result *result = &results[i][which];

    rate[i] = result->packets_per_second;
    tx[i] = result->send_us;
    rx[i] = result->receive_us;
    plain[i] = result_cpu (&results[i][0]) / result_cpu (result);
    offload[i] = result_cpu (result) / result_cpu (&results[i][2]);
  }
  g_print ("%-22s %9.0f %8.2f %8.2f %10.2f %10.2f\n", variants[which].name,
      median (rate, n_rounds), median (tx, n_rounds), median (rx, n_rounds),
      median (plain, n_rounds), median (offload, n_rounds));
}

int
main (int argc, char *argv[])
{
  g_autofree Result **results = NULL;
  guint i, j;

  gst_init (&argc, &argv);
  if (argc > 1)
    n_packets = (guint) atoi (argv[1]);
  if (argc > 2)
    packet_size = (gsize) atoi (argv[2]);
  if (argc > 3)
    n_rounds = (guint) atoi (argv[3]);
  n_packets -= n_packets % MAX_LIST;

  results = g_new (Result *, n_rounds);
  for (i = 0; i < n_rounds; i++) {
    results[i] = g_new0 (Result, G_N_ELEMENTS (variants));
    for (j = 0; j < G_N_ELEMENTS (variants); j++)
      variants[j].run (variants[j].list, variants[j].offload, variants[j].batch,
          &results[i][j]);
  }

  g_print ("%" G_GSIZE_FORMAT " bytes, medians of %u rounds of %u packets\n",
      packet_size, n_rounds, n_packets);
  g_print ("%-22s %9s %8s %8s %10s %10s\n", "", "packets/s", "tx us", "rx us",
      "x sendto", "/ GSO32");
  for (j = 0; j < G_N_ELEMENTS (variants); j++)
    print_variant (j, results);
  for (i = 0; i < n_rounds; i++)
    g_free (results[i]);
  return 0;
}
