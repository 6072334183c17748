/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbered packets by the route that the core gave. */
#include "sim-host-private.h"

#include <string.h>

static void
send_media (SimHost *self, SimTransport *transport)
{
  guint8 payload[13];
  guint8 *media = payload + 4;
  guint64 number = transport->n_sent | (guint64) self->tag << TAG_SHIFT;

  media[0] = MEDIA_MAGIC;
  memcpy (media + 1, &number, 8);
  if (transport->route.socket == 0) {
    if (!ice_core_send (self->core, transport->id, ICE_BYTES (media, 9),
            sim_net_now (self->net))) {
      transport->n_dropped++;
      return;
    }
    sim_host_pump (self);
  } else {
    sim_witness_media (self->witness, transport);
    payload[0] = transport->route.channel >> 8;
    payload[1] = transport->route.channel & 255;
    payload[2] = 0;
    payload[3] = 9;
    sim_host_send_raw (self, transport->route.socket, &transport->route.to,
        transport->route.channel ? ICE_BYTES (payload, 13)
                                 : ICE_BYTES (media, 9));
  }
  transport->n_sent++;
  transport->sent_at = sim_net_now (self->net);
}

typedef struct
{
  SimHost *self;
  guint timer;
} MediaTick;

static void
media_tick (gpointer user)
{
  MediaTick *tick = user;
  SimHost *self = tick->self;
  MediaTick *next;

  if (tick->timer != self->media_timer || self->closed)
    return;
  for (guint i = 0; i < self->n_streams * self->n_components; i++)
    send_media (self, &self->transports[i]);
  next = g_memdup2 (tick, sizeof *tick);
  sim_net_at (self->net, sim_net_now (self->net) + self->media_period,
      media_tick, next, g_free);
}

void
sim_host_start_media (SimHost *self, IceTime period)
{
  MediaTick *tick = g_new (MediaTick, 1);

  self->media_period = period;
  *tick = (MediaTick){ self, ++self->media_timer };
  sim_net_at (self->net, sim_net_now (self->net), media_tick, tick, g_free);
}

void
sim_host_stop_media (SimHost *self)
{
  self->media_timer++;
}
