/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about what a peer that has the password may make of us, and one that
 * replays what it saw: so many pairs, checks and role switches, and media never
 * to an address that did not ask for it. Tests are named after the rules; each
 * rule stands above its first test. */
#include "hostile.h"

/* Watches the outputs of a core from outside. */
typedef struct
{
  Harness *h;
  GArray *answered; /* (owned) IceAddress: a signed success came from there */
  GArray *signed_from; /* (owned) IceAddress: a signed check came from there */
  IceTime answered_at; /* the last signed success */
  GHashTable *checked; /* (owned) addresses, as text, that we sent to */
  guint n_requests, n_routes, n_unaccepted;
  IceAddress selected; /* its ACCEPT_FROM must stay */
  gboolean lost;       /* CONSENT_LOST was said */
  gboolean routed;
} Witness;

static gboolean
is_among (const GArray *addresses, const IceAddress *address)
{
  for (guint i = 0; i < addresses->len; i++) {
    if (ice_address_equal (&g_array_index (addresses, IceAddress, i), address))
      return TRUE;
  }
  return FALSE;
}

static void
witness_route (Witness *self, const IceOutput *output)
{
  self->n_routes++;
  self->routed = output->route.socket != 0;
  if (!self->routed)
    return;
  /* I3 and I4: only where a signed answer came from, and not too long ago. */
  g_assert_true (is_among (self->answered, &output->route.to));
  g_assert_cmpint (self->h->now - self->answered_at, <=, 30 * ICE_SECOND);
}

static void
witness_accept (Witness *self, const IceOutput *output)
{
  if (output->accept_from.add)
    g_assert_true (is_among (self->signed_from, &output->accept_from.from) ||
        is_among (self->answered, &output->accept_from.from));
  else if (ice_address_equal (&self->selected, &output->accept_from.from))
    self->n_unaccepted++;
}

static void
witness_transmit (Witness *self, const IceOutput *output)
{
  IceStunMessage message;
  gchar text[ICE_ADDRESS_STRLEN];

  g_assert_true (ice_address_is_usable (&output->transmit.to));
  g_assert_true (ice_stun_message_parse (&message,
      ICE_BYTES (
          output->transmit.packet->data, output->transmit.packet->size)));
  if (message.klass != ICE_STUN_REQUEST)
    return;
  self->n_requests++;
  g_hash_table_add (self->checked,
      g_strdup (ice_address_to_string (&output->transmit.to, text)));
}

static void
witness_watch (gpointer user, const IceOutput *output)
{
  Witness *self = user;

  switch (output->type) {
    case ICE_OUTPUT_ROUTE:
      witness_route (self, output);
      break;
    case ICE_OUTPUT_ACCEPT_FROM:
      witness_accept (self, output);
      break;
    case ICE_OUTPUT_TRANSMIT:
      witness_transmit (self, output);
      break;
    case ICE_OUTPUT_CONSENT_LOST:
      /* RFC 7675 5.1: stop first, tell then. */
      g_assert_false (self->routed);
      self->lost = TRUE;
      break;
    default:
      break;
  }
}

/* Gathered and with credentials, watched from the beginning. */
static void
witness_init (Witness *self, Harness *h, gboolean controlling)
{
  *self = (Witness){ .h = h };
  self->answered = g_array_new (FALSE, FALSE, sizeof (IceAddress));
  self->signed_from = g_array_new (FALSE, FALSE, sizeof (IceAddress));
  self->checked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  harness_init (h, controlling);
  h->watch = witness_watch;
  h->watch_user = self;
  harness_gather (h);
}

static void
witness_clear (Witness *self)
{
  g_array_unref (self->answered);
  g_array_unref (self->signed_from);
  g_hash_table_unref (self->checked);
  harness_clear (self->h);
}

static IceVerdict
witness_check (Witness *self, const IceAddress *from, Check check)
{
  g_array_append_vals (self->signed_from, from, 1);
  return harness_check (self->h, from, &check);
}

static IceVerdict
witness_answer (Witness *self, const Sent *request)
{
  g_array_append_vals (self->answered, &request->to, 1);
  self->answered_at = self->h->now;
  return harness_answer (self->h, request);
}

