/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connectivity checks, client side (RFC 8445 7.2, RFC 7675, RFC 8445 14). */
#include "checker.h"

#include "../stun/builder.h"
#include "checker-tcp.h"
#include "renominator.h"

#include <string.h>

#include "../purity.h"

/* RFC 7675 5.1: an answer counts until consent has expired anyway. */
#define CONSENT_TIMEOUT (30 * ICE_SECOND)

/* A peer may tell another mapped address in each answer: so many local
 * candidates are kept, further pairs stay with their base. */
#define MAX_LOCALS 128

/* RFC 8489 14: type and length. */
#define ATTRIBUTE_HEADER 4
/* RFC 791 3.1, RFC 8200 3, RFC 768. */
#define IPV4_HEADERS (20 + 8)
#define IPV6_HEADERS (40 + 8)

/* Sending. */

/* RFC 8489 14.14: "less than 128 characters"; 14: "duplicates MAY be ignored".
 * Everybody knows SOFTWARE, so that a request stays what it is. PADDING of RFC
 * 5780 7.6 would be refused by peers that do not know it. */
static void
add_padding (IceStunBuilder *builder, gsize padding)
{
  static const guint8 spaces[] = "                                        "
                                 "                                        "
                                 "                                        ";

  while (padding >= ATTRIBUTE_HEADER) {
    const gsize size = MIN (padding - ATTRIBUTE_HEADER, sizeof spaces - 1);

    ice_stun_builder_add_bytes (
        builder, ICE_STUN_SOFTWARE, ICE_BYTES (spaces, size));
    padding -= ATTRIBUTE_HEADER + size;
  }
}

static IcePacket *
build_request (
    IceChecklistSet *set, IcePair *pair, IceCheck *check, gsize padding)
{
  guint8 id[ICE_STUN_ID_SIZE];
  IceStunBuilder builder;

  ice_context_random (set->context, id, sizeof id);
  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_string (
      &builder, ICE_STUN_USERNAME, pair->generation->username);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY, check->priority);
  ice_stun_builder_add_u64 (&builder,
      check->controlling ? ICE_STUN_ICE_CONTROLLING : ICE_STUN_ICE_CONTROLLED,
      check->tie_breaker);
  if (check->use_candidate)
    ice_stun_builder_add_flag (&builder, ICE_STUN_USE_CANDIDATE);
  if (check->nomination)
    ice_stun_builder_add_u32 (&builder, ICE_STUN_NOMINATION, check->nomination);
  add_padding (&builder, padding);
  ice_stun_builder_add_integrity (
      &builder, pair->generation->remote_key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  return ice_stun_builder_end (&builder);
}

static gboolean
is_being_nominated (const IcePair *pair)
{
  return pair->nomination == ICE_NOMINATION_WANTED ||
      pair->renomination.pending;
}

/* RFC 5245 8.1.1.2: by "every check", and so by those for consent. Two sides
 * that rank their nominated pairs differently find each other again when the
 * peer's has died. So do two that renominate, where much is lost: the peer has
 * answered, but the check that it had to make of its own may have failed, or
 * what it selected after that; the same value says nothing to who is there. */
static gboolean
is_nominated_again (
    const IceChecklistSet *set, const IcePair *pair, IceCheckKind kind)
{
  if (pair->nomination != ICE_NOMINATION_DONE)
    return FALSE;
  return ice_policy_is_aggressive (&set->policy) ||
      (ice_policy_renominates (&set->policy) && kind != ICE_CHECK_ORDINARY &&
          pair == pair->component->selected &&
          pair->local->protocol == ICE_PROTOCOL_UDP &&
          ice_component_is_lossy (pair->component));
}

static IceCheck *
add_check (IceChecklistSet *set, IcePair *pair, IceCheckKind kind)
{
  IceCheck *check = ice_pair_add_check (pair, kind);

  check->controlling = set->controlling;
  check->tie_breaker = set->tie_breaker;
  /* RFC 8445 7.1.1: what the candidate would have if it were learnt now. */
  check->priority = ice_candidate_learnt_priority (pair->local);
  /* RFC 8445 7.1.2: the controlled agent MUST NOT. Consent requests repeat a
   * nomination whose answer was lost. */
  check->use_candidate = set->controlling &&
      (is_being_nominated (pair) || is_nominated_again (set, pair, kind));
  if (check->use_candidate && ice_policy_renominates (&set->policy))
    check->nomination = pair->renomination.value;
  return check;
}

