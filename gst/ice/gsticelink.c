/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticelink-private.h"

#include "gsticeerror.h"
#include "gsticeinbox-private.h"
#include "gsticetrafficmeta.h"
#include "io/loop.h"

/* Before there is a route: what the narrowest one carries. RFC 8200 5: every
 * IPv6 link carries 1280 bytes; off go IPv6 (40) and UDP (8) headers and those
 * of a Send indication: STUN (20), XOR-PEER-ADDRESS (24), DATA (4). */
#define MIN_MAX_PAYLOAD (1280 - 40 - 8 - 20 - 24 - 4)

/* A function that any thread may be about to call while another replaces it. */
typedef struct
{
  gatomicrefcount ref_count;
  GCallback func;
  gpointer user_data;
  GDestroyNotify destroy; /* (nullable) */
} Hook;

struct _GstIceLink
{
  gatomicrefcount ref_count;
  gint state; /* (atomic) GstIceState */
  GstIceInbox inbox;

  GMutex route_lock;
  GstIceRoute *route; /* (owned) (nullable) */
  gboolean closed;    /* for good */
  guint room_serial;  /* counts new routes and news of room */
  Hook *fallback;     /* (owned) (nullable) */
  Hook *notify;       /* (owned) (nullable) */
  guint64 packets_sent, bytes_sent, packets_discarded_on_send;
  IceTime last_sent; /* 0: never */
};

