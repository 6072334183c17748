/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticestream-private.h"

#include "base/crypto.h"
#include "gsticeagent-private.h"
#include "gsticecandidate-private.h"
#include "gsticeerror.h"
#include "gsticelog-private.h"
#include "io/loop.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* RFC 8445 4: component IDs are from 1 to 256. */
#define MAX_COMPONENT 256

/* RFC 2474 3: six bits. */
#define MAX_DSCP 63

/**
 * SECTION:gsticestream
 * @title: GstIceStream
 * @short_description: one m-line of a session
 *
 * A stream is one section of the session description: its credentials, its
 * candidates, what is sent and received (as caps), and one #GstIceTransport for
 * each component. Its name is the SDP `mid` (RFC 5888).
 *
 * It holds its agent weakly: when the agent is closed or gone, calls do nothing
 * or give %GST_ICE_ERROR_CLOSED. All methods may be called from any thread.
 */

enum
{
  PROP_0,
  PROP_MLINE_INDEX,
  PROP_DSCP,
  PROP_LOCAL_CAPS,
  PROP_REMOTE_CAPS,
  PROP_FINGERPRINT,
  PROP_REMOTE_FINGERPRINT,
  PROP_DTLS_CLIENT,
  N_PROPERTIES,
  /* gsticestream-direction.c */
  PROP_DIRECTION = N_PROPERTIES,
  PROP_CURRENT_DIRECTION,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_TYPE (GstIceStream, gst_ice_stream, GST_TYPE_OBJECT)

/* Components */

static void
component_free (GstIceComponent *self)
{
  gst_object_unref (self->transport);
  g_clear_pointer (&self->local, gst_ice_candidate_unref);
  g_clear_pointer (&self->remote, gst_ice_candidate_unref);
  g_free (self);
}

/* (transfer full) (nullable) */
static GstIceTransport *
find_transport (GstIceStream *self, guint number)
{
  GstIceTransport *transport = NULL;

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->components->len && !transport; i++) {
    const GstIceComponent *component = self->components->pdata[i];

    if (component->number == number)
      transport = gst_object_ref (component->transport);
  }
  GST_OBJECT_UNLOCK (self);
  return transport;
}

/* (transfer full) the data plane of a new component; where the agent is gone,
 * one that says so. */
static GstIceLink *
make_link (GstIceStream *self, guint number, guint *ret_id)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  guint stream = gst_ice_stream_get_id (self);
  GstIceLink *link;

  if (agent && stream != 0)
    return gst_ice_pump_add_component (agent->pump, stream, number, ret_id);
  link = gst_ice_link_new ();
  gst_ice_link_close (link);
  *ret_id = 0;
  return link;
}

static GstIceTransport *
add_component (GstIceStream *self, guint number)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  GstIceComponent *component = g_new0 (GstIceComponent, 1);
  g_autoptr (GstIceLink) link = make_link (self, number, &component->id);
  gint dscp;

  component->number = number;
  component->transport = gst_ice_transport_new (self, number, link);
  component->state = gst_ice_link_get_state (link);
  GST_OBJECT_LOCK (self);
  g_ptr_array_add (self->components, component);
  dscp = self->dscp;
  GST_OBJECT_UNLOCK (self);

  if (agent) {
    gst_ice_pump_set_dscp (agent->pump, component->id,
        dscp >= 0 ? dscp : gst_ice_agent_get_dscp (agent));
    gst_ice_stream_gather_again (self, agent);
  }
  return gst_object_ref (component->transport);
}

/* (transfer full) */
static GstIceTransport *
ensure_transport (GstIceStream *self, guint number)
{
  GstIceTransport *transport;

  g_mutex_lock (&self->setup);
  transport = find_transport (self, number);
  if (!transport)
    transport = add_component (self, number);
  g_mutex_unlock (&self->setup);
  return transport;
}

gboolean
gst_ice_stream_has_component (GstIceStream *self, guint component)
{
  g_autoptr (GstIceTransport) transport = find_transport (self, component);

  return transport != NULL;
}

