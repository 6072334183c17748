/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "io-socket-support.h"

/* Run twice, with GST_ICE_UDP_BATCH=linux and =generic. */
static gboolean
backend_is_linux (void)
{
  return ice_udp_batch_resolve (ICE_UDP_BATCH_DEFAULT) == ICE_UDP_BATCH_LINUX;
}

static gboolean
have_ipv6 (void)
{
  IoPeer peer;
  gboolean opened;

  io_peer_init (&peer, "::1", NULL);
  opened = peer.socket != NULL;
  io_peer_clear (&peer);
  return opened;
}

/* Sends all, waiting for room where there is none. */
static void
send_all (IoPeer *from, const IoPeer *to, GPtrArray *buffers, guint16 channel)
{
  guint done = 0;

  while (done < buffers->len) {
    IceSendBatch batch = { &buffers->pdata[done], buffers->len - done,
      channel };
    g_autoptr (GError) error = NULL;
    guint n_writable, n_discarded;

    io_lock ();
    n_writable = from->n_writable;
    io_unlock ();
    done += ice_socket_send_batch (
        from->socket, &to->address, &batch, &n_discarded, &error);
    g_assert_cmpuint (n_discarded, ==, 0);
    if (done == buffers->len) {
      g_assert_no_error (error);
      break;
    }
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
    io_lock ();
    io_wait_for (from->n_writable > n_writable);
    io_unlock ();
  }
}

static GPtrArray *
buffers_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
}

static void
wait_for_packets (IoPeer *peer, guint n_packets)
{
  io_lock ();
  io_wait_for (peer->received->len >= n_packets);
  g_assert_cmpuint (peer->received->len, ==, n_packets);
  io_unlock ();
}

/* Ten thousand packets of all sizes: runs of equal ones as video has them,
 * single odd ones between. A few at a time, or loopback's receiver would
 * overflow. */

#define N_PACKETS 10000
#define MAX_IN_FLIGHT 40

static gsize
mixed_size (GRand *random, gsize last)
{
  switch (g_rand_int_range (random, 0, 8)) {
    case 0:
      return (gsize) g_rand_int_range (random, 1, 1500);
    case 1:
      return (gsize) g_rand_int_range (random, 1, 100);
    case 2:
      return 1200;
    default:
      return last;
  }
}

static void
exchange_mixed (IoPeer *from, IoPeer *to, guint32 seed)
{
  GRand *random = g_rand_new_with_seed (seed);
  gsize size = 1200;
  guint n_sent = 0, i;

  g_test_message ("seed %u", seed);
  while (n_sent < N_PACKETS) {
    guint n = (guint) g_rand_int_range (random, 1, MAX_IN_FLIGHT);
    g_autoptr (GPtrArray) buffers = buffers_new ();
    g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (gsize));

    for (i = 0; i < n; i++) {
      size = mixed_size (random, size);
      g_array_append_val (sizes, size);
      g_ptr_array_add (buffers,
          io_buffer_new (
              n_sent + i, size, (guint) g_rand_int_range (random, 1, 4)));
    }
    send_all (from, to, buffers, 0);
    wait_for_packets (to, n);
    for (i = 0; i < n; i++)
      io_buffer_assert (g_ptr_array_index (to->received, i), n_sent + i,
          g_array_index (sizes, gsize, i));
    io_peer_forget (to);
    n_sent += n;
  }
  g_rand_free (random);
}

static void
check_mixed (const gchar *ip, gboolean segment, gboolean coalesce)
{
  IoPeer from, to;

  io_peer_init (&from, ip, NULL);
  io_peer_init (&to, ip, NULL);
  if (!segment)
    io_peer_disable_offload (&from);
  if (!coalesce)
    io_peer_disable_offload (&to);
  exchange_mixed (&from, &to, 42);
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_wait_for_no_threads ();
}

static void
test_mixed_sizes (void)
{
  check_mixed ("127.0.0.1", TRUE, TRUE);
  if (backend_is_linux ()) {
    check_mixed ("127.0.0.1", TRUE, FALSE);
    check_mixed ("127.0.0.1", FALSE, TRUE);
    check_mixed ("127.0.0.1", FALSE, FALSE);
  }
}

static void
test_mixed_sizes_ipv6 (void)
{
  if (!have_ipv6 ()) {
    g_test_skip ("no IPv6 here");
    return;
  }
  check_mixed ("::1", TRUE, TRUE);
}

