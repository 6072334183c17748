/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/core/ice/checklist.h"
#include "harness.h"

/* A checklist set without a core: candidates are put in by hand, nothing is
 * sent. */
typedef struct
{
  IceContext context;
  IceGatherer *gatherer;
  IceChecklistSet set;
  guint64 dice;
  guint socket;
} Fixture;

static void
roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  Fixture *f = user;

  for (gsize i = 0; i < size; i++)
    ret_bytes[i] = f->dice++;
}

static void
set_up (Fixture *f, gboolean controlling, guint max_pairs)
{
  IceWorld world = { .random = roll, .user = f };
  IceGathererConfig config = { 0 };

  *f = (Fixture){ .socket = 100 };
  ice_context_init (&f->context, &world);
  f->gatherer = ice_gatherer_new (&f->context, &config);
  ice_checklist_set_init (
      &f->set, &f->context, f->gatherer, controlling, max_pairs);
}

static void
tear_down (Fixture *f)
{
  ice_checklist_set_clear (&f->set);
  ice_gatherer_free (f->gatherer);
  ice_context_clear (&f->context);
}

static IceStream *
add_stream (Fixture *f, guint n_components)
{
  IceStream *stream = ice_stream_new (&f->context);

  ice_checklist_set_add_stream (&f->set, stream);
  for (guint i = 1; i <= n_components; i++)
    ice_stream_add_component (stream, &f->context, i);
  ice_generation_set_remote (stream->generation, PEER_UFRAG, PEER_PWD);
  return stream;
}

static void
activate (Fixture *f, IceStream *stream)
{
  stream->started_at = 1;
  ice_checklist_activate (&f->set, stream, 1);
}

static IceCandidate *
make (Fixture *f, IceCandidateKind kind, const gchar *ip, guint16 port,
    const gchar *foundation, guint component)
{
  IceCandidate *candidate = ice_candidate_new (kind, component);

  candidate->id = ice_context_new_id (&f->context);
  candidate->address = candidate->base = addr (ip, port);
  candidate->priority = ice_candidate_compute_priority (kind, 100, component);
  candidate->socket = f->socket++;
  g_strlcpy (candidate->foundation, foundation, sizeof candidate->foundation);
  return candidate;
}

static void
add_local (
    Fixture *f, IceStream *stream, const gchar *foundation, guint component)
{
  g_autoptr (IceCandidate) candidate =
      make (f, ICE_CANDIDATE_HOST, "192.0.2.1", 5000, foundation, component);

  ice_checklist_add_local (&f->set, stream, candidate, 1);
}

static IceVerdict
add_remote (Fixture *f, IceStream *stream, const gchar *ip, guint16 port,
    const gchar *foundation, guint component)
{
  g_autoptr (IceCandidate) candidate =
      make (f, ICE_CANDIDATE_HOST, ip, port, foundation, component);

  candidate->priority -= port << 8;
  return ice_checklist_add_remote (&f->set, stream, candidate, 1);
}

static guint
count (IceStream *stream, IcePairState state)
{
  guint n = 0;

  for (guint i = 0; i < stream->pairs->len; i++)
    n += ((IcePair *) g_ptr_array_index (stream->pairs, i))->state == state;
  return n;
}

/* The table of RFC 8445 6.1.2.6. */
static void
test_initial_states (void)
{
  static const gchar *const rows[] = { "123", "1234", "15" };
  static const guint waiting[] = { 3, 1, 1 };
  Fixture f;
  IceStream *streams[3];

  set_up (&f, TRUE, 100);
  for (guint i = 0; i < 3; i++) {
    streams[i] = add_stream (&f, 1);
    add_local (&f, streams[i], "L", 1);
    for (const gchar *c = rows[i]; *c; c++) {
      gchar foundation[] = { *c, 0 };

      add_remote (&f, streams[i], "192.0.2.2", *c, foundation, 1);
    }
  }
  for (guint i = 0; i < 3; i++)
    activate (&f, streams[i]);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpuint (count (streams[i], ICE_PAIR_WAITING), ==, waiting[i]);
    g_assert_cmpuint (
        count (streams[i], ICE_PAIR_FROZEN), ==, strlen (rows[i]) - waiting[i]);
  }
  tear_down (&f);
}

/* Of one foundation the lowest component waits. */
static void
test_lowest_component (void)
{
  Fixture f;
  IceStream *stream;
  IcePair *pair;

  set_up (&f, TRUE, 100);
  stream = add_stream (&f, 2);
  add_local (&f, stream, "L", 2);
  add_local (&f, stream, "L", 1);
  add_remote (&f, stream, "192.0.2.2", 2, "1", 2);
  add_remote (&f, stream, "192.0.2.2", 1, "1", 1);
  activate (&f, stream);
  g_assert_cmpuint (count (stream, ICE_PAIR_WAITING), ==, 1);
  pair = ice_checklist_set_peek (&f.set);
  g_assert_cmpuint (pair->component->number, ==, 1);
  tear_down (&f);
}

