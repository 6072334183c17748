/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a node's packets go through on their way out and in. */
#pragma once

#include "gst/ice/base/types.h"

G_BEGIN_DECLS

/* Probabilities are per thousand. */
typedef struct
{
  IceTime delay, jitter;
  guint loss;               /* both ways */
  guint loss_up, loss_down; /* and one way more */
  guint duplicate, reorder;
  guint corrupt; /* of STUN messages: 1 to 8 bits */

  /* Gilbert and Elliott: bursts of @burst_length on average, so many a minute,
   * in which nothing passes. */
  guint bursts_per_minute;
  IceTime burst_length;
  /* Likewise, but all is late by @spike. */
  guint spikes_per_minute;
  IceTime spike;

  guint mtu;     /* of IP packets; what is larger vanishes. 0: any */
  guint rate;    /* bit/s, 0: any */
  IceTime queue; /* that a slow link holds; what comes then is lost */
} SimLink;

/* Where a link is in its weather. */
typedef struct
{
  IceTime burst_from, burst_until;
  IceTime spike_from, spike_until;
  IceTime free_at[2]; /* the slow link, up and down */
} SimWeather;

typedef guint (*SimDice) (gpointer user, guint n);

/* FALSE: the packet is lost. @ret_time: how long it takes here. */
gboolean sim_link_pass (const SimLink *self, SimWeather *weather, gboolean down,
    gsize size, IceTime now, SimDice dice, gpointer user, IceTime *ret_time);

G_END_DECLS
