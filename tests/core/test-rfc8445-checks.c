/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8445 6 and 7: pairs and checks. A case is named after the section that
 * it was read from. */
#include "hostile.h"

static guint
count_state (Harness *h, const gchar *state)
{
  g_autoptr (GArray) stats = g_array_new (FALSE, FALSE, sizeof (IcePairStats));
  guint n = 0;

  ice_core_get_pair_stats (h->core, stats);
  for (guint i = 0; i < stats->len; i++)
    n += g_str_equal (g_array_index (stats, IcePairStats, i).state, state);
  return n;
}

/* (transfer full) the next request to @port; (nullable). */
static Sent *
pop_to (Harness *h, guint16 port, IceStunMessage *ret_message)
{
  Sent *sent;

  while ((sent = harness_pop (h, ICE_STUN_REQUEST, ret_message)) != NULL) {
    if (sent->to.port == port)
      return sent;
    sent_free (sent);
  }
  return NULL;
}

/* 5.3: "the agent MUST be ready to receive STUN and data" on a candidate as
 * soon as it is told: a check to each socket is answered from there, before the
 * peer's credentials are known. */
static void
test_ready_on_each_candidate (void)
{
  static const gchar *const ips[] = { "192.0.2.1", "198.51.100.1", "10.0.0.1" };
  IceInterfaceAddress list[3];
  g_autoptr (GPtrArray) locals = NULL;
  IceAddress from = addr ("192.0.2.9", 9);
  Check check = { 0 };
  Harness h;

  harness_init (&h, FALSE);
  for (guint i = 0; i < 3; i++)
    list[i] = (IceInterfaceAddress){ .address = addr (ips[i], 0),
      .interface_index = i + 1 };
  ice_core_set_interfaces (h.core, list, 3, h.now);
  ice_core_gather (h.core, h.stream, h.now);
  harness_pump (&h);
  locals = ice_core_get_local_candidates (h.core, h.stream);
  g_assert_cmpuint (locals->len, ==, 3);
  for (guint i = 0; i < locals->len; i++) {
    const IceCandidate *local = g_ptr_array_index (locals, i);

    h.socket = local->socket;
    harness_forget_sent (&h);
    g_assert_cmpint (harness_check (&h, &from, &check), ==, ICE_VERDICT_OK);
    g_assert_cmpuint (harness_last_code (&h), ==, 0);
    g_assert_cmpuint (
        ((Sent *) g_queue_peek_tail (&h.sent))->socket, ==, local->socket);
  }
  harness_clear (&h);
}

/* 6.1.1: "the agents MUST NOT redetermine the roles" at a restart, ours or the
 * peer's; and a peer that does so all the same is only a role conflict. */
static void
test_roles_survive_restart (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  Check conflict = { .controlled = FALSE, .tie_breaker = G_MAXUINT64 };
  Harness h;

  harness_start (&h, TRUE);
  g_assert_cmpint (harness_check (&h, &peer, &conflict), ==, ICE_VERDICT_OK);
  g_assert_false (ice_core_get_controlling (h.core));
  ice_core_restart (h.core, 0, h.now);
  g_assert_false (ice_core_get_controlling (h.core));
  g_assert_true (ice_core_set_remote_credentials (
      h.core, h.stream, "other", "anotherpasswordof24chars", h.now));
  harness_pump (&h);
  g_assert_false (ice_core_get_controlling (h.core));
  g_assert_cmpuint (h.n_roles, ==, 1);
  harness_clear (&h);
}

/* 6.1.2.4: a reflexive local candidate is its base when pairs are made, so
 * that with one host and one reflexive candidate there is one pair. */
static void
test_reflexive_is_its_base (void)
{
  IceServerConfig server = { .id = 1,
    .kind = ICE_SERVER_STUN,
    .host = "203.0.113.1",
    .port = 3478,
    .url = "stun:203.0.113.1" };
  IceAddress from = addr ("203.0.113.1", 3478);
  IceAddress mapped = addr ("198.51.100.7", 4711);
  IceStunMessage message;
  Harness h;
  Sent *sent;

  harness_init (&h, TRUE);
  ice_core_add_server (h.core, &server);
  harness_gather (&h);
  sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
  harness_answer_from (&h, sent, &from, &mapped, 0, NULL);
  sent_free (sent);
  g_assert_cmpuint (h.n_local, ==, 2);
  harness_credentials (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  g_assert_cmpuint (harness_count_pairs (&h), ==, 1);
  harness_run_until_sent (&h);
  sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
  g_assert_cmpuint (sent->socket, ==, h.socket);
  /* RFC 8445 7.2.5.3.2: the answer makes the valid pair of the reflexive
   * candidate; the address was told before, so nothing is learnt. */
  harness_answer_from (&h, sent, &sent->to, &mapped, 0, PEER_PWD);
  g_assert_cmpuint (h.n_local, ==, 2);
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  sent_free (sent);
  harness_clear (&h);
}

/* 7.1.2: "The controlled agent MUST NOT include the USE-CANDIDATE attribute",
 * in a check, a triggered one, one of consent or a probe. */
static void
test_controlled_never_nominates (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  Check check = { .use_candidate = TRUE };
  guint n = 0;
  Harness h;

  harness_start (&h, FALSE);
  for (guint i = 0; i < 200; i++) {
    IceStunMessage message;
    Sent *sent;

    harness_check (&h, &peer, &check);
    harness_run_for (&h, 500 * ICE_MSEC);
    while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
      g_assert_false (ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE));
      /* Every second one is lost, so that there are probes as well. */
      if (n++ % 2)
        harness_answer (&h, sent);
      sent_free (sent);
    }
  }
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (n, >, 20);
  harness_clear (&h);
}

