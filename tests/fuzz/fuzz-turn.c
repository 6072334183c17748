/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gatherer with its STUN and TURN clients against servers that say what a
 * script wants: challenges, successes and errors, signed with the right key or
 * not, with any attributes, Data indications and ChannelData, at any time.
 * Nothing endless, no packet past the relay, no number of a server's taken as
 * it came. */
#include "../core/hostile.h"
#include "gst/ice/core/turn/channel-data.h"

#include "mend.h"
#include "script.h"
#include "target.h"

#define SERVER_IP "203.0.113.1"
#define SERVER_PORT 3478
#define USER "user"
#define PASSWORD "secret"
#define REALM "example.org"

#define MAX_STEPS 40
#define BODY_MAX 96
#define MAX_OUTPUTS 300
/* Requests to servers in any ten seconds of virtual time: each of the few
 * transactions that can be open is sent seven times at most, and three rounds
 * of challenges each. */
#define WINDOW (10 * ICE_SECOND)
#define MAX_IN_WINDOW 400

typedef enum
{
  STEP_TIMER,
  STEP_TIME,
  STEP_ANSWER,
  STEP_RAW,
  STEP_DATA,
  STEP_CHANNEL_DATA,
  STEP_CANDIDATE,
  STEP_SEND,
  STEP_COMMAND,
  N_STEPS,
} Step;

typedef struct
{
  Harness h;
  gboolean relay_only;
  guint n_outputs; /* of this step */
  guint n_in_window;
  IceTime window_at;
} Fuzz;

/* Made once: keying costs more than all the rest. */
static IceStunKey *right_key, *other_key, *peer_key;

static gboolean
is_peer (const IceAddress *address)
{
  return address->family == ICE_FAMILY_IPV4 && address->ip[0] == 192 &&
      address->ip[1] == 0 && address->ip[2] == 2;
}

static void
watch_transmit (Fuzz *self, const IceOutput *output)
{
  const IcePacket *packet = output->transmit.packet;

  g_assert_true (ice_address_is_usable (&output->transmit.to));
  g_assert_cmpuint (packet->size, <=, 2048);
  /* Under policy=relay not one packet goes to a peer directly. */
  if (self->relay_only)
    g_assert_false (is_peer (&output->transmit.to));
  if (!ice_stun_looks_like (ICE_BYTES (packet->data, packet->size)))
    return;
  if (self->h.now >= self->window_at + WINDOW) {
    self->window_at = self->h.now;
    self->n_in_window = 0;
  }
  g_assert_cmpuint (++self->n_in_window, <=, MAX_IN_WINDOW);
}

static void
watch (gpointer user, const IceOutput *output)
{
  Fuzz *self = user;

  self->n_outputs++;
  switch (output->type) {
    case ICE_OUTPUT_TRANSMIT:
      watch_transmit (self, output);
      break;
    case ICE_OUTPUT_LOCAL_CANDIDATE:
      /* security.md 0.4: a server's addresses are not believed. */
      g_assert_true (
          output->candidate.candidate->address.family == ICE_FAMILY_NONE ||
          ice_address_is_usable (&output->candidate.candidate->address));
      if (self->relay_only)
        g_assert_cmpint (
            output->candidate.candidate->kind, ==, ICE_CANDIDATE_RELAYED);
      break;
    case ICE_OUTPUT_ROUTE:
      g_assert_true (output->route.channel == 0 ||
          (output->route.channel >= ICE_CHANNEL_MIN &&
              output->route.channel <= ICE_CHANNEL_MAX));
      break;
    case ICE_OUTPUT_SERVER_ERROR:
      g_assert_true (g_utf8_validate (output->server.text, -1, NULL));
      g_assert_null (strstr (output->server.text, PASSWORD));
      break;
    default:
      break;
  }
}

static IceAddress
pick_address (Script *in)
{
  guint8 choice = script_u8 (in);
  gchar ip[32];

  if (choice >= 0xe0)
    return script_address (in);
  if (choice >= 0xc0)
    g_snprintf (ip, sizeof ip, "198.51.100.%u", 1 + (choice & 3));
  else
    g_snprintf (ip, sizeof ip, "192.0.2.%u", 2 + (choice & 7));
  return addr (ip, (guint16) (1 + (choice >> 3 & 3)));
}

/* Where a server may be: peers are recognised by their network. */
static IceAddress
pick_server (Script *in)
{
  IceAddress address = pick_address (in);

  if (is_peer (&address))
    address.ip[2] = 100;
  return address;
}

