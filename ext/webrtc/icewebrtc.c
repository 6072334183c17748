/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtc-private.h"

#include <string.h>

GST_DEBUG_CATEGORY (gst_ice_webrtc_debug);
#define GST_CAT_DEFAULT gst_ice_webrtc_debug

/* Our agent as webrtcbin wants one. Its calls come from its own thread, with
 * its locks held; what the agent tells goes back from the agent's notification
 * thread with none of ours. */

/* webrtcbin itself posts the end of candidates since then, when gathering is
 * complete: that must be true (design 9.5). Before, complete is what an
 * application that does not trickle waits for, and a server that does not
 * answer is not worth half a minute. */
#define COMPLETE_ENDS_CANDIDATES(major, minor)                                 \
  ((major) > 1 || ((major) == 1 && (minor) >= 24))

enum
{
  PROP_0,
  PROP_AGENT,
  PROP_ICE_TCP,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE_WITH_CODE (GstIceWebRTC, gst_ice_webrtc,
    GST_TYPE_WEBRTC_ICE,
    GST_DEBUG_CATEGORY_INIT (
        gst_ice_webrtc_debug, "ice-webrtc", 0, "ICE for webrtcbin"))

GstIceWebRTC *
gst_ice_webrtc_new (GstIceAgent *agent)
{
  return gst_object_ref_sink (
      g_object_new (GST_TYPE_ICE_WEBRTC, "agent", agent, NULL));
}

GstIceAgent *
gst_ice_webrtc_ref_agent (GstIceWebRTC *self)
{
  return gst_object_ref (self->agent);
}

/* Streams */

/* (transfer full) (nullable) */
static GstIceWebRTCStream *
find_stream (GstIceWebRTC *self, guint session_id)
{
  GstIceWebRTCStream *found = NULL;

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->streams->len && !found; i++) {
    GstWebRTCICEStream *stream = self->streams->pdata[i];

    if (stream->stream_id == session_id)
      found = gst_object_ref (self->streams->pdata[i]);
  }
  GST_OBJECT_UNLOCK (self);
  return found;
}

/* (transfer full) (nullable) */
static GstIceWebRTCStream *
find_wrapper (GstIceWebRTC *self, GstIceStream *stream)
{
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (stream));
  guint64 session_id;

  /* Streams that others have made on an agent with a name may be called
   * anything. */
  if (!g_ascii_string_to_unsigned (name, 10, 0, G_MAXUINT, &session_id, NULL))
    return NULL;
  return find_stream (self, (guint) session_id);
}

/* webrtcbin drops a reference of what it is given since then; before it took
 * none, and the annotation was wrong. */
static gboolean
add_stream_gives_a_reference (void)
{
  guint major, minor, micro, nano;

  gst_version (&major, &minor, &micro, &nano);
  return major > 1 || minor > 26 || (minor == 26 && micro >= 10);
}

static GstWebRTCICEStream *
gst_ice_webrtc_add_stream (GstWebRTCICE *ice, guint session_id)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (ice);
  GstIceWebRTCStream *stream = find_stream (self, session_id);

  if (!stream) {
    stream = gst_ice_webrtc_stream_new (self, session_id);
    GST_OBJECT_LOCK (self);
    g_ptr_array_add (self->streams, gst_object_ref (stream));
    GST_OBJECT_UNLOCK (self);
  }
  if (!add_stream_gives_a_reference ())
    gst_object_unref (stream); /* the list has it */
  return GST_WEBRTC_ICE_STREAM (stream);
}

static GstWebRTCICETransport *
gst_ice_webrtc_find_transport (GstWebRTCICE *ice, GstWebRTCICEStream *stream,
    GstWebRTCICEComponent component)
{
  return gst_ice_webrtc_stream_ref_transport (
      GST_ICE_WEBRTC_STREAM (stream), component);
}

/* The range is a pair of plain properties of the base class. */
static void
apply_port_range (GstIceWebRTC *self)
{
  guint min = 0, max = 0;

  g_object_get (self, "min-rtp-port", &min, "max-rtp-port", &max, NULL);
  if (min == 0 && max == G_MAXUINT16)
    return;
  g_object_set (self->agent, "min-port", min, "max-port", max, NULL);
}

static gboolean
gst_ice_webrtc_gather_candidates (GstWebRTCICE *ice, GstWebRTCICEStream *stream)
{
  apply_port_range (GST_ICE_WEBRTC (ice));
  gst_ice_webrtc_stream_gather (GST_ICE_WEBRTC_STREAM (stream));
  return TRUE;
}

static void
reply (GstPromise *promise, GError *error)
{
  GstStructure *answer = NULL;

  if (!promise)
    return;
  if (error)
    answer = gst_structure_new (
        "application/x-gst-promise", "error", G_TYPE_ERROR, error, NULL);
  gst_promise_reply (promise, answer);
}

