/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "icewebrtc-private.h"

#define GST_CAT_DEFAULT gst_ice_webrtc_debug

/* webrtcbin (1.22 to 1.29) refuses to work when the registry has no elements
 * "nicesrc" and "nicesink", whoever its agent is. It makes none of them: names
 * are enough, and are put there in this process only, where they are missing
 * (Debian has them in a package of their own). */

#define GST_TYPE_ICE_WEBRTC_STAND_IN (gst_ice_webrtc_stand_in_get_type ())
G_DECLARE_FINAL_TYPE (GstIceWebRTCStandIn, gst_ice_webrtc_stand_in, GST,
    ICE_WEBRTC_STAND_IN, GstElement)

struct _GstIceWebRTCStandIn
{
  GstElement parent;
};

G_DEFINE_FINAL_TYPE (
    GstIceWebRTCStandIn, gst_ice_webrtc_stand_in, GST_TYPE_ELEMENT)

static void
gst_ice_webrtc_stand_in_class_init (GstIceWebRTCStandInClass *klass)
{
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "Stand-in for libnice", "Generic",
      "Does nothing: webrtcbin wants the name to be known", GST_PACKAGE_ORIGIN);
}

static void
gst_ice_webrtc_stand_in_init (GstIceWebRTCStandIn *self)
{
}

void
gst_ice_webrtc_fill_registry (void)
{
  static const gchar *const names[] = { "nicesrc", "nicesink" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GstPluginFeature) known =
        gst_registry_lookup_feature (gst_registry_get (), names[i]);

    if (!known)
      gst_element_register (
          NULL, names[i], GST_RANK_NONE, GST_TYPE_ICE_WEBRTC_STAND_IN);
  }
}

/* Text to agent: webrtcbin ice-agent=NAME, where NAME means the agent that
 * "agent=NAME" of our elements means, too. */

static gchar *
serialize (const GValue *value)
{
  GObject *object = g_value_get_object (value);
  g_autoptr (GstIceAgent) agent = NULL;

  if (!GST_IS_ICE_WEBRTC (object))
    return g_strdup (object ? G_OBJECT_TYPE_NAME (object) : "");
  agent = gst_ice_webrtc_ref_agent (GST_ICE_WEBRTC (object));
  return gst_object_get_name (GST_OBJECT (agent));
}

static gboolean
deserialize (GValue *value, const gchar *text)
{
  g_autoptr (GstIceAgent) agent = NULL;

  if (*text == '\0')
    return FALSE;
  agent = gst_ice_agent_get_by_name (text);
  g_value_take_object (value, gst_ice_webrtc_new (agent));
  return TRUE;
}

static gint
compare (const GValue *a, const GValue *b)
{
  return g_value_get_object (a) == g_value_get_object (b) ? GST_VALUE_EQUAL
                                                          : GST_VALUE_UNORDERED;
}

void
gst_ice_webrtc_register_value_type (void)
{
  /* GStreamer keeps the address. */
  static GstValueTable table = {
    .compare = compare,
    .serialize = serialize,
    .deserialize = deserialize,
  };

  table.type = GST_TYPE_WEBRTC_ICE;
  gst_value_register (&table);
}
