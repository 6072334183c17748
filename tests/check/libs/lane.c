/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sockets connected to selected pairs, and readers that read them themselves:
 * what a test of concurrency can do is to change everything while it runs. */
#include "call.h"
#include "stranger.h"

#include "gst/ice/gsticetransport-private.h"
#include "gst/ice/io/udp-batch.h"

#define PACKET_SIZE 500
/* As many as fit a receive buffer of 208 KiB, with what it counts for each. */
#define WINDOW 64

typedef struct
{
  GstIceStream *from, *to;
  guint n_wanted; /* 0: until stopped */
  gboolean lossy; /* the pair changes: some may get lost or late */
  guint pause_ms; /* the reader stays away, each 100 packets */
  GThread *sender, *reader;
  GCancellable *cancellable;
  gint stopped;             /* atomic */
  guint n_sent, n_received; /* atomic */
  gint error;               /* atomic: what ended the reader, GQuark */
} Flow;

static GstBuffer *
make_packet (guint number)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, PACKET_SIZE, NULL);
  const guint8 head[6] = { 0x80, 96, (guint8) (number >> 24),
    (guint8) (number >> 16), (guint8) (number >> 8), (guint8) number };

  gst_buffer_memset (buffer, 0, 0, PACKET_SIZE);
  gst_buffer_fill (buffer, 0, head, sizeof head);
  return buffer;
}

static guint
read_number (GstBuffer *buffer)
{
  guint32 number;

  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, PACKET_SIZE);
  gst_buffer_extract (buffer, 2, &number, sizeof number);
  return GUINT32_FROM_BE (number);
}

static gpointer
run_sender (gpointer data)
{
  Flow *self = data;
  g_autoptr (GstIceTransport) out =
      gst_ice_stream_get_transport (self->from, 1);
  gint64 patience = g_get_monotonic_time () + CALL_TIMEOUT;
  guint n = 0, last_received = 0;

  while (!g_atomic_int_get (&self->stopped) &&
      (self->n_wanted == 0 || n < self->n_wanted)) {
    const guint received = g_atomic_int_get (&self->n_received);
    const guint n_list = 1 + n % 7;
    g_autoptr (GstBufferList) list = NULL;

    if (received != last_received || self->n_wanted == 0)
      patience = g_get_monotonic_time () + CALL_TIMEOUT;
    last_received = received;
    g_assert_cmpint (g_get_monotonic_time (), <, patience);
    if (n - received > WINDOW) {
      g_usleep (200);
      if (self->n_wanted != 0)
        continue;
    }
    list = gst_buffer_list_new ();
    for (guint i = 0; i < n_list; i++)
      gst_buffer_list_add (list, make_packet (n++));
    gst_ice_transport_send_list (out, list, NULL, NULL);
    g_atomic_int_set (&self->n_sent, n);
    if (n % 3 == 0)
      g_usleep (300);
  }
  return NULL;
}

static void
take (Flow *self, GstBufferList *list)
{
  for (guint i = 0; i < gst_buffer_list_length (list); i++) {
    const guint number = read_number (gst_buffer_list_get (list, i));
    const guint expected = g_atomic_int_get (&self->n_received);

    if (!self->lossy)
      g_assert_cmpuint (number, ==, expected);
    g_atomic_int_set (&self->n_received, expected + 1);
    if (self->pause_ms > 0 && expected % 100 == 99)
      g_usleep (self->pause_ms * G_TIME_SPAN_MILLISECOND);
  }
}

static gpointer
run_reader (gpointer data)
{
  Flow *self = data;
  g_autoptr (GstIceTransport) in = gst_ice_stream_get_transport (self->to, 1);

  for (;;) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstBufferList) list =
        gst_ice_transport_receive (in, self->cancellable, &error);

    if (list == NULL) {
      g_atomic_int_set (&self->error, (gint) error->domain);
      return NULL;
    }
    take (self, list);
  }
}

static Flow *
flow_new (GstIceStream *from, GstIceStream *to, guint n_wanted)
{
  Flow *self = g_new0 (Flow, 1);

  self->from = gst_object_ref (from);
  self->to = gst_object_ref (to);
  self->n_wanted = n_wanted;
  self->cancellable = g_cancellable_new ();
  return self;
}

static void
flow_start (Flow *self)
{
  self->reader = g_thread_new ("reader", run_reader, self);
  self->sender = g_thread_new ("sender", run_sender, self);
}

static void
flow_free (Flow *self)
{
  g_atomic_int_set (&self->stopped, TRUE);
  g_cancellable_cancel (self->cancellable);
  g_thread_join (self->sender);
  g_thread_join (self->reader);
  g_object_unref (self->cancellable);
  gst_object_unref (self->from);
  gst_object_unref (self->to);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Flow, flow_free)

static guint
flow_count (Flow *self)
{
  return (guint) g_atomic_int_get (&self->n_received);
}

static gboolean
flow_is_done (Flow *self)
{
  return flow_count (self) >= self->n_wanted;
}

