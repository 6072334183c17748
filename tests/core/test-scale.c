/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host with 64 addresses, sixteen streams and a hundred remote candidates a
 * stream: 102,400 pairs could be made, a hundred may be (RFC 8445 6.1.2.5), and
 * a check may leave every 5 ms. */
#include "harness.h"

#define N_NEAR 64
#define N_STREAMS 16
#define N_FAR 100
#define ONE_WAY (10 * ICE_MSEC)
#define TA (5 * ICE_MSEC)

typedef struct
{
  IceTime at;
  guint socket;
  IceAddress from;
  IcePacket *packet; /* (owned) */
} Flight;

typedef struct
{
  IceCore *core; /* (owned) */
  IceTime now, deadline, last_new;
  guint64 dice;
  guint streams[N_STREAMS], transports[N_STREAMS];
  guint sockets[N_STREAMS]; /* one of each */
  IceAddress bound[N_STREAMS];
  IceState states[N_STREAMS];
  GHashTable *alive; /* (owned) the peer's addresses that answer */
  GHashTable *ids;   /* (owned) transactions seen */
  GQueue flights;    /* (owned) Flight */
  guint16 next_port;
  guint n_new, n_pairs_max, n_sockets;
} Scale;

static void
roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  Scale *self = user;

  for (gsize i = 0; i < size; i++) {
    self->dice = self->dice * 6364136223846793005u + 1442695040888963407u;
    ret_bytes[i] = self->dice >> 56;
  }
}

static guint
index_of (const guint *list, guint id)
{
  for (guint i = 0; i < N_STREAMS; i++)
    if (list[i] == id)
      return i;
  g_assert_not_reached ();
}

static gboolean
is_alive (Scale *self, const IceAddress *address)
{
  gchar text[ICE_ADDRESS_STRLEN];

  return g_hash_table_contains (
      self->alive, ice_address_to_string (address, text));
}

static void
answer (Scale *self, guint socket, const IceAddress *from, const guint8 *id)
{
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (PEER_PWD);
  IceAddress mapped = addr (HOST_IP, 5000);
  Flight *flight = g_new0 (Flight, 1);
  IceStunBuilder builder;

  if (from->family == ICE_FAMILY_IPV6)
    mapped = addr ("2001:db8::1", 5000);
  ice_stun_builder_init (&builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, id);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  flight->at = self->now + 2 * ONE_WAY;
  flight->socket = socket;
  flight->from = *from;
  flight->packet = ice_stun_builder_end (&builder);
  g_queue_push_tail (&self->flights, flight);
}

static void
transmit (Scale *self, const IceOutput *output)
{
  const IcePacket *packet = output->transmit.packet;
  IceStunMessage message;

  g_assert_true (ice_stun_message_parse (
      &message, ICE_BYTES (packet->data, packet->size)));
  if (message.klass != ICE_STUN_REQUEST)
    return;
  if (g_hash_table_add (
          self->ids, g_base64_encode (message.id, ICE_STUN_ID_SIZE))) {
    self->n_new++;
    /* Consent is exempt, and not due before seconds have passed. */
    g_assert_cmpint (self->now - self->last_new, >=, TA);
    self->last_new = self->now;
  }
  if (is_alive (self, &output->transmit.to))
    answer (self, output->transmit.socket, &output->transmit.to, message.id);
}

static void
pump (Scale *self)
{
  g_autoptr (IceOutput) outputs =
      ice_core_take_outputs (self->core, &self->deadline);
  guint i;

  for (IceOutput *output = outputs; output; output = output->next) {
    if (output->type == ICE_OUTPUT_TRANSMIT) {
      transmit (self, output);
    } else if (output->type == ICE_OUTPUT_STATE) {
      i = index_of (self->transports, output->state.transport);
      self->states[i] = output->state.state;
    } else if (output->type == ICE_OUTPUT_OPEN_SOCKET) {
      IceAddress bound = output->open_socket.local;

      i = index_of (self->transports, output->open_socket.transport);
      bound.port = self->next_port++;
      if (self->sockets[i] == 0) {
        self->sockets[i] = output->open_socket.socket;
        self->bound[i] = bound;
      }
      self->n_sockets++;
      ice_core_socket_opened (
          self->core, output->open_socket.socket, &bound, self->now);
    }
  }
  if (outputs)
    pump (self); /* what the sockets brought */
}

static void
note_pairs (Scale *self)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (IcePairStats));

  ice_core_get_pair_stats (self->core, pairs);
  self->n_pairs_max = MAX (self->n_pairs_max, pairs->len);
}

static void
run_until (Scale *self, IceTime until)
{
  for (;;) {
    Flight *flight = g_queue_peek_head (&self->flights);

    if (flight && flight->at <= MIN (self->deadline, until)) {
      IceDatagram in = { flight->socket, flight->from,
        ICE_BYTES (flight->packet->data, flight->packet->size) };

      g_queue_pop_head (&self->flights);
      self->now = flight->at;
      ice_core_receive (self->core, &in, self->now);
      ice_packet_unref (flight->packet);
      g_free (flight);
    } else if (self->deadline <= until) {
      self->now = MAX (self->now, self->deadline);
      ice_core_timeout (self->core, self->now);
    } else {
      break;
    }
    pump (self);
    note_pairs (self);
  }
  self->now = until;
}

