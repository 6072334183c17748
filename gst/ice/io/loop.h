/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "../base/types.h"

G_BEGIN_DECLS

/* A small pool of threads, each waiting on file descriptors and deadlines.
 * Many agents share one; a thousand agents are not a thousand threads. A
 * thread ends when its last user lets go, after the calls that were waiting
 * then; nobody joins it.
 *
 * A thread goes round: descriptors that are ready, then the calls that were
 * waiting, then the timers that were due, each of them once. Whatever keeps
 * itself busy keeps nobody else waiting. */
typedef struct _IceLoop IceLoop;

typedef void (*IceLoopFunc) (gpointer user_data);
typedef void (*IceLoopFdFunc) (
    gint fd, GIOCondition condition, gpointer user_data);

/* (transfer full) (nullable) the least used loop of the pool; NULL when the
 * system has no thread or descriptor left for a first one. */
IceLoop *ice_loop_acquire (void);
IceLoop *ice_loop_ref (IceLoop *self);
/* Safe from any thread, the loop's own included. */
void ice_loop_unref (IceLoop *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceLoop, ice_loop_unref)

gboolean ice_loop_is_current (IceLoop *self);
/* Runs @func on the loop's thread, in order of the calls; from any thread. */
void ice_loop_invoke (
    IceLoop *self, IceLoopFunc func, gpointer user_data, GDestroyNotify notify);
/* The clock of the whole library: g_get_monotonic_time. */
IceTime ice_loop_now (void);

/* Loop thread only. (nullable) when the kernel cannot watch @fd. A watch may
 * be freed at any time, from any watch's @func. */
typedef struct _IceWatch IceWatch;
IceWatch *ice_watch_new (IceLoop *loop, gint fd, GIOCondition condition,
    IceLoopFdFunc func, gpointer user_data);
void ice_watch_set_condition (IceWatch *self, GIOCondition condition);
void ice_watch_free (IceWatch *self);

/* Loop thread only. A deadline of ICE_TIME_NEVER disarms; @func runs once at
 * or after the deadline, equal deadlines in the order they were set. */
typedef struct _IceTimer IceTimer;
IceTimer *ice_timer_new (IceLoop *loop, IceLoopFunc func, gpointer user_data);
void ice_timer_set (IceTimer *self, IceTime deadline);
void ice_timer_free (IceTimer *self);

/* For stats and leak tests. */
guint ice_loop_pool_n_threads (void);

G_END_DECLS
