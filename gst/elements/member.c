/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "member.h"

#include <glib/gi18n-lib.h>

#include "endpoint.h"
#include "gst/signallers/secrets.h"

/* Marks an agent that exists because an element wanted one: ours to close, and
 * to make again. */
#define MADE "gst-ice-element-made"
/* Where an element keeps its member. */
#define MEMBER "gst-ice-member"

void
gst_ice_member_init (GstIceMember *self, GstElement *element, GstPad *pad,
    const GstIceMemberFuncs *funcs)
{
  self->element = element;
  self->pad = pad;
  self->is_sink = pad != NULL && GST_PAD_IS_SINK (pad);
  self->kind = pad != NULL ? GST_ICE_MEMBER_ELEMENT : GST_ICE_MEMBER_BIN;
  self->funcs = funcs;
  self->stream_name = g_strdup ("0");
  self->component = 1;
  self->wait_for_connection = self->auto_restart = TRUE;
  self->report_failure = TRUE;
  self->settings = gst_ice_agent_settings_new ();
  g_object_set_data (G_OBJECT (element), MEMBER, self);
}

void
gst_ice_member_init_pad (GstIceMember *self, GstElement *bin, GstPad *pad,
    const GstIceMemberFuncs *funcs)
{
  self->element = bin;
  self->pad = pad;
  self->is_sink = GST_PAD_IS_SINK (pad);
  self->kind = GST_ICE_MEMBER_PAD;
  self->funcs = funcs;
  self->component = 1;
}

GstIceMember *
gst_ice_member_of (GstElement *element)
{
  return g_object_get_data (G_OBJECT (element), MEMBER);
}

void
gst_ice_member_clear (GstIceMember *self)
{
  gst_clear_object (&self->stream);
  g_clear_object (&self->agent);
  g_clear_object (&self->context_agent);
  g_clear_object (&self->signaller);
  g_clear_object (&self->made);
  g_free (self->made_for);
  g_clear_object (&self->settings);
  g_clear_pointer (&self->stream_name, g_free);
  g_clear_pointer (&self->uri, g_free);
  g_clear_pointer (&self->stun_server, g_free);
  g_clear_pointer (&self->turn_servers, g_free);
  gst_clear_caps (&self->caps);
}

/* An agent that nobody but the value refers to was made for the name in a
 * launch line. */
static void
set_agent (GstIceMember *self, GstIceAgent *agent)
{
  if (agent != NULL && g_atomic_int_get (&G_OBJECT (agent)->ref_count) == 1)
    g_object_set_data (G_OBJECT (agent), MADE, (gpointer) MADE);
  g_set_object (&self->agent, agent);
}

