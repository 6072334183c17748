/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stage of TLS against OpenSSL's own server, both in memory: no socket, no
 * waiting. What the sockets add is in test-tls-socket.c. */

#include "gst/ice/io/tls.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <openssl/err.h>
#include <string.h>

#include "tls-support.h"

#define HOST "relay.example.org"

static IoIdentity authority, stranger;
static gchar *ca_file;

/* Both ends. */
typedef struct
{
  IceStages *stages; /* (owned) */
  IceStage *stage;   /* (unowned) its only one */
  SSL_CTX *context;  /* (owned) */
  SSL *ssl;          /* (owned) (nullable) the server */
  BIO *in, *out;     /* (unowned) the server's */
  GString *heard;    /* (owned) by the server, plain */
  GString *said;     /* (owned) by the server, as our frames saw it */
  gsize sent;        /* bytes from us to the server */
  gsize step;        /* bytes at a time from the server to us, 0: all */
  gboolean datagrams;
  guint lose; /* datagrams of ours that are to be lost */
} Pair;

static IceStage *
stage_for (const gchar *host, const gchar *ca, gboolean datagrams)
{
  const IceTlsConfig config = { .host = host,
    .port = 5349,
    .ca_file = ca,
    .alpn = ICE_TLS_ALPN_TURN,
    .datagrams = datagrams };
  g_autoptr (GError) error = NULL;
  IceStage *stage = ice_tls_stage_new (&config, &error);

  g_assert_no_error (error);
  return stage;
}

static void
pair_init_full (Pair *self, const IoIdentity *server, const gchar *host,
    const gchar *ca, gboolean datagrams)
{
  *self = (Pair){ .datagrams = datagrams };
  self->stages = ice_stages_new ();
  self->stage = stage_for (host, ca, datagrams);
  ice_stages_push (self->stages, self->stage);
  self->heard = g_string_new (NULL);
  self->said = g_string_new (NULL);
  self->context = io_tls_context (server, datagrams);
}

static void
pair_init (Pair *self, const IoIdentity *server, const gchar *host)
{
  pair_init_full (self, server, host, ca_file, FALSE);
}

static void
start_server (Pair *self)
{
  self->ssl = SSL_new (self->context);
  self->in = BIO_new (BIO_s_mem ());
  self->out = BIO_new (BIO_s_mem ());
  SSL_set_bio (self->ssl, self->in, self->out);
  SSL_set_accept_state (self->ssl);
  if (self->datagrams)
    DTLS_set_link_mtu (self->ssl, 1400);
}

static void
pair_clear (Pair *self)
{
  ice_stages_free (self->stages);
  SSL_free (self->ssl);
  SSL_CTX_free (self->context);
  g_string_free (self->heard, TRUE);
  g_string_free (self->said, TRUE);
}

/* To us, in pieces; a datagram behind its length. */
static void
deliver (Pair *self, const guint8 *data, gsize size)
{
  const gsize step = self->step ? self->step : size;

  if (self->datagrams) {
    const guint8 length[] = { (guint8) (size >> 8), (guint8) size };
    g_autoptr (GByteArray) whole = g_byte_array_new ();

    g_byte_array_append (whole, length, 2);
    g_byte_array_append (whole, data, size);
    ice_stages_receive (self->stages, ICE_BYTES (whole->data, whole->len));
    return;
  }
  for (gsize at = 0; at < size; at += step)
    ice_stages_receive (
        self->stages, ICE_BYTES (data + at, MIN (step, size - at)));
}

static gboolean
carry_up (Pair *self)
{
  IceBytes above;
  gchar *data;
  glong size = BIO_get_mem_data (self->out, &data);
  g_autofree guint8 *copy = g_memdup2 (data, size);

  BIO_reset (self->out);
  if (size > 0)
    deliver (self, copy, size);
  above = ice_stages_take_above (self->stages);
  g_string_append_len (self->said, (const gchar *) above.data, above.size);
  return size > 0;
}

static void
run_server (Pair *self)
{
  gchar plain[4096];
  gint n;

  while ((n = SSL_read (self->ssl, plain, sizeof plain)) > 0)
    g_string_append_len (self->heard, plain, n);
  ERR_clear_error ();
}