/* Makes the request and sends it; the caller starts the transaction. */
static IceCheck *
send_request (IceChecklistSet *set, IcePair *pair, IceCheckKind kind,
    IceTime now, IcePacket **ret_packet)
{
  IceCheck *check = add_check (set, pair, kind);

  *ret_packet = build_request (set, pair, check, 0);
  ice_gatherer_transmit (
      set->gatherer, pair->local, &pair->remote->address, *ret_packet, now);
  pair->requests_sent++;
  pair->sent_at = now;
  ice_loss_asked (&pair->loss);
  return check;
}

void
ice_checker_send_check (IceChecklistSet *set, IcePair *pair, IceTime now)
{
  gboolean reliable = pair->local->protocol == ICE_PROTOCOL_TCP;
  IcePacket *packet;
  IceCheck *check;
  /* RFC 8445 14.3, without the second N that makes ten pairs wait 5 s. */
  IceTime rto = MAX (ICE_STUN_RTO_MIN,
      set->context->ta * (IceTime) ice_checklist_set_count_open (set));

  ice_pair_cancel_checks (pair);
  /* RFC 5245 8.1.1.2: "in every check". */
  if (set->controlling && pair->nomination == ICE_NOMINATION_NONE &&
      ice_policy_is_aggressive (&set->policy))
    pair->nomination = ICE_NOMINATION_WANTED;
  check = send_request (set, pair, ICE_CHECK_ORDINARY, now, &packet);
  /* RFC 8489 6.2.2: TCP resends by itself. */
  ice_transaction_start (&check->transaction, packet, rto, reliable, now);
  check->live = TRUE;
  pair->n_unreachable = 0;
  if (set->context->world.log_level >= ICE_LOG_DEBUG) {
    g_autofree gchar *text = ice_pair_to_string (pair);

    ice_log (set->context, ICE_LOG_DEBUG, ICE_LOG_CHECK, "%s %s",
        check->use_candidate ? "nominate" : "check", text);
  }
}

static void
start_check (IceChecklistSet *set, IcePair *pair, IceTime now)
{
  if (pair->insisting && pair->state == ICE_PAIR_SUCCEEDED) {
    pair->insisting = FALSE;
    ice_checker_send_consent (set, pair, ICE_CHECK_PROBE, now);
    return;
  }
  if (pair->state != ICE_PAIR_SUCCEEDED)
    pair->state = ICE_PAIR_IN_PROGRESS;
  if (pair->checked_at == 0)
    pair->checked_at = now;
  if (pair->component->first_check_at == 0)
    pair->component->first_check_at = now;
  /* RFC 6544 7.1: first the connection. */
  if (pair->local->protocol == ICE_PROTOCOL_UDP ||
      ice_checker_connect (set, pair, now))
    ice_checker_send_check (set, pair, now);
}

void
ice_checker_send_consent (
    IceChecklistSet *set, IcePair *pair, IceCheckKind kind, IceTime now)
{
  IcePacket *packet;
  IceCheck *check;

  if (!ice_pair_is_connected (pair))
    return; /* the clock goes on */
  check = send_request (set, pair, kind, now, &packet);

  ice_transaction_start_once (
      &check->transaction, packet, CONSENT_TIMEOUT, now);
  pair->consent_requests_sent++;
}

void
ice_checker_send_sized (
    IceChecklistSet *set, IcePair *pair, guint size, IceTime now)
{
  IceCheck *check = add_check (set, pair, ICE_CHECK_SIZED);
  g_autoptr (IcePacket) plain = build_request (set, pair, check, 0);
  const gsize headers = pair->remote->address.family == ICE_FAMILY_IPV6
      ? IPV6_HEADERS
      : IPV4_HEADERS;
  const gsize taken = headers + plain->size;
  IcePacket *packet =
      build_request (set, pair, check, size > taken ? size - taken : 0);
  IceOutput *output = ice_outputs_add (set->context->out, ICE_OUTPUT_TRANSMIT);

  output->transmit.socket = pair->local->socket;
  output->transmit.to = pair->remote->address;
  output->transmit.packet = ice_packet_ref (packet);
  output->transmit.dont_fragment = TRUE;
  check->size = size;
  pair->requests_sent++;
  ice_transaction_start_once (
      &check->transaction, packet, CONSENT_TIMEOUT, now);
}

