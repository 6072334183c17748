/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The example flows of RFC 8445 15.1 and 15.2, message by message: two cores, a
 * STUN server, and for 15.1 a NAT with endpoint-independent mapping and
 * address-dependent filtering before L. The numbers are the RFC's. */
#include "harness.h"

#define HOP (5 * ICE_MSEC)
#define STUN_PORT 3478

typedef struct _World World;

typedef struct
{
  World *world;      /* (unowned) */
  const gchar *name; /* "L", "R" */
  IceCore *core;     /* (owned) */
  guint stream, transport, socket;
  IceAddress base, route;
  IceTime deadline;
  IceState state;
  gboolean nominated;
  GPtrArray *candidates; /* (owned) IceCandidate */
} Agent;

typedef struct
{
  IceTime at;
  IceAddress from, to;
  IcePacket *packet; /* (owned) */
} Flight;

struct _World
{
  Agent agents[2];
  gboolean nat; /* before the first */
  IceAddress nat_ip, stun;
  GPtrArray *opened; /* (owned) addresses that L sent to, as text */
  GQueue flights;    /* (owned) Flight */
  GPtrArray *trace;  /* (owned) gchar */
  IceTime now;
  guint64 dice;
};

static void
roll (gpointer user, guint8 *ret_bytes, gsize size)
{
  World *self = ((Agent *) user)->world;

  for (gsize i = 0; i < size; i++) {
    self->dice = self->dice * 6364136223846793005u + 1442695040888963407u;
    ret_bytes[i] = self->dice >> 56;
  }
}

/* The RFC's names for addresses. */
static const gchar *
name_of (World *self, const IceAddress *address)
{
  if (ice_address_same_ip (address, &self->stun))
    return "STUN-PUB-1";
  if (self->nat && ice_address_same_ip (address, &self->nat_ip))
    return "NAT-PUB-1";
  if (ice_address_same_ip (address, &self->agents[0].base))
    return self->nat ? "L-PRIV-1" : "L-PUB-1";
  g_assert_true (ice_address_same_ip (address, &self->agents[1].base));
  return "R-PUB-1";
}

static void note (World *self, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static void
note (World *self, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (self->trace, g_strdup_vprintf (format, args));
  va_end (args);
}

static void
fly (World *self, const IceAddress *from, const IceAddress *to,
    IcePacket *packet)
{
  Flight *flight = g_new (Flight, 1);

  *flight = (Flight){ self->now + HOP, *from, *to, ice_packet_ref (packet) };
  g_queue_push_tail (&self->flights, flight);
}

/* As it leaves an agent: a line of the trace, and through the NAT. */
static void
leave (Agent *agent, const IceAddress *to, IcePacket *packet)
{
  World *self = agent->world;
  IceAddress from = agent->base, mapped;
  gboolean outside = self->nat && agent == &self->agents[0];
  IceStunMessage message;
  gchar text[ICE_ADDRESS_STRLEN];

  g_assert_true (ice_stun_message_parse (
      &message, ICE_BYTES (packet->data, packet->size)));
  if (message.klass == ICE_STUN_REQUEST)
    note (self, "Req S=%s D=%s%s", name_of (self, &from), name_of (self, to),
        ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE) ? " USE-CAND"
                                                                : "");
  else if (ice_stun_message_get_xor_address (
               &message, ICE_STUN_XOR_MAPPED_ADDRESS, &mapped))
    note (self, "Res S=%s D=%s MA=%s", name_of (self, &from),
        name_of (self, to), name_of (self, &mapped));
  if (outside) {
    from.port += 1000;
    memcpy (from.ip, self->nat_ip.ip, sizeof from.ip);
    g_ptr_array_add (
        self->opened, g_strdup (ice_address_ip_to_string (to, text)));
  }
  fly (self, &from, to, packet);
}

