/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticelink-private.h"

#include "gsticeerror.h"
#include "gsticeinbox-private.h"
#include "io/loop.h"

/* Before there is a route: what the narrowest one carries. RFC 8200 5: every
 * IPv6 link carries 1280 bytes; off go IPv6 (40) and UDP (8) headers and those
 * of a Send indication: STUN (20), XOR-PEER-ADDRESS (24), DATA (4). */
#define MIN_MAX_PAYLOAD (1280 - 40 - 8 - 20 - 24 - 4)

/* What makes a route worth a socket of its own: it is not just being tried. */
#define BUSY_PACKETS 16
#define BUSY_AFTER (100 * ICE_MSEC)

/* A reader that waits in the inbox may enter the lane, or there is another. */
#define LANE_NEWS G_IO_PRI

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
  guint coalesce;   /* (atomic) us */
  gint awaits_busy; /* (atomic) */
  gint n_on_route;  /* (atomic) packets */

  GMutex route_lock;
  GstIceRoute *route; /* (owned) (nullable) */
  GstIceLane *lane;   /* (owned) (nullable) */
  IceTime route_since;
  gboolean closed;   /* for good */
  guint room_serial; /* counts new routes and news of room */
  Hook *fallback;    /* (owned) (nullable) */
  Hook *notify;      /* (owned) (nullable) */
  Hook *busy;        /* (owned) (nullable) */
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
  hook_unref (self->busy);
  g_clear_pointer (&self->lane, gst_ice_lane_unref);
  g_clear_pointer (&self->route, gst_ice_route_unref);
  g_mutex_clear (&self->route_lock);
  g_free (self);
}

/* The pump's side */

