/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machine that asks routers for ports, in virtual time: the router is the
 * test. */

#include <string.h>

#include "gst/ice/io/gateway.h"
#include "gst/ice/io/portmap.h"

#define PORT 40000
#define OUTER_PORT 51000

static guint n_rolled;

static void
roll (guint8 *ret_bytes, gsize size)
{
  n_rolled++;
  memset (ret_bytes, (gint) n_rolled, size);
}

typedef struct
{
  IcePortmap *machine;
  IceTime now;
  guint8 nonce[ICE_PCP_NONCE_SIZE]; /* of the last PCP request */
  guint32 lifetime;                 /* likewise */
  guint16 suggested;
  guint n_pcp, n_map, n_address; /* requests since they were last counted */
} Net;

static void
take_packets (Net *net)
{
  IcePacket *packet;

  net->n_pcp = net->n_map = net->n_address = 0;
  while ((packet = ice_portmap_take_packet (net->machine))) {
    const guint8 *data = packet->data;

    if (data[0] == 2) {
      net->n_pcp++;
      g_assert_cmpuint (packet->size, ==, 60);
      g_assert_cmpuint (data[1], ==, 1);
      memcpy (net->nonce, data + 24, sizeof net->nonce);
      net->lifetime =
          (guint32) data[4] << 24 | data[5] << 16 | data[6] << 8 | data[7];
      net->suggested = (guint16) (data[42] << 8 | data[43]);
    } else if (data[1] == 0) {
      net->n_address++;
      g_assert_cmpuint (packet->size, ==, 2);
    } else {
      net->n_map++;
      g_assert_cmpuint (packet->size, ==, 12);
      net->lifetime =
          (guint32) data[8] << 24 | data[9] << 16 | data[10] << 8 | data[11];
    }
    ice_packet_unref (packet);
  }
}

static void
net_init (Net *net)
{
  IceAddress local;

  *net = (Net){ 0 };
  g_assert_true (ice_address_parse (&local, "10.0.0.2", 0));
  net->machine = ice_portmap_new (&local, roll);
  ice_portmap_add (net->machine, 7, ICE_PORTMAP_UDP, PORT, 0);
  take_packets (net);
}

static void
net_clear (Net *net)
{
  ice_portmap_free (net->machine);
}

static void
advance (Net *net)
{
  net->now = ice_portmap_deadline (net->machine);
  g_assert_cmpint (net->now, !=, ICE_TIME_NEVER);
  ice_portmap_timeout (net->machine, net->now);
  take_packets (net);
}

static void
put_u32 (guint8 *at, guint32 value)
{
  at[0] = value >> 24;
  at[1] = value >> 16;
  at[2] = value >> 8;
  at[3] = value;
}

static gboolean
answer_pcp (Net *net, guint8 code, guint32 lifetime, guint32 epoch)
{
  guint8 data[60] = { 2, 0x81, 0, code };
  gboolean known;

  put_u32 (data + 4, lifetime);
  put_u32 (data + 8, epoch);
  memcpy (data + 24, net->nonce, sizeof net->nonce);
  data[36] = 17;
  data[40] = PORT >> 8;
  data[41] = PORT & 0xff;
  data[42] = OUTER_PORT >> 8;
  data[43] = OUTER_PORT & 0xff;
  data[54] = data[55] = 0xff;
  data[56] = 203;
  data[58] = 113;
  data[59] = 9;
  known = ice_portmap_receive (
      net->machine, ICE_BYTES (data, sizeof data), net->now);
  take_packets (net);
  return known;
}

static gboolean
answer_nat_pmp_map (Net *net, guint16 code, guint32 lifetime, guint32 epoch)
{
  guint8 data[16] = { 0, 129, code >> 8, code & 0xff };
  gboolean known;

  put_u32 (data + 4, epoch);
  data[8] = PORT >> 8;
  data[9] = PORT & 0xff;
  data[10] = OUTER_PORT >> 8;
  data[11] = OUTER_PORT & 0xff;
  put_u32 (data + 12, lifetime);
  known = ice_portmap_receive (
      net->machine, ICE_BYTES (data, sizeof data), net->now);
  take_packets (net);
  return known;
}

