/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Credentials that change while an allocation is in use, and tokens. */
#include "allocation-lab.h"

/* Everything is held, and was asked for by "user". */
static void
establish (Lab *lab)
{
  lab_init (lab);
  allocate (lab);
  ice_allocation_permit (lab->allocation, &lab->peer, lab->now);
  ice_allocation_bind (lab->allocation, &lab->peer, lab->now);
  exchange (lab);
}

static void
assert_held (Lab *lab)
{
  g_assert_cmpint (lab->allocation->state, ==, ICE_ALLOCATION_ACTIVE);
  g_assert_true (
      ice_allocation_is_permitted (lab->allocation, &lab->peer, lab->now));
  g_assert_cmpuint (
      ice_allocation_channel (lab->allocation, &lab->peer), ==, 0x4000);
  g_assert_cmpuint (lab->server.n_requests[ICE_STUN_ALLOCATE], ==, 2);
}

/* The same user, another password: from the next request on. */
static void
test_password (void)
{
  Lab lab;

  establish (&lab);
  lab.server.password = "changed";
  ice_allocation_set_password (lab.allocation, FAKE_USER, "changed");
  run_for (&lab, 3600 * ICE_SECOND);
  assert_held (&lab);
  g_assert_cmpuint (lab.n_events[ICE_TURN_REFUSED_US], ==, 0);
  g_assert_false (ice_stun_auth_was_restored (lab.allocation->link.auth));
  lab_clear (&lab);
}

/* RFC 8656 5: another user gets 441; the allocation goes on with those who made
 * it, and each kind of request finds out at most once. */
static void
test_other_user (void)
{
  Lab lab;

  establish (&lab);
  lab.server.second_user = "1719999999:alice";
  lab.server.second_password = "fresh";
  ice_allocation_set_password (lab.allocation, "1719999999:alice", "fresh");
  run_for (&lab, 3600 * ICE_SECOND);
  assert_held (&lab);
  g_assert_true (ice_stun_auth_was_restored (lab.allocation->link.auth));
  g_assert_cmpuint (lab.n_events[ICE_TURN_REFUSED_US], ==, 0);
  lab_clear (&lab);
}

/* RFC 8489 9.2.5: nobody signed it, as coturn does not. It ends nothing; what
 * made the allocation is asked with again. */
static void
test_unsigned_441 (void)
{
  Lab lab;

  establish (&lab);
  lab.server.unsigned_441 = TRUE;
  lab.server.second_user = "1719999999:alice";
  lab.server.second_password = "fresh";
  ice_allocation_set_password (lab.allocation, "1719999999:alice", "fresh");
  run_for (&lab, 3600 * ICE_SECOND);
  assert_held (&lab);
  g_assert_true (ice_stun_auth_was_restored (lab.allocation->link.auth));
  g_assert_cmpuint (lab.n_events[ICE_TURN_REFUSED_US], ==, 0);
  lab_clear (&lab);
}

/* Who reads our requests may answer first. It is told, so that there may be
 * another allocation, and the server's own answer counts. */
static void
test_forged_441 (void)
{
  Lab lab;
  IceAddress peer;
  IceBytes payload;

  establish (&lab);
  ice_allocation_verify (lab.allocation, lab.now);
  {
    g_autoptr (IcePacket) request = ice_allocation_take_packet (lab.allocation);
    g_autoptr (IcePacket) answer = fake_turn_answer (&lab.server, request);
    g_autoptr (IcePacket) forged = NULL;
    IceStunMessage parsed;

    g_assert_true (ice_stun_message_parse (
        &parsed, ICE_BYTES (request->data, request->size)));
    forged = fake_turn_error (&lab.server, &parsed, 441, FALSE);
    receive (&lab, forged, &peer, &payload);
    note_events (&lab);
    g_assert_cmpuint (lab.n_events[ICE_TURN_REFUSED_US], ==, 1);
    g_assert_true (ice_allocation_is_refreshing (lab.allocation));
    g_assert_cmpint (
        receive (&lab, answer, &peer, &payload), ==, ICE_TURN_HANDLED);
  }
  g_assert_false (ice_allocation_is_refreshing (lab.allocation));
  run_for (&lab, 3600 * ICE_SECOND);
  assert_held (&lab);
  lab_clear (&lab);
}

/* The new ones are wrong: what worked goes on working. */
static void
test_wrong (void)
{
  Lab lab;

  establish (&lab);
  ice_allocation_set_password (lab.allocation, FAKE_USER, "mistyped");
  run_for (&lab, 3600 * ICE_SECOND);
  assert_held (&lab);
  g_assert_true (ice_stun_auth_was_restored (lab.allocation->link.auth));
  lab_clear (&lab);
}

/* They expired: told once for each kind of request, and nothing is lost when
 * others come in time. */
