/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeinbox-private.h"

#include <gst/net/gstnetaddressmeta.h>

#include "io/loop.h"

/* What is kept for a slow reader: 8 MiB are half a second of 130 Mbit/s. */
#define MAX_PACKETS 4096
#define MAX_BYTES (8 * 1024 * 1024)
#define MIN_RING 64 /* a power of two */

void
gst_ice_inbox_init (GstIceInbox *self)
{
  memset (self, 0, sizeof (*self));
  self->staged = g_ptr_array_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
}

static void follow (GstIceInbox *self, GCancellable *cancellable);

static void
drop_staged (GstIceInbox *self)
{
  guint i;

  for (i = 0; i < self->staged->len; i++)
    gst_buffer_unref (g_ptr_array_index (self->staged, i));
  g_ptr_array_set_size (self->staged, 0);
  self->staged_bytes = 0;
}

/* Called with the lock held. */
static GstBuffer *
ring_take_first (GstIceInbox *self)
{
  GstBuffer *buffer = self->ring[self->first];

  self->first = (self->first + 1) & (self->size - 1);
  self->length--;
  return buffer;
}

void
gst_ice_inbox_clear (GstIceInbox *self)
{
  guint i;

  follow (self, NULL);
  drop_staged (self);
  g_ptr_array_unref (self->staged);
  while (self->length > 0)
    gst_buffer_unref (ring_take_first (self));
  g_free (self->ring);
  for (i = 0; i < GST_ICE_INBOX_N_PEERS; i++)
    g_clear_object (&self->peers[i].socket_address);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

/* The loop thread's side */

GSocketAddress *
gst_ice_inbox_make_socket_address (const IceAddress *address)
{
  const gboolean is_ipv6 = address->family == ICE_FAMILY_IPV6;
  g_autoptr (GInetAddress) ip = g_inet_address_new_from_bytes (
      address->ip, is_ipv6 ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4);

  return g_object_new (G_TYPE_INET_SOCKET_ADDRESS, "address", ip, "port",
      (guint) address->port, "scope-id", is_ipv6 ? address->scope : 0, NULL);
}

static GSocketAddress *
find_socket_address (GstIceInbox *self, const IceAddress *address)
{
  GstIceInboxPeer *peer;
  guint i;

  for (i = 0; i < GST_ICE_INBOX_N_PEERS; i++) {
    peer = &self->peers[i];
    if (peer->socket_address && ice_address_equal (&peer->address, address))
      return peer->socket_address;
  }
  peer = &self->peers[self->next_peer++ % GST_ICE_INBOX_N_PEERS];
  g_clear_object (&peer->socket_address);
  peer->address = *address;
  peer->socket_address = gst_ice_inbox_make_socket_address (address);
  return peer->socket_address;
}

void
gst_ice_inbox_stage (GstIceInbox *self, GstBuffer *buffer, gsize size,
    const IceAddress *peer, IceTime received_at)
{
  GST_BUFFER_DTS (buffer) = (GstClockTime) received_at * GST_USECOND;
  gst_buffer_add_net_address_meta (buffer, find_socket_address (self, peer));
  g_ptr_array_add (self->staged, buffer);
  self->staged_bytes += size;
  self->staged_at = received_at;
}

/* Called with the lock held. */
static void
ring_reserve (GstIceInbox *self, guint n)
{
  guint size = MAX (self->size, MIN_RING), i;
  GstBuffer **ring;

  while (size < self->length + n)
    size *= 2;
  if (size == self->size)
    return;
  ring = g_new (GstBuffer *, size);
  for (i = 0; i < self->length; i++)
    ring[i] = self->ring[(self->first + i) & (self->size - 1)];
  g_free (self->ring);
  self->ring = ring;
  self->size = size;
  self->first = 0;
}

/* Called with the lock held. */
static void
count (GstIceInbox *self, const GstIceArrivals *arrivals)
{
  self->n_received += arrivals->n_packets;
  self->bytes_received += arrivals->n_bytes;
  if (self->first_received == 0)
    self->first_received = arrivals->newest;
  else
    self->gap = MAX (self->gap, arrivals->newest - self->last_received);
  self->last_received = arrivals->newest;
}

/* Called with the lock held. What no longer fits, the oldest, changes places
 * with what was staged: it is freed later, without the lock. */
static void
swallow_staged (GstIceInbox *self)
{
  const guint n = self->staged->len;
  guint i;

  ring_reserve (self, n);
  for (i = 0; i < n; i++) {
    const guint at = (self->first + self->length++) & (self->size - 1);

    self->ring[at] = g_ptr_array_index (self->staged, i);
  }
  self->bytes += self->staged_bytes;
  count (self, &(GstIceArrivals){ n, self->staged_bytes, self->staged_at });
  g_ptr_array_set_size (self->staged, 0);

  while (self->length > MAX_PACKETS || self->bytes > MAX_BYTES) {
    GstBuffer *oldest = ring_take_first (self);

    self->bytes -= gst_buffer_get_size (oldest);
    g_ptr_array_add (self->staged, oldest);
  }
  self->n_dropped += self->staged->len;
}

IceTime
gst_ice_inbox_take_gap (GstIceInbox *self)
{
  IceTime gap;

  g_mutex_lock (&self->lock);
  gap = self->gap;
  self->gap = 0;
  g_mutex_unlock (&self->lock);
  return gap;
}

/* Called with the lock held. */
static void
wake (GstIceInbox *self)
{
  /* A broadcast is a system call even when nobody waits. */
  if (self->n_waiting > 0)
    g_cond_broadcast (&self->changed);
  if (self->polled)
    ice_lane_wake (self->polled);
}

gboolean
gst_ice_inbox_show (GstIceInbox *self)
{
  const gboolean shown = self->staged->len > 0 &&
      !(g_atomic_int_get (&self->conditions) & G_IO_HUP);

  if (shown) {
    g_mutex_lock (&self->lock);
    swallow_staged (self);
    wake (self);
    g_mutex_unlock (&self->lock);
  }
  drop_staged (self);
  return shown;
}

/* Those who wait */

void
gst_ice_inbox_set_condition (
    GstIceInbox *self, GIOCondition condition, gboolean holds)
{
  if (holds)
    g_atomic_int_or (&self->conditions, (guint) condition);
  else
    g_atomic_int_and (&self->conditions, ~(guint) condition);
}

GIOCondition
gst_ice_inbox_get_condition (GstIceInbox *self)
{
  return g_atomic_int_get (&self->conditions);
}

void
gst_ice_inbox_poke (GstIceInbox *self)
{
  g_mutex_lock (&self->lock);
  wake (self);
  g_mutex_unlock (&self->lock);
}

/* Called with the lock held. */
static GIOCondition
current_condition (GstIceInbox *self)
{
  GIOCondition condition = g_atomic_int_get (&self->conditions);

  /* A read does not block any more: it says that all is over. */
  if (self->length > 0 || (condition & G_IO_HUP))
    condition |= G_IO_IN;
  return condition;
}

GIOCondition
gst_ice_inbox_check (GstIceInbox *self)
{
  GIOCondition condition;

  g_mutex_lock (&self->lock);
  condition = current_condition (self);
  g_mutex_unlock (&self->lock);
  return condition;
}

static void
on_cancelled (GCancellable *cancellable, GstIceInbox *self)
{
  gst_ice_inbox_poke (self);
}

/* The handler stays until another one is followed: connecting costs as much as
 * a packet. */
static void
follow (GstIceInbox *self, GCancellable *cancellable)
{
  if (self->cancellable == cancellable)
    return;
  g_cancellable_disconnect (self->cancellable, self->cancelled_handler);
  g_set_object (&self->cancellable, cancellable);
  self->cancelled_handler = 0;
  if (cancellable)
    self->cancelled_handler = g_cancellable_connect (
        cancellable, G_CALLBACK (on_cancelled), self, NULL);
  /* It was cancelled already, and may be reset. */
  if (self->cancelled_handler == 0)
    g_clear_object (&self->cancellable);
}

gboolean
gst_ice_inbox_begin_poll (
    GstIceInbox *self, IceLane *lane, GCancellable *cancellable)
{
  gboolean begun;

  follow (self, cancellable);
  g_mutex_lock (&self->lock);
  begun = !(current_condition (self) & G_IO_IN);
  if (begun)
    self->polled = lane;
  g_mutex_unlock (&self->lock);

  /* From now on a cancel wakes; one from before is seen here. */
  if (begun && g_cancellable_is_cancelled (cancellable)) {
    gst_ice_inbox_end_poll (self, &(GstIceArrivals){ 0 });
    begun = FALSE;
  }
  return begun;
}

void
gst_ice_inbox_end_poll (GstIceInbox *self, const GstIceArrivals *arrivals)
{
  g_mutex_lock (&self->lock);
  self->polled = NULL;
  if (arrivals->n_packets > 0)
    count (self, arrivals);
  g_mutex_unlock (&self->lock);
}

gboolean
gst_ice_inbox_wait (GstIceInbox *self, GIOCondition wanted, gint64 deadline,
    GCancellable *cancellable)
{
  GIOCondition condition;
  gboolean in_time = TRUE;
  gulong handler = 0;

  /* Both without our lock: connecting calls back at once when it is cancelled
   * already, disconnecting waits for a callback that is running. */
  if (cancellable)
    handler = g_cancellable_connect (
        cancellable, G_CALLBACK (on_cancelled), self, NULL);

  g_mutex_lock (&self->lock);
  while (!(condition = current_condition (self) & wanted) && in_time &&
      !g_cancellable_is_cancelled (cancellable)) {
    self->n_waiting++;
    if (deadline == ICE_TIME_NEVER)
      g_cond_wait (&self->changed, &self->lock);
    else
      in_time = g_cond_wait_until (&self->changed, &self->lock, deadline);
    self->n_waiting--;
  }
  g_mutex_unlock (&self->lock);

  g_cancellable_disconnect (cancellable, handler);
  return condition != 0;
}

void
gst_ice_inbox_nap (GstIceInbox *self, guint us, GCancellable *cancellable)
{
  gst_ice_inbox_wait (self, G_IO_HUP, ice_loop_now () + us, cancellable);
}

/* The reader's side */

GstBufferList *
gst_ice_inbox_take_all (GstIceInbox *self)
{
  GstBufferList *list = NULL;

  g_mutex_lock (&self->lock);
  if (self->length > 0) {
    list = gst_buffer_list_new_sized (self->length);
    while (self->length > 0)
      gst_buffer_list_add (list, ring_take_first (self));
    self->bytes = 0;
  }
  g_mutex_unlock (&self->lock);
  return list;
}

GstBuffer *
gst_ice_inbox_take_first (GstIceInbox *self)
{
  GstBuffer *buffer = NULL;

  g_mutex_lock (&self->lock);
  if (self->length > 0) {
    buffer = ring_take_first (self);
    self->bytes -= gst_buffer_get_size (buffer);
  }
  g_mutex_unlock (&self->lock);
  return buffer;
}
