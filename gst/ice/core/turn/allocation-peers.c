/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of an allocation that deals with peers: permissions, channels and
 * what passes by them. */
#include "allocation-private.h"

#include "channel-data.h"

#include "../../base/bytes.h"
#include "../purity.h"

#define MAX_PERMISSIONS 128
#define MAX_CHANNELS 128
/* The largest UDP payload over IPv4, less what a Send indication adds: header,
 * XOR-PEER-ADDRESS of an IPv6 peer, DATA header and padding, DONT-FRAGMENT. */
#define SEND_PAYLOAD_MAX (65507 - (20 + 24 + 4 + 3 + 4))

static IcePermission *
find_permission (const IceAllocation *self, const IceAddress *peer)
{
  for (guint i = 0; i < self->permissions->len; i++) {
    IcePermission *permission = g_ptr_array_index (self->permissions, i);

    if (ice_address_same_ip (&permission->peer, peer))
      return permission;
  }
  return NULL;
}

static IceChannel *
find_channel (const IceAllocation *self, const IceAddress *peer)
{
  for (guint i = 0; i < self->channels->len; i++) {
    IceChannel *channel = g_ptr_array_index (self->channels, i);

    if (ice_address_equal (&channel->peer, peer))
      return channel;
  }
  return NULL;
}

static IceChannel *
find_channel_number (const IceAllocation *self, guint16 number)
{
  for (guint i = 0; i < self->channels->len; i++) {
    IceChannel *channel = g_ptr_array_index (self->channels, i);

    if (channel->number == number)
      return channel;
  }
  return NULL;
}

static void
drop_useless (IceAllocation *self, IceTime now)
{
  for (guint i = self->permissions->len; i-- > 0;) {
    IcePermission *permission = g_ptr_array_index (self->permissions, i);

    if (permission->lease.state == ICE_LEASE_LOST &&
        (!permission->lease.wanted ||
            self->permissions->len >= MAX_PERMISSIONS))
      g_ptr_array_remove_index_fast (self->permissions, i);
  }
  for (guint i = self->channels->len; i-- > 0;) {
    IceChannel *channel = g_ptr_array_index (self->channels, i);

    if (ice_channel_is_stale (channel, now))
      g_ptr_array_remove_index_fast (self->channels, i);
  }
}

static void
refuse_permission (IceAllocation *self, IcePermission *permission, guint code)
{
  for (guint i = 0; i < permission->users->len; i++)
    ice_allocation_emit (self, ICE_TURN_PERMISSION_REFUSED,
        &g_array_index (permission->users, IceAddress, i), 0, code);
}

static IcePermission *
make_permission (IceAllocation *self, const IceAddress *peer, IceTime now)
{
  IcePermission *permission;

  drop_useless (self, now);
  /* RFC 8656 10.1: only peers of a relayed address's family. */
  if (self->permissions->len >= MAX_PERMISSIONS ||
      !ice_allocation_has_family (self, peer->family) ||
      !ice_address_is_usable (peer))
    return NULL;
  permission = ice_permission_new (peer);
  g_ptr_array_add (self->permissions, permission);
  ice_permission_request (permission, &self->link, now);
  return permission;
}

void
ice_allocation_permit (IceAllocation *self, const IceAddress *peer, IceTime now)
{
  IcePermission *permission;

  if (self->state != ICE_ALLOCATION_ACTIVE)
    return;
  permission = find_permission (self, peer);
  if (!permission)
    permission = make_permission (self, peer, now);
  else if (ice_lease_may_ask_again (&permission->lease, now))
    ice_permission_request (permission, &self->link, now);
  if (!permission || !ice_permission_add_user (permission, peer) ||
      permission->lease.state == ICE_LEASE_LOST)
    ice_allocation_emit (self, ICE_TURN_PERMISSION_REFUSED, peer, 0, 403);
}

