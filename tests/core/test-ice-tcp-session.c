/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole sessions over TCP: two cores where UDP is blocked. */
#include "tcp-lab.h"

typedef struct
{
  IceTcpPolicy policies[2];
  IceTcpType type; /* the first one's, of the selected pair */
} Row;

/* RFC 6544 6.2: every way that the three types meet, in both roles. */
static const Row rows[] = {
  { { ICE_TCP_ACTIVE, ICE_TCP_PASSIVE }, ICE_TCP_TYPE_ACTIVE },
  { { ICE_TCP_PASSIVE, ICE_TCP_ACTIVE }, ICE_TCP_TYPE_PASSIVE },
  { { ICE_TCP_ALL, ICE_TCP_PASSIVE }, ICE_TCP_TYPE_ACTIVE },
  { { ICE_TCP_ALL, ICE_TCP_ACTIVE }, ICE_TCP_TYPE_PASSIVE },
  { { ICE_TCP_ACTIVE, ICE_TCP_ALL }, ICE_TCP_TYPE_ACTIVE },
  { { ICE_TCP_PASSIVE, ICE_TCP_ALL }, ICE_TCP_TYPE_PASSIVE },
};

static void
test_types_meet (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Lab lab;

    g_test_message ("row %u", i);
    lab_init (&lab, rows[i].policies[0], rows[i].policies[1]);
    lab_start (&lab);
    lab_run_for (&lab, 2 * ICE_SECOND);
    lab_assert_call (&lab);
    g_assert_cmpint (lab.hosts[0].local->tcp_type, ==, rows[i].type);
    g_assert_cmpint (lab.hosts[0].remote->tcp_type, ==,
        ice_tcp_type_opposite (rows[i].type));
    g_assert_cmpint (lab.hosts[1].remote->tcp_type, ==, rows[i].type);
    lab_clear (&lab);
  }
}

/* RFC 6544 7.1: both SYNs cross, or one comes before the other left. */
static void
test_simultaneous_open (void)
{
  Lab lab;

  lab_init (&lab, ICE_TCP_ALL, ICE_TCP_ALL);
  lab.only = ICE_TCP_TYPE_SO;
  lab_start (&lab);
  lab_run_for (&lab, 2 * ICE_SECOND);
  lab_assert_call (&lab);
  g_assert_cmpint (lab.hosts[0].local->tcp_type, ==, ICE_TCP_TYPE_SO);
  g_assert_cmpint (lab.hosts[0].remote->tcp_type, ==, ICE_TCP_TYPE_SO);
  g_assert_cmpuint (lab.hosts[0].n_connects, ==, 1);
  g_assert_cmpuint (lab.hosts[1].n_connects, ==, 1);
  lab_clear (&lab);
}

/* The one that does not know the other's candidate, or is not ready to check it
 * yet, does not open a connection beside the one that came. */
static void
test_connection_is_reused (void)
{
  for (guint i = 0; i < 2; i++) {
    Lab lab;
    LabHost *alice = &lab.hosts[0], *bob = &lab.hosts[1];
    g_autoptr (GArray) pairs =
        g_array_new (FALSE, FALSE, sizeof (IcePairStats));

    lab_init (&lab, ICE_TCP_ALL, ICE_TCP_ALL);
    lab.only = ICE_TCP_TYPE_SO;
    alice->silent = i == 0;
    lab_introduce (alice);
    if (alice->silent)
      lab_introduce (bob);
    lab_gather (alice);
    lab_gather (bob);
    lab_pump (&lab);
    lab_run_for (&lab, 100 * ICE_MSEC);
    if (!alice->silent)
      lab_introduce (bob);
    lab_pump (&lab);
    ice_core_get_pair_stats (bob->core, pairs);
    g_assert_cmpuint (pairs->len, ==, 1);
    lab_run_for (&lab, 2 * ICE_SECOND);
    lab_assert_call (&lab);
    g_assert_cmpuint (alice->n_connects, ==, 1);
    g_assert_cmpuint (bob->n_connects, ==, 0);
    g_assert_cmpint (bob->remote->tcp_type, ==, ICE_TCP_TYPE_SO);
    g_assert_cmpint (bob->remote->kind, ==,
        alice->silent ? ICE_CANDIDATE_PEER_REFLEXIVE : ICE_CANDIDATE_HOST);
    lab_clear (&lab);
  }
}

