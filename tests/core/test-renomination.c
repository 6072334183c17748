/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ice-renomination-01: the path moves without signalling, and does not flap. */
#include "duo.h"

#include "gst/ice/core/stun/builder.h"
#include "gst/ice/core/stun/message.h"

#define OPTIONS (ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE | ICE_OPTION_RENOMINATION)

/* The network of the tests: what is in @blocked passes nothing. */
typedef struct
{
  const gchar *blocked[4]; /* addresses */
  const gchar *slow;       /* (nullable) an address, @slow_by later */
  IceTime slow_by;
  guint64 dice;
  guint32 last_value; /* the last NOMINATION that left */
  guint n_nominating; /* requests that carried one */
  guint n_without;    /* USE-CANDIDATE without one */
} Lab;

static gboolean
is_one (const IceAddress *address, const gchar *ip)
{
  IceAddress other;

  return ip && ice_address_parse (&other, ip, 0) &&
      ice_address_same_ip (address, &other);
}

static gboolean
lab_path (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  Lab *lab = duo->user;

  for (guint i = 0; i < G_N_ELEMENTS (lab->blocked); i++)
    if (is_one (from, lab->blocked[i]) || is_one (to, lab->blocked[i]))
      return FALSE;
  if (is_one (from, lab->slow) || is_one (to, lab->slow))
    *ret_delay += lab->slow_by;
  return TRUE;
}

static void
lab_watch (Duo *duo, guint from_end, IceBytes packet)
{
  Lab *lab = duo->user;
  IceStunMessage message;
  guint32 value;

  if (!ice_stun_message_parse (&message, packet) ||
      message.klass != ICE_STUN_REQUEST)
    return;
  if (ice_stun_message_get_u32 (&message, ICE_STUN_NOMINATION, &value)) {
    g_assert_cmpuint (value, >, 0);
    g_assert_cmpuint (value, <=, 0xffffff);
    g_assert_true (ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE));
    lab->last_value = value;
    lab->n_nominating++;
  } else if (ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE)) {
    lab->n_without++;
  }
}

/* Two hosts with @n_addresses each; the first pairs are the best. */
static void
start (Duo *duo, Lab *lab, guint n_addresses)
{
  duo_init (duo, n_addresses);
  duo->user = lab;
  duo->path = lab_path;
  duo->watch = lab_watch;
  duo_start (duo, OPTIONS);
}

static guint
count_pairs (Duo *duo, guint index, const gchar *state)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (IcePairStats));
  guint n = 0;

  ice_core_get_pair_stats (duo->ends[index].core, pairs);
  for (guint i = 0; i < pairs->len; i++)
    n += g_str_equal (g_array_index (pairs, IcePairStats, i).state, state);
  return n;
}

/* Section 4: the first nomination carries the attribute, too; section 3: it is
 * repeated until acknowledged and no longer. */
static void
test_value (void)
{
  Lab lab = { 0 };
  Duo duo;

  start (&duo, &lab, 1);
  duo_run_for (&duo, 60 * ICE_SECOND);
  g_assert_cmpuint (lab.n_nominating, ==, 1);
  g_assert_cmpuint (lab.n_without, ==, 0);
  g_assert_cmpuint (lab.last_value, ==, 1);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_COMPLETED);
  g_assert_true (duo_agrees (&duo));
  duo_clear (&duo);
}

/* A check by one end, from any of its addresses to any of the other's. */
static void
inject_check (Duo *duo, guint from, const IceAddress *source, guint socket)
{
  DuoEnd *to = &duo->ends[!from];
  guint8 id[ICE_STUN_ID_SIZE] = { 'x', source->port >> 8, source->port,
    socket };
  g_autofree gchar *username = g_strdup_printf ("%s:%s",
      ice_core_get_local_ufrag (to->core, to->stream),
      ice_core_get_local_ufrag (duo->ends[from].core, duo->ends[from].stream));
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (
      ice_core_get_local_pwd (to->core, to->stream));
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;
  IceDatagram in = { .socket = socket, .from = *source };

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, username);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY, 1862270975u);
  ice_stun_builder_add_u64 (&builder, ICE_STUN_ICE_CONTROLLING, 1);
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);
  in.data = ICE_BYTES (packet->data, packet->size);
  g_assert_cmpint (
      ice_core_receive (to->core, &in, duo->now), ==, ICE_VERDICT_OK);
}

