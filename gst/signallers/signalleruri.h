/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

/* SCHEME:[//]PATH[?role=offer|answer]. @role is left alone when the URI does
 * not say. @ret_path: (transfer full) percent-decoded. @by_line (nullable):
 * likewise, for "form=line" and "form=lines", which a scheme may have. */
gboolean gst_ice_signaller_uri_parse (const gchar *uri, const gchar *scheme,
    gchar **ret_path, GstIceSignallerRole *role, gboolean *by_line,
    GError **error);

/* Puts "file" and "stdio" in the registry. */
void gst_ice_signallers_register (void);

G_END_DECLS
