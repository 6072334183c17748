/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour-private.h"

#include "../purity.h"

/* RFC 8489 6.2.1 lets Rc and Rm be set. Silence is an answer here, and four
 * requests within 3.5 s and two more seconds are enough to believe it. */
#define PATIENCE (5500 * ICE_MSEC)
/* RFC 5780 7.2: the bits of CHANGE-REQUEST. */
#define CHANGE_ADDRESS 0x4
#define CHANGE_PORT 0x2
/* RFC 5780 7.6: as long as the MTU of the interface, a multiple of four. What
 * passes Ethernet in one piece is longer than no link's. */
#define PADDING_SIZE 1500

const gchar *
ice_nat_behaviour_to_string (IceNatBehaviour behaviour)
{
  switch (behaviour) {
    case ICE_NAT_ENDPOINT_INDEPENDENT:
      return "endpoint-independent";
    case ICE_NAT_ADDRESS_DEPENDENT:
      return "address-dependent";
    case ICE_NAT_ADDRESS_AND_PORT_DEPENDENT:
      return "address-and-port-dependent";
    default:
      return NULL;
  }
}

/* Asking. */

static void
send_request (IceBehaviour *self, const IceBehaviourTest *test)
{
  IceBehaviourPacket *packet = g_new0 (IceBehaviourPacket, 1);

  packet->socket = test->socket;
  packet->to = test->to;
  packet->packet = ice_packet_ref (test->transaction.request);
  g_queue_push_tail (&self->packets, packet);
}

void
ice_behaviour_begin (IceBehaviour *self, IceStunBuilder *builder)
{
  guint8 id[ICE_STUN_ID_SIZE];

  self->roll (self->user, id, sizeof id);
  ice_stun_builder_init (builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
}

void
ice_behaviour_ask (IceBehaviour *self, guint index, guint socket,
    const IceAddress *to, IceStunBuilder *builder, IceTime now)
{
  IceBehaviourTest *test = &self->tests[index];

  test->state = ICE_BEHAVIOUR_TEST_ASKED;
  test->socket = test->answer_socket = socket;
  test->to = test->answer_from = *to;
  ice_transaction_start (&test->transaction, ice_stun_builder_end (builder),
      ICE_STUN_RTO_MIN, FALSE, now);
  send_request (self, test);
}

static void
ask_plainly (IceBehaviour *self, guint test, guint socket, const IceAddress *to,
    IceTime now)
{
  IceStunBuilder builder;

  ice_behaviour_begin (self, &builder);
  ice_behaviour_ask (self, test, socket, to, &builder, now);
}

static IceAddress
with_port (const IceAddress *address, guint16 port)
{
  IceAddress result = *address;

  result.port = port;
  return result;
}

/* RFC 5780 4.4: the answer to II comes from the other address and port, the
 * answer to III from the other port. */
static void
ask_filtering (IceBehaviour *self, guint test, guint32 change,
    const IceAddress *from, IceTime now)
{
  IceStunBuilder builder;

  ice_behaviour_begin (self, &builder);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_CHANGE_REQUEST, change);
  ice_behaviour_ask (
      self, test, ICE_BEHAVIOUR_FILTERING, &self->server, &builder, now);
  self->tests[test].answer_from = *from;
}

/* RFC 5780 3.4: does what is sent to our outer address from inside come back?
 * Sent both ways, so that each opens the other's filter. */
static void
ask_hairpin (IceBehaviour *self, IceTime now)
{
  const IceBehaviourTest *there = &self->tests[ICE_BEHAVIOUR_TEST_CONTACT];
  const IceBehaviourTest *here =
      &self->tests[ICE_BEHAVIOUR_TEST_CONTACT_FILTER];

  ask_plainly (self, ICE_BEHAVIOUR_TEST_HAIRPIN, ICE_BEHAVIOUR_FILTERING,
      &there->mapped, now);
  self->tests[ICE_BEHAVIOUR_TEST_HAIRPIN].answer_socket = ICE_BEHAVIOUR_MAPPING;
  ask_plainly (self, ICE_BEHAVIOUR_TEST_HAIRPIN_BACK, ICE_BEHAVIOUR_MAPPING,
      &here->mapped, now);
  self->tests[ICE_BEHAVIOUR_TEST_HAIRPIN_BACK].answer_socket =
      ICE_BEHAVIOUR_FILTERING;
}

