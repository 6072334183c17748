/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8839 7: one offer, several answers, "each an independent exchange". */
#include "forks.h"

/* Each has its own path on the one socket, and media is told apart. */
static void
test_two_answers (void)
{
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_DIRECT);
  a = &f.peers[0];
  b = forks_fork (&f);
  g_assert_cmpstr (ice_core_get_local_ufrag (f.h.core, a->stream), ==,
      ice_core_get_local_ufrag (f.h.core, b->stream));
  g_assert_cmpstr (ice_core_get_local_pwd (f.h.core, a->stream), ==,
      ice_core_get_local_pwd (f.h.core, b->stream));
  forks_answer (&f, a);
  forks_answer (&f, b);
  forks_run_for (&f, 1 * ICE_SECOND);
  forks_assert_connected (a);
  forks_assert_connected (b);
  g_assert_cmpuint (a->socket, ==, b->socket);

  g_assert_cmpint (forks_media (&f, &a->address), ==, ICE_VERDICT_OK);
  g_assert_cmpint (forks_media (&f, &b->address), ==, ICE_VERDICT_OK);
  g_assert_cmpint (forks_media (&f, &b->address), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (a->n_delivered, ==, 1);
  g_assert_cmpuint (b->n_delivered, ==, 2);
  forks_clear (&f);
}

static void
test_sixteen_answers (void)
{
  Forks f;

  forks_init (&f, FORKS_DIRECT);
  for (guint i = 1; i < 16; i++)
    forks_fork (&f);
  for (guint i = 0; i < 16; i++)
    forks_answer (&f, &f.peers[i]);
  /* A check and a nomination each, 5 ms apart. */
  forks_run_for (&f, 32 * 5 * ICE_MSEC);
  for (guint i = 0; i < 16; i++) {
    forks_assert_connected (&f.peers[i]);
    g_assert_cmpint (forks_media (&f, &f.peers[i].address), ==, ICE_VERDICT_OK);
    g_assert_cmpuint (f.peers[i].n_delivered, ==, 1);
    g_assert_cmpuint (f.peers[i].n_accepts, ==, 1);
  }
  /* Consent is each branch's own. */
  f.peers[7].silent = TRUE;
  forks_run_for (&f, 60 * ICE_SECOND);
  for (guint i = 0; i < 16; i++)
    g_assert_cmpint (
        f.peers[i].state, ==, i == 7 ? ICE_STATE_FAILED : ICE_STATE_COMPLETED);
  forks_clear (&f);
}

/* RFC 8445 14.2, 6.1.4.2: one Ta for the agent, and nobody waits until others
 * are done. */
static void
test_turns (void)
{
  Forks f;
  guint n_peers = 8;
  IceTime started_at;

  forks_init (&f, FORKS_DIRECT);
  for (guint i = 1; i < n_peers; i++)
    forks_fork (&f);
  for (guint i = 0; i < n_peers; i++)
    f.peers[i].silent = TRUE;
  started_at = f.h.now;
  for (guint i = 0; i < n_peers; i++) {
    g_autoptr (IceCandidate) second = ice_candidate_new (ICE_CANDIDATE_HOST, 1);

    forks_answer (&f, &f.peers[i]);
    second->address = second->base = addr ("198.51.100.9", 2000 + i);
    second->priority = 1;
    g_strlcpy (second->foundation, "2", sizeof second->foundation);
    ice_core_add_remote_candidate (
        f.h.core, f.peers[i].stream, second, f.h.now);
  }
  harness_pump (&f.h);
  while (f.checked->len < n_peers)
    forks_run_for (&f, f.h.deadline - f.h.now);
  g_assert_cmpint (f.h.now - started_at, >=, (n_peers - 1) * 5 * ICE_MSEC);
  for (guint i = 0; i < n_peers; i++)
    g_assert_cmpuint (f.peers[i].n_checks, ==, 1);
  forks_clear (&f);
}

/* RFC 8839 7: "each an independent exchange". A check came before its answer,
 * and was kept by the first branch; so is media from there, until the answer
 * says whose it is, be it before the first one's own. */
