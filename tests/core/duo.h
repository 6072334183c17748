/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two cores, one clock, and a network between them that loses, delays and
 * rewrites what a test tells it to. Media is a packet every 20 ms. */
#pragma once

#include "gst/ice/core/core.h"

#include <string.h>

#define DUO_ADDRESSES 4
#define DUO_SOCKETS 16
#define DUO_ACCEPTS 64
#define DUO_MEDIA_GAP (20 * ICE_MSEC)

typedef struct _Duo Duo;

typedef struct
{
  Duo *duo; /* (unowned) */
  guint index;
  IceCore *core; /* (owned) */
  IceTime deadline;
  guint stream, transport;
  IceInterfaceAddress addresses[DUO_ADDRESSES];
  guint n_addresses;
  struct
  {
    guint id;
    IceAddress bound;
  } sockets[DUO_SOCKETS];
  guint n_sockets;
  struct
  {
    guint socket;
    IceAddress from;
  } accepts[DUO_ACCEPTS];
  guint n_accepts;
  guint16 next_port;
  gint nat_shift; /* what a NAT that rebinds adds to our ports */
  gboolean no_trickle;

  IceState state;
  guint n_selected, n_failed, n_ended, n_local, n_consent_lost;
  IceAddress local, remote; /* as PAIR_SELECTED said last */
  gboolean nominated;
  guint route_socket;
  IceAddress route_to;
  gboolean controlling;
  IceTime selected_at;
  guint n_restarts_needed;
  IceRestartReason restart_reason;
  IceTime restart_at;

  IceTime media_sent, media_received; /* 0: never */
  IceTime media_gap;                  /* the longest that was not told */
  guint n_media;
} DuoEnd;

typedef struct
{
  IceTime at;
  guint to_end;
  IceAddress from, to;
  IcePacket *packet; /* (owned) (nullable) NULL: media */
} DuoPacket;

struct _Duo
{
  IceTime now;
  guint64 dice;
  DuoEnd ends[2];
  GQueue flying;  /* (owned) DuoPacket, the next first */
  gboolean media; /* flows both ways */
  gboolean gaps;  /* and the core is told how regularly */
  IceTime media_at;
  IceTime delay; /* of every path that @path does not know */
  /* (nullable) FALSE: lost. @ret_delay may be changed. */
  gboolean (*path) (Duo *self, const IceAddress *from, const IceAddress *to,
      IceTime *ret_delay);
  /* (nullable) sees every packet that leaves. */
  void (*watch) (Duo *self, guint from_end, IceBytes packet);
  guint n_requests[2]; /* Binding requests that left */
  gpointer user;
};

static inline IceAddress
duo_address (const gchar *ip, guint16 port)
{
  IceAddress result;

  g_assert_true (ice_address_parse (&result, ip, port));
  return result;
}

static inline void
duo_random (gpointer user, guint8 *ret_bytes, gsize size)
{
  Duo *self = ((DuoEnd *) user)->duo;

  for (gsize i = 0; i < size; i++) {
    self->dice = self->dice * 6364136223846793005u + 1442695040888963407u;
    ret_bytes[i] = self->dice >> 56;
  }
}

static inline gint
duo_compare (gconstpointer a, gconstpointer b, gpointer user)
{
  const DuoPacket *x = a, *y = b;

  return (x->at > y->at) - (x->at < y->at);
}

static inline void
duo_packet_free (DuoPacket *packet)
{
  g_clear_pointer (&packet->packet, ice_packet_unref);
  g_free (packet);
}

static inline guint
duo_find_socket (const DuoEnd *end, guint id)
{
  for (guint i = 0; i < end->n_sockets; i++)
    if (end->sockets[i].id == id)
      return i;
  return end->n_sockets;
}

static inline guint
duo_find_accept (const DuoEnd *end, guint socket, const IceAddress *from)
{
  for (guint i = 0; i < end->n_accepts; i++)
    if (end->accepts[i].socket == socket &&
        ice_address_equal (&end->accepts[i].from, from))
      return i;
  return end->n_accepts;
}

