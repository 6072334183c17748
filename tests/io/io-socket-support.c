/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <netinet/udp.h>

#include "io-socket-support.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

static void
peer_packets (IceSocket *socket, IceRxPacket *packets, guint n_packets,
    gpointer user_data)
{
  IoPeer *self = user_data;
  guint i;

  g_assert_cmpuint (n_packets, >, 0);
  io_lock ();
  self->n_wakes++;
  for (i = 0; i < n_packets; i++) {
    g_ptr_array_add (self->received,
        ice_rx_packet_to_buffer (&packets[i], 0, packets[i].data.size));
    g_array_append_val (self->packets, packets[i]);
  }
  io_unlock ();
}

static void
peer_unreachable (IceSocket *socket, const IceAddress *to, IceBytes quoted,
    gint error_number, gpointer user_data)
{
  IoPeer *self = user_data;

  io_lock ();
  g_ptr_array_add (self->quoted, g_bytes_new (quoted.data, quoted.size));
  g_array_append_val (self->unreachable, *to);
  io_unlock ();
}

static void
peer_writable (IceSocket *socket, gpointer user_data)
{
  IoPeer *self = user_data;

  io_lock ();
  self->n_writable++;
  io_unlock ();
}

static const IceSocketEvents peer_events = { peer_packets, peer_unreachable,
  peer_writable };

typedef struct
{
  IoPeer *peer;
  const IceSocketOptions *options;
} Open;

static void
peer_open (gpointer user_data)
{
  Open *open = user_data;
  IoPeer *self = open->peer;

  self->socket = ice_socket_open_udp (self->loop, &self->address, open->options,
      &peer_events, self, &self->error);
  if (self->socket != NULL)
    ice_socket_get_local (self->socket, &self->address);
}

void
io_peer_init (IoPeer *self, const gchar *ip, const IceSocketOptions *options)
{
  g_autoptr (IceLoop) loop = ice_loop_acquire ();

  io_peer_init_on (self, loop, ip, options);
}

void
io_peer_init_on (IoPeer *self, IceLoop *loop, const gchar *ip,
    const IceSocketOptions *options)
{
  static const IceSocketOptions any = { .dscp = -1 };
  Open open = { self, options != NULL ? options : &any };

  memset (self, 0, sizeof *self);
  self->loop = ice_loop_ref (loop);
  self->received =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  self->packets = g_array_new (FALSE, FALSE, sizeof (IceRxPacket));
  self->quoted =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  self->unreachable = g_array_new (FALSE, FALSE, sizeof (IceAddress));
  g_assert_true (ice_address_parse (&self->address, ip, 0));
  io_run (self->loop, peer_open, &open);
}

static void
peer_close (gpointer user_data)
{
  IoPeer *self = user_data;

  ice_socket_close (self->socket);
}

void
io_peer_close (IoPeer *self)
{
  if (self->socket != NULL)
    io_run (self->loop, peer_close, self);
}

void
io_peer_forget (IoPeer *self)
{
  io_lock ();
  g_ptr_array_set_size (self->received, 0);
  g_array_set_size (self->packets, 0);
  g_ptr_array_set_size (self->quoted, 0);
  g_array_set_size (self->unreachable, 0);
  io_unlock ();
}

void
io_peer_clear (IoPeer *self)
{
  io_peer_close (self);
  g_clear_pointer (&self->socket, ice_socket_unref);
  g_clear_pointer (&self->loop, ice_loop_unref);
  g_clear_error (&self->error);
  g_ptr_array_unref (self->received);
  g_array_unref (self->packets);
  g_ptr_array_unref (self->quoted);
  g_array_unref (self->unreachable);
}

void
io_peer_disable_offload (IoPeer *self)
{
  ice_socket_set_segment_limit (self->socket, 0);
  g_socket_set_option (
      ice_socket_get_gsocket (self->socket), IPPROTO_UDP, UDP_GRO, 0, NULL);
}

static guint8
byte_at (guint seed, gsize i)
{
  return (guint8) (seed * 131 + i * 7 + (i >> 8));
}

GstBuffer *
io_buffer_new (guint seed, gsize size, guint n_memories)
{
  GstBuffer *buffer = gst_buffer_new ();
  gsize done = 0;
  guint m;

  for (m = 0; m < n_memories; m++) {
    gsize part =
        m + 1 == n_memories ? size - done : (size - done) / (n_memories - m);
    GstMemory *memory = gst_allocator_alloc (NULL, part, NULL);
    GstMapInfo map;
    gsize i;

    g_assert_true (gst_memory_map (memory, &map, GST_MAP_WRITE));
    for (i = 0; i < part; i++)
      map.data[i] = byte_at (seed, done + i);
    gst_memory_unmap (memory, &map);
    gst_buffer_append_memory (buffer, memory);
    done += part;
  }
  return buffer;
}

void
io_buffer_assert (GstBuffer *buffer, guint seed, gsize size)
{
  GstMapInfo map;
  gsize i;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_assert_cmpuint (map.size, ==, size);
  for (i = 0; i < size; i++) {
    if (map.data[i] != byte_at (seed, i))
      g_error ("byte %" G_GSIZE_FORMAT " of packet %u differs", i, seed);
  }
  gst_buffer_unmap (buffer, &map);
}
