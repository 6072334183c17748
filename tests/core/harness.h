/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One core, a clock and dice of our own, and a peer that is a few functions:
 * everything a test of checks needs, and nothing runs by itself. */
#pragma once

#include "gst/ice/core/core.h"
#include "gst/ice/core/stun/builder.h"

#include <string.h>

#define PEER_UFRAG "peer"
#define PEER_PWD "peerspasswordof24letters"
#define HOST_IP "192.0.2.1"
/* As our prflx PRIORITY of component 1: any will do. */
#define PEER_PRIORITY 1862270975u

typedef struct
{
  guint socket;
  IceAddress to;
  IcePacket *packet; /* (owned) */
} Sent;

typedef struct
{
  IceCore *core; /* (owned) */
  IceTime now, deadline;
  guint64 dice;
  guint stream, transport;
  guint socket; /* the first that was opened */
  guint16 next_port;
  IceTime *budget; /* (unowned) (nullable) of all agents: their next slot */
  IceAddress host;
  GQueue sent; /* (owned) Sent, oldest first */

  /* What was said last, and how often. */
  IceState state;
  IceCause cause;
  guint route_socket;
  IceAddress route_to;
  guint n_selected, n_roles, n_accepts, n_consent_lost, n_remote, n_local;
  guint n_first_check, n_delivered, n_gathered;
  gboolean nominated, controlling, fatal;
  gchar *error; /* (owned) (nullable) */

  /* (nullable) sees every output before it is performed. */
  void (*watch) (gpointer user, const IceOutput *output);
  gpointer watch_user; /* (unowned) */
} Harness;

static inline IceAddress
addr (const gchar *ip, guint16 port)
{
  IceAddress result;

  g_assert_true (ice_address_parse (&result, ip, port));
  return result;
}

static inline void
harness_random (gpointer user, guint8 *ret_bytes, gsize size)
{
  Harness *self = user;

  for (gsize i = 0; i < size; i++) {
    self->dice = self->dice * 6364136223846793005u + 1442695040888963407u;
    ret_bytes[i] = self->dice >> 56;
  }
}

/* RFC 8445 14.2: 5 ms for all agents together. */
static inline IceTime
harness_reserve (gpointer user, IceTime now)
{
  Harness *self = user;
  IceTime slot = now;

  if (self->budget) {
    slot = MAX (now, *self->budget);
    *self->budget = slot + 5 * ICE_MSEC;
  }
  return slot;
}

static inline void
sent_free (Sent *sent)
{
  ice_packet_unref (sent->packet);
  g_free (sent);
}

static inline void
harness_perform (Harness *self, IceOutput *output, GArray *opened)
{
  Sent *sent;

  if (self->watch)
    self->watch (self->watch_user, output);
  switch (output->type) {
    case ICE_OUTPUT_TRANSMIT:
      sent = g_new0 (Sent, 1);
      sent->socket = output->transmit.socket;
      sent->to = output->transmit.to;
      sent->packet = ice_packet_ref (output->transmit.packet);
      g_queue_push_tail (&self->sent, sent);
      break;
    case ICE_OUTPUT_OPEN_SOCKET:
      g_array_append_val (opened, output->open_socket.socket);
      if (self->socket == 0)
        self->socket = output->open_socket.socket;
      break;
    case ICE_OUTPUT_STATE:
      self->state = output->state.state;
      self->cause = output->state.cause;
      break;
    case ICE_OUTPUT_ROUTE:
      self->route_socket = output->route.socket;
      self->route_to = output->route.to;
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      self->n_selected++;
      self->nominated = output->pair_selected.nominated;
      break;
    case ICE_OUTPUT_ACCEPT_FROM:
      self->n_accepts += output->accept_from.add ? 1 : -1;
      break;
    case ICE_OUTPUT_ROLE:
      self->n_roles++;
      self->controlling = output->role.controlling;
      break;
    case ICE_OUTPUT_CONSENT_LOST:
      self->n_consent_lost++;
      break;
    case ICE_OUTPUT_REMOTE_CANDIDATE:
      self->n_remote++;
      break;
    case ICE_OUTPUT_LOCAL_CANDIDATE:
      self->n_local++;
      break;
    case ICE_OUTPUT_FIRST_CHECK:
      self->n_first_check++;
      break;
    case ICE_OUTPUT_DELIVER:
      self->n_delivered++;
      break;
    case ICE_OUTPUT_GATHERED:
      self->n_gathered++;
      break;
    case ICE_OUTPUT_ERROR:
      g_free (self->error);
      self->error = g_strdup (output->error.text);
      self->fatal = output->error.fatal;
      break;
    default:
      break;
  }
}

