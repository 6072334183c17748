/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Continual gathering: networks come and go, the session stays. */
#include "duo.h"

#define OPTIONS (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)

/* The one that is mobile is @index; it has 192.0.2.x only, at first. */
static void
start (Duo *duo, guint index, guint options)
{
  duo_init (duo, 1);
  ice_core_set_continual (duo->ends[index].core, TRUE);
  duo_start (duo, options);
  duo->media = TRUE;
  duo_run_for (duo, 10 * ICE_SECOND);
  g_assert_cmpint (duo->ends[0].state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpint (duo->ends[1].state, ==, ICE_STATE_COMPLETED);
}

static void
assert_media (const Duo *duo)
{
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (duo->ends[i].state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpint (duo->ends[i].media_received, >=, duo->now - 60 * ICE_MSEC);
    g_assert_cmpuint (duo->ends[i].n_consent_lost, ==, 0);
    g_assert_cmpuint (duo->ends[i].n_failed, ==, 0);
  }
  g_assert_true (duo_agrees (duo));
}

/* Make before break: the new address is gathered, trickled, paired and kept;
 * when the old one goes, media moves in the same instant on this side. */
static void
test_make_before_break (void)
{
  for (guint mobile = 0; mobile < 2; mobile++) {
    Duo duo;
    IceTime begin;

    start (&duo, mobile, OPTIONS);
    duo_add_address (&duo, mobile, "198.51.100.9");
    duo_tell_interfaces (&duo, mobile);
    g_assert_cmpuint (duo.ends[mobile].n_local, ==, 2);
    duo_run_for (&duo, 10 * ICE_SECOND);
    assert_media (&duo);

    duo_remove_address (&duo, mobile, 0);
    begin = duo.now;
    duo_tell_interfaces (&duo, mobile);
    g_assert_cmpint (duo.ends[mobile].selected_at, ==, begin);
    g_assert_true (duo_is_at (&duo, mobile, "198.51.100.9"));
    /* The controlled side knocks; the other one has its verdict 950 ms after
     * the second knock. */
    duo_run_for (&duo, (mobile ? 1600 : 200) * ICE_MSEC);
    assert_media (&duo);
    duo_run_for (&duo, 60 * ICE_SECOND);
    assert_media (&duo);
    g_assert_true (duo_is_at (&duo, mobile, "198.51.100.9"));
    duo_clear (&duo);
  }
}

/* Break before make: nothing is left for three seconds, which is no failure,
 * and the new address takes over. */
static void
test_break_before_make (void)
{
  for (guint mobile = 0; mobile < 2; mobile++) {
    Duo duo;
    IceTime begin;

    start (&duo, mobile, OPTIONS);
    duo_remove_address (&duo, mobile, 0);
    duo_tell_interfaces (&duo, mobile);
    g_assert_cmpint (duo.ends[mobile].state, ==, ICE_STATE_DISCONNECTED);
    g_assert_cmpuint (duo.ends[mobile].route_socket, ==, 0);
    duo_run_for (&duo, 3 * ICE_SECOND);
    duo_add_address (&duo, mobile, "198.51.100.9");
    begin = duo.now;
    duo_tell_interfaces (&duo, mobile);
    duo_run_for (&duo, 1 * ICE_SECOND);
    assert_media (&duo);
    g_assert_cmpint (duo.ends[0].selected_at, <=, begin + 200 * ICE_MSEC);
    g_assert_cmpint (duo.ends[1].selected_at, <=, begin + 200 * ICE_MSEC);
    duo_clear (&duo);
  }
}

/* Nothing comes: both fail when consent would have (RFC 7675 5.1). */
static void
test_nothing_comes (void)
{
  Duo duo;

  start (&duo, 0, OPTIONS);
  duo_remove_address (&duo, 0, 0);
  duo_tell_interfaces (&duo, 0);
  duo_run_for (&duo, 29 * ICE_SECOND);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_DISCONNECTED);
  duo_run_for (&duo, 2 * ICE_SECOND);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_FAILED);
  duo_clear (&duo);
}

/* RFC 8838 13: end-of-candidates is not said by the side that goes on, and
 * that side learns only from the peer's options whether it does. */