/* Of many valid pairs each side keeps the selected one and three spares, not
 * always the same as the other's: who gave a pair up answers its checks, and
 * makes it no more, or the two would check each other for ever. */
static void
test_pairs_stay_given_up (void)
{
  Lab lab = { 0 };
  Duo duo;
  DuoEnd *peer = &duo.ends[0], *end = &duo.ends[1];
  guint before;

  start (&duo, &lab, 3);
  duo_run_for (&duo, 10 * ICE_SECOND);
  before = duo.n_requests[1];
  for (guint i = 0; i < peer->n_sockets; i++)
    for (guint j = 0; j < end->n_sockets; j++)
      inject_check (&duo, 0, &peer->sockets[i].bound, end->sockets[j].id);
  g_assert_cmpuint (count_pairs (&duo, 1, "succeeded"), ==, 4);
  g_assert_cmpuint (count_pairs (&duo, 1, "waiting"), ==, 0);
  duo_run_for (&duo, 3 * ICE_SECOND);
  g_assert_cmpuint (duo.n_requests[1] - before, <=, 4);
  duo_clear (&duo);
}

/* Section 3: "MUST NOT send more than one nomination" to a peer that does not
 * understand; nor is the attribute sent, nor a spare pair kept. */
static void
test_not_negotiated (void)
{
  Lab lab = { 0 };
  Duo duo;

  duo_init (&duo, 2);
  duo.user = &lab;
  duo.path = lab_path;
  duo.watch = lab_watch;
  duo_start (&duo, ICE_OPTION_ICE2 | ICE_OPTION_TRICKLE);
  duo.media = TRUE;
  duo_run_for (&duo, 10 * ICE_SECOND);
  g_assert_cmpuint (lab.n_nominating, ==, 0);
  g_assert_cmpuint (lab.n_without, ==, 1);
  g_assert_cmpuint (count_pairs (&duo, 0, "succeeded"), ==, 1);
  lab.blocked[0] = "192.0.2.1";
  duo_run_for (&duo, 40 * ICE_SECOND);
  g_assert_cmpuint (lab.n_without, ==, 1);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_FAILED);
  duo_clear (&duo);
}

/* The rule, 1: a surviving pair takes over within 1 s of the doubt. Media that
 * stops raises it after half a second. */
static void
test_survivor (void)
{
  for (guint broken = 0; broken < 2; broken++) {
    Lab lab = { 0 };
    IceTime begin;
    Duo duo;

    start (&duo, &lab, 2);
    duo.media = TRUE;
    duo_run_for (&duo, 20 * ICE_SECOND);
    g_assert_true (
        duo_is_at (&duo, broken, broken ? "192.0.2.2" : "192.0.2.1"));
    lab.blocked[0] = broken ? "192.0.2.2" : "192.0.2.1";
    begin = duo.now;
    duo_run_for (&duo, 1600 * ICE_MSEC);
    for (guint i = 0; i < 2; i++) {
      g_assert_cmpint (duo.ends[i].selected_at - begin, <=, 1550 * ICE_MSEC);
      g_assert_cmpint (duo.ends[i].media_received, >=, duo.now - 60 * ICE_MSEC);
      g_assert_cmpint (duo.ends[i].state, ==, ICE_STATE_COMPLETED);
    }
    g_assert_true (duo_agrees (&duo));
    g_assert_cmpuint (lab.last_value, ==, 2);
    duo_clear (&duo);
  }
}

