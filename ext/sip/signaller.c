/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "signaller.h"

#include <string.h>

#include "place.h"
#include "useragent.h"

GST_DEBUG_CATEGORY (gst_ice_sip_debug);
#define GST_CAT_DEFAULT gst_ice_sip_debug

/* RFC 3261 10.2: what is proposed; the registrar decides. */
#define DEFAULT_EXPIRES 600
/* RFC 3261 17.1.1.2: Timer B, 64 T1. */
#define DEFAULT_TIMEOUT 32
#define DEFAULT_RING_TIMEOUT 60
/* NATs keep the way of UDP open for 30 s (RFC 5626 4.4.2 says 24 to 29). */
#define DEFAULT_KEEP_ALIVE 25

enum
{
  PROP_0,
  PROP_URI,
  PROP_USERNAME,
  PROP_PASSWORD,
  PROP_PROXY,
  PROP_LOCAL_ADDRESS,
  PROP_CA_FILE,
  PROP_CERTIFICATE_FILE,
  PROP_EXPIRES,
  PROP_TIMEOUT,
  PROP_RING_TIMEOUT,
  PROP_KEEP_ALIVE,
  PROP_ANSWER_DELAY,
  PROP_ALLOW_NON_ICE,
};

struct _GstIceSipSignaller
{
  GObject parent;

  GMutex lock;
  gchar *uri;                 /* (owned) (nullable) */
  gchar *username, *password; /* (owned) (nullable) */
  GstIceSipSettings settings; /* without place */
  gboolean allow_non_ice;
  gboolean started; /* and not stopped since: tasks may come in another order */

  GstIceSipUa *ua; /* (owned) (nullable) service thread */
};

static void gst_ice_sip_signaller_iface_init (
    GstIceSignallerInterface *iface, gpointer data);

G_DEFINE_FINAL_TYPE_WITH_CODE (GstIceSipSignaller, gst_ice_sip_signaller,
    G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_ICE_SIGNALLER, gst_ice_sip_signaller_iface_init)
        GST_DEBUG_CATEGORY_INIT (
            gst_ice_sip_debug, "ice-sip", 0, "ICE signalling by SIP"))

/* Tasks for the service thread, in order */

typedef struct _Task Task;
struct _Task
{
  GstIceSipSignaller *self; /* (owned) */
  void (*func) (const Task *task);
  gchar *a, *b, *c; /* (owned) (nullable) */
};

static gboolean
task_run (gpointer data)
{
  const Task *task = data;

  task->func (task);
  return G_SOURCE_REMOVE;
}

static void
task_free (gpointer data)
{
  Task *task = data;

  g_object_unref (task->self);
  g_free (task->a);
  g_free (task->b);
  g_free (task->c);
  g_free (task);
}

static void
invoke (GstIceSipSignaller *self, void (*func) (const Task *task),
    const gchar *a, const gchar *b, const gchar *c)
{
  GMainContext *context = gst_ice_signaller_get_main_context ();
  Task *task = g_new0 (Task, 1);
  GSource *source;

  task->self = g_object_ref (self);
  task->func = func;
  task->a = g_strdup (a);
  task->b = g_strdup (b);
  task->c = g_strdup (c);
  if (g_main_context_is_owner (context)) {
    task_run (task);
    task_free (task);
    return;
  }
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, task_run, task, task_free);
  g_source_attach (source, context);
  g_source_unref (source);
}

/* With the lock. (transfer full) (nullable) */
static GstIceSipPlace *
find_place (GstIceSipSignaller *self, GError **error)
{
  GstIceSipPlace *place;

  if (self->uri == NULL) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "Nobody to call: set “uri”, as sip:bob@example.org");
    return NULL;
  }
  place = gst_ice_sip_place_parse (self->uri, error);
  if (place != NULL && self->username != NULL) {
    g_free (place->username);
    place->username = g_strdup (self->username);
  }
  if (place != NULL && self->password != NULL) {
    g_free (place->password);
    place->password = g_strdup (self->password);
  }
  return place;
}

static gboolean
check_credentials (const GstIceSipPlace *place, GError **error)
{
  if ((place->username == NULL || strchr (place->username, ':') == NULL) &&
      (place->password == NULL || strchr (place->password, ':') == NULL))
    return TRUE;
  g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
      "A user or password with a colon cannot be used for SIP here");
  return FALSE;
}