static gboolean
answer_nat_pmp_address (Net *net, guint8 last, guint32 epoch)
{
  guint8 data[12] = { 0, 128 };
  gboolean known;

  put_u32 (data + 4, epoch);
  data[8] = 203;
  data[10] = 113;
  data[11] = last;
  known = ice_portmap_receive (
      net->machine, ICE_BYTES (data, sizeof data), net->now);
  take_packets (net);
  return known;
}

static void
assert_mapped (Net *net, const gchar *external, const gchar *by)
{
  gchar text[ICE_ADDRESS_STRLEN];
  IcePortmapEvent event;

  g_assert_true (ice_portmap_take_event (net->machine, &event));
  g_assert_cmpuint (event.id, ==, 7);
  g_assert_true (event.mapped);
  g_assert_cmpstr (ice_address_to_string (&event.external, text), ==, external);
  g_assert_cmpstr (event.by, ==, by);
  g_assert_false (ice_portmap_take_event (net->machine, &event));
}

static void
assert_failed (Net *net, const gchar *cause)
{
  IcePortmapEvent event;

  g_assert_true (ice_portmap_take_event (net->machine, &event));
  g_assert_cmpuint (event.id, ==, 7);
  g_assert_false (event.mapped);
  g_assert_nonnull (strstr (event.cause, cause));
  g_assert_false (ice_portmap_take_event (net->machine, &event));
}

static void
assert_nothing (Net *net)
{
  IcePortmapEvent event;

  g_assert_false (ice_portmap_take_event (net->machine, &event));
}

static void
test_pcp_maps (void)
{
  Net net;

  net_init (&net);
  g_assert_cmpuint (net.n_pcp, ==, 1);
  g_assert_cmpuint (net.n_map + net.n_address, ==, 0);
  g_assert_cmpuint (net.lifetime, ==, 600);
  g_assert_cmpuint (net.suggested, ==, PORT);
  g_assert_true (answer_pcp (&net, 0, 600, 1000));
  assert_mapped (&net, "203.0.113.9:51000", "PCP");
  net_clear (&net);
}

/* Half of what is left, again and again, and the end is told. */
static void
test_pcp_renews (void)
{
  Net net;
  IceTime last = 0;
  guint n = 0;

  net_init (&net);
  answer_pcp (&net, 0, 600, 1000);
  assert_mapped (&net, "203.0.113.9:51000", "PCP");
  g_assert_cmpint (ice_portmap_deadline (net.machine), ==, 300 * ICE_SECOND);
  advance (&net);
  g_assert_cmpuint (net.n_pcp, ==, 1);
  g_assert_cmpuint (net.suggested, ==, OUTER_PORT);
  g_assert_true (answer_pcp (&net, 0, 600, 1300));
  assert_nothing (&net);

  for (last = net.now; net.now < 900 * ICE_SECOND; n++) {
    advance (&net);
    g_assert_cmpint (
        net.now - last, >=, n == 0 ? 300 * ICE_SECOND : ICE_SECOND);
    last = net.now;
  }
  g_assert_cmpuint (n, <, 20);
  assert_failed (&net, "expire");
  g_assert_cmpint (ice_portmap_deadline (net.machine), ==, ICE_TIME_NEVER);
  net_clear (&net);
}

/* An error does not take away what is there. */
static void
test_pcp_renewal_is_refused (void)
{
  Net net;

  net_init (&net);
  answer_pcp (&net, 0, 600, 1000);
  assert_mapped (&net, "203.0.113.9:51000", "PCP");
  advance (&net);
  g_assert_true (answer_pcp (&net, 8, 30, 1300));
  assert_nothing (&net);
  g_assert_cmpint (ice_portmap_deadline (net.machine), ==, 450 * ICE_SECOND);
  net_clear (&net);
}

