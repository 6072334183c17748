/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "icertpbin.h"
#include "member.h"

G_BEGIN_DECLS

/* A whole call: rtpbin, and for each transport a leg of icesrc, icesink and,
 * with dtls-srtp, the DTLS elements between.
 *
 *   sink_%u -> funnel -> rtpbin -> [dtlssrtpenc] -> icesink
 *   src_%u  <-           rtpbin <- [dtlssrtpdec] <- icesrc
 *
 * Streams of the agent are made when a description is made or taken
 * (GstIceSession::prepare), legs when it was negotiated who shares what. */

typedef enum
{
  GST_ICE_RTP_GATE_CLOSED, /* no path, or no keys, yet */
  GST_ICE_RTP_GATE_OPEN,
  GST_ICE_RTP_GATE_REFUSED, /* the peer does not take it */
} GstIceRtpGate;

/* What comes into a pad and is sent. */
typedef struct
{
  GstIceMember member;      /* its stream is set when it has an m-line */
  GstIceRtpBin *bin;        /* (unowned) lives longer */
  GstPad *pad;              /* (owned) the ghost */
  GstPad *target;           /* (owned) (nullable) of the funnel of its leg */
  GstIceEndpoint *endpoint; /* (owned) (nullable) from READY on */
  gulong block;             /* id of the probe, 0: none */
  gint gate;                /* GstIceRtpGate, atomic */
  gint payload;             /* atomic: what was agreed, -1: not yet */
  gint live;                /* atomic: -1 not known */
  gboolean agreed; /* with building: the peer has answered its m-line */
  gboolean released;
  gboolean ended; /* under the bin's lock: EOS */
} GstIceRtpSender;

/* What was received and goes out by a pad. */
typedef struct
{
  GstIceRtpBin *bin; /* (unowned) */
  GstPad *pad;       /* (unowned) the ghost, which has us */
  GstPad *target;    /* (unowned) of rtpbin */
  guint session, ssrc, mline;
  gint dropped; /* atomic: while it was not linked */
  gboolean ended;
} GstIceRtpReceiver;

typedef struct
{
  GstIceRtpBin *bin;                  /* (unowned) */
  guint session;                      /* of rtpbin, and its place in the list */
  GstIceTransport *transport;         /* (owned) */
  GstIceStream *stream;               /* (owned) the first that it carries */
  GstElement *src, *sink, *rtcp_sink; /* (unowned) rtcp_sink (nullable) */
  GstElement *funnel;                 /* (unowned) (nullable) when we send */
  GstElement *encoder, *decoder;      /* (unowned) (nullable) of DTLS */
  gint keyed, verified, untrusted;    /* atomic */
  GstElement *rtx_send, *rtx_receive; /* (owned) (nullable) in rtpbin */
  gint asks_again;                    /* atomic: for what is lost */
} GstIceRtpLeg;

struct _GstIceRtpBin
{
  GstBin parent;

  GstIceMember member;

  /* properties, under the object lock */
  guint latency;
  gboolean dtls_srtp, keyframe_on_connect, retransmission;

  GMutex lock;
  GPtrArray *senders;  /* (owned) (element-type GstIceRtpSender) */
  GList *receivers;    /* (unowned) they are their pads' */
  GPtrArray *legs;     /* (owned) (element-type GstIceRtpLeg) */
  GstElement *rtpbin;  /* (unowned) (nullable) from READY on */
  gchar *fingerprint;  /* (owned) (nullable) of our certificate */
  GSource *pads_timer; /* (owned) (nullable) the rest may never come */
  guint n_expected;    /* m-lines that the peer sends */
  gboolean negotiated; /* once */
  gboolean told_pads;  /* no-more-pads */
  GThread *telling; /* (unowned) (nullable) of a pad, or that it was the last */
  GCond told;

  GMutex building; /* taken first; while pipelines are changed */
  gboolean stopped;
  gboolean retransmits; /* as the property was in READY */
  gint64 keyframe_at;   /* with building */
};

struct _GstIceRtpBinClass
{
  GstBinClass parent_class;
};

GST_DEBUG_CATEGORY_EXTERN (gst_ice_rtp_bin_debug);

/* icertpbin.c */

/* (transfer full) (nullable) */
GstIceAgent *gst_ice_rtp_bin_ref_agent (GstIceRtpBin *self);
GstIceEndpoint *gst_ice_rtp_bin_ref_endpoint (GstIceRtpBin *self);
/* (transfer none) (nullable) Posts what is missing, and where it is from. It
 * stays in NULL, whatever the bin does meanwhile, until it is started. */
GstElement *gst_ice_rtp_bin_make (GstIceRtpBin *self, const gchar *factory);
gboolean gst_ice_rtp_bin_start (GstElement *element);
/* The call cannot go on: an error with the cause that @code has. */
void gst_ice_rtp_bin_fail (
    GstIceRtpBin *self, GstIceError code, const gchar *message);

/* icertpbin-send.c */

GstPad *gst_ice_rtp_bin_request_pad (GstElement *element,
    GstPadTemplate *template, const gchar *name, const GstCaps *caps);
void gst_ice_rtp_bin_release_pad (GstElement *element, GstPad *pad);
void gst_ice_rtp_sender_free (gpointer sender);
gboolean gst_ice_rtp_bin_join_senders (GstIceRtpBin *self);
gboolean gst_ice_rtp_bin_activate_senders (GstIceRtpBin *self);
void gst_ice_rtp_bin_leave_senders (GstIceRtpBin *self);
void gst_ice_rtp_sender_set_gate (GstIceRtpSender *self, GstIceRtpGate gate);
/* Upstream keeps time itself; as long as it does not say, it does. */
gboolean gst_ice_rtp_sender_is_live (GstIceRtpSender *self);
/* What was agreed on goes out under its number. */
void gst_ice_rtp_sender_update (GstIceRtpSender *self);
void gst_ice_rtp_bin_request_keyframes (GstIceRtpBin *self);

/* icertpbin-receive.c */

void gst_ice_rtp_bin_watch_rtpbin (GstIceRtpBin *self);
void gst_ice_rtp_bin_expect (GstIceRtpBin *self, guint n_mlines);
void gst_ice_rtp_bin_forget_receivers (GstIceRtpBin *self);

/* icertpbin-negotiate.c */

void gst_ice_rtp_bin_prepare (GstIceMember *member, const gchar *offer);

/* icertpbin-legs.c */

void gst_ice_rtp_bin_negotiated (GstIceMember *member);
void gst_ice_rtp_bin_update_gates (GstIceRtpBin *self);
void gst_ice_rtp_bin_remove_legs (GstIceRtpBin *self);
void gst_ice_rtp_leg_free (gpointer leg);

/* icertpbin-rtx.c */

void gst_ice_rtp_bin_watch_losses (GstIceRtpBin *self);
/* With building: who retransmits what, as it was agreed. */
void gst_ice_rtp_leg_update_rtx (GstIceRtpLeg *self);

/* icertpbin-dtls.c */

/* (transfer full) (nullable) of the certificate that this process uses */
gchar *gst_ice_rtp_bin_make_fingerprint (GstIceRtpBin *self);
gboolean gst_ice_rtp_leg_add_dtls (GstIceRtpLeg *self);
/* The description may be younger than the handshake. */
void gst_ice_rtp_leg_verify (GstIceRtpLeg *self);

G_END_DECLS
