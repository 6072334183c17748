/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-peer.h"

#include "gst/ice/core/stun/builder.h"

#include <string.h>

#define UFRAG "lite"
#define PWD "litelitelitelitelitelite"
#define FIRST_PORT 7000
#define CHECK_PERIOD (20 * ICE_MSEC)
#define N_CHECKS 20

struct _SimPeer
{
  SimNet *net; /* (unowned) */
  SimPeerKind kind;
  SimNode *node;      /* (unowned) */
  SimHost *host;      /* (unowned) */
  IceStunKey *key;    /* (owned) ours */
  IceStunKey *theirs; /* (owned) (nullable) */
  gchar *username;    /* (owned) (nullable) of our checks */
  IceAddress to;      /* where the host is */
  guint16 n_ports;
  guint n_rounds;
  guint n_nominated; /* checks of the host with USE-CANDIDATE */
  guint64 n_received, n_sent;
};

static gboolean peer_receive (gpointer user, SimNode *node, guint16 port,
    const IceAddress *from, IceBytes data);

SimPeer *
sim_peer_new (SimNet *net, SimPeerKind kind, SimNode *node)
{
  SimPeer *self = g_new0 (SimPeer, 1);

  self->net = net;
  self->kind = kind;
  self->node = node;
  self->key = ice_stun_key_new_short_term (PWD);
  self->n_ports = 1;
  sim_node_add_receiver (node, peer_receive, NULL, self);
  return self;
}

void
sim_peer_free (SimPeer *self)
{
  ice_stun_key_free (self->key);
  g_clear_pointer (&self->theirs, ice_stun_key_free);
  g_free (self->username);
  g_free (self);
}

void
sim_peer_add_port (SimPeer *self)
{
  self->n_ports++;
}

guint16
sim_peer_n_ports (const SimPeer *self)
{
  return self->n_ports;
}

guint16
sim_peer_port (const SimPeer *self, guint index)
{
  return FIRST_PORT + index;
}

guint
sim_peer_n_nominated (const SimPeer *self)
{
  return self->n_nominated;
}

guint64
sim_peer_n_received (const SimPeer *self)
{
  return self->n_received;
}

static void
send_packet (SimPeer *self, guint16 port, const IceAddress *to,
    IceStunBuilder *builder, IceStunKey *key)
{
  g_autoptr (IcePacket) packet = NULL;

  ice_stun_builder_add_integrity (builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (builder);
  packet = ice_stun_builder_end (builder);
  sim_node_send (self->node, port, to, ICE_BYTES (packet->data, packet->size));
}

/* The lowest priority first, so that the best is nominated last. */
static void
send_check (SimPeer *self, guint16 port)
{
  guint8 id[ICE_STUN_ID_SIZE];
  IceStunBuilder builder;

  for (guint i = 0; i < sizeof id; i++)
    id[i] = sim_net_random (self->net);
  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, self->username);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY,
      ice_candidate_compute_priority (
          ICE_CANDIDATE_PEER_REFLEXIVE, 65535 - port, 1));
  ice_stun_builder_add_u64 (&builder, ICE_STUN_ICE_CONTROLLING, 1);
  ice_stun_builder_add_flag (&builder, ICE_STUN_USE_CANDIDATE);
  send_packet (self, port, &self->to, &builder, self->theirs);
}

static void
check_round (gpointer user)
{
  SimPeer *self = user;
  guint round = self->n_rounds++;

  send_check (self, FIRST_PORT + self->n_ports - 1 - round % self->n_ports);
  if (self->n_rounds < N_CHECKS)
    sim_net_at (self->net, sim_net_now (self->net) + CHECK_PERIOD, check_round,
        self, NULL);
}

void
sim_peer_connect (SimPeer *self, SimHost *host)
{
  IceCore *core = sim_host_core (host);
  guint stream = sim_host_stream (host, 0);
  IceTime now = sim_net_now (self->net);
  g_autoptr (GPtrArray) locals = NULL;

  self->host = host;
  sim_host_gather (host);
  sim_net_run_for (self->net, 10 * ICE_MSEC);
  now = sim_net_now (self->net);
  self->theirs =
      ice_stun_key_new_short_term (ice_core_get_local_pwd (core, stream));
  self->username =
      g_strdup_printf ("%s:" UFRAG, ice_core_get_local_ufrag (core, stream));
  locals = ice_core_get_local_candidates (core, stream);
  self->to = ((IceCandidate *) g_ptr_array_index (locals, 0))->address;

  ice_core_set_remote_lite (core, self->kind == SIM_PEER_LITE, now);
  ice_core_set_remote_pacing (core, 5);
  sim_host_set_remote (host, UFRAG, PWD);
  for (guint i = 0; i < self->n_ports; i++) {
    g_autoptr (IceCandidate) candidate =
        ice_candidate_new (ICE_CANDIDATE_HOST, 1);

    sim_node_get_ip (self->node, &candidate->address);
    candidate->address.port = FIRST_PORT + i;
    candidate->priority = ice_candidate_compute_priority (
        ICE_CANDIDATE_HOST, 65535 - candidate->address.port, 1);
    g_snprintf (candidate->foundation, sizeof candidate->foundation, "%u", i);
    ice_core_add_remote_candidate (core, stream, candidate, now);
  }
  sim_host_pump (host);
  if (self->kind == SIM_PEER_AGGRESSIVE)
    check_round (self);
}

static void
answer (SimPeer *self, guint16 port, const IceAddress *from,
    const IceStunMessage *message)
{
  IceStunBuilder builder;

  if (!ice_stun_message_verify (message, self->key, ICE_STUN_INTEGRITY_SHA1))
    return;
  if (ice_stun_message_has (message, ICE_STUN_USE_CANDIDATE))
    self->n_nominated++;
  self->to = *from;
  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, message->id);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, from);
  send_packet (self, port, from, &builder, self->key);
}

static gboolean
peer_receive (gpointer user, SimNode *node, guint16 port,
    const IceAddress *from, IceBytes data)
{
  SimPeer *self = user;
  IceStunMessage message;

  if (!ice_stun_looks_like (data))
    self->n_received++;
  else if (ice_stun_message_parse (&message, data) &&
      message.klass == ICE_STUN_REQUEST)
    answer (self, port, from, &message);
  return TRUE;
}

void
sim_peer_send_media (SimPeer *self)
{
  guint8 media[9] = { 0x80 };

  memcpy (media + 1, &self->n_sent, 8);
  self->n_sent++;
  sim_node_send (self->node, FIRST_PORT, &self->to, ICE_BYTES (media, 9));
}
