/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ear.h"
#include "gst/signallers/signalleruri.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT EAR_TIMEOUT

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
  Ear side, second;
  Pipes pipes;
  g_autoptr (GError) error = NULL;
  gboolean second_ok;

  pipes_open (&pipes);
  ear_init (&side, "ice+stdio:");
  ear_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&side, "ready offerer");
  ear_init (&second, "ice+stdio:");
  second_ok = gst_ice_signaller_start (
      second.signaller, GST_ICE_SIGNALLER_ROLE_AUTO, &error);
  g_assert_false (second_ok);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY);
  ear_clear (&second);

  gst_ice_signaller_send_description (side.signaller, "offer", "v=0\r\n");
  pipes_expect (&pipes, "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}\n");
  /* Raw SDP after noise: we offered, so it answers. */
  pipes_say (&pipes, "Setting pipeline to PAUSED ...\nv=0\ns=-\n\n");
  ear_expect (&side, "peer joined");
  ear_expect (&side, "answer v=0\r\ns=-\r\n");
  pipes_say (&pipes, "gst-ice1:{\"candidate\":\"c\",\"sdpMid\":\"0\"}\n");
  ear_expect (&side, "candidate 0 4294967295 c -");
  pipes_say (&pipes, "{\"type\":\"bye\",\"reason\":\"x\"}\n");
  ear_expect (&side, "bye x");
  ear_expect (&side, "peer left");
  gst_ice_signaller_send_bye (side.signaller, "eos");
  pipes_expect (&pipes, "{\"type\":\"bye\",\"reason\":\"eos\"}\n");
  ear_clear (&side);
  pipes_close (&pipes);
}

static void
test_stdio_line (void)
{
  static const gchar offer[] =
      "gst-ice1:eyJ0eXBlIjoib2ZmZXIiLCJzZHAiOiJ2PTBcclxuIn0=\n";
  Ear side;
  Pipes pipes;

  g_test_summary ("form=line: a description is one line that can be pasted, "
                  "and nothing else is said");
  pipes_open (&pipes);
  ear_init (&side, "ice+stdio:?form=line");
  ear_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&side, "ready offerer");
  g_assert_false (gst_ice_signaller_can_trickle (side.signaller));
  gst_ice_signaller_send_candidate (side.signaller, "0", 0, "c", NULL);
  gst_ice_signaller_send_description (side.signaller, "offer", "v=0\r\n");
  gst_ice_signaller_send_bye (side.signaller, "eos");
  gst_ice_signaller_send_error (side.signaller, "e");
  pipes_expect (&pipes, offer);
  pipes_expect (&pipes, "gst-ice1:");
  pipes_say (&pipes, offer);
  ear_expect (&side, "peer joined");
  ear_expect (&side, "offer v=0\r\n");
  ear_clear (&side);
  pipes_close (&pipes);
}

static void
test_stdio_end (void)
{
  Ear side;
  Pipes pipes;
  g_autofree gchar *heard = NULL;

  g_test_summary ("Input that ends before a description is an error; raw SDP "
                  "needs no empty line there, and by whom nothing was offered "
                  "it is an offer");
  pipes_open (&pipes);
  ear_init (&side, "ice+stdio:?role=answer");
  ear_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&side, "ready answerer");
  close (pipes.to);
  pipes.to = -1;
  heard = g_async_queue_timeout_pop (side.heard, TIMEOUT);
  g_assert_true (g_str_has_prefix (heard, "error Standard input ended"));
  ear_clear (&side);
  pipes_close (&pipes);

  pipes_open (&pipes);
  ear_init (&side, "ice+stdio:?role=answer");
  ear_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&side, "ready answerer");
  pipes_say (&pipes, "v=0\r\ns=-\r\n");
  close (pipes.to);
  pipes.to = -1;
  ear_expect (&side, "peer joined");
  ear_expect (&side, "offer v=0\r\ns=-\r\n");
  ear_expect_nothing (&side, G_TIME_SPAN_SECOND / 5);
  ear_clear (&side);
  pipes_close (&pipes);
}

static void
test_stdio_deaf (void)
{
  g_autofree gchar *big = g_strnfill (300 * 1024, 'x');
  gint64 start;
  Ear side;
  Pipes pipes;

  g_test_summary ("A peer that does not read blocks nobody");
  pipes_open (&pipes);
  ear_init (&side, "ice+stdio:");
  ear_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&side, "ready offerer");
  start = g_get_monotonic_time ();
  gst_ice_signaller_send_description (side.signaller, "offer", big);
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_TIME_SPAN_SECOND / 5);
  gst_ice_signaller_send_bye (side.signaller, "eos");
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_TIME_SPAN_SECOND);
  ear_clear (&side);
  pipes_close (&pipes);
}

static void
test_stdio_gone (void)
{
  g_autofree gchar *heard = NULL;
  Ear side;
  Pipes pipes;

  g_test_summary ("A peer that went away is an error, not SIGPIPE");
  pipes_open (&pipes);
  ear_init (&side, "ice+stdio:");
  ear_start (&side, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect (&side, "ready offerer");
  close (pipes.from);
  pipes.from = -1;
  gst_ice_signaller_send_description (side.signaller, "offer", "v=0\r\n");
  heard = g_async_queue_timeout_pop (side.heard, TIMEOUT);
  g_assert_true (g_str_has_prefix (heard, "error Nobody reads"));
  ear_clear (&side);
  pipes_close (&pipes);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  gst_ice_signallers_register ();
  g_test_add_func ("/signallers/stdio/call", test_stdio);
  g_test_add_func ("/signallers/stdio/line", test_stdio_line);
  g_test_add_func ("/signallers/stdio/end", test_stdio_end);
  g_test_add_func ("/signallers/stdio/deaf", test_stdio_deaf);
  g_test_add_func ("/signallers/stdio/gone", test_stdio_gone);
  return g_test_run ();
}
