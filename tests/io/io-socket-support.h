/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/ice/io/udp-batch.h"
#include "io-support.h"

G_BEGIN_DECLS

/* A socket on loopback that keeps all it hears. */
typedef struct
{
  IceLoop *loop; /* (owned) */
  IceSocket *socket;
  IceAddress address;
  GError *error; /* of opening */

  /* Under io_lock. */
  GPtrArray *received; /* (owned) (element-type GstBuffer) */
  GArray *packets;     /* (owned) IceRxPacket: all but slab and data */
  GPtrArray *quoted;   /* (owned) (element-type GBytes) of unreachable */
  GArray *unreachable; /* (owned) IceAddress */
  guint n_wakes, n_writable;
} IoPeer;

/* "127.0.0.1" or "::1"; NULL options mean any port and the default backend. */
void
io_peer_init (IoPeer *self, const gchar *ip, const IceSocketOptions *options);
/* On a loop that is used already. */
void io_peer_init_on (IoPeer *self, IceLoop *loop, const gchar *ip,
    const IceSocketOptions *options);
/* Closes, and drops the loop. */
void io_peer_clear (IoPeer *self);
void io_peer_close (IoPeer *self);
void io_peer_forget (IoPeer *self);
/* Without GSO, without GRO: as with an old kernel. */
void io_peer_disable_offload (IoPeer *self);

/* (transfer full) @size bytes that depend on @seed, in @n_memories. */
GstBuffer *io_buffer_new (guint seed, gsize size, guint n_memories);
void io_buffer_assert (GstBuffer *buffer, guint seed, gsize size);

G_END_DECLS
