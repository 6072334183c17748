/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Peers that meet at a mosquitto, which is killed, restarted, bridged, or not
 * what it should be. */
#include "broker.h"
#include "tests/check/elements/ear.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/check/wait.h"

#define OPEN "allow_anonymous true\n"
#define TIMEOUT (10 * G_TIME_SPAN_SECOND)

static gchar *
room_at (Broker *broker, const gchar *query)
{
  return g_strdup_printf (
      "ice+mqtt://127.0.0.1:%u/calls/room%s", broker->port, query);
}

static void
ear_at (Ear *self, Broker *broker, const gchar *query)
{
  g_autofree gchar *uri = room_at (broker, query);

  ear_init (self, uri);
}

/* (transfer full) the next that is heard; bridges and restarts take time. */
static gchar *
next (Ear *self)
{
  gchar *heard = g_async_queue_timeout_pop (self->heard, TIMEOUT);

  g_assert_nonnull (heard);
  return heard;
}

static void
expect (Ear *self, const gchar *text)
{
  g_autofree gchar *heard = next (self);

  g_assert_cmpstr (heard, ==, text);
}

static void
meet (Ear *caller, Ear *called)
{
  ear_start (called, GST_ICE_SIGNALLER_ROLE_ANSWER);
  ear_start (caller, GST_ICE_SIGNALLER_ROLE_AUTO);
  expect (caller, "peer joined");
  expect (caller, "ready offerer");
  expect (called, "peer joined");
  expect (called, "ready answerer");
}

static void
talk (Ear *caller, Ear *called)
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
test_call (void)
{
  g_autoptr (Broker) broker = broker_new (OPEN);
  Ear caller, called;

  g_test_summary ("Found by the scheme; presence, lines in order, bye; and the "
                  "next peer");
  broker_start (broker);
  ear_at (&called, broker, "?id=camera");
  ear_at (&caller, broker, "");
  meet (&caller, &called);
  talk (&caller, &called);
  gst_ice_signaller_send_reject (called.signaller, "declined", "no");
  expect (&caller, "rejected declined no");
  gst_ice_signaller_send_error (caller.signaller, "what?");
  expect (&called, "peer-error what?");
  gst_ice_signaller_send_bye (caller.signaller, "eos");
  gst_ice_signaller_stop (caller.signaller);
  expect (&called, "bye eos");
  expect (&called, "peer left");
  ear_clear (&caller);

  ear_at (&caller, broker, "?peer=camera&role=offer");
  ear_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
  expect (&caller, "peer joined");
  expect (&caller, "ready offerer");
  expect (&called, "peer joined");
  expect (&called, "ready answerer");
  talk (&caller, &called);
  ear_clear (&caller);
  ear_clear (&called);
}

static void
test_third (void)
{
  g_autoptr (Broker) broker = broker_new (OPEN);
  Ear caller, called, third;

  g_test_summary ("Who is here first stays: a third waits, and meets who is "
                  "left");
  broker_start (broker);
  ear_at (&called, broker, "");
  ear_at (&caller, broker, "");
  ear_at (&third, broker, "?role=offer");
  meet (&caller, &called);
  ear_start (&third, GST_ICE_SIGNALLER_ROLE_AUTO);
  ear_expect_nothing (&third, G_TIME_SPAN_SECOND);
  talk (&caller, &called);
  ear_clear (&caller);
  expect (&called, "bye gone");
  expect (&called, "peer left");
  expect (&called, "peer joined");
  expect (&called, "ready answerer");
  expect (&third, "peer joined");
  expect (&third, "ready offerer");
  talk (&third, &called);
  ear_clear (&third);
  ear_clear (&called);
}

