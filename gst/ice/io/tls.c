/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLS and DTLS as a stage: OpenSSL between two pieces of memory. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <openssl/err.h>
#include <string.h>

#include "io-log.h"
#include "tls-private.h"

/* RFC 8446 5.1, RFC 5246 6.2.1: a record carries so much. */
#define RECORD_MAX 16384
/* RFC 8446 5.1: the types of records, and the first half of their version. */
#define RECORD_FIRST 20
#define RECORD_LAST 23
#define RECORD_VERSION 3

/* RFC 6347 4.2.4.1 begins with a second and doubles up to 60; RFC 9147 5.8.2
 * lets real time begin with less. This is what STUN itself does over UDP (RFC
 * 8489 6.2.1), and what it would have done without DTLS. */
#define DTLS_FIRST_TIMEOUT (500 * ICE_MSEC)
#define DTLS_LAST_TIMEOUT (60 * ICE_SECOND)
/* RFC 8200 5: every link of IPv6 carries as much. */
#define DTLS_MTU 1280

/* KeyUpdates, tickets, empty records: a server has a few of them to send. More
 * than a record (RFC 8446 5.2), the first part of which is here already. */
#define IDLE_MAX (32 * 1024)

typedef struct
{
  IceStage stage;
  SSL *ssl; /* (owned) */
  IceTlsPipe pipe;
  IceTlsPeer peer;
  gchar *session_key; /* (owned) */
  guint n_heard;      /* TLS: of the two first bytes, or records at all */
  gsize n_idle;       /* bytes that came since there was data in them */
  gboolean stranger;  /* DTLS: what came was something else */
} IceTlsStage;

static IceTlsStage *
get_self (const SSL *ssl)
{
  return SSL_get_app_data (ssl);
}

IceTlsPeer *
ice_tls_stage_get_peer (const SSL *ssl)
{
  return &get_self (ssl)->peer;
}

void
ice_tls_stage_take_session (SSL *ssl, SSL_SESSION *session)
{
  ice_tls_keep_session (get_self (ssl)->session_key, session);
}

/* Failures: who has not shown in the handshake who it is, is not trusted,
 * whatever the reason. */

static const gchar *
protocol_of (const IceTlsStage *self)
{
  return self->pipe.datagrams ? "DTLS" : "TLS";
}

static void G_GNUC_PRINTF (3, 4)
    fail (IceTlsStage *self, IceStageError code, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  ice_stage_fail (&self->stage,
      g_error_new_valist (ICE_STAGE_ERROR, code, format, arguments));
  va_end (arguments);
}

static void
fail_as_stranger (IceTlsStage *self)
{
  fail (self, ICE_STAGE_ERROR_UNTRUSTED,
      "%s speaks no %s: give the server's %s port (5349 where it has the usual "
      "one), or its URI without the “s” if it is to be plain",
      self->peer.where, protocol_of (self), protocol_of (self));
}

/* What OpenSSL has against it. */
static void
fail_by_openssl (IceTlsStage *self)
{
  unsigned long code = ERR_peek_last_error ();
  const gchar *reason = ERR_reason_error_string (code);

  if (self->peer.failure != X509_V_OK) {
    g_autofree gchar *text = ice_tls_peer_explain (&self->peer);

    ice_stage_fail_literal (&self->stage, ICE_STAGE_ERROR_UNTRUSTED, text);
  } else if (self->stage.state == ICE_STAGE_HANDSHAKING) {
    fail (self, ICE_STAGE_ERROR_UNTRUSTED,
        "The %s handshake with %s failed: %s; it has to speak %s1.2%s with a "
        "certificate of its own",
        protocol_of (self), self->peer.where, reason ? reason : "no reason",
        self->pipe.datagrams ? "DTLS " : "TLS ",
        self->pipe.datagrams ? "" : " or 1.3");
  } else {
    fail (self, ICE_STAGE_ERROR_PROTOCOL, "%s broke the %s connection: %s",
        self->peer.where, protocol_of (self), reason ? reason : "no reason");
  }
  ERR_clear_error ();
}

/* The handshake */

