/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An allocation of TCP against a server of a few functions. Its numbers for
 * connections begin with 1000, ours with 1. */
#pragma once

#include "fake-turn.h"

#include "gst/ice/core/turn/tcp-allocation.h"

static guint8 dice;

static inline void
roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  memset (ret_bytes, ++dice, size);
}

typedef struct
{
  FakeTurn server;
  IceTcpAllocation *allocation;
  IceAddress peer;
  IceTime now;
  gboolean held;         /* what is sent stays where it is */
  gboolean byte_by_byte; /* data connections read so */
  const gchar *early;    /* (nullable) of the peer, behind the answer */

  IceTcpTurnEvent event; /* the last one, of no allocation */
  guint n_events[ICE_TCP_TURN_ENDED + 1];
  guint n_allocation_events[ICE_TURN_CHANNEL_LOST + 1];
  guint n_packets, n_control;
  GString *heard; /* (owned) what came from the peer */
} Lab;

static inline void
lab_init (Lab *lab)
{
  static const IceTurnDice turn_dice = { .roll = roll };

  memset (lab, 0, sizeof *lab);
  fake_turn_init (&lab->server);
  lab->server.relay = 6;
  lab->server.connection_id = 1000;
  lab->now = 1000 * ICE_SECOND;
  lab->peer = address ("192.0.2.7", 5000);
  lab->heard = g_string_new (NULL);
  lab->allocation = ice_tcp_allocation_new (
      FAKE_USER, FAKE_PASSWORD, ICE_FAMILY_NONE, &turn_dice);
}

static inline void
lab_clear (Lab *lab)
{
  ice_tcp_allocation_free (lab->allocation);
  g_string_free (lab->heard, TRUE);
}

static inline void
note_events (Lab *lab)
{
  IceTcpTurnEvent event;

  while (ice_tcp_allocation_next_event (lab->allocation, &event)) {
    lab->n_events[event.type]++;
    if (event.type != ICE_TCP_TURN_ALLOCATION) {
      lab->event = event;
      continue;
    }
    lab->n_allocation_events[event.allocation.type]++;
    if (event.allocation.type == ICE_TURN_CHALLENGED)
      ice_tcp_allocation_request (lab->allocation, lab->now);
  }
}

static inline IceTurnVerdict
control (Lab *lab, const IcePacket *packet)
{
  IceStunMessage message;
  IceTurnVerdict verdict;

  g_assert_true (ice_stun_message_parse (
      &message, ICE_BYTES (packet->data, packet->size)));
  verdict = ice_tcp_allocation_receive (lab->allocation, &message, lab->now);
  note_events (lab);
  return verdict;
}

/* Some bytes of a data connection, as they were read. */
static inline IceTcpStream
read_some (Lab *lab, guint connection, IceBytes bytes)
{
  IceTcpStream what;
  IceReader in;

  ice_reader_init (&in, bytes);
  what = ice_tcp_allocation_receive_stream (
      lab->allocation, connection, &in, lab->now);
  if (what == ICE_TCP_STREAM_PEER)
    g_string_append_len (lab->heard, (const gchar *) in.data, in.left);
  else if (what == ICE_TCP_STREAM_MORE)
    g_assert_cmpuint (in.left, ==, 0);
  note_events (lab);
  return what;
}

static inline IceTcpStream
stream (Lab *lab, guint connection, const IcePacket *packet)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  IceTcpStream what = ICE_TCP_STREAM_MORE;

  g_byte_array_append (bytes, packet->data, packet->size);
  if (lab->early)
    g_byte_array_append (
        bytes, (const guint8 *) lab->early, strlen (lab->early));
  if (!lab->byte_by_byte)
    return read_some (lab, connection, ICE_BYTES (bytes->data, bytes->len));
  for (guint i = 0; i < bytes->len && what != ICE_TCP_STREAM_END; i++)
    what = read_some (lab, connection, ICE_BYTES (bytes->data + i, 1));
  return what;
}

/* Packets to the server and its answers back, until all is quiet. */
static inline void
exchange (Lab *lab)
{
  IcePacket *packet;
  guint connection;

  note_events (lab);
  while (!lab->held &&
      (packet = ice_tcp_allocation_take_packet (
           lab->allocation, &connection)) != NULL) {
    g_autoptr (IcePacket) answer = fake_turn_answer (&lab->server, packet);

    lab->n_packets++;
    lab->n_control += connection == 0;
    if (answer && connection == 0)
      control (lab, answer);
    else if (answer)
      stream (lab, connection, answer);
    ice_packet_unref (packet);
  }
}

static inline void
run_for (Lab *lab, IceTime time)
{
  const IceTime end = lab->now + time;
  IceTime deadline;

  while ((deadline = ice_tcp_allocation_deadline (lab->allocation)) <= end) {
    g_assert_cmpint (deadline, >, lab->now);
    lab->now = deadline;
    ice_tcp_allocation_timeout (lab->allocation, lab->now);
    exchange (lab);
  }
  lab->now = end;
}

static inline void
allocate (Lab *lab)
{
  ice_tcp_allocation_request (lab->allocation, lab->now);
  exchange (lab);
  g_assert_cmpint (
      lab->allocation->allocation->state, ==, ICE_ALLOCATION_ACTIVE);
}

/* Up to a data connection that carries the peer's bytes. */
static inline guint
connect_peer (Lab *lab)
{
  guint id = ice_tcp_allocation_connect (lab->allocation, &lab->peer, lab->now);

  g_assert_cmpuint (id, !=, 0);
  exchange (lab);
  g_assert_cmpint (lab->event.type, ==, ICE_TCP_TURN_OPEN);
  g_assert_cmpuint (lab->event.connection, ==, id);
  ice_tcp_allocation_opened (lab->allocation, id, lab->now);
  exchange (lab);
  g_assert_cmpint (lab->event.type, ==, ICE_TCP_TURN_BOUND);
  g_assert_cmpuint (lab->event.connection, ==, id);
  g_assert_true (ice_address_equal (&lab->event.peer, &lab->peer));
  return id;
}

/* (transfer full) */
static inline IcePacket *
attempt (const IceAddress *peer, guint32 connection_id, guint16 extra)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 0xa7, 0x7e };
  IceStunBuilder builder;

  ice_stun_builder_init (
      &builder, ICE_STUN_INDICATION, ICE_STUN_CONNECTION_ATTEMPT, id);
  if (connection_id != 0)
    ice_stun_builder_add_u32 (&builder, ICE_STUN_CONNECTION_ID, connection_id);
  if (peer)
    ice_stun_builder_add_xor_address (
        &builder, ICE_STUN_XOR_PEER_ADDRESS, peer);
  if (extra)
    ice_stun_builder_add_flag (&builder, extra);
  return ice_stun_builder_end (&builder);
}

static inline IceTurnVerdict
be_called (Lab *lab, const IceAddress *peer, guint32 connection_id)
{
  g_autoptr (IcePacket) packet = attempt (peer, connection_id, 0);

  return control (lab, packet);
}