/* RFC 5780 3.5: the request and, by its PADDING, the answer are fragments. */
static void
ask_fragment (IceBehaviour *self, IceTime now)
{
  static const guint8 padding[PADDING_SIZE];
  IceStunBuilder builder;

  ice_behaviour_begin (self, &builder);
  ice_stun_builder_add_bytes (
      &builder, ICE_STUN_PADDING, ICE_BYTES (padding, sizeof padding));
  ice_behaviour_ask (self, ICE_BEHAVIOUR_TEST_FRAGMENT, ICE_BEHAVIOUR_MAPPING,
      &self->server, &builder, now);
}

/* What came of it. */

static gboolean
is_answered (const IceBehaviour *self, guint test)
{
  return self->tests[test].state == ICE_BEHAVIOUR_TEST_ANSWERED;
}

static gboolean
is_running (const IceBehaviour *self, guint test)
{
  return self->tests[test].state == ICE_BEHAVIOUR_TEST_ASKED;
}

static void
end_test (IceBehaviourTest *test, IceBehaviourTestState state)
{
  ice_transaction_clear (&test->transaction);
  test->state = state;
}

/* The server names whom we send to next: not our own host nor our own network,
 * unless that is where it is itself. */
static gboolean
may_be_other (const IceBehaviour *self, const IceAddress *other)
{
  const IceAddressClass class = ice_address_classify (other);

  return ice_address_is_usable (other) &&
      other->family == self->server.family &&
      (class == ICE_ADDRESS_GLOBAL ||
          class == ice_address_classify (&self->server)) &&
      !ice_address_same_ip (other, &self->server) &&
      other->port != self->server.port;
}

static void
take_contact (IceBehaviour *self, const IceStunMessage *answer, IceTime now)
{
  const IceBehaviourTest *test = &self->tests[ICE_BEHAVIOUR_TEST_CONTACT];
  IceAddress other;

  self->rtt = now - test->transaction.sent_at;
  self->mapped = test->mapped;
  self->nat =
      !ice_address_equal (&test->mapped, &self->local[ICE_BEHAVIOUR_MAPPING]);
  if (ice_stun_message_get_address (answer, ICE_STUN_OTHER_ADDRESS, &other) &&
      may_be_other (self, &other))
    self->other = other;
}

static void
start_tests (IceBehaviour *self, IceTime now)
{
  const IceAddress *other = &self->other;

  self->tests_started = TRUE;
  ask_fragment (self, now);
  if (self->nat && is_answered (self, ICE_BEHAVIOUR_TEST_CONTACT_FILTER))
    ask_hairpin (self, now);
  if (!self->nat)
    self->mapping = ICE_NAT_ENDPOINT_INDEPENDENT; /* 4.3: the effective one */
  if (other->family == ICE_FAMILY_NONE)
    return;
  if (self->nat) {
    const IceAddress to = with_port (other, self->server.port);

    ask_plainly (
        self, ICE_BEHAVIOUR_TEST_MAPPING_II, ICE_BEHAVIOUR_MAPPING, &to, now);
  }
  if (is_answered (self, ICE_BEHAVIOUR_TEST_CONTACT_FILTER)) {
    const IceAddress port = with_port (&self->server, other->port);

    ask_filtering (self, ICE_BEHAVIOUR_TEST_FILTERING_II,
        CHANGE_ADDRESS | CHANGE_PORT, other, now);
    ask_filtering (
        self, ICE_BEHAVIOUR_TEST_FILTERING_III, CHANGE_PORT, &port, now);
  }
}

