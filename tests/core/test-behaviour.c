/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nat-lab.h"

static const IceNatBehaviour kinds[] = { ICE_NAT_ENDPOINT_INDEPENDENT,
  ICE_NAT_ADDRESS_DEPENDENT, ICE_NAT_ADDRESS_AND_PORT_DEPENDENT };

/* Each of the nine NATs is told for what it is. */
static void
test_kinds (void)
{
  for (guint i = 0; i < 3; i++) {
    for (guint j = 0; j < 3; j++) {
      NatLab lab;

      lab_init (&lab);
      lab.mapping = kinds[i];
      lab.filtering = kinds[j];
      lab_run (&lab, 0);
      g_assert_cmpint (lab.behaviour->state, ==, ICE_BEHAVIOUR_DONE);
      g_assert_true (lab.behaviour->nat);
      g_assert_cmpint (lab.behaviour->mapping, ==, kinds[i]);
      g_assert_cmpint (lab.behaviour->filtering, ==, kinds[j]);
      g_assert_true (ice_address_equal (&lab.behaviour->other, &lab.other));
      /* Silence is waited for, but not longer. */
      g_assert_cmpint (lab.now, <=, 1012 * ICE_SECOND);
      lab_clear (&lab);
    }
  }
}

/* The same under loss: each request is repeated. */
static void
test_loss (void)
{
  NatLab lab;

  lab_init (&lab);
  lab.lose = 5;
  lab.mapping = ICE_NAT_ADDRESS_DEPENDENT;
  lab.filtering = ICE_NAT_ADDRESS_AND_PORT_DEPENDENT;
  lab_run (&lab, 0);
  g_assert_cmpint (lab.behaviour->state, ==, ICE_BEHAVIOUR_DONE);
  g_assert_cmpint (lab.behaviour->mapping, ==, ICE_NAT_ADDRESS_DEPENDENT);
  g_assert_cmpint (
      lab.behaviour->filtering, ==, ICE_NAT_ADDRESS_AND_PORT_DEPENDENT);
  lab_clear (&lab);
}

static void
test_no_nat (void)
{
  for (guint j = 0; j < 3; j++) {
    NatLab lab;

    lab_init (&lab);
    lab.no_nat = TRUE;
    lab.filtering = kinds[j]; /* a firewall */
    lab_run (&lab, 60 * ICE_SECOND);
    g_assert_cmpint (lab.behaviour->state, ==, ICE_BEHAVIOUR_DONE);
    g_assert_false (lab.behaviour->nat);
    g_assert_cmpint (lab.behaviour->mapping, ==, ICE_NAT_ENDPOINT_INDEPENDENT);
    g_assert_cmpint (lab.behaviour->filtering, ==, kinds[j]);
    g_assert_cmpint (lab.behaviour->hairpinning, ==, ICE_NAT_NOT_KNOWN);
    g_assert_cmpint (lab.behaviour->lifetime, ==, 0);
    lab_clear (&lab);
  }
}

static void
test_blocked (void)
{
  NatLab lab;

  lab_init (&lab);
  lab.server = SERVER_DEAD;
  lab_run (&lab, 0);
  g_assert_cmpint (lab.behaviour->state, ==, ICE_BEHAVIOUR_BLOCKED);
  g_assert_cmpint (lab.now, ==, 1000 * ICE_SECOND + 5500 * ICE_MSEC);
  /* Four each of the two first ones, and nothing else. */
  g_assert_cmpuint (lab.n_sent, ==, 8);
  lab_clear (&lab);
}

/* What no server can show is said to be unknown, and the rest is still told. */
static void
test_single_address (void)
{
  const ServerKind servers[] = { SERVER_SINGLE, SERVER_SAME_ADDRESS,
    SERVER_POINTS_INSIDE };

  for (guint i = 0; i < G_N_ELEMENTS (servers); i++) {
    NatLab lab;

    lab_init (&lab);
    lab.server = servers[i];
    lab.mapping = ICE_NAT_ADDRESS_DEPENDENT;
    lab_run (&lab, 0);
    g_assert_cmpint (lab.behaviour->state, ==, ICE_BEHAVIOUR_UNSUPPORTED);
    g_assert_cmpint (lab.behaviour->other.family, ==, ICE_FAMILY_NONE);
    g_assert_true (lab.behaviour->nat);
    g_assert_cmpint (lab.behaviour->mapping, ==, ICE_NAT_UNKNOWN);
    g_assert_cmpint (lab.behaviour->filtering, ==, ICE_NAT_UNKNOWN);
    g_assert_cmpint (lab.behaviour->fragments, ==, ICE_NAT_YES);
    lab_clear (&lab);
  }
}

