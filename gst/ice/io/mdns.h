/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "interfaces.h"
#include "loop.h"
#include "resolver.h"

G_BEGIN_DECLS

/* Multicast DNS (RFC 6762) for candidates that are named instead of shown
 * (draft-ietf-mmusic-mdns-ice-candidates): asking for the peers' names, and
 * answering for ours. All agents of the process share one set of sockets and
 * one limit on what they send (the draft, 6.1); the sockets are there while
 * somebody asks or is to be found. No daemon is needed, and one that runs is
 * not disturbed. */

/* One name. */
typedef struct _IceMdnsLookup IceMdnsLookup;

/* Loop thread. Asks on each of @interfaces by IPv4 and IPv6 as they have
 * addresses, and when nobody answered within 300 ms also GResolver, which knows
 * other ways. @func runs as that of ice_resolve_start, after @timeout at the
 * latest. More than one address means that it is no candidate's name. */
IceMdnsLookup *ice_mdns_lookup_start (IceLoop *loop, const gchar *name,
    guint16 port, const IceInterface *interfaces, guint n_interfaces,
    IceTime timeout, IceResolveFunc func, gpointer user_data);
/* Loop thread: @func is not called after this. NULL is fine. */
void ice_mdns_lookup_cancel (IceMdnsLookup *self);

/* A name of ours. */
typedef struct _IceMdnsName IceMdnsName;

/* Any thread. (transfer full) (nullable) announces @name for the address of
 * @interface there, and answers who asks on that link. NULL: it is not sane, or
 * there are too many, and the name leads nowhere. */
IceMdnsName *
ice_mdns_publish (const gchar *name, const IceInterface *interface);
/* Any thread: says goodbye (RFC 6762 10.1), and waits until that has left, a
 * tenth of a second at most. NULL is fine. */
void ice_mdns_withdraw (IceMdnsName *self);

G_END_DECLS
