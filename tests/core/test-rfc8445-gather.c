/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8445 5: which addresses become candidates, and what each is worth. A case
 * is named after the section that it was read from. */
#include "gather-lab.h"

typedef struct
{
  const gchar *ip;
  IceInterfaceAddress flags;
  gboolean wanted;
} Near;

static gboolean
is_gathered (const Lab *lab, const gchar *ip)
{
  IceAddress wanted = address (ip, 0);

  for (guint i = 0; i < lab->candidates->len; i++) {
    const IceCandidate *candidate = g_ptr_array_index (lab->candidates, i);

    if (candidate->kind == ICE_CANDIDATE_HOST &&
        ice_address_same_ip (&candidate->address, &wanted))
      return TRUE;
  }
  return FALSE;
}

static void
assert_gathered (const Near *near, guint n)
{
  g_autoptr (GArray) list =
      g_array_new (FALSE, TRUE, sizeof (IceInterfaceAddress));
  Lab lab;

  for (guint i = 0; i < n; i++) {
    IceInterfaceAddress entry = near[i].flags;

    entry.address = address (near[i].ip, 0);
    g_array_append_val (list, entry);
  }
  lab_init (&lab, FALSE);
  ice_gatherer_set_interfaces (
      lab.gatherer, (IceInterfaceAddress *) (gpointer) list->data, list->len);
  lab_gather (&lab, 1, 1);
  for (guint i = 0; i < n; i++) {
    g_test_message ("%s", near[i].ip);
    g_assert_cmpint (is_gathered (&lab, near[i].ip), ==, near[i].wanted);
  }
  lab_clear (&lab);
}

/* "Addresses from a loopback interface MUST NOT be included", whatever they
 * look like. */
static void
test_no_loopback (void)
{
  static const Near near[] = {
    { "127.0.0.1", { .interface_index = 1, .loopback = TRUE }, FALSE },
    { "127.8.9.10", { .interface_index = 2 }, FALSE },
    { "::1", { .interface_index = 1, .loopback = TRUE }, FALSE },
    { "192.0.2.77", { .interface_index = 1, .loopback = TRUE }, FALSE },
    { "2001:db8::77", { .interface_index = 1, .loopback = TRUE }, FALSE },
    { "192.0.2.1", { .interface_index = 2 }, TRUE },
  };

  assert_gathered (near, G_N_ELEMENTS (near));
}

/* "Deprecated IPv4-compatible IPv6 addresses and IPv6 site-local unicast
 * addresses MUST NOT be included", IPv4-mapped ones SHOULD NOT. */
static void
test_no_deprecated_forms (void)
{
  static const Near near[] = {
    { "::192.0.2.9", { .interface_index = 1 }, FALSE },
    { "::ffff:192.0.2.9", { .interface_index = 1 }, FALSE },
    { "fec0::9", { .interface_index = 1 }, FALSE },
    { "feff:ffff::9", { .interface_index = 1 }, FALSE },
    { "2001:db8::9", { .interface_index = 1 }, TRUE },
  };

  assert_gathered (near, G_N_ELEMENTS (near));
}

/* An address that prevents location tracking displaces those that allow it on
 * the same interface and prefix, and link-local ones; one that is deprecated
 * displaces nothing. */
static void
test_temporary_displaces_trackable (void)
{
  static const Near near[] = {
    { "2001:db8:1::aaaa", { .interface_index = 1 }, FALSE },
    { "2001:db8:1::bbbb", { .interface_index = 1 }, FALSE },
    { "2001:db8:1::cccc", { .interface_index = 1, .temporary = TRUE }, TRUE },
    { "2001:db8:1::dddd", { .interface_index = 2 }, TRUE },
    { "2001:db8:2::aaaa", { .interface_index = 1 }, TRUE },
    { "fe80::aaaa", { .interface_index = 1 }, FALSE },
    { "fe80::dddd", { .interface_index = 2 }, FALSE },
    { "10.0.0.2", { .interface_index = 1 }, TRUE },
  };
  static const Near old[] = {
    { "2001:db8:1::aaaa", { .interface_index = 1 }, TRUE },
    { "2001:db8:1::cccc",
        { .interface_index = 1, .temporary = TRUE, .deprecated = TRUE },
        FALSE },
  };

  assert_gathered (near, G_N_ELEMENTS (near));
  assert_gathered (old, G_N_ELEMENTS (old));
}

