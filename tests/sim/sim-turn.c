/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-turn-private.h"

#include "sim-stream.h"

#include <string.h>

#define REALM "sim"
#define LIFETIME 600
/* RFC 8656 9: "The Permission Lifetime MUST be 300 seconds". */
#define PERMISSION_LIFETIME (300 * ICE_SECOND)
/* RFC 8656 12: "Channel bindings last for 10 minutes". */
#define CHANNEL_LIFETIME (600 * ICE_SECOND)

static gboolean turn_receive (gpointer user, SimNode *node, guint16 port,
    const IceAddress *from, IceBytes data);

static void
allocation_free (SimAllocation *allocation)
{
  g_array_unref (allocation->permissions);
  g_array_unref (allocation->channels);
  g_free (allocation);
}

SimTurn *
sim_turn_new (SimNet *net, const gchar *name, const gchar *ip)
{
  SimTurn *self = g_new0 (SimTurn, 1);

  self->net = net;
  self->node = sim_net_add_node (net, name, ip, SIM_NAT_NONE, NULL);
  sim_node_add_receiver (self->node, turn_receive, NULL, self);
  sim_node_get_ip (self->node, &self->ip);
  self->key = ice_stun_key_new_long_term (SIM_TURN_USER,
      ICE_BYTES (REALM, strlen (REALM)), SIM_TURN_PASSWORD, FALSE);
  self->wrong_key = ice_stun_key_new_short_term ("not the key");
  self->allocations =
      g_ptr_array_new_with_free_func ((GDestroyNotify) allocation_free);
  self->next_port = 49152;
  return self;
}

void
sim_turn_free (SimTurn *self)
{
  ice_stun_key_free (self->key);
  ice_stun_key_free (self->wrong_key);
  g_ptr_array_unref (self->allocations);
  g_free (self);
}

void
sim_turn_add_ipv6 (SimTurn *self, const gchar *ip)
{
  self->ipv6 = sim_net_add_node (self->net, "server-6", ip, SIM_NAT_NONE, NULL);
  sim_node_add_receiver (self->ipv6, turn_receive, NULL, self);
}

gboolean
sim_turn_get_address (SimTurn *self, IceFamily family, IceAddress *ret_address)
{
  SimNode *node = family == ICE_FAMILY_IPV6 ? self->ipv6 : self->node;

  if (node)
    sim_node_get_ip (node, ret_address);
  return node != NULL;
}

SimNode *
sim_turn_node_for (SimTurn *self, const IceAddress *to)
{
  return to->family == ICE_FAMILY_IPV6 && self->ipv6 ? self->ipv6 : self->node;
}

SimNode *
sim_turn_node (SimTurn *self)
{
  return self->node;
}

void
sim_turn_set_strict (SimTurn *self, gboolean strict)
{
  self->strict = strict;
}

void
sim_turn_set_nonce_life (SimTurn *self, IceTime life)
{
  self->nonce_life = life;
}

void
sim_turn_set_fault (SimTurn *self, SimTurnFault fault, guint code)
{
  self->trouble.fault = fault;
  self->trouble.code = code;
}

void
sim_turn_restart (SimTurn *self)
{
  g_ptr_array_set_size (self->allocations, 0);
}

void
sim_turn_ran_out (SimTurn *self, const gchar *what, const IceAddress *client)
{
  gchar text[ICE_ADDRESS_STRLEN];

  if (self->strict)
    sim_net_violate (self->net, "I12: %s of %s ran out", what,
        ice_address_to_string (client, text));
}

static void
expire (SimTurn *self)
{
  for (guint i = self->allocations->len; i-- > 0;) {
    SimAllocation *allocation = g_ptr_array_index (self->allocations, i);

    if (sim_net_now (self->net) < allocation->expires_at)
      continue;
    sim_turn_ran_out (self, "an allocation", &allocation->client);
    g_ptr_array_remove_index (self->allocations, i);
  }
}

guint
sim_turn_n_allocations (SimTurn *self)
{
  expire (self);
  return self->allocations->len;
}

guint64
sim_turn_n_relayed (const SimTurn *self)
{
  return self->n_relayed;
}

SimAllocation *
sim_turn_find (SimTurn *self, const IceAddress *client)
{
  for (guint i = 0; i < self->allocations->len; i++) {
    SimAllocation *allocation = g_ptr_array_index (self->allocations, i);

    if (ice_address_equal (&allocation->client, client))
      return allocation;
  }
  return NULL;
}

