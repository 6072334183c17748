/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "interfaces.h"
#include "loop.h"
#include "mdns-message.h"

G_BEGIN_DECLS

/* One interface and one IP version: a socket that hears the group, and one
 * with a port of its own that asks (RFC 6762 5.1), so that answers by unicast
 * come to us and not to a daemon beside us. Loop thread only. */
typedef struct _IceMdnsPort IceMdnsPort;

/* @message dies with the call. */
typedef void (*IceMdnsPortFunc) (IceMdnsPort *port,
    const IceMdnsMessage *message, const IceAddress *from, gpointer user_data);

/* (transfer full) (nullable) when neither socket can be had. */
IceMdnsPort *ice_mdns_port_new (IceLoop *loop, const IceInterface *interface,
    IceMdnsPortFunc func, gpointer user_data);
void ice_mdns_port_free (IceMdnsPort *self);
gboolean
ice_mdns_port_is_of (const IceMdnsPort *self, const IceInterface *interface);
guint ice_mdns_port_get_index (const IceMdnsPort *self);
/* RFC 6762 11: what was not sent on the link is ignored; nobody else may tell
 * us addresses, or have us answer him. It asks the system: last of all tests.
 */
gboolean
ice_mdns_port_is_near (const IceMdnsPort *self, const IceAddress *from);

/* To the group, from the port of our own. */
void ice_mdns_port_ask (IceMdnsPort *self, IcePacket *query);
/* From port 5353 (RFC 6762 6); @to NULL: to the group. */
void ice_mdns_port_answer (
    IceMdnsPort *self, const IceAddress *to, IcePacket *response);

G_END_DECLS
