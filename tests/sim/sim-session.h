/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One random session: its seed draws a topology, faults, an attacker and
 * calls; the invariants hold all the while, and where a path exists both ends
 * find it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 seed;
  gboolean trace;
  gboolean is_long; /* more of them stay for hours */
} SimSessionOptions;

/* (transfer full) (nullable) what was violated. */
gchar *sim_session_run (const SimSessionOptions *options);

G_END_DECLS