void
gst_ice_stream_ensure_component (GstIceStream *self, guint component)
{
  gst_object_unref (ensure_transport (self, component));
}

/* (transfer full) (nullable) */
static GstIceComponent *
steal_component (GstIceStream *self, guint number)
{
  GstIceComponent *found = NULL;

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->components->len && !found; i++) {
    GstIceComponent *component = self->components->pdata[i];

    if (component->number == number)
      found = g_ptr_array_steal_index (self->components, i);
  }
  GST_OBJECT_UNLOCK (self);
  return found;
}

static gboolean
tell_closed (gpointer transport)
{
  gst_ice_transport_notify_state (transport, GST_ICE_STATE_CLOSED);
  return G_SOURCE_REMOVE;
}

void
gst_ice_stream_drop_component (GstIceStream *self, guint number)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  GstIceComponent *component = steal_component (self, number);

  if (!component)
    return;
  if (agent) {
    gst_ice_pump_remove_component (
        agent->pump, gst_ice_stream_get_id (self), number, component->id);
    gst_ice_agent_dispatch (agent, tell_closed,
        gst_object_ref (component->transport), gst_object_unref);
  }
  component_free (component);
}

/* Life */

GstIceStream *
gst_ice_stream_new (GstIceAgent *agent, const gchar *name, guint mline_index,
    GstIceStream *tagged)
{
  GstIceStream *self = g_object_new (GST_TYPE_ICE_STREAM, "name", name, NULL);

  gst_object_ref_sink (self);
  self->mid = g_strdup (name);
  self->mline_index = mline_index;
  g_weak_ref_set (&self->agent, agent);
  if (tagged)
    self->tagged = gst_object_ref (tagged);
  else
    gst_ice_stream_unbundle (self);
  return self;
}

void
gst_ice_stream_unbundle (GstIceStream *self)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  g_autoptr (GstIceStream) tagged = NULL;
  guint id;

  if (!agent)
    return;
  id = gst_ice_pump_add_stream (agent->pump, agent->branch);
  GST_OBJECT_LOCK (self);
  tagged = g_steal_pointer (&self->tagged);
  self->id = id;
  GST_OBJECT_UNLOCK (self);
  gst_ice_stream_ensure_component (self, 1);
}

GstIceAgent *
gst_ice_stream_ref_agent (GstIceStream *self)
{
  return g_weak_ref_get (&self->agent);
}

GstIceStream *
gst_ice_stream_ref_tagged (GstIceStream *self)
{
  GstIceStream *tagged;

  GST_OBJECT_LOCK (self);
  tagged = gst_object_ref (self->tagged ? self->tagged : self);
  GST_OBJECT_UNLOCK (self);
  return tagged;
}

guint
gst_ice_stream_get_id (GstIceStream *self)
{
  g_autoptr (GstIceStream) tagged = gst_ice_stream_ref_tagged (self);
  guint id;

  GST_OBJECT_LOCK (tagged);
  id = tagged->id;
  GST_OBJECT_UNLOCK (tagged);
  return id;
}

void
gst_ice_stream_detach (GstIceStream *self)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  guint id;

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->components->len; i++) {
    const GstIceComponent *component = self->components->pdata[i];
    g_array_append_val (numbers, component->number);
  }
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < numbers->len; i++)
    gst_ice_stream_drop_component (self, g_array_index (numbers, guint, i));

  GST_OBJECT_LOCK (self);
  id = self->id;
  self->id = 0;
  GST_OBJECT_UNLOCK (self);
  if (agent && id != 0)
    gst_ice_pump_remove_stream (agent->pump, id);
  gst_ice_stream_finish_gather_tasks (self);
}

void
gst_ice_stream_apply_dscp (GstIceStream *self, gint agent_dscp)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint));
  gint dscp;

  GST_OBJECT_LOCK (self);
  dscp = self->dscp >= 0 ? self->dscp : agent_dscp;
  for (guint i = 0; i < self->components->len; i++) {
    const GstIceComponent *component = self->components->pdata[i];
    g_array_append_val (ids, component->id);
  }
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; agent && i < ids->len; i++)
    gst_ice_pump_set_dscp (agent->pump, g_array_index (ids, guint, i), dscp);
}