/* A GRO read gives the whole run to one call. */
static void
test_one_call_per_wake (void)
{
  g_autoptr (GPtrArray) buffers = buffers_new ();
  IoPeer from, to;
  guint i;

  if (!backend_is_linux ()) {
    g_test_skip ("needs UDP_SEGMENT and UDP_GRO");
    return;
  }
  io_peer_init (&from, "127.0.0.1", NULL);
  io_peer_init (&to, "127.0.0.1", NULL);
  for (i = 0; i < 32; i++)
    g_ptr_array_add (buffers, io_buffer_new (i, i == 31 ? 300 : 1200, 2));
  send_all (&from, &to, buffers, 0);
  wait_for_packets (&to, 32);
  g_assert_cmpuint (to.n_wakes, ==, 1);
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_wait_for_no_threads ();
}

static void
test_many_memories (void)
{
  g_autoptr (GPtrArray) buffers = buffers_new ();
  guint max = gst_buffer_get_max_memory ();
  IoPeer from, to;
  guint i;

  io_peer_init (&from, "127.0.0.1", NULL);
  io_peer_init (&to, "127.0.0.1", NULL);
  /* More vectors than one window holds; some memories are empty. */
  for (i = 0; i < 40; i++)
    g_ptr_array_add (buffers, io_buffer_new (i, i % 4 == 0 ? 10 : 1000, max));
  send_all (&from, &to, buffers, 0);
  wait_for_packets (&to, 40);
  for (i = 0; i < 40; i++)
    io_buffer_assert (
        g_ptr_array_index (to.received, i), i, i % 4 == 0 ? 10 : 1000);
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_wait_for_no_threads ();
}

/* RFC 8656 12.4: number and length in front, no padding behind. */
static void
test_channel_data (void)
{
  static const gsize sizes[] = { 1200, 1200, 1200, 77, 1, 1200, 1201, 1201 };
  g_autoptr (GPtrArray) buffers = buffers_new ();
  IoPeer from, to;
  guint i;

  io_peer_init (&from, "127.0.0.1", NULL);
  io_peer_init (&to, "127.0.0.1", NULL);
  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    g_ptr_array_add (buffers, io_buffer_new (i, sizes[i], 2));
  send_all (&from, &to, buffers, 0x4001);
  wait_for_packets (&to, G_N_ELEMENTS (sizes));
  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    GstBuffer *buffer = g_ptr_array_index (to.received, i);
    guint8 header[4];

    g_assert_cmpuint (gst_buffer_extract (buffer, 0, header, 4), ==, 4);
    g_assert_cmpuint (GST_READ_UINT16_BE (header), ==, 0x4001);
    g_assert_cmpuint (GST_READ_UINT16_BE (header + 2), ==, sizes[i]);
    gst_buffer_resize (buffer, 4, -1);
    io_buffer_assert (buffer, i, sizes[i]);
  }
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_wait_for_no_threads ();
}