/* (unowned) (nullable) one of the last packets that went to a server. */
static Sent *
pick_request (Fuzz *self, Script *in)
{
  guint n = g_queue_get_length (&self->h.sent);
  Sent *sent;

  if (n == 0)
    return NULL;
  sent = g_queue_peek_nth (&self->h.sent, n - 1 - script_u8 (in) % MIN (n, 8));
  return ice_stun_looks_like (
             ICE_BYTES (sent->packet->data, sent->packet->size))
      ? sent
      : NULL;
}

static IceVerdict
receive (Fuzz *self, guint socket, const IceAddress *from, const guint8 *data,
    gsize size)
{
  IceDatagram in = {
    .socket = socket, .from = *from, .data = ICE_BYTES (data, size)
  };
  IceVerdict verdict = ice_core_receive (self->h.core, &in, self->h.now);

  harness_pump (&self->h);
  return verdict;
}

/* Codes that RFC 8489 and RFC 8656 give a meaning, and any other. */
static guint
pick_code (Script *in)
{
  static const guint16 codes[] = { 401, 438, 300, 400, 403, 420, 437, 440, 441,
    442, 443, 446, 447, 486, 500, 508, 430, 431, 432, 600, 487 };
  guint8 choice = script_u8 (in);

  return choice < 2 * G_N_ELEMENTS (codes) ? codes[choice / 2]
                                           : 300 + script_u16 (in) % 400;
}

static void
add_challenge (IceStunBuilder *builder, Script *in)
{
  static const guint8 algorithms[8] = { 0, 2, 0, 0, 0, 1, 0, 0 };
  guint flags = script_u8 (in);
  gchar nonce[32];

  /* RFC 8489 9.2: the nonce cookie says what the server can do. */
  g_snprintf (nonce, sizeof nonce, "%s%u",
      flags & 1 ? flags & 2 ? "obMatJos2gAAA" : "obMatJos2wAAA" : "nonce",
      flags >> 4);
  if (!(flags & 4))
    ice_stun_builder_add_string (builder, ICE_STUN_REALM, REALM);
  ice_stun_builder_add_string (builder, ICE_STUN_NONCE, nonce);
  if (flags & 8)
    ice_stun_builder_add_bytes (builder, ICE_STUN_PASSWORD_ALGORITHMS,
        ICE_BYTES (algorithms, flags & 16 ? 4 : 8));
}

static void
add_success (IceStunBuilder *builder, Script *in)
{
  static const guint32 lifetimes[] = { 600, 0, 1, 60, 3600, G_MAXUINT32 };
  guint flags = script_u8 (in);
  IceAddress relayed = addr ("198.51.100.1", 49152);
  IceAddress mapped = addr ("203.0.113.5", 40000);

  if (flags & 1)
    relayed = pick_address (in);
  if (flags & 2)
    mapped = pick_address (in);
  if (!(flags & 4))
    ice_stun_builder_add_xor_address (
        builder, ICE_STUN_XOR_RELAYED_ADDRESS, &relayed);
  if (!(flags & 8))
    ice_stun_builder_add_xor_address (
        builder, ICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
  if (!(flags & 16))
    ice_stun_builder_add_u32 (builder, ICE_STUN_LIFETIME,
        flags & 32 ? lifetimes[script_u8 (in) % G_N_ELEMENTS (lifetimes)]
                   : 600);
}

/* Right but for what the script spoils: flags that are all zero are the honest
 * server. */
static void
step_answer (Fuzz *self, Script *in)
{
  Sent *sent = pick_request (self, in);
  guint kind = script_u8 (in), flags = script_u8 (in);
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;
  IceStunMessage request;
  IceAddress from;
  guint socket, code = 0;

  if (!sent ||
      !ice_stun_message_parse (
          &request, ICE_BYTES (sent->packet->data, sent->packet->size)))
    return;
  if (kind & 1)
    code = pick_code (in);
  socket = sent->socket;
  from = flags & 1 ? pick_address (in) : sent->to;
  ice_stun_builder_init (&builder, code ? ICE_STUN_ERROR : ICE_STUN_SUCCESS,
      kind & 2 ? script_u8 (in) : request.method, request.id);
  if (code)
    ice_stun_builder_add_error (&builder, code, kind & 4 ? "Why" : NULL);
  else
    add_success (&builder, in);
  if (code == 401 || code == 438 || kind & 8)
    add_challenge (&builder, in);
  if (code == 300 || kind & 16) {
    IceAddress alternate = pick_server (in);

    ice_stun_builder_add_address (
        &builder, ICE_STUN_ALTERNATE_SERVER, &alternate);
  }
  if (kind & 32) {
    guint16 type = script_u16 (in);

    ice_stun_builder_add_bytes (
        &builder, type, script_bytes (in, script_u8 (in) % 40));
  }
  /* A challenge is not signed, nor what a STUN server says. */
  if (!(flags & 2) && code != 401 && code != 438)
    ice_stun_builder_add_integrity (&builder, flags & 4 ? other_key : right_key,
        flags & 8 ? ICE_STUN_INTEGRITY_SHA256 : ICE_STUN_INTEGRITY_SHA1);
  if (!(flags & 16))
    ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);
  receive (self, socket, &from, packet->data, packet->size);
}

