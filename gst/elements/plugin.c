/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <glib/gi18n-lib.h>
#include <gst/ice/ice.h>

#include "early.h"
#include "icertpbin.h"
#include "icesink.h"
#include "icesrc.h"
#include "member.h"

#include "../signallers/signalleruri.h"

/* A signaller from text: "signaller=file". */

static gchar *
serialize_signaller (const GValue *value)
{
  GObject *signaller = g_value_get_object (value);

  return g_strdup (signaller != NULL ? G_OBJECT_TYPE_NAME (signaller) : "");
}

static gboolean
deserialize_signaller (GValue *value, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  GstIceSignaller *signaller = gst_ice_signaller_new_from_nick (text, &error);

  if (signaller == NULL) {
    GST_ERROR ("%s", error->message);
    return FALSE;
  }
  g_value_take_object (value, signaller);
  return TRUE;
}

static gint
compare_objects (const GValue *a, const GValue *b)
{
  return g_value_get_object (a) == g_value_get_object (b) ? GST_VALUE_EQUAL
                                                          : GST_VALUE_UNORDERED;
}

static void
register_signaller_value (void)
{
  /* GStreamer keeps the address. */
  static GstValueTable table = {
    .compare = compare_objects,
    .serialize = serialize_signaller,
    .deserialize = deserialize_signaller,
  };

  table.type = GST_TYPE_ICE_SIGNALLER;
  gst_value_register (&table);
}

static gboolean
plugin_init (GstPlugin *plugin)
{
#ifdef ENABLE_NLS
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
#endif
  gst_ice_agent_register_value_type ();
  register_signaller_value ();
  gst_ice_signallers_register ();
  gst_type_mark_as_plugin_api (gst_ice_on_disconnect_get_type (), 0);
  gst_type_mark_as_plugin_api (gst_ice_early_data_get_type (), 0);

  return GST_ELEMENT_REGISTER (icesrc, plugin) &&
      GST_ELEMENT_REGISTER (icesink, plugin) &&
      GST_ELEMENT_REGISTER (icertpbin, plugin) &&
      GST_ELEMENT_REGISTER (iceuribin, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, ice,
    "Interactive Connectivity Establishment", plugin_init, PACKAGE_VERSION,
    GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
