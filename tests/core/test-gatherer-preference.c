/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gather-lab.h"

typedef struct
{
  const gchar *name;
  IceInterfaceAddress addresses[5];
  const gchar *ips[6];
  const gchar *order; /* indexes of those gathered on, best first */
} Choice;

static const Choice choices[] = {
  { "IPv6 first, then in turn", { { .interface_index = 1 } },
      { "10.0.0.2", "10.0.1.2", "2001:db8::2", "2001:db8:1::2" }, "2031" },
  { "no loopback", { { .interface_index = 1 } },
      { "127.0.0.1", "::1", "10.0.0.2" }, "2" },
  { "loopback when alone", { { .interface_index = 1 } }, { "127.0.0.1", "::1" },
      "10" },
  { "no link-local beside another", { { .interface_index = 1 } },
      { "fe80::2", "2001:db8::2", "169.254.1.1", "10.0.0.2" }, "13" },
  { "link-local of a family alone", { { .interface_index = 1 } },
      { "fe80::2", "10.0.0.2" }, "10" },
  { "tunnels last", { { .tunnel = TRUE } },
      { "10.8.0.2", "10.0.0.2", "10.0.1.2" }, "120" },
  { "ULA after IPv4", { { .interface_index = 1 } },
      { "fd00::2", "10.0.0.2", "2001:db8::2" }, "210" },
  { "RFC 6724 2.1: 6to4, Teredo, ULA, VPN",
      { { .tunnel = TRUE }, { .interface_index = 1 } },
      { "10.8.0.2", "fd00::2", "2001:0:c000:201:0:1:3fff:fdd2",
          "2002:c000:201::2", "10.0.0.2" },
      "43210" },
  { "nothing deprecated", { { .deprecated = TRUE } },
      { "2001:db8::2", "2001:db8::3" }, "1" },
  { "temporary displaces stable",
      { { .interface_index = 1 }, { .interface_index = 1, .temporary = TRUE },
          { .interface_index = 2 } },
      { "2001:db8::2", "2001:db8::3", "2001:db8::4" }, "12" },
  { "no address twice", { { .interface_index = 1 } },
      { "10.0.0.2", "10.0.0.2" }, "0" },
  { "nothing reserved", { { .interface_index = 1 } },
      { "0.0.0.0", "::ffff:10.0.0.2", "fec0::2", "10.0.0.2" }, "3" },
};

static void
test_choice (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (choices); i++) {
    const Choice *row = &choices[i];
    IceInterfaceAddress list[5];
    g_autoptr (GPtrArray) best = g_ptr_array_new ();
    guint n = 0;
    Lab lab;

    g_test_message ("%s", row->name);
    for (; row->ips[n]; n++) {
      list[n] = row->addresses[n];
      list[n].address = address (row->ips[n], 0);
    }
    lab_init (&lab, FALSE);
    ice_gatherer_set_interfaces (lab.gatherer, list, n);
    lab_gather (&lab, 1, 1);
    ice_gatherer_get_candidates (lab.gatherer, LAB_STREAM, 1, best);
    g_assert_cmpuint (best->len, ==, strlen (row->order));
    for (guint j = 0; j < best->len; j++) {
      const IceCandidate *candidate = g_ptr_array_index (best, j);

      g_assert_true (ice_address_same_ip (
          &candidate->address, &list[row->order[j] - '0'].address));
      if (j == 0)
        g_assert_cmpuint (candidate->local_preference, ==, 65535);
    }
    lab_clear (&lab);
  }
}

