/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forming, pruning and freezing candidate pairs (RFC 8445 6.1.2, RFC 8838 11
 * and 12). */
#include "checklist.h"

#include "connection.h"
#include "lite.h"

#include "../purity.h"

/* RFC 8445 19.5.1: a peer that floods us with candidates gets no more memory
 * than this per component. */
#define MAX_REMOTES 100

/* Candidates. */

IcePair *
ice_checklist_find_pair (IceComponent *component, const IceCandidate *local,
    const IceAddress *remote)
{
  GPtrArray *pairs = component->stream->pairs;

  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component == component &&
        ice_pair_same_local (pair->local, local) &&
        ice_address_equal (&pair->remote->address, remote))
      return pair;
  }
  return NULL;
}

IcePair *
ice_checklist_find_pair_from (
    IceComponent *component, guint socket, const IceAddress *remote)
{
  GPtrArray *pairs = component->stream->pairs;

  for (guint i = 0; i < pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component == component &&
        ice_candidate_base_socket (pair->local) == socket &&
        ice_address_equal (&pair->remote->address, remote))
      return pair;
  }
  return NULL;
}

static gboolean
has_pair (IceComponent *component, const IceCandidate *local,
    const IceAddress *remote)
{
  if (local->protocol == ICE_PROTOCOL_TCP)
    return ice_checklist_find_pair_from (
               component, ice_candidate_base_socket (local), remote) != NULL;
  return ice_checklist_find_pair (component, local, remote) != NULL;
}

/* Forms the pair unless it is impossible or redundant (RFC 8445 6.1.2.4): a
 * reflexive local candidate is replaced by its base, and where the base was
 * reported itself the pair is there already, with a higher priority. */
static void
form_pair (IceChecklistSet *self, IceComponent *component,
    IceCandidate *candidate, IceCandidate *remote, IceTime now)
{
  IceCandidate *local = candidate;
  gboolean lite = self->policy.lite;
  IcePair *pair;

  if ((component->concluded && !lite &&
          !ice_policy_renominates (&self->policy)) ||
      component->state == ICE_STATE_CLOSED ||
      component->state == ICE_STATE_FAILED ||
      !ice_pair_is_possible (candidate, remote))
    return;
  if (candidate->kind != ICE_CANDIDATE_HOST &&
      candidate->kind != ICE_CANDIDATE_RELAYED)
    local = ice_gatherer_host_candidate (self->gatherer, candidate->socket);
  if (local == NULL || has_pair (component, local, &remote->address))
    return;
  if (ice_address_equal (&local->base, &remote->address)) {
    ice_gatherer_open_beside (self->gatherer, local->socket);
    return;
  }
  if (lite) {
    ice_lite_form_pair (self, component, local, remote, now);
    return;
  }
  pair = ice_checklist_add_pair (self, component, local, remote, now);
  if (pair && local != candidate) {
    pair->local_priority = candidate->priority;
    ice_pair_update_priority (pair, self->controlling);
    ice_checklist_sort (component->stream);
  }
}

static gboolean
is_above (const IcePair *a, guint a_stream, const IcePair *b, guint b_stream)
{
  if (a_stream != b_stream)
    return a_stream < b_stream;
  if (a->component->number != b->component->number)
    return a->component->number < b->component->number;
  return a->priority > b->priority;
}

/* RFC 8838 12: a new pair waits when it is the topmost of its foundation
 * (rule 1; with all pairs new this is RFC 8445 6.1.2.6) or when one of its
 * foundation succeeded (rule 2); else it stays frozen (rule 3). */
static void
thaw_new_pair (IceChecklistSet *self, IcePair *pair, guint stream_index)
{
  gboolean topmost = TRUE;

  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    for (guint j = 0; j < stream->pairs->len; j++) {
      IcePair *mate = g_ptr_array_index (stream->pairs, j);

      if (mate == pair || !ice_pair_same_foundation (mate, pair))
        continue;
      if (mate->state == ICE_PAIR_SUCCEEDED) {
        pair->state = ICE_PAIR_WAITING;
        return;
      }
      if (is_above (mate, i, pair, stream_index))
        topmost = FALSE;
    }
  }
  if (topmost)
    pair->state = ICE_PAIR_WAITING;
}

/* The stream's pairs that nobody looked at yet. */
static void
thaw_new_pairs (IceChecklistSet *self, IceStream *stream, guint first_new_id)
{
  guint index = 0;

  g_ptr_array_find (self->streams, stream, &index);
  for (guint i = 0; i < stream->pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (stream->pairs, i);

    if (pair->id >= first_new_id && pair->state == ICE_PAIR_FROZEN)
      thaw_new_pair (self, pair, index);
  }
}

