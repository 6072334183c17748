/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/core/ice/consent.h"

typedef struct
{
  IceContext context;
  IceConsent consent;
  IceTime now, rtt;
  guint64 dice;
  guint n_checks, n_probes, n_keepalives;
  IceTime last_check_at, last_probe_at, least_gap, least_probe_gap;
  IceTime greatest_gap;
  IceTime disconnected_at, expired_at;
  /* The world: an answer comes after rtt when TRUE. */
  gboolean answers;
  guint n_lost;      /* so many requests are lost before one is answered */
  IceTime answer_at; /* 0: none under way */
  IceTime media_until, media_at, media_period;
} Fixture;

static void
roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  Fixture *f = user;

  for (gsize i = 0; i < size; i++) {
    f->dice = f->dice * 6364136223846793005u + 1442695040888963407u;
    ret_bytes[i] = f->dice >> 56;
  }
}

static void
set_up (Fixture *f, IceConsentMode mode)
{
  IceWorld world = { .random = roll, .user = f };

  *f = (Fixture){ .now = 100 * ICE_SECOND, .rtt = 20 * ICE_MSEC, .dice = 7 };
  f->least_gap = f->least_probe_gap = ICE_TIME_NEVER;
  f->answers = TRUE;
  ice_context_init (&f->context, &world);
  ice_consent_start (&f->consent, &f->context, mode, f->now, f->rtt, f->now);
}

static void
note (Fixture *f, IceConsentStep step)
{
  switch (step) {
    case ICE_CONSENT_SEND_CHECK:
      f->n_checks++;
      if (f->last_check_at) {
        f->least_gap = MIN (f->least_gap, f->now - f->last_check_at);
        f->greatest_gap = MAX (f->greatest_gap, f->now - f->last_check_at);
      }
      f->last_check_at = f->now;
      break;
    case ICE_CONSENT_SEND_PROBE:
      f->n_probes++;
      f->least_probe_gap = MIN (f->least_probe_gap,
          f->now - MAX (f->last_probe_at, f->last_check_at));
      f->last_probe_at = f->now;
      break;
    case ICE_CONSENT_SEND_KEEPALIVE:
      f->n_keepalives++;
      return;
    case ICE_CONSENT_EXPIRED:
      f->expired_at = f->now;
      return;
    case ICE_CONSENT_IDLE:
      return;
  }
  if (f->n_lost > 0)
    f->n_lost--;
  else if (f->answers && f->answer_at == 0)
    f->answer_at = f->now + f->rtt;
}

static void
run_until (Fixture *f, IceTime until)
{
  for (;;) {
    IceTime next = ice_consent_deadline (&f->consent);
    IceConsentStep step;

    if (f->answer_at)
      next = MIN (next, f->answer_at);
    if (next > until || next == ICE_TIME_NEVER)
      break;
    f->now = MAX (f->now, next);
    if (f->answer_at && f->now >= f->answer_at) {
      f->answer_at = 0;
      ice_consent_answered (&f->consent, f->rtt, f->now);
    }
    if (f->media_period)
      ice_consent_media (&f->consent,
          MIN (f->media_until, f->now - f->now % f->media_period), 0);
    do {
      step = ice_consent_timeout (&f->consent, &f->context, f->now);
      note (f, step);
    } while (step != ICE_CONSENT_IDLE && step != ICE_CONSENT_EXPIRED);
    if (f->consent.disconnected && f->disconnected_at == 0)
      f->disconnected_at = f->now;
    g_assert_cmpint (ice_consent_deadline (&f->consent), >, f->now);
  }
  f->now = MAX (f->now, until);
}

/* RFC 7675 5.1: consent is of 30 s, whenever the pair was selected. One that
 * answered 24 s ago is asked at once, and not when it is too late. */
static void
test_old_grant (void)
{
  Fixture f;

  for (guint seed = 1; seed < 50; seed++) {
    set_up (&f, ICE_CONSENT_CHECKS);
    f.dice = seed;
    f.rtt = 100 * ICE_MSEC;
    f.n_lost = 2;
    ice_consent_start (&f.consent, &f.context, ICE_CONSENT_CHECKS,
        f.now - 24 * ICE_SECOND, f.rtt, f.now);
    run_until (&f, f.now + 60 * ICE_SECOND);
    g_assert_cmpint (f.expired_at, ==, 0);
    g_assert_false (f.consent.disconnected);
    g_assert_cmpuint (f.n_checks, <=, 16);
    ice_context_clear (&f.context);
  }
  /* And one that answered just now is not asked again before it is time. */
  set_up (&f, ICE_CONSENT_CHECKS);
  run_until (&f, f.now + 4 * ICE_SECOND - 1);
  g_assert_cmpuint (f.n_checks, ==, 0);
  ice_context_clear (&f.context);
}

