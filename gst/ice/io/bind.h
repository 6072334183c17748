/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socket.h"

G_BEGIN_DECLS

/* Binds to @local, and when it has no port to one of the options' range.
 * @shared: to just that port, which another socket of ours that allows it has
 * (SO_REUSEPORT). */
gboolean ice_bind (GSocket *gsocket, const IceAddress *local,
    const IceSocketOptions *options, gboolean shared, GError **error);
/* @wanted with the port that the kernel gave. */
gboolean ice_bind_get_local (GSocket *gsocket, const IceAddress *wanted,
    IceAddress *ret_local, GError **error);

G_END_DECLS
