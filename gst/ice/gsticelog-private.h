/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "core/context.h"

G_BEGIN_DECLS

/* The categories of design 3 that the library itself writes to. */
extern GstDebugCategory *gst_ice_agent_debug;

/* Once is enough, again does no harm; before anything is logged. */
void gst_ice_log_init (void);
GstDebugCategory *gst_ice_log_category (IceLogArea area);
/* What is worth formatting at all, as the thresholds are now. */
IceLogLevel gst_ice_log_core_level (void);

G_END_DECLS
