/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

/* ice+file:///path: two processes that see one folder meet in the files
 * PATH.offer and PATH.answer. Who comes first offers; "?role=offer" and
 * "?role=answer" say otherwise. */
#define GST_TYPE_ICE_FILE_SIGNALLER (gst_ice_file_signaller_get_type ())
G_DECLARE_FINAL_TYPE (GstIceFileSignaller, gst_ice_file_signaller, GST,
    ICE_FILE_SIGNALLER, GObject)

G_END_DECLS
