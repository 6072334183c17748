/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gsticelink-private.h"
#include "gsticenotify.h"
#include "gsticetransport.h"

G_BEGIN_DECLS

/* For gsticetransport*.c only. */
struct _GstIceTransport
{
  GstObject parent;

  GstIceNotify *notify;  /* (owned) (nullable) knows the agent, weakly
                            (design 9.20) */
  GMainContext *context; /* (owned) (nullable) NULL: the service thread */
  GstIceLink *link;      /* (owned) */
  guint component;

  gint news_queued;   /* (atomic) tell_news is on its way */
  gint wants_room;    /* (atomic) a send found none */
  gint known_reader;  /* (atomic) somebody reads, and it is not "packet" */
  gint looks;         /* (atomic) 0: not looking for a handler */
  gchar packet_owner; /* its address claims the link for "packet" */

  /* Under the object lock. */
  GstIceState state;
  GstIceCandidate *selected_local;  /* (owned) (nullable) */
  GstIceCandidate *selected_remote; /* (owned) (nullable) */
  guint max_payload;
  GPtrArray *connects; /* (owned) (element-type GTask) */
  GPtrArray *wakeups;  /* (owned) (element-type GSource) */
};

/* (transfer full), not floating. Keeps neither @stream nor its agent, which
 * both are there now; @link is shared with the pump, and its notify is ours. */
GstIceTransport *
gst_ice_transport_new (GstIceStream *stream, guint component, GstIceLink *link);
/* (transfer none) */
GstIceLink *gst_ice_transport_get_link (GstIceTransport *self);

/* Notification thread, no lock held: sets the properties, notifies them. Both
 * NULL: none selected. */
void gst_ice_transport_set_pair (
    GstIceTransport *self, GstIceCandidate *local, GstIceCandidate *remote);
/* Notification thread, no lock held, after gst_ice_link_set_state. Emits
 * notify::state, and at the first usable route finishes connect_async. */
void gst_ice_transport_notify_max_payload (GstIceTransport *self);
void gst_ice_transport_notify_state (GstIceTransport *self, GstIceState state);

/* TRUE with @error set: a call that blocks here would wait for itself
 * (design 9.12). */
gboolean
gst_ice_transport_would_deadlock (GstIceTransport *self, GError **error);
/* As gst_ice_link_claim_reader, and BUSY while "packet" has a handler. */
gboolean gst_ice_transport_claim_reader (
    GstIceTransport *self, gpointer owner, GError **error);
/* Made ready (g_source_set_ready_time) whenever the link has news. */
void gst_ice_transport_add_wakeup (GstIceTransport *self, GSource *source);
void gst_ice_transport_remove_wakeup (GstIceTransport *self, GSource *source);

/* gsticetransport-connect.c: answers those who wait, when there is an answer.
 */
void gst_ice_transport_finish_connects (GstIceTransport *self);

/* gsticetransport-datagram.c */
void gst_ice_transport_datagram_init (gpointer iface, gpointer unused);

G_END_DECLS
