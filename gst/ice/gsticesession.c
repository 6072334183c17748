/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticesession-private.h"

#include <string.h>

#include "gsticeerror.h"
#include <gst/ice/gsticeenumtypes.h>
#include "io/service.h"

GST_DEBUG_CATEGORY (gst_ice_session_debug);
#define GST_CAT_DEFAULT gst_ice_session_debug

/**
 * GstIceSession:
 *
 * Joins a #GstIceAgent and a #GstIceSignaller: meets the peer, offers or
 * answers, trickles candidates, restarts and ends.
 */

/* Ending must not hang an application whose handlers hold the service thread.
 */
#define BYE_TIMEOUT (500 * G_TIME_SPAN_MILLISECOND)

enum
{
  PROP_0,
  PROP_AGENT,
  PROP_SIGNALLER,
  PROP_STATE,
  PROP_AUTO_RESTART,
  N_PROPERTIES
};
static GParamSpec *properties[N_PROPERTIES];

enum
{
  SIGNAL_BYE,
  SIGNAL_ERROR,
  SIGNAL_NEGOTIATED,
  SIGNAL_RESTARTING,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

G_DEFINE_TYPE_WITH_CODE (GstIceSession, gst_ice_session, GST_TYPE_OBJECT,
    GST_DEBUG_CATEGORY_INIT (
        gst_ice_session_debug, "ice-signal", 0, "ICE signalling"))

void
gst_ice_session_set_state (GstIceSession *self, GstIceSessionState state)
{
  if (g_atomic_int_get (&self->state) == (gint) state)
    return;
  g_atomic_int_set (&self->state, state);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
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

/* Handlers run in the service thread, or where the application has its agent's
 * signals run, while the last reference may be dropped in any other: they hold
 * the session weakly. (g_signal_connect_object() is not made for that.) */

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

static void
release_closure (gpointer handle, GClosure *closure)
{
  gst_ice_session_release_handle (handle);
}

static void
connect_weakly (GstIceSession *self, gpointer instance, const gchar *signal,
    GCallback callback)
{
  g_signal_connect_data (instance, signal, callback,
      g_atomic_rc_box_acquire (self->handle), release_closure, 0);
}

/* (transfer full) (nullable) unless it has ended */
static GstIceSession *
ref_session (gpointer handle)
{
  g_autoptr (GstIceSession) self = g_weak_ref_get (handle);

  if (self == NULL || gst_ice_session_has_ended (self))
    return NULL;
  return g_steal_pointer (&self);
}

/* From the signaller, on the service thread. */

static void
on_ready (GstIceSignaller *signaller, gboolean offerer, gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);

  if (self != NULL)
    gst_ice_session_meet (self, offerer);
}

static void
on_description (GstIceSignaller *signaller, const gchar *type, const gchar *sdp,
    gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);

  if (self != NULL)
    gst_ice_session_take_description (self, type, sdp);
}

static void
on_candidate (GstIceSignaller *signaller, const gchar *mid, guint mline_index,
    const gchar *candidate, const gchar *ufrag, gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);

  if (self != NULL)
    gst_ice_session_take_candidate (self, candidate, mid, mline_index, ufrag);
}

static void
on_bye (GstIceSignaller *signaller, const gchar *reason, gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);

  if (self != NULL)
    gst_ice_session_part (self, reason);
}

static void
on_error (GstIceSignaller *signaller, const GError *error, gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);

  if (self != NULL)
    gst_ice_session_emit_error (self, error);
}

/* From the agent: in the thread of the application's choice. */

static void
invoke (
    GstIceSession *self, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  if (ice_service_is_current ()) {
    func (data);
    notify (data);
  } else {
    ice_service_invoke (func, data, notify);
  }
}

typedef struct
{
  GstIceSession *session;     /* (owned) */
  GstIceStream *stream;       /* (owned) */
  GstIceCandidate *candidate; /* (owned) (nullable) no more of this stream */
} Trickle;

static void
trickle_free (gpointer data)
{
  Trickle *trickle = data;

  gst_object_unref (trickle->session);
  gst_object_unref (trickle->stream);
  g_clear_pointer (&trickle->candidate, gst_ice_candidate_unref);
  g_free (trickle);
}

static gboolean
trickle_run (gpointer data)
{
  Trickle *trickle = data;

  gst_ice_session_trickle (
      trickle->session, trickle->stream, trickle->candidate);
  return G_SOURCE_REMOVE;
}

