/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "wsplace.h"

G_BEGIN_DECLS

/* A client's way to an open WebSocket: connect, TLS, upgrade (RFC 6455 4.1).
 * Before anything of ours is sent the certificate is checked. @timeout_ms is
 * for all of it. */
void gst_ice_ws_dial_async (const GstIceWsPlace *place, guint timeout_ms,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
/* (transfer full) (nullable) the stream. @ret_socket: (transfer full) that is
 * under it. @ret_leftover: (transfer full) what
 * the server said after the upgrade. @ret_retry: it may be better soon. */
GIOStream *gst_ice_ws_dial_finish (GAsyncResult *result, GSocket **ret_socket,
    GBytes **ret_leftover, gboolean *ret_retry, GError **error);

/* One answer of a server to the upgrade, up to its empty line. @key: what was
 * sent. FALSE: it is no WebSocket for us; the error says why. */
gboolean gst_ice_ws_check_answer (const gchar *answer, const gchar *key,
    const gchar *where, gboolean *ret_retry, GError **error);

/* (transfer full) SHA-256 of a certificate in 64 lower hex digits. */
gchar *gst_ice_ws_fingerprint (GTlsCertificate *certificate);

G_END_DECLS