/**
 * gst_ice_stream_get_transport:
 * @self: a stream
 * @component: 1 for RTP, or everything with rtcp-mux; 2 for RTCP
 *
 * The transport of one component, made when it is not there yet. Asking for
 * component 2 before the offer or answer means no rtcp-mux (RFC 5761): RTCP
 * gets candidates of its own.
 * A component that comes after the end of candidates takes part from the next
 * restart on.
 *
 * Returns: (transfer full): the transport; when the agent is gone, one that is
 *   closed
 */
GstIceTransport *
gst_ice_stream_get_transport (GstIceStream *self, guint component)
{
  g_autoptr (GstIceStream) tagged = NULL;

  g_return_val_if_fail (GST_IS_ICE_STREAM (self), NULL);
  g_return_val_if_fail (component >= 1 && component <= MAX_COMPONENT, NULL);

  tagged = gst_ice_stream_ref_tagged (self);
  return ensure_transport (tagged, component);
}

/**
 * gst_ice_stream_set_selected_pair:
 * @self: a stream
 * @component: a component
 * @local: one of its local candidates
 * @remote: one of its remote candidates
 * @error: return location for an error
 *
 * Has media of @component use this pair; checks of other pairs stop.
 *
 * Errors: %GST_ICE_ERROR_CLOSED, %GST_ICE_ERROR_NOT_FOUND when there is no such
 * pair.
 *
 * Returns: %TRUE when the pair is used from now on
 */
gboolean
gst_ice_stream_set_selected_pair (GstIceStream *self, guint component,
    const GstIceCandidate *local, const GstIceCandidate *remote, GError **error)
{
  g_autoptr (GstIceStream) tagged = NULL;
  g_autoptr (GstIceAgent) agent = NULL;
  guint id = 0;
  IceVerdict verdict;

  g_return_val_if_fail (GST_IS_ICE_STREAM (self), FALSE);
  g_return_val_if_fail (local != NULL && remote != NULL, FALSE);

  agent = gst_ice_stream_ref_agent (self);
  if (!gst_ice_agent_check_open (agent, error))
    return FALSE;
  tagged = gst_ice_stream_ref_tagged (self);
  GST_OBJECT_LOCK (tagged);
  for (guint i = 0; i < tagged->components->len; i++) {
    const GstIceComponent *it = tagged->components->pdata[i];
    if (it->number == component)
      id = it->id;
  }
  GST_OBJECT_UNLOCK (tagged);

  verdict = ice_core_set_selected_pair (gst_ice_pump_lock (agent->pump), id,
      &gst_ice_candidate_peek_core (local)->address,
      &gst_ice_candidate_peek_core (remote)->address, ice_loop_now ());
  gst_ice_pump_unlock (agent->pump);
  if (verdict == ICE_VERDICT_OK)
    return TRUE;
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_FOUND,
      "Component %u of stream “%s” has no such pair of candidates (%s)",
      component, self->mid, ice_verdict_to_string (verdict));
  return FALSE;
}

/* Caps */

/**
 * gst_ice_stream_set_caps:
 * @self: a stream
 * @send: (nullable): what will be sent, `application/x-rtp` as payloaders write
 *   it; %NULL when nothing is
 * @receive: (nullable): what is understood, ANY for whatever comes; %NULL when
 *   nothing is to be received
 *
 * What the next offer or answer says of the media. With both %NULL, the
 * default, packets go both ways and are nobody's business:
 * `application/x-gst-ice`.
 */
void
gst_ice_stream_set_caps (
    GstIceStream *self, const GstCaps *send, const GstCaps *receive)
{
  g_return_if_fail (GST_IS_ICE_STREAM (self));
  g_return_if_fail (send == NULL || GST_IS_CAPS (send));
  g_return_if_fail (receive == NULL || GST_IS_CAPS (receive));

  GST_OBJECT_LOCK (self);
  gst_caps_replace (&self->send_caps, (GstCaps *) send);
  gst_caps_replace (&self->receive_caps, (GstCaps *) receive);
  GST_OBJECT_UNLOCK (self);
}

