/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/signallers/meetingfile.h"
#include "gst/signallers/signalleruri.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT (5 * G_TIME_SPAN_SECOND)

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

/* What a signaller says, as text. */
typedef struct
{
  GstIceSignaller *signaller; /* (owned) */
  GAsyncQueue *heard;         /* (owned) (element-type utf8) */
} Side;

static void hear (Side *self, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static void
hear (Side *self, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_async_queue_push (self->heard, g_strdup_vprintf (format, args));
  va_end (args);
}

static void
on_ready (GstIceSignaller *signaller, gboolean offerer, Side *self)
{
  hear (self, "ready %s", offerer ? "offerer" : "answerer");
}

static void
on_description (
    GstIceSignaller *signaller, const gchar *type, const gchar *sdp, Side *self)
{
  hear (self, "%s %s", type, sdp);
}

static void
on_candidate (GstIceSignaller *signaller, const gchar *mid, guint index,
    const gchar *candidate, const gchar *ufrag, Side *self)
{
  hear (self, "candidate %s %u %s %s", mid ? mid : "-", index, candidate,
      ufrag ? ufrag : "-");
}

static void
on_bye (GstIceSignaller *signaller, const gchar *reason, Side *self)
{
  hear (self, "bye %s", reason ? reason : "-");
}

static void
on_peer (GstIceSignaller *signaller, gboolean joined, Side *self)
{
  hear (self, "peer %s", joined ? "joined" : "left");
}

static void
on_error (GstIceSignaller *signaller, const GError *error, Side *self)
{
  hear (self, "error %s", error->message);
}

static void
side_init (Side *self, const gchar *uri)
{
  g_autoptr (GError) error = NULL;

  self->heard = g_async_queue_new_full (g_free);
  self->signaller = gst_ice_signaller_new_from_uri (uri, &error);
  g_assert_no_error (error);
  g_signal_connect (self->signaller, "ready", G_CALLBACK (on_ready), self);
  g_signal_connect (
      self->signaller, "description", G_CALLBACK (on_description), self);
  g_signal_connect (
      self->signaller, "candidate", G_CALLBACK (on_candidate), self);
  g_signal_connect (self->signaller, "bye", G_CALLBACK (on_bye), self);
  g_signal_connect (self->signaller, "peer", G_CALLBACK (on_peer), self);
  g_signal_connect (self->signaller, "error", G_CALLBACK (on_error), self);
}

static gboolean
drained (gpointer user_data)
{
  g_async_queue_push (user_data, g_strdup ("drained"));
  return G_SOURCE_REMOVE;
}

/* No signal is under way any more. */
static void
drain (void)
{
  g_autoptr (GAsyncQueue) queue = g_async_queue_new_full (g_free);

  g_main_context_invoke (gst_ice_signaller_get_main_context (), drained, queue);
  g_free (g_async_queue_timeout_pop (queue, TIMEOUT));
}

static void
side_clear (Side *self)
{
  gst_ice_signaller_stop (self->signaller);
  drain ();
  g_signal_handlers_disconnect_by_data (self->signaller, self);
  g_clear_object (&self->signaller);
  g_clear_pointer (&self->heard, g_async_queue_unref);
}

static void
side_start (Side *self, GstIceSignallerRole role)
{
  g_autoptr (GError) error = NULL;

  gst_ice_signaller_start (self->signaller, role, &error);
  g_assert_no_error (error);
}

static void
expect (Side *self, const gchar *text)
{
  g_autofree gchar *heard = g_async_queue_timeout_pop (self->heard, TIMEOUT);

  g_assert_cmpstr (heard, ==, text);
}

static void
expect_nothing (Side *self, gint64 during)
{
  g_autofree gchar *heard = g_async_queue_timeout_pop (self->heard, during);

  g_assert_cmpstr (heard, ==, NULL);
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
    "ice+ws://h:1/room", "ice+stdio:?role=x" };
  static const gchar *const good[] = { "ice+file:///tmp/call", "ice+file:call",
    "ice+file://localhost/tmp/call", "ice+file:///tmp/a%20call?role=offer",
    "ice+stdio:", "ice+stdio:?role=auto" };
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
talk (Side *caller, Side *called)
{
  gst_ice_signaller_send_description (caller->signaller, "offer", "v=0\r\n");
  gst_ice_signaller_send_candidate (caller->signaller, "0", 0, "c1", "uf");
  expect (called, "offer v=0\r\n");
  expect (called, "candidate 0 0 c1 uf");
  gst_ice_signaller_send_description (called->signaller, "answer", "v=1");
  gst_ice_signaller_send_candidate (called->signaller, "0", 0, "", NULL);
  expect (caller, "answer v=1");
  expect (caller, "candidate 0 0  -");
}

static void
test_file_call (gconstpointer data)
{
  const gboolean answerer_first = GPOINTER_TO_INT (data);
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  Side caller, called;

  side_init (&caller, uri);
  side_init (&called, uri);
  if (answerer_first) {
    side_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
    side_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
  } else {
    side_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
    side_start (&called, GST_ICE_SIGNALLER_ROLE_AUTO);
  }
  expect (&caller, "ready offerer");
  expect (&called, "ready answerer");
  expect (&caller, "peer joined");
  expect (&called, "peer joined");
  talk (&caller, &called);

  gst_ice_signaller_send_bye (caller.signaller, "eos");
  gst_ice_signaller_stop (caller.signaller);
  expect (&called, "bye eos");
  expect (&called, "peer left");
  expect (&called, "ready answerer");
  side_clear (&called);
  side_clear (&caller);
  assert_gone (path);
}

static void
test_file_roles (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *answer_uri = place_uri (path, "?role=answer");
  g_autofree gchar *offer_uri = place_uri (path, "?role=offer");
  Side caller, called, third;
  g_autoptr (GError) error = NULL;

  side_init (&called, answer_uri);
  side_init (&caller, offer_uri);
  side_init (&third, offer_uri);
  side_start (&called, GST_ICE_SIGNALLER_ROLE_AUTO);
  expect (&called, "ready answerer");
  side_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
  expect (&caller, "ready offerer");
  g_assert_false (gst_ice_signaller_start (
      third.signaller, GST_ICE_SIGNALLER_ROLE_AUTO, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY);
  side_clear (&third);
  side_clear (&caller);
  side_clear (&called);
}

static void
test_file_busy (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  Side sides[3];
  g_autoptr (GError) error = NULL;
  guint i;

  for (i = 0; i < 3; i++)
    side_init (&sides[i], uri);
  side_start (&sides[0], GST_ICE_SIGNALLER_ROLE_AUTO);
  side_start (&sides[1], GST_ICE_SIGNALLER_ROLE_AUTO);
  g_assert_false (gst_ice_signaller_start (
      sides[2].signaller, GST_ICE_SIGNALLER_ROLE_AUTO, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, path));
  g_test_message ("%s", error->message);
  for (i = 0; i < 3; i++)
    side_clear (&sides[i]);
  assert_gone (path);
}

static void
test_file_next_peer (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  Side camera, viewer;
  guint i;

  g_test_summary (
      "One side stays and calls whoever comes, one after the other; "
      "what was said to the last is not heard by the next");
  side_init (&camera, uri);
  side_start (&camera, GST_ICE_SIGNALLER_ROLE_OFFER);
  for (i = 0; i < 3; i++) {
    expect (&camera, "ready offerer");
    gst_ice_signaller_send_description (camera.signaller, "offer", "o");
    side_init (&viewer, uri);
    side_start (&viewer, GST_ICE_SIGNALLER_ROLE_ANSWER);
    expect (&viewer, "ready answerer");
    expect (&viewer, "peer joined");
    expect (&viewer, "offer o");
    expect (&camera, "peer joined");
    gst_ice_signaller_send_description (viewer.signaller, "answer", "a");
    expect (&camera, "answer a");
    /* The last one leaves without a word. */
    if (i < 2)
      gst_ice_signaller_send_bye (viewer.signaller, "seen");
    side_clear (&viewer);
    expect (&camera, i < 2 ? "bye seen" : "bye gone");
    expect (&camera, "peer left");
  }
  expect (&camera, "ready offerer");
  side_clear (&camera);
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
  Side caller, called;

  g_test_summary (
      "What a dead process left is neither believed nor in the way");
  leave_behind (offer, "{\"type\":\"offer\",\"sdp\":\"old\"}\n");
  leave_behind (answer, "{\"type\":\"answer\",\"sdp\":\"old\"}\n");
  side_init (&called, uri);
  side_init (&caller, uri);
  side_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
  expect (&called, "ready answerer");
  expect_nothing (&called, G_TIME_SPAN_SECOND / 3);
  side_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
  expect (&caller, "ready offerer");
  expect (&caller, "peer joined");
  expect (&called, "peer joined");
  talk (&caller, &called);
  side_clear (&caller);
  side_clear (&called);
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
  Side caller, called;

  g_test_summary ("A peer that crashed and one that comes after it are two");
  side_init (&caller, uri);
  side_start (&caller, GST_ICE_SIGNALLER_ROLE_OFFER);
  expect (&caller, "ready offerer");
  gst_ice_signaller_send_description (caller.signaller, "offer", "first");
  {
    /* It lives as long as its process would. */
    g_autoptr (GError) error = NULL;
    g_autoptr (GstIceMeetingFile) file =
        gst_ice_meeting_file_claim (answer, &error);

    g_assert_no_error (error);
    expect (&caller, "peer joined");
    g_assert_cmpint (g_unlink (answer), ==, 0);
    leave_behind (answer, "");
  }
  side_init (&called, uri);
  side_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
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
  side_clear (&called);
  side_clear (&caller);
}

static void
test_file_private (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  g_autofree gchar *offer = g_strconcat (path, ".offer", NULL);
  struct stat info;
  Side caller;

  side_init (&caller, uri);
  side_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
  g_assert_cmpint (stat (offer, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 0777, ==, 0600);
  side_clear (&caller);
}

static void
test_file_hostile (void)
{
  g_autofree gchar *path = place ();
  g_autofree gchar *uri = place_uri (path, "");
  g_autofree gchar *offer = g_strconcat (path, ".offer", NULL);
  g_autofree gchar *answer = g_strconcat (path, ".answer", NULL);
  g_autoptr (GError) error = NULL;
  Side side;

  g_test_summary ("A FIFO, a symlink or a file without a folder at the meeting "
                  "place is an error, and nothing hangs");
  g_assert_cmpint (mkfifo (offer, 0600), ==, 0);
  g_assert_cmpint (symlink ("/etc/hostname", answer), ==, 0);
  side_init (&side, uri);
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
  side_clear (&side);
  g_unlink (offer);
  g_unlink (answer);
}

/* stdio: our standard input and output are pipes, with the test at their other
 * ends. */
typedef struct
{
  gint to, from;            /* the peer's ends */
  gint saved_in, saved_out; /* what TAP is written to */
} Pipes;

static void
pipes_open (Pipes *self)
{
  gint in[2], out[2];

  fflush (stdout);
  g_assert_cmpint (pipe (in), ==, 0);
  g_assert_cmpint (pipe (out), ==, 0);
  self->saved_in = dup (STDIN_FILENO);
  self->saved_out = dup (STDOUT_FILENO);
  dup2 (in[0], STDIN_FILENO);
  dup2 (out[1], STDOUT_FILENO);
  close (in[0]);
  close (out[1]);
  self->to = in[1];
  self->from = out[0];
}

static void
pipes_close (Pipes *self)
{
  dup2 (self->saved_in, STDIN_FILENO);
  dup2 (self->saved_out, STDOUT_FILENO);
  close (self->saved_in);
  close (self->saved_out);
  if (self->to >= 0)
    close (self->to);
  if (self->from >= 0)
    close (self->from);
}

static void
pipes_say (Pipes *self, const gchar *text)
{
  g_assert_cmpint (write (self->to, text, strlen (text)), ==, strlen (text));
}

static void
pipes_expect (Pipes *self, const gchar *text)
{
  gsize size = strlen (text), n = 0;
  g_autofree gchar *got = g_malloc0 (size + 1);

  while (n < size) {
    gssize now = read (self->from, got + n, size - n);

    g_assert_cmpint (now, >, 0);
    n += now;
  }
  g_assert_cmpstr (got, ==, text);
}

static void
test_stdio (void)
{
  Side side, second;
  Pipes pipes;
  g_autoptr (GError) error = NULL;
  gboolean second_ok;

  pipes_open (&pipes);
  side_init (&side, "ice+stdio:");
  side_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  expect (&side, "ready offerer");
  side_init (&second, "ice+stdio:");
  second_ok = gst_ice_signaller_start (
      second.signaller, GST_ICE_SIGNALLER_ROLE_AUTO, &error);
  g_assert_false (second_ok);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY);
  side_clear (&second);

  gst_ice_signaller_send_description (side.signaller, "offer", "v=0\r\n");
  pipes_expect (&pipes, "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}\n");
  /* Raw SDP after noise: we offered, so it answers. */
  pipes_say (&pipes, "Setting pipeline to PAUSED ...\nv=0\ns=-\n\n");
  expect (&side, "peer joined");
  expect (&side, "answer v=0\r\ns=-\r\n");
  pipes_say (&pipes, "gst-ice1:{\"candidate\":\"c\",\"sdpMid\":\"0\"}\n");
  expect (&side, "candidate 0 4294967295 c -");
  pipes_say (&pipes, "{\"type\":\"bye\",\"reason\":\"x\"}\n");
  expect (&side, "bye x");
  expect (&side, "peer left");
  gst_ice_signaller_send_bye (side.signaller, "eos");
  pipes_expect (&pipes, "{\"type\":\"bye\",\"reason\":\"eos\"}\n");
  side_clear (&side);
  pipes_close (&pipes);
}

static void
test_stdio_end (void)
{
  Side side;
  Pipes pipes;
  g_autofree gchar *heard = NULL;

  g_test_summary ("Input that ends before a description is an error; raw SDP "
                  "needs no empty line there, and by whom nothing was offered "
                  "it is an offer");
  pipes_open (&pipes);
  side_init (&side, "ice+stdio:?role=answer");
  side_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  expect (&side, "ready answerer");
  close (pipes.to);
  pipes.to = -1;
  heard = g_async_queue_timeout_pop (side.heard, TIMEOUT);
  g_assert_true (g_str_has_prefix (heard, "error Standard input ended"));
  side_clear (&side);
  pipes_close (&pipes);

  pipes_open (&pipes);
  side_init (&side, "ice+stdio:?role=answer");
  side_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  expect (&side, "ready answerer");
  pipes_say (&pipes, "v=0\r\ns=-\r\n");
  close (pipes.to);
  pipes.to = -1;
  expect (&side, "peer joined");
  expect (&side, "offer v=0\r\ns=-\r\n");
  expect_nothing (&side, G_TIME_SPAN_SECOND / 5);
  side_clear (&side);
  pipes_close (&pipes);
}

static void
test_stdio_deaf (void)
{
  g_autofree gchar *big = g_strnfill (300 * 1024, 'x');
  gint64 start;
  Side side;
  Pipes pipes;

  g_test_summary ("A peer that does not read blocks nobody");
  pipes_open (&pipes);
  side_init (&side, "ice+stdio:");
  side_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  expect (&side, "ready offerer");
  start = g_get_monotonic_time ();
  gst_ice_signaller_send_description (side.signaller, "offer", big);
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_TIME_SPAN_SECOND / 5);
  gst_ice_signaller_send_bye (side.signaller, "eos");
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_TIME_SPAN_SECOND);
  side_clear (&side);
  pipes_close (&pipes);
}

static void
test_stdio_gone (void)
{
  g_autofree gchar *heard = NULL;
  Side side;
  Pipes pipes;

  g_test_summary ("A peer that went away is an error, not SIGPIPE");
  pipes_open (&pipes);
  side_init (&side, "ice+stdio:");
  side_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  expect (&side, "ready offerer");
  close (pipes.from);
  pipes.from = -1;
  gst_ice_signaller_send_description (side.signaller, "offer", "v=0\r\n");
  heard = g_async_queue_timeout_pop (side.heard, TIMEOUT);
  g_assert_true (g_str_has_prefix (heard, "error Nobody reads"));
  side_clear (&side);
  pipes_close (&pipes);
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
  g_test_add_func ("/signallers/stdio/call", test_stdio);
  g_test_add_func ("/signallers/stdio/end", test_stdio_end);
  g_test_add_func ("/signallers/stdio/deaf", test_stdio_deaf);
  g_test_add_func ("/signallers/stdio/gone", test_stdio_gone);
  status = g_test_run ();
  g_rmdir (folder);
  g_free (folder);
  return status;
}
