/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Linux tells of changes of addresses, links, routes and rules here, before the
 * system call that made the change returns. */

/* A descriptor, or -1 where there is no rtnetlink. */
gint ice_netlink_open (void);
/* Reads all that waits; TRUE when something did, or was lost. What exactly has
 * changed is asked for anew: the kernel loses messages when there are many. */
gboolean ice_netlink_drain (gint fd);

G_END_DECLS
