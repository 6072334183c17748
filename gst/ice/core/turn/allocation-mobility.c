/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An allocation that moves to another client address with the ticket it was
 * given (RFC 8016 3.2). */
#include "allocation-private.h"

#include "../purity.h"

gboolean
ice_allocation_can_move (const IceAllocation *self)
{
  return self->state == ICE_ALLOCATION_ACTIVE && self->ticket &&
      ice_turn_request_deadline (&self->move) == ICE_TIME_NEVER;
}

/* RFC 8016 3.2.1: the ticket goes into a Refresh from the new address, and into
 * no other. */
static void
send_move (IceAllocation *self, IceTime now)
{
  IceStunBuilder builder;
  gsize size;
  gconstpointer ticket = g_bytes_get_data (self->ticket, &size);

  ice_turn_link_begin (
      &self->link, &builder, ICE_STUN_REQUEST, ICE_STUN_REFRESH);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_LIFETIME, self->lifetime);
  ice_stun_builder_add_bytes (
      &builder, ICE_STUN_MOBILITY_TICKET, ICE_BYTES (ticket, size));
  self->move.elsewhere = !self->moves_here;
  ice_turn_request_start (&self->move, &self->link, &builder, now);
}

gboolean
ice_allocation_move (IceAllocation *self, IceTime now)
{
  if (!ice_allocation_can_move (self))
    return FALSE;
  self->moves_here = FALSE;
  send_move (self, now);
  return TRUE;
}

/* A NAT has given us another address (RFC 8016 1): the ticket tells the server
 * whose allocation it was. */
void
ice_allocation_lose (IceAllocation *self, guint code, IceTime now)
{
  if (code != 437 || !ice_allocation_can_move (self)) {
    ice_allocation_end (self, ICE_TURN_LOST, code);
    return;
  }
  self->moves_here = TRUE;
  send_move (self, now);
}

/* A server that knows nothing of us has no key either: a 437 without a
 * signature ends nothing (RFC 8489 9.2.5), but it is reason enough to show the
 * ticket in a request that is signed. coturn does so when mobility is on. By a
 * 441 what we have is another user's: it may last, and another allocation
 * beside it costs little. */
gboolean
ice_allocation_hear_rumour (
    IceAllocation *self, const IceStunMessage *answer, IceTime now)
{
  IceBytes reason;
  guint code;

  if (answer->klass != ICE_STUN_ERROR ||
      !ice_stun_message_get_error (answer, &code, &reason))
    return FALSE;
  if (code == 441) {
    ice_allocation_emit (self, ICE_TURN_REFUSED_US, NULL, 0, code);
    return TRUE;
  }
  if (answer->method != ICE_STUN_REFRESH || code != 437 ||
      !ice_allocation_can_move (self))
    return FALSE;
  self->moves_here = TRUE;
  send_move (self, now);
  return TRUE;
}

void
ice_allocation_stop_moving (IceAllocation *self)
{
  ice_turn_request_clear (&self->move);
}

IcePacket *
ice_allocation_take_packet_elsewhere (IceAllocation *self)
{
  return ice_turn_link_take_elsewhere (&self->link);
}

/* RFC 8016 3.2.3: "The ticket ... replaces" the old one, which is used up. */
static void
moved (IceAllocation *self, const IceStunMessage *answer, IceTime now)
{
  g_clear_pointer (&self->ticket, g_bytes_unref);
  ice_allocation_take_ticket (self, answer);
  ice_turn_request_clear (&self->request); /* a Refresh to what has moved */
  if (!ice_allocation_take_refreshed (self, answer, now)) {
    ice_allocation_end (self, ICE_TURN_LOST, ICE_TURN_NONSENSE);
    return;
  }
  ice_allocation_emit (self, ICE_TURN_MOVED, NULL, 0, 0);
}

/* RFC 8016 3.2.4: the server does not know the ticket, or does not want it
 * (400, 405, 437); it is no better the next time. */
static void
not_moved (IceAllocation *self, guint code)
{
  g_clear_pointer (&self->ticket, g_bytes_unref);
  if (code == 405)
    self->options.mobility = FALSE;
  if (self->moves_here)
    ice_allocation_end (self, ICE_TURN_LOST, code);
  else
    ice_allocation_emit (self, ICE_TURN_NOT_MOVED, NULL, 0, code);
}

IceTurnVerdict
ice_allocation_receive_move_answer (
    IceAllocation *self, const IceStunMessage *answer, IceTime now)
{
  guint code = 0;
  IceTurnAnswer what =
      ice_turn_request_receive (&self->move, &self->link, answer, &code);

  if (what == ICE_TURN_ANSWER_RETRY)
    send_move (self, now);
  else if (what == ICE_TURN_ANSWER_SUCCESS)
    moved (self, answer, now);
  else if (what == ICE_TURN_ANSWER_ERROR)
    not_moved (self, code);
  return ice_allocation_judge (what);
}

/* The ticket may not have arrived: it is good for another attempt. */
void
ice_allocation_move_timeout (IceAllocation *self, IceTime now)
{
  if (ice_turn_request_timeout (&self->move, &self->link, now))
    return;
  if (self->moves_here)
    ice_allocation_end (self, ICE_TURN_LOST, ICE_TURN_NO_ANSWER);
  else
    ice_allocation_emit (self, ICE_TURN_NOT_MOVED, NULL, 0, ICE_TURN_NO_ANSWER);
}