/* A server that answers from where it was asked would pass for the most open
 * filter there is. */
static void
test_no_change (void)
{
  const ServerKind servers[] = { SERVER_CHANGES_NOTHING, SERVER_REFUSES };

  for (guint i = 0; i < G_N_ELEMENTS (servers); i++) {
    NatLab lab;

    lab_init (&lab);
    lab.server = servers[i];
    lab.filtering = ICE_NAT_ADDRESS_DEPENDENT;
    lab_run (&lab, 60 * ICE_SECOND);
    g_assert_cmpint (lab.behaviour->state, ==, ICE_BEHAVIOUR_DONE);
    g_assert_cmpint (lab.behaviour->mapping, ==, ICE_NAT_ENDPOINT_INDEPENDENT);
    g_assert_cmpint (lab.behaviour->filtering, ==, ICE_NAT_UNKNOWN);
    g_assert_cmpint (lab.behaviour->lifetime, ==, 0);
    lab_clear (&lab);
  }
}

static void
test_errors (void)
{
  const ServerKind servers[] = { SERVER_ERRORS, SERVER_UNKNOWN_REQUIRED };

  for (guint i = 0; i < G_N_ELEMENTS (servers); i++) {
    NatLab lab;

    lab_init (&lab);
    lab.server = servers[i];
    lab_run (&lab, 0);
    g_assert_cmpint (lab.behaviour->state, ==, ICE_BEHAVIOUR_UNSUPPORTED);
    g_assert_cmpuint (lab.n_sent, ==, 2);
    lab_clear (&lab);
  }
}

static void
test_hairpin (void)
{
  for (guint i = 0; i < 3; i++) {
    for (guint hairpin = 0; hairpin < 2; hairpin++) {
      NatLab lab;

      lab_init (&lab);
      lab.filtering = kinds[i];
      lab.no_hairpin = hairpin == 0;
      lab_run (&lab, 0);
      g_assert_cmpint (
          lab.behaviour->hairpinning, ==, hairpin ? ICE_NAT_YES : ICE_NAT_NO);
      lab_clear (&lab);
    }
  }
}

static void
test_fragments (void)
{
  NatLab lab;

  lab_init (&lab);
  lab.drops_fragments = TRUE;
  lab_run (&lab, 0);
  g_assert_cmpint (lab.behaviour->fragments, ==, ICE_NAT_NO);
  lab_clear (&lab);
  lab_init (&lab);
  lab_run (&lab, 0);
  g_assert_cmpint (lab.behaviour->fragments, ==, ICE_NAT_YES);
  lab_clear (&lab);
  lab_init (&lab);
  lab.server = SERVER_REFUSES;
  lab_run (&lab, 0);
  g_assert_cmpint (lab.behaviour->fragments, ==, ICE_NAT_NOT_KNOWN);
  lab_clear (&lab);
}

static void
test_lifetime (void)
{
  const guint seconds[] = { 20, 30, 47, 120, 290 };

  for (guint i = 0; i < G_N_ELEMENTS (seconds); i++) {
    const IceTime lifetime = seconds[i] * ICE_SECOND;
    NatLab lab;

    lab_init (&lab);
    lab.binding_lifetime = lifetime;
    lab.filtering = ICE_NAT_ADDRESS_AND_PORT_DEPENDENT;
    lab_run (&lab, 300 * ICE_SECOND);
    g_assert_false (lab.behaviour->lifetime_is_minimum);
    g_assert_cmpint (lab.behaviour->lifetime, <, lifetime);
    g_assert_cmpint (lab.behaviour->lifetime, >=,
        lifetime - MAX (5 * ICE_SECOND, lifetime / 16));
    lab_clear (&lab);
  }
}

