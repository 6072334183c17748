/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* (transfer full) A new one for @host, with a key that nobody else has: who
 * trusts it knows its fingerprint. */
GTlsCertificate *
gst_ice_ws_certificate_self_signed (const gchar *host, GError **error);
/* (transfer full) @key (nullable): in the same file. */
GTlsCertificate *gst_ice_ws_certificate_load (
    const gchar *certificate, const gchar *key, GError **error);

/* (transfer full) A name or address by which others may reach this host. */
gchar *gst_ice_ws_own_host (void);

G_END_DECLS
