/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a packet finds its way, and what happens to it there. */
#include "sim-net-private.h"

#include <string.h>

/* A packet under way. */
typedef struct
{
  SimNode *sender, *to; /* (unowned) */
  guint16 sender_port;
  IceAddress from, target; /* as seen there, as the sender said */
  guint16 port;
  gsize size;
  guint8 data[];
} SimFlight;

static gboolean
is_separated (SimNet *self, const SimNode *a, const SimNode *b)
{
  for (guint i = 0; i < self->walls->len; i += 2) {
    const SimNode *x = g_ptr_array_index (self->walls, i);
    const SimNode *y = g_ptr_array_index (self->walls, i + 1);

    if ((x == a && y == b) || (x == b && y == a))
      return TRUE;
  }
  return FALSE;
}

static void
trace_packet (SimNet *self, const gchar *what, const SimNode *from,
    const IceAddress *to, IceBytes data)
{
  gchar text[ICE_ADDRESS_STRLEN];
  g_autofree gchar *description = NULL;

  if (!self->trace)
    return;
  description = sim_describe (data);
  sim_net_trace (self, "%s %s -> %s: %s", what, from->name,
      ice_address_to_string (to, text), description);
}

static void
bounce (gpointer user)
{
  SimFlight *flight = user;
  SimNode *node = flight->sender;

  for (guint i = 0; i < node->receivers->len; i++) {
    SimReceiver *receiver = &g_array_index (node->receivers, SimReceiver, i);

    if (receiver->unreachable && !node->dead)
      receiver->unreachable (receiver->user, node, flight->sender_port,
          &flight->target, ICE_BYTES (flight->data, flight->size));
  }
}

static void
land (gpointer user)
{
  SimFlight *flight = user;
  SimNode *node = flight->to;
  SimNet *net = node->net;
  IceBytes data = ICE_BYTES (flight->data, flight->size);
  gboolean heard = FALSE;

  if (node->dead || node->no_udp)
    return;
  for (guint i = 0; i < node->receivers->len && !heard; i++) {
    SimReceiver *receiver = &g_array_index (node->receivers, SimReceiver, i);

    heard = receiver->receive (
        receiver->user, node, flight->port, &flight->from, data);
  }
  if (!heard && net->icmp)
    sim_net_at (net, net->now + node->link.delay, bounce,
        g_memdup2 (flight, sizeof *flight + flight->size), g_free);
}

static guint
dice (gpointer user, guint n)
{
  return sim_net_pick (user, n);
}

/* Of STUN, what is behind the header: there ends what a core could tell from
 * media. */
static void
corrupt (SimNet *self, SimFlight *flight)
{
  const guint header = 8; /* type, length and cookie say that it is STUN */
  guint n = sim_net_one_in (self, 2) ? 1 : 1 + sim_net_pick (self, 8);

  if (!ice_stun_looks_like (ICE_BYTES (flight->data, flight->size)) ||
      (flight->data[1] & 0xef) != ICE_STUN_BINDING)
    return;
  for (guint i = 0; i < n; i++)
    flight->data[header + sim_net_pick (self, flight->size - header)] ^= 1
        << sim_net_pick (self, 8);
}

static void
launch (SimFlight *flight)
{
  SimNode *from = flight->sender, *to = flight->to;
  SimNet *self = from->net;
  IceTime up, down;

  if (!sim_link_pass (&from->link, &from->weather, FALSE, flight->size,
          self->now, dice, self, &up) ||
      !sim_link_pass (&to->link, &to->weather, TRUE, flight->size, self->now,
          dice, self, &down)) {
    g_free (flight);
    return;
  }
  if (from->link.corrupt && sim_net_pick (self, 1000) < from->link.corrupt)
    corrupt (self, flight);
  sim_net_at (self, self->now + up + down, land, flight, g_free);
}

static void
launch_copies (SimFlight *flight)
{
  SimNode *ends[] = { flight->sender, flight->to };
  SimNet *self = flight->sender->net;

  for (guint i = 0; i < 2; i++)
    if (ends[i]->link.duplicate &&
        sim_net_pick (self, 1000) < ends[i]->link.duplicate)
      launch (g_memdup2 (flight, sizeof *flight + flight->size));
  launch (flight);
}

static SimNode *
find_node (SimNet *self, const SimNat *realm, const IceAddress *to)
{
  for (guint i = 0; i < self->nodes->len; i++) {
    SimNode *node = g_ptr_array_index (self->nodes, i);

    if (node->realm == realm && ice_address_same_ip (&node->ip, to))
      return node;
  }
  return NULL;
}

/* A NAT whose outside is in @realm. */
static SimNat *
find_nat (SimNet *self, const SimNat *realm, const IceAddress *to)
{
  for (guint i = 0; i < self->nats->len; i++) {
    SimNat *nat = g_ptr_array_index (self->nats, i);

    if (sim_nat_outer (nat) == realm && sim_nat_has_ip (nat, to))
      return nat;
  }
  return NULL;
}

SimNode *
sim_net_route (SimNode *sender, IceAddress *source, IceAddress *to)
{
  SimNet *net = sender->net;
  SimNat *realm = sender->realm, *nat;
  SimNode *node;

  if (sender->firewall)
    sim_nat_out (sender->firewall, source, to, net->now);
  for (;;) {
    node = find_node (net, realm, to);
    if (node)
      break;
    nat = find_nat (net, realm, to);
    if (nat == NULL && realm == NULL)
      return NULL;
    if (nat == NULL && !sim_nat_has_ip (realm, to)) {
      if (sim_nat_rules (realm)->sealed)
        return NULL;
      sim_nat_out (realm, source, to, net->now);
      realm = sim_nat_outer (realm);
      continue;
    }
    if (nat == NULL) {
      /* RFC 4787 6: its own outside, with "external source IP and port". */
      if (!sim_nat_rules (realm)->hairpins)
        return NULL;
      sim_nat_out (realm, source, to, net->now);
      nat = realm;
    }
    if (!sim_nat_in (nat, to, source, net->now))
      return NULL;
    realm = nat;
  }
  if (node->firewall && !sim_nat_in (node->firewall, to, source, net->now))
    return NULL;
  return is_separated (net, sender, node) ? NULL : node;
}

void
sim_node_send (SimNode *self, guint16 port, const IceAddress *to, IceBytes data)
{
  SimNet *net = self->net;
  IceAddress source = self->ip, target = *to;
  SimFlight *flight;
  SimNode *node;

  source.port = port;
  if (self->dead || self->mute || self->no_udp) {
    trace_packet (net, "dead   ", self, to, data);
    return;
  }
  node = sim_net_route (self, &source, &target);
  trace_packet (net, node ? "packet " : "nowhere", self, to, data);
  if (node == NULL)
    return;
  flight = g_malloc (sizeof *flight + data.size);
  *flight = (SimFlight){ .sender = self,
    .to = node,
    .sender_port = port,
    .from = source,
    .target = *to,
    .port = target.port,
    .size = data.size };
  memcpy (flight->data, data.data, data.size);
  launch_copies (flight);
}
