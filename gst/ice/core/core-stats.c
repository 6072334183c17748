/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions: states, statistics, candidates. */
#include "core-private.h"

#include "purity.h"

void
ice_core_get_gathering (IceCore *self, guint id, gboolean *ret_started,
    gboolean *ret_done, gboolean *ret_ended)
{
  const IceStream *stream = ice_core_find_stream (self, id);

  *ret_started = stream && stream->gathering;
  *ret_done = stream && stream->local_done;
  *ret_ended = stream && stream->local_ended;
}

IceState
ice_core_get_state (const IceCore *self, guint transport)
{
  IceComponent *component = ice_core_find_component (self, transport);

  return component ? component->state : ICE_STATE_CLOSED;
}

static gboolean
add_pair_stats (IceChecklistSet *set, IcePair *pair, gpointer user)
{
  const IceCandidate *local = pair->mapped ? pair->mapped : pair->local;
  IcePairStats stats = {
    .id = pair->id,
    .transport = pair->component->id,
    .local = local->id,
    .remote = pair->remote->id,
    .state = ice_pair_state_to_string (pair->state),
    .nominated = pair->nomination == ICE_NOMINATION_DONE,
    .selected = pair->component->selected == pair,
    .priority = pair->valid_priority,
    .rtt = pair->rtt,
    .total_rtt = pair->total_rtt,
    .requests_sent = pair->requests_sent,
    .requests_received = pair->requests_received,
    .responses_sent = pair->responses_sent,
    .responses_received = pair->responses_received,
    .retransmissions_sent = pair->retransmissions_sent,
    .consent_requests_sent = pair->consent_requests_sent,
  };

  g_array_append_val ((GArray *) user, stats);
  return FALSE;
}

void
ice_core_get_pair_stats (IceCore *self, GArray *ret)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set)
    ice_checklist_set_find_pair (set, add_pair_stats, ret);
}

void
ice_core_get_transport_stats (IceCore *self, GArray *ret)
{
  IceChecklistSet *set = ice_core_current_set (self);

  for (guint i = 0; set && i < set->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (set->streams, i);

    for (guint j = 0; j < stream->components->len; j++) {
      IceComponent *component = g_ptr_array_index (stream->components, j);
      IceTransportStats stats = {
        .transport = component->id,
        .stream = stream->id,
        .component = component->number,
        .state = component->state,
        .selected_pair = component->selected ? component->selected->id : 0,
        .selected_pair_changes = component->selected_changes,
        .channel = component->route.channel,
        .gather_started = stream->gather_started_at,
        .first_check = component->first_check_at,
        .connected = component->connected_at,
      };

      g_array_append_val (ret, stats);
    }
  }
}

void
ice_core_get_server_stats (IceCore *self, GArray *ret)
{
  ice_gatherer_get_server_stats (self->gatherer, ret);
}

void
ice_core_get_counters (IceCore *self, IceCoreCounters *ret)
{
  *ret = self->counters;
}

static GPtrArray *
copy_candidates (GPtrArray *candidates)
{
  GPtrArray *copy =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_candidate_unref);

  for (guint i = 0; candidates && i < candidates->len; i++)
    g_ptr_array_add (
        copy, ice_candidate_ref (g_ptr_array_index (candidates, i)));
  return copy;
}

GPtrArray *
ice_core_get_local_candidates (IceCore *self, guint id)
{
  IceStream *stream = ice_core_find_stream (self, id);

  return copy_candidates (stream ? stream->locals : NULL);
}

GPtrArray *
ice_core_get_remote_candidates (IceCore *self, guint id)
{
  IceStream *stream = ice_core_find_stream (self, id);
  GPtrArray *told =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_candidate_unref);

  for (guint i = 0; stream && i < stream->remotes->len; i++)
    g_ptr_array_add (told,
        ice_stream_tell_remote (
            stream, g_ptr_array_index (stream->remotes, i)));
  return told;
}
