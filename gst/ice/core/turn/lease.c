/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lease.h"

#include "error.h"

#include "../purity.h"

/* Server errors of the moment get one more try this much later; RFC 8489 6.3.4
 * leaves the delay to the client. */
#define RETRY_DELAY ICE_SECOND
#define ASK_AGAIN_DELAY (5 * ICE_SECOND)

void
ice_lease_init (
    IceLease *self, guint16 method, IceTime lifetime, IceTime renew_after)
{
  *self = (IceLease){
    .state = ICE_LEASE_REQUESTED,
    .method = method,
    .wanted = TRUE,
    .lifetime = lifetime,
    .renew_after = renew_after,
    .renew_at = ICE_TIME_NEVER,
    .expires_at = ICE_TIME_NEVER,
    .lost_at = ICE_TIME_NEVER,
  };
}

void
ice_lease_clear (IceLease *self)
{
  ice_turn_request_clear (&self->request);
}

void
ice_lease_grant (IceLease *self, IceTime now)
{
  self->state = ICE_LEASE_HELD;
  self->retried = FALSE;
  self->renew_at = now + self->renew_after;
  self->expires_at = now + self->lifetime;
}

void
ice_lease_lose (IceLease *self, IceTime now)
{
  ice_turn_request_clear (&self->request);
  self->state = ICE_LEASE_LOST;
  self->retried = FALSE;
  self->renew_at = self->expires_at = ICE_TIME_NEVER;
  self->lost_at = now;
}

void
ice_lease_ask_again (IceLease *self, IceTime now)
{
  if (self->state == ICE_LEASE_HELD && self->renew_at == ICE_TIME_NEVER &&
      ice_turn_request_deadline (&self->request) == ICE_TIME_NEVER)
    self->renew_at = now;
}

gboolean
ice_lease_may_ask_again (const IceLease *self, IceTime now)
{
  return self->state == ICE_LEASE_LOST &&
      now >= self->lost_at + ASK_AGAIN_DELAY;
}

static void
take_error (IceLease *self, guint code, IceTime now)
{
  IceTurnRemedy remedy = ice_turn_error_remedy (self->method, code);

  if (remedy == ICE_TURN_TRY_LATER && !self->retried) {
    self->retried = TRUE;
    self->renew_at = now + RETRY_DELAY;
    return;
  }
  /* What is held lasts, and other credentials may renew it in time. */
  if (self->state == ICE_LEASE_HELD &&
      (remedy == ICE_TURN_AUTHENTICATE || remedy == ICE_TURN_REFUSED ||
          remedy == ICE_TURN_OTHER_CREDENTIALS))
    return;
  ice_lease_lose (self, now);
}

IceTurnAnswer
ice_lease_receive (IceLease *self, IceTurnLink *link,
    const IceStunMessage *answer, IceTime now, guint *ret_code)
{
  IceTurnAnswer what;

  what = ice_turn_request_receive (&self->request, link, answer, ret_code);
  if (what == ICE_TURN_ANSWER_SUCCESS)
    ice_lease_grant (self, now);
  else if (what == ICE_TURN_ANSWER_ERROR)
    take_error (self, *ret_code, now);
  return what;
}

IceLeaseStep
ice_lease_timeout (IceLease *self, IceTurnLink *link, IceTime now)
{
  if (self->state == ICE_LEASE_LOST)
    return ICE_LEASE_IDLE;
  if (now >= self->expires_at) {
    ice_lease_lose (self, now);
    return ICE_LEASE_ENDED;
  }
  if (!ice_turn_request_timeout (&self->request, link, now)) {
    /* What is held is asked for until it expires. */
    if (self->state == ICE_LEASE_HELD && self->wanted)
      return ICE_LEASE_RENEW;
    if (self->state == ICE_LEASE_HELD)
      return ICE_LEASE_IDLE;
    ice_lease_lose (self, now);
    return ICE_LEASE_ENDED;
  }
  if (self->wanted && now >= self->renew_at) {
    self->renew_at = ICE_TIME_NEVER;
    return ICE_LEASE_RENEW;
  }
  return ICE_LEASE_IDLE;
}

IceTime
ice_lease_deadline (const IceLease *self)
{
  IceTime deadline;

  if (self->state == ICE_LEASE_LOST)
    return ICE_TIME_NEVER;
  deadline = ice_turn_request_deadline (&self->request);
  if (self->wanted)
    deadline = MIN (deadline, self->renew_at);
  return MIN (deadline, self->expires_at);
}