static GstCaps *
dup_caps (GstIceStream *self, GstCaps **where)
{
  GstCaps *caps;

  GST_OBJECT_LOCK (self);
  caps = *where ? gst_caps_ref (*where) : NULL;
  GST_OBJECT_UNLOCK (self);
  return caps;
}

static void
replace_caps (
    GstIceStream *self, GstCaps **where, GstCaps *caps, const gchar *name)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = !caps != !*where || (caps && !gst_caps_is_equal (caps, *where));
  gst_caps_replace (where, caps);
  GST_OBJECT_UNLOCK (self);
  if (changed && agent)
    gst_ice_agent_queue_notify (agent, G_OBJECT (self), name);
}

/**
 * gst_ice_stream_get_remote_caps:
 * @self: a stream
 *
 * Returns: (transfer full) (nullable): what the peer will send, from its
 *   description: `application/x-rtp`, or `application/x-gst-ice` for what is
 * not RTP; %NULL before, and when it will send nothing
 */
GstCaps *
gst_ice_stream_get_remote_caps (GstIceStream *self)
{
  g_return_val_if_fail (GST_IS_ICE_STREAM (self), NULL);

  return dup_caps (self, &self->remote_caps);
}

/**
 * gst_ice_stream_get_local_caps:
 * @self: a stream
 *
 * Returns: (transfer full) (nullable): what we told the peer that we send, the
 *   payload type included; %NULL before, and when we send nothing
 */
GstCaps *
gst_ice_stream_get_local_caps (GstIceStream *self)
{
  g_return_val_if_fail (GST_IS_ICE_STREAM (self), NULL);

  return dup_caps (self, &self->local_caps);
}

void
gst_ice_stream_set_local_caps (GstIceStream *self, GstCaps *caps)
{
  replace_caps (self, &self->local_caps, caps, "local-caps");
}

void
gst_ice_stream_set_remote_caps (GstIceStream *self, GstCaps *caps)
{
  replace_caps (self, &self->remote_caps, caps, "remote-caps");
}

void
gst_ice_stream_set_mline_index (GstIceStream *self, guint mline_index)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->mline_index != mline_index;
  self->mline_index = mline_index;
  GST_OBJECT_UNLOCK (self);
  if (changed && agent)
    gst_ice_agent_queue_notify (agent, G_OBJECT (self), "mline-index");
}

/* The object */

