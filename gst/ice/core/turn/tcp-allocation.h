/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "allocation.h"
#include "tcp-connection.h"

G_BEGIN_DECLS

/* The client's side of a TURN allocation of TCP (RFC 6062). Connection 0 is the
 * control connection, which is open before this begins; each peer has another.
 *
 *   request, permit, connect, release        commands
 *   receive (control), receive_stream        what came
 *   OPEN: open a connection to where the control connection goes, from another
 *   port, and say _opened or _closed
 *
 * A data connection that is bound carries the peer's bytes as they are, for
 * ICE in frames of RFC 4571; no more of it passes here. */
typedef enum
{
  ICE_TCP_TURN_ALLOCATION, /* allocation: what an IceAllocation has to say */
  ICE_TCP_TURN_OPEN,       /* connection, peer */
  ICE_TCP_TURN_BOUND,      /* connection, peer */
  ICE_TCP_TURN_ENDED, /* connection, peer, code: close its socket, if any */
} IceTcpTurnEventType;

typedef struct
{
  IceTcpTurnEventType type;
  IceTurnEvent allocation;
  guint connection;
  gboolean incoming; /* the peer began */
  IceAddress peer;
  guint code; /* as of IceTurnEvent; 0: closed, or no answer */
} IceTcpTurnEvent;

typedef enum
{
  ICE_TCP_STREAM_MORE, /* all was read */
  ICE_TCP_STREAM_PEER, /* what is left is the peer's */
  ICE_TCP_STREAM_END,  /* unknown, or ended just now: close it */
} IceTcpStream;

/* The fields are for reading. */
typedef struct
{
  IceAllocation *allocation; /* (owned) */
  GPtrArray *connections;    /* (element-type IceTcpConnection) (owned) */
  GArray *refusals; /* (element-type IceTcpRefusal) (owned) peers of a 447 */
  GQueue events;    /* (element-type IceTcpTurnEvent) (owned) */
  guint next_id;
} IceTcpAllocation;

IceTcpAllocation *ice_tcp_allocation_new (const gchar *username,
    const gchar *password, IceFamily family, const IceTurnDice *dice);
void ice_tcp_allocation_free (IceTcpAllocation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceTcpAllocation, ice_tcp_allocation_free)

/* Sends Allocate: at first, and after CHALLENGED. */
void ice_tcp_allocation_request (IceTcpAllocation *self, IceTime now);
/* Deletes it at the server, and ends every connection. */
void ice_tcp_allocation_release (IceTcpAllocation *self, IceTime now);
/* Lets @peer connect to the relayed address (RFC 6062 4.4). */
void ice_tcp_allocation_permit (
    IceTcpAllocation *self, const IceAddress *peer, IceTime now);
/* Connects to @peer. 0: not now; there is one already, or too many, or it
 * failed less than ten seconds ago. */
guint ice_tcp_allocation_connect (
    IceTcpAllocation *self, const IceAddress *peer, IceTime now);
/* Its user is done with it and closes the socket; no event comes. */
void ice_tcp_allocation_disconnect (IceTcpAllocation *self, guint connection);

/* The socket that OPEN wanted. */
void ice_tcp_allocation_opened (
    IceTcpAllocation *self, guint connection, IceTime now);
/* EOF or an error on it; on 0 the allocation and everything in it are gone. */
void ice_tcp_allocation_closed (IceTcpAllocation *self, guint connection);

/* A message from the control connection. */
IceTurnVerdict ice_tcp_allocation_receive (
    IceTcpAllocation *self, const IceStunMessage *message, IceTime now);
IceTcpStream ice_tcp_allocation_receive_stream (
    IceTcpAllocation *self, guint connection, IceReader *in, IceTime now);
void ice_tcp_allocation_timeout (IceTcpAllocation *self, IceTime now);
IceTime ice_tcp_allocation_deadline (const IceTcpAllocation *self);

/* (transfer full) (nullable) a message for @ret_connection. */
IcePacket *
ice_tcp_allocation_take_packet (IceTcpAllocation *self, guint *ret_connection);
gboolean ice_tcp_allocation_next_event (
    IceTcpAllocation *self, IceTcpTurnEvent *ret_event);

G_END_DECLS
