/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands: what the application, or the signalling, says. */
#include "core-private.h"

#include <string.h>

#include "../base/crypto.h"

#include "purity.h"

/* What we offer as a=ice-pacing (design 9.4), and RFC 8445 14.2's default for
 * a peer that offers nothing: "Both agents MUST use the higher value". */
#define OUR_PACING 5
#define DEFAULT_PACING 50

/* The session. */

void
ice_core_set_consent (IceCore *self, gboolean consent)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set)
    set->consent = consent;
}

void
ice_core_set_allow_non_ice (IceCore *self, gboolean allow)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set)
    set->allow_non_ice = allow;
}

void
ice_core_set_connect_timeout (IceCore *self, IceTime timeout)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set)
    set->connect_timeout = timeout;
}

void
ice_core_add_server (IceCore *self, const IceServerConfig *server)
{
  if (ice_core_current_set (self) == NULL)
    return;
  if (server->kind == ICE_SERVER_TURN)
    self->has_turn_server = TRUE;
  self->has_new_server = TRUE;
  ice_gatherer_add_server (self->gatherer, server);
}

void
ice_core_remove_servers (IceCore *self)
{
  if (ice_core_current_set (self) == NULL)
    return;
  self->has_turn_server = FALSE;
  ice_gatherer_remove_servers (self->gatherer);
}

/* RFC 8445 14.2: one agent has one Ta, whoever its checks are for. */
static void
set_pacing (IceCore *self, IceChecklistSet *set, guint ms)
{
  IceTime ta = 0;

  set->ta = MAX (OUR_PACING, ms ? ms : DEFAULT_PACING) * ICE_MSEC;
  for (guint i = 0; i < self->sets->len; i++) {
    const IceChecklistSet *other = g_ptr_array_index (self->sets, i);

    ta = MAX (ta, other->ta);
  }
  ice_context_set_ta (&self->context, ta);
}

void
ice_core_set_remote_pacing (IceCore *self, guint ms)
{
  IceChecklistSet *set = ice_core_current_set (self);

  if (set)
    set_pacing (self, set, ms);
}

/* Streams. */

guint
ice_core_add_stream (IceCore *self)
{
  IceChecklistSet *set = ice_core_current_set (self);
  IceStream *stream;

  if (set == NULL)
    return 0;
  stream = ice_stream_new (&self->context);
  ice_checklist_set_add_stream (set, stream);
  g_ptr_array_add (self->streams, stream);
  return stream->id;
}

static void
close_component (IceCore *self, IceComponent *component, IceTime now)
{
  ice_checklist_conclude (component->stream->set, component, NULL);
  ice_core_stop_component (self, component);
  ice_component_unaccept (component, &self->context, self->gatherer, G_MAXUINT);
  component->unaccept_at = 0;
  g_queue_clear_full (&component->early, (GDestroyNotify) ice_early_check_free);
  ice_core_set_state (self, component, ICE_STATE_CLOSED, ICE_CAUSE_NONE, now);
}

void
ice_core_close_components (IceCore *self, IceStream *stream, IceTime now)
{
  for (guint i = 0; i < stream->components->len; i++)
    close_component (self, g_ptr_array_index (stream->components, i), now);
}

void
ice_core_remove_stream (IceCore *self, guint id, IceTime now)
{
  IceStream *stream = ice_core_find_stream (self, id);

  if (stream == NULL)
    return;
  ice_core_close_components (self, stream, now);
  if (ice_core_is_shared_gather (self, stream)) {
    while (stream->locals->len > 0) {
      ice_core_release_local (
          self, stream, g_ptr_array_index (stream->locals, 0), now);
      g_ptr_array_remove_index (stream->locals, 0);
    }
  } else {
    ice_gatherer_remove_stream (self->gatherer, stream->gather, now);
  }
  g_ptr_array_remove (self->streams, stream);
  g_ptr_array_remove (stream->set->streams, stream);
  if (!self->closed)
    ice_core_settle (self, now);
}

