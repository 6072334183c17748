/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The core's front: bytes, time and outputs. Commands are in core-session.c,
 * what follows from either in core-select.c. */
#include "core-private.h"

#include "ice/connection.h"

#include <string.h>

#include "purity.h"

/* Our side of RFC 8445 14.2. */
#define PACING_MIN (5 * ICE_MSEC)

void
ice_core_config_init (IceCoreConfig *config, const IceWorld *world)
{
  *config = (IceCoreConfig){
    .world = *world,
    .consent = TRUE,
    .max_pairs = 100, /* RFC 8445 6.1.2.5 */
    .gather = { .both_families = TRUE },
  };
}

IceCore *
ice_core_new (const IceCoreConfig *config, IceTime now)
{
  IceCore *self = g_new0 (IceCore, 1);

  self->config = *config;
  ice_gatherer_config_hold (&self->config.gather);
  self->next_gather = config->gather;
  ice_gatherer_config_hold (&self->next_gather);
  ice_context_init (&self->context, &config->world);
  /* While the peer's value is unknown only gathering goes on. */
  ice_context_set_ta (&self->context, PACING_MIN);
  self->gatherer = ice_gatherer_new (&self->context, &config->gather);
  self->sets =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_checklist_set_free);
  self->streams = g_ptr_array_new ();
  ice_core_add_set (self, 0, config->controlling, config);
  return self;
}

void
ice_core_free (IceCore *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->streams);
  g_ptr_array_unref (self->sets);
  ice_gatherer_free (self->gatherer);
  ice_context_clear (&self->context);
  g_free (self->socket_error);
  g_free (self->untrusted);
  ice_gatherer_config_release (&self->next_gather);
  ice_gatherer_config_release (&self->config.gather);
  g_free (self);
}

const gchar *
ice_verdict_to_string (IceVerdict verdict)
{
  static const gchar *const names[] = { "ok", "malformed", "unauthenticated",
    "unexpected", "refused", "duplicate", "not-stun" };

  return names[verdict];
}

/* Finding. */

IceStream *
ice_core_find_stream (const IceCore *self, guint id)
{
  IceStream *stream = NULL;

  for (guint i = 0; i < self->sets->len && stream == NULL; i++)
    stream =
        ice_checklist_set_find_stream (g_ptr_array_index (self->sets, i), id);
  return stream;
}

IceComponent *
ice_core_find_component (const IceCore *self, guint id)
{
  IceComponent *component = NULL;

  for (guint i = 0; i < self->sets->len && component == NULL; i++)
    component = ice_checklist_set_find_component (
        g_ptr_array_index (self->sets, i), id);
  return component;
}

/* (unowned) (nullable) whose request @id was. */
static IceChecklistSet *
find_asker (IceCore *self, const guint8 *id)
{
  for (guint i = 0; i < self->sets->len; i++) {
    IceChecklistSet *set = g_ptr_array_index (self->sets, i);

    if (ice_checker_has_sent (set, id))
      return set;
  }
  return NULL;
}

/* Bytes in. */

/* Where a datagram really came from, and for which component. */
typedef struct
{
  IceCandidate *local; /* (unowned) host, or relayed */
  IceAddress from;
  IceBytes data;
} Arrival;

static IceVerdict
receive_media (
    IceCore *self, IceComponent *component, const Arrival *in, IceTime now)
{
  IceOutput *output;

  if (!ice_component_accepts (component, in->local, &in->from))
    return ICE_VERDICT_NOT_STUN;
  ice_consent_media (&component->consent, now, 0);
  output = ice_outputs_add (self->context.out, ICE_OUTPUT_DELIVER);
  output->deliver.transport = component->id;
  output->deliver.from = in->from;
  output->deliver.payload = ice_packet_new_from (in->data);
  return ICE_VERDICT_OK;
}

/* RFC 8445 11. Nothing signs it: a full agent asks, a lite one cannot. */
static void
note_keepalive (IceComponent *component, const Arrival *in, IceTime now)
{
  const IcePair *selected = component->selected;

  if (component->consent.mode == ICE_CONSENT_LITE && selected &&
      ice_pair_same_local (selected->local, in->local) &&
      ice_address_equal (&selected->remote->address, &in->from))
    ice_consent_keepalive (&component->consent, now);
}