static void
perform (Agent *agent, const IceOutput *output)
{
  switch (output->type) {
    case ICE_OUTPUT_OPEN_SOCKET:
      agent->socket = output->open_socket.socket;
      break;
    case ICE_OUTPUT_TRANSMIT:
      leave (agent, &output->transmit.to, output->transmit.packet);
      break;
    case ICE_OUTPUT_LOCAL_CANDIDATE:
      g_ptr_array_add (
          agent->candidates, ice_candidate_ref (output->candidate.candidate));
      break;
    case ICE_OUTPUT_ROUTE:
      agent->route = output->route.to;
      note (agent->world, "Data from %s to %s", agent->name,
          name_of (agent->world, &output->route.to));
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      if (output->pair_selected.nominated)
        note (agent->world, "%s selects %s and %s", agent->name,
            name_of (agent->world, &output->pair_selected.local->address),
            name_of (agent->world, &output->pair_selected.remote->address));
      break;
    case ICE_OUTPUT_STATE:
      agent->state = output->state.state;
      break;
    default:
      break;
  }
}

static void
pump (Agent *agent)
{
  guint socket = agent->socket;
  g_autoptr (IceOutput) outputs =
      ice_core_take_outputs (agent->core, &agent->deadline);

  for (IceOutput *output = outputs; output; output = output->next)
    perform (agent, output);
  if (agent->socket != socket)
    ice_core_socket_opened (
        agent->core, agent->socket, &agent->base, agent->world->now);
  if (outputs)
    pump (agent);
}

static void
serve (World *self, const Flight *flight)
{
  g_autoptr (IcePacket) answer = NULL;
  IceStunMessage message;
  IceStunBuilder builder;

  g_assert_true (ice_stun_message_parse (
      &message, ICE_BYTES (flight->packet->data, flight->packet->size)));
  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING, message.id);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &flight->from);
  answer = ice_stun_builder_end (&builder);
  note (self, "Res S=STUN-PUB-1 D=%s MA=%s", name_of (self, &flight->from),
      name_of (self, &flight->from));
  fly (self, &self->stun, &flight->from, answer);
}

/* NULL: nobody is there, or the NAT does not let it through. */
static Agent *
find_agent (World *self, const Flight *flight)
{
  gchar text[ICE_ADDRESS_STRLEN];

  if (ice_address_same_ip (&flight->to, &self->agents[1].base))
    return &self->agents[1];
  if (!self->nat)
    return &self->agents[0];
  if (!ice_address_same_ip (&flight->to, &self->nat_ip))
    return NULL; /* RFC 1918 addresses are nowhere outside */
  ice_address_ip_to_string (&flight->from, text);
  return g_ptr_array_find_with_equal_func (
             self->opened, text, g_str_equal, NULL)
      ? &self->agents[0]
      : NULL;
}

static void
land (World *self, Flight *flight)
{
  IceDatagram in = { .from = flight->from,
    .data = ICE_BYTES (flight->packet->data, flight->packet->size) };
  Agent *agent;

  self->now = flight->at;
  if (ice_address_same_ip (&flight->to, &self->stun)) {
    serve (self, flight);
  } else if ((agent = find_agent (self, flight)) != NULL) {
    in.socket = agent->socket;
    ice_core_receive (agent->core, &in, self->now);
    pump (agent);
  } else {
    note (self, "Dropped");
  }
  ice_packet_unref (flight->packet);
  g_free (flight);
}

static void
run_for (World *self, IceTime duration)
{
  IceTime end = self->now + duration;

  for (;;) {
    Flight *flight = g_queue_peek_head (&self->flights);
    Agent *next = &self->agents[0];

    if (self->agents[1].deadline < next->deadline)
      next = &self->agents[1];
    if (flight && flight->at <= MIN (next->deadline, end)) {
      land (self, g_queue_pop_head (&self->flights));
    } else if (next->deadline <= end) {
      self->now = MAX (self->now, next->deadline);
      ice_core_timeout (next->core, self->now);
      pump (next);
    } else {
      break;
    }
  }
  self->now = end;
}

