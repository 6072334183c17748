/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "wsframe.h"
#include "wspoller.h"

G_BEGIN_DECLS

/* One WebSocket over a stream that was upgraded. Belongs to the thread whose
 * default context it was made in: it reads, answers pings, sends its own, and
 * never keeps more unsent than GST_ICE_WS_MAX_UNSENT. */
typedef struct _GstIceWsConn GstIceWsConn;

/* A reader that does not take what it is sent is no peer. */
#define GST_ICE_WS_MAX_UNSENT (1024 * 1024)

typedef struct
{
  /* @text: valid UTF-8, NUL-terminated. */
  void (*text) (
      GstIceWsConn *self, const gchar *text, gsize size, gpointer user_data);
  /* Once, and nothing afterwards. @code: GST_ICE_WS_ABNORMAL when the stream
   * ended without a close. Not called for what gst_ice_ws_conn_free ends. */
  void (*closed) (
      GstIceWsConn *self, guint code, const gchar *reason, gpointer user_data);
} GstIceWsConnFuncs;

/* @socket: under @stream, which can be polled. @is_client: what it sends is
 * masked. @leftover (nullable): bytes that came with the answer to the upgrade.
 */
GstIceWsConn *gst_ice_ws_conn_new (GstIceWsPoller *poller, GIOStream *stream,
    GSocket *socket, gboolean is_client, GBytes *leftover,
    const GstIceWsConnFuncs *funcs, gpointer user_data);
/* At once, without a word when it was not closed. */
void gst_ice_ws_conn_free (GstIceWsConn *self);
/* Says goodbye in its own time; no function is called any more. */
void
gst_ice_ws_conn_release (GstIceWsConn *self, guint code, const gchar *reason);

void gst_ice_ws_conn_send (GstIceWsConn *self, const gchar *text);
/* "closed" follows when the other side has answered, or after a second. */
void
gst_ice_ws_conn_close (GstIceWsConn *self, guint code, const gchar *reason);

G_END_DECLS
