/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DSCP and ECN of streams and of packets, there and back over loopback. */
#include "call.h"
#include "stranger.h"

#include "gst/ice/io/udp-batch.h"

#define EF 46   /* RFC 3246 */
#define AF41 34 /* RFC 2597 */

typedef struct
{
  gint dscp; /* -2: no meta */
  GstIceEcn ecn;
  gint want_dscp; /* with a stream of AF41 */
} Row;

/* Runs of one mark, of several lengths, and packets that stand alone. */
static const Row rows[] = {
  { -2, 0, AF41 },
  { -2, 0, AF41 },
  { GST_ICE_DSCP_DEFAULT, GST_ICE_ECN_ECT_1, AF41 },
  { GST_ICE_DSCP_DEFAULT, GST_ICE_ECN_ECT_1, AF41 },
  { EF, GST_ICE_ECN_ECT_1, EF },
  { EF, GST_ICE_ECN_ECT_0, EF },
  { EF, GST_ICE_ECN_CE, EF },
  { 0, GST_ICE_ECN_CE, 0 },
  { 0, GST_ICE_ECN_NOT_ECT, 0 },
  { 63, GST_ICE_ECN_CE, 63 },
  { -2, 0, AF41 },
};

static GstBufferList *
make_list (guint n_rounds)
{
  GstBufferList *list = gst_buffer_list_new ();

  for (guint i = 0; i < n_rounds * G_N_ELEMENTS (rows); i++) {
    const Row *row = &rows[i % G_N_ELEMENTS (rows)];
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 300, NULL);

    gst_buffer_memset (buffer, 0, 0x80, 300);
    gst_buffer_memset (buffer, 1, (guint8) i, 1);
    if (row->dscp != -2)
      gst_ice_buffer_add_traffic_meta (buffer, row->dscp, row->ecn);
    gst_buffer_list_add (list, buffer);
  }
  return list;
}

static void
assert_marked (GstBuffer *buffer, gint dscp, GstIceEcn ecn)
{
  const GstIceTrafficMeta *meta = gst_ice_buffer_get_traffic_meta (buffer);

  if (dscp == 0 && ecn == 0) {
    g_assert_null (meta);
    return;
  }
  g_assert_nonnull (meta);
  g_assert_cmpint (meta->dscp, ==, dscp);
  g_assert_cmpint (meta->ecn, ==, ecn);
}

static void
expect_list (GstIceTransport *in, guint n)
{
  guint n_received = 0;

  while (n_received < n) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstBufferList) list =
        gst_ice_transport_receive (in, NULL, &error);

    g_assert_no_error (error);
    for (guint i = 0; i < gst_buffer_list_length (list); i++) {
      const Row *row = &rows[n_received % G_N_ELEMENTS (rows)];
      GstBuffer *buffer = gst_buffer_list_get (list, i);
      guint8 number;

      gst_buffer_extract (buffer, 1, &number, 1);
      g_assert_cmpuint (number, ==, (guint8) n_received++);
      assert_marked (buffer, row->want_dscp, row->ecn);
    }
  }
}

static gboolean
has_marks (void)
{
  if (ice_udp_batch_resolve (ICE_UDP_BATCH_DEFAULT) == ICE_UDP_BATCH_LINUX)
    return TRUE;
  g_test_skip ("the generic UDP backend neither sends nor sees marks");
  return FALSE;
}

static void
exchange_marks (Call *call)
{
  g_autoptr (GstIceTransport) out =
      gst_ice_stream_get_transport (call->a.stream, 1);
  g_autoptr (GstIceTransport) in =
      gst_ice_stream_get_transport (call->b.stream, 1);
  g_autoptr (GstBufferList) list = make_list (10);
  g_autoptr (GError) error = NULL;
  const guint n = gst_buffer_list_length (list);
  guint n_sent;

  gst_ice_transport_send_list (out, list, &n_sent, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_sent, ==, n);
  expect_list (in, n);
}

