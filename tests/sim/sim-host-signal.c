/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How two hosts hear of each other: descriptions and candidates, late by
 * signal_delay but in order. */
#include "sim-host-private.h"

static guint
stream_index (SimHost *self, guint id)
{
  for (guint i = 0; i < self->n_streams; i++)
    if (self->streams[i] == id)
      return i;
  return 0;
}

typedef enum
{
  SIGNAL_OFFER,
  SIGNAL_ANSWER,
  SIGNAL_CANDIDATE,
  SIGNAL_END,
} SignalType;

typedef struct
{
  SignalType type;
  SimHost *to; /* (unowned) (nullable) */
  guint index; /* of the stream */
  gboolean is_copy;
  guint serial; /* descriptions: as the version in SDP's o= line */
  guint pacing, ice_options;
  gboolean lite;
  gchar *ufrag, *pwd;
  IceCandidate *candidate;
} Signal;

static void
signal_free (Signal *signal)
{
  g_clear_pointer (&signal->candidate, ice_candidate_unref);
  g_free (signal->ufrag);
  g_free (signal->pwd);
  g_free (signal);
}

static void send_descriptions (SimHost *self, SignalType type);

static void
take_description (SimHost *self, const Signal *signal)
{
  IceTime now = sim_net_now (self->net);
  const gchar *known;
  guint stream;

  sim_host_begin_fork (self);
  stream = self->streams[signal->index];
  known = ice_core_get_remote_ufrag (self->core, stream);
  /* One that was taken before is told to the core again, which does nothing;
   * but after a restart of ours it is of the past. */
  if (signal->is_copy && g_strcmp0 (known, signal->ufrag) != 0)
    return;
  sim_net_trace (
      self->net, "        %s: description %u", self->name, signal->index);
  sim_host_use_branch (self);
  ice_core_set_remote_pacing (self->core, signal->pacing);
  ice_core_set_remote_lite (self->core, signal->lite, now);
  /* Who does not say an option does not know it. */
  ice_core_set_remote_options (
      self->core, signal->ice_options & self->options.ice_options, now);
  /* RFC 8445 8.2: between two lite agents media goes unchecked. */
  if (self->options.lite && signal->lite)
    sim_witness_unchecked (self->witness);
  if (self->options.ice_options & signal->ice_options & ICE_OPTION_RENOMINATION)
    sim_witness_renominates (self->witness, FALSE);
  else if (self->options.aggressive && !(signal->ice_options & ICE_OPTION_ICE2))
    sim_witness_renominates (self->witness, TRUE);
  sim_witness_remote_password (self->witness, signal->pwd);
  sim_witness_restart (self->witness);
  if (!ice_core_set_remote_credentials (
          self->core, stream, signal->ufrag, signal->pwd, now))
    sim_net_violate (self->net, "remote credentials refused");
  if (signal->is_copy || signal->type != SIGNAL_OFFER ||
      signal->index != self->n_streams - 1)
    return;
  send_descriptions (self, SIGNAL_ANSWER);
  for (guint i = 0; i < self->n_streams; i++)
    ice_core_gather (self->core, self->streams[i], now);
}

static void
deliver_signal (gpointer user)
{
  Signal *signal = user;
  SimHost *self = signal->to;
  guint stream;
  IceTime now;

  if (self == NULL || self->closed)
    return;
  /* What was said before is old, and is no restart; candidates say themselves
   * whose they are (RFC 8838 11). */
  if (signal->type != SIGNAL_CANDIDATE) {
    if (signal->serial < self->remote_serial)
      return;
    self->remote_serial = signal->serial;
    self->has_offered &= signal->type == SIGNAL_END;
  }
  stream = self->streams[signal->index];
  now = sim_net_now (self->net);
  switch (signal->type) {
    case SIGNAL_OFFER:
    case SIGNAL_ANSWER:
      take_description (self, signal);
      /* One description has all sections. */
      if (signal->index < self->n_streams - 1)
        return;
      break;
    case SIGNAL_CANDIDATE:
      ice_core_add_remote_candidate (
          self->core, stream, signal->candidate, now);
      break;
    case SIGNAL_END:
      /* RFC 8838 13: it says its generation, and that is one of
       * before the restart. */
      if (self->has_offered)
        return;
      ice_core_end_remote_candidates (self->core, stream, now);
      break;
  }
  sim_host_pump (self);
}

