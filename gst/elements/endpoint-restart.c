/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "endpoint-private.h"

/* The path was lost. An ICE restart may find another (RFC 8445 9); it needs a
 * peer that answers, and when that does not, the elements do what their
 * on-disconnect says. */

/* An ICE restart that fails is not tried again at once. */
#define RESTART_INTERVAL (5 * G_TIME_SPAN_SECOND)
/* Several streams, and a failure that follows, ask for one and the same. */
#define MEND_INTERVAL (1 * G_TIME_SPAN_SECOND)
/* The offer of a restart is answered as fast as the first one was, and checks
 * take no longer: who is there is found in a fraction of this. */
#define RESTART_PATIENCE_SECONDS 10

void
gst_ice_endpoint_disconnect_member (GstIceMember *member, const GError *error)
{
  switch (member->on_disconnect) {
    case GST_ICE_ON_DISCONNECT_WAIT:
      break;
    case GST_ICE_ON_DISCONNECT_EOS:
      member->funcs->ended (member);
      break;
    case GST_ICE_ON_DISCONNECT_ERROR:
      gst_ice_post_error (member->element, error);
      break;
  }
}

static void
disconnect (GstIceEndpoint *self, const GError *error)
{
  g_autoptr (GPtrArray) members = gst_ice_endpoint_ref_members (self);
  guint i;

  for (i = 0; i < members->len; i++)
    gst_ice_endpoint_disconnect_member (g_ptr_array_index (members, i), error);
}

/* (transfer full) (nullable) why there is a restart, which is over now */
static GError *
end_restart (GstIceEndpoint *self)
{
  GSource *patience;
  GError *lost;

  g_mutex_lock (&self->lock);
  patience = g_steal_pointer (&self->patience);
  lost = g_steal_pointer (&self->lost);
  g_mutex_unlock (&self->lock);
  if (patience != NULL) {
    g_source_destroy (patience);
    g_source_unref (patience);
  }
  return lost;
}

static gboolean
on_patience_over (gpointer user_data)
{
  g_autoptr (GError) lost = end_restart (user_data);

  if (lost != NULL)
    disconnect (user_data, lost);
  return G_SOURCE_REMOVE;
}

void
gst_ice_endpoint_end_restart (GstIceEndpoint *self)
{
  g_autoptr (GError) lost = end_restart (self);
}

/* With the lock. */
static gboolean
may_restart (GstIceEndpoint *self, gint64 interval)
{
  const gint64 now = g_get_monotonic_time ();
  gboolean wanted = FALSE;
  GList *l;

  for (l = self->members; l != NULL; l = l->next)
    wanted = wanted || ((GstIceMember *) l->data)->auto_restart;
  return wanted && !self->over && self->session != NULL &&
      now - self->restarted_at > interval;
}

static void
restart (GstIceEndpoint *self, GstIceSession *session, const gchar *trigger)
{
  gst_ice_endpoint_post (self,
      gst_structure_new ("GstIceRestart", "agent", GST_TYPE_ICE_AGENT,
          self->agent, "trigger", G_TYPE_STRING, trigger, NULL));
  gst_ice_session_restart (session);
}

/* FALSE: not now, or nobody wants it. */
static gboolean
try_restart (GstIceEndpoint *self, const GError *error)
{
  g_autoptr (GstIceSession) session = NULL;

  g_mutex_lock (&self->lock);
  if (may_restart (self, RESTART_INTERVAL)) {
    session = gst_object_ref (self->session);
    self->restarted_at = g_get_monotonic_time ();
    self->lost = g_error_copy (error);
    self->patience = g_timeout_source_new_seconds (RESTART_PATIENCE_SECONDS);
    g_source_set_callback (
        self->patience, on_patience_over, g_object_ref (self), g_object_unref);
    g_source_attach (self->patience, gst_ice_signaller_get_main_context ());
  }
  g_mutex_unlock (&self->lock);

  if (session == NULL)
    return FALSE;
  restart (self, session, "path-lost");
  return TRUE;
}

/* The agent does not ask often. While media still has a path there is nothing
 * to lose, and when it has none the end of consent will tell. */
void
gst_ice_endpoint_mend_path (GstIceEndpoint *self, const gchar *reason)
{
  g_autoptr (GstIceSession) session = NULL;

  g_mutex_lock (&self->lock);
  if (self->connected && may_restart (self, MEND_INTERVAL)) {
    session = gst_object_ref (self->session);
    self->restarted_at = g_get_monotonic_time ();
  }
  g_mutex_unlock (&self->lock);
  if (session != NULL)
    restart (self, session, reason);
}

void
gst_ice_endpoint_lose_path (GstIceEndpoint *self, const GError *error)
{
  gboolean restarting;

  g_mutex_lock (&self->lock);
  restarting = self->lost != NULL;
  g_mutex_unlock (&self->lock);

  /* The other streams lose theirs, too; one restart is for all. */
  if (restarting &&
      g_error_matches (error, GST_ICE_ERROR, GST_ICE_ERROR_CONSENT_EXPIRED))
    return;
  gst_ice_endpoint_end_restart (self);
  if (!try_restart (self, error))
    disconnect (self, error);
}
