/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "wspoller.h"

#ifdef __linux__
#include <glib-unix.h>
#include <sys/epoll.h>
#include <unistd.h>
#endif

#define MAX_EVENTS 256

struct _GstIceWsWatch
{
  GstIceWsPollerFuncs funcs;
  gpointer user_data;
  GSocket *socket;  /* (owned) */
  GSource *source;  /* (owned) (nullable) without epoll */
  gboolean removed; /* it goes when nobody looks at it any more */
};

struct _GstIceWsPoller
{
  guint refs;
  GMainContext *context; /* (owned) */
  GPtrArray *watches;    /* (owned) GstIceWsWatch (owned) */
  guint busy;            /* their functions are called */
  gboolean littered;     /* some were removed meanwhile */
  GSource *tick;         /* (owned) */
  gint epoll;            /* -1: there is none */
  GSource *source;       /* (owned) (nullable) of epoll */
};

static void
watch_free (gpointer data)
{
  GstIceWsWatch *watch = data;

  if (watch->source != NULL) {
    g_source_destroy (watch->source);
    g_source_unref (watch->source);
  }
  g_object_unref (watch->socket);
  g_free (watch);
}

static void
begin (GstIceWsPoller *self)
{
  self->busy++;
  self->refs++;
}

static void
end (GstIceWsPoller *self)
{
  guint i;

  if (--self->busy == 0 && self->littered) {
    self->littered = FALSE;
    for (i = self->watches->len; i-- > 0;)
      if (((GstIceWsWatch *) self->watches->pdata[i])->removed)
        g_ptr_array_remove_index_fast (self->watches, i);
  }
  gst_ice_ws_poller_unref (self);
}

static gboolean
on_tick (gpointer user_data)
{
  GstIceWsPoller *self = user_data;
  guint i;

  begin (self);
  for (i = 0; i < self->watches->len; i++) {
    GstIceWsWatch *watch = self->watches->pdata[i];

    if (!watch->removed)
      watch->funcs.tick (watch->user_data);
  }
  end (self);
  return G_SOURCE_CONTINUE;
}

#ifdef __linux__
static gboolean
on_events (gint fd, GIOCondition condition, gpointer user_data)
{
  GstIceWsPoller *self = user_data;
  struct epoll_event events[MAX_EVENTS];
  const gint n = epoll_wait (fd, events, MAX_EVENTS, 0);
  gint i;

  begin (self);
  for (i = 0; i < n; i++) {
    GstIceWsWatch *watch = events[i].data.ptr;

    if (!watch->removed)
      watch->funcs.readable (watch->user_data);
  }
  end (self);
  return G_SOURCE_CONTINUE;
}

static void
open_epoll (GstIceWsPoller *self)
{
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll < 0)
    return;
  self->source = g_unix_fd_source_new (self->epoll, G_IO_IN);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_events), self, NULL);
  g_source_attach (self->source, self->context);
}

static gboolean
watch_by_epoll (GstIceWsPoller *self, GstIceWsWatch *watch)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP,
    .data.ptr = watch };

  return self->epoll >= 0 &&
      epoll_ctl (self->epoll, EPOLL_CTL_ADD, g_socket_get_fd (watch->socket),
          &event) == 0;
}

static void
unwatch_by_epoll (GstIceWsPoller *self, GstIceWsWatch *watch)
{
  if (watch->source == NULL && !g_socket_is_closed (watch->socket))
    epoll_ctl (
        self->epoll, EPOLL_CTL_DEL, g_socket_get_fd (watch->socket), NULL);
}

static void
close_epoll (GstIceWsPoller *self)
{
  if (self->source == NULL)
    return;
  g_source_destroy (self->source);
  g_source_unref (self->source);
  close (self->epoll);
}
#else
static void
open_epoll (GstIceWsPoller *self)
{
  self->epoll = -1;
}

static gboolean
watch_by_epoll (GstIceWsPoller *self, GstIceWsWatch *watch)
{
  return FALSE;
}

static void
unwatch_by_epoll (GstIceWsPoller *self, GstIceWsWatch *watch)
{
}

static void
close_epoll (GstIceWsPoller *self)
{
}
#endif

static gboolean
on_readable (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  GstIceWsWatch *watch = user_data;

  if (!watch->removed)
    watch->funcs.readable (watch->user_data);
  return G_SOURCE_CONTINUE;
}

GstIceWsPoller *
gst_ice_ws_poller_new (void)
{
  GstIceWsPoller *self = g_new0 (GstIceWsPoller, 1);

  self->refs = 1;
  self->context = g_main_context_ref_thread_default ();
  self->watches = g_ptr_array_new_with_free_func (watch_free);
  self->tick = g_timeout_source_new_seconds (1);
  g_source_set_callback (self->tick, on_tick, self, NULL);
  g_source_attach (self->tick, self->context);
  open_epoll (self);
  return self;
}

GstIceWsPoller *
gst_ice_ws_poller_ref (GstIceWsPoller *self)
{
  self->refs++;
  return self;
}

void
gst_ice_ws_poller_unref (GstIceWsPoller *self)
{
  if (--self->refs > 0)
    return;
  g_source_destroy (self->tick);
  g_source_unref (self->tick);
  close_epoll (self);
  g_ptr_array_unref (self->watches);
  g_main_context_unref (self->context);
  g_free (self);
}

GstIceWsWatch *
gst_ice_ws_poller_add (GstIceWsPoller *self, GSocket *socket,
    const GstIceWsPollerFuncs *funcs, gpointer user_data)
{
  GstIceWsWatch *watch = g_new0 (GstIceWsWatch, 1);

  watch->funcs = *funcs;
  watch->user_data = user_data;
  watch->socket = g_object_ref (socket);
  g_ptr_array_add (self->watches, watch);
  if (watch_by_epoll (self, watch))
    return watch;
  watch->source = g_socket_create_source (socket, G_IO_IN | G_IO_HUP, NULL);
  g_source_set_callback (
      watch->source, G_SOURCE_FUNC (on_readable), watch, NULL);
  g_source_attach (watch->source, self->context);
  return watch;
}

void
gst_ice_ws_poller_remove (GstIceWsPoller *self, GstIceWsWatch *watch)
{
  unwatch_by_epoll (self, watch);
  watch->removed = TRUE;
  if (self->busy > 0)
    self->littered = TRUE;
  else
    g_ptr_array_remove_fast (self->watches, watch);
}
