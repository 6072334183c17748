/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static IceVerdict
receive_media (Harness *h, const IceAddress *from)
{
  guint8 bytes[20] = { 0x80, 96 };
  IceDatagram in = {
    .socket = h->socket, .from = *from, .data = ICE_BYTES (bytes, sizeof bytes)
  };
  IceVerdict verdict = ice_core_receive (h->core, &in, h->now);

  harness_pump (h);
  return verdict;
}

/* Answers every request for a while. */
static void
live_for (Harness *h, IceTime duration)
{
  IceTime until = h->now + duration;

  while (h->now < until) {
    harness_run_until (h, MIN (until, h->now + 10 * ICE_MSEC));
    while (harness_answer_next (h))
      ;
  }
}

/* Media goes at the first success, and the pair settles by nomination. */
static void
test_states (void)
{
  Harness h;

  harness_init (&h, TRUE);
  g_assert_cmpint (ice_core_get_state (h.core, h.transport), ==, ICE_STATE_NEW);
  harness_gather (&h);
  g_assert_cmpuint (h.n_local, ==, 1);
  g_assert_cmpuint (h.n_gathered, ==, 1);
  harness_credentials (&h);
  g_assert_cmpint (h.state, ==, ICE_STATE_CHECKING);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  g_assert_cmpuint (h.route_socket, ==, 0);
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  g_assert_cmpuint (h.route_socket, ==, h.socket);
  g_assert_cmpuint (h.route_to.port, ==, 1);
  g_assert_cmpuint (h.n_accepts, ==, 1);
  g_assert_false (h.nominated);
  harness_run_for (&h, 5 * ICE_MSEC);
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_true (h.nominated);
  g_assert_cmpuint (h.n_selected, ==, 2);
  harness_clear (&h);
}

/* Design 9.17. */
static void
test_early_media (void)
{
  IceAddress peer = addr ("192.0.2.2", 1), other = addr ("192.0.2.3", 1);
  Check check = { 0 };
  Harness h;

  harness_start (&h, FALSE);
  g_assert_cmpint (receive_media (&h, &peer), ==, ICE_VERDICT_NOT_STUN);
  harness_check (&h, &peer, &check);
  g_assert_cmpuint (h.n_accepts, ==, 1);
  g_assert_cmpint (receive_media (&h, &peer), ==, ICE_VERDICT_OK);
  g_assert_cmpint (receive_media (&h, &other), ==, ICE_VERDICT_NOT_STUN);
  g_assert_cmpuint (h.n_delivered, ==, 1);
  harness_clear (&h);
}

/* RFC 7675: 30 s after the last answer; sending stops first. */
static void
test_consent_expiry (void)
{
  Harness h;

  harness_complete (&h, TRUE);
  live_for (&h, 60 * ICE_SECOND);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  harness_run_for (&h, 7100 * ICE_MSEC);
  g_assert_cmpint (h.state, ==, ICE_STATE_DISCONNECTED);
  g_assert_cmpuint (h.route_socket, ==, h.socket);
  harness_run_for (&h, 23 * ICE_SECOND);
  g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (h.cause, ==, ICE_CAUSE_CONSENT_EXPIRED);
  g_assert_cmpuint (h.n_consent_lost, ==, 1);
  g_assert_cmpuint (h.route_socket, ==, 0);
  harness_clear (&h);
}

static void
test_disconnected_and_back (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  Harness h;

  harness_complete (&h, TRUE);
  for (guint i = 0; i < 100; i++) {
    ice_core_media_seen (h.core, h.transport, h.now, 0);
    live_for (&h, 50 * ICE_MSEC);
  }
  harness_forget_sent (&h);
  harness_run_for (&h, 1500 * ICE_MSEC);
  g_assert_cmpint (h.state, ==, ICE_STATE_DISCONNECTED);
  g_assert_cmpint (receive_media (&h, &peer), ==, ICE_VERDICT_OK);
  live_for (&h, 10 * ICE_MSEC);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  harness_clear (&h);
}

/* RFC 7675 5.2: a signed 403 ends it at once, an unsigned one does not. */
static void
test_consent_revoked (void)
{
  Harness h;
  IceStunMessage message;
  Sent *sent;

  harness_complete (&h, TRUE);
  harness_run_until_sent (&h);
  sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
  harness_answer_from (&h, sent, &sent->to, &h.host, 403, NULL);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  harness_answer_from (&h, sent, &sent->to, &h.host, 403, PEER_PWD);
  g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
  g_assert_cmpuint (h.n_consent_lost, ==, 1);
  sent_free (sent);
  harness_clear (&h);
}

