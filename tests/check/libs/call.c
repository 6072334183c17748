/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#ifdef __linux__
#include <signal.h>
#include <sys/prctl.h>
#endif

#include "gst/ice/io/loop.h"

void
call_die_with_parent (gpointer unused)
{
#ifdef __linux__
  prctl (PR_SET_PDEATHSIG, SIGKILL);
#endif
}

int
call_run_tests (void)
{
  gint64 end;
  int status = g_test_run ();

  end = g_get_monotonic_time () + G_TIME_SPAN_SECOND;
  while (ice_loop_pool_n_threads () > 0 && g_get_monotonic_time () < end)
    g_usleep (1000);
  /* The thread counts itself out just before its own data goes. */
  g_usleep (10 * 1000);
  return status;
}

static gboolean
wake (gpointer unused)
{
  return G_SOURCE_REMOVE;
}

void
call_iterate (void)
{
  guint id = g_timeout_add (5, wake, NULL);

  g_main_context_iteration (NULL, TRUE);
  if (g_main_context_find_source_by_id (NULL, id))
    g_source_remove (id);
}

void
call_run_for (guint ms)
{
  gint64 end = g_get_monotonic_time () + ms * G_TIME_SPAN_MILLISECOND;

  while (g_get_monotonic_time () < end)
    call_iterate ();
}

GstIceAgent *
call_new_agent (void)
{
  GstIceAgent *agent = g_object_new (GST_TYPE_ICE_AGENT, "main-context",
      g_main_context_default (), "interfaces", "lo", NULL);

  return gst_object_ref_sink (agent);
}

static void
note (Side *self, const gchar *event)
{
  g_ptr_array_add (self->events, g_strdup (event));
}

static void
on_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer user_data)
{
  Side *self = user_data;
  g_autofree gchar *mid = gst_object_get_name (GST_OBJECT (stream));
  g_autofree gchar *line = gst_ice_candidate_to_sdp (candidate);
  g_autoptr (GError) error = NULL;

  note (self, "new-candidate");
  if (self->peer) {
    gst_ice_agent_add_remote_candidate (self->peer, mid, line, &error);
    g_assert_no_error (error);
  }
}

static void
on_end (GstIceAgent *agent, GstIceStream *stream, gpointer user_data)
{
  Side *self = user_data;
  g_autofree gchar *mid = gst_object_get_name (GST_OBJECT (stream));

  note (self, "end-of-candidates");
  if (self->peer)
    gst_ice_agent_add_remote_candidate (self->peer, mid, "", NULL);
}

static void
on_gathering_done (GstIceAgent *agent, GstIceStream *stream, gpointer self)
{
  note (self, "gathering-done");
}

static void
on_first_check (GstIceAgent *agent, GstIceStream *stream, gpointer self)
{
  note (self, "first-check");
}

static void
on_selected_pair (GstIceAgent *agent, GstIceStream *stream, guint component,
    GstIceCandidate *local, GstIceCandidate *remote, gpointer self)
{
  g_autoptr (GstIceTransport) transport =
      gst_ice_stream_get_transport (stream, component);
  g_autoptr (GstIceCandidate) selected = NULL;

  g_object_get (transport, "selected-remote", &selected, NULL);
  g_assert_cmpuint (gst_ice_candidate_get_port (selected), ==,
      gst_ice_candidate_get_port (remote));
  note (self, "selected-pair");
}

static void
on_state (GstIceAgent *agent, GParamSpec *pspec, gpointer self)
{
  GEnumClass *klass = g_type_class_ref (GST_TYPE_ICE_STATE);

  note (self, g_enum_get_value (klass, (gint) call_state (agent))->value_nick);
  g_type_class_unref (klass);
}

static void
on_new_remote_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer self)
{
  g_assert_cmpint (gst_ice_candidate_get_kind (candidate), ==,
      GST_ICE_CANDIDATE_KIND_PEER_REFLEXIVE);
  note (self, "new-remote-candidate");
}

static void
on_error (GstIceAgent *agent, const GError *error, gpointer self)
{
  g_test_message ("error: %s", error->message);
  note (self, "error");
}

