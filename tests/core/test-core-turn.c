/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a relay tells the whole core: peers that cannot be reached, and that it
 * is somewhere else now. */
#include "hostile-turn.h"

#include "gst/ice/core/core-private.h"

/* RFC 8656 18.13. */
static void
tell_icmp (Lab *lab, const IceAddress *peer, guint8 type, guint8 code)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 0xda, 0x7a };
  const guint8 value[] = { 0, 0, type, code, 0, 0, 0, 0 };
  IceAddress server = address (LAB_SERVER_IP, LAB_PORT);
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_DATA, id);
  ice_stun_builder_add_xor_address (&builder, ICE_STUN_XOR_PEER_ADDRESS, peer);
  ice_stun_builder_add_bytes (
      &builder, ICE_STUN_ICMP, ICE_BYTES (value, sizeof value));
  packet = ice_stun_builder_end (&builder);
  lab_receive (lab, lab->h.socket, &server, packet);
}

static const gchar *
pair_state (Lab *lab)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (IcePairStats));

  ice_core_get_pair_stats (lab->h.core, pairs);
  g_assert_cmpuint (pairs->len, ==, 1);
  return g_array_index (pairs, IcePairStats, 0).state;
}

/* Design 9.8: a hard error fails a check in progress, the second one or after
 * the check was resent; a soft one, or one about somebody else, does not. */
static void
test_icmp_fails_check (void)
{
  Lab lab;
  IceAddress other, portless;

  lab_init (&lab);
  lab.peer_is_silent = TRUE;
  lab_gather (&lab);
  harness_credentials (&lab.h);
  harness_add_remote (&lab.h, ICE_CANDIDATE_HOST, "192.0.2.2", 1, "1");
  lab_run_for (&lab, 100 * ICE_MSEC);
  g_assert_cmpstr (pair_state (&lab), ==, "in-progress");

  other = portless = lab.peer;
  other.port++;
  portless.port = 0;
  for (guint i = 0; i < 4; i++) {
    tell_icmp (&lab, &lab.peer, 11, 0); /* it travelled too long */
    tell_icmp (&lab, &lab.peer, 3, 4);  /* it was too big */
    tell_icmp (&lab, &other, 3, 3);
  }
  g_assert_cmpstr (pair_state (&lab), ==, "in-progress");
  tell_icmp (&lab, &lab.peer, 3, 3);
  g_assert_cmpstr (pair_state (&lab), ==, "in-progress");
  tell_icmp (&lab, &portless, 3, 1);
  g_assert_cmpstr (pair_state (&lab), ==, "failed");
  lab_clear (&lab);
}

/* It never touches a selected pair. */
static void
test_icmp_spares_selected (void)
{
  Lab lab;

  lab_init (&lab);
  lab_connect (&lab);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
  for (guint i = 0; i < 100; i++) {
    tell_icmp (&lab, &lab.peer, 3, 3);
    lab_run_for (&lab, 100 * ICE_MSEC);
  }
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (lab.h.route_socket, ==, lab.h.socket);
  lab_clear (&lab);
}

/* RFC 8016: route and accept table follow the allocation, and the call goes on
 * as it was. */
static void
test_route_follows (void)
{
  Lab lab;
  IceGathererConfig gather = { .relay_only = TRUE, .mobility = TRUE };
  IceAddress wireless = address ("10.1.0.2", 0);
  guint n_accepts, n_selected;

  lab_init (&lab);
  ice_core_set_gather_config (lab.h.core, &gather);
  lab.turn.ticket = "ticket";
  lab_connect (&lab);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (lab.h.route_socket, ==, lab.h.socket);
  n_accepts = lab.h.n_accepts;
  n_selected = lab.h.n_selected;

  g_assert_true (ice_gatherer_move (
      lab.h.core->gatherer, lab.h.socket, &wireless, lab.h.now));
  harness_pump (&lab.h);
  lab_run_for (&lab, ICE_SECOND);
  g_assert_cmpuint (lab.h.route_socket, !=, lab.h.socket);
  g_assert_cmpuint (lab.h.route_socket, !=, 0);
  g_assert_cmpuint (lab.h.n_accepts, ==, n_accepts);
  g_assert_cmpuint (lab.h.n_selected, ==, n_selected);
  lab_run_for (&lab, 600 * ICE_SECOND);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (lab.h.n_consent_lost, ==, 0);
  lab_clear (&lab);
}

/* RFC 8656 9: a permission lasts five minutes. After a restart the same two
 * addresses are a pair of the new generation, and of the old one, which is let
 * go: what the new one lives by stays, be it selected or a spare. */
static void
test_heir_keeps_permission (void)
{
  Lab lab;
  IceStream *stream;
  IceComponent *component;
  IcePair *heir;
  g_autoptr (IcePair) old = NULL;
  guint n_bound;

  for (guint spare = 0; spare < 2; spare++) {
    lab_init (&lab);
    lab_connect (&lab);
    stream = g_ptr_array_index (lab.h.core->streams, 0);
    component = g_ptr_array_index (stream->components, 0);
    heir = component->selected;
    g_assert_true (g_ptr_array_find (stream->pairs, heir, NULL));
    g_clear_pointer (&old, ice_pair_unref);
    old = ice_pair_new (
        9999, component, stream->generation, heir->local, heir->remote);

    component->selected = spare ? NULL : heir;
    ice_checklist_forget_peer (stream->set, old);
    component->selected = heir;
    n_bound = lab.turn.n_requests[ICE_STUN_CHANNEL_BIND];
    lab_run_for (&lab, 1200 * ICE_SECOND);
    g_assert_cmpuint (
        lab.turn.n_requests[ICE_STUN_CHANNEL_BIND], >, n_bound + 1);
    g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
    lab_clear (&lab);
  }
}

/* And when nobody is left that goes that way it is renewed no more. */
static void
test_last_pair_forgets (void)
{
  Lab lab;
  IceStream *stream;
  IceComponent *component;
  guint n_bound;

  lab_init (&lab);
  lab_connect (&lab);
  stream = g_ptr_array_index (lab.h.core->streams, 0);
  component = g_ptr_array_index (stream->components, 0);
  ice_checklist_forget_peer (stream->set, component->selected);
  n_bound = lab.turn.n_requests[ICE_STUN_CHANNEL_BIND];
  lab_run_for (&lab, 1200 * ICE_SECOND);
  g_assert_cmpuint (lab.turn.n_requests[ICE_STUN_CHANNEL_BIND], ==, n_bound);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc8656/11.6/fails-a-check", test_icmp_fails_check);
  g_test_add_func (
      "/rfc8656/11.6/spares-the-selected", test_icmp_spares_selected);
  g_test_add_func (
      "/rfc8656/9/heir-keeps-permission", test_heir_keeps_permission);
  g_test_add_func ("/rfc8656/9/last-pair-forgets", test_last_pair_forgets);
  g_test_add_func ("/rfc8016/3.2/route-follows", test_route_follows);
  return g_test_run ();
}