/* The same without media: the consent request finds it out, 6 s at most, and
 * 950 ms later (design 9.3) the path has moved. */
static void
test_survivor_idle (void)
{
  Lab lab = { 0 };
  IceTime begin;
  Duo duo;

  start (&duo, &lab, 2);
  duo_run_for (&duo, 20 * ICE_SECOND);
  lab.blocked[0] = "192.0.2.1";
  begin = duo.now;
  duo_run_for (&duo, 7500 * ICE_MSEC);
  g_assert_cmpint (duo.ends[0].selected_at - begin, <=, 7 * ICE_SECOND);
  g_assert_true (duo_is_at (&duo, 0, "198.51.100.1"));
  g_assert_true (duo_agrees (&duo));
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (duo.ends[i].state, ==, ICE_STATE_COMPLETED);
  duo_clear (&duo);
}

/* One path after the other dies, the last one lives: three moves. */
static void
test_last_survivor (void)
{
  Lab lab = { 0 };
  Duo duo;

  start (&duo, &lab, 3);
  duo.media = TRUE;
  duo_run_for (&duo, 10 * ICE_SECOND);
  lab.blocked[0] = "192.0.2.1";
  duo_run_for (&duo, 10 * ICE_SECOND);
  g_assert_true (duo_agrees (&duo));
  lab.blocked[1] = "198.51.100.1";
  duo_run_for (&duo, 10 * ICE_SECOND);
  g_assert_true (duo_agrees (&duo));
  g_assert_true (duo_is_at (&duo, 0, "203.0.113.1"));
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (duo.ends[i].state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpint (duo.ends[i].media_received, >=, duo.now - 60 * ICE_MSEC);
    g_assert_cmpuint (duo.ends[i].n_consent_lost, ==, 0);
  }
  duo_clear (&duo);
}

/* All die: consent decides, 30 s after the last answer (RFC 7675 5.1). */
static void
test_no_survivor (void)
{
  Lab lab = { 0 };
  Duo duo;

  start (&duo, &lab, 2);
  duo.media = TRUE;
  duo_run_for (&duo, 10 * ICE_SECOND);
  lab.blocked[0] = "192.0.2.1";
  lab.blocked[1] = "198.51.100.1";
  duo_run_for (&duo, 20 * ICE_SECOND);
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_DISCONNECTED);
  duo_run_for (&duo, 21 * ICE_SECOND);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (duo.ends[i].state, ==, ICE_STATE_FAILED);
    g_assert_cmpuint (duo.ends[i].route_socket, ==, 0);
    g_assert_cmpuint (count_pairs (&duo, i, "succeeded"), ==, 0);
  }
  duo_clear (&duo);
}

/* When consent expires, what has been silent since the doubt began is no
 * refuge, though its own consent lasts a moment longer: it fails once, and no
 * path is announced before. */
static void
test_all_silent (void)
{
  for (guint i = 0; i < 20; i++) {
    Lab lab = { 0 };
    guint n[2];
    Duo duo;

    start (&duo, &lab, 2);
    duo.media = TRUE;
    duo_run_for (&duo, 10 * ICE_SECOND + i * 270 * ICE_MSEC);
    lab.blocked[0] = "192.0.2.1";
    lab.blocked[1] = "198.51.100.1";
    n[0] = duo.ends[0].n_selected;
    n[1] = duo.ends[1].n_selected;
    duo_run_for (&duo, 40 * ICE_SECOND);
    for (guint j = 0; j < 2; j++) {
      g_assert_cmpint (duo.ends[j].state, ==, ICE_STATE_FAILED);
      g_assert_cmpuint (duo.ends[j].n_failed, ==, 1);
      g_assert_cmpuint (duo.ends[j].n_consent_lost, ==, 1);
      g_assert_cmpuint (duo.ends[j].n_selected, ==, n[j]);
    }
    duo_clear (&duo);
  }
}

