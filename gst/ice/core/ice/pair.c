/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidate pairs (RFC 8445 6.1.2). */
#include "pair.h"

#include "stream.h"

#include <string.h>

#include "../purity.h"

/* Cancelled checks whose answer would still count. More are only made by a
 * peer that keeps triggering us; the oldest is then given up. */
#define MAX_CHECKS 16

static void
check_free (IceCheck *check)
{
  ice_transaction_clear (&check->transaction);
  g_free (check);
}

IcePair *
ice_pair_new (guint id, IceComponent *component, IceGeneration *generation,
    IceCandidate *local, IceCandidate *remote)
{
  IcePair *self = g_new0 (IcePair, 1);

  self->ref_count = 1;
  self->id = id;
  self->component = component;
  self->generation = ice_generation_ref (generation);
  self->local = ice_candidate_ref (local);
  self->remote = ice_candidate_ref (remote);
  self->local_priority = local->priority;
  self->checks = g_ptr_array_new_with_free_func ((GDestroyNotify) check_free);
  return self;
}

IcePair *
ice_pair_ref (IcePair *self)
{
  self->ref_count++;
  return self;
}

void
ice_pair_unref (IcePair *self)
{
  if (--self->ref_count > 0)
    return;
  ice_generation_unref (self->generation);
  ice_candidate_unref (self->local);
  ice_candidate_unref (self->remote);
  g_clear_pointer (&self->mapped, ice_candidate_unref);
  g_ptr_array_unref (self->checks);
  g_free (self);
}

guint64
ice_pair_priority (guint32 g, guint32 d)
{
  return ((guint64) MIN (g, d) << 32) + 2 * (guint64) MAX (g, d) +
      (g > d ? 1 : 0);
}

void
ice_pair_update_priority (IcePair *self, gboolean controlling)
{
  guint32 remote = self->remote->priority;
  guint32 local = self->local_priority;

  self->priority = controlling ? ice_pair_priority (local, remote)
                               : ice_pair_priority (remote, local);
  if (self->mapped)
    local = self->mapped->priority;
  self->valid_priority = controlling ? ice_pair_priority (local, remote)
                                     : ice_pair_priority (remote, local);
  /* RFC 6544 4.5: an active candidate has port 9, and what connects is another
   * one, that the peer learns from the check (RFC 8445 7.3.1.3). */
  if (self->local->tcp_type == ICE_TCP_TYPE_ACTIVE)
    local = ice_candidate_learnt_priority (self->local);
  self->shared_priority = controlling ? ice_pair_priority (local, remote)
                                      : ice_pair_priority (remote, local);
}

void
ice_pair_set_remote (IcePair *self, IceCandidate *remote)
{
  ice_candidate_ref (remote);
  ice_candidate_unref (self->remote);
  self->remote = remote;
}

void
ice_pair_set_local (IcePair *self, IceCandidate *local)
{
  ice_candidate_ref (local);
  ice_candidate_unref (self->local);
  self->local = local;
  g_clear_pointer (&self->mapped, ice_candidate_unref);
}

gboolean
ice_pair_is_connected (const IcePair *self)
{
  return self->local->protocol == ICE_PROTOCOL_UDP ||
      self->local->kind == ICE_CANDIDATE_RELAYED || self->local->endpoint != 0;
}

/* RFC 6544 6.2: active with passive, and so with so; pairs with a passive local
 * candidate are pruned, for nobody connects from there. */
static gboolean
may_connect (const IceCandidate *local, const IceCandidate *remote)
{
  if (local->protocol != remote->protocol)
    return FALSE;
  return local->protocol == ICE_PROTOCOL_UDP ||
      (local->tcp_type != ICE_TCP_TYPE_PASSIVE &&
          remote->tcp_type == ice_tcp_type_opposite (local->tcp_type));
}

