/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-turn.h"

#include "gst/ice/core/turn/permission.h"

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
  IcePermission *permission;
  IceAddress peer;
  IceTime now;
} Lab;

static void
lab_init (Lab *lab)
{
  static const IceTurnDice turn_dice = { .roll = roll };

  fake_turn_init (&lab->server);
  lab->now = 1000 * ICE_SECOND;
  lab->peer = address ("192.0.2.7", 5000);
  ice_turn_link_init (
      &lab->link, FAKE_USER, FAKE_PASSWORD, &turn_dice, 500 * ICE_MSEC);
  lab->permission = ice_permission_new (&lab->peer);
  g_assert_true (ice_permission_add_user (lab->permission, &lab->peer));
}

static void
lab_clear (Lab *lab)
{
  ice_permission_free (lab->permission);
  ice_turn_link_clear (&lab->link);
}

/* Everything that waits goes to the server; its answers come at once. */
static void
exchange (Lab *lab)
{
  IcePacket *packet;

  while ((packet = ice_turn_link_take (&lab->link))) {
    g_autoptr (IcePacket) answer = fake_turn_answer (&lab->server, packet);
    IceStunMessage message;
    guint code = 0;

    g_assert_nonnull (answer);
    g_assert_true (ice_stun_message_parse (
        &message, ICE_BYTES (answer->data, answer->size)));
    g_assert_cmpint (ice_permission_receive (lab->permission, &lab->link,
                         &message, lab->now, &code),
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

static IceTime
deadline (Lab *lab)
{
  return ice_lease_deadline (&lab->permission->lease);
}

/* Sleeps until the next deadline, which must move. */
static gboolean
sleep_once (Lab *lab)
{
  gboolean alive;

  g_assert_cmpint (deadline (lab), >, lab->now);
  lab->now = deadline (lab);
  alive = ice_permission_timeout (lab->permission, &lab->link, lab->now);
  return alive;
}

static void
install (Lab *lab)
{
  ice_permission_request (lab->permission, &lab->link, lab->now);
  exchange (lab);
  g_assert_cmpint (lab->permission->lease.state, ==, ICE_LEASE_HELD);
}

/* Open as soon as the request is out, so that a check can follow it. */
static void
test_install (void)
{
  Lab lab;

  lab_init (&lab);
  ice_permission_request (lab.permission, &lab.link, lab.now);
  g_assert_true (ice_permission_is_open (lab.permission, lab.now));
  exchange (&lab);
  g_assert_cmpint (lab.permission->lease.state, ==, ICE_LEASE_HELD);
  /* Unsigned, then signed. */
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 2);
  g_assert_true (ice_address_same_ip (&lab.server.last_peer, &lab.peer));
  lab_clear (&lab);
}

/* RFC 8656 9: 300 s. Over two hours there is never a gap. */
static void
test_two_hours (void)
{
  Lab lab;
  IceTime end;

  lab_init (&lab);
  install (&lab);
  end = lab.now + 7200 * ICE_SECOND;
  while (lab.now < end) {
    IceTime granted = lab.now;

    g_assert_true (sleep_once (&lab));
    exchange (&lab);
    g_assert_cmpint (lab.now - granted, <, ICE_PERMISSION_LIFETIME);
    g_assert_cmpint (lab.now - granted, >=, 200 * ICE_SECOND);
    g_assert_true (ice_permission_is_open (lab.permission, lab.now));
  }
  lab_clear (&lab);
}

static void
test_stale_nonce (void)
{
  Lab lab;

  lab_init (&lab);
  install (&lab);
  lab.server.nonce = "nonce-2";
  g_assert_true (sleep_once (&lab));
  exchange (&lab);
  g_assert_cmpint (lab.permission->lease.state, ==, ICE_LEASE_HELD);
  g_assert_cmpint (deadline (&lab) - lab.now, ==, ICE_PERMISSION_RENEW_AFTER);
  lab_clear (&lab);
}

/* The server is silent: seven requests, then a few more until the permission
 * has expired, and then nothing. */
static void
test_silence (void)
{
  Lab lab;
  IceTime granted;

  lab_init (&lab);
  install (&lab);
  granted = lab.now;
  while (sleep_once (&lab))
    discard (&lab);
  g_assert_cmpint (lab.now, ==, granted + ICE_PERMISSION_LIFETIME);
  g_assert_false (ice_permission_is_open (lab.permission, lab.now));
  g_assert_cmpint (deadline (&lab), ==, ICE_TIME_NEVER);
  lab_clear (&lab);
}

static void
test_never_answered (void)
{
  Lab lab;
  IceTime start;
  guint n = 1;

  lab_init (&lab);
  start = lab.now;
  ice_permission_request (lab.permission, &lab.link, lab.now);
  while (sleep_once (&lab))
    n++;
  g_assert_cmpuint (n, ==, ICE_STUN_RC);
  g_assert_cmpint (lab.now - start, ==, 39500 * ICE_MSEC);
  lab_clear (&lab);
}

/* 403 is final; 508 gets one more try a second later; asking again is allowed
 * only after a while. */
static void
test_refused (void)
{
  Lab lab;

  lab_init (&lab);
  lab.server.error[ICE_STUN_CREATE_PERMISSION] = 403;
  ice_permission_request (lab.permission, &lab.link, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.permission->lease.state, ==, ICE_LEASE_LOST);
  g_assert_false (
      ice_lease_may_ask_again (&lab.permission->lease, lab.now + ICE_SECOND));
  g_assert_true (ice_lease_may_ask_again (
      &lab.permission->lease, lab.now + 10 * ICE_SECOND));
  lab_clear (&lab);
}

static void
test_out_of_capacity (void)
{
  Lab lab;

  lab_init (&lab);
  lab.server.error[ICE_STUN_CREATE_PERMISSION] = 508;
  ice_permission_request (lab.permission, &lab.link, lab.now);
  exchange (&lab);
  g_assert_cmpint (deadline (&lab), ==, lab.now + ICE_SECOND);
  g_assert_true (sleep_once (&lab));
  exchange (&lab);
  g_assert_cmpint (lab.permission->lease.state, ==, ICE_LEASE_LOST);
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 3);
  lab_clear (&lab);
}

/* An unsigned success is as if it never came: resent until given up. */
static void
test_unsigned (void)
{
  Lab lab;

  lab_init (&lab);
  lab.server.unsigned_answers = TRUE;
  ice_permission_request (lab.permission, &lab.link, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.permission->lease.state, ==, ICE_LEASE_REQUESTED);
  g_assert_cmpint (deadline (&lab), ==, lab.now + 500 * ICE_MSEC);
  lab_clear (&lab);
}

/* Nobody needs it: it is not renewed and ends without a word on the wire. */
static void
test_forgotten (void)
{
  Lab lab;
  IceTime granted;

  lab_init (&lab);
  install (&lab);
  granted = lab.now;
  ice_permission_remove_user (lab.permission, &lab.peer);
  g_assert_false (sleep_once (&lab));
  g_assert_cmpint (lab.now, ==, granted + ICE_PERMISSION_LIFETIME);
  g_assert_null (ice_turn_link_take (&lab.link));
  lab_clear (&lab);
}

static void
test_users (void)
{
  Lab lab;

  lab_init (&lab);
  for (guint i = 1; i <= 200; i++) {
    IceAddress user = address ("192.0.2.7", i);

    g_assert_cmpint (
        ice_permission_add_user (lab.permission, &user), ==, i < 128);
  }
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/permission/install", test_install);
  g_test_add_func ("/permission/two-hours", test_two_hours);
  g_test_add_func ("/permission/stale-nonce", test_stale_nonce);
  g_test_add_func ("/permission/silence", test_silence);
  g_test_add_func ("/permission/never-answered", test_never_answered);
  g_test_add_func ("/permission/refused", test_refused);
  g_test_add_func ("/permission/out-of-capacity", test_out_of_capacity);
  g_test_add_func ("/permission/unsigned", test_unsigned);
  g_test_add_func ("/permission/forgotten", test_forgotten);
  g_test_add_func ("/permission/users", test_users);
  return g_test_run ();
}
