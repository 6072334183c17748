/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GIO's contract of GDatagramBased, kept by the transport. The tests are the
 * loop thread of its link, and the route is scripted. */
#include "gst/ice/gsticetransport-private.h"

#include <string.h>
#include <sys/socket.h>

#include "gst/ice/ice.h"
#include "tests/check/libs/fake-route.h"

typedef struct
{
  GMainContext *context;
  GstIceAgent *agent;
  GstIceStream *stream;
  GstIceLink *link;
  GstIceRoute *route;
  GDatagramBased *transport;
} Fixture;

static void
set_up (Fixture *self, gconstpointer unused)
{
  self->context = g_main_context_new ();
  self->agent = gst_ice_agent_new ();
  self->stream = gst_ice_agent_request_stream (self->agent, "0");
  self->link = gst_ice_link_new ();
  self->route = fake_route_new ();
  self->transport =
      G_DATAGRAM_BASED (gst_ice_transport_new (self->stream, 1, self->link));
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
push (Fixture *self, const gchar *text)
{
  IceAddress peer;

  g_assert_true (ice_address_parse (&peer, "192.0.2.1", 5000));
  gst_ice_link_push_bytes (
      self->link, &peer, ICE_BYTES (text, strlen (text)), 1);
  gst_ice_link_wake (self->link);
}

/* Receiving */

static void
test_receive (Fixture *self, gconstpointer unused)
{
  g_autoptr (GSocketAddress) from = NULL;
  g_autoptr (GError) error = NULL;
  gchar head[3], tail[20], rest[8];
  GInputVector two[] = { { head, sizeof (head) }, { tail, sizeof (tail) } };
  GInputVector ended[] = { { rest, sizeof (rest) }, { NULL, 0 } };
  GInputMessage messages[] = {
    { &from, two, 2, 0, 0, NULL, NULL },
    { NULL, ended, (guint) -1, 0, 0, NULL, NULL },
    { NULL, two, 1, 0, 0, NULL, NULL },
  };

  push (self, "abcdef");
  push (self, "0123456789");
  g_assert_cmpint (g_datagram_based_receive_messages (
                       self->transport, messages, 3, 0, 0, NULL, &error),
      ==, 2);
  g_assert_no_error (error);
  g_assert_cmpuint (messages[0].bytes_received, ==, 6);
  g_assert_cmpint (messages[0].flags, ==, 0);
  g_assert_cmpmem (head, 3, "abc", 3);
  g_assert_cmpmem (tail, 3, "def", 3);
  g_assert_cmpuint (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (from)), ==, 5000);
  /* What does not fit is lost, and said to be. */
  g_assert_cmpuint (messages[1].bytes_received, ==, 8);
  g_assert_cmpint (messages[1].flags, ==, MSG_TRUNC);
  g_assert_cmpmem (rest, 8, "01234567", 8);
}

static gint
receive_one (
    Fixture *self, gint64 timeout, GCancellable *cancellable, GError **error)
{
  gchar data[100];
  GInputVector vector = { data, sizeof (data) };
  GInputMessage message = { NULL, &vector, 1, 0, 0, NULL, NULL };

  return g_datagram_based_receive_messages (
      self->transport, &message, 1, 0, timeout, cancellable, error);
}

