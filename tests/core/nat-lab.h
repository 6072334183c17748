/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A NAT of any kind of RFC 4787 and a STUN server with two addresses and two
 * ports behind it, on virtual time: what RFC 5780 wants to find out. */
#pragma once

#include "gst/ice/core/stun/behaviour.h"
#include "gst/ice/core/stun/builder.h"

#include <string.h>

#define NAT_IP "203.0.113.1"
#define HOST_IP "192.168.1.2"
#define MTU 1400

typedef enum
{
  SERVER_WHOLE,
  SERVER_SINGLE,          /* no OTHER-ADDRESS */
  SERVER_SAME_ADDRESS,    /* OTHER-ADDRESS is its own */
  SERVER_POINTS_INSIDE,   /* OTHER-ADDRESS is in our network */
  SERVER_CHANGES_NOTHING, /* answers from where it was asked, whatever is said
                           */
  SERVER_REFUSES,         /* 420 to what RFC 5780 adds */
  SERVER_DEAD,
  SERVER_ERRORS, /* 500 to all */
  SERVER_UNKNOWN_REQUIRED,
} ServerKind;

typedef struct
{
  guint socket; /* inside */
  IceAddress outer;
  IceAddress key; /* what it was made for, as far as the NAT looks */
  IceTime used_at;
  GArray *allowed; /* (element-type IceAddress) (owned) sent to */
} Mapping;

typedef struct
{
  /* The network. */
  gboolean no_nat, no_hairpin, drops_fragments;
  IceNatBehaviour mapping, filtering;
  IceTime binding_lifetime; /* 0: for ever */
  guint lose;               /* the first so many packets that go out */
  ServerKind server;

  IceBehaviour *behaviour; /* (owned) */
  IceTime now;
  IceAddress primary, other;
  IceAddress local[ICE_BEHAVIOUR_N_SOCKETS];
  GArray *mappings; /* (element-type Mapping) (owned) */
  guint16 next_port;
  guint64 dice;
  guint n_sent, n_sent_other;
} NatLab;

static inline IceAddress
lab_address (const gchar *ip, guint16 port)
{
  IceAddress result;

  g_assert_true (ice_address_parse (&result, ip, port));
  return result;
}

static inline void
lab_roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  NatLab *self = user;

  for (gsize i = 0; i < size; i++) {
    self->dice = self->dice * 6364136223846793005u + 1442695040888963407u;
    ret_bytes[i] = self->dice >> 56;
  }
}

static inline void
lab_init (NatLab *self)
{
  memset (self, 0, sizeof *self);
  self->mapping = self->filtering = ICE_NAT_ENDPOINT_INDEPENDENT;
  self->now = 1000 * ICE_SECOND;
  self->primary = lab_address ("198.51.100.1", 3478);
  self->other = lab_address ("198.51.100.2", 3479);
  for (guint i = 0; i < ICE_BEHAVIOUR_N_SOCKETS; i++)
    self->local[i] = lab_address (HOST_IP, 5000 + i);
  self->mappings = g_array_new (FALSE, TRUE, sizeof (Mapping));
  self->next_port = 40000;
}

static inline void
lab_clear (NatLab *self)
{
  for (guint i = 0; i < self->mappings->len; i++)
    g_array_unref (g_array_index (self->mappings, Mapping, i).allowed);
  g_array_unref (self->mappings);
  g_clear_pointer (&self->behaviour, ice_behaviour_free);
}

/* As far as a NAT of this kind looks at the address of the other end. */
static inline IceAddress
lab_seen_by (IceNatBehaviour behaviour, const IceAddress *remote)
{
  IceAddress key = *remote;

  if (behaviour != ICE_NAT_ADDRESS_AND_PORT_DEPENDENT)
    key.port = 0;
  return behaviour == ICE_NAT_ENDPOINT_INDEPENDENT ? ICE_ADDRESS_NONE : key;
}

