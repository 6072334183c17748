/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about the end: whenever it comes, nothing is left and nothing follows;
 * a thousand restarts leave what one leaves. */
#include "hostile.h"

/* 8: everything may end at any moment; what comes afterwards finds nothing. */
static void
end_somehow (Harness *h, guint way)
{
  if (way == 0)
    ice_core_close (h->core, h->now);
  else if (way == 1)
    ice_core_remove_stream (h->core, h->stream, h->now);
  else if (way == 2)
    ice_core_remove_component (h->core, h->stream, 1, h->now);
  else
    ice_core_restart (h->core, h->stream, h->now);
  harness_pump (h);
}

static void
test_end_at_any_moment (void)
{
  for (guint i = 0; i < 4 * 5; i++) {
    guint way = i % 4, moment = i / 4;
    IceAddress peer = addr ("192.0.2.2", 1);
    Check check = { .use_candidate = TRUE };
    g_autoptr (IcePacket) packet = NULL;
    IceStunMessage message;
    Sent *request;
    Harness h;

    harness_init (&h, FALSE);
    harness_gather (&h);
    packet = harness_build_check (&h, &check);
    if (moment > 0)
      harness_receive (&h, &peer, packet); /* early */
    if (moment > 1)
      harness_credentials (&h);
    request = harness_pop (&h, ICE_STUN_REQUEST, &message);
    g_assert_cmpint (request != NULL, ==, moment > 1);
    if (moment > 2)
      harness_answer (&h, request);
    if (moment > 3)
      harness_run_for (&h, 8 * ICE_SECOND);
    end_somehow (&h, way);
    if (request) {
      harness_answer (&h, request);
      sent_free (request);
    }
    harness_receive (&h, &peer, packet);
    harness_forget_sent (&h);
    harness_run_for (&h, 60 * ICE_SECOND);
    if (way < 3)
      g_assert_true (g_queue_is_empty (&h.sent));
    harness_clear (&h);
  }
}

/* 3.24: a thousand restarts leave what one leaves. */
static void
test_restarts (void)
{
  Harness h;

  harness_init (&h, TRUE);
  harness_gather (&h);
  for (guint i = 0; i < 1000; i++) {
    g_autoptr (GPtrArray) locals = NULL, remotes = NULL;
    g_autofree gchar *ufrag = g_strdup_printf ("peer%u", i);
    g_autofree gchar *pwd = g_strdup_printf ("%s%u", PEER_PWD, i);

    g_assert_true (
        ice_core_set_remote_credentials (h.core, h.stream, ufrag, pwd, h.now));
    harness_pump (&h);
    harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
    harness_run_for (&h, 1 * ICE_SECOND);
    locals = ice_core_get_local_candidates (h.core, h.stream);
    remotes = ice_core_get_remote_candidates (h.core, h.stream);
    g_assert_cmpuint (locals->len, ==, 1);
    g_assert_cmpuint (remotes->len, ==, 1);
    g_assert_cmpuint (harness_count_pairs (&h), ==, 1);
    harness_forget_sent (&h);
  }
  harness_clear (&h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rules/8/end-at-any-moment", test_end_at_any_moment);
  g_test_add_func ("/rules/3.24/restarts", test_restarts);
  return g_test_run ();
}
