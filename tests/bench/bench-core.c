/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The core alone: how many sessions it connects in a second, how many checks it
 * answers and what that allocates, and how often two of them connect over a
 * path that loses packets. From a release build:
 *
 *   bench-core [SEEDS [CONNECTS [CHECKS]]]
 */
#include "gst/ice/core/core.h"
#include "gst/ice/core/stun/builder.h"

#include <stdlib.h>
#include <time.h>

#define ONE_WAY (10 * ICE_MSEC)

/* Allocations are counted where libc lets us stand in front of its own; the
 * sanitizers stand there themselves. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define COUNTED TRUE
static guint64 n_allocations;

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *pointer, size_t size);

/* The rest of the program is hidden from libraries; these are for them. */
#pragma GCC visibility push(default)

void *
malloc (size_t size)
{
  n_allocations++;
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  n_allocations++;
  return __libc_calloc (n, size);
}

void *
realloc (void *pointer, size_t size)
{
  n_allocations++;
  return __libc_realloc (pointer, size);
}
#pragma GCC visibility pop
#else
#define COUNTED FALSE
static guint64 n_allocations;
#endif

typedef struct _Wire Wire;

typedef struct
{
  IceCore *core; /* (owned) */
  guint index;
  guint stream, transport, socket;
  IceAddress address;
  IceTime deadline;
  IceState state;
} Side;

typedef struct
{
  IceTime at;
  guint to;
  IcePacket *packet; /* (owned) */
} Flight;

struct _Wire
{
  Side sides[2];
  GQueue flights; /* (owned) Flight; one delay, so oldest first */
  IceTime now;
  guint64 dice;
  guint loss; /* per cent */
};

static guint64
roll (Wire *self)
{
  self->dice = self->dice * 6364136223846793005u + 1442695040888963407u;
  return self->dice >> 33;
}

static void
random_bytes (gpointer user, guint8 *ret_bytes, gsize size)
{
  for (gsize i = 0; i < size; i++)
    ret_bytes[i] = (guint8) (roll (user) >> 8);
}

static void
perform (Wire *self, Side *side, const IceOutput *output)
{
  Side *other = &self->sides[1 - side->index];

  switch (output->type) {
    case ICE_OUTPUT_OPEN_SOCKET:
      side->socket = output->open_socket.socket;
      break;
    case ICE_OUTPUT_LOCAL_CANDIDATE:
      ice_core_add_remote_candidate (
          other->core, other->stream, output->candidate.candidate, self->now);
      break;
    case ICE_OUTPUT_STATE:
      side->state = output->state.state;
      break;
    case ICE_OUTPUT_TRANSMIT:
      if (roll (self) % 100 >= self->loss) {
        Flight *flight = g_new (Flight, 1);

        *flight = (Flight){ self->now + ONE_WAY, other->index,
          ice_packet_ref (output->transmit.packet) };
        g_queue_push_tail (&self->flights, flight);
      }
      break;
    default:
      break;
  }
}

static gboolean
pump_side (Wire *self, Side *side)
{
  guint socket = side->socket;
  g_autoptr (IceOutput) outputs =
      ice_core_take_outputs (side->core, &side->deadline);

  for (IceOutput *output = outputs; output; output = output->next)
    perform (self, side, output);
  if (side->socket != socket)
    ice_core_socket_opened (
        side->core, side->socket, &side->address, self->now);
  return outputs != NULL;
}

static void
pump (Wire *self)
{
  while (pump_side (self, &self->sides[0]) | pump_side (self, &self->sides[1]))
    ;
}

