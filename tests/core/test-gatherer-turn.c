/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gather-lab.h"

#include "gst/ice/core/turn/channel-data.h"

static const gchar *const one_ipv4[] = { "10.0.0.2", NULL };
static const gchar *const one_ipv6[] = { "2001:db8::2", NULL };

/* A host behind a NAT with one TURN server, gathered for a second. */
static LabServer *
gather_with_turn (Lab *lab, gboolean relay_only)
{
  LabServer *server;

  lab_init (lab, relay_only);
  lab->nat = TRUE;
  lab_set_addresses (lab, one_ipv4);
  server = lab_add_server (lab, 1, ICE_SERVER_TURN, "192.0.2.1");
  lab_gather (lab, 1, 1);
  return server;
}

static void
test_relayed (void)
{
  Lab lab;
  const IceCandidate *relayed, *srflx;
  LabServer *server = gather_with_turn (&lab, FALSE);
  g_autoptr (GArray) stats =
      g_array_new (FALSE, FALSE, sizeof (IceServerStats));

  lab_run_for (&lab, ICE_SECOND);
  /* Allocate refused, Allocate granted: two round trips. */
  g_assert_cmpint (lab.done_at, ==, 40 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, ==, 40 * ICE_MSEC);
  g_assert_cmpuint (lab.candidates->len, ==, 3);
  srflx = lab_find (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE);
  relayed = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  g_assert_true (ice_address_equal (&relayed->base, &relayed->address));
  g_assert_true (ice_address_equal (&relayed->related, &srflx->address));
  g_assert_cmpstr (relayed->relay_protocol, ==, "udp");
  g_assert_cmpstr (relayed->url, ==, "turn:192.0.2.1:3478");
  g_assert_cmpuint (relayed->priority, ==, 16777215);
  g_assert_true (ice_address_equal (
      ice_gatherer_relay_server (lab.gatherer, relayed), &server->address));

  ice_gatherer_get_server_stats (lab.gatherer, stats);
  g_assert_cmpuint (stats->len, ==, 1);
  g_assert_cmpint (
      g_array_index (stats, IceServerStats, 0).rtt, ==, 20 * ICE_MSEC);
  g_assert_cmpuint (
      g_array_index (stats, IceServerStats, 0).allocation_lifetime, ==, 600);
  lab_clear (&lab);
}

/* policy=relay: one candidate, nothing told about us, not one packet but to the
 * TURN server. */
static void
test_relay_only (void)
{
  Lab lab;
  const IceCandidate *relayed;
  IceAddress peer = address ("192.0.2.77", 5000);
  IcePacket *packet = ice_packet_new_from (ICE_BYTES ("check", 5));

  lab_init (&lab, TRUE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_TURN, "192.0.2.1");
  lab_add_server (&lab, 2, ICE_SERVER_STUN, "192.0.2.2");
  lab_configure (&lab, 3, ICE_SERVER_STUN, "stun.example.org", NULL);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 1);
  relayed = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  g_assert_cmpint (relayed->related.family, ==, ICE_FAMILY_IPV4);
  g_assert_cmpint (
      ice_address_classify (&relayed->related), ==, ICE_ADDRESS_UNSPECIFIED);
  g_assert_cmpuint (relayed->related.port, ==, 0);
  g_assert_null (lab.servers[1].last);
  g_assert_cmpuint (lab.n_resolves, ==, 0);

  ice_gatherer_transmit (lab.gatherer,
      ice_gatherer_host_candidate (lab.gatherer, relayed->socket), &peer,
      packet, lab.now);
  lab_settle (&lab);
  g_assert_cmpuint (lab.n_direct, ==, 0);
  ice_packet_unref (packet);
  lab_clear (&lab);
}

/* A wrong password is told at once, by name and with the cure, and costs the
 * relay only. */
