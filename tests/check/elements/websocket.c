/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signaller of ext/websocket from its interface: both sides in one process,
 * so that sanitizers see client, server and what is between. */
#include "ear.h"
#include "ext/websocket/wsframe.h"
#include "ext/websocket/wssignaller.h"

#include <openssl/rand.h>
#include <string.h>

/* A candidate in our lines. */
#define LINE "candidate 0 0 c1 uf"

static void
test_uris (void)
{
  static const gchar *const bad[] = { "ice+ws:", "ice+ws:///room",
    "ice+wss://h", "ice+wss://h/", "ice+ws://192.0.2.1/room",
    "ice+ws://h:99999/room", "ice+wss://h/room?listen=1",
    "ice+wss://h/room?colour=red", "ice+wss://h/room?role=boss",
    "ice+wss://h/room?dialect=none", "ice+wss://h/room?tls=self-signed",
    "ice+wss://h/room?fingerprint=sha-256:00", "ice+wss://h/a%0ab",
    "ice+wss://h/room?token=a%20sesame", "ice+wss://u:sesame@h/room",
    "ice+ws://localhost/room?listen=1&dialect=simple", "ice+wss://a%20b/room",
    "ice+wss://h/room?listen=perhaps" };
  static const gchar *const good[] = { "ice+wss://h/room",
    "ice+ws://localhost:1/room", "ice+ws://[::1]:1/room",
    "ice+ws://127.1.2.3/room", "ice+ws://h/room?insecure=true",
    "ice+ws://:0/room?listen=1", "ice+wss://h?dialect=simple",
    "ice+wss://h/room?listen=1&tls=self-signed", "ice+wss://h/a%20room" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (gst_ice_signaller_new_from_uri (bad[i], &error));
    g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI);
    g_assert_cmpuint (strlen (error->message), >, 20);
    g_assert_null (strstr (error->message, "sesame"));
  }
  for (i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstIceSignaller) signaller =
        gst_ice_signaller_new_from_uri (good[i], &error);

    g_assert_no_error (error);
    g_assert_nonnull (signaller);
  }
}

/* Pipelines are dumped and shown. */
static void
test_secrets (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstIceSignaller) signaller = gst_ice_signaller_new_from_uri (
      "ice+wss://h/room?token=sesame&role=offer", &error);
  g_autofree gchar *uri = NULL;

  g_assert_no_error (error);
  g_object_get (signaller, "uri", &uri, NULL);
  g_assert_cmpstr (uri, ==, "ice+wss://h/room?token&role=offer");
}

static void
test_frames (void)
{
  static const guint8 mask[] = { 1, 2, 3, 4 };
  static const gsize sizes[] = { 0, 1, 125, 126, 65535, 65536 };
  g_autofree gchar *text = g_strnfill (GST_ICE_WS_MAX_MESSAGE, 'x');
  gsize i;

  for (i = 0; i < 2 * G_N_ELEMENTS (sizes); i++) {
    const gsize size = sizes[i / 2];
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    GstIceWsReader reader;
    GstIceWsMessage message;

    gst_ice_ws_append (
        bytes, GST_ICE_WS_TEXT, text, size, i % 2 == 0 ? mask : NULL);
    gst_ice_ws_reader_init (&reader, i % 2 == 0);
    gst_ice_ws_reader_push (&reader, bytes->data, bytes->len - 1);
    if (bytes->len > 2)
      g_assert_cmpint (
          gst_ice_ws_reader_pop (&reader, &message), ==, GST_ICE_WS_READ_MORE);
    gst_ice_ws_reader_push (&reader, bytes->data + bytes->len - 1, 1);
    g_assert_cmpint (
        gst_ice_ws_reader_pop (&reader, &message), ==, GST_ICE_WS_READ_MESSAGE);
    g_assert_cmpmem (message.text, message.size, text, size);
    gst_ice_ws_reader_clear (&reader);
  }
}