static void
wire_init (Wire *self, guint64 seed, guint loss)
{
  *self = (Wire){ .now = 1000 * ICE_SECOND,
    .dice = seed * 0x9e3779b97f4a7c15u + 1,
    .loss = loss };
  g_queue_init (&self->flights);
  for (guint i = 0; i < 2; i++) {
    IceWorld world = { .random = random_bytes, .user = self };
    Side *side = &self->sides[i];
    IceInterfaceAddress near = { .interface_index = 1 };
    IceCoreConfig config;

    side->index = i;
    ice_address_parse (&near.address, i ? "192.0.2.2" : "192.0.2.1", 0);
    side->address = near.address;
    side->address.port = 5000;
    ice_core_config_init (&config, &world);
    config.controlling = i == 0;
    side->core = ice_core_new (&config, self->now);
    ice_core_set_remote_pacing (side->core, 5);
    side->stream = ice_core_add_stream (side->core);
    side->transport = ice_core_add_component (side->core, side->stream, 1);
    ice_core_set_interfaces (side->core, &near, 1, self->now);
  }
  for (guint i = 0; i < 2; i++) {
    Side *side = &self->sides[i], *other = &self->sides[1 - i];

    ice_core_gather (side->core, side->stream, self->now);
    ice_core_set_remote_credentials (side->core, side->stream,
        ice_core_get_local_ufrag (other->core, other->stream),
        ice_core_get_local_pwd (other->core, other->stream), self->now);
  }
  pump (self);
}

static void
flight_free (Flight *flight)
{
  ice_packet_unref (flight->packet);
  g_free (flight);
}

static void
wire_clear (Wire *self)
{
  g_queue_clear_full (&self->flights, (GDestroyNotify) flight_free);
  ice_core_free (self->sides[0].core);
  ice_core_free (self->sides[1].core);
}

static void
land (Wire *self, Flight *flight)
{
  Side *side = &self->sides[flight->to];
  IceDatagram in = { side->socket, self->sides[1 - flight->to].address,
    ICE_BYTES (flight->packet->data, flight->packet->size) };

  self->now = flight->at;
  ice_core_receive (side->core, &in, self->now);
  flight_free (flight);
}

static gboolean
both (const Wire *self, IceState least)
{
  for (guint i = 0; i < 2; i++) {
    IceState state = self->sides[i].state;

    if (state != ICE_STATE_COMPLETED &&
        (least == ICE_STATE_COMPLETED || state != ICE_STATE_CONNECTED))
      return FALSE;
  }
  return TRUE;
}

/* The virtual time it took, -1: not within @limit. */
static IceTime
wire_run (Wire *self, IceState least, IceTime limit)
{
  IceTime begin = self->now, end = begin + limit;

  while (!both (self, least)) {
    Flight *flight = g_queue_peek_head (&self->flights);
    IceTime next = MIN (self->sides[0].deadline, self->sides[1].deadline);

    if (flight && flight->at <= MIN (next, end)) {
      land (self, g_queue_pop_head (&self->flights));
    } else if (next <= end) {
      self->now = MAX (self->now, next);
      for (guint i = 0; i < 2; i++)
        if (self->sides[i].deadline <= self->now)
          ice_core_timeout (self->sides[i].core, self->now);
    } else {
      return -1;
    }
    pump (self);
  }
  return self->now - begin;
}

static gdouble
cpu_seconds (void)
{
  return (gdouble) clock () / CLOCKS_PER_SEC;
}

static void
measure_connects (guint n)
{
  guint64 allocations = n_allocations;
  gdouble begin = cpu_seconds ();

  for (guint i = 0; i < n; i++) {
    Wire wire;

    wire_init (&wire, i, 0);
    if (wire_run (&wire, ICE_STATE_COMPLETED, 10 * ICE_SECOND) < 0)
      g_error ("seed %u does not connect", i);
    wire_clear (&wire);
  }
  g_print ("connects: %.0f sessions (two cores each, nominated) in a second "
           "of CPU",
      n / (cpu_seconds () - begin));
  if (COUNTED)
    g_print (
        ", %.0f allocations each", (gdouble) (n_allocations - allocations) / n);
  g_print ("\n");
}