static void
test_wrong_password (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_TURN, "192.0.2.1")->turn.password = "x";
  lab_gather (&lab, 2, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (lab.n_errors, ==, 1);
  g_assert_cmpuint (lab.error_code, ==, 401);
  g_assert_cmpint (lab.error_at, <, 100 * ICE_MSEC);
  g_assert_cmpuint (lab.n_ok, ==, 0);
  g_assert_nonnull (strstr (lab.error_text, "turn:192.0.2.1:3478"));
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), ==, 2);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 0);
  g_assert_cmpint (lab.ended_at, <, 200 * ICE_MSEC);
  g_assert_cmpuint (lab.servers[0].turn.n_requests[ICE_STUN_ALLOCATE], <=, 8);

  /* RFC 8656 7.4: not asked again, until the credentials change. */
  lab.servers[0].turn.n_requests[ICE_STUN_ALLOCATE] = 0;
  lab_gather (&lab, 2, 2);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.servers[0].turn.n_requests[ICE_STUN_ALLOCATE], ==, 0);
  lab_configure (&lab, 1, ICE_SERVER_TURN, "192.0.2.1", "x");
  lab_gather (&lab, 2, 3);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 2);
  lab_clear (&lab);
}

/* It dies, or is an impostor, after the challenge: told when given up. */
static void
test_given_up (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, FALSE);

  server->turn.unsigned_answers = TRUE;
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 1);
  g_assert_cmpuint (lab.n_errors, ==, 1);
  g_assert_cmpuint (lab.error_code, ==, 701);
  g_assert_cmpint (lab.ended_at, ==, 39520 * ICE_MSEC);
  g_assert_cmpint (lab.done_at, ==, 470 * ICE_MSEC);
  lab_clear (&lab);
}

static void
test_no_credentials (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_configure (&lab, 1, ICE_SERVER_TURN, "192.0.2.1", NULL);
  lab_add_host (&lab, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.error_code, ==, 401);
  g_assert_nonnull (strstr (lab.error_text, "USER"));
  g_assert_cmpuint (lab.servers[0].turn.n_requests[ICE_STUN_ALLOCATE], ==, 1);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), ==, 1);
  lab_clear (&lab);
}

typedef struct
{
  guint code;
  guint max_allocates; /* the first is unsigned */
  gboolean reported;
} Refusal;

/* RFC 8656 7.4: what is tried again, and how often; RFC 8445 5.1.1.2: the
 * mapped address is found out all the same. */
static void
test_refusals (void)
{
  static const Refusal rows[] = { { 400, 2, TRUE }, { 403, 2, TRUE },
    { 440, 2, TRUE }, { 441, 2, TRUE }, { 442, 2, TRUE }, { 486, 2, TRUE },
    { 500, 4, TRUE }, { 508, 2, TRUE }, { 699, 2, TRUE }, { 438, 5, TRUE },
    { 437, 4, TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Lab lab;
    LabServer *server = gather_with_turn (&lab, FALSE);

    g_test_message ("%u", rows[i].code);
    server->turn.error[ICE_STUN_ALLOCATE] = rows[i].code;
    lab_run_for (&lab, 60 * ICE_SECOND);
    g_assert_cmpuint (
        server->turn.n_requests[ICE_STUN_ALLOCATE], <=, rows[i].max_allocates);
    g_assert_cmpuint (lab.n_errors, ==, rows[i].reported);
    g_assert_cmpuint (lab.error_code, ==, rows[i].code);
    g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), ==, 1);
    g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 0);
    g_assert_cmpint (lab.ended_at, <, 2 * ICE_SECOND);
    lab_clear (&lab);
  }
}

/* 486 and 508: no new allocation for a minute, restart or not. */
static void
test_barred (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, FALSE);
  guint *n = &server->turn.n_requests[ICE_STUN_ALLOCATE];

  server->turn.error[ICE_STUN_ALLOCATE] = 508;
  lab_run_for (&lab, 10 * ICE_SECOND);
  g_assert_cmpuint (*n, ==, 2);
  lab_gather (&lab, 1, 2);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (*n, ==, 2);
  server->turn.error[ICE_STUN_ALLOCATE] = 0;
  lab_gather (&lab, 1, 3);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (*n, ==, 4);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
  lab_clear (&lab);
}