static IceAddress
server_address (Script *in)
{
  return script_u8 (in) < 0xe0 ? addr (SERVER_IP, SERVER_PORT)
                               : pick_address (in);
}

static void
step_raw (Fuzz *self, Script *in)
{
  guint8 packet[BODY_MAX + 64];
  guint flags = script_u8 (in);
  IceAddress from = server_address (in);
  IceBytes bytes = script_bytes (in, script_u8 (in) % BODY_MAX);
  Sent *sent = pick_request (self, in);
  gsize size = bytes.size;

  if (size > 0)
    memcpy (packet, bytes.data, size);
  if (flags & 1)
    size = mend_header (packet, size);
  /* As an answer to what was asked last. */
  if (flags & 2 && sent && size >= ICE_STUN_HEADER_SIZE)
    memcpy (packet + 8, sent->packet->data + 8, ICE_STUN_ID_SIZE);
  if (flags & 4)
    mend_attributes (packet, size);
  if (flags & 8)
    size = mend_integrity (
        packet, size, sizeof packet, right_key, ICE_STUN_INTEGRITY_SHA1);
  if (flags & 16)
    size = mend_fingerprint (packet, size, sizeof packet);
  receive (self, self->h.socket, &from, packet, size);
}

/* (transfer full) what a peer may send through the relay: its answer to the
 * check that went out last, a check of its own, or anything. */
static IcePacket *
build_payload (Fuzz *self, Script *in)
{
  guint kind = script_u8 (in);
  Check check = { .use_candidate = (kind & 4) != 0 };
  Sent *sent;
  IceStunMessage message, inner;
  IceBytes data;
  IceStunBuilder builder;

  if ((kind & 3) == 0)
    return ice_packet_new_from (script_bytes (in, kind >> 3));
  if ((kind & 3) == 1)
    return harness_build_check (&self->h, &check);
  sent = pick_request (self, in);
  if (!sent ||
      !ice_stun_message_parse (
          &message, ICE_BYTES (sent->packet->data, sent->packet->size)) ||
      !ice_stun_message_find (&message, ICE_STUN_DATA_ATTRIBUTE, &data) ||
      !ice_stun_message_parse (&inner, data))
    return ice_packet_new (0);
  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, inner.id);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &self->h.host);
  ice_stun_builder_add_integrity (&builder, peer_key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  return ice_stun_builder_end (&builder);
}

static void
step_data (Fuzz *self, Script *in)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 0xda, 0x7a };
  IceAddress from = server_address (in), peer = pick_address (in);
  g_autoptr (IcePacket) payload = build_payload (self, in);
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_DATA, id);
  ice_stun_builder_add_xor_address (&builder, ICE_STUN_XOR_PEER_ADDRESS, &peer);
  ice_stun_builder_add_bytes (&builder, ICE_STUN_DATA_ATTRIBUTE,
      ICE_BYTES (payload->data, payload->size));
  packet = ice_stun_builder_end (&builder);
  receive (self, self->h.socket, &from, packet->data, packet->size);
}

static void
step_channel_data (Fuzz *self, Script *in)
{
  IceAddress from = server_address (in);
  guint16 channel = (guint16) (ICE_CHANNEL_MIN + (script_u8 (in) & 7));
  g_autoptr (IcePacket) payload = build_payload (self, in);
  g_autoptr (IcePacket) packet =
      ice_channel_data_new (channel, ICE_BYTES (payload->data, payload->size));

  receive (self, self->h.socket, &from, packet->data, packet->size);
}

static void
step_candidate (Fuzz *self, Script *in)
{
  guint flags = script_u8 (in);
  g_autoptr (IceCandidate) candidate =
      ice_candidate_new ((IceCandidateKind) (flags & 3), 1);

  candidate->address = pick_address (in);
  candidate->priority = 1 + script_u32 (in) % G_MAXINT32;
  candidate->foundation[0] = (gchar) ('1' + (flags >> 2 & 7));
  ice_core_add_remote_candidate (
      self->h.core, self->h.stream, candidate, self->h.now);
}

static void
add_server (Fuzz *self, guint id, IceServerKind kind, const gchar *host,
    const gchar *password)
{
  gboolean turn = kind == ICE_SERVER_TURN;
  IceServerConfig server = { .id = id,
    .kind = kind,
    .host = host,
    .port = SERVER_PORT,
    .username = turn ? USER : NULL,
    .password = turn ? password : NULL,
    .url = "turn:" SERVER_IP };

  ice_core_add_server (self->h.core, &server);
}

