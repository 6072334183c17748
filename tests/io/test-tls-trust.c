/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom TLS trusts, and what it says of the others. */

#include <fcntl.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gst/ice/io/tls-prepare.h"
#include "gst/ice/io/tls-private.h"
#include "io-support.h"
#include "tls-pair.h"

static IoIdentity authority, stranger;
static gchar *ca_file;

static void
issue (IoIdentity *self, const gchar *alternative)
{
  io_identity_init (self, &authority, "server", alternative, -1, 1);
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
    IoTlsPair pair;

    issue (&server, cases[i].alternative);
    io_pair_init (&pair, &server, cases[i].host, ca_file, FALSE);
    io_pair_run (&pair);
    if (cases[i].good)
      io_pair_assert_open (&pair);
    else
      io_pair_assert_said (&pair, ICE_STAGE_ERROR_UNTRUSTED, "and not for");
    g_assert_cmpstr (SSL_get_servername (pair.ssl, TLSEXT_NAMETYPE_host_name),
        ==, cases[i].sni);
    io_pair_clear (&pair);
    io_identity_clear (&server);
  }
}

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
  IoTlsPair pair;

  io_identity_init (&server, wrong->issuer, wrong->name, wrong->alternative,
      wrong->from, wrong->until);
  io_pair_init (&pair, &server, HOST, ca_file, datagrams);
  io_pair_run (&pair);
  io_pair_assert_said (&pair, ICE_STAGE_ERROR_UNTRUSTED, wrong->says);
  if (strstr (ice_stages_get_error (pair.stages)->message, HOST) == NULL)
    g_error ("%s: does not say which server", wrong->what);
  /* Not even what was sent by mistake. */
  ice_stages_send (pair.stages, ICE_BYTES ("secret", 6));
  io_pair_run (&pair);
  g_assert_cmpstr (pair.heard->str, ==, "");
  io_pair_clear (&pair);
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
  IoTlsPair pair;

  g_test_summary ("ca-file may be the server's own certificate");
  issue (&server, "DNS:" HOST);
  io_identity_init (&self_made, NULL, HOST, "DNS:" HOST, -1, 1);
  file = io_identity_save (&server);
  other = io_identity_save (&self_made);
  io_pair_init (&pair, &server, HOST, file, FALSE);
  io_pair_run (&pair);
  io_pair_assert_open (&pair);
  io_pair_clear (&pair);
  io_pair_init (&pair, &self_made, HOST, other, FALSE);
  io_pair_run (&pair);
  io_pair_assert_open (&pair);
  io_pair_clear (&pair);
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
check_resumption (int version)
{
  IoIdentity server;
  IoTlsPair first, second, other;

  issue (&server, "DNS:" HOST ",DNS:other.example.org");
  io_pair_init (&first, &server, HOST, ca_file, FALSE);
  SSL_CTX_set_max_proto_version (first.context, version);
  io_pair_run (&first);
  io_pair_assert_open (&first);
  g_assert_false (ice_tls_stage_is_resumed (first.stage));

  /* CVE-2020-15260: the same server by another name is another server. */
  io_pair_init (&other, &server, "other.example.org", ca_file, FALSE);
  io_pair_share (&other, &first);
  io_pair_run (&other);
  io_pair_assert_open (&other);
  g_assert_false (ice_tls_stage_is_resumed (other.stage));
  io_pair_clear (&other);

  io_pair_init (&second, &server, HOST, ca_file, FALSE);
  io_pair_share (&second, &first);
  io_pair_run (&second);
  io_pair_assert_open (&second);
  g_assert_true (ice_tls_stage_is_resumed (second.stage));
  g_assert_cmpuint (second.sent, <, first.sent + 1000);
  io_pair_talk (&second);
  io_pair_clear (&first);
  io_pair_clear (&second);

  /* Another server where that one was: no ticket of ours works, and all is
   * checked anew. */
  io_identity_clear (&server);
  io_identity_init (&server, &stranger, "server", "DNS:" HOST, -1, 1);
  io_pair_init (&second, &server, HOST, ca_file, FALSE);
  SSL_CTX_set_max_proto_version (second.context, version);
  io_pair_run (&second);
  io_pair_assert_said (&second, ICE_STAGE_ERROR_UNTRUSTED, "unknown");
  io_pair_clear (&second);
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
  IoTlsPair first, second;
  gsize size;

  g_test_summary ("Whoever is not trusted any more is not so by a ticket "
                  "either");
  issue (&server, "DNS:" HOST);
  io_pair_init (&first, &server, HOST, file, FALSE);
  io_pair_run (&first);
  io_pair_assert_open (&first);
  g_assert_true (g_file_get_contents (other_file, &pem, &size, NULL));
  twice = g_strconcat (pem, pem, NULL);
  g_assert_true (g_file_set_contents (file, twice, -1, NULL));
  io_pair_init (&second, &server, HOST, file, FALSE);
  io_pair_share (&second, &first);
  io_pair_run (&second);
  io_pair_assert_said (&second, ICE_STAGE_ERROR_UNTRUSTED, "unknown");
  io_pair_clear (&first);
  io_pair_clear (&second);
  g_unlink (file);
  g_unlink (other_file);
  io_identity_clear (&server);
}

