/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "filesignaller.h"

#include <string.h>

#include "meetingfile.h"
#include "signalleruri.h"

GST_DEBUG_CATEGORY_STATIC (ice_file_debug);
#define GST_CAT_DEFAULT ice_file_debug

/* Notification is quick but not everywhere (network folders, storms of
 * events): while there is something to say look every few ms besides, and
 * seldom afterwards. */
#define LOOK_OFTEN (5 * G_TIME_SPAN_MILLISECOND)
#define LOOK_SELDOM (250 * G_TIME_SPAN_MILLISECOND)
#define BUSY_FOR (2 * G_TIME_SPAN_SECOND)
#define GONE_AFTER (100 * G_TIME_SPAN_MILLISECOND)
/* See STALE_AFTER of meetingfile.c. */
#define KEEP_EVERY (2 * G_TIME_SPAN_SECOND)

struct _GstIceFileSignaller
{
  GObject parent;

  GMutex lock;
  gchar *uri; /* (owned) (nullable) */
  gboolean stopped;
  gboolean offerer;
  GstIceMeetingFile *ours; /* (owned) (nullable) */
  GstIcePeerFile *theirs;  /* (owned) (nullable) */
  gchar *peer_id;          /* (owned) (nullable) who was met last */
  gboolean parted;         /* and left again */
  gboolean answered;       /* the offerer's: what comes is for us */
  gint64 gone_at;          /* its file has no name any more; 0: it has */
  gint64 busy_until, keep_at;
  GSource *look;         /* (owned) (nullable) */
  GFileMonitor *monitor; /* (owned) (nullable) service thread only */
};

enum
{
  PROP_0,
  PROP_URI,
};

static void gst_ice_file_signaller_iface_init (
    GstIceSignallerInterface *iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE (GstIceFileSignaller, gst_ice_file_signaller,
    G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_ICE_SIGNALLER, gst_ice_file_signaller_iface_init)
        GST_DEBUG_CATEGORY_INIT (
            ice_file_debug, "ice-signal", 0, "ICE signalling"))

/* With the lock. */
static void
look_soon (GstIceFileSignaller *self)
{
  self->busy_until = g_get_monotonic_time () + BUSY_FOR;
  if (self->look != NULL)
    g_source_set_ready_time (self->look, 0);
}

/* @line: (transfer full) */
static void
append (GstIceFileSignaller *self, gchar *line)
{
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&self->lock);
  if (!self->stopped && self->ours != NULL)
    gst_ice_meeting_file_append (self->ours, line, &error);
  look_soon (self);
  g_mutex_unlock (&self->lock);

  if (error != NULL)
    gst_ice_signaller_emit_error (GST_ICE_SIGNALLER (self), error);
  g_free (line);
}

/* With the lock. What was said to the last peer is not for the next. */
static void
renew (GstIceFileSignaller *self, GError **error)
{
  self->answered = FALSE;
  if (self->offerer && self->ours != NULL)
    gst_ice_meeting_file_renew (self->ours, error);
}

/* A hello. FALSE: from one we know. @ret_again: whoever was there before is
 * there no more, and the session begins anew; after a bye that was done. */
static gboolean
meet (GstIceFileSignaller *self, const gchar *id, gboolean *ret_again,
    GError **error)
{
  gboolean is_new;

  g_mutex_lock (&self->lock);
  is_new = g_strcmp0 (self->peer_id, id) != 0;
  *ret_again = is_new && self->peer_id != NULL && !self->parted;
  if (is_new) {
    g_free (self->peer_id);
    self->peer_id = g_strdup (id);
    self->parted = FALSE;
  }
  if (*ret_again)
    renew (self, error);
  g_mutex_unlock (&self->lock);
  return is_new;
}