static void
test_early_check_moves (void)
{
  Forks f;
  Peer early, *a, *b;

  forks_init (&f, FORKS_DIRECT);
  a = &f.peers[0];
  early = *a;
  g_strlcpy (early.ufrag, "peer1", sizeof early.ufrag);
  early.address = addr ("192.0.2.11", 1000);
  g_assert_cmpint (
      forks_check (&f, &early, &early.address, NULL), ==, ICE_VERDICT_OK);
  b = forks_fork (&f);
  g_assert_cmpstr (b->ufrag, ==, early.ufrag);
  forks_answer (&f, b);
  g_assert_cmpint (forks_media (&f, &b->address), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (a->n_delivered, ==, 0);
  g_assert_cmpuint (b->n_delivered, ==, 1);
  g_assert_cmpint (a->n_accepts, ==, 0);
  g_assert_cmpint (b->n_accepts, ==, 1);
  forks_answer (&f, a);
  forks_run_for (&f, 1 * ICE_SECOND);
  forks_assert_connected (a);
  forks_assert_connected (b);
  g_assert_cmpint (a->n_accepts, ==, 1);
  g_assert_cmpint (b->n_accepts, ==, 1);
  forks_clear (&f);
}

/* RFC 8445 7.3.1.4: "there may be more than one in cases of forking". */
static void
test_username_chooses (void)
{
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_DIRECT);
  a = &f.peers[0];
  b = forks_fork (&f);
  a->silent = b->silent = TRUE;
  forks_answer (&f, a);
  forks_answer (&f, b);
  forks_flush (&f);
  g_assert_cmpint (forks_check (&f, b, &b->address, NULL), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (harness_last_code (&f.h), ==, 0);
  g_assert_cmpint (a->n_accepts, ==, 0);
  g_assert_cmpint (b->n_accepts, ==, 1);
  g_assert_cmpuint (a->n_first_check, ==, 0);
  g_assert_cmpuint (b->n_first_check, ==, 1);
  forks_clear (&f);
}

/* Design 9.9: what comes from one source cannot be told apart. */
static void
test_source_claimed_twice (void)
{
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_DIRECT);
  a = &f.peers[0];
  b = forks_fork (&f);
  forks_answer (&f, a);
  forks_run_for (&f, 1 * ICE_SECOND);
  forks_assert_connected (a);

  b->address = a->address;
  forks_answer (&f, b);
  forks_run_for (&f, 1 * ICE_SECOND);
  g_assert_cmpint (b->state, ==, ICE_STATE_CHECKING);
  g_assert_cmpint (b->n_accepts, ==, 0);
  g_assert_cmpint (
      forks_check (&f, b, &b->address, NULL), ==, ICE_VERDICT_REFUSED);
  g_assert_cmpuint (harness_last_code (&f.h), ==, 403);
  g_assert_cmpint (b->n_accepts, ==, 0);
  g_assert_cmpint (forks_media (&f, &a->address), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (a->n_delivered, ==, 1);
  g_assert_cmpuint (b->n_delivered, ==, 0);

  /* The first one leaves, and the source is free. */
  forks_close (&f, a);
  forks_check (&f, b, &b->address, NULL);
  forks_run_for (&f, 1 * ICE_SECOND);
  forks_assert_connected (b);
  g_assert_cmpint (forks_media (&f, &b->address), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (b->n_delivered, ==, 1);
  forks_clear (&f);
}

/* The source of a check may be forged by another answerer, who has our password
 * too; an answer to a check of ours may not. */
static void
test_source_forged (void)
{
  Forks f;
  Peer *a, *mallory;

  forks_init (&f, FORKS_DIRECT);
  a = &f.peers[0];
  mallory = forks_fork (&f);
  mallory->silent = TRUE;
  forks_answer (&f, mallory);
  g_assert_cmpint (
      forks_check (&f, mallory, &a->address, NULL), ==, ICE_VERDICT_OK);
  g_assert_cmpint (mallory->n_accepts, ==, 1);
  forks_answer (&f, a);
  forks_run_for (&f, 1 * ICE_SECOND);
  forks_assert_connected (a);
  g_assert_cmpint (mallory->n_accepts, ==, 0);
  g_assert_cmpint (forks_media (&f, &a->address), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (a->n_delivered, ==, 1);
  g_assert_cmpint (
      forks_check (&f, mallory, &a->address, NULL), ==, ICE_VERDICT_REFUSED);
  forks_clear (&f);
}

/* RFC 8445 7.3: checks may overtake the answer; of a fork they overtake even
 * the knowledge that there is one. */
static void
test_early_stranger (void)
{
  Peer stranger = { .ufrag = "peer1" };
  IceAddress from = addr ("192.0.2.11", 1000);
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_DIRECT);
  a = &f.peers[0];
  forks_answer (&f, a);
  forks_run_for (&f, 1 * ICE_SECOND);
  forks_assert_connected (a);

  stranger.stream = a->stream;
  g_assert_cmpint (
      forks_check (&f, &stranger, &from, NULL), ==, ICE_VERDICT_OK);
  g_assert_true (g_queue_is_empty (&f.h.sent)); /* neither success nor 401 */
  g_assert_cmpint (forks_media (&f, &from), ==, ICE_VERDICT_NOT_STUN);
  g_assert_cmpint (a->n_accepts, ==, 1);

  b = forks_fork (&f);
  g_assert_cmpstr (b->ufrag, ==, stranger.ufrag);
  g_assert_true (g_queue_is_empty (&f.h.sent));
  /* A fork whose answer is not known either takes nobody for its peer. */
  g_assert_cmpint (
      forks_check (&f, &stranger, &from, NULL), ==, ICE_VERDICT_OK);
  g_assert_true (g_queue_is_empty (&f.h.sent));
  g_assert_cmpint (b->n_accepts, ==, 0);
  ice_core_use_branch (f.h.core, b->branch);
  g_assert_true (ice_core_set_remote_credentials (
      f.h.core, b->stream, b->ufrag, b->pwd, f.h.now));
  harness_pump (&f.h);
  forks_run_for (&f, 100 * ICE_MSEC); /* no candidate was signalled */
  forks_assert_connected (b);
  forks_assert_connected (a);
  g_assert_cmpint (forks_media (&f, &from), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (b->n_delivered, ==, 1);
  forks_clear (&f);
}

/* Before any answer all are answered, and the first one that is known takes
 * only what is its own. */
static void
test_early_before_answers (void)
{
  Peer stranger = { .ufrag = "peer1" };
  IceAddress from = addr ("192.0.2.11", 1000);
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_DIRECT);
  a = &f.peers[0];
  stranger.stream = a->stream;
  forks_check (&f, &stranger, &from, NULL);
  g_assert_cmpuint (harness_last_code (&f.h), ==, 0);
  harness_forget_sent (&f.h);
  forks_check (&f, a, &a->address, NULL);
  g_assert_cmpuint (harness_last_code (&f.h), ==, 0);
  g_assert_cmpint (a->n_accepts, ==, 2);

  forks_answer (&f, a);
  g_assert_cmpint (a->n_accepts, ==, 1);
  g_assert_cmpint (forks_media (&f, &from), ==, ICE_VERDICT_NOT_STUN);
  b = forks_fork (&f);
  forks_answer (&f, b);
  forks_run_for (&f, 1 * ICE_SECOND);
  forks_assert_connected (a);
  forks_assert_connected (b);
  forks_clear (&f);
}

/* Only who has our password is remembered, and so many; where no answer can
 * follow, nobody. */
static void
test_strangers_are_few (void)
{
  Peer stranger = { .ufrag = "peer1" };
  IceAddress from = addr ("192.0.2.11", 1000);
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_DIRECT);
  a = &f.peers[0];
  forks_answer (&f, a);
  forks_run_for (&f, 1 * ICE_SECOND);
  stranger.stream = a->stream;
  g_assert_cmpint (
      forks_check (&f, &stranger, &from, "not-our-password-at-all!"), ==,
      ICE_VERDICT_UNAUTHENTICATED);
  g_assert_cmpuint (harness_last_code (&f.h), ==, 401);
  harness_forget_sent (&f.h);
  /* RFC 8445 19.5.1: thirty-two are kept, the newest. */
  g_assert_cmpint (
      forks_check (&f, &stranger, &from, NULL), ==, ICE_VERDICT_OK);
  for (guint i = 0; i < 40; i++) {
    g_snprintf (stranger.ufrag, sizeof stranger.ufrag, "crowd%u", i);
    from.port++;
    forks_check (&f, &stranger, &from, NULL);
  }
  g_assert_true (g_queue_is_empty (&f.h.sent));
  b = forks_fork (&f);
  ice_core_set_remote_credentials (
      f.h.core, b->stream, b->ufrag, b->pwd, f.h.now);
  harness_pump (&f.h);
  forks_run_for (&f, 100 * ICE_MSEC);
  g_assert_cmpuint (b->n_checks, ==, 0);
  forks_clear (&f);

  forks_init (&f, FORKS_DIRECT);
  ice_core_set_forking (f.h.core, FALSE);
  forks_answer (&f, &f.peers[0]);
  forks_run_for (&f, 1 * ICE_SECOND);
  g_strlcpy (stranger.ufrag, "peer1", sizeof stranger.ufrag);
  g_assert_cmpint (forks_check (&f, &stranger, &from, NULL), ==,
      ICE_VERDICT_UNAUTHENTICATED);
  g_assert_cmpuint (harness_last_code (&f.h), ==, 401);
  forks_clear (&f);
}

/* RFC 8863: one answerer that is never reached is nobody else's trouble. */
static void
test_one_fails (void)
{
  Forks f;

  forks_init (&f, FORKS_DIRECT);
  for (guint i = 1; i < 3; i++)
    forks_fork (&f);
  f.peers[1].silent = TRUE;
  for (guint i = 0; i < 3; i++)
    forks_answer (&f, &f.peers[i]);
  forks_run_for (&f, 60 * ICE_SECOND);
  forks_assert_connected (&f.peers[0]);
  g_assert_cmpint (f.peers[1].state, ==, ICE_STATE_FAILED);
  g_assert_cmpuint (f.peers[1].socket, ==, 0);
  forks_assert_connected (&f.peers[2]);
  forks_clear (&f);
}

/* RFC 8445 7.2.5.1. */
static void
test_role_conflict (void)
{
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_DIRECT);
  a = &f.peers[0];
  b = forks_fork (&f);
  b->conflicts = 1;
  forks_answer (&f, a);
  forks_answer (&f, b);
  forks_run_for (&f, 1 * ICE_SECOND);
  forks_assert_connected (a);
  g_assert_cmpuint (a->n_roles, ==, 0);
  g_assert_cmpuint (b->n_roles, ==, 1);
  g_assert_false (b->controlling);
  ice_core_use_branch (f.h.core, a->branch);
  g_assert_true (ice_core_get_controlling (f.h.core));
  ice_core_use_branch (f.h.core, b->branch);
  g_assert_false (ice_core_get_controlling (f.h.core));
  /* Controlled now: connected, but it is the peer who nominates. */
  g_assert_cmpint (b->state, ==, ICE_STATE_CONNECTED);
  /* The conflict was with that peer only. */
  g_assert_true (ice_core_use_branch (f.h.core, ice_core_fork (f.h.core)));
  g_assert_true (ice_core_get_controlling (f.h.core));
  g_assert_false (ice_core_use_branch (f.h.core, 4711));
  ice_core_set_controlling (f.h.core, FALSE); /* nobody's */
  g_assert_true (ice_core_use_branch (f.h.core, a->branch));
  g_assert_true (ice_core_get_controlling (f.h.core));
  forks_clear (&f);
}

