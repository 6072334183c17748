/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Is @host (nullable) a name or an address of this very host? What goes there
 * need not be encrypted. */
gboolean gst_ice_is_loopback (const gchar *host);

G_END_DECLS