static void
test_pcp_errors (void)
{
  static const struct
  {
    guint8 code;
    const gchar *cause;
  } errors[] = { { 2, "not authorized" }, { 7, "no address of its own" },
    { 8, "no mapping left" }, { 10, "no mapping left" }, { 12, "another NAT" },
    { 3, "refuses" }, { 99, "refuses" } };

  for (guint i = 0; i < G_N_ELEMENTS (errors); i++) {
    Net net;

    net_init (&net);
    g_assert_true (answer_pcp (&net, errors[i].code, 30, 1000));
    assert_failed (&net, errors[i].cause);
    g_assert_false (answer_pcp (&net, 0, 600, 1000));
    assert_nothing (&net);
    net_clear (&net);
  }
}

static void
test_pcp_nonce (void)
{
  Net net;

  net_init (&net);
  net.nonce[5] ^= 1;
  g_assert_false (answer_pcp (&net, 0, 600, 1000));
  assert_nothing (&net);
  net_clear (&net);
}

/* What a router says is within bounds: a lifetime of a moment, of a century, an
 * address that is none. */
static void
test_pcp_clamps (void)
{
  Net net;

  net_init (&net);
  answer_pcp (&net, 0, 1, 1000);
  assert_mapped (&net, "203.0.113.9:51000", "PCP");
  g_assert_cmpint (ice_portmap_deadline (net.machine), ==, 15 * ICE_SECOND);
  net_clear (&net);

  net_init (&net);
  answer_pcp (&net, 0, G_MAXUINT32, 1000);
  assert_mapped (&net, "203.0.113.9:51000", "PCP");
  g_assert_cmpint (
      ice_portmap_deadline (net.machine), ==, 12 * 3600 * ICE_SECOND);
  net_clear (&net);

  net_init (&net);
  g_assert_false (answer_pcp (&net, 0, 0, 1000));
  assert_nothing (&net);
  net_clear (&net);
}

/* It was restarted: its clock says so with the next answer to anybody of us. */
static void
test_pcp_epoch (void)
{
  Net net;

  net_init (&net);
  answer_pcp (&net, 0, 600, 1000);
  assert_mapped (&net, "203.0.113.9:51000", "PCP");
  net.now = 60 * ICE_SECOND;
  ice_portmap_add (net.machine, 8, ICE_PORTMAP_UDP, PORT + 2, net.now);
  take_packets (&net);
  net.now += ICE_SECOND;
  {
    guint8 data[60] = { 2, 0x81 };

    put_u32 (data + 4, 600);
    put_u32 (data + 8, 3);
    memcpy (data + 24, net.nonce, sizeof net.nonce);
    data[36] = 17;
    data[40] = (PORT + 2) >> 8;
    data[41] = (PORT + 2) & 0xff;
    data[42] = 1;
    data[54] = data[55] = 0xff;
    data[56] = 203;
    data[59] = 9;
    g_assert_true (ice_portmap_receive (
        net.machine, ICE_BYTES (data, sizeof data), net.now));
  }
  g_assert_cmpint (ice_portmap_deadline (net.machine), ==, net.now);
  advance (&net);
  g_assert_cmpuint (net.n_pcp, ==, 1);
  net_clear (&net);
}

static void
test_pcp_removes (void)
{
  Net net;

  net_init (&net);
  answer_pcp (&net, 0, 600, 1000);
  ice_portmap_remove (net.machine, 6);
  take_packets (&net);
  g_assert_cmpuint (net.n_pcp, ==, 0);
  ice_portmap_remove (net.machine, 7);
  take_packets (&net);
  g_assert_cmpuint (net.n_pcp, ==, 1);
  g_assert_cmpuint (net.lifetime, ==, 0);
  g_assert_cmpint (ice_portmap_deadline (net.machine), ==, ICE_TIME_NEVER);
  net_clear (&net);
}