/* RFC 8445 11: without consent a Binding indication every 15 s. */
static void
test_keepalive (void)
{
  Harness h;
  IceStunMessage message;
  Sent *sent;
  guint n = 0;

  harness_init (&h, TRUE);
  ice_core_set_consent (h.core, FALSE);
  harness_gather (&h);
  harness_credentials (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  harness_answer_next (&h);
  harness_run_for (&h, 5 * ICE_MSEC);
  harness_answer_next (&h);
  harness_forget_sent (&h);
  harness_run_for (&h, 61 * ICE_SECOND);
  while ((sent = harness_pop (&h, ICE_STUN_INDICATION, &message)) != NULL) {
    g_assert_cmpuint (sent->packet->size, ==, 28); /* FINGERPRINT alone */
    n++;
    sent_free (sent);
  }
  g_assert_cmpuint (n, ==, 4);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  harness_clear (&h);
}

/* A peer of RFC 5245 nominates what it checks; the highest of them counts. */
static void
test_aggressive (void)
{
  IceAddress low = addr ("192.0.2.2", 2), high = addr ("192.0.2.2", 1);
  Check check = { .use_candidate = TRUE };
  Harness h;

  harness_start (&h, FALSE);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 2, "2");
  harness_run_for (&h, 20 * ICE_MSEC);
  harness_forget_sent (&h);
  harness_check (&h, &low, &check);
  harness_run_for (&h, 20 * ICE_MSEC);
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (h.route_to.port, ==, 2);

  harness_forget_sent (&h);
  harness_check (&h, &high, &check);
  harness_run_for (&h, 20 * ICE_MSEC);
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpuint (h.route_to.port, ==, 1);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);

  /* Back down it does not go, and nothing is sent but the answer. */
  harness_forget_sent (&h);
  harness_check (&h, &low, &check);
  harness_run_for (&h, 20 * ICE_MSEC);
  g_assert_false (harness_answer_next (&h));
  g_assert_cmpuint (h.route_to.port, ==, 1);
  harness_clear (&h);
}

/* ... but a dead pair yields to one that the peer says works. */
static void
test_nomination_while_disconnected (void)
{
  IceAddress low = addr ("192.0.2.2", 2);
  Check check = { .use_candidate = TRUE };
  Harness h;

  harness_complete (&h, FALSE);
  harness_run_for (&h, 8 * ICE_SECOND);
  g_assert_cmpint (h.state, ==, ICE_STATE_DISCONNECTED);
  harness_forget_sent (&h);
  harness_check (&h, &low, &check);
  harness_run_for (&h, 20 * ICE_MSEC);
  while (harness_answer_next (&h))
    ;
  g_assert_cmpuint (h.route_to.port, ==, 2);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  harness_clear (&h);
}

/* RFC 8445 9: the old pair until the new one is nominated. */
static void
test_restart (void)
{
  IceAddress old = addr ("192.0.2.2", 1), fresh = addr ("192.0.2.2", 2);
  g_autofree gchar *old_ufrag = NULL, *old_pwd = NULL, *username = NULL;
  Check check = { 0 }, consent = { 0 };
  Harness h;
  guint local_before;

  harness_complete (&h, FALSE);
  local_before = h.n_local;
  old_ufrag = g_strdup (ice_core_get_local_ufrag (h.core, h.stream));
  old_pwd = g_strdup (ice_core_get_local_pwd (h.core, h.stream));
  username = g_strdup_printf ("%s:%s", old_ufrag, PEER_UFRAG);
  consent.username = username;
  consent.password = old_pwd;

  ice_core_restart (h.core, h.stream, h.now);
  harness_pump (&h);
  g_assert_cmpstr (ice_core_get_local_ufrag (h.core, h.stream), !=, old_ufrag);
  g_assert_cmpstr (ice_core_get_local_pwd (h.core, h.stream), !=, old_pwd);
  g_assert_cmpuint (h.n_local, ==, local_before + 1);
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  g_assert_cmpuint (h.route_to.port, ==, 1);
  g_assert_cmpint (harness_check (&h, &old, &consent), ==, ICE_VERDICT_OK);

  g_assert_true (ice_core_set_remote_credentials (
      h.core, h.stream, "newp", "newnewnewnewnewnewnewnew", h.now));
  harness_pump (&h);
  harness_forget_sent (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 2, "1");
  harness_run_for (&h, 10 * ICE_MSEC);
  {
    g_autofree gchar *new_name = g_strdup_printf (
        "%s:newp", ice_core_get_local_ufrag (h.core, h.stream));
    IceStunMessage message;
    Sent *sent = harness_pop (&h, ICE_STUN_REQUEST, &message);

    g_assert_cmpint (harness_answer_from (&h, sent, &sent->to, &h.host, 0,
                         "newnewnewnewnewnewnewnew"),
        ==, ICE_VERDICT_OK);
    sent_free (sent);
    /* Valid, but not nominated: media stays. */
    g_assert_cmpuint (h.route_to.port, ==, 1);
    check.username = new_name;
    check.use_candidate = TRUE;
    g_assert_cmpint (harness_check (&h, &fresh, &check), ==, ICE_VERDICT_OK);
  }
  g_assert_cmpuint (h.route_to.port, ==, 2);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  /* Checks of the old generation are refused from now on; its media is taken
   * for three seconds more. */
  g_assert_cmpint (
      harness_check (&h, &old, &consent), ==, ICE_VERDICT_UNAUTHENTICATED);
  g_assert_cmpuint (harness_last_code (&h), ==, 401);
  g_assert_cmpint (receive_media (&h, &old), ==, ICE_VERDICT_OK);
  harness_run_for (&h, 3 * ICE_SECOND);
  g_assert_cmpint (receive_media (&h, &old), ==, ICE_VERDICT_NOT_STUN);
  g_assert_cmpint (receive_media (&h, &fresh), ==, ICE_VERDICT_OK);
  harness_clear (&h);
}

