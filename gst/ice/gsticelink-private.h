/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gsticeroute-private.h"
#include "gsticetypes.h"

G_BEGIN_DECLS

/* The data plane of one component, shared by the pump (loop thread), the
 * transport object, readers and senders. It knows neither core nor agent. Two
 * mutexes that never nest: one for the inbox, one for the route and state;
 * nothing is called while holding either. */
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

/* Pump side, loop thread. push appends, wake is once for each batch. */
void gst_ice_link_push (GstIceLink *self, const IceRxPacket *packet,
    const IceAddress *peer, gsize offset, gsize size);
void gst_ice_link_push_bytes (GstIceLink *self, const IceAddress *peer,
    IceBytes payload, IceTime received_at);
void gst_ice_link_wake (GstIceLink *self);
/* Revokes the old one. (nullable) */
void gst_ice_link_set_route (GstIceLink *self, GstIceRoute *route);
/* While there is no route; NULL turns it off. @user_data outlives the link's
 * use of it: cleared at close. */
void gst_ice_link_set_fallback (
    GstIceLink *self, GstIceLinkFallback func, gpointer user_data);
void gst_ice_link_set_state (GstIceLink *self, GstIceState state);
GstIceState gst_ice_link_get_state (GstIceLink *self);
void gst_ice_link_writable (GstIceLink *self);
/* Readers get GST_ICE_ERROR_CLOSED once the inbox is empty. */
void gst_ice_link_close (GstIceLink *self);

/* One reader at a time (design 9.16): @owner is any pointer. */
gboolean
gst_ice_link_claim_reader (GstIceLink *self, gpointer owner, GError **error);
void gst_ice_link_release_reader (GstIceLink *self, gpointer owner);
/* (transfer full) (nullable) everything that waits, as a list; never empty.
 * @timeout -1: for ever. Buffers carry the arrival time as DTS (monotonic
 * clock, ns) and a GstNetAddressMeta. NULL sets @error: G_IO_ERROR_CANCELLED,
 * G_IO_ERROR_TIMED_OUT, GST_ICE_ERROR_CLOSED. */
GstBufferList *gst_ice_link_pop (GstIceLink *self, gint64 timeout_us,
    GCancellable *cancellable, GError **error);
gboolean gst_ice_link_has_data (GstIceLink *self);
/* Called on every wake (loop thread, no lock held) while set: how the "packet"
 * signal and GDatagramBased sources hear of data. */
void gst_ice_link_set_notify (
    GstIceLink *self, void (*func) (gpointer), gpointer user_data);

/* Senders, any thread. Returns how many were taken (sent or discarded). Fewer
 * sets @error G_IO_ERROR_WOULD_BLOCK or G_IO_ERROR_MESSAGE_TOO_LARGE. */
guint gst_ice_link_send (
    GstIceLink *self, GstBuffer **buffers, guint n_buffers, GError **error);
gboolean gst_ice_link_has_route (GstIceLink *self);
guint gst_ice_link_get_max_payload (GstIceLink *self);
void gst_ice_link_get_counters (GstIceLink *self, GstIceLinkCounters *ret);
void gst_ice_link_count_early_data (GstIceLink *self);

G_END_DECLS