/* RFC 5780 4.3. */
static void
conclude_mapping (IceBehaviour *self)
{
  const IceBehaviourTest *second = &self->tests[ICE_BEHAVIOUR_TEST_MAPPING_II];
  const IceBehaviourTest *third = &self->tests[ICE_BEHAVIOUR_TEST_MAPPING_III];

  if (second->state != ICE_BEHAVIOUR_TEST_ANSWERED)
    return;
  if (ice_address_equal (&second->mapped, &self->mapped))
    self->mapping = ICE_NAT_ENDPOINT_INDEPENDENT;
  else if (third->state == ICE_BEHAVIOUR_TEST_ANSWERED)
    self->mapping = ice_address_equal (&third->mapped, &second->mapped)
        ? ICE_NAT_ADDRESS_DEPENDENT
        : ICE_NAT_ADDRESS_AND_PORT_DEPENDENT;
}

/* RFC 5780 4.4. A server that does not change its address shows nothing. */
static void
conclude_filtering (IceBehaviour *self)
{
  const IceBehaviourTestState second =
      self->tests[ICE_BEHAVIOUR_TEST_FILTERING_II].state;
  const IceBehaviourTestState third =
      self->tests[ICE_BEHAVIOUR_TEST_FILTERING_III].state;

  if (second == ICE_BEHAVIOUR_TEST_ANSWERED)
    self->filtering = ICE_NAT_ENDPOINT_INDEPENDENT;
  else if (second != ICE_BEHAVIOUR_TEST_SILENT)
    return;
  else if (third == ICE_BEHAVIOUR_TEST_ANSWERED)
    self->filtering = ICE_NAT_ADDRESS_DEPENDENT;
  else if (third == ICE_BEHAVIOUR_TEST_SILENT)
    self->filtering = ICE_NAT_ADDRESS_AND_PORT_DEPENDENT;
}

static void
conclude_others (IceBehaviour *self)
{
  const IceBehaviourTest *fragment = &self->tests[ICE_BEHAVIOUR_TEST_FRAGMENT];

  if (is_answered (self, ICE_BEHAVIOUR_TEST_HAIRPIN) ||
      is_answered (self, ICE_BEHAVIOUR_TEST_HAIRPIN_BACK))
    self->hairpinning = ICE_NAT_YES;
  else if (self->tests[ICE_BEHAVIOUR_TEST_HAIRPIN].state ==
      ICE_BEHAVIOUR_TEST_SILENT)
    self->hairpinning = ICE_NAT_NO;
  if (fragment->state == ICE_BEHAVIOUR_TEST_SILENT)
    self->fragments = ICE_NAT_NO;
  else if (fragment->state == ICE_BEHAVIOUR_TEST_ANSWERED && fragment->padded)
    self->fragments = ICE_NAT_YES;
}

/* Test III only where II left a doubt; what nobody waits for is dropped. */
static void
follow_up (IceBehaviour *self, IceTime now)
{
  const IceBehaviourTest *second = &self->tests[ICE_BEHAVIOUR_TEST_MAPPING_II];

  if (second->state == ICE_BEHAVIOUR_TEST_ANSWERED &&
      self->tests[ICE_BEHAVIOUR_TEST_MAPPING_III].state ==
          ICE_BEHAVIOUR_TEST_UNUSED &&
      !ice_address_equal (&second->mapped, &self->mapped))
    ask_plainly (self, ICE_BEHAVIOUR_TEST_MAPPING_III, ICE_BEHAVIOUR_MAPPING,
        &self->other, now);
  if (is_answered (self, ICE_BEHAVIOUR_TEST_FILTERING_II))
    end_test (&self->tests[ICE_BEHAVIOUR_TEST_FILTERING_III],
        ICE_BEHAVIOUR_TEST_UNUSED);
  if (is_answered (self, ICE_BEHAVIOUR_TEST_HAIRPIN))
    end_test (&self->tests[ICE_BEHAVIOUR_TEST_HAIRPIN_BACK],
        ICE_BEHAVIOUR_TEST_UNUSED);
  else if (is_answered (self, ICE_BEHAVIOUR_TEST_HAIRPIN_BACK))
    end_test (
        &self->tests[ICE_BEHAVIOUR_TEST_HAIRPIN], ICE_BEHAVIOUR_TEST_UNUSED);
}

