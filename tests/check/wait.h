/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* For tests that look on while other threads work: fails the test, and says
 * for what, when @condition does not hold within @timeout (in microseconds).
 * @text is the condition as written, @pause what is done between two looks. */
#define wait_with(condition, text, timeout, pause)                             \
  G_STMT_START                                                                 \
  {                                                                            \
    const gint64 end_ = g_get_monotonic_time () + (timeout);                   \
    while (!(condition)) {                                                     \
      if (g_get_monotonic_time () > end_)                                      \
        g_error ("%s:%d: waited in vain for %s", __FILE__, __LINE__, text);    \
      pause;                                                                   \
    }                                                                          \
  }                                                                            \
  G_STMT_END