/* RFC 8838 12: rules 1 to 3. */
static void
test_trickled (void)
{
  Fixture f;
  IceStream *a, *b;
  IcePair *pair;

  set_up (&f, TRUE, 100);
  a = add_stream (&f, 1);
  b = add_stream (&f, 1);
  activate (&f, a);
  activate (&f, b);
  add_local (&f, a, "L", 1);
  add_local (&f, b, "L", 1);
  add_remote (&f, a, "192.0.2.2", 1, "1", 1);
  g_assert_cmpuint (count (a, ICE_PAIR_WAITING), ==, 1); /* rule 1 */
  add_remote (&f, b, "192.0.2.2", 2, "1", 1);
  g_assert_cmpuint (count (b, ICE_PAIR_FROZEN), ==, 1); /* rule 3 */
  pair = g_ptr_array_index (a->pairs, 0);
  pair->state = ICE_PAIR_SUCCEEDED;
  add_remote (&f, b, "192.0.2.2", 3, "1", 1);
  g_assert_cmpuint (count (b, ICE_PAIR_WAITING), ==, 1); /* rule 2 */
  ice_checklist_thaw_mates (&f.set, pair);
  g_assert_cmpuint (count (b, ICE_PAIR_WAITING), ==, 2);
  tear_down (&f);
}

/* RFC 8445 6.1.4.2: triggered first, then by priority; a frozen pair when its
 * foundation has come to an end. */
static void
test_picking (void)
{
  Fixture f;
  IceStream *stream;
  IcePair *pair, *frozen;

  set_up (&f, TRUE, 100);
  stream = add_stream (&f, 1);
  add_local (&f, stream, "L", 1);
  add_remote (&f, stream, "192.0.2.2", 3, "1", 1);
  add_remote (&f, stream, "192.0.2.2", 2, "1", 1);
  add_remote (&f, stream, "192.0.2.2", 1, "2", 1);
  activate (&f, stream);

  pair = ice_checklist_set_peek (&f.set);
  g_assert_cmpuint (pair->remote->address.port, ==, 1);
  ice_checklist_set_take (&f.set, pair);
  pair->state = ICE_PAIR_IN_PROGRESS;
  pair = ice_checklist_set_peek (&f.set);
  g_assert_cmpuint (pair->remote->address.port, ==, 2);
  pair->state = ICE_PAIR_IN_PROGRESS;
  g_assert_null (ice_checklist_set_peek (&f.set)); /* 3 is frozen behind 2 */

  frozen = g_ptr_array_index (stream->pairs, 2);
  g_assert_cmpint (frozen->state, ==, ICE_PAIR_FROZEN);
  ice_checklist_trigger (g_ptr_array_index (stream->pairs, 0));
  ice_checklist_fail (&f.set, pair);
  pair = ice_checklist_set_peek (&f.set);
  g_assert_cmpuint (pair->remote->address.port, ==, 1);
  ice_checklist_set_take (&f.set, pair);
  pair->state = ICE_PAIR_IN_PROGRESS;
  g_assert_true (ice_checklist_set_peek (&f.set) == frozen);
  tear_down (&f);
}

/* A check that was resent in vain holds nobody back: the next component has a
 * NAT of its own to open. One after the other, so that pacing has little to
 * do. */
static void
test_resent_check (void)
{
  Fixture f;
  IceStream *stream;
  IcePair *first, *next;
  IceCheck *check;

  set_up (&f, TRUE, 100);
  stream = add_stream (&f, 3);
  for (guint i = 1; i <= 3; i++) {
    add_local (&f, stream, "L", i);
    add_remote (&f, stream, "192.0.2.2", i, "1", i);
  }
  activate (&f, stream);
  g_assert_cmpuint (count (stream, ICE_PAIR_FROZEN), ==, 2);
  first = ice_checklist_set_peek (&f.set);
  ice_checklist_set_take (&f.set, first);
  first->state = ICE_PAIR_IN_PROGRESS;
  check = ice_pair_add_check (first, ICE_CHECK_ORDINARY);
  check->live = TRUE;
  check->transaction.retransmit = TRUE;
  check->transaction.n_sent = 1;
  g_assert_null (ice_checklist_set_peek (&f.set));

  check->transaction.n_sent = 2;
  next = ice_checklist_set_peek (&f.set);
  g_assert_nonnull (next);
  g_assert_true (next != first);
  g_assert_cmpuint (count (stream, ICE_PAIR_FROZEN), ==, 1);
  ice_checklist_set_take (&f.set, next);
  next->state = ICE_PAIR_IN_PROGRESS;
  g_assert_null (ice_checklist_set_peek (&f.set));
  tear_down (&f);
}

