/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call whose signalling the application does itself: an offer, an answer and
 * candidates as they are found. Alice and Bob live in one process here; between
 * two machines, send_message() would write to your own channel, whatever it is,
 * and take_message() would be called for what comes out of it at the other end.
 *
 * The call runs without rtcp-mux: RTP on component 1 and RTCP on component 2,
 * each with its own port and its own pair; a=rtcp (RFC 3605) names the second.
 * So that her offer can say it, Alice gathers first; Bob trickles (RFC 8838).
 *
 *   examples/call
 *
 * Exit status 0: Bob heard Alice, and each had RTCP from the other. */

#include <gst/ice/ice.h>

#define RTP 1
#define RTCP 2
/* What is enough to be sure: two seconds of sound in packets of 20 ms. */
#define ENOUGH_RTP 100
#define ENOUGH_RTCP 1
#define DEADLINE_SECONDS 30

typedef struct _Side Side;
struct _Side
{
  const gchar *name;
  Side *other;          /* (unowned) */
  GMainLoop *loop;      /* (unowned) */
  GstIceAgent *agent;   /* (owned) */
  GstElement *pipeline; /* (owned) */
  gboolean described;   /* what is found from now on, the other has not read */
  gint n_rtp, n_rtcp;   /* (atomic) packets that came in */
};

static void take_message (
    Side *self, const gchar *type, const gchar *mid, const gchar *text);

/* Your channel: here it prints what passes, and arrives at once. */
static void
send_message (
    Side *self, const gchar *type, const gchar *mid, const gchar *text)
{
  g_print ("%s -> %s: %s %s\n%s\n", self->name, self->other->name, type,
      mid ? mid : "", text);
  take_message (self->other, type, mid, text);
}

static void
take_message (
    Side *self, const gchar *type, const gchar *mid, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *answer = NULL;

  if (g_str_equal (type, "candidate")) {
    if (!gst_ice_agent_add_remote_candidate (self->agent, mid, text, &error))
      g_printerr ("%s: %s\n", self->name, error->message);
    return;
  }
  if (!gst_ice_agent_set_remote_description (self->agent, type, text, &error)) {
    g_printerr ("%s: %s\n", self->name, error->message);
    return;
  }
  if (g_str_equal (type, "answer"))
    return;
  answer = gst_ice_agent_create_answer (self->agent, &error);
  if (answer)
    send_message (self, "answer", NULL, answer);
  else
    g_printerr ("%s: %s\n", self->name, error->message);
}

static void
on_new_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer user_data)
{
  Side *self = user_data;
  g_autofree gchar *mid = gst_object_get_name (GST_OBJECT (stream));
  g_autofree gchar *text = gst_ice_candidate_to_sdp (candidate);

  if (self->described)
    send_message (self, "candidate", mid, text);
}

/* An empty candidate says that no more will come. */
static void
on_end_of_candidates (
    GstIceAgent *agent, GstIceStream *stream, gpointer user_data)
{
  Side *self = user_data;
  g_autofree gchar *mid = gst_object_get_name (GST_OBJECT (stream));

  if (self->described)
    send_message (self, "candidate", mid, "");
}

static void
on_selected_pair (GstIceAgent *agent, GstIceStream *stream, guint component,
    GstIceCandidate *local, GstIceCandidate *remote, gpointer user_data)
{
  const Side *self = user_data;

  g_print ("%s: component %u goes from port %u to port %u\n", self->name,
      component, gst_ice_candidate_get_port (local),
      gst_ice_candidate_get_port (remote));
}

static gboolean
is_content (const Side *self, gboolean wants_rtp)
{
  return (!wants_rtp || g_atomic_int_get (&self->n_rtp) >= ENOUGH_RTP) &&
      g_atomic_int_get (&self->n_rtcp) >= ENOUGH_RTCP;
}

/* Streaming threads. */
static GstPadProbeReturn
count_packets (GstPad *pad, GstPadProbeInfo *info, gpointer counter)
{
  const gint n = info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST
      ? (gint) gst_buffer_list_length (GST_PAD_PROBE_INFO_BUFFER_LIST (info))
      : 1;

  g_atomic_int_add ((gint *) counter, n);
  return GST_PAD_PROBE_OK;
}

static void
count (Side *self, const gchar *element, gint *counter)
{
  g_autoptr (GstElement) icesrc =
      gst_bin_get_by_name (GST_BIN (self->pipeline), element);
  g_autoptr (GstPad) pad = NULL;

  if (!icesrc)
    return;
  pad = gst_element_get_static_pad (icesrc, "src");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, count_packets,
      counter, NULL);
}

static gboolean
on_bus_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Side *self = user_data;
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s: %s\n", self->name, error->message);
    g_main_loop_quit (self->loop);
  }
  return G_SOURCE_CONTINUE;
}

