/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* I15: bytes that are allocated at this moment, by anybody in this process. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* FALSE: it cannot be known here, as under a sanitizer, which has its own
 * way to find a leak. */
gboolean sim_memory_is_counted (void);
gint64 sim_memory_live (void);

G_END_DECLS
