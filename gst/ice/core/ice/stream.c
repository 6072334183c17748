/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams, their components, and what belongs to one ICE generation. */
#include "stream.h"

#include "../../base/bytes.h"
#include "../../base/crypto.h"

#include <string.h>

#include "../purity.h"

/* RFC 8445 5.3 wants 24 bits of randomness in the ufrag and 128 in the
 * password; an ice-char is six bits. */
#define UFRAG_LENGTH 8
#define PWD_LENGTH 24

/* A peer that never answers may still knock: the queue is short. */
#define MAX_EARLY 32
/* Sources one component takes media from. The pairs bound it in a sane
 * session; this bounds it in others. */
#define MAX_ACCEPTS 64

IceGeneration *
ice_generation_new (guint number, gchar *ufrag, gchar *pwd)
{
  IceGeneration *self = g_new0 (IceGeneration, 1);

  self->ref_count = 1;
  self->number = number;
  self->local_ufrag = ufrag;
  self->local_pwd = pwd;
  self->local_key = ice_stun_key_new_short_term (pwd);
  return self;
}

IceGeneration *
ice_generation_ref (IceGeneration *self)
{
  self->ref_count++;
  return self;
}

void
ice_generation_unref (IceGeneration *self)
{
  if (--self->ref_count > 0)
    return;
  g_free (self->local_ufrag);
  ice_secret_free (self->local_pwd);
  g_free (self->remote_ufrag);
  ice_secret_free (self->remote_pwd);
  g_free (self->username);
  ice_stun_key_free (self->local_key);
  g_clear_pointer (&self->remote_key, ice_stun_key_free);
  g_free (self);
}

void
ice_generation_set_remote (
    IceGeneration *self, const gchar *ufrag, const gchar *pwd)
{
  g_free (self->remote_ufrag);
  ice_secret_free (self->remote_pwd);
  g_free (self->username);
  g_clear_pointer (&self->remote_key, ice_stun_key_free);
  self->remote_ufrag = g_strdup (ufrag);
  self->remote_pwd = g_strdup (pwd);
  /* RFC 8445 7.2.2: theirs first. */
  self->username = g_strdup_printf ("%s:%s", ufrag, self->local_ufrag);
  self->remote_key = ice_stun_key_new_short_term (pwd);
}

static void
accept_clear (IceAccept *accept)
{
  ice_candidate_unref (accept->local);
}

void
ice_early_check_free (IceEarlyCheck *self)
{
  ice_candidate_unref (self->local);
  g_free (self->ufrag);
  g_free (self);
}

static void
component_free (IceComponent *self)
{
  g_clear_pointer (&self->selected, ice_pair_unref);
  g_array_unref (self->accepts);
  g_queue_clear_full (&self->early, (GDestroyNotify) ice_early_check_free);
  g_array_unref (self->nominations);
  g_free (self);
}

/* (transfer full) @generation */
static IceStream *
new_stream (IceContext *context, IceGeneration *generation)
{
  IceStream *self = g_new0 (IceStream, 1);

  self->id = self->gather = ice_context_new_id (context);
  self->components =
      g_ptr_array_new_with_free_func ((GDestroyNotify) component_free);
  self->generation = generation;
  self->locals =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_candidate_unref);
  self->remotes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_candidate_unref);
  self->named = g_ptr_array_new_with_free_func (
      (GDestroyNotify) ice_named_candidate_free);
  self->pairs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_pair_unref);
  g_queue_init (&self->triggered);
  return self;
}

static IceGeneration *
new_generation (IceContext *context, guint number)
{
  return ice_generation_new (number,
      ice_context_random_ice_chars (context, UFRAG_LENGTH),
      ice_context_random_ice_chars (context, PWD_LENGTH));
}

IceStream *
ice_stream_new (IceContext *context)
{
  return new_stream (context, new_generation (context, 1));
}

