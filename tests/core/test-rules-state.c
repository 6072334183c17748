/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* security.md 3, 4 and 6.2 by a whole core, where what matters is the state
 * that it is in: nothing before authentication, clocks at their edges, outages,
 * sizes, tie-breakers. docs/threats.md has the table. */
#include "hostile.h"

typedef enum
{
  STAGE_NEW,
  STAGE_CHECKING,
  STAGE_CONNECTED,
  STAGE_COMPLETED,
  STAGE_DISCONNECTED,
  STAGE_RESTARTED,
  STAGE_FAILED,
  N_STAGES,
} Stage;

static void
reach (Harness *h, Stage stage)
{
  switch (stage) {
    case STAGE_NEW:
      harness_init (h, TRUE);
      harness_gather (h);
      break;
    case STAGE_CHECKING:
      harness_start (h, TRUE);
      break;
    case STAGE_CONNECTED:
      harness_start (h, TRUE);
      harness_answer_next (h);
      harness_run_for (h, 10 * ICE_MSEC);
      break;
    case STAGE_COMPLETED:
    case STAGE_DISCONNECTED:
    case STAGE_RESTARTED:
      harness_complete (h, TRUE);
      if (stage == STAGE_DISCONNECTED)
        harness_run_for (h, 10 * ICE_SECOND);
      if (stage == STAGE_RESTARTED)
        ice_core_restart (h->core, 0, h->now);
      harness_pump (h);
      break;
    case STAGE_FAILED:
    default:
      harness_start (h, TRUE);
      harness_run_for (h, 60 * ICE_SECOND);
      break;
  }
}

/* What a forger puts into a message. */
typedef struct
{
  gboolean name, use_candidate, role, priority, mapped, unknown, fingerprint;
  guint error;      /* 0: none */
  const gchar *mac; /* a password that is not the right one; NULL: no MAC */
  gboolean sha256;
} Forgery;

static const Forgery forgeries[] = {
  { 0 },
  { .fingerprint = TRUE },
  { .name = TRUE, .priority = TRUE, .role = TRUE, .fingerprint = TRUE },
  { .name = TRUE,
      .mac = "notthepasswordof24letters",
      .use_candidate = TRUE,
      .priority = TRUE,
      .role = TRUE,
      .fingerprint = TRUE },
  { .name = TRUE,
      .mac = "notthepasswordof24letters",
      .sha256 = TRUE,
      .use_candidate = TRUE,
      .priority = TRUE,
      .fingerprint = TRUE },
  { .name = TRUE, .unknown = TRUE, .mac = "notthepasswordof24letters" },
  { .mapped = TRUE, .fingerprint = TRUE },
  { .mapped = TRUE, .mac = "notthepasswordof24letters", .fingerprint = TRUE },
  { .error = 487, .fingerprint = TRUE },
  { .error = 487, .mac = "notthepasswordof24letters", .fingerprint = TRUE },
  { .error = 403, .mac = "notthepasswordof24letters" },
  { .error = 300, .mapped = TRUE },
  { .error = 400 },
};

static IcePacket *
forge (Harness *h, const Forgery *what, IceStunClass klass, guint16 method,
    const guint8 *id)
{
  g_autofree gchar *name = g_strdup_printf (
      "%s:%s", ice_core_get_local_ufrag (h->core, h->stream), PEER_UFRAG);
  IceAddress address = addr (ATTACKER_IP, 66);
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, klass, method, id);
  if (what->name)
    ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, name);
  if (what->error)
    ice_stun_builder_add_error (&builder, what->error, NULL);
  if (what->mapped)
    ice_stun_builder_add_xor_address (
        &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &address);
  if (what->priority)
    ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY, PEER_PRIORITY);
  if (what->role)
    ice_stun_builder_add_u64 (&builder, ICE_STUN_ICE_CONTROLLING, G_MAXUINT64);
  if (what->use_candidate)
    ice_stun_builder_add_flag (&builder, ICE_STUN_USE_CANDIDATE);
  if (what->unknown)
    ice_stun_builder_add_flag (&builder, 0x7abc);
  if (what->mac) {
    g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (what->mac);

    ice_stun_builder_add_integrity (&builder, key,
        what->sha256 ? ICE_STUN_INTEGRITY_SHA256 : ICE_STUN_INTEGRITY_SHA1);
  }
  if (what->fingerprint)
    ice_stun_builder_add_fingerprint (&builder);
  return ice_stun_builder_end (&builder);
}

