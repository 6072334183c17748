/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stage of TLS against OpenSSL's own server, both in memory: no socket, no
 * waiting. What the sockets add is in test-tls-socket.c. */

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#include "tls-pair.h"

static IoIdentity authority;
static gchar *ca_file;

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
    IoTlsPair pair;

    io_pair_init (&pair, &server, HOST, ca_file, FALSE);
    SSL_CTX_set_max_proto_version (pair.context, cases[i].version);
    io_pair_run (&pair);
    io_pair_assert_open (&pair);
    g_assert_cmpstr (ice_tls_stage_get_version (pair.stage), ==, cases[i].name);
    g_assert_cmpstr (
        SSL_get_servername (pair.ssl, TLSEXT_NAMETYPE_host_name), ==, HOST);
    alpn = ice_tls_stage_dup_alpn (pair.stage);
    g_assert_cmpstr (alpn, ==, "stun.turn");
    io_pair_talk (&pair);
    io_pair_clear (&pair);
  }
  io_identity_clear (&server);
}

static void
test_byte_by_byte (void)
{
  IoIdentity server;
  IoTlsPair pair;

  g_test_summary ("A server that says all of it byte by byte");
  issue (&server, "DNS:" HOST);
  io_pair_init (&pair, &server, HOST, ca_file, FALSE);
  pair.step = 1;
  io_pair_run (&pair);
  io_pair_assert_open (&pair);
  io_pair_talk (&pair);
  io_pair_clear (&pair);
  io_identity_clear (&server);
}

/* What is wrong */

static void
test_old_versions (void)
{
  IoIdentity server;
  IoTlsPair pair;

  g_test_summary ("TLS 1.1 is not spoken, whoever asks (RFC 8996)");
  issue (&server, "DNS:" HOST);
  io_pair_init (&pair, &server, HOST, ca_file, FALSE);
  SSL_CTX_set_min_proto_version (pair.context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version (pair.context, TLS1_1_VERSION);
  io_pair_run (&pair);
  io_pair_assert_said (&pair, ICE_STAGE_ERROR_UNTRUSTED, "TLS 1.2 or 1.3");
  io_pair_clear (&pair);
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
  IoTlsPair pair;

  g_test_summary ("Plain text and rubbish on the TLS port are told from each "
                  "other with their first bytes");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gsize size = i < 4 ? strlen (cases[i].bytes) : i == 4 ? 5 : 7;

    io_pair_init (&pair, &authority, HOST, ca_file, FALSE);
    ice_stages_start (pair.stages);
    ice_stages_receive (pair.stages, ICE_BYTES (cases[i].bytes, size));
    io_pair_assert_said (&pair, ICE_STAGE_ERROR_UNTRUSTED, cases[i].says);
    io_pair_clear (&pair);
  }
  io_pair_init (&pair, &authority, HOST, ca_file, FALSE);
  ice_stages_start (pair.stages);
  ice_stages_end (pair.stages);
  io_pair_assert_said (&pair, ICE_STAGE_ERROR_UNTRUSTED, "speaks no TLS");
  io_pair_clear (&pair);

  io_pair_init (&pair, &authority, HOST, ca_file, FALSE);
  ice_stages_start (pair.stages);
  ice_stages_expire (pair.stages);
  io_pair_assert_said (&pair, ICE_STAGE_ERROR_UNTRUSTED, "speaks no TLS");
  io_pair_clear (&pair);

  io_pair_init (&pair, &authority, HOST, ca_file, FALSE);
  ice_stages_start (pair.stages);
  ice_stages_receive (pair.stages, ICE_BYTES ("\026\003\003", 3));
  ice_stages_expire (pair.stages);
  io_pair_assert_said (&pair, ICE_STAGE_ERROR_TIMED_OUT, "come to an end");
  io_pair_clear (&pair);
}

static void
test_huge_chain (void)
{
  IoIdentity server;
  IoTlsPair pair;

  g_test_summary ("A chain of a hundred thousand bytes is not read to its end");
  issue (&server, "DNS:" HOST);
  io_pair_init (&pair, &server, HOST, ca_file, FALSE);
  for (guint i = 0; i < 300; i++) {
    X509_up_ref (authority.certificate);
    g_assert_true (
        SSL_CTX_add_extra_chain_cert (pair.context, authority.certificate));
  }
  io_pair_run (&pair);
  io_pair_assert_said (
      &pair, ICE_STAGE_ERROR_UNTRUSTED, "excessive message size");
  io_pair_clear (&pair);
  io_identity_clear (&server);
}

