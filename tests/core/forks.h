/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One core, one offer, many answerers: each a few functions that answer checks
 * without delay, straight or behind a relay. */
#pragma once

#include "fake-turn.h"
#include "harness.h"

#define FORKS_TURN_IP "203.0.113.1"
#define FORKS_TURN_PORT 3478
#define FORKS_CHANNEL 0x4000

typedef struct
{
  guint branch, stream, transport;
  gchar ufrag[16], pwd[32];
  IceAddress address;
  gboolean silent;
  guint conflicts; /* so many checks are answered with 487 first */

  /* What was said of it. */
  IceState state;
  guint socket; /* of the route */
  IceAddress route_to;
  gint n_accepts;
  guint n_delivered, n_checks, n_roles, n_locals, n_first_check;
  gboolean nominated, controlling;
} Peer;

typedef struct
{
  Harness h;
  FakeTurn turn;
  gboolean relay; /* the peers are behind it */
  Peer peers[ICE_MAX_BRANCHES + 1];
  guint n_peers;
  IceAddress channels[256]; /* by number, from FORKS_CHANNEL on */
  guint n_sockets_closed;
  GArray *checked; /* (owned) (element-type guint) peers, as they were */
} Forks;

static inline Peer *
forks_find (Forks *self, guint transport)
{
  for (guint i = 0; i < self->n_peers; i++)
    if (self->peers[i].transport == transport)
      return &self->peers[i];
  return NULL;
}

static inline void
forks_note_role (Forks *self, const IceOutput *output)
{
  for (guint i = 0; i < self->n_peers; i++) {
    if (self->peers[i].branch != output->role.branch)
      continue;
    self->peers[i].n_roles++;
    self->peers[i].controlling = output->role.controlling;
  }
}

static inline void
forks_note_stream (Forks *self, const IceOutput *output)
{
  for (guint i = 0; i < self->n_peers; i++) {
    if (output->type == ICE_OUTPUT_LOCAL_CANDIDATE)
      self->peers[i].n_locals +=
          self->peers[i].stream == output->candidate.stream;
    else
      self->peers[i].n_first_check +=
          self->peers[i].stream == output->stream.stream;
  }
}

static inline void
forks_watch (gpointer user, const IceOutput *output)
{
  Forks *self = user;
  Peer *peer;

  switch (output->type) {
    case ICE_OUTPUT_STATE:
      if ((peer = forks_find (self, output->state.transport)))
        peer->state = output->state.state;
      break;
    case ICE_OUTPUT_ROUTE:
      if ((peer = forks_find (self, output->route.transport))) {
        peer->socket = output->route.socket;
        peer->route_to = output->route.peer;
      }
      break;
    case ICE_OUTPUT_ACCEPT_FROM:
      if ((peer = forks_find (self, output->accept_from.transport)))
        peer->n_accepts += output->accept_from.add ? 1 : -1;
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      if ((peer = forks_find (self, output->pair_selected.transport)))
        peer->nominated = output->pair_selected.nominated;
      break;
    case ICE_OUTPUT_DELIVER:
      if ((peer = forks_find (self, output->deliver.transport)))
        peer->n_delivered++;
      break;
    case ICE_OUTPUT_ROLE:
      forks_note_role (self, output);
      break;
    case ICE_OUTPUT_LOCAL_CANDIDATE:
    case ICE_OUTPUT_FIRST_CHECK:
      forks_note_stream (self, output);
      break;
    case ICE_OUTPUT_CLOSE_SOCKET:
      self->n_sockets_closed++;
      break;
    default:
      break;
  }
}

/* The answerer number @index, at 192.0.2.(10 + index):1000. */
static inline Peer *
forks_add_peer (Forks *self, guint branch, guint stream, guint transport)
{
  guint index = self->n_peers++;
  Peer *peer = &self->peers[index];
  g_autofree gchar *ip = g_strdup_printf ("192.0.2.%u", 10 + index);

  *peer = (Peer){ .branch = branch,
    .stream = stream,
    .transport = transport,
    .controlling = TRUE };
  g_snprintf (peer->ufrag, sizeof peer->ufrag, "peer%u", index);
  g_snprintf (
      peer->pwd, sizeof peer->pwd, "passwordof22letters+%u", index + 10);
  peer->address = addr (ip, 1000);
  return peer;
}

typedef enum
{
  FORKS_DIRECT,
  FORKS_RELAY, /* and nothing else */
  FORKS_BOTH,
  FORKS_REFLEXIVE, /* and direct: the server does STUN only */
} ForksPaths;

