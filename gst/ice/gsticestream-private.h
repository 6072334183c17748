/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ice/candidate.h"
#include "gsticeagent.h"
#include "gsticedescription-private.h"
#include "gsticetransport-private.h"

G_BEGIN_DECLS

typedef struct
{
  guint number;                    /* RFC 8445 component id */
  guint id;                        /* the core's transport id, 0: none */
  GstIceTransport *transport;      /* (owned) */
  GstIceState state;               /* as it was last notified */
  GstIceCandidate *local, *remote; /* (owned) (nullable) selected */
} GstIceComponent;

struct _GstIceStream
{
  GstObject parent;

  GWeakRef agent;
  gchar *mid; /* (owned) never changes */

  GMutex setup; /* components come one at a time; before the object lock */

  /* Under the object lock. */
  guint id;             /* the core's, 0: bundled or removed */
  GstIceStream *tagged; /* (owned) (nullable) whose transports carry it too */
  guint mline_index;
  gint dscp;             /* -1: the agent's */
  GPtrArray *components; /* (owned) (element-type GstIceComponent) */
  GstCaps *send_caps, *receive_caps; /* (owned) (nullable) */
  GstCaps *local_caps, *remote_caps; /* (owned) (nullable) */
  GstIceDirection direction;         /* as the application wants it */
  gboolean holding;                  /* a session holds the peer */
  GstIceDirection offered, current;  /* as last offered and as agreed */
  GstIceGatheringState gathering;
  IceTime gathered_at;          /* 0: not yet in this generation */
  gboolean ended;               /* no local candidate will follow */
  GList *gather_tasks;          /* (owned) (element-type GatherTask) */
  gchar *peer_ufrag, *peer_pwd; /* (owned) (nullable) present generation */
  gchar *next_ufrag, *next_pwd; /* (owned) (nullable) add_remote_sdp was given
                                   one of the two so far */
  gboolean restarted;           /* by us, and the peer has not followed yet */
  gchar *fingerprint;           /* (owned) (nullable) of our certificate */
  gchar *remote_fingerprint;    /* (owned) (nullable) of the peer's */
  gboolean dtls_client;         /* we begin the handshake */
  gboolean dtls_decided;        /* who does, with this peer */
};

/* (transfer full), not floating. @tagged (nullable): bundled with it. */
GstIceStream *gst_ice_stream_new (GstIceAgent *agent, const gchar *name,
    guint mline_index, GstIceStream *tagged);
/* (transfer full) (nullable) */
GstIceAgent *gst_ice_stream_ref_agent (GstIceStream *self);
/* (transfer full) itself, or the one whose transports carry it. */
GstIceStream *gst_ice_stream_ref_tagged (GstIceStream *self);
/* The core's id of what carries it; 0 when there is none any more. */
guint gst_ice_stream_get_id (GstIceStream *self);
/* Gets its own transports: the peer does not bundle. */
void gst_ice_stream_unbundle (GstIceStream *self);
/* Ends its transports, and tasks with GST_ICE_ERROR_CLOSED. */
void gst_ice_stream_detach (GstIceStream *self);

gboolean gst_ice_stream_has_component (GstIceStream *self, guint component);
void gst_ice_stream_ensure_component (GstIceStream *self, guint component);
void gst_ice_stream_drop_component (GstIceStream *self, guint component);
/* What the agent's "dscp" means for it. */
void gst_ice_stream_apply_dscp (GstIceStream *self, gint agent_dscp);

/* GST_ICE_ERROR_INVALID_SDP when one is malformed, or only one of the two is
 * new (RFC 8839 5.4). Both new where there were some is the peer's restart:
 * @follow says whether we restart as well, as an answerer must. */
gboolean gst_ice_stream_take_remote_credentials (GstIceStream *self,
    const gchar *ufrag, const gchar *pwd, gboolean follow, GError **error);
/* What became of it is logged; a bad one is no error of the caller. */
/* RFC 8838 13: of the generation with @ufrag, if it is said (nullable). */
void gst_ice_stream_take_remote_end (GstIceStream *self, const gchar *ufrag);
void gst_ice_stream_take_remote_candidate (
    GstIceStream *self, IceCandidate *candidate);
void gst_ice_stream_set_mline_index (GstIceStream *self, guint mline_index);
/* (nullable) notify "local-caps", "remote-caps". */
void gst_ice_stream_set_local_caps (GstIceStream *self, GstCaps *caps);
void gst_ice_stream_set_remote_caps (GstIceStream *self, GstCaps *caps);

/* gsticestream-dtls.c: what sections say of DTLS, ours and theirs. */
void gst_ice_stream_offer_dtls (GstIceStream *self, GstIceSection *section);
void gst_ice_stream_answer_dtls (
    GstIceStream *self, GstIceSection *section, const GstIceSection *offered);
void gst_ice_stream_take_dtls (
    GstIceStream *self, const GstIceSection *section, gboolean is_answer);
void
gst_ice_stream_set_fingerprint (GstIceStream *self, const gchar *fingerprint);

/* gsticestream-direction.c */
void gst_ice_stream_install_direction (GObjectClass *klass, guint first);
void
gst_ice_stream_set_direction (GstIceStream *self, GstIceDirection direction);
/* With the object lock: what the next description may say. */
GstIceDirection gst_ice_stream_allowed_direction (const GstIceStream *self);
/* @ret_wanted: by caps and property; @ret_current: as agreed */
void gst_ice_stream_get_directions (GstIceStream *self,
    GstIceDirection *ret_wanted, GstIceDirection *ret_current);
void gst_ice_stream_set_holding (GstIceStream *self, gboolean holding);
void gst_ice_stream_set_offered_direction (
    GstIceStream *self, gboolean sends, gboolean receives);
/* What of our offer the peer takes. */
void gst_ice_stream_answer_direction (
    GstIceStream *self, gboolean peer_sends, gboolean peer_receives);
void gst_ice_stream_set_current_direction (
    GstIceStream *self, gboolean sends, gboolean receives);

/* gsticestream-fork.c: (transfer full), not floating. The stream of a fork,
 * which is in no core until gst_ice_stream_begin_fork puts it there. */
GstIceStream *gst_ice_stream_new_fork (
    GstIceStream *origin, GstIceAgent *agent, GstIceStream *tagged);
void gst_ice_stream_begin_fork (
    GstIceStream *self, GstIceStream *origin, GstIceAgent *agent);

/* gsticestream-gather.c */

/* A component that came late, or new credentials, want new candidates. */
void gst_ice_stream_gather_again (GstIceStream *self, GstIceAgent *agent);
/* Gathering ended, or the stream did. */
void gst_ice_stream_finish_gather_tasks (GstIceStream *self);

/* gsticestream-remote.c; (transfer full) (nullable) the peer's fragment. */
gchar *gst_ice_stream_dup_peer_ufrag (GstIceStream *self);

G_END_DECLS
