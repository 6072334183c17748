/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections through TLS and DTLS against OpenSSL's own server in a thread of
 * the test, over loopback: what opens, what ends it, and what it leaves. */

#include <errno.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gst/ice/io/tcp.h"
#include "gst/ice/io/tls.h"
#include "io-support.h"
#include "tls-support.h"

/* What the server does with whoever comes. */
typedef enum
{
  SERVE_ECHO,
  SERVE_DRIP,       /* the same, each byte in a segment of its own */
  SERVE_PLAIN,      /* answers in plain text */
  SERVE_SILENCE,    /* reads, and says nothing */
  SERVE_HANG_UP,    /* without reading */
  SERVE_RESET,      /* on the ClientHello */
  SERVE_TRUNCATE,   /* after the handshake: FIN without close_notify */
  SERVE_GOODBYE,    /* close_notify, then it waits for ours */
  SERVE_RESET_LATE, /* after the handshake */
  SERVE_TICKETS,    /* a thousand, and no data */
  SERVE_NOBODY
} Serve;

static IoIdentity authority, identity;
static gchar *ca_file;

typedef struct
{
  IceLoop *loop; /* (owned) */
  IceTcp *tcp;   /* (owned) (nullable) */
  IceAddress address;
  gboolean datagrams;
  Serve serve;
  gint listener;
  GThread *thread;  /* (owned) (nullable) */
  SSL_CTX *context; /* (owned) */
  GError *error;
  gint64 started;

  /* Under io_lock. */
  GPtrArray *packets; /* (owned) (element-type GBytes) */
  guint n_opened, n_closed;
  gchar *reason;  /* (owned) (nullable) */
  gint code;      /* of the stage's error, or -1 */
  gint64 ended;   /* when it was closed */
  guint n_served; /* connections that are over */
  guint lose;     /* DTLS: datagrams that the server does not see */
} Lab;

/* The server */

