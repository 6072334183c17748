/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-host-private.h"

#include "gst/ice/core/stun/builder.h"

#include <string.h>

#define N_MEMORIES 8

typedef enum
{
  SHOT_REQUEST,  /* a check with the right USERNAME */
  SHOT_STRANGER, /* a check with another USERNAME */
  SHOT_SUCCESS,  /* an answer to a request that was seen */
  SHOT_ERROR,
  SHOT_UNASKED, /* an answer to no request */
  SHOT_REPLAY,  /* an answer that the host has had */
  SHOT_GARBAGE,
  N_SHOTS,
} Shot;

static const gchar *const shot_names[N_SHOTS] = { "request",
  "stranger's request", "success", "error", "unasked answer", "replayed answer",
  "garbage" };

typedef enum
{
  SIGNED_NOT,
  SIGNED_WRONG,  /* by a key that the host does not know */
  SIGNED_SHA256, /* likewise, by the other algorithm */
  N_SIGNATURES,
} Signature;

/* A request that left the host, or an answer that came. */
typedef struct
{
  guint socket;
  IceAddress peer;
  guint16 method;
  guint8 id[ICE_STUN_ID_SIZE];
  IcePacket *packet; /* (owned) (nullable) answers */
} Memory;

struct _SimAttacker
{
  SimNet *net;     /* (unowned) */
  SimHost *host;   /* (unowned) */
  IceStunKey *key; /* (owned) nobody's */
  guint n_left, n_fired;
  IceTime gap;
  Memory requests[N_MEMORIES], answers[N_MEMORIES];
  guint n_requests, n_answers;
};

typedef struct
{
  Shot shot;
  guint socket;
  IceAddress from;
  IcePacket *packet; /* (owned) */
} Bullet;

static void fire (gpointer user);

static void
load (SimAttacker *self)
{
  IceTime wait = 1 + sim_net_random (self->net) % (2 * self->gap);

  if (self->n_left-- > 0)
    sim_net_at (self->net, sim_net_now (self->net) + wait, fire, self, NULL);
}

SimAttacker *
sim_attacker_new (SimNet *net, SimHost *host, guint n_shots, IceTime gap)
{
  SimAttacker *self = g_new0 (SimAttacker, 1);

  self->net = net;
  self->host = host;
  self->key = ice_stun_key_new_short_term ("guessedguessedguessed");
  self->n_left = n_shots;
  self->gap = gap;
  host->attacker = self;
  load (self);
  return self;
}

void
sim_attacker_free (SimAttacker *self)
{
  self->host->attacker = NULL;
  for (guint i = 0; i < N_MEMORIES; i++)
    g_clear_pointer (&self->answers[i].packet, ice_packet_unref);
  ice_stun_key_free (self->key);
  g_free (self);
}

guint
sim_attacker_n_fired (const SimAttacker *self)
{
  return self->n_fired;
}

/* Seeing. */

static void
remember (Memory *memory, guint socket, const IceAddress *peer,
    const IceStunMessage *message, IcePacket *packet)
{
  g_clear_pointer (&memory->packet, ice_packet_unref);
  memory->socket = socket;
  memory->peer = *peer;
  memory->method = message->method;
  memory->packet = packet;
  memcpy (memory->id, message->id, ICE_STUN_ID_SIZE);
}

/* Answers to unsigned requests cannot be told from forged ones by anybody. */
void
sim_attacker_saw_sent (
    SimAttacker *self, guint socket, const IceAddress *to, IceBytes data)
{
  IceStunMessage message;

  if (ice_stun_looks_like (data) && ice_stun_message_parse (&message, data) &&
      message.klass == ICE_STUN_REQUEST && message.integrity)
    remember (&self->requests[self->n_requests++ % N_MEMORIES], socket, to,
        &message, NULL);
}

void
sim_attacker_saw_received (
    SimAttacker *self, guint socket, const IceAddress *from, IceBytes data)
{
  IceStunMessage message;

  if (ice_stun_looks_like (data) && ice_stun_message_parse (&message, data) &&
      (message.klass == ICE_STUN_SUCCESS || message.klass == ICE_STUN_ERROR))
    remember (&self->answers[self->n_answers++ % N_MEMORIES], socket, from,
        &message, ice_packet_new_from (data));
}

/* Forging. */

static const Memory *
pick_memory (SimAttacker *self, const Memory *memories, guint n)
{
  return n ? &memories[sim_net_pick (self->net, MIN (n, N_MEMORIES))] : NULL;
}

