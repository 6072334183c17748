/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transaction.h"

#include <string.h>

#include "../purity.h"

/* RFC 8489 6.2.2: Ti, when nothing is resent because the transport does it. */
#define RELIABLE_TIMEOUT (39500 * ICE_MSEC)

/* RFC 8489 6.2.1: the time between two sends doubles, so after Rc of them
 * 2^Rc - 1 RTOs are over, but for the last wait of Rm. */
#define UNRELIABLE_TIMEOUT(rto)                                                \
  ((rto) * ((1 << (ICE_STUN_RC - 1)) - 1 + ICE_STUN_RM))

static void
start (IceTransaction *self, IcePacket *request, IceTime now)
{
  ice_transaction_clear (self);
  memcpy (self->id, request->data + ICE_STUN_HEADER_SIZE - ICE_STUN_ID_SIZE,
      ICE_STUN_ID_SIZE);
  self->request = request;
  self->started_at = self->sent_at = now;
  self->n_sent = 1;
}

void
ice_transaction_start (IceTransaction *self, IcePacket *request, IceTime rto,
    gboolean reliable, IceTime now)
{
  start (self, request, now);
  self->rto = MAX (rto, ICE_STUN_RTO_MIN);
  self->retransmit = !reliable;
  self->next_at = now + self->rto;
  self->give_up_at =
      now + (reliable ? RELIABLE_TIMEOUT : UNRELIABLE_TIMEOUT (self->rto));
}

void
ice_transaction_start_once (
    IceTransaction *self, IcePacket *request, IceTime timeout, IceTime now)
{
  start (self, request, now);
  self->give_up_at = now + timeout;
}

void
ice_transaction_clear (IceTransaction *self)
{
  ice_packet_unref (self->request);
  memset (self, 0, sizeof (*self));
}

gboolean
ice_transaction_is_active (const IceTransaction *self)
{
  return self->request != NULL;
}

gboolean
ice_transaction_matches (const IceTransaction *self, const guint8 *id)
{
  return self->request && ice_stun_id_equal (self->id, id);
}

static gboolean
may_resend (const IceTransaction *self)
{
  return self->retransmit && self->n_sent < ICE_STUN_RC;
}

IceTime
ice_transaction_deadline (const IceTransaction *self)
{
  if (!self->request)
    return ICE_TIME_NEVER;
  return may_resend (self) ? self->next_at : self->give_up_at;
}

IceTransactionStep
ice_transaction_timeout (IceTransaction *self, IceTime now)
{
  if (now < ice_transaction_deadline (self))
    return ICE_TRANSACTION_IDLE;

  if (!may_resend (self)) {
    ice_transaction_clear (self);
    return ICE_TRANSACTION_TIMED_OUT;
  }

  /* Counted from now, not from when it was due: after a suspend there is no
   * burst, and the server keeps its time to answer the last one. */
  self->sent_at = now;
  self->n_sent++;
  self->next_at = now + (self->rto << (self->n_sent - 1));
  if (self->n_sent == ICE_STUN_RC)
    self->give_up_at = now + ICE_STUN_RM * self->rto;
  return ICE_TRANSACTION_SEND;
}