/* A host that has not got the address any more sends nothing from it. */
static inline gboolean
duo_has_address (const DuoEnd *end, const IceAddress *address)
{
  for (guint i = 0; i < end->n_addresses; i++)
    if (ice_address_same_ip (&end->addresses[i].address, address))
      return TRUE;
  return FALSE;
}

static inline void
duo_send (Duo *self, guint from_end, guint socket, const IceAddress *to,
    IcePacket *packet)
{
  DuoEnd *end = &self->ends[from_end];
  guint i = duo_find_socket (end, socket);
  IceTime delay = self->delay;
  DuoPacket *flying;
  IceAddress from;

  if (i == end->n_sockets || !duo_has_address (end, &end->sockets[i].bound))
    return;
  if (packet) {
    if (self->watch)
      self->watch (self, from_end, ICE_BYTES (packet->data, packet->size));
    if (packet->data[0] == 0 && packet->data[1] == 1)
      self->n_requests[from_end]++;
  }
  from = end->sockets[i].bound;
  from.port += end->nat_shift;
  if (self->path && !self->path (self, &from, to, &delay))
    return;
  flying = g_new0 (DuoPacket, 1);
  flying->at = self->now + delay;
  flying->to_end = !from_end;
  flying->from = from;
  flying->to = *to;
  flying->packet = packet ? ice_packet_ref (packet) : NULL;
  g_queue_insert_sorted (&self->flying, flying, duo_compare, NULL);
}

static inline void
duo_candidate (DuoEnd *end, IceOutput *output)
{
  DuoEnd *other = &end->duo->ends[!end->index];

  end->n_local++;
  if (!end->no_trickle && other->core)
    ice_core_add_remote_candidate (
        other->core, other->stream, output->candidate.candidate, end->duo->now);
}

static inline void
duo_accept (DuoEnd *end, const IceOutput *output)
{
  guint i = duo_find_accept (
      end, output->accept_from.socket, &output->accept_from.from);

  if (!output->accept_from.add) {
    g_assert_cmpuint (i, <, end->n_accepts);
    end->accepts[i] = end->accepts[--end->n_accepts];
    return;
  }
  g_assert_cmpuint (end->n_accepts, <, DUO_ACCEPTS);
  end->accepts[end->n_accepts].socket = output->accept_from.socket;
  end->accepts[end->n_accepts++].from = output->accept_from.from;
}

static inline void
duo_perform (DuoEnd *end, IceOutput *output)
{
  Duo *self = end->duo;
  guint i;

  switch (output->type) {
    case ICE_OUTPUT_TRANSMIT:
      duo_send (self, end->index, output->transmit.socket, &output->transmit.to,
          output->transmit.packet);
      break;
    case ICE_OUTPUT_OPEN_SOCKET:
      g_assert_cmpuint (end->n_sockets, <, DUO_SOCKETS);
      i = end->n_sockets++;
      end->sockets[i].id = output->open_socket.socket;
      end->sockets[i].bound = output->open_socket.local;
      end->sockets[i].bound.port = end->next_port++;
      ice_core_socket_opened (end->core, output->open_socket.socket,
          &end->sockets[i].bound, self->now);
      break;
    case ICE_OUTPUT_CLOSE_SOCKET:
      i = duo_find_socket (end, output->close_socket.socket);
      end->sockets[i] = end->sockets[--end->n_sockets];
      break;
    case ICE_OUTPUT_ACCEPT_FROM:
      duo_accept (end, output);
      break;
    case ICE_OUTPUT_LOCAL_CANDIDATE:
      duo_candidate (end, output);
      break;
    case ICE_OUTPUT_END_OF_CANDIDATES:
      end->n_ended++;
      if (self->ends[!end->index].core)
        ice_core_end_remote_candidates (self->ends[!end->index].core,
            self->ends[!end->index].stream, self->now);
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      end->n_selected++;
      end->selected_at = self->now;
      end->nominated = output->pair_selected.nominated;
      end->local = output->pair_selected.local->address;
      end->remote = output->pair_selected.remote->address;
      break;
    case ICE_OUTPUT_ROUTE:
      end->route_socket = output->route.socket;
      end->route_to = output->route.to;
      break;
    case ICE_OUTPUT_STATE:
      end->state = output->state.state;
      end->n_failed += end->state == ICE_STATE_FAILED;
      break;
    case ICE_OUTPUT_CONSENT_LOST:
      end->n_consent_lost++;
      break;
    case ICE_OUTPUT_RESTART_NEEDED:
      end->n_restarts_needed++;
      end->restart_reason = output->restart.reason;
      end->restart_at = self->now;
      break;
    case ICE_OUTPUT_ROLE:
      end->controlling = output->role.controlling;
      break;
    default:
      break;
  }
}