static void
test_killed_while_negotiating (void)
{
  g_autoptr (Broker) broker = broker_new (OPEN);
  Ear caller, called;

  g_test_summary ("What was said when the broker died arrives when it is back, "
                  "once, in order");
  broker_start (broker);
  ear_at (&called, broker, "");
  ear_at (&caller, broker, "");
  meet (&caller, &called);
  broker_kill (broker);
  gst_ice_signaller_send_description (caller.signaller, "offer", "v=0\r\n");
  gst_ice_signaller_send_candidate (caller.signaller, "0", 0, "c1", "uf");
  broker_start (broker);
  expect (&called, "offer v=0\r\n");
  expect (&called, "candidate 0 0 c1 uf");
  gst_ice_signaller_send_description (called.signaller, "answer", "v=1");
  broker_kill (broker);
  gst_ice_signaller_send_candidate (called.signaller, "0", 0, "", NULL);
  broker_start (broker);
  expect (&caller, "answer v=1");
  expect (&caller, "candidate 0 0  -");
  ear_expect_nothing (&called, G_TIME_SPAN_SECOND / 2);
  ear_clear (&caller);
  ear_clear (&called);
}

/* Calls with media paths. */
typedef struct
{
  GstIceAgent *agent;
  GstIceSignaller *signaller;
  GstIceSession *session;
  gint n_negotiated, n_byes, n_errors; /* atomic */
} Party;

static void
count (GstIceSession *session, gint *n)
{
  g_atomic_int_inc (n);
}

static void
count_arg (GstIceSession *session, gpointer arg, gint *n)
{
  g_atomic_int_inc (n);
}

static void
party_init (Party *self, const gchar *uri, GstIceSignallerRole role)
{
  g_autoptr (GError) error = NULL;

  memset (self, 0, sizeof *self);
  self->agent = gst_ice_agent_new ();
  g_object_set (self->agent, "interfaces", "lo", NULL);
  gst_object_unref (gst_ice_agent_request_stream (self->agent, "0"));
  self->signaller = gst_ice_signaller_new_from_uri (uri, &error);
  g_assert_no_error (error);
  self->session = gst_ice_session_new (self->agent, self->signaller);
  g_signal_connect (
      self->session, "negotiated", G_CALLBACK (count), &self->n_negotiated);
  g_signal_connect (
      self->session, "bye", G_CALLBACK (count_arg), &self->n_byes);
  g_signal_connect (
      self->session, "error", G_CALLBACK (count_arg), &self->n_errors);
  gst_ice_session_set_ready (self->session);
  gst_ice_session_start (self->session, role, &error);
  g_assert_no_error (error);
}

static void
party_clear (Party *self)
{
  gst_ice_session_bye (self->session, "over");
  ear_drain ();
  gst_object_unref (self->session);
  g_object_unref (self->signaller);
  gst_ice_agent_close_async (self->agent, NULL, NULL, NULL);
  gst_object_unref (self->agent);
}

static gboolean
is_connected (Party *self)
{
  GstIceState state;

  g_object_get (self->agent, "state", &state, NULL);
  return state == GST_ICE_STATE_CONNECTED || state == GST_ICE_STATE_COMPLETED;
}

