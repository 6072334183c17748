/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proxies byte by byte, without any socket: what is said to them, and what
 * their answers lead to. */
#include "gst/ice/io/http-auth.h"
#include "gst/ice/io/proxy.h"

#include <string.h>

/* A stack with the proxy's stage alone. */
typedef struct
{
  IceProxy *proxy;
  IceStages *stages;
} Tunnel;

static void
tunnel_again (Tunnel *self, const gchar *host, guint16 port)
{
  g_clear_pointer (&self->stages, ice_stages_free);
  self->stages = ice_stages_new ();
  ice_stages_push (self->stages, ice_proxy_new_stage (self->proxy, host, port));
  ice_stages_start (self->stages);
}

static void
tunnel_init (Tunnel *self, const gchar *uri, const gchar *host, guint16 port)
{
  g_autoptr (GError) error = NULL;

  self->stages = NULL;
  self->proxy = ice_proxy_new (uri, &error);
  g_assert_no_error (error);
  tunnel_again (self, host, port);
}

static void
tunnel_clear (Tunnel *self)
{
  ice_stages_free (self->stages);
  ice_proxy_unref (self->proxy);
}

/* (transfer full) what it has written for the proxy */
static gchar *
take_written (Tunnel *self, gsize *ret_size)
{
  IceBytes below = ice_stages_get_below (self->stages);
  gchar *text = g_malloc0 (below.size + 1);

  if (ret_size)
    *ret_size = below.size;
  if (below.size > 0)
    memcpy (text, below.data, below.size);
  ice_stages_skip_below (self->stages, below.size);
  return text;
}

static void
assert_written (Tunnel *self, const gchar *expected, gsize size)
{
  gsize written_size;
  g_autofree gchar *written = take_written (self, &written_size);

  g_assert_cmpmem (written, written_size, expected, size);
}

static void
assert_said (Tunnel *self, const gchar *expected)
{
  g_autofree gchar *written = take_written (self, NULL);

  g_assert_cmpstr (written, ==, expected);
}

static void
feed (Tunnel *self, const gchar *bytes, gsize size)
{
  ice_stages_receive (self->stages, ICE_BYTES (bytes, size));
}

static void
say (Tunnel *self, const gchar *text)
{
  feed (self, text, strlen (text));
}

static void
assert_open (Tunnel *self, const gchar *above)
{
  IceBytes came = ice_stages_take_above (self->stages);

  g_assert_cmpint (ice_stages_get_state (self->stages), ==, ICE_STAGE_OPEN);
  g_assert_cmpmem (came.data, came.size, above, strlen (above));
}

static void
assert_failed (Tunnel *self, IceStageError code, const gchar *words)
{
  const GError *error = ice_stages_get_error (self->stages);

  g_assert_cmpint (ice_stages_get_state (self->stages), ==, ICE_STAGE_FAILED);
  g_assert_error (error, ICE_STAGE_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, "proxy.test"));
  g_assert_nonnull (strstr (error->message, words));
  g_assert_null (strstr (error->message, "s3cret"));
}

/* URIs */