/* The rule, 3: a round trip that is clearly better, after three samples; and
 * never back and forth. The best pair answers after 56 ms, in time to be
 * nominated; those of the other address after 20 ms. */
static void
test_clearly_better (void)
{
  Lab lab = { .slow = "192.0.2.1", .slow_by = 18 * ICE_MSEC };
  guint n[2], value;
  Duo duo;

  start (&duo, &lab, 2);
  duo.media = TRUE;
  duo_run_for (&duo, 3 * ICE_SECOND); /* before any consent request */
  g_assert_true (duo_is_at (&duo, 0, "192.0.2.1"));
  value = lab.last_value;
  duo_run_for (&duo, 57 * ICE_SECOND);
  g_assert_true (duo_is_at (&duo, 0, "198.51.100.1"));
  g_assert_true (duo_agrees (&duo));
  g_assert_cmpuint (lab.last_value, ==, value + 1); /* one move */
  n[0] = duo.ends[0].n_selected;
  n[1] = duo.ends[1].n_selected;
  lab.slow = "198.51.100.1";
  lab.slow_by = 8 * ICE_MSEC; /* worse than the other, but not clearly */
  duo_run_for (&duo, 300 * ICE_SECOND);
  g_assert_cmpuint (duo.ends[0].n_selected, ==, n[0]);
  g_assert_cmpuint (duo.ends[1].n_selected, ==, n[1]);
  duo_clear (&duo);
}

/* The rule, 3: nothing between is better than a NAT, and that is what the
 * peer's addresses seem to be before it tells one of them. */
static void
test_better_class (void)
{
  IceAddress told = duo_address ("198.51.100.2", 0);
  g_autoptr (GPtrArray) locals = NULL;
  Lab lab = { 0 };
  Duo duo;
  DuoEnd *alice = &duo.ends[0], *bob = &duo.ends[1];

  duo_init (&duo, 2);
  duo.user = &lab;
  duo.path = lab_path;
  duo.watch = lab_watch;
  bob->no_trickle = TRUE;
  ice_core_set_continual (bob->core, TRUE); /* no end of candidates */
  duo_start (&duo, OPTIONS);
  duo_run_for (&duo, 10 * ICE_SECOND);
  g_assert_cmpuint (lab.last_value, ==, 1);
  g_assert_false (ice_address_same_ip (&alice->remote, &told));
  locals = ice_core_get_local_candidates (bob->core, bob->stream);
  for (guint i = 0; i < locals->len; i++) {
    IceCandidate *candidate = g_ptr_array_index (locals, i);

    if (ice_address_same_ip (&candidate->address, &told))
      g_assert_cmpint (ice_core_add_remote_candidate (
                           alice->core, alice->stream, candidate, duo.now),
          ==, ICE_VERDICT_OK);
  }
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_true (ice_address_same_ip (&alice->remote, &told));
  g_assert_true (duo_agrees (&duo));
  g_assert_cmpuint (lab.last_value, ==, 2);
  duo_run_for (&duo, 60 * ICE_SECOND);
  g_assert_cmpuint (lab.last_value, ==, 2);
  duo_clear (&duo);
}

/* Up to 20 % loss and jitter on all paths: the selected pair may change because
 * of a verdict that was wrong, but not often. */
static gboolean
lossy (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  Lab *lab = duo->user;

  lab->dice = lab->dice * 6364136223846793005u + 1442695040888963407u;
  *ret_delay = (10 + (lab->dice >> 33 & 31)) * ICE_MSEC;
  return ((lab->dice >> 40) & 1023) >= 205;
}

