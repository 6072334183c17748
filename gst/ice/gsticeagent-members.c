/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticepump-private.h"

/* Who shares a pump: an agent and its forks. What the core says is for one of
 * them, and each leaves by itself; the last one shuts the pump. */

static void
member_free (GstIceMember *self)
{
  gst_ice_notify_unref (self->notify);
  g_free (self);
}

void
gst_ice_pump_init_members (GstIcePump *self)
{
  self->members = g_ptr_array_new_with_free_func ((GDestroyNotify) member_free);
  self->owners = g_hash_table_new (NULL, NULL);
}

void
gst_ice_pump_clear_members (GstIcePump *self)
{
  g_ptr_array_unref (self->members);
  g_hash_table_unref (self->owners);
}

GstIceMember *
gst_ice_pump_find_member (GstIcePump *self, guint branch)
{
  for (guint i = 0; i < self->members->len; i++) {
    GstIceMember *member = self->members->pdata[i];

    if (member->branch == branch)
      return member;
  }
  return NULL;
}

static void
set_owner (GstIcePump *self, guint id, guint branch)
{
  if (id != 0)
    g_hash_table_insert (
        self->owners, GUINT_TO_POINTER (id), GUINT_TO_POINTER (branch));
}

gboolean
gst_ice_pump_find_owner (GstIcePump *self, guint id, guint *ret_branch)
{
  gpointer branch;

  if (!g_hash_table_lookup_extended (
          self->owners, GUINT_TO_POINTER (id), NULL, &branch))
    return FALSE;
  *ret_branch = GPOINTER_TO_UINT (branch);
  return TRUE;
}

/* Coming: any thread */

guint
gst_ice_pump_fork (GstIcePump *self, guint branch)
{
  guint fork = ice_core_fork (gst_ice_pump_lock_branch (self, branch));

  gst_ice_pump_unlock (self);
  return fork;
}

void
gst_ice_pump_join (GstIcePump *self, guint branch, GstIceNotify *notify)
{
  GstIceMember *member = g_new0 (GstIceMember, 1);

  member->branch = branch;
  member->notify = gst_ice_notify_ref (notify);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->members, member);
  g_mutex_unlock (&self->lock);
}

guint
gst_ice_pump_add_stream (GstIcePump *self, guint branch)
{
  guint id = ice_core_add_stream (gst_ice_pump_lock_branch (self, branch));

  set_owner (self, id, branch);
  gst_ice_pump_unlock (self);
  return id;
}

guint
gst_ice_pump_fork_stream (GstIcePump *self, guint branch, guint origin)
{
  IceCore *core = gst_ice_pump_lock (self);
  guint id = ice_core_fork_stream (core, branch, origin);

  set_owner (self, id, branch);
  gst_ice_pump_unlock (self);
  return id;
}

void
gst_ice_pump_remove_stream (GstIcePump *self, guint stream)
{
  ice_core_remove_stream (gst_ice_pump_lock (self), stream, ice_loop_now ());
  g_hash_table_remove (self->owners, GUINT_TO_POINTER (stream));
  gst_ice_pump_unlock (self);
}

guint
gst_ice_pump_new_server_id (GstIcePump *self)
{
  return ++self->last_server;
}

/* Telling: the loop's thread */

/* (nullable) Lock held. */
static GstIceMember *
find_addressee (GstIcePump *self, const IceOutput *output)
{
  guint id = 0, branch;

  switch (output->type) {
    case ICE_OUTPUT_LOCAL_CANDIDATE:
    case ICE_OUTPUT_REMOTE_CANDIDATE:
      id = output->candidate.stream;
      break;
    case ICE_OUTPUT_GATHERED:
    case ICE_OUTPUT_END_OF_CANDIDATES:
    case ICE_OUTPUT_FIRST_CHECK:
      id = output->stream.stream;
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      id = output->pair_selected.stream;
      break;
    case ICE_OUTPUT_STATE:
      id = output->state.transport;
      break;
    case ICE_OUTPUT_PATH_MTU:
      id = output->path_mtu.transport;
      break;
    case ICE_OUTPUT_CONSENT_LOST:
      id = output->consent_lost.transport;
      break;
    case ICE_OUTPUT_RESTART_NEEDED:
      id = output->restart.stream;
      break;
    case ICE_OUTPUT_ERROR:
      id = output->error.stream;
      break;
    case ICE_OUTPUT_ROLE:
      return gst_ice_pump_find_member (self, output->role.branch);
    default:
      break;
  }
  if (id != 0)
    return gst_ice_pump_find_owner (self, id, &branch)
        ? gst_ice_pump_find_member (self, branch)
        : NULL;
  /* Servers and sockets are everybody's: the oldest has asked for them. */
  return self->members->len > 0 ? self->members->pdata[0] : NULL;
}

