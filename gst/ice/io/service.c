/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service.h"

static gpointer
service_run (gpointer user_data)
{
  GMainContext *context = user_data;

  g_main_context_push_thread_default (context);
  for (;;)
    g_main_context_iteration (context, TRUE);
  return NULL;
}

GMainContext *
ice_service_context (void)
{
  static gsize context = 0;

  if (g_once_init_enter (&context)) {
    GMainContext *made = g_main_context_new ();

    g_thread_unref (g_thread_new ("ice-service", service_run, made));
    g_once_init_leave (&context, (gsize) made);
  }
  return (GMainContext *) context;
}

gboolean
ice_service_is_current (void)
{
  return g_main_context_is_owner (ice_service_context ());
}

void
ice_service_invoke (GSourceFunc func, gpointer user_data, GDestroyNotify notify)
{
  GSource *source = g_idle_source_new ();

  /* Not g_main_context_invoke: that runs at once when it can. */
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, user_data, notify);
  g_source_attach (source, ice_service_context ());
  g_source_unref (source);
}