#define wait_until(condition)                                                  \
  wait_with (condition, #condition, 2 * TIMEOUT, g_usleep (1000))

static void
test_killed_while_calling (void)
{
  g_autoptr (Broker) broker = broker_new (OPEN);
  g_autofree gchar *uri = room_at (broker, "");
  Party a, b;

  g_test_summary ("A call does not mind that its broker dies, and what changes "
                  "meanwhile is agreed when it is back");
  broker_start (broker);
  party_init (&b, uri, GST_ICE_SIGNALLER_ROLE_ANSWER);
  party_init (&a, uri, GST_ICE_SIGNALLER_ROLE_AUTO);
  wait_until (is_connected (&a) && is_connected (&b));
  wait_until (g_atomic_int_get (&a.n_negotiated) == 1);
  broker_kill (broker);
  gst_ice_session_restart (a.session);
  g_usleep (G_TIME_SPAN_SECOND / 2);
  g_assert_cmpint (g_atomic_int_get (&a.n_negotiated), ==, 1);
  broker_start (broker);
  wait_until (g_atomic_int_get (&a.n_negotiated) == 2 &&
      g_atomic_int_get (&b.n_negotiated) == 2);
  wait_until (is_connected (&a) && is_connected (&b));
  g_assert_cmpint (a.n_byes + b.n_byes + a.n_errors + b.n_errors, ==, 0);
  party_clear (&a);
  wait_until (g_atomic_int_get (&b.n_byes) == 1);
  party_clear (&b);
}

/* Does not return: a peer in a process of its own. */
static void
be_a_peer (const gchar *uri)
{
  const gchar *argv[] = { "/proc/self/exe", "--peer", uri, NULL };

  broker_die_with_parent (NULL);
  execv (argv[0], (char *const *) argv);
  _exit (1);
}

static int
run_peer (const gchar *uri)
{
  Ear ear;

  ear_init (&ear, uri);
  ear_start (&ear, GST_ICE_SIGNALLER_ROLE_ANSWER);
  for (;;)
    pause ();
  return 0;
}

static void
test_last_will (void)
{
  g_autoptr (Broker) broker = broker_new (OPEN);
  g_autofree gchar *uri = room_at (broker, "");
  gint64 start;
  Ear caller;
  pid_t child;

  g_test_summary ("A peer whose process is killed is gone, and known to be");
  broker_start (broker);
  child = fork ();
  if (child == 0)
    be_a_peer (uri);
  ear_at (&caller, broker, "?role=offer");
  ear_start (&caller, GST_ICE_SIGNALLER_ROLE_AUTO);
  expect (&caller, "peer joined");
  expect (&caller, "ready offerer");
  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
  start = g_get_monotonic_time ();
  expect (&caller, "bye gone");
  g_test_message ("%.1f s",
      (g_get_monotonic_time () - start) / (gdouble) G_TIME_SPAN_SECOND);
  expect (&caller, "peer left");
  ear_clear (&caller);
}

/* What is wrong is told within two seconds, and the third is for a machine that
 * is busy. (transfer full) */
static gchar *
first_error (const gchar *uri)
{
  const gint64 start = g_get_monotonic_time ();
  gchar *heard;
  Ear ear;

  ear_init (&ear, uri);
  ear_start (&ear, GST_ICE_SIGNALLER_ROLE_AUTO);
  heard = next (&ear);
  g_test_message ("%.2f s: %s",
      (g_get_monotonic_time () - start) / (gdouble) G_TIME_SPAN_SECOND, heard);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 3 * G_TIME_SPAN_SECOND);
  g_assert_true (g_str_has_prefix (heard, "error "));
  ear_expect_nothing (&ear, G_TIME_SPAN_SECOND / 5);
  ear_clear (&ear);
  return heard;
}

/* On a machine where everything is slow the two seconds may be over before the
 * handshake is: then once more. */
static void
assert_error (const gchar *uri, const gchar *text)
{
  g_autofree gchar *heard = first_error (uri);

  for (guint i = 0; i < 3 && strstr (heard, text) == NULL &&
       strstr (heard, "does not answer") != NULL;
       i++) {
    g_free (heard);
    heard = first_error (uri);
  }
  if (strstr (heard, text) == NULL)
    g_error ("“%s” is not in “%s”", text, heard);
  /* Whatever it was, it is not shown. */
  g_assert_null (strstr (heard, "s3cret"));
}

static void run (const gchar *format, ...) G_GNUC_PRINTF (1, 2);

