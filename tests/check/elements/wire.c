/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire.h"

#include <string.h>

#define TIMEOUT (10 * G_TIME_SPAN_SECOND)

static void
on_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, GstIceAgent *other)
{
  g_autofree gchar *mid = gst_object_get_name (GST_OBJECT (stream));
  g_autofree gchar *line = gst_ice_candidate_to_sdp (candidate);
  g_autoptr (GError) error = NULL;

  gst_ice_agent_add_remote_candidate (other, mid, line, &error);
  g_assert_no_error (error);
}

static GstIceAgent *
new_agent (void)
{
  GstIceAgent *agent = gst_ice_agent_new ();

  g_object_set (agent, "interfaces", "lo", NULL);
  return agent;
}

Wire *
wire_new (void)
{
  Wire *self = g_new0 (Wire, 1);

  self->ours = new_agent ();
  self->theirs = new_agent ();
  self->our_stream = gst_ice_agent_request_stream (self->ours, "0");
  self->their_stream = gst_ice_agent_request_stream (self->theirs, "0");
  self->transport = gst_ice_stream_get_transport (self->their_stream, 1);
  g_signal_connect (
      self->ours, "new-candidate", G_CALLBACK (on_candidate), self->theirs);
  g_signal_connect (
      self->theirs, "new-candidate", G_CALLBACK (on_candidate), self->ours);
  return self;
}

void
wire_free (Wire *self)
{
  g_signal_handlers_disconnect_by_func (self->ours, on_candidate, self->theirs);
  g_signal_handlers_disconnect_by_func (self->theirs, on_candidate, self->ours);
  gst_ice_agent_close_async (self->ours, NULL, NULL, NULL);
  gst_ice_agent_close_async (self->theirs, NULL, NULL, NULL);
  gst_object_unref (self->transport);
  gst_object_unref (self->our_stream);
  gst_object_unref (self->their_stream);
  gst_object_unref (self->ours);
  gst_object_unref (self->theirs);
  g_free (self);
}

static gboolean
is_connected (GstIceAgent *agent)
{
  GstIceState state;

  g_object_get (agent, "state", &state, NULL);
  return state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED;
}

void
wire_connect (Wire *self)
{
  const gint64 end = g_get_monotonic_time () + TIMEOUT;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *offer = gst_ice_agent_create_offer (self->ours, &error);
  g_autofree gchar *answer = NULL;

  g_assert_no_error (error);
  gst_ice_agent_set_remote_description (self->theirs, "offer", offer, &error);
  g_assert_no_error (error);
  answer = gst_ice_agent_create_answer (self->theirs, &error);
  g_assert_no_error (error);
  gst_ice_agent_set_remote_description (self->ours, "answer", answer, &error);
  g_assert_no_error (error);
  while (!is_connected (self->ours) || !is_connected (self->theirs)) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (1000);
  }
}

static gboolean
count (gpointer n)
{
  g_atomic_int_inc ((gint *) n);
  return G_SOURCE_REMOVE;
}

void
wire_drain (void)
{
  const gint64 end = g_get_monotonic_time () + TIMEOUT;
  gint n = 0;

  g_main_context_invoke (gst_ice_signaller_get_main_context (), count, &n);
  while (g_atomic_int_get (&n) == 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (1000);
  }
}

GBytes *
wire_receive (Wire *self, gint64 timeout)
{
  guint8 bytes[2048];
  GInputVector vector = { bytes, sizeof bytes };
  GInputMessage message = { NULL, &vector, 1, 0, 0, NULL, NULL };

  if (g_datagram_based_receive_messages (G_DATAGRAM_BASED (self->transport),
          &message, 1, 0, timeout, NULL, NULL) != 1)
    return NULL;
  return g_bytes_new (bytes, message.bytes_received);
}

void
wire_send (Wire *self, guint8 first, gsize size)
{
  guint8 *data = g_malloc (size);
  g_autoptr (GBytes) packet = NULL;
  g_autoptr (GError) error = NULL;

  memset (data, first, size);
  packet = g_bytes_new_take (data, size);
  gst_ice_transport_send (self->transport, packet, &error);
  g_assert_no_error (error);
}

guint8
wire_expect (Wire *self)
{
  g_autoptr (GBytes) packet = wire_receive (self, TIMEOUT);

  g_assert_nonnull (packet);
  return *(const guint8 *) g_bytes_get_data (packet, NULL);
}

void
wire_expect_nothing (Wire *self, gint64 during)
{
  g_autoptr (GBytes) packet = wire_receive (self, during);

  g_assert_null (packet);
}