static void
test_rescue (void)
{
  Lab lab;

  establish (&lab);
  lab.server.password = "changed";
  run_for (&lab, 245 * ICE_SECOND); /* the permission is renewed at 240 s */
  g_assert_cmpuint (lab.n_events[ICE_TURN_REFUSED_US], ==, 1);
  g_assert_cmpuint (lab.event.code, ==, 401);
  ice_allocation_set_password (lab.allocation, FAKE_USER, "changed");
  run_for (&lab, 3600 * ICE_SECOND);
  assert_held (&lab);
  g_assert_cmpuint (lab.n_events[ICE_TURN_REFUSED_US], ==, 1);
  lab_clear (&lab);
}

/* An answer that was under way belongs to the credentials of its request. */
static void
test_in_flight (void)
{
  Lab lab;
  IceAddress peer;
  IceBytes payload;

  establish (&lab);
  ice_allocation_verify (lab.allocation, lab.now);
  {
    g_autoptr (IcePacket) request = ice_allocation_take_packet (lab.allocation);
    g_autoptr (IcePacket) answer = fake_turn_answer (&lab.server, request);

    ice_allocation_set_password (lab.allocation, FAKE_USER, "changed");
    g_assert_cmpint (
        receive (&lab, answer, &peer, &payload), ==, ICE_TURN_HANDLED);
  }
  g_assert_false (ice_allocation_is_refreshing (lab.allocation));
  /* Which does not mean that the new ones were taken. */
  run_for (&lab, 3600 * ICE_SECOND);
  assert_held (&lab);
  g_assert_true (ice_stun_auth_was_restored (lab.allocation->link.auth));
  lab_clear (&lab);
}

/* RFC 7635 4, 9: the token goes along with Allocate and Refresh, and the key
 * that came with it signs everything. */
static void
test_token (void)
{
  Lab lab;

  lab_init (&lab);
  lab.server.authority = "turn.example.org";
  lab.server.mac_key = "0123456789abcdef0123";
  ice_allocation_set_token (lab.allocation, "kid-1", ICE_BYTES ("token", 5),
      ICE_BYTES ("0123456789abcdef0123", 20));
  allocate (&lab);
  g_assert_true (lab.server.has_access_token);
  ice_allocation_permit (lab.allocation, &lab.peer, lab.now);
  exchange (&lab);
  g_assert_cmpuint (lab.n_events[ICE_TURN_PERMISSION_REFUSED], ==, 0);
  g_assert_false (lab.server.has_access_token);
  ice_allocation_verify (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_true (lab.server.has_access_token);

  /* A new token before the old one ends. */
  lab.server.mac_key = "another key of twenty";
  ice_allocation_set_token (lab.allocation, "kid-2", ICE_BYTES ("fresh", 5),
      ICE_BYTES ("another key of twenty", 21));
  run_for (&lab, 3600 * ICE_SECOND);
  g_assert_cmpint (lab.allocation->state, ==, ICE_ALLOCATION_ACTIVE);
  g_assert_cmpuint (lab.n_events[ICE_TURN_REFUSED_US], ==, 0);
  lab_clear (&lab);
}

/* RFC 7635 6.1: who is to be asked for one. Whoever has a password instead uses
 * that. */
static void
test_token_is_missing (void)
{
  Lab lab;

  lab_init_with (&lab, NULL, ICE_FAMILY_NONE);
  lab.server.authority = "turn.example.org";
  ice_allocation_request (lab.allocation, lab.now);
  exchange (&lab);
  g_assert_cmpint (lab.event.type, ==, ICE_TURN_FAILED);
  g_assert_cmpuint (lab.event.code, ==, 401);
  g_assert_cmpstr (ice_stun_auth_get_authority (lab.allocation->link.auth), ==,
      "turn.example.org");
  g_assert_cmpuint (lab.server.n_requests[ICE_STUN_ALLOCATE], ==, 1);
  lab_clear (&lab);

  lab_init (&lab);
  lab.server.authority = "turn.example.org";
  allocate (&lab);
  g_assert_false (lab.server.has_access_token);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/roll-over/password", test_password);
  g_test_add_func ("/rfc8656/5/other-user", test_other_user);
  g_test_add_func ("/rfc8656/5/unsigned-441", test_unsigned_441);
  g_test_add_func ("/rfc8489/9.2.5/forged-441", test_forged_441);
  g_test_add_func ("/roll-over/wrong", test_wrong);
  g_test_add_func ("/roll-over/rescue", test_rescue);
  g_test_add_func ("/roll-over/in-flight", test_in_flight);
  g_test_add_func ("/rfc7635/9/token", test_token);
  g_test_add_func ("/rfc7635/6.1/token-is-missing", test_token_is_missing);
  return g_test_run ();
}