static void
test_uri (void)
{
  static const struct
  {
    const gchar *uri, *url, *host;
    guint16 port;
  } good[] = {
    { "http://proxy.test:3128", "http://proxy.test:3128", "proxy.test", 3128 },
    { "HTTP://proxy.test/", "http://proxy.test:80", "proxy.test", 80 },
    { "socks5://proxy.test", "socks5://proxy.test:1080", "proxy.test", 1080 },
    { "socks5h://[2001:db8::1]:9", "socks5://[2001:db8::1]:9", "2001:db8::1",
        9 },
    { "http://al%20ice:s3cret%40@proxy.test", "http://al%20ice@proxy.test:80",
        "proxy.test", 80 },
    { "socks://bücher.test:1", "socks5://xn--bcher-kva.test:1",
        "xn--bcher-kva.test", 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (IceProxy) proxy = ice_proxy_new (good[i].uri, &error);

    g_assert_no_error (error);
    g_assert_cmpstr (ice_proxy_get_url (proxy), ==, good[i].url);
    g_assert_cmpstr (ice_proxy_get_host (proxy), ==, good[i].host);
    g_assert_cmpuint (ice_proxy_get_port (proxy), ==, good[i].port);
  }
}

static void
test_bad_uri (void)
{
  static const struct
  {
    const gchar *uri, *words;
  } bad[] = {
    { "", "cannot be read" },
    { "proxy.test:3128", "not supported" },
    { "https://proxy.test", "TLS" },
    { "ftp://proxy.test", "not supported" },
    { "http://", "names no host" },
    { "http://proxy test", "names no host" },
    { "http://proxy.test:0", "port" },
    { "http://proxy.test:99999", "cannot be read" },
    { "http://proxy.test/path", "behind the host" },
    { "http://proxy.test?s3cret", "behind the host" },
    { "http://a%3Ab:s3cret@proxy.test", "colon" },
    { "http://a%0D%0AX:s3cret@proxy.test", "control" },
    { "http://a:s3cret%0A@proxy.test", "control" },
    { "http://a%00:s3cret@proxy.test", "cannot be read" },
    { "http://a%0D%0A.test", "names no host" },
    { "http://:s3cret@proxy.test", "no user" },
    { "socks5://alice@proxy.test", "without a password" },
  };
  g_autofree gchar *many = g_strnfill (256, 'a');
  g_autofree gchar *longest =
      g_strdup_printf ("socks5://%s:s3cret@proxy.test", many);
  g_autoptr (GError) too_long = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (ice_proxy_new (bad[i].uri, &error));
    g_test_message ("%s: %s", bad[i].uri, error->message);
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_assert_nonnull (strstr (error->message, bad[i].words));
    g_assert_nonnull (strstr (error->message, "http://[USER"));
    g_assert_null (strstr (error->message, "s3cret"));
  }
  g_assert_null (ice_proxy_new (longest, &too_long));
  g_assert_error (too_long, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

/* HTTP */

#define CONNECT "CONNECT turn.test:443 HTTP/1.1\r\nHost: turn.test:443\r\n"
#define BASIC "Proxy-Authorization: Basic YWxpY2U6czNjcmV0\r\n"
#define ASKS_BASIC "Proxy-Authenticate: Basic realm=\"p\"\r\n"

static void
test_http_connect (void)
{
  static const gchar answer[] =
      "HTTP/1.1 100 Wait\r\n\r\n"
      "HTTP/1.1 200 Connection established\r\nContent-Length: 9\r\n\r\nabove";
  Tunnel tunnel;

  tunnel_init (&tunnel, "http://proxy.test", "turn.test", 443);
  assert_said (&tunnel, CONNECT "\r\n");
  for (guint i = 0; i < sizeof answer - 1; i++)
    feed (&tunnel, answer + i, 1);
  assert_open (&tunnel, "above");
  ice_stages_send (tunnel.stages, ICE_BYTES ("below", 5));
  assert_said (&tunnel, "below");
  say (&tunnel, "more");
  assert_open (&tunnel, "more");
  tunnel_clear (&tunnel);

  tunnel_init (&tunnel, "http://proxy.test", "2001:db8::7", 3478);
  assert_said (&tunnel,
      "CONNECT [2001:db8::7]:3478 HTTP/1.1\r\n"
      "Host: [2001:db8::7]:3478\r\n\r\n");
  say (&tunnel, "HTTP/1.0 200\n\nabove");
  assert_open (&tunnel, "above");
  tunnel_clear (&tunnel);
}

/* What a server is called comes from a user, or from a web page. */
static void
test_http_injection (void)
{
  static const gchar *const hosts[] = { "turn.test\r\nX: y", "turn test", "",
    "turn.test:80", "a/b", "a@b", "fe80::1%eth0", "\xff\xfe", "[::1]" };

  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++) {
    Tunnel tunnel;

    tunnel_init (&tunnel, "http://proxy.test", hosts[i], 443);
    assert_said (&tunnel, "");
    assert_failed (&tunnel, ICE_STAGE_ERROR_REFUSED, "host");
    tunnel_again (&tunnel, "turn.test", 443);
    assert_said (&tunnel, CONNECT "\r\n");
    tunnel_clear (&tunnel);
  }
}

static void
test_http_basic (void)
{
  Tunnel tunnel;

  /* The connection is kept: the page in the answer is skipped. */
  tunnel_init (&tunnel, "http://alice:s3cret@proxy.test", "turn.test", 443);
  assert_said (&tunnel, CONNECT "\r\n"); /* not before it is asked for */
  say (&tunnel,
      "HTTP/1.1 407 No\r\n" ASKS_BASIC "Content-Length: 6\r\n\r\n<html");
  assert_said (&tunnel, "");
  say (&tunnel, ">");
  assert_said (&tunnel, CONNECT BASIC "\r\n");
  say (&tunnel, "HTTP/1.1 200 OK\r\n\r\n");
  assert_open (&tunnel, "");

  /* The next one knows. */
  tunnel_again (&tunnel, "turn.test", 443);
  assert_said (&tunnel, CONNECT BASIC "\r\n");
  say (&tunnel, "HTTP/1.1 200 OK\r\n\r\n");
  assert_open (&tunnel, "");
  tunnel_clear (&tunnel);
}

/* The proxy closes, says that it will, or does not say where its page ends. */
static void
test_http_new_connection (void)
{
  static const gchar *const heads[] = {
    "HTTP/1.1 407 No\r\nConnection: close\r\nContent-Length: 0\r\n",
    "HTTP/1.1 407 No\r\nProxy-Connection: Close\r\nContent-Length: 0\r\n",
    "HTTP/1.0 407 No\r\nContent-Length: 0\r\n",
    "HTTP/1.1 407 No\r\n",
    "HTTP/1.1 407 No\r\nContent-Length: 99999999999\r\n",
    "HTTP/1.1 407 No\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n",
    "HTTP/1.1 407 No\r\nContent-Length: 10\r\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (heads); i++) {
    Tunnel tunnel;

    tunnel_init (&tunnel, "http://alice:s3cret@proxy.test", "turn.test", 443);
    assert_said (&tunnel, CONNECT "\r\n");
    say (&tunnel, heads[i]);
    say (&tunnel, ASKS_BASIC "\r\n<html>");
    assert_said (&tunnel, "");
    ice_stages_end (tunnel.stages);
    assert_failed (&tunnel, ICE_STAGE_ERROR_AGAIN, "connection");
    tunnel_again (&tunnel, "turn.test", 443);
    assert_said (&tunnel, CONNECT BASIC "\r\n");
    /* Not a third time. */
    say (&tunnel, heads[i]);
    say (&tunnel, ASKS_BASIC "\r\n");
    assert_failed (&tunnel, ICE_STAGE_ERROR_AUTH, "correct");
    tunnel_clear (&tunnel);
  }
}

/* RFC 7616 3.9.1. */
static void
test_digest_vectors (void)
{
  static const gchar line[] =
      "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
      "algorithm=%s, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
      "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
  static const gchar *const algorithms[] = { "MD5", "SHA-256" };
  static const gchar *const responses[] = { "8ca523f5e9506fed4657c9700eebdbec",
    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GString) value = g_string_new (line);
    g_autoptr (IceHttpChallenge) challenge = NULL;
    g_autofree gchar *answer = NULL, *expected = NULL;

    g_string_replace (value, "%s", algorithms[i], 1);
    challenge = ice_http_challenge_parse (value->str);
    g_assert_nonnull (challenge);
    answer = ice_http_challenge_answer (challenge, "GET", "/dir/index.html",
        "Mufasa", "Circle of Life",
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
    expected = g_strdup_printf (
        "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
        "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
        "uri=\"/dir/index.html\", response=\"%s\", algorithm=%s, "
        "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, "
        "nc=00000001, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\"",
        responses[i], algorithms[i]);
    g_assert_cmpstr (answer, ==, expected);
  }
}

/* RFC 7616 3.3, 3.7: of several the strongest that we know; of what we do not
 * know, none; and of "one, two" on a line both. */
static void
test_digest_choice (void)
{
  static const struct
  {
    const gchar *value, *expected; /* NULL: none */
  } cases[] = {
    { "Basic realm=\"p\"", "Basic " },
    { "basic", "Basic " },
    { "Basic realm=p, Digest realm=r, nonce=n, qop=auth", "qop=auth" },
    { "Digest realm=r, nonce=n, algorithm=MD5, Digest realm=r, nonce=n, "
      "algorithm=SHA-256",
        "SHA-256" },
    { "Digest realm=r, nonce=n, algorithm=SHA-256, Basic realm=p", "SHA-256" },
    { "Digest realm=r, nonce=n, algorithm=SHA-512-256", NULL },
    { "Digest realm=r, nonce=n, qop=\"auth-int\"", NULL },
    { "Digest realm=r", NULL },
    { "Digest nonce=n", NULL },
    { "Digest realm=\"r, nonce=n", NULL },
    { "Digest realm=\"a\nb\", nonce=n", NULL },
    { "NTLM", NULL },
    { "Negotiate abc==", NULL },
    { "", NULL },
    { ",,,", NULL },
    { "=", NULL },
    { "Digest realm=\"a\\\"b\\\\c\", nonce=n", "realm=\"a\\\"b\\\\c\"" },
    { "Digest realm=r, nonce=n, userhash=true", "userhash=true" },
    { "Digest realm=r, nonce=n, algorithm=MD5-sess, qop=auth",
        "algorithm=MD5-sess" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (IceHttpChallenge) challenge =
        ice_http_challenge_parse (cases[i].value);
    g_autofree gchar *answer = NULL;

    g_test_message ("%s", cases[i].value);
    g_assert_cmpint (challenge != NULL, ==, cases[i].expected != NULL);
    if (!challenge)
      continue;
    answer = ice_http_challenge_answer (
        challenge, "CONNECT", "turn.test:443", "alice", "s3cret", "c");
    g_assert_nonnull (strstr (answer, cases[i].expected));
    g_assert_null (strstr (answer, "s3cret"));
    g_assert_null (strpbrk (answer, "\r\n"));
  }
}

#define ASKS_DIGEST(nonce, more)                                               \
  "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=p\r\n"                   \
  "proxy-authenticate:Digest realm=\"r\", nonce=\"" nonce                      \
  "\", qop=\"auth\", algorithm=SHA-256" more "\r\nContent-Length: 0\r\n\r\n"

static void
assert_digest (Tunnel *self, const gchar *nonce, const gchar *nc)
{
  g_autofree gchar *said = take_written (self, NULL);

  g_assert_true (g_str_has_prefix (said,
      CONNECT "Proxy-Authorization: "
              "Digest username=\"alice\""));
  g_assert_nonnull (strstr (said, "uri=\"turn.test:443\""));
  g_assert_nonnull (strstr (said, nonce));
  g_assert_nonnull (strstr (said, nc));
  g_assert_null (strstr (said, "s3cret"));
  g_assert_true (g_str_has_suffix (said, "\r\n\r\n"));
}

/* RFC 7616 3.3: stale=true is no refusal, and not a way to keep us busy. */
static void
test_digest_stale (void)
{
  Tunnel tunnel;

  tunnel_init (&tunnel, "http://alice:s3cret@proxy.test", "turn.test", 443);
  assert_said (&tunnel, CONNECT "\r\n");
  say (&tunnel, ASKS_DIGEST ("n1", ""));
  assert_digest (&tunnel, "nonce=\"n1\"", "nc=00000001");
  say (&tunnel, ASKS_DIGEST ("n2", ", stale=TRUE"));
  assert_digest (&tunnel, "nonce=\"n2\"", "nc=00000001");
  say (&tunnel, "HTTP/1.1 200 OK\r\n\r\n");
  assert_open (&tunnel, "");

  /* RFC 7616 3.4: the same nonce counts on; one that is forgotten is not the
   * password's fault. */
  tunnel_again (&tunnel, "turn.test", 443);
  assert_digest (&tunnel, "nonce=\"n2\"", "nc=00000002");
  say (&tunnel, ASKS_DIGEST ("n3", ""));
  assert_digest (&tunnel, "nonce=\"n3\"", "nc=00000001");
  say (&tunnel, ASKS_DIGEST ("n4", ""));
  assert_failed (&tunnel, ICE_STAGE_ERROR_AUTH, "correct");

  tunnel_again (&tunnel, "turn.test", 443);
  assert_said (&tunnel, CONNECT "\r\n");
  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *unused = NULL;

    say (&tunnel, ASKS_DIGEST ("n", ", stale=true"));
    unused = take_written (&tunnel, NULL);
    g_assert_cmpstr (unused, !=, "");
  }
  say (&tunnel, ASKS_DIGEST ("n", ", stale=true"));
  assert_failed (&tunnel, ICE_STAGE_ERROR_AUTH, "correct");
  tunnel_clear (&tunnel);
}

static void
test_http_refused (void)
{
  static const struct
  {
    const gchar *answer;
    IceStageError code;
    const gchar *words;
  } cases[] = {
    { "HTTP/1.1 407 No\r\n" ASKS_BASIC "\r\n", ICE_STAGE_ERROR_AUTH,
        "wants a user" },
    { "HTTP/1.1 403 Forbidden\r\n\r\n", ICE_STAGE_ERROR_REFUSED, "forbids" },
    { "HTTP/1.1 405 What\r\n\r\n", ICE_STAGE_ERROR_REFUSED, "no tunnels" },
    { "HTTP/1.1 502 Bad\r\n\r\n", ICE_STAGE_ERROR_REFUSED, "cannot reach" },
    { "HTTP/1.1 504 Slow\r\n\r\n", ICE_STAGE_ERROR_REFUSED, "no answer" },
    { "HTTP/1.1 302 There\r\nLocation: x\r\n\r\n", ICE_STAGE_ERROR_REFUSED,
        "302" },
    { "HTTP/2 200 OK\r\n\r\n", ICE_STAGE_ERROR_PROTOCOL, "HTTP" },
    { "HTTP/1.1 2000 OK\r\n\r\n", ICE_STAGE_ERROR_PROTOCOL, "HTTP" },
    { "HTTP/1.1 20\r\n\r\n", ICE_STAGE_ERROR_PROTOCOL, "HTTP" },
    { "SSH-2.0-x\r\n\r\n", ICE_STAGE_ERROR_PROTOCOL, "HTTP" },
    { "\n\n", ICE_STAGE_ERROR_PROTOCOL, "HTTP" },
  };
  Tunnel tunnel;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    tunnel_init (&tunnel, "http://proxy.test", "turn.test", 443);
    say (&tunnel, cases[i].answer);
    assert_failed (&tunnel, cases[i].code, cases[i].words);
    tunnel_clear (&tunnel);
  }
  tunnel_init (&tunnel, "http://alice:s3cret@proxy.test", "turn.test", 443);
  say (&tunnel, "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\n\r\n");
  assert_failed (&tunnel, ICE_STAGE_ERROR_AUTH, "Digest or Basic");
  tunnel_clear (&tunnel);
  tunnel_init (&tunnel, "http://alice:s3cret@proxy.test", "turn.test", 443);
  say (&tunnel,
      "HTTP/1.1 407 No\r\n" ASKS_BASIC "Content-Length: 0\r\n\r\n"
      "HTTP/1.1 401 No\r\n\r\n");
  assert_failed (&tunnel, ICE_STAGE_ERROR_AUTH, "correct");
  tunnel_clear (&tunnel);
  tunnel_init (&tunnel, "http://proxy.test", "turn.test", 443);
  say (&tunnel, "HTTP/1.1 2");
  ice_stages_end (tunnel.stages);
  assert_failed (&tunnel, ICE_STAGE_ERROR_TRUNCATED, "without an answer");
  tunnel_clear (&tunnel);
}