/* 7.2.5.3.3: success unfreezes the pairs of that foundation in all checklists
 * of the set. */
static void
test_thaws_every_checklist (void)
{
  guint streams[3] = { 0 };
  IceStunMessage message;
  Harness h;
  Sent *sent;

  harness_init (&h, TRUE);
  streams[0] = h.stream;
  for (guint i = 1; i < 3; i++) {
    streams[i] = ice_core_add_stream (h.core);
    ice_core_add_component (h.core, streams[i], 1);
  }
  harness_gather (&h);
  for (guint i = 0; i < 3; i++) {
    h.stream = streams[i];
    ice_core_gather (h.core, h.stream, h.now);
    harness_pump (&h);
  }
  for (guint i = 0; i < 3; i++) {
    h.stream = streams[i];
    harness_credentials (&h);
    harness_add_remote (
        &h, ICE_CANDIDATE_HOST, "192.0.2.2", (guint16) (i + 1), "same");
  }
  h.stream = streams[0];
  g_assert_cmpuint (count_state (&h, "frozen"), ==, 2);
  sent = pop_to (&h, 1, &message);
  g_assert_nonnull (sent);
  harness_answer (&h, sent);
  g_assert_cmpuint (count_state (&h, "frozen"), ==, 0);
  sent_free (sent);
  harness_clear (&h);
}

/* 7.2.5.3.4: a nomination that fails fails its pair. The RFC fails the whole
 * checklist; where another pair is valid we go on with that (and say so in
 * docs/rfc-map.md). */
static void
test_failed_nomination (void)
{
  IceStunMessage message;
  guint n_nominated = 0;
  Harness h;
  Sent *sent;

  harness_start (&h, TRUE);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 2, "2");
  harness_run_for (&h, 20 * ICE_MSEC);
  for (guint i = 0; i < 2; i++) {
    sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
    harness_answer (&h, sent);
    sent_free (sent);
  }
  harness_run_for (&h, 300 * ICE_MSEC);
  sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
  g_assert_true (ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE));
  g_assert_cmpuint (sent->to.port, ==, 1);
  harness_answer_from (&h, sent, &sent->to, NULL, 400, PEER_PWD);
  sent_free (sent);
  g_assert_cmpuint (count_state (&h, "failed"), ==, 1);
  g_assert_cmpuint (h.route_to.port, ==, 2);
  harness_run_for (&h, 300 * ICE_MSEC);
  while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
    if (ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE)) {
      g_assert_cmpuint (sent->to.port, ==, 2);
      harness_answer (&h, sent);
      n_nominated++;
    }
    sent_free (sent);
  }
  g_assert_cmpuint (n_nominated, >=, 1);
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  harness_clear (&h);
}

/* The same with nothing else that is valid: no path, and said so. */
static void
test_failed_only_nomination (void)
{
  IceStunMessage message;
  Harness h;
  Sent *sent;

  harness_start (&h, TRUE);
  harness_answer_next (&h);
  harness_run_for (&h, 10 * ICE_MSEC);
  sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
  g_assert_true (ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE));
  harness_answer_from (&h, sent, &sent->to, NULL, 400, PEER_PWD);
  sent_free (sent);
  g_assert_cmpuint (count_state (&h, "failed"), ==, 1);
  g_assert_cmpuint (h.route_socket, ==, 0);
  harness_run_for (&h, 40 * ICE_SECOND);
  g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
  harness_clear (&h);
}

/* 7.3 with RFC 8489 10: "an agent MUST NOT ... ALTERNATE-SERVER": a 300 fails
 * the pair as any error does, and nothing goes where it points to. */