static void
start (Scale *self, gboolean controlling)
{
  IceWorld world = { .random = roll, .user = self };
  IceInterfaceAddress near[N_NEAR] = { 0 };
  IceCoreConfig config;

  *self = (Scale){ .now = 1000 * ICE_SECOND, .dice = 7, .next_port = 10000 };
  self->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->alive = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&self->flights);
  ice_core_config_init (&config, &world);
  config.controlling = controlling;
  self->core = ice_core_new (&config, self->now);
  ice_core_set_remote_pacing (self->core, TA / ICE_MSEC);
  for (guint i = 0; i < N_NEAR; i++) {
    g_autofree gchar *ip =
        g_strdup_printf (i % 2 ? "10.0.%u.1" : "2001:db8:%x::1", i + 1);

    near[i].address = addr (ip, 0);
    near[i].interface_index = i + 1;
  }
  ice_core_set_interfaces (self->core, near, N_NEAR, self->now);
  for (guint i = 0; i < N_STREAMS; i++) {
    self->streams[i] = ice_core_add_stream (self->core);
    self->transports[i] =
        ice_core_add_component (self->core, self->streams[i], 1);
  }
  for (guint i = 0; i < N_STREAMS; i++) {
    ice_core_gather (self->core, self->streams[i], self->now);
    pump (self);
  }
}

/* The peer's candidate @j of stream @i, 0 the best. */
static IceAddress
far_address (guint i, guint j)
{
  g_autofree gchar *ip =
      g_strdup_printf (j % 2 ? "192.0.2.%u" : "2001:db8:ff::%x", j + 1);

  return addr (ip, (guint16) (20000 + i));
}

static void
add_far (Scale *self, guint i, guint j)
{
  g_autoptr (IceCandidate) candidate =
      ice_candidate_new (ICE_CANDIDATE_HOST, 1);

  candidate->address = candidate->base = far_address (i, j);
  candidate->priority = ice_candidate_compute_priority (
      ICE_CANDIDATE_HOST, (guint16) (65535 - j), 1);
  g_snprintf (candidate->foundation, sizeof candidate->foundation, "%u", j);
  g_assert_cmpint (ice_core_add_remote_candidate (
                       self->core, self->streams[i], candidate, self->now),
      ==, ICE_VERDICT_OK);
}

static void
offer_candidates (Scale *self)
{
  for (guint i = 0; i < N_STREAMS; i++) {
    g_assert_true (ice_core_set_remote_credentials (
        self->core, self->streams[i], PEER_UFRAG, PEER_PWD, self->now));
    for (guint j = 0; j < N_FAR; j++)
      add_far (self, i, j);
    pump (self);
    note_pairs (self);
  }
}

static void
revive (Scale *self, guint j)
{
  for (guint i = 0; i < N_STREAMS; i++) {
    IceAddress address = far_address (i, j);
    gchar text[ICE_ADDRESS_STRLEN];

    g_hash_table_add (
        self->alive, g_strdup (ice_address_to_string (&address, text)));
  }
}

static guint
count_states (Scale *self, IceState state)
{
  guint n = 0;

  for (guint i = 0; i < N_STREAMS; i++)
    n += self->states[i] == state;
  return n;
}

static void
finish (Scale *self)
{
  Flight *flight;

  g_assert_cmpuint (self->n_sockets, ==, N_NEAR * N_STREAMS);
  g_assert_cmpuint (self->n_pairs_max, <=, 100);
  g_assert_cmpuint (count_states (self, ICE_STATE_COMPLETED), ==, N_STREAMS);
  ice_core_free (self->core);
  while ((flight = g_queue_pop_head (&self->flights)) != NULL) {
    ice_packet_unref (flight->packet);
    g_free (flight);
  }
  g_hash_table_unref (self->ids);
  g_hash_table_unref (self->alive);
}

/* The peer's best candidates work: a hundred checks and sixteen nominations
 * take 0.6 s at 5 ms each, and nothing is left when they are through. */
static void
test_best (void)
{
  IceTime begin;
  Scale self;

  start (&self, TRUE);
  revive (&self, 0);
  begin = self.now;
  offer_candidates (&self);
  g_assert_cmpuint (self.n_pairs_max, ==, 100);
  run_until (&self, begin + ICE_SECOND);
  g_test_message ("%u checks, all completed within a second", self.n_new);
  g_assert_cmpuint (self.n_new, <=, ICE_SECOND / TA);
  finish (&self);
}

static void
check_from (Scale *self, guint i, guint j)
{
  g_autofree gchar *username = g_strdup_printf ("%s:%s",
      ice_core_get_local_ufrag (self->core, self->streams[i]), PEER_UFRAG);
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (
      ice_core_get_local_pwd (self->core, self->streams[i]));
  guint8 id[ICE_STUN_ID_SIZE] = { 'f', (guint8) i, (guint8) j };
  IceAddress from = far_address (i, j);
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;
  IceDatagram in;

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, username);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY, PEER_PRIORITY);
  ice_stun_builder_add_u64 (&builder, ICE_STUN_ICE_CONTROLLED, 0);
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  packet = ice_stun_builder_end (&builder);
  in = (IceDatagram){ self->sockets[i], from,
    ICE_BYTES (packet->data, packet->size) };
  g_assert_cmpint (
      ice_core_receive (self->core, &in, self->now), ==, ICE_VERDICT_OK);
  pump (self);
  note_pairs (self);
}

/* Only the worst candidate works, whose pairs found no room: the peer's own
 * check makes the one that is needed. */
static void
test_worst (void)
{
  guint worst = N_FAR - 2; /* of the family of the first socket */
  IceTime begin;
  Scale self;

  start (&self, TRUE);
  revive (&self, worst);
  begin = self.now;
  offer_candidates (&self);
  run_until (&self, begin + ICE_SECOND);
  g_assert_cmpuint (count_states (&self, ICE_STATE_CHECKING), ==, N_STREAMS);
  for (guint i = 0; i < N_STREAMS; i++)
    check_from (&self, i, worst);
  run_until (&self, begin + 3 * ICE_SECOND);
  finish (&self);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scale/best", test_best);
  g_test_add_func ("/scale/worst", test_worst);
  return g_test_run ();
}
