/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../../base/framing.h"
#include "request.h"

G_BEGIN_DECLS

/* RFC 6062 5.2, 5.3: the server closes what no ConnectionBind came for. */
#define ICE_TCP_BIND_WITHIN (30 * ICE_SECOND)

/* One connection with one peer through an allocation of TCP: first a Connect
 * on the control connection, or the server's ConnectionAttempt there, then a
 * data connection to the server of its own, which ConnectionBind makes the
 * peer's. */
typedef enum
{
  ICE_TCP_CONNECTION_ASKED,   /* Connect is out (RFC 6062 4.3) */
  ICE_TCP_CONNECTION_OPENING, /* whoever owns sockets opens one */
  ICE_TCP_CONNECTION_BINDING, /* ConnectionBind is out, on that one */
  ICE_TCP_CONNECTION_BOUND,   /* its bytes are the peer's (4.5) */
} IceTcpConnectionState;

/* The fields are for reading. */
typedef struct
{
  guint id;
  IceTcpConnectionState state;
  gboolean incoming; /* the peer began */
  IceAddress peer;
  guint32 connection_id;  /* the server's, from OPENING on */
  IceTime open_before;    /* when OPENING */
  IceTurnRequest request; /* Connect, then ConnectionBind */
  IceTurnLink link;       /* the data connection; its auth is borrowed */
  IceDeframer deframer;   /* until it is BOUND */
} IceTcpConnection;

/* @control is the link of the control connection; both sign alike. */
IceTcpConnection *ice_tcp_connection_new (
    guint id, const IceAddress *peer, const IceTurnLink *control);
void ice_tcp_connection_free (IceTcpConnection *self);

void ice_tcp_connection_connect (
    IceTcpConnection *self, IceTurnLink *control, IceTime now);
/* The server has it: a data connection is wanted. */
void ice_tcp_connection_offer (
    IceTcpConnection *self, guint32 connection_id, IceTime now);
/* The data connection is there. */
void ice_tcp_connection_bind (IceTcpConnection *self, IceTime now);

/* SUCCESS: @ret_connection_id is set. RETRY was done already. */
IceTurnAnswer ice_tcp_connection_receive_connect (IceTcpConnection *self,
    IceTurnLink *control, const IceStunMessage *answer, IceTime now,
    guint32 *ret_connection_id, guint *ret_code);
/* Reads no byte behind the answer. NOT_MINE: more is needed. */
IceTurnAnswer ice_tcp_connection_receive_bind (
    IceTcpConnection *self, IceReader *in, IceTime now, guint *ret_code);
/* FALSE when it was given up. */
gboolean ice_tcp_connection_timeout (
    IceTcpConnection *self, IceTurnLink *control, IceTime now);
IceTime ice_tcp_connection_deadline (const IceTcpConnection *self);

G_END_DECLS
