/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ear.h"
#include "gst/signallers/loopback.h"
#include "gst/signallers/meetingfile.h"
#include "gst/signallers/signalleruri.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT EAR_TIMEOUT

static gchar *folder;

static gchar *
place (void)
{
  static guint n;

  return g_strdup_printf ("%s/call%u", folder, n++);
}

static gchar *
place_uri (const gchar *path, const gchar *query)
{
  return g_strconcat ("ice+file://", path, query, NULL);
}

/* The folder holds nothing of @path. */
static void
assert_gone (const gchar *path)
{
  g_autofree gchar *offer = g_strconcat (path, ".offer", NULL);
  g_autofree gchar *answer = g_strconcat (path, ".answer", NULL);

  g_assert_false (g_file_test (offer, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (answer, G_FILE_TEST_EXISTS));
}

static void
test_uris (void)
{
  static const gchar *const bad[] = { "", "/tmp/call",
    "ice+file:", "ice+file://", "ice+file:///", "ice+file:///tmp/",
    "ice+file://tmp/call", "ice+file:///tmp/call?role=boss",
    "ice+file:///tmp/call?roll=offer", "ice+nothing:///tmp/call", "http://h/",
    "ice+ws://h:1/room", "ice+stdio:?role=x", "ice+stdio:?form=round",
    "ice+file:///tmp/call?form=line" };
  static const gchar *const good[] = { "ice+file:///tmp/call", "ice+file:call",
    "ice+file://localhost/tmp/call", "ice+file:///tmp/a%20call?role=offer",
    "ice+stdio:", "ice+stdio:?role=auto", "ice+stdio:?form=line" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (gst_ice_signaller_new_from_uri (bad[i], &error));
    g_assert_true (
        g_error_matches (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI) ||
        g_error_matches (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_SUPPORTED));
    g_assert_cmpuint (strlen (error->message), >, 20);
  }
  for (i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstIceSignaller) signaller =
        gst_ice_signaller_new_from_uri (good[i], &error);

    g_assert_no_error (error);
    g_assert_nonnull (signaller);
  }
}

/* One calls, one answers; everything arrives, in order, and is cleared away. */
static void
talk (Ear *caller, Ear *called)
{
  gst_ice_signaller_send_description (caller->signaller, "offer", "v=0\r\n");
  gst_ice_signaller_send_candidate (caller->signaller, "0", 0, "c1", "uf");
  ear_expect (called, "offer v=0\r\n");
  ear_expect (called, "candidate 0 0 c1 uf");
  gst_ice_signaller_send_description (called->signaller, "answer", "v=1");
  gst_ice_signaller_send_candidate (called->signaller, "0", 0, "", NULL);
  ear_expect (caller, "answer v=1");
  ear_expect (caller, "candidate 0 0  -");
}

static void
test_file_call (gconstpointer data)
{
  const gboolean answerer_first = GPOINTER_TO_INT (data);
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  Ear caller, called;

  ear_init (&caller, uri);
  ear_init (&called, uri);
  if (answerer_first) {
    ear_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
    ear_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
  } else {
    ear_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
    ear_start (&called, GST_ICE_SIGNALLER_ROLE_AUTO);
  }
  ear_expect (&caller, "ready offerer");
  ear_expect (&called, "ready answerer");
  ear_expect (&caller, "peer joined");
  ear_expect (&called, "peer joined");
  talk (&caller, &called);

  gst_ice_signaller_send_bye (caller.signaller, "eos");
  gst_ice_signaller_stop (caller.signaller);
  ear_expect (&called, "bye eos");
  ear_expect (&called, "peer left");
  ear_expect (&called, "ready answerer");
  ear_clear (&called);
  ear_clear (&caller);
  assert_gone (path);
}

static void
test_file_roles (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *answer_uri = place_uri (path, "?role=answer");
  g_autofree gchar *offer_uri = place_uri (path, "?role=offer");
  Ear caller, called, third;
  g_autoptr (GError) error = NULL;

  ear_init (&called, answer_uri);
  ear_init (&caller, offer_uri);
  ear_init (&third, offer_uri);
  ear_start (&called, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&called, "ready answerer");
  ear_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&caller, "ready offerer");
  g_assert_false (gst_ice_signaller_start (
      third.signaller, GST_ICE_SIGNALLER_ROLE_AUTO, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY);
  ear_clear (&third);
  ear_clear (&caller);
  ear_clear (&called);
}

