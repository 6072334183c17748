/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "stage.h"

G_BEGIN_DECLS

/* Where connections to servers have to go through, as an URI says it:
 * http://[USER:PASSWORD@]HOST[:PORT] (RFC 9110 9.3.6) or
 * socks5://[USER:PASSWORD@]HOST[:PORT] (RFC 1928, RFC 1929). */
typedef enum
{
  ICE_PROXY_HTTP,
  ICE_PROXY_SOCKS5,
} IceProxyKind;

typedef struct _IceProxy IceProxy;

/* G_IO_ERROR_INVALID_ARGUMENT, and a message without the password. */
IceProxy *ice_proxy_new (const gchar *uri, GError **error);
IceProxy *ice_proxy_ref (IceProxy *self);
void ice_proxy_unref (IceProxy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IceProxy, ice_proxy_unref)

/* For people: user, no password. */
const gchar *ice_proxy_get_url (const IceProxy *self);
const gchar *ice_proxy_get_host (const IceProxy *self);
guint16 ice_proxy_get_port (const IceProxy *self);

/* A stage that asks for a tunnel to @host, a name or an address literal, and
 * is open when there is one. A name is not looked up here: the proxy does. What
 * it learns about passwords stays with the proxy, for the next one; so all
 * stages of a proxy live on one thread. */
IceStage *ice_proxy_new_stage (IceProxy *self, const gchar *host, guint16 port);

G_END_DECLS