/* Answers the newest request to @to, after Ta if need be. */
static void
witness_answer_to (Witness *self, const IceAddress *to)
{
  harness_run_for (self->h, 5 * ICE_MSEC);
  for (GList *l = self->h->sent.tail; l; l = l->prev) {
    Sent *sent = l->data;

    /* The class of a request: neither bit is set. */
    if (!ice_address_equal (&sent->to, to) || sent->packet->data[0] != 0 ||
        sent->packet->data[1] != 1)
      continue;
    g_assert_cmpint (witness_answer (self, sent), ==, ICE_VERDICT_OK);
    harness_forget_sent (self->h);
    return;
  }
  g_assert_not_reached ();
}

/* Controlled, and nominated with @peer. */
static void
witness_complete (Witness *self, Harness *h, const IceAddress *peer)
{
  witness_init (self, h, FALSE);
  harness_credentials (h);
  g_assert_cmpint (
      witness_check (self, peer, (Check){ 0 }), ==, ICE_VERDICT_OK);
  witness_answer_to (self, peer);
  witness_check (self, peer, (Check){ .use_candidate = TRUE });
  g_assert_cmpint (h->state, ==, ICE_STATE_COMPLETED);
  self->selected = *peer;
}

/* 7: what an authenticated peer can make us do is capped: 100 pairs and 100
 * addresses checked in all, peer-reflexive ones included (RFC 8445 6.1.2.5),
 * for as long as it goes on. */
static void
test_reflexive_flood (void)
{
  for (guint controlling = 0; controlling < 2; controlling++) {
    Witness witness;
    Harness h;

    witness_init (&witness, &h, controlling);
    harness_credentials (&h);
    for (guint i = 0; i < 9000; i++) {
      IceAddress from = addr (ATTACKER_IP, (guint16) (1 + i % 3000));

      witness_check (&witness, &from,
          (Check){ .use_candidate = !controlling,
              .controlled = controlling,
              .priority = 1862270975u - 3000 + i % 3000 });
      g_assert_cmpuint (harness_count_pairs (&h), <=, 100);
      harness_forget_sent (&h);
      harness_run_for (&h, 20 * ICE_MSEC);
    }
    g_assert_cmpuint (g_hash_table_size (witness.checked), <=, 100);
    g_assert_cmpuint (witness.n_routes, ==, 0);
    g_assert_cmpuint (harness_count_verdicts (&h, ICE_VERDICT_OK), >=, 9000);
    witness_clear (&witness);
  }
}

/* 3.8: and an address is checked again once in 500 ms at most. */
static void
test_trigger_gap (void)
{
  IceAddress from = addr (ATTACKER_IP, 1);
  Witness witness;
  Harness h;

  witness_init (&witness, &h, FALSE);
  harness_credentials (&h);
  for (guint i = 0; i < 1000; i++) {
    witness_check (&witness, &from, (Check){ .use_candidate = TRUE });
    harness_forget_sent (&h);
    harness_run_for (&h, 10 * ICE_MSEC);
  }
  /* 10 s: the check, and one retransmission before the next is due. */
  g_assert_cmpuint (witness.n_requests, <=, 2 * (10000 / 500 + 1));
  witness_clear (&witness);
}

/* 3.3: checks replayed from elsewhere, the nominating one as well, displace
 * neither the selected pair nor where its media is taken from. */
static void
test_replay (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  Check nominating = { .use_candidate = TRUE };
  g_autoptr (IcePacket) packet = NULL;
  Witness witness;
  Harness h;

  witness_complete (&witness, &h, &peer);
  packet = harness_build_check (&h, &nominating);
  for (guint i = 0; i < 300; i++) {
    IceAddress from = addr (ATTACKER_IP, (guint16) (1 + i));

    g_array_append_vals (witness.signed_from, &from, 1);
    harness_receive (&h, &from, packet);
    harness_run_for (&h, 10 * ICE_MSEC);
  }
  g_assert_cmpuint (witness.n_unaccepted, ==, 0);
  g_assert_cmpuint (h.n_accepts, <=, 64);
  g_assert_true (ice_address_equal (&h.route_to, &peer));
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  witness_clear (&witness);
}

/* 3.7: checks before the answer: 32 are kept, answered at once, and acted on
 * when the credentials come, if they are of the same peer. */
