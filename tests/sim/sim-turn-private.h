/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/ice/core/stun/builder.h"
#include "sim-turn.h"

G_BEGIN_DECLS

typedef struct
{
  IceAddress peer;
  IceTime expires_at;
} SimPermission;

typedef struct
{
  IceAddress peer;
  guint16 number;
  IceTime expires_at;
} SimChannel;

typedef struct
{
  IceAddress client;
  guint16 port;         /* relayed */
  gboolean families[2]; /* IPv4, IPv6 */
  IceTime expires_at;
  guint8 id[ICE_STUN_ID_SIZE]; /* of the request that made it */
  GArray *permissions;         /* (owned) SimPermission */
  GArray *channels;            /* (owned) SimChannel */
} SimAllocation;

struct _SimTurn
{
  SimNet *net;   /* (unowned) */
  SimNode *node; /* (unowned) */
  SimNode *ipv6; /* (unowned) (nullable) */
  IceAddress ip;
  guint last_id;          /* of a connection */
  IceStunKey *key;        /* (owned) */
  GPtrArray *allocations; /* (owned) SimAllocation */
  guint16 next_port;
  guint64 n_relayed;
  gboolean strict;
  IceTime nonce_life; /* 0: for ever */
  SimTrouble trouble;
  IceStunKey *wrong_key; /* (owned) of SIM_TURN_MISSIGNED */
};

/* sim-turn.c */
SimNode *sim_turn_node_for (SimTurn *self, const IceAddress *to);
SimAllocation *sim_turn_find (SimTurn *self, const IceAddress *client);
/* I12, seen from the server: what a client still wants it renews in time. */
void
sim_turn_ran_out (SimTurn *self, const gchar *what, const IceAddress *client);
void sim_turn_answer (SimTurn *self, const IceAddress *to,
    IceStunBuilder *builder, gboolean sign);

/* sim-turn-relay.c: what passes through. */
void sim_turn_relay_out (SimTurn *self, SimAllocation *allocation,
    const IceAddress *peer, IceBytes data);
void sim_turn_relay_in (SimTurn *self, SimAllocation *allocation,
    const IceAddress *peer, IceBytes data);
void
sim_turn_relay_channel (SimTurn *self, const IceAddress *from, IceBytes data);

G_END_DECLS
