/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gather-lab.h"

static const gchar *const one_ipv4[] = { "10.0.0.2", NULL };

/* Nothing but a socket: everything at once. */
static void
test_host (void)
{
  Lab lab;
  const IceCandidate *host;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, one_ipv4);
  lab_gather (&lab, 1, 1);
  g_assert_cmpuint (lab.candidates->len, ==, 1);
  g_assert_cmpint (lab.done_at, ==, 0);
  g_assert_cmpint (lab.ended_at, ==, 0);
  g_assert_cmpint (ice_gatherer_deadline (lab.gatherer), ==, ICE_TIME_NEVER);

  host = lab_find (&lab, ICE_CANDIDATE_HOST);
  /* RFC 8445 5.1.2.1: the values of the only address. */
  g_assert_cmpuint (host->priority, ==, 2130706431);
  g_assert_cmpuint (host->component, ==, 1);
  g_assert_cmpuint (host->stream, ==, LAB_STREAM);
  g_assert_true (ice_address_equal (&host->address, &host->base));
  g_assert_cmpint (host->related.family, ==, ICE_FAMILY_NONE);
  g_assert_true (
      ice_gatherer_host_candidate (lab.gatherer, host->socket) == host);
  lab_clear (&lab);
}

static void
test_no_address (void)
{
  static const gchar *const none[] = { NULL };
  Lab lab;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, none);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  g_assert_cmpint (lab.ended_at, ==, 0);
  lab_clear (&lab);
}

static void
test_socket_fails (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab.refuse_sockets = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  g_assert_cmpuint (lab.candidates->len, ==, 0);
  g_assert_cmpint (lab.ended_at, ==, 0);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 0);
  lab_clear (&lab);
}

/* A socket that dies later takes its candidates along. */
static void
test_socket_lost (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  ice_gatherer_socket_failed (lab.gatherer,
      lab_find (&lab, ICE_CANDIDATE_HOST)->socket, "no such device", lab.now);
  lab_settle (&lab);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 2);
  g_assert_cmpint (ice_gatherer_deadline (lab.gatherer), ==, ICE_TIME_NEVER);
  lab_clear (&lab);
}

static void
test_server_reflexive (void)
{
  Lab lab;
  const IceCandidate *srflx, *host;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  g_assert_cmpuint (lab.asked->len, ==, 1); /* at once */
  lab_run_for (&lab, ICE_SECOND);
  host = lab_find (&lab, ICE_CANDIDATE_HOST);
  srflx = lab_find (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE);
  g_assert_nonnull (srflx);
  g_assert_true (ice_address_equal (&srflx->base, &host->address));
  g_assert_true (ice_address_equal (&srflx->related, &host->address));
  g_assert_cmpuint (srflx->priority, ==, 1694498815);
  g_assert_cmpuint (srflx->server, ==, 1);
  g_assert_cmpstr (srflx->url, ==, "stun:192.0.2.1:3478");
  g_assert_cmpstr (srflx->foundation, !=, host->foundation);
  g_assert_cmpint (lab.done_at, ==, 20 * ICE_MSEC); /* one round trip */
  g_assert_cmpint (lab.ended_at, ==, 20 * ICE_MSEC);
  g_assert_cmpuint (lab.n_ok, ==, 1);
  g_assert_cmpuint (lab.n_errors, ==, 0);
  lab_clear (&lab);
}

/* RFC 8445 5.1.3: without a NAT it is the host candidate again, and there is
 * nothing to keep alive. */
static void
test_redundant (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 1);
  g_assert_cmpuint (lab.servers[0].turn.n_requests[ICE_STUN_BINDING], ==, 1);
  lab_clear (&lab);
}

/* RFC 8445 5.1.1.4: the binding is kept alive until it is released. */
static void
test_keepalive (void)
{
  Lab lab;
  guint n;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 600 * ICE_SECOND);
  n = lab.servers[0].turn.n_requests[ICE_STUN_BINDING];
  g_assert_cmpuint (n, >=, 39);
  g_assert_cmpuint (n, <=, 41);
  g_assert_cmpuint (lab.candidates->len, ==, 2);

  ice_gatherer_release_candidate (
      lab.gatherer, lab_find (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), lab.now);
  lab_run_for (&lab, 600 * ICE_SECOND);
  g_assert_cmpuint (
      lab.servers[0].turn.n_requests[ICE_STUN_BINDING], <=, n + 1);
  g_assert_cmpuint (lab.n_closed, ==, 0);
  ice_gatherer_release_candidate (
      lab.gatherer, lab_find (&lab, ICE_CANDIDATE_HOST), lab.now);
  lab_settle (&lab);
  g_assert_cmpuint (lab.n_closed, ==, 1);
  lab_clear (&lab);
}