/* The offer is made, nobody has answered. */
static inline void
forks_init (Forks *self, ForksPaths paths)
{
  IceServerConfig server = { .id = 1,
    .kind = ICE_SERVER_TURN,
    .host = FORKS_TURN_IP,
    .port = FORKS_TURN_PORT,
    .username = FAKE_USER,
    .password = FAKE_PASSWORD,
    .url = "turn:" FORKS_TURN_IP };
  IceGathererConfig gather = { .relay_only = paths == FORKS_RELAY };

  memset (self, 0, sizeof *self);
  self->relay = paths == FORKS_RELAY;
  if (paths == FORKS_REFLEXIVE)
    server.kind = ICE_SERVER_STUN;
  harness_init (&self->h, TRUE);
  self->h.watch = forks_watch;
  self->h.watch_user = self;
  self->checked = g_array_new (FALSE, FALSE, sizeof (guint));
  fake_turn_init (&self->turn);
  ice_core_set_gather_config (self->h.core, &gather);
  if (paths != FORKS_DIRECT)
    ice_core_add_server (self->h.core, &server);
  ice_core_set_forking (self->h.core, TRUE);
  forks_add_peer (self, 0, self->h.stream, self->h.transport);
  harness_gather (&self->h);
}

static inline void
forks_clear (Forks *self)
{
  harness_clear (&self->h);
  g_array_unref (self->checked);
}

/* (transfer full) @packet as the relay hands it on. */
static inline IcePacket *
forks_wrap (const IceAddress *peer, const IcePacket *packet)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 0xda, 0x7a };
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_DATA, id);
  ice_stun_builder_add_xor_address (&builder, ICE_STUN_XOR_PEER_ADDRESS, peer);
  ice_stun_builder_add_bytes (&builder, ICE_STUN_DATA_ATTRIBUTE,
      ICE_BYTES (packet->data, packet->size));
  return ice_stun_builder_end (&builder);
}

/* A packet of whoever is at @from comes in. */
static inline IceVerdict
forks_receive (Forks *self, const IceAddress *from, IcePacket *packet)
{
  IceAddress server = addr (FORKS_TURN_IP, FORKS_TURN_PORT);
  g_autoptr (IcePacket) wrapped = NULL;

  if (!self->relay)
    return harness_receive (&self->h, from, packet);
  wrapped = forks_wrap (from, packet);
  return harness_receive (&self->h, &server, wrapped);
}

/* (transfer full) @id: of the request that it answers. */
static inline IcePacket *
forks_build_answer (
    Forks *self, Peer *peer, const guint8 *id, const IceAddress *mapped)
{
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (peer->pwd);
  gboolean conflict = peer->conflicts > 0;
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, conflict ? ICE_STUN_ERROR : ICE_STUN_SUCCESS,
      ICE_STUN_BINDING, id);
  if (conflict) {
    peer->conflicts--;
    ice_stun_builder_add_error (&builder, 487, NULL);
  } else {
    ice_stun_builder_add_xor_address (
        &builder, ICE_STUN_XOR_MAPPED_ADDRESS, mapped);
  }
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  return ice_stun_builder_end (&builder);
}

/* What we sent has reached @to: the peer whom its USERNAME names answers. */
static inline void
forks_reach (Forks *self, const IceAddress *to, IceBytes bytes)
{
  IceStunMessage request;
  IceBytes username;

  if (!ice_stun_message_parse (&request, bytes) ||
      request.klass != ICE_STUN_REQUEST ||
      !ice_stun_message_find (&request, ICE_STUN_USERNAME, &username))
    return;
  for (guint i = 0; i < self->n_peers; i++) {
    Peer *peer = &self->peers[i];
    gsize size = strlen (peer->ufrag);
    g_autoptr (IcePacket) answer = NULL;

    if (username.size <= size || username.data[size] != ':' ||
        memcmp (username.data, peer->ufrag, size) != 0)
      continue;
    peer->n_checks++;
    g_array_append_val (self->checked, i);
    if (peer->silent || !ice_address_equal (to, &peer->address))
      continue;
    answer = forks_build_answer (self, peer, request.id,
        self->relay ? &self->turn.relayed : &self->h.host);
    forks_receive (self, to, answer);
  }
}

