/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What will happen when: a heap, ordered by time and, of equals, by who was
 * first. */
#pragma once

#include "gst/ice/base/types.h"

G_BEGIN_DECLS

typedef void (*SimFunc) (gpointer user);

typedef struct
{
  IceTime at;
  guint64 serial;
  SimFunc func;
  gpointer user;
  GDestroyNotify destroy; /* (nullable) */
} SimEvent;

typedef struct
{
  GArray *heap; /* (owned) SimEvent */
  guint64 serial;
} SimEvents;

void sim_events_init (SimEvents *self);
void sim_events_clear (SimEvents *self);
void sim_events_add (SimEvents *self, IceTime at, SimFunc func, gpointer user,
    GDestroyNotify destroy);
/* ICE_TIME_NEVER: there are none. */
IceTime sim_events_next (const SimEvents *self);
/* (out) the next one, which is the caller's to destroy. */
void sim_events_take (SimEvents *self, SimEvent *ret_event);

G_END_DECLS
