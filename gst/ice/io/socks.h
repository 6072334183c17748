/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "proxy.h"

G_BEGIN_DECLS

/* A tunnel by CONNECT of SOCKS version 5 (RFC 1928), with user and password if
 * the proxy wants them (RFC 1929). */
IceStage *ice_socks_new (IceProxy *proxy, const gchar *host, guint16 port);

G_END_DECLS