/* The end */

static void
test_goodbye (void)
{
  IoIdentity server;
  IoTlsPair pair;

  g_test_summary ("close_notify ends it from either side, what came before it "
                  "counts; an end without it is a truncation (RFC 8446 6.1)");
  issue (&server, "DNS:" HOST);
  io_pair_init (&pair, &server, HOST, ca_file, FALSE);
  io_pair_run (&pair);
  SSL_write (pair.ssl, "last", 4);
  SSL_shutdown (pair.ssl);
  io_pair_run (&pair);
  g_assert_cmpstr (pair.said->str, ==, "last");
  g_assert_cmpint (ice_stages_get_state (pair.stages), ==, ICE_STAGE_CLOSED);
  g_assert_true (SSL_get_shutdown (pair.ssl) & SSL_RECEIVED_SHUTDOWN);
  io_pair_clear (&pair);

  io_pair_init (&pair, &server, HOST, ca_file, FALSE);
  io_pair_run (&pair);
  ice_stages_close (pair.stages);
  io_pair_run (&pair);
  g_assert_true (SSL_get_shutdown (pair.ssl) & SSL_RECEIVED_SHUTDOWN);
  io_pair_clear (&pair);

  io_pair_init (&pair, &server, HOST, ca_file, FALSE);
  io_pair_run (&pair);
  ice_stages_end (pair.stages);
  io_pair_assert_said (&pair, ICE_STAGE_ERROR_TRUNCATED, "without saying so");
  io_pair_clear (&pair);
  io_identity_clear (&server);
}

static void
test_damage (void)
{
  IoIdentity server;
  IoTlsPair pair;
  gchar *data;
  glong size;

  g_test_summary ("One bit of a record ends the connection (RFC 8446 5.2)");
  issue (&server, "DNS:" HOST);
  io_pair_init (&pair, &server, HOST, ca_file, FALSE);
  io_pair_run (&pair);
  SSL_write (pair.ssl, "damaged", 7);
  size = BIO_get_mem_data (pair.out, &data);
  data[size - 1] ^= 1;
  io_pair_run (&pair);
  io_pair_assert_said (
      &pair, ICE_STAGE_ERROR_PROTOCOL, "broke the TLS connection");
  g_assert_cmpstr (pair.said->str, ==, "");
  io_pair_clear (&pair);
  io_identity_clear (&server);
}

static void
test_renegotiation (void)
{
  IoIdentity server;
  IoTlsPair pair;

  g_test_summary ("A server that wants to renegotiate gets a no, and the "
                  "connection goes on (RFC 9325 3.5)");
  issue (&server, "DNS:" HOST);
  io_pair_init (&pair, &server, HOST, ca_file, FALSE);
  SSL_CTX_set_max_proto_version (pair.context, TLS1_2_VERSION);
  io_pair_run (&pair);
  io_pair_assert_open (&pair);
  SSL_renegotiate (pair.ssl);
  SSL_do_handshake (pair.ssl);
  io_pair_carry_up (&pair);
  io_pair_assert_open (&pair);
  /* An alert and no ClientHello. */
  g_assert_cmpuint (ice_stages_get_below (pair.stages).size, <, 64);
  io_pair_clear (&pair);
  io_identity_clear (&server);
}

/* DTLS */

static void
talk_in_packets (IoTlsPair *self)
{
  static const gchar ours[] = "\0\3one\0\3two";

  ice_stages_send (self->stages, ICE_BYTES (ours, 10));
  SSL_write (self->ssl, "answer", 6);
  io_pair_run (self);
  g_assert_cmpstr (self->heard->str, ==, "onetwo");
  g_assert_cmpmem (self->said->str, self->said->len, "\0\6answer", 8);
}

static void
test_dtls (void)
{
  IoIdentity server;
  IoTlsPair pair;

  g_test_summary ("DTLS 1.2: packets stay packets (RFC 7350)");
  issue (&server, "DNS:" HOST);
  io_pair_init (&pair, &server, HOST, ca_file, TRUE);
  io_pair_run (&pair);
  io_pair_assert_open (&pair);
  g_assert_cmpstr (ice_tls_stage_get_version (pair.stage), ==, "DTLSv1.2");
  talk_in_packets (&pair);
  SSL_shutdown (pair.ssl);
  io_pair_run (&pair);
  g_assert_cmpint (ice_stages_get_state (pair.stages), ==, ICE_STAGE_CLOSED);
  io_pair_clear (&pair);
  io_identity_clear (&server);
}

