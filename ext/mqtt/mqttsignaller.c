/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mqttsignaller.h"

#include "mqttlink.h"

#include "gst/signallers/secrets.h"

GST_DEBUG_CATEGORY_EXTERN (ice_mqtt_debug);
#define GST_CAT_DEFAULT ice_mqtt_debug

/* The room counts in half seconds and more. */
#define TICK_MS 250
/* Whoever stops from elsewhere waits for the service thread no longer. */
#define STOP_TIMEOUT (500 * G_TIME_SPAN_MILLISECOND)

struct _GstIceMqttSignaller
{
  GObject parent;

  gchar *uri;     /* (owned) (nullable) under the object's lock */
  gchar *ca_file; /* (owned) (nullable) likewise */
  GMutex lock;
  gint started; /* atomic */

  /* from start on, the service thread's */
  GstIceMqttUri *place; /* (owned) (nullable) */
  GstIceMqttRoom *room; /* (owned) (nullable) */
  GstIceMqttLink *link; /* (owned) (nullable) */
  GSource *tick;        /* (owned) (nullable) */
};

enum
{
  PROP_0,
  PROP_URI,
  PROP_CA_FILE,
};

static void gst_ice_mqtt_signaller_iface_init (
    GstIceSignallerInterface *iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE (GstIceMqttSignaller, gst_ice_mqtt_signaller,
    G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_ICE_SIGNALLER, gst_ice_mqtt_signaller_iface_init))

/* What the room says */

static void
on_publish (
    gpointer self, const gchar *topic, const gchar *payload, gboolean retain)
{
  GstIceMqttLink *link = GST_ICE_MQTT_SIGNALLER (self)->link;

  if (link != NULL)
    gst_ice_mqtt_link_publish (link, topic, payload, retain);
}

static void
on_met (gpointer self, gboolean offerer)
{
  gst_ice_signaller_emit_peer (self, TRUE);
  gst_ice_signaller_emit_ready (self, offerer);
}

static void
on_line (gpointer self, const GstIceLine *line)
{
  gst_ice_line_deliver (line, self, "offer");
}

static void
on_parted (gpointer self, const gchar *reason)
{
  gst_ice_signaller_emit_bye (self, reason);
  gst_ice_signaller_emit_peer (self, FALSE);
}

static const GstIceMqttRoomFuncs room_funcs = {
  .publish = on_publish,
  .met = on_met,
  .line = on_line,
  .parted = on_parted,
};

/* What the broker says */

static void
on_event (GObject *owner, const GstIceMqttEvent *event)
{
  GstIceMqttSignaller *self = GST_ICE_MQTT_SIGNALLER (owner);
  const gint64 now = g_get_monotonic_time ();
  const gchar *payload;
  gsize size = 0;

  if (self->link == NULL)
    return;
  switch (event->kind) {
    case GST_ICE_MQTT_CONNECTED:
      gst_ice_mqtt_room_connected (self->room, now);
      break;
    case GST_ICE_MQTT_DISCONNECTED:
      GST_INFO_OBJECT (self, "the broker is gone; trying again");
      gst_ice_mqtt_room_disconnected (self->room);
      break;
    case GST_ICE_MQTT_MESSAGE:
      payload = g_bytes_get_data (event->bytes, &size);
      gst_ice_mqtt_room_take (
          self->room, event->topic, payload != NULL ? payload : "", size, now);
      break;
    case GST_ICE_MQTT_FAILED:
      gst_ice_signaller_emit_error (GST_ICE_SIGNALLER (self), event->error);
      break;
  }
}

static void
free_weak (gpointer weak)
{
  g_weak_ref_clear (weak);
  g_free (weak);
}

static gboolean
on_tick (gpointer weak)
{
  g_autoptr (GstIceMqttSignaller) self = g_weak_ref_get (weak);

  if (self != NULL && self->link != NULL)
    gst_ice_mqtt_room_tick (self->room, g_get_monotonic_time ());
  return G_SOURCE_CONTINUE;
}

/* (nullable) with what the property adds */
static GstIceMqttUri *
parse (GstIceMqttSignaller *self, GError **error)
{
  GstIceMqttUri *place;

  g_mutex_lock (&self->lock);
  place = gst_ice_mqtt_uri_parse (self->uri, error);
  if (place != NULL && place->ca_file == NULL)
    place->ca_file = g_strdup (self->ca_file);
  g_mutex_unlock (&self->lock);
  return place;
}

static gboolean
gst_ice_mqtt_signaller_check (GstIceSignaller *signaller, GError **error)
{
  g_autoptr (GstIceMqttUri) place =
      parse (GST_ICE_MQTT_SIGNALLER (signaller), error);

  return place != NULL;
}

/* What a start before left, whose callers may still be in it. */
typedef struct
{
  GstIceMqttRoom *room;
  GstIceMqttUri *place;
} Remains;

static gboolean
free_remains (gpointer data)
{
  Remains *remains = data;

  g_clear_pointer (&remains->room, gst_ice_mqtt_room_free);
  g_clear_pointer (&remains->place, gst_ice_mqtt_uri_free);
  g_free (remains);
  return G_SOURCE_REMOVE;
}