/* RFC 6544 5.2, RFC 5382: two NATs that let in only what answers something. */
static void
test_simultaneous_open_through_nats (void)
{
  Lab lab;

  lab_init (&lab, ICE_TCP_ALL, ICE_TCP_ALL);
  for (guint i = 0; i < 2; i++)
    lab.hosts[i].nat_filters = TRUE;
  lab.only = ICE_TCP_TYPE_SO;
  lab_start (&lab);
  lab_run_for (&lab, 4 * ICE_SECOND);
  lab_assert_call (&lab);
  lab_clear (&lab);
}

static void
use_stun (Lab *self, const gchar *ip)
{
  IceServerConfig server = { .id = 1,
    .kind = ICE_SERVER_STUN,
    .host = ip,
    .port = 3478,
    .url = "stun:server" };

  for (guint i = 0; i < 2; i++)
    ice_core_add_server (self->hosts[i].core, &server);
}

/* RFC 6544 5.2: mapped addresses from a STUN server over TCP, and through two
 * NATs by simultaneous open; 11.2: its connections close when ICE is done. */
static void
test_reflexive_through_nats (void)
{
  Lab lab;
  guint n_reflexive = 0;

  lab_init (&lab, ICE_TCP_ALL, ICE_TCP_ALL);
  lab.stun = lab_address ("203.0.113.5", 3478);
  for (guint i = 0; i < 2; i++) {
    lab.hosts[i].nat = lab_address (i ? "198.51.100.2" : "198.51.100.1", 0);
    lab.hosts[i].nat_filters = TRUE;
  }
  use_stun (&lab, "203.0.113.5");
  lab_start (&lab);
  lab_run_for (&lab, 5 * ICE_SECOND);
  lab_assert_call (&lab);
  g_assert_cmpint (
      lab.hosts[0].local->kind, ==, ICE_CANDIDATE_SERVER_REFLEXIVE);
  g_assert_cmpint (lab.hosts[0].local->tcp_type, ==, ICE_TCP_TYPE_SO);
  for (guint i = 0; i < lab.hosts[0].candidates->len; i++)
    n_reflexive += strstr (g_ptr_array_index (lab.hosts[0].candidates, i),
                       "typ srflx") != NULL;
  g_assert_cmpuint (n_reflexive, ==, 2);
  lab_run_for (&lab, 8 * ICE_SECOND);
  lab_assert_call (&lab);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpuint (lab_count_connections (&lab.hosts[i]), ==, 1);
  lab_clear (&lab);
}

/* A server that does not answer SYNs, or refuses them: no candidate, no error,
 * and nothing that waits for it for long. */
static void
test_no_stun_over_tcp (void)
{
  for (guint i = 0; i < 2; i++) {
    Lab lab;

    lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
    if (i == 0)
      lab.blackhole = lab_address ("203.0.113.5", 0);
    use_stun (&lab, "203.0.113.5");
    lab_start (&lab);
    lab_run_for (&lab, 5 * ICE_SECOND);
    lab_assert_call (&lab);
    lab_run_for (&lab, 10 * ICE_SECOND);
    lab_assert_call (&lab);
    g_assert_cmpuint (lab_count_connections (&lab.hosts[1]), ==, 1);
    lab_clear (&lab);
  }
}

/* RFC 6544 7.2: the accepting side learns where the NAT lets it come from, and
 * the opening side that its port is another. */
static void
test_active_behind_nat (void)
{
  Lab lab;
  LabHost *alice = &lab.hosts[0], *bob = &lab.hosts[1];

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  alice->nat = lab_address ("198.51.100.1", 0);
  alice->nat_filters = TRUE;
  lab_start (&lab);
  lab_run_for (&lab, 2 * ICE_SECOND);
  lab_assert_call (&lab);
  g_assert_cmpint (alice->local->kind, ==, ICE_CANDIDATE_PEER_REFLEXIVE);
  g_assert_cmpint (alice->local->protocol, ==, ICE_PROTOCOL_TCP);
  g_assert_cmpint (alice->local->tcp_type, ==, ICE_TCP_TYPE_ACTIVE);
  g_assert_true (ice_address_same_ip (&alice->local->address, &alice->nat));
  g_assert_cmpint (bob->remote->kind, ==, ICE_CANDIDATE_PEER_REFLEXIVE);
  g_assert_cmpint (bob->remote->tcp_type, ==, ICE_TCP_TYPE_ACTIVE);
  g_assert_cmpuint (bob->n_learnt, ==, 1);
  lab_clear (&lab);
}

