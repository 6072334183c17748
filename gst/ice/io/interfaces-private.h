/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "interfaces.h"

G_BEGIN_DECLS

/* The parts of interfaces.c that ask nobody: for its tests. */

/* RFC 8421 3: what a kind of link is known for, the best first. */
typedef enum
{
  ICE_LINK_WIRED, /* or unknown: no reason to doubt it */
  ICE_LINK_WIRELESS,
  ICE_LINK_CELLULAR,
} IceLinkKind;

/* What the system says of one address. */
typedef struct
{
  IceInterface interface;
  gboolean up, tentative;
  gboolean default_route; /* its interface leads to the rest of the world */
  IceLinkKind link;
} IceInterfaceEntry;

/* (transfer full) (element-type IceInterface) */
GArray *ice_interfaces_select (const IceInterfaceEntry *entries,
    guint n_entries, const IceInterfaceFilter *filter);

/* @class_dir is /sys/class/net, but for tests. */
IceLinkKind ice_interface_link_kind (const gchar *class_dir, const gchar *name);

/* One line of /proc/net/if_inet6. */
gboolean ice_interface_entry_parse_inet6 (
    const gchar *line, IceInterfaceEntry *ret_entry);

/* interfaces-cache.c: (transfer full) (element-type IceInterfaceEntry) what
 * @read has returned since the network last changed; nobody writes to it. Any
 * thread. */
GArray *ice_interfaces_cache_get (GArray *(*read) (void) );

G_END_DECLS