/* More came, so many at least, than there had. */
static void
flow_wait_for_more (Flow *self, guint n)
{
  const guint before = flow_count (self);

  wait_until (flow_count (self) >= before + n);
}

static gboolean
have_lanes (void)
{
  if (ice_udp_batch_resolve (ICE_UDP_BATCH_DEFAULT) == ICE_UDP_BATCH_LINUX)
    return TRUE;
  g_test_skip ("sockets are connected by the Linux backend only");
  return FALSE;
}

static gboolean
has_lane (GstIceStream *stream)
{
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (stream, 1);

  return gst_ice_link_has_lane (gst_ice_transport_get_link (transport));
}

static Call *
new_ipv4_call (void)
{
  Call *call = call_new ();

  g_object_set (call->a.agent, "ip-family", GST_ICE_IP_FAMILY_IPV4, NULL);
  g_object_set (call->b.agent, "ip-family", GST_ICE_IP_FAMILY_IPV4, NULL);
  return call;
}

/* Tests */

static void
test_opens (void)
{
  g_autoptr (Call) call = new_ipv4_call ();
  g_autoptr (Flow) there = NULL, back = NULL;

  if (!have_lanes ())
    return;
  g_test_summary ("What has carried media for a moment gets a socket of its "
                  "own on both sides; nothing is lost or overtaken meanwhile");
  call_connect (call);
  g_assert_false (has_lane (call->a.stream));
  there = flow_new (call->a.stream, call->b.stream, 5000);
  back = flow_new (call->b.stream, call->a.stream, 5000);
  flow_start (there);
  flow_start (back);
  wait_until (has_lane (call->a.stream) && has_lane (call->b.stream));
  wait_until (flow_is_done (there) && flow_is_done (back));
}

static void
test_one_way (void)
{
  g_autoptr (Call) call = new_ipv4_call ();
  g_autoptr (Flow) flow = NULL;

  if (!have_lanes ())
    return;
  g_test_summary ("Who only sends has one, too");
  call_connect (call);
  flow = flow_new (call->a.stream, call->b.stream, 3000);
  flow_start (flow);
  wait_until (has_lane (call->a.stream) && has_lane (call->b.stream));
  wait_until (flow_is_done (flow));
}

static void
test_absent_reader (void)
{
  g_autoptr (Call) call = new_ipv4_call ();
  g_autoptr (Flow) flow = NULL;

  g_test_summary ("While the reader is elsewhere the loop reads: all is there, "
                  "in order, when it comes back");
  call_connect (call);
  flow = flow_new (call->a.stream, call->b.stream, 2000);
  flow->pause_ms = 120;
  flow_start (flow);
  wait_until (flow_is_done (flow));
}

static void
test_cancel (void)
{
  g_autoptr (Call) call = new_ipv4_call ();

  g_test_summary ("A reader that waits in its own socket hears of a cancel, "
                  "over and over");
  call_connect (call);
  for (guint i = 0; i < 20; i++) {
    Flow *flow = flow_new (call->a.stream, call->b.stream, 100);

    flow->lossy = TRUE; /* the numbers begin anew */
    flow_start (flow);
    wait_until (flow_is_done (flow));
    g_cancellable_cancel (flow->cancellable);
    wait_until (g_atomic_int_get (&flow->error) == (gint) G_IO_ERROR);
    flow_free (flow);
  }
}

static void
test_close (void)
{
  g_test_summary ("Closed while it reads and sends: the reader is told");
  for (guint i = 0; i < 10; i++) {
    g_autoptr (Call) call = new_ipv4_call ();
    g_autoptr (Flow) flow = NULL;

    g_test_summary ("Closed while it reads and sends: the reader is told");
    call_connect (call);
    flow = flow_new (call->a.stream, call->b.stream, 0);
    flow->lossy = TRUE;
    flow_start (flow);
    wait_until (has_lane (call->b.stream) || !have_lanes ());
    flow_wait_for_more (flow, 20 * i);
    gst_ice_agent_close_async (
        i % 2 ? call->a.agent : call->b.agent, NULL, NULL, NULL);
    if (i % 2 == 0)
      wait_until (g_atomic_int_get (&flow->error) == (gint) GST_ICE_ERROR);
  }
}

static void
test_restart (void)
{
  g_autoptr (Call) call = new_ipv4_call ();
  g_autoptr (Flow) there = NULL, back = NULL;

  g_test_summary ("ICE restarts while both read and send: checks that come to "
                  "the connected socket reach the agent, and media goes on");
  call_connect (call);
  there = flow_new (call->a.stream, call->b.stream, 0);
  back = flow_new (call->b.stream, call->a.stream, 0);
  there->lossy = back->lossy = TRUE;
  flow_start (there);
  flow_start (back);
  for (guint i = 0; i < 5; i++) {
    flow_wait_for_more (there, 200);
    flow_wait_for_more (back, 200);
    g_ptr_array_set_size (call->a.events, 0);
    gst_ice_agent_restart (call->a.agent);
    call_negotiate (call);
    wait_until (side_saw (&call->a, "selected-pair"));
    flow_wait_for_more (there, 200);
    flow_wait_for_more (back, 200);
  }
}