static void
finish (IceBehaviour *self, IceBehaviourState state)
{
  for (guint i = 0; i < ICE_BEHAVIOUR_N_TESTS; i++)
    ice_transaction_clear (&self->tests[i].transaction);
  self->search.wait = ICE_TIME_NEVER;
  self->state = state;
}

static void
advance (IceBehaviour *self, IceTime now)
{
  const IceBehaviourTestState contact =
      self->tests[ICE_BEHAVIOUR_TEST_CONTACT].state;

  if (contact == ICE_BEHAVIOUR_TEST_SILENT) {
    finish (self, ICE_BEHAVIOUR_BLOCKED);
    return;
  }
  if (contact == ICE_BEHAVIOUR_TEST_REFUSED) {
    finish (self, ICE_BEHAVIOUR_UNSUPPORTED);
    return;
  }
  if (is_running (self, ICE_BEHAVIOUR_TEST_CONTACT) ||
      is_running (self, ICE_BEHAVIOUR_TEST_CONTACT_FILTER))
    return;
  if (!self->tests_started)
    start_tests (self, now);
  follow_up (self, now);
  for (guint i = 0; i < ICE_BEHAVIOUR_TEST_LIFETIME_BIND; i++) {
    if (is_running (self, i))
      return;
  }
  if (!ice_behaviour_search (self, now))
    return;
  conclude_mapping (self);
  conclude_filtering (self);
  conclude_others (self);
  finish (self,
      self->other.family == ICE_FAMILY_NONE ? ICE_BEHAVIOUR_UNSUPPORTED
                                            : ICE_BEHAVIOUR_DONE);
}

/* Hearing. */

/* RFC 8489 6.3.3. PADDING is only known here, where it was asked for. */
static gboolean
is_understood (const IceStunMessage *answer)
{
  guint16 unknown[2];
  const guint n = ice_stun_message_unknown (answer, unknown, 2);

  return n == 0 || (n == 1 && unknown[0] == ICE_STUN_PADDING);
}

static void
take_success (IceBehaviour *self, IceBehaviourTest *test,
    const IceAddress *from, const IceStunMessage *answer, IceTime now)
{
  IceBytes padding;

  if (!is_understood (answer) ||
      !ice_address_equal (from, &test->answer_from) ||
      !ice_stun_message_get_xor_address (
          answer, ICE_STUN_XOR_MAPPED_ADDRESS, &test->mapped) ||
      !ice_address_is_usable (&test->mapped)) {
    end_test (test, ICE_BEHAVIOUR_TEST_REFUSED);
    return;
  }
  test->padded = ice_stun_message_find (answer, ICE_STUN_PADDING, &padding);
  if (test == &self->tests[ICE_BEHAVIOUR_TEST_CONTACT])
    take_contact (self, answer, now);
  end_test (test, ICE_BEHAVIOUR_TEST_ANSWERED);
}

static gboolean
is_hairpin (const IceBehaviour *self, const IceBehaviourTest *test)
{
  return test == &self->tests[ICE_BEHAVIOUR_TEST_HAIRPIN] ||
      test == &self->tests[ICE_BEHAVIOUR_TEST_HAIRPIN_BACK];
}

/* An answer that comes on the socket or from the address that asked, where
 * another was asked for, tells that the server does not know how. Strangers
 * tell nothing. */
static void
take_message (IceBehaviour *self, IceBehaviourTest *test, guint socket,
    const IceAddress *from, const IceStunMessage *message, IceTime now)
{
  if (is_hairpin (self, test)) {
    if (message->klass == ICE_STUN_REQUEST && socket == test->answer_socket)
      end_test (test, ICE_BEHAVIOUR_TEST_ANSWERED);
    return;
  }
  if (!ice_address_equal (from, &test->answer_from) &&
      !ice_address_equal (from, &test->to))
    return;
  if (message->klass == ICE_STUN_ERROR ||
      (message->klass == ICE_STUN_SUCCESS && socket != test->answer_socket))
    end_test (test, ICE_BEHAVIOUR_TEST_REFUSED);
  else if (message->klass == ICE_STUN_SUCCESS)
    take_success (self, test, from, message, now);
}

