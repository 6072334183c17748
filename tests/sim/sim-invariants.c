/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must hold in every run, whatever the network does. The witness stands
 * outside the core: it sees only packets, states and deadlines. */
#include "sim-watch.h"

#include "gst/ice/core/stun/integrity.h"
#include "gst/ice/core/stun/transaction.h"

#include <string.h>

/* RFC 7675 5.1. */
#define CONSENT_LIFETIME (30 * ICE_SECOND)
/* RFC 8489 6.1: what passes everywhere, less the IPv4 and UDP headers. */
#define MAX_MESSAGE 548

/* An address that media may go to, and what allows it. */
typedef struct
{
  guint socket;
  IceAddress peer;
  IceAddress relay; /* the server it comes through, NONE: none */
  IceTime success_at;
  guint n_asked; /* requests since then */
} Success;

typedef struct
{
  guint8 id[ICE_STUN_ID_SIZE];
  guint n_sent;
} Seen;

typedef struct
{
  guint socket;
  IceAddress relay;
  guint16 number;
  IceAddress peer;
} Channel;

typedef struct
{
  guint socket;
  IceAddress server;
} Asked;

struct _SimWitness
{
  SimNet *net;   /* (unowned) */
  SimHost *host; /* (unowned) */
  gboolean consent, renominates, unchecked;
  guint n_branches;
  GPtrArray *keys;      /* (owned) IceStunKey: of the peer's passwords */
  GPtrArray *lite_keys; /* (owned) IceStunKey: of ours, if it is lite */
  GArray *successes;    /* (owned) Success */
  GHashTable *seen;     /* (owned) Seen: requests */
  GArray *channels;     /* (owned) Channel */
  GArray *asked;        /* (owned) Asked: STUN servers */
  IceTime path_back_at;
  SimNominations *nominations; /* (owned) */
  SimLeases *leases;           /* (owned) */
  guint n_past; /* times woken for a deadline in the past, in a row */
};

/* The ids of transactions are random. */
static guint
id_hash (gconstpointer id)
{
  guint32 hash;

  memcpy (&hash, id, sizeof hash);
  return hash;
}

static gboolean
id_equal (gconstpointer a, gconstpointer b)
{
  return ice_stun_id_equal (a, b);
}

SimWitness *
sim_witness_new (SimNet *net, SimHost *host)
{
  SimWitness *self = g_new0 (SimWitness, 1);

  self->net = net;
  self->host = host;
  self->keys =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_stun_key_free);
  self->lite_keys =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_stun_key_free);
  self->successes = g_array_new (FALSE, FALSE, sizeof (Success));
  self->seen = g_hash_table_new_full (id_hash, id_equal, g_free, NULL);
  self->channels = g_array_new (FALSE, FALSE, sizeof (Channel));
  self->asked = g_array_new (FALSE, FALSE, sizeof (Asked));
  self->nominations = sim_nominations_new (net, host);
  self->leases = sim_leases_new (net, host);
  return self;
}

void
sim_witness_free (SimWitness *self)
{
  g_ptr_array_unref (self->keys);
  g_ptr_array_unref (self->lite_keys);
  g_array_unref (self->successes);
  g_hash_table_unref (self->seen);
  g_array_unref (self->channels);
  g_array_unref (self->asked);
  sim_nominations_free (self->nominations);
  sim_leases_free (self->leases);
  g_free (self);
}

void
sim_witness_forks (SimWitness *self)
{
  self->n_branches++;
}

void
sim_witness_consent (SimWitness *self, gboolean on)
{
  self->consent = on;
}

void
sim_witness_remote_password (SimWitness *self, const gchar *password)
{
  g_ptr_array_add (self->keys, ice_stun_key_new_short_term (password));
}

void
sim_witness_local_password (SimWitness *self, const gchar *password)
{
  g_ptr_array_add (self->lite_keys, ice_stun_key_new_short_term (password));
}

void
sim_witness_unchecked (SimWitness *self)
{
  self->unchecked = TRUE;
}

void
sim_witness_renominates (SimWitness *self, gboolean aggressive)
{
  self->renominates = !aggressive;
  sim_nominations_allow (self->nominations, aggressive);
}

/* What is inside a packet to or from a TURN server. */
typedef struct
{
  IceAddress relay; /* NONE: none */
  IceAddress peer;
  IceBytes data;
} Inner;

