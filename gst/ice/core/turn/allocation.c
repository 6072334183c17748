/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "allocation-private.h"

#include "channel-data.h"

#include "../purity.h"

/* RFC 8656 3.2: the default lifetime. Servers' numbers are hostile: outside of
 * these bounds they would make us refresh in a storm, or never. */
#define LIFETIME_DEFAULT 600
#define LIFETIME_MIN 60
#define LIFETIME_MAX (24 * 3600)
/* RFC 8656 8: refresh roughly a minute before it expires. */
#define REFRESH_EARLY 60
#define REFRESH_FAILURES_MAX 3
#define VERIFY_GAP (900 * ICE_MSEC)
/* RFC 8445 11: Tr is 15 s. NAT bindings live shorter than permissions
 * (RFC 8656 9, note), and those who wait for a peer send nothing. */
#define KEEPALIVE_INTERVAL (15 * ICE_SECOND)

IceAllocation *
ice_allocation_new (const gchar *username, const gchar *password,
    IceFamily family, const IceTurnDice *dice, IceTime rto)
{
  IceAllocation *self = g_new0 (IceAllocation, 1);

  self->relay = ICE_TURN_RELAY_UDP;
  self->family = family;
  self->refresh_at = self->expires_at = ICE_TIME_NEVER;
  self->next_channel = ICE_CHANNEL_MIN;
  ice_turn_link_init (&self->link, username, password, dice, rto);
  self->permissions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_permission_free);
  self->channels =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_channel_free);
  self->events = g_array_new (FALSE, FALSE, sizeof (IceTurnEvent));
  return self;
}

void
ice_allocation_free (IceAllocation *self)
{
  ice_turn_request_clear (&self->request);
  ice_turn_request_clear (&self->move);
  g_clear_pointer (&self->ticket, g_bytes_unref);
  g_free (self->alternate_domain);
  g_ptr_array_unref (self->permissions);
  g_ptr_array_unref (self->channels);
  g_array_unref (self->events);
  ice_turn_link_clear (&self->link);
  g_free (self);
}

void
ice_allocation_set_password (
    IceAllocation *self, const gchar *username, const gchar *password)
{
  ice_stun_auth_set_password (self->link.auth, username, password);
  self->has_new_credentials = TRUE;
}

void
ice_allocation_set_token (
    IceAllocation *self, const gchar *kid, IceBytes token, IceBytes mac_key)
{
  ice_stun_auth_set_token (self->link.auth, kid, token, mac_key);
  self->has_new_credentials = TRUE;
}

void
ice_allocation_set_options (IceAllocation *self, const IceTurnOptions *options)
{
  self->options = *options;
}

gboolean
ice_allocation_has_family (const IceAllocation *self, guint8 family)
{
  return family != ICE_FAMILY_NONE &&
      (self->relayed.family == family || self->additional.family == family);
}

IcePacket *
ice_allocation_take_packet (IceAllocation *self)
{
  return ice_turn_link_take (&self->link);
}

gboolean
ice_allocation_next_event (IceAllocation *self, IceTurnEvent *ret_event)
{
  if (self->events->len == 0)
    return FALSE;
  *ret_event = g_array_index (self->events, IceTurnEvent, 0);
  g_array_remove_index (self->events, 0);
  return TRUE;
}

void
ice_allocation_emit (IceAllocation *self, IceTurnEventType type,
    const IceAddress *peer, guint16 channel, guint code)
{
  IceTurnEvent event = { .type = type, .code = code, .channel = channel };

  if (peer)
    event.peer = *peer;
  g_array_append_val (self->events, event);
}

void
ice_allocation_end (IceAllocation *self, IceTurnEventType type, guint code)
{
  ice_turn_request_clear (&self->request);
  ice_turn_request_clear (&self->move);
  g_ptr_array_set_size (self->permissions, 0);
  g_ptr_array_set_size (self->channels, 0);
  self->state = ICE_ALLOCATION_GONE;
  ice_allocation_emit (self, type, NULL, 0, code);
}