/* Takes and performs outputs until there are none. */
static inline void
harness_pump (Harness *self)
{
  g_autoptr (GArray) opened = g_array_new (FALSE, FALSE, sizeof (guint));

  do {
    g_autoptr (IceOutput) outputs =
        ice_core_take_outputs (self->core, &self->deadline);

    g_array_set_size (opened, 0);
    for (IceOutput *output = outputs; output; output = output->next)
      harness_perform (self, output, opened);
    for (guint i = 0; i < opened->len; i++) {
      IceAddress bound = self->host;

      bound.port = self->next_port++;
      ice_core_socket_opened (
          self->core, g_array_index (opened, guint, i), &bound, self->now);
    }
  } while (opened->len > 0);
}

static inline void
harness_init (Harness *self, gboolean controlling)
{
  IceWorld world = {
    .random = harness_random, .reserve = harness_reserve, .user = self
  };
  IceCoreConfig config;

  *self = (Harness){ .now = 1000 * ICE_SECOND, .dice = 42, .next_port = 5000 };
  self->controlling = controlling;
  self->host = addr (HOST_IP, 0);
  g_queue_init (&self->sent);
  ice_core_config_init (&config, &world);
  config.controlling = controlling;
  self->core = ice_core_new (&config, self->now);
  ice_core_set_remote_pacing (self->core, 5);
  self->stream = ice_core_add_stream (self->core);
  self->transport = ice_core_add_component (self->core, self->stream, 1);
}

static inline void
harness_clear (Harness *self)
{
  ice_core_free (self->core);
  g_queue_clear_full (&self->sent, (GDestroyNotify) sent_free);
  g_free (self->error);
}

static inline void
harness_gather (Harness *self)
{
  IceInterfaceAddress interface = { .address = self->host,
    .interface_index = 1 };

  ice_core_set_interfaces (self->core, &interface, 1, self->now);
  ice_core_gather (self->core, self->stream, self->now);
  harness_pump (self);
  self->host.port = 5000;
}

static inline void
harness_credentials (Harness *self)
{
  g_assert_true (ice_core_set_remote_credentials (
      self->core, self->stream, PEER_UFRAG, PEER_PWD, self->now));
  harness_pump (self);
}

static inline IceVerdict
harness_add_remote (Harness *self, IceCandidateKind kind, const gchar *ip,
    guint16 port, const gchar *foundation)
{
  g_autoptr (IceCandidate) candidate = ice_candidate_new (kind, 1);
  IceVerdict verdict;

  candidate->address = candidate->base = addr (ip, port);
  candidate->priority = ice_candidate_compute_priority (kind, 65535 - port, 1);
  g_strlcpy (candidate->foundation, foundation, sizeof candidate->foundation);
  verdict = ice_core_add_remote_candidate (
      self->core, self->stream, candidate, self->now);
  harness_pump (self);
  return verdict;
}

/* Gathered, credentials known, one remote host candidate at 192.0.2.2:1. */
static inline void
harness_start (Harness *self, gboolean controlling)
{
  harness_init (self, controlling);
  harness_gather (self);
  harness_credentials (self);
  harness_add_remote (self, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
}

/* Runs timers up to and including @until. */
static inline void
harness_run_until (Harness *self, IceTime until)
{
  guint n_same = 0;

  while (self->deadline <= until) {
    n_same = self->deadline <= self->now ? n_same + 1 : 0;
    g_assert_cmpuint (n_same, <, 3);
    self->now = MAX (self->now, self->deadline);
    ice_core_timeout (self->core, self->now);
    harness_pump (self);
  }
  self->now = MAX (self->now, until);
}

static inline void
harness_run_for (Harness *self, IceTime duration)
{
  harness_run_until (self, self->now + duration);
}

/* Until something leaves. */
static inline void
harness_run_until_sent (Harness *self)
{
  while (g_queue_is_empty (&self->sent) && self->deadline != ICE_TIME_NEVER)
    harness_run_until (self, self->deadline);
}

static inline void
harness_forget_sent (Harness *self)
{
  g_queue_clear_full (&self->sent, (GDestroyNotify) sent_free);
}

/* (transfer full) (nullable) the oldest packet of a class; older ones of other
 * classes are dropped. */
static inline Sent *
harness_pop (Harness *self, IceStunClass klass, IceStunMessage *ret_message)
{
  Sent *sent;

  while ((sent = g_queue_pop_head (&self->sent)) != NULL) {
    g_assert_true (ice_stun_message_parse (
        ret_message, ICE_BYTES (sent->packet->data, sent->packet->size)));
    if (ret_message->klass == klass)
      return sent;
    sent_free (sent);
  }
  return NULL;
}

static inline IceVerdict
harness_receive (Harness *self, const IceAddress *from, IcePacket *packet)
{
  IceDatagram in = { .socket = self->socket,
    .from = *from,
    .data = ICE_BYTES (packet->data, packet->size) };
  IceVerdict verdict = ice_core_receive (self->core, &in, self->now);

  harness_pump (self);
  return verdict;
}

/* The peer answers one of our requests: 0 is success. */
static inline IceVerdict
harness_answer_from (Harness *self, const Sent *request, const IceAddress *from,
    const IceAddress *mapped, guint code, const gchar *pwd)
{
  g_autoptr (IceStunKey) key = pwd ? ice_stun_key_new_short_term (pwd) : NULL;
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, code ? ICE_STUN_ERROR : ICE_STUN_SUCCESS,
      ICE_STUN_BINDING, request->packet->data + 8);
  if (code)
    ice_stun_builder_add_error (&builder, code, NULL);
  else
    ice_stun_builder_add_xor_address (
        &builder, ICE_STUN_XOR_MAPPED_ADDRESS, mapped);
  if (key)
    ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);
  return harness_receive (self, from, packet);
}

