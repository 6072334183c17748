/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "proxy.h"

G_BEGIN_DECLS

/* A tunnel by CONNECT (RFC 9110 9.3.6). Fails with ICE_STAGE_ERROR_AGAIN when
 * the proxy wants a password and closes the connection: the next stage of the
 * same proxy knows what to say. */
IceStage *ice_http_proxy_new (IceProxy *proxy, const gchar *host, guint16 port);

G_END_DECLS