/* webrtcbin holds the lock that its callback for our candidates wants: nothing
 * is called back from here. */
static void
gst_ice_webrtc_add_candidate (GstWebRTCICE *ice, GstWebRTCICEStream *stream,
    const gchar *candidate ICE_WEBRTC_PROMISE_PARAM)
{
  g_autoptr (GError) error = NULL;

  if (!gst_ice_webrtc_stream_add_candidate (
          GST_ICE_WEBRTC_STREAM (stream), candidate, &error))
    GST_WARNING_OBJECT (ice, "%s", error->message);
  reply (ICE_WEBRTC_PROMISE, error);
}

static gboolean
gst_ice_webrtc_set_local_credentials (GstWebRTCICE *ice,
    GstWebRTCICEStream *stream, const gchar *ufrag, const gchar *pwd)
{
  return gst_ice_webrtc_stream_set_local (
      GST_ICE_WEBRTC_STREAM (stream), ufrag, pwd);
}

static gboolean
gst_ice_webrtc_set_remote_credentials (GstWebRTCICE *ice,
    GstWebRTCICEStream *stream, const gchar *ufrag, const gchar *pwd)
{
  return gst_ice_webrtc_stream_set_remote (
      GST_ICE_WEBRTC_STREAM (stream), ufrag, pwd);
}

/* Settings */

/* webrtcbin sets it with each description, and tells both sides that they are
 * controlled when the answerer offers later; the agent heeds it only before
 * checks have begun. */
static void
gst_ice_webrtc_set_is_controller (GstWebRTCICE *ice, gboolean controller)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (ice);

  GST_OBJECT_LOCK (self);
  self->controller = controller;
  GST_OBJECT_UNLOCK (self);
  g_object_set (self->agent, "controlling", controller, NULL);
}

static gboolean
gst_ice_webrtc_get_is_controller (GstWebRTCICE *ice)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (ice);
  gboolean controller;

  GST_OBJECT_LOCK (self);
  controller = self->controller;
  GST_OBJECT_UNLOCK (self);
  return controller;
}

static void
gst_ice_webrtc_set_force_relay (GstWebRTCICE *ice, gboolean force_relay)
{
  g_object_set (GST_ICE_WEBRTC (ice)->agent, "policy",
      force_relay ? GST_ICE_POLICY_RELAY : GST_ICE_POLICY_ALL, NULL);
}

/* RFC 2474 3: the code point is the upper six bits of what was TOS. */
static void
gst_ice_webrtc_set_tos (
    GstWebRTCICE *ice, GstWebRTCICEStream *stream, guint tos)
{
  g_object_set (
      gst_ice_webrtc_stream_get_stream (GST_ICE_WEBRTC_STREAM (stream)), "dscp",
      (gint) ((tos & 0xff) >> 2), NULL);
}

/* Action signal of the base class: only these addresses are used. */
static gboolean
on_add_local_ip_address (GstWebRTCICE *ice, const gchar *address)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (ice);
  g_autoptr (GInetAddress) parsed =
      address ? g_inet_address_new_from_string (address) : NULL;
  g_autofree gchar *before = NULL, *after = NULL;

  if (!parsed)
    return FALSE;
  g_object_get (self->agent, "interfaces", &before, NULL);
  after = before && *before ? g_strdup_printf ("%s,%s", before, address)
                            : g_strdup (address);
  g_object_set (self->agent, "interfaces", after, NULL);
  return TRUE;
}

/* Candidates of ours */

/* webrtcbin passes itself, and takes no reference on the agent that its
 * property is set to though it drops one in the end: it gets it here. In its
 * dispose, since 1.26.3, the function is NULL. */
static void
gst_ice_webrtc_set_on_ice_candidate (GstWebRTCICE *ice,
    GstWebRTCICEOnCandidateFunc func, gpointer user_data, GDestroyNotify notify)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (ice);
  const gboolean is_bin = func && user_data && !notify;
  GDestroyNotify old_notify;
  gpointer old_data;

  if (is_bin) {
    gst_object_ref (self);
    g_weak_ref_set (&self->bin, user_data);
  }
  GST_OBJECT_LOCK (self);
  self->has_bin = self->has_bin || is_bin;
  old_notify = self->on_candidate_notify;
  old_data = self->on_candidate_data;
  self->on_candidate = func;
  self->on_candidate_data = is_bin ? NULL : user_data;
  self->on_candidate_notify = notify;
  GST_OBJECT_UNLOCK (self);
  if (old_notify)
    old_notify (old_data);
}

gboolean
gst_ice_webrtc_enter (GstIceWebRTC *self, GObject **ret_bin)
{
  gboolean has_bin;

  GST_OBJECT_LOCK (self);
  has_bin = self->has_bin;
  GST_OBJECT_UNLOCK (self);
  *ret_bin = g_weak_ref_get (&self->bin);
  return *ret_bin != NULL || !has_bin;
}

