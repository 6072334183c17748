/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The peer tells IPv4 addresses, and we have only IPv6: through a translator
 * (RFC 6146) that is all the same to it. Each of its candidates gets a twin at
 * the address that we would use, and pairs with that. */
#include "core-private.h"

#include "purity.h"

void
ice_core_translate_remote (
    IceCore *self, IceStream *stream, const IceCandidate *remote, IceTime now)
{
  g_autoptr (IceCandidate) twin = NULL;
  IceAddress address;

  /* RFC 8445 7.3.1.3: one that was learnt came by a way that works. */
  if (remote->kind == ICE_CANDIDATE_PEER_REFLEXIVE ||
      !ice_gatherer_translate (self->gatherer, &remote->address, now, &address))
    return;
  twin = ice_candidate_copy (remote);
  twin->id = ice_context_new_id (&self->context);
  twin->address = twin->base = address;
  /* What is there already is a duplicate, and stays. */
  ice_checklist_add_remote (stream->set, stream, twin, now);
}

static void
translate_all (IceCore *self, IceStream *stream, IceTime now)
{
  const guint n_remotes = stream->remotes->len;
  g_autoptr (GPtrArray) remotes =
      g_ptr_array_new_full (n_remotes, (GDestroyNotify) ice_candidate_unref);

  /* Adding may make room by dropping one. */
  for (guint i = 0; i < n_remotes; i++)
    g_ptr_array_add (
        remotes, ice_candidate_ref (g_ptr_array_index (stream->remotes, i)));
  for (guint i = 0; i < n_remotes; i++)
    ice_core_translate_remote (
        self, stream, g_ptr_array_index (remotes, i), now);
}

void
ice_core_translate_all_remotes (IceCore *self, IceTime now)
{
  for (guint i = 0; i < self->sets->len; i++) {
    IceChecklistSet *set = g_ptr_array_index (self->sets, i);

    for (guint j = 0; j < set->streams->len; j++)
      translate_all (self, g_ptr_array_index (set->streams, j), now);
  }
}
