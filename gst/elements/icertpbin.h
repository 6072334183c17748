/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* What icertpbin and iceuribin have in common: all but the pads to send by. */
typedef struct _GstIceRtpBin GstIceRtpBin;
typedef struct _GstIceRtpBinClass GstIceRtpBinClass;
GType gst_ice_rtp_base_get_type (void);
#define GST_TYPE_ICE_RTP_BASE (gst_ice_rtp_base_get_type ())
#define GST_ICE_RTP_BIN(object)                                                \
  (G_TYPE_CHECK_INSTANCE_CAST ((object), GST_TYPE_ICE_RTP_BASE, GstIceRtpBin))

GST_ELEMENT_REGISTER_DECLARE (icertpbin)
GST_ELEMENT_REGISTER_DECLARE (iceuribin)

G_END_DECLS
