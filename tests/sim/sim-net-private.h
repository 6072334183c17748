/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sim-stream.h"

G_BEGIN_DECLS

typedef struct
{
  SimReceive receive;
  SimUnreachable unreachable; /* (nullable) */
  gpointer user;
} SimReceiver;

typedef struct _SimStream SimStream;

struct _SimNet
{
  IceTime start, now;
  guint64 dice;
  SimEvents events;
  GPtrArray *nodes;   /* (owned) SimNode */
  GPtrArray *nats;    /* (owned) SimNat */
  GPtrArray *walls;   /* (unowned) SimNode, in pairs */
  GPtrArray *streams; /* (owned) SimStream */
  gboolean icmp, trace;
  gchar *violation; /* (owned) (nullable) */
};

struct _SimNode
{
  SimNet *net; /* (unowned) */
  gchar *name; /* (owned) */
  IceAddress ip;
  SimNat *realm;    /* (unowned) (nullable) */
  SimNat *firewall; /* (unowned) (nullable) */
  SimLink link;
  SimWeather weather;
  guint16 next_port;
  gboolean dead, mute, no_udp;
  SimStreamFault stream_fault;
  GArray *receivers; /* (owned) SimReceiver */
};

/* sim-packets.c: from the sender's realm up through its NATs until the address
 * is known, and down through others. @source and @to are rewritten on the way.
 * (nullable) */
SimNode *sim_net_route (SimNode *sender, IceAddress *source, IceAddress *to);

/* sim-stream.c */
void sim_stream_free (SimStream *self);

G_END_DECLS