void
ice_allocation_request (IceAllocation *self, IceTime now)
{
  IceStunBuilder builder;

  ice_turn_link_begin (
      &self->link, &builder, ICE_STUN_REQUEST, ICE_STUN_ALLOCATE);
  /* RFC 8656 18.8: the protocol is the first of four bytes. */
  ice_stun_builder_add_u32 (
      &builder, ICE_STUN_REQUESTED_TRANSPORT, (guint32) self->relay << 24);
  ice_allocation_add_options (self, &builder);
  ice_turn_request_start (&self->request, &self->link, &builder, now);
  self->state = ICE_ALLOCATION_REQUESTED;
}

static void
send_refresh (IceAllocation *self, guint lifetime, IceTime now)
{
  IceStunBuilder builder;

  ice_turn_link_begin (
      &self->link, &builder, ICE_STUN_REQUEST, ICE_STUN_REFRESH);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_LIFETIME, lifetime);
  ice_turn_request_start (&self->request, &self->link, &builder, now);
}

void
ice_allocation_release (IceAllocation *self, IceTime now)
{
  ice_turn_request_clear (&self->move);
  g_ptr_array_set_size (self->permissions, 0);
  g_ptr_array_set_size (self->channels, 0);
  /* A signed Allocate may just be being granted. */
  if (self->state == ICE_ALLOCATION_ACTIVE ||
      (self->state == ICE_ALLOCATION_REQUESTED &&
          ice_stun_auth_is_ready (self->link.auth))) {
    ice_turn_request_clear (&self->request);
    send_refresh (self, 0, now);
    self->state = ICE_ALLOCATION_RELEASING;
  } else if (self->state != ICE_ALLOCATION_RELEASING) {
    ice_turn_request_clear (&self->request);
    self->state = ICE_ALLOCATION_GONE;
  }
}

/* Who asks again wants to know now, while what is resent comes in ever longer
 * gaps. Over a reliable transport it is on its way. */
static gboolean
is_overdue (const IceAllocation *self, IceTime now)
{
  return !self->link.reliable &&
      now - self->request.transaction.started_at >=
      MAX (VERIFY_GAP, 2 * self->rtt);
}

void
ice_allocation_verify (IceAllocation *self, IceTime now)
{
  if (self->state != ICE_ALLOCATION_ACTIVE ||
      (ice_allocation_is_refreshing (self) && !is_overdue (self, now)))
    return;
  self->refresh_at = ICE_TIME_NEVER;
  send_refresh (self, self->lifetime, now);
}

gboolean
ice_allocation_is_refreshing (const IceAllocation *self)
{
  return self->state == ICE_ALLOCATION_ACTIVE &&
      ice_turn_request_deadline (&self->request) != ICE_TIME_NEVER;
}

static void
take_lifetime (IceAllocation *self, guint lifetime, IceTime now)
{
  guint refresh_after;

  self->lifetime = CLAMP (lifetime, LIFETIME_MIN, LIFETIME_MAX);
  refresh_after = MAX (self->lifetime - REFRESH_EARLY, self->lifetime / 2);
  self->expires_at = now + self->lifetime * ICE_SECOND;
  self->refresh_at = now + refresh_after * ICE_SECOND;
  self->n_failures = 0;
}

