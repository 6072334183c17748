/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that come too late, too early, twice, or are about nobody: each is
 * answered, changes nothing, and asks for nothing. */
#include "hostile.h"

#define NOBODY 9999

static IceCandidate *
make_candidate (void)
{
  IceCandidate *candidate = ice_candidate_new (ICE_CANDIDATE_HOST, 1);

  candidate->address = candidate->base = addr ("192.0.2.77", 7);
  candidate->priority = 7;
  candidate->foundation[0] = '7';
  return candidate;
}

/* Everything that names a stream or a transport. */
static void
say_to (Harness *h, guint stream, guint transport)
{
  g_autoptr (IceCandidate) candidate = make_candidate ();
  const IceAddress here = h->host, there = addr ("192.0.2.2", 1);
  IceCore *core = h->core;

  g_assert_cmpuint (ice_core_add_component (core, NOBODY, 1), ==, 0);
  g_assert_cmpuint (ice_core_fork_stream (core, NOBODY, stream), ==, 0);
  g_assert_false (ice_core_set_remote_credentials (
      core, stream, "else", "somebodyelsespassword24", h->now));
  ice_core_gather (core, stream, h->now);
  g_assert_cmpint (
      ice_core_add_remote_candidate (core, stream, candidate, h->now), !=,
      ICE_VERDICT_OK);
  ice_core_end_remote_candidates (core, stream, h->now);
  g_assert_cmpint (
      ice_core_set_remote_default (core, transport, &there, h->now), !=,
      ICE_VERDICT_OK);
  g_assert_cmpint (
      ice_core_set_selected_pair (core, transport, &here, &there, h->now), ==,
      ICE_VERDICT_UNEXPECTED);
  g_assert_false (
      ice_core_send (core, transport, ICE_BYTES ("abc", 3), h->now));
  ice_core_media_seen (core, transport, h->now, h->now);
  ice_core_remove_component (core, stream, 2, h->now);
}

/* Everything that the world says. */
static void
say_of_world (Harness *h, guint id)
{
  const IceAddress there = addr ("192.0.2.2", 1);
  IceInterfaceAddress interface = { .address = addr ("192.0.2.99", 0),
    .interface_index = 9 };

  ice_core_socket_opened (h->core, id, &there, h->now);
  ice_core_socket_failed (h->core, id, "no such thing", h->now);
  ice_core_socket_closed (h->core, id, "no such thing", h->now);
  g_assert_cmpuint (
      ice_core_socket_accepted (h->core, id, &there, h->now), ==, 0);
  ice_core_resolved (h->core, id, &there, 1, h->now);
  ice_core_unreachable (h->core, id, &there, ICE_BYTES_NONE, h->now);
  if (id != NOBODY)
    ice_core_set_interfaces (h->core, &interface, 1, h->now);
}

static void
test_of_nobody (void)
{
  g_autofree gchar *before = NULL;
  g_autofree gchar *after = NULL;
  Harness h;

  harness_complete (&h, TRUE);
  before = harness_snapshot (&h);
  say_to (&h, NOBODY, NOBODY);
  say_of_world (&h, NOBODY);
  g_assert_false (ice_core_set_local_credentials (
      h.core, NOBODY, "ours2", "ourpasswordof24lettersxx"));
  ice_core_remove_component (h.core, NOBODY, 1, h.now);
  ice_core_remove_stream (h.core, NOBODY, h.now);
  ice_core_restart (h.core, NOBODY, h.now);
  harness_pump (&h);
  g_assert_true (g_queue_is_empty (&h.sent));
  after = harness_snapshot (&h);
  g_assert_cmpstr (before, ==, after);

  g_assert_null (ice_core_get_local_ufrag (h.core, NOBODY));
  g_assert_null (ice_core_get_local_pwd (h.core, NOBODY));
  g_assert_null (ice_core_get_remote_ufrag (h.core, NOBODY));
  g_assert_cmpint (ice_core_get_state (h.core, NOBODY), ==, ICE_STATE_CLOSED);
  harness_clear (&h);
}