/* Design 9.5: a dead server delays DONE by half a second, END until it is given
 * up; it is reported once, within two seconds. */
static void
test_dead_server (void)
{
  Lab lab;
  LabServer *dead;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  dead = lab_add_server (&lab, 2, ICE_SERVER_TURN, "192.0.2.2");
  dead->dead = TRUE;
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  g_assert_cmpint (lab.done_at, ==, 470 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, ==, 39505 * ICE_MSEC);
  g_assert_cmpuint (lab.n_errors, ==, 1);
  g_assert_cmpuint (lab.error_code, ==, 701);
  g_assert_cmpint (lab.error_at, <=, 2 * ICE_SECOND);
  g_assert_nonnull (strstr (lab.error_text, "turn:192.0.2.2"));
  lab_clear (&lab);
}

/* An answer after DONE is still told. */
static void
test_late_server (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1")->delay = ICE_SECOND;
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpint (lab.done_at, ==, 450 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, ==, 2 * ICE_SECOND);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), ==, 1);
  lab_clear (&lab);
}

/* Mapped addresses that nobody could be reached at. */
static void
test_hostile_mapped (void)
{
  static const gchar *const ips[] = { "0.0.0.0", "224.0.0.1", "255.255.255.255",
    "::", "2001:db8::5", "::ffff:192.0.2.1" };

  for (guint i = 0; i < G_N_ELEMENTS (ips); i++) {
    IceAddress server = address ("192.0.2.1", 3478);
    Lab lab;
    IceStunBuilder builder;
    IceRelayedDatagram relayed;
    IceAddress bad = address (ips[i], 4000);
    IcePacket *answer;

    lab_init (&lab, FALSE);
    lab_set_addresses (&lab, one_ipv4);
    lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1")->dead = TRUE;
    lab_gather (&lab, 1, 1);
    lab_run_for (&lab, 100 * ICE_MSEC);
    ice_stun_builder_init (&builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING,
        lab.servers[0].last->data + 8);
    ice_stun_builder_add_xor_address (
        &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &bad);
    answer = ice_stun_builder_end (&builder);
    g_assert_cmpint (
        lab_receive (&lab, lab_find (&lab, ICE_CANDIDATE_HOST)->socket, &server,
            answer, &relayed),
        ==, ICE_GATHER_HANDLED);
    ice_packet_unref (answer);
    lab_settle (&lab);
    g_assert_cmpuint (lab.candidates->len, ==, 1);
    g_assert_cmpint (lab.ended_at, ==, 100 * ICE_MSEC);
    lab_clear (&lab);
  }
}

/* What comes from a server's address but is no answer is not the gatherer's;
 * an answer from elsewhere is not one. */
static void
test_not_mine (void)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 1, 2, 3 };
  static const guint8 media[] = { 0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
  IceAddress server = address ("192.0.2.1", 3478);
  IceAddress other = address ("192.0.2.1", 3479);
  Lab lab;
  guint socket;
  IceRelayedDatagram relayed;
  IceStunBuilder builder;
  IcePacket *packet;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1")->dead = TRUE;
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 100 * ICE_MSEC);
  socket = lab_find (&lab, ICE_CANDIDATE_HOST)->socket;

  ice_stun_builder_init (&builder, ICE_STUN_REQUEST, ICE_STUN_BINDING, id);
  packet = ice_stun_builder_end (&builder);
  g_assert_cmpint (lab_receive (&lab, socket, &server, packet, &relayed), ==,
      ICE_GATHER_NOT_MINE);
  ice_packet_unref (packet);

  packet = ice_packet_new_from (ICE_BYTES (media, sizeof media));
  g_assert_cmpint (lab_receive (&lab, socket, &server, packet, &relayed), ==,
      ICE_GATHER_NOT_MINE);
  g_assert_cmpint (lab_receive (&lab, 9999, &server, packet, &relayed), ==,
      ICE_GATHER_NOT_MINE);
  ice_packet_unref (packet);

  ice_stun_builder_init (&builder, ICE_STUN_SUCCESS, ICE_STUN_BINDING,
      lab.servers[0].last->data + 8);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &other);
  packet = ice_stun_builder_end (&builder);
  g_assert_cmpint (lab_receive (&lab, socket, &other, packet, &relayed), ==,
      ICE_GATHER_NOT_MINE);
  g_assert_cmpint (lab_receive (&lab, socket, &server, packet, &relayed), ==,
      ICE_GATHER_HANDLED);
  g_assert_cmpint (lab_receive (&lab, socket, &server, packet, &relayed), ==,
      ICE_GATHER_NOT_MINE); /* once */
  ice_packet_unref (packet);
  lab_clear (&lab);
}

