/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gsticesession.h"

G_BEGIN_DECLS

/* Whatever happens to a session happens on the service thread, one thing after
 * the other; methods called elsewhere are queued for it. So there is no lock.
 */

typedef enum
{
  GST_ICE_SESSION_STABLE,
  GST_ICE_SESSION_OFFERING, /* our offer waits for candidates */
  GST_ICE_SESSION_OFFERED,
  GST_ICE_SESSION_DECIDING,  /* the application has not accepted theirs */
  GST_ICE_SESSION_ANSWERING, /* the answer waits for candidates */
} GstIceSessionExchange;

struct _GstIceSession
{
  GstObject parent;

  GstIceAgent *agent;         /* (owned) */
  GstIceSignaller *signaller; /* (owned) */
  gint state;                 /* GstIceSessionState, atomic: read anywhere */
  gint auto_restart;          /* (atomic) */
  gint auto_accept;           /* (atomic) */
  gint holding;               /* (atomic) we put the peer on hold */
  gint held;                  /* (atomic) the peer us */
  gchar *reason;              /* (owned) (nullable) under the object lock */
  GWeakRef *handle; /* (owned) counted: what handlers and sources hold */

  /* service thread only */
  gboolean ready;       /* streams have their caps */
  gboolean met;         /* the meeting place is reached */
  guint n_met;          /* so often */
  gboolean offerer;     /* as the signaller says, for the first offer */
  gboolean established; /* an exchange was completed with this peer */
  gboolean used;        /* the agent's credentials were seen by a peer */
  gboolean want_offer;
  gboolean want_restart;
  gboolean offers_restart; /* the offer that waits for its answer */
  gboolean holds;          /* as was agreed */
  gboolean sent;           /* the peer took media of ours */
  GstIceSessionExchange exchange;
  gchar *local_sdp;   /* (owned) (nullable) the last that was sent */
  gchar *offer;       /* (owned) (nullable) while DECIDING */
  GQueue pending;     /* (owned) messages before ready */
  gsize pending_size; /* of their texts */
  GSource *wait;      /* (owned) (nullable) with OFFERING and ANSWERING */
};

GST_DEBUG_CATEGORY_EXTERN (gst_ice_session_debug);

/* gsticesignaller.c: (transfer full) (nullable) */
gchar *gst_ice_signaller_clean_text (const gchar *text);

/* gsticesession.c */
void gst_ice_session_release_handle (gpointer handle);
void gst_ice_session_set_state (GstIceSession *self, GstIceSessionState state);
gboolean gst_ice_session_has_ended (GstIceSession *self);
/* @reason (nullable): why it is not established any more */
void gst_ice_session_set_reason (GstIceSession *self, const gchar *reason);
void gst_ice_session_set_holding (GstIceSession *self, gboolean holding);
void gst_ice_session_set_held (GstIceSession *self, gboolean held);
void gst_ice_session_emit_error (GstIceSession *self, const GError *error);
void gst_ice_session_emit_negotiated (GstIceSession *self);
void gst_ice_session_emit_bye (GstIceSession *self, const gchar *reason);
void gst_ice_session_emit_restarting (GstIceSession *self, const gchar *reason);
void gst_ice_session_emit_incoming (
    GstIceSession *self, const gchar *sdp, gboolean first);
void gst_ice_session_emit_rejected (
    GstIceSession *self, const gchar *reason, const gchar *text);

/* gsticesession-events.c: what agent and signaller say, from their threads. */
void gst_ice_session_connect (GstIceSession *self);
void gst_ice_session_disconnect (GstIceSession *self);
/* Calls @func in the service thread, at once when we are there. */
void
gst_ice_session_invoke (GSourceFunc func, gpointer data, GDestroyNotify notify);

/* gsticesession-prepare.c */
void gst_ice_session_install_prepare (GstIceSessionClass *klass);
/* Before a description of ours (@offer NULL), or that of the peer is taken.
 * FALSE: a handler ended the session. */
gboolean gst_ice_session_prepare (GstIceSession *self, const gchar *offer);

/* gsticesession-exchange.c: offers, answers, candidates, in service thread. */
void gst_ice_session_advance (GstIceSession *self);
void gst_ice_session_take_description (
    GstIceSession *self, const gchar *type, const gchar *sdp);
/* @ufrag: (nullable) of the generation it belongs to */
void
gst_ice_session_take_candidate (GstIceSession *self, const gchar *candidate,
    const gchar *mid, guint mline_index, const gchar *ufrag);
void gst_ice_session_take_rejection (
    GstIceSession *self, const gchar *reason, const gchar *text);
void gst_ice_session_take_error (GstIceSession *self, const gchar *text);
void gst_ice_session_meet (GstIceSession *self, gboolean offerer);
void gst_ice_session_part (GstIceSession *self, const gchar *reason);
/* @candidate NULL: there are no more of @stream. */
void gst_ice_session_trickle (
    GstIceSession *self, GstIceStream *stream, GstIceCandidate *candidate);
/* Every useful answer came: who waited for it may go on. */
void gst_ice_session_gathered (GstIceSession *self);
/* The agent needs a restart for @reason. */
void gst_ice_session_mend (GstIceSession *self, const gchar *reason);
/* What the application decides about the peer's offer. */
void gst_ice_session_admit (GstIceSession *self);
void gst_ice_session_decline (
    GstIceSession *self, const gchar *reason, const gchar *text);
/* Puts the peer on hold, or takes it off. */
void gst_ice_session_pause (GstIceSession *self, gboolean pause);
void gst_ice_session_clear (GstIceSession *self);

G_END_DECLS