static inline IceVerdict
harness_answer (Harness *self, const Sent *request)
{
  return harness_answer_from (
      self, request, &request->to, &self->host, 0, PEER_PWD);
}

/* Answers the next request that was sent; FALSE when there is none. */
static inline gboolean
harness_answer_next (Harness *self)
{
  IceStunMessage message;
  Sent *request = harness_pop (self, ICE_STUN_REQUEST, &message);

  if (request == NULL)
    return FALSE;
  g_assert_cmpint (harness_answer (self, request), ==, ICE_VERDICT_OK);
  sent_free (request);
  return TRUE;
}

/* A check of the peer's, for a test to spoil. */
typedef struct
{
  const gchar *username; /* NULL: the right one */
  const gchar *password; /* NULL: the right one */
  gboolean no_username, no_integrity, no_priority, no_fingerprint;
  gboolean sha256, use_candidate, controlled;
  guint64 tie_breaker;
  guint32 priority; /* 0: PEER_PRIORITY */
  guint16 unknown;  /* an attribute of this type */
} Check;

static inline IcePacket *
harness_build_check (Harness *self, const Check *check)
{
  static guint8 counter;
  guint8 id[ICE_STUN_ID_SIZE] = { 'i', 'd', ++counter };
  g_autofree gchar *username = g_strdup_printf (
      "%s:%s", ice_core_get_local_ufrag (self->core, self->stream), PEER_UFRAG);
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (check->password
          ? check->password
          : ice_core_get_local_pwd (self->core, self->stream));
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  if (!check->no_username)
    ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME,
        check->username ? check->username : username);
  if (!check->no_priority)
    ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY,
        check->priority ? check->priority : PEER_PRIORITY);
  ice_stun_builder_add_u64 (&builder,
      check->controlled ? ICE_STUN_ICE_CONTROLLED : ICE_STUN_ICE_CONTROLLING,
      check->tie_breaker);
  if (check->use_candidate)
    ice_stun_builder_add_flag (&builder, ICE_STUN_USE_CANDIDATE);
  if (check->unknown)
    ice_stun_builder_add_u32 (&builder, check->unknown, 0);
  if (!check->no_integrity)
    ice_stun_builder_add_integrity (&builder, key,
        check->sha256 ? ICE_STUN_INTEGRITY_SHA256 : ICE_STUN_INTEGRITY_SHA1);
  if (!check->no_fingerprint)
    ice_stun_builder_add_fingerprint (&builder);
  return ice_stun_builder_end (&builder);
}

static inline IceVerdict
harness_check (Harness *self, const IceAddress *from, const Check *check)
{
  g_autoptr (IcePacket) packet = harness_build_check (self, check);

  return harness_receive (self, from, packet);
}

/* The code of the answer that was sent last: 0 success, 1000 none. */
static inline guint
harness_last_code (Harness *self)
{
  IceStunMessage message;
  IceBytes reason;
  guint code = 1000;

  for (GList *l = self->sent.tail; l && code == 1000; l = l->prev) {
    Sent *sent = l->data;

    g_assert_true (ice_stun_message_parse (
        &message, ICE_BYTES (sent->packet->data, sent->packet->size)));
    if (message.klass == ICE_STUN_SUCCESS)
      code = 0;
    else if (message.klass == ICE_STUN_ERROR)
      g_assert_true (ice_stun_message_get_error (&message, &code, &reason));
  }
  return code;
}

/* Connected and nominated with 192.0.2.2:1, in either role. */
static inline void
harness_complete (Harness *self, gboolean controlling)
{
  IceAddress peer = addr ("192.0.2.2", 1);
  Check check = { .use_candidate = TRUE };

  harness_start (self, controlling);
  g_assert_true (harness_answer_next (self));
  harness_run_for (self, 10 * ICE_MSEC); /* Ta */
  if (controlling)
    g_assert_true (harness_answer_next (self));
  else
    g_assert_cmpint (harness_check (self, &peer, &check), ==, ICE_VERDICT_OK);
  g_assert_cmpint (self->state, ==, ICE_STATE_COMPLETED);
  harness_forget_sent (self);
}
