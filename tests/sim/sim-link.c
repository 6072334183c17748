/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-link.h"

/* IPv4 and UDP headers. */
#define OVERHEAD 28
/* A packet that is reordered is late by so much at most. */
#define REORDER_MAX (100 * ICE_MSEC)

/* The next spell begins and lasts at random, around what was asked for. */
static gboolean
is_spell (IceTime *from, IceTime *until, guint per_minute, IceTime length,
    IceTime now, SimDice dice, gpointer user)
{
  guint gap_ms;

  if (per_minute == 0)
    return FALSE;
  while (now >= *until) {
    gap_ms = 60000 / per_minute;
    *from = (*until ? *until : now) + (1 + dice (user, 2 * gap_ms)) * ICE_MSEC;
    *until = *from + length / 2 + dice (user, length / ICE_MSEC) * ICE_MSEC;
  }
  return now >= *from;
}

gboolean
sim_link_pass (const SimLink *self, SimWeather *weather, gboolean down,
    gsize size, IceTime now, SimDice dice, gpointer user, IceTime *ret_time)
{
  IceTime *free_at = &weather->free_at[down];
  IceTime time = self->delay;

  if (dice (user, 1000) < self->loss + (down ? self->loss_down : self->loss_up))
    return FALSE;
  if (self->mtu && size + OVERHEAD > self->mtu)
    return FALSE;
  if (is_spell (&weather->burst_from, &weather->burst_until,
          self->bursts_per_minute, self->burst_length, now, dice, user))
    return FALSE;
  if (self->jitter)
    time += dice (user, self->jitter);
  if (self->reorder && dice (user, 1000) < self->reorder)
    time += dice (user, REORDER_MAX);
  if (is_spell (&weather->spike_from, &weather->spike_until,
          self->spikes_per_minute, 500 * ICE_MSEC, now, dice, user))
    time += self->spike;
  if (self->rate) {
    if (*free_at > now + self->queue)
      return FALSE;
    *free_at = MAX (*free_at, now) +
        (IceTime) (size + OVERHEAD) * 8 * ICE_SECOND / self->rate;
    time += *free_at - now;
  }
  *ret_time = time;
  return TRUE;
}
