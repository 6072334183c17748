/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One IceCore in the simulated network: performs its outputs in virtual time,
 * signals with a delay, sends and counts media as the contract says. */
#pragma once

#include "sim-process.h"
#include "sim-turn.h"

G_BEGIN_DECLS

typedef struct _SimHost SimHost;
typedef struct _SimWitness SimWitness;

typedef struct
{
  gboolean controlling;
  gboolean relay_only;
  IceTcpPolicy tcp;
  gboolean lite;       /* RFC 8445 2.5 */
  gboolean aggressive; /* RFC 5245 8.1.1.2, where the peer is of that time */
  guint ice_options;   /* IceOption that it says */
  gboolean continual;  /* gathers as long as it lives */
  gboolean no_consent;
  gboolean allow_non_ice;
  guint n_streams, n_components; /* 0: 1 */
  guint pacing;                  /* a=ice-pacing in ms, 0: says nothing */
  IceTime signal_delay;
  IceTime signal_jitter; /* of candidates, which come in any order */
  IceTime late;          /* so much later come the candidates */
  gboolean signal_repeats;
  IceTime connect_timeout;
  SimTurn *server;        /* (nullable) STUN */
  SimTurn *second_server; /* (nullable) likewise */
  gboolean turn;          /* and TURN */
  gboolean names;         /* their addresses have to be asked for */
  const gchar *password;  /* (nullable) of the TURN server, if not the right */
  gboolean never_ends;    /* says no end-of-candidates */
  gboolean vanilla;       /* RFC 5245: a description has all candidates */
  SimSecrets *secrets;    /* (unowned) (nullable) looked for in all it says */
  SimProcess *process;    /* (unowned) (nullable) that it shares with others */
} SimHostOptions;

/* What one component went through. */
typedef struct
{
  guint id; /* transport id */
  IceState state;
  IceCause cause;
  IceTime checking_at, connected_at, completed_at, disconnected_at, failed_at;
  IceTime recovered_at; /* connected or completed after disconnected */
  guint n_selected, n_failed, n_consent_lost;
  gboolean unlucky; /* consent was lost though it was asked for often enough */
  IceCandidate *local, *remote; /* (owned) (nullable) selected */
  gboolean nominated;
  struct
  {
    guint socket;
    IceAddress to, peer;
    guint16 channel;
  } route;
  guint64 n_sent, n_received, n_dropped;
  guint64 n_expected; /* one more than the highest number that came */
  IceTime received_at, sent_at, longest_gap;
  IceTime gap; /* the longest that the core was not told of */
} SimTransport;

SimHost *sim_host_new (SimNet *net, const gchar *name, SimNode *node,
    const SimHostOptions *options);
/* Who takes one more answer to the offer of @origin, which has not been made:
 * a branch of the same core. */
SimHost *sim_host_new_fork (SimHost *origin, const gchar *name);
void sim_host_free (SimHost *self);
/* One more interface; before sim_connect. */
void sim_host_add_node (SimHost *self, SimNode *node);
IceCore *sim_host_core (SimHost *self);
const gchar *sim_host_name (const SimHost *self);
SimProcess *sim_host_process (SimHost *self);
guint sim_host_stream (SimHost *self, guint index);
/* Of the component whose socket it is. */
guint sim_host_socket_transport (SimHost *self, guint socket);
gboolean sim_host_is_connection (SimHost *self, guint socket);
SimTransport *
sim_host_transport (SimHost *self, guint stream_index, guint component);
/* The n-th of all that share the core; (nullable). */
SimTransport *sim_host_any_transport (SimHost *self, guint n);
/* Its media may be told from that of others. */
void sim_host_set_tag (SimHost *self, guint tag);
guint sim_host_n_branches (const SimHost *self);
gboolean sim_host_is_closed (const SimHost *self);
IceState sim_host_state (SimHost *self);
guint sim_host_n_roles (const SimHost *self);
/* (nullable) text of the last ERROR output. */
const gchar *sim_host_error (const SimHost *self, gboolean *ret_fatal);
gboolean sim_host_is_controlling (SimHost *self);

/* Introduces two hosts: @offerer's description leaves now. */
void sim_connect (SimHost *offerer, SimHost *answerer);
/* Without a SimHost at the other end. */
void sim_host_gather (SimHost *self);
void sim_host_set_remote (SimHost *self, const gchar *ufrag, const gchar *pwd);
/* A new offer and its answer. */
void sim_restart (SimHost *offerer);
/* Another interface, and none of those before. */
void sim_host_move (SimHost *self, SimNode *node);
void sim_host_start_media (SimHost *self, IceTime period);
void sim_host_stop_media (SimHost *self);
void sim_host_close (SimHost *self);
/* A way was closed until now: what was asked for before does not count. */
void sim_host_path_is_back (SimHost *self);
/* Well after the close: what it should have done by now. */
void sim_host_check_end (SimHost *self);
/* After a call to the core from outside: performs what it wants. */
void sim_host_pump (SimHost *self);
/* Packets that leave from a socket of the host, as they are. */
void sim_host_send_raw (
    SimHost *self, guint socket, const IceAddress *to, IceBytes data);

/* sim-invariants.c: watches one host (security.md 6.2). */
SimWitness *sim_witness_new (SimNet *net, SimHost *host);
void sim_witness_free (SimWitness *self);
/* A lite agent sends to whom it answered (RFC 7675 3). */
void sim_witness_local_password (SimWitness *self, const gchar *password);
void sim_witness_unchecked (SimWitness *self);
/* It may nominate again and again. */
void sim_witness_renominates (SimWitness *self, gboolean aggressive);
void sim_witness_remote_password (SimWitness *self, const gchar *password);
void sim_witness_transmit (
    SimWitness *self, guint socket, const IceAddress *to, IceBytes data);
void sim_witness_receive (
    SimWitness *self, guint socket, const IceAddress *from, IceBytes data);
void sim_witness_media (SimWitness *self, const SimTransport *transport);
void sim_witness_state (SimWitness *self, IceState from, IceState to);
/* A SYN leaves, which is when a check begins. */
void sim_witness_connect (SimWitness *self);
void sim_witness_deadline (SimWitness *self, IceTime deadline, gboolean woken);
/* One more branch, with a checklist set of its own. */
void sim_witness_forks (SimWitness *self);
void sim_witness_consent (SimWitness *self, gboolean on);
void sim_witness_path_is_back (SimWitness *self);
/* Requests to the selected pair's other end without an answer since then. */
guint sim_witness_n_asked (SimWitness *self, const SimTransport *transport);
/* New credentials: what was refused may be asked for again. */
void sim_witness_restart (SimWitness *self);
void sim_witness_end (SimWitness *self);
/* Both ends of one session, at rest. */
gboolean sim_is_agreement (SimHost *a, SimHost *b);
void sim_check_agreement (SimNet *net, SimHost *a, SimHost *b);

G_END_DECLS
