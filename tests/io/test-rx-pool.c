/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "gst/ice/io/rx-pool.h"

/* Puts one packet into the pool and cuts a buffer from it, as a socket's
 * wake-up does. */
static GstBuffer *
receive_packet (IceRxPool *pool, guint8 fill, gsize size, gsize offset,
    const guint8 **ret_data)
{
  IceRxPacket packet = { NULL };
  guint8 *data;
  gsize room;
  GstBuffer *buffer;

  packet.slab = ice_rx_pool_prepare (pool, 64 * 1024, &data, &room);
  g_assert_cmpuint (room, >=, 64 * 1024);
  memset (data, fill, size);
  packet.data = ICE_BYTES (data, size);
  buffer = ice_rx_packet_to_buffer (&packet, offset, size - offset);
  ice_rx_pool_commit (pool, size);
  if (ret_data != NULL)
    *ret_data = data;
  return buffer;
}

static void
assert_filled (GstBuffer *buffer, guint8 fill, gsize size)
{
  GstMapInfo map;
  gsize i;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_assert_cmpuint (map.size, ==, size);
  for (i = 0; i < size; i++)
    g_assert_cmpuint (map.data[i], ==, fill);
  gst_buffer_unmap (buffer, &map);
}

static void
test_no_copy (void)
{
  g_autoptr (IceRxPool) pool = ice_rx_pool_new ();
  const guint8 *data;
  GstBuffer *buffer = receive_packet (pool, 7, 1200, 4, &data);
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_assert_true (map.data == data + 4);
  g_assert_cmpuint (map.size, ==, 1196);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
}

/* Decryption in place and growing back: neither may touch a neighbour. */
static void
test_neighbours (void)
{
  g_autoptr (IceRxPool) pool = ice_rx_pool_new ();
  GstBuffer *first = receive_packet (pool, 1, 1000, 0, NULL);
  GstBuffer *second = receive_packet (pool, 2, 1000, 0, NULL);
  GstBuffer *third = receive_packet (pool, 3, 1000, 0, NULL);
  gsize offset, maxsize;

  g_assert_cmpuint (gst_buffer_get_sizes (second, &offset, &maxsize), ==, 1000);
  g_assert_cmpuint (offset, ==, 0);
  g_assert_cmpuint (maxsize, ==, 1000);
  second = gst_buffer_make_writable (second);
  gst_buffer_memset (second, 0, 9, 1000);
  assert_filled (first, 1, 1000);
  assert_filled (second, 9, 1000);
  assert_filled (third, 3, 1000);
  gst_buffer_unref (first);
  gst_buffer_unref (second);
  gst_buffer_unref (third);
}

/* A consumer that lets go at once gets the same bytes again and again. */
static void
test_reuse (void)
{
  g_autoptr (IceRxPool) pool = ice_rx_pool_new ();
  const guint8 *first, *again;
  guint i;

  gst_buffer_unref (receive_packet (pool, 1, 1200, 0, &first));
  for (i = 0; i < 1000; i++) {
    gst_buffer_unref (receive_packet (pool, 1, 1200, 0, &again));
    g_assert_true (again == first);
  }
  g_assert_cmpuint (ice_rx_pool_n_pinned (pool), ==, 0);
}

/* Audio kept long beside video let go at once: what is held is what it
 * weighs. */
static void
test_small_packets_pin_nothing (void)
{
  g_autoptr (IceRxPool) pool = ice_rx_pool_new ();
  g_autoptr (GPtrArray) kept =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  guint i;

  for (i = 0; i < 2000; i++) {
    g_ptr_array_add (kept, receive_packet (pool, 5, 160, 0, NULL));
    gst_buffer_unref (receive_packet (pool, 1, 60000, 0, NULL));
  }
  g_assert_cmpuint (ice_rx_pool_n_pinned (pool), ==, 0);
  for (i = 0; i < kept->len; i++)
    assert_filled (g_ptr_array_index (kept, i), 5, 160);
}

/* 60 MB of packets, all kept: at most 16 MiB of slabs, the rest is copies. */
static void
test_cap (void)
{
  g_autoptr (IceRxPool) pool = ice_rx_pool_new ();
  g_autoptr (GPtrArray) kept =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  guint i;

  for (i = 0; i < 50000; i++) {
    g_ptr_array_add (kept, receive_packet (pool, (guint8) i, 1200, 0, NULL));
    g_assert_cmpuint (ice_rx_pool_n_pinned (pool), <=, 64);
  }
  g_assert_cmpuint (ice_rx_pool_n_pinned (pool), ==, 64);
  for (i = 0; i < kept->len; i++)
    assert_filled (g_ptr_array_index (kept, i), (guint8) i, 1200);
  g_ptr_array_set_size (kept, 0);
  g_assert_cmpuint (ice_rx_pool_n_pinned (pool), ==, 0);
}

#define N_THREADED 20000

/* Two threads, one hands buffers over. */
typedef struct
{
  GMutex lock;
  GCond filled;
  GQueue buffers;
} Handover;

static void
handover_push (Handover *self, GstBuffer *buffer)
{
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->buffers, buffer);
  g_cond_signal (&self->filled);
  g_mutex_unlock (&self->lock);
}

static GstBuffer *
handover_pop (Handover *self)
{
  GstBuffer *buffer;

  g_mutex_lock (&self->lock);
  while ((buffer = g_queue_pop_head (&self->buffers)) == NULL)
    g_cond_wait (&self->filled, &self->lock);
  g_mutex_unlock (&self->lock);
  return buffer;
}

static gpointer
release_all (gpointer user_data)
{
  Handover *handover = user_data;
  guint i;

  for (i = 0; i < N_THREADED; i++) {
    GstBuffer *buffer = handover_pop (handover);

    assert_filled (buffer, (guint8) i, 1200);
    gst_buffer_unref (buffer);
  }
  return NULL;
}

static void
test_release_elsewhere (void)
{
  IceRxPool *pool = ice_rx_pool_new ();
  Handover handover = { .buffers = G_QUEUE_INIT };
  GThread *thread;
  guint i;

  g_mutex_init (&handover.lock);
  g_cond_init (&handover.filled);
  thread = g_thread_new ("consumer", release_all, &handover);
  for (i = 0; i < N_THREADED; i++)
    handover_push (&handover, receive_packet (pool, (guint8) i, 1200, 0, NULL));
  /* Buffers outlive the pool. */
  ice_rx_pool_free (pool);
  g_thread_join (thread);
  g_mutex_clear (&handover.lock);
  g_cond_clear (&handover.filled);
}

int
main (int argc, char *argv[])
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/rx-pool/no-copy", test_no_copy);
  g_test_add_func ("/rx-pool/neighbours", test_neighbours);
  g_test_add_func ("/rx-pool/reuse", test_reuse);
  g_test_add_func (
      "/rx-pool/small-packets-pin-nothing", test_small_packets_pin_nothing);
  g_test_add_func ("/rx-pool/cap", test_cap);
  g_test_add_func ("/rx-pool/release-elsewhere", test_release_elsewhere);
  return g_test_run ();
}
