/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data plane of a component, without a socket: the tests are its loop
 * thread, and what the kernel says of a send is scripted. */
#include "gst/ice/gsticelink-private.h"

#include <gst/net/gstnetaddressmeta.h>
#include <string.h>

#include "gst/ice/gsticeerror.h"
#include "tests/check/libs/fake-route.h"

#define MAX_PACKETS 4096
#define MAX_BYTES (8 * 1024 * 1024)

static IceAddress
peer_address (guint16 port)
{
  IceAddress address;

  g_assert_true (ice_address_parse (&address, "192.0.2.1", port));
  return address;
}

static void
push (GstIceLink *link, guint32 number, gsize size)
{
  const IceAddress peer = peer_address (5000);
  g_autofree guint8 *data = g_malloc0 (size);

  memcpy (data, &number, sizeof (number));
  gst_ice_link_push_bytes (link, &peer, ICE_BYTES (data, size), 1000 + number);
}

static guint32
number_of (GstBuffer *buffer)
{
  guint32 number = 0;

  gst_buffer_extract (buffer, 0, &number, sizeof (number));
  return number;
}

/* Reading */

static void
test_pop (void)
{
  g_autoptr (GstIceLink) link = gst_ice_link_new ();
  g_autoptr (GstBufferList) list = NULL;
  g_autoptr (GError) error = NULL;
  GstIceLinkCounters counters;
  guint i;

  for (i = 0; i < 100; i++)
    push (link, i, 200);
  /* Nobody sees what was not shown. */
  g_assert_false (gst_ice_link_has_data (link));
  gst_ice_link_wake (link);
  g_assert_true (gst_ice_link_has_data (link));
  push (link, 100, 200);
  gst_ice_link_wake (link);

  list = gst_ice_link_pop (link, -1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (gst_buffer_list_length (list), ==, 101);
  for (i = 0; i < 101; i++) {
    GstBuffer *buffer = gst_buffer_list_get (list, i);

    g_assert_cmpuint (number_of (buffer), ==, i);
    g_assert_cmpuint (gst_buffer_get_size (buffer), ==, 200);
    g_assert_cmpuint (GST_BUFFER_DTS (buffer), ==, (1000 + i) * GST_USECOND);
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, GST_CLOCK_TIME_NONE);
  }
  gst_ice_link_get_counters (link, &counters);
  g_assert_cmpuint (counters.packets_received, ==, 101);
  g_assert_cmpuint (counters.bytes_received, ==, 101 * 200);
  g_assert_cmpint (counters.first_received, ==, 1099);
  g_assert_cmpint (counters.last_received, ==, 1100);
}

static GSocketAddress *
sender_of (GstBuffer *buffer)
{
  return gst_buffer_get_net_address_meta (buffer)->addr;
}

/* One object per peer, also when there are more peers than the cache holds. */
static void
test_senders (void)
{
  g_autoptr (GstIceLink) link = gst_ice_link_new ();
  g_autoptr (GstBufferList) list = NULL;
  guint16 port;
  guint i;

  for (port = 1; port <= 20; port++) {
    const IceAddress peer = peer_address (port);

    gst_ice_link_push_bytes (link, &peer, ICE_BYTES ("a", 1), 1);
    gst_ice_link_push_bytes (link, &peer, ICE_BYTES ("b", 1), 2);
  }
  gst_ice_link_wake (link);
  list = gst_ice_link_pop (link, 0, NULL, NULL);
  for (i = 0; i < 40; i += 2) {
    GSocketAddress *sender = sender_of (gst_buffer_list_get (list, i));

    g_assert_true (sender == sender_of (gst_buffer_list_get (list, i + 1)));
    g_assert_cmpuint (
        g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (sender)), ==,
        1 + i / 2);
  }
}

static void
test_empty (void)
{
  const IceAddress peer = peer_address (1);
  g_autoptr (GstIceLink) link = gst_ice_link_new ();
  g_autoptr (GstBufferList) list = NULL;

  g_test_summary ("A peer may send nothing, in a datagram of its own");
  gst_ice_link_push_bytes (link, &peer, ICE_BYTES_NONE, 1);
  gst_ice_link_wake (link);
  list = gst_ice_link_pop (link, 0, NULL, NULL);
  g_assert_cmpuint (gst_buffer_list_length (list), ==, 1);
  g_assert_cmpuint (gst_buffer_get_size (gst_buffer_list_get (list, 0)), ==, 0);
}

