/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/gsticeserver-private.h"

#include <string.h>

#include "call.h"

typedef struct
{
  const gchar *uri;
  gint error; /* -1: fine */
  IceServerKind kind;
  const gchar *host;
  guint port;
  const gchar *username, *password; /* (nullable) */
  const gchar *url;
  IceTransportKind transport;
} UriCase;

#define FINE -1
#define BAD GST_ICE_ERROR_INVALID_URI

static const UriCase uri_cases[] = {
  /* RFC 7064 */
  { "stun:example.org", FINE, ICE_SERVER_STUN, "example.org", 3478, NULL, NULL,
      "stun:example.org:3478" },
  { "stun:192.0.2.1:3479", FINE, ICE_SERVER_STUN, "192.0.2.1", 3479, NULL, NULL,
      "stun:192.0.2.1:3479" },
  { "stun:[2001:db8::1]", FINE, ICE_SERVER_STUN, "2001:db8::1", 3478, NULL,
      NULL, "stun:[2001:db8::1]:3478" },
  { "stun:[2001:db8::1]:5000", FINE, ICE_SERVER_STUN, "2001:db8::1", 5000, NULL,
      NULL, "stun:[2001:db8::1]:5000" },
  /* GStreamer's own form */
  { "stun://example.org:3478", FINE, ICE_SERVER_STUN, "example.org", 3478, NULL,
      NULL, "stun:example.org:3478" },
  { "stun://example.org/", FINE, ICE_SERVER_STUN, "example.org", 3478, NULL,
      NULL, "stun:example.org:3478" },
  { "STUN:example.org", FINE, ICE_SERVER_STUN, "example.org", 3478, NULL, NULL,
      "stun:example.org:3478" },
  /* RFC 7065 with GStreamer's user and password */
  { "turn:alice:secret@example.org", FINE, ICE_SERVER_TURN, "example.org", 3478,
      "alice", "secret", "turn:example.org:3478?transport=udp" },
  { "turn://alice:secret@example.org:80?transport=udp", FINE, ICE_SERVER_TURN,
      "example.org", 80, "alice", "secret",
      "turn:example.org:80?transport=udp" },
  { "turn:1719999999:alice:secret@example.org", FINE, ICE_SERVER_TURN,
      "example.org", 3478, "1719999999:alice", "secret",
      "turn:example.org:3478?transport=udp" },
  { "turn:a%3Ab:p%40s%2Cs@example.org", FINE, ICE_SERVER_TURN, "example.org",
      3478, "a:b", "p@s,s", "turn:example.org:3478?transport=udp" },
  { "turn:a:p@s@example.org", FINE, ICE_SERVER_TURN, "example.org", 3478, "a",
      "p@s", "turn:example.org:3478?transport=udp" },
  { "turn:alice@example.org", FINE, ICE_SERVER_TURN, "example.org", 3478,
      "alice", NULL, "turn:example.org:3478?transport=udp" },
  { "turn:example.org", FINE, ICE_SERVER_TURN, "example.org", 3478, NULL, NULL,
      "turn:example.org:3478?transport=udp" },
  { "turn:a:b@[2001:db8::1]:5000", FINE, ICE_SERVER_TURN, "2001:db8::1", 5000,
      "a", "b", "turn:[2001:db8::1]:5000?transport=udp" },
  /* RFC 7065 3.1, RFC 7350: TCP, TLS, DTLS */
  { "turn:a:b@example.org?transport=tcp", FINE, ICE_SERVER_TURN, "example.org",
      3478, "a", "b", "turn:example.org:3478?transport=tcp",
      ICE_TRANSPORT_TCP },
  { "turns:a:b@example.org", FINE, ICE_SERVER_TURN, "example.org", 5349, "a",
      "b", "turns:example.org:5349?transport=tcp", ICE_TRANSPORT_TLS },
  { "turns:a:b@example.org:443?transport=TCP", FINE, ICE_SERVER_TURN,
      "example.org", 443, "a", "b", "turns:example.org:443?transport=tcp",
      ICE_TRANSPORT_TLS },
  { "turns:a:b@[2001:db8::1]?transport=udp", FINE, ICE_SERVER_TURN,
      "2001:db8::1", 5349, "a", "b", "turns:[2001:db8::1]:5349?transport=udp",
      ICE_TRANSPORT_DTLS },
  { "stuns:example.org", FINE, ICE_SERVER_STUN, "example.org", 5349, NULL, NULL,
      "stuns:example.org:5349", ICE_TRANSPORT_TLS },
  { "stuns:example.org?transport=udp", FINE, ICE_SERVER_STUN, "example.org",
      5349, NULL, NULL, "stuns:example.org:5349?transport=udp",
      ICE_TRANSPORT_DTLS },
  { "stun:example.org?transport=tcp", FINE, ICE_SERVER_STUN, "example.org",
      3478, NULL, NULL, "stun:example.org:3478?transport=tcp",
      ICE_TRANSPORT_TCP },
  { "stun:example.org?transport=udp", FINE, ICE_SERVER_STUN, "example.org",
      3478, NULL, NULL, "stun:example.org:3478" },
  /* What is none */
  { "", BAD },
  { "stun", BAD },
  { "stun:", BAD },
  { "stun://", BAD },
  { "turn:secret", FINE, ICE_SERVER_TURN, "secret", 3478, NULL, NULL,
      "turn:secret:3478?transport=udp" },
  { "http://example.org", BAD },
  { "example.org:3478", BAD },
  { "stun:secret@example.org", BAD },
  { "stun:example.org:0", BAD },
  { "stun:example.org:65536", BAD },
  { "stun:example.org:99999999999999999999", BAD },
  { "stun:example.org:", BAD },
  { "stun:example.org:12x", BAD },
  { "stun:exa mple.org", BAD },
  { "stun:example.org\r\nX", BAD },
  { "stun:[192.0.2.1]", BAD },
  { "stun:[2001:db8::1", BAD },
  { "stun:[2001:db8::1]x", BAD },
  { "stun:example.org/path", BAD },
  { "stun:example.org?transport=", BAD },
  { "turns:a:secret@example.org?transport=tls", BAD },
  { "turn:a:secret@", BAD },
  { "turn:alice:secret", BAD },
  { "turn:a:secret@example.org?transport=sctp", BAD },
  { "turn:a:secret@example.org?ttl=4", BAD },
  { "turn:a%zz:secret@example.org", BAD },
  { "turn:a:secret%0@example.org", BAD },
  { "turn:a:secret%00@example.org", BAD },
};