/* RFC 8656 7.3: an address we cannot handle is given back. */
static void
take_allocation (IceAllocation *self, const IceStunMessage *answer, IceTime now)
{
  guint32 lifetime = LIFETIME_DEFAULT;

  if (ice_stun_message_has (answer, ICE_STUN_LIFETIME) &&
      !ice_stun_message_get_u32 (answer, ICE_STUN_LIFETIME, &lifetime))
    lifetime = 0;
  if (lifetime == 0) {
    ice_allocation_end (self, ICE_TURN_FAILED, ICE_TURN_NONSENSE);
    return;
  }
  if (!ice_allocation_take_options (self, answer)) {
    ice_allocation_emit (self, ICE_TURN_FAILED, NULL, 0, ICE_TURN_NONSENSE);
    send_refresh (self, 0, now);
    self->state = ICE_ALLOCATION_RELEASING;
    return;
  }
  if (!ice_stun_message_get_xor_address (
          answer, ICE_STUN_XOR_MAPPED_ADDRESS, &self->mapped) ||
      !ice_address_is_usable (&self->mapped))
    self->mapped = ICE_ADDRESS_NONE;
  take_lifetime (self, lifetime, now);
  self->state = ICE_ALLOCATION_ACTIVE;
  ice_allocation_emit (self, ICE_TURN_ALLOCATED, NULL, 0, 0);
}

/* What is asked for less shares the budget of what is asked for with other
 * credentials: four requests in all. */
static gboolean
ask_for_less (
    IceAllocation *self, const IceStunMessage *answer, guint code, guint rounds)
{
  if (ice_turn_error_remedy (ICE_STUN_ALLOCATE, code) != ICE_TURN_STRIP ||
      rounds >= ICE_STUN_AUTH_ROUNDS ||
      !ice_allocation_strip (
          self, code, answer, rounds + 1 >= ICE_STUN_AUTH_ROUNDS))
    return FALSE;
  self->request.rounds = rounds + 1;
  return TRUE;
}

/* RFC 8489 14.16: "a valid DNS name [RFC1123] (including A-labels) of 255 or
 * fewer ASCII characters". (transfer full) (nullable) */
static gchar *
read_domain (const IceStunMessage *answer)
{
  IceBytes value;

  if (!ice_stun_message_find (answer, ICE_STUN_ALTERNATE_DOMAIN, &value) ||
      value.size == 0 || value.size > 255)
    return NULL;
  for (gsize i = 0; i < value.size; i++) {
    if (!g_ascii_isalnum (value.data[i]) && value.data[i] != '-' &&
        value.data[i] != '.')
      return NULL;
  }
  return g_strndup ((const gchar *) value.data, value.size);
}

static void
take_alternate (IceAllocation *self, const IceStunMessage *answer, guint code)
{
  g_clear_pointer (&self->alternate_domain, g_free);
  self->alternate = ICE_ADDRESS_NONE;
  if (code == 300 &&
      ice_stun_message_get_address (
          answer, ICE_STUN_ALTERNATE_SERVER, &self->alternate))
    self->alternate_domain = read_domain (answer);
}

static void
take_allocate_answer (IceAllocation *self, IceTurnAnswer what,
    const IceStunMessage *answer, guint code, guint rounds, IceTime now)
{
  if (what == ICE_TURN_ANSWER_ERROR &&
      ask_for_less (self, answer, code, rounds))
    what = ICE_TURN_ANSWER_RETRY;
  switch (what) {
    case ICE_TURN_ANSWER_RETRY:
      self->state = ICE_ALLOCATION_IDLE;
      ice_allocation_emit (self, ICE_TURN_CHALLENGED, NULL, 0, code);
      break;
    case ICE_TURN_ANSWER_SUCCESS:
      take_allocation (self, answer, now);
      break;
    case ICE_TURN_ANSWER_ERROR:
      take_alternate (self, answer, code);
      ice_allocation_end (self, ICE_TURN_FAILED, code);
      break;
    default:
      break;
  }
}

/* What is held is asked for until it expires, a few times. */
static void
refresh_later (IceAllocation *self, guint code, IceTime now)
{
  IceTime left = self->expires_at - now;

  if (++self->n_failures > REFRESH_FAILURES_MAX)
    ice_allocation_end (self, ICE_TURN_LOST, code);
  else
    self->refresh_at = now + MAX (left / 4, ICE_SECOND);
}