static Inner
unwrap (
    SimWitness *self, guint socket, const IceAddress *address, IceBytes data)
{
  Inner inner = { ICE_ADDRESS_NONE, *address, data };
  IceStunMessage message;
  guint16 number;

  if (data.size >= 4 && data.data[0] >= 0x40 && data.data[0] <= 0x4f) {
    number = data.data[0] << 8 | data.data[1];
    for (guint i = 0; i < self->channels->len; i++) {
      Channel *channel = &g_array_index (self->channels, Channel, i);

      if (channel->socket == socket && channel->number == number &&
          ice_address_equal (&channel->relay, address))
        inner.peer = channel->peer;
    }
    inner.relay = *address;
    inner.data = ICE_BYTES (data.data + 4, data.size - 4);
  } else if (ice_stun_looks_like (data) &&
      ice_stun_message_parse (&message, data) &&
      (message.method == ICE_STUN_SEND || message.method == ICE_STUN_DATA) &&
      ice_stun_message_get_xor_address (
          &message, ICE_STUN_XOR_PEER_ADDRESS, &inner.peer) &&
      ice_stun_message_find (&message, ICE_STUN_DATA_ATTRIBUTE, &inner.data)) {
    inner.relay = *address;
  }
  return inner;
}

static Success *
find_success (SimWitness *self, guint socket, const IceAddress *peer,
    const IceAddress *relay)
{
  for (guint i = 0; i < self->successes->len; i++) {
    Success *success = &g_array_index (self->successes, Success, i);

    if (success->socket == socket && ice_address_equal (&success->peer, peer) &&
        ice_address_equal (&success->relay, relay))
      return success;
  }
  return NULL;
}

/* I3 and I4: media goes only where a signed success came from, and for 30 s
 * after the last one. */
static void
check_media (SimWitness *self, guint socket, const IceAddress *peer,
    const IceAddress *relay)
{
  Success *success = find_success (self, socket, peer, relay);
  const gchar *name = sim_host_name (self->host);
  gchar text[ICE_ADDRESS_STRLEN];

  if (self->unchecked)
    return;
  if (success == NULL)
    sim_net_violate (self->net, "I3: %s sent media to %s without a success",
        name, ice_address_to_string (peer, text));
  /* A lite agent asks for no consent (RFC 7675 3). */
  else if (self->consent && self->lite_keys->len == 0 &&
      sim_net_now (self->net) > success->success_at + CONSENT_LIFETIME)
    sim_net_violate (self->net, "I4: %s sent media to %s without consent", name,
        ice_address_to_string (peer, text));
}

void
sim_witness_media (SimWitness *self, const SimTransport *transport)
{
  const IceAddress none = ICE_ADDRESS_NONE;

  check_media (self, transport->route.socket, &transport->route.peer,
      transport->route.channel ? &transport->route.to : &none);
}

/* Consent is asked for on the selected pair, and on the spare ones of a session
 * that renominates. */
static gboolean
is_consent (SimWitness *self, const IceAddress *peer, gboolean valid)
{
  const SimTransport *transport;

  if (valid && self->renominates)
    return TRUE;
  for (guint i = 0; (transport = sim_host_any_transport (self->host, i)); i++) {
    if (transport->remote &&
        ice_address_equal (&transport->remote->address, peer))
      return TRUE;
  }
  return FALSE;
}

/* Later Binding requests to a STUN server keep the mapping alive. */
static gboolean
is_keepalive (SimWitness *self, guint socket, const IceAddress *server,
    const IceStunMessage *message)
{
  Asked asked = { socket, *server };

  if (message->method != ICE_STUN_BINDING ||
      ice_stun_message_has (message, ICE_STUN_USERNAME))
    return FALSE;
  for (guint i = 0; i < self->asked->len; i++)
    if (g_array_index (self->asked, Asked, i).socket == socket &&
        ice_address_equal (
            &g_array_index (self->asked, Asked, i).server, server))
      return TRUE;
  g_array_append_val (self->asked, asked);
  return FALSE;
}

/* I5. */
static void
check_caps (SimWitness *self)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (IcePairStats));

  ice_core_get_pair_stats (sim_host_core (self->host), pairs);
  if (pairs->len > 100 * (1 + self->n_branches) + 8)
    sim_net_violate (self->net, "I5: %s has %u pairs",
        sim_host_name (self->host), pairs->len);
}

/* I8: new transactions of gathering and checks keep their distance; a request
 * is sent at most Rc times. */
