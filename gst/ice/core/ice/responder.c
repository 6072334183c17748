/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connectivity checks, server side (RFC 8445 7.3). */
#include "responder.h"

#include "../stun/builder.h"
#include "checker-tcp.h"
#include "lite.h"
#include "nominator.h"
#include "renominator.h"

#include <string.h>

#include "../purity.h"

/* Unsigned error answers a second; a flood gets silence after that
 * (RFC 8489 16.1.2: we are nobody's reflector). */
#define MAX_UNSIGNED 1000

/* Between two NATs that map by address and port (RFC 4787 4.1) and filter by
 * nothing each check comes from a new port, and so does the check that it
 * triggers: a chase that would use up all pairs. So many ports of one host are
 * followed, for a component and a base. */
#define MAX_PORTS 8

/* A pair under way is checked anew when the peer's check arrives (RFC 8445
 * 7.3.1.4), but not for every packet an eager peer sends. */
#define RETRIGGER_GAP (500 * ICE_MSEC)

/* A nomination of a pair whose last success is older is checked first: media
 * may only follow consent (RFC 7675 5.1). */
#define FRESH (25 * ICE_SECOND)

typedef struct
{
  IceComponent *component;
  IceCandidate *local;
  IceAddress from;
  gboolean has_priority, use_candidate;
  guint32 priority;
  guint32 nomination; /* 0: no NOMINATION */
} Request;

/* Answers. */

static void
send_answer (IceChecklistSet *set, IceCandidate *local, const IceAddress *to,
    IceStunBuilder *builder, IceTime now)
{
  g_autoptr (IcePacket) packet = NULL;

  ice_stun_builder_add_fingerprint (builder);
  packet = ice_stun_builder_end (builder);
  ice_gatherer_transmit (set->gatherer, local, to, packet, now);
}

/* RFC 8489 9.1.3: unsigned, and no reason phrase: shorter than any request
 * that ICE sends. */
static IceVerdict
refuse (IceResponder *self, IceChecklistSet *set, IceCandidate *local,
    const IceAddress *from, const IceStunMessage *message, guint code,
    IceTime now)
{
  IceStunBuilder builder;

  if (now - self->second >= ICE_SECOND || now < self->second) {
    self->second = now;
    self->n_unsigned = 0;
  }
  if (self->n_unsigned++ < MAX_UNSIGNED) {
    ice_stun_builder_init (
        &builder, ICE_STUN_ERROR, ICE_STUN_BINDING, message->id);
    ice_stun_builder_add_error (&builder, code, NULL);
    send_answer (set, local, from, &builder, now);
  }
  return ICE_VERDICT_UNAUTHENTICATED;
}

static void
answer_error (IceChecklistSet *set, IceCandidate *local, const IceAddress *from,
    const IceStunMessage *message, IceStunKey *key, IceStunIntegrity integrity,
    guint code, IceTime now)
{
  guint16 unknown[8];
  IceStunBuilder builder;

  ice_stun_builder_init (
      &builder, ICE_STUN_ERROR, ICE_STUN_BINDING, message->id);
  ice_stun_builder_add_error (&builder, code, NULL);
  if (code == 420)
    ice_stun_builder_add_unknown (&builder, unknown,
        ice_stun_message_unknown (message, unknown, G_N_ELEMENTS (unknown)));
  ice_stun_builder_add_integrity (&builder, key, integrity);
  send_answer (set, local, from, &builder, now);
}

static void
answer_success (IceChecklistSet *set, IceCandidate *local,
    const IceAddress *from, const IceStunMessage *message, IceStunKey *key,
    IceStunIntegrity integrity, IceTime now)
{
  IceStunBuilder builder;

  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, message->id);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, from);
  ice_stun_builder_add_integrity (&builder, key, integrity);
  send_answer (set, local, from, &builder, now);
}

/* What an authenticated request means. */

/* RFC 8445 7.3.1.1. FALSE: answer 487. */
static gboolean
settle_roles (IceChecklistSet *set, const IceStunMessage *message)
{
  guint64 theirs;
  gboolean conflict, keep;

  if (set->controlling)
    conflict =
        ice_stun_message_get_u64 (message, ICE_STUN_ICE_CONTROLLING, &theirs);
  else
    conflict =
        ice_stun_message_get_u64 (message, ICE_STUN_ICE_CONTROLLED, &theirs);
  if (!conflict)
    return TRUE;

  /* RFC 8445 6.1.1: which side is lite decides, and it is the other that turns.
   */
  if (set->policy.lite != set->policy.remote_lite)
    return FALSE;
  /* The larger tie-breaker controls; equal ones leave things as they are for
   * the controlling side and turn the controlled one. */
  keep = set->controlling == (set->tie_breaker >= theirs);
  if (keep || set->n_role_switches >= ICE_MAX_ROLE_SWITCHES)
    return FALSE;
  set->n_role_switches++;
  ice_checklist_set_switch_role (set, !set->controlling, FALSE);
  return TRUE;
}

