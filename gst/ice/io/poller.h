/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "../base/types.h"

G_BEGIN_DECLS

/* How a loop waits: epoll where there is one, g_poll elsewhere. One thread
 * uses a poller; only ice_poller_wake is for every thread. */
typedef struct
{
  gpointer data; /* as given to add */
  GIOCondition condition;
} IcePollerEvent;

typedef struct _IcePoller IcePoller;

struct _IcePoller
{
  gboolean (*add) (
      IcePoller *self, gint fd, GIOCondition condition, gpointer data);
  void (*modify) (
      IcePoller *self, gint fd, GIOCondition condition, gpointer data);
  void (*remove) (IcePoller *self, gint fd);
  /* Waits at most @timeout, ICE_TIME_NEVER for ever; returns how many events
   * it wrote. A wake-up is no event. */
  guint (*wait) (IcePoller *self, IceTime timeout, IcePollerEvent *ret_events,
      guint max_events);
  void (*wake) (IcePoller *self);
  void (*free) (IcePoller *self);
};

/* (nullable) when there are no descriptors left. */
IcePoller *ice_poller_new (void);

/* The two kinds, for ice_poller_new. */
IcePoller *ice_poller_epoll_new (void);
IcePoller *ice_poller_generic_new (void);

G_END_DECLS
