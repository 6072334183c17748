/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An agent on a port that it has in common with others. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticepump-private.h"

#include "gsticelog-private.h"

#define GST_CAT_DEFAULT gst_ice_agent_debug

/* The loop */

static void
take_loop (GstIcePump *self, IceLoop *loop)
{
  IceLoop *old;

  g_mutex_lock (&self->lock);
  old = self->loop;
  self->loop = ice_loop_ref (loop);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&old, ice_loop_unref);
}

static void
run (gpointer user_data)
{
  GstIcePump *self = user_data;

  if (gst_ice_pump_is_elsewhere (self))
    gst_ice_pump_invoke (self, run);
  else
    gst_ice_pump_run (self);
}

/* Whoever shares a port lives on the loop that owns it; what is open already
 * cannot be moved there. */
gboolean
gst_ice_pump_move (GstIcePump *self)
{
  g_autoptr (GstIceMux) mux = NULL;

  g_mutex_lock (&self->lock);
  mux = self->mux ? gst_ice_mux_ref (self->mux) : NULL;
  g_mutex_unlock (&self->lock);
  if (!mux || !self->loop || gst_ice_mux_get_loop (mux) == self->loop ||
      g_hash_table_size (self->sockets) > 0 ||
      (self->resolves && g_hash_table_size (self->resolves) > 0) || self->ports)
    return FALSE;
  g_clear_pointer (&self->timer, ice_timer_free);
  take_loop (self, gst_ice_mux_get_loop (mux));
  gst_ice_pump_invoke (self, run);
  return TRUE;
}

gboolean
gst_ice_pump_set_mux_port (GstIcePump *self, guint16 port)
{
  GstIceMux *mux = port != 0 ? gst_ice_mux_acquire (port) : NULL, *old;

  if (port != 0 && !mux)
    return FALSE;
  g_mutex_lock (&self->lock);
  old = self->mux;
  self->mux = mux;
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&old, gst_ice_mux_unref);
  gst_ice_pump_invoke (self, run);
  return TRUE;
}

/* Shares */

gboolean
gst_ice_pump_open_shared (GstIcePump *self, GstIcePumpSocket *socket,
    const IceOutput *output, const IceSocketOptions *options, GError **error)
{
  g_autoptr (GstIceMux) mux = NULL;
  IceSocketOptions plain = *options;

  if (!output->open_socket.shared)
    return FALSE;
  g_mutex_lock (&self->lock);
  mux = self->mux ? gst_ice_mux_ref (self->mux) : NULL;
  g_mutex_unlock (&self->lock);
  if (!mux)
    return FALSE;
  if (gst_ice_mux_get_loop (mux) != self->loop) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY,
        "mux-port %u was set too late: set it before anything is gathered",
        gst_ice_mux_get_port (mux));
    return TRUE;
  }
  plain.dscp = -1; /* of others as well */
  socket->share = gst_ice_mux_open (mux, &output->open_socket.local, &plain,
      &gst_ice_pump_socket_events, socket, error);
  if (!socket->share)
    return TRUE;
  socket->socket =
      ice_socket_ref (gst_ice_mux_share_get_socket (socket->share));
  self->n_shares++;
  return TRUE;
}

static void
tell_conflict (GstIcePump *self, GstIcePumpSocket *socket)
{
  IceOutputs outputs;
  IceOutput *output;

  if (socket->conflict_told)
    return;
  socket->conflict_told = TRUE;
  ice_outputs_init (&outputs);
  output = ice_outputs_add (&outputs, ICE_OUTPUT_ERROR);
  output->error.cause = ICE_CAUSE_RESOURCE;
  output->error.text =
      g_strdup ("Another agent of this mux-port has the same ice-ufrag, and "
                "takes the checks for both: set other credentials");
  gst_ice_pump_tell (self, ice_outputs_steal (&outputs));
}

void
gst_ice_pump_update_shares (GstIcePump *self)
{
  g_autoptr (GPtrArray) ufrags = NULL;
  GHashTableIter iter;
  gpointer value;

  if (self->n_shares == 0)
    return;
  g_hash_table_iter_init (&iter, self->sockets);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    GstIcePumpSocket *socket = value;

    if (!socket->share)
      continue;
    g_clear_pointer (&ufrags, g_ptr_array_unref);
    ufrags = g_ptr_array_new_with_free_func (g_free);
    g_mutex_lock (&self->lock);
    ice_core_get_ufrags (self->core, socket->id, ufrags);
    for (guint i = 0; i < ufrags->len; i++)
      ufrags->pdata[i] = g_strdup (ufrags->pdata[i]);
    g_mutex_unlock (&self->lock);
    if (!gst_ice_mux_share_set_ufrags (socket->share, ufrags))
      tell_conflict (self, socket);
  }
}

guint64
gst_ice_pump_count_strangers (GstIcePump *self)
{
  g_autoptr (GstIceMux) mux = NULL;

  g_mutex_lock (&self->lock);
  mux = self->mux ? gst_ice_mux_ref (self->mux) : NULL;
  g_mutex_unlock (&self->lock);
  return mux ? gst_ice_mux_get_n_strangers (mux) : 0;
}