static void
test_early_checks (void)
{
  Witness witness;
  Harness h;

  witness_init (&witness, &h, FALSE);
  for (guint i = 0; i < 500; i++) {
    IceAddress from = addr (ATTACKER_IP, (guint16) (1 + i));

    witness_check (&witness, &from, (Check){ .use_candidate = TRUE });
    g_assert_cmpuint (harness_last_code (&h), ==, 0);
    harness_forget_sent (&h);
  }
  g_assert_cmpuint (harness_count_pairs (&h), ==, 0);
  harness_credentials (&h);
  g_assert_cmpuint (harness_count_pairs (&h), ==, 32);
  g_assert_cmpuint (h.n_remote, ==, 32);
  ice_core_close (h.core, h.now);
  witness_clear (&witness);

  /* Kept, and of another peer than the one that answers. */
  harness_init (&h, FALSE);
  harness_gather (&h);
  for (guint i = 0; i < 40; i++) {
    IceAddress from = addr (ATTACKER_IP, (guint16) (1 + i));
    g_autofree gchar *username = g_strdup_printf (
        "%s:someoneelse", ice_core_get_local_ufrag (h.core, h.stream));
    Check check = { .username = username };

    g_assert_cmpint (harness_check (&h, &from, &check), ==, ICE_VERDICT_OK);
  }
  harness_credentials (&h);
  g_assert_cmpuint (harness_count_pairs (&h), ==, 0);
  harness_clear (&h);
}

/* 3.9: 10^5 candidates from signalling: no more time than it takes to read
 * them, no more memory than for the best hundred. */
static void
test_candidate_flood (void)
{
  g_autoptr (IceCandidate) candidate =
      ice_candidate_new (ICE_CANDIDATE_HOST, 1);
  Witness witness;
  Harness h;

  witness_init (&witness, &h, FALSE);
  g_test_timer_start ();
  for (guint i = 0; i < 100000; i++) {
    g_autoptr (GPtrArray) remotes = NULL;

    if (i == 20000)
      harness_credentials (&h);
    candidate->address = candidate->base = addr ("198.51.100.1", 1);
    candidate->address.ip[2] = (guint8) (i >> 16);
    candidate->address.ip[3] = (guint8) (i >> 8);
    candidate->address.port = (guint16) (1 + (i & 0xff));
    candidate->priority = 1000 + i;
    g_snprintf (candidate->foundation, sizeof candidate->foundation, "%u", i);
    ice_core_add_remote_candidate (h.core, h.stream, candidate, h.now);
    if (i % 1000)
      continue;
    harness_pump (&h);
    harness_forget_sent (&h);
    remotes = ice_core_get_remote_candidates (h.core, h.stream);
    g_assert_cmpuint (remotes->len, <=, 100);
    g_assert_cmpuint (harness_count_pairs (&h), <=, 100);
  }
  /* 0.5 s; the sanitizers and a busy machine take their share. */
  g_assert_cmpfloat (g_test_timer_elapsed (), <, 20);
  harness_run_for (&h, 60 * ICE_SECOND);
  g_assert_cmpuint (g_hash_table_size (witness.checked), <=, 100);
  g_assert_cmpuint (witness.n_requests, <=, 700);
  witness_clear (&witness);
}

/* 3.13, 4: addresses that nothing is ever sent to, whoever names them:
 * signalling, a source address, or the peer about ours. */
static const struct
{
  const gchar *ip;
  guint16 port;
} bad_addresses[] = { { "0.0.0.0", 0 }, { "0.0.0.0", 5000 },
  { "0.1.2.3", 5000 }, { "192.0.2.7", 0 }, { "224.0.0.1", 5000 },
  { "239.255.0.1", 5000 }, { "255.255.255.255", 5000 }, { "240.0.0.1", 5000 },
  { "::", 5000 }, { "ff02::1", 5000 }, { "ff0e::1", 5000 },
  { "::ffff:127.0.0.1", 5000 }, { "::127.0.0.1", 5000 },
  { "::ffff:192.0.2.7", 5000 }, { "2001:db8::1", 0 } };

static void
test_bad_remote_candidates (void)
{
  Witness witness;
  Harness h;

  witness_init (&witness, &h, TRUE);
  harness_credentials (&h);
  for (guint i = 0; i < G_N_ELEMENTS (bad_addresses); i++)
    g_assert_cmpint (harness_add_remote (&h, ICE_CANDIDATE_HOST,
                         bad_addresses[i].ip, bad_addresses[i].port, "1"),
        ==, ICE_VERDICT_REFUSED);
  /* Our own loopback is nobody's business from outside. */
  harness_add_remote (&h, ICE_CANDIDATE_HOST, "127.0.0.1", 22, "2");
  harness_run_for (&h, 60 * ICE_SECOND);
  g_assert_cmpuint (witness.n_requests, ==, 0);
  witness_clear (&witness);
}