/* RFC 7675 5.1: 4 to 6 s apart, for ever while answered. */
static void
test_interval (void)
{
  Fixture f;

  set_up (&f, ICE_CONSENT_CHECKS);
  run_until (&f, f.now + 3600 * ICE_SECOND);
  g_assert_cmpint (f.least_gap, >=, 4 * ICE_SECOND);
  g_assert_cmpint (f.greatest_gap, <=, 6 * ICE_SECOND);
  g_assert_cmpint (f.greatest_gap - f.least_gap, >, 1 * ICE_SECOND);
  g_assert_cmpuint (f.n_checks, >, 3600 / 6);
  g_assert_cmpuint (f.n_probes, ==, 0);
  g_assert_cmpint (f.disconnected_at, ==, 0);
  ice_context_clear (&f.context);
}

/* Expiry 30 s after the last answer, whenever it dies; design 9.3: told as
 * disconnected within 7 s. */
static void
test_expiry (void)
{
  for (guint i = 0; i < 100; i++) {
    Fixture f;
    IceTime died_at, granted_at;

    set_up (&f, ICE_CONSENT_CHECKS);
    f.dice = i;
    died_at = f.now + 60 * ICE_SECOND + i * 100 * ICE_MSEC;
    run_until (&f, died_at);
    f.answers = FALSE;
    f.answer_at = 0;
    granted_at = f.consent.granted_at;
    run_until (&f, died_at + 60 * ICE_SECOND);
    g_assert_cmpint (f.expired_at, ==, granted_at + 30 * ICE_SECOND);
    g_assert_cmpint (f.disconnected_at - died_at, <=, 7 * ICE_SECOND);
    g_assert_cmpuint (f.n_probes, ==, 7);
    g_assert_cmpint (f.least_probe_gap, >=, 500 * ICE_MSEC);
    g_assert_cmpint (f.least_gap, >=, 4 * ICE_SECOND);
    g_assert_cmpint (ice_consent_deadline (&f.consent), ==, ICE_TIME_NEVER);
    ice_context_clear (&f.context);
  }
}

/* Design 9.3: 1.5 s after media stopped. */
static void
test_media_stops (void)
{
  for (guint i = 0; i < 100; i++) {
    Fixture f;

    set_up (&f, ICE_CONSENT_CHECKS);
    f.dice = i;
    f.media_period = 20 * ICE_MSEC;
    f.media_until = f.now + 20 * ICE_SECOND + i * 77 * ICE_MSEC;
    run_until (&f, f.media_until);
    g_assert_cmpuint (f.n_probes, ==, 0);
    f.answers = FALSE;
    f.answer_at = 0;
    run_until (&f, f.media_until + 5 * ICE_SECOND);
    g_assert_cmpint (f.disconnected_at, >, 0);
    g_assert_cmpint (f.disconnected_at - f.media_until, <=, 1500 * ICE_MSEC);
    ice_context_clear (&f.context);
  }
}

/* The peer merely pauses: one probe, answered, and no more. */
static void
test_media_pauses (void)
{
  Fixture f;

  set_up (&f, ICE_CONSENT_CHECKS);
  f.media_period = 20 * ICE_MSEC;
  f.media_until = f.now + 10 * ICE_SECOND;
  run_until (&f, f.media_until + 20 * ICE_SECOND);
  g_assert_cmpuint (f.n_probes, ==, 1);
  g_assert_cmpint (f.disconnected_at, ==, 0);
  ice_context_clear (&f.context);
}

/* Slow media, as RTCP alone, is no flow that could stop. */
static void
test_slow_media (void)
{
  Fixture f;

  set_up (&f, ICE_CONSENT_CHECKS);
  f.media_period = 5 * ICE_SECOND;
  f.media_until = ICE_TIME_NEVER;
  run_until (&f, f.now + 300 * ICE_SECOND);
  g_assert_cmpuint (f.n_probes, ==, 0);
  ice_context_clear (&f.context);
}

/* security.md G8: media comes but no answers: told within 8 s, stopped at
 * 30 s. */
static void
test_media_without_answers (void)
{
  Fixture f;
  IceTime died_at;

  set_up (&f, ICE_CONSENT_CHECKS);
  f.media_period = 20 * ICE_MSEC;
  f.media_until = ICE_TIME_NEVER;
  died_at = f.now;
  f.answers = FALSE;
  run_until (&f, died_at + 60 * ICE_SECOND);
  g_assert_cmpint (f.disconnected_at - died_at, <=, 8 * ICE_SECOND);
  g_assert_cmpint (f.expired_at - died_at, ==, 30 * ICE_SECOND);
  g_assert_cmpuint (f.n_probes, ==, 7);
  ice_context_clear (&f.context);
}

/* After an outage the first sign of life brings a probe, and its answer the
 * connection. */
