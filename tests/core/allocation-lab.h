/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One allocation and the server of fake-turn.h, without a network between. */
#pragma once

#include "fake-turn.h"

#include "gst/ice/core/turn/allocation.h"

static guint8 dice;

static inline void
roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  memset (ret_bytes, ++dice, size);
}

typedef struct
{
  FakeTurn server;
  IceAllocation *allocation;
  IceAddress peer;
  IceTime now;
  IceTurnEvent event; /* the last one */
  guint n_events[ICE_TURN_PEER_UNREACHABLE + 1];
} Lab;

static inline void
lab_init_with (Lab *lab, const gchar *password, IceFamily family)
{
  static const IceTurnDice turn_dice = { .roll = roll };

  memset (lab, 0, sizeof *lab);
  fake_turn_init (&lab->server);
  lab->now = 1000 * ICE_SECOND;
  lab->peer = address ("192.0.2.7", 5000);
  lab->allocation = ice_allocation_new (
      FAKE_USER, password, family, &turn_dice, 500 * ICE_MSEC);
}

static inline void
lab_init (Lab *lab)
{
  lab_init_with (lab, FAKE_PASSWORD, ICE_FAMILY_NONE);
}

static inline void
lab_clear (Lab *lab)
{
  ice_allocation_free (lab->allocation);
}

static inline IceTurnVerdict
receive (Lab *lab, const IcePacket *packet, IceAddress *ret_peer,
    IceBytes *ret_payload)
{
  IceBytes bytes = ICE_BYTES (packet->data, packet->size);
  IceStunMessage message;
  gboolean is_stun = ice_stun_message_parse (&message, bytes);

  return ice_allocation_receive (lab->allocation, bytes,
      is_stun ? &message : NULL, lab->now, ret_peer, ret_payload);
}

/* A challenge is met at once, as if there were no pacing. */
static inline void
note_events (Lab *lab)
{
  while (ice_allocation_next_event (lab->allocation, &lab->event)) {
    lab->n_events[lab->event.type]++;
    if (lab->event.type == ICE_TURN_CHALLENGED)
      ice_allocation_request (lab->allocation, lab->now);
  }
}

/* Packets to the server, its answers back, events noted, until all is quiet. */
static inline void
exchange (Lab *lab)
{
  IcePacket *packet;

  note_events (lab);
  while ((packet = ice_allocation_take_packet (lab->allocation))) {
    g_autoptr (IcePacket) answer = fake_turn_answer (&lab->server, packet);
    IceAddress peer;
    IceBytes payload;

    if (answer)
      receive (lab, answer, &peer, &payload);
    note_events (lab);
    ice_packet_unref (packet);
  }
}

/* To the next deadline, which must lie ahead. */
static inline void
sleep_once (Lab *lab)
{
  IceTime deadline = ice_allocation_deadline (lab->allocation);

  g_assert_cmpint (deadline, >, lab->now);
  g_assert_cmpint (deadline, !=, ICE_TIME_NEVER);
  lab->now = deadline;
  ice_allocation_timeout (lab->allocation, lab->now);
}

static inline void
run_for (Lab *lab, IceTime time)
{
  IceTime end = lab->now + time;

  while (ice_allocation_deadline (lab->allocation) <= end) {
    sleep_once (lab);
    exchange (lab);
  }
  lab->now = end;
}

static inline void
allocate (Lab *lab)
{
  ice_allocation_request (lab->allocation, lab->now);
  exchange (lab);
  g_assert_cmpint (lab->allocation->state, ==, ICE_ALLOCATION_ACTIVE);
}
