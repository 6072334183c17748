/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One offer, several answers (RFC 8839 7): each answer after the first is taken
 * by a host that has a branch of the same core, streams and media of its own,
 * and nothing else. */
#include "sim-host-private.h"

#include "sim-watch.h"

SimHost *
sim_host_new_fork (SimHost *origin, const gchar *name)
{
  SimHost *self = g_new0 (SimHost, 1);

  self->net = origin->net;
  self->name = g_strdup (name);
  self->options = origin->options;
  self->origin = origin;
  self->core = origin->core;
  self->witness = origin->witness;
  self->process = origin->process;
  self->n_streams = origin->n_streams;
  self->n_components = origin->n_components;
  self->forks = g_ptr_array_new ();
  self->nodes = g_ptr_array_ref (origin->nodes);
  self->sockets = g_array_ref (origin->sockets);
  self->accepts = g_array_ref (origin->accepts);
  self->wake_at = ICE_TIME_NEVER;
  self->waiting = -1;
  g_ptr_array_add (origin->forks, self);
  ice_core_set_forking (origin->core, TRUE);
  sim_witness_forks (origin->witness);
  return self;
}

void
sim_host_use_branch (SimHost *self)
{
  ice_core_use_branch (self->core, self->branch);
}

void
sim_host_begin_fork (SimHost *self)
{
  SimHost *origin = self->origin;

  if (origin == NULL || self->branch)
    return;
  sim_host_use_branch (origin);
  self->branch = ice_core_fork (self->core);
  for (guint i = 0; i < self->n_streams; i++) {
    self->streams[i] =
        ice_core_fork_stream (self->core, self->branch, origin->streams[i]);
    for (guint j = 0; j < self->n_components; j++)
      self->transports[i * self->n_components + j].id =
          ice_core_add_component (self->core, self->streams[i], j + 1);
  }
}

static gboolean
has_transport (const SimHost *self, guint id)
{
  for (guint i = 0; i < self->n_streams * self->n_components; i++)
    if (self->transports[i].id == id)
      return TRUE;
  return FALSE;
}

static gboolean
has_stream (const SimHost *self, guint id)
{
  for (guint i = 0; i < self->n_streams; i++)
    if (self->streams[i] == id)
      return TRUE;
  return FALSE;
}

static SimHost *
find_owner (SimHost *self, gboolean (*has) (const SimHost *, guint), guint id)
{
  for (guint i = 0; i < self->forks->len; i++)
    if (has (g_ptr_array_index (self->forks, i), id))
      return g_ptr_array_index (self->forks, i);
  return self;
}

SimHost *
sim_host_find_transport_owner (SimHost *self, guint id)
{
  return find_owner (self, has_transport, id);
}

SimHost *
sim_host_find_stream_owner (SimHost *self, guint id)
{
  return find_owner (self, has_stream, id);
}

void
sim_host_set_tag (SimHost *self, guint tag)
{
  self->tag = tag;
}

guint
sim_host_n_branches (const SimHost *self)
{
  return 1 + self->forks->len;
}

SimTransport *
sim_host_any_transport (SimHost *self, guint n)
{
  guint each = self->n_streams * self->n_components;
  SimHost *host = self;

  if (n / each > self->forks->len)
    return NULL;
  if (n >= each)
    host = g_ptr_array_index (self->forks, n / each - 1);
  return &host->transports[n % each];
}
