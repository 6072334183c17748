/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network that is a value with a seed: nodes, NATs, links, a clock, and a
 * queue of events. The same seed gives the same run. */
#pragma once

#include "gst/ice/core/core.h"

G_BEGIN_DECLS

typedef struct _SimNet SimNet;
typedef struct _SimNode SimNode;

typedef enum
{
  SIM_NAT_NONE,
  SIM_NAT_FULL_CONE,
  SIM_NAT_ADDRESS_RESTRICTED,
  SIM_NAT_PORT_RESTRICTED,
  SIM_NAT_SYMMETRIC, /* a mapping per destination, port restricted */
} SimNatKind;

const gchar *sim_nat_to_string (SimNatKind kind);

/* What a node's packets go through on their way out and in. Probabilities are
 * per thousand. */
typedef struct
{
  IceTime delay, jitter;
  guint loss, duplicate, reorder;
  guint corrupt; /* a bit behind the header of a Binding message turns: there
                    ends what a core could tell from media */
} SimLink;

typedef void (*SimFunc) (gpointer user);
typedef void (*SimReceive) (gpointer user, SimNode *node, guint16 port,
    const IceAddress *from, IceBytes data);

SimNet *sim_net_new (guint64 seed);
void sim_net_free (SimNet *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimNet, sim_net_free)

IceTime sim_net_now (const SimNet *self);
guint64 sim_net_random (SimNet *self);
/* 0 .. n-1 */
guint sim_net_pick (SimNet *self, guint n);
/* An IceWorld whose dice are the net's and whose log is the trace. */
IceWorld sim_net_world (SimNet *self);

/* Nodes. @public_ip is that of the NAT; NULL without one. */
SimNode *sim_net_add_node (SimNet *self, const gchar *name, const gchar *ip,
    SimNatKind nat, const gchar *public_ip);
void sim_node_set_link (SimNode *self, const SimLink *link);
void sim_node_set_receiver (SimNode *self, SimReceive receive, gpointer user);
void sim_node_get_ip (const SimNode *self, IceAddress *ret_address);
/* Nothing passes from or to it. */
void sim_node_set_dead (SimNode *self, gboolean dead);
/* Nothing passes from it, though all reaches it. */
void sim_node_set_mute (SimNode *self, gboolean mute);
/* The NAT forgets its mappings. */
void sim_node_reboot_nat (SimNode *self);
void sim_node_send (
    SimNode *self, guint16 port, const IceAddress *to, IceBytes data);
/* Direct packets between these two vanish; relays still work. */
void sim_net_separate (SimNet *self, SimNode *a, SimNode *b);

/* Time. */
/* @destroy (nullable) gets @user afterwards, or when the net goes first. */
void sim_net_at (SimNet *self, IceTime at, SimFunc func, gpointer user,
    GDestroyNotify destroy);
void sim_net_run_until (SimNet *self, IceTime until);
void sim_net_run_for (SimNet *self, IceTime duration);

/* Trace and verdict. The first violation is kept. */
void sim_net_set_trace (SimNet *self, gboolean trace);
gboolean sim_net_is_traced (const SimNet *self);
void
sim_net_trace (SimNet *self, const gchar *format, ...) G_GNUC_PRINTF (2, 3);
void
sim_net_violate (SimNet *self, const gchar *format, ...) G_GNUC_PRINTF (2, 3);
/* (nullable) */
const gchar *sim_net_violation (const SimNet *self);
/* (transfer full) what a datagram is, for the trace. */
gchar *sim_describe (IceBytes data);

G_END_DECLS
