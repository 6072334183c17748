/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "serverobject.h"

#include <gst/ice/ice.h>
#include <string.h>

#include "wscertificate.h"
#include "wsdial.h"
#include "wsserver.h"

struct _GstIceSignallingServer
{
  GObject parent;

  gchar *address; /* (owned) (nullable) */
  guint port;     /* where to listen, then where it does */
  gboolean self_signed;
  gchar *certificate; /* (owned) (nullable) */
  gchar *key;         /* (owned) (nullable) */
  gchar *dialect;     /* (owned) (nullable) */
  gchar **tokens;     /* (owned) (nullable) */
  gchar **origins;    /* (owned) (nullable) */
  guint max_per_address;
  guint limits[4]; /* as in GstIceWsLimits */

  GstIceWsServer *server; /* (owned) (nullable) */
  gchar *fingerprint;     /* (owned) (nullable) */
  gchar *uri;             /* (owned) (nullable) of the server, without a room */
};

enum
{
  PROP_0,
  PROP_ADDRESS,
  PROP_PORT,
  PROP_SELF_SIGNED,
  PROP_CERTIFICATE,
  PROP_KEY,
  PROP_DIALECT,
  PROP_TOKENS,
  PROP_ORIGINS,
  PROP_MAX_PER_ADDRESS,
  PROP_MAX_PEERS,
  PROP_MAX_ROOM_PEERS,
  PROP_MESSAGES_PER_SECOND,
  PROP_BYTES_PER_SECOND,
  PROP_FINGERPRINT,
  PROP_URI,
};

enum
{
  SIGNAL_END,
  SIGNAL_ENDED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

static void gst_ice_signalling_server_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GstIceSignallingServer,
    gst_ice_signalling_server, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (
        G_TYPE_INITABLE, gst_ice_signalling_server_initable_init))

/* (nullable) */
static GPtrArray *
copy_list (gchar **list)
{
  GPtrArray *copy;

  if (list == NULL || *list == NULL)
    return NULL;
  copy = g_ptr_array_new_with_free_func (g_free);
  for (; *list != NULL; list++)
    g_ptr_array_add (copy, g_strdup (*list));
  return copy;
}

static gboolean
find_certificate (GstIceSignallingServer *self, const gchar *host,
    GTlsCertificate **ret_certificate, GError **error)
{
  *ret_certificate = NULL;
  if (self->certificate != NULL)
    *ret_certificate =
        gst_ice_ws_certificate_load (self->certificate, self->key, error);
  else if (self->self_signed)
    *ret_certificate = gst_ice_ws_certificate_self_signed (host, error);
  else
    return TRUE;
  return *ret_certificate != NULL;
}

static void
describe (GstIceSignallingServer *self, const gchar *host,
    GTlsCertificate *certificate)
{
  const gboolean is_ipv6 = strchr (host, ':') != NULL;

  self->port = gst_ice_ws_server_get_port (self->server);
  self->uri = g_strdup_printf ("%s://%s%s%s:%u",
      certificate != NULL ? "ice+wss" : "ice+ws", is_ipv6 ? "[" : "", host,
      is_ipv6 ? "]" : "", self->port);
  if (certificate != NULL)
    self->fingerprint = gst_ice_ws_fingerprint (certificate);
}

static gboolean
gst_ice_signalling_server_initable_real_init (
    GInitable *initable, GCancellable *cancellable, GError **error)
{
  GstIceSignallingServer *self = GST_ICE_SIGNALLING_SERVER (initable);
  const gboolean everywhere = self->address == NULL ||
      g_str_equal (self->address, "0.0.0.0") ||
      g_str_equal (self->address, "::");
  g_autofree gchar *host =
      everywhere ? gst_ice_ws_own_host () : g_strdup (self->address);
  g_autoptr (GTlsCertificate) certificate = NULL;
  GstIceWsServerConfig config;

  if (!find_certificate (self, host, &certificate, error))
    return FALSE;
  gst_ice_ws_server_config_init (&config);
  if (self->dialect != NULL && !g_str_equal (self->dialect, "any") &&
      !gst_ice_ws_dialect_from_nick (self->dialect, &config.dialect)) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        "“%s” is no dialect; there are any, lines, simple and gst-webrtc",
        self->dialect);
    return FALSE;
  }
  config.address = g_strdup (self->address);
  config.port = self->port;
  config.certificate = certificate != NULL ? g_object_ref (certificate) : NULL;
  config.tokens = copy_list (self->tokens);
  config.origins = copy_list (self->origins);
  config.max_per_address = self->max_per_address;
  config.limits.max_peers = self->limits[0];
  config.limits.max_room_peers = self->limits[1];
  config.limits.messages_per_second = self->limits[2];
  config.limits.bytes_per_second = self->limits[3];
  self->server = gst_ice_ws_server_new (&config, error);
  gst_ice_ws_server_config_clear (&config);
  if (self->server == NULL)
    return FALSE;
  describe (self, host, certificate);
  return TRUE;
}

static void
gst_ice_signalling_server_initable_init (GInitableIface *iface)
{
  iface->init = gst_ice_signalling_server_initable_real_init;
}

static gboolean
on_ended (gpointer user_data)
{
  GstIceSignallingServer *self = user_data;

  g_signal_emit (self, signals[SIGNAL_ENDED], 0);
  return G_SOURCE_REMOVE;
}

static void
gst_ice_signalling_server_end (GstIceSignallingServer *self)
{
  if (self->server != NULL)
    gst_ice_ws_server_end (self->server, on_ended, self);
}

