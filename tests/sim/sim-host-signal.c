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
  guint pacing;
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
deliver_signal (gpointer user)
{
  Signal *signal = user;
  SimHost *self = signal->to;
  guint stream;
  IceTime now;

  if (self == NULL || self->closed)
    return;
  stream = self->streams[signal->index];
  now = sim_net_now (self->net);
  switch (signal->type) {
    case SIGNAL_OFFER:
    case SIGNAL_ANSWER:
      sim_net_trace (
          self->net, "        %s: description %u", self->name, signal->index);
      ice_core_set_remote_pacing (self->core, signal->pacing);
      sim_witness_remote_password (self->witness, signal->pwd);
      if (!ice_core_set_remote_credentials (
              self->core, stream, signal->ufrag, signal->pwd, now))
        sim_net_violate (self->net, "remote credentials refused");
      if (signal->type == SIGNAL_OFFER &&
          signal->index == self->n_streams - 1) {
        send_descriptions (self, SIGNAL_ANSWER);
        for (guint i = 0; i < self->n_streams; i++)
          ice_core_gather (self->core, self->streams[i], now);
      }
      break;
    case SIGNAL_CANDIDATE:
      ice_core_add_remote_candidate (
          self->core, stream, signal->candidate, now);
      break;
    case SIGNAL_END:
      ice_core_end_remote_candidates (self->core, stream, now);
      break;
  }
  sim_host_pump (self);
}

/* Without a peer it is lost. */
static Signal *
send_signal (SimHost *self, SignalType type, guint index)
{
  Signal *signal = g_new0 (Signal, 1);

  signal->type = type;
  signal->to = self->peer;
  signal->index = index;
  sim_net_at (self->net, sim_net_now (self->net) + self->options.signal_delay,
      deliver_signal, signal, (GDestroyNotify) signal_free);
  return signal;
}

void
sim_host_signal_candidate (SimHost *self, const IceOutput *output)
{
  guint index = stream_index (self, output->candidate.stream);

  send_signal (self, SIGNAL_CANDIDATE, index)->candidate =
      ice_candidate_ref (output->candidate.candidate);
}

void
sim_host_signal_end (SimHost *self, const IceOutput *output)
{
  if (!self->options.never_ends)
    send_signal (self, SIGNAL_END, stream_index (self, output->stream.stream));
}

static void
send_descriptions (SimHost *self, SignalType type)
{
  for (guint i = 0; i < self->n_streams; i++) {
    Signal *signal = send_signal (self, type, i);

    signal->pacing = self->options.pacing;
    signal->ufrag =
        g_strdup (ice_core_get_local_ufrag (self->core, self->streams[i]));
    signal->pwd =
        g_strdup (ice_core_get_local_pwd (self->core, self->streams[i]));
    if (self->options.secrets) {
      sim_secrets_add (self->options.secrets, signal->ufrag);
      sim_secrets_add (self->options.secrets, signal->pwd);
    }
  }
}

static void
set_interfaces (SimHost *self)
{
  g_autofree IceInterfaceAddress *addresses =
      g_new0 (IceInterfaceAddress, self->nodes->len);

  for (guint i = 0; i < self->nodes->len; i++) {
    sim_node_get_ip (g_ptr_array_index (self->nodes, i), &addresses[i].address);
    addresses[i].interface_index = i + 1;
  }
  ice_core_set_interfaces (
      self->core, addresses, self->nodes->len, sim_net_now (self->net));
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
  set_interfaces (offerer);
  set_interfaces (answerer);
  send_descriptions (offerer, SIGNAL_OFFER);
  for (guint i = 0; i < offerer->n_streams; i++)
    ice_core_gather (
        offerer->core, offerer->streams[i], sim_net_now (offerer->net));
  sim_host_pump (offerer);
}

void
sim_restart (SimHost *offerer)
{
  /* The offer leaves before the candidates that the restart reports. */
  ice_core_restart (offerer->core, 0, sim_net_now (offerer->net));
  send_descriptions (offerer, SIGNAL_OFFER);
  sim_host_pump (offerer);
}
