/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icertpbin-private.h"

#include <glib/gi18n-lib.h>

#include "endpoint.h"

/**
 * SECTION:element-icertpbin
 * @title: icertpbin
 *
 * A whole call in one element: RTP and RTCP both ways over ICE, several streams
 * on one transport, DTLS-SRTP when asked for.
 *
 * |[
 * gst-launch-1.0 icertpbin name=c uri=ice+file:///tmp/call
 *   autovideosrc ! videoconvert ! vp8enc deadline=1 ! rtpvp8pay ! c.
 *   c. ! decodebin ! autovideosink
 * ]|
 */

GST_DEBUG_CATEGORY (gst_ice_rtp_bin_debug);
#define GST_CAT_DEFAULT gst_ice_rtp_bin_debug

/* As rtpbin. */
#define DEFAULT_LATENCY 200
/* Of the peer, in one session: rtpbin has no bound, and each SSRC costs a
 * jitterbuffer, its thread and a pad. */
#define MAX_SENDERS 64

enum
{
  PROP_LATENCY = GST_ICE_MEMBER_N_PROPS,
  PROP_DTLS_SRTP,
  PROP_KEYFRAME_ON_CONNECT,
  PROP_RETRANSMISSION,
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink_%u",
    GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS ("application/x-rtp"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src_%u",
    GST_PAD_SRC, GST_PAD_SOMETIMES, GST_STATIC_CAPS ("application/x-rtp"));
static GstStaticPadTemplate more_template =
    GST_STATIC_PAD_TEMPLATE ("src_%u_%u", GST_PAD_SRC, GST_PAD_SOMETIMES,
        GST_STATIC_CAPS ("application/x-rtp"));

typedef GstIceRtpBin GstIceRtpBase;
typedef GstIceRtpBinClass GstIceRtpBaseClass;
G_DEFINE_ABSTRACT_TYPE_WITH_CODE (GstIceRtpBase, gst_ice_rtp_base, GST_TYPE_BIN,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_CHILD_PROXY, gst_ice_member_child_proxy_init)
        GST_DEBUG_CATEGORY_INIT (
            gst_ice_rtp_bin_debug, "icertpbin", 0, "A call over ICE"))

GType gst_ice_rtp_bin_get_type (void);
G_DEFINE_TYPE (GstIceRtpBin, gst_ice_rtp_bin, GST_TYPE_ICE_RTP_BASE)
GST_ELEMENT_REGISTER_DEFINE (
    icertpbin, "icertpbin", GST_RANK_NONE, gst_ice_rtp_bin_get_type ())

GstIceEndpoint *
gst_ice_rtp_bin_ref_endpoint (GstIceRtpBin *self)
{
  GstIceEndpoint *endpoint = NULL;

  GST_OBJECT_LOCK (self);
  if (self->member.endpoint != NULL)
    endpoint = g_object_ref (self->member.endpoint);
  GST_OBJECT_UNLOCK (self);
  return endpoint;
}

GstIceAgent *
gst_ice_rtp_bin_ref_agent (GstIceRtpBin *self)
{
  GstIceAgent *agent = NULL;

  GST_OBJECT_LOCK (self);
  if (self->member.endpoint != NULL)
    agent = self->member.agent != NULL ? self->member.agent
                                       : self->member.context_agent;
  if (agent != NULL)
    gst_object_ref (agent);
  GST_OBJECT_UNLOCK (self);
  return agent;
}

/* What is missing */

static const gchar *
package_of (const gchar *factory)
{
  return g_str_has_prefix (factory, "dtls") ? "gstreamer1.0-plugins-bad"
                                            : "gstreamer1.0-plugins-good";
}

/* As gst_missing_element_message_new() makes it, for applications that install
 * what is missing. */
static void
post_missing (GstIceRtpBin *self, const gchar *factory)
{
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_new ("missing-plugin", "type", G_TYPE_STRING, "element",
              "detail", G_TYPE_STRING, factory, "name", G_TYPE_STRING, factory,
              NULL)));
  GST_ELEMENT_ERROR (self, CORE, MISSING_PLUGIN,
      (_ ("There is no element “%s”; install %s."), factory,
          package_of (factory)),
      (NULL));
}