/* (unowned) (nullable) RFC 6544 7.2: what came over TCP came from a candidate
 * of the opposite type. */
static IceCandidate *
find_remote (const Request *request)
{
  IceCandidate like = {
    .component = request->component->number,
    .protocol = request->local->protocol,
    .tcp_type = ice_tcp_type_opposite (request->local->tcp_type),
    .address = request->from,
  };

  return ice_checklist_find_remote_like (request->component->stream, &like);
}

/* RFC 8445 7.3.1.3. */
static IceCandidate *
learn_remote (IceChecklistSet *set, const Request *request, IceTime now)
{
  IceStream *stream = request->component->stream;
  IceCandidate *remote;
  IceOutput *output;

  if (!request->has_priority)
    return NULL;
  remote = ice_candidate_new (
      ICE_CANDIDATE_PEER_REFLEXIVE, request->component->number);
  remote->id = ice_context_new_id (set->context);
  remote->stream = stream->id;
  remote->protocol = request->local->protocol;
  remote->tcp_type = ice_tcp_type_opposite (request->local->tcp_type);
  remote->priority = request->priority;
  remote->address = remote->base = request->from;
  remote->ufrag = g_strdup (stream->generation->remote_ufrag);
  /* "An arbitrary value, different from the foundations of all other remote
   * candidates": ids are never reused, and '/' keeps ours apart. */
  g_snprintf (
      remote->foundation, sizeof remote->foundation, "prflx/%u", remote->id);
  if (ice_checklist_add_remote (set, stream, remote, now) != ICE_VERDICT_OK) {
    ice_candidate_unref (remote);
    return NULL;
  }
  output = ice_outputs_add (set->context->out, ICE_OUTPUT_REMOTE_CANDIDATE);
  output->candidate.stream = stream->id;
  output->candidate.candidate = ice_stream_tell_remote (stream, remote);
  ice_candidate_unref (remote); /* the stream holds it */
  return remote;
}

/* Of the valid pairs each side keeps a few, and not always the same: what was
 * given up for better ones is answered and not made again, or the peer, whose
 * check ours would trigger, gave it up and made it again as well, for ever. An
 * address that is new may be the peer behind a NAT that forgot it. */
static gboolean
was_given_up (const Request *request)
{
  const IceComponent *component = request->component;

  return component->selected && component->consent.doubt == ICE_DOUBT_NONE &&
      find_remote (request) && !ice_renominator_has_room (component);
}

/* The peer nominates, or in RFC 5245's aggressive mode we do, by each check. */
static gboolean
may_be_nominated (const IceChecklistSet *set, const Request *request)
{
  return set->controlling ? ice_policy_is_aggressive (&set->policy)
                          : request->use_candidate;
}

static gboolean
is_better (const IceChecklistSet *set, const Request *request)
{
  const IceCandidate *remote = find_remote (request);
  guint32 theirs = remote ? remote->priority : request->priority;
  guint32 ours = request->local->priority;

  return (set->controlling ? ice_pair_priority (ours, theirs)
                           : ice_pair_priority (theirs, ours)) >
      request->component->selected->shared_priority;
}

/* Of a concluded component only a better nomination is of interest (RFC 8445
 * 8.1.1), or any while the selected pair is dead: the peer knows a way. Who
 * nominates by each check goes on with triggered ones after that (RFC 5245
 * 8.1.2): to the peer the pair is nominated already, by a check of ours that
 * this one answers, from another port if its NAT wants it so. */
static gboolean
is_of_interest (IceChecklistSet *set, const Request *request, IcePair *pair)
{
  IceComponent *component = request->component;
  IcePair *selected = component->selected;

  if (component->state == ICE_STATE_CLOSED ||
      component->state == ICE_STATE_FAILED)
    return FALSE;
  if (!component->concluded)
    return TRUE;
  /* ice-renomination-01 3: the next nomination may come at any time, and for a
   * pair that is only now being checked. */
  if (ice_policy_renominates (&set->policy))
    return pair || request->use_candidate || !was_given_up (request);
  if (pair == selected || !may_be_nominated (set, request))
    return FALSE;
  return selected == NULL || component->consent.disconnected ||
      is_better (set, request);
}

