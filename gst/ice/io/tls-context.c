/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the connections of a process have in common: whom they trust, and the
 * sessions that the next ones resume. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls-private.h"

/* RFC 8489 6.2.3: the two with AES_128_GCM_SHA256 have to be there. RFC 9325
 * 4.2: forward secret and authenticated ones alone. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:!PSK:!SRP"
/* A public server's chain is three to six thousand bytes. */
#define CHAIN_SIZE_MAX (64 * 1024)
/* Leaf, cross-signed intermediates, root. */
#define CHAIN_LENGTH_MAX 6

/* RFC 9325 4.5: keys of 2048 bits (RSA) or 224 (EC) at least, no SHA-1. */
#define SECURITY_LEVEL_MIN 2

#define TRUSTS_MAX 8
/* A server sends two tickets for a connection (OpenSSL), and an agent has a
 * few servers. */
#define SESSIONS_MAX 64
#define SESSIONS_PER_KEY_MAX 4

typedef struct
{
  gchar *ca_file; /* (owned) (nullable) */
  gboolean datagrams;
  gint64 modified, size; /* of the file */
  IceTlsTrust trust;
} Trust;

typedef struct
{
  gchar *key;           /* (owned) */
  SSL_SESSION *session; /* (owned) */
} Session;

static GMutex lock;
static GQueue trusts = G_QUEUE_INIT;   /* newest first */
static GQueue sessions = G_QUEUE_INIT; /* newest first */
static guint last_serial;

/* Trust */

static void
trust_free (Trust *self)
{
  SSL_CTX_free (self->trust.context);
  g_free (self->ca_file);
  g_free (self);
}

static int
on_new_session (SSL *ssl, SSL_SESSION *session)
{
  ice_tls_stage_take_session (ssl, session);
  return 1; /* the reference is ours */
}

/* Once in a process, for TLS and DTLS; while it is read nobody else reads. A
 * machine without any fails in the handshake, where it says whom it did not
 * know. */
static void
share_system_store (SSL_CTX *context)
{
  static X509_STORE *store = NULL;

  if (store == NULL) {
    store = X509_STORE_new ();
    X509_STORE_set_default_paths (store);
    ERR_clear_error ();
  }
  SSL_CTX_set1_cert_store (context, store);
}

static gboolean
load_trusted (SSL_CTX *context, const gchar *ca_file, GError **error)
{
  if (ca_file == NULL) {
    share_system_store (context);
    return TRUE;
  }
  ERR_clear_error ();
  if (SSL_CTX_load_verify_file (context, ca_file)) {
    /* Who names one certificate trusts it, be it an authority or not. */
    X509_VERIFY_PARAM_set_flags (
        SSL_CTX_get0_param (context), X509_V_FLAG_PARTIAL_CHAIN);
    return TRUE;
  }
  g_set_error (error, ICE_STAGE_ERROR, ICE_STAGE_ERROR_SETTINGS,
      "“%s” cannot be read as certificates in PEM (%s): correct ca-file",
      ca_file,
      g_access (ca_file, R_OK) < 0
          ? g_strerror (errno)
          : ERR_reason_error_string (ERR_peek_last_error ()));
  ERR_clear_error ();
  return FALSE;
}

