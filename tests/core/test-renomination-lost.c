/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ice-renomination-01: nominations that do not arrive. */
#include "duo.h"

#include "gst/ice/core/stun/message.h"

#define OPTIONS (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)

typedef struct
{
  gboolean slow;       /* the best pair, by 100 ms */
  gboolean fast;       /* or without delay */
  gboolean blocked[2]; /* the best, the other */
  guint32 last_value;  /* the last NOMINATION that left */
  guint32 cut_at;      /* one that is lost, and all after it by that pair */
  guint32 deaf_at;     /* one whose answers are lost */
  gboolean deaf;
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
  IceAddress alice = duo_address ("192.0.2.1", 0);

  if (best && lab->slow)
    *ret_delay += 100 * ICE_MSEC;
  if (best && lab->fast)
    *ret_delay = 5 * ICE_MSEC;
  if (best && lab->deaf && ice_address_same_ip (to, &alice))
    return FALSE;
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
  lab->deaf |= value == lab->deaf_at;
}

/* Both were at the best pair, and went on to the other one, which is fast. */
static void
lab_init (Lab *self, Duo *duo)
{
  *self = (Lab){ 0 };
  duo_init (duo, 2);
  duo->user = self;
  duo->path = lab_path;
  duo->watch = lab_watch;
  duo_start (duo, OPTIONS);
  duo_run_for (duo, 10 * ICE_SECOND);
  g_assert_true (duo_is_at (duo, 0, "192.0.2.1"));
  self->slow = TRUE;
  duo_run_for (duo, 60 * ICE_SECOND);
  g_assert_true (duo_is_at (duo, 0, "198.51.100.1"));
}

/* Back to a pair that was nominated once, and the new nomination is lost: the
 * old one is not in force any more, and the peer has to hear of it again. */
static void
test_lost_nomination (void)
{
  Lab lab;
  Duo duo;

  lab_init (&lab, &duo);
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

/* ice-renomination-01 4: the peer follows the largest value, and answers, and
 * all answers are lost. Who stays where it is says so by the next value. */
static void
test_lost_answers (void)
{
  Lab lab;
  Duo duo;

  lab_init (&lab, &duo);
  /* The best pair again, and clearly: nothing else delays it. */
  lab.deaf_at = lab.last_value + 1;
  lab.slow = FALSE;
  duo.delay = 60 * ICE_MSEC;
  lab.fast = TRUE;
  while (!lab.deaf)
    duo_run_for (&duo, 100 * ICE_MSEC);
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_false (duo_agrees (&duo));
  duo_run_for (&duo, 2 * ICE_SECOND);
  g_assert_true (duo_agrees (&duo));
  g_assert_true (duo_is_at (&duo, 0, "198.51.100.1"));
  g_assert_cmpuint (lab.last_value, ==, lab.deaf_at + 1);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (duo.ends[i].state, ==, ICE_STATE_COMPLETED);
  duo_clear (&duo);
}

static void
tell_options (Duo *duo, guint from_end, IceBytes packet)
{
  guint *n_nominating = duo->user;
  IceStunMessage message;

  if (!ice_stun_message_parse (&message, packet) ||
      message.klass != ICE_STUN_REQUEST ||
      !ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE))
    return;
  if ((*n_nominating)++ == 0)
    ice_core_set_remote_options (duo->ends[from_end].core, OPTIONS, duo->now);
}

/* The peer's options come, line by line, while the answer to a nomination
 * without a value is on its way. */
static void
test_late_options (void)
{
  guint n_nominating = 0;
  Duo duo;

  duo_init (&duo, 1);
  duo.user = &n_nominating;
  duo.watch = tell_options;
  duo_start (&duo, OPTIONS & ~ICE_OPTION_RENOMINATION);
  duo_run_for (&duo, 5 * ICE_SECOND);
  g_assert_cmpuint (n_nominating, >=, 1);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_COMPLETED);
  duo_clear (&duo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ice-renomination/3/lost-nomination", test_lost_nomination);
  g_test_add_func ("/ice-renomination/4/lost-answers", test_lost_answers);
  g_test_add_func ("/ice-renomination/4/late-options", test_late_options);
  return g_test_run ();
}