static void
test_file_busy (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  Ear sides[3];
  g_autoptr (GError) error = NULL;
  guint i;

  for (i = 0; i < 3; i++)
    ear_init (&sides[i], uri);
  ear_start (&sides[0], GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_start (&sides[1], GST_ICE_SIGNALLER_ROLE_AUTO);
  g_assert_false (gst_ice_signaller_start (
      sides[2].signaller, GST_ICE_SIGNALLER_ROLE_AUTO, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, path));
  g_test_message ("%s", error->message);
  for (i = 0; i < 3; i++)
    ear_clear (&sides[i]);
  assert_gone (path);
}

static void
test_file_next_peer (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  Ear camera, viewer;
  guint i;

  g_test_summary (
      "One side stays and calls whoever comes, one after the other; "
      "what was said to the last is not heard by the next");
  ear_init (&camera, uri);
  ear_start (&camera, GST_ICE_SIGNALLER_ROLE_OFFER);
  for (i = 0; i < 3; i++) {
    ear_expect (&camera, "ready offerer");
    gst_ice_signaller_send_description (camera.signaller, "offer", "o");
    ear_init (&viewer, uri);
    ear_start (&viewer, GST_ICE_SIGNALLER_ROLE_ANSWER);
    ear_expect (&viewer, "ready answerer");
    ear_expect (&viewer, "peer joined");
    ear_expect (&viewer, "offer o");
    ear_expect (&camera, "peer joined");
    gst_ice_signaller_send_description (viewer.signaller, "answer", "a");
    ear_expect (&camera, "answer a");
    /* The last one leaves without a word. */
    if (i < 2)
      gst_ice_signaller_send_bye (viewer.signaller, "seen");
    ear_clear (&viewer);
    ear_expect (&camera, i < 2 ? "bye seen" : "bye gone");
    ear_expect (&camera, "peer left");
  }
  ear_expect (&camera, "ready offerer");
  ear_clear (&camera);
  assert_gone (path);
}

/* A process that says hello at @path and dies. */
static void
leave_behind (const gchar *path, const gchar *more)
{
  pid_t child = fork ();
  gint status;

  if (child == 0) {
    g_autofree gchar *hello =
        gst_ice_line_hello ("dead", getpid (), g_get_host_name ());
    gint fd = open (path, O_CREAT | O_WRONLY | O_EXCL, 0600);

    if (fd < 0 || write (fd, hello, strlen (hello)) < 0 ||
        write (fd, more, strlen (more)) < 0)
      _exit (1);
    _exit (0);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
}

static void
test_file_stale (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  g_autofree gchar *offer = g_strconcat (path, ".offer", NULL);
  g_autofree gchar *answer = g_strconcat (path, ".answer", NULL);
  Ear caller, called;

  g_test_summary (
      "What a dead process left is neither believed nor in the way");
  leave_behind (offer, "{\"type\":\"offer\",\"sdp\":\"old\"}\n");
  leave_behind (answer, "{\"type\":\"answer\",\"sdp\":\"old\"}\n");
  ear_init (&called, uri);
  ear_init (&caller, uri);
  ear_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
  ear_expect (&called, "ready answerer");
  ear_expect_nothing (&called, G_TIME_SPAN_SECOND / 3);
  ear_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&caller, "ready offerer");
  ear_expect (&caller, "peer joined");
  ear_expect (&called, "peer joined");
  talk (&caller, &called);
  ear_clear (&caller);
  ear_clear (&called);
  assert_gone (path);
}

static void
test_file_crash (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  g_autofree gchar *answer = g_strconcat (path, ".answer", NULL);
  const gint64 end = g_get_monotonic_time () + 2 * TIMEOUT;
  gboolean done = FALSE;
  Ear caller, called;

  g_test_summary ("A peer that crashed and one that comes after it are two");
  ear_init (&caller, uri);
  ear_start (&caller, GST_ICE_SIGNALLER_ROLE_OFFER);
  ear_expect (&caller, "ready offerer");
  gst_ice_signaller_send_description (caller.signaller, "offer", "first");
  {
    /* It lives as long as its process would. */
    g_autoptr (GError) error = NULL;
    g_autoptr (GstIceMeetingFile) file =
        gst_ice_meeting_file_claim (answer, &error);

    g_assert_no_error (error);
    ear_expect (&caller, "peer joined");
    g_assert_cmpint (g_unlink (answer), ==, 0);
    leave_behind (answer, "");
  }
  ear_init (&called, uri);
  ear_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
  /* It may see the first offer before the caller sees that there is another;
   * its answer to that one is not taken. */
  while (!done && g_get_monotonic_time () < end) {
    g_autofree gchar *at_called =
        g_async_queue_timeout_pop (called.heard, 1000);
    g_autofree gchar *at_caller =
        g_async_queue_timeout_pop (caller.heard, 1000);

    if (at_called != NULL && g_str_has_prefix (at_called, "offer "))
      gst_ice_signaller_send_description (
          called.signaller, "answer", at_called + strlen ("offer "));
    if (g_strcmp0 (at_caller, "ready offerer") == 0)
      gst_ice_signaller_send_description (caller.signaller, "offer", "second");
    g_assert_cmpstr (at_caller, !=, "answer first");
    done = g_strcmp0 (at_caller, "answer second") == 0;
  }
  g_assert_true (done);
  ear_clear (&called);
  ear_clear (&caller);
}

static void
test_file_private (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  g_autofree gchar *offer = g_strconcat (path, ".offer", NULL);
  struct stat info;
  Ear caller;

  ear_init (&caller, uri);
  ear_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
  g_assert_cmpint (stat (offer, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 0777, ==, 0600);
  ear_clear (&caller);
}

static void
test_file_hostile (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  g_autofree gchar *offer = g_strconcat (path, ".offer", NULL);
  g_autofree gchar *answer = g_strconcat (path, ".answer", NULL);
  g_autoptr (GError) error = NULL;
  Ear side;

  g_test_summary ("A FIFO, a symlink or a file without a folder at the meeting "
                  "place is an error, and nothing hangs");
  g_assert_cmpint (mkfifo (offer, 0600), ==, 0);
  g_assert_cmpint (symlink ("/etc/hostname", answer), ==, 0);
  ear_init (&side, uri);
  g_assert_false (gst_ice_signaller_start (
      side.signaller, GST_ICE_SIGNALLER_ROLE_OFFER, &error));
  g_test_message ("%s", error->message);
  g_clear_error (&error);
  g_assert_false (gst_ice_signaller_start (
      side.signaller, GST_ICE_SIGNALLER_ROLE_ANSWER, &error));
  g_clear_error (&error);
  g_object_set (side.signaller, "uri", "ice+file:///nowhere/at/all", NULL);
  g_assert_false (gst_ice_signaller_start (
      side.signaller, GST_ICE_SIGNALLER_ROLE_AUTO, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE);
  ear_clear (&side);
  g_unlink (offer);
  g_unlink (answer);
}

/* A hello of this process, which lives, in a file of @mode. */
static gint
write_hello (const gchar *path, const gchar *id, mode_t mode)
{
  g_autofree gchar *hello =
      gst_ice_line_hello (id, getpid (), g_get_host_name ());
  gint fd = open (path, O_CREAT | O_WRONLY | O_EXCL | O_APPEND, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fchmod (fd, mode), ==, 0);
  g_assert_cmpint (write (fd, hello, strlen (hello)), ==, strlen (hello));
  return fd;
}

static void
say_to (gint fd, const gchar *text)
{
  g_assert_cmpint (write (fd, text, strlen (text)), ==, strlen (text));
}

static void
test_file_half_written (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "?role=answer");
  g_autofree gchar *offer = g_strconcat (path, ".offer", NULL);
  gint fd;
  Ear side;

  g_test_summary ("A line counts when it is whole; one that cannot be read, "
                  "and one that is endless, cost themselves alone");
  ear_init (&side, uri);
  ear_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&side, "ready answerer");
  fd = write_hello (offer, "one", 0600);
  ear_expect (&side, "peer joined");
  say_to (fd, "{\"type\":\"offer\",\"s");
  ear_expect_nothing (&side, G_TIME_SPAN_SECOND / 5);
  say_to (fd, "dp\":\"first\"}\n");
  ear_expect (&side, "offer first");
  say_to (fd, "\377\376 not UTF-8\n{}\n[]\n{\"type\":\"offer\"}\n\n{\n");
  {
    g_autofree gchar *endless = g_strnfill (200 * 1024, '{');

    say_to (fd, endless);
  }
  say_to (fd, "\n{\"type\":\"offer\",\"sdp\":\"second\"}\n");
  ear_expect (&side, "offer second");
  g_unlink (offer);
  close (fd);
  ear_expect (&side, "bye gone");
  ear_clear (&side);
}

static void
test_file_huge (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "?role=answer");
  g_autofree gchar *offer = g_strconcat (path, ".offer", NULL);
  const gint64 start = g_get_monotonic_time ();
  gint fd;
  Ear side;

  g_test_summary ("Who writes without end is no peer");
  ear_init (&side, uri);
  ear_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&side, "ready answerer");
  fd = write_hello (offer, "one", 0600);
  ear_expect (&side, "peer joined");
  {
    /* A line that is heard, so that reading goes on at once. */
    g_autofree gchar *sdp = g_strnfill (60 * 1024, 'x');
    g_autofree gchar *line =
        g_strdup_printf ("{\"type\":\"offer\",\"sdp\":\"%s\"}\n", sdp);

    for (guint i = 0; i < 300; i++)
      say_to (fd, line);
  }
  for (;;) {
    g_autofree gchar *heard =
        g_async_queue_timeout_pop (side.heard, 2 * TIMEOUT);

    g_assert_nonnull (heard);
    if (!g_str_has_prefix (heard, "offer x")) {
      g_assert_cmpstr (heard, ==, "bye too-large");
      break;
    }
  }
  g_test_message ("%.2f s",
      (g_get_monotonic_time () - start) / (gdouble) G_TIME_SPAN_SECOND);
  g_unlink (offer);
  close (fd);
  ear_clear (&side);
}

