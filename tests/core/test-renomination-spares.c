/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ice-renomination-01: the spare pairs go when they become superfluous, and not
 * when the next packet comes, whoever sends it. */
#include "duo.h"

#define OPTIONS (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)
#define STEP (1 * ICE_MSEC)
#define MAX_PAIRS 4 /* the selected one and three spares */

typedef struct
{
  gboolean best_is_gone; /* the best pair works, and no other; or the others */
} Lab;

static gboolean
lab_path (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  const Lab *lab = duo->user;
  IceAddress alice = duo_address ("192.0.2.1", 0);
  IceAddress bob = duo_address ("192.0.2.2", 0);
  gboolean best =
      (ice_address_same_ip (from, &alice) && ice_address_same_ip (to, &bob)) ||
      (ice_address_same_ip (from, &bob) && ice_address_same_ip (to, &alice));

  return best != lab->best_is_gone;
}

static guint
count_valid (const Duo *duo, guint index)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (IcePairStats));
  guint n = 0;

  ice_core_get_pair_stats (duo->ends[index].core, pairs);
  for (guint i = 0; i < pairs->len; i++)
    n +=
        g_str_equal (g_array_index (pairs, IcePairStats, i).state, "succeeded");
  return n;
}

/* What anybody may send. */
static void
receive_garbage (Duo *duo, guint index)
{
  IceDatagram in = { .socket = duo->ends[index].sockets[0].id,
    .from = duo_address ("198.51.100.77", 7777),
    .data = ICE_BYTES ((const guint8 *) "", 1) };

  ice_core_receive (duo->ends[index].core, &in, duo->now);
}

/* Eight pairs answer for the first time while the selected one is in doubt:
 * each may be its heir, and all are kept. The one that becomes it makes five of
 * them superfluous, and they go with that. */
static void
test_superfluous (void)
{
  guint most[2] = { 0 };
  Lab lab = { 0 };
  Duo duo;

  duo_init (&duo, 3);
  duo.user = &lab;
  duo.path = lab_path;
  duo_start (&duo, OPTIONS);
  duo.media = TRUE;
  /* The others' checks are resent 7.5 s after the first (RFC 8489 6.2.1). */
  duo_run_for (&duo, 6800 * ICE_MSEC);
  lab.best_is_gone = TRUE;
  for (IceTime end = duo.now + 10 * ICE_SECOND; duo.now < end;) {
    duo_run_for (&duo, STEP);
    for (guint i = 0; i < 2; i++) {
      guint before = count_valid (&duo, i);

      most[i] = MAX (most[i], before);
      receive_garbage (&duo, i);
      g_assert_cmpuint (count_valid (&duo, i), ==, before);
    }
  }
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (most[i], >, MAX_PAIRS);
    g_assert_cmpuint (count_valid (&duo, i), ==, MAX_PAIRS);
    g_assert_cmpint (duo.ends[i].state, ==, ICE_STATE_COMPLETED);
  }
  g_assert_true (duo_agrees (&duo));
  duo_clear (&duo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ice-renomination/3/superfluous-spares", test_superfluous);
  return g_test_run ();
}
