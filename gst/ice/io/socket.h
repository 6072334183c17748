/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "../base/address.h"
#include "loop.h"
#include "rx-pool.h"

G_BEGIN_DECLS

/* One bound datagram socket. References keep the descriptor open; closing is
 * shutting down first: once revoked, no call reaches the kernel any more
 * (design 9.11). Sending is for any thread, never blocks, takes no lock of the
 * agent; everything else is the loop thread's. */
typedef struct _IceSocket IceSocket;

typedef struct
{
  /* One call for one wake-up. The packets die with the call. */
  void (*packets) (IceSocket *socket, IceRxPacket *packets, guint n_packets,
      gpointer user_data);
  /* A hard ICMP error; @quoted is the head of our packet. */
  void (*unreachable) (IceSocket *socket, const IceAddress *to, IceBytes quoted,
      gint error_number, gpointer user_data);
  /* A send had said G_IO_ERROR_WOULD_BLOCK; now there is room. */
  void (*writable) (IceSocket *socket, gpointer user_data);
  /* (nullable) A packet to @to was larger than the path takes; what that is,
   * ice_path_mtu knows now. */
  void (*too_big) (IceSocket *socket, const IceAddress *to, gpointer user_data);
} IceSocketEvents;

typedef enum
{
  ICE_UDP_BATCH_DEFAULT, /* build option, then GST_ICE_UDP_BATCH */
  ICE_UDP_BATCH_LINUX,   /* UDP_SEGMENT, UDP_GRO, sendmmsg, recvmmsg */
  ICE_UDP_BATCH_GENERIC, /* GSocket */
} IceUdpBatch;

typedef struct
{
  guint16 min_port, max_port; /* 0, 0: any */
  IceUdpBatch batch;
  gint dscp;              /* -1: leave alone */
  gboolean dont_fragment; /* where the backend can */
} IceSocketOptions;

/* Loop thread. @user_data is not kept alive; close before it goes. */
IceSocket *ice_socket_open_udp (IceLoop *loop, const IceAddress *local,
    const IceSocketOptions *options, const IceSocketEvents *events,
    gpointer user_data, GError **error);
/* Loop thread: no event comes after this; the descriptor goes with the last
 * reference. */
void ice_socket_close (IceSocket *self);
IceSocket *ice_socket_ref (IceSocket *self);
void ice_socket_unref (IceSocket *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceSocket, ice_socket_unref)

void ice_socket_get_local (IceSocket *self, IceAddress *ret_address);
gboolean ice_socket_is_closed (IceSocket *self);
/* Changes what later packets carry (RFC 8445 7.2.3: checks as the data). */
void ice_socket_set_dscp (IceSocket *self, gint dscp);

/* Any thread. One control packet. FALSE when the kernel refused; loss is what
 * the protocol above expects anyway. */
gboolean
ice_socket_send (IceSocket *self, const IceAddress *to, IceBytes packet);
/* With a DSCP of its own; -1: the socket's. */
gboolean ice_socket_send_marked (
    IceSocket *self, const IceAddress *to, IceBytes packet, gint dscp);

/* It is lost rather than fragmented. FALSE where the backend cannot. */
gboolean
ice_socket_send_whole (IceSocket *self, const IceAddress *to, IceBytes packet);
/* Whether sockets can do that, and hear of it. */
gboolean ice_socket_can_dont_fragment (IceUdpBatch batch);

/* Any thread. Bytes of an IP packet that the kernel believes fit on the way
 * from
 * @from, whose port does not matter, to @to: those of the interface, or what
 * routers have told since. 0: it does not tell. */
guint ice_path_mtu (const IceAddress *from, const IceAddress *to);

typedef struct
{
  gpointer buffers; /* GstBuffer ** */
  guint n_buffers;
  guint16 channel; /* not 0: ChannelData header before each packet, whose
                      size goes into it (RFC 8656 12.4); no padding over
                      UDP */
  /* The byte of RFC 2474 3 and RFC 3168 5 that a packet asks for, or -1; @dscp
   * is what it would get. (nullable) Backends without control messages do
   * without. */
  gint (*mark) (GstBuffer *buffer, guint8 dscp);
  gboolean has_dscp; /* in place of the socket's, which others use as well */
  guint8 dscp;
} IceSendBatch;

/* Any thread. Returns how many packets the kernel took, in order. Fewer than
 * n_buffers sets @error: G_IO_ERROR_WOULD_BLOCK (writable follows),
 * G_IO_ERROR_MESSAGE_TOO_LARGE for the next one, G_IO_ERROR_CLOSED. Errors the
 * network may heal (ECONNREFUSED, EHOSTUNREACH, EPERM, ENOBUFS) count the
 * packet as sent and @ret_n_discarded goes up. A pending ICMP error never eats
 * an innocent packet: it is taken and the send repeated. */
guint ice_socket_send_batch (IceSocket *self, const IceAddress *to,
    const IceSendBatch *batch, guint *ret_n_discarded, GError **error);

G_END_DECLS
