/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/address.h"
#include "gsticeportmapper.h"
#include "io/loop.h"

G_BEGIN_DECLS

/* The ports of one pump that routers are asked to map: by PCP and NAT-PMP, and
 * when these are of no use, by what a module knows. Loop thread only. */
typedef struct _GstIcePorts GstIcePorts;

/* @external (nullable): not mapped. @name: of the agent, for the log. */
typedef void (*GstIcePortsFunc) (
    guint socket, const IceAddress *external, gpointer user_data);

GstIcePorts *gst_ice_ports_new (
    IceLoop *loop, const gchar *name, GstIcePortsFunc func, gpointer user_data);
/* Routers are told; no call comes after this. */
void gst_ice_ports_free (GstIcePorts *self);
void gst_ice_ports_map (
    GstIcePorts *self, guint socket, gboolean tcp, const IceAddress *local);
void gst_ice_ports_unmap (GstIcePorts *self, guint socket);

/* gsticeportmapper.c */
GstIcePortMapper *gst_ice_port_mapper_new (void);

G_END_DECLS
