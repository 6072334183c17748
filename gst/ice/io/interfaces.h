/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "../base/address.h"

G_BEGIN_DECLS

typedef struct
{
  IceAddress address; /* port 0 */
  gchar name[16];
  guint index;
  gboolean loopback, tunnel, temporary, deprecated;
} IceInterface;

/* Comma separated interface names, globs, addresses or prefixes. NULL or ""
 * means: any, and for ignore the built-in docker*,br-*,veth*,virbr*,lxc*,lxd*
 * (an interface named in @allow is never ignored). */
typedef struct
{
  const gchar *allow, *ignore;
  /* Those too that others displace: what has begun on them goes on (RFC 4862
   * 5.5.4: a deprecated address "should continue to be used ... in existing
   * communications"). */
  gboolean displaced;
} IceInterfaceFilter;

/* (transfer full) (element-type IceInterface) up, not link-local where anything
 * else is there, loopback only if nothing else exists or it was allowed by
 * name. IPv6 before IPv4 within one interface; the interface of the default
 * route first, then wired before wireless before cellular ones. RFC
 * 8445 5.1.1.1: temporary IPv6 addresses displace the stable one of their
 * prefix. */
GArray *ice_interfaces_list (const IceInterfaceFilter *filter);
/* TRUE when the filter's text is well formed; names the bad item in @error. */
gboolean ice_interface_filter_check (const gchar *text, GError **error);

G_END_DECLS