void
ice_allocation_bind (IceAllocation *self, const IceAddress *peer, IceTime now)
{
  IceChannel *channel;

  if (self->state != ICE_ALLOCATION_ACTIVE)
    return;
  if (!ice_allocation_is_permitted (self, peer, now))
    ice_allocation_permit (self, peer, now);
  channel = find_channel (self, peer);
  if (channel) {
    channel->lease.wanted = TRUE;
    if (ice_lease_may_ask_again (&channel->lease, now))
      ice_channel_request (channel, &self->link, now);
    return;
  }
  drop_useless (self, now);
  /* Numbers are not used twice, so none can stand for a former peer. */
  if (self->channels->len >= MAX_CHANNELS ||
      self->next_channel > ICE_CHANNEL_MAX ||
      !ice_allocation_has_family (self, peer->family) ||
      !ice_address_is_usable (peer))
    return;
  channel = ice_channel_new (peer, self->next_channel++);
  g_ptr_array_add (self->channels, channel);
  ice_channel_request (channel, &self->link, now);
}

void
ice_allocation_forget (IceAllocation *self, const IceAddress *peer)
{
  IcePermission *permission = find_permission (self, peer);
  IceChannel *channel = find_channel (self, peer);

  if (permission)
    ice_permission_remove_user (permission, peer);
  if (channel)
    channel->lease.wanted = FALSE;
}

guint16
ice_allocation_channel (const IceAllocation *self, const IceAddress *peer)
{
  const IceChannel *channel = find_channel (self, peer);

  return channel && ice_channel_is_bound (channel) ? channel->number : 0;
}

gboolean
ice_allocation_is_permitted (
    const IceAllocation *self, const IceAddress *peer, IceTime now)
{
  const IcePermission *permission = find_permission (self, peer);

  return permission && ice_permission_is_open (permission, now);
}

/* What it means for the whole allocation. */
static void
lease_failed (IceAllocation *self, guint16 method, guint code, IceTime now)
{
  switch (ice_turn_error_remedy (method, code)) {
    case ICE_TURN_GONE:
      ice_allocation_lose (self, code, now);
      break;
    case ICE_TURN_AUTHENTICATE:
    case ICE_TURN_REFUSED:
    case ICE_TURN_OTHER_CREDENTIALS:
      ice_allocation_emit (self, ICE_TURN_REFUSED_US, NULL, 0, code);
      break;
    default:
      break;
  }
}

static IceTurnVerdict
receive_permission_answer (
    IceAllocation *self, const IceStunMessage *answer, IceTime now)
{
  guint code = 0;

  for (guint i = 0; i < self->permissions->len; i++) {
    IcePermission *permission = g_ptr_array_index (self->permissions, i);
    IceTurnAnswer what;

    what = ice_permission_receive (permission, &self->link, answer, now, &code);
    if (what == ICE_TURN_ANSWER_NOT_MINE)
      continue;
    if (what == ICE_TURN_ANSWER_ERROR)
      lease_failed (self, ICE_STUN_CREATE_PERMISSION, code, now);
    if (self->state != ICE_ALLOCATION_ACTIVE)
      return ICE_TURN_HANDLED;
    if (what == ICE_TURN_ANSWER_ERROR &&
        permission->lease.state == ICE_LEASE_LOST)
      refuse_permission (self, permission, code);
    return ice_allocation_judge (what);
  }
  return ICE_TURN_NOT_MINE;
}

/* RFC 8656 12.3: the permission comes with the channel. */
static void
grant_permission (IceAllocation *self, const IceAddress *peer, IceTime now)
{
  IcePermission *permission = find_permission (self, peer);

  if (permission && permission->lease.state != ICE_LEASE_LOST)
    ice_lease_grant (&permission->lease, now);
}

