/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

G_BEGIN_DECLS

/* What a URI of ours says (RFC 3261 19.1), and the properties beside it:
 *
 *   sip:bob@example.org;transport=tcp?user=alice&password=...   calls
 *   sips:alice:password@example.org?register=1                  can be called
 *   sip:192.0.2.7:5060?listen=1                                 likewise
 *
 * Nothing in here can add a parameter or a header to a SIP message. */
typedef struct
{
  gboolean secure; /* TLS alone */
  gboolean listen; /* on host and port */
  gboolean registers;
  gchar *user;      /* (owned) (nullable) escaped, of the one at host */
  gchar *host;      /* (owned) name or address; IPv6 in brackets */
  guint port;       /* 0: the default */
  gchar *transport; /* (owned) (nullable) "udp" | "tcp" | "tls" */
  gchar *username;  /* (owned) (nullable) our own, as digests have it */
  gchar *password;  /* (owned) (nullable) */
} GstIceSipPlace;

/* Errors: GST_ICE_ERROR_INVALID_URI. They never quote a password. */
GstIceSipPlace *gst_ice_sip_place_parse (const gchar *uri, GError **error);
void gst_ice_sip_place_free (GstIceSipPlace *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceSipPlace, gst_ice_sip_place_free)

/* (transfer full) as SIP messages have it: the one who is called, or who
 * registers. Without password. */
gchar *gst_ice_sip_place_to_string (const GstIceSipPlace *self);
/* (transfer full) (nullable) @uri as it may be shown: what is, or may be, a
 * password is left out. */
gchar *gst_ice_sip_uri_hide_password (const gchar *uri);
/* (transfer full) where the domain of the place is. */
gchar *gst_ice_sip_place_get_registrar (const GstIceSipPlace *self);
/* (transfer full) (nullable) who we are. */
gchar *gst_ice_sip_place_get_identity (const GstIceSipPlace *self);
/* (transfer full) for people: "example.org:5061 by TLS" */
gchar *gst_ice_sip_place_describe (const GstIceSipPlace *self);

G_END_DECLS