/* RFC 6544 4.2: UDP where it works. */
static void
test_udp_is_preferred (void)
{
  Lab lab;

  lab_init (&lab, ICE_TCP_ALL, ICE_TCP_ALL);
  lab.udp = TRUE;
  lab_start (&lab);
  lab_run_for (&lab, 2 * ICE_SECOND);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (lab.hosts[i].state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpint (lab.hosts[i].local->protocol, ==, ICE_PROTOCOL_UDP);
  }
  /* RFC 8445 8.3.1: the rest is closed three seconds later. */
  lab_run_for (&lab, 5 * ICE_SECOND);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpuint (lab_count_connections (&lab.hosts[i]), ==, 0);
  lab_clear (&lab);
}

static void
test_others_are_closed (void)
{
  Lab lab;

  lab_init (&lab, ICE_TCP_ALL, ICE_TCP_ALL);
  lab_start (&lab);
  lab_run_for (&lab, 1500 * ICE_MSEC);
  lab_assert_call (&lab);
  lab_run_for (&lab, 5 * ICE_SECOND);
  lab_assert_call (&lab);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpuint (lab_count_connections (&lab.hosts[i]), ==, 1);
  lab_clear (&lab);
}

/* RFC 7675: over TCP as over UDP, for as long as it takes. */
static void
test_consent_goes_on (void)
{
  Lab lab;
  guint n;

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab_start (&lab);
  lab_run_for (&lab, 120 * ICE_SECOND);
  lab_assert_call (&lab);
  g_assert_cmpuint (lab.hosts[0].n_connects, ==, 1);
  /* The path dies without a word. */
  n = lab.hosts[0].route_socket;
  lab_find (&lab.hosts[0], n)->peer->peer = NULL;
  lab_find (&lab.hosts[0], n)->peer = NULL;
  lab.hang = TRUE;
  lab_run_for (&lab, 12 * ICE_SECOND);
  g_assert_cmpint (lab.hosts[0].state, ==, ICE_STATE_DISCONNECTED);
  g_assert_cmpint (lab.hosts[1].state, ==, ICE_STATE_DISCONNECTED);
  lab_run_for (&lab, 30 * ICE_SECOND);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (lab.hosts[i].state, ==, ICE_STATE_FAILED);
    g_assert_cmpuint (lab.hosts[i].n_lost_consent, ==, 1);
    g_assert_cmpuint (lab.hosts[i].route_socket, ==, 0);
  }
  lab_run_for (&lab, 10 * ICE_SECOND);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpuint (lab_count_connections (&lab.hosts[i]), ==, 0);
  lab_clear (&lab);
}

/* Connections that are reset before the first answer, one after the other. */
static void
test_resets_while_checking (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (guint n = 1; n <= 3; n++) {
      Lab lab;

      g_test_message ("row %u, %u resets", i, n);
      lab_init (&lab, rows[i].policies[0], rows[i].policies[1]);
      lab.n_reset = n;
      lab_start (&lab);
      lab_run_for (&lab, 4 * ICE_SECOND);
      lab_assert_call (&lab);
      lab_clear (&lab);
    }
  }
}

