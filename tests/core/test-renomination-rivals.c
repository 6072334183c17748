/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Renomination in the first moments: which pair is nominated, and when. The
 * controlling side's first address makes the best pairs. */
#include "duo.h"

#define OPTIONS (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)
#define RTT (20 * ICE_MSEC)
#define BEST "192.0.2.1"
#define OTHER "198.51.100.1"

typedef struct
{
  gboolean dead;  /* BEST is */
  gboolean deaf;  /* nothing that BEST sends arrives */
  IceTime slower; /* BEST, each way */
} Lab;

static gboolean
lab_path (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  const Lab *lab = duo->user;
  const IceAddress best = duo_address (BEST, 0);

  if (!ice_address_same_ip (from, &best) && !ice_address_same_ip (to, &best))
    return TRUE;
  *ret_delay += lab->slower;
  return !lab->dead && !(lab->deaf && ice_address_same_ip (from, &best));
}

static void
start (Duo *duo, Lab *lab, guint options)
{
  duo_init (duo, 2);
  duo->user = lab;
  duo->path = lab_path;
  duo_start (duo, options);
}

static IceTime
time_to_complete (Duo *duo)
{
  const IceTime begin = duo->now;

  while (duo->ends[0].state != ICE_STATE_COMPLETED ||
      duo->ends[1].state != ICE_STATE_COMPLETED) {
    duo_run_for (duo, 1 * ICE_MSEC);
    g_assert_cmpint (duo->now - begin, <, 10 * ICE_SECOND);
  }
  return duo->now - begin;
}

/* A direct pair is nominated when it is valid, and pairs that would be better
 * and are dead cost nothing but the 5 ms each that their checks leave sooner:
 * done after two round trips. Who cannot renominate waits for them. */
static void
test_dead (void)
{
  for (guint waits = 0; waits < 2; waits++) {
    Lab lab = { .dead = TRUE };
    IceTime took;
    Duo duo;

    start (&duo, &lab, waits ? ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE : OPTIONS);
    took = time_to_complete (&duo);
    if (waits)
      g_assert_cmpint (took, >=, 2 * RTT + 30 * ICE_MSEC);
    else
      g_assert_cmpint (took, <=, 2 * RTT + 3 * 5 * ICE_MSEC);
    g_assert_true (duo_agrees (&duo));
    g_assert_true (duo_is_at (&duo, 0, OTHER));
    duo_clear (&duo);
  }
}

/* The peer's check came by a pair that does not carry ours: that is no reason
 * to wait for it. */
static void
test_deaf (void)
{
  Lab lab = { .deaf = TRUE };
  IceTime took;
  Duo duo;

  start (&duo, &lab, OPTIONS);
  took = time_to_complete (&duo);
  g_assert_cmpint (took, <=, 2 * RTT + 5 * 5 * ICE_MSEC);
  g_assert_true (duo_agrees (&duo));
  g_assert_true (duo_is_at (&duo, 0, OTHER));
  duo_run_for (&duo, 60 * ICE_SECOND);
  g_assert_true (duo_agrees (&duo));
  g_assert_true (duo_is_at (&duo, 0, OTHER));
  duo_clear (&duo);
}

/* What is better and answers within two round trips of the first one takes
 * over; what answers after that does not. */
static void
test_late (void)
{
  static const struct
  {
    IceTime slower;
    const gchar *at;
  } table[] = { { 0, BEST }, { 10 * ICE_MSEC, BEST },
    { 50 * ICE_MSEC, OTHER } };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    Lab lab = { .slower = table[i].slower };
    Duo duo;

    start (&duo, &lab, OPTIONS);
    duo_run_for (&duo, 900 * ICE_MSEC);
    g_assert_true (duo_is_at (&duo, 0, table[i].at));
    g_assert_true (duo_agrees (&duo));
    duo_clear (&duo);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ice-renomination/3/dead-rival", test_dead);
  g_test_add_func ("/ice-renomination/3/deaf-rival", test_deaf);
  g_test_add_func ("/ice-renomination/3/late-rival", test_late);
  return g_test_run ();
}
