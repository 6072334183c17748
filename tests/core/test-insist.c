/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two agents over access lines that lose: who has a pair first, and whether
 * both come to the same one (issue 4: 30 % each way on both lines). */
#include "duo.h"

#define OPTIONS (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)
#define RUNS 400

/* Of a hundred packets from one end to the other so many get through: 0.7 on
 * the one line, 0.7 on the other. */
#define THROUGH 49

typedef struct
{
  guint32 dice;
  gboolean lossy;
} Lab;

static gboolean
lab_path (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  Lab *lab = duo->user;

  lab->dice = lab->dice * 1664525 + 1013904223;
  return !lab->lossy || (lab->dice >> 8) % 100 < THROUGH;
}

static gboolean
is_connected (const DuoEnd *end)
{
  return end->state == ICE_STATE_CONNECTED || end->state == ICE_STATE_COMPLETED;
}

static gboolean
are_connected (const Duo *duo)
{
  return is_connected (&duo->ends[0]) && is_connected (&duo->ends[1]);
}

static gboolean
are_agreed (const Duo *duo)
{
  return duo->ends[0].nominated && duo->ends[1].nominated && duo_agrees (duo);
}

/* ICE_TIME_NEVER: not within @limit. */
static IceTime
time_until (Duo *duo, gboolean (*test) (const Duo *duo), IceTime limit)
{
  IceTime start = duo->now;

  while (!test (duo)) {
    if (duo->now - start >= limit)
      return ICE_TIME_NEVER;
    duo_run_for (duo, 5 * ICE_MSEC);
  }
  return duo->now - start;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  IceTime x = *(const IceTime *) a, y = *(const IceTime *) b;

  return (x > y) - (x < y);
}

static void
test_lossy (void)
{
  IceTime connected[RUNS], agreed[RUNS];

  for (guint i = 0; i < RUNS; i++) {
    Lab lab = { .dice = 7919 * i + 1, .lossy = TRUE };
    Duo duo;

    duo_init (&duo, 1);
    duo.dice = i;
    duo.user = &lab;
    duo.path = lab_path;
    duo_start (&duo, OPTIONS);
    connected[i] = time_until (&duo, are_connected, 30 * ICE_SECOND);
    agreed[i] = time_until (&duo, are_agreed, 30 * ICE_SECOND);
    duo_clear (&duo);
  }
  qsort (connected, RUNS, sizeof *connected, compare);
  qsort (agreed, RUNS, sizeof *agreed, compare);
  g_test_message ("connected: median %d, 90 %% %d, 99 %% %d ms; agreed after "
                  "that: median %d, 90 %% %d, 99 %% %d ms",
      (gint) (connected[RUNS / 2] / ICE_MSEC),
      (gint) (connected[RUNS * 9 / 10] / ICE_MSEC),
      (gint) (connected[RUNS * 99 / 100] / ICE_MSEC),
      (gint) (agreed[RUNS / 2] / ICE_MSEC),
      (gint) (agreed[RUNS * 9 / 10] / ICE_MSEC),
      (gint) (agreed[RUNS * 99 / 100] / ICE_MSEC));
  g_assert_cmpint (connected[RUNS / 2], <=, 1600 * ICE_MSEC);
  g_assert_cmpint (connected[RUNS * 9 / 10], <=, 6 * ICE_SECOND);
  g_assert_cmpint (agreed[RUNS * 9 / 10], <=, 5 * ICE_SECOND);
}

/* Where nothing is lost nobody insists: what is asked for is answered. */
static void
test_lossless (void)
{
  Lab lab = { 0 };
  Duo duo;

  duo_init (&duo, 1);
  duo.user = &lab;
  duo.path = lab_path;
  duo_start (&duo, OPTIONS);
  duo_run_for (&duo, 3 * ICE_SECOND);
  g_assert_true (are_agreed (&duo));
  g_assert_cmpuint (duo.n_requests[0], <=, 3);
  g_assert_cmpuint (duo.n_requests[1], <=, 2);
  duo_clear (&duo);
}

/* An end that nobody is at is not asked for ever. */
static void
test_bounded (void)
{
  Lab lab = { 0 };
  Duo duo;
  guint n;

  duo_init (&duo, 1);
  duo.user = &lab;
  duo.path = lab_path;
  duo_start (&duo, OPTIONS);
  /* The controlled side's check got through once, and nothing after it. */
  while (duo.ends[1].n_sockets == 0 || duo.n_requests[1] == 0)
    duo_run_for (&duo, ICE_MSEC);
  duo_run_for (&duo, 11 * ICE_MSEC);
  g_queue_clear_full (&duo.flying, (GDestroyNotify) duo_packet_free);
  duo_remove_address (&duo, 1, 0);
  n = duo.n_requests[0];
  duo_run_for (&duo, 60 * ICE_SECOND);
  g_assert_cmpuint (duo.n_requests[0] - n, <=, 30);
  duo_clear (&duo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/insist/loss-of-30-percent", test_lossy);
  g_test_add_func ("/insist/nothing-lost-nothing-more", test_lossless);
  g_test_add_func ("/insist/bounded", test_bounded);
  return g_test_run ();
}
