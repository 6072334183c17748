/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ICE over TCP, one side at a time: candidates, pairs, connections, tables. */
#include "tcp-lab.h"

/* Candidates. */

/* RFC 6544 4.5: the lines of the example, read and written again. */
static void
test_sdp_example (void)
{
  static const gchar *const lines[] = {
    "candidate:1 1 TCP 2128609279 10.0.1.1 9 typ host tcptype active",
    "candidate:2 1 TCP 2124414975 10.0.1.1 8998 typ host tcptype passive",
    "candidate:3 1 TCP 2120220671 10.0.1.1 8999 typ host tcptype so",
    "candidate:4 1 TCP 1688207359 192.0.2.3 9 typ srflx raddr 10.0.1.1 rport "
    "9 tcptype active",
    "candidate:5 1 TCP 1684013055 192.0.2.3 45664 typ srflx raddr 10.0.1.1 "
    "rport 8998 tcptype passive",
    "candidate:6 1 TCP 1692401663 192.0.2.3 45687 typ srflx raddr 10.0.1.1 "
    "rport 8999 tcptype so",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autoptr (IceCandidate) candidate = NULL;
    g_autofree gchar *line = NULL;
    const gchar *reason = NULL;

    g_assert_cmpint (ice_candidate_parse (lines[i], &candidate, &reason), ==,
        ICE_CANDIDATE_PARSE_OK);
    line = ice_candidate_to_sdp (candidate);
    g_assert_cmpstr (line, ==, lines[i]);
    /* RFC 6544 4.2: its local preferences are those that we compute. */
    g_assert_cmpuint ((candidate->priority >> 8) & 0xffff, ==,
        ice_candidate_tcp_preference (
            candidate->kind, candidate->tcp_type, 8191));
  }
}

