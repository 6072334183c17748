/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "icewebrtc.h"
#include "icewebrtcbin.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_ice_webrtc_bin_debug);

struct _GstIceWebRTCBin
{
  GstBin parent;

  /* Under the object lock, as set. */
  gchar *uri;                 /* (owned) (nullable) */
  GstIceSignaller *signaller; /* (owned) (nullable) */

  GMutex lock;
  GstElement *inner;        /* (unowned) (nullable) the webrtcbin, our child */
  GstIceWebRTC *ice;        /* (owned) its agent */
  GstIceSignaller *meeting; /* (owned) (nullable) that is under way */
  gulong handlers[5];       /* of its signals */
  gboolean met;             /* a peer, since the beginning */
  gboolean may_offer, needs_offer;
  gboolean offering;                     /* until the answer is taken */
  GstWebRTCSessionDescription *prepared; /* (owned) (nullable) an offer */
  /* (owned) username fragment that webrtcbin generates -> Credentials that are
   * in its place since an ICE restart */
  GHashTable *credentials;
  GHashTable *proposed; /* (owned) likewise, of the last description made */
};

/* The child and its agent. */
void gst_ice_webrtc_bin_make_inner (GstIceWebRTCBin *self);
/* Whoever is not making or changing them asks here: another peer may come at
 * any time. Both (transfer full), the first one (nullable). */
GstElement *gst_ice_webrtc_bin_ref_inner (GstIceWebRTCBin *self);
GstIceWebRTC *gst_ice_webrtc_bin_ref_ice (GstIceWebRTCBin *self);

/* icewebrtcbin-renew.c: for another peer. Not in a streaming thread. */
void gst_ice_webrtc_bin_renew (GstIceWebRTCBin *self);

/* icewebrtcbin-call.c: signalling of our own, where "uri" or "signaller" says
 * how. FALSE: an error was posted. */
gboolean gst_ice_webrtc_bin_begin (GstIceWebRTCBin *self);
void gst_ice_webrtc_bin_end (GstIceWebRTCBin *self);
gboolean gst_ice_webrtc_bin_is_calling (GstIceWebRTCBin *self);
/* When what it waits for may be there. */
void gst_ice_webrtc_bin_try_offer (GstIceWebRTCBin *self);
void gst_ice_webrtc_bin_need_offer (GstIceWebRTCBin *self);
/* @hold: make no other one for now */
void gst_ice_webrtc_bin_forget_offer (GstIceWebRTCBin *self, gboolean hold);
void gst_ice_webrtc_bin_send_candidate (
    GstIceWebRTCBin *self, guint mline, const gchar *candidate);

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
/* Caps that arrive there may be what an offer waits for. */
void gst_ice_webrtc_bin_set_target (GstPad *ghost, GstPad *inner);
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
