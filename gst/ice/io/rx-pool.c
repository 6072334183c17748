/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "rx-pool.h"

#define SLAB_SIZE (256 * 1024)

/* 16 MiB: a second of 100 Mbit/s, which no queue behind us should exceed. */
#define MAX_PINNED 64

/* 1 MiB kept for the next burst, warm in the cache. */
#define MAX_SPARE 4

/* Measured, buffer and its release: wrapping 150 ns at any size, copying
 * 200 ns up to here and 600 ns at 1,200 bytes. */
#define COPY_BELOW 256

/* More than the buffers that can be cut from one slab. */
#define IN_USE (1 << 20)

/* While the pool fills a slab it holds IN_USE references and counts what it
 * hands out in n_cut, without touching an atomic; the consumers' releases go
 * to @refs. At the end both are settled in one step. */
struct _IceRxSlab
{
  IceRxPool *pool;
  IceRxSlab *next; /* in the spare list, under the pool's lock */
  gsize used;
  guint n_cut;
  gint refs; /* atomic */
  guint8 data[];
};

struct _IceRxPool
{
  gatomicrefcount lives; /* one for the owner, one for each slab that is out */
  IceRxSlab *current;    /* (owned) (nullable) */
  guint n_cut_before;    /* at the last prepare */
  gint n_pinned;         /* atomic */
  IceRxPacket packets[ICE_RX_MAX_PACKETS];

  GMutex lock;
  IceRxSlab *spare; /* (owned) (nullable) last in, first out */
  guint n_spare;
};

IceRxPool *
ice_rx_pool_new (void)
{
  IceRxPool *self = g_new0 (IceRxPool, 1);

  g_atomic_ref_count_init (&self->lives);
  g_mutex_init (&self->lock);
  return self;
}

static void
rx_pool_die (IceRxPool *self)
{
  IceRxSlab *slab;

  if (!g_atomic_ref_count_dec (&self->lives))
    return;
  while ((slab = self->spare) != NULL) {
    self->spare = slab->next;
    g_free (slab);
  }
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Nobody refers to the slab any more; from any thread. */
static void
rx_slab_recycle (IceRxSlab *slab)
{
  IceRxPool *pool = slab->pool;
  gboolean keep;

  g_mutex_lock (&pool->lock);
  keep = pool->n_spare < MAX_SPARE;
  if (keep) {
    slab->next = pool->spare;
    pool->spare = slab;
    pool->n_spare++;
  }
  g_mutex_unlock (&pool->lock);

  if (!keep)
    g_free (slab);
  g_atomic_int_add (&pool->n_pinned, -1);
  rx_pool_die (pool);
}

static void
rx_slab_release (gpointer data)
{
  IceRxSlab *slab = data;

  if (g_atomic_int_dec_and_test (&slab->refs))
    rx_slab_recycle (slab);
}

/* The pool lets go of its current slab; the buffers keep it. */
static void
rx_pool_retire (IceRxPool *self)
{
  IceRxSlab *slab = g_steal_pointer (&self->current);
  gint settled;

  if (slab == NULL)
    return;
  g_atomic_ref_count_inc (&self->lives);
  g_atomic_int_add (&self->n_pinned, 1);
  settled = (gint) slab->n_cut - IN_USE;
  if (g_atomic_int_add (&slab->refs, settled) + settled == 0)
    rx_slab_recycle (slab);
}

void
ice_rx_pool_free (IceRxPool *self)
{
  rx_pool_retire (self);
  rx_pool_die (self);
}

static void
rx_slab_reset (IceRxSlab *slab)
{
  slab->used = 0;
  slab->n_cut = 0;
  g_atomic_int_set (&slab->refs, IN_USE);
}

static IceRxSlab *
rx_pool_take_slab (IceRxPool *self)
{
  IceRxSlab *slab;

  g_mutex_lock (&self->lock);
  slab = self->spare;
  if (slab != NULL) {
    self->spare = slab->next;
    self->n_spare--;
  }
  g_mutex_unlock (&self->lock);

  if (slab == NULL) {
    slab = g_malloc (sizeof (IceRxSlab) + SLAB_SIZE);
    slab->pool = self;
  }
  rx_slab_reset (slab);
  return slab;
}

IceRxSlab *
ice_rx_pool_prepare (
    IceRxPool *self, gsize size, guint8 **ret_data, gsize *ret_size)
{
  IceRxSlab *slab = self->current;

  g_return_val_if_fail (size <= SLAB_SIZE, NULL);

  /* All that was cut has come back: the same bytes, still in the cache,
   * serve again. */
  if (slab != NULL && slab->n_cut > 0 &&
      g_atomic_int_get (&slab->refs) == IN_USE - (gint) slab->n_cut)
    rx_slab_reset (slab);
  if (slab != NULL && SLAB_SIZE - slab->used < size)
    rx_pool_retire (self);
  if (self->current == NULL)
    self->current = rx_pool_take_slab (self);

  slab = self->current;
  self->n_cut_before = slab->n_cut;
  *ret_data = slab->data + slab->used;
  *ret_size = SLAB_SIZE - slab->used;
  return slab;
}

void
ice_rx_pool_commit (IceRxPool *self, gsize used)
{
  IceRxSlab *slab = self->current;

  g_return_if_fail (used <= SLAB_SIZE - slab->used);

  if (slab->n_cut > self->n_cut_before)
    slab->used += used;
}

IceRxPacket *
ice_rx_pool_get_packets (IceRxPool *self)
{
  return self->packets;
}

guint
ice_rx_pool_n_pinned (IceRxPool *self)
{
  return g_atomic_int_get (&self->n_pinned);
}

GstBuffer *
ice_rx_packet_to_buffer (const IceRxPacket *packet, gsize offset, gsize size)
{
  IceRxSlab *slab = packet->slab;
  guint8 *data = (guint8 *) packet->data.data + offset;
  GstBuffer *buffer;

  g_return_val_if_fail (offset <= packet->data.size, NULL);
  g_return_val_if_fail (size <= packet->data.size - offset, NULL);

  if (slab == NULL || size < COPY_BELOW ||
      ice_rx_pool_n_pinned (slab->pool) >= MAX_PINNED) {
    buffer = gst_buffer_new_allocate (NULL, size, NULL);
    gst_buffer_fill (buffer, 0, data, size);
    return buffer;
  }

  slab->n_cut++;
  buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer,
      gst_memory_new_wrapped (0, data, size, 0, size, slab, rx_slab_release));
  return buffer;
}