/* Takes and performs until neither side has anything to say. */
static inline void
duo_pump (Duo *self)
{
  gboolean any;

  do {
    any = FALSE;
    for (guint i = 0; i < 2; i++) {
      DuoEnd *end = &self->ends[i];
      g_autoptr (IceOutput) outputs =
          ice_core_take_outputs (end->core, &end->deadline);

      any |= outputs != NULL;
      for (IceOutput *output = outputs; output; output = output->next)
        duo_perform (end, output);
    }
  } while (any);
}

static inline void
duo_add_address (Duo *self, guint index, const gchar *ip)
{
  DuoEnd *end = &self->ends[index];

  end->addresses[end->n_addresses].address = duo_address (ip, 0);
  end->addresses[end->n_addresses].interface_index = end->n_addresses + 1;
  end->n_addresses++;
}

static inline void
duo_remove_address (Duo *self, guint index, guint which)
{
  DuoEnd *end = &self->ends[index];

  end->n_addresses--;
  for (guint i = which; i < end->n_addresses; i++)
    end->addresses[i] = end->addresses[i + 1];
}

static inline void
duo_tell_interfaces (Duo *self, guint index)
{
  DuoEnd *end = &self->ends[index];

  ice_core_set_interfaces (
      end->core, end->addresses, end->n_addresses, self->now);
  duo_pump (self);
}

/* The first controls, unless the test or a lite side decides otherwise. */
static inline void
duo_init (Duo *self, guint n_addresses)
{
  static const gchar *const ips[2][DUO_ADDRESSES] = {
    { "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.0.2.11" },
    { "192.0.2.2", "198.51.100.2", "203.0.113.2", "192.0.2.12" },
  };

  *self = (Duo){ .now = 1000 * ICE_SECOND, .dice = 42, .delay = 10 * ICE_MSEC };
  g_queue_init (&self->flying);
  for (guint i = 0; i < 2; i++) {
    DuoEnd *end = &self->ends[i];
    IceWorld world = { .random = duo_random, .user = end };
    IceCoreConfig config;

    end->duo = self;
    end->index = i;
    end->next_port = 5000 + 1000 * i;
    end->controlling = i == 0;
    ice_core_config_init (&config, &world);
    config.controlling = i == 0;
    end->core = ice_core_new (&config, self->now);
    end->stream = ice_core_add_stream (end->core);
    end->transport = ice_core_add_component (end->core, end->stream, 1);
    for (guint j = 0; j < n_addresses; j++)
      duo_add_address (self, i, ips[i][j]);
  }
}

static inline void
duo_clear (Duo *self)
{
  for (guint i = 0; i < 2; i++)
    ice_core_free (self->ends[i].core);
  g_queue_clear_full (&self->flying, (GDestroyNotify) duo_packet_free);
}

/* Each hears the other's credentials, options (as a=ice-options) and pacing;
 * candidates are trickled. */