/* 437: from another socket it works. */
static void
test_mismatch (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, FALSE);
  const IceCandidate *relayed, *host;

  server->turn.error[ICE_STUN_ALLOCATE] = 437;
  while (lab.sockets->len == 1)
    lab_run_for (&lab, ICE_MSEC);
  server->turn.error[ICE_STUN_ALLOCATE] = 0;
  lab_run_for (&lab, ICE_SECOND);
  relayed = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  host = lab_find (&lab, ICE_CANDIDATE_HOST);
  g_assert_nonnull (relayed);
  g_assert_cmpuint (relayed->socket, !=, host->socket);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_HOST), ==, 1);
  g_assert_cmpuint (lab.n_errors, ==, 0);
  g_assert_cmpint (lab.ended_at, >, 0);

  /* The restart keeps it, and asks nothing. */
  server->turn.n_requests[ICE_STUN_ALLOCATE] = 0;
  lab_gather (&lab, 1, 2);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 0);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 2);
  lab_clear (&lab);
}

static void
test_redirect (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, FALSE);

  server->turn.error[ICE_STUN_ALLOCATE] = 300;
  server->turn.alternate = address ("192.0.2.9", 3478);
  lab_add_host (&lab, "192.0.2.9");
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
  g_assert_cmpuint (lab.n_errors, ==, 0);
  g_assert_cmpuint (lab.servers[1].turn.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  lab_clear (&lab);
}

/* To itself, to each other, to nowhere: none is asked twice. */
static void
test_redirect_loop (void)
{
  static const gchar *const first[] = { "192.0.2.1", "192.0.2.9", "224.0.0.1",
    "2001:db8::9" };

  for (guint i = 0; i < G_N_ELEMENTS (first); i++) {
    Lab lab;
    LabServer *server = gather_with_turn (&lab, FALSE);
    LabServer *other = lab_add_host (&lab, "192.0.2.9");

    server->turn.error[ICE_STUN_ALLOCATE] = 300;
    server->turn.alternate = address (first[i], 3478);
    other->turn.error[ICE_STUN_ALLOCATE] = 300;
    other->turn.alternate = address ("192.0.2.1", 3478);
    lab_run_for (&lab, 60 * ICE_SECOND);
    g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 2);
    g_assert_cmpuint (other->turn.n_requests[ICE_STUN_ALLOCATE], <=, 2);
    g_assert_cmpuint (lab.error_code, ==, 300);
    g_assert_cmpuint (lab.n_direct, ==, 0);
    g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), ==, 1);
    lab_clear (&lab);
  }
}

/* RFC 8656 7.1: an IPv6 relay is asked for by name; an IPv4 one is better than
 * none, for a host without IPv4. */
static void
test_ipv6 (void)
{
  static const gchar *const both[] = { "10.0.0.2", "2001:db8::2", NULL };
  Lab lab;
  LabServer *server;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, one_ipv6);
  server = lab_add_server (&lab, 1, ICE_SERVER_TURN, "2001:db8:2::1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.last_family, ==, 2);
  g_assert_cmpint (lab_find (&lab, ICE_CANDIDATE_RELAYED)->address.family, ==,
      ICE_FAMILY_IPV6);
  lab_clear (&lab);

  for (guint i = 0; i < 2; i++) {
    lab_init (&lab, FALSE);
    lab_set_addresses (&lab, i == 0 ? one_ipv6 : both);
    server = lab_add_server (&lab, 1, ICE_SERVER_TURN, "2001:db8:2::1");
    server->turn.relayed = address ("198.51.100.1", 49152);
    server->turn.error[ICE_STUN_ALLOCATE] = 440;
    lab_gather (&lab, 1, 1);
    while (server->turn.n_requests[ICE_STUN_ALLOCATE] < 2)
      lab_run_for (&lab, ICE_MSEC);
    server->turn.error[ICE_STUN_ALLOCATE] = 0;
    lab_run_for (&lab, ICE_SECOND);
    g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1 - i);
    g_assert_cmpuint (lab.n_errors, ==, 0);
    lab_clear (&lab);
  }
}

