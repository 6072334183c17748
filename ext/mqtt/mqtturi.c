/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mqtturi.h"

#include <string.h>

#include "gst/signallers/loopback.h"

/* IANA: mqtt and secure-mqtt. */
#define PORT 1883
#define PORT_TLS 8883
/* MQTT 5 4.7.3 allows 64 KiB; ids and such are added. */
#define MAX_BASE 512

#define PARSE_FLAGS                                                            \
  (G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_QUERY |                      \
      G_URI_FLAGS_SCHEME_NORMALIZE)

void
gst_ice_mqtt_uri_free (GstIceMqttUri *self)
{
  g_free (self->host);
  g_free (self->user);
  g_free (self->password);
  g_free (self->ca_file);
  g_free (self->room.base);
  g_free (self->room.id);
  g_free (self->room.peer);
  g_free (self->room.secret);
  g_free (self);
}

static gboolean
fail (GError **error, const gchar *text)
{
  g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI, text);
  return FALSE;
}

static gboolean
take_role (GstIceMqttRoomConfig *room, const gchar *value, GError **error)
{
  if (g_str_equal (value, "offer"))
    room->role = GST_ICE_SIGNALLER_ROLE_OFFER;
  else if (g_str_equal (value, "answer"))
    room->role = GST_ICE_SIGNALLER_ROLE_ANSWER;
  else if (!g_str_equal (value, "auto"))
    return fail (error, "“role” is offer, answer or auto");
  return TRUE;
}

static gboolean
take_id (gchar **where, const gchar *value, GError **error)
{
  if (!gst_ice_mqtt_is_id (value))
    return fail (error,
        "“id” and “peer” are 1 to 64 letters, digits, “-”, “_” "
        "and “.”");
  g_free (*where);
  *where = g_strdup (value);
  return TRUE;
}

static gboolean
take_parameter (GstIceMqttUri *self, const gchar *name, const gchar *value,
    gboolean *insecure, GError **error)
{
  if (g_str_equal (name, "role"))
    return take_role (&self->room, value, error);
  if (g_str_equal (name, "id"))
    return take_id (&self->room.id, value, error);
  if (g_str_equal (name, "peer"))
    return take_id (&self->room.peer, value, error);
  if (g_str_equal (name, "secret")) {
    if (*value == '\0')
      return fail (error, "“secret” is empty");
    self->room.secret = g_strdup (value);
    return TRUE;
  }
  if (g_str_equal (name, "ca-file")) {
    self->ca_file = g_strdup (value);
    return TRUE;
  }
  if (g_str_equal (name, "insecure")) {
    *insecure = g_str_equal (value, "true") || g_str_equal (value, "1");
    return TRUE;
  }
  return fail (error,
      "The URI has an unknown parameter; there are role, id, "
      "peer, secret, ca-file and insecure");
}

static gboolean
parse_query (
    GstIceMqttUri *self, const gchar *query, gboolean *insecure, GError **error)
{
  g_autoptr (GHashTable) params = NULL;
  GHashTableIter iter;
  gpointer name, value;

  if (query == NULL)
    return TRUE;
  params = g_uri_parse_params (query, -1, "&", G_URI_PARAMS_NONE, NULL);
  if (params == NULL)
    return fail (error,
        "The parameters of the URI are not NAME=VALUE, with "
        "“&” between them, percent-encoded");
  g_hash_table_iter_init (&iter, params);
  while (g_hash_table_iter_next (&iter, &name, &value))
    if (!take_parameter (self, name, value, insecure, error))
      return FALSE;
  return TRUE;
}

/* MQTT 5 4.7: no wildcards, no NUL, and "$" begins what is the broker's. */
static gboolean
take_base (GstIceMqttUri *self, const gchar *path, GError **error)
{
  g_autofree gchar *base = g_strdup (path + (*path == '/'));
  const gsize size = strlen (base);
  const gchar *p;

  for (p = base; *p != '\0' && *p != '#' && *p != '+' && !g_ascii_iscntrl (*p);
       p++)
    ;
  if (size == 0 || size > MAX_BASE || *p != '\0' || *base == '$' ||
      base[size - 1] == '/' || !g_utf8_validate (base, -1, NULL))
    return fail (error,
        "The path of the URI is the topic of the room, as in "
        "ice+mqtts://broker.example.org/calls/room; without “#” and “+”");
  self->room.base = g_steal_pointer (&base);
  return TRUE;
}

GstIceMqttUri *
gst_ice_mqtt_uri_parse (const gchar *text, GError **error)
{
  g_autoptr (GstIceMqttUri) self = g_new0 (GstIceMqttUri, 1);
  g_autoptr (GUri) uri = NULL;
  gboolean insecure = FALSE;

  uri = text != NULL ? g_uri_parse (text, PARSE_FLAGS, NULL) : NULL;
  if (uri == NULL || g_uri_get_host (uri) == NULL ||
      *g_uri_get_host (uri) == '\0' ||
      !g_str_has_prefix (g_uri_get_scheme (uri), "ice+mqtt")) {
    fail (error,
        "A broker is named as in "
        "ice+mqtts://user:password@broker.example.org/calls/room");
    return NULL;
  }
  self->host = g_strdup (g_uri_get_host (uri));
  self->tls = g_str_equal (g_uri_get_scheme (uri), "ice+mqtts");
  self->port = g_uri_get_port (uri) > 0 ? (guint16) g_uri_get_port (uri)
      : self->tls                       ? PORT_TLS
                                        : PORT;
  self->user = g_strdup (g_uri_get_user (uri));
  self->password = g_strdup (g_uri_get_password (uri));
  if (!take_base (self, g_uri_get_path (uri), error) ||
      !parse_query (self, g_uri_get_query (uri), &insecure, error))
    return NULL;
  /* Credentials of ICE and fingerprints of DTLS travel here. */
  if (!self->tls && !insecure && !gst_ice_is_loopback (self->host)) {
    fail (error,
        "Without TLS everybody on the way can take the call over: use "
        "ice+mqtts:, or say insecure=true");
    return NULL;
  }
  if (self->room.id == NULL)
    self->room.id = g_uuid_string_random ();
  return g_steal_pointer (&self);
}
