/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeagent-private.h"

#include "gsticecandidate-private.h"
#include "gsticeerror.h"
#include "gsticelog-private.h"
#include "gsticestream-private.h"
#include "io/loop.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* The server wants (other) credentials: RFC 8489 14.8, RFC 8656 19, and RFC
 * 3489 11.2.9, stale, with the wrong integrity, without a user. */
static const guint credential_errors[] = { 401, 430, 431, 432, 441 };

/* What the core decided becomes properties and signals here, in the
 * notification thread: a handler finds the values of the event it is told. */

#define EMIT(self, signal, ...)                                                \
  g_signal_emit (                                                              \
      (self), gst_ice_agent_signals[GST_ICE_AGENT_##signal], 0, __VA_ARGS__)

/* Errors */

static GstIceError
error_of_cause (IceCause cause)
{
  switch (cause) {
    case ICE_CAUSE_NO_LOCAL_CANDIDATES:
      return GST_ICE_ERROR_NO_LOCAL_CANDIDATES;
    case ICE_CAUSE_NO_REMOTE_CANDIDATES:
      return GST_ICE_ERROR_NO_REMOTE_CANDIDATES;
    case ICE_CAUSE_ALL_CHECKS_FAILED:
      return GST_ICE_ERROR_ALL_CHECKS_FAILED;
    case ICE_CAUSE_TURN_AUTH:
      return GST_ICE_ERROR_TURN_AUTH;
    case ICE_CAUSE_TLS_UNTRUSTED:
      return GST_ICE_ERROR_TLS_UNTRUSTED;
    case ICE_CAUSE_CONSENT_EXPIRED:
      return GST_ICE_ERROR_CONSENT_EXPIRED;
    case ICE_CAUSE_RESOURCE:
      return GST_ICE_ERROR_RESOURCE;
    case ICE_CAUSE_NONE:
      break;
  }
  return GST_ICE_ERROR_FAILED;
}

static void
emit_error (GstIceAgent *self, gpointer error)
{
  GST_WARNING_OBJECT (self, "%s", ((const GError *) error)->message);
  EMIT (self, ERROR, error);
}

void
gst_ice_agent_queue_error (GstIceAgent *self, const GError *error)
{
  gst_ice_notify_push (self->notify, emit_error, g_error_copy (error),
      (GDestroyNotify) g_error_free);
}

/* Properties */

typedef struct
{
  GObject *object; /* (owned) */
  gchar *property; /* (owned) */
} PropertyChange;

static void
property_change_free (gpointer data)
{
  PropertyChange *change = data;

  g_object_unref (change->object);
  g_free (change->property);
  g_free (change);
}

static gboolean
notify_property (gpointer data)
{
  const PropertyChange *change = data;

  g_object_notify (change->object, change->property);
  return G_SOURCE_REMOVE;
}

static void
notify_own_property (GstIceAgent *self, gpointer property)
{
  g_object_notify (G_OBJECT (self), property);
}

/* The queue holds the agent weakly, so the agent itself is not kept by what
 * waits there. */
void
gst_ice_agent_queue_notify (
    GstIceAgent *self, GObject *object, const gchar *property)
{
  PropertyChange *change;

  if (object == G_OBJECT (self)) {
    gst_ice_notify_push (
        self->notify, notify_own_property, g_strdup (property), g_free);
    return;
  }
  change = g_new (PropertyChange, 1);
  change->object = g_object_ref (object);
  change->property = g_strdup (property);
  gst_ice_agent_dispatch (self, notify_property, change, property_change_free);
}

/* W3C webrtc-pc 5.6.4 "RTCIceConnectionState". */
static GstIceState
sum_up_states (const guint *n_in_state, guint n)
{
  if (n_in_state[GST_ICE_STATE_FAILED] > 0)
    return GST_ICE_STATE_FAILED;
  if (n_in_state[GST_ICE_STATE_DISCONNECTED] > 0)
    return GST_ICE_STATE_DISCONNECTED;
  if (n_in_state[GST_ICE_STATE_NEW] + n_in_state[GST_ICE_STATE_CLOSED] == n)
    return GST_ICE_STATE_NEW;
  if (n_in_state[GST_ICE_STATE_NEW] + n_in_state[GST_ICE_STATE_CHECKING] > 0)
    return GST_ICE_STATE_CHECKING;
  if (n_in_state[GST_ICE_STATE_COMPLETED] + n_in_state[GST_ICE_STATE_CLOSED] ==
      n)
    return GST_ICE_STATE_COMPLETED;
  return GST_ICE_STATE_CONNECTED;
}

static GstIceGatheringState
sum_up_gathering (const guint *n_in_state, guint n)
{
  if (n_in_state[GST_ICE_GATHERING_STATE_GATHERING] > 0)
    return GST_ICE_GATHERING_STATE_GATHERING;
  if (n > 0 && n_in_state[GST_ICE_GATHERING_STATE_COMPLETE] == n)
    return GST_ICE_GATHERING_STATE_COMPLETE;
  return GST_ICE_GATHERING_STATE_NEW;
}

void
gst_ice_agent_update_states (GstIceAgent *self)
{
  g_autoptr (GPtrArray) streams = gst_ice_agent_get_streams (self);
  guint n_in_state[GST_ICE_STATE_CLOSED + 1] = { 0 }, n_components = 0;
  guint n_gathering[GST_ICE_GATHERING_STATE_COMPLETE + 1] = { 0 }, n = 0;
  gboolean state_changed, gathering_changed;
  GstIceGatheringState gathering;
  GstIceState state;

  for (guint i = 0; i < streams->len; i++) {
    GstIceStream *stream = streams->pdata[i];

    GST_OBJECT_LOCK (stream);
    for (guint j = 0; j < stream->components->len; j++, n_components++) {
      const GstIceComponent *component = stream->components->pdata[j];
      n_in_state[component->state]++;
    }
    if (stream->id != 0) {
      n_gathering[stream->gathering]++;
      n++;
    }
    GST_OBJECT_UNLOCK (stream);
  }
  state = sum_up_states (n_in_state, n_components);
  gathering = sum_up_gathering (n_gathering, n);

  GST_OBJECT_LOCK (self);
  if (self->closed) {
    state = GST_ICE_STATE_CLOSED;
    gathering = self->gathering_state;
  }
  state_changed = self->state != state;
  gathering_changed = self->gathering_state != gathering;
  self->state = state;
  self->gathering_state = gathering;
  GST_OBJECT_UNLOCK (self);

  if (gathering_changed)
    g_object_notify (G_OBJECT (self), "gathering-state");
  if (state_changed) {
    GST_INFO_OBJECT (self, "%s", ice_state_to_string ((IceState) state));
    g_object_notify (G_OBJECT (self), "state");
  }
}

static void
run_update_states (GstIceAgent *self, gpointer unused)
{
  gst_ice_agent_update_states (self);
}

void
gst_ice_agent_queue_update_states (GstIceAgent *self)
{
  gst_ice_notify_push (self->notify, run_update_states, NULL, NULL);
}

/* The description that a session has sent */

typedef struct
{
  gchar *type, *sdp; /* (owned) */
} LocalDescription;

static void
local_description_free (gpointer data)
{
  LocalDescription *description = data;

  g_free (description->type);
  g_free (description->sdp);
  g_free (description);
}

static void
emit_local_description (GstIceAgent *self, gpointer data)
{
  const LocalDescription *description = data;

  EMIT (self, LOCAL_DESCRIPTION, description->type, description->sdp);
}

void
gst_ice_agent_emit_local_description (
    GstIceAgent *self, const gchar *type, const gchar *sdp)
{
  LocalDescription *description = g_new (LocalDescription, 1);

  description->type = g_strdup (type);
  description->sdp = g_strdup (sdp);
  gst_ice_notify_push (self->notify, emit_local_description, description,
      local_description_free);
}

/* Outputs of the core, one function each */

static void
handle_candidate (GstIceAgent *self, const IceOutput *output)
{
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_find_core_stream (self, output->candidate.stream);
  g_autoptr (GstIceCandidate) candidate =
      gst_ice_candidate_new_from_core (output->candidate.candidate);

  if (!stream)
    return;
  if (output->type == ICE_OUTPUT_LOCAL_CANDIDATE)
    EMIT (self, NEW_CANDIDATE, stream, candidate);
  else
    EMIT (self, NEW_REMOTE_CANDIDATE, stream, candidate);
}

static void
handle_gathered (GstIceAgent *self, const IceOutput *output)
{
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_find_core_stream (self, output->stream.stream);

  if (!stream)
    return;
  GST_OBJECT_LOCK (stream);
  stream->gathering = GST_ICE_GATHERING_STATE_COMPLETE;
  stream->gathered_at = ice_loop_now ();
  GST_OBJECT_UNLOCK (stream);
  gst_ice_agent_update_states (self);
  gst_ice_stream_finish_gather_tasks (stream);
  EMIT (self, GATHERING_DONE, stream);
}

static void
handle_end_of_candidates (GstIceAgent *self, const IceOutput *output)
{
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_find_core_stream (self, output->stream.stream);

  if (!stream)
    return;
  GST_OBJECT_LOCK (stream);
  stream->ended = TRUE;
  GST_OBJECT_UNLOCK (stream);
  EMIT (self, END_OF_CANDIDATES, stream);
}

static void
handle_first_check (GstIceAgent *self, const IceOutput *output)
{
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_find_core_stream (self, output->stream.stream);

  if (stream)
    EMIT (self, FIRST_CHECK, stream);
}

/* (transfer full) (nullable) the transport, what is not NULL being noted. */
static GstIceTransport *
update_component (GstIceStream *stream, guint number, const GstIceState *state,
    GstIceCandidate *local, GstIceCandidate *remote)
{
  GstIceTransport *transport = NULL;

  GST_OBJECT_LOCK (stream);
  for (guint i = 0; i < stream->components->len && !transport; i++) {
    GstIceComponent *component = stream->components->pdata[i];

    if (component->number != number)
      continue;
    transport = gst_object_ref (component->transport);
    if (state)
      component->state = *state;
    if (local) {
      g_clear_pointer (&component->local, gst_ice_candidate_unref);
      g_clear_pointer (&component->remote, gst_ice_candidate_unref);
      component->local = gst_ice_candidate_ref (local);
      component->remote = gst_ice_candidate_ref (remote);
    }
  }
  GST_OBJECT_UNLOCK (stream);
  return transport;
}

static void
handle_pair_selected (GstIceAgent *self, const IceOutput *output)
{
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_find_core_stream (self, output->pair_selected.stream);
  g_autoptr (GstIceCandidate) local =
      gst_ice_candidate_new_from_core (output->pair_selected.local);
  g_autoptr (GstIceCandidate) remote =
      gst_ice_candidate_new_from_core (output->pair_selected.remote);
  g_autoptr (GstIceTransport) transport = NULL;
  const guint component = output->pair_selected.component;

  if (stream)
    transport = update_component (stream, component, NULL, local, remote);
  if (!transport)
    return;
  gst_ice_transport_set_pair (transport, local, remote);
  EMIT (self, SELECTED_PAIR, stream, component, local, remote);
}

static void
handle_state (GstIceAgent *self, const IceOutput *output)
{
  const GstIceState state = (GstIceState) output->state.state;
  guint component;
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_find_transport (self, output->state.transport, &component);
  g_autoptr (GstIceTransport) transport = NULL;

  if (stream)
    transport = update_component (stream, component, &state, NULL, NULL);
  if (!transport)
    return;
  GST_INFO_OBJECT (self, "stream “%s” component %u: %s (%s)", stream->mid,
      component, ice_state_to_string (output->state.state),
      ice_cause_to_string (output->state.cause));
  gst_ice_transport_notify_state (transport, state);
  gst_ice_agent_update_states (self);
}

static void
handle_role (GstIceAgent *self, const IceOutput *output)
{
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->settings.controlling != output->role.controlling;
  self->settings.controlling = output->role.controlling;
  GST_OBJECT_UNLOCK (self);
  if (changed)
    g_object_notify (G_OBJECT (self), "controlling");
}

/* The link knows already; here it is told. */
static void
handle_path_mtu (GstIceAgent *self, const IceOutput *output)
{
  guint component;
  g_autoptr (GstIceStream) stream = gst_ice_agent_find_transport (
      self, output->path_mtu.transport, &component);
  g_autoptr (GstIceTransport) transport =
      stream ? gst_ice_stream_get_transport (stream, component) : NULL;

  if (transport)
    gst_ice_transport_notify_max_payload (transport);
}

static void
handle_consent_lost (GstIceAgent *self, const IceOutput *output)
{
  guint component;
  g_autoptr (GstIceStream) stream = gst_ice_agent_find_transport (
      self, output->consent_lost.transport, &component);

  if (stream)
    EMIT (self, CONSENT_LOST, stream, component);
}

static GQuark
detail_of (IceCause cause)
{
  return cause == ICE_CAUSE_NONE
      ? 0
      : g_quark_from_static_string (ice_cause_to_string (cause));
}

static void
handle_restart_needed (GstIceAgent *self, const IceOutput *output)
{
  const gchar *reason = ice_restart_reason_to_string (output->restart.reason);
  g_autoptr (GstIceStream) stream =
      gst_ice_agent_find_core_stream (self, output->restart.stream);

  if (stream)
    EMIT (self, RESTART_NEEDED, stream, reason);
}

static void
handle_server_error (GstIceAgent *self, const IceOutput *output)
{
  g_autofree gchar *url =
      gst_ice_agent_dup_server_url (self, output->server.server);

  if (!url)
    return;
  g_signal_emit (self, gst_ice_agent_signals[GST_ICE_AGENT_CANDIDATE_ERROR],
      detail_of (output->server.cause), url, output->server.code,
      output->server.text);
  for (guint i = 0; i < G_N_ELEMENTS (credential_errors); i++) {
    if (output->server.code == credential_errors[i])
      EMIT (self, CREDENTIALS_NEEDED, url);
  }
}

static void
handle_credentials_needed (GstIceAgent *self, const IceOutput *output)
{
  g_autofree gchar *url =
      gst_ice_agent_dup_server_url (self, output->server.server);

  if (url)
    EMIT (self, CREDENTIALS_NEEDED, url);
}

static void
handle_error (GstIceAgent *self, const IceOutput *output)
{
  g_autoptr (GError) error = g_error_new_literal (
      GST_ICE_ERROR, error_of_cause (output->error.cause), output->error.text);

  if (output->error.fatal) {
    emit_error (self, error);
    return;
  }
  GST_WARNING_OBJECT (self, "%s", error->message);
  EMIT (self, WARNING, error);
}

void
gst_ice_agent_handle_output (GstIceAgent *self, gpointer data)
{
  const IceOutput *output = data;

  switch (output->type) {
    case ICE_OUTPUT_LOCAL_CANDIDATE:
    case ICE_OUTPUT_REMOTE_CANDIDATE:
      handle_candidate (self, output);
      break;
    case ICE_OUTPUT_GATHERED:
      handle_gathered (self, output);
      break;
    case ICE_OUTPUT_END_OF_CANDIDATES:
      handle_end_of_candidates (self, output);
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      handle_pair_selected (self, output);
      break;
    case ICE_OUTPUT_STATE:
      handle_state (self, output);
      break;
    case ICE_OUTPUT_ROLE:
      handle_role (self, output);
      break;
    case ICE_OUTPUT_FIRST_CHECK:
      handle_first_check (self, output);
      break;
    case ICE_OUTPUT_PATH_MTU:
      handle_path_mtu (self, output);
      break;
    case ICE_OUTPUT_CONSENT_LOST:
      handle_consent_lost (self, output);
      break;
    case ICE_OUTPUT_RESTART_NEEDED:
      handle_restart_needed (self, output);
      break;
    case ICE_OUTPUT_SERVER_ERROR:
      handle_server_error (self, output);
      break;
    case ICE_OUTPUT_CREDENTIALS_NEEDED:
      handle_credentials_needed (self, output);
      break;
    case ICE_OUTPUT_ERROR:
      handle_error (self, output);
      break;
    default:
      break;
  }
}