static void
test_bad_sources (void)
{
  Witness witness;
  Harness h;

  witness_init (&witness, &h, FALSE);
  harness_credentials (&h);
  for (guint i = 0; i < G_N_ELEMENTS (bad_addresses); i++) {
    IceAddress from = addr (bad_addresses[i].ip, bad_addresses[i].port);

    witness_check (&witness, &from, (Check){ .use_candidate = TRUE });
    witness_check (&witness, &from, (Check){ .no_integrity = TRUE });
    g_assert_true (g_queue_is_empty (&h.sent));
    g_assert_cmpuint (h.n_accepts, ==, 0);
  }
  witness_clear (&witness);
}

static void
test_bad_mapped_addresses (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_addresses); i++) {
    IceAddress mapped = addr (bad_addresses[i].ip, bad_addresses[i].port);
    g_autoptr (GPtrArray) locals = NULL;
    IceStunMessage message;
    Sent *request;
    Harness h;

    harness_start (&h, TRUE);
    request = harness_pop (&h, ICE_STUN_REQUEST, &message);
    g_assert_cmpint (
        harness_answer_from (&h, request, &request->to, &mapped, 0, PEER_PWD),
        ==, ICE_VERDICT_MALFORMED);
    g_assert_cmpint (h.state, ==, ICE_STATE_CHECKING);
    locals = ice_core_get_local_candidates (h.core, h.stream);
    g_assert_cmpuint (locals->len, ==, 1);
    sent_free (request);
    harness_clear (&h);
  }
}

/* 3.24: every table has a cap: addresses of ours that a peer invents, one for
 * each pair that it nominates, each better than the one before. */
static void
test_invented_mapped_addresses (void)
{
  g_autoptr (GPtrArray) locals = NULL;
  Harness h;

  harness_init (&h, FALSE);
  harness_gather (&h);
  harness_credentials (&h);
  for (guint i = 0; i < 1000; i++) {
    IceAddress from = addr (ATTACKER_IP, (guint16) (1 + i));
    IceAddress mapped = addr ("198.51.100.1", (guint16) (1 + i));
    Check check = { .use_candidate = TRUE, .priority = 1900000000 + i };
    IceStunMessage message;
    Sent *request;

    harness_check (&h, &from, &check);
    harness_run_for (&h, 20 * ICE_MSEC);
    while ((request = harness_pop (&h, ICE_STUN_REQUEST, &message))) {
      harness_answer_from (&h, request, &request->to, &mapped, 0, PEER_PWD);
      sent_free (request);
    }
    g_assert_true (ice_address_equal (&h.route_to, &from));
  }
  locals = ice_core_get_local_candidates (h.core, h.stream);
  g_assert_cmpuint (locals->len, <=, 128);
  g_assert_cmpuint (h.n_accepts, <=, 64);
  harness_clear (&h);
}

/* 3.12: role ping-pong: four switches, then the pair fails, paced always. */
static void
test_role_ping_pong (void)
{
  for (guint controlling = 0; controlling < 2; controlling++) {
    IceAddress peer = addr ("192.0.2.2", 1);
    IceStunMessage message;
    Witness witness;
    Sent *request;
    Harness h;

    witness_init (&witness, &h, controlling);
    harness_credentials (&h);
    /* Requests that claim our own role and win. */
    for (guint i = 0; i < 50; i++)
      witness_check (&witness, &peer,
          h.controlling ? (Check){ .tie_breaker = G_MAXUINT64 }
                        : (Check){ .controlled = TRUE, .tie_breaker = 0 });
    g_assert_cmpuint (h.n_roles, <=, 4);
    /* And 487 for ever to ours. */
    for (guint i = 0; i < 50; i++) {
      harness_run_for (&h, 100 * ICE_MSEC);
      while ((request = harness_pop (&h, ICE_STUN_REQUEST, &message))) {
        harness_answer_from (&h, request, &request->to, NULL, 487, PEER_PWD);
        sent_free (request);
      }
    }
    g_assert_cmpuint (h.n_roles, <=, 4);
    g_assert_cmpuint (witness.n_requests, <=, 10);
    witness_clear (&witness);
  }
}