/* An answer since the selected pair fell silent is worth more than one before.
 */
static gboolean
is_fresh (const IcePair *pair, IceTime now)
{
  const IceComponent *component = pair->component;

  if (component->consent.disconnected && component->selected &&
      component->selected != pair && !ice_nominator_outlived (pair))
    return FALSE;
  return now - pair->granted_at < FRESH;
}

/* RFC 8445 7.3.1.4 and 7.3.1.5. */
static void
trigger (IceChecklistSet *set, IcePair *pair, gboolean nominated, IceTime now)
{
  if (pair->state == ICE_PAIR_SUCCEEDED && nominated) {
    gboolean fresh = is_fresh (pair, now);

    if (pair->nomination == ICE_NOMINATION_DONE &&
        (fresh || pair == pair->component->selected))
      return;
    if (fresh) {
      pair->nomination = ICE_NOMINATION_DONE;
      return;
    }
  } else if (pair->state == ICE_PAIR_SUCCEEDED) {
    return;
  }
  if (nominated)
    pair->nomination = ICE_NOMINATION_WANTED;

  if (pair->triggered_at && now - pair->triggered_at < RETRIGGER_GAP &&
      pair->state != ICE_PAIR_FROZEN && pair->state != ICE_PAIR_WAITING)
    return;
  pair->triggered_at = now;
  ice_pair_cancel_checks (pair);
  ice_checklist_trigger (pair);
}

/* ice-renomination-01 4: the value was heard before, and for this pair; but it
 * is another one that we are at. */
static gboolean
is_elsewhere (const Request *request)
{
  IceComponent *component = request->component;
  const IcePair *pair =
      ice_checklist_find_pair (component, request->local, &request->from);

  return pair && request->nomination != 0 &&
      request->nomination == component->nomination_value &&
      request->nomination == pair->renomination.value && !component->pinned &&
      component->selected != pair;
}

static gboolean
is_nominated (const IceChecklistSet *set, const Request *request)
{
  if (set->controlling)
    return FALSE;
  if (!ice_policy_renominates (&set->policy))
    return request->use_candidate;
  /* Some say NOMINATION alone. */
  return (request->use_candidate || request->nomination) &&
      (ice_renominator_is_news (request->component, request->nomination) ||
          is_elsewhere (request));
}

/* RFC 6544 11.1: the peer opened a new connection for the pair that media went
 * by, "it MUST generate a triggered check over that connection". */
static gboolean
resume (IceChecklistSet *set, const Request *request, IceTime now)
{
  IcePair *pair = ice_checker_find_lost (request->component, request->local);
  IceCandidate *remote;

  if (pair == NULL)
    return FALSE;
  remote = find_remote (request);
  if (remote == NULL)
    remote = learn_remote (set, request, now);
  if (remote == NULL)
    return FALSE;
  ice_pair_set_remote (pair, remote);
  ice_checker_resume (set, pair, request->local);
  pair->triggered_at = now;
  ice_checklist_trigger (pair);
  return TRUE;
}

/* Ports of one host that were learnt and have not answered. */
static guint
count_unproven (const Request *request)
{
  GPtrArray *pairs = request->component->stream->pairs;
  guint n = 0;

  for (guint i = 0; i < pairs->len; i++) {
    const IcePair *pair = g_ptr_array_index (pairs, i);

    n += pair->component == request->component && pair->learnt &&
        pair->succeeded_at == 0 &&
        ice_pair_same_local (pair->local, request->local) &&
        ice_address_same_ip (&pair->remote->address, &request->from);
  }
  return n;
}

static void
act (IceChecklistSet *set, const Request *request, IceTime now)
{
  IceComponent *component = request->component;
  IcePair *pair =
      ice_checklist_find_pair (component, request->local, &request->from);
  gboolean nominated = is_nominated (set, request);
  IceCandidate *remote;

  if (request->local->protocol == ICE_PROTOCOL_TCP && pair == NULL) {
    if (!ice_gatherer_find_connection (set->gatherer, request->local->socket))
      return; /* it closed while the check waited for the credentials */
    pair = ice_checker_adopt (set, component, request->local, &request->from);
    if (pair == NULL && resume (set, request, now))
      return;
  }
  if (pair) {
    ice_renominator_heard (pair, now);
    pair->requests_received++;
    pair->responses_sent++;
  }
  if (!is_of_interest (set, request, pair) ||
      (set->policy.lite && !nominated)) /* RFC 8445 7.3.2 */
    return;
  if (pair == NULL) {
    /* RFC 8445 6.1.2.5, 19.5.1: failed pairs make room for new ones, but not
     * for ever: forged sources would have us knock at all the world. */
    if (set->n_unproven >= set->max_pairs ||
        (!nominated && count_unproven (request) >= MAX_PORTS))
      return;
    remote = find_remote (request);
    if (remote == NULL)
      remote = learn_remote (set, request, now);
    if (remote)
      pair = ice_checklist_add_learnt_pair (
          set, component, request->local, remote, now);
    if (pair == NULL)
      return; /* full: it was answered, and that is all (RFC 8445 19.5.1) */
    pair->requests_received = pair->responses_sent = 1;
    set->n_unproven++;
  }
  if (nominated)
    ice_renominator_take (component, pair, request->nomination);
  if (set->policy.lite)
    ice_lite_nominate (set, pair, now);
  else
    trigger (set, pair, nominated, now);
}