/* Streams take turns. */
static void
test_turns (void)
{
  Fixture f;
  IceStream *streams[2];
  IcePair *pair;

  set_up (&f, TRUE, 100);
  for (guint i = 0; i < 2; i++) {
    streams[i] = add_stream (&f, 1);
    add_local (&f, streams[i], i ? "a" : "b", 1);
    add_remote (&f, streams[i], "192.0.2.2", 1, "1", 1);
    add_remote (&f, streams[i], "192.0.2.2", 2, "2", 1);
    activate (&f, streams[i]);
  }
  for (guint i = 0; i < 4; i++) {
    pair = ice_checklist_set_peek (&f.set);
    g_assert_true (pair->component->stream == streams[i % 2]);
    ice_checklist_set_take (&f.set, pair);
    pair->state = ICE_PAIR_IN_PROGRESS;
  }
  tear_down (&f);
}

/* RFC 8445 6.1.2.5, 8838 11: a hundred in all; better ones push worse ones
 * out, failed ones go first. */
static void
test_limit (void)
{
  Fixture f;
  IceStream *a, *b;

  set_up (&f, TRUE, 10);
  a = add_stream (&f, 1);
  b = add_stream (&f, 1);
  add_local (&f, a, "L", 1);
  add_local (&f, b, "L", 1);
  activate (&f, a);
  activate (&f, b);
  for (guint i = 0; i < 30; i++) {
    add_remote (&f, a, "192.0.2.2", 100 + i, "1", 1);
    g_assert_cmpuint (ice_checklist_set_count_pairs (&f.set), <=, 10);
  }
  g_assert_cmpuint (a->pairs->len, ==, 10);
  for (guint i = 0; i < 8; i++)
    add_remote (&f, b, "192.0.2.2", 1 + i, "2", 1);
  g_assert_cmpuint (ice_checklist_set_count_pairs (&f.set), ==, 10);
  g_assert_cmpuint (b->pairs->len, >=, 5);

  ice_checklist_fail (&f.set, g_ptr_array_index (a->pairs, 0));
  add_remote (&f, a, "192.0.2.3", 9000, "3", 1);
  g_assert_cmpuint (ice_checklist_set_count_pairs (&f.set), ==, 10);
  g_assert_cmpuint (count (a, ICE_PAIR_FAILED), ==, 0);
  tear_down (&f);
}

