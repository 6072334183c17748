/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8899: what a path takes, and how few packets that takes. First the search
 * alone, then two cores. */
#include "duo.h"

#include "gst/ice/core/ice/mtu.h"

typedef struct
{
  IceMtu mtu;
  IceTime now, rtt;
  guint path;   /* what it takes; 0: the peer does not answer */
  guint n_lost; /* so many of the next are lost whatever their size */
  guint n_sent;
  IceTime answer_at;
  guint answer_size; /* 0: none under way */
} Fixture;

static void
set_up (Fixture *f, guint path)
{
  *f = (Fixture){ .now = 100 * ICE_SECOND, .rtt = 20 * ICE_MSEC, .path = path };
  ice_mtu_start (&f->mtu, 1, f->rtt, f->now);
}

static void
send_probes (Fixture *f)
{
  guint size;

  while ((size = ice_mtu_timeout (&f->mtu, f->now)) > 0) {
    f->n_sent++;
    g_assert_cmpuint (size, <=, 1500);
    if (f->n_lost > 0) {
      f->n_lost--;
    } else if (size <= f->path) {
      f->answer_at = f->now + f->rtt;
      f->answer_size = size;
    }
  }
  g_assert_cmpint (ice_mtu_deadline (&f->mtu), >, f->now);
}

static void
run_for (Fixture *f, IceTime time)
{
  const IceTime end = f->now + time;

  send_probes (f);
  for (;;) {
    const IceTime deadline = ice_mtu_deadline (&f->mtu);

    if (f->answer_size > 0 && f->answer_at <= MIN (deadline, end)) {
      const guint size = f->answer_size;

      f->now = f->answer_at;
      f->answer_size = 0;
      ice_mtu_answered (&f->mtu, size, f->now);
    } else if (deadline <= end) {
      f->now = deadline;
    } else {
      break;
    }
    send_probes (f);
  }
  f->now = end;
}

/* RFC 8899 5.3: one packet where the path is an Ethernet's. */
static void
test_ethernet (void)
{
  Fixture f;

  set_up (&f, 1500);
  run_for (&f, ICE_SECOND);
  g_assert_cmpuint (f.mtu.mtu, ==, 1500);
  g_assert_cmpuint (f.n_sent, ==, 1);
}

