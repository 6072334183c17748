/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stage.h"

G_BEGIN_DECLS

/* The client's end of TLS 1.2 and 1.3 (RFC 5246, RFC 8446), and of DTLS 1.2
 * (RFC 6347) to a server (RFC 8489 6.2.3, RFC 7350). Nothing older is offered,
 * nothing is renegotiated, nothing compressed. The chain and the name have to
 * be right before a byte of ours leaves, and there is no way to ask for less.
 *
 * Sessions are resumed (RFC 5077, RFC 8446 2.2) by the next connection to the
 * same server with the same trust, in the whole process. */
typedef struct
{
  const gchar *host; /* as the user wrote it: a name, or an address without
                        brackets, never what it resolved to; it is what the
                        certificate has to be for, and a name goes into the
                        SNI (RFC 6066 3) */
  guint16 port;
  const gchar *ca_file; /* (nullable) PEM; NULL: what the system trusts */
  const gchar *alpn;    /* (nullable) RFC 7443 */
  /* DTLS: what goes below, and what is above, are packets with two bytes of
   * length before each (as RFC 4571 2 has them). */
  gboolean datagrams;
} IceTlsConfig;

/* RFC 7443 6. */
#define ICE_TLS_ALPN_TURN "stun.turn"
#define ICE_TLS_ALPN_STUN "stun.nat-discovery"

/* (transfer full) (nullable) ICE_STAGE_ERROR_SETTINGS: the file. */
IceStage *ice_tls_stage_new (const IceTlsConfig *config, GError **error);

/* Whether that file is one; FALSE as above. */
gboolean ice_tls_check_ca_file (const gchar *ca_file, GError **error);

/* For the log and for tests, once it is open. */
gboolean ice_tls_stage_is_resumed (IceStage *stage);
const gchar *ice_tls_stage_get_version (IceStage *stage);
/* (nullable) what the server chose; it may choose nothing (RFC 7443 3). */
gchar *ice_tls_stage_dup_alpn (IceStage *stage);

/* What one packet costs more than its own size: header, explicit nonce and tag
 * of a record (RFC 5288 3; the newer ones are smaller). */
#define ICE_TLS_OVERHEAD (5 + 8 + 16)
/* RFC 6347 4.1: the record header is longer. */
#define ICE_DTLS_OVERHEAD (13 + 8 + 16)

G_END_DECLS