guint
ice_core_add_component (IceCore *self, guint id, guint number)
{
  IceStream *stream = ice_core_find_stream (self, id);
  IceComponent *component;

  if (stream == NULL)
    return 0;
  component = ice_stream_find_component (stream, number);
  /* One that was removed is of no use any more, and its id is not reused. */
  if (component && component->state == ICE_STATE_CLOSED) {
    ice_stream_remove_component (stream, component);
    component = NULL;
  }
  if (component == NULL) {
    component = ice_stream_add_component (stream, &self->context, number);
    /* It wants candidates too: the next gather is not the last one again. */
    stream->gathering = stream->local_done = stream->local_ended = FALSE;
    stream->gather_ended = FALSE;
  }
  return component->id;
}

void
ice_core_remove_component (IceCore *self, guint id, guint number, IceTime now)
{
  IceStream *stream = ice_core_find_stream (self, id);
  IceComponent *component =
      stream ? ice_stream_find_component (stream, number) : NULL;

  if (component == NULL || component->state == ICE_STATE_CLOSED)
    return;
  close_component (self, component, now);
  for (guint i = stream->locals->len; i-- > 0;) {
    IceCandidate *local = g_ptr_array_index (stream->locals, i);

    if (local->component != number)
      continue;
    ice_core_release_local (self, stream, local, now);
    g_ptr_array_remove_index (stream->locals, i);
  }
  ice_core_settle (self, now);
}

/* Credentials. */

gboolean
ice_core_set_local_credentials (
    IceCore *self, guint id, const gchar *ufrag, const gchar *pwd)
{
  IceStream *stream = ice_core_find_stream (self, id);
  IceGeneration *old;

  /* RFC 8445 9: what checks are under way with only a restart changes. A
   * component that was added has not been gathered, but others have. */
  if (stream == NULL ||
      (stream->started_at && (stream->gathering || stream->locals->len > 0)) ||
      !ice_is_valid_ufrag (ufrag) || !ice_is_valid_pwd (pwd))
    return FALSE;
  old = stream->generation;
  stream->generation =
      ice_generation_new (old->number, g_strdup (ufrag), g_strdup (pwd));
  if (old->remote_ufrag)
    ice_generation_set_remote (
        stream->generation, old->remote_ufrag, old->remote_pwd);
  ice_generation_unref (old);
  return TRUE;
}

/* RFC 8838 11: a candidate says which generation it belongs to, or nothing. */
static gboolean
is_of_generation (const IceStream *stream, const IceCandidate *candidate)
{
  const gchar *ufrag = stream->generation->remote_ufrag;

  return candidate->ufrag == NULL || ufrag == NULL ||
      strcmp (candidate->ufrag, ufrag) == 0;
}

static void
activate (IceCore *self, IceStream *stream, IceTime now)
{
  if (stream->set->ta == 0)
    set_pacing (self, stream->set, 0);
  stream->started_at = now;
  if (g_strcmp0 (stream->ended_ufrag, stream->generation->remote_ufrag) == 0)
    ice_core_end_remote (stream);
  for (guint i = stream->remotes->len; i-- > 0;) {
    if (!is_of_generation (stream, g_ptr_array_index (stream->remotes, i)))
      g_ptr_array_remove_index (stream->remotes, i);
  }
  ice_checklist_activate (stream->set, stream, now);
  for (guint i = 0; i < stream->components->len; i++)
    ice_responder_replay (
        stream->set, g_ptr_array_index (stream->components, i), now);
}

gboolean
ice_core_set_remote_credentials (
    IceCore *self, guint id, const gchar *ufrag, const gchar *pwd, IceTime now)
{
  IceStream *stream = ice_core_find_stream (self, id);
  gboolean same_ufrag, same_pwd;

  if (stream == NULL || self->closed || !ice_is_valid_ufrag (ufrag) ||
      !ice_is_valid_pwd (pwd))
    return FALSE;
  if (stream->generation->remote_ufrag) {
    same_ufrag = strcmp (stream->generation->remote_ufrag, ufrag) == 0;
    same_pwd = ice_secret_equal (ICE_BYTES (pwd, strlen (pwd)),
        ICE_BYTES (stream->generation->remote_pwd,
            strlen (stream->generation->remote_pwd)));
    if (same_ufrag && same_pwd)
      return TRUE;
    /* RFC 8445 9: a restart changes both. */
    if (same_ufrag || same_pwd)
      return FALSE;
    ice_core_restart (self, id, now);
  }
  ice_generation_set_remote (stream->generation, ufrag, pwd);
  activate (self, stream, now);
  ice_core_settle (self, now);
  return TRUE;
}