void
ice_checklist_add_local (IceChecklistSet *self, IceStream *stream,
    IceCandidate *candidate, IceTime now)
{
  IceComponent *component =
      ice_stream_find_component (stream, candidate->component);
  guint first_new_id = self->context->next_id;

  g_ptr_array_add (stream->locals, ice_candidate_ref (candidate));
  if (component == NULL || !ice_stream_is_active (stream))
    return;
  for (guint i = 0; i < stream->remotes->len; i++) {
    IceCandidate *remote = g_ptr_array_index (stream->remotes, i);

    /* RFC 8445 7.3.1.3: a peer-reflexive candidate is only paired with the
     * local candidate that met it. */
    if (remote->kind != ICE_CANDIDATE_PEER_REFLEXIVE)
      form_pair (self, component, candidate, remote, now);
  }
  thaw_new_pairs (self, stream, first_new_id);
}

IceCandidate *
ice_checklist_find_remote_like (IceStream *stream, const IceCandidate *like)
{
  for (guint i = 0; i < stream->remotes->len; i++) {
    IceCandidate *remote = g_ptr_array_index (stream->remotes, i);

    if (remote->component == like->component &&
        remote->protocol == like->protocol &&
        remote->tcp_type == like->tcp_type &&
        ice_address_equal (&remote->address, &like->address))
      return remote;
  }
  return NULL;
}

IceCandidate *
ice_checklist_find_remote (
    IceStream *stream, guint component, const IceAddress *address)
{
  IceCandidate like = {
    .component = component, .protocol = ICE_PROTOCOL_UDP, .address = *address
  };

  return ice_checklist_find_remote_like (stream, &like);
}

/* RFC 8445 7.3.1.3: the signalled candidate brings foundation, kind and
 * priority; what was learnt about the pair stays. */
static void
replace_remote (IceChecklistSet *self, IceStream *stream, IceCandidate *old,
    IceCandidate *candidate)
{
  for (guint i = 0; i < stream->pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (stream->pairs, i);

    if (pair->remote != old)
      continue;
    ice_pair_set_remote (pair, candidate);
    ice_pair_update_priority (pair, self->controlling);
  }
  ice_checklist_sort (stream);
  g_ptr_array_remove (stream->remotes, old);
}

/* Makes room for a candidate better than the worst one kept. */
static gboolean
evict_remote (
    IceChecklistSet *self, IceStream *stream, const IceCandidate *candidate)
{
  IceCandidate *worst = NULL;
  guint n = 0;

  for (guint i = 0; i < stream->remotes->len; i++) {
    IceCandidate *remote = g_ptr_array_index (stream->remotes, i);

    if (remote->component != candidate->component)
      continue;
    n++;
    if (worst == NULL || remote->priority < worst->priority)
      worst = remote;
  }
  if (n < MAX_REMOTES)
    return TRUE;
  if (worst->priority >= candidate->priority)
    return FALSE;
  g_ptr_array_remove (stream->remotes, worst);
  return TRUE;
}

/* RFC 6544 4.5: nobody connects to an active candidate, and whatever its port
 * is, it is the discard port. */
static gboolean
is_usable_remote (const IceCandidate *candidate)
{
  IceAddress address = candidate->address;

  if (candidate->tcp_type == ICE_TCP_TYPE_ACTIVE)
    address.port = 9;
  return ice_address_is_usable (&address) &&
      (candidate->protocol == ICE_PROTOCOL_TCP) ==
      (candidate->tcp_type != ICE_TCP_TYPE_NONE);
}

IceVerdict
ice_checklist_add_remote (IceChecklistSet *self, IceStream *stream,
    IceCandidate *candidate, IceTime now)
{
  IceComponent *component =
      ice_stream_find_component (stream, candidate->component);
  IceCandidate *known;
  guint first_new_id = self->context->next_id;

  if (component == NULL || component->state == ICE_STATE_CLOSED)
    return ICE_VERDICT_UNEXPECTED;
  if (!is_usable_remote (candidate))
    return ICE_VERDICT_REFUSED;
  known = ice_checklist_find_remote_like (stream, candidate);
  if (known) {
    if (known->kind != ICE_CANDIDATE_PEER_REFLEXIVE ||
        candidate->kind == ICE_CANDIDATE_PEER_REFLEXIVE)
      return ICE_VERDICT_DUPLICATE;
    replace_remote (self, stream, known, candidate);
  } else if (!evict_remote (self, stream, candidate)) {
    return ICE_VERDICT_REFUSED;
  }
  g_ptr_array_add (stream->remotes, ice_candidate_ref (candidate));
  if (!ice_stream_is_active (stream) ||
      candidate->kind == ICE_CANDIDATE_PEER_REFLEXIVE)
    return ICE_VERDICT_OK;
  for (guint i = 0; i < stream->locals->len; i++)
    form_pair (
        self, component, g_ptr_array_index (stream->locals, i), candidate, now);
  thaw_new_pairs (self, stream, first_new_id);
  return ICE_VERDICT_OK;
}

