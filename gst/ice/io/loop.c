/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "io-log.h"
#include "loop-private.h"
#include "poller.h"

/* A loop spends under a microsecond on a packet and none on media that is
 * being sent, so one thread carries hundreds of agents; more threads than
 * cores would only take turns, and past four the media threads want the
 * cores. */
#define MAX_THREADS 4

/* What one wait may report. A round serves each of them once. */
#define MAX_EVENTS 64
/* And so many waits a round may have, while they are full: what had come before
 * a deadline is read before the deadline passes, or a thousand agents would
 * miss answers that lie in their sockets. */
#define MAX_WAITS 128

typedef struct
{
  IceLoopFunc func;
  gpointer user_data;
  GDestroyNotify notify; /* (nullable) */
} Call;

struct _IceLoop
{
  guint users; /* under the pool's lock */

  /* The thread's own. */
  IcePoller *poller; /* (owned) its wake is for all */
  IceTimerHeap timers;
  IceRxPool *rx_pool; /* (owned) (nullable) made on first use */
  GPtrArray *buried;  /* (owned) (element-type IceWatch) freed in mid-round */

  GMutex lock;  /* for what follows */
  GQueue calls; /* (element-type Call) */
  gboolean sleeping;
  gboolean stopping;
};

struct _IceWatch
{
  IceLoop *loop; /* (unowned) outlives its watches */
  gint fd;       /* (unowned) */
  IceLoopFdFunc func;
  gpointer user_data;
  gboolean dead;
};

static GMutex pool_lock;
static GPtrArray *pool; /* (element-type IceLoop) those with users */
static gint n_threads;
static GPrivate current_loop;

static void
ice_loop_free (IceLoop *self)
{
  g_ptr_array_unref (self->buried);
  ice_timer_heap_clear (&self->timers);
  g_clear_pointer (&self->rx_pool, ice_rx_pool_free);
  self->poller->free (self->poller);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Sleeps no longer than until the next timer, and not at all while calls
 * wait. From here on a call has to wake us. */
static IceTime
ice_loop_prepare_to_sleep (IceLoop *self)
{
  IceTime deadline = ice_timer_heap_next (&self->timers);
  gboolean busy;

  g_mutex_lock (&self->lock);
  busy = self->stopping || !g_queue_is_empty (&self->calls);
  self->sleeping = !busy;
  g_mutex_unlock (&self->lock);

  if (busy)
    return 0;
  if (deadline == ICE_TIME_NEVER)
    return ICE_TIME_NEVER;
  return MAX (deadline - ice_loop_now (), 0);
}

/* Runs the calls that are there now; what they add waits for the next round,
 * so that calls cannot keep the loop from its sockets. */
static void
ice_loop_run_calls (IceLoop *self)
{
  GQueue calls;
  Call *call;

  g_mutex_lock (&self->lock);
  self->sleeping = FALSE;
  calls = self->calls;
  g_queue_init (&self->calls);
  g_mutex_unlock (&self->lock);

  while ((call = g_queue_pop_head (&calls)) != NULL) {
    call->func (call->user_data);
    if (call->notify != NULL)
      call->notify (call->user_data);
    g_free (call);
  }
}

static void
ice_loop_run_watches (
    IceLoop *self, const IcePollerEvent *events, guint n_events)
{
  guint i;

  for (i = 0; i < n_events; i++) {
    IceWatch *watch = events[i].data;

    if (!watch->dead)
      watch->func (watch->fd, events[i].condition, watch->user_data);
  }
}

/* Returns when nothing is ready any more, or it is the others' turn: up to when
 * everything that came was read. */
static IceTime
ice_loop_wait (IceLoop *self)
{
  IcePollerEvent events[MAX_EVENTS];
  IceTime now, timeout = ice_loop_prepare_to_sleep (self);
  guint n_events, n_waits = 0;

  do {
    n_events = self->poller->wait (self->poller, timeout, events, MAX_EVENTS);
    now = ice_loop_now ();
    ice_loop_run_watches (self, events, n_events);
    timeout = 0;
  } while (n_events == MAX_EVENTS && ++n_waits < MAX_WAITS);
  return now;
}

/* The last user is gone and nothing it asked for is left undone. */
static gboolean
ice_loop_is_finished (IceLoop *self)
{
  gboolean finished;

  g_mutex_lock (&self->lock);
  finished = self->stopping && g_queue_is_empty (&self->calls);
  g_mutex_unlock (&self->lock);
  return finished;
}

static gpointer
ice_loop_run (gpointer user_data)
{
  IceLoop *self = user_data;

  g_private_set (&current_loop, self);
  do {
    /* Events first: only here no watch of theirs can have been freed yet. */
    IceTime now = ice_loop_wait (self);

    ice_loop_run_calls (self);
    /* Not what became due meanwhile: an answer may have come meanwhile. */
    ice_timer_heap_run (&self->timers, now);
    g_ptr_array_set_size (self->buried, 0);
  } while (!ice_loop_is_finished (self));

  GST_DEBUG ("loop %p ends", self);
  ice_loop_free (self);
  g_atomic_int_add (&n_threads, -1);
  return NULL;
}

/* The thread is nobody's to join: the last reference may go on the thread
 * itself, and joining elsewhere would wait for whatever the thread waits
 * for. */
static IceLoop *
ice_loop_new (void)
{
  IcePoller *poller = ice_poller_new ();
  IceLoop *self;
  GThread *thread;

  if (poller == NULL)
    return NULL;

  self = g_new0 (IceLoop, 1);
  self->poller = poller;
  self->buried = g_ptr_array_new_with_free_func (g_free);
  ice_timer_heap_init (&self->timers);
  g_mutex_init (&self->lock);
  g_queue_init (&self->calls);

  g_atomic_int_add (&n_threads, 1);
  thread = g_thread_try_new ("ice-loop", ice_loop_run, self, NULL);
  if (thread == NULL) {
    g_atomic_int_add (&n_threads, -1);
    ice_loop_free (self);
    return NULL;
  }
  g_thread_unref (thread);
  GST_DEBUG ("loop %p begins", self);
  return self;
}

static IceLoop *
pool_find_least_used (void)
{
  IceLoop *best = NULL;
  guint i;

  for (i = 0; i < pool->len; i++) {
    IceLoop *loop = g_ptr_array_index (pool, i);

    if (best == NULL || loop->users < best->users)
      best = loop;
  }
  return best;
}

IceLoop *
ice_loop_acquire (void)
{
  IceLoop *self = NULL;

  g_mutex_lock (&pool_lock);
  if (pool == NULL)
    pool = g_ptr_array_new ();
  if (pool->len < MIN (g_get_num_processors (), MAX_THREADS)) {
    self = ice_loop_new ();
    if (self != NULL)
      g_ptr_array_add (pool, self);
  }
  /* Without threads or descriptors left, one more user on an old one. */
  if (self == NULL)
    self = pool_find_least_used ();
  if (self != NULL)
    self->users++;
  g_mutex_unlock (&pool_lock);

  if (self == NULL)
    GST_ERROR ("no thread or descriptor left for a loop");
  return self;
}

IceLoop *
ice_loop_ref (IceLoop *self)
{
  g_mutex_lock (&pool_lock);
  self->users++;
  g_mutex_unlock (&pool_lock);
  return self;
}

void
ice_loop_unref (IceLoop *self)
{
  gboolean last;

  g_mutex_lock (&pool_lock);
  last = --self->users == 0;
  if (last)
    g_ptr_array_remove_fast (pool, self);
  if (pool->len == 0)
    g_clear_pointer (&pool, g_ptr_array_unref);
  g_mutex_unlock (&pool_lock);
  if (!last)
    return;

  /* Under the lock, or the thread might be gone before the wake. */
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  self->poller->wake (self->poller);
  g_mutex_unlock (&self->lock);
}

gboolean
ice_loop_is_current (IceLoop *self)
{
  return g_private_get (&current_loop) == self;
}

void
ice_loop_invoke (
    IceLoop *self, IceLoopFunc func, gpointer user_data, GDestroyNotify notify)
{
  Call *call = g_new (Call, 1);

  call->func = func;
  call->user_data = user_data;
  call->notify = notify;

  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->calls, call);
  if (self->sleeping) {
    self->sleeping = FALSE;
    self->poller->wake (self->poller);
  }
  g_mutex_unlock (&self->lock);
}

