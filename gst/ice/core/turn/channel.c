/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel.h"

#include "../purity.h"

IceChannel *
ice_channel_new (const IceAddress *peer, guint16 number)
{
  IceChannel *self = g_new0 (IceChannel, 1);

  self->peer = *peer;
  self->number = number;
  ice_lease_init (&self->lease, ICE_STUN_CHANNEL_BIND, ICE_CHANNEL_LIFETIME,
      ICE_CHANNEL_RENEW_AFTER);
  return self;
}

void
ice_channel_free (IceChannel *self)
{
  ice_lease_clear (&self->lease);
  g_free (self);
}

void
ice_channel_request (IceChannel *self, IceTurnLink *link, IceTime now)
{
  IceStunBuilder builder;

  if (self->lease.state == ICE_LEASE_LOST)
    self->lease.state = ICE_LEASE_REQUESTED;
  ice_turn_link_begin (link, &builder, ICE_STUN_REQUEST, ICE_STUN_CHANNEL_BIND);
  /* RFC 8656 18.1: the number, then two bytes reserved for future use. */
  ice_stun_builder_add_u32 (
      &builder, ICE_STUN_CHANNEL_NUMBER, (guint32) self->number << 16);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_PEER_ADDRESS, &self->peer);
  ice_turn_request_start (&self->lease.request, link, &builder, now);
}

gboolean
ice_channel_is_bound (const IceChannel *self)
{
  return self->lease.state == ICE_LEASE_HELD;
}

gboolean
ice_channel_is_stale (const IceChannel *self, IceTime now)
{
  return self->lease.state == ICE_LEASE_LOST &&
      now >= self->lease.lost_at + ICE_CHANNEL_QUARANTINE;
}

IceTurnAnswer
ice_channel_receive (IceChannel *self, IceTurnLink *link,
    const IceStunMessage *answer, IceTime now, guint *ret_code)
{
  IceTurnAnswer what;

  what = ice_lease_receive (&self->lease, link, answer, now, ret_code);
  if (what == ICE_TURN_ANSWER_RETRY)
    ice_channel_request (self, link, now);
  return what;
}

gboolean
ice_channel_timeout (IceChannel *self, IceTurnLink *link, IceTime now)
{
  IceLeaseStep step = ice_lease_timeout (&self->lease, link, now);

  if (step == ICE_LEASE_RENEW)
    ice_channel_request (self, link, now);
  return step != ICE_LEASE_ENDED;
}
