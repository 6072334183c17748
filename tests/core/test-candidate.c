/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/core/context.h"
#include "gst/ice/core/ice/candidate.h"

#include <string.h>

/* RFC 8445 5.1.2.1 with local preference 65535. */
static void
test_priority (void)
{
  static const struct
  {
    IceCandidateKind kind;
    guint32 priority;
  } rows[] = {
    { ICE_CANDIDATE_HOST, 2130706431 },
    { ICE_CANDIDATE_PEER_REFLEXIVE, 1862270975 },
    { ICE_CANDIDATE_SERVER_REFLEXIVE, 1694498815 },
    { ICE_CANDIDATE_RELAYED, 16777215 },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_cmpuint (ice_candidate_compute_priority (rows[i].kind, 65535, 1),
        ==, rows[i].priority);
    g_assert_cmpuint (ice_candidate_compute_priority (rows[i].kind, 65535, 2),
        ==, rows[i].priority - 1);
  }
  g_assert_cmpuint (ice_candidate_compute_priority (ICE_CANDIDATE_HOST, 0, 256),
      ==, 126u << 24);
}

static void
test_kinds (void)
{
  g_assert_cmpstr (
      ice_candidate_kind_to_string (ICE_CANDIDATE_HOST), ==, "host");
  g_assert_cmpstr (
      ice_candidate_kind_to_string (ICE_CANDIDATE_SERVER_REFLEXIVE), ==,
      "srflx");
  g_assert_cmpstr (
      ice_candidate_kind_to_string (ICE_CANDIDATE_PEER_REFLEXIVE), ==, "prflx");
  g_assert_cmpstr (
      ice_candidate_kind_to_string (ICE_CANDIDATE_RELAYED), ==, "relay");
}

static void
test_copy (void)
{
  g_autoptr (IceCandidate) candidate =
      ice_candidate_new (ICE_CANDIDATE_RELAYED, 2);
  g_autoptr (IceCandidate) copy = NULL;
  g_autoptr (IceCandidate) again = NULL;

  candidate->host_name = g_strdup ("name.local");
  candidate->ufrag = g_strdup ("frag");
  candidate->url = g_strdup ("turn:turn.example.org");
  candidate->relay_protocol = "udp";
  again = ice_candidate_ref (candidate);
  g_assert_true (again == candidate);

  copy = ice_candidate_copy (candidate);
  g_assert_true (copy != candidate);
  g_assert_true (copy->host_name != candidate->host_name);
  g_assert_cmpstr (copy->host_name, ==, "name.local");
  g_assert_cmpstr (copy->ufrag, ==, "frag");
  g_assert_cmpstr (copy->url, ==, "turn:turn.example.org");
  g_assert_cmpint (copy->kind, ==, ICE_CANDIDATE_RELAYED);
  g_assert_cmpuint (copy->component, ==, 2);
  ice_candidate_unref (NULL);
}

/* Every kind of output gives back what it owns (the sanitizer counts). */
static void
test_outputs (void)
{
  g_autoptr (IcePacket) packet = ice_packet_new (10);
  IceAddress to = ICE_ADDRESS_NONE;
  IceOutputType type;
  IceOutputs outputs;
  IceOutput *output;
  guint n = 0;

  ice_outputs_init (&outputs);
  g_assert_null (ice_outputs_steal (&outputs));
  ice_outputs_transmit (&outputs, 7, &to, packet);
  for (type = ICE_OUTPUT_OPEN_SOCKET; type <= ICE_OUTPUT_ERROR; type++) {
    output = ice_outputs_add (&outputs, type);
    if (type == ICE_OUTPUT_RESOLVE)
      output->resolve.host = g_strdup ("stun.example.org");
    else if (type == ICE_OUTPUT_DELIVER)
      output->deliver.payload = ice_packet_ref (packet);
    else if (type == ICE_OUTPUT_LOCAL_CANDIDATE ||
        type == ICE_OUTPUT_REMOTE_CANDIDATE)
      output->candidate.candidate = ice_candidate_new (ICE_CANDIDATE_HOST, 1);
    else if (type == ICE_OUTPUT_PAIR_SELECTED) {
      output->pair_selected.local = ice_candidate_new (ICE_CANDIDATE_HOST, 1);
      output->pair_selected.remote = ice_candidate_new (ICE_CANDIDATE_HOST, 1);
    } else if (type == ICE_OUTPUT_SERVER_ERROR || type == ICE_OUTPUT_SERVER_OK)
      output->server.text = g_strdup ("text");
    else if (type == ICE_OUTPUT_ERROR)
      output->error.text = g_strdup ("text");
  }

  output = ice_outputs_steal (&outputs);
  g_assert_cmpuint (output->transmit.socket, ==, 7);
  g_assert_true (output->transmit.packet == packet);
  for (IceOutput *o = output; o; o = o->next)
    g_assert_cmpint (o->type, ==, n++);
  ice_output_free (output);

  /* The emptied list goes on. */
  ice_outputs_add (&outputs, ICE_OUTPUT_RESOLVE);
  ice_outputs_add (&outputs, ICE_OUTPUT_ERROR);
  ice_outputs_clear (&outputs);
  g_assert_null (outputs.first);
  ice_outputs_clear (&outputs);
}