/* OpenSSL counts by the clock of the machine. */
static void
wait_and_repeat (IoTlsPair *self)
{
  const gint64 end = g_get_monotonic_time () + 10 * G_TIME_SPAN_SECOND;

  g_assert_cmpint (ice_stages_get_timeout (self->stages), <=, 500 * ICE_MSEC);
  while (ice_stages_get_timeout (self->stages) > 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (1000);
  }
  ice_stages_timeout (self->stages);
  io_pair_run (self);
}

static void
test_dtls_loss (void)
{
  IoIdentity server;
  IoTlsPair pair;

  g_test_summary ("The first flight is lost, is repeated after half a second, "
                  "and all is well (RFC 6347 4.2.4)");
  issue (&server, "DNS:" HOST);
  io_pair_init (&pair, &server, HOST, ca_file, TRUE);
  pair.lose = 1;
  io_pair_run (&pair);
  g_assert_cmpint (
      ice_stages_get_state (pair.stages), ==, ICE_STAGE_HANDSHAKING);
  wait_and_repeat (&pair);
  io_pair_assert_open (&pair);
  g_assert_cmpint (ice_stages_get_timeout (pair.stages), ==, ICE_TIME_NEVER);
  talk_in_packets (&pair);
  io_pair_clear (&pair);
  io_identity_clear (&server);
}

static void
test_dtls_strangers (void)
{
  static const gchar *noise[] = { "\0\3abc", "\0\1\026", "\0\0",
    "\0\15\026\376\375\0\0\0\0\0\0\0\0\377\377", "\0\4\0\1\0\0" };
  static const gsize sizes[] = { 5, 3, 2, 15, 6 };
  IoIdentity server;
  IoTlsPair pair;

  g_test_summary ("Datagrams of strangers neither end it nor come through, in "
                  "the handshake and afterwards (RFC 6347 4.1.2.7)");
  issue (&server, "DNS:" HOST);
  io_pair_init (&pair, &server, HOST, ca_file, TRUE);
  ice_stages_start (pair.stages);
  for (guint i = 0; i < G_N_ELEMENTS (noise); i++)
    ice_stages_receive (pair.stages, ICE_BYTES (noise[i], sizes[i]));
  io_pair_start_server (&pair);
  io_pair_run (&pair);
  io_pair_assert_open (&pair);
  for (guint i = 0; i < G_N_ELEMENTS (noise); i++)
    ice_stages_receive (pair.stages, ICE_BYTES (noise[i], sizes[i]));
  talk_in_packets (&pair);
  io_pair_clear (&pair);

  io_pair_init (&pair, &server, HOST, ca_file, TRUE);
  ice_stages_start (pair.stages);
  ice_stages_receive (pair.stages, ICE_BYTES (noise[4], sizes[4]));
  ice_stages_expire (pair.stages);
  io_pair_assert_said (&pair, ICE_STAGE_ERROR_UNTRUSTED, "speaks no DTLS");
  io_pair_clear (&pair);
  io_identity_clear (&server);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  io_identity_init (&authority, NULL, "Authority", NULL, -1, 2);
  ca_file = io_identity_save (&authority);
  g_test_add_func ("/rfc8446/4.2.1/versions", test_versions);
  g_test_add_func ("/io/tls/byte-by-byte", test_byte_by_byte);
  g_test_add_func ("/rfc8996/old-versions", test_old_versions);
  g_test_add_func ("/io/tls/no-tls", test_no_tls);
  g_test_add_func ("/io/tls/huge-chain", test_huge_chain);
  g_test_add_func ("/rfc8446/6.1/goodbye", test_goodbye);
  g_test_add_func ("/rfc8446/5.2/damage", test_damage);
  g_test_add_func ("/rfc9325/3.5/renegotiation", test_renegotiation);
  g_test_add_func ("/rfc7350/dtls", test_dtls);
  g_test_add_func ("/rfc6347/4.2.4/loss", test_dtls_loss);
  g_test_add_func ("/rfc6347/4.1.2.7/strangers", test_dtls_strangers);
  result = g_test_run ();
  g_unlink (ca_file);
  g_free (ca_file);
  io_identity_clear (&authority);
  return result;
}
