/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole core and a script of what can happen to it: datagrams of strangers
 * and of the peer, whose password the script may sign with, commands, answers
 * of the world, and time. After each step the rules of the core's contract
 * hold, and what nobody signed has changed nothing. */
#include "../core/hostile.h"

#include "mend.h"
#include "script.h"
#include "target.h"

#define MAX_STEPS 48
#define BODY_MAX 96
/* What one event may ask for. A check list of 100 pairs that ends is told pair
 * by pair, hence not less. */
#define MAX_OUTPUTS 300
/* RFC 8445 7.3, 14.2: an answer, a triggered check, a permission. */
#define MAX_TRANSMITS 8

typedef enum
{
  STEP_TIMER,
  STEP_TIME,
  STEP_RAW,
  STEP_CHECK,
  STEP_ANSWER,
  STEP_TAMPERED,
  STEP_CANDIDATE,
  STEP_CREDENTIALS,
  STEP_COMMAND,
  STEP_WORLD,
  STEP_MEDIA,
  STEP_SEND,
  N_STEPS,
} Step;

typedef struct
{
  Harness h;
  IceStunKey *local, *remote; /* (owned) */
  guint n_outputs, n_transmits;
  guint sockets[8], n_sockets; /* opened or connecting, the last ones */
} Fuzz;

static void
watch (gpointer user, const IceOutput *output)
{
  Fuzz *self = user;

  self->n_outputs++;
  switch (output->type) {
    case ICE_OUTPUT_TRANSMIT:
      self->n_transmits++;
      g_assert_true (ice_address_is_usable (&output->transmit.to));
      g_assert_cmpuint (output->transmit.packet->size, <=, 1500);
      break;
    case ICE_OUTPUT_OPEN_SOCKET:
      self->sockets[self->n_sockets++ % 8] = output->open_socket.socket;
      break;
    case ICE_OUTPUT_CONNECT:
      self->sockets[self->n_sockets++ % 8] = output->connect.socket;
      break;
    case ICE_OUTPUT_ROUTE:
      if (output->route.socket)
        g_assert_true (ice_address_is_usable (&output->route.to));
      break;
    case ICE_OUTPUT_ERROR:
      g_assert_true (g_utf8_validate (output->error.text, -1, NULL));
      break;
    default:
      break;
  }
}

/* One of a few places, so that a script comes back to them. */
static IceAddress
pick_address (Script *in)
{
  guint8 choice = script_u8 (in);
  gchar ip[32];

  if (choice >= 0xf0)
    return script_address (in);
  if (choice & 0x80)
    g_snprintf (ip, sizeof ip, "2001:db8::%x", choice & 7);
  else
    g_snprintf (ip, sizeof ip, "192.0.2.%u", 2 + (choice & 7));
  return addr (ip, (guint16) (1 + (choice >> 3 & 3)));
}

