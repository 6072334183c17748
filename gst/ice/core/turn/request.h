/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../stun/credentials.h"
#include "../stun/transaction.h"

G_BEGIN_DECLS

/* Lent by the caller: where transaction ids come from. */
typedef struct
{
  void (*roll) (gpointer user, guint8 *ret_bytes, gsize size);
  gpointer user; /* (unowned) */
} IceTurnDice;

/* The client's end of one 5-tuple to a TURN server: how its requests are
 * signed, and the packets that wait to be sent there. */
typedef struct
{
  IceStunAuth *auth; /* (owned) */
  IceTurnDice dice;
  IceTime rto;
  gboolean reliable; /* the transport resends, we do not (RFC 8489 6.2.2) */
  GQueue packets;    /* (element-type IcePacket) (owned) */
  GQueue elsewhere;  /* likewise: from the address that it moves to */
  IceTime last_sent; /* any packet but media, for the keepalive */
} IceTurnLink;

void ice_turn_link_init (IceTurnLink *self, const gchar *username,
    const gchar *password, const IceTurnDice *dice, IceTime rto);
void ice_turn_link_clear (IceTurnLink *self);
/* A message with a fresh transaction id. */
void ice_turn_link_begin (IceTurnLink *self, IceStunBuilder *builder,
    IceStunClass klass, IceStunMethod method);
/* Takes the packet. */
void ice_turn_link_push (IceTurnLink *self, IcePacket *packet, IceTime now);
/* (transfer full) (nullable) the next packet to send to the server. */
IcePacket *ice_turn_link_take (IceTurnLink *self);
/* Likewise, from the address that it moves to. */
IcePacket *ice_turn_link_take_elsewhere (IceTurnLink *self);

/* One request signed with long-term credentials, and the rounds it has gone
 * through for them. Zeroed memory is an idle request. */
typedef struct
{
  IceTransaction transaction;
  guint rounds;       /* 401 and 438 taken for this request so far */
  gboolean elsewhere; /* it leaves from the address that we move to */
} IceTurnRequest;

typedef enum
{
  ICE_TURN_ANSWER_NOT_MINE,  /* another transaction */
  ICE_TURN_ANSWER_DISCARDED, /* forged or malformed: as if it never came */
  ICE_TURN_ANSWER_RETRY,     /* the challenge was taken: build it again */
  ICE_TURN_ANSWER_SUCCESS,
  ICE_TURN_ANSWER_ERROR,
} IceTurnAnswer;

/* Signs what the builder holds and sends it; the builder is cleared. */
void ice_turn_request_start (IceTurnRequest *self, IceTurnLink *link,
    IceStunBuilder *builder, IceTime now);
void ice_turn_request_clear (IceTurnRequest *self);
/* @ret_code is set with ERROR: the STUN code, 401 when the server does not
 * take the credentials. Anything but NOT_MINE and DISCARDED ends the
 * transaction. */
IceTurnAnswer ice_turn_request_receive (IceTurnRequest *self, IceTurnLink *link,
    const IceStunMessage *answer, guint *ret_code);
/* FALSE when the request was given up. */
gboolean
ice_turn_request_timeout (IceTurnRequest *self, IceTurnLink *link, IceTime now);
IceTime ice_turn_request_deadline (const IceTurnRequest *self);

G_END_DECLS
