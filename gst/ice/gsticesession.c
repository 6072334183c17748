/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticesession-private.h"

#include <string.h>

#include <gst/ice/gsticeenumtypes.h>

GST_DEBUG_CATEGORY (gst_ice_session_debug);
#define GST_CAT_DEFAULT gst_ice_session_debug

/**
 * GstIceSession:
 *
 * Joins a #GstIceAgent and a #GstIceSignaller: meets the peer, offers or
 * answers, trickles candidates, restarts and ends.
 */

enum
{
  PROP_0,
  PROP_AGENT,
  PROP_SIGNALLER,
  PROP_STATE,
  PROP_AUTO_RESTART,
  PROP_AUTO_ACCEPT,
  PROP_HOLDING,
  PROP_HELD,
  PROP_REASON,
  N_PROPERTIES
};
static GParamSpec *properties[N_PROPERTIES];

enum
{
  SIGNAL_BYE,
  SIGNAL_ERROR,
  SIGNAL_NEGOTIATED,
  SIGNAL_RESTARTING,
  SIGNAL_INCOMING,
  SIGNAL_REJECTED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

G_DEFINE_TYPE_WITH_CODE (GstIceSession, gst_ice_session, GST_TYPE_OBJECT,
    GST_DEBUG_CATEGORY_INIT (
        gst_ice_session_debug, "ice-signal", 0, "ICE signalling"))

void
gst_ice_session_set_state (GstIceSession *self, GstIceSessionState state)
{
  /* Handlers of what was told on the way here may have said bye. */
  if (gst_ice_session_has_ended (self) ||
      g_atomic_int_get (&self->state) == (gint) state)
    return;
  g_atomic_int_set (&self->state, state);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

void
gst_ice_session_set_reason (GstIceSession *self, const gchar *reason)
{
  g_autofree gchar *clean = gst_ice_signaller_clean_text (reason);

  GST_OBJECT_LOCK (self);
  g_free (self->reason);
  self->reason = g_steal_pointer (&clean);
  GST_OBJECT_UNLOCK (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_REASON]);
}

static void
set_flag (GstIceSession *self, gint *flag, gboolean value, guint property)
{
  if (g_atomic_int_get (flag) == value)
    return;
  g_atomic_int_set (flag, value);
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

void
gst_ice_session_set_holding (GstIceSession *self, gboolean holding)
{
  set_flag (self, &self->holding, holding, PROP_HOLDING);
}

void
gst_ice_session_set_held (GstIceSession *self, gboolean held)
{
  set_flag (self, &self->held, held, PROP_HELD);
}

gboolean
gst_ice_session_has_ended (GstIceSession *self)
{
  return g_atomic_int_get (&self->state) == GST_ICE_SESSION_STATE_ENDED;
}

void
gst_ice_session_emit_error (GstIceSession *self, const GError *error)
{
  GST_WARNING_OBJECT (self, "%s", error->message);
  g_signal_emit (self, signals[SIGNAL_ERROR], 0, error);
}

void
gst_ice_session_emit_negotiated (GstIceSession *self)
{
  g_signal_emit (self, signals[SIGNAL_NEGOTIATED], 0);
}

void
gst_ice_session_emit_bye (GstIceSession *self, const gchar *reason)
{
  g_signal_emit (self, signals[SIGNAL_BYE], 0, reason);
}

void
gst_ice_session_emit_restarting (GstIceSession *self, const gchar *reason)
{
  g_signal_emit (self, signals[SIGNAL_RESTARTING], 0, reason);
}

void
gst_ice_session_emit_incoming (
    GstIceSession *self, const gchar *sdp, gboolean first)
{
  g_signal_emit (self, signals[SIGNAL_INCOMING], 0, sdp, first);
}

void
gst_ice_session_emit_rejected (
    GstIceSession *self, const gchar *reason, const gchar *text)
{
  g_signal_emit (self, signals[SIGNAL_REJECTED], 0, reason, text);
}

static void
clear_handle (gpointer handle)
{
  g_weak_ref_clear (handle);
}

void
gst_ice_session_release_handle (gpointer handle)
{
  g_atomic_rc_box_release_full (handle, clear_handle);
}

/**
 * gst_ice_session_new:
 * @agent: an agent
 * @signaller: a signaller that was not started
 *
 * Returns: (transfer full): a session
 */
GstIceSession *
gst_ice_session_new (GstIceAgent *agent, GstIceSignaller *signaller)
{
  g_return_val_if_fail (GST_IS_ICE_AGENT (agent), NULL);
  g_return_val_if_fail (GST_IS_ICE_SIGNALLER (signaller), NULL);

  return g_object_ref_sink (g_object_new (
      GST_TYPE_ICE_SESSION, "agent", agent, "signaller", signaller, NULL));
}

static void
gst_ice_session_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceSession *self = GST_ICE_SESSION (object);

  switch (id) {
    case PROP_AGENT:
      g_value_set_object (value, self->agent);
      break;
    case PROP_SIGNALLER:
      g_value_set_object (value, self->signaller);
      break;
    case PROP_STATE:
      g_value_set_enum (value, g_atomic_int_get (&self->state));
      break;
    case PROP_AUTO_RESTART:
      g_value_set_boolean (value, g_atomic_int_get (&self->auto_restart));
      break;
    case PROP_AUTO_ACCEPT:
      g_value_set_boolean (value, g_atomic_int_get (&self->auto_accept));
      break;
    case PROP_HOLDING:
      g_value_set_boolean (value, g_atomic_int_get (&self->holding));
      break;
    case PROP_HELD:
      g_value_set_boolean (value, g_atomic_int_get (&self->held));
      break;
    case PROP_REASON:
      GST_OBJECT_LOCK (self);
      g_value_set_string (value, self->reason);
      GST_OBJECT_UNLOCK (self);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_ice_session_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceSession *self = GST_ICE_SESSION (object);

  switch (id) {
    case PROP_AGENT:
      self->agent = g_value_dup_object (value);
      break;
    case PROP_SIGNALLER:
      self->signaller = g_value_dup_object (value);
      break;
    case PROP_AUTO_RESTART:
      g_atomic_int_set (&self->auto_restart, g_value_get_boolean (value));
      break;
    case PROP_AUTO_ACCEPT:
      g_atomic_int_set (&self->auto_accept, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_ice_session_constructed (GObject *object)
{
  GstIceSession *self = GST_ICE_SESSION (object);
  GstIceState state;

  G_OBJECT_CLASS (gst_ice_session_parent_class)->constructed (object);

  g_object_get (self->agent, "state", &state, NULL);
  self->used = state != GST_ICE_STATE_NEW;

  gst_ice_session_connect (self);
}

static void
gst_ice_session_dispose (GObject *object)
{
  GstIceSession *self = GST_ICE_SESSION (object);

  if (!gst_ice_session_has_ended (self)) {
    gst_ice_session_disconnect (self);
    gst_ice_signaller_stop (self->signaller);
  }
  gst_ice_session_clear (self);

  G_OBJECT_CLASS (gst_ice_session_parent_class)->dispose (object);
}

static void
gst_ice_session_finalize (GObject *object)
{
  GstIceSession *self = GST_ICE_SESSION (object);

  gst_ice_session_release_handle (self->handle);
  g_clear_object (&self->signaller);
  g_clear_object (&self->agent);
  g_free (self->reason);

  G_OBJECT_CLASS (gst_ice_session_parent_class)->finalize (object);
}

static void
gst_ice_session_init (GstIceSession *self)
{
  g_queue_init (&self->pending);
  self->auto_restart = self->auto_accept = TRUE;
  self->handle = g_atomic_rc_box_new0 (GWeakRef);
  g_weak_ref_init (self->handle, self);
}

static void
gst_ice_session_class_init (GstIceSessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = gst_ice_session_get_property;
  object_class->set_property = gst_ice_session_set_property;
  object_class->constructed = gst_ice_session_constructed;
  object_class->dispose = gst_ice_session_dispose;
  object_class->finalize = gst_ice_session_finalize;

  properties[PROP_AGENT] = g_param_spec_object ("agent", "Agent",
      "Whose session it is", GST_TYPE_ICE_AGENT,
      G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  properties[PROP_SIGNALLER] = g_param_spec_object ("signaller", "Signaller",
      "How descriptions and candidates travel", GST_TYPE_ICE_SIGNALLER,
      G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  properties[PROP_STATE] =
      g_param_spec_enum ("state", "State", "How far the session is",
          GST_TYPE_ICE_SESSION_STATE, GST_ICE_SESSION_STATE_NEW,
          G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * GstIceSession:auto-restart:
   *
   * Whether #GstIceAgent::restart-needed is answered by an ICE restart through
   * the signaller: in mid-call the network changed, and only that brings the
   * media back (RFC 8445 9). #GstIceSession::restarting says so.
   */
  properties[PROP_AUTO_RESTART] = g_param_spec_boolean ("auto-restart",
      "Auto restart", "Restart ICE when the network has changed", TRUE,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  /**
   * GstIceSession:auto-accept:
   *
   * Whether a peer's first offer is answered without asking. When it is not,
   * it waits for gst_ice_session_accept() or gst_ice_session_reject(), as a
   * telephone rings. Set it before gst_ice_session_start().
   */
  properties[PROP_AUTO_ACCEPT] =
      g_param_spec_boolean ("auto-accept", "Auto accept",
          "Answer the first offer of a peer without asking the application",
          TRUE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  /**
   * GstIceSession:holding:
   *
   * Whether gst_ice_session_hold() is in force: the peer was asked to stop
   * sending.
   */
  properties[PROP_HOLDING] = g_param_spec_boolean ("holding", "Holding",
      "Whether the peer was asked to stop sending", FALSE,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * GstIceSession:held:
   *
   * Whether the peer put us on hold: it takes no media on any stream of which
   * it took some before.
   */
  properties[PROP_HELD] = g_param_spec_boolean ("held", "Held",
      "Whether the peer asked us to stop sending", FALSE,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * GstIceSession:reason:
   *
   * Why the session is not established any more, in a word: of a bye, ours or
   * the peer's, or of a rejection; %NULL when none was given. What the peer
   * says is one line of text.
   */
  properties[PROP_REASON] = g_param_spec_string ("reason", "Reason",
      "Why the session ended or was rejected", NULL,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  /**
   * GstIceSession::bye:
   * @self: the session
   * @reason: (nullable): in a word
   *
   * The peer ends the session. The signaller may meet the next one.
   */
  signals[SIGNAL_BYE] = g_signal_new ("bye", GST_TYPE_ICE_SESSION,
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  /**
   * GstIceSession::error:
   * @self: the session
   * @error: what happened
   *
   * A description could not be made or taken, or signalling was lost.
   */
  signals[SIGNAL_ERROR] = g_signal_new ("error", GST_TYPE_ICE_SESSION,
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
  /**
   * GstIceSession::negotiated:
   * @self: the session
   *
   * An offer was answered, by either side.
   */
  signals[SIGNAL_NEGOTIATED] = g_signal_new ("negotiated", GST_TYPE_ICE_SESSION,
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  gst_ice_session_install_prepare (klass);
  /**
   * GstIceSession::restarting:
   * @self: the session
   * @reason: as #GstIceAgent::restart-needed has it
   *
   * An ICE restart is about to be offered, because the agent needs one.
   */
  signals[SIGNAL_RESTARTING] = g_signal_new ("restarting", GST_TYPE_ICE_SESSION,
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  /**
   * GstIceSession::incoming:
   * @self: the session
   * @sdp: the offer
   * @first: whether it is the first of this peer
   *
   * The peer made an offer, and nothing of it was applied yet: streams may be
   * requested and caps set now, and gst_ice_session_reject() declines it. The
   * first one waits for gst_ice_session_accept() when
   * #GstIceSession:auto-accept is off; later ones, which hold, resume, restart
   * or modify, are answered when the handlers return.
   */
  signals[SIGNAL_INCOMING] =
      g_signal_new ("incoming", GST_TYPE_ICE_SESSION, G_SIGNAL_RUN_LAST, 0,
          NULL, NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_BOOLEAN);
  /**
   * GstIceSession::rejected:
   * @self: the session
   * @reason: in a word, as gst_ice_session_reject() has them
   * @text: (nullable): what the peer says about it
   *
   * The peer declines our offer. When that was the first one, there is no
   * session, and #GstIceSession::error comes as well
   * (%GST_ICE_ERROR_REJECTED); an agreed session goes on as it was.
   */
  signals[SIGNAL_REJECTED] =
      g_signal_new ("rejected", GST_TYPE_ICE_SESSION, G_SIGNAL_RUN_LAST, 0,
          NULL, NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
}
