/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands, failures and broken packets in any order: nothing crashes, no
 * deadline is told twice, no packet leaves by a closed socket, and after close
 * nothing is left to do. A failure prints the seed of the run. */
#include "gather-lab.h"

#define N_RUNS 100
#define N_STEPS 60

static const gchar *const networks[][4] = {
  { "10.0.0.2", NULL },
  { "10.0.0.2", "2001:db8::2", NULL },
  { "10.0.1.2", "10.0.0.2", "2001:db8::3", NULL },
  { NULL },
};

static const guint codes[] = { 0, 0, 0, 0, 300, 400, 401, 403, 437, 438, 440,
  486, 500, 508 };

typedef struct
{
  Lab lab;
  GRand *rand;
  guint generation;
} Chaos;

static guint
draw (Chaos *chaos, guint n)
{
  return (guint) g_rand_int_range (chaos->rand, 0, (gint32) n);
}

static IceCandidate *
draw_candidate (Chaos *chaos)
{
  GPtrArray *list = chaos->lab.candidates;

  return list->len == 0 ? NULL
                        : g_ptr_array_index (list, draw (chaos, list->len));
}

static IceAddress
draw_peer (Chaos *chaos)
{
  static const gchar *const ips[] = { "192.0.2.77", "192.0.2.78",
    "2001:db8::77", "0.0.0.0", "224.0.0.1" };

  return address (ips[draw (chaos, G_N_ELEMENTS (ips))], 5000);
}

static void
rescript (Chaos *chaos)
{
  LabServer *server = &chaos->lab.servers[draw (chaos, 3)];
  static const guint methods[] = { ICE_STUN_BINDING, ICE_STUN_ALLOCATE,
    ICE_STUN_REFRESH, ICE_STUN_CREATE_PERMISSION, ICE_STUN_CHANNEL_BIND };
  static const guint32 lifetimes[] = { 0, 1, 600, 600, 600, G_MAXUINT32 };
  static const gchar *const relays[] = { "198.51.100.1", "198.51.100.1",
    "0.0.0.0", "2001:db8:1::1", "10.0.0.2" };

  server->dead = draw (chaos, 6) == 0;
  server->turn.error[methods[draw (chaos, G_N_ELEMENTS (methods))]] =
      codes[draw (chaos, G_N_ELEMENTS (codes))];
  server->turn.lifetime = lifetimes[draw (chaos, G_N_ELEMENTS (lifetimes))];
  server->turn.relayed =
      address (relays[draw (chaos, G_N_ELEMENTS (relays))], 49152);
  server->turn.nonce = draw (chaos, 2) ? "nonce-1" : "nonce-2";
  server->turn.unsigned_answers = draw (chaos, 8) == 0;
  server->turn.alternate = chaos->lab.servers[draw (chaos, 3)].address;
}

static void
gather (Chaos *chaos)
{
  static const guint transports[][2] = { { 101, 102 }, { 101, 0 }, { 0, 102 } };
  guint stream = 1 + draw (chaos, 2);

  chaos->generation += draw (chaos, 2);
  lab_set_addresses (
      &chaos->lab, networks[draw (chaos, G_N_ELEMENTS (networks))]);
  ice_gatherer_gather (chaos->lab.gatherer, stream,
      transports[draw (chaos, G_N_ELEMENTS (transports))], 1 + draw (chaos, 2),
      chaos->generation, chaos->lab.now);
}

static void
use_candidate (Chaos *chaos)
{
  Lab *lab = &chaos->lab;
  IceCandidate *local = draw_candidate (chaos);
  IceAddress peer = draw_peer (chaos);
  g_autoptr (IcePacket) packet = ice_packet_new_from (ICE_BYTES ("data", 4));

  if (!local)
    return;
  switch (draw (chaos, 6)) {
    case 0:
      ice_gatherer_permit (lab->gatherer, local, &peer, lab->now);
      break;
    case 1:
      ice_gatherer_bind_channel (lab->gatherer, local, &peer, lab->now);
      break;
    case 2:
      ice_gatherer_forget_peer (lab->gatherer, local, &peer);
      break;
    case 3:
      ice_gatherer_release_candidate (lab->gatherer, local, lab->now);
      break;
    default:
      ice_gatherer_transmit (lab->gatherer, local, &peer, packet, lab->now);
      break;
  }
}

