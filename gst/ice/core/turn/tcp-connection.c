/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tcp-connection.h"

#include "../purity.h"

IceTcpConnection *
ice_tcp_connection_new (
    guint id, const IceAddress *peer, const IceTurnLink *control)
{
  IceTcpConnection *self = g_new0 (IceTcpConnection, 1);

  self->id = id;
  self->peer = *peer;
  self->open_before = ICE_TIME_NEVER;
  /* RFC 6062 4.3: the same method and credentials as for the control
   * connection. */
  self->link = *control;
  self->link.reliable = TRUE;
  g_queue_init (&self->link.packets);
  ice_deframer_init (&self->deframer, ICE_FRAMING_TURN);
  return self;
}

void
ice_tcp_connection_free (IceTcpConnection *self)
{
  ice_turn_request_clear (&self->request);
  g_queue_clear_full (&self->link.packets, (GDestroyNotify) ice_packet_unref);
  ice_deframer_clear (&self->deframer);
  g_free (self);
}

void
ice_tcp_connection_connect (
    IceTcpConnection *self, IceTurnLink *control, IceTime now)
{
  IceStunBuilder builder;

  ice_turn_link_begin (control, &builder, ICE_STUN_REQUEST, ICE_STUN_CONNECT);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_PEER_ADDRESS, &self->peer);
  ice_turn_request_start (&self->request, control, &builder, now);
}

void
ice_tcp_connection_offer (
    IceTcpConnection *self, guint32 connection_id, IceTime now)
{
  ice_turn_request_clear (&self->request);
  self->connection_id = connection_id;
  self->open_before = now + ICE_TCP_BIND_WITHIN;
  self->state = ICE_TCP_CONNECTION_OPENING;
}

void
ice_tcp_connection_bind (IceTcpConnection *self, IceTime now)
{
  IceStunBuilder builder;

  self->open_before = ICE_TIME_NEVER;
  self->state = ICE_TCP_CONNECTION_BINDING;
  ice_turn_link_begin (
      &self->link, &builder, ICE_STUN_REQUEST, ICE_STUN_CONNECTION_BIND);
  ice_stun_builder_add_u32 (
      &builder, ICE_STUN_CONNECTION_ID, self->connection_id);
  ice_turn_request_start (&self->request, &self->link, &builder, now);
}

IceTurnAnswer
ice_tcp_connection_receive_connect (IceTcpConnection *self,
    IceTurnLink *control, const IceStunMessage *answer, IceTime now,
    guint32 *ret_connection_id, guint *ret_code)
{
  IceTurnAnswer what;

  if (self->state != ICE_TCP_CONNECTION_ASKED)
    return ICE_TURN_ANSWER_NOT_MINE;
  what = ice_turn_request_receive (&self->request, control, answer, ret_code);
  if (what == ICE_TURN_ANSWER_RETRY) {
    ice_tcp_connection_connect (self, control, now);
  } else if (what == ICE_TURN_ANSWER_SUCCESS &&
      !ice_stun_message_get_u32 (
          answer, ICE_STUN_CONNECTION_ID, ret_connection_id)) {
    /* A success that leads nowhere. */
    *ret_code = 400;
    return ICE_TURN_ANSWER_ERROR;
  }
  return what;
}

/* What is no answer has no place on a connection that nothing was sent on but
 * ConnectionBind: bytes of the peer's come behind the success only. */
static IceTurnAnswer
take_frame (
    IceTcpConnection *self, IceBytes frame, IceTime now, guint *ret_code)
{
  IceTurnAnswer what = ICE_TURN_ANSWER_DISCARDED;
  IceStunMessage answer;

  if (ice_stun_message_parse (&answer, frame))
    what = ice_turn_request_receive (
        &self->request, &self->link, &answer, ret_code);
  if (what == ICE_TURN_ANSWER_SUCCESS)
    self->state = ICE_TCP_CONNECTION_BOUND;
  else if (what == ICE_TURN_ANSWER_RETRY)
    ice_tcp_connection_bind (self, now);
  return what;
}

/* RFC 7983 7: a message of STUN starts with 0 to 3. ChannelData, which the
 * framing knows too, is not waited for. */
static gboolean
begins_otherwise (const IceTcpConnection *self, const IceReader *in)
{
  return (self->deframer.begun.size == 0 || self->deframer.whole) &&
      in->left > 0 && in->data[0] > 3;
}

/* Over a stream nobody off path can forge; what is not well signed makes this
 * server's word worthless, so that the connection ends. */
IceTurnAnswer
ice_tcp_connection_receive_bind (
    IceTcpConnection *self, IceReader *in, IceTime now, guint *ret_code)
{
  for (;;) {
    IceTurnAnswer what;
    IceBytes frame;

    if (begins_otherwise (self, in)) {
      *ret_code = 400;
      return ICE_TURN_ANSWER_ERROR;
    }
    switch (ice_deframer_next (&self->deframer, in, &frame)) {
      case ICE_DEFRAME_MORE:
        return ICE_TURN_ANSWER_NOT_MINE;
      case ICE_DEFRAME_RUBBISH:
        *ret_code = 400;
        return ICE_TURN_ANSWER_ERROR;
      default:
        break;
    }
    what = take_frame (self, frame, now, ret_code);
    if (what == ICE_TURN_ANSWER_SUCCESS || what == ICE_TURN_ANSWER_ERROR)
      return what;
    if (what != ICE_TURN_ANSWER_RETRY) {
      *ret_code = 400;
      return ICE_TURN_ANSWER_ERROR;
    }
  }
}

gboolean
ice_tcp_connection_timeout (
    IceTcpConnection *self, IceTurnLink *control, IceTime now)
{
  return now < self->open_before &&
      ice_turn_request_timeout (&self->request,
          self->state == ICE_TCP_CONNECTION_ASKED ? control : &self->link, now);
}

IceTime
ice_tcp_connection_deadline (const IceTcpConnection *self)
{
  return MIN (self->open_before, ice_turn_request_deadline (&self->request));
}
