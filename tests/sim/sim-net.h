/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network that is a value with a seed: nodes, NATs, links, a clock, and a
 * queue of events. The same seed gives the same run. */
#pragma once

#include "gst/ice/core/core.h"
#include "sim-events.h"
#include "sim-link.h"
#include "sim-nat.h"

G_BEGIN_DECLS

typedef struct _SimNet SimNet;
typedef struct _SimNode SimNode;

/* NATs that have a name. */
typedef enum
{
  SIM_NAT_NONE,
  SIM_NAT_FULL_CONE,
  SIM_NAT_ADDRESS_RESTRICTED,
  SIM_NAT_PORT_RESTRICTED,
  SIM_NAT_SYMMETRIC, /* a mapping per destination, port restricted */
} SimNatKind;

/* FALSE: nobody listens at that port. */
typedef gboolean (*SimReceive) (gpointer user, SimNode *node, guint16 port,
    const IceAddress *from, IceBytes data);
/* ICMP: what was sent from @port to @to found nobody. */
typedef void (*SimUnreachable) (gpointer user, SimNode *node, guint16 port,
    const IceAddress *to, IceBytes data);

SimNet *sim_net_new (guint64 seed);
void sim_net_free (SimNet *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimNet, sim_net_free)

IceTime sim_net_now (const SimNet *self);
/* The clock may start anywhere; before anything else. */
void sim_net_set_start (SimNet *self, IceTime start);
guint64 sim_net_random (SimNet *self);
/* 0 .. n-1 */
guint sim_net_pick (SimNet *self, guint n);
/* TRUE once in @n. */
gboolean sim_net_one_in (SimNet *self, guint n);

/* Nodes: one address each. A realm is what is behind one NAT; NULL is the
 * Internet. */
SimNat *sim_net_add_nat (SimNet *self, const gchar *public_ip,
    const SimNatRules *rules, SimNat *outer);
SimNode *sim_net_add_node_behind (
    SimNet *self, const gchar *name, const gchar *ip, SimNat *realm);
/* Behind a NAT of its own; @public_ip is NULL without one. */
SimNode *sim_net_add_node (SimNet *self, const gchar *name, const gchar *ip,
    SimNatKind nat, const gchar *public_ip);
void sim_node_set_link (SimNode *self, const SimLink *link);
/* A host firewall of a node that is not behind a NAT. */
void sim_node_set_firewall (SimNode *self, SimNat *firewall);
/* Several may listen; each knows its ports. @unreachable is (nullable). */
void sim_node_add_receiver (SimNode *self, SimReceive receive,
    SimUnreachable unreachable, gpointer user);
/* Ports that nobody else on the node was given. */
guint16 sim_node_take_port (SimNode *self);
void sim_node_get_ip (const SimNode *self, IceAddress *ret_address);
SimNat *sim_node_nat (const SimNode *self);
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
/* Whoever knocks where nobody listens is told so. */
void sim_net_set_icmp (SimNet *self, gboolean icmp);

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
