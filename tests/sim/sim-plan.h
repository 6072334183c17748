/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one seed draws: two places, a network between them, servers and their
 * faults, agents and what they go through. A value; printed at the head of a
 * trace, with every option. */
#pragma once

#include "sim-net.h"
#include "sim-stream.h"
#include "sim-turn.h"

G_BEGIN_DECLS

/* Where one end lives. */
typedef struct
{
  gboolean nat, double_nat;
  SimNatRules rules;       /* of the NAT that the host is behind */
  SimNatRules outer_rules; /* of the one that this NAT is behind */
  gboolean ipv6;           /* a global address too, behind a firewall */
  SimNatRules firewall;
  gboolean ula, link_local; /* more IPv6 addresses, that lead nowhere */
  gboolean vpn;             /* an interface in the realm of a tunnel */
  gboolean dead_interface;
  gboolean blocked; /* UDP does not pass at all */
  SimLink link;
} SimPlace;

typedef enum
{
  SIM_APART,
  SIM_ONE_LAN,     /* behind the NAT of the first */
  SIM_ONE_CARRIER, /* each behind a NAT, and both behind one more */
} SimNeighbours;

/* What theory says. */
typedef enum
{
  SIM_PATH_NONE,
  SIM_PATH_MAYBE, /* both get through, or neither */
  SIM_PATH_SURE,
} SimPath;

typedef struct
{
  IceTime clock; /* where it starts */
  SimPlace places[2];
  SimNeighbours neighbours;
  gboolean icmp;
  SimLink storm; /* both links while it lasts */
  IceTime storm_time;

  /* Servers. */
  gboolean turn;
  guint n_servers;
  SimTurnFault fault; /* of the first one */
  guint fault_code;
  guint nonce_life; /* seconds, 0: for ever */

  /* Agents. */
  guint n_calls, n_streams, n_components;
  gboolean same_role, relay_only, bob_relay_only, never_ends;
  gboolean lite[2], aggressive[2];
  gboolean vanilla; /* no trickle */
  guint ice_options[2];
  guint pacing;
  IceTime signal_delay, signal_jitter;
  gboolean signal_repeats;
  IceTime late; /* so late come the candidates */
  IceTime media_period;

  /* What happens to them. */
  gboolean restart, glare, reboot, silent;
  gboolean roam; /* alice's only interface is another one now */
  gboolean server_restarts;
  guint outage; /* seconds */
  IceTime stay;
  gboolean attack, flood, replay, listen;
  gboolean is_patient; /* waits though all is well */

  /* By other dice (sim-variety.c). */
  gboolean families;   /* both, at both ends */
  IceFamily broken[2]; /* the one that leads nowhere */
  gboolean names;      /* servers have names, and addresses of both families */
  IceTcpPolicy tcp[2];
  SimStreamFault tcp_fault[2]; /* of who connects there */
  gboolean udp_blocked, stun_tcp;
  guint tcp_resets; /* so often all connections are reset */
  gboolean forks;   /* the calls are answers to one offer */
  gboolean hangs_up;
} SimPlan;

void sim_plan_draw (SimPlan *self, SimNet *net, gboolean is_long);
void sim_plan_print (const SimPlan *self, SimNet *net);
void sim_plan_vary (SimPlan *self, guint64 seed);
void sim_plan_print_variety (const SimPlan *self, SimNet *net);
/* Of its IPv4 and IPv6 address: the one that leads somewhere. */
gboolean sim_plan_has_family (const SimPlan *self, guint end, IceFamily family);
/* Without a relay; and all in all. */
SimPath sim_plan_direct (const SimPlan *self);
SimPath sim_plan_path (const SimPlan *self);
/* What is reset may come back only by a restart. */
gboolean sim_plan_may_reopen_mute (const SimPlan *self);
/* Nothing gets lost but by our own fault. */
gboolean sim_plan_is_clean (const SimPlan *self);
/* How long it may take to connect, from the introduction. */
IceTime sim_plan_patience (const SimPlan *self);

G_END_DECLS
