/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "stdiosignaller.h"

#include <errno.h>
#include <glib-unix.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "jsonlines.h"
#include "signalleruri.h"
#include "terminal.h"

GST_DEBUG_CATEGORY_STATIC (ice_stdio_debug);
#define GST_CAT_DEFAULT ice_stdio_debug

/* The process may end right after its bye: a reader that is awake takes it. */
#define BYE_FLUSH_MS 200
/* A reader that takes nothing is no peer. */
#define MAX_WAITING (1024 * 1024)

struct _GstIceStdioSignaller
{
  GObject parent;

  GMutex lock;
  gchar *uri;               /* (owned) (nullable) */
  gint in, out;             /* -1: none */
  GstIceTerminal *terminal; /* (owned) (nullable) there is a person */
  gboolean by_line; /* each description is one line, and all that is said */
  gboolean started, stopped;
  gboolean offered;    /* raw SDP that comes is the answer */
  gboolean heard;      /* a description came */
  GString *waiting;    /* (owned) what is not written yet */
  GSource *in_source;  /* (owned) (nullable) */
  GSource *out_source; /* (owned) (nullable) */
  GstIceLineReader reader;
};

enum
{
  PROP_0,
  PROP_URI,
};

/* Standard input has one reader. */
static gint in_use;

static void gst_ice_stdio_signaller_iface_init (
    GstIceSignallerInterface *iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE (GstIceStdioSignaller, gst_ice_stdio_signaller,
    G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_ICE_SIGNALLER, gst_ice_stdio_signaller_iface_init)
        GST_DEBUG_CATEGORY_INIT (
            ice_stdio_debug, "ice-signal", 0, "ICE signalling"))

static void
emit_lost (GstIceStdioSignaller *self, const gchar *what)
{
  g_autoptr (GError) error =
      g_error_new_literal (GST_ICE_ERROR, GST_ICE_ERROR_SIGNALLING_LOST, what);

  gst_ice_signaller_emit_error (GST_ICE_SIGNALLER (self), error);
}

/* A peer that is gone is an error of the session, not the end of the process:
 * SIGPIPE is held back and taken away, in this thread alone. */
static gssize
write_quietly (gint fd, const gchar *bytes, gsize size)
{
  const struct timespec at_once = { 0 };
  sigset_t pipe_signal, before, pending;
  gssize n;
  gint code;

  sigemptyset (&pipe_signal);
  sigaddset (&pipe_signal, SIGPIPE);
  sigpending (&pending);
  pthread_sigmask (SIG_BLOCK, &pipe_signal, &before);
  n = write (fd, bytes, size);
  code = errno;
  if (n < 0 && code == EPIPE && !sigismember (&pending, SIGPIPE))
    while (sigtimedwait (&pipe_signal, NULL, &at_once) < 0 && errno == EINTR)
      ;
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  errno = code;
  return n;
}

/* With the lock. Writes what goes without blocking the caller: POSIX has a
 * writable pipe take PIPE_BUF bytes. FALSE: nobody reads. */
static gboolean
flush (GstIceStdioSignaller *self, gint timeout_ms)
{
  while (self->waiting->len > 0) {
    struct pollfd writable = { .fd = self->out, .events = POLLOUT };
    gssize n;

    if (poll (&writable, 1, timeout_ms) <= 0)
      return self->waiting->len < MAX_WAITING;
    n = write_quietly (self->out, self->waiting->str,
        MIN (self->waiting->len, (gsize) PIPE_BUF));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    g_string_erase (self->waiting, 0, n);
  }
  return TRUE;
}

static void
clear_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static gboolean
on_writable (gint fd, GIOCondition condition, gpointer user_data)
{
  GstIceStdioSignaller *self = user_data;
  gboolean ok, more;

  g_mutex_lock (&self->lock);
  ok = self->stopped || flush (self, 0);
  more = ok && !self->stopped && self->waiting->len > 0;
  if (!more)
    clear_source (&self->out_source);
  g_mutex_unlock (&self->lock);

  if (!ok)
    emit_lost (self, "Nobody reads what is written to standard output");
  return more;
}

