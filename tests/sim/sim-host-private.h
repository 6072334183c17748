/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sim-attacker.h"
#include "sim-replayer.h"

G_BEGIN_DECLS

#define MAX_TRANSPORTS 8
/* 0x80: RTP's version bits, so that nobody takes it for STUN. */
#define MEDIA_MAGIC 0x80
/* The number of a packet has who sent it above. */
#define TAG_SHIFT 56

typedef enum
{
  SIM_SOCKET_UDP,
  SIM_SOCKET_LISTENER,
  SIM_SOCKET_CONNECTION,
} SimSocketKind;

typedef struct
{
  guint id, transport;
  SimSocketKind kind;
  SimNode *node; /* (unowned) */
  guint16 port;
  IceAddress bound;
} SimSocket;

typedef struct
{
  guint transport, socket;
  IceAddress from;
  guint16 channel;
} SimAccept;

struct _SimHost
{
  SimNet *net; /* (unowned) */
  gchar *name; /* (owned) */
  SimHostOptions options;
  SimHost *origin;         /* (unowned) (nullable) whose fork it is */
  GPtrArray *forks;        /* (owned) (unowned elements) SimHost */
  guint tag;               /* in its media, 0: none */
  guint branch;            /* of the core; a fork's is 0 until it has one */
  GPtrArray *nodes;        /* (unowned) SimNode */
  IceCore *core;           /* (owned) */
  SimHost *peer;           /* (unowned) (nullable) */
  SimWitness *witness;     /* (owned) */
  SimProcess *process;     /* (unowned) */
  SimProcess *own_process; /* (owned) (nullable) */
  GArray *sockets;         /* (owned) SimSocket */
  GArray *accepts;         /* (owned) SimAccept */
  guint n_streams, n_components;
  guint streams[MAX_TRANSPORTS];
  SimTransport transports[MAX_TRANSPORTS];
  IceTime wake_at; /* of the one event that counts */
  gboolean closed;
  guint n_roles;
  guint serial, remote_serial; /* of descriptions */
  gboolean has_offered;        /* and the peer said nothing since */
  gint waiting;      /* SignalType of the description that waits, -1: none */
  GPtrArray *untold; /* (owned) Signal: candidates that wait with it */
  guint n_ended;     /* streams whose candidates are all known */
  gchar *error;      /* (owned) (nullable) */
  gboolean fatal;
  IceTime media_period;
  guint media_timer;
  IceTime deadline;
  SimAttacker *attacker; /* (unowned) (nullable) */
  SimReplayer *replayer; /* (unowned) (nullable) */
};

/* sim-host.c: outputs that were taken, and the deadline with them. */
void sim_host_perform (SimHost *self, IceOutput *outputs, IceTime deadline);

void sim_host_receive (
    SimHost *self, guint socket, const IceAddress *from, IceBytes data);

/* sim-host-stream.c */
void sim_host_listen (SimHost *self, const SimSocket *socket);
void sim_host_connect (SimHost *self, const IceOutput *output);

/* sim-host-outputs.c */
SimSocket *sim_host_find_socket (SimHost *self, guint id);
SimNode *sim_host_find_node (SimHost *self, const IceAddress *ip);
void sim_host_output (SimHost *self, const IceOutput *output);
void sim_host_count_media (SimHost *self, guint transport, IceBytes payload);

/* sim-host-fork.c */
/* Commands that name no stream are for this branch. */
void sim_host_use_branch (SimHost *self);
/* The answer that makes a fork has come. */
void sim_host_begin_fork (SimHost *self);
SimHost *sim_host_find_transport_owner (SimHost *self, guint transport);
SimHost *sim_host_find_stream_owner (SimHost *self, guint stream);

/* sim-digest.c: equal while nothing that can be observed changes. */
guint64 sim_host_digest (SimHost *self);

/* sim-attacker.c: what somebody on the path sees. */
void sim_attacker_saw_sent (
    SimAttacker *self, guint socket, const IceAddress *to, IceBytes data);
void sim_attacker_saw_received (
    SimAttacker *self, guint socket, const IceAddress *from, IceBytes data);

/* sim-host-signal.c */
void sim_host_signal_candidate (SimHost *self, const IceOutput *output);
void sim_host_signal_end (SimHost *self, const IceOutput *output);
void sim_host_signal_gathered (SimHost *self);
void sim_host_signal_clear (SimHost *self);

G_END_DECLS
