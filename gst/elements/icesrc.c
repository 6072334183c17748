/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icesrc.h"

#include <glib/gi18n-lib.h>
#include <gst/net/gstnetaddressmeta.h>

#include "caps.h"
#include "endpoint.h"
#include "icesrc-list.h"
#include "member.h"

/**
 * SECTION:element-icesrc
 * @title: icesrc
 *
 * Receives from a peer over ICE. Its caps come from the peer's description.
 *
 * |[
 * gst-launch-1.0 icesrc uri=ice+file:///tmp/call ! decodebin ! autovideosink
 * ]|
 */

GST_DEBUG_CATEGORY_STATIC (gst_ice_src_debug);
#define GST_CAT_DEFAULT gst_ice_src_debug

/* The peer's bye may overtake its last packets: they come by another way. */
#define LAST_PACKETS_MS 100

/* What still is live. */
#define MAX_COALESCE 100000

enum
{
  PROP_RETRIEVE_SENDER_ADDRESS = GST_ICE_MEMBER_N_PROPS,
  PROP_RECEIVE_COALESCE,
};

struct _GstIceSrc
{
  GstPushSrc parent;

  GstIceMember member;

  /* Under the object lock. */
  GCancellable *cancellable; /* (owned) (nullable) of the present wait */
  gboolean flushing;
  guint coalesce;  /* us */
  GSource *ending; /* (owned) (nullable) */
  gboolean retrieve_sender_address;

  /* The streaming thread's. */
  GstCaps *seen; /* (owned) (nullable) the peer's, as told */
  GQueue queue;  /* (owned) (element-type GstBuffer) of a batch, to be pushed */
  gboolean singly; /* as gst_ice_src_may_push_list() has found */

  gint over; /* atomic: when all is read, EOS */
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE_WITH_CODE (GstIceSrc, gst_ice_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_CHILD_PROXY, gst_ice_member_child_proxy_init)
        GST_DEBUG_CATEGORY_INIT (gst_ice_src_debug, "icesrc", 0, "ICE source"))
GST_ELEMENT_REGISTER_DEFINE (icesrc, "icesrc", GST_RANK_NONE, GST_TYPE_ICE_SRC)

/* Waiting */

/* (transfer full) */
static GCancellable *
start_wait (GstIceSrc *self)
{
  GCancellable *cancellable;

  GST_OBJECT_LOCK (self);
  /* The same one for as long as it lasts: the transport remembers it. */
  if (g_cancellable_is_cancelled (self->cancellable))
    g_clear_object (&self->cancellable);
  if (self->cancellable == NULL)
    self->cancellable = g_cancellable_new ();
  if (self->flushing)
    g_cancellable_cancel (self->cancellable);
  cancellable = g_object_ref (self->cancellable);
  GST_OBJECT_UNLOCK (self);
  return cancellable;
}

static void
end_wait (GstIceSrc *self)
{
  g_autoptr (GCancellable) cancellable = NULL;

  GST_OBJECT_LOCK (self);
  if (self->cancellable != NULL)
    cancellable = g_object_ref (self->cancellable);
  GST_OBJECT_UNLOCK (self);
  if (cancellable != NULL)
    g_cancellable_cancel (cancellable);
}

static gboolean
is_flushing (GstIceSrc *self)
{
  gboolean flushing;

  GST_OBJECT_LOCK (self);
  flushing = self->flushing;
  GST_OBJECT_UNLOCK (self);
  return flushing;
}

static gboolean
gst_ice_src_unlock (GstBaseSrc *src)
{
  GstIceSrc *self = GST_ICE_SRC (src);

  GST_OBJECT_LOCK (self);
  self->flushing = TRUE;
  GST_OBJECT_UNLOCK (self);
  end_wait (self);
  return TRUE;
}