void
ice_checker_send_keepalive (IceChecklistSet *set, IcePair *pair, IceTime now)
{
  guint8 id[ICE_STUN_ID_SIZE];
  IceStunBuilder builder;
  g_autoptr (IcePacket) packet = NULL;

  /* RFC 8445 11: no authentication, only FINGERPRINT. */
  ice_context_random (set->context, id, sizeof id);
  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_BINDING, id);
  ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);
  ice_gatherer_transmit (
      set->gatherer, pair->local, &pair->remote->address, packet, now);
}

/* Time. */

static void
timeout_check (
    IceChecklistSet *set, IcePair *pair, IceCheck *check, IceTime now)
{
  gboolean live = check->live;

  switch (ice_transaction_timeout (&check->transaction, now)) {
    case ICE_TRANSACTION_IDLE:
      break;
    case ICE_TRANSACTION_SEND:
      ice_gatherer_transmit (set->gatherer, pair->local, &pair->remote->address,
          check->transaction.request, now);
      pair->retransmissions_sent++;
      pair->sent_at = now;
      ice_loss_asked (&pair->loss);
      break;
    case ICE_TRANSACTION_TIMED_OUT:
      ice_pair_remove_check (pair, check);
      /* RFC 8445 7.2.5.2.3; a cancelled or consent check fails nothing. */
      if (live)
        ice_checklist_fail (set, pair);
      break;
  }
}

static gboolean
timeout_pair (IceChecklistSet *set, IcePair *pair, gpointer user)
{
  IceTime now = *(IceTime *) user;

  for (guint i = pair->checks->len; i-- > 0;)
    timeout_check (set, pair, g_ptr_array_index (pair->checks, i), now);
  return FALSE;
}

void
ice_checker_timeout (IceChecklistSet *set, IceTime now)
{
  ice_checklist_set_find_pair (set, timeout_pair, &now);
}

void
ice_checker_run (IceChecklistSet *set, IceTime now)
{
  IcePair *pair;

  /* RFC 8445 2.5: a lite agent sends none, and forms no pairs to check. */
  while (!set->policy.lite && set->context->next_slot <= now &&
      (pair = ice_checklist_set_peek (set)) != NULL &&
      ice_context_take_slot (set->context, now)) {
    ice_checklist_set_take (set, pair);
    start_check (set, pair, now);
  }
}

static gboolean
earliest (IceChecklistSet *set, IcePair *pair, gpointer user)
{
  IceTime *deadline = user;

  for (guint i = 0; i < pair->checks->len; i++) {
    IceCheck *check = g_ptr_array_index (pair->checks, i);

    *deadline = MIN (*deadline, ice_transaction_deadline (&check->transaction));
  }
  return FALSE;
}

IceTime
ice_checker_deadline (IceChecklistSet *set)
{
  IceTime deadline = ICE_TIME_NEVER;

  ice_checklist_set_find_pair (set, earliest, &deadline);
  /* One that became lite may have pairs left that it will not check. */
  if (!set->policy.lite && ice_checklist_set_peek (set))
    deadline = MIN (deadline, set->context->next_slot);
  return deadline;
}

/* Answers. */

static IceCandidate *
find_mapped (IcePair *pair, const IceAddress *mapped)
{
  GPtrArray *locals = pair->component->stream->locals;

  /* Behind a NAT that we were told of (external-addresses), peers on this side
   * of it see the base. */
  if (ice_address_equal (&pair->local->address, mapped) ||
      (pair->local->kind == ICE_CANDIDATE_HOST &&
          ice_address_equal (&pair->local->base, mapped)))
    return pair->local;
  for (guint i = 0; i < locals->len; i++) {
    IceCandidate *local = g_ptr_array_index (locals, i);

    if (local->component == pair->component->number &&
        local->protocol == pair->local->protocol &&
        local->tcp_type == pair->local->tcp_type &&
        ice_address_equal (&local->address, mapped))
      return local;
  }
  return NULL;
}