static inline void
forks_serve_turn (Forks *self, const Sent *sent)
{
  IceBytes bytes = ICE_BYTES (sent->packet->data, sent->packet->size);
  g_autoptr (IcePacket) answer = fake_turn_answer (&self->turn, sent->packet);
  IceStunMessage message;
  IceBytes payload;
  IceAddress peer;

  if (!ice_stun_message_parse (&message, bytes)) { /* ChannelData */
    peer = self->channels[(bytes.data[0] << 8 | bytes.data[1]) - FORKS_CHANNEL];
    forks_reach (self, &peer, ICE_BYTES (bytes.data + 4, bytes.size - 4));
  } else if (message.method == ICE_STUN_SEND &&
      ice_stun_message_find (&message, ICE_STUN_DATA_ATTRIBUTE, &payload)) {
    g_assert_true (ice_stun_message_get_xor_address (
        &message, ICE_STUN_XOR_PEER_ADDRESS, &peer));
    forks_reach (self, &peer, payload);
  } else if (message.method == ICE_STUN_CHANNEL_BIND &&
      self->turn.last_channel >= FORKS_CHANNEL) {
    self->channels[self->turn.last_channel - FORKS_CHANNEL] =
        self->turn.last_peer;
  }
  if (answer)
    harness_receive (&self->h, &sent->to, answer);
}

/* Delivers what was sent until nothing is left. */
static inline void
forks_flush (Forks *self)
{
  Sent *sent;

  while ((sent = g_queue_pop_head (&self->h.sent)) != NULL) {
    if (sent->to.port == FORKS_TURN_PORT)
      forks_serve_turn (self, sent);
    else
      forks_reach (
          self, &sent->to, ICE_BYTES (sent->packet->data, sent->packet->size));
    sent_free (sent);
  }
}

static inline void
forks_run_for (Forks *self, IceTime duration)
{
  IceTime end = self->h.now + duration;

  forks_flush (self);
  while (self->h.deadline <= end) {
    self->h.now = MAX (self->h.now, self->h.deadline);
    ice_core_timeout (self->h.core, self->h.now);
    harness_pump (&self->h);
    forks_flush (self);
  }
  self->h.now = end;
}

/* One more answerer of the offer; NULL when there are too many. */
static inline Peer *
forks_fork (Forks *self)
{
  guint branch, stream, transport;

  ice_core_use_branch (self->h.core, 0);
  branch = ice_core_fork (self->h.core);
  if (branch == 0)
    return NULL;
  stream = ice_core_fork_stream (self->h.core, branch, self->h.stream);
  g_assert_cmpuint (stream, !=, 0);
  transport = ice_core_add_component (self->h.core, stream, 1);
  g_assert_cmpuint (transport, !=, 0);
  return forks_add_peer (self, branch, stream, transport);
}

/* The answer of @peer arrives, with its host candidate. */
static inline void
forks_answer (Forks *self, Peer *peer)
{
  g_autoptr (IceCandidate) candidate =
      ice_candidate_new (ICE_CANDIDATE_HOST, 1);

  candidate->address = candidate->base = peer->address;
  candidate->priority =
      ice_candidate_compute_priority (ICE_CANDIDATE_HOST, 65535, 1);
  g_strlcpy (candidate->foundation, "1", sizeof candidate->foundation);
  ice_core_use_branch (self->h.core, peer->branch);
  ice_core_set_remote_pacing (self->h.core, 5);
  g_assert_true (ice_core_set_remote_credentials (
      self->h.core, peer->stream, peer->ufrag, peer->pwd, self->h.now));
  g_assert_cmpint (ice_core_add_remote_candidate (
                       self->h.core, peer->stream, candidate, self->h.now),
      ==, ICE_VERDICT_OK);
  harness_pump (&self->h);
}

/* A check of @peer's from @from. @password: NULL for the right one. */
static inline IceVerdict
forks_check (Forks *self, const Peer *peer, const IceAddress *from,
    const gchar *password)
{
  g_autofree gchar *username = g_strdup_printf ("%s:%s",
      ice_core_get_local_ufrag (self->h.core, peer->stream), peer->ufrag);
  Check check = { .username = username, .controlled = TRUE };
  g_autoptr (IcePacket) packet = NULL;

  check.password =
      password ? password : ice_core_get_local_pwd (self->h.core, peer->stream);
  packet = harness_build_check (&self->h, &check);
  return forks_receive (self, from, packet);
}

static inline IceVerdict
forks_media (Forks *self, const IceAddress *from)
{
  g_autoptr (IcePacket) packet = ice_packet_new (20);

  memset (packet->data, 0x80, packet->size);
  return forks_receive (self, from, packet);
}

static inline void
forks_close (Forks *self, Peer *peer)
{
  ice_core_use_branch (self->h.core, peer->branch);
  ice_core_close (self->h.core, self->h.now);
  harness_pump (&self->h);
}

static inline void
forks_assert_connected (const Peer *peer)
{
  g_assert_cmpint (peer->state, ==, ICE_STATE_COMPLETED);
  g_assert_true (peer->nominated);
  g_assert_cmpuint (peer->socket, !=, 0);
  g_assert_true (ice_address_equal (&peer->route_to, &peer->address));
}
