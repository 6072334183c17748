/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection that is lost just when its pair is being nominated. */
#include "tcp-lab.h"

typedef struct
{
  IceTcpPolicy policies[2];
  guint n_reset;
} Row;

static const Row rows[] = {
  { { ICE_TCP_ACTIVE, ICE_TCP_PASSIVE }, 1 },
  { { ICE_TCP_PASSIVE, ICE_TCP_ACTIVE }, 1 },
  { { ICE_TCP_ALL, ICE_TCP_ALL }, 1 },
  { { ICE_TCP_ACTIVE, ICE_TCP_PASSIVE }, 3 },
  { { ICE_TCP_ALL, ICE_TCP_ALL }, 3 },
};

/* RFC 8445 8.1.1: what is nominated is a pair of the valid list. One whose
 * connection has to be opened again (RFC 6544 7.1) is not: another packet
 * filter may be in the way this time. It is checked anew, then nominated. */
static void
test_lost_while_nominated (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Lab lab;

    g_test_message ("row %u", i);
    lab_init (&lab, rows[i].policies[0], rows[i].policies[1]);
    lab.spare = TRUE;
    lab.n_reset = rows[i].n_reset;
    lab_start (&lab);
    lab_run_for (&lab, 8 * ICE_SECOND);
    g_assert_cmpuint (lab.n_reset, ==, 0);
    g_assert_cmpuint (lab.hosts[0].n_hasty, ==, 0);
    lab_assert_call (&lab);
    lab_clear (&lab);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/rfc8445/8.1.1/tcp-lost-while-nominated", test_lost_while_nominated);
  return g_test_run ();
}