static gboolean
carry_down (Pair *self)
{
  IceBytes below = ice_stages_get_below (self->stages);
  g_autofree guint8 *copy = g_memdup2 (below.data, below.size);
  gsize at = 0;

  ice_stages_skip_below (self->stages, below.size);
  self->sent += below.size;
  while (at < below.size) {
    gsize size =
        self->datagrams ? (gsize) (copy[at] << 8 | copy[at + 1]) : below.size;

    at += self->datagrams ? 2 : 0;
    if (self->lose > 0)
      self->lose--;
    else
      BIO_write (self->in, copy + at, (int) size);
    at += size;
    run_server (self);
  }
  return below.size > 0;
}

/* Until nobody has anything to say. */
static void
run (Pair *self)
{
  gboolean moved = TRUE;

  if (self->ssl == NULL) {
    start_server (self);
    ice_stages_start (self->stages);
  }
  while (moved) {
    moved = carry_down (self);
    moved |= carry_up (self);
  }
}

static void
assert_open (Pair *self)
{
  const GError *error = ice_stages_get_error (self->stages);

  g_assert_no_error (error);
  g_assert_cmpint (ice_stages_get_state (self->stages), ==, ICE_STAGE_OPEN);
}

static void
assert_said (Pair *self, IceStageError code, const gchar *what)
{
  const GError *error = ice_stages_get_error (self->stages);

  g_assert_cmpint (ice_stages_get_state (self->stages), ==, ICE_STAGE_FAILED);
  g_assert_error (error, ICE_STAGE_ERROR, (gint) code);
  g_test_message ("%s", error->message);
  if (strstr (error->message, what) == NULL)
    g_error ("“%s” does not say “%s”", error->message, what);
}

static void
talk (Pair *self)
{
  ice_stages_send (self->stages, ICE_BYTES ("from us", 7));
  SSL_write (self->ssl, "from the server", 15);
  run (self);
  g_assert_cmpstr (self->heard->str, ==, "from us");
  g_assert_cmpstr (self->said->str, ==, "from the server");
}

static void
issue (IoIdentity *self, const gchar *alternative)
{
  io_identity_init (self, &authority, "server", alternative, -1, 1);
}

/* What is right */

static void
test_versions (void)
{
  static const struct
  {
    int version;
    const gchar *name;
  } cases[] = { { TLS1_2_VERSION, "TLSv1.2" }, { TLS1_3_VERSION, "TLSv1.3" } };
  IoIdentity server;

  g_test_summary ("TLS 1.2 and 1.3, the newer one where there is a choice; the "
                  "server sees the name and the protocol (RFC 6066 3, RFC 7443 "
                  "6)");
  issue (&server, "DNS:" HOST);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *alpn = NULL;
    Pair pair;

    pair_init (&pair, &server, HOST);
    SSL_CTX_set_max_proto_version (pair.context, cases[i].version);
    run (&pair);
    assert_open (&pair);
    g_assert_cmpstr (ice_tls_stage_get_version (pair.stage), ==, cases[i].name);
    g_assert_cmpstr (
        SSL_get_servername (pair.ssl, TLSEXT_NAMETYPE_host_name), ==, HOST);
    alpn = ice_tls_stage_dup_alpn (pair.stage);
    g_assert_cmpstr (alpn, ==, "stun.turn");
    talk (&pair);
    pair_clear (&pair);
  }
  io_identity_clear (&server);
}

static void
test_byte_by_byte (void)
{
  IoIdentity server;
  Pair pair;

  g_test_summary ("A server that says all of it byte by byte");
  issue (&server, "DNS:" HOST);
  pair_init (&pair, &server, HOST);
  pair.step = 1;
  run (&pair);
  assert_open (&pair);
  talk (&pair);
  pair_clear (&pair);
  io_identity_clear (&server);
}