static inline gboolean
lab_is_alive (const NatLab *self, const Mapping *mapping)
{
  return self->binding_lifetime == 0 ||
      self->now - mapping->used_at < self->binding_lifetime;
}

static inline Mapping *
lab_map (NatLab *self, guint socket, const IceAddress *to)
{
  const IceAddress key = lab_seen_by (self->mapping, to);
  Mapping *mapping = NULL;
  IceAddress allowed = lab_seen_by (self->filtering, to);

  for (guint i = 0; i < self->mappings->len && !mapping; i++) {
    Mapping *m = &g_array_index (self->mappings, Mapping, i);

    if (m->socket == socket && ice_address_equal (&m->key, &key) &&
        lab_is_alive (self, m))
      mapping = m;
  }
  if (!mapping) {
    Mapping fresh = { .socket = socket, .key = key };

    fresh.outer = self->no_nat ? self->local[socket]
                               : lab_address (NAT_IP, self->next_port++);
    fresh.allowed = g_array_new (FALSE, FALSE, sizeof (IceAddress));
    g_array_append_val (self->mappings, fresh);
    mapping = &g_array_index (self->mappings, Mapping, self->mappings->len - 1);
  }
  mapping->used_at = self->now;
  g_array_append_val (mapping->allowed, allowed);
  return mapping;
}

/* From outside, or by a hairpin, to one of the NAT's ports. */
static inline void
lab_deliver (
    NatLab *self, const IceAddress *from, const IceAddress *to, IceBytes bytes)
{
  const IceAddress seen = lab_seen_by (self->filtering, from);

  if (self->drops_fragments && bytes.size > MTU)
    return;
  for (guint i = 0; i < self->mappings->len; i++) {
    const Mapping *m = &g_array_index (self->mappings, Mapping, i);

    if (!ice_address_equal (&m->outer, to) || !lab_is_alive (self, m))
      continue;
    for (guint j = 0; j < m->allowed->len; j++) {
      if (ice_address_equal (
              &g_array_index (m->allowed, IceAddress, j), &seen)) {
        ice_behaviour_receive (
            self->behaviour, m->socket, from, bytes, self->now);
        return;
      }
    }
  }
}

static inline void
lab_answer_error (NatLab *self, const IceStunMessage *request, guint code,
    const IceAddress *at, const IceAddress *source)
{
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;

  ice_stun_builder_init (
      &builder, ICE_STUN_ERROR, request->method, request->id);
  ice_stun_builder_add_error (&builder, code, NULL);
  packet = ice_stun_builder_end (&builder);
  lab_deliver (self, at, source, ICE_BYTES (packet->data, packet->size));
}

static inline IceAddress
lab_claimed_other (const NatLab *self)
{
  switch (self->server) {
    case SERVER_SAME_ADDRESS:
      return self->primary;
    case SERVER_POINTS_INSIDE:
      return lab_address ("192.168.1.1", 53);
    default:
      return self->other;
  }
}

static inline IcePacket *
lab_build_answer (
    NatLab *self, const IceStunMessage *request, const IceAddress *source)
{
  static const guint8 padding[MTU];
  const IceAddress other = lab_claimed_other (self);
  IceStunBuilder builder;

  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, request->method, request->id);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, source);
  if (self->server != SERVER_SINGLE)
    ice_stun_builder_add_address (&builder, ICE_STUN_OTHER_ADDRESS, &other);
  if (ice_stun_message_has (request, ICE_STUN_PADDING))
    ice_stun_builder_add_bytes (
        &builder, ICE_STUN_PADDING, ICE_BYTES (padding, sizeof padding));
  if (self->server == SERVER_UNKNOWN_REQUIRED)
    ice_stun_builder_add_flag (&builder, 0x7abc);
  return ice_stun_builder_end (&builder);
}

