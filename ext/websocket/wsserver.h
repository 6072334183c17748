/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "wshub.h"

G_BEGIN_DECLS

/* A signalling server: connections around a hub. Made and used in one thread,
 * the one whose default context it was made in. */
typedef struct _GstIceWsServer GstIceWsServer;

typedef struct
{
  gchar *address;               /* (owned) (nullable) of the host; NULL: all */
  guint port;                   /* 0: any that is free */
  GTlsCertificate *certificate; /* (owned) (nullable) NULL: in the clear */
  GstIceWsDialectKind dialect;
  gchar *only_room;   /* (owned) (nullable) there are no others */
  GPtrArray *tokens;  /* (owned) (nullable) "TOKEN" or "TOKEN ROOM" */
  GPtrArray *origins; /* (owned) (nullable) pages of these may connect, too */
  guint max_per_address; /* connections of one host; 0: any number */
  GstIceWsLimits limits;
} GstIceWsServerConfig;

void gst_ice_ws_server_config_init (GstIceWsServerConfig *self);
void gst_ice_ws_server_config_clear (GstIceWsServerConfig *self);

/* What the hub has for a peer that is in this process. @text NULL: it is
 * closed. */
typedef void (*GstIceWsLocalFunc) (const gchar *text, gpointer user_data);

/* @config: (transfer full) its contents. (nullable): cannot listen. */
GstIceWsServer *
gst_ice_ws_server_new (GstIceWsServerConfig *config, GError **error);
void gst_ice_ws_server_free (GstIceWsServer *self);

guint gst_ice_ws_server_get_port (GstIceWsServer *self);
guint gst_ice_ws_server_get_n_connections (GstIceWsServer *self);

/* A peer without a connection. @ret_id is there before it is told anything; 0:
 * there is no place. */
void gst_ice_ws_server_join_local (GstIceWsServer *self, const gchar *room,
    GstIceWsDialectKind dialect, GstIceWsLocalFunc func, gpointer user_data,
    guint *ret_id);
void gst_ice_ws_server_receive_local (
    GstIceWsServer *self, guint id, const gchar *text);
void gst_ice_ws_server_leave_local (GstIceWsServer *self, guint id);

/* Takes nobody any more and says goodbye to everybody; @done is called when
 * they are gone, or a second later. */
void gst_ice_ws_server_end (
    GstIceWsServer *self, GSourceFunc done, gpointer user_data);

G_END_DECLS