static void
test_uris (void)
{
  g_test_summary ("RFC 7064 and 7065, GStreamer's forms, and what is none; no "
                  "error quotes a password");
  for (guint i = 0; i < G_N_ELEMENTS (uri_cases); i++) {
    const UriCase *it = &uri_cases[i];
    g_autoptr (GError) error = NULL;
    g_autoptr (GstIceServer) server =
        gst_ice_server_new (it->uri, NULL, NULL, &error);

    g_autofree gchar *shown = g_strescape (it->uri, NULL);

    g_test_message ("%s", shown);
    if (it->error != FINE) {
      g_assert_null (server);
      g_assert_error (error, GST_ICE_ERROR, it->error);
      g_assert_null (strstr (error->message, "secret"));
      continue;
    }
    g_assert_no_error (error);
    g_assert_cmpint (server->kind, ==, it->kind);
    g_assert_cmpstr (server->host, ==, it->host);
    g_assert_cmpuint (server->port, ==, it->port);
    g_assert_cmpstr (server->username, ==, it->username);
    g_assert_cmpstr (server->password, ==, it->password);
    g_assert_cmpstr (server->url, ==, it->url);
    g_assert_cmpint (server->transport, ==, it->transport);
  }
}

/* RFC 5928 3: a name without a port is looked for by SRV; what is read back
 * says the same again. */