static void
test_bounded (void)
{
  g_autoptr (GstIceLink) link = gst_ice_link_new ();
  g_autoptr (GstBufferList) list = NULL;
  GstIceLinkCounters counters;
  guint i;

  for (i = 0; i < MAX_PACKETS + 1000; i++) {
    push (link, i, 4);
    if (i % 50 == 0)
      gst_ice_link_wake (link);
  }
  gst_ice_link_wake (link);
  list = gst_ice_link_pop (link, 0, NULL, NULL);
  g_assert_cmpuint (gst_buffer_list_length (list), ==, MAX_PACKETS);
  /* The oldest went. */
  g_assert_cmpuint (number_of (gst_buffer_list_get (list, 0)), ==, 1000);
  gst_ice_link_get_counters (link, &counters);
  g_assert_cmpuint (counters.packets_dropped, ==, 1000);

  for (i = 0; i < 200; i++)
    push (link, i, 64 * 1024);
  gst_ice_link_wake (link);
  gst_buffer_list_unref (list);
  list = gst_ice_link_pop (link, 0, NULL, NULL);
  g_assert_cmpuint (gst_buffer_list_length (list), ==, MAX_BYTES / 65536);
  g_assert_cmpuint (number_of (gst_buffer_list_get (list, 0)), ==, 72);
}

static void
test_pop_buffer (void)
{
  g_autoptr (GstIceLink) link = gst_ice_link_new ();
  guint i;

  g_assert_null (gst_ice_link_pop_buffer (link));
  /* Around the ring several times. */
  for (i = 0; i < 1000; i++) {
    g_autoptr (GstBuffer) buffer = NULL;

    push (link, 2 * i, 8);
    push (link, 2 * i + 1, 8);
    gst_ice_link_wake (link);
    buffer = gst_ice_link_pop_buffer (link);
    g_assert_cmpuint (number_of (buffer), ==, i);
  }
}