static Signal *
signal_copy (const Signal *signal)
{
  Signal *copy = g_memdup2 (signal, sizeof *signal);

  if (copy->candidate)
    ice_candidate_ref (copy->candidate);
  copy->ufrag = g_strdup (signal->ufrag);
  copy->pwd = g_strdup (signal->pwd);
  return copy;
}

static void
send_to (SimHost *self, SimHost *to, Signal *signal)
{
  const SimHostOptions *options = &self->options;
  IceTime at = sim_net_now (self->net) + options->signal_delay;
  Signal *copy;

  signal->to = to;
  if (signal->type == SIGNAL_CANDIDATE)
    at += options->late + sim_net_pick (self->net, options->signal_jitter);
  else if (signal->type == SIGNAL_END)
    at += options->late + options->signal_jitter;
  if (options->signal_repeats && sim_net_one_in (self->net, 2)) {
    copy = signal_copy (signal);
    copy->is_copy = TRUE;
    sim_net_at (self->net, at + sim_net_pick (self->net, 10 * ICE_SECOND),
        deliver_signal, copy, (GDestroyNotify) signal_free);
  }
  sim_net_at (
      self->net, at, deliver_signal, signal, (GDestroyNotify) signal_free);
}

/* (transfer full) without a peer it is lost. Who has not answered the offer yet
 * hears what the first one hears. */
static void
send_signal (SimHost *self, Signal *signal)
{
  for (guint i = 0; i < self->forks->len; i++) {
    SimHost *fork = g_ptr_array_index (self->forks, i);

    if (fork->branch)
      continue;
    fork->serial = self->serial;
    send_to (self, fork->peer, signal_copy (signal));
  }
  send_to (self, self->peer, signal);
}

static Signal *
signal_new (SimHost *self, SignalType type, guint index)
{
  Signal *signal = g_new0 (Signal, 1);

  signal->type = type;
  signal->index = index;
  signal->serial = self->serial;
  return signal;
}

void
sim_host_signal_candidate (SimHost *self, const IceOutput *output)
{
  guint index = stream_index (self, output->candidate.stream);
  const IceCandidate *candidate = output->candidate.candidate;
  Signal *signal = signal_new (self, SIGNAL_CANDIDATE, index);

  /* U9: whatever a server says. */
  if (!ice_address_is_usable (&candidate->address))
    sim_net_violate (self->net, "%s told an address that is none", self->name);
  signal->candidate = ice_candidate_ref (output->candidate.candidate);
  if (self->waiting >= 0)
    g_ptr_array_add (self->untold, signal);
  else
    send_signal (self, signal);
}

static void say_descriptions (SimHost *self, SignalType type);

static void
send_end (SimHost *self, guint index)
{
  if (!self->options.never_ends)
    send_signal (self, signal_new (self, SIGNAL_END, index));
}

/* The last stream has all its candidates: now all is said at once. */
static void
tell (SimHost *self)
{
  SignalType type = self->waiting;
  g_autoptr (GPtrArray) untold = g_steal_pointer (&self->untold);

  self->waiting = -1;
  say_descriptions (self, type);
  for (guint i = 0; i < untold->len; i++)
    send_signal (self, g_ptr_array_index (untold, i));
}

void
sim_host_signal_clear (SimHost *self)
{
  for (guint i = 0; self->untold && i < self->untold->len; i++)
    signal_free (g_ptr_array_index (self->untold, i));
  g_clear_pointer (&self->untold, g_ptr_array_unref);
}

void
sim_host_signal_end (SimHost *self, const IceOutput *output)
{
  if (self->waiting < 0)
    send_end (self, stream_index (self, output->stream.stream));
}

