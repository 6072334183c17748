/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-net.h"

#include <stdio.h>
#include <string.h>

typedef struct
{
  IceTime at;
  guint64 serial;
  SimFunc func;
  gpointer user;
  GDestroyNotify destroy; /* (nullable) */
} SimEvent;

struct _SimNet
{
  IceTime now;
  guint64 dice, serial;
  GSequence *events; /* (owned) SimEvent */
  GPtrArray *nodes;  /* (owned) SimNode */
  GPtrArray *walls;  /* (unowned) SimNode, in pairs */
  gboolean trace;
  gchar *violation; /* (owned) (nullable) */
};

typedef struct
{
  guint16 inside, outside;
  IceAddress to;    /* symmetric: the only destination */
  GArray *contacts; /* (owned) IceAddress: who was sent something */
} SimMapping;

struct _SimNode
{
  SimNet *net; /* (unowned) */
  gchar *name; /* (owned) */
  IceAddress ip, public_ip;
  SimNatKind nat;
  GPtrArray *mappings; /* (owned) SimMapping */
  guint16 next_port;
  SimLink link;
  gboolean dead, mute;
  SimReceive receive;
  gpointer user;
};

/* A packet under way. */
typedef struct
{
  SimNode *to; /* (unowned) */
  guint16 port;
  IceAddress from;
  IcePacket *packet; /* (owned) */
} SimFlight;

const gchar *
sim_nat_to_string (SimNatKind kind)
{
  static const gchar *const names[] = { "none", "full-cone",
    "address-restricted", "port-restricted", "symmetric" };

  return names[kind];
}

