/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "native.h"
#include "socket.h"

G_BEGIN_DECLS

/* Between socket.c and the two ways of moving datagrams. A backend moves
 * bytes; opening, closing, events and threads are socket.c's. */
typedef struct _IceUdp IceUdp;

/* What a wake-up brought. */
typedef struct
{
  IceRxPacket *packets; /* room for ICE_RX_MAX_PACKETS */
  guint n_packets;
  IceRxSlab *slab;
  guint8 *data; /* free bytes of the slab, */
  gsize size;   /* so many */
  gsize used;   /* of them taken */
} IceUdpRx;

/* What became of a send: @n_taken packets are done with, of which
 * @n_discarded did not leave. With an error the next one waits. */
typedef struct
{
  guint n_taken, n_discarded;
  gint error; /* GIOErrorEnum, or -1 when all were taken */
} IceUdpTx;

typedef void (*IceUdpErrorFunc) (const IceAddress *to, IceBytes quoted,
    gint error_number, gpointer user_data);

struct _IceUdp
{
  const gchar *name;
  gboolean connects; /* a second socket on a port (lane.h) */
  void (*set_up) (IceSocket *socket);
  /* (nullable) Any thread. */
  void (*set_dont_fragment) (IceSocket *socket, gboolean dont_fragment);
  /* Loop thread. Reads until nothing waits or one socket's share of a round
   * is used up. */
  void (*receive) (IceSocket *socket, IceUdpRx *rx);
  /* Loop thread. Reports hard ICMP errors. */
  void (*take_errors) (
      IceSocket *socket, IceUdpErrorFunc func, gpointer user_data);
  /* Any thread. */
  gboolean (*send) (IceSocket *socket, const IceAddress *to, IceBytes packet,
      gint traffic_class);
  void (*send_batch) (IceSocket *socket, const IceAddress *to,
      const IceSendBatch *batch, IceUdpTx *tx);
};

extern const IceUdp ice_udp_linux;
extern const IceUdp ice_udp_generic;

/* LINUX or GENERIC: what is asked for, by the caller, else by the
 * environment, as far as it was built. */
IceUdpBatch ice_udp_batch_resolve (IceUdpBatch batch);

/* For the backends. */
gint ice_socket_get_fd (IceSocket *self);
GSocket *ice_socket_get_gsocket (IceSocket *self);
/* It has one destination, and the kernel knows the way. */
gboolean ice_socket_is_connected (IceSocket *self);
/* The largest packet that may travel by UDP_SEGMENT, 0 for none: what the
 * device and the path turn out to stand is learnt from their errors. Atomic. */
gint ice_socket_get_segment_limit (IceSocket *self);
void ice_socket_set_segment_limit (IceSocket *self, gint limit);

/* What goes into the IP header for a packet of the batch, -1: the socket's. */
gint ice_socket_get_traffic_class (
    IceSocket *self, const IceSendBatch *batch, GstBuffer *buffer);

/* A datagram holds 65,507 bytes: 65,535 less IPv4 and UDP headers. */
#define ICE_UDP_MAX_PAYLOAD 65507

/* A view of the next packets of a batch: their memories mapped, one vector
 * each, after one for the ChannelData header. On the stack. */
#define ICE_UDP_WINDOW_PACKETS 128
#define ICE_UDP_WINDOW_VECTORS 256

typedef struct
{
  guint first_vector, n_vectors;
  gsize size;
  gint traffic_class; /* -1: the socket's */
} IceUdpWindowPacket;

typedef struct
{
  guint n_packets, n_vectors, n_maps;
  IceUdpWindowPacket packets[ICE_UDP_WINDOW_PACKETS];
  GOutputVector vectors[ICE_UDP_WINDOW_VECTORS];
  GstMapInfo maps[ICE_UDP_WINDOW_VECTORS];
  guint8 headers[ICE_UDP_WINDOW_PACKETS][4];
} IceUdpWindow;

void ice_udp_window_map (IceUdpWindow *self, IceSocket *socket,
    const IceSendBatch *batch, guint first);
void ice_udp_window_unmap (IceUdpWindow *self);

/* Adds one received datagram, or with @segment the packets it was made of
 * (UDP_GRO); an empty one is dropped. */
void ice_udp_rx_add (
    IceUdpRx *self, const IceRxPacket *model, gsize size, gsize segment);
/* Where the datagram at @data goes for good: a small one moves down to the
 * last, so that a slab is not used up by the room that 64 KiB would take. */
const guint8 *ice_udp_rx_settle (IceUdpRx *self, guint8 *data, gsize size);

G_END_DECLS
