/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../base/framing.h"
#include "socket.h"
#include "stage.h"

G_BEGIN_DECLS

/* A stream socket: one that listens, or a connection whose bytes are frames.
 * Whatever ends a connection (EOF, RST, an error, rubbish) removes its source
 * from the loop and is told once. Sending is for any thread; everything else is
 * the loop thread's. */
typedef struct _IceTcp IceTcp;

typedef struct
{
  /* A connect succeeded, and the handshakes of its stages. */
  void (*opened) (IceTcp *tcp, gpointer user_data);
  /* @connection is for ice_tcp_adopt, or for nobody. */
  void (*accepted) (IceTcp *listener, GSocket *connection,
      const IceAddress *remote, gpointer user_data);
  /* Frames without their headers. They die with the call. */
  void (*packets) (
      IceTcp *tcp, IceRxPacket *packets, guint n_packets, gpointer user_data);
  /* It failed to connect, or is over. Nothing follows. */
  void (*closed) (IceTcp *tcp, const gchar *reason, gpointer user_data);
} IceTcpEvents;

/* As for ice_socket_open_udp. The port of a listener may be that of connections
 * that are opened from it (simultaneous open, RFC 6544 7.1). */
IceTcp *ice_tcp_listen (IceLoop *loop, const IceAddress *local,
    const IceSocketOptions *options, const IceTcpEvents *events,
    gpointer user_data, GError **error);
IceTcp *ice_tcp_connect (IceLoop *loop, const IceAddress *local,
    const IceAddress *remote, IceFraming framing,
    const IceSocketOptions *options, const IceTcpEvents *events,
    gpointer user_data, GError **error);
IceTcp *ice_tcp_adopt (IceLoop *loop, GSocket *connection,
    const IceAddress *local, const IceAddress *remote, IceFraming framing,
    const IceSocketOptions *options, const IceTcpEvents *events,
    gpointer user_data, GError **error);
/* As ice_tcp_connect; @stages (transfer full) are what lies between the socket
 * and the frames. Their handshake has to be through in 9 s, and its first
 * answer here in some round trips. */
IceTcp *ice_tcp_connect_through (IceLoop *loop, const IceAddress *local,
    const IceAddress *remote, IceFraming framing, IceStages *stages,
    const IceSocketOptions *options, const IceTcpEvents *events,
    gpointer user_data, GError **error);
/* The same over datagrams, for DTLS (RFC 7350): what the stages write below is
 * one UDP datagram behind two bytes of length, and so is what they get. */
IceTcp *ice_tcp_connect_datagrams (IceLoop *loop, const IceAddress *local,
    const IceAddress *remote, IceStages *stages,
    const IceSocketOptions *options, const IceTcpEvents *events,
    gpointer user_data, GError **error);
/* No event comes after this; the descriptor goes with the last reference. */
void ice_tcp_close (IceTcp *self);
IceTcp *ice_tcp_ref (IceTcp *self);
void ice_tcp_unref (IceTcp *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceTcp, ice_tcp_unref)

/* What its packets say they are from, where a proxy is at the other end. */
void ice_tcp_set_remote (IceTcp *self, const IceAddress *remote);
/* Or was: whatever its stages are at. */
gboolean ice_tcp_is_connected (IceTcp *self);
void ice_tcp_get_local (IceTcp *self, IceAddress *ret_address);
void ice_tcp_set_dscp (IceTcp *self, gint dscp);
/* (transfer none) (nullable) in the closed event: of the stage that failed. */
const GError *ice_tcp_get_error (IceTcp *self);
/* Any thread: what goes with one packet below its frame, IP excepted. */
guint ice_tcp_get_overhead (IceTcp *self);

/* What waits to be written is whole frames, at most this many bytes of media:
 * at 5 Mbit/s 0.4 s. Then the oldest frame of media goes (design 9.10): what is
 * late is of no use, and what follows it would be later still. */
#define ICE_TCP_QUEUE_MAX (256 * 1024)

/* Any thread. One control packet, which is not dropped for media. FALSE:
 * closed, or the framing cannot carry it. */
gboolean ice_tcp_send (IceTcp *self, IceBytes packet);
/* Any thread. Always takes all, unless it is closed (G_IO_ERROR_CLOSED);
 * @ret_n_discarded counts the frames that were dropped, these or older ones. */
guint ice_tcp_send_batch (IceTcp *self, const IceSendBatch *batch,
    guint *ret_n_discarded, GError **error);

G_END_DECLS
