/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 5245's aggressive nomination as sender. */
#include "duo.h"
#include "harness.h"

#include "gst/ice/core/stun/message.h"

typedef struct
{
  guint n_with, n_without;
} Flags;

static void
count_flags (Duo *duo, guint from_end, IceBytes packet)
{
  Flags *flags = duo->user;
  IceStunMessage message;

  if (from_end != 0 || !ice_stun_message_parse (&message, packet) ||
      message.klass != ICE_STUN_REQUEST)
    return;
  if (ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE))
    flags->n_with++;
  else
    flags->n_without++;
}

/* RFC 5245 8.1.1.2: "in every connectivity check". No check is sent twice to
 * nominate, so the first round trip is enough. */
static void
test_every_check (void)
{
  Flags flags = { 0 };
  Duo duo;

  duo_init (&duo, 2);
  duo.user = &flags;
  duo.watch = count_flags;
  ice_core_set_aggressive (duo.ends[0].core, TRUE);
  duo_start (&duo, ICE_OPTION_TRICKLE);
  duo_run_for (&duo, 25 * ICE_MSEC);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_cmpuint (flags.n_with, >, 0);
  g_assert_cmpuint (flags.n_without, ==, 0);
  g_assert_true (duo_agrees (&duo));
  duo_clear (&duo);
}

/* Consent is asked for by checks: "every". */
static void
test_every_consent_check (void)
{
  Flags flags = { 0 };
  Duo duo;

  duo_init (&duo, 1);
  duo.user = &flags;
  duo.watch = count_flags;
  ice_core_set_aggressive (duo.ends[0].core, TRUE);
  duo_start (&duo, 0);
  duo_run_for (&duo, 60 * ICE_SECOND);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (flags.n_with, >, 8);
  g_assert_cmpuint (flags.n_without, ==, 0);
  duo_clear (&duo);
}

/* Only between the addresses 198.51.100.x. */
static gboolean
first_is_dead (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  IceAddress a = duo_address ("198.51.100.1", 0);
  IceAddress b = duo_address ("198.51.100.2", 0);

  return (ice_address_same_ip (from, &a) && ice_address_same_ip (to, &b)) ||
      (ice_address_same_ip (from, &b) && ice_address_same_ip (to, &a));
}

/* Each side took another of the pairs that were nominated (here the application
 * sees to it; a TURN server does that tells a wrong relayed address, for then a
 * relay looks like a reflexive candidate to the peer alone). The peer's dies:
 * it comes to ours, by the next check for consent, within seconds. */
