/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-turn-faults.h"

const gchar *
sim_turn_fault_to_string (SimTurnFault fault)
{
  static const gchar *const names[SIM_TURN_N_FAULTS] = { "healthy", "dead",
    "refuses", "says 401 for ever", "says 438 for ever",
    "says 438 with one nonce", "changes its realm", "lies", "signs nothing",
    "signs with another key", "mistakes transactions", "has odd lifetimes",
    "forbids every peer", "has no channels" };

  return names[fault];
}

guint
sim_trouble_refuse (const SimTrouble *self, guint16 method, gboolean right)
{
  switch (self->fault) {
    case SIM_TURN_REFUSES:
      return right && method == ICE_STUN_ALLOCATE ? self->code : 0;
    case SIM_TURN_UNAUTHORIZED:
      return 401;
    case SIM_TURN_STALE:
    case SIM_TURN_STALE_SAME:
      return right ? 438 : 0;
    case SIM_TURN_FORBIDS:
      return right &&
              (method == ICE_STUN_CREATE_PERMISSION ||
                  method == ICE_STUN_CHANNEL_BIND)
          ? 403
          : 0;
    case SIM_TURN_NO_CHANNELS:
      return right && method == ICE_STUN_CHANNEL_BIND ? 400 : 0;
    default:
      return 0;
  }
}

void
sim_trouble_challenge (SimTrouble *self, gchar realm[32], gchar nonce[32])
{
  self->n_challenges++;
  if (self->fault == SIM_TURN_CHANGES_REALM)
    g_snprintf (realm, 32, "realm-%u", self->n_challenges);
  if (self->fault == SIM_TURN_STALE)
    g_snprintf (nonce, 32, "fresh-%u", self->n_challenges);
}

void
sim_trouble_relayed (const SimTrouble *self, IceAddress *relayed)
{
  static const gchar *const lies[] = { "0.0.0.0", "127.0.0.1", "224.0.0.1",
    "255.255.255.255", "::1", "ff02::1", "::ffff:127.0.0.1", "169.254.1.1" };

  if (self->fault == SIM_TURN_LIES)
    ice_address_parse (
        relayed, lies[relayed->port % G_N_ELEMENTS (lies)], relayed->port);
}

guint32
sim_trouble_lifetime (const SimTrouble *self, guint32 lifetime)
{
  static const guint32 odd[] = { 0, 1, 2, G_MAXINT32, G_MAXUINT32 };

  return self->fault == SIM_TURN_ODD_LIFETIME
      ? odd[self->code % G_N_ELEMENTS (odd)]
      : lifetime;
}