static void
opened (IceTlsStage *self)
{
  /* The handshake has failed already where this does not hold. */
  if (SSL_get_verify_result (self->ssl) != X509_V_OK ||
      SSL_get0_peer_certificate (self->ssl) == NULL) {
    fail (self, ICE_STAGE_ERROR_UNTRUSTED, "%s showed no certificate",
        self->peer.where);
    return;
  }
  GST_INFO ("%s with %s, %s%s", SSL_get_version (self->ssl), self->peer.where,
      SSL_get_cipher_name (self->ssl),
      SSL_session_reused (self->ssl) ? ", resumed" : "");
  self->n_idle = 0;
  ice_stage_opened (&self->stage);
}

static void
shake_hands (IceTlsStage *self)
{
  gint result;

  ERR_clear_error ();
  result = SSL_do_handshake (self->ssl);
  if (result == 1)
    opened (self);
  else if (SSL_get_error (self->ssl, result) != SSL_ERROR_WANT_READ)
    fail_by_openssl (self);
}

static void
tls_start (IceStage *stage)
{
  shake_hands ((IceTlsStage *) stage);
}

/* Reading */

static void
hand_up (IceTlsStage *self, const guint8 *data, gsize size)
{
  const guint8 length[] = { (guint8) (size >> 8), (guint8) size };

  if (self->pipe.datagrams)
    ice_stage_write_above (&self->stage, ICE_BYTES (length, sizeof length));
  ice_stage_write_above (&self->stage, ICE_BYTES (data, size));
}

