/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../base/address.h"

G_BEGIN_DECLS

/* The router that packets from @local leave by, IPv4. FALSE when there is none,
 * or the system does not say. */
gboolean ice_gateway_find (const IceAddress *local, IceAddress *ret_gateway);

/* For tests: the best default route of @interface in the text of
 * /proc/net/route. */
gboolean ice_gateway_parse (
    const gchar *table, const gchar *interface, IceAddress *ret_gateway);

G_END_DECLS
