/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "permission.h"

#include "../purity.h"

/* Peers behind one IP address; the pairs of a checklist are fewer. */
#define MAX_USERS 128

IcePermission *
ice_permission_new (const IceAddress *peer)
{
  IcePermission *self = g_new0 (IcePermission, 1);

  self->peer = *peer;
  self->peer.port = 0;
  self->users = g_array_new (FALSE, FALSE, sizeof (IceAddress));
  ice_lease_init (&self->lease, ICE_STUN_CREATE_PERMISSION,
      ICE_PERMISSION_LIFETIME, ICE_PERMISSION_RENEW_AFTER);
  return self;
}

void
ice_permission_free (IcePermission *self)
{
  ice_lease_clear (&self->lease);
  g_array_unref (self->users);
  g_free (self);
}

static gint
find_user (const IcePermission *self, const IceAddress *user)
{
  for (guint i = 0; i < self->users->len; i++) {
    if (ice_address_equal (&g_array_index (self->users, IceAddress, i), user))
      return (gint) i;
  }
  return -1;
}

gboolean
ice_permission_add_user (IcePermission *self, const IceAddress *user)
{
  if (find_user (self, user) < 0) {
    if (self->users->len >= MAX_USERS)
      return FALSE;
    g_array_append_val (self->users, *user);
  }
  self->lease.wanted = TRUE;
  return TRUE;
}

void
ice_permission_remove_user (IcePermission *self, const IceAddress *user)
{
  gint index = find_user (self, user);

  if (index >= 0)
    g_array_remove_index_fast (self->users, (guint) index);
  self->lease.wanted = self->users->len > 0;
}

void
ice_permission_request (IcePermission *self, IceTurnLink *link, IceTime now)
{
  IceStunBuilder builder;

  if (self->lease.state == ICE_LEASE_LOST)
    self->lease.state = ICE_LEASE_REQUESTED;
  ice_turn_link_begin (
      link, &builder, ICE_STUN_REQUEST, ICE_STUN_CREATE_PERMISSION);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_PEER_ADDRESS, &self->peer);
  ice_turn_request_start (&self->lease.request, link, &builder, now);
}

gboolean
ice_permission_is_open (const IcePermission *self, IceTime now)
{
  return self->lease.state != ICE_LEASE_LOST && now < self->lease.expires_at;
}

IceTurnAnswer
ice_permission_receive (IcePermission *self, IceTurnLink *link,
    const IceStunMessage *answer, IceTime now, guint *ret_code)
{
  IceTurnAnswer what;

  what = ice_lease_receive (&self->lease, link, answer, now, ret_code);
  if (what == ICE_TURN_ANSWER_RETRY)
    ice_permission_request (self, link, now);
  return what;
}

gboolean
ice_permission_timeout (IcePermission *self, IceTurnLink *link, IceTime now)
{
  IceLeaseStep step = ice_lease_timeout (&self->lease, link, now);

  if (step == ICE_LEASE_RENEW)
    ice_permission_request (self, link, now);
  return step != ICE_LEASE_ENDED;
}