static void
test_no_flapping (void)
{
  guint n_changes = 0;

  for (guint seed = 1; seed <= 5; seed++) {
    Lab lab = { 0 };
    Duo duo;

    start (&duo, &lab, 3);
    duo.media = TRUE;
    duo_run_for (&duo, 5 * ICE_SECOND);
    lab.dice = seed;
    duo.path = lossy;
    n_changes -= duo.ends[0].n_selected;
    duo_run_for (&duo, 120 * ICE_SECOND);
    n_changes += duo.ends[0].n_selected;
    duo.path = NULL;
    duo_run_for (&duo, 10 * ICE_SECOND);
    g_assert_true (duo_agrees (&duo));
    g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_COMPLETED);
    duo_clear (&duo);
  }
  g_test_message ("%u changes in ten minutes at 20 %% loss", n_changes);
  g_assert_cmpuint (n_changes, <=, 10);
}

/* Three spares, those that share least with the selected pair, and consent
 * requests on each every 4 to 6 s (RFC 7675 5.1), both ways. */
static void
test_spares (void)
{
  Lab lab = { 0 };
  guint before[2];
  Duo duo;

  start (&duo, &lab, 4);
  duo_run_for (&duo, 60 * ICE_SECOND);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (count_pairs (&duo, i, "succeeded"), ==, 4);
    before[i] = duo.n_requests[i];
  }
  duo_run_for (&duo, 600 * ICE_SECOND);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (count_pairs (&duo, i, "succeeded"), ==, 4);
    g_assert_cmpuint (duo.n_requests[i] - before[i], >=, 4 * 600 / 6 - 4);
    g_assert_cmpuint (duo.n_requests[i] - before[i], <=, 4 * 600 / 4 + 4);
  }
  duo_clear (&duo);
}

/* N14 of the notes: a NAT forgets the binding, on either side; the peer is seen
 * at a new port, and media follows without signalling. */
static void
test_rebinding (void)
{
  for (guint behind = 0; behind < 2; behind++) {
    Lab lab = { 0 };
    Duo duo;
    IceTime begin;

    start (&duo, &lab, 1);
    duo.media = TRUE;
    duo_run_for (&duo, 20 * ICE_SECOND);
    duo.ends[behind].nat_shift = 100;
    begin = duo.now;
    duo_run_for (&duo, 6 * ICE_SECOND);
    for (guint i = 0; i < 2; i++) {
      g_assert_cmpint (duo.ends[i].state, ==, ICE_STATE_COMPLETED);
      g_assert_cmpint (duo.ends[i].media_received, >=, duo.now - 60 * ICE_MSEC);
    }
    g_assert_cmpint (duo.ends[!behind].selected_at - begin, <=, 6 * ICE_SECOND);
    g_assert_cmpuint (duo.ends[!behind].remote.port, ==, 5100 + 1000 * behind);
    duo_clear (&duo);
  }
}

/* A peer of our making, for values out of order. */
static void
nominate (Duo *duo, guint16 port, gboolean use_candidate, guint32 value)
{
  static guint8 counter;
  DuoEnd *end = &duo->ends[1], *peer = &duo->ends[0];
  guint8 id[ICE_STUN_ID_SIZE] = { 'n', ++counter };
  g_autofree gchar *username = g_strdup_printf ("%s:%s",
      ice_core_get_local_ufrag (end->core, end->stream),
      ice_core_get_local_ufrag (peer->core, peer->stream));
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (
      ice_core_get_local_pwd (end->core, end->stream));
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;
  IceDatagram in = { .socket = end->sockets[0].id,
    .from = duo_address ("192.0.2.1", port) };

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, username);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY, 1862270975u);
  ice_stun_builder_add_u64 (&builder, ICE_STUN_ICE_CONTROLLING, 1);
  if (use_candidate)
    ice_stun_builder_add_flag (&builder, ICE_STUN_USE_CANDIDATE);
  if (value)
    ice_stun_builder_add_u32 (&builder, ICE_STUN_NOMINATION, value);
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);
  in.data = ICE_BYTES (packet->data, packet->size);
  g_assert_cmpint (
      ice_core_receive (end->core, &in, duo->now), ==, ICE_VERDICT_OK);
  duo_run_for (duo, 100 * ICE_MSEC);
}