/* Whom the certificate may be for. */
static void
test_names (void)
{
  static const struct
  {
    const gchar *host, *alternative;
    gboolean good;
    const gchar *sni; /* NULL: none */
  } cases[] = {
    { HOST, "DNS:" HOST, TRUE, HOST },
    { HOST ".", "DNS:" HOST, TRUE, HOST },
    { "RELAY.example.ORG", "DNS:" HOST, TRUE, HOST },
    { HOST, "DNS:*.example.org", TRUE, HOST },
    { "a.relay.example.org", "DNS:*.example.org", FALSE,
        "a.relay.example.org" },
    { HOST, "DNS:re*.example.org", FALSE, HOST },
    { "example.org", "DNS:*.example.org", FALSE, "example.org" },
    { "bücher.example", "DNS:xn--bcher-kva.example", TRUE,
        "xn--bcher-kva.example" },
    { "192.0.2.7", "IP:192.0.2.7", TRUE, NULL },
    { "192.0.2.7", "DNS:192.0.2.7", FALSE, NULL },
    { "192.0.2.8", "IP:192.0.2.7", FALSE, NULL },
    { "2001:db8::7", "IP:2001:db8::7", TRUE, NULL },
    { HOST, "IP:192.0.2.7", FALSE, HOST },
  };

  g_test_summary ("The certificate has to be for what the URI says: a name, or "
                  "an address, which is not in the SNI (RFC 8489 6.2.3, RFC "
                  "9525 6.3, RFC 6066 3)");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    IoIdentity server;
    Pair pair;

    issue (&server, cases[i].alternative);
    pair_init (&pair, &server, cases[i].host);
    run (&pair);
    if (cases[i].good)
      assert_open (&pair);
    else
      assert_said (&pair, ICE_STAGE_ERROR_UNTRUSTED, "and not for");
    g_assert_cmpstr (SSL_get_servername (pair.ssl, TLSEXT_NAMETYPE_host_name),
        ==, cases[i].sni);
    pair_clear (&pair);
    io_identity_clear (&server);
  }
}

/* What is wrong */

typedef struct
{
  const gchar *what;
  const IoIdentity *issuer; /* NULL: itself */
  const gchar *name, *alternative;
  gint from, until;
  const gchar *says;
} Wrong;

static void
check_wrong (const Wrong *wrong, gboolean datagrams)
{
  IoIdentity server;
  Pair pair;

  io_identity_init (&server, wrong->issuer, wrong->name, wrong->alternative,
      wrong->from, wrong->until);
  pair_init_full (&pair, &server, HOST, ca_file, datagrams);
  run (&pair);
  assert_said (&pair, ICE_STAGE_ERROR_UNTRUSTED, wrong->says);
  if (strstr (ice_stages_get_error (pair.stages)->message, HOST) == NULL)
    g_error ("%s: does not say which server", wrong->what);
  /* Not even what was sent by mistake. */
  ice_stages_send (pair.stages, ICE_BYTES ("secret", 6));
  run (&pair);
  g_assert_cmpstr (pair.heard->str, ==, "");
  pair_clear (&pair);
  io_identity_clear (&server);
}

static void
test_untrusted (void)
{
  const Wrong cases[] = {
    { "expired", &authority, "server", "DNS:" HOST, -30, -1, "expired on 20" },
    { "not yet", &authority, "server", "DNS:" HOST, 1, 30,
        "is not valid before 20" },
    { "wrong host", &authority, "server", "DNS:a.test,DNS:b.test", -1, 1,
        "is for “a.test”, “b.test” and not for “" HOST "”" },
    { "common name", &authority, HOST, NULL, -1, 1, "names no host" },
    { "unknown issuer", &stranger, "server", "DNS:" HOST, -1, 1,
        "was issued by “Stranger”, which is unknown to" },
    { "self-signed", NULL, HOST, "DNS:" HOST, -1, 1, "is self-signed" },
    { "long names", &authority, "server", "DNS:a,DNS:b,DNS:c,DNS:d,DNS:e,DNS:f",
        -1, 1, "“d” and others" },
    { "control characters", &authority, "server", "DNS:a\033[31m", -1, 1,
        "is for “a?[31m”" },
  };

  g_test_summary (
      "Each check that fails is told by its name, over TLS and over "
      "DTLS, and nothing of ours has left (RFC 8489 6.2.3)");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    check_wrong (&cases[i], FALSE);
    check_wrong (&cases[i], TRUE);
  }
}