static gboolean
gst_ice_src_unlock_stop (GstBaseSrc *src)
{
  GstIceSrc *self = GST_ICE_SRC (src);

  GST_OBJECT_LOCK (self);
  self->flushing = FALSE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* Caps */

static void
on_remote_caps (GstIceStream *stream, GParamSpec *pspec, GstIceSrc *self)
{
  /* Downstream gets its decoder ready while the packets are on their way. */
  end_wait (self);
}

/* What is not RTP has caps that say nothing. Where downstream knows better (a
 * capsfilter with video/mpegts) they are not sent. */
static gboolean
is_of_use (GstIceSrc *self, GstCaps *caps)
{
  return self->member.kind == GST_ICE_MEMBER_CARRIER ||
      gst_ice_caps_is_rtp (caps) || gst_ice_caps_is_rtcp (caps) ||
      gst_pad_peer_query_accept_caps (
          GST_BASE_SRC_PAD (GST_BASE_SRC (self)), caps);
}

/* (transfer full) (nullable) The m-line tells what component 1 carries; beside
 * RTP, component 2 carries RTCP (RFC 3605). */
static GstCaps *
get_peer_caps (GstIceSrc *self)
{
  g_autoptr (GstCaps) caps = NULL;

  /* Of several m-lines: payload types tell which. */
  if (self->member.kind == GST_ICE_MEMBER_CARRIER)
    return gst_caps_new_empty_simple ("application/x-rtp");
  caps = gst_ice_stream_get_remote_caps (self->member.stream);
  if (caps != NULL && self->member.component == 2 && gst_ice_caps_is_rtp (caps))
    return gst_caps_new_empty_simple ("application/x-rtcp");
  return g_steal_pointer (&caps);
}

/* Before each batch: a packet may be quicker than the news of its caps. */
static gboolean
update_caps (GstIceSrc *self)
{
  g_autoptr (GstCaps) caps = get_peer_caps (self);

  if (caps == NULL ||
      (self->seen != NULL && gst_caps_is_equal (caps, self->seen)))
    return TRUE;
  gst_caps_replace (&self->seen, caps);
  return !is_of_use (self, caps) ||
      gst_base_src_set_caps (GST_BASE_SRC (self), caps);
}

static GstCaps *
gst_ice_src_get_caps (GstBaseSrc *src, GstCaps *filter)
{
  GstIceSrc *self = GST_ICE_SRC (src);
  g_autoptr (GstCaps) caps = NULL;

  if (self->member.stream != NULL)
    caps = get_peer_caps (self);
  if (caps == NULL)
    return filter != NULL ? gst_caps_ref (filter) : gst_caps_new_any ();
  if (filter == NULL)
    return g_steal_pointer (&caps);
  return gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);
}

/* The peer decides: there is nothing to negotiate, and nothing to allocate. */
static gboolean
gst_ice_src_negotiate (GstBaseSrc *src)
{
  gst_caps_replace (&GST_ICE_SRC (src)->seen, NULL);
  return TRUE;
}

static gboolean
gst_ice_src_query (GstBaseSrc *src, GstQuery *query)
{
  /* The base class says that nothing may wait: with a sink that takes its time
   * and no queue between, such a pipeline is "invalid". But the transport keeps
   * what arrives meanwhile, seconds of it. */
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    gst_query_set_latency (query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return GST_BASE_SRC_CLASS (gst_ice_src_parent_class)->query (src, query);
}

/* Data */

/* rtpsession takes an SSRC that comes from another address for a collision (RFC
 * 3550 8.2) and drops its packets. In ICE addresses change in mid-call, and
 * what comes is from the peer whatever its address. */
static void
forget_address (GstBuffer *buffer)
{
  GstNetAddressMeta *meta = gst_buffer_get_net_address_meta (buffer);

  if (meta != NULL)
    gst_buffer_remove_meta (buffer, (GstMeta *) meta);
}

/* Buffers come with their arrival as DTS, in ns of the monotonic clock. */
static void
stamp (GstIceSrc *self, GstBufferList *list, GstClockTime base_time,
    GstClockTime now, GstClockTime monotonic_now)
{
  const guint n = gst_buffer_list_length (list);
  gboolean forget;
  guint i;

  GST_OBJECT_LOCK (self);
  forget = !self->retrieve_sender_address;
  GST_OBJECT_UNLOCK (self);
  for (i = 0; i < n; i++) {
    GstBuffer *buffer = gst_buffer_list_get_writable (list, i);
    const GstClockTime arrival = GST_BUFFER_DTS (buffer);
    GstClockTime time = GST_CLOCK_TIME_NONE;

    if (forget)
      forget_address (buffer);

    if (GST_CLOCK_TIME_IS_VALID (now) && GST_CLOCK_TIME_IS_VALID (arrival)) {
      const GstClockTime age =
          monotonic_now > arrival ? monotonic_now - arrival : 0;

      time = now > base_time + age ? now - base_time - age : 0;
    }
    GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = time;
  }
}

static void
stamp_now (GstIceSrc *self, GstBufferList *list)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (GST_ELEMENT (self));
  const GstClockTime base_time = gst_element_get_base_time (GST_ELEMENT (self));

  stamp (self, list, base_time,
      clock != NULL ? gst_clock_get_time (clock) : GST_CLOCK_TIME_NONE,
      g_get_monotonic_time () * GST_USECOND);
}