static void
step_command (Fuzz *self, Script *in)
{
  IceCore *core = self->h.core;
  guint which = script_u8 (in);
  IceAddress address;

  switch (which % 10) {
    case 0:
      ice_core_restart (core, 0, self->h.now);
      ice_core_gather (core, self->h.stream, self->h.now);
      break;
    case 1:
      add_server (self, 1, ICE_SERVER_TURN, SERVER_IP,
          which & 16 ? PASSWORD : "another");
      break;
    case 2:
      ice_core_remove_servers (core);
      break;
    case 3:
      address = pick_server (in);
      ice_core_resolved (
          core, script_u8 (in) % 8, &address, which >> 4 & 1, self->h.now);
      break;
    case 4:
      ice_core_socket_failed (core, self->h.socket, "gone", self->h.now);
      break;
    case 5:
      ice_core_end_remote_candidates (core, self->h.stream, self->h.now);
      break;
    case 6:
      address = addr (SERVER_IP, SERVER_PORT);
      ice_core_unreachable (
          core, self->h.socket, &address, ICE_BYTES_NONE, self->h.now);
      break;
    case 7:
      if (which >= 0xf0)
        ice_core_close (core, self->h.now);
      break;
    case 8:
      ice_core_media_seen (core, self->h.transport, self->h.now, self->h.now);
      break;
    case 9:
    default:
      ice_core_remove_component (core, self->h.stream, 2, self->h.now);
      break;
  }
}

static void
run_step (Fuzz *self, Script *in)
{
  Step step = (Step) (script_u8 (in) % N_STEPS);

  switch (step) {
    case STEP_TIMER:
      if (self->h.deadline != ICE_TIME_NEVER)
        harness_run_until (&self->h, self->h.deadline);
      break;
    case STEP_TIME:
      harness_run_for (&self->h, script_u16 (in) * 10 * ICE_MSEC);
      break;
    case STEP_ANSWER:
      step_answer (self, in);
      break;
    case STEP_RAW:
      step_raw (self, in);
      break;
    case STEP_DATA:
      step_data (self, in);
      break;
    case STEP_CHANNEL_DATA:
      step_channel_data (self, in);
      break;
    case STEP_CANDIDATE:
      step_candidate (self, in);
      break;
    case STEP_SEND:
      ice_core_send (
          self->h.core, self->h.transport, script_bytes (in, 8), self->h.now);
      break;
    case STEP_COMMAND:
    default:
      step_command (self, in);
      break;
  }
  harness_pump (&self->h);
  if (step != STEP_TIMER && step != STEP_TIME)
    g_assert_cmpuint (self->n_outputs, <=, MAX_OUTPUTS);
}

static void
make_keys (void)
{
  IceBytes realm = ICE_BYTES (REALM, strlen (REALM));

  right_key = ice_stun_key_new_long_term (USER, realm, PASSWORD, FALSE);
  other_key = ice_stun_key_new_long_term (USER, realm, PASSWORD, TRUE);
  peer_key = ice_stun_key_new_short_term (PEER_PWD);
}

static void
fuzz_init (Fuzz *self, guint flags)
{
  IceGathererConfig gather = { .relay_only = (flags & 1) != 0 };

  *self = (Fuzz){ .relay_only = gather.relay_only };
  harness_init (&self->h, (flags & 2) != 0);
  self->h.watch = watch;
  self->h.watch_user = self;
  ice_core_set_gather_config (self->h.core, &gather);
  add_server (self, 1, ICE_SERVER_TURN,
      flags & 4 ? "turn.example.org" : SERVER_IP, PASSWORD);
  if (flags & 8)
    add_server (self, 2, ICE_SERVER_STUN, SERVER_IP, NULL);
  if (flags & 16)
    ice_core_add_component (self->h.core, self->h.stream, 2);
  harness_gather (&self->h);
  harness_credentials (&self->h);
  harness_add_remote (&self->h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  harness_run_for (&self->h, 20 * ICE_MSEC);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Script in = { data, size };
  Fuzz self;
  guint i;

  if (!right_key)
    make_keys ();
  fuzz_init (&self, script_u8 (&in));
  for (i = 0; i < MAX_STEPS && in.left > 0; i++) {
    self.n_outputs = 0;
    run_step (&self, &in);
    while (g_queue_get_length (&self.h.sent) > 8)
      sent_free (g_queue_pop_head (&self.h.sent));
  }
  harness_clear (&self.h);
  return 0;
}