static void
handle_hello (GstIceFileSignaller *self, const GstIceLine *line)
{
  GstIceSignaller *signaller = GST_ICE_SIGNALLER (self);
  g_autoptr (GError) error = NULL;
  gboolean again;

  if (line->id == NULL || !meet (self, line->id, &again, &error))
    return;
  GST_INFO_OBJECT (self, "the peer is process %" G_GUINT64_FORMAT, line->pid);
  gst_ice_signaller_emit_peer (signaller, TRUE);
  if (error != NULL)
    gst_ice_signaller_emit_error (signaller, error);
  else if (again)
    gst_ice_signaller_emit_ready (signaller, self->offerer);
}

/* The peer left. The place is made ready for the next one, at once: who comes
 * finds an offer there. */
static void
part (GstIceFileSignaller *self, const gchar *reason)
{
  GstIceSignaller *signaller = GST_ICE_SIGNALLER (self);
  g_autoptr (GError) error = NULL;
  gboolean known;

  g_mutex_lock (&self->lock);
  known = self->peer_id != NULL && !self->parted && !self->stopped;
  if (known) {
    self->parted = TRUE;
    renew (self, &error);
  }
  g_mutex_unlock (&self->lock);
  if (!known)
    return;
  gst_ice_signaller_emit_bye (signaller, reason);
  gst_ice_signaller_emit_peer (signaller, FALSE);
  if (error != NULL)
    gst_ice_signaller_emit_error (signaller, error);
  else
    gst_ice_signaller_emit_ready (signaller, self->offerer);
}

/* Is it an answer to another offer than ours, or something said to another? */
static gboolean
is_for_us (GstIceFileSignaller *self, const GstIceLine *line)
{
  gboolean ours;

  g_mutex_lock (&self->lock);
  if (self->offerer && self->ours != NULL &&
      (line->kind == GST_ICE_LINE_DESCRIPTION ||
          line->kind == GST_ICE_LINE_REJECT)) {
    const gchar *id = gst_ice_meeting_file_get_id (self->ours);

    self->answered = line->id == NULL || g_str_equal (line->id, id);
  }
  ours = !self->offerer || self->answered;
  g_mutex_unlock (&self->lock);
  return ours;
}

static void
handle (GstIceFileSignaller *self, const GstIceLine *line)
{
  GstIceSignaller *signaller = GST_ICE_SIGNALLER (self);

  if (line->kind == GST_ICE_LINE_HELLO) {
    handle_hello (self, line);
    return;
  }
  if (line->kind == GST_ICE_LINE_BYE) {
    part (self, line->text);
    return;
  }
  if (!is_for_us (self, line)) {
    GST_DEBUG_OBJECT (self, "a line for another");
    return;
  }
  gst_ice_line_deliver (line, signaller, self->offerer ? "answer" : "offer");
}

/* With the lock. FALSE: another process took our place. */
static gboolean
keep (GstIceFileSignaller *self, gint64 now)
{
  if (now < self->keep_at)
    return TRUE;
  self->keep_at = now + KEEP_EVERY;
  return self->ours == NULL || gst_ice_meeting_file_keep (self->ours);
}

/* With the lock. */
static void
look_again (GstIceFileSignaller *self, gboolean found, gint64 now)
{
  const gboolean busy = found || now < self->busy_until;

  if (found)
    self->busy_until = now + BUSY_FOR;
  if (self->look != NULL)
    g_source_set_ready_time (
        self->look, now + (busy ? LOOK_OFTEN : LOOK_SELDOM));
}

/* With the lock. Between two generations a file is missing for a moment; a
 * peer whose file stays away has left without a word. */
static gboolean
is_gone (GstIceFileSignaller *self, GstIcePeerFileStatus status, gint64 now)
{
  if (status != GST_ICE_PEER_FILE_MISSING || self->peer_id == NULL) {
    self->gone_at = 0;
    return FALSE;
  }
  if (self->gone_at == 0)
    self->gone_at = now;
  return now - self->gone_at > GONE_AFTER;
}

static void
lose_place (GstIceFileSignaller *self)
{
  g_autoptr (GError) error =
      g_error_new_literal (GST_ICE_ERROR, GST_ICE_ERROR_SIGNALLING_LOST,
          "Another process took the meeting place; was this one stopped?");

  gst_ice_signaller_stop (GST_ICE_SIGNALLER (self));
  gst_ice_signaller_emit_error (GST_ICE_SIGNALLER (self), error);
}

