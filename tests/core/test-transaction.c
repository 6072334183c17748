/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/core/stun/builder.h"
#include "gst/ice/core/stun/transaction.h"

#include <string.h>

static const guint8 id[ICE_STUN_ID_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  12 };

/* Clocks start where their owner likes. */
static const IceTime starts[] = { 0, 1, 1000 * ICE_SECOND,
  (IceTime) G_MAXINT32 *ICE_MSEC - 5 * ICE_SECOND,
  (IceTime) G_MAXUINT32 *ICE_MSEC - 1 };

static IcePacket *
make_request (void)
{
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  return ice_stun_builder_end (&builder);
}

/* RFC 8489 6.2.1: "requests will be sent at times 0 ms, 500 ms, 1500 ms,
 * 3500 ms, 7500 ms, 15500 ms, and 31500 ms"; "will fail after 39500 ms". */
static void
test_schedule (void)
{
  static const gint at[] = { 1, 3, 7, 15, 31, 63 };
  static const gint rtos[] = { 500, 700, 3000 };
  guint i, j, s;

  for (s = 0; s < G_N_ELEMENTS (starts); s++)
    for (j = 0; j < G_N_ELEMENTS (rtos); j++) {
      IceTransaction self = { 0 };
      IceTime rto = rtos[j] * ICE_MSEC, deadline;

      ice_transaction_start (&self, make_request (), rto, FALSE, starts[s]);
      for (i = 0; i < G_N_ELEMENTS (at); i++) {
        deadline = ice_transaction_deadline (&self);
        g_assert_cmpint (deadline, ==, starts[s] + at[i] * rto);
        g_assert_cmpint (ice_transaction_timeout (&self, deadline - 1), ==,
            ICE_TRANSACTION_IDLE);
        g_assert_cmpint (ice_transaction_timeout (&self, deadline), ==,
            ICE_TRANSACTION_SEND);
        g_assert_cmpint (ice_transaction_timeout (&self, deadline), ==,
            ICE_TRANSACTION_IDLE);
        g_assert_cmpuint (self.n_sent, ==, i + 2);
      }
      deadline = ice_transaction_deadline (&self);
      g_assert_cmpint (deadline, ==, starts[s] + 79 * rto);
      g_assert_cmpint (ice_transaction_timeout (&self, deadline - 1), ==,
          ICE_TRANSACTION_IDLE);
      /* An answer at the last moment still counts. */
      g_assert_true (ice_transaction_matches (&self, id));
      g_assert_cmpint (ice_transaction_timeout (&self, deadline), ==,
          ICE_TRANSACTION_TIMED_OUT);
      g_assert_false (ice_transaction_is_active (&self));
      g_assert_cmpint (ice_transaction_deadline (&self), ==, ICE_TIME_NEVER);
    }
}

/* RFC 8445 14.3 */
static void
test_least_rto (void)
{
  IceTransaction self = { 0 };

  ice_transaction_start (&self, make_request (), 0, FALSE, 0);
  g_assert_cmpint (ice_transaction_deadline (&self), ==, ICE_STUN_RTO_MIN);
  ice_transaction_clear (&self);
}

/* After a suspend one resend, not a burst, and time left to answer it. */
static void
test_late (void)
{
  IceTransaction self = { 0 };
  IceTime now = 3600 * ICE_SECOND;
  guint n = 0;

  ice_transaction_start (&self, make_request (), 500 * ICE_MSEC, FALSE, 0);
  while (ice_transaction_timeout (&self, now) == ICE_TRANSACTION_SEND)
    n++;
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpint (ice_transaction_deadline (&self), ==, now + ICE_SECOND);

  while (ice_transaction_is_active (&self)) {
    now = ice_transaction_deadline (&self) + 10 * ICE_SECOND;
    n += ice_transaction_timeout (&self, now) == ICE_TRANSACTION_SEND;
    /* Rm counts from the last one sent, however late. */
    if (n + 1 == ICE_STUN_RC && ice_transaction_is_active (&self))
      g_assert_cmpint (
          ice_transaction_deadline (&self), ==, now + 8 * ICE_SECOND);
  }
  g_assert_cmpuint (n + 1, ==, ICE_STUN_RC);
}

