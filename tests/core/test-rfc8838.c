/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8838, trickle ICE, and RFC 8863 that changes when it may fail. A case is
 * named after the section that it was read from. */
#include "hostile.h"

typedef struct
{
  guint n_ends, n_after_end;
} Ends;

static void
count_ends (gpointer user, const IceOutput *output)
{
  Ends *ends = user;

  ends->n_ends += output->type == ICE_OUTPUT_END_OF_CANDIDATES;
  ends->n_after_end +=
      output->type == ICE_OUTPUT_LOCAL_CANDIDATE && ends->n_ends > 0;
}

/* 13: once for a generation, whatever happens later, and no candidate after
 * it; once more for the next. */
static void
test_end_once (void)
{
  Ends ends = { 0 };
  Harness h;

  harness_init (&h, TRUE);
  h.watch = count_ends;
  h.watch_user = &ends;
  harness_gather (&h);
  g_assert_cmpuint (ends.n_ends, ==, 1);
  ice_core_gather (h.core, h.stream, h.now);
  harness_pump (&h);
  harness_run_for (&h, 60 * ICE_SECOND);
  g_assert_cmpuint (ends.n_ends, ==, 1);
  g_assert_cmpuint (ends.n_after_end, ==, 0);
  ends.n_ends = 0;
  ice_core_restart (h.core, h.stream, h.now);
  harness_pump (&h);
  harness_run_for (&h, 60 * ICE_SECOND);
  g_assert_cmpuint (ends.n_ends, ==, 1);
  g_assert_cmpuint (ends.n_after_end, ==, 0);
  harness_clear (&h);
}

/* 14: "it MUST ignore any newly received candidates" after the peer's end. */
static void
test_after_the_peers_end (void)
{
  Harness h;

  harness_start (&h, TRUE);
  ice_core_end_remote_candidates (h.core, h.stream, h.now);
  g_assert_cmpint (
      harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.3", 3, "3"), ==,
      ICE_VERDICT_UNEXPECTED);
  g_assert_cmpuint (harness_count_pairs (&h), ==, 1);
  /* A restart opens the door again. */
  g_assert_true (ice_core_set_remote_credentials (
      h.core, h.stream, "newpeer", "thenewpasswordof24letters", h.now));
  harness_pump (&h);
  g_assert_cmpint (
      harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.3", 3, "3"), ==,
      ICE_VERDICT_OK);
  harness_clear (&h);
}

/* 8, 14: no failure while candidates may still come; RFC 8863 4: and not before
 * its timer ends even when both sides said that none will. */
static void
test_no_early_failure (void)
{
  for (guint ended = 0; ended < 2; ended++) {
    IceTime begin;
    Harness h;
    Sent *sent;
    IceStunMessage message;

    harness_start (&h, TRUE);
    begin = h.now;
    if (ended)
      ice_core_end_remote_candidates (h.core, h.stream, h.now);
    /* The only pair fails at once. */
    sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
    harness_answer_from (&h, sent, &sent->to, NULL, 500, PEER_PWD);
    sent_free (sent);
    harness_run_until (&h, begin + 39499 * ICE_MSEC);
    g_assert_cmpint (h.state, ==, ICE_STATE_CHECKING);
    harness_run_until (&h, begin + 39500 * ICE_MSEC);
    g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
    harness_clear (&h);
  }
}

/* RFC 8863 4: what comes in the last second of the timer still connects: the
 * peer's check to us, with no candidate of its own known. */
static void
test_saved_by_a_check (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  Check check = { .use_candidate = TRUE };
  Harness h;

  harness_init (&h, FALSE);
  harness_gather (&h);
  harness_credentials (&h);
  ice_core_end_remote_candidates (h.core, h.stream, h.now);
  harness_run_for (&h, 39 * ICE_SECOND);
  g_assert_cmpint (harness_check (&h, &peer, &check), ==, ICE_VERDICT_OK);
  harness_run_for (&h, 10 * ICE_MSEC);
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  harness_clear (&h);
}

/* 11, 4: a redundant pair is looked for among those Waiting or Frozen only: one
 * that was checked keeps its state and its answer. */
