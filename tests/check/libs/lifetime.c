/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <string.h>

#include "gst/ice/gsticeagent-private.h"

/* T-unref-in-callback: a handler may do anything with the agent. */

typedef enum
{
  DROP_AGENT,
  REMOVE_STREAM,
  RESTART,
  CLOSE,
  N_ACTIONS
} Action;

static const gchar *const action_names[] = { "unref", "remove-stream",
  "restart", "close" };

static const gchar *const signal_names[] = { "new-candidate", "gathering-done",
  "end-of-candidates", "first-check", "selected-pair", "notify::state",
  "notify::gathering-state", "notify::controlling" };

typedef struct
{
  Call *call;
  Action action;
  gint n_calls; /* (atomic) */
} Trap;

static void
spring (Trap *self)
{
  Side *side = &self->call->a;

  if (g_atomic_int_add (&self->n_calls, 1) > 0)
    return;
  switch (self->action) {
    case DROP_AGENT:
      gst_clear_object (&side->agent);
      break;
    case REMOVE_STREAM:
      gst_ice_agent_remove_stream (side->agent, side->stream);
      break;
    case RESTART:
      gst_ice_agent_restart (side->agent);
      break;
    case CLOSE:
      gst_ice_agent_close_async (side->agent, NULL, NULL, NULL);
      break;
    case N_ACTIONS:
      break;
  }
}

/* As many arguments as a signal may have; the last one is user data. */
static void
on_signal (GClosure *closure, GValue *return_value, guint n_values,
    const GValue *values, gpointer hint, gpointer marshal_data)
{
  spring (closure->data);
}

static void
set_trap (Trap *self, const gchar *signal)
{
  GClosure *closure = g_closure_new_simple (sizeof (GClosure), self);

  g_closure_set_marshal (closure, on_signal);
  g_signal_connect_closure (self->call->a.agent, signal, closure, FALSE);
}

static void
run_trap (const gchar *signal, Action action)
{
  g_autoptr (Call) call = call_new ();
  Trap trap = { .call = call, .action = action };
  GWeakRef weak;

  g_test_message ("%s in %s", action_names[action], signal);
  g_weak_ref_init (&weak, call->a.agent);
  /* The peer's handlers and ours feed agents that may be gone. */
  call->b.peer = NULL;
  set_trap (&trap, signal);
  call_negotiate (call);
  wait_until (g_atomic_int_get (&trap.n_calls) > 0);
  call_run_for (20);

  if (action == DROP_AGENT) {
    g_autoptr (GstIceAgent) left = g_weak_ref_get (&weak);
    g_assert_null (left);
  }
  g_weak_ref_clear (&weak);
}

static void
test_callbacks (void)
{
  g_test_summary ("Every signal, and in it every way to end things");
  for (guint i = 0; i < G_N_ELEMENTS (signal_names); i++)
    for (Action action = 0; action < N_ACTIONS; action++)
      run_trap (signal_names[i], action);
}

/* The same where signals have the process's own thread, and the agent is
 * dropped from another one. */
static void
test_service_thread (void)
{
  g_test_summary ("Agents come and go while their signals are on the way");
  for (guint i = 0; i < 50; i++) {
    GstIceAgent *agent = gst_ice_agent_new ();
    GWeakRef weak;
    gint64 end;

    g_weak_ref_init (&weak, agent);
    g_object_set (agent, "interfaces", "lo", NULL);
    gst_object_unref (gst_ice_agent_request_stream (agent, "0"));
    gst_ice_agent_gather (agent);
    g_usleep (i * 50);
    gst_object_unref (agent);
    for (end = g_get_monotonic_time () + G_TIME_SPAN_SECOND;;) {
      g_autoptr (GstIceAgent) left = g_weak_ref_get (&weak);

      if (!left)
        break;
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_clear_pointer (&left, gst_object_unref);
      g_usleep (1000);
    }
    g_weak_ref_clear (&weak);
  }
}

/* Closing */

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_true (
      gst_ice_agent_close_finish (GST_ICE_AGENT (source), result, NULL));
  *(gboolean *) user_data = TRUE;
}

