/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forks behind one TURN allocation (RFC 8839 7, RFC 8656): it is shared, and
 * given up by the last one. */
#include "forks.h"

/* RFC 8656 12: each peer has its channel. */
static void
test_channels (void)
{
  Forks f;
  Peer *peers;

  forks_init (&f, FORKS_RELAY);
  peers = f.peers;
  forks_run_for (&f, 100 * ICE_MSEC);
  forks_fork (&f);
  forks_fork (&f);
  for (guint i = 0; i < 3; i++)
    forks_answer (&f, &peers[i]);
  forks_run_for (&f, 2 * ICE_SECOND);
  for (guint i = 0; i < 3; i++) {
    forks_assert_connected (&peers[i]);
    g_assert_cmpint (forks_media (&f, &peers[i].address), ==, ICE_VERDICT_OK);
    g_assert_cmpuint (peers[i].n_delivered, ==, 1);
    g_assert_cmpint (peers[i].n_accepts, ==, 1);
  }
  /* Challenged and granted: one for all. */
  g_assert_cmpuint (f.turn.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  g_assert_cmpuint (f.turn.n_requests[ICE_STUN_CHANNEL_BIND], ==, 3);
  g_assert_false (ice_address_equal (&f.channels[0], &f.channels[1]) ||
      ice_address_equal (&f.channels[1], &f.channels[2]));
  forks_clear (&f);
}

/* RFC 8656 9: a permission is of an IP address; who leaves takes none away that
 * another one needs. */
static void
test_shared_permission (void)
{
  guint n_permissions, n_channels;
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_RELAY);
  forks_run_for (&f, 100 * ICE_MSEC);
  a = &f.peers[0];
  b = forks_fork (&f);
  b->address = a->address;
  b->address.port++;
  forks_answer (&f, a);
  forks_answer (&f, b);
  forks_run_for (&f, 2 * ICE_SECOND);
  forks_assert_connected (a);
  forks_assert_connected (b);

  forks_close (&f, b);
  n_permissions = f.turn.n_requests[ICE_STUN_CREATE_PERMISSION];
  n_channels = f.turn.n_requests[ICE_STUN_CHANNEL_BIND];
  forks_run_for (&f, 1200 * ICE_SECOND);
  forks_assert_connected (a);
  /* Lifetimes of 300 and 600 s are renewed before their end: a's alone. */
  g_assert_cmpuint (
      f.turn.n_requests[ICE_STUN_CREATE_PERMISSION], >=, n_permissions + 4);
  g_assert_cmpuint (
      f.turn.n_requests[ICE_STUN_CREATE_PERMISSION], <=, n_permissions + 6);
  g_assert_cmpuint (
      f.turn.n_requests[ICE_STUN_CHANNEL_BIND], >=, n_channels + 2);
  g_assert_cmpuint (
      f.turn.n_requests[ICE_STUN_CHANNEL_BIND], <=, n_channels + 3);

  forks_close (&f, a);
  forks_flush (&f);
  g_assert_cmpuint (f.turn.last_lifetime, ==, 0); /* RFC 8656 7 */
  forks_clear (&f);
}

/* The same peer address in two branches: the second is refused, and its end
 * must not cost the first its channel. */
static void
test_shared_peer (void)
{
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_RELAY);
  forks_run_for (&f, 100 * ICE_MSEC);
  a = &f.peers[0];
  b = forks_fork (&f);
  b->address = a->address;
  forks_answer (&f, a);
  forks_run_for (&f, 2 * ICE_SECOND);
  forks_answer (&f, b);
  forks_run_for (&f, 60 * ICE_SECOND);
  forks_assert_connected (a);
  g_assert_cmpint (b->state, ==, ICE_STATE_FAILED);
  forks_close (&f, b);
  forks_run_for (&f, 3600 * ICE_SECOND);
  forks_assert_connected (a);
  g_assert_cmpint (a->n_accepts, ==, 1);
  g_assert_cmpint (forks_media (&f, &a->address), ==, ICE_VERDICT_OK);
  forks_clear (&f);
}

static gboolean
holds_relay (Forks *f, const Peer *peer)
{
  g_autoptr (GPtrArray) locals =
      ice_core_get_local_candidates (f->h.core, peer->stream);

  for (guint i = 0; i < locals->len; i++) {
    const IceCandidate *candidate = g_ptr_array_index (locals, i);

    if (candidate->kind == ICE_CANDIDATE_RELAYED)
      return TRUE;
  }
  return FALSE;
}

/* RFC 8445 8.3.1: "Once all ICE sessions have ceased using a given local
 * candidate"; and not before further answers have ceased to be likely. */
static void
test_release (void)
{
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_BOTH);
  forks_run_for (&f, 600 * ICE_MSEC);
  a = &f.peers[0];
  g_assert_true (holds_relay (&f, a));
  f.turn.last_lifetime = 1;
  forks_answer (&f, a);
  forks_run_for (&f, 10 * ICE_SECOND);
  forks_assert_connected (a);
  g_assert_true (holds_relay (&f, a)); /* three seconds would have done */

  b = forks_fork (&f);
  b->silent = TRUE;
  g_assert_true (holds_relay (&f, b));
  forks_answer (&f, b);
  forks_run_for (&f, 26 * ICE_SECOND);
  g_assert_false (holds_relay (&f, a));
  g_assert_true (holds_relay (&f, b));
  g_assert_cmpuint (f.turn.last_lifetime, !=, 0);
  b->silent = FALSE;
  forks_run_for (&f, 10 * ICE_SECOND);
  forks_assert_connected (b);
  forks_run_for (&f, 32 * ICE_SECOND);
  g_assert_false (holds_relay (&f, b));
  g_assert_cmpuint (f.turn.last_lifetime, ==, 0);
  g_assert_cmpuint (f.n_sockets_closed, ==, 0);
  forks_run_for (&f, 600 * ICE_SECOND);
  forks_assert_connected (a);
  forks_assert_connected (b);
  forks_clear (&f);
}

