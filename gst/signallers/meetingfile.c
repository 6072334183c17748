/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "meetingfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* gst_ice_meeting_file_keep is called every 2 s: five times missed is dead, or
 * stopped by its user for good. */
#define STALE_AFTER 10
/* Clocks of two hosts on one network folder differ. */
#define STALE_AFTER_ELSEWHERE 60
/* Between creating the file and writing the first line. */
#define STALE_WHEN_EMPTY 2
/* A hello is some 100 bytes. */
#define MAX_HELLO 1024
/* A call of a day with a restart every minute writes less. */
#define MAX_FILE (16 * 1024 * 1024)
/* Who reads is wanted elsewhere, too. */
#define MAX_AT_ONCE (128 * 1024)
#define N_CLAIMS 5

struct _GstIceMeetingFile
{
  gchar *path; /* (owned) */
  gchar *id;   /* (owned) */
  gint fd;
  struct stat place; /* which file it is: device and inode */
};

struct _GstIcePeerFile
{
  gchar *path; /* (owned) */
  gint fd;     /* -1: not there */
  struct stat place;
  gsize n_read;
  GstIceLineReader reader;
};

static gboolean
same_file (const struct stat *a, const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static void
set_error_from_errno (GError **error, const gchar *what, const gchar *path)
{
  const gint code = errno;

  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE,
      "Cannot %s “%s”: %s; meet in a folder where both sides may create files",
      what, path, g_strerror (code));
}

/* In a folder where everybody may write, as /tmp, a stranger could be waiting
 * at our meeting place: only what is ours is read there, what nobody else can
 * write to, and no other file of ours that was given another name. */
static gboolean
is_strangers (const gchar *path, const struct stat *file)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  struct stat place;

  if (stat (folder, &place) != 0 || (place.st_mode & S_IWOTH) == 0)
    return FALSE;
  return (file->st_uid != geteuid () && file->st_uid != place.st_uid) ||
      (file->st_mode & (S_IWGRP | S_IWOTH)) != 0 || file->st_nlink > 1;
}

/* Not blocking: a name may have become a FIFO. */
static gint
open_to_read (const gchar *path, struct stat *ret_place)
{
  gint fd = open (path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

  if (fd >= 0 &&
      (fstat (fd, ret_place) != 0 || !S_ISREG (ret_place->st_mode))) {
    close (fd);
    errno = EINVAL;
    return -1;
  }
  return fd;
}

static GstIceLine *
read_hello (gint fd)
{
  gchar text[MAX_HELLO];
  const gssize size = pread (fd, text, sizeof text, 0);
  const gchar *end = size > 0 ? memchr (text, '\n', size) : NULL;
  g_autoptr (GstIceLine) line = NULL;

  if (end == NULL)
    return NULL;
  line = gst_ice_line_parse (text, end - text);
  if (line == NULL || line->kind != GST_ICE_LINE_HELLO)
    return NULL;
  return g_steal_pointer (&line);
}

static gboolean
is_alive (const GstIceLine *hello, time_t age)
{
  if (hello == NULL)
    return age < STALE_WHEN_EMPTY;
  if (g_strcmp0 (hello->host, g_get_host_name ()) != 0)
    return age < STALE_AFTER_ELSEWHERE;
  if (hello->pid == 0 || hello->pid > G_MAXINT32 ||
      (kill ((pid_t) hello->pid, 0) != 0 && errno == ESRCH))
    return FALSE;
  return age < STALE_AFTER;
}

/* A dead process left it: away with it, but with no other that has taken the
 * place meanwhile. A rename moves whatever is there now, so look again. */
static void
remove_stale (const gchar *path, const struct stat *stale)
{
  g_autofree gchar *aside =
      g_strdup_printf ("%s.%d.stale", path, (gint) getpid ());
  struct stat moved;

  if (rename (path, aside) != 0)
    return;
  if (lstat (aside, &moved) == 0 && !same_file (&moved, stale) &&
      link (aside, path) != 0)
    g_debug ("a living meeting file went with a stale one");
  g_unlink (aside);
}

/* @fd: open, so that its inode is not given to another file meanwhile. */
static gboolean
replace_if_stale (
    const gchar *path, gint fd, const struct stat *place, GError **error)
{
  g_autoptr (GstIceLine) hello = read_hello (fd);

  if (is_strangers (path, place)) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY,
        "“%s” belongs to another user; meet in a folder of your own", path);
    return FALSE;
  }
  if (is_alive (hello, time (NULL) - place->st_mtime)) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY,
        "Somebody else (process %" G_GUINT64_FORMAT
        " on %s) holds “%s”; choose another path, or end that one",
        hello != NULL ? hello->pid : 0,
        hello != NULL && hello->host != NULL ? hello->host : "?", path);
    return FALSE;
  }
  remove_stale (path, place);
  return TRUE;
}

/* TRUE: the place may be free now. */
static gboolean
make_room (const gchar *path, GError **error)
{
  struct stat place;
  gint fd = open_to_read (path, &place);
  gboolean ok;

  if (fd < 0 && errno == ENOENT)
    return TRUE;
  if (fd < 0) {
    set_error_from_errno (error, "read", path);
    return FALSE;
  }
  ok = replace_if_stale (path, fd, &place, error);
  close (fd);
  return ok;
}