/* A black hole tells nothing: RFC 8899 4.3. */
static void
test_black_holes (void)
{
  static const guint rows[][2] = { { 1499, 1492 }, { 1492, 1492 },
    { 1491, 1480 }, { 1450, 1440 }, { 1420, 1420 }, { 1400, 1400 },
    { 1399, 1360 }, { 1300, 1280 }, { 1280, 1280 }, { 1279, 1200 },
    { 1200, 1200 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Fixture f;

    set_up (&f, rows[i][0]);
    run_for (&f, 20 * ICE_SECOND);
    g_assert_cmpuint (f.mtu.mtu, ==, rows[i][1]);
    g_assert_cmpuint (f.n_sent, <=, 15);
  }
}

/* Who does not answer such requests leaves us where we were. */
static void
test_no_answer (void)
{
  Fixture f;

  set_up (&f, 0);
  run_for (&f, 60 * ICE_SECOND);
  g_assert_cmpuint (f.mtu.mtu, ==, 0);
  g_assert_cmpuint (f.n_sent, <=, 15);
}

/* RFC 8899 5.1.2: MAX_PROBES; two packets in a row may be lost by chance. */
static void
test_loss (void)
{
  Fixture f;

  set_up (&f, 1500);
  f.n_lost = 2;
  run_for (&f, 4 * ICE_SECOND);
  g_assert_cmpuint (f.mtu.mtu, ==, 1500);
  g_assert_cmpuint (f.n_sent, ==, 3);
}

/* RFC 8899 5.1.1: PMTU_RAISE_TIMER, and paths that became smaller. */
static void
test_raise (void)
{
  Fixture f;

  set_up (&f, 1400);
  run_for (&f, 20 * ICE_SECOND);
  g_assert_cmpuint (f.mtu.mtu, ==, 1400);
  f.path = 1500;
  run_for (&f, 570 * ICE_SECOND);
  g_assert_cmpuint (f.mtu.mtu, ==, 1400);
  run_for (&f, 40 * ICE_SECOND);
  g_assert_cmpuint (f.mtu.mtu, ==, 1500);
  f.path = 1280;
  run_for (&f, 620 * ICE_SECOND);
  g_assert_cmpuint (f.mtu.mtu, ==, 1280);
}

/* An answer that nobody waits for any more, or that nobody asked for. */
static void
test_strange_answers (void)
{
  Fixture f;

  set_up (&f, 0);
  ice_mtu_answered (&f.mtu, 9000, f.now);
  ice_mtu_answered (&f.mtu, 0, f.now);
  run_for (&f, 3200 * ICE_MSEC); /* 1500 was given up */
  ice_mtu_answered (&f.mtu, 1500, f.now);
  g_assert_cmpuint (f.mtu.mtu, ==, 1500);
  ice_mtu_stop (&f.mtu);
  ice_mtu_answered (&f.mtu, 1280, f.now);
  g_assert_cmpuint (ice_mtu_timeout (&f.mtu, f.now + ICE_SECOND), ==, 0);
  g_assert_cmpint (ice_mtu_deadline (&f.mtu), ==, ICE_TIME_NEVER);
}

/* Two cores */

#define LARGE 1000

typedef struct
{
  guint n_large[2]; /* packets by end */
  gsize sizes[2];   /* of the last one */
} Seen;

static void
watch (Duo *duo, guint from_end, IceBytes packet)
{
  Seen *seen = duo->user;
  IceStunMessage message;

  if (packet.size < LARGE)
    return;
  seen->n_large[from_end]++;
  seen->sizes[from_end] = packet.size;
  /* A check like any other one: what everybody knows, and signed. */
  g_assert_true (ice_stun_message_parse (&message, packet));
  g_assert_cmpuint (message.klass, ==, ICE_STUN_REQUEST);
  g_assert_true (ice_stun_message_has (&message, ICE_STUN_USERNAME));
  g_assert_true (ice_stun_message_has (&message, ICE_STUN_SOFTWARE));
  g_assert_cmpuint (message.integrity, >, 0);
  g_assert_cmpuint (message.fingerprint, >, 0);
}

static void
test_session (void)
{
  Seen seen = { { 0 } };
  Duo duo;

  duo_init (&duo, 1);
  duo.watch = watch;
  duo.user = &seen;
  ice_core_set_mtu_probing (duo.ends[0].core, TRUE);
  duo_start (&duo, 0);
  duo_run_for (&duo, 5 * ICE_SECOND);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  /* Once, by who was told to, and of exactly an Ethernet's size. */
  g_assert_cmpuint (seen.n_large[0], ==, 1);
  g_assert_cmpuint (seen.sizes[0], ==, 1500 - 20 - 8);
  g_assert_cmpuint (seen.n_large[1], ==, 0);
  duo_run_for (&duo, 600 * ICE_SECOND);
  g_assert_cmpuint (seen.n_large[0], ==, 2);
  ice_core_set_mtu_probing (duo.ends[0].core, FALSE);
  duo_run_for (&duo, 1200 * ICE_SECOND);
  g_assert_cmpuint (seen.n_large[0], ==, 2);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  duo_clear (&duo);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8899/5.3/ethernet", test_ethernet);
  g_test_add_func ("/rfc8899/4.3/black-holes", test_black_holes);
  g_test_add_func ("/rfc8899/5.2/no-answer", test_no_answer);
  g_test_add_func ("/rfc8899/5.1.2/loss", test_loss);
  g_test_add_func ("/rfc8899/5.1.1/raise-timer", test_raise);
  g_test_add_func ("/rfc8899/5.2/strange-answers", test_strange_answers);
  g_test_add_func ("/rfc8899/6.2/padded-checks", test_session);
  return g_test_run ();
}