static void
test_redundant_pair_keeps_its_state (void)
{
  g_autoptr (GArray) stats = g_array_new (FALSE, FALSE, sizeof (IcePairStats));
  IceAddress peer = addr ("192.0.2.2", 1);
  Check check = { 0 };
  Harness h;

  harness_init (&h, FALSE);
  harness_gather (&h);
  harness_credentials (&h);
  harness_check (&h, &peer, &check); /* learnt before it is signalled */
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  harness_forget_sent (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  /* Within the half second after which a valid pair is asked again. */
  harness_run_for (&h, 400 * ICE_MSEC);
  ice_core_get_pair_stats (h.core, stats);
  g_assert_cmpuint (stats->len, ==, 1);
  g_assert_cmpstr (
      g_array_index (stats, IcePairStats, 0).state, ==, "succeeded");
  g_assert_true (g_queue_is_empty (&h.sent));
  harness_clear (&h);
}

/* 11: a candidate that names another generation than the present one is not of
 * this session; one that names none is. */
static void
test_stale_ufrag (void)
{
  g_autoptr (IceCandidate) candidate =
      ice_candidate_new (ICE_CANDIDATE_HOST, 1);
  Harness h;

  harness_start (&h, TRUE);
  candidate->address = candidate->base = addr ("192.0.2.3", 3);
  candidate->priority = 1000;
  candidate->ufrag = g_strdup ("former");
  g_assert_cmpint (
      ice_core_add_remote_candidate (h.core, h.stream, candidate, h.now), ==,
      ICE_VERDICT_UNEXPECTED);
  g_free (candidate->ufrag);
  candidate->ufrag = g_strdup (PEER_UFRAG);
  g_assert_cmpint (
      ice_core_add_remote_candidate (h.core, h.stream, candidate, h.now), ==,
      ICE_VERDICT_OK);
  harness_pump (&h);
  harness_clear (&h);
}

static gboolean
takes_another (Harness *h)
{
  return harness_add_remote (h, ICE_CANDIDATE_HOST, "192.0.2.3", 3, "3") ==
      ICE_VERDICT_OK;
}

/* 13: "the indication MUST specify the generation": that of a former one, heard
 * while our own restart waits for its answer, ends nothing; nor does one that
 * says no generation, for the new one has not begun. */
static void
test_late_end (void)
{
  static const gchar *const late[] = { PEER_UFRAG, NULL };

  for (guint i = 0; i < G_N_ELEMENTS (late); i++) {
    Harness h;

    harness_start (&h, TRUE);
    ice_core_restart (h.core, h.stream, h.now);
    harness_pump (&h);
    ice_core_end_remote_generation (h.core, h.stream, late[i], h.now);
    g_assert_true (ice_core_set_remote_credentials (
        h.core, h.stream, "newpeer", "thenewpasswordof24letters", h.now));
    harness_pump (&h);
    ice_core_end_remote_generation (h.core, h.stream, PEER_UFRAG, h.now);
    g_assert_true (takes_another (&h));
    ice_core_end_remote_generation (h.core, h.stream, "newpeer", h.now);
    g_assert_false (takes_another (&h));
    harness_clear (&h);
  }
}

/* 13: one that overtook the description it belongs to counts when that comes;
 * before the first description there is nothing it could be late for. */
static void
test_early_end (void)
{
  static const gchar *const early[] = { PEER_UFRAG, NULL, "another" };

  for (guint i = 0; i < G_N_ELEMENTS (early); i++) {
    Harness h;

    harness_init (&h, TRUE);
    harness_gather (&h);
    ice_core_end_remote_generation (h.core, h.stream, early[i], h.now);
    harness_credentials (&h);
    g_assert_cmpint (takes_another (&h), ==, i == 2);
    harness_clear (&h);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8838/8/no-early-failure", test_no_early_failure);
  g_test_add_func ("/rfc8838/11/redundant-pair-keeps-its-state",
      test_redundant_pair_keeps_its_state);
  g_test_add_func ("/rfc8838/11/stale-ufrag", test_stale_ufrag);
  g_test_add_func ("/rfc8838/13/early-end", test_early_end);
  g_test_add_func ("/rfc8838/13/end-once", test_end_once);
  g_test_add_func ("/rfc8838/13/late-end", test_late_end);
  g_test_add_func ("/rfc8838/14/after-the-peers-end", test_after_the_peers_end);
  g_test_add_func ("/rfc8863/4/saved-by-a-check", test_saved_by_a_check);
  return g_test_run ();
}
