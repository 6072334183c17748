/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Calls @func in the service thread (service.h) when network addresses may have
 * come or gone; many changes at once are one. Where the system does not tell,
 * every two seconds. */
typedef struct _IceInterfacesWatch IceInterfacesWatch;

IceInterfacesWatch *ice_interfaces_watch_new (
    GSourceFunc func, gpointer user_data, GDestroyNotify destroy);
/* Any thread; @func may run once more, @destroy runs afterwards. */
void ice_interfaces_watch_free (IceInterfacesWatch *self);

G_END_DECLS
