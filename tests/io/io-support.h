/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/ice/io/loop.h"

G_BEGIN_DECLS

/* Tests wait for conditions, not for time. What a loop's thread changes and
 * the test reads is changed and read between io_lock and io_unlock. */
void io_lock (void);
void io_unlock (void);

/* With the lock held; the deadline is ten seconds. */
#define io_wait_for(condition)                                                 \
  G_STMT_START                                                                 \
  {                                                                            \
    gint64 io_deadline = g_get_monotonic_time () + 10 * G_TIME_SPAN_SECOND;    \
    while (!(condition)) {                                                     \
      if (!io_wait_a_moment (io_deadline))                                     \
        g_error (                                                              \
            "%s:%d: not within 10 s: %s", __FILE__, __LINE__, #condition);     \
    }                                                                          \
  }                                                                            \
  G_STMT_END
gboolean io_wait_a_moment (gint64 deadline);

/* Runs @func on the loop's thread and returns when it is done. */
void io_run (IceLoop *loop, IceLoopFunc func, gpointer user_data);

/* How many descriptors the process has open. */
guint io_count_fds (void);
/* Waits until every loop's thread is gone. */
void io_wait_for_no_threads (void);

G_END_DECLS
