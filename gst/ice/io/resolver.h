/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "../base/address.h"
#include "loop.h"

G_BEGIN_DECLS

/* Names to addresses with GResolver in the service thread, A and AAAA, at most
 * eight, with a deadline of its own: a slow name delays nothing else. */
typedef struct _IceResolve IceResolve;

/* Runs on the loop's thread; n_addresses is 0 when there was no answer. */
typedef void (*IceResolveFunc) (const IceAddress *addresses, guint n_addresses,
    const GError *error, gpointer user_data);

/* Loop thread. @func runs exactly once unless cancelled, never before this
 * returns; with it the IceResolve is gone. An IP literal is answered at
 * once, without a look-up. */
IceResolve *ice_resolve_start (IceLoop *loop, const gchar *host, guint16 port,
    IceTime timeout, IceResolveFunc func, gpointer user_data);
/* The same for where SRV says that @service is (RFC 2782): in its order, with
 * its ports; @port is that of @host itself, which is what counts when it says
 * nothing. "." says that there is no such service. */
IceResolve *ice_resolve_start_service (IceLoop *loop, const gchar *service,
    const gchar *protocol, const gchar *host, guint16 port, IceTime timeout,
    IceResolveFunc func, gpointer user_data);
/* Loop thread: @func is not called after this. NULL is fine. */
void ice_resolve_cancel (IceResolve *self);

G_END_DECLS
