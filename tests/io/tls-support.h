/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include "gst/ice/base/types.h"

G_BEGIN_DECLS

/* A key and a certificate of this run. */
typedef struct
{
  EVP_PKEY *key;
  X509 *certificate;
} IoIdentity;

/* @alternative as openssl has it ("DNS:a,IP:127.0.0.1"), NULL: none. Valid from
 * and until so many days from now. @issuer NULL: self-signed. */
void io_identity_init (IoIdentity *self, const IoIdentity *issuer,
    const gchar *name, const gchar *alternative, gint from, gint until);
void io_identity_clear (IoIdentity *self);
/* (transfer full) the path of a new file with the certificate. */
gchar *io_identity_save (const IoIdentity *self);

/* (transfer full) a server's end, which chooses ALPN "stun.turn". */
SSL_CTX *io_tls_context (const IoIdentity *identity, gboolean datagrams);

G_END_DECLS
