/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8445 8 to 14: nominating, concluding, restarting, keeping alive, timing.
 * A case is named after the section that it was read from. */
#include "hostile-turn.h"

/* Counts what @h sent of a class; everything is dropped. */
static guint
drain (Harness *h, IceStunClass klass)
{
  guint n = 0;
  Sent *sent;

  while ((sent = g_queue_pop_head (&h->sent)) != NULL) {
    IceStunMessage message;

    g_assert_true (ice_stun_message_parse (
        &message, ICE_BYTES (sent->packet->data, sent->packet->size)));
    n += message.klass == klass;
    sent_free (sent);
  }
  return n;
}

/* 8.1.2: once nominated the other pairs of the component are gone, and nothing
 * is checked but the selected one; requests are answered all the same. */
static void
test_answers_after_nomination (void)
{
  IceAddress other = addr ("192.0.2.3", 3);
  Check check = { .controlled = TRUE };
  IceStunMessage message;
  Harness h;
  Sent *sent;

  harness_start (&h, TRUE);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.3", 3, "3");
  for (guint i = 0; i < 50; i++) {
    while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
      if (sent->to.port == 1)
        harness_answer (&h, sent);
      sent_free (sent);
    }
    harness_run_for (&h, 10 * ICE_MSEC);
  }
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (harness_count_pairs (&h), ==, 1);
  harness_forget_sent (&h);
  for (guint i = 0; i < 10; i++) {
    g_assert_cmpint (harness_check (&h, &other, &check), ==, ICE_VERDICT_OK);
    g_assert_cmpuint (harness_last_code (&h), ==, 0);
    g_assert_cmpuint (drain (&h, ICE_STUN_REQUEST), ==, 0);
  }
  g_assert_cmpuint (harness_count_pairs (&h), ==, 1);
  harness_clear (&h);
}

/* 8.3.1: three seconds after Completed what no selected pair uses is given
 * back: here the allocation, at its server, by a Refresh of 0; and not a moment
 * earlier. */
static void
test_three_seconds (void)
{
  IceServerConfig server = { .id = 1,
    .kind = ICE_SERVER_TURN,
    .host = LAB_SERVER_IP,
    .port = LAB_PORT,
    .username = FAKE_USER,
    .password = FAKE_PASSWORD,
    .url = "turn:" LAB_SERVER_IP };
  IceAddress at = addr (LAB_SERVER_IP, LAB_PORT);
  FakeTurn turn;
  IceTime completed_at = 0;
  Harness h;

  fake_turn_init (&turn);
  harness_init (&h, TRUE);
  ice_core_add_server (h.core, &server);
  harness_gather (&h);
  harness_credentials (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  for (guint i = 0; i < 1000 && turn.n_requests[ICE_STUN_REFRESH] == 0; i++) {
    Sent *sent;

    while ((sent = g_queue_pop_head (&h.sent)) != NULL) {
      g_autoptr (IcePacket) answer = NULL;

      if (ice_address_equal (&sent->to, &at)) {
        answer = fake_turn_answer (&turn, sent->packet);
        if (answer)
          harness_receive (&h, &at, answer);
      } else if (turn.n_requests[ICE_STUN_ALLOCATE] >= 2) {
        harness_answer (&h, sent);
      }
      sent_free (sent);
    }
    if (completed_at == 0 && h.state == ICE_STATE_COMPLETED)
      completed_at = h.now;
    harness_run_for (&h, 10 * ICE_MSEC);
  }
  g_assert_cmpuint (turn.n_requests[ICE_STUN_REFRESH], ==, 1);
  g_assert_cmpuint (turn.last_lifetime, ==, 0);
  g_assert_cmpint (h.now - completed_at, >=, 3 * ICE_SECOND);
  g_assert_cmpint (h.now - completed_at, <=, 3100 * ICE_MSEC);
  harness_clear (&h);
}

/* 9: checks of the generation before a restart are answered by its password,
 * for its pair still carries media; they make nothing in the new session. */
static void
test_late_checks (void)
{
  g_autofree gchar *username = NULL, *password = NULL;
  IceAddress peer = addr ("192.0.2.2", 1), other = addr ("192.0.2.9", 9);
  Check check = { .use_candidate = TRUE };
  IceStunMessage message;
  Harness h;
  Sent *sent;

  harness_complete (&h, FALSE);
  username = g_strdup_printf (
      "%s:%s", ice_core_get_local_ufrag (h.core, h.stream), PEER_UFRAG);
  password = g_strdup (ice_core_get_local_pwd (h.core, h.stream));
  g_assert_true (ice_core_set_remote_credentials (
      h.core, h.stream, "newpeer", "thenewpasswordof24letters", h.now));
  harness_pump (&h);
  check.username = username;
  check.password = password;
  g_assert_cmpint (harness_check (&h, &peer, &check), ==, ICE_VERDICT_OK);
  g_assert_cmpint (harness_check (&h, &other, &check), ==, ICE_VERDICT_OK);
  /* A selected pair is listed; the checklist is empty. */
  g_assert_cmpuint (harness_count_pairs (&h), <=, 1);
  harness_run_for (&h, ICE_SECOND);
  while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
    g_assert_true (ice_address_equal (&sent->to, &peer));
    sent_free (sent);
  }
  g_assert_cmpuint (h.n_remote, ==, 0);
  g_assert_cmpuint (h.route_to.port, ==, 1);
  harness_clear (&h);
}