/* Other credentials of the peer are a restart; only half of them is none. */
static void
test_remote_restart (void)
{
  g_autofree gchar *ufrag = NULL;
  Harness h;

  harness_complete (&h, TRUE);
  ufrag = g_strdup (ice_core_get_local_ufrag (h.core, h.stream));
  g_assert_true (ice_core_set_remote_credentials (
      h.core, h.stream, PEER_UFRAG, PEER_PWD, h.now));
  g_assert_false (ice_core_set_remote_credentials (
      h.core, h.stream, "other", PEER_PWD, h.now));
  g_assert_false (ice_core_set_remote_credentials (
      h.core, h.stream, PEER_UFRAG, "otherotherotherotherother", h.now));
  g_assert_false (ice_core_set_remote_credentials (
      h.core, h.stream, "abc", "otherotherotherotherother", h.now));
  g_assert_cmpstr (ice_core_get_local_ufrag (h.core, h.stream), ==, ufrag);
  g_assert_true (ice_core_set_remote_credentials (
      h.core, h.stream, "other", "otherotherotherotherother", h.now));
  harness_pump (&h);
  g_assert_cmpstr (ice_core_get_local_ufrag (h.core, h.stream), !=, ufrag);
  g_assert_cmpuint (h.route_to.port, ==, 1);
  harness_clear (&h);
}

/* The application's own credentials, until checks are under way. */
static void
test_local_credentials (void)
{
  static const gchar pwd[] = "ourownpasswordof24chars1";
  Harness h;

  harness_init (&h, TRUE);
  g_assert_true (
      ice_core_set_local_credentials (h.core, h.stream, "ours", pwd));
  harness_gather (&h);
  g_assert_cmpstr (ice_core_get_local_ufrag (h.core, h.stream), ==, "ours");
  g_assert_false (
      ice_core_set_local_credentials (h.core, h.stream, "our", pwd));
  g_assert_false (
      ice_core_set_local_credentials (h.core, h.stream, "ours", "short"));
  g_assert_false (
      ice_core_set_local_credentials (h.core, h.stream, "our\r\n", pwd));
  harness_credentials (&h);
  g_assert_false (
      ice_core_set_local_credentials (h.core, h.stream, "others", pwd));
  ice_core_restart (h.core, h.stream, h.now);
  g_assert_true (
      ice_core_set_local_credentials (h.core, h.stream, "others", pwd));
  harness_pump (&h);
  harness_clear (&h);
}

/* A restart that never succeeds: the old pair lives as long as its consent. */
static void
test_restart_without_end (void)
{
  Harness h;

  harness_complete (&h, TRUE);
  ice_core_restart (h.core, 0, h.now);
  harness_pump (&h);
  live_for (&h, 60 * ICE_SECOND);
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  harness_run_for (&h, 31 * ICE_SECOND);
  g_assert_cmpuint (h.n_consent_lost, ==, 1);
  g_assert_cmpint (h.state, ==, ICE_STATE_NEW);
  g_assert_cmpuint (h.route_socket, ==, 0);
  harness_clear (&h);
}