void
ice_checklist_activate (IceChecklistSet *self, IceStream *stream, IceTime now)
{
  guint first_new_id = self->context->next_id;

  for (guint i = 0; i < stream->locals->len; i++) {
    IceCandidate *local = g_ptr_array_index (stream->locals, i);
    IceComponent *component =
        ice_stream_find_component (stream, local->component);

    for (guint j = 0; component && j < stream->remotes->len; j++) {
      IceCandidate *remote = g_ptr_array_index (stream->remotes, j);

      if (remote->kind != ICE_CANDIDATE_PEER_REFLEXIVE)
        form_pair (self, component, local, remote, now);
    }
  }
  thaw_new_pairs (self, stream, first_new_id);
}

void
ice_checklist_fail_local (IceChecklistSet *self, IceStream *stream,
    const IceCandidate *local, const IceAddress *peer)
{
  for (guint i = 0; i < stream->pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (stream->pairs, i);

    if (ice_pair_same_local (pair->local, local) &&
        (peer == NULL || ice_address_same_ip (&pair->remote->address, peer)))
      ice_checklist_fail (self, pair);
  }
}

/* Pairs. */

/* Another pair from the same base to the same address. */
static gboolean
is_same_path (const IcePair *other, const IcePair *pair)
{
  return other != pair && ice_pair_same_local (other->local, pair->local) &&
      ice_address_equal (&other->remote->address, &pair->remote->address);
}

/* Before and after a restart the same two addresses may be two pairs; the one
 * that lives on is selected, or a spare. */
static gboolean
has_heir (const IcePair *pair)
{
  const IceComponent *component = pair->component;
  GPtrArray *pairs = component->stream->pairs;

  if (component->selected && is_same_path (component->selected, pair))
    return TRUE;
  for (guint i = 0; i < pairs->len; i++) {
    const IcePair *other = g_ptr_array_index (pairs, i);

    if (other->component == component && other->state != ICE_PAIR_FAILED &&
        is_same_path (other, pair))
      return TRUE;
  }
  return FALSE;
}

void
ice_checklist_forget_peer (IceChecklistSet *self, const IcePair *pair)
{
  if (pair->local->kind != ICE_CANDIDATE_RELAYED || has_heir (pair))
    return;
  if (ice_checklist_set_is_shared_peer (self, pair))
    return;
  ice_gatherer_forget_peer (
      self->gatherer, pair->local, &pair->remote->address);
}

static void
stop_connecting (IceChecklistSet *self, IcePair *pair)
{
  if (pair->connecting)
    ice_gatherer_close_connection (self->gatherer, pair->connecting);
  pair->connecting = 0;
}

void
ice_checklist_remove_pair (IceChecklistSet *self, IcePair *pair)
{
  IceStream *stream = pair->component->stream;

  g_queue_remove (&stream->triggered, pair);
  stop_connecting (self, pair);
  if (pair->component->selected != pair)
    ice_checklist_forget_peer (self, pair);
  g_ptr_array_remove (stream->pairs, pair);
}

/* RFC 8838 11, step 5: failed pairs make room first, then a pair with a lower
 * priority that was not checked yet, taken from the longest checklist so that
 * the loss is even (RFC 8445 6.1.2.5). */
static gboolean
make_room (IceChecklistSet *self, guint64 priority)
{
  IceStream *longest = NULL;

  if (ice_checklist_set_count_pairs (self) < self->max_pairs)
    return TRUE;
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    for (guint j = stream->pairs->len; j-- > 0;) {
      IcePair *pair = g_ptr_array_index (stream->pairs, j);

      if (pair->state == ICE_PAIR_FAILED) {
        ice_checklist_remove_pair (self, pair);
        return TRUE;
      }
    }
    if (longest == NULL || stream->pairs->len > longest->pairs->len)
      longest = stream;
  }
  for (guint j = longest->pairs->len; j-- > 0;) {
    IcePair *pair = g_ptr_array_index (longest->pairs, j);

    if (pair->priority >= priority)
      break;
    if (pair->state == ICE_PAIR_FROZEN || pair->state == ICE_PAIR_WAITING) {
      ice_checklist_remove_pair (self, pair);
      return TRUE;
    }
  }
  return FALSE;
}

