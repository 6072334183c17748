/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

#define GST_ICE_CAPS_OTHER "application/x-gst-ice"

/* What of @caps goes into an m-line: RTP without what changes from packet to
 * packet (ssrc, offsets), anything else as application/x-gst-ice. NULL for
 * RTCP, which has no m-line of its own. (transfer full) (nullable) */
GstCaps *gst_ice_caps_for_description (const GstCaps *caps);
gboolean gst_ice_caps_is_rtcp (const GstCaps *caps);
/* Enough of it for an m-line. */
gboolean gst_ice_caps_is_rtp (const GstCaps *caps);

typedef enum
{
  GST_ICE_CAPS_UNKNOWN, /* the other side of the pad cannot say yet */
  GST_ICE_CAPS_KNOWN,
} GstIceCapsAnswer;

/* What the other side of @pad would send or take, made definite.
 * @ret_caps: as gst_ice_caps_for_description. */
GstIceCapsAnswer gst_ice_caps_ask_peer (GstPad *pad, GstCaps **ret_caps);

G_END_DECLS
