/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mqttroom.h"

G_BEGIN_DECLS

/* ice+mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]/PATH/ROOM
 *     [?role=offer|answer][&id=NAME][&peer=NAME][&secret=TEXT]
 *     [&ca-file=PATH][&insecure=true] */
typedef struct
{
  gchar *host; /* (owned) */
  guint16 port;
  gboolean tls;
  gchar *user, *password; /* (owned) (nullable) */
  gchar *ca_file;         /* (owned) (nullable) */
  GstIceMqttRoomConfig room;
} GstIceMqttUri;

/* GST_ICE_ERROR_INVALID_URI, which never quotes what may be secret. */
GstIceMqttUri *gst_ice_mqtt_uri_parse (const gchar *text, GError **error);
void gst_ice_mqtt_uri_free (GstIceMqttUri *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceMqttUri, gst_ice_mqtt_uri_free)

G_END_DECLS
