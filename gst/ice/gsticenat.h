/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gst/ice/gsticetypes.h>

G_BEGIN_DECLS

GST_ICE_API
void gst_ice_discover_nat_async (const gchar *server, guint lifetime,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
GST_ICE_API
GstStructure *
gst_ice_discover_nat_finish (GAsyncResult *result, GError **error);

G_END_DECLS
