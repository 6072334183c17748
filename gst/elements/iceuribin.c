/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icertpbin-private.h"

/**
 * SECTION:element-iceuribin
 * @title: iceuribin
 *
 * Plays what is sent at a meeting place: one pad for each stream, with a
 * jitterbuffer behind it. Players make it of a URI by themselves.
 *
 * |[
 * gst-play-1.0 ice+file:///tmp/call
 * ]|
 */

/* Those that signallers of ours have; a module that is not there says so. */
static const gchar *const schemes[] = { "ice+file", "ice+stdio", "ice+ws",
  "ice+wss", "ice+mqtt", "ice+mqtts", "sip", "sips", NULL };

static GstURIType
get_type (GType type)
{
  return GST_URI_SRC;
}

static const gchar *const *
get_protocols (GType type)
{
  return schemes;
}

static gchar *
get_uri (GstURIHandler *handler)
{
  gchar *uri;

  g_object_get (handler, "uri", &uri, NULL);
  return uri;
}

static gboolean
set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  if (GST_STATE (handler) > GST_STATE_READY) {
    g_set_error_literal (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
        "A call has begun; its URI does not change any more");
    return FALSE;
  }
  g_object_set (handler, "uri", uri, NULL);
  return TRUE;
}

static void
handler_init (gpointer iface, gpointer unused)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = get_type;
  handler->get_protocols = get_protocols;
  handler->get_uri = get_uri;
  handler->set_uri = set_uri;
}

typedef GstIceRtpBin GstIceUriBin;
typedef GstIceRtpBinClass GstIceUriBinClass;
GType gst_ice_uri_bin_get_type (void);
G_DEFINE_TYPE_WITH_CODE (GstIceUriBin, gst_ice_uri_bin, GST_TYPE_ICE_RTP_BASE,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, handler_init))
GST_ELEMENT_REGISTER_DEFINE (
    iceuribin, "iceuribin", GST_RANK_PRIMARY, gst_ice_uri_bin_get_type ())

static void
gst_ice_uri_bin_init (GstIceUriBin *self)
{
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
  gst_bin_set_suppressed_flags (
      GST_BIN (self), GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
}

static void
gst_ice_uri_bin_class_init (GstIceUriBinClass *klass)
{
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "ICE playback", "Source/Network/RTP",
      "Plays what a peer sends over ICE (RFC 8445)", GST_PACKAGE_ORIGIN);
}
