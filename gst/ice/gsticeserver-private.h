/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ice/gatherer.h"
#include "gsticeprelude.h"

G_BEGIN_DECLS

/* A STUN or TURN server as its URI names it (RFC 7064, RFC 7065). */
typedef struct
{
  guint id; /* the agent's, 0 outside */
  IceServerKind kind;
  IceTransportKind transport;
  gchar *host; /* (owned) name or literal, without brackets */
  guint16 port;
  gboolean srv; /* a name without a port: DNS may know better (RFC 5928) */
  gchar *username, *password; /* (owned) (nullable) cleansed when freed */
  /* (owned) (nullable) RFC 7635; the key is cleansed when freed. */
  guint8 *token, *mac_key;
  gsize token_size, mac_key_size;
  gint64 expires_at; /* monotonic; 0: as the user name says */
  gchar *url; /* (owned) normal form without secrets: what identifies it */
} GstIceServer;

/* Takes stun: stuns: turn: turns:, with or without "//", and
 * "user:pass@" percent-encoded, split at the last colon. @username and
 * @password, when not NULL, stand in for it and are taken as they are. */
GstIceServer *gst_ice_server_new (const gchar *uri, const gchar *username,
    const gchar *password, GError **error);
/* In place of the password. FALSE when one is empty or too long. */
gboolean gst_ice_server_set_token (GstIceServer *self, GBytes *token,
    GBytes *mac_key, guint lifetime, GError **error);
/* (transfer full) to be shown; the password stays behind. */
GstIceServer *gst_ice_server_copy (const GstIceServer *self);
void gst_ice_server_free (GstIceServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceServer, gst_ice_server_free)

/* (transfer full) the URI without the password, for the "servers" property. */
gchar *gst_ice_server_to_string (const GstIceServer *self);
/* Borrows from @self. */
IceServerConfig gst_ice_server_to_config (const GstIceServer *self);
/* (transfer full) what may be shown of a URI, however wrong it is. */
gchar *gst_ice_server_redact (const gchar *uri);

G_END_DECLS