/* Authentication and what follows it is the responder's or the checker's; here
 * ends what needs no key (security.md 3, last paragraph: the order). */
static IceVerdict
receive_stun (IceCore *self, IceComponent *component, const Arrival *in,
    const IceStunMessage *message, IceTime now)
{
  IceChecklistSet *set;

  if (message->method != ICE_STUN_BINDING)
    return ICE_VERDICT_UNEXPECTED;
  switch (message->klass) {
    case ICE_STUN_REQUEST:
      return ice_responder_receive (&self->responder, component->stream->set,
          component, in->local, &in->from, message, now);
    case ICE_STUN_SUCCESS:
    case ICE_STUN_ERROR:
      set = find_asker (self, message->id);
      return set ? ice_checker_receive (set, in->local, &in->from, message, now)
                 : ICE_VERDICT_UNEXPECTED;
    case ICE_STUN_INDICATION:
    default:
      note_keepalive (component, in, now);
      return ICE_VERDICT_OK;
  }
}

static IceVerdict
receive_arrival (IceCore *self, const Arrival *in,
    const IceStunMessage *message, IceTime now)
{
  gboolean stranger = FALSE;
  IceComponent *component = ice_core_choose_component (
      self, in->local, &in->from, message, &stranger);

  if (component == NULL)
    return ICE_VERDICT_UNEXPECTED;
  if (stranger)
    return ice_responder_remember (&self->responder, component->stream->set,
        component, in->local, &in->from, message, now);
  if (message)
    return receive_stun (self, component, in, message, now);
  return receive_media (self, component, in, now);
}

/* Sets @ret_message to @message when the bytes are STUN, else to NULL. */
static gboolean
read_message (
    IceBytes data, IceStunMessage *message, const IceStunMessage **ret_message)
{
  *ret_message = NULL;
  if (!ice_stun_looks_like (data))
    return TRUE;
  *ret_message = message;
  return ice_stun_message_parse (message, data);
}

/* What came over a connection of checks and media. Only a signed message shows
 * that it is not a stranger's. */
static IceVerdict
receive_frame (IceCore *self, const IceDatagram *in, IceTime now)
{
  IceConnection *connection =
      ice_gatherer_find_connection (self->gatherer, in->socket);
  g_autoptr (IceCandidate) local = ice_candidate_ref (connection->local);
  Arrival arrival = {
    .local = local, .from = connection->remote, .data = in->data
  };
  IceStunMessage storage;
  const IceStunMessage *message;
  IceVerdict verdict;

  if (!read_message (in->data, &storage, &message))
    return ICE_VERDICT_MALFORMED;
  verdict = receive_arrival (self, &arrival, message, now);
  connection = ice_gatherer_find_connection (self->gatherer, in->socket);
  if (connection && verdict == ICE_VERDICT_OK && message &&
      message->klass != ICE_STUN_INDICATION) {
    connection->valid = TRUE;
    connection->used_at = now;
  }
  return verdict;
}

static IceVerdict
receive_datagram (IceCore *self, const IceDatagram *in, IceTime now)
{
  IceStunMessage storage;
  const IceStunMessage *message;
  IceRelayedDatagram relayed;
  Arrival arrival = { .from = in->from, .data = in->data };

  if (ice_gatherer_find_connection (self->gatherer, in->socket))
    return receive_frame (self, in, now);
  /* Nobody sends from there, and no answer must go there. */
  if (!ice_address_is_usable (&in->from))
    return ICE_VERDICT_REFUSED;
  if (!read_message (in->data, &storage, &message))
    return ICE_VERDICT_MALFORMED;
  switch (ice_gatherer_receive (self->gatherer, in->socket, &in->from, in->data,
      message, now, &relayed)) {
    case ICE_GATHER_HANDLED:
      return ICE_VERDICT_OK;
    case ICE_GATHER_DROPPED:
      return ICE_VERDICT_REFUSED;
    case ICE_GATHER_RELAYED:
      arrival.local = relayed.local;
      arrival.from = relayed.from;
      arrival.data = relayed.data;
      if (!read_message (relayed.data, &storage, &message))
        return ICE_VERDICT_MALFORMED;
      break;
    case ICE_GATHER_NOT_MINE:
    default:
      /* Under policy=relay nobody learns our address, not by an answer
       * either. */
      if (self->config.gather.relay_only)
        return ICE_VERDICT_REFUSED;
      arrival.local = ice_gatherer_host_candidate (self->gatherer, in->socket);
      break;
  }
  if (arrival.local == NULL || arrival.local->protocol != ICE_PROTOCOL_UDP)
    return ICE_VERDICT_UNEXPECTED;
  return receive_arrival (self, &arrival, message, now);
}

