/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "candidate.h"

#include <string.h>

#include "../purity.h"

IceCandidate *
ice_candidate_new (IceCandidateKind kind, guint component)
{
  IceCandidate *self = g_new0 (IceCandidate, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->kind = kind;
  self->component = component;
  return self;
}

IceCandidate *
ice_candidate_copy (const IceCandidate *self)
{
  IceCandidate *copy = g_memdup2 (self, sizeof (*self));

  g_atomic_ref_count_init (&copy->ref_count);
  copy->host_name = g_strdup (self->host_name);
  copy->ufrag = g_strdup (self->ufrag);
  copy->url = g_strdup (self->url);
  return copy;
}

IceCandidate *
ice_candidate_ref (IceCandidate *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
ice_candidate_unref (IceCandidate *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;

  g_free (self->host_name);
  g_free (self->ufrag);
  g_free (self->url);
  g_free (self);
}

gboolean
ice_candidate_is_same (const IceCandidate *a, const IceCandidate *b)
{
  return a->kind == b->kind && a->socket == b->socket &&
      ice_address_equal (&a->address, &b->address) &&
      ice_address_equal (&a->base, &b->base);
}

guint
ice_candidate_kind_preference (IceCandidateKind kind)
{
  /* RFC 8445 5.1.2.2: the recommended values. */
  switch (kind) {
    case ICE_CANDIDATE_HOST:
      return 126;
    case ICE_CANDIDATE_PEER_REFLEXIVE:
      return 110;
    case ICE_CANDIDATE_SERVER_REFLEXIVE:
      return 100;
    case ICE_CANDIDATE_RELAYED:
    default:
      return 0;
  }
}

/* RFC 8445 5.1.2.1: 2^24 type + 2^8 local + 2^0 (256 - component). */
static guint32
combine (guint type_preference, guint16 local_preference, guint component)
{
  return (guint32) type_preference << 24 | (guint32) local_preference << 8 |
      (256 - CLAMP (component, 1, 256));
}

guint32
ice_candidate_compute_priority (
    IceCandidateKind kind, guint16 local_preference, guint component)
{
  return combine (
      ice_candidate_kind_preference (kind), local_preference, component);
}

guint32
ice_candidate_compute_detour_priority (
    IceCandidateKind kind, guint16 local_preference, guint component)
{
  /* Types of their own in the sense of RFC 8445 5.1.2.1, in the same order,
   * between server-reflexive and relayed. */
  return combine (
      ice_candidate_kind_preference (kind) / 2, local_preference, component);
}

/* RFC 8445 5.1.2.1: what is learnt by a socket and by its relay is of one type,
 * so their preferences MUST differ, and what goes straight is the better one.
 * No address has a rank so low that the two ranges would meet. */
static guint16
learnt_preference (const IceCandidate *base)
{
  const guint16 below = 0x4000;

  return base->kind == ICE_CANDIDATE_RELAYED && base->local_preference >= below
      ? base->local_preference - below
      : base->local_preference;
}

guint32
ice_candidate_learnt_priority (const IceCandidate *base)
{
  const guint16 preference = learnt_preference (base);

  if (base->protocol == ICE_PROTOCOL_TCP)
    return ice_candidate_compute_tcp_priority (
        ICE_CANDIDATE_PEER_REFLEXIVE, preference, base->component);
  return base->detour
      ? ice_candidate_compute_detour_priority (
            ICE_CANDIDATE_PEER_REFLEXIVE, preference, base->component)
      : ice_candidate_compute_priority (
            ICE_CANDIDATE_PEER_REFLEXIVE, preference, base->component);
}

/* RFC 6544 4.2: where the protocol is more important than the kind, "all the
 * preferred transport protocol candidates SHOULD have type-preference higher
 * than the other", but for relayed ones; media is better lost than late. These
 * are below the detours, too. */
static guint
tcp_kind_preference (IceCandidateKind kind)
{
  switch (kind) {
    case ICE_CANDIDATE_HOST:
      return 45;
    case ICE_CANDIDATE_PEER_REFLEXIVE:
      return 40;
    case ICE_CANDIDATE_SERVER_REFLEXIVE:
      return 35;
    case ICE_CANDIDATE_RELAYED:
    default:
      return 0;
  }
}

guint32
ice_candidate_compute_tcp_priority (
    IceCandidateKind kind, guint16 local_preference, guint component)
{
  return combine (tcp_kind_preference (kind), local_preference, component);
}

guint16
ice_candidate_tcp_preference (
    IceCandidateKind kind, IceTcpType tcp_type, guint other)
{
  /* RFC 6544 4.2: "6 for active, 4 for passive, 2 for S-O", and for reflexive
   * candidates 6 for S-O, 4 for active, 2 for passive. */
  static const guint8 direct[] = { 0, 6, 4, 2 }, reflexive[] = { 0, 4, 2, 6 };
  gboolean mapped = kind == ICE_CANDIDATE_SERVER_REFLEXIVE ||
      kind == ICE_CANDIDATE_PEER_REFLEXIVE;
  guint direction = mapped ? reflexive[tcp_type] : direct[tcp_type];

  return (guint16) (direction << 13 | MIN (other, 8191));
}

IceTcpType
ice_tcp_type_opposite (IceTcpType tcp_type)
{
  static const IceTcpType opposites[] = { ICE_TCP_TYPE_NONE,
    ICE_TCP_TYPE_PASSIVE, ICE_TCP_TYPE_ACTIVE, ICE_TCP_TYPE_SO };

  return opposites[tcp_type];
}

guint
ice_candidate_base_socket (const IceCandidate *self)
{
  return self->endpoint ? self->endpoint : self->socket;
}

const gchar *
ice_candidate_kind_to_string (IceCandidateKind kind)
{
  switch (kind) {
    case ICE_CANDIDATE_HOST:
      return "host";
    case ICE_CANDIDATE_SERVER_REFLEXIVE:
      return "srflx";
    case ICE_CANDIDATE_PEER_REFLEXIVE:
      return "prflx";
    case ICE_CANDIDATE_RELAYED:
    default:
      return "relay";
  }
}
