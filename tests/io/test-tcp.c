/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gst/ice/io/tcp.h"
#include "io-support.h"

/* A listener and what came to it, on one loop; the other end is a plain
 * blocking socket of the test's. */
typedef struct
{
  IceLoop *loop;    /* (owned) */
  IceTcp *listener; /* (owned) */
  IceTcp *tcp;      /* (owned) (nullable) accepted last, or connecting */
  IceAddress address;
  IceSocketOptions options;
  IceFraming framing;
  GError *error;

  /* Under io_lock. */
  GPtrArray *frames; /* (owned) (element-type GBytes) */
  guint n_accepted, n_opened, n_closed;
  gchar *reason; /* (owned) */
} Server;

static void
on_opened (IceTcp *tcp, gpointer user_data)
{
  Server *self = user_data;

  io_lock ();
  self->n_opened++;
  io_unlock ();
}

static void
on_packets (
    IceTcp *tcp, IceRxPacket *packets, guint n_packets, gpointer user_data)
{
  Server *self = user_data;

  io_lock ();
  for (guint i = 0; i < n_packets; i++) {
    g_autoptr (GstBuffer) buffer =
        ice_rx_packet_to_buffer (&packets[i], 0, packets[i].data.size);
    g_autoptr (GBytes) bytes =
        g_bytes_new (packets[i].data.data, packets[i].data.size);

    g_assert_cmpint (gst_buffer_memcmp (
                         buffer, 0, packets[i].data.data, packets[i].data.size),
        ==, 0);
    g_ptr_array_add (self->frames, g_steal_pointer (&bytes));
  }
  io_unlock ();
}

static void
on_closed (IceTcp *tcp, const gchar *reason, gpointer user_data)
{
  Server *self = user_data;

  io_lock ();
  self->n_closed++;
  g_free (self->reason);
  self->reason = g_strdup (reason);
  io_unlock ();
}

static void on_accepted (IceTcp *listener, GSocket *connection,
    const IceAddress *remote, gpointer user_data);

static const IceTcpEvents events = { on_opened, on_accepted, on_packets,
  on_closed };

static void
on_accepted (IceTcp *listener, GSocket *connection, const IceAddress *remote,
    gpointer user_data)
{
  Server *self = user_data;

  io_lock ();
  if (self->tcp) {
    ice_tcp_close (self->tcp);
    ice_tcp_unref (self->tcp);
  }
  self->tcp = ice_tcp_adopt (self->loop, connection, &self->address, remote,
      self->framing, &self->options, &events, self, &self->error);
  self->n_accepted++;
  io_unlock ();
}

static void
open_server (gpointer user_data)
{
  Server *self = user_data;

  self->listener = ice_tcp_listen (
      self->loop, &self->address, &self->options, &events, self, &self->error);
  if (self->listener)
    ice_tcp_get_local (self->listener, &self->address);
}

static void
server_init (Server *self, IceFraming framing)
{
  *self = (Server){
    .loop = ice_loop_acquire (), .framing = framing, .options = { .dscp = -1 }
  };
  g_assert_true (ice_address_parse (&self->address, "127.0.0.1", 0));
  self->frames =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  io_run (self->loop, open_server, self);
  g_assert_no_error (self->error);
}

static void
close_server (gpointer user_data)
{
  Server *self = user_data;

  if (self->listener)
    ice_tcp_close (self->listener);
  if (self->tcp)
    ice_tcp_close (self->tcp);
}

static void
server_clear (Server *self)
{
  io_run (self->loop, close_server, self);
  g_clear_pointer (&self->listener, ice_tcp_unref);
  g_clear_pointer (&self->tcp, ice_tcp_unref);
  g_clear_pointer (&self->loop, ice_loop_unref);
  g_ptr_array_unref (self->frames);
  g_free (self->reason);
  g_clear_error (&self->error);
  io_wait_for_no_threads ();
}

/* The other end. */

static gint
dial (const Server *self)
{
  struct sockaddr_in to = { .sin_family = AF_INET,
    .sin_port = g_htons (self->address.port) };
  gint fd = socket (AF_INET, SOCK_STREAM, 0);

  to.sin_addr.s_addr = g_htonl (INADDR_LOOPBACK);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &to, sizeof to), ==, 0);
  return fd;
}