IceVerdict
ice_core_receive (IceCore *self, const IceDatagram *in, IceTime now)
{
  IceVerdict verdict = ICE_VERDICT_REFUSED;

  if (!self->closed) {
    verdict = receive_datagram (self, in, now);
    ice_core_settle (self, now);
  }
  self->counters.verdicts[verdict]++;
  if (verdict != ICE_VERDICT_OK)
    ice_log (&self->context, ICE_LOG_LOG, ICE_LOG_STUN, "dropped: %s",
        ice_verdict_to_string (verdict));
  return verdict;
}

gboolean
ice_core_send (IceCore *self, guint transport, IceBytes payload, IceTime now)
{
  IceComponent *component = ice_core_find_component (self, transport);
  g_autoptr (IcePacket) packet = NULL;

  if (component == NULL || component->selected == NULL || self->closed ||
      component->selected->reopening) {
    self->counters.sent_without_route++;
    return FALSE;
  }
  packet = ice_packet_new_from (payload);
  ice_gatherer_transmit (self->gatherer, component->selected->local,
      &component->selected->remote->address, packet, now);
  ice_consent_media (&component->consent, 0, now);
  return TRUE;
}

void
ice_core_unreachable (IceCore *self, guint socket, const IceAddress *to,
    IceBytes packet, IceTime now)
{
  self->counters.unreachable++;
  for (guint i = 0; i < self->sets->len && !self->closed; i++) {
    IceChecklistSet *set = g_ptr_array_index (self->sets, i);

    if (ice_checker_unreachable (set, socket, to, packet)) {
      ice_core_settle (self, now);
      return;
    }
  }
}

void
ice_core_media_seen (
    IceCore *self, guint transport, IceTime received_at, IceTime sent_at)
{
  IceComponent *component = ice_core_find_component (self, transport);

  if (component)
    ice_consent_media (&component->consent, received_at, sent_at);
}

void
ice_core_media_gap (
    IceCore *self, guint transport, IceTime longest, IceTime now)
{
  IceComponent *component = ice_core_find_component (self, transport);

  if (component)
    ice_consent_gap (&component->consent, longest, now);
}

/* Time in, outputs out. */

static gboolean
has_triggered (const IceCore *self)
{
  for (guint i = 0; i < self->sets->len; i++)
    if (ice_checklist_set_has_triggered (g_ptr_array_index (self->sets, i)))
      return TRUE;
  return FALSE;
}

void
ice_core_timeout (IceCore *self, IceTime now)
{
  if (self->closed) {
    ice_gatherer_timeout (self->gatherer, now);
    return;
  }
  /* Gathering and checks share the slots (RFC 8445 14.2): in turns, so that
   * neither waits for the other to end, and triggered checks first. */
  self->checks_first = !self->checks_first;
  if (self->checks_first || has_triggered (self))
    ice_core_settle (self, now);
  if (self->has_new_server)
    ice_core_ask_new_servers (self, now);
  ice_gatherer_timeout (self->gatherer, now);
  ice_core_run_timers (self, now);
  ice_core_settle (self, now);
}

IceOutput *
ice_core_take_outputs (IceCore *self, IceTime *ret_deadline)
{
  IceOutput *outputs = ice_outputs_steal (self->context.out);

  for (IceOutput *output = outputs; output; output = output->next) {
    if (output->type != ICE_OUTPUT_SERVER_ERROR)
      continue;
    self->server_error = output->server.code;
    g_free (self->untrusted);
    self->untrusted = output->server.cause == ICE_CAUSE_TLS_UNTRUSTED
        ? g_strdup (output->server.text)
        : NULL;
  }
  *ret_deadline = self->closed ? ice_gatherer_deadline (self->gatherer)
                               : ice_core_deadline (self);
  return outputs;
}
