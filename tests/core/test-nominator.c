/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

/* Answers the check that was sent to @port, @rtt after it was sent. */
static void
answer_port (Harness *h, guint16 port, IceTime rtt)
{
  for (GList *l = h->sent.head; l; l = l->next) {
    Sent *sent = l->data;

    if (sent->to.port != port)
      continue;
    harness_run_for (h, rtt);
    g_assert_cmpint (harness_answer (h, sent), ==, ICE_VERDICT_OK);
    return;
  }
  g_assert_not_reached ();
}

/* The first request with USE-CANDIDATE that was sent; its port, or 0. */
static guint16
nominated_port (Harness *h)
{
  IceStunMessage message;

  for (GList *l = h->sent.head; l; l = l->next) {
    Sent *sent = l->data;

    g_assert_true (ice_stun_message_parse (
        &message, ICE_BYTES (sent->packet->data, sent->packet->size)));
    if (ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE))
      return sent->to.port;
  }
  return 0;
}

static void
set_up (Harness *h)
{
  harness_init (h, TRUE);
  harness_gather (h);
  harness_credentials (h);
}

/* Nothing better can come: in the same instant. */
static void
test_best_first (void)
{
  Harness h;

  set_up (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 2, "2");
  answer_port (&h, 1, 10 * ICE_MSEC);
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  g_assert_cmpuint (nominated_port (&h), ==, 1);
  harness_clear (&h);
}

/* A dead better pair costs two RTTs, at least 30 and at most 200 ms; media
 * flows meanwhile. */
static void
test_dead_better_pair (void)
{
  static const struct
  {
    guint rtt, cost;
  } table[] = { { 6, 30 }, { 50, 100 }, { 300, 200 } };
  Harness h;

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    IceTime begin;

    set_up (&h);
    harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
    harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 2, "2");
    harness_run_for (&h, 5 * ICE_MSEC);
    answer_port (&h, 2, table[i].rtt * ICE_MSEC);
    begin = h.now;
    g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
    g_assert_cmpuint (h.route_to.port, ==, 2);
    harness_run_until (&h, begin + table[i].cost * ICE_MSEC - 1);
    g_assert_cmpuint (nominated_port (&h), ==, 0);
    harness_run_until (&h, begin + table[i].cost * ICE_MSEC);
    g_assert_cmpuint (nominated_port (&h), ==, 2);
    harness_clear (&h);
  }
}

/* A better pair in time takes route and nomination. */
static void
test_better_in_time (void)
{
  Harness h;

  set_up (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 2, "2");
  harness_run_for (&h, 5 * ICE_MSEC);
  answer_port (&h, 2, 20 * ICE_MSEC);
  g_assert_cmpuint (h.route_to.port, ==, 2);
  answer_port (&h, 1, 10 * ICE_MSEC);
  g_assert_cmpuint (h.route_to.port, ==, 1);
  g_assert_cmpuint (nominated_port (&h), ==, 1);
  harness_clear (&h);
}

/* A relayed pair waits for a direct one that had its second packet, and a
 * second at most. */
static void
test_relay_waits (void)
{
  Harness h;
  IceTime begin;

  for (guint ended = 0; ended < 2; ended++) {
    set_up (&h);
    begin = h.now;
    harness_add_remote (
        &h, ICE_CANDIDATE_SERVER_REFLEXIVE, "198.51.100.2", 1, "1");
    harness_add_remote (&h, ICE_CANDIDATE_RELAYED, "198.51.100.9", 2, "2");
    harness_run_for (&h, 5 * ICE_MSEC);
    answer_port (&h, 2, 20 * ICE_MSEC);
    g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
    if (ended)
      ice_core_end_remote_candidates (h.core, h.stream, h.now);
    /* The gatherer has long said END; the second packet leaves at 500 ms and
     * gets two RTTs, or the whole second while candidates may come. */
    harness_run_until (&h, begin + 530 * ICE_MSEC);
    g_assert_cmpuint (nominated_port (&h), ==, 0);
    harness_run_until (&h, begin + 600 * ICE_MSEC);
    g_assert_cmpuint (nominated_port (&h), ==, ended ? 2 : 0);
    harness_run_until (&h, begin + 1030 * ICE_MSEC);
    g_assert_cmpuint (nominated_port (&h), ==, 2);
    harness_clear (&h);
  }
}

/* Of two relays the nearer one, whichever the peer prefers; equal round trips
 * leave the choice to priority. */
static void
test_nearest_relay (void)
{
  static const struct
  {
    guint rtt_1, rtt_2;
    guint16 nominated;
  } table[] = { { 100, 40, 2 }, { 40, 100, 1 }, { 50, 45, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    guint16 first = table[i].rtt_1 < table[i].rtt_2 + 5 ? 1 : 2;
    IceTime begin;
    Harness h;

    set_up (&h);
    begin = h.now;
    harness_add_remote (&h, ICE_CANDIDATE_RELAYED, "198.51.100.8", 1, "1");
    harness_add_remote (&h, ICE_CANDIDATE_RELAYED, "198.51.100.9", 2, "2");
    ice_core_end_remote_candidates (h.core, h.stream, h.now);
    harness_run_for (&h, 5 * ICE_MSEC);
    harness_run_until (&h, begin + 39 * ICE_MSEC);
    answer_port (&h, first,
        begin - h.now +
            (first == 1 ? table[i].rtt_1 : table[i].rtt_2 + 5) * ICE_MSEC);
    g_assert_cmpuint (h.route_to.port, ==, first);
    g_assert_cmpuint (nominated_port (&h), ==, 0);
    answer_port (&h, 3 - first,
        begin - h.now +
            (first == 2 ? table[i].rtt_1 : table[i].rtt_2 + 5) * ICE_MSEC);
    g_assert_cmpuint (nominated_port (&h), ==, table[i].nominated);
    harness_clear (&h);
  }
}

/* RFC 8445 8.1.1: one and only one. */
static void
test_only_one (void)
{
  Harness h;
  IceStunMessage message;
  guint n = 0;

  set_up (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 2, "2");
  harness_run_for (&h, 5 * ICE_MSEC);
  answer_port (&h, 2, 10 * ICE_MSEC);
  harness_run_for (&h, 100 * ICE_MSEC);
  g_assert_cmpuint (nominated_port (&h), ==, 2);
  answer_port (&h, 1, 10 * ICE_MSEC); /* better, but too late */
  g_assert_cmpuint (h.route_to.port, ==, 2);
  harness_run_for (&h, 20 * ICE_SECOND);
  for (GList *l = h.sent.head; l; l = l->next) {
    Sent *sent = l->data;

    g_assert_true (ice_stun_message_parse (
        &message, ICE_BYTES (sent->packet->data, sent->packet->size)));
    if (ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE)) {
      g_assert_cmpuint (sent->to.port, ==, 2);
      n++;
    }
  }
  g_assert_cmpuint (n, >, 1); /* it is retransmitted */
  harness_clear (&h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nominator/best-first", test_best_first);
  g_test_add_func ("/nominator/dead-better-pair", test_dead_better_pair);
  g_test_add_func ("/nominator/better-in-time", test_better_in_time);
  g_test_add_func ("/nominator/relay-waits", test_relay_waits);
  g_test_add_func ("/nominator/nearest-relay", test_nearest_relay);
  g_test_add_func ("/nominator/only-one", test_only_one);
  return g_test_run ();
}
