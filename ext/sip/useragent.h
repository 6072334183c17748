/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/ice/ice.h>

#include "place.h"

G_BEGIN_DECLS

/* A SIP user agent (RFC 3261 6): transports, registration, and one call. All
 * of it in the service thread. */
typedef struct _GstIceSipUa GstIceSipUa;
typedef struct _GstIceSipCall GstIceSipCall;

typedef struct
{
  GstIceSipPlace *place;   /* (owned) */
  gchar *local_address;    /* (owned) (nullable) */
  gchar *proxy;            /* (owned) (nullable) */
  gchar *ca_file;          /* (owned) (nullable) the system's */
  gchar *certificate_file; /* (owned) (nullable) with its key */
  guint expires;           /* s, of the registration */
  guint timeout;           /* s without any answer to a request */
  guint ring_timeout;      /* s without final answer */
  guint keep_alive;        /* s between OPTIONS in a call, 0: none */
  guint answer_delay;      /* ms from the answer to its 200 */
} GstIceSipSettings;

void gst_ice_sip_settings_free (GstIceSipSettings *self);

/* @settings: (transfer full) @signaller speaks until stop. */
GstIceSipUa *gst_ice_sip_ua_new (
    GstIceSignaller *signaller, GstIceSipSettings *settings, GError **error);
/* Registers, or says at once that it is ready. */
void gst_ice_sip_ua_go (GstIceSipUa *self);
/* (transfer full for @self) hangs up, and waits a moment for that to be said.
 */
void gst_ice_sip_ua_stop (GstIceSipUa *self);

void gst_ice_sip_ua_send_description (
    GstIceSipUa *self, const gchar *type, const gchar *sdp);
void gst_ice_sip_ua_send_candidate (GstIceSipUa *self, const gchar *mid,
    const gchar *candidate, const gchar *ufrag);
void gst_ice_sip_ua_send_reject (
    GstIceSipUa *self, const gchar *reason, const gchar *text);
/* What was answered is of no use. */
void gst_ice_sip_ua_send_error (GstIceSipUa *self);
void gst_ice_sip_ua_send_bye (GstIceSipUa *self, const gchar *reason);
gboolean gst_ice_sip_ua_can_trickle (GstIceSipUa *self);

G_END_DECLS