static void
agent_init (World *self, guint index, const gchar *ip, const gchar *server)
{
  Agent *agent = &self->agents[index];
  IceWorld world = { .random = roll, .user = agent };
  IceInterfaceAddress near = { .address = addr (ip, 0), .interface_index = 1 };
  IceServerConfig stun = { .id = 1,
    .kind = ICE_SERVER_STUN,
    .host = server,
    .port = STUN_PORT,
    .url = "stun:server" };
  IceCoreConfig config;

  agent->world = self;
  agent->name = index ? "R" : "L";
  agent->base = addr (ip, 5000);
  agent->candidates =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ice_candidate_unref);
  ice_core_config_init (&config, &world);
  /* "Since both agents are full ICE implementations, the initiating agent
   * (agent L) becomes the controlling agent." */
  config.controlling = index == 0;
  agent->core = ice_core_new (&config, self->now);
  ice_core_add_server (agent->core, &stun);
  agent->stream = ice_core_add_stream (agent->core);
  agent->transport = ice_core_add_component (agent->core, agent->stream, 1);
  ice_core_set_interfaces (agent->core, &near, 1, self->now);
}

static void
gather (World *self, guint index)
{
  Agent *agent = &self->agents[index];

  ice_core_gather (agent->core, agent->stream, self->now);
  pump (agent);
  run_for (self, ICE_SECOND);
}

/* The candidate information of the other one arrives. */
static void
inform (World *self, guint index)
{
  Agent *agent = &self->agents[index], *other = &self->agents[1 - index];

  for (guint i = 0; i < other->candidates->len; i++)
    ice_core_add_remote_candidate (agent->core, agent->stream,
        g_ptr_array_index (other->candidates, i), self->now);
  ice_core_end_remote_candidates (agent->core, agent->stream, self->now);
  g_assert_true (ice_core_set_remote_credentials (agent->core, agent->stream,
      ice_core_get_local_ufrag (other->core, other->stream),
      ice_core_get_local_pwd (other->core, other->stream), self->now));
  pump (agent);
}

static guint
count_pairs (const Agent *agent)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (IcePairStats));

  ice_core_get_pair_stats (agent->core, pairs);
  return pairs->len;
}

static void
assert_trace (World *self, const gchar *const *golden)
{
  guint n = 0;

  for (guint i = 0; i < self->trace->len; i++)
    g_test_message ("%s", (gchar *) g_ptr_array_index (self->trace, i));
  for (; golden[n]; n++) {
    g_assert_cmpuint (n, <, self->trace->len);
    g_assert_cmpstr (g_ptr_array_index (self->trace, n), ==, golden[n]);
  }
  g_assert_cmpuint (self->trace->len, ==, n);
}

static void
world_clear (World *self)
{
  Flight *flight;

  while ((flight = g_queue_pop_head (&self->flights)) != NULL) {
    ice_packet_unref (flight->packet);
    g_free (flight);
  }
  for (guint i = 0; i < 2; i++) {
    ice_core_free (self->agents[i].core);
    g_ptr_array_unref (self->agents[i].candidates);
  }
  g_ptr_array_unref (self->opened);
  g_ptr_array_unref (self->trace);
}

static void
play (World *self, const gchar *l, const gchar *r, const gchar *stun,
    const gchar *nat)
{
  *self = (World){ .now = 1000 * ICE_SECOND, .dice = 15, .nat = nat != NULL };
  g_queue_init (&self->flights);
  self->trace = g_ptr_array_new_with_free_func (g_free);
  self->opened = g_ptr_array_new_with_free_func (g_free);
  self->stun = addr (stun, STUN_PORT);
  if (nat)
    self->nat_ip = addr (nat, 0);
  agent_init (self, 0, l, stun);
  agent_init (self, 1, r, stun);
  gather (self, 0);
  gather (self, 1);
}