static gboolean
has_data (GstIceSrc *self)
{
  return (g_datagram_based_condition_check (
              G_DATAGRAM_BASED (self->member.transport), G_IO_IN) &
             G_IO_IN) != 0;
}

/* @list: (transfer full) */
static GstFlowReturn
hand_over (GstIceSrc *self, GstBufferList *list, GstBuffer **ret_buffer)
{
  gboolean whole;

  stamp_now (self, list);
  whole = gst_ice_src_may_push_list (
      GST_BASE_SRC_PAD (GST_BASE_SRC (self)), list, &self->singly);
  if (!whole || gst_buffer_list_length (list) == 1) {
    gst_ice_src_take_apart (&self->queue, list);
    *ret_buffer = g_queue_pop_head (&self->queue);
    return GST_FLOW_OK;
  }
  gst_base_src_submit_buffer_list (GST_BASE_SRC (self), list);
  /* Up to 1.22.11 the base class unrefs the buffer that is not there when the
   * state changed meanwhile and we say OK. */
  return gst_base_src_wait_playing (GST_BASE_SRC (self));
}

static GstFlowReturn
handle_receive_error (GstIceSrc *self, const GError *error)
{
  if (g_error_matches (error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED))
    return GST_FLOW_EOS;
  gst_ice_post_error (GST_ELEMENT (self), error);
  return GST_FLOW_ERROR;
}

/* A state change to PAUSED ends the wait; what is queued then waits in the
 * transport for the next call. */
static GstFlowReturn
gst_ice_src_create (GstPushSrc *src, GstBuffer **ret_buffer)
{
  GstIceSrc *self = GST_ICE_SRC (src);

  *ret_buffer = NULL;
  for (;;) {
    g_autoptr (GCancellable) cancellable = start_wait (self);
    g_autoptr (GError) error = NULL;
    GstBufferList *list;

    if (is_flushing (self))
      return GST_FLOW_FLUSHING;
    if (!update_caps (self))
      return GST_FLOW_NOT_NEGOTIATED;
    if ((*ret_buffer = g_queue_pop_head (&self->queue)) != NULL)
      return GST_FLOW_OK;
    if (g_atomic_int_get (&self->over) && !has_data (self))
      return GST_FLOW_EOS;

    list =
        gst_ice_transport_receive (self->member.transport, cancellable, &error);
    if (list != NULL)
      return update_caps (self) ? hand_over (self, list, ret_buffer)
                                : GST_FLOW_NOT_NEGOTIATED;
    if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
      return handle_receive_error (self, error);
  }
}

/* What the endpoint tells */

static void
on_state_changed (GstIceMember *member)
{
}

static void
on_path_changed (GstIceMember *member)
{
}

static gboolean
on_ending (gpointer user_data)
{
  GstIceSrc *self = user_data;

  g_atomic_int_set (&self->over, TRUE);
  end_wait (self);
  return G_SOURCE_REMOVE;
}

static void
stop_ending (GstIceSrc *self)
{
  GSource *ending;

  GST_OBJECT_LOCK (self);
  ending = g_steal_pointer (&self->ending);
  GST_OBJECT_UNLOCK (self);
  if (ending == NULL)
    return;
  g_source_destroy (ending);
  g_source_unref (ending);
}

static void
on_ended (GstIceMember *member)
{
  GstIceSrc *self = GST_ICE_SRC (member->element);

  GST_OBJECT_LOCK (self);
  if (self->ending == NULL) {
    self->ending = g_timeout_source_new (LAST_PACKETS_MS);
    g_source_set_callback (
        self->ending, on_ending, gst_object_ref (self), gst_object_unref);
    g_source_attach (self->ending, gst_ice_signaller_get_main_context ());
  }
  GST_OBJECT_UNLOCK (self);
}

static guint
get_coalesce (GstIceSrc *self)
{
  guint coalesce;

  GST_OBJECT_LOCK (self);
  coalesce = self->coalesce;
  GST_OBJECT_UNLOCK (self);
  return coalesce;
}

static void
apply_coalesce (GstIceSrc *self)
{
  g_autoptr (GstIceTransport) transport =
      gst_ice_member_ref_transport (&self->member);

  if (transport != NULL)
    g_object_set (transport, "receive-coalesce", get_coalesce (self), NULL);
}

static void
set_coalesce (GstIceSrc *self, guint coalesce)
{
  GST_OBJECT_LOCK (self);
  self->coalesce = coalesce;
  GST_OBJECT_UNLOCK (self);
  apply_coalesce (self);
}

