/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtcbin-private.h"

#define GST_CAT_DEFAULT gst_ice_webrtc_bin_debug

/* Ghosts of webrtcbin's pads, under the same names and with their properties:
 * applications ask a pad for its transceiver. */

enum
{
  PROP_0,
  PROP_TRANSCEIVER,
  PROP_MSID,
};

struct _GstIceWebRTCBinPad
{
  GstGhostPad parent;
};

G_DEFINE_FINAL_TYPE (
    GstIceWebRTCBinPad, gst_ice_webrtc_bin_pad, GST_TYPE_GHOST_PAD)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink_%u",
    GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS ("application/x-rtp"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src_%u",
    GST_PAD_SRC, GST_PAD_SOMETIMES, GST_STATIC_CAPS ("application/x-rtp"));

GstPad *
gst_ice_webrtc_bin_inner_pad (GstPad *pad)
{
  return GST_IS_GHOST_PAD (pad) ? gst_ghost_pad_get_target (GST_GHOST_PAD (pad))
                                : NULL;
}

static void
gst_ice_webrtc_bin_pad_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_autoptr (GstPad) inner = gst_ice_webrtc_bin_inner_pad (GST_PAD (object));

  if (inner)
    g_object_get_property (G_OBJECT (inner), pspec->name, value);
}

static void
gst_ice_webrtc_bin_pad_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  g_autoptr (GstPad) inner = gst_ice_webrtc_bin_inner_pad (GST_PAD (object));
  GParamSpec *theirs;

  if (!inner)
    return;
  theirs =
      g_object_class_find_property (G_OBJECT_GET_CLASS (inner), pspec->name);
  if (theirs && (theirs->flags & G_PARAM_WRITABLE))
    g_object_set_property (G_OBJECT (inner), pspec->name, value);
  else
    GST_WARNING_OBJECT (object, "“%s” is the peer's to say", pspec->name);
}