/* RFC 8445 5.1.1.2: a relayed address that is a host candidate, or somebody
 * else's, is given back. */
static void
test_relayed_taken (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, FALSE);

  server->fixed_relayed = TRUE;
  server->turn.relayed = lab_find (&lab, ICE_CANDIDATE_HOST)->address;
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 0);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_REFRESH], ==, 1);
  g_assert_cmpuint (server->turn.last_lifetime, ==, 0);
  lab_clear (&lab);

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, one_ipv4);
  server = lab_add_server (&lab, 1, ICE_SERVER_TURN, "192.0.2.1");
  server->fixed_relayed = TRUE;
  lab_gather (&lab, 2, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
  lab_clear (&lab);
}

/* The whole way of a packet: permission and check leave together, answers come
 * as indications, then by the channel. */
static void
test_media (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, TRUE);
  IceAddress peer = address ("192.0.2.77", 5000);
  IceAddress stranger = address ("192.0.2.66", 5000);
  g_autoptr (IcePacket) check = ice_packet_new_from (ICE_BYTES ("check", 5));
  g_autoptr (IcePacket) data = NULL, channel = NULL, secret = NULL;
  IceRelayedDatagram relayed;
  IceCandidate *local;

  lab_run_for (&lab, ICE_SECOND);
  local = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  ice_gatherer_permit (lab.gatherer, local, &peer, lab.now);
  ice_gatherer_transmit (lab.gatherer, local, &peer, check, lab.now);
  lab_run_for (&lab, 10 * ICE_MSEC);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 1);
  g_assert_cmpuint (server->turn.n_indications[ICE_STUN_SEND], ==, 1);

  data = fake_turn_data (&server->turn, &peer, "answer");
  g_assert_cmpint (
      lab_receive (&lab, local->socket, &server->address, data, &relayed), ==,
      ICE_GATHER_RELAYED);
  g_assert_true (relayed.local == local);
  g_assert_true (ice_address_equal (&relayed.from, &peer));
  g_assert_cmpmem (relayed.data.data, relayed.data.size, "answer", 6);
  secret = fake_turn_data (&server->turn, &stranger, "answer");
  g_assert_cmpint (
      lab_receive (&lab, local->socket, &server->address, secret, &relayed), ==,
      ICE_GATHER_DROPPED);

  g_assert_cmpuint (ice_gatherer_channel (lab.gatherer, local, &peer), ==, 0);
  ice_gatherer_bind_channel (lab.gatherer, local, &peer, lab.now);
  lab_run_for (&lab, 100 * ICE_MSEC);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CHANNEL_BOUND], ==, 1);
  g_assert_cmpuint (lab.event.channel, ==, 0x4000);
  g_assert_true (ice_address_equal (&lab.event.peer, &peer));
  g_assert_cmpuint (
      ice_gatherer_channel (lab.gatherer, local, &peer), ==, 0x4000);
  ice_gatherer_transmit (lab.gatherer, local, &peer, check, lab.now);
  lab_run_for (&lab, 10 * ICE_MSEC);
  g_assert_cmpmem (server->last->data, server->last->size,
      "\x40\0\0\x05"
      "check",
      9);
  channel = ice_packet_ref (server->last);
  g_assert_cmpint (
      lab_receive (&lab, local->socket, &server->address, channel, &relayed),
      ==, ICE_GATHER_RELAYED);
  g_assert_true (ice_address_equal (&relayed.from, &peer));
  lab_clear (&lab);
}

