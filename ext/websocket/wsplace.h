/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

/* What is spoken over the WebSocket. */
typedef enum
{
  GST_ICE_WS_DIALECT_LINES,  /* our JSON lines */
  GST_ICE_WS_DIALECT_SIMPLE, /* "simple signalling" of gst-examples */
  GST_ICE_WS_DIALECT_WEBRTC, /* signalling v1 of gst-plugins-rs */
  GST_ICE_WS_DIALECT_ANY,    /* servers only: the first message tells */
} GstIceWsDialectKind;

/* RFC 6454 has no say in it: long enough for anything, short enough to print */
#define GST_ICE_WS_MAX_NAME 128

/* Where to meet, as a URI and properties say it. */
typedef struct
{
  gchar *host; /* (owned) (nullable) to listen: everywhere that is allowed */
  guint port;
  gchar *path; /* (owned) "/..." as it goes into the request */
  gchar *room; /* (owned) (nullable) percent-decoded */
  gboolean tls;
  gboolean listen;
  gboolean insecure; /* in the clear to any host */
  gboolean self_signed;
  GstIceWsDialectKind dialect;
  GstIceSignallerRole role;
  gchar *certificate; /* (owned) (nullable) PEM file, perhaps with the key */
  gchar *key;         /* (owned) (nullable) PEM file */
  gchar *ca_file;     /* (owned) (nullable) */
  gchar *fingerprint; /* (owned) (nullable) SHA-256, 64 lower hex digits */
  gchar *token;       /* (owned) (nullable) a secret */
  gchar *headers;     /* (owned) (nullable) "Name: value" lines */
  gchar *id;          /* (owned) (nullable) who we are, where one may say it */
  gchar *peer_id;     /* (owned) (nullable) whom to call */
} GstIceWsPlace;

GstIceWsPlace *gst_ice_ws_place_new (void);
GstIceWsPlace *gst_ice_ws_place_copy (const GstIceWsPlace *self);
void gst_ice_ws_place_free (GstIceWsPlace *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceWsPlace, gst_ice_ws_place_free)

/* What @uri does not say stays as it is. FALSE: what it has is not usable; the
 * error names the thing and the cure, and no token. */
gboolean
gst_ice_ws_place_parse (GstIceWsPlace *self, const gchar *uri, GError **error);

gboolean gst_ice_ws_dialect_from_nick (
    const gchar *nick, GstIceWsDialectKind *ret_dialect);
/* (transfer full) (nullable) of "sha-256:AB:CD..." or plain hex. */
gchar *gst_ice_ws_parse_fingerprint (const gchar *text);
/* "https://[2001:db8::1]:8443" without scheme, as Host: has it */
gchar *gst_ice_ws_place_authority (const GstIceWsPlace *self);

G_END_DECLS
