/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticestream-private.h"

#include "gsticeagent-private.h"
#include "gsticecandidate-private.h"
#include "gsticeerror.h"
#include "io/loop.h"

/* Somebody waits for the end of gathering. */
typedef struct
{
  GTask *task;     /* (owned) */
  GSource *cancel; /* (owned) (nullable) */
} GatherTask;

static void
gather_task_free (GatherTask *self)
{
  if (self->cancel)
    g_source_destroy (self->cancel);
  g_clear_pointer (&self->cancel, g_source_unref);
  g_object_unref (self->task);
  g_free (self);
}

/* A component that comes when its stream has gathered already wants candidates
 * of its own. */
void
gst_ice_stream_gather_again (GstIceStream *self, GstIceAgent *agent)
{
  g_autoptr (GPtrArray) streams = g_ptr_array_new ();
  gboolean again;

  GST_OBJECT_LOCK (self);
  again = self->gathering != GST_ICE_GATHERING_STATE_NEW;
  self->gathering = GST_ICE_GATHERING_STATE_NEW;
  self->gathered_at = 0;
  self->ended = FALSE;
  GST_OBJECT_UNLOCK (self);
  if (!again)
    return;
  g_ptr_array_add (streams, self);
  gst_ice_agent_gather_streams (agent, streams);
}

/* The context of the task. */
static gboolean
on_gather_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (user_data);
  g_autoptr (GstIceStream) self =
      gst_ice_stream_ref_tagged (g_task_get_source_object (task));
  GatherTask *found = NULL;
  GList *l;

  GST_OBJECT_LOCK (self);
  for (l = self->gather_tasks; l; l = l->next) {
    if (((GatherTask *) l->data)->task == task)
      break;
  }
  if (l) {
    found = l->data;
    self->gather_tasks = g_list_delete_link (self->gather_tasks, l);
  }
  GST_OBJECT_UNLOCK (self);
  if (found) {
    g_task_return_error_if_cancelled (task);
    gather_task_free (found);
  }
  return G_SOURCE_REMOVE;
}

void
gst_ice_stream_finish_gather_tasks (GstIceStream *self)
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  gboolean gone = !gst_ice_agent_check_open (agent, NULL);
  GList *tasks;

  GST_OBJECT_LOCK (self);
  tasks = g_steal_pointer (&self->gather_tasks);
  gone |= self->id == 0;
  GST_OBJECT_UNLOCK (self);

  for (GList *l = tasks; l; l = l->next) {
    GatherTask *gather = l->data;

    if (gone)
      g_task_return_new_error (gather->task, GST_ICE_ERROR,
          GST_ICE_ERROR_CLOSED, "The stream was closed while it gathered");
    else
      g_task_return_boolean (gather->task, TRUE);
  }
  g_list_free_full (tasks, (GDestroyNotify) gather_task_free);
}

/**
 * gst_ice_stream_gather_async:
 * @self: a stream
 * @cancellable: (nullable): to stop waiting; the gathering itself goes on
 * @callback: (scope async) (nullable): called in the thread-default context of
 *   the caller
 * @user_data: for @callback
 *
 * Gathers the candidates of one stream (RFC 8445 5.1.1). Each is announced by
 * #GstIceAgent::new-candidate; @callback comes when every useful answer has.
 */
void
gst_ice_stream_gather_async (GstIceStream *self, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GstIceStream) tagged = NULL;
  g_autoptr (GstIceAgent) agent = NULL;
  g_autoptr (GPtrArray) streams = g_ptr_array_new ();
  GError *error = NULL;
  GatherTask *gather;
  gboolean removed;

  g_return_if_fail (GST_IS_ICE_STREAM (self));

  tagged = gst_ice_stream_ref_tagged (self);
  g_ptr_array_add (streams, tagged);
  /* A task without a callback waits for its context all the same, which may
   * never run again. */
  if (!callback) {
    agent = gst_ice_stream_ref_agent (self);
    if (agent)
      gst_ice_agent_gather_streams (agent, streams);
    return;
  }
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, gst_ice_stream_gather_async);
  agent = gst_ice_stream_ref_agent (self);
  if (!gst_ice_agent_check_open (agent, &error)) {
    g_task_return_error (task, error);
    return;
  }
  gst_ice_agent_gather_streams (agent, streams);

  GST_OBJECT_LOCK (tagged);
  removed = tagged->id == 0;
  if (!removed && tagged->gathering != GST_ICE_GATHERING_STATE_COMPLETE) {
    gather = g_new0 (GatherTask, 1);
    gather->task = g_object_ref (task);
    if (cancellable) {
      gather->cancel = g_cancellable_source_new (cancellable);
      g_task_attach_source (
          task, gather->cancel, G_SOURCE_FUNC (on_gather_cancelled));
    }
    tagged->gather_tasks = g_list_append (tagged->gather_tasks, gather);
    g_clear_object (&task);
  }
  GST_OBJECT_UNLOCK (tagged);
  if (removed)
    g_task_return_new_error (task, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED,
        "The stream was removed from its agent");
  else if (task)
    g_task_return_boolean (task, TRUE);
  else if (!gst_ice_agent_check_open (agent, NULL))
    gst_ice_stream_finish_gather_tasks (tagged); /* closed in between */
}