static void
reset (gint fd)
{
  struct linger now = { .l_onoff = 1, .l_linger = 0 };

  setsockopt (fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void
read_to_end (gint fd)
{
  gchar buffer[4096];

  while (recv (fd, buffer, sizeof buffer, 0) > 0)
    ;
}

static void
echo (SSL *ssl)
{
  gchar buffer[20000];
  gint n;

  while ((n = SSL_read (ssl, buffer, sizeof buffer)) > 0)
    SSL_write (ssl, buffer, n);
}

static void
send_tickets (SSL *ssl)
{
  /* OpenSSL does not mind that nobody is there any more. */
  for (guint i = 0; i < 1000 && SSL_new_session_ticket (ssl); i++)
    SSL_do_handshake (ssl);
}

static void
after_handshake (Lab *self, SSL *ssl, gint fd)
{
  switch (self->serve) {
    case SERVE_TRUNCATE:
      break;
    case SERVE_GOODBYE:
      SSL_shutdown (ssl);
      shutdown (fd, SHUT_WR);
      read_to_end (fd);
      break;
    case SERVE_RESET_LATE:
      reset (fd);
      break;
    case SERVE_TICKETS:
      send_tickets (ssl);
      break;
    default:
      echo (ssl);
  }
}

static int
drip (BIO *bio, const char *data, int size)
{
  for (int i = 0; i < size; i++)
    send (GPOINTER_TO_INT (BIO_get_app_data (bio)), data + i, 1, MSG_NOSIGNAL);
  return size;
}

static long
drip_control (BIO *bio, int command, long number, void *pointer)
{
  return command == BIO_CTRL_FLUSH;
}

static BIO *
dripping (gint fd)
{
  static BIO_METHOD *method;
  BIO *bio;

  if (method == NULL) {
    method = BIO_meth_new (BIO_TYPE_SOURCE_SINK, "drip");
    BIO_meth_set_write (method, drip);
    BIO_meth_set_ctrl (method, drip_control);
  }
  bio = BIO_new (method);
  BIO_set_app_data (bio, GINT_TO_POINTER (fd));
  BIO_set_init (bio, 1);
  return bio;
}

static void
serve_tls (Lab *self, gint fd)
{
  SSL *ssl = SSL_new (self->context);

  SSL_set_fd (ssl, fd);
  if (self->serve == SERVE_DRIP)
    SSL_set0_wbio (ssl, dripping (fd));
  if (SSL_accept (ssl) == 1)
    after_handshake (self, ssl, fd);
  ERR_clear_error ();
  SSL_free (ssl);
}

static void
serve (Lab *self, gint fd)
{
  static const gchar answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
  gchar buffer[4096];

  switch (self->serve) {
    case SERVE_HANG_UP:
      break;
    case SERVE_PLAIN:
      g_assert_cmpint (recv (fd, buffer, sizeof buffer, 0), >, 0);
      send (fd, answer, strlen (answer), MSG_NOSIGNAL);
      read_to_end (fd);
      break;
    case SERVE_SILENCE:
      read_to_end (fd);
      break;
    case SERVE_RESET:
      g_assert_cmpint (recv (fd, buffer, sizeof buffer, 0), >, 0);
      reset (fd);
      break;
    default:
      serve_tls (self, fd);
  }
}

static gpointer
accept_streams (gpointer user_data)
{
  Lab *self = user_data;
  gint fd;

  while ((fd = accept (self->listener, NULL, NULL)) >= 0) {
    serve (self, fd);
    close (fd);
    io_lock ();
    self->n_served++;
    io_unlock ();
  }
  return NULL;
}

/* That nothing came for a while is no end. */
static gboolean
accept_patiently (SSL *ssl)
{
  gint result = 0;

  for (guint i = 0; i < 100 && result != 1; i++) {
    result = SSL_accept (ssl);
    if (result != 1 && SSL_get_error (ssl, result) != SSL_ERROR_WANT_READ)
      return FALSE;
  }
  return result == 1;
}

/* One association: the first who comes. */
static gpointer
accept_datagrams (gpointer user_data)
{
  Lab *self = user_data;
  struct timeval patience = { 0, 100000 };
  struct sockaddr_storage from;
  socklen_t size = sizeof from;
  gchar first;
  SSL *ssl;
  BIO *bio;

  do {
    gboolean lose;

    size = sizeof from;
    if (recvfrom (self->listener, &first, 1, MSG_PEEK,
            (struct sockaddr *) &from, &size) <= 0)
      return NULL;
    io_lock ();
    lose = self->lose > 0;
    if (lose)
      self->lose--;
    io_unlock ();
    if (!lose)
      break;
    recv (self->listener, &first, 1, 0);
  } while (TRUE);
  if (self->serve == SERVE_PLAIN) {
    static const gchar answer[] = "\1\21\0\0\41\22\244\102";

    sendto (self->listener, answer, 8, 0, (struct sockaddr *) &from, size);
    return NULL;
  }
  connect (self->listener, (struct sockaddr *) &from, size);
  bio = BIO_new_dgram (self->listener, BIO_NOCLOSE);
  BIO_ctrl (bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &from);
  BIO_ctrl (bio, BIO_CTRL_DGRAM_SET_RECV_TIMEOUT, 0, &patience);
  ssl = SSL_new (self->context);
  SSL_set_bio (ssl, bio, bio);
  DTLS_set_link_mtu (ssl, 1400);
  if (accept_patiently (ssl)) {
    gchar buffer[20000];
    gint n;

    while (!(SSL_get_shutdown (ssl) & SSL_RECEIVED_SHUTDOWN)) {
      n = SSL_read (ssl, buffer, sizeof buffer);
      if (n > 0)
        SSL_write (ssl, buffer, n);
      else if (SSL_get_error (ssl, n) == SSL_ERROR_SSL)
        break;
    }
  }
  ERR_clear_error ();
  SSL_free (ssl);
  io_lock ();
  self->n_served++;
  io_unlock ();
  return NULL;
}

static void
open_server (Lab *self)
{
  struct sockaddr_in local = { .sin_family = AF_INET };
  socklen_t size = sizeof local;

  local.sin_addr.s_addr = g_htonl (INADDR_LOOPBACK);
  self->listener =
      socket (AF_INET, self->datagrams ? SOCK_DGRAM : SOCK_STREAM, 0);
  g_assert_cmpint (
      bind (self->listener, (struct sockaddr *) &local, sizeof local), ==, 0);
  if (!self->datagrams)
    g_assert_cmpint (listen (self->listener, 8), ==, 0);
  getsockname (self->listener, (struct sockaddr *) &local, &size);
  g_assert_true (ice_address_parse (
      &self->address, "127.0.0.1", g_ntohs (local.sin_port)));
  self->context = io_tls_context (&identity, self->datagrams);
  if (self->serve == SERVE_NOBODY) {
    close (self->listener);
    return;
  }
  self->thread = g_thread_new (
      "server", self->datagrams ? accept_datagrams : accept_streams, self);
}

/* Us */

static void
on_opened (IceTcp *tcp, gpointer user_data)
{
  Lab *self = user_data;

  io_lock ();
  self->n_opened++;
  io_unlock ();
}

static void
on_packets (
    IceTcp *tcp, IceRxPacket *packets, guint n_packets, gpointer user_data)
{
  Lab *self = user_data;

  io_lock ();
  for (guint i = 0; i < n_packets; i++)
    g_ptr_array_add (self->packets,
        g_bytes_new (packets[i].data.data, packets[i].data.size));
  io_unlock ();
}

static void
on_closed (IceTcp *tcp, const gchar *reason, gpointer user_data)
{
  Lab *self = user_data;
  const GError *error = ice_tcp_get_error (tcp);

  io_lock ();
  self->n_closed++;
  self->reason = g_strdup (reason);
  self->code = error ? error->code : -1;
  self->ended = g_get_monotonic_time ();
  io_unlock ();
}

static const IceTcpEvents events = { .opened = on_opened,
  .packets = on_packets,
  .closed = on_closed };

static void
connect_on_loop (gpointer user_data)
{
  static const IceSocketOptions options = { .dscp = -1 };
  Lab *self = user_data;
  const IceTlsConfig config = { .host = "localhost",
    .port = self->address.port,
    .ca_file = ca_file,
    .alpn = ICE_TLS_ALPN_TURN,
    .datagrams = self->datagrams };
  IceStages *stages = ice_stages_new ();
  IceStage *stage = ice_tls_stage_new (&config, &self->error);
  IceAddress local;

  g_assert_no_error (self->error);
  ice_stages_push (stages, stage);
  ice_address_parse (&local, "127.0.0.1", 0);
  self->started = g_get_monotonic_time ();
  if (self->datagrams)
    self->tcp = ice_tcp_connect_datagrams (self->loop, &local, &self->address,
        stages, &options, &events, self, &self->error);
  else
    self->tcp = ice_tcp_connect_through (self->loop, &local, &self->address,
        ICE_FRAMING_RFC4571, stages, &options, &events, self, &self->error);
  g_assert_no_error (self->error);
}

static void
lab_init (Lab *self, Serve serve, gboolean datagrams, guint lose)
{
  *self = (Lab){ .loop = ice_loop_acquire (),
    .serve = serve,
    .datagrams = datagrams,
    .lose = lose };
  self->packets =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  open_server (self);
  io_run (self->loop, connect_on_loop, self);
}

static void
close_on_loop (gpointer user_data)
{
  ice_tcp_close (((Lab *) user_data)->tcp);
}

static void
lab_clear (Lab *self)
{
  io_run (self->loop, close_on_loop, self);
  g_clear_pointer (&self->tcp, ice_tcp_unref);
  g_clear_pointer (&self->loop, ice_loop_unref);
  if (self->thread) {
    shutdown (self->listener, SHUT_RDWR);
    g_thread_join (self->thread);
    close (self->listener);
  }
  SSL_CTX_free (self->context);
  g_ptr_array_unref (self->packets);
  g_free (self->reason);
  io_wait_for_no_threads ();
}

static void
wait_for_open (Lab *self)
{
  io_lock ();
  io_wait_for (self->n_opened + self->n_closed > 0);
  if (self->n_closed > 0)
    g_error ("closed: %s", self->reason);
  io_unlock ();
}

static void
assert_end (Lab *self, gint code, const gchar *says)
{
  io_lock ();
  io_wait_for (self->n_closed > 0);
  g_test_message (
      "%.0f ms: %s", (self->ended - self->started) / 1000.0, self->reason);
  g_assert_cmpint (self->code, ==, code);
  g_assert_nonnull (strstr (self->reason, says));
  g_assert_cmpuint (self->n_closed, ==, 1);
  io_unlock ();
  g_assert_false (ice_tcp_send (self->tcp, ICE_BYTES ("x", 1)));
}

static void
assert_echo (Lab *self, guint n, gsize size)
{
  g_autofree guint8 *payload = g_malloc0 (size);

  for (guint i = 0; i < n; i++) {
    memcpy (payload, &i, sizeof i);
    g_assert_true (ice_tcp_send (self->tcp, ICE_BYTES (payload, size)));
    if (i % 16 != 15)
      continue;
    io_lock ();
    io_wait_for (self->packets->len > i || self->n_closed);
    io_unlock ();
  }
  io_lock ();
  io_wait_for (self->packets->len == n || self->n_closed);
  g_assert_cmpuint (self->packets->len, ==, n);
  for (guint i = 0; i < n; i++) {
    GBytes *packet = self->packets->pdata[i];

    g_assert_cmpuint (g_bytes_get_size (packet), ==, size);
    g_assert_cmpmem (g_bytes_get_data (packet, NULL), sizeof i, &i, sizeof i);
  }
  io_unlock ();
}

/* Tests */

static void
test_echo (void)
{
  Lab lab;

  g_test_summary ("Frames of any size pass both ways, whole and in order");
  lab_init (&lab, SERVE_ECHO, FALSE, 0);
  wait_for_open (&lab);
  assert_echo (&lab, 64, 1200);
  g_ptr_array_set_size (lab.packets, 0);
  assert_echo (&lab, 8, 65535);
  g_assert_cmpuint (
      ice_tcp_get_overhead (lab.tcp), ==, 20 + 12 + ICE_TLS_OVERHEAD);
  lab_clear (&lab);
}

static void
test_drip (void)
{
  Lab lab;

  g_test_summary ("A server that says all of it byte by byte");
  lab_init (&lab, SERVE_DRIP, FALSE, 0);
  wait_for_open (&lab);
  assert_echo (&lab, 4, 100);
  lab_clear (&lab);
}

static void
test_no_tls (void)
{
  static const Serve serves[] = { SERVE_PLAIN, SERVE_HANG_UP, SERVE_RESET,
    SERVE_SILENCE };

  g_test_summary ("Who speaks no TLS is known within two seconds, whatever it "
                  "does instead");
  for (guint i = 0; i < G_N_ELEMENTS (serves); i++) {
    Lab lab;

    lab_init (&lab, serves[i], FALSE, 0);
    assert_end (&lab, ICE_STAGE_ERROR_UNTRUSTED, "speaks no TLS");
    g_assert_cmpint (lab.ended - lab.started, <, 2 * G_TIME_SPAN_SECOND);
    g_assert_cmpuint (lab.n_opened, ==, 0);
    lab_clear (&lab);
  }
}

static void
test_ends (void)
{
  static const struct
  {
    Serve serve;
    gint code;
    const gchar *says;
  } cases[] = {
    { SERVE_GOODBYE, -1, "the peer closed it" },
    { SERVE_TRUNCATE, ICE_STAGE_ERROR_TRUNCATED, "without saying so" },
    { SERVE_RESET_LATE, ICE_STAGE_ERROR_TRUNCATED, "without saying so" },
    { SERVE_TICKETS, ICE_STAGE_ERROR_PROTOCOL, "with nothing in them" },
  };

  g_test_summary ("An end with and without close_notify are told apart, and "
                  "who has nothing to say and says it for ever is left");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Lab lab;

    lab_init (&lab, cases[i].serve, FALSE, 0);
    assert_end (&lab, cases[i].code, cases[i].says);
    g_assert_cmpuint (lab.n_opened, ==, 1);
    lab_clear (&lab);
  }
}

static void
test_close (void)
{
  Lab lab;

  g_test_summary ("Closing says goodbye, in the middle of the handshake it "
                  "says nothing");
  lab_init (&lab, SERVE_ECHO, FALSE, 0);
  wait_for_open (&lab);
  io_run (lab.loop, close_on_loop, &lab);
  io_lock ();
  io_wait_for (lab.n_served == 1);
  g_assert_cmpuint (lab.n_closed, ==, 0);
  io_unlock ();
  lab_clear (&lab);

  lab_init (&lab, SERVE_SILENCE, FALSE, 0);
  io_run (lab.loop, close_on_loop, &lab);
  lab_clear (&lab);
}

static void
test_dtls (void)
{
  Lab lab;

  g_test_summary ("Packets over DTLS, the first flight lost (RFC 6347 4.2.4)");
  lab_init (&lab, SERVE_ECHO, TRUE, 1);
  wait_for_open (&lab);
  assert_echo (&lab, 64, 1200);
  g_assert_cmpuint (ice_tcp_get_overhead (lab.tcp), ==, 8 + ICE_DTLS_OVERHEAD);
  lab_clear (&lab);
  g_assert_cmpuint (lab.n_served, ==, 1);
}

static void
test_refused (void)
{
  g_test_summary ("Where nobody listens that is known at once; of a datagram "
                  "ICMP says so");
  for (guint i = 0; i < 2; i++) {
    Lab lab;

    lab_init (&lab, SERVE_NOBODY, i == 1, 0);
    assert_end (&lab, -1, "refused");
    g_assert_cmpint (lab.ended - lab.started, <, G_TIME_SPAN_SECOND);
    lab_clear (&lab);
  }
}

static void
test_descriptors (void)
{
  static const Serve serves[] = { SERVE_ECHO, SERVE_PLAIN, SERVE_TRUNCATE };
  guint before = io_count_fds ();

  g_test_summary ("Connections that come and go leave nothing behind");
  for (guint i = 0; i < 3 * G_N_ELEMENTS (serves); i++) {
    Lab lab;

    lab_init (&lab, serves[i / 3], FALSE, 0);
    io_lock ();
    io_wait_for (lab.n_opened + lab.n_closed > 0);
    io_unlock ();
    lab_clear (&lab);
  }
  g_assert_cmpuint (io_count_fds (), ==, before);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  io_identity_init (&authority, NULL, "Authority", NULL, -1, 2);
  io_identity_init (&identity, &authority, "server", "DNS:localhost", -1, 1);
  ca_file = io_identity_save (&authority);
  g_test_add_func ("/io/tls-socket/echo", test_echo);
  g_test_add_func ("/io/tls-socket/drip", test_drip);
  g_test_add_func ("/io/tls-socket/no-tls", test_no_tls);
  g_test_add_func ("/io/tls-socket/ends", test_ends);
  g_test_add_func ("/io/tls-socket/close", test_close);
  g_test_add_func ("/io/tls-socket/dtls", test_dtls);
  g_test_add_func ("/io/tls-socket/refused", test_refused);
  g_test_add_func ("/io/tls-socket/descriptors", test_descriptors);
  result = g_test_run ();
  g_unlink (ca_file);
  g_free (ca_file);
  io_identity_clear (&authority);
  io_identity_clear (&identity);
  return result;
}
