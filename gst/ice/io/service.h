/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The one process-wide thread with a GMainContext (design 9.12): application
 * signals without a main-context leave from it, and GResolver, GFileMonitor
 * and their like live in it. Started on first use, never joined. */
GMainContext *ice_service_context (void);
gboolean ice_service_is_current (void);
/* Queues @func there, in order; it runs once. */
void ice_service_invoke (
    GSourceFunc func, gpointer user_data, GDestroyNotify notify);

G_END_DECLS