static void
refresh_failed (IceAllocation *self, guint code, IceTime now)
{
  switch (ice_turn_error_remedy (ICE_STUN_REFRESH, code)) {
    case ICE_TURN_GONE:
      ice_allocation_lose (self, code, now);
      break;
    case ICE_TURN_TRY_LATER:
      refresh_later (self, code, now);
      break;
    case ICE_TURN_AUTHENTICATE: /* four requests, and it refuses still */
    case ICE_TURN_REFUSED:
    case ICE_TURN_OTHER_CREDENTIALS:
      ice_allocation_emit (self, ICE_TURN_REFUSED_US, NULL, 0, code);
      break;
    default:
      break;
  }
}

gboolean
ice_allocation_take_refreshed (
    IceAllocation *self, const IceStunMessage *answer, IceTime now)
{
  guint32 lifetime = LIFETIME_DEFAULT;

  if (ice_stun_message_has (answer, ICE_STUN_LIFETIME) &&
      !ice_stun_message_get_u32 (answer, ICE_STUN_LIFETIME, &lifetime))
    lifetime = 0;
  if (lifetime == 0)
    return FALSE;
  take_lifetime (self, lifetime, now);
  self->n_refreshed++;
  return TRUE;
}

static void
take_refresh_answer (IceAllocation *self, IceTurnAnswer what,
    const IceStunMessage *answer, guint code, IceTime now)
{
  if (what == ICE_TURN_ANSWER_RETRY) {
    send_refresh (self, self->lifetime, now);
  } else if (what == ICE_TURN_ANSWER_ERROR) {
    refresh_failed (self, code, now);
  } else if (what == ICE_TURN_ANSWER_SUCCESS) {
    if (!ice_allocation_take_refreshed (self, answer, now))
      ice_allocation_end (self, ICE_TURN_LOST, ICE_TURN_NONSENSE);
  }
}

/* RFC 8656 8.3: 437 is as good as a success; there is nothing more to do about
 * other errors. */
static void
take_release_answer (IceAllocation *self, IceTurnAnswer what, IceTime now)
{
  if (what == ICE_TURN_ANSWER_RETRY)
    send_refresh (self, 0, now);
  else
    self->state = ICE_ALLOCATION_GONE;
}

IceTurnVerdict
ice_allocation_judge (IceTurnAnswer answer)
{
  if (answer == ICE_TURN_ANSWER_NOT_MINE)
    return ICE_TURN_NOT_MINE;
  return answer == ICE_TURN_ANSWER_DISCARDED ? ICE_TURN_DROPPED
                                             : ICE_TURN_HANDLED;
}

static IceTurnVerdict
receive_own_answer (
    IceAllocation *self, const IceStunMessage *answer, IceTime now)
{
  IceTime sent_at = self->request.transaction.sent_at;
  guint rounds = self->request.rounds;
  IceTurnAnswer what;
  guint code = 0;

  what = ice_turn_request_receive (&self->request, &self->link, answer, &code);
  if (what == ICE_TURN_ANSWER_NOT_MINE || what == ICE_TURN_ANSWER_DISCARDED)
    return ice_allocation_judge (what);
  self->rtt = now - sent_at;
  if (self->state == ICE_ALLOCATION_REQUESTED)
    take_allocate_answer (self, what, answer, code, rounds, now);
  else if (self->state == ICE_ALLOCATION_ACTIVE)
    take_refresh_answer (self, what, answer, code, now);
  else if (self->state == ICE_ALLOCATION_RELEASING)
    take_release_answer (self, what, now);
  return ICE_TURN_HANDLED;
}