static void
test_preference (void)
{
  static const struct
  {
    IceCandidateKind kind;
    IceTcpType type;
    guint direction;
  } rows[] = {
    { ICE_CANDIDATE_HOST, ICE_TCP_TYPE_ACTIVE, 6 },
    { ICE_CANDIDATE_HOST, ICE_TCP_TYPE_PASSIVE, 4 },
    { ICE_CANDIDATE_HOST, ICE_TCP_TYPE_SO, 2 },
    { ICE_CANDIDATE_RELAYED, ICE_TCP_TYPE_ACTIVE, 6 },
    { ICE_CANDIDATE_SERVER_REFLEXIVE, ICE_TCP_TYPE_SO, 6 },
    { ICE_CANDIDATE_SERVER_REFLEXIVE, ICE_TCP_TYPE_ACTIVE, 4 },
    { ICE_CANDIDATE_SERVER_REFLEXIVE, ICE_TCP_TYPE_PASSIVE, 2 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_cmpuint (
        ice_candidate_tcp_preference (rows[i].kind, rows[i].type, 5), ==,
        rows[i].direction * 8192 + 5);
    g_assert_cmpuint (
        ice_candidate_tcp_preference (rows[i].kind, rows[i].type, 70000), ==,
        rows[i].direction * 8192 + 8191);
  }
}

static GPtrArray *
gather (Lab *lab, IceTcpPolicy policy)
{
  lab_init (lab, policy, ICE_TCP_NONE);
  lab_gather (&lab->hosts[0]);
  lab_pump (lab);
  return ice_core_get_local_candidates (
      lab->hosts[0].core, lab->hosts[0].stream);
}

/* Which types each policy has; all below UDP, each with a foundation and a
 * priority of its own, active ones at the discard port (4.5). */
static void
test_host_candidates (void)
{
  static const gboolean expected[][4] = {
    [ICE_TCP_NONE] = { TRUE, FALSE, FALSE, FALSE },
    [ICE_TCP_ACTIVE] = { TRUE, TRUE, FALSE, FALSE },
    [ICE_TCP_PASSIVE] = { TRUE, FALSE, TRUE, FALSE },
    [ICE_TCP_ALL] = { TRUE, TRUE, TRUE, TRUE },
  };

  for (IceTcpPolicy policy = ICE_TCP_NONE; policy <= ICE_TCP_ALL; policy++) {
    Lab lab;
    g_autoptr (GPtrArray) list = gather (&lab, policy);
    g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
    guint32 least = G_MAXUINT32;
    gboolean found[4] = { FALSE };

    for (guint i = 0; i < list->len; i++) {
      const IceCandidate *candidate = g_ptr_array_index (list, i);

      g_assert_false (found[candidate->tcp_type]);
      found[candidate->tcp_type] = TRUE;
      g_assert_true (g_hash_table_add (seen, (gpointer) candidate->foundation));
      if (candidate->tcp_type == ICE_TCP_TYPE_NONE)
        least = candidate->priority;
      else
        g_assert_cmpuint (candidate->priority, <, least);
      g_assert_cmpint (candidate->address.port == 9, ==,
          candidate->tcp_type == ICE_TCP_TYPE_ACTIVE);
    }
    for (guint type = 0; type < 4; type++)
      g_assert_cmpint (found[type], ==, expected[policy][type]);
    lab_clear (&lab);
  }
}

/* RFC 8445 5.1.2: unique, with many addresses, too. */
static void
test_unique_priorities (void)
{
  Lab lab;
  IceInterfaceAddress interfaces[20] = { 0 };
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  LabHost *host = &lab.hosts[0];
  guint32 least_udp = G_MAXUINT32, most_tcp = 0;

  lab_init (&lab, ICE_TCP_ALL, ICE_TCP_NONE);
  for (guint i = 0; i < G_N_ELEMENTS (interfaces); i++) {
    interfaces[i].address = lab_address ("192.0.2.1", 0);
    interfaces[i].address.ip[3] = (guint8) (i + 10);
    interfaces[i].interface_index = 1;
  }
  ice_core_set_interfaces (
      host->core, interfaces, G_N_ELEMENTS (interfaces), lab.now);
  ice_core_gather (host->core, host->stream, lab.now);
  lab_pump (&lab);
  list = ice_core_get_local_candidates (host->core, host->stream);
  g_assert_cmpuint (list->len, ==, 4 * G_N_ELEMENTS (interfaces));
  for (guint i = 0; i < list->len; i++) {
    const IceCandidate *candidate = g_ptr_array_index (list, i);

    g_assert_true (
        g_hash_table_add (seen, GUINT_TO_POINTER (candidate->priority)));
    if (candidate->protocol == ICE_PROTOCOL_UDP)
      least_udp = MIN (least_udp, candidate->priority);
    else
      most_tcp = MAX (most_tcp, candidate->priority);
  }
  g_assert_cmpuint (most_tcp, <, least_udp);
  /* Even what is reflexive, or goes by a tunnel, is above it. */
  g_assert_cmpuint (most_tcp, <,
      ice_candidate_compute_detour_priority (
          ICE_CANDIDATE_SERVER_REFLEXIVE, 0, 256));
  lab_clear (&lab);
}

/* policy=relay: nothing of ours listens, or is told. */
static void
test_relay_only (void)
{
  Lab lab;
  IceGathererConfig config = { .relay_only = TRUE, .tcp = ICE_TCP_ALL };
  LabHost *host = &lab.hosts[0];

  lab_init (&lab, ICE_TCP_NONE, ICE_TCP_NONE);
  ice_core_set_gather_config (host->core, &config);
  lab_gather (host);
  lab_pump (&lab);
  g_assert_cmpuint (host->candidates->len, ==, 0);
  for (guint i = 0; i < host->sockets->len; i++)
    g_assert_false (
        ((LabConnection *) g_ptr_array_index (host->sockets, i))->listens);
  lab_clear (&lab);
}

/* Pairs. */

static IceVerdict
add_remote (LabHost *self, IceTcpType type, const gchar *ip, guint16 port,
    const gchar *foundation)
{
  g_autoptr (IceCandidate) candidate =
      ice_candidate_new (ICE_CANDIDATE_HOST, 1);
  IceVerdict verdict;

  candidate->protocol =
      type == ICE_TCP_TYPE_NONE ? ICE_PROTOCOL_UDP : ICE_PROTOCOL_TCP;
  candidate->tcp_type = type;
  candidate->address = candidate->base = lab_address (ip, port);
  candidate->priority = ice_candidate_compute_tcp_priority (ICE_CANDIDATE_HOST,
      ice_candidate_tcp_preference (ICE_CANDIDATE_HOST, type, 8191 - port / 16),
      1);
  g_strlcpy (candidate->foundation, foundation, sizeof candidate->foundation);
  verdict = ice_core_add_remote_candidate (
      self->core, self->stream, candidate, self->lab->now);
  lab_pump (self->lab);
  return verdict;
}

static guint
count_pairs (LabHost *self, const gchar *state)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (IcePairStats));
  guint n = 0;

  ice_core_get_pair_stats (self->core, pairs);
  for (guint i = 0; i < pairs->len; i++)
    n += state == NULL ||
        g_str_equal (g_array_index (pairs, IcePairStats, i).state, state);
  return n;
}