/* (transfer full) (nullable) the oldest of the peer @ufrag. */
static IceEarlyCheck *
take_early (IceComponent *component, const gchar *ufrag)
{
  for (GList *l = component->early.head; l; l = l->next) {
    IceEarlyCheck *early = l->data;

    if (strcmp (early->ufrag, ufrag) == 0) {
      g_queue_delete_link (&component->early, l);
      return early;
    }
  }
  return NULL;
}

static void
replay_from (IceChecklistSet *set, IceComponent *component,
    IceComponent *holder, IceTime now)
{
  const gchar *ufrag = component->stream->generation->remote_ufrag;
  IceEarlyCheck *early;

  while ((early = take_early (holder, ufrag)) != NULL) {
    Request request = {
      .component = component,
      .local = early->local,
      .from = early->from,
      .has_priority = TRUE,
      .priority = early->priority,
      .use_candidate = early->use_candidate,
    };

    /* Media from there is this peer's from now on, and not of who kept it. */
    if (holder != component) {
      ice_component_unaccept_heard (
          holder, set->context, set->gatherer, early->local, &early->from);
      ice_checklist_set_accept (set, component, early->local, &early->from,
          component->stream->generation->number, FALSE);
    }
    act (set, &request, now);
    ice_early_check_free (early);
  }
}

/* Checks of other answerers were answered before anybody's answer was known;
 * their media is not this peer's. */
static void
part_from_strangers (IceChecklistSet *set, IceComponent *component)
{
  for (GList *l = component->early.head; l; l = l->next) {
    IceEarlyCheck *early = l->data;

    ice_component_unaccept_heard (
        component, set->context, set->gatherer, early->local, &early->from);
  }
  if (!set->forking)
    g_queue_clear_full (
        &component->early, (GDestroyNotify) ice_early_check_free);
}

void
ice_responder_replay (
    IceChecklistSet *set, IceComponent *component, IceTime now)
{
  replay_from (set, component, component, now);
  part_from_strangers (set, component);
  for (guint i = 0; set->all && i < set->all->len; i++) {
    IceStream *twin = ice_checklist_set_find_twin (
        g_ptr_array_index (set->all, i), component->stream);
    IceComponent *holder =
        twin ? ice_stream_find_component (twin, component->number) : NULL;

    if (holder)
      replay_from (set, component, holder, now);
  }
}

/* Signs of life, and who may send us media from now on. */
static void
note_request (IceChecklistSet *set, const Request *request,
    IceGeneration *generation, IceTime now)
{
  IceComponent *component = request->component;
  IceStream *stream = component->stream;
  IcePair *selected = component->selected;

  ice_checklist_set_accept (set, component, request->local, &request->from,
      generation->number, FALSE);
  if (selected && selected->local->socket == request->local->socket &&
      ice_address_equal (&selected->remote->address, &request->from))
    ice_consent_heard (&component->consent, now);
  if (generation != stream->generation)
    return;
  stream->n_requests++;
  if (!stream->first_check) {
    stream->first_check = TRUE;
    ice_outputs_add (set->context->out, ICE_OUTPUT_FIRST_CHECK)->stream.stream =
        stream->id;
  }
}

static gboolean
is_signed (const IceStunMessage *message, IceStunKey *key,
    IceStunIntegrity *ret_integrity)
{
  *ret_integrity = message->integrity_sha256 ? ICE_STUN_INTEGRITY_SHA256
                                             : ICE_STUN_INTEGRITY_SHA1;
  return ice_stun_message_verify (message, key, *ret_integrity);
}

/* RFC 8489 9.1.3, RFC 8445 7.3: which generation signed it. 0, or the code of
 * the refusal. */