static void
test_one_reader (void)
{
  g_autoptr (GstIceLink) link = gst_ice_link_new ();
  g_autoptr (GError) error = NULL;
  gint a, b;

  g_assert_true (gst_ice_link_claim_reader (link, &a, NULL));
  g_assert_true (gst_ice_link_claim_reader (link, &a, NULL));
  g_assert_true (gst_ice_link_get_reader (link) == &a);
  g_assert_false (gst_ice_link_claim_reader (link, &b, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY);
  /* It is not b's to give away. */
  gst_ice_link_release_reader (link, &b);
  g_assert_false (gst_ice_link_claim_reader (link, &b, NULL));
  gst_ice_link_release_reader (link, &a);
  g_assert_true (gst_ice_link_claim_reader (link, &b, NULL));
}

static void
test_timeout (void)
{
  g_autoptr (GstIceLink) link = gst_ice_link_new ();
  g_autoptr (GError) error = NULL;
  gint64 start;

  g_assert_null (gst_ice_link_pop (link, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);
  start = g_get_monotonic_time ();
  g_assert_null (gst_ice_link_pop (link, 20000, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 20000);
}

/* Whatever the link is asked to do, from another thread and a little later. */
typedef struct
{
  GstIceLink *link;
  GCancellable *cancellable;
  gulong delay;
} Later;

static gpointer
cancel_later (gpointer user_data)
{
  Later *self = user_data;

  g_usleep (self->delay);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

static gpointer
close_later (gpointer user_data)
{
  Later *self = user_data;

  g_usleep (self->delay);
  gst_ice_link_close (self->link);
  return NULL;
}

static gpointer
push_later (gpointer user_data)
{
  Later *self = user_data;

  g_usleep (self->delay);
  push (self->link, 7, 8);
  gst_ice_link_wake (self->link);
  return NULL;
}

static void
test_cancel (void)
{
  g_autoptr (GstIceLink) link = gst_ice_link_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint i;

  for (i = 0; i < 300; i++) {
    Later later = { link, cancellable, i % 30 * 10 };
    GThread *thread = g_thread_new ("cancel", cancel_later, &later);
    g_autoptr (GError) error = NULL;

    g_assert_null (gst_ice_link_pop (link, -1, cancellable, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_thread_join (thread);
    g_cancellable_reset (cancellable);
  }

  /* A cancelled reader takes nothing. */
  push (link, 1, 8);
  gst_ice_link_wake (link);
  g_cancellable_cancel (cancellable);
  g_assert_null (gst_ice_link_pop (link, -1, cancellable, NULL));
  g_assert_true (gst_ice_link_has_data (link));
}

static void
test_wakes (void)
{
  guint i;

  for (i = 0; i < 300; i++) {
    g_autoptr (GstIceLink) link = gst_ice_link_new ();
    Later later = { link, NULL, i % 30 * 10 };
    GThread *thread = g_thread_new ("push", push_later, &later);
    g_autoptr (GstBufferList) list = gst_ice_link_pop (link, -1, NULL, NULL);

    g_assert_cmpuint (gst_buffer_list_length (list), ==, 1);
    g_thread_join (thread);
  }
}

static void
test_close (void)
{
  g_autoptr (GstIceLink) link = gst_ice_link_new ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstBufferList) list = NULL;
  g_autoptr (GError) error = NULL;
  Later later = { link, NULL, 1000 };
  GThread *thread;

  push (link, 1, 8);
  gst_ice_link_wake (link);
  thread = g_thread_new ("close", close_later, &later);
  list = gst_ice_link_pop (link, -1, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (gst_ice_link_pop (link, -1, NULL, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
  g_thread_join (thread);
  g_clear_error (&error);

  g_assert_cmpuint (gst_ice_link_send (link, &buffer, 1, &error), ==, 0);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
  g_assert_cmpint (gst_ice_link_get_state (link), ==, GST_ICE_STATE_CLOSED);
  g_assert_cmpint (gst_ice_link_check (link), ==, G_IO_IN | G_IO_HUP);

  /* What comes after goes nowhere, and leaks not. */
  push (link, 2, 8);
  gst_ice_link_wake (link);
  g_assert_false (gst_ice_link_has_data (link));
  gst_ice_link_close (link);
}

/* Sending */

typedef struct
{
  GstIceLink *link;
  GstIceRoute *route;
  GstBuffer *buffers[10];
} Sender;

static void
sender_set_up (Sender *self, gconstpointer unused)
{
  guint i;

  self->link = gst_ice_link_new ();
  self->route = fake_route_new ();
  for (i = 0; i < G_N_ELEMENTS (self->buffers); i++)
    self->buffers[i] = gst_buffer_new_allocate (NULL, 100, NULL);
}

static void
sender_tear_down (Sender *self, gconstpointer unused)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (self->buffers); i++)
    gst_buffer_unref (self->buffers[i]);
  gst_ice_link_unref (self->link);
  gst_ice_route_unref (self->route);
}

static guint
send_ten (Sender *self, GError **error)
{
  return gst_ice_link_send (
      self->link, self->buffers, G_N_ELEMENTS (self->buffers), error);
}

static void
test_send (Sender *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  GstIceLinkCounters counters;
  GstIceRoute *other = fake_route_new ();
  gint64 start = g_get_monotonic_time ();

  g_assert_cmpuint (gst_ice_link_get_max_payload (self->link), ==, 1184);
  g_assert_false (gst_ice_link_has_route (self->link));
  gst_ice_link_set_route (self->link, self->route);
  g_assert_true (gst_ice_link_has_route (self->link));
  g_assert_cmpuint (gst_ice_link_get_max_payload (self->link), ==, 1472);
  g_assert_cmpuint (send_ten (self, &error), ==, 10);
  g_assert_no_error (error);
  g_assert_cmpuint (fake_route_n_sent (self->route), ==, 10);

  /* The next one replaces it for good. */
  gst_ice_link_set_route (self->link, other);
  g_assert_true (fake_route_is_revoked (self->route));
  g_assert_cmpuint (send_ten (self, &error), ==, 10);
  g_assert_cmpuint (fake_route_n_sent (self->route), ==, 10);
  g_assert_cmpuint (fake_route_n_sent (other), ==, 10);
  /* The same again is no change. */
  gst_ice_link_set_route (self->link, other);
  g_assert_false (fake_route_is_revoked (other));

  gst_ice_link_get_counters (self->link, &counters);
  g_assert_cmpuint (counters.packets_sent, ==, 20);
  g_assert_cmpuint (counters.bytes_sent, ==, 2000);
  g_assert_cmpuint (counters.packets_discarded_on_send, ==, 0);
  g_assert_cmpint (counters.last_sent, >=, start);
  gst_ice_route_unref (other);
}

static void
test_no_route (Sender *self, gconstpointer unused)
{
  GstIceLinkCounters counters;

  g_assert_cmpuint (send_ten (self, NULL), ==, 10);
  gst_ice_link_set_route (self->link, self->route);
  gst_ice_link_set_route (self->link, NULL);
  g_assert_true (fake_route_is_revoked (self->route));
  g_assert_cmpuint (send_ten (self, NULL), ==, 10);
  gst_ice_link_get_counters (self->link, &counters);
  g_assert_cmpuint (counters.packets_sent, ==, 0);
  g_assert_cmpuint (counters.packets_discarded_on_send, ==, 20);
  g_assert_cmpint (counters.last_sent, ==, 0);
}

static gboolean
take_odd (GstBuffer *buffer, gpointer user_data)
{
  guint *n = user_data;

  return (*n)++ % 2;
}

static void
test_fallback (Sender *self, gconstpointer unused)
{
  GstIceLinkCounters counters;
  guint n = 0;

  gst_ice_link_set_fallback (self->link, take_odd, &n);
  g_assert_cmpuint (send_ten (self, NULL), ==, 10);
  g_assert_cmpuint (n, ==, 10);
  gst_ice_link_get_counters (self->link, &counters);
  g_assert_cmpuint (counters.packets_sent, ==, 5);
  g_assert_cmpuint (counters.packets_discarded_on_send, ==, 5);

  gst_ice_link_set_route (self->link, self->route);
  g_assert_cmpuint (send_ten (self, NULL), ==, 10);
  g_assert_cmpuint (n, ==, 10);
  gst_ice_link_close (self->link);
  g_assert_cmpuint (send_ten (self, NULL), ==, 0);
  g_assert_cmpuint (n, ==, 10);
}

static void
test_would_block (Sender *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  gst_ice_link_set_route (self->link, self->route);
  g_assert_cmpint (gst_ice_link_check (self->link), ==, G_IO_OUT);
  fake_route_set_room (self->route, 4);
  g_assert_cmpuint (send_ten (self, &error), ==, 4);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_clear_error (&error);
  g_assert_cmpint (gst_ice_link_check (self->link), ==, 0);
  g_assert_false (gst_ice_link_wait (self->link, G_IO_OUT, 0, NULL, NULL));

  fake_route_set_room (self->route, G_MAXUINT);
  gst_ice_link_writable (self->link);
  g_assert_cmpint (gst_ice_link_check (self->link), ==, G_IO_OUT);
  g_assert_true (gst_ice_link_wait (self->link, G_IO_OUT, -1, NULL, NULL));
  g_assert_cmpuint (send_ten (self, &error), ==, 10);
  g_assert_no_error (error);
}

static void
say_writable (gpointer link)
{
  gst_ice_link_writable (link);
}

/* News of room that overtakes the sender's "full" is not forgotten. */
static void
test_room_overtakes (Sender *self, gconstpointer unused)
{
  gst_ice_link_set_route (self->link, self->route);
  fake_route_set_room (self->route, 4);
  fake_route_set_hook (self->route, say_writable, self->link);
  g_assert_cmpuint (send_ten (self, NULL), ==, 4);
  g_assert_cmpint (gst_ice_link_check (self->link), ==, G_IO_OUT);
}

/* Who is told what */

static void
count_call (gpointer user_data)
{
  g_atomic_int_inc ((gint *) user_data);
}

static void
test_notify (Sender *self, gconstpointer unused)
{
  gint n = 0, n_destroyed = 0;

  gst_ice_link_set_notify (self->link, count_call, &n);
  gst_ice_link_wake (self->link);
  g_assert_cmpint (n, ==, 0);
  push (self->link, 1, 8);
  push (self->link, 2, 8);
  gst_ice_link_wake (self->link);
  g_assert_cmpint (n, ==, 1);
  gst_ice_link_set_route (self->link, self->route);
  g_assert_cmpint (n, ==, 2);
  gst_ice_link_writable (self->link);
  g_assert_cmpint (n, ==, 3);
  gst_ice_link_set_notify_full (
      self->link, count_call, &n_destroyed, count_call);
  gst_ice_link_set_notify (self->link, NULL, NULL);
  g_assert_cmpint (n_destroyed, ==, 1);
  gst_ice_link_close (self->link);
  g_assert_cmpint (n, ==, 3);
}

/* All at once */

typedef struct
{
  GstIceLink *link;
  gint stop;
} Crowd;

static gpointer
crowd_send (gpointer user_data)
{
  Crowd *self = user_data;

  while (!g_atomic_int_get (&self->stop)) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 100, NULL);
    GstBuffer *buffers[] = { buffer, buffer, buffer };

    gst_ice_link_send (self->link, buffers, 3, NULL);
  }
  return NULL;
}

static gpointer
crowd_read (gpointer user_data)
{
  Crowd *self = user_data;
  guint next = 0;

  for (;;) {
    GstBufferList *list = gst_ice_link_pop (self->link, -1, NULL, NULL);
    guint i;

    if (!list)
      return GUINT_TO_POINTER (next);
    for (i = 0; i < gst_buffer_list_length (list); i++) {
      const guint number = number_of (gst_buffer_list_get (list, i));

      g_assert_cmpuint (number, >=, next);
      next = number + 1;
    }
    gst_buffer_list_unref (list);
  }
}

static gpointer
crowd_ask (gpointer user_data)
{
  Crowd *self = user_data;
  GstIceLinkCounters counters;
  gint n = 0;

  while (!g_atomic_int_get (&self->stop)) {
    gst_ice_link_get_counters (self->link, &counters);
    gst_ice_link_get_max_payload (self->link);
    gst_ice_link_check (self->link);
    gst_ice_link_set_notify (self->link, count_call, &n);
    gst_ice_link_wait (self->link, G_IO_OUT, 10, NULL, NULL);
    gst_ice_link_set_notify (self->link, NULL, NULL);
  }
  return NULL;
}

static void
test_threads (void)
{
  Crowd crowd = { gst_ice_link_new (), FALSE };
  GThread *senders[2], *asker, *reader;
  guint i;

  for (i = 0; i < 2; i++)
    senders[i] = g_thread_new ("send", crowd_send, &crowd);
  asker = g_thread_new ("ask", crowd_ask, &crowd);
  reader = g_thread_new ("read", crowd_read, &crowd);
  for (i = 0; i < 2000; i++) {
    g_autoptr (GstIceRoute) route = i % 3 ? fake_route_new () : NULL;

    if (route)
      fake_route_set_room (route, i);
    push (crowd.link, i, 100);
    gst_ice_link_wake (crowd.link);
    if (i % 5 == 0)
      gst_ice_link_set_route (crowd.link, route);
    if (i % 7 == 0)
      gst_ice_link_writable (crowd.link);
    gst_ice_link_set_state (crowd.link, GST_ICE_STATE_CONNECTED);
  }
  gst_ice_link_close (crowd.link);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (reader)), ==, 2000);
  g_atomic_int_set (&crowd.stop, TRUE);
  g_thread_join (asker);
  for (i = 0; i < 2; i++)
    g_thread_join (senders[i]);
  gst_ice_link_unref (crowd.link);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/link/pop", test_pop);
  g_test_add_func ("/link/senders", test_senders);
  g_test_add_func ("/link/empty", test_empty);
  g_test_add_func ("/link/bounded", test_bounded);
  g_test_add_func ("/link/pop-buffer", test_pop_buffer);
  g_test_add_func ("/link/one-reader", test_one_reader);
  g_test_add_func ("/link/timeout", test_timeout);
  g_test_add_func ("/link/cancel", test_cancel);
  g_test_add_func ("/link/wakes", test_wakes);
  g_test_add_func ("/link/close", test_close);
#define ADD(path, func)                                                        \
  g_test_add (path, Sender, NULL, sender_set_up, func, sender_tear_down)
  ADD ("/link/send", test_send);
  ADD ("/link/no-route", test_no_route);
  ADD ("/link/fallback", test_fallback);
  ADD ("/link/would-block", test_would_block);
  ADD ("/link/room-overtakes", test_room_overtakes);
  ADD ("/link/notify", test_notify);
  g_test_add_func ("/link/threads", test_threads);
  return g_test_run ();
}