/* 11: a keepalive has a FINGERPRINT and nothing else, neither name nor MAC. */
static void
test_keepalive_is_bare (void)
{
  IceStunMessage message;
  gsize offset = 0;
  guint16 type;
  IceBytes value;
  Harness h;
  Sent *sent;

  harness_init (&h, TRUE);
  ice_core_set_consent (h.core, FALSE);
  harness_gather (&h);
  harness_credentials (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  harness_answer_next (&h);
  harness_run_for (&h, 10 * ICE_MSEC);
  harness_answer_next (&h);
  harness_forget_sent (&h);
  harness_run_for (&h, 14900 * ICE_MSEC);
  g_assert_true (g_queue_is_empty (&h.sent)); /* Tr is never below 15 s */
  harness_run_for (&h, 200 * ICE_MSEC);
  sent = harness_pop (&h, ICE_STUN_INDICATION, &message);
  g_assert_nonnull (sent);
  g_assert_cmpuint (message.fingerprint, ==, ICE_STUN_HEADER_SIZE);
  g_assert_false (ice_stun_message_next (&message, &offset, &type, &value));
  g_assert_cmpuint (sent->packet->size, ==, ICE_STUN_HEADER_SIZE + 8);
  sent_free (sent);
  harness_clear (&h);
}

/* 11: "An agent MUST stop sending keepalives on a data stream if the data
 * stream is removed"; the same for consent, and for the end of the session. */
static void
test_keepalives_stop (void)
{
  for (guint i = 0; i < 4; i++) {
    Harness h;

    harness_complete (&h, TRUE);
    ice_core_set_consent (h.core, i & 1);
    if (i < 2)
      ice_core_remove_stream (h.core, h.stream, h.now);
    else
      ice_core_close (h.core, h.now);
    harness_pump (&h);
    harness_forget_sent (&h);
    harness_run_for (&h, 600 * ICE_SECOND);
    g_assert_true (g_queue_is_empty (&h.sent));
    g_assert_cmpint (h.deadline, ==, ICE_TIME_NEVER);
    harness_clear (&h);
  }
}

/* 12.1: "An agent MAY send data on any valid pair before selected pairs have
 * been produced", "MUST send data on those pairs only" after; nothing leaves
 * before a pair is valid, and nothing after the last one failed. */
static void
test_data_on_selected_pairs (void)
{
  Harness h;
  guint8 bytes[4] = { 0x80 };

  harness_start (&h, TRUE);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 2, "2");
  g_assert_cmpuint (h.route_socket, ==, 0);
  g_assert_false (
      ice_core_send (h.core, h.transport, ICE_BYTES (bytes, 4), h.now));
  harness_run_for (&h, 20 * ICE_MSEC);
  while (harness_answer_next (&h))
    ;
  harness_run_for (&h, 300 * ICE_MSEC);
  while (harness_answer_next (&h))
    ;
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (h.route_to.port, ==, 1);
  harness_run_for (&h, 31 * ICE_SECOND); /* consent is gone */
  g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
  g_assert_cmpuint (h.route_socket, ==, 0);
  harness_clear (&h);
}