static void
test_added_late (void)
{
  Forks f;
  Peer *b;

  forks_init (&f, FORKS_DIRECT);
  forks_answer (&f, &f.peers[0]);
  forks_run_for (&f, 600 * ICE_SECOND);
  forks_assert_connected (&f.peers[0]);
  b = forks_fork (&f);
  forks_answer (&f, b);
  forks_run_for (&f, 1 * ICE_SECOND);
  forks_assert_connected (b);
  g_assert_cmpuint (b->n_locals, ==, 0); /* the offer has told them */
  forks_clear (&f);
}

static void
test_too_many (void)
{
  Forks f;

  forks_init (&f, FORKS_DIRECT);
  for (guint i = 1; i < ICE_MAX_BRANCHES; i++)
    g_assert_nonnull (forks_fork (&f));
  g_assert_null (forks_fork (&f));
  forks_close (&f, &f.peers[5]);
  g_assert_nonnull (forks_fork (&f));
  g_assert_null (forks_fork (&f));
  forks_clear (&f);
}

/* RFC 8445 9: new credentials are of one branch only. */
static void
test_restart (void)
{
  g_autofree gchar *ufrag = NULL;
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_DIRECT);
  a = &f.peers[0];
  b = forks_fork (&f);
  forks_answer (&f, a);
  forks_answer (&f, b);
  forks_run_for (&f, 1 * ICE_SECOND);
  ufrag = g_strdup (ice_core_get_local_ufrag (f.h.core, a->stream));
  a->n_locals = b->n_locals = 0;

  ice_core_use_branch (f.h.core, b->branch);
  ice_core_restart (f.h.core, 0, f.h.now);
  harness_pump (&f.h);
  g_assert_cmpstr (ice_core_get_local_ufrag (f.h.core, a->stream), ==, ufrag);
  g_assert_cmpstr (ice_core_get_local_ufrag (f.h.core, b->stream), !=, ufrag);
  g_assert_cmpuint (b->n_locals, ==, 1);
  g_assert_cmpuint (a->n_locals, ==, 0);
  /* The old pair carries media meanwhile. */
  g_assert_cmpuint (b->socket, !=, 0);
  g_assert_cmpint (forks_media (&f, &b->address), ==, ICE_VERDICT_OK);

  g_strlcpy (b->ufrag, "again", sizeof b->ufrag);
  g_strlcpy (b->pwd, "anotherpasswordof22letters", sizeof b->pwd);
  forks_answer (&f, b);
  forks_run_for (&f, 60 * ICE_SECOND);
  forks_assert_connected (a);
  forks_assert_connected (b);
  /* And the first one after it. */
  ice_core_restart (f.h.core, a->stream, f.h.now);
  harness_pump (&f.h);
  g_assert_cmpuint (a->n_locals, ==, 1);
  g_strlcpy (a->ufrag, "first", sizeof a->ufrag);
  g_strlcpy (a->pwd, "thefirstpasswordof22letters", sizeof a->pwd);
  forks_answer (&f, a);
  forks_run_for (&f, 60 * ICE_SECOND);
  forks_assert_connected (a);
  forks_assert_connected (b);
  g_assert_cmpint (forks_media (&f, &a->address), ==, ICE_VERDICT_OK);
  g_assert_cmpint (forks_media (&f, &b->address), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (f.n_sockets_closed, ==, 0);
  forks_clear (&f);
}