/* A restart while media flows: the old candidate still sends. */
static void
test_media_over_restart (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, TRUE);
  IceAddress peer = address ("192.0.2.77", 5000);
  g_autoptr (IcePacket) media = ice_packet_new_from (ICE_BYTES ("media", 5));
  IceCandidate *local;

  lab_run_for (&lab, ICE_SECOND);
  local = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  ice_gatherer_permit (lab.gatherer, local, &peer, lab.now);
  lab_gather (&lab, 1, 2);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  ice_gatherer_transmit (lab.gatherer, local, &peer, media, lab.now);
  ice_gatherer_transmit (lab.gatherer, lab_find (&lab, ICE_CANDIDATE_RELAYED),
      &peer, media, lab.now);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.n_indications[ICE_STUN_SEND], ==, 2);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 1);
  lab_clear (&lab);
}

/* The NAT between forgot our mapping, and the server says so at the restart:
 * another allocation is asked for, once, and later a few times more. */
static void
test_lost_at_restart (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, TRUE);
  guint n_allocates;

  lab_run_for (&lab, ICE_SECOND);
  n_allocates = server->turn.n_requests[ICE_STUN_ALLOCATE];
  server->turn.error[ICE_STUN_REFRESH] = 437;
  lab_gather (&lab, 1, 2);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], >, n_allocates);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], >, 0);
  n_allocates = server->turn.n_requests[ICE_STUN_ALLOCATE];
  lab_run_for (&lab, 1200 * ICE_SECOND);
  g_assert_cmpuint (
      server->turn.n_requests[ICE_STUN_ALLOCATE], <=, n_allocates + 6);
  lab_clear (&lab);
}

static void
test_permission_refused (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, FALSE);
  IceAddress peer = address ("192.0.2.77", 5000);
  g_autoptr (IcePacket) check = ice_packet_new_from (ICE_BYTES ("check", 5));
  IceCandidate *local;

  lab_run_for (&lab, ICE_SECOND);
  server->turn.error[ICE_STUN_CREATE_PERMISSION] = 403;
  local = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  ice_gatherer_permit (lab.gatherer, local, &peer, lab.now);
  lab_run_for (&lab, 100 * ICE_MSEC);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_PERMISSION_REFUSED], ==, 1);
  g_assert_true (ice_address_equal (&lab.event.peer, &peer));
  for (guint i = 0; i < 50; i++)
    ice_gatherer_transmit (lab.gatherer, local, &peer, check, lab.now);
  lab_run_for (&lab, 100 * ICE_MSEC);
  g_assert_cmpuint (server->turn.n_indications[ICE_STUN_SEND], ==, 0);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_CREATE_PERMISSION], ==, 1);
  lab_clear (&lab);
}

/* The server forgot us: the candidate is lost once, and nothing leaks past the
 * relay. The next gathering makes a new one. */
static void
test_lost (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, TRUE);
  IceAddress peer = address ("192.0.2.77", 5000);
  g_autoptr (IcePacket) check = ice_packet_new_from (ICE_BYTES ("check", 5));
  IceCandidate *local;

  lab_run_for (&lab, ICE_SECOND);
  local = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  server->turn.error[ICE_STUN_REFRESH] = 437;
  lab_run_for (&lab, 600 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 1);
  ice_gatherer_transmit (lab.gatherer, local, &peer, check, lab.now);
  lab_settle (&lab);
  g_assert_cmpuint (lab.n_direct, ==, 0);
  server->turn.error[ICE_STUN_REFRESH] = 0;
  lab_gather (&lab, 1, 2);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  lab_clear (&lab);
}

/* Released: given back at the server, and asked for again when needed. */
static void
test_release (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, FALSE);

  lab_run_for (&lab, ICE_SECOND);
  ice_gatherer_release_candidate (
      lab.gatherer, lab_find (&lab, ICE_CANDIDATE_RELAYED), lab.now);
  lab_run_for (&lab, 600 * ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_REFRESH], ==, 1);
  g_assert_cmpuint (server->turn.last_lifetime, ==, 0);
  g_assert_cmpuint (lab.n_closed, ==, 0);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 0);
  lab_gather (&lab, 1, 2);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 2);
  lab_clear (&lab);
}

