/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticesession-private.h"

#include "gsticeerror.h"

/* What the application asks for: done in the service thread. */

/* Ending must not hang an application whose handlers hold the service thread.
 */
#define BYE_TIMEOUT (500 * G_TIME_SPAN_MILLISECOND)

/* Design 9.7: telephones that do no ICE are what some signallers are for, and
 * say so by a property. What the user allowed stays so. */
static void
take_over (GstIceSession *self)
{
  GObjectClass *klass = G_OBJECT_GET_CLASS (self->signaller);
  gboolean allow = FALSE;

  if (g_object_class_find_property (klass, "allow-non-ice") != NULL)
    g_object_get (self->signaller, "allow-non-ice", &allow, NULL);
  if (allow)
    g_object_set (self->agent, "allow-non-ice", TRUE, NULL);
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
  take_over (self);
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
  gst_ice_session_invoke (
      set_ready_run, gst_object_ref (self), gst_object_unref);
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
  gst_ice_session_invoke (
      renegotiate_run, gst_object_ref (self), gst_object_unref);
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
  gst_ice_session_invoke (restart_run, gst_object_ref (self), gst_object_unref);
}

static gboolean
accept_run (gpointer data)
{
  gst_ice_session_admit (data);
  return G_SOURCE_REMOVE;
}

/**
 * gst_ice_session_accept:
 * @self: the session
 *
 * Answers the offer that #GstIceSession::incoming told of, where
 * #GstIceSession:auto-accept is off. Nothing happens when there is none: the
 * caller may have hung up meanwhile.
 */
void
gst_ice_session_accept (GstIceSession *self)
{
  g_return_if_fail (GST_IS_ICE_SESSION (self));
  gst_ice_session_invoke (accept_run, gst_object_ref (self), gst_object_unref);
}

typedef struct
{
  GstIceSession *session; /* (owned) */
  gchar *reason, *text;   /* (owned) (nullable) text */
} Reject;

static void
reject_free (gpointer data)
{
  Reject *reject = data;

  gst_object_unref (reject->session);
  g_free (reject->reason);
  g_free (reject->text);
  g_free (reject);
}

static gboolean
reject_run (gpointer data)
{
  const Reject *reject = data;

  gst_ice_session_decline (reject->session, reject->reason, reject->text);
  return G_SOURCE_REMOVE;
}

/**
 * gst_ice_session_reject:
 * @self: the session
 * @reason: `busy`, `declined`, `not-acceptable`, `unavailable` or another word
 * @text: (nullable): a sentence for people to read
 *
 * Declines the offer that #GstIceSession::incoming told of. From a handler of
 * that signal it declines any offer; later only one that waits for
 * gst_ice_session_accept(). The peer gets #GstIceSession::rejected. A session
 * that was agreed already goes on as it was (RFC 3264 section 8).
 */
void
gst_ice_session_reject (
    GstIceSession *self, const gchar *reason, const gchar *text)
{
  Reject *reject;

  g_return_if_fail (GST_IS_ICE_SESSION (self));
  g_return_if_fail (reason != NULL);

  reject = g_new0 (Reject, 1);
  reject->session = gst_object_ref (self);
  reject->reason = g_strdup (reason);
  reject->text = g_strdup (text);
  gst_ice_session_invoke (reject_run, reject, reject_free);
}

static gboolean
hold_run (gpointer data)
{
  gst_ice_session_pause (data, TRUE);
  return G_SOURCE_REMOVE;
}

/**
 * gst_ice_session_hold:
 * @self: the session
 *
 * Asks the peer to stop sending: every stream is offered `sendonly`, or
 * `inactive` where this side does not send (RFC 3264 section 8.4). Checks,
 * consent and RTCP go on. One stream alone is put on hold by its
 * #GstIceStream:direction and gst_ice_session_renegotiate().
 */
void
gst_ice_session_hold (GstIceSession *self)
{
  g_return_if_fail (GST_IS_ICE_SESSION (self));
  gst_ice_session_invoke (hold_run, gst_object_ref (self), gst_object_unref);
}

static gboolean
resume_run (gpointer data)
{
  gst_ice_session_pause (data, FALSE);
  return G_SOURCE_REMOVE;
}

/**
 * gst_ice_session_resume:
 * @self: the session
 *
 * Ends gst_ice_session_hold().
 */
void
gst_ice_session_resume (GstIceSession *self)
{
  g_return_if_fail (GST_IS_ICE_SESSION (self));
  gst_ice_session_invoke (resume_run, gst_object_ref (self), gst_object_unref);
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
    gst_ice_session_disconnect (self);
    gst_ice_session_clear (self);
    gst_ice_signaller_send_bye (self->signaller, bye->reason);
    gst_ice_signaller_stop (self->signaller);
    gst_ice_session_set_reason (self, bye->reason);
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
  gst_ice_session_invoke (bye_run, bye, bye_unref);
  g_mutex_lock (&bye->lock);
  while (!bye->done && g_cond_wait_until (&bye->cond, &bye->lock, deadline))
    ;
  g_mutex_unlock (&bye->lock);
  bye_unref (bye);
}