void
gst_ice_link_push (GstIceLink *self, const IceRxPacket *packet,
    const IceAddress *peer, gsize offset, gsize size)
{
  gst_ice_inbox_stage (&self->inbox, gst_ice_cut_packet (packet, offset, size),
      size, peer, packet->received_at);
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
call_hook (GstIceLink *self, Hook **where)
{
  Hook *hook;

  g_mutex_lock (&self->route_lock);
  hook = hook_ref (*where);
  g_mutex_unlock (&self->route_lock);

  if (hook)
    ((void (*) (gpointer)) hook->func) (hook->user_data);
  hook_unref (hook);
}

static void
call_notify (GstIceLink *self)
{
  call_hook (self, &self->notify);
}

/* Any thread, after it carried @n packets. */
static void
note_media (GstIceLink *self, guint n, IceTime now)
{
  IceTime since;

  if (!g_atomic_int_get (&self->awaits_busy) ||
      g_atomic_int_add (&self->n_on_route, (gint) n) + (gint) n < BUSY_PACKETS)
    return;
  g_mutex_lock (&self->route_lock);
  since = self->route ? self->route_since : ICE_TIME_NEVER;
  g_mutex_unlock (&self->route_lock);
  if (since <= now - BUSY_AFTER &&
      g_atomic_int_compare_and_exchange (&self->awaits_busy, TRUE, FALSE))
    call_hook (self, &self->busy);
}

void
gst_ice_link_poke (GstIceLink *self)
{
  gst_ice_inbox_set_condition (&self->inbox, LANE_NEWS, TRUE);
  gst_ice_inbox_poke (&self->inbox);
}

void
gst_ice_link_await_busy (GstIceLink *self)
{
  g_atomic_int_set (&self->n_on_route, 0);
  g_atomic_int_set (&self->awaits_busy, TRUE);
}

void
gst_ice_link_wake (GstIceLink *self)
{
  const guint n = self->inbox.staged->len;
  const IceTime now = self->inbox.staged_at;

  if (!gst_ice_inbox_show (&self->inbox))
    return;
  call_notify (self);
  note_media (self, n, now);
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
  self->route_since = ice_loop_now ();
  gst_ice_inbox_set_condition (&self->inbox, G_IO_OUT, route != NULL);
  g_mutex_unlock (&self->route_lock);

  if (old && old != route)
    gst_ice_route_revoke (old);
  g_clear_pointer (&old, gst_ice_route_unref);
  changed (self);
}

void
gst_ice_link_set_lane (GstIceLink *self, GstIceLane *lane)
{
  GstIceLane *old;

  g_mutex_lock (&self->route_lock);
  if (self->closed)
    lane = NULL;
  old = self->lane;
  self->lane = lane ? gst_ice_lane_ref (lane) : NULL;
  g_mutex_unlock (&self->route_lock);

  g_clear_pointer (&old, gst_ice_lane_unref);
  gst_ice_link_poke (self);
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
  gst_ice_link_set_busy (self, NULL, NULL, NULL);
  gst_ice_link_set_lane (self, NULL);
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
gst_ice_link_set_busy (GstIceLink *self, void (*func) (gpointer),
    gpointer user_data, GDestroyNotify destroy)
{
  Hook *hook = NULL;

  if (func)
    hook = hook_new (G_CALLBACK (func), user_data, destroy);
  hook_unref (replace_hook (self, &self->busy, hook));
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
  return gst_ice_inbox_check (&self->inbox) & ~LANE_NEWS;
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

void
gst_ice_link_set_coalesce (GstIceLink *self, guint us)
{
  g_atomic_int_set (&self->coalesce, us);
}

guint
gst_ice_link_get_coalesce (GstIceLink *self)
{
  return g_atomic_int_get (&self->coalesce);
}

/* Waits where packets come: at the lane, if it is ours to read, else at the
 * inbox. (transfer full) (nullable) what came by the lane; else look into the
 * inbox, unless @error is set. */
static GstBufferList *
wait_for_packets (GstIceLink *self, gint64 timeout_us,
    GCancellable *cancellable, GError **error)
{
  const guint coalesce = gst_ice_link_get_coalesce (self);
  g_autoptr (GstIceLane) lane = NULL;
  GstBufferList *list;

  /* Before the look: what changes from now on ends the wait. */
  gst_ice_inbox_set_condition (&self->inbox, LANE_NEWS, FALSE);
  g_mutex_lock (&self->route_lock);
  lane = self->lane ? gst_ice_lane_ref (self->lane) : NULL;
  g_mutex_unlock (&self->route_lock);

  if (lane &&
      gst_ice_lane_receive (lane, &self->inbox,
          timeout_us < 0 ? ICE_TIME_NEVER : timeout_us, coalesce, cancellable,
          &list)) {
    if (list || g_cancellable_set_error_if_cancelled (cancellable, error) ||
        timeout_us != 0)
      return list;
  }
  if (gst_ice_link_wait (
          self, G_IO_IN | LANE_NEWS, timeout_us, cancellable, error) &&
      coalesce > 0)
    gst_ice_inbox_nap (&self->inbox, coalesce, cancellable);
  return NULL;
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
    g_autoptr (GError) local_error = NULL;

    if (list)
      return list;
    if (closed) {
      set_closed_error (error);
      return NULL;
    }
    if (timeout_us > 0)
      timeout_us = MAX (deadline - ice_loop_now (), 0);
    list = wait_for_packets (self, timeout_us, cancellable, &local_error);
    if (list)
      return list;
    if (local_error) {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
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
  GstIceLane *lane;
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
  lane = route && self->lane ? gst_ice_lane_ref (self->lane) : NULL;
  fallback = route ? NULL : hook_ref (self->fallback);
  serial = self->room_serial;
  g_mutex_unlock (&self->route_lock);

  if (route) {
    n_taken = gst_ice_route_send (route,
        lane ? ice_lane_get_socket (lane->lane) : NULL, buffers, n_buffers,
        &n_discarded, &local_error);
    g_clear_pointer (&lane, gst_ice_lane_unref);
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

  if (now != 0)
    note_media (self, n_taken, now);
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

gboolean
gst_ice_link_has_lane (GstIceLink *self)
{
  gboolean has_lane;

  g_mutex_lock (&self->route_lock);
  has_lane = self->lane != NULL;
  g_mutex_unlock (&self->route_lock);
  return has_lane;
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
