/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtcbin-private.h"

#define GST_CAT_DEFAULT gst_ice_webrtc_bin_debug

/* A new webrtcbin in the place of the old one, in mid-stream: a page that was
 * loaded again is another peer. What flows in meanwhile is dropped at our pads;
 * caps and segment are pushed again to what is linked next. */

static GstPadProbeReturn
drop (GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
  return GST_PAD_PROBE_DROP;
}

/* (transfer full) (element-type GstPad) */
static GPtrArray *
list_pads (GstIceWebRTCBin *self, GstPadDirection direction)
{
  GPtrArray *pads = g_ptr_array_new_with_free_func (gst_object_unref);
  GList *l;

  GST_OBJECT_LOCK (self);
  for (l = direction == GST_PAD_SINK ? GST_ELEMENT (self)->sinkpads
                                     : GST_ELEMENT (self)->srcpads;
       l; l = l->next)
    g_ptr_array_add (pads, gst_object_ref (l->data));
  GST_OBJECT_UNLOCK (self);
  return pads;
}

static gboolean
is_of_type (GParamSpec *spec, GType type)
{
  return spec->owner_type == type && (spec->flags & G_PARAM_READABLE) &&
      (spec->flags & G_PARAM_WRITABLE) &&
      !(spec->flags & G_PARAM_CONSTRUCT_ONLY);
}

/* @type: properties that are installed there */
static void
copy_properties (GObject *from, GObject *to, GType type)
{
  guint n;
  g_autofree GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (from), &n);

  for (guint i = 0; i < n; i++) {
    g_auto (GValue) value = G_VALUE_INIT;

    /* Servers read back without their passwords: webrtcbin's own have them. */
    if (!is_of_type (specs[i], type) || g_str_equal (specs[i]->name, "servers"))
      continue;
    g_value_init (&value, specs[i]->value_type);
    g_object_get_property (from, specs[i]->name, &value);
    g_object_set_property (to, specs[i]->name, &value);
  }
}

static void
take_away (GstIceWebRTCBin *self, GstElement *old, GPtrArray *sinks)
{
  g_autoptr (GPtrArray) sources = list_pads (self, GST_PAD_SRC);

  for (guint i = 0; i < sinks->len; i++)
    gst_ghost_pad_set_target (sinks->pdata[i], NULL);
  for (guint i = 0; i < sources->len; i++) {
    gst_pad_push_event (sources->pdata[i], gst_event_new_eos ());
    gst_ghost_pad_set_target (sources->pdata[i], NULL);
    gst_pad_set_active (sources->pdata[i], FALSE);
    gst_element_remove_pad (GST_ELEMENT (self), sources->pdata[i]);
  }
  gst_element_set_locked_state (old, TRUE);
  gst_element_set_state (old, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (self), old);
}

static void
link_pads (GstIceWebRTCBin *self, GPtrArray *sinks)
{
  GstPadTemplate *template =
      gst_element_get_pad_template (self->inner, "sink_%u");

  for (guint i = 0; i < sinks->len; i++) {
    g_autofree gchar *name = gst_pad_get_name (sinks->pdata[i]);
    g_autoptr (GstPad) inner =
        gst_element_request_pad (self->inner, template, name, NULL);

    if (inner)
      gst_ice_webrtc_bin_set_target (sinks->pdata[i], inner);
  }
}

void
gst_ice_webrtc_bin_renew (GstIceWebRTCBin *self)
{
  g_autoptr (GPtrArray) sinks = list_pads (self, GST_PAD_SINK);
  g_autofree gulong *probes = g_new (gulong, sinks->len);
  g_autoptr (GstElement) old = gst_object_ref (self->inner);
  g_autoptr (GstIceWebRTC) old_ice = gst_object_ref (self->ice);
  g_autoptr (GstIceAgent) old_agent = gst_ice_webrtc_ref_agent (old_ice);
  g_autoptr (GstIceAgent) agent = NULL;

  GST_INFO_OBJECT (self, "another peer");
  gst_ice_webrtc_bin_forget_offer (self, TRUE);
  for (guint i = 0; i < sinks->len; i++)
    probes[i] = gst_pad_add_probe (sinks->pdata[i],
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, drop, NULL,
        NULL);
  take_away (self, old, sinks);

  g_mutex_lock (&self->lock);
  g_hash_table_remove_all (self->credentials);
  g_hash_table_remove_all (self->proposed);
  self->needs_offer = FALSE;
  g_mutex_unlock (&self->lock);
  gst_ice_webrtc_bin_make_inner (self);
  agent = gst_ice_webrtc_ref_agent (self->ice);
  copy_properties (G_OBJECT (old_agent), G_OBJECT (agent), GST_TYPE_ICE_AGENT);
  copy_properties (
      G_OBJECT (old_ice), G_OBJECT (self->ice), GST_TYPE_WEBRTC_ICE);
  copy_properties (G_OBJECT (old), G_OBJECT (self->inner), G_OBJECT_TYPE (old));
  gst_ice_webrtc_copy_servers (old_ice, self->ice);

  gst_element_set_state (self->inner, GST_STATE_READY);
  link_pads (self, sinks);
  gst_element_sync_state_with_parent (self->inner);
  for (guint i = 0; i < sinks->len; i++)
    gst_pad_remove_probe (sinks->pdata[i], probes[i]);
  gst_ice_webrtc_bin_forget_offer (self, FALSE);
  gst_ice_webrtc_bin_try_offer (self);
}
