/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/gsticetypes.h>

G_BEGIN_DECLS

GST_ICE_API
void gst_ice_set_process_pacing (guint milliseconds);

GST_ICE_API
guint gst_ice_get_process_pacing (void);

G_END_DECLS