static gint
dial_and_wait (Server *self)
{
  guint before;
  gint fd;

  io_lock ();
  before = self->n_accepted;
  io_unlock ();
  fd = dial (self);
  io_lock ();
  io_wait_for (self->n_accepted > before);
  io_unlock ();
  return fd;
}

static void
write_all (gint fd, gconstpointer data, gsize size)
{
  g_assert_cmpint (send (fd, data, size, MSG_NOSIGNAL), ==, (gssize) size);
}

static void
reset (gint fd)
{
  struct linger now = { .l_onoff = 1, .l_linger = 0 };

  setsockopt (fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close (fd);
}

/* Tests */

static void
test_frames (void)
{
  static const guint8 stream[] = { 0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd' };
  g_autofree guint8 *large = g_malloc0 (2 + 65535);
  Server server;
  gint fd;

  g_test_summary ("Frames come whole, byte by byte, all at once and as large "
                  "as they get (RFC 4571 2)");
  server_init (&server, ICE_FRAMING_RFC4571);
  fd = dial_and_wait (&server);
  for (guint i = 0; i < sizeof stream; i++)
    write_all (fd, stream + i, 1);
  write_all (fd, stream, sizeof stream);
  large[0] = large[1] = 0xff;
  write_all (fd, large, 2 + 65535);
  io_lock ();
  io_wait_for (server.frames->len == 5);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (
        g_bytes_get_size (server.frames->pdata[i]), ==, i % 2 == 0 ? 3 : 1);
  g_assert_cmpuint (g_bytes_get_size (server.frames->pdata[4]), ==, 65535);
  g_assert_cmpuint (server.n_closed, ==, 0);
  io_unlock ();
  close (fd);
  server_clear (&server);
}

typedef enum
{
  END_EOF,
  END_HALF_CLOSE,
  END_RST,
  END_RST_MID_FRAME,
  END_RUBBISH,
  N_ENDS,
} End;

static void
test_ends (void)
{
  g_test_summary ("Whatever ends it is told once, and the loop sleeps again");
  for (End end = END_EOF; end < N_ENDS; end++) {
    Server server;
    gint fd;

    server_init (
        &server, end == END_RUBBISH ? ICE_FRAMING_TURN : ICE_FRAMING_RFC4571);
    fd = dial_and_wait (&server);
    if (end == END_HALF_CLOSE)
      shutdown (fd, SHUT_WR);
    else if (end == END_RST_MID_FRAME)
      write_all (fd, "\1\0half", 6);
    else if (end == END_RUBBISH)
      write_all (fd, "\200\140\0\1", 4);
    if (end == END_RST || end == END_RST_MID_FRAME)
      reset (fd);
    else if (end == END_EOF)
      close (fd);
    io_lock ();
    io_wait_for (server.n_closed > 0);
    g_test_message ("%d: %s", end, server.reason);
    io_unlock ();
    g_assert_false (ice_tcp_send (server.tcp, ICE_BYTES ("x", 1)));
    if (end == END_HALF_CLOSE || end == END_RUBBISH)
      close (fd);
    io_run (server.loop, close_server, &server);
    io_lock ();
    g_assert_cmpuint (server.n_closed, ==, 1);
    io_unlock ();
    server_clear (&server);
  }
}

static void
connect_to_nobody (gpointer user_data)
{
  Server *self = user_data;
  IceAddress local;

  ice_address_parse (&local, "127.0.0.1", 0);
  ice_tcp_close (self->listener);
  g_clear_pointer (&self->listener, ice_tcp_unref);
  self->tcp = ice_tcp_connect (self->loop, &local, &self->address,
      ICE_FRAMING_RFC4571, &self->options, &events, self, &self->error);
}

static void
test_refused (void)
{
  Server server;

  g_test_summary ("Refused is told, by the event or at once");
  server_init (&server, ICE_FRAMING_RFC4571);
  io_run (server.loop, connect_to_nobody, &server);
  if (server.tcp) {
    io_lock ();
    io_wait_for (server.n_closed == 1);
    g_assert_cmpuint (server.n_opened, ==, 0);
    io_unlock ();
  } else {
    g_assert_nonnull (server.error);
    g_clear_error (&server.error);
  }
  server_clear (&server);
}

static gboolean
read_all (gint fd, guint8 *data, gsize size)
{
  while (size > 0) {
    gssize n = recv (fd, data, size, 0);

    if (n <= 0)
      return FALSE;
    data += n;
    size -= (gsize) n;
  }
  return TRUE;
}

/* Design 9.10: the peer does not read for a while. */
static void
test_bounded_queue (void)
{
  const guint n = 20000;
  const gsize size = 1000;
  g_autofree guint8 *payload = g_malloc0 (size);
  Server server;
  guint n_discarded = 0, n_received = 0, last = 0, n_control = 0;
  gint fd;

  g_test_summary (
      "Of media that nobody reads the oldest goes, whole frames, in "
      "order; control stays (design 9.10)");
  server_init (&server, ICE_FRAMING_RFC4571);
  fd = dial_and_wait (&server);
  for (guint i = 1; i <= n; i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, size, NULL);
    IceSendBatch batch = { &buffer, 1, 0 };
    g_autoptr (GError) error = NULL;
    guint discarded = 0;

    memcpy (payload, &i, sizeof i);
    gst_buffer_fill (buffer, 0, payload, size);
    g_assert_cmpuint (
        ice_tcp_send_batch (server.tcp, &batch, &discarded, &error), ==, 1);
    g_assert_no_error (error);
    n_discarded += discarded;
    if (i % 100 == 0)
      g_assert_true (ice_tcp_send (server.tcp, ICE_BYTES ("control", 7)));
  }
  g_assert_cmpuint (n_discarded, >, 0);
  while (last < n || n_control < n / 100) {
    guint8 header[2];
    guint16 length;

    g_assert_true (read_all (fd, header, 2));
    length = (guint16) (header[0] << 8 | header[1]);
    g_assert_true (length == size || length == 7);
    g_assert_true (read_all (fd, payload, length));
    if (length == 7) {
      g_assert_cmpint (memcmp (payload, "control", 7), ==, 0);
      n_control++;
    } else {
      guint number;

      memcpy (&number, payload, sizeof number);
      g_assert_cmpuint (number, >, last);
      last = number;
      n_received++;
    }
  }
  g_assert_cmpuint (n_control, ==, n / 100);
  g_assert_cmpuint (n_received + n_discarded, ==, n);
  close (fd);
  server_clear (&server);
}

static void
test_close_while_full (void)
{
  g_autofree guint8 *payload = g_malloc0 (65535);
  Server server;
  gint fd;

  g_test_summary ("Closing in the middle of a frame that nobody reads leaves "
                  "nothing behind (the leak checker looks)");
  server_init (&server, ICE_FRAMING_RFC4571);
  fd = dial_and_wait (&server);
  for (guint i = 0; i < 200; i++)
    g_assert_true (ice_tcp_send (server.tcp, ICE_BYTES (payload, 65535)));
  server_clear (&server);
  close (fd);
}

static void
test_port_range (void)
{
  Server first, second = { 0 };

  g_test_summary ("Two agents with one port range do not share a port, though "
                  "it may be shared for simultaneous open");
  server_init (&first, ICE_FRAMING_RFC4571);
  second = (Server){ .loop = first.loop, .options = { .dscp = -1 } };
  second.options.min_port = second.options.max_port = first.address.port;
  g_assert_true (ice_address_parse (&second.address, "127.0.0.1", 0));
  second.frames = g_ptr_array_new ();
  io_run (second.loop, open_server, &second);
  g_assert_null (second.listener);
  g_assert_error (second.error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_clear_error (&second.error);
  g_ptr_array_unref (second.frames);
  server_clear (&first);
}

static void
test_descriptors (void)
{
  guint before = io_count_fds ();

  g_test_summary ("Connections that come and go leave nothing behind");
  for (guint round = 0; round < 3; round++) {
    Server server;
    gint fds[20];

    server_init (&server, ICE_FRAMING_RFC4571);
    for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
      fds[i] = dial_and_wait (&server);
    for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
      close (fds[i]);
    server_clear (&server);
  }
  g_assert_cmpuint (io_count_fds (), ==, before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/io/tcp/frames", test_frames);
  g_test_add_func ("/io/tcp/ends", test_ends);
  g_test_add_func ("/io/tcp/refused", test_refused);
  g_test_add_func ("/io/tcp/bounded-queue", test_bounded_queue);
  g_test_add_func ("/io/tcp/close-while-full", test_close_while_full);
  g_test_add_func ("/io/tcp/port-range", test_port_range);
  g_test_add_func ("/io/tcp/descriptors", test_descriptors);
  return g_test_run ();
}