static void
test_silence (void)
{
  Net net;
  guint n = 0;

  net_init (&net);
  for (; ice_portmap_deadline (net.machine) != ICE_TIME_NEVER; n++)
    advance (&net);
  g_assert_cmpuint (n, ==, 4);
  g_assert_cmpint (net.now, ==, 3 * ICE_SECOND);
  assert_failed (&net, "does not answer");
  net_clear (&net);
}

static void
test_refused (void)
{
  Net net;

  net_init (&net);
  ice_portmap_refused (net.machine);
  assert_failed (&net, "does not listen");
  g_assert_cmpint (ice_portmap_deadline (net.machine), ==, ICE_TIME_NEVER);
  net_clear (&net);

  net_init (&net);
  answer_pcp (&net, 0, 600, 1000);
  assert_mapped (&net, "203.0.113.9:51000", "PCP");
  ice_portmap_refused (net.machine);
  assert_nothing (&net);
  net_clear (&net);
}

static void
test_nat_pmp_after_pcp (void)
{
  static const guint8 no[] = { 0, 0x81, 0, 1, 0, 0, 0, 9 };
  Net net;

  net_init (&net);
  g_assert_true (
      ice_portmap_receive (net.machine, ICE_BYTES (no, sizeof no), net.now));
  take_packets (&net);
  g_assert_cmpuint (net.n_pcp, ==, 0);
  g_assert_cmpuint (net.n_map, ==, 1);
  g_assert_cmpuint (net.n_address, ==, 1);
  g_assert_true (answer_nat_pmp_map (&net, 0, 600, 10));
  assert_nothing (&net);
  g_assert_true (answer_nat_pmp_address (&net, 7, 10));
  assert_mapped (&net, "203.0.113.7:51000", "NAT-PMP");
  /* The provider changes it in mid-call. */
  net.now += 20 * ICE_SECOND;
  g_assert_true (answer_nat_pmp_address (&net, 8, 30));
  assert_mapped (&net, "203.0.113.8:51000", "NAT-PMP");
  ice_portmap_close (net.machine);
  take_packets (&net);
  g_assert_cmpuint (net.n_map, ==, 1);
  g_assert_cmpuint (net.lifetime, ==, 0);
  net_clear (&net);
}

/* A router that throws away what it does not know. */
static void
test_nat_pmp_after_silence (void)
{
  Net net;

  net_init (&net);
  advance (&net);
  g_assert_cmpuint (net.n_pcp, ==, 1);
  g_assert_cmpuint (net.n_address, ==, 1);
  g_assert_true (answer_nat_pmp_address (&net, 7, 10));
  g_assert_cmpuint (net.n_map, ==, 1);
  g_assert_true (answer_nat_pmp_map (&net, 0, 600, 10));
  assert_mapped (&net, "203.0.113.7:51000", "NAT-PMP");
  /* Whatever speaks PCP now is not who decided. */
  g_assert_false (answer_pcp (&net, 0, 600, 10));
  net_clear (&net);
}

static void
test_nat_pmp_errors (void)
{
  static const guint8 no_map[] = { 0, 129, 0, 2, 0, 0, 0, 9, PORT >> 8,
    PORT & 0xff, 0, 0, 0, 0, 0, 0 };
  static const guint8 no_address[] = { 0, 128, 0, 3, 0, 0, 0, 9 };
  static const guint8 no_version[] = { 0, 128, 0, 1 };
  Net net;

  net_init (&net);
  g_assert_true (ice_portmap_receive (
      net.machine, ICE_BYTES (no_map, sizeof no_map), net.now));
  assert_failed (&net, "not authorized");
  net_clear (&net);

  net_init (&net);
  g_assert_true (ice_portmap_receive (
      net.machine, ICE_BYTES (no_address, sizeof no_address), net.now));
  assert_failed (&net, "no address of its own");
  net_clear (&net);

  /* Neither of both: no ping-pong of versions. */
  net_init (&net);
  for (guint i = 0; i < 2; i++)
    ice_portmap_receive (
        net.machine, ICE_BYTES (no_version, sizeof no_version), net.now);
  assert_failed (&net, "another version");
  g_assert_cmpint (ice_portmap_deadline (net.machine), ==, ICE_TIME_NEVER);
  net_clear (&net);
}

