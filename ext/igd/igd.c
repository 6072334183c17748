/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports by UPnP IGD, for routers that speak neither PCP nor NAT-PMP. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <gst/ice/ice.h>
#include <libgupnp-igd/gupnp-simple-igd.h>
#include <string.h>

GST_DEBUG_CATEGORY_STATIC (ice_igd_debug);
#define GST_CAT_DEFAULT ice_igd_debug

/* Shown in the router's list of mappings. */
#define DESCRIPTION "gst-ice"

/* A router is found within three seconds (SSDP, MX=3), or there is none. */
#define DISCOVERY_MS 4000

#define GST_TYPE_ICE_IGD (gst_ice_igd_get_type ())
G_DECLARE_FINAL_TYPE (GstIceIgd, gst_ice_igd, GST, ICE_IGD, GObject)

/* What was asked for and not answered yet. */
typedef struct
{
  GstIceIgd *igd; /* (unowned) frees it */
  gchar *protocol, *address;
  guint16 port;
  GSource *timeout; /* (owned) */
} Request;

struct _GstIceIgd
{
  GObject parent;

  GUPnPSimpleIgd *igd; /* (owned) */
  GPtrArray *requests; /* (owned) (element-type Request) */
};

static void gst_ice_igd_interface_init (GstIcePortMapperInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GstIceIgd, gst_ice_igd, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_ICE_PORT_MAPPER, gst_ice_igd_interface_init))

static void
request_free (Request *self)
{
  g_source_destroy (self->timeout);
  g_source_unref (self->timeout);
  g_free (self->protocol);
  g_free (self->address);
  g_free (self);
}

static Request *
find_request (
    GstIceIgd *self, const gchar *protocol, const gchar *address, guint port)
{
  for (guint i = 0; i < self->requests->len; i++) {
    Request *request = self->requests->pdata[i];

    if (request->port == port &&
        g_ascii_strcasecmp (request->protocol, protocol) == 0 &&
        g_str_equal (request->address, address))
      return request;
  }
  return NULL;
}

static void
answer (GstIceIgd *self, const gchar *protocol, const gchar *address,
    guint port, const gchar *external_address, guint external_port)
{
  g_autofree gchar *lower = g_ascii_strdown (protocol, -1);
  g_autofree gchar *local = g_strdup (address);
  Request *request = find_request (self, protocol, address, port);

  if (request)
    g_ptr_array_remove_fast (self->requests, request);
  gst_ice_port_mapper_emit_mapped (GST_ICE_PORT_MAPPER (self), lower, local,
      (guint16) port, external_address, (guint16) external_port);
}

/* Also when a mapping moved to another external address. */
static void
on_mapped (GUPnPSimpleIgd *igd, const gchar *protocol, const gchar *external_ip,
    const gchar *replaces, guint external_port, const gchar *local_ip,
    guint local_port, const gchar *description, gpointer user_data)
{
  GST_INFO ("%s %s:%u is %s:%u", protocol, local_ip, local_port, external_ip,
      external_port);
  answer (
      user_data, protocol, local_ip, local_port, external_ip, external_port);
}

static void
on_failed (GUPnPSimpleIgd *igd, const GError *error, const gchar *protocol,
    guint external_port, const gchar *local_ip, guint local_port,
    const gchar *description, gpointer user_data)
{
  GST_INFO ("%s %s:%u: %s", protocol, local_ip, local_port, error->message);
  answer (user_data, protocol, local_ip, local_port, NULL, 0);
}

static gboolean
on_silence (gpointer user_data)
{
  Request *request = user_data;

  GST_INFO ("no UPnP router answers");
  answer (request->igd, request->protocol, request->address, request->port,
      NULL, 0);
  return G_SOURCE_REMOVE;
}

static void
gst_ice_igd_map (GstIcePortMapper *mapper, const gchar *protocol,
    const gchar *local_address, guint16 local_port, guint lifetime)
{
  GstIceIgd *self = GST_ICE_IGD (mapper);
  g_autofree gchar *upper = g_ascii_strup (protocol, -1);
  Request *request = g_new0 (Request, 1);

  request->igd = self;
  request->protocol = g_strdup (protocol);
  request->address = g_strdup (local_address);
  request->port = local_port;
  request->timeout = g_timeout_source_new (DISCOVERY_MS);
  g_source_set_callback (request->timeout, on_silence, request, NULL);
  g_source_attach (request->timeout, gst_ice_signaller_get_main_context ());
  g_ptr_array_add (self->requests, request);
  /* Port 0 means: ours if it is free, else another one. */
  gupnp_simple_igd_add_port (
      self->igd, upper, 0, local_address, local_port, lifetime, DESCRIPTION);
}

static void
gst_ice_igd_unmap (GstIcePortMapper *mapper, const gchar *protocol,
    const gchar *local_address, guint16 local_port)
{
  GstIceIgd *self = GST_ICE_IGD (mapper);
  g_autofree gchar *upper = g_ascii_strup (protocol, -1);
  Request *request = find_request (self, protocol, local_address, local_port);

  if (request)
    g_ptr_array_remove_fast (self->requests, request);
  gupnp_simple_igd_remove_port_local (
      self->igd, upper, local_address, local_port);
}

static void
gst_ice_igd_interface_init (GstIcePortMapperInterface *iface)
{
  iface->map = gst_ice_igd_map;
  iface->unmap = gst_ice_igd_unmap;
}

/* Removals are still on their way to the router: the object that sends them
 * goes when they are done. */
static gboolean
finish_igd (gpointer user_data)
{
  return gupnp_simple_igd_delete_all_mappings (user_data) ? G_SOURCE_REMOVE
                                                          : G_SOURCE_CONTINUE;
}

static void
gst_ice_igd_finalize (GObject *object)
{
  GstIceIgd *self = GST_ICE_IGD (object);
  GSource *source = g_timeout_source_new (100);

  g_signal_handlers_disconnect_by_data (self->igd, self);
  g_source_set_callback (source, finish_igd, self->igd, g_object_unref);
  g_source_attach (source, gst_ice_signaller_get_main_context ());
  g_source_unref (source);
  g_ptr_array_unref (self->requests);
  G_OBJECT_CLASS (gst_ice_igd_parent_class)->finalize (object);
}

static void
gst_ice_igd_class_init (GstIceIgdClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_ice_igd_finalize;
}

static void
gst_ice_igd_init (GstIceIgd *self)
{
  self->requests =
      g_ptr_array_new_with_free_func ((GDestroyNotify) request_free);
  self->igd = gupnp_simple_igd_new ();
  g_signal_connect (
      self->igd, "mapped-external-port", G_CALLBACK (on_mapped), self);
  g_signal_connect (
      self->igd, "error-mapping-port", G_CALLBACK (on_failed), self);
}

static gboolean
plugin_init (GstPlugin *plugin)
{
  GST_DEBUG_CATEGORY_INIT (ice_igd_debug, "ice-igd", 0, "Ports by UPnP IGD");
  gst_ice_port_mapper_register (GST_TYPE_ICE_IGD);
  return TRUE;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, iceigd,
    "Port mapping by UPnP IGD for ICE", plugin_init, VERSION, GST_LICENSE,
    GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
