/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gsticetypes.h"
#include "io/lane.h"

G_BEGIN_DECLS

/* Socket addresses made once per peer: a component hears from one, or from two
 * while the pair changes. */
#define GST_ICE_INBOX_N_PEERS 4

typedef struct
{
  IceAddress address;
  GSocketAddress *socket_address; /* (owned) (nullable) */
} GstIceInboxPeer;

/* What a batch was. */
typedef struct
{
  guint n_packets;
  gsize n_bytes;
  IceTime newest;
} GstIceArrivals;

/* Packets on their way from the loop thread to one reader: bounded, oldest
 * dropped first. The loop thread stages a batch without a lock and shows it
 * with one. Also where those wait who wait for a route. */
typedef struct
{
  /* Loop thread only. */
  GPtrArray *staged; /* (owned) (element-type GstBuffer) */
  gsize staged_bytes;
  IceTime staged_at; /* arrival of the newest */
  GstIceInboxPeer peers[GST_ICE_INBOX_N_PEERS];
  guint next_peer;

  /* The reader's only: that it need not connect to the same one each time. */
  GCancellable *cancellable; /* (owned) (nullable) */
  gulong cancelled_handler;

  guint conditions; /* (atomic) G_IO_OUT, G_IO_HUP, G_IO_PRI: the link says
                        when */

  GMutex lock;
  GCond changed;
  guint n_waiting;
  IceLane *polled;  /* (unowned) (nullable) where the reader waits instead */
  GstBuffer **ring; /* (owned) of size slots, a power of two */
  guint size, first, length;
  gsize bytes;
  gconstpointer reader; /* (unowned) (nullable) only compared */
  guint64 n_received, bytes_received, n_dropped, n_early;
  IceTime last_received, first_received; /* 0: never */
  IceTime gap; /* the longest without a packet since it was taken */
} GstIceInbox;

/* (transfer full) */
GSocketAddress *gst_ice_inbox_make_socket_address (const IceAddress *address);

void gst_ice_inbox_init (GstIceInbox *self);
void gst_ice_inbox_clear (GstIceInbox *self);

/* Loop thread. Takes @buffer, stamps it and names its sender. */
void gst_ice_inbox_stage (GstIceInbox *self, GstBuffer *buffer, gsize size,
    const IceAddress *peer, IceTime received_at);
/* Loop thread. FALSE when nothing was staged, or all is over. */
gboolean gst_ice_inbox_show (GstIceInbox *self);

/* G_IO_OUT and G_IO_HUP as last set; takes no lock, so poke afterwards. */
void gst_ice_inbox_set_condition (
    GstIceInbox *self, GIOCondition condition, gboolean holds);
GIOCondition gst_ice_inbox_get_condition (GstIceInbox *self);
void gst_ice_inbox_poke (GstIceInbox *self);
/* What holds now, G_IO_IN included. */
GIOCondition gst_ice_inbox_check (GstIceInbox *self);
/* TRUE when any of @wanted holds; FALSE at the @deadline or when cancelled. */
gboolean gst_ice_inbox_wait (GstIceInbox *self, GIOCondition wanted,
    gint64 deadline, GCancellable *cancellable);

/* As long as @us, unless cancelled or all is over. */
void gst_ice_inbox_nap (GstIceInbox *self, guint us, GCancellable *cancellable);
/* For a reader that waits at @lane and here. FALSE: it need not, for something
 * is here or @cancellable was cancelled; else whatever would end a wait here
 * wakes @lane, until the end. @arrivals came there and are counted here. */
gboolean gst_ice_inbox_begin_poll (
    GstIceInbox *self, IceLane *lane, GCancellable *cancellable);
void gst_ice_inbox_end_poll (GstIceInbox *self, const GstIceArrivals *arrivals);

/* The longest time between two batches since the last call; 0: none came. */
IceTime gst_ice_inbox_take_gap (GstIceInbox *self);
/* (transfer full) (nullable) */
GstBufferList *gst_ice_inbox_take_all (GstIceInbox *self);
GstBuffer *gst_ice_inbox_take_first (GstIceInbox *self);

G_END_DECLS