static void
check_request (SimWitness *self, guint socket, const IceStunMessage *message,
    const IceAddress *peer, gboolean valid)
{
  const gchar *name = sim_host_name (self->host);
  Seen *seen;

  seen = g_hash_table_lookup (self->seen, message->id);
  if (seen) {
    if (++seen->n_sent > ICE_STUN_RC)
      sim_net_violate (
          self->net, "I8: %s sent a request %u times", name, seen->n_sent);
    return;
  }
  check_caps (self);
  seen = g_new (Seen, 1);
  seen->n_sent = 1;
  memcpy (seen->id, message->id, ICE_STUN_ID_SIZE);
  g_hash_table_add (self->seen, seen);

  if ((message->method != ICE_STUN_BINDING &&
          message->method != ICE_STUN_ALLOCATE) ||
      sim_host_is_connection (self->host, socket) ||
      is_consent (self, peer, valid) ||
      is_keepalive (self, socket, peer, message))
    return;
  sim_process_began (sim_host_process (self->host), name);
}

void
sim_witness_connect (SimWitness *self)
{
  sim_process_began (sim_host_process (self->host), sim_host_name (self->host));
}

static void
note_channel (SimWitness *self, guint socket, const IceAddress *to,
    const IceStunMessage *message)
{
  Channel channel = { .socket = socket, .relay = *to };
  guint32 number;

  if (message->method != ICE_STUN_CHANNEL_BIND ||
      !ice_stun_message_get_u32 (message, ICE_STUN_CHANNEL_NUMBER, &number) ||
      !ice_stun_message_get_xor_address (
          message, ICE_STUN_XOR_PEER_ADDRESS, &channel.peer))
    return;
  channel.number = number >> 16;
  g_array_append_val (self->channels, channel);
}

void
sim_witness_transmit (
    SimWitness *self, guint socket, const IceAddress *to, IceBytes data)
{
  Inner inner = unwrap (self, socket, to, data);
  IceStunMessage message;
  Success *success;

  if (!ice_stun_looks_like (inner.data)) {
    check_media (self, socket, &inner.peer, &inner.relay);
    return;
  }
  if (data.size > MAX_MESSAGE)
    sim_net_violate (self->net, "N8: %s sent %u bytes",
        sim_host_name (self->host), (guint) data.size);
  if (!ice_stun_message_parse (&message, inner.data)) {
    sim_net_violate (
        self->net, "%s sent malformed STUN", sim_host_name (self->host));
    return;
  }
  note_channel (self, socket, to, &message);
  if (message.klass != ICE_STUN_REQUEST)
    return;
  success = find_success (self, socket, &inner.peer, &inner.relay);
  check_request (self, socket, &message, &inner.peer, success != NULL);
  if (message.method == ICE_STUN_BINDING) {
    if (success && sim_net_now (self->net) >= self->path_back_at)
      success->n_asked++;
    sim_nominations_sent (self->nominations, socket, &inner.peer, &inner.relay,
        success != NULL, &message);
  } else {
    sim_leases_sent (self->leases, socket, to, &message);
  }
}

void
sim_witness_path_is_back (SimWitness *self)
{
  self->path_back_at = sim_net_now (self->net);
  for (guint i = 0; i < self->successes->len; i++)
    g_array_index (self->successes, Success, i).n_asked = 0;
}

guint
sim_witness_n_asked (SimWitness *self, const SimTransport *transport)
{
  guint n = 0;

  for (guint i = 0; transport->remote && i < self->successes->len; i++) {
    const Success *success = &g_array_index (self->successes, Success, i);

    if (ice_address_equal (&success->peer, &transport->remote->address))
      n = MAX (n, success->n_asked);
  }
  return n;
}

/* @keys (nullable). The newest is the likeliest. */
static gboolean
is_signed (const IceStunMessage *message, const GPtrArray *keys)
{
  for (guint i = keys ? keys->len : 0; i-- > 0;)
    if (ice_stun_message_verify (
            message, g_ptr_array_index (keys, i), ICE_STUN_INTEGRITY_SHA1))
      return TRUE;
  return FALSE;
}

void
sim_witness_receive (
    SimWitness *self, guint socket, const IceAddress *from, IceBytes data)
{
  Inner inner = unwrap (self, socket, from, data);
  IceStunMessage message;
  Success *success;
  Success fresh = { socket, inner.peer, inner.relay, sim_net_now (self->net),
    0 };

  if (!ice_stun_looks_like (inner.data) ||
      !ice_stun_message_parse (&message, inner.data))
    return;
  sim_leases_received (self->leases, socket, &message);
  if (message.method != ICE_STUN_BINDING ||
      !is_signed (&message,
          message.klass == ICE_STUN_SUCCESS       ? self->keys
              : message.klass == ICE_STUN_REQUEST ? self->lite_keys
                                                  : NULL))
    return;
  if (message.klass == ICE_STUN_SUCCESS)
    sim_nominations_answered (
        self->nominations, socket, &inner.peer, &inner.relay, &message);
  success = find_success (self, socket, &inner.peer, &inner.relay);
  if (success)
    *success = fresh;
  else
    g_array_append_val (self->successes, fresh);
}