static gboolean
gst_ice_sip_signaller_check (GstIceSignaller *signaller, GError **error)
{
  GstIceSipSignaller *self = GST_ICE_SIP_SIGNALLER (signaller);
  g_autoptr (GstIceSipPlace) place = NULL;

  g_mutex_lock (&self->lock);
  place = find_place (self, error);
  g_mutex_unlock (&self->lock);
  return place != NULL && check_credentials (place, error);
}

static GstIceSipSettings *
copy_settings (GstIceSipSignaller *self)
{
  GstIceSipSettings *copy;

  g_mutex_lock (&self->lock);
  copy = g_memdup2 (&self->settings, sizeof *copy);
  copy->place = find_place (self, NULL);
  copy->local_address = g_strdup (self->settings.local_address);
  copy->proxy = g_strdup (self->settings.proxy);
  copy->ca_file = g_strdup (self->settings.ca_file);
  copy->certificate_file = g_strdup (self->settings.certificate_file);
  g_mutex_unlock (&self->lock);
  return copy;
}

static void
set_started (GstIceSipSignaller *self, gboolean started)
{
  g_mutex_lock (&self->lock);
  self->started = started;
  g_mutex_unlock (&self->lock);
}

static void
start_run (const Task *task)
{
  GstIceSipSignaller *self = task->self;
  g_autoptr (GError) error = NULL;
  gboolean started;

  g_mutex_lock (&self->lock);
  started = self->started;
  g_mutex_unlock (&self->lock);
  if (!started || self->ua != NULL)
    return;
  self->ua = gst_ice_sip_ua_new (
      GST_ICE_SIGNALLER (self), copy_settings (self), &error);
  if (self->ua == NULL)
    gst_ice_signaller_emit_error (GST_ICE_SIGNALLER (self), error);
  else
    gst_ice_sip_ua_go (self->ua);
}

/* Who calls, offers; so the role has no say. */
static gboolean
gst_ice_sip_signaller_start (
    GstIceSignaller *signaller, GstIceSignallerRole role, GError **error)
{
  if (!gst_ice_sip_signaller_check (signaller, error))
    return FALSE;
  set_started (GST_ICE_SIP_SIGNALLER (signaller), TRUE);
  invoke (GST_ICE_SIP_SIGNALLER (signaller), start_run, NULL, NULL, NULL);
  return TRUE;
}

static void
send_description_run (const Task *task)
{
  if (task->self->ua != NULL)
    gst_ice_sip_ua_send_description (task->self->ua, task->a, task->b);
}

static void
gst_ice_sip_signaller_send_description (
    GstIceSignaller *signaller, const gchar *type, const gchar *sdp)
{
  invoke (
      GST_ICE_SIP_SIGNALLER (signaller), send_description_run, type, sdp, NULL);
}

static void
send_candidate_run (const Task *task)
{
  if (task->self->ua != NULL)
    gst_ice_sip_ua_send_candidate (task->self->ua, task->a, task->b, task->c);
}

static void
gst_ice_sip_signaller_send_candidate (GstIceSignaller *signaller,
    const gchar *mid, guint mline_index, const gchar *candidate,
    const gchar *ufrag)
{
  invoke (GST_ICE_SIP_SIGNALLER (signaller), send_candidate_run, mid, candidate,
      ufrag);
}

static void
send_reject_run (const Task *task)
{
  if (task->self->ua != NULL)
    gst_ice_sip_ua_send_reject (task->self->ua, task->a, task->b);
}

static void
gst_ice_sip_signaller_send_reject (
    GstIceSignaller *signaller, const gchar *reason, const gchar *text)
{
  invoke (
      GST_ICE_SIP_SIGNALLER (signaller), send_reject_run, reason, text, NULL);
}

static void
send_error_run (const Task *task)
{
  if (task->self->ua != NULL)
    gst_ice_sip_ua_send_error (task->self->ua);
}

static void
gst_ice_sip_signaller_send_error (GstIceSignaller *signaller, const gchar *text)
{
  invoke (GST_ICE_SIP_SIGNALLER (signaller), send_error_run, NULL, NULL, NULL);
}

