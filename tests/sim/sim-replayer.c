/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-replayer.h"

#include "sim-host-private.h"

#define N_REPLAYS 40
#define REPLAY_GAP (400 * ICE_MSEC)
#define N_MEMORIES 16

typedef struct
{
  guint socket;
  IcePacket *packet; /* (owned) (nullable) */
} Memory;

struct _SimReplayer
{
  SimNet *net;   /* (unowned) */
  SimHost *host; /* (unowned) */
  Memory memories[N_MEMORIES];
  guint n_seen, n_left;
};

static void replay (gpointer user);

static void
load (SimReplayer *self)
{
  if (self->n_left-- > 0)
    sim_net_at (self->net,
        sim_net_now (self->net) + 1 + sim_net_pick (self->net, 2 * REPLAY_GAP),
        replay, self, NULL);
}

SimReplayer *
sim_replayer_new (SimNet *net, SimHost *host)
{
  SimReplayer *self = g_new0 (SimReplayer, 1);

  self->net = net;
  self->host = host;
  self->n_left = N_REPLAYS;
  host->replayer = self;
  load (self);
  return self;
}

void
sim_replayer_free (SimReplayer *self)
{
  self->host->replayer = NULL;
  for (guint i = 0; i < N_MEMORIES; i++)
    g_clear_pointer (&self->memories[i].packet, ice_packet_unref);
  g_free (self);
}

void
sim_replayer_saw (SimReplayer *self, guint socket, IceBytes data)
{
  Memory *memory = &self->memories[self->n_seen % N_MEMORIES];
  IceStunMessage message;

  if (!ice_stun_looks_like (data) || !ice_stun_message_parse (&message, data) ||
      message.klass != ICE_STUN_REQUEST)
    return;
  self->n_seen++;
  g_clear_pointer (&memory->packet, ice_packet_unref);
  *memory = (Memory){ socket, ice_packet_new_from (data) };
}

static void
replay (gpointer user)
{
  SimReplayer *self = user;
  SimHost *host = self->host;
  const Memory *memory;
  IceDatagram in = { 0 };

  if (host->closed)
    return;
  load (self);
  if (self->n_seen == 0)
    return;
  memory =
      &self->memories[sim_net_pick (self->net, MIN (self->n_seen, N_MEMORIES))];
  in.socket = memory->socket;
  in.from = (IceAddress){ .family = ICE_FAMILY_IPV4,
    .port = 1024 + sim_net_pick (self->net, 8),
    .ip = { 185, 199, 1, 1 + sim_net_pick (self->net, 4) } };
  in.data = ICE_BYTES (memory->packet->data, memory->packet->size);
  sim_net_trace (self->net, "        %s: a check is replayed", host->name);
  ice_core_receive (host->core, &in, sim_net_now (self->net));
  sim_host_pump (host);
}