/* The generation of a branch that has left is not used again. */
static void
test_restart_after_another (void)
{
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_DIRECT);
  a = &f.peers[0];
  b = forks_fork (&f);
  ice_core_restart (f.h.core, b->stream, f.h.now);
  forks_close (&f, b);
  g_assert_cmpuint (f.n_sockets_closed, ==, 0);
  a->n_locals = 0;
  ice_core_restart (f.h.core, a->stream, f.h.now);
  harness_pump (&f.h);
  g_assert_cmpuint (a->n_locals, ==, 1);
  forks_answer (&f, a);
  forks_run_for (&f, 100 * ICE_MSEC);
  forks_assert_connected (a);
  forks_clear (&f);
}

/* Each leaves by itself; the sockets close with the last. */
static void
test_leaving (void)
{
  Forks f;

  for (guint first = 0; first < 3; first++) {
    forks_init (&f, FORKS_DIRECT);
    forks_fork (&f);
    forks_fork (&f);
    for (guint i = 0; i < 3; i++)
      forks_answer (&f, &f.peers[i]);
    forks_run_for (&f, 1 * ICE_SECOND);
    for (guint i = 0; i < 3; i++) {
      Peer *leaving = &f.peers[(first + i) % 3];

      forks_assert_connected (leaving);
      g_assert_cmpuint (f.n_sockets_closed, ==, 0);
      forks_close (&f, leaving);
      g_assert_cmpint (leaving->state, ==, ICE_STATE_CLOSED);
      g_assert_cmpuint (leaving->socket, ==, 0);
      g_assert_cmpint (leaving->n_accepts, ==, 0);
      forks_run_for (&f, 60 * ICE_SECOND);
    }
    g_assert_cmpuint (f.n_sockets_closed, ==, 1);
    g_assert_cmpint (f.h.deadline, ==, ICE_TIME_NEVER);
    forks_clear (&f);
  }
}