static void
set_string (gchar **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

/* Both are settings of the agent, as agent:: would be. */
static void
set_setting (GstIceMember *self, const gchar *name, const GValue *value)
{
  g_object_set_property (G_OBJECT (self->settings), name, value);
}

gboolean
gst_ice_member_set_property (GstIceMember *self, guint id, const GValue *value)
{
  if (id == GST_ICE_MEMBER_PROP_ICE_TRANSPORT_POLICY) {
    set_setting (self, "policy", value);
    return TRUE;
  }
  if (id == GST_ICE_MEMBER_PROP_CONNECT_TIMEOUT) {
    set_setting (self, "connect-timeout", value);
    return TRUE;
  }

  GST_OBJECT_LOCK (self->element);
  switch (id) {
    case GST_ICE_MEMBER_PROP_AGENT:
      set_agent (self, g_value_get_object (value));
      break;
    case GST_ICE_MEMBER_PROP_STREAM:
      if (g_value_get_string (value) != NULL)
        set_string (&self->stream_name, value);
      break;
    case GST_ICE_MEMBER_PROP_COMPONENT:
      self->component = g_value_get_uint (value);
      break;
    case GST_ICE_MEMBER_PROP_URI:
      set_string (&self->uri, value);
      break;
    case GST_ICE_MEMBER_PROP_SIGNALLER:
      g_set_object (&self->signaller, g_value_get_object (value));
      break;
    case GST_ICE_MEMBER_PROP_STUN_SERVER:
      set_string (&self->stun_server, value);
      break;
    case GST_ICE_MEMBER_PROP_TURN_SERVERS:
      set_string (&self->turn_servers, value);
      break;
    case GST_ICE_MEMBER_PROP_WAIT_FOR_CONNECTION:
      self->wait_for_connection = g_value_get_boolean (value);
      break;
    case GST_ICE_MEMBER_PROP_ON_DISCONNECT:
      self->on_disconnect = g_value_get_enum (value);
      break;
    case GST_ICE_MEMBER_PROP_AUTO_RESTART:
      self->auto_restart = g_value_get_boolean (value);
      break;
    case GST_ICE_MEMBER_PROP_REPORT_FAILURE:
      self->report_failure = g_value_get_boolean (value);
      break;
    default:
      GST_OBJECT_UNLOCK (self->element);
      return FALSE;
  }
  GST_OBJECT_UNLOCK (self->element);
  return TRUE;
}

gboolean
gst_ice_member_get_property (GstIceMember *self, guint id, GValue *value)
{
  if (id == GST_ICE_MEMBER_PROP_STATS) {
    g_value_take_boxed (value, gst_ice_member_get_stats (self));
    return TRUE;
  }
  if (id == GST_ICE_MEMBER_PROP_ICE_TRANSPORT_POLICY) {
    g_object_get_property (G_OBJECT (self->settings), "policy", value);
    return TRUE;
  }
  if (id == GST_ICE_MEMBER_PROP_CONNECT_TIMEOUT) {
    g_object_get_property (G_OBJECT (self->settings), "connect-timeout", value);
    return TRUE;
  }

  GST_OBJECT_LOCK (self->element);
  switch (id) {
    case GST_ICE_MEMBER_PROP_AGENT:
      g_value_set_object (
          value, self->agent != NULL ? self->agent : self->context_agent);
      break;
    case GST_ICE_MEMBER_PROP_STREAM:
      g_value_set_string (value, self->stream_name);
      break;
    case GST_ICE_MEMBER_PROP_COMPONENT:
      g_value_set_uint (value, self->component);
      break;
    case GST_ICE_MEMBER_PROP_URI:
      g_value_take_string (value, gst_ice_hide_uri_secrets (self->uri));
      break;
    case GST_ICE_MEMBER_PROP_SIGNALLER:
      g_value_set_object (value, self->signaller);
      break;
    case GST_ICE_MEMBER_PROP_STUN_SERVER:
      g_value_take_string (value, gst_ice_hide_passwords (self->stun_server));
      break;
    case GST_ICE_MEMBER_PROP_TURN_SERVERS:
      g_value_take_string (value, gst_ice_hide_passwords (self->turn_servers));
      break;
    case GST_ICE_MEMBER_PROP_WAIT_FOR_CONNECTION:
      g_value_set_boolean (value, self->wait_for_connection);
      break;
    case GST_ICE_MEMBER_PROP_ON_DISCONNECT:
      g_value_set_enum (value, self->on_disconnect);
      break;
    case GST_ICE_MEMBER_PROP_AUTO_RESTART:
      g_value_set_boolean (value, self->auto_restart);
      break;
    case GST_ICE_MEMBER_PROP_REPORT_FAILURE:
      g_value_set_boolean (value, self->report_failure);
      break;
    case GST_ICE_MEMBER_PROP_STATE:
      g_value_set_enum (value, g_atomic_int_get (&self->state));
      break;
    default:
      GST_OBJECT_UNLOCK (self->element);
      return FALSE;
  }
  GST_OBJECT_UNLOCK (self->element);
  return TRUE;
}

static void
set_text (gchar **where, const gchar *text)
{
  g_free (*where);
  *where = g_strdup (text);
}

/* One that was made for this very URI serves again. */
static GstIceSignaller *
make_signaller (GstIceMember *self, const gchar *uri, GError **error)
{
  GstIceSignaller *signaller;

  /* Its own property may hide a password. */
  if (self->made != NULL && g_strcmp0 (self->made_for, uri) == 0)
    return g_object_ref (self->made);
  signaller = gst_ice_signaller_new_from_uri (uri, error);
  if (signaller != NULL) {
    g_set_object (&self->made, signaller);
    set_text (&self->made_for, uri);
  }
  return signaller;
}

GstIceSignaller *
gst_ice_member_find_signaller (GstIceMember *self, GError **error)
{
  g_autoptr (GstIceSignaller) signaller = NULL;
  g_autofree gchar *uri = NULL;

  GST_OBJECT_LOCK (self->element);
  uri = g_strdup (self->uri);
  if (self->signaller != NULL)
    signaller = g_object_ref (self->signaller);
  GST_OBJECT_UNLOCK (self->element);

  if (signaller == NULL)
    return uri != NULL ? make_signaller (self, uri, error) : NULL;
  if (uri != NULL)
    g_object_set (signaller, "uri", uri, NULL);
  if (!gst_ice_signaller_check (signaller, error))
    return NULL;
  return g_steal_pointer (&signaller);
}

/* gst-launch silently forgets what it sets on a child that is not there, so
 * there always is one. */
GObject *
gst_ice_member_get_child (GstIceMember *self, const gchar *name)
{
  g_autofree gchar *uri = NULL;
  GstIceSignaller *signaller;

  if (g_strcmp0 (name, "agent") == 0)
    return g_object_ref (G_OBJECT (self->settings));
  if (g_strcmp0 (name, "signaller") != 0)
    return NULL;

  GST_OBJECT_LOCK (self->element);
  signaller = self->signaller != NULL ? g_object_ref (self->signaller) : NULL;
  uri = g_strdup (self->uri);
  GST_OBJECT_UNLOCK (self->element);
  if (signaller == NULL && uri != NULL)
    signaller = make_signaller (self, uri, NULL);
  return signaller != NULL ? G_OBJECT (signaller)
                           : g_object_new (G_TYPE_OBJECT, NULL);
}

static const gchar *const children[] = { "agent", "signaller" };

static GObject *
get_child_by_name (GstChildProxy *proxy, const gchar *name)
{
  return gst_ice_member_get_child (
      g_object_get_data (G_OBJECT (proxy), MEMBER), name);
}

static GObject *
get_child_by_index (GstChildProxy *proxy, guint index)
{
  return index < G_N_ELEMENTS (children)
      ? get_child_by_name (proxy, children[index])
      : NULL;
}

static guint
get_children_count (GstChildProxy *proxy)
{
  return G_N_ELEMENTS (children);
}

void
gst_ice_member_child_proxy_init (gpointer iface, gpointer unused)
{
  GstChildProxyInterface *proxy = iface;

  proxy->get_child_by_name = get_child_by_name;
  proxy->get_child_by_index = get_child_by_index;
  proxy->get_children_count = get_children_count;
}

void
gst_ice_member_set_context (GstIceMember *self, GstContext *context)
{
  GstIceAgent *agent = NULL;

  if (context == NULL ||
      !gst_context_has_context_type (context, GST_ICE_AGENT_CONTEXT_TYPE))
    return;
  gst_structure_get (gst_context_get_structure (context), "agent",
      GST_TYPE_ICE_AGENT, &agent, NULL);
  GST_OBJECT_LOCK (self->element);
  g_set_object (&self->context_agent, agent);
  GST_OBJECT_UNLOCK (self->element);
  g_clear_object (&agent);
}

/* Tells the pipeline: all elements of it that were given no agent share this.
 */
static void
share_agent (GstIceMember *self, GstIceAgent *agent)
{
  /* Not persistent: after READY to NULL there is another. */
  g_autoptr (GstContext) context =
      gst_context_new (GST_ICE_AGENT_CONTEXT_TYPE, FALSE);

  gst_structure_set (gst_context_writable_structure (context), "agent",
      GST_TYPE_ICE_AGENT, agent, NULL);
  gst_element_set_context (self->element, context);
  gst_element_post_message (self->element,
      gst_message_new_have_context (
          GST_OBJECT (self->element), gst_context_ref (context)));
}

/* (transfer full) (nullable) */
static GstIceAgent *
dup_agent (GstIceMember *self, GstIceAgent **where)
{
  GstIceAgent *agent;

  GST_OBJECT_LOCK (self->element);
  agent = *where != NULL ? gst_object_ref (*where) : NULL;
  GST_OBJECT_UNLOCK (self->element);
  return agent;
}

/* (transfer full) */
static GstIceAgent *
find_context_agent (GstIceMember *self)
{
  GstIceAgent *agent = dup_agent (self, &self->context_agent);

  if (agent == NULL) {
    gst_element_post_message (self->element,
        gst_message_new_need_context (
            GST_OBJECT (self->element), GST_ICE_AGENT_CONTEXT_TYPE));
    agent = dup_agent (self, &self->context_agent);
  }
  if (agent == NULL) {
    agent = gst_ice_agent_new ();
    g_object_set_data (G_OBJECT (agent), MADE, (gpointer) MADE);
    share_agent (self, agent);
  }
  return agent;
}

/* (transfer full) A bin has one for itself and its children; its streams share
 * transports unless agent::bundle says otherwise. */
static GstIceAgent *
make_own_agent (GstIceMember *self)
{
  GstIceAgent *agent = gst_ice_agent_new ();

  g_object_set (agent, "bundle", GST_ICE_BUNDLE_MAX, NULL);
  g_object_set_data (G_OBJECT (agent), MADE, (gpointer) MADE);
  GST_OBJECT_LOCK (self->element);
  g_set_object (&self->context_agent, agent);
  GST_OBJECT_UNLOCK (self->element);
  return agent;
}

/* (transfer full) */
static GstIceAgent *
find_agent (GstIceMember *self)
{
  g_autoptr (GstIceAgent) agent = dup_agent (self, &self->agent);
  g_autofree gchar *name = NULL;

  if (agent == NULL && self->kind == GST_ICE_MEMBER_BIN)
    return make_own_agent (self);
  if (agent == NULL)
    return find_context_agent (self);
  if (g_object_get_data (G_OBJECT (agent), GST_ICE_AGENT_WAS_LEFT) == NULL)
    return g_steal_pointer (&agent);

  /* It was closed in READY to NULL; the name means a new one. */
  name = gst_object_get_name (GST_OBJECT (agent));
  g_clear_object (&agent);
  agent = gst_ice_agent_get_by_name (name);
  g_object_set_data (G_OBJECT (agent), MADE, (gpointer) MADE);
  GST_OBJECT_LOCK (self->element);
  g_set_object (&self->agent, agent);
  GST_OBJECT_UNLOCK (self->element);
  return g_steal_pointer (&agent);
}

/* An agent of the application may be connected already. */
static void
learn_state (GstIceMember *self)
{
  GstIceState state;

  if (self->transport == NULL)
    return;
  g_object_get (self->transport, "state", &state, NULL);
  gst_ice_member_set_state (self, state);
}

static void
find_transport (GstIceMember *self, GstIceAgent *agent, const gchar *name)
{
  GstIceStream *stream;
  GstIceTransport *transport;

  if (self->kind == GST_ICE_MEMBER_BIN)
    return;
  stream = gst_ice_agent_request_stream (agent, name);
  transport = gst_ice_stream_get_transport (stream, self->component);
  GST_OBJECT_LOCK (self->element);
  self->stream = stream;
  self->transport = transport;
  GST_OBJECT_UNLOCK (self->element);
}

static void
leave (GstIceMember *self)
{
  g_autoptr (GstIceEndpoint) endpoint = NULL;
  g_autoptr (GstIceAgent) agent = NULL;
  g_autoptr (GstIceTransport) transport = NULL;
  g_autoptr (GstIceStream) stream = NULL;

  if (self->stream != NULL)
    g_signal_handlers_disconnect_by_data (self->stream, self->element);
  if (self->transport != NULL)
    g_signal_handlers_disconnect_by_data (self->transport, self->element);
  gst_ice_agent_settings_follow (self->settings, NULL);
  GST_OBJECT_LOCK (self->element);
  endpoint = g_steal_pointer (&self->endpoint);
  /* The next READY gets it from the pipeline again, or makes another. */
  if (self->context_agent != NULL &&
      g_object_get_data (G_OBJECT (self->context_agent), MADE) != NULL)
    agent = g_steal_pointer (&self->context_agent);
  GST_OBJECT_UNLOCK (self->element);

  if (endpoint != NULL)
    gst_ice_endpoint_leave (endpoint, self);
  GST_OBJECT_LOCK (self->element);
  transport = g_steal_pointer (&self->transport);
  stream = g_steal_pointer (&self->stream);
  GST_OBJECT_UNLOCK (self->element);
  gst_ice_member_set_state (self, GST_ICE_STATE_NEW);
  self->funcs->left (self);
}

static gboolean
join (GstIceMember *self)
{
  g_autoptr (GstIceAgent) agent = find_agent (self);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *name = NULL;
  GstIceEndpoint *endpoint;

  GST_OBJECT_LOCK (self->element);
  name = g_strdup (self->stream_name);
  GST_OBJECT_UNLOCK (self->element);

  if (*name == '\0') {
    error = g_error_new_literal (GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        _ ("“stream” is empty; set it to the name of a section of the "
           "description, as video."));
  } else {
    find_transport (self, agent, name);
    endpoint = gst_ice_endpoint_join (agent,
        g_object_get_data (G_OBJECT (agent), MADE) != NULL, self, &error);
    GST_OBJECT_LOCK (self->element);
    self->endpoint = endpoint;
    GST_OBJECT_UNLOCK (self->element);
  }
  if (error != NULL) {
    gst_ice_post_error (self->element, error);
    leave (self);
    return FALSE;
  }
  gst_ice_agent_settings_follow (self->settings, agent);
  learn_state (self);
  self->funcs->joined (self);
  return TRUE;
}

static gboolean
activate (GstIceMember *self)
{
  g_autoptr (GError) error = NULL;

  if (gst_ice_endpoint_activate (self->endpoint, self, &error))
    return TRUE;
  gst_ice_post_error (self->element, error);
  return FALSE;
}

static gboolean
play (GstIceMember *self)
{
  g_autoptr (GError) error = NULL;

  if (gst_ice_endpoint_check (self->endpoint, &error))
    return TRUE;
  gst_ice_post_error (self->element, error);
  return FALSE;
}

GstStateChangeReturn
gst_ice_member_change_state (GstIceMember *self, GstElementClass *parent_class,
    GstStateChange transition)
{
  GstStateChangeReturn ret;

  if ((transition == GST_STATE_CHANGE_NULL_TO_READY && !join (self)) ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !activate (self)) ||
      (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && !play (self)))
    return GST_STATE_CHANGE_FAILURE;

  ret = parent_class->change_state (self->element, transition);

  if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
      (transition == GST_STATE_CHANGE_NULL_TO_READY &&
          ret == GST_STATE_CHANGE_FAILURE))
    leave (self);
  return ret;
}