void
ice_behaviour_receive (IceBehaviour *self, guint socket, const IceAddress *from,
    IceBytes datagram, IceTime now)
{
  IceStunMessage message;

  if (self->state != ICE_BEHAVIOUR_RUNNING ||
      !ice_stun_message_parse (&message, datagram) ||
      message.method != ICE_STUN_BINDING)
    return;
  for (guint i = 0; i < ICE_BEHAVIOUR_N_TESTS; i++) {
    IceBehaviourTest *test = &self->tests[i];

    if (ice_transaction_matches (&test->transaction, message.id)) {
      take_message (self, test, socket, from, &message, now);
      advance (self, now);
      return;
    }
  }
}

/* Time. */

static IceTime
test_deadline (const IceBehaviourTest *test)
{
  if (test->state != ICE_BEHAVIOUR_TEST_ASKED)
    return ICE_TIME_NEVER;
  return MIN (ice_transaction_deadline (&test->transaction),
      test->transaction.started_at + PATIENCE);
}

void
ice_behaviour_timeout (IceBehaviour *self, IceTime now)
{
  if (self->state != ICE_BEHAVIOUR_RUNNING)
    return;
  for (guint i = 0; i < ICE_BEHAVIOUR_N_TESTS; i++) {
    IceBehaviourTest *test = &self->tests[i];

    if (now < test_deadline (test))
      continue;
    if (now < test->transaction.started_at + PATIENCE &&
        ice_transaction_timeout (&test->transaction, now) ==
            ICE_TRANSACTION_SEND)
      send_request (self, test);
    else
      end_test (test, ICE_BEHAVIOUR_TEST_SILENT);
  }
  advance (self, now);
}

IceTime
ice_behaviour_deadline (const IceBehaviour *self)
{
  IceTime deadline = self->search.wait;

  for (guint i = 0; i < ICE_BEHAVIOUR_N_TESTS; i++)
    deadline = MIN (deadline, test_deadline (&self->tests[i]));
  return self->state == ICE_BEHAVIOUR_RUNNING ? deadline : ICE_TIME_NEVER;
}

/* Beginning and end. */

IceBehaviour *
ice_behaviour_new (const IceAddress *server, const IceAddress *local,
    IceTime lifetime,
    void (*roll) (gpointer user, guint8 *ret_bytes, gsize size), gpointer user,
    IceTime now)
{
  IceBehaviour *self = g_new0 (IceBehaviour, 1);

  self->server = *server;
  for (guint i = 0; i < ICE_BEHAVIOUR_N_SOCKETS; i++)
    self->local[i] = local[i];
  self->search.limit = lifetime;
  self->search.dies = self->search.wait = ICE_TIME_NEVER;
  self->roll = roll;
  self->user = user;
  g_queue_init (&self->packets);
  ask_plainly (
      self, ICE_BEHAVIOUR_TEST_CONTACT, ICE_BEHAVIOUR_MAPPING, server, now);
  ask_plainly (self, ICE_BEHAVIOUR_TEST_CONTACT_FILTER, ICE_BEHAVIOUR_FILTERING,
      server, now);
  return self;
}

static void
packet_free (gpointer data)
{
  IceBehaviourPacket *packet = data;

  ice_packet_unref (packet->packet);
  g_free (packet);
}

void
ice_behaviour_free (IceBehaviour *self)
{
  for (guint i = 0; i < ICE_BEHAVIOUR_N_TESTS; i++)
    ice_transaction_clear (&self->tests[i].transaction);
  g_queue_clear_full (&self->packets, packet_free);
  g_free (self);
}

gboolean
ice_behaviour_take_packet (IceBehaviour *self, IceBehaviourPacket *ret_packet)
{
  g_autofree IceBehaviourPacket *packet = g_queue_pop_head (&self->packets);

  if (!packet)
    return FALSE;
  *ret_packet = *packet;
  return TRUE;
}
