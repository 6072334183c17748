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

/* RFC 3551 6: from here on payload types mean what a description says. */
#define GST_ICE_FIRST_DYNAMIC_PAYLOAD 96
#define GST_ICE_LAST_PAYLOAD 127

/* @caps: (transfer full) (nullable). (transfer full) (nullable) What a bin says
 * of them: video may be asked for another keyframe (RFC 4585 6.3.1, RFC 5104
 * 4.3.1), and has whatever number no other m-line has. */
GstCaps *gst_ice_caps_for_bin (GstCaps *caps);
/* @caps: (transfer full) (nullable). (transfer full) (nullable) What is lost is
 * asked for again (RFC 4585 6.2.1), and sent again under a payload type of its
 * own (RFC 4588), which has whatever number nothing else has. */
GstCaps *gst_ice_caps_with_retransmission (GstCaps *caps);
/* -1: there is none, or it has no number yet */
gint gst_ice_caps_get_rtx_payload (const GstCaps *caps);
void gst_ice_caps_set_rtx_payload (GstCaps *caps, gint payload);
/* -1: none, or no definite one */
gint gst_ice_caps_get_payload (const GstCaps *caps);

G_END_DECLS