GstIceTransport *
gst_ice_member_ref_transport (GstIceMember *self)
{
  GstIceTransport *transport = NULL;

  GST_OBJECT_LOCK (self->element);
  if (self->transport != NULL)
    transport = gst_object_ref (self->transport);
  GST_OBJECT_UNLOCK (self->element);
  return transport;
}

GstIceStream *
gst_ice_member_ref_stream (GstIceMember *self)
{
  GstIceStream *stream = NULL;

  GST_OBJECT_LOCK (self->element);
  if (self->stream != NULL)
    stream = gst_object_ref (self->stream);
  GST_OBJECT_UNLOCK (self->element);
  return stream;
}

gboolean
gst_ice_member_set_state (GstIceMember *self, GstIceState state)
{
  if (g_atomic_int_exchange (&self->state, state) == (gint) state)
    return FALSE;
  g_object_notify (G_OBJECT (self->element), "state");
  return TRUE;
}

gboolean
gst_ice_member_is_connected (GstIceMember *self)
{
  const gint state = g_atomic_int_get (&self->state);

  return state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED ||
      state == GST_ICE_STATE_DISCONNECTED;
}

GstStructure *
gst_ice_member_get_stats (GstIceMember *self)
{
  g_autoptr (GstIceEndpoint) endpoint = NULL;

  GST_OBJECT_LOCK (self->element);
  if (self->endpoint != NULL)
    endpoint = g_object_ref (self->endpoint);
  GST_OBJECT_UNLOCK (self->element);

  return endpoint != NULL
      ? gst_ice_endpoint_get_stats (endpoint)
      : gst_structure_new_empty ("application/x-gst-ice-stats");
}