static void
test_packets (gconstpointer family)
{
  g_autoptr (Call) call = NULL;

  g_test_summary ("Each packet of a list has the mark of its meta, and without "
                  "one that of its stream (RFC 3168 5, RFC 9331)");
  if (!has_marks ())
    return;
  call = call_new ();
  g_object_set (
      call->a.agent, "ip-family", GPOINTER_TO_INT (family), "dscp", 10, NULL);
  g_object_set (call->a.stream, "dscp", AF41, NULL);
  call_connect (call);
  exchange_marks (call);
}

static void
expect_dscp (Call *call, gint dscp)
{
  g_autoptr (GstIceTransport) out =
      gst_ice_stream_get_transport (call->a.stream, 1);
  g_autoptr (GstIceTransport) in =
      gst_ice_stream_get_transport (call->b.stream, 1);
  g_autoptr (GBytes) packet = g_bytes_new_static ("\x80 media", 7);
  g_autoptr (GstBufferList) list = NULL;
  g_autoptr (GError) error = NULL;

  gst_ice_transport_send (out, packet, &error);
  g_assert_no_error (error);
  list = gst_ice_transport_receive (in, NULL, &error);
  g_assert_no_error (error);
  assert_marked (gst_buffer_list_get (list, 0), dscp, GST_ICE_ECN_NOT_ECT);
}

static gint
sent_dscp (Call *call)
{
  g_autoptr (GstIceTransport) out =
      gst_ice_stream_get_transport (call->a.stream, 1);
  g_autoptr (GstIceTransport) in =
      gst_ice_stream_get_transport (call->b.stream, 1);
  g_autoptr (GBytes) packet = g_bytes_new_static ("\x80 media", 7);
  g_autoptr (GstBufferList) list = NULL;
  const GstIceTrafficMeta *meta;

  gst_ice_transport_send (out, packet, NULL);
  list = gst_ice_transport_receive (in, NULL, NULL);
  meta = gst_ice_buffer_get_traffic_meta (gst_buffer_list_get (list, 0));
  return meta ? meta->dscp : 0;
}

static void
test_shared_port (void)
{
  const guint16 port = find_free_port ();
  g_autoptr (Call) voice = NULL, other = NULL;

  g_test_summary (
      "On one port each agent has its own DSCP, which it may change");
  if (!has_marks ())
    return;
  voice = call_new ();
  other = call_new ();
  g_object_set (voice->a.agent, "mux-port", (guint) port, "dscp", EF, NULL);
  g_object_set (other->a.agent, "mux-port", (guint) port, NULL);
  call_connect (voice);
  call_connect (other);
  expect_dscp (voice, EF);
  expect_dscp (other, 0);
  exchange_marks (({
    g_object_set (other->a.stream, "dscp", AF41, NULL);
    wait_until (sent_dscp (other) == AF41);
    other;
  }));
  expect_dscp (voice, EF);
}

static void
test_meta (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstBuffer) copy = NULL;
  const GstIceTrafficMeta *meta;

  g_test_summary ("The meta is copied with its buffer");
  g_assert_null (gst_ice_buffer_get_traffic_meta (buffer));
  g_assert_nonnull (
      gst_ice_buffer_add_traffic_meta (buffer, EF, GST_ICE_ECN_ECT_1));
  copy = gst_buffer_copy (buffer);
  meta = gst_ice_buffer_get_traffic_meta (copy);
  g_assert_cmpint (meta->dscp, ==, EF);
  g_assert_cmpint (meta->ecn, ==, GST_ICE_ECN_ECT_1);
}

int
main (int argc, char *argv[])
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/traffic/meta", test_meta);
  g_test_add_data_func ("/rfc3168/5/ipv4",
      GINT_TO_POINTER (GST_ICE_IP_FAMILY_IPV4), test_packets);
  g_test_add_data_func ("/rfc3168/5/ipv6",
      GINT_TO_POINTER (GST_ICE_IP_FAMILY_IPV6), test_packets);
  g_test_add_func ("/rfc2474/3/shared-port", test_shared_port);
  return call_run_tests ();
}