IceTime
ice_loop_now (void)
{
  return g_get_monotonic_time ();
}

guint
ice_loop_pool_n_threads (void)
{
  return g_atomic_int_get (&n_threads);
}

IceTimerHeap *
ice_loop_get_timers (IceLoop *self)
{
  return &self->timers;
}

IceRxPool *
ice_loop_get_rx_pool (IceLoop *self)
{
  if (self->rx_pool == NULL)
    self->rx_pool = ice_rx_pool_new ();
  return self->rx_pool;
}

IceWatch *
ice_watch_new (IceLoop *loop, gint fd, GIOCondition condition,
    IceLoopFdFunc func, gpointer user_data)
{
  IceWatch *self;

  g_return_val_if_fail (ice_loop_is_current (loop), NULL);

  self = g_new0 (IceWatch, 1);
  self->loop = loop;
  self->fd = fd;
  self->func = func;
  self->user_data = user_data;
  if (!loop->poller->add (loop->poller, fd, condition, self)) {
    GST_WARNING ("descriptor %d cannot be watched", fd);
    g_free (self);
    return NULL;
  }
  return self;
}

void
ice_watch_set_condition (IceWatch *self, GIOCondition condition)
{
  g_return_if_fail (ice_loop_is_current (self->loop));

  self->loop->poller->modify (self->loop->poller, self->fd, condition, self);
}

void
ice_watch_free (IceWatch *self)
{
  if (self == NULL)
    return;
  g_return_if_fail (ice_loop_is_current (self->loop));

  self->loop->poller->remove (self->loop->poller, self->fd);
  /* The round that runs may still hold an event of it. */
  self->dead = TRUE;
  g_ptr_array_add (self->loop->buried, self);
}