static void
test_srv (void)
{
  static const struct
  {
    const gchar *uri;
    gboolean srv;
    const gchar *shown;
  } cases[] = {
    { "stun:example.org", TRUE, "stun:example.org" },
    { "stun:example.org:3478", FALSE, "stun:example.org:3478" },
    { "stun:192.0.2.1", FALSE, "stun:192.0.2.1:3478" },
    { "stun:[2001:db8::1]", FALSE, "stun:[2001:db8::1]:3478" },
    { "turns:a:b@example.org/", TRUE, "turns:a@example.org?transport=tcp" },
    { "turn:a:b@example.org?transport=udp", TRUE,
        "turn:a@example.org?transport=udp" },
    { "turn:a:b@example.org:3478", FALSE,
        "turn:a@example.org:3478?transport=udp" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstIceServer) server =
        gst_ice_server_new (cases[i].uri, NULL, NULL, &error);
    g_autoptr (GstIceServer) again = NULL;
    g_autofree gchar *shown = NULL;

    g_assert_no_error (error);
    g_assert_cmpint (server->srv, ==, cases[i].srv);
    g_assert_cmpint (gst_ice_server_to_config (server).srv, ==, cases[i].srv);
    shown = gst_ice_server_to_string (server);
    g_assert_cmpstr (shown, ==, cases[i].shown);
    again = gst_ice_server_new (shown, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (again->url, ==, server->url);
    g_assert_cmpint (again->srv, ==, server->srv);
  }
}

static void
test_user_name (void)
{
  g_autofree gchar *longest = g_strnfill (508, 'u');
  g_autofree gchar *longer = g_strnfill (509, 'u');
  g_autoptr (GstIceServer) server = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("A user name that fits no USERNAME (RFC 8489 14.3)");
  g_assert_null (
      gst_ice_server_new ("turn:example.org", longer, "secret", &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI);
  g_clear_error (&error);
  server = gst_ice_server_new ("turn:example.org", longest, "secret", &error);
  g_assert_no_error (error);
}

static void
test_property (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autofree gchar *servers = NULL;

  g_test_summary ("The list reads back without passwords, commas encoded");
  g_object_set (agent, "servers",
      "stun:192.0.2.1, turn:a%2Cb:secret@192.0.2.2:80,,", NULL);
  g_object_get (agent, "servers", &servers, NULL);
  g_assert_cmpstr (
      servers, ==, "stun:192.0.2.1:3478,turn:a%2Cb@192.0.2.2:80?transport=udp");
  g_free (servers);
  g_object_set (agent, "servers", NULL, NULL);
  g_object_get (agent, "servers", &servers, NULL);
  g_assert_cmpstr (servers, ==, "");
}

static void
note_error (GstIceAgent *agent, const GError *error, gpointer user_data)
{
  g_propagate_error (user_data, g_error_copy (error));
}

static void
test_bad_property (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autofree gchar *servers = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("A bad item is left out and told");
  g_signal_connect (agent, "error", G_CALLBACK (note_error), &error);
  g_object_set (agent, "servers", "turn:a:secret@,stun:192.0.2.1", NULL);
  wait_until (error != NULL);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI);
  g_object_get (agent, "servers", &servers, NULL);
  g_assert_cmpstr (servers, ==, "stun:192.0.2.1:3478");
}

static void
test_replace (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autofree gchar *servers = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("The same server again replaces its credentials");
  g_assert_true (
      gst_ice_agent_add_server (agent, "turn:old:secret@192.0.2.2", &error));
  g_assert_true (gst_ice_agent_add_server_with_credentials (
      agent, "turn:192.0.2.2:3478", "new", "pass", &error));
  g_assert_no_error (error);
  g_object_get (agent, "servers", &servers, NULL);
  g_assert_cmpstr (servers, ==, "turn:new@192.0.2.2:3478?transport=udp");
}

/* A server that does not answer: nothing listens on this port. */
static void
note_server (GstIceAgent *agent, const gchar *url, guint code,
    const gchar *text, gpointer user_data)
{
  g_test_message ("%s: %u %s", url, code, text);
  g_assert_cmpstr (url, ==, "turn:127.0.0.1:9?transport=udp");
  g_assert_null (strstr (text, "secret"));
  *(guint *) user_data = code;
}

static void
note_done (GstIceAgent *agent, GstIceStream *stream, gpointer user_data)
{
  *(gint64 *) user_data = g_get_monotonic_time ();
}

static void
test_dead_server (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "0");
  gint64 start = g_get_monotonic_time (), done = 0;
  guint code = 0;

  g_test_summary ("A dead server delays nothing and is told once given up");
  g_signal_connect (agent, "candidate-error", G_CALLBACK (note_server), &code);
  g_signal_connect (agent, "gathering-done", G_CALLBACK (note_done), &done);
  g_assert_true (
      gst_ice_agent_add_server (agent, "turn:alice:secret@127.0.0.1:9", NULL));
  gst_ice_agent_gather (agent);
  wait_until (done != 0);
  g_assert_cmpint (done - start, <, 700 * G_TIME_SPAN_MILLISECOND);
  wait_until (code != 0);
  g_assert_cmpuint (code, ==, 701);
}