static void
test_ipv4 (void)
{
  static const gchar *const golden[] = {
    "Req S=L-PRIV-1 D=STUN-PUB-1",                         /* 1, 2 */
    "Res S=STUN-PUB-1 D=NAT-PUB-1 MA=NAT-PUB-1",           /* 3, 4 */
    "Req S=R-PUB-1 D=STUN-PUB-1",                          /* 6 */
    "Res S=STUN-PUB-1 D=R-PUB-1 MA=R-PUB-1",               /* 7 */
    "Req S=R-PUB-1 D=L-PRIV-1",                            /* 9 */
    "Dropped", "Req S=L-PRIV-1 D=R-PUB-1",                 /* 10, 11 */
    "Res S=R-PUB-1 D=NAT-PUB-1 MA=NAT-PUB-1",              /* 12, 13 */
    "Data from L to R-PUB-1", "Req S=R-PUB-1 D=NAT-PUB-1", /* 14, 15 */
    "Res S=L-PRIV-1 D=R-PUB-1 MA=R-PUB-1",                 /* 16, 17 */
    "Data from R to NAT-PUB-1",
    "Req S=L-PRIV-1 D=R-PUB-1 USE-CAND",      /* 18, 19 */
    "Res S=R-PUB-1 D=NAT-PUB-1 MA=NAT-PUB-1", /* 20, 21 */
    "R selects R-PUB-1 and NAT-PUB-1",        /* R2 */
    "L selects NAT-PUB-1 and R-PUB-1",        /* L2 */
    NULL
  };
  World self;

  play (&self, "10.0.1.1", "192.0.2.1", "192.0.2.2", "192.0.2.3");
  g_assert_cmpuint (self.agents[0].candidates->len, ==, 2);
  g_assert_cmpuint (self.agents[1].candidates->len, ==, 1);
  inform (&self, 1); /* 5 */
  run_for (&self, 10 * ICE_MSEC);
  inform (&self, 0); /* 8 */
  g_assert_cmpuint (count_pairs (&self.agents[0]), ==, 1);
  g_assert_cmpuint (count_pairs (&self.agents[1]), ==, 2);
  run_for (&self, ICE_SECOND);
  assert_trace (&self, golden);
  world_clear (&self);
}

static void
test_ipv6 (void)
{
  static const gchar *const golden[] = { "Req S=L-PUB-1 D=STUN-PUB-1", /* 1 */
    "Res S=STUN-PUB-1 D=L-PUB-1 MA=L-PUB-1",                           /* 2 */
    "Req S=R-PUB-1 D=STUN-PUB-1",                                      /* 4 */
    "Res S=STUN-PUB-1 D=R-PUB-1 MA=R-PUB-1",                           /* 5 */
    "Req S=L-PUB-1 D=R-PUB-1",                                         /* 7 */
    "Res S=R-PUB-1 D=L-PUB-1 MA=L-PUB-1",                              /* 8 */
    "Data from L to R-PUB-1", "Req S=R-PUB-1 D=L-PUB-1",               /* 9 */
    "Res S=L-PUB-1 D=R-PUB-1 MA=R-PUB-1",                              /* 10 */
    "Data from R to L-PUB-1", "Req S=L-PUB-1 D=R-PUB-1 USE-CAND",      /* 11 */
    "Res S=R-PUB-1 D=L-PUB-1 MA=L-PUB-1",                              /* 12 */
    "R selects R-PUB-1 and L-PUB-1", "L selects L-PUB-1 and R-PUB-1", NULL };
  World self;

  play (&self, "2001:db8::3", "2001:db8::5", "2001:db8::9", NULL);
  g_assert_cmpuint (self.agents[0].candidates->len, ==, 1);
  g_assert_cmpuint (self.agents[1].candidates->len, ==, 1);
  inform (&self, 0); /* 6 */
  /* R reads what it was told after L's check came: it is answered all the
   * same, and R's own one is a triggered one, as the RFC draws it. */
  run_for (&self, 12 * ICE_MSEC);
  inform (&self, 1); /* 3 */
  run_for (&self, ICE_SECOND);
  assert_trace (&self, golden);
  world_clear (&self);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8445/15.1/flow", test_ipv4);
  g_test_add_func ("/rfc8445/15.2/flow", test_ipv6);
  return g_test_run ();
}
