/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forks made, answered, restarted, attacked and closed in any order, by dice.
 * A failure prints its seed; `test-fork-chaos --play=N` plays it again. */
#include "forks.h"

#include <stdlib.h>

#define N_SEEDS 30
#define N_STEPS 400

typedef struct
{
  Forks f;
  GRand *dice;
  GHashTable *accepts; /* (owned) source -> transport */
  gboolean closed[G_N_ELEMENTS (((Forks *) NULL)->peers)];
  guint n_names;
} Chaos;

static gint only_seed = -1;
static guint n_connected, n_refused; /* in all plays: the dice must roll */

/* Design 9.9: at any time a source is one branch's. */
static void
watch_accepts (Chaos *self, const IceOutput *output)
{
  gchar text[ICE_ADDRESS_STRLEN];
  g_autofree gchar *source = NULL;
  guint owner;

  if (output->type != ICE_OUTPUT_ACCEPT_FROM)
    return;
  source = g_strdup_printf ("%u %u %s", output->accept_from.socket,
      output->accept_from.channel,
      ice_address_to_string (&output->accept_from.from, text));
  owner = GPOINTER_TO_UINT (g_hash_table_lookup (self->accepts, source));
  if (output->accept_from.add) {
    g_assert_cmpuint (owner, ==, 0);
    g_hash_table_insert (self->accepts, g_steal_pointer (&source),
        GUINT_TO_POINTER (output->accept_from.transport));
  } else {
    g_assert_cmpuint (owner, ==, output->accept_from.transport);
    g_hash_table_remove (self->accepts, source);
  }
}

static void
watch (gpointer user, const IceOutput *output)
{
  Chaos *self = user;

  watch_accepts (self, output);
  if (output->type == ICE_OUTPUT_STATE &&
      output->state.state == ICE_STATE_COMPLETED)
    n_connected++;
  forks_watch (&self->f, output);
}

static Peer *
pick (Chaos *self)
{
  return &self->f.peers[g_rand_int_range (self->dice, 0, self->f.n_peers)];
}

static IceAddress
pick_address (Chaos *self)
{
  IceAddress address = pick (self)->address;

  if (g_rand_int_range (self->dice, 0, 4) == 0)
    address.port = 2000 + g_rand_int_range (self->dice, 0, 3);
  return address;
}

static gboolean
is_gone (Chaos *self, const Peer *peer)
{
  return self->closed[peer - self->f.peers];
}

static void
add_fork (Chaos *self)
{
  Peer *origin = pick (self), *peer;
  guint branch, stream;

  if (self->f.n_peers == ICE_MAX_BRANCHES)
    return;
  ice_core_use_branch (self->f.h.core, origin->branch);
  branch = ice_core_fork (self->f.h.core);
  stream = ice_core_fork_stream (self->f.h.core, branch, origin->stream);
  if (is_gone (self, origin)) {
    g_assert_cmpuint (branch, ==, 0);
    return;
  }
  peer = forks_add_peer (&self->f, branch, stream,
      ice_core_add_component (self->f.h.core, stream, 1));
  /* Some share an address with another one. */
  if (g_rand_int_range (self->dice, 0, 4) == 0)
    peer->address = pick (self)->address;
}

static void
answer (Chaos *self)
{
  Peer *peer = pick (self);
  IceAddress address = pick_address (self);
  g_autoptr (IceCandidate) candidate =
      ice_candidate_new (ICE_CANDIDATE_HOST, 1);

  ice_core_use_branch (self->f.h.core, peer->branch);
  ice_core_set_remote_pacing (
      self->f.h.core, (guint) g_rand_int_range (self->dice, 0, 60));
  ice_core_set_remote_credentials (
      self->f.h.core, peer->stream, peer->ufrag, peer->pwd, self->f.h.now);
  if (g_rand_boolean (self->dice))
    address = peer->address;
  candidate->address = candidate->base = address;
  candidate->priority = (guint32) g_rand_int_range (self->dice, 1, 1 << 30);
  ice_core_add_remote_candidate (
      self->f.h.core, peer->stream, candidate, self->f.h.now);
}

static void
rename_peer (Chaos *self, Peer *peer)
{
  g_snprintf (peer->ufrag, sizeof peer->ufrag, "name%u", ++self->n_names);
  g_snprintf (
      peer->pwd, sizeof peer->pwd, "renamedpassword22let+%u", self->n_names);
}

static void
restart (Chaos *self)
{
  Peer *peer = pick (self);

  ice_core_use_branch (self->f.h.core, peer->branch);
  ice_core_restart (self->f.h.core,
      g_rand_boolean (self->dice) ? peer->stream : 0, self->f.h.now);
  if (g_rand_boolean (self->dice))
    rename_peer (self, peer);
}

