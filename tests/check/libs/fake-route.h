/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/ice/gsticeroute-private.h"

G_BEGIN_DECLS

/* In the place of gsticeroute.c: a route that has as much room as it is told,
 * and remembers what it sent. */
GstIceRoute *fake_route_new (void);
/* How many more packets it takes before it says "would block". */
void fake_route_set_room (GstIceRoute *self, guint room);
/* Called in every send, after the packets went. */
void fake_route_set_hook (
    GstIceRoute *self, void (*hook) (gpointer), gpointer user_data);
guint fake_route_n_sent (GstIceRoute *self);
gboolean fake_route_is_revoked (GstIceRoute *self);
/* (transfer full) the last packet it sent. */
GBytes *fake_route_get_last (GstIceRoute *self);

G_END_DECLS
