/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sim-net.h"

G_BEGIN_DECLS

typedef struct
{
  SimReceive receive;
  SimUnreachable unreachable; /* (nullable) */
  gpointer user;
} SimReceiver;

struct _SimNet
{
  IceTime start, now;
  guint64 dice;
  SimEvents events;
  GPtrArray *nodes; /* (owned) SimNode */
  GPtrArray *nats;  /* (owned) SimNat */
  GPtrArray *walls; /* (unowned) SimNode, in pairs */
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
  gboolean dead, mute;
  GArray *receivers; /* (owned) SimReceiver */
};

G_END_DECLS
