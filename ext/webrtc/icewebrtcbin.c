/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtcbin-private.h"

#include <glib/gi18n-lib.h>
#include <gst/webrtc/sctptransport.h>

#include "gst/signallers/secrets.h"

/**
 * SECTION:element-icewebrtcbin
 * @title: icewebrtcbin
 *
 * webrtcbin whose ICE is ours: pads, properties, signals and actions are those
 * of webrtcbin. What webrtcbin has beyond them is reached as
 * `webrtcbin::PROPERTY`, what our agent has as `agent::PROPERTY`.
 *
 * |[
 * gst-launch-1.0 icewebrtcbin name=w bundle-policy=max-bundle
 * agent::interfaces=eth0 videotestsrc is-live=true ! vp8enc deadline=1 !
 * rtpvp8pay ! w.
 * ]|
 */

GST_DEBUG_CATEGORY (gst_ice_webrtc_bin_debug);
#define GST_CAT_DEFAULT gst_ice_webrtc_bin_debug

/* Names of children for GstChildProxy. */
#define AGENT "agent"

enum
{
  PROP_URI = 1,
  PROP_SIGNALLER,
  N_OWN_PROPERTIES,
};

static void child_proxy_init (gpointer iface, gpointer unused);

G_DEFINE_FINAL_TYPE_WITH_CODE (GstIceWebRTCBin, gst_ice_webrtc_bin,
    GST_TYPE_BIN,
    G_IMPLEMENT_INTERFACE (GST_TYPE_CHILD_PROXY, child_proxy_init)
        GST_DEBUG_CATEGORY_INIT (gst_ice_webrtc_bin_debug, "icewebrtcbin", 0,
            "webrtcbin with our ICE"))
GST_ELEMENT_REGISTER_DEFINE (
    icewebrtcbin, "icewebrtcbin", GST_RANK_NONE, GST_TYPE_ICE_WEBRTC_BIN)

/* Properties: all are webrtcbin's. The class is made where plugins are only
 * looked at, and webrtcbin is not to be had there: the list is ours. */

static void
install_own (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (klass, PROP_URI,
      g_param_spec_string ("uri", "URI",
          "Where to meet the peer: ice+file:///tmp/call, "
          "ice+wss://:8443/cam?listen=1&tls=self-signed, ...; unset: the "
          "application signals",
          NULL, flags));
  g_object_class_install_property (klass, PROP_SIGNALLER,
      g_param_spec_object ("signaller", "Signaller",
          "How to meet the peer; from text file, stdio or the name of a module",
          GST_TYPE_ICE_SIGNALLER, flags));
}

