/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gsticelane-private.h"
#include "gsticeroute-private.h"
#include "gsticetypes.h"

G_BEGIN_DECLS

/* The data plane of one component, shared by the pump (loop thread), the
 * transport object, readers and senders. It knows neither core nor agent. Two
 * mutexes that never nest: one for the inbox, one for the route and its
 * counters; nothing is called while holding either. */
typedef struct _GstIceLink GstIceLink;

/* What is done with packets while there is no route (design 4d): the pump
 * feeds them to ice_core_send. FALSE: dropped and counted. */
typedef gboolean (*GstIceLinkFallback) (GstBuffer *buffer, gpointer user_data);

typedef struct
{
  guint64 packets_sent, bytes_sent;
  guint64 packets_received, bytes_received;
  guint64 packets_discarded_on_send; /* no route, revoked, refused by kernel */
  guint64 packets_dropped;           /* inbox full: oldest first */
  guint64 early_data_dropped;
  IceTime last_sent, last_received, first_received; /* 0: never */
} GstIceLinkCounters;

GstIceLink *gst_ice_link_new (void);
GstIceLink *gst_ice_link_ref (GstIceLink *self);
void gst_ice_link_unref (GstIceLink *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceLink, gst_ice_link_unref)

/* Pump side, loop thread, one at a time. push stages, wake shows the batch to
 * the reader and is called once for it: at most one lock and one wake-up. */
void gst_ice_link_push (GstIceLink *self, const IceRxPacket *packet,
    const IceAddress *peer, gsize offset, gsize size);
void gst_ice_link_push_bytes (GstIceLink *self, const IceAddress *peer,
    IceBytes payload, IceTime received_at);
void gst_ice_link_wake (GstIceLink *self);
/* The longest time without a packet since the last call; 0: none came. */
IceTime gst_ice_link_take_gap (GstIceLink *self);
/* Revokes the old one. (nullable) */
void gst_ice_link_set_route (GstIceLink *self, GstIceRoute *route);
/* A socket for this route alone; (nullable) none. */
void gst_ice_link_set_lane (GstIceLink *self, GstIceLane *lane);
/* The lane is the reader's to enter. */
void gst_ice_link_poke (GstIceLink *self);
/* Called once for a route that has carried media for a moment, from whichever
 * thread carried it, with no lock held; @destroy as for the fallback. */
void gst_ice_link_set_busy (GstIceLink *self, void (*func) (gpointer),
    gpointer user_data, GDestroyNotify destroy);
/* It will be again. */
void gst_ice_link_await_busy (GstIceLink *self);
/* Of packets that leave by the present route, and what it takes. */
void gst_ice_link_set_dscp (GstIceLink *self, gint dscp);
void gst_ice_link_set_mtu (GstIceLink *self, guint mtu);
/* While there is no route; NULL turns it off. A sender may be inside @func
 * while another thread turns it off, so @user_data either outlives all senders
 * or is released by @destroy after the last of them. Cleared at close. */
void gst_ice_link_set_fallback (
    GstIceLink *self, GstIceLinkFallback func, gpointer user_data);
void gst_ice_link_set_fallback_full (GstIceLink *self, GstIceLinkFallback func,
    gpointer user_data, GDestroyNotify destroy);
void gst_ice_link_set_state (GstIceLink *self, GstIceState state);
GstIceState gst_ice_link_get_state (GstIceLink *self);
void gst_ice_link_writable (GstIceLink *self);
/* Readers get GST_ICE_ERROR_CLOSED once the inbox is empty; senders at once. */
void gst_ice_link_close (GstIceLink *self);
gboolean gst_ice_link_is_closed (GstIceLink *self);

/* One reader at a time (design 9.16): @owner is any pointer. */
gboolean
gst_ice_link_claim_reader (GstIceLink *self, gpointer owner, GError **error);
void gst_ice_link_release_reader (GstIceLink *self, gpointer owner);
/* (nullable) who reads, for comparison only. */
gconstpointer gst_ice_link_get_reader (GstIceLink *self);
/* (transfer full) (nullable) everything that waits, as a list; never empty.
 * @timeout -1: for ever. Buffers carry the arrival time as DTS (monotonic
 * clock, ns) and a GstNetAddressMeta. NULL sets @error: G_IO_ERROR_CANCELLED,
 * G_IO_ERROR_TIMED_OUT, GST_ICE_ERROR_CLOSED. */
GstBufferList *gst_ice_link_pop (GstIceLink *self, gint64 timeout_us,
    GCancellable *cancellable, GError **error);
/* How long pop waits after a first packet for more to come with it. */
void gst_ice_link_set_coalesce (GstIceLink *self, guint us);
guint gst_ice_link_get_coalesce (GstIceLink *self);
/* (transfer full) (nullable) the oldest packet, if there is one. */
GstBuffer *gst_ice_link_pop_buffer (GstIceLink *self);
gboolean gst_ice_link_has_data (GstIceLink *self);
/* What holds now: G_IO_IN packets wait, G_IO_OUT there is a route and it took
 * the last packet, G_IO_HUP (with G_IO_IN) closed. */
GIOCondition gst_ice_link_check (GstIceLink *self);
/* Waits for any of @condition or G_IO_HUP; @timeout and errors as for pop. */
gboolean gst_ice_link_wait (GstIceLink *self, GIOCondition condition,
    gint64 timeout_us, GCancellable *cancellable, GError **error);
/* Called while set, with no lock held, after every wake and every change of
 * route, room and closedness (loop thread, or whoever closes): how the
 * transport object hears of data. @destroy as for the fallback. */
void gst_ice_link_set_notify (
    GstIceLink *self, void (*func) (gpointer), gpointer user_data);
void gst_ice_link_set_notify_full (GstIceLink *self, void (*func) (gpointer),
    gpointer user_data, GDestroyNotify destroy);

/* Senders, any thread. Returns how many were taken (sent or discarded). Fewer
 * sets @error G_IO_ERROR_WOULD_BLOCK (writable follows),
 * G_IO_ERROR_MESSAGE_TOO_LARGE for the next one, or GST_ICE_ERROR_CLOSED. */
guint gst_ice_link_send (
    GstIceLink *self, GstBuffer **buffers, guint n_buffers, GError **error);
gboolean gst_ice_link_has_route (GstIceLink *self);
gboolean gst_ice_link_has_lane (GstIceLink *self);
guint gst_ice_link_get_max_payload (GstIceLink *self);
void gst_ice_link_get_counters (GstIceLink *self, GstIceLinkCounters *ret);
void gst_ice_link_count_early_data (GstIceLink *self);

G_END_DECLS