static void
test_questions_about_nobody (void)
{
  gboolean started = TRUE, done = TRUE, ended = TRUE;
  g_autoptr (GPtrArray) locals = NULL;
  g_autoptr (GPtrArray) remotes = NULL;
  Harness h;

  harness_init (&h, TRUE);
  ice_core_get_gathering (h.core, NOBODY, &started, &done, &ended);
  g_assert_false (started || done || ended);
  locals = ice_core_get_local_candidates (h.core, NOBODY);
  remotes = ice_core_get_remote_candidates (h.core, NOBODY);
  g_assert_cmpuint (locals->len + remotes->len, ==, 0);

  ice_core_get_gathering (h.core, h.stream, &started, &done, &ended);
  g_assert_false (started || done || ended);
  harness_gather (&h);
  ice_core_get_gathering (h.core, h.stream, &started, &done, &ended);
  g_assert_true (started && done && ended);
  harness_clear (&h);
}

/* Close is the end: no output follows what it asked for itself. */
static void
test_after_close (void)
{
  const IceAddress peer = addr ("192.0.2.2", 1);
  Check check = { .use_candidate = TRUE };
  Harness h;

  harness_complete (&h, TRUE);
  ice_core_close (h.core, h.now);
  harness_pump (&h);
  g_assert_cmpint (
      ice_core_get_state (h.core, h.transport), ==, ICE_STATE_CLOSED);
  harness_forget_sent (&h);
  h.socket = 1;

  g_assert_cmpint (harness_check (&h, &peer, &check), ==, ICE_VERDICT_REFUSED);
  say_to (&h, h.stream, h.transport);
  say_of_world (&h, h.socket);
  ice_core_set_controlling (h.core, FALSE);
  ice_core_set_remote_lite (h.core, TRUE, h.now);
  ice_core_set_remote_options (h.core, ICE_OPTION_ICE2, h.now);
  ice_core_set_remote_pacing (h.core, 50);
  ice_core_restart (h.core, 0, h.now);
  g_assert_cmpuint (ice_core_fork (h.core), ==, 0);
  ice_core_close (h.core, h.now);
  harness_run_for (&h, 120 * ICE_SECOND);
  g_assert_true (g_queue_is_empty (&h.sent));
  g_assert_cmpint (h.deadline, ==, ICE_TIME_NEVER);
  harness_clear (&h);
}

static void
test_free_forgives (void)
{
  ice_core_free (NULL);
  ice_output_free (NULL);
}

/* The answerer knows the peer before it chooses its own credentials, and keeps
 * what it knows. */