/* The largest datagrams pass; one byte more stops the batch there. */
static void
test_too_large (void)
{
  g_autoptr (GPtrArray) buffers = buffers_new ();
  g_autoptr (GError) error = NULL;
  IceSendBatch batch;
  IoPeer from, to;
  guint n_discarded;

  io_peer_init (&from, "127.0.0.1", NULL);
  io_peer_init (&to, "127.0.0.1", NULL);
  g_ptr_array_add (buffers, io_buffer_new (0, 1200, 1));
  g_ptr_array_add (buffers, io_buffer_new (1, 65507, 2));
  g_ptr_array_add (buffers, io_buffer_new (2, 65508, 2));
  g_ptr_array_add (buffers, io_buffer_new (3, 1200, 1));
  batch = (IceSendBatch){ buffers->pdata, buffers->len, 0 };
  g_assert_cmpuint (ice_socket_send_batch (
                        from.socket, &to.address, &batch, &n_discarded, &error),
      ==, 2);
  g_assert_cmpuint (n_discarded, ==, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
  wait_for_packets (&to, 2);
  io_buffer_assert (g_ptr_array_index (to.received, 1), 1, 65507);
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_wait_for_no_threads ();
}

static gboolean
send_text (IoPeer *from, const IceAddress *to, const gchar *text)
{
  return ice_socket_send (from->socket, to, ICE_BYTES (text, strlen (text)));
}

/* Every second packet goes where nobody listens. Its ICMP answer is
 * reported, with our bytes, and costs the other packets nothing. */
static void
check_unreachable (const gchar *ip)
{
  IoPeer from, to, dead;
  guint i;

  io_peer_init (&from, ip, NULL);
  io_peer_init (&to, ip, NULL);
  io_peer_init (&dead, ip, NULL);
  io_peer_close (&dead);
  g_clear_pointer (&dead.socket, ice_socket_unref);

  for (i = 0; i < 500; i++) {
    g_autofree gchar *text = g_strdup_printf ("check %u", i);

    g_assert_true (send_text (&from, &dead.address, text));
    g_assert_true (send_text (&from, &to.address, text));
    wait_for_packets (&to, i + 1);
  }
  if (backend_is_linux ()) {
    gsize size;
    const gchar *quoted;

    /* The kernel limits the rate of ICMP: some, not all. */
    io_lock ();
    io_wait_for (from.quoted->len > 0);
    quoted = g_bytes_get_data (g_ptr_array_index (from.quoted, 0), &size);
    g_assert_cmpmem (quoted, MIN (size, 6), "check ", 6);
    g_assert_true (ice_address_equal (
        &g_array_index (from.unreachable, IceAddress, 0), &dead.address));
    io_unlock ();
  }
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_peer_clear (&dead);
  io_wait_for_no_threads ();
}

static void
test_unreachable (void)
{
  check_unreachable ("127.0.0.1");
  if (have_ipv6 ())
    check_unreachable ("::1");
}

typedef struct
{
  IceSocket *socket; /* floods itself */
  gint stop;         /* atomic */
} Flood;

static gpointer
flood (gpointer user_data)
{
  Flood *self = user_data;
  GstBuffer *buffers[32];
  IceSendBatch batch = { buffers, G_N_ELEMENTS (buffers), 0 };
  IceAddress to;
  guint i;

  ice_socket_get_local (self->socket, &to);
  for (i = 0; i < G_N_ELEMENTS (buffers); i++)
    buffers[i] = io_buffer_new (i, 100 + i, 1);
  while (!g_atomic_int_get (&self->stop))
    ice_socket_send_batch (self->socket, &to, &batch, NULL, NULL);
  for (i = 0; i < G_N_ELEMENTS (buffers); i++)
    gst_buffer_unref (buffers[i]);
  return NULL;
}

/* A socket that always has something waiting shares its loop. */
static void
test_flood_starves_nobody (void)
{
  Flood flooded = { NULL };
  IoPeer flooding, from, to;
  GThread *thread;
  guint i;

  io_peer_init (&flooding, "127.0.0.1", NULL);
  io_peer_init_on (&from, flooding.loop, "127.0.0.1", NULL);
  io_peer_init_on (&to, flooding.loop, "127.0.0.1", NULL);
  flooded.socket = flooding.socket;
  thread = g_thread_new ("flood", flood, &flooded);
  io_lock ();
  io_wait_for (flooding.received->len > 1000);
  io_unlock ();
  for (i = 0; i < 100; i++) {
    g_assert_true (send_text (&from, &to.address, "media"));
    wait_for_packets (&to, i + 1);
    io_peer_forget (&flooding);
  }
  g_atomic_int_set (&flooded.stop, TRUE);
  g_thread_join (thread);
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_peer_clear (&flooding);
  io_wait_for_no_threads ();
}

/* An empty datagram is legal and of no use to anybody. */
static void
test_empty_datagrams (void)
{
  IoPeer from, to;
  guint i;

  io_peer_init (&from, "127.0.0.1", NULL);
  io_peer_init (&to, "127.0.0.1", NULL);
  for (i = 0; i < 20; i++)
    g_assert_true (send_text (&from, &to.address, i % 4 == 3 ? "x" : ""));
  wait_for_packets (&to, 5);
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_wait_for_no_threads ();
}

static void
test_what_comes_along (void)
{
  IceSocketOptions options = { .dscp = 46 };
  IceTime before = ice_loop_now (), after;
  const IceRxPacket *packet;
  IoPeer from, to;

  io_peer_init (&from, "127.0.0.1", &options);
  io_peer_init (&to, "127.0.0.1", NULL);
  g_assert_true (send_text (&from, &to.address, "hello"));
  wait_for_packets (&to, 1);
  after = ice_loop_now ();
  packet = &g_array_index (to.packets, IceRxPacket, 0);
  g_assert_true (ice_address_equal (&packet->from, &from.address));
  /* Two clocks are compared; a millisecond is theirs. */
  g_assert_cmpint (packet->received_at, >=, before - ICE_MSEC);
  g_assert_cmpint (packet->received_at, <=, after);
  if (backend_is_linux ())
    g_assert_cmpuint (packet->traffic_class, ==, 46 << 2);
  io_peer_clear (&from);
  io_peer_clear (&to);
  io_wait_for_no_threads ();
}

static void
test_closed (void)
{
  GstBuffer *buffer = io_buffer_new (0, 100, 1);
  IceSendBatch batch = { &buffer, 1, 0 };
  g_autoptr (GError) error = NULL;
  guint n_fds = io_count_fds ();
  IoPeer from, to;
  IceSocket *kept;

  io_peer_init (&from, "127.0.0.1", NULL);
  io_peer_init (&to, "127.0.0.1", NULL);
  kept = ice_socket_ref (from.socket);
  io_peer_close (&from);
  io_peer_close (&from);
  g_assert_true (ice_socket_is_closed (kept));
  g_assert_false (send_text (&from, &to.address, "late"));
  g_assert_cmpuint (
      ice_socket_send_batch (kept, &to.address, &batch, NULL, &error), ==, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  io_peer_clear (&from);
  io_peer_clear (&to);
  /* A route may keep a socket; it does not keep a thread. */
  io_wait_for_no_threads ();
  g_assert_cmpuint (io_count_fds (), ==, n_fds + 1);
  ice_socket_unref (kept);
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
  gst_buffer_unref (buffer);
}

static void
test_wrong_destination (void)
{
  GstBuffer *buffers[2] = { io_buffer_new (0, 9, 1), io_buffer_new (1, 9, 1) };
  IceSendBatch batch = { buffers, 2, 0 };
  g_autoptr (GError) error = NULL;
  IceAddress ipv6, no_port;
  guint n_discarded;
  IoPeer from;

  io_peer_init (&from, "127.0.0.1", NULL);
  g_assert_true (ice_address_parse (&ipv6, "::1", 9));
  g_assert_true (ice_address_parse (&no_port, "127.0.0.1", 0));
  g_assert_false (send_text (&from, &ipv6, "x"));
  g_assert_false (send_text (&from, &no_port, "x"));
  g_assert_cmpuint (
      ice_socket_send_batch (from.socket, &ipv6, &batch, &n_discarded, &error),
      ==, 2);
  g_assert_no_error (error);
  g_assert_cmpuint (n_discarded, ==, 2);
  io_peer_clear (&from);
  gst_buffer_unref (buffers[0]);
  gst_buffer_unref (buffers[1]);
  io_wait_for_no_threads ();
}

/* Opening */

static void
test_port_range (void)
{
  IoPeer anchor, peers[3], late;
  IceSocketOptions options = { .dscp = -1 };
  guint i, tries;

  /* Three free ports in a row, found by asking. */
  for (tries = 0; tries < 100; tries++) {
    io_peer_init (&anchor, "127.0.0.1", NULL);
    options.min_port = MIN (anchor.address.port, 65533);
    options.max_port = options.min_port + 2;
    io_peer_clear (&anchor);
    for (i = 0; i < 3; i++)
      io_peer_init (&peers[i], "127.0.0.1", &options);
    if (peers[2].socket != NULL)
      break;
    for (i = 0; i < 3; i++)
      io_peer_clear (&peers[i]);
  }
  g_assert_cmpuint (tries, <, 100);
  for (i = 0; i < 3; i++) {
    g_assert_cmpuint (peers[i].address.port, >=, options.min_port);
    g_assert_cmpuint (peers[i].address.port, <=, options.max_port);
  }
  io_peer_init (&late, "127.0.0.1", &options);
  g_assert_error (late.error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_assert_nonnull (strstr (late.error->message, "127.0.0.1"));
  g_assert_nonnull (strstr (late.error->message, "max-port"));
  io_peer_clear (&late);
  for (i = 0; i < 3; i++)
    io_peer_clear (&peers[i]);

  options.max_port = options.min_port - 1;
  io_peer_init (&late, "127.0.0.1", &options);
  g_assert_error (late.error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  io_peer_clear (&late);
  io_wait_for_no_threads ();
}

static void
test_not_our_address (void)
{
  guint n_fds = io_count_fds ();
  IoPeer peer;

  /* RFC 5737: nobody's */
  io_peer_init (&peer, "192.0.2.1", NULL);
  g_assert_null (peer.socket);
  g_assert_nonnull (peer.error);
  g_assert_nonnull (
      strstr (peer.error->message, "Could not open a UDP socket on 192.0.2.1"));
  io_peer_clear (&peer);
  io_wait_for_no_threads ();
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

/* RFC 8421: both families on one port are two sockets. */
static void
test_ipv6_only (void)
{
  IceSocketOptions options = { .dscp = -1 };
  IoPeer ipv4, ipv6;
  guint tries;

  if (!have_ipv6 ()) {
    g_test_skip ("no IPv6 here");
    return;
  }
  for (tries = 0; tries < 100; tries++) {
    io_peer_init (&ipv6, "::", NULL);
    options.min_port = options.max_port = ipv6.address.port;
    io_peer_init (&ipv4, "0.0.0.0", &options);
    if (ipv4.socket != NULL)
      break;
    io_peer_clear (&ipv4);
    io_peer_clear (&ipv6);
  }
  g_assert_cmpuint (tries, <, 100);
  io_peer_clear (&ipv4);
  io_peer_clear (&ipv6);
  io_wait_for_no_threads ();
}

static void
test_fds (void)
{
  guint n_fds = io_count_fds ();
  guint i;

  for (i = 0; i < 300; i++) {
    IoPeer peer;

    io_peer_init (&peer, "127.0.0.1", NULL);
    g_assert_nonnull (peer.socket);
    io_peer_clear (&peer);
  }
  io_wait_for_no_threads ();
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

/* Closing under fire: senders of other threads, a callback of its own. */

static gpointer
send_until_closed (gpointer user_data)
{
  IceSocket *socket = user_data;
  GstBuffer *buffers[3];
  IceSendBatch batch = { buffers, G_N_ELEMENTS (buffers), 0 };
  IceAddress self;
  guint i;

  ice_socket_get_local (socket, &self);
  for (i = 0; i < G_N_ELEMENTS (buffers); i++)
    buffers[i] = io_buffer_new (i, 200, 1);
  while (!ice_socket_is_closed (socket)) {
    g_autoptr (GError) error = NULL;

    ice_socket_send_batch (socket, &self, &batch, NULL, &error);
    ice_socket_send (socket, &self, ICE_BYTES ("x", 1));
  }
  for (i = 0; i < G_N_ELEMENTS (buffers); i++)
    gst_buffer_unref (buffers[i]);
  ice_socket_unref (socket);
  return NULL;
}

typedef struct
{
  IceLoop *loop;
  IceSocket *socket;
  gboolean closed;
} SelfClosing;

static void
close_on_packet (IceSocket *socket, IceRxPacket *packets, guint n_packets,
    gpointer user_data)
{
  SelfClosing *self = user_data;

  io_lock ();
  g_assert_false (self->closed);
  self->closed = TRUE;
  io_unlock ();
  ice_socket_close (socket);
  ice_loop_unref (self->loop);
}

static void
open_self_closing (gpointer user_data)
{
  static const IceSocketEvents events = { .packets = close_on_packet };
  static const IceSocketOptions options = { .dscp = -1 };
  SelfClosing *self = user_data;
  IceAddress local;

  ice_address_parse (&local, "127.0.0.1", 0);
  self->socket =
      ice_socket_open_udp (self->loop, &local, &options, &events, self, NULL);
}

static void
test_close_under_fire (void)
{
  guint n_fds = io_count_fds ();
  guint round, i;

  for (round = 0; round < 100; round++) {
    SelfClosing peer = { .loop = ice_loop_acquire () };
    GThread *threads[2];

    io_run (peer.loop, open_self_closing, &peer);
    g_assert_nonnull (peer.socket);
    for (i = 0; i < G_N_ELEMENTS (threads); i++)
      threads[i] = g_thread_new (
          "sender", send_until_closed, ice_socket_ref (peer.socket));
    for (i = 0; i < G_N_ELEMENTS (threads); i++)
      g_thread_join (threads[i]);
    ice_socket_unref (peer.socket);
    io_wait_for_no_threads ();
  }
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

int
main (int argc, char *argv[])
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/socket/mixed-sizes", test_mixed_sizes);
  g_test_add_func ("/socket/mixed-sizes-ipv6", test_mixed_sizes_ipv6);
  g_test_add_func ("/socket/one-call-per-wake", test_one_call_per_wake);
  g_test_add_func ("/socket/many-memories", test_many_memories);
  g_test_add_func ("/socket/channel-data", test_channel_data);
  g_test_add_func ("/socket/too-large", test_too_large);
  g_test_add_func ("/socket/unreachable", test_unreachable);
  g_test_add_func ("/socket/flood-starves-nobody", test_flood_starves_nobody);
  g_test_add_func ("/socket/empty-datagrams", test_empty_datagrams);
  g_test_add_func ("/socket/what-comes-along", test_what_comes_along);
  g_test_add_func ("/socket/closed", test_closed);
  g_test_add_func ("/socket/wrong-destination", test_wrong_destination);
  g_test_add_func ("/socket/port-range", test_port_range);
  g_test_add_func ("/socket/not-our-address", test_not_our_address);
  g_test_add_func ("/socket/ipv6-only", test_ipv6_only);
  g_test_add_func ("/socket/fds", test_fds);
  g_test_add_func ("/socket/close-under-fire", test_close_under_fire);
  return g_test_run ();
}
