/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-turn-private.h"

#include <string.h>

/* The answer to a check that was let in at the last moment, by a pair that only
 * the peer still keeps. */
#define ANSWER_TIME (1 * ICE_SECOND)

static gboolean
is_permitted (SimTurn *self, const SimAllocation *allocation,
    const IceAddress *peer, gboolean out)
{
  for (guint i = 0; i < allocation->permissions->len; i++) {
    const SimPermission *permission =
        &g_array_index (allocation->permissions, SimPermission, i);

    if (!ice_address_same_ip (&permission->peer, peer))
      continue;
    if (sim_net_now (self->net) < permission->expires_at)
      return TRUE;
    if (out && sim_net_now (self->net) >= permission->expires_at + ANSWER_TIME)
      sim_turn_ran_out (self, "a permission", &allocation->client);
  }
  return FALSE;
}

void
sim_turn_relay_out (SimTurn *self, SimAllocation *allocation,
    const IceAddress *peer, IceBytes data)
{
  if (!is_permitted (self, allocation, peer, TRUE))
    return;
  self->n_relayed++;
  sim_node_send (sim_turn_node_for (self, peer), allocation->port, peer, data);
}

void
sim_turn_relay_channel (SimTurn *self, const IceAddress *from, IceBytes data)
{
  SimAllocation *allocation = sim_turn_find (self, from);
  guint16 number = data.data[0] << 8 | data.data[1];
  gsize size = data.data[2] << 8 | data.data[3];

  if (allocation == NULL || size + 4 > data.size)
    return;
  for (guint i = 0; i < allocation->channels->len; i++) {
    SimChannel *channel = &g_array_index (allocation->channels, SimChannel, i);

    if (channel->number != number)
      continue;
    if (sim_net_now (self->net) >= channel->expires_at)
      sim_turn_ran_out (self, "a channel", from);
    else
      sim_turn_relay_out (
          self, allocation, &channel->peer, ICE_BYTES (data.data + 4, size));
    return;
  }
}

void
sim_turn_relay_in (SimTurn *self, SimAllocation *allocation,
    const IceAddress *peer, IceBytes data)
{
  guint8 id[ICE_STUN_ID_SIZE] = { 0 };
  IceStunBuilder builder;

  if (!is_permitted (self, allocation, peer, FALSE))
    return;
  self->n_relayed++;
  for (guint i = 0; i < allocation->channels->len; i++) {
    SimChannel *channel = &g_array_index (allocation->channels, SimChannel, i);
    g_autofree guint8 *framed = NULL;

    if (!ice_address_equal (&channel->peer, peer) ||
        sim_net_now (self->net) >= channel->expires_at)
      continue;
    framed = g_malloc (data.size + 4);
    framed[0] = channel->number >> 8;
    framed[1] = channel->number & 255;
    framed[2] = data.size >> 8;
    framed[3] = data.size & 255;
    memcpy (framed + 4, data.data, data.size);
    sim_node_send (sim_turn_node_for (self, &allocation->client), SIM_TURN_PORT,
        &allocation->client, ICE_BYTES (framed, data.size + 4));
    return;
  }
  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_DATA, id);
  ice_stun_builder_add_xor_address (&builder, ICE_STUN_XOR_PEER_ADDRESS, peer);
  ice_stun_builder_add_bytes (&builder, ICE_STUN_DATA_ATTRIBUTE, data);
  sim_turn_answer (self, &allocation->client, &builder, FALSE);
}