/* Nothing a proxy sends makes us wait or grow for ever. */
static void
test_http_bounds (void)
{
  g_autofree gchar *long_line = g_strnfill (20000, 'x');
  Tunnel tunnel;

  tunnel_init (&tunnel, "http://proxy.test", "turn.test", 443);
  say (&tunnel, "HTTP/1.1 200 OK\r\nX: ");
  say (&tunnel, long_line);
  assert_failed (&tunnel, ICE_STAGE_ERROR_PROTOCOL, "HTTP");
  tunnel_clear (&tunnel);

  tunnel_init (&tunnel, "http://proxy.test", "turn.test", 443);
  for (guint i = 0; i < 4; i++)
    say (&tunnel, "HTTP/1.1 103 Hints\r\n\r\n");
  g_assert_cmpint (
      ice_stages_get_state (tunnel.stages), ==, ICE_STAGE_HANDSHAKING);
  say (&tunnel, "HTTP/1.1 103 Hints\r\n\r\n");
  assert_failed (&tunnel, ICE_STAGE_ERROR_PROTOCOL, "point");
  tunnel_clear (&tunnel);

  tunnel_init (&tunnel, "http://proxy.test", "turn.test", 443);
  feed (&tunnel, "HTTP/1.1 200\0\r\n\r\n", 17);
  assert_failed (&tunnel, ICE_STAGE_ERROR_PROTOCOL, "HTTP");
  tunnel_clear (&tunnel);
}

