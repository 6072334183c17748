/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Thousands of connections that are silent most of the time, in one thread. A
 * GMainContext looks at each of its sources in each round; with this it has two
 * for all of them, where the system has epoll. */
typedef struct _GstIceWsPoller GstIceWsPoller;

typedef struct
{
  void (*readable) (gpointer user_data);
  void (*tick) (gpointer user_data); /* each second or so */
} GstIceWsPollerFuncs;

typedef struct _GstIceWsWatch GstIceWsWatch;

/* In the thread-default context of the caller, where all of it happens. */
GstIceWsPoller *gst_ice_ws_poller_new (void);
GstIceWsPoller *gst_ice_ws_poller_ref (GstIceWsPoller *self);
void gst_ice_ws_poller_unref (GstIceWsPoller *self);

/* Until it is removed; the functions may remove any. */
GstIceWsWatch *gst_ice_ws_poller_add (GstIceWsPoller *self, GSocket *socket,
    const GstIceWsPollerFuncs *funcs, gpointer user_data);
void gst_ice_ws_poller_remove (GstIceWsPoller *self, GstIceWsWatch *watch);

G_END_DECLS