void
gst_ice_pump_tell (GstIcePump *self, IceOutput *output)
{
  g_autoptr (GstIceNotify) notify = NULL;
  const GstIceMember *member;

  g_mutex_lock (&self->lock);
  member = find_addressee (self, output);
  if (member)
    notify = gst_ice_notify_ref (member->notify);
  g_mutex_unlock (&self->lock);
  if (notify)
    gst_ice_notify_push (
        notify, self->handle_output, output, (GDestroyNotify) ice_output_free);
  else
    ice_output_free (output);
}

/* Leaving */

typedef struct
{
  GstIcePump *pump; /* (owned) */
  guint branch;
  IceLoopFunc done; /* (nullable) */
  gpointer data;    /* (owned) by destroy */
  GDestroyNotify destroy;
} Close;

static void
close_free (Close *self)
{
  gst_ice_pump_unref (self->pump);
  if (self->destroy)
    self->destroy (self->data);
  g_free (self);
}

static gboolean
is_owned_by (gpointer id, gpointer branch, gpointer gone)
{
  return branch == gone;
}

/* (transfer full) (element-type GstIcePath) those of @branch, which nobody
 * finds any more. */
static GPtrArray *
remove_member (GstIcePump *self, guint branch)
{
  GPtrArray *paths =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_ice_path_unref);
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&self->lock);
  g_ptr_array_remove (self->members, gst_ice_pump_find_member (self, branch));
  g_hash_table_foreach_remove (
      self->owners, is_owned_by, GUINT_TO_POINTER (branch));
  g_hash_table_iter_init (&iter, self->paths);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    GstIcePath *path = value;

    if (path->branch != branch)
      continue;
    g_ptr_array_add (paths, gst_ice_path_ref (path));
    g_hash_table_iter_remove (&iter);
  }
  g_mutex_unlock (&self->lock);
  return paths;
}

static void
gst_ice_pump_shut (GstIcePump *self)
{
  GstIceMux *mux;

  self->closed = TRUE;
  gst_ice_pump_clear_tables (self);
  gst_ice_pump_init_tables (self);
  g_mutex_lock (&self->lock);
  mux = g_steal_pointer (&self->mux);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&mux, gst_ice_mux_unref);
  g_clear_pointer (&self->timer, ice_timer_free);
}

static void
leave (GstIcePump *self, guint branch)
{
  g_autoptr (GPtrArray) paths = NULL;
  GstIceMember *member;
  gboolean last = FALSE;

  g_mutex_lock (&self->lock);
  member = gst_ice_pump_find_member (self, branch);
  if (member) {
    member->leaving = TRUE;
    last = self->members->len == 1;
    ice_core_use_branch (self->core, branch);
    ice_core_close (self->core, ice_loop_now ());
  }
  g_mutex_unlock (&self->lock);
  if (!member)
    return;
  if (self->loop)
    gst_ice_pump_run (self); /* the goodbyes leave here */
  paths = remove_member (self, branch);
  for (guint i = 0; i < paths->len; i++) {
    GstIcePath *path = paths->pdata[i];
    gst_ice_link_close (path->link);
  }
  if (last)
    gst_ice_pump_shut (self);
}

static void
run_close (gpointer user_data)
{
  Close *call = user_data;

  /* Not in the midst of it: what is closed is the loop's. */
  if (gst_ice_pump_is_elsewhere (call->pump) ||
      (call->pump->loop && gst_ice_pump_move (call->pump))) {
    gst_ice_pump_close (call->pump, call->branch, call->done,
        g_steal_pointer (&call->data), g_steal_pointer (&call->destroy));
    return;
  }
  leave (call->pump, call->branch);
  if (call->done)
    call->done (call->data);
}

void
gst_ice_pump_close (GstIcePump *self, guint branch, IceLoopFunc done,
    gpointer data, GDestroyNotify destroy)
{
  g_autoptr (IceLoop) loop = gst_ice_pump_dup_loop (self);
  Close *call = g_new (Close, 1);

  *call = (Close){ gst_ice_pump_ref (self), branch, done, data, destroy };
  if (loop) {
    ice_loop_invoke (loop, run_close, call, (GDestroyNotify) close_free);
  } else {
    run_close (call);
    close_free (call);
  }
}
