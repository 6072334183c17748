/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/signallers/jsonlines.h"

G_BEGIN_DECLS

/* A room at a broker, and the one peer in it with whom we speak. No broker is
 * in sight here: messages go in and out by functions, and so does time.
 *
 *   BASE/at/ID   retained: who is there, in which role, and with whom; empty
 *                when it has left, which is also everybody's last will
 *   BASE/to/ID   what is said to ID
 *
 * A message to a peer is "MAC FROM CALL SEQ ACK\n" and a line of JSON. MAC is
 * HMAC-SHA256 of topic and rest where the room has a secret, else "-". Lines
 * are numbered within a call, acknowledged by the peer and said again until
 * they are, so it does not matter what becomes of broker and bridges. */
typedef struct _GstIceMqttRoom GstIceMqttRoom;

typedef struct
{
  /* @topic: after BASE/ */
  void (*publish) (gpointer user_data, const gchar *topic, const gchar *payload,
      gboolean retain);
  /* A peer was found. */
  void (*met) (gpointer user_data, gboolean offerer);
  void (*line) (gpointer user_data, const GstIceLine *line);
  /* It is gone; the next may be met. */
  void (*parted) (gpointer user_data, const gchar *reason);
} GstIceMqttRoomFuncs;

typedef struct
{
  gchar *base;   /* (owned) */
  gchar *id;     /* (owned) */
  gchar *peer;   /* (owned) (nullable) the only one we speak to */
  gchar *secret; /* (owned) (nullable) */
  GstIceSignallerRole role;
} GstIceMqttRoomConfig;

/* What may be an id: 1 to 64 letters, digits, "-", "_" and ".". */
gboolean gst_ice_mqtt_is_id (const gchar *text);

/* @config stays the caller's, and stays. */
GstIceMqttRoom *gst_ice_mqtt_room_new (const GstIceMqttRoomConfig *config,
    const GstIceMqttRoomFuncs *funcs, gpointer user_data);
void gst_ice_mqtt_room_free (GstIceMqttRoom *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceMqttRoom, gst_ice_mqtt_room_free)

/* The broker is there, or there again. */
void gst_ice_mqtt_room_connected (GstIceMqttRoom *self, gint64 now);
/* It is not: nobody can be heard to be gone. */
void gst_ice_mqtt_room_disconnected (GstIceMqttRoom *self);
/* @topic: after BASE/ */
void gst_ice_mqtt_room_take (GstIceMqttRoom *self, const gchar *topic,
    const gchar *payload, gsize size, gint64 now);
/* @line: (transfer full) FALSE: there is nobody, or who does not listen. */
gboolean gst_ice_mqtt_room_say (GstIceMqttRoom *self, gchar *line, gint64 now);
void gst_ice_mqtt_room_leave (GstIceMqttRoom *self);
void gst_ice_mqtt_room_tick (GstIceMqttRoom *self, gint64 now);

G_END_DECLS
