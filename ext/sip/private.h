/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "trickle.h"
#include "useragent.h"

/* What sofia hands back to its callback. */
#define NUA_MAGIC_T struct _GstIceSipUa
#define NUA_HMAGIC_T struct _GstIceSipCall

#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tag.h>

GST_DEBUG_CATEGORY_EXTERN (gst_ice_sip_debug);

#define GST_ICE_SIP_METHODS                                                    \
  "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO"

struct _GstIceSipUa
{
  gatomicrefcount refs;
  GstIceSignaller *signaller;  /* (owned) (nullable) NULL: stopped */
  GstIceSipSettings *settings; /* (owned) */
  gchar *identity;             /* (owned) (nullable) our address of record */
  gchar *from;                 /* (owned) (nullable) the same for a header */
  gchar *certificates;        /* (owned) (nullable) a folder, as sofia has it */
  nua_t *nua;                 /* (owned) until its shutdown is reported */
  nua_handle_t *registration; /* (owned) (nullable) */
  guint n_challenges;         /* to the last REGISTER */
  gboolean registered;
  gboolean parting;    /* our last word has no answer yet */
  GSource *patience;   /* (owned) (nullable) for an answer to REGISTER */
  GSource *closed;     /* (owned) (nullable) a connection is; was it ours? */
  GstIceSipCall *call; /* (owned) (nullable) */
};

typedef enum
{
  GST_ICE_SIP_CALL_CALLING,     /* our INVITE has no answer */
  GST_ICE_SIP_CALL_RINGING,     /* a provisional one */
  GST_ICE_SIP_CALL_INCOMING,    /* theirs has none of ours */
  GST_ICE_SIP_CALL_ESTABLISHED, /* 200 */
  GST_ICE_SIP_CALL_OVER,
} GstIceSipCallState;

/* RFC 3264, RFC 6337: whose turn it is. */
typedef enum
{
  GST_ICE_SIP_EXCHANGE_NONE,
  GST_ICE_SIP_EXCHANGE_SENT,     /* an offer of ours, in INVITE or UPDATE */
  GST_ICE_SIP_EXCHANGE_DELAYED,  /* that met theirs: is sent again later */
  GST_ICE_SIP_EXCHANGE_INVITED,  /* theirs, in an INVITE */
  GST_ICE_SIP_EXCHANGE_UPDATED,  /* theirs, in an UPDATE */
  GST_ICE_SIP_EXCHANGE_WANTED,   /* an INVITE without: ours goes into the 200 */
  GST_ICE_SIP_EXCHANGE_ANSWERED, /* and theirs will be in the ACK */
} GstIceSipExchange;

struct _GstIceSipCall
{
  gatomicrefcount refs;
  GstIceSipUa *ua;      /* (owned) */
  nua_handle_t *handle; /* (owned) (nullable) */
  gchar *peer;          /* (owned) for people */
  GstIceSipCallState state;
  GstIceSipExchange exchange;
  gboolean outgoing;
  gboolean heard;     /* something was answered, be it 100 */
  gboolean dialog;    /* confirmed, or early and reliable */
  gboolean trickles;  /* the peer says that it does (RFC 8840 5) */
  gboolean updates;   /* the peer allows UPDATE (RFC 3311 5.1) */
  gboolean may_prack; /* and 100rel (RFC 3262) */
  gboolean agreed;    /* an answer of theirs was taken */
  gboolean told;      /* the session knows of a peer */
  guint n_challenges; /* to the last request */
  guint n_asking;     /* INFO and OPTIONS without answer */
  gchar *local_sdp;   /* (owned) (nullable) */
  gchar *early_tag;   /* (owned) (nullable) who answered before the 200 */
  gchar *early_sdp;   /* (owned) (nullable) and what */
  gboolean answered;  /* reliably, before the 200 */
  nua_saved_event_t update[1]; /* (owned) while UPDATED */
  GstIceSipTrickle *trickle;   /* (owned) */
  GSource *patience;   /* (owned) (nullable) until something else comes */
  GSource *keep_alive; /* (owned) (nullable) */
  GSource *later;      /* (owned) (nullable) an offer again */
  GSource *answer_due; /* (owned) (nullable) the 200 */
};