/* RFC 8445 7.2.5.3.1: an address of ours that only the peer could tell. */
static IceCandidate *
learn_local (IceChecklistSet *set, IcePair *pair, IceCheck *check,
    const IceAddress *mapped)
{
  IceStream *stream = pair->component->stream;
  IceCandidate *local =
      ice_candidate_new (ICE_CANDIDATE_PEER_REFLEXIVE, pair->component->number);

  local->id = ice_context_new_id (set->context);
  local->stream = stream->id;
  local->priority = check->priority;
  local->local_preference = pair->local->local_preference;
  local->address = *mapped;
  local->base = pair->local->base;
  if (!pair->local->host_name)
    local->related = local->base;
  local->protocol = pair->local->protocol;
  local->tcp_type = pair->local->tcp_type;
  local->socket = pair->local->socket;
  local->endpoint = pair->local->endpoint;
  local->ufrag = g_strdup (pair->generation->local_ufrag);
  /* RFC 8445 5.1.1.3: kind and base decide; both are in the base's own. */
  g_snprintf (local->foundation, sizeof local->foundation, "p%.30s",
      pair->local->foundation);
  if (pair->generation == stream->generation)
    g_ptr_array_add (stream->locals, ice_candidate_ref (local));
  return local;
}

static void
set_mapped (IceChecklistSet *set, IcePair *pair, IceCheck *check,
    const IceAddress *mapped)
{
  IceCandidate *local = find_mapped (pair, mapped);

  if (local == NULL && pair->component->stream->locals->len >= MAX_LOCALS)
    local = pair->local;
  g_clear_pointer (&pair->mapped, ice_candidate_unref);
  pair->mapped = local ? ice_candidate_ref (local)
                       : learn_local (set, pair, check, mapped);
  ice_pair_update_priority (pair, set->controlling);
}

/* A NAT of ours has forgotten the selected pair, and the peer has to follow us
 * to its new port; one that does not renominate follows a restart only. */
static void
watch_mapped (IceChecklistSet *set, IcePair *pair, IceCheck *check,
    const IceAddress *mapped)
{
  if (pair->mapped == NULL || pair != pair->component->selected ||
      pair->generation != pair->component->stream->generation ||
      ice_address_equal (&pair->mapped->address, mapped))
    return;
  if (!ice_policy_renominates (&set->policy)) {
    pair->component->rebound = TRUE;
    return;
  }
  set_mapped (set, pair, check, mapped);
  pair->renomination.rebound = TRUE;
}

/* RFC 8445 7.2.5.3.2: the pair is valid, seen as @mapped by the peer. */
static void
make_valid (IceChecklistSet *set, IcePair *pair, IceCheck *check,
    const IceAddress *mapped, IceTime now)
{
  if (pair->mapped == NULL)
    set_mapped (set, pair, check, mapped);
  if (pair->succeeded_at == 0) {
    pair->succeeded_at = now;
    ice_renominator_suspect (pair, now);
    if (pair->learnt && set->n_unproven > 0) /* 0: restarted since */
      set->n_unproven--;
  }
  pair->state = ICE_PAIR_SUCCEEDED;
  pair->reopening = FALSE;
  ice_checklist_thaw_mates (set, pair);
  /* Media is about to flow: ask for the channel now (RFC 8445 12.1). */
  ice_gatherer_bind_channel (
      set->gatherer, pair->local, &pair->remote->address, now);
}

static void
note_rtt (IcePair *pair, IceCheck *check, IceTime now)
{
  IceTime rtt = now - check->transaction.sent_at;

  /* Karn: which of several requests was answered is not known. */
  if (check->transaction.n_sent == 1 || pair->rtt == 0)
    pair->rtt = MAX (rtt, 1);
  if (check->transaction.n_sent == 1) {
    IceRenomination *smooth = &pair->renomination;

    smooth->rtt = smooth->n_rtt++ ? (3 * smooth->rtt + pair->rtt) / 4 : rtt;
  }
  pair->total_rtt += rtt;
  pair->responses_received++;
  ice_loss_answered (&pair->loss);
}

/* RFC 8445 7.2.5.3.4. */
static void
update_nomination (IceChecklistSet *set, IcePair *pair, const IceCheck *check)
{
  /* One without a value was sent before the peer's options were known. */
  if (set->controlling && ice_policy_renominates (&set->policy) &&
      (check->nomination != 0 || pair->renomination.pending)) {
    ice_renominator_acked (set, pair, check->nomination);
    return;
  }
  if (pair->nomination != ICE_NOMINATION_WANTED ||
      (set->controlling && !check->use_candidate))
    return;
  pair->nomination = ICE_NOMINATION_DONE;
  ice_pair_cancel_checks (pair);
  g_queue_remove (&pair->component->stream->triggered, pair);
}