/* Alice gathered and knows bob's credentials; bob is there to be connected to.
 */
static LabHost *
begin (Lab *lab, IceTcpPolicy alice, IceTcpPolicy bob)
{
  lab_init (lab, alice, bob);
  lab->hosts[1].silent = TRUE;
  lab_start (lab);
  return &lab->hosts[0];
}

static void
test_pairing (void)
{
  static const struct
  {
    IceTcpPolicy ours;
    IceTcpType theirs;
    guint n; /* pairs */
  } rows[] = {
    { ICE_TCP_ALL, ICE_TCP_TYPE_PASSIVE, 1 },
    { ICE_TCP_ALL, ICE_TCP_TYPE_SO, 1 },
    /* 6.2: those with a passive local candidate are pruned. */
    { ICE_TCP_ALL, ICE_TCP_TYPE_ACTIVE, 0 },
    { ICE_TCP_PASSIVE, ICE_TCP_TYPE_ACTIVE, 0 },
    { ICE_TCP_ACTIVE, ICE_TCP_TYPE_ACTIVE, 0 },
    { ICE_TCP_PASSIVE, ICE_TCP_TYPE_PASSIVE, 0 },
    { ICE_TCP_ACTIVE, ICE_TCP_TYPE_SO, 0 },
    { ICE_TCP_NONE, ICE_TCP_TYPE_PASSIVE, 0 },
    { ICE_TCP_NONE, ICE_TCP_TYPE_NONE, 1 },
    { ICE_TCP_ALL, ICE_TCP_TYPE_NONE, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Lab lab;
    LabHost *alice = begin (&lab, rows[i].ours, ICE_TCP_NONE);

    g_test_message ("row %u", i);
    g_assert_cmpint (add_remote (alice, rows[i].theirs, "192.0.2.2", 7, "1"),
        ==, ICE_VERDICT_OK);
    g_assert_cmpuint (count_pairs (alice, NULL), ==, rows[i].n);
    lab_clear (&lab);
  }
}

/* One port may be UDP's, passive and so: three candidates. */
static void
test_same_address_other_protocol (void)
{
  Lab lab;
  LabHost *alice = begin (&lab, ICE_TCP_ALL, ICE_TCP_NONE);

  for (IceTcpType type = ICE_TCP_TYPE_NONE; type <= ICE_TCP_TYPE_SO; type++)
    g_assert_cmpint (
        add_remote (alice, type, "192.0.2.2", 7, "1"), ==, ICE_VERDICT_OK);
  for (IceTcpType type = ICE_TCP_TYPE_NONE; type <= ICE_TCP_TYPE_SO; type++)
    g_assert_cmpint (add_remote (alice, type, "192.0.2.2", 7, "1"), ==,
        ICE_VERDICT_DUPLICATE);
  g_assert_cmpuint (count_pairs (alice, NULL), ==, 3);
  /* RFC 6544 4.5: an active one's port is not looked at. */
  g_assert_cmpint (add_remote (alice, ICE_TCP_TYPE_ACTIVE, "192.0.2.3", 0, "1"),
      ==, ICE_VERDICT_OK);
  g_assert_cmpint (
      add_remote (alice, ICE_TCP_TYPE_PASSIVE, "192.0.2.3", 0, "1"), ==,
      ICE_VERDICT_REFUSED);
  lab_clear (&lab);
}

/* Checks. */

/* 7.1: refused is failed, at once. */
static void
test_refused (void)
{
  Lab lab;
  LabHost *alice = begin (&lab, ICE_TCP_ACTIVE, ICE_TCP_NONE);

  add_remote (alice, ICE_TCP_TYPE_PASSIVE, "192.0.2.2", 7, "1");
  lab_run_for (&lab, 100 * ICE_MSEC);
  g_assert_cmpuint (alice->n_connects, ==, 1);
  g_assert_cmpuint (alice->n_frames, ==, 0);
  g_assert_cmpuint (count_pairs (alice, "failed"), ==, 1);
  lab_clear (&lab);
}

/* RFC 8445 14.2: SYNs leave Ta apart like any other check. */
static void
test_pacing (void)
{
  Lab lab;
  LabHost *alice = &lab.hosts[0];

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_NONE);
  for (guint i = 0; i < 6; i++) {
    g_autofree gchar *foundation = g_strdup_printf ("%u", i);

    add_remote (alice, ICE_TCP_TYPE_PASSIVE, "192.0.2.2", (guint16) (7 + i),
        foundation);
  }
  lab_start (&lab);
  lab_run_for (&lab, 200 * ICE_MSEC);
  g_assert_cmpuint (alice->n_connects, ==, 6);
  for (guint i = 1; i < 6; i++)
    g_assert_cmpint (
        alice->connected_at[i] - alice->connected_at[i - 1], >=, 5 * ICE_MSEC);
  lab_clear (&lab);
}

