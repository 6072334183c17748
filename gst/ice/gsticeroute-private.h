/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "io/socket.h"
#include "io/tcp.h"

G_BEGIN_DECLS

/* An immutable "how to send": socket, address, TURN channel. Anyone may hold
 * one; once revoked no packet leaves by it (design 9.11). */
typedef struct _GstIceRoute GstIceRoute;

GstIceRoute *
gst_ice_route_new (IceSocket *socket, const IceAddress *to, guint16 channel);
/* Over a connection: RFC 4571 frames, or with a channel what a TURN server
 * takes. Queued by the loop (design 9.10). */
GstIceRoute *
gst_ice_route_new_tcp (IceTcp *tcp, const IceAddress *to, guint16 channel);
GstIceRoute *gst_ice_route_ref (GstIceRoute *self);
void gst_ice_route_unref (GstIceRoute *self);
void gst_ice_route_revoke (GstIceRoute *self);
/* For a socket that others use as well; -1: the socket's. */
void gst_ice_route_set_dscp (GstIceRoute *self, gint dscp);
/* Bytes of an IP packet; more than an Ethernet takes is not believed. */
void gst_ice_route_set_mtu (GstIceRoute *self, guint mtu);
/* As ice_socket_send_batch; a revoked route discards and counts. @connected:
 * (nullable) a socket that is connected to where the route goes. */
guint gst_ice_route_send (GstIceRoute *self, IceSocket *connected,
    GstBuffer **buffers, guint n_buffers, guint *ret_n_discarded,
    GError **error);
/* What a packet may be: MTU less headers. */
guint gst_ice_route_get_max_payload (GstIceRoute *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceRoute, gst_ice_route_unref)

G_END_DECLS