static void
test_close (void)
{
  g_autoptr (Call) call = call_new ();
  GstIceAgent *agent = call->a.agent;
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (call->a.stream, 1);
  g_autoptr (GBytes) packet = g_bytes_new_static ("\x80", 1);
  g_autoptr (GstIceStream) stream = NULL;
  g_autoptr (GstIceTransport) other = NULL;
  g_autofree gchar *offer = NULL;
  g_autoptr (GError) error = NULL;
  gboolean closed = FALSE, again = FALSE;

  g_test_summary ("After close: CLOSED from everything, and no harm");
  call_connect (call);
  gst_ice_agent_close_async (agent, NULL, on_closed, &closed);
  gst_ice_agent_close_async (agent, NULL, on_closed, &again);
  wait_until (closed && again);
  wait_until (call_state (agent) == GST_ICE_STATE_CLOSED);

#define assert_closed(call)                                                    \
  G_STMT_START                                                                 \
  {                                                                            \
    g_assert_false (call);                                                     \
    g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);               \
    g_clear_error (&error);                                                    \
  }                                                                            \
  G_STMT_END

  assert_closed (gst_ice_agent_create_offer (agent, &error));
  assert_closed (gst_ice_agent_create_answer (agent, &error));
  assert_closed (
      gst_ice_agent_set_remote_description (agent, "offer", "v=0", &error));
  assert_closed (gst_ice_agent_add_remote_candidate (agent, "0", "", &error));
  assert_closed (gst_ice_agent_add_remote_candidate (agent, NULL, "", &error));
  assert_closed (gst_ice_agent_add_server (agent, "stun:192.0.2.1", &error));
  assert_closed (gst_ice_stream_add_remote_sdp (
      call->a.stream, "a=ice-ufrag:abcd", &error));
  assert_closed (gst_ice_transport_send (transport, packet, &error));
  assert_closed (gst_ice_transport_receive (transport, NULL, &error));

  stream = gst_ice_agent_request_stream (agent, "late");
  other = gst_ice_stream_get_transport (stream, 1);
  assert_closed (gst_ice_transport_receive (other, NULL, &error));
  gst_ice_agent_gather (agent);
  gst_ice_agent_restart (agent);
  gst_structure_free (gst_ice_agent_get_stats (agent));
}