const gchar *
ice_core_get_local_ufrag (const IceCore *self, guint id)
{
  IceStream *stream = ice_core_find_stream (self, id);

  return stream ? stream->generation->local_ufrag : NULL;
}

const gchar *
ice_core_get_local_pwd (const IceCore *self, guint id)
{
  IceStream *stream = ice_core_find_stream (self, id);

  return stream ? stream->generation->local_pwd : NULL;
}

const gchar *
ice_core_get_remote_ufrag (const IceCore *self, guint id)
{
  IceStream *stream = ice_core_find_stream (self, id);

  return stream ? stream->generation->remote_ufrag : NULL;
}

/* Candidates. */

void
ice_core_gather (IceCore *self, guint id, IceTime now)
{
  IceStream *stream = ice_core_find_stream (self, id);
  g_autoptr (GArray) transports = NULL;

  if (stream == NULL || self->closed || stream->gathering)
    return;
  stream->gathering = TRUE;
  stream->gather_started_at = now;
  g_clear_pointer (&self->socket_error, g_free);
  transports = ice_core_list_transports (self, stream->gather);
  ice_gatherer_gather (self->gatherer, stream->gather,
      (const guint *) transports->data, transports->len,
      stream->generation->number, now);
  ice_core_settle (self, now);
}

IceVerdict
ice_core_take_remote (
    IceCore *self, IceStream *stream, IceCandidate *candidate, IceTime now)
{
  IceVerdict verdict;

  if (!is_of_generation (stream, candidate))
    return ICE_VERDICT_UNEXPECTED;
  verdict = ice_checklist_add_remote (stream->set, stream, candidate, now);
  if (verdict == ICE_VERDICT_OK)
    ice_core_translate_remote (self, stream, candidate, now);
  return verdict;
}

IceVerdict
ice_core_add_remote_candidate (
    IceCore *self, guint id, const IceCandidate *candidate, IceTime now)
{
  IceStream *stream = ice_core_find_stream (self, id);
  g_autoptr (IceCandidate) copy = NULL;
  IceVerdict verdict;

  if (stream == NULL || self->closed || stream->remote_ended ||
      stream->remote_ending || !is_of_generation (stream, candidate)) {
    verdict = ICE_VERDICT_UNEXPECTED;
  } else {
    copy = ice_candidate_copy (candidate);
    copy->id = ice_context_new_id (&self->context);
    copy->stream = id;
    if (copy->host_name && copy->address.family == ICE_FAMILY_NONE)
      verdict = ice_core_take_named (self, stream, copy, now);
    else
      verdict = ice_core_take_remote (self, stream, copy, now);
    ice_core_settle (self, now);
  }
  self->counters.verdicts[verdict]++;
  return verdict;
}

void
ice_core_end_remote_candidates (IceCore *self, guint id, IceTime now)
{
  ice_core_end_remote_generation (self, id, NULL, now);
}

void
ice_core_end_remote_generation (
    IceCore *self, guint id, const gchar *ufrag, IceTime now)
{
  IceStream *stream = ice_core_find_stream (self, id);
  const gchar *known = stream ? stream->generation->remote_ufrag : NULL;

  if (stream == NULL || self->closed)
    return;
  if (known == NULL && ufrag) {
    g_free (stream->ended_ufrag);
    stream->ended_ufrag = g_strdup (ufrag);
  } else if (known ? !ufrag || strcmp (known, ufrag) == 0
                   : stream->generation->number == 1) {
    ice_core_end_remote (stream);
    ice_core_settle (self, now);
  }
}

/* A peer without ICE (RFC 3264, design 9.7): nothing is checked, nothing
 * consents; the caller allowed it. */