static void
conclude_check (IceChecklistSet *set, IcePair *pair, IceCheck *check)
{
  IceStream *stream = pair->component->stream;

  ice_pair_remove_check (pair, check);
  /* An older check was answered while the nominating one is under way or
   * still to be sent: that one has to go on. */
  if (set->controlling && is_being_nominated (pair))
    return;
  ice_pair_cancel_checks (pair);
  g_queue_remove (&stream->triggered, pair);
}

static void
check_succeeded (IceChecklistSet *set, IcePair *pair, IceCheck *check,
    const IceAddress *mapped, IceTime now)
{
  IceComponent *component = pair->component;

  if (check->kind == ICE_CHECK_ORDINARY &&
      ice_checklist_set_is_taken (set, pair->local, &pair->remote->address)) {
    /* What comes from there could not be told apart (design 9.9). */
    ice_pair_remove_check (pair, check);
    ice_checklist_fail (set, pair);
    return;
  }
  note_rtt (pair, check, now);
  pair->granted_at = now;
  if (check->kind == ICE_CHECK_SIZED && component->mtu.pair == pair->id)
    ice_mtu_answered (&component->mtu, check->size, now);
  if (component->selected == pair)
    ice_consent_answered (&component->consent, pair->rtt, now);
  update_nomination (set, pair, check);
  watch_mapped (set, pair, check, mapped);
  if (check->kind != ICE_CHECK_ORDINARY) {
    ice_pair_remove_check (pair, check);
    return;
  }
  make_valid (set, pair, check, mapped, now);
  conclude_check (set, pair, check);
  /* The answer is signed and came from there, as a check would have: an
   * ice-lite peer sends none of its own. */
  ice_checklist_set_accept (set, component, pair->local, &pair->remote->address,
      pair->generation->number, TRUE);
}

/* RFC 8445 7.2.5.1: a 487. */
static void
role_conflict (IceChecklistSet *set, IcePair *pair, IceCheck *check)
{
  gboolean stale = check->controlling != set->controlling ||
      check->tie_breaker != set->tie_breaker;
  gboolean ordinary = check->kind == ICE_CHECK_ORDINARY;

  ice_pair_remove_check (pair, check);
  if (!stale) {
    if (set->n_role_switches >= ICE_MAX_ROLE_SWITCHES) {
      if (ordinary)
        ice_checklist_fail (set, pair);
      return;
    }
    set->n_role_switches++;
    ice_checklist_set_switch_role (set, !set->controlling, TRUE);
  }
  /* A pair of a former generation is on no checklist any more. */
  if (ordinary && pair->state != ICE_PAIR_FAILED &&
      pair->generation == pair->component->stream->generation)
    ice_checklist_trigger (pair);
}

static IceVerdict
receive_error (IceChecklistSet *set, IcePair *pair, IceCheck *check,
    const IceStunMessage *message)
{
  IceBytes reason;
  guint code;

  if (!ice_stun_message_get_error (message, &code, &reason))
    return ICE_VERDICT_MALFORMED;
  ice_log (set->context, ICE_LOG_DEBUG, ICE_LOG_CHECK,
      "check answered with error %u", code);
  pair->responses_received++;
  switch (code) {
    case 487:
      role_conflict (set, pair, check);
      return ICE_VERDICT_OK;
    case 403:
      /* RFC 7675 5.2: consent is revoked at once. */
      if (pair->component->selected == pair)
        ice_consent_revoke (&pair->component->consent);
      break;
    default:
      break;
  }
  if (check->kind == ICE_CHECK_ORDINARY)
    ice_checklist_fail (set, pair);
  ice_pair_remove_check (pair, check);
  return ICE_VERDICT_OK;
}

static gboolean
has_check (IceChecklistSet *set, IcePair *pair, gpointer id)
{
  return ice_pair_find_check (pair, id) != NULL;
}

gboolean
ice_checker_has_sent (IceChecklistSet *set, const guint8 *id)
{
  return ice_checklist_set_find_pair (set, has_check, (gpointer) id) != NULL;
}

/* RFC 8489 9.1.4: an answer without the right MAC is no answer, and the
 * request goes on being resent. */