/* Candidates before credentials, of another generation, after the end. */
static void
test_trickle (void)
{
  g_autoptr (IceCandidate) stale = ice_candidate_new (ICE_CANDIDATE_HOST, 1);
  Harness h;

  stale->address = addr ("192.0.2.5", 5);
  stale->priority = 1;
  g_strlcpy (stale->foundation, "1", sizeof stale->foundation);
  stale->ufrag = g_strdup ("old");

  harness_init (&h, TRUE);
  harness_gather (&h);
  g_assert_cmpint (
      harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1"), ==,
      ICE_VERDICT_OK);
  g_assert_cmpint (
      ice_core_add_remote_candidate (h.core, h.stream, stale, h.now), ==,
      ICE_VERDICT_OK);
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 0);
  harness_credentials (&h);
  harness_run_for (&h, 100 * ICE_MSEC);
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 1);
  g_assert_cmpint (
      ice_core_add_remote_candidate (h.core, h.stream, stale, h.now), ==,
      ICE_VERDICT_UNEXPECTED);
  g_assert_cmpint (
      harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1"), ==,
      ICE_VERDICT_DUPLICATE);
  ice_core_end_remote_candidates (h.core, h.stream, h.now);
  g_assert_cmpint (
      harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 2, "1"), ==,
      ICE_VERDICT_UNEXPECTED);
  harness_clear (&h);
}

/* RFC 8863: no candidate of the peer is no failure before 39.5 s. */
static void
test_no_remote (void)
{
  Harness h;
  IceTime begin;

  harness_init (&h, TRUE);
  harness_gather (&h);
  harness_credentials (&h);
  begin = h.now;
  ice_core_end_remote_candidates (h.core, h.stream, h.now);
  harness_run_until (&h, begin + 39499 * ICE_MSEC);
  g_assert_cmpint (h.state, ==, ICE_STATE_CHECKING);
  g_assert_nonnull (strstr (h.error, "signalling"));
  harness_run_until (&h, begin + 39500 * ICE_MSEC);
  g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (h.cause, ==, ICE_CAUSE_NO_REMOTE_CANDIDATES);
  harness_clear (&h);
}

static void
test_connect_timeout (void)
{
  Harness h;

  harness_init (&h, TRUE);
  ice_core_set_connect_timeout (h.core, 5 * ICE_SECOND);
  harness_gather (&h);
  harness_credentials (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  harness_run_for (&h, 5 * ICE_SECOND);
  g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
  g_assert_nonnull (strstr (h.error, "connect-timeout"));
  harness_clear (&h);
}

/* Against a lite agent we control, and it sends no checks. */
static void
test_lite_peer (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  Harness h;

  harness_init (&h, FALSE);
  ice_core_set_remote_lite (h.core, TRUE, h.now);
  harness_gather (&h);
  harness_credentials (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  g_assert_true (ice_core_get_controlling (h.core));
  g_assert_true (harness_answer_next (&h));
  harness_run_for (&h, 5 * ICE_MSEC);
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpint (receive_media (&h, &peer), ==, ICE_VERDICT_OK);
  live_for (&h, 60 * ICE_SECOND);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  harness_clear (&h);
}

/* Design 9.7. */
static void
test_non_ice_peer (void)
{
  IceAddress peer = addr ("192.0.2.2", 4000);
  IceAddress group = addr ("224.0.0.1", 4000);
  Harness h;

  harness_init (&h, TRUE);
  g_assert_cmpint (
      ice_core_set_remote_default (h.core, h.transport, &peer, h.now), ==,
      ICE_VERDICT_REFUSED);
  ice_core_set_allow_non_ice (h.core, TRUE);
  g_assert_cmpint (
      ice_core_set_remote_default (h.core, h.transport, &group, h.now), ==,
      ICE_VERDICT_REFUSED);
  g_assert_cmpint (
      ice_core_set_remote_default (h.core, h.transport, &peer, h.now), ==,
      ICE_VERDICT_OK);
  harness_pump (&h);
  g_assert_cmpuint (h.route_socket, ==, 0);
  harness_gather (&h);
  g_assert_cmpuint (h.route_socket, ==, h.socket);
  g_assert_cmpuint (h.route_to.port, ==, 4000);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpint (receive_media (&h, &peer), ==, ICE_VERDICT_OK);
  harness_run_for (&h, 600 * ICE_SECOND);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 0);
  harness_clear (&h);
}

/* The application picks, in either role. */
static void
test_set_selected_pair (void)
{
  IceAddress remote = addr ("192.0.2.2", 2), stranger = addr ("192.0.2.7", 7);
  Harness h;

  for (guint controlling = 0; controlling < 2; controlling++) {
    harness_start (&h, controlling);
    harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 2, "2");
    harness_run_for (&h, 20 * ICE_MSEC);
    g_assert_cmpint (ice_core_set_selected_pair (
                         h.core, h.transport, &h.host, &stranger, h.now),
        ==, ICE_VERDICT_REFUSED);
    harness_forget_sent (&h);
    g_assert_cmpint (ice_core_set_selected_pair (
                         h.core, h.transport, &h.host, &remote, h.now),
        ==, ICE_VERDICT_OK);
    harness_pump (&h);
    harness_run_for (&h, 20 * ICE_MSEC);
    g_assert_cmpuint (h.route_socket, ==, 0); /* not before it answered */
    g_assert_true (harness_answer_next (&h));
    g_assert_cmpuint (h.route_to.port, ==, 2);
    g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
    harness_clear (&h);
  }
}

