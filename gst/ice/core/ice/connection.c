/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of stream connections (RFC 6544 7.1, 7.2, 11). */
#include "gatherer-private.h"

#include "../purity.h"

void
ice_connection_free (IceConnection *self)
{
  ice_candidate_unref (self->local);
  g_free (self);
}

IceConnection *
ice_gatherer_get_connection (IceGatherer *self, guint index)
{
  if (index >= self->connections->len)
    return NULL;
  return g_ptr_array_index (self->connections, index);
}

IceConnection *
ice_gatherer_find_connection (IceGatherer *self, guint id)
{
  for (guint i = 0; i < self->connections->len; i++) {
    IceConnection *connection = g_ptr_array_index (self->connections, i);

    if (connection->id == id)
      return connection;
  }
  return NULL;
}

IceConnection *
ice_gatherer_find_connection_to (
    IceGatherer *self, const IceCandidate *local, const IceAddress *remote)
{
  guint endpoint = ice_candidate_base_socket (local);

  for (guint i = 0; i < self->connections->len; i++) {
    IceConnection *connection = g_ptr_array_index (self->connections, i);

    if (connection->opened && connection->local->endpoint == endpoint &&
        ice_address_equal (&connection->remote, remote))
      return connection;
  }
  return NULL;
}

void
ice_gatherer_forget_connection (IceGatherer *self, guint id)
{
  IceConnection *connection = ice_gatherer_find_connection (self, id);

  if (connection)
    g_ptr_array_remove (self->connections, connection);
}

void
ice_gatherer_close_connection (IceGatherer *self, guint id)
{
  if (ice_gatherer_find_connection (self, id) == NULL)
    return;
  ice_gatherer_forget_connection (self, id);
  ice_outputs_add (self->context->out, ICE_OUTPUT_CLOSE_SOCKET)
      ->close_socket.socket = id;
}

void
ice_gather_close_connections (IceGatherer *self, const IceGatherSocket *socket)
{
  for (guint i = self->connections->len; i-- > 0;) {
    const IceConnection *connection = g_ptr_array_index (self->connections, i);

    if (!socket || connection->local->endpoint == socket->id)
      ice_gatherer_close_connection (self, connection->id);
  }
}

/* Security.md 0: strangers may connect as often as they like, and then say
 * nothing. The one that said nothing for the longest time makes room. */
static gboolean
make_room (IceGatherer *self, const IceCandidate *base)
{
  IceConnection *oldest = NULL;
  guint n = 0;

  for (guint i = 0; i < self->connections->len; i++) {
    IceConnection *connection = g_ptr_array_index (self->connections, i);

    if (connection->local->stream != base->stream ||
        connection->local->component != base->component)
      continue;
    n++;
    if (connection->accepted && !connection->valid &&
        (oldest == NULL || connection->used_at < oldest->used_at))
      oldest = connection;
  }
  if (n < ICE_MAX_CONNECTIONS)
    return TRUE;
  if (oldest == NULL)
    return FALSE;
  ice_gatherer_close_connection (self, oldest->id);
  return TRUE;
}

static IceConnection *
add_connection (IceGatherer *self, const IceCandidate *base,
    const IceAddress *remote, IceTime now)
{
  IceConnection *connection;

  if (!make_room (self, base))
    return NULL;
  connection = g_new0 (IceConnection, 1);
  connection->id = ice_context_new_id (self->context);
  connection->local = ice_candidate_copy (base);
  connection->local->socket = connection->id;
  connection->local->endpoint = ice_candidate_base_socket (base);
  connection->remote = *remote;
  connection->opened_at = connection->used_at = now;
  g_ptr_array_add (self->connections, connection);
  return connection;
}

IceConnection *
ice_gatherer_connect (IceGatherer *self, const IceCandidate *local,
    const IceAddress *remote, IceTime now)
{
  const IceGatherSocket *socket =
      ice_gather_find_socket (self, ice_candidate_base_socket (local));
  IceConnection *connection;
  IceOutput *output;

  if (!socket || !socket->host)
    return NULL;
  connection = add_connection (self, socket->host, remote, now);
  if (connection == NULL)
    return NULL;
  output = ice_outputs_add (self->context->out, ICE_OUTPUT_CONNECT);
  output->connect.socket = connection->id;
  output->connect.transport = socket->transport;
  /* RFC 6544 7.1: simultaneous-open leaves from the port that listens. */
  output->connect.local =
      socket->tcp_type == ICE_TCP_TYPE_SO ? socket->bound : socket->address;
  output->connect.remote = *remote;
  output->connect.framing = ICE_FRAMING_RFC4571;
  output->connect.kind = ICE_TRANSPORT_TCP;
  return connection;
}

IceConnection *
ice_gatherer_connection_opened (
    IceGatherer *self, guint id, const IceAddress *bound, IceTime now)
{
  IceConnection *connection = ice_gatherer_find_connection (self, id);

  if (connection == NULL || connection->opened)
    return NULL;
  connection->opened = TRUE;
  connection->opened_at = connection->used_at = now;
  connection->local->address = connection->local->base = *bound;
  return connection;
}

IceConnection *
ice_gatherer_accept (
    IceGatherer *self, guint listener, const IceAddress *remote, IceTime now)
{
  const IceGatherSocket *socket = ice_gather_find_socket (self, listener);
  IceConnection *connection;

  if (self->closed || !socket || !socket->host || !socket->direct ||
      socket->tcp_type == ICE_TCP_TYPE_NONE ||
      socket->tcp_type == ICE_TCP_TYPE_ACTIVE ||
      !ice_address_is_usable (remote))
    return NULL;
  connection = add_connection (self, socket->host, remote, now);
  if (connection)
    connection->opened = connection->accepted = TRUE;
  return connection;
}