/* Calls in the name of a branch that is gone change nothing. */
static void
test_gone (void)
{
  const IceGathererConfig relay_only = { .relay_only = TRUE };
  Forks f;
  Peer *b;

  forks_init (&f, FORKS_DIRECT);
  b = forks_fork (&f);
  forks_close (&f, b);
  ice_core_use_branch (f.h.core, b->branch);
  ice_core_set_controlling (f.h.core, FALSE);
  ice_core_set_consent (f.h.core, FALSE);
  ice_core_set_allow_non_ice (f.h.core, TRUE);
  ice_core_set_connect_timeout (f.h.core, 1);
  ice_core_set_remote_pacing (f.h.core, 5000);
  ice_core_set_forking (f.h.core, FALSE);
  ice_core_remove_servers (f.h.core);
  ice_core_set_gather_config (f.h.core, &relay_only);
  ice_core_restart (f.h.core, 0, f.h.now);
  ice_core_close (f.h.core, f.h.now);
  g_assert_cmpuint (ice_core_add_stream (f.h.core), ==, 0);
  g_assert_cmpuint (ice_core_fork (f.h.core), ==, 0);
  g_assert_cmpuint (
      ice_core_fork_stream (f.h.core, b->branch, f.h.stream), ==, 0);
  g_assert_cmpuint (ice_core_fork_stream (f.h.core, 0, b->stream), ==, 0);
  g_assert_false (ice_core_set_remote_credentials (
      f.h.core, b->stream, b->ufrag, b->pwd, f.h.now));
  g_assert_cmpint (
      ice_core_get_state (f.h.core, b->transport), ==, ICE_STATE_CLOSED);
  harness_pump (&f.h);

  ice_core_use_branch (f.h.core, 0);
  g_assert_true (ice_core_get_controlling (f.h.core));
  ice_core_restart (f.h.core, 0, f.h.now);
  g_assert_cmpuint (f.peers[0].n_locals, ==, 1);
  harness_pump (&f.h);
  g_assert_cmpuint (f.peers[0].n_locals, ==, 2);
  forks_answer (&f, &f.peers[0]);
  forks_run_for (&f, 100 * ICE_MSEC);
  forks_assert_connected (&f.peers[0]);
  forks_clear (&f);
}

