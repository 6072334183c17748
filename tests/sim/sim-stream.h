/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TCP in the simulated network: connections that open, refuse, hang, cross each
 * other (simultaneous open) and break, through the same NATs and links as
 * datagrams. What is sent comes in order, late by what was lost; frames stay
 * whole. */
#pragma once

#include "sim-net.h"

G_BEGIN_DECLS

/* What happens to those who connect to a node. */
typedef enum
{
  SIM_STREAM_WORKS,
  SIM_STREAM_REFUSED,
  SIM_STREAM_LOST, /* no answer to a SYN */
  SIM_STREAM_MUTE, /* somebody in the middle accepts, and says nothing */
  SIM_STREAM_N_FAULTS,
} SimStreamFault;

const gchar *sim_stream_fault_to_string (SimStreamFault fault);

/* Whose an end is: @user, who has a number for it. */
typedef struct
{
  /* The number of a connection that came, 0: not wanted. */
  guint (*accept) (gpointer user, guint listener, const IceAddress *from);
  void (*accepted) (gpointer user);
  void (*opened) (gpointer user, guint id, const IceAddress *bound);
  void (*failed) (gpointer user, guint id, const gchar *reason);
  void (*frame) (
      gpointer user, guint id, const IceAddress *from, IceBytes data);
  void (*ended) (gpointer user, guint id);
} SimStreamOwner;

void sim_stream_listen (SimNode *node, guint16 port,
    const SimStreamOwner *owner, gpointer user, guint id);
/* @local: with a port that is the node's. */
void sim_stream_connect (SimNode *node, const IceAddress *local,
    const IceAddress *remote, const SimStreamOwner *owner, gpointer user,
    guint id);
void sim_stream_send (SimNet *net, gpointer user, guint id, IceBytes data);
/* A listener, or a connection, open or not. */
void sim_stream_close (SimNet *net, gpointer user, guint id);
/* A box on the way forgets all connections, and says so. */
void sim_stream_reset_all (SimNet *net);
guint sim_stream_count_open (SimNet *net);
void sim_node_set_stream_fault (SimNode *self, SimStreamFault fault);
/* Datagrams vanish. */
void sim_node_set_udp (SimNode *self, gboolean works);

G_END_DECLS
