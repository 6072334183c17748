/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticenotify.h"

#include "gsticeagent.h"
#include "io/service.h"

typedef struct
{
  GstIceNotifyFunc func;
  gpointer data; /* (owned) by destroy */
  GDestroyNotify destroy;
} Item;

struct _GstIceNotify
{
  gatomicrefcount ref_count;
  GWeakRef agent;
  GMainContext *context; /* (owned) (nullable) NULL: the service thread */

  GMutex lock;
  GQueue items;       /* (owned) (element-type Item) under lock */
  gboolean scheduled; /* under lock: a dispatch is on its way */
};

static void
item_free (Item *item)
{
  if (item->destroy)
    item->destroy (item->data);
  g_free (item);
}

GstIceNotify *
gst_ice_notify_new (GstIceAgent *agent, GMainContext *context)
{
  GstIceNotify *self = g_new0 (GstIceNotify, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_weak_ref_init (&self->agent, agent);
  self->context = context ? g_main_context_ref (context) : NULL;
  g_mutex_init (&self->lock);
  g_queue_init (&self->items);
  return self;
}

GstIceNotify *
gst_ice_notify_ref (GstIceNotify *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
gst_ice_notify_unref (GstIceNotify *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_queue_clear_full (&self->items, (GDestroyNotify) item_free);
  g_weak_ref_clear (&self->agent);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gboolean dispatch (gpointer user_data);

static void
schedule (GstIceNotify *self)
{
  gst_ice_notify_ref (self);
  if (!self->context) {
    ice_service_invoke (dispatch, self, (GDestroyNotify) gst_ice_notify_unref);
    return;
  }

  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "GstIceNotify");
  g_source_set_callback (
      source, dispatch, self, (GDestroyNotify) gst_ice_notify_unref);
  g_source_attach (source, self->context);
}

/* One item for one dispatch, the next one being scheduled before: a handler may
 * run a main loop of its own and still see what follows, in order. */
static gboolean
dispatch (gpointer user_data)
{
  GstIceNotify *self = user_data;
  Item *item;
  gboolean more;

  g_mutex_lock (&self->lock);
  item = g_queue_pop_head (&self->items);
  more = self->scheduled = !g_queue_is_empty (&self->items);
  g_mutex_unlock (&self->lock);
  if (!item)
    return G_SOURCE_REMOVE;
  if (more)
    schedule (self);

  g_autoptr (GstIceAgent) agent = g_weak_ref_get (&self->agent);
  if (agent)
    item->func (agent, item->data);
  item_free (item);
  return G_SOURCE_REMOVE;
}

void
gst_ice_notify_push (GstIceNotify *self, GstIceNotifyFunc func, gpointer data,
    GDestroyNotify destroy)
{
  Item *item = g_new (Item, 1);
  gboolean idle;

  *item = (Item){ func, data, destroy };
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->items, item);
  idle = !self->scheduled;
  self->scheduled = TRUE;
  g_mutex_unlock (&self->lock);
  if (idle)
    schedule (self);
}