void
sim_turn_answer (
    SimTurn *self, const IceAddress *to, IceStunBuilder *builder, gboolean sign)
{
  g_autoptr (IcePacket) packet = NULL;
  IceStunKey *key =
      self->trouble.fault == SIM_TURN_MISSIGNED ? self->wrong_key : self->key;

  if (sign && self->trouble.fault != SIM_TURN_UNSIGNED)
    ice_stun_builder_add_integrity (builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (builder);
  packet = ice_stun_builder_end (builder);
  sim_node_send (sim_turn_node_for (self, to), SIM_TURN_PORT, to,
      ICE_BYTES (packet->data, packet->size));
}

static void
print_nonce (SimTurn *self, gchar nonce[32])
{
  IceTime life = self->nonce_life;

  g_snprintf (nonce, 32, "nonce-%" G_GINT64_FORMAT,
      life ? sim_net_now (self->net) / life : 0);
}

static void
refuse (SimTurn *self, const IceAddress *to, const IceStunMessage *message,
    guint code)
{
  IceStunBuilder builder;
  gboolean challenge = code == 401 || code == 438;
  gchar realm[32] = REALM, nonce[32];

  ice_stun_builder_init (
      &builder, ICE_STUN_ERROR, message->method, message->id);
  ice_stun_builder_add_error (&builder, code, NULL);
  if (challenge) {
    print_nonce (self, nonce);
    sim_trouble_challenge (&self->trouble, realm, nonce);
    ice_stun_builder_add_string (&builder, ICE_STUN_REALM, realm);
    ice_stun_builder_add_string (&builder, ICE_STUN_NONCE, nonce);
  }
  sim_turn_answer (self, to, &builder, !challenge);
}

static void
accept_message (SimTurn *self, const IceAddress *to,
    const IceStunMessage *message, IceStunBuilder *builder)
{
  guint8 id[ICE_STUN_ID_SIZE];

  memcpy (id, message->id, sizeof id);
  if (self->trouble.fault == SIM_TURN_MISTAKES &&
      message->method != ICE_STUN_BINDING)
    id[0] ^= 1;
  ice_stun_builder_init (builder, ICE_STUN_SUCCESS, message->method, id);
}

/* NULL: the 5-tuple has an allocation that another request made. */
static SimAllocation *
allocate (SimTurn *self, const IceAddress *client, const guint8 *id)
{
  SimAllocation *allocation = sim_turn_find (self, client);

  if (allocation)
    return ice_stun_id_equal (allocation->id, id) ? allocation : NULL;
  allocation = g_new0 (SimAllocation, 1);
  allocation->client = *client;
  memcpy (allocation->id, id, ICE_STUN_ID_SIZE);
  allocation->port = self->next_port++;
  allocation->expires_at = sim_net_now (self->net) + LIFETIME * ICE_SECOND;
  allocation->permissions = g_array_new (FALSE, FALSE, sizeof (SimPermission));
  allocation->channels = g_array_new (FALSE, FALSE, sizeof (SimChannel));
  g_ptr_array_add (self->allocations, allocation);
  return allocation;
}

/* RFC 8656 7.2: IPv4, unless another or both are asked for. */
static void
choose_families (
    SimTurn *self, SimAllocation *allocation, const IceStunMessage *message)
{
  guint32 family = 0;
  gboolean ipv6 = self->ipv6 != NULL;

  if (ice_stun_message_get_u32 (
          message, ICE_STUN_REQUESTED_ADDRESS_FAMILY, &family))
    ipv6 &= family >> 24 == 2;
  else
    ipv6 &= ice_stun_message_has (message, ICE_STUN_ADDITIONAL_ADDRESS_FAMILY);
  allocation->families[0] = family >> 24 != 2 || !ipv6;
  allocation->families[1] = ipv6;
}

static void
add_relayed (
    SimTurn *self, const SimAllocation *allocation, IceStunBuilder *builder)
{
  IceAddress relayed = self->ip;

  relayed.port = allocation->port;
  sim_trouble_relayed (&self->trouble, &relayed);
  if (allocation->families[0])
    ice_stun_builder_add_xor_address (
        builder, ICE_STUN_XOR_RELAYED_ADDRESS, &relayed);
  if (!allocation->families[1])
    return;
  sim_node_get_ip (self->ipv6, &relayed);
  relayed.port = allocation->port;
  ice_stun_builder_add_xor_address (
      builder, ICE_STUN_XOR_RELAYED_ADDRESS, &relayed);
}

static void
do_allocate (
    SimTurn *self, const IceAddress *from, const IceStunMessage *message)
{
  SimAllocation *allocation = allocate (self, from, message->id);
  IceStunBuilder builder;

  /* RFC 8656 7.2, 5-tuple in use. */
  if (allocation == NULL) {
    refuse (self, from, message, 437);
    return;
  }
  choose_families (self, allocation, message);
  accept_message (self, from, message, &builder);
  add_relayed (self, allocation, &builder);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, from);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_LIFETIME,
      sim_trouble_lifetime (&self->trouble, LIFETIME));
  sim_turn_answer (self, from, &builder, TRUE);
}