/* The stream is complete when each component is. */
static void
test_two_components (void)
{
  guint rtcp;
  Harness h;

  harness_init (&h, TRUE);
  rtcp = ice_core_add_component (h.core, h.stream, 2);
  g_assert_cmpuint (rtcp, ==, ice_core_add_component (h.core, h.stream, 2));
  harness_gather (&h);
  g_assert_cmpuint (h.n_local, ==, 2);
  harness_credentials (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  g_assert_true (harness_answer_next (&h));
  harness_run_for (&h, 5 * ICE_MSEC);
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (
      ice_core_get_state (h.core, h.transport), ==, ICE_STATE_CONNECTED);
  /* The answer says rtcp-mux. */
  ice_core_remove_component (h.core, h.stream, 2, h.now);
  harness_pump (&h);
  g_assert_cmpint (ice_core_get_state (h.core, rtcp), ==, ICE_STATE_CLOSED);
  g_assert_cmpint (
      ice_core_get_state (h.core, h.transport), ==, ICE_STATE_COMPLETED);
  harness_clear (&h);
}

static void
test_close (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  Check check = { 0 };
  Harness h;

  harness_complete (&h, TRUE);
  g_assert_true (
      ice_core_send (h.core, h.transport, ICE_BYTES ("x", 1), h.now));
  harness_pump (&h);
  harness_forget_sent (&h);
  ice_core_close (h.core, h.now);
  harness_pump (&h);
  g_assert_cmpint (h.state, ==, ICE_STATE_CLOSED);
  g_assert_cmpuint (h.route_socket, ==, 0);
  g_assert_cmpuint (h.n_accepts, ==, 0);
  g_assert_cmpint (h.deadline, ==, ICE_TIME_NEVER);
  g_assert_cmpint (harness_check (&h, &peer, &check), ==, ICE_VERDICT_REFUSED);
  g_assert_false (
      ice_core_send (h.core, h.transport, ICE_BYTES ("x", 1), h.now));
  g_assert_false (ice_core_set_remote_credentials (
      h.core, h.stream, "other", "otherotherotherotherother", h.now));
  ice_core_restart (h.core, 0, h.now);
  ice_core_remove_stream (h.core, h.stream, h.now);
  harness_pump (&h);
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 0);
  harness_clear (&h);
}

