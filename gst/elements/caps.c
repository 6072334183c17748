/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "caps.h"

/* Per packet or per sender, not per session: they are not in an m-line. */
static const gchar *const momentary[] = { "ssrc", "timestamp-offset",
  "seqnum-offset", "seqnum-base", "clock-base", "npt-start", "npt-stop",
  "play-speed", "play-scale" };

static const GstStructure *
structure_named (const GstCaps *caps, const gchar *name)
{
  const GstStructure *structure;

  if (caps == NULL || gst_caps_is_any (caps) || gst_caps_is_empty (caps))
    return NULL;
  structure = gst_caps_get_structure (caps, 0);
  return gst_structure_has_name (structure, name) ? structure : NULL;
}

gboolean
gst_ice_caps_is_rtcp (const GstCaps *caps)
{
  return structure_named (caps, "application/x-rtcp") != NULL ||
      structure_named (caps, "application/x-srtcp") != NULL;
}

/* RFC 8866 5.14, 6.6: an m-line has a media, a payload type, and for a dynamic
 * one the encoding and its clock rate. */
static gboolean
makes_mline (const GstStructure *rtp)
{
  return gst_structure_has_field_typed (rtp, "media", G_TYPE_STRING) &&
      gst_structure_has_field (rtp, "payload") &&
      gst_structure_has_field_typed (rtp, "clock-rate", G_TYPE_INT) &&
      gst_structure_has_field_typed (rtp, "encoding-name", G_TYPE_STRING);
}

gboolean
gst_ice_caps_is_rtp (const GstCaps *caps)
{
  const GstStructure *rtp = structure_named (caps, "application/x-rtp");

  return rtp != NULL && makes_mline (rtp);
}

GstCaps *
gst_ice_caps_for_description (const GstCaps *caps)
{
  const GstStructure *rtp = structure_named (caps, "application/x-rtp");
  GstStructure *lasting;
  gsize i;

  if (gst_ice_caps_is_rtcp (caps))
    return NULL;
  if (rtp == NULL || !makes_mline (rtp))
    return gst_caps_new_empty_simple (GST_ICE_CAPS_OTHER);

  lasting = gst_structure_copy (rtp);
  for (i = 0; i < G_N_ELEMENTS (momentary); i++)
    gst_structure_remove_field (lasting, momentary[i]);
  return gst_caps_new_full (lasting, NULL);
}

/* Where a payloader takes a range of rates, the least is none that is used. A
 * range of payload types stays one: the offer gives out numbers. */
static void
fixate_rtp (GstStructure *rtp)
{
  const GValue *payload = gst_structure_get_value (rtp, "payload");
  GValue kept = G_VALUE_INIT;
  gboolean video;

  /* The templates of rtpvp8pay and rtpvp9pay forget it (1.22), before their
   * first picture. */
  if (!gst_structure_has_field (rtp, "media") &&
      gst_structure_has_field (rtp, "encoding-name"))
    gst_structure_set (rtp, "media", G_TYPE_STRING, "video", NULL);
  video = g_strcmp0 (gst_structure_get_string (rtp, "media"), "video") == 0;
  if (gst_structure_has_field (rtp, "clock-rate"))
    gst_structure_fixate_field_nearest_int (
        rtp, "clock-rate", video ? 90000 : 48000);
  if (payload != NULL) {
    g_value_init (&kept, G_VALUE_TYPE (payload));
    g_value_copy (payload, &kept);
    gst_structure_remove_field (rtp, "payload");
  }
  gst_structure_fixate (rtp);
  if (G_IS_VALUE (&kept))
    gst_structure_take_value (rtp, "payload", &kept);
}

GstIceCapsAnswer
gst_ice_caps_ask_peer (GstPad *pad, GstCaps **ret_caps)
{
  g_autoptr (GstCaps) caps = gst_pad_peer_query_caps (pad, NULL);

  *ret_caps = NULL;
  if (caps == NULL || gst_caps_is_any (caps) || gst_caps_is_empty (caps))
    return GST_ICE_CAPS_UNKNOWN;

  caps = gst_caps_truncate (gst_caps_make_writable (g_steal_pointer (&caps)));
  if (structure_named (caps, "application/x-rtp") != NULL) {
    fixate_rtp (gst_caps_get_structure (caps, 0));
    /* RTP, but of what? */
    if (!gst_ice_caps_is_rtp (caps))
      return GST_ICE_CAPS_UNKNOWN;
  }
  *ret_caps = gst_ice_caps_for_description (caps);
  return GST_ICE_CAPS_KNOWN;
}

gint
gst_ice_caps_get_payload (const GstCaps *caps)
{
  const GstStructure *rtp = structure_named (caps, "application/x-rtp");
  gint payload = -1;

  if (rtp != NULL)
    gst_structure_get_int (rtp, "payload", &payload);
  return payload;
}

GstCaps *
gst_ice_caps_for_bin (GstCaps *caps)
{
  const GstStructure *rtp = structure_named (caps, "application/x-rtp");

  if (rtp == NULL)
    return caps;
  caps = gst_caps_make_writable (caps);
  rtp = gst_caps_get_structure (caps, 0);
  if (g_strcmp0 (gst_structure_get_string (rtp, "media"), "video") == 0)
    gst_caps_set_simple (caps, "rtcp-fb-nack-pli", G_TYPE_BOOLEAN, TRUE,
        "rtcp-fb-ccm-fir", G_TYPE_BOOLEAN, TRUE, NULL);
  if (gst_ice_caps_get_payload (caps) >= GST_ICE_FIRST_DYNAMIC_PAYLOAD)
    gst_caps_set_simple (caps, "payload", GST_TYPE_INT_RANGE,
        GST_ICE_FIRST_DYNAMIC_PAYLOAD, GST_ICE_LAST_PAYLOAD, NULL);
  return caps;
}

/* As gsticedescription-rtx.c has it. */
#define RTX_FIELD "x-rtx-payload"

GstCaps *
gst_ice_caps_with_retransmission (GstCaps *caps)
{
  if (structure_named (caps, "application/x-rtp") == NULL)
    return caps;
  caps = gst_caps_make_writable (caps);
  gst_caps_set_simple (caps, "rtcp-fb-nack", G_TYPE_BOOLEAN, TRUE, RTX_FIELD,
      GST_TYPE_INT_RANGE, GST_ICE_FIRST_DYNAMIC_PAYLOAD, GST_ICE_LAST_PAYLOAD,
      NULL);
  return caps;
}

gint
gst_ice_caps_get_rtx_payload (const GstCaps *caps)
{
  const GstStructure *rtp = structure_named (caps, "application/x-rtp");
  gint payload = -1;

  if (rtp != NULL)
    gst_structure_get_int (rtp, RTX_FIELD, &payload);
  return payload;
}

void
gst_ice_caps_set_rtx_payload (GstCaps *caps, gint payload)
{
  gst_caps_set_simple (caps, RTX_FIELD, G_TYPE_INT, payload, NULL);
}
