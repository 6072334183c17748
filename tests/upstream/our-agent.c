/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into GStreamer's own tests of webrtcbin: each webrtcbin that they
 * make has our agent. docs/testing.md says how they are run. */
#include <dlfcn.h>
#include <gst/gst.h>

GST_API GstElement *
gst_element_factory_make (const gchar *factory, const gchar *name);

GstElement *
gst_element_factory_make (const gchar *factory, const gchar *name)
{
  static GstElement *(*theirs) (const gchar *, const gchar *);
  g_autoptr (GstPlugin) plugin = NULL;
  GstElement *element;
  GObject *agent;

  if (!theirs)
    theirs = (GstElement * (*) (const gchar *, const gchar *) )
        dlsym (RTLD_NEXT, "gst_element_factory_make");
  if (g_strcmp0 (factory, "webrtcbin") != 0)
    return theirs (factory, name);
  plugin = gst_plugin_load_by_name ("icewebrtc");
  g_assert_nonnull (plugin);
  agent = g_object_new (g_type_from_name ("GstIceWebRTC"), NULL);
  g_object_ref_sink (agent);
  element = gst_element_factory_make_full (
      factory, "name", name, "ice-agent", agent, NULL);
  g_object_unref (agent);
  return element;
}