static void
test_own_credentials_after_the_peers (void)
{
  Harness h;

  harness_init (&h, FALSE);
  harness_credentials (&h);
  g_assert_true (ice_core_set_local_credentials (
      h.core, h.stream, "ours2", "ourpasswordof24lettersxx"));
  g_assert_cmpstr (
      ice_core_get_remote_ufrag (h.core, h.stream), ==, PEER_UFRAG);
  harness_gather (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  harness_clear (&h);
}

/* A component that was removed comes back as another one (core contract 1: ids
 * are never used twice). */
static void
test_component_comes_back (void)
{
  guint first, second;
  Harness h;

  harness_init (&h, TRUE);
  first = ice_core_add_component (h.core, h.stream, 2);
  g_assert_cmpuint (ice_core_add_component (h.core, h.stream, 2), ==, first);
  ice_core_remove_component (h.core, h.stream, 2, h.now);
  ice_core_remove_component (h.core, h.stream, 2, h.now);
  second = ice_core_add_component (h.core, h.stream, 2);
  g_assert_cmpuint (second, !=, first);
  g_assert_cmpint (ice_core_get_state (h.core, first), ==, ICE_STATE_CLOSED);
  g_assert_cmpint (ice_core_get_state (h.core, second), ==, ICE_STATE_NEW);
  harness_clear (&h);
}

/* The application's choice of a pair: by addresses that are known. */
static void
test_select_pair (void)
{
  const IceAddress nowhere = addr ("192.0.2.50", 5);
  const IceAddress first = addr ("192.0.2.2", 1);
  const IceAddress second = addr ("192.0.2.3", 1);
  Harness h;

  harness_start (&h, TRUE);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.3", 1, "2");
  g_assert_cmpint (
      ice_core_set_selected_pair (h.core, h.transport, &nowhere, &first, h.now),
      ==, ICE_VERDICT_REFUSED);
  g_assert_cmpint (ice_core_set_selected_pair (
                       h.core, h.transport, &h.host, &nowhere, h.now),
      ==, ICE_VERDICT_REFUSED);
  g_assert_cmpint (
      ice_core_set_selected_pair (h.core, h.transport, &h.host, &second, h.now),
      ==, ICE_VERDICT_OK);
  for (guint i = 0; i < 10; i++) {
    IceStunMessage message;
    Sent *request;

    harness_run_for (&h, 10 * ICE_MSEC);
    request = harness_pop (&h, ICE_STUN_REQUEST, &message);
    if (request && ice_address_equal (&request->to, &second))
      harness_answer (&h, request);
    g_clear_pointer (&request, sent_free);
  }
  g_assert_cmpuint (h.route_socket, ==, h.socket);
  g_assert_true (ice_address_equal (&h.route_to, &second));
  g_assert_cmpint (
      ice_core_set_selected_pair (h.core, h.transport, &h.host, &second, h.now),
      ==, ICE_VERDICT_OK);
  g_assert_cmpuint (h.n_selected, ==, 1);
  harness_clear (&h);
}

/* RFC 8445 2.5: a lite agent takes what is nominated. */
static void
test_select_pair_lite (void)
{
  const IceAddress peer = addr ("192.0.2.2", 1);
  Harness h;

  harness_init (&h, FALSE);
  ice_core_set_lite (h.core, TRUE);
  harness_gather (&h);
  harness_credentials (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  g_assert_true (ice_core_get_lite (h.core));
  g_assert_cmpint (
      ice_core_set_selected_pair (h.core, h.transport, &h.host, &peer, h.now),
      ==, ICE_VERDICT_REFUSED);
  harness_clear (&h);
}

/* Design 9.7: media to a peer without ICE leaves from a candidate of its
 * family, and stops when the peer turns out to have another address. */
static void
test_default_destination (void)
{
  const IceAddress ipv6 = addr ("2001:db8::2", 1);
  const IceAddress first = addr ("192.0.2.2", 1);
  const IceAddress second = addr ("192.0.2.3", 1);
  Harness h;

  harness_init (&h, TRUE);
  ice_core_set_allow_non_ice (h.core, TRUE);
  harness_gather (&h);
  ice_core_set_remote_default (h.core, h.transport, &ipv6, h.now);
  harness_pump (&h);
  g_assert_cmpuint (h.route_socket, ==, 0);

  g_assert_cmpint (
      ice_core_set_remote_default (h.core, h.transport, &first, h.now), ==,
      ICE_VERDICT_OK);
  harness_pump (&h);
  g_assert_true (ice_address_equal (&h.route_to, &first));
  g_assert_cmpint (
      ice_core_set_remote_default (h.core, h.transport, &second, h.now), ==,
      ICE_VERDICT_OK);
  harness_pump (&h);
  g_assert_true (ice_address_equal (&h.route_to, &second));
  harness_clear (&h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/edges/commands/of-nobody", test_of_nobody);
  g_test_add_func (
      "/edges/questions/about-nobody", test_questions_about_nobody);
  g_test_add_func ("/edges/commands/after-close", test_after_close);
  g_test_add_func ("/edges/free-forgives", test_free_forgives);
  g_test_add_func ("/edges/credentials/own-after-the-peers",
      test_own_credentials_after_the_peers);
  g_test_add_func ("/edges/component/comes-back", test_component_comes_back);
  g_test_add_func ("/edges/selected-pair/by-application", test_select_pair);
  g_test_add_func ("/edges/selected-pair/not-when-lite", test_select_pair_lite);
  g_test_add_func ("/edges/default-destination", test_default_destination);
  return g_test_run ();
}