void
ice_core_try_default (IceCore *self, IceComponent *component, IceTime now)
{
  IceStream *stream = component->stream;
  g_autoptr (IceCandidate) remote = NULL;
  IceCandidate *local = NULL;
  IcePair *pair;

  if (component->default_remote.family == ICE_FAMILY_NONE ||
      component->selected || component->state == ICE_STATE_CLOSED)
    return;
  for (guint i = 0; i < stream->locals->len && local == NULL; i++) {
    IceCandidate *candidate = g_ptr_array_index (stream->locals, i);

    if (candidate->component == component->number &&
        candidate->protocol == ICE_PROTOCOL_UDP &&
        candidate->address.family == component->default_remote.family &&
        (candidate->kind == ICE_CANDIDATE_HOST ||
            candidate->kind == ICE_CANDIDATE_RELAYED))
      local = candidate;
  }
  if (local == NULL ||
      ice_checklist_set_is_taken (
          stream->set, local, &component->default_remote))
    return;
  remote = ice_candidate_new (ICE_CANDIDATE_HOST, component->number);
  remote->id = ice_context_new_id (&self->context);
  remote->stream = stream->id;
  remote->address = remote->base = component->default_remote;
  pair = ice_pair_new (ice_context_new_id (&self->context), component,
      stream->generation, local, remote);
  pair->without_ice = TRUE;
  pair->state = ICE_PAIR_SUCCEEDED;
  pair->nomination = ICE_NOMINATION_DONE;
  ice_gatherer_permit (self->gatherer, local, &remote->address, now);
  ice_gatherer_bind_channel (self->gatherer, local, &remote->address, now);
  component->selected = pair;
  component->selected_changes++;
  ice_component_accept (component, &self->context, self->gatherer, local,
      &remote->address, stream->generation->number, FALSE);
}

IceVerdict
ice_core_set_remote_default (
    IceCore *self, guint transport, const IceAddress *address, IceTime now)
{
  IceComponent *component = ice_core_find_component (self, transport);

  if (component == NULL || self->closed)
    return ICE_VERDICT_UNEXPECTED;
  if (!component->stream->set->allow_non_ice ||
      !ice_address_is_usable (address))
    return ICE_VERDICT_REFUSED;
  component->default_remote = *address;
  if (component->selected && component->selected->without_ice)
    ice_core_stop_component (self, component);
  ice_core_try_default (self, component, now);
  ice_core_settle (self, now);
  return ICE_VERDICT_OK;
}

/* Restart, choice, end. */

/* @ufrag (nullable), @pwd: made at random when NULL. */
static void
restart_stream (IceCore *self, IceStream *stream, const gchar *ufrag,
    const gchar *pwd, IceTime now)
{
  gboolean gathering = stream->gathering;

  for (guint i = 0; i < stream->components->len; i++) {
    IceComponent *component = g_ptr_array_index (stream->components, i);

    ice_checklist_conclude (stream->set, component, NULL);
    if (component->state == ICE_STATE_FAILED)
      ice_core_set_state (self, component, ICE_STATE_NEW, ICE_CAUSE_NONE, now);
  }
  ice_stream_restart (
      stream, &self->context, ice_core_next_generation (self, stream->gather));
  if (ufrag)
    ice_core_set_local_credentials (self, stream->id, ufrag, pwd);
  stream->set->n_unproven = 0;
  if (gathering)
    ice_core_gather (self, stream->id, now);
}

void
ice_core_restart (IceCore *self, guint id, IceTime now)
{
  if (self->closed)
    return;
  ice_core_apply_gather_config (self);
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    if (id ? stream->id == id : stream->set == ice_core_current_set (self))
      restart_stream (self, stream, NULL, NULL, now);
  }
  ice_core_settle (self, now);
}

void
ice_core_restart_with (
    IceCore *self, guint id, const gchar *ufrag, const gchar *pwd, IceTime now)
{
  IceStream *stream = ice_core_find_stream (self, id);

  if (self->closed || stream == NULL)
    return;
  ice_core_apply_gather_config (self);
  restart_stream (self, stream, ufrag, pwd, now);
  ice_core_settle (self, now);
}