/* With the lock. */
static GSource *
attach (
    GstIceStdioSignaller *self, gint fd, GIOCondition condition, gpointer func)
{
  GSource *source = g_unix_fd_source_new (fd, condition);

  g_source_set_callback (
      source, G_SOURCE_FUNC (func), g_object_ref (self), g_object_unref);
  g_source_attach (source, gst_ice_signaller_get_main_context ());
  return source;
}

/* @line: (transfer full) */
static void
say (GstIceStdioSignaller *self, gchar *line, gint timeout_ms)
{
  gboolean ok = TRUE;

  g_mutex_lock (&self->lock);
  if (self->started && !self->stopped) {
    g_string_append (self->waiting, line);
    ok = flush (self, timeout_ms);
    if (ok && self->waiting->len > 0 && self->out_source == NULL)
      self->out_source = attach (self, self->out, G_IO_OUT, on_writable);
  }
  g_mutex_unlock (&self->lock);

  if (!ok)
    emit_lost (self, "Nobody reads what is written to standard output");
  g_free (line);
}

static gboolean
is_by_line (GstIceStdioSignaller *self)
{
  gboolean by_line;

  g_mutex_lock (&self->lock);
  by_line = self->by_line;
  g_mutex_unlock (&self->lock);
  return by_line;
}

/* Only people need to be told what to do. */
static void
prompt (GstIceStdioSignaller *self, const gchar *text)
{
  gboolean person;

  g_mutex_lock (&self->lock);
  person = self->terminal != NULL && self->by_line;
  g_mutex_unlock (&self->lock);
  if (person)
    say (self, g_strdup (text), 0);
}

/* @line: (transfer full) all that is said in one go. */
static void
say_line (GstIceStdioSignaller *self, gchar *line)
{
  say (self, is_by_line (self) ? gst_ice_line_wrap (line) : line, 0);
}

static void
handle (GstIceStdioSignaller *self, const GstIceLine *line)
{
  GstIceSignaller *signaller = GST_ICE_SIGNALLER (self);
  gboolean first, offered;

  g_mutex_lock (&self->lock);
  first = line->kind == GST_ICE_LINE_DESCRIPTION && !self->heard;
  self->heard = self->heard || first;
  offered = self->offered;
  g_mutex_unlock (&self->lock);

  if (first)
    gst_ice_signaller_emit_peer (signaller, TRUE);
  gst_ice_line_deliver (line, signaller, offered ? "answer" : "offer");
  if (line->kind == GST_ICE_LINE_BYE)
    gst_ice_signaller_emit_peer (signaller, FALSE);
}

/* The other end is closed. A description that was fed from a file is fine, and
 * the call goes on; silence is not. */
static void
end_of_input (GstIceStdioSignaller *self)
{
  gboolean heard;

  g_mutex_lock (&self->lock);
  heard = self->heard;
  clear_source (&self->in_source);
  g_mutex_unlock (&self->lock);
  if (!heard)
    emit_lost (self,
        "Standard input ended before the peer's description came; connect it "
        "to the peer's standard output, as socat and ssh do");
}

static gboolean
on_readable (gint fd, GIOCondition condition, gpointer user_data)
{
  GstIceStdioSignaller *self = user_data;
  gchar bytes[4096];
  const gssize n = read (fd, bytes, sizeof bytes);
  GstIceLine *line;

  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return G_SOURCE_CONTINUE;
  if (n <= 0) {
    /* A paste of raw SDP that has no empty line ends here. */
    gst_ice_line_reader_push (&self->reader, "\n\n", 2);
  } else {
    gst_ice_line_reader_push (&self->reader, bytes, n);
  }
  while ((line = gst_ice_line_reader_pop (&self->reader)) != NULL) {
    handle (self, line);
    gst_ice_line_free (line);
  }
  if (n <= 0)
    end_of_input (self);
  return n > 0;
}

