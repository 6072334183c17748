/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icesink-private.h"

#include "caps.h"
#include "endpoint.h"

/**
 * SECTION:element-icesink
 * @title: icesink
 *
 * Sends to a peer over ICE.
 *
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay !
 * icesink uri=ice+file:///tmp/call
 * ]|
 */

GST_DEBUG_CATEGORY (gst_ice_sink_debug);
#define GST_CAT_DEFAULT gst_ice_sink_debug

/* A new path is often followed by a better one. */
#define KEYFRAME_INTERVAL (100 * G_TIME_SPAN_MILLISECOND)

enum
{
  PROP_EARLY_DATA = GST_ICE_MEMBER_N_PROPS,
  PROP_KEYFRAME_ON_CONNECT,
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE_WITH_CODE (GstIceSink, gst_ice_sink, GST_TYPE_BASE_SINK,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_CHILD_PROXY, gst_ice_member_child_proxy_init)
        GST_DEBUG_CATEGORY_INIT (gst_ice_sink_debug, "icesink", 0, "ICE sink"))
GST_ELEMENT_REGISTER_DEFINE (
    icesink, "icesink", GST_RANK_NONE, GST_TYPE_ICE_SINK)

/* RTCP is sent when it is made: its own clock decides that. */
static void
gst_ice_sink_get_times (GstBaseSink *sink, GstBuffer *buffer,
    GstClockTime *start, GstClockTime *end)
{
  if (gst_ice_packet_is_rtcp (buffer))
    *start = *end = GST_CLOCK_TIME_NONE;
  else
    GST_BASE_SINK_CLASS (gst_ice_sink_parent_class)
        ->get_times (sink, buffer, start, end);
}

/* Caps */

/* Payloaders take the payload type that was offered. Nothing else is asked of
 * them: other parameters are told to the peer when they change. */
static GstCaps *
gst_ice_sink_get_caps (GstBaseSink *sink, GstCaps *filter)
{
  GstIceSink *self = GST_ICE_SINK (sink);
  g_autoptr (GstCaps) told = NULL;
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstCaps) present =
      gst_pad_get_current_caps (GST_BASE_SINK_PAD (sink));
  gint payload;

  /* What a bin sends by us it has numbered itself. */
  if (self->member.stream != NULL &&
      self->member.kind == GST_ICE_MEMBER_ELEMENT)
    told = gst_ice_stream_get_local_caps (self->member.stream);
  /* Another sink of the stream, for RTCP say, is not meant. */
  if (told == NULL || !gst_ice_caps_is_rtp (told) ||
      (present != NULL && !gst_ice_caps_is_rtp (present)) ||
      !gst_structure_get_int (
          gst_caps_get_structure (told, 0), "payload", &payload))
    return filter != NULL ? gst_caps_ref (filter) : gst_caps_new_any ();

  caps = gst_caps_new_simple (
      "application/x-rtp", "payload", G_TYPE_INT, payload, NULL);
  gst_caps_append (caps, gst_caps_from_string ("application/x-rtcp"));
  if (filter == NULL)
    return g_steal_pointer (&caps);
  return gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);
}

static gboolean
gst_ice_sink_query (GstBaseSink *sink, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_ACCEPT_CAPS) {
    gst_query_set_accept_caps_result (query, TRUE);
    return TRUE;
  }
  return GST_BASE_SINK_CLASS (gst_ice_sink_parent_class)->query (sink, query);
}

static gboolean
gst_ice_sink_set_caps (GstBaseSink *sink, GstCaps *caps)
{
  GstIceSink *self = GST_ICE_SINK (sink);

  if (self->member.endpoint != NULL)
    gst_ice_endpoint_set_caps (self->member.endpoint, &self->member, caps);
  return TRUE;
}

/* Live sources keep time themselves; a file does not, and would be at its end
 * before the peer has seen the first picture. */
static void
decide_sync (GstIceSink *self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = TRUE, decided;

  GST_OBJECT_LOCK (self);
  decided = self->sync_is_set;
  GST_OBJECT_UNLOCK (self);
  if (decided ||
      !gst_pad_peer_query (GST_BASE_SINK_PAD (GST_BASE_SINK (self)), query))
    return;
  gst_query_parse_latency (query, &live, NULL, NULL);
  GST_DEBUG_OBJECT (self, "upstream is %slive", live ? "" : "not ");
  gst_base_sink_set_sync (GST_BASE_SINK (self), !live);
}

static gboolean
gst_ice_sink_event (GstBaseSink *sink, GstEvent *event)
{
  GstIceSink *self = GST_ICE_SINK (sink);

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    decide_sync (self);
  else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS &&
      self->member.endpoint != NULL)
    gst_ice_endpoint_end (self->member.endpoint, &self->member);
  return GST_BASE_SINK_CLASS (gst_ice_sink_parent_class)->event (sink, event);
}

