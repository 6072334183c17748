/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A plain socket on loopback: a peer, or somebody hostile. */

#include <gio/gio.h>

#include "gst/ice/core/stun/builder.h"
#include "gst/ice/io/native.h"

typedef struct
{
  GSocket *socket; /* (owned) */
  IceAddress address;
} Stranger;

static inline void
stranger_init (Stranger *self)
{
  const IceAddress local = { .family = ICE_FAMILY_IPV4,
    .ip = { 127, 0, 0, 1 } };
  IceNativeAddress native;
  g_autoptr (GSocketAddress) address = g_socket_address_new_from_native (
      &native, ice_address_to_native (&local, &native));
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  self->socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
      G_SOCKET_PROTOCOL_UDP, &error);
  g_assert_no_error (error);
  g_socket_bind (self->socket, address, FALSE, &error);
  g_assert_no_error (error);
  bound = g_socket_get_local_address (self->socket, &error);
  self->address = local;
  self->address.port =
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

static inline void
stranger_clear (Stranger *self)
{
  g_clear_object (&self->socket);
}

static inline void
stranger_send (
    const Stranger *self, guint16 port, gconstpointer data, gsize size)
{
  g_autoptr (GSocketAddress) to =
      g_inet_socket_address_new_from_string ("127.0.0.1", port);
  g_autoptr (GError) error = NULL;

  g_socket_send_to (self->socket, to, data, size, NULL, &error);
  g_assert_no_error (error);
}

static inline void
stranger_send_stun (const Stranger *self, guint16 port, IceStunClass klass,
    guint8 id, const gchar *username)
{
  const guint8 ids[ICE_STUN_ID_SIZE] = { id, id, id, id };
  IceStunBuilder builder;
  IcePacket *packet;

  ice_stun_builder_init (&builder, klass, ICE_STUN_BINDING, ids);
  if (username)
    ice_stun_builder_add_string (&builder, ICE_STUN_USERNAME, username);
  packet = ice_stun_builder_end (&builder);
  stranger_send (self, port, packet->data, packet->size);
  ice_packet_unref (packet);
}

/* A port that was free a moment ago. */
static inline guint16
find_free_port (void)
{
  Stranger stranger;
  guint16 port;

  stranger_init (&stranger);
  port = stranger.address.port;
  stranger_clear (&stranger);
  return port;
}

static inline gboolean
is_free (guint16 port)
{
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new_from_string ("127.0.0.1", port);

  return g_socket_bind (socket, address, FALSE, NULL);
}