/* What a server might have sent, with a few bytes changed. */
static void
garble (Chaos *chaos)
{
  Lab *lab = &chaos->lab;
  LabServer *server = &lab->servers[draw (chaos, 3)];
  const LabSocket *socket;
  g_autoptr (IcePacket) packet = NULL;
  IceRelayedDatagram relayed;

  if (!server->last || lab->sockets->len == 0)
    return;
  socket =
      &g_array_index (lab->sockets, LabSocket, draw (chaos, lab->sockets->len));
  packet =
      ice_packet_new_from (ICE_BYTES (server->last->data, server->last->size));
  packet->data[0] |= draw (chaos, 2);
  packet->data[1] ^= draw (chaos, 2) << 4;
  for (guint i = draw (chaos, 4); i > 0; i--)
    packet->data[draw (chaos, packet->size)] ^= draw (chaos, 256);
  lab_receive (lab, socket->id, &server->address, packet, &relayed);
}

static void
fail_socket (Chaos *chaos)
{
  LabSocket *socket;
  guint n = chaos->lab.sockets->len;

  if (n == 0)
    return;
  socket = &g_array_index (chaos->lab.sockets, LabSocket, draw (chaos, n));
  if (!socket->open)
    return;
  socket->open = FALSE;
  ice_gatherer_socket_failed (
      chaos->lab.gatherer, socket->id, "no such device", chaos->lab.now);
}

static void
step (Chaos *chaos)
{
  static const IceTime times[] = { 0, ICE_MSEC, 20 * ICE_MSEC, ICE_SECOND,
    40 * ICE_SECOND, 700 * ICE_SECOND };

  switch (draw (chaos, 16)) {
    case 0:
    case 1:
      gather (chaos);
      break;
    case 2:
      rescript (chaos);
      break;
    case 3:
      fail_socket (chaos);
      break;
    case 4:
      ice_gatherer_remove_stream (
          chaos->lab.gatherer, 1 + draw (chaos, 2), chaos->lab.now);
      break;
    case 5:
      if (draw (chaos, 2))
        ice_gatherer_remove_servers (chaos->lab.gatherer);
      lab_configure (&chaos->lab, 1 + draw (chaos, 3), ICE_SERVER_TURN,
          "192.0.2.2", draw (chaos, 2) ? FAKE_PASSWORD : "wrong");
      break;
    case 6:
    case 7:
      garble (chaos);
      break;
    default:
      use_candidate (chaos);
      break;
  }
  lab_run_for (&chaos->lab, times[draw (chaos, G_N_ELEMENTS (times))]);
}

static void
run (guint32 seed)
{
  IceGathererConfig relay = { .relay_only = TRUE };
  Chaos chaos = { .rand = g_rand_new_with_seed (seed) };
  Lab *lab = &chaos.lab;

  lab_init (lab, FALSE);
  lab->nat = TRUE;
  if (seed % 4 == 0)
    ice_gatherer_set_config (lab->gatherer, &relay);
  lab->resolve_delay = 30 * ICE_MSEC;
  lab->resolved[0] = address ("192.0.2.3", 0);
  lab->n_resolved = 1;
  lab_add_server (lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_add_server (lab, 2, ICE_SERVER_TURN, "192.0.2.2");
  lab_configure (lab, 3, ICE_SERVER_TURN, "turn.example.org", FAKE_PASSWORD);
  lab_add_host (lab, "192.0.2.3");
  for (guint i = 0; i < N_STEPS; i++)
    step (&chaos);
  g_assert_true (seed % 4 != 0 || lab->n_direct == 0);

  ice_gatherer_close (lab->gatherer, lab->now);
  lab_settle (lab);
  for (guint i = 0; i < lab->sockets->len; i++)
    g_assert_false (g_array_index (lab->sockets, LabSocket, i).open);
  g_assert_cmpint (ice_gatherer_deadline (lab->gatherer), ==, ICE_TIME_NEVER);
  lab_clear (lab);
  g_rand_free (chaos.rand);
}

static void
test_chaos (void)
{
  guint32 first = (guint32) g_test_rand_int ();

  for (guint i = 0; i < N_RUNS; i++) {
    g_test_message ("seed %u", first + i);
    run (first + i);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gatherer-chaos/any-order", test_chaos);
  return g_test_run ();
}