/* Answers every request that comes to it, whatever the port. */
static void
answer_all (Duo *duo, guint from_end, IceBytes packet)
{
  DuoEnd *end = &duo->ends[1], *peer = &duo->ends[0];
  IceStunMessage message;
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (
      ice_core_get_local_pwd (peer->core, peer->stream));
  IceStunBuilder builder;
  DuoPacket *flying;

  if (from_end != 1 || !ice_stun_message_parse (&message, packet) ||
      message.klass != ICE_STUN_REQUEST)
    return;
  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, message.id);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &end->sockets[0].bound);
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  flying = g_new0 (DuoPacket, 1);
  flying->at = duo->now + ICE_MSEC;
  flying->to_end = 1;
  flying->to = end->sockets[0].bound;
  flying->packet = ice_stun_builder_end (&builder);
  duo->user = flying;
}

static gboolean
answered (
    Duo *duo, const IceAddress *from, const IceAddress *to, IceTime *ret_delay)
{
  DuoPacket *answer = g_steal_pointer (&duo->user);

  if (answer) {
    answer->from = *to;
    g_queue_insert_sorted (&duo->flying, answer, duo_compare, NULL);
  }
  return FALSE; /* the real other end hears nothing */
}

/* Section 4: "the largest value"; "any value takes precedence over the lack of
 * a value"; section 3: without one, the last wins. */
static void
test_controlled_follows (void)
{
  static const struct
  {
    guint16 port;
    gboolean use_candidate;
    guint32 value;
    guint16 expected;
  } table[] = {
    { 1, TRUE, 0, 1 },
    { 2, TRUE, 0, 2 },
    { 1, TRUE, 0, 1 },
    { 2, TRUE, 5, 2 },
    { 1, TRUE, 0, 2 },
    { 1, TRUE, 4, 2 },
    { 3, TRUE, 5, 2 },
    { 3, FALSE, 6, 3 },
    { 1, TRUE, 6, 3 },
    { 1, TRUE, 0x01000007, 1 }, /* 24 bits of it */
    { 2, TRUE, 0xffffff, 2 },
    { 1, TRUE, 8, 2 },
  };
  Duo duo;

  duo_init (&duo, 1);
  duo.watch = answer_all;
  duo.path = answered;
  for (guint i = 0; i < 2; i++)
    duo.ends[i].no_trickle = TRUE;
  duo_start (&duo, OPTIONS);
  ice_core_close (duo.ends[0].core, duo.now);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    nominate (&duo, table[i].port, table[i].use_candidate, table[i].value);
    g_assert_cmpuint (duo.ends[1].route_to.port, ==, table[i].expected);
  }
  duo_clear (&duo);
}

/* What the peer did not offer it cannot use. */
static void
test_attribute_is_ignored (void)
{
  Duo duo;

  duo_init (&duo, 1);
  duo.watch = answer_all;
  duo.path = answered;
  for (guint i = 0; i < 2; i++)
    duo.ends[i].no_trickle = TRUE;
  duo_start (&duo, ICE_OPTION_ICE2);
  ice_core_close (duo.ends[0].core, duo.now);
  nominate (&duo, 1, FALSE, 9);
  g_assert_false (duo.ends[1].nominated);
  nominate (&duo, 1, TRUE, 9);
  g_assert_true (duo.ends[1].nominated);
  nominate (&duo, 2, TRUE, 10);
  g_assert_cmpuint (duo.ends[1].route_to.port, ==, 1);
  duo_clear (&duo);
}

