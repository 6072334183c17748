/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtu.h"

#include "../purity.h"

/* What paths are made of: RFC 8899 5.1.2's BASE_PLPMTU, the least that IPv6
 * carries (RFC 8200 5), tunnels of many kinds, PPPoE (RFC 2516 7), Ethernet. */
static const guint sizes[] = { 1200, 1280, 1360, 1400, 1420, 1440, 1460, 1480,
  1492, 1500 };

#define N_SIZES G_N_ELEMENTS (sizes)

/* RFC 8899 5.1.2: MAX_PROBES, by default. */
#define MAX_PROBES 3
/* RFC 8899 5.1.1: PROBE_TIMER is never less than a second. */
#define MIN_PATIENCE (1 * ICE_SECOND)
/* RFC 8899 5.1.1: PMTU_RAISE_TIMER. */
#define RAISE_TIME (600 * ICE_SECOND)

static void
ask (IceMtu *self, guint index, IceTime now)
{
  self->probe = index;
  self->n_sent = 0;
  self->next_at = now;
}

static void
search (IceMtu *self, IceTime now)
{
  self->searching = TRUE;
  self->lowest_lost = N_SIZES;
  self->best = 0;
  /* Most paths take it, and one packet shows that. */
  ask (self, N_SIZES - 1, now);
}

void
ice_mtu_start (IceMtu *self, guint pair, IceTime rtt, IceTime now)
{
  *self = (IceMtu){
    .running = TRUE, .pair = pair, .patience = MAX (MIN_PATIENCE, 2 * rtt)
  };
  search (self, now);
}

void
ice_mtu_stop (IceMtu *self)
{
  *self = (IceMtu){ .running = FALSE };
}

/* Halves what is between the best and the worst; RFC 8899 5.3.2 leaves the way
 * of searching open. */
static void
go_on (IceMtu *self, IceTime now)
{
  if (self->lowest_lost > self->best) {
    ask (self, (self->best + self->lowest_lost) / 2, now);
    return;
  }
  self->searching = FALSE;
  self->mtu = self->best > 0 ? sizes[self->best - 1] : 0;
  self->next_at = now + RAISE_TIME;
}

guint
ice_mtu_timeout (IceMtu *self, IceTime now)
{
  if (!self->running || now < self->next_at)
    return 0;
  if (!self->searching)
    search (self, now);
  if (self->n_sent == MAX_PROBES) {
    self->lowest_lost = self->probe;
    go_on (self, now);
    if (!self->searching)
      return 0;
  }
  self->n_sent++;
  self->next_at = now + self->patience;
  return sizes[self->probe];
}

void
ice_mtu_answered (IceMtu *self, guint size, IceTime now)
{
  /* What was given up may still arrive, and is believed. */
  for (guint i = self->best; self->searching && i < N_SIZES; i++) {
    if (sizes[i] != size)
      continue;
    self->best = i + 1;
    self->lowest_lost = MAX (self->lowest_lost, i + 1);
    go_on (self, now);
    return;
  }
}

IceTime
ice_mtu_deadline (const IceMtu *self)
{
  return self->running ? self->next_at : ICE_TIME_NEVER;
}
