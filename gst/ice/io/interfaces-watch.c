/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of the network: rtnetlink where there is one, else GNetworkMonitor
 * and a clock. One watch of the system tells all who listen. */
#include "interfaces-watch.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gstdio.h>

#include "netlink.h"
#include "service.h"

/* A network that comes up brings its addresses within this time. */
#define SETTLE_MS 50
#define POLL_MS 2000

struct _IceInterfacesWatch
{
  gatomicrefcount ref_count; /* of the list and of a running call */
  GSourceFunc func;
  gpointer user_data;
  GDestroyNotify destroy;
};

/* A way to hear of the system, and who wants to. Made for the first of them,
 * gone with the last. */
typedef struct
{
  GSource *(*make_source) (void); /* (transfer full) with its callback */
  GSource *source;                /* (owned) */
  GObject *monitor;               /* (owned) (nullable) */
  gulong handler;                 /* of it */
  GPtrArray *listeners; /* (owned) (nullable) (element-type IceInterfacesWatch)
                           NULL: nobody */
} Hub;

static GSource *make_poll_source (void);
static GSource *make_netlink_source (void);

static GMutex lock; /* for both */
static Hub generic = { .make_source = make_poll_source };
static Hub netlink = { .make_source = make_netlink_source };
static gboolean settling; /* service thread */

static void
watch_unref (IceInterfacesWatch *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  if (self->destroy)
    self->destroy (self->user_data);
  g_free (self);
}

static IceInterfacesWatch *
watch_ref (IceInterfacesWatch *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
hub_add_listeners (const Hub *self, GPtrArray *listeners)
{
  for (guint i = 0; self->listeners && i < self->listeners->len; i++)
    g_ptr_array_add (listeners, watch_ref (self->listeners->pdata[i]));
}

/* Service thread. Who is called may come and go meanwhile. */
static void
tell (gboolean only_generic)
{
  g_autoptr (GPtrArray) listeners =
      g_ptr_array_new_with_free_func ((GDestroyNotify) watch_unref);

  g_mutex_lock (&lock);
  hub_add_listeners (&generic, listeners);
  if (!only_generic)
    hub_add_listeners (&netlink, listeners);
  g_mutex_unlock (&lock);
  for (guint i = 0; i < listeners->len; i++) {
    IceInterfacesWatch *listener = listeners->pdata[i];

    listener->func (listener->user_data);
  }
}

static gboolean
on_poll (gpointer user_data)
{
  tell (TRUE);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_settled (gpointer user_data)
{
  settling = FALSE;
  tell (FALSE);
  return G_SOURCE_REMOVE;
}

/* Service thread. */
static gboolean
settle (gpointer user_data)
{
  if (!settling) {
    g_autoptr (GSource) source = g_timeout_source_new (SETTLE_MS);

    settling = TRUE;
    g_source_set_callback (source, on_settled, NULL, NULL);
    g_source_attach (source, ice_service_context ());
  }
  return G_SOURCE_REMOVE;
}

/* The thread of whoever first asked for the monitor. */
static void
on_network_changed (
    GNetworkMonitor *monitor, gboolean available, gpointer user_data)
{
  ice_service_invoke (settle, NULL, NULL);
}

static gboolean
on_message (gint fd, GIOCondition condition, gpointer user_data)
{
  ice_netlink_drain (fd);
  settle (NULL);
  return G_SOURCE_CONTINUE;
}

static GSource *
make_poll_source (void)
{
  GSource *source = g_timeout_source_new (POLL_MS);

  g_source_set_callback (source, on_poll, NULL, NULL);
  return source;
}

static void
close_descriptor (gpointer fd)
{
  g_close (GPOINTER_TO_INT (fd), NULL);
}

static GSource *
make_netlink_source (void)
{
  gint fd = ice_netlink_open ();
  GSource *source;

  if (fd < 0)
    return NULL;
  source = g_unix_fd_source_new (fd, G_IO_IN);
  g_source_set_callback (source, G_SOURCE_FUNC (on_message),
      GINT_TO_POINTER (fd), close_descriptor);
  return source;
}

/* FALSE: the system does not tell in this way. The lock is held. */
static gboolean
hub_open (Hub *self)
{
  if (self->listeners)
    return TRUE;
  self->source = self->make_source ();
  if (!self->source)
    return FALSE;
  self->listeners = g_ptr_array_new ();
  g_source_attach (self->source, ice_service_context ());
  return TRUE;
}

static void
hub_close (Hub *self)
{
  g_clear_pointer (&self->listeners, g_ptr_array_unref);
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}

static IceInterfacesWatch *
watch_new (
    Hub *hub, GSourceFunc func, gpointer user_data, GDestroyNotify destroy)
{
  IceInterfacesWatch *self = NULL;

  g_mutex_lock (&lock);
  if (hub_open (hub)) {
    self = g_new0 (IceInterfacesWatch, 1);
    g_atomic_ref_count_init (&self->ref_count);
    self->func = func;
    self->user_data = user_data;
    self->destroy = destroy;
    g_ptr_array_add (hub->listeners, self);
  }
  g_mutex_unlock (&lock);
  return self;
}

/* The monitor is asked for without the lock: it may start a thread or talk to
 * a service, and calls back where it likes. */
static void
connect_monitor (void)
{
  GObject *monitor = G_OBJECT (g_network_monitor_get_default ());
  gulong handler = g_signal_connect (
      monitor, "network-changed", G_CALLBACK (on_network_changed), NULL);
  gboolean unwanted;

  g_mutex_lock (&lock);
  unwanted = !generic.listeners || generic.monitor;
  if (!unwanted) {
    generic.monitor = g_object_ref (monitor);
    generic.handler = handler;
  }
  g_mutex_unlock (&lock);
  if (unwanted)
    g_signal_handler_disconnect (monitor, handler);
}

IceInterfacesWatch *
ice_interfaces_watch_new_generic (
    GSourceFunc func, gpointer user_data, GDestroyNotify destroy)
{
  IceInterfacesWatch *self = watch_new (&generic, func, user_data, destroy);

  connect_monitor ();
  return self;
}

IceInterfacesWatch *
ice_interfaces_watch_new (
    GSourceFunc func, gpointer user_data, GDestroyNotify destroy)
{
  IceInterfacesWatch *self = watch_new (&netlink, func, user_data, destroy);

  return self ? self
              : ice_interfaces_watch_new_generic (func, user_data, destroy);
}

/* The lock is held. */
static gboolean
hub_remove (Hub *self, IceInterfacesWatch *watch)
{
  if (!self->listeners || !g_ptr_array_remove_fast (self->listeners, watch))
    return FALSE;
  if (self->listeners->len == 0)
    hub_close (self);
  return TRUE;
}

void
ice_interfaces_watch_free (IceInterfacesWatch *self)
{
  GObject *monitor = NULL;
  gulong handler = 0;

  g_mutex_lock (&lock);
  if (!hub_remove (&netlink, self) && hub_remove (&generic, self) &&
      !generic.listeners) {
    monitor = g_steal_pointer (&generic.monitor);
    handler = generic.handler;
  }
  g_mutex_unlock (&lock);
  if (monitor)
    g_signal_handler_disconnect (monitor, handler);
  g_clear_object (&monitor);
  watch_unref (self);
}