/* Each prefix of a good answer, and each of its bytes changed: a verdict. */
static void
test_malformed (void)
{
  guint8 good[60] = { 2, 0x81, 0, 0, 0, 0, 2, 0x58, 0, 0, 0, 9 };
  IcePortmapAnswer answer;

  good[36] = 17;
  g_assert_true (ice_portmap_parse (ICE_BYTES (good, sizeof good), &answer));
  for (gsize size = 0; size < sizeof good; size++) {
    g_autofree guint8 *copy = g_memdup2 (good, size);

    g_assert_false (ice_portmap_parse (ICE_BYTES (copy, size), &answer));
  }
  good[1] = 0x01; /* a request */
  g_assert_false (ice_portmap_parse (ICE_BYTES (good, sizeof good), &answer));
  good[1] = 0x82; /* PEER */
  g_assert_false (ice_portmap_parse (ICE_BYTES (good, sizeof good), &answer));
  good[1] = 0x81;
  good[36] = 1; /* ICMP */
  g_assert_false (ice_portmap_parse (ICE_BYTES (good, sizeof good), &answer));
  good[36] = 17;
  good[0] = 3;
  g_assert_false (ice_portmap_parse (ICE_BYTES (good, sizeof good), &answer));
  good[3] = 1;
  g_assert_true (ice_portmap_parse (ICE_BYTES (good, sizeof good), &answer));
  g_assert_cmpint (answer.type, ==, ICE_PORTMAP_ANSWER_VERSION);
}

static void
test_gateway (void)
{
  static const gchar table[] =
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n"
      "eth0\t00000000\t0100000A\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
      "eth0\t00000000\t0200000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
      "eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
      "eth1\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
      "rubbish\n";
  gchar text[ICE_ADDRESS_STRLEN];
  IceAddress gateway;

  g_assert_true (ice_gateway_parse (table, "eth0", &gateway));
  if (G_BYTE_ORDER == G_LITTLE_ENDIAN)
    g_assert_cmpstr (ice_address_ip_to_string (&gateway, text), ==, "10.0.0.2");
  g_assert_false (ice_gateway_parse (table, "eth1", &gateway));
  g_assert_false (ice_gateway_parse (table, "wlan0", &gateway));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc6887/11/map", test_pcp_maps);
  g_test_add_func ("/rfc6887/11.2.1/renewal", test_pcp_renews);
  g_test_add_func (
      "/rfc6887/11.2.1/renewal-is-refused", test_pcp_renewal_is_refused);
  g_test_add_func ("/rfc6887/7.4/results", test_pcp_errors);
  g_test_add_func ("/rfc6887/11.4/nonce", test_pcp_nonce);
  g_test_add_func ("/rfc6887/15/bounds", test_pcp_clamps);
  g_test_add_func ("/rfc6887/8.5/epoch", test_pcp_epoch);
  g_test_add_func ("/rfc6887/15/delete", test_pcp_removes);
  g_test_add_func ("/rfc6887/8.1.1/silence", test_silence);
  g_test_add_func ("/portmap/refused", test_refused);
  g_test_add_func ("/rfc6886/3.3/after-pcp", test_nat_pmp_after_pcp);
  g_test_add_func ("/rfc6886/3.1/after-silence", test_nat_pmp_after_silence);
  g_test_add_func ("/rfc6886/3.5/results", test_nat_pmp_errors);
  g_test_add_func ("/portmap/malformed", test_malformed);
  g_test_add_func ("/portmap/gateway", test_gateway);
  return g_test_run ();
}