/* The id of the request that was sent last, so that an answer is to something;
 * zeros when there is none. */
static void
last_request (Harness *h, guint8 *ret_id)
{
  memset (ret_id, 0, ICE_STUN_ID_SIZE);
  for (GList *l = h->sent.head; l; l = l->next) {
    const Sent *sent = l->data;

    memcpy (ret_id, sent->packet->data + 8, ICE_STUN_ID_SIZE);
  }
}

/* I6: whatever fails before its MAC was verified changes nothing that can be
 * asked or seen, but for the counters: every class, method and forgery, in
 * every state, from a stranger and from the peer's own address. */
static void
test_nothing_before_authentication (void)
{
  static const guint16 methods[] = { 1, 3, 4, 6, 7, 8, 9, 0xa, 0xb, 0xc,
    0xfff };
  IceAddress sources[] = { addr (ATTACKER_IP, 66), addr ("192.0.2.2", 1) };
  guint n = 0;

  for (Stage stage = 0; stage < N_STAGES; stage++) {
    g_autofree gchar *before = NULL;
    guint8 id[ICE_STUN_ID_SIZE];
    Harness h;

    reach (&h, stage);
    last_request (&h, id);
    before = harness_snapshot (&h);
    for (guint i = 0; i < G_N_ELEMENTS (methods) * 4; i++) {
      for (guint j = 0; j < G_N_ELEMENTS (forgeries) * 2; j++) {
        g_autoptr (IcePacket) packet =
            forge (&h, &forgeries[j / 2], i % 4, methods[i / 4], id);
        g_autofree gchar *after = NULL;

        harness_receive (&h, &sources[j % 2], packet);
        after = harness_snapshot (&h);
        if (!g_str_equal (before, after))
          g_test_message ("stage %d class %u method %u forgery %u", stage,
              i % 4, methods[i / 4], j / 2);
        g_assert_cmpstr (before, ==, after);
        n++;
      }
    }
    harness_clear (&h);
  }
  g_test_message ("%u forgeries", n);
}

/* N8: what ICE sends fits everywhere: 548 bytes is a datagram of RFC 791's 576
 * over IPv4; the longest credentials there are stay below IPv6's 1232. */
static void
test_small_checks (void)
{
  g_autofree gchar *long_name = g_strnfill (256, 'u');
  g_autofree gchar *long_word = g_strnfill (256, 'p');

  for (guint longest = 0; longest < 2; longest++) {
    gsize most = 0;
    Harness h;
    Sent *sent;

    harness_init (&h, TRUE);
    harness_gather (&h);
    g_assert_true (ice_core_set_remote_credentials (h.core, h.stream,
        longest ? long_name : PEER_UFRAG, longest ? long_word : PEER_PWD,
        h.now));
    harness_pump (&h);
    harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
    harness_run_for (&h, 5 * ICE_SECOND);
    while ((sent = g_queue_pop_head (&h.sent)) != NULL) {
      most = MAX (most, sent->packet->size);
      sent_free (sent);
    }
    g_assert_cmpuint (most, >, 0);
    g_assert_cmpuint (most, <=, longest ? 1232 : 548);
    harness_clear (&h);
  }
}

static void
live_for (Harness *h, IceTime duration)
{
  IceTime until = h->now + duration;

  while (h->now < until) {
    IceStunMessage message;
    Sent *sent;

    harness_run_until (h, MIN (until, h->now + 20 * ICE_MSEC));
    while ((sent = harness_pop (h, ICE_STUN_REQUEST, &message)) != NULL) {
      harness_answer (h, sent);
      sent_free (sent);
    }
  }
}

/* N18: a session across each place where a clock of some width turns over:
 * connects, keeps consent, notices the end. */