static guint
pick_socket (const Fuzz *self, Script *in)
{
  guint8 choice = script_u8 (in);

  if (choice < 0xc0 || self->n_sockets == 0)
    return self->h.socket;
  return choice < 0xf8 ? self->sockets[choice % MIN (self->n_sockets, 8)]
                       : choice;
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

/* The present password, which restarts change. */
static IceStunKey *
local_key (Fuzz *self)
{
  ice_stun_key_free (self->local);
  self->local = ice_stun_key_new_short_term (
      ice_core_get_local_pwd (self->h.core, self->h.stream));
  return self->local;
}

/* What is due happens before, not because of, what comes next; and what
 * commands without a time have changed is told. */
static void
settle (Fuzz *self)
{
  harness_run_until (&self->h, self->h.now);
  ice_core_timeout (self->h.core, self->h.now);
  harness_pump (&self->h);
}

/* RFC 8445 11: a Binding indication is a keepalive, which nobody signs; a lite
 * agent has nothing else to tell that the peer lives. */
static gboolean
is_keepalive (const guint8 *data, gsize size)
{
  IceStunMessage message;

  return ice_stun_message_parse (&message, ICE_BYTES (data, size)) &&
      message.klass == ICE_STUN_INDICATION;
}

/* Nobody signed it: nothing changes, whatever it says. */
static void
receive_unsigned (Fuzz *self, guint socket, const IceAddress *from,
    const guint8 *data, gsize size)
{
  g_autofree gchar *before = NULL;
  g_autofree gchar *after = NULL;
  IceVerdict verdict;

  settle (self);
  if (is_keepalive (data, size)) {
    receive (self, socket, from, data, size);
    return;
  }
  before = harness_snapshot (&self->h);
  verdict = receive (self, socket, from, data, size);
  after = harness_snapshot (&self->h);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpint (verdict, <=, ICE_VERDICT_NOT_STUN);
}

/* Bytes of the script, mended as far as it says. */
static void
step_raw (Fuzz *self, Script *in)
{
  guint8 packet[ICE_STUN_HEADER_SIZE + BODY_MAX + 64];
  guint flags = script_u8 (in);
  guint socket = pick_socket (self, in);
  IceAddress from = pick_address (in);
  IceBytes bytes = script_bytes (in, script_u8 (in) % BODY_MAX);
  gsize size = bytes.size, head;
  gboolean is_signed = FALSE;

  if (size > 0)
    memcpy (packet, bytes.data, size);
  if (flags & 1)
    size = mend_header (packet, size);
  head = size;
  if (flags & 2)
    mend_attributes (packet, size);
  if (flags & 4 && size >= ICE_STUN_HEADER_SIZE) {
    /* Of ours a request is signed with, of the peer's an answer. */
    size = mend_integrity (packet, size, sizeof packet,
        flags & 8 ? self->remote : local_key (self),
        flags & 16 ? ICE_STUN_INTEGRITY_SHA256 : ICE_STUN_INTEGRITY_SHA1);
    is_signed = size != head;
  }
  if (flags & 32)
    size = mend_fingerprint (packet, size, sizeof packet);
  if (is_signed || flags & 4 || !ice_stun_looks_like (ICE_BYTES (packet, size)))
    receive (self, socket, &from, packet, size);
  else
    receive_unsigned (self, socket, &from, packet, size);
}

/* A check of the peer's, right but for what the script spoils. */
static void
step_check (Fuzz *self, Script *in)
{
  guint flags = script_u16 (in);
  guint socket = pick_socket (self, in);
  IceAddress from = pick_address (in);
  Check check = {
    .no_username = (flags & 0x41) == 0x41,
    .no_integrity = (flags & 0x42) == 0x42,
    .no_priority = (flags & 0x44) == 0x44,
    .no_fingerprint = (flags & 8) != 0,
    .use_candidate = (flags & 16) != 0,
    .controlled = (flags & 32) != 0,
    .sha256 = (flags & 0x180) == 0x180,
    .username = (flags & 0x240) == 0x240 ? "some:body" : NULL,
    .password = (flags & 0x440) == 0x440 ? PEER_PWD : NULL,
    .unknown = (flags & 0x840) == 0x840 ? 0x7abc : 0,
    .priority = flags & 0x1000 ? script_u32 (in) : 0,
    .tie_breaker = flags & 0x2000 ? script_u32 (in) : 0,
  };
  g_autoptr (IcePacket) packet = harness_build_check (&self->h, &check);

  if (check.no_integrity || check.password)
    receive_unsigned (self, socket, &from, packet->data, packet->size);
  else
    receive (self, socket, &from, packet->data, packet->size);
}

/* (transfer full) the answer to something that was sent lately: right but for
 * what @flags spoil. */
static IcePacket *
build_answer (
    Fuzz *self, Script *in, guint flags, const Sent *sent, gboolean *ret_signed)
{
  guint8 id[ICE_STUN_ID_SIZE];
  IceAddress mapped = flags & 1 ? pick_address (in) : self->h.host;
  guint code = flags & 2 ? 300 + script_u16 (in) % 400 : 0;
  IceStunBuilder builder;

  memcpy (id, sent->packet->data + 8, sizeof id);
  if (flags & 4)
    id[script_u8 (in) % sizeof id] ^= 1;
  ice_stun_builder_init (
      &builder, code ? ICE_STUN_ERROR : ICE_STUN_SUCCESS, ICE_STUN_BINDING, id);
  if (code)
    ice_stun_builder_add_error (&builder, code, NULL);
  else if (!(flags & 8))
    ice_stun_builder_add_xor_address (
        &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
  if (flags & 16) {
    guint16 type = script_u16 (in);

    ice_stun_builder_add_bytes (
        &builder, type, script_bytes (in, script_u8 (in) % 40));
  }
  *ret_signed = (flags & 0x60) != 0x60;
  if (*ret_signed)
    ice_stun_builder_add_integrity (&builder, self->remote,
        (flags & 0x180) == 0x180 ? ICE_STUN_INTEGRITY_SHA256
                                 : ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  return ice_stun_builder_end (&builder);
}

/* (unowned) (nullable) one of the last requests. */
static Sent *
pick_request (Fuzz *self, Script *in)
{
  guint n = g_queue_get_length (&self->h.sent);
  Sent *sent;

  if (n == 0)
    return NULL;
  sent = g_queue_peek_nth (&self->h.sent, n - 1 - script_u8 (in) % MIN (n, 8));
  return sent->packet->size >= ICE_STUN_HEADER_SIZE ? sent : NULL;
}

static void
step_answer (Fuzz *self, Script *in)
{
  Sent *sent = pick_request (self, in);
  guint flags = script_u16 (in);
  gboolean is_signed;
  g_autoptr (IcePacket) packet = NULL;
  IceAddress from;
  guint socket;

  if (!sent)
    return;
  from = flags & 0x200 ? pick_address (in) : sent->to;
  socket = sent->socket;
  packet = build_answer (self, in, flags, sent, &is_signed);
  if (is_signed)
    receive (self, socket, &from, packet->data, packet->size);
  else
    receive_unsigned (self, socket, &from, packet->data, packet->size);
}

/* A good check or a good answer with one bit changed on the way, and the
 * checksum mended behind it. */
static void
step_tampered (Fuzz *self, Script *in)
{
  Sent *sent = pick_request (self, in);
  guint16 at = script_u16 (in);
  Check check = { .use_candidate = (at & 1) != 0 };
  gboolean is_signed;
  Script none = { NULL, 0 };
  g_autoptr (IcePacket) packet = at & 0x8000 && sent
      ? build_answer (self, &none, 0, sent, &is_signed)
      : harness_build_check (&self->h, &check);
  IceAddress from = sent ? sent->to : pick_address (in);
  IceStunMessage message;
  IceBytes bytes = ICE_BYTES (packet->data, packet->size);
  gsize covered;

  g_assert_true (ice_stun_message_parse (&message, bytes));
  covered = message.integrity + 4 + ICE_SHA1_SIZE;
  packet->data[(at >> 3 & 0xfff) % covered] ^= (guint8) (1u << (at & 7));
  mend_fingerprint (packet->data, packet->size, packet->size);
  /* The length is mended with the checksum. */
  if (ice_stun_looks_like (bytes) && (at >> 3 & 0xfff) % covered / 2 != 1)
    receive_unsigned (self, self->h.socket, &from, packet->data, packet->size);
}

static void
step_candidate (Fuzz *self, Script *in)
{
  guint flags = script_u8 (in);
  g_autoptr (IceCandidate) candidate =
      ice_candidate_new ((IceCandidateKind) (flags & 3), 1 + (flags >> 7));

  candidate->address = pick_address (in);
  candidate->priority = 1 + script_u32 (in) % G_MAXINT32;
  candidate->foundation[0] = (gchar) ('1' + (flags >> 2 & 7));
  if ((flags & 0x60) == 0x60) {
    candidate->protocol = ICE_PROTOCOL_TCP;
    candidate->tcp_type = (IceTcpType) (script_u8 (in) % 4);
  }
  ice_core_add_remote_candidate (
      self->h.core, self->h.stream, candidate, self->h.now);
}

static void
step_credentials (Fuzz *self, Script *in)
{
  guint flags = script_u8 (in);
  const gchar *ufrag = flags & 1 ? "peer2" : PEER_UFRAG;
  const gchar *pwd = flags & 2 ? "peerspasswordof24lettersx" : PEER_PWD;

  if (flags & 4)
    ice_core_set_local_credentials (
        self->h.core, self->h.stream, "ours2", "ourpasswordof24lettersxx");
  else if (ice_core_set_remote_credentials (
               self->h.core, self->h.stream, ufrag, pwd, self->h.now)) {
    ice_stun_key_free (self->remote);
    self->remote = ice_stun_key_new_short_term (pwd);
  }
}

static void
select_pair (Fuzz *self, Script *in)
{
  IceAddress local = self->h.host, remote = pick_address (in);

  ice_core_set_selected_pair (
      self->h.core, self->h.transport, &local, &remote, self->h.now);
}

/* Another answer to what was offered (RFC 8839 7), which is from now on what
 * the script talks to, or not. */
static void
fork_core (Fuzz *self, Script *in)
{
  guint flags = script_u8 (in);
  guint branch = ice_core_fork (self->h.core);
  guint stream =
      branch ? ice_core_fork_stream (self->h.core, branch, self->h.stream) : 0;

  if (flags & 1 || stream == 0)
    return;
  self->h.stream = stream;
  self->h.transport = ice_core_add_component (self->h.core, stream, 1);
  if (flags & 2)
    ice_core_use_branch (self->h.core, branch);
}

static void
step_command (Fuzz *self, Script *in)
{
  IceCore *core = self->h.core;
  guint which = script_u8 (in);
  IceAddress address;

  switch (which % 24) {
    case 0:
      ice_core_restart (core, which & 16 ? self->h.stream : 0, self->h.now);
      break;
    case 1:
      ice_core_end_remote_candidates (core, self->h.stream, self->h.now);
      break;
    case 2:
      ice_core_set_controlling (core, (which & 16) != 0);
      break;
    case 3:
      ice_core_set_remote_lite (core, (which & 16) != 0, self->h.now);
      break;
    case 4:
      ice_core_set_remote_pacing (core, script_u16 (in));
      break;
    case 5:
      ice_core_set_consent (core, (which & 16) != 0);
      break;
    case 6:
      select_pair (self, in);
      break;
    case 7:
      ice_core_add_component (core, self->h.stream, 2);
      break;
    case 8:
      ice_core_remove_component (core, self->h.stream, 2, self->h.now);
      break;
    case 9:
      ice_core_set_connect_timeout (core, script_u8 (in) * ICE_SECOND);
      break;
    case 10:
      ice_core_gather (core, self->h.stream, self->h.now);
      break;
    case 11:
      ice_core_add_stream (core);
      break;
    case 12:
      address = pick_address (in);
      ice_core_set_allow_non_ice (core, (which & 16) != 0);
      ice_core_set_remote_default (
          core, self->h.transport, &address, self->h.now);
      break;
    case 13:
      ice_core_set_aggressive (core, (which & 16) != 0);
      break;
    case 14:
      ice_core_set_continual (core, (which & 16) != 0);
      break;
    case 15:
      ice_core_set_remote_options (core, script_u8 (in), self->h.now);
      break;
    case 16:
      ice_core_set_lite (core, (which & 32) != 0);
      break;
    case 17:
      fork_core (self, in);
      break;
    case 18:
      ice_core_set_forking (core, (which & 32) != 0);
      break;
    case 19:
      if (which > 0xe0)
        ice_core_close (core, self->h.now);
      break;
    case 20:
      ice_core_use_branch (core, script_u8 (in));
      break;
    default:
      break;
  }
}

/* What sockets and interfaces say. */
static void
step_world (Fuzz *self, Script *in)
{
  IceCore *core = self->h.core;
  guint which = script_u8 (in);
  guint socket = pick_socket (self, in);
  IceAddress address = pick_address (in);
  IceInterfaceAddress interfaces[2] = {
    { .address = self->h.host, .interface_index = 1 },
    { .address = address, .interface_index = 2, .tunnel = which & 64 },
  };
  Sent *sent;

  switch (which % 8) {
    case 0:
      ice_core_socket_failed (core, socket, "no route to host", self->h.now);
      break;
    case 1:
      interfaces[0].address.port = interfaces[1].address.port = 0;
      ice_core_set_interfaces (
          core, interfaces + (which >> 3 & 1), which >> 4 & 1, self->h.now);
      break;
    case 2:
      sent = pick_request (self, in);
      if (sent)
        ice_core_unreachable (core, sent->socket, &sent->to,
            ICE_BYTES (sent->packet->data, sent->packet->size), self->h.now);
      break;
    case 3:
      ice_core_socket_opened (core, socket, &address, self->h.now);
      break;
    case 4:
      self->sockets[self->n_sockets++ % 8] =
          ice_core_socket_accepted (core, socket, &address, self->h.now);
      break;
    case 5:
      ice_core_socket_closed (core, socket, "end of stream", self->h.now);
      break;
    case 6:
      ice_core_resolved (
          core, script_u8 (in), &address, which >> 4 & 1, self->h.now);
      break;
    default:
      ice_core_media_seen (core, self->h.transport,
          which & 16 ? self->h.now : 0, which & 32 ? self->h.now : 0);
      break;
  }
}

static void
step_media (Fuzz *self, Script *in)
{
  guint socket = pick_socket (self, in);
  IceAddress from = pick_address (in);
  IceBytes bytes = script_bytes (in, script_u8 (in) % BODY_MAX);

  if (!ice_stun_looks_like (bytes))
    receive (self, socket, &from, bytes.data, bytes.size);
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
      harness_run_for (&self->h, script_u16 (in) * ICE_MSEC);
      break;
    case STEP_RAW:
      step_raw (self, in);
      break;
    case STEP_CHECK:
      step_check (self, in);
      break;
    case STEP_ANSWER:
      step_answer (self, in);
      break;
    case STEP_TAMPERED:
      step_tampered (self, in);
      break;
    case STEP_CANDIDATE:
      step_candidate (self, in);
      break;
    case STEP_CREDENTIALS:
      step_credentials (self, in);
      break;
    case STEP_COMMAND:
      step_command (self, in);
      break;
    case STEP_WORLD:
      step_world (self, in);
      break;
    case STEP_MEDIA:
      step_media (self, in);
      break;
    case STEP_SEND:
    default:
      ice_core_send (
          self->h.core, self->h.transport, script_bytes (in, 8), self->h.now);
      break;
  }
  harness_pump (&self->h);
  if (step == STEP_TIMER || step == STEP_TIME)
    return;
  g_assert_cmpuint (self->n_outputs, <=, MAX_OUTPUTS);
  if (step == STEP_RAW || step == STEP_CHECK || step == STEP_ANSWER)
    g_assert_cmpuint (self->n_transmits, <=, MAX_TRANSMITS);
}

static void
fuzz_init (Fuzz *self, guint flags)
{
  *self = (Fuzz){ 0 };
  harness_init (&self->h, flags & 1);
  self->h.watch = watch;
  self->h.watch_user = self;
  self->remote = ice_stun_key_new_short_term (PEER_PWD);
  if (flags & 2)
    ice_core_add_component (self->h.core, self->h.stream, 2);
  if (!(flags & 4))
    harness_gather (&self->h);
  if (!(flags & 8))
    harness_credentials (&self->h);
  if (!(flags & 16))
    harness_add_remote (&self->h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Script in = { data, size };
  Fuzz self;
  guint i;

  fuzz_init (&self, script_u8 (&in));
  for (i = 0; i < MAX_STEPS && in.left > 0; i++) {
    self.n_outputs = self.n_transmits = 0;
    run_step (&self, &in);
    /* The branch that the script talks to was closed. */
    if (!ice_core_get_local_pwd (self.h.core, self.h.stream))
      break;
    /* RFC 8445 6.1.2.5 */
    g_assert_cmpuint (harness_count_pairs (&self.h), <=, 100);
    while (g_queue_get_length (&self.h.sent) > 8)
      sent_free (g_queue_pop_head (&self.h.sent));
  }
  harness_clear (&self.h);
  ice_stun_key_free (self.local);
  ice_stun_key_free (self.remote);
  return 0;
}