typedef struct
{
  IceLoop *loop;
  const gchar *path;
  IceTlsPreparation *preparation;
  gboolean cancel;
  guint n_prepared, n_turns; /* under io_lock */
} Prepare;

static void
on_prepared (gpointer user_data)
{
  Prepare *self = user_data;

  g_assert_true (ice_loop_is_current (self->loop));
  io_lock ();
  self->preparation = NULL;
  self->n_prepared++;
  io_unlock ();
}

static void
prepare (gpointer user_data)
{
  Prepare *self = user_data;

  self->preparation =
      ice_tls_prepare (self->loop, self->path, TRUE, on_prepared, self);
  if (self->cancel)
    ice_tls_preparation_cancel (g_steal_pointer (&self->preparation));
}

static void
take_turn (gpointer user_data)
{
  Prepare *self = user_data;

  io_lock ();
  self->n_turns++;
  io_unlock ();
}

/* Waits until somebody reads it. */
static void
write_to (const gchar *path, const gchar *text, gsize size)
{
  gint fd = g_open (path, O_WRONLY | O_CLOEXEC, 0);

  g_assert_no_errno (fd);
  g_assert_cmpint (write (fd, text, size), ==, (gssize) size);
  g_assert_no_errno (close (fd));
}

static void
wait_until_prepared (Prepare *self)
{
  io_lock ();
  io_wait_for (self->n_prepared == 1);
  io_unlock ();
}

/* A file that takes as long to be read as the test likes, one that nobody waits
 * for any more, and one that there is not, which ice_tls_stage_new will say. */
static void
test_prepare (void)
{
  g_autofree gchar *path = g_strdup_printf ("%s.fifo", ca_file);
  g_autofree gchar *pem = NULL;
  gsize size;
  Prepare slow = { .path = path };
  Prepare cancelled = { .path = ca_file, .cancel = TRUE };
  Prepare missing = { .path = "/nowhere/authorities.pem" };
  Prepare again = { .path = ca_file };
  IceLoop *loop = ice_loop_acquire ();

  slow.loop = cancelled.loop = missing.loop = again.loop = loop;
  g_assert_true (g_file_get_contents (ca_file, &pem, &size, NULL));
  g_assert_no_errno (mkfifo (path, 0600));
  g_assert_false (ice_tls_has_trust (ca_file, TRUE));
  io_run (loop, prepare, &slow);
  io_run (loop, prepare, &cancelled);
  io_run (loop, prepare, &missing);
  g_assert_nonnull (slow.preparation);
  /* Whatever else the loop has to do it does. */
  for (guint i = 0; i < 10; i++)
    io_run (loop, take_turn, &slow);
  g_assert_cmpuint (slow.n_turns, ==, 10);
  io_lock ();
  g_assert_cmpuint (slow.n_prepared, ==, 0);
  io_unlock ();

  write_to (path, pem, size);
  wait_until_prepared (&slow);
  /* They are read in the order that they were asked for in. */
  wait_until_prepared (&missing);
  g_assert_false (ice_tls_has_trust (missing.path, TRUE));
  /* Who does not want to know is not told; who does now need not wait. */
  g_assert_cmpuint (cancelled.n_prepared, ==, 0);
  g_assert_true (ice_tls_has_trust (ca_file, TRUE));
  io_run (loop, prepare, &again);
  g_assert_null (again.preparation);
  g_unlink (path);
  ice_loop_unref (loop);
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
  /* The first one: nothing has been read yet. */
  g_test_add_func ("/io/tls/prepare", test_prepare);
  g_test_add_func ("/rfc9525/6.3/names", test_names);
  g_test_add_func ("/rfc8489/6.2.3/untrusted", test_untrusted);
  g_test_add_func ("/io/tls/pinned", test_pinned);
  g_test_add_func ("/io/tls/ca-file", test_ca_file);
  g_test_add_func ("/rfc8446/2.2/resumption", test_resumption);
  g_test_add_func ("/io/tls/trust-changed", test_trust_changed);
  result = g_test_run ();
  g_unlink (ca_file);
  g_free (ca_file);
  io_identity_clear (&authority);
  io_identity_clear (&stranger);
  return result;
}