static void
assert_unique_priorities (const Lab *lab)
{
  for (guint i = 0; i < lab->candidates->len; i++) {
    const IceCandidate *a = g_ptr_array_index (lab->candidates, i);

    g_assert_cmpuint (a->priority, >=, 1);
    g_assert_cmpuint (a->priority, <=, G_MAXINT32);
    for (guint j = 0; j < i; j++) {
      const IceCandidate *b = g_ptr_array_index (lab->candidates, j);

      g_assert_cmpuint (a->priority, !=, b->priority);
      /* RFC 8445 5.1.2.1: among those of one type and component. */
      if (a->kind == b->kind && a->component == b->component)
        g_assert_cmpuint (a->local_preference, !=, b->local_preference);
    }
  }
}

static gboolean
is_base (const IceCandidate *candidate)
{
  return candidate->kind == ICE_CANDIDATE_HOST ||
      candidate->kind == ICE_CANDIDATE_RELAYED;
}

/* The same of PRIORITY in checks: what would be learnt by them is of one type
 * (7.1.1), and a relay's is worth less than that of any socket. */
static void
assert_unique_learnt_priorities (const Lab *lab)
{
  for (guint i = 0; i < lab->candidates->len; i++) {
    const IceCandidate *a = g_ptr_array_index (lab->candidates, i);

    for (guint j = 0; is_base (a) && j < lab->candidates->len; j++) {
      const IceCandidate *b = g_ptr_array_index (lab->candidates, j);

      if (i == j || !is_base (b))
        continue;
      g_assert_cmpuint (ice_candidate_learnt_priority (a), !=,
          ice_candidate_learnt_priority (b));
      if (a->kind == ICE_CANDIDATE_HOST && b->kind == ICE_CANDIDATE_RELAYED)
        g_assert_cmpuint (ice_candidate_learnt_priority (a), >,
            ice_candidate_learnt_priority (b));
    }
  }
}

/* Two components, both families, five servers of both kinds, and one that makes
 * us open another socket: every priority is in 1 .. 2^31 - 1, and none comes
 * twice. */
static void
test_unique_priorities (void)
{
  static const gchar *const ips[] = { "10.0.0.2", "10.0.1.2", "10.8.0.2",
    "2001:db8::2", "2001:db8:1::2", NULL };
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, ips);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_add_server (&lab, 2, ICE_SERVER_TURN, "192.0.2.2");
  lab_add_server (&lab, 3, ICE_SERVER_STUN, "192.0.2.3");
  lab_add_server (&lab, 4, ICE_SERVER_TURN, "192.0.2.4")
      ->turn.error[ICE_STUN_ALLOCATE] = 437;
  lab_add_server (&lab, 5, ICE_SERVER_TURN, "2001:db8:2::1");
  for (guint i = 0; i < lab.n_servers; i++)
    lab.servers[i].turn.relayed.ip[1] = (guint8) (100 + i);
  lab_gather (&lab, 2, 1);
  lab_run_for (&lab, 300 * ICE_MSEC);
  lab.servers[3].turn.error[ICE_STUN_ALLOCATE] = 0;
  lab_run_for (&lab, 2 * ICE_SECOND);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_HOST), ==, 10);
  g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), >=, 10);
  assert_unique_priorities (&lab);
  assert_unique_learnt_priorities (&lab);
  lab_clear (&lab);
}

/* "When there is only a single IP address, this value SHOULD be set to 65535":
 * the best of each type, whatever other servers there are. */
static void
test_single_address (void)
{
  static const gchar *const ips[] = { "10.0.0.2", NULL };
  static const IceCandidateKind kinds[] = { ICE_CANDIDATE_HOST,
    ICE_CANDIDATE_SERVER_REFLEXIVE, ICE_CANDIDATE_RELAYED };
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, ips);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_add_server (&lab, 2, ICE_SERVER_TURN, "192.0.2.2");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_assert_cmpuint (lab_count (&lab, kinds[i]), ==, 1);
    g_assert_cmpuint (lab_find (&lab, kinds[i])->local_preference, ==, 65535);
  }
  lab_clear (&lab);
}

/* "The type preference for peer-reflexive candidates MUST be higher than that
 * of server-reflexive": the worst of one above the best of the other. */
static void
test_peer_reflexive_above_server_reflexive (void)
{
  static const IceCandidateKind falling[] = { ICE_CANDIDATE_HOST,
    ICE_CANDIDATE_PEER_REFLEXIVE, ICE_CANDIDATE_SERVER_REFLEXIVE,
    ICE_CANDIDATE_RELAYED };

  for (guint i = 1; i < G_N_ELEMENTS (falling); i++)
    g_assert_cmpuint (ice_candidate_compute_priority (falling[i - 1], 0, 256),
        >, ice_candidate_compute_priority (falling[i], 65535, 1));
}

