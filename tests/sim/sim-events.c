/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-events.h"

#define EVENT(self, i) g_array_index ((self)->heap, SimEvent, i)

void
sim_events_init (SimEvents *self)
{
  *self = (SimEvents){ g_array_new (FALSE, FALSE, sizeof (SimEvent)), 0 };
}

void
sim_events_clear (SimEvents *self)
{
  for (guint i = 0; i < self->heap->len; i++)
    if (EVENT (self, i).destroy)
      EVENT (self, i).destroy (EVENT (self, i).user);
  g_array_unref (self->heap);
}

static gboolean
is_before (const SimEvent *a, const SimEvent *b)
{
  return a->at != b->at ? a->at < b->at : a->serial < b->serial;
}

void
sim_events_add (SimEvents *self, IceTime at, SimFunc func, gpointer user,
    GDestroyNotify destroy)
{
  SimEvent event = { at, self->serial++, func, user, destroy };
  guint i = self->heap->len;

  g_array_append_val (self->heap, event);
  while (i > 0 && is_before (&event, &EVENT (self, (i - 1) / 2))) {
    EVENT (self, i) = EVENT (self, (i - 1) / 2);
    i = (i - 1) / 2;
  }
  EVENT (self, i) = event;
}

IceTime
sim_events_next (const SimEvents *self)
{
  return self->heap->len ? EVENT (self, 0).at : ICE_TIME_NEVER;
}

void
sim_events_take (SimEvents *self, SimEvent *ret_event)
{
  guint n = self->heap->len - 1, i = 0;
  SimEvent last = EVENT (self, n);

  *ret_event = EVENT (self, 0);
  g_array_set_size (self->heap, n);
  if (n == 0)
    return;
  for (guint child = 1; child < n; child = 2 * i + 1) {
    if (child + 1 < n &&
        is_before (&EVENT (self, child + 1), &EVENT (self, child)))
      child++;
    if (!is_before (&EVENT (self, child), &last))
      break;
    EVENT (self, i) = EVENT (self, child);
    i = child;
  }
  EVENT (self, i) = last;
}