static void
retire (GstIceMqttSignaller *self)
{
  g_autoptr (GSource) idle = g_idle_source_new ();
  Remains *remains = g_new0 (Remains, 1);

  remains->room = g_steal_pointer (&self->room);
  remains->place = g_steal_pointer (&self->place);
  g_source_set_callback (idle, free_remains, remains, NULL);
  g_source_attach (idle, gst_ice_signaller_get_main_context ());
}

static gboolean
gst_ice_mqtt_signaller_start (
    GstIceSignaller *signaller, GstIceSignallerRole role, GError **error)
{
  GstIceMqttSignaller *self = GST_ICE_MQTT_SIGNALLER (signaller);
  g_autoptr (GstIceMqttUri) place = parse (self, error);
  GstIceMqttLink *link;
  GWeakRef *weak;

  if (place == NULL)
    return FALSE;
  if (!g_atomic_int_compare_and_exchange (&self->started, FALSE, TRUE)) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY,
        "This signaller serves another session");
    return FALSE;
  }
  link = gst_ice_mqtt_link_new (place, G_OBJECT (self), on_event, error);
  if (link == NULL) {
    g_atomic_int_set (&self->started, FALSE);
    return FALSE;
  }
  if (place->room.role == GST_ICE_SIGNALLER_ROLE_AUTO)
    place->room.role = role;
  GST_INFO_OBJECT (self, "meeting at %s:%u, %s, as %s", place->host,
      place->port, place->room.base, place->room.id);
  retire (self);
  self->place = g_steal_pointer (&place);
  self->room = gst_ice_mqtt_room_new (&self->place->room, &room_funcs, self);
  self->link = link;
  self->tick = g_timeout_source_new (TICK_MS);
  weak = g_new0 (GWeakRef, 1);
  g_weak_ref_init (weak, self);
  g_source_set_callback (self->tick, on_tick, weak, free_weak);
  g_source_attach (self->tick, gst_ice_signaller_get_main_context ());
  gst_ice_mqtt_link_start (link);
  return TRUE;
}

/* Commands, in the service thread, one after the other. */

typedef struct
{
  GstIceMqttSignaller *self; /* (owned) */
  gchar *line;               /* (owned) (nullable) */
} Command;

static void
command_free (gpointer data)
{
  Command *command = data;

  g_object_unref (command->self);
  g_free (command->line);
  g_free (command);
}

static gboolean
say_run (gpointer data)
{
  Command *command = data;
  GstIceMqttSignaller *self = command->self;

  if (self->link != NULL &&
      !gst_ice_mqtt_room_say (self->room, g_steal_pointer (&command->line),
          g_get_monotonic_time ()))
    GST_DEBUG_OBJECT (self, "nobody is there to hear it");
  return G_SOURCE_REMOVE;
}

/* @line: (transfer full) */
static void
say (GstIceSignaller *signaller, gchar *line)
{
  Command *command = g_new0 (Command, 1);

  command->self = g_object_ref (GST_ICE_MQTT_SIGNALLER (signaller));
  command->line = line;
  g_strchomp (line);
  g_main_context_invoke_full (gst_ice_signaller_get_main_context (),
      G_PRIORITY_DEFAULT, say_run, command, command_free);
}

static void
gst_ice_mqtt_signaller_send_description (
    GstIceSignaller *signaller, const gchar *type, const gchar *sdp)
{
  say (signaller, gst_ice_line_description (type, sdp, NULL));
}

static void
gst_ice_mqtt_signaller_send_candidate (GstIceSignaller *signaller,
    const gchar *mid, guint mline_index, const gchar *candidate,
    const gchar *ufrag)
{
  say (signaller, gst_ice_line_candidate (mid, mline_index, candidate, ufrag));
}

static void
gst_ice_mqtt_signaller_send_bye (
    GstIceSignaller *signaller, const gchar *reason)
{
  say (signaller, gst_ice_line_bye (reason));
}

static void
gst_ice_mqtt_signaller_send_reject (
    GstIceSignaller *signaller, const gchar *reason, const gchar *text)
{
  say (signaller, gst_ice_line_reject (reason, text, NULL));
}

static void
gst_ice_mqtt_signaller_send_error (
    GstIceSignaller *signaller, const gchar *text)
{
  say (signaller, gst_ice_line_error (text));
}

/* Who stops waits until it is done: the process may end right after. */
typedef struct
{
  gatomicrefcount refs;
  GstIceMqttSignaller *self; /* (owned) */
  GMutex lock;
  GCond cond;
  gboolean done;
} Stop;

static void
stop_unref (gpointer data)
{
  Stop *stop = data;

  if (!g_atomic_ref_count_dec (&stop->refs))
    return;
  g_clear_object (&stop->self);
  g_mutex_clear (&stop->lock);
  g_cond_clear (&stop->cond);
  g_free (stop);
}

