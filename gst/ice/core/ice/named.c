/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A peer that hides its addresses behind names. */
#include "checklist.h"

#include <string.h>

#include "../purity.h"

void
ice_named_candidate_free (IceNamedCandidate *self)
{
  ice_candidate_unref (self->candidate);
  g_free (self);
}

static gboolean
was_signalled (const IceStream *self, const IceAddress *address)
{
  for (guint i = 0; i < self->remotes->len; i++) {
    const IceCandidate *remote = g_ptr_array_index (self->remotes, i);

    if (remote->kind != ICE_CANDIDATE_PEER_REFLEXIVE &&
        remote->host_name == NULL &&
        ice_address_same_ip (&remote->address, address))
      return TRUE;
  }
  return FALSE;
}

IceCandidate *
ice_stream_tell_remote (const IceStream *self, IceCandidate *remote)
{
  IceCandidate *told;

  if (!(self->peer_hides || ice_gatherer_hides_hosts (self->set->gatherer)) ||
      remote->kind != ICE_CANDIDATE_PEER_REFLEXIVE ||
      was_signalled (self, &remote->address))
    return ice_candidate_ref (remote);
  told = ice_candidate_copy (remote);
  memset (told->address.ip, 0, sizeof told->address.ip);
  told->base = told->address;
  return told;
}
