/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the checklists share: finding, counting, the role, and whose check is
 * next (RFC 8445 6.1.4). */
#include "checklist.h"

#include "../purity.h"

void
ice_checklist_set_init (IceChecklistSet *self, IceContext *context,
    IceGatherer *gatherer, gboolean controlling, guint max_pairs)
{
  *self = (IceChecklistSet){
    .context = context,
    .gatherer = gatherer,
    .controlling = controlling,
    .max_pairs = MAX (max_pairs, 1),
  };
  self->streams =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_stream_free);
  ice_context_random (context, (guint8 *) &self->tie_breaker, 8);
}

void
ice_checklist_set_clear (IceChecklistSet *self)
{
  g_clear_pointer (&self->streams, g_ptr_array_unref);
}

void
ice_checklist_set_free (IceChecklistSet *self)
{
  ice_checklist_set_clear (self);
  g_free (self);
}

void
ice_checklist_set_add_stream (IceChecklistSet *self, IceStream *stream)
{
  stream->set = self;
  g_ptr_array_add (self->streams, stream);
}

IceStream *
ice_checklist_set_find_stream (IceChecklistSet *self, guint id)
{
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->id == id)
      return stream;
  }
  return NULL;
}

IceComponent *
ice_checklist_set_find_component (IceChecklistSet *self, guint id)
{
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    for (guint j = 0; j < stream->components->len; j++) {
      IceComponent *component = g_ptr_array_index (stream->components, j);

      if (component->id == id)
        return component;
    }
  }
  return NULL;
}

guint
ice_checklist_set_count_pairs (const IceChecklistSet *self)
{
  guint n = 0;

  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    n += stream->pairs->len;
  }
  return n;
}

IcePair *
ice_checklist_set_find_pair (
    IceChecklistSet *self, IcePairFunc func, gpointer user)
{
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    for (guint j = 0; j < stream->pairs->len; j++) {
      IcePair *pair = g_ptr_array_index (stream->pairs, j);

      if (func (self, pair, user))
        return pair;
    }
    for (guint j = 0; j < stream->components->len; j++) {
      IceComponent *component = g_ptr_array_index (stream->components, j);
      IcePair *pair = component->selected;

      if (pair &&
          (pair->without_ice || pair->generation != stream->generation) &&
          func (self, pair, user))
        return pair;
    }
  }
  return NULL;
}

guint
ice_checklist_set_count_open (const IceChecklistSet *self)
{
  guint n = 0;

  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    for (guint j = 0; j < stream->pairs->len; j++) {
      IcePair *pair = g_ptr_array_index (stream->pairs, j);

      if (pair->state == ICE_PAIR_WAITING ||
          pair->state == ICE_PAIR_IN_PROGRESS)
        n++;
    }
  }
  return n;
}

/* Best first; of equals the lower component (RFC 8445 6.1.4.2). */
static gint
compare_pairs (gconstpointer a, gconstpointer b)
{
  const IcePair *x = *(IcePair *const *) a, *y = *(IcePair *const *) b;

  if (x->priority != y->priority)
    return x->priority > y->priority ? -1 : 1;
  return (gint) x->component->number - (gint) y->component->number;
}

void
ice_checklist_sort (IceStream *stream)
{
  g_ptr_array_sort (stream->pairs, compare_pairs);
}

static void
update_role (IceChecklistSet *self, IcePair *pair)
{
  ice_pair_update_priority (pair, self->controlling);
  /* Whoever wanted to nominate is not the one who decides any more. */
  if (pair->nomination == ICE_NOMINATION_WANTED)
    pair->nomination = ICE_NOMINATION_NONE;
  pair->renomination.pending = pair->renomination.rebound = FALSE;
}

