/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers over TCP, TLS and DTLS. */
#include "gather-lab.h"

static const gchar *const one_ipv4[] = { "10.0.0.2", NULL };

static void
configure (Lab *lab, guint id, IceServerKind kind, const gchar *host,
    IceTransportKind transport)
{
  gboolean turn = kind == ICE_SERVER_TURN;
  g_autofree gchar *url = g_strdup_printf ("%s:%s:3478?%s",
      turn ? "turn" : "stun", host, ice_transport_kind_to_string (transport));
  IceServerConfig config = { .id = id,
    .kind = kind,
    .transport = transport,
    .host = host,
    .port = 3478,
    .username = turn ? FAKE_USER : NULL,
    .password = turn ? FAKE_PASSWORD : NULL,
    .url = url };

  ice_gatherer_add_server (lab->gatherer, &config);
}

static LabServer *
start (Lab *lab, IceTransportKind transport)
{
  LabServer *server;

  lab_init (lab, FALSE);
  lab->nat = TRUE;
  lab_set_addresses (lab, one_ipv4);
  configure (lab, 1, ICE_SERVER_TURN, "192.0.2.1", transport);
  server = lab_add_host (lab, "192.0.2.1");
  lab_gather (lab, 1, 1);
  return server;
}

/* (nullable) the connection that is up. */
static LabSocket *
find_connection (Lab *lab)
{
  for (guint i = 0; i < lab->sockets->len; i++) {
    LabSocket *socket = &g_array_index (lab->sockets, LabSocket, i);

    if (socket->server && socket->open)
      return socket;
  }
  return NULL;
}

/* EOF or RST, for every connection of a server. */
static void
hang_up (Lab *lab, const LabServer *server)
{
  for (guint i = 0; i < lab->sockets->len; i++) {
    LabSocket *socket = &g_array_index (lab->sockets, LabSocket, i);
    guint id = socket->id;

    if (socket->server != server || !socket->open)
      continue;
    socket->open = FALSE;
    ice_gatherer_socket_failed (
        lab->gatherer, id, "the peer closed it", lab->now);
    lab_settle (lab);
  }
}

/* RFC 8656 3.1: the same over each; a connection is a round trip more, and its
 * handshake another. */
static void
test_relayed (gconstpointer data)
{
  static const struct
  {
    const gchar *relay_protocol;
    IceTime took;
    guint32 priority;
  } expected[] = {
    [ICE_TRANSPORT_TCP] = { "tcp", 60 * ICE_MSEC, (0x7fff << 8) + 255 },
    [ICE_TRANSPORT_TLS] = { "tls", 80 * ICE_MSEC, (0x7fff << 8) + 255 },
    [ICE_TRANSPORT_DTLS] = { "udp", 80 * ICE_MSEC, 16777215 },
  };
  IceTransportKind kind = GPOINTER_TO_UINT (data);
  const IceCandidate *relayed;
  Lab lab;
  LabServer *server = start (&lab, kind);

  lab_run_for (&lab, ICE_SECOND);
  relayed = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  g_assert_nonnull (relayed);
  g_assert_cmpint (lab.done_at, ==, expected[kind].took);
  g_assert_cmpint (lab.ended_at, ==, expected[kind].took);
  g_assert_cmpint (relayed->protocol, ==, ICE_PROTOCOL_UDP);
  g_assert_cmpstr (relayed->relay_protocol, ==, expected[kind].relay_protocol);
  g_assert_cmpuint (relayed->priority, ==, expected[kind].priority);
  g_assert_cmpuint (relayed->socket, ==, find_connection (&lab)->id);
  g_assert_cmpint (find_connection (&lab)->kind, ==, kind);
  g_assert_cmpstr (find_connection (&lab)->name, ==, "192.0.2.1");
  /* RFC 8839 5.1: what the server sees, which is the connection. */
  g_assert_true (ice_address_equal (&relayed->related, &server->turn.mapped));
  g_assert_true (ice_address_equal (
      ice_gatherer_relay_server (lab.gatherer, relayed), &server->address));
  /* It is no way in for UDP. */
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), ==, 0);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  g_assert_cmpuint (lab.n_ok, ==, 1);
  g_assert_cmpuint (lab.n_errors, ==, 0);

  /* Goodbye, and no connection is left. */
  ice_gatherer_close (lab.gatherer, lab.now);
  lab_settle (&lab);
  g_assert_null (find_connection (&lab));
  lab_run_for (&lab, ICE_SECOND);
  lab_clear (&lab);
}