/* 3.10, I3: USE-CANDIDATE alone moves no media: our own check has to be
 * answered, by that address. */
static void
test_route_needs_answer (void)
{
  IceAddress peer = addr ("192.0.2.2", 1), victim = addr ("198.51.100.9", 53);
  Witness witness;
  Harness h;

  witness_init (&witness, &h, FALSE);
  harness_credentials (&h);
  witness_check (&witness, &victim, (Check){ .use_candidate = TRUE });
  harness_run_for (&h, 2 * ICE_SECOND);
  g_assert_cmpuint (witness.n_routes, ==, 0);
  g_assert_false (
      ice_core_send (h.core, h.transport, ICE_BYTES ("media", 5), h.now));
  witness_check (&witness, &peer, (Check){ .use_candidate = TRUE });
  g_assert_cmpuint (witness.n_routes, ==, 0);
  witness_answer_to (&witness, &peer);
  g_assert_cmpuint (witness.n_routes, ==, 1);
  g_assert_true (ice_address_equal (&h.route_to, &peer));
  witness_clear (&witness);
}

/* 9.17: media is taken from where a signed check was answered, from nowhere
 * else; the rest is dropped and counted. */
static void
test_accept_needs_signature (void)
{
  static const guint8 media[] = { 0x80, 0x60, 1, 2, 3, 4 };
  IceAddress peer = addr ("192.0.2.2", 1), other = addr ("192.0.2.2", 2);
  Witness witness;
  Harness h;

  witness_init (&witness, &h, FALSE);
  harness_credentials (&h);
  g_assert_cmpint (harness_receive_bytes (&h, &peer, media, sizeof media), ==,
      ICE_VERDICT_NOT_STUN);
  harness_check (
      &h, &peer, &(Check){ .password = "notthepasswordof24letters" });
  harness_check (&h, &peer, &(Check){ .unknown = 0x7abc });
  g_assert_cmpuint (h.n_accepts, ==, 0);
  witness_check (&witness, &peer, (Check){ 0 });
  g_assert_cmpuint (h.n_accepts, ==, 1);
  g_assert_cmpint (harness_receive_bytes (&h, &other, media, sizeof media), ==,
      ICE_VERDICT_NOT_STUN);
  g_assert_cmpuint (h.n_delivered, ==, 0);
  g_assert_cmpuint (harness_count_verdicts (&h, ICE_VERDICT_NOT_STUN), ==, 2);
  witness_clear (&witness);
}

/* 3.22: 30 s after the last signed success sending stops, to the microsecond;
 * every request has an id of its own; what comes later revives nothing. */
static void
test_consent_expiry (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  g_autoptr (GHashTable) ids =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  IceStunMessage message;
  Witness witness;
  Sent *request, *last = NULL;
  Harness h;
  IceTime granted_at;

  witness_complete (&witness, &h, &peer);
  granted_at = witness.answered_at;
  harness_run_until (&h, granted_at + 30 * ICE_SECOND - 1);
  g_assert_true (witness.routed);
  while ((request = harness_pop (&h, ICE_STUN_REQUEST, &message))) {
    g_assert_true (
        g_hash_table_add (ids, g_base64_encode (message.id, ICE_STUN_ID_SIZE)));
    /* Answers without the password prolong nothing. */
    harness_answer_from (&h, request, &peer, &h.host, 0, NULL);
    if (last)
      sent_free (last);
    last = request;
  }
  g_assert_cmpuint (g_hash_table_size (ids), >=, 5);
  harness_run_for (&h, 1);
  g_assert_false (witness.routed);
  g_assert_true (witness.lost);
  g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (h.cause, ==, ICE_CAUSE_CONSENT_EXPIRED);
  harness_forget_sent (&h);
  g_assert_cmpint (harness_answer (&h, last), !=, ICE_VERDICT_OK);
  witness_check (&witness, &peer, (Check){ .use_candidate = TRUE });
  harness_forget_sent (&h);
  harness_run_for (&h, 60 * ICE_SECOND);
  g_assert_false (witness.routed);
  g_assert_true (g_queue_is_empty (&h.sent));
  g_assert_false (
      ice_core_send (h.core, h.transport, ICE_BYTES ("media", 5), h.now));
  sent_free (last);
  witness_clear (&witness);
}