static void
roll (SimAttacker *self, guint8 *ret_bytes, guint size)
{
  for (guint i = 0; i < size; i++)
    ret_bytes[i] = sim_net_random (self->net);
}

static IceAddress
pick_stranger (SimAttacker *self)
{
  IceAddress address = { .family = ICE_FAMILY_IPV4,
    .port = 1024 + sim_net_pick (self->net, 60000) };

  address.ip[0] = 1 + sim_net_pick (self->net, 223);
  roll (self, address.ip + 1, 3);
  return address;
}

/* Somebody's the host knows, or anybody's. */
static IceAddress
pick_address (SimAttacker *self)
{
  const Memory *memory = pick_memory (self, self->requests, self->n_requests);

  return memory && sim_net_pick (self->net, 2) ? memory->peer
                                               : pick_stranger (self);
}

static void
sign (SimAttacker *self, IceStunBuilder *builder)
{
  Signature signature = sim_net_pick (self->net, N_SIGNATURES);

  if (signature != SIGNED_NOT)
    ice_stun_builder_add_integrity (builder, self->key,
        signature == SIGNED_WRONG ? ICE_STUN_INTEGRITY_SHA1
                                  : ICE_STUN_INTEGRITY_SHA256);
  if (sim_net_pick (self->net, 4))
    ice_stun_builder_add_fingerprint (builder);
}

static void
forge_request (SimAttacker *self, Bullet *bullet)
{
  SimHost *host = self->host;
  guint stream = host->streams[sim_net_pick (host->net, host->n_streams)];
  const gchar *theirs = ice_core_get_remote_ufrag (host->core, stream);
  const gchar *ours = bullet->shot == SHOT_STRANGER
      ? "stranger"
      : ice_core_get_local_ufrag (host->core, stream);
  g_autofree gchar *username =
      g_strdup_printf ("%s:%s", ours, theirs ? theirs : "none");
  guint8 id[ICE_STUN_ID_SIZE];
  IceStunBuilder builder;

  roll (self, id, sizeof id);
  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, username);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY, G_MAXINT32);
  ice_stun_builder_add_u64 (&builder,
      sim_net_pick (self->net, 2) ? ICE_STUN_ICE_CONTROLLING
                                  : ICE_STUN_ICE_CONTROLLED,
      G_MAXUINT64);
  if (sim_net_pick (self->net, 2))
    ice_stun_builder_add_flag (&builder, ICE_STUN_USE_CANDIDATE);
  sign (self, &builder);
  bullet->packet = ice_stun_builder_end (&builder);
}

/* 401 and 438 of a TURN server are never signed by a key (RFC 8489 9.2.5). */
static guint
pick_code (SimAttacker *self, guint16 method)
{
  static const guint codes[] = { 300, 400, 403, 420, 437, 487, 500, 401, 438 };
  guint n = G_N_ELEMENTS (codes);

  return codes[sim_net_pick (
      self->net, method == ICE_STUN_BINDING ? n : n - 2)];
}