/* Of one server over UDP and TCP the former is preferred, and neither has the
 * foundation of the other: one may be blocked. */
static void
test_preference (void)
{
  Lab lab;
  const IceCandidate *best, *last;
  g_autoptr (GPtrArray) list = g_ptr_array_new ();

  lab_init (&lab, TRUE);
  lab_set_addresses (&lab, one_ipv4);
  configure (&lab, 1, ICE_SERVER_TURN, "192.0.2.1", ICE_TRANSPORT_TCP);
  configure (&lab, 2, ICE_SERVER_TURN, "192.0.2.1", ICE_TRANSPORT_UDP);
  configure (&lab, 3, ICE_SERVER_TURN, "192.0.2.1", ICE_TRANSPORT_TLS);
  lab_add_host (&lab, "192.0.2.1");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  ice_gatherer_get_candidates (lab.gatherer, LAB_STREAM, 1, list);
  g_assert_cmpuint (list->len, ==, 3);
  best = g_ptr_array_index (list, 0);
  last = g_ptr_array_index (list, 2);
  g_assert_cmpstr (best->relay_protocol, ==, "udp");
  g_assert_cmpuint (best->local_preference, ==, 65535);
  g_assert_cmpstr (last->relay_protocol, ==, "tls");
  for (guint i = 0; i < list->len; i++) {
    const IceCandidate *one = g_ptr_array_index (list, i);
    const IceCandidate *other = g_ptr_array_index (list, (i + 1) % list->len);

    g_assert_cmpuint (one->priority, !=, other->priority);
    g_assert_cmpuint (ice_candidate_learnt_priority (one), !=,
        ice_candidate_learnt_priority (other));
    g_assert_cmpstr (one->foundation, !=, other->foundation);
  }
  lab_clear (&lab);
}

/* RFC 8489 6.2.2: nothing is resent; over DTLS (6.2.3) it is. The end of the
 * candidates does not wait for Ti (design 9.5). */
static void
test_silent (gconstpointer data)
{
  IceTransportKind kind = GPOINTER_TO_UINT (data);
  Lab lab;
  LabServer *server = start (&lab, kind);

  while (!find_connection (&lab)->connected)
    lab_run_for (&lab, ICE_MSEC);
  server->dead = TRUE;
  lab_run_until (&lab, lab.start + 9990 * ICE_MSEC);
  g_assert_true (find_connection (&lab)->connected);
  g_assert_cmpuint (server->n_packets, ==, kind == ICE_TRANSPORT_DTLS ? 5 : 1);
  g_assert_cmpint (lab.done_at, <, 600 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, ==, -1);
  g_assert_cmpint (lab.error_at, ==, 1800 * ICE_MSEC);
  g_assert_nonnull (strstr (
      lab.error_text, kind == ICE_TRANSPORT_DTLS ? "UDP" : "blocks TCP"));
  lab_run_for (&lab, 10 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, ==, 10 * ICE_SECOND);
  g_assert_null (find_connection (&lab));
  g_assert_cmpuint (lab.error_code, ==, 701);
  lab_run_for (&lab, 3600 * ICE_SECOND);
  g_assert_cmpuint (lab.n_connects, ==, 1);
  lab_clear (&lab);
}

/* Nobody answers a SYN. */
static void
test_dead (void)
{
  Lab lab;

  start (&lab, ICE_TRANSPORT_TCP)->dead = TRUE;
  lab_run_for (&lab, 3600 * ICE_SECOND);
  g_assert_cmpint (lab.done_at, ==, 450 * ICE_MSEC);
  g_assert_cmpint (lab.ended_at, ==, 10 * ICE_SECOND);
  g_assert_cmpuint (lab.n_connects, ==, 1);
  g_assert_cmpuint (lab.n_closed, ==, 1);
  lab_clear (&lab);
}