/* The example of RFC 6455 1.3. */
static void
test_accept (void)
{
  g_autofree gchar *accept = gst_ice_ws_accept_key ("dGhlIHNhbXBsZSBub25jZQ==");

  g_assert_cmpstr (accept, ==, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void
on_peer_uri (GObject *signaller, GParamSpec *pspec, GAsyncQueue *queue)
{
  gchar *uri;

  g_object_get (signaller, "peer-uri", &uri, NULL);
  g_async_queue_push (queue, uri);
}

/* (transfer full) where the other side is to go */
static gchar *
listen (Ear *ear, const gchar *query)
{
  g_autoptr (GAsyncQueue) queue = g_async_queue_new_full (g_free);
  g_autofree gchar *uri =
      g_strconcat (strstr (query, "tls=") ? "ice+wss" : "ice+ws",
          "://127.0.0.1:0/a%20room?listen=1", query, NULL);
  gchar *found;

  ear_init (ear, uri);
  g_signal_connect (
      ear->signaller, "notify::peer-uri", G_CALLBACK (on_peer_uri), queue);
  ear_start (ear, GST_ICE_SIGNALLER_ROLE_AUTO);
  found = g_async_queue_timeout_pop (queue, EAR_TIMEOUT);
  g_assert_nonnull (found);
  g_signal_handlers_disconnect_by_data (ear->signaller, queue);
  return found;
}

static void
meet (Ear *caller, Ear *called)
{
  ear_expect (caller, "peer joined");
  ear_expect (caller, "ready offerer");
  ear_expect (called, "peer joined");
  ear_expect (called, "ready answerer");
}

/* @candidate: as it arrives */
static void
talk (Ear *caller, Ear *called, const gchar *candidate)
{
  gst_ice_signaller_send_description (caller->signaller, "offer", "v=0\r\n");
  gst_ice_signaller_send_candidate (caller->signaller, "0", 0, "c1", "uf");
  ear_expect (called, "offer v=0\r\n");
  ear_expect (called, candidate);
  gst_ice_signaller_send_description (called->signaller, "answer", "v=1");
  ear_expect (caller, "answer v=1");
}

/* Called, left, and called again, by the same and by the next. */
static void
test_listen (gconstpointer data)
{
  const gchar *query = data;
  const gboolean is_lines = strstr (query, "gst-webrtc") == NULL;
  Ear caller, called;
  g_autofree gchar *uri = listen (&caller, query);
  guint i;

  ear_init (&called, uri);
  for (i = 0; i < 2; i++) {
    ear_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
    meet (&caller, &called);
    talk (&caller, &called, is_lines ? LINE : "candidate - 0 c1 ufrag uf -");
    gst_ice_signaller_send_bye (called.signaller, "eos");
    gst_ice_signaller_stop (called.signaller);
    ear_expect (&caller, is_lines ? "bye eos" : "bye left");
    ear_expect (&caller, "peer left");
  }
  ear_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
  meet (&caller, &called);
  gst_ice_signaller_send_bye (caller.signaller, "over");
  gst_ice_signaller_stop (caller.signaller);
  ear_expect (&called, is_lines ? "bye over" : "bye left");
  ear_expect (&called, "peer left");
  ear_clear (&called);
  ear_clear (&caller);
}

/* What only our lines can say. */
static void
test_reject (void)
{
  Ear caller, called;
  g_autofree gchar *uri = listen (&caller, "");

  ear_init (&called, uri);
  ear_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
  meet (&caller, &called);
  talk (&caller, &called, LINE);
  gst_ice_signaller_send_reject (called.signaller, "busy", "not now");
  ear_expect (&caller, "rejected busy not now");
  gst_ice_signaller_send_error (called.signaller, "odd");
  ear_expect (&caller, "peer-error odd");
  ear_clear (&called);
  ear_expect (&caller, "bye left");
  ear_expect (&caller, "peer left");
  ear_clear (&caller);
}

static void
test_third (void)
{
  Ear caller, called, third;
  g_autofree gchar *uri = listen (&caller, "");

  ear_init (&called, uri);
  ear_init (&third, uri);
  ear_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
  meet (&caller, &called);
  ear_start (&third, GST_ICE_SIGNALLER_ROLE_ANSWER);
  ear_expect (&third,
      "error The signalling server says: the room has its two peers; choose "
      "another one");
  talk (&caller, &called, LINE);
  ear_clear (&third);
  ear_clear (&called);
  ear_clear (&caller);
}

/* Stopped in the middle of whatever it does. */
static void
test_stopped_early (void)
{
  static const guint after_us[] = { 0, 0, 500, 1000, 2000, 5000, 10000 };
  Ear caller;
  g_autofree gchar *uri = listen (&caller, "&tls=self-signed");
  gsize i;

  for (i = 0; i < 4 * G_N_ELEMENTS (after_us); i++) {
    Ear called;

    ear_init (&called, uri);
    ear_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
    g_usleep (after_us[i % G_N_ELEMENTS (after_us)]);
    ear_clear (&called);
  }
  ear_clear (&caller);
}

static void
test_lost (void)
{
  g_autoptr (GError) error = NULL;
  Ear called;

  /* Nobody listens at port 1. */
  ear_init (&called, "ice+ws://127.0.0.1:1/room");
  ear_start (&called, GST_ICE_SIGNALLER_ROLE_AUTO);
  g_assert_false (gst_ice_signaller_start (
      called.signaller, GST_ICE_SIGNALLER_ROLE_AUTO, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_BUSY);
  ear_expect (&called,
      "error Cannot reach 127.0.0.1:1: Could not connect to 127.0.0.1: "
      "Connection refused. Is the server running there, and are host and port "
      "right?");
  ear_expect_nothing (&called, 100 * G_TIME_SPAN_MILLISECOND);
  ear_clear (&called);
}

/* How often OpenSSL still gives random bytes. */
static gint n_random; /* atomic */

static int
give_random (unsigned char *bytes, int size)
{
  memset (bytes, 'r', (gsize) size);
  return g_atomic_int_add (&n_random, -1) > 0;
}

static void
ration_random (gint n)
{
  static const RAND_METHOD method = { .bytes = give_random };

  g_atomic_int_set (&n_random, n);
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  g_assert_cmpint (RAND_set_rand_method (n >= 0 ? &method : NULL), ==, 1);
  G_GNUC_END_IGNORE_DEPRECATIONS
}

/* RFC 6455 10.3: who cannot be unguessable does not speak. */
static void
test_no_randomness (void)
{
  static const gchar sorry[] =
      "error OpenSSL has no random numbers; is a source of them missing, as "
      "/dev/urandom in a container?";
  g_autoptr (GError) error = NULL;
  Ear caller, called;
  g_autofree gchar *uri = listen (&caller, "");
  gint n;

  /* Who we are. */
  ration_random (0);
  ear_init (&called, uri);
  g_assert_false (gst_ice_signaller_start (
      called.signaller, GST_ICE_SIGNALLER_ROLE_ANSWER, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_RESOURCE);
  g_assert_cmpstr (error->message, ==, sorry + strlen ("error "));
  ear_clear (&called);
  /* The nonce of the request, and the mask of the first frame, after which it
   * is dialled again. */
  for (n = 1; n <= 2; n++) {
    ration_random (n);
    ear_init (&called, uri);
    ear_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
    ear_expect (&called, sorry);
    ear_clear (&called);
  }
  /* It starts when there are some. */
  ration_random (-1);
  ear_init (&called, uri);
  ear_start (&called, GST_ICE_SIGNALLER_ROLE_ANSWER);
  meet (&caller, &called);
  ear_clear (&called);
  ear_clear (&caller);
}

int
main (int argc, char **argv)
{
  static const gchar *const schemes[] = { "ice+ws", "ice+wss", NULL };

  g_setenv ("LC_ALL", "C", TRUE);
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  gst_ice_signaller_register (
      "websocket", schemes, GST_TYPE_ICE_WEBSOCKET_SIGNALLER);
  g_test_add_func ("/websocket/uris", test_uris);
  g_test_add_func ("/websocket/secrets", test_secrets);
  g_test_add_func ("/rfc6455/5.2/frames", test_frames);
  g_test_add_func ("/rfc6455/1.3/accept", test_accept);
  g_test_add_data_func ("/websocket/listen", "", test_listen);
  g_test_add_data_func (
      "/websocket/listen/tls", "&tls=self-signed", test_listen);
  g_test_add_data_func (
      "/websocket/listen/gst-webrtc", "&dialect=gst-webrtc", test_listen);
  g_test_add_func ("/websocket/reject", test_reject);
  g_test_add_func ("/websocket/third", test_third);
  g_test_add_func ("/websocket/stopped-early", test_stopped_early);
  g_test_add_func ("/websocket/lost", test_lost);
  g_test_add_func ("/rfc6455/10.3/no-randomness", test_no_randomness);
  return g_test_run ();
}
