/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "loop.h"

G_BEGIN_DECLS

/* What the system says of proxies: GProxyResolver in the service thread, with a
 * deadline of its own. It may run a script, or ask a network. */
typedef struct _IceProxyLookup IceProxyLookup;

/* Loop thread. @uris, best first, is NULL when there was no answer. */
typedef void (*IceProxyLookupFunc) (
    const gchar *const *uris, const GError *error, gpointer user_data);

/* Loop thread. @func runs exactly once unless cancelled, never before this
 * returns; with it the lookup is gone. */
IceProxyLookup *ice_proxy_lookup_start (IceLoop *loop, const gchar *host,
    guint16 port, IceTime timeout, IceProxyLookupFunc func, gpointer user_data);
/* Loop thread: @func is not called after this. NULL is fine. */
void ice_proxy_lookup_cancel (IceProxyLookup *self);

G_END_DECLS