static void
knock (Chaos *self)
{
  IceAddress from = pick_address (self);
  Peer stranger = *pick (self);

  if (g_rand_int_range (self->dice, 0, 3) == 0)
    g_snprintf (stranger.ufrag, sizeof stranger.ufrag, "who%u",
        g_rand_int_range (self->dice, 0, 50));
  if (ice_core_get_local_ufrag (self->f.h.core, stranger.stream))
    forks_check (&self->f, &stranger, &from,
        g_rand_int_range (self->dice, 0, 8) == 0 ? "a-wrong-password-of-24-le"
                                                 : NULL);
}

static void
leave (Chaos *self)
{
  Peer *peer = pick (self);
  guint n_open = 0;

  for (guint i = 0; i < self->f.n_peers; i++)
    n_open += !self->closed[i];
  if (n_open < 2 || is_gone (self, peer))
    return;
  self->closed[peer - self->f.peers] = TRUE;
  forks_close (&self->f, peer);
}

static void
step (Chaos *self)
{
  IceAddress from = pick_address (self);

  switch (g_rand_int_range (self->dice, 0, 12)) {
    case 0:
    case 1:
      add_fork (self);
      break;
    case 2:
    case 3:
    case 4:
      answer (self);
      break;
    case 5:
      restart (self);
      break;
    case 6:
    case 7:
      knock (self);
      break;
    case 8:
      leave (self);
      break;
    case 9:
      pick (self)->silent ^= TRUE;
      pick (self)->conflicts = g_rand_int_range (self->dice, 0, 3);
      break;
    case 10:
      forks_media (&self->f, &from);
      break;
    default:
      forks_run_for (&self->f,
          (IceTime) g_rand_int_range (self->dice, 0, 20000) * ICE_MSEC);
      return;
  }
  harness_pump (&self->f.h);
  forks_run_for (&self->f, g_rand_int_range (self->dice, 0, 100) * ICE_MSEC);
}

/* What the dice leave behind ends as it should. */
static void
finish (Chaos *self)
{
  for (guint i = 0; i < self->f.n_peers; i++) {
    Peer *peer = &self->f.peers[i];

    if (!self->closed[i])
      forks_close (&self->f, peer);
    g_assert_cmpint (peer->state, ==, ICE_STATE_CLOSED);
    g_assert_cmpuint (peer->socket, ==, 0);
  }
  g_assert_cmpuint (g_hash_table_size (self->accepts), ==, 0);
  g_assert_cmpuint (self->f.n_sockets_closed, ==, 1);
  g_assert_cmpint (self->f.h.deadline, ==, ICE_TIME_NEVER);
}

static guint
count_refused (Forks *f)
{
  IceCoreCounters counters;

  ice_core_get_counters (f->h.core, &counters);
  return counters.verdicts[ICE_VERDICT_REFUSED];
}

static void
play (guint seed, ForksPaths paths)
{
  Chaos self = { 0 };

  g_test_message ("seed %u", seed);
  self.dice = g_rand_new_with_seed (seed);
  self.accepts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  forks_init (&self.f, paths);
  self.f.h.watch = watch;
  self.f.h.watch_user = &self;
  forks_run_for (&self.f, 100 * ICE_MSEC);
  for (guint i = 0; i < N_STEPS; i++)
    step (&self);
  finish (&self);
  n_refused += count_refused (&self.f);
  forks_clear (&self.f);
  g_hash_table_unref (self.accepts);
  g_rand_free (self.dice);
}

static void
test_chaos (gconstpointer paths)
{
  if (only_seed >= 0)
    play ((guint) only_seed, (ForksPaths) GPOINTER_TO_UINT (paths));
  for (guint seed = 0; only_seed < 0 && seed < N_SEEDS; seed++)
    play (seed, (ForksPaths) GPOINTER_TO_UINT (paths));
  g_test_message ("%u connected, %u refused", n_connected, n_refused);
  if (only_seed < 0) {
    g_assert_cmpuint (n_connected, >, 3 * N_SEEDS);
    g_assert_cmpuint (n_refused, >, N_SEEDS);
  }
}

int
main (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (g_str_has_prefix (argv[i], "--play="))
      only_seed = atoi (argv[i] + strlen ("--play="));
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func (
      "/fork/chaos/direct", GUINT_TO_POINTER (FORKS_DIRECT), test_chaos);
  g_test_add_data_func (
      "/fork/chaos/relay", GUINT_TO_POINTER (FORKS_RELAY), test_chaos);
  return g_test_run ();
}