static void
install_strings (GObjectClass *klass, guint *id)
{
  static const struct
  {
    const gchar *name, *nick, *blurb;
  } strings[] = {
    { "stun-server", "STUN server", "stun://HOST[:PORT]" },
    { "turn-server", "TURN server",
        "turn(s)://USER:PASSWORD@HOST[:PORT][?transport=udp|tcp]; more by "
        "the action add-turn-server" },
    { "http-proxy", "HTTP proxy",
        "http://[USER:PASSWORD@]HOST[:PORT], for TURN over TCP and TLS" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    g_object_class_install_property (klass, ++*id,
        g_param_spec_string (strings[i].name, strings[i].nick, strings[i].blurb,
            NULL, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
}

static void
install_enums (GObjectClass *klass, guint *id)
{
  const struct
  {
    const gchar *name, *nick, *blurb;
    GType type;
    gint initial;
    GParamFlags access;
  } enums[] = {
    { "bundle-policy", "Bundle policy", "Whether m-lines share a transport",
        GST_TYPE_WEBRTC_BUNDLE_POLICY, GST_WEBRTC_BUNDLE_POLICY_NONE,
        G_PARAM_READWRITE },
    { "ice-transport-policy", "ICE transport policy",
        "Which candidates are used", GST_TYPE_WEBRTC_ICE_TRANSPORT_POLICY,
        GST_WEBRTC_ICE_TRANSPORT_POLICY_ALL, G_PARAM_READWRITE },
    { "connection-state", "Connection state", "ICE and DTLS in one word",
        GST_TYPE_WEBRTC_PEER_CONNECTION_STATE,
        GST_WEBRTC_PEER_CONNECTION_STATE_NEW, G_PARAM_READABLE },
    { "signaling-state", "Signaling state", "Offer and answer",
        GST_TYPE_WEBRTC_SIGNALING_STATE, GST_WEBRTC_SIGNALING_STATE_STABLE,
        G_PARAM_READABLE },
    { "ice-gathering-state", "ICE gathering state",
        "Gathering of all transports", GST_TYPE_WEBRTC_ICE_GATHERING_STATE,
        GST_WEBRTC_ICE_GATHERING_STATE_NEW, G_PARAM_READABLE },
    { "ice-connection-state", "ICE connection state", "ICE of all transports",
        GST_TYPE_WEBRTC_ICE_CONNECTION_STATE,
        GST_WEBRTC_ICE_CONNECTION_STATE_NEW, G_PARAM_READABLE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (enums); i++)
    g_object_class_install_property (klass, ++*id,
        g_param_spec_enum (enums[i].name, enums[i].nick, enums[i].blurb,
            enums[i].type, enums[i].initial,
            enums[i].access | G_PARAM_STATIC_STRINGS));
}

static void
install_others (GObjectClass *klass, guint *id)
{
  g_object_class_install_property (klass, ++*id,
      g_param_spec_uint ("latency", "Latency",
          "Milliseconds that jitterbuffers hold packets", 0, G_MAXUINT, 200,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (klass, ++*id,
      g_param_spec_object ("ice-agent", "ICE agent",
          "Our agent in webrtcbin's clothes; its property “agent” is the agent",
          GST_TYPE_WEBRTC_ICE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (klass, ++*id,
      g_param_spec_object ("sctp-transport", "SCTP transport",
          "Of data channels", GST_TYPE_WEBRTC_SCTP_TRANSPORT,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
install_descriptions (GObjectClass *klass, guint *id)
{
  static const gchar *const names[] = { "local-description",
    "current-local-description", "pending-local-description",
    "remote-description", "current-remote-description",
    "pending-remote-description" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_object_class_install_property (klass, ++*id,
        g_param_spec_boxed (names[i], names[i], "As webrtcbin has it",
            GST_TYPE_WEBRTC_SESSION_DESCRIPTION,
            G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_ice_webrtc_bin_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceWebRTCBin *self = GST_ICE_WEBRTC_BIN (object);
  g_autoptr (GstElement) inner = NULL;

  GST_OBJECT_LOCK (self);
  if (id == PROP_URI) {
    g_free (self->uri);
    self->uri = g_value_dup_string (value);
  } else if (id == PROP_SIGNALLER) {
    g_set_object (&self->signaller, g_value_get_object (value));
  }
  GST_OBJECT_UNLOCK (self);
  if (id < N_OWN_PROPERTIES)
    return;
  inner = gst_ice_webrtc_bin_ref_inner (self);
  if (inner)
    g_object_set_property (G_OBJECT (inner), pspec->name, value);
}

static void
gst_ice_webrtc_bin_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceWebRTCBin *self = GST_ICE_WEBRTC_BIN (object);
  g_autoptr (GstElement) inner = gst_ice_webrtc_bin_ref_inner (self);

  if (id < N_OWN_PROPERTIES) {
    GST_OBJECT_LOCK (self);
    /* A drawing of the pipeline shows no token. */
    if (id == PROP_URI)
      g_value_take_string (value, gst_ice_hide_uri_secrets (self->uri));
    else
      g_value_set_object (value, self->signaller);
    GST_OBJECT_UNLOCK (self);
  } else if (inner) {
    g_object_get_property (G_OBJECT (inner), pspec->name, value);
  } else {
    g_param_value_set_default (pspec, value);
  }
}

/* Of webrtcbin: what we have, too, has changed here as well. */
static void
on_notify (GObject *inner, GParamSpec *pspec, GWeakRef *weak)
{
  g_autoptr (GstIceWebRTCBin) self = g_weak_ref_get (weak);
  GParamSpec *ours;

  if (!self)
    return;
  ours = g_object_class_find_property (G_OBJECT_GET_CLASS (self), pspec->name);
  if (ours && ours->owner_type == GST_TYPE_ICE_WEBRTC_BIN)
    g_object_notify_by_pspec (G_OBJECT (self), ours);
}

static void
free_weak_ref (gpointer data, GClosure *closure)
{
  g_weak_ref_clear (data);
  g_free (data);
}

/* Children by name: the agent, beside those of every bin. */

static GstChildProxyInterface *parent_proxy;

static GObject *
get_child_by_name (GstChildProxy *proxy, const gchar *name)
{
  if (g_str_equal (name, AGENT)) {
    g_autoptr (GstIceWebRTC) ice =
        gst_ice_webrtc_bin_ref_ice (GST_ICE_WEBRTC_BIN (proxy));

    return G_OBJECT (gst_ice_webrtc_ref_agent (ice));
  }
  return parent_proxy->get_child_by_name (proxy, name);
}

static void
child_proxy_init (gpointer iface, gpointer unused)
{
  parent_proxy = g_type_interface_peek_parent (iface);
  ((GstChildProxyInterface *) iface)->get_child_by_name = get_child_by_name;
}

/* The class */

static GstStateChangeReturn
gst_ice_webrtc_bin_change_state (GstElement *element, GstStateChange transition)
{
  GstIceWebRTCBin *self = GST_ICE_WEBRTC_BIN (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !self->inner) {
    GST_ELEMENT_ERROR (self, CORE, MISSING_PLUGIN,
        (_ ("There is no element “webrtcbin”; install the “bad” plugins of "
            "GStreamer.")),
        (NULL));
    return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_ice_webrtc_bin_end (self);
  ret = GST_ELEMENT_CLASS (gst_ice_webrtc_bin_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      ret != GST_STATE_CHANGE_FAILURE && !gst_ice_webrtc_bin_begin (self))
    return GST_STATE_CHANGE_FAILURE;
  return ret;
}

static void
gst_ice_webrtc_bin_dispose (GObject *object)
{
  GstIceWebRTCBin *self = GST_ICE_WEBRTC_BIN (object);

  g_mutex_lock (&self->lock);
  self->inner = NULL;
  g_mutex_unlock (&self->lock);
  G_OBJECT_CLASS (gst_ice_webrtc_bin_parent_class)->dispose (object);
  gst_clear_object (&self->ice);
}

static void
gst_ice_webrtc_bin_finalize (GObject *object)
{
  GstIceWebRTCBin *self = GST_ICE_WEBRTC_BIN (object);

  g_mutex_clear (&self->lock);
  g_free (self->uri);
  g_clear_object (&self->signaller);
  g_clear_object (&self->meeting);
  g_clear_pointer (&self->prepared, gst_webrtc_session_description_free);
  g_hash_table_unref (self->credentials);
  g_hash_table_unref (self->proposed);
  G_OBJECT_CLASS (gst_ice_webrtc_bin_parent_class)->finalize (object);
}

static void
gst_ice_webrtc_bin_class_init (GstIceWebRTCBinClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  guint id = N_OWN_PROPERTIES - 1;

  object_class->set_property = gst_ice_webrtc_bin_set_property;
  object_class->get_property = gst_ice_webrtc_bin_get_property;
  object_class->dispose = gst_ice_webrtc_bin_dispose;
  object_class->finalize = gst_ice_webrtc_bin_finalize;
  install_own (object_class);
  install_strings (object_class, &id);
  install_enums (object_class, &id);
  install_others (object_class, &id);
  install_descriptions (object_class, &id);
  gst_ice_webrtc_bin_install_signals (object_class);

  element_class->change_state = gst_ice_webrtc_bin_change_state;
  gst_ice_webrtc_bin_pads_class_init (element_class);
  gst_element_class_set_static_metadata (element_class, "WebRTC over gst-ice",
      "Filter/Network/WebRTC", "webrtcbin with the ICE of gst-ice",
      GST_PACKAGE_ORIGIN);
}

GstElement *
gst_ice_webrtc_bin_ref_inner (GstIceWebRTCBin *self)
{
  GstElement *inner;

  g_mutex_lock (&self->lock);
  inner = self->inner ? gst_object_ref (self->inner) : NULL;
  g_mutex_unlock (&self->lock);
  return inner;
}

GstIceWebRTC *
gst_ice_webrtc_bin_ref_ice (GstIceWebRTCBin *self)
{
  GstIceWebRTC *ice;

  g_mutex_lock (&self->lock);
  ice = gst_object_ref (self->ice);
  g_mutex_unlock (&self->lock);
  return ice;
}

void
gst_ice_webrtc_bin_make_inner (GstIceWebRTCBin *self)
{
  GstIceWebRTC *ice = gst_ice_webrtc_new (NULL);
  g_autoptr (GstIceWebRTC) old = NULL;
  GstElement *inner = gst_element_factory_make_full (
      "webrtcbin", "name", "webrtcbin", "ice-agent", ice, NULL);
  GWeakRef *weak;

  if (inner)
    gst_bin_add (GST_BIN (self), inner);
  g_mutex_lock (&self->lock);
  old = self->ice;
  self->ice = ice;
  self->inner = inner;
  g_mutex_unlock (&self->lock);
  if (!inner)
    return;
  weak = g_new0 (GWeakRef, 1);
  g_weak_ref_init (weak, self);
  g_signal_connect_data (
      self->inner, "notify", G_CALLBACK (on_notify), weak, free_weak_ref, 0);
  gst_ice_webrtc_bin_connect_signals (self);
  gst_ice_webrtc_bin_connect_pads (self);
}

static void
gst_ice_webrtc_bin_init (GstIceWebRTCBin *self)
{
  g_mutex_init (&self->lock);
  self->credentials = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
  self->proposed = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
  gst_ice_webrtc_bin_make_inner (self);
}