static void
look (GstIceFileSignaller *self)
{
  const gint64 now = g_get_monotonic_time ();
  GstIcePeerFileStatus status;
  GQueue lines = G_QUEUE_INIT;
  GstIceLine *line;
  gboolean gone, kept;

  g_mutex_lock (&self->lock);
  if (self->stopped || self->theirs == NULL) {
    g_mutex_unlock (&self->lock);
    return;
  }
  status = gst_ice_peer_file_read (self->theirs, &lines);
  gone = is_gone (self, status, now);
  kept = keep (self, now);
  look_again (self, lines.length > 0, now);
  g_mutex_unlock (&self->lock);

  while ((line = g_queue_pop_head (&lines)) != NULL) {
    handle (self, line);
    gst_ice_line_free (line);
  }
  if (gone)
    part (self, "gone");
  /* No peer of ours says so much. */
  if (status == GST_ICE_PEER_FILE_TOO_LARGE)
    part (self, "too-large");
  if (!kept)
    lose_place (self);
}

static gboolean
on_look (gpointer user_data)
{
  look (user_data);
  return G_SOURCE_CONTINUE;
}

static void
on_changed (GFileMonitor *monitor, GFile *file, GFile *other,
    GFileMonitorEvent event, GstIceFileSignaller *self)
{
  look (self);
}

static gboolean
dispatch_look (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static GSourceFuncs look_funcs = { .dispatch = dispatch_look };

typedef struct
{
  GstIceFileSignaller *self; /* (owned) */
  gchar *path;               /* (owned) */
} Watch;

static void
watch_free (gpointer data)
{
  Watch *watch = data;

  g_object_unref (watch->self);
  g_free (watch->path);
  g_free (watch);
}

/* Service thread: monitors report to the thread that makes them. */
static gboolean
watch_run (gpointer data)
{
  Watch *watch = data;
  GstIceFileSignaller *self = watch->self;
  GMainContext *context = gst_ice_signaller_get_main_context ();
  g_autoptr (GFile) file = g_file_new_for_path (watch->path);

  if (self->stopped || self->monitor != NULL)
    return G_SOURCE_REMOVE;
  g_main_context_push_thread_default (context);
  /* Without it we look ourselves. */
  self->monitor = g_file_monitor_file (file, G_FILE_MONITOR_NONE, NULL, NULL);
  if (self->monitor != NULL) {
    g_file_monitor_set_rate_limit (self->monitor, 0);
    g_signal_connect_object (
        self->monitor, "changed", G_CALLBACK (on_changed), self, 0);
  }
  g_main_context_pop_thread_default (context);
  look (self);
  return G_SOURCE_REMOVE;
}

static gboolean
unwatch_run (gpointer data)
{
  Watch *watch = data;

  if (watch->self->monitor != NULL)
    g_file_monitor_cancel (watch->self->monitor);
  g_clear_object (&watch->self->monitor);
  return G_SOURCE_REMOVE;
}

static void
invoke (GstIceFileSignaller *self, GSourceFunc func, const gchar *path)
{
  Watch *watch = g_new0 (Watch, 1);

  watch->self = g_object_ref (self);
  watch->path = g_strdup (path);
  g_main_context_invoke_full (gst_ice_signaller_get_main_context (),
      G_PRIORITY_DEFAULT, func, watch, watch_free);
}

static gboolean
gst_ice_file_signaller_check (GstIceSignaller *signaller, GError **error)
{
  GstIceFileSignaller *self = GST_ICE_FILE_SIGNALLER (signaller);
  GstIceSignallerRole role = GST_ICE_SIGNALLER_ROLE_AUTO;
  g_autofree gchar *path = NULL;

  if (!gst_ice_signaller_uri_parse (
          self->uri, "ice+file", &path, &role, NULL, error))
    return FALSE;
  if (path == NULL || *path == '\0' || g_str_has_suffix (path, "/")) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "An ice+file: URI names a file in a folder that both sides see, as "
        "ice+file:///tmp/call");
    return FALSE;
  }
  return TRUE;
}

