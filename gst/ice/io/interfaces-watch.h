/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Calls @func in the service thread (service.h) when network addresses, links
 * or routes may have changed; many changes at once are one. By rtnetlink; where
 * there is none by GNetworkMonitor, and every two seconds all the same, for not
 * each of its kinds tells of addresses. */
typedef struct _IceInterfacesWatch IceInterfacesWatch;

IceInterfacesWatch *ice_interfaces_watch_new (
    GSourceFunc func, gpointer user_data, GDestroyNotify destroy);
/* As if there were no rtnetlink. */
IceInterfacesWatch *ice_interfaces_watch_new_generic (
    GSourceFunc func, gpointer user_data, GDestroyNotify destroy);
/* Any thread; @func may run once more, @destroy runs afterwards. */
void ice_interfaces_watch_free (IceInterfacesWatch *self);

G_END_DECLS