/* 14.3: RTO = MAX (500 ms, Ta * N) with N checks waiting and in progress; at
 * 50 ms and twenty pairs that is a second, and never less than 500 ms. */
static void
test_rto (void)
{
  static const struct
  {
    guint n_pairs, ta, first_rto;
  } rows[] = { { 1, 50, 500 }, { 10, 50, 500 }, { 20, 50, 1000 },
    { 100, 50, 5000 }, { 100, 5, 500 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IceStunMessage message;
    guint8 id[ICE_STUN_ID_SIZE];
    IceTime begin;
    guint n = 0;
    Harness h;
    Sent *sent;

    harness_init (&h, TRUE);
    ice_core_set_remote_pacing (h.core, rows[i].ta);
    harness_gather (&h);
    for (guint j = 1; j <= rows[i].n_pairs; j++) {
      gchar foundation[8];

      /* One foundation each, so that all of them wait. */
      g_snprintf (foundation, sizeof foundation, "%u", j);
      harness_add_remote (
          &h, ICE_CANDIDATE_HOST, "192.0.2.2", (guint16) j, foundation);
    }
    harness_credentials (&h);
    harness_run_until_sent (&h);
    begin = h.now;
    sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
    memcpy (id, message.id, sizeof id);
    sent_free (sent);
    while (n == 0) {
      harness_run_until (&h, h.deadline);
      while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
        n += ice_stun_id_equal (message.id, id);
        sent_free (sent);
      }
    }
    g_assert_cmpint (h.now - begin, ==, rows[i].first_rto * ICE_MSEC);
    harness_clear (&h);
  }
}

/* 7.1.1, 7.2.1 by a relay: the permission is asked for before the check leaves,
 * and PRIORITY has the type preference of a peer-reflexive candidate. */
static IcePacket *
keep_honest (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  return honest;
}

static void
test_relayed_check (void)
{
  gboolean permitted = FALSE;
  IceStunMessage message, inner;
  guint32 priority;
  guint n_checks = 0;
  IceBytes payload;
  Sent *sent;
  Lab lab;

  lab_init (&lab);
  lab.spoil = keep_honest;
  lab_gather (&lab);
  harness_credentials (&lab.h);
  harness_add_remote (&lab.h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  harness_run_for (&lab.h, 10 * ICE_MSEC);
  while ((sent = g_queue_pop_head (&lab.h.sent)) != NULL) {
    g_assert_true (ice_stun_message_parse (
        &message, ICE_BYTES (sent->packet->data, sent->packet->size)));
    if (message.method == ICE_STUN_CREATE_PERMISSION)
      permitted = TRUE;
    if (ice_stun_message_find (&message, ICE_STUN_DATA_ATTRIBUTE, &payload)) {
      g_assert_true (permitted);
      g_assert_true (ice_stun_message_parse (&inner, payload));
      g_assert_true (
          ice_stun_message_get_u32 (&inner, ICE_STUN_PRIORITY, &priority));
      g_assert_cmpuint (priority >> 24, ==, 110);
      n_checks++;
    }
    sent_free (sent);
  }
  g_assert_cmpuint (n_checks, ==, 1);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8445/7.1.1/relayed-check", test_relayed_check);
  g_test_add_func (
      "/rfc8445/8.1.2/answers-after-nomination", test_answers_after_nomination);
  g_test_add_func ("/rfc8445/8.3.1/three-seconds", test_three_seconds);
  g_test_add_func ("/rfc8445/9/late-checks", test_late_checks);
  g_test_add_func ("/rfc8445/11/keepalive-is-bare", test_keepalive_is_bare);
  g_test_add_func ("/rfc8445/11/keepalives-stop", test_keepalives_stop);
  g_test_add_func (
      "/rfc8445/12.1/data-on-selected-pairs", test_data_on_selected_pairs);
  g_test_add_func ("/rfc8445/14.3/rto", test_rto);
  return g_test_run ();
}