/* Host above reflexive above VPN above relayed, each kind in its own band. */
static void
test_detour (void)
{
  IceInterfaceAddress list[2] = { { .interface_index = 1 },
    { .interface_index = 2, .tunnel = TRUE } };
  guint32 vpn_host = 0, worst_direct = G_MAXUINT32, best_relayed = 0;
  Lab lab;

  list[0].address = address ("10.0.0.2", 0);
  list[1].address = address ("10.8.0.2", 0);
  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  ice_gatherer_set_interfaces (lab.gatherer, list, 2);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_add_server (&lab, 2, ICE_SERVER_TURN, "192.0.2.2");
  lab_gather (&lab, 1, 1);
  lab_run_for (&lab, ICE_SECOND);
  for (guint i = 0; i < lab.candidates->len; i++) {
    const IceCandidate *candidate = g_ptr_array_index (lab.candidates, i);
    gboolean vpn = ice_address_same_ip (&candidate->base, &list[1].address);

    if (candidate->kind == ICE_CANDIDATE_RELAYED) {
      best_relayed = MAX (best_relayed, candidate->priority);
    } else if (!vpn) {
      worst_direct = MIN (worst_direct, candidate->priority);
    } else if (candidate->kind == ICE_CANDIDATE_HOST) {
      vpn_host = candidate->priority;
      /* RFC 8445 5.1.2.1: what a peer learns is above what a server tells. */
      g_assert_cmpuint (ice_candidate_learnt_priority (candidate), <, vpn_host);
    } else {
      g_assert_cmpuint (candidate->priority, <, worst_direct);
    }
  }
  g_assert_cmpuint (worst_direct, >, vpn_host);
  g_assert_cmpuint (vpn_host, >, best_relayed);
  lab_clear (&lab);
}

/* A host with nothing but a tunnel is not on a detour. */
static void
test_tunnel_alone (void)
{
  IceInterfaceAddress tunnel = { .tunnel = TRUE };
  Lab lab;

  tunnel.address = address ("10.8.0.2", 0);
  lab_init (&lab, FALSE);
  ice_gatherer_set_interfaces (lab.gatherer, &tunnel, 1);
  lab_gather (&lab, 1, 1);
  g_assert_cmpuint (
      lab_find (&lab, ICE_CANDIDATE_HOST)->priority, ==, 2130706431);
  lab_clear (&lab);
}

static void
test_only_family (void)
{
  static const gchar *const both[] = { "10.0.0.2", "2001:db8::2", NULL };
  IceGathererConfig config = { .only_family = ICE_FAMILY_IPV6 };
  Lab lab;

  lab_init (&lab, FALSE);
  ice_gatherer_set_config (lab.gatherer, &config);
  lab_set_addresses (&lab, both);
  lab_gather (&lab, 1, 1);
  g_assert_cmpuint (lab.candidates->len, ==, 1);
  g_assert_cmpint (
      lab_find (&lab, ICE_CANDIDATE_HOST)->address.family, ==, ICE_FAMILY_IPV6);
  lab_clear (&lab);
}

/* RFC 8445 5.1.2: unique in a stream; 5.1.1.3: the same foundation for the same
 * kind, base IP and server, whatever the component. */
static void
test_priorities (void)
{
  static const gchar *const ips[] = { "10.0.0.2", "10.0.1.2", NULL };
  Lab lab;

  lab_init (&lab, FALSE);
  lab.nat = TRUE;
  lab_set_addresses (&lab, ips);
  lab_add_server (&lab, 1, ICE_SERVER_STUN, "192.0.2.1");
  lab_add_server (&lab, 2, ICE_SERVER_TURN, "192.0.2.2");
  lab_gather (&lab, 2, 1);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.candidates->len, ==, 12);
  for (guint i = 0; i < lab.candidates->len; i++) {
    const IceCandidate *a = g_ptr_array_index (lab.candidates, i);

    for (guint j = 0; j < i; j++) {
      const IceCandidate *b = g_ptr_array_index (lab.candidates, j);
      gboolean same = a->kind == b->kind && a->server == b->server &&
          ice_address_same_ip (&a->base, &b->base);

      g_assert_cmpuint (a->priority, !=, b->priority);
      g_assert_cmpuint (a->id, !=, b->id);
      g_assert_cmpint (g_str_equal (a->foundation, b->foundation), ==, same);
    }
  }
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gatherer-preference/choice", test_choice);
  g_test_add_func ("/rfc8445/5.1.2.2/detour", test_detour);
  g_test_add_func ("/rfc8445/5.1.2.2/tunnel-alone", test_tunnel_alone);
  g_test_add_func ("/gatherer-preference/only-family", test_only_family);
  g_test_add_func ("/gatherer-preference/priorities", test_priorities);
  return g_test_run ();
}
