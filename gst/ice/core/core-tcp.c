/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stream connections of checks and media (RFC 6544): how they come, how they
 * go, and how long the idle ones stay. */
#include "core-private.h"

#include "ice/checker-tcp.h"

#include "purity.h"

/* RFC 8489 6.2.2: Ti, here of the connection itself. */
#define CONNECT_TIMEOUT (39500 * ICE_MSEC)
/* A SYN and its first two repetitions (RFC 6298 2.1, 5.5) were not answered:
 * the pairs that are frozen behind this one may do better. */
#define OVERDUE (3500 * ICE_MSEC)
/* Who connects has something to say: a round trip, and a lost packet. */
#define SILENCE_MAX (10 * ICE_SECOND)

/* (unowned) (nullable) the component of @stream, which may be one of several
 * branches, that a connection is of use to. */
static IceComponent *
find_component (const IceStream *stream, const IceConnection *connection)
{
  return stream->gather == connection->local->stream
      ? ice_stream_find_component (stream, connection->local->component)
      : NULL;
}

/* Coming. */

guint
ice_core_socket_accepted (
    IceCore *self, guint listener, const IceAddress *remote, IceTime now)
{
  IceConnection *connection;
  guint id = 0;

  if (self->closed)
    return 0;
  connection = ice_gatherer_accept (self->gatherer, listener, remote, now);
  if (connection)
    id = connection->id;
  ice_core_settle (self, now);
  return id;
}

gboolean
ice_core_connection_opened (
    IceCore *self, guint socket, const IceAddress *bound, IceTime now)
{
  IceConnection *connection =
      ice_gatherer_connection_opened (self->gatherer, socket, bound, now);
  IcePair *pair = NULL;

  if (connection == NULL)
    return FALSE;
  for (guint i = 0; i < self->sets->len && pair == NULL; i++) {
    IceChecklistSet *set = g_ptr_array_index (self->sets, i);

    pair = ice_checker_connected (set, connection, now);
    /* Pacing was minded when the SYN left. */
    if (pair)
      ice_checker_send_check (set, pair, now);
  }
  return TRUE;
}

/* Going. */

static void
forget_media (IceCore *self, IceComponent *component, IceCandidate *local)
{
  const IcePair *selected = component->selected;

  ice_component_unaccept_local (
      component, &self->context, self->gatherer, local);
  /* The pair of a former generation is not opened again: its successor is
   * being looked for. */
  if (selected && ice_pair_same_local (selected->local, local) &&
      selected->generation != component->stream->generation)
    ice_core_stop_component (self, component);
}

static void
connection_lost (IceCore *self, guint id, IceTime now)
{
  IceConnection *connection = ice_gatherer_find_connection (self->gatherer, id);

  for (guint i = 0; i < self->streams->len; i++) {
    IceComponent *component =
        find_component (g_ptr_array_index (self->streams, i), connection);

    if (component)
      forget_media (self, component, connection->local);
  }
  for (guint i = 0; i < self->sets->len; i++)
    ice_checker_disconnected (
        g_ptr_array_index (self->sets, i), connection, now);
}

gboolean
ice_core_connection_lost (
    IceCore *self, guint socket, const gchar *reason, IceTime now)
{
  const IceConnection *connection =
      ice_gatherer_find_connection (self->gatherer, socket);
  gchar remote[ICE_ADDRESS_STRLEN];

  if (connection == NULL)
    return FALSE;
  ice_log (&self->context, ICE_LOG_DEBUG, ICE_LOG_CHECK,
      "TCP connection with %s %s: %s",
      ice_address_to_string (&connection->remote, remote),
      connection->opened ? "closed" : "failed", reason);
  connection_lost (self, socket, now);
  ice_gatherer_forget_connection (self->gatherer, socket);
  return TRUE;
}

void
ice_core_socket_untrusted (
    IceCore *self, guint socket, const gchar *reason, IceTime now)
{
  ice_gatherer_socket_untrusted (self->gatherer, socket);
  ice_core_socket_failed (self, socket, reason, now);
}

void
ice_core_socket_closed (
    IceCore *self, guint socket, const gchar *reason, IceTime now)
{
  ice_core_socket_failed (self, socket, reason, now);
}

/* Staying. */

static gboolean
is_used (const IceCore *self, const IceConnection *connection)
{
  for (guint i = 0; i < self->sets->len; i++) {
    if (ice_checker_uses (g_ptr_array_index (self->sets, i), connection))
      return TRUE;
  }
  return FALSE;
}

/* Until when a component, which does not use it now, may want a connection.
 * RFC 8445 8.3.1: after the end for three seconds more, in which checks are
 * still answered. */
static IceTime
wanted_until (const IceComponent *component, const IceConnection *connection)
{
  if (component->state == ICE_STATE_CLOSED)
    return connection->opened_at;
  if (!connection->valid)
    return connection->used_at + SILENCE_MAX;
  if (component->state == ICE_STATE_FAILED)
    return connection->used_at + ICE_RELEASE_TIME;
  if (component->stream->completed_at == 0)
    return ICE_TIME_NEVER; /* the peer may still nominate it */
  return MAX (connection->used_at, component->stream->completed_at) +
      ICE_RELEASE_TIME;
}

static IceTime
stays_until (const IceCore *self, const IceConnection *connection)
{
  IceTime until = connection->opened_at;

  if (is_used (self, connection))
    return connection->opened ? ICE_TIME_NEVER
                              : connection->opened_at + CONNECT_TIMEOUT;
  if (!connection->opened)
    return until; /* nobody waits for it any more */
  for (guint i = 0; i < self->streams->len; i++) {
    const IceComponent *component =
        find_component (g_ptr_array_index (self->streams, i), connection);

    if (component)
      until = MAX (until, wanted_until (component, connection));
  }
  return until;
}

static IceTime
overdue_at (const IceConnection *connection)
{
  return connection->opened || connection->overdue
      ? ICE_TIME_NEVER
      : connection->opened_at + OVERDUE;
}

static void
close_connection (IceCore *self, IceConnection *connection, IceTime now)
{
  guint id = connection->id;

  ice_log (&self->context, ICE_LOG_DEBUG, ICE_LOG_CHECK,
      "TCP connection %u is not needed any more", id);
  connection_lost (self, id, now);
  ice_gatherer_close_connection (self->gatherer, id);
}

static void
connection_overdue (IceCore *self, IceConnection *connection)
{
  for (guint i = 0; i < self->sets->len; i++)
    ice_checker_overdue (g_ptr_array_index (self->sets, i), connection);
}

void
ice_core_run_connections (IceCore *self, IceTime now)
{
  IceConnection *connection;
  guint i = 0;

  while ((connection = ice_gatherer_get_connection (self->gatherer, i))) {
    if (now >= overdue_at (connection))
      connection_overdue (self, connection);
    if (now >= stays_until (self, connection))
      close_connection (self, connection, now);
    else
      i++;
  }
}

IceTime
ice_core_connections_deadline (const IceCore *self)
{
  IceConnection *connection;
  IceTime deadline = ICE_TIME_NEVER;

  for (guint i = 0;
       (connection = ice_gatherer_get_connection (self->gatherer, i)); i++) {
    deadline = MIN (deadline, overdue_at (connection));
    deadline = MIN (deadline, stays_until (self, connection));
  }
  return deadline;
}