static void
test_no_alternate_server (void)
{
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PEER_PWD);
  IceAddress elsewhere = addr ("198.51.100.99", 99);
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;
  IceStunMessage message;
  Harness h;
  Sent *sent;

  harness_start (&h, TRUE);
  sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
  ice_stun_builder_init (
      &builder, ICE_STUN_ERROR, ICE_STUN_BINDING, message.id);
  ice_stun_builder_add_error (&builder, 300, NULL);
  ice_stun_builder_add_address (
      &builder, ICE_STUN_ALTERNATE_SERVER, &elsewhere);
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);
  g_assert_cmpint (harness_receive (&h, &sent->to, packet), ==, ICE_VERDICT_OK);
  sent_free (sent);
  g_assert_cmpuint (count_state (&h, "failed"), ==, 1);
  harness_run_for (&h, 40 * ICE_SECOND);
  while ((sent = g_queue_pop_head (&h.sent)) != NULL) {
    g_assert_false (ice_address_same_ip (&sent->to, &elsewhere));
    sent_free (sent);
  }
  harness_clear (&h);
}

typedef struct
{
  const gchar *state; /* of the pair when the peer's check comes */
  guint n_checks;     /* of ours that follow at the next slot */
} Trigger;

/* 7.3.1.4: what a check of the peer's does to the pair, by its state. */
static void
test_triggered_by_state (void)
{
  static const Trigger rows[] = {
    { "waiting", 1 },
    { "in-progress", 1 },
    { "failed", 1 },
    { "succeeded", 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IceAddress peer = addr ("192.0.2.2", 1);
    Check check = { 0 };
    IceStunMessage message;
    guint8 old_id[ICE_STUN_ID_SIZE] = { 0 };
    guint n = 0;
    Harness h;
    Sent *sent;

    g_test_message ("%s", rows[i].state);
    harness_init (&h, FALSE);
    harness_gather (&h);
    harness_credentials (&h);
    if (i == 0) /* another stream's gathering has the slot */
      ice_core_set_remote_pacing (h.core, 2000);
    if (i == 0)
      harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.3", 3, "0");
    harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
    if (i > 0) {
      harness_run_until_sent (&h);
      sent = harness_pop (&h, ICE_STUN_REQUEST, &message);
      memcpy (old_id, message.id, sizeof old_id);
      if (i == 2)
        harness_answer_from (&h, sent, &sent->to, NULL, 500, PEER_PWD);
      else if (i == 3)
        harness_answer (&h, sent);
      sent_free (sent);
    }
    g_assert_cmpuint (count_state (&h, rows[i].state), ==, 1);
    harness_forget_sent (&h);
    harness_check (&h, &peer, &check);
    harness_run_for (&h, i == 0 ? 2 * ICE_SECOND : 10 * ICE_MSEC);
    while ((sent = pop_to (&h, 1, &message)) != NULL) {
      g_assert_false (ice_stun_id_equal (message.id, old_id));
      sent_free (sent);
      n++;
    }
    g_assert_cmpuint (n, >=, rows[i].n_checks);
    g_assert_cmpuint (n, <=, rows[i].n_checks + (i == 0));
    harness_clear (&h);
  }
}

/* 7.3.1.4: the check that a triggered one replaces is not resent any more, and
 * its answer counts all the same. */
static void
test_cancelled_check_counts (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  IceStunMessage message;
  Check check = { 0 };
  Harness h;
  Sent *first, *sent;
  guint8 id[ICE_STUN_ID_SIZE];

  harness_start (&h, FALSE);
  first = harness_pop (&h, ICE_STUN_REQUEST, &message);
  memcpy (id, message.id, sizeof id);
  harness_check (&h, &peer, &check);
  harness_run_for (&h, 3 * ICE_SECOND);
  while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
    g_assert_false (ice_stun_id_equal (message.id, id));
    sent_free (sent);
  }
  g_assert_cmpint (harness_answer (&h, first), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (count_state (&h, "succeeded"), ==, 1);
  sent_free (first);
  harness_clear (&h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/rfc8445/5.3/ready-on-each-candidate", test_ready_on_each_candidate);
  g_test_add_func (
      "/rfc8445/6.1.1/roles-survive-restart", test_roles_survive_restart);
  g_test_add_func (
      "/rfc8445/6.1.2.4/reflexive-is-its-base", test_reflexive_is_its_base);
  g_test_add_func ("/rfc8445/7.1.2/controlled-never-nominates",
      test_controlled_never_nominates);
  g_test_add_func (
      "/rfc8445/7.2.5.3.3/thaws-every-checklist", test_thaws_every_checklist);
  g_test_add_func (
      "/rfc8445/7.2.5.3.4/failed-nomination", test_failed_nomination);
  g_test_add_func (
      "/rfc8445/7.2.5.3.4/failed-only-nomination", test_failed_only_nomination);
  g_test_add_func (
      "/rfc8445/7.3/no-alternate-server", test_no_alternate_server);
  g_test_add_func (
      "/rfc8445/7.3.1.4/triggered-by-state", test_triggered_by_state);
  g_test_add_func (
      "/rfc8445/7.3.1.4/cancelled-check-counts", test_cancelled_check_counts);
  return g_test_run ();
}