static void
test_state_names (void)
{
  static const gchar *const names[] = { "new", "checking", "connected",
    "completed", "disconnected", "failed", "closed" };
  static const gchar *const causes[] = { "none", "no-local-candidates",
    "no-remote-candidates", "all-checks-failed", "turn-auth", "tls-untrusted",
    "consent-expired", "resource" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_cmpstr (ice_state_to_string ((IceState) i), ==, names[i]);
  for (i = 0; i < G_N_ELEMENTS (causes); i++)
    g_assert_cmpstr (ice_cause_to_string ((IceCause) i), ==, causes[i]);
}

typedef struct
{
  guint8 next;
  guint n_logged;
  gchar *last; /* (owned) (nullable) */
} World;

/* Each byte value in turn: what should be even comes out even. */
static void
count_up (gpointer user, guint8 *ret_bytes, gsize size)
{
  World *self = user;

  while (size-- > 0)
    *ret_bytes++ = self->next++;
}

static void
remember (
    gpointer user, IceLogLevel level, IceLogArea area, const gchar *message)
{
  World *self = user;

  self->n_logged++;
  g_free (self->last);
  self->last = g_strdup (message);
}

static void
test_context (void)
{
  World world = { 0 };
  IceWorld lent = { .random = count_up,
    .log = remember,
    .log_level = ICE_LOG_INFO,
    .user = &world };
  guint counts[128] = { 0 };
  g_autofree gchar *chars = NULL;
  IceContext self;
  guint i;

  ice_context_init (&self, &lent);
  g_assert_cmpint (self.ta, ==, 50 * ICE_MSEC);
  g_assert_cmpuint (ice_context_new_id (&self), ==, 1);
  g_assert_cmpuint (ice_context_new_id (&self), ==, 2);

  chars = ice_context_random_ice_chars (&self, 1024);
  g_assert_cmpuint (strlen (chars), ==, 1024);
  g_assert_true (ice_is_ice_chars (chars));
  for (i = 0; i < 1024; i++)
    counts[(guint8) chars[i]]++;
  for (i = 0; i < 128; i++)
    g_assert_true (counts[i] == 0 || counts[i] == 1024 / 64);

  ice_log (&self, ICE_LOG_WARNING, ICE_LOG_STUN, "%s %d", "pair", 7);
  g_assert_cmpstr (world.last, ==, "pair 7");
  ice_log (&self, ICE_LOG_DEBUG, ICE_LOG_STUN, "not wanted");
  g_assert_cmpuint (world.n_logged, ==, 1);
  self.world.log = NULL;
  ice_log (&self, ICE_LOG_WARNING, ICE_LOG_STUN, "nobody listens");
  ice_context_log (&self, ICE_LOG_WARNING, ICE_LOG_STUN, "nobody listens");
  g_assert_cmpuint (world.n_logged, ==, 1);

  ice_outputs_add (self.out, ICE_OUTPUT_ROLE);
  ice_context_clear (&self);
  ice_context_clear (&self);
  g_free (world.last);
}

/* RFC 8445 14.2, from the first transaction of a young clock on. */
static void
test_pacing (void)
{
  IceWorld lent = { .random = count_up };
  IceTime now = -7 * ICE_SECOND;
  IceContext self;

  ice_context_init (&self, &lent);
  g_assert_true (ice_context_take_slot (&self, now));
  g_assert_false (ice_context_take_slot (&self, now));
  g_assert_false (ice_context_take_slot (&self, now + self.ta - 1));
  g_assert_true (ice_context_take_slot (&self, now + self.ta));
  /* Slots that nobody took are not saved up. */
  now += 10 * ICE_SECOND;
  g_assert_true (ice_context_take_slot (&self, now));
  g_assert_false (ice_context_take_slot (&self, now + 1));
  ice_context_clear (&self);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/candidate/priority", test_priority);
  g_test_add_func ("/candidate/kinds", test_kinds);
  g_test_add_func ("/candidate/copy", test_copy);
  g_test_add_func ("/candidate/outputs", test_outputs);
  g_test_add_func ("/candidate/state-names", test_state_names);
  g_test_add_func ("/candidate/context", test_context);
  g_test_add_func ("/candidate/pacing", test_pacing);
  return g_test_run ();
}