/* policy=relay: nobody learns our address, not even by an answer. */
static void
test_relay_only (void)
{
  IceGathererConfig config = { .relay_only = TRUE };
  IceAddress peer = addr ("192.0.2.2", 1);
  Check check = { 0 };
  Harness h;

  harness_init (&h, TRUE);
  ice_core_set_gather_config (h.core, &config);
  harness_gather (&h);
  harness_credentials (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  harness_check (&h, &peer, &check);
  harness_run_for (&h, 50 * ICE_SECOND);
  g_assert_cmpuint (g_queue_get_length (&h.sent), ==, 0);
  g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (h.cause, ==, ICE_CAUSE_NO_LOCAL_CANDIDATES);
  g_assert_nonnull (strstr (h.error, "no TURN server is configured"));
  harness_clear (&h);
}

static void
test_stats (void)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (IcePairStats));
  g_autoptr (GArray) transports =
      g_array_new (FALSE, FALSE, sizeof (IceTransportStats));
  const IcePairStats *pair;
  const IceTransportStats *transport;
  Harness h;

  harness_complete (&h, TRUE);
  live_for (&h, 30 * ICE_SECOND);
  ice_core_get_pair_stats (h.core, pairs);
  ice_core_get_transport_stats (h.core, transports);
  g_assert_cmpuint (pairs->len, ==, 1);
  g_assert_cmpuint (transports->len, ==, 1);
  pair = &g_array_index (pairs, IcePairStats, 0);
  transport = &g_array_index (transports, IceTransportStats, 0);
  g_assert_true (pair->selected && pair->nominated);
  g_assert_cmpstr (pair->state, ==, "succeeded");
  g_assert_cmpuint (pair->consent_requests_sent, >=, 4);
  g_assert_cmpuint (pair->requests_sent, ==, pair->consent_requests_sent + 2);
  g_assert_cmpuint (pair->responses_received, ==, pair->requests_sent);
  g_assert_cmpuint (transport->selected_pair, ==, pair->id);
  g_assert_cmpuint (transport->selected_pair_changes, ==, 1);
  g_assert_cmpint (transport->connected, >=, transport->first_check);
  harness_clear (&h);
}

/* Nonsense ids and orders from the caller are answered, not crashed on. */
static void
test_unknown_ids (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  Harness h;

  harness_init (&h, TRUE);
  ice_core_gather (h.core, 999, h.now);
  ice_core_remove_stream (h.core, 999, h.now);
  ice_core_remove_component (h.core, h.stream, 7, h.now);
  ice_core_end_remote_candidates (h.core, 999, h.now);
  ice_core_socket_opened (h.core, 999, &peer, h.now);
  ice_core_socket_failed (h.core, 999, "no", h.now);
  ice_core_resolved (h.core, 999, &peer, 1, h.now);
  ice_core_unreachable (h.core, 999, &peer, ICE_BYTES_NONE, h.now);
  ice_core_media_seen (h.core, 999, h.now, h.now);
  g_assert_null (ice_core_get_local_ufrag (h.core, 999));
  g_assert_cmpuint (ice_core_add_component (h.core, 999, 1), ==, 0);
  g_assert_cmpint (
      ice_core_set_selected_pair (h.core, h.transport, &peer, &peer, h.now), ==,
      ICE_VERDICT_UNEXPECTED);
  g_assert_false (
      ice_core_send (h.core, h.transport, ICE_BYTES ("x", 1), h.now));
  harness_pump (&h);
  harness_clear (&h);
}

/* A socket that dies takes its pair with it. */
static void
test_socket_lost (void)
{
  Harness h;

  harness_complete (&h, TRUE);
  ice_core_socket_failed (h.core, h.socket, "interface went down", h.now);
  harness_pump (&h);
  g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (h.cause, ==, ICE_CAUSE_RESOURCE);
  g_assert_cmpuint (h.route_socket, ==, 0);
  harness_clear (&h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/states", test_states);
  g_test_add_func ("/core/early-media", test_early_media);
  g_test_add_func ("/core/consent-expiry", test_consent_expiry);
  g_test_add_func ("/core/disconnected-and-back", test_disconnected_and_back);
  g_test_add_func ("/core/consent-revoked", test_consent_revoked);
  g_test_add_func ("/core/keepalive", test_keepalive);
  g_test_add_func ("/core/aggressive", test_aggressive);
  g_test_add_func ("/core/nomination-while-disconnected",
      test_nomination_while_disconnected);
  g_test_add_func ("/core/restart", test_restart);
  g_test_add_func ("/core/remote-restart", test_remote_restart);
  g_test_add_func ("/core/local-credentials", test_local_credentials);
  g_test_add_func ("/core/restart-without-end", test_restart_without_end);
  g_test_add_func ("/core/trickle", test_trickle);
  g_test_add_func ("/core/no-remote", test_no_remote);
  g_test_add_func ("/core/connect-timeout", test_connect_timeout);
  g_test_add_func ("/core/lite-peer", test_lite_peer);
  g_test_add_func ("/core/non-ice-peer", test_non_ice_peer);
  g_test_add_func ("/core/set-selected-pair", test_set_selected_pair);
  g_test_add_func ("/core/two-components", test_two_components);
  g_test_add_func ("/core/close", test_close);
  g_test_add_func ("/core/relay-only", test_relay_only);
  g_test_add_func ("/core/stats", test_stats);
  g_test_add_func ("/core/unknown-ids", test_unknown_ids);
  g_test_add_func ("/core/socket-lost", test_socket_lost);
  return g_test_run ();
}
