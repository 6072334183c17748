/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../base/address.h"

G_BEGIN_DECLS

/* TRUE when @address is of a network that the interface with @index is on
 * (RFC 6762 11): link-local, or of the prefix of an address that it has. */
gboolean ice_is_on_link (guint index, const IceAddress *address);

G_END_DECLS