static void
do_nothing (GstElement *bin, gpointer unused)
{
}

/* The last reference may be ours by now. What goes with it takes its time, and
 * threads that all agents share are no place for that. */
void
gst_ice_webrtc_leave (GObject *bin)
{
  if (!bin)
    return;
  if (GST_IS_ELEMENT (bin))
    gst_element_call_async (GST_ELEMENT (bin), do_nothing, NULL, NULL);
  g_object_unref (bin);
}

static void
tell_candidate (GstIceWebRTC *self, guint session_id, const gchar *line)
{
  GstWebRTCICEOnCandidateFunc func;
  GObject *bin;
  gpointer data;

  if (!gst_ice_webrtc_enter (self, &bin))
    return;
  GST_OBJECT_LOCK (self);
  func = self->on_candidate;
  data = bin ? (gpointer) bin : self->on_candidate_data;
  GST_OBJECT_UNLOCK (self);
  if (func)
    func (GST_WEBRTC_ICE (self), session_id, line, data);
  gst_ice_webrtc_leave (bin);
}

static void
on_new_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, GWeakRef *weak)
{
  g_autoptr (GstIceWebRTC) self = g_weak_ref_get (weak);
  g_autoptr (GstIceWebRTCStream) wrapper = NULL;
  g_autofree gchar *text = NULL, *line = NULL;

  if (self)
    wrapper = find_wrapper (self, stream);
  if (!wrapper)
    return;
  text = gst_ice_candidate_to_sdp (candidate);
  line = g_strconcat ("a=", text, NULL);
  tell_candidate (self, GST_WEBRTC_ICE_STREAM (wrapper)->stream_id, line);
}

static void
on_gathered (GstIceAgent *agent, GstIceStream *stream, GWeakRef *weak)
{
  g_autoptr (GstIceWebRTC) self = g_weak_ref_get (weak);
  g_autoptr (GstIceWebRTCStream) wrapper = NULL;
  GObject *bin;

  if (self)
    wrapper = find_wrapper (self, stream);
  if (!wrapper || !gst_ice_webrtc_enter (self, &bin))
    return;
  gst_ice_webrtc_stream_set_gathered (wrapper);
  gst_ice_webrtc_leave (bin);
}

/* The end */

/* An agent of its own ends with it: TURN servers are told. One that others
 * know by name goes on without our streams. */
static void
shut_down (GstIceWebRTC *self, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GPtrArray) streams = NULL;

  GST_OBJECT_LOCK (self);
  streams = g_steal_pointer (&self->streams);
  self->streams = g_ptr_array_new_with_free_func (gst_object_unref);
  GST_OBJECT_UNLOCK (self);
  if (self->own_agent) {
    gst_ice_agent_close_async (self->agent, NULL, callback, data);
    return;
  }
  for (guint i = 0; i < streams->len; i++)
    gst_ice_agent_remove_stream (
        self->agent, gst_ice_webrtc_stream_get_stream (streams->pdata[i]));
  if (callback)
    callback (G_OBJECT (self->agent), NULL, data);
}

static void
on_closed (GObject *agent, GAsyncResult *result, gpointer promise)
{
  if (!promise)
    return;
  gst_promise_reply (promise, NULL);
  gst_promise_unref (promise);
}

/* Since 1.28, READY to NULL. A slot that older versions leave alone: a build
 * against 1.22 runs on what is newer, where NULL would be an assertion. */
static void
gst_ice_webrtc_close (GstWebRTCICE *ice, GstPromise *promise)
{
  shut_down (GST_ICE_WEBRTC (ice), on_closed,
      promise ? gst_promise_ref (promise) : NULL);
}

static void
gst_ice_webrtc_dispose (GObject *object)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (object);

  if (self->agent) {
    for (guint i = 0; i < G_N_ELEMENTS (self->handlers); i++)
      g_clear_signal_handler (&self->handlers[i], self->agent);
    shut_down (self, NULL, NULL);
  }
  gst_clear_object (&self->agent);
  G_OBJECT_CLASS (gst_ice_webrtc_parent_class)->dispose (object);
}

static void
gst_ice_webrtc_finalize (GObject *object)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (object);

  if (self->on_candidate_notify)
    self->on_candidate_notify (self->on_candidate_data);
  g_weak_ref_clear (&self->bin);
  g_ptr_array_unref (self->streams);
  g_ptr_array_unref (self->turns);
  g_free (self->stun);
  g_free (self->turn);
  g_free (self->http_proxy);
  G_OBJECT_CLASS (gst_ice_webrtc_parent_class)->finalize (object);
}

/* The class */