/* RFC 5761: an answerer that takes rtcp-mux needs component 2 no more; another
 * may. */
static void
test_component_removed (void)
{
  IceAddress host = addr (HOST_IP, 0);
  IceInterfaceAddress interface = { .address = host, .interface_index = 1 };
  guint branch, stream;
  Forks f;

  memset (&f, 0, sizeof f);
  harness_init (&f.h, TRUE);
  f.h.watch = forks_watch;
  f.h.watch_user = &f;
  f.checked = g_array_new (FALSE, FALSE, sizeof (guint));
  ice_core_add_component (f.h.core, f.h.stream, 2);
  ice_core_set_interfaces (f.h.core, &interface, 1, f.h.now);
  ice_core_gather (f.h.core, f.h.stream, f.h.now);
  harness_pump (&f.h);
  branch = ice_core_fork (f.h.core);
  stream = ice_core_fork_stream (f.h.core, branch, f.h.stream);
  ice_core_remove_component (f.h.core, f.h.stream, 2, f.h.now);
  harness_pump (&f.h);
  g_assert_cmpuint (f.n_sockets_closed, ==, 0);
  ice_core_remove_component (f.h.core, stream, 2, f.h.now);
  harness_pump (&f.h);
  g_assert_cmpuint (f.n_sockets_closed, ==, 1);
  forks_clear (&f);
}