/* The one that used it leaves. */
static void
test_release_by_leaving (void)
{
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_BOTH);
  forks_run_for (&f, 600 * ICE_MSEC);
  a = &f.peers[0];
  b = forks_fork (&f);
  b->silent = TRUE;
  forks_answer (&f, a);
  forks_answer (&f, b);
  forks_run_for (&f, 36 * ICE_SECOND);
  forks_assert_connected (a);
  g_assert_false (holds_relay (&f, a));
  g_assert_true (holds_relay (&f, b));
  f.turn.last_lifetime = 1;
  forks_close (&f, b);
  forks_flush (&f);
  g_assert_cmpuint (f.turn.last_lifetime, ==, 0);
  forks_run_for (&f, 60 * ICE_SECOND);
  forks_assert_connected (a);
  forks_clear (&f);
}

/* After a restart of one branch the other holds candidates that are objects of
 * another generation; they are given up all the same. */
static void
test_release_after_restart (void)
{
  Forks f;
  Peer *a, *b;

  forks_init (&f, FORKS_BOTH);
  forks_run_for (&f, 600 * ICE_MSEC);
  a = &f.peers[0];
  b = forks_fork (&f);
  forks_answer (&f, a);
  forks_answer (&f, b);
  forks_run_for (&f, 1 * ICE_SECOND);
  ice_core_restart (f.h.core, b->stream, f.h.now);
  harness_pump (&f.h);
  g_strlcpy (b->ufrag, "again", sizeof b->ufrag);
  g_strlcpy (b->pwd, "anotherpasswordof22letters", sizeof b->pwd);
  forks_answer (&f, b);
  forks_run_for (&f, 2 * ICE_SECOND);
  forks_assert_connected (b);
  g_assert_true (holds_relay (&f, a));
  g_assert_true (holds_relay (&f, b));
  forks_close (&f, b);
  f.turn.last_lifetime = 1;
  forks_run_for (&f, 32 * ICE_SECOND);
  forks_assert_connected (a);
  g_assert_false (holds_relay (&f, a));
  g_assert_cmpuint (f.turn.last_lifetime, ==, 0);
  forks_clear (&f);
}

/* RFC 8445 8.3.1: "Freeing of server-reflexive candidates is never explicit; it
 * happens by lack of a keepalive": the last branch that wants one ends it. */
static void
test_reflexive (void)
{
  Forks f;
  Peer *a, *b;
  guint n;

  forks_init (&f, FORKS_REFLEXIVE);
  forks_run_for (&f, 600 * ICE_MSEC);
  a = &f.peers[0];
  g_assert_cmpuint (a->n_locals, ==, 2);
  b = forks_fork (&f);
  b->silent = TRUE;
  forks_answer (&f, a);
  forks_answer (&f, b);
  forks_run_for (&f, 35 * ICE_SECOND);
  forks_assert_connected (a);
  n = f.turn.n_requests[ICE_STUN_BINDING];
  forks_run_for (&f, 20 * ICE_SECOND); /* b has failed, and may restart */
  g_assert_cmpuint (f.turn.n_requests[ICE_STUN_BINDING], >, n);
  b->silent = FALSE;
  ice_core_restart (f.h.core, b->stream, f.h.now);
  harness_pump (&f.h);
  g_strlcpy (b->ufrag, "again", sizeof b->ufrag);
  g_strlcpy (b->pwd, "anotherpasswordof22letters", sizeof b->pwd);
  forks_answer (&f, b);
  forks_run_for (&f, 35 * ICE_SECOND);
  forks_assert_connected (b);
  n = f.turn.n_requests[ICE_STUN_BINDING];
  forks_run_for (&f, 300 * ICE_SECOND);
  g_assert_cmpuint (f.turn.n_requests[ICE_STUN_BINDING], ==, n);
  forks_clear (&f);
}

/* RFC 8656 5: the allocation dies under all of them. */
static void
test_lost (void)
{
  Forks f;

  forks_init (&f, FORKS_RELAY);
  forks_run_for (&f, 100 * ICE_MSEC);
  forks_fork (&f);
  for (guint i = 0; i < 2; i++)
    forks_answer (&f, &f.peers[i]);
  forks_run_for (&f, 2 * ICE_SECOND);
  f.turn.error[ICE_STUN_REFRESH] = 437;
  f.turn.error[ICE_STUN_ALLOCATE] = 486;
  forks_run_for (&f, 600 * ICE_SECOND);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (f.peers[i].state, ==, ICE_STATE_FAILED);
    g_assert_cmpuint (f.peers[i].socket, ==, 0);
    g_assert_cmpint (f.peers[i].n_accepts, ==, 0);
    g_assert_false (holds_relay (&f, &f.peers[i]));
  }
  forks_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8656/12/channel-for-each-branch", test_channels);
  g_test_add_func ("/rfc8656/9/shared-permission", test_shared_permission);
  g_test_add_func ("/rfc8656/12/shared-peer", test_shared_peer);
  g_test_add_func ("/rfc8656/5/lost-for-all", test_lost);
  g_test_add_func ("/rfc8445/8.3.1/last-branch-releases", test_release);
  g_test_add_func ("/rfc8445/8.3.1/last-branch-keeps-alive", test_reflexive);
  g_test_add_func (
      "/rfc8445/8.3.1/leaving-branch-releases", test_release_by_leaving);
  g_test_add_func ("/rfc8445/8.3.1/released-after-restart-of-another",
      test_release_after_restart);
  return g_test_run ();
}