static gboolean
gst_ice_stdio_signaller_check (GstIceSignaller *signaller, GError **error)
{
  GstIceStdioSignaller *self = GST_ICE_STDIO_SIGNALLER (signaller);
  GstIceSignallerRole role;
  gboolean by_line;
  g_autofree gchar *path = NULL;

  /* By its nick it needs none. */
  return self->uri == NULL ||
      gst_ice_signaller_uri_parse (
          self->uri, "ice+stdio", &path, &role, &by_line, error);
}

/* Pipes are the peer; at a terminal there is a person, also when output goes
 * to a file. */
static gboolean
open_ends (GstIceStdioSignaller *self, GError **error)
{
  self->in = STDIN_FILENO;
  self->out = STDOUT_FILENO;
  if (!isatty (STDIN_FILENO))
    return TRUE;
  if (self->terminal == NULL)
    self->terminal = gst_ice_terminal_open ();
  if (self->terminal == NULL) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE,
        "Cannot open the terminal: %s", g_strerror (errno));
    return FALSE;
  }
  gst_ice_terminal_take_long_lines (self->terminal, TRUE);
  self->in = self->out = gst_ice_terminal_get_fd (self->terminal);
  return TRUE;
}

static gboolean
gst_ice_stdio_signaller_start (
    GstIceSignaller *signaller, GstIceSignallerRole role, GError **error)
{
  GstIceStdioSignaller *self = GST_ICE_STDIO_SIGNALLER (signaller);
  g_autofree gchar *path = NULL;
  gboolean by_line = isatty (STDIN_FILENO);
  gboolean ok;

  if (self->uri != NULL &&
      !gst_ice_signaller_uri_parse (
          self->uri, "ice+stdio", &path, &role, &by_line, error))
    return FALSE;
  if (!g_atomic_int_compare_and_exchange (&in_use, 0, 1)) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY,
        "Standard input serves another session of this process");
    return FALSE;
  }

  g_mutex_lock (&self->lock);
  ok = open_ends (self, error);
  if (ok) {
    self->started = TRUE;
    self->by_line = by_line;
    self->stopped = self->offered = self->heard = FALSE;
    g_string_truncate (self->waiting, 0);
    self->in_source = attach (self, self->in, G_IO_IN | G_IO_HUP, on_readable);
  } else {
    g_atomic_int_set (&in_use, 0);
  }
  g_mutex_unlock (&self->lock);
  if (!ok)
    return FALSE;
  if (role == GST_ICE_SIGNALLER_ROLE_ANSWER)
    prompt (self, "Paste the line of the peer here.\n");
  gst_ice_signaller_emit_ready (
      signaller, role != GST_ICE_SIGNALLER_ROLE_ANSWER);
  return TRUE;
}

static void
gst_ice_stdio_signaller_send_description (
    GstIceSignaller *signaller, const gchar *type, const gchar *sdp)
{
  GstIceStdioSignaller *self = GST_ICE_STDIO_SIGNALLER (signaller);
  const gboolean offers = g_str_equal (type, "offer");

  g_mutex_lock (&self->lock);
  self->offered = offers;
  g_mutex_unlock (&self->lock);
  prompt (self, "Give this line to the peer:\n\n");
  say_line (self, gst_ice_line_description (type, sdp, NULL));
  prompt (self, offers ? "\nand paste the line of the peer here.\n" : "\n");
}

/* A person has pasted what there is to paste. */
static gboolean
gst_ice_stdio_signaller_can_trickle (GstIceSignaller *signaller)
{
  return !is_by_line (GST_ICE_STDIO_SIGNALLER (signaller));
}

static void
gst_ice_stdio_signaller_send_candidate (GstIceSignaller *signaller,
    const gchar *mid, guint mline_index, const gchar *candidate,
    const gchar *ufrag)
{
  GstIceStdioSignaller *self = GST_ICE_STDIO_SIGNALLER (signaller);

  if (!is_by_line (self))
    say (self, gst_ice_line_candidate (mid, mline_index, candidate, ufrag), 0);
}

