/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does the time of a comparison tell how much of a MAC is right? Two classes of
 * input, in an order that dice decide, and Welch's t of their times: beyond
 * 4.5 they differ. By hand and on a quiet machine:
 *
 *   bench-timing [SAMPLES]
 */
#include "gst/ice/base/crypto.h"
#include "gst/ice/core/stun/builder.h"
#include "gst/ice/core/stun/integrity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define T_MAX 4.5
#define REPEAT 16
/* What an interrupt made long says nothing. */
#define CROP 0.9

/* Both classes are read from one place, so that its alignment is no clue. */
typedef struct
{
  const gchar *name;
  gsize size;
  void (*run) (void);
  guint8 inputs[2][128]; /* wrong in the first byte, in the last */
} Trial;

static guint8 secret[32], probe[128];
static gsize probe_size;
static IceStunKey *key;

static void
compare (void)
{
  ice_secret_equal (
      ICE_BYTES (secret, sizeof secret), ICE_BYTES (probe, sizeof secret));
}

static void
verify (void)
{
  IceStunMessage message;

  if (ice_stun_message_parse (&message, ICE_BYTES (probe, probe_size)))
    ice_stun_message_verify (&message, key, ICE_STUN_INTEGRITY_SHA1);
}

static gint64
nanoseconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static gint
compare_values (gconstpointer a, gconstpointer b)
{
  gdouble x = *(const gdouble *) a, y = *(const gdouble *) b;

  return (x > y) - (x < y);
}

static void
get_moments (GArray *times, gdouble *ret_mean, gdouble *ret_error)
{
  guint n = (guint) (times->len * CROP);
  gdouble sum = 0, squares = 0;

  g_array_sort (times, compare_values);
  for (guint i = 0; i < n; i++)
    sum += g_array_index (times, gdouble, i);
  *ret_mean = sum / n;
  for (guint i = 0; i < n; i++) {
    gdouble off = g_array_index (times, gdouble, i) - *ret_mean;

    squares += off * off;
  }
  *ret_error = squares / (n - 1.0) / n;
}

static gboolean
measure (const Trial *trial, guint n_samples)
{
  GArray *times[2];
  gdouble mean[2], error[2], t;

  for (guint i = 0; i < 2; i++)
    times[i] = g_array_new (FALSE, FALSE, sizeof (gdouble));
  for (guint i = 0; i < n_samples; i++) {
    guint klass = g_random_boolean ();
    gdouble took;
    gint64 begin;

    memcpy (probe, trial->inputs[klass], sizeof probe);
    probe_size = trial->size;
    begin = nanoseconds ();
    for (guint j = 0; j < REPEAT; j++)
      trial->run ();
    took = (gdouble) (nanoseconds () - begin) / REPEAT;
    g_array_append_val (times[klass], took);
  }
  for (guint i = 0; i < 2; i++)
    get_moments (times[i], &mean[i], &error[i]);
  t = (mean[0] - mean[1]) / sqrt (error[0] + error[1]);
  g_print ("%s: first byte wrong %.2f ns, last byte wrong %.2f ns, t = %.2f\n",
      trial->name, mean[0], mean[1], t);
  for (guint i = 0; i < 2; i++)
    g_array_unref (times[i]);
  return fabs (t) < T_MAX;
}

static void
set_up (Trial *trials)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 't', 'i', 'm', 'e' };
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;

  ice_random_bytes (secret, sizeof secret);
  key = ice_stun_key_new_short_term ("anypasswordof24characters");
  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, "ours:theirs");
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  packet = ice_stun_builder_end (&builder);
  for (guint i = 0; i < 2; i++) {
    memcpy (trials[0].inputs[i], secret, sizeof secret);
    trials[0].inputs[i][i ? sizeof secret - 1 : 0] ^= 1;
    trials[1].size = packet->size;
    memcpy (trials[1].inputs[i], packet->data, packet->size);
    trials[1].inputs[i][packet->size - (i ? 1 : 20)] ^= 1;
  }
}

int
main (int argc, char **argv)
{
  Trial trials[] = { { "ice_secret_equal", sizeof secret, compare, { { 0 } } },
    { "ice_stun_message_verify", 0, verify, { { 0 } } } };
  guint n_samples = argc > 1 ? (guint) strtoul (argv[1], NULL, 10) : 1000000;
  gboolean good = TRUE;

  set_up (trials);
  for (guint i = 0; i < G_N_ELEMENTS (trials); i++)
    good &= measure (&trials[i], n_samples);
  ice_stun_key_free (key);
  return good ? 0 : 1;
}