static void
run (const gchar *format, ...)
{
  g_autofree gchar *line = NULL;
  va_list args;
  gint status;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  g_assert_true (g_spawn_command_line_sync (line, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
}

/* With TLS, a certificate for "localhost", and a password file. */
static Broker *
new_guarded_broker (void)
{
  Broker *self = broker_new ("");
  g_autofree gchar *key = broker_file (self, "key.pem");
  g_autofree gchar *certificate = broker_file (self, "cert.pem");
  g_autofree gchar *passwords = broker_file (self, "passwords");
  g_autofree gchar *config = self->config;

  run ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
       "-nodes -days 2 -subj /CN=localhost -addext "
       "subjectAltName=DNS:localhost -keyout %s -out %s",
      key, certificate);
  run ("mosquitto_passwd -b -c %s al@ice s3cret%%:@", passwords);
  self->config = g_strdup_printf ("%sallow_anonymous false\npassword_file %s\n"
                                  "certfile %s\nkeyfile %s\n",
      config, passwords, certificate, key);
  return self;
}

static void
test_tls (void)
{
  g_autoptr (Broker) broker = NULL;
  g_autofree gchar *certificate = NULL, *uri = NULL, *read_back = NULL;
  g_autofree gchar *passwd = g_find_program_in_path ("mosquitto_passwd");
  g_autofree gchar *openssl = g_find_program_in_path ("openssl");
  Ear caller, called;

  g_test_summary (
      "TLS by a ca-file, user and password percent-encoded; what is "
      "wrong with either is named, the password never");
  if (passwd == NULL || openssl == NULL) {
    g_test_skip ("no mosquitto_passwd, or no openssl");
    return;
  }
  broker = new_guarded_broker ();
  certificate = broker_file (broker, "cert.pem");
  broker_start (broker);
  uri =
      g_strdup_printf ("ice+mqtts://al%%40ice:s3cret%%25%%3A%%40@localhost:%u/"
                       "calls/room?ca-file=%s&secret=s3cret",
          broker->port, certificate);
  ear_init (&called, uri);
  ear_init (&caller, uri);
  g_object_get (caller.signaller, "uri", &read_back, NULL);
  g_assert_null (strstr (read_back, "s3cret"));
  g_assert_nonnull (strstr (read_back, "ca-file="));
  meet (&caller, &called);
  talk (&caller, &called);
  ear_clear (&caller);
  ear_clear (&called);

  g_clear_pointer (&uri, g_free);
  uri =
      g_strdup_printf ("ice+mqtts://al%%40ice:s3cret@localhost:%u/r?ca-file=%s",
          broker->port, certificate);
  assert_error (uri, "refuses user name and password");
  g_clear_pointer (&uri, g_free);
  uri = g_strdup_printf ("ice+mqtts://a:s3cret@localhost:%u/r", broker->port);
  assert_error (uri, "certificate");
  g_clear_pointer (&uri, g_free);
  uri = g_strdup_printf ("ice+mqtts://a:s3cret@127.0.0.1:%u/r?ca-file=%s",
      broker->port, certificate);
  assert_error (uri, "TLS with the broker");
}

static void
test_errors (void)
{
  g_autoptr (Broker) broker = broker_new (OPEN);
  g_autoptr (Broker) closed = broker_new ("allow_anonymous false\n");
  g_autoptr (GSocketService) silent = g_socket_service_new ();
  g_autofree gchar *refused = room_at (broker, "");
  g_autofree gchar *forbidden = room_at (closed, "");
  g_autofree gchar *quiet = NULL, *wrong_file = NULL, *plain = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GstIceSignaller) signaller = NULL;
  guint16 port;

  g_test_summary ("A broker that is none is told within two seconds, by name");
  assert_error (refused, "Connection refused");
  assert_error ("ice+mqtts://nowhere.invalid/r", "nowhere.invalid:8883");
  broker_start (closed);
  assert_error (forbidden, "refuses user name and password");
  /* Its backlog takes connections, and nobody says a word. */
  port = g_socket_listener_add_any_inet_port (
      G_SOCKET_LISTENER (silent), NULL, NULL);
  quiet = g_strdup_printf ("ice+mqtt://127.0.0.1:%u/r", port);
  assert_error (quiet, "does not answer");
  broker_start (broker);
  plain = g_strdup_printf ("ice+mqtts://127.0.0.1:%u/r", broker->port);
  assert_error (plain, "is it TLS that is spoken at that port?");

  wrong_file = g_strdup_printf (
      "ice+mqtts://127.0.0.1:%u/r?ca-file=/nowhere/at/all", broker->port);
  signaller = gst_ice_signaller_new_from_uri (wrong_file, &error);
  g_assert_no_error (error);
  g_assert_false (
      gst_ice_signaller_start (signaller, GST_ICE_SIGNALLER_ROLE_AUTO, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_TLS_UNTRUSTED);
}

/* Where each allocation is accounted for, forty thousand messages take minutes:
 * the release build has the hundred. */
#ifdef __SANITIZE_ADDRESS__
#define N_PAIRS 20
#else
#define N_PAIRS 100
#endif

static void
test_bridge (void)
{
  g_autoptr (Broker) one = broker_new (OPEN);
  g_autoptr (Broker) two = NULL;
  g_autofree gchar *more = g_strdup_printf (OPEN
      "connection bridge\naddress 127.0.0.1:%u\ntopic calls/# both 1\n",
      one->port);
  const gint64 start = g_get_monotonic_time ();
  Ear callers[N_PAIRS], called[N_PAIRS];

  g_test_summary ("A hundred pairs in one room meet through two brokers that "
                  "are bridged");
  two = broker_new (more);
  broker_start (one);
  broker_start (two);
  for (guint i = 0; i < N_PAIRS; i++) {
    ear_at (&called[i], one, "?role=answer");
    ear_start (&called[i], GST_ICE_SIGNALLER_ROLE_AUTO);
  }
  for (guint i = 0; i < N_PAIRS; i++) {
    ear_at (&callers[i], two, "?role=offer");
    ear_start (&callers[i], GST_ICE_SIGNALLER_ROLE_AUTO);
  }
  for (guint i = 0; i < N_PAIRS; i++) {
    g_autofree gchar *offer = g_strdup_printf ("offer %u", i);

    g_free (g_async_queue_timeout_pop (callers[i].heard, 6 * TIMEOUT));
    expect (&callers[i], "ready offerer");
    gst_ice_signaller_send_description (
        callers[i].signaller, "offer", offer + strlen ("offer "));
  }
  for (guint i = 0; i < N_PAIRS; i++) {
    g_autofree gchar *offer = NULL;

    expect (&called[i], "peer joined");
    expect (&called[i], "ready answerer");
    offer = next (&called[i]);
    g_assert_true (g_str_has_prefix (offer, "offer "));
    gst_ice_signaller_send_description (
        called[i].signaller, "answer", offer + strlen ("offer "));
  }
  /* Each has its own answer. */
  for (guint i = 0; i < N_PAIRS; i++) {
    g_autofree gchar *answer = g_strdup_printf ("answer %u", i);

    expect (&callers[i], answer);
  }
  g_test_message ("%u pairs in %.1f s", N_PAIRS,
      (g_get_monotonic_time () - start) / (gdouble) G_TIME_SPAN_SECOND);
  for (guint i = 0; i < N_PAIRS; i++) {
    ear_clear (&callers[i]);
    ear_clear (&called[i]);
  }
}

int
main (int argc, char **argv)
{
  /* The system's hundred and more certificates take seconds to read where each
   * allocation is accounted for. */
  g_setenv ("SSL_CERT_FILE", "/dev/null", TRUE);
  gst_init (&argc, &argv);
  if (argc == 3 && strcmp (argv[1], "--peer") == 0)
    return run_peer (argv[2]);
  g_test_init (&argc, &argv, NULL);
  if (!broker_is_installed ()) {
    g_print ("1..0 # SKIP no mosquitto\n");
    return 0;
  }
  g_test_add_func ("/mqtt/call", test_call);
  g_test_add_func ("/mqtt/third", test_third);
  g_test_add_func ("/mqtt/killed/negotiating", test_killed_while_negotiating);
  g_test_add_func ("/mqtt/killed/calling", test_killed_while_calling);
  g_test_add_func ("/mqtt/last-will", test_last_will);
  g_test_add_func ("/mqtt/errors", test_errors);
  g_test_add_func ("/mqtt/tls", test_tls);
  g_test_add_func ("/mqtt/bridge", test_bridge);
  return g_test_run ();
}