static void
test_pinned (void)
{
  IoIdentity server, self_made;
  g_autofree gchar *file = NULL, *other = NULL;
  Pair pair;

  g_test_summary ("ca-file may be the server's own certificate");
  issue (&server, "DNS:" HOST);
  io_identity_init (&self_made, NULL, HOST, "DNS:" HOST, -1, 1);
  file = io_identity_save (&server);
  other = io_identity_save (&self_made);
  pair_init_full (&pair, &server, HOST, file, FALSE);
  run (&pair);
  assert_open (&pair);
  pair_clear (&pair);
  pair_init_full (&pair, &self_made, HOST, other, FALSE);
  run (&pair);
  assert_open (&pair);
  pair_clear (&pair);
  g_unlink (file);
  g_unlink (other);
  io_identity_clear (&server);
  io_identity_clear (&self_made);
}

static void
test_ca_file (void)
{
  const gchar *bad[] = { "/nonexistent/ca.pem", "/dev/null", NULL };

  g_test_summary ("A ca-file that is none is said to be none, at once");
  for (guint i = 0; bad[i]; i++) {
    const IceTlsConfig config = { .host = HOST, .ca_file = bad[i] };
    g_autoptr (GError) error = NULL;

    g_assert_null (ice_tls_stage_new (&config, &error));
    g_assert_error (error, ICE_STAGE_ERROR, ICE_STAGE_ERROR_SETTINGS);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, bad[i]));
    g_assert_nonnull (strstr (error->message, "ca-file"));
  }
}

static void
test_old_versions (void)
{
  IoIdentity server;
  Pair pair;

  g_test_summary ("TLS 1.1 is not spoken, whoever asks (RFC 8996)");
  issue (&server, "DNS:" HOST);
  pair_init (&pair, &server, HOST);
  SSL_CTX_set_min_proto_version (pair.context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version (pair.context, TLS1_1_VERSION);
  run (&pair);
  assert_said (&pair, ICE_STAGE_ERROR_PROTOCOL, "TLS 1.2 or 1.3");
  pair_clear (&pair);
  io_identity_clear (&server);
}

static void
test_no_tls (void)
{
  static const struct
  {
    const gchar *bytes;
    const gchar *says;
  } cases[] = {
    { "HTTP/1.1 400 Bad Request\r\n", "speaks no TLS" },
    { "S", "speaks no TLS" },
    { "\001\021", "speaks no TLS" },
    { "\026S", "speaks no TLS" },
    { "\026\003\003\377\377", "handshake" }, /* longer than a record */
    { "\025\003\003\0\002\002\050", "alert handshake failure" },
  };
  Pair pair;

  g_test_summary ("Plain text and rubbish on the TLS port are told from each "
                  "other with their first bytes");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gsize size = i < 4 ? strlen (cases[i].bytes) : i == 4 ? 5 : 7;

    pair_init (&pair, &authority, HOST);
    ice_stages_start (pair.stages);
    ice_stages_receive (pair.stages, ICE_BYTES (cases[i].bytes, size));
    assert_said (&pair, ICE_STAGE_ERROR_PROTOCOL, cases[i].says);
    pair_clear (&pair);
  }
  pair_init (&pair, &authority, HOST);
  ice_stages_start (pair.stages);
  ice_stages_end (pair.stages);
  assert_said (&pair, ICE_STAGE_ERROR_PROTOCOL, "speaks no TLS");
  pair_clear (&pair);

  pair_init (&pair, &authority, HOST);
  ice_stages_start (pair.stages);
  ice_stages_expire (pair.stages);
  assert_said (&pair, ICE_STAGE_ERROR_TIMED_OUT, "speaks no TLS");
  pair_clear (&pair);

  pair_init (&pair, &authority, HOST);
  ice_stages_start (pair.stages);
  ice_stages_receive (pair.stages, ICE_BYTES ("\026\003\003", 3));
  ice_stages_expire (pair.stages);
  assert_said (&pair, ICE_STAGE_ERROR_TIMED_OUT, "come to an end");
  pair_clear (&pair);
}

