/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One offer, several answers (RFC 8839 7): what the branches share, and what
 * one of them must not take from another. */
#include "checklist.h"

#include <string.h>

#include "../purity.h"

/* Sources of media. Each goes to one branch only, for a packet says nothing but
 * where it came from (design 9.9, RFC 8839 7.3). */

typedef gboolean (*ComponentFunc) (
    IceComponent *component, const IceCandidate *local, const IceAddress *from);

static gboolean
drop_heard (
    IceComponent *component, const IceCandidate *local, const IceAddress *from)
{
  const IceChecklistSet *set = component->stream->set;

  ice_component_unaccept_heard (
      component, set->context, set->gatherer, local, from);
  return FALSE;
}

static gboolean
is_proven (
    IceComponent *component, const IceCandidate *local, const IceAddress *from)
{
  return ice_component_is_proven (component, local, from);
}

static gboolean
is_accepted (
    IceComponent *component, const IceCandidate *local, const IceAddress *from)
{
  return ice_component_accepts (component, local, from);
}

/* Asks the components of all other branches until one says TRUE. */
static gboolean
ask_others (const IceChecklistSet *self, ComponentFunc func,
    const IceCandidate *local, const IceAddress *from)
{
  for (guint i = 0; self->all && i < self->all->len; i++) {
    const IceChecklistSet *set = g_ptr_array_index (self->all, i);

    for (guint j = 0; set != self && j < set->streams->len; j++) {
      IceStream *stream = g_ptr_array_index (set->streams, j);

      for (guint k = 0; k < stream->components->len; k++)
        if (func (g_ptr_array_index (stream->components, k), local, from))
          return TRUE;
    }
  }
  return FALSE;
}

gboolean
ice_checklist_set_is_taken (const IceChecklistSet *self,
    const IceCandidate *local, const IceAddress *from)
{
  return ask_others (self, is_proven, local, from);
}

void
ice_checklist_set_accept (IceChecklistSet *self, IceComponent *component,
    IceCandidate *local, const IceAddress *from, guint generation,
    gboolean proven)
{
  if (proven)
    ask_others (self, drop_heard, local, from);
  if (ask_others (self, is_accepted, local, from))
    return;
  ice_component_accept (component, self->context, self->gatherer, local, from,
      generation, proven);
}

/* Permissions and channels belong to the relay (RFC 8656 2.3), candidates to
 * whoever told them: the last one that needs them gives them up (RFC 8445
 * 8.3.1). */

static gboolean
has_pair (IceChecklistSet *set, IcePair *pair, gpointer user)
{
  const IcePair *other = user;

  return ice_pair_same_local (pair->local, other->local) &&
      ice_address_equal (&pair->remote->address, &other->remote->address);
}

gboolean
ice_checklist_set_is_shared_peer (
    const IceChecklistSet *self, const IcePair *pair)
{
  for (guint i = 0; self->all && i < self->all->len; i++) {
    IceChecklistSet *set = g_ptr_array_index (self->all, i);

    if (set != self &&
        ice_checklist_set_find_pair (set, has_pair, (gpointer) pair))
      return TRUE;
  }
  return FALSE;
}

/* A reflexive candidate stays in the list when it is not kept alive any more.
 */
static gboolean
holds (const IceStream *self, const IceCandidate *local)
{
  if (self->released && local->kind == ICE_CANDIDATE_SERVER_REFLEXIVE)
    return FALSE;
  for (guint i = 0; i < self->locals->len; i++)
    if (ice_candidate_is_same (g_ptr_array_index (self->locals, i), local))
      return TRUE;
  for (guint i = 0; i < self->components->len; i++) {
    const IceComponent *component = g_ptr_array_index (self->components, i);

    if (component->selected &&
        ice_pair_same_local (component->selected->local, local))
      return TRUE;
  }
  return FALSE;
}

gboolean
ice_checklist_set_is_shared_local (const IceChecklistSet *self,
    const IceStream *stream, const IceCandidate *local)
{
  for (guint i = 0; self->all && i < self->all->len; i++) {
    const IceChecklistSet *set = g_ptr_array_index (self->all, i);

    for (guint j = 0; j < set->streams->len; j++) {
      const IceStream *other = g_ptr_array_index (set->streams, j);

      if (other != stream && other->gather == stream->gather &&
          holds (other, local))
        return TRUE;
    }
  }
  return FALSE;
}

IceStream *
ice_checklist_set_find_twin (
    const IceChecklistSet *self, const IceStream *stream)
{
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *twin = g_ptr_array_index (self->streams, i);

    if (twin != stream && twin->gather == stream->gather &&
        strcmp (twin->generation->local_ufrag,
            stream->generation->local_ufrag) == 0)
      return twin;
  }
  return NULL;
}