static gboolean
is_authentic (
    IceChecklistSet *set, IcePair *pair, const IceStunMessage *message)
{
  guint code;
  IceBytes reason;

  if (ice_stun_message_verify (
          message, pair->generation->remote_key, ICE_STUN_INTEGRITY_SHA1))
    return TRUE;
  if (message->klass == ICE_STUN_ERROR &&
      ice_stun_message_get_error (message, &code, &reason) && code == 401)
    pair->component->stream->n_unauthorized++;
  return FALSE;
}

IceVerdict
ice_checker_receive (IceChecklistSet *set, IceCandidate *local,
    const IceAddress *from, const IceStunMessage *message, IceTime now)
{
  IcePair *pair =
      ice_checklist_set_find_pair (set, has_check, (gpointer) message->id);
  IceAddress mapped;
  IceCheck *check;
  gboolean symmetric;
  guint16 unknown;

  if (pair == NULL)
    return ICE_VERDICT_UNEXPECTED;
  if (!is_authentic (set, pair, message))
    return ICE_VERDICT_UNAUTHENTICATED;
  check = ice_pair_find_check (pair, message->id);

  /* RFC 8445 7.2.5.2.1: from where it was sent to, to where it was sent from;
   * RFC 8489 6.3.3: and nothing in it that had to be understood. */
  symmetric = ice_pair_same_local (pair->local, local) &&
      ice_address_equal (&pair->remote->address, from);
  /* Who sees our packets can have a copy of the answer overtake it. That may
   * fail a pair, as the RFC wants, but not one that is valid already. */
  if (!symmetric && pair->state != ICE_PAIR_IN_PROGRESS)
    return ICE_VERDICT_UNEXPECTED;
  if (!symmetric || ice_stun_message_unknown (message, &unknown, 1) > 0) {
    if (check->kind == ICE_CHECK_ORDINARY &&
        pair->state == ICE_PAIR_IN_PROGRESS)
      ice_checklist_fail (set, pair);
    ice_pair_remove_check (pair, check);
    return ICE_VERDICT_UNEXPECTED;
  }
  if (message->klass == ICE_STUN_ERROR)
    return receive_error (set, pair, check, message);
  if (!ice_stun_message_get_xor_address (
          message, ICE_STUN_XOR_MAPPED_ADDRESS, &mapped) ||
      !ice_address_is_usable (&mapped))
    return ICE_VERDICT_MALFORMED;
  check_succeeded (set, pair, check, &mapped, now);
  return ICE_VERDICT_OK;
}

/* One error may come from a NAT that the peer is just about to open. */
static gboolean
give_up_unreachable (IceChecklistSet *set, IcePair *pair, const IceCheck *check)
{
  if (++pair->n_unreachable < 2 && check->transaction.n_sent < 2)
    return FALSE;
  ice_checklist_fail (set, pair);
  return TRUE;
}

gboolean
ice_checker_unreachable (
    IceChecklistSet *set, guint socket, const IceAddress *to, IceBytes packet)
{
  IcePair *pair;
  IceCheck *check;

  /* Whoever quotes the transaction id has seen the request. */
  if (packet.size < ICE_STUN_HEADER_SIZE)
    return FALSE;
  pair = ice_checklist_set_find_pair (
      set, has_check, (gpointer) (packet.data + 8));
  if (pair == NULL || pair->state != ICE_PAIR_IN_PROGRESS ||
      pair->local->socket != socket ||
      !ice_address_equal (&pair->remote->address, to))
    return FALSE;
  check = ice_pair_find_check (pair, packet.data + 8);
  if (check != ice_pair_live_check (pair))
    return FALSE;
  return give_up_unreachable (set, pair, check);
}

void
ice_checker_peer_unreachable (IceChecklistSet *set, IceStream *stream,
    const IceCandidate *local, const IceAddress *peer)
{
  for (guint i = 0; i < stream->pairs->len; i++) {
    IcePair *pair = g_ptr_array_index (stream->pairs, i);
    const IceAddress *remote = &pair->remote->address;
    const IceCheck *check;

    if (pair->state != ICE_PAIR_IN_PROGRESS ||
        !ice_pair_same_local (pair->local, local) ||
        !ice_address_same_ip (remote, peer) ||
        (peer->port != 0 && peer->port != remote->port))
      continue;
    check = ice_pair_live_check (pair);
    if (check)
      give_up_unreachable (set, pair, check);
  }
}