static void
test_huge_chain (void)
{
  IoIdentity server;
  Pair pair;

  g_test_summary ("A chain of a hundred thousand bytes is not read to its end");
  issue (&server, "DNS:" HOST);
  pair_init (&pair, &server, HOST);
  for (guint i = 0; i < 300; i++) {
    X509_up_ref (authority.certificate);
    g_assert_true (
        SSL_CTX_add_extra_chain_cert (pair.context, authority.certificate));
  }
  run (&pair);
  assert_said (&pair, ICE_STAGE_ERROR_PROTOCOL, "excessive message size");
  pair_clear (&pair);
  io_identity_clear (&server);
}

/* The end */

static void
test_goodbye (void)
{
  IoIdentity server;
  Pair pair;

  g_test_summary ("close_notify ends it from either side, what came before it "
                  "counts; an end without it is a truncation (RFC 8446 6.1)");
  issue (&server, "DNS:" HOST);
  pair_init (&pair, &server, HOST);
  run (&pair);
  SSL_write (pair.ssl, "last", 4);
  SSL_shutdown (pair.ssl);
  run (&pair);
  g_assert_cmpstr (pair.said->str, ==, "last");
  g_assert_cmpint (ice_stages_get_state (pair.stages), ==, ICE_STAGE_CLOSED);
  g_assert_true (SSL_get_shutdown (pair.ssl) & SSL_RECEIVED_SHUTDOWN);
  pair_clear (&pair);

  pair_init (&pair, &server, HOST);
  run (&pair);
  ice_stages_close (pair.stages);
  run (&pair);
  g_assert_true (SSL_get_shutdown (pair.ssl) & SSL_RECEIVED_SHUTDOWN);
  pair_clear (&pair);

  pair_init (&pair, &server, HOST);
  run (&pair);
  ice_stages_end (pair.stages);
  assert_said (&pair, ICE_STAGE_ERROR_TRUNCATED, "without saying so");
  pair_clear (&pair);
  io_identity_clear (&server);
}

static void
test_damage (void)
{
  IoIdentity server;
  Pair pair;
  gchar *data;
  glong size;

  g_test_summary ("One bit of a record ends the connection (RFC 8446 5.2)");
  issue (&server, "DNS:" HOST);
  pair_init (&pair, &server, HOST);
  run (&pair);
  SSL_write (pair.ssl, "damaged", 7);
  size = BIO_get_mem_data (pair.out, &data);
  data[size - 1] ^= 1;
  run (&pair);
  assert_said (&pair, ICE_STAGE_ERROR_PROTOCOL, "broke the TLS connection");
  g_assert_cmpstr (pair.said->str, ==, "");
  pair_clear (&pair);
  io_identity_clear (&server);
}

static void
test_renegotiation (void)
{
  IoIdentity server;
  Pair pair;

  g_test_summary ("A server that wants to renegotiate gets a no, and the "
                  "connection goes on (RFC 9325 3.5)");
  issue (&server, "DNS:" HOST);
  pair_init (&pair, &server, HOST);
  SSL_CTX_set_max_proto_version (pair.context, TLS1_2_VERSION);
  run (&pair);
  assert_open (&pair);
  SSL_renegotiate (pair.ssl);
  SSL_do_handshake (pair.ssl);
  carry_up (&pair);
  assert_open (&pair);
  /* An alert and no ClientHello. */
  g_assert_cmpuint (ice_stages_get_below (pair.stages).size, <, 64);
  pair_clear (&pair);
  io_identity_clear (&server);
}

/* Sessions */

