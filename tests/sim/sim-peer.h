/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agents that are not ours, each in a few lines: one that only answers
 * (ice-lite), and one of RFC 5245 that nominates with every check. */
#pragma once

#include "sim-host.h"

G_BEGIN_DECLS

typedef struct _SimPeer SimPeer;

typedef enum
{
  SIM_PEER_LITE,
  SIM_PEER_AGGRESSIVE,
} SimPeerKind;

SimPeer *sim_peer_new (SimNet *net, SimPeerKind kind, SimNode *node);
void sim_peer_free (SimPeer *self);
/* Exchanges credentials and candidates with @host, both ways. */
void sim_peer_connect (SimPeer *self, SimHost *host);
/* One more port that answers, and whose checks nominate too. */
void sim_peer_add_port (SimPeer *self);
/* Sends media to where the host's check came from last. */
void sim_peer_send_media (SimPeer *self);
/* Where the last nominating check, or the last answered one, met. */
guint16 sim_peer_n_ports (const SimPeer *self);
guint16 sim_peer_port (const SimPeer *self, guint index);
guint sim_peer_n_nominated (const SimPeer *self);
guint64 sim_peer_n_received (const SimPeer *self);

G_END_DECLS