static void
test_no_end (void)
{
  static const struct
  {
    guint options;
    guint n_ended;
  } table[] = { { OPTIONS, 0 }, { ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE, 1 },
    { ICE_OPTION_ICE2 | ICE_OPTION_RENOMINATION, 1 }, { 0, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    Duo duo;

    duo_init (&duo, 1);
    ice_core_set_continual (duo.ends[0].core, TRUE);
    for (guint j = 0; j < 2; j++) {
      duo_tell_interfaces (&duo, j);
      ice_core_gather (duo.ends[j].core, duo.ends[j].stream, duo.now);
      duo_pump (&duo);
    }
    g_assert_cmpuint (duo.ends[0].n_ended, ==, 0);
    g_assert_cmpuint (duo.ends[1].n_ended, ==, 1);
    duo_start (&duo, table[i].options);
    duo_run_for (&duo, 5 * ICE_SECOND);
    g_assert_cmpuint (duo.ends[0].n_ended, ==, table[i].n_ended);
    g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
    duo_clear (&duo);
  }
}

/* A network that comes before the peer has answered the offer. */
static void
test_before_the_answer (void)
{
  Duo duo;

  duo_init (&duo, 1);
  ice_core_set_continual (duo.ends[0].core, TRUE);
  duo_tell_interfaces (&duo, 0);
  ice_core_gather (duo.ends[0].core, duo.ends[0].stream, duo.now);
  duo_pump (&duo);
  duo_add_address (&duo, 0, "198.51.100.9");
  duo_tell_interfaces (&duo, 0);
  g_assert_cmpuint (duo.ends[0].n_local, ==, 1);
  ice_core_set_remote_options (duo.ends[0].core, OPTIONS, duo.now);
  duo_pump (&duo);
  g_assert_cmpuint (duo.ends[0].n_local, ==, 2);
  duo_clear (&duo);
}

/* Design 9.5: without the option on both sides new addresses wait for a
 * restart, and lost ones do not count before their sockets fail. */
static void
test_not_negotiated (void)
{
  Duo duo;

  start (&duo, 0, ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE);
  duo_add_address (&duo, 0, "198.51.100.9");
  duo_tell_interfaces (&duo, 0);
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_cmpuint (duo.ends[0].n_local, ==, 1);
  g_assert_cmpuint (duo.ends[0].n_sockets, ==, 1);
  duo_clear (&duo);

  duo_init (&duo, 1);
  duo_start (&duo, OPTIONS);
  duo_run_for (&duo, 5 * ICE_SECOND);
  duo_add_address (&duo, 0, "198.51.100.9");
  duo_tell_interfaces (&duo, 0);
  g_assert_cmpuint (duo.ends[0].n_sockets, ==, 1);
  duo_clear (&duo);
}

/* An address that is deprecated beside another, or told twice, is no loss; a
 * socket on it goes on. */
static void
test_same_again (void)
{
  Duo duo;
  guint n_selected;

  start (&duo, 0, OPTIONS);
  n_selected = duo.ends[0].n_selected;
  for (guint i = 0; i < 10; i++)
    duo_tell_interfaces (&duo, 0);
  duo_add_address (&duo, 0, "198.51.100.9");
  duo.ends[0].addresses[0].deprecated = TRUE;
  duo_tell_interfaces (&duo, 0);
  duo_run_for (&duo, 5 * ICE_SECOND);
  assert_media (&duo);
  g_assert_true (duo_is_at (&duo, 0, "192.0.2.1"));
  g_assert_cmpuint (duo.ends[0].n_selected, ==, n_selected);
  g_assert_cmpuint (duo.ends[0].n_sockets, ==, 2);
  duo_clear (&duo);
}

/* Two thousand changes: the session lives, and no table grows with them. */
static void
test_churn (void)
{
  Duo duo;

  start (&duo, 0, OPTIONS);
  duo.media = FALSE;
  for (guint i = 0; i < 2000; i++) {
    g_autofree gchar *ip =
        g_strdup_printf ("203.0.%u.%u", 113 + i / 250, 1 + i % 250);

    duo_add_address (&duo, 0, ip);
    duo_tell_interfaces (&duo, 0);
    duo_run_for (&duo, 50 * ICE_MSEC);
    duo_remove_address (&duo, 0, 1);
    duo_tell_interfaces (&duo, 0);
    g_assert_cmpuint (duo.ends[0].n_sockets, ==, 1);
  }
  duo.media = TRUE;
  duo_run_for (&duo, 10 * ICE_SECOND);
  assert_media (&duo);
  g_assert_cmpuint (duo.ends[0].n_local, <=, 1001);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GArray) pairs =
        g_array_new (FALSE, FALSE, sizeof (IcePairStats));

    ice_core_get_pair_stats (duo.ends[i].core, pairs);
    g_assert_cmpuint (pairs->len, <=, 100);
  }
  duo_clear (&duo);
}

/* Both are mobile, in turn, for a while. */
static void
test_both_move (void)
{
  Duo duo;

  duo_init (&duo, 1);
  for (guint i = 0; i < 2; i++)
    ice_core_set_continual (duo.ends[i].core, TRUE);
  duo_start (&duo, OPTIONS);
  duo.media = TRUE;
  duo_run_for (&duo, 5 * ICE_SECOND);
  for (guint i = 0; i < 20; i++) {
    g_autofree gchar *ip = g_strdup_printf ("198.51.100.%u", 20 + i);

    duo_add_address (&duo, i % 2, ip);
    duo_tell_interfaces (&duo, i % 2);
    duo_run_for (&duo, 2 * ICE_SECOND);
    duo_remove_address (&duo, i % 2, 0);
    duo_tell_interfaces (&duo, i % 2);
    duo_run_for (&duo, 10 * ICE_SECOND);
    assert_media (&duo);
  }
  duo_clear (&duo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/continual/make-before-break", test_make_before_break);
  g_test_add_func ("/continual/break-before-make", test_break_before_make);
  g_test_add_func ("/continual/nothing-comes", test_nothing_comes);
  g_test_add_func ("/continual/no-end-of-candidates", test_no_end);
  g_test_add_func ("/continual/not-negotiated", test_not_negotiated);
  g_test_add_func ("/continual/before-the-answer", test_before_the_answer);
  g_test_add_func ("/continual/same-again", test_same_again);
  g_test_add_func ("/continual/churn", test_churn);
  g_test_add_func ("/continual/both-move", test_both_move);
  return g_test_run ();
}
