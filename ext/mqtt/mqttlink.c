/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mqttlink.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <signal.h>
#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (ice_mqtt_debug);
#define GST_CAT_DEFAULT ice_mqtt_debug

#define KEEPALIVE_SECONDS 10
#define LOOP_MS 250
/* What a broker sends us may be as large as our lines are. */
#define MAX_PACKET (128 * 1024)
/* What waits for the service thread, which may be busy: of what goes beyond,
 * members say again what they say to us (mqttroom.c). */
#define MAX_PENDING (4 * 1024 * 1024)
/* Who is told in two seconds that it does not work can do something. */
#define FIRST_TIMEOUT (1800 * G_TIME_SPAN_MILLISECOND)
#define MIN_DELAY (250 * G_TIME_SPAN_MILLISECOND)
#define MAX_DELAY (30 * G_TIME_SPAN_SECOND)
/* Half an hour and more; then the broker is not there. */
#define MAX_ATTEMPTS 80
/* The process may end right after its bye. */
#define CLOSE_TIMEOUT (300 * G_TIME_SPAN_MILLISECOND)

struct _GstIceMqttLink
{
  gatomicrefcount refs;
  GWeakRef owner;
  GstIceMqttFunc func;
  gchar *host, *base, *inbox; /* (owned) */
  guint16 port;
  gboolean tls;
  struct mosquitto *mosquitto; /* (owned) */
  GSource *deadline;           /* (owned) (nullable) service thread */

  GMutex lock;
  GCond cond;
  gboolean closing, ended;
  gboolean connected, was_connected, failed;
  gint reason;    /* MQTT 5 3.2.2.2, of the last refusal */
  gchar *trouble; /* (owned) (nullable) what libmosquitto says of TLS */
  gsize pending;  /* bytes of messages on their way to the service thread */
};

static void
link_unref (gpointer data)
{
  GstIceMqttLink *self = data;

  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  mosquitto_destroy (self->mosquitto);
  g_weak_ref_clear (&self->owner);
  g_clear_pointer (&self->deadline, g_source_unref);
  g_free (self->host);
  g_free (self->base);
  g_free (self->inbox);
  g_free (self->trouble);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}