/* The server, asked at @at by @source (RFC 5780 6.1). */
static inline void
lab_serve (NatLab *self, const IceAddress *at, const IceAddress *source,
    IceBytes bytes)
{
  g_autoptr (IcePacket) answer = NULL;
  IceStunMessage request;
  IceAddress from = *at, to = *source;
  guint32 value;

  g_assert_true (ice_stun_message_parse (&request, bytes));
  g_assert_cmpint (request.klass, ==, ICE_STUN_REQUEST);
  if (self->server == SERVER_ERRORS ||
      (self->server == SERVER_REFUSES &&
          (ice_stun_message_has (&request, ICE_STUN_CHANGE_REQUEST) ||
              ice_stun_message_has (&request, ICE_STUN_PADDING) ||
              ice_stun_message_has (&request, ICE_STUN_RESPONSE_PORT)))) {
    lab_answer_error (
        self, &request, self->server == SERVER_ERRORS ? 500 : 420, at, source);
    return;
  }
  if (self->server != SERVER_CHANGES_NOTHING &&
      ice_stun_message_get_u32 (&request, ICE_STUN_CHANGE_REQUEST, &value)) {
    const IceAddress *a = &self->primary, *b = &self->other;
    const gboolean ip = (value & 4) != 0, port = (value & 2) != 0;

    g_assert_true (ice_address_equal (at, a));
    from = ip ? *b : *a;
    from.port = port ? b->port : a->port;
  }
  if (self->server != SERVER_CHANGES_NOTHING &&
      ice_stun_message_get_u32 (&request, ICE_STUN_RESPONSE_PORT, &value))
    to.port = value >> 16;
  answer = lab_build_answer (self, &request, source);
  lab_deliver (self, &from, &to, ICE_BYTES (answer->data, answer->size));
}

static inline gboolean
lab_is_server (const NatLab *self, const IceAddress *to)
{
  return (ice_address_same_ip (to, &self->primary) ||
             ice_address_same_ip (to, &self->other)) &&
      (to->port == self->primary.port || to->port == self->other.port);
}

static inline void
lab_send (NatLab *self, const IceBehaviourPacket *packet)
{
  const IceBytes bytes = ICE_BYTES (packet->packet->data, packet->packet->size);
  const Mapping *mapping;

  self->n_sent++;
  if (!ice_address_equal (&packet->to, &self->primary))
    self->n_sent_other++;
  if (self->n_sent <= self->lose || self->server == SERVER_DEAD)
    return;
  mapping = lab_map (self, packet->socket, &packet->to);
  if (self->drops_fragments && bytes.size > MTU)
    return;
  if (lab_is_server (self, &packet->to)) {
    const IceAddress outer = mapping->outer;

    lab_serve (self, &packet->to, &outer, bytes);
  } else if (!self->no_hairpin) {
    const IceAddress outer = mapping->outer;

    lab_deliver (self, &outer, &packet->to, bytes);
  }
}

static inline void
lab_exchange (NatLab *self)
{
  IceBehaviourPacket packet;

  while (ice_behaviour_take_packet (self->behaviour, &packet)) {
    lab_send (self, &packet);
    ice_packet_unref (packet.packet);
  }
}

/* Until it has an answer. */
static inline void
lab_run (NatLab *self, IceTime lifetime)
{
  self->behaviour = ice_behaviour_new (
      &self->primary, self->local, lifetime, lab_roll, self, self->now);
  lab_exchange (self);
  while (self->behaviour->state == ICE_BEHAVIOUR_RUNNING) {
    const IceTime deadline = ice_behaviour_deadline (self->behaviour);

    g_assert_cmpint (deadline, >, self->now);
    g_assert_cmpint (deadline, !=, ICE_TIME_NEVER);
    self->now = deadline;
    ice_behaviour_timeout (self->behaviour, self->now);
    lab_exchange (self);
  }
  g_assert_cmpint (
      ice_behaviour_deadline (self->behaviour), ==, ICE_TIME_NEVER);
}
