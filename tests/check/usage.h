/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a process has in use, for tests that do a thing over and over. */
typedef struct
{
  gsize n_bytes; /* on the heap and in use; 0 without AddressSanitizer */
  guint n_fds, n_threads;
} Usage;

/* Threads and sockets end a little after they were told to. @heap_rests: it
 * is waited for that, too. */
Usage usage_at_rest (gboolean heap_rests);
/* What @n_cycles in @elapsed (in microseconds) took was given back, but for
 * @max_growth bytes. */
void usage_check (const Usage *before, const Usage *after, guint n_cycles,
    gint64 elapsed, gsize max_growth);

G_END_DECLS