static void
gst_ice_webrtc_bin_pad_class_init (GstIceWebRTCBinPadClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = gst_ice_webrtc_bin_pad_get_property;
  object_class->set_property = gst_ice_webrtc_bin_pad_set_property;
  g_object_class_install_property (object_class, PROP_TRANSCEIVER,
      g_param_spec_object ("transceiver", "Transceiver", "Of this pad",
          GST_TYPE_WEBRTC_RTP_TRANSCEIVER,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object_class, PROP_MSID,
      g_param_spec_string ("msid", "MSID", "MediaStream ID of this pad", NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
}

static void
gst_ice_webrtc_bin_pad_init (GstIceWebRTCBinPad *self)
{
}

/* Of a pad of webrtcbin, which is our child. */
static void
on_caps (GstPad *pad, GParamSpec *pspec, gpointer unused)
{
  g_autoptr (GstObject) inner = gst_object_get_parent (GST_OBJECT (pad));
  g_autoptr (GstObject) self = inner ? gst_object_get_parent (inner) : NULL;

  if (GST_IS_ICE_WEBRTC_BIN (self))
    gst_ice_webrtc_bin_try_offer (GST_ICE_WEBRTC_BIN (self));
}

void
gst_ice_webrtc_bin_set_target (GstPad *ghost, GstPad *inner)
{
  if (GST_PAD_IS_SINK (ghost))
    g_signal_connect (inner, "notify::caps", G_CALLBACK (on_caps), NULL);
  gst_ghost_pad_set_target (GST_GHOST_PAD (ghost), inner);
}

/* While one webrtcbin is changed for another, what was on its way into the old
 * one comes back as FLUSHING, which would end the stream of a live source. */
static GstFlowReturn
forgive (GstPad *pad, GstFlowReturn ret)
{
  g_autoptr (GstObject) self = gst_object_get_parent (GST_OBJECT (pad));
  const gboolean ours = ret == GST_FLOW_FLUSHING || ret == GST_FLOW_NOT_LINKED;

  return ours && !GST_PAD_IS_FLUSHING (pad) && GST_IS_ICE_WEBRTC_BIN (self) &&
          gst_ice_webrtc_bin_is_calling (GST_ICE_WEBRTC_BIN (self))
      ? GST_FLOW_OK
      : ret;
}

static GstFlowReturn
chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  return forgive (pad, gst_proxy_pad_chain_default (pad, parent, buffer));
}

static GstFlowReturn
chain_list (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  return forgive (pad, gst_proxy_pad_chain_list_default (pad, parent, list));
}

/* (transfer none) */
static GstPad *
add_ghost (GstIceWebRTCBin *self, GstPad *inner)
{
  GstStaticPadTemplate *template =
      GST_PAD_IS_SINK (inner) ? &sink_template : &src_template;
  g_autoptr (GstPadTemplate) made = gst_static_pad_template_get (template);
  g_autofree gchar *name = gst_pad_get_name (inner);
  GstPad *ghost = g_object_new (GST_TYPE_ICE_WEBRTC_BIN_PAD, "name", name,
      "direction", GST_PAD_DIRECTION (inner), "template", made, NULL);

  if (GST_PAD_IS_SINK (ghost)) {
    gst_pad_set_chain_function (ghost, chain);
    gst_pad_set_chain_list_function (ghost, chain_list);
  }
  gst_ice_webrtc_bin_set_target (ghost, inner);
  gst_pad_set_active (ghost, TRUE);
  gst_element_add_pad (GST_ELEMENT (self), ghost);
  return ghost;
}

static GstPad *
gst_ice_webrtc_bin_request_new_pad (GstElement *element,
    GstPadTemplate *template, const gchar *name, const GstCaps *caps)
{
  GstIceWebRTCBin *self = GST_ICE_WEBRTC_BIN (element);
  g_autoptr (GstElement) webrtc = gst_ice_webrtc_bin_ref_inner (self);
  g_autoptr (GstPad) inner = NULL;
  GstPadTemplate *theirs;

  if (!webrtc)
    return NULL;
  theirs = gst_element_get_pad_template (
      webrtc, GST_PAD_TEMPLATE_NAME_TEMPLATE (template));
  inner = gst_element_request_pad (webrtc, theirs, name, caps);
  return inner ? add_ghost (self, inner) : NULL;
}

static void
gst_ice_webrtc_bin_release_pad (GstElement *element, GstPad *pad)
{
  GstIceWebRTCBin *self = GST_ICE_WEBRTC_BIN (element);
  g_autoptr (GstElement) webrtc = gst_ice_webrtc_bin_ref_inner (self);
  g_autoptr (GstPad) inner = gst_ice_webrtc_bin_inner_pad (pad);

  gst_pad_set_active (pad, FALSE);
  gst_ghost_pad_set_target (GST_GHOST_PAD (pad), NULL);
  if (inner && webrtc && GST_PAD_PARENT (inner) == webrtc)
    gst_element_release_request_pad (webrtc, inner);
  gst_element_remove_pad (element, pad);
}

/* What webrtcbin tells */

static void
on_pad_added (GstElement *inner, GstPad *pad, GWeakRef *weak)
{
  g_autoptr (GstIceWebRTCBin) self = g_weak_ref_get (weak);

  /* Those that are requested come back by the request. */
  if (self && GST_PAD_IS_SRC (pad))
    add_ghost (self, pad);
}

static void
on_pad_removed (GstElement *inner, GstPad *pad, GWeakRef *weak)
{
  g_autoptr (GstIceWebRTCBin) self = g_weak_ref_get (weak);
  g_autofree gchar *name = gst_pad_get_name (pad);
  g_autoptr (GstPad) ghost = NULL;

  if (!self || !GST_PAD_IS_SRC (pad))
    return;
  ghost = gst_element_get_static_pad (GST_ELEMENT (self), name);
  if (!ghost)
    return;
  gst_ghost_pad_set_target (GST_GHOST_PAD (ghost), NULL);
  gst_pad_set_active (ghost, FALSE);
  gst_element_remove_pad (GST_ELEMENT (self), ghost);
}

static void
on_no_more_pads (GstElement *inner, GWeakRef *weak)
{
  g_autoptr (GstIceWebRTCBin) self = g_weak_ref_get (weak);

  if (self)
    gst_element_no_more_pads (GST_ELEMENT (self));
}

static void
free_weak_ref (gpointer data, GClosure *closure)
{
  g_weak_ref_clear (data);
  g_free (data);
}

static void
listen (GstIceWebRTCBin *self, const gchar *signal, GCallback callback)
{
  GWeakRef *weak = g_new0 (GWeakRef, 1);

  g_weak_ref_init (weak, self);
  g_signal_connect_data (self->inner, signal, callback, weak, free_weak_ref, 0);
}

void
gst_ice_webrtc_bin_connect_pads (GstIceWebRTCBin *self)
{
  listen (self, "pad-added", G_CALLBACK (on_pad_added));
  listen (self, "pad-removed", G_CALLBACK (on_pad_removed));
  listen (self, "no-more-pads", G_CALLBACK (on_no_more_pads));
}

void
gst_ice_webrtc_bin_pads_class_init (GstElementClass *klass)
{
  klass->request_new_pad = gst_ice_webrtc_bin_request_new_pad;
  klass->release_pad = gst_ice_webrtc_bin_release_pad;
  gst_element_class_add_static_pad_template_with_gtype (
      klass, &sink_template, GST_TYPE_ICE_WEBRTC_BIN_PAD);
  gst_element_class_add_static_pad_template_with_gtype (
      klass, &src_template, GST_TYPE_ICE_WEBRTC_BIN_PAD);
}
