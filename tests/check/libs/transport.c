/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The transport object: signals, one reader, connecting. The tests are the
 * loop thread of its link, and the route is scripted. */
#include "gst/ice/gsticetransport-private.h"

#include <string.h>

#include "gst/ice/ice.h"
#include "tests/check/libs/fake-route.h"

typedef struct
{
  GMainContext *context; /* where signals run */
  GstIceAgent *agent;
  GstIceStream *stream;
  GstIceLink *link;
  GstIceRoute *route;
  GstIceTransport *transport;
  guint next;
} Fixture;

static void
set_up (Fixture *self, gconstpointer unused)
{
  self->context = g_main_context_new ();
  self->agent =
      g_object_new (GST_TYPE_ICE_AGENT, "main-context", self->context, NULL);
  gst_object_ref_sink (self->agent);
  self->stream = gst_ice_agent_request_stream (self->agent, "0");
  self->link = gst_ice_link_new ();
  self->route = fake_route_new ();
  self->transport = gst_ice_transport_new (self->stream, 1, self->link);
}

static void
tear_down (Fixture *self, gconstpointer unused)
{
  g_assert_cmpint (GST_OBJECT_REFCOUNT_VALUE (self->transport), ==, 1);
  gst_object_unref (self->transport);
  gst_ice_link_unref (self->link);
  gst_ice_route_unref (self->route);
  gst_object_unref (self->stream);
  gst_object_unref (self->agent);
  g_main_context_unref (self->context);
}

static void
push (Fixture *self, guint n)
{
  IceAddress peer;
  guint i;

  g_assert_true (ice_address_parse (&peer, "192.0.2.1", 5000));
  for (i = 0; i < n; i++) {
    const guint8 data[] = { (guint8) (self->next >> 8), (guint8) self->next };

    self->next++;
    gst_ice_link_push_bytes (
        self->link, &peer, ICE_BYTES (data, sizeof (data)), 1);
  }
  gst_ice_link_wake (self->link);
}

#define run_until(self, condition)                                             \
  G_STMT_START                                                                 \
  {                                                                            \
    while (!(condition))                                                       \
      g_main_context_iteration ((self)->context, TRUE);                        \
  }                                                                            \
  G_STMT_END

static void
run_pending (Fixture *self)
{
  while (g_main_context_iteration (self->context, FALSE)) {
  }
}

/* The packet signal */

typedef struct
{
  GstIceTransport *transport;
  guint n_packets, stop_at;
  gulong handler;
} Counter;

static void
on_packet (GstIceTransport *transport, GBytes *packet, Counter *self)
{
  const guint8 *data = g_bytes_get_data (packet, NULL);

  g_assert_cmpuint (g_bytes_get_size (packet), ==, 2);
  g_assert_cmpuint (data[0] << 8 | data[1], ==, self->n_packets);
  self->n_packets++;
  if (self->n_packets == self->stop_at)
    g_signal_handler_disconnect (transport, self->handler);
}

static void
test_packet (Fixture *self, gconstpointer unused)
{
  Counter counter = { 0 };

  g_signal_connect (
      self->transport, "packet", G_CALLBACK (on_packet), &counter);
  push (self, 3);
  g_assert_cmpuint (counter.n_packets, ==, 0);
  run_pending (self);
  g_assert_cmpuint (counter.n_packets, ==, 3);
  /* More than one visit brings. */
  push (self, 1000);
  run_pending (self);
  g_assert_cmpuint (counter.n_packets, ==, 1003);
}

static void
test_packet_was_there (Fixture *self, gconstpointer unused)
{
  Counter counter = { 0 };

  push (self, 5);
  run_pending (self);
  g_signal_connect (
      self->transport, "packet", G_CALLBACK (on_packet), &counter);
  /* Nothing else comes. */
  run_until (self, counter.n_packets == 5);
}