/* A restart begins anew: its first nomination has the value 1 again. */
static void
test_restart (void)
{
  Lab lab = { 0 };
  Duo duo;

  start (&duo, &lab, 2);
  duo.media = TRUE;
  duo_run_for (&duo, 10 * ICE_SECOND);
  lab.blocked[0] = "192.0.2.1";
  duo_run_for (&duo, 10 * ICE_SECOND);
  g_assert_cmpuint (lab.last_value, ==, 2);
  lab.blocked[0] = NULL;
  for (guint i = 0; i < 2; i++)
    ice_core_restart (duo.ends[i].core, 0, duo.now);
  for (guint i = 0; i < 2; i++) {
    DuoEnd *end = &duo.ends[i], *other = &duo.ends[!i];

    g_assert_true (ice_core_set_remote_credentials (end->core, end->stream,
        ice_core_get_local_ufrag (other->core, other->stream),
        ice_core_get_local_pwd (other->core, other->stream), duo.now));
  }
  duo_run_for (&duo, 10 * ICE_SECOND);
  g_assert_cmpuint (lab.last_value, ==, 1);
  g_assert_true (duo_is_at (&duo, 0, "192.0.2.1"));
  g_assert_true (duo_agrees (&duo));
  g_assert_cmpint (duo.ends[1].state, ==, ICE_STATE_COMPLETED);
  duo_clear (&duo);
}

/* The application's choice holds, also when the pair is in doubt. */
static void
test_application_chooses (void)
{
  Lab lab = { 0 };
  IceAddress local, remote;
  Duo duo;

  start (&duo, &lab, 2);
  duo.media = TRUE;
  duo_run_for (&duo, 10 * ICE_SECOND);
  local = duo_address ("198.51.100.1", 5001);
  remote = duo_address ("198.51.100.2", 6001);
  g_assert_cmpint (ice_core_set_selected_pair (duo.ends[0].core,
                       duo.ends[0].transport, &local, &remote, duo.now),
      ==, ICE_VERDICT_OK);
  duo_run_for (&duo, 1 * ICE_SECOND);
  g_assert_true (duo_is_at (&duo, 0, "198.51.100.1"));
  g_assert_true (duo_agrees (&duo));
  g_assert_cmpuint (lab.last_value, ==, 2);
  g_assert_cmpuint (duo.ends[0].n_failed, ==, 0);
  lab.slow = "198.51.100.1";
  lab.slow_by = 100 * ICE_MSEC;
  duo_run_for (&duo, 60 * ICE_SECOND);
  g_assert_true (duo_is_at (&duo, 0, "198.51.100.1"));
  lab.blocked[0] = "198.51.100.1";
  duo_run_for (&duo, 5 * ICE_SECOND);
  g_assert_true (duo_is_at (&duo, 0, "198.51.100.1"));
  g_assert_cmpint (duo.ends[0].state, ==, ICE_STATE_DISCONNECTED);
  duo_clear (&duo);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/renomination/pairs-stay-given-up", test_pairs_stay_given_up);
  g_test_add_func ("/ice-renomination/3/not-negotiated", test_not_negotiated);
  g_test_add_func ("/ice-renomination/3/survivor", test_survivor);
  g_test_add_func ("/ice-renomination/3/survivor-idle", test_survivor_idle);
  g_test_add_func ("/ice-renomination/3/last-survivor", test_last_survivor);
  g_test_add_func ("/ice-renomination/3/no-survivor", test_no_survivor);
  g_test_add_func ("/rfc7675/5.1/all-silent", test_all_silent);
  g_test_add_func ("/ice-renomination/3/clearly-better", test_clearly_better);
  g_test_add_func ("/ice-renomination/3/better-class", test_better_class);
  g_test_add_func ("/ice-renomination/3/no-flapping", test_no_flapping);
  g_test_add_func ("/ice-renomination/3/spares", test_spares);
  g_test_add_func ("/ice-renomination/3/nat-rebinding", test_rebinding);
  g_test_add_func ("/ice-renomination/3/restart", test_restart);
  g_test_add_func (
      "/ice-renomination/3/application-chooses", test_application_chooses);
  g_test_add_func ("/ice-renomination/4/value", test_value);
  g_test_add_func (
      "/ice-renomination/4/controlled-follows", test_controlled_follows);
  g_test_add_func (
      "/ice-renomination/4/attribute-is-ignored", test_attribute_is_ignored);
  return g_test_run ();
}
