/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http-auth.h"
#include "proxy.h"

G_BEGIN_DECLS

struct _IceProxy
{
  gatomicrefcount ref_count;
  IceProxyKind kind;
  gchar *host; /* (owned) */
  guint16 port;
  gchar *username; /* (owned) (nullable) */
  gchar *password; /* (owned) (nullable) secret */
  gchar *url;      /* (owned) without the password */

  /* HTTP, the stages' thread: what it asked for last. */
  IceHttpChallenge *challenge; /* (owned) (nullable) */
};

/* A name as ASCII, or an address literal. (transfer full) (nullable) NULL: it
 * is neither, and could say something else to a proxy. */
gchar *ice_proxy_dup_ascii_host (const gchar *host);
/* "HOST:PORT", an IPv6 literal in brackets. (transfer full) (nullable) likewise
 */
gchar *ice_proxy_make_authority (const gchar *host, guint16 port);

G_END_DECLS