void
ice_checklist_set_switch_role (
    IceChecklistSet *self, gboolean controlling, gboolean new_tie_breaker)
{
  IceOutput *output;

  self->controlling = controlling;
  if (new_tie_breaker)
    ice_context_random (self->context, (guint8 *) &self->tie_breaker, 8);
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    for (guint j = 0; j < stream->pairs->len; j++)
      update_role (self, g_ptr_array_index (stream->pairs, j));
    for (guint j = 0; j < stream->components->len; j++) {
      IceComponent *component = g_ptr_array_index (stream->components, j);

      if (component->selected)
        update_role (self, component->selected);
    }
    ice_checklist_sort (stream);
  }
  output = ice_outputs_add (self->context->out, ICE_OUTPUT_ROLE);
  output->role.branch = self->branch;
  output->role.controlling = controlling;
  ice_log (self->context, ICE_LOG_INFO, ICE_LOG_CHECK, "we are %s now",
      controlling ? "controlling" : "controlled");
}

/* Picking. */

/* RFC 8445 6.1.4.2 keeps a pair frozen while another of its foundation is
 * Waiting or In-Progress, which a dead one is for 39.5 s. But each component
 * has a NAT mapping of its own to open, and whoever comes through the peer's
 * NAT is a prflx, of another foundation: with some loss the last of four
 * components opened its own after half a minute. So a check that was resent
 * holds nobody back any more; what follows from it is paced as ever. */
#define PATIENT_SENDS 2

static gboolean
holds_mates (IcePair *pair)
{
  IceCheck *check;

  if (pair->state != ICE_PAIR_IN_PROGRESS)
    return pair->state == ICE_PAIR_WAITING;
  check = ice_pair_live_check (pair);
  return check == NULL || check->transaction.n_sent < PATIENT_SENDS;
}

static gboolean
foundation_is_open (IceChecklistSet *self, const IcePair *pair)
{
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    for (guint j = 0; j < stream->pairs->len; j++) {
      IcePair *mate = g_ptr_array_index (stream->pairs, j);

      if (holds_mates (mate) && ice_pair_same_foundation (mate, pair))
        return TRUE;
    }
  }
  return FALSE;
}

static IcePair *
first_waiting (IceStream *stream)
{
  for (guint i = 0; i < stream->pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (stream->pairs, i);

    if (pair->state == ICE_PAIR_WAITING)
      return pair;
  }
  return NULL;
}

static IcePair *
pick_ordinary (IceChecklistSet *self, IceStream *stream)
{
  IcePair *pair = first_waiting (stream);

  if (pair)
    return pair;
  for (guint i = 0; i < stream->pairs->len; i++) {
    pair = g_ptr_array_index (stream->pairs, i);
    if (pair->state == ICE_PAIR_FROZEN && !foundation_is_open (self, pair))
      pair->state = ICE_PAIR_WAITING;
  }
  return first_waiting (stream);
}

gboolean
ice_checklist_set_has_triggered (const IceChecklistSet *self)
{
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    if (ice_stream_is_active (stream) && !g_queue_is_empty (&stream->triggered))
      return TRUE;
  }
  return FALSE;
}

IcePair *
ice_checklist_set_peek (IceChecklistSet *self)
{
  guint n = self->streams->len;
  IcePair *pair = NULL;

  /* Triggered checks of any stream go before ordinary ones: the peer is
   * waiting behind a NAT that both sides have just opened. */
  for (guint i = 0; i < n && pair == NULL; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, (self->turn + i) % n);

    if (ice_stream_is_active (stream))
      pair = g_queue_peek_head (&stream->triggered);
  }
  for (guint i = 0; i < n && pair == NULL; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, (self->turn + i) % n);

    if (ice_stream_is_active (stream))
      pair = pick_ordinary (self, stream);
  }
  return pair;
}

void
ice_checklist_set_take (IceChecklistSet *self, IcePair *pair)
{
  IceStream *stream = pair->component->stream;
  guint index = 0;

  g_queue_remove (&stream->triggered, pair);
  if (g_ptr_array_find (self->streams, stream, &index))
    self->turn = index + 1;
}
