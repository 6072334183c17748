/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about what goes through a relay: not from strangers, not without
 * consent, and for as long as two hours. */
#include "hostile-turn.h"

/* U15: what no permission lets through is dropped and counted, and an honest
 * packet is not. */
static IceVerdict
receive_data (Lab *lab, const IceAddress *peer, IceBytes payload)
{
  IceAddress server = address (LAB_SERVER_IP, LAB_PORT);
  static const guint8 id[ICE_STUN_ID_SIZE] = { 0xda };
  g_autoptr (IcePacket) packet = NULL;
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_DATA, id);
  if (peer)
    ice_stun_builder_add_xor_address (
        &builder, ICE_STUN_XOR_PEER_ADDRESS, peer);
  if (payload.size > 0)
    ice_stun_builder_add_bytes (&builder, ICE_STUN_DATA_ATTRIBUTE, payload);
  packet = ice_stun_builder_end (&builder);
  return lab_receive (lab, lab->h.socket, &server, packet);
}

static IceVerdict
receive_channel (Lab *lab, guint16 channel, gsize claimed, gsize size)
{
  IceAddress server = address (LAB_SERVER_IP, LAB_PORT);
  g_autoptr (IcePacket) packet = ice_packet_new (4 + size);

  memset (packet->data, 0x80, packet->size);
  packet->data[0] = (guint8) (channel >> 8);
  packet->data[1] = (guint8) channel;
  packet->data[2] = (guint8) (claimed >> 8);
  packet->data[3] = (guint8) claimed;
  return lab_receive (lab, lab->h.socket, &server, packet);
}

static void
test_data_from_strangers (void)
{
  IceAddress stranger = address (ATTACKER_IP, 1);
  IceAddress nowhere = address ("0.0.0.0", 0);
  g_autoptr (IcePacket) check = NULL;
  g_autofree gchar *before = NULL, *after = NULL;
  guint n_ok;
  Lab lab;

  lab_init (&lab);
  lab_connect (&lab);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (lab.n_channel_bound_routes, ==, 1);
  check = harness_build_check (
      &lab.h, &(Check){ .use_candidate = TRUE, .controlled = TRUE });
  before = harness_snapshot (&lab.h);
  n_ok = harness_count_verdicts (&lab.h, ICE_VERDICT_OK);

  receive_data (&lab, &stranger, ICE_BYTES ("\x80media", 6));
  receive_data (&lab, &nowhere, ICE_BYTES ("\x80media", 6));
  receive_data (&lab, NULL, ICE_BYTES ("\x80media", 6));
  receive_data (&lab, &lab.peer, ICE_BYTES_NONE);
  /* The password alone opens no way through the relay either. */
  receive_data (&lab, &stranger, ICE_BYTES (check->data, check->size));
  receive_channel (&lab, 0x4001, 8, 8);
  receive_channel (&lab, 0x4fff, 8, 8);
  receive_channel (&lab, 0x7fff, 8, 8);
  receive_channel (&lab, 0x4000, 9000, 8);
  receive_channel (&lab, 0x4000, 65535, 0);

  g_assert_true (g_queue_is_empty (&lab.h.sent));
  g_assert_cmpuint (harness_count_verdicts (&lab.h, ICE_VERDICT_OK), ==, n_ok);
  after = harness_snapshot (&lab.h);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpuint (lab.h.n_delivered, ==, 0);
  g_assert_cmpint (receive_data (&lab, &lab.peer, ICE_BYTES ("\x80media", 6)),
      ==, ICE_VERDICT_OK);
  g_assert_cmpint (receive_channel (&lab, 0x4000, 8, 8), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (lab.h.n_delivered, ==, 2);
  lab_clear (&lab);
}

/* 3.22: relayed and gone: when consent is lost nothing leaves by the relay any
 * more, and permission and channel are not renewed. */
static void
test_consent_lost_on_relay (void)
{
  guint n_permissions, n_channels;
  Lab lab;

  lab_init (&lab);
  lab_connect (&lab);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
  lab.peer_is_silent = TRUE;
  lab_run_for (&lab, 40 * ICE_SECOND);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_FAILED);
  g_assert_cmpuint (lab.h.route_socket, ==, 0);
  g_assert_false (ice_core_send (
      lab.h.core, lab.h.transport, ICE_BYTES ("media", 5), lab.h.now));
  n_permissions = lab_count_requests (&lab, ICE_STUN_CREATE_PERMISSION);
  n_channels = lab_count_requests (&lab, ICE_STUN_CHANNEL_BIND);
  lab_run_for (&lab, 3600 * ICE_SECOND);
  g_assert_cmpuint (
      lab_count_requests (&lab, ICE_STUN_CREATE_PERMISSION), ==, n_permissions);
  g_assert_cmpuint (
      lab_count_requests (&lab, ICE_STUN_CHANNEL_BIND), ==, n_channels);
  lab_clear (&lab);
}

/* U7, I12: two honest hours: everything is renewed in time, and seldom. */
static void
test_two_hours (void)
{
  Lab lab;

  lab_init (&lab);
  lab_connect (&lab);
  lab_run_for (&lab, 7200 * ICE_SECOND);
  g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
  g_assert_cmpuint (lab.n_channel_bound_routes, ==, 1);
  g_assert_cmpuint (lab_count_requests (&lab, 0), <=, 7200 / 60);
  ice_core_close (lab.h.core, lab.h.now);
  harness_pump (&lab.h);
  lab_run_for (&lab, 1 * ICE_SECOND);
  g_assert_cmpuint (lab.turn.last_lifetime, ==, 0);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rules/U15/data-from-strangers", test_data_from_strangers);
  g_test_add_func (
      "/rules/3.22/consent-lost-on-relay", test_consent_lost_on_relay);
  g_test_add_func ("/rules/U7/two-hours", test_two_hours);
  return g_test_run ();
}