/* It costs that server only, is told at once, once, and with its cause. */
static void
test_refused (void)
{
  Lab lab;
  LabServer *server = start (&lab, ICE_TRANSPORT_TLS);

  server->refuses = "the certificate has expired";
  lab_run_for (&lab, 10 * ICE_MSEC);
  configure (&lab, 2, ICE_SERVER_TURN, "192.0.2.2", ICE_TRANSPORT_TCP);
  lab_add_host (&lab, "192.0.2.2");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpint (lab.ended_at, ==, 70 * ICE_MSEC);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
  g_assert_cmpuint (lab.n_errors, ==, 1);
  g_assert_cmpuint (lab.error_code, ==, 701);
  g_assert_cmpint (lab.error_at, ==, 40 * ICE_MSEC);
  g_assert_nonnull (strstr (lab.error_text, "expired"));
  g_assert_nonnull (strstr (lab.error_text, "TLS"));
  g_assert_cmpuint (lab.n_connects, ==, 2);

  /* Gathering anew asks anew. */
  server->refuses = NULL;
  lab_gather (&lab, 1, 2);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 3);
  lab_clear (&lab);
}

/* RFC 8489 8: the next address of the name; what one refuses is no error. */
static void
test_next_address (void)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, one_ipv4);
  lab_add_host (&lab, "192.0.2.1")->refuses = "Connection refused";
  lab_add_host (&lab, "192.0.2.2");
  configure (&lab, 1, ICE_SERVER_TURN, "turn.example.org", ICE_TRANSPORT_TLS);
  lab.resolved[0] = lab.servers[0].address;
  lab.resolved[1] = lab.servers[1].address;
  lab.n_resolved = 2;
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
  g_assert_cmpuint (lab.n_errors, ==, 0);
  /* What the certificate has to say. */
  g_assert_cmpstr (find_connection (&lab)->name, ==, "turn.example.org");
  lab_clear (&lab);
}

/* Both families, each from its own address. */
static void
test_families (void)
{
  static const gchar *const both[] = { "10.0.0.2", "2001:db8::2", NULL };
  Lab lab;

  lab_init (&lab, FALSE);
  lab_set_addresses (&lab, both);
  lab_add_host (&lab, "192.0.2.1");
  lab_add_host (&lab, "2001:db8::1");
  configure (&lab, 1, ICE_SERVER_TURN, "turn.example.org", ICE_TRANSPORT_TCP);
  lab.resolved[0] = lab.servers[0].address;
  lab.resolved[1] = lab.servers[1].address;
  lab.n_resolved = 2;
  lab_gather (&lab, 2, 1);
  lab_run_for (&lab, ICE_SECOND);
  /* A connection for each component. */
  g_assert_cmpuint (lab.n_connects, ==, 4);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 4);
  lab_clear (&lab);
}

/* RFC 8489 10: "using the same transport protocol", and "the domain MUST be
 * used to validate the certificate". */
static void
test_redirect (gconstpointer domain)
{
  Lab lab;
  LabServer *server = start (&lab, ICE_TRANSPORT_TLS);
  const LabSocket *connection;

  server->turn.error[ICE_STUN_ALLOCATE] = 300;
  server->turn.alternate = address ("192.0.2.9", 3478);
  server->turn.alternate_domain = domain;
  lab_add_host (&lab, "192.0.2.9");
  lab_run_for (&lab, ICE_SECOND);
  connection = find_connection (&lab);
  g_assert_true (connection->server == &lab.servers[1]);
  g_assert_cmpint (connection->kind, ==, ICE_TRANSPORT_TLS);
  g_assert_cmpstr (connection->name, ==,
      g_strcmp0 (domain, "other.example.org") == 0 ? domain : "192.0.2.1");
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
  /* The first one was hung up. */
  g_assert_cmpuint (lab.n_connects, ==, 2);
  g_assert_cmpuint (lab.n_closed, ==, 1);
  lab_clear (&lab);
}