static void
check_resumption (int version)
{
  IoIdentity server;
  Pair first, second, other;

  issue (&server, "DNS:" HOST ",DNS:other.example.org");
  pair_init (&first, &server, HOST);
  SSL_CTX_set_max_proto_version (first.context, version);
  run (&first);
  assert_open (&first);
  g_assert_false (ice_tls_stage_is_resumed (first.stage));

  /* CVE-2020-15260: the same server by another name is another server. */
  pair_init (&other, &server, "other.example.org");
  SSL_CTX_free (other.context);
  other.context = first.context;
  SSL_CTX_up_ref (first.context);
  run (&other);
  assert_open (&other);
  g_assert_false (ice_tls_stage_is_resumed (other.stage));
  pair_clear (&other);

  pair_init (&second, &server, HOST);
  SSL_CTX_free (second.context);
  second.context = first.context; /* it has the key of the tickets */
  SSL_CTX_up_ref (first.context);
  run (&second);
  assert_open (&second);
  g_assert_true (ice_tls_stage_is_resumed (second.stage));
  g_assert_cmpuint (second.sent, <, first.sent + 1000);
  talk (&second);
  pair_clear (&first);
  pair_clear (&second);

  /* Another server where that one was: no ticket of ours works, and all is
   * checked anew. */
  io_identity_clear (&server);
  io_identity_init (&server, &stranger, "server", "DNS:" HOST, -1, 1);
  pair_init (&second, &server, HOST);
  SSL_CTX_set_max_proto_version (second.context, version);
  run (&second);
  assert_said (&second, ICE_STAGE_ERROR_UNTRUSTED, "unknown");
  pair_clear (&second);
  io_identity_clear (&server);
}

static void
test_resumption (void)
{
  g_test_summary ("The next connection to the same name with the same trust "
                  "resumes the session (RFC 5077, RFC 8446 2.2)");
  check_resumption (TLS1_3_VERSION);
  check_resumption (TLS1_2_VERSION);
}

static void
test_trust_changed (void)
{
  IoIdentity server;
  g_autofree gchar *file = io_identity_save (&authority);
  g_autofree gchar *pem = NULL, *twice = NULL;
  g_autofree gchar *other_file = io_identity_save (&stranger);
  Pair first, second;
  gsize size;

  g_test_summary ("Whoever is not trusted any more is not so by a ticket "
                  "either");
  issue (&server, "DNS:" HOST);
  pair_init_full (&first, &server, HOST, file, FALSE);
  run (&first);
  assert_open (&first);
  g_assert_true (g_file_get_contents (other_file, &pem, &size, NULL));
  twice = g_strconcat (pem, pem, NULL);
  g_assert_true (g_file_set_contents (file, twice, -1, NULL));
  pair_init_full (&second, &server, HOST, file, FALSE);
  SSL_CTX_free (second.context);
  second.context = first.context;
  SSL_CTX_up_ref (first.context);
  run (&second);
  assert_said (&second, ICE_STAGE_ERROR_UNTRUSTED, "unknown");
  pair_clear (&first);
  pair_clear (&second);
  g_unlink (file);
  g_unlink (other_file);
  io_identity_clear (&server);
}

/* DTLS */

static void
talk_in_packets (Pair *self)
{
  static const gchar ours[] = "\0\3one\0\3two";

  ice_stages_send (self->stages, ICE_BYTES (ours, 10));
  SSL_write (self->ssl, "answer", 6);
  run (self);
  g_assert_cmpstr (self->heard->str, ==, "onetwo");
  g_assert_cmpmem (self->said->str, self->said->len, "\0\6answer", 8);
}

static void
test_dtls (void)
{
  IoIdentity server;
  Pair pair;

  g_test_summary ("DTLS 1.2: packets stay packets (RFC 7350)");
  issue (&server, "DNS:" HOST);
  pair_init_full (&pair, &server, HOST, ca_file, TRUE);
  run (&pair);
  assert_open (&pair);
  g_assert_cmpstr (ice_tls_stage_get_version (pair.stage), ==, "DTLSv1.2");
  talk_in_packets (&pair);
  SSL_shutdown (pair.ssl);
  run (&pair);
  g_assert_cmpint (ice_stages_get_state (pair.stages), ==, ICE_STAGE_CLOSED);
  pair_clear (&pair);
  io_identity_clear (&server);
}

/* OpenSSL counts by the clock of the machine. */
static void
wait_and_repeat (Pair *self)
{
  IceTime left = ice_stages_get_timeout (self->stages);

  g_assert_cmpint (left, <=, 500 * ICE_MSEC);
  g_usleep (left);
  while (ice_stages_get_timeout (self->stages) > 0)
    g_usleep (1000);
  ice_stages_timeout (self->stages);
  run (self);
}

