/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service.h"

#include <gio/gio.h>

/* What one dispatch runs at most, so that timers and descriptors of the thread
 * have their turn. */
#define MAX_BURST 64

typedef struct
{
  GSourceFunc func;
  gpointer user_data;
  GDestroyNotify notify; /* (nullable) */
} Call;

static GMutex lock;
static GQueue calls = G_QUEUE_INIT; /* (owned) (element-type Call) */
/* (owned) One for all calls, ready while there are some: a source for each is
 * a wake-up for each, and a thousand agents that connect have thousands. */
static GSource *source;

/* (transfer full) (nullable) */
static Call *
take_call (void)
{
  Call *call;

  g_mutex_lock (&lock);
  call = g_queue_pop_head (&calls);
  if (!call)
    g_source_set_ready_time (source, -1);
  g_mutex_unlock (&lock);
  return call;
}

/* A call may run the context itself, and then sees what follows, in order. */
static gboolean
calls_dispatch (GSource *self, GSourceFunc unused, gpointer user_data)
{
  Call *call;

  for (guint i = 0; i < MAX_BURST && (call = take_call ()) != NULL; i++) {
    call->func (call->user_data);
    if (call->notify)
      call->notify (call->user_data);
    g_free (call);
  }
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs calls_funcs = { .dispatch = calls_dispatch };

static gpointer
service_run (gpointer user_data)
{
  GMainContext *context = user_data;

  g_main_context_push_thread_default (context);
  for (;;)
    g_main_context_iteration (context, TRUE);
  return NULL;
}

/* GLib 2.74 makes types in two ways that lock each other out: a type that is
 * registered while another thread is in the class_init of one that needs it
 * stops both for good (GSocketAddress in the loop, GSocketClient here: seen in
 * one start of fifty on a busy machine). Those that both threads use are
 * registered before there is a second one of ours. */
static void
register_types (void)
{
  g_type_ensure (G_TYPE_SOCKET_ADDRESS);
  g_type_ensure (G_TYPE_INET_SOCKET_ADDRESS);
  g_type_ensure (G_TYPE_INET_ADDRESS);
  g_type_ensure (G_TYPE_SOCKET);
  g_type_ensure (G_TYPE_SOCKET_CONNECTABLE);
  g_type_ensure (G_TYPE_SOCKET_CONNECTION);
  g_type_ensure (G_TYPE_SOCKET_CLIENT);
  g_type_ensure (G_TYPE_RESOLVER);
  g_type_ensure (G_TYPE_CANCELLABLE);
}

GMainContext *
ice_service_context (void)
{
  static gsize context = 0;

  if (g_once_init_enter (&context)) {
    GMainContext *made = g_main_context_new ();

    register_types ();
    source = g_source_new (&calls_funcs, sizeof (GSource));
    g_source_set_static_name (source, "ice-service");
    g_source_set_can_recurse (source, TRUE);
    g_source_attach (source, made);
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
  Call *call = g_new (Call, 1);

  *call = (Call){ func, user_data, notify };
  ice_service_context ();
  g_mutex_lock (&lock);
  if (g_queue_is_empty (&calls))
    g_source_set_ready_time (source, 0);
  g_queue_push_tail (&calls, call);
  g_mutex_unlock (&lock);
}
