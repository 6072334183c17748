/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fuzz targets found in the core: each in the fewest steps. The
 * inputs themselves are in tests/fuzz/corpus. */
#include "harness.h"

/* RFC 8445 9: local credentials change by restart only. A component that comes
 * late is no restart: without this the selected pair belonged to a generation
 * that was no more, and when its consent expired it was chosen again, for
 * ever, at one and the same deadline. */
static void
test_credentials_after_late_component (void)
{
  Harness h;

  harness_complete (&h, TRUE);
  ice_core_add_component (h.core, h.stream, 2);
  g_assert_false (ice_core_set_local_credentials (
      h.core, h.stream, "ours2", "ourpasswordof24lettersxx"));
  harness_run_for (&h, 60 * ICE_SECOND);
  g_assert_cmpuint (h.n_consent_lost, ==, 1);
  harness_clear (&h);
}

/* Core contract 2: the deadline is never in the past twice. A session that
 * becomes lite with the restart of one stream has pairs left in the other: what
 * is not sent is not waited for either. */
static void
test_lite_by_restart_of_another_stream (void)
{
  guint other, n_same = 0;
  IceTime last = 0;
  Harness h;

  harness_init (&h, TRUE);
  other = ice_core_add_stream (h.core);
  ice_core_add_component (h.core, other, 1);
  harness_gather (&h);
  harness_credentials (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  g_assert_true (harness_answer_next (&h));
  ice_core_set_lite (h.core, TRUE);
  ice_core_restart (h.core, other, h.now);
  harness_pump (&h);
  for (guint i = 0; i < 50 && h.deadline != ICE_TIME_NEVER; i++) {
    n_same = h.deadline == last ? n_same + 1 : 0;
    g_assert_cmpuint (n_same, <, 3);
    last = h.deadline;
    h.now = MAX (h.now, h.deadline);
    ice_core_timeout (h.core, h.now);
    harness_pump (&h);
  }
  harness_clear (&h);
}

/* RFC 8445 8.1.1: the application takes another pair while one that was
 * renominated carries media. The old one is on no list any more, yet waits in
 * the queue of triggered checks, and must not be there when it is gone. */
static void
test_old_pair_in_queue (void)
{
  const IceAddress second = addr ("192.0.2.3", 1);
  Harness h;

  harness_start (&h, TRUE);
  ice_core_set_remote_options (h.core, ICE_OPTION_RENOMINATION, h.now);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.3", 1, "2");
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (
      ice_core_set_selected_pair (h.core, h.transport, &h.host, &second, h.now),
      ==, ICE_VERDICT_OK);
  harness_pump (&h);
  for (guint i = 0; i < 100; i++) {
    IceStunMessage message;
    Sent *request;

    while ((request = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
      if (ice_address_equal (&request->to, &second))
        harness_answer (&h, request);
      sent_free (request);
    }
    harness_run_for (&h, 10 * ICE_MSEC);
  }
  g_assert_true (ice_address_equal (&h.route_to, &second));
  harness_clear (&h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/found/credentials-after-late-component",
      test_credentials_after_late_component);
  g_test_add_func ("/found/lite-by-restart-of-another-stream",
      test_lite_by_restart_of_another_stream);
  g_test_add_func ("/found/old-pair-in-queue", test_old_pair_in_queue);
  return g_test_run ();
}