/* Candidates that come late are everybody's (RFC 8838). */
static void
test_forked_while_gathering (void)
{
  IceAddress bound = addr (HOST_IP, 5000);
  IceInterfaceAddress interface = { .address = addr (HOST_IP, 0),
    .interface_index = 1 };
  IceTime deadline;
  Forks f;
  Peer *b;

  memset (&f, 0, sizeof f);
  harness_init (&f.h, TRUE);
  f.h.watch = forks_watch;
  f.h.watch_user = &f;
  f.checked = g_array_new (FALSE, FALSE, sizeof (guint));
  forks_add_peer (&f, 0, f.h.stream, f.h.transport);
  ice_core_set_interfaces (f.h.core, &interface, 1, f.h.now);
  ice_core_gather (f.h.core, f.h.stream, f.h.now);
  ice_output_free (ice_core_take_outputs (f.h.core, &deadline));
  b = forks_fork (&f);
  f.h.socket = 0;
  for (guint id = 1; id < 20; id++) /* the socket is one of these */
    ice_core_socket_opened (f.h.core, id, &bound, f.h.now);
  harness_pump (&f.h);
  g_assert_cmpuint (f.peers[0].n_locals, ==, 1);
  g_assert_cmpuint (b->n_locals, ==, 1);
  g_assert_cmpuint (f.h.n_gathered, ==, 2);
  forks_clear (&f);
}

/* A thousand answerers come and go: what is left serves the next one. */
static void
test_thousand (void)
{
  Forks f;
  Peer *b;

  forks_init (&f, FORKS_DIRECT);
  forks_answer (&f, &f.peers[0]);
  forks_run_for (&f, 100 * ICE_MSEC);
  for (guint i = 0; i < 1000; i++) {
    f.n_peers = 1;
    b = forks_fork (&f);
    g_assert_nonnull (b);
    forks_answer (&f, b);
    forks_run_for (&f, 20 * ICE_MSEC);
    forks_assert_connected (b);
    forks_close (&f, b);
  }
  forks_assert_connected (&f.peers[0]);
  g_assert_cmpint (f.peers[0].n_accepts, ==, 1);
  forks_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8839/7/two-answers", test_two_answers);
  g_test_add_func ("/rfc8839/7/sixteen-answers", test_sixteen_answers);
  g_test_add_func ("/rfc8839/7/one-fails", test_one_fails);
  g_test_add_func ("/rfc8839/7/role-conflict-in-one", test_role_conflict);
  g_test_add_func ("/rfc8839/7/added-late", test_added_late);
  g_test_add_func (
      "/rfc8839/7/forked-while-gathering", test_forked_while_gathering);
  g_test_add_func ("/rfc8839/7/leaving", test_leaving);
  g_test_add_func (
      "/rfc8839/7.3/source-claimed-twice", test_source_claimed_twice);
  g_test_add_func ("/rfc8839/7.3/source-forged", test_source_forged);
  g_test_add_func ("/rfc8445/6.1.4.2/branches-take-turns", test_turns);
  g_test_add_func (
      "/rfc8445/7.3.1.4/username-chooses-the-branch", test_username_chooses);
  g_test_add_func (
      "/rfc8445/7.3/early-check-of-a-stranger", test_early_stranger);
  g_test_add_func (
      "/rfc8445/7.3/early-checks-before-answers", test_early_before_answers);
  g_test_add_func ("/rfc8445/19.5.1/strangers-are-few", test_strangers_are_few);
  g_test_add_func ("/rfc8445/9/restart-of-one-branch", test_restart);
  g_test_add_func (
      "/rfc8445/9/restart-after-another", test_restart_after_another);
  g_test_add_func ("/fork/too-many", test_too_many);
  g_test_add_func ("/fork/gone", test_gone);
  g_test_add_func (
      "/rfc5761/5.1.1/one-branch-multiplexes", test_component_removed);
  g_test_add_func ("/fork/thousand", test_thousand);
  g_test_add_func ("/rfc8839/7/early-check-moves", test_early_check_moves);
  return g_test_run ();
}
