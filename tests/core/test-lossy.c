/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both access lines lose so many packets that one exchange in four succeeds,
 * and media flows: both ends come to one pair, and stay there. */
#include "duo.h"

#include "gst/ice/core/ice/loss.h"

#define OPTIONS (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)
#define CALLS 100
/* 30 % on both lines: 49 % of what leaves arrives. */
#define LOST 51

/* How many requests each answer took. */
static void
test_heavy (void)
{
  static const struct
  {
    guint asked[8]; /* 0: the end */
    gboolean heavy;
  } rows[] = {
    { { 0 }, FALSE },
    { { 1, 1, 1, 1, 1 }, FALSE },
    /* The first packet through two NATs, and nothing else. */
    { { 2, 1, 1 }, FALSE },
    { { 2, 2 }, FALSE },
    { { 4 }, FALSE },
    { { 5 }, TRUE },
    { { 2, 3 }, TRUE },
    { { 1, 2, 1, 2 }, FALSE },
    { { 4, 4, 4, 4, 4, 4, 4 }, TRUE },
    /* It has become better. */
    { { 16, 16, 1, 1, 1, 1, 1 }, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IceLoss loss = { 0 };

    for (guint j = 0; j < G_N_ELEMENTS (rows[i].asked) && rows[i].asked[j];
         j++) {
      for (guint k = 0; k < rows[i].asked[j]; k++)
        ice_loss_asked (&loss);
      ice_loss_answered (&loss);
    }
    g_assert_cmpint (ice_loss_is_heavy (&loss), ==, rows[i].heavy);
    /* Silence says nothing: an answer that does not come is none. */
    for (guint k = 0; k < 100; k++)
      ice_loss_asked (&loss);
    g_assert_cmpint (ice_loss_is_heavy (&loss), ==, rows[i].heavy);
  }
}

/* What was is forgotten. */
static void
test_forgets (void)
{
  IceLoss loss = { 0 };

  for (guint i = 0; i < 100; i++)
    ice_loss_asked (&loss);
  ice_loss_answered (&loss);
  g_assert_true (ice_loss_is_heavy (&loss));
  for (guint i = 0; i < 200; i++) {
    ice_loss_asked (&loss);
    ice_loss_answered (&loss);
  }
  g_assert_false (ice_loss_is_heavy (&loss));
  /* Two answers to one request: the second one was counted as lost. */
  ice_loss_answered (&loss);
  g_assert_false (ice_loss_is_heavy (&loss));
}

typedef struct
{
  guint percent; /* one way */
  guint64 dice;
  IceAddress dead; /* from there nothing arrives; family NONE: it does */
} Line;

static gboolean
lose (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  Line *line = duo->user;

  line->dice = line->dice * 6364136223846793005u + 1442695040888963407u;
  return (line->dice >> 33) % 100 >= line->percent &&
      !ice_address_same_ip (from, &line->dead);
}

/* FALSE: not within 20 s. */
static gboolean
begin (Duo *duo, Line *line, guint seed)
{
  *line = (Line){ .percent = LOST, .dice = seed * 7919u };
  duo_init (duo, 2);
  duo->dice += seed;
  duo->user = line;
  duo->path = lose;
  duo->media = duo->gaps = TRUE;
  duo_start (duo, OPTIONS);
  duo_run_for (duo, 20 * ICE_SECOND);
  return duo->ends[0].state == ICE_STATE_COMPLETED &&
      duo->ends[1].state == ICE_STATE_COMPLETED;
}

/* Before answers that are lost were told from paths that are: 12 moves a minute
 * and call, and a tenth of the time on two pairs. */
static void
test_one_pair (void)
{
  guint n_connected = 0, n_looks = 0, n_apart = 0, n_moves = 0;

  for (guint seed = 1; seed <= CALLS; seed++) {
    Duo duo;
    Line line;

    if (begin (&duo, &line, seed)) {
      guint n_selected = duo.ends[0].n_selected;

      n_connected++;
      for (guint i = 0; i < 120; i++) {
        duo_run_for (&duo, 500 * ICE_MSEC);
        n_looks++;
        n_apart += !duo_agrees (&duo);
      }
      n_moves += duo.ends[0].n_selected - n_selected;
    }
    duo_clear (&duo);
  }
  g_test_message ("%u connected, %u of %u looks apart, %u moves", n_connected,
      n_apart, n_looks, n_moves);
  g_assert_cmpuint (n_connected, >=, CALLS * 8 / 10);
  g_assert_cmpuint (n_moves, <=, 2 * n_connected);
  g_assert_cmpuint (100 * n_apart, <=, 3 * n_looks);
}

/* For all that, a path that dies in one direction is left: who hears nothing
 * says so by knocking. */
static void
test_dead_one_way (gconstpointer data)
{
  guint who = GPOINTER_TO_UINT (data);
  guint n_connected = 0, n_back = 0;

  for (guint seed = 1; seed <= CALLS; seed++) {
    Duo duo;
    Line line;

    if (begin (&duo, &line, seed)) {
      n_connected++;
      line.dead = duo.ends[who].local;
      duo_run_for (&duo, 8 * ICE_SECOND);
      n_back += !ice_address_same_ip (&duo.ends[0].local, &line.dead) &&
          !ice_address_same_ip (&duo.ends[1].local, &line.dead);
    }
    duo_clear (&duo);
  }
  g_test_message ("%u of %u left it", n_back, n_connected);
  g_assert_cmpuint (n_back, >=, n_connected * 7 / 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lossy/heavy", test_heavy);
  g_test_add_func ("/lossy/forgets", test_forgets);
  g_test_add_func ("/lossy/one-pair", test_one_pair);
  g_test_add_data_func (
      "/lossy/dead-from-us", GUINT_TO_POINTER (0), test_dead_one_way);
  g_test_add_data_func (
      "/lossy/dead-from-the-peer", GUINT_TO_POINTER (1), test_dead_one_way);
  return g_test_run ();
}