static void
send_bye_run (const Task *task)
{
  if (task->self->ua != NULL)
    gst_ice_sip_ua_send_bye (task->self->ua, task->a);
}

static void
gst_ice_sip_signaller_send_bye (GstIceSignaller *signaller, const gchar *reason)
{
  invoke (GST_ICE_SIP_SIGNALLER (signaller), send_bye_run, reason, NULL, NULL);
}

/* RFC 8838 16: the first offer goes to who knows whom, with all candidates. */
static gboolean
gst_ice_sip_signaller_can_trickle (GstIceSignaller *signaller)
{
  GstIceSipSignaller *self = GST_ICE_SIP_SIGNALLER (signaller);

  return g_main_context_is_owner (gst_ice_signaller_get_main_context ()) &&
      self->ua != NULL && gst_ice_sip_ua_can_trickle (self->ua);
}

static void
stop_run (const Task *task)
{
  GstIceSipUa *ua = g_steal_pointer (&task->self->ua);

  if (ua != NULL)
    gst_ice_sip_ua_stop (ua);
}

static void
gst_ice_sip_signaller_stop (GstIceSignaller *signaller)
{
  set_started (GST_ICE_SIP_SIGNALLER (signaller), FALSE);
  invoke (GST_ICE_SIP_SIGNALLER (signaller), stop_run, NULL, NULL, NULL);
}

static void
gst_ice_sip_signaller_iface_init (
    GstIceSignallerInterface *iface, gpointer data)
{
  iface->check = gst_ice_sip_signaller_check;
  iface->start = gst_ice_sip_signaller_start;
  iface->send_description = gst_ice_sip_signaller_send_description;
  iface->send_candidate = gst_ice_sip_signaller_send_candidate;
  iface->send_reject = gst_ice_sip_signaller_send_reject;
  iface->send_error = gst_ice_sip_signaller_send_error;
  iface->send_bye = gst_ice_sip_signaller_send_bye;
  iface->can_trickle = gst_ice_sip_signaller_can_trickle;
  iface->stop = gst_ice_sip_signaller_stop;
}

/* Properties */

static gchar **
find_string (GstIceSipSignaller *self, guint id)
{
  switch (id) {
    case PROP_URI:
      return &self->uri;
    case PROP_USERNAME:
      return &self->username;
    case PROP_PASSWORD:
      return &self->password;
    case PROP_PROXY:
      return &self->settings.proxy;
    case PROP_LOCAL_ADDRESS:
      return &self->settings.local_address;
    case PROP_CA_FILE:
      return &self->settings.ca_file;
    case PROP_CERTIFICATE_FILE:
      return &self->settings.certificate_file;
    default:
      return NULL;
  }
}

static guint *
find_number (GstIceSipSignaller *self, guint id)
{
  switch (id) {
    case PROP_EXPIRES:
      return &self->settings.expires;
    case PROP_TIMEOUT:
      return &self->settings.timeout;
    case PROP_RING_TIMEOUT:
      return &self->settings.ring_timeout;
    case PROP_KEEP_ALIVE:
      return &self->settings.keep_alive;
    case PROP_ANSWER_DELAY:
      return &self->settings.answer_delay;
    default:
      return NULL;
  }
}

static void
gst_ice_sip_signaller_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceSipSignaller *self = GST_ICE_SIP_SIGNALLER (object);
  gchar **string = find_string (self, id);
  guint *number = find_number (self, id);

  g_mutex_lock (&self->lock);
  if (id == PROP_URI)
    g_value_take_string (value, gst_ice_sip_uri_hide_password (self->uri));
  else if (string != NULL)
    g_value_set_string (value, *string);
  else if (number != NULL)
    g_value_set_uint (value, *number);
  else if (id == PROP_ALLOW_NON_ICE)
    g_value_set_boolean (value, self->allow_non_ice);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  g_mutex_unlock (&self->lock);
}

