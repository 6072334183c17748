/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gsticetrafficmeta
 * @title: GstIceTrafficMeta
 * @short_description: DSCP and ECN of one packet
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticetrafficmeta.h"

/* RFC 2474 3. */
#define MAX_DSCP 63

static gboolean
traffic_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstIceTrafficMeta *self = (GstIceTrafficMeta *) meta;

  self->dscp = GST_ICE_DSCP_DEFAULT;
  self->ecn = GST_ICE_ECN_NOT_ECT;
  return TRUE;
}

/* It says nothing about the memory, so whatever becomes of that it is copied.
 */
static gboolean
traffic_meta_transform (
    GstBuffer *to, GstMeta *meta, GstBuffer *from, GQuark type, gpointer data)
{
  const GstIceTrafficMeta *self = (GstIceTrafficMeta *) meta;

  gst_ice_buffer_add_traffic_meta (to, self->dscp, self->ecn);
  return TRUE;
}

/**
 * gst_ice_traffic_meta_api_get_type:
 *
 * Returns: the type of the API of #GstIceTrafficMeta
 */
GType
gst_ice_traffic_meta_api_get_type (void)
{
  static gsize type = 0;
  static const gchar *tags[] = { NULL };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, gst_meta_api_type_register ("GstIceTrafficMetaAPI", tags));
  return (GType) type;
}

/**
 * gst_ice_traffic_meta_get_info: (skip)
 *
 * Returns: (transfer none): how #GstIceTrafficMeta is implemented
 */
const GstMetaInfo *
gst_ice_traffic_meta_get_info (void)
{
  static gsize info = 0;

  if (g_once_init_enter (&info))
    g_once_init_leave (&info,
        (gsize) gst_meta_register (GST_ICE_TRAFFIC_META_API_TYPE,
            "GstIceTrafficMeta", sizeof (GstIceTrafficMeta), traffic_meta_init,
            NULL, traffic_meta_transform));
  return (const GstMetaInfo *) info;
}

/**
 * gst_ice_buffer_add_traffic_meta:
 * @buffer: a #GstBuffer, writable, without one so far
 * @dscp: the differentiated services code point (RFC 2474), 0 to 63, or
 *   %GST_ICE_DSCP_DEFAULT
 * @ecn: the explicit congestion notification field (RFC 3168)
 *
 * Marks a packet. Over UDP on Linux it leaves so; over TCP, and where the
 * system offers no such thing, marks of single packets are not sent. Packets of
 * a list that follow each other with one mark still leave together. Who sends
 * %GST_ICE_ECN_ECT_0 or %GST_ICE_ECN_ECT_1 has to react to what the peer
 * reports of %GST_ICE_ECN_CE (RFC 6679). Any thread that owns the buffer.
 *
 * Returns: (transfer none) (nullable): the meta; %NULL when @dscp is none
 */
GstIceTrafficMeta *
gst_ice_buffer_add_traffic_meta (GstBuffer *buffer, gint dscp, GstIceEcn ecn)
{
  GstIceTrafficMeta *self;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  g_return_val_if_fail (gst_buffer_is_writable (buffer), NULL);
  g_return_val_if_fail (dscp >= GST_ICE_DSCP_DEFAULT && dscp <= MAX_DSCP, NULL);
  g_return_val_if_fail ((guint) ecn <= GST_ICE_ECN_CE, NULL);

  self = (GstIceTrafficMeta *) gst_buffer_add_meta (
      buffer, GST_ICE_TRAFFIC_META_INFO, NULL);
  self->dscp = dscp;
  self->ecn = ecn;
  return self;
}

/**
 * gst_ice_buffer_get_traffic_meta:
 * @buffer: a #GstBuffer
 *
 * How a packet is marked. One that was received without has DSCP 0 and is
 * %GST_ICE_ECN_NOT_ECT, or came over something that does not tell: TCP, a Data
 * indication of a TURN server, a system without IP_RECVTOS.
 *
 * Returns: (transfer none) (nullable): the meta
 */
GstIceTrafficMeta *
gst_ice_buffer_get_traffic_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  return (GstIceTrafficMeta *) gst_buffer_get_meta (
      buffer, GST_ICE_TRAFFIC_META_API_TYPE);
}
