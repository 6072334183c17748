/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Routes over real sockets on loopback. */
#include "gst/ice/gsticeroute-private.h"
#include "tests/io/io-socket-support.h"

typedef struct
{
  IoPeer sender, receiver;
  GstIceRoute *route;
  GPtrArray *buffers; /* (element-type GstBuffer) */
} Fixture;

#define N_PACKETS 150 /* more than two looks at the revoked flag */

/* Runs of equal sizes and odd ones. */
static gsize
size_of (guint i)
{
  return i % 10 == 9 ? 100 + i : 1000;
}

static void
set_up (Fixture *self, gconstpointer user_data)
{
  const guint16 channel = (guint16) GPOINTER_TO_UINT (user_data);
  guint i;

  io_peer_init (&self->sender, "127.0.0.1", NULL);
  io_peer_init (&self->receiver, "127.0.0.1", NULL);
  self->route =
      gst_ice_route_new (self->sender.socket, &self->receiver.address, channel);
  self->buffers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  for (i = 0; i < N_PACKETS; i++)
    g_ptr_array_add (self->buffers, io_buffer_new (i, size_of (i), 1 + i % 3));
}

static void
tear_down (Fixture *self, gconstpointer user_data)
{
  gst_ice_route_unref (self->route);
  g_ptr_array_unref (self->buffers);
  io_peer_clear (&self->sender);
  io_peer_clear (&self->receiver);
  io_wait_for_no_threads ();
}

static guint
send_all (Fixture *self, guint *ret_n_discarded)
{
  g_autoptr (GError) error = NULL;
  guint n = gst_ice_route_send (self->route, NULL,
      (GstBuffer **) self->buffers->pdata, N_PACKETS, ret_n_discarded, &error);

  g_assert_no_error (error);
  return n;
}

static void
test_send (Fixture *self, gconstpointer user_data)
{
  const guint16 channel = (guint16) GPOINTER_TO_UINT (user_data);
  guint n_discarded, i;

  g_assert_cmpuint (send_all (self, &n_discarded), ==, N_PACKETS);
  g_assert_cmpuint (n_discarded, ==, 0);
  io_lock ();
  io_wait_for (self->receiver.received->len == N_PACKETS);
  for (i = 0; i < N_PACKETS; i++) {
    GstBuffer *buffer = g_ptr_array_index (self->receiver.received, i);

    if (channel != 0) {
      guint8 header[4];

      g_assert_cmpuint (gst_buffer_extract (buffer, 0, header, 4), ==, 4);
      g_assert_cmpuint (GST_READ_UINT16_BE (header), ==, channel);
      g_assert_cmpuint (GST_READ_UINT16_BE (header + 2), ==, size_of (i));
      gst_buffer_resize (buffer, 4, -1);
    }
    io_buffer_assert (buffer, i, size_of (i));
  }
  io_unlock ();
}

static void
test_revoked (Fixture *self, gconstpointer user_data)
{
  guint n_discarded;

  gst_ice_route_revoke (self->route);
  g_assert_cmpuint (send_all (self, &n_discarded), ==, N_PACKETS);
  g_assert_cmpuint (n_discarded, ==, N_PACKETS);
}

/* A route outlives the socket's closing, and says nothing worse than "gone". */
static void
test_closed (Fixture *self, gconstpointer user_data)
{
  guint n_discarded;

  io_peer_close (&self->sender);
  g_assert_cmpuint (send_all (self, &n_discarded), ==, N_PACKETS);
  g_assert_cmpuint (n_discarded, ==, N_PACKETS);
}

static void
test_too_large (Fixture *self, gconstpointer user_data)
{
  g_autoptr (GstBuffer) small = io_buffer_new (1, 100, 1);
  g_autoptr (GstBuffer) large = io_buffer_new (2, 65536, 1);
  GstBuffer *buffers[] = { small, large, small };
  g_autoptr (GError) error = NULL;
  guint n_discarded;

  g_assert_cmpuint (
      gst_ice_route_send (self->route, NULL, buffers, 3, &n_discarded, &error),
      ==, 1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
  g_assert_cmpuint (n_discarded, ==, 0);
}

static void
test_max_payload (Fixture *self, gconstpointer user_data)
{
  static const struct
  {
    const gchar *ip;
    guint16 channel;
    guint expected;
  } table[] = {
    { "192.0.2.1", 0, 1472 },
    { "192.0.2.1", 0x4000, 1468 },
    { "2001:db8::1", 0, 1452 },
    { "2001:db8::1", 0x4000, 1448 },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GstIceRoute) route = NULL;
    IceAddress to;

    g_assert_true (ice_address_parse (&to, table[i].ip, 5000));
    route = gst_ice_route_new (self->sender.socket, &to, table[i].channel);
    g_assert_cmpuint (
        gst_ice_route_get_max_payload (route), ==, table[i].expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(path, data, func)                                                  \
  g_test_add (path, Fixture, GUINT_TO_POINTER (data), set_up, func, tear_down)
  ADD ("/route/send", 0, test_send);
  ADD ("/route/send-by-channel", 0x4001, test_send);
  ADD ("/route/revoked", 0, test_revoked);
  ADD ("/route/closed", 0, test_closed);
  ADD ("/route/too-large", 0, test_too_large);
  ADD ("/route/max-payload", 0, test_max_payload);
  return g_test_run ();
}