/* 3.5: an ICMP error is anybody's: without the transaction id it does nothing,
 * and with it nothing to a pair that is selected (design 9.8). */
static void
test_icmp (void)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  guint8 forged[28] = { 0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42 };
  g_autofree gchar *before = NULL, *after = NULL;
  Witness witness;
  Harness h;

  witness_complete (&witness, &h, &peer);
  harness_run_for (&h, 6 * ICE_SECOND);
  g_assert_false (g_queue_is_empty (&h.sent));
  before = harness_snapshot (&h);
  for (guint i = 0; i < 100; i++) {
    forged[8] = (guint8) i;
    ice_core_unreachable (
        h.core, h.socket, &peer, ICE_BYTES (forged, i % 29), h.now);
  }
  for (GList *l = h.sent.head; l; l = l->next) {
    const IcePacket *packet = ((Sent *) l->data)->packet;

    for (guint i = 0; i < 5; i++)
      ice_core_unreachable (h.core, h.socket, &peer,
          ICE_BYTES (packet->data, packet->size), h.now);
  }
  harness_pump (&h);
  after = harness_snapshot (&h);
  g_assert_cmpstr (before, ==, after);
  witness_clear (&witness);
}

/* I4: a second pair that was nominated long ago has no consent any more: it
 * does not take over when the selected one dies. */
static void
test_stale_nomination (void)
{
  IceAddress first = addr ("192.0.2.2", 1), better = addr ("192.0.2.3", 1);
  IceTime now;
  Witness witness;
  Harness h;

  witness_complete (&witness, &h, &first);
  witness_check (&witness, &better,
      (Check){ .use_candidate = TRUE, .priority = G_MAXINT32 });
  witness_answer_to (&witness, &better);
  g_assert_true (ice_address_equal (&h.route_to, &better));
  /* Two minutes of a healthy better pair. */
  for (guint i = 0; i < 1200; i++) {
    IceStunMessage message;
    Sent *request;

    harness_run_for (&h, 100 * ICE_MSEC);
    while ((request = harness_pop (&h, ICE_STUN_REQUEST, &message))) {
      if (ice_address_equal (&request->to, &better))
        witness_answer (&witness, request);
      sent_free (request);
    }
  }
  g_assert_cmpint (h.state, ==, ICE_STATE_COMPLETED);
  /* Only the first pair's last answer would count for a route to it. */
  g_array_set_size (witness.answered, 0);
  g_array_append_vals (witness.answered, &better, 1);
  now = witness.answered_at;
  harness_run_until (&h, now + 29 * ICE_SECOND);
  g_assert_cmpuint (h.n_consent_lost, ==, 0);
  g_assert_true (ice_address_equal (&h.route_to, &better));
  harness_run_for (&h, 2 * ICE_SECOND);
  g_assert_cmpuint (h.n_consent_lost, ==, 1);
  g_assert_cmpint (h.state, ==, ICE_STATE_FAILED);
  witness_clear (&witness);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rules/7/reflexive-flood", test_reflexive_flood);
  g_test_add_func ("/rules/3.8/trigger-gap", test_trigger_gap);
  g_test_add_func ("/rules/3.3/replay", test_replay);
  g_test_add_func ("/rules/3.7/early-checks", test_early_checks);
  g_test_add_func ("/rules/3.9/candidate-flood", test_candidate_flood);
  g_test_add_func (
      "/rules/3.13/bad-remote-candidates", test_bad_remote_candidates);
  g_test_add_func ("/rules/3.13/bad-sources", test_bad_sources);
  g_test_add_func ("/rules/4/bad-mapped-addresses", test_bad_mapped_addresses);
  g_test_add_func (
      "/rules/3.24/invented-mapped-addresses", test_invented_mapped_addresses);
  g_test_add_func ("/rules/3.12/role-ping-pong", test_role_ping_pong);
  g_test_add_func ("/rules/3.10/route-needs-answer", test_route_needs_answer);
  g_test_add_func (
      "/rules/3.10/accept-needs-signature", test_accept_needs_signature);
  g_test_add_func ("/rules/3.22/consent-expiry", test_consent_expiry);
  g_test_add_func ("/rules/3.5/icmp", test_icmp);
  g_test_add_func ("/rules/3.22/stale-nomination", test_stale_nomination);
  return g_test_run ();
}