/* 100 remote candidates a component, the best of what came. */
static void
test_remote_limit (void)
{
  Fixture f;
  IceStream *stream;

  set_up (&f, TRUE, 100);
  stream = add_stream (&f, 1);
  for (guint i = 0; i < 100; i++)
    g_assert_cmpint (add_remote (&f, stream, "192.0.2.2", 1000 + i, "1", 1), ==,
        ICE_VERDICT_OK);
  g_assert_cmpint (add_remote (&f, stream, "192.0.2.2", 5000, "1", 1), ==,
      ICE_VERDICT_REFUSED);
  g_assert_cmpint (
      add_remote (&f, stream, "192.0.2.2", 1, "1", 1), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (stream->remotes->len, ==, 100);
  tear_down (&f);
}

static void
test_refused (void)
{
  static const gchar *const useless[] = { "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::", "ff02::1", "::ffff:192.0.2.1" };
  Fixture f;
  IceStream *stream;
  g_autoptr (IceCandidate) tcp = NULL;

  set_up (&f, TRUE, 100);
  stream = add_stream (&f, 1);
  for (guint i = 0; i < G_N_ELEMENTS (useless); i++)
    g_assert_cmpint (add_remote (&f, stream, useless[i], 1000, "1", 1), ==,
        ICE_VERDICT_REFUSED);
  g_assert_cmpint (
      add_remote (&f, stream, "192.0.2.2", 0, "1", 1), ==, ICE_VERDICT_REFUSED);
  /* Component 2 under rtcp-mux: Firefox and rtpengine send it. */
  g_assert_cmpint (add_remote (&f, stream, "192.0.2.2", 1, "1", 2), ==,
      ICE_VERDICT_UNEXPECTED);
  tcp = make (&f, ICE_CANDIDATE_HOST, "192.0.2.2", 9, "1", 1);
  tcp->protocol = ICE_PROTOCOL_TCP;
  g_assert_cmpint (ice_checklist_add_remote (&f.set, stream, tcp, 1), ==,
      ICE_VERDICT_REFUSED);
  tear_down (&f);
}

/* A signalled candidate takes the place of the one that was learnt, and the
 * pair keeps its state. */
static void
test_replace_learnt (void)
{
  Fixture f;
  IceStream *stream;
  IceComponent *component;
  IcePair *pair;
  g_autoptr (IceCandidate) learnt = NULL;

  set_up (&f, TRUE, 100);
  stream = add_stream (&f, 1);
  component = ice_stream_find_component (stream, 1);
  add_local (&f, stream, "L", 1);
  activate (&f, stream);
  learnt = make (&f, ICE_CANDIDATE_PEER_REFLEXIVE, "192.0.2.2", 7, "x", 1);
  g_assert_cmpint (
      ice_checklist_add_remote (&f.set, stream, learnt, 1), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (stream->pairs->len, ==, 0);
  pair = ice_checklist_add_pair (
      &f.set, component, g_ptr_array_index (stream->locals, 0), learnt, 1);
  pair->state = ICE_PAIR_IN_PROGRESS;
  g_assert_cmpint (
      add_remote (&f, stream, "192.0.2.2", 7, "1", 1), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (stream->pairs->len, ==, 1);
  g_assert_cmpuint (stream->remotes->len, ==, 1);
  g_assert_cmpint (pair->state, ==, ICE_PAIR_IN_PROGRESS);
  g_assert_cmpint (pair->remote->kind, ==, ICE_CANDIDATE_HOST);
  g_assert_cmpstr (pair->remote->foundation, ==, "1");
  g_assert_cmpint (add_remote (&f, stream, "192.0.2.2", 7, "1", 1), ==,
      ICE_VERDICT_DUPLICATE);
  tear_down (&f);
}

/* After a role switch the list is in order again, and nobody's nomination is
 * pending. */
static void
test_switch_role (void)
{
  Fixture f;
  IceStream *stream;
  IcePair *pair;
  guint64 priority, tie_breaker;

  set_up (&f, TRUE, 100);
  stream = add_stream (&f, 1);
  add_local (&f, stream, "L", 1);
  add_remote (&f, stream, "192.0.2.2", 1, "1", 1);
  activate (&f, stream);
  pair = g_ptr_array_index (stream->pairs, 0);
  pair->nomination = ICE_NOMINATION_WANTED;
  priority = pair->priority;
  tie_breaker = f.set.tie_breaker;
  ice_checklist_set_switch_role (&f.set, FALSE, TRUE);
  g_assert_cmpuint (pair->priority, ==, priority - 1);
  g_assert_cmpint (pair->nomination, ==, ICE_NOMINATION_NONE);
  g_assert_true (f.set.tie_breaker != tie_breaker);
  tear_down (&f);
}

/* RFC 8445 8.1.2. */
static void
test_conclude (void)
{
  Fixture f;
  IceStream *stream;
  IcePair *keep;

  set_up (&f, TRUE, 100);
  stream = add_stream (&f, 2);
  for (guint i = 1; i <= 2; i++) {
    add_local (&f, stream, "L", i);
    add_remote (&f, stream, "192.0.2.2", i, "1", i);
    add_remote (&f, stream, "192.0.2.2", i + 10, "2", i);
  }
  activate (&f, stream);
  g_assert_cmpuint (stream->pairs->len, ==, 4);
  keep = g_ptr_array_index (stream->pairs, 0);
  ice_checklist_trigger (g_ptr_array_index (stream->pairs, 1));
  ice_checklist_trigger (g_ptr_array_index (stream->pairs, 2));
  ice_checklist_trigger (g_ptr_array_index (stream->pairs, 3));
  ice_checklist_conclude (&f.set, keep->component, keep);
  g_assert_cmpuint (stream->pairs->len, ==, 3);
  g_assert_cmpuint (g_queue_get_length (&stream->triggered), ==, 2);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/checklist/initial-states", test_initial_states);
  g_test_add_func ("/checklist/lowest-component", test_lowest_component);
  g_test_add_func ("/checklist/trickled", test_trickled);
  g_test_add_func ("/checklist/picking", test_picking);
  g_test_add_func (
      "/rfc8445/6.1.4.2/resent-check-holds-nobody", test_resent_check);
  g_test_add_func ("/checklist/turns", test_turns);
  g_test_add_func ("/checklist/limit", test_limit);
  g_test_add_func ("/checklist/remote-limit", test_remote_limit);
  g_test_add_func ("/checklist/refused", test_refused);
  g_test_add_func ("/checklist/replace-learnt", test_replace_learnt);
  g_test_add_func ("/checklist/switch-role", test_switch_role);
  g_test_add_func ("/checklist/conclude", test_conclude);
  return g_test_run ();
}
