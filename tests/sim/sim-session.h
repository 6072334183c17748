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

typedef struct
{
  gchar *violation; /* (owned) (nullable) what was violated */
  /* Of a session that nothing but loss kept from connecting: packets of 1000
   * that are lost each way, and how long it took; else -1. */
  gint loss;
  gint64 connect_time;
} SimSessionResult;

void sim_session_run (
    const SimSessionOptions *options, SimSessionResult *ret_result);

G_END_DECLS
