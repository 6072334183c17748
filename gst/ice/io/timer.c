/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop-private.h"

#define NOT_ARMED G_MAXUINT

struct _IceTimer
{
  IceLoop *loop;    /* (unowned) outlives its timers */
  IceLoopFunc func; /* with user_data */
  gpointer user_data;
  IceTime deadline;
  guint64 sequence;
  guint index; /* in the heap, or NOT_ARMED */
};

static IceTimer *
timer_at (const IceTimerHeap *self, guint index)
{
  return g_ptr_array_index (self->heap, index);
}

static gboolean
timer_is_before (const IceTimer *a, const IceTimer *b)
{
  return a->deadline < b->deadline ||
      (a->deadline == b->deadline && a->sequence < b->sequence);
}

static void
timer_heap_place (IceTimerHeap *self, guint index, IceTimer *timer)
{
  g_ptr_array_index (self->heap, index) = timer;
  timer->index = index;
}

static void
timer_heap_sift_up (IceTimerHeap *self, IceTimer *timer)
{
  guint index = timer->index;

  while (index > 0) {
    IceTimer *parent = timer_at (self, (index - 1) / 2);

    if (!timer_is_before (timer, parent))
      break;
    timer_heap_place (self, index, parent);
    index = (index - 1) / 2;
  }
  timer_heap_place (self, index, timer);
}

static void
timer_heap_sift_down (IceTimerHeap *self, IceTimer *timer)
{
  guint index = timer->index;
  guint child;

  while ((child = 2 * index + 1) < self->heap->len) {
    if (child + 1 < self->heap->len &&
        timer_is_before (timer_at (self, child + 1), timer_at (self, child)))
      child++;
    if (!timer_is_before (timer_at (self, child), timer))
      break;
    timer_heap_place (self, index, timer_at (self, child));
    index = child;
  }
  timer_heap_place (self, index, timer);
}

static void
timer_heap_insert (IceTimerHeap *self, IceTimer *timer)
{
  g_ptr_array_add (self->heap, timer);
  timer->index = self->heap->len - 1;
  timer_heap_sift_up (self, timer);
}

static void
timer_heap_remove (IceTimerHeap *self, IceTimer *timer)
{
  guint index = timer->index;
  IceTimer *last = timer_at (self, self->heap->len - 1);

  g_ptr_array_set_size (self->heap, self->heap->len - 1);
  timer->index = NOT_ARMED;
  if (last == timer)
    return;
  timer_heap_place (self, index, last);
  timer_heap_sift_up (self, last);
  timer_heap_sift_down (self, last);
}

void
ice_timer_heap_init (IceTimerHeap *self)
{
  self->heap = g_ptr_array_new ();
  self->sequence = 0;
  self->now = 0;
}

void
ice_timer_heap_clear (IceTimerHeap *self)
{
  g_clear_pointer (&self->heap, g_ptr_array_unref);
}

IceTime
ice_timer_heap_next (const IceTimerHeap *self)
{
  return self->heap->len > 0 ? timer_at (self, 0)->deadline : ICE_TIME_NEVER;
}

/* A timer that arms itself for the past comes after everything that is due
 * already, and not before the next round: it cannot keep the loop from its
 * sockets. */
void
ice_timer_heap_run (IceTimerHeap *self, IceTime now)
{
  guint64 first_of_round = self->sequence;

  self->now = now;
  while (self->heap->len > 0) {
    IceTimer *timer = timer_at (self, 0);

    if (timer->deadline > now || timer->sequence >= first_of_round)
      break;
    timer_heap_remove (self, timer);
    timer->func (timer->user_data);
  }
}

IceTimer *
ice_timer_new (IceLoop *loop, IceLoopFunc func, gpointer user_data)
{
  IceTimer *self;

  g_return_val_if_fail (ice_loop_is_current (loop), NULL);

  self = g_new0 (IceTimer, 1);
  self->loop = loop;
  self->func = func;
  self->user_data = user_data;
  self->deadline = ICE_TIME_NEVER;
  self->index = NOT_ARMED;
  return self;
}

void
ice_timer_set (IceTimer *self, IceTime deadline)
{
  IceTimerHeap *heap;

  g_return_if_fail (ice_loop_is_current (self->loop));

  heap = ice_loop_get_timers (self->loop);
  if (self->index != NOT_ARMED)
    timer_heap_remove (heap, self);
  if (deadline == ICE_TIME_NEVER)
    return;
  self->deadline = MAX (deadline, heap->now);
  self->sequence = heap->sequence++;
  timer_heap_insert (heap, self);
}

void
ice_timer_free (IceTimer *self)
{
  if (self == NULL)
    return;
  g_return_if_fail (ice_loop_is_current (self->loop));

  if (self->index != NOT_ARMED)
    timer_heap_remove (ice_loop_get_timers (self->loop), self);
  g_free (self);
}
