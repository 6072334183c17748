/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gsticelink-private.h"
#include "gsticetransport.h"

G_BEGIN_DECLS

/* (transfer full), not floating. Holds @stream weakly (design 9.20) and finds
 * its agent with gst_ice_stream_ref_agent, of gsticestream-private.h:
 *   GstIceAgent *gst_ice_stream_ref_agent (GstIceStream *self);
 *     (transfer full) (nullable)
 * @link is shared with the pump; the transport is its notify (set_notify). */
GstIceTransport *
gst_ice_transport_new (GstIceStream *stream, guint component, GstIceLink *link);
/* (transfer none) */
GstIceLink *gst_ice_transport_get_link (GstIceTransport *self);
guint gst_ice_transport_get_component (GstIceTransport *self);

/* Notification thread, no lock held: sets the properties, notifies them. Both
 * NULL: none selected. */
void gst_ice_transport_set_pair (
    GstIceTransport *self, GstIceCandidate *local, GstIceCandidate *remote);
/* Notification thread, no lock held, after gst_ice_link_set_state. Emits
 * notify::state, and at the first usable route finishes connect_async. */
void gst_ice_transport_notify_state (GstIceTransport *self, GstIceState state);

/* gsticetransport-datagram.c */
void gst_ice_transport_datagram_init (gpointer iface, gpointer unused);

G_END_DECLS
