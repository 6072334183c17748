/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole core and a TURN server that lies: the honest answer of fake-turn.h
 * passes through a function of the test, which may put another in its place.
 * Relayed candidates only, so that every packet goes to that server. */
#pragma once

#include "fake-turn.h"
#include "hostile.h"

#define LAB_DELAY (10 * ICE_MSEC)
#define LAB_SERVER_IP "203.0.113.1"
#define LAB_PORT 3478

typedef struct
{
  IceTime at;
  guint socket;
  IceAddress from;
  IcePacket *packet; /* (owned) */
} LabFlight;

typedef struct
{
  IceTime at;
  guint16 method;
  gboolean again; /* a retransmission */
} LabRequest;

typedef struct _Lab Lab;

/* (transfer full) (nullable) what is sent in place of @honest (nullable), which
 * is given; NULL: silence. */
typedef IcePacket *(*LabSpoil) (
    Lab *self, const IceStunMessage *request, IcePacket *honest);

struct _Lab
{
  Harness h;
  FakeTurn turn;
  LabSpoil spoil; /* (nullable) */
  guint16 method; /* that it is about */
  guint code;     /* that it answers with */
  guint n_lies;   /* so many, then honest; G_MAXUINT: for ever */
  gchar text[32]; /* of the nonce or realm made up last */
  gboolean peer_is_silent;
  IceAddress peer;
  /* The first socket that asked, and what others than it are relayed by: their
   * allocations are the second user's. Family NONE: no such difference. */
  guint socket;
  IceAddress first_relayed, other_relayed;

  GQueue flights;     /* (owned) LabFlight */
  GArray *requests;   /* (owned) LabRequest */
  GHashTable *ids;    /* (owned) transaction ids seen */
  GHashTable *places; /* (owned) addresses that were asked */
  guint n_errors, error_code;
  guint n_channel_bound_routes;
};

static inline void
lab_watch (gpointer user, const IceOutput *output)
{
  Lab *self = user;

  if (output->type == ICE_OUTPUT_SERVER_ERROR) {
    self->n_errors++;
    self->error_code = output->server.code;
    g_assert_null (strstr (output->server.text, FAKE_PASSWORD));
  } else if (output->type == ICE_OUTPUT_ROUTE && output->route.channel) {
    self->n_channel_bound_routes++;
  }
}

static inline void
lab_init (Lab *self)
{
  IceServerConfig server = { .id = 1,
    .kind = ICE_SERVER_TURN,
    .host = LAB_SERVER_IP,
    .port = LAB_PORT,
    .username = FAKE_USER,
    .password = FAKE_PASSWORD,
    .url = "turn:" LAB_SERVER_IP };
  IceGathererConfig gather = { .relay_only = TRUE };

  memset (self, 0, sizeof *self);
  harness_init (&self->h, TRUE);
  self->h.watch = lab_watch;
  self->h.watch_user = self;
  fake_turn_init (&self->turn);
  self->n_lies = G_MAXUINT;
  self->method = ICE_STUN_ALLOCATE;
  self->peer = address ("192.0.2.2", 1);
  g_queue_init (&self->flights);
  self->requests = g_array_new (FALSE, FALSE, sizeof (LabRequest));
  self->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  ice_core_set_gather_config (self->h.core, &gather);
  ice_core_add_server (self->h.core, &server);
}

static inline void
lab_flight_free (LabFlight *flight)
{
  ice_packet_unref (flight->packet);
  g_free (flight);
}

static inline void
lab_clear (Lab *self)
{
  harness_clear (&self->h);
  g_queue_clear_full (&self->flights, (GDestroyNotify) lab_flight_free);
  g_array_unref (self->requests);
  g_hash_table_unref (self->ids);
  g_hash_table_unref (self->places);
}

/* Takes @packet; all of them take the same time. */
static inline void
lab_fly (Lab *self, guint socket, const IceAddress *from, IcePacket *packet)
{
  LabFlight *flight = g_new0 (LabFlight, 1);

  flight->at = self->h.now + LAB_DELAY;
  flight->socket = socket;
  flight->from = *from;
  flight->packet = packet;
  g_queue_push_tail (&self->flights, flight);
}

static inline void
lab_note (Lab *self, const Sent *sent, const IceStunMessage *request)
{
  LabRequest note = { .at = self->h.now, .method = request->method };
  gchar text[ICE_ADDRESS_STRLEN];

  note.again = !g_hash_table_add (
      self->ids, g_base64_encode (request->id, ICE_STUN_ID_SIZE));
  g_array_append_val (self->requests, note);
  g_hash_table_add (
      self->places, g_strdup (ice_address_to_string (&sent->to, text)));
}

/* The peer behind the relay: it answers checks. */
static inline void
lab_reach_peer (Lab *self, const Sent *sent, IceBytes payload)
{
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PEER_PWD);
  g_autoptr (IcePacket) answer = NULL;
  static const guint8 id[ICE_STUN_ID_SIZE] = { 0xda, 0x7a };
  IceStunBuilder builder;
  IceStunMessage request;

  if (self->peer_is_silent || !ice_stun_message_parse (&request, payload) ||
      request.klass != ICE_STUN_REQUEST)
    return;
  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, request.id);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &self->turn.relayed);
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  answer = ice_stun_builder_end (&builder);
  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_DATA, id);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_PEER_ADDRESS, &self->peer);
  ice_stun_builder_add_bytes (&builder, ICE_STUN_DATA_ATTRIBUTE,
      ICE_BYTES (answer->data, answer->size));
  lab_fly (self, sent->socket, &sent->to, ice_stun_builder_end (&builder));
}