/* RFC 8445 5.1.1.2, 14.2: no two new transactions within Ta. */
static void
test_pacing (void)
{
  static const gchar *const ips[] = { "10.0.0.2", "10.0.1.2", "10.0.2.2",
    "10.0.3.2", NULL };
  Lab lab;

  lab_init (&lab, FALSE);
  lab.context.ta = 50 * ICE_MSEC;
  lab_set_addresses (&lab, ips);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_add_server (&lab, 2, ICE_SERVER_TURN, "192.0.2.2");
  lab_gather (&lab, 2, 1);
  lab_run_for (&lab, 5 * ICE_SECOND);
  /* 8 sockets: a Binding and an Allocate, which is asked twice. */
  g_assert_cmpuint (lab.asked->len, ==, 24);
  g_assert_cmpint (g_array_index (lab.asked, IceTime, 0), ==, lab.start);
  for (guint i = 1; i < lab.asked->len; i++)
    g_assert_cmpint (g_array_index (lab.asked, IceTime, i) -
            g_array_index (lab.asked, IceTime, i - 1),
        >=, 50 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, >, 0);
  lab_clear (&lab);
}

static void
test_resolve (void)
{
  static const gchar *const both[] = { "10.0.0.2", "2001:db8::2", NULL };
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab.resolve_delay = 30 * ICE_MSEC;
  lab.resolved[0] = address ("224.0.0.1", 0);
  lab.resolved[1] = address ("192.0.2.1", 0);
  lab.resolved[2] = address ("2001:db8:2::1", 0);
  lab.n_resolved = 3;
  lab_set_addresses (&lab, both);
  lab_configure (&lab, 1, ICE_SERVER_STUN, "stun.example.org", NULL);
  lab_add_host (&lab, "192.0.2.1");
  lab_add_host (&lab, "2001:db8:2::1");
  lab_gather (&lab, 2, 1);
  g_assert_cmpuint (lab.n_resolves, ==, 1); /* not for each socket */
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.servers[0].turn.n_requests[ICE_STUN_BINDING], ==, 2);
  g_assert_cmpuint (lab.servers[1].turn.n_requests[ICE_STUN_BINDING], ==, 2);
  g_assert_cmpint (lab.ended_at, <, 100 * ICE_MSEC);
  lab_clear (&lab);
}

static void
test_resolve_fails (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab.resolve_delay = 30 * ICE_MSEC;
  lab_set_addresses (&lab, one_ipv4);
  lab_configure (&lab, 1, ICE_SERVER_STUN, "stun.example.org", NULL);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.n_errors, ==, 1);
  g_assert_cmpuint (lab.error_code, ==, 701);
  g_assert_nonnull (strstr (lab.error_text, "stun.example.org"));
  g_assert_cmpint (lab.ended_at, ==, 30 * ICE_MSEC);
  lab_clear (&lab);
}

/* A resolver that says nothing holds up END, not DONE. */
static void
test_resolve_hangs (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab.resolve_delay = ICE_TIME_NEVER;
  lab_set_addresses (&lab, one_ipv4);
  lab_configure (&lab, 1, ICE_SERVER_STUN, "stun.example.org", NULL);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 10 * ICE_SECOND);
  g_assert_cmpint (lab.done_at, ==, 450 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, ==, -1);
  lab_clear (&lab);
}

/* Many addresses: one of each family at first, the next when it is silent,
 * eight in all. */
