/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of the network: rtnetlink where there is one, else GNetworkMonitor
 * and a clock. */
#include "interfaces-watch.h"

#include <gio/gio.h>

#include "service.h"

#ifdef __linux__
#include <errno.h>
#include <glib-unix.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

/* A network that comes up brings its addresses within this time. */
#define SETTLE_MS 50
#define POLL_MS 2000

typedef struct
{
  gatomicrefcount ref_count; /* of the sources that may call */
  GSourceFunc func;
  gpointer user_data;
  GDestroyNotify destroy;
  gint fd;
  GSource *settle; /* (owned) (nullable) service thread */
} Listener;

struct _IceInterfacesWatch
{
  GSource *source;  /* (owned) */
  GObject *monitor; /* (owned) (nullable) */
  gulong handler;   /* of it */
};

static void
listener_unref (gpointer user_data)
{
  Listener *self = user_data;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  if (self->destroy)
    self->destroy (self->user_data);
#ifdef __linux__
  if (self->fd >= 0)
    close (self->fd);
#endif
  g_free (self);
}

static gboolean
on_poll (gpointer user_data)
{
  Listener *self = user_data;

  self->func (self->user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_settled (gpointer user_data)
{
  Listener *self = user_data;

  g_clear_pointer (&self->settle, g_source_unref);
  self->func (self->user_data);
  return G_SOURCE_REMOVE;
}

/* Service thread. */
static gboolean
settle (gpointer user_data)
{
  Listener *self = user_data;

  if (self->settle)
    return G_SOURCE_REMOVE;
  self->settle = g_timeout_source_new (SETTLE_MS);
  g_atomic_ref_count_inc (&self->ref_count);
  g_source_set_callback (self->settle, on_settled, self, listener_unref);
  g_source_attach (self->settle, ice_service_context ());
  return G_SOURCE_REMOVE;
}

/* The thread of whoever first asked for the monitor. */
static void
on_network_changed (
    GNetworkMonitor *monitor, gboolean available, gpointer user_data)
{
  Listener *self = user_data;

  g_atomic_ref_count_inc (&self->ref_count);
  ice_service_invoke (settle, self, listener_unref);
}

static void
release_listener (gpointer user_data, GClosure *closure)
{
  listener_unref (user_data);
}

#ifdef __linux__
/* What exactly has changed is asked for anew: the kernel loses messages when
 * there are many, and says so by an error that is read here, too. */
static void
drain (gint fd)
{
  guint8 buffer[4096];
  gssize size;

  do
    size = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);
  while (size > 0 || (size < 0 && (errno == EINTR || errno == ENOBUFS)));
}

static gboolean
on_message (gint fd, GIOCondition condition, gpointer user_data)
{
  drain (fd);
  settle (user_data);
  return G_SOURCE_CONTINUE;
}

static gint
open_netlink (void)
{
  const struct sockaddr_nl address = { .nl_family = AF_NETLINK,
    .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
        RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };
  gint fd = socket (
      AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

  if (fd >= 0 &&
      bind (fd, (const struct sockaddr *) &address, sizeof address) < 0) {
    close (fd);
    fd = -1;
  }
  return fd;
}
#endif

static Listener *
listener_new (GSourceFunc func, gpointer user_data, GDestroyNotify destroy)
{
  Listener *self = g_new0 (Listener, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->func = func;
  self->user_data = user_data;
  self->destroy = destroy;
  self->fd = -1;
  return self;
}

/* Takes the reference on @listener. */
static IceInterfacesWatch *
watch_new (GSource *source, GSourceFunc callback, Listener *listener)
{
  IceInterfacesWatch *self = g_new0 (IceInterfacesWatch, 1);

  self->source = source;
  g_source_set_callback (source, callback, listener, listener_unref);
  g_source_attach (source, ice_service_context ());
  return self;
}

static IceInterfacesWatch *
watch_generic (Listener *listener)
{
  IceInterfacesWatch *self;

  g_atomic_ref_count_inc (&listener->ref_count);
  self = watch_new (g_timeout_source_new (POLL_MS), on_poll, listener);
  self->monitor = g_object_ref (G_OBJECT (g_network_monitor_get_default ()));
  self->handler = g_signal_connect_data (self->monitor, "network-changed",
      G_CALLBACK (on_network_changed), listener, release_listener, 0);
  return self;
}

IceInterfacesWatch *
ice_interfaces_watch_new_generic (
    GSourceFunc func, gpointer user_data, GDestroyNotify destroy)
{
  return watch_generic (listener_new (func, user_data, destroy));
}

IceInterfacesWatch *
ice_interfaces_watch_new (
    GSourceFunc func, gpointer user_data, GDestroyNotify destroy)
{
  Listener *listener = listener_new (func, user_data, destroy);

#ifdef __linux__
  listener->fd = open_netlink ();
  if (listener->fd >= 0)
    return watch_new (g_unix_fd_source_new (listener->fd, G_IO_IN),
        G_SOURCE_FUNC (on_message), listener);
#endif
  return watch_generic (listener);
}

void
ice_interfaces_watch_free (IceInterfacesWatch *self)
{
  if (self->monitor)
    g_signal_handler_disconnect (self->monitor, self->handler);
  g_clear_object (&self->monitor);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_free (self);
}