static void
test_clock_edges (void)
{
  static const IceTime edges[] = { G_GINT64_CONSTANT (1) << 31,
    G_GINT64_CONSTANT (1) << 32, (G_GINT64_CONSTANT (1) << 31) * 1000,
    (G_GINT64_CONSTANT (1) << 32) * 1000, G_GINT64_CONSTANT (1) << 53,
    G_MAXINT64 / 1000, (G_GINT64_CONSTANT (1) << 62) };

  for (guint i = 0; i < G_N_ELEMENTS (edges); i++) {
    Harness h;

    harness_init (&h, TRUE);
    h.now = edges[i] - 5 * ICE_SECOND;
    harness_gather (&h);
    harness_credentials (&h);
    harness_add_remote (&h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
    live_for (&h, 40 * ICE_SECOND);
    g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpuint (h.n_consent_lost, ==, 0);
    harness_run_for (&h, 31 * ICE_SECOND);
    g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
    g_assert_cmpuint (h.n_consent_lost, ==, 1);
    harness_clear (&h);
  }
}

/* N2: outages of 2 to 8 s, one after the other, for ten minutes: the route is
 * never taken down, consent never lost, the state comes back. */
static void
test_outages (void)
{
  guint route;
  Harness h;

  harness_complete (&h, TRUE);
  route = h.route_socket;
  for (guint i = 0; i < 20; i++) {
    harness_run_for (&h, (2 + i % 7) * ICE_SECOND);
    harness_forget_sent (&h);
    g_assert_cmpuint (h.route_socket, ==, route);
    live_for (&h, 20 * ICE_SECOND);
    g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpuint (h.route_socket, ==, route);
  }
  g_assert_cmpuint (h.n_consent_lost, ==, 0);
  g_assert_cmpuint (h.n_selected, ==, 2);
  harness_clear (&h);
}

/* N4: one to ten copies of everything the peer sends: the same states and the
 * same number of events as with one. */
static void
test_duplicates (void)
{
  for (guint copies = 1; copies <= 10; copies += 9) {
    IceAddress peer = addr ("192.0.2.2", 1);
    Check check = { .use_candidate = TRUE };
    Harness h;

    harness_start (&h, FALSE);
    for (guint i = 0; i < 40; i++) {
      g_autoptr (IcePacket) packet = NULL;
      IceStunMessage message;
      Sent *sent;

      check.use_candidate = i > 2;
      packet = i < 5 ? harness_build_check (&h, &check) : NULL;
      for (guint j = 0; packet && j < copies; j++)
        harness_receive (&h, &peer, packet);
      harness_run_for (&h, 20 * ICE_MSEC);
      while ((sent = harness_pop (&h, ICE_STUN_REQUEST, &message)) != NULL) {
        for (guint j = 0; j < copies; j++)
          harness_answer (&h, sent);
        sent_free (sent);
      }
    }
    g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpuint (h.n_selected, ==, 2);
    g_assert_cmpuint (h.n_accepts, ==, 1);
    g_assert_cmpuint (h.n_first_check, ==, 1);
    g_assert_cmpuint (h.n_roles, ==, 0);
    harness_clear (&h);
  }
}

static guint64
own_tie_breaker (Harness *h)
{
  guint64 value = 0;
  IceStunMessage message;
  Sent *sent = harness_pop (h, ICE_STUN_REQUEST, &message);

  g_assert_true (
      ice_stun_message_get_u64 (&message, ICE_STUN_ICE_CONTROLLING, &value) ||
      ice_stun_message_get_u64 (&message, ICE_STUN_ICE_CONTROLLED, &value));
  sent_free (sent);
  return value;
}

/* G6: both of a role, with tie-breakers at and around ours and at the ends:
 * exactly one controls afterwards, in one round. */
static void
test_tie_breakers (void)
{
  for (guint i = 0; i < 10; i++) {
    gboolean controlling = i % 2;
    IceAddress peer = addr ("192.0.2.2", 1);
    Check check = { .controlled = !controlling };
    gboolean we_win, refused;
    guint64 ours;
    Harness h;

    harness_start (&h, controlling);
    ours = own_tie_breaker (&h);
    check.tie_breaker =
        (guint64[]){ 0, ours - 1, ours, ours + 1, G_MAXUINT64 }[i / 2];
    we_win = ours >= check.tie_breaker;
    refused = harness_check (&h, &peer, &check) == ICE_VERDICT_REFUSED;
    g_assert_cmpint (harness_last_code (&h), ==, refused ? 487 : 0);
    /* Refused, the peer turns; else we have. */
    g_assert_cmpint (refused, ==, controlling == we_win);
    g_assert_cmpint (ice_core_get_controlling (h.core), ==, we_win);
    harness_clear (&h);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rules/I6/nothing-before-authentication",
      test_nothing_before_authentication);
  g_test_add_func ("/rules/N2/outages", test_outages);
  g_test_add_func ("/rules/N4/duplicates", test_duplicates);
  g_test_add_func ("/rules/N8/small-checks", test_small_checks);
  g_test_add_func ("/rules/N18/clock-edges", test_clock_edges);
  g_test_add_func ("/rules/G6/tie-breakers", test_tie_breakers);
  return g_test_run ();
}