/* SOCKS */

#define WRITTEN(tunnel, text) assert_written ((tunnel), text, sizeof text - 1)
#define FEED(tunnel, text) feed ((tunnel), text, sizeof text - 1)

#define ASKS_NAME "\5\1\0\3\11turn.test\1\273"
#define GRANTED "\5\0\0\1\0\0\0\0\0\0"

static void
test_socks_connect (void)
{
  static const gchar answer[] = "\5\0" GRANTED "above";
  Tunnel tunnel;

  /* RFC 1928 4: the name goes to the proxy as it is. */
  tunnel_init (&tunnel, "socks5://proxy.test", "turn.test", 443);
  WRITTEN (&tunnel, "\5\1\0");
  for (guint i = 0; i < sizeof answer - 1; i++) {
    feed (&tunnel, answer + i, 1);
    if (i == 1)
      WRITTEN (&tunnel, ASKS_NAME);
  }
  assert_open (&tunnel, "above");
  ice_stages_send (tunnel.stages, ICE_BYTES ("below", 5));
  assert_said (&tunnel, "below");
  tunnel_clear (&tunnel);

  tunnel_init (&tunnel, "socks5://proxy.test", "192.0.2.1", 3478);
  FEED (&tunnel, "\5\0");
  WRITTEN (&tunnel, "\5\1\0\5\1\0\1\300\0\2\1\15\226");
  FEED (&tunnel, "\5\0\0\3\1x\0\0above"); /* it may answer with a name */
  assert_open (&tunnel, "above");
  tunnel_clear (&tunnel);

  tunnel_init (&tunnel, "socks5://proxy.test", "2001:db8::7", 3478);
  FEED (&tunnel, "\5\0");
  WRITTEN (&tunnel,
      "\5\1\0\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\7\15"
      "\226");
  FEED (&tunnel, "\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
  assert_open (&tunnel, "");
  tunnel_clear (&tunnel);
}

/* RFC 1929. */
static void
test_socks_password (void)
{
  Tunnel tunnel;

  tunnel_init (&tunnel, "socks5://alice:s3cret@proxy.test", "turn.test", 443);
  WRITTEN (&tunnel, "\5\2\0\2");
  FEED (&tunnel, "\5\2");
  WRITTEN (&tunnel, "\1\5alice\6s3cret");
  FEED (&tunnel, "\1\0");
  WRITTEN (&tunnel, ASKS_NAME);
  FEED (&tunnel, GRANTED);
  assert_open (&tunnel, "");

  tunnel_again (&tunnel, "turn.test", 443);
  FEED (&tunnel, "\5\2\1\1");
  assert_failed (&tunnel, ICE_STAGE_ERROR_AUTH, "correct");
  tunnel_again (&tunnel, "turn.test", 443);
  FEED (&tunnel, "\5\2");
  ice_stages_end (tunnel.stages);
  assert_failed (&tunnel, ICE_STAGE_ERROR_AUTH, "correct");
  /* It may do without. */
  tunnel_again (&tunnel, "turn.test", 443);
  FEED (&tunnel, "\5\0");
  WRITTEN (&tunnel, "\5\2\0\2" ASKS_NAME);
  tunnel_clear (&tunnel);
}

static void
test_socks_refused (void)
{
  static const struct
  {
    const gchar *answer;
    gsize size;
    IceStageError code;
    const gchar *words;
  } cases[] = {
    { "\5\377", 2, ICE_STAGE_ERROR_AUTH, "wants a user" },
    { "\5\2", 2, ICE_STAGE_ERROR_PROTOCOL, "nobody has offered" },
    { "\5\1", 2, ICE_STAGE_ERROR_PROTOCOL, "nobody has offered" },
    { "HT", 2, ICE_STAGE_ERROR_PROTOCOL, "SOCKS" },
    { "\4\0", 2, ICE_STAGE_ERROR_PROTOCOL, "SOCKS" },
    { "\5\0\4\0", 4, ICE_STAGE_ERROR_PROTOCOL, "SOCKS" },
    { "\5\0\5\1", 4, ICE_STAGE_ERROR_REFUSED, "log" },
    { "\5\0\5\2\0\1\0\0\0\0\0\0", 12, ICE_STAGE_ERROR_REFUSED, "forbids" },
    { "\5\0\5\4", 4, ICE_STAGE_ERROR_REFUSED, "name" },
    { "\5\0\5\5", 4, ICE_STAGE_ERROR_REFUSED, "port" },
    { "\5\0\5\6", 4, ICE_STAGE_ERROR_REFUSED, "no answer" },
    { "\5\0\5\10", 4, ICE_STAGE_ERROR_REFUSED, "kind of address" },
    { "\5\0\5\377", 4, ICE_STAGE_ERROR_REFUSED, "log" },
    { "\5\0\5\0\0\2\0", 7, ICE_STAGE_ERROR_PROTOCOL, "kind of address" },
  };
  Tunnel tunnel;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    tunnel_init (&tunnel, "socks5://proxy.test", "turn.test", 443);
    feed (&tunnel, cases[i].answer, cases[i].size);
    assert_failed (&tunnel, cases[i].code, cases[i].words);
    tunnel_clear (&tunnel);
  }
  tunnel_init (&tunnel, "socks5://proxy.test", "turn test", 443);
  WRITTEN (&tunnel, "");
  assert_failed (&tunnel, ICE_STAGE_ERROR_REFUSED, "host");
  tunnel_clear (&tunnel);
  tunnel_init (&tunnel, "socks5://proxy.test", "turn.test", 443);
  FEED (&tunnel, "\5\0\5\0\0");
  ice_stages_end (tunnel.stages);
  assert_failed (&tunnel, ICE_STAGE_ERROR_TRUNCATED, "without an answer");
  tunnel_clear (&tunnel);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/proxy/uri", test_uri);
  g_test_add_func ("/proxy/bad-uri", test_bad_uri);
  g_test_add_func ("/rfc9110/9.3.6/connect", test_http_connect);
  g_test_add_func ("/rfc9110/9.3.6/refused", test_http_refused);
  g_test_add_func ("/proxy/http-injection", test_http_injection);
  g_test_add_func ("/proxy/http-bounds", test_http_bounds);
  g_test_add_func ("/proxy/http-new-connection", test_http_new_connection);
  g_test_add_func ("/rfc7617/2/basic", test_http_basic);
  g_test_add_func ("/rfc7616/3.9.1/vectors", test_digest_vectors);
  g_test_add_func ("/rfc7616/3.3/choice", test_digest_choice);
  g_test_add_func ("/rfc7616/3.3/stale", test_digest_stale);
  g_test_add_func ("/rfc1928/4/connect", test_socks_connect);
  g_test_add_func ("/rfc1928/6/refused", test_socks_refused);
  g_test_add_func ("/rfc1929/2/password", test_socks_password);
  return g_test_run ();
}