/* The connection is lost, and the allocation with it: dialled again at once,
 * and there for the next gathering. */
static void
test_lost (void)
{
  Lab lab;
  LabServer *server = start (&lab, ICE_TRANSPORT_TCP);

  lab_run_for (&lab, ICE_SECOND);
  hang_up (&lab, server);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 1);
  g_assert_null (ice_gatherer_relay_server (
      lab.gatherer, lab_find (&lab, ICE_CANDIDATE_RELAYED)));
  lab_run_for (&lab, 200 * ICE_MSEC);
  g_assert_cmpuint (lab.n_connects, ==, 2);
  g_assert_true (find_connection (&lab)->connected);
  /* Design 9.5: candidates have ended. */
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 1);
  lab_gather (&lab, 1, 2);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 2);
  g_assert_cmpuint (lab.n_errors, ==, 0);
  lab_clear (&lab);
}

/* The same when what takes its place may be used: nobody is told that gathering
 * goes on. */
static void
test_successor (void)
{
  Lab lab;
  LabServer *server = start (&lab, ICE_TRANSPORT_TCP);
  guint n_done;

  lab_run_for (&lab, ICE_SECOND);
  n_done = lab.n_events[ICE_GATHER_DONE] + lab.n_events[ICE_GATHER_END];
  ice_gatherer_allow_successors (lab.gatherer, LAB_STREAM, TRUE);
  g_assert_false (ice_gatherer_awaits_successor (lab.gatherer, LAB_STREAM, 1));
  hang_up (&lab, server);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 1);
  g_assert_true (ice_gatherer_awaits_successor (lab.gatherer, LAB_STREAM, 1));
  lab_run_for (&lab, 400 * ICE_MSEC);
  g_assert_cmpuint (lab.n_connects, ==, 2);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 2);
  g_assert_false (ice_gatherer_awaits_successor (lab.gatherer, LAB_STREAM, 1));
  g_assert_cmpuint (
      lab.n_events[ICE_GATHER_DONE] + lab.n_events[ICE_GATHER_END], ==, n_done);
  lab_clear (&lab);
}

/* Somebody who restarts it takes four seconds: within three more it is used. A
 * gathering in between does not wait for the next try. */
static void
test_comes_back (void)
{
  Lab lab;
  LabServer *server = start (&lab, ICE_TRANSPORT_TCP);
  IceTime back;

  lab_run_for (&lab, ICE_SECOND);
  server->refuses = "Connection refused";
  hang_up (&lab, server);
  lab_run_for (&lab, 4 * ICE_SECOND);
  g_assert_cmpuint (lab.n_errors, ==, 1);
  g_assert_cmpuint (lab.n_connects, <=, 8);
  server->refuses = NULL;
  lab_gather (&lab, 1, 2);
  back = lab.now;
  while (lab_count (&lab, ICE_CANDIDATE_RELAYED) < 2 &&
      lab.now < back + ICE_SECOND)
    lab_run_for (&lab, ICE_MSEC);
  g_assert_cmpint (lab.now - back, <, 70 * ICE_MSEC);
  lab_clear (&lab);
}

/* A connection that a NAT forgot, a DTLS session that a server forgot: nothing
 * says so. While what is relayed is missed it is looked at each second. */
static void
test_silent_connection (gconstpointer data)
{
  Lab lab;
  LabServer *server = start (&lab, GPOINTER_TO_UINT (data));
  const IceCandidate *relayed;
  IceTime since;

  lab_run_for (&lab, ICE_SECOND);
  relayed = lab_find (&lab, ICE_CANDIDATE_RELAYED);
  /* It answers: nothing is wrong with it, however often it is asked. */
  for (guint i = 0; i < 10; i++) {
    ice_gatherer_verify (lab.gatherer, relayed, lab.now);
    lab_settle (&lab);
    lab_run_for (&lab, ICE_SECOND);
  }
  g_assert_cmpuint (lab.n_connects, ==, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);

  since = lab.now;
  server->dead = TRUE;
  while (lab.n_closed == 0 && lab.now < since + 5 * ICE_SECOND) {
    ice_gatherer_verify (lab.gatherer, relayed, lab.now);
    lab_settle (&lab);
    lab_run_for (&lab, ICE_SECOND);
  }
  g_assert_cmpint (lab.now - since, <=, 3 * ICE_SECOND);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 1);
  g_assert_cmpuint (lab.n_connects, ==, 2);
  lab_clear (&lab);
}

