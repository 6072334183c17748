/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop.h"
#include "rx-pool.h"

G_BEGIN_DECLS

/* A binary heap of armed timers. Equal deadlines run in the order they were
 * set. */
typedef struct
{
  GPtrArray *heap;  /* (owned) (element-type IceTimer) */
  guint64 sequence; /* breaks ties */
  IceTime now;      /* of the running round */
} IceTimerHeap;

void ice_timer_heap_init (IceTimerHeap *self);
void ice_timer_heap_clear (IceTimerHeap *self);
IceTime ice_timer_heap_next (const IceTimerHeap *self);
/* Runs what is due at @now, each timer at most once. */
void ice_timer_heap_run (IceTimerHeap *self, IceTime now);

/* Loop thread. */
IceTimerHeap *ice_loop_get_timers (IceLoop *self);
/* Loop thread. (transfer none) all sockets of a loop receive into one pool,
 * so that memory goes with threads, not with sockets. */
IceRxPool *ice_loop_get_rx_pool (IceLoop *self);

G_END_DECLS
