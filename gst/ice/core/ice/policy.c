/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which variant of ICE is played with a peer. */
#include "policy.h"

#include "../purity.h"

gboolean
ice_policy_is_aggressive (const IcePolicy *self)
{
  return self->aggressive &&
      !(self->remote_options & (ICE_OPTION_ICE2 | ICE_OPTION_RENOMINATION));
}

gboolean
ice_policy_renominates (const IcePolicy *self)
{
  return (self->remote_options & ICE_OPTION_RENOMINATION) != 0;
}

gboolean
ice_policy_is_continual (const IcePolicy *self)
{
  return self->continual && !self->lite && ice_policy_renominates (self) &&
      (self->remote_options & ICE_OPTION_TRICKLE);
}

gboolean
ice_policy_may_be_continual (const IcePolicy *self)
{
  return ice_policy_is_continual (self) ||
      (self->continual && !self->lite && !self->remote_known);
}

gboolean
ice_policy_controls (const IcePolicy *self)
{
  if (self->lite != self->remote_lite)
    return self->remote_lite;
  return self->wants_control;
}

gboolean
ice_policy_is_unchecked (const IcePolicy *self)
{
  return self->lite && self->remote_lite;
}

void
ice_policy_fork (IcePolicy *self, const IcePolicy *origin)
{
  self->lite = origin->lite;
  self->aggressive = origin->aggressive;
  self->continual = origin->continual;
}