/* Vanilla ICE does not wait for servers that are dead: what they say after all
 * is trickled. */
void
sim_host_signal_gathered (SimHost *self)
{
  if (self->waiting >= 0 && ++self->n_ended == self->n_streams)
    tell (self);
}

/* At once, or when all candidates are known (vanilla ICE). */
static void
send_descriptions (SimHost *self, SignalType type)
{
  if (!self->options.vanilla) {
    say_descriptions (self, type);
    return;
  }
  sim_host_signal_clear (self);
  self->waiting = type;
  self->untold = g_ptr_array_new ();
  self->n_ended = 0;
}

static void
say_descriptions (SimHost *self, SignalType type)
{
  self->serial++;
  for (guint i = 0; i < self->n_streams; i++) {
    Signal *signal = signal_new (self, type, i);

    signal->pacing = self->options.pacing;
    signal->ice_options = self->options.ice_options;
    signal->lite = self->options.lite;
    signal->ufrag =
        g_strdup (ice_core_get_local_ufrag (self->core, self->streams[i]));
    signal->pwd =
        g_strdup (ice_core_get_local_pwd (self->core, self->streams[i]));
    if (self->options.lite)
      sim_witness_local_password (self->witness, signal->pwd);
    if (self->options.secrets) {
      sim_secrets_add (self->options.secrets, signal->ufrag);
      sim_secrets_add (self->options.secrets, signal->pwd);
    }
    send_signal (self, signal);
  }
}

static void
set_interfaces (SimHost *self)
{
  g_autofree IceInterfaceAddress *addresses =
      g_new0 (IceInterfaceAddress, self->nodes->len);

  for (guint i = 0; i < self->nodes->len; i++) {
    SimNode *node = g_ptr_array_index (self->nodes, i);
    SimNat *realm = sim_node_nat (node);

    sim_node_get_ip (node, &addresses[i].address);
    addresses[i].interface_index = i + 1;
    addresses[i].tunnel = realm && sim_nat_rules (realm)->sealed;
  }
  ice_core_set_interfaces (
      self->core, addresses, self->nodes->len, sim_net_now (self->net));
}

void
sim_host_move (SimHost *self, SimNode *node)
{
  g_ptr_array_set_size (self->nodes, 0);
  sim_host_add_node (self, node);
  set_interfaces (self);
  sim_host_pump (self);
}

void
sim_host_gather (SimHost *self)
{
  set_interfaces (self);
  for (guint i = 0; i < self->n_streams; i++)
    ice_core_gather (self->core, self->streams[i], sim_net_now (self->net));
  sim_host_pump (self);
}

void
sim_host_set_remote (SimHost *self, const gchar *ufrag, const gchar *pwd)
{
  sim_witness_remote_password (self->witness, pwd);
  if (!ice_core_set_remote_credentials (
          self->core, self->streams[0], ufrag, pwd, sim_net_now (self->net)))
    sim_net_violate (self->net, "remote credentials refused");
  sim_host_pump (self);
}

void
sim_connect (SimHost *offerer, SimHost *answerer)
{
  offerer->peer = answerer;
  answerer->peer = offerer;
  set_interfaces (answerer);
  /* The offer is made once, when all know who takes which answer. */
  if (offerer->origin)
    return;
  set_interfaces (offerer);
  send_descriptions (offerer, SIGNAL_OFFER);
  for (guint i = 0; i < offerer->n_streams; i++)
    ice_core_gather (
        offerer->core, offerer->streams[i], sim_net_now (offerer->net));
  sim_host_pump (offerer);
}

void
sim_restart (SimHost *offerer)
{
  sim_witness_restart (offerer->witness);
  sim_host_use_branch (offerer);
  /* The offer leaves before the candidates that the restart reports. */
  ice_core_restart (offerer->core, 0, sim_net_now (offerer->net));
  offerer->has_offered = TRUE;
  send_descriptions (offerer, SIGNAL_OFFER);
  sim_host_pump (offerer);
}
