/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "early.h"
#include "icesink.h"
#include "member.h"

G_BEGIN_DECLS

struct _GstIceSink
{
  GstBaseSink parent;

  GstIceMember member;
  gint resting; /* atomic: the peer takes no media */

  /* Under the object lock. */
  GstIceEarlyData early_mode;
  gboolean keyframe_on_connect;
  gboolean sync_is_set; /* by the user: then it stays */
  gint64 keyframe_at;   /* the last one that was asked for */

  GMutex lock;
  GCond cond; /* a path, room, or flushing */
  gboolean flushing;
  gboolean writable;
  gboolean over; /* nobody is there any more */
  gboolean told_size;
  GstIceEarly early;
  guint64 n_discarded; /* no room in time, or too large */
};

GST_DEBUG_CATEGORY_EXTERN (gst_ice_sink_debug);

/* icesink-send.c */

gboolean gst_ice_sink_unlock (GstBaseSink *sink);
gboolean gst_ice_sink_unlock_stop (GstBaseSink *sink);
GstFlowReturn gst_ice_sink_render (GstBaseSink *sink, GstBuffer *buffer);
GstFlowReturn gst_ice_sink_render_list (GstBaseSink *sink, GstBufferList *list);
/* GstIceTransport::writable */
void gst_ice_sink_on_writable (GstIceTransport *transport, GstIceSink *self);
/* A path came or went: who waits for it looks again. */
void gst_ice_sink_path_changed (GstIceSink *self);
/* GstIceStream::notify::current-direction */
void gst_ice_sink_on_direction (
    GstIceStream *stream, GParamSpec *pspec, GstIceSink *self);
GstIceEarlyData gst_ice_sink_get_early_mode (GstIceSink *self);

G_END_DECLS