/* With the lock: who comes first offers, unless told otherwise. */
static gboolean
claim (GstIceFileSignaller *self, const gchar *path, GstIceSignallerRole role,
    GError **error)
{
  g_autofree gchar *offer = g_strconcat (path, ".offer", NULL);
  g_autofree gchar *answer = g_strconcat (path, ".answer", NULL);
  g_autoptr (GError) busy = NULL;

  if (role != GST_ICE_SIGNALLER_ROLE_ANSWER)
    self->ours = gst_ice_meeting_file_claim (offer, &busy);
  self->offerer = self->ours != NULL;
  if (self->ours == NULL &&
      (role == GST_ICE_SIGNALLER_ROLE_ANSWER ||
          (role == GST_ICE_SIGNALLER_ROLE_AUTO &&
              g_error_matches (busy, GST_ICE_ERROR, GST_ICE_ERROR_BUSY)))) {
    g_clear_error (&busy);
    self->ours = gst_ice_meeting_file_claim (answer, &busy);
  }
  if (self->ours == NULL) {
    g_propagate_error (error, g_steal_pointer (&busy));
    return FALSE;
  }
  self->theirs = gst_ice_peer_file_new (self->offerer ? answer : offer);
  return TRUE;
}

static gboolean
gst_ice_file_signaller_start (
    GstIceSignaller *signaller, GstIceSignallerRole role, GError **error)
{
  GstIceFileSignaller *self = GST_ICE_FILE_SIGNALLER (signaller);
  g_autofree gchar *path = NULL, *theirs = NULL;
  gboolean ok;

  if (!gst_ice_file_signaller_check (signaller, error) ||
      !gst_ice_signaller_uri_parse (
          self->uri, "ice+file", &path, &role, NULL, error))
    return FALSE;

  g_mutex_lock (&self->lock);
  if (self->ours != NULL) {
    g_mutex_unlock (&self->lock);
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY,
        "This signaller serves another session");
    return FALSE;
  }
  self->stopped = self->parted = self->answered = FALSE;
  self->gone_at = 0;
  g_clear_pointer (&self->peer_id, g_free);
  ok = claim (self, path, role, error);
  if (ok) {
    GST_INFO_OBJECT (self, "meeting at %s as %s", path,
        self->offerer ? "offerer" : "answerer");
    theirs = g_strconcat (path, self->offerer ? ".answer" : ".offer", NULL);
    self->keep_at = g_get_monotonic_time () + KEEP_EVERY;
    self->look = g_source_new (&look_funcs, sizeof (GSource));
    g_source_set_callback (
        self->look, on_look, g_object_ref (self), g_object_unref);
    g_source_attach (self->look, gst_ice_signaller_get_main_context ());
    self->busy_until = g_get_monotonic_time () + BUSY_FOR;
  }
  g_mutex_unlock (&self->lock);
  if (!ok)
    return FALSE;

  /* In this order: the first look comes with the watch. */
  gst_ice_signaller_emit_ready (signaller, self->offerer);
  invoke (self, watch_run, theirs);
  return TRUE;
}

/* (transfer full) (nullable) whose hello our answer is to */
static gchar *
dup_addressee (GstIceFileSignaller *self)
{
  gchar *to = NULL;

  g_mutex_lock (&self->lock);
  if (!self->offerer)
    to = g_strdup (self->peer_id);
  g_mutex_unlock (&self->lock);
  return to;
}

static void
gst_ice_file_signaller_send_description (
    GstIceSignaller *signaller, const gchar *type, const gchar *sdp)
{
  GstIceFileSignaller *self = GST_ICE_FILE_SIGNALLER (signaller);
  g_autofree gchar *to = dup_addressee (self);

  append (self, gst_ice_line_description (type, sdp, to));
}