GstElement *
gst_ice_rtp_bin_make (GstIceRtpBin *self, const gchar *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (element == NULL) {
    post_missing (self, factory);
    return NULL;
  }
  gst_element_set_locked_state (element, TRUE);
  gst_bin_add (GST_BIN (self), element);
  return element;
}

static gboolean
has_element (GstIceRtpBin *self, const gchar *factory)
{
  g_autoptr (GstElementFactory) found = gst_element_factory_find (factory);

  if (found == NULL)
    post_missing (self, factory);
  return found != NULL;
}

gboolean
gst_ice_rtp_bin_start (GstElement *element)
{
  gst_element_set_locked_state (element, FALSE);
  return gst_element_sync_state_with_parent (element);
}

void
gst_ice_rtp_bin_fail (
    GstIceRtpBin *self, GstIceError code, const gchar *message)
{
  g_autoptr (GError) error = g_error_new_literal (GST_ICE_ERROR, code, message);

  gst_ice_post_error (GST_ELEMENT (self), error);
}

/* The member */

static void
on_state_changed (GstIceMember *member)
{
  gst_ice_rtp_bin_update_gates (GST_ICE_RTP_BIN (member->element));
}

static void
do_nothing (GstIceMember *member)
{
}

static void
end_carriers (GstElement *element, gpointer unused)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (element);
  guint i;

  g_mutex_lock (&self->building);
  for (i = 0; !self->stopped && i < self->legs->len; i++) {
    GstIceRtpLeg *leg = g_ptr_array_index (self->legs, i);
    GstElement *elements[] = { leg->src, leg->sink, leg->rtcp_sink };
    guint j;

    for (j = 0; j < G_N_ELEMENTS (elements); j++)
      if (elements[j] != NULL) {
        GstIceMember *carrier = gst_ice_member_of (elements[j]);

        carrier->funcs->ended (carrier);
      }
  }
  g_mutex_unlock (&self->building);
}

/* The call is over, or the peer is lost and on-disconnect says so. */
static void
on_ended (GstIceMember *member)
{
  gst_element_call_async (member->element, end_carriers, NULL, NULL);
}

static const GstIceMemberFuncs member_funcs = {
  .state_changed = on_state_changed,
  .path_changed = on_state_changed,
  .ended = on_ended,
  .joined = do_nothing,
  .left = do_nothing,
  .prepare = gst_ice_rtp_bin_prepare,
  .negotiated = gst_ice_rtp_bin_negotiated,
};

/* States */

/* Once TRUE, nobody else touches rtpbin and the legs. */
static void
set_stopped (GstIceRtpBin *self, gboolean stopped)
{
  g_mutex_lock (&self->building);
  self->stopped = stopped;
  g_mutex_unlock (&self->building);
}

static gboolean
open_bin (GstIceRtpBin *self)
{
  gboolean dtls_srtp;
  guint latency;

  GST_OBJECT_LOCK (self);
  dtls_srtp = self->dtls_srtp;
  latency = self->latency;
  self->retransmits = self->retransmission;
  GST_OBJECT_UNLOCK (self);

  self->rtpbin = gst_ice_rtp_bin_make (self, "rtpbin");
  if (self->rtpbin == NULL)
    return FALSE;
  gst_element_set_locked_state (self->rtpbin, FALSE);
  g_object_set (
      self->rtpbin, "latency", latency, "max-streams", MAX_SENDERS, NULL);
  /* RFC 4585 3.3: feedback does not wait for the next report. */
  gst_util_set_object_arg (
      G_OBJECT (self->rtpbin), "rtp-profile", dtls_srtp ? "savpf" : "avpf");
  gst_ice_rtp_bin_watch_rtpbin (self);
  if (self->retransmits) {
    if (!has_element (self, "rtprtxsend") ||
        !has_element (self, "rtprtxreceive"))
      return FALSE;
    gst_ice_rtp_bin_watch_losses (self);
  }
  if (dtls_srtp)
    self->fingerprint = gst_ice_rtp_bin_make_fingerprint (self);
  set_stopped (self, FALSE);
  return !dtls_srtp || self->fingerprint != NULL;
}