/* RFC 8445 7.2.1.4: a cancelled one is not resent and not given up early. */
static void
test_cancelled (void)
{
  IceTransaction self = { 0 };

  ice_transaction_start (&self, make_request (), 500 * ICE_MSEC, FALSE, 0);
  g_assert_cmpint (ice_transaction_timeout (&self, 500 * ICE_MSEC), ==,
      ICE_TRANSACTION_SEND);
  self.retransmit = FALSE;
  g_assert_cmpint (ice_transaction_deadline (&self), ==, 39500 * ICE_MSEC);
  g_assert_cmpint (ice_transaction_timeout (&self, 39499 * ICE_MSEC), ==,
      ICE_TRANSACTION_IDLE);
  g_assert_true (ice_transaction_matches (&self, id));
  g_assert_cmpint (ice_transaction_timeout (&self, 39500 * ICE_MSEC), ==,
      ICE_TRANSACTION_TIMED_OUT);
}

/* RFC 8489 6.2.2: Ti is 39.5 s. */
static void
test_reliable (void)
{
  IceTransaction self = { 0 };

  ice_transaction_start (&self, make_request (), 3 * ICE_SECOND, TRUE, 7);
  g_assert_cmpint (ice_transaction_deadline (&self), ==, 7 + 39500 * ICE_MSEC);
  g_assert_cmpint (ice_transaction_timeout (&self, 7 + 39499 * ICE_MSEC), ==,
      ICE_TRANSACTION_IDLE);
  g_assert_cmpint (ice_transaction_timeout (&self, 7 + 39500 * ICE_MSEC), ==,
      ICE_TRANSACTION_TIMED_OUT);
}

static void
test_once (void)
{
  IceTransaction self = { 0 };

  ice_transaction_start_once (&self, make_request (), ICE_SECOND, 5);
  g_assert_cmpint (ice_transaction_deadline (&self), ==, 5 + ICE_SECOND);
  g_assert_cmpint (
      ice_transaction_timeout (&self, ICE_SECOND), ==, ICE_TRANSACTION_IDLE);
  g_assert_cmpint (ice_transaction_timeout (&self, 5 + ICE_SECOND), ==,
      ICE_TRANSACTION_TIMED_OUT);
}

static void
test_identity (void)
{
  IceTransaction self = { 0 };
  guint i;

  g_assert_false (ice_transaction_is_active (&self));
  g_assert_false (ice_transaction_matches (&self, self.id));
  g_assert_cmpint (ice_transaction_deadline (&self), ==, ICE_TIME_NEVER);
  g_assert_cmpint (ice_transaction_timeout (&self, G_MAXINT64 - 1), ==,
      ICE_TRANSACTION_IDLE);

  ice_transaction_start (&self, make_request (), 0, FALSE, 0);
  /* A second start forgets the first. */
  ice_transaction_start (&self, make_request (), 0, FALSE, 0);
  g_assert_true (ice_transaction_matches (&self, id));
  for (i = 0; i < ICE_STUN_ID_SIZE; i++) {
    guint8 other[ICE_STUN_ID_SIZE];

    memcpy (other, id, sizeof (id));
    other[i] ^= 1;
    g_assert_false (ice_transaction_matches (&self, other));
  }
  ice_transaction_clear (&self);
  g_assert_false (ice_transaction_matches (&self, id));
  ice_transaction_clear (&self);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transaction/schedule", test_schedule);
  g_test_add_func ("/transaction/least-rto", test_least_rto);
  g_test_add_func ("/transaction/late", test_late);
  g_test_add_func ("/transaction/cancelled", test_cancelled);
  g_test_add_func ("/transaction/reliable", test_reliable);
  g_test_add_func ("/transaction/once", test_once);
  g_test_add_func ("/transaction/identity", test_identity);
  return g_test_run ();
}