/* It never comes back; and then it comes and goes. */
static void
test_bounded (void)
{
  Lab lab;
  LabServer *server = start (&lab, ICE_TRANSPORT_TCP);

  lab_run_for (&lab, ICE_SECOND);
  server->refuses = "Connection refused";
  hang_up (&lab, server);
  lab_run_for (&lab, 24 * 3600 * ICE_SECOND);
  g_assert_cmpuint (lab.n_connects, ==, 20);
  g_assert_cmpuint (lab.n_errors, ==, 1);

  server->refuses = NULL;
  lab_gather (&lab, 1, 2);
  for (guint i = 0; i < 100; i++) {
    lab_run_for (&lab, 100 * ICE_SECOND);
    hang_up (&lab, server);
  }
  g_assert_cmpuint (lab.n_connects, ==, 40);
  lab_clear (&lab);
}

/* What is not needed any more is given back before it is hung up. */
static void
test_goodbye (void)
{
  Lab lab;
  LabServer *server = start (&lab, ICE_TRANSPORT_TCP);
  LabSocket *connection;

  lab_run_for (&lab, ICE_SECOND);
  connection = find_connection (&lab);
  server->turn.last_lifetime = 600;
  ice_gatherer_release_candidate (
      lab.gatherer, lab_find (&lab, ICE_CANDIDATE_RELAYED), lab.now);
  lab_settle (&lab);
  g_assert_false (connection->open);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (server->turn.last_lifetime, ==, 0);
  lab_clear (&lab);
}

/* A STUN server is seen to work; what it says is nobody's candidate. */
static void
test_stun (gconstpointer data)
{
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, one_ipv4);
  configure (&lab, 1, ICE_SERVER_STUN, "192.0.2.1", GPOINTER_TO_UINT (data));
  lab_add_host (&lab, "192.0.2.1");
  lab_gather (&lab, 2, 1);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpuint (lab.n_ok, ==, 1);
  g_assert_cmpuint (lab.n_errors, ==, 0);
  g_assert_cmpuint (lab.n_connects, ==, 1);
  g_assert_null (find_connection (&lab));
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_HOST), ==, 2);
  g_assert_cmpuint (lab.candidates->len, ==, 2);
  lab_clear (&lab);
}

/* One thing that happens to servers, connections, or us. */
static void
happen (Lab *lab, GRand *dice, guint *generation)
{
  LabServer *server =
      &lab->servers[g_rand_int_range (dice, 0, (gint) lab->n_servers)];
  const IceCandidate *relayed = lab_find (lab, ICE_CANDIDATE_RELAYED);

  switch (g_rand_int_range (dice, 0, 9)) {
    case 0:
      server->dead = !server->dead;
      break;
    case 1:
      server->refuses = server->refuses ? NULL : "Connection refused";
      break;
    case 2:
      hang_up (lab, server);
      break;
    case 3:
      server->turn.error[ICE_STUN_REFRESH] ^= 437;
      break;
    case 4:
      server->turn.error[ICE_STUN_ALLOCATE] ^= 300;
      server->turn.alternate = lab->servers[0].address;
      break;
    case 5:
      lab_gather (lab, 2, ++*generation);
      break;
    case 6:
      ice_gatherer_reopen (lab->gatherer, LAB_STREAM, lab->now);
      break;
    case 7:
      if (relayed)
        ice_gatherer_verify (lab->gatherer, relayed, lab->now);
      break;
    default:
      if (relayed)
        ice_gatherer_release_candidate (
            lab->gatherer, (IceCandidate *) relayed, lab->now);
      break;
  }
  lab_settle (lab);
}

