/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wsserver.h"

#include <libsoup/soup.h>

#include "wsconn.h"

G_BEGIN_DECLS

/* What is open now. Sockets may outlive the server: an operation of GIO or of
 * libsoup that was cancelled holds them until the loop comes round. */
typedef struct
{
  guint n_connections;
  GHashTable *addresses; /* (owned) host -> how many connections */
} GstIceWsCounts;

struct _GstIceWsServer
{
  GstIceWsServerConfig config;
  GMainContext *context;     /* (owned) */
  GstIceWsHub *hub;          /* (owned) */
  SoupServer *soup;          /* (owned) */
  GSocketListener *listener; /* (owned) */
  GCancellable *cancellable; /* (owned) of accepting and of handshakes */
  guint port;
  GHashTable *members;    /* (owned) id -> Member (owned) */
  GstIceWsCounts *counts; /* (owned) by reference, with each connection */
  GstIceWsPoller *poller; /* (owned) */
  GSource *timer;         /* (owned) the hub's deadline */
  GSource *wait; /* (owned) (nullable) to accept again, or for the end */
  gboolean pumping;
  GSourceFunc done; /* (nullable) it ends */
  gpointer done_data;
  gint64 started_at;
};

/* wsserver-http.c: what is asked for without or before a WebSocket. */
void gst_ice_ws_server_serve_http (GstIceWsServer *self);
/* wsserver.c: (transfer none) the socket by which a request came; from now on
 * it has all the time it wants. */
GSocket *gst_ice_ws_server_release (GSocketAddress *remote);
/* wsserver.c: it is upgraded. */
void gst_ice_ws_server_adopt (GstIceWsServer *self, GIOStream *stream,
    GSocket *socket, const gchar *room, GstIceWsDialectKind dialect);

G_END_DECLS