/**
 * gst_ice_stream_gather_finish:
 * @self: a stream
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Errors: %GST_ICE_ERROR_CLOSED, %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE when the candidates are there
 */
gboolean
gst_ice_stream_gather_finish (
    GstIceStream *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* @ufrag, @pwd (nullable): at random */
static void
restart (GstIceStream *self, const gchar *ufrag, const gchar *pwd)
{
  g_autoptr (GstIceStream) tagged = gst_ice_stream_ref_tagged (self);
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  guint id = gst_ice_stream_get_id (tagged);

  if (!gst_ice_agent_check_open (agent, NULL) || id == 0)
    return;
  ice_core_restart_with (
      gst_ice_pump_lock (agent->pump), id, ufrag, pwd, ice_loop_now ());
  gst_ice_pump_unlock (agent->pump);
  GST_OBJECT_LOCK (tagged);
  tagged->restarted = TRUE;
  GST_OBJECT_UNLOCK (tagged);
  gst_ice_stream_gather_again (tagged, agent);
}

/**
 * gst_ice_stream_restart:
 * @self: a stream
 *
 * Makes new local credentials and candidates (RFC 8445 9). The pair that was
 * selected carries media until the new ones have one nominated. The peer has to
 * be told, by a new offer or by signalling of the application.
 */
void
gst_ice_stream_restart (GstIceStream *self)
{
  g_return_if_fail (GST_IS_ICE_STREAM (self));

  restart (self, NULL, NULL);
}

/**
 * gst_ice_stream_restart_with_credentials:
 * @self: a stream
 * @ufrag: 4 to 256 characters of RFC 8839's ice-char
 * @pwd: 22 to 256 of them
 *
 * gst_ice_stream_restart() for applications whose signalling makes the
 * credentials itself: the first candidate of the new generation names @ufrag
 * already.
 */
void
gst_ice_stream_restart_with_credentials (
    GstIceStream *self, const gchar *ufrag, const gchar *pwd)
{
  g_return_if_fail (GST_IS_ICE_STREAM (self));
  g_return_if_fail (ufrag != NULL && ice_is_valid_ufrag (ufrag));
  g_return_if_fail (pwd != NULL && ice_is_valid_pwd (pwd));

  restart (self, ufrag, pwd);
}

/* (transfer full) (element-type GstIceCandidate) */
static GPtrArray *
get_candidates (GstIceStream *self,
    GPtrArray *(*get) (IceCore *core, guint stream),
    const gchar *(*get_ufrag) (const IceCore *core, guint stream))
{
  g_autoptr (GstIceAgent) agent = gst_ice_stream_ref_agent (self);
  g_autoptr (GPtrArray) candidates = NULL;
  guint id = gst_ice_stream_get_id (self);

  if (agent && id != 0) {
    IceCore *core = gst_ice_pump_lock (agent->pump);

    candidates =
        gst_ice_candidates_set_ufrag (get (core, id), get_ufrag (core, id));
    gst_ice_pump_unlock (agent->pump);
  }
  if (!candidates)
    candidates = g_ptr_array_new ();
  return gst_ice_candidates_from_core (candidates);
}

/**
 * gst_ice_stream_get_local_candidates:
 * @self: a stream
 *
 * Returns: (transfer container) (element-type GstIceCandidate): what was
 *   gathered so far in this generation
 */
GPtrArray *
gst_ice_stream_get_local_candidates (GstIceStream *self)
{
  g_return_val_if_fail (GST_IS_ICE_STREAM (self), NULL);

  return get_candidates (
      self, ice_core_get_local_candidates, ice_core_get_local_ufrag);
}

/**
 * gst_ice_stream_get_remote_candidates:
 * @self: a stream
 *
 * Returns: (transfer container) (element-type GstIceCandidate): what the
 *   peer has sent or was seen to use, in this generation
 */
GPtrArray *
gst_ice_stream_get_remote_candidates (GstIceStream *self)
{
  g_return_val_if_fail (GST_IS_ICE_STREAM (self), NULL);

  return get_candidates (
      self, ice_core_get_remote_candidates, ice_core_get_remote_ufrag);
}