static void
test_file_modes (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "?role=answer");
  g_autofree gchar *offer = g_strconcat (path, ".offer", NULL);
  g_autofree gchar *other = g_strconcat (path, ".other", NULL);
  struct stat info;
  gint fd;
  Ear side;

  g_test_summary ("Where everybody may write, a file is no peer's that others "
                  "can write to, or that has another name");
  g_assert_cmpint (stat (folder, &info), ==, 0);
  g_assert_cmpint (g_chmod (folder, 01777), ==, 0);
  ear_init (&side, uri);
  ear_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&side, "ready answerer");
  fd = write_hello (offer, "one", 0622);
  ear_expect_nothing (&side, G_TIME_SPAN_SECOND / 3);
  g_assert_cmpint (link (offer, other), ==, 0);
  g_assert_cmpint (g_chmod (offer, 0600), ==, 0);
  ear_expect_nothing (&side, G_TIME_SPAN_SECOND / 3);
  g_unlink (other);
  ear_expect (&side, "peer joined");
  g_unlink (offer);
  close (fd);
  ear_expect (&side, "bye gone");
  ear_clear (&side);
  g_assert_cmpint (g_chmod (folder, info.st_mode & 07777), ==, 0);
}

static void
test_file_restart (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "?role=offer");
  g_autofree gchar *called_uri = place_uri (path, "?role=answer");
  Ear caller, called;

  g_test_summary ("Who offers comes back under the same place, and is met anew "
                  "by who stayed");
  ear_init (&called, called_uri);
  ear_start (&called, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&called, "ready answerer");
  for (guint i = 0; i < 3; i++) {
    ear_init (&caller, uri);
    ear_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
    ear_expect (&caller, "ready offerer");
    ear_expect (&caller, "peer joined");
    ear_expect (&called, "peer joined");
    talk (&caller, &called);
    ear_clear (&caller);
    ear_expect (&called, "bye gone");
    ear_expect (&called, "peer left");
    ear_expect (&called, "ready answerer");
  }
  ear_clear (&called);
  assert_gone (path);
}