static void
test_pair_changes (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GPtrArray) locals = NULL, remotes = NULL;
  g_autoptr (Flow) there = NULL, back = NULL;
  guint n_changes = 0;

  g_test_summary ("The selected pair changes while both read and send");
  call_connect (call);
  there = flow_new (call->a.stream, call->b.stream, 0);
  back = flow_new (call->b.stream, call->a.stream, 0);
  there->lossy = back->lossy = TRUE;
  flow_start (there);
  flow_start (back);
  for (guint round = 0; round < 6; round++) {
    g_clear_pointer (&locals, g_ptr_array_unref);
    g_clear_pointer (&remotes, g_ptr_array_unref);
    locals = gst_ice_stream_get_local_candidates (call->a.stream);
    remotes = gst_ice_stream_get_remote_candidates (call->a.stream);
    for (guint i = 0; i < locals->len * remotes->len; i++) {
      if (gst_ice_stream_set_selected_pair (call->a.stream, 1,
              locals->pdata[i % locals->len], remotes->pdata[i / locals->len],
              NULL)) {
        n_changes++;
        call_run_for (round % 2 ? 10 : 130);
      }
    }
    flow_wait_for_more (there, 100);
    flow_wait_for_more (back, 100);
  }
  g_test_message ("%u changes", n_changes);
  g_assert_cmpuint (n_changes, >=, 6);
}

/* Hostile neighbours */

static gpointer
run_stranger (gpointer data)
{
  Flow *flow = data;
  g_autoptr (GPtrArray) candidates =
      gst_ice_stream_get_local_candidates (flow->to);
  const guint16 port = gst_ice_candidate_get_port (candidates->pdata[0]);
  guint8 noise[100] = { 0x80 };
  Stranger stranger;

  stranger_init (&stranger);
  while (!g_atomic_int_get (&flow->stopped) && !flow_is_done (flow)) {
    for (guint i = 0; i < 200; i++)
      stranger_send (&stranger, port, noise, sizeof noise);
    g_thread_yield ();
  }
  stranger_clear (&stranger);
  return NULL;
}

static void
test_stranger (void)
{
  g_autoptr (Call) call = new_ipv4_call ();
  g_autoptr (Flow) flow = NULL;
  GThread *thread;

  if (!have_lanes ())
    return;
  g_test_summary ("A stranger's flood at the port takes no packet of media "
                  "along: the kernel keeps them apart");
  call_connect (call);
  flow = flow_new (call->a.stream, call->b.stream, 2000);
  flow_start (flow);
  wait_until (has_lane (call->b.stream));
  thread = g_thread_new ("stranger", run_stranger, flow);
  wait_until (flow_is_done (flow));
  g_thread_join (thread);
}

static void
test_mux (void)
{
  const guint16 port = find_free_port ();
  g_autoptr (Call) first = new_ipv4_call (), second = new_ipv4_call ();
  g_autoptr (Flow) one = NULL, other = NULL;

  if (!have_lanes ())
    return;
  g_test_summary ("Two agents of one port, a socket for each of their pairs");
  g_object_set (first->a.agent, "mux-port", (guint) port, NULL);
  g_object_set (second->a.agent, "mux-port", (guint) port, NULL);
  call_connect (first);
  call_connect (second);
  one = flow_new (first->b.stream, first->a.stream, 3000);
  other = flow_new (second->b.stream, second->a.stream, 3000);
  flow_start (one);
  flow_start (other);
  wait_until (has_lane (first->a.stream) && has_lane (second->a.stream));
  wait_until (flow_is_done (one) && flow_is_done (other));
}

static void
test_coalesce (void)
{
  g_autoptr (Call) call = new_ipv4_call ();
  g_autoptr (GstIceTransport) transport = NULL;
  g_autoptr (Flow) flow = NULL;
  guint us = 0;

  g_test_summary ("A reader that waits for more gets all, in order");
  transport = gst_ice_stream_get_transport (call->b.stream, 1);
  g_object_set (transport, "receive-coalesce", 500, NULL);
  g_object_get (transport, "receive-coalesce", &us, NULL);
  g_assert_cmpuint (us, ==, 500);
  call_connect (call);
  flow = flow_new (call->a.stream, call->b.stream, 3000);
  flow_start (flow);
  wait_until (flow_is_done (flow));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lane/opens", test_opens);
  g_test_add_func ("/lane/one-way", test_one_way);
  g_test_add_func ("/lane/absent-reader", test_absent_reader);
  g_test_add_func ("/lane/cancel", test_cancel);
  g_test_add_func ("/lane/close", test_close);
  g_test_add_func ("/lane/restart", test_restart);
  g_test_add_func ("/lane/pair-changes", test_pair_changes);
  g_test_add_func ("/lane/stranger", test_stranger);
  g_test_add_func ("/lane/mux", test_mux);
  g_test_add_func ("/lane/coalesce", test_coalesce);
  return call_run_tests ();
}