static void
test_recovery (void)
{
  Fixture f;
  IceTime back_at;

  set_up (&f, ICE_CONSENT_CHECKS);
  f.answers = FALSE;
  run_until (&f, f.now + 22 * ICE_SECOND);
  g_assert_true (f.consent.disconnected);
  g_assert_cmpuint (f.n_probes, ==, 7);
  f.answers = TRUE;
  back_at = f.now;
  ice_consent_heard (&f.consent, f.now);
  run_until (&f, f.now + 1 * ICE_SECOND);
  g_assert_false (f.consent.disconnected);
  g_assert_cmpint (f.consent.granted_at - back_at, <=, 600 * ICE_MSEC);
  ice_context_clear (&f.context);
}

/* The same with three requests lost on a bad link, late in consent's life: a
 * silence that ends is a doubt of its own, with all its probes. */
static void
test_lossy_recovery (void)
{
  Fixture f;
  IceTime begin;

  set_up (&f, ICE_CONSENT_CHECKS);
  begin = f.now;
  f.answers = FALSE;
  run_until (&f, begin + 26 * ICE_SECOND);
  g_assert_cmpuint (f.n_probes, ==, 7);
  f.answers = TRUE;
  f.n_lost = 3;
  f.least_probe_gap = ICE_TIME_NEVER;
  /* Media leaves all the time: that is not asking. */
  ice_consent_media (&f.consent, f.now, f.now);
  run_until (&f, begin + 29 * ICE_SECOND);
  g_assert_false (f.consent.disconnected);
  g_assert_cmpint (f.consent.granted_at, >, begin + 26 * ICE_SECOND);
  g_assert_cmpint (f.least_probe_gap, >=, 500 * ICE_MSEC);
  run_until (&f, begin + 60 * ICE_SECOND);
  g_assert_cmpint (f.expired_at, ==, 0);
  ice_context_clear (&f.context);
}

/* Heard for a moment again and again: never more than two probes a second. */
static void
test_flapping (void)
{
  Fixture f;

  set_up (&f, ICE_CONSENT_CHECKS);
  f.answers = FALSE;
  for (guint i = 0; i < 25; i++) {
    run_until (&f, f.now + 1100 * ICE_MSEC);
    ice_consent_heard (&f.consent, f.now);
  }
  g_assert_cmpint (f.least_probe_gap, >=, 500 * ICE_MSEC);
  g_assert_cmpuint (f.n_probes, <=, 2 * 28);
  run_until (&f, f.now + 5 * ICE_SECOND);
  g_assert_cmpint (f.expired_at, >, 0);
  ice_context_clear (&f.context);
}

/* RFC 7675 5.2. */
static void
test_revoke (void)
{
  Fixture f;

  set_up (&f, ICE_CONSENT_CHECKS);
  run_until (&f, f.now + 7 * ICE_SECOND);
  ice_consent_revoke (&f.consent);
  g_assert_cmpint (ice_consent_timeout (&f.consent, &f.context, f.now), ==,
      ICE_CONSENT_EXPIRED);
  ice_context_clear (&f.context);
}

/* RFC 8445 11: Tr is 15 s, counted from the last packet out. */
static void
test_keepalive (void)
{
  Fixture f;
  IceTime begin;

  set_up (&f, ICE_CONSENT_KEEPALIVE);
  begin = f.now;
  run_until (&f, begin + 151 * ICE_SECOND);
  g_assert_cmpuint (f.n_keepalives, ==, 10);
  ice_consent_media (&f.consent, 0, f.now);
  run_until (&f, f.now + 14 * ICE_SECOND);
  g_assert_cmpuint (f.n_keepalives, ==, 10);
  run_until (&f, f.now + 1 * ICE_SECOND);
  g_assert_cmpuint (f.n_keepalives, ==, 11);
  ice_context_clear (&f.context);
}

/* A suspended machine wakes up: consent is gone at once (security.md N18). */
static void
test_suspend (void)
{
  Fixture f;

  set_up (&f, ICE_CONSENT_CHECKS);
  run_until (&f, f.now + 12 * ICE_SECOND);
  f.now += 3600 * ICE_SECOND;
  g_assert_cmpint (ice_consent_timeout (&f.consent, &f.context, f.now), ==,
      ICE_CONSENT_EXPIRED);
  ice_context_clear (&f.context);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc7675/5.1/old-grant", test_old_grant);
  g_test_add_func ("/consent/interval", test_interval);
  g_test_add_func ("/consent/expiry", test_expiry);
  g_test_add_func ("/consent/media-stops", test_media_stops);
  g_test_add_func ("/consent/media-pauses", test_media_pauses);
  g_test_add_func ("/consent/slow-media", test_slow_media);
  g_test_add_func (
      "/consent/media-without-answers", test_media_without_answers);
  g_test_add_func ("/consent/recovery", test_recovery);
  g_test_add_func ("/consent/lossy-recovery", test_lossy_recovery);
  g_test_add_func ("/consent/flapping", test_flapping);
  g_test_add_func ("/consent/revoke", test_revoke);
  g_test_add_func ("/consent/keepalive", test_keepalive);
  g_test_add_func ("/consent/suspend", test_suspend);
  return g_test_run ();
}
