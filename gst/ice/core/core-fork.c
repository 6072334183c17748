/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Branches (RFC 8839 7): making and ending them, and whose a packet is. What
 * they must leave each other is in ice/checklist-fork.c. */
#include "core-private.h"

#include "purity.h"

static IceChecklistSet *
find_set (const IceCore *self, guint branch)
{
  for (guint i = 0; i < self->sets->len; i++) {
    IceChecklistSet *set = g_ptr_array_index (self->sets, i);

    if (set->branch == branch)
      return set;
  }
  return NULL;
}

IceChecklistSet *
ice_core_current_set (const IceCore *self)
{
  return find_set (self, self->branch);
}

gboolean
ice_core_use_branch (IceCore *self, guint branch)
{
  self->branch = branch;
  return ice_core_current_set (self) != NULL;
}

IceChecklistSet *
ice_core_add_set (IceCore *self, guint branch, gboolean controlling,
    const IceCoreConfig *config)
{
  IceChecklistSet *set = g_new (IceChecklistSet, 1);

  ice_checklist_set_init (
      set, &self->context, self->gatherer, controlling, config->max_pairs);
  set->branch = branch;
  set->all = self->sets;
  set->consent = config->consent;
  set->allow_non_ice = config->allow_non_ice;
  set->policy.lite = config->gather.lite;
  set->policy.wants_control = controlling;
  set->controlling = ice_policy_controls (&set->policy);
  set->connect_timeout = config->connect_timeout;
  g_ptr_array_add (self->sets, set);
  return set;
}

/* Life. */

guint
ice_core_fork (IceCore *self)
{
  IceChecklistSet *origin = ice_core_current_set (self);
  IceCoreConfig config = self->config;
  IceChecklistSet *set;

  if (origin == NULL || self->closed || self->sets->len >= ICE_MAX_BRANCHES)
    return 0;
  config.consent = origin->consent;
  config.allow_non_ice = origin->allow_non_ice;
  config.connect_timeout = origin->connect_timeout;
  config.max_pairs = origin->max_pairs;
  /* A conflict with the peer of another branch is not this one's. */
  set = ice_core_add_set (self, ice_context_new_id (&self->context),
      origin->policy.wants_control, &config);
  set->forking = origin->forking = TRUE;
  ice_policy_fork (&set->policy, &origin->policy);
  return set->branch;
}

/* What the gatherer has now, which may be more than the offer told. */
static void
copy_locals (IceCore *self, IceStream *stream)
{
  for (guint i = 0; i < stream->components->len; i++) {
    const IceComponent *component = g_ptr_array_index (stream->components, i);
    g_autoptr (GPtrArray) found = g_ptr_array_new ();

    ice_gatherer_get_candidates (
        self->gatherer, stream->gather, component->number, found);
    for (guint j = 0; j < found->len; j++)
      g_ptr_array_add (
          stream->locals, ice_candidate_ref (g_ptr_array_index (found, j)));
  }
}

guint
ice_core_fork_stream (IceCore *self, guint branch, guint id)
{
  const IceStream *origin = ice_core_find_stream (self, id);
  IceChecklistSet *set = find_set (self, branch);
  IceStream *stream;

  if (origin == NULL || set == NULL || set == origin->set || self->closed)
    return 0;
  stream = ice_stream_new_fork (&self->context, origin);
  copy_locals (self, stream);
  ice_checklist_set_add_stream (set, stream);
  g_ptr_array_add (self->streams, stream);
  return stream->id;
}

void
ice_core_set_forking (IceCore *self, gboolean forking)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set)
    set->forking = forking;
}

void
ice_core_close (IceCore *self, IceTime now)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set == NULL || self->closed)
    return;
  if (self->sets->len > 1) {
    while (set->streams->len > 0) {
      IceStream *stream = g_ptr_array_index (set->streams, 0);

      ice_core_remove_stream (self, stream->id, now);
    }
    g_ptr_array_remove (self->sets, set);
    return;
  }
  for (guint i = 0; i < self->streams->len; i++)
    ice_core_close_components (self, g_ptr_array_index (self->streams, i), now);
  self->closed = TRUE;
  ice_gatherer_close (self->gatherer, now);
}

/* Sharing. */

gboolean
ice_core_is_shared_gather (IceCore *self, const IceStream *stream)
{
  for (guint i = 0; i < self->streams->len; i++) {
    const IceStream *other = g_ptr_array_index (self->streams, i);

    if (other != stream && other->gather == stream->gather)
      return TRUE;
  }
  return FALSE;
}

