/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a call takes it gives back: memory, file descriptors, threads. A
 * connected pair of pipelines goes up and down, GST_ICE_CYCLES times:
 *
 *   GST_ICE_CYCLES=1000 meson test -C build elements_cycles -t 10 --verbose
 */
#include "half.h"
#include "tests/check/usage.h"

#define N_CYCLES 20
/* Thread pools, the pad templates of the first use, types: made once. */
#define N_WARM 10
/* What queues and tables keep for the next time; a leak of eight bytes in each
 * of a thousand cycles is more. */
#define MAX_GROWTH 8000

static void
cycle (Half *first, Half *second, Half *receiver)
{
  const gint before = half_n_buffers (receiver);

  half_connect (first, second);
  half_wait (first, second, half_n_buffers (receiver) > before);
  half_set_state (first, GST_STATE_NULL);
  half_set_state (second, GST_STATE_NULL);
  half_look (first);
  half_look (second);
  g_ptr_array_set_size (first->messages, 0);
  g_ptr_array_set_size (second->messages, 0);
}

static void
run_cycles (Half *sender, Half *receiver, guint n)
{
  guint i;

  for (i = 0; i < n; i++)
    if (i % 2)
      cycle (sender, receiver, receiver);
    else
      cycle (receiver, sender, receiver);
}

static void
test_cycles (gconstpointer properties)
{
  const gchar *wanted = g_getenv ("GST_ICE_CYCLES");
  const guint n_cycles = wanted != NULL ? atoi (wanted) : N_CYCLES;
  const gchar *place = half_place ();
  g_autoptr (Half) sender = half_new (
      "audiotestsrc is-live=true samplesperbuffer=80 ! alawenc ! rtppcmapay ! "
      "icesink uri=ice+file://%s %s",
      place, (const gchar *) properties);
  g_autoptr (Half) receiver =
      half_new ("icesrc uri=ice+file://%s ! fakesink name=out", place);
  Usage before, after;
  gint64 started;

  run_cycles (sender, receiver, N_WARM);
  before = usage_at_rest (TRUE);
  started = g_get_monotonic_time ();
  run_cycles (sender, receiver, n_cycles);
  started = g_get_monotonic_time () - started;
  after = usage_at_rest (TRUE);

  usage_check (&before, &after, n_cycles, started, MAX_GROWTH);
}

int
main (int argc, char **argv)
{
  half_init (&argc, &argv);
  g_test_add_data_func ("/cycles/plain", "", test_cycles);
  /* A server that is asked in vain. */
  g_test_add_data_func (
      "/cycles/servers", "stun-server=stun:127.0.0.1:9", test_cycles);
  return half_run ();
}
