/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ice-renomination-01: nominations that do not arrive. */
#include "duo.h"

#include "gst/ice/core/stun/message.h"

#define OPTIONS (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)

typedef struct
{
  gboolean slow;       /* the best pair, by 100 ms */
  gboolean blocked[2]; /* the best, the other */
  guint32 last_value;  /* the last NOMINATION that left */
  guint32 cut_at;      /* one that is lost, and all after it by that pair */
} Lab;

static gboolean
is_best (const IceAddress *a, const IceAddress *b)
{
  IceAddress first = duo_address ("192.0.2.1", 0);

  return ice_address_same_ip (a, &first) || ice_address_same_ip (b, &first);
}

static gboolean
lab_path (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  Lab *lab = duo->user;
  gboolean best = is_best (from, to);

  if (best && lab->slow)
    *ret_delay += 100 * ICE_MSEC;
  return !lab->blocked[best ? 0 : 1];
}

static void
lab_watch (Duo *duo, guint from_end, IceBytes packet)
{
  Lab *lab = duo->user;
  IceStunMessage message;
  guint32 value;

  if (!ice_stun_message_parse (&message, packet) ||
      message.klass != ICE_STUN_REQUEST ||
      !ice_stun_message_get_u32 (&message, ICE_STUN_NOMINATION, &value))
    return;
  lab->last_value = value;
  if (value == lab->cut_at)
    lab->blocked[0] = TRUE;
}

/* Back to a pair that was nominated once, and the new nomination is lost: the
 * old one is not in force any more, and the peer has to hear of it again. */
static void
test_lost_nomination (void)
{
  Lab lab = { 0 };
  Duo duo;

  duo_init (&duo, 2);
  duo.user = &lab;
  duo.path = lab_path;
  duo.watch = lab_watch;
  duo_start (&duo, OPTIONS);
  duo_run_for (&duo, 10 * ICE_SECOND);
  g_assert_true (duo_is_at (&duo, 0, "192.0.2.1"));
  lab.slow = TRUE;
  duo_run_for (&duo, 60 * ICE_SECOND);
  g_assert_true (duo_is_at (&duo, 0, "198.51.100.1"));

  lab.cut_at = lab.last_value + 1;
  lab.blocked[1] = TRUE;
  while (lab.last_value < lab.cut_at)
    duo_run_for (&duo, 100 * ICE_MSEC);
  duo_run_for (&duo, 2500 * ICE_MSEC);
  lab = (Lab){ .last_value = lab.last_value };
  duo_run_for (&duo, 10 * ICE_SECOND);
  g_assert_true (duo_agrees (&duo));
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (duo.ends[i].state, ==, ICE_STATE_COMPLETED);
  duo_clear (&duo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ice-renomination/3/lost-nomination", test_lost_nomination);
  return g_test_run ();
}
