/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two cores on the network of tcp-net.h: setting up, and asking. */
#pragma once

#include "tcp-net.h"

/* Setting up. */

static inline void
lab_host_init (
    Lab *lab, guint index, const gchar *name, const gchar *ip, IceTcpPolicy tcp)
{
  LabHost *self = &lab->hosts[index];
  IceWorld world = { .random = lab_random, .user = self };
  IceCoreConfig config;

  self->lab = lab;
  self->name = name;
  self->dice = 7 + index;
  self->ip = lab_address (ip, 0);
  self->next_port = 40000;
  self->sockets = g_ptr_array_new_with_free_func (g_free);
  self->accepts = g_array_new (FALSE, FALSE, sizeof (LabAccept));
  self->permitted = g_array_new (FALSE, FALSE, sizeof (IceAddress));
  self->candidates = g_ptr_array_new_with_free_func (g_free);
  ice_core_config_init (&config, &world);
  config.controlling = index == 0;
  config.gather.tcp = tcp;
  self->core = ice_core_new (&config, lab->now);
  ice_core_set_remote_pacing (self->core, 5);
  self->stream = ice_core_add_stream (self->core);
  self->transport = ice_core_add_component (self->core, self->stream, 1);
}

/* The first one is controlling. */
static inline void
lab_init (Lab *self, IceTcpPolicy first, IceTcpPolicy second)
{
  *self = (Lab){ .now = 1000 * ICE_SECOND };
  self->events = g_sequence_new (lab_event_free);
  lab_host_init (self, 0, "alice", "192.0.2.1", first);
  lab_host_init (self, 1, "bob", "192.0.2.2", second);
}

static inline void
lab_clear (Lab *self)
{
  for (guint i = 0; i < 2; i++) {
    LabHost *host = &self->hosts[i];

    ice_core_free (host->core);
    g_ptr_array_unref (host->sockets);
    g_array_unref (host->accepts);
    g_array_unref (host->permitted);
    g_ptr_array_unref (host->candidates);
    ice_candidate_unref (host->local);
    ice_candidate_unref (host->remote);
  }
  g_sequence_free (self->events);
}

static inline void
lab_introduce (LabHost *self)
{
  LabHost *other = lab_other (self);

  g_assert_true (ice_core_set_remote_credentials (self->core, self->stream,
      ice_core_get_local_ufrag (other->core, other->stream),
      ice_core_get_local_pwd (other->core, other->stream), self->lab->now));
}

static inline void
lab_gather (LabHost *self)
{
  IceInterfaceAddress interface = { .address = self->ip, .interface_index = 1 };

  ice_core_set_interfaces (self->core, &interface, 1, self->lab->now);
  ice_core_gather (self->core, self->stream, self->lab->now);
}

static inline void
lab_start (Lab *self)
{
  lab_introduce (&self->hosts[0]);
  lab_introduce (&self->hosts[1]);
  lab_gather (&self->hosts[0]);
  lab_gather (&self->hosts[1]);
  lab_pump (self);
}

/* Asking. */

static inline guint
lab_count_connections (const LabHost *self)
{
  guint n = 0;

  for (guint i = 0; i < self->sockets->len; i++) {
    const LabConnection *socket = g_ptr_array_index (self->sockets, i);

    n += socket->id != 0 && socket->remote.family != ICE_FAMILY_NONE;
  }
  return n;
}

/* The route of @self is a connection whose other end takes media from it. */
static inline gboolean
lab_flows (LabHost *self)
{
  LabConnection *socket = lab_find (self, self->route_socket);
  LabHost *other = lab_other (self);

  if (socket == NULL || socket->peer == NULL)
    return FALSE;
  for (guint i = 0; i < other->accepts->len; i++) {
    const LabAccept *accept = &g_array_index (other->accepts, LabAccept, i);

    if (accept->socket == socket->peer->id &&
        ice_address_equal (&accept->from, &socket->peer->remote))
      return TRUE;
  }
  return FALSE;
}

static inline void
lab_assert_call (Lab *self)
{
  for (guint i = 0; i < 2; i++) {
    LabHost *host = &self->hosts[i];

    g_test_message ("%s: %s, route %u, %u connections", host->name,
        ice_state_to_string (host->state), host->route_socket,
        lab_count_connections (host));
    g_assert_cmpint (host->state, ==, ICE_STATE_COMPLETED);
    g_assert_true (host->nominated);
    g_assert_true (lab_flows (host));
  }
}

/* Both ends of the connection that carries the media hear RST. */
static inline void
lab_reset_route (Lab *self)
{
  LabConnection *socket =
      lab_find (&self->hosts[0], self->hosts[0].route_socket);

  g_assert_nonnull (socket);
  g_assert_nonnull (socket->peer);
  lab_schedule (self, LAB_END, socket->peer, 0);
  lab_schedule (self, LAB_END, socket, 0);
}
