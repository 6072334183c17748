/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A second socket on a port, connected to one address, and who reads it. */

#include <string.h>

#include "gst/ice/io/lane.h"
#include "io-socket-support.h"

typedef struct
{
  IoPeer base, peer;
  IceLane *lane; /* (owned) (nullable) */
  GError *error; /* (owned) (nullable) of opening */
  IceAddress to;
  gboolean handed_over; /* under io_lock */
} Fixture;

static void
on_handed_over (gpointer user_data)
{
  Fixture *self = user_data;

  io_lock ();
  self->handed_over = TRUE;
  io_unlock ();
}

static void
open_on_loop (gpointer user_data)
{
  Fixture *self = user_data;

  self->lane = ice_lane_open (
      self->base.socket, &self->to, on_handed_over, self, &self->error);
  if (self->lane)
    ice_lane_settle (self->lane);
}

static void
close_on_loop (gpointer user_data)
{
  ice_lane_close (user_data);
}

static void
open_lane (Fixture *self)
{
  io_run (self->base.loop, open_on_loop, self);
  g_assert_no_error (self->error);
  g_assert_nonnull (self->lane);
}

static void
fixture_init (Fixture *self, const gchar *ip)
{
  memset (self, 0, sizeof *self);
  io_peer_init (&self->base, ip, NULL);
  io_peer_init (&self->peer, ip, NULL);
  self->to = self->peer.address;
}

static void
fixture_clear (Fixture *self)
{
  if (self->lane) {
    io_run (self->base.loop, close_on_loop, self->lane);
    ice_lane_unref (self->lane);
  }
  g_clear_error (&self->error);
  io_peer_clear (&self->base);
  io_peer_clear (&self->peer);
}

static gboolean
can_connect (void)
{
  if (ice_udp_batch_resolve (ICE_UDP_BATCH_DEFAULT) == ICE_UDP_BATCH_LINUX)
    return TRUE;
  g_test_skip ("this backend connects no sockets");
  return FALSE;
}

static void
send_some (IoPeer *from, const IoPeer *to, guint first, guint n)
{
  for (guint i = first; i < first + n; i++) {
    const guint8 bytes[2] = { 0x80, (guint8) i };

    ice_socket_send (
        from->socket, &to->address, ICE_BYTES (bytes, sizeof bytes));
  }
}

/* How many came to the port from @from; with the lock. */
static guint
count_from (const IoPeer *base, const IoPeer *from)
{
  guint n = 0;

  for (guint i = 0; i < base->packets->len; i++) {
    const IceRxPacket *packet = &g_array_index (base->packets, IceRxPacket, i);

    if (ice_address_equal (&packet->from, &from->address))
      n++;
  }
  return n;
}

/* Lets the reader in. */
static void
enter (Fixture *self)
{
  if (ice_lane_enter (self->lane))
    return;
  io_lock ();
  self->handed_over = FALSE;
  io_unlock ();
  send_some (&self->peer, &self->base, 99, 1);
  io_lock ();
  io_wait_for (self->handed_over);
  io_unlock ();
  g_assert_true (ice_lane_enter (self->lane));
}

static guint8
read_one (Fixture *self)
{
  IceRxPacket *packets;
  guint8 number;
  guint n;

  while ((n = ice_lane_read (self->lane, &packets)) == 0)
    g_assert_cmpint (
        ice_lane_wait (self->lane, 10 * ICE_SECOND), ==, ICE_LANE_PACKETS);
  g_assert_true (ice_address_equal (&packets[0].from, &self->to));
  number = packets[0].data.data[1];
  ice_lane_done (self->lane);
  return number;
}

static gboolean
can_bind_again (const IceAddress *address)
{
  IceNativeAddress native;
  g_autoptr (GSocketAddress) socket_address = g_socket_address_new_from_native (
      &native, ice_address_to_native (address, &native));
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  /* With SO_REUSEPORT. */
  return g_socket_bind (socket, socket_address, TRUE, NULL);
}

static void
test_all_arrive (gconstpointer ip)
{
  Fixture f;
  IoPeer stranger;

  if (!can_connect ())
    return;
  g_test_summary ("The port hears both, its peer by the connected socket; "
                  "nobody else can have the port");
  fixture_init (&f, ip);
  io_peer_init (&stranger, ip, NULL);
  open_lane (&f);
  send_some (&f.peer, &f.base, 0, 50);
  send_some (&stranger, &f.base, 0, 50);
  io_lock ();
  io_wait_for (count_from (&f.base, &f.peer) == 50 &&
      count_from (&f.base, &stranger) == 50);
  io_unlock ();
  if (f.base.address.family == ICE_FAMILY_IPV4)
    g_assert_false (can_bind_again (&f.base.address));
  io_peer_clear (&stranger);
  fixture_clear (&f);
}