static void
on_joined (GstIceMember *member)
{
  GstIceSrc *self = GST_ICE_SRC (member->element);

  g_atomic_int_set (&self->over, FALSE);
  self->singly = FALSE;
  gst_caps_replace (&self->seen, NULL);
  apply_coalesce (self);
  gst_ice_connect (self->member.stream, "notify::remote-caps",
      G_CALLBACK (on_remote_caps), self);
}

static void
on_left (GstIceMember *member)
{
  GstIceSrc *self = GST_ICE_SRC (member->element);

  stop_ending (self);
  g_queue_clear_full (&self->queue, (GDestroyNotify) gst_buffer_unref);
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
gst_ice_src_change_state (GstElement *element, GstStateChange transition)
{
  return gst_ice_member_change_state (&GST_ICE_SRC (element)->member,
      GST_ELEMENT_CLASS (gst_ice_src_parent_class), transition);
}

static void
gst_ice_src_set_context (GstElement *element, GstContext *context)
{
  gst_ice_member_set_context (&GST_ICE_SRC (element)->member, context);
  GST_ELEMENT_CLASS (gst_ice_src_parent_class)->set_context (element, context);
}

static void
gst_ice_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceSrc *self = GST_ICE_SRC (object);

  if (id == PROP_RECEIVE_COALESCE) {
    set_coalesce (self, g_value_get_uint (value));
  } else if (id == PROP_RETRIEVE_SENDER_ADDRESS) {
    GST_OBJECT_LOCK (self);
    self->retrieve_sender_address = g_value_get_boolean (value);
    GST_OBJECT_UNLOCK (self);
  } else if (!gst_ice_member_set_property (&self->member, id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_ice_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceSrc *self = GST_ICE_SRC (object);

  if (id == PROP_RECEIVE_COALESCE) {
    g_value_set_uint (value, get_coalesce (self));
  } else if (id == PROP_RETRIEVE_SENDER_ADDRESS) {
    GST_OBJECT_LOCK (self);
    g_value_set_boolean (value, self->retrieve_sender_address);
    GST_OBJECT_UNLOCK (self);
  } else if (!gst_ice_member_get_property (&self->member, id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_ice_src_finalize (GObject *object)
{
  GstIceSrc *self = GST_ICE_SRC (object);

  gst_ice_member_clear (&self->member);
  g_clear_object (&self->cancellable);
  gst_clear_caps (&self->seen);

  G_OBJECT_CLASS (gst_ice_src_parent_class)->finalize (object);
}

static void
gst_ice_src_init (GstIceSrc *self)
{
  gst_ice_member_init (&self->member, GST_ELEMENT (self),
      GST_BASE_SRC_PAD (self), &member_funcs);
  g_queue_init (&self->queue);
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
  /* The base class would stamp the first buffer of a list only. */
  gst_base_src_set_do_timestamp (GST_BASE_SRC (self), FALSE);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_REQUIRE_CLOCK);
}

static void
gst_ice_src_class_init (GstIceSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *src_class = GST_BASE_SRC_CLASS (klass);

  object_class->set_property = gst_ice_src_set_property;
  object_class->get_property = gst_ice_src_get_property;
  object_class->finalize = gst_ice_src_finalize;
  gst_ice_member_install_properties (object_class);
  g_object_class_install_property (object_class, PROP_RETRIEVE_SENDER_ADDRESS,
      g_param_spec_boolean ("retrieve-sender-address",
          "Retrieve sender address",
          "Whether buffers say where they came from (GstNetAddressMeta); "
          "rtpbin "
          "drops what comes from a new address, as after a change of path",
          FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object_class, PROP_RECEIVE_COALESCE,
      g_param_spec_uint ("receive-coalesce", "Receive coalesce",
          "How many microseconds to wait after the first packet for more to "
          "come with it: less work, that much more delay",
          0, MAX_COALESCE, 0,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_PLAYING));

  element_class->change_state = gst_ice_src_change_state;
  element_class->set_context = gst_ice_src_set_context;
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "ICE source",
      "Source/Network", "Receives from a peer over ICE (RFC 8445)",
      GST_PACKAGE_ORIGIN);

  src_class->unlock = gst_ice_src_unlock;
  src_class->unlock_stop = gst_ice_src_unlock_stop;
  src_class->get_caps = gst_ice_src_get_caps;
  src_class->negotiate = gst_ice_src_negotiate;
  src_class->query = gst_ice_src_query;
  GST_PUSH_SRC_CLASS (klass)->create = gst_ice_src_create;
}