IceStream *
ice_stream_new_fork (IceContext *context, const IceStream *origin)
{
  const IceGeneration *shared = origin->generation;
  IceStream *self = new_stream (context,
      ice_generation_new (shared->number, g_strdup (shared->local_ufrag),
          g_strdup (shared->local_pwd)));

  self->gather = origin->gather;
  self->fork = TRUE;
  self->gathering = origin->gathering;
  self->local_done = origin->local_done;
  self->local_ended = origin->local_ended;
  self->gather_ended = origin->gather_ended;
  self->gather_started_at = origin->gather_started_at;
  for (guint i = 0; i < origin->components->len; i++) {
    const IceComponent *component = g_ptr_array_index (origin->components, i);

    if (component->state != ICE_STATE_CLOSED)
      ice_stream_add_component (self, context, component->number);
  }
  return self;
}

void
ice_stream_free (IceStream *self)
{
  g_free (self->ended_ufrag);
  g_queue_clear (&self->triggered);
  g_ptr_array_unref (self->pairs);
  g_ptr_array_unref (self->components);
  g_ptr_array_unref (self->locals);
  g_ptr_array_unref (self->remotes);
  g_ptr_array_unref (self->named);
  ice_generation_unref (self->generation);
  g_free (self);
}

IceComponent *
ice_stream_find_component (const IceStream *self, guint number)
{
  for (guint i = 0; i < self->components->len; i++) {
    IceComponent *component = g_ptr_array_index (self->components, i);

    if (component->number == number)
      return component;
  }
  return NULL;
}

static gint
compare_numbers (gconstpointer a, gconstpointer b)
{
  const IceComponent *x = *(IceComponent *const *) a;
  const IceComponent *y = *(IceComponent *const *) b;

  return x->number < y->number ? -1 : x->number > y->number;
}

IceComponent *
ice_stream_add_component (IceStream *self, IceContext *context, guint number)
{
  IceComponent *component = g_new0 (IceComponent, 1);

  component->id = ice_context_new_id (context);
  component->number = number;
  component->stream = self;
  component->accepts = g_array_new (FALSE, FALSE, sizeof (IceAccept));
  g_array_set_clear_func (component->accepts, (GDestroyNotify) accept_clear);
  g_queue_init (&component->early);
  component->nominations =
      g_array_new (FALSE, FALSE, sizeof (IceSeenNomination));
  g_ptr_array_add (self->components, component);
  g_ptr_array_sort (self->components, compare_numbers);
  return component;
}

void
ice_stream_remove_component (IceStream *self, IceComponent *component)
{
  g_ptr_array_remove (self->components, component);
}

void
ice_stream_restart (IceStream *self, IceContext *context, guint number)
{
  ice_generation_unref (self->generation);
  self->generation = new_generation (context, number);
  g_ptr_array_set_size (self->locals, 0);
  g_ptr_array_set_size (self->remotes, 0);
  g_ptr_array_set_size (self->named, 0);
  self->n_names = 0;
  self->peer_hides = self->remote_ending = FALSE;
  for (guint i = 0; i < self->components->len; i++) {
    IceComponent *component = g_ptr_array_index (self->components, i);

    g_queue_clear_full (
        &component->early, (GDestroyNotify) ice_early_check_free);
    g_array_set_size (component->nominations, 0);
    component->concluded = FALSE;
    component->nomination_value = component->n_nominations = 0;
    component->moved_at = component->lost_at = 0;
    component->pinned = FALSE;
  }
  g_clear_pointer (&self->ended_ufrag, g_free);
  self->gathering = self->local_done = self->local_ended = FALSE;
  self->gather_ended = FALSE;
  self->remote_ended = self->hinted = self->failed = self->released = FALSE;
  self->started_at = self->completed_at = 0;
  self->fork = FALSE;
  self->n_unauthorized = self->n_requests = 0;
}

gboolean
ice_stream_is_active (const IceStream *self)
{
  return self->started_at != 0;
}

/* RFC 8839 5.4: ice-ufrag = ufrag, 4*256ice-char. */
#define MAX_UFRAG 256