static void
test_one_to_an_address (void)
{
  Fixture f;
  g_autoptr (GPtrArray) lanes = g_ptr_array_new ();

  if (!can_connect ())
    return;
  g_test_summary ("A 5-tuple has one, and a port sixteen");
  fixture_init (&f, "127.0.0.1");
  open_lane (&f);
  g_ptr_array_add (lanes, g_steal_pointer (&f.lane));
  io_run (f.base.loop, open_on_loop, &f);
  g_assert_null (f.lane);
  g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_clear_error (&f.error);
  while (lanes->len < 16) {
    f.to.port = (guint16) (20000 + lanes->len);
    open_lane (&f);
    g_ptr_array_add (lanes, g_steal_pointer (&f.lane));
  }
  f.to.port = 30000;
  io_run (f.base.loop, open_on_loop, &f);
  g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  for (guint i = 0; i < lanes->len; i++) {
    io_run (f.base.loop, close_on_loop, lanes->pdata[i]);
    ice_lane_unref (lanes->pdata[i]);
  }
  fixture_clear (&f);
}

static void
test_reader (void)
{
  Fixture f;
  IceRxPacket *packets;
  guint n;

  if (!can_connect ())
    return;
  g_test_summary ("The reader takes over at the next packet, in order, and "
                  "hands on what is not for him");
  fixture_init (&f, "127.0.0.1");
  open_lane (&f);
  g_assert_false (ice_lane_enter (f.lane));
  enter (&f);
  g_assert_cmpuint (read_one (&f), ==, 99);
  for (guint i = 0; i < 50; i++) {
    send_some (&f.peer, &f.base, i, 1);
    g_assert_cmpuint (read_one (&f), ==, i);
    ice_lane_leave (f.lane);
    g_assert_true (ice_lane_enter (f.lane));
  }
  io_lock ();
  g_assert_cmpuint (count_from (&f.base, &f.peer), ==, 0);
  io_unlock ();

  send_some (&f.peer, &f.base, 7, 1);
  while ((n = ice_lane_read (f.lane, &packets)) == 0)
    ice_lane_wait (f.lane, 10 * ICE_SECOND);
  ice_lane_pass_on (f.lane, &packets[0]);
  ice_lane_done (f.lane);
  io_lock ();
  io_wait_for (count_from (&f.base, &f.peer) == 1);
  io_unlock ();
  ice_lane_leave (f.lane);
  fixture_clear (&f);
}

static void
test_strays_are_bounded (void)
{
  Fixture f;
  const guint8 byte = 0;
  IceRxPacket packet = { .data = ICE_BYTES (&byte, 1) };

  if (!can_connect ())
    return;
  g_test_summary ("A flood that a reader hands on does not pile up");
  fixture_init (&f, "127.0.0.1");
  open_lane (&f);
  enter (&f);
  packet.from = f.peer.address;
  io_lock (); /* the loop's thread waits for it */
  for (guint i = 0; i < 10000; i++)
    ice_lane_pass_on (f.lane, &packet);
  io_wait_for (count_from (&f.base, &f.peer) > 0);
  io_unlock ();
  ice_lane_leave (f.lane);
  io_run (f.base.loop, close_on_loop, f.lane);
  io_lock ();
  g_assert_cmpuint (count_from (&f.base, &f.peer), <, 1000);
  io_unlock ();
  fixture_clear (&f);
}

static void
test_absent_reader (void)
{
  Fixture f;

  if (!can_connect ())
    return;
  g_test_summary ("Who does not come back is replaced by the loop");
  fixture_init (&f, "127.0.0.1");
  open_lane (&f);
  enter (&f);
  read_one (&f);
  ice_lane_leave (f.lane);
  send_some (&f.peer, &f.base, 0, 20);
  io_lock ();
  io_wait_for (count_from (&f.base, &f.peer) == 20);
  io_unlock ();
  fixture_clear (&f);
}

static gpointer
wait_inside (gpointer user_data)
{
  Fixture *f = user_data;

  while (!ice_socket_is_closed (ice_lane_get_socket (f->lane)))
    ice_lane_wait (f->lane, ICE_TIME_NEVER);
  send_some (&f->peer, &f->base, 0, 5);
  ice_lane_leave (f->lane);
  g_assert_false (ice_lane_enter (f->lane));
  return NULL;
}

