/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

/* Keys, nonces and masks, which nobody may guess. GST_ICE_ERROR_RESOURCE. */
gboolean gst_ice_ws_random (guint8 *ret_bytes, gsize size, GError **error);

G_END_DECLS