/* "ours:theirs" (RFC 8445 7.3), @theirs whatever it is. */
static gboolean
is_ours (
    const IceGeneration *generation, IceBytes username, IceBytes *ret_ufrag)
{
  gsize size = strlen (generation->local_ufrag);

  if (username.size < size + 2 || username.size > size + 1 + MAX_UFRAG ||
      memcmp (username.data, generation->local_ufrag, size) != 0 ||
      username.data[size] != ':')
    return FALSE;
  *ret_ufrag = ICE_BYTES (username.data + size + 1, username.size - size - 1);
  return TRUE;
}

/* Whole: ours decides, and theirs too once we know it. */
static gboolean
username_matches (
    const IceGeneration *generation, IceBytes username, IceBytes *ret_ufrag)
{
  const gchar *theirs = generation->remote_ufrag;

  return is_ours (generation, username, ret_ufrag) &&
      (theirs == NULL ||
          ice_bytes_equal (*ret_ufrag, ICE_BYTES (theirs, strlen (theirs))));
}

gboolean
ice_stream_is_named (
    const IceStream *self, IceBytes username, IceBytes *ret_ufrag)
{
  return is_ours (self->generation, username, ret_ufrag);
}

IceGeneration *
ice_stream_find_generation (
    IceStream *self, IceBytes username, IceBytes *ret_ufrag)
{
  if (username_matches (self->generation, username, ret_ufrag))
    return self->generation;
  for (guint i = 0; i < self->components->len; i++) {
    IceComponent *component = g_ptr_array_index (self->components, i);

    if (component->selected &&
        username_matches (component->selected->generation, username, ret_ufrag))
      return component->selected->generation;
  }
  return NULL;
}

static void
announce (IceComponent *self, IceContext *context, IceGatherer *gatherer,
    IceAccept *accept, gboolean add)
{
  const IceAddress *server =
      ice_gatherer_relay_server (gatherer, accept->local);
  IceOutput *output;

  if (add && accept->local->kind == ICE_CANDIDATE_RELAYED) {
    if (accept->channel == 0 || server == NULL)
      return;
    accept->server = *server;
  }
  if (accept->announced == add)
    return;
  accept->announced = add;
  output = ice_outputs_add (context->out, ICE_OUTPUT_ACCEPT_FROM);
  output->accept_from.add = add;
  output->accept_from.transport = self->id;
  output->accept_from.socket = accept->local->socket;
  output->accept_from.from = accept->channel ? accept->server : accept->from;
  output->accept_from.channel = accept->channel;
  output->accept_from.peer = accept->from;
}

void
ice_component_move_local (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, const IceCandidate *moved, guint former_socket)
{
  guint socket = moved->socket; /* @moved may be one of these */

  for (guint i = 0; i < self->accepts->len; i++) {
    IceAccept *accept = &g_array_index (self->accepts, IceAccept, i);

    if (accept->local->kind != ICE_CANDIDATE_RELAYED ||
        !ice_address_equal (&accept->local->base, &moved->base))
      continue;
    accept->local->socket = former_socket;
    announce (self, context, gatherer, accept, FALSE);
    accept->local->socket = socket;
    announce (self, context, gatherer, accept, TRUE);
  }
}

static IceAccept *
find_accept (
    const IceComponent *self, const IceCandidate *local, const IceAddress *from)
{
  for (guint i = 0; i < self->accepts->len; i++) {
    IceAccept *accept = &g_array_index (self->accepts, IceAccept, i);

    if (ice_pair_same_local (accept->local, local) &&
        ice_address_equal (&accept->from, from))
      return accept;
  }
  return NULL;
}

/* The oldest makes room, but never the one that media comes from: checks that
 * are replayed from elsewhere are signed, too (RFC 8445 19.2). */
static void
drop_oldest_accept (
    IceComponent *self, IceContext *context, IceGatherer *gatherer)
{
  const IcePair *selected = self->selected;
  IceAccept *oldest = &g_array_index (self->accepts, IceAccept, 0);
  guint index = 0;

  if (selected && ice_pair_same_local (oldest->local, selected->local) &&
      ice_address_equal (&oldest->from, &selected->remote->address))
    index = 1;
  announce (self, context, gatherer,
      &g_array_index (self->accepts, IceAccept, index), FALSE);
  g_array_remove_index (self->accepts, index);
}