static void
test_lifetime_minimum (void)
{
  NatLab lab;

  lab_init (&lab);
  lab_run (&lab, 100 * ICE_SECOND);
  g_assert_true (lab.behaviour->lifetime_is_minimum);
  g_assert_cmpint (lab.behaviour->lifetime, ==, 100 * ICE_SECOND);
  lab_clear (&lab);
}

/* Off path, nobody's answer counts, and rubbish harms nothing. */
static void
test_strangers (void)
{
  static const guint8 rubbish[] = { 1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
  const IceAddress stranger = lab_address ("192.0.2.66", 3478);
  const IceAddress outer = lab_address (NAT_IP, 40000);
  g_autoptr (IcePacket) forged = NULL;
  IceBehaviourPacket packet;
  IceStunMessage request;
  NatLab lab;

  lab_init (&lab);
  lab.behaviour =
      ice_behaviour_new (&lab.primary, lab.local, 0, lab_roll, &lab, lab.now);
  g_assert_true (ice_behaviour_take_packet (lab.behaviour, &packet));
  g_assert_true (ice_stun_message_parse (
      &request, ICE_BYTES (packet.packet->data, packet.packet->size)));
  forged = lab_build_answer (&lab, &request, &outer);
  for (gsize size = 0; size < forged->size; size++)
    ice_behaviour_receive (lab.behaviour, packet.socket, &lab.primary,
        ICE_BYTES (forged->data, size), lab.now);
  ice_behaviour_receive (lab.behaviour, packet.socket, &lab.primary,
      ICE_BYTES (rubbish, sizeof rubbish), lab.now);
  ice_behaviour_receive (lab.behaviour, packet.socket, &stranger,
      ICE_BYTES (forged->data, forged->size), lab.now);
  g_assert_cmpint (lab.behaviour->tests[ICE_BEHAVIOUR_TEST_CONTACT].state, ==,
      ICE_BEHAVIOUR_TEST_ASKED);
  ice_behaviour_receive (lab.behaviour, packet.socket, &lab.primary,
      ICE_BYTES (forged->data, forged->size), lab.now);
  g_assert_cmpint (lab.behaviour->tests[ICE_BEHAVIOUR_TEST_CONTACT].state, ==,
      ICE_BEHAVIOUR_TEST_ANSWERED);
  ice_packet_unref (packet.packet);
  lab_clear (&lab);
}

/* OTHER-ADDRESS may name a victim: it is sent a handful, never a stream. */
static void
test_victim (void)
{
  NatLab lab;

  lab_init (&lab);
  lab.server = SERVER_REFUSES;
  lab.no_hairpin = TRUE;
  lab.mapping = ICE_NAT_ADDRESS_AND_PORT_DEPENDENT;
  lab.no_nat = FALSE;
  lab.other = lab_address ("198.51.100.99", 53);
  lab_run (&lab, 0);
  g_assert_cmpuint (lab.n_sent_other, <=, 16);
  lab_clear (&lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc5780/4.3/each-of-nine-nats", test_kinds);
  g_test_add_func ("/rfc5780/4.3/no-nat", test_no_nat);
  g_test_add_func ("/rfc5780/4.3/server-has-one-address", test_single_address);
  g_test_add_func ("/rfc5780/4.4/server-changes-nothing", test_no_change);
  g_test_add_func ("/rfc5780/4.2/udp-blocked", test_blocked);
  g_test_add_func ("/rfc5780/4.2/errors", test_errors);
  g_test_add_func ("/rfc5780/4/loss", test_loss);
  g_test_add_func ("/rfc5780/3.4/hairpin", test_hairpin);
  g_test_add_func ("/rfc5780/3.5/fragments", test_fragments);
  g_test_add_func ("/rfc5780/4.6/lifetime", test_lifetime);
  g_test_add_func ("/rfc5780/4.6/lifetime-is-a-minimum", test_lifetime_minimum);
  g_test_add_func ("/rfc5780/9/strangers", test_strangers);
  g_test_add_func ("/rfc5780/9/victim", test_victim);
  return g_test_run ();
}