/* In a minute and a half for NULL. */
static gboolean
tells_expiry (const gchar *username)
{
  g_autofree gchar *soon = g_strdup_printf (
      "%" G_GINT64_FORMAT ":alice", g_get_real_time () / G_USEC_PER_SEC + 90);
  g_autoptr (GstIceServer) server = gst_ice_server_new (
      "turn:192.0.2.1", username ? username : soon, "secret", NULL);
  IceServerConfig config = gst_ice_server_to_config (server);

  if (!username) {
    gint64 left = config.expires_at - g_get_monotonic_time ();

    g_assert_cmpint (left, >, 80 * G_TIME_SPAN_SECOND);
    g_assert_cmpint (left, <=, 90 * G_TIME_SPAN_SECOND);
  }
  return config.expires_at != 0;
}

static void
test_expiry (void)
{
  g_test_summary ("User names of TURN REST say when they expire");
  g_assert_true (tells_expiry (NULL));
  g_assert_true (tells_expiry ("9999999999"));
  /* Over, or no time at all. */
  g_assert_false (tells_expiry ("1000000000:alice"));
  g_assert_false (tells_expiry ("alice"));
  g_assert_false (tells_expiry ("12334939:fred"));
  g_assert_false (tells_expiry ("99999999999:alice"));
  g_assert_false (tells_expiry ("9999999999alice"));
  g_assert_false (tells_expiry (""));
}

static void
note_url (GstIceAgent *agent, const gchar *url, gchar **noted)
{
  g_free (*noted);
  *noted = g_strdup (url);
}

/* They have less than a minute left. */
static void
test_expiring (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autofree gchar *username = g_strdup_printf (
      "%" G_GINT64_FORMAT ":alice", g_get_real_time () / G_USEC_PER_SEC + 61);
  g_autofree gchar *url = NULL;

  g_test_summary ("credentials-needed comes a minute before they expire");
  g_signal_connect (agent, "credentials-needed", G_CALLBACK (note_url), &url);
  g_assert_true (gst_ice_agent_add_server_with_credentials (
      agent, "turn:127.0.0.1:9", username, "secret", NULL));
  wait_until (url != NULL);
  g_assert_cmpstr (url, ==, "turn:127.0.0.1:9?transport=udp");
}

/* RFC 7635: what an authorization server gave, in place of a password. */
static void
test_token (void)
{
  g_autoptr (GstIceAgent) agent = call_new_agent ();
  g_autoptr (GBytes) token = g_bytes_new_static ("token", 5);
  g_autoptr (GBytes) key = g_bytes_new_static ("0123456789abcdef", 16);
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_autoptr (GBytes) giant = g_bytes_new_take (g_malloc0 (1025), 1025);
  g_autofree gchar *url = NULL;
  GError *error = NULL;
  struct
  {
    const gchar *uri;
    GBytes *token, *key;
  } bad[] = { { "stun:127.0.0.1:9", token, key },
    { "turn:127.0.0.1:9", nothing, key }, { "turn:127.0.0.1:9", giant, key },
    { "turn:127.0.0.1:9", token, nothing },
    { "turn:127.0.0.1:9", token, giant } };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_assert_false (gst_ice_agent_add_server_with_token (
        agent, bad[i].uri, "kid", bad[i].token, bad[i].key, 0, &error));
    g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT);
    g_clear_error (&error);
  }
  g_signal_connect (agent, "credentials-needed", G_CALLBACK (note_url), &url);
  g_assert_true (gst_ice_agent_add_server_with_token (
      agent, "turn:127.0.0.1:9", "kid", token, key, 61, NULL));
  wait_until (url != NULL);
  g_assert_cmpstr (url, ==, "turn:127.0.0.1:9?transport=udp");
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/server/srv", test_srv);
  g_test_add_func ("/server/uris", test_uris);
  g_test_add_func ("/server/user-name", test_user_name);
  g_test_add_func ("/server/property", test_property);
  g_test_add_func ("/server/bad-property", test_bad_property);
  g_test_add_func ("/server/replace", test_replace);
  g_test_add_func ("/server/dead", test_dead_server);
  g_test_add_func ("/server/expiry", test_expiry);
  g_test_add_func ("/server/expiring", test_expiring);
  g_test_add_func ("/server/token", test_token);
  return call_run_tests ();
}
