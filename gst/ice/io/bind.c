/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which port a socket gets. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>

#include "bind.h"

#include "native.h"

/* GSocket takes SO_REUSEPORT away from streams when it binds. */
static gboolean
bind_shared (GSocket *gsocket, const IceAddress *local, GError **error)
{
  IceNativeAddress native;
  socklen_t native_size = ice_address_to_native (local, &native);
  const gint fd = g_socket_get_fd (gsocket);

#ifdef SO_REUSEPORT
  g_socket_set_option (gsocket, SOL_SOCKET, SO_REUSEPORT, 1, NULL);
#endif
  if (bind (fd, &native.any, native_size) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
      "Error binding to address: %s", g_strerror (errno));
  return FALSE;
}

static gboolean
bind_port (
    GSocket *gsocket, const IceAddress *local, guint16 port, GError **error)
{
  g_autoptr (GSocketAddress) address = NULL;
  IceAddress with_port = *local;
  IceNativeAddress native;
  socklen_t native_size;

  with_port.port = port;
  native_size = ice_address_to_native (&with_port, &native);
  address = g_socket_address_new_from_native (&native, native_size);
  return g_socket_bind (gsocket, address, FALSE, error);
}

/* Starts anywhere in the range, so that neither a second socket nor a second
 * process walks through the first one's ports, and tries each once. */
static gboolean
bind_range (GSocket *gsocket, const IceAddress *local, guint16 min_port,
    guint16 max_port, GError **error)
{
  guint n_ports = (guint) max_port - min_port + 1;
  guint start = (guint) g_random_int_range (0, (gint32) n_ports);
  guint i;

  for (i = 0; i < n_ports; i++) {
    g_autoptr (GError) port_error = NULL;
    guint16 port = (guint16) (min_port + (start + i) % n_ports);

    if (bind_port (gsocket, local, port, &port_error))
      return TRUE;
    if (!g_error_matches (port_error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE) &&
        !g_error_matches (
            port_error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED)) {
      g_propagate_error (error, g_steal_pointer (&port_error));
      return FALSE;
    }
  }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
      "no free %s port between %u and %u: widen min-port and max-port",
      g_socket_get_socket_type (gsocket) == G_SOCKET_TYPE_STREAM ? "TCP"
                                                                 : "UDP",
      min_port, max_port);
  return FALSE;
}

gboolean
ice_bind (GSocket *gsocket, const IceAddress *local,
    const IceSocketOptions *options, gboolean shared, GError **error)
{
  guint16 min_port = options->min_port, max_port = options->max_port;

  if (shared)
    return bind_shared (gsocket, local, error);
  if (local->port != 0)
    return bind_port (gsocket, local, local->port, error);
  if (min_port == 0 && max_port == 0)
    return bind_port (gsocket, local, 0, error);

  /* One end alone leaves the other open; ports below 1024 are not meant. */
  if (min_port == 0)
    min_port = MIN (1024, max_port);
  if (max_port == 0)
    max_port = G_MAXUINT16;
  if (min_port > max_port) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "min-port %u is above max-port %u", min_port, max_port);
    return FALSE;
  }
  return bind_range (gsocket, local, min_port, max_port, error);
}

gboolean
ice_bind_get_local (GSocket *gsocket, const IceAddress *wanted,
    IceAddress *ret_local, GError **error)
{
  g_autoptr (GSocketAddress) address =
      g_socket_get_local_address (gsocket, error);

  if (address == NULL)
    return FALSE;
  *ret_local = *wanted;
  ret_local->port =
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  return TRUE;
}
