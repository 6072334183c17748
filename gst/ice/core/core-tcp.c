/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stream connections: what comes and goes beside the sockets that the core
 * asked for. */
#include "core-private.h"

#include "purity.h"

guint
ice_core_socket_accepted (
    IceCore *self, guint listener, const IceAddress *remote, IceTime now)
{
  ice_core_settle (self, now);
  return 0; /* nothing listens */
}

void
ice_core_socket_closed (
    IceCore *self, guint socket, const gchar *reason, IceTime now)
{
  ice_core_socket_failed (self, socket, reason, now);
}