IceTurnVerdict
ice_allocation_receive (IceAllocation *self, IceBytes datagram,
    const IceStunMessage *message, IceTime now, IceAddress *ret_peer,
    IceBytes *ret_payload)
{
  IceTurnVerdict verdict;

  if (!message)
    return ice_allocation_receive_channel_data (
        self, datagram, now, ret_peer, ret_payload);
  if (message->klass == ICE_STUN_INDICATION && message->method == ICE_STUN_DATA)
    return ice_allocation_receive_data (
        self, message, now, ret_peer, ret_payload);
  if (message->klass != ICE_STUN_SUCCESS && message->klass != ICE_STUN_ERROR)
    return ICE_TURN_NOT_MINE;
  verdict = receive_own_answer (self, message, now);
  if (verdict == ICE_TURN_NOT_MINE)
    verdict = ice_allocation_receive_move_answer (self, message, now);
  if (verdict == ICE_TURN_NOT_MINE)
    verdict = ice_allocation_receive_peer_answer (self, message, now);
  if (verdict == ICE_TURN_DROPPED && self->state == ICE_ALLOCATION_ACTIVE &&
      ice_allocation_hear_rumour (self, message, now))
    verdict = ICE_TURN_HANDLED;
  return verdict;
}

static void
own_timeout (IceAllocation *self, IceTime now)
{
  gboolean given_up =
      !ice_turn_request_timeout (&self->request, &self->link, now);

  if (self->state == ICE_ALLOCATION_RELEASING) {
    if (given_up)
      self->state = ICE_ALLOCATION_GONE;
  } else if (self->state == ICE_ALLOCATION_REQUESTED) {
    if (given_up)
      ice_allocation_end (self, ICE_TURN_FAILED, ICE_TURN_NO_ANSWER);
  } else if (now >= self->expires_at) {
    ice_allocation_end (self, ICE_TURN_LOST, ICE_TURN_NO_ANSWER);
  } else if (given_up) {
    refresh_later (self, ICE_TURN_NO_ANSWER, now);
  } else if (now >= self->refresh_at) {
    self->refresh_at = ICE_TIME_NEVER;
    send_refresh (self, self->lifetime, now);
  }
}

static IceTime
keepalive_at (const IceAllocation *self)
{
  return self->link.last_sent + KEEPALIVE_INTERVAL;
}

static void
send_keepalive (IceAllocation *self, IceTime now)
{
  IceStunBuilder builder;

  ice_turn_link_begin (
      &self->link, &builder, ICE_STUN_INDICATION, ICE_STUN_BINDING);
  ice_stun_builder_add_fingerprint (&builder);
  ice_turn_link_push (&self->link, ice_stun_builder_end (&builder), now);
}

static void
use_new_credentials (IceAllocation *self, IceTime now)
{
  self->has_new_credentials = FALSE;
  if (self->refresh_at == ICE_TIME_NEVER &&
      !ice_allocation_is_refreshing (self))
    self->refresh_at = now;
  ice_allocation_peers_ask_again (self, now);
}

void
ice_allocation_timeout (IceAllocation *self, IceTime now)
{
  if (self->state == ICE_ALLOCATION_IDLE || self->state == ICE_ALLOCATION_GONE)
    return;
  if (self->state == ICE_ALLOCATION_ACTIVE && self->has_new_credentials)
    use_new_credentials (self, now);
  own_timeout (self, now);
  if (self->state != ICE_ALLOCATION_ACTIVE)
    return;
  ice_allocation_move_timeout (self, now);
  ice_allocation_peers_timeout (self, now);
  if (now >= keepalive_at (self))
    send_keepalive (self, now);
}

IceTime
ice_allocation_deadline (const IceAllocation *self)
{
  IceTime deadline;

  if (self->state == ICE_ALLOCATION_IDLE || self->state == ICE_ALLOCATION_GONE)
    return ICE_TIME_NEVER;
  deadline = ice_turn_request_deadline (&self->request);
  if (self->state != ICE_ALLOCATION_ACTIVE)
    return deadline;
  deadline = MIN (deadline, MIN (self->refresh_at, self->expires_at));
  deadline = MIN (deadline, ice_turn_request_deadline (&self->move));
  deadline = MIN (deadline, keepalive_at (self));
  return MIN (deadline, ice_allocation_peers_deadline (self));
}