/* ... and for ever: a bounded number of connections, and failure in the end. */
static void
test_endless_resets (void)
{
  Lab lab;

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab.n_reset = G_MAXUINT;
  lab_start (&lab);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpint (lab.hosts[0].state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (lab.hosts[1].state, ==, ICE_STATE_FAILED);
  g_assert_cmpuint (lab.hosts[0].n_connects, <=, 5);
  lab_clear (&lab);
}

/* RFC 6544 11.1: media stops, the active side opens another connection for the
 * same pair, and media goes on, without signalling. */
static void
check_reopening (IceTcpPolicy first, IceTcpPolicy second, IceTcpType only)
{
  Lab lab;
  guint routes[2], learnt;

  lab_init (&lab, first, second);
  lab.only = only;
  lab_start (&lab);
  lab_run_for (&lab, 40 * ICE_SECOND);
  lab_assert_call (&lab);
  for (guint i = 0; i < 2; i++)
    routes[i] = lab.hosts[i].route_socket;
  lab_reset_route (&lab);
  lab_step (&lab);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (lab.hosts[i].state, ==, ICE_STATE_DISCONNECTED);
    g_assert_cmpuint (lab.hosts[i].route_socket, ==, 0);
    g_assert_cmpuint (lab.hosts[i].accepts->len, ==, 0);
  }
  learnt = lab.hosts[0].n_learnt + lab.hosts[1].n_learnt;
  lab_run_for (&lab, 200 * ICE_MSEC);
  lab_assert_call (&lab);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpuint (lab.hosts[i].route_socket, !=, routes[i]);
  g_assert_cmpuint (
      lab.hosts[0].n_learnt + lab.hosts[1].n_learnt, <=, learnt + 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  lab_assert_call (&lab);
  g_assert_cmpuint (lab_count_connections (&lab.hosts[0]), ==, 1);
  lab_clear (&lab);
}

static void
test_reopening (void)
{
  check_reopening (ICE_TCP_ACTIVE, ICE_TCP_PASSIVE, ICE_TCP_TYPE_NONE);
  check_reopening (ICE_TCP_PASSIVE, ICE_TCP_ACTIVE, ICE_TCP_TYPE_NONE);
  check_reopening (ICE_TCP_ALL, ICE_TCP_ALL, ICE_TCP_TYPE_SO);
}

/* A NAT forgets, and only the active side hears of it: the passive one sends
 * into the void until its consent requests are missed, then takes the
 * connection that the peer has opened meanwhile. */
static void
test_half_open (void)
{
  Lab lab;
  LabConnection *socket;

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab_start (&lab);
  lab_run_for (&lab, 40 * ICE_SECOND);
  lab_assert_call (&lab);
  socket = lab_find (&lab.hosts[0], lab.hosts[0].route_socket);
  socket->peer->peer = NULL;
  socket->peer = NULL;
  lab_schedule (&lab, LAB_END, socket, 0);
  lab_run_for (&lab, 25 * ICE_SECOND);
  lab_assert_call (&lab);
  g_assert_cmpuint (lab.hosts[1].n_lost_consent, ==, 0);
  g_assert_cmpuint (lab_count_connections (&lab.hosts[1]), ==, 1);
  lab_clear (&lab);
}

/* Resets again and again: reopened a few times, not for ever. */
static void
test_reopening_is_bounded (void)
{
  Lab lab;

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab_start (&lab);
  lab_run_for (&lab, 10 * ICE_SECOND);
  lab_assert_call (&lab);
  for (guint i = 0; i < 20 && lab.hosts[0].route_socket; i++) {
    lab_reset_route (&lab);
    lab_run_for (&lab, 1 * ICE_SECOND);
  }
  g_assert_cmpuint (lab.hosts[0].n_connects, <=, 6);
  g_assert_cmpint (lab.hosts[0].state, ==, ICE_STATE_FAILED);
  lab_clear (&lab);
}

/* The peer does not listen any more: no use in waiting for consent's end. */
static void
test_reopening_is_refused (void)
{
  Lab lab;

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab_start (&lab);
  lab_run_for (&lab, 10 * ICE_SECOND);
  lab.n_refuse = 1;
  lab_reset_route (&lab);
  lab_run_for (&lab, 1 * ICE_SECOND);
  g_assert_cmpint (lab.hosts[0].state, ==, ICE_STATE_FAILED);
  lab_clear (&lab);
}

/* RFC 6544 11.1: of simultaneous-open candidates both reopen. One is refused,
 * which says nothing about the other. */
static void
test_one_reopening_is_refused (void)
{
  Lab lab;

  lab_init (&lab, ICE_TCP_ALL, ICE_TCP_ALL);
  lab.only = ICE_TCP_TYPE_SO;
  lab_start (&lab);
  lab_run_for (&lab, 10 * ICE_SECOND);
  lab_assert_call (&lab);
  lab.n_refuse = 1;
  for (guint i = 0; i < 2; i++) {
    LabHost *host = &lab.hosts[i];

    lab_end (lab_find (host, host->route_socket), "reset", lab.now);
    lab_pump (&lab);
    lab_run_for (&lab, 100 * ICE_MSEC);
    if (i == 0)
      g_assert_cmpint (host->state, ==, ICE_STATE_DISCONNECTED);
  }
  lab_run_for (&lab, 1 * ICE_SECOND);
  lab_assert_call (&lab);
  /* And if both are, that is the end, when consent is. */
  lab.n_refuse = 2;
  lab_reset_route (&lab);
  lab_run_for (&lab, 1 * ICE_SECOND);
  g_assert_cmpint (lab.hosts[0].state, ==, ICE_STATE_DISCONNECTED);
  lab_run_for (&lab, 30 * ICE_SECOND);
  g_assert_cmpint (lab.hosts[0].state, ==, ICE_STATE_FAILED);
  g_assert_cmpint (lab.hosts[1].state, ==, ICE_STATE_FAILED);
  lab_clear (&lab);
}

/* Both reopen, and alice's SYN is answered by a middle box that says nothing.
 * Her kernel has that connection now, and takes no SYN by the same ports: she
 * is told that only a restart helps, and one does. */
static void
test_reopening_is_mute (void)
{
  Lab lab;
  LabHost *alice = &lab.hosts[0], *bob = &lab.hosts[1];

  lab_init (&lab, ICE_TCP_ALL, ICE_TCP_ALL);
  lab.only = ICE_TCP_TYPE_SO;
  lab_start (&lab);
  lab_run_for (&lab, 10 * ICE_SECOND);
  lab_assert_call (&lab);
  for (guint i = 0; i < 2; i++) {
    LabHost *host = &lab.hosts[i];

    lab.mute = host == alice;
    lab_end (lab_find (host, host->route_socket), "reset", lab.now);
    lab_pump (&lab);
    lab_run_for (&lab, 100 * ICE_MSEC);
  }
  lab_run_for (&lab, 10 * ICE_SECOND);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (lab.hosts[i].state, ==, ICE_STATE_DISCONNECTED);
    g_assert_cmpuint (lab.hosts[i].n_restarts_needed, >, 0);
  }
  g_assert_cmpuint (alice->n_connects + bob->n_connects, <=, 4);
  ice_core_restart (alice->core, 0, lab.now);
  ice_core_restart (bob->core, 0, lab.now);
  lab_start (&lab);
  lab_run_for (&lab, 10 * ICE_SECOND);
  lab_assert_call (&lab);
  lab_clear (&lab);
}

