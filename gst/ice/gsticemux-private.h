/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "io/socket.h"

G_BEGIN_DECLS

/* One UDP port of the process, which any number of agents have in common
 * (design 9.9). All of them run on the loop that owns it; but for acquire and
 * unref everything here is that loop's.
 *
 * Whose a packet is:
 *
 *   a request by the first half of its USERNAME (RFC 8445 7.3), an answer by
 *   its transaction id, and all else by where it comes from, which is whose
 *   peer was accepted there. A source that proved itself to one agent, by a
 *   signed answer, is refused to every other: nobody forges that, while the
 *   source of a request may be. What is nobody's is counted. */
typedef struct _GstIceMux GstIceMux;
/* The share of one socket of one agent in the port on one local address. */
typedef struct _GstIceMuxShare GstIceMuxShare;

/* (transfer full) (nullable) the one of @port, found or made; it goes with the
 * last user. NULL when the system has no thread left. */
GstIceMux *gst_ice_mux_acquire (guint16 port);
GstIceMux *gst_ice_mux_ref (GstIceMux *self);
void gst_ice_mux_unref (GstIceMux *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceMux, gst_ice_mux_unref)
guint16 gst_ice_mux_get_port (const GstIceMux *self);
/* (transfer none) */
IceLoop *gst_ice_mux_get_loop (GstIceMux *self);
/* Packets to the port that were nobody's. Any thread. */
guint64 gst_ice_mux_get_n_strangers (GstIceMux *self);

/* @events and @user_data as for ice_socket_open_udp, for what is ours. */
GstIceMuxShare *gst_ice_mux_open (GstIceMux *self, const IceAddress *local,
    const IceSocketOptions *options, const IceSocketEvents *events,
    gpointer user_data, GError **error);
/* No event comes after this; the port is free with the last share. */
void gst_ice_mux_share_close (GstIceMuxShare *self);
/* (transfer none) for sending. */
IceSocket *gst_ice_mux_share_get_socket (GstIceMuxShare *self);

/* The user fragments that requests for us begin with. FALSE when one of them
 * is another agent's, whose it stays. */
gboolean
gst_ice_mux_share_set_ufrags (GstIceMuxShare *self, const GPtrArray *ufrags);
/* Before a packet is sent: whose the answer is going to be. */
void gst_ice_mux_share_note_packet (GstIceMuxShare *self, IceBytes packet);
/* Media from there is ours, unless somebody else's. */
void gst_ice_mux_share_accept (
    GstIceMuxShare *self, const IceAddress *from, gboolean add);
/* Nobody else's, and known to be so. */
gboolean
gst_ice_mux_share_has_proven (GstIceMuxShare *self, const IceAddress *from);
/* A packet that was handed out was taken for what it says: when it is an
 * answer, it proves its source. */
void gst_ice_mux_share_note_taken (
    GstIceMuxShare *self, const IceAddress *from, IceBytes packet);
G_END_DECLS