/* A firewall that swallows SYNs: others of its foundation do not wait for
 * 39.5 s until it is their turn. */
static void
test_hanging (void)
{
  Lab lab;
  LabHost *alice = &lab.hosts[0];
  const gchar *line;
  guint port = 0;

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab.hosts[1].silent = TRUE;
  lab.blackhole = lab_address ("203.0.113.9", 0);
  lab_start (&lab);
  for (guint i = 0; i < lab.hosts[1].candidates->len; i++) {
    g_autoptr (IceCandidate) candidate = NULL;
    const gchar *reason;

    line = g_ptr_array_index (lab.hosts[1].candidates, i);
    ice_candidate_parse (line, &candidate, &reason);
    if (candidate->tcp_type == ICE_TCP_TYPE_PASSIVE)
      port = candidate->address.port;
  }
  add_remote (alice, ICE_TCP_TYPE_PASSIVE, "203.0.113.9", 16, "same");
  add_remote (alice, ICE_TCP_TYPE_PASSIVE, "192.0.2.2", (guint16) port, "same");
  g_assert_cmpuint (count_pairs (alice, "frozen"), ==, 1);
  lab_run_for (&lab, 3 * ICE_SECOND);
  g_assert_cmpuint (alice->n_connects, ==, 1);
  lab_run_for (&lab, 3 * ICE_SECOND);
  lab_assert_call (&lab);
  lab_clear (&lab);
}

/* RFC 8489 6.2.2: the connection gets 39.5 s, and no more. */
static void
test_hanging_ends (void)
{
  Lab lab;
  LabHost *alice = begin (&lab, ICE_TCP_ACTIVE, ICE_TCP_NONE);

  lab.hang = TRUE;
  add_remote (alice, ICE_TCP_TYPE_PASSIVE, "192.0.2.2", 7, "1");
  lab_run_for (&lab, 39 * ICE_SECOND);
  g_assert_cmpuint (count_pairs (alice, "in-progress"), ==, 1);
  g_assert_cmpint (alice->state, ==, ICE_STATE_CHECKING);
  g_assert_cmpuint (lab_count_connections (alice), ==, 1);
  lab_run_for (&lab, 1 * ICE_SECOND);
  g_assert_cmpint (alice->state, ==, ICE_STATE_FAILED);
  g_assert_cmpuint (lab_count_connections (alice), ==, 0);
  lab_clear (&lab);
}