static void
test_receive_errors (Fixture *self, gconstpointer unused)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  gint other;

  g_assert_cmpint (receive_one (self, 0, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_clear_error (&error);
  g_assert_cmpint (receive_one (self, 1000, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);

  push (self, "x");
  g_cancellable_cancel (cancellable);
  g_assert_cmpint (receive_one (self, -1, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  g_assert_true (gst_ice_link_claim_reader (self->link, &other, NULL));
  g_assert_cmpint (receive_one (self, -1, NULL, &error), ==, -1);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY);
  g_clear_error (&error);
  gst_ice_link_release_reader (self->link, &other);

  g_assert_cmpint (g_datagram_based_receive_messages (
                       self->transport, NULL, 0, 0, 0, NULL, &error),
      ==, 0);
  gst_ice_link_close (self->link);
  g_assert_cmpint (receive_one (self, -1, NULL, &error), ==, 1);
  g_assert_no_error (error);
  g_assert_cmpint (receive_one (self, -1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* Sending */

static gint
send_some (Fixture *self, guint n, gint64 timeout, GError **error)
{
  GOutputVector vectors[] = { { "ab", 2 }, { NULL, 0 }, { "cde", 3 } };
  GOutputMessage messages[100];
  gint n_sent, i;

  g_assert_cmpuint (n, <=, G_N_ELEMENTS (messages));
  for (i = 0; i < (gint) n; i++)
    messages[i] = (GOutputMessage){ NULL, vectors, 3, 99, NULL, 0 };
  n_sent = g_datagram_based_send_messages (
      self->transport, messages, n, 0, timeout, NULL, error);
  for (i = 0; i < n_sent; i++)
    g_assert_cmpuint (messages[i].bytes_sent, ==, 5);
  return n_sent;
}

static void
test_send (Fixture *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) last = NULL;
  g_autoptr (GSocketAddress) to =
      g_inet_socket_address_new_from_string ("192.0.2.1", 5000);
  GOutputVector vector = { "a", 1 };
  GOutputMessage addressed = { to, &vector, 1, 0, NULL, 0 };

  /* A user of sockets waits for a path, where send would lose the packet. */
  g_assert_cmpint (send_some (self, 1, 0, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_clear_error (&error);
  g_assert_cmpint (send_some (self, 1, 1000, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);

  gst_ice_link_set_route (self->link, self->route);
  g_assert_cmpint (send_some (self, 0, 0, &error), ==, 0);
  g_assert_cmpint (send_some (self, 100, 0, &error), ==, 100);
  g_assert_no_error (error);
  g_assert_cmpuint (fake_route_n_sent (self->route), ==, 100);
  last = fake_route_get_last (self->route);
  g_assert_cmpmem (
      g_bytes_get_data (last, NULL), g_bytes_get_size (last), "abcde", 5);

  g_assert_cmpint (g_datagram_based_send_messages (
                       self->transport, &addressed, 1, 0, 0, NULL, &error),
      ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);

  /* Some went: so many; then none: why. */
  fake_route_set_room (self->route, 70);
  g_assert_cmpint (send_some (self, 100, 0, &error), ==, 70);
  g_assert_no_error (error);
  g_assert_cmpint (send_some (self, 30, 0, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_clear_error (&error);

  gst_ice_link_close (self->link);
  g_assert_cmpint (send_some (self, 1, -1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static gpointer
make_room (gpointer user_data)
{
  Fixture *self = user_data;

  g_usleep (2000);
  fake_route_set_room (self->route, G_MAXUINT);
  gst_ice_link_writable (self->link);
  return NULL;
}

static void
test_send_waits (Fixture *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  GThread *thread;

  gst_ice_link_set_route (self->link, self->route);
  fake_route_set_room (self->route, 10);
  thread = g_thread_new ("room", make_room, self);
  g_assert_cmpint (send_some (self, 100, -1, &error), ==, 100);
  g_assert_no_error (error);
  g_thread_join (thread);
}

/* Conditions and sources */

static void
test_conditions (Fixture *self, gconstpointer unused)
{
  const GIOCondition both = G_IO_IN | G_IO_OUT;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (
      g_datagram_based_condition_check (self->transport, both), ==, 0);
  g_assert_false (g_datagram_based_condition_wait (
      self->transport, both, 1000, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);

  push (self, "x");
  g_assert_cmpint (
      g_datagram_based_condition_check (self->transport, both), ==, G_IO_IN);
  g_assert_cmpint (
      g_datagram_based_condition_check (self->transport, G_IO_OUT), ==, 0);
  g_assert_true (g_datagram_based_condition_wait (
      self->transport, G_IO_IN, -1, NULL, &error));
  gst_ice_link_set_route (self->link, self->route);
  g_assert_cmpint (
      g_datagram_based_condition_check (self->transport, both), ==, both);
  gst_ice_link_close (self->link);
  g_assert_true (g_datagram_based_condition_wait (
      self->transport, G_IO_OUT, -1, NULL, &error));
  g_assert_cmpint (g_datagram_based_condition_check (self->transport, G_IO_OUT),
      ==, G_IO_HUP);
}

typedef struct
{
  guint n_calls;
  GIOCondition last;
} Calls;

static gboolean
on_ready (GDatagramBased *transport, GIOCondition condition, gpointer user_data)
{
  Calls *calls = user_data;

  calls->n_calls++;
  calls->last = condition;
  return G_SOURCE_CONTINUE;
}

static GSource *
attach (Fixture *self, GIOCondition condition, GCancellable *cancellable,
    Calls *calls)
{
  GSource *source =
      g_datagram_based_create_source (self->transport, condition, cancellable);

  g_source_set_callback (source, G_SOURCE_FUNC (on_ready), calls, NULL);
  g_source_attach (source, self->context);
  return source;
}

static void
detach (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

static void
run_pending (Fixture *self)
{
  guint i;

  for (i = 0; i < 10; i++)
    g_main_context_iteration (self->context, FALSE);
}

static void
test_source (Fixture *self, gconstpointer unused)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Calls in = { 0 }, out = { 0 };
  GSource *in_source = attach (self, G_IO_IN, cancellable, &in);
  GSource *out_source = attach (self, G_IO_OUT, NULL, &out);

  run_pending (self);
  g_assert_cmpuint (in.n_calls, ==, 0);
  g_assert_cmpuint (out.n_calls, ==, 0);

  push (self, "x");
  run_pending (self);
  g_assert_cmpuint (in.n_calls, >, 0);
  g_assert_cmpint (in.last, ==, G_IO_IN);
  g_assert_cmpuint (out.n_calls, ==, 0);
  g_assert_cmpint (receive_one (self, 0, NULL, NULL), ==, 1);
  in.n_calls = 0;
  run_pending (self);
  g_assert_cmpuint (in.n_calls, ==, 0);

  gst_ice_link_set_route (self->link, self->route);
  run_pending (self);
  g_assert_cmpuint (in.n_calls, ==, 0);
  g_assert_cmpuint (out.n_calls, >, 0);
  g_assert_cmpint (out.last, ==, G_IO_OUT);

  g_cancellable_cancel (cancellable);
  run_pending (self);
  g_assert_cmpuint (in.n_calls, >, 0);
  g_assert_cmpint (in.last, ==, 0);
  detach (in_source);
  detach (out_source);
}

static gpointer
push_thread (gpointer user_data)
{
  Fixture *self = user_data;
  guint i;

  for (i = 0; i < 2000; i++)
    push (self, "x");
  return NULL;
}

/* One that blocks is woken from another thread, each time. */
static void
test_source_wakes (Fixture *self, gconstpointer unused)
{
  Calls calls = { 0 };
  GSource *source = attach (self, G_IO_IN, NULL, &calls);
  GThread *thread = g_thread_new ("push", push_thread, self);
  guint n = 0;

  while (n < 2000) {
    g_main_context_iteration (self->context, TRUE);
    while (receive_one (self, 0, NULL, NULL) == 1)
      n++;
  }
  g_assert_cmpuint (calls.n_calls, >, 0);
  g_thread_join (thread);
  detach (source);
}

/* Sources may go at any time, attached or not. */
static void
test_source_goes (Fixture *self, gconstpointer unused)
{
  GThread *thread = g_thread_new ("push", push_thread, self);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Calls calls = { 0 };
  guint i;

  for (i = 0; i < 500; i++) {
    GSource *source = attach (self, G_IO_IN, cancellable, &calls);
    GSource *loose =
        g_datagram_based_create_source (self->transport, G_IO_IN, NULL);

    g_main_context_iteration (self->context, FALSE);
    detach (source);
    g_source_unref (loose);
  }
  g_thread_join (thread);
}

static gboolean
on_closure (GDatagramBased *transport, GIOCondition condition, gpointer data)
{
  g_assert_true (G_IS_DATAGRAM_BASED (transport));
  g_assert_cmpint (condition, ==, G_IO_IN);
  (*(guint *) data)++;
  return G_SOURCE_REMOVE;
}

/* How language bindings connect to sources. */
static void
test_source_closure (Fixture *self, gconstpointer unused)
{
  guint n = 0;
  GClosure *closure = g_cclosure_new (G_CALLBACK (on_closure), &n, NULL);
  GSource *source =
      g_datagram_based_create_source (self->transport, G_IO_IN, NULL);

  g_closure_set_marshal (closure, g_cclosure_marshal_generic);
  g_source_set_closure (source, closure);
  g_source_attach (source, self->context);
  push (self, "x");
  run_pending (self);
  g_assert_cmpuint (n, ==, 1);
  g_assert_true (g_source_is_destroyed (source));
  g_source_unref (source);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(path, func)                                                        \
  g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/transport-datagram/receive", test_receive);
  ADD ("/transport-datagram/receive-errors", test_receive_errors);
  ADD ("/transport-datagram/send", test_send);
  ADD ("/transport-datagram/send-waits", test_send_waits);
  ADD ("/transport-datagram/conditions", test_conditions);
  ADD ("/transport-datagram/source", test_source);
  ADD ("/transport-datagram/source-wakes", test_source_wakes);
  ADD ("/transport-datagram/source-goes", test_source_goes);
  ADD ("/transport-datagram/source-closure", test_source_closure);
  return g_test_run ();
}