static void
close_bin (GstIceRtpBin *self)
{
  set_stopped (self, TRUE);
  gst_ice_rtp_bin_forget_receivers (self);
  gst_ice_rtp_bin_leave_senders (self);
  gst_ice_rtp_bin_remove_legs (self);
  if (self->rtpbin != NULL) {
    gst_element_set_state (self->rtpbin, GST_STATE_NULL);
    gst_bin_remove (GST_BIN (self), self->rtpbin);
    self->rtpbin = NULL;
  }
  g_clear_pointer (&self->fingerprint, g_free);
  self->negotiated = FALSE;
}

/* Who receives has no data to preroll with, and that is known before icesrc is
 * there. */
static GstStateChangeReturn
say_live (GstStateChange transition, GstStateChangeReturn ret)
{
  if (ret == GST_STATE_CHANGE_SUCCESS &&
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED ||
          transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED))
    return GST_STATE_CHANGE_NO_PREROLL;
  return ret;
}

static GstStateChangeReturn
gst_ice_rtp_bin_change_state (GstElement *element, GstStateChange transition)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (element);
  GstStateChangeReturn ret;

  if ((transition == GST_STATE_CHANGE_NULL_TO_READY && !open_bin (self)) ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
          !gst_ice_rtp_bin_activate_senders (self))) {
    if (transition == GST_STATE_CHANGE_NULL_TO_READY)
      close_bin (self);
    return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    close_bin (self);

  ret = gst_ice_member_change_state (&self->member,
      GST_ELEMENT_CLASS (gst_ice_rtp_base_parent_class), transition);

  if (transition == GST_STATE_CHANGE_NULL_TO_READY &&
      (ret == GST_STATE_CHANGE_FAILURE ||
          !gst_ice_rtp_bin_join_senders (self))) {
    close_bin (self);
    ret = GST_STATE_CHANGE_FAILURE;
  }
  return say_live (transition, ret);
}

/* Ours is for our children. */
static void
gst_ice_rtp_bin_handle_message (GstBin *bin, GstMessage *message)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (bin);
  g_autoptr (GstIceAgent) agent = NULL;
  const gchar *type;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_NEED_CONTEXT &&
      gst_message_parse_context_type (message, &type) &&
      g_str_equal (type, GST_ICE_AGENT_CONTEXT_TYPE) &&
      (agent = gst_ice_rtp_bin_ref_agent (self)) != NULL) {
    g_autoptr (GstContext) context = gst_context_new (type, FALSE);

    gst_structure_set (gst_context_writable_structure (context), "agent",
        GST_TYPE_ICE_AGENT, agent, NULL);
    gst_element_set_context (GST_ELEMENT (GST_MESSAGE_SRC (message)), context);
    gst_message_unref (message);
    return;
  }
  GST_BIN_CLASS (gst_ice_rtp_base_parent_class)->handle_message (bin, message);
}

/* Properties */

static void
add_session_stats (GstIceRtpBin *self, guint session, GstStructure *stats)
{
  g_autofree gchar *name = g_strdup_printf ("rtp-session-%u", session);
  g_autoptr (GstStructure) its = NULL;
  g_autoptr (GstElement) element = NULL;

  g_signal_emit_by_name (self->rtpbin, "get-session", session, &element);
  if (element == NULL)
    return;
  g_object_get (element, "stats", &its, NULL);
  if (its != NULL)
    gst_structure_set (stats, name, GST_TYPE_STRUCTURE, its, NULL);
}

static GstStructure *
get_stats (GstIceRtpBin *self)
{
  GstStructure *stats = gst_ice_member_get_stats (&self->member);
  guint i;

  g_mutex_lock (&self->building);
  for (i = 0; !self->stopped && i < self->legs->len; i++)
    add_session_stats (self, i, stats);
  g_mutex_unlock (&self->building);
  return stats;
}