static SSL_CTX *
make_context (const gchar *ca_file, gboolean datagrams, GError **error)
{
  SSL_CTX *context =
      SSL_CTX_new (datagrams ? DTLS_client_method () : TLS_client_method ());

  if (context == NULL ||
      !SSL_CTX_set_min_proto_version (
          context, datagrams ? DTLS1_2_VERSION : TLS1_2_VERSION) ||
      !SSL_CTX_set_cipher_list (context, CIPHERS)) {
    g_set_error (error, ICE_STAGE_ERROR, ICE_STAGE_ERROR_SETTINGS,
        "OpenSSL gives no TLS 1.2 (%s): its configuration forbids it",
        ERR_reason_error_string (ERR_peek_last_error ()));
    ERR_clear_error ();
    SSL_CTX_free (context);
    return NULL;
  }
  SSL_CTX_set_options (context,
      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_QUERY_MTU);
  /* AUTO_RETRY (the default): what is no data of ours is dealt with inside,
   * and "no more now" is said only when the input is empty. */
  SSL_CTX_set_mode (context,
      SSL_MODE_AUTO_RETRY | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
          SSL_MODE_RELEASE_BUFFERS);
  /* The system's administrator may want more. */
  if (SSL_CTX_get_security_level (context) < SECURITY_LEVEL_MIN)
    SSL_CTX_set_security_level (context, SECURITY_LEVEL_MIN);
  SSL_CTX_set_max_cert_list (context, CHAIN_SIZE_MAX);
  SSL_CTX_set_verify_depth (context, CHAIN_LENGTH_MAX);
  SSL_CTX_set_session_cache_mode (
      context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb (context, on_new_session);
  if (load_trusted (context, ca_file, error))
    return context;
  SSL_CTX_free (context);
  return NULL;
}

/* Under the lock. (nullable) */
static Trust *
find_trust (const gchar *ca_file, gboolean datagrams, const struct stat *file)
{
  for (GList *l = trusts.head; l; l = l->next) {
    Trust *trust = l->data;

    if (g_strcmp0 (trust->ca_file, ca_file) == 0 &&
        trust->datagrams == datagrams && trust->modified == file->st_mtime &&
        trust->size == file->st_size)
      return trust;
  }
  return NULL;
}

/* Under the lock: takes @context. */
static Trust *
add_trust (const gchar *ca_file, gboolean datagrams, const struct stat *file,
    SSL_CTX *context)
{
  Trust *trust = g_new0 (Trust, 1);

  trust->ca_file = g_strdup (ca_file);
  trust->datagrams = datagrams;
  trust->modified = file->st_mtime;
  trust->size = file->st_size;
  trust->trust = (IceTlsTrust){ context, ++last_serial };
  g_queue_push_head (&trusts, trust);
  if (trusts.length > TRUSTS_MAX)
    trust_free (g_queue_pop_tail (&trusts));
  return trust;
}

static void
look_at (const gchar *ca_file, struct stat *ret_file)
{
  memset (ret_file, 0, sizeof *ret_file);
  if (ca_file)
    stat (ca_file, ret_file); /* reading it says what is wrong */
}

/* FALSE: it has to be made. */
static gboolean
lend_trust (const gchar *ca_file, gboolean datagrams, const struct stat *file,
    IceTlsTrust *ret)
{
  const Trust *trust;

  g_mutex_lock (&lock);
  trust = find_trust (ca_file, datagrams, file);
  if (trust) {
    *ret = trust->trust;
    SSL_CTX_up_ref (ret->context);
  }
  g_mutex_unlock (&lock);
  return trust != NULL;
}

gboolean
ice_tls_has_trust (const gchar *ca_file, gboolean datagrams)
{
  struct stat file;
  gboolean found;

  look_at (ca_file, &file);
  g_mutex_lock (&lock);
  found = find_trust (ca_file, datagrams, &file) != NULL;
  g_mutex_unlock (&lock);
  return found;
}

/* Who reads holds up others that read, and nobody who has a connection. */
gboolean
ice_tls_get_trust (
    const gchar *ca_file, gboolean datagrams, IceTlsTrust *ret, GError **error)
{
  static GMutex reading;
  struct stat file;
  SSL_CTX *context;

  look_at (ca_file, &file);
  if (lend_trust (ca_file, datagrams, &file, ret))
    return TRUE;
  g_mutex_lock (&reading);
  if (lend_trust (ca_file, datagrams, &file, ret)) {
    g_mutex_unlock (&reading);
    return TRUE;
  }
  context = make_context (ca_file, datagrams, error);
  if (context) {
    g_mutex_lock (&lock);
    *ret = add_trust (ca_file, datagrams, &file, context)->trust;
    SSL_CTX_up_ref (ret->context);
    g_mutex_unlock (&lock);
  }
  g_mutex_unlock (&reading);
  return context != NULL;
}

gboolean
ice_tls_check_ca_file (const gchar *ca_file, GError **error)
{
  IceTlsTrust trust;

  if (!ice_tls_get_trust (ca_file, FALSE, &trust, error))
    return FALSE;
  SSL_CTX_free (trust.context);
  return TRUE;
}

/* Sessions */

static void
session_free (Session *self)
{
  SSL_SESSION_free (self->session);
  g_free (self->key);
  g_free (self);
}

/* Who resumes does not look at the certificate again: it has to be valid
 * still. */
static gboolean
is_fresh (SSL_SESSION *session)
{
  X509 *peer = SSL_SESSION_get0_peer (session);

  return SSL_SESSION_is_resumable (session) && peer &&
      X509_cmp_current_time (X509_get0_notAfter (peer)) > 0;
}

SSL_SESSION *
ice_tls_take_session (const gchar *key)
{
  SSL_SESSION *found = NULL;

  g_mutex_lock (&lock);
  for (GList *l = sessions.head; l && !found; l = l->next) {
    Session *session = l->data;

    if (!g_str_equal (session->key, key))
      continue;
    found = g_steal_pointer (&session->session);
    session_free (session);
    g_queue_delete_link (&sessions, l);
    break;
  }
  g_mutex_unlock (&lock);
  if (found && !is_fresh (found))
    g_clear_pointer (&found, SSL_SESSION_free);
  return found;
}

/* Under the lock. */
static void
drop_oldest_of (const gchar *key)
{
  GList *oldest = NULL;
  guint n = 0;

  for (GList *l = sessions.head; l; l = l->next) {
    if (!g_str_equal (((Session *) l->data)->key, key))
      continue;
    oldest = l;
    n++;
  }
  if (n <= SESSIONS_PER_KEY_MAX)
    return;
  session_free (oldest->data);
  g_queue_delete_link (&sessions, oldest);
}

void
ice_tls_keep_session (const gchar *key, SSL_SESSION *session)
{
  Session *kept = g_new0 (Session, 1);

  kept->key = g_strdup (key);
  kept->session = session;
  g_mutex_lock (&lock);
  g_queue_push_head (&sessions, kept);
  drop_oldest_of (key);
  if (sessions.length > SESSIONS_MAX)
    session_free (g_queue_pop_tail (&sessions));
  g_mutex_unlock (&lock);
}
