/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full) (nullable) @uri as everybody may see it, in a drawing of the
 * pipeline say: without password, and without what a query may have of that
 * kind. What is no URI is left alone. */
gchar *gst_ice_hide_uri_secrets (const gchar *uri);

G_END_DECLS
