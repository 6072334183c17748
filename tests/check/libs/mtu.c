/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* max-payload on paths that take less than an Ethernet, in a network namespace
 * of this process: what the interface says, what a router says, and where
 * nobody says anything. */
#include "call.h"

#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gio/gio.h>
#include <arpa/inet.h>

#include "gst/ice/io/udp-batch.h"

static gboolean isolated;

static gboolean
run_command (const gchar *command)
{
  gint status;

  return g_spawn_command_line_sync (command, NULL, NULL, &status, NULL) &&
      status == 0;
}

static gboolean
can_measure (void)
{
  if (!isolated)
    g_test_skip ("no network namespace: needs root, ip and nft");
  else if (ice_udp_batch_resolve (ICE_UDP_BATCH_DEFAULT) != ICE_UDP_BATCH_LINUX)
    g_test_skip ("the generic UDP backend does not do that");
  else
    return TRUE;
  return FALSE;
}

static void
set_mtu (guint mtu)
{
  g_autofree gchar *command = g_strdup_printf ("ip link set lo mtu %u", mtu);

  g_assert_true (run_command (command));
}

static Call *
new_call (GstIceIpFamily family)
{
  Call *call = call_new ();

  g_object_set (call->a.agent, "ip-family", family, NULL);
  g_object_set (call->b.agent, "ip-family", family, NULL);
  return call;
}

static guint
max_payload (Side *side)
{
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (side->stream, 1);
  guint size;

  g_object_get (transport, "max-payload", &size, NULL);
  return size;
}

static void
on_notify (GObject *transport, GParamSpec *pspec, guint *n)
{
  ++*n;
}

static void
test_interface (void)
{
  static const guint rows[][3] = { { 1500, 1472, 1452 }, { 1400, 1372, 1352 },
    { 65536, 1472, 1452 }, { 1280, 1252, 1232 } };

  g_test_summary ("What the interface takes, an Ethernet's at most");
  if (!can_measure ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (guint ipv6 = 0; ipv6 < 2; ipv6++) {
      g_autoptr (Call) call = NULL;

      set_mtu (rows[i][0]);
      call = new_call (ipv6 ? GST_ICE_IP_FAMILY_IPV6 : GST_ICE_IP_FAMILY_IPV4);
      call_connect (call);
      wait_until (max_payload (&call->a) == rows[i][1 + ipv6]);
    }
  }
}

static void
test_black_hole (void)
{
  g_autoptr (Call) call = NULL;
  g_autoptr (GstIceTransport) transport = NULL;
  guint n_notified = 0;

  g_test_summary ("A path that drops what is too large, and says nothing, is "
                  "measured; media passes before, meanwhile and after "
                  "(RFC 8899 4.3)");
  if (!can_measure ())
    return;
  set_mtu (1500);
  g_assert_true (run_command ("nft add table ip hole"));
  g_assert_true (run_command ("nft add chain ip hole in { type filter hook "
                              "input priority 0 \\; }"));
  g_assert_true (
      run_command ("nft add rule ip hole in meta length > 1430 drop"));
  call = new_call (GST_ICE_IP_FAMILY_IPV4);
  g_object_set (call->a.agent, "mtu-probing", TRUE, NULL);
  transport = gst_ice_stream_get_transport (call->a.stream, 1);
  call_connect (call);
  g_signal_connect (
      transport, "notify::max-payload", G_CALLBACK (on_notify), &n_notified);
  call_exchange (call->a.stream, call->b.stream, 20, 1400);
  /* Four sizes are lost three times a second apart, two are answered. */
  call_run_for (8000);
  call_exchange (call->a.stream, call->b.stream, 20, 1400);
  wait_until (max_payload (&call->a) == 1420 - 28);
  g_assert_cmpuint (n_notified, >=, 1);
  call_exchange (call->a.stream, call->b.stream, 20, 1420 - 28);
  g_assert_cmpuint (max_payload (&call->b), ==, 1472); /* who did not ask */
  g_assert_true (run_command ("nft delete table ip hole"));
  g_signal_handlers_disconnect_by_data (transport, &n_notified);
}