static GstIceMqttLink *
link_ref (GstIceMqttLink *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/* Events */

typedef struct
{
  GstIceMqttLink *link; /* (owned) */
  GstIceMqttEvent event;
} Delivery;

/* Small ones are not free either. */
static gsize
cost_of (GBytes *message)
{
  return 256 + g_bytes_get_size (message);
}

static void
delivery_free (gpointer data)
{
  Delivery *delivery = data;
  GstIceMqttLink *self = delivery->link;

  if (delivery->event.bytes != NULL) {
    g_mutex_lock (&self->lock);
    self->pending -= cost_of (delivery->event.bytes);
    g_mutex_unlock (&self->lock);
  }
  link_unref (delivery->link);
  g_free (delivery->event.topic);
  g_clear_pointer (&delivery->event.bytes, g_bytes_unref);
  g_clear_error (&delivery->event.error);
  g_free (delivery);
}

static gboolean
is_closing (GstIceMqttLink *self)
{
  gboolean closing;

  g_mutex_lock (&self->lock);
  closing = self->closing;
  g_mutex_unlock (&self->lock);
  return closing;
}

static gboolean
deliver (gpointer data)
{
  Delivery *delivery = data;
  g_autoptr (GObject) owner = g_weak_ref_get (&delivery->link->owner);

  if (owner != NULL && !is_closing (delivery->link))
    delivery->link->func (owner, &delivery->event);
  return G_SOURCE_REMOVE;
}

static void
tell (GstIceMqttLink *self, GstIceMqttEventKind kind, const gchar *topic,
    GBytes *bytes, GError *error)
{
  Delivery *delivery = g_new0 (Delivery, 1);

  delivery->link = link_ref (self);
  delivery->event.kind = kind;
  delivery->event.topic = g_strdup (topic);
  delivery->event.bytes = bytes;
  delivery->event.error = error;
  g_main_context_invoke_full (gst_ice_signaller_get_main_context (),
      G_PRIORITY_DEFAULT, deliver, delivery, delivery_free);
}

/* Once, whoever notices first: the thread or the clock. */
static void
fail (GstIceMqttLink *self, GError *error)
{
  gboolean first;

  g_mutex_lock (&self->lock);
  first = !self->failed;
  self->failed = TRUE;
  g_mutex_unlock (&self->lock);
  if (first)
    tell (self, GST_ICE_MQTT_FAILED, NULL, NULL, error);
  else
    g_error_free (error);
}

/* libmosquitto says */

static void
on_connect (struct mosquitto *mosquitto, void *data, int reason, int flags,
    const mosquitto_property *properties)
{
  GstIceMqttLink *self = data;
  g_autofree gchar *presence = g_strconcat (self->base, "/at/+", NULL);

  g_mutex_lock (&self->lock);
  self->reason = reason;
  self->connected = reason == 0;
  self->was_connected = self->was_connected || reason == 0;
  g_mutex_unlock (&self->lock);
  if (reason != 0)
    return;
  /* The inbox first: who sees us may call at once. */
  mosquitto_subscribe (mosquitto, NULL, self->inbox, 1);
  mosquitto_subscribe (mosquitto, NULL, presence, 1);
  tell (self, GST_ICE_MQTT_CONNECTED, NULL, NULL, NULL);
}

static void
on_disconnect (struct mosquitto *mosquitto, void *data, int reason,
    const mosquitto_property *properties)
{
  GstIceMqttLink *self = data;
  gboolean was;

  g_mutex_lock (&self->lock);
  was = self->connected;
  self->connected = FALSE;
  g_mutex_unlock (&self->lock);
  if (was)
    tell (self, GST_ICE_MQTT_DISCONNECTED, NULL, NULL, NULL);
}

static void
on_message (struct mosquitto *mosquitto, void *data,
    const struct mosquitto_message *message,
    const mosquitto_property *properties)
{
  GstIceMqttLink *self = data;
  const gsize size = strlen (self->base);
  GBytes *bytes;
  gboolean fits;

  if (message->payloadlen < 0 || message->payloadlen > MAX_PACKET ||
      strncmp (message->topic, self->base, size) != 0 ||
      message->topic[size] != '/')
    return;
  bytes = g_bytes_new (message->payload, (gsize) message->payloadlen);
  g_mutex_lock (&self->lock);
  fits = self->pending + cost_of (bytes) <= MAX_PENDING;
  if (fits)
    self->pending += cost_of (bytes);
  g_mutex_unlock (&self->lock);
  if (fits) {
    tell (self, GST_ICE_MQTT_MESSAGE, message->topic + size + 1, bytes, NULL);
  } else {
    GST_LOG ("more messages than can be looked at");
    g_bytes_unref (bytes);
  }
}

/* The reason why TLS fails is told here alone. */
static void
on_log (struct mosquitto *mosquitto, void *data, int level, const char *text)
{
  GstIceMqttLink *self = data;

  if (level != MOSQ_LOG_ERR)
    return;
  GST_INFO ("%s", text);
  g_mutex_lock (&self->lock);
  g_free (self->trouble);
  self->trouble = g_strdup (text);
  g_mutex_unlock (&self->lock);
}

/* What went wrong, in words. */

static const gchar *
describe_refusal (gint reason)
{
  switch (reason) {
    case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
    case MQTT_RC_NOT_AUTHORIZED:
      return "refuses user name and password";
    case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION:
      return "does not speak MQTT 5";
    case MQTT_RC_BANNED:
      return "has banned us";
    case MQTT_RC_SERVER_BUSY:
    case MQTT_RC_SERVER_UNAVAILABLE:
      return "is busy";
    default:
      return "refuses the connection";
  }
}

/* (transfer full) With the lock. @code: of libmosquitto, @os_code: errno */
static GError *
make_error (GstIceMqttLink *self, gint code, gint os_code)
{
  const gboolean untrusted = self->tls && self->trouble != NULL;
  const gboolean stranger =
      untrusted && strstr (self->trouble, "certificate") != NULL;
  const gchar *what = code == MOSQ_ERR_ERRNO ? g_strerror (os_code)
      : code == MOSQ_ERR_EAI || code == MOSQ_ERR_LOOKUP
      ? "there is no host of that name"
      : code == MOSQ_ERR_SUCCESS && self->tls
      ? "it does not answer; is it TLS that is spoken at that port?"
      : code == MOSQ_ERR_SUCCESS ? "it does not answer"
                                 : mosquitto_strerror (code);

  if (self->reason != 0)
    return g_error_new (GST_ICE_ERROR, GST_ICE_ERROR_SIGNALLING_LOST,
        "The broker %s:%u %s; see the URI's USER:PASSWORD@", self->host,
        self->port, describe_refusal (self->reason));
  if (untrusted)
    return g_error_new (GST_ICE_ERROR, GST_ICE_ERROR_TLS_UNTRUSTED,
        "TLS with the broker %s:%u fails: %s; %s", self->host, self->port,
        self->trouble,
        stranger ? "set “ca-file” to who signed its certificate"
                 : "is it TLS that is spoken at that port?");
  return g_error_new (GST_ICE_ERROR, GST_ICE_ERROR_SIGNALLING_LOST,
      "No connection to the broker %s:%u: %s", self->host, self->port, what);
}

static gboolean
on_deadline (gpointer data)
{
  GstIceMqttLink *self = data;
  GError *error = NULL;

  g_mutex_lock (&self->lock);
  if (!self->was_connected && !self->closing)
    error = make_error (self, MOSQ_ERR_SUCCESS, 0);
  g_mutex_unlock (&self->lock);
  if (error != NULL)
    fail (self, error);
  return G_SOURCE_REMOVE;
}

/* The thread */

/* Until the connection breaks. */
static gint
connect_once (GstIceMqttLink *self, gint *ret_errno)
{
  mosquitto_property *properties = NULL;
  gint code;

  mosquitto_property_add_int32 (
      &properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, MAX_PACKET);
  g_mutex_lock (&self->lock);
  self->reason = 0;
  g_clear_pointer (&self->trouble, g_free);
  g_mutex_unlock (&self->lock);
  errno = 0;
  code = mosquitto_connect_bind_v5 (self->mosquitto, self->host, self->port,
      KEEPALIVE_SECONDS, NULL, properties);
  mosquitto_property_free_all (&properties);
  while (code == MOSQ_ERR_SUCCESS)
    code = mosquitto_loop (self->mosquitto, LOOP_MS, 1);
  *ret_errno = errno;
  return code;
}

/* FALSE: it is over. */
static gboolean
wait_before (GstIceMqttLink *self, guint attempt)
{
  const gint64 most = MIN (MIN_DELAY << MIN (attempt, 16), MAX_DELAY);
  /* Those whom one broker served do not come back all at once. */
  const gint64 until = g_get_monotonic_time () + most / 2 +
      g_random_int_range (0, (gint32) (most / 2));
  gboolean go_on;

  g_mutex_lock (&self->lock);
  while (!self->closing && g_cond_wait_until (&self->cond, &self->lock, until))
    ;
  go_on = !self->closing;
  g_mutex_unlock (&self->lock);
  return go_on;
}

/* TRUE: it had been there; try again. */
static gboolean
may_come_back (GstIceMqttLink *self, gint code, gint os_code, guint attempt)
{
  GError *error = NULL;

  g_mutex_lock (&self->lock);
  GST_INFO ("%s:%u: %s", self->host, self->port, mosquitto_strerror (code));
  if (!self->closing && (!self->was_connected || attempt == MAX_ATTEMPTS))
    error = make_error (self, code, os_code);
  g_mutex_unlock (&self->lock);
  if (error != NULL)
    fail (self, error);
  return error == NULL;
}

static gpointer
run (gpointer data)
{
  GstIceMqttLink *self = data;
  guint attempt = 0;
  sigset_t pipe_signal;

  sigemptyset (&pipe_signal);
  sigaddset (&pipe_signal, SIGPIPE);
  pthread_sigmask (SIG_BLOCK, &pipe_signal, NULL);
  while (!is_closing (self)) {
    const gint64 start = g_get_monotonic_time ();
    gint os_code;
    const gint code = connect_once (self, &os_code);

    on_disconnect (self->mosquitto, self, code, NULL);
    attempt = g_get_monotonic_time () - start > MAX_DELAY ? 0 : attempt + 1;
    if (!may_come_back (self, code, os_code, attempt) ||
        !wait_before (self, attempt))
      break;
  }
  g_mutex_lock (&self->lock);
  self->ended = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  link_unref (self);
  return NULL;
}

/* From outside */

/* FALSE: it would go without TLS, which it must not. */
static gboolean
set_up_tls (GstIceMqttLink *self, const GstIceMqttUri *uri, GError **error)
{
  gint code;

  if (uri->ca_file != NULL)
    code = mosquitto_tls_set (
        self->mosquitto, uri->ca_file, NULL, NULL, NULL, NULL);
  else
    code = mosquitto_int_option (self->mosquitto, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
  if (code == MOSQ_ERR_SUCCESS)
    code = mosquitto_tls_opts_set (self->mosquitto, 1, NULL, NULL);
  if (code != MOSQ_ERR_SUCCESS)
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_TLS_UNTRUSTED,
        "“%s” cannot be used as “ca-file”: %s",
        uri->ca_file != NULL ? uri->ca_file : "", mosquitto_strerror (code));
  return code == MOSQ_ERR_SUCCESS;
}

GstIceMqttLink *
gst_ice_mqtt_link_new (const GstIceMqttUri *uri, GObject *owner,
    GstIceMqttFunc func, GError **error)
{
  GstIceMqttLink *self = g_new0 (GstIceMqttLink, 1);
  g_autofree gchar *will = NULL;

  g_atomic_ref_count_init (&self->refs);
  g_weak_ref_init (&self->owner, owner);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->func = func;
  self->host = g_strdup (uri->host);
  self->port = uri->port;
  self->tls = uri->tls;
  self->base = g_strdup (uri->room.base);
  self->inbox = g_strconcat (self->base, "/to/", uri->room.id, NULL);
  self->mosquitto = mosquitto_new (NULL, true, self);
  mosquitto_int_option (
      self->mosquitto, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_threaded_set (self->mosquitto, true);
  mosquitto_connect_v5_callback_set (self->mosquitto, on_connect);
  mosquitto_disconnect_v5_callback_set (self->mosquitto, on_disconnect);
  mosquitto_message_v5_callback_set (self->mosquitto, on_message);
  mosquitto_log_callback_set (self->mosquitto, on_log);
  mosquitto_username_pw_set (self->mosquitto, uri->user, uri->password);
  if (uri->tls && !set_up_tls (self, uri, error)) {
    link_unref (self);
    return NULL;
  }
  will = g_strconcat (self->base, "/at/", uri->room.id, NULL);
  mosquitto_will_set (self->mosquitto, will, 0, NULL, 1, true);
  return self;
}

void
gst_ice_mqtt_link_start (GstIceMqttLink *self)
{
  self->deadline = g_timeout_source_new (FIRST_TIMEOUT / 1000);
  g_source_set_callback (
      self->deadline, on_deadline, link_ref (self), link_unref);
  g_source_attach (self->deadline, gst_ice_signaller_get_main_context ());
  g_thread_unref (g_thread_new ("ice-mqtt", run, link_ref (self)));
}

void
gst_ice_mqtt_link_publish (GstIceMqttLink *self, const gchar *topic,
    const gchar *payload, gboolean retain)
{
  g_autofree gchar *whole = g_strconcat (self->base, "/", topic, NULL);
  gboolean connected;

  g_mutex_lock (&self->lock);
  connected = self->connected;
  g_mutex_unlock (&self->lock);
  if (connected)
    mosquitto_publish (self->mosquitto, NULL, whole, (int) strlen (payload),
        payload, 1, retain);
}

void
gst_ice_mqtt_link_close (GstIceMqttLink *self)
{
  const gint64 until = g_get_monotonic_time () + CLOSE_TIMEOUT;

  g_mutex_lock (&self->lock);
  self->closing = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  g_source_destroy (self->deadline);
  mosquitto_disconnect (self->mosquitto);

  g_mutex_lock (&self->lock);
  while (!self->ended && self->connected &&
      g_cond_wait_until (&self->cond, &self->lock, until))
    ;
  g_mutex_unlock (&self->lock);
  link_unref (self);
}
