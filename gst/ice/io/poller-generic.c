/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <fcntl.h>
#include <glib-unix.h>
#include <unistd.h>

#include "poller.h"
#include "udp-batch.h"

/* g_poll over an array: right everywhere, and linear in the sockets. */
typedef struct
{
  IcePoller parent;
  GArray *fds;      /* (owned) GPollFD; the first is the pipe */
  GPtrArray *datas; /* (owned) (element-type gpointer) beside fds */
  gint pipe[2];     /* (owned) */
  guint next;       /* where the next report begins, so that nobody starves */
} IcePollerGeneric;

static gint
poller_generic_find (IcePollerGeneric *self, gint fd)
{
  guint i;

  for (i = 1; i < self->fds->len; i++) {
    if (g_array_index (self->fds, GPollFD, i).fd == fd)
      return (gint) i;
  }
  return -1;
}

static gboolean
poller_generic_add (
    IcePoller *poller, gint fd, GIOCondition condition, gpointer data)
{
  IcePollerGeneric *self = (IcePollerGeneric *) poller;
  GPollFD poll_fd = { .fd = fd, .events = condition };

  g_array_append_val (self->fds, poll_fd);
  g_ptr_array_add (self->datas, data);
  return TRUE;
}

static void
poller_generic_modify (
    IcePoller *poller, gint fd, GIOCondition condition, gpointer data)
{
  IcePollerGeneric *self = (IcePollerGeneric *) poller;
  gint i = poller_generic_find (self, fd);

  if (i >= 0)
    g_array_index (self->fds, GPollFD, i).events = condition;
}

static void
poller_generic_remove (IcePoller *poller, gint fd)
{
  IcePollerGeneric *self = (IcePollerGeneric *) poller;
  gint i = poller_generic_find (self, fd);

  if (i < 0)
    return;
  g_array_remove_index_fast (self->fds, i);
  g_ptr_array_remove_index_fast (self->datas, i);
}

static void
poller_generic_drain_pipe (IcePollerGeneric *self)
{
  guint8 bytes[64];

  while (read (self->pipe[0], bytes, sizeof bytes) == sizeof bytes)
    ;
}

static guint
poller_generic_wait (IcePoller *poller, IceTime timeout,
    IcePollerEvent *ret_events, guint max_events)
{
  IcePollerGeneric *self = (IcePollerGeneric *) poller;
  GPollFD *fds = (GPollFD *) self->fds->data;
  guint n_fds = self->fds->len;
  guint i, n_events = 0;
  gint msec = timeout == ICE_TIME_NEVER
      ? -1
      : (gint) MIN ((timeout + ICE_MSEC - 1) / ICE_MSEC, G_MAXINT);

  if (g_poll (fds, n_fds, msec) <= 0)
    return 0;
  if (fds[0].revents != 0)
    poller_generic_drain_pipe (self);
  for (i = 0; i < n_fds && n_events < max_events; i++) {
    guint at = (self->next + i) % n_fds;

    if (at == 0 || fds[at].revents == 0)
      continue;
    ret_events[n_events].data = g_ptr_array_index (self->datas, at);
    ret_events[n_events].condition = fds[at].revents;
    n_events++;
  }
  self->next = (self->next + i) % n_fds;
  return n_events;
}

static void
poller_generic_wake (IcePoller *poller)
{
  IcePollerGeneric *self = (IcePollerGeneric *) poller;
  guint8 byte = 0;
  gssize written;

  /* A full pipe wakes as well. */
  written = write (self->pipe[1], &byte, 1);
  (void) written;
}

static void
poller_generic_free (IcePoller *poller)
{
  IcePollerGeneric *self = (IcePollerGeneric *) poller;

  close (self->pipe[0]);
  close (self->pipe[1]);
  g_array_unref (self->fds);
  g_ptr_array_unref (self->datas);
  g_free (self);
}

IcePoller *
ice_poller_generic_new (void)
{
  IcePollerGeneric *self;
  gint fds[2];

  if (!g_unix_open_pipe (fds, FD_CLOEXEC, NULL))
    return NULL;
  g_unix_set_fd_nonblocking (fds[0], TRUE, NULL);
  g_unix_set_fd_nonblocking (fds[1], TRUE, NULL);

  self = g_new0 (IcePollerGeneric, 1);
  self->parent.add = poller_generic_add;
  self->parent.modify = poller_generic_modify;
  self->parent.remove = poller_generic_remove;
  self->parent.wait = poller_generic_wait;
  self->parent.wake = poller_generic_wake;
  self->parent.free = poller_generic_free;
  self->fds = g_array_new (FALSE, TRUE, sizeof (GPollFD));
  self->datas = g_ptr_array_new ();
  self->pipe[0] = fds[0];
  self->pipe[1] = fds[1];
  poller_generic_add (&self->parent, fds[0], G_IO_IN, NULL);
  return &self->parent;
}

IcePoller *
ice_poller_new (void)
{
#ifdef HAVE_UDP_BATCH_LINUX
  /* One variable picks the portable path for waiting and for packets. */
  if (ice_udp_batch_resolve (ICE_UDP_BATCH_DEFAULT) == ICE_UDP_BATCH_LINUX)
    return ice_poller_epoll_new ();
#endif
  return ice_poller_generic_new ();
}