/* @candidate: (nullable) there are no more */
static void
trickle (GstIceSession *self, GstIceStream *stream, GstIceCandidate *candidate)
{
  Trickle *news;

  if (self == NULL)
    return;
  news = g_new0 (Trickle, 1);
  news->session = gst_object_ref (self);
  news->stream = gst_object_ref (stream);
  if (candidate != NULL)
    news->candidate = gst_ice_candidate_ref (candidate);
  invoke (self, trickle_run, news, trickle_free);
}

static void
on_new_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);

  trickle (self, stream, candidate);
}

static void
on_end_of_candidates (GstIceAgent *agent, GstIceStream *stream, gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);

  trickle (self, stream, NULL);
}

static gboolean
gathered_run (gpointer data)
{
  gst_ice_session_gathered (data);
  return G_SOURCE_REMOVE;
}

static void
on_gathering_state (GstIceAgent *agent, GParamSpec *pspec, gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);

  if (self != NULL)
    invoke (self, gathered_run, gst_object_ref (self), gst_object_unref);
}

typedef struct
{
  GstIceSession *session; /* (owned) */
  gchar *reason;          /* (owned) */
} Mend;

static void
mend_free (gpointer data)
{
  Mend *mend = data;

  gst_object_unref (mend->session);
  g_free (mend->reason);
  g_free (mend);
}

static gboolean
mend_run (gpointer data)
{
  const Mend *mend = data;

  gst_ice_session_mend (mend->session, mend->reason);
  return G_SOURCE_REMOVE;
}

static void
on_restart_needed (GstIceAgent *agent, GstIceStream *stream,
    const gchar *reason, gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);
  Mend *mend;

  if (self == NULL)
    return;
  mend = g_new0 (Mend, 1);
  mend->session = gst_object_ref (self);
  mend->reason = g_strdup (reason);
  invoke (self, mend_run, mend, mend_free);
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

/**
 * gst_ice_session_start:
 * @self: the session
 * @role: who offers; automatic leaves it to the signaller
 * @error: return location
 *
 * Goes to the meeting place. Nothing is said there before
 * gst_ice_session_set_ready().
 *
 * Returns: FALSE when the meeting place cannot be used
 */
gboolean
gst_ice_session_start (
    GstIceSession *self, GstIceSignallerRole role, GError **error)
{
  g_return_val_if_fail (GST_IS_ICE_SESSION (self), FALSE);

  if (!g_atomic_int_compare_and_exchange (&self->state,
          GST_ICE_SESSION_STATE_NEW, GST_ICE_SESSION_STATE_MEETING)) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_STATE,
        "The session was started already");
    return FALSE;
  }
  return gst_ice_signaller_start (self->signaller, role, error);
}

static gboolean
set_ready_run (gpointer data)
{
  GstIceSession *self = data;

  self->ready = TRUE;
  gst_ice_session_advance (self);
  return G_SOURCE_REMOVE;
}

/**
 * gst_ice_session_set_ready:
 * @self: the session
 *
 * Every stream of the agent has its caps: the offer or answer may be made.
 */
void
gst_ice_session_set_ready (GstIceSession *self)
{
  g_return_if_fail (GST_IS_ICE_SESSION (self));
  invoke (self, set_ready_run, gst_object_ref (self), gst_object_unref);
}

static gboolean
renegotiate_run (gpointer data)
{
  GstIceSession *self = data;

  /* The first offer will have it. */
  if (self->established || self->exchange != GST_ICE_SESSION_STABLE)
    self->want_offer = TRUE;
  gst_ice_session_advance (self);
  return G_SOURCE_REMOVE;
}

/**
 * gst_ice_session_renegotiate:
 * @self: the session
 *
 * Caps changed or a stream came: another offer, with the same credentials, as
 * soon as the present exchange is over.
 */
void
gst_ice_session_renegotiate (GstIceSession *self)
{
  g_return_if_fail (GST_IS_ICE_SESSION (self));
  invoke (self, renegotiate_run, gst_object_ref (self), gst_object_unref);
}

static gboolean
restart_run (gpointer data)
{
  GstIceSession *self = data;

  if (self->established)
    self->want_restart = TRUE;
  gst_ice_session_advance (self);
  return G_SOURCE_REMOVE;
}

