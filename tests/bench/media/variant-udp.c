/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* udpsink to udpsrc. */

#include <stdlib.h>

#include "media.h"

static GstElement *
udp_connect (Wire *wire, gboolean sender)
{
  GstElement *element;
  gint port = 0;

  if (sender) {
    g_autofree gchar *line = wire_receive (wire);

    element = gst_element_factory_make ("udpsink", NULL);
    g_object_set (element, "host", "127.0.0.1", "port", atoi (line), "sync",
        FALSE, "async", FALSE, NULL);
    gst_element_set_state (element, GST_STATE_PLAYING);
  } else {
    element = gst_element_factory_make ("udpsrc", NULL);
    g_object_set (element, "address", "127.0.0.1", "port", 0, NULL);
    gst_element_set_state (element, GST_STATE_READY);
    g_object_get (element, "port", &port, NULL);
    wire->port = port;
    wire_send (wire, "%d", port);
  }
  return element;
}

const Variant variant_udp = { .name = "udp", .connect = udp_connect };