/* RFC 8489 6.2.2: one request, no retransmission, one timer. */
static void
test_no_retransmission (void)
{
  Lab lab;
  LabHost *alice = &lab.hosts[0];

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab.mute = TRUE;
  lab_start (&lab);
  lab_run_for (&lab, 39 * ICE_SECOND);
  g_assert_cmpuint (alice->n_frames, ==, 1);
  g_assert_cmpuint (count_pairs (alice, "failed"), ==, 0);
  lab_run_for (&lab, 1 * ICE_SECOND);
  g_assert_cmpint (alice->state, ==, ICE_STATE_FAILED);
  lab_clear (&lab);
}

/* More than fit the table: those that hang make room for those behind them. */
static void
test_many_hanging (void)
{
  Lab lab;
  LabHost *alice = begin (&lab, ICE_TCP_ACTIVE, ICE_TCP_NONE);

  lab.hang = TRUE;
  for (guint i = 0; i < 60; i++) {
    g_autofree gchar *foundation = g_strdup_printf ("%u", i);

    add_remote (alice, ICE_TCP_TYPE_PASSIVE, "192.0.2.2", (guint16) (7 + i),
        foundation);
  }
  for (guint i = 0; i < 50; i++) {
    lab_run_for (&lab, 1 * ICE_SECOND);
    g_assert_cmpuint (lab_count_connections (alice), <=, ICE_MAX_CONNECTIONS);
  }
  g_assert_cmpint (alice->state, ==, ICE_STATE_FAILED);
  lab_clear (&lab);
}

/* Strangers. */

static guint
find_listener (LabHost *self)
{
  for (guint i = 0; i < self->sockets->len; i++) {
    const LabConnection *socket = g_ptr_array_index (self->sockets, i);

    if (socket->listens)
      return socket->id;
  }
  g_assert_not_reached ();
}

static guint
knock (LabHost *self, guint16 port)
{
  IceAddress from = lab_address ("203.0.113.9", port);
  guint id = ice_core_socket_accepted (
      self->core, find_listener (self), &from, self->lab->now);

  if (id) {
    LabConnection *connection = lab_add (self, id, &self->ip);

    connection->remote = from;
    connection->opened = TRUE;
  }
  lab_pump (self->lab);
  return id;
}

/* Who says nothing that is signed is closed after ten seconds, also with much
 * to say; the newest of too many make the oldest go. */
static void
test_strangers (void)
{
  Lab lab;
  LabHost *bob = &lab.hosts[1];
  IceDatagram in = { .data = ICE_BYTES ("GET / HTTP/1.1", 14) };
  guint first;

  lab_init (&lab, ICE_TCP_NONE, ICE_TCP_PASSIVE);
  lab_start (&lab);
  in.socket = first = knock (bob, 1000);
  in.from = lab_address ("203.0.113.9", 1000);
  g_assert_cmpuint (first, !=, 0);
  for (guint i = 0; i < 9; i++) {
    g_assert_cmpint (
        ice_core_receive (bob->core, &in, lab.now), !=, ICE_VERDICT_OK);
    lab_run_for (&lab, 1 * ICE_SECOND);
  }
  g_assert_nonnull (lab_find (bob, first));
  lab_run_for (&lab, 1 * ICE_SECOND);
  g_assert_null (lab_find (bob, first));
  for (guint i = 0; i < 200; i++)
    g_assert_cmpuint (knock (bob, (guint16) (2000 + i)), !=, 0);
  g_assert_cmpuint (lab_count_connections (bob), ==, ICE_MAX_CONNECTIONS);
  lab_run_for (&lab, 11 * ICE_SECOND);
  g_assert_cmpuint (lab_count_connections (bob), ==, 0);
  g_assert_cmpuint (bob->n_frames, ==, 0);
  lab_clear (&lab);
}