static void
test_dtls_loss (void)
{
  IoIdentity server;
  Pair pair;

  g_test_summary ("The first flight is lost, is repeated after half a second, "
                  "and all is well (RFC 6347 4.2.4)");
  issue (&server, "DNS:" HOST);
  pair_init_full (&pair, &server, HOST, ca_file, TRUE);
  pair.lose = 1;
  run (&pair);
  g_assert_cmpint (
      ice_stages_get_state (pair.stages), ==, ICE_STAGE_HANDSHAKING);
  wait_and_repeat (&pair);
  assert_open (&pair);
  g_assert_cmpint (ice_stages_get_timeout (pair.stages), ==, ICE_TIME_NEVER);
  talk_in_packets (&pair);
  pair_clear (&pair);
  io_identity_clear (&server);
}

static void
test_dtls_strangers (void)
{
  static const gchar *noise[] = { "\0\3abc", "\0\1\026", "\0\0",
    "\0\15\026\376\375\0\0\0\0\0\0\0\0\377\377", "\0\4\0\1\0\0" };
  static const gsize sizes[] = { 5, 3, 2, 15, 6 };
  IoIdentity server;
  Pair pair;

  g_test_summary ("Datagrams of strangers neither end it nor come through, in "
                  "the handshake and afterwards (RFC 6347 4.1.2.7)");
  issue (&server, "DNS:" HOST);
  pair_init_full (&pair, &server, HOST, ca_file, TRUE);
  ice_stages_start (pair.stages);
  for (guint i = 0; i < G_N_ELEMENTS (noise); i++)
    ice_stages_receive (pair.stages, ICE_BYTES (noise[i], sizes[i]));
  start_server (&pair);
  run (&pair);
  assert_open (&pair);
  for (guint i = 0; i < G_N_ELEMENTS (noise); i++)
    ice_stages_receive (pair.stages, ICE_BYTES (noise[i], sizes[i]));
  talk_in_packets (&pair);
  pair_clear (&pair);

  pair_init_full (&pair, &server, HOST, ca_file, TRUE);
  ice_stages_start (pair.stages);
  ice_stages_receive (pair.stages, ICE_BYTES (noise[4], sizes[4]));
  ice_stages_expire (pair.stages);
  assert_said (&pair, ICE_STAGE_ERROR_PROTOCOL, "speaks no DTLS");
  pair_clear (&pair);
  io_identity_clear (&server);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  io_identity_init (&authority, NULL, "Authority", NULL, -1, 2);
  io_identity_init (&stranger, NULL, "Stranger", NULL, -1, 2);
  ca_file = io_identity_save (&authority);
  g_test_add_func ("/rfc8446/4.2.1/versions", test_versions);
  g_test_add_func ("/io/tls/byte-by-byte", test_byte_by_byte);
  g_test_add_func ("/rfc9525/6.3/names", test_names);
  g_test_add_func ("/rfc8489/6.2.3/untrusted", test_untrusted);
  g_test_add_func ("/io/tls/pinned", test_pinned);
  g_test_add_func ("/io/tls/ca-file", test_ca_file);
  g_test_add_func ("/rfc8996/old-versions", test_old_versions);
  g_test_add_func ("/io/tls/no-tls", test_no_tls);
  g_test_add_func ("/io/tls/huge-chain", test_huge_chain);
  g_test_add_func ("/rfc8446/6.1/goodbye", test_goodbye);
  g_test_add_func ("/rfc8446/5.2/damage", test_damage);
  g_test_add_func ("/rfc9325/3.5/renegotiation", test_renegotiation);
  g_test_add_func ("/rfc8446/2.2/resumption", test_resumption);
  g_test_add_func ("/io/tls/trust-changed", test_trust_changed);
  g_test_add_func ("/rfc7350/dtls", test_dtls);
  g_test_add_func ("/rfc6347/4.2.4/loss", test_dtls_loss);
  g_test_add_func ("/rfc6347/4.1.2.7/strangers", test_dtls_strangers);
  result = g_test_run ();
  g_unlink (ca_file);
  g_free (ca_file);
  io_identity_clear (&authority);
  io_identity_clear (&stranger);
  return result;
}