IcePair *
ice_checklist_add_pair (IceChecklistSet *self, IceComponent *component,
    IceCandidate *local, IceCandidate *remote, IceTime now)
{
  IceStream *stream = component->stream;
  g_autoptr (IcePair) pair = ice_pair_new (ice_context_new_id (self->context),
      component, stream->generation, local, remote);

  pair->formed_at = now;
  ice_pair_update_priority (pair, self->controlling);
  if (!make_room (self, pair->priority))
    return NULL;
  ice_gatherer_permit (self->gatherer, local, &remote->address, now);
  g_ptr_array_add (stream->pairs, ice_pair_ref (pair));
  ice_checklist_sort (stream);
  return pair;
}

static gboolean
is_hopeful (const IcePair *pair)
{
  return pair->state == ICE_PAIR_SUCCEEDED || pair->learnt ||
      pair->triggered_at != 0 || pair->nomination != ICE_NOMINATION_NONE ||
      pair->component->selected == pair;
}

/* The worst pair of the longest checklist that nothing speaks for. */
static IcePair *
find_hopeless (IceChecklistSet *self)
{
  IcePair *worst = NULL;
  guint longest = 0;

  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->pairs->len <= longest)
      continue;
    for (guint j = stream->pairs->len; j-- > 0;) {
      IcePair *pair = g_ptr_array_index (stream->pairs, j);

      if (is_hopeful (pair))
        continue;
      worst = pair;
      longest = stream->pairs->len;
      break;
    }
  }
  return worst;
}

/* A signed check from there says more than any priority: with a hundred pairs
 * under way, all silent, the one that works would find no room until they fail
 * (RFC 8838 11, step 5, discards any pair). What a peer can push out by that is
 * bounded as its pairs are (RFC 8445 19.5.1). */
IcePair *
ice_checklist_add_learnt_pair (IceChecklistSet *self, IceComponent *component,
    IceCandidate *local, IceCandidate *remote, IceTime now)
{
  IcePair *pair = ice_checklist_add_pair (self, component, local, remote, now);
  IcePair *worst = pair ? NULL : find_hopeless (self);

  if (worst) {
    ice_checklist_remove_pair (self, worst);
    pair = ice_checklist_add_pair (self, component, local, remote, now);
  }
  if (pair)
    pair->learnt = TRUE;
  return pair;
}

void
ice_checklist_trigger (IcePair *pair)
{
  IceStream *stream = pair->component->stream;

  /* A pair that succeeded stays valid while it is checked once more, to
   * nominate it (RFC 8445 8.1.1). */
  if (pair->state != ICE_PAIR_SUCCEEDED)
    pair->state = ICE_PAIR_WAITING;
  if (!g_queue_find (&stream->triggered, pair))
    g_queue_push_tail (&stream->triggered, pair);
}

void
ice_checklist_fail (IceChecklistSet *self, IcePair *pair)
{
  if (pair->state == ICE_PAIR_FAILED)
    return;
  if (self->context->world.log_level >= ICE_LOG_DEBUG) {
    g_autofree gchar *text = ice_pair_to_string (pair);

    ice_log (self->context, ICE_LOG_DEBUG, ICE_LOG_CHECK, "failed: %s", text);
  }
  pair->state = ICE_PAIR_FAILED;
  pair->nomination = ICE_NOMINATION_NONE;
  pair->renomination.pending = FALSE;
  stop_connecting (self, pair);
  ice_pair_cancel_checks (pair);
  g_queue_remove (&pair->component->stream->triggered, pair);
}

void
ice_checklist_thaw_mates (IceChecklistSet *self, const IcePair *pair)
{
  for (guint i = 0; i < self->streams->len; i++) {
    IceStream *stream = g_ptr_array_index (self->streams, i);

    for (guint j = 0; j < stream->pairs->len; j++) {
      IcePair *mate = g_ptr_array_index (stream->pairs, j);

      if (mate->state == ICE_PAIR_FROZEN &&
          ice_pair_same_foundation (mate, pair))
        mate->state = ICE_PAIR_WAITING;
    }
  }
}

void
ice_checklist_conclude (
    IceChecklistSet *self, IceComponent *component, IcePair *keep)
{
  GPtrArray *pairs = component->stream->pairs;

  for (guint i = pairs->len; i-- > 0;) {
    IcePair *pair = g_ptr_array_index (pairs, i);

    if (pair->component == component && pair != keep)
      ice_checklist_remove_pair (self, pair);
  }
}