gboolean
ice_pair_is_possible (const IceCandidate *local, const IceCandidate *remote)
{
  IceAddressClass near = ice_address_classify (&local->base);
  IceAddressClass far = ice_address_classify (&remote->address);

  if (local->component != remote->component || !may_connect (local, remote))
    return FALSE;
  /* RFC 8445 6.1.2.4: what is sent leaves from the base; behind a NAT64 that is
   * of another family than the mapped address. */
  if (local->base.family != remote->address.family)
    return FALSE;
  /* The mDNS draft, 3.3.2: a TURN server is not told what a name hides. */
  if (local->kind == ICE_CANDIDATE_RELAYED && remote->host_name)
    return FALSE;
  /* RFC 8445 6.1.2.2: IPv6 link-local pairs with link-local only. The same for
   * IPv4, and nobody may have us knock at our own loopback from outside. */
  if ((near == ICE_ADDRESS_LINK_LOCAL) != (far == ICE_ADDRESS_LINK_LOCAL))
    return FALSE;
  return far != ICE_ADDRESS_LOOPBACK || near == ICE_ADDRESS_LOOPBACK;
}

gboolean
ice_pair_same_local (const IceCandidate *a, const IceCandidate *b)
{
  return a->socket == b->socket && a->kind == b->kind &&
      ice_address_equal (&a->base, &b->base);
}

gboolean
ice_pair_same_foundation (const IcePair *a, const IcePair *b)
{
  return strcmp (a->local->foundation, b->local->foundation) == 0 &&
      strcmp (a->remote->foundation, b->remote->foundation) == 0;
}

gboolean
ice_pair_is_relayed (const IcePair *self)
{
  return self->local->kind == ICE_CANDIDATE_RELAYED ||
      self->remote->kind == ICE_CANDIDATE_RELAYED;
}

const gchar *
ice_pair_state_to_string (IcePairState state)
{
  static const gchar *const names[] = { "frozen", "waiting", "in-progress",
    "succeeded", "failed" };

  return names[state];
}

gchar *
ice_pair_to_string (const IcePair *self)
{
  gchar local[ICE_ADDRESS_STRLEN], remote[ICE_ADDRESS_STRLEN];

  return g_strdup_printf ("%s %s -> %s %s",
      ice_candidate_kind_to_string (self->local->kind),
      ice_address_to_string (&self->local->address, local),
      ice_candidate_kind_to_string (self->remote->kind),
      ice_address_to_string (&self->remote->address, remote));
}

IceCheck *
ice_pair_add_check (IcePair *self, IceCheckKind kind)
{
  IceCheck *check = g_new0 (IceCheck, 1);

  if (self->checks->len >= MAX_CHECKS)
    g_ptr_array_remove_index (self->checks, 0);
  check->kind = kind;
  g_ptr_array_add (self->checks, check);
  return check;
}

IceCheck *
ice_pair_find_check (IcePair *self, const guint8 *id)
{
  for (guint i = 0; i < self->checks->len; i++) {
    IceCheck *check = g_ptr_array_index (self->checks, i);

    if (ice_transaction_matches (&check->transaction, id))
      return check;
  }
  return NULL;
}

IceCheck *
ice_pair_live_check (IcePair *self)
{
  for (guint i = self->checks->len; i-- > 0;) {
    IceCheck *check = g_ptr_array_index (self->checks, i);

    if (check->live)
      return check;
  }
  return NULL;
}

void
ice_pair_remove_check (IcePair *self, IceCheck *check)
{
  g_ptr_array_remove (self->checks, check);
}

void
ice_pair_cancel_checks (IcePair *self)
{
  for (guint i = 0; i < self->checks->len; i++) {
    IceCheck *check = g_ptr_array_index (self->checks, i);

    check->live = FALSE;
    check->transaction.retransmit = FALSE;
  }
}

void
ice_pair_drop_checks (IcePair *self)
{
  g_ptr_array_set_size (self->checks, 0);
}