/* Signals come in the main context, so that nothing here needs a lock. */
static gboolean
set_up (Side *self, gboolean controlling, const gchar *launch)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstBus) bus = NULL;
  GstIterator *elements;
  GValue item = G_VALUE_INIT;

  self->agent =
      g_object_new (GST_TYPE_ICE_AGENT, "name", self->name, "main-context",
          g_main_context_default (), "controlling", controlling, NULL);
  g_signal_connect (
      self->agent, "new-candidate", G_CALLBACK (on_new_candidate), self);
  g_signal_connect (self->agent, "end-of-candidates",
      G_CALLBACK (on_end_of_candidates), self);
  g_signal_connect (
      self->agent, "selected-pair", G_CALLBACK (on_selected_pair), self);

  self->pipeline = gst_parse_launch (launch, &error);
  if (error) {
    g_printerr ("%s: %s\n", self->name, error->message);
    return FALSE;
  }
  /* Every icesrc and icesink of the pipeline shares our agent. */
  elements = gst_bin_iterate_elements (GST_BIN (self->pipeline));
  while (gst_iterator_next (elements, &item) == GST_ITERATOR_OK) {
    GObject *element = g_value_get_object (&item);

    if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), "agent"))
      g_object_set (element, "agent", self->agent, NULL);
    g_value_reset (&item);
  }
  g_value_unset (&item);
  gst_iterator_free (elements);

  count (self, "rtp", &self->n_rtp);
  count (self, "rtcp", &self->n_rtcp);
  bus = gst_element_get_bus (self->pipeline);
  gst_bus_add_watch (bus, on_bus_message, self);
  return TRUE;
}

static void
tear_down (Side *self)
{
  g_autoptr (GstBus) bus = NULL;

  if (self->pipeline) {
    bus = gst_element_get_bus (self->pipeline);
    gst_bus_remove_watch (bus);
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
  }
  gst_clear_object (&self->pipeline);
  gst_clear_object (&self->agent);
}

/* Once Alice's addresses are known, ports of both components included. */
static void
on_gathering_done (GstIceAgent *agent, GstIceStream *stream, gpointer user_data)
{
  Side *alice = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *sdp = NULL;

  if (alice->described)
    return;
  sdp = gst_ice_agent_create_offer (agent, &error);
  if (sdp)
    send_message (alice, "offer", NULL, sdp);
  else
    g_printerr ("alice: %s\n", error->message);
}

/* What Alice is going to send: it becomes the m-line of her offer. */
static void
start (Side *alice)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "application/x-rtp, media=audio, encoding-name=PCMA, payload=8, "
      "clock-rate=8000");
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_request_stream (alice->agent, "audio");

  gst_ice_stream_set_caps (stream, caps, NULL);
  g_signal_connect (
      alice->agent, "gathering-done", G_CALLBACK (on_gathering_done), alice);
  gst_ice_agent_gather (alice->agent);
}

typedef struct
{
  Side alice, bob;
  GMainLoop *loop; /* (owned) */
  gint64 deadline;
} Call;

static gboolean
is_over (gpointer user_data)
{
  Call *call = user_data;

  if ((!is_content (&call->alice, FALSE) || !is_content (&call->bob, TRUE)) &&
      g_get_monotonic_time () < call->deadline)
    return G_SOURCE_CONTINUE;
  g_main_loop_quit (call->loop);
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  Call call = { .alice = { .name = "alice" }, .bob = { .name = "bob" } };
  gboolean success = FALSE;

  gst_init (&argc, &argv);
  call.loop = g_main_loop_new (NULL, FALSE);
  call.deadline =
      g_get_monotonic_time () + DEADLINE_SECONDS * G_TIME_SPAN_SECOND;
  call.alice.other = &call.bob;
  call.bob.other = &call.alice;
  call.alice.loop = call.bob.loop = call.loop;

  if (set_up (&call.alice, TRUE,
          "rtpbin name=r audiotestsrc is-live=true ! alawenc ! rtppcmapay "
          "! r.send_rtp_sink_0 r.send_rtp_src_0 "
          "! icesink stream=audio component=1 r.send_rtcp_src_0 "
          "! icesink stream=audio component=2 sync=false "
          "icesrc name=rtcp stream=audio component=2 ! r.recv_rtcp_sink_0") &&
      set_up (&call.bob, FALSE,
          "rtpbin name=r icesrc name=rtp stream=audio component=1 "
          "! r.recv_rtp_sink_0 r. ! rtppcmadepay ! alawdec ! fakesink "
          "icesrc name=rtcp stream=audio component=2 ! r.recv_rtcp_sink_0 "
          "r.send_rtcp_src_0 ! icesink stream=audio component=2 sync=false")) {
    gst_element_set_state (call.alice.pipeline, GST_STATE_PLAYING);
    gst_element_set_state (call.bob.pipeline, GST_STATE_PLAYING);
    start (&call.alice);
    g_timeout_add (50, is_over, &call);
    g_main_loop_run (call.loop);
    success = is_content (&call.alice, FALSE) && is_content (&call.bob, TRUE);
    g_print ("alice: %d RTCP packets; bob: %d RTP and %d RTCP packets\n",
        call.alice.n_rtcp, call.bob.n_rtp, call.bob.n_rtcp);
  }
  tear_down (&call.alice);
  tear_down (&call.bob);
  g_main_loop_unref (call.loop);
  return success ? 0 : 1;
}