static guint
authenticate (IceStream *stream, const IceStunMessage *message,
    IceGeneration **ret_generation, IceStunIntegrity *ret_integrity,
    IceBytes *ret_ufrag)
{
  IceBytes username;

  if (!ice_stun_message_find (message, ICE_STUN_USERNAME, &username) ||
      (!message->integrity && !message->integrity_sha256))
    return 400;
  *ret_generation = ice_stream_find_generation (stream, username, ret_ufrag);
  if (*ret_generation == NULL)
    return 401;
  return is_signed (message, (*ret_generation)->local_key, ret_integrity) ? 0
                                                                          : 401;
}

/* FALSE: an attribute has the wrong size, or PRIORITY is missing from a check
 * that we could not learn anything from without (RFC 8445 7.1.1). */
static gboolean
read_request (const IceStunMessage *message, Request *request)
{
  guint64 tie_breaker;
  gboolean known = ice_checklist_find_pair (request->component, request->local,
                       &request->from) != NULL;

  request->has_priority =
      ice_stun_message_get_u32 (message, ICE_STUN_PRIORITY, &request->priority);
  request->use_candidate =
      ice_stun_message_has (message, ICE_STUN_USE_CANDIDATE);
  if (ice_stun_message_get_u32 (
          message, ICE_STUN_NOMINATION, &request->nomination))
    request->nomination &= 0xffffff; /* ice-renomination-01 4: 24 bits */
  if (!request->has_priority &&
      (!known || ice_stun_message_has (message, ICE_STUN_PRIORITY)))
    return FALSE;
  if (ice_stun_message_has (message, ICE_STUN_ICE_CONTROLLING) &&
      !ice_stun_message_get_u64 (
          message, ICE_STUN_ICE_CONTROLLING, &tie_breaker))
    return FALSE;
  return !ice_stun_message_has (message, ICE_STUN_ICE_CONTROLLED) ||
      ice_stun_message_get_u64 (message, ICE_STUN_ICE_CONTROLLED, &tie_breaker);
}

IceVerdict
ice_responder_receive (IceResponder *self, IceChecklistSet *set,
    IceComponent *component, IceCandidate *local, const IceAddress *from,
    const IceStunMessage *message, IceTime now)
{
  IceStream *stream = component->stream;
  IceGeneration *generation = NULL;
  IceStunIntegrity integrity = ICE_STUN_INTEGRITY_NONE;
  Request request = { .component = component, .local = local, .from = *from };
  IceBytes ufrag = ICE_BYTES_NONE;
  guint16 unknown;
  guint code;

  code = authenticate (stream, message, &generation, &integrity, &ufrag);
  if (code)
    return refuse (self, set, local, from, message, code, now);

  if (ice_stun_message_unknown (message, &unknown, 1) > 0)
    code = 420;
  else if (!read_request (message, &request))
    code = 400;
  else if (ice_checklist_set_is_taken (set, local, from))
    code = 403;
  else if (!settle_roles (set, message))
    code = 487;
  if (code) {
    answer_error (
        set, local, from, message, generation->local_key, integrity, code, now);
    return ICE_VERDICT_REFUSED;
  }
  answer_success (
      set, local, from, message, generation->local_key, integrity, now);
  if (set->policy.lite && ice_lite_is_replay (component, message, from))
    return ICE_VERDICT_UNEXPECTED;
  note_request (set, &request, generation, now);

  if (generation != stream->generation)
    return ICE_VERDICT_OK;
  if (generation->remote_key == NULL)
    ice_component_add_early (
        component, local, from, request.priority, request.use_candidate, ufrag);
  else if (ice_stream_is_active (stream))
    act (set, &request, now);
  return ICE_VERDICT_OK;
}

IceVerdict
ice_responder_remember (IceResponder *self, IceChecklistSet *set,
    IceComponent *component, IceCandidate *local, const IceAddress *from,
    const IceStunMessage *message, IceTime now)
{
  Request request = { .component = component, .local = local, .from = *from };
  IceStunIntegrity integrity;
  IceBytes username, ufrag;
  guint16 unknown;

  if (!ice_stun_message_find (message, ICE_STUN_USERNAME, &username) ||
      !ice_stream_is_named (component->stream, username, &ufrag) ||
      !is_signed (
          message, component->stream->generation->local_key, &integrity))
    return refuse (self, set, local, from, message, 401, now);
  if (ice_stun_message_unknown (message, &unknown, 1) > 0 ||
      !read_request (message, &request) || !request.has_priority)
    return ICE_VERDICT_REFUSED;
  ice_component_add_early (
      component, local, from, request.priority, request.use_candidate, ufrag);
  return ICE_VERDICT_OK;
}
