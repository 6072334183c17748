/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "poller.h"

G_STATIC_ASSERT ((gint) G_IO_IN == EPOLLIN && (gint) G_IO_OUT == EPOLLOUT);
G_STATIC_ASSERT ((gint) G_IO_ERR == EPOLLERR && (gint) G_IO_HUP == EPOLLHUP);

#define MAX_EVENTS 64

typedef struct
{
  IcePoller parent;
  gint epoll_fd, wake_fd; /* (owned) */
  gint no_pwait2;         /* the kernel is older than Linux 5.11 */
} IcePollerEpoll;

static gboolean
poller_epoll_add (
    IcePoller *poller, gint fd, GIOCondition condition, gpointer data)
{
  IcePollerEpoll *self = (IcePollerEpoll *) poller;
  struct epoll_event event = { .events = condition, .data.ptr = data };

  return epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void
poller_epoll_modify (
    IcePoller *poller, gint fd, GIOCondition condition, gpointer data)
{
  IcePollerEpoll *self = (IcePollerEpoll *) poller;
  struct epoll_event event = { .events = condition, .data.ptr = data };

  epoll_ctl (self->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

static void
poller_epoll_remove (IcePoller *poller, gint fd)
{
  IcePollerEpoll *self = (IcePollerEpoll *) poller;

  epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* Microseconds where the kernel can: ICE paces in steps of 5 ms (RFC 8445
 * 14.2), and a millisecond of rounding on each is a fifth of the time to
 * connect. */
static gint
poller_epoll_wait_events (
    IcePollerEpoll *self, IceTime timeout, struct epoll_event *events)
{
#ifdef HAVE_EPOLL_PWAIT2
  if (!self->no_pwait2) {
    struct timespec ts = { .tv_sec = timeout / ICE_SECOND,
      .tv_nsec = timeout % ICE_SECOND * 1000 };
    gint n = epoll_pwait2 (self->epoll_fd, events, MAX_EVENTS,
        timeout == ICE_TIME_NEVER ? NULL : &ts, NULL);

    if (n >= 0 || errno != ENOSYS)
      return n;
    self->no_pwait2 = TRUE;
  }
#endif
  /* Rounded up: waking early would only wait again. */
  return epoll_wait (self->epoll_fd, events, MAX_EVENTS,
      timeout == ICE_TIME_NEVER
          ? -1
          : (gint) MIN ((timeout + ICE_MSEC - 1) / ICE_MSEC, G_MAXINT));
}

static guint
poller_epoll_wait (IcePoller *poller, IceTime timeout,
    IcePollerEvent *ret_events, guint max_events)
{
  IcePollerEpoll *self = (IcePollerEpoll *) poller;
  struct epoll_event events[MAX_EVENTS];
  guint n_events = 0;
  gint i, n;

  g_return_val_if_fail (max_events >= MAX_EVENTS, 0);

  n = poller_epoll_wait_events (self, timeout, events);
  for (i = 0; i < n; i++) {
    if (events[i].data.ptr == NULL) {
      eventfd_t count;

      eventfd_read (self->wake_fd, &count);
      continue;
    }
    ret_events[n_events].data = events[i].data.ptr;
    ret_events[n_events].condition = events[i].events;
    n_events++;
  }
  return n_events;
}

static void
poller_epoll_wake (IcePoller *poller)
{
  eventfd_write (((IcePollerEpoll *) poller)->wake_fd, 1);
}

static void
poller_epoll_free (IcePoller *poller)
{
  IcePollerEpoll *self = (IcePollerEpoll *) poller;

  if (self->wake_fd >= 0)
    close (self->wake_fd);
  if (self->epoll_fd >= 0)
    close (self->epoll_fd);
  g_free (self);
}

IcePoller *
ice_poller_epoll_new (void)
{
  IcePollerEpoll *self = g_new0 (IcePollerEpoll, 1);

  self->parent.add = poller_epoll_add;
  self->parent.modify = poller_epoll_modify;
  self->parent.remove = poller_epoll_remove;
  self->parent.wait = poller_epoll_wait;
  self->parent.wake = poller_epoll_wake;
  self->parent.free = poller_epoll_free;
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->epoll_fd < 0 || self->wake_fd < 0 ||
      !poller_epoll_add (&self->parent, self->wake_fd, G_IO_IN, NULL)) {
    poller_epoll_free (&self->parent);
    return NULL;
  }
  return &self->parent;
}