static void
do_refresh (SimTurn *self, SimAllocation *allocation, const IceAddress *from,
    const IceStunMessage *message)
{
  guint32 lifetime = LIFETIME;
  IceStunBuilder builder;

  ice_stun_message_get_u32 (message, ICE_STUN_LIFETIME, &lifetime);
  if (lifetime == 0)
    g_ptr_array_remove (self->allocations, allocation);
  else
    allocation->expires_at = sim_net_now (self->net) + lifetime * ICE_SECOND;
  accept_message (self, from, message, &builder);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_LIFETIME,
      lifetime ? sim_trouble_lifetime (&self->trouble, lifetime) : 0);
  sim_turn_answer (self, from, &builder, TRUE);
}

/* RFC 8656 9.2 and 12.2: "peer address family mismatch". */
static gboolean
has_family (const SimTurn *self, const SimAllocation *allocation,
    const IceAddress *peer)
{
  return self->ipv6 == NULL ||
      allocation->families[peer->family == ICE_FAMILY_IPV6];
}

static void
permit (SimTurn *self, SimAllocation *allocation, const IceAddress *peer)
{
  SimPermission fresh = { *peer,
    sim_net_now (self->net) + PERMISSION_LIFETIME };

  for (guint i = 0; i < allocation->permissions->len; i++) {
    SimPermission *old =
        &g_array_index (allocation->permissions, SimPermission, i);

    if (!ice_address_same_ip (&old->peer, peer))
      continue;
    old->expires_at = fresh.expires_at;
    return;
  }
  g_array_append_val (allocation->permissions, fresh);
}

static void
do_permit (SimTurn *self, SimAllocation *allocation, const IceAddress *from,
    const IceStunMessage *message)
{
  IceAddress peer;
  IceStunBuilder builder;

  if (!ice_stun_message_get_xor_address (
          message, ICE_STUN_XOR_PEER_ADDRESS, &peer)) {
    refuse (self, from, message, 400);
    return;
  }
  if (!has_family (self, allocation, &peer)) {
    refuse (self, from, message, 443);
    return;
  }
  permit (self, allocation, &peer);
  accept_message (self, from, message, &builder);
  sim_turn_answer (self, from, &builder, TRUE);
}

static void
do_bind (SimTurn *self, SimAllocation *allocation, const IceAddress *from,
    const IceStunMessage *message)
{
  SimChannel channel = {
    .expires_at = sim_net_now (self->net) + CHANNEL_LIFETIME,
  };
  gboolean known = FALSE;
  guint32 number;
  IceStunBuilder builder;

  if (!ice_stun_message_get_xor_address (
          message, ICE_STUN_XOR_PEER_ADDRESS, &channel.peer) ||
      !ice_stun_message_get_u32 (message, ICE_STUN_CHANNEL_NUMBER, &number)) {
    refuse (self, from, message, 400);
    return;
  }
  if (!has_family (self, allocation, &channel.peer)) {
    refuse (self, from, message, 443);
    return;
  }
  channel.number = number >> 16;
  for (guint i = 0; i < allocation->channels->len; i++) {
    SimChannel *other = &g_array_index (allocation->channels, SimChannel, i);
    gboolean same = ice_address_equal (&other->peer, &channel.peer);

    /* RFC 8656 12.2: one number, one peer. */
    if (same != (other->number == channel.number)) {
      sim_net_violate (self->net, "channel 0x%x bound twice", channel.number);
      refuse (self, from, message, 400);
      return;
    }
    if (same)
      other->expires_at = channel.expires_at;
    known |= same;
  }
  if (!known)
    g_array_append_val (allocation->channels, channel);
  permit (self, allocation, &channel.peer);
  accept_message (self, from, message, &builder);
  sim_turn_answer (self, from, &builder, TRUE);
}