/* No resources: the relay is given up, the mapped address is not; RFC 8656
 * 7.4's 508, and 486 for good measure. */
static void
test_fall_back_to_binding (void)
{
  static const gchar *const ips[] = { "10.0.0.2", NULL };
  static const guint codes[] = { 508, 486 };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    LabServer *server;
    Lab lab;

    lab_init (&lab, FALSE);
    lab.nat = TRUE;
    lab_set_addresses (&lab, ips);
    server = lab_add_server (&lab, 1, ICE_SERVER_TURN, "192.0.2.1");
    server->turn.error[ICE_STUN_ALLOCATE] = codes[i];
    lab_gather (&lab, 1, 1);
    lab_run_for (&lab, ICE_SECOND);
    g_assert_cmpuint (server->turn.n_requests[ICE_STUN_BINDING], ==, 1);
    g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_SERVER_REFLEXIVE), ==, 1);
    g_assert_cmpuint (lab_count (&lab, ICE_CANDIDATE_RELAYED), ==, 0);
    lab_clear (&lab);
  }
}

/* A minute of checks that come to nothing: reflexive and relayed candidates
 * are alive at its end. */
static void
test_kept_alive (void)
{
  static const gchar *const ips[] = { "10.0.0.2", NULL };
  LabServer *stun, *turn;
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, ips);
  stun = lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  turn = lab_add_server (&lab, 2, ICE_SERVER_TURN, "192.0.2.2");
  turn->turn.lifetime = 120;
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, 70 * ICE_SECOND);
  /* Every 15 s, so that a NAT binding of 30 s survives the loss of one. */
  g_assert_cmpuint (stun->turn.n_requests[ICE_STUN_BINDING], ==, 5);
  g_assert_cmpuint (turn->turn.n_requests[ICE_STUN_REFRESH], >=, 1);
  g_assert_cmpuint (lab.n_events[ICE_GATHER_CANDIDATE_LOST], ==, 0);
  lab_clear (&lab);
}

/* RFC 8838 9: each candidate is conveyed once, by an own id, in the order in
 * which it was found, the end last. */
static void
test_conveyed_once (void)
{
  static const gchar *const ips[] = { "10.0.0.2", "2001:db8::2", NULL };
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, ips);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_add_server (&lab, 2, ICE_SERVER_TURN, "192.0.2.2")->delay =
      400 * ICE_MSEC;
  lab_gather (&lab, 1, 1);
  for (guint i = 0; i < 5; i++) {
    lab_run_for (&lab, ICE_SECOND);
    lab_gather (&lab, 1, 1); /* asked again: nothing is told again */
  }
  for (guint i = 0; i < lab.candidates->len; i++) {
    const IceCandidate *a = g_ptr_array_index (lab.candidates, i);

    for (guint j = 0; j < i; j++) {
      const IceCandidate *b = g_ptr_array_index (lab.candidates, j);

      g_assert_false (ice_address_equal (&a->address, &b->address) &&
          ice_address_equal (&a->base, &b->base));
      g_assert_cmpuint (b->id, <, a->id);
    }
  }
  g_assert_cmpuint (lab.candidates->len, ==, 4);
  g_assert_cmpint (
      ((IceCandidate *) g_ptr_array_index (lab.candidates, 3))->kind, ==,
      ICE_CANDIDATE_RELAYED);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8445/5.1.1.1/no-loopback", test_no_loopback);
  g_test_add_func (
      "/rfc8445/5.1.1.1/no-deprecated-forms", test_no_deprecated_forms);
  g_test_add_func ("/rfc8445/5.1.1.1/temporary-displaces-trackable",
      test_temporary_displaces_trackable);
  g_test_add_func (
      "/rfc8445/5.1.1.2/fall-back-to-binding", test_fall_back_to_binding);
  g_test_add_func ("/rfc8445/5.1.1.4/kept-alive", test_kept_alive);
  g_test_add_func ("/rfc8445/5.1.2/unique-priorities", test_unique_priorities);
  g_test_add_func (
      "/rfc8445/5.1.2.1/single-address-is-65535", test_single_address);
  g_test_add_func ("/rfc8445/5.1.2.1/peer-reflexive-above-server-reflexive",
      test_peer_reflexive_above_server_reflexive);
  g_test_add_func ("/rfc8838/9/conveyed-once", test_conveyed_once);
  return g_test_run ();
}
