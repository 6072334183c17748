/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/core.h"
#include "gsticelink-private.h"
#include "gsticenotify.h"

G_BEGIN_DECLS

/* Lock, take, unlock, perform: the only place that sees both core and io. One
 * mutex around one core; any thread may feed it, only the loop's thread takes
 * outputs and performs them, owning sockets, timer, resolves and the accept
 * table. It lives on its own references and knows no GObject: what is for the
 * application goes to the notify queue. gst_ice_pump_close ends it. */
typedef struct _GstIcePump GstIcePump;

/* What the application should hear of; (transfer full) by destroy. */
GstIcePump *gst_ice_pump_new (
    const gchar *name, GstIceNotify *notify, GstIceNotifyFunc handle_output);
GstIcePump *gst_ice_pump_ref (GstIcePump *self);
void gst_ice_pump_unref (GstIcePump *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIcePump, gst_ice_pump_unref)

/* One offer may have several answers (RFC 8839 7): agents that are forks of one
 * another have a pump in common, and a branch of its core each. The first has
 * branch 0.
 *
 * gst_ice_pump_fork gives a new branch, for which nobody is told anything until
 * it is joined; 0 when there are too many or @branch is closed. */
guint gst_ice_pump_fork (GstIcePump *self, guint branch);
void gst_ice_pump_join (GstIcePump *self, guint branch, GstIceNotify *notify);

/* Any thread. Between the two the core is the caller's; unlocking has the loop
 * perform what was decided. Commands that name no stream are for @branch. */
IceCore *gst_ice_pump_lock_branch (GstIcePump *self, guint branch);
/* Likewise for commands that name one. */
IceCore *gst_ice_pump_lock (GstIcePump *self);
void gst_ice_pump_unlock (GstIcePump *self);

/* Any thread. The core's id, 0 when the branch is closed. */
guint gst_ice_pump_add_stream (GstIcePump *self, guint branch);
/* Likewise with the local side of @origin. */
guint gst_ice_pump_fork_stream (GstIcePump *self, guint branch, guint origin);
void gst_ice_pump_remove_stream (GstIcePump *self, guint stream);
/* Under the lock: an id for a server, which all branches have in common. */
guint gst_ice_pump_new_server_id (GstIcePump *self);

/* Any thread. (transfer full) the data plane of a component, made when it is
 * not there yet; closed when the stream is. */
GstIceLink *gst_ice_pump_add_component (
    GstIcePump *self, guint stream, guint component, guint *ret_transport);
void gst_ice_pump_remove_component (
    GstIcePump *self, guint stream, guint component, guint transport);
/* Lists what there is now and tells the core. @allow and @ignore as
 * IceInterfaceFilter has them. */
void gst_ice_pump_update_interfaces (
    GstIcePump *self, const gchar *allow, const gchar *ignore);
/* It was called. */
gboolean gst_ice_pump_has_interfaces (GstIcePump *self);
/* For sockets opened from now on; 0, 0: any. */
void gst_ice_pump_set_port_range (
    GstIcePump *self, guint16 min_port, guint16 max_port);
/* Likewise. */
void gst_ice_pump_set_dont_fragment (GstIcePump *self, gboolean dont_fragment);
/* For sockets opened from now on that may share a port; 0: none does. What is
 * open stays. FALSE when the system has no thread for it. */
gboolean gst_ice_pump_set_mux_port (GstIcePump *self, guint16 port);
/* Packets that came to ports we share and were nobody's. */
guint64 gst_ice_pump_count_strangers (GstIcePump *self);
/* For TLS connections from now on; (nullable) what the system trusts. */
void gst_ice_pump_set_ca_file (GstIcePump *self, const gchar *ca_file);
/* For present and later sockets of @transport; -1 leaves the default. */
void gst_ice_pump_set_dscp (GstIcePump *self, guint transport, gint dscp);

/* Any thread, once or more. Readers of @branch are woken; with the last one
 * TURN servers are told (RFC 8656 7) and descriptors closed. @done (nullable)
 * runs on the loop thread at the end, or when @data's owner asks again after
 * it, at once there too. */
void gst_ice_pump_close (GstIcePump *self, guint branch, IceLoopFunc done,
    gpointer data, GDestroyNotify destroy);

G_END_DECLS