void
ice_component_accept (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, IceCandidate *local, const IceAddress *from,
    guint generation, gboolean proven)
{
  IceAccept *accept = find_accept (self, local, from);

  if (accept == NULL) {
    if (self->accepts->len >= MAX_ACCEPTS)
      drop_oldest_accept (self, context, gatherer);
    g_array_set_size (self->accepts, self->accepts->len + 1);
    accept = &g_array_index (self->accepts, IceAccept, self->accepts->len - 1);
    *accept = (IceAccept){ .local = ice_candidate_ref (local), .from = *from };
    if (local->kind == ICE_CANDIDATE_RELAYED)
      accept->channel = ice_gatherer_channel (gatherer, local, from);
  }
  accept->generation = MAX (accept->generation, generation);
  accept->proven |= proven;
  announce (self, context, gatherer, accept, TRUE);
}

gboolean
ice_component_accepts (
    const IceComponent *self, const IceCandidate *local, const IceAddress *from)
{
  return find_accept (self, local, from) != NULL;
}

gboolean
ice_component_is_proven (
    const IceComponent *self, const IceCandidate *local, const IceAddress *from)
{
  const IceAccept *accept = find_accept (self, local, from);

  return accept && accept->proven;
}

void
ice_component_unaccept_heard (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, const IceCandidate *local, const IceAddress *from)
{
  IceAccept *accept = find_accept (self, local, from);

  if (accept == NULL || accept->proven)
    return;
  announce (self, context, gatherer, accept, FALSE);
  g_array_remove_index (
      self->accepts, accept - (IceAccept *) self->accepts->data);
}

void
ice_component_set_channel (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, const IceCandidate *local, const IceAddress *peer,
    guint16 channel)
{
  IceAccept *accept = find_accept (self, local, peer);

  if (accept == NULL || accept->channel == channel)
    return;
  announce (self, context, gatherer, accept, FALSE);
  accept->channel = channel;
  announce (self, context, gatherer, accept, TRUE);
}

void
ice_component_unaccept (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, guint generation)
{
  for (guint i = self->accepts->len; i-- > 0;) {
    IceAccept *accept = &g_array_index (self->accepts, IceAccept, i);

    if (accept->generation >= generation)
      continue;
    announce (self, context, gatherer, accept, FALSE);
    g_array_remove_index (self->accepts, i);
  }
}

void
ice_component_unaccept_local (IceComponent *self, IceContext *context,
    IceGatherer *gatherer, const IceCandidate *local)
{
  for (guint i = self->accepts->len; i-- > 0;) {
    IceAccept *accept = &g_array_index (self->accepts, IceAccept, i);

    if (!ice_pair_same_local (accept->local, local))
      continue;
    announce (self, context, gatherer, accept, FALSE);
    g_array_remove_index (self->accepts, i);
  }
}

void
ice_component_add_early (IceComponent *self, IceCandidate *local,
    const IceAddress *from, guint32 priority, gboolean use_candidate,
    IceBytes ufrag)
{
  IceEarlyCheck *early;

  for (GList *l = self->early.head; l; l = l->next) {
    early = l->data;
    if (early->local == local && ice_address_equal (&early->from, from) &&
        ice_bytes_equal (
            ufrag, ICE_BYTES (early->ufrag, strlen (early->ufrag)))) {
      early->use_candidate |= use_candidate;
      return;
    }
  }
  if (g_queue_get_length (&self->early) >= MAX_EARLY)
    ice_early_check_free (g_queue_pop_head (&self->early));
  early = g_new0 (IceEarlyCheck, 1);
  early->local = ice_candidate_ref (local);
  early->from = *from;
  early->priority = priority;
  early->use_candidate = use_candidate;
  early->ufrag = ice_bytes_dup_utf8 (ufrag);
  g_queue_push_tail (&self->early, early);
}

gboolean
ice_component_is_lossy (const IceComponent *self)
{
  GPtrArray *pairs = self->stream->pairs;
  IceLoss loss = { 0 };

  for (guint i = 0; i < pairs->len; i++) {
    const IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component == self)
      ice_loss_add (&loss, &pair->loss);
  }
  return ice_loss_is_heavy (&loss);
}