/* RFC 6544 9.2: media stays on the old connection until the new pair, on a
 * connection of its own, is nominated. */
static void
test_restart (void)
{
  Lab lab;
  guint old;

  lab_init (&lab, ICE_TCP_ALL, ICE_TCP_ALL);
  lab_start (&lab);
  lab_run_for (&lab, 10 * ICE_SECOND);
  lab_assert_call (&lab);
  old = lab.hosts[0].route_socket;
  ice_core_restart (lab.hosts[0].core, 0, lab.now);
  ice_core_restart (lab.hosts[1].core, 0, lab.now);
  lab_pump (&lab);
  g_assert_cmpuint (lab.hosts[0].route_socket, ==, old);
  lab_start (&lab);
  g_assert_true (lab_flows (&lab.hosts[0]));
  lab_run_for (&lab, 10 * ICE_SECOND);
  lab_assert_call (&lab);
  g_assert_cmpuint (lab.hosts[0].route_socket, !=, old);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpuint (lab_count_connections (&lab.hosts[i]), ==, 1);
  lab_clear (&lab);
}

/* The old connection is lost while the new one is looked for. */
static void
test_reset_during_restart (void)
{
  Lab lab;

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab_start (&lab);
  lab_run_for (&lab, 10 * ICE_SECOND);
  ice_core_restart (lab.hosts[0].core, 0, lab.now);
  ice_core_restart (lab.hosts[1].core, 0, lab.now);
  lab_pump (&lab);
  lab_reset_route (&lab);
  lab_run_for (&lab, 1 * ICE_SECOND);
  g_assert_cmpuint (lab.hosts[0].route_socket, ==, 0);
  lab_start (&lab);
  lab_run_for (&lab, 3 * ICE_SECOND);
  lab_assert_call (&lab);
  lab_clear (&lab);
}

/* RFC 8445 7.3: the check is there before the answer is. */
static void
test_early_check (void)
{
  Lab lab;

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab_introduce (&lab.hosts[0]);
  lab_gather (&lab.hosts[1]);
  lab_gather (&lab.hosts[0]);
  lab_pump (&lab);
  lab_run_for (&lab, 500 * ICE_MSEC);
  g_assert_cmpint (lab.hosts[1].state, ==, ICE_STATE_NEW);
  g_assert_cmpuint (lab_count_connections (&lab.hosts[1]), ==, 1);
  lab_introduce (&lab.hosts[1]);
  lab_pump (&lab);
  lab_run_for (&lab, 2 * ICE_SECOND);
  lab_assert_call (&lab);
  g_assert_cmpuint (lab.hosts[0].n_connects, ==, 1);
  lab_clear (&lab);
}