static void
free_weak_ref (gpointer data, GClosure *closure)
{
  g_weak_ref_clear (data);
  g_free (data);
}

static gulong
listen (GstIceWebRTC *self, const gchar *signal, GCallback callback)
{
  GWeakRef *weak = g_new0 (GWeakRef, 1);

  g_weak_ref_init (weak, self);
  return g_signal_connect_data (
      self->agent, signal, callback, weak, free_weak_ref, 0);
}

static void
apply_tcp (GstIceWebRTC *self)
{
  g_object_set (self->agent, "tcp",
      self->ice_tcp ? GST_ICE_TCP_POLICY_ALL : GST_ICE_TCP_POLICY_NONE, NULL);
}

static void
gst_ice_webrtc_constructed (GObject *object)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (object);
  guint major, minor, micro, nano;

  if (!self->agent) {
    self->agent = gst_ice_agent_new ();
    self->own_agent = TRUE;
    apply_tcp (self);
  }
  gst_version (&major, &minor, &micro, &nano);
  self->handlers[0] =
      listen (self, "new-candidate", G_CALLBACK (on_new_candidate));
  self->handlers[1] = listen (self,
      COMPLETE_ENDS_CANDIDATES (major, minor) ? "end-of-candidates"
                                              : "gathering-done",
      G_CALLBACK (on_gathered));
  gst_ice_webrtc_fill_registry ();
  G_OBJECT_CLASS (gst_ice_webrtc_parent_class)->constructed (object);
}

static void
gst_ice_webrtc_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (object);

  switch (id) {
    case PROP_AGENT:
      self->agent = g_value_dup_object (value);
      break;
    case PROP_ICE_TCP:
      self->ice_tcp = g_value_get_boolean (value);
      apply_tcp (self);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
gst_ice_webrtc_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceWebRTC *self = GST_ICE_WEBRTC (object);

  switch (id) {
    case PROP_AGENT:
      g_value_set_object (value, self->agent);
      break;
    case PROP_ICE_TCP:
      g_value_set_boolean (value, self->ice_tcp);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  klass->set_property = gst_ice_webrtc_set_property;
  klass->get_property = gst_ice_webrtc_get_property;
  properties[PROP_AGENT] = g_param_spec_object ("agent", "Agent",
      "The agent that does the work; one of its own unless it is given",
      GST_TYPE_ICE_AGENT, flags | G_PARAM_CONSTRUCT_ONLY);
  properties[PROP_ICE_TCP] = g_param_spec_boolean ("ice-tcp", "ICE over TCP",
      "Whether candidates for TCP are gathered (RFC 6544)", TRUE, flags);
  g_object_class_install_properties (klass, N_PROPERTIES, properties);
}

static void
gst_ice_webrtc_class_init (GstIceWebRTCClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstWebRTCICEClass *ice_class = GST_WEBRTC_ICE_CLASS (klass);

  object_class->constructed = gst_ice_webrtc_constructed;
  object_class->dispose = gst_ice_webrtc_dispose;
  object_class->finalize = gst_ice_webrtc_finalize;
  install_properties (object_class);
  g_signal_override_class_handler ("add-local-ip-address",
      G_TYPE_FROM_CLASS (klass), G_CALLBACK (on_add_local_ip_address));

  ice_class->add_stream = gst_ice_webrtc_add_stream;
  ice_class->find_transport = gst_ice_webrtc_find_transport;
  ice_class->gather_candidates = gst_ice_webrtc_gather_candidates;
  ice_class->add_candidate = gst_ice_webrtc_add_candidate;
  ice_class->set_local_credentials = gst_ice_webrtc_set_local_credentials;
  ice_class->set_remote_credentials = gst_ice_webrtc_set_remote_credentials;
  ice_class->set_is_controller = gst_ice_webrtc_set_is_controller;
  ice_class->get_is_controller = gst_ice_webrtc_get_is_controller;
  ice_class->set_force_relay = gst_ice_webrtc_set_force_relay;
  ice_class->set_tos = gst_ice_webrtc_set_tos;
  ice_class->set_on_ice_candidate = gst_ice_webrtc_set_on_ice_candidate;
#if ICE_WEBRTC_HAVE_CLOSE
  ice_class->close = gst_ice_webrtc_close;
#else
  ice_class->_gst_reserved[0] = (gpointer) gst_ice_webrtc_close;
#endif
  gst_ice_webrtc_servers_class_init (ice_class);
  gst_ice_webrtc_stats_class_init (ice_class);
}

static void
gst_ice_webrtc_init (GstIceWebRTC *self)
{
  g_weak_ref_init (&self->bin, NULL);
  self->streams = g_ptr_array_new_with_free_func (gst_object_unref);
  self->turns = g_ptr_array_new_with_free_func (g_free);
  self->ice_tcp = TRUE;
}
