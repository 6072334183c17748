/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "message.h"

G_BEGIN_DECLS

/* RFC 8489 6.2.1: Rc and Rm. */
#define ICE_STUN_RC 7
#define ICE_STUN_RM 16
/* RFC 8445 14.3: never below 500 ms. */
#define ICE_STUN_RTO_MIN (500 * ICE_MSEC)

/* One request and its retransmissions: 0, 1, 3, 7, 15, 31, 63 RTO after the
 * start, given up 16 RTO after the last (39.5 s with 500 ms). Over a reliable
 * transport it is sent once and given up after 39.5 s. */
typedef struct
{
  guint8 id[ICE_STUN_ID_SIZE];
  IcePacket *request; /* (owned) (nullable) NULL when idle */
  IceTime started_at, sent_at, next_at, give_up_at, rto;
  guint n_sent;
  gboolean retransmit; /* FALSE: answers still count, nothing is resent
                          (RFC 8445 7.2.1.4 cancelled, RFC 7675 consent) */
} IceTransaction;

typedef enum
{
  ICE_TRANSACTION_IDLE, /* nothing is due */
  ICE_TRANSACTION_SEND, /* send request again */
  ICE_TRANSACTION_TIMED_OUT,
} IceTransactionStep;

/* Takes the packet; its bytes 8..19 are the id. The caller sends it. */
void ice_transaction_start (IceTransaction *self, IcePacket *request,
    IceTime rto, gboolean reliable, IceTime now);
/* RFC 7675 5.1 and probes: sent once, given up after @timeout. */
void ice_transaction_start_once (
    IceTransaction *self, IcePacket *request, IceTime timeout, IceTime now);
void ice_transaction_clear (IceTransaction *self);
gboolean ice_transaction_is_active (const IceTransaction *self);
gboolean ice_transaction_matches (const IceTransaction *self, const guint8 *id);
/* Call at its deadline; call again until IDLE or TIMED_OUT, after which the
 * transaction is cleared. The caller sends. */
IceTransactionStep ice_transaction_timeout (IceTransaction *self, IceTime now);
IceTime ice_transaction_deadline (const IceTransaction *self);

G_END_DECLS
