/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gsticetypes.h"

G_BEGIN_DECLS

/* The ordered queue by which events reach the application (design 9.12): from
 * the io thread or any other, to the main context of the agent, or else to the
 * process-wide service thread. Holds the agent weakly: what is queued when the
 * agent goes is freed, not run. */
typedef struct _GstIceNotify GstIceNotify;

/* Runs with a reference to @agent held, and no lock. */
typedef void (*GstIceNotifyFunc) (GstIceAgent *agent, gpointer data);

GstIceNotify *gst_ice_notify_new (GstIceAgent *agent, GMainContext *context);
GstIceNotify *gst_ice_notify_ref (GstIceNotify *self);
void gst_ice_notify_unref (GstIceNotify *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceNotify, gst_ice_notify_unref)

/* Any thread, any lock held: nothing is called from here. */
void gst_ice_notify_push (GstIceNotify *self, GstIceNotifyFunc func,
    gpointer data, GDestroyNotify destroy);

G_END_DECLS