static Hook *
hook_new (GCallback func, gpointer user_data, GDestroyNotify destroy)
{
  Hook *self = g_new0 (Hook, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->func = func;
  self->user_data = user_data;
  self->destroy = destroy;
  return self;
}

static Hook *
hook_ref (Hook *self)
{
  if (self)
    g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
hook_unref (Hook *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  if (self->destroy)
    self->destroy (self->user_data);
  g_free (self);
}

GstIceLink *
gst_ice_link_new (void)
{
  GstIceLink *self = g_new0 (GstIceLink, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->state = GST_ICE_STATE_NEW;
  gst_ice_inbox_init (&self->inbox);
  g_mutex_init (&self->route_lock);
  return self;
}

GstIceLink *
gst_ice_link_ref (GstIceLink *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
gst_ice_link_unref (GstIceLink *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  gst_ice_inbox_clear (&self->inbox);
  hook_unref (self->notify);
  hook_unref (self->fallback);
  g_clear_pointer (&self->route, gst_ice_route_unref);
  g_mutex_clear (&self->route_lock);
  g_free (self);
}

/* The pump's side */

void
gst_ice_link_push (GstIceLink *self, const IceRxPacket *packet,
    const IceAddress *peer, gsize offset, gsize size)
{
  GstBuffer *buffer = ice_rx_packet_to_buffer (packet, offset, size);
  const guint8 mark = packet->traffic_class;

  if (mark != 0)
    gst_ice_buffer_add_traffic_meta (buffer, mark >> 2, mark & 3);
  gst_ice_inbox_stage (&self->inbox, buffer, size, peer, packet->received_at);
}

void
gst_ice_link_push_bytes (GstIceLink *self, const IceAddress *peer,
    IceBytes payload, IceTime received_at)
{
  /* A datagram may be empty, which gst_buffer_new_memdup takes for an error. */
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, payload.size, NULL);

  gst_buffer_fill (buffer, 0, payload.data, payload.size);
  gst_ice_inbox_stage (&self->inbox, buffer, payload.size, peer, received_at);
}

static void
call_notify (GstIceLink *self)
{
  Hook *notify;

  g_mutex_lock (&self->route_lock);
  notify = hook_ref (self->notify);
  g_mutex_unlock (&self->route_lock);

  if (notify)
    ((void (*) (gpointer)) notify->func) (notify->user_data);
  hook_unref (notify);
}

void
gst_ice_link_wake (GstIceLink *self)
{
  if (gst_ice_inbox_show (&self->inbox))
    call_notify (self);
}

IceTime
gst_ice_link_take_gap (GstIceLink *self)
{
  return gst_ice_inbox_take_gap (&self->inbox);
}

/* After what the route lock guards has changed: those who wait look again. */
static void
changed (GstIceLink *self)
{
  gst_ice_inbox_poke (&self->inbox);
  call_notify (self);
}

void
gst_ice_link_set_route (GstIceLink *self, GstIceRoute *route)
{
  GstIceRoute *old;

  g_mutex_lock (&self->route_lock);
  if (self->closed)
    route = NULL;
  old = self->route;
  self->route = route ? gst_ice_route_ref (route) : NULL;
  /* Another socket: what filled the old one says nothing about it. */
  self->room_serial++;
  gst_ice_inbox_set_condition (&self->inbox, G_IO_OUT, route != NULL);
  g_mutex_unlock (&self->route_lock);

  if (old && old != route)
    gst_ice_route_revoke (old);
  g_clear_pointer (&old, gst_ice_route_unref);
  changed (self);
}

void
gst_ice_link_set_dscp (GstIceLink *self, gint dscp)
{
  g_mutex_lock (&self->route_lock);
  if (self->route)
    gst_ice_route_set_dscp (self->route, dscp);
  g_mutex_unlock (&self->route_lock);
}

void
gst_ice_link_set_mtu (GstIceLink *self, guint mtu)
{
  g_mutex_lock (&self->route_lock);
  if (self->route)
    gst_ice_route_set_mtu (self->route, mtu);
  g_mutex_unlock (&self->route_lock);
}

void
gst_ice_link_writable (GstIceLink *self)
{
  g_mutex_lock (&self->route_lock);
  self->room_serial++;
  gst_ice_inbox_set_condition (&self->inbox, G_IO_OUT, self->route != NULL);
  g_mutex_unlock (&self->route_lock);
  changed (self);
}

void
gst_ice_link_close (GstIceLink *self)
{
  g_mutex_lock (&self->route_lock);
  self->closed = TRUE;
  gst_ice_inbox_set_condition (&self->inbox, G_IO_HUP, TRUE);
  g_mutex_unlock (&self->route_lock);

  gst_ice_link_set_state (self, GST_ICE_STATE_CLOSED);
  gst_ice_link_set_fallback (self, NULL, NULL);
  gst_ice_link_set_route (self, NULL);
}

gboolean
gst_ice_link_is_closed (GstIceLink *self)
{
  return (gst_ice_inbox_get_condition (&self->inbox) & G_IO_HUP) != 0;
}

void
gst_ice_link_set_state (GstIceLink *self, GstIceState state)
{
  g_atomic_int_set (&self->state, state);
}

GstIceState
gst_ice_link_get_state (GstIceLink *self)
{
  return g_atomic_int_get (&self->state);
}

void
gst_ice_link_count_early_data (GstIceLink *self)
{
  g_mutex_lock (&self->inbox.lock);
  self->inbox.n_early++;
  g_mutex_unlock (&self->inbox.lock);
}

/* The functions that others leave here */

static Hook *
replace_hook (GstIceLink *self, Hook **hook, Hook *by)
{
  Hook *old;

  g_mutex_lock (&self->route_lock);
  old = *hook;
  *hook = by;
  g_mutex_unlock (&self->route_lock);
  return old;
}

void
gst_ice_link_set_fallback_full (GstIceLink *self, GstIceLinkFallback func,
    gpointer user_data, GDestroyNotify destroy)
{
  Hook *hook = NULL;

  if (func)
    hook = hook_new (G_CALLBACK (func), user_data, destroy);
  hook_unref (replace_hook (self, &self->fallback, hook));
}

void
gst_ice_link_set_fallback (
    GstIceLink *self, GstIceLinkFallback func, gpointer user_data)
{
  gst_ice_link_set_fallback_full (self, func, user_data, NULL);
}

void
gst_ice_link_set_notify_full (GstIceLink *self, void (*func) (gpointer),
    gpointer user_data, GDestroyNotify destroy)
{
  Hook *hook = NULL;

  if (func)
    hook = hook_new (G_CALLBACK (func), user_data, destroy);
  hook_unref (replace_hook (self, &self->notify, hook));
}

void
gst_ice_link_set_notify (
    GstIceLink *self, void (*func) (gpointer), gpointer user_data)
{
  gst_ice_link_set_notify_full (self, func, user_data, NULL);
}

/* The reader's side */

gboolean
gst_ice_link_claim_reader (GstIceLink *self, gpointer owner, GError **error)
{
  gboolean claimed;

  g_mutex_lock (&self->inbox.lock);
  claimed = self->inbox.reader == NULL || self->inbox.reader == owner;
  if (claimed)
    self->inbox.reader = owner;
  g_mutex_unlock (&self->inbox.lock);

  if (!claimed) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY,
        "Somebody else reads from this transport; one of icesrc, receive, "
        "the packet signal and GDatagramBased may");
  }
  return claimed;
}

void
gst_ice_link_release_reader (GstIceLink *self, gpointer owner)
{
  g_mutex_lock (&self->inbox.lock);
  if (self->inbox.reader == owner)
    self->inbox.reader = NULL;
  g_mutex_unlock (&self->inbox.lock);
}

gconstpointer
gst_ice_link_get_reader (GstIceLink *self)
{
  gconstpointer reader;

  g_mutex_lock (&self->inbox.lock);
  reader = self->inbox.reader;
  g_mutex_unlock (&self->inbox.lock);
  return reader;
}

GIOCondition
gst_ice_link_check (GstIceLink *self)
{
  return gst_ice_inbox_check (&self->inbox);
}

gboolean
gst_ice_link_has_data (GstIceLink *self)
{
  gboolean has_data;

  g_mutex_lock (&self->inbox.lock);
  has_data = self->inbox.length > 0;
  g_mutex_unlock (&self->inbox.lock);
  return has_data;
}

gboolean
gst_ice_link_wait (GstIceLink *self, GIOCondition condition, gint64 timeout_us,
    GCancellable *cancellable, GError **error)
{
  const GIOCondition wanted = condition | G_IO_HUP;
  gboolean ready;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  ready = (gst_ice_inbox_check (&self->inbox) & wanted) != 0;
  if (!ready && timeout_us != 0) {
    const gint64 deadline =
        timeout_us < 0 ? ICE_TIME_NEVER : ice_loop_now () + timeout_us;

    ready = gst_ice_inbox_wait (&self->inbox, wanted, deadline, cancellable);
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
  }
  if (!ready)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
        "Nothing came in the time given");
  return ready;
}