static void
test_resolve_many (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  for (guint i = 0; i < 12; i++) {
    g_autofree gchar *ip = g_strdup_printf ("192.0.2.%u", i + 1);

    lab.resolved[i] = address (ip, 0);
  }
  lab.n_resolved = 12;
  lab_set_addresses (&lab, one_ipv4);
  lab_configure (&lab, 1, ICE_SERVER_STUN, "stun.example.org", NULL);
  lab_add_host (&lab, "192.0.2.1")->dead = TRUE;
  lab_add_host (&lab, "192.0.2.2");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), ==, 1);
  g_assert_cmpuint (lab.n_errors, ==, 1);
  g_assert_cmpuint (lab.n_direct, ==, 0);
  lab_clear (&lab);
}

/* RFC 8445 9: a restart opens no socket, and tells at once what is known. */
static void
test_restart (void)
{
  Lab lab;
  guint n_asked, n_sockets;
  g_autoptr (IceCandidate) old = NULL;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_add_server (&lab, 2, ICE_SERVER_TURN, "192.0.2.2");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 3);
  old = ice_candidate_ref (lab_find (&lab, ICE_CANDIDATE_HOST));
  n_asked = lab.asked->len;
  n_sockets = lab.sockets->len;

  lab_gather (&lab, 1, 2);
  g_assert_cmpuint (lab.candidates->len, ==, 6);
  g_assert_cmpuint (lab.asked->len, <=, n_asked + 1); /* STUN */
  g_assert_cmpuint (lab.sockets->len, ==, n_sockets);
  /* The end waits for the servers: the TURN server may have forgotten the
   * allocation, a NAT the mapping. */
  g_assert_cmpint (lab.ended_at, ==, -1);
  lab_run_for (&lab, 100 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, >, ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 6);
  for (guint i = 0; i < 3; i++) {
    const IceCandidate *before = g_ptr_array_index (lab.candidates, i);
    gboolean found = FALSE;

    for (guint j = 3; j < 6; j++) {
      const IceCandidate *after = g_ptr_array_index (lab.candidates, j);

      found |= after->kind == before->kind && after->id != before->id &&
          after->priority == before->priority &&
          ice_address_equal (&after->address, &before->address) &&
          g_str_equal (after->foundation, before->foundation);
    }
    g_assert_true (found);
  }

  /* What the old generation lets go is still in use by the new. */
  ice_gatherer_release_candidate (lab.gatherer, old, lab.now);
  lab_settle (&lab);
  g_assert_cmpuint (lab.n_closed, ==, 0);
  lab_clear (&lab);
}

/* RFC 8445 9: who restarts has often lost its mapping, to a NAT that was
 * restarted itself, and the peer needs the new one. */
static void
test_new_mapping (void)
{
  Lab lab;
  const IceCandidate *before, *last;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  before = lab_find (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE);

  lab.nat_shift = 7;
  lab_gather (&lab, 1, 2);
  g_assert_cmpuint (lab.candidates->len, ==, 4);
  g_assert_cmpint (lab.ended_at, ==, -1);
  lab_run_for (&lab, 100 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, >, ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 5);
  last = g_ptr_array_index (lab.candidates, 4);
  g_assert_cmpint (last->kind, ==, ICE_CANDIDATE_SERVER_REFLEXIVE);
  g_assert_cmpuint (last->address.port, ==, before->address.port + 7);
  /* RFC 8445 5.1.2.1: no two of one priority, and 5.1.1.3: of one foundation.
   */
  before = g_ptr_array_index (lab.candidates, 3);
  g_assert_cmpuint (last->priority, <, before->priority);
  g_assert_cmpstr (last->foundation, ==, before->foundation);
  lab_clear (&lab);
}

/* A path fell silent: the server is asked at once, and a mapping that is new is
 * told while gathering goes on continually; a server that has another one each
 * time gets nowhere with it. */
static void
test_doubt (void)
{
  for (guint continual = 0; continual < 2; continual++) {
    Lab lab;

    lab_init (&lab, FALSE);
    lab.nat = TRUE;
    lab_set_addresses (&lab, one_ipv4);
    lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
    lab_gather (&lab, 1, 1);
    lab_run_for (&lab, ICE_SECOND);
    if (continual)
      ice_gatherer_update (lab.gatherer, LAB_STREAM, lab.now);
    for (guint i = 0; i < 20; i++) {
      lab.nat_shift++;
      ice_gatherer_doubt (lab.gatherer, LAB_STREAM, lab.now);
      lab_run_for (&lab, 100 * ICE_MSEC);
      if (i == 0)
        g_assert_cmpuint (lab.candidates->len, ==, continual ? 3 : 2);
    }
    g_assert_cmpuint (lab.candidates->len, ==, continual ? 9 : 2);
    lab_clear (&lab);
  }
}

