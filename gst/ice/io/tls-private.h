/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include "tls.h"

G_BEGIN_DECLS

/* tls-context.c: what connections have in common. */

/* The trust that connections are made with; an SSL_CTX of OpenSSL, and a
 * number that is another one when the file has changed. */
typedef struct
{
  SSL_CTX *context; /* (owned) */
  guint serial;
} IceTlsTrust;

/* Reads it the first time: not on a loop's thread (tls-prepare.h). */
gboolean ice_tls_get_trust (
    const gchar *ca_file, gboolean datagrams, IceTlsTrust *ret, GError **error);
/* It has been read, and no other one was put in its place since. */
gboolean ice_tls_has_trust (const gchar *ca_file, gboolean datagrams);

/* (transfer full) (nullable) taken away: RFC 8446 C.4, a ticket is used once.
 * @key says which server, and which trust. */
SSL_SESSION *ice_tls_take_session (const gchar *key);
/* (transfer full) */
void ice_tls_keep_session (const gchar *key, SSL_SESSION *session);

/* tls-verify.c: what is wrong with a certificate. */

typedef struct
{
  gchar *host; /* (owned) as in the URI, for SNI and for the certificate */
  gboolean literal;
  gchar *where;         /* (owned) "host:port" for messages */
  const gchar *trusted; /* (unowned) by what, for messages */
  gchar *ca_file;       /* (owned) (nullable) */
  gint failure;         /* X509_V_ERR_*, X509_V_OK: none yet */
  X509 *culprit;        /* (owned) (nullable) the certificate it is about */
} IceTlsPeer;

void ice_tls_peer_init (IceTlsPeer *self, const IceTlsConfig *config);
void ice_tls_peer_clear (IceTlsPeer *self);
/* Chain, purpose, time and name will be checked in the handshake. */
gboolean ice_tls_peer_prepare (IceTlsPeer *self, SSL *ssl);
/* (transfer full) which check failed, and what to do. */
gchar *ice_tls_peer_explain (const IceTlsPeer *self);

/* tls-bio.c: the end of OpenSSL that is ours. */

/* What OpenSSL reads is @input; what it writes goes below. */
typedef struct
{
  IceStage *stage; /* (unowned) */
  IceBytes input;  /* (unowned) for the time of one call */
  gboolean datagrams;
} IceTlsPipe;

/* (transfer full) (nullable) @pipe stays where it is for as long. */
BIO *ice_tls_bio_new (IceTlsPipe *pipe);

/* tls.c */
/* From tls-context.c: the session may be resumed. (transfer full) */
void ice_tls_stage_take_session (SSL *ssl, SSL_SESSION *session);
/* (nullable) from any callback of OpenSSL */
IceTlsPeer *ice_tls_stage_get_peer (const SSL *ssl);

G_END_DECLS
