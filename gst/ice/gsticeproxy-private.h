/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way to a server over TCP or TLS: straight, or through a proxy. Inside the
 * pump, the loop's thread. */

#include "gsticepump-private.h"
#include "io/proxy.h"

G_BEGIN_DECLS

/* It is being found. */
typedef struct _GstIceWay GstIceWay;

/* @proxy NULL: straight. @addresses are the proxy's. With @error there is no
 * way. The way is gone. */
typedef void (*GstIceWayFunc) (IceProxy *proxy, const IceAddress *addresses,
    guint n_addresses, const GError *error, gpointer user_data);

/* FALSE: everything goes straight, and nothing has to be found. */
gboolean gst_ice_pump_may_have_proxy (GstIcePump *self);
/* @func runs once, later. */
GstIceWay *gst_ice_way_find (GstIcePump *pump, const gchar *host, guint16 port,
    GstIceWayFunc func, gpointer user_data);
void gst_ice_way_cancel (GstIceWay *self);

/* A connection that is on its way through a proxy, or may have to be. Takes
 * over the connecting of @socket, which owns it. */
GstIceDetour *
gst_ice_detour_begin (GstIcePumpSocket *socket, const IceOutput *output,
    const IceSocketOptions *options, const IceTcpEvents *events);
void gst_ice_detour_free (GstIceDetour *self);
/* Its connection was closed. TRUE: it tries again. FALSE: *@ret_reason
 * (transfer full) says why not, and names the proxy; *@ret_error (transfer
 * none) (nullable). */
gboolean gst_ice_detour_closed (GstIceDetour *self, const gchar *text,
    gchar **ret_reason, const GError **ret_error);

G_END_DECLS