static void
gst_ice_stream_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceStream *self = GST_ICE_STREAM (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MLINE_INDEX:
      g_value_set_uint (value, self->mline_index);
      break;
    case PROP_DSCP:
      g_value_set_int (value, self->dscp);
      break;
    case PROP_LOCAL_CAPS:
      gst_value_set_caps (value, self->local_caps);
      break;
    case PROP_REMOTE_CAPS:
      gst_value_set_caps (value, self->remote_caps);
      break;
    case PROP_FINGERPRINT:
      g_value_set_string (value, self->fingerprint);
      break;
    case PROP_REMOTE_FINGERPRINT:
      g_value_set_string (value, self->remote_fingerprint);
      break;
    case PROP_DTLS_CLIENT:
      g_value_set_boolean (value, self->dtls_client);
      break;
    case PROP_DIRECTION:
      g_value_set_enum (value, self->direction);
      break;
    case PROP_CURRENT_DIRECTION:
      g_value_set_enum (value, self->current);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_ice_stream_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceStream *self = GST_ICE_STREAM (object);
  g_autoptr (GstIceAgent) agent = NULL;

  switch (id) {
    case PROP_DSCP:
      GST_OBJECT_LOCK (self);
      self->dscp = g_value_get_int (value);
      GST_OBJECT_UNLOCK (self);
      agent = gst_ice_stream_ref_agent (self);
      if (agent)
        gst_ice_stream_apply_dscp (self, gst_ice_agent_get_dscp (agent));
      break;
    case PROP_FINGERPRINT:
      gst_ice_stream_set_fingerprint (self, g_value_get_string (value));
      break;
    case PROP_DIRECTION:
      gst_ice_stream_set_direction (self, g_value_get_enum (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
gst_ice_stream_finalize (GObject *object)
{
  GstIceStream *self = GST_ICE_STREAM (object);

  g_weak_ref_clear (&self->agent);
  g_mutex_clear (&self->setup);
  g_ptr_array_unref (self->components);
  gst_clear_object (&self->tagged);
  gst_clear_caps (&self->send_caps);
  gst_clear_caps (&self->receive_caps);
  gst_clear_caps (&self->local_caps);
  gst_clear_caps (&self->remote_caps);
  g_free (self->mid);
  g_free (self->fingerprint);
  g_free (self->remote_fingerprint);
  g_free (self->peer_ufrag);
  ice_secret_free (self->peer_pwd);
  g_free (self->next_ufrag);
  ice_secret_free (self->next_pwd);
  G_OBJECT_CLASS (gst_ice_stream_parent_class)->finalize (object);
}

static void
gst_ice_stream_class_init (GstIceStreamClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  gst_ice_log_init ();
  object_class->get_property = gst_ice_stream_get_property;
  object_class->set_property = gst_ice_stream_set_property;
  object_class->finalize = gst_ice_stream_finalize;

  /**
   * GstIceStream:mline-index:
   *
   * The position of its m-line in the session description.
   */
  properties[PROP_MLINE_INDEX] = g_param_spec_uint ("mline-index",
      "M-line index", "Position in the session description", 0, G_MAXUINT, 0,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * GstIceStream:dscp:
   *
   * The differentiated services code point (RFC 2474) of its packets, checks
   * included (RFC 8445 7.2.3); -1 for what #GstIceAgent:dscp says.
   */
  properties[PROP_DSCP] = g_param_spec_int ("dscp", "DSCP",
      "Differentiated services code point, -1 for that of the agent", -1,
      MAX_DSCP, -1, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  /**
   * GstIceStream:local-caps:
   *
   * What we told the peer that we send, the payload type included.
   */
  properties[PROP_LOCAL_CAPS] = g_param_spec_boxed ("local-caps", "Local caps",
      "What the peer was told that we send", GST_TYPE_CAPS,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * GstIceStream:remote-caps:
   *
   * What the peer will send, from its description.
   */
  properties[PROP_REMOTE_CAPS] = g_param_spec_boxed ("remote-caps",
      "Remote caps", "What the peer will send", GST_TYPE_CAPS,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * GstIceStream:fingerprint:
   *
   * That of the certificate with which this side does DTLS (RFC 8122 5), as
   * "sha-256 4A:AD:..."; set, it makes DTLS-SRTP of the m-line (RFC 5763).
   */
  properties[PROP_FINGERPRINT] = g_param_spec_string ("fingerprint",
      "Fingerprint", "Of our certificate, as in a=fingerprint", NULL,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  /**
   * GstIceStream:remote-fingerprint:
   *
   * What the certificate of the peer must have (RFC 5763 5): whoever does the
   * handshake compares.
   */
  properties[PROP_REMOTE_FINGERPRINT] =
      g_param_spec_string ("remote-fingerprint", "Remote fingerprint",
          "Of the peer's certificate, as in a=fingerprint", NULL,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * GstIceStream:dtls-client:
   *
   * Whether this side begins the handshake (RFC 5763 5, RFC 4145 4.1), as it
   * was negotiated.
   */
  properties[PROP_DTLS_CLIENT] = g_param_spec_boolean ("dtls-client",
      "DTLS client", "Whether this side begins the DTLS handshake", FALSE,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
  gst_ice_stream_install_direction (object_class, PROP_DIRECTION);
}

static void
gst_ice_stream_init (GstIceStream *self)
{
  g_weak_ref_init (&self->agent, NULL);
  g_mutex_init (&self->setup);
  self->dscp = -1;
  self->direction = self->offered = self->current = GST_ICE_DIRECTION_SENDRECV;
  self->components =
      g_ptr_array_new_with_free_func ((GDestroyNotify) component_free);
}