static void
test_packet_handler_goes (Fixture *self, gconstpointer unused)
{
  Counter counter = { .stop_at = 4 };
  g_autoptr (GstBufferList) list = NULL;
  g_autoptr (GError) error = NULL;

  counter.handler = g_signal_connect (
      self->transport, "packet", G_CALLBACK (on_packet), &counter);
  g_assert_null (gst_ice_transport_receive (self->transport, NULL, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY);
  g_clear_error (&error);

  push (self, 10);
  run_pending (self);
  g_assert_cmpuint (counter.n_packets, ==, 4);
  /* The rest is the next reader's. */
  list = gst_ice_transport_receive (self->transport, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (gst_buffer_list_length (list), ==, 6);
}

static void
receive_here (GstIceTransport *transport, GBytes *packet, guint *n)
{
  g_autoptr (GError) error = NULL;

  (*n)++;
  g_assert_null (gst_ice_transport_receive (transport, NULL, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE);
}

static void
test_would_deadlock (Fixture *self, gconstpointer unused)
{
  guint n = 0;

  g_signal_connect (self->transport, "packet", G_CALLBACK (receive_here), &n);
  push (self, 1);
  run_until (self, n == 1);
}

static gpointer
receive_thread (gpointer user_data)
{
  Fixture *self = user_data;
  guint n = 0;

  for (;;) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstBufferList) list =
        gst_ice_transport_receive (self->transport, NULL, &error);

    if (!list) {
      g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
      return GUINT_TO_POINTER (n);
    }
    n += gst_buffer_list_length (list);
  }
}

static void
test_receive (Fixture *self, gconstpointer unused)
{
  GThread *thread = g_thread_new ("receive", receive_thread, self);
  g_autoptr (GError) error = NULL;
  guint i;

  for (i = 0; i < 100; i++)
    push (self, 10);
  gst_ice_link_close (self->link);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (thread)), ==, self->next);
  g_assert_null (gst_ice_transport_receive (self->transport, NULL, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
}

static void
test_receive_cancelled (Fixture *self, gconstpointer unused)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  push (self, 1);
  g_assert_null (
      gst_ice_transport_receive (self->transport, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Without a main context of the application's own. */
static void
on_packet_elsewhere (GstIceTransport *transport, GBytes *packet, gint *n)
{
  g_atomic_int_inc (n);
}

static void
test_service_thread (void)
{
  g_autoptr (GstIceAgent) agent = gst_ice_agent_new ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "0");
  Fixture self = { .link = gst_ice_link_new () };
  gint n = 0;

  self.transport = gst_ice_transport_new (stream, 1, self.link);
  g_signal_connect (
      self.transport, "packet", G_CALLBACK (on_packet_elsewhere), &n);
  push (&self, 20);
  while (g_atomic_int_get (&n) < 20)
    g_usleep (100);
  gst_object_unref (self.transport);
  gst_ice_link_unref (self.link);
}

/* Sending */

static void
count (GstIceTransport *transport, guint *n)
{
  (*n)++;
}

static void
test_send (Fixture *self, gconstpointer unused)
{
  g_autoptr (GBytes) packet = g_bytes_new_static ("hello", 5);
  g_autoptr (GBytes) last = NULL;
  g_autoptr (GError) error = NULL;

  /* Nowhere to go: lost, as on any network. */
  g_assert_true (gst_ice_transport_send (self->transport, packet, &error));
  g_assert_no_error (error);
  gst_ice_link_set_route (self->link, self->route);
  g_assert_true (gst_ice_transport_send (self->transport, packet, &error));
  g_assert_no_error (error);
  last = fake_route_get_last (self->route);
  g_assert_true (g_bytes_equal (last, packet));

  gst_ice_link_close (self->link);
  g_assert_false (gst_ice_transport_send (self->transport, packet, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
}

static void
test_send_list (Fixture *self, gconstpointer unused)
{
  g_autoptr (GstBufferList) list = gst_buffer_list_new ();
  g_autoptr (GError) error = NULL;
  guint i, n_sent = 99, n_writable = 0;

  g_signal_connect (
      self->transport, "writable", G_CALLBACK (count), &n_writable);
  g_assert_true (
      gst_ice_transport_send_list (self->transport, list, &n_sent, &error));
  g_assert_cmpuint (n_sent, ==, 0);

  for (i = 0; i < 200; i++)
    gst_buffer_list_add (list, gst_buffer_new_allocate (NULL, 100, NULL));
  gst_ice_link_set_route (self->link, self->route);
  g_assert_true (
      gst_ice_transport_send_list (self->transport, list, &n_sent, &error));
  g_assert_cmpuint (n_sent, ==, 200);

  fake_route_set_room (self->route, 130);
  g_assert_false (
      gst_ice_transport_send_list (self->transport, list, &n_sent, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_assert_cmpuint (n_sent, ==, 130);
  run_pending (self);
  g_assert_cmpuint (n_writable, ==, 0);

  gst_ice_link_writable (self->link);
  run_pending (self);
  g_assert_cmpuint (n_writable, ==, 1);
  /* Only who was refused is told. */
  gst_ice_link_writable (self->link);
  run_pending (self);
  g_assert_cmpuint (n_writable, ==, 1);
}

static void
say_writable (gpointer link)
{
  gst_ice_link_writable (link);
}

static void
test_room_overtakes (Fixture *self, gconstpointer unused)
{
  g_autoptr (GBytes) packet = g_bytes_new_static ("hello", 5);
  guint n_writable = 0;

  g_signal_connect (
      self->transport, "writable", G_CALLBACK (count), &n_writable);
  gst_ice_link_set_route (self->link, self->route);
  fake_route_set_room (self->route, 0);
  fake_route_set_hook (self->route, say_writable, self->link);
  g_assert_false (gst_ice_transport_send (self->transport, packet, NULL));
  run_until (self, n_writable == 1);
}

/* Connecting */

typedef struct
{
  gboolean done, connected;
  GError *error; /* (owned) (nullable) */
} Result;

static void
on_connected (GObject *object, GAsyncResult *result, gpointer user_data)
{
  Result *self = user_data;

  self->connected = gst_ice_transport_connect_finish (
      GST_ICE_TRANSPORT (object), result, &self->error);
  self->done = TRUE;
}

static void
assert_connect (Fixture *self, GCancellable *cancellable,
    void (*act) (Fixture *self), GQuark domain, gint code)
{
  Result result = { 0 };

  g_main_context_push_thread_default (self->context);
  gst_ice_transport_connect_async (
      self->transport, cancellable, on_connected, &result);
  run_pending (self);
  if (act) {
    g_assert_false (result.done);
    act (self);
  }
  run_until (self, result.done);
  run_pending (self);
  g_main_context_pop_thread_default (self->context);
  if (domain)
    g_assert_error (result.error, domain, code);
  else
    g_assert_no_error (result.error);
  g_assert_cmpint (result.connected, ==, domain == 0);
  g_clear_error (&result.error);
}

static void
act_route (Fixture *self)
{
  gst_ice_link_set_route (self->link, self->route);
}

static void
act_fail (Fixture *self)
{
  gst_ice_link_set_state (self->link, GST_ICE_STATE_FAILED);
  gst_ice_transport_notify_state (self->transport, GST_ICE_STATE_FAILED);
}

static void
act_close (Fixture *self)
{
  gst_ice_link_close (self->link);
}

static GCancellable *to_cancel;

static void
act_cancel (Fixture *self)
{
  g_cancellable_cancel (to_cancel);
}

static void
test_connect (Fixture *self, gconstpointer unused)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  to_cancel = cancellable;
  assert_connect (
      self, NULL, act_fail, GST_ICE_ERROR, GST_ICE_ERROR_ALL_CHECKS_FAILED);
  gst_ice_link_set_state (self->link, GST_ICE_STATE_CHECKING);
  assert_connect (
      self, cancellable, act_cancel, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_connect (self, cancellable, NULL, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_cancellable_reset (cancellable);
  assert_connect (self, cancellable, act_route, 0, 0);
  g_cancellable_cancel (cancellable);
  assert_connect (self, NULL, NULL, 0, 0);
  gst_ice_link_set_route (self->link, NULL);
  assert_connect (self, NULL, act_close, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
  assert_connect (self, NULL, NULL, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
}

/* Properties */

static void
count_notify (GObject *object, GParamSpec *pspec, GString *names)
{
  g_string_append_printf (names, "%s ", pspec->name);
}

static void
test_properties (Fixture *self, gconstpointer unused)
{
  g_autoptr (GstIceCandidate) local = gst_ice_candidate_new_from_sdp (
      "candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host", NULL);
  g_autoptr (GstIceCandidate) remote = gst_ice_candidate_new_from_sdp (
      "candidate:2 1 UDP 2130706431 192.0.2.2 5000 typ host", NULL);
  g_autoptr (GstIceCandidate) got_local = NULL;
  g_autoptr (GstIceCandidate) got_remote = NULL;
  GString *names = g_string_new (NULL);
  GstIceState state;
  guint component, max_payload;

  g_signal_connect (
      self->transport, "notify", G_CALLBACK (count_notify), names);
  gst_ice_transport_notify_state (self->transport, GST_ICE_STATE_NEW);
  g_assert_cmpstr (names->str, ==, "");
  gst_ice_transport_notify_state (self->transport, GST_ICE_STATE_CHECKING);
  g_assert_cmpstr (names->str, ==, "state ");

  gst_ice_link_set_route (self->link, self->route);
  gst_ice_transport_set_pair (self->transport, local, remote);
  g_assert_nonnull (strstr (names->str, "selected-local "));
  g_assert_nonnull (strstr (names->str, "selected-remote "));
  g_assert_nonnull (strstr (names->str, "max-payload "));

  g_object_get (self->transport, "state", &state, "component", &component,
      "selected-local", &got_local, "selected-remote", &got_remote,
      "max-payload", &max_payload, NULL);
  g_assert_cmpint (state, ==, GST_ICE_STATE_CHECKING);
  g_assert_cmpuint (component, ==, 1);
  g_assert_cmpuint (max_payload, ==, 1472);
  g_assert_cmpstr (gst_ice_candidate_get_address (got_local), ==, "192.0.2.1");
  g_assert_cmpstr (gst_ice_candidate_get_address (got_remote), ==, "192.0.2.2");
  gst_ice_transport_set_pair (self->transport, NULL, NULL);
  g_string_free (names, TRUE);
}

/* The loop thread has news while the application lets go. */
static gpointer
push_thread (gpointer user_data)
{
  Fixture *self = user_data;
  guint i;

  for (i = 0; i < 200; i++)
    push (self, 1);
  return NULL;
}

static void
test_last_reference (Fixture *self, gconstpointer unused)
{
  guint i;

  for (i = 0; i < 50; i++) {
    Fixture other = { .link = gst_ice_link_new () };
    GThread *thread;

    other.transport = gst_ice_transport_new (self->stream, 1, other.link);
    thread = g_thread_new ("push", push_thread, &other);
    g_usleep (i * 5);
    gst_object_unref (other.transport);
    g_thread_join (thread);
    gst_ice_link_unref (other.link);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(path, func)                                                        \
  g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/transport/packet", test_packet);
  ADD ("/transport/packet-was-there", test_packet_was_there);
  ADD ("/transport/packet-handler-goes", test_packet_handler_goes);
  ADD ("/transport/would-deadlock", test_would_deadlock);
  ADD ("/transport/receive", test_receive);
  ADD ("/transport/receive-cancelled", test_receive_cancelled);
  g_test_add_func ("/transport/service-thread", test_service_thread);
  ADD ("/transport/send", test_send);
  ADD ("/transport/send-list", test_send_list);
  ADD ("/transport/room-overtakes", test_room_overtakes);
  ADD ("/transport/connect", test_connect);
  ADD ("/transport/properties", test_properties);
  ADD ("/transport/last-reference", test_last_reference);
  return g_test_run ();
}
