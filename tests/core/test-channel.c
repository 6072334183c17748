/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-turn.h"

#include "gst/ice/core/turn/channel.h"

static guint8 dice;

static void
roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  memset (ret_bytes, ++dice, size);
}

typedef struct
{
  FakeTurn server;
  IceTurnLink link;
  IceChannel *channel;
  IceTime now;
} Lab;

static void
lab_init (Lab *lab)
{
  static const IceTurnDice turn_dice = { .roll = roll };
  IceAddress peer = address ("192.0.2.7", 5000);

  fake_turn_init (&lab->server);
  lab->now = 1000 * ICE_SECOND;
  ice_turn_link_init (
      &lab->link, FAKE_USER, FAKE_PASSWORD, &turn_dice, 500 * ICE_MSEC);
  lab->channel = ice_channel_new (&peer, 0x4007);
}

static void
lab_clear (Lab *lab)
{
  ice_channel_free (lab->channel);
  ice_turn_link_clear (&lab->link);
}

static void
exchange (Lab *lab)
{
  IcePacket *packet;

  while ((packet = ice_turn_link_take (&lab->link))) {
    g_autoptr (IcePacket) answer = fake_turn_answer (&lab->server, packet);
    IceStunMessage message;
    guint code = 0;

    g_assert_true (ice_stun_message_parse (
        &message, ICE_BYTES (answer->data, answer->size)));
    g_assert_cmpint (ice_channel_receive (
                         lab->channel, &lab->link, &message, lab->now, &code),
        !=, ICE_TURN_ANSWER_NOT_MINE);
    ice_packet_unref (packet);
  }
}

static void
discard (Lab *lab)
{
  IcePacket *packet;

  while ((packet = ice_turn_link_take (&lab->link)))
    ice_packet_unref (packet);
}

static gboolean
sleep_once (Lab *lab)
{
  IceTime deadline = ice_lease_deadline (&lab->channel->lease);

  g_assert_cmpint (deadline, >, lab->now);
  lab->now = deadline;
  return ice_channel_timeout (lab->channel, &lab->link, lab->now);
}

static void
bind (Lab *lab)
{
  ice_channel_request (lab->channel, &lab->link, lab->now);
  g_assert_false (ice_channel_is_bound (lab->channel));
  exchange (lab);
  g_assert_true (ice_channel_is_bound (lab->channel));
}

static void
test_bind (void)
{
  Lab lab;

  lab_init (&lab);
  bind (&lab);
  g_assert_cmpuint (lab.server.last_channel, ==, 0x4007);
  g_assert_true (ice_address_equal (&lab.server.last_peer, &lab.channel->peer));
  lab_clear (&lab);
}

/* RFC 8656 12: ten minutes, renewed with the same number. */
static void
test_two_hours (void)
{
  Lab lab;
  IceTime end;
  guint n = 0;

  lab_init (&lab);
  bind (&lab);
  end = lab.now + 7200 * ICE_SECOND;
  for (; lab.now < end; n++) {
    IceTime granted = lab.now;

    g_assert_true (sleep_once (&lab));
    exchange (&lab);
    g_assert_cmpint (lab.now - granted, <, ICE_CHANNEL_LIFETIME - 40);
    g_assert_true (ice_channel_is_bound (lab.channel));
    g_assert_cmpuint (lab.server.last_channel, ==, 0x4007);
  }
  g_assert_cmpuint (n, <, 15);
  lab_clear (&lab);
}

static void
test_silence (void)
{
  Lab lab;
  IceTime granted;

  lab_init (&lab);
  bind (&lab);
  granted = lab.now;
  while (sleep_once (&lab))
    discard (&lab);
  g_assert_cmpint (lab.now, ==, granted + ICE_CHANNEL_LIFETIME);
  g_assert_false (ice_channel_is_bound (lab.channel));
  lab_clear (&lab);
}

/* RFC 8656 12: the peer gets no other number until five minutes after the
 * binding expired. */
static void
test_quarantine (void)
{
  Lab lab;

  lab_init (&lab);
  lab.server.error[ICE_STUN_CHANNEL_BIND] = 400;
  ice_channel_request (lab.channel, &lab.link, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.channel->lease.state, ==, ICE_LEASE_LOST);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CHANNEL_BIND], ==, 2);
  g_assert_false (
      ice_channel_is_stale (lab.channel, lab.now + 899 * ICE_SECOND));
  g_assert_true (
      ice_channel_is_stale (lab.channel, lab.now + 900 * ICE_SECOND));
  lab_clear (&lab);
}

/* 438 for ever: a few requests, and what is held ends when it expires. */
static void
test_stale_nonce_for_ever (void)
{
  Lab lab;
  IceTime granted;

  lab_init (&lab);
  bind (&lab);
  granted = lab.now;
  lab.server.error[ICE_STUN_CHANNEL_BIND] = 438;
  sleep_once (&lab);
  exchange (&lab);
  g_assert_cmpint (lab.channel->lease.state, ==, ICE_LEASE_HELD);
  while (sleep_once (&lab))
    exchange (&lab);
  g_assert_cmpint (lab.channel->lease.state, ==, ICE_LEASE_LOST);
  g_assert_cmpint (lab.now, ==, granted + ICE_CHANNEL_LIFETIME);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CHANNEL_BIND], <=, 2 + 4);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/channel/bind", test_bind);
  g_test_add_func ("/channel/two-hours", test_two_hours);
  g_test_add_func ("/channel/silence", test_silence);
  g_test_add_func ("/channel/quarantine", test_quarantine);
  g_test_add_func ("/channel/stale-nonce-for-ever", test_stale_nonce_for_ever);
  return g_test_run ();
}