/* The same generation again: nothing new, and the objects stay what they are.
 */
static void
test_gather_twice (void)
{
  Lab lab;
  const IceCandidate *host;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_add_server (&lab, 2, ICE_SERVER_TURN, "192.0.2.2");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  host = lab_find (&lab, ICE_CANDIDATE_HOST);
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 3);
  g_assert_true (
      ice_gatherer_host_candidate (lab.gatherer, host->socket) == host);
  g_assert_cmpint (lab.ended_at, >=, 0);
  lab_clear (&lab);
}

/* A link-local address reaches no server beyond the link: it delays nothing. */
static void
test_link_local (void)
{
  static const gchar *const ips[] = { "fe80::2", "10.0.0.2", NULL };
  Lab lab;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, ips);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "2001:db8::1")->dead = TRUE;
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  g_assert_cmpint (lab.ended_at, ==, 0);
  g_assert_cmpuint (lab.n_errors, ==, 0);
  lab_clear (&lab);
}

/* An address comes, another goes. */
static void
test_network_changed (void)
{
  static const gchar *const later[] = { "10.9.0.2", NULL };
  Lab lab;
  g_autoptr (IceCandidate) old = NULL;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, one_ipv4);
  lab_gather (&lab, 1, 1);
  old = ice_candidate_ref (lab_find (&lab, ICE_CANDIDATE_HOST));
  lab_set_addresses (&lab, later);
  lab_gather (&lab, 1, 2);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  g_assert_cmpint (lab_find (&lab, ICE_CANDIDATE_HOST)->address.ip[1], ==, 9);
  /* The old pair may still carry media. */
  g_assert_cmpuint (lab.n_closed, ==, 0);
  ice_gatherer_release_candidate (lab.gatherer, old, lab.now);
  lab_settle (&lab);
  g_assert_cmpuint (lab.n_closed, ==, 1);
  lab_clear (&lab);
}

static void
test_remove (void)
{
  static const guint without_second[] = { 101, 0 };
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_gather (&lab, 2, 1);
  lab_run_for (&lab, ICE_SECOND);
  ice_gatherer_gather (lab.gatherer, LAB_STREAM, without_second, 2, 1, lab.now);
  lab_settle (&lab);
  g_assert_cmpuint (lab.n_closed, ==, 1);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 2);
  ice_gatherer_remove_stream (lab.gatherer, LAB_STREAM, lab.now);
  lab_settle (&lab);
  g_assert_cmpuint (lab.n_closed, ==, 2);
  g_assert_cmpint (ice_gatherer_deadline (lab.gatherer), ==, ICE_TIME_NEVER);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8445/5.1.1.2/doubt", test_doubt);
  g_test_add_func ("/gatherer/host", test_host);
  g_test_add_func ("/gatherer/no-address", test_no_address);
  g_test_add_func ("/gatherer/socket-fails", test_socket_fails);
  g_test_add_func ("/gatherer/socket-lost", test_socket_lost);
  g_test_add_func ("/gatherer/server-reflexive", test_server_reflexive);
  g_test_add_func ("/gatherer/redundant", test_redundant);
  g_test_add_func ("/gatherer/keepalive", test_keepalive);
  g_test_add_func ("/gatherer/dead-server", test_dead_server);
  g_test_add_func ("/gatherer/late-server", test_late_server);
  g_test_add_func ("/gatherer/hostile-mapped", test_hostile_mapped);
  g_test_add_func ("/gatherer/not-mine", test_not_mine);
  g_test_add_func ("/gatherer/pacing", test_pacing);
  g_test_add_func ("/gatherer/resolve", test_resolve);
  g_test_add_func ("/gatherer/resolve-fails", test_resolve_fails);
  g_test_add_func ("/gatherer/resolve-hangs", test_resolve_hangs);
  g_test_add_func ("/gatherer/resolve-many", test_resolve_many);
  g_test_add_func ("/gatherer/restart", test_restart);
  g_test_add_func ("/rfc8445/9/new-mapping", test_new_mapping);
  g_test_add_func ("/gatherer/gather-twice", test_gather_twice);
  g_test_add_func ("/gatherer/link-local", test_link_local);
  g_test_add_func ("/gatherer/network-changed", test_network_changed);
  g_test_add_func ("/gatherer/remove", test_remove);
  return g_test_run ();
}