void
sim_witness_restart (SimWitness *self)
{
  sim_leases_restart (self->leases);
}

void
sim_witness_end (SimWitness *self)
{
  sim_leases_end (self->leases);
}

/* I14: the edges of the state machine. */
void
sim_witness_state (SimWitness *self, IceState from, IceState to)
{
#define TO(state) (1 << ICE_STATE_##state)
  static const guint edges[] = {
    [ICE_STATE_NEW] =
        TO (CHECKING) | TO (CONNECTED) | TO (COMPLETED) | TO (CLOSED),
    [ICE_STATE_CHECKING] =
        TO (CONNECTED) | TO (COMPLETED) | TO (FAILED) | TO (NEW) | TO (CLOSED),
    /* NEW: while a restart is offered, and what carried media is gone. */
    [ICE_STATE_CONNECTED] = TO (COMPLETED) | TO (DISCONNECTED) | TO (FAILED) |
        TO (CHECKING) | TO (NEW) | TO (CLOSED),
    [ICE_STATE_COMPLETED] =
        TO (CONNECTED) | TO (DISCONNECTED) | TO (FAILED) | TO (CLOSED),
    [ICE_STATE_DISCONNECTED] = TO (CONNECTED) | TO (COMPLETED) | TO (FAILED) |
        TO (CHECKING) | TO (NEW) | TO (CLOSED),
    [ICE_STATE_FAILED] = TO (NEW) | TO (CLOSED),
    [ICE_STATE_CLOSED] = 0,
  };
#undef TO

  if (!(edges[from] & (1 << to)))
    sim_net_violate (self->net, "I14: %s went from %s to %s",
        sim_host_name (self->host), ice_state_to_string (from),
        ice_state_to_string (to));
}

/* I11: a deadline is never in the past twice. */
void
sim_witness_deadline (SimWitness *self, IceTime deadline, gboolean woken)
{
  if (woken)
    self->n_past++;
  else if (deadline > sim_net_now (self->net))
    self->n_past = 0;
  else if (self->n_past > 1)
    sim_net_violate (self->net, "I11: %s: a deadline in the past, twice",
        sim_host_name (self->host));
}

/* I1: the two ends of a nominated pair mirror each other. */
static gboolean
is_mirror (const SimTransport *a, const SimTransport *b)
{
  const IceAddress *local, *remote;

  if (a->state != ICE_STATE_COMPLETED || b->state != ICE_STATE_COMPLETED)
    return TRUE;
  local = &a->local->address;
  remote = &b->remote->address;
  /* RFC 6544 4.5: the port of an active candidate is of no meaning, and another
   * one when the connection is opened again (11.1). */
  return a->local->tcp_type == ICE_TCP_TYPE_ACTIVE
      ? ice_address_same_ip (local, remote)
      : ice_address_equal (local, remote);
}

/* @ret_a, @ret_b: the two that do not, if any. */
static gboolean
find_disagreement (SimHost *a, SimHost *b, const SimTransport **ret_a,
    const SimTransport **ret_b)
{
  for (guint i = 0; i < 8; i++) {
    const SimTransport *x = sim_host_transport (a, 0, 1) + i;
    const SimTransport *y = sim_host_transport (b, 0, 1) + i;

    if (x->id == 0 || y->id == 0)
      break;
    if (is_mirror (x, y) && is_mirror (y, x))
      continue;
    *ret_a = is_mirror (x, y) ? y : x;
    *ret_b = is_mirror (x, y) ? x : y;
    return TRUE;
  }
  return FALSE;
}

gboolean
sim_is_agreement (SimHost *a, SimHost *b)
{
  const SimTransport *x, *y;

  return !find_disagreement (a, b, &x, &y);
}

void
sim_check_agreement (SimNet *net, SimHost *a, SimHost *b)
{
  gchar text[ICE_ADDRESS_STRLEN], other[ICE_ADDRESS_STRLEN];
  const SimTransport *x, *y;

  if (find_disagreement (a, b, &x, &y))
    sim_net_violate (net, "I1: one is %s, the other sends to %s",
        ice_address_to_string (&x->local->address, text),
        ice_address_to_string (&y->remote->address, other));
  if (sim_host_is_controlling (a) == sim_host_is_controlling (b) &&
      sim_host_state (a) == ICE_STATE_COMPLETED &&
      sim_host_state (b) == ICE_STATE_COMPLETED)
    sim_net_violate (net, "I10: both have the same role");
}