static void
gst_ice_rtp_bin_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LATENCY:
      self->latency = g_value_get_uint (value);
      break;
    case PROP_DTLS_SRTP:
      self->dtls_srtp = g_value_get_boolean (value);
      break;
    case PROP_KEYFRAME_ON_CONNECT:
      self->keyframe_on_connect = g_value_get_boolean (value);
      break;
    case PROP_RETRANSMISSION:
      self->retransmission = g_value_get_boolean (value);
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
gst_ice_rtp_bin_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (object);

  if (id == GST_ICE_MEMBER_PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LATENCY:
      g_value_set_uint (value, self->latency);
      break;
    case PROP_DTLS_SRTP:
      g_value_set_boolean (value, self->dtls_srtp);
      break;
    case PROP_KEYFRAME_ON_CONNECT:
      g_value_set_boolean (value, self->keyframe_on_connect);
      break;
    case PROP_RETRANSMISSION:
      g_value_set_boolean (value, self->retransmission);
      break;
    default:
      GST_OBJECT_UNLOCK (self);
      if (!gst_ice_member_get_property (&self->member, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_ice_rtp_bin_finalize (GObject *object)
{
  GstIceRtpBin *self = GST_ICE_RTP_BIN (object);

  gst_ice_member_clear (&self->member);
  g_ptr_array_unref (self->senders);
  g_ptr_array_unref (self->legs);
  g_mutex_clear (&self->lock);
  g_mutex_clear (&self->building);
  g_cond_clear (&self->told);

  G_OBJECT_CLASS (gst_ice_rtp_base_parent_class)->finalize (object);
}

static void
gst_ice_rtp_base_init (GstIceRtpBase *self)
{
  gst_ice_member_init (&self->member, GST_ELEMENT (self), NULL, &member_funcs);
  self->latency = DEFAULT_LATENCY;
  self->keyframe_on_connect = TRUE;
  g_mutex_init (&self->lock);
  g_mutex_init (&self->building);
  g_cond_init (&self->told);
  self->stopped = TRUE;
  self->senders = g_ptr_array_new_with_free_func (gst_ice_rtp_sender_free);
  self->legs = g_ptr_array_new_with_free_func (gst_ice_rtp_leg_free);
}

static void
gst_ice_rtp_base_class_init (GstIceRtpBaseClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  object_class->set_property = gst_ice_rtp_bin_set_property;
  object_class->get_property = gst_ice_rtp_bin_get_property;
  object_class->finalize = gst_ice_rtp_bin_finalize;
  gst_ice_member_install_bin_properties (object_class);
  g_object_class_install_property (object_class, PROP_LATENCY,
      g_param_spec_uint ("latency", "Latency",
          "Milliseconds that a jitterbuffer holds", 0, G_MAXUINT,
          DEFAULT_LATENCY, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (object_class, PROP_DTLS_SRTP,
      g_param_spec_boolean ("dtls-srtp", "DTLS-SRTP",
          "Encrypt media, with keys that both sides prove to be theirs", FALSE,
          flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (object_class, PROP_KEYFRAME_ON_CONNECT,
      g_param_spec_boolean ("keyframe-on-connect", "Keyframe on connect",
          "Ask upstream for a keyframe on a new path", TRUE, flags));
  g_object_class_install_property (object_class, PROP_RETRANSMISSION,
      g_param_spec_boolean ("retransmission", "Retransmission",
          "Ask again for packets that are lost, and send again what was asked "
          "for (RFC 4585, RFC 4588)",
          FALSE, flags | GST_PARAM_MUTABLE_READY));

  element_class->change_state = gst_ice_rtp_bin_change_state;
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_add_static_pad_template (element_class, &more_template);
  GST_BIN_CLASS (klass)->handle_message = gst_ice_rtp_bin_handle_message;
}

static void
gst_ice_rtp_bin_init (GstIceRtpBin *self)
{
}

static void
gst_ice_rtp_bin_class_init (GstIceRtpBinClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  element_class->request_new_pad = gst_ice_rtp_bin_request_pad;
  element_class->release_pad = gst_ice_rtp_bin_release_pad;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "ICE call",
      "Filter/Network/RTP", "RTP both ways over ICE (RFC 8445)",
      GST_PACKAGE_ORIGIN);
}