/* Upstream events, sent from a thread of their own: they may wait for locks of
 * elements. */

static void
push_event (GstElement *element, gpointer event)
{
  gst_pad_push_event (GST_BASE_SINK_PAD (element), gst_event_ref (event));
}

static void
push_upstream (GstIceSink *self, GstEvent *event)
{
  gst_element_call_async (
      GST_ELEMENT (self), push_event, event, (GDestroyNotify) gst_event_unref);
}

/* As gst_video_event_new_upstream_force_key_unit() makes it, without that
 * library. */
static void
request_keyframe (GstIceSink *self)
{
  const gint64 now = g_get_monotonic_time ();
  gboolean wanted;

  GST_OBJECT_LOCK (self);
  wanted =
      self->keyframe_on_connect && now - self->keyframe_at > KEYFRAME_INTERVAL;
  if (wanted)
    self->keyframe_at = now;
  GST_OBJECT_UNLOCK (self);
  if (wanted)
    push_upstream (self,
        gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
            gst_structure_new ("GstForceKeyUnit", "running-time",
                GST_TYPE_CLOCK_TIME, GST_CLOCK_TIME_NONE, "all-headers",
                G_TYPE_BOOLEAN, TRUE, "count", G_TYPE_UINT, 0, NULL)));
}

/* The answer has another payload type than what is on the pad. */
static void
on_local_caps (GstIceStream *stream, GParamSpec *pspec, GstIceSink *self)
{
  g_autoptr (GstCaps) told = gst_ice_stream_get_local_caps (stream);
  g_autoptr (GstCaps) present =
      gst_pad_get_current_caps (GST_BASE_SINK_PAD (GST_BASE_SINK (self)));
  gint a = -1, b = -1;

  if (self->member.kind != GST_ICE_MEMBER_ELEMENT ||
      !gst_ice_caps_is_rtp (told) || !gst_ice_caps_is_rtp (present))
    return;
  gst_structure_get_int (gst_caps_get_structure (told, 0), "payload", &a);
  gst_structure_get_int (gst_caps_get_structure (present, 0), "payload", &b);
  if (a != b)
    push_upstream (self, gst_event_new_reconfigure ());
}

/* What the endpoint tells */

static void
on_state_changed (GstIceMember *member)
{
  gst_ice_sink_path_changed (GST_ICE_SINK (member->element));
}

static void
on_path_changed (GstIceMember *member)
{
  on_state_changed (member);
  request_keyframe (GST_ICE_SINK (member->element));
}