static inline void
duo_start (Duo *self, guint options)
{
  for (guint i = 0; i < 2; i++) {
    DuoEnd *end = &self->ends[i], *other = &self->ends[!i];

    ice_core_set_remote_pacing (end->core, 5);
    ice_core_set_remote_options (end->core, options, self->now);
    g_assert_true (ice_core_set_remote_credentials (end->core, end->stream,
        ice_core_get_local_ufrag (other->core, other->stream),
        ice_core_get_local_pwd (other->core, other->stream), self->now));
  }
  for (guint i = 0; i < 2; i++) {
    DuoEnd *end = &self->ends[i];

    duo_tell_interfaces (self, i);
    ice_core_gather (end->core, end->stream, self->now);
    duo_pump (self);
  }
}

static inline void
duo_deliver (Duo *self, DuoPacket *packet)
{
  DuoEnd *end = &self->ends[packet->to_end];

  for (guint i = 0; i < end->n_sockets; i++) {
    IceAddress bound = end->sockets[i].bound;

    bound.port += end->nat_shift;
    if (!ice_address_equal (&bound, &packet->to) ||
        !duo_has_address (end, &bound))
      continue;
    if (packet->packet == NULL) {
      if (duo_find_accept (end, end->sockets[i].id, &packet->from) ==
          end->n_accepts)
        break; /* dropped, and rightly so (design 9.17) */
      if (end->media_received)
        end->media_gap = MAX (end->media_gap, self->now - end->media_received);
      end->media_received = self->now;
      end->n_media++;
    } else {
      IceDatagram in = { .socket = end->sockets[i].id,
        .from = packet->from,
        .data = ICE_BYTES (packet->packet->data, packet->packet->size) };

      ice_core_receive (end->core, &in, self->now);
    }
    break;
  }
  duo_packet_free (packet);
}

static inline void
duo_send_media (Duo *self)
{
  self->media_at = self->now + DUO_MEDIA_GAP;
  for (guint i = 0; self->media && i < 2; i++) {
    DuoEnd *end = &self->ends[i];

    if (end->route_socket == 0)
      continue;
    end->media_sent = self->now;
    duo_send (self, i, end->route_socket, &end->route_to, NULL);
  }
}

static inline void
duo_timeout (Duo *self, DuoEnd *end)
{
  ice_core_media_seen (
      end->core, end->transport, end->media_received, end->media_sent);
  if (self->gaps)
    ice_core_media_gap (end->core, end->transport, end->media_gap, self->now);
  end->media_gap = 0;
  ice_core_timeout (end->core, self->now);
}

static inline IceTime
duo_next (Duo *self)
{
  DuoPacket *first = g_queue_peek_head (&self->flying);
  IceTime next = MIN (self->ends[0].deadline, self->ends[1].deadline);

  if (first)
    next = MIN (next, first->at);
  if (self->media)
    next = MIN (next, MAX (self->media_at, self->now));
  return next;
}

static inline void
duo_run_for (Duo *self, IceTime duration)
{
  IceTime until = self->now + duration;
  guint n_same = 0;

  duo_pump (self);
  while (duo_next (self) <= until) {
    IceTime next = MAX (duo_next (self), self->now);
    DuoPacket *packet;

    n_same = next == self->now ? n_same + 1 : 0;
    g_assert_cmpuint (n_same, <, 1000);
    self->now = next;
    while ((packet = g_queue_peek_head (&self->flying)) && packet->at <= next)
      duo_deliver (self, g_queue_pop_head (&self->flying));
    if (self->media && self->media_at <= next)
      duo_send_media (self);
    for (guint i = 0; i < 2; i++)
      if (self->ends[i].deadline <= next)
        duo_timeout (self, &self->ends[i]);
    duo_pump (self);
  }
  self->now = until;
}

/* Both look at the same two addresses, from the two sides. */
static inline gboolean
duo_agrees (const Duo *self)
{
  const DuoEnd *a = &self->ends[0], *b = &self->ends[1];

  return ice_address_equal (&a->local, &b->remote) &&
      ice_address_equal (&a->remote, &b->local);
}

static inline gboolean
duo_is_at (const Duo *self, guint index, const gchar *ip)
{
  IceAddress address = duo_address (ip, 0);

  return ice_address_same_ip (&self->ends[index].local, &address);
}
