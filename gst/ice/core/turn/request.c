/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "request.h"

#include "error.h"

#include "../purity.h"

void
ice_turn_link_init (IceTurnLink *self, const gchar *username,
    const gchar *password, const IceTurnDice *dice, IceTime rto)
{
  self->auth = ice_stun_auth_new (username, password);
  self->dice = *dice;
  self->rto = rto;
  self->reliable = FALSE;
  self->last_sent = 0;
  g_queue_init (&self->packets);
  g_queue_init (&self->elsewhere);
}

void
ice_turn_link_clear (IceTurnLink *self)
{
  g_clear_pointer (&self->auth, ice_stun_auth_free);
  g_queue_clear_full (&self->packets, (GDestroyNotify) ice_packet_unref);
  g_queue_clear_full (&self->elsewhere, (GDestroyNotify) ice_packet_unref);
}

void
ice_turn_link_begin (IceTurnLink *self, IceStunBuilder *builder,
    IceStunClass klass, IceStunMethod method)
{
  guint8 id[ICE_STUN_ID_SIZE];

  self->dice.roll (self->dice.user, id, sizeof id);
  ice_stun_builder_init (builder, klass, method, id);
}

void
ice_turn_link_push (IceTurnLink *self, IcePacket *packet, IceTime now)
{
  g_queue_push_tail (&self->packets, packet);
  self->last_sent = now;
}

IcePacket *
ice_turn_link_take (IceTurnLink *self)
{
  return g_queue_pop_head (&self->packets);
}

IcePacket *
ice_turn_link_take_elsewhere (IceTurnLink *self)
{
  return g_queue_pop_head (&self->elsewhere);
}

static void
push_request (
    IceTurnRequest *self, IceTurnLink *link, IcePacket *packet, IceTime now)
{
  if (self->elsewhere)
    g_queue_push_tail (&link->elsewhere, packet);
  else
    ice_turn_link_push (link, packet, now);
}

void
ice_turn_request_start (IceTurnRequest *self, IceTurnLink *link,
    IceStunBuilder *builder, IceTime now)
{
  IcePacket *packet;

  ice_stun_auth_sign (link->auth, builder);
  packet = ice_stun_builder_end (builder);
  push_request (self, link, ice_packet_ref (packet), now);
  ice_transaction_clear (&self->transaction);
  ice_transaction_start (
      &self->transaction, packet, link->rto, link->reliable, now);
}

void
ice_turn_request_clear (IceTurnRequest *self)
{
  ice_transaction_clear (&self->transaction);
  self->rounds = 0;
}

static IceTurnAnswer
end_with (IceTurnRequest *self, IceTurnAnswer answer)
{
  ice_transaction_clear (&self->transaction);
  if (answer != ICE_TURN_ANSWER_RETRY)
    self->rounds = 0;
  return answer;
}

/* RFC 8656 5: the allocation belongs to the credentials that made it. coturn
 * says so without a signature. That ends nothing: what is asked again by those
 * is signed, and if nobody takes them any more the answer is 401. */
static gboolean
asks_for_former (const IceTurnRequest *self, IceTurnLink *link,
    const IceStunMessage *answer, guint code)
{
  return ice_turn_error_remedy (answer->method, code) ==
      ICE_TURN_OTHER_CREDENTIALS &&
      self->rounds < ICE_STUN_AUTH_ROUNDS &&
      (ice_stun_auth_restore (link->auth) ||
          ice_stun_auth_was_restored (link->auth));
}

static IceTurnAnswer
receive_error (IceTurnRequest *self, IceTurnLink *link,
    const IceStunMessage *answer, guint *ret_code)
{
  guint code;
  IceBytes reason;

  if (!ice_stun_message_get_error (answer, &code, &reason))
    return ICE_TURN_ANSWER_DISCARDED;
  *ret_code = code;
  /* RFC 8489 9.2.5: a server that knows no key for us cannot sign these two;
   * every other error is believed only when signed as the request was. */
  if (code == 401 || code == 438) {
    if (ice_stun_auth_challenge (link->auth, answer, code, &self->rounds) ==
        ICE_STUN_AUTH_RETRY)
      return end_with (self, ICE_TURN_ANSWER_RETRY);
    return end_with (self, ICE_TURN_ANSWER_ERROR);
  }
  if (asks_for_former (self, link, answer, code)) {
    self->rounds++;
    return end_with (self, ICE_TURN_ANSWER_RETRY);
  }
  if (!ice_stun_auth_verify (link->auth, answer))
    return ICE_TURN_ANSWER_DISCARDED;
  return end_with (self, ICE_TURN_ANSWER_ERROR);
}

/* RFC 8489 5: an answer carries the method of its request. */
static gboolean
has_method_of (const IceStunMessage *answer, const IcePacket *packet)
{
  IceStunMessage request;

  return ice_stun_message_parse (
             &request, ICE_BYTES (packet->data, packet->size)) &&
      request.method == answer->method;
}

IceTurnAnswer
ice_turn_request_receive (IceTurnRequest *self, IceTurnLink *link,
    const IceStunMessage *answer, guint *ret_code)
{
  guint16 unknown;

  if (!ice_transaction_matches (&self->transaction, answer->id))
    return ICE_TURN_ANSWER_NOT_MINE;
  if (!has_method_of (answer, self->transaction.request))
    return ICE_TURN_ANSWER_DISCARDED;
  if (answer->klass == ICE_STUN_ERROR)
    return receive_error (self, link, answer, ret_code);
  if (answer->klass != ICE_STUN_SUCCESS ||
      !ice_stun_auth_verify (link->auth, answer))
    return ICE_TURN_ANSWER_DISCARDED;
  ice_stun_auth_accepted (link->auth);
  /* RFC 8489 6.3.3: a success we do not fully understand is a failure. */
  if (ice_stun_message_unknown (answer, &unknown, 1) > 0) {
    *ret_code = 420;
    return end_with (self, ICE_TURN_ANSWER_ERROR);
  }
  return end_with (self, ICE_TURN_ANSWER_SUCCESS);
}

gboolean
ice_turn_request_timeout (IceTurnRequest *self, IceTurnLink *link, IceTime now)
{
  IceTransactionStep step;

  while ((step = ice_transaction_timeout (&self->transaction, now)) ==
      ICE_TRANSACTION_SEND)
    push_request (self, link, ice_packet_ref (self->transaction.request), now);
  if (step == ICE_TRANSACTION_IDLE)
    return TRUE;
  end_with (self, ICE_TURN_ANSWER_ERROR);
  return FALSE;
}

IceTime
ice_turn_request_deadline (const IceTurnRequest *self)
{
  return ice_transaction_deadline (&self->transaction);
}