static void
on_ended (GstIceMember *member)
{
  GstIceSink *self = GST_ICE_SINK (member->element);

  g_mutex_lock (&self->lock);
  self->over = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

static void
on_joined (GstIceMember *member)
{
  GstIceSink *self = GST_ICE_SINK (member->element);

  g_mutex_lock (&self->lock);
  self->over = self->told_size = FALSE;
  g_mutex_unlock (&self->lock);
  g_atomic_int_set (&self->resting, FALSE);
  gst_ice_connect (self->member.stream, "notify::local-caps",
      G_CALLBACK (on_local_caps), self);
  /* A bin knows which of its pads rest. */
  if (member->kind == GST_ICE_MEMBER_ELEMENT)
    gst_ice_connect (self->member.stream, "notify::current-direction",
        G_CALLBACK (gst_ice_sink_on_direction), self);
  gst_ice_connect (self->member.transport, "writable",
      G_CALLBACK (gst_ice_sink_on_writable), self);
}

static void
on_left (GstIceMember *member)
{
  GstIceSink *self = GST_ICE_SINK (member->element);

  g_mutex_lock (&self->lock);
  gst_ice_early_clear (&self->early);
  g_mutex_unlock (&self->lock);
}

static const GstIceMemberFuncs member_funcs = {
  .state_changed = on_state_changed,
  .path_changed = on_path_changed,
  .ended = on_ended,
  .joined = on_joined,
  .left = on_left,
};

/* The class */

static GstStateChangeReturn
gst_ice_sink_change_state (GstElement *element, GstStateChange transition)
{
  return gst_ice_member_change_state (&GST_ICE_SINK (element)->member,
      GST_ELEMENT_CLASS (gst_ice_sink_parent_class), transition);
}

static void
gst_ice_sink_set_context (GstElement *element, GstContext *context)
{
  gst_ice_member_set_context (&GST_ICE_SINK (element)->member, context);
  GST_ELEMENT_CLASS (gst_ice_sink_parent_class)->set_context (element, context);
}

/* The base class has "stats" too; ours has its fields and more. */
static GstStructure *
get_stats (GstIceSink *self)
{
  GstStructure *stats = gst_ice_member_get_stats (&self->member);
  g_autoptr (GstStructure) base =
      gst_base_sink_get_stats (GST_BASE_SINK (self));
  gint i;

  for (i = 0; i < gst_structure_n_fields (base); i++) {
    const gchar *name = gst_structure_nth_field_name (base, i);

    gst_structure_set_value (stats, name, gst_structure_get_value (base, name));
  }
  g_mutex_lock (&self->lock);
  gst_structure_set (stats, "early-data-dropped", G_TYPE_UINT64,
      self->early.n_dropped, "packets-discarded", G_TYPE_UINT64,
      self->n_discarded, NULL);
  g_mutex_unlock (&self->lock);
  return stats;
}

static void
gst_ice_sink_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceSink *self = GST_ICE_SINK (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_EARLY_DATA:
      self->early_mode = g_value_get_enum (value);
      break;
    case PROP_KEYFRAME_ON_CONNECT:
      self->keyframe_on_connect = g_value_get_boolean (value);
      break;
    default:
      GST_OBJECT_UNLOCK (self);
      if (!gst_ice_member_set_property (&self->member, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_ice_sink_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceSink *self = GST_ICE_SINK (object);

  switch (id) {
    case PROP_EARLY_DATA:
      g_value_set_enum (value, gst_ice_sink_get_early_mode (self));
      break;
    case PROP_KEYFRAME_ON_CONNECT:
      GST_OBJECT_LOCK (self);
      g_value_set_boolean (value, self->keyframe_on_connect);
      GST_OBJECT_UNLOCK (self);
      break;
    case GST_ICE_MEMBER_PROP_STATS:
      g_value_take_boxed (value, get_stats (self));
      break;
    default:
      if (!gst_ice_member_get_property (&self->member, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_ice_sink_finalize (GObject *object)
{
  GstIceSink *self = GST_ICE_SINK (object);

  gst_ice_member_clear (&self->member);
  gst_ice_early_clear (&self->early);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);

  G_OBJECT_CLASS (gst_ice_sink_parent_class)->finalize (object);
}

static void
on_sync_set (GstIceSink *self)
{
  GST_OBJECT_LOCK (self);
  self->sync_is_set = TRUE;
  GST_OBJECT_UNLOCK (self);
}

static void
gst_ice_sink_init (GstIceSink *self)
{
  GstBaseSink *sink = GST_BASE_SINK (self);

  gst_ice_member_init (&self->member, GST_ELEMENT (self),
      GST_BASE_SINK_PAD (sink), &member_funcs);
  self->early_mode = GST_ICE_EARLY_DATA_DROP;
  self->keyframe_on_connect = TRUE;
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  gst_ice_early_init (&self->early);

  gst_base_sink_set_sync (sink, FALSE);
  gst_base_sink_set_async_enabled (sink, FALSE);
  gst_base_sink_set_last_sample_enabled (sink, FALSE);
  gst_base_sink_set_qos_enabled (sink, FALSE);
  gst_base_sink_set_max_lateness (sink, -1);
  gst_base_sink_set_processing_deadline (sink, 0);
  gst_base_sink_set_drop_out_of_segment (sink, FALSE);
  /* Setting the property notifies; we ourselves do not set it that way. */
  g_signal_connect (self, "notify::sync", G_CALLBACK (on_sync_set), NULL);
}

static void
gst_ice_sink_class_init (GstIceSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *sink_class = GST_BASE_SINK_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  object_class->set_property = gst_ice_sink_set_property;
  object_class->get_property = gst_ice_sink_get_property;
  object_class->finalize = gst_ice_sink_finalize;
  gst_ice_member_install_properties (object_class);
  g_object_class_install_property (object_class, PROP_EARLY_DATA,
      g_param_spec_enum ("early-data", "Early data",
          "What becomes of packets before there is a path",
          gst_ice_early_data_get_type (), GST_ICE_EARLY_DATA_DROP, flags));
  g_object_class_install_property (object_class, PROP_KEYFRAME_ON_CONNECT,
      g_param_spec_boolean ("keyframe-on-connect", "Keyframe on connect",
          "Ask upstream for a keyframe on a new path", TRUE, flags));

  element_class->change_state = gst_ice_sink_change_state;
  element_class->set_context = gst_ice_sink_set_context;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "ICE sink",
      "Sink/Network", "Sends to a peer over ICE (RFC 8445)",
      GST_PACKAGE_ORIGIN);

  sink_class->unlock = gst_ice_sink_unlock;
  sink_class->unlock_stop = gst_ice_sink_unlock_stop;
  sink_class->render = gst_ice_sink_render;
  sink_class->render_list = gst_ice_sink_render_list;
  sink_class->get_times = gst_ice_sink_get_times;
  sink_class->get_caps = gst_ice_sink_get_caps;
  sink_class->set_caps = gst_ice_sink_set_caps;
  sink_class->query = gst_ice_sink_query;
  sink_class->event = gst_ice_sink_event;
}
