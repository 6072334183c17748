/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "icewebrtc.h"
#include "icewebrtcbin.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_ice_webrtc_bin_debug);

struct _GstIceWebRTCBin
{
  GstBin parent;

  GstElement *inner; /* (unowned) (nullable) the webrtcbin, our child */
  GstIceWebRTC *ice; /* (owned) its agent */

  GMutex lock;
  /* (owned) username fragment that webrtcbin generates -> Credentials that are
   * in its place since an ICE restart */
  GHashTable *credentials;
  GHashTable *proposed; /* (owned) likewise, of the last description made */
};

/* icewebrtcbin-signals.c */
void gst_ice_webrtc_bin_install_signals (GObjectClass *klass);
/* Once the webrtcbin is there. */
void gst_ice_webrtc_bin_connect_signals (GstIceWebRTCBin *self);

/* icewebrtcbin-pads.c */
#define GST_TYPE_ICE_WEBRTC_BIN_PAD (gst_ice_webrtc_bin_pad_get_type ())
G_DECLARE_FINAL_TYPE (GstIceWebRTCBinPad, gst_ice_webrtc_bin_pad, GST,
    ICE_WEBRTC_BIN_PAD, GstGhostPad)

void gst_ice_webrtc_bin_pads_class_init (GstElementClass *klass);
void gst_ice_webrtc_bin_connect_pads (GstIceWebRTCBin *self);
/* (transfer full) (nullable) what is behind a pad of ours */
GstPad *gst_ice_webrtc_bin_inner_pad (GstPad *pad);

/* icewebrtcbin-restart.c: a promise that stands before that of the application,
 * (transfer full), and puts other credentials into what webrtcbin made. */
GstPromise *gst_ice_webrtc_bin_wrap_description (GstIceWebRTCBin *self,
    const gchar *type, gboolean restart, GstPromise *promise);
/* It is going to be set. */
void gst_ice_webrtc_bin_take_description (
    GstIceWebRTCBin *self, const GstWebRTCSessionDescription *description);

/* icewebrtcbin-stats.c: likewise, adds what ICE knows */
GstPromise *
gst_ice_webrtc_bin_wrap_stats (GstIceWebRTCBin *self, GstPromise *promise);

G_END_DECLS