static void
set_closed_error (GError **error)
{
  g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED,
      "The agent of this transport was closed");
}

GstBufferList *
gst_ice_link_pop (GstIceLink *self, gint64 timeout_us,
    GCancellable *cancellable, GError **error)
{
  const gint64 deadline = timeout_us > 0 ? ice_loop_now () + timeout_us : 0;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  for (;;) {
    /* In this order: what came before the close is still read. */
    const gboolean closed = gst_ice_link_is_closed (self);
    GstBufferList *list = gst_ice_inbox_take_all (&self->inbox);

    if (list)
      return list;
    if (closed) {
      set_closed_error (error);
      return NULL;
    }
    if (timeout_us > 0)
      timeout_us = MAX (deadline - ice_loop_now (), 0);
    if (!gst_ice_link_wait (self, G_IO_IN, timeout_us, cancellable, error))
      return NULL;
  }
}

GstBuffer *
gst_ice_link_pop_buffer (GstIceLink *self)
{
  return gst_ice_inbox_take_first (&self->inbox);
}

/* The sender's side */

static gsize
total_size (GstBuffer **buffers, guint n_buffers)
{
  gsize size = 0;
  guint i;

  for (i = 0; i < n_buffers; i++)
    size += gst_buffer_get_size (buffers[i]);
  return size;
}

/* How many the fallback refused. */
static guint
send_by_fallback (Hook *fallback, GstBuffer **buffers, guint n_buffers)
{
  guint i, n_discarded = 0;

  for (i = 0; i < n_buffers; i++) {
    if (!((GstIceLinkFallback) fallback->func) (
            buffers[i], fallback->user_data))
      n_discarded++;
  }
  return n_discarded;
}

guint
gst_ice_link_send (
    GstIceLink *self, GstBuffer **buffers, guint n_buffers, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  GstIceRoute *route;
  Hook *fallback;
  guint n_taken = n_buffers, n_discarded = n_buffers, serial;
  IceTime now = 0;
  gsize size;

  if (gst_ice_link_is_closed (self)) {
    set_closed_error (error);
    return 0;
  }

  g_mutex_lock (&self->route_lock);
  route = self->route ? gst_ice_route_ref (self->route) : NULL;
  fallback = route ? NULL : hook_ref (self->fallback);
  serial = self->room_serial;
  g_mutex_unlock (&self->route_lock);

  if (route) {
    n_taken = gst_ice_route_send (
        route, buffers, n_buffers, &n_discarded, &local_error);
    gst_ice_route_unref (route);
  } else if (fallback) {
    n_discarded = send_by_fallback (fallback, buffers, n_buffers);
    hook_unref (fallback);
  }
  size = total_size (buffers, n_taken);
  if (n_taken > n_discarded)
    now = ice_loop_now ();

  g_mutex_lock (&self->route_lock);
  self->packets_discarded_on_send += n_discarded;
  if (now != 0) {
    self->packets_sent += n_taken - n_discarded;
    self->bytes_sent += size;
    self->last_sent = now;
  }
  /* Room that came since we began makes "full" old news. */
  if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) &&
      self->room_serial == serial)
    gst_ice_inbox_set_condition (&self->inbox, G_IO_OUT, FALSE);
  g_mutex_unlock (&self->route_lock);

  if (local_error)
    g_propagate_error (error, g_steal_pointer (&local_error));
  return n_taken;
}

gboolean
gst_ice_link_has_route (GstIceLink *self)
{
  gboolean has_route;

  g_mutex_lock (&self->route_lock);
  has_route = self->route != NULL;
  g_mutex_unlock (&self->route_lock);
  return has_route;
}

guint
gst_ice_link_get_max_payload (GstIceLink *self)
{
  guint max_payload = MIN_MAX_PAYLOAD;

  g_mutex_lock (&self->route_lock);
  if (self->route)
    max_payload = gst_ice_route_get_max_payload (self->route);
  g_mutex_unlock (&self->route_lock);
  return max_payload;
}

void
gst_ice_link_get_counters (GstIceLink *self, GstIceLinkCounters *ret)
{
  GstIceInbox *inbox = &self->inbox;

  g_mutex_lock (&inbox->lock);
  ret->packets_received = inbox->n_received;
  ret->bytes_received = inbox->bytes_received;
  ret->packets_dropped = inbox->n_dropped;
  ret->early_data_dropped = inbox->n_early;
  ret->last_received = inbox->last_received;
  ret->first_received = inbox->first_received;
  g_mutex_unlock (&inbox->lock);

  g_mutex_lock (&self->route_lock);
  ret->packets_sent = self->packets_sent;
  ret->bytes_sent = self->bytes_sent;
  ret->packets_discarded_on_send = self->packets_discarded_on_send;
  ret->last_sent = self->last_sent;
  g_mutex_unlock (&self->route_lock);
}