static inline void
lab_serve_request (Lab *self, const Sent *sent, const IceStunMessage *request)
{
  IcePacket *answer = fake_turn_answer (&self->turn, sent->packet);

  lab_note (self, sent, request);
  if (self->spoil && request->method == self->method && self->n_lies > 0 &&
      ice_stun_message_has (request, ICE_STUN_NONCE)) {
    if (self->n_lies != G_MAXUINT)
      self->n_lies--;
    answer = self->spoil (self, request, answer);
  }
  if (answer)
    lab_fly (self, sent->socket, &sent->to, answer);
}

static inline void
lab_serve (Lab *self, const Sent *sent)
{
  IceBytes bytes = ICE_BYTES (sent->packet->data, sent->packet->size);
  IceStunMessage message;
  IceBytes payload;

  if (self->socket == 0)
    self->socket = sent->socket;
  if (self->other_relayed.family != ICE_FAMILY_NONE) {
    self->turn.second_owns = sent->socket != self->socket;
    self->turn.relayed =
        self->turn.second_owns ? self->other_relayed : self->first_relayed;
  }
  /* Relay only: not one packet elsewhere. */
  g_assert_cmpuint (sent->to.port, ==, LAB_PORT);
  if (!ice_stun_message_parse (&message, bytes)) /* ChannelData */
    lab_reach_peer (self, sent, ICE_BYTES (bytes.data + 4, bytes.size - 4));
  else if (message.klass == ICE_STUN_REQUEST)
    lab_serve_request (self, sent, &message);
  else if (ice_stun_message_find (&message, ICE_STUN_DATA_ATTRIBUTE, &payload))
    lab_reach_peer (self, sent, payload);
}

static inline IceVerdict
lab_receive (
    Lab *self, guint socket, const IceAddress *from, const IcePacket *packet)
{
  IceDatagram in = { .socket = socket,
    .from = *from,
    .data = ICE_BYTES (packet->data, packet->size) };
  IceVerdict verdict = ice_core_receive (self->h.core, &in, self->h.now);

  harness_pump (&self->h);
  return verdict;
}

static inline void
lab_run_for (Lab *self, IceTime duration)
{
  IceTime end = self->h.now + duration;

  for (;;) {
    LabFlight *flight;
    Sent *sent;

    while ((sent = g_queue_pop_head (&self->h.sent)) != NULL) {
      lab_serve (self, sent);
      sent_free (sent);
    }
    flight = g_queue_peek_head (&self->flights);
    if (flight && flight->at <= MIN (self->h.deadline, end)) {
      g_queue_pop_head (&self->flights);
      self->h.now = flight->at;
      lab_receive (self, flight->socket, &flight->from, flight->packet);
      lab_flight_free (flight);
    } else if (self->h.deadline <= end) {
      self->h.now = MAX (self->h.now, self->h.deadline);
      ice_core_timeout (self->h.core, self->h.now);
      harness_pump (&self->h);
      /* It may have passed once, never twice. */
      g_assert_cmpint (self->h.deadline, >=, self->h.now - 1);
    } else {
      break;
    }
  }
  self->h.now = end;
}

static inline void
lab_gather (Lab *self)
{
  harness_gather (&self->h);
  lab_run_for (self, 100 * ICE_MSEC);
}

/* From now on other sockets have other relayed addresses. */
static inline void
lab_tell_sockets_apart (Lab *self)
{
  self->first_relayed = self->other_relayed = self->turn.relayed;
  self->other_relayed.port++;
}

/* Connected through the relay; the channel is bound unless it lies. */
static inline void
lab_connect (Lab *self)
{
  lab_gather (self);
  harness_credentials (&self->h);
  harness_add_remote (&self->h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  lab_run_for (self, 2 * ICE_SECOND);
}

/* New requests of a method, 0: of all. */
static inline guint
lab_count_requests (const Lab *self, guint16 method)
{
  guint n = 0;

  for (guint i = 0; i < self->requests->len; i++) {
    const LabRequest *request = &g_array_index (self->requests, LabRequest, i);

    n += !request->again && (method == 0 || request->method == method);
  }
  return n;
}

/* The most packets of a method that fell into one window of time. */
static inline guint
lab_peak (const Lab *self, guint16 method, IceTime window)
{
  guint peak = 0;

  for (guint i = 0; i < self->requests->len; i++) {
    const LabRequest *first = &g_array_index (self->requests, LabRequest, i);
    guint n = 0;

    for (guint j = i; j < self->requests->len; j++) {
      const LabRequest *next = &g_array_index (self->requests, LabRequest, j);

      if (next->at >= first->at + window)
        break;
      n += method == 0 || next->method == method;
    }
    peak = MAX (peak, n);
  }
  return peak;
}

/* (transfer full) (nullable) */
static inline IceCandidate *
lab_find_relayed (Lab *self)
{
  g_autoptr (GPtrArray) locals =
      ice_core_get_local_candidates (self->h.core, self->h.stream);

  for (guint i = 0; i < locals->len; i++) {
    IceCandidate *candidate = g_ptr_array_index (locals, i);

    if (candidate->kind == ICE_CANDIDATE_RELAYED)
      return ice_candidate_ref (candidate);
  }
  return NULL;
}