static void
forge_answer (SimAttacker *self, Bullet *bullet)
{
  const Memory *memory = pick_memory (self, self->requests, self->n_requests);
  Memory unasked = {
    .socket = bullet->socket, .peer = bullet->from, .method = ICE_STUN_BINDING
  };
  gboolean error = bullet->shot == SHOT_ERROR;
  IceAddress mapped = pick_address (self);
  IceStunBuilder builder;

  roll (self, unasked.id, sizeof unasked.id);
  if (memory == NULL || bullet->shot == SHOT_UNASKED)
    memory = &unasked;
  bullet->socket = memory->socket;
  if (sim_net_pick (self->net, 4))
    bullet->from = memory->peer;
  ice_stun_builder_init (&builder, error ? ICE_STUN_ERROR : ICE_STUN_SUCCESS,
      memory->method, memory->id);
  if (error)
    ice_stun_builder_add_error (
        &builder, pick_code (self, memory->method), NULL);
  else
    ice_stun_builder_add_xor_address (
        &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
  sign (self, &builder);
  bullet->packet = ice_stun_builder_end (&builder);
}

static void
forge_replay (SimAttacker *self, Bullet *bullet)
{
  const Memory *memory = pick_memory (self, self->answers, self->n_answers);

  if (memory == NULL) {
    forge_answer (self, bullet);
    return;
  }
  /* An answer that came from a wrong address is right from the right one. */
  bullet->socket = memory->socket;
  bullet->from =
      sim_net_pick (self->net, 2) ? memory->peer : pick_stranger (self);
  bullet->packet = ice_packet_ref (memory->packet);
}

/* A header that is right, and what follows is not. */
static void
forge_garbage (SimAttacker *self, Bullet *bullet)
{
  gsize size = ICE_STUN_HEADER_SIZE + 4 * sim_net_pick (self->net, 20);
  guint8 *data = g_malloc (size);

  roll (self, data, size);
  data[0] = 0;
  data[1] = ICE_STUN_BINDING;
  data[2] = 0;
  data[3] = size - ICE_STUN_HEADER_SIZE;
  for (guint i = 0; i < 4; i++)
    data[4 + i] = ICE_STUN_COOKIE >> (24 - 8 * i);
  bullet->packet = ice_packet_new_from (ICE_BYTES (data, size));
  g_free (data);
}

static void
forge (SimAttacker *self, Bullet *bullet)
{
  GArray *sockets = self->host->sockets;
  guint i = sim_net_pick (self->net, sockets->len);

  bullet->shot = sim_net_pick (self->net, N_SHOTS);
  bullet->socket = g_array_index (sockets, SimSocket, i).id;
  bullet->from = pick_address (self);
  switch (bullet->shot) {
    case SHOT_REQUEST:
    case SHOT_STRANGER:
      forge_request (self, bullet);
      break;
    case SHOT_REPLAY:
      forge_replay (self, bullet);
      break;
    case SHOT_GARBAGE:
      forge_garbage (self, bullet);
      break;
    default:
      forge_answer (self, bullet);
      break;
  }
}

/* Firing. */

/* A request may be refused; nothing else may come of it. */
static gboolean
is_refusal (const IceOutput *output)
{
  const IcePacket *packet;
  IceStunMessage message;

  if (output->type != ICE_OUTPUT_TRANSMIT)
    return FALSE;
  packet = output->transmit.packet;
  return ice_stun_message_parse (
             &message, ICE_BYTES (packet->data, packet->size)) &&
      message.klass == ICE_STUN_ERROR;
}

static void
judge (SimAttacker *self, const Bullet *bullet, const IceOutput *outputs,
    IceTime deadline, guint64 before)
{
  gboolean answer = bullet->shot == SHOT_SUCCESS ||
      bullet->shot == SHOT_ERROR || bullet->shot == SHOT_UNASKED ||
      bullet->shot == SHOT_REPLAY;
  const gchar *law = answer ? "I7" : "I6";
  const gchar *name = self->host->name;
  const gchar *shot = shot_names[bullet->shot];

  for (const IceOutput *output = outputs; output; output = output->next)
    if (answer || !is_refusal (output))
      sim_net_violate (self->net, "%s: %s acted on a forged %s (output %d)",
          law, name, shot, output->type);
  if (deadline != self->host->deadline)
    sim_net_violate (
        self->net, "%s: a forged %s moved a timer of %s", law, shot, name);
  if (sim_host_digest (self->host) != before)
    sim_net_violate (self->net, "%s: a forged %s changed %s", law, shot, name);
}

static void
shoot (SimAttacker *self, const Bullet *bullet)
{
  SimHost *host = self->host;
  IceDatagram in = { bullet->socket, bullet->from,
    ICE_BYTES (bullet->packet->data, bullet->packet->size) };
  guint64 before = sim_host_digest (host);
  g_autoptr (IceOutput) outputs = NULL;
  IceTime deadline;

  sim_net_trace (
      self->net, "        %s: forged %s", host->name, shot_names[bullet->shot]);
  ice_core_receive (host->core, &in, sim_net_now (self->net));
  outputs = ice_core_take_outputs (host->core, &deadline);
  judge (self, bullet, outputs, deadline, before);
  sim_host_perform (host, outputs, deadline);
  self->n_fired++;
}

static void
fire (gpointer user)
{
  SimAttacker *self = user;
  SimHost *host = self->host;
  Bullet bullet = { 0 };

  if (host->closed)
    return;
  /* Where something is due anyway, it would be seen as the bullet's doing. */
  if (host->sockets->len && sim_net_now (self->net) < host->deadline) {
    forge (self, &bullet);
    shoot (self, &bullet);
    ice_packet_unref (bullet.packet);
  }
  load (self);
}