static void
do_send (
    SimTurn *self, SimAllocation *allocation, const IceStunMessage *message)
{
  IceAddress peer;
  IceBytes data;

  if (ice_stun_message_get_xor_address (
          message, ICE_STUN_XOR_PEER_ADDRESS, &peer) &&
      ice_stun_message_find (message, ICE_STUN_DATA_ATTRIBUTE, &data))
    sim_turn_relay_out (self, allocation, &peer, data);
}

static void
do_binding (
    SimTurn *self, const IceAddress *from, const IceStunMessage *message)
{
  IceStunBuilder builder;

  accept_message (self, from, message, &builder);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, from);
  sim_turn_answer (self, from, &builder, FALSE);
}

static void
handle_request (
    SimTurn *self, const IceAddress *from, const IceStunMessage *message)
{
  SimAllocation *allocation = sim_turn_find (self, from);
  gchar current[32];
  IceBytes nonce;
  gboolean right =
      ice_stun_message_verify (message, self->key, ICE_STUN_INTEGRITY_SHA1);
  guint code = sim_trouble_refuse (&self->trouble, message->method, right);

  if (code || !right) {
    refuse (self, from, message, code ? code : 401);
    return;
  }
  print_nonce (self, current);
  if (!ice_stun_message_find (message, ICE_STUN_NONCE, &nonce) ||
      nonce.size != strlen (current) ||
      memcmp (nonce.data, current, nonce.size) != 0) {
    refuse (self, from, message, 438);
    return;
  }
  if (message->method == ICE_STUN_ALLOCATE)
    do_allocate (self, from, message);
  else if (allocation == NULL)
    refuse (self, from, message, 437);
  else if (message->method == ICE_STUN_REFRESH)
    do_refresh (self, allocation, from, message);
  else if (message->method == ICE_STUN_CREATE_PERMISSION)
    do_permit (self, allocation, from, message);
  else if (message->method == ICE_STUN_CHANNEL_BIND)
    do_bind (self, allocation, from, message);
}

static void
handle_client (SimTurn *self, const IceAddress *from, IceBytes data)
{
  IceStunMessage message;
  SimAllocation *allocation;

  if (data.size >= 4 && data.data[0] >= 0x40 && data.data[0] <= 0x4f) {
    sim_turn_relay_channel (self, from, data);
    return;
  }
  if (!ice_stun_looks_like (data) || !ice_stun_message_parse (&message, data))
    return;
  if (message.klass == ICE_STUN_INDICATION) {
    allocation = sim_turn_find (self, from);
    if (allocation && message.method == ICE_STUN_SEND)
      do_send (self, allocation, &message);
  } else if (message.method == ICE_STUN_BINDING) {
    do_binding (self, from, &message);
  } else {
    handle_request (self, from, &message);
  }
}

/* STUN over TCP (RFC 8489 6.2.2). */

static guint
stream_accept (gpointer user, guint listener, const IceAddress *from)
{
  SimTurn *self = user;

  return ++self->last_id;
}

static void
stream_accepted (gpointer user)
{
}

static void
stream_frame (gpointer user, guint id, const IceAddress *from, IceBytes data)
{
  SimTurn *self = user;
  IceStunMessage message;
  IceStunBuilder builder;
  g_autoptr (IcePacket) packet = NULL;

  if (!ice_stun_message_parse (&message, data) ||
      message.klass != ICE_STUN_REQUEST || message.method != ICE_STUN_BINDING)
    return;
  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, message.id);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, from);
  packet = ice_stun_builder_end (&builder);
  sim_stream_send (self->net, self, id, ICE_BYTES (packet->data, packet->size));
}

static void
stream_ended (gpointer user, guint id)
{
}

void
sim_turn_listen (SimTurn *self)
{
  static const SimStreamOwner owner = { .accept = stream_accept,
    .accepted = stream_accepted,
    .frame = stream_frame,
    .ended = stream_ended };

  sim_stream_listen (self->node, SIM_TURN_PORT, &owner, self, ++self->last_id);
}

static gboolean
turn_receive (gpointer user, SimNode *node, guint16 port,
    const IceAddress *from, IceBytes data)
{
  SimTurn *self = user;

  expire (self);
  if (self->trouble.fault == SIM_TURN_DEAD)
    return TRUE;
  if (port == SIM_TURN_PORT) {
    handle_client (self, from, data);
    return TRUE;
  }
  for (guint i = 0; i < self->allocations->len; i++) {
    SimAllocation *allocation = g_ptr_array_index (self->allocations, i);

    if (allocation->port == port) {
      sim_turn_relay_in (self, allocation, from, data);
      return TRUE;
    }
  }
  return FALSE;
}
