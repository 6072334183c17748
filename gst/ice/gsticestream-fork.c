/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticestream-private.h"

#include "gsticeagent-private.h"

/* The same m-line for another answerer of one offer (RFC 8839 7). */

GstIceStream *
gst_ice_stream_new_fork (
    GstIceStream *origin, GstIceAgent *agent, GstIceStream *tagged)
{
  GstIceStream *self =
      g_object_new (GST_TYPE_ICE_STREAM, "name", origin->mid, NULL);

  gst_object_ref_sink (self);
  self->mid = g_strdup (origin->mid);
  g_weak_ref_set (&self->agent, agent);
  self->tagged = tagged ? gst_object_ref (tagged) : NULL;
  GST_OBJECT_LOCK (origin);
  self->mline_index = origin->mline_index;
  self->dscp = origin->dscp;
  gst_caps_replace (&self->send_caps, origin->send_caps);
  gst_caps_replace (&self->receive_caps, origin->receive_caps);
  gst_caps_replace (&self->local_caps, origin->local_caps);
  GST_OBJECT_UNLOCK (origin);
  return self;
}

/* (transfer full) (element-type guint) */
static GArray *
list_components (GstIceStream *self)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint));

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->components->len; i++) {
    const GstIceComponent *component = self->components->pdata[i];
    g_array_append_val (numbers, component->number);
  }
  GST_OBJECT_UNLOCK (self);
  return numbers;
}

/* What the core has said before nobody here has heard. */
static void
catch_up (GstIceStream *self, GstIceAgent *agent)
{
  gboolean started, done, ended;
  IceCore *core = gst_ice_pump_lock (agent->pump);

  GST_OBJECT_LOCK (self);
  ice_core_get_gathering (core, self->id, &started, &done, &ended);
  self->ended = ended;
  self->gathered_at = done ? ice_loop_now () : 0;
  self->gathering = done ? GST_ICE_GATHERING_STATE_COMPLETE
      : started          ? GST_ICE_GATHERING_STATE_GATHERING
                         : GST_ICE_GATHERING_STATE_NEW;
  GST_OBJECT_UNLOCK (self);
  gst_ice_pump_unlock (agent->pump);
}

void
gst_ice_stream_begin_fork (
    GstIceStream *self, GstIceStream *origin, GstIceAgent *agent)
{
  g_autoptr (GArray) numbers = list_components (origin);
  guint id = gst_ice_pump_fork_stream (
      agent->pump, agent->branch, gst_ice_stream_get_id (origin));

  GST_OBJECT_LOCK (self);
  self->id = id;
  GST_OBJECT_UNLOCK (self);
  if (id == 0)
    return; /* it was removed meanwhile */
  for (guint i = 0; i < numbers->len; i++)
    gst_ice_stream_ensure_component (self, g_array_index (numbers, guint, i));
  catch_up (self, agent);
}
