/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/gsticetypes.h>

G_BEGIN_DECLS

#define GST_TYPE_ICE_TRANSPORT (gst_ice_transport_get_type ())
GST_ICE_API
G_DECLARE_FINAL_TYPE (
    GstIceTransport, gst_ice_transport, GST, ICE_TRANSPORT, GstObject)

GST_ICE_API
gboolean
gst_ice_transport_send (GstIceTransport *self, GBytes *packet, GError **error);
GST_ICE_API
gboolean gst_ice_transport_send_list (
    GstIceTransport *self, GstBufferList *list, guint *n_sent, GError **error);
GST_ICE_API
GstBufferList *gst_ice_transport_receive (
    GstIceTransport *self, GCancellable *cancellable, GError **error);
GST_ICE_API
void gst_ice_transport_connect_async (GstIceTransport *self,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
GST_ICE_API
gboolean gst_ice_transport_connect_finish (
    GstIceTransport *self, GAsyncResult *result, GError **error);

G_END_DECLS