void
ice_core_release_local (
    IceCore *self, IceStream *stream, IceCandidate *local, IceTime now)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new ();

  if (ice_checklist_set_is_shared_local (stream->set, stream, local))
    return;
  /* Another branch may have restarted, and what we know as ours is the object
   * of a former generation. */
  ice_gatherer_get_candidates (
      self->gatherer, stream->gather, local->component, found);
  for (guint i = 0; i < found->len; i++) {
    IceCandidate *candidate = g_ptr_array_index (found, i);

    if (ice_candidate_is_same (candidate, local)) {
      ice_gatherer_release_candidate (self->gatherer, candidate, now);
      return;
    }
  }
}

GArray *
ice_core_list_transports (IceCore *self, guint gather)
{
  GArray *transports = g_array_new (FALSE, TRUE, sizeof (guint));

  for (guint i = 0; i < self->streams->len; i++) {
    const IceStream *stream = g_ptr_array_index (self->streams, i);

    for (guint j = 0; stream->gather == gather && j < stream->components->len;
         j++) {
      const IceComponent *component = g_ptr_array_index (stream->components, j);
      guint index = component->number - 1;

      if (component->state == ICE_STATE_CLOSED)
        continue;
      if (transports->len <= index)
        g_array_set_size (transports, index + 1);
      if (g_array_index (transports, guint, index) == 0)
        g_array_index (transports, guint, index) = component->id;
    }
  }
  return transports;
}

guint
ice_core_next_generation (IceCore *self, guint gather)
{
  /* The branch with the latest may have left. */
  guint number = ice_gatherer_get_generation (self->gatherer, gather);

  for (guint i = 0; i < self->streams->len; i++) {
    const IceStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->gather == gather)
      number = MAX (number, stream->generation->number);
  }
  return number + 1;
}

/* Whose it is. */

static IceComponent *
open_component (const IceStream *stream, const IceCandidate *local)
{
  IceComponent *component = stream->gather == local->stream
      ? ice_stream_find_component (stream, local->component)
      : NULL;

  return component && component->state != ICE_STATE_CLOSED ? component : NULL;
}

/* The component of a stream that knows the peer; else of the one that has not
 * met its own yet and is no fork; else, as a stranger, of the first that made
 * this offer. */
static IceComponent *
find_asked (IceCore *self, const IceCandidate *local, IceBytes username,
    gboolean *ret_stranger)
{
  IceComponent *taker = NULL, *keeper = NULL;

  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);
    IceComponent *component = open_component (stream, local);
    const IceGeneration *generation;
    IceBytes ufrag;

    if (component == NULL)
      continue;
    generation = ice_stream_find_generation (stream, username, &ufrag);
    if (generation && generation->remote_ufrag)
      return component;
    if (generation && !stream->fork && taker == NULL)
      taker = component;
    if (stream->set->forking && keeper == NULL &&
        ice_stream_is_named (stream, username, &ufrag))
      keeper = component;
  }
  *ret_stranger = taker == NULL && keeper != NULL;
  return taker ? taker : keeper;
}

/* The one that takes media from there, or any. */
static IceComponent *
find_source (IceCore *self, const IceCandidate *local, const IceAddress *from)
{
  IceComponent *first = NULL;

  for (guint i = 0; i < self->streams->len; i++) {
    IceComponent *component =
        open_component (g_ptr_array_index (self->streams, i), local);

    if (component == NULL)
      continue;
    if (ice_component_accepts (component, local, from))
      return component;
    if (first == NULL)
      first = component;
  }
  return first;
}

IceComponent *
ice_core_choose_component (IceCore *self, const IceCandidate *local,
    const IceAddress *from, const IceStunMessage *message,
    gboolean *ret_stranger)
{
  IceComponent *component = NULL;
  IceBytes username;

  if (message && message->klass == ICE_STUN_REQUEST &&
      ice_stun_message_find (message, ICE_STUN_USERNAME, &username))
    component = find_asked (self, local, username, ret_stranger);
  return component ? component : find_source (self, local, from);
}

void
ice_core_get_ufrags (const IceCore *self, guint socket, GPtrArray *ret)
{
  const IceCandidate *host =
      ice_gatherer_host_candidate (self->gatherer, socket);

  for (guint i = 0; host && i < self->streams->len; i++) {
    const IceStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->gather == host->stream)
      g_ptr_array_add (ret, stream->generation->local_ufrag);
  }
}