static void
test_meet_again (void)
{
  Duo duo;
  DuoEnd *bob = &duo.ends[1];
  IceAddress from, to;

  duo_init (&duo, 2);
  ice_core_set_aggressive (duo.ends[0].core, TRUE);
  duo_start (&duo, 0);
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_true (duo_agrees (&duo));
  g_assert_true (duo_is_at (&duo, 1, "192.0.2.2"));
  from = bob->local;
  to = bob->remote;
  duo_clear (&duo);

  duo_init (&duo, 2);
  duo.path = first_is_dead;
  ice_core_set_aggressive (duo.ends[0].core, TRUE);
  duo_start (&duo, 0);
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_true (duo_is_at (&duo, 1, "198.51.100.2"));
  g_assert_cmpint (ice_core_set_selected_pair (
                       bob->core, bob->transport, &from, &to, duo.now),
      ==, ICE_VERDICT_OK);
  duo_run_for (&duo, 30 * ICE_SECOND);
  g_assert_true (duo_is_at (&duo, 1, "198.51.100.2"));
  g_assert_true (duo_agrees (&duo));
  g_assert_cmpint (bob->state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (bob->n_failed, ==, 0);
  duo_clear (&duo);
}

/* RFC 8445 10: a peer that says ice2 gets one nomination, after its check. */
static void
test_not_with_ice2 (void)
{
  static const guint options[] = { ICE_OPTION_ICE2,
    ICE_OPTION_ICE2 | ICE_OPTION_RENOMINATION, ICE_OPTION_RENOMINATION };

  for (guint i = 0; i < G_N_ELEMENTS (options); i++) {
    Flags flags = { 0 };
    Duo duo;

    duo_init (&duo, 1);
    duo.user = &flags;
    duo.watch = count_flags;
    ice_core_set_aggressive (duo.ends[0].core, TRUE);
    duo_start (&duo, options[i]);
    duo_run_for (&duo, 1 * ICE_SECOND);
    g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpuint (flags.n_with, ==, 1);
    g_assert_cmpuint (flags.n_without, >, 0);
    duo_clear (&duo);
  }
}

/* RFC 8445 7.1.2: the controlled side MUST NOT, whatever was set. */
static void
test_controlled_never (void)
{
  Flags flags = { 0 };
  Duo duo;

  duo_init (&duo, 1);
  duo.user = &flags;
  duo.watch = count_flags;
  ice_core_set_aggressive (duo.ends[0].core, TRUE);
  ice_core_set_controlling (duo.ends[0].core, FALSE);
  ice_core_set_controlling (duo.ends[1].core, TRUE);
  duo_start (&duo, 0);
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (flags.n_with, ==, 0);
  duo_clear (&duo);
}

/* 192.0.2.x is the best pair and the slowest. */
static gboolean
best_is_slow (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  IceAddress a = duo_address ("192.0.2.1", 0), b = duo_address ("192.0.2.2", 0);

  if ((ice_address_same_ip (from, &a) && ice_address_same_ip (to, &b)) ||
      (ice_address_same_ip (from, &b) && ice_address_same_ip (to, &a)))
    *ret_delay = 150 * ICE_MSEC;
  return TRUE;
}

/* RFC 5245 8.1.1.2: several pairs are nominated and the highest is used, by
 * both; then nothing changes any more (G5: no flap after 3 s). */
static void
test_highest_wins (void)
{
  Duo duo;
  guint changes[2];

  duo_init (&duo, 2);
  duo.path = best_is_slow;
  ice_core_set_aggressive (duo.ends[0].core, TRUE);
  duo_start (&duo, 0);
  duo_run_for (&duo, 100 * ICE_MSEC);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  g_assert_false (
      duo_is_at (&duo, 0, "192.0.2.1") && duo_is_at (&duo, 1, "192.0.2.2"));
  duo_run_for (&duo, 3 * ICE_SECOND);
  g_assert_true (duo_is_at (&duo, 0, "192.0.2.1"));
  g_assert_true (duo_is_at (&duo, 1, "192.0.2.2"));
  g_assert_true (duo_agrees (&duo));
  changes[0] = duo.ends[0].n_selected;
  changes[1] = duo.ends[1].n_selected;
  duo_run_for (&duo, 120 * ICE_SECOND);
  g_assert_cmpuint (duo.ends[0].n_selected, ==, changes[0]);
  g_assert_cmpuint (duo.ends[1].n_selected, ==, changes[1]);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  duo_clear (&duo);
}

/* One third of all packets is lost, by the dice of the test. */
static gboolean
a_third_is_lost (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  guint64 *dice = duo->user;

  *dice = *dice * 6364136223846793005u + 1442695040888963407u;
  *ret_delay = (5 + (*dice >> 33) % 100) * ICE_MSEC;
  return (*dice >> 40) % 3 != 0;
}

/* I1 of the notes: the same pair on both sides, whatever is lost. */
static void
test_converges (void)
{
  for (guint64 seed = 1; seed <= 60; seed++) {
    guint64 dice = seed * 2654435761u;
    Duo duo;

    duo_init (&duo, 3);
    duo.user = &dice;
    duo.path = a_third_is_lost;
    duo.dice = seed;
    ice_core_set_aggressive (duo.ends[0].core, TRUE);
    duo_start (&duo, 0);
    duo_run_for (&duo, 8 * ICE_SECOND);
    duo.path = NULL;
    duo_run_for (&duo, 20 * ICE_SECOND);
    if (!duo_agrees (&duo) || duo.ends[0].state != ICE_STATE_COMPLETED ||
        duo.ends[1].state != ICE_STATE_COMPLETED)
      g_error ("seed %" G_GUINT64_FORMAT ": no agreement", seed);
    duo_clear (&duo);
  }
}

/* Controls, and has concluded with 192.0.2.2:2, a reflexive candidate. */
static void
conclude (Harness *h, gboolean aggressive)
{
  harness_init (h, TRUE);
  ice_core_set_aggressive (h->core, aggressive);
  harness_gather (h);
  harness_credentials (h);
  harness_add_remote (h, ICE_CANDIDATE_SERVER_REFLEXIVE, "192.0.2.2", 2, "1");
  while (h->state != ICE_STATE_COMPLETED) {
    harness_run_for (h, 20 * ICE_MSEC);
    g_assert_true (harness_answer_next (h));
  }
  harness_forget_sent (h);
}

/* Whether a check from @port with @priority triggers one that is answered. */
static gboolean
is_triggered (Harness *h, guint16 port, guint32 priority)
{
  Check check = { .controlled = TRUE, .priority = priority };
  IceAddress from = addr ("192.0.2.2", port);
  gboolean triggered;

  harness_forget_sent (h);
  g_assert_cmpint (harness_check (h, &from, &check), ==, ICE_VERDICT_OK);
  harness_run_for (h, 20 * ICE_MSEC);
  triggered = harness_answer_next (h);
  harness_run_for (h, 20 * ICE_MSEC);
  return triggered;
}

/* RFC 5245 8.1.2: of a checklist that is completed the agent "MUST perform
 * triggered checks": the peer's NAT answered our nominating one from another
 * port, and to the peer the pair it checks is nominated. */
static void
test_triggered_when_completed (void)
{
  Harness h;

  conclude (&h, TRUE);
  g_assert_false (is_triggered (&h, 3, 1));
  g_assert_cmpuint (h.route_to.port, ==, 2);
  g_assert_true (is_triggered (&h, 1, 0x7fffffff));
  g_assert_cmpuint (h.route_to.port, ==, 1);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_false (is_triggered (&h, 2, 1));
  g_assert_cmpuint (h.route_to.port, ==, 1);
  harness_clear (&h);
  /* RFC 8445 8.1.1: one nomination, and no other. */
  conclude (&h, FALSE);
  g_assert_false (is_triggered (&h, 1, 0x7fffffff));
  g_assert_cmpuint (h.route_to.port, ==, 2);
  harness_clear (&h);
}

/* The next check that was sent goes to @port, and is answered. */
static void
answer_at (Harness *h, guint16 port, const IceAddress *mapped)
{
  IceStunMessage message;
  Sent *sent = harness_pop (h, ICE_STUN_REQUEST, &message);

  g_assert_nonnull (sent);
  g_assert_cmpuint (sent->to.port, ==, port);
  g_assert_cmpint (
      harness_answer_from (h, sent, &sent->to, mapped, 0, PEER_PWD), ==,
      ICE_VERDICT_OK);
  sent_free (sent);
}

/* The peer nominates 192.0.2.2:1 and :3; the first is the better pair as it is
 * checked, and the worse one with the address that the peer sees. */
static void
nominate_two (Harness *h, IceTime apart)
{
  Check checks[] = { { .use_candidate = TRUE, .priority = 120 << 24 },
    { .use_candidate = TRUE, .priority = 125 << 24 } };
  IceAddress first = addr ("192.0.2.2", 3), second = addr ("192.0.2.2", 1);
  IceAddress mapped = addr ("203.0.113.9", 9);

  harness_init (h, FALSE);
  harness_gather (h);
  harness_credentials (h);
  harness_check (h, &first, &checks[0]);
  harness_check (h, &second, &checks[1]);
  harness_run_for (h, 60 * ICE_MSEC);
  answer_at (h, 3, &h->host);
  harness_run_for (h, apart);
  answer_at (h, 1, &mapped);
  harness_run_for (h, 20 * ICE_MSEC);
  g_assert_cmpint (h->state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (h->route_to.port, ==, 3);
  harness_forget_sent (h);
}

/* RFC 5245 8.1.1.2: the highest of the valid pairs, which have the address that
 * the peer sees. What is still being checked goes on if it may become that, be
 * its priority lower than the nominated one's was when that was checked. */
static void
test_valid_pairs_compete (void)
{
  Check checks[] = { { .use_candidate = TRUE, .priority = 120 << 24 },
    { .use_candidate = TRUE, .priority = 125 << 24 } };
  IceAddress first = addr ("192.0.2.2", 3), second = addr ("192.0.2.2", 1);
  IceAddress mapped = addr ("203.0.113.9", 9);
  Sent *sent[2];
  Harness h;

  harness_init (&h, FALSE);
  harness_gather (&h);
  harness_credentials (&h);
  harness_check (&h, &second, &checks[1]);
  harness_check (&h, &first, &checks[0]);
  harness_run_for (&h, 60 * ICE_MSEC);
  for (guint i = 0; i < 2; i++) {
    IceStunMessage message;

    sent[i] = harness_pop (&h, ICE_STUN_REQUEST, &message);
    g_assert_nonnull (sent[i]);
  }
  g_assert_cmpuint (sent[0]->to.port, ==, 1);
  harness_answer_from (&h, sent[0], &sent[0]->to, &mapped, 0, PEER_PWD);
  g_assert_cmpuint (h.route_to.port, ==, 1);
  harness_answer_from (&h, sent[1], &sent[1]->to, &h.host, 0, PEER_PWD);
  g_assert_cmpuint (h.route_to.port, ==, 3);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  sent_free (sent[0]);
  sent_free (sent[1]);
  harness_clear (&h);
}

/* RFC 5245 8.1.1.2: the highest of the nominated pairs is used. When it falls
 * silent another is no better for having been nominated once: in an outage all
 * are silent, and the peer stays with the highest. Nor for having answered
 * last, for that was before. */
static void
check_silence (IceTime apart)
{
  Check check = { .use_candidate = TRUE, .priority = 125 << 24 };
  IceAddress second = addr ("192.0.2.2", 1);
  Harness h;

  nominate_two (&h, apart);
  harness_run_for (&h, 12 * ICE_SECOND);
  g_assert_cmpint (h.state, ==, ICE_STATE_DISCONNECTED);
  g_assert_cmpuint (h.route_to.port, ==, 3);
  /* The peer knows a way: once more, but what it says is looked at first. */
  harness_forget_sent (&h);
  harness_check (&h, &second, &check);
  g_assert_cmpuint (h.route_to.port, ==, 3);
  harness_run_for (&h, 20 * ICE_MSEC);
  while (harness_answer_next (&h))
    ;
  g_assert_cmpuint (h.route_to.port, ==, 1);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  harness_clear (&h);
}

static void
test_silence (void)
{
  check_silence (0);
  check_silence (100 * ICE_MSEC);
}

/* Off by default: RFC 8445 8.1.1 knows no other mode. */
static void
test_default_is_regular (void)
{
  Flags flags = { 0 };
  Duo duo;

  duo_init (&duo, 1);
  duo.user = &flags;
  duo.watch = count_flags;
  duo_start (&duo, 0);
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_cmpuint (flags.n_with, ==, 1);
  g_assert_cmpuint (flags.n_without, >, 0);
  duo_clear (&duo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc5245/8.1.1.2/every-check", test_every_check);
  g_test_add_func (
      "/rfc5245/8.1.1.2/every-consent-check", test_every_consent_check);
  g_test_add_func ("/rfc5245/8.1.1.2/meet-again", test_meet_again);
  g_test_add_func ("/rfc5245/8.1.1.2/highest-wins", test_highest_wins);
  g_test_add_func ("/rfc5245/8.1.1.2/both-converge", test_converges);
  g_test_add_func (
      "/rfc5245/8.1.2/triggered-when-completed", test_triggered_when_completed);
  g_test_add_func (
      "/rfc5245/8.1.1.2/valid-pairs-compete", test_valid_pairs_compete);
  g_test_add_func ("/rfc5245/8.1.1.2/silence", test_silence);
  g_test_add_func ("/rfc8445/10/not-with-ice2", test_not_with_ice2);
  g_test_add_func ("/rfc8445/7.1.2/controlled-never", test_controlled_never);
  g_test_add_func (
      "/rfc8445/8.1.1/default-is-regular", test_default_is_regular);
  return g_test_run ();
}
