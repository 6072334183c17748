/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the gatherer found or lost. */
#include "core-private.h"

#include "purity.h"

static gboolean
knows (const IceStream *stream, const IceCandidate *candidate)
{
  for (guint i = 0; i < stream->locals->len; i++)
    if (ice_candidate_is_same (
            g_ptr_array_index (stream->locals, i), candidate))
      return TRUE;
  return FALSE;
}

static void
tell_local (IceCore *self, IceStream *stream, const IceCandidate *candidate)
{
  IceCandidate *copy = ice_candidate_copy (candidate);
  IceOutput *output;

  g_free (copy->ufrag);
  copy->ufrag = g_strdup (stream->generation->local_ufrag);
  output = ice_outputs_add (self->context.out, ICE_OUTPUT_LOCAL_CANDIDATE);
  output->candidate.stream = stream->id;
  output->candidate.candidate = copy;
}

/* RFC 8838 13: nothing is told after the end. What takes a lost relay's place
 * (gatherer-successor.c) is used all the same. */
static void
add_local (
    IceCore *self, IceStream *stream, IceCandidate *candidate, IceTime now)
{
  /* A branch that restarts has everything told anew; the others know it, and
   * those that said that no more would come stick to it. */
  if (ice_core_is_shared_gather (self, stream) &&
      (stream->local_ended || knows (stream, candidate)))
    return;
  if (!stream->local_ended || ice_policy_is_continual (&stream->set->policy))
    tell_local (self, stream, candidate);
  ice_checklist_add_local (stream->set, stream, candidate, now);
  stream->released = FALSE; /* a server that answers late: once more */
  for (guint i = 0; i < stream->components->len; i++)
    ice_core_try_default (self, g_ptr_array_index (stream->components, i), now);
}

static void
say (IceCore *self, IceOutputType type, IceStream *stream)
{
  ice_outputs_add (self->context.out, type)->stream.stream = stream->id;
}

static void
gathered (IceCore *self, IceStream *stream, IceTime now)
{
  IceOutput *output;
  IceCause cause;

  if (stream->local_done)
    return;
  stream->local_done = TRUE;
  say (self, ICE_OUTPUT_GATHERED, stream);
  if (stream->locals->len > 0 || stream->hinted)
    return;
  stream->hinted = TRUE;
  output = ice_outputs_add (self->context.out, ICE_OUTPUT_ERROR);
  output->error.stream = stream->id;
  output->error.text = ice_core_explain (self, stream, now, &cause);
  output->error.cause = cause;
}

static void
channel_changed (IceCore *self, IceStream *stream, const IceGatherEvent *event)
{
  IceComponent *component =
      ice_stream_find_component (stream, event->candidate->component);

  if (component)
    ice_component_set_channel (component, &self->context, self->gatherer,
        event->candidate, &event->peer,
        event->type == ICE_GATHER_CHANNEL_BOUND ? event->channel : 0);
}

static void
lose_candidate (IceCore *self, IceStream *stream, IceCandidate *candidate)
{
  ice_log (&self->context, ICE_LOG_INFO, ICE_LOG_CHECK,
      "a %s candidate is gone", ice_candidate_kind_to_string (candidate->kind));
  ice_checklist_fail_local (stream->set, stream, candidate, NULL);
  for (guint i = 0; i < stream->components->len; i++) {
    IceComponent *component = g_ptr_array_index (stream->components, i);

    ice_renominator_lost (component);
    ice_component_unaccept_local (
        component, &self->context, self->gatherer, candidate);
    /* The pair of a former generation is on no checklist. */
    if (component->selected &&
        ice_pair_same_local (component->selected->local, candidate) &&
        component->selected->generation != stream->generation)
      ice_core_stop_component (self, component);
  }
  for (guint i = stream->locals->len; i-- > 0;) {
    IceCandidate *local = g_ptr_array_index (stream->locals, i);

    if (ice_candidate_is_same (local, candidate))
      g_ptr_array_remove_index (stream->locals, i);
  }
}

void
ice_core_end_candidates (IceCore *self, IceStream *stream)
{
  ice_gatherer_allow_successors (self->gatherer, stream->gather,
      ice_policy_renominates (&stream->set->policy) &&
          !stream->set->policy.lite);
  if (!stream->gather_ended || stream->local_ended ||
      ice_policy_may_be_continual (&stream->set->policy))
    return;
  stream->local_ended = TRUE;
  say (self, ICE_OUTPUT_END_OF_CANDIDATES, stream);
}

static void
follow (IceCandidate *local, const IceCandidate *moved)
{
  if (local->kind == ICE_CANDIDATE_RELAYED &&
      ice_address_equal (&local->base, &moved->base))
    local->socket = moved->socket;
}

/* RFC 8016: the same relayed address by another socket. Candidates of former
 * generations mean the same; routes follow by themselves. */
static void
move_candidate (IceCore *self, IceStream *stream, const IceGatherEvent *event)
{
  const IceCandidate *moved = event->candidate;

  for (guint i = 0; i < stream->components->len; i++) {
    IceComponent *component = g_ptr_array_index (stream->components, i);

    ice_component_move_local (
        component, &self->context, self->gatherer, moved, event->former_socket);
    if (component->selected)
      follow (component->selected->local, moved);
  }
  for (guint i = 0; i < stream->locals->len; i++)
    follow (g_ptr_array_index (stream->locals, i), moved);
  for (guint i = 0; i < stream->pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (stream->pairs, i);

    follow (pair->local, moved);
  }
}

static void
handle_event (
    IceCore *self, IceStream *stream, const IceGatherEvent *event, IceTime now)
{
  switch (event->type) {
    case ICE_GATHER_CANDIDATE:
      add_local (self, stream, event->candidate, now);
      break;
    case ICE_GATHER_DONE:
      gathered (self, stream, now);
      break;
    case ICE_GATHER_END:
      stream->gather_ended = TRUE;
      ice_core_end_candidates (self, stream);
      break;
    case ICE_GATHER_CANDIDATE_LOST:
      lose_candidate (self, stream, event->candidate);
      /* The server may be back in a moment, and the peer wants to know. */
      if (ice_policy_is_continual (&stream->set->policy))
        ice_gatherer_reopen (self->gatherer, stream->gather, now);
      break;
    case ICE_GATHER_CANDIDATE_MOVED:
      move_candidate (self, stream, event);
      break;
    case ICE_GATHER_CHANNEL_BOUND:
    case ICE_GATHER_CHANNEL_LOST:
      channel_changed (self, stream, event);
      break;
    case ICE_GATHER_PERMISSION_REFUSED:
      ice_checklist_fail_local (
          stream->set, stream, event->candidate, &event->peer);
      break;
    case ICE_GATHER_PEER_UNREACHABLE:
      self->counters.unreachable++;
      if (ice_icmp_error_is_hard (&event->icmp, event->peer.family))
        ice_checker_peer_unreachable (
            stream->set, stream, event->candidate, &event->peer);
      break;
  }
}

void
ice_core_drain_events (IceCore *self, IceTime now)
{
  IceGatherEvent event;

  while (ice_gatherer_next_event (self->gatherer, &event)) {
    for (guint i = 0; i < self->streams->len; i++) {
      IceStream *stream = g_ptr_array_index (self->streams, i);

      if (stream->gather == event.stream)
        handle_event (self, stream, &event, now);
    }
    g_clear_pointer (&event.candidate, ice_candidate_unref);
  }
}