static void
gst_ice_signalling_server_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceSignallingServer *self = GST_ICE_SIGNALLING_SERVER (object);

  switch (id) {
    case PROP_PORT:
      g_value_set_uint (value, self->port);
      break;
    case PROP_FINGERPRINT:
      g_value_set_string (value, self->fingerprint);
      break;
    case PROP_URI:
      g_value_set_string (value, self->uri);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_ice_signalling_server_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceSignallingServer *self = GST_ICE_SIGNALLING_SERVER (object);

  switch (id) {
    case PROP_ADDRESS:
      self->address = g_value_dup_string (value);
      break;
    case PROP_PORT:
      self->port = g_value_get_uint (value);
      break;
    case PROP_SELF_SIGNED:
      self->self_signed = g_value_get_boolean (value);
      break;
    case PROP_CERTIFICATE:
      self->certificate = g_value_dup_string (value);
      break;
    case PROP_KEY:
      self->key = g_value_dup_string (value);
      break;
    case PROP_DIALECT:
      self->dialect = g_value_dup_string (value);
      break;
    case PROP_TOKENS:
      self->tokens = g_value_dup_boxed (value);
      break;
    case PROP_ORIGINS:
      self->origins = g_value_dup_boxed (value);
      break;
    case PROP_MAX_PER_ADDRESS:
      self->max_per_address = g_value_get_uint (value);
      break;
    case PROP_MAX_PEERS:
    case PROP_MAX_ROOM_PEERS:
    case PROP_MESSAGES_PER_SECOND:
    case PROP_BYTES_PER_SECOND:
      self->limits[id - PROP_MAX_PEERS] = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_ice_signalling_server_finalize (GObject *object)
{
  GstIceSignallingServer *self = GST_ICE_SIGNALLING_SERVER (object);

  g_clear_pointer (&self->server, gst_ice_ws_server_free);
  g_free (self->address);
  g_free (self->certificate);
  g_free (self->key);
  g_free (self->dialect);
  g_strfreev (self->tokens);
  g_strfreev (self->origins);
  g_free (self->fingerprint);
  g_free (self->uri);
  G_OBJECT_CLASS (gst_ice_signalling_server_parent_class)->finalize (object);
}

static void
gst_ice_signalling_server_init (GstIceSignallingServer *self)
{
}

#define SET (G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS)
#define READ (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
install_strings (GObjectClass *klass)
{
  static const struct
  {
    guint id;
    const gchar *name, *blurb;
    GParamFlags flags;
  } strings[] = {
    { PROP_ADDRESS, "address", "Where to listen; NULL: everywhere", SET },
    { PROP_CERTIFICATE, "certificate", "PEM file", SET },
    { PROP_KEY, "key", "PEM file of its key", SET },
    { PROP_DIALECT, "dialect", "any, lines, simple or gst-webrtc", SET },
    { PROP_FINGERPRINT, "fingerprint", "SHA-256 of the certificate", READ },
    { PROP_URI, "uri", "Of the server, without a room", READ },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (strings); i++)
    g_object_class_install_property (klass, strings[i].id,
        g_param_spec_string (strings[i].name, strings[i].name, strings[i].blurb,
            NULL, strings[i].flags));
}

static void
install_numbers (GObjectClass *klass)
{
  const GstIceWsLimits *limits = &gst_ice_ws_default_limits;
  const struct
  {
    guint id;
    const gchar *name, *blurb;
    guint max, value;
    GParamFlags flags;
  } numbers[] = {
    { PROP_PORT, "port", "0: any that is free", G_MAXUINT16, 8443,
        SET | G_PARAM_READABLE },
    { PROP_MAX_PER_ADDRESS, "max-per-address",
        "Connections of one host; 0: any number", G_MAXUINT16, 0, SET },
    { PROP_MAX_PEERS, "max-peers", "Of all rooms", G_MAXUINT16,
        limits->max_peers, SET },
    { PROP_MAX_ROOM_PEERS, "max-room-peers", "Of one room", G_MAXUINT16,
        limits->max_room_peers, SET },
    { PROP_MESSAGES_PER_SECOND, "messages-per-second", "Of one peer",
        G_MAXUINT16, limits->messages_per_second, SET },
    { PROP_BYTES_PER_SECOND, "bytes-per-second", "Of one peer", G_MAXINT,
        limits->bytes_per_second, SET },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (numbers); i++)
    g_object_class_install_property (klass, numbers[i].id,
        g_param_spec_uint (numbers[i].name, numbers[i].name, numbers[i].blurb,
            0, numbers[i].max, numbers[i].value, numbers[i].flags));
}

static void
gst_ice_signalling_server_class_init (GstIceSignallingServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = gst_ice_signalling_server_get_property;
  object_class->set_property = gst_ice_signalling_server_set_property;
  object_class->finalize = gst_ice_signalling_server_finalize;
  install_strings (object_class);
  install_numbers (object_class);
  g_object_class_install_property (object_class, PROP_SELF_SIGNED,
      g_param_spec_boolean (
          "self-signed", "self-signed", "Make a certificate", FALSE, SET));
  g_object_class_install_property (object_class, PROP_TOKENS,
      g_param_spec_boxed ("tokens", "tokens",
          "Each “TOKEN”, or “TOKEN ROOM” for one room", G_TYPE_STRV, SET));
  g_object_class_install_property (object_class, PROP_ORIGINS,
      g_param_spec_boxed ("origins", "origins",
          "Of pages that may connect besides our own", G_TYPE_STRV, SET));
  signals[SIGNAL_END] = g_signal_new_class_handler ("end",
      GST_TYPE_ICE_SIGNALLING_SERVER, G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION,
      G_CALLBACK (gst_ice_signalling_server_end), NULL, NULL, NULL, G_TYPE_NONE,
      0);
  signals[SIGNAL_ENDED] = g_signal_new ("ended", GST_TYPE_ICE_SIGNALLING_SERVER,
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}