static void
test_weak_links (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "0");
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (stream, 1);
  g_autoptr (GstIceTransport) late = NULL;
  g_autoptr (GPtrArray) candidates = NULL;
  g_autofree gchar *ufrag = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("Streams and transports outlive their agent, uselessly");
  gst_clear_object (&agent);
  g_assert_null (gst_ice_transport_receive (transport, NULL, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
  g_clear_error (&error);
  late = gst_ice_stream_get_transport (stream, 2);
  g_assert_null (gst_ice_transport_receive (late, NULL, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
  gst_ice_stream_get_local_credentials (stream, &ufrag, NULL);
  g_assert_null (ufrag);
  gst_ice_stream_restart (stream);
  candidates = gst_ice_stream_get_local_candidates (stream);
  g_assert_cmpuint (candidates->len, ==, 0);
}

static void
on_gathered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  gst_ice_stream_gather_finish (GST_ICE_STREAM (source), result, user_data);
}

/* A server that does not answer keeps gathering going for a while. */
static GstIceStream *
start_waiting (GstIceAgent *agent, GError **error)
{
  GstIceStream *stream = gst_ice_agent_request_stream (agent, "0");

  gst_ice_agent_add_server (agent, "stun:192.0.2.200", NULL);
  gst_ice_stream_gather_async (stream, NULL, on_gathered, error);
  return stream;
}

static void
test_waiting (void)
{
  g_autoptr (GstIceAgent) closed = call_new_agent ();
  g_autoptr (GstIceAgent) dropped = call_new_agent ();
  g_autoptr (GstIceAgent) kept = call_new_agent ();
  g_autoptr (GError) a = NULL, b = NULL, c = NULL, d = NULL;
  g_autoptr (GstIceStream) x = start_waiting (closed, &a);
  g_autoptr (GstIceStream) y = start_waiting (dropped, &b);
  g_autoptr (GstIceStream) z = start_waiting (kept, &c);

  g_test_summary ("Who waits for candidates is told when the agent or the "
                  "stream ends, and who asks later at once");
  gst_ice_agent_close_async (closed, NULL, NULL, NULL);
  gst_clear_object (&dropped);
  gst_ice_agent_remove_stream (kept, z);
  gst_ice_stream_gather_async (z, NULL, on_gathered, &d);
  wait_until (a && b && c && d);
  g_assert_error (c, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
  g_assert_error (d, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
  g_assert_error (a, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
  g_assert_error (b, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
}

static gpointer
receive_until_closed (gpointer transport)
{
  GError *error = NULL;
  GstBufferList *list;

  while ((list = gst_ice_transport_receive (transport, NULL, &error)))
    gst_buffer_list_unref (list);
  return error;
}

static void
test_blocked_reader (void)
{
  g_autoptr (Call) call = call_new ();
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (call->a.stream, 1);
  g_autoptr (GError) error = NULL;
  GThread *thread;

  g_test_summary ("Dropping the agent wakes who waits for packets");
  call_connect (call);
  thread = g_thread_new ("reader", receive_until_closed, transport);
  /* Order only: the reader waits before the agent goes. */
  g_usleep (20 * 1000);
  call->b.peer = NULL;
  gst_clear_object (&call->a.agent);
  error = g_thread_join (thread);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED);
}

static void
test_remove_while_receiving (void)
{
  g_test_summary ("A stream goes while packets arrive (T-remove-while-rx)");
  for (guint i = 0; i < 20; i++) {
    g_autoptr (Call) call = call_new ();
    g_autoptr (GstIceTransport) out =
        gst_ice_stream_get_transport (call->b.stream, 1);
    g_autoptr (GBytes) packet = g_bytes_new_static ("\x80\x00\x00\x00", 4);

    call_connect (call);
    for (guint j = 0; j < 200; j++) {
      gst_ice_transport_send (out, packet, NULL);
      if (j == 100)
        gst_ice_agent_remove_stream (call->a.agent, call->a.stream);
    }
  }
}

static guint
count_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (dir && g_dir_read_name (dir))
    n++;
  return n;
}

static void
test_descriptors (void)
{
  guint before, after;
  gint64 end;

  g_test_summary ("The last reference closes every descriptor, without a main "
                  "loop");
  call_run_for (50);
  before = count_descriptors ();
  for (guint i = 0; i < 20; i++) {
    g_autoptr (Call) call = call_new ();
    call_connect (call);
  }
  end = g_get_monotonic_time () + G_TIME_SPAN_SECOND;
  while (
      (after = count_descriptors ()) > before && g_get_monotonic_time () < end)
    g_usleep (1000);
  g_assert_cmpuint (after, <=, before);
}

/* Names */

static void
test_names (void)
{
  g_autoptr (GstIceAgent) a = gst_ice_agent_get_by_name ("call");
  g_autoptr (GstIceAgent) b = gst_ice_agent_get_by_name ("call");
  g_autoptr (GstIceAgent) c = gst_ice_agent_get_by_name ("other");
  GValue value = G_VALUE_INIT;
  g_autofree gchar *text = NULL;

  g_test_summary ("One name, one agent; the table keeps none alive");
  g_assert_true (a == b);
  g_assert_true (a != c);
  g_assert_cmpstr (GST_OBJECT_NAME (a), ==, "call");

  g_value_init (&value, GST_TYPE_ICE_AGENT);
  g_assert_true (gst_value_deserialize (&value, "call"));
  g_assert_true (g_value_get_object (&value) == a);
  text = gst_value_serialize (&value);
  g_assert_cmpstr (text, ==, "call");
  g_value_unset (&value);

  gst_ice_agent_close_async (a, NULL, NULL, NULL);
  gst_clear_object (&b);
  b = gst_ice_agent_get_by_name ("call");
  g_assert_true (a != b);
}

static void
test_find_stream (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) a = gst_ice_agent_request_stream (agent, "a");
  g_autoptr (GstIceStream) b = gst_ice_agent_request_stream (agent, "b");
  g_autoptr (GstIceStream) again = gst_ice_agent_request_stream (agent, "a");
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (agent);
  g_autofree gchar *name = NULL;
  guint index;

  g_test_summary ("Streams are found by name, in the order of requests");
  g_assert_true (a == again);
  g_assert_cmpuint (streams->len, ==, 2);
  g_assert_true (streams->pdata[0] == a && streams->pdata[1] == b);
  g_object_get (b, "name", &name, "mline-index", &index, NULL);
  g_assert_cmpstr (name, ==, "b");
  g_assert_cmpuint (index, ==, 1);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lifetime/callbacks", test_callbacks);
  g_test_add_func ("/lifetime/service-thread", test_service_thread);
  g_test_add_func ("/lifetime/close", test_close);
  g_test_add_func ("/lifetime/weak-links", test_weak_links);
  g_test_add_func ("/lifetime/waiting", test_waiting);
  g_test_add_func ("/lifetime/blocked-reader", test_blocked_reader);
  g_test_add_func (
      "/lifetime/remove-while-receiving", test_remove_while_receiving);
  g_test_add_func ("/lifetime/descriptors", test_descriptors);
  g_test_add_func ("/lifetime/names", test_names);
  g_test_add_func ("/lifetime/find-stream", test_find_stream);
  return call_run_tests ();
}
