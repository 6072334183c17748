/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Time is microseconds of a monotonic clock that the caller reads: nothing
 * below gst/ice asks what time it is. */
typedef gint64 IceTime;

#define ICE_MSEC ((IceTime) 1000)
#define ICE_SECOND (1000 * ICE_MSEC)
#define ICE_TIME_NEVER G_MAXINT64

/* What carries packets between us and a STUN or TURN server (RFC 7064, 7065):
 * the schemes with an s over TCP are TLS, over UDP DTLS (RFC 7350). */
typedef enum
{
  ICE_TRANSPORT_UDP,
  ICE_TRANSPORT_TCP,
  ICE_TRANSPORT_TLS,
  ICE_TRANSPORT_DTLS,
} IceTransportKind;

/* "udp", "tcp", "tls", "dtls". */
const gchar *ice_transport_kind_to_string (IceTransportKind kind);

/* Bytes that belong to somebody else. */
typedef struct
{
  const guint8 *data; /* (unowned) (nullable) when size is 0 */
  gsize size;
} IceBytes;

#define ICE_BYTES(d, s)                                                        \
  ((IceBytes){ .data = (const guint8 *) (d), .size = (s) })
#define ICE_BYTES_NONE ((IceBytes){ NULL, 0 })

/* One outgoing packet. A transaction and the outputs that retransmit it hold
 * the same bytes. */
typedef struct
{
  gatomicrefcount ref_count;
  gsize size;
  guint8 data[];
} IcePacket;

IcePacket *ice_packet_new (gsize size);
IcePacket *ice_packet_new_from (IceBytes bytes);
IcePacket *ice_packet_ref (IcePacket *self);
void ice_packet_unref (IcePacket *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcePacket, ice_packet_unref)

G_END_DECLS
