/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-net-private.h"

#include <stdio.h>

static void
node_free (SimNode *node)
{
  g_array_unref (node->receivers);
  g_free (node->name);
  g_free (node);
}

SimNet *
sim_net_new (guint64 seed)
{
  SimNet *self = g_new0 (SimNet, 1);

  self->dice = seed;
  self->start = self->now = 1000 * ICE_SECOND;
  sim_events_init (&self->events);
  self->nodes = g_ptr_array_new_with_free_func ((GDestroyNotify) node_free);
  self->nats = g_ptr_array_new_with_free_func ((GDestroyNotify) sim_nat_free);
  self->walls = g_ptr_array_new ();
  self->streams =
      g_ptr_array_new_with_free_func ((GDestroyNotify) sim_stream_free);
  return self;
}

void
sim_net_free (SimNet *self)
{
  sim_events_clear (&self->events);
  g_ptr_array_unref (self->nodes);
  g_ptr_array_unref (self->nats);
  g_ptr_array_unref (self->walls);
  g_ptr_array_unref (self->streams);
  g_free (self->violation);
  g_free (self);
}

IceTime
sim_net_now (const SimNet *self)
{
  return self->now;
}

void
sim_net_set_start (SimNet *self, IceTime start)
{
  self->start = self->now = start;
}

/* splitmix64 */
guint64
sim_net_random (SimNet *self)
{
  guint64 z = (self->dice += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

guint
sim_net_pick (SimNet *self, guint n)
{
  return n ? sim_net_random (self) % n : 0;
}

gboolean
sim_net_one_in (SimNet *self, guint n)
{
  return sim_net_pick (self, n) == 0;
}

/* Nodes. */

SimNat *
sim_net_add_nat (SimNet *self, const gchar *public_ip, const SimNatRules *rules,
    SimNat *outer)
{
  SimNat *nat =
      sim_nat_new (public_ip, rules, 20000 + sim_net_pick (self, 20000), outer);

  g_ptr_array_add (self->nats, nat);
  return nat;
}

SimNode *
sim_net_add_node_behind (
    SimNet *self, const gchar *name, const gchar *ip, SimNat *realm)
{
  SimNode *node = g_new0 (SimNode, 1);

  node->net = self;
  node->name = g_strdup (name);
  if (!ice_address_parse (&node->ip, ip, 0))
    g_error ("“%s” is no IP address", ip);
  node->realm = realm;
  node->next_port = 5000 + sim_net_pick (self, 10000);
  node->link = (SimLink){ .delay = 5 * ICE_MSEC };
  node->receivers = g_array_new (FALSE, FALSE, sizeof (SimReceiver));
  g_ptr_array_add (self->nodes, node);
  return node;
}

SimNode *
sim_net_add_node (SimNet *self, const gchar *name, const gchar *ip,
    SimNatKind kind, const gchar *public_ip)
{
  static const SimNatRules rules[] = {
    [SIM_NAT_FULL_CONE] = { SIM_DEPEND_NOTHING, SIM_DEPEND_NOTHING },
    [SIM_NAT_ADDRESS_RESTRICTED] = { SIM_DEPEND_NOTHING, SIM_DEPEND_ADDRESS },
    [SIM_NAT_PORT_RESTRICTED] = { SIM_DEPEND_NOTHING, SIM_DEPEND_PORT },
    [SIM_NAT_SYMMETRIC] = { SIM_DEPEND_PORT, SIM_DEPEND_PORT },
  };
  SimNat *nat = kind == SIM_NAT_NONE
      ? NULL
      : sim_net_add_nat (self, public_ip, &rules[kind], NULL);

  return sim_net_add_node_behind (self, name, ip, nat);
}

void
sim_node_set_link (SimNode *self, const SimLink *link)
{
  self->link = *link;
}

void
sim_node_set_firewall (SimNode *self, SimNat *firewall)
{
  self->firewall = firewall;
}

void
sim_node_add_receiver (SimNode *self, SimReceive receive,
    SimUnreachable unreachable, gpointer user)
{
  SimReceiver receiver = { receive, unreachable, user };

  g_array_append_val (self->receivers, receiver);
}

guint16
sim_node_take_port (SimNode *self)
{
  return self->next_port++;
}

void
sim_node_get_ip (const SimNode *self, IceAddress *ret_address)
{
  *ret_address = self->ip;
}

SimNat *
sim_node_nat (const SimNode *self)
{
  return self->realm;
}

void
sim_node_set_dead (SimNode *self, gboolean dead)
{
  self->dead = dead;
}

void
sim_node_set_mute (SimNode *self, gboolean mute)
{
  self->mute = mute;
}

void
sim_node_reboot_nat (SimNode *self)
{
  if (self->realm)
    sim_nat_reboot (self->realm);
}

void
sim_net_set_icmp (SimNet *self, gboolean icmp)
{
  self->icmp = icmp;
}

void
sim_net_separate (SimNet *self, SimNode *a, SimNode *b)
{
  g_ptr_array_add (self->walls, a);
  g_ptr_array_add (self->walls, b);
}

/* Time. */

void
sim_net_at (SimNet *self, IceTime at, SimFunc func, gpointer user,
    GDestroyNotify destroy)
{
  sim_events_add (&self->events, MAX (at, self->now), func, user, destroy);
}

void
sim_net_run_until (SimNet *self, IceTime until)
{
  SimEvent event;

  while (!self->violation && sim_events_next (&self->events) <= until) {
    sim_events_take (&self->events, &event);
    self->now = event.at;
    event.func (event.user);
    if (event.destroy)
      event.destroy (event.user);
  }
  self->now = MAX (self->now, until);
}

void
sim_net_run_for (SimNet *self, IceTime duration)
{
  sim_net_run_until (self, self->now + duration);
}

/* Trace and verdict. */

void
sim_net_set_trace (SimNet *self, gboolean trace)
{
  self->trace = trace;
}

gboolean
sim_net_is_traced (const SimNet *self)
{
  return self->trace;
}

void
sim_net_trace (SimNet *self, const gchar *format, ...)
{
  va_list args;

  if (!self->trace)
    return;
  printf ("%10.6f ", (self->now - self->start) / (gdouble) ICE_SECOND);
  va_start (args, format);
  vprintf (format, args);
  va_end (args);
  printf ("\n");
}

void
sim_net_violate (SimNet *self, const gchar *format, ...)
{
  va_list args;

  if (self->violation)
    return;
  va_start (args, format);
  self->violation = g_strdup_vprintf (format, args);
  va_end (args);
  sim_net_trace (self, "VIOLATION: %s", self->violation);
}

const gchar *
sim_net_violation (const SimNet *self)
{
  return self->violation;
}
