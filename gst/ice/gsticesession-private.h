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
  GST_ICE_SESSION_OFFERED,
  GST_ICE_SESSION_ANSWERING, /* the answer waits for candidates */
} GstIceSessionExchange;

struct _GstIceSession
{
  GstObject parent;

  GstIceAgent *agent;         /* (owned) */
  GstIceSignaller *signaller; /* (owned) */
  gint state;                 /* GstIceSessionState, atomic: read anywhere */
  gint auto_restart;          /* (atomic) */
  GWeakRef *handle; /* (owned) counted: what handlers and sources hold */

  /* service thread only */
  gboolean ready;       /* streams have their caps */
  gboolean met;         /* the meeting place is reached */
  gboolean offerer;     /* as the signaller says, for the first offer */
  gboolean established; /* an exchange was completed with this peer */
  gboolean used;        /* the agent's credentials were seen by a peer */
  gboolean want_offer;
  gboolean want_restart;
  GstIceSessionExchange exchange;
  gchar *local_sdp;     /* (owned) (nullable) the last that was sent */
  GQueue pending;       /* (owned) messages before ready */
  gsize pending_size;   /* of their texts */
  GSource *answer_wait; /* (owned) (nullable) for a peer without trickle */
};

GST_DEBUG_CATEGORY_EXTERN (gst_ice_session_debug);

/* gsticesession.c */
void gst_ice_session_release_handle (gpointer handle);
void gst_ice_session_set_state (GstIceSession *self, GstIceSessionState state);
gboolean gst_ice_session_has_ended (GstIceSession *self);
void gst_ice_session_emit_error (GstIceSession *self, const GError *error);
void gst_ice_session_emit_negotiated (GstIceSession *self);
void gst_ice_session_emit_bye (GstIceSession *self, const gchar *reason);
void gst_ice_session_emit_restarting (GstIceSession *self, const gchar *reason);

/* gsticesession-prepare.c */
void gst_ice_session_install_prepare (GstIceSessionClass *klass);
/* Before a description of ours (@offer NULL), or that of the peer is taken.
 * FALSE: it is none. */
gboolean gst_ice_session_prepare (
    GstIceSession *self, const gchar *offer, GError **error);

/* gsticesession-exchange.c: offers, answers, candidates, in service thread. */
void gst_ice_session_advance (GstIceSession *self);
void gst_ice_session_take_description (
    GstIceSession *self, const gchar *type, const gchar *sdp);
/* @ufrag: (nullable) of the generation it belongs to */
void
gst_ice_session_take_candidate (GstIceSession *self, const gchar *candidate,
    const gchar *mid, guint mline_index, const gchar *ufrag);
void gst_ice_session_meet (GstIceSession *self, gboolean offerer);
void gst_ice_session_part (GstIceSession *self, const gchar *reason);
/* @candidate NULL: there are no more of @stream. */
void gst_ice_session_trickle (
    GstIceSession *self, GstIceStream *stream, GstIceCandidate *candidate);
/* Every useful answer came: who waited for it may go on. */
void gst_ice_session_gathered (GstIceSession *self);
/* The agent needs a restart for @reason. */
void gst_ice_session_mend (GstIceSession *self, const gchar *reason);
void gst_ice_session_clear (GstIceSession *self);

G_END_DECLS
