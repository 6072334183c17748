/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticetransport-private.h"

#include <gst/ice/gsticeerror.h>

/* FALSE: not known yet. TRUE without @ret_error: there is a path. */
static gboolean
connect_is_decided (GstIceTransport *self, GError **ret_error)
{
  if (gst_ice_link_is_closed (self->link)) {
    g_set_error_literal (ret_error, GST_ICE_ERROR, GST_ICE_ERROR_CLOSED,
        "The agent of this transport was closed");
    return TRUE;
  }
  if (gst_ice_link_has_route (self->link))
    return TRUE;
  if (gst_ice_link_get_state (self->link) == GST_ICE_STATE_FAILED) {
    g_set_error_literal (ret_error, GST_ICE_ERROR,
        GST_ICE_ERROR_ALL_CHECKS_FAILED,
        "No path to the peer was found; restart ICE, or add a TURN server");
    return TRUE;
  }
  return FALSE;
}

static void
return_connect (GTask *task, const GError *error)
{
  GSource *cancelled = g_task_get_task_data (task);

  if (cancelled)
    g_source_destroy (cancelled);
  if (error)
    g_task_return_error (task, g_error_copy (error));
  else
    g_task_return_boolean (task, TRUE);
}

void
gst_ice_transport_finish_connects (GstIceTransport *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tasks = NULL;
  guint i;

  GST_OBJECT_LOCK (self);
  if (self->connects->len > 0 && connect_is_decided (self, &error)) {
    tasks = self->connects;
    self->connects = g_ptr_array_new_with_free_func (g_object_unref);
  }
  GST_OBJECT_UNLOCK (self);

  for (i = 0; tasks && i < tasks->len; i++)
    return_connect (g_ptr_array_index (tasks, i), error);
}

static gboolean
on_connect_cancelled (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;
  GstIceTransport *self = g_task_get_source_object (task);
  g_autoptr (GTask) taken = NULL;
  guint index;

  /* Whoever takes the task out of the list answers it. */
  GST_OBJECT_LOCK (self);
  if (g_ptr_array_find (self->connects, task, &index))
    taken = g_ptr_array_steal_index_fast (self->connects, index);
  GST_OBJECT_UNLOCK (self);
  if (taken)
    g_task_return_error_if_cancelled (taken);
  return G_SOURCE_REMOVE;
}

static void
unref_source (gpointer source)
{
  g_source_unref (source);
}

/**
 * gst_ice_transport_connect_async:
 * @self: a #GstIceTransport
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when done
 * @user_data: data for @callback
 *
 * Waits until packets can be sent to the peer: the first path that passed its
 * checks will do, nominated or not. It starts nothing.
 */
void
gst_ice_transport_connect_async (GstIceTransport *self,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  GSource *cancelled = NULL;

  g_return_if_fail (GST_IS_ICE_TRANSPORT (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, gst_ice_transport_connect_async);
  if (g_task_return_error_if_cancelled (task))
    return;
  if (cancellable) {
    cancelled = g_cancellable_source_new (cancellable);
    g_task_set_task_data (task, cancelled, unref_source);
    g_source_set_callback (cancelled, G_SOURCE_FUNC (on_connect_cancelled),
        g_object_ref (task), g_object_unref);
  }
  /* Under one lock: an answer from the loop thread destroys the source. */
  GST_OBJECT_LOCK (self);
  g_ptr_array_add (self->connects, g_object_ref (task));
  if (cancelled)
    g_source_attach (cancelled, g_task_get_context (task));
  GST_OBJECT_UNLOCK (self);
  gst_ice_transport_finish_connects (self);
}

/**
 * gst_ice_transport_connect_finish:
 * @self: a #GstIceTransport
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends what gst_ice_transport_connect_async() began.
 *
 * Returns: %TRUE when there is a path
 */
gboolean
gst_ice_transport_connect_finish (
    GstIceTransport *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (GST_IS_ICE_TRANSPORT (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