static void
gst_ice_file_signaller_send_candidate (GstIceSignaller *signaller,
    const gchar *mid, guint mline_index, const gchar *candidate,
    const gchar *ufrag)
{
  append (GST_ICE_FILE_SIGNALLER (signaller),
      gst_ice_line_candidate (mid, mline_index, candidate, ufrag));
}

static void
gst_ice_file_signaller_send_reject (
    GstIceSignaller *signaller, const gchar *reason, const gchar *text)
{
  GstIceFileSignaller *self = GST_ICE_FILE_SIGNALLER (signaller);
  g_autofree gchar *to = dup_addressee (self);

  append (self, gst_ice_line_reject (reason, text, to));
}

static void
gst_ice_file_signaller_send_error (
    GstIceSignaller *signaller, const gchar *text)
{
  append (GST_ICE_FILE_SIGNALLER (signaller), gst_ice_line_error (text));
}

static void
gst_ice_file_signaller_send_bye (
    GstIceSignaller *signaller, const gchar *reason)
{
  append (GST_ICE_FILE_SIGNALLER (signaller), gst_ice_line_bye (reason));
}

static void
gst_ice_file_signaller_stop (GstIceSignaller *signaller)
{
  GstIceFileSignaller *self = GST_ICE_FILE_SIGNALLER (signaller);
  GSource *source;

  g_mutex_lock (&self->lock);
  self->stopped = TRUE;
  source = g_steal_pointer (&self->look);
  g_clear_pointer (&self->ours, gst_ice_meeting_file_free);
  g_clear_pointer (&self->theirs, gst_ice_peer_file_free);
  g_mutex_unlock (&self->lock);

  if (source != NULL) {
    invoke (self, unwatch_run, NULL);
    g_source_destroy (source);
    g_source_unref (source);
  }
}

static void
gst_ice_file_signaller_iface_init (
    GstIceSignallerInterface *iface, gpointer data)
{
  iface->check = gst_ice_file_signaller_check;
  iface->start = gst_ice_file_signaller_start;
  iface->send_description = gst_ice_file_signaller_send_description;
  iface->send_candidate = gst_ice_file_signaller_send_candidate;
  iface->send_bye = gst_ice_file_signaller_send_bye;
  iface->send_reject = gst_ice_file_signaller_send_reject;
  iface->send_error = gst_ice_file_signaller_send_error;
  iface->stop = gst_ice_file_signaller_stop;
}

static void
gst_ice_file_signaller_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceFileSignaller *self = GST_ICE_FILE_SIGNALLER (object);

  switch (id) {
    case PROP_URI:
      g_mutex_lock (&self->lock);
      g_value_set_string (value, self->uri);
      g_mutex_unlock (&self->lock);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_ice_file_signaller_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceFileSignaller *self = GST_ICE_FILE_SIGNALLER (object);

  switch (id) {
    case PROP_URI:
      g_mutex_lock (&self->lock);
      g_free (self->uri);
      self->uri = g_value_dup_string (value);
      g_mutex_unlock (&self->lock);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_ice_file_signaller_finalize (GObject *object)
{
  GstIceFileSignaller *self = GST_ICE_FILE_SIGNALLER (object);

  g_clear_pointer (&self->ours, gst_ice_meeting_file_free);
  g_clear_pointer (&self->theirs, gst_ice_peer_file_free);
  g_clear_object (&self->monitor);
  g_free (self->peer_id);
  g_free (self->uri);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_ice_file_signaller_parent_class)->finalize (object);
}

static void
gst_ice_file_signaller_init (GstIceFileSignaller *self)
{
  g_mutex_init (&self->lock);
}

static void
gst_ice_file_signaller_class_init (GstIceFileSignallerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = gst_ice_file_signaller_get_property;
  object_class->set_property = gst_ice_file_signaller_set_property;
  object_class->finalize = gst_ice_file_signaller_finalize;
  g_object_class_override_property (object_class, PROP_URI, "uri");
}