/* Anything in any order: the laboratory looks that nothing is sent over what is
 * not open, that nothing is closed twice, and that no deadline stays. In the
 * end no connection is left. */
static void
test_chaos (void)
{
  static const IceTransportKind kinds[] = { ICE_TRANSPORT_TCP,
    ICE_TRANSPORT_TLS, ICE_TRANSPORT_DTLS, ICE_TRANSPORT_UDP };
  guint n_connects = 0, n_lost = 0;

  for (guint seed = 0; seed < 300; seed++) {
    g_autoptr (GRand) dice = g_rand_new_with_seed (seed);
    guint generation = 1;
    Lab lab;

    g_test_message ("seed %u", seed);
    lab_init (&lab, seed & 1);
    lab_set_addresses (&lab, one_ipv4);
    for (guint i = 0; i < 4; i++) {
      g_autofree gchar *ip = g_strdup_printf ("192.0.2.%u", 1 + i);

      configure (&lab, 1 + i, ICE_SERVER_TURN, ip, kinds[i]);
      lab_add_host (&lab, ip);
    }
    lab_gather (&lab, 2, generation);
    for (guint i = 0; i < 60; i++) {
      lab_run_for (&lab, g_rand_int_range (dice, 0, 2000) * ICE_MSEC);
      happen (&lab, dice, &generation);
    }
    ice_gatherer_close (lab.gatherer, lab.now);
    lab_settle (&lab);
    g_assert_null (find_connection (&lab));
    n_connects += lab.n_connects;
    n_lost += lab.n_events[ICE_GATHER_CANDIDATE_LOST];
    lab_clear (&lab);
  }
  g_assert_cmpuint (n_connects, >, 3000);
  g_assert_cmpuint (n_lost, >, 300);
}

int
main (int argc, char **argv)
{
  gpointer tcp = GUINT_TO_POINTER (ICE_TRANSPORT_TCP);
  gpointer tls = GUINT_TO_POINTER (ICE_TRANSPORT_TLS);
  gpointer dtls = GUINT_TO_POINTER (ICE_TRANSPORT_DTLS);

  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/rfc8656/3.1/relayed-over-tcp", tcp, test_relayed);
  g_test_add_data_func ("/rfc8656/3.1/relayed-over-tls", tls, test_relayed);
  g_test_add_data_func ("/rfc7350/4/relayed-over-dtls", dtls, test_relayed);
  g_test_add_func ("/dial/datagrams-are-preferred", test_preference);
  g_test_add_data_func ("/rfc8489/6.2.2/nothing-is-resent", tcp, test_silent);
  g_test_add_data_func ("/rfc8489/6.2.3/dtls-loses-packets", dtls, test_silent);
  g_test_add_func ("/dial/dead-server", test_dead);
  g_test_add_func ("/dial/refused", test_refused);
  g_test_add_func ("/rfc8489/8/next-address", test_next_address);
  g_test_add_func ("/dial/both-families", test_families);
  g_test_add_data_func ("/rfc8489/10/same-transport", NULL, test_redirect);
  g_test_add_data_func (
      "/rfc8489/14.16/alternate-domain", "other.example.org", test_redirect);
  g_test_add_data_func (
      "/rfc8489/14.16/no-domain", "other example\r\n", test_redirect);
  g_test_add_func ("/dial/lost", test_lost);
  g_test_add_func ("/dial/successor", test_successor);
  g_test_add_func ("/dial/comes-back", test_comes_back);
  g_test_add_data_func ("/dial/silent-connection", tcp, test_silent_connection);
  g_test_add_data_func ("/dial/silent-session", dtls, test_silent_connection);
  g_test_add_func ("/dial/bounded", test_bounded);
  g_test_add_func ("/dial/goodbye", test_goodbye);
  g_test_add_func ("/dial/chaos", test_chaos);
  g_test_add_data_func ("/dial/stun-over-tcp", tcp, test_stun);
  g_test_add_data_func ("/dial/stuns", tls, test_stun);
  return g_test_run ();
}