static void
gst_ice_stdio_signaller_send_bye (
    GstIceSignaller *signaller, const gchar *reason)
{
  GstIceStdioSignaller *self = GST_ICE_STDIO_SIGNALLER (signaller);

  if (!is_by_line (self))
    say (self, gst_ice_line_bye (reason), BYE_FLUSH_MS);
}

static void
gst_ice_stdio_signaller_send_reject (
    GstIceSignaller *signaller, const gchar *reason, const gchar *text)
{
  say_line (GST_ICE_STDIO_SIGNALLER (signaller),
      gst_ice_line_reject (reason, text, NULL));
}

static void
gst_ice_stdio_signaller_send_error (
    GstIceSignaller *signaller, const gchar *text)
{
  say_line (GST_ICE_STDIO_SIGNALLER (signaller), gst_ice_line_error (text));
}

static void
gst_ice_stdio_signaller_stop (GstIceSignaller *signaller)
{
  GstIceStdioSignaller *self = GST_ICE_STDIO_SIGNALLER (signaller);
  GSource *in_source, *out_source;
  gboolean release;

  g_mutex_lock (&self->lock);
  release = self->started && !self->stopped;
  self->stopped = TRUE;
  in_source = g_steal_pointer (&self->in_source);
  out_source = g_steal_pointer (&self->out_source);
  if (release && self->terminal != NULL)
    gst_ice_terminal_take_long_lines (self->terminal, FALSE);
  g_mutex_unlock (&self->lock);

  clear_source (&in_source);
  clear_source (&out_source);
  if (release)
    g_atomic_int_set (&in_use, 0);
}

static void
gst_ice_stdio_signaller_iface_init (
    GstIceSignallerInterface *iface, gpointer data)
{
  iface->check = gst_ice_stdio_signaller_check;
  iface->start = gst_ice_stdio_signaller_start;
  iface->send_description = gst_ice_stdio_signaller_send_description;
  iface->send_candidate = gst_ice_stdio_signaller_send_candidate;
  iface->send_bye = gst_ice_stdio_signaller_send_bye;
  iface->send_reject = gst_ice_stdio_signaller_send_reject;
  iface->send_error = gst_ice_stdio_signaller_send_error;
  iface->can_trickle = gst_ice_stdio_signaller_can_trickle;
  iface->stop = gst_ice_stdio_signaller_stop;
}

static void
gst_ice_stdio_signaller_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIceStdioSignaller *self = GST_ICE_STDIO_SIGNALLER (object);

  switch (id) {
    case PROP_URI:
      g_value_set_string (value, self->uri);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_ice_stdio_signaller_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIceStdioSignaller *self = GST_ICE_STDIO_SIGNALLER (object);

  switch (id) {
    case PROP_URI:
      g_free (self->uri);
      self->uri = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
gst_ice_stdio_signaller_finalize (GObject *object)
{
  GstIceStdioSignaller *self = GST_ICE_STDIO_SIGNALLER (object);

  gst_ice_stdio_signaller_stop (GST_ICE_SIGNALLER (self));
  g_clear_pointer (&self->terminal, gst_ice_terminal_free);
  gst_ice_line_reader_clear (&self->reader);
  g_string_free (self->waiting, TRUE);
  g_free (self->uri);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_ice_stdio_signaller_parent_class)->finalize (object);
}

static void
gst_ice_stdio_signaller_init (GstIceStdioSignaller *self)
{
  g_mutex_init (&self->lock);
  self->in = self->out = -1;
  self->waiting = g_string_new (NULL);
  gst_ice_line_reader_init (&self->reader);
}

static void
gst_ice_stdio_signaller_class_init (GstIceStdioSignallerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = gst_ice_stdio_signaller_get_property;
  object_class->set_property = gst_ice_stdio_signaller_set_property;
  object_class->finalize = gst_ice_stdio_signaller_finalize;
  g_object_class_override_property (object_class, PROP_URI, "uri");
}