/* ... and its connection is gone before the answer is. */
static void
test_early_check_of_a_dead_connection (void)
{
  Lab lab;
  LabConnection *socket;

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab_introduce (&lab.hosts[0]);
  lab_gather (&lab.hosts[1]);
  lab_gather (&lab.hosts[0]);
  lab_pump (&lab);
  lab_run_for (&lab, 500 * ICE_MSEC);
  socket =
      g_ptr_array_index (lab.hosts[1].sockets, lab.hosts[1].sockets->len - 1);
  g_assert_true (socket->opened);
  lab_schedule (&lab, LAB_END, socket->peer, 0);
  lab_schedule (&lab, LAB_END, socket, 0);
  lab_step (&lab);
  lab_introduce (&lab.hosts[1]);
  lab_pump (&lab);
  lab_run_for (&lab, 2 * ICE_SECOND);
  lab_assert_call (&lab);
  lab_clear (&lab);
}

static void
test_close (void)
{
  Lab lab;

  lab_init (&lab, ICE_TCP_ALL, ICE_TCP_ALL);
  lab_start (&lab);
  lab_run_for (&lab, 100 * ICE_MSEC);
  ice_core_close (lab.hosts[0].core, lab.now);
  lab_pump (&lab);
  for (guint i = 0; i < lab.hosts[0].sockets->len; i++)
    g_assert_cmpuint (
        ((LabConnection *) g_ptr_array_index (lab.hosts[0].sockets, i))->id, ==,
        0);
  lab_run_for (&lab, 60 * ICE_SECOND);
  lab_clear (&lab);
}

/* RFC 5245 8.1.1.2: of several nominated pairs the highest, on both sides. An
 * active candidate has port 9 (RFC 6544 4.5): who connects from it is one that
 * the peer learns, with the priority that the check says, and the side it is of
 * has to rank it likewise. */
static void
test_aggressive (void)
{
  for (guint first = 0; first < 2; first++) {
    Lab lab;

    lab_init (&lab, ICE_TCP_ALL, ICE_TCP_ALL);
    ice_core_set_aggressive (lab.hosts[0].core, TRUE);
    lab_introduce (&lab.hosts[first]);
    lab_gather (&lab.hosts[!first]);
    lab_gather (&lab.hosts[first]);
    lab_pump (&lab);
    lab_run_for (&lab, 300 * ICE_MSEC);
    lab_introduce (&lab.hosts[!first]);
    lab_pump (&lab);
    lab_run_for (&lab, 60 * ICE_SECOND);
    lab_assert_call (&lab);
    for (guint i = 0; i < 2; i++) {
      g_assert_cmpuint (lab_count_connections (&lab.hosts[i]), ==, 1);
      g_assert_cmpuint (lab.hosts[i].n_lost_consent, ==, 0);
    }
    lab_clear (&lab);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add_func ("/rfc6544/" name, func)
  ADD ("4.2/udp-is-preferred", test_udp_is_preferred);
  ADD ("5.2/reflexive-through-nats", test_reflexive_through_nats);
  ADD ("5.2/no-stun-over-tcp", test_no_stun_over_tcp);
  ADD ("6.2/types-meet-in-both-roles", test_types_meet);
  ADD ("7.1/simultaneous-open", test_simultaneous_open);
  ADD ("7.1/connection-is-reused", test_connection_is_reused);
  ADD ("7.1/simultaneous-open-through-nats",
      test_simultaneous_open_through_nats);
  ADD ("7.1/resets-while-checking", test_resets_while_checking);
  ADD ("7.1/endless-resets", test_endless_resets);
  ADD ("7.2/active-behind-nat", test_active_behind_nat);
  ADD ("7.2/early-check", test_early_check);
  ADD ("7.2/early-check-of-a-dead-connection",
      test_early_check_of_a_dead_connection);
  ADD ("8/others-are-closed", test_others_are_closed);
  ADD ("9.2/restart", test_restart);
  ADD ("9.2/reset-during-restart", test_reset_during_restart);
  ADD ("10/consent-goes-on", test_consent_goes_on);
  ADD ("11.1/reopening", test_reopening);
  ADD ("11.1/half-open", test_half_open);
  ADD ("11.1/reopening-is-bounded", test_reopening_is_bounded);
  ADD ("11.1/reopening-is-refused", test_reopening_is_refused);
  ADD ("11.1/one-reopening-is-refused", test_one_reopening_is_refused);
  ADD ("11.1/reopening-is-mute", test_reopening_is_mute);
  ADD ("11/close", test_close);
  ADD ("8/aggressive", test_aggressive);
  return g_test_run ();
}