/* ... while the peer comes through, and is not one of those that go. */
static void
test_strangers_displace_nobody (void)
{
  Lab lab;
  LabHost *bob = &lab.hosts[1];

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab_introduce (&lab.hosts[0]);
  lab_introduce (bob);
  lab_gather (bob);
  lab_pump (&lab);
  for (guint i = 0; i < 100; i++)
    knock (bob, (guint16) (2000 + i));
  lab_gather (&lab.hosts[0]);
  lab_pump (&lab);
  lab_run_for (&lab, 2 * ICE_SECOND);
  lab_assert_call (&lab);
  for (guint i = 0; i < 100; i++)
    knock (bob, (guint16) (3000 + i));
  lab_run_for (&lab, 30 * ICE_SECOND);
  lab_assert_call (&lab);
  g_assert_cmpuint (lab_count_connections (bob), ==, 1);
  lab_clear (&lab);
}

/* Nobody is accepted where nothing listens, from nowhere, or after the end. */
static void
test_refusals (void)
{
  Lab lab;
  LabHost *bob = &lab.hosts[1];
  IceAddress from = lab_address ("203.0.113.9", 5);
  IceAddress nowhere = lab_address ("0.0.0.0", 5);

  lab_init (&lab, ICE_TCP_NONE, ICE_TCP_PASSIVE);
  lab_start (&lab);
  g_assert_cmpuint (
      ice_core_socket_accepted (bob->core, 0, &from, lab.now), ==, 0);
  g_assert_cmpuint (
      ice_core_socket_accepted (bob->core, 4711, &from, lab.now), ==, 0);
  g_assert_cmpuint (ice_core_socket_accepted (
                        bob->core, find_listener (bob), &nowhere, lab.now),
      ==, 0);
  /* What is not a connection cannot close. */
  ice_core_socket_closed (bob->core, 4711, "EOF", lab.now);
  ice_core_socket_opened (bob->core, 4711, &from, lab.now);
  ice_core_close (bob->core, lab.now);
  lab_pump (&lab);
  g_assert_cmpuint (
      ice_core_socket_accepted (bob->core, 1, &from, lab.now), ==, 0);
  lab_clear (&lab);
}

/* A restart does not make strangers welcome, nor a removed component. */
static void
test_component_removed (void)
{
  Lab lab;
  LabHost *bob = &lab.hosts[1];

  lab_init (&lab, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE);
  lab_start (&lab);
  lab_run_for (&lab, 2 * ICE_SECOND);
  lab_assert_call (&lab);
  ice_core_remove_component (bob->core, bob->stream, 1, lab.now);
  lab_pump (&lab);
  g_assert_cmpuint (lab_count_connections (bob), ==, 0);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_cmpint (lab.hosts[0].state, ==, ICE_STATE_FAILED);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add_func (name, func)
  ADD ("/rfc6544/4.1/host-candidates", test_host_candidates);
  ADD ("/rfc6544/4.1/relay-only", test_relay_only);
  ADD ("/rfc6544/4.2/preference", test_preference);
  ADD ("/rfc6544/4.2/unique-priorities", test_unique_priorities);
  ADD ("/rfc6544/4.5/example", test_sdp_example);
  ADD ("/rfc6544/6.2/pairing", test_pairing);
  ADD ("/rfc6544/6.2/same-address-other-protocol",
      test_same_address_other_protocol);
  ADD ("/rfc6544/7.1/refused", test_refused);
  ADD ("/rfc6544/7.1/pacing", test_pacing);
  ADD ("/rfc6544/7.1/hanging", test_hanging);
  ADD ("/rfc6544/7.1/many-hanging", test_many_hanging);
  ADD ("/rfc8489/6.2.2/hanging-ends", test_hanging_ends);
  ADD ("/rfc8489/6.2.2/no-retransmission", test_no_retransmission);
  ADD ("/rfc6544/7.2/strangers", test_strangers);
  ADD (
      "/rfc6544/7.2/strangers-displace-nobody", test_strangers_displace_nobody);
  ADD ("/rfc6544/7.2/refusals", test_refusals);
  ADD ("/rfc6544/11/component-removed", test_component_removed);
  return g_test_run ();
}
