/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "interfaces.h"

G_BEGIN_DECLS

/* The parts of interfaces.c that ask nobody: for its tests. */

/* What the system says of one address. */
typedef struct
{
  IceInterface interface;
  gboolean up, tentative;
  gboolean default_route; /* its interface leads to the rest of the world */
} IceInterfaceEntry;

/* (transfer full) (element-type IceInterface) */
GArray *ice_interfaces_select (const IceInterfaceEntry *entries,
    guint n_entries, const IceInterfaceFilter *filter);

/* One line of /proc/net/if_inet6. */
gboolean ice_interface_entry_parse_inet6 (
    const gchar *line, IceInterfaceEntry *ret_entry);

G_END_DECLS
