/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticesession-private.h"

#include "io/service.h"

#define GST_CAT_DEFAULT gst_ice_session_debug

/* Handlers run in the service thread, or where the application has its agent's
 * signals run, while the last reference may be dropped in any other: they hold
 * the session weakly. (g_signal_connect_object() is not made for that.) */

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
on_rejected (GstIceSignaller *signaller, const gchar *reason, const gchar *text,
    gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);

  if (self != NULL)
    gst_ice_session_take_rejection (self, reason, text);
}

static void
on_peer_error (GstIceSignaller *signaller, const gchar *text, gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);

  if (self != NULL)
    gst_ice_session_take_error (self, text);
}

static void
on_error (GstIceSignaller *signaller, const GError *error, gpointer handle)
{
  g_autoptr (GstIceSession) self = ref_session (handle);

  if (self != NULL)
    gst_ice_session_emit_error (self, error);
}

/* From the agent: in the thread of the application's choice. */

void
gst_ice_session_invoke (GSourceFunc func, gpointer data, GDestroyNotify notify)
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
  gst_ice_session_invoke (trickle_run, news, trickle_free);
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
    gst_ice_session_invoke (
        gathered_run, gst_object_ref (self), gst_object_unref);
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
  gst_ice_session_invoke (mend_run, mend, mend_free);
}

void
gst_ice_session_connect (GstIceSession *self)
{
  connect_weakly (self, self->signaller, "ready", G_CALLBACK (on_ready));
  connect_weakly (
      self, self->signaller, "description", G_CALLBACK (on_description));
  connect_weakly (
      self, self->signaller, "candidate", G_CALLBACK (on_candidate));
  connect_weakly (self, self->signaller, "bye", G_CALLBACK (on_bye));
  connect_weakly (self, self->signaller, "rejected", G_CALLBACK (on_rejected));
  connect_weakly (
      self, self->signaller, "peer-error", G_CALLBACK (on_peer_error));
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

void
gst_ice_session_disconnect (GstIceSession *self)
{
  g_signal_handlers_disconnect_by_data (self->agent, self->handle);
  g_signal_handlers_disconnect_by_data (self->signaller, self->handle);
}
