/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mqtturi.h"

G_BEGIN_DECLS

/* A connection to a broker that is made again when it breaks, with a thread of
 * its own: libmosquitto looks names up and connects in the caller's. What
 * happens is told in the service thread. */
typedef struct _GstIceMqttLink GstIceMqttLink;

typedef enum
{
  GST_ICE_MQTT_CONNECTED,
  GST_ICE_MQTT_MESSAGE,
  GST_ICE_MQTT_DISCONNECTED,
  GST_ICE_MQTT_FAILED, /* for good */
} GstIceMqttEventKind;

typedef struct
{
  GstIceMqttEventKind kind;
  gchar *topic;  /* (owned) (nullable) MESSAGE: after BASE/ */
  GBytes *bytes; /* (owned) (nullable) MESSAGE */
  GError *error; /* (owned) (nullable) FAILED */
} GstIceMqttEvent;

typedef void (*GstIceMqttFunc) (GObject *owner, const GstIceMqttEvent *event);

/* @owner is held weakly. */
GstIceMqttLink *gst_ice_mqtt_link_new (const GstIceMqttUri *uri, GObject *owner,
    GstIceMqttFunc func, GError **error);
/* Once. */
void gst_ice_mqtt_link_start (GstIceMqttLink *self);
/* @topic: after BASE/. Lost when there is no connection. */
void gst_ice_mqtt_link_publish (GstIceMqttLink *self, const gchar *topic,
    const gchar *payload, gboolean retain);
/* Says what was published, and goes. Nothing is told any more. */
void gst_ice_mqtt_link_close (GstIceMqttLink *self);

G_END_DECLS