static IceTurnVerdict
receive_channel_answer (
    IceAllocation *self, const IceStunMessage *answer, IceTime now)
{
  guint code = 0;

  for (guint i = 0; i < self->channels->len; i++) {
    IceChannel *channel = g_ptr_array_index (self->channels, i);
    gboolean was_bound = ice_channel_is_bound (channel);
    IceTurnAnswer what;

    what = ice_channel_receive (channel, &self->link, answer, now, &code);
    if (what == ICE_TURN_ANSWER_NOT_MINE)
      continue;
    if (what == ICE_TURN_ANSWER_SUCCESS)
      grant_permission (self, &channel->peer, now);
    if (what == ICE_TURN_ANSWER_ERROR)
      lease_failed (self, ICE_STUN_CHANNEL_BIND, code, now);
    if (self->state != ICE_ALLOCATION_ACTIVE)
      return ICE_TURN_HANDLED;
    if (what == ICE_TURN_ANSWER_SUCCESS && !was_bound)
      ice_allocation_emit (
          self, ICE_TURN_CHANNEL_BOUND, &channel->peer, channel->number, 0);
    else if (what == ICE_TURN_ANSWER_ERROR && was_bound &&
        channel->lease.state == ICE_LEASE_LOST)
      ice_allocation_emit (
          self, ICE_TURN_CHANNEL_LOST, &channel->peer, channel->number, code);
    return ice_allocation_judge (what);
  }
  return ICE_TURN_NOT_MINE;
}

IceTurnVerdict
ice_allocation_receive_peer_answer (
    IceAllocation *self, const IceStunMessage *answer, IceTime now)
{
  IceTurnVerdict verdict = receive_permission_answer (self, answer, now);

  return verdict == ICE_TURN_NOT_MINE
      ? receive_channel_answer (self, answer, now)
      : verdict;
}

static void
permissions_timeout (IceAllocation *self, IceTime now)
{
  for (guint i = 0; i < self->permissions->len; i++) {
    IcePermission *permission = g_ptr_array_index (self->permissions, i);

    if (!ice_permission_timeout (permission, &self->link, now))
      refuse_permission (self, permission, ICE_TURN_NO_ANSWER);
  }
}

static void
channels_timeout (IceAllocation *self, IceTime now)
{
  for (guint i = 0; i < self->channels->len; i++) {
    IceChannel *channel = g_ptr_array_index (self->channels, i);
    gboolean was_held = channel->lease.state == ICE_LEASE_HELD;

    if (!ice_channel_timeout (channel, &self->link, now) && was_held)
      ice_allocation_emit (self, ICE_TURN_CHANNEL_LOST, &channel->peer,
          channel->number, ICE_TURN_NO_ANSWER);
  }
}

void
ice_allocation_peers_ask_again (IceAllocation *self, IceTime now)
{
  for (guint i = 0; i < self->permissions->len; i++) {
    IcePermission *permission = g_ptr_array_index (self->permissions, i);

    ice_lease_ask_again (&permission->lease, now);
  }
  for (guint i = 0; i < self->channels->len; i++) {
    IceChannel *channel = g_ptr_array_index (self->channels, i);

    ice_lease_ask_again (&channel->lease, now);
  }
}

void
ice_allocation_peers_timeout (IceAllocation *self, IceTime now)
{
  permissions_timeout (self, now);
  channels_timeout (self, now);
  drop_useless (self, now);
}

IceTime
ice_allocation_peers_deadline (const IceAllocation *self)
{
  IceTime deadline = ICE_TIME_NEVER;

  for (guint i = 0; i < self->permissions->len; i++) {
    const IcePermission *permission = g_ptr_array_index (self->permissions, i);

    deadline = MIN (deadline, ice_lease_deadline (&permission->lease));
  }
  for (guint i = 0; i < self->channels->len; i++) {
    const IceChannel *channel = g_ptr_array_index (self->channels, i);

    deadline = MIN (deadline, ice_lease_deadline (&channel->lease));
  }
  return deadline;
}

/* What passes. */

static IcePacket *
wrap_in_indication (
    IceAllocation *self, const IceAddress *peer, IceBytes payload)
{
  IceStunBuilder builder;

  ice_turn_link_begin (
      &self->link, &builder, ICE_STUN_INDICATION, ICE_STUN_SEND);
  ice_stun_builder_add_xor_address (&builder, ICE_STUN_XOR_PEER_ADDRESS, peer);
  ice_stun_builder_add_bytes (&builder, ICE_STUN_DATA_ATTRIBUTE, payload);
  /* RFC 8656 11.1: when the Allocate has shown that it is understood. */
  if (self->options.dont_fragment)
    ice_stun_builder_add_flag (&builder, ICE_STUN_DONT_FRAGMENT);
  return ice_stun_builder_end (&builder);
}