/* What may go without TLS. */
static void
test_loopback (void)
{
  static const gchar *const here[] = { "localhost", "LocalHost", "a.localhost",
    "127.0.0.1", "127.9.8.7", "::1" };
  static const gchar *const elsewhere[] = { NULL, "", "localhost.example.org",
    "notlocalhost", "128.0.0.1", "127.0.0.1.example.org", "::", "0.0.0.0",
    "192.168.0.1" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (here); i++)
    g_assert_true (gst_ice_is_loopback (here[i]));
  for (i = 0; i < G_N_ELEMENTS (elsewhere); i++)
    g_assert_false (gst_ice_is_loopback (elsewhere[i]));
}

int
main (int argc, char **argv)
{
  gint status;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  gst_ice_signallers_register ();
  folder = g_dir_make_tmp ("gst-ice-signallers-XXXXXX", NULL);

  g_test_add_func ("/signallers/uris", test_uris);
  g_test_add_func ("/rfc6761/6.3/loopback", test_loopback);
  g_test_add_data_func (
      "/signallers/file/call", GINT_TO_POINTER (FALSE), test_file_call);
  g_test_add_data_func (
      "/signallers/file/called", GINT_TO_POINTER (TRUE), test_file_call);
  g_test_add_func ("/signallers/file/roles", test_file_roles);
  g_test_add_func ("/signallers/file/busy", test_file_busy);
  g_test_add_func ("/signallers/file/next-peer", test_file_next_peer);
  g_test_add_func ("/signallers/file/stale", test_file_stale);
  g_test_add_func ("/signallers/file/crash", test_file_crash);
  g_test_add_func ("/signallers/file/private", test_file_private);
  g_test_add_func ("/signallers/file/hostile", test_file_hostile);
  g_test_add_func ("/signallers/file/half-written", test_file_half_written);
  g_test_add_func ("/signallers/file/huge", test_file_huge);
  g_test_add_func ("/signallers/file/modes", test_file_modes);
  g_test_add_func ("/signallers/file/restart", test_file_restart);
  status = g_test_run ();
  g_rmdir (folder);
  g_free (folder);
  return status;
}