static gboolean
create (GstIceMeetingFile *self)
{
  /* Credentials are in it: for our eyes only. */
  self->fd = open (self->path,
      O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  return self->fd >= 0 && fstat (self->fd, &self->place) == 0;
}

static gboolean
greet (GstIceMeetingFile *self, GError **error)
{
  g_autofree gchar *line = NULL;

  g_free (self->id);
  self->id = g_uuid_string_random ();
  line = gst_ice_line_hello (self->id, getpid (), g_get_host_name ());
  return gst_ice_meeting_file_append (self, line, error);
}

GstIceMeetingFile *
gst_ice_meeting_file_claim (const gchar *path, GError **error)
{
  g_autoptr (GstIceMeetingFile) self = g_new0 (GstIceMeetingFile, 1);
  guint i;

  self->path = g_strdup (path);
  self->fd = -1;
  for (i = 0; i < N_CLAIMS; i++) {
    if (create (self))
      return greet (self, error) ? g_steal_pointer (&self) : NULL;
    if (errno != EEXIST) {
      set_error_from_errno (error, "create", path);
      return NULL;
    }
    if (!make_room (path, error))
      return NULL;
  }
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY,
      "Others compete for “%s”", path);
  return NULL;
}

static gboolean
is_ours (GstIceMeetingFile *self)
{
  struct stat there;

  return self->fd >= 0 && lstat (self->path, &there) == 0 &&
      same_file (&there, &self->place);
}

static void
leave (GstIceMeetingFile *self)
{
  if (self->fd < 0)
    return;
  if (is_ours (self))
    g_unlink (self->path);
  close (self->fd);
  self->fd = -1;
}

gboolean
gst_ice_meeting_file_renew (GstIceMeetingFile *self, GError **error)
{
  leave (self);
  if (!create (self)) {
    set_error_from_errno (error, "create", self->path);
    return FALSE;
  }
  return greet (self, error);
}

const gchar *
gst_ice_meeting_file_get_id (GstIceMeetingFile *self)
{
  return self->id;
}

gboolean
gst_ice_meeting_file_append (
    GstIceMeetingFile *self, const gchar *line, GError **error)
{
  gsize left = strlen (line);

  /* Readers take whole lines only, so a write in parts is no harm. */
  while (left > 0) {
    const gssize n = self->fd >= 0 ? write (self->fd, line, left) : -1;

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      set_error_from_errno (error, "write to", self->path);
      return FALSE;
    }
    line += n;
    left -= n;
  }
  return TRUE;
}

gboolean
gst_ice_meeting_file_keep (GstIceMeetingFile *self)
{
  if (!is_ours (self))
    return FALSE;
  futimens (self->fd, NULL);
  return TRUE;
}

void
gst_ice_meeting_file_free (GstIceMeetingFile *self)
{
  leave (self);
  g_free (self->id);
  g_free (self->path);
  g_free (self);
}

GstIcePeerFile *
gst_ice_peer_file_new (const gchar *path)
{
  GstIcePeerFile *self = g_new0 (GstIcePeerFile, 1);

  self->path = g_strdup (path);
  self->fd = -1;
  gst_ice_line_reader_init (&self->reader);
  return self;
}

static void
read_rest (GstIcePeerFile *self, GQueue *lines, gsize at_once)
{
  gchar bytes[16 * 1024];
  const gsize end = MIN (self->n_read + at_once, MAX_FILE);
  GstIceLine *line;
  gssize n;

  while (self->n_read < end && (n = read (self->fd, bytes, sizeof bytes)) > 0) {
    self->n_read += n;
    gst_ice_line_reader_push (&self->reader, bytes, n);
    while ((line = gst_ice_line_reader_pop (&self->reader)) != NULL)
      g_queue_push_tail (lines, line);
  }
}

static void
forget (GstIcePeerFile *self)
{
  if (self->fd < 0)
    return;
  close (self->fd);
  self->fd = -1;
  self->n_read = 0;
  gst_ice_line_reader_clear (&self->reader);
  gst_ice_line_reader_init (&self->reader);
}

/* A file of a dead process is not opened: nobody would answer. */
static void
find (GstIcePeerFile *self)
{
  g_autoptr (GstIceLine) hello = NULL;

  self->fd = open_to_read (self->path, &self->place);
  if (self->fd < 0)
    return;
  hello = read_hello (self->fd);
  if (hello == NULL || is_strangers (self->path, &self->place) ||
      !is_alive (hello, time (NULL) - self->place.st_mtime))
    forget (self);
}

GstIcePeerFileStatus
gst_ice_peer_file_read (GstIcePeerFile *self, GQueue *lines)
{
  struct stat there;

  if (self->fd >= 0) {
    const gboolean present =
        lstat (self->path, &there) == 0 && same_file (&there, &self->place);

    /* Even when the file has no name any more. */
    read_rest (self, lines, present ? MAX_AT_ONCE : MAX_FILE);
    if (!present)
      forget (self);
  }
  if (self->fd < 0) {
    find (self);
    if (self->fd >= 0)
      read_rest (self, lines, MAX_AT_ONCE);
  }
  if (self->fd < 0)
    return GST_ICE_PEER_FILE_MISSING;
  return self->n_read < MAX_FILE ? GST_ICE_PEER_FILE_THERE
                                 : GST_ICE_PEER_FILE_TOO_LARGE;
}

void
gst_ice_peer_file_free (GstIcePeerFile *self)
{
  forget (self);
  gst_ice_line_reader_clear (&self->reader);
  g_free (self->path);
  g_free (self);
}