static void
test_close (void)
{
  Lab lab;
  LabServer *server;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, one_ipv4);
  server = lab_add_server (&lab, 1, ICE_SERVER_TURN, "192.0.2.1");
  lab_gather (&lab, 2, 1);
  lab_run_for (&lab, ICE_SECOND);
  ice_gatherer_close (lab.gatherer, lab.now);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (lab.n_closed, ==, 2);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_REFRESH], ==, 2);
  g_assert_cmpuint (server->turn.last_lifetime, ==, 0);
  g_assert_cmpint (ice_gatherer_deadline (lab.gatherer), ==, ICE_TIME_NEVER);
  lab_gather (&lab, 2, 2);
  g_assert_cmpuint (lab.sockets->len, ==, 2);
  lab_clear (&lab);
}

/* Two servers of one address are one allocation. */
static void
test_same_server_twice (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, FALSE);

  lab_configure (&lab, 2, ICE_SERVER_TURN, "192.0.2.1", FAKE_PASSWORD);
  lab_configure (&lab, 3, ICE_SERVER_STUN, "192.0.2.1", NULL);
  lab_gather (&lab, 1, 2);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_ALLOCATE], ==, 2);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
  lab_clear (&lab);
}

/* Servers that are removed keep what they gave until it is released. */
static void
test_remove_servers (void)
{
  Lab lab;
  LabServer *server = gather_with_turn (&lab, FALSE);

  lab_run_for (&lab, ICE_SECOND);
  for (guint i = 0; i < 100; i++) {
    ice_gatherer_remove_servers (lab.gatherer);
    lab_configure (&lab, 100 + i, ICE_SERVER_STUN, "192.0.2.3", NULL);
  }
  ice_gatherer_remove_servers (lab.gatherer);
  lab_run_for (&lab, 1200 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 0);
  g_assert_cmpuint (server->turn.n_requests[ICE_STUN_REFRESH], >=, 2);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gatherer-turn/relayed", test_relayed);
  g_test_add_func ("/gatherer-turn/relay-only", test_relay_only);
  g_test_add_func ("/gatherer-turn/wrong-password", test_wrong_password);
  g_test_add_func ("/gatherer-turn/given-up", test_given_up);
  g_test_add_func ("/gatherer-turn/no-credentials", test_no_credentials);
  g_test_add_func ("/gatherer-turn/refusals", test_refusals);
  g_test_add_func ("/gatherer-turn/barred", test_barred);
  g_test_add_func ("/gatherer-turn/mismatch", test_mismatch);
  g_test_add_func ("/gatherer-turn/redirect", test_redirect);
  g_test_add_func ("/gatherer-turn/redirect-loop", test_redirect_loop);
  g_test_add_func ("/gatherer-turn/ipv6", test_ipv6);
  g_test_add_func ("/gatherer-turn/relayed-taken", test_relayed_taken);
  g_test_add_func ("/gatherer-turn/media", test_media);
  g_test_add_func (
      "/gatherer-turn/media-over-restart", test_media_over_restart);
  g_test_add_func ("/gatherer-turn/lost-at-restart", test_lost_at_restart);
  g_test_add_func (
      "/gatherer-turn/permission-refused", test_permission_refused);
  g_test_add_func ("/gatherer-turn/lost", test_lost);
  g_test_add_func ("/gatherer-turn/release", test_release);
  g_test_add_func ("/gatherer-turn/close", test_close);
  g_test_add_func ("/gatherer-turn/same-server-twice", test_same_server_twice);
  g_test_add_func ("/gatherer-turn/remove-servers", test_remove_servers);
  return g_test_run ();
}
