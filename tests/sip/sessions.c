/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions of ours that call each other by SIP on loopback: what happens in a
 * call, each case named after what says how. */
#include <gst/ice/ice.h>
#include <string.h>

#include "tests/check/wait.h"

#define TIMEOUT (20 * G_TIME_SPAN_SECOND)

typedef struct
{
  GstIceAgent *agent;
  GstIceSignaller *signaller;
  GstIceSession *session;
  gint n_negotiated, n_candidates, n_descriptions; /* atomic */
  GAsyncQueue *heard; /* (owned) (element-type utf8) what the session says */
} Phone;

#define wait_until(condition)                                                  \
  wait_with (condition, #condition, TIMEOUT, g_usleep (1000))

static void
on_negotiated (GstIceSession *session, Phone *self)
{
  g_atomic_int_inc (&self->n_negotiated);
}

static void
on_candidate (GstIceSignaller *signaller, const gchar *mid, guint index,
    const gchar *candidate, const gchar *ufrag, Phone *self)
{
  g_atomic_int_inc (&self->n_candidates);
}

static void
on_description (GstIceSignaller *signaller, const gchar *type, const gchar *sdp,
    Phone *self)
{
  g_atomic_int_inc (&self->n_descriptions);
}

static void
on_bye (GstIceSession *session, const gchar *reason, Phone *self)
{
  g_async_queue_push (self->heard, g_strconcat ("bye ", reason, NULL));
}

static void
on_rejected (
    GstIceSession *session, const gchar *reason, const gchar *text, Phone *self)
{
  g_async_queue_push (self->heard, g_strconcat ("rejected ", reason, NULL));
}

static void
on_held (GstIceSession *session, GParamSpec *pspec, Phone *self)
{
  gboolean held;

  g_object_get (session, "held", &held, NULL);
  g_async_queue_push (self->heard, g_strdup (held ? "held" : "resumed"));
}

static void
phone_init (Phone *self, const gchar *uri)
{
  g_autoptr (GError) error = NULL;

  memset (self, 0, sizeof *self);
  self->heard = g_async_queue_new_full (g_free);
  self->agent = gst_ice_agent_new ();
  g_object_set (self->agent, "interfaces", "lo", NULL);
  gst_object_unref (gst_ice_agent_request_stream (self->agent, "0"));
  self->signaller = gst_ice_signaller_new_from_uri (uri, &error);
  g_assert_no_error (error);
  self->session = gst_ice_session_new (self->agent, self->signaller);
  g_signal_connect (
      self->session, "negotiated", G_CALLBACK (on_negotiated), self);
  g_signal_connect (self->session, "bye", G_CALLBACK (on_bye), self);
  g_signal_connect (self->session, "rejected", G_CALLBACK (on_rejected), self);
  g_signal_connect (self->session, "notify::held", G_CALLBACK (on_held), self);
  g_signal_connect (
      self->signaller, "candidate", G_CALLBACK (on_candidate), self);
  g_signal_connect (
      self->signaller, "description", G_CALLBACK (on_description), self);
}

static gboolean
tell (gpointer user_data)
{
  g_async_queue_push (user_data, user_data);
  return G_SOURCE_REMOVE;
}

/* Everything that was under way on the service thread is done. */
static void
drain (void)
{
  g_autoptr (GAsyncQueue) queue = g_async_queue_new ();

  g_main_context_invoke (gst_ice_signaller_get_main_context (), tell, queue);
  g_assert_nonnull (g_async_queue_timeout_pop (queue, TIMEOUT));
}

static void
phone_start (Phone *self)
{
  g_autoptr (GError) error = NULL;

  gst_ice_session_start (self->session, GST_ICE_SIGNALLER_ROLE_AUTO, &error);
  g_assert_no_error (error);
  gst_ice_session_set_ready (self->session);
  drain ();
}

static void
phone_clear (Phone *self)
{
  gst_ice_session_bye (self->session, NULL);
  drain ();
  gst_object_unref (self->session);
  g_object_unref (self->signaller);
  gst_ice_agent_close_async (self->agent, NULL, NULL, NULL);
  gst_object_unref (self->agent);
  g_async_queue_unref (self->heard);
}

static gboolean
is_connected (const Phone *self)
{
  GstIceState state;

  g_object_get (self->agent, "state", &state, NULL);
  return state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED;
}

static void
expect_heard (Phone *self, const gchar *text)
{
  g_autofree gchar *heard = g_async_queue_timeout_pop (self->heard, TIMEOUT);

  g_assert_cmpstr (heard, ==, text);
}

static guint
find_port (void)
{
  g_autoptr (GInetAddress) loopback =
      g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GSocket) probe = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  g_assert_true (g_socket_bind (probe, any, FALSE, NULL));
  bound = g_socket_get_local_address (probe, NULL);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

/* (transfer full) of the caller, and of the callee */
static gchar *
calls (guint port)
{
  return g_strdup_printf ("sip:bob@127.0.0.1:%u;transport=udp", port);
}

static gchar *
listens (guint port)
{
  return g_strdup_printf ("sip:127.0.0.1:%u;transport=udp?listen=1", port);
}

static void
init_pair (Phone *caller, Phone *callee)
{
  const guint port = find_port ();
  g_autofree gchar *there = calls (port), *here = listens (port);

  phone_init (callee, here);
  phone_init (caller, there);
}

static void
wait_negotiated (Phone *a, Phone *b, gint n)
{
  wait_until (g_atomic_int_get (&a->n_negotiated) >= n &&
      g_atomic_int_get (&b->n_negotiated) >= n);
  wait_until (is_connected (a) && is_connected (b));
}

static void
connect_pair (Phone *caller, Phone *callee)
{
  init_pair (caller, callee);
  phone_start (callee);
  phone_start (caller);
  wait_negotiated (caller, callee, 1);
}

static gchar *
ufrag_of (Phone *self)
{
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_request_stream (self->agent, "0");
  gchar *ufrag = NULL;

  gst_ice_stream_get_local_credentials (stream, &ufrag, NULL);
  return ufrag;
}

static void
test_restart (void)
{
  Phone caller, callee;
  gint i;

  g_test_summary ("A re-INVITE with new credentials, from either side; its "
                  "candidates follow by INFO (RFC 8840 4.4)");
  connect_pair (&caller, &callee);
  for (i = 0; i < 2; i++) {
    Phone *self = i == 0 ? &caller : &callee;
    Phone *other = i == 0 ? &callee : &caller;
    const gint n = g_atomic_int_get (&other->n_candidates);
    g_autofree gchar *before = ufrag_of (self), *after = NULL;

    gst_ice_session_restart (self->session);
    wait_negotiated (&caller, &callee, 2 + i);
    after = ufrag_of (self);
    g_assert_cmpstr (before, !=, after);
    wait_until (g_atomic_int_get (&other->n_candidates) > n);
  }
  phone_clear (&caller);
  expect_heard (&callee, "bye bye");
  phone_clear (&callee);
}

static void
test_hold (void)
{
  Phone caller, callee;

  connect_pair (&caller, &callee);
  gst_ice_session_hold (caller.session);
  expect_heard (&callee, "held");
  wait_negotiated (&caller, &callee, 2);
  gst_ice_session_resume (caller.session);
  expect_heard (&callee, "resumed");
  phone_clear (&callee);
  expect_heard (&caller, "bye bye");
  phone_clear (&caller);
}

static void
test_glare (void)
{
  Phone caller, callee;

  g_test_summary (
      "Both sides offer at once: 491, and both are done in the end");
  connect_pair (&caller, &callee);
  gst_ice_session_restart (caller.session);
  gst_ice_session_restart (callee.session);
  wait_negotiated (&caller, &callee, 3);
  phone_clear (&caller);
  phone_clear (&callee);
}

static void
test_busy (void)
{
  const guint port = find_port ();
  g_autofree gchar *there = calls (port), *here = listens (port);
  Phone caller, callee, other;

  phone_init (&callee, here);
  phone_init (&caller, there);
  phone_init (&other, there);
  phone_start (&callee);
  phone_start (&caller);
  wait_negotiated (&caller, &callee, 1);
  phone_start (&other);
  expect_heard (&other, "rejected busy");
  phone_clear (&other);
  g_assert_true (is_connected (&caller) && is_connected (&callee));
  phone_clear (&caller);
  phone_clear (&callee);
}

static void
decline (GstIceSession *session, const gchar *sdp, gboolean first)
{
  gst_ice_session_reject (session, "declined", NULL);
}

static void
test_declined (void)
{
  Phone caller, callee;

  init_pair (&caller, &callee);
  g_object_set (callee.session, "auto-accept", FALSE, NULL);
  g_signal_connect (callee.session, "incoming", G_CALLBACK (decline), NULL);
  phone_start (&callee);
  phone_start (&caller);
  expect_heard (&caller, "rejected declined");
  phone_clear (&caller);
  phone_clear (&callee);
}

static void
test_again (void)
{
  const guint port = find_port ();
  g_autofree gchar *there = calls (port), *here = listens (port);
  Phone caller, callee;
  gint i;

  g_test_summary ("Who waits for calls is called again, with new credentials");
  phone_init (&callee, here);
  phone_start (&callee);
  for (i = 1; i <= 3; i++) {
    phone_init (&caller, there);
    phone_start (&caller);
    wait_until (g_atomic_int_get (&callee.n_negotiated) >= i);
    wait_until (is_connected (&caller));
    phone_clear (&caller);
    expect_heard (&callee, "bye bye");
  }
  phone_clear (&callee);
}

static void
test_update (void)
{
  Phone caller, callee;
  gint i;

  g_test_summary ("While it rings the answer is there, reliably: either side "
                  "restarts by UPDATE");
  init_pair (&caller, &callee);
  g_object_set (callee.signaller, "answer-delay", 600000, NULL);
  phone_start (&callee);
  phone_start (&caller);
  wait_negotiated (&caller, &callee, 1);
  for (i = 0; i < 2; i++) {
    Phone *self = i == 0 ? &caller : &callee;
    g_autofree gchar *before = ufrag_of (self), *after = NULL;

    gst_ice_session_restart (self->session);
    wait_negotiated (&caller, &callee, 2 + i);
    after = ufrag_of (self);
    g_assert_cmpstr (before, !=, after);
  }
  phone_clear (&caller);
  expect_heard (&callee, "bye canceled");
  phone_clear (&callee);
}

static void
on_ready (GstIceSignaller *signaller, gboolean offerer, gint *n_ready)
{
  g_atomic_int_inc (n_ready);
}

/* An element that goes to READY and back starts its signaller again. */
static void
test_starts_again (void)
{
  g_autofree gchar *uri = calls (find_port ());
  g_autoptr (GError) error = NULL;
  g_autoptr (GstIceSignaller) signaller =
      gst_ice_signaller_new_from_uri (uri, &error);
  gint n_ready = 0; /* atomic */
  gint i;

  g_assert_no_error (error);
  g_signal_connect (signaller, "ready", G_CALLBACK (on_ready), &n_ready);
  for (i = 1; i <= 2; i++) {
    gst_ice_signaller_start (signaller, GST_ICE_SIGNALLER_ROLE_AUTO, &error);
    g_assert_no_error (error);
    wait_until (g_atomic_int_get (&n_ready) == i);
    gst_ice_signaller_stop (signaller);
    drain ();
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rfc3261/14/restart", test_restart);
  g_test_add_func ("/rfc3264/8.4/hold", test_hold);
  g_test_add_func ("/rfc3261/14.1/glare", test_glare);
  g_test_add_func ("/rfc3261/21.4.24/busy", test_busy);
  g_test_add_func ("/rfc3261/21.6.2/declined", test_declined);
  g_test_add_func ("/rfc8445/5.3/called-again", test_again);
  g_test_add_func ("/rfc3311/5.1/update", test_update);
  g_test_add_func ("/sip/starts-again", test_starts_again);
  return g_test_run ();
}