void
side_init (Side *self, GstIceAgent *agent)
{
  self->agent = agent;
  self->stream = gst_ice_agent_request_stream (agent, "0");
  self->events = g_ptr_array_new_with_free_func (g_free);
  g_signal_connect (agent, "new-candidate", G_CALLBACK (on_candidate), self);
  g_signal_connect (agent, "end-of-candidates", G_CALLBACK (on_end), self);
  g_signal_connect (
      agent, "gathering-done", G_CALLBACK (on_gathering_done), self);
  g_signal_connect (agent, "first-check", G_CALLBACK (on_first_check), self);
  g_signal_connect (
      agent, "selected-pair", G_CALLBACK (on_selected_pair), self);
  g_signal_connect (agent, "new-remote-candidate",
      G_CALLBACK (on_new_remote_candidate), self);
  g_signal_connect (agent, "error", G_CALLBACK (on_error), self);
  g_signal_connect (agent, "notify::state", G_CALLBACK (on_state), self);
}

void
side_clear (Side *self)
{
  if (self->agent)
    g_signal_handlers_disconnect_by_data (self->agent, self);
  gst_clear_object (&self->agent);
  gst_clear_object (&self->stream);
  g_clear_pointer (&self->events, g_ptr_array_unref);
}

gboolean
side_saw (const Side *self, const gchar *event)
{
  return g_ptr_array_find_with_equal_func (
      self->events, event, g_str_equal, NULL);
}

Call *
call_new (void)
{
  Call *self = g_new0 (Call, 1);

  side_init (&self->a, call_new_agent ());
  side_init (&self->b, call_new_agent ());
  self->a.peer = self->b.agent;
  self->b.peer = self->a.agent;
  return self;
}

void
call_free (Call *self)
{
  side_clear (&self->a);
  side_clear (&self->b);
  g_free (self);
}

void
call_negotiate (Call *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *offer = NULL, *answer = NULL;

  offer = gst_ice_agent_create_offer (self->a.agent, &error);
  g_assert_no_error (error);
  gst_ice_agent_set_remote_description (self->b.agent, "offer", offer, &error);
  g_assert_no_error (error);
  answer = gst_ice_agent_create_answer (self->b.agent, &error);
  g_assert_no_error (error);
  gst_ice_agent_set_remote_description (
      self->a.agent, "answer", answer, &error);
  g_assert_no_error (error);
}

GstIceState
call_state (GstIceAgent *agent)
{
  GstIceState state;

  g_object_get (agent, "state", &state, NULL);
  return state;
}

static gboolean
is_connected (GstIceAgent *agent)
{
  GstIceState state = call_state (agent);

  return state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED;
}

void
call_connect (Call *self)
{
  call_negotiate (self);
  wait_until (is_connected (self->a.agent) && is_connected (self->b.agent));
}

static GBytes *
make_packet (guint number, gsize size)
{
  guint8 *data = g_malloc0 (size);

  data[0] = 0x80; /* RTP, RFC 7983 */
  data[1] = (guint8) number;
  return g_bytes_new_take (data, size);
}

void
call_exchange (GstIceStream *from, GstIceStream *to, guint n, gsize size)
{
  g_autoptr (GstIceTransport) out = gst_ice_stream_get_transport (from, 1);
  g_autoptr (GstIceTransport) in = gst_ice_stream_get_transport (to, 1);
  g_autoptr (GError) error = NULL;
  guint n_received = 0;

  for (guint i = 0; i < n; i++) {
    g_autoptr (GBytes) packet = make_packet (i, size);

    gst_ice_transport_send (out, packet, &error);
    g_assert_no_error (error);
  }
  while (n_received < n) {
    g_autoptr (GstBufferList) list =
        gst_ice_transport_receive (in, NULL, &error);

    g_assert_no_error (error);
    for (guint i = 0; i < gst_buffer_list_length (list); i++) {
      GstBuffer *buffer = gst_buffer_list_get (list, i);
      guint8 number;

      g_assert_cmpuint (gst_buffer_get_size (buffer), ==, size);
      gst_buffer_extract (buffer, 1, &number, 1);
      g_assert_cmpuint (number, ==, (guint8) n_received++);
    }
  }
}