static gint
compare_events (gconstpointer a, gconstpointer b, gpointer user)
{
  const SimEvent *x = a, *y = b;

  if (x->at != y->at)
    return x->at < y->at ? -1 : 1;
  return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static void
event_free (SimEvent *event)
{
  if (event->destroy)
    event->destroy (event->user);
  g_free (event);
}

static void
mapping_free (SimMapping *mapping)
{
  g_array_unref (mapping->contacts);
  g_free (mapping);
}

static void
node_free (SimNode *node)
{
  g_ptr_array_unref (node->mappings);
  g_free (node->name);
  g_free (node);
}

SimNet *
sim_net_new (guint64 seed)
{
  SimNet *self = g_new0 (SimNet, 1);

  self->dice = seed;
  self->now = 1000 * ICE_SECOND;
  self->events = g_sequence_new ((GDestroyNotify) event_free);
  self->nodes = g_ptr_array_new_with_free_func ((GDestroyNotify) node_free);
  self->walls = g_ptr_array_new ();
  return self;
}

void
sim_net_free (SimNet *self)
{
  g_sequence_free (self->events);
  g_ptr_array_unref (self->nodes);
  g_ptr_array_unref (self->walls);
  g_free (self->violation);
  g_free (self);
}

IceTime
sim_net_now (const SimNet *self)
{
  return self->now;
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

static void
world_random (gpointer user, guint8 *ret_bytes, gsize size)
{
  for (gsize i = 0; i < size; i++)
    ret_bytes[i] = sim_net_random (user) >> 32;
}

static void
world_log (
    gpointer user, IceLogLevel level, IceLogArea area, const gchar *message)
{
  sim_net_trace (user, "      core: %s", message);
}

IceWorld
sim_net_world (SimNet *self)
{
  return (IceWorld){
    .random = world_random,
    .log = self->trace ? world_log : NULL,
    .log_level = ICE_LOG_LOG,
    .user = self,
  };
}

/* Nodes. */

static IceAddress
parse_ip (const gchar *ip)
{
  IceAddress address;

  if (!ice_address_parse (&address, ip, 0))
    g_error ("“%s” is no IP address", ip);
  return address;
}

SimNode *
sim_net_add_node (SimNet *self, const gchar *name, const gchar *ip,
    SimNatKind nat, const gchar *public_ip)
{
  SimNode *node = g_new0 (SimNode, 1);

  node->net = self;
  node->name = g_strdup (name);
  node->ip = parse_ip (ip);
  node->public_ip = parse_ip (public_ip ? public_ip : ip);
  node->nat = nat;
  node->mappings =
      g_ptr_array_new_with_free_func ((GDestroyNotify) mapping_free);
  node->next_port = 20000 + sim_net_pick (self, 20000);
  node->link = (SimLink){ .delay = 5 * ICE_MSEC };
  g_ptr_array_add (self->nodes, node);
  return node;
}

void
sim_node_set_link (SimNode *self, const SimLink *link)
{
  self->link = *link;
}

void
sim_node_set_receiver (SimNode *self, SimReceive receive, gpointer user)
{
  self->receive = receive;
  self->user = user;
}

void
sim_node_get_ip (const SimNode *self, IceAddress *ret_address)
{
  *ret_address = self->ip;
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
  g_ptr_array_set_size (self->mappings, 0);
}

void
sim_net_separate (SimNet *self, SimNode *a, SimNode *b)
{
  g_ptr_array_add (self->walls, a);
  g_ptr_array_add (self->walls, b);
}

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

/* NATs. */

static SimMapping *
map_out (SimNode *node, guint16 inside, const IceAddress *to)
{
  SimMapping *mapping;

  for (guint i = 0; i < node->mappings->len; i++) {
    mapping = g_ptr_array_index (node->mappings, i);
    if (mapping->inside == inside &&
        (node->nat != SIM_NAT_SYMMETRIC ||
            ice_address_equal (&mapping->to, to)))
      return mapping;
  }
  mapping = g_new0 (SimMapping, 1);
  mapping->inside = inside;
  mapping->outside = node->next_port++;
  mapping->to = *to;
  mapping->contacts = g_array_new (FALSE, FALSE, sizeof (IceAddress));
  g_ptr_array_add (node->mappings, mapping);
  return mapping;
}

static gboolean
has_contact (const SimMapping *mapping, const IceAddress *from, gboolean port)
{
  for (guint i = 0; i < mapping->contacts->len; i++) {
    const IceAddress *contact =
        &g_array_index (mapping->contacts, IceAddress, i);

    if (port ? ice_address_equal (contact, from)
             : ice_address_same_ip (contact, from))
      return TRUE;
  }
  return FALSE;
}

/* The port behind the NAT that a packet is let through to; 0: it is not. */
static guint16
map_in (SimNode *node, guint16 outside, const IceAddress *from)
{
  for (guint i = 0; i < node->mappings->len; i++) {
    SimMapping *mapping = g_ptr_array_index (node->mappings, i);

    if (mapping->outside != outside)
      continue;
    if (node->nat == SIM_NAT_FULL_CONE ||
        has_contact (mapping, from, node->nat != SIM_NAT_ADDRESS_RESTRICTED))
      return mapping->inside;
  }
  return 0;
}

static void
add_contact (SimMapping *mapping, const IceAddress *to)
{
  if (!has_contact (mapping, to, TRUE))
    g_array_append_val (mapping->contacts, *to);
}

/* Packets. */

gchar *
sim_describe (IceBytes data)
{
  static const gchar *const classes[] = { "request", "indication", "success",
    "error" };
  static const gchar *const methods[] = { "?", "Binding", "?", "Allocate",
    "Refresh", "?", "Send", "Data", "CreatePermission", "ChannelBind" };
  IceStunMessage message;
  IceBytes reason;
  guint code = 0;

  if (data.size && data.data[0] >= 0x40 && data.data[0] <= 0x4f)
    return g_strdup_printf ("ChannelData, %u bytes", (guint) data.size);
  if (!ice_stun_looks_like (data) || !ice_stun_message_parse (&message, data))
    return g_strdup_printf ("media, %u bytes", (guint) data.size);
  if (message.klass == ICE_STUN_ERROR)
    ice_stun_message_get_error (&message, &code, &reason);
  return g_strdup_printf ("%s %s%s %02x%02x%02x %.0u",
      message.method < G_N_ELEMENTS (methods) ? methods[message.method] : "?",
      classes[message.klass],
      ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE) ? " USE-CANDIDATE"
                                                              : "",
      message.id[0], message.id[1], message.id[2], code);
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
flight_free (SimFlight *flight)
{
  ice_packet_unref (flight->packet);
  g_free (flight);
}

static void
land (gpointer user)
{
  SimFlight *flight = user;
  SimNode *node = flight->to;

  if (!node->dead && node->receive)
    node->receive (node->user, node, flight->port, &flight->from,
        ICE_BYTES (flight->packet->data, flight->packet->size));
}

static void
corrupt (SimNet *self, IcePacket *packet)
{
  guint header = 8; /* type, length and cookie say that it is STUN */

  if (ice_stun_looks_like (ICE_BYTES (packet->data, packet->size)) &&
      (packet->data[1] & 0xef) == ICE_STUN_BINDING)
    packet->data[header + sim_net_pick (self, packet->size - header)] ^= 1
        << sim_net_pick (self, 8);
}

static IceTime
travel_time (SimNet *self, const SimLink *link)
{
  IceTime time = link->delay;

  if (link->jitter)
    time += sim_net_pick (self, link->jitter);
  if (sim_net_pick (self, 1000) < link->reorder)
    time += sim_net_pick (self, 100 * ICE_MSEC);
  return time;
}

static void
launch (SimNet *self, SimNode *from, SimNode *to, guint16 port,
    const IceAddress *source, IceBytes data)
{
  guint n = 1;

  n += sim_net_pick (self, 1000) < from->link.duplicate;
  n += sim_net_pick (self, 1000) < to->link.duplicate;
  for (guint i = 0; i < n; i++) {
    SimFlight *flight;

    if (sim_net_pick (self, 1000) < from->link.loss ||
        sim_net_pick (self, 1000) < to->link.loss)
      continue;
    flight = g_new0 (SimFlight, 1);
    flight->to = to;
    flight->port = port;
    flight->from = *source;
    flight->packet = ice_packet_new_from (data);
    if (sim_net_pick (self, 1000) < from->link.corrupt)
      corrupt (self, flight->packet);
    sim_net_at (self,
        self->now + travel_time (self, &from->link) +
            travel_time (self, &to->link),
        land, flight, (GDestroyNotify) flight_free);
  }
}

void
sim_node_send (SimNode *self, guint16 port, const IceAddress *to, IceBytes data)
{
  SimNet *net = self->net;
  IceAddress source = self->ip;
  SimMapping *mapping = NULL;

  source.port = port;
  if (self->dead || self->mute) {
    trace_packet (net, "dead   ", self, to, data);
    return;
  }
  if (self->nat != SIM_NAT_NONE) {
    mapping = map_out (self, port, to);
    add_contact (mapping, to);
    source = self->public_ip;
    source.port = mapping->outside;
  }
  for (guint i = 0; i < net->nodes->len; i++) {
    SimNode *node = g_ptr_array_index (net->nodes, i);
    guint16 inside = to->port;

    if (!ice_address_same_ip (&node->public_ip, to) ||
        is_separated (net, self, node))
      continue;
    if (node->nat != SIM_NAT_NONE) {
      /* No hairpin: what comes back to its own NAT is lost. */
      inside = ice_address_same_ip (&node->public_ip, &source)
          ? 0
          : map_in (node, to->port, &source);
      if (inside == 0)
        continue;
    }
    trace_packet (net, "packet ", self, to, data);
    launch (net, self, node, inside, &source, data);
    return;
  }
  trace_packet (net, "nowhere", self, to, data);
}

/* Time. */

void
sim_net_at (SimNet *self, IceTime at, SimFunc func, gpointer user,
    GDestroyNotify destroy)
{
  SimEvent *event = g_new0 (SimEvent, 1);

  event->at = MAX (at, self->now);
  event->serial = self->serial++;
  event->func = func;
  event->user = user;
  event->destroy = destroy;
  g_sequence_insert_sorted (self->events, event, compare_events, NULL);
}

void
sim_net_run_until (SimNet *self, IceTime until)
{
  while (!self->violation) {
    GSequenceIter *iter = g_sequence_get_begin_iter (self->events);
    SimEvent *event;

    if (g_sequence_iter_is_end (iter))
      break;
    event = g_sequence_get (iter);
    if (event->at > until)
      break;
    self->now = event->at;
    event->func (event->user);
    g_sequence_remove (iter);
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
  printf ("%10.6f ", (self->now - 1000 * ICE_SECOND) / (gdouble) ICE_SECOND);
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