static void
read_all (IceTlsStage *self)
{
  guint8 plain[RECORD_MAX];
  gsize n;

  ERR_clear_error ();
  while (SSL_read_ex (self->ssl, plain, sizeof plain, &n)) {
    hand_up (self, plain, n);
    self->n_idle = 0;
  }
  switch (SSL_get_error (self->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
      return;
    case SSL_ERROR_ZERO_RETURN:
      SSL_shutdown (self->ssl); /* RFC 8446 6.1: and so do we */
      ice_stage_closed (&self->stage);
      return;
    default:
      fail_by_openssl (self);
  }
}

/* Whatever is no record there at the beginning is another protocol: said
 * before OpenSSL waits for as much as it takes for a length. */
static gboolean
sounds_like_tls (IceTlsStage *self, IceBytes bytes)
{
  for (gsize i = 0; i < bytes.size && self->n_heard < 2; i++) {
    guint8 byte = bytes.data[i];

    if (self->n_heard++ == 0 ? byte < RECORD_FIRST || byte > RECORD_LAST
                             : byte != RECORD_VERSION)
      return FALSE;
  }
  return TRUE;
}

static void
take (IceTlsStage *self, IceBytes bytes)
{
  self->pipe.input = bytes;
  if (self->stage.state == ICE_STAGE_HANDSHAKING)
    shake_hands (self);
  if (self->stage.state == ICE_STAGE_OPEN)
    read_all (self);
  self->pipe.input = ICE_BYTES_NONE;
}

static void
tls_receive (IceStage *stage, IceBytes bytes)
{
  IceTlsStage *self = (IceTlsStage *) stage;

  if (!sounds_like_tls (self, bytes)) {
    fail_as_stranger (self);
    return;
  }
  self->n_idle += bytes.size;
  take (self, bytes);
  if (self->n_idle > IDLE_MAX)
    fail (self, ICE_STAGE_ERROR_PROTOCOL,
        "%s keeps sending TLS records with nothing in them", self->peer.where);
}

static gboolean
next_packet (IceReader *in, IceBytes *ret_packet)
{
  guint16 size;

  return ice_read_u16 (in, &size) && ice_read_bytes (in, size, ret_packet);
}

/* A datagram may be anybody's: what is no record is dropped, and told only if
 * nothing better came (RFC 6347 4.1.2.7). */
static void
dtls_receive (IceStage *stage, IceBytes bytes)
{
  IceTlsStage *self = (IceTlsStage *) stage;
  IceReader in;
  IceBytes packet;

  ice_reader_init (&in, bytes);
  while (stage->state <= ICE_STAGE_OPEN && next_packet (&in, &packet)) {
    if (stage->state == ICE_STAGE_HANDSHAKING && packet.size > 0 &&
        packet.data[0] < RECORD_FIRST) {
      self->stranger = TRUE;
    } else {
      self->n_heard++;
      take (self, packet);
    }
  }
}

/* Writing: what is written goes into memory, and fits. */

static void
tls_send (IceStage *stage, IceBytes bytes)
{
  IceTlsStage *self = (IceTlsStage *) stage;
  gsize n;

  ERR_clear_error ();
  if (!SSL_write_ex (self->ssl, bytes.data, bytes.size, &n))
    fail_by_openssl (self);
}

static void
dtls_send (IceStage *stage, IceBytes bytes)
{
  IceReader in;
  IceBytes packet;

  ice_reader_init (&in, bytes);
  while (stage->state == ICE_STAGE_OPEN && next_packet (&in, &packet)) {
    /* One record is one packet; what is larger has no way. */
    if (packet.size > 0 && packet.size <= RECORD_MAX)
      tls_send (stage, packet);
  }
}

/* The end */

/* RFC 8446 6.1: without close_notify somebody else may have ended it. */
static void
tls_end (IceStage *stage)
{
  IceTlsStage *self = (IceTlsStage *) stage;

  if (stage->state == ICE_STAGE_OPEN)
    fail (self, ICE_STAGE_ERROR_TRUNCATED,
        "%s ended the TLS connection without saying so: cut off, or killed",
        self->peer.where);
  else if (self->n_heard == 0)
    fail (self, ICE_STAGE_ERROR_UNTRUSTED,
        "%s hung up on our TLS ClientHello, as a server does that speaks no "
        "TLS: give the server's TLS port (5349 where it has the usual one)",
        self->peer.where);
  else
    fail (self, ICE_STAGE_ERROR_TRUNCATED,
        "%s hung up in the middle of the TLS handshake: see its log",
        self->peer.where);
}

static void
tls_expire (IceStage *stage)
{
  IceTlsStage *self = (IceTlsStage *) stage;

  if (self->stranger)
    fail_as_stranger (self);
  else if (self->n_heard > 0)
    fail (self, ICE_STAGE_ERROR_TIMED_OUT,
        "%s does not come to an end with the %s handshake: see its log",
        self->peer.where, protocol_of (self));
  else
    /* Over TCP there is somebody. */
    fail (self,
        self->pipe.datagrams ? ICE_STAGE_ERROR_TIMED_OUT
                             : ICE_STAGE_ERROR_UNTRUSTED,
        "%s does not answer our %s ClientHello, as a server does that speaks "
        "no %s: give the server's %s port (5349 where it has the usual one)",
        self->peer.where, protocol_of (self), protocol_of (self),
        protocol_of (self));
}

static void
tls_close (IceStage *stage)
{
  IceTlsStage *self = (IceTlsStage *) stage;

  ERR_clear_error ();
  if (stage->state == ICE_STAGE_OPEN)
    SSL_shutdown (self->ssl);
}

static void
tls_free (IceStage *stage)
{
  IceTlsStage *self = (IceTlsStage *) stage;

  /* What was not said goodbye to may be resumed all the same since RFC 4346
   * 7.2.1; OpenSSL goes by RFC 2246. */
  if (self->ssl && stage->state != ICE_STAGE_FAILED)
    SSL_set_shutdown (self->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free (self->ssl);
  ice_tls_peer_clear (&self->peer);
  g_free (self->session_key);
  g_free (self);
}

/* DTLS: repeating what was lost. OpenSSL has a clock of its own. */

static unsigned int
next_timeout (SSL *ssl, unsigned int last)
{
  return last == 0 ? DTLS_FIRST_TIMEOUT
                   : (unsigned int) MIN (2 * (IceTime) last, DTLS_LAST_TIMEOUT);
}

static IceTime
dtls_get_timeout (IceStage *stage)
{
  struct timeval left;

  if (!DTLSv1_get_timeout (((IceTlsStage *) stage)->ssl, &left))
    return ICE_TIME_NEVER;
  return left.tv_sec * ICE_SECOND + left.tv_usec;
}

static void
dtls_timeout (IceStage *stage)
{
  IceTlsStage *self = (IceTlsStage *) stage;

  ERR_clear_error ();
  if (DTLSv1_handle_timeout (self->ssl) < 0)
    fail_by_openssl (self);
}

static const IceStageClass tls_class = {
  .name = "TLS",
  .overhead = ICE_TLS_OVERHEAD,
  .start = tls_start,
  .receive = tls_receive,
  .send = tls_send,
  .end = tls_end,
  .close = tls_close,
  .expire = tls_expire,
  .free = tls_free,
};

static const IceStageClass dtls_class = {
  .name = "DTLS",
  .overhead = ICE_DTLS_OVERHEAD,
  .start = tls_start,
  .receive = dtls_receive,
  .send = dtls_send,
  .close = tls_close,
  .expire = tls_expire,
  .get_timeout = dtls_get_timeout,
  .timeout = dtls_timeout,
  .free = tls_free,
};

/* Making one */

/* RFC 7301 3.1: each name behind its length. */
static gboolean
set_alpn (SSL *ssl, const gchar *name)
{
  guint8 list[1 + 255];
  gsize size = strlen (name);

  g_return_val_if_fail (size > 0 && size <= 255, FALSE);
  list[0] = (guint8) size;
  memcpy (list + 1, name, size);
  return SSL_set_alpn_protos (ssl, list, (unsigned) size + 1) == 0;
}

static void
resume (IceTlsStage *self)
{
  SSL_SESSION *session = ice_tls_take_session (self->session_key);

  if (session == NULL)
    return;
  SSL_set_session (self->ssl, session);
  /* Before RFC 8446 a session is good for more than once. */
  if (SSL_SESSION_get_protocol_version (session) == TLS1_3_VERSION)
    SSL_SESSION_free (session);
  else
    ice_tls_keep_session (self->session_key, session);
}

static gboolean
set_up (IceTlsStage *self, const IceTlsConfig *config)
{
  BIO *bio = ice_tls_bio_new (&self->pipe);

  if (self->ssl == NULL || bio == NULL) {
    BIO_free (bio);
    return FALSE;
  }
  SSL_set_bio (self->ssl, bio, bio);
  SSL_set_connect_state (self->ssl);
  SSL_set_app_data (self->ssl, self);
  if (config->datagrams) {
    DTLS_set_link_mtu (self->ssl, DTLS_MTU);
    DTLS_set_timer_cb (self->ssl, next_timeout);
  }
  if (config->alpn && !set_alpn (self->ssl, config->alpn))
    return FALSE;
  return ice_tls_peer_prepare (&self->peer, self->ssl);
}

IceStage *
ice_tls_stage_new (const IceTlsConfig *config, GError **error)
{
  IceTlsStage *self;
  IceTlsTrust trust;

  if (!ice_tls_get_trust (config->ca_file, config->datagrams, &trust, error))
    return NULL;
  self = g_new0 (IceTlsStage, 1);
  ice_stage_init (&self->stage, config->datagrams ? &dtls_class : &tls_class);
  self->pipe.stage = &self->stage;
  self->pipe.datagrams = config->datagrams;
  ice_tls_peer_init (&self->peer, config);
  /* CVE-2020-15260: all that was checked is part of the key. */
  self->session_key = g_strdup_printf ("%u %s %s", trust.serial,
      self->peer.where, config->alpn ? config->alpn : "");
  self->ssl = SSL_new (trust.context);
  SSL_CTX_free (trust.context);
  if (set_up (self, config)) {
    resume (self);
    return &self->stage;
  }
  g_set_error (error, ICE_STAGE_ERROR, ICE_STAGE_ERROR_SETTINGS,
      "No TLS connection to “%s” can be set up: %s", config->host,
      ERR_reason_error_string (ERR_peek_last_error ()));
  ERR_clear_error ();
  tls_free (&self->stage);
  return NULL;
}

/* Asking */

gboolean
ice_tls_stage_is_resumed (IceStage *stage)
{
  return SSL_session_reused (((IceTlsStage *) stage)->ssl) != 0;
}

const gchar *
ice_tls_stage_get_version (IceStage *stage)
{
  return SSL_get_version (((IceTlsStage *) stage)->ssl);
}

gchar *
ice_tls_stage_dup_alpn (IceStage *stage)
{
  const guint8 *name;
  guint size;

  SSL_get0_alpn_selected (((IceTlsStage *) stage)->ssl, &name, &size);
  return size > 0 ? g_strndup ((const gchar *) name, size) : NULL;
}