static void
stop_now (GstIceMqttSignaller *self)
{
  GstIceMqttLink *link = self->link;

  if (link == NULL)
    return;
  gst_ice_mqtt_room_leave (self->room);
  self->link = NULL;
  g_source_destroy (self->tick);
  g_clear_pointer (&self->tick, g_source_unref);
  gst_ice_mqtt_link_close (link);
  g_atomic_int_set (&self->started, FALSE);
}

static gboolean
stop_run (gpointer data)
{
  Stop *stop = data;

  stop_now (stop->self);
  g_mutex_lock (&stop->lock);
  stop->done = TRUE;
  g_cond_signal (&stop->cond);
  g_mutex_unlock (&stop->lock);
  return G_SOURCE_REMOVE;
}

static void
gst_ice_mqtt_signaller_stop (GstIceSignaller *signaller)
{
  GstIceMqttSignaller *self = GST_ICE_MQTT_SIGNALLER (signaller);
  const gint64 until = g_get_monotonic_time () + STOP_TIMEOUT;
  Stop *stop;

  if (!g_atomic_int_get (&self->started))
    return;
  if (g_main_context_is_owner (gst_ice_signaller_get_main_context ())) {
    stop_now (self);
    return;
  }
  stop = g_new0 (Stop, 1);
  g_atomic_ref_count_init (&stop->refs);
  g_atomic_ref_count_inc (&stop->refs);
  stop->self = g_object_ref (self);
  g_mutex_init (&stop->lock);
  g_cond_init (&stop->cond);
  g_main_context_invoke_full (gst_ice_signaller_get_main_context (),
      G_PRIORITY_DEFAULT, stop_run, stop, stop_unref);
  g_mutex_lock (&stop->lock);
  while (!stop->done && g_cond_wait_until (&stop->cond, &stop->lock, until))
    ;
  g_mutex_unlock (&stop->lock);
  stop_unref (stop);
}

static void
gst_ice_mqtt_signaller_iface_init (
    GstIceSignallerInterface *iface, gpointer data)
{
  iface->check = gst_ice_mqtt_signaller_check;
  iface->start = gst_ice_mqtt_signaller_start;
  iface->send_description = gst_ice_mqtt_signaller_send_description;
  iface->send_candidate = gst_ice_mqtt_signaller_send_candidate;
  iface->send_bye = gst_ice_mqtt_signaller_send_bye;
  iface->send_reject = gst_ice_mqtt_signaller_send_reject;
  iface->send_error = gst_ice_mqtt_signaller_send_error;
  iface->stop = gst_ice_mqtt_signaller_stop;
}

static void
gst_ice_mqtt_signaller_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceMqttSignaller *self = GST_ICE_MQTT_SIGNALLER (object);

  g_mutex_lock (&self->lock);
  switch (id) {
    case PROP_URI:
      /* Whoever may look at properties need not know the password. */
      g_value_take_string (value, gst_ice_hide_uri_secrets (self->uri));
      break;
    case PROP_CA_FILE:
      g_value_set_string (value, self->ca_file);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  g_mutex_unlock (&self->lock);
}

static void
gst_ice_mqtt_signaller_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceMqttSignaller *self = GST_ICE_MQTT_SIGNALLER (object);

  g_mutex_lock (&self->lock);
  switch (id) {
    case PROP_URI:
      g_free (self->uri);
      self->uri = g_value_dup_string (value);
      break;
    case PROP_CA_FILE:
      g_free (self->ca_file);
      self->ca_file = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  g_mutex_unlock (&self->lock);
}

static void
gst_ice_mqtt_signaller_finalize (GObject *object)
{
  GstIceMqttSignaller *self = GST_ICE_MQTT_SIGNALLER (object);

  /* The last reference was dropped without a stop. A broker that is left
   * rightly publishes no will: what is retained of us goes here, too. */
  if (self->link != NULL) {
    gst_ice_mqtt_room_leave (self->room);
    g_source_destroy (self->tick);
    g_source_unref (self->tick);
    gst_ice_mqtt_link_close (self->link);
  }
  g_clear_pointer (&self->room, gst_ice_mqtt_room_free);
  g_clear_pointer (&self->place, gst_ice_mqtt_uri_free);
  g_free (self->uri);
  g_free (self->ca_file);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_ice_mqtt_signaller_parent_class)->finalize (object);
}

static void
gst_ice_mqtt_signaller_init (GstIceMqttSignaller *self)
{
  g_mutex_init (&self->lock);
}

static void
gst_ice_mqtt_signaller_class_init (GstIceMqttSignallerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = gst_ice_mqtt_signaller_get_property;
  object_class->set_property = gst_ice_mqtt_signaller_set_property;
  object_class->finalize = gst_ice_mqtt_signaller_finalize;
  /* Reads back without password and secret. */
  g_object_class_override_property (object_class, PROP_URI, "uri");
  g_object_class_install_property (object_class, PROP_CA_FILE,
      g_param_spec_string ("ca-file", "CA file",
          "Certificates that may sign that of the broker, in PEM; the "
          "system's when unset",
          NULL, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
}