static void
gst_ice_sip_signaller_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceSipSignaller *self = GST_ICE_SIP_SIGNALLER (object);
  gchar **string = find_string (self, id);
  guint *number = find_number (self, id);

  g_mutex_lock (&self->lock);
  if (string != NULL) {
    g_free (*string);
    *string = g_value_dup_string (value);
  } else if (number != NULL) {
    *number = g_value_get_uint (value);
  } else if (id == PROP_ALLOW_NON_ICE) {
    self->allow_non_ice = g_value_get_boolean (value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  g_mutex_unlock (&self->lock);
}

static void
gst_ice_sip_signaller_finalize (GObject *object)
{
  GstIceSipSignaller *self = GST_ICE_SIP_SIGNALLER (object);

  g_free (self->uri);
  g_free (self->username);
  g_free (self->password);
  g_free (self->settings.proxy);
  g_free (self->settings.local_address);
  g_free (self->settings.ca_file);
  g_free (self->settings.certificate_file);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_ice_sip_signaller_parent_class)->finalize (object);
}

static void
gst_ice_sip_signaller_init (GstIceSipSignaller *self)
{
  g_mutex_init (&self->lock);
  self->settings.expires = DEFAULT_EXPIRES;
  self->settings.timeout = DEFAULT_TIMEOUT;
  self->settings.ring_timeout = DEFAULT_RING_TIMEOUT;
  self->settings.keep_alive = DEFAULT_KEEP_ALIVE;
  self->allow_non_ice = TRUE;
}

static void
install_string (GObjectClass *klass, guint id, const gchar *name,
    const gchar *nick, const gchar *blurb, GParamFlags access)
{
  g_object_class_install_property (klass, id,
      g_param_spec_string (
          name, nick, blurb, NULL, access | G_PARAM_STATIC_STRINGS));
}

static void
install_number (GObjectClass *klass, guint id, const gchar *name,
    const gchar *nick, const gchar *blurb, guint min, guint max, guint value)
{
  g_object_class_install_property (klass, id,
      g_param_spec_uint (name, nick, blurb, min, max, value,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
}

static void
gst_ice_sip_signaller_class_init (GstIceSipSignallerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = gst_ice_sip_signaller_get_property;
  object_class->set_property = gst_ice_sip_signaller_set_property;
  object_class->finalize = gst_ice_sip_signaller_finalize;
  g_object_class_override_property (object_class, PROP_URI, "uri");

  install_string (object_class, PROP_USERNAME, "username", "Username",
      "For challenges of SIP servers, if not in the URI", G_PARAM_READWRITE);
  install_string (object_class, PROP_PASSWORD, "password", "Password",
      "For challenges of SIP servers, if not in the URI", G_PARAM_WRITABLE);
  install_string (object_class, PROP_PROXY, "proxy", "Proxy",
      "SIP URI of the proxy that all requests go through", G_PARAM_READWRITE);
  install_string (object_class, PROP_LOCAL_ADDRESS, "local-address",
      "Local address", "Address of this host that SIP messages leave from",
      G_PARAM_READWRITE);
  install_string (object_class, PROP_CA_FILE, "ca-file", "CA file",
      "PEM file of the authorities that are trusted; the system's by default",
      G_PARAM_READWRITE);
  install_string (object_class, PROP_CERTIFICATE_FILE, "certificate-file",
      "Certificate file",
      "PEM file of our certificate and its key, to be called by TLS",
      G_PARAM_READWRITE);
  install_number (object_class, PROP_EXPIRES, "expires", "Expires",
      "Seconds that a registration is asked for", 60, 86400, DEFAULT_EXPIRES);
  install_number (object_class, PROP_TIMEOUT, "timeout", "Timeout",
      "Seconds to wait for any answer of a SIP server", 1, 120,
      DEFAULT_TIMEOUT);
  install_number (object_class, PROP_RING_TIMEOUT, "ring-timeout",
      "Ring timeout", "Seconds that a call rings", 1, 600,
      DEFAULT_RING_TIMEOUT);
  install_number (object_class, PROP_KEEP_ALIVE, "keep-alive", "Keep alive",
      "Seconds between questions whether the peer's signalling is there, 0 "
      "for none",
      0, 3600, DEFAULT_KEEP_ALIVE);
  install_number (object_class, PROP_ANSWER_DELAY, "answer-delay",
      "Answer delay",
      "Milliseconds that a call rings here before it is taken; ICE begins at "
      "once",
      0, 600000, 0);
  g_object_class_install_property (object_class, PROP_ALLOW_NON_ICE,
      g_param_spec_boolean ("allow-non-ice", "Allow non-ICE",
          "Send to peers that do no ICE, unchecked", TRUE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
}
