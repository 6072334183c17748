/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop.h"
#include "portmap.h"

G_BEGIN_DECLS

/* Asks the routers of this host for mappings: the sockets and the timer around
 * IcePortmap, one for each local address. Loop thread only. */
typedef struct _IcePortMapper IcePortMapper;

/* Once for each port that was added, and again whenever it changes; not from
 * inside a call. */
typedef void (*IcePortMapperFunc) (
    const IcePortmapEvent *event, gpointer user_data);

IcePortMapper *
ice_port_mapper_new (IceLoop *loop, IcePortMapperFunc func, gpointer user_data);
/* Routers are told to forget what is still mapped; nothing is called back. */
void ice_port_mapper_free (IcePortMapper *self);
/* @local: IPv4, the address and port that are bound. @router (nullable):
 * instead of the default route's, for tests. */
void
ice_port_mapper_add (IcePortMapper *self, guint id, IcePortmapProtocol protocol,
    const IceAddress *local, const IceAddress *router);
/* Unknown ids are fine. */
void ice_port_mapper_remove (IcePortMapper *self, guint id);

G_END_DECLS