static guint16
port_of (Side *side, const gchar *property)
{
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (side->stream, 1);
  g_autoptr (GstIceCandidate) candidate = NULL;

  g_object_get (transport, property, &candidate, NULL);
  return (guint16) gst_ice_candidate_get_port (candidate);
}

static void
test_dont_fragment (void)
{
  g_autoptr (Call) call = NULL;
  g_autoptr (GstIceTransport) transport = NULL;
  g_autoptr (GBytes) large = g_bytes_new_take (g_malloc0 (1400), 1400);
  g_autoptr (GError) error = NULL;

  g_test_summary ("With dont-fragment what the interface does not take is "
                  "refused, and the next packet is not");
  if (!can_measure ())
    return;
  set_mtu (1400);
  call = new_call (GST_ICE_IP_FAMILY_IPV4);
  g_object_set (call->a.agent, "dont-fragment", TRUE, NULL);
  call_connect (call);
  transport = gst_ice_stream_get_transport (call->a.stream, 1);
  g_assert_false (gst_ice_transport_send (transport, large, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
  call_exchange (call->a.stream, call->b.stream, 20, 1372);
  /* Who did not ask for it has them fragmented. */
  call_exchange (call->b.stream, call->a.stream, 20, 1400);
}

/* RFC 792: "fragmentation needed and DF set", RFC 1191 4: the MTU. */
static void
send_too_big (guint16 from, guint16 to, guint16 mtu)
{
  const gint fd = socket (AF_INET, SOCK_RAW, IPPROTO_ICMP);
  struct sockaddr_in where = { .sin_family = AF_INET,
    .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  struct
  {
    struct icmphdr icmp;
    struct iphdr ip;
    struct udphdr udp;
  } packet = {
    .icmp = { .type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED },
    .ip = { .version = 4,
        .ihl = 5,
        .tot_len = htons (1500),
        .frag_off = htons (IP_DF),
        .protocol = IPPROTO_UDP,
        .ttl = 60,
        .saddr = htonl (INADDR_LOOPBACK),
        .daddr = htonl (INADDR_LOOPBACK) },
    .udp = { .source = htons (from), .dest = htons (to) },
  };
  guint16 words[sizeof packet / 2];
  guint32 sum = 0;

  packet.icmp.un.frag.mtu = htons (mtu);
  memcpy (words, &packet, sizeof packet);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    sum += words[i];
  sum = (sum >> 16) + (sum & 0xffff);
  packet.icmp.checksum = (guint16) ~(sum + (sum >> 16));
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (sendto (fd, &packet, sizeof packet, 0,
                       (struct sockaddr *) &where, sizeof where),
      ==, sizeof packet);
  close (fd);
}

static void
test_router (void)
{
  g_autoptr (Call) call = NULL;

  g_test_summary ("A router's word changes max-payload, and the error that is "
                  "left pending eats no packet (RFC 1191)");
  if (!can_measure ())
    return;
  set_mtu (1500);
  call = new_call (GST_ICE_IP_FAMILY_IPV4);
  g_object_set (call->a.agent, "dont-fragment", TRUE, NULL);
  call_connect (call);
  wait_until (max_payload (&call->a) == 1472);
  for (guint i = 0; i < 5; i++) {
    send_too_big (port_of (&call->a, "selected-local"),
        port_of (&call->a, "selected-remote"), 1300);
    call_exchange (call->a.stream, call->b.stream, 10, 1000);
  }
  wait_until (max_payload (&call->a) == 1300 - 28);
  g_assert_cmpuint (max_payload (&call->b), ==, 1472);
}

int
main (int argc, char *argv[])
{
  /* Before there is any thread. */
  isolated = unshare (CLONE_NEWNET) == 0 && run_command ("ip link set lo up") &&
      run_command ("nft list ruleset");
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mtu/interface", test_interface);
  g_test_add_func ("/rfc8899/4.3/black-hole", test_black_hole);
  g_test_add_func ("/mtu/dont-fragment", test_dont_fragment);
  g_test_add_func ("/rfc1191/4/router", test_router);
  return call_run_tests ();
}