static IcePacket *
build_check (const Side *to, const gchar *password)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 'b', 'e', 'n', 'c', 'h' };
  g_autofree gchar *username =
      g_strdup_printf ("%s:%s", ice_core_get_local_ufrag (to->core, to->stream),
          ice_core_get_remote_ufrag (to->core, to->stream));
  g_autoptr (IceStunKey) key = ice_stun_key_new_short_term (password);
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, username);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_PRIORITY, 1862270975);
  ice_stun_builder_add_u64 (&builder, ICE_STUN_ICE_CONTROLLING, G_MAXUINT64);
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  return ice_stun_builder_end (&builder);
}

/* The same check again and again, from a peer that we are connected with. */
static void
measure_checks (guint n, gboolean forged)
{
  g_autoptr (IcePacket) packet = NULL;
  guint64 allocations;
  guint n_answers = 0;
  gdouble begin, took;
  IceDatagram in;
  Side *side;
  Wire wire;

  wire_init (&wire, 1, 0);
  wire_run (&wire, ICE_STATE_COMPLETED, 10 * ICE_SECOND);
  side = &wire.sides[1];
  packet = build_check (side,
      forged ? "thewrongpasswordof24chars"
             : ice_core_get_local_pwd (side->core, side->stream));
  in = (IceDatagram){ side->socket, wire.sides[0].address,
    ICE_BYTES (packet->data, packet->size) };
  allocations = n_allocations;
  begin = cpu_seconds ();
  for (guint i = 0; i < n; i++) {
    IceOutput *outputs;

    ice_core_receive (side->core, &in, wire.now);
    outputs = ice_core_take_outputs (side->core, &side->deadline);
    for (IceOutput *output = outputs; output; output = output->next)
      n_answers += output->type == ICE_OUTPUT_TRANSMIT;
    ice_output_free (outputs);
  }
  took = cpu_seconds () - begin;
  g_print ("%s: %.0f in a second, %u of %u answered",
      forged ? "forged checks" : "checks", n / took, n_answers, n);
  if (COUNTED)
    g_print (
        ", %.2f allocations each", (gdouble) (n_allocations - allocations) / n);
  g_print ("\n");
  wire_clear (&wire);
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  IceTime x = *(const IceTime *) a, y = *(const IceTime *) b;

  return (x > y) - (x < y);
}

/* Loss on both ways; what is asked of each rate, and within which time. */
static gboolean
measure_loss (guint loss, guint within_s, gdouble least, guint n_seeds)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (IceTime));
  gdouble rate;

  for (guint i = 0; i < n_seeds; i++) {
    IceTime took;
    Wire wire;

    wire_init (&wire, i, loss);
    took = wire_run (&wire, ICE_STATE_CONNECTED, within_s * ICE_SECOND);
    wire_clear (&wire);
    if (took >= 0)
      g_array_append_val (times, took);
  }
  g_array_sort (times, compare_times);
  rate = 100.0 * times->len / n_seeds;
  g_print (
      "loss %2u %%: %.2f %% of %u seeds connected within %u s (%.2f asked)",
      loss, rate, n_seeds, within_s, least);
  if (times->len > 0)
    g_print (", median %.0f ms, p99 %.0f ms",
        g_array_index (times, IceTime, times->len / 2) / 1000.0,
        g_array_index (times, IceTime, times->len * 99 / 100) / 1000.0);
  g_print ("\n");
  return rate >= least;
}

static guint
argument (int argc, char **argv, int index, guint fallback)
{
  return argc > index ? (guint) strtoul (argv[index], NULL, 10) : fallback;
}

int
main (int argc, char **argv)
{
  guint n_seeds = argument (argc, argv, 1, 10000);
  gboolean good = TRUE;

  measure_connects (argument (argc, argv, 2, 5000));
  measure_checks (argument (argc, argv, 3, 200000), FALSE);
  measure_checks (argument (argc, argv, 3, 200000), TRUE);
  good &= measure_loss (1, 5, 99.99, n_seeds);
  good &= measure_loss (5, 5, 99.9, n_seeds);
  good &= measure_loss (20, 10, 99.5, n_seeds);
  good &= measure_loss (50, 25, 97, n_seeds);
  return good ? 0 : 1;
}