gboolean
ice_allocation_send (
    IceAllocation *self, const IceAddress *peer, IceBytes payload, IceTime now)
{
  guint16 channel;

  /* RFC 8656 11.1: there MUST be a permission. */
  if (self->state != ICE_ALLOCATION_ACTIVE || payload.size > SEND_PAYLOAD_MAX ||
      !ice_allocation_is_permitted (self, peer, now))
    return FALSE;
  channel = ice_allocation_channel (self, peer);
  ice_turn_link_push (&self->link,
      channel != 0 ? ice_channel_data_new (channel, payload)
                   : wrap_in_indication (self, peer, payload),
      now);
  return TRUE;
}

/* RFC 8656 12.6: a channel that is not bound is discarded silently. It counts
 * from the ChannelBind on, whose answer may come later than the data. */
IceTurnVerdict
ice_allocation_receive_channel_data (IceAllocation *self, IceBytes datagram,
    IceTime now, IceAddress *ret_peer, IceBytes *ret_payload)
{
  const IceChannel *channel;
  guint16 number;

  if (!ice_channel_data_parse (datagram, &number, ret_payload))
    return ICE_TURN_NOT_MINE;
  channel = find_channel_number (self, number);
  if (!channel || !ice_allocation_is_permitted (self, &channel->peer, now))
    return ICE_TURN_DROPPED;
  *ret_peer = channel->peer;
  return ICE_TURN_DATA;
}

gboolean
ice_icmp_error_is_hard (const IceIcmpError *self, IceFamily family)
{
  /* ICMPv4 type 3 (RFC 792, RFC 1812 5.2.7.1): all codes but 4, which says that
   * the packet was too big. ICMPv6 type 1 (RFC 4443 3.1): all codes. */
  return family == ICE_FAMILY_IPV6 ? self->type == 1
                                   : self->type == 3 && self->code != 4;
}

/* RFC 8656 11.6, 18.13: two reserved bytes, type, code, four bytes of data. It
 * is about a packet to the peer, and no data, whatever else the indication
 * holds. The port is 0 when the server could not see it. */
static IceTurnVerdict
receive_icmp (IceAllocation *self, IceBytes value, const IceAddress *peer)
{
  IceTurnEvent event = { .type = ICE_TURN_PEER_UNREACHABLE, .peer = *peer };
  IceReader in;

  ice_reader_init (&in, value);
  if (value.size != 8 || !ice_skip (&in, 2) ||
      !ice_read_u8 (&in, &event.icmp.type) ||
      !ice_read_u8 (&in, &event.icmp.code) ||
      !ice_read_u32 (&in, &event.icmp.data))
    return ICE_TURN_DROPPED;
  g_array_append_val (self->events, event);
  return ICE_TURN_HANDLED;
}

/* RFC 8656 11.4: no address, no permission, no data: discarded. */
IceTurnVerdict
ice_allocation_receive_data (IceAllocation *self, const IceStunMessage *message,
    IceTime now, IceAddress *ret_peer, IceBytes *ret_payload)
{
  IceBytes icmp;
  guint16 unknown;

  if (self->state != ICE_ALLOCATION_ACTIVE ||
      ice_stun_message_unknown (message, &unknown, 1) > 0 ||
      !ice_stun_message_get_xor_address (
          message, ICE_STUN_XOR_PEER_ADDRESS, ret_peer) ||
      !ice_allocation_is_permitted (self, ret_peer, now))
    return ICE_TURN_DROPPED;
  if (ice_stun_message_find (message, ICE_STUN_ICMP, &icmp))
    return receive_icmp (self, icmp, ret_peer);
  if (!ice_address_is_usable (ret_peer) ||
      !ice_stun_message_find (message, ICE_STUN_DATA_ATTRIBUTE, ret_payload))
    return ICE_TURN_DROPPED;
  return ICE_TURN_DATA;
}