/* useragent.c */
GstIceSipUa *gst_ice_sip_ua_ref (GstIceSipUa *self);
void gst_ice_sip_ua_unref (GstIceSipUa *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceSipUa, gst_ice_sip_ua_unref)
/* Answers a challenge. FALSE: an error was emitted. */
gboolean gst_ice_sip_ua_authenticate (GstIceSipUa *self, nua_handle_t *handle,
    const sip_t *sip, guint *n_challenges);
void gst_ice_sip_ua_emit_error (GstIceSipUa *self, GstIceError code,
    const gchar *format, ...) G_GNUC_PRINTF (3, 4);
/* What a request ended with that never reached anybody. */
void gst_ice_sip_ua_emit_unreachable (
    GstIceSipUa *self, guint status, const gchar *phrase);
/* Some connection was closed: whoever waits for an answer by TLS may wait in
 * vain, and whoever has a call should ask whether the peer is there. */
void gst_ice_sip_ua_connection_closed (void);
/* The call is over: the next one may come. */
void gst_ice_sip_ua_forget_call (GstIceSipUa *self, GstIceSipCall *call);
/* (transfer full) (nullable) @uri: (nullable) for From and To */
gchar *gst_ice_sip_name_address (const gchar *uri);
/* (transfer full) */
GSource *gst_ice_sip_attach (guint ms, GSourceFunc func, gpointer data);
void gst_ice_sip_clear_source (GSource **source);

/* transports.c */
gboolean gst_ice_sip_make_root (GError **error);
su_root_t *gst_ice_sip_get_root (void);
gboolean gst_ice_sip_make_certificates (GstIceSipUa *self, GError **error);
void gst_ice_sip_remove_certificates (GstIceSipUa *self);
/* (transfer full) what to bind to. */
gchar *gst_ice_sip_make_local_url (GstIceSipUa *self);
/* (transfer none) (nullable) why a certificate was not trusted lately. */
const gchar *gst_ice_sip_get_tls_complaint (void);

/* call.c */
GstIceSipCall *
gst_ice_sip_call_new (GstIceSipUa *ua, nua_handle_t *handle, gboolean outgoing);
GstIceSipCall *gst_ice_sip_call_ref (GstIceSipCall *self);
void gst_ice_sip_call_unref (GstIceSipCall *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIceSipCall, gst_ice_sip_call_unref)
void gst_ice_sip_call_send_offer (GstIceSipCall *self, const gchar *sdp);
void gst_ice_sip_call_send_candidates (GstIceSipCall *self);
void gst_ice_sip_call_learn (GstIceSipCall *self, const sip_t *sip);
/* The peer went, or we lost it; once. @reason: (nullable) */
void gst_ice_sip_call_end (GstIceSipCall *self, const gchar *reason);
/* Sofia has no call any more, and nobody said why. */
void
gst_ice_sip_call_lose (GstIceSipCall *self, gint status, const gchar *phrase);
/* We hang up, by BYE, CANCEL or an answer that says @status. */
void gst_ice_sip_call_hang_up (GstIceSipCall *self, guint status);
void gst_ice_sip_call_ask (GstIceSipCall *self);
void gst_ice_sip_call_establish (GstIceSipCall *self);
/* nua_r_... */
void gst_ice_sip_call_handle_response (GstIceSipCall *self, nua_event_t event,
    gint status, const gchar *phrase, const sip_t *sip);

/* call-answer.c: nua_i_... */
void gst_ice_sip_call_handle_invite (GstIceSipCall *self, const sip_t *sip);
void gst_ice_sip_call_handle_update (GstIceSipCall *self, const sip_t *sip);
void gst_ice_sip_call_handle_ack (GstIceSipCall *self, const sip_t *sip);
void gst_ice_sip_call_handle_info (GstIceSipCall *self, const sip_t *sip);
void gst_ice_sip_call_send_answer (GstIceSipCall *self, const gchar *sdp);
void gst_ice_sip_call_reject (
    GstIceSipCall *self, const gchar *reason, const gchar *text);
/* (transfer full) (nullable) the session description in a message. */
gchar *gst_ice_sip_get_sdp (const sip_t *sip);
