/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The category ice-io, made on first use. */
GstDebugCategory *ice_io_category (void);

#define GST_CAT_DEFAULT (ice_io_category ())

G_END_DECLS