static void
test_close (void)
{
  g_test_summary ("Closing wakes who waits inside; what is left in it reaches "
                  "the port, whoever was reading");
  if (!can_connect ())
    return;
  for (guint inside = 0; inside < 2; inside++) {
    GThread *thread;
    Fixture f;

    fixture_init (&f, "127.0.0.1");
    open_lane (&f);
    enter (&f);
    read_one (&f);
    if (inside) {
      thread = g_thread_new ("reader", wait_inside, &f);
      io_run (f.base.loop, close_on_loop, f.lane);
      g_thread_join (thread);
    } else {
      ice_lane_leave (f.lane);
      send_some (&f.peer, &f.base, 0, 5);
      io_run (f.base.loop, close_on_loop, f.lane);
    }
    io_lock ();
    io_wait_for (count_from (&f.base, &f.peer) == 5);
    io_unlock ();
    fixture_clear (&f);
  }
}

static gpointer
wake_often (gpointer user_data)
{
  Fixture *f = user_data;

  for (guint i = 0; i < 100; i++)
    ice_lane_wake (f->lane);
  return NULL;
}

static void
test_wake (void)
{
  Fixture f;
  GThread *thread;

  if (!can_connect ())
    return;
  g_test_summary ("Woken from elsewhere, and by time alone");
  fixture_init (&f, "127.0.0.1");
  open_lane (&f);
  enter (&f);
  read_one (&f);
  g_assert_cmpint (ice_lane_wait (f.lane, 0), ==, ICE_LANE_TIMEOUT);
  g_assert_cmpint (ice_lane_wait (f.lane, ICE_MSEC), ==, ICE_LANE_TIMEOUT);
  thread = g_thread_new ("wake", wake_often, &f);
  g_assert_cmpint (ice_lane_wait (f.lane, ICE_TIME_NEVER), ==, ICE_LANE_WOKEN);
  g_thread_join (thread);
  ice_lane_leave (f.lane);
  fixture_clear (&f);
}

static void
test_send (void)
{
  Fixture f;
  g_autoptr (GstBuffer) buffer = NULL;
  const IceSendBatch batch = { .buffers = &buffer, .n_buffers = 1 };
  g_autoptr (GError) error = NULL;

  if (!can_connect ())
    return;
  buffer = io_buffer_new (1, 500, 2);
  g_test_summary ("What it sends comes from the port; when nobody is there any "
                  "more the port hears of it, and sending goes on");
  fixture_init (&f, "127.0.0.1");
  open_lane (&f);
  g_assert_cmpuint (ice_socket_send_batch (ice_lane_get_socket (f.lane), &f.to,
                        &batch, NULL, &error),
      ==, 1);
  g_assert_no_error (error);
  io_lock ();
  io_wait_for (f.peer.received->len == 1);
  g_assert_cmpuint (count_from (&f.peer, &f.base), ==, 1);
  io_buffer_assert (f.peer.received->pdata[0], 1, 500);
  io_unlock ();

  enter (&f);
  read_one (&f);
  io_peer_clear (&f.peer);
  for (guint i = 0; i < 5; i++) {
    g_assert_cmpuint (ice_socket_send_batch (ice_lane_get_socket (f.lane),
                          &f.to, &batch, NULL, &error),
        ==, 1);
    g_assert_no_error (error);
    ice_lane_wait (f.lane, 10 * ICE_SECOND);
  }
  io_lock ();
  io_wait_for (f.base.unreachable->len > 0);
  io_unlock ();
  ice_lane_leave (f.lane);
  io_peer_init (&f.peer, "127.0.0.1", NULL);
  fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  int status;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/lane/all-arrive", "127.0.0.1", test_all_arrive);
  g_test_add_data_func ("/lane/all-arrive-ipv6", "::1", test_all_arrive);
  g_test_add_func ("/lane/one-to-an-address", test_one_to_an_address);
  g_test_add_func ("/lane/reader", test_reader);
  g_test_add_func ("/lane/strays-are-bounded", test_strays_are_bounded);
  g_test_add_func ("/lane/absent-reader", test_absent_reader);
  g_test_add_func ("/lane/close", test_close);
  g_test_add_func ("/lane/wake", test_wake);
  g_test_add_func ("/lane/send", test_send);
  status = g_test_run ();
  io_wait_for_no_threads ();
  return status;
}