static IcePair *
find_or_form_pair (IceCore *self, IceComponent *component,
    const IceAddress *local, const IceAddress *remote, IceTime now)
{
  IceStream *stream = component->stream;
  IceCandidate *far =
      ice_checklist_find_remote (stream, component->number, remote);

  for (guint i = 0; i < stream->pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (stream->pairs, i);

    if (pair->component == component &&
        ice_address_equal (&pair->remote->address, remote) &&
        (ice_address_equal (&pair->local->address, local) ||
            (pair->mapped &&
                ice_address_equal (&pair->mapped->address, local))))
      return pair;
  }
  for (guint i = 0; far && i < stream->locals->len; i++) {
    IceCandidate *near = g_ptr_array_index (stream->locals, i);

    if (near->component == component->number &&
        ice_address_equal (&near->address, local) &&
        (near->kind == ICE_CANDIDATE_HOST ||
            near->kind == ICE_CANDIDATE_RELAYED))
      return ice_checklist_add_pair (stream->set, component, near, far, now);
  }
  return NULL;
}

IceVerdict
ice_core_set_selected_pair (IceCore *self, guint transport,
    const IceAddress *local, const IceAddress *remote, IceTime now)
{
  IceComponent *component = ice_core_find_component (self, transport);
  IcePair *pair;

  if (component == NULL || self->closed ||
      !ice_stream_is_active (component->stream))
    return ICE_VERDICT_UNEXPECTED;
  /* A lite agent makes no check, and what failed needs a restart. */
  if (component->stream->set->policy.lite ||
      component->state == ICE_STATE_FAILED ||
      component->state == ICE_STATE_CLOSED)
    return ICE_VERDICT_REFUSED;
  pair = find_or_form_pair (self, component, local, remote, now);
  if (pair == NULL)
    return ICE_VERDICT_REFUSED;
  if (pair->nomination == ICE_NOMINATION_DONE && pair == component->selected)
    return ICE_VERDICT_OK;
  component->concluded = component->pinned = TRUE;
  ice_checklist_conclude (component->stream->set, component, pair);
  /* Checked once more: the controlling side nominates by it, the other makes
   * sure that it works. */
  ice_nominator_begin (component->stream->set, pair, now);
  ice_core_settle (self, now);
  return ICE_VERDICT_OK;
}

/* Answers to outputs. */

void
ice_core_socket_opened (
    IceCore *self, guint socket, const IceAddress *bound, IceTime now)
{
  if (self->closed)
    return;
  if (!ice_core_connection_opened (self, socket, bound, now))
    ice_gatherer_socket_opened (self->gatherer, socket, bound, now);
  ice_core_settle (self, now);
}

void
ice_core_socket_failed (
    IceCore *self, guint socket, const gchar *reason, IceTime now)
{
  if (self->closed)
    return;
  if (!ice_core_connection_lost (self, socket, reason, now) &&
      ice_gatherer_socket_failed (self->gatherer, socket, reason, now)) {
    g_free (self->socket_error);
    self->socket_error = g_strdup (reason);
  }
  ice_core_settle (self, now);
}

void
ice_core_port_mapped (
    IceCore *self, guint socket, const IceAddress *external, IceTime now)
{
  if (self->closed)
    return;
  ice_gatherer_port_mapped (self->gatherer, socket, external, now);
  ice_core_settle (self, now);
}

void
ice_core_resolve_failed (
    IceCore *self, guint request, const gchar *reason, IceTime now)
{
  if (self->closed)
    return;
  if (!ice_core_name_resolved (self, request, NULL, 0, now))
    ice_gatherer_resolve_failed (self->gatherer, request, reason, now);
  ice_core_translate_all_remotes (self, now);
  ice_core_settle (self, now);
}

void
ice_core_resolved (IceCore *self, guint request, const IceAddress *addresses,
    guint n_addresses, IceTime now)
{
  if (self->closed)
    return;
  if (!ice_core_name_resolved (self, request, addresses, n_addresses, now))
    ice_gatherer_resolved (
        self->gatherer, request, addresses, n_addresses, now);
  ice_core_translate_all_remotes (self, now);
  ice_core_settle (self, now);
}