/**
 * gst_ice_session_restart:
 * @self: the session
 *
 * New credentials and a new offer (RFC 8445 section 9); media goes on by the
 * old path until the new one is there.
 */
void
gst_ice_session_restart (GstIceSession *self)
{
  g_return_if_fail (GST_IS_ICE_SESSION (self));
  invoke (self, restart_run, gst_object_ref (self), gst_object_unref);
}

static void
disconnect (GstIceSession *self)
{
  g_signal_handlers_disconnect_by_data (self->agent, self->handle);
  g_signal_handlers_disconnect_by_data (self->signaller, self->handle);
}

/* Whoever says bye waits until it is said: the process may end right after. */
typedef struct
{
  gatomicrefcount refs;
  GstIceSession *session; /* (owned) */
  gchar *reason;          /* (owned) (nullable) */
  GMutex lock;
  GCond cond;
  gboolean done;
} Bye;

static void
bye_unref (gpointer data)
{
  Bye *bye = data;

  if (!g_atomic_ref_count_dec (&bye->refs))
    return;
  gst_object_unref (bye->session);
  g_free (bye->reason);
  g_mutex_clear (&bye->lock);
  g_cond_clear (&bye->cond);
  g_free (bye);
}

static gboolean
bye_run (gpointer data)
{
  Bye *bye = data;
  GstIceSession *self = bye->session;

  if (!gst_ice_session_has_ended (self)) {
    disconnect (self);
    gst_ice_session_clear (self);
    gst_ice_signaller_send_bye (self->signaller, bye->reason);
    gst_ice_signaller_stop (self->signaller);
    gst_ice_session_set_state (self, GST_ICE_SESSION_STATE_ENDED);
  }
  g_mutex_lock (&bye->lock);
  bye->done = TRUE;
  g_cond_signal (&bye->cond);
  g_mutex_unlock (&bye->lock);
  return G_SOURCE_REMOVE;
}

/**
 * gst_ice_session_bye:
 * @self: the session
 * @reason: (nullable): in a word
 *
 * Tells the peer and leaves the meeting place. When it returns, that is done.
 */
void
gst_ice_session_bye (GstIceSession *self, const gchar *reason)
{
  const gint64 deadline = g_get_monotonic_time () + BYE_TIMEOUT;
  Bye *bye;

  g_return_if_fail (GST_IS_ICE_SESSION (self));

  bye = g_new0 (Bye, 1);
  g_atomic_ref_count_init (&bye->refs);
  g_mutex_init (&bye->lock);
  g_cond_init (&bye->cond);
  bye->session = gst_object_ref (self);
  bye->reason = g_strdup (reason);

  g_atomic_ref_count_inc (&bye->refs);
  invoke (self, bye_run, bye, bye_unref);
  g_mutex_lock (&bye->lock);
  while (!bye->done && g_cond_wait_until (&bye->cond, &bye->lock, deadline))
    ;
  g_mutex_unlock (&bye->lock);
  bye_unref (bye);
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

  connect_weakly (self, self->signaller, "ready", G_CALLBACK (on_ready));
  connect_weakly (
      self, self->signaller, "description", G_CALLBACK (on_description));
  connect_weakly (
      self, self->signaller, "candidate", G_CALLBACK (on_candidate));
  connect_weakly (self, self->signaller, "bye", G_CALLBACK (on_bye));
  connect_weakly (self, self->signaller, "error", G_CALLBACK (on_error));
  connect_weakly (
      self, self->agent, "new-candidate", G_CALLBACK (on_new_candidate));
  connect_weakly (self, self->agent, "end-of-candidates",
      G_CALLBACK (on_end_of_candidates));
  connect_weakly (self, self->agent, "notify::gathering-state",
      G_CALLBACK (on_gathering_state));
  connect_weakly (
      self, self->agent, "restart-needed", G_CALLBACK (on_restart_needed));
}

static void
gst_ice_session_dispose (GObject *object)
{
  GstIceSession *self = GST_ICE_SESSION (object);

  if (!gst_ice_session_has_ended (self)) {
    disconnect (self);
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

  G_OBJECT_CLASS (gst_ice_session_parent_class)->finalize (object);
}

static void
gst_ice_session_init (GstIceSession *self)
{
  g_queue_init (&self->pending);
  self->auto_restart = TRUE;
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
}
